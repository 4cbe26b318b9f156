//! A table's rows in a batch, which of them must be written, and which are known not to exist.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::known::Known;

/// A table's rows by id.
#[derive(Debug)]
pub struct Table<T> {
    pub rows: HashMap<Uuid, T>,
    /// `true`: to be inserted; `false`: to be updated.
    pub dirty: BTreeMap<Uuid, bool>,
    /// Ids that were looked up.
    pub known: Known<Uuid>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: HashMap::new(), dirty: BTreeMap::new(), known: Known::default() }
    }
}

impl<T> Table<T> {
    /// Whether it is known if there is such a row.
    pub fn knows(&self, id: Uuid) -> bool {
        self.rows.contains_key(&id) || self.known.has(&id)
    }

    /// The rows to be inserted (`true`) or updated (`false`).
    pub fn to_write(&self, new: bool) -> Vec<&T> {
        self.dirty.iter().filter(|(_, is_new)| **is_new == new).filter_map(|(id, _)| self.rows.get(id)).collect()
    }

    /// Adds a loaded row; one that is known already is at least as new.
    pub fn load(&mut self, id: Uuid, row: T) {
        self.rows.entry(id).or_insert(row);
    }

    /// Puts a row, and notes that it must be written; returns the row and the note that were there before.
    pub fn put(&mut self, id: Uuid, row: T) -> Before<T> {
        let noted = self.must_write(id);
        Before { row: self.rows.insert(id, row), noted }
    }

    /// Restores a row and the note on it; returns the row that is discarded.
    pub fn put_back(&mut self, id: Uuid, before: Before<T>) -> Option<T> {
        self.note_again(id, before.noted);
        match before.row {
            Some(row) => self.rows.insert(id, row),
            None => self.rows.remove(&id),
        }
    }

    /// Notes, before a row is put, that it must be written; returns what was noted before.
    pub fn must_write(&mut self, id: Uuid) -> Option<bool> {
        let noted = self.dirty.get(&id).copied();
        self.dirty.insert(id, noted.unwrap_or(!self.rows.contains_key(&id)));
        noted
    }

    /// Restores a note.
    pub fn note_again(&mut self, id: Uuid, noted: Option<bool>) {
        match noted {
            Some(is_new) => drop(self.dirty.insert(id, is_new)),
            None => drop(self.dirty.remove(&id)),
        }
    }
}

/// A row, and whether it had to be written, before it was put.
#[derive(Debug)]
pub struct Before<T> {
    pub row: Option<T>,
    pub noted: Option<bool>,
}
