//! Making, changing and cancelling sessions: no room and no instructor in two places at once, no member in two sessions, and everybody told.

use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use sqlx::types::Json;
use uuid::Uuid;

use super::Actor;
use super::command::{EditSession, MakeSession, Outcome};
use super::letters::{About, session_facts, tell};
use super::places::{Touched, end_by_studio, need_people, settle};
use super::store::{ClassType, Person, Room, Studio};
use super::world::{Decided, Key, Stop, World};
use crate::booking::{Booking, Status};
use crate::ids::new_id;
use crate::letters::facts::{CancelReason, Facts};
use crate::problem::{Kind, Problem};
use crate::schedule::rules::{LocalStart, instants, local, resolve_local_start};
use crate::schedule::{Changed, Names, Session as Row, Shown as Session, Status as SessionStatus};

/// The largest capacity of a session.
const CAPACITY_MAX: i64 = 10_000;

/// `POST /v1/studios/{id}/sessions`.
pub fn make(world: &mut World, actor: &Actor, ask: &MakeSession, now: DateTime<Utc>) -> Decided<Outcome> {
    let own = world.person(actor.person_id()?)?;
    let studio = world.studio_or_not_found(ask.studio_id)?;
    may_schedule(&own, &studio, ask.instructor_id)?;
    let class_type = class_type(world, ask.class_type_id, &studio)?;
    let room = room(world, ask.room_id, &studio)?;
    let instructor = instructor(world, ask.instructor_id, &studio)?;
    let starts_at = start(ask.local_start, &studio, now)?;
    let ends_at = starts_at + Duration::minutes(class_type.minutes);
    let capacity = capacity(ask.capacity, &room)?;
    nobody_in_the_way(world, room.id, ask.instructor_id, starts_at, ends_at, None)?;
    let row = Row {
        id: new_id(now),
        studio_id: studio.id,
        class_type_id: class_type.id,
        room_id: room.id,
        instructor_id: instructor.id,
        starts_at,
        ends_at,
        local_date: local(starts_at, studio.zone).date,
        local_minute: 0,
        local_weekday: 1,
        capacity,
        taken: 0,
        held: 0,
        waiting: 0,
        next_queue_key: 1,
        credits: class_type.credits,
        status: SessionStatus::Scheduled,
        booking_opens_at: starts_at,
        booking_closes_at: starts_at,
        free_cancel_until: starts_at,
        promote_until: starts_at,
        waiting_ends_at: starts_at,
        waitlist_cap: None,
        changed: Json(Vec::new()),
        cancelled_at: None,
        cancel_reason: None,
        cancel_note: None,
        sequence: 0,
        version: 1,
        created_at: now,
    };
    let names = Names {
        class_name: class_type.name.clone(),
        class_level: class_type.level.clone(),
        class_minutes: class_type.minutes,
        room_name: room.name.clone(),
        instructor_name: instructor.name.clone(),
        time_zone: studio.zone.into(),
    };
    let mut session = Session { session: row, names };
    set_times(&mut session, &studio);
    world.audit.push(actor.record.of("session.made", "session", session.id, Some(studio.id)));
    let id = session.id;
    world.put_session(session);
    Ok(Outcome::Session(id))
}

/// `PATCH /v1/sessions/{id}`.
pub fn edit(world: &mut World, actor: &Actor, ask: &EditSession, now: DateTime<Utc>) -> Decided<Outcome> {
    let own = world.person(actor.person_id()?)?;
    let before = world.session(ask.session_id)?.clone();
    let studio = world.studio(before.studio_id)?;
    may_schedule(&own, &studio, before.instructor_id)?;
    if before.is_cancelled() {
        return Err(Problem::new(Kind::SessionIsCancelled).into());
    }
    if before.version != ask.version {
        return Err(Problem::new(Kind::VersionStale).with("version", before.version).into());
    }
    if now >= before.ends_at {
        return Err(Problem::new(Kind::SessionOver).into());
    }
    let after = edited(world, &own, &studio, &before, ask, now)?;
    if after.capacity < after.taken + after.held {
        return Err(Problem::new(Kind::CapacityTooSmall).with("booked", after.taken).with("held", after.held).into());
    }
    nobody_in_the_way(world, after.room_id, after.instructor_id, after.starts_at, after.ends_at, Some(after.id))?;
    let moved = (after.starts_at, after.ends_at) != (before.starts_at, before.ends_at);
    let tells = moved || after.room_id != before.room_id || after.instructor_id != before.instructor_id;
    let details = json!({ "changed": changes(&before, &after), "capacity": after.capacity });
    world.audit.push(actor.record.of("session.changed", "session", after.id, Some(studio.id)).with(details));
    world.put_session(after.clone());
    let mut touched = Touched::default();
    if tells {
        tell_change(world, &studio, &before, &after, moved, &mut touched, now)?;
    }
    touched.session(after.id);
    settle(world, touched, now)?;
    Ok(Outcome::Session(ask.session_id))
}

