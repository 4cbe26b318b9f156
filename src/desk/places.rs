//! How places change hands: booking, acceptance, cancellation, attendance, and the one piece of code that frees and refills.
//!
//! The rules decide (`booking::rules`); here their outcomes become rows, ledger entries, letters and lines of the audit log.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use uuid::Uuid;

use super::command::{Book, Cancel, Outcome, ShownBooking};
use super::letters::{About, tell};
use super::needs::{Decided, Key, Stop};
use super::store::{Person, Studio};
use super::world::World;
use super::{Actor, not_found};
use crate::booking::rules::{self, Ask, Cancellation, CannotCancel, Entry, MemberNow, Place, Refill, SessionNow};
use crate::booking::{Booking, EndedBy, Status};
use crate::ids::new_id;
use crate::letters::facts::{Facts, LeftBecause, Terms};
use crate::passes::rules::prolonged;
use crate::passes::{LedgerEntry, LedgerReason};
use crate::problem::{Kind, Problem};
use crate::schedule::Shown as Session;
use crate::schedule::rules::{local_date, week_of};

/// How long an id that was withdrawn before it was seen stays barred.
const WITHDRAWN_HOURS: i64 = 24;

/// A command that touches more people than this has a batch of its own.
pub const PEOPLE_IN_COMPANY_MAX: usize = 200;

/// Whom a change may have made able to take a place, and where one may have come free.
#[derive(Default)]
pub struct Touched {
    sessions: BTreeSet<Uuid>,
    people: BTreeSet<Uuid>,
}

impl Touched {
    /// A place may have come free there.
    pub fn session(&mut self, id: Uuid) {
        self.sessions.insert(id);
    }

    /// She may have become able.
    pub fn person(&mut self, id: Uuid) {
        self.people.insert(id);
    }
}

/// `PUT /v1/bookings/{id}`.
pub fn book(world: &mut World, actor: &Actor, ask: &Book, now: DateTime<Utc>) -> Decided<Outcome> {
    let caller = actor.person_id()?;
    let person_id = ask.person_id.unwrap_or(caller);
    if let Some(existing) = world.booking(ask.id, caller)?.cloned() {
        return replay(world, existing, caller, person_id, ask);
    }
    if world.withdrawn_until(ask.id, caller).is_some_and(|until| now < until) {
        return Err(Problem::new(Kind::BookingWithdrawn).into());
    }
    if ask.not_after.is_some_and(|not_after| now > not_after) {
        return Err(Problem::new(Kind::TapExpired).into());
    }
    let people = match (world.identity(caller), world.identity(person_id)) {
        (Ok(own), Ok(member)) => (own, member),
        (own, member) => return Err(all_needs([own.err(), member.err()])),
    };
    let session = world.session(ask.session_id)?.clone();
    let studio = world.studio(session.studio_id)?;
    let by_staff = may_book(world, &people.0, &people.1, ask, &session)?;
    // In a full session she can only join the queue, which asks neither credit nor a free hour: in a rush, when hundreds do, neither their
    // passes nor their other bookings are read.
    if session_now(&session, &studio).places_free() > 0 || !studio.rules.overlapping_waitlists {
        world.person(person_id)?;
    } else {
        world.know_in_session(session.id, person_id)?;
    }
    let monday = week_of(session.local_date);
    let (passes, visits) = world.passes(person_id, monday)?;
    let ahead = world.ahead(person_id, now);
    let member = MemberNow { ahead: &ahead, passes: &passes, visits: &visits };
    let asked = Ask { pass_id: ask.pass_id, waitlist: ask.waitlist, by_staff, unpaid: ask.unpaid.is_some() };
    let entry = rules::book(&session_now(&session, &studio), &studio.rules, member, asked, now)
        .map_err(|refusal| crate::booking::api::refused(refusal, studio.shop_url.as_deref()))?;

    let mut booking = new_booking(ask, caller, person_id, &session, now);
    match entry {
        Entry::Place(place) => {
            give_place(world, actor, &mut booking, &place, LedgerReason::Booked, now)?;
            let terms = terms(&booking, &place);
            let told = About { session: &session, studio: &studio, person: &people.1, useful_until: Some(session.ends_at) };
            tell(world, &mut booking, &told, |session| Facts::Booked { session, terms, by_staff });
            leave_overlapping(world, actor, &booking, now)?;
            world.audit.push(actor.line("booking.booked", &booking).with(json!({ "unpaid": ask.unpaid })));
            world.put(booking);
        }
        Entry::Queue => {
            let mut queued = session.clone();
            booking.status = Status::Waitlisted;
            booking.queue_key = Some(queued.next_queue_key);
            queued.next_queue_key += 1;
            world.put_session(queued);
            let told = About { session: &session, studio: &studio, person: &people.1, useful_until: Some(session.waiting_ends_at) };
            let (position, credits) = (session.waiting + 1, session.credits);
            let promoted_until = (now < session.promote_until).then_some(session.promote_until);
            tell(world, &mut booking, &told, |session| Facts::Waitlisted { session, position, credits, promoted_until });
            world.audit.push(actor.line("booking.waitlisted", &booking));
            world.put(booking);
        }
    }
    world.join(session.studio_id, person_id, now);
    let mut shown = show(world, ask.id)?;
    shown.fresh = true;
    if shown.booking.status == Status::Waitlisted {
        shown.position = Some(shown.session.waiting);
    }
    Ok(Outcome::Booking(Box::new(shown)))
}

