//! Substitutes: what an instructor may take or has asked for, what the studio looks for, and asking for somebody, with those who would be
//! asked shown before.

use std::collections::{BTreeSet, HashMap};

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::consequences::{Consequences, title};
use super::form::{Form, body};
use super::frame::{Part, Said, SaidParams, Shell, done};
use super::session::{find, runs};
use super::session_form::Choices;
use super::staff::Staff;
use super::words::Words;
use super::words::planning::{self, Words as Planning};
use crate::app::App;
use crate::attendance::api::require_staff_of;
use crate::extract::{Limit, PAGE_MAX, Path, Query};
use crate::letters::phrases;
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule::Session;
use crate::schedule::api::dry_run::DryRun;
use crate::schedule::substitutes::api::{self, AskBody, RequestView, Which};
use crate::schedule::substitutes::{RequestState, SubstituteRequest, store};
use crate::studios::guard::{require_scheduler, require_staff};
use crate::transactor::Preview;

/// Settled requests that the page shows.
const SETTLED_MAX: i64 = 30;

#[derive(Template)]
#[template(path = "console/pages/substitutes.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    p: &'static Planning,
    /// Those that are theirs: asked for, taken, or to be taken.
    own: Vec<Line>,
    /// Those of the studio that wait, and those that are settled.
    pending: Vec<Line>,
    settled: Vec<Line>,
    /// Whether they teach here themselves.
    teaches: bool,
    form: DaysForm,
    consequences: Option<Consequences>,
}

/// A request.
struct Line {
    id: Uuid,
    session_id: Uuid,
    title: String,
    state: &'static str,
    about: String,
    note: Option<String>,
    may_claim: bool,
    may_unclaim: bool,
    may_approve: bool,
    may_withdraw: bool,
    may_name: bool,
}

/// On which days somebody else is to teach.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct DaysForm {
    from: Option<String>,
    to: Option<String>,
    note: Option<String>,
    #[serde(default)]
    meant: bool,
}

impl DaysForm {
    /// A field as the page shows it.
    fn text<'f>(&self, field: &'f Option<String>) -> &'f str {
        field.as_deref().unwrap_or_default()
    }
}

/// The page: for those who work in the studio; an instructor sees their own.
pub async fn show(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(SaidParams { said }): Query<SaidParams>,
) -> Answer<Response> {
    require_staff(&app, &staff.caller, studio_id).await?;
    page(&app, &staff, studio_id, DaysForm::default(), None, Said::done(said)).await
}

async fn listed(app: &App, staff: &Staff, studio_id: Uuid, state: Option<RequestState>, limit: i64) -> Answer<Vec<RequestView>> {
    let which = Which { state, limit: Some(Limit(limit)), ..Which::default() };
    let Json(found) = api::list(State(app.clone()), staff.caller.clone(), Path(studio_id), Query(which)).await?;
    Ok(found.requests)
}

async fn page(app: &App, staff: &Staff, studio_id: Uuid, form: DaysForm, preview: Option<Preview>, said: Said) -> Answer<Response> {
    let shell = Shell::of(app, staff, studio_id, Part::Schedule, said).await?;
    let teaches = staff.caller.roles.is_instructor(studio_id);
    let (mut own, mut pending, mut settled) = (Vec::new(), Vec::new(), Vec::new());
    if teaches {
        let Json(found) = api::own(State(app.clone()), staff.caller.clone()).await?;
        own = found.requests;
    }
    if shell.is_desk {
        pending = listed(app, staff, studio_id, Some(RequestState::Claimed), PAGE_MAX).await?;
        pending.extend(listed(app, staff, studio_id, Some(RequestState::Open), PAGE_MAX).await?);
        settled = listed(app, staff, studio_id, None, SETTLED_MAX).await?;
        settled.retain(|request| !matches!(request.state, RequestState::Open | RequestState::Claimed));
    }
    let ids: BTreeSet<Uuid> = own.iter().chain(&pending).chain(&settled).filter_map(session_of).collect();
    let mut tx = app.db.read().await?;
    let found = crate::schedule::store::among(&mut tx, &ids.into_iter().collect::<Vec<_>>()).await?;
    tx.rollback().await;
    let sessions: HashMap<Uuid, Session> = found.into_iter().map(|session| (session.id, session)).collect();
    let choices = Choices::read(app, &shell).await?;
    let lines = |requests: Vec<RequestView>| -> Vec<Line> {
        requests.iter().filter_map(|request| line(request, sessions.get(&session_of(request)?)?, staff, &choices, &shell)).collect()
    };
    let (own, pending, settled) = (lines(own), lines(pending), lines(settled));
    let consequences = match preview {
        Some(preview) => Some(Consequences::of(app, preview, &shell).await?),
        None => None,
    };
    let page = Page { w: shell.w, p: planning::words(shell.language), own, pending, settled, teaches, form, consequences, shell };
    page.shell.answer(&page)
}

