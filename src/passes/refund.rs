//! `POST /v1/passes/{id}/refunds`: a pass is given back for money, which the ledger records and Relevé does not move.

use super::held::{keep, not_in_use, only_admin, seen};
use super::rules::refund::{Refund, Sums, of};
use super::{LedgerEntry, LedgerReason, Pass};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::ids::new_id;
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, caller};
use crate::wrong::Wrong;
use crate::zones::local_date;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// `POST /v1/passes/{id}/refunds`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct RefundPass {
    pub pass_id: Uuid,
    /// `None`: what the rules say.
    pub amount_minor: Option<i64>,
    pub method: String,
    pub reason: String,
    pub key: String,
    pub body_hash: String,
}

/// What a pass is worth now.
pub fn worth(set: &WorkingSet, pass: &Pass, now: DateTime<Utc>) -> Decision<Refund> {
    let paid = set.paid_for(pass.id)?;
    let zone = set.studio(pass.studio_id)?.zone;
    let sums = Sums { paid_minor: paid.amount_minor, sold: paid.sold, given: paid.given };
    Ok(of(pass, sums, local_date(pass.sold_at, zone), local_date(now, zone)))
}

/// Takes a pass back: what is left of it goes, and it pays for nothing any more. Money leaves the till, so only who runs the studio may.
pub fn refund_pass(set: &mut WorkingSet, actor: &Actor, ask: &RefundPass, now: DateTime<Utc>) -> Decision<Uuid> {
    let caller = caller(actor)?;
    let (mut pass, own) = seen(set, actor, ask.pass_id)?;
    only_admin(&pass, &own)?;
    if let Some((body_hash, pass_id)) = set.answered(caller, &ask.key)? {
        return if body_hash == ask.body_hash { Ok(pass_id) } else { Err(Problem::new(ProblemType::IdempotencyKeyReused).into()) };
    }
    if pass.ended_at.is_some() {
        return Err(Problem::new(ProblemType::PassOver).into());
    }
    not_in_use(&set.paid_by(pass.id, now)?)?;
    let (refund, currency) = (worth(set, &pass, now)?, set.paid_for(pass.id)?.currency);
    let amount_minor = ask.amount_minor.unwrap_or_else(|| refund.amount_minor());
    if amount_minor > refund.paid_minor {
        return Err(Problem::field("amount_minor", Wrong::OutOfRange { min: 0, max: refund.paid_minor }).into());
    }
    let credits = pass.credits_left.unwrap_or(0);
    let entry = LedgerEntry {
        credits: -credits,
        amount_minor: currency.is_some().then_some(-amount_minor),
        currency: currency.clone(),
        method: Some(ask.method.clone()),
        note: Some(ask.reason.clone()),
        ..LedgerEntry::new(new_id(now), pass.id, LedgerReason::Refunded, Some(caller), now)
    };
    let (id, studio_id, person_id) = (pass.id, pass.studio_id, pass.person_id);
    pass.end(None, now);
    keep(set, pass, entry, now)?;
    let what = Happened::PassRefunded { person_id, credits, amount_minor, currency };
    emit(set, actor, Event::in_studio(studio_id, Subject::Pass, id, what))?;
    set.remember(caller, &ask.key, &ask.body_hash, id, now);
    Ok(id)
}
