//! `PUT /v1/bookings/{id}`: a place if one is free and the member may have it, else a position in the queue if they would wait.

use super::book_guest::book_guest;
use super::book_visitor::book_visitor;
use super::conditions::Conditions;
use super::freed::Freed;
use super::member::{who_joins, who_takes};
use super::place::{leave_overlapping, pay};
use super::refill::settle;
use super::remind;
use super::replace;
use super::rules::{self, Admission, Ask, BookingRefusal, SessionNow};
use super::snapshot::{BookingSnapshot, show};
use super::standby::stand_by;
use super::{Booking, BookingStatus, Guest, NewBooking, Visitor};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::passes::LedgerReason;
use crate::people::Person;
use crate::problem::{Problem, ProblemType};
use crate::schedule::Session;
use crate::working_set::{Decision, WorkingSet, all_needs, caller, not_found};
use crate::wrong::Wrong;
use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

/// `PUT /v1/bookings/{id}`.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct Book {
    pub id: Uuid,
    pub session_id: Uuid,
    pub pass_id: Option<Uuid>,
    pub waitlist: bool,
    /// For whom, if staff or somebody of their family book.
    pub person_id: Option<Uuid>,
    /// Staff give the place for nothing, for this reason.
    pub unpaid: Option<String>,
    pub not_after: Option<DateTime<Utc>>,
    /// The booking that this one takes over from.
    pub replaces: Option<Uuid>,
    /// Also if giving that up is not free any more.
    pub replaces_late: bool,
    /// On what terms they wait.
    pub conditions: Conditions,
    /// For whom the place is, if not for the member.
    pub guest: Option<Guest>,
    /// Staff enter them at the door of a full session.
    pub standby: bool,
    /// They stand at the door: whoever is staff of the session may book them.
    pub walk_in: bool,
    /// The front desk gives the place to somebody without an account; `person_id` is nobody then.
    pub visitor: Option<Visitor>,
}

/// `PUT /v1/bookings/{id}`.
pub fn book(set: &mut WorkingSet, actor: &Actor, ask: &Book, now: DateTime<Utc>) -> Decision<BookingSnapshot> {
    let caller = caller(actor)?;
    // A visitor's person has the booking's id.
    let person_id = if ask.visitor.is_some() { ask.id } else { ask.person_id.unwrap_or(caller) };
    if let Some(existing) = set.booking(ask.id, caller)?.cloned() {
        return replay(set, existing, caller, person_id, ask, now);
    }
    if set.withdrawn_until(ask.id, caller).is_some_and(|until| now < until) {
        return Err(Problem::new(ProblemType::BookingWithdrawn).into());
    }
    if ask.not_after.is_some_and(|not_after| now > not_after) {
        return Err(Problem::new(ProblemType::TapExpired).into());
    }
    if let Some(visitor) = &ask.visitor {
        let new = new_booking(ask, caller, person_id, set.session(ask.session_id)?);
        return book_visitor(set, actor, new, visitor, now);
    }
    if ask.standby {
        let new = new_booking(ask, caller, person_id, set.session(ask.session_id)?);
        return stand_by(set, actor, new, now);
    }
    let people = match (set.identity(caller), set.identity(person_id)) {
        (Ok(own), Ok(member)) => (own, member),
        (own, member) => return Err(all_needs([own.err(), member.err()])),
    };
    let session = set.session(ask.session_id)?.clone();
    let studio = set.studio(session.studio_id)?;
    let by_staff = may_book(set, &people.0, &people.1, ask, &session)?;
    if let Some(guest) = &ask.guest {
        let new = new_booking(ask, caller, person_id, &session);
        return book_guest(set, actor, new, guest, by_staff, (&session, &studio), now);
    }
    // In a full session one can only join the queue, which needs neither a credit nor a free hour. In a rush hundreds do so: then neither
    // their passes nor their other bookings are read.
    let rules = studio.rules_of(session.class_type_id);
    let public = SessionNow::of(&session, studio.zone).places_public(now) > 0;
    let mut freed = Freed::default();
    if let Some(old) = ask.replaces {
        let old = replace::named(set, &people.0, person_id, old, &session, now)?;
        if public {
            set.person(person_id)?;
            replace::give_up(set, actor, old, ask.id, ask.replaces_late, &mut freed, now)?;
        }
    }
    let member = if public {
        who_takes(set, person_id, &session, &studio, now)?
    } else {
        // Where a pass may open the booking earlier or later, it must be known.
        if rules.overlapping_waitlists && studio.pass_type_rules.is_empty() {
            set.know_in_session(session.id, person_id)?;
        } else {
            set.person(person_id)?;
        }
        who_joins(set, person_id, &session, &studio, now)?
    };
    let asked = Ask { pass_id: ask.pass_id, waitlist: ask.waitlist, by_staff, unpaid: ask.unpaid.is_some() };
    let entry = rules::book(&SessionNow::of(&session, studio.zone), &rules, member.now(), asked, now).map_err(|refusal| {
        // That the member is elsewhere at that time is all that this studio's staff learn of another's.
        let elsewhere = |id: Uuid| by_staff && member.ahead.iter().any(|other| other.id == id && other.studio_id != session.studio_id);
        match refusal {
            BookingRefusal::Overlapping(id) if elsewhere(id) => Problem::new(ProblemType::OverlappingBooking),
            refusal => refusal.problem(studio.shop_url.as_deref()),
        }
    })?;

    let new = new_booking(ask, caller, person_id, &session);
    match entry {
        Admission::Place(place) => {
            let mut booking = asked_besides(Booking::with_place(new, &place, now), ask);
            remind::plan(set, &mut booking, now)?;
            pay(set, actor, &booking, LedgerReason::Booked, now)?;
            set.put(booking.clone());
            let what = Happened::Booked { credits: booking.credits, by_staff, unpaid: booking.asked_unpaid };
            emit(set, actor, Event::of_booking(&booking, what))?;
            leave_overlapping(set, actor, &booking, &mut freed, now)?;
            settle(set, freed, now)?;
        }
        Admission::Queue => {
            let mut queued = session.clone();
            let booking = asked_besides(Booking::in_queue(new, queued.next_queue_key, now), ask);
            queued.next_queue_key += 1;
            set.put_session(queued);
            let event = Event::of_booking(&booking, Happened::Waitlisted { position: session.waiting + 1 });
            set.put(booking);
            emit(set, actor, event)?;
        }
    }
    // Whom staff book for is a member already, and has given the studio nothing by it.
    if person_id == caller || !by_staff {
        set.join(session.studio_id, person_id, now);
    }
    let mut shown = show(set, ask.id, now)?;
    shown.fresh = true;
    if shown.booking.status == BookingStatus::Waitlisted {
        shown.position = Some(shown.session.waiting);
    }
    Ok(shown)
}

