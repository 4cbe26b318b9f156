//! The end of an offer that nobody took.

use super::freed::Freed;
use super::offer::OfferOutcome;
use super::offering::end_offer;
use super::refill::settle;
use super::{BookingStatus, EndedBy};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::working_set::{Decision, WorkingSet};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Sweep: an offer whose time is over ends, and the next in the queue gets theirs.
pub fn expire_offer(set: &mut WorkingSet, booking_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let Some(mut booking) = set.booking(booking_id, Uuid::nil())?.cloned() else { return Ok(()) };
    // Taken or declined meanwhile, or another one runs by now.
    let over = set.running_offer(booking_id).is_some_and(|offer| offer.expires_at <= now);
    if booking.status != BookingStatus::Offered || !over {
        return Ok(());
    }
    set.session(booking.session_id)?;
    set.person(booking.person_id)?;
    end_offer(set, booking_id, OfferOutcome::Expired, now)?;
    booking.leave(&EndedBy::OfferExpired.into(), now)?;
    let mut freed = Freed::default();
    freed.session(booking.session_id);
    // With one place fewer ahead of them, they may be able to take another.
    freed.member_of(&booking);
    let event = Event::of_booking(&booking, Happened::OfferExpired);
    set.put(booking);
    emit(set, &Actor::system(), event)?;
    settle(set, freed, now)
}
