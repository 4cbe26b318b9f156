//! Making, changing and cancelling sessions, one of them or what follows it in its series.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use sqlx::types::Json;
use uuid::Uuid;

use super::Actor;
use super::changes::{Edit, apply, changed, nobody_in_the_way};
use super::command::{CancelSession, EditSession, MakeSession, Outcome, Scope};
use super::letters::{About, tell_staff};
use super::needs::{Decided, Key, Stop};
use super::places::{end_by_studio, settle};
use super::series;
use super::store::{ClassType, Person, Room, Studio};
use super::substitutes::follow_sessions;
use super::world::World;
use crate::ids::new_id;
use crate::letters::facts::{CancelReason, Facts};
use crate::problem::{Kind, Problem};
use crate::schedule::rules::{LocalStart, resolve_local_start};
use crate::schedule::series::ByHand;
use crate::schedule::series::rules::by_hand;
use crate::schedule::{Names, New, Session as Row, Shown as Session, Status as SessionStatus};
use crate::studios::house_rules::InstructorsSchedule;

/// The largest capacity of a session.
const CAPACITY_MAX: i64 = 10_000;

/// `POST /v1/studios/{id}/sessions`.
pub fn make(world: &mut World, actor: &Actor, ask: &MakeSession, now: DateTime<Utc>) -> Decided<Outcome> {
    let own = world.person(actor.person_id()?)?;
    let studio = world.studio_or_not_found(ask.studio_id)?;
    let proposes = may_make(&own, &studio, ask.instructor_id)?;
    let made_of = MadeOf {
        class_type: class_type(world, ask.class_type_id, &studio)?,
        room: room(world, ask.room_id, &studio)?,
        instructor: instructor(world, ask.instructor_id, &studio)?,
    };
    let starts_at = start(ask.local_start, &studio, now)?;
    if world.is_closed(studio.id, ask.local_start.local().date())? {
        return Err(Problem::new(Kind::StudioClosed).into());
    }
    let capacity = capacity(ask.capacity, &made_of.room)?;
    let session = made_of.session(&studio, starts_at, capacity, ask.draft || proposes, now);
    nobody_in_the_way(world, &[&session])?;
    world.audit.push(actor.record.of("session.made", "session", session.id, Some(studio.id)));
    if proposes {
        tell_admins(world, &studio, &session, &own, 1)?;
    }
    let id = session.id;
    world.put_session(session);
    Ok(Outcome::Session(id))
}

/// What a session is made of, found and fit for its studio.
#[derive(Clone)]
pub struct MadeOf {
    /// What it is.
    pub class_type: Arc<ClassType>,
    /// Where.
    pub room: Arc<Room>,
    /// With whom.
    pub instructor: Arc<Person>,
}

impl MadeOf {
    /// A session of it.
    pub fn session(&self, studio: &Studio, starts_at: DateTime<Utc>, capacity: i64, draft: bool, now: DateTime<Utc>) -> Session {
        let new = New {
            id: new_id(now),
            studio_id: studio.id,
            class_type_id: self.class_type.id,
            room_id: self.room.id,
            instructor_id: self.instructor.id,
            starts_at,
            minutes: self.class_type.minutes,
            capacity,
            credits: self.class_type.credits,
            minimum: self.class_type.minimum,
            draft,
        };
        let names = Names {
            class_name: self.class_type.name.clone(),
            class_level: self.class_type.level.clone(),
            class_minutes: self.class_type.minutes,
            room_name: self.room.name.clone(),
            instructor_name: self.instructor.name.clone(),
            time_zone: studio.zone.into(),
            studio_locale: studio.locale,
        };
        Session { session: Row::new(new, &studio.rules, studio.zone, now), names }
    }
}

