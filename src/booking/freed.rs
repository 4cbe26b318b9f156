//! What a command leaves to be refilled: sessions where a place may have come free, and people who may have become able to take one.

use std::collections::BTreeSet;

use super::Booking;
use uuid::Uuid;

/// People whom a change may have enabled to take a place, and sessions where one may have come free.
#[derive(Default)]
pub struct Freed {
    pub(super) sessions: BTreeSet<Uuid>,
    pub(super) people: BTreeSet<Uuid>,
}

impl Freed {
    /// A place may have come free there.
    pub fn session(&mut self, id: Uuid) {
        self.sessions.insert(id);
    }

    /// Keeps only the sessions: the person's account is being removed, so they are not to get a place.
    pub fn forget_people(&mut self) {
        self.people.clear();
    }

    /// Who waits together with the member of this booking waits alone from now on.
    pub fn alone(&mut self, booking: &Booking) {
        if booking.conditions.as_ref().is_some_and(|conditions| conditions.with.is_some()) {
            self.session(booking.session_id);
        }
    }

    /// All of these as well.
    pub fn also(&mut self, other: Self) {
        self.sessions.extend(other.sessions);
        self.people.extend(other.people);
    }

    /// They may have become able to take a place.
    pub fn person(&mut self, id: Uuid) {
        self.people.insert(id);
    }
}
