//! The end of waiting: no way in is left, and those who still wait are told so.

use super::EndedBy;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::working_set::{Decision, WorkingSet};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Sweep: tells those who still wait that no way in is left. Nothing was taken from them.
pub fn close_waitlist(set: &mut WorkingSet, session_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let session = set.session(session_id)?.clone();
    if session.waiting == 0 || now < session.waiting_ends_at {
        return Ok(());
    }
    let waiting = set.in_company(&set.whole_queue(session_id)?)?;
    set.need_people(&waiting)?;
    for mut booking in waiting {
        booking.leave(&EndedBy::WaitlistClosed.into(), now)?;
        let event = Event::of_booking(&booking, Happened::WaitlistClosed);
        set.put(booking);
        emit(set, &Actor::system(), event)?;
    }
    Ok(())
}
