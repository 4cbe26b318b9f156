//! Substitutes: asked for, claimed by one, approved, withdrawn, and what falls due.

use std::sync::Arc;

use super::follow::TO_ADMINS;
use super::rules::could_stand_in;
use super::{RequestState, SubstituteRequest};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::ids::new_id;
use crate::people::Person;
use crate::problem::{Problem, ProblemType};
use crate::schedule::Session;
use crate::schedule::changes::apply;
use crate::schedule::edit::Edit;
use crate::schedule::series::ByHand;
use crate::schedule::series::rules::by_hand;
use crate::schedule::session_fields::{finish, set_instructor};
use crate::studios::StudioContext;
use crate::working_set::{Decision, Resource, WorkingSet, all, caller, not_found};
use chrono::NaiveDate;
use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

/// `POST /v1/studios/{id}/substitute-requests`: for one session, or for all of the instructor's on some dates.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct AskSubstitute {
    pub studio_id: Uuid,
    pub session_id: Option<Uuid>,
    pub dates: Option<(NaiveDate, NaiveDate)>,
    pub note: Option<String>,
}

/// `POST /v1/studios/{id}/substitute-requests`: those who could stand in are told.
pub fn ask_substitute(set: &mut WorkingSet, actor: &Actor, ask: &AskSubstitute, now: DateTime<Utc>) -> Decision<Vec<Uuid>> {
    let own = set.person(caller(actor)?)?;
    let studio = set.studio(ask.studio_id)?;
    if !own.roles.is_scheduler(studio.id) {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    let sessions = match (ask.session_id, ask.dates) {
        (Some(id), _) => {
            let session = set.session(id)?.clone();
            if session.studio_id != studio.id {
                return Err(not_found());
            }
            if !own.roles.runs_session(studio.id, session.instructor_id == own.id) {
                return Err(Problem::new(ProblemType::NotAllowed).into());
            }
            may_be_asked_for(&session, now)?;
            if set.pending_request(id)?.is_some() {
                return Err(Problem::new(ProblemType::SubstituteAsked).into());
            }
            vec![session]
        }
        (None, dates) => of_dates(set, &studio, own.id, dates.unwrap_or_default(), now)?,
    };
    set.candidates(studio.id)?;
    let told = all(sessions.iter().map(|session| standing_in(set, session, &studio)))?;
    let mut ids = Vec::new();
    for (session, people) in sessions.into_iter().zip(told) {
        let mut request = SubstituteRequest {
            id: new_id(now),
            studio_id: studio.id,
            session_id: session.id,
            asked_by: session.instructor_id,
            note: ask.note.clone(),
            state: RequestState::Open,
            claimed_by: None,
            claimed_at: None,
            due_at: Some(session.starts_at - TO_ADMINS),
            told_admins_at: None,
            created_at: now,
            ended_at: None,
        };
        let what = Happened::SubstituteAsked { session: session.id, told: people.iter().map(|person| person.id).collect() };
        set.put_request(request.clone());
        emit(set, actor, of_request(&request, what))?;
        if request.due_at.is_some_and(|due| due <= now) {
            to_admins(set, &session, &mut request, now)?;
        }
        ids.push(request.id);
        set.put_request(request);
    }
    Ok(ids)
}

/// The instructor's sessions of these dates for which nobody was asked yet.
fn of_dates(
    set: &WorkingSet,
    studio: &StudioContext,
    instructor_id: Uuid,
    (from, to): (NaiveDate, NaiveDate),
    now: DateTime<Utc>,
) -> Decision<Vec<Session>> {
    let of_days = set.of_days(studio.id, from, to)?;
    let own: Vec<Session> =
        of_days.into_iter().filter(|session| session.instructor_id == instructor_id && may_be_asked_for(session, now).is_ok()).collect();
    let asked = all(own.iter().map(|session| set.pending_request(session.id)))?;
    Ok(own.into_iter().zip(asked).filter(|(_, asked)| asked.is_none()).map(|(session, _)| session).collect())
}

fn may_be_asked_for(session: &Session, now: DateTime<Utc>) -> Decision<()> {
    if session.is_cancelled() {
        return Err(Problem::new(ProblemType::SessionCancelled).into());
    }
    if session.starts_at <= now { Err(Problem::new(ProblemType::SessionStarted).into()) } else { Ok(()) }
}

/// Who could stand in: instructors who teach it in this studio, say that they are available, and are free then in all studios.
fn standing_in(set: &WorkingSet, session: &Session, studio: &StudioContext) -> Decision<Vec<Arc<Person>>> {
    let able: Vec<Uuid> = set
        .candidates(studio.id)?
        .iter()
        .filter(|candidate| candidate.person_id != session.instructor_id)
        .filter(|candidate| could_stand_in(candidate, session.class_type_id, session.starts_at, session.ends_at, studio.zone))
        .map(|candidate| candidate.person_id)
        .collect();
    let people = all(able.iter().map(|id| set.identity(*id)));
    let free = all(able.iter().map(|id| is_free(set, *id, session)));
    let (people, free) = (people?, free?);
    Ok(people
        .into_iter()
        .zip(free)
        .filter(|(person, free)| *free && person.roles.is_instructor(studio.id))
        .map(|(person, _)| person)
        .collect())
}

fn is_free(set: &WorkingSet, person_id: Uuid, session: &Session) -> Decision<bool> {
    let theirs = [Resource::Instructor(person_id)];
    Ok(set.clashes(&theirs, session.starts_at, session.ends_at, Some(session.id))?.is_empty())
}

/// `PUT /v1/substitute-requests/{id}/claim`: the first to claim has it.
pub fn claim_substitute(set: &mut WorkingSet, actor: &Actor, id: Uuid, now: DateTime<Utc>) -> Decision<Vec<Uuid>> {
    let own = set.person(caller(actor)?)?;
    let (mut request, session, studio) = seen(set, &own, id)?;
    if request.claimed_by == Some(own.id) {
        return Ok(vec![id]);
    }
    match request.state {
        RequestState::Open => {}
        RequestState::Claimed | RequestState::Filled => return Err(Problem::new(ProblemType::AlreadyClaimed).into()),
        RequestState::Withdrawn | RequestState::Expired => return Err(Problem::new(ProblemType::RequestEnded).into()),
    }
    if session.starts_at <= now {
        return Err(Problem::new(ProblemType::SessionStarted).into());
    }
    let able = standing_in(set, &session, &studio)?.iter().any(|person| person.id == own.id);
    if !able {
        return Err(Problem::new(ProblemType::NotEligible).into());
    }
    (request.claimed_by, request.claimed_at) = (Some(own.id), Some(now));
    if !studio.rules.substitutes_need_approval {
        emit(set, actor, of_request(&request, Happened::SubstituteClaimed { session: session.id, by: own.id, needs_approval: false }))?;
        fill(set, actor, &studio, session, request, &own, now)?;
        return Ok(vec![id]);
    }
    request.state = RequestState::Claimed;
    let event = of_request(&request, Happened::SubstituteClaimed { session: session.id, by: own.id, needs_approval: true });
    set.put_request(request);
    emit(set, actor, event)?;
    Ok(vec![id])
}

/// `DELETE /v1/substitute-requests/{id}/claim`: a claim can be taken back until an admin has approved it.
pub fn unclaim_substitute(set: &mut WorkingSet, actor: &Actor, id: Uuid) -> Decision<Vec<Uuid>> {
    let own = set.person(caller(actor)?)?;
    let (mut request, _, _studio) = seen(set, &own, id)?;
    if request.state == RequestState::Claimed && request.claimed_by == Some(own.id) {
        request.state = RequestState::Open;
        (request.claimed_by, request.claimed_at) = (None, None);
        let event = of_request(&request, Happened::SubstituteUnclaimed);
        set.put_request(request);
        emit(set, actor, event)?;
    } else if request.state == RequestState::Filled {
        return Err(Problem::new(ProblemType::RequestEnded).into());
    }
    Ok(vec![id])
}

/// `PUT /v1/substitute-requests/{id}/approval`.
pub fn approve_substitute(set: &mut WorkingSet, actor: &Actor, id: Uuid, approved: bool, now: DateTime<Utc>) -> Decision<Vec<Uuid>> {
    let own = set.person(caller(actor)?)?;
    let (mut request, session, studio) = seen(set, &own, id)?;
    if !own.roles.is_admin(studio.id) {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    if request.state == RequestState::Filled && approved {
        return Ok(vec![id]);
    }
    let (RequestState::Claimed, Some(claimed_by)) = (request.state, request.claimed_by) else {
        return Err(Problem::new(ProblemType::NothingClaimed).into());
    };
    if session.starts_at <= now {
        return Err(Problem::new(ProblemType::SessionStarted).into());
    }
    let substitute = set.identity(claimed_by)?;
    if approved && !substitute.roles.is_instructor(studio.id) {
        return Err(Problem::new(ProblemType::NotEligible).into());
    }
    let decided = of_request(&request, Happened::SubstituteDecided { session: session.id, claimed_by, approved });
    if approved {
        fill(set, actor, &studio, session, request, &substitute, now)?;
    } else {
        request.state = RequestState::Open;
        (request.claimed_by, request.claimed_at) = (None, None);
        set.put_request(request);
    }
    emit(set, actor, decided)?;
    Ok(vec![id])
}

/// `PUT /v1/substitute-requests/{id}/withdrawal`: by whoever asked, or an admin.
pub fn withdraw_substitute(set: &mut WorkingSet, actor: &Actor, id: Uuid, now: DateTime<Utc>) -> Decision<Vec<Uuid>> {
    let own = set.person(caller(actor)?)?;
    let (mut request, session, studio) = seen(set, &own, id)?;
    if !own.roles.runs_session(studio.id, request.asked_by == own.id) {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    if request.state == RequestState::Filled || request.state == RequestState::Expired {
        return Err(Problem::new(ProblemType::RequestEnded).into());
    }
    if request.is_pending() {
        let what = Happened::SubstituteWithdrawn { session: session.id, claimed_by: request.claimed_by };
        request.end(RequestState::Withdrawn, now);
        let event = of_request(&request, what);
        set.put_request(request);
        emit(set, actor, event)?;
    }
    Ok(vec![id])
}

/// Sweep: twelve hours before the start an open request goes to the admins, at the start it expires.
pub fn substitute_due(set: &mut WorkingSet, id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let mut request = set.request(id)?.clone();
    if request.due_at.is_none_or(|due| due > now) {
        return Ok(());
    }
    let session = set.session(request.session_id)?.clone();
    let _studio = set.studio(session.studio_id)?;
    if now < session.starts_at {
        to_admins(set, &session, &mut request, now)?;
        set.put_request(request);
        return Ok(());
    }
    let what = Happened::SubstituteExpired { session: session.id, claimed_by: request.claimed_by };
    request.end(RequestState::Expired, now);
    let event = of_request(&request, what);
    set.put_request(request);
    emit(set, &Actor::system(), event)
}

/// Near the start, admins learn that nobody has taken it; they know already of one that waits for approval.
fn to_admins(set: &mut WorkingSet, session: &Session, request: &mut SubstituteRequest, now: DateTime<Utc>) -> Decision<()> {
    if request.state == RequestState::Open && request.told_admins_at.is_none() {
        request.told_admins_at = Some(now);
        emit(set, &Actor::system(), of_request(request, Happened::SubstituteMissing { session: session.id }))?;
    }
    request.due_at = Some(session.starts_at);
    Ok(())
}

/// Whoever claimed the session teaches it now: its members and whoever asked are told.
fn fill(
    set: &mut WorkingSet,
    actor: &Actor,
    studio: &StudioContext,
    session: Session,
    mut request: SubstituteRequest,
    substitute: &Person,
    now: DateTime<Utc>,
) -> Decision<()> {
    request.end(RequestState::Filled, now);
    let filled = of_request(&request, Happened::SubstituteFilled { session: session.id, by: substitute.id });
    // Before the session changes: any other change of instructor withdraws the request.
    set.put_request(request);
    let mut after = session.clone();
    set_instructor(set, &mut after, substitute.id, studio)?;
    if let Some(series_id) = after.series_id {
        let capacity = session.by_hand.contains(&ByHand::Capacity);
        after.by_hand = Json(by_hand(&after, set.plan(series_id)?, studio.zone, capacity));
    }
    let after = finish(&session, after, studio, now);
    apply(set, actor, studio, vec![Edit { before: session, after: after.clone() }], false, now)?;
    emit(set, actor, filled)
}

/// The request, its session and its studio, for somebody of the studio's staff.
fn seen(set: &WorkingSet, own: &Person, id: Uuid) -> Decision<(SubstituteRequest, Session, Arc<StudioContext>)> {
    let request = set.request(id)?.clone();
    if !own.roles.is_staff(request.studio_id) {
        return Err(not_found());
    }
    let session = set.session(request.session_id)?.clone();
    let studio = set.studio(request.studio_id)?;
    Ok((request, session, studio))
}

fn of_request(request: &SubstituteRequest, what: Happened) -> Event {
    Event::in_studio(request.studio_id, Subject::SubstituteRequest, request.id, what)
}
