//! A booking as a command leaves it, with all that its answer shows.

use super::Booking;
use super::offer::Offer;
use crate::events::Actor;
use crate::penalties::rules::Leniency;
use crate::penalties::standing::leniency_told;
use crate::people::Person;
use crate::schedule::Session;
use crate::studios::StudioContext;
use crate::working_set::{Decision, WorkingSet, all_needs, caller, not_found};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use uuid::Uuid;

/// A booking with everything that its answer shows.
#[derive(Clone, Debug)]
pub struct BookingSnapshot {
    pub booking: Booking,
    /// Its session, with the counts as they were when it was decided.
    pub session: Session,
    pub studio: Arc<StudioContext>,
    /// The offer that runs for it.
    pub offer: Option<Offer>,
    /// What would speak for the member if they cancelled it late, as the decision knows it.
    pub leniency: Leniency,
    /// The member's position in the queue, where it is known without counting.
    pub position: Option<i64>,
    /// Whether this command made it.
    pub fresh: bool,
}

/// A booking as its answer shows it.
pub fn show(set: &WorkingSet, booking_id: Uuid, now: DateTime<Utc>) -> Decision<BookingSnapshot> {
    let Some(booking) = set.known_booking(booking_id).cloned() else { return Err(not_found()) };
    let session = set.session(booking.session_id)?.clone();
    let studio = set.studio(session.studio_id)?;
    let offer = set.running_offer(booking_id).cloned();
    let leniency = leniency_told(set, &booking, now)?;
    Ok(BookingSnapshot { booking, session, studio, offer, leniency, position: None, fresh: false })
}

/// The booking, the caller, and whether they act as staff. Only its owner, who acts for them, and the studio's front desk see it.
pub fn own_booking(set: &WorkingSet, actor: &Actor, booking_id: Uuid) -> Decision<(Booking, Arc<Person>, bool)> {
    let caller = caller(actor)?;
    let Some(booking) = set.booking(booking_id, caller)?.cloned() else { return Err(not_found()) };
    let needs = [set.person(caller).err(), set.person(booking.person_id).err(), set.session(booking.session_id).err()];
    if needs.iter().any(Option::is_some) {
        return Err(all_needs(needs));
    }
    let own = set.person(caller)?;
    let others = booking.person_id != caller;
    let by_staff = others && own.roles.is_front_desk(booking.studio_id);
    if others && !by_staff && !set.acts_for(caller, booking.person_id)? {
        return Err(not_found());
    }
    Ok((booking, own, by_staff))
}