fn session_of(request: &RequestView) -> Option<Uuid> {
    request.session["id"].as_str()?.parse().ok()
}

/// `None`: it is another studio's.
fn line(request: &RequestView, session: &Session, staff: &Staff, choices: &Choices, shell: &Shell) -> Option<Line> {
    if session.studio_id != shell.studio.id {
        return None;
    }
    let (p, me) = (planning::words(shell.language), staff.caller.person_id);
    let asked = choices.instructor(request.asked_by).map(|name| format!("{} {name}", p.asked_by));
    let claimed = request.claimed_by.and_then(|id| choices.instructor(id)).map(|name| format!("{} {name}", p.claimed_by));
    let is_pending = matches!(request.state, RequestState::Open | RequestState::Claimed);
    Some(Line {
        id: request.id,
        session_id: session.id,
        title: title(session, shell),
        state: planning::request_state(request.state, shell.language),
        about: asked.into_iter().chain(claimed).collect::<Vec<_>>().join(" · "),
        note: request.note.clone(),
        may_claim: request.state == RequestState::Open && staff.caller.roles.is_instructor(session.studio_id) && request.asked_by != me,
        may_unclaim: request.state == RequestState::Claimed && request.claimed_by == Some(me),
        may_approve: request.state == RequestState::Claimed && shell.is_admin,
        may_withdraw: is_pending && (request.asked_by == me || shell.is_admin),
        may_name: is_pending && shell.is_admin,
    })
}

/// Asks for all of the caller's own classes on some days, or shows first who would be asked.
pub async fn ask_days(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, Form(form): Form<DaysForm>) -> Answer<Response> {
    require_scheduler(&app, &staff.caller, studio_id).await?;
    match asked_days(&app, &staff, studio_id, &form).await {
        Ok(None) => Ok(done(&format!("/console/{studio_id}/substitutes"), "substitute_asked")),
        Ok(preview) => page(&app, &staff, studio_id, form, preview, Said::default()).await,
        Err(problem) => page(&app, &staff, studio_id, form, None, Said::refused(problem, staff.language)?).await,
    }
}

async fn asked_days(app: &App, staff: &Staff, studio_id: Uuid, form: &DaysForm) -> Answer<Option<Preview>> {
    let last = form.to.as_deref().or(form.from.as_deref()).unwrap_or_default();
    // The API names the first day that is not meant.
    let to = last.parse::<chrono::NaiveDate>().ok().and_then(|last| last.succ_opt()).map_or_else(|| last.to_owned(), |to| to.to_string());
    let said = json!({"from": form.from.as_deref().unwrap_or_default(), "to": to, "note": form.note});
    ask(app, staff, studio_id, said, form.meant).await
}

/// What asking would come to; `None`: those who could stand in are asked.
async fn ask(app: &App, staff: &Staff, studio_id: Uuid, said: serde_json::Value, meant: bool) -> Answer<Option<Preview>> {
    let crate::extract::Body(said) = body::<AskBody>(said)?;
    let what = said.into_command(studio_id)?;
    if !meant {
        return app.transactor.preview(staff.caller.actor(), what).await.map(Some);
    }
    app.transactor.submit(staff.caller.actor(), what).await.map(|_| None)
}

/// What is done about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    Claim,
    Unclaim,
    Approve,
    Decline,
    Withdraw,
}

/// Which of them.
#[derive(Deserialize)]
pub struct ActForm {
    act: Act,
}

