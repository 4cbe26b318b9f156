//! Too few: an hour before it is decided the instructor is told how many have booked; then the session takes place, or it is cancelled.

use super::cancellation::cancel_one;
use crate::booking::BookingStatus;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::letters::facts::CancelReason;
use crate::working_set::{Decision, WorkingSet};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Sweep: the next step of a session that has a minimum.
pub fn decide_too_few(set: &mut WorkingSet, session_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let mut session = set.session(session_id)?.clone();
    let (Some(minimum), Some(at), Some(due)) = (session.minimum, session.too_few_at, session.too_few_due_at) else {
        return Ok(());
    };
    if now < due || session.is_cancelled() {
        return Ok(());
    }
    set.identity_if_any(session.instructor_id)?;
    // A place that is only offered is nobody's yet.
    let coming = set.roster(session_id)?.into_iter().filter_map(|id| set.known_booking(id));
    let coming = coming.filter(|booking| booking.takes_place() && booking.status != BookingStatus::Offered).count();
    let booked = i64::try_from(coming).unwrap_or(i64::MAX);
    if now < at {
        session.too_few_due_at = Some(at);
        session.too_few_warned = booked < minimum;
        set.put_session(session.clone());
        if session.too_few_warned {
            let what = Happened::TooFewSoon { booked, minimum, decided_at: at };
            emit(set, &Actor::system(), Event::of_session(&session, what))?;
        }
        return Ok(());
    }
    session.too_few_due_at = None;
    set.put_session(session.clone());
    // A sweep that comes after the start, say after a night without power, cancels nothing that is under way.
    let cancelled = booked < minimum && now < session.starts_at;
    if cancelled {
        cancel_one(set, &Actor::system(), session.clone(), Some(CancelReason::TooFew), None, now)?;
    }
    // Nobody needs to hear that a class takes place that was never in doubt.
    let tell = cancelled || session.too_few_warned;
    emit(set, &Actor::system(), Event::of_session(&session, Happened::TooFewDecided { booked, minimum, cancelled, tell }))
}
