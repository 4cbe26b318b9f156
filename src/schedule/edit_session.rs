//! `PATCH /v1/sessions/{id}`: one session, or what follows it in its series.

use super::Session;
use super::changes::apply;
use super::edit::Edit;
use super::rights::may_change;
use super::rules::LocalStart;
use super::series::ByHand;
use super::series::edit::edit_series;
use super::series::rules::by_hand;
use super::series::scope::Scope;
use super::session_fields::{EditSession, finish, set_class_type, set_instructor, set_room, set_start, start};
use super::session_parts::room;
use crate::events::Actor;
use crate::problem::{Problem, ProblemType};
use crate::studios::StudioContext;
use crate::working_set::{Decision, WorkingSet, caller};
use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

/// `PATCH /v1/sessions/{id}`.
pub fn edit_session(set: &mut WorkingSet, actor: &Actor, ask: &EditSession, now: DateTime<Utc>) -> Decision<Uuid> {
    let own = set.person(caller(actor)?)?;
    let before = set.session(ask.session_id)?.clone();
    let studio = set.studio(before.studio_id)?;
    may_change(&own, &studio, &before)?;
    if before.is_cancelled() {
        return Err(Problem::new(ProblemType::SessionCancelled).into());
    }
    if before.version != ask.version {
        return Err(Problem::new(ProblemType::VersionStale).with("version", before.version).into());
    }
    if now >= before.ends_at {
        return Err(Problem::new(ProblemType::SessionOver).into());
    }
    if ask.instructor_id.is_some_and(|id| id != before.instructor_id) && !own.roles.is_admin(studio.id) {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    if ask.scope != Scope::This {
        return edit_series(set, actor, &studio, &before, ask, now);
    }
    let mut after = edited(set, &studio, &before, ask, now)?;
    if let Some(series_id) = before.series_id {
        let plan = set.plan(series_id)?;
        let capacity = match ask.capacity {
            // Where the series leaves it to the room, only another number than the room's is a change by hand.
            Some(capacity) if plan.leaves_capacity(&after) => capacity != room(set, after.room_id, &studio)?.capacity,
            Some(_) => true,
            None => before.by_hand.contains(&ByHand::Capacity),
        };
        let differs = by_hand(&after, plan, studio.zone, capacity);
        after.by_hand = Json(differs);
    }
    apply(set, actor, &studio, vec![Edit { before, after }], ask.release, now)?;
    Ok(ask.session_id)
}

/// The session as the edit would have it.
fn edited(set: &WorkingSet, studio: &StudioContext, before: &Session, ask: &EditSession, now: DateTime<Utc>) -> Decision<Session> {
    let mut after = before.clone();
    if let Some(id) = ask.class_type_id {
        set_class_type(set, &mut after, id, studio)?;
    }
    if ask.room_id.is_some_and(|id| id != before.room_id) || ask.capacity.is_some() {
        set_room(set, &mut after, ask.room_id.unwrap_or(before.room_id), ask.capacity.unwrap_or(before.capacity), studio)?;
    }
    if let Some(id) = ask.instructor_id {
        set_instructor(set, &mut after, id, studio)?;
    }
    if let Some(exempt) = ask.too_few_exempt {
        after.too_few_exempt = exempt;
    }
    let unmoved = LocalStart::of(before.starts_at, studio.zone);
    if let Some(local_start) = ask.local_start.filter(|start| start.to_string() != unmoved.to_string()) {
        if now >= before.starts_at {
            return Err(Problem::new(ProblemType::SessionStarted).into());
        }
        set_start(&mut after, start(local_start, studio, now)?);
        after.skipped_minute = None;
    }
    Ok(finish(before, after, studio, now))
}
