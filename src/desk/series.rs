//! Series at the desk: begun, made ahead, edited from a date on, ended.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;
use sqlx::types::Json;

use super::Actor;
use super::changes::{Edit, apply};
use super::command::{CancelSession, EditSession, MakeSeries, Outcome, Scope};
use super::needs::{Decided, Stop, all};
use super::sessions::{
    MadeOf, cancel_one, capacity, class_type, finish, instructor, may_change, may_make, room, set_class_type, set_instructor, set_room,
    set_start, still_teaches, tell_admins,
};
use super::store::{Clash, Studio};
use super::world::World;
use crate::ids::new_id;
use crate::problem::{Kind, Problem};
use crate::schedule::Shown as Session;
use crate::schedule::rules::local_date;
use crate::schedule::series::rules::{Change, MADE_AT_ONCE_MAX, by_hand, check, dates, made_until, occurrence};
use crate::schedule::series::{ByHand, Gap, GapReason, Part, Plan, Series};
use uuid::Uuid;

/// `POST /v1/studios/{id}/series`.
pub fn make(world: &mut World, actor: &Actor, ask: &MakeSeries, now: DateTime<Utc>) -> Decided<Outcome> {
    let own = world.person(actor.person_id()?)?;
    let studio = world.studio_or_not_found(ask.studio_id)?;
    let proposes = may_make(&own, &studio, ask.instructor_id)?;
    if ask.starts_on < local_date(now, studio.zone) {
        return Err(Problem::field("starts_on", "must not be in the past").into());
    }
    let made_of = MadeOf {
        class_type: class_type(world, ask.class_type_id, &studio)?,
        room: room(world, ask.room_id, &studio)?,
        instructor: instructor(world, ask.instructor_id, &studio)?,
    };
    if let Some(asked) = ask.capacity {
        capacity(Some(asked), &made_of.room)?;
    }
    let series = Series {
        id: new_id(now),
        studio_id: studio.id,
        rule: ask.rule.clone(),
        starts_on: ask.starts_on,
        until_on: ask.until,
        count_max: ask.count,
        except_dates: Json(ask.except.clone()),
        draft: ask.draft || proposes,
        next_date: None,
        make_at: None,
        version: 1,
        created_by: Some(own.id),
        created_at: now,
    };
    check(&series).map_err(|(field, message)| Problem::field(field, message))?;
    let part = Part {
        series_id: series.id,
        from_date: series.starts_on,
        class_type_id: ask.class_type_id,
        room_id: ask.room_id,
        instructor_id: ask.instructor_id,
        capacity: ask.capacity,
        local_minute: ask.local_minute,
        shift_days: 0,
    };
    let mut plan = Plan { series, parts: [(part.from_date, part)].into(), gaps: [].into() };
    plan.go_on_from(plan.series.starts_on, &studio.rules, studio.zone);
    let id = plan.series.id;
    world.audit.push(actor.record.of("series.made", "series", id, Some(studio.id)).with(json!({ "rule": ask.rule })));
    let made = go_on(world, &studio, &mut plan, now)?;
    // Whoever begins a series is told at once what stands in its way; what comes there later leaves a gap.
    if let Some(gap) = plan.gaps.values().find(|gap| matches!(gap.reason, GapReason::InstructorBusy | GapReason::RoomBusy)) {
        let kind = if gap.reason == GapReason::InstructorBusy { Kind::InstructorBusy } else { Kind::RoomBusy };
        return Err(Problem::new(kind).with("session_id", gap.other_session_id).with("date", gap.series_date).into());
    }
    if proposes && let Some(first) = made.first() {
        tell_admins(world, &studio, first, &own, i64::try_from(made.len()).unwrap_or(i64::MAX))?;
    }
    world.put_plan(plan);
    Ok(Outcome::Series(id))
}

