//! The door on a tablet. Whoever runs the studio makes a browser a kiosk: it gets a token that checks in and can do nothing else, its
//! signed-in session ends in the same step, and from then on it shows the page of the door alone (`kiosk.js`), with and without a network.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, body::Body as Bytes};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::assets;
use super::cookie;
use super::form::{Form, body};
use super::frame::{Part, Said, SaidParams, Shell, alone, done, words};
use super::staff::{Reader, Staff};
use super::words::Words;
use crate::app::App;
use crate::attendance::api::kiosks;
use crate::attendance::store::kiosks as store;
use crate::extract::{Path, Query};
use crate::language::Language;
use crate::problem::{Answer, Problem, ProblemType};
use crate::sign_in::signing;
use crate::studios;
use crate::studios::guard::require_admin;

#[derive(Template)]
#[template(path = "console/pages/kiosks.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    name: String,
    kiosks: Vec<Line>,
}

/// A device at the door.
struct Line {
    id: Uuid,
    name: String,
    seen: Option<String>,
}

/// The studio's kiosks, and making this browser one: for admins.
pub async fn show(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(SaidParams { said }): Query<SaidParams>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    page(&app, &staff, studio_id, String::new(), Said::done(said)).await
}

async fn page(app: &App, staff: &Staff, studio_id: Uuid, name: String, said: Said) -> Answer<Response> {
    let shell = Shell::of(app, staff, studio_id, Part::Today, said).await?;
    let known = store::of_studio(&app.db, studio_id).await?;
    let kiosks = known
        .into_iter()
        .map(|kiosk| Line { id: kiosk.id, seen: kiosk.last_seen_at.map(|at| shell.day_and_time(at)), name: kiosk.name })
        .collect();
    let page = Page { w: shell.w, name, kiosks, shell };
    page.shell.answer(&page)
}

#[derive(Template)]
#[template(path = "console/pages/kiosk_ready.html")]
struct Ready {
    language: Language,
    w: &'static Words,
    studio_id: Uuid,
    studio: String,
    token: String,
}

/// Where it stands.
#[derive(Deserialize)]
pub struct KioskForm {
    name: Option<String>,
}

/// Makes this browser a kiosk: the token is in the answer, this once, and nobody is signed in here any more.
pub async fn make(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, Form(form): Form<KioskForm>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let name = form.name.unwrap_or_default();
    let added = match body(json!({"name": name})) {
        Ok(said) => kiosks::add(State(app.clone()), staff.caller.clone(), Path(studio_id), said).await,
        Err(problem) => Err(problem),
    };
    let token = match added {
        Ok((_, Json(added))) => added.token,
        Err(problem) => return page(&app, &staff, studio_id, name, Said::refused(problem, staff.language)?).await,
    };
    let studio = studios::store::studio(&app.db, studio_id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    signing::sign_out(State(app.clone()), staff.caller).await?;
    let ready = Ready { language: staff.language, w: words(staff.language), studio_id, studio: studio.name, token };
    let mut answer = alone(&ready, staff.language, StatusCode::OK)?;
    // It speaks the language in which it was handed over, until somebody chooses another one.
    for cookie in [cookie::gone(&app)?, cookie::language_header(&app, staff.language)?] {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(answer)
}

/// Which one.
#[derive(Deserialize)]
pub struct RemovalForm {
    kiosk: Uuid,
}

/// Takes one away: its token is worth nothing, and it forgets what it knows when it next asks for something.
pub async fn remove(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Form(RemovalForm { kiosk }): Form<RemovalForm>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    kiosks::remove(State(app.clone()), staff.caller.clone(), Path((studio_id, kiosk))).await?;
    Ok(done(&format!("/console/{studio_id}/kiosk"), "kiosk_removed"))
}

#[derive(Template)]
#[template(path = "console/pages/kiosk.html")]
struct Door {
    language: Language,
    w: &'static Words,
}

/// The door itself. It is the same for every studio and knows nobody: what it shows comes by the token that its device keeps.
pub async fn door(Reader(language): Reader) -> Answer<Response> {
    alone(&Door { language, w: words(language) }, language, StatusCode::OK)
}

/// What keeps the page on the device. It has no hash in its address: browsers look themselves whether it is a new one.
pub async fn worker() -> Response {
    let policy = HeaderValue::from_static("default-src 'none'; connect-src 'self'");
    let kind = HeaderValue::from_static("text/javascript; charset=utf-8");
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (headers, Bytes::from(assets::KIOSK_WORKER)).into_response()
}
