//! `PUT /v1/passes/{id}/expiry`: the studio gives days, for a reason that stands in the ledger.

use super::held::{keep, only_admin, seen};
use super::{LedgerEntry, LedgerReason};
use crate::booking::freed::Freed;
use crate::booking::refill::settle;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::ids::new_id;
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet};
use crate::wrong::Wrong;
use crate::zones::local_date;
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

/// `PUT /v1/passes/{id}/expiry`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct ExtendPass {
    pub pass_id: Uuid,
    pub expires_on: NaiveDate,
    pub reason: String,
}

/// Gives a pass a later last day, also one that is past it. Nobody's pass is made shorter: they bought what they were told. Repeated, it is
/// done already.
pub fn extend_pass(set: &mut WorkingSet, actor: &Actor, ask: &ExtendPass, now: DateTime<Utc>) -> Decision<Uuid> {
    let (mut pass, own) = seen(set, actor, ask.pass_id)?;
    only_admin(&pass, &own)?;
    if pass.ended_at.is_some() {
        return Err(Problem::new(ProblemType::PassOver).into());
    }
    let before = pass.expires_on;
    if ask.expires_on == before {
        return Ok(pass.id);
    }
    let studio = set.studio(pass.studio_id)?;
    if ask.expires_on < before {
        return Err(Problem::field("expires_on", Wrong::NotLater).into());
    }
    if ask.expires_on < local_date(now, studio.zone) {
        return Err(Problem::field("expires_on", Wrong::InPast).into());
    }
    pass.extend(ask.expires_on);
    let mut entry = LedgerEntry::new(new_id(now), pass.id, LedgerReason::Extended, Some(own.id), now);
    entry.note = Some(ask.reason.clone());
    let (id, person_id, expires_on) = (pass.id, pass.person_id, pass.expires_on);
    keep(set, pass, entry, now)?;
    emit(set, actor, Event::in_studio(studio.id, Subject::Pass, id, Happened::PassExtended { person_id, before, expires_on }))?;
    let mut freed = Freed::default();
    freed.person(person_id);
    settle(set, freed, now)?;
    Ok(id)
}