/// The same PUT again answers with the booking as it is now; another one, or somebody else's, tells nothing.
fn replay(world: &mut World, existing: Booking, caller: Uuid, person_id: Uuid, ask: &Book) -> Decided<Outcome> {
    let same = existing.asked_by == caller
        && existing.person_id == person_id
        && existing.session_id == ask.session_id
        && existing.asked_pass_id == ask.pass_id
        && existing.asked_waitlist == ask.waitlist
        && existing.asked_unpaid == ask.unpaid.is_some();
    if !same {
        return Err(Problem::new(Kind::BookingIdReused).into());
    }
    Ok(Outcome::Booking(Box::new(show(world, existing.id)?)))
}

/// Whether the caller may ask this; `true` if she asks as staff.
fn may_book(world: &World, own: &Person, member: &Person, ask: &Book, session: &Session) -> Decided<bool> {
    let studio_id = session.studio_id;
    let desk = own.is_desk(studio_id);
    if session.is_for_staff() && !desk {
        return Err(not_found());
    }
    if ask.unpaid.is_some() && !desk {
        return Err(Problem::new(Kind::NotAllowed).into());
    }
    if own.id == member.id {
        if !own.verified && !desk {
            return Err(Problem::new(Kind::AddressNotVerified).into());
        }
        return Ok(ask.person_id.is_some() && desk);
    }
    if !desk {
        return Err(Problem::new(Kind::NotAllowed).into());
    }
    if !world.members.contains(&(studio_id, member.id)) {
        return Err(Problem::field("person_id", "is not a member of this studio").into());
    }
    Ok(true)
}

fn new_booking(ask: &Book, caller: Uuid, person_id: Uuid, session: &Session, now: DateTime<Utc>) -> Booking {
    Booking {
        id: ask.id,
        session_id: session.id,
        studio_id: session.studio_id,
        person_id,
        status: Status::Booked,
        starts_at: session.starts_at,
        ends_at: session.ends_at,
        created_at: now,
        asked_by: caller,
        asked_pass_id: ask.pass_id,
        asked_waitlist: ask.waitlist,
        asked_unpaid: ask.unpaid.is_some(),
        pass_id: None,
        credits: 0,
        visit_week: None,
        free_cancel_until: None,
        queue_key: None,
        passed_over: None,
        told_free_at: None,
        promoted_at: None,
        arrived_at: None,
        arrived_by: None,
        ended_at: None,
        ended_by: None,
        ended_reason: None,
        credits_returned: 0,
        provisional: false,
        sequence: 0,
        letters: 0,
        spot_id: None,
        guest_of: None,
    }
}