/// Sweep: the sessions of a series that have come within reach.
pub fn make_ahead(world: &mut World, series_id: Uuid, now: DateTime<Utc>) -> Decided<Outcome> {
    let mut plan = world.plan(series_id)?.clone();
    let studio = world.studio(plan.series.studio_id)?;
    if plan.series.make_at.is_none_or(|at| at > now) {
        return Ok(Outcome::Done);
    }
    go_on(world, &studio, &mut plan, now)?;
    world.put_plan(plan);
    Ok(Outcome::Series(series_id))
}

/// Makes what is within reach, and sets when the next one is.
fn go_on(world: &mut World, studio: &Studio, plan: &mut Plan, now: DateTime<Utc>) -> Decided<Vec<Session>> {
    let Some(from) = plan.series.next_date else { return Ok(Vec::new()) };
    let until = made_until(&studio.rules, local_date(now, studio.zone));
    let due: Vec<NaiveDate> = dates(&plan.series, from).take_while(|date| *date <= until).take(MADE_AT_ONCE_MAX).collect();
    let made = make_dates(world, studio, plan, &due, now)?;
    if let Some(next) = due.last().and_then(NaiveDate::succ_opt) {
        plan.go_on_from(next, &studio.rules, studio.zone);
    } else {
        plan.go_on_from(from, &studio.rules, studio.zone);
    }
    Ok(made)
}

/// Makes the sessions of these dates; where none can be, the plan keeps a gap that says why.
fn make_dates(world: &mut World, studio: &Studio, plan: &mut Plan, due: &[NaiveDate], now: DateTime<Utc>) -> Decided<Vec<Session>> {
    let parts: Vec<&Part> = due.iter().filter_map(|date| plan.part_on(*date)).collect();
    let made_of = all(parts.iter().map(|part| made_of(world, part, studio)))?;
    let mut wanted = Vec::with_capacity(due.len());
    let mut gaps = Vec::new();
    for ((date, part), made_of) in due.iter().zip(&parts).zip(&made_of) {
        let Some(made_of) = made_of else {
            gaps.push(Gap { series_id: plan.series.id, series_date: *date, reason: GapReason::NoInstructor, other_session_id: None });
            continue;
        };
        let at = occurrence(*date, part, studio.zone);
        // The room may have become smaller since: a session never takes more than its room.
        let capacity = part.capacity.unwrap_or(made_of.room.capacity).min(made_of.room.capacity);
        let mut session = made_of.session(studio, at.starts_at, capacity, plan.series.draft, now);
        session.series_id = Some(plan.series.id);
        session.series_date = Some(*date);
        session.skipped_minute = at.skipped_minute;
        wanted.push(session);
    }
    plan.gaps.extend(gaps.into_iter().map(|gap| (gap.series_date, gap)));
    know_times(world, &wanted)?;
    let mut made = Vec::new();
    for session in wanted {
        let Some(date) = session.series_date else { continue };
        let gap = |reason, other_session_id| Gap { series_id: plan.series.id, series_date: date, reason, other_session_id };
        let clash = world.clashes(session.room_id, session.instructor_id, session.starts_at, session.ends_at, None)?.into_iter().next();
        let found = if session.starts_at <= now {
            Some(gap(GapReason::Past, None))
        } else if world.is_closed(studio.id, session.local_date)? {
            Some(gap(GapReason::Closed, None))
        } else {
            clash.map(|clash| gap(busy(&session, &clash), Some(clash.id)))
        };
        match found {
            Some(gap) => drop(plan.gaps.insert(date, gap)),
            None => {
                plan.gaps.remove(&date);
                world.put_session(session.clone());
                made.push(session);
            }
        }
    }
    Ok(made)
}

fn busy(session: &Session, clash: &Clash) -> GapReason {
    if clash.instructor_id == session.instructor_id { GapReason::InstructorBusy } else { GapReason::RoomBusy }
}

/// `None`: who should teach it teaches here no more.
fn made_of(world: &World, part: &Part, studio: &Studio) -> Decided<Option<MadeOf>> {
    let Some(instructor) = still_teaches(world, part.instructor_id, studio)? else { return Ok(None) };
    Ok(Some(MadeOf { class_type: class_type(world, part.class_type_id, studio)?, room: room(world, part.room_id, studio)?, instructor }))
}

