//! Too few: an hour before it is decided the instructor is told how many have booked; then the session takes place, or it is cancelled.

use super::cancellation::cancel_one;
use crate::letters::facts::{CancelReason, Facts};
use crate::working_set::letters::{About, tell_staff};
use crate::working_set::{Actor, Decision, WorkingSet};
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
    let studio = set.studio(session.studio_id)?;
    let instructor = set.identity_if_any(session.instructor_id)?;
    let booked = session.taken;
    if now < at {
        session.too_few_due_at = Some(at);
        session.too_few_warned = booked < minimum;
        set.put_session(session.clone());
        if session.too_few_warned
            && let Some(instructor) = instructor
        {
            let told = About { session: &session, studio: &studio, person: &instructor, useful_until: Some(at) };
            let once = format!("{session_id}:{}", at.timestamp());
            tell_staff(set, &told, Some(once), |session| Facts::TooFewSoon { session, booked, minimum, decided_at: at });
        }
        return Ok(());
    }
    session.too_few_due_at = None;
    set.put_session(session.clone());
    // A sweep that comes after the start, say after a night without power, cancels nothing that is under way.
    let cancelled = booked < minimum && now < session.starts_at;
    if cancelled {
        cancel_one(set, &Actor::house(), session.clone(), Some(CancelReason::TooFew), None, now)?;
    }
    // Of a class that was never in doubt nobody needs to hear that it takes place.
    if !cancelled && !session.too_few_warned {
        return Ok(());
    }
    if let Some(instructor) = instructor {
        let told = About { session: &session, studio: &studio, person: &instructor, useful_until: Some(session.ends_at) };
        tell_staff(set, &told, None, |session| Facts::TooFewDecided { session, booked, minimum, cancelled });
    }
    Ok(())
}
