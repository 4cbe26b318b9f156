//! Substitutes at the desk: asked for, claimed by one, approved, withdrawn, and what falls due.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde_json::json;
use sqlx::types::Json;
use uuid::Uuid;

use super::Actor;
use super::changes::{Edit, apply};
use super::command::{AskSubstitute, Outcome};
use super::letters::{About, tell_staff};
use super::needs::{Decided, all};
use super::sessions::{finish, set_instructor};
use super::store::{Person, Studio};
use super::world::World;
use crate::ids::new_id;
use crate::letters::facts::Facts;
use crate::problem::{Kind, Problem};
use crate::schedule::Shown as Session;
use crate::schedule::series::ByHand;
use crate::schedule::series::rules::by_hand;
use crate::schedule::substitutes::rules::could_stand_in;
use crate::schedule::substitutes::{Request, State};

/// A request that is open so long before the start goes to the admins.
const TO_ADMINS: Duration = Duration::hours(12);

/// `POST /v1/studios/{id}/substitute-requests`: those who could stand in are told.
pub fn ask(world: &mut World, actor: &Actor, ask: &AskSubstitute, now: DateTime<Utc>) -> Decided<Outcome> {
    let own = world.person(actor.person_id()?)?;
    let studio = world.studio_or_not_found(ask.studio_id)?;
    let admin = own.is_admin(studio.id);
    if !admin && !own.is_instructor(studio.id) {
        return Err(Problem::new(Kind::NotAllowed).into());
    }
    let sessions = match (ask.session_id, ask.dates) {
        (Some(id), _) => {
            let session = world.session(id)?.clone();
            if session.studio_id != studio.id {
                return Err(super::not_found());
            }
            if session.instructor_id != own.id && !admin {
                return Err(Problem::new(Kind::NotAllowed).into());
            }
            may_be_asked_for(&session, now)?;
            if world.pending_request(id)?.is_some() {
                return Err(Problem::new(Kind::SubstituteAsked).into());
            }
            vec![session]
        }
        (None, dates) => of_dates(world, &studio, own.id, dates.unwrap_or_default(), now)?,
    };
    world.candidates(studio.id)?;
    let told = all(sessions.iter().map(|session| standing_in(world, session, &studio)))?;
    let mut ids = Vec::new();
    for (session, people) in sessions.into_iter().zip(told) {
        let mut request = Request {
            id: new_id(now),
            studio_id: studio.id,
            session_id: session.id,
            asked_by: session.instructor_id,
            note: ask.note.clone(),
            state: State::Open,
            claimed_by: None,
            claimed_at: None,
            due_at: Some(session.starts_at - TO_ADMINS),
            told_admins_at: None,
            created_at: now,
            ended_at: None,
        };
        for person in people {
            let about = About { session: &session, studio: &studio, person: &person, useful_until: Some(session.starts_at) };
            let (asked_by, note) = (session.names.instructor_name.clone(), ask.note.clone());
            tell_staff(world, &about, Some(request.id.to_string()), |session| Facts::SubstituteWanted { session, asked_by, note });
        }
        let line = actor.record.of("substitute.asked", "substitute_request", request.id, Some(studio.id));
        world.audit.push(line.with(json!({ "session": session.id })));
        if request.due_at.is_some_and(|due| due <= now) {
            to_admins(world, &studio, &session, &mut request, now)?;
        }
        ids.push(request.id);
        world.put_request(request);
    }
    Ok(Outcome::Requests(ids))
}

/// Her sessions of these dates for which nobody was asked yet.
fn of_dates(
    world: &World,
    studio: &Studio,
    instructor_id: Uuid,
    (from, to): (NaiveDate, NaiveDate),
    now: DateTime<Utc>,
) -> Decided<Vec<Session>> {
    let of_days = world.of_days(studio.id, from, to)?;
    let hers: Vec<Session> =
        of_days.into_iter().filter(|session| session.instructor_id == instructor_id && may_be_asked_for(session, now).is_ok()).collect();
    let asked = all(hers.iter().map(|session| world.pending_request(session.id)))?;
    Ok(hers.into_iter().zip(asked).filter(|(_, asked)| asked.is_none()).map(|(session, _)| session).collect())
}

