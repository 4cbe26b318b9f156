//! `PUT /v1/sessions/{id}/holds/{hold_id}`: keeps places of a session back, or changes how many, for whom and until when.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::rules::{self, may_hold};
use super::{HOLDS_MAX, Hold, Terms};
use crate::booking::freed::Freed;
use crate::booking::refill::settle;
use crate::booking::rules::SessionNow;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, caller};

/// `PUT /v1/sessions/{id}/holds/{hold_id}`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct SetHold {
    pub session_id: Uuid,
    pub hold_id: Uuid,
    pub terms: Terms,
}

/// `PUT /v1/sessions/{id}/holds/{hold_id}`. Repeated, it is done already, and a hold that has ended is not begun again.
pub fn set_hold(set: &mut WorkingSet, actor: &Actor, ask: &SetHold, now: DateTime<Utc>) -> Decision<Uuid> {
    let caller = caller(actor)?;
    let own = set.identity(caller)?;
    let session = set.session(ask.session_id)?.clone();
    may_hold(&own.roles, &session)?;
    let studio = set.studio(session.studio_id)?;
    let before = set.hold(ask.hold_id)?.cloned();
    match &before {
        Some(hold) if hold.session_id != session.id => return Err(Problem::new(ProblemType::HoldIdReused).into()),
        Some(hold) if hold.terms() == ask.terms => return Ok(hold.id),
        Some(hold) if !hold.is_running() => return Err(Problem::new(ProblemType::HoldEnded).into()),
        Some(_) => {}
        None if set.holds(session.id)?.len() >= HOLDS_MAX => {
            return Err(Problem::new(ProblemType::TooManyHolds).with("max", HOLDS_MAX).into());
        }
        None => {}
    }
    let state = SessionNow::of(&session, studio.zone);
    let keeps = before.as_ref().map_or(0, Hold::keeps);
    rules::set(&state, keeps, ask.terms.places, ask.terms.until, now).map_err(|refused| refused.problem(&state))?;
    let (hold, kind, places, until) = (ask.hold_id, ask.terms.kind, ask.terms.places, ask.terms.until);
    let what = match before {
        Some(mut changed) => {
            let places_before = changed.places;
            changed.change(ask.terms.clone())?;
            set.put_hold(changed);
            Happened::HoldChanged { hold, kind, places_before, places, until }
        }
        None => {
            let Terms { kind, places, until, note } = ask.terms.clone();
            set.put_hold(Hold {
                id: hold,
                studio_id: studio.id,
                session_id: session.id,
                kind,
                places,
                until,
                note,
                made_at: now,
                made_by: caller,
                ended_at: None,
                ended_by: None,
                outcome: None,
            });
            Happened::Held { hold, kind, places, until }
        }
    };
    emit(set, actor, Event::of_session(&session, what))?;
    let mut freed = Freed::default();
    if places < keeps {
        freed.session(session.id);
    }
    settle(set, freed, now)?;
    Ok(hold)
}
