//! A kind of class, changed: for classes that are put on the schedule from then on. For the studio's admins.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use uuid::Uuid;

use super::form::{Fields, Form, body};
use super::frame::{Part, Said, Shell, done};
use super::staff::Staff;
use super::words::{self, Words};
use crate::app::App;
use crate::extract::{IfMatch, Path};
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule::{self, ClassType};
use crate::studios::guard::require_admin;

#[derive(Template)]
#[template(path = "console/pages/class_type.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    /// What it is called as it is saved.
    title: String,
    fields: Fields,
    levels: [(&'static str, &'static str); 4],
    /// What somebody else has changed meanwhile, by its field: as it is now.
    now: BTreeMap<String, String>,
}

/// As an app would send it.
pub fn said(fields: &Fields) -> Value {
    json!({
        "name": fields.names(), "level": fields.text("level"), "minutes": fields.number("minutes"), "credits": fields.number("credits"),
        "minimum": fields.number("minimum")
    })
}

fn fields(class: &ClassType) -> Fields {
    let number = |number: i64| Some(number.to_string());
    Fields::holding([
        ("version", number(class.version)),
        ("name", Some(class.name.en.clone())),
        ("zh_hans", class.name.zh_hans.clone()),
        ("zh_hant", class.name.zh_hant.clone()),
        ("level", Some(class.level.clone())),
        ("minutes", number(class.minutes)),
        ("credits", number(class.credits)),
        ("minimum", class.minimum.and_then(number)),
    ])
}

async fn find(app: &App, studio_id: Uuid, id: Uuid) -> Answer<ClassType> {
    schedule::store::class_type(&app.db, studio_id, id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))
}

/// The form.
pub async fn ask(State(app): State<App>, staff: Staff, Path((studio_id, id)): Path<(Uuid, Uuid)>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let class = find(&app, studio_id, id).await?;
    page(&app, &staff, &class, fields(&class), BTreeMap::new(), Said::default()).await
}

async fn page(app: &App, staff: &Staff, class: &ClassType, fields: Fields, now: BTreeMap<String, String>, said: Said) -> Answer<Response> {
    let shell = Shell::of(app, staff, class.studio_id, Part::Setup, said).await?;
    let page =
        Page { w: shell.w, title: class.name.read(shell.language).to_owned(), fields, levels: words::levels(shell.language), now, shell };
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
            schedule::api::change_class_type(State(app.clone()), caller, Path((studio_id, id)), version, said).await.map(drop)
        }
        Err(problem) => Err(problem),
    };
    match changed {
        Ok(()) => Ok(done(&format!("/console/{studio_id}/setup"), "class_type_changed")),
        // What was typed stays; saved once more, it is saved upon what the reader has now seen.
        Err(problem) => {
            let class = find(&app, studio_id, id).await?;
            let is_stale = problem.kind == ProblemType::VersionStale;
            let now = if is_stale { typed.upon(fields(&class), words::words(staff.language).empty_now) } else { BTreeMap::new() };
            page(&app, &staff, &class, typed, now, Said::refused(problem, staff.language)?).await
        }
    }
}
