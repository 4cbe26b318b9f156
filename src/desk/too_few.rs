//! Too few: an hour before it is decided the instructor is told how many have booked; then the session takes place, or it is cancelled.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Actor;
use super::command::Outcome;
use super::letters::{About, tell_staff};
use super::needs::Decided;
use super::sessions::cancel_one;
use super::world::World;
use crate::letters::facts::{CancelReason, Facts};

/// Sweep: the next step of a session that has a minimum.
pub fn decide(world: &mut World, session_id: Uuid, now: DateTime<Utc>) -> Decided<Outcome> {
    let mut session = world.session(session_id)?.clone();
    let (Some(minimum), Some(at), Some(due)) = (session.minimum, session.too_few_at, session.too_few_due_at) else {
        return Ok(Outcome::Done);
    };
    if now < due || session.is_cancelled() {
        return Ok(Outcome::Done);
    }
    let studio = world.studio(session.studio_id)?;
    let instructor = world.identity_if_any(session.instructor_id)?;
    let booked = session.taken;
    if now < at {
        session.too_few_due_at = Some(at);
        session.too_few_warned = booked < minimum;
        world.put_session(session.clone());
        if session.too_few_warned
            && let Some(instructor) = instructor
        {
            let told = About { session: &session, studio: &studio, person: &instructor, useful_until: Some(at) };
            let once = format!("{session_id}:{}", at.timestamp());
            tell_staff(world, &told, Some(once), |session| Facts::TooFewSoon { session, booked, minimum, decided_at: at });
        }
        return Ok(Outcome::Done);
    }
    session.too_few_due_at = None;
    world.put_session(session.clone());
    // A sweep that comes after the start, say after a night without power, cancels nothing that is under way.
    let cancelled = booked < minimum && now < session.starts_at;
    if cancelled {
        cancel_one(world, &Actor::house(), session.clone(), Some(CancelReason::TooFew), None, now)?;
    }
    // Of a class that was never in doubt nobody needs to hear that it takes place.
    if !cancelled && !session.too_few_warned {
        return Ok(Outcome::Done);
    }
    if let Some(instructor) = instructor {
        let told = About { session: &session, studio: &studio, person: &instructor, useful_until: Some(session.ends_at) };
        tell_staff(world, &told, None, |session| Facts::TooFewDecided { session, booked, minimum, cancelled });
    }
    Ok(Outcome::Done)
}
