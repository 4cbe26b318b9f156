//! The requests for substitutes, looked up and changed, and who could stand in.

use super::rows::requests::Undo;
use super::{Abort, Change, Decision, Lookup, WorkingSet};
use crate::db::{Error, Tx};
use crate::schedule::substitutes::{Candidate, SubstituteRequest, store};
use std::sync::Arc;
use uuid::Uuid;

impl WorkingSet {
    /// A request for a substitute that must exist.
    pub fn request(&self, id: Uuid) -> Decision<&SubstituteRequest> {
        self.requests.table.rows.get(&id).ok_or_else(|| Lookup::SubstituteRequest(id).missing(self.requests.table.knows(id)))
    }

    /// The pending request about a session.
    pub fn pending_request(&self, session_id: Uuid) -> Decision<Option<&SubstituteRequest>> {
        if !self.requests.known_sessions.has(&session_id) {
            return Err(Abort::Needs(vec![Lookup::PendingRequest(session_id)]));
        }
        Ok(self.requests.table.rows.values().find(|request| request.session_id == session_id && request.is_pending()))
    }

    /// What the instructors of a studio teach, and when they say they are available.
    pub fn candidates(&self, studio_id: Uuid) -> Decision<Arc<Vec<Candidate>>> {
        match self.requests.candidates.get(&studio_id) {
            None if !self.requests.known_candidates.has(&studio_id) => Err(Abort::Needs(vec![Lookup::Candidates(studio_id)])),
            found => Ok(found.cloned().unwrap_or_default()),
        }
    }

    /// Puts a request, new or changed.
    pub fn put_request(&mut self, request: SubstituteRequest) {
        let id = request.id;
        let before = self.requests.table.put(id, request);
        self.journal.push(Change::Request(Undo(id, before)));
    }

    pub(super) fn undo_request(&mut self, Undo(id, before): Undo) {
        self.requests.table.put_back(id, before);
    }

    /// Requests, with their sessions.
    pub(super) async fn load_requests(&mut self, tx: &mut Tx, ids: &[Uuid]) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        let found = store::by_id(tx, ids).await?;
        self.load_sessions(tx, &found.iter().map(|request| request.session_id).collect::<Vec<_>>()).await?;
        for request in found {
            self.requests.table.load(request.id, request);
        }
        self.requests.table.known.note(ids.iter().copied());
        Ok(())
    }

    pub(super) async fn load_pending_requests(&mut self, tx: &mut Tx, sessions: &[Uuid]) -> Result<(), Error> {
        for request in store::pending(tx, sessions).await? {
            self.requests.table.load(request.id, request);
        }
        self.requests.known_sessions.note(sessions.iter().copied());
        Ok(())
    }

    pub(super) async fn load_candidates(&mut self, tx: &mut Tx, studio_id: Uuid) -> Result<(), Error> {
        let found = store::candidates(tx, studio_id).await?;
        self.requests.candidates.insert(studio_id, Arc::new(found));
        self.requests.known_candidates.note([studio_id]);
        Ok(())
    }

    /// Updates before inserts: a session has at most one pending request, and one that has ended makes room.
    pub(super) async fn write_requests(&self, tx: &mut Tx) -> Result<(), Error> {
        store::update(tx, self.requests.table.to_write(false)).await?;
        store::insert(tx, self.requests.table.to_write(true)).await
    }
}
