//! Changing class: a new place takes over from an older booking of the same member, which is given up in the same commit, or nothing changes.
//!
//! The old booking is given up first, so that the decision about the new place sees what is then free: the credit, the hour, the place that a
//! cap counts. Where the new place is refused, the command is undone as a whole.

use super::ending::end_by_person;
use super::freed::Freed;
use super::guests::none_left_behind;
use super::rules::{self, CannotGiveUp};
use super::{Booking, EndedBy, view};
use crate::events::Actor;
use crate::penalties::rules::Leniency;
use crate::penalties::standing::leniency_now;
use crate::people::Person;
use crate::problem::{Problem, ProblemType};
use crate::schedule::Session;
use crate::working_set::{Abort, Decision, WorkingSet, not_found};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The booking that is named to be given up for a place in this session: the same member's, in any studio; for staff, in theirs.
pub fn named(set: &WorkingSet, own: &Person, person_id: Uuid, old: Uuid, session: &Session, now: DateTime<Utc>) -> Decision<Booking> {
    let Some(old) = set.booking(old, Uuid::nil())?.cloned() else { return Err(not_found()) };
    // A guest's place is nothing that its host could take over for another of their own.
    if old.is_guests()
        || old.person_id != person_id
        || (own.id != person_id && !own.roles.is_front_desk(old.studio_id) && !set.acts_for(own.id, person_id)?)
    {
        return Err(not_found());
    }
    if old.session_id == session.id && !old.status.has_ended() {
        return Err(Problem::new(ProblemType::AlreadyBooked).with("booking_id", old.id).into());
    }
    match rules::give_up(&old, Leniency::default(), true, now) {
        Ok(_) => Ok(old),
        Err(why) => Err(refused(why, &old, Leniency::default(), now)),
    }
}

/// What a booking that waits would take over from, unless that has ended or is over by now. Its member must be known.
pub fn to_replace(set: &WorkingSet, booking: &Booking, now: DateTime<Utc>) -> Option<Booking> {
    let old = set.known_booking(booking.asked_replaces?)?;
    let open = old.person_id == booking.person_id && !old.status.has_ended() && now < old.ends_at;
    open.then(|| old.clone())
}

/// Gives up the old booking for the one that takes over. `late`: also if that is not free any more.
pub fn give_up(
    set: &mut WorkingSet,
    actor: &Actor,
    mut old: Booking,
    taken_over_by: Uuid,
    late: bool,
    freed: &mut Freed,
    now: DateTime<Utc>,
) -> Decision<()> {
    set.session(old.session_id)?;
    let leniency = leniency_now(set, &old, now)?;
    let decided = rules::give_up(&old, leniency, late, now).map_err(|why| refused(why, &old, leniency, now))?;
    none_left_behind(set, &old, now)?;
    old.replaced_by = Some(taken_over_by);
    end_by_person(set, actor, old, decided, &EndedBy::Replaced.into(), freed, now)
}

/// At the member's own tap, or staff's: gives up what the booking would take over from, if that is free.
pub fn give_up_if_any(set: &mut WorkingSet, actor: &Actor, booking: &Booking, freed: &mut Freed, now: DateTime<Utc>) -> Decision<()> {
    match to_replace(set, booking, now) {
        Some(old) => give_up(set, actor, old, booking.id, false, freed, now),
        None => Ok(()),
    }
}

fn refused(why: CannotGiveUp, old: &Booking, leniency: Leniency, now: DateTime<Utc>) -> Abort {
    let kind = match why {
        CannotGiveUp::Ended => ProblemType::StatusChanged,
        CannotGiveUp::Started => ProblemType::SessionStarted,
        CannotGiveUp::NotFree => ProblemType::NotFree,
    };
    let facts = Problem::new(kind).with("booking_id", old.id).with("booking_status", old.status);
    facts.with("cancel_now", view::cancel_now_facts(old, leniency, now)).into()
}
