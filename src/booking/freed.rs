//! What a command leaves to be refilled: sessions where a place may have come free, and people who may have become able to take one.

use std::collections::BTreeSet;

use super::Booking;
use uuid::Uuid;

/// People whom a change may have enabled to take a place, and sessions where one may have come free.
#[derive(Default)]
pub struct Freed {
    pub(super) sessions: BTreeSet<Uuid>,
    pub(super) people: BTreeSet<Uuid>,
    /// Passes to which something came back: whoever may pay with one may have become able.
    pub(super) passes: BTreeSet<Uuid>,
    gone: Option<Uuid>,
}

impl Freed {
    /// A place may have come free there.
    pub fn session(&mut self, id: Uuid) {
        self.sessions.insert(id);
    }

    /// Whose account is being removed is not to get a place. Who shared the pass with them that paid may.
    pub const fn without(&mut self, person_id: Uuid) {
        self.gone = Some(person_id);
    }

    /// The people who may have become able to take a place, taken out.
    pub(super) fn take_people(&mut self) -> BTreeSet<Uuid> {
        let mut people = std::mem::take(&mut self.people);
        people.retain(|id| Some(*id) != self.gone);
        people
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
        self.passes.extend(other.passes);
        self.gone = self.gone.or(other.gone);
    }

    /// They may have become able to take a place.
    pub fn person(&mut self, id: Uuid) {
        self.people.insert(id);
    }

    /// What this booking took may have come back: to its member, and to whoever holds the pass that paid.
    pub fn member_of(&mut self, booking: &Booking) {
        self.people.insert(booking.person_id);
        self.passes.extend(booking.pass_id);
    }
}
