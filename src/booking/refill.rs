//! Who gets a freed place: the one piece of code that gives places to those who wait, whatever freed them.

use std::collections::BTreeSet;

use super::place::{leave_overlapping, pay};
use super::rules::{self, Ask, MemberNow, Refill, SessionNow};
use super::{Booking, BookingStatus};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::passes::LedgerReason;
use crate::schedule::rules::week_of;
use crate::studios::StudioContext;
use crate::working_set::{Abort, Decision, Lookup, WorkingSet};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// People whom a change may have enabled to take a place, and sessions where one may have come free.
#[derive(Default)]
pub struct Freed {
    sessions: BTreeSet<Uuid>,
    people: BTreeSet<Uuid>,
}

impl Freed {
    /// A place may have come free there.
    pub fn session(&mut self, id: Uuid) {
        self.sessions.insert(id);
    }

    /// Keeps only the sessions: the person's account is being removed, so they are not to get a place.
    pub fn forget_people(&mut self) {
        self.people.clear();
    }

    /// They may have become able to take a place.
    pub fn person(&mut self, id: Uuid) {
        self.people.insert(id);
    }
}

/// Gives what is free to those who wait: in every session where a place may have come free, and for everybody who may have
/// become able, until nothing more can be given.
pub fn settle(set: &mut WorkingSet, mut freed: Freed, now: DateTime<Utc>) -> Decision<()> {
    let unknown: Vec<Lookup> =
        freed.people.iter().filter(|id| matches!(set.person(**id), Err(Abort::Needs(_)))).map(|id| Lookup::Person(*id)).collect();
    if !unknown.is_empty() {
        return Err(Abort::Needs(unknown));
    }
    for person in std::mem::take(&mut freed.people) {
        let waits = set.ahead(person, now).into_iter().filter(|booking| booking.status == BookingStatus::Waitlisted);
        freed.sessions.extend(waits.map(|booking| booking.session_id).collect::<Vec<_>>());
    }
    let unknown: Vec<Lookup> = freed.sessions.iter().filter(|id| set.session(**id).is_err()).map(|id| Lookup::Session(*id)).collect();
    if !unknown.is_empty() {
        return Err(Abort::Needs(unknown));
    }
    for session_id in freed.sessions {
        refill(set, session_id, now)?;
    }
    Ok(())
}

/// Gives the free places of one session to those who wait, or makes them public.
fn refill(set: &mut WorkingSet, session_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let session = set.session(session_id)?.clone();
    let studio = set.studio(session.studio_id)?;
    match rules::refill(&SessionNow::of(&session, studio.zone), now) {
        Refill::Nothing => Ok(()),
        Refill::Promote => promote(set, session_id, &studio, now),
        Refill::Public => tell_free(set, session_id, now),
    }
}

/// In queue order, each member who may take a place gets it; one who may not keeps their position and learns why.
fn promote(set: &mut WorkingSet, session_id: Uuid, studio: &StudioContext, now: DateTime<Utc>) -> Decision<()> {
    let house = Actor::system();
    let mut after = None;
    loop {
        let session = set.session(session_id)?.clone();
        let state = SessionNow::of(&session, studio.zone);
        if rules::refill(&state, now) != Refill::Promote {
            return Ok(());
        }
        let Some(mut waiting) = set.next_waiting(session_id, after)?.cloned() else { return Ok(()) };
        after = waiting.queue_key;
        let person = set.person(waiting.person_id).map_err(|stop| set.with_queue_people(session_id, stop))?;
        let (passes, visits) = set.passes(person.id, week_of(session.local_date))?;
        let ahead = set.ahead(person.id, now);
        let member = MemberNow { ahead: &ahead, passes: &passes, visits: &visits };
        let ask = Ask { pass_id: waiting.asked_pass_id, waitlist: true, by_staff: false, unpaid: waiting.asked_unpaid };
        match rules::promote(&state, &studio.rules, member, ask, now) {
            Ok(place) => {
                waiting.promote(&place, now)?;
                pay(set, &house, &waiting, LedgerReason::Promoted, now)?;
                set.put(waiting.clone());
                emit(set, &house, Event::of_booking(&waiting, Happened::Promoted { credits: waiting.credits }))?;
                leave_overlapping(set, &house, &waiting, now)?;
            }
            Err(reason) if waiting.passed_over == Some(reason) => {}
            Err(reason) => {
                waiting.pass_over(reason)?;
                let event = Event::of_booking(&waiting, Happened::PassedOver { reason });
                set.put(waiting);
                emit(set, &house, event)?;
            }
        }
    }
}

/// After the cut-off a free place is open to everybody: those who wait are told, once per booking.
fn tell_free(set: &mut WorkingSet, session_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let waiting: Vec<Booking> = set
        .in_company(&set.whole_queue(session_id)?)?
        .into_iter()
        .filter(|booking| booking.told_free_at.is_none() && booking.status == BookingStatus::Waitlisted)
        .collect();
    set.need_people(&waiting)?;
    for mut booking in waiting {
        booking.tell_free(now)?;
        let event = Event::of_booking(&booking, Happened::ToldFree);
        set.put(booking);
        emit(set, &Actor::system(), event)?;
    }
    Ok(())
}

/// Sweep: serves those who became able by the clock alone.
pub fn refill_by_clock(set: &mut WorkingSet, session_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    refill(set, session_id, now)?;
    Ok(())
}
