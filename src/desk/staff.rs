//! Roles at the desk: nobody leaves the staff, or the house, while classes count on her.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::command::Outcome;
use super::needs::Decided;
use super::world::World;
use super::{Actor, not_found};
use crate::people::store::Teaching;
use crate::problem::{Kind, Problem};
use crate::sign_in::caller::Role;

/// The classes that a refusal names.
const NAMED_MAX: usize = 20;

/// `PUT /v1/studios/{id}/staff/{person_id}`. Admins are an owner's to make and unmake.
pub fn set_roles(
    world: &mut World,
    actor: &Actor,
    studio_id: Uuid,
    person_id: Uuid,
    wanted: &BTreeSet<Role>,
    now: DateTime<Utc>,
) -> Decided<Outcome> {
    let own = world.identity(actor.person_id()?)?;
    let studio = world.studio_or_not_found(studio_id)?;
    if !own.is_admin(studio.id) {
        return Err(Problem::new(Kind::NotAllowed).into());
    }
    let person = world.identity(person_id)?;
    let held: BTreeSet<Role> = person.roles.iter().filter(|(of, _)| *of == studio.id).map(|(_, role)| *role).collect();
    if held.is_empty() && !world.members.contains(&(studio.id, person.id)) {
        return Err(not_found());
    }
    if held.contains(&Role::Admin) != wanted.contains(&Role::Admin) && !own.is_owner {
        return Err(Problem::new(Kind::NotAllowed).into());
    }
    if held.contains(&Role::Instructor) && !wanted.contains(&Role::Instructor) {
        let teaches =
            world.teaching(person.id, now)?.into_iter().filter(|session| session.studio_id == studio.id && session.starts_at > now);
        let sessions: Vec<Teaching> = teaches
            .take(NAMED_MAX)
            .map(|session| Teaching { id: session.id, studio_id: session.studio_id, starts_at: session.starts_at })
            .collect();
        if !sessions.is_empty() {
            return Err(Problem::new(Kind::StaffTeaches).with("sessions", sessions).into());
        }
    }
    if held != *wanted {
        let line = actor.record.of("staff.roles_set", "person", person.id, Some(studio.id));
        world.audit.push(line.with(json!({ "before": held, "after": wanted })));
        world.put_roles(studio.id, &person, wanted);
    }
    Ok(Outcome::Staff { name: person.name.clone() })
}
