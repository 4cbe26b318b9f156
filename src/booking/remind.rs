//! Reminds members of their places. When it is to be looked at next is planned with the place, and again when its session moves; a sweep
//! looks then, at what holds by then.

use super::rules::reminders::{Reminder, Reminding};
use super::{Booking, BookingStatus, cut_off};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::people::Person;
use crate::schedule::Session;
use crate::studios::StudioContext;
use crate::working_set::{Decision, WorkingSet, all};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Plans for a place that was just given, or whose session has moved, when its member is reminded of it; nothing for whoever has none.
pub fn plan(set: &WorkingSet, booking: &mut Booking, now: DateTime<Utc>) -> Decision<()> {
    booking.remind_at = None;
    // Whoever brings a guest is reminded of their own place; nobody could remind a visitor.
    if booking.status != BookingStatus::Booked || booking.is_guests() || booking.is_visitors() {
        return Ok(());
    }
    let session = set.session(booking.session_id)?;
    let studio = set.studio(session.studio_id)?;
    if let Some(person) = set.identity_if_any(booking.person_id)? {
        booking.remind_at = reminding(session, &studio, &person).next(now);
    }
    Ok(())
}

/// Sweep: reminds those of a session for whom it is time, and plans when to look again.
pub fn remind(set: &mut WorkingSet, session_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let session = set.session(session_id)?.clone();
    let studio = set.studio(session.studio_id)?;
    let mut due = set.in_company(&set.roster(session_id)?)?;
    due.retain(|booking| booking.remind_at.is_some_and(|at| at <= now));
    let people = all(due.iter().map(|booking| set.identity_if_any(booking.person_id)))?;
    for (mut booking, person) in due.into_iter().zip(people) {
        let planned = booking.remind_at.take().filter(|_| booking.status == BookingStatus::Booked && !session.is_cancelled());
        let mut told = None;
        if planned.is_some_and(|planned| planned < booking.created_at) {
            // It is from before there were reminders: one whose time is over is not made up for.
            plan(set, &mut booking, now)?;
        } else if let (Some(planned), Some(person)) = (planned, person) {
            // Who has no address is told through whoever acts for them.
            let reader = if person.has_address { Some(person.clone()) } else { set.reads_for(person.id)? };
            let wanted = |which: Reminder| reader.as_ref().is_some_and(|reader| reader.letters.wants_reminder(which.hours()));
            (told, booking.remind_at) = reminding(&session, &studio, &person).look(planned, wanted, now);
        }
        set.put(booking.clone());
        if let Some(which) = told {
            emit(set, &Actor::system(), Event::of_booking(&booking, Happened::Reminded { hours: which.hours() }))?;
        }
    }
    Ok(())
}

fn reminding(session: &Session, studio: &StudioContext, person: &Person) -> Reminding {
    let own = person.quiet_hours.map(|own| own.pair());
    let quiet = [cut_off::quiet_hours(&studio.rules_of(session.class_type_id)), own];
    Reminding { starts_at: session.starts_at, zone: studio.zone, quiet }
}