/// `PUT /v1/sessions/{id}/cancellation`.
pub fn cancel(
    world: &mut World,
    actor: &Actor,
    session_id: Uuid,
    reason: Option<CancelReason>,
    note: Option<&str>,
    now: DateTime<Utc>,
) -> Decided<Outcome> {
    let own = world.person(actor.person_id()?)?;
    let mut session = world.session(session_id)?.clone();
    let studio = world.studio(session.studio_id)?;
    may_schedule(&own, &studio, session.instructor_id)?;
    if session.is_cancelled() {
        return Ok(Outcome::Session(session_id));
    }
    if now >= session.ends_at {
        return Err(Problem::new(Kind::SessionOver).into());
    }
    session.status = SessionStatus::Cancelled;
    session.cancelled_at = Some(now);
    session.cancel_reason = reason;
    session.cancel_note = note.map(str::to_owned);
    session.sequence += 1;
    session.version += 1;
    world.put_session(session.clone());
    world.audit.push(actor.record.of("session.cancelled", "session", session_id, Some(studio.id)).with(json!({ "reason": reason })));
    let touched = end_by_studio(world, actor, &session, reason, note, now)?;
    settle(world, touched, now)?;
    Ok(Outcome::Session(session_id))
}

/// The session as the edit would have it.
fn edited(world: &World, own: &Person, studio: &Studio, before: &Session, ask: &EditSession, now: DateTime<Utc>) -> Decided<Session> {
    let mut after = before.clone();
    if let Some(id) = ask.class_type_id.filter(|id| *id != before.class_type_id) {
        let class_type = class_type(world, id, studio)?;
        after.class_type_id = id;
        after.names.class_name = class_type.name.clone();
        after.names.class_level.clone_from(&class_type.level);
        after.names.class_minutes = class_type.minutes;
        after.credits = class_type.credits;
    }
    let room_changes = ask.room_id.is_some_and(|id| id != before.room_id);
    if room_changes || ask.capacity.is_some() {
        let room = room(world, ask.room_id.unwrap_or(before.room_id), studio)?;
        after.room_id = room.id;
        after.names.room_name.clone_from(&room.name);
        after.capacity = capacity(ask.capacity.or(Some(before.capacity)), &room)?;
    }
    if let Some(id) = ask.instructor_id.filter(|id| *id != before.instructor_id) {
        if !own.is_admin(studio.id) {
            return Err(Problem::new(Kind::NotAllowed).into());
        }
        let instructor = instructor(world, id, studio)?;
        after.instructor_id = id;
        after.names.instructor_name.clone_from(&instructor.name);
    }
    let unmoved = LocalStart::of(before.starts_at, studio.zone);
    if let Some(local_start) = ask.local_start.filter(|start| start.to_string() != unmoved.to_string()) {
        if now >= before.starts_at {
            return Err(Problem::new(Kind::SessionStarted).into());
        }
        after.starts_at = start(local_start, studio, now)?;
    }
    after.ends_at = after.starts_at + Duration::minutes(after.names.class_minutes);
    set_times(&mut after, studio);
    after.changed = Json(changes(before, &after));
    after.version += 1;
    after.sequence += 1;
    Ok(after)
}

/// What of a session changed, since it was made, as members are shown it.
fn changes(before: &Session, after: &Session) -> Vec<Changed> {
    let mut changed = before.changed.0.clone();
    let differs = [
        (Changed::Time, (before.starts_at, before.ends_at) != (after.starts_at, after.ends_at)),
        (Changed::Room, before.room_id != after.room_id),
        (Changed::Instructor, before.instructor_id != after.instructor_id),
    ];
    for (what, _) in differs.into_iter().filter(|(what, differs)| *differs && !before.changed.0.contains(what)) {
        changed.push(what);
    }
    changed
}

/// Everybody in the session learns its new time, room or instructor. A new time opens a free way out until the start.
fn tell_change(
    world: &mut World,
    studio: &Studio,
    before: &Session,
    after: &Session,
    moved: bool,
    touched: &mut Touched,
    now: DateTime<Utc>,
) -> Decided<()> {
    let bookings: Vec<Booking> = world
        .roster(after.id)?
        .into_iter()
        .filter_map(|id| world.known_booking(id).cloned())
        .filter(|booking| !booking.status.has_ended())
        .collect();
    need_people(world, &bookings)?;
    if moved {
        nobody_in_two_sessions(world, &bookings, after, now)?;
    }
    let was = session_facts(before, studio);
    for mut booking in bookings {
        let person = world.person(booking.person_id)?;
        booking.starts_at = after.starts_at;
        booking.ends_at = after.ends_at;
        let booked = booking.status.takes_place();
        if moved && matches!(booking.status, Status::Booked | Status::Offered) {
            booking.free_cancel_until = Some(after.starts_at);
        }
        let told = About { session: after, studio, person: &person, useful_until: Some(after.ends_at) };
        let was = was.clone();
        tell(world, &mut booking, &told, |session| Facts::SessionChanged { session, before: was, booked });
        touched.person(booking.person_id);
        world.put(booking);
    }
    Ok(())
}

