//! `POST /v1/studios/{id}/copies`: the sessions of some days, copied to others as drafts.

use super::rights::admin;
use super::session_parts::{SessionParts, class_type, room, still_teaches};
use super::{BulkResult, Session, SkippedSession};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::studios::StudioContext;
use crate::working_set::{Decision, WorkingSet, all, caller};
use crate::zones::instant;
use chrono::{DateTime, Utc};
use chrono::{Days, Duration, NaiveDate, NaiveTime};
use uuid::Uuid;

/// `POST /v1/studios/{id}/copies`: copies the sessions of some days to others, as drafts. What cannot be there is left out and named.
pub fn copy_days(
    set: &mut WorkingSet,
    actor: &Actor,
    studio_id: Uuid,
    from: NaiveDate,
    days: u64,
    to: NaiveDate,
    now: DateTime<Utc>,
) -> Decision<BulkResult> {
    let own = set.person(caller(actor)?)?;
    let studio = set.studio(studio_id)?;
    admin(&own, studio_id)?;
    let until = from.checked_add_days(Days::new(days)).unwrap_or(from);
    let originals: Vec<Session> = set.of_days(studio_id, from, until)?.into_iter().filter(|session| !session.is_cancelled()).collect();
    let copies = all(originals.iter().map(|original| copied(set, &studio, original, to - from, now)))?;
    let there = copies.iter().flatten();
    all(there.map(|copy| set.in_the_way(copy, None)))?;
    let mut several = BulkResult::default();
    for (original, copy) in originals.iter().zip(copies) {
        let Some(copy) = copy else {
            several.skipped.push(SkippedSession { session_id: original.id, because: "instructor-left", other_session_id: None });
            continue;
        };
        let clash = set.in_the_way(&copy, None)?.into_iter().next();
        let skip = if copy.starts_at <= now {
            Some(("past", None))
        } else if set.is_closed(studio_id, copy.local_date)? {
            Some(("studio-closed", None))
        } else {
            clash.map(|clash| {
                let because = if clash.instructor_id == copy.instructor_id { "instructor-busy" } else { "room-busy" };
                (because, clash.id_for(studio_id))
            })
        };
        if let Some((because, other_session_id)) = skip {
            several.skipped.push(SkippedSession { session_id: original.id, because, other_session_id });
            continue;
        }
        several.session_ids.push(copy.id);
        let event = Event::of_session(&copy, Happened::SessionMade { copy_of: Some(original.id) });
        set.put_session(copy);
        emit(set, actor, event)?;
    }
    Ok(several)
}

/// The same session `days` later, at the same wall time; if the clocks skip it there, it begins with the first valid minute. `None`: its
/// instructor no longer teaches here.
fn copied(set: &WorkingSet, studio: &StudioContext, original: &Session, later: Duration, now: DateTime<Utc>) -> Decision<Option<Session>> {
    let Some(instructor) = still_teaches(set, original.instructor_id, studio)? else { return Ok(None) };
    let parts = SessionParts {
        class_type: class_type(set, original.class_type_id, studio)?,
        room: room(set, original.room_id, studio)?,
        instructor,
    };
    let local = original.local_date.and_time(NaiveTime::MIN) + later + Duration::minutes(original.local_minute);
    let capacity = original.capacity.min(parts.room.capacity);
    Ok(Some(parts.session(studio, instant(local, studio.zone), capacity, true, now)))
}
