//! What is given back, and to whom, when the studio cancels a session.

use super::BookingStatus;
use super::offer::OfferOutcome;
use super::offering::end_offer;
use super::place::give_back;
use super::refill::Freed;
use super::rules::{self, WithSession};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::passes::{LedgerReason, begin};
use crate::schedule::Session;
use crate::working_set::{Decision, WorkingSet};
use crate::zones::local_date;
use chrono::{DateTime, Utc};

/// Returns everything taken for the session and tells everybody: the cancellation is the studio's doing.
pub fn end_by_studio(set: &mut WorkingSet, actor: &Actor, session: &Session, now: DateTime<Utc>) -> Decision<Freed> {
    let studio = set.studio(session.studio_id)?;
    let mut bookings = set.in_company(&set.roster(session.id)?)?;
    bookings.sort_by_key(|booking| (booking.queue_key, booking.created_at, booking.id));
    set.need_people(&bookings)?;
    let mut freed = Freed::default();
    let (rules, today) = (studio.rules_of(session.class_type_id), local_date(now, studio.zone));
    for mut booking in bookings {
        let decided = rules::cancel_with_session(&booking);
        let (credits_returned, visit_returned, had_place) = match decided {
            WithSession::Nothing => continue,
            WithSession::Returned { credits, visit } => (credits, visit, false),
            WithSession::Ends { credits, visit, had_place } => (credits, visit, had_place),
        };
        let had_come = booking.status == BookingStatus::Attended;
        give_back(set, actor, &mut booking, LedgerReason::SessionCancelled, Some((&rules, today)), now)?;
        if matches!(decided, WithSession::Ends { .. }) {
            end_offer(set, booking.id, OfferOutcome::Withdrawn, now);
            booking.cancel_with_session(now)?;
        }
        // With the credit or visit back, they may be able to take a place elsewhere.
        freed.person(booking.person_id);
        let had_cancelled = matches!(decided, WithSession::Returned { .. });
        let happened = Happened::CancelledWithSession { credits_returned, visit_returned, had_place, had_cancelled };
        let event = Event::of_booking(&booking, happened);
        set.put(booking.clone());
        emit(set, actor, event)?;
        if had_come {
            begin::follow(set, actor, &booking, now)?;
        }
    }
    Ok(freed)
}
