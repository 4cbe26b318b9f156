//! Planning at the desk: drafts published, days copied, days closed.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, Duration, NaiveDate, NaiveTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::Actor;
use super::command::{Outcome, Publish, Several, Skipped};
use super::letters::{About, tell_staff};
use super::needs::{Decided, Stop, all};
use super::places::PEOPLE_IN_COMPANY_MAX;
use super::sessions::{MadeOf, cancel_one, class_type, room, still_teaches};
use super::store::Studio;
use super::world::World;
use crate::letters::facts::{CancelReason, Facts};
use crate::problem::{Kind, Problem};
use crate::schedule::rules::instant;
use crate::schedule::{Shown as Session, Status};

/// `PUT /v1/studios/{id}/publication` and `PUT /v1/series/{id}/publication`: drafts become part of the schedule.
pub fn publish(world: &mut World, actor: &Actor, ask: Publish, now: DateTime<Utc>) -> Decided<Outcome> {
    let own = world.person(actor.person_id()?)?;
    let (studio_id, drafts) = match ask {
        Publish::Days { studio_id, from, to } => {
            world.studio_or_not_found(studio_id)?;
            admin(&own, studio_id)?;
            (studio_id, world.of_days(studio_id, from, to)?)
        }
        Publish::Series { series_id } => {
            let mut plan = world.plan(series_id)?.clone();
            let studio_id = plan.series.studio_id;
            if !own.is_staff(studio_id) {
                return Err(super::not_found());
            }
            admin(&own, studio_id)?;
            if plan.series.draft {
                plan.series.draft = false;
                plan.series.version += 1;
                world.audit.push(actor.record.of("series.published", "series", series_id, Some(studio_id)));
                world.put_plan(plan);
            }
            (studio_id, world.of_series(series_id, now)?)
        }
    };
    let studio = world.studio(studio_id)?;
    let drafts: Vec<Session> = drafts.into_iter().filter(|session| session.is_draft() && session.starts_at > now).collect();
    let mut several = Several::default();
    let mut of_instructor: BTreeMap<Uuid, (Session, i64)> = BTreeMap::new();
    for mut session in drafts {
        session.status = Status::Scheduled;
        session.version += 1;
        session.follow_start(&studio.rules, studio.zone, now);
        several.session_ids.push(session.id);
        world.audit.push(actor.record.of("session.published", "session", session.id, Some(studio_id)));
        of_instructor.entry(session.instructor_id).or_insert_with(|| (session.clone(), 0)).1 += 1;
        world.put_session(session);
    }
    let instructors = all(of_instructor.keys().map(|id| world.identity(*id)))?;
    for (person, (first, count)) in instructors.into_iter().zip(of_instructor.into_values()) {
        if person.id != own.id {
            let told = About { session: &first, studio: &studio, person: &person, useful_until: Some(first.starts_at) };
            tell_staff(world, &told, None, |session| Facts::SessionsPublished { session, count });
        }
    }
    Ok(Outcome::Sessions(Box::new(several)))
}

/// `POST /v1/studios/{id}/copies`: the sessions of some days again on others, as drafts. What cannot be there is left out and named.
pub fn copy(
    world: &mut World,
    actor: &Actor,
    studio_id: Uuid,
    from: NaiveDate,
    days: u64,
    to: NaiveDate,
    now: DateTime<Utc>,
) -> Decided<Outcome> {
    let own = world.person(actor.person_id()?)?;
    let studio = world.studio_or_not_found(studio_id)?;
    admin(&own, studio_id)?;
    let until = from.checked_add_days(Days::new(days)).unwrap_or(from);
    let originals: Vec<Session> = world.of_days(studio_id, from, until)?.into_iter().filter(|session| !session.is_cancelled()).collect();
    let copies = all(originals.iter().map(|original| copied(world, &studio, original, to - from, now)))?;
    let there = copies.iter().flatten();
    all(there.map(|copy| world.clashes(copy.room_id, copy.instructor_id, copy.starts_at, copy.ends_at, None)))?;
    let mut several = Several::default();
    for (original, copy) in originals.iter().zip(copies) {
        let Some(copy) = copy else {
            several.skipped.push(Skipped { session_id: original.id, because: "instructor-left", other_session_id: None });
            continue;
        };
        let clash = world.clashes(copy.room_id, copy.instructor_id, copy.starts_at, copy.ends_at, None)?.into_iter().next();
        let skip = if copy.starts_at <= now {
            Some(("past", None))
        } else if world.is_closed(studio_id, copy.local_date)? {
            Some(("studio-closed", None))
        } else {
            clash.map(|clash| (if clash.instructor_id == copy.instructor_id { "instructor-busy" } else { "room-busy" }, Some(clash.id)))
        };
        if let Some((because, other_session_id)) = skip {
            several.skipped.push(Skipped { session_id: original.id, because, other_session_id });
            continue;
        }
        several.session_ids.push(copy.id);
        world.audit.push(actor.record.of("session.made", "session", copy.id, Some(studio_id)).with(json!({ "copy_of": original.id })));
        world.put_session(copy);
    }
    Ok(Outcome::Sessions(Box::new(several)))
}

