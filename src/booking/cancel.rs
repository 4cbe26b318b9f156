//! `PUT /v1/bookings/{id}/cancellation`: gives up a place or a queue position; what was taken for it is returned or kept.

use super::ending::end_by_person;
use super::freed::Freed;
use super::guests::none_left_behind;
use super::refill::settle;
use super::rules::{self, Cancellation, CannotCancel};
use super::snapshot::{BookingSnapshot, own_booking, show};
use super::{BookingStatus, EndedBy, Ending};
use crate::events::Actor;
use crate::penalties::rules::Leniency;
use crate::penalties::standing::leniency_now;
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, caller};
use chrono::Duration;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// `PUT /v1/bookings/{id}/cancellation`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct Cancel {
    pub booking_id: Uuid,
    pub if_status: Option<BookingStatus>,
    pub if_free: bool,
    /// Staff give everything back.
    pub return_all: bool,
    pub reason: Option<String>,
}

/// How long an id stays barred whose cancellation came before its booking.
const WITHDRAWN_HOURS: i64 = 24;

/// `PUT /v1/bookings/{id}/cancellation`.
pub fn cancel(set: &mut WorkingSet, actor: &Actor, ask: &Cancel, now: DateTime<Utc>) -> Decision<Option<BookingSnapshot>> {
    let caller = caller(actor)?;
    if set.booking(ask.booking_id, caller)?.is_none() {
        set.person(caller)?;
        set.withdraw(ask.booking_id, caller, now + Duration::hours(WITHDRAWN_HOURS));
        return Ok(None);
    }
    let (booking, own, by_staff) = own_booking(set, actor, ask.booking_id)?;
    if !own.roles.is_front_desk(booking.studio_id) && (ask.return_all || ask.reason.is_some()) {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    if booking.status.has_ended() {
        return Ok(Some(show(set, booking.id, now)?));
    }
    let leniency = if ask.return_all { Leniency::default() } else { leniency_now(set, &booking, now)? };
    let expected = |kind| -> Decision<Option<BookingSnapshot>> {
        let facts = show(set, ask.booking_id, now)?;
        Err(Problem::new(kind)
            .with("booking_status", facts.booking.status)
            .with("cancel_now", super::view::cancel_now_facts(&facts.booking, leniency, now))
            .into())
    };
    if ask.if_status.is_some_and(|status| status != booking.status) {
        return expected(ProblemType::StatusChanged);
    }
    let decided = match rules::cancel(&booking, leniency, ask.return_all, now) {
        Ok(decided) => decided,
        Err(CannotCancel::Ended) => return Ok(Some(show(set, booking.id, now)?)),
        Err(CannotCancel::Started) => return Err(Problem::new(ProblemType::SessionStarted).into()),
    };
    // One that is forgiven takes nothing.
    if ask.if_free && matches!(&decided, Cancellation::Late(cost) if !cost.is_nothing()) {
        return expected(ProblemType::NotFree);
    }
    none_left_behind(set, &booking, now)?;
    let ending = Ending { by: if by_staff { EndedBy::Staff } else { EndedBy::Member }, reason: ask.reason.clone() };
    let mut freed = Freed::default();
    end_by_person(set, actor, booking, decided, &ending, &mut freed, now)?;
    settle(set, freed, now)?;
    Ok(Some(show(set, ask.booking_id, now)?))
}
