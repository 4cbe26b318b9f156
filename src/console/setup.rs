//! What a studio is made of: rooms, kinds of classes, passes, people who work there. A fresh studio is led through it.

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::form::{Form, body};
use super::frame::{Part, Said, SaidParams, Shell, done};
use super::staff::Staff;
use super::words::{self, Words};
use crate::app::App;
use crate::extract::{PAGE_MAX, Path, Query};
use crate::language::Texts;
use crate::letters::facts::Money;
use crate::letters::phrases;
use crate::passes;
use crate::people::roles::Role;
use crate::people::{self, invitations};
use crate::problem::{Answer, Problem};
use crate::schedule;
use crate::studios::guard::require_admin;
use crate::studios::{self, Room};
use crate::wrong::Wrong;

/// How far a studio is on its way to its first class.
pub struct Steps {
    rooms: bool,
    class_types: bool,
    instructors: bool,
    sessions: bool,
    pass_types: bool,
}

/// One step.
pub struct Step {
    pub done: bool,
    pub page: &'static str,
    pub name: &'static str,
}

impl Steps {
    /// Whether nothing is left to do.
    pub const fn are_done(&self) -> bool {
        self.rooms && self.class_types && self.instructors && self.sessions && self.pass_types
    }

    /// In the order in which they are gone.
    pub const fn all(&self, w: &Words) -> [Step; 5] {
        [
            Step { done: self.rooms, page: "setup#rooms", name: w.step_rooms },
            Step { done: self.class_types, page: "setup#class-types", name: w.step_class_types },
            Step { done: self.instructors, page: "setup#staff", name: w.step_staff },
            Step { done: self.sessions, page: "sessions/new", name: w.step_sessions },
            Step { done: self.pass_types, page: "setup#pass-types", name: w.step_pass_types },
        ]
    }
}

/// Reads how far it is.
pub async fn steps(app: &App, studio_id: Uuid) -> Answer<Option<Steps>> {
    let rooms = !studios::store::rooms(&app.db, studio_id, None, 1).await?.is_empty();
    let class_types = !schedule::store::class_types(&app.db, studio_id, None, 1).await?.is_empty();
    let instructors = !studios::store::instructors(&app.db, studio_id, None, 1).await?.is_empty();
    let pass_types = !passes::store::types(&app.db, studio_id, None, 1).await?.is_empty();
    let mut tx = app.db.read().await?;
    let sessions = schedule::store::any_to_come(&mut tx, studio_id, app.clock.now()).await?;
    tx.rollback().await;
    Ok(Some(Steps { rooms, class_types, instructors, sessions, pass_types }))
}

#[derive(Template)]
#[template(path = "console/pages/setup.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    steps: Option<Steps>,
    rooms: Vec<Room>,
    classes: Vec<ClassLine>,
    passes: Vec<PassTypeLine>,
    people: Vec<(String, String)>,
    invited: Vec<(String, String)>,
    currency: String,
    /// Whether admins are theirs to invite.
    is_owner: bool,
}

struct ClassLine {
    name: String,
    level: String,
    minutes: i64,
    credits: i64,
}

struct PassTypeLine {
    name: String,
    what: String,
    price: Option<String>,
}

/// The page: for the studio's admins.
pub async fn show(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(SaidParams { said }): Query<SaidParams>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    page(&app, &staff, studio_id, Said::done(said)).await
}

