//! `PATCH /v1/sessions/{id}` with a scope: a session and those that follow it, or all to come.

use super::ahead::{know_times, make_dates};
use super::rules::{Change, by_hand, occurrence};
use super::scope::{must_be_their_own, scope};
use super::{ByHand, GapReason, Plan};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::problem::{Problem, ProblemType};
use crate::schedule::Session;
use crate::schedule::changes::apply;
use crate::schedule::edit::Edit;
use crate::schedule::rules::LocalStart;
use crate::schedule::session_fields::{EditSession, finish, set_class_type, set_instructor, set_room, set_start};
use crate::schedule::session_parts::{capacity, class_type, instructor, room};
use crate::studios::StudioContext;
use crate::working_set::{Decision, WorkingSet};
use crate::wrong::Wrong;
use chrono::NaiveDate;
use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

/// `PATCH /v1/sessions/{id}` with a scope: this one and those that follow, or all to come.
pub fn edit_series(
    set: &mut WorkingSet,
    actor: &Actor,
    studio: &StudioContext,
    anchor: &Session,
    ask: &EditSession,
    now: DateTime<Utc>,
) -> Decision<Uuid> {
    let (mut plan, from) = scope(set, anchor, ask.scope, now)?;
    must_be_their_own(set, actor, studio, &plan, from, now)?;
    let on = anchor.series_date.unwrap_or(from);
    if ask.local_start.is_some() && anchor.starts_at <= now {
        return Err(Problem::new(ProblemType::SessionStarted).into());
    }
    let change = Change {
        class_type_id: ask.class_type_id,
        room_id: ask.room_id,
        instructor_id: ask.instructor_id,
        capacity: ask.capacity,
        local_minute: ask.local_start.map(LocalStart::minute),
        shift_days: ask.local_start.map(|start| (start.local().date() - on).num_days()),
    };
    if change.shift_days.is_some_and(|days| !(-6..=6).contains(&days)) {
        return Err(Problem::field("local_start", Wrong::TooFarFromRule { days: 6 }).into());
    }
    plan.change_from(from, &change);
    // Its parts must be the studio's, even where there is no session yet.
    for part in plan.parts.range(from..).map(|(_, part)| part) {
        class_type(set, part.class_type_id, studio)?;
        let room = room(set, part.room_id, studio)?;
        if let Some(asked) = ask.capacity {
            capacity(Some(asked), &room)?;
        }
        instructor(set, part.instructor_id, studio)?;
    }
    plan.series.version += 1;
    let asked = by_hand_of(ask);
    let mut edits = Vec::new();
    for before in set.of_series(plan.series.id, now)?.into_iter().filter(|session| session.series_date >= Some(from)) {
        let mut follows = before.clone();
        if before.id == anchor.id {
            follows.by_hand.0.retain(|what| !asked.contains(what));
            follows.too_few_exempt = ask.too_few_exempt.unwrap_or(before.too_few_exempt);
        }
        let after = follow(set, &follows, &plan, studio)?;
        if after.starts_at <= now {
            return Err(Problem::field("local_start", Wrong::NotInFuture).with("date", after.series_date).into());
        }
        edits.push(Edit { after: finish(&before, after, studio, now), before });
    }
    know_times(set, &edits.iter().map(|edit| edit.after.clone()).collect::<Vec<_>>())?;
    let what = Happened::SeriesChanged { from, sessions: edits.len() };
    emit(set, actor, Event::in_studio(studio.id, Subject::Series, plan.series.id, what))?;
    apply(set, actor, studio, edits, ask.release, now)?;
    // What prevented a session on a date may not prevent it as the series is now.
    let gaps: Vec<NaiveDate> = plan.gaps.range(from..).filter(|(_, gap)| gap.reason != GapReason::Past).map(|(date, _)| *date).collect();
    make_dates(set, studio, &mut plan, &gaps, now)?;
    set.put_plan(plan);
    Ok(ask.session_id)
}

fn by_hand_of(ask: &EditSession) -> Vec<ByHand> {
    let asked = [
        (ByHand::Time, ask.local_start.is_some()),
        (ByHand::Room, ask.room_id.is_some()),
        (ByHand::Instructor, ask.instructor_id.is_some()),
        (ByHand::ClassType, ask.class_type_id.is_some()),
        (ByHand::Capacity, ask.capacity.is_some()),
    ];
    asked.into_iter().filter(|(_, asked)| *asked).map(|(what, _)| what).collect()
}

/// A session as its series would have it now; what somebody changed by hand stays as it is.
fn follow(set: &WorkingSet, session: &Session, plan: &Plan, studio: &StudioContext) -> Decision<Session> {
    let mut after = session.clone();
    let (Some(date), Some(part)) = (session.series_date, session.series_date.and_then(|date| plan.part_on(date))) else { return Ok(after) };
    let keeps = |what| session.by_hand.contains(&what);
    if !keeps(ByHand::ClassType) {
        set_class_type(set, &mut after, part.class_type_id, studio)?;
    }
    if !keeps(ByHand::Time) {
        let at = occurrence(date, part, studio.zone);
        set_start(&mut after, at.starts_at);
        after.skipped_minute = at.skipped_minute;
    }
    let room_id = if keeps(ByHand::Room) { after.room_id } else { part.room_id };
    let capacity = match part.capacity {
        Some(capacity) if !keeps(ByHand::Capacity) => Some(capacity),
        // A series without a capacity of its own takes that of its room.
        None if !keeps(ByHand::Capacity) && room_id != after.room_id => Some(room(set, room_id, studio)?.capacity),
        _ => None,
    };
    if room_id != after.room_id || capacity.is_some() {
        let room = room(set, room_id, studio)?;
        let capacity = capacity.unwrap_or(after.capacity).min(room.capacity);
        set_room(set, &mut after, room_id, capacity, studio)?;
    }
    if !keeps(ByHand::Instructor) {
        set_instructor(set, &mut after, part.instructor_id, studio)?;
    }
    after.by_hand = Json(by_hand(&after, plan, studio.zone, keeps(ByHand::Capacity)));
    Ok(after)
}
