//! Who gets a freed place: the one piece of code that gives places to those who wait, whatever freed them.

use super::freed::Freed;
use super::guests::guests_of;
use super::member::{has_another_that_day, who_takes};
use super::offering::offer;
use super::place::{leave_overlapping, pay};
use super::remind;
use super::replace::{give_up, to_replace};
use super::rules::{self, Ask, Refill, SessionNow, Turn};
use super::{Booking, BookingStatus, Place, cut_off};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::letters::facts::PassedOver;
use crate::passes::{LedgerReason, begin};
use crate::penalties::rules::Leniency;
use crate::schedule::Session;
use crate::studios::StudioContext;
use crate::working_set::{Abort, Decision, Lookup, WorkingSet, all, caller};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use uuid::Uuid;

/// How often staff are told, at most, that there is a place to give in a session.
const STAFF_TOLD_EVERY_SECONDS: i64 = 30 * 60;

/// Gives what is free to those who wait: in every session where a place may have come free, and for everybody who may have
/// become able, until nothing more can be given.
pub fn settle(set: &mut WorkingSet, mut freed: Freed, now: DateTime<Utc>) -> Decision<()> {
    loop {
        look_up_sessions(set, &mut freed, now)?;
        let Some(session_id) = freed.sessions.pop_first() else { return Ok(()) };
        refill(set, session_id, &mut freed, now)?;
    }
}

/// Adds the sessions for which the people wait, and makes sure that all are known.
fn look_up_sessions(set: &WorkingSet, freed: &mut Freed, now: DateTime<Utc>) -> Decision<()> {
    let holders = all(freed.passes.iter().map(|id| Ok(set.pass(*id)?.person_id)))?;
    freed.people.extend(holders);
    freed.passes.clear();
    known(set, &freed.people)?;
    // Whoever shares a pass shares what came to it.
    let sharing = freed.people.iter().filter(|id| set.held_by(**id).any(|pass| pass.shared_at.is_some()));
    let family: Vec<Uuid> = sharing.flat_map(|id| set.family_of(*id)).collect();
    freed.people.extend(family);
    known(set, &freed.people)?;
    for person in freed.take_people() {
        let waits = set.ahead(person, now).into_iter().filter(|booking| booking.status == BookingStatus::Waitlisted);
        freed.sessions.extend(waits.map(|booking| booking.session_id).collect::<Vec<_>>());
    }
    let unknown: Vec<Lookup> = freed.sessions.iter().filter(|id| set.session(**id).is_err()).map(|id| Lookup::Session(*id)).collect();
    if unknown.is_empty() { Ok(()) } else { Err(Abort::Needs(unknown)) }
}

/// Makes sure that all of these are known.
fn known(set: &WorkingSet, people: &BTreeSet<Uuid>) -> Decision<()> {
    let unknown = people.iter().filter(|id| matches!(set.person(**id), Err(Abort::Needs(_))));
    let unknown: Vec<Lookup> = unknown.map(|id| Lookup::Person(*id)).collect();
    if unknown.is_empty() { Ok(()) } else { Err(Abort::Needs(unknown)) }
}

/// Gives the free places of one session to those who wait, offers or keeps them, or makes them public. Who gives up another booking for a
/// place frees that one's.
fn refill(set: &mut WorkingSet, session_id: Uuid, freed: &mut Freed, now: DateTime<Utc>) -> Decision<()> {
    let session = set.session(session_id)?.clone();
    let studio = set.studio(session.studio_id)?;
    let kept_until = match rules::refill(&SessionNow::of(&session, studio.zone), &studio.rules_of(session.class_type_id), now) {
        Refill::Nothing => None,
        Refill::Promote | Refill::Offer(_) => {
            serve(set, session_id, &studio, freed, now)?;
            None
        }
        Refill::Public => {
            let waiting = set.in_company(&set.whole_queue(session_id)?)?;
            tell_free(set, waiting, None, now)?;
            None
        }
        Refill::Ask(until) => ask(set, &session, &studio, until, now)?.then_some(until),
        Refill::Staff(until) => {
            tell_staff(set, &session, until, now)?;
            Some(until)
        }
    };
    if kept_until != session.kept_until {
        let mut session = set.session(session_id)?.clone();
        session.kept_until = kept_until;
        set.put_session(session);
    }
    Ok(())
}

