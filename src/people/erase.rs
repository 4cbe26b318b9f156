//! `PUT /v1/studios/{id}/members/{person_id}/erasure`: whoever was entered by a desk and has no account cannot ask for it by themselves.

use super::remove::remove_person;
use super::store::Teaching;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Abort, Decision, WorkingSet, caller, not_found};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Forgets a member who has no account, as if they had asked for it and the week were over. Whoever has one decides for themselves; and
/// nobody erases what another studio keeps, but who runs that one too. Repeated, it is done already.
pub fn erase_person(set: &mut WorkingSet, actor: &Actor, studio_id: Uuid, person_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let own = set.identity(caller(actor)?)?;
    let studio = set.studio(studio_id)?;
    if !own.roles.is_admin(studio.id) {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    let person = match set.person(person_id) {
        // Their row stays among the members, without a name.
        Err(Abort::Refused(_)) if set.is_member(studio.id, person_id) => return Ok(()),
        other => other?,
    };
    if !set.is_member(studio.id, person.id) {
        return Err(not_found());
    }
    if person.verified {
        return Err(Problem::new(ProblemType::HasAccount).into());
    }
    if set.studios_of(&person).iter().any(|studio_id| !own.roles.is_admin(*studio_id)) {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    let teaches = set.teaching(person.id, now)?.into_iter().filter(|session| person.roles.is_instructor(session.studio_id));
    let teaches: Vec<Teaching> =
        teaches.map(|session| Teaching { id: session.id, studio_id: session.studio_id, starts_at: session.starts_at }).collect();
    if !teaches.is_empty() {
        return Err(Problem::new(ProblemType::StaffTeaches).with("sessions", teaches).into());
    }
    emit(set, actor, Event::in_studio(studio.id, Subject::Person, person.id, Happened::MemberErased))?;
    remove_person(set, actor, person.id, now)
}
