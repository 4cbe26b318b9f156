//! The passes, looked up and changed, how often memberships were used, and the answers to keys under which passes were sold.

use super::rows::passes::{Undo, Visits};
use super::{Abort, Change, Decision, Lookup, WorkingSet};
use crate::booking::{self, Booking};
use crate::db::{Error, Tx};
use crate::passes::store::Paid;
use crate::passes::{self, LedgerEntry, LedgerReason, Pass, PassKind, PassState, PassType};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

impl WorkingSet {
    /// The passes with which a person ([`WorkingSet::person`]) may pay, their own and what their family shares, and how often each membership
    /// was used in the week of `monday`.
    pub fn passes(&self, person_id: Uuid, monday: NaiveDate) -> Decision<(Vec<PassState>, Visits)> {
        let (mut needs, mut states, mut used) = (Vec::new(), Vec::new(), Vec::new());
        let family = self.family_of(person_id);
        let shared = family.flat_map(|id| self.held_by(id)).filter(|pass| pass.shared_at.is_some());
        for pass in self.held_by(person_id).chain(shared) {
            if pass.kind == PassKind::Membership {
                if self.passes.knows_visits(pass.id, monday) {
                    used.push((pass.id, self.passes.visits.get(&(pass.id, monday)).copied().unwrap_or(0)));
                } else {
                    needs.push(Lookup::Visits(pass.id, monday));
                }
            }
            states.push(PassState { of_family: pass.person_id != person_id, ..pass.state() });
        }
        if needs.is_empty() { Ok((states, used)) } else { Err(Abort::Needs(needs)) }
    }

    /// How often a membership was used in the week of `monday` is to be known.
    pub fn know_visits(&self, pass_id: Uuid, monday: NaiveDate) -> Decision<()> {
        if self.passes.knows_visits(pass_id, monday) { Ok(()) } else { Err(Abort::Needs(vec![Lookup::Visits(pass_id, monday)])) }
    }

    /// How often a membership was used in the week of `monday`.
    pub fn visits(&self, pass_id: Uuid, monday: NaiveDate) -> Decision<i64> {
        self.know_visits(pass_id, monday)?;
        Ok(self.passes.visits.get(&(pass_id, monday)).copied().unwrap_or(0))
    }

    /// A pass that must exist.
    pub fn pass(&self, id: Uuid) -> Decision<&Pass> {
        self.passes.table.rows.get(&id).ok_or_else(|| Lookup::Pass(id).missing(self.passes.table.knows(id)))
    }

    /// A pass type, if there is one.
    pub fn pass_type(&self, id: Uuid) -> Decision<Option<Arc<PassType>>> {
        match self.passes.types.get(&id) {
            None if !self.passes.known_types.has(&id) => Err(Abort::Needs(vec![Lookup::PassType(id)])),
            found => Ok(found.cloned()),
        }
    }

    /// The stored answer to an idempotency key: the body's hash and the resulting id.
    pub fn answered(&self, person_id: Uuid, key: &str) -> Decision<Option<(String, Uuid)>> {
        let key = (person_id, key.to_owned());
        match self.passes.answers.get(&key) {
            None if !self.passes.known_answers.has(&key) => Err(Abort::Needs(vec![Lookup::Idempotency(key.0, key.1)])),
            found => Ok(found.cloned()),
        }
    }

    /// Puts a pass, new or changed, with the entry of the ledger that says why.
    pub fn put_pass(&mut self, pass: Pass, entry: LedgerEntry) {
        let id = pass.id;
        self.passes.of_person.entry(pass.person_id).or_default().insert(id);
        self.note_terms(&pass);
        let before = self.passes.table.put(id, pass);
        self.journal.push(Change::Pass(Undo::Put(id, before)));
        self.passes.ledger.push(entry);
    }

    /// Puts a pass about which nothing has changed that its ledger tells.
    pub fn put_pass_unchanged(&mut self, pass: Pass) {
        let id = pass.id;
        self.note_terms(&pass);
        let before = self.passes.table.put(id, pass);
        self.journal.push(Change::Pass(Undo::Noted(id, before)));
    }

    /// Notes whether more of a pass is to be written than its balance, which changes with every booking.
    fn note_terms(&mut self, pass: &Pass) {
        if self.passes.table.rows.get(&pass.id).is_some_and(|before| !pass.differs_in_balance_alone(before)) {
            self.passes.new_terms.insert(pass.id);
        }
    }

    /// All passes of a person ([`WorkingSet::person`]), whatever they can still pay for.
    pub fn held_by(&self, person_id: Uuid) -> impl Iterator<Item = &Pass> {
        let own = self.passes.of_person.get(&person_id).into_iter().flatten();
        own.filter_map(|id| self.passes.table.rows.get(id))
    }

    /// What was paid for a pass, in this batch too.
    pub fn paid_for(&self, pass_id: Uuid) -> Decision<Paid> {
        let is_new = self.passes.table.dirty.get(&pass_id) == Some(&true);
        let mut paid = match self.passes.paid.get(&pass_id) {
            None if !is_new && !self.passes.known_paid.has(&pass_id) => return Err(Abort::Needs(vec![Lookup::Paid(pass_id)])),
            found => found.cloned().unwrap_or_default(),
        };
        for entry in self.passes.ledger.iter().filter(|entry| entry.pass_id == pass_id) {
            match entry.reason {
                LedgerReason::Sold | LedgerReason::Transferred => {
                    paid.amount_minor += entry.amount_minor.unwrap_or(0);
                    paid.sold += entry.credits;
                    paid.currency = paid.currency.or_else(|| entry.currency.clone());
                }
                LedgerReason::Gift => paid.given += entry.credits,
                _ => {}
            }
        }
        Ok(paid)
    }

