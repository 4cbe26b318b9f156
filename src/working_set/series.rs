//! The series, looked up and changed.

use super::rows::series::Undo;
use super::{Abort, Change, Decision, Lookup, WorkingSet};
use crate::db::{Error, Tx};
use crate::schedule::series::{Plan, store};
use uuid::Uuid;

impl WorkingSet {
    /// A series that must exist.
    pub fn plan(&self, id: Uuid) -> Decision<&Plan> {
        self.series.table.rows.get(&id).ok_or_else(|| Lookup::Series(id).missing(self.series.table.knows(id)))
    }

    /// The series of a studio that still have a date to come.
    pub fn running_series(&self, studio_id: Uuid) -> Decision<Vec<Plan>> {
        if !self.series.known_running.has(&studio_id) {
            return Err(Abort::Needs(vec![Lookup::RunningSeries(studio_id)]));
        }
        let all = self.series.table.rows.values();
        let mut found: Vec<Plan> =
            all.filter(|plan| plan.series.studio_id == studio_id && plan.series.next_date.is_some()).cloned().collect();
        found.sort_by_key(|plan| plan.series.id);
        Ok(found)
    }

    /// Puts a series, new or changed.
    pub fn put_plan(&mut self, plan: Plan) {
        let id = plan.series.id;
        let before = self.series.table.put(id, plan);
        if before.row.is_none() {
            self.sessions.know_series(id);
        }
        self.journal.push(Change::Series(Undo(id, Box::new(before))));
    }

    pub(super) fn undo_series(&mut self, Undo(id, before): Undo) {
        self.series.table.put_back(id, *before);
    }

    pub(super) async fn load_series(&mut self, tx: &mut Tx, ids: &[Uuid]) -> Result<(), Error> {
        for plan in store::plans(tx, ids).await? {
            self.series.table.load(plan.series.id, plan);
        }
        self.series.table.known.note(ids.iter().copied());
        Ok(())
    }

    pub(super) async fn load_running_series(&mut self, tx: &mut Tx, studio_id: Uuid) -> Result<(), Error> {
        for plan in store::running(tx, studio_id).await? {
            self.series.table.load(plan.series.id, plan);
        }
        self.series.known_running.note([studio_id]);
        Ok(())
    }

    pub(super) async fn write_new_series(&self, tx: &mut Tx) -> Result<(), Error> {
        store::insert(tx, self.series.table.to_write(true)).await
    }

    pub(super) async fn write_changed_series(&self, tx: &mut Tx) -> Result<(), Error> {
        store::update(tx, self.series.table.to_write(false)).await
    }
}
