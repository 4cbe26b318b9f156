//! `PUT /v1/sessions/{id}/attendance`: who came and who did not, the whole roster in one call, or nothing of it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::check_in::{come, not_come, see_absent};
use super::follow_up::look_up;
use crate::booking::freed::Freed;
use crate::booking::refill::settle;
use crate::booking::rules::may_check_in;
use crate::booking::{Booking, BookingStatus};
use crate::events::Actor;
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, caller, not_found};
use crate::wrong::Wrong;

/// `PUT /v1/sessions/{id}/attendance`.
#[derive(Clone, Debug)]
pub struct MarkRoster {
    pub session_id: Uuid,
    /// Bookings whose members are there.
    pub attended: Vec<Uuid>,
    /// Bookings whose members staff looked for, and they were not there.
    pub absent: Vec<Uuid>,
}

/// Marks everybody who is named and leaves the others as they are. Repeated, it is done already.
pub fn mark_roster(set: &mut WorkingSet, actor: &Actor, ask: &MarkRoster, now: DateTime<Utc>) -> Decision<Uuid> {
    let caller = caller(actor)?;
    let own = set.identity(caller)?;
    let session = set.session(ask.session_id)?.clone();
    let studio = set.studio(session.studio_id)?;
    if !own.roles.is_staff_of_session(studio.id, session.instructor_id == caller) {
        let may_know = !session.is_for_staff() || own.roles.is_staff(studio.id);
        return Err(if may_know { Problem::new(ProblemType::NotAllowed).into() } else { not_found() });
    }
    set.must_bear(i64::try_from(ask.attended.len() + ask.absent.len()).unwrap_or(i64::MAX))?;
    set.roster(session.id)?;
    let rules = studio.rules_of(session.class_type_id);
    let named_ones: Vec<Booking> = ask.attended.iter().chain(&ask.absent).filter_map(|id| set.known_booking(*id).cloned()).collect();
    look_up(set, &named_ones)?;
    let mut freed = Freed::default();
    for (n, id) in ask.attended.iter().enumerate() {
        let booking = named(set, session.id, *id, &format!("attended[{n}]"))?;
        if booking.status == BookingStatus::Attended {
            continue;
        }
        in_time(may_check_in(&booking, &rules, now))?;
        come(set, actor, booking, now, Some(caller), &mut freed, now)?;
    }
    for (n, id) in ask.absent.iter().enumerate() {
        let booking = named(set, session.id, *id, &format!("absent[{n}]"))?;
        if booking.status == BookingStatus::NoShow || (booking.status == BookingStatus::Booked && booking.seen_absent_at.is_some()) {
            continue;
        }
        in_time(may_check_in(&booking, &rules, now))?;
        if booking.status == BookingStatus::Attended {
            not_come(set, actor, booking, &mut freed, now)?;
        }
        see_absent(set, actor, named(set, session.id, *id, "absent")?, Some((now, caller)), &mut freed, now)?;
    }
    settle(set, freed, now)?;
    Ok(session.id)
}

/// A booking of this session that has a place.
fn named(set: &WorkingSet, session_id: Uuid, id: Uuid, field: &str) -> Decision<Booking> {
    let has_place = |status| matches!(status, BookingStatus::Booked | BookingStatus::Attended | BookingStatus::NoShow);
    let booking = set.known_booking(id).filter(|booking| booking.session_id == session_id && has_place(booking.status));
    booking.cloned().ok_or_else(|| Problem::field(field, Wrong::NotOnRoster).into())
}

fn in_time(may: bool) -> Decision<()> {
    if may { Ok(()) } else { Err(Problem::new(ProblemType::NotCheckInTime).into()) }
}
