//! How an offer begins and ends: the booking leaves the queue for it, and the offer keeps its place there.

use super::offer::{Offer, OfferClock, OfferOutcome};
use super::{Booking, Place};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::ids::new_id;
use crate::letters::facts::PassedOver;
use crate::working_set::{Decision, WorkingSet};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Offers a free place to somebody who waits; `place` is what it would cost now.
pub fn offer(set: &mut WorkingSet, mut booking: Booking, clock: OfferClock, place: &Place, now: DateTime<Utc>) -> Decision<()> {
    let queue_key = booking.offer(now)?;
    let offer = Offer::new(new_id(now), booking.id, queue_key, clock, now);
    let fee = place.penalty_terms.late_cancel_fee.as_ref();
    let what = Happened::Offered {
        offer: offer.id,
        clock_starts_at: clock.clock_starts_at,
        expires_at: clock.expires_at,
        credits: place.payment.credits,
        membership: place.payment.visit_week.is_some(),
        fee_minor: fee.map(|fee| fee.amount_minor),
        currency: fee.map(|fee| fee.currency.clone()),
        strike: place.penalty_terms.late_cancel_strikes,
    };
    let event = Event::of_booking(&booking, what);
    set.put(booking);
    set.put_offer(offer);
    emit(set, &Actor::system(), event)
}

/// Ends the offer that runs for a booking, if one does.
pub fn end_offer(set: &mut WorkingSet, booking_id: Uuid, outcome: OfferOutcome, now: DateTime<Utc>) -> Decision<()> {
    if let Some(mut offer) = set.running_offer(booking_id).cloned() {
        offer.end(outcome, now)?;
        set.put_offer(offer);
    }
    Ok(())
}

/// Takes an offer back, because its session changes: the member waits again where they waited.
pub fn withdraw_offer(set: &mut WorkingSet, actor: &Actor, booking: Booking, now: DateTime<Utc>) -> Decision<()> {
    let Some(booking) = back_in_queue(set, booking, now)? else { return Ok(()) };
    let event = Event::of_booking(&booking, Happened::OfferWithdrawn);
    set.put(booking);
    emit(set, actor, event)
}

/// Takes an offer back from somebody who may not take it any more: they wait again where they waited, and are passed over for that reason.
pub fn pass_over_offer(set: &mut WorkingSet, actor: &Actor, booking: Booking, reason: PassedOver, now: DateTime<Utc>) -> Decision<()> {
    let Some(mut booking) = back_in_queue(set, booking, now)? else { return Ok(()) };
    booking.pass_over(reason)?;
    let event = Event::of_booking(&booking, Happened::PassedOver { reason });
    set.put(booking);
    emit(set, actor, event)
}

fn back_in_queue(set: &mut WorkingSet, mut booking: Booking, now: DateTime<Utc>) -> Decision<Option<Booking>> {
    let Some(queue_key) = set.running_offer(booking.id).map(|offer| offer.queue_key) else { return Ok(None) };
    end_offer(set, booking.id, OfferOutcome::Withdrawn, now)?;
    booking.return_to_queue(queue_key)?;
    Ok(Some(booking))
}