/// A repeat of the same PUT answers with the booking as it is now. A different one, or somebody else's, reveals nothing.
fn replay(
    set: &mut WorkingSet,
    existing: Booking,
    caller: Uuid,
    person_id: Uuid,
    ask: &Book,
    now: DateTime<Utc>,
) -> Decision<BookingSnapshot> {
    let same = existing.asked_by == caller
        && existing.person_id == person_id
        && existing.session_id == ask.session_id
        && existing.asked_pass_id == ask.pass_id
        && existing.asked_waitlist == ask.waitlist
        && existing.asked_unpaid == (ask.unpaid.is_some() || ask.visitor.is_some())
        && existing.asked_replaces == ask.replaces
        && existing.asked_conditions == stored(&ask.conditions)
        && same_guest(&existing, ask.guest.as_ref())
        && same_visitor(&existing, ask.visitor.as_ref())
        && existing.asked_standby == ask.standby;
    if !same {
        return Err(Problem::new(ProblemType::BookingIdReused).into());
    }
    if existing.person_id != caller {
        // Who booked it as staff or for their family reads it as long as they may.
        let own = set.identity(caller)?;
        let session = set.session(existing.session_id)?;
        let staff = own.roles.is_staff_of_session(existing.studio_id, session.instructor_id == caller);
        if !staff && !set.acts_for(caller, existing.person_id)? {
            return Err(not_found());
        }
    }
    show(set, existing.id, now)
}

/// Who the guest was is forgotten some day; that it was one is not.
fn same_guest(existing: &Booking, asked: Option<&Guest>) -> bool {
    match (asked, &existing.guest_name) {
        (None, _) => !existing.is_guests(),
        (Some(_), None) => existing.is_guests(),
        (Some(guest), Some(name)) => existing.is_guests() && guest.name == *name && guest.email == existing.guest_email,
    }
}

/// The same of a visitor: who sent them is never forgotten.
fn same_visitor(existing: &Booking, asked: Option<&Visitor>) -> bool {
    let Some(visitor) = asked else { return !existing.is_visitors() };
    let same_person = existing.guest_name.as_ref().is_none_or(|name| visitor.name == *name && visitor.phone == existing.visitor_phone);
    existing.visitor_source.as_ref() == Some(&visitor.source) && same_person
}

/// Whether the caller may ask this; `true` if they ask as staff.
fn may_book(set: &WorkingSet, own: &Person, member: &Person, ask: &Book, session: &Session) -> Decision<bool> {
    let studio_id = session.studio_id;
    let front_desk = own.roles.is_front_desk(studio_id);
    let serves = front_desk || (ask.walk_in && own.roles.is_staff_of_session(studio_id, session.instructor_id == own.id));
    if session.is_for_staff() && !front_desk {
        return Err(not_found());
    }
    if ask.unpaid.is_some() && !front_desk {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    if own.id == member.id {
        if !own.verified && !serves {
            return Err(Problem::new(ProblemType::AddressNotVerified).into());
        }
        return Ok(ask.person_id.is_some() && serves);
    }
    if !serves && set.acts_for(own.id, member.id)? {
        return if own.verified { Ok(false) } else { Err(Problem::new(ProblemType::AddressNotVerified).into()) };
    }
    if !serves {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    if !set.is_member(studio_id, member.id) {
        return Err(Problem::field("person_id", Wrong::NotMember).into());
    }
    Ok(true)
}

/// What else was asked for: a repeat is compared with it.
fn asked_besides(booking: Booking, ask: &Book) -> Booking {
    let conditions = stored(&ask.conditions);
    Booking { asked_replaces: ask.replaces, asked_conditions: conditions.clone(), conditions, ..booking }
}

/// Conditions as they stand in a booking: nothing where there are none.
pub fn stored(conditions: &Conditions) -> Option<Json<Conditions>> {
    (!conditions.are_none()).then(|| Json(conditions.clone()))
}

fn new_booking(ask: &Book, caller: Uuid, person_id: Uuid, session: &Session) -> NewBooking {
    NewBooking {
        id: ask.id,
        session_id: session.id,
        studio_id: session.studio_id,
        person_id,
        starts_at: session.starts_at,
        ends_at: session.ends_at,
        asked_by: caller,
        asked_pass_id: ask.pass_id,
        asked_waitlist: ask.waitlist,
        asked_unpaid: ask.unpaid.is_some(),
        unpaid_reason: ask.unpaid.clone(),
    }
}
