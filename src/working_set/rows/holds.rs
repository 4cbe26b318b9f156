//! The holds that a batch knows.

use crate::working_set::known::Known;
use crate::working_set::table::{Before, Table};
use uuid::Uuid;

use crate::holds::Hold;

/// The holds of a batch.
#[derive(Debug, Default)]
pub struct Holds {
    pub table: Table<Hold>,
    /// Sessions whose holds are all known.
    pub known_sessions: Known<Uuid>,
}

/// How a change to holds is undone.
#[derive(Debug)]
pub struct Undo(pub Uuid, pub Before<Hold>);

impl Holds {
    pub fn know_everything(&mut self) {
        self.table.known = Known::All;
        self.known_sessions = Known::All;
    }
}
