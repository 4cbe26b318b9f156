//! The penalties that a batch knows.

use crate::working_set::known::Known;
use crate::working_set::table::{Before, Table};
use uuid::Uuid;

use crate::penalties::Penalty;

/// The penalties of a batch.
#[derive(Debug, Default)]
pub struct Penalties {
    pub table: Table<Penalty>,
    /// People whose penalties that may still decide something are all known.
    pub known_people: Known<Uuid>,
}

/// How a change to penalties is undone.
#[derive(Debug)]
pub struct Undo(pub Uuid, pub Before<Penalty>);

impl Penalties {
    pub fn know_everything(&mut self) {
        self.table.known = Known::All;
        self.known_people = Known::All;
    }
}
