//! `POST /v1/passes/{id}/gifts`: the studio gives credits, for a reason that stands in the ledger.

use super::held::{keep, not_over, only_admin, seen};
use super::{LedgerEntry, LedgerReason};
use crate::booking::freed::Freed;
use crate::booking::refill::settle;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::ids::new_id;
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, caller};
use crate::wrong::Wrong;
use crate::zones::local_date;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// `POST /v1/passes/{id}/gifts`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct GiveCredits {
    pub pass_id: Uuid,
    pub credits: i64,
    pub reason: String,
    pub key: String,
    pub body_hash: String,
}

/// Gives credits to a pack. Only who runs the studio gives away what it sells; the desk gives back what a booking took.
pub fn give_credits(set: &mut WorkingSet, actor: &Actor, ask: &GiveCredits, now: DateTime<Utc>) -> Decision<Uuid> {
    let caller = caller(actor)?;
    let (mut pass, own) = seen(set, actor, ask.pass_id)?;
    only_admin(&pass, &own)?;
    if let Some((body_hash, pass_id)) = set.answered(caller, &ask.key)? {
        return if body_hash == ask.body_hash { Ok(pass_id) } else { Err(Problem::new(ProblemType::IdempotencyKeyReused).into()) };
    }
    let studio = set.studio(pass.studio_id)?;
    not_over(&pass, local_date(now, studio.zone))?;
    let Some(left) = pass.credits_left else { return Err(Problem::field("credits", Wrong::OnlyForPack).into()) };
    pass.credits_left = Some(left + ask.credits);
    let mut entry = LedgerEntry::new(new_id(now), pass.id, LedgerReason::Gift, Some(caller), now);
    (entry.credits, entry.note) = (ask.credits, Some(ask.reason.clone()));
    let (id, person_id) = (pass.id, pass.person_id);
    keep(set, pass, entry, now)?;
    emit(set, actor, Event::in_studio(studio.id, Subject::Pass, id, Happened::PassGifted { person_id, credits: ask.credits }))?;
    set.remember(caller, &ask.key, &ask.body_hash, id, now);
    let mut freed = Freed::default();
    freed.person(person_id);
    settle(set, freed, now)?;
    Ok(id)
}