async fn page(app: &App, staff: &Staff, studio_id: Uuid, said: Said) -> Answer<Response> {
    let shell = Shell::of(app, staff, studio_id, Part::Setup, said).await?;
    let (w, language) = (shell.w, shell.language);
    let classes = schedule::store::class_types(&app.db, studio_id, None, PAGE_MAX).await?;
    let sold = passes::store::types(&app.db, studio_id, None, PAGE_MAX).await?;
    let currency = sold.iter().find_map(|of| of.currency.clone()).unwrap_or_default();
    let mut tx = app.db.read().await?;
    let working = people::store::staff(&mut tx, studio_id).await?;
    tx.rollback().await;
    let mut people: Vec<(Uuid, String, Vec<&'static str>)> = Vec::new();
    for row in working {
        match people.iter_mut().find(|(id, ..)| *id == row.person_id) {
            Some((_, _, roles)) => roles.push(words::role(row.role, w)),
            None => people.push((row.person_id, row.name, vec![words::role(row.role, w)])),
        }
    }
    let Json(open) = invitations::list(State(app.clone()), staff.caller.clone(), Path(studio_id)).await?;
    let roles = |roles: &[Role]| roles.iter().map(|role| words::role(*role, w)).collect::<Vec<_>>().join(", ");
    let page = Page {
        w,
        steps: steps(app, studio_id).await?.filter(|steps| !steps.are_done()),
        rooms: studios::store::rooms(&app.db, studio_id, None, PAGE_MAX).await?,
        classes: classes
            .iter()
            .map(|class| ClassLine {
                name: class.name.read(language).to_owned(),
                level: class.level.clone(),
                minutes: class.minutes,
                credits: class.credits,
            })
            .collect(),
        passes: sold.iter().map(|of| pass_type_line(of, &shell)).collect(),
        people: people.into_iter().map(|(_, name, roles)| (name, roles.join(", "))).collect(),
        invited: open.invitations.iter().map(|one| (one.email.clone(), roles(&one.roles))).collect(),
        currency,
        is_owner: staff.caller.roles.is_owner,
        shell,
    };
    page.shell.answer(&page)
}

fn pass_type_line(of: &passes::PassType, shell: &Shell) -> PassTypeLine {
    let w = shell.w;
    let mut what = match (of.credits, of.per_week) {
        (Some(credits), _) => phrases::credits(credits, shell.language),
        (None, Some(visits)) => format!("{visits} {}", w.visits_a_week),
        (None, None) => w.unlimited.to_owned(),
    };
    what += &of.valid_days.map(|days| format!(" · {days} {}", w.days_valid)).unwrap_or_default();
    what += &of.valid_months.map(|months| format!(" · {months} {}", w.months_valid)).unwrap_or_default();
    let price = of.price_minor.zip(of.currency.clone());
    let price = price.map(|(amount_minor, currency)| phrases::money(&Money { amount_minor, currency }));
    PassTypeLine { name: of.name.read(shell.language).to_owned(), what, price }
}

async fn came_of(app: &App, staff: &Staff, studio_id: Uuid, what: Answer<()>, word: &str) -> Answer<Response> {
    match what {
        Ok(()) => Ok(done(&format!("/console/{studio_id}/setup"), word)),
        Err(problem) => page(app, staff, studio_id, Said::refused(problem, staff.language)?).await,
    }
}

/// A name in each language of the studio's readers; English is what is read where one is missing.
pub fn names(en: Option<String>, zh_hans: Option<String>, zh_hant: Option<String>) -> Value {
    let en = en.or_else(|| zh_hans.clone()).or_else(|| zh_hant.clone()).unwrap_or_default();
    json!(Texts { en, zh_hans, zh_hant })
}

/// A room.
#[derive(Deserialize)]
pub struct RoomForm {
    name: Option<String>,
    capacity: Option<i64>,
}

/// Adds a room.
pub async fn add_room(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, Form(form): Form<RoomForm>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let added = match body(json!({"name": form.name.unwrap_or_default(), "capacity": form.capacity})) {
        Ok(said) => studios::api::add_room(State(app.clone()), staff.caller.clone(), Path(studio_id), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    came_of(&app, &staff, studio_id, added, "added").await
}

/// A kind of class.
#[derive(Deserialize)]
pub struct ClassForm {
    name: Option<String>,
    zh_hans: Option<String>,
    zh_hant: Option<String>,
    level: Option<String>,
    minutes: Option<i64>,
    credits: Option<i64>,
}

/// Adds a kind of class.
pub async fn add_class_type(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Form(form): Form<ClassForm>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let said = json!({
        "name": names(form.name, form.zh_hans, form.zh_hant), "level": form.level.unwrap_or_default(),
        "minutes": form.minutes, "credits": form.credits
    });
    let added = match body(said) {
        Ok(said) => schedule::api::add_class_type(State(app.clone()), staff.caller.clone(), Path(studio_id), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    came_of(&app, &staff, studio_id, added, "added").await
}

/// What is sold.
#[derive(Deserialize)]
pub struct PassTypeForm {
    name: Option<String>,
    zh_hans: Option<String>,
    zh_hant: Option<String>,
    /// `pack` or `membership`.
    kind: Option<String>,
    /// Credits of a pack, visits a week of a membership.
    number: Option<i64>,
    valid_days: Option<i64>,
    price: Option<String>,
    currency: Option<String>,
}

/// Adds a pass to what is sold.
pub async fn add_pass_type(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Form(form): Form<PassTypeForm>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let added = match pass_type(form).and_then(body) {
        Ok(said) => passes::api::add_type(State(app.clone()), staff.caller.clone(), Path(studio_id), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    came_of(&app, &staff, studio_id, added, "added").await
}

fn pass_type(form: PassTypeForm) -> Answer<Value> {
    let kind = form.kind.unwrap_or_default();
    let (credits, per_week) = if kind == "membership" { (None, form.number) } else { (form.number, None) };
    let price = price(form.price.as_deref(), form.currency.as_deref())?;
    Ok(json!({
        "name": names(form.name, form.zh_hans, form.zh_hant), "kind": kind, "credits": credits, "per_week": per_week,
        "valid_days": form.valid_days, "price": price
    }))
}

/// A price as it was typed, as an app would send it; nothing was typed: none.
pub fn price(price: Option<&str>, currency: Option<&str>) -> Answer<Value> {
    let Some(price) = price else { return Ok(Value::Null) };
    let currency = currency.ok_or_else(|| Problem::field("currency", Wrong::Missing))?.trim().to_ascii_uppercase();
    let amount = words::amount_minor(price, &currency).ok_or_else(|| Problem::field("price", Wrong::NotRight))?;
    Ok(json!({"amount_minor": amount, "currency": currency}))
}

/// Whom to invite, as what.
#[derive(Deserialize)]
pub struct InvitationForm {
    email: Option<String>,
    role: Role,
}

/// Invites somebody to work here.
pub async fn invite(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Form(form): Form<InvitationForm>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let invited = match body(json!({"email": form.email.unwrap_or_default(), "roles": [form.role]})) {
        Ok(said) => invitations::post(State(app.clone()), staff.caller.clone(), Path(studio_id), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    came_of(&app, &staff, studio_id, invited, "invited").await
}
