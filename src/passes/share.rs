//! `PUT`, `DELETE /v1/passes/{id}/sharing`: whoever holds a pass lets their family pay with it, or no more. What it has paid for stays so.

use super::held::seen;
use crate::booking::freed::Freed;
use crate::booking::refill::settle;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Shares a pass with the family of whoever holds it, or no more: nobody else says so. Repeated, it is done already.
pub fn share_pass(set: &mut WorkingSet, actor: &Actor, pass_id: Uuid, shared: bool, now: DateTime<Utc>) -> Decision<Uuid> {
    let (mut pass, own) = seen(set, actor, pass_id)?;
    if pass.person_id != own.id {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    if pass.shared_at.is_some() == shared {
        return Ok(pass_id);
    }
    if pass.ended_at.is_some() {
        return Err(Problem::new(ProblemType::PassOver).into());
    }
    pass.share(shared.then_some(now));
    let (studio_id, person_id) = (pass.studio_id, pass.person_id);
    set.put_pass_unchanged(pass);
    emit(set, actor, Event::in_studio(studio_id, Subject::Pass, pass_id, Happened::PassShared { person_id, shared }))?;
    // Who waits for a place and could not pay for it may now.
    let mut freed = Freed::default();
    freed.person(person_id);
    settle(set, freed, now)?;
    Ok(pass_id)
}
