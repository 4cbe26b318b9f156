//! The team: who works in the studio, in which roles, with a second factor or without; invitations, and the devices on which somebody is
//! signed in. For the studio's admins, by the calls of the API: what it refuses is said at the form.

use std::collections::{BTreeSet, HashMap};

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::form::{Form, body};
use super::frame::{Part, Said, SaidParams, Shell, done};
use super::staff::Staff;
use super::words::office;
use super::words::{self, Words};
use crate::app::App;
use crate::extract::{Path, Query};
use crate::language::Language;
use crate::people::roles::Role;
use crate::people::{self, invitations, staff as team, staff_devices};
use crate::problem::{Answer, Problem, ProblemType};
use crate::sign_in;
use crate::studios::guard::require_admin;

#[derive(Template)]
#[template(path = "console/pages/team.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    o: &'static office::Words,
    people: Vec<PersonLine>,
    invited: Vec<InvitationLine>,
    form: InvitationForm,
    /// Whether admins are theirs to invite.
    is_owner: bool,
}

/// Somebody who works here.
struct PersonLine {
    id: Uuid,
    name: String,
    roles: String,
    /// Whether they have a second factor; of who did not come by themselves it is not told.
    has_factor: Option<bool>,
}

/// An invitation that can still be accepted.
struct InvitationLine {
    id: Uuid,
    email: String,
    roles: String,
    by: String,
    until: String,
}

/// Whom to invite, as what.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct InvitationForm {
    email: Option<String>,
    role: Option<Role>,
}

impl InvitationForm {
    fn wants(&self, role: Role) -> bool {
        self.role == Some(role)
    }
}

/// The page: for the studio's admins.
pub async fn show(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(SaidParams { said }): Query<SaidParams>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    page(&app, &staff, studio_id, InvitationForm::default(), Said::done(said)).await
}

fn in_words<'r>(roles: impl IntoIterator<Item = &'r Role>, w: &Words, language: Language) -> String {
    let roles: Vec<&str> = roles.into_iter().map(|role| words::role(*role, w)).collect();
    roles.join(if language == Language::En { ", " } else { "、" })
}

async fn page(app: &App, staff: &Staff, studio_id: Uuid, form: InvitationForm, said: Said) -> Answer<Response> {
    let shell = Shell::of(app, staff, studio_id, Part::Team, said).await?;
    let (w, language) = (shell.w, shell.language);
    let Json(all) = team::list(State(app.clone()), staff.caller.clone(), Path(studio_id)).await?;
    let Json(open) = invitations::list(State(app.clone()), staff.caller.clone(), Path(studio_id)).await?;
    let mut tx = app.db.read().await?;
    let factors = sign_in::factors::store::of_staff(&mut tx, studio_id).await;
    tx.rollback().await;
    let factors: HashMap<Uuid, bool> = factors?.into_iter().collect();
    let person = |one: team::StaffMember| PersonLine {
        id: one.person_id,
        roles: in_words(&one.roles, w, language),
        has_factor: factors.get(&one.person_id).copied(),
        name: one.name,
    };
    let invitation = |one: invitations::OpenInvitation| InvitationLine {
        id: one.id,
        roles: in_words(&one.roles, w, language),
        email: one.email,
        by: one.invited_by.name,
        until: shell.day_and_time(one.expires_at),
    };
    let page = Page {
        w,
        o: shell.o,
        people: all.staff.into_iter().map(person).collect(),
        invited: open.invitations.into_iter().map(invitation).collect(),
        form,
        is_owner: staff.caller.roles.is_owner,
        shell,
    };
    page.shell.answer(&page)
}

