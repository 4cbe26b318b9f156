//! Drafts become part of the schedule.

use std::collections::BTreeMap;

use super::rights::admin;
use super::session_parts::still_teaches;
use super::{BulkResult, Session, SessionStatus, SkippedSession};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::working_set::{Decision, WorkingSet, all, caller, not_found};
use chrono::NaiveDate;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Which drafts are published.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields of the calls")]
pub enum Publish {
    Days { studio_id: Uuid, from: NaiveDate, to: NaiveDate },
    Series { series_id: Uuid },
}

/// `PUT /v1/studios/{id}/publication` and `PUT /v1/series/{id}/publication`: drafts become part of the schedule.
pub fn publish(set: &mut WorkingSet, actor: &Actor, ask: Publish, now: DateTime<Utc>) -> Decision<BulkResult> {
    let own = set.person(caller(actor)?)?;
    let (studio_id, drafts) = match ask {
        Publish::Days { studio_id, from, to } => {
            set.studio(studio_id)?;
            admin(&own, studio_id)?;
            (studio_id, set.of_days(studio_id, from, to)?)
        }
        Publish::Series { series_id } => {
            let mut plan = set.plan(series_id)?.clone();
            let studio_id = plan.series.studio_id;
            if !own.roles.is_staff(studio_id) {
                return Err(not_found());
            }
            admin(&own, studio_id)?;
            if plan.series.draft {
                plan.series.draft = false;
                plan.series.version += 1;
                set.put_plan(plan);
                emit(set, actor, Event::in_studio(studio_id, Subject::Series, series_id, Happened::SeriesPublished))?;
            }
            (studio_id, set.of_series(series_id, now)?)
        }
    };
    let studio = set.studio(studio_id)?;
    let drafts: Vec<Session> = drafts.into_iter().filter(|session| session.is_draft() && session.starts_at > now).collect();
    let taught = all(drafts.iter().map(|session| still_teaches(set, session.instructor_id, &studio)))?;
    let mut several = BulkResult::default();
    let mut of_instructor: BTreeMap<Uuid, (Session, i64)> = BTreeMap::new();
    for (mut session, instructor) in drafts.into_iter().zip(taught) {
        // Members are not shown a class that nobody gives: an admin names somebody first.
        if instructor.is_none() {
            several.skipped.push(SkippedSession { session_id: session.id, because: "instructor-left", other_session_id: None });
            continue;
        }
        session.status = SessionStatus::Scheduled;
        session.version += 1;
        let rules = studio.rules_of(session.class_type_id);
        session.follow_start(&rules, studio.zone, now);
        several.session_ids.push(session.id);
        let event = Event::of_session(&session, Happened::SessionPublished);
        of_instructor.entry(session.instructor_id).or_insert_with(|| (session.clone(), 0)).1 += 1;
        set.put_session(session);
        emit(set, actor, event)?;
    }
    for (instructor_id, (first, count)) in of_instructor {
        let what = Happened::SessionsPublished { count, tell: instructor_id != own.id };
        emit(set, actor, Event::of_session(&first, what))?;
    }
    Ok(several)
}
