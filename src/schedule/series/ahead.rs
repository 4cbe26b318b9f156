//! The sessions of a series are made ahead, as far as its studio's booking reaches.

use super::rules::{MADE_AT_ONCE_MAX, dates, made_until, occurrence};
use super::{Gap, GapReason, Part, Plan};
use crate::schedule::session_parts::{SessionParts, class_type, room, still_teaches};
use crate::schedule::{Clash, Session};
use crate::studios::StudioContext;
use crate::working_set::{Decision, Resource, WorkingSet, all};
use crate::zones::local_date;
use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Sweep: makes the sessions of a series that have come within reach.
pub fn make_ahead(set: &mut WorkingSet, series_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let mut plan = set.plan(series_id)?.clone();
    let studio = set.studio(plan.series.studio_id)?;
    if plan.series.make_at.is_none_or(|at| at > now) {
        return Ok(());
    }
    go_on(set, &studio, &mut plan, now)?;
    set.put_plan(plan);
    Ok(())
}

/// Makes what is within reach, and sets when the next is due.
pub fn go_on(set: &mut WorkingSet, studio: &StudioContext, plan: &mut Plan, now: DateTime<Utc>) -> Decision<Vec<Session>> {
    let Some(from) = plan.series.next_date else { return Ok(Vec::new()) };
    let until = made_until(studio.opens_days_max(), local_date(now, studio.zone));
    let due: Vec<NaiveDate> = dates(&plan.series, from).take_while(|date| *date <= until).take(MADE_AT_ONCE_MAX).collect();
    let made = make_dates(set, studio, plan, &due, now)?;
    if let Some(next) = due.last().and_then(NaiveDate::succ_opt) {
        plan.go_on_from(next, studio.opens_days_max(), studio.zone);
    } else {
        plan.go_on_from(from, studio.opens_days_max(), studio.zone);
    }
    Ok(made)
}

/// Makes the sessions of these dates; where none can be, the plan keeps a gap that says why.
pub fn make_dates(
    set: &mut WorkingSet,
    studio: &StudioContext,
    plan: &mut Plan,
    due: &[NaiveDate],
    now: DateTime<Utc>,
) -> Decision<Vec<Session>> {
    let parts: Vec<&Part> = due.iter().filter_map(|date| plan.part_on(*date)).collect();
    let parts_of = all(parts.iter().map(|part| parts_of(set, part, studio)))?;
    let mut wanted = Vec::with_capacity(due.len());
    let mut gaps = Vec::new();
    for ((date, part), parts_of) in due.iter().zip(&parts).zip(&parts_of) {
        let Some(parts_of) = parts_of else {
            gaps.push(Gap { series_id: plan.series.id, series_date: *date, reason: GapReason::NoInstructor, other_session_id: None });
            continue;
        };
        let at = occurrence(*date, part, studio.zone);
        // The room may have become smaller since: a session never takes more than its room.
        let capacity = part.capacity.unwrap_or(parts_of.room.capacity).min(parts_of.room.capacity);
        let mut session = parts_of.session(studio, at.starts_at, capacity, plan.series.draft, now);
        session.series_id = Some(plan.series.id);
        session.series_date = Some(*date);
        session.skipped_minute = at.skipped_minute;
        wanted.push(session);
    }
    plan.gaps.extend(gaps.into_iter().map(|gap| (gap.series_date, gap)));
    know_times(set, &wanted)?;
    let mut made = Vec::new();
    for session in wanted {
        let Some(date) = session.series_date else { continue };
        let gap = |reason, other_session_id| Gap { series_id: plan.series.id, series_date: date, reason, other_session_id };
        let clash = set.in_the_way(&session, None)?.into_iter().next();
        let found = if session.starts_at <= now {
            Some(gap(GapReason::Past, None))
        } else if set.is_closed(studio.id, session.local_date)? {
            Some(gap(GapReason::Closed, None))
        } else {
            clash.map(|clash| gap(busy(&session, &clash), clash.id_for(studio.id)))
        };
        match found {
            Some(gap) => drop(plan.gaps.insert(date, gap)),
            None => {
                plan.gaps.remove(&date);
                set.put_session(session.clone());
                made.push(session);
            }
        }
    }
    Ok(made)
}

fn busy(session: &Session, clash: &Clash) -> GapReason {
    if clash.instructor_id == session.instructor_id { GapReason::InstructorBusy } else { GapReason::RoomBusy }
}

/// `None`: its instructor no longer teaches here.
fn parts_of(set: &WorkingSet, part: &Part, studio: &StudioContext) -> Decision<Option<SessionParts>> {
    let Some(instructor) = still_teaches(set, part.instructor_id, studio)? else { return Ok(None) };
    Ok(Some(SessionParts { class_type: class_type(set, part.class_type_id, studio)?, room: room(set, part.room_id, studio)?, instructor }))
}

/// Asks, in one go, for everything that these sessions' rooms and instructors are in, from the first session to the last.
pub fn know_times(set: &WorkingSet, sessions: &[Session]) -> Decision<()> {
    let mut spans = BTreeMap::new();
    for session in sessions {
        for resource in Resource::of(&Clash::of(session)) {
            let span = spans.entry(resource).or_insert((session.starts_at, session.ends_at));
            *span = (span.0.min(session.starts_at), span.1.max(session.ends_at));
        }
    }
    all(spans.into_iter().map(|(resource, (from, until))| set.clashes(&[resource], from, until, None))).map(drop)
}
