//! The studios that a batch knows, with their house rules, rooms and class types.

use crate::working_set::known::Known;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use uuid::Uuid;

use crate::schedule::ClassType;
use crate::studios::{HouseRules, Room, StudioContext};

/// The studios of a batch.
#[derive(Debug, Default)]
pub struct Studios {
    pub rows: HashMap<Uuid, Arc<StudioContext>>,
    pub known: Known<Uuid>,
    pub rooms: HashMap<Uuid, Arc<Room>>,
    pub known_rooms: Known<Uuid>,
    pub class_types: HashMap<Uuid, Arc<ClassType>>,
    pub known_class_types: Known<Uuid>,
    /// House rules to be written: rules and version.
    pub new_house_rules: BTreeMap<Uuid, (HouseRules, i64)>,
}

/// How a change to studios is undone: the studio as it was, and what was to be written.
#[derive(Debug)]
pub struct Undo(pub Arc<StudioContext>, pub Option<(HouseRules, i64)>);

impl Studios {
    pub fn know_everything(&mut self) {
        self.known = Known::All;
        self.known_rooms = Known::All;
        self.known_class_types = Known::All;
    }
}
