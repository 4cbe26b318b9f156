//! The end of waiting: no way in is left, and who still waits is told so.

use super::EndedBy;
use crate::letters::facts::Facts;
use crate::working_set::letters::{About, tell};
use crate::working_set::{Actor, Decision, WorkingSet};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Sweep: no way in is left; who still waits is told so, and nothing was taken.
pub fn close_waitlist(set: &mut WorkingSet, session_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let session = set.session(session_id)?.clone();
    if session.waiting == 0 || now < session.waiting_ends_at {
        return Ok(());
    }
    let house = Actor::house();
    let studio = set.studio(session.studio_id)?;
    let waiting = set.in_company(&set.whole_queue(session_id)?)?;
    set.need_people(&waiting)?;
    for mut booking in waiting {
        let person = set.person(booking.person_id)?;
        booking.leave(&EndedBy::WaitlistClosed.into(), now)?;
        let told = About { session: &session, studio: &studio, person: &person, useful_until: None };
        tell(set, &mut booking, &told, |session| Facts::WaitlistClosed { session });
        set.audit.push(house.line("booking.waitlist_closed", &booking));
        set.put(booking);
    }
    Ok(())
}
