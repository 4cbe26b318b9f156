//! What staff of a session mark over HTTP: a whole roster at once, and who walks in without a booking.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Roster, read_roster};
use crate::app::App;
use crate::attendance::mark_roster::MarkRoster;
use crate::booking::api::{answer, submit};
use crate::booking::book::Book;
use crate::booking::view::BookingView;
use crate::extract::{Body, Path};
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::schedule;
use crate::sign_in::Caller;
use crate::text::Note;
use crate::transactor::Command;
use crate::wrong::Wrong;

/// The most bookings of either list.
const MARKED_MAX: usize = 1_000;

/// Who came, and who did not.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AttendanceBody)]
pub struct MarksBody {
    /// Bookings whose members are there.
    #[serde(default)]
    #[schema(max_items = 1000)]
    attended: Vec<Uuid>,
    /// Bookings whose members staff looked for, and they are not there.
    #[serde(default)]
    #[schema(max_items = 1000)]
    absent: Vec<Uuid>,
}

/// Marks a whole roster, or a part of it, in one call: all of it or nothing. Who stands in neither list stays as they are. Somebody who is
/// absent stays `booked` until absences become final; that staff looked for them is kept, so that a class in which nobody came is told from
/// one that nobody went through. Somebody who came after all is treated as by their check-in. Repeated, it answers the same. For staff of
/// the session, from an hour before the start until 48 hours after the end.
#[utoipa::path(
    put, path = "/v1/sessions/{id}/attendance", operation_id = "mark_attendance",
    params(("id" = Uuid, Path)), request_body = MarksBody,
    responses((status = 200, body = Roster)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, NotCheckInTime, OverlappingBooking, SessionFull, TooManyRequests])))
)]
pub async fn mark(
    State(app): State<App>,
    caller: Caller,
    Path(session_id): Path<Uuid>,
    Body(body): Body<MarksBody>,
) -> Answer<Json<Roster>> {
    for (field, marked) in [("attended", &body.attended), ("absent", &body.absent)] {
        if marked.len() > MARKED_MAX {
            return Err(Problem::field(field, Wrong::TooMany { max: MARKED_MAX }));
        }
    }
    if let Some(n) = body.absent.iter().position(|id| body.attended.contains(id)) {
        return Err(Problem::field(format!("absent[{n}]"), Wrong::AlsoAttended));
    }
    let marks = MarkRoster { session_id, attended: body.attended, absent: body.absent };
    app.transactor.submit(caller.actor(), Command::MarkRoster(marks)).await?;
    let session = schedule::store::one(&app.db, session_id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    Ok(Json(read_roster(&app, &session).await?))
}

/// Who walks in, and what pays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WalkInBody {
    /// A member of the studio.
    person_id: Uuid,
    /// Which pass pays; else the rule of which pass pays decides.
    #[serde(default)]
    pass_id: Option<Uuid>,
    /// Take nothing for it; needs a reason. For the front desk.
    #[serde(default)]
    unpaid: bool,
    /// Why it is unpaid.
    #[serde(default)]
    reason: Option<Note>,
}

/// Books a member who stands at the door without a booking, and checks them in, or does neither. It needs a free place and something that
/// pays, as any booking. The app chooses the booking's id, and may repeat the call. For staff of the session, from an hour before the start
/// until its end.
#[utoipa::path(
    put, path = "/v1/sessions/{id}/walk-ins/{booking_id}", operation_id = "walk_in",
    params(("id" = Uuid, Path), ("booking_id" = Uuid, Path)), request_body = WalkInBody,
    responses((status = 201, body = BookingView<'static>), (status = 200, description = "Repeated", body = BookingView<'static>)),
    extensions(("x-problem-types" = json!(refuses![
        NoPass, NotAllowed, NotCheckInTime, SessionFull, AlreadyBooked, OverlappingBooking, SessionCancelled, BookingIdReused,
        BookingWithdrawn, TooManyRequests
    ])))
)]
pub async fn walk_in(
    State(app): State<App>,
    caller: Caller,
    Path((session_id, id)): Path<(Uuid, Uuid)>,
    Body(body): Body<WalkInBody>,
) -> Answer<Response> {
    let reason = body.reason.map(Note::into_string).filter(|reason| !reason.trim().is_empty());
    let unpaid = match (body.unpaid, reason) {
        (true, None) => return Err(Problem::field("reason", Wrong::UnpaidNeedsReason)),
        (false, Some(_)) => return Err(Problem::field("reason", Wrong::ReasonOnlyForUnpaid)),
        (_, reason) => reason,
    };
    let person_id = Some(body.person_id);
    let ask = Book { id, session_id, pass_id: body.pass_id, person_id, unpaid, walk_in: true, ..Book::default() };
    let shown = submit(&app, &caller, Command::WalkIn(ask)).await?;
    let status = if shown.fresh { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, answer(&app, &caller, *shown).await?).into_response())
}