/// `PATCH /v1/sessions/{id}`.
pub fn edit(world: &mut World, actor: &Actor, ask: &EditSession, now: DateTime<Utc>) -> Decided<Outcome> {
    let own = world.person(actor.person_id()?)?;
    let before = world.session(ask.session_id)?.clone();
    let studio = world.studio(before.studio_id)?;
    may_change(&own, &studio, &before)?;
    if before.is_cancelled() {
        return Err(Problem::new(Kind::SessionIsCancelled).into());
    }
    if before.version != ask.version {
        return Err(Problem::new(Kind::VersionStale).with("version", before.version).into());
    }
    if now >= before.ends_at {
        return Err(Problem::new(Kind::SessionOver).into());
    }
    if ask.instructor_id.is_some_and(|id| id != before.instructor_id) && !own.is_admin(studio.id) {
        return Err(Problem::new(Kind::NotAllowed).into());
    }
    if ask.scope != Scope::This {
        return series::edit(world, actor, &studio, &before, ask, now);
    }
    let mut after = edited(world, &studio, &before, ask, now)?;
    if let Some(series_id) = before.series_id {
        let plan = world.plan(series_id)?;
        let capacity = match ask.capacity {
            // Where the series leaves it to the room, the room says whether it was changed.
            Some(capacity) if plan.leaves_capacity(&after) => capacity != room(world, after.room_id, &studio)?.capacity,
            Some(_) => true,
            None => before.by_hand.contains(&ByHand::Capacity),
        };
        let differs = by_hand(&after, plan, studio.zone, capacity);
        after.by_hand = Json(differs);
    }
    apply(world, actor, &studio, vec![Edit { before, after }], ask.release, now)?;
    Ok(Outcome::Session(ask.session_id))
}

/// `PUT /v1/sessions/{id}/cancellation`.
pub fn cancel(world: &mut World, actor: &Actor, ask: &CancelSession, now: DateTime<Utc>) -> Decided<Outcome> {
    let own = world.person(actor.person_id()?)?;
    let session = world.session(ask.session_id)?.clone();
    let studio = world.studio(session.studio_id)?;
    may_change(&own, &studio, &session)?;
    if ask.scope != Scope::This {
        return series::end(world, actor, &studio, &session, ask, now);
    }
    if session.is_cancelled() {
        return Ok(Outcome::Session(ask.session_id));
    }
    if now >= session.ends_at {
        return Err(Problem::new(Kind::SessionOver).into());
    }
    cancel_one(world, actor, session, ask.reason, ask.note.as_deref(), now)?;
    Ok(Outcome::Session(ask.session_id))
}

/// Takes a session off the schedule: everything taken for it comes back, and everybody in it is told.
pub fn cancel_one(
    world: &mut World,
    actor: &Actor,
    mut session: Session,
    reason: Option<CancelReason>,
    note: Option<&str>,
    now: DateTime<Utc>,
) -> Decided<()> {
    let before = session.clone();
    session.was_draft = session.is_draft();
    session.status = SessionStatus::Cancelled;
    session.cancelled_at = Some(now);
    session.cancel_reason = reason;
    session.cancel_note = note.map(str::to_owned);
    (session.too_few_at, session.too_few_due_at) = (None, None);
    session.sequence += 1;
    session.version += 1;
    world.put_session(session.clone());
    follow_sessions(world, &[Edit { before, after: session.clone() }], now)?;
    let line = actor.record.of("session.cancelled", "session", session.id, Some(session.studio_id));
    world.audit.push(line.with(json!({ "reason": reason })));
    let touched = end_by_studio(world, actor, &session, reason, note, now)?;
    settle(world, touched, now)
}

/// `PUT /v1/sessions/{id}/notes`: her instructor and the studio's admins write down what the team and the members should know.
pub fn set_notes(world: &mut World, actor: &Actor, session_id: Uuid, team: &Option<String>, members: &Option<String>) -> Decided<Outcome> {
    let own = world.identity(actor.person_id()?)?;
    let mut session = world.session(session_id)?.clone();
    if !own.is_admin(session.studio_id) && own.id != session.instructor_id {
        let sees = !session.is_for_staff() || own.is_staff(session.studio_id);
        return Err(if sees { Problem::new(Kind::NotAllowed).into() } else { super::not_found() });
    }
    session.team_note.clone_from(team);
    session.member_note.clone_from(members);
    world.audit.push(actor.record.of("session.noted", "session", session_id, Some(session.studio_id)));
    world.put_session(session);
    Ok(Outcome::Session(session_id))
}