fn may_be_asked_for(session: &Session, now: DateTime<Utc>) -> Decided<()> {
    if session.is_cancelled() {
        return Err(Problem::new(Kind::SessionIsCancelled).into());
    }
    if session.starts_at <= now { Err(Problem::new(Kind::SessionStarted).into()) } else { Ok(()) }
}

/// Who could stand in: teaches it in this studio, says that she is available, and is free then in all studios.
fn standing_in(world: &World, session: &Session, studio: &Studio) -> Decided<Vec<std::sync::Arc<Person>>> {
    let able: Vec<Uuid> = world
        .candidates(studio.id)?
        .iter()
        .filter(|candidate| candidate.person_id != session.instructor_id)
        .filter(|candidate| could_stand_in(candidate, session.class_type_id, session.starts_at, session.ends_at, studio.zone))
        .map(|candidate| candidate.person_id)
        .collect();
    let people = all(able.iter().map(|id| world.identity(*id)));
    let free = all(able.iter().map(|id| is_free(world, *id, session)));
    let (people, free) = (people?, free?);
    Ok(people.into_iter().zip(free).filter(|(person, free)| *free && person.is_instructor(studio.id)).map(|(person, _)| person).collect())
}

fn is_free(world: &World, person_id: Uuid, session: &Session) -> Decided<bool> {
    // No room: only what she is in herself.
    Ok(world.clashes(Uuid::nil(), person_id, session.starts_at, session.ends_at, Some(session.id))?.is_empty())
}

/// `PUT /v1/substitute-requests/{id}/claim`: the first has it.
pub fn claim(world: &mut World, actor: &Actor, id: Uuid, now: DateTime<Utc>) -> Decided<Outcome> {
    let own = world.person(actor.person_id()?)?;
    let (mut request, session, studio) = seen(world, &own, id)?;
    if request.claimed_by == Some(own.id) {
        return Ok(Outcome::Requests(vec![id]));
    }
    match request.state {
        State::Open => {}
        State::Claimed | State::Filled => return Err(Problem::new(Kind::AlreadyClaimed).into()),
        State::Withdrawn | State::Expired => return Err(Problem::new(Kind::RequestEnded).into()),
    }
    if session.starts_at <= now {
        return Err(Problem::new(Kind::SessionStarted).into());
    }
    let able = standing_in(world, &session, &studio)?.iter().any(|person| person.id == own.id);
    if !able {
        return Err(Problem::new(Kind::NotEligible).into());
    }
    (request.claimed_by, request.claimed_at) = (Some(own.id), Some(now));
    world.audit.push(actor.record.of("substitute.claimed", "substitute_request", id, Some(studio.id)));
    if !studio.rules.substitutes_need_approval {
        fill(world, actor, &studio, session, request, &own, now)?;
        return Ok(Outcome::Requests(vec![id]));
    }
    request.state = State::Claimed;
    for admin in world.admins(studio.id)? {
        let about = About { session: &session, studio: &studio, person: &admin, useful_until: Some(session.starts_at) };
        let (asked_by, substitute) = (session.names.instructor_name.clone(), own.name.clone());
        tell_staff(world, &about, None, |session| Facts::SubstituteClaimed { session, asked_by, substitute });
    }
    world.put_request(request);
    Ok(Outcome::Requests(vec![id]))
}

/// `DELETE /v1/substitute-requests/{id}/claim`: as long as no admin approved it, she may think better of it.
pub fn unclaim(world: &mut World, actor: &Actor, id: Uuid) -> Decided<Outcome> {
    let own = world.person(actor.person_id()?)?;
    let (mut request, _, studio) = seen(world, &own, id)?;
    if request.state == State::Claimed && request.claimed_by == Some(own.id) {
        request.state = State::Open;
        (request.claimed_by, request.claimed_at) = (None, None);
        world.audit.push(actor.record.of("substitute.unclaimed", "substitute_request", id, Some(studio.id)));
        world.put_request(request);
    } else if request.state == State::Filled {
        return Err(Problem::new(Kind::RequestEnded).into());
    }
    Ok(Outcome::Requests(vec![id]))
}

