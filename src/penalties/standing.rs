//! A member's penalties as decisions look at them, and what follows when these change.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::rules::{self, Cost, Leniency, Suspension, month_of, month_of_late_cancel};
use super::{Penalty, PenaltyKind};
use crate::booking::freed::Freed;
use crate::booking::offering::pass_over_offer;
use crate::booking::rules::{is_late, may_cost};
use crate::booking::{Booking, BookingStatus};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::ids::new_id;
use crate::letters::facts::PassedOver;
use crate::studios::StudioContext;
use crate::working_set::{Decision, WorkingSet};

/// What a member's strikes mean now. Where they have no consequence, nothing is looked up.
pub fn suspension(set: &WorkingSet, person_id: Uuid, studio: &StudioContext, now: DateTime<Utc>) -> Decision<Option<Suspension>> {
    if studio.rules.strikes_max.is_none() {
        return Ok(None);
    }
    let strikes = rules::strikes(set.penalties(person_id)?, studio.id);
    Ok(rules::suspension(&strikes, &studio.rules, studio.zone, now))
}

/// What speaks for a member who gives up this booking now. It is looked up only where it matters.
pub fn leniency_now(set: &WorkingSet, booking: &Booking, now: DateTime<Utc>) -> Decision<Leniency> {
    if is_late(booking, now) { leniency_told(set, booking, now) } else { Ok(Leniency::default()) }
}

/// What would speak for the member of a place if it came to be given up late. It is looked up only where that costs something.
pub fn leniency_told(set: &WorkingSet, booking: &Booking, now: DateTime<Utc>) -> Decision<Leniency> {
    if !may_cost(booking, now) {
        return Ok(Leniency::default());
    }
    let (session, studio) = (set.session(booking.session_id)?, set.studio(booking.studio_id)?);
    let month = month_of_late_cancel(is_late(booking, now), session.local_date, now, studio.zone);
    Ok(Leniency::of(set.penalties(booking.person_id)?, studio.id, &studio.rules, session.local_date, month))
}

/// Writes down what a late cancellation or an absence came to, and tells the member if they are suspended by it.
pub fn penalize(
    set: &mut WorkingSet,
    actor: &Actor,
    booking: &Booking,
    cost: &Cost,
    freed: &mut Freed,
    now: DateTime<Utc>,
) -> Decision<()> {
    let studio = set.studio(booking.studio_id)?;
    let before = suspension(set, booking.person_id, &studio, now)?;
    set.put_penalty(Penalty {
        id: new_id(now),
        studio_id: booking.studio_id,
        person_id: booking.person_id,
        booking_id: booking.id,
        kind: if booking.status == BookingStatus::NoShow { PenaltyKind::NoShow } else { PenaltyKind::LateCancel },
        at: now,
        month: month_of(now, studio.zone),
        strike: cost.strike,
        fee_minor: cost.fee.as_ref().map(|fee| fee.amount_minor),
        fee_currency: cost.fee.as_ref().map(|fee| fee.currency.clone()),
        forgiven: cost.forgiven,
        waived_at: None,
        waived_by: None,
        waived_reason: None,
        paid_at: None,
        paid_by: None,
        paid_method: None,
        paid_reference: None,
    });
    tell_suspension(set, actor, booking.person_id, &studio, before, freed, now)
}

/// The penalty of a booking that was cancelled late, or not kept, if it has one that was not taken back.
pub fn penalty_of(set: &WorkingSet, booking: &Booking) -> Decision<Option<Penalty>> {
    let own = set.penalties(booking.person_id)?;
    Ok(own.into_iter().find(|penalty| penalty.booking_id == booking.id && !penalty.is_waived()).cloned())
}

/// Says what has changed about a member's suspension, which was `before`, if anything has. What they are offered and may not take any more
/// goes on to the next.
pub fn tell_suspension(
    set: &mut WorkingSet,
    actor: &Actor,
    person_id: Uuid,
    studio: &StudioContext,
    before: Option<Suspension>,
    freed: &mut Freed,
    now: DateTime<Utc>,
) -> Decision<()> {
    let what = match (before, suspension(set, person_id, studio, now)?) {
        (before, after) if before == after => return Ok(()),
        (_, Some(suspension)) => {
            take_offers_back(set, actor, person_id, studio, suspension, freed, now)?;
            let Suspension { until, only_within_hours } = suspension;
            Happened::Suspended { until, only_within_hours }
        }
        (_, None) => Happened::SuspensionLifted,
    };
    emit(set, actor, Event::in_studio(studio.id, Subject::Person, person_id, what))
}

/// The offers that run for a member who may not take them any more: they wait again, and are passed over with the reason.
fn take_offers_back(
    set: &mut WorkingSet,
    actor: &Actor,
    person_id: Uuid,
    studio: &StudioContext,
    suspension: Suspension,
    freed: &mut Freed,
    now: DateTime<Utc>,
) -> Decision<()> {
    set.person(person_id)?;
    let ahead = set.ahead(person_id, now).into_iter().cloned();
    let barred = |booking: &Booking| {
        booking.status == BookingStatus::Offered && booking.studio_id == studio.id && suspension.bars(booking.starts_at, now)
    };
    let offered: Vec<Booking> = ahead.filter(barred).collect();
    for booking in offered {
        freed.session(booking.session_id);
        pass_over_offer(set, actor, booking, PassedOver::Suspended, now)?;
    }
    Ok(())
}