/// In queue order, each member who may take a place gets it or is offered it; one who may not keeps their position and learns why.
fn serve(set: &mut WorkingSet, session_id: Uuid, studio: &StudioContext, freed: &mut Freed, now: DateTime<Utc>) -> Decision<()> {
    let mut after = None;
    loop {
        let session = set.session(session_id)?.clone();
        let state = SessionNow::of(&session, studio.zone);
        let rules = studio.rules_of(session.class_type_id);
        let refill = rules::refill(&state, &rules, now);
        if !matches!(refill, Refill::Promote | Refill::Offer(_)) {
            return Ok(());
        }
        let Some(waiting) = set.next_waiting(session_id, after)?.cloned() else { return Ok(()) };
        after = waiting.queue_key;
        if let Some(other) = partner(set, &waiting)? {
            // A pair has the position of the later one.
            if other.queue_key < waiting.queue_key {
                serve_pair(set, [other, waiting], &session, studio, refill, freed, now)?;
            }
            continue;
        }
        let turn = turn(set, &waiting, &session, studio, refill, freed, now).map_err(|stop| set.with_queue_people(session_id, stop))?;
        match turn {
            Ok(Turn::Promoted(place)) => promote(set, waiting, &place, freed, now)?,
            Ok(Turn::Offered(clock, place)) => {
                let person = set.person(waiting.person_id)?;
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

/// They have the place.
fn promote(set: &mut WorkingSet, mut waiting: Booking, place: &Place, freed: &mut Freed, now: DateTime<Utc>) -> Decision<()> {
    let house = Actor::system();
    waiting.promote(place, now)?;
    remind::plan(set, &mut waiting, now)?;
    pay(set, &house, &waiting, LedgerReason::Promoted, now)?;
    set.put(waiting.clone());
    emit(set, &house, Event::of_booking(&waiting, Happened::Promoted { credits: waiting.credits }))?;
    leave_overlapping(set, &house, &waiting, freed, now)
}

/// With whom a member waits, if both want it.
fn partner(set: &WorkingSet, waiting: &Booking) -> Decision<Option<Booking>> {
    let Some(with) = waiting.conditions.as_ref().and_then(|conditions| conditions.with) else { return Ok(None) };
    let other = set.booking(with, Uuid::nil())?;
    Ok(other.filter(|other| rules::are_pair(waiting, other)).cloned())
}

/// Both get a place, or both are passed over: a pair is promoted, never offered places.
fn serve_pair(
    set: &mut WorkingSet,
    pair: [Booking; 2],
    session: &Session,
    studio: &StudioContext,
    refill: Refill,
    freed: &mut Freed,
    now: DateTime<Utc>,
) -> Decision<()> {
    let (before, mut given_up) = (set.mark(), Freed::default());
    let mut reasons = [Some(PassedOver::Pair); 2];
    let room = SessionNow::of(session, studio.zone).places_free() >= 2;
    if refill == Refill::Promote && room {
        for (waiting, reason) in pair.iter().zip(&mut reasons) {
            let turn = turn(set, waiting, session, studio, refill, &mut given_up, now);
            match turn.map_err(|stop| set.with_queue_people(session.id, stop))? {
                Ok(Turn::Promoted(place)) => {
                    promote(set, waiting.clone(), &place, &mut given_up, now)?;
                    *reason = None;
                }
                Ok(_) => break,
                Err(own) => {
                    *reason = Some(own);
                    break;
                }
            }
        }
        if reasons == [None, None] {
            freed.also(given_up);
            return Ok(());
        }
        set.back_to(before);
    }
    for (waiting, reason) in pair.into_iter().zip(reasons) {
        pass_over(set, waiting, reason.unwrap_or(PassedOver::Pair))?;
    }
    Ok(())
}

/// What a waiting member gets of a place that is free now. What they would give up for it is given up with a promotion alone: an offer, or a
/// place that is kept, leaves it to them.
fn turn(
    set: &mut WorkingSet,
    waiting: &Booking,
    session: &Session,
    studio: &StudioContext,
    refill: Refill,
    freed: &mut Freed,
    now: DateTime<Utc>,
) -> Decision<Result<Turn, PassedOver>> {
    let before = set.mark();
    let mut given_up = Freed::default();
    let turn = as_if_given_up(set, waiting, session, studio, refill, &mut given_up, now);
    match turn {
        Ok(Ok(Turn::Promoted(_))) => freed.also(given_up),
        _ => set.back_to(before),
    }
    turn
}

fn as_if_given_up(
    set: &mut WorkingSet,
    waiting: &Booking,
    session: &Session,
    studio: &StudioContext,
    refill: Refill,
    given_up: &mut Freed,
    now: DateTime<Utc>,
) -> Decision<Result<Turn, PassedOver>> {
    let person = set.person(waiting.person_id)?;
    let rules = studio.rules_of(session.class_type_id);
    if person.quiet_hours.is_some_and(|own| cut_off::is_quiet_for(own.pair(), &rules, studio.zone, now)) {
        return Ok(Err(PassedOver::QuietHours));
    }
    let old = to_replace(set, waiting, now);
    if let Some(old) = &old {
        // What is forgiven of a month is not used up for somebody who does not tap, and nobody's guest loses a place so.
        let has_guests = !guests_of(set, old, now)?.is_empty();
        if has_guests || rules::is_late(old, now) || rules::give_up(old, Leniency::default(), false, now).is_err() {
            return Ok(Err(PassedOver::NotFree));
        }
        give_up(set, &Actor::system(), old.clone(), waiting.id, false, given_up, now)?;
    }
    if let Some(conditions) = &waiting.conditions {
        let another = conditions.one_a_day && has_another_that_day(set, person.id, session, studio)?;
        if let Some(reason) = conditions.against(session.starts_at, another, now) {
            return Ok(Err(reason));
        }
    }
    let turned_down = refill == Refill::Promote && set.has_turned_down(session.id, person.id)?;
    let member = who_takes(set, person.id, session, studio, now)?;
    let state = SessionNow::of(session, studio.zone);
    let turn = match refill {
        Refill::Promote => rules::promote(&state, &rules, member.now(), asked(waiting), turned_down, now),
        Refill::Offer(clock) => {
            rules::could_take(&state, &rules, member.now(), asked(waiting), now).map(|place| Turn::Offered(clock, place))
        }
        _ => rules::could_take(&state, &rules, member.now(), asked(waiting), now).map(|_| Turn::Open),
    };
    // Nobody holds two places at once, not even one that is only offered.
    let at_that_time = old.is_some_and(|old| old.status.takes_place() && old.overlaps(session.starts_at, session.ends_at));
    Ok(match turn {
        Ok(Turn::Offered(..)) if at_that_time => Err(PassedOver::Overlap),
        turn => turn,
    })
}

/// Gives places at the door, in order of arrival: what is free first, then what nobody has claimed, and no more than are taken. Whoever loses
/// a place by it is absent for now; whoever cannot take one stays where they are, and the reason is noted.
pub fn serve_door(
    set: &mut WorkingSet,
    actor: &Actor,
    session: &Session,
    standing: Vec<Booking>,
    unclaimed: Vec<Booking>,
    now: DateTime<Utc>,
) -> Decision<()> {
    set.need_people(&standing)?;
    let studio = set.studio(session.studio_id)?;
    let rules = studio.rules_of(session.class_type_id);
    let (mut freed, mut unclaimed) = (Freed::default(), unclaimed.into_iter());
    for one in standing {
        let state = SessionNow::of(set.session(session.id)?, studio.zone);
        let free = state.places_free() > 0;
        if !free && unclaimed.as_slice().is_empty() {
            break;
        }
        let ask = Ask { by_staff: true, ..asked(&one) };
        let member = who_takes(set, one.person_id, session, &studio, now)?;
        let place = rules::door::let_in(&state, &rules, member.now(), ask, now);
        match place {
            Err(reason) => pass_over(set, one, reason.into())?,
            Ok(place) => {
                if let Some(absent) = if free { None } else { unclaimed.next() } {
                    release(set, actor, absent, one.id, now)?;
                }
                let_in(set, actor, one, &place, &mut freed, now)?;
            }
        }
    }
    settle(set, freed, now)
}

/// The place is not theirs any more.
fn release(set: &mut WorkingSet, actor: &Actor, mut absent: Booking, to: Uuid, now: DateTime<Utc>) -> Decision<()> {
    absent.release(now)?;
    let event = Event::of_booking(&absent, Happened::ReleasedAtDoor { to });
    set.put(absent);
    emit(set, actor, event)
}

/// They have a place, and have come.
fn let_in(set: &mut WorkingSet, actor: &Actor, mut one: Booking, place: &Place, freed: &mut Freed, now: DateTime<Utc>) -> Decision<()> {
    one.let_in(place, now, caller(actor)?)?;
    pay(set, actor, &one, LedgerReason::Booked, now)?;
    set.put(one.clone());
    emit(set, actor, Event::of_booking(&one, Happened::LetIn { credits: one.credits, unpaid: one.asked_unpaid }))?;
    if begin::follow(set, actor, &one, now)? {
        freed.member_of(&one);
    }
    leave_overlapping(set, actor, &one, freed, now)
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
    let mut nothing = Freed::default();
    let could = all(waiting.iter().map(|booking| turn(set, booking, session, studio, Refill::Ask(until), &mut nothing, now)))?;
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

/// A place is free for which somebody waits, and staff say who gets it: they are told when it comes free, at most once in half an hour.
fn tell_staff(set: &mut WorkingSet, session: &Session, until: DateTime<Utc>, now: DateTime<Utc>) -> Decision<()> {
    if session.kept_until == Some(until) {
        return Ok(());
    }
    set.identity_if_any(session.instructor_id)?;
    let what = Happened::PlaceToGive { until, nth_half_hour: now.timestamp() / STAFF_TOLD_EVERY_SECONDS };
    emit(set, &Actor::system(), Event::of_session(session, what))
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
    let mut freed = Freed::default();
    freed.session(session_id);
    settle(set, freed, now)
}

/// Serves a member who may have become able in every session for which they wait.
pub fn refill_for(set: &mut WorkingSet, person_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let mut freed = Freed::default();
    freed.person(person_id);
    settle(set, freed, now)
}