/// Takes a class, gives it back, decides upon a claim, or takes the request back: each for those who may, as the API says.
pub async fn act(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, id)): Path<(Uuid, Uuid)>,
    Form(ActForm { act }): Form<ActForm>,
) -> Answer<Response> {
    require_staff(&app, &staff.caller, studio_id).await?;
    let known: Option<SubstituteRequest> = store::one(&app.db, id).await?.filter(|request| request.studio_id == studio_id);
    known.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    let (state, caller, id) = (State(app.clone()), staff.caller.clone(), Path(id));
    let how = Query(DryRun { dry_run: false });
    let decide = |approved: bool| body(json!({"approved": approved}));
    let (came, word) = match act {
        Act::Claim => (api::claim(state, caller, id).await.map(drop), "substitute_claimed"),
        Act::Unclaim => (api::unclaim(state, caller, id).await.map(drop), "substitute_unclaimed"),
        Act::Approve => (api::approve(state, caller, id, how, decide(true)?).await.map(drop), "substitute_approved"),
        Act::Decline => (api::approve(state, caller, id, how, decide(false)?).await.map(drop), "substitute_declined"),
        Act::Withdraw => (api::withdraw(state, caller, id, how).await.map(drop), "substitute_withdrawn"),
    };
    match came {
        Ok(()) => Ok(done(&format!("/console/{studio_id}/substitutes"), word)),
        Err(problem) => page(&app, &staff, studio_id, DaysForm::default(), None, Said::refused(problem, staff.language)?).await,
    }
}

#[derive(Template)]
#[template(path = "console/pages/substitute.html")]
struct AskPage {
    shell: Shell,
    w: &'static Words,
    p: &'static Planning,
    id: Uuid,
    class: String,
    when: String,
    note: String,
    /// Who would be asked; none: nobody can be.
    consequences: Option<Consequences>,
}

/// A word to those who are asked.
#[derive(Deserialize)]
pub struct AskForm {
    note: Option<String>,
}

/// Who would be asked to teach a session instead: for its instructor and admins.
pub async fn ask_one(State(app): State<App>, staff: Staff, Path(at): Path<(Uuid, Uuid)>) -> Answer<Response> {
    ask_page(&app, &staff, at, String::new(), Said::default()).await
}

async fn ask_page(app: &App, staff: &Staff, (studio_id, id): (Uuid, Uuid), note: String, said: Said) -> Answer<Response> {
    let session = find(app, studio_id, id).await?;
    require_staff_of(&staff.caller, &session)?;
    if !runs(&staff.caller, &session) {
        return Err(Problem::new(ProblemType::NotAllowed));
    }
    let (said, preview) = match ask(app, staff, studio_id, json!({"session_id": id}), false).await {
        Ok(preview) => (said, preview),
        Err(problem) if said.refused.is_none() => (Said::refused(problem, staff.language)?, None),
        Err(_) => (said, None),
    };
    let shell = Shell::of(app, staff, studio_id, Part::Schedule, said).await?;
    let consequences = match preview {
        Some(preview) => Some(Consequences::of(app, preview, &shell).await?),
        None => None,
    };
    let page = AskPage {
        w: shell.w,
        p: planning::words(shell.language),
        id,
        class: session.names.class_name.read(shell.language).to_owned(),
        when: phrases::span(session.starts_at, session.ends_at, shell.zone(), shell.language),
        note,
        consequences,
        shell,
    };
    page.shell.answer(&page)
}

/// Asks them.
pub async fn submit_one(State(app): State<App>, staff: Staff, Path(at): Path<(Uuid, Uuid)>, Form(form): Form<AskForm>) -> Answer<Response> {
    let session = find(&app, at.0, at.1).await?;
    require_staff_of(&staff.caller, &session)?;
    let note = form.note.unwrap_or_default();
    let said = json!({"session_id": at.1, "note": Some(note.clone()).filter(|note| !note.is_empty())});
    let seen = ask(&app, &staff, at.0, said.clone(), false).await.ok().flatten();
    let word = if seen.is_some_and(|seen| seen.told.is_empty()) { "substitute_asked_nobody" } else { "substitute_asked" };
    match ask(&app, &staff, at.0, said, true).await {
        Ok(_) => Ok(done(&format!("/console/{}/substitutes", at.0), word)),
        Err(problem) => ask_page(&app, &staff, at, note, Said::refused(problem, staff.language)?).await,
    }
}
