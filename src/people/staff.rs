//! Who works in a studio, and in which roles.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use uuid::Uuid;

use super::store::{self, Teaching};
use crate::app::App;
use crate::db::Tx;
use crate::extract::{Body, Path};
use crate::people::roles::Role;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::search::sort_key;
use crate::sign_in::Caller;
use crate::studios::guard::require_admin;
use crate::transactor::{Command, Outcome};

/// Somebody who works in a studio.
#[derive(Debug, Serialize, ToSchema)]
pub struct StaffMember {
    pub person_id: Uuid,
    pub name: String,
    /// Their roles in this studio.
    pub roles: Vec<Role>,
}

/// Somebody whose roles were set.
#[derive(Debug, Serialize, ToSchema)]
pub struct StaffMemberSet {
    #[serde(flatten)]
    member: StaffMember,
    /// Sessions to come that nobody teaches any more, the first 200; `GET …/unstaffed-sessions` lists all there are.
    unstaffed_sessions: Vec<Teaching>,
}

/// Everybody who works in a studio.
#[derive(Debug, Serialize, ToSchema)]
pub struct Staff {
    /// Sorted by name.
    pub staff: Vec<StaffMember>,
}

/// Everybody who works in the studio, by name.
#[utoipa::path(
    get, path = "/v1/studios/{id}/staff", operation_id = "list_staff",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Staff)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn list(State(app): State<App>, caller: Caller, Path(studio_id): Path<Uuid>) -> Answer<Json<Staff>> {
    require_admin(&app, &caller, studio_id).await?;
    let mut tx = app.db.read().await?;
    let studio = store::studio(&mut tx, studio_id).await?;
    let rows = store::staff(&mut tx, studio_id).await?;
    tx.rollback().await;
    if studio.is_none() {
        return Err(Problem::new(ProblemType::NotFound));
    }
    let mut staff: BTreeMap<(String, Uuid), StaffMember> = BTreeMap::new();
    for row in rows {
        let member = staff.entry((sort_key(&row.name), row.person_id)).or_insert_with(|| StaffMember {
            person_id: row.person_id,
            name: row.name,
            roles: Vec::new(),
        });
        member.roles.push(row.role);
    }
    Ok(Json(Staff { staff: staff.into_values().collect() }))
}

/// The roles that somebody shall hold from now on: none takes them off the staff.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StaffRoles)]
pub struct Roles {
    /// Those that they shall hold. One that is named twice is held once.
    #[schema(value_type = Vec<Role>)]
    pub roles: BTreeSet<Role>,
    /// Takes the role of an instructor at once, though sessions to come are left without one by it; without, those stand in the way
    /// (409). Members keep their places in them: an admin names somebody else, or cancels.
    #[serde(default)]
    pub leave_sessions: bool,
}

/// Sets the roles of somebody whom the studio knows, and with them all their rights, at once. Admins are made and unmade by an owner.
#[utoipa::path(
    put, path = "/v1/studios/{id}/staff/{person_id}", operation_id = "set_staff_roles",
    params(("id" = Uuid, Path), ("person_id" = Uuid, Path)), request_body = Roles,
    responses((status = 200, body = StaffMemberSet)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, NotJoined, StaffTeaches, TooManyRequests])))
)]
pub async fn put(
    State(app): State<App>,
    caller: Caller,
    Path((studio_id, person_id)): Path<(Uuid, Uuid)>,
    Body(body): Body<Roles>,
) -> Answer<Json<StaffMemberSet>> {
    require_admin(&app, &caller, studio_id).await?;
    let ask = Command::SetRoles { studio_id, person_id, roles: body.roles.clone(), leave_sessions: body.leave_sessions };
    let done = app.transactor.submit(caller.actor(), ask).await?;
    app.identities.forget_person(person_id);
    let Outcome::Unstaffed(unstaffed_sessions) = done else { return Err(Problem::new(ProblemType::Fault)) };
    let name = store::name_in(&app.db, studio_id, person_id).await?.unwrap_or_default();
    let member = StaffMember { person_id, name, roles: body.roles.into_iter().collect() };
    Ok(Json(StaffMemberSet { member, unstaffed_sessions }))
}

/// Rights are up to five seconds old: who gives rights is asked again in the transaction. Answers whether they own the deployment.
pub async fn must_still_admin(tx: &mut Tx, caller: &Caller, studio_id: Uuid) -> Answer<bool> {
    let profile = store::profile(tx, caller.person_id).await?.ok_or_else(|| Problem::new(ProblemType::TokenRefused))?;
    if profile.is_owner || store::roles_in(tx, studio_id, caller.person_id).await?.contains(&Role::Admin) {
        Ok(profile.is_owner)
    } else {
        Err(Problem::new(ProblemType::NotAllowed))
    }
}
