//! Which parts of a session can be changed, and what follows from each.

use super::Session;
use super::changes::changed;
use super::rules::{LocalStart, resolve_local_start};
use super::series::scope::Scope;
use super::session_parts::{capacity, class_type, instructor, room};
use crate::problem::Problem;
use crate::studios::StudioContext;
use crate::working_set::{Decision, WorkingSet};
use crate::wrong::Wrong;
use chrono::Duration;
use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

/// `PATCH /v1/sessions/{id}`: what is absent stays.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct EditSession {
    pub session_id: Uuid,
    pub version: i64,
    pub class_type_id: Option<Uuid>,
    pub room_id: Option<Uuid>,
    pub instructor_id: Option<Uuid>,
    pub local_start: Option<LocalStart>,
    pub capacity: Option<i64>,
    pub too_few_exempt: Option<bool>,
    pub scope: Scope,
    /// Members whom the change would put into two sessions at once or leave without a place are released instead of preventing it.
    pub release: bool,
}

/// Another class type: its length, its price and its minimum come with it.
pub fn set_class_type(set: &WorkingSet, session: &mut Session, id: Uuid, studio: &StudioContext) -> Decision<()> {
    if id == session.class_type_id {
        return Ok(());
    }
    let class_type = class_type(set, id, studio)?;
    session.class_type_id = id;
    session.names.class_name = class_type.name.clone();
    session.names.class_level.clone_from(&class_type.level);
    session.names.class_minutes = class_type.minutes;
    session.credits = class_type.credits;
    session.minimum = class_type.minimum;
    session.ends_at = session.starts_at + Duration::minutes(class_type.minutes);
    Ok(())
}

/// Another room, or another capacity in it.
pub fn set_room(set: &WorkingSet, session: &mut Session, room_id: Uuid, asked: i64, studio: &StudioContext) -> Decision<()> {
    let room = room(set, room_id, studio)?;
    session.room_id = room.id;
    session.names.room_name.clone_from(&room.name);
    session.capacity = capacity(Some(asked), &room)?;
    Ok(())
}

/// Another instructor.
pub fn set_instructor(set: &WorkingSet, session: &mut Session, id: Uuid, studio: &StudioContext) -> Decision<()> {
    if id == session.instructor_id {
        return Ok(());
    }
    let instructor = instructor(set, id, studio)?;
    session.instructor_id = id;
    session.names.instructor_name.clone_from(&instructor.name);
    Ok(())
}

/// Another start; the length stays.
pub fn set_start(session: &mut Session, starts_at: DateTime<Utc>) {
    let long = session.ends_at - session.starts_at;
    (session.starts_at, session.ends_at) = (starts_at, starts_at + long);
}

/// What follows from the changes.
pub fn finish(before: &Session, mut after: Session, studio: &StudioContext, now: DateTime<Utc>) -> Session {
    let rules = studio.rules_of(after.class_type_id);
    after.follow_start(&rules, studio.zone, now);
    if !after.is_draft() {
        after.changed = Json(changed(before, &after));
    }
    after.version += 1;
    after.sequence += 1;
    after
}

/// The instant of a wall time to come.
pub fn start(local_start: LocalStart, studio: &StudioContext, now: DateTime<Utc>) -> Decision<DateTime<Utc>> {
    let starts_at = resolve_local_start(local_start, studio.zone).map_err(|skipped| {
        let wrong = Wrong::SkippedByClock { next: skipped.next.to_string() };
        Problem::field("local_start", wrong).with("next_valid", skipped.next)
    })?;
    if starts_at <= now {
        return Err(Problem::field("local_start", Wrong::NotInFuture).into());
    }
    Ok(starts_at)
}
