//! The studios, looked up and changed, with their house rules, rooms and class types.

use super::rows::studios::Undo;
use super::{Abort, Change, Decision, Lookup, WorkingSet};
use crate::db::{Error, Tx};
use crate::schedule::{self, ClassType};
use crate::studios::house_rules::applied::PassTypeRules;
use crate::studios::{self, HouseRules, Overrides, Room, RulesOf, StudioContext};
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
        self.journal.push(Change::Studio(Undo::HouseRules(Arc::clone(studio), to_write)));
    }

    /// Lets a class type change other things about its studio's rules.
    pub fn put_class_type_rules(&mut self, studio: &Arc<StudioContext>, id: Uuid, overrides: &Overrides, version: i64) {
        let mut after = StudioContext::clone(studio);
        after.class_type_rules.remove(&id);
        if !overrides.is_empty() {
            after.class_type_rules.insert(id, overrides.clone());
        }
        self.studios.rows.insert(studio.id, Arc::new(after));
        self.put_overrides(vec![Arc::clone(studio)], RulesOf::ClassType(id), overrides, version);
    }

    /// Lets a pass type change other things about the rules of the studios in which it is valid.
    pub fn put_pass_type_rules(&mut self, id: Uuid, studio_ids: &[Uuid], overrides: &Overrides, version: i64) {
        let before: Vec<Arc<StudioContext>> = self.studios.rows.values().cloned().collect();
        for studio in &before {
            let mut after = StudioContext::clone(studio);
            after.pass_type_rules.remove(&id);
            if !overrides.is_empty() {
                let rules = PassTypeRules { studio_ids: studio_ids.to_vec(), overrides: overrides.clone() };
                after.pass_type_rules.insert(id, rules);
            }
            self.studios.rows.insert(studio.id, Arc::new(after));
        }
        self.put_overrides(before, RulesOf::PassType(id), overrides, version);
    }

    fn put_overrides(&mut self, before: Vec<Arc<StudioContext>>, of: RulesOf, overrides: &Overrides, version: i64) {
        let to_write = self.studios.new_overrides.insert(of, (Box::new(overrides.clone()), version));
        self.journal.push(Change::Studio(Undo::Overrides(before, of, to_write)));
    }

    pub(super) fn undo_studio(&mut self, undo: Undo) {
        match undo {
            Undo::HouseRules(studio, to_write) => {
                match to_write {
                    Some(rules) => drop(self.studios.new_house_rules.insert(studio.id, rules)),
                    None => drop(self.studios.new_house_rules.remove(&studio.id)),
                }
                self.studios.rows.insert(studio.id, studio);
            }
            Undo::Overrides(studios, of, to_write) => {
                match to_write {
                    Some(rules) => drop(self.studios.new_overrides.insert(of, rules)),
                    None => drop(self.studios.new_overrides.remove(&of)),
                }
                self.studios.rows.extend(studios.into_iter().map(|studio| (studio.id, studio)));
            }
        }
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
        for (of, (overrides, version)) in std::mem::take(&mut self.studios.new_overrides) {
            studios::store::set_overrides(tx, of, &overrides, version).await?;
        }
        Ok(())
    }
}