/// `PUT /v1/bookings/{id}/acceptance`.
pub fn accept(world: &mut World, actor: &Actor, booking_id: Uuid, now: DateTime<Utc>) -> Decided<Outcome> {
    let (mut booking, own, _) = own_booking(world, actor, booking_id)?;
    match booking.status {
        Status::Booked | Status::Attended | Status::NoShow => return Ok(Outcome::Booking(Box::new(show(world, booking_id)?))),
        Status::Cancelled | Status::LateCancelled | Status::Standby => return Err(Problem::new(Kind::OfferExpired).into()),
        Status::Waitlisted | Status::Offered => {}
    }
    let session = world.session(booking.session_id)?.clone();
    let studio = world.studio(session.studio_id)?;
    let member = world.person(booking.person_id)?;
    let by_staff = own.id != member.id;
    let (passes, visits) = world.passes(member.id, week_of(session.local_date))?;
    let ahead = world.ahead(member.id, now);
    let member_now = MemberNow { ahead: &ahead, passes: &passes, visits: &visits };
    let ask = Ask { pass_id: booking.asked_pass_id, waitlist: true, by_staff, unpaid: booking.asked_unpaid };
    let place = rules::accept(&session_now(&session, &studio), &studio.rules, member_now, ask, now)
        .map_err(|refusal| crate::booking::api::refused(refusal, studio.shop_url.as_deref()))?;
    give_place(world, actor, &mut booking, &place, LedgerReason::Booked, now)?;
    let terms = terms(&booking, &place);
    let told = About { session: &session, studio: &studio, person: &member, useful_until: Some(session.ends_at) };
    tell(world, &mut booking, &told, |session| Facts::Booked { session, terms, by_staff });
    leave_overlapping(world, actor, &booking, now)?;
    world.audit.push(actor.line("booking.accepted", &booking));
    world.put(booking);
    Ok(Outcome::Booking(Box::new(show(world, booking_id)?)))
}

/// `PUT /v1/bookings/{id}/cancellation`.
pub fn cancel(world: &mut World, actor: &Actor, ask: &Cancel, now: DateTime<Utc>) -> Decided<Outcome> {
    let caller = actor.person_id()?;
    if world.booking(ask.booking_id, caller)?.is_none() {
        world.person(caller)?;
        world.withdraw(ask.booking_id, caller, now + Duration::hours(WITHDRAWN_HOURS));
        return Ok(Outcome::Done);
    }
    let (booking, own, by_staff) = own_booking(world, actor, ask.booking_id)?;
    if !own.is_desk(booking.studio_id) && (ask.return_all || ask.reason.is_some()) {
        return Err(Problem::new(Kind::NotAllowed).into());
    }
    if booking.status.has_ended() {
        return Ok(Outcome::Booking(Box::new(show(world, booking.id)?)));
    }
    let expected = |kind| -> Decided<Outcome> {
        let facts = show(world, ask.booking_id)?;
        Err(Problem::new(kind)
            .with("booking_status", facts.booking.status)
            .with("cancel_now", crate::booking::view::cancel_now_facts(&facts.booking, now))
            .into())
    };
    if ask.if_status.is_some_and(|status| status != booking.status) {
        return expected(Kind::StatusChanged);
    }
    let decided = match rules::cancel(&booking, ask.return_all, now) {
        Ok(decided) => decided,
        Err(CannotCancel::Ended) => return Ok(Outcome::Booking(Box::new(show(world, booking.id)?))),
        Err(CannotCancel::Started) => return Err(Problem::new(Kind::SessionStarted).into()),
    };
    if ask.if_free && matches!(decided, Cancellation::Late { .. }) {
        return expected(Kind::NotFree);
    }
    let ending = Ending { by: if by_staff { EndedBy::Staff } else { EndedBy::Member }, reason: ask.reason.clone() };
    let mut touched = Touched::default();
    end_by_person(world, actor, booking, decided, &ending, &mut touched, now)?;
    settle(world, touched, now)?;
    Ok(Outcome::Booking(Box::new(show(world, ask.booking_id)?)))
}

/// How a booking ends.
pub struct Ending {
    /// Who ended it.
    pub by: EndedBy,
    /// What staff wrote down.
    pub reason: Option<String>,
}

