//! What the studio's cancelling of a session gives back, and to whom.

use super::place::give_back;
use super::refill::Freed;
use super::rules::{self, WithSession};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::passes::LedgerReason;
use crate::schedule::Session;
use crate::schedule::rules::local_date;
use crate::working_set::{Decision, WorkingSet};
use chrono::{DateTime, Utc};

/// Everything taken for a session comes back, and everybody is told: the studio's doing.
pub fn end_by_studio(set: &mut WorkingSet, actor: &Actor, session: &Session, now: DateTime<Utc>) -> Decision<Freed> {
    let studio = set.studio(session.studio_id)?;
    let mut bookings = set.in_company(&set.roster(session.id)?)?;
    bookings.sort_by_key(|booking| (booking.queue_key, booking.created_at, booking.id));
    set.need_people(&bookings)?;
    let mut freed = Freed::default();
    let today = local_date(now, studio.zone);
    for mut booking in bookings {
        let decided = rules::cancel_with_session(&booking);
        // A visit that counted in its week counts no more either, of whatever status.
        give_back(set, actor, &mut booking, LedgerReason::SessionCancelled, Some((studio.rules.returned_credit_days_min, today)), now)?;
        let (credits_returned, had_place) = match decided {
            WithSession::Nothing => {
                set.put(booking);
                continue;
            }
            WithSession::Returned { credits } => (credits, false),
            WithSession::Ends { credits, had_place } => {
                booking.cancel_with_session(now)?;
                (credits, had_place)
            }
        };
        freed.person(booking.person_id);
        let event = Event::of_booking(&booking, Happened::CancelledWithSession { credits_returned, had_place });
        set.put(booking);
        emit(set, actor, event)?;
    }
    Ok(freed)
}
