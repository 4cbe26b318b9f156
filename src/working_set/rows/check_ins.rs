//! The codes shown at the door that a batch knows.

use crate::working_set::known::Known;
use crate::working_set::table::{Before, Table};
use uuid::Uuid;

use crate::attendance::CheckIn;

/// The check-ins of a batch.
#[derive(Debug, Default)]
pub struct CheckIns {
    pub table: Table<CheckIn>,
}

/// How a change to check-ins is undone.
#[derive(Debug)]
pub struct Undo(pub Uuid, pub Before<CheckIn>);

impl CheckIns {
    pub fn know_everything(&mut self) {
        self.table.known = Known::All;
    }
}