/// Ends a booking as its owner or staff wished, and tells her.
fn end_by_person(
    world: &mut World,
    actor: &Actor,
    mut booking: Booking,
    decided: Cancellation,
    ending: &Ending,
    touched: &mut Touched,
    now: DateTime<Utc>,
) -> Decided<()> {
    let session = world.session(booking.session_id)?.clone();
    let studio = world.studio(session.studio_id)?;
    let member = world.person(booking.person_id)?;
    let by_staff = ending.by == EndedBy::Staff;
    let told = About { session: &session, studio: &studio, person: &member, useful_until: None };
    let reason = ending.reason.clone();
    end(&mut booking, ending, now);
    match decided {
        Cancellation::Leaves => {
            booking.status = Status::Cancelled;
            let because = if by_staff { LeftBecause::Staff } else { LeftBecause::Member };
            tell(world, &mut booking, &told, |session| Facts::WaitlistLeft { session, because });
            world.audit.push(actor.line("booking.waitlist_left", &booking));
        }
        Cancellation::Free { credits } => {
            booking.status = Status::Cancelled;
            let why = if by_staff { LedgerReason::ReturnedByStaff } else { LedgerReason::Cancelled };
            give_back(world, actor, &mut booking, why, None, now)?;
            tell(world, &mut booking, &told, |session| match by_staff {
                true => Facts::RemovedByStaff { session, reason, credits_returned: credits, credits_lost: 0 },
                false => Facts::Cancelled { session, credits_returned: credits },
            });
            world
                .audit
                .push(actor.line("booking.cancelled", &booking).with(json!({ "credits_returned": credits, "reason": ending.reason })));
        }
        Cancellation::Late { credits, visit } => {
            booking.status = Status::LateCancelled;
            tell(world, &mut booking, &told, |session| match by_staff {
                true => Facts::RemovedByStaff { session, reason, credits_returned: 0, credits_lost: credits },
                false => Facts::LateCancelled { session, credits_lost: credits, visit_counts: visit },
            });
            world
                .audit
                .push(actor.line("booking.late_cancelled", &booking).with(json!({ "credits_lost": credits, "reason": ending.reason })));
        }
    }
    touched.session(booking.session_id);
    touched.person(booking.person_id);
    world.put(booking);
    Ok(())
}

/// Ends a booking; its status is the caller's.
pub fn end(booking: &mut Booking, ending: &Ending, now: DateTime<Utc>) {
    booking.queue_key = None;
    booking.passed_over = None;
    booking.ended_at = Some(now);
    booking.ended_by = Some(ending.by);
    booking.ended_reason.clone_from(&ending.reason);
}

/// Gives her the place: status, price, free way out; the pass pays.
fn give_place(
    world: &mut World,
    actor: &Actor,
    booking: &mut Booking,
    place: &Place,
    why: LedgerReason,
    now: DateTime<Utc>,
) -> Decided<()> {
    booking.status = Status::Booked;
    booking.queue_key = None;
    booking.passed_over = None;
    booking.free_cancel_until = place.free_cancel_until;
    booking.pass_id = place.payment.pass_id;
    booking.credits = place.payment.credits;
    booking.visit_week = place.payment.visit_week;
    // What an earlier place of hers gave back is no part of this one.
    booking.credits_returned = 0;
    if let Some(pass_id) = place.payment.pass_id
        && place.payment.credits > 0
    {
        let mut pass = world.pass(pass_id)?.clone();
        pass.credits_left = pass.credits_left.map(|left| left - place.payment.credits);
        world.put_pass(pass, entry(actor, booking, pass_id, -place.payment.credits, why, now));
    }
    Ok(())
}

/// Gives back what was taken for a booking. `days_min`: the studio's doing, so a pass that ends sooner is prolonged.
pub fn give_back(
    world: &mut World,
    actor: &Actor,
    booking: &mut Booking,
    why: LedgerReason,
    prolong: Option<(i64, chrono::NaiveDate)>,
    now: DateTime<Utc>,
) -> Decided<()> {
    if let Some(pass_id) = booking.pass_id {
        if let Some(week) = booking.visit_week.take() {
            // The visits of that week must be known before they change: who comes next counts on them.
            world.passes(booking.person_id, week)?;
        }
        if booking.credits > 0 {
            let mut pass = world.pass(pass_id)?.clone();
            pass.credits_left = pass.credits_left.map(|left| left + booking.credits);
            if let Some((days_min, today)) = prolong {
                pass.expires_on = prolonged(pass.expires_on, today, days_min);
            }
            world.put_pass(pass, entry(actor, booking, pass_id, booking.credits, why, now));
        }
    }
    booking.credits_returned += booking.credits;
    booking.credits = 0;
    Ok(())
}