    /// Stores the answer to a key.
    pub fn remember(&mut self, person_id: Uuid, key: &str, body_hash: &str, result: Uuid, now: DateTime<Utc>) {
        self.passes.answers.insert((person_id, key.to_owned()), (body_hash.to_owned(), result));
        self.passes.new_answers.push((person_id, key.to_owned(), body_hash.to_owned(), result, now));
        self.journal.push(Change::Pass(Undo::Answer(person_id, key.to_owned())));
    }

    /// What a booking contributes to its membership's visits.
    pub(super) fn count_visit(&mut self, booking: &Booking, by: i64) {
        if let Some(key) = booking.pass_id.zip(booking.visit_week)
            && self.passes.knows_visits(key.0, key.1)
        {
            *self.passes.visits.entry(key).or_insert(0) += by;
        }
    }

    pub(super) fn undo_pass(&mut self, undo: Undo) {
        match undo {
            Undo::Put(id, before) => {
                self.passes.ledger.pop();
                let is_gone = before.row.is_none();
                if let Some(row) = self.passes.table.put_back(id, before)
                    && is_gone
                    && let Some(own) = self.passes.of_person.get_mut(&row.person_id)
                {
                    own.remove(&id);
                }
            }
            Undo::Noted(id, before) => drop(self.passes.table.put_back(id, before)),
            Undo::Answer(person_id, key) => {
                self.passes.answers.remove(&(person_id, key));
                self.passes.new_answers.pop();
            }
        }
    }

    pub(super) async fn load_passes(&mut self, tx: &mut Tx, ids: &[Uuid]) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        for pass in passes::store::by_id(tx, ids).await? {
            self.passes.load(pass);
        }
        self.passes.table.known.note(ids.iter().copied());
        Ok(())
    }

    /// All passes of these people, and what their families share.
    pub(super) async fn load_passes_of(&mut self, tx: &mut Tx, people: &[Uuid]) -> Result<(), Error> {
        let mut found = passes::store::of_people(tx, people).await?;
        let family: BTreeSet<Uuid> = people.iter().flat_map(|id| self.family_of(*id)).collect();
        let family: Vec<Uuid> = family.into_iter().collect();
        if !family.is_empty() {
            found.extend(passes::store::shared_by(tx, &family).await?);
        }
        self.passes.table.known.note(found.iter().map(|pass| pass.id));
        for pass in found {
            self.passes.load(pass);
        }
        Ok(())
    }

    pub(super) async fn load_visits(&mut self, tx: &mut Tx, pass_id: Uuid, monday: NaiveDate) -> Result<(), Error> {
        // What was counted in this batch since then would be counted twice.
        if !self.passes.knows_visits(pass_id, monday) {
            let visits = booking::store::visits(tx, pass_id, monday).await?;
            self.passes.visits.insert((pass_id, monday), visits);
            self.passes.known_visits.note([(pass_id, monday)]);
        }
        Ok(())
    }

    pub(super) async fn load_pass_types(&mut self, tx: &mut Tx, ids: &[Uuid]) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        let found = passes::store::types_by_id(tx, ids).await?;
        self.passes.types.extend(found.into_iter().map(|row| (row.id, Arc::new(row))));
        self.passes.known_types.note(ids.iter().copied());
        Ok(())
    }

    pub(super) async fn load_paid(&mut self, tx: &mut Tx, pass_id: Uuid) -> Result<(), Error> {
        // What is to be written is not there yet, and is added when it is asked for.
        let paid = passes::store::paid(tx, pass_id).await?;
        self.passes.paid.insert(pass_id, paid);
        self.passes.known_paid.note([pass_id]);
        Ok(())
    }

    pub(super) async fn load_answer(&mut self, tx: &mut Tx, person_id: Uuid, key: &str) -> Result<(), Error> {
        let key = (person_id, key.to_owned());
        if !self.passes.known_answers.has(&key) {
            if let Some(answer) = passes::store::answer(tx, person_id, &key.1).await? {
                self.passes.answers.entry(key.clone()).or_insert(answer);
            }
            self.passes.known_answers.note([key]);
        }
        Ok(())
    }

    pub(super) async fn write_new_passes(&self, tx: &mut Tx) -> Result<(), Error> {
        passes::store::insert(tx, self.passes.table.to_write(true)).await
    }

    pub(super) async fn write_changed_passes(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let (terms, balances) = self.passes.table.to_write(false).into_iter().partition(|pass| self.passes.new_terms.contains(&pass.id));
        passes::store::update(tx, terms).await?;
        passes::store::update_balances(tx, balances).await?;
        passes::store::insert_ledger(tx, std::mem::take(&mut self.passes.ledger)).await?;
        passes::store::remember_answers(tx, std::mem::take(&mut self.passes.new_answers)).await
    }
}
