//! `PUT /v1/bookings/{id}/conditions`: a waiting member says on what terms they want to be moved in.

use super::BookingStatus;
use super::book::stored;
use super::conditions::Conditions;
use super::freed::Freed;
use super::refill::settle;
use super::snapshot::{BookingSnapshot, own_booking, show};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// `PUT /v1/bookings/{id}/conditions`. Whom the new ones no longer keep out is served in the same commit. Repeated, it answers the same.
pub fn set_conditions(
    set: &mut WorkingSet,
    actor: &Actor,
    booking_id: Uuid,
    conditions: &Conditions,
    now: DateTime<Utc>,
) -> Decision<BookingSnapshot> {
    let (mut booking, _, by_staff) = own_booking(set, actor, booking_id)?;
    if by_staff {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    let conditions = stored(conditions);
    if booking.conditions == conditions {
        return show(set, booking_id, now);
    }
    if booking.status != BookingStatus::Waitlisted {
        return Err(Problem::new(ProblemType::StatusChanged).with("booking_status", booking.status).into());
    }
    booking.conditions = conditions;
    let mut freed = Freed::default();
    freed.session(booking.session_id);
    let event = Event::of_booking(&booking, Happened::ConditionsSet);
    set.put(booking);
    emit(set, actor, event)?;
    settle(set, freed, now)?;
    show(set, booking_id, now)
}
