//! The passes that a batch knows, how often memberships were used, and the answers to keys under which passes were sold.

use crate::working_set::known::Known;
use crate::working_set::table::{Before, Table};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

use crate::passes::store::Paid;
use crate::passes::{LedgerEntry, Pass, PassType};

/// How often each membership was used in a week.
pub type Visits = Vec<(Uuid, i64)>;

/// The passes of a batch.
#[derive(Debug, Default)]
pub struct Passes {
    pub table: Table<Pass>,
    pub of_person: HashMap<Uuid, BTreeSet<Uuid>>,
    pub visits: HashMap<(Uuid, NaiveDate), i64>,
    pub known_visits: Known<(Uuid, NaiveDate)>,
    pub types: HashMap<Uuid, Arc<PassType>>,
    pub known_types: Known<Uuid>,
    /// The stored answer to a person's key: the body's hash and the resulting id.
    pub answers: HashMap<(Uuid, String), (String, Uuid)>,
    pub known_answers: Known<(Uuid, String)>,
    pub new_answers: Vec<(Uuid, String, String, Uuid, DateTime<Utc>)>,
    /// Entries of the ledger to be written.
    pub ledger: Vec<LedgerEntry>,
    /// What was paid for passes until this batch.
    pub paid: HashMap<Uuid, Paid>,
    pub known_paid: Known<Uuid>,
    /// Passes of which more has changed than the balance.
    pub new_terms: HashSet<Uuid>,
}

/// How a change to passes is undone.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "the large one is the usual one")]
pub enum Undo {
    /// A pass was put, with its entry of the ledger.
    Put(Uuid, Before<Pass>),
    /// The same, without an entry.
    Noted(Uuid, Before<Pass>),
    /// A key was answered.
    Answer(Uuid, String),
}

impl Passes {
    pub fn know_everything(&mut self) {
        self.table.known = Known::All;
        self.known_visits = Known::All;
        self.known_types = Known::All;
        self.known_answers = Known::All;
        self.known_paid = Known::All;
    }

    pub fn load(&mut self, pass: Pass) {
        self.of_person.entry(pass.person_id).or_default().insert(pass.id);
        self.table.load(pass.id, pass);
    }

    /// Whether every visit of a membership in a week is counted here: one that is sold in this batch has none in the database, and would have
    /// another id when its sale is decided again.
    pub fn knows_visits(&self, pass_id: Uuid, monday: NaiveDate) -> bool {
        self.known_visits.has(&(pass_id, monday)) || self.table.dirty.get(&pass_id) == Some(&true)
    }
}
