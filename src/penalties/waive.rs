//! `PUT /v1/studios/{id}/penalties/{penalty_id}/waiver`: takes a penalty back. The credit or visit, the strike and the fee are undone, and
//! whoever becomes able by it is served.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::standing::{suspension, tell_suspension};
use crate::booking::freed::Freed;
use crate::booking::place::give_back;
use crate::booking::refill::settle;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::passes::LedgerReason;
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, caller, not_found};

/// `PUT …/penalties/{penalty_id}/waiver`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct WaivePenalty {
    pub studio_id: Uuid,
    pub penalty_id: Uuid,
    /// Why, as the member reads it.
    pub reason: String,
}

/// `PUT …/penalties/{penalty_id}/waiver`. Repeated, it is done already, and the first reason stands.
pub fn waive_penalty(set: &mut WorkingSet, actor: &Actor, ask: &WaivePenalty, now: DateTime<Utc>) -> Decision<Uuid> {
    let caller = caller(actor)?;
    let own = set.person(caller)?;
    let studio = set.studio(ask.studio_id)?;
    if !own.roles.is_admin(studio.id) {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    let mut penalty = set.penalty(ask.penalty_id)?.clone();
    if penalty.studio_id != studio.id {
        return Err(not_found());
    }
    if penalty.is_waived() {
        return Ok(penalty.id);
    }
    let Some(mut booking) = set.booking(penalty.booking_id, caller)?.cloned() else { return Err(not_found()) };
    set.session(booking.session_id)?;
    // Of somebody who has left, nothing is given back.
    set.person(penalty.person_id)?;
    let before = suspension(set, penalty.person_id, &studio, now)?;
    let (credits_returned, visit_returned) = (booking.credits, booking.visit_week.is_some());
    give_back(set, actor, &mut booking, LedgerReason::Waived, None, now)?;
    penalty.waive(Some(caller), Some(ask.reason.clone()), now)?;
    let what = Happened::PenaltyWaived {
        penalty: penalty.id,
        credits_returned,
        visit_returned,
        strike: penalty.strike,
        fee_minor: penalty.fee_minor,
        currency: penalty.fee_currency.clone(),
    };
    let (id, person_id, event) = (penalty.id, penalty.person_id, Event::of_booking(&booking, what));
    let mut freed = Freed::default();
    freed.member_of(&booking);
    set.put(booking);
    set.put_penalty(penalty);
    emit(set, actor, event)?;
    tell_suspension(set, actor, person_id, &studio, before, &mut freed, now)?;
    settle(set, freed, now)?;
    Ok(id)
}
