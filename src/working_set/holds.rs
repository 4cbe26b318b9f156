//! The holds, looked up and changed; how many places a session holds back follows from them.

use super::rows::holds::Undo;
use super::{Abort, Change, Decision, Lookup, WorkingSet};
use crate::db::{Error, Tx};
use crate::holds::{Hold, store};
use uuid::Uuid;

impl WorkingSet {
    /// A hold, if there is one with this id, in whatever session.
    pub fn hold(&self, id: Uuid) -> Decision<Option<&Hold>> {
        match self.holds.table.rows.get(&id) {
            None if !self.holds.table.knows(id) => Err(Abort::Needs(vec![Lookup::Hold(id)])),
            found => Ok(found),
        }
    }

    /// The holds of a session, those that have ended too.
    pub fn holds(&self, session_id: Uuid) -> Decision<Vec<&Hold>> {
        if !self.holds.known_sessions.has(&session_id) {
            return Err(Abort::Needs(vec![Lookup::Holds(session_id)]));
        }
        Ok(self.holds.table.rows.values().filter(|hold| hold.session_id == session_id).collect())
    }

    /// Every hold that is loaded. For simulations without a database.
    pub fn all_holds(&self) -> impl Iterator<Item = &Hold> {
        self.holds.table.rows.values()
    }

    /// Puts a hold, new or changed. Its session must be loaded.
    pub fn put_hold(&mut self, hold: Hold) {
        let (id, session_id, keeps) = (hold.id, hold.session_id, hold.keeps());
        let before = self.holds.table.put(id, hold);
        let kept = before.row.as_ref().map_or(0, Hold::keeps);
        self.sessions.hold(session_id, keeps - kept);
        self.journal.push(Change::Hold(Undo(id, before)));
    }

    pub(super) fn undo_hold(&mut self, Undo(id, before): Undo) {
        let kept = before.row.as_ref().map_or(0, Hold::keeps);
        if let Some(undone) = self.holds.table.rows.get(&id) {
            self.sessions.hold(undone.session_id, kept - undone.keeps());
        }
        self.holds.table.put_back(id, before);
    }

    /// Holds, with their sessions.
    pub(super) async fn load_holds(&mut self, tx: &mut Tx, ids: &[Uuid]) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        let found = store::by_id(tx, ids).await?;
        self.load_sessions(tx, &found.iter().map(|hold| hold.session_id).collect::<Vec<_>>()).await?;
        for hold in found {
            self.holds.table.load(hold.id, hold);
        }
        self.holds.table.known.note(ids.iter().copied());
        Ok(())
    }

    pub(super) async fn load_holds_of(&mut self, tx: &mut Tx, sessions: &[Uuid]) -> Result<(), Error> {
        if sessions.is_empty() {
            return Ok(());
        }
        for hold in store::of_sessions(tx, sessions).await? {
            self.holds.table.load(hold.id, hold);
        }
        self.holds.known_sessions.note(sessions.iter().copied());
        Ok(())
    }

    /// After the sessions that they are of were made.
    pub(super) async fn write_holds(&self, tx: &mut Tx) -> Result<(), Error> {
        store::update(tx, self.holds.table.to_write(false)).await?;
        store::insert(tx, self.holds.table.to_write(true)).await
    }
}