/// `PUT /v1/substitute-requests/{id}/approval`.
pub fn approve(world: &mut World, actor: &Actor, id: Uuid, approved: bool, now: DateTime<Utc>) -> Decided<Outcome> {
    let own = world.person(actor.person_id()?)?;
    let (mut request, session, studio) = seen(world, &own, id)?;
    if !own.is_admin(studio.id) {
        return Err(Problem::new(Kind::NotAllowed).into());
    }
    if request.state == State::Filled && approved {
        return Ok(Outcome::Requests(vec![id]));
    }
    let (State::Claimed, Some(claimed_by)) = (request.state, request.claimed_by) else {
        return Err(Problem::new(Kind::NothingClaimed).into());
    };
    if session.starts_at <= now {
        return Err(Problem::new(Kind::SessionStarted).into());
    }
    let substitute = world.identity(claimed_by)?;
    world
        .audit
        .push(actor.record.of("substitute.decided", "substitute_request", id, Some(studio.id)).with(json!({ "approved": approved })));
    let after = if approved {
        fill(world, actor, &studio, session, request, &substitute, now)?
    } else {
        request.state = State::Open;
        (request.claimed_by, request.claimed_at) = (None, None);
        world.put_request(request);
        session
    };
    let about = About { session: &after, studio: &studio, person: &substitute, useful_until: Some(after.starts_at) };
    tell_staff(world, &about, None, |session| Facts::SubstituteDecided { session, approved });
    Ok(Outcome::Requests(vec![id]))
}

/// `PUT /v1/substitute-requests/{id}/withdrawal`: by whoever asked, or an admin.
pub fn withdraw(world: &mut World, actor: &Actor, id: Uuid, now: DateTime<Utc>) -> Decided<Outcome> {
    let own = world.person(actor.person_id()?)?;
    let (mut request, session, studio) = seen(world, &own, id)?;
    if request.asked_by != own.id && !own.is_admin(studio.id) {
        return Err(Problem::new(Kind::NotAllowed).into());
    }
    if request.state == State::Filled || request.state == State::Expired {
        return Err(Problem::new(Kind::RequestEnded).into());
    }
    if request.is_pending() {
        let claimed_by = request.claimed_by;
        request.end(State::Withdrawn, now);
        world.audit.push(actor.record.of("substitute.withdrawn", "substitute_request", id, Some(studio.id)));
        world.put_request(request);
        tell_claimant(world, &studio, &session, claimed_by)?;
    }
    Ok(Outcome::Requests(vec![id]))
}

/// Sweep: twelve hours before the start an open request goes to the admins, at the start it expires.
pub fn due(world: &mut World, id: Uuid, now: DateTime<Utc>) -> Decided<Outcome> {
    let mut request = world.request(id)?.clone();
    if request.due_at.is_none_or(|due| due > now) {
        return Ok(Outcome::Done);
    }
    let session = world.session(request.session_id)?.clone();
    let studio = world.studio(session.studio_id)?;
    if now < session.starts_at {
        to_admins(world, &studio, &session, &mut request, now)?;
        world.put_request(request);
        return Ok(Outcome::Done);
    }
    let claimed_by = request.claimed_by;
    request.end(State::Expired, now);
    if let Some(asker) = world.identity_if_any(request.asked_by)? {
        let about = About { session: &session, studio: &studio, person: &asker, useful_until: Some(session.ends_at) };
        tell_staff(world, &about, Some(id.to_string()), |session| Facts::SubstituteExpired { session });
    }
    world.audit.push(Actor::house().record.of("substitute.expired", "substitute_request", id, Some(studio.id)));
    world.put_request(request);
    tell_claimant(world, &studio, &session, claimed_by)?;
    Ok(Outcome::Done)
}

