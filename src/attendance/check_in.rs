//! Decides `PUT /v1/bookings/{id}/check-in` and its undoing.

use super::correct;
use crate::booking::ending::end_by_person;
use crate::booking::freed::Freed;
use crate::booking::member::who_joins;
use crate::booking::refill::settle;
use crate::booking::rules::{self, BookingRefusal, Cancellation, SessionNow};
use crate::booking::snapshot::{BookingSnapshot, show};
use crate::booking::{Booking, BookingStatus, EndedBy, Ending};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::passes::begin;
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, caller, not_found};
use crate::wrong::Wrong;
use chrono::Duration;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// `PUT /v1/bookings/{id}/check-in` and its undoing.
pub fn check_in(
    set: &mut WorkingSet,
    actor: &Actor,
    booking_id: Uuid,
    came: bool,
    at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Decision<BookingSnapshot> {
    let caller = caller(actor)?;
    let Some(booking) = set.booking(booking_id, caller)?.cloned() else { return Err(not_found()) };
    let own = set.person(caller)?;
    let session = set.session(booking.session_id)?.clone();
    let studio = set.studio(session.studio_id)?;
    if !own.roles.is_staff_of_session(booking.studio_id, session.instructor_id == caller) {
        return Err(if booking.person_id == caller { Problem::new(ProblemType::NotAllowed).into() } else { not_found() });
    }
    match booking.status {
        BookingStatus::Attended if came => return show(set, booking_id, now),
        BookingStatus::Booked if !came && booking.seen_absent_at.is_none() => return show(set, booking_id, now),
        // Who is absent for good has no mark to be taken back.
        BookingStatus::NoShow if !came => return show(set, booking_id, now),
        // Nor has who walked in, once that was taken back.
        BookingStatus::Cancelled if !came && booking.ended_by == Some(EndedBy::Staff) => return show(set, booking_id, now),
        BookingStatus::Booked | BookingStatus::Attended | BookingStatus::NoShow => {}
        status => return Err(Problem::new(ProblemType::StatusChanged).with("booking_status", status).into()),
    }
    if !rules::may_check_in(&booking, &studio.rules_of(session.class_type_id), now) {
        return Err(Problem::new(ProblemType::NotCheckInTime).into());
    }
    if let Some(at) = at
        && (at > now || at < booking.starts_at - Duration::days(1))
    {
        return Err(Problem::field("at", Wrong::NotOfItsDay).into());
    }
    let mut freed = Freed::default();
    if came {
        come(set, actor, booking, at.unwrap_or(now), Some(caller), &mut freed, now)?;
    } else if booking.status == BookingStatus::Booked {
        see_absent(set, actor, booking, None, &mut freed, now)?;
    } else if booking.walked_in() {
        undo_walk_in(set, actor, booking, &mut freed, now)?;
    } else {
        not_come(set, actor, booking, &mut freed, now)?;
    }
    settle(set, freed, now)?;
    show(set, booking_id, now)
}

/// The member came, with what follows from it: however it is known, and whoever marked it. `by`: `None` is a kiosk.
pub fn come(
    set: &mut WorkingSet,
    actor: &Actor,
    mut booking: Booking,
    at: DateTime<Utc>,
    by: Option<Uuid>,
    freed: &mut Freed,
    now: DateTime<Utc>,
) -> Decision<()> {
    if booking.released_at.is_some() {
        must_find_a_place(set, &booking, now)?;
    }
    let before = booking.clone();
    booking.check_in(at, by)?;
    mark(set, actor, &before, booking, Happened::CheckedIn, freed, now)
}

/// The member did not come after all.
pub fn not_come(set: &mut WorkingSet, actor: &Actor, mut booking: Booking, freed: &mut Freed, now: DateTime<Utc>) -> Decision<()> {
    let before = booking.clone();
    booking.undo_check_in()?;
    mark(set, actor, &before, booking, Happened::CheckInUndone, freed, now)
}

/// Who walked in has not come after all: the booking that was made in the same step ends, and what was taken for it comes back.
fn undo_walk_in(set: &mut WorkingSet, actor: &Actor, booking: Booking, freed: &mut Freed, now: DateTime<Utc>) -> Decision<()> {
    not_come(set, actor, booking.clone(), freed, now)?;
    let Some(booking) = set.booking(booking.id, booking.asked_by)?.cloned() else { return Err(not_found()) };
    let (decided, ending) = (Cancellation::Free { credits: booking.credits }, Ending { by: EndedBy::Staff, reason: None });
    end_by_person(set, actor, booking, decided, &ending, freed, now)
}

/// Staff looked for a booked member, and they were not there (`Some`); or that was a mistake.
pub fn see_absent(
    set: &mut WorkingSet,
    actor: &Actor,
    mut booking: Booking,
    seen: Option<(DateTime<Utc>, Uuid)>,
    freed: &mut Freed,
    now: DateTime<Utc>,
) -> Decision<()> {
    let before = booking.clone();
    booking.see_absent(seen)?;
    set.put(booking.clone());
    emit(set, actor, Event::of_booking(&booking, Happened::SeenAbsent { absent: seen.is_some() }))?;
    correct::follow(set, actor, &before, &booking, freed, now)
}

/// Whose place was given to somebody at the door is let in only if another one is left, and if they are not elsewhere by now.
fn must_find_a_place(set: &WorkingSet, booking: &Booking, now: DateTime<Utc>) -> Decision<()> {
    // Asked for first: of somebody who is not loaded, nothing is known to be ahead.
    set.person(booking.person_id)?;
    let session = set.session(booking.session_id)?;
    let studio = set.studio(session.studio_id)?;
    let state = SessionNow::of(session, studio.zone);
    let member = who_joins(set, booking.person_id, session, &studio, now)?;
    let refused = match member.now().overlapping(&state).filter(|_| !booking.is_guests()) {
        Some(other) => BookingRefusal::Overlapping(other.id),
        None if state.places_free() <= 0 => BookingRefusal::Full { open: false, length: session.waiting, cap: session.waitlist_cap },
        None => return Ok(()),
    };
    Err(refused.problem(studio.shop_url.as_deref()).into())
}

fn mark(
    set: &mut WorkingSet,
    actor: &Actor,
    before: &Booking,
    booking: Booking,
    what: Happened,
    freed: &mut Freed,
    now: DateTime<Utc>,
) -> Decision<()> {
    // Before the start, a checked-in session no longer counts as ahead, and one that is not can be given up: the member may take another place.
    if now < booking.starts_at {
        freed.member_of(&booking);
    }
    set.put(booking.clone());
    emit(set, actor, Event::of_booking(&booking, what))?;
    if begin::follow(set, actor, &booking, now)? {
        freed.member_of(&booking);
    }
    correct::follow(set, actor, before, &booking, freed, now)
}
