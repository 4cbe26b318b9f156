//! `PUT /v1/sessions/{id}/walk-ins/{booking_id}`: somebody stands at the door without a booking; they are booked and checked in at once.

use chrono::{DateTime, Duration, Utc};

use super::check_in::come;
use crate::booking::BookingStatus;
use crate::booking::book::{Book, book};
use crate::booking::freed::Freed;
use crate::booking::refill::settle;
use crate::booking::snapshot::{BookingSnapshot, show};
use crate::events::Actor;
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, caller, not_found};

/// Books as staff do, and checks in, or does neither. Repeated, it answers with the booking as it is now.
pub fn walk_in(set: &mut WorkingSet, actor: &Actor, ask: &Book, now: DateTime<Utc>) -> Decision<BookingSnapshot> {
    let caller = caller(actor)?;
    let own = set.identity(caller)?;
    let session = set.session(ask.session_id)?.clone();
    let studio = set.studio(session.studio_id)?;
    if !own.roles.is_staff_of_session(studio.id, session.instructor_id == caller) {
        let may_know = !session.is_for_staff() || own.roles.is_staff(studio.id);
        return Err(if may_know { Problem::new(ProblemType::NotAllowed).into() } else { not_found() });
    }
    let begins = session.starts_at - Duration::minutes(studio.rules_of(session.class_type_id).attendance_from_min);
    let is_time = begins <= now && now < session.ends_at;
    if !is_time && set.booking(ask.id, caller)?.is_none() {
        return Err(Problem::new(ProblemType::NotCheckInTime).into());
    }
    let shown = book(set, actor, ask, now)?;
    if !shown.fresh || shown.booking.status != BookingStatus::Booked {
        return Ok(shown);
    }
    let mut freed = Freed::default();
    come(set, actor, shown.booking, now, Some(caller), &mut freed, now)?;
    settle(set, freed, now)?;
    Ok(BookingSnapshot { fresh: true, ..show(set, ask.id, now)? })
}
