//! The studios that a batch knows, with their house rules, rooms and class types.

use crate::working_set::known::Known;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use uuid::Uuid;

use crate::schedule::ClassType;
use crate::studios::{HouseRules, Overrides, Room, RulesOf, StudioContext};

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
    /// What class types and pass types are to change about them: changes and version.
    pub new_overrides: BTreeMap<RulesOf, (Box<Overrides>, i64)>,
}

/// How a change to studios is undone.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "the large one is the usual one")]
pub enum Undo {
    /// House rules were put: the studio as it was, and what was to be written.
    HouseRules(Arc<StudioContext>, Option<(HouseRules, i64)>),
    /// What a class type or a pass type changes was put: the studios as they were, and what was to be written.
    Overrides(Vec<Arc<StudioContext>>, RulesOf, Option<(Box<Overrides>, i64)>),
}

impl Studios {
    pub fn know_everything(&mut self) {
        self.known = Known::All;
        self.known_rooms = Known::All;
        self.known_class_types = Known::All;
    }
}
