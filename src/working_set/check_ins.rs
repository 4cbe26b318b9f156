//! The codes that were shown at the door and counted, looked up and added.

use super::rows::check_ins::Undo;
use super::{Abort, Change, Decision, Lookup, WorkingSet};
use crate::attendance::{CheckIn, store};
use crate::db::{Error, Tx};
use uuid::Uuid;

impl WorkingSet {
    /// A check-in, if there is one with this id, in whatever studio.
    pub fn check_in(&self, id: Uuid) -> Decision<Option<&CheckIn>> {
        match self.check_ins.table.rows.get(&id) {
            None if !self.check_ins.table.knows(id) => Err(Abort::Needs(vec![Lookup::CheckIn(id)])),
            found => Ok(found),
        }
    }

    /// Adds a check-in. It never changes.
    pub fn put_check_in(&mut self, check_in: CheckIn) {
        let id = check_in.id;
        let before = self.check_ins.table.put(id, check_in);
        self.journal.push(Change::CheckIn(Undo(id, before)));
    }

    pub(super) fn undo_check_in(&mut self, Undo(id, before): Undo) {
        self.check_ins.table.put_back(id, before);
    }

    pub(super) async fn load_check_ins(&mut self, tx: &mut Tx, ids: &[Uuid]) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        for check_in in store::check_ins(tx, ids).await? {
            self.check_ins.table.load(check_in.id, check_in);
        }
        self.check_ins.table.known.note(ids.iter().copied());
        Ok(())
    }

    /// After the bookings that they are of were made.
    pub(super) async fn write_check_ins(&self, tx: &mut Tx) -> Result<(), Error> {
        store::insert_check_ins(tx, self.check_ins.table.to_write(true)).await
    }
}
