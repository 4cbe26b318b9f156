//! A room, changed. For the studio's admins.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use uuid::Uuid;

use super::form::{Fields, Form, body};
use super::frame::{Part, Said, Shell, done};
use super::staff::Staff;
use super::words::Words;
use crate::app::App;
use crate::extract::{IfMatch, Path};
use crate::problem::{Answer, Problem, ProblemType};
use crate::studios::guard::require_admin;
use crate::studios::{self, Room};

#[derive(Template)]
#[template(path = "console/pages/room.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    /// What it is called as it is saved.
    title: String,
    fields: Fields,
    /// What somebody else has changed meanwhile, by its field: as it is now.
    now: BTreeMap<String, String>,
}

/// As an app would send it.
pub fn said(fields: &Fields) -> Value {
    json!({"name": fields.text("name"), "capacity": fields.number("capacity")})
}

fn fields(room: &Room) -> Fields {
    let (version, capacity) = (room.version.to_string(), room.capacity.to_string());
    Fields::holding([("version", Some(version)), ("name", Some(room.name.clone())), ("capacity", Some(capacity))])
}

async fn find(app: &App, studio_id: Uuid, id: Uuid) -> Answer<Room> {
    studios::store::room(&app.db, studio_id, id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))
}

/// The form.
pub async fn ask(State(app): State<App>, staff: Staff, Path((studio_id, id)): Path<(Uuid, Uuid)>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let room = find(&app, studio_id, id).await?;
    page(&app, &staff, &room, fields(&room), BTreeMap::new(), Said::default()).await
}

async fn page(app: &App, staff: &Staff, room: &Room, fields: Fields, now: BTreeMap<String, String>, said: Said) -> Answer<Response> {
    let shell = Shell::of(app, staff, room.studio_id, Part::Setup, said).await?;
    let page = Page { w: shell.w, title: room.name.clone(), fields, now, shell };
    page.shell.answer(&page)
}

/// Changes it, if nobody else has meanwhile.
pub async fn edit(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, id)): Path<(Uuid, Uuid)>,
    Form(mut typed): Form<Fields>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let changed = match body(said(&typed)) {
        Ok(said) => {
            let (caller, version) = (staff.caller.clone(), IfMatch(typed.version()));
            studios::api::change_room(State(app.clone()), caller, Path((studio_id, id)), version, said).await.map(drop)
        }
        Err(problem) => Err(problem),
    };
    match changed {
        Ok(()) => Ok(done(&format!("/console/{studio_id}/setup"), "room_changed")),
        // What was typed stays; saved once more, it is saved upon what the reader has now seen.
        Err(problem) => {
            let room = find(&app, studio_id, id).await?;
            let is_stale = problem.kind == ProblemType::VersionStale;
            let now = if is_stale { typed.upon(fields(&room), super::words::words(staff.language).empty_now) } else { BTreeMap::new() };
            page(&app, &staff, &room, typed, now, Said::refused(problem, staff.language)?).await
        }
    }
}
