//! `PUT /v1/passes/{id}/transfer`: what is left of a pass becomes another one, of another member or at another studio.
//!
//! The pass itself ends, and stays whose it was with all that it paid for: what somebody bought and where they went is theirs to read, to
//! take along and to have erased, and nobody else's.

use super::held::{keep, not_frozen, not_in_use, not_over, only_front_desk, seen};
use super::refund::worth;
use super::rules::notice::next;
use super::{LedgerEntry, LedgerReason, Pass};
use crate::booking::freed::Freed;
use crate::booking::refill::settle;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::ids::new_id;
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Abort, Decision, WorkingSet};
use crate::wrong::Wrong;
use crate::zones::local_date;
use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

/// `PUT /v1/passes/{id}/transfer`.
#[derive(Clone, Debug)]
pub struct TransferPass {
    pub pass_id: Uuid,
    /// Whose it is to be, if another's.
    pub person_id: Option<Uuid>,
    /// Where it is to be valid, if elsewhere.
    pub studio_id: Option<Uuid>,
}

/// Transfers a pass: the front desk, where its type allows, and to another studio whoever serves members there too. Answers the new pass; repeated, the same one.
pub fn transfer_pass(set: &mut WorkingSet, actor: &Actor, ask: &TransferPass, now: DateTime<Utc>) -> Decision<Uuid> {
    let (mut pass, own) = seen(set, actor, ask.pass_id)?;
    only_front_desk(&pass, &own)?;
    let to_person = ask.person_id.unwrap_or(pass.person_id);
    let to_studio = ask.studio_id.unwrap_or(pass.studio_id);
    if let Some(moved_to) = pass.moved_to {
        let there = set.pass(moved_to)?;
        if (there.person_id, there.studio_id) == (to_person, to_studio) {
            return Ok(moved_to);
        }
    }
    let studio = set.studio(pass.studio_id)?;
    let today = local_date(now, studio.zone);
    not_over(&pass, today)?;
    if (to_person, to_studio) == (pass.person_id, pass.studio_id) {
        return Ok(pass.id);
    }
    if !pass.transferable {
        return Err(Problem::new(ProblemType::PassNotTransferable).into());
    }
    not_frozen(&pass, today)?;
    not_in_use(&set.paid_by(pass.id, now)?)?;
    // What somebody who is forgotten has left is nobody's to give.
    match set.person(pass.person_id) {
        Err(Abort::Refused(_)) => return Err(Problem::new(ProblemType::PassOver).into()),
        held => held?,
    };
    let zone = match set.studio(to_studio) {
        Ok(there) => there.zone,
        Err(Abort::Refused(_)) => return Err(Problem::field("studio_id", Wrong::NoStudio).into()),
        Err(needs) => return Err(needs),
    };
    // What it is worth is owed there from then on: nobody gives that to a studio where they serve nobody.
    if !own.roles.is_front_desk(to_studio) {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    if to_studio != pass.studio_id && pass.class_type_ids.is_some() {
        return Err(Problem::field("studio_id", Wrong::ForeignClassTypes).into());
    }
    match set.person(to_person) {
        // Elsewhere they must be known too: a desk tells no other studio who somebody is.
        Ok(person) if to_studio != studio.id && !set.is_member(to_studio, person.id) => {
            return Err(Problem::field("person_id", Wrong::NotMember).into());
        }
        Ok(person) if set.is_member(studio.id, person.id) || person.id == pass.person_id => {}
        Ok(_) | Err(Abort::Refused(_)) => return Err(Problem::field("person_id", Wrong::NotMember).into()),
        Err(needs) => return Err(needs),
    }

    let refund = worth(set, &pass, now)?;
    let (credits, paid) = (pass.credits_left, set.paid_for(pass.id)?);
    let mut there = Pass {
        id: new_id(now),
        person_id: to_person,
        studio_id: to_studio,
        sold_at: now,
        sold_by: Some(own.id),
        freeze_days_max: (pass.freeze_days_max - pass.frozen_days).max(0),
        frozen_from: None,
        frozen_until: None,
        frozen_days: 0,
        extended_days: 0,
        // With whom it is shared is for its new holder to say.
        shared_at: None,
        ..pass.clone()
    };
    if to_studio != pass.studio_id {
        there.studio_ids = Json(vec![to_studio]);
    }
    // One that has begun goes on until its last day.
    if pass.begun_on.is_some() {
        (there.valid_days, there.valid_months, there.begin_by, there.begun_on) = (None, None, None, None);
    }
    there.notice_at = next(&there, zone, now);
    let entry = |pass_id, credits, amount_minor: i64| LedgerEntry {
        credits,
        amount_minor: paid.currency.is_some().then_some(amount_minor),
        currency: paid.currency.clone(),
        ..LedgerEntry::new(new_id(now), pass_id, LedgerReason::Transferred, Some(own.id), now)
    };
    // What was paid for takes its price along; what was given stays a gift.
    let left = credits.unwrap_or(0);
    let bought = if credits.is_some() { refund.left().min(left) } else { 0 };
    let amount = refund.amount_minor();
    let to_pass = there.id;
    set.put_pass(there.clone(), entry(to_pass, bought, amount));
    if left > bought {
        let mut given = LedgerEntry::new(new_id(now), to_pass, LedgerReason::Gift, Some(own.id), now);
        given.credits = left - bought;
        set.put_pass(there, given);
    }
    let out = entry(pass.id, -left, -amount);
    let (id, person_id) = (pass.id, pass.person_id);
    pass.end(Some(to_pass), now);
    keep(set, pass, out, now)?;
    let gone = Happened::PassTransferred { person_id, to_person, to_studio, to_pass, credits };
    emit(set, actor, Event::in_studio(studio.id, Subject::Pass, id, gone))?;
    let received = Happened::PassReceived { person_id: to_person, from_pass: id, credits };
    emit(set, actor, Event::in_studio(to_studio, Subject::Pass, to_pass, received))?;
    let mut freed = Freed::default();
    freed.person(to_person);
    settle(set, freed, now)?;
    Ok(to_pass)
}
