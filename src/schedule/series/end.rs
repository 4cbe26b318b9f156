//! `PUT /v1/sessions/{id}/cancellation` with a scope: the series ends, and what it made is cancelled.

use super::scope::{must_be_their_own, scope};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::schedule::Session;
use crate::schedule::cancellation::{CancelSession, cancel_one};
use crate::studios::StudioContext;
use crate::working_set::{Decision, WorkingSet, all};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// `PUT /v1/sessions/{id}/cancellation` with a scope: the series ends, and what it made is cancelled.
pub fn end_series(
    set: &mut WorkingSet,
    actor: &Actor,
    studio: &StudioContext,
    anchor: &Session,
    ask: &CancelSession,
    now: DateTime<Utc>,
) -> Decision<Uuid> {
    let (mut plan, from) = scope(set, anchor, ask.scope, now)?;
    must_be_their_own(set, actor, studio, &plan, from, now)?;
    let sessions: Vec<Session> =
        set.of_series(plan.series.id, now)?.into_iter().filter(|session| session.series_date >= Some(from)).collect();
    let people: i64 = sessions.iter().map(|session| session.taken + session.waiting).sum();
    set.must_bear(people)?;
    all(sessions.iter().map(|session| set.roster(session.id)))?;
    plan.end_before(from);
    plan.series.version += 1;
    let what = Happened::SeriesEnded { from, sessions: sessions.len() };
    emit(set, actor, Event::in_studio(studio.id, Subject::Series, plan.series.id, what))?;
    set.put_plan(plan);
    for session in sessions {
        let session = set.session(session.id)?.clone();
        cancel_one(set, actor, session, ask.reason, ask.note.as_deref(), now)?;
    }
    Ok(ask.session_id)
}
