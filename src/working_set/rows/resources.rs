//! What occupies something for a time: a room has one session at a time, and an instructor is in one place.

use crate::schedule::{Clash, Session};
use chrono::{DateTime, Utc};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// Something that one session at a time can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// A room.
    Room(Uuid),
    /// An instructor, in any studio.
    Instructor(Uuid),
}

impl Resource {
    /// What a session occupies.
    pub const fn of(session: &Clash) -> [Self; 2] {
        [Self::Room(session.room_id), Self::Instructor(session.instructor_id)]
    }
}

/// From when until when.
pub type Span = (DateTime<Utc>, DateTime<Utc>);

/// Who and what is occupied when.
#[derive(Debug, Default)]
pub struct Resources {
    /// Whether every session that exists is here.
    pub everything: bool,
    /// Times for which it is known what occupies a resource.
    pub known: HashMap<Resource, Vec<Span>>,
    /// Sessions known only because they may clash.
    pub others: HashMap<Uuid, Clash>,
    /// The sessions that occupy each resource, by their start.
    pub busy: HashMap<Resource, BTreeSet<(DateTime<Utc>, Uuid)>>,
}

impl Resources {
    pub fn know_everything(&mut self) {
        self.everything = true;
    }

    /// Follows a session that was loaded or changed.
    pub fn replace(&mut self, before: Option<&Session>, after: Option<&Session>) {
        if let Some(before) = before {
            for resource in Resource::of(&Clash::of(before)) {
                if let Some(busy) = self.busy.get_mut(&resource) {
                    busy.remove(&(before.starts_at, before.id));
                }
            }
        }
        if let Some(after) = after.filter(|after| !after.is_cancelled()) {
            for resource in Resource::of(&Clash::of(after)) {
                self.busy.entry(resource).or_default().insert((after.starts_at, after.id));
            }
        }
    }

    pub fn forget_other(&mut self, id: Uuid) {
        self.others.remove(&id);
    }

    pub fn knows(&self, resource: Resource, from: DateTime<Utc>, until: DateTime<Utc>) -> bool {
        let spans = self.known.get(&resource).into_iter().flatten();
        self.everything || spans.into_iter().any(|(known_from, known_until)| *known_from <= from && until <= *known_until)
    }
}
