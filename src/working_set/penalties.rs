//! The penalties, looked up and changed.

use super::rows::penalties::Undo;
use super::{Abort, Change, Decision, Lookup, WorkingSet};
use crate::db::{Error, Tx};
use crate::penalties::{Penalty, store};
use chrono::{DateTime, Utc};
use uuid::Uuid;

impl WorkingSet {
    /// A penalty that must exist.
    pub fn penalty(&self, id: Uuid) -> Decision<&Penalty> {
        self.penalties.table.rows.get(&id).ok_or_else(|| Lookup::Penalty(id).missing(self.penalties.table.knows(id)))
    }

    /// The penalties of a person that may still decide something, in any studio.
    pub fn penalties(&self, person_id: Uuid) -> Decision<Vec<&Penalty>> {
        if !self.penalties.known_people.has(&person_id) {
            return Err(Abort::Needs(vec![Lookup::Penalties(person_id)]));
        }
        Ok(self.penalties.table.rows.values().filter(|penalty| penalty.person_id == person_id).collect())
    }

    /// Every penalty that is loaded. For simulations without a database.
    pub fn all_penalties(&self) -> impl Iterator<Item = &Penalty> {
        self.penalties.table.rows.values()
    }

    /// Puts a penalty, new or changed.
    pub fn put_penalty(&mut self, penalty: Penalty) {
        let id = penalty.id;
        let before = self.penalties.table.put(id, penalty);
        self.journal.push(Change::Penalty(Undo(id, before)));
    }

    pub(super) fn knows_penalties(&self, person_id: Uuid) -> bool {
        self.penalties.known_people.has(&person_id)
    }

    pub(super) fn undo_penalty(&mut self, Undo(id, before): Undo) {
        self.penalties.table.put_back(id, before);
    }

    pub(super) async fn load_penalties(&mut self, tx: &mut Tx, ids: &[Uuid]) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        for penalty in store::by_id(tx, ids).await? {
            self.penalties.table.load(penalty.id, penalty);
        }
        self.penalties.table.known.note(ids.iter().copied());
        Ok(())
    }

    pub(super) async fn load_penalties_of(&mut self, tx: &mut Tx, people: &[Uuid], now: DateTime<Utc>) -> Result<(), Error> {
        if people.is_empty() {
            return Ok(());
        }
        for penalty in store::of_people(tx, people, now).await? {
            self.penalties.table.load(penalty.id, penalty);
        }
        self.penalties.known_people.note(people.iter().copied());
        Ok(())
    }

    /// After the bookings that they are about.
    pub(super) async fn write_penalties(&self, tx: &mut Tx) -> Result<(), Error> {
        store::update(tx, self.penalties.table.to_write(false)).await?;
        store::insert(tx, self.penalties.table.to_write(true)).await
    }
}