/// A move that would put booked members into two sessions at once is refused with their bookings.
fn nobody_in_two_sessions(world: &World, bookings: &[Booking], after: &Session, now: DateTime<Utc>) -> Decided<()> {
    let mut torn = Vec::new();
    for booking in bookings.iter().filter(|booking| booking.status.takes_place()) {
        let others = world.ahead(booking.person_id, now);
        let other = others
            .into_iter()
            .find(|other| other.status.takes_place() && other.session_id != after.id && other.overlaps(after.starts_at, after.ends_at));
        if let Some(other) = other {
            torn.push(json!({ "booking_id": booking.id, "person_id": booking.person_id, "other_booking_id": other.id }));
        }
    }
    if torn.is_empty() { Ok(()) } else { Err(Problem::new(Kind::MembersOverlap).with("bookings", torn).into()) }
}

/// Admins schedule; an instructor her own sessions, if the house lets her.
fn may_schedule(own: &Person, studio: &Studio, instructor_id: Uuid) -> Decided<()> {
    let for_herself = own.id == instructor_id && own.is_instructor(studio.id) && studio.rules.instructors_may_schedule();
    if own.is_admin(studio.id) || for_herself { Ok(()) } else { Err(Problem::new(Kind::NotAllowed).into()) }
}

fn class_type(world: &World, id: Uuid, studio: &Studio) -> Decided<std::sync::Arc<ClassType>> {
    match world.class_types.get(&id) {
        Some(Some(found)) if found.studio_id == studio.id => Ok(std::sync::Arc::clone(found)),
        None if !world.complete => Err(Stop::Needs(vec![Key::ClassType(id)])),
        _ => Err(Problem::field("class_type_id", "is not a class type of this studio").into()),
    }
}

fn room(world: &World, id: Uuid, studio: &Studio) -> Decided<std::sync::Arc<Room>> {
    match world.rooms.get(&id) {
        Some(Some(found)) if found.studio_id == studio.id => Ok(std::sync::Arc::clone(found)),
        None if !world.complete => Err(Stop::Needs(vec![Key::Room(id)])),
        _ => Err(Problem::field("room_id", "is not a room of this studio").into()),
    }
}

fn instructor(world: &World, id: Uuid, studio: &Studio) -> Decided<std::sync::Arc<Person>> {
    match world.person(id) {
        Ok(person) if person.is_instructor(studio.id) => Ok(person),
        Err(stop @ Stop::Needs(_)) => Err(stop),
        _ => Err(Problem::field("instructor_id", "is not an instructor of this studio").into()),
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

fn capacity(asked: Option<i64>, room: &Room) -> Decided<i64> {
    let capacity = asked.unwrap_or(room.capacity);
    if !(1..=CAPACITY_MAX.min(room.capacity)).contains(&capacity) {
        return Err(Problem::field("capacity", format!("must be 1 to {}, the capacity of the room", room.capacity)).into());
    }
    Ok(capacity)
}

fn nobody_in_the_way(
    world: &World,
    room_id: Uuid,
    instructor_id: Uuid,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    except: Option<Uuid>,
) -> Decided<()> {
    let Some(clash) = world.clashes(room_id, instructor_id, starts_at, ends_at, except)?.into_iter().next() else { return Ok(()) };
    let kind = if clash.instructor_id == instructor_id { Kind::InstructorBusy } else { Kind::RoomBusy };
    Err(Problem::new(kind).with("session_id", clash.id).with("starts_at", clash.starts_at).into())
}

/// Everything that follows from the start: local columns, and the instants of the house rules.
fn set_times(session: &mut Session, studio: &Studio) {
    let on = local(session.starts_at, studio.zone);
    (session.local_date, session.local_minute, session.local_weekday) = (on.date, on.minute, on.weekday);
    let instants = instants(&studio.rules, studio.zone, session.starts_at, session.capacity);
    session.booking_opens_at = instants.booking_opens_at;
    session.booking_closes_at = instants.booking_closes_at;
    session.free_cancel_until = instants.free_cancel_until;
    session.promote_until = instants.promote_until;
    session.waiting_ends_at = instants.waiting_ends_at;
    session.waitlist_cap = instants.waitlist_cap;
}
