//! `PUT /v1/sessions/{id}/cancellation`: one session, or what follows it in its series.

use super::cancellation::{CancelSession, cancel_one};
use super::rights::may_change;
use super::series::end::end_series;
use super::series::scope::Scope;
use crate::events::Actor;
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, caller};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// `PUT /v1/sessions/{id}/cancellation`.
pub fn cancel_session(set: &mut WorkingSet, actor: &Actor, ask: &CancelSession, now: DateTime<Utc>) -> Decision<Uuid> {
    let own = set.person(caller(actor)?)?;
    let session = set.session(ask.session_id)?.clone();
    let studio = set.studio(session.studio_id)?;
    may_change(&own, &studio, &session)?;
    if ask.scope != Scope::This {
        return end_series(set, actor, &studio, &session, ask, now);
    }
    if session.is_cancelled() {
        return Ok(ask.session_id);
    }
    if now >= session.ends_at {
        return Err(Problem::new(ProblemType::SessionOver).into());
    }
    cancel_one(set, actor, session, ask.reason, ask.note.as_deref(), now)?;
    Ok(ask.session_id)
}
