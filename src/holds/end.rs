//! How a hold ends: staff give its places back, its time is over, or its session is cancelled.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::rules::{is_over, may_hold};
use super::{Hold, HoldOutcome};
use crate::booking::freed::Freed;
use crate::booking::refill::settle;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::schedule::Session;
use crate::working_set::{Decision, WorkingSet, caller, not_found};

/// `DELETE /v1/sessions/{id}/holds/{hold_id}`: the places go to those who wait. Repeated, or when it has ended otherwise, it is done already.
pub fn release_hold(set: &mut WorkingSet, actor: &Actor, session_id: Uuid, hold_id: Uuid, now: DateTime<Utc>) -> Decision<Uuid> {
    let own = set.identity(caller(actor)?)?;
    let session = set.session(session_id)?.clone();
    may_hold(&own.roles, &session)?;
    let Some(hold) = set.hold(hold_id)?.filter(|hold| hold.session_id == session_id).cloned() else { return Err(not_found()) };
    if hold.is_running() {
        end(set, actor, &session, hold, HoldOutcome::Released, now)?;
        give_out(set, session_id, now)?;
    }
    Ok(hold_id)
}

/// Sweep: a hold whose time is over ends, and its places go to those who wait.
pub fn expire_hold(set: &mut WorkingSet, hold_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let Some(hold) = set.hold(hold_id)?.cloned() else { return Ok(()) };
    let session = set.session(hold.session_id)?.clone();
    // Given back or prolonged meanwhile, or the session has moved.
    if !hold.is_running() || !is_over(hold.until, session.starts_at, now) {
        return Ok(());
    }
    let session_id = session.id;
    end(set, &Actor::system(), &session, hold, HoldOutcome::Expired, now)?;
    give_out(set, session_id, now)
}

/// The session is cancelled, and its holds with it: nobody is served by that.
pub fn end_with_session(set: &mut WorkingSet, actor: &Actor, session: &Session, now: DateTime<Utc>) -> Decision<()> {
    if session.held == 0 {
        return Ok(());
    }
    let mut running: Vec<Hold> = set.holds(session.id)?.into_iter().filter(|hold| hold.is_running()).cloned().collect();
    running.sort_by_key(|hold| (hold.made_at, hold.id));
    running.into_iter().try_for_each(|hold| end(set, actor, session, hold, HoldOutcome::SessionCancelled, now))
}

fn end(set: &mut WorkingSet, actor: &Actor, session: &Session, mut hold: Hold, outcome: HoldOutcome, now: DateTime<Utc>) -> Decision<()> {
    hold.end(outcome, actor.person_id, now)?;
    let (id, kind, places) = (hold.id, hold.kind, hold.places);
    set.put_hold(hold);
    let what = match outcome {
        HoldOutcome::Expired => Happened::HoldExpired { hold: id, kind, places },
        HoldOutcome::Released => Happened::HoldReleased { hold: id, kind, places, with_session: false },
        HoldOutcome::SessionCancelled => Happened::HoldReleased { hold: id, kind, places, with_session: true },
    };
    emit(set, actor, Event::of_session(session, what))
}

fn give_out(set: &mut WorkingSet, session_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let mut freed = Freed::default();
    freed.session(session_id);
    settle(set, freed, now)
}
