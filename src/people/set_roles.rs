//! Roles: nobody leaves the staff unnoticed while classes count on them.

use std::collections::BTreeSet;

use super::roles::Role;
use super::store::Teaching;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, caller, not_found};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The classes that a refusal names.
const NAMED_MAX: usize = 20;
/// The classes that an answer names; there is a list of all of them.
const LEFT_MAX: usize = 200;

/// `PUT /v1/studios/{id}/staff/{person_id}`. Admins are an owner's to make and unmake. An instructor who still has classes to teach loses
/// the role only if the admin says so (`leave_sessions`): rights must be able to end at once. Answers the sessions that are left without
/// an instructor by it.
#[allow(clippy::too_many_arguments, reason = "the fields of the call")]
pub fn set_roles(
    set: &mut WorkingSet,
    actor: &Actor,
    studio_id: Uuid,
    person_id: Uuid,
    wanted: &BTreeSet<Role>,
    leave_sessions: bool,
    now: DateTime<Utc>,
) -> Decision<Vec<Teaching>> {
    let own = set.identity(caller(actor)?)?;
    let studio = set.studio(studio_id)?;
    if !own.roles.is_admin(studio.id) {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    let person = set.identity(person_id)?;
    let held: BTreeSet<Role> = person.roles.of_studio(studio.id).collect();
    if held.is_empty() && !set.is_member(studio.id, person.id) {
        return Err(not_found());
    }
    if held.contains(&Role::Admin) != wanted.contains(&Role::Admin) && !own.roles.is_owner {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    // Whoever knows an address can enter its person: an account is in nobody's staff unless its person says so.
    if person.verified && set.was_only_entered(studio.id, person.id) && !wanted.is_subset(&held) {
        return Err(Problem::new(ProblemType::NotJoined).into());
    }
    let mut left = Vec::new();
    if held.contains(&Role::Instructor) && !wanted.contains(&Role::Instructor) {
        let teaches = set.teaching(person.id, now)?.into_iter().filter(|session| session.studio_id == studio.id && session.starts_at > now);
        left = teaches
            .take(if leave_sessions { LEFT_MAX } else { NAMED_MAX })
            .map(|session| Teaching { id: session.id, studio_id: session.studio_id, starts_at: session.starts_at })
            .collect();
        if !left.is_empty() && !leave_sessions {
            return Err(Problem::new(ProblemType::StaffTeaches).with("sessions", left).into());
        }
    }
    if held != *wanted {
        set.put_roles(studio.id, &person, wanted);
        let what = Happened::RolesSet { before: held, after: wanted.clone() };
        emit(set, actor, Event::in_studio(studio.id, Subject::Person, person.id, what))?;
    }
    Ok(left)
}
