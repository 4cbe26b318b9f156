//! `POST /v1/studios/{id}/sessions`.

use super::changes::nobody_in_the_way;
use super::rights::may_make;
use super::rules::LocalStart;
use super::session_fields::start;
use super::session_parts::{SessionParts, capacity, class_type, instructor, room};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, caller};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// `POST /v1/studios/{id}/sessions`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct MakeSession {
    pub studio_id: Uuid,
    pub class_type_id: Uuid,
    pub room_id: Uuid,
    pub instructor_id: Uuid,
    pub local_start: LocalStart,
    pub capacity: Option<i64>,
    pub draft: bool,
}

/// `POST /v1/studios/{id}/sessions`.
pub fn make_session(set: &mut WorkingSet, actor: &Actor, ask: &MakeSession, now: DateTime<Utc>) -> Decision<Uuid> {
    let own = set.person(caller(actor)?)?;
    let studio = set.studio(ask.studio_id)?;
    let proposes = may_make(&own, &studio, ask.instructor_id)?;
    let parts = SessionParts {
        class_type: class_type(set, ask.class_type_id, &studio)?,
        room: room(set, ask.room_id, &studio)?,
        instructor: instructor(set, ask.instructor_id, &studio)?,
    };
    let starts_at = start(ask.local_start, &studio, now)?;
    if set.is_closed(studio.id, ask.local_start.local().date())? {
        return Err(Problem::new(ProblemType::StudioClosed).into());
    }
    let capacity = capacity(ask.capacity, &parts.room)?;
    let session = parts.session(&studio, starts_at, capacity, ask.draft || proposes, now);
    nobody_in_the_way(set, &[&session])?;
    let id = session.id;
    let event = Event::of_session(&session, Happened::SessionMade { copy_of: None });
    set.put_session(session.clone());
    emit(set, actor, event)?;
    if proposes {
        emit(set, actor, Event::of_session(&session, Happened::SessionsProposed { by: own.id, count: 1 }))?;
    }
    Ok(id)
}
