//! A session taken off the schedule.

use super::edit::Edit;
use super::series::scope::Scope;
use super::substitutes::follow::follow_sessions;
use super::{Session, SessionStatus};
use crate::booking::cancelled_by_studio::end_by_studio;
use crate::booking::refill::settle;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::holds::end::end_with_session;
use crate::letters::facts::CancelReason;
use crate::working_set::{Decision, WorkingSet};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// `PUT /v1/sessions/{id}/cancellation`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct CancelSession {
    pub session_id: Uuid,
    pub reason: Option<CancelReason>,
    pub note: Option<String>,
    pub scope: Scope,
}

/// Takes a session off the schedule: everything taken for it comes back, and everybody in it is told.
pub fn cancel_one(
    set: &mut WorkingSet,
    actor: &Actor,
    mut session: Session,
    reason: Option<CancelReason>,
    note: Option<&str>,
    now: DateTime<Utc>,
) -> Decision<()> {
    let before = session.clone();
    session.was_draft = session.is_draft();
    session.status = SessionStatus::Cancelled;
    session.cancelled_at = Some(now);
    session.cancel_reason = reason;
    session.cancel_note = note.map(str::to_owned);
    (session.too_few_at, session.too_few_due_at) = (None, None);
    session.sequence += 1;
    session.version += 1;
    set.put_session(session.clone());
    follow_sessions(set, actor, &[Edit { before, after: session.clone() }], now)?;
    emit(set, actor, Event::of_session(&session, Happened::SessionCancelled { reason }))?;
    end_with_session(set, actor, &session, now)?;
    let freed = end_by_studio(set, actor, &session, now)?;
    settle(set, freed, now)
}
