//! `POST /v1/studios/{id}/series`: a series begins.

use super::ahead::go_on;
use super::rules::check;
use super::{GapReason, Part, Plan, Series};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::ids::new_id;
use crate::problem::{Problem, ProblemType};
use crate::schedule::rights::may_make;
use crate::schedule::session_parts::{SessionParts, capacity, class_type, instructor, room};
use crate::working_set::{Decision, WorkingSet, caller};
use crate::wrong::Wrong;
use crate::zones::local_date;
use chrono::NaiveDate;
use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

/// `POST /v1/studios/{id}/series`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct MakeSeries {
    pub studio_id: Uuid,
    pub class_type_id: Uuid,
    pub room_id: Uuid,
    pub instructor_id: Uuid,
    pub capacity: Option<i64>,
    pub starts_on: NaiveDate,
    pub local_minute: i64,
    pub rule: String,
    pub until: Option<NaiveDate>,
    pub count: Option<i64>,
    pub except: Vec<NaiveDate>,
    pub draft: bool,
}

/// `POST /v1/studios/{id}/series`.
pub fn make_series(set: &mut WorkingSet, actor: &Actor, ask: &MakeSeries, now: DateTime<Utc>) -> Decision<Uuid> {
    let own = set.person(caller(actor)?)?;
    let studio = set.studio(ask.studio_id)?;
    let proposes = may_make(&own, &studio, ask.instructor_id)?;
    if ask.starts_on < local_date(now, studio.zone) {
        return Err(Problem::field("starts_on", Wrong::InPast).into());
    }
    let parts = SessionParts {
        class_type: class_type(set, ask.class_type_id, &studio)?,
        room: room(set, ask.room_id, &studio)?,
        instructor: instructor(set, ask.instructor_id, &studio)?,
    };
    if let Some(asked) = ask.capacity {
        capacity(Some(asked), &parts.room)?;
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
    check(&series).map_err(|(field, wrong)| Problem::field(field, wrong))?;
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
    plan.go_on_from(plan.series.starts_on, studio.opens_days_max(), studio.zone);
    let id = plan.series.id;
    let made = go_on(set, &studio, &mut plan, now)?;
    // Whoever begins a series is told at once of anything in its way; a later obstacle leaves a gap.
    if let Some(gap) = plan.gaps.values().find(|gap| matches!(gap.reason, GapReason::InstructorBusy | GapReason::RoomBusy)) {
        let kind = if gap.reason == GapReason::InstructorBusy { ProblemType::InstructorBusy } else { ProblemType::RoomBusy };
        return Err(Problem::new(kind).with("session_id", gap.other_session_id).with("date", gap.series_date).into());
    }
    set.put_plan(plan);
    emit(set, actor, Event::in_studio(studio.id, Subject::Series, id, Happened::SeriesMade))?;
    if proposes && let Some(first) = made.first() {
        let count = i64::try_from(made.len()).unwrap_or(i64::MAX);
        emit(set, actor, Event::of_session(first, Happened::SessionsProposed { by: own.id, count }))?;
    }
    Ok(id)
}