/// The session as the edit would have it.
fn edited(world: &World, studio: &Studio, before: &Session, ask: &EditSession, now: DateTime<Utc>) -> Decided<Session> {
    let mut after = before.clone();
    if let Some(id) = ask.class_type_id {
        set_class_type(world, &mut after, id, studio)?;
    }
    if ask.room_id.is_some_and(|id| id != before.room_id) || ask.capacity.is_some() {
        set_room(world, &mut after, ask.room_id.unwrap_or(before.room_id), ask.capacity.unwrap_or(before.capacity), studio)?;
    }
    if let Some(id) = ask.instructor_id {
        set_instructor(world, &mut after, id, studio)?;
    }
    if let Some(exempt) = ask.too_few_exempt {
        after.too_few_exempt = exempt;
    }
    let unmoved = LocalStart::of(before.starts_at, studio.zone);
    if let Some(local_start) = ask.local_start.filter(|start| start.to_string() != unmoved.to_string()) {
        if now >= before.starts_at {
            return Err(Problem::new(Kind::SessionStarted).into());
        }
        set_start(&mut after, start(local_start, studio, now)?);
        after.skipped_minute = None;
    }
    Ok(finish(before, after, studio, now))
}

/// Another class type: its length, its price and its minimum come with it.
pub fn set_class_type(world: &World, session: &mut Session, id: Uuid, studio: &Studio) -> Decided<()> {
    if id == session.class_type_id {
        return Ok(());
    }
    let class_type = class_type(world, id, studio)?;
    session.class_type_id = id;
    session.names.class_name = class_type.name.clone();
    session.names.class_level.clone_from(&class_type.level);
    session.names.class_minutes = class_type.minutes;
    session.credits = class_type.credits;
    session.minimum = class_type.minimum;
    session.ends_at = session.starts_at + Duration::minutes(class_type.minutes);
    Ok(())
}

/// Another room, or another capacity in it.
pub fn set_room(world: &World, session: &mut Session, room_id: Uuid, asked: i64, studio: &Studio) -> Decided<()> {
    let room = room(world, room_id, studio)?;
    session.room_id = room.id;
    session.names.room_name.clone_from(&room.name);
    session.capacity = capacity(Some(asked), &room)?;
    Ok(())
}

/// Another instructor.
pub fn set_instructor(world: &World, session: &mut Session, id: Uuid, studio: &Studio) -> Decided<()> {
    if id == session.instructor_id {
        return Ok(());
    }
    let instructor = instructor(world, id, studio)?;
    session.instructor_id = id;
    session.names.instructor_name.clone_from(&instructor.name);
    Ok(())
}

/// Another start; it stays as long as it is.
pub fn set_start(session: &mut Session, starts_at: DateTime<Utc>) {
    let long = session.ends_at - session.starts_at;
    (session.starts_at, session.ends_at) = (starts_at, starts_at + long);
}

/// What follows from whatever changed.
pub fn finish(before: &Session, mut after: Session, studio: &Studio, now: DateTime<Utc>) -> Session {
    after.follow_start(&studio.rules, studio.zone, now);
    if !after.is_draft() {
        after.changed = Json(changed(before, &after));
    }
    after.version += 1;
    after.sequence += 1;
    after
}

