//! A pass that counts from the first class attended begins with it.

use super::held::keep;
use super::rules::validity::begun;
use super::{LedgerEntry, LedgerReason};
use crate::booking::Booking;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::ids::new_id;
use crate::working_set::{Attended, Decision, WorkingSet};
use crate::zones::local_date;
use chrono::{DateTime, Utc};

/// After somebody was marked as having come, or the mark was taken back: the pass that paid begins on the day of the first class attended
/// with it, or has not begun after all. Answers whether anything has changed.
pub fn follow(set: &mut WorkingSet, actor: &Actor, booking: &Booking, now: DateTime<Utc>) -> Decision<bool> {
    let Some(pass_id) = booking.pass_id else { return Ok(false) };
    let mut pass = set.pass(pass_id)?.clone();
    let Some(length) = pass.from_first().filter(|_| pass.ended_at.is_none()) else { return Ok(false) };
    let first = set.first_attended(Attended::With(pass_id))?.map(|first| (first.studio_id, first.starts_at));
    let on = match first {
        Some((studio_id, starts_at)) => Some(local_date(starts_at, set.studio(studio_id)?.zone)),
        None => None,
    };
    if on == pass.begun_on {
        return Ok(false);
    }
    let expires_on = begun(&pass, length, on);
    pass.begin(on, expires_on);
    let mut entry = LedgerEntry::new(new_id(now), pass_id, LedgerReason::Begun, actor.person_id, now);
    entry.booking_id = Some(booking.id);
    let event = Event::in_studio(pass.studio_id, Subject::Pass, pass_id, Happened::PassBegun { person_id: pass.person_id, on });
    keep(set, pass, entry, now)?;
    emit(set, actor, event)?;
    Ok(true)
}
