//! What a studio is made of: rooms, kinds of classes, passes, people who work there. A fresh studio is led through it.

use std::collections::BTreeSet;

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use uuid::Uuid;

use super::form::{Fields, Form, body};
use super::frame::{Part, Said, SaidParams, Shell, done};
use super::staff::Staff;
use super::words::{self, Words};
use super::{class_type, room};
use crate::app::App;
use crate::extract::{PAGE_MAX, Path, Query};
use crate::letters::facts::Money;
use crate::letters::phrases;
use crate::passes;
use crate::people::roles::Role;
use crate::people::{self, invitations, staff as team};
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
    members: bool,
}

/// One step.
pub struct Step {
    /// Whether it is done; of some nobody knows.
    pub done: bool,
    pub page: &'static str,
    pub name: &'static str,
}

impl Steps {
    /// Whether nothing is left to do.
    pub const fn are_done(&self) -> bool {
        self.rooms && self.class_types && self.instructors && self.sessions && self.pass_types && self.members
    }

    /// In the order in which they are gone.
    pub const fn all(&self, w: &Words) -> [Step; 7] {
        [
            Step { done: self.rooms, page: "setup#rooms", name: w.step_rooms },
            Step { done: self.class_types, page: "setup#class-types", name: w.step_class_types },
            Step { done: self.instructors, page: "setup#staff", name: w.step_staff },
            Step { done: self.sessions, page: "sessions/new", name: w.step_sessions },
            Step { done: self.pass_types, page: "setup#pass-types", name: w.step_pass_types },
            Step { done: false, page: "settings#share", name: w.step_share },
            Step { done: self.members, page: "members/new", name: w.step_members },
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
    let members = people::store::any_member(&mut tx, studio_id).await?;
    tx.rollback().await;
    Ok(Some(Steps { rooms, class_types, instructors, sessions, pass_types, members }))
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
    levels: [(&'static str, &'static str); 4],
    /// Whether admins are theirs to invite.
    is_owner: bool,
    /// Whether whoever is signed in teaches here.
    teaches: bool,
    typed: Option<Typed>,
    /// What is wrong with that.
    wrong: Option<String>,
}

impl Page {
    /// What a field of a form holds: what was typed, or else what is usual.
    fn value<'p>(&'p self, part: &str, name: &str, usual: &'p str) -> &'p str {
        self.typed.as_ref().filter(|typed| typed.part == part).map_or(usual, |typed| typed.fields.text(name))
    }

    /// What is wrong with what was typed there.
    fn wrong(&self, part: &str) -> Option<&str> {
        self.wrong.as_deref().filter(|_| self.typed.as_ref().is_some_and(|typed| typed.part == part))
    }
}

struct ClassLine {
    id: Uuid,
    name: String,
    level: String,
    what: String,
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
    page(&app, &staff, studio_id, None, Said::done(said)).await
}

async fn page(app: &App, staff: &Staff, studio_id: Uuid, typed: Option<Typed>, said: Said) -> Answer<Response> {
    let mut shell = Shell::of(app, staff, studio_id, Part::Setup, said).await?;
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
                id: class.id,
                name: class.name.read(language).to_owned(),
                level: words::level(&class.level, language).to_owned(),
                what: format!("{} · {}", words::minutes(class.minutes, language), phrases::credits(class.credits, language)),
            })
            .collect(),
        passes: sold.iter().map(|of| pass_type_line(of, &shell)).collect(),
        people: people.into_iter().map(|(_, name, roles)| (name, roles.join(", "))).collect(),
        invited: open.invitations.iter().map(|one| (one.email.clone(), roles(&one.roles))).collect(),
        currency,
        levels: words::levels(language),
        is_owner: staff.caller.roles.is_owner,
        teaches: staff.caller.roles.of_studio(studio_id).any(|role| role == Role::Instructor),
        // Said beside the form, not above the page.
        wrong: if typed.is_some() { shell.refused.take() } else { None },
        typed,
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

/// Which form was sent, by the name of its part of the page, and what was typed into it.
struct Typed {
    part: &'static str,
    fields: Fields,
}

const ROOMS: &str = "rooms";
const CLASS_TYPES: &str = "class-types";
const PASS_TYPES: &str = "pass-types";
const STAFF: &str = "staff";

async fn came_of(app: &App, staff: &Staff, studio_id: Uuid, what: Answer<()>, typed: Typed, word: &str) -> Answer<Response> {
    match what {
        Ok(()) => Ok(done(&format!("/console/{studio_id}/setup"), word)),
        // What was typed stays, and what is wrong with it is said beside it.
        Err(problem) => page(app, staff, studio_id, Some(typed), Said::refused(problem, staff.language)?).await,
    }
}

/// Adds a room.
pub async fn add_room(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, Form(fields): Form<Fields>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let added = match body(room::said(&fields)) {
        Ok(said) => studios::api::add_room(State(app.clone()), staff.caller.clone(), Path(studio_id), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    came_of(&app, &staff, studio_id, added, Typed { part: ROOMS, fields }, "added").await
}

/// Adds a kind of class.
pub async fn add_class_type(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Form(fields): Form<Fields>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let added = match body(class_type::said(&fields)) {
        Ok(said) => schedule::api::add_class_type(State(app.clone()), staff.caller.clone(), Path(studio_id), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    came_of(&app, &staff, studio_id, added, Typed { part: CLASS_TYPES, fields }, "added").await
}

/// Adds a pass to what is sold.
pub async fn add_pass_type(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Form(fields): Form<Fields>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let added = match pass_type(&fields).and_then(body) {
        Ok(said) => passes::api::add_type(State(app.clone()), staff.caller.clone(), Path(studio_id), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    came_of(&app, &staff, studio_id, added, Typed { part: PASS_TYPES, fields }, "added").await
}

/// `number` is the credits of a pack, the visits a week of a membership.
fn pass_type(fields: &Fields) -> Answer<Value> {
    let kind = fields.text("kind");
    let mut said = json!({
        "name": fields.names(), "kind": kind, "valid_days": fields.number("valid_days"),
        "price": price(fields.0.get("price").map(String::as_str), fields.0.get("currency").map(String::as_str))?
    });
    said[if kind == "membership" { "per_week" } else { "credits" }] = fields.number("number");
    Ok(said)
}

/// A price as it was typed, as an app would send it; nothing was typed: none.
pub fn price(price: Option<&str>, currency: Option<&str>) -> Answer<Value> {
    let Some(price) = price else { return Ok(Value::Null) };
    let currency = currency.ok_or_else(|| Problem::field("currency", Wrong::Missing))?.trim().to_ascii_uppercase();
    let amount = words::amount_minor(price, &currency).ok_or_else(|| Problem::field("price", Wrong::NotRight))?;
    Ok(json!({"amount_minor": amount, "currency": currency}))
}

/// Invites somebody to work here.
pub async fn invite(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, Form(fields): Form<Fields>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let invited = match body(json!({"email": fields.text("email"), "roles": [fields.text("role")]})) {
        Ok(said) => invitations::post(State(app.clone()), staff.caller.clone(), Path(studio_id), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    came_of(&app, &staff, studio_id, invited, Typed { part: STAFF, fields }, "invited").await
}

/// Whoever runs the studio teaches in it, too: they join, and hold the role beside those that they have.
pub async fn teach(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let person_id = staff.caller.person_id;
    let taught = match people::members::join(State(app.clone()), staff.caller.clone(), Path(studio_id)).await {
        Ok(_) => {
            let mut roles: BTreeSet<Role> = staff.caller.roles.of_studio(studio_id).collect();
            roles.insert(Role::Instructor);
            let said = body(json!({"roles": roles}))?;
            team::put(State(app.clone()), staff.caller.clone(), Path((studio_id, person_id)), said).await.map(drop)
        }
        Err(problem) => Err(problem),
    };
    came_of(&app, &staff, studio_id, taught, Typed { part: STAFF, fields: Fields::default() }, "teaches_now").await
}
