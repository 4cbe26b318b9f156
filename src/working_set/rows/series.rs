//! The series that a batch knows.

use crate::working_set::known::Known;
use crate::working_set::table::{Before, Table};
use uuid::Uuid;

use crate::schedule::series::Plan;

/// The series of a batch.
#[derive(Debug, Default)]
pub struct AllSeries {
    pub table: Table<Plan>,
    /// Studios whose running series are all known.
    pub known_running: Known<Uuid>,
}

/// How a change to series is undone.
#[derive(Debug)]
pub struct Undo(pub Uuid, pub Box<Before<Plan>>);

impl AllSeries {
    pub fn know_everything(&mut self) {
        self.table.known = Known::All;
        self.known_running = Known::All;
    }
}
