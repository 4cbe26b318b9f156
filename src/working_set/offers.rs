//! The offers that run, looked up and changed. A booking that is offered a place is loaded together with its offer.

use super::rows::offers::Undo;
use super::{Change, WorkingSet};
use crate::booking::offer::Offer;
use crate::booking::{self, Booking, BookingStatus};
use crate::db::{Error, Tx};
use uuid::Uuid;

impl WorkingSet {
    /// The offer that runs for a booking that is loaded.
    pub fn running_offer(&self, booking_id: Uuid) -> Option<&Offer> {
        self.offers.rows.values().find(|offer| offer.booking_id == booking_id && offer.is_running())
    }

    /// Every offer that is loaded. For simulations without a database.
    pub fn all_offers(&self) -> impl Iterator<Item = &Offer> {
        self.offers.rows.values()
    }

    /// Puts an offer, new or changed.
    pub fn put_offer(&mut self, offer: Offer) {
        let id = offer.id;
        let before = self.offers.put(id, offer);
        self.journal.push(Change::Offer(Undo(id, before)));
    }

    pub(super) fn undo_offer(&mut self, Undo(id, before): Undo) {
        self.offers.put_back(id, before);
    }

    /// Adds bookings that were loaded, with the offers that run for them; one that is known already is at least as new.
    pub(super) async fn take_bookings(&mut self, tx: &mut Tx, bookings: Vec<Booking>) -> Result<(), Error> {
        let offered =
            bookings.iter().filter(|booking| booking.status == BookingStatus::Offered && self.known_booking(booking.id).is_none());
        let offered: Vec<Uuid> = offered.map(|booking| booking.id).collect();
        for booking in bookings {
            self.bookings.load(booking);
        }
        if offered.is_empty() {
            return Ok(());
        }
        for offer in booking::store::running_offers(tx, &offered).await? {
            self.offers.load(offer.id, offer);
        }
        Ok(())
    }

    /// After the bookings that they are about; one that has ended makes room for the next.
    pub(super) async fn write_offers(&self, tx: &mut Tx) -> Result<(), Error> {
        booking::store::update_offers(tx, self.offers.to_write(false)).await?;
        booking::store::insert_offers(tx, self.offers.to_write(true)).await
    }
}
