//! Time zones are laws, and laws change. A session is at a wall time: where its instant no longer fits what is now known of the zone, the
//! instant moves, and every cut-off with it. Members are not told what they cannot see: a letter is sent only where the wall time itself
//! changes, because the new law skips that hour. Subscribed calendars follow by themselves.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::changes::{changed, open_bookings, withdraw_offers};
use super::edit::Edit;
use super::rules::{LocalStart, start_by_the_wall};
use super::session_fields::set_start;
use super::substitutes::follow::follow_sessions;
use crate::booking::freed::Freed;
use crate::booking::refill::settle;
use crate::booking::remind;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::working_set::{Decision, WorkingSet};

/// Sweep: brings a session to come back to its wall time.
pub fn follow_clocks(set: &mut WorkingSet, session_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let before = set.session(session_id)?.clone();
    let studio = set.studio(before.studio_id)?;
    let wall = (before.local_date, before.local_minute);
    let Some(starts_at) = start_by_the_wall(before.starts_at, wall, before.skipped_minute, studio.zone) else { return Ok(()) };
    if before.is_cancelled() || before.starts_at.max(starts_at) <= now {
        return Ok(());
    }
    set.must_bear(before.taken + before.waiting)?;
    let mut after = before.clone();
    set_start(&mut after, starts_at);
    let rules = studio.rules_of(after.class_type_id);
    after.follow_start(&rules, studio.zone, now);
    let shows_another_time = (after.local_date, after.local_minute) != wall;
    // Where the clocks skip the minute that its series means, that minute is kept.
    let meant = before.skipped_minute.unwrap_or(before.local_minute);
    after.skipped_minute = (after.series_id.is_some() && LocalStart::of(starts_at, studio.zone).minute() != meant).then_some(meant);
    if shows_another_time && !after.is_draft() {
        after.changed = Json(changed(&before, &after));
    }
    after.sequence += 1;
    let edit = Edit { before, after };
    let Edit { before, after } = &edit;
    let actor = &Actor::system();
    set.put_session(after.clone());
    follow_sessions(set, actor, std::slice::from_ref(&edit), now)?;
    set.need_people(&open_bookings(set, session_id)?)?;
    withdraw_offers(set, actor, session_id, now)?;
    let bookings = open_bookings(set, session_id)?;
    let mut freed = Freed::default();
    for mut booking in bookings {
        let cut_offs = (before.free_cancel_until, after.free_cancel_until);
        booking.follow_clocks((after.starts_at, after.ends_at), cut_offs, now);
        remind::plan(set, &mut booking, now)?;
        freed.member_of(&booking);
        set.put(booking);
    }
    let what = Happened::SessionFollowedClocks { from: before.starts_at, to: after.starts_at, shows_another_time };
    emit(set, actor, Event::of_session(after, what))?;
    freed.session(session_id);
    settle(set, freed, now)
}
