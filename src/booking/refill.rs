//! Who gets a freed place: the one piece of code that gives places to those who wait, whatever freed them.

use std::collections::BTreeSet;

use super::member::who_takes;
use super::offering::offer;
use super::place::{leave_overlapping, pay};
use super::rules::{self, Ask, Refill, SessionNow, Turn};
use super::{Booking, BookingStatus};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::letters::facts::PassedOver;
use crate::passes::LedgerReason;
use crate::schedule::Session;
use crate::studios::StudioContext;
use crate::working_set::{Abort, Decision, Lookup, WorkingSet, all};
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

/// Gives the free places of one session to those who wait, offers or keeps them, or makes them public.
fn refill(set: &mut WorkingSet, session_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let session = set.session(session_id)?.clone();
    let studio = set.studio(session.studio_id)?;
    let kept_until = match rules::refill(&SessionNow::of(&session, studio.zone), &studio.rules_of(session.class_type_id), now) {
        Refill::Nothing => None,
        Refill::Promote | Refill::Offer(_) => {
            serve(set, session_id, &studio, now)?;
            None
        }
        Refill::Public => {
            let waiting = set.in_company(&set.whole_queue(session_id)?)?;
            tell_free(set, waiting, None, now)?;
            None
        }
        Refill::Ask(until) => ask(set, &session, &studio, until, now)?.then_some(until),
        Refill::Staff(until) => Some(until),
    };
    if kept_until != session.kept_until {
        let mut session = set.session(session_id)?.clone();
        session.kept_until = kept_until;
        set.put_session(session);
    }
    Ok(())
}

/// In queue order, each member who may take a place gets it or is offered it; one who may not keeps their position and learns why.
fn serve(set: &mut WorkingSet, session_id: Uuid, studio: &StudioContext, now: DateTime<Utc>) -> Decision<()> {
    let house = Actor::system();
    let mut after = None;
    loop {
        let session = set.session(session_id)?.clone();
        let state = SessionNow::of(&session, studio.zone);
        let rules = studio.rules_of(session.class_type_id);
        let refill = rules::refill(&state, &rules, now);
        if !matches!(refill, Refill::Promote | Refill::Offer(_)) {
            return Ok(());
        }
        let Some(mut waiting) = set.next_waiting(session_id, after)?.cloned() else { return Ok(()) };
        after = waiting.queue_key;
        let person = set.person(waiting.person_id).map_err(|stop| set.with_queue_people(session_id, stop))?;
        let turned_down = set.has_turned_down(session_id, person.id)?;
        let member = who_takes(set, person.id, &session, studio, now).map_err(|stop| set.with_queue_people(session_id, stop))?;
        let turn = match refill {
            Refill::Offer(clock) => {
                rules::could_take(&state, &rules, member.now(), asked(&waiting), now).map(|place| Turn::Offered(clock, place))
            }
            _ => rules::promote(&state, &rules, member.now(), asked(&waiting), turned_down, now),
        };
        match turn {
            Ok(Turn::Promoted(place)) => {
                waiting.promote(&place, now)?;
                pay(set, &house, &waiting, LedgerReason::Promoted, now)?;
                set.put(waiting.clone());
                emit(set, &house, Event::of_booking(&waiting, Happened::Promoted { credits: waiting.credits }))?;
                leave_overlapping(set, &house, &waiting, now)?;
            }
            Ok(Turn::Offered(clock, place)) => {
                let clock = if person.longer_offers { clock.longer(rules::offers_end(&state, &rules)) } else { clock };
                offer(set, waiting, clock, &place, now)?;
            }
            Ok(Turn::Open) => {
                let waiting = set.in_company(&set.whole_queue(session_id)?)?;
                return tell_free(set, waiting, None, now);
            }
            Err(reason) => pass_over(set, waiting, reason)?,
        }
    }
}

/// What a waiting member asked for when they joined the queue.
fn asked(waiting: &Booking) -> Ask {
    Ask { pass_id: waiting.asked_pass_id, waitlist: true, by_staff: false, unpaid: waiting.asked_unpaid }
}

/// They keep their position, and learn once why they could not have the place.
fn pass_over(set: &mut WorkingSet, mut waiting: Booking, reason: PassedOver) -> Decision<()> {
    if waiting.passed_over == Some(reason) {
        return Ok(());
    }
    waiting.pass_over(reason)?;
    let event = Event::of_booking(&waiting, Happened::PassedOver { reason });
    set.put(waiting);
    emit(set, &Actor::system(), event)
}

/// All who wait and could take the place are told that it is kept for them, the others why they could not have it. Whether there is anybody
/// to keep it for.
fn ask(set: &mut WorkingSet, session: &Session, studio: &StudioContext, until: DateTime<Utc>, now: DateTime<Utc>) -> Decision<bool> {
    let waiting = set.in_company(&set.whole_queue(session.id)?)?;
    set.need_people(&waiting)?;
    let state = SessionNow::of(session, studio.zone);
    let rules = studio.rules_of(session.class_type_id);
    let could_take = |booking: &Booking| {
        let member = who_takes(set, booking.person_id, session, studio, now)?;
        Ok(rules::could_take(&state, &rules, member.now(), asked(booking), now))
    };
    let could = all(waiting.iter().map(could_take))?;
    let mut able = Vec::new();
    for (booking, could) in waiting.into_iter().zip(could) {
        match could {
            Ok(_) => able.push(booking),
            Err(reason) => pass_over(set, booking, reason)?,
        }
    }
    let anybody = !able.is_empty();
    tell_free(set, able, Some(until), now)?;
    Ok(anybody)
}

/// A free place is open to everybody, or until then to those who wait: they are told, once per booking.
fn tell_free(set: &mut WorkingSet, waiting: Vec<Booking>, kept_until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Decision<()> {
    let untold: Vec<Booking> = waiting.into_iter().filter(|booking| booking.told_free_at.is_none()).collect();
    set.need_people(&untold)?;
    for mut booking in untold {
        booking.tell_free(now)?;
        let event = Event::of_booking(&booking, Happened::ToldFree { kept_until });
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