fn entry(actor: &Actor, booking: &Booking, pass_id: Uuid, credits: i64, reason: LedgerReason, now: DateTime<Utc>) -> LedgerEntry {
    LedgerEntry {
        id: new_id(now),
        pass_id,
        at: now,
        credits,
        reason,
        booking_id: Some(booking.id),
        amount_minor: None,
        currency: None,
        method: None,
        reference: None,
        by_person: actor.record.actor_id,
    }
}

/// Who got a place leaves the queues of sessions that overlap it.
fn leave_overlapping(world: &mut World, actor: &Actor, got: &Booking, now: DateTime<Utc>) -> Decided<()> {
    let leaving: Vec<Booking> = world
        .ahead(got.person_id, now)
        .into_iter()
        .filter(|other| other.status == Status::Waitlisted && other.id != got.id && other.overlaps(got.starts_at, got.ends_at))
        .cloned()
        .collect();
    let sessions: Vec<Key> =
        leaving.iter().map(|other| other.session_id).filter(|id| world.session(*id).is_err()).map(Key::Session).collect();
    if !sessions.is_empty() {
        return Err(Stop::Needs(sessions));
    }
    for mut other in leaving {
        let session = world.session(other.session_id)?.clone();
        let studio = world.studio(session.studio_id)?;
        let person = world.person(other.person_id)?;
        end(&mut other, &Ending { by: EndedBy::Replaced, reason: None }, now);
        other.status = Status::Cancelled;
        let told = About { session: &session, studio: &studio, person: &person, useful_until: Some(session.starts_at) };
        tell(world, &mut other, &told, |session| Facts::WaitlistLeft { session, because: LeftBecause::Overlap });
        world.audit.push(actor.line("booking.waitlist_left", &other));
        world.put(other);
    }
    Ok(())
}

/// The one piece of code that frees and refills: in every session where a place may have come free, and for everybody who may have
/// become able, until nothing more can be given.
pub fn settle(world: &mut World, mut touched: Touched, now: DateTime<Utc>) -> Decided<()> {
    let unknown: Vec<Key> =
        touched.people.iter().filter(|id| matches!(world.person(**id), Err(Stop::Needs(_)))).map(|id| Key::Person(*id)).collect();
    if !unknown.is_empty() {
        return Err(Stop::Needs(unknown));
    }
    for person in std::mem::take(&mut touched.people) {
        let waits = world.ahead(person, now).into_iter().filter(|booking| booking.status == Status::Waitlisted);
        touched.sessions.extend(waits.map(|booking| booking.session_id).collect::<Vec<_>>());
    }
    let unknown: Vec<Key> = touched.sessions.iter().filter(|id| world.session(**id).is_err()).map(|id| Key::Session(*id)).collect();
    if !unknown.is_empty() && !world.complete {
        return Err(Stop::Needs(unknown));
    }
    for session_id in touched.sessions {
        refill(world, session_id, now)?;
    }
    Ok(())
}

/// Gives the free places of one session to those who wait, or makes them public.
fn refill(world: &mut World, session_id: Uuid, now: DateTime<Utc>) -> Decided<()> {
    let session = world.session(session_id)?.clone();
    let studio = world.studio(session.studio_id)?;
    match rules::refill(&session_now(&session, &studio), now) {
        Refill::Nothing => Ok(()),
        Refill::Promote => promote(world, session_id, &studio, now),
        Refill::Public => tell_free(world, &session, &studio, now),
    }
}

