//! The roster of a session over HTTP.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::store;
use crate::app::App;
use crate::booking::BookingStatus;
use crate::booking::api::{answer, submit};
use crate::booking::view::BookingView;
use crate::extract::{Body, Path};
use crate::letters::facts::PassedOver;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::schedule;
use crate::schedule::SessionRow;
use crate::search::sort_key;
use crate::sign_in::Caller;
use crate::transactor::Command;

/// Somebody on a roster.
#[derive(Debug, Serialize, ToSchema)]
pub struct RosterPerson {
    id: Uuid,
    /// As the studio wrote it down.
    name: String,
}

/// Somebody who is in the session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RosterBooking)]
pub struct Booked {
    /// The member's booking.
    booking_id: Uuid,
    person: RosterPerson,
    /// Booked, attended, …
    status: BookingStatus,
    /// Whether this is the member's first visit to the studio.
    first_visit: bool,
    /// How often the member had come to this studio before.
    visits: i64,
    /// The spot that is the member's.
    spot: Option<Uuid>,
    /// When the member was checked in.
    #[serde(with = "crate::instant")]
    arrived_at: Option<DateTime<Utc>>,
}

/// Somebody who waits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RosterWaiting)]
pub struct Waiting {
    /// The member's booking.
    booking_id: Uuid,
    person: RosterPerson,
    /// 1 is the next to move up.
    position: i64,
    /// Why the member could not take a place that came free.
    reason: Option<PassedOver>,
}

/// Who is in a session and who waits.
#[derive(Debug, Serialize, ToSchema)]
pub struct Roster {
    /// Sorted by name.
    booked: Vec<Booked>,
    /// In the order of the queue.
    waitlist: Vec<Waiting>,
}

/// Allows only the session's staff: its instructor, the studio's front desk and admins. 404 for those who could not see the session either.
pub fn require_staff_of(caller: &Caller, session: &SessionRow) -> Answer<()> {
    if caller.roles.is_staff_of_session(session.studio_id, session.instructor_id == caller.person_id) {
        Ok(())
    } else if session.is_for_staff() && !caller.roles.is_staff(session.studio_id) {
        Err(Problem::new(ProblemType::NotFound))
    } else {
        Err(Problem::new(ProblemType::NotAllowed))
    }
}

/// Who is in a session and who waits. Staff of the session.
#[utoipa::path(
    get, path = "/v1/sessions/{id}/roster", operation_id = "show_roster",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Roster)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn roster(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Answer<Json<Roster>> {
    let session = schedule::store::one(&app.db, id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    require_staff_of(&caller, &session)?;
    let mut tx = app.db.read().await?;
    let entries = store::roster(&mut tx, id).await?;
    let people: Vec<Uuid> = entries.iter().map(|entry| entry.person_id).collect();
    let visits = store::visits_before(&mut tx, session.studio_id, session.starts_at, &people).await?;
    tx.rollback().await;
    let visits: HashMap<Uuid, i64> = visits.into_iter().collect();
    let (waiting, mut booked): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.status == BookingStatus::Waitlisted);
    booked.sort_by_cached_key(|entry| (sort_key(&entry.name), entry.booking_id));
    let booked = booked
        .into_iter()
        .map(|entry| {
            let visits = visits.get(&entry.person_id).copied().unwrap_or(0);
            Booked {
                booking_id: entry.booking_id,
                person: RosterPerson { id: entry.person_id, name: entry.name },
                status: entry.status,
                first_visit: visits == 0,
                visits,
                spot: entry.spot_id,
                arrived_at: entry.arrived_at,
            }
        })
        .collect();
    let waitlist = (1..)
        .zip(waiting)
        .map(|(position, entry)| Waiting {
            booking_id: entry.booking_id,
            person: RosterPerson { id: entry.person_id, name: entry.name },
            position,
            reason: entry.passed_over,
        })
        .collect();
    Ok(Json(Roster { booked, waitlist }))
}

/// When the member came, if not now.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckInBody {
    #[serde(default)]
    at: Option<DateTime<Utc>>,
}

/// Marks the member as having come. Repeated, it answers the same.
#[utoipa::path(
    put, path = "/v1/bookings/{id}/check-in", operation_id = "check_in",
    params(("id" = Uuid, Path)), request_body = CheckInBody,
    responses((status = 200, body = BookingView<'static>)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, NotCheckInTime, StatusChanged, TooManyRequests])))
)]
pub async fn check_in(
    State(app): State<App>,
    caller: Caller,
    Path(booking_id): Path<Uuid>,
    Body(body): Body<CheckInBody>,
) -> Answer<Response> {
    let shown = submit(&app, &caller, Command::CheckIn { booking_id, at: body.at }).await?;
    answer(&app, &caller, *shown).await
}

/// Takes the mark back: the member did not come after all.
#[utoipa::path(
    delete, path = "/v1/bookings/{id}/check-in", operation_id = "undo_check_in",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = BookingView<'static>)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, NotCheckInTime, StatusChanged, TooManyRequests])))
)]
pub async fn undo(State(app): State<App>, caller: Caller, Path(booking_id): Path<Uuid>) -> Answer<Response> {
    let shown = submit(&app, &caller, Command::UndoCheckIn { booking_id }).await?;
    answer(&app, &caller, *shown).await
}