/// Invites somebody to work here.
pub async fn invite(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Form(form): Form<InvitationForm>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let roles: Vec<Role> = form.role.into_iter().collect();
    let invited = match body(json!({"email": form.email.clone().unwrap_or_default(), "roles": roles})) {
        Ok(said) => invitations::post(State(app.clone()), staff.caller.clone(), Path(studio_id), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    match invited {
        Ok(()) => Ok(done(&format!("/console/{studio_id}/team"), "invited")),
        Err(problem) => page(&app, &staff, studio_id, form, Said::refused(problem, staff.language)?).await,
    }
}

/// Takes an invitation back.
pub async fn withdraw(State(app): State<App>, staff: Staff, Path((studio_id, id)): Path<(Uuid, Uuid)>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    invitations::withdraw(State(app.clone()), staff.caller.clone(), Path((studio_id, id))).await?;
    Ok(done(&format!("/console/{studio_id}/team"), "invitation_withdrawn"))
}

#[derive(Template)]
#[template(path = "console/pages/team_member.html")]
struct MemberPage {
    shell: Shell,
    w: &'static Words,
    o: &'static office::Words,
    id: Uuid,
    name: String,
    roles: BTreeSet<Role>,
    is_owner: bool,
    /// Classes that stand in the way of taking the role of an instructor.
    teaches: Vec<(Uuid, String)>,
    has_factor: Option<bool>,
    /// On which devices they are signed in; who may not know sees none.
    devices: Option<Vec<DeviceLine>>,
}

impl MemberPage {
    fn holds(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// A device.
struct DeviceLine {
    id: Uuid,
    name: Option<String>,
    used: String,
    is_this: bool,
}

/// One who works here, or a member who shall: for the studio's admins.
pub async fn one(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, person_id)): Path<(Uuid, Uuid)>,
    Query(SaidParams { said }): Query<SaidParams>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    member_page(&app, &staff, (studio_id, person_id), None, Vec::new(), Said::done(said)).await
}

async fn member_page(
    app: &App,
    staff: &Staff,
    (studio_id, person_id): (Uuid, Uuid),
    wanted: Option<BTreeSet<Role>>,
    teaches: Vec<Taught>,
    said: Said,
) -> Answer<Response> {
    let mut tx = app.db.read().await?;
    let name = people::store::names_in(&mut tx, studio_id, &[person_id]).await?.pop();
    let held = people::store::roles_of(&mut tx, person_id).await?;
    let is_member = people::store::member(&mut tx, studio_id, person_id).await?.is_some();
    let factors = sign_in::factors::store::of_staff(&mut tx, studio_id).await?;
    tx.rollback().await;
    let held: BTreeSet<Role> = held.into_iter().filter(|(of, _)| *of == studio_id).map(|(_, role)| role).collect();
    let Some((_, name)) = name.filter(|_| is_member || !held.is_empty()) else { return Err(Problem::new(ProblemType::NotFound)) };
    let shell = Shell::of(app, staff, studio_id, Part::Team, said).await?;
    let devices = match staff_devices::list(State(app.clone()), staff.caller.clone(), Path((studio_id, person_id))).await {
        Ok(Json(found)) => Some(found.devices),
        Err(problem) if matches!(problem.kind, ProblemType::NotAllowed | ProblemType::NotFound) => None,
        Err(problem) => return Err(problem),
    };
    let device = |device: sign_in::signing::Device| DeviceLine {
        id: device.id,
        name: device.name,
        used: shell.day_and_time(device.last_used_at),
        is_this: device.current,
    };
    let page = MemberPage {
        w: shell.w,
        o: shell.o,
        id: person_id,
        name,
        roles: wanted.unwrap_or(held),
        is_owner: staff.caller.roles.is_owner,
        teaches: teaches.into_iter().map(|one| (one.id, shell.day_and_time(one.starts_at))).collect(),
        has_factor: factors.into_iter().find(|(id, _)| *id == person_id).map(|(_, has)| has),
        devices: devices.map(|devices| devices.into_iter().map(device).collect()),
        shell,
    };
    page.shell.answer(&page)
}

/// The roles that somebody shall hold, each by a mark of its own.
#[derive(Deserialize)]
pub struct RolesForm {
    #[serde(default)]
    instructor: bool,
    #[serde(default)]
    front_desk: bool,
    #[serde(default)]
    admin: bool,
    #[serde(default)]
    leave_sessions: bool,
}

impl RolesForm {
    fn roles(&self) -> BTreeSet<Role> {
        let marked = [(self.instructor, Role::Instructor), (self.front_desk, Role::FrontDesk), (self.admin, Role::Admin)];
        marked.into_iter().filter(|(is, _)| *is).map(|(_, role)| role).collect()
    }
}

/// A class that somebody still teaches, as a refusal names it.
#[derive(Deserialize)]
struct Taught {
    id: Uuid,
    starts_at: DateTime<Utc>,
}

/// Sets their roles.
pub async fn set_roles(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, person_id)): Path<(Uuid, Uuid)>,
    Form(form): Form<RolesForm>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let roles = form.roles();
    let set = match body(json!({"roles": roles, "leave_sessions": form.leave_sessions})) {
        Ok(said) => team::put(State(app.clone()), staff.caller.clone(), Path((studio_id, person_id)), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    let Err(problem) = set else {
        let page = if roles.is_empty() { "team".to_owned() } else { format!("team/{person_id}") };
        return Ok(done(&format!("/console/{studio_id}/{page}"), "roles_set"));
    };
    let taught = problem.body(staff.language, "").get_mut("sessions").map(serde_json::Value::take).unwrap_or_default();
    let taught = serde_json::from_value(taught).unwrap_or_default();
    member_page(&app, &staff, (studio_id, person_id), Some(roles), taught, Said::refused(problem, staff.language)?).await
}

/// Signs them out of a device.
pub async fn end_device(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, person_id, device_id)): Path<(Uuid, Uuid, Uuid)>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    staff_devices::end(State(app), staff.caller, Path((studio_id, person_id, device_id))).await?;
    Ok(done(&format!("/console/{studio_id}/team/{person_id}"), "device_ended"))
}

/// Takes their second factors away, which they have lost, and signs them out everywhere.
pub async fn reset_factors(State(app): State<App>, staff: Staff, Path((studio_id, person_id)): Path<(Uuid, Uuid)>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    staff_devices::reset_factors(State(app), staff.caller, Path((studio_id, person_id))).await?;
    Ok(done(&format!("/console/{studio_id}/team/{person_id}"), "factors_reset"))
}