/// Near the start, whoever runs the studio learns that nobody has taken it; one that waits for an approval they know of already.
fn to_admins(world: &mut World, studio: &Studio, session: &Session, request: &mut Request, now: DateTime<Utc>) -> Decided<()> {
    if request.state == State::Open && request.told_admins_at.is_none() {
        let asker = world.identity_if_any(request.asked_by)?;
        for admin in world.admins(studio.id)? {
            let about = About { session, studio, person: &admin, useful_until: Some(session.starts_at) };
            let asked_by = asker.as_ref().map_or_else(|| session.names.instructor_name.clone(), |asker| asker.name.clone());
            tell_staff(world, &about, Some(request.id.to_string()), |session| Facts::SubstituteMissing { session, asked_by });
        }
        request.told_admins_at = Some(now);
    }
    request.due_at = Some(session.starts_at);
    Ok(())
}

/// The session is hers now: its members and whoever asked are told.
fn fill(
    world: &mut World,
    actor: &Actor,
    studio: &Studio,
    session: Session,
    mut request: Request,
    substitute: &Person,
    now: DateTime<Utc>,
) -> Decided<Session> {
    request.end(State::Filled, now);
    let asked_by = request.asked_by;
    // Before the session changes: what changes an instructor otherwise withdraws the request.
    world.put_request(request);
    let mut after = session.clone();
    set_instructor(world, &mut after, substitute.id, studio)?;
    if let Some(series_id) = after.series_id {
        let capacity = session.by_hand.contains(&ByHand::Capacity);
        after.by_hand = Json(by_hand(&after, world.plan(series_id)?, studio.zone, capacity));
    }
    let after = finish(&session, after, studio, now);
    apply(world, actor, studio, vec![Edit { before: session, after: after.clone() }], false, now)?;
    if let Some(asker) = world.identity_if_any(asked_by)? {
        let about = About { session: &after, studio, person: &asker, useful_until: Some(after.ends_at) };
        let name = substitute.name.clone();
        tell_staff(world, &about, None, |session| Facts::SubstituteFound { session, substitute: name });
    }
    Ok(after)
}

/// Sessions changed otherwise: a request follows a new time, and is of no use where another instructor stands in or nobody comes.
pub fn follow_sessions(world: &mut World, edits: &[Edit], now: DateTime<Utc>) -> Decided<()> {
    let concerned = |edit: &&Edit| {
        edit.after.is_cancelled() || edit.after.instructor_id != edit.before.instructor_id || edit.after.starts_at != edit.before.starts_at
    };
    let edits: Vec<&Edit> = edits.iter().filter(concerned).collect();
    let pending = all(edits.iter().map(|edit| world.pending_request(edit.after.id).map(|request| request.cloned())))?;
    for (edit, request) in edits.into_iter().zip(pending) {
        let Some(mut request) = request else { continue };
        let studio = world.studio(edit.after.studio_id)?;
        if edit.after.is_cancelled() || edit.after.instructor_id != edit.before.instructor_id {
            let claimed_by = request.claimed_by;
            request.end(State::Withdrawn, now);
            world.put_request(request);
            tell_claimant(world, &studio, &edit.after, claimed_by)?;
        } else {
            let told = request.told_admins_at.is_some();
            request.due_at = Some(if told { edit.after.starts_at } else { edit.after.starts_at - TO_ADMINS });
            world.put_request(request);
        }
    }
    Ok(())
}

/// Who claimed a request that came to nothing learns that the session is not hers.
fn tell_claimant(world: &mut World, studio: &Studio, session: &Session, claimed_by: Option<Uuid>) -> Decided<()> {
    let Some(claimed_by) = claimed_by else { return Ok(()) };
    let Some(person) = world.identity_if_any(claimed_by)? else { return Ok(()) };
    let about = About { session, studio, person: &person, useful_until: Some(session.ends_at) };
    tell_staff(world, &about, None, |session| Facts::SubstituteDecided { session, approved: false });
    Ok(())
}

/// The request, its session and its studio, for somebody of the studio's staff.
fn seen(world: &World, own: &Person, id: Uuid) -> Decided<(Request, Session, std::sync::Arc<Studio>)> {
    let request = world.request(id)?.clone();
    if !own.is_staff(request.studio_id) {
        return Err(super::not_found());
    }
    let session = world.session(request.session_id)?.clone();
    let studio = world.studio(request.studio_id)?;
    Ok((request, session, studio))
}
