//! The studio's members: looked for by what one has of them, and entered. What is looked for stands in no address, as names do not belong
//! into histories and logs.

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::form::{Form, body};
use super::frame::{Part, Said, SaidParams, Shell, done};
use super::staff::Staff;
use super::words::Words;
use crate::app::App;
use crate::extract::{Path, Query};
use crate::people::members::{self, Member};
use crate::problem::{Answer, ProblemType};
use crate::studios::guard::require_front_desk;

/// Members of one page.
const MEMBERS_MAX: i64 = 50;

/// Members of whom one is chosen.
const OTHERS_MAX: i64 = 20;

#[derive(Template)]
#[template(path = "console/pages/members.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    q: String,
    /// For which session somebody is looked for.
    session: Option<Uuid>,
    members: Vec<Member>,
    next: Option<String>,
}

/// Whom to look for, and for which session.
#[derive(Debug, Default, Deserialize)]
pub struct SearchForm {
    q: Option<String>,
    session: Option<Uuid>,
    after: Option<String>,
}

/// For which session.
#[derive(Deserialize)]
pub struct SessionParams {
    session: Option<Uuid>,
    said: Option<String>,
}

/// All members by name: for the front desk.
pub async fn show(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(SessionParams { session, said }): Query<SessionParams>,
) -> Answer<Response> {
    require_front_desk(&app, &staff.caller, studio_id).await?;
    page(&app, &staff, studio_id, SearchForm { session, ..SearchForm::default() }, Said::done(said)).await
}

/// Those who are looked for.
pub async fn search(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, Form(form): Form<SearchForm>) -> Answer<Response> {
    require_front_desk(&app, &staff.caller, studio_id).await?;
    page(&app, &staff, studio_id, form, Said::default()).await
}

/// Members but this one, to choose one of: whoever is not among them is looked for by more of their name.
pub async fn others(app: &App, staff: &Staff, studio_id: Uuid, q: &str, but: Uuid) -> Answer<Vec<Member>> {
    let asked = body(json!({"q": q, "limit": OTHERS_MAX}))?;
    let Json(found) = members::search(State(app.clone()), staff.caller.clone(), Path(studio_id), asked).await?;
    Ok(found.members.into_iter().filter(|member| member.person_id != but).collect())
}

async fn page(app: &App, staff: &Staff, studio_id: Uuid, form: SearchForm, said: Said) -> Answer<Response> {
    let q = form.q.unwrap_or_default();
    let asked = body(json!({"q": q, "limit": MEMBERS_MAX, "after": form.after}));
    let found = match asked {
        Ok(asked) => members::search(State(app.clone()), staff.caller.clone(), Path(studio_id), asked).await,
        Err(problem) => Err(problem),
    };
    let (said, found) = match found {
        Ok(Json(found)) => (said, Some(found)),
        Err(problem) => (Said::refused(problem, staff.language)?, None),
    };
    let shell = Shell::of(app, staff, studio_id, Part::Members, said).await?;
    let (members, next) = found.map(|found| (found.members, found.next)).unwrap_or_default();
    let page = Page { w: shell.w, q, session: form.session, members, next, shell };
    page.shell.answer(&page)
}

#[derive(Template)]
#[template(path = "console/pages/new_member.html")]
struct NewPage {
    shell: Shell,
    w: &'static Words,
    form: NewForm,
    /// Whether it must be said whose the address is.
    is_shared: bool,
}

/// Somebody new.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NewForm {
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    locale: Option<String>,
    link: Option<bool>,
}

impl NewForm {
    /// A field as the page shows it.
    fn text<'f>(&self, field: &'f Option<String>) -> &'f str {
        field.as_deref().unwrap_or_default()
    }
}

/// The form of a new member: for the front desk.
pub async fn ask_new(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(SaidParams { said }): Query<SaidParams>,
) -> Answer<Response> {
    require_front_desk(&app, &staff.caller, studio_id).await?;
    let shell = Shell::of(&app, &staff, studio_id, Part::Members, Said::done(said)).await?;
    let page = NewPage { w: shell.w, form: NewForm::default(), is_shared: false, shell };
    page.shell.answer(&page)
}

/// Enters a member.
pub async fn enter(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, Form(form): Form<NewForm>) -> Answer<Response> {
    require_front_desk(&app, &staff.caller, studio_id).await?;
    let said = body(
        json!({"name": form.name.clone().unwrap_or_default(), "email": form.email, "phone": form.phone, "locale": form.locale, "link": form.link}),
    );
    let entered = match said {
        Ok(said) => members::enter(State(app.clone()), staff.caller.clone(), Path(studio_id), said).await,
        Err(problem) => Err(problem),
    };
    match entered {
        Ok((_, Json(member))) => Ok(done(&format!("/console/{studio_id}/members/{}", member.person_id), "member_entered")),
        Err(problem) => {
            let is_shared = problem.kind == ProblemType::AddressInUse;
            let shell = Shell::of(&app, &staff, studio_id, Part::Members, Said::refused(problem, staff.language)?).await?;
            let page = NewPage { w: shell.w, form, is_shared, shell };
            page.shell.answer(&page)
        }
    }
}
