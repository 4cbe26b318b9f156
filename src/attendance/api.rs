//! The roster of a session over HTTP.

pub mod check_ins;
pub mod door;
pub mod kiosks;
pub mod marks;

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
use crate::booking::view::{BookingView, VisitorView};
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
    /// Who comes in this place, if it is a guest's: `person` is who brings them. Of a guest no visits are known.
    guest: Option<RosterGuest>,
    /// Who sent them, and how they are reached, if they have no account.
    visitor: Option<VisitorView>,
    /// For now they are taken to be absent: nobody has marked them as having come, and that is not final.
    provisional: bool,
    /// Their place went to somebody at the door.
    released: bool,
    /// Nobody was marked in the session, so it counts as attended.
    unrecorded: bool,
    /// When staff looked for the member, and they were not there.
    #[serde(with = "crate::instant")]
    seen_absent_at: Option<DateTime<Utc>>,
}

/// A guest on a roster.
#[derive(Debug, Serialize, ToSchema)]
pub struct RosterGuest {
    /// As the member who brings them wrote it; null once it is forgotten.
    name: Option<String>,
    /// The booking of the member who brings them.
    guest_of: Uuid,
}

/// Somebody at the door.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RosterStandby)]
pub struct AtTheDoor {
    /// The member's booking.
    booking_id: Uuid,
    person: RosterPerson,
    /// Since when.
    #[serde(with = "crate::instant")]
    since: DateTime<Utc>,
    /// Why the member could not take a place that was given away.
    reason: Option<PassedOver>,
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
    /// At the door, in the order in which they came.
    standby: Vec<AtTheDoor>,
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
    Ok(Json(read_roster(&app, &session).await?))
}

/// Who is in a session, who waits, and who stands at the door.
pub async fn read_roster(app: &App, session: &SessionRow) -> Answer<Roster> {
    let now = app.clock.now();
    let mut tx = app.db.read().await?;
    let entries = store::roster(&mut tx, session.id).await?;
    let people: Vec<Uuid> = entries.iter().map(|entry| entry.person_id).collect();
    let visits = store::visits_before(&mut tx, session.studio_id, session.starts_at, &people).await?;
    tx.rollback().await;
    let visits: HashMap<Uuid, i64> = visits.into_iter().collect();
    let (mut standing, entries): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.status == BookingStatus::Standby);
    standing.sort_by_key(|entry| (entry.created_at, entry.booking_id));
    let (waiting, mut booked): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.status == BookingStatus::Waitlisted);
    booked.sort_by_cached_key(|entry| (sort_key(&entry.name), entry.booking_id));
    let booked = booked
        .into_iter()
        .map(|entry| {
            let visitor = VisitorView::of(entry.guest_name.as_ref(), entry.visitor_phone.as_ref(), entry.visitor_source.as_ref());
            let guest = entry.guest_of.map(|guest_of| RosterGuest { name: entry.guest_name, guest_of });
            let visits = if guest.is_some() { 0 } else { visits.get(&entry.person_id).copied().unwrap_or(0) };
            Booked {
                booking_id: entry.booking_id,
                person: RosterPerson { id: entry.person_id, name: entry.name },
                status: entry.status,
                first_visit: visits == 0,
                visits,
                spot: entry.spot_id,
                arrived_at: entry.arrived_at,
                guest,
                visitor,
                provisional: entry.provisional || (entry.status == BookingStatus::Booked && session.misses_who_has_not_come(now)),
                released: entry.released_at.is_some(),
                unrecorded: entry.unrecorded,
                seen_absent_at: entry.seen_absent_at,
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
    let at_the_door = |entry: store::RosterRow| AtTheDoor {
        booking_id: entry.booking_id,
        person: RosterPerson { id: entry.person_id, name: entry.name },
        since: entry.created_at,
        reason: entry.passed_over,
    };
    Ok(Roster { booked, waitlist, standby: standing.into_iter().map(at_the_door).collect() })
}

/// When the member came, if not now.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckInBody {
    #[serde(default)]
    at: Option<DateTime<Utc>>,
}

/// Marks the member as having come; an absence that was final is taken back, with its fee and strike. Whose place went to somebody at the
/// door is let in only if another one is left. Repeated, it answers the same.
#[utoipa::path(
    put, path = "/v1/bookings/{id}/check-in", operation_id = "check_in",
    params(("id" = Uuid, Path)), request_body = CheckInBody,
    responses((status = 200, body = BookingView<'static>)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, NotCheckInTime, OverlappingBooking, SessionFull, StatusChanged, TooManyRequests])))
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

/// Takes the mark back: the member did not come after all. Of who walked in, the booking ends too, and what was taken for it comes back. Where
/// absences are final already, this one becomes so after a time.
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