/// In the queue's order, each who may take a place gets it; who may not keeps her place in the queue and learns why.
fn promote(world: &mut World, session_id: Uuid, studio: &Studio, now: DateTime<Utc>) -> Decided<()> {
    let house = Actor::house();
    let mut after = None;
    loop {
        let session = world.session(session_id)?.clone();
        let state = session_now(&session, studio);
        if rules::refill(&state, now) != Refill::Promote {
            return Ok(());
        }
        let Some(mut waiting) = world.next_waiting(session_id, after)?.cloned() else { return Ok(()) };
        after = waiting.queue_key;
        let person = world.person(waiting.person_id).map_err(|stop| world.with_queue_people(session_id, stop))?;
        let (passes, visits) = world.passes(person.id, week_of(session.local_date))?;
        let ahead = world.ahead(person.id, now);
        let member = MemberNow { ahead: &ahead, passes: &passes, visits: &visits };
        let ask = Ask { pass_id: waiting.asked_pass_id, waitlist: true, by_staff: false, unpaid: waiting.asked_unpaid };
        match rules::promote(&state, &studio.rules, member, ask, now) {
            Ok(place) => {
                give_place(world, &house, &mut waiting, &place, LedgerReason::Promoted, now)?;
                waiting.promoted_at = Some(now);
                let terms = terms(&waiting, &place);
                let told = About { session: &session, studio, person: &person, useful_until: Some(session.ends_at) };
                tell(world, &mut waiting, &told, |session| Facts::Promoted { session, terms });
                leave_overlapping(world, &house, &waiting, now)?;
                world.audit.push(house.line("booking.promoted", &waiting));
                world.put(waiting);
            }
            Err(reason) if waiting.passed_over == Some(reason) => {}
            Err(reason) => {
                waiting.passed_over = Some(reason);
                let told = About { session: &session, studio, person: &person, useful_until: Some(session.waiting_ends_at) };
                tell(world, &mut waiting, &told, |session| Facts::PassedOver { session, reason });
                world.audit.push(house.line("booking.passed_over", &waiting).with(json!({ "reason": reason })));
                world.put(waiting);
            }
        }
    }
}

/// After the cut-off a place is everybody's: who waits is told, once per entry.
fn tell_free(world: &mut World, session: &Session, studio: &Studio, now: DateTime<Utc>) -> Decided<()> {
    let waiting: Vec<Booking> = in_company(world, &world.whole_queue(session.id)?)?
        .into_iter()
        .filter(|booking| booking.told_free_at.is_none() && booking.status == Status::Waitlisted)
        .collect();
    need_people(world, &waiting)?;
    for mut booking in waiting {
        let person = world.person(booking.person_id)?;
        booking.told_free_at = Some(now);
        let told = About { session, studio, person: &person, useful_until: Some(session.booking_closes_at) };
        tell(world, &mut booking, &told, |session| Facts::PlaceFree { session });
        world.put(booking);
    }
    Ok(())
}

/// Sweep: serve who became able by the clock alone.
pub fn refill_by_clock(world: &mut World, session_id: Uuid, now: DateTime<Utc>) -> Decided<Outcome> {
    refill(world, session_id, now)?;
    Ok(Outcome::Done)
}

/// Sweep: no way in is left; who still waits is told so, and nothing was taken.
pub fn close_waitlist(world: &mut World, session_id: Uuid, now: DateTime<Utc>) -> Decided<Outcome> {
    let session = world.session(session_id)?.clone();
    if session.waiting == 0 || now < session.waiting_ends_at {
        return Ok(Outcome::Done);
    }
    let house = Actor::house();
    let studio = world.studio(session.studio_id)?;
    let waiting = in_company(world, &world.whole_queue(session_id)?)?;
    need_people(world, &waiting)?;
    for mut booking in waiting {
        let person = world.person(booking.person_id)?;
        end(&mut booking, &Ending { by: EndedBy::WaitlistClosed, reason: None }, now);
        booking.status = Status::Cancelled;
        let told = About { session: &session, studio: &studio, person: &person, useful_until: None };
        tell(world, &mut booking, &told, |session| Facts::WaitlistClosed { session });
        world.audit.push(house.line("booking.waitlist_closed", &booking));
        world.put(booking);
    }
    Ok(Outcome::Done)
}

