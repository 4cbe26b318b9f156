//! Erasing a member who has no account: what it means and what would come of it, and then, once the name was typed, for good.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

use super::consequences::Consequences;
use super::form::Form;
use super::frame::{Part, Said, Shell, done};
use super::member::seen;
use super::staff::Staff;
use super::words::Words;
use super::words::desk::{self, Words as Desk};
use crate::app::App;
use crate::extract::Path;
use crate::people::{erasure, store};
use crate::problem::{Answer, Problem, ProblemType};
use crate::studios::guard::require_admin;
use crate::transactor::Command;

#[derive(Template)]
#[template(path = "console/pages/erase.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    d: &'static Desk,
    person_id: Uuid,
    name: String,
    /// What was typed, if it was not the name.
    typed: Option<String>,
    /// What would come of it; none: it cannot be.
    consequences: Option<Consequences>,
}

/// What was typed.
#[derive(Debug, Deserialize)]
pub struct EraseForm {
    name: Option<String>,
}

/// The page: for the studio's admins.
pub async fn ask(State(app): State<App>, staff: Staff, Path(at): Path<(Uuid, Uuid)>) -> Answer<Response> {
    require_admin(&app, &staff.caller, at.0).await?;
    page(&app, &staff, at, None, Said::default()).await
}

/// Erases them, if it is their name that was typed.
pub async fn erase(State(app): State<App>, staff: Staff, Path(at): Path<(Uuid, Uuid)>, Form(form): Form<EraseForm>) -> Answer<Response> {
    require_admin(&app, &staff.caller, at.0).await?;
    let typed = form.name.unwrap_or_default();
    if typed.trim() != name(&app, at).await?.trim() {
        let said = desk::words(staff.language).erase_not_the_name.to_owned();
        let refused = Said { refused: Some((ProblemType::InvalidFields.status(), said)), ..Said::default() };
        return page(&app, &staff, at, Some(typed), refused).await;
    }
    match erasure::put(State(app.clone()), staff.caller.clone(), Path(at)).await {
        Ok(_) => Ok(done(&format!("/console/{}/members", at.0), "erased")),
        Err(problem) => page(&app, &staff, at, None, Said::refused(problem, staff.language)?).await,
    }
}

async fn name(app: &App, (studio_id, person_id): (Uuid, Uuid)) -> Answer<String> {
    store::name_in(&app.db, studio_id, person_id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))
}

async fn page(app: &App, staff: &Staff, at: (Uuid, Uuid), typed: Option<String>, said: Said) -> Answer<Response> {
    let (studio_id, person_id) = at;
    let name = name(app, at).await?;
    seen(app, staff, studio_id, person_id).await?;
    let (said, preview) = match app.transactor.preview(staff.caller.actor(), Command::ErasePerson { studio_id, person_id }).await {
        Ok(preview) => (said, Some(preview)),
        Err(problem) if said.refused.is_none() => (Said::refused(problem, staff.language)?, None),
        Err(_) => (said, None),
    };
    let shell = Shell::of(app, staff, studio_id, Part::Members, said).await?;
    let consequences = match preview {
        Some(preview) => Some(Consequences::of(app, preview, &shell).await?),
        None => None,
    };
    let page = Page { w: shell.w, d: desk::words(shell.language), person_id, name, typed, consequences, shell };
    page.shell.answer(&page)
}