/// The same so many days later, at the same wall time; one that the clocks skip there begins with the first valid minute. `None`: who taught
/// it teaches here no more.
fn copied(world: &World, studio: &Studio, original: &Session, later: Duration, now: DateTime<Utc>) -> Decided<Option<Session>> {
    let Some(instructor) = still_teaches(world, original.instructor_id, studio)? else { return Ok(None) };
    let made_of =
        MadeOf { class_type: class_type(world, original.class_type_id, studio)?, room: room(world, original.room_id, studio)?, instructor };
    let local = original.local_date.and_time(NaiveTime::MIN) + later + Duration::minutes(original.local_minute);
    let capacity = original.capacity.min(made_of.room.capacity);
    Ok(Some(made_of.session(studio, instant(local, studio.zone), capacity, true, now)))
}

/// `POST /v1/studios/{id}/closing-days`: the sessions of those days are cancelled and refunded, and series leave them out.
pub fn close(
    world: &mut World,
    actor: &Actor,
    studio_id: Uuid,
    from: NaiveDate,
    to: NaiveDate,
    note: Option<&str>,
    now: DateTime<Utc>,
) -> Decided<Outcome> {
    let own = world.person(actor.person_id()?)?;
    world.studio_or_not_found(studio_id)?;
    admin(&own, studio_id)?;
    let sessions: Vec<Session> = world.of_days(studio_id, from, to)?.into_iter().filter(|session| !session.is_cancelled()).collect();
    let people: i64 = sessions.iter().map(|session| session.taken + session.waiting).sum();
    if people > i64::try_from(PEOPLE_IN_COMPANY_MAX).unwrap_or(i64::MAX) && !world.alone && !world.complete {
        return Err(Stop::Alone);
    }
    all(sessions.iter().map(|session| world.roster(session.id)))?;
    let mut several = Several::default();
    for date in from.iter_days().take_while(|date| *date < to) {
        world.put_closing_day(studio_id, date, Some(note.map(str::to_owned)));
    }
    world.audit.push(actor.record.of("studio.closed", "studio", studio_id, Some(studio_id)).with(json!({ "from": from, "to": to })));
    for session in sessions {
        if session.starts_at <= now {
            several.skipped.push(Skipped { session_id: session.id, because: "session-started", other_session_id: None });
            continue;
        }
        several.session_ids.push(session.id);
        let session = world.session(session.id)?.clone();
        cancel_one(world, actor, session, Some(CancelReason::Other), note, now)?;
    }
    Ok(Outcome::Sessions(Box::new(several)))
}

/// `DELETE /v1/studios/{id}/closing-days/{date}`: what was cancelled stays cancelled.
pub fn open(world: &mut World, actor: &Actor, studio_id: Uuid, date: NaiveDate) -> Decided<Outcome> {
    let own = world.person(actor.person_id()?)?;
    world.studio_or_not_found(studio_id)?;
    admin(&own, studio_id)?;
    if world.is_closed(studio_id, date)? {
        world.put_closing_day(studio_id, date, None);
        world.audit.push(actor.record.of("studio.opened", "studio", studio_id, Some(studio_id)).with(json!({ "date": date })));
    }
    Ok(Outcome::Done)
}

fn admin(own: &super::store::Person, studio_id: Uuid) -> Decided<()> {
    if own.is_admin(studio_id) { Ok(()) } else { Err(Problem::new(Kind::NotAllowed).into()) }
}
