//! Decides `PUT /v1/bookings/{id}/check-in` and its undoing.

use super::correct;
use crate::booking::BookingStatus;
use crate::booking::freed::Freed;
use crate::booking::member::who_joins;
use crate::booking::refill::settle;
use crate::booking::rules::{self, BookingRefusal, SessionNow};
use crate::booking::snapshot::{BookingSnapshot, show};
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
    let Some(mut booking) = set.booking(booking_id, caller)?.cloned() else { return Err(not_found()) };
    let own = set.person(caller)?;
    let session = set.session(booking.session_id)?.clone();
    let studio = set.studio(session.studio_id)?;
    if !own.roles.is_staff_of_session(booking.studio_id, session.instructor_id == caller) {
        return Err(if booking.person_id == caller { Problem::new(ProblemType::NotAllowed).into() } else { not_found() });
    }
    let wanted = if came { BookingStatus::Attended } else { BookingStatus::Booked };
    match booking.status {
        status if status == wanted => return show(set, booking_id),
        // Who is absent has no mark to be taken back.
        BookingStatus::NoShow if !came => return show(set, booking_id),
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
    // Whose place was given to somebody at the door is let in only if another one is left, and if they are not elsewhere by now.
    if booking.released_at.is_some() && came {
        let state = SessionNow::of(&session, studio.zone);
        // Asked for first: of somebody who is not loaded, nothing is known to be ahead.
        set.person(booking.person_id)?;
        let member = who_joins(set, booking.person_id, &session, &studio, now)?;
        let refused = match member.now().overlapping(&state).filter(|_| !booking.is_guests()) {
            Some(other) => Some(BookingRefusal::Overlapping(other.id)),
            None if state.places_free() <= 0 => {
                Some(BookingRefusal::Full { open: false, length: session.waiting, cap: session.waitlist_cap })
            }
            None => None,
        };
        if let Some(refused) = refused {
            return Err(refused.problem(studio.shop_url.as_deref()).into());
        }
    }
    let before = booking.clone();
    if came {
        booking.check_in(at.unwrap_or(now), caller)?;
    } else {
        booking.undo_check_in()?;
    }
    let what = if came { Happened::CheckedIn } else { Happened::CheckInUndone };
    let event = Event::of_booking(&booking, what);
    // Before the start, a checked-in session no longer counts as ahead, and one that is not can be given up: the member may take another place.
    let mut freed = Freed::default();
    if now < booking.starts_at {
        freed.person(booking.person_id);
    }
    set.put(booking.clone());
    emit(set, actor, event)?;
    if begin::follow(set, actor, &booking, now)? {
        freed.person(booking.person_id);
    }
    correct::follow(set, actor, &before, &booking, &mut freed, now)?;
    settle(set, freed, now)?;
    show(set, booking_id)
}
