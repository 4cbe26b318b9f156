//! `PUT /v1/bookings/{id}/cancellation`: gives up a place or a queue position; what was taken for it is returned or kept.

use super::offer::OfferOutcome;
use super::offering::end_offer;
use super::place::give_back;
use super::refill::{Freed, settle};
use super::rules::{self, Cancellation, CannotCancel};
use super::snapshot::{BookingSnapshot, own_booking, show};
use super::{Booking, BookingStatus, EndedBy, Ending};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::letters::facts::LeftBecause;
use crate::passes::LedgerReason;
use crate::penalties::rules::Leniency;
use crate::penalties::standing::{leniency, penalize};
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
        return Ok(Some(show(set, booking.id)?));
    }
    // What speaks for the member is looked up only where it matters.
    let leniency = if ask.return_all || !rules::is_late(&booking, now) {
        Leniency::default()
    } else {
        let session = set.session(booking.session_id)?;
        leniency(set, booking.person_id, session, &*set.studio(booking.studio_id)?, now)?
    };
    let expected = |kind| -> Decision<Option<BookingSnapshot>> {
        let facts = show(set, ask.booking_id)?;
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
        Err(CannotCancel::Ended) => return Ok(Some(show(set, booking.id)?)),
        Err(CannotCancel::Started) => return Err(Problem::new(ProblemType::SessionStarted).into()),
    };
    // One that is forgiven takes nothing.
    if ask.if_free && matches!(&decided, Cancellation::Late(cost) if !cost.is_nothing()) {
        return expected(ProblemType::NotFree);
    }
    let ending = Ending { by: if by_staff { EndedBy::Staff } else { EndedBy::Member }, reason: ask.reason.clone() };
    let mut freed = Freed::default();
    end_by_person(set, actor, booking, decided, &ending, &mut freed, now)?;
    settle(set, freed, now)?;
    Ok(Some(show(set, ask.booking_id)?))
}

/// Ends a booking as the member or staff asked, and tells the member.
pub fn end_by_person(
    set: &mut WorkingSet,
    actor: &Actor,
    mut booking: Booking,
    decided: Cancellation,
    ending: &Ending,
    freed: &mut Freed,
    now: DateTime<Utc>,
) -> Decision<()> {
    let by_staff = ending.by == EndedBy::Staff;
    let mut late = None;
    let what = match decided {
        Cancellation::Leaves => {
            let offered = booking.status == BookingStatus::Offered;
            end_offer(set, booking.id, OfferOutcome::Declined, now);
            booking.leave(ending, now)?;
            let because = match by_staff {
                true => LeftBecause::Staff,
                false if offered => LeftBecause::Declined,
                false => LeftBecause::Member,
            };
            Happened::WaitlistLeft { because }
        }
        Cancellation::Free { credits } => {
            let why = if by_staff { LedgerReason::ReturnedByStaff } else { LedgerReason::Cancelled };
            give_back(set, actor, &mut booking, why, None, now)?;
            booking.cancel(ending, now)?;
            Happened::Cancelled { credits_returned: credits, by_staff }
        }
        Cancellation::Late(cost) => {
            if cost.forgiven.is_some() {
                give_back(set, actor, &mut booking, LedgerReason::Forgiven, None, now)?;
            }
            booking.cancel_late(ending, now)?;
            let what = Happened::LateCancelled {
                credits_lost: cost.credits,
                visit_counts: cost.visit,
                by_staff,
                fee_minor: cost.fee.as_ref().map(|fee| fee.amount_minor),
                currency: cost.fee.as_ref().map(|fee| fee.currency.clone()),
                strike: cost.strike,
                forgiven: cost.forgiven,
            };
            late = Some((booking.clone(), cost));
            what
        }
    };
    freed.session(booking.session_id);
    freed.person(booking.person_id);
    let event = Event::of_booking(&booking, what);
    set.put(booking);
    emit(set, actor, event)?;
    match late {
        Some((booking, cost)) => penalize(set, actor, &booking, &cost, now),
        None => Ok(()),
    }
}
