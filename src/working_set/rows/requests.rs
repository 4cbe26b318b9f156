//! The requests for substitutes that a batch knows, and who could stand in.

use crate::working_set::known::Known;
use crate::working_set::table::{Before, Table};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

use crate::schedule::substitutes::{Candidate, SubstituteRequest};

/// The requests of a batch.
#[derive(Debug, Default)]
pub struct Requests {
    pub table: Table<SubstituteRequest>,
    /// Sessions of which it is known whether a request is pending.
    pub known_sessions: Known<Uuid>,
    pub candidates: HashMap<Uuid, Arc<Vec<Candidate>>>,
    pub known_candidates: Known<Uuid>,
}

/// How a change to requests is undone.
#[derive(Debug)]
pub struct Undo(pub Uuid, pub Before<SubstituteRequest>);

impl Requests {
    pub fn know_everything(&mut self) {
        self.table.known = Known::All;
        self.known_sessions = Known::All;
        self.known_candidates = Known::All;
    }

    /// A session that was just made has no request.
    pub fn know_none(&mut self, session_id: Uuid) {
        self.known_sessions.note([session_id]);
    }
}
