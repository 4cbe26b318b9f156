//! Selling a pass: the pass, its first entry in the ledger, the letter; and members who waited for lack of a credit are served.

use std::sync::Arc;

use super::rules::notice::next;
use super::rules::sale;
use super::{LedgerEntry, LedgerReason, Pass, PassType, Sale};
use crate::booking::freed::Freed;
use crate::booking::refill::settle;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::ids::new_id;
use crate::letters::facts::Money;
use crate::people::Person;
use crate::problem::{Problem, ProblemType};
use crate::studios::StudioContext;
use crate::working_set::{Attended, Decision, WorkingSet, caller, not_found};
use crate::wrong::Wrong;
use crate::zones::local_date;
use chrono::{DateTime, Days, NaiveDate, Utc};
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
    /// The first day on which it pays, if not today.
    pub starts_on: Option<NaiveDate>,
    pub key: String,
    pub body_hash: String,
}

/// How far ahead a pass may begin.
const STARTS_WITHIN_DAYS: u64 = 366;

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
    if !pass_type.on_sale {
        return Err(Problem::field("pass_type_id", Wrong::NotOnSale).into());
    }
    let today = local_date(now, studio.zone);
    if let Some(first) = ask.starts_on {
        if first < today {
            return Err(Problem::field("starts_on", Wrong::InPast).into());
        }
        if first > today.checked_add_days(Days::new(STARTS_WITHIN_DAYS)).unwrap_or(today) {
            return Err(Problem::field("starts_on", Wrong::TooFarAhead { days: STARTS_WITHIN_DAYS }).into());
        }
    }
    is_for(set, &pass_type, &member, &studio)?;
    let what = Sale { id: new_id(now), studio_id: studio.id, person_id: member.id, pass_type_id: pass_type.id, at: now, by: Some(caller) };
    let mut pass = Pass::sold(what, sale(&pass_type.terms(), studio.id, today, ask.starts_on));
    pass.notice_at = next(&pass, studio.zone, now);
    let paid = ask.paid.as_ref();
    let entry = LedgerEntry {
        credits: pass.credits_left.unwrap_or(0),
        amount_minor: paid.map(|paid| paid.money.amount_minor),
        currency: paid.map(|paid| paid.money.currency.clone()),
        method: paid.map(|paid| paid.method.clone()),
        reference: paid.and_then(|paid| paid.reference.clone()),
        ..LedgerEntry::new(new_id(now), pass.id, LedgerReason::Sold, Some(caller), now)
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

/// Refuses an introductory offer to somebody for whom it is not: what is once for each person, to who had one, and what is for new members,
/// to who bought a pass of this studio or came to a class before.
fn is_for(set: &WorkingSet, sold: &PassType, member: &Person, studio: &StudioContext) -> Decision<()> {
    let refused = |because: &str| Err(Problem::new(ProblemType::PassNotForThem).with("because", because).into());
    if sold.once_per_person && set.held_by(member.id).any(|pass| pass.pass_type_id == sold.id) {
        return refused("once_per_person");
    }
    if sold.new_members_only {
        let has_bought = set.held_by(member.id).any(|pass| pass.studio_id == studio.id);
        if has_bought || set.first_attended(Attended::At(member.id, studio.id))?.is_some() {
            return refused("new_members_only");
        }
    }
    Ok(())
}

fn pass_type(set: &WorkingSet, id: Uuid, studio_id: Uuid) -> Decision<Arc<PassType>> {
    match set.pass_type(id)? {
        Some(found) if found.studio_id == studio_id => Ok(found),
        _ => Err(Problem::field("pass_type_id", Wrong::NotPassType).into()),
    }
}
