//! The guests of a booking: each has a place of its own, which stands and falls with the host's.

use super::{Booking, BookingStatus};
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The places of those who come with this booking's member, in order.
pub fn guests_of(set: &WorkingSet, host: &Booking, now: DateTime<Utc>) -> Decision<Vec<Booking>> {
    if host.is_guests() {
        return Ok(Vec::new());
    }
    set.person(host.person_id)?;
    Ok(set.ahead(host.person_id, now).into_iter().filter(|booking| booking.guest_of == Some(host.id)).cloned().collect())
}

/// A tap that gives up the host's place is told of the guests', which cost something of their own: they are given up first, each by a tap
/// that says what it costs.
pub fn none_left_behind(set: &WorkingSet, host: &Booking, now: DateTime<Utc>) -> Decision<()> {
    // One who has been checked in can be given up by nobody's tap: they end with the host.
    let open = guests_of(set, host, now)?.into_iter().filter(|guest| guest.status == BookingStatus::Booked);
    let guests: Vec<Uuid> = open.map(|guest| guest.id).collect();
    match guests.is_empty() {
        true => Ok(()),
        false => Err(Problem::new(ProblemType::GuestsBooked).with("booking_ids", guests).into()),
    }
}
