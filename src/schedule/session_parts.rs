//! What a session is made of: a class type, a room and an instructor of its studio.

use std::sync::Arc;

use super::{ClassType, NewSession, Session, SessionNames, SessionRow};
use crate::ids::new_id;
use crate::people::Person;
use crate::problem::Problem;
use crate::studios::{Room, StudioContext};
use crate::working_set::{Abort, Decision, WorkingSet};
use crate::wrong::Wrong;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The largest capacity of a session.
const CAPACITY_MAX: i64 = 10_000;

/// What a session is made of, found and checked for its studio.
#[derive(Clone)]
pub struct SessionParts {
    pub class_type: Arc<ClassType>,
    pub room: Arc<Room>,
    pub instructor: Arc<Person>,
}

impl SessionParts {
    /// A session made of these parts.
    pub fn session(&self, studio: &StudioContext, starts_at: DateTime<Utc>, capacity: i64, draft: bool, now: DateTime<Utc>) -> Session {
        let new = NewSession {
            id: new_id(now),
            studio_id: studio.id,
            class_type_id: self.class_type.id,
            room_id: self.room.id,
            instructor_id: self.instructor.id,
            starts_at,
            minutes: self.class_type.minutes,
            capacity,
            credits: self.class_type.credits,
            minimum: self.class_type.minimum,
            draft,
        };
        let names = SessionNames {
            class_name: self.class_type.name.clone(),
            class_level: self.class_type.level.clone(),
            class_minutes: self.class_type.minutes,
            room_name: self.room.name.clone(),
            instructor_name: self.instructor.name.clone(),
            time_zone: studio.zone.into(),
            studio_locale: studio.locale,
        };
        Session { session: SessionRow::new(new, &studio.rules_of(self.class_type.id), studio.zone, now), names }
    }
}

/// A class type of the studio.
pub fn class_type(set: &WorkingSet, id: Uuid, studio: &StudioContext) -> Decision<Arc<ClassType>> {
    match set.class_type(id)? {
        Some(found) if found.studio_id == studio.id => Ok(found),
        _ => Err(Problem::field("class_type_id", Wrong::NotClassType).into()),
    }
}

/// A room of the studio.
pub fn room(set: &WorkingSet, id: Uuid, studio: &StudioContext) -> Decision<Arc<Room>> {
    match set.room(id)? {
        Some(found) if found.studio_id == studio.id => Ok(found),
        _ => Err(Problem::field("room_id", Wrong::NotRoom).into()),
    }
}

/// An instructor of the studio.
pub fn instructor(set: &WorkingSet, id: Uuid, studio: &StudioContext) -> Decision<Arc<Person>> {
    match set.identity(id) {
        Ok(person) if person.roles.is_instructor(studio.id) => Ok(person),
        Err(stop @ Abort::Needs(_)) => Err(stop),
        _ => Err(Problem::field("instructor_id", Wrong::NotInstructor).into()),
    }
}

/// A session's instructor, if they still teach in the studio.
pub fn still_teaches(set: &WorkingSet, id: Uuid, studio: &StudioContext) -> Decision<Option<Arc<Person>>> {
    match instructor(set, id, studio) {
        Err(Abort::Refused(_)) => Ok(None),
        other => other.map(Some),
    }
}

/// How many the session takes: what was asked, at most the room's.
pub fn capacity(asked: Option<i64>, room: &Room) -> Decision<i64> {
    let capacity = asked.unwrap_or(room.capacity);
    if !(1..=CAPACITY_MAX.min(room.capacity)).contains(&capacity) {
        return Err(Problem::field("capacity", Wrong::OverRoom { max: room.capacity }).into());
    }
    Ok(capacity)
}
