//! Selling a pass: the pass, its first entry in the ledger, the letter; and members who waited for lack of a credit are served.

use std::sync::Arc;

use super::rules::sale;
use super::{LedgerEntry, LedgerReason, Pass, PassType};
use crate::booking::refill::{Freed, settle};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::ids::new_id;
use crate::letters::facts::Money;
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, caller, not_found};
use crate::wrong::Wrong;
use crate::zones::local_date;
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

/// `POST …/members/{person_id}/passes`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct SellPass {
    pub studio_id: Uuid,
    pub person_id: Uuid,
    pub pass_type_id: Uuid,
    pub paid: Option<Paid>,
    pub key: String,
    pub body_hash: String,
}

/// What was paid for a pass, as the front desk recorded it; Relevé moves no money.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct Paid {
    pub money: Money,
    pub method: String,
    pub reference: Option<String>,
}

/// `POST …/members/{person_id}/passes`.
pub fn sell_pass(set: &mut WorkingSet, actor: &Actor, ask: &SellPass, now: DateTime<Utc>) -> Decision<Uuid> {
    let caller = caller(actor)?;
    let own = set.person(caller)?;
    let studio = set.studio(ask.studio_id)?;
    if !own.roles.is_front_desk(studio.id) {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    if let Some((body_hash, pass_id)) = set.answered(caller, &ask.key)? {
        return if body_hash == ask.body_hash { Ok(pass_id) } else { Err(Problem::new(ProblemType::IdempotencyKeyReused).into()) };
    }
    let member = set.person(ask.person_id)?;
    if !set.is_member(studio.id, member.id) {
        return Err(not_found());
    }
    let pass_type = pass_type(set, ask.pass_type_id, studio.id)?;
    let sold = sale(&pass_type.terms(), studio.id, local_date(now, studio.zone));
    let pass = Pass {
        id: new_id(now),
        studio_id: studio.id,
        person_id: member.id,
        pass_type_id: pass_type.id,
        name: sqlx::types::Json(sold.name.clone()),
        kind: sold.kind,
        credits_left: sold.credits_left,
        per_week: sold.per_week,
        expires_on: sold.expires_on,
        class_type_ids: sold.class_type_ids.map(sqlx::types::Json),
        studio_ids: sqlx::types::Json(sold.studio_ids),
        sold_at: now,
        sold_by: Some(caller),
    };
    let paid = ask.paid.as_ref();
    let entry = LedgerEntry {
        id: new_id(now),
        pass_id: pass.id,
        at: now,
        credits: pass.credits_left.unwrap_or(0),
        reason: LedgerReason::Sold,
        booking_id: None,
        amount_minor: paid.map(|paid| paid.money.amount_minor),
        currency: paid.map(|paid| paid.money.currency.clone()),
        method: paid.map(|paid| paid.method.clone()),
        reference: paid.and_then(|paid| paid.reference.clone()),
        by_person: Some(caller),
    };
    let what = Happened::PassSold {
        person_id: member.id,
        credits: pass.credits_left,
        amount_minor: entry.amount_minor,
        currency: entry.currency.clone(),
    };
    let id = pass.id;
    set.put_pass(pass, entry);
    emit(set, actor, Event::in_studio(studio.id, Subject::Pass, id, what))?;
    set.remember(caller, &ask.key, &ask.body_hash, id, now);
    let mut freed = Freed::default();
    freed.person(member.id);
    settle(set, freed, now)?;
    Ok(id)
}

fn pass_type(set: &WorkingSet, id: Uuid, studio_id: Uuid) -> Decision<Arc<PassType>> {
    match set.pass_type(id)? {
        Some(found) if found.studio_id == studio_id => Ok(found),
        _ => Err(Problem::field("pass_type_id", Wrong::NotPassType).into()),
    }
}
