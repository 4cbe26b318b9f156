//! Somebody stands among the members twice: the other entry is looked for, what would come of merging the two is shown, and then they are
//! one.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::consequences::Consequences;
use super::form::{Form, body};
use super::frame::{Part, Said, Shell, done};
use super::member::seen;
use super::members::others;
use super::staff::Staff;
use super::words::Words;
use super::words::desk::{self, Words as Desk};
use crate::app::App;
use crate::extract::{Path, Query};
use crate::people::members::Member;
use crate::people::merge::MergeMembers;
use crate::people::{merging, store};
use crate::problem::{Answer, Problem, ProblemType};
use crate::studios::guard::require_admin;
use crate::transactor::Command;

#[derive(Template)]
#[template(path = "console/pages/merge.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    d: &'static Desk,
    from: Member,
    /// Whose entry stays, once somebody was chosen.
    into: Option<Member>,
    q: String,
    found: Vec<Member>,
    consequences: Option<Consequences>,
}

/// Whom to look for; or whose entry stays, and whether that is meant.
#[derive(Debug, Default, Deserialize)]
pub struct MergeForm {
    q: Option<String>,
    into: Option<Uuid>,
    #[serde(default)]
    meant: bool,
}

/// The page: for the studio's admins.
pub async fn ask(State(app): State<App>, staff: Staff, Path(at): Path<(Uuid, Uuid)>) -> Answer<Response> {
    require_admin(&app, &staff.caller, at.0).await?;
    page(&app, &staff, at, MergeForm::default(), Said::default()).await
}

/// Looks for the other entry, shows what would come of it, or, once that is meant, merges them.
pub async fn merge(State(app): State<App>, staff: Staff, Path(at): Path<(Uuid, Uuid)>, Form(form): Form<MergeForm>) -> Answer<Response> {
    require_admin(&app, &staff.caller, at.0).await?;
    let Some(into) = form.into.filter(|_| form.meant) else { return page(&app, &staff, at, form, Said::default()).await };
    let merged = match body(json!({"into": into})) {
        Ok(said) => merging::put(State(app.clone()), staff.caller.clone(), Path(at), Query(merging::DryRun { dry_run: false }), said).await,
        Err(problem) => Err(problem),
    };
    match merged {
        Ok(_) => Ok(done(&format!("/console/{}/members/{into}", at.0), "merged")),
        Err(problem) => page(&app, &staff, at, form, Said::refused(problem, staff.language)?).await,
    }
}

async fn member(app: &App, studio_id: Uuid, person_id: Uuid) -> Answer<Option<Member>> {
    let mut tx = app.db.read().await?;
    let member = store::member(&mut tx, studio_id, person_id).await?;
    tx.rollback().await;
    Ok(member.map(Member::from))
}

async fn page(app: &App, staff: &Staff, (studio_id, person_id): (Uuid, Uuid), form: MergeForm, said: Said) -> Answer<Response> {
    let from = member(app, studio_id, person_id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    seen(app, staff, studio_id, person_id).await?;
    let mut said = said;
    let (mut into, mut preview) = (None, None);
    if let Some(id) = form.into {
        into = member(app, studio_id, id).await?;
        let what = Command::MergeMembers(MergeMembers { studio_id, from: person_id, into: id });
        match app.transactor.preview(staff.caller.actor(), what).await {
            Ok(seen) => preview = Some(seen),
            Err(problem) if said.refused.is_none() => said = Said::refused(problem, staff.language)?,
            Err(_) => {}
        }
    }
    let mut found = Vec::new();
    if let Some(q) = form.q.as_deref().filter(|_| into.is_none()) {
        match others(app, staff, studio_id, q, person_id).await {
            Ok(others) => found = others,
            Err(problem) => said = Said::refused(problem, staff.language)?,
        }
    }
    let shell = Shell::of(app, staff, studio_id, Part::Members, said).await?;
    let consequences = match preview {
        Some(preview) => Some(Consequences::of(app, preview, &shell).await?),
        None => None,
    };
    let page = Page { w: shell.w, d: desk::words(shell.language), from, into, q: form.q.unwrap_or_default(), found, consequences, shell };
    page.shell.answer(&page)
}
