//! How a place is paid for, and how what was taken for it is given back.

use super::freed::Freed;
use super::{Booking, BookingStatus, EndedBy};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::ids::new_id;
use crate::letters::facts::LeftBecause;
use crate::passes::held::keep;
use crate::passes::rules::prolonged;
use crate::passes::{LedgerEntry, LedgerReason, PassKind};
use crate::schedule::rules::week_of;
use crate::studios::house_rules::applied::SessionRules;
use crate::working_set::{Abort, Decision, Lookup, WorkingSet};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The pass pays for a place that was just given.
pub fn pay(set: &mut WorkingSet, actor: &Actor, booking: &Booking, why: LedgerReason, now: DateTime<Utc>) -> Decision<()> {
    if let Some(pass_id) = booking.pass_id
        && booking.credits > 0
    {
        let mut pass = set.pass(pass_id)?.clone();
        pass.credits_left = pass.credits_left.map(|left| left - booking.credits);
        set.put_pass(pass, entry(actor, booking, pass_id, -booking.credits, why, now));
    }
    Ok(())
}

/// Gives back what was taken for a booking. `prolong`, as the session's rules and today, if the studio caused it: a pass that would expire
/// within as many days as they say is extended to their end.
pub fn give_back(
    set: &mut WorkingSet,
    actor: &Actor,
    booking: &mut Booking,
    why: LedgerReason,
    prolong: Option<(&SessionRules<'_>, chrono::NaiveDate)>,
    now: DateTime<Utc>,
) -> Decision<()> {
    if let Some((pass_id, week)) = booking.pass_id.zip(booking.visit_week) {
        // The visits of that week must be loaded before they change: later decisions count them.
        set.know_visits(pass_id, week)?;
    }
    let (credits, _) = booking.give_back();
    if let Some(pass_id) = booking.pass_id
        && credits > 0
    {
        let mut pass = set.pass(pass_id)?.clone();
        pass.credits_left = pass.credits_left.map(|left| left + credits);
        if let Some((rules, today)) = prolong {
            let own = rules.paid_by(pass.pass_type_id);
            let days_min = own.as_ref().unwrap_or(rules).returned_credit_days_min;
            pass.end_on(prolonged(pass.expires_on, today, days_min));
        }
        keep(set, pass, entry(actor, booking, pass_id, credits, why, now), now)?;
    }
    Ok(())
}

/// The member came after all to a class for which everything had been given back: it is taken again, if the pass still has it. Answers
/// whether it was.
pub fn take_again(set: &mut WorkingSet, actor: &Actor, booking: &mut Booking, now: DateTime<Utc>) -> Decision<bool> {
    let Some(pass_id) = booking.pass_id.filter(|_| booking.credits == 0 && booking.visit_week.is_none()) else { return Ok(false) };
    let pass = set.pass(pass_id)?.clone();
    let session = set.session(booking.session_id)?;
    let week = week_of(session.local_date);
    let (credits, costs_nothing) = (booking.credits_returned, session.credits == 0);
    match pass.kind {
        PassKind::Pack if credits == 0 || pass.credits_left.is_none_or(|left| left < credits) => return Ok(false),
        PassKind::Pack => booking.take_again(credits, None),
        PassKind::Membership if costs_nothing || pass.ended_at.is_some() => return Ok(false),
        PassKind::Membership => {
            let used = set.visits(pass_id, week)?;
            if pass.per_week.is_some_and(|most| used >= most) {
                return Ok(false);
            }
            booking.take_again(0, Some(week));
        }
    }
    pay(set, actor, booking, LedgerReason::Booked, now)?;
    Ok(true)
}

fn entry(actor: &Actor, booking: &Booking, pass_id: Uuid, credits: i64, reason: LedgerReason, now: DateTime<Utc>) -> LedgerEntry {
    let entry = LedgerEntry::new(new_id(now), pass_id, reason, actor.person_id, now);
    LedgerEntry { credits, booking_id: Some(booking.id), ..entry }
}

/// A member who got a place leaves the queues of sessions that overlap it. Whoever waits together with them, here or there, waits alone now.
pub fn leave_overlapping(set: &mut WorkingSet, actor: &Actor, got: &Booking, freed: &mut Freed, now: DateTime<Utc>) -> Decision<()> {
    freed.alone(got);
    let leaving: Vec<Booking> = set
        .ahead(got.person_id, now)
        .into_iter()
        .filter(|other| other.status == BookingStatus::Waitlisted && other.id != got.id && other.overlaps(got.starts_at, got.ends_at))
        .cloned()
        .collect();
    let sessions: Vec<Lookup> =
        leaving.iter().map(|other| other.session_id).filter(|id| set.session(*id).is_err()).map(Lookup::Session).collect();
    if !sessions.is_empty() {
        return Err(Abort::Needs(sessions));
    }
    for mut other in leaving {
        freed.alone(&other);
        other.leave(&EndedBy::Replaced.into(), now)?;
        let event = Event::of_booking(&other, Happened::WaitlistLeft { because: LeftBecause::Overlap });
        set.put(other);
        emit(set, actor, event)?;
    }
    Ok(())
}
