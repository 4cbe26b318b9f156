//! Days on which a studio is closed.

use super::cancellation::cancel_one;
use super::rights::admin;
use super::{BulkResult, Session, SkippedSession};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::letters::facts::CancelReason;
use crate::working_set::{Decision, WorkingSet, all, caller};
use chrono::NaiveDate;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// `POST /v1/studios/{id}/closing-days`: the sessions of those days are cancelled and refunded, and series leave them out.
pub fn close_days(
    set: &mut WorkingSet,
    actor: &Actor,
    studio_id: Uuid,
    from: NaiveDate,
    to: NaiveDate,
    note: Option<&str>,
    now: DateTime<Utc>,
) -> Decision<BulkResult> {
    let own = set.person(caller(actor)?)?;
    set.studio(studio_id)?;
    admin(&own, studio_id)?;
    let sessions: Vec<Session> = set.of_days(studio_id, from, to)?.into_iter().filter(|session| !session.is_cancelled()).collect();
    let people: i64 = sessions.iter().map(|session| session.taken + session.waiting).sum();
    set.must_bear(people)?;
    all(sessions.iter().map(|session| set.roster(session.id)))?;
    let mut several = BulkResult::default();
    for date in from.iter_days().take_while(|date| *date < to) {
        set.put_closing_day(studio_id, date, Some(note.map(str::to_owned)));
    }
    emit(set, actor, Event::of_studio(studio_id, Happened::DaysClosed { from, to }))?;
    for session in sessions {
        if session.starts_at <= now {
            several.skipped.push(SkippedSession { session_id: session.id, because: "session-started", other_session_id: None });
            continue;
        }
        several.session_ids.push(session.id);
        let session = set.session(session.id)?.clone();
        cancel_one(set, actor, session, Some(CancelReason::Other), note, now)?;
    }
    Ok(several)
}

/// `DELETE /v1/studios/{id}/closing-days/{date}`: what was cancelled stays cancelled.
pub fn open_day(set: &mut WorkingSet, actor: &Actor, studio_id: Uuid, date: NaiveDate) -> Decision<()> {
    let own = set.person(caller(actor)?)?;
    set.studio(studio_id)?;
    admin(&own, studio_id)?;
    if set.is_closed(studio_id, date)? {
        set.put_closing_day(studio_id, date, None);
        emit(set, actor, Event::of_studio(studio_id, Happened::DayOpened { date }))?;
    }
    Ok(())
}
