//! `PUT /v1/studios/{id}/penalties/{penalty_id}/payment`: a fee was collected at the desk. Relevé moves no money.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, caller, not_found};

/// `PUT …/penalties/{penalty_id}/payment`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct PayFee {
    pub studio_id: Uuid,
    pub penalty_id: Uuid,
    pub method: String,
    pub reference: Option<String>,
}

/// `PUT …/penalties/{penalty_id}/payment`. Repeated, it is done already, and the first method stands.
pub fn pay_fee(set: &mut WorkingSet, actor: &Actor, ask: &PayFee, now: DateTime<Utc>) -> Decision<Uuid> {
    let caller = caller(actor)?;
    let own = set.person(caller)?;
    let studio = set.studio(ask.studio_id)?;
    if !own.roles.is_front_desk(studio.id) {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    let mut penalty = set.penalty(ask.penalty_id)?.clone();
    if penalty.studio_id != studio.id {
        return Err(not_found());
    }
    if penalty.paid_at.is_some() {
        return Ok(penalty.id);
    }
    let (Some(fee), true) = (penalty.fee(), penalty.is_owed()) else {
        return Err(Problem::new(ProblemType::NoFeeOwed).into());
    };
    penalty.pay(caller, ask.method.clone(), ask.reference.clone(), now)?;
    let what = Happened::FeePaid { penalty: penalty.id, amount_minor: fee.amount_minor, currency: fee.currency };
    let (id, booking_id) = (penalty.id, penalty.booking_id);
    set.put_penalty(penalty);
    emit(set, actor, Event::in_studio(studio.id, Subject::Booking, booking_id, what))?;
    Ok(id)
}
