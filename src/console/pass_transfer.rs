//! What is left of a pass goes to somebody else, or to another studio: whom is looked for, what goes is said, and then it is theirs.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::form::{Form, body};
use super::frame::{Part, Said, Shell, done};
use super::member::{PassLine, pass_line, seen};
use super::members::others;
use super::staff::Staff;
use super::words::Words;
use super::words::desk::{self, Words as Desk};
use crate::app::App;
use crate::extract::{PAGE_MAX, Path};
use crate::passes::api::changing;
use crate::passes::{Pass, store};
use crate::people;
use crate::people::members::Member;
use crate::problem::{Answer, Problem, ProblemType};
use crate::studios;
use crate::studios::guard::require_front_desk;
use crate::wrong::Wrong;

#[derive(Template)]
#[template(path = "console/pages/pass_transfer.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    d: &'static Desk,
    id: Uuid,
    holder: Uuid,
    name: String,
    pass: PassLine,
    /// Whose it is to be, once somebody was chosen.
    to: Option<(Uuid, String)>,
    /// Where it can be valid, if there is more than this studio.
    studios: Vec<(Uuid, String, bool)>,
    q: String,
    found: Vec<Member>,
}

/// Whom to look for; or whose it is to be and where, and whether that is meant.
#[derive(Debug, Default, Deserialize)]
pub struct TransferForm {
    q: Option<String>,
    person: Option<Uuid>,
    studio: Option<Uuid>,
    #[serde(default)]
    meant: bool,
}

/// A pass that the studio sold and that may be passed on, or was.
async fn find(app: &App, (studio_id, id): (Uuid, Uuid)) -> Answer<Pass> {
    let may_go = |pass: &Pass| pass.studio_id == studio_id && pass.transferable && (pass.ended_at.is_none() || pass.moved_to.is_some());
    store::pass(&app.db, id).await?.filter(may_go).ok_or_else(|| Problem::new(ProblemType::NotFound))
}

/// The page: for the front desk.
pub async fn ask(State(app): State<App>, staff: Staff, Path(at): Path<(Uuid, Uuid)>) -> Answer<Response> {
    require_front_desk(&app, &staff.caller, at.0).await?;
    page(&app, &staff, at, TransferForm::default(), Said::default()).await
}

/// Looks for whose it is to be, says what goes, or, once that is meant, passes it on: for the front desk.
pub async fn transfer(
    State(app): State<App>,
    staff: Staff,
    Path(at): Path<(Uuid, Uuid)>,
    Form(form): Form<TransferForm>,
) -> Answer<Response> {
    require_front_desk(&app, &staff.caller, at.0).await?;
    let Some(person) = form.person.filter(|_| form.meant) else { return page(&app, &staff, at, form, Said::default()).await };
    let pass = find(&app, at).await?;
    if person == pass.person_id && form.studio.is_none_or(|studio_id| studio_id == pass.studio_id) {
        let said = Said::refused(Problem::field("studio_id", Wrong::NotRight), staff.language)?;
        return page(&app, &staff, at, form, said).await;
    }
    let given = match body(json!({"person_id": person, "studio_id": form.studio})) {
        Ok(said) => changing::transfer(State(app.clone()), staff.caller.clone(), Path(at.1), said).await,
        Err(problem) => Err(problem),
    };
    match given {
        // Where it is valid elsewhere, its page is that studio's, and the member is still this one's.
        Ok(_) => Ok(done(&format!("/console/{}/members/{person}", at.0), "pass_transferred")),
        Err(problem) => page(&app, &staff, at, form, Said::refused(problem, staff.language)?).await,
    }
}

async fn page(app: &App, staff: &Staff, at: (Uuid, Uuid), form: TransferForm, said: Said) -> Answer<Response> {
    let pass = find(app, at).await?;
    let (studio_id, id) = at;
    let name = people::store::name_in(&app.db, studio_id, pass.person_id).await?;
    let name = name.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    seen(app, staff, studio_id, pass.person_id).await?;
    let mut said = said;
    let to = match form.person {
        Some(person) => {
            let mut tx = app.db.read().await?;
            let member = people::store::member(&mut tx, studio_id, person).await?;
            tx.rollback().await;
            member.map(|member| (person, member.name))
        }
        None => None,
    };
    let mut found = Vec::new();
    if let Some(q) = form.q.as_deref().filter(|_| to.is_none()) {
        match others(app, staff, studio_id, q, pass.person_id).await {
            Ok(others) => found = others,
            Err(problem) => said = Said::refused(problem, staff.language)?,
        }
    }
    let chosen = form.studio.unwrap_or(studio_id);
    // Where they serve members too. Who keeps it takes it elsewhere.
    let stays = form.person == Some(pass.person_id);
    let serves = |id: Uuid| staff.caller.roles.is_front_desk(id) && !(stays && id == studio_id);
    let studios = studios::store::studios(&app.db, None, PAGE_MAX).await?.into_iter().filter(|studio| serves(studio.id));
    let studios: Vec<_> = studios.map(|studio| (studio.id, studio.name, studio.id == chosen)).collect();
    let has_others = studios.iter().any(|(id, ..)| *id != studio_id);
    let shell = Shell::of(app, staff, studio_id, Part::Members, said).await?;
    let page = Page {
        w: shell.w,
        d: desk::words(shell.language),
        id,
        holder: pass.person_id,
        name,
        pass: pass_line(pass, &shell),
        to,
        studios: if has_others { studios } else { Vec::new() },
        q: form.q.unwrap_or_default(),
        found,
        shell,
    };
    page.shell.answer(&page)
}
