//! Somebody stands at the door without a booking: they are found or entered, booked and checked in at once. A command that was refused has
//! booked nothing, and the page says why.

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::form::{Form, body};
use super::frame::{Part, Said, Shell, done};
use super::session::find;
use super::staff::Staff;
use super::words::Words;
use crate::app::App;
use crate::attendance::api::marks;
use crate::extract::Path;
use crate::ids::new_id;
use crate::letters::phrases;
use crate::people::members::{self, Member};
use crate::problem::{Answer, Problem, ProblemType};
use crate::studios::guard::require_front_desk;

/// Members that the page shows: who is not among them is looked for by more of their name.
const FOUND_MAX: i64 = 20;

#[derive(Template)]
#[template(path = "console/pages/walk_in.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    session_id: Uuid,
    class: String,
    when: String,
    /// Who was looked for; empty: nobody yet.
    q: String,
    members: Vec<Member>,
    /// What makes a form that is sent twice one booking.
    key: Uuid,
    form: WalkInForm,
    /// Whether it must be said whose the address is.
    is_shared: bool,
}

impl Page {
    /// What somebody new is called: what was written, or the name that was looked for and not found.
    fn new_name(&self) -> &str {
        let is_name = self.members.is_empty() && !self.q.contains(|c: char| c == '@' || c.is_ascii_digit());
        self.form.name.as_deref().unwrap_or(if is_name { &self.q } else { "" })
    }
}

/// Whom to look for; or who walks in: a member, or somebody new.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct WalkInForm {
    q: Option<String>,
    key: Option<Uuid>,
    person: Option<Uuid>,
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    link: Option<bool>,
    #[serde(default)]
    unpaid: bool,
    reason: Option<String>,
}

impl WalkInForm {
    /// A field as the page shows it.
    fn text<'f>(&self, field: &'f Option<String>) -> &'f str {
        field.as_deref().unwrap_or_default()
    }
}

/// The page, before anybody is looked for: for the front desk.
pub async fn ask(State(app): State<App>, staff: Staff, Path((studio_id, id)): Path<(Uuid, Uuid)>) -> Answer<Response> {
    require_front_desk(&app, &staff.caller, studio_id).await?;
    page(&app, &staff, studio_id, id, WalkInForm::default(), Said::default(), false).await
}

/// Looks for somebody, or lets them in.
pub async fn submit(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, id)): Path<(Uuid, Uuid)>,
    Form(form): Form<WalkInForm>,
) -> Answer<Response> {
    require_front_desk(&app, &staff.caller, studio_id).await?;
    find(&app, studio_id, id).await?;
    if form.person.is_none() && form.name.is_none() {
        return page(&app, &staff, studio_id, id, form, Said::default(), false).await;
    }
    match let_in(&app, &staff, studio_id, id, &form).await {
        Ok(()) => Ok(done(&format!("/console/{studio_id}/sessions/{id}"), "walked_in")),
        Err((person, problem)) => {
            let is_shared = problem.kind == ProblemType::AddressInUse;
            // Who was entered is a member, whatever became of the booking: they are not entered once more.
            let form = WalkInForm { name: form.name.clone().filter(|_| person.is_none()), person, ..form };
            page(&app, &staff, studio_id, id, form, Said::refused(problem, staff.language)?, is_shared).await
        }
    }
}

/// Books and checks in, or says why not, and of whom.
async fn let_in(app: &App, staff: &Staff, studio_id: Uuid, id: Uuid, form: &WalkInForm) -> Result<(), (Option<Uuid>, Problem)> {
    let person_id = match form.person {
        Some(person) => person,
        None => enter(app, staff, studio_id, form).await.map_err(|problem| (None, problem))?,
    };
    let of_them = |problem| (Some(person_id), problem);
    let key = form.key.unwrap_or_else(|| new_id(app.clock.now()));
    let reason = form.reason.as_ref().filter(|_| form.unpaid);
    let said = body(json!({"person_id": person_id, "unpaid": form.unpaid, "reason": reason})).map_err(of_them)?;
    let done = marks::walk_in(State(app.clone()), staff.caller.clone(), Path((id, key)), said).await;
    done.map(drop).map_err(of_them)
}

async fn enter(app: &App, staff: &Staff, studio_id: Uuid, form: &WalkInForm) -> Answer<Uuid> {
    let said = body(json!({"name": form.name, "email": form.email, "phone": form.phone, "link": form.link}))?;
    let (_, Json(member)) = members::enter(State(app.clone()), staff.caller.clone(), Path(studio_id), said).await?;
    Ok(member.person_id)
}

async fn page(app: &App, staff: &Staff, studio_id: Uuid, id: Uuid, form: WalkInForm, said: Said, is_shared: bool) -> Answer<Response> {
    let session = find(app, studio_id, id).await?;
    let (said, members) = match found(app, staff, studio_id, &form).await {
        Ok(members) => (said, members),
        Err(problem) => (Said::refused(problem, staff.language)?, Vec::new()),
    };
    let shell = Shell::of(app, staff, studio_id, Part::Today, said).await?;
    let page = Page {
        w: shell.w,
        session_id: id,
        class: session.names.class_name.read(shell.language).to_owned(),
        when: phrases::span(session.starts_at, session.ends_at, shell.zone(), shell.language),
        q: form.q.clone().unwrap_or_default(),
        members,
        key: new_id(app.clock.now()),
        form,
        is_shared,
        shell,
    };
    page.shell.answer(&page)
}

/// Those who are looked for; once somebody was chosen, they alone.
async fn found(app: &App, staff: &Staff, studio_id: Uuid, form: &WalkInForm) -> Answer<Vec<Member>> {
    if let Some(person) = form.person {
        let mut tx = app.db.read().await?;
        let member = crate::people::store::member(&mut tx, studio_id, person).await?;
        tx.rollback().await;
        return Ok(member.map(Member::from).into_iter().collect());
    }
    let Some(q) = &form.q else { return Ok(Vec::new()) };
    let asked = body(json!({"q": q, "limit": FOUND_MAX}))?;
    let Json(found) = members::search(State(app.clone()), staff.caller.clone(), Path(studio_id), asked).await?;
    Ok(found.members)
}
