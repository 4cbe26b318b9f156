//! What is given back, and to whom, when the studio cancels a session.

use super::BookingStatus;
use super::freed::Freed;
use super::offer::OfferOutcome;
use super::offering::end_offer;
use super::place::give_back;
use super::rules::{self, WithSession};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::passes::{LedgerReason, begin};
use crate::penalties::standing::{penalty_of, suspension, tell_suspension};
use crate::schedule::Session;
use crate::working_set::{Decision, WorkingSet, all};
use crate::zones::local_date;
use chrono::{DateTime, Utc};

/// Returns everything taken for the session and tells everybody: the cancellation is the studio's doing.
pub fn end_by_studio(set: &mut WorkingSet, actor: &Actor, session: &Session, now: DateTime<Utc>) -> Decision<Freed> {
    let studio = set.studio(session.studio_id)?;
    let mut bookings = set.in_company(&set.roster(session.id)?)?;
    bookings.sort_by_key(|booking| (booking.queue_key, booking.created_at, booking.id));
    set.need_people(&bookings)?;
    let late = bookings.iter().filter(|booking| booking.status == BookingStatus::LateCancelled);
    all(late.map(|booking| set.penalties(booking.person_id).map(drop)))?;
    let mut freed = Freed::default();
    let (rules, today) = (studio.rules_of(session.class_type_id), local_date(now, studio.zone));
    for mut booking in bookings {
        let penalty = match booking.status {
            BookingStatus::LateCancelled => penalty_of(set, &booking)?,
            _ => None,
        };
        let penalty_waived = penalty.as_ref().is_some_and(|penalty| penalty.strike || penalty.fee_minor.is_some());
        let suspended = if penalty_waived { suspension(set, booking.person_id, &studio, now)? } else { None };
        if let Some(mut penalty) = penalty.filter(|penalty| !penalty.is_waived()) {
            // One that was forgiven too: it no longer counts among those of the month.
            penalty.waive(None, None, now)?;
            set.put_penalty(penalty);
        }
        let decided = rules::cancel_with_session(&booking, penalty_waived);
        let (credits_returned, visit_returned, had_place) = match decided {
            WithSession::Nothing => continue,
            WithSession::Returned { credits, visit } => (credits, visit, false),
            WithSession::Ends { credits, visit, had_place } => (credits, visit, had_place),
        };
        let had_come = booking.status == BookingStatus::Attended;
        give_back(set, actor, &mut booking, LedgerReason::SessionCancelled, Some((&rules, today)), now)?;
        if matches!(decided, WithSession::Ends { .. }) {
            end_offer(set, booking.id, OfferOutcome::Withdrawn, now)?;
            booking.cancel_with_session(now)?;
        }
        // With the credit or visit back, they may be able to take a place elsewhere.
        freed.member_of(&booking);
        let had_cancelled = matches!(decided, WithSession::Returned { .. });
        let happened = Happened::CancelledWithSession { credits_returned, visit_returned, had_place, had_cancelled, penalty_waived };
        let event = Event::of_booking(&booking, happened);
        set.put(booking.clone());
        emit(set, actor, event)?;
        if had_come {
            begin::follow(set, actor, &booking, now)?;
        }
        if penalty_waived {
            tell_suspension(set, actor, booking.person_id, &studio, suspended, &mut freed, now)?;
        }
    }
    Ok(freed)
}
