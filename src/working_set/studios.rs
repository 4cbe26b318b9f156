//! The studios, looked up and changed, with their house rules, rooms and class types.

use super::rows::studios::Undo;
use super::{Abort, Change, Decision, Lookup, WorkingSet};
use crate::db::{Error, Tx};
use crate::schedule::{self, ClassType};
use crate::studios::{self, HouseRules, Room, StudioContext};
use std::sync::Arc;
use uuid::Uuid;

impl WorkingSet {
    /// The studio behind a row that is loaded.
    pub fn studio(&self, id: Uuid) -> Decision<Arc<StudioContext>> {
        self.studios.rows.get(&id).cloned().ok_or_else(|| Lookup::Studio(id).missing(self.studios.known.has(&id)))
    }

    /// A class type, if there is one.
    pub fn class_type(&self, id: Uuid) -> Decision<Option<Arc<ClassType>>> {
        match self.studios.class_types.get(&id) {
            None if !self.studios.known_class_types.has(&id) => Err(Abort::Needs(vec![Lookup::ClassType(id)])),
            found => Ok(found.cloned()),
        }
    }

    /// A room, if there is one.
    pub fn room(&self, id: Uuid) -> Decision<Option<Arc<Room>>> {
        match self.studios.rooms.get(&id) {
            None if !self.studios.known_rooms.has(&id) => Err(Abort::Needs(vec![Lookup::Room(id)])),
            found => Ok(found.cloned()),
        }
    }

    /// Gives a studio other house rules.
    pub fn put_house_rules(&mut self, studio: &Arc<StudioContext>, rules: HouseRules, version: i64) {
        let after = StudioContext { rules: rules.clone(), rules_version: version, ..StudioContext::clone(studio) };
        self.studios.rows.insert(studio.id, Arc::new(after));
        let to_write = self.studios.new_house_rules.insert(studio.id, (rules, version));
        self.journal.push(Change::Studio(Undo(Arc::clone(studio), to_write)));
    }

    pub(super) fn undo_studio(&mut self, Undo(studio, to_write): Undo) {
        match to_write {
            Some(rules) => drop(self.studios.new_house_rules.insert(studio.id, rules)),
            None => drop(self.studios.new_house_rules.remove(&studio.id)),
        }
        self.studios.rows.insert(studio.id, studio);
    }

    pub(super) async fn load_studios(&mut self, tx: &mut Tx, mut ids: Vec<Uuid>) -> Result<(), Error> {
        ids.retain(|id| !self.studios.rows.contains_key(id));
        if ids.is_empty() {
            return Ok(());
        }
        for studio in studios::store::contexts(tx, &ids).await? {
            self.studios.rows.insert(studio.id, Arc::new(studio));
        }
        self.studios.known.note(ids);
        Ok(())
    }

    pub(super) async fn load_rooms(&mut self, tx: &mut Tx, ids: &[Uuid]) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        let found = studios::store::rooms_among(tx, ids).await?;
        self.studios.rooms.extend(found.into_iter().map(|room| (room.id, Arc::new(room))));
        self.studios.known_rooms.note(ids.iter().copied());
        Ok(())
    }

    pub(super) async fn load_class_types(&mut self, tx: &mut Tx, ids: &[Uuid]) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        let found = schedule::store::class_types_among(tx, ids).await?;
        self.studios.class_types.extend(found.into_iter().map(|class_type| (class_type.id, Arc::new(class_type))));
        self.studios.known_class_types.note(ids.iter().copied());
        Ok(())
    }

    pub(super) async fn write_house_rules(&mut self, tx: &mut Tx) -> Result<(), Error> {
        for (studio_id, (rules, version)) in std::mem::take(&mut self.studios.new_house_rules) {
            studios::store::set_house_rules(tx, studio_id, &rules, version).await?;
        }
        Ok(())
    }
}