/// `PUT /v1/bookings/{id}/check-in` and its undoing.
pub fn check_in(
    world: &mut World,
    actor: &Actor,
    booking_id: Uuid,
    came: bool,
    at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Decided<Outcome> {
    let caller = actor.person_id()?;
    let Some(mut booking) = world.booking(booking_id, caller)?.cloned() else { return Err(not_found()) };
    let own = world.person(caller)?;
    let session = world.session(booking.session_id)?.clone();
    let studio = world.studio(session.studio_id)?;
    if !own.is_desk(booking.studio_id) && session.instructor_id != caller {
        return Err(if booking.person_id == caller { Problem::new(Kind::NotAllowed).into() } else { not_found() });
    }
    let wanted = if came { Status::Attended } else { Status::Booked };
    match booking.status {
        status if status == wanted => return Ok(Outcome::Booking(Box::new(show(world, booking_id)?))),
        Status::Booked | Status::Attended | Status::NoShow => {}
        status => return Err(Problem::new(Kind::StatusChanged).with("booking_status", status).into()),
    }
    if !rules::may_check_in(&booking, &studio.rules, now) {
        return Err(Problem::new(Kind::NotCheckInTime).into());
    }
    if let Some(at) = at
        && (at > now || at < booking.starts_at - Duration::days(1))
    {
        return Err(Problem::field("at", "must be an instant of this session's day, and not in the future").into());
    }
    booking.status = wanted;
    booking.provisional = false;
    booking.arrived_at = came.then(|| at.unwrap_or(now));
    booking.arrived_by = came.then_some(caller);
    world.audit.push(actor.line(if came { "booking.checked_in" } else { "booking.check_in_undone" }, &booking));
    // What she was checked in to is no longer ahead of her: before its start she may so become able to take another place.
    let mut touched = Touched::default();
    if came && now < booking.starts_at {
        touched.person(booking.person_id);
    }
    world.put(booking);
    settle(world, touched, now)?;
    Ok(Outcome::Booking(Box::new(show(world, booking_id)?)))
}

/// Everything taken for a session comes back, and everybody is told: the studio's doing.
pub fn end_by_studio(
    world: &mut World,
    actor: &Actor,
    session: &Session,
    reason: Option<crate::letters::facts::CancelReason>,
    note: Option<&str>,
    now: DateTime<Utc>,
) -> Decided<Touched> {
    let studio = world.studio(session.studio_id)?;
    let mut bookings = in_company(world, &world.roster(session.id)?)?;
    bookings.sort_by_key(|booking| (booking.queue_key, booking.created_at, booking.id));
    need_people(world, &bookings)?;
    let mut touched = Touched::default();
    let today = local_date(now, studio.zone);
    for mut booking in bookings {
        let person = world.person(booking.person_id)?;
        let had_place = booking.status.takes_place();
        let late = booking.status == Status::LateCancelled;
        let back = booking.credits;
        give_back(world, actor, &mut booking, LedgerReason::SessionCancelled, Some((studio.rules.returned_credit_days_min, today)), now)?;
        if late {
            if back == 0 {
                world.put(booking);
                continue;
            }
        } else {
            end(&mut booking, &Ending { by: EndedBy::Studio, reason: None }, now);
            booking.status = Status::Cancelled;
        }
        let told = About { session, studio: &studio, person: &person, useful_until: None };
        let note = note.map(str::to_owned);
        tell(world, &mut booking, &told, |session| Facts::SessionCancelled { session, reason, note, credits_returned: back, had_place });
        touched.person(booking.person_id);
        world.put(booking);
    }
    Ok(touched)
}

/// What is to come for a person who leaves Relevé ends without penalty.
pub fn remove_person(world: &mut World, actor: &Actor, person_id: Uuid, now: DateTime<Utc>) -> Decided<Outcome> {
    let coming: Vec<Booking> = match world.person(person_id) {
        Ok(_) => world.ahead(person_id, now).into_iter().filter(|booking| booking.starts_at > now).cloned().collect(),
        Err(Stop::Refused(_)) => return Ok(Outcome::Done),
        Err(stop) => return Err(stop),
    };
    if !world.teaching(person_id, now)?.is_empty() {
        // A class was given to her since she was found due: she leaves once it is over.
        return Ok(Outcome::Done);
    }
    let mut touched = Touched::default();
    for booking in coming {
        if let Ok(decided) = rules::cancel(&booking, true, now) {
            let ending = Ending { by: EndedBy::Member, reason: None };
            end_by_person(world, actor, booking, decided, &ending, &mut touched, now)?;
        }
    }
    touched.people.clear();
    settle(world, touched, now)?;
    world.removed.push(person_id);
    Ok(Outcome::Done)
}

/// The booking, the caller, and whether she acts for another. Only its owner and the studio's desk see it.
fn own_booking(world: &World, actor: &Actor, booking_id: Uuid) -> Decided<(Booking, std::sync::Arc<Person>, bool)> {
    let caller = actor.person_id()?;
    let Some(booking) = world.booking(booking_id, caller)?.cloned() else { return Err(not_found()) };
    let needs = [world.person(caller).err(), world.person(booking.person_id).err(), world.session(booking.session_id).err()];
    if needs.iter().any(Option::is_some) {
        return Err(all_needs(needs));
    }
    let own = world.person(caller)?;
    let by_staff = booking.person_id != caller;
    if by_staff && !own.is_desk(booking.studio_id) {
        return Err(not_found());
    }
    Ok((booking, own, by_staff))
}

/// All bookings with these ids; so many that they would make everybody wait are decided alone.
pub fn in_company(world: &World, ids: &[Uuid]) -> Decided<Vec<Booking>> {
    if ids.len() > PEOPLE_IN_COMPANY_MAX && !world.alone && !world.complete {
        return Err(Stop::Alone);
    }
    Ok(ids.iter().filter_map(|id| world.known_booking(*id).cloned()).collect())
}

/// Asks for all the people of these bookings at once.
pub fn need_people(world: &World, bookings: &[Booking]) -> Decided<()> {
    all_people(world, bookings.iter().map(|booking| booking.person_id))
}

fn all_people(world: &World, ids: impl Iterator<Item = Uuid>) -> Decided<()> {
    let keys: Vec<Key> = ids.filter(|id| matches!(world.person(*id), Err(Stop::Needs(_)))).map(Key::Person).collect();
    if keys.is_empty() { Ok(()) } else { Err(Stop::Needs(keys)) }
}

/// One round for all that is missing; a refusal is said before rows are asked for.
fn all_needs<const N: usize>(stops: [Option<Stop>; N]) -> Stop {
    let mut keys = Vec::new();
    for stop in stops.into_iter().flatten() {
        match stop {
            Stop::Needs(more) => keys.extend(more),
            other => return other,
        }
    }
    Stop::Needs(keys)
}

fn terms(booking: &Booking, place: &Place) -> Terms {
    Terms { credits: booking.credits, membership: booking.visit_week.is_some(), free_cancel_until: place.free_cancel_until }
}

/// A booking as its answer shows it.
pub fn show(world: &World, booking_id: Uuid) -> Decided<ShownBooking> {
    let Some(booking) = world.known_booking(booking_id).cloned() else { return Err(not_found()) };
    let session = world.session(booking.session_id)?.clone();
    let studio = world.studio(session.studio_id)?;
    Ok(ShownBooking { booking, session, studio, position: None, fresh: false })
}

/// The session as the rules see it.
pub fn session_now(session: &Session, studio: &Studio) -> SessionNow {
    SessionNow {
        id: session.id,
        studio_id: session.studio_id,
        class_type_id: session.class_type_id,
        zone: studio.zone,
        starts_at: session.starts_at,
        ends_at: session.ends_at,
        local_date: session.local_date,
        credits: session.credits,
        cancelled: session.is_cancelled(),
        capacity: session.capacity,
        taken: session.taken,
        held: session.held,
        waiting: session.waiting,
        waitlist_cap: session.waitlist_cap,
        booking_opens_at: session.booking_opens_at,
        booking_closes_at: session.booking_closes_at,
        free_cancel_until: session.free_cancel_until,
        promote_until: session.promote_until,
        waiting_ends_at: session.waiting_ends_at,
    }
}
