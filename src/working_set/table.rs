//! A table's rows in a batch, and which of them must be written.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

/// A table's rows by id, and which of them must be written.
#[derive(Debug)]
pub struct Table<T> {
    pub(super) rows: HashMap<Uuid, T>,
    /// `true`: to be inserted; `false`: to be updated.
    pub(super) dirty: BTreeMap<Uuid, bool>,
    /// Ids that were looked for and are not there.
    pub(super) absent: HashSet<Uuid>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: HashMap::new(), dirty: BTreeMap::new(), absent: HashSet::new() }
    }
}

impl<T> Table<T> {
    /// Whether it is known if there is such a row.
    pub fn knows(&self, id: Uuid) -> bool {
        self.rows.contains_key(&id) || self.absent.contains(&id)
    }

    /// The rows to be inserted (`true`) or updated (`false`).
    pub fn to_write(&self, new: bool) -> Vec<&T> {
        self.dirty.iter().filter(|(_, is_new)| **is_new == new).filter_map(|(id, _)| self.rows.get(id)).collect()
    }

    /// Takes in what was loaded; a row that is known already is at least as new.
    pub fn load(&mut self, id: Uuid, row: T) -> bool {
        if self.rows.contains_key(&id) {
            return false;
        }
        self.absent.remove(&id);
        self.rows.insert(id, row);
        true
    }

    /// Remembers that there is no such row.
    pub fn note_absent(&mut self, id: Uuid) {
        if !self.rows.contains_key(&id) {
            self.absent.insert(id);
        }
    }
    /// Notes, before a row is put, that it must be written; answers what was noted before.
    pub fn must_write(&mut self, id: Uuid) -> Option<bool> {
        let noted = self.dirty.get(&id).copied();
        self.dirty.insert(id, noted.unwrap_or(!self.rows.contains_key(&id)));
        noted
    }

    /// Takes a note back to what it was.
    pub fn note_again(&mut self, id: Uuid, noted: Option<bool>) {
        match noted {
            Some(is_new) => drop(self.dirty.insert(id, is_new)),
            None => drop(self.dirty.remove(&id)),
        }
    }

    /// Takes a row, and the note on it, back to what they were; answers the row that is given up.
    pub fn put_back(&mut self, id: Uuid, row: Option<T>, noted: Option<bool>) -> Option<T> {
        self.note_again(id, noted);
        match row {
            Some(row) => self.rows.insert(id, row),
            None => self.rows.remove(&id),
        }
    }
}