/// Whether this person may make sessions of that instructor; `true` if she may only propose them. Admins make any, an instructor her own if
/// the house lets her.
pub fn may_make(own: &Person, studio: &Studio, instructor_id: Uuid) -> Decided<bool> {
    if own.is_admin(studio.id) {
        return Ok(false);
    }
    if own.id != instructor_id || !own.is_instructor(studio.id) {
        return Err(Problem::new(Kind::NotAllowed).into());
    }
    match studio.rules.instructors_schedule {
        InstructorsSchedule::Own => Ok(false),
        InstructorsSchedule::Propose => Ok(true),
        InstructorsSchedule::None => Err(Problem::new(Kind::NotAllowed).into()),
    }
}

/// Whether she may change it: what she may only propose she may change as long as it is a draft.
pub fn may_change(own: &Person, studio: &Studio, session: &Session) -> Decided<()> {
    if session.is_for_staff() && !own.is_staff(studio.id) {
        return Err(super::not_found());
    }
    if may_make(own, studio, session.instructor_id)? && !session.is_draft() {
        return Err(Problem::new(Kind::NotAllowed).into());
    }
    Ok(())
}

/// An instructor proposes sessions: who may publish them learns it.
pub fn tell_admins(world: &mut World, studio: &Studio, first: &Session, by: &Person, count: i64) -> Decided<()> {
    for admin in world.admins(studio.id)? {
        let told = About { session: first, studio, person: &admin, useful_until: Some(first.starts_at) };
        let name = by.name.clone();
        tell_staff(world, &told, None, |session| Facts::SessionsProposed { session, by: name, count });
    }
    Ok(())
}

/// A class type of the studio.
pub fn class_type(world: &World, id: Uuid, studio: &Studio) -> Decided<Arc<ClassType>> {
    match world.class_types.get(&id) {
        Some(Some(found)) if found.studio_id == studio.id => Ok(Arc::clone(found)),
        None if !world.complete => Err(Stop::Needs(vec![Key::ClassType(id)])),
        _ => Err(Problem::field("class_type_id", "is not a class type of this studio").into()),
    }
}

/// A room of the studio.
pub fn room(world: &World, id: Uuid, studio: &Studio) -> Decided<Arc<Room>> {
    match world.rooms.get(&id) {
        Some(Some(found)) if found.studio_id == studio.id => Ok(Arc::clone(found)),
        None if !world.complete => Err(Stop::Needs(vec![Key::Room(id)])),
        _ => Err(Problem::field("room_id", "is not a room of this studio").into()),
    }
}

/// An instructor of the studio.
pub fn instructor(world: &World, id: Uuid, studio: &Studio) -> Decided<Arc<Person>> {
    match world.identity(id) {
        Ok(person) if person.is_instructor(studio.id) => Ok(person),
        Err(stop @ Stop::Needs(_)) => Err(stop),
        _ => Err(Problem::field("instructor_id", "is not an instructor of this studio").into()),
    }
}

/// Whoever taught a session, if she still teaches in the studio.
pub fn still_teaches(world: &World, id: Uuid, studio: &Studio) -> Decided<Option<Arc<Person>>> {
    match instructor(world, id, studio) {
        Err(Stop::Refused(_)) => Ok(None),
        other => other.map(Some),
    }
}

fn start(local_start: LocalStart, studio: &Studio, now: DateTime<Utc>) -> Decided<DateTime<Utc>> {
    let starts_at = resolve_local_start(local_start, studio.zone).map_err(|skipped| {
        let message = format!("does not exist there: the clocks are put forward; the next time that does is {}", skipped.next);
        Problem::field("local_start", message).with("next_valid", skipped.next)
    })?;
    if starts_at <= now {
        return Err(Problem::field("local_start", "must be in the future").into());
    }
    Ok(starts_at)
}

/// How many the session takes: what was asked, at most the room's.
pub fn capacity(asked: Option<i64>, room: &Room) -> Decided<i64> {
    let capacity = asked.unwrap_or(room.capacity);
    if !(1..=CAPACITY_MAX.min(room.capacity)).contains(&capacity) {
        return Err(Problem::field("capacity", format!("must be 1 to {}, the capacity of the room", room.capacity)).into());
    }
    Ok(capacity)
}