/// Asks once for all that these sessions' rooms and instructors are in from the first to the last of them.
fn know_times(world: &World, sessions: &[Session]) -> Decided<()> {
    let mut spans = std::collections::BTreeMap::new();
    for session in sessions {
        let key = (session.room_id, session.instructor_id);
        let span = spans.entry(key).or_insert((session.starts_at, session.ends_at));
        *span = (span.0.min(session.starts_at), span.1.max(session.ends_at));
    }
    all(spans.into_iter().map(|((room, instructor), (from, until))| world.clashes(room, instructor, from, until, None))).map(drop)
}

/// `PATCH /v1/sessions/{id}` with a scope: this one and those that follow, or all to come.
pub fn edit(
    world: &mut World,
    actor: &Actor,
    studio: &Studio,
    anchor: &Session,
    ask: &EditSession,
    now: DateTime<Utc>,
) -> Decided<Outcome> {
    let (mut plan, from) = scope(world, anchor, ask.scope, now)?;
    must_be_hers(world, actor, studio, &plan, from, now)?;
    let on = anchor.series_date.unwrap_or(from);
    if ask.local_start.is_some() && anchor.starts_at <= now {
        return Err(Problem::new(Kind::SessionStarted).into());
    }
    let change = Change {
        class_type_id: ask.class_type_id,
        room_id: ask.room_id,
        instructor_id: ask.instructor_id,
        capacity: ask.capacity,
        local_minute: ask.local_start.map(crate::schedule::rules::LocalStart::minute),
        shift_days: ask.local_start.map(|start| (start.local().date() - on).num_days()),
    };
    if change.shift_days.is_some_and(|days| !(-6..=6).contains(&days)) {
        return Err(Problem::field("local_start", "must be within 6 days of the date that the series' rule gives").into());
    }
    plan.change_from(from, &change);
    // What it is made of must be the studio's, also where no session stands yet.
    for part in plan.parts.range(from..).map(|(_, part)| part) {
        class_type(world, part.class_type_id, studio)?;
        let room = room(world, part.room_id, studio)?;
        if let Some(asked) = ask.capacity {
            capacity(Some(asked), &room)?;
        }
        instructor(world, part.instructor_id, studio)?;
    }
    plan.series.version += 1;
    let asked = by_hand_of(ask);
    let mut edits = Vec::new();
    for before in world.of_series(plan.series.id, now)?.into_iter().filter(|session| session.series_date >= Some(from)) {
        let mut follows = before.clone();
        if before.id == anchor.id {
            follows.by_hand.0.retain(|what| !asked.contains(what));
            follows.too_few_exempt = ask.too_few_exempt.unwrap_or(before.too_few_exempt);
        }
        let after = follow(world, &follows, &plan, studio)?;
        if after.starts_at <= now {
            return Err(Problem::field("local_start", "must be in the future").with("date", after.series_date).into());
        }
        edits.push(Edit { after: finish(&before, after, studio, now), before });
    }
    know_times(world, &edits.iter().map(|edit| edit.after.clone()).collect::<Vec<_>>())?;
    let details = json!({ "from": from, "sessions": edits.len() });
    world.audit.push(actor.record.of("series.changed", "series", plan.series.id, Some(studio.id)).with(details));
    apply(world, actor, studio, edits, ask.release, now)?;
    // What stood in the way of a date may not stand in the way of the series as it is now.
    let gaps: Vec<NaiveDate> = plan.gaps.range(from..).filter(|(_, gap)| gap.reason != GapReason::Past).map(|(date, _)| *date).collect();
    make_dates(world, studio, &mut plan, &gaps, now)?;
    world.put_plan(plan);
    Ok(Outcome::Session(ask.session_id))
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
fn follow(world: &World, session: &Session, plan: &Plan, studio: &Studio) -> Decided<Session> {
    let mut after = session.clone();
    let (Some(date), Some(part)) = (session.series_date, session.series_date.and_then(|date| plan.part_on(date))) else { return Ok(after) };
    let keeps = |what| session.by_hand.contains(&what);
    if !keeps(ByHand::ClassType) {
        set_class_type(world, &mut after, part.class_type_id, studio)?;
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
        None if !keeps(ByHand::Capacity) && room_id != after.room_id => Some(room(world, room_id, studio)?.capacity),
        _ => None,
    };
    if room_id != after.room_id || capacity.is_some() {
        let room = room(world, room_id, studio)?;
        let capacity = capacity.unwrap_or(after.capacity).min(room.capacity);
        set_room(world, &mut after, room_id, capacity, studio)?;
    }
    if !keeps(ByHand::Instructor) {
        set_instructor(world, &mut after, part.instructor_id, studio)?;
    }
    after.by_hand = Json(by_hand(&after, plan, studio.zone, keeps(ByHand::Capacity)));
    Ok(after)
}

/// `PUT /v1/sessions/{id}/cancellation` with a scope: the series ends, and what it made is cancelled.
pub fn end(
    world: &mut World,
    actor: &Actor,
    studio: &Studio,
    anchor: &Session,
    ask: &CancelSession,
    now: DateTime<Utc>,
) -> Decided<Outcome> {
    let (mut plan, from) = scope(world, anchor, ask.scope, now)?;
    must_be_hers(world, actor, studio, &plan, from, now)?;
    let sessions: Vec<Session> =
        world.of_series(plan.series.id, now)?.into_iter().filter(|session| session.series_date >= Some(from)).collect();
    let people: i64 = sessions.iter().map(|session| session.taken + session.waiting).sum();
    if people > i64::try_from(super::places::PEOPLE_IN_COMPANY_MAX).unwrap_or(i64::MAX) && !world.alone && !world.complete {
        return Err(Stop::Alone);
    }
    all(sessions.iter().map(|session| world.roster(session.id)))?;
    plan.end_before(from);
    plan.series.version += 1;
    let details = json!({ "from": from, "sessions": sessions.len() });
    world.audit.push(actor.record.of("series.ended", "series", plan.series.id, Some(studio.id)).with(details));
    world.put_plan(plan);
    for session in sessions {
        let session = world.session(session.id)?.clone();
        cancel_one(world, actor, session, ask.reason, ask.note.as_deref(), now)?;
    }
    Ok(Outcome::Session(ask.session_id))
}

/// Whoever does not run the studio changes only what is hers: of the series all from that date on, and every session that it made there. One
/// who stands in for another in one session, or may only propose, has no say in the rest.
fn must_be_hers(world: &World, actor: &Actor, studio: &Studio, plan: &Plan, from: NaiveDate, now: DateTime<Utc>) -> Decided<()> {
    let own = world.person(actor.person_id()?)?;
    for part in plan.part_on(from).into_iter().chain(plan.parts.range(from..).map(|(_, part)| part)) {
        if may_make(&own, studio, part.instructor_id)? && !plan.series.draft {
            return Err(Problem::new(Kind::NotAllowed).into());
        }
    }
    for session in world.of_series(plan.series.id, now)?.iter().filter(|session| session.series_date >= Some(from)) {
        may_change(&own, studio, session)?;
    }
    Ok(())
}

/// The series of a session, and from which of its dates on an act means it.
fn scope(world: &World, anchor: &Session, scope: Scope, now: DateTime<Utc>) -> Decided<(Plan, NaiveDate)> {
    let (Some(series_id), Some(date)) = (anchor.series_id, anchor.series_date) else {
        return Err(Problem::field("scope", "must be \"this\": the session belongs to no series").into());
    };
    let plan = world.plan(series_id)?.clone();
    let to_come = world.of_series(series_id, now)?;
    let from = match scope {
        Scope::This | Scope::Following => date,
        // Those that have begun or are over stay as they were.
        Scope::All => {
            let first = to_come.iter().filter_map(|session| session.series_date).min();
            first.into_iter().chain(plan.series.next_date).min().unwrap_or(date)
        }
    };
    Ok((plan, from))
}
