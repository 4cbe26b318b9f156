//! One pass of a member: what is left of it and what came of it, line by line; and what staff do about it after the sale.

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::form::{Form, body};
use super::frame::{Part, Said, Shell, done};
use super::member::{PassLine, pass_line, seen};
use super::staff::Staff;
use super::words::desk::{self, Words as Desk};
use super::words::{self, Words};
use crate::app::App;
use crate::extract::{Cursor, IdempotencyKey, Limit, PAGE_MAX, Path, Query, page as cut, storable};
use crate::ids::new_id;
use crate::letters::facts::Money;
use crate::letters::phrases;
use crate::passes::api::{Price, changing, refunds};
use crate::passes::{LedgerEntry, Pass, store};
use crate::people;
use crate::problem::{Answer, Problem, ProblemType};
use crate::studios::guard::{require_admin, require_front_desk};
use crate::wrong::Wrong;

#[derive(Template)]
#[template(path = "console/pages/pass.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    d: &'static Desk,
    id: Uuid,
    person_id: Uuid,
    name: String,
    pass: PassLine,
    frozen: Option<String>,
    lines: Vec<Line>,
    next: Option<String>,
    /// Whether it can still be changed.
    is_open: bool,
    /// Whether it counts credits.
    is_pack: bool,
    /// Whether it can go to somebody else.
    is_transferable: bool,
    refund: Option<Refund>,
    form: PassForm,
    /// What makes a form that is sent twice one gift, one refund.
    key: Uuid,
}

/// A line of its ledger.
struct Line {
    at: String,
    text: String,
    note: Option<String>,
}

/// What it is worth if it is given back today.
struct Refund {
    paid: String,
    unit_price: String,
    used: i64,
    sold: i64,
    amount: String,
}

/// What is done about it; each form sends its own fields.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PassForm {
    key: Option<Uuid>,
    credits: Option<String>,
    reason: Option<String>,
    expires_on: Option<String>,
    from: Option<String>,
    until: Option<String>,
    #[serde(default)]
    cancel_bookings: bool,
    amount: Option<String>,
    method: Option<String>,
}

impl PassForm {
    /// A field as the page shows it.
    fn text<'f>(&self, field: &'f Option<String>) -> &'f str {
        field.as_deref().unwrap_or_default()
    }

    fn key(&self, app: &App) -> IdempotencyKey {
        IdempotencyKey(self.key.unwrap_or_else(|| new_id(app.clock.now())).to_string())
    }
}

/// Which part of the ledger, and what was done.
#[derive(Deserialize)]
pub struct PassParams {
    after: Option<Cursor<(DateTime<Utc>, Uuid)>>,
    said: Option<String>,
}

/// The pass, if this studio takes it.
async fn find(app: &App, studio_id: Uuid, id: Uuid) -> Answer<Pass> {
    let pass = store::pass(&app.db, id).await?.filter(|pass| pass.is_taken_at(|of| of == studio_id));
    pass.ok_or_else(|| Problem::new(ProblemType::NotFound))
}

/// The page: for the front desk.
pub async fn show(
    State(app): State<App>,
    staff: Staff,
    Path(at): Path<(Uuid, Uuid)>,
    Query(PassParams { after, said }): Query<PassParams>,
) -> Answer<Response> {
    require_front_desk(&app, &staff.caller, at.0).await?;
    page(&app, &staff, at, after, PassForm::default(), Said::done(said)).await
}

async fn page(
    app: &App,
    staff: &Staff,
    (studio_id, id): (Uuid, Uuid),
    after: Option<Cursor<(DateTime<Utc>, Uuid)>>,
    form: PassForm,
    said: Said,
) -> Answer<Response> {
    let pass = find(app, studio_id, id).await?;
    let name = people::store::name_in(&app.db, studio_id, pass.person_id).await?;
    let name = name.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    seen(app, staff, studio_id, pass.person_id).await?;
    let shell = Shell::of(app, staff, studio_id, Part::Members, said).await?;
    let after = after.map(|Cursor((at, id))| (storable(at), id));
    let found = store::ledger(&app.db, id, after, PAGE_MAX + 1).await?;
    let (found, next) = cut(found, Limit(PAGE_MAX), |entry| (entry.at, entry.id));
    // Only those who run the studio that sold it give credits, prolong it and take it back.
    let sold_here = pass.studio_id == studio_id;
    let refund = match shell.is_admin && sold_here && pass.ended_at.is_none() {
        true => Some(refund_of(app, staff, id).await?),
        false => None,
    };
    let page = Page {
        w: shell.w,
        d: desk::words(shell.language),
        id,
        person_id: pass.person_id,
        name,
        frozen: pass.frozen().map(|(from, until)| format!("{} – {}", shell.date(from), shell.date(until))),
        lines: found.into_iter().map(|entry| line(entry, &shell)).collect(),
        next,
        is_open: pass.ended_at.is_none(),
        is_pack: pass.credits_left.is_some(),
        is_transferable: sold_here && pass.transferable,
        refund,
        pass: pass_line(pass, &shell),
        form,
        key: new_id(app.clock.now()),
        shell,
    };
    page.shell.answer(&page)
}

fn money(price: Option<&Price>) -> String {
    let text = |price: &Price| phrases::money(&Money { amount_minor: price.amount_minor, currency: price.currency.clone() });
    price.map_or_else(|| "–".to_owned(), text)
}

async fn refund_of(app: &App, staff: &Staff, id: Uuid) -> Answer<Refund> {
    let Json(view) = refunds::show(State(app.clone()), staff.caller.clone(), Path(id)).await?;
    Ok(Refund {
        paid: money(view.paid.as_ref()),
        unit_price: money(view.unit_price.as_ref()),
        used: view.units_used,
        sold: view.units_sold,
        amount: money(view.amount.as_ref()),
    })
}

fn line(entry: LedgerEntry, shell: &Shell) -> Line {
    let mut parts = vec![desk::ledger_reason(entry.reason, shell.language).to_owned()];
    if entry.credits != 0 {
        parts.push(format!("{:+}", entry.credits));
    }
    if let (Some(amount_minor), Some(currency)) = (entry.amount_minor, entry.currency) {
        parts.push(phrases::money(&Money { amount_minor, currency }));
    }
    parts.extend(entry.method);
    parts.extend(entry.reference);
    Line { at: shell.day_and_time(entry.at), text: parts.join(" · "), note: entry.note }
}

async fn came_of(app: &App, staff: &Staff, at: (Uuid, Uuid), form: PassForm, what: Answer<()>, word: &str) -> Answer<Response> {
    match what {
        Ok(()) => Ok(done(&format!("/console/{}/passes/{}", at.0, at.1), word)),
        Err(problem) => page(app, staff, at, None, form, Said::refused(problem, staff.language)?).await,
    }
}

/// A number as it was typed: what is none is said by the API's words.
fn number(text: Option<&str>) -> Value {
    text.map(str::trim).map_or(Value::Null, |text| text.parse::<i64>().map_or_else(|_| json!(text), Value::from))
}

/// Gives credits: for the admins of the studio that sold it.
pub async fn give(State(app): State<App>, staff: Staff, Path(at): Path<(Uuid, Uuid)>, Form(form): Form<PassForm>) -> Answer<Response> {
    require_admin(&app, &staff.caller, at.0).await?;
    find(&app, at.0, at.1).await?;
    let given = match body(json!({"credits": number(form.credits.as_deref()), "reason": form.reason.as_deref().unwrap_or_default()})) {
        Ok(said) => changing::give(State(app.clone()), staff.caller.clone(), Path(at.1), form.key(&app), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    came_of(&app, &staff, at, form, given, "pass_changed").await
}

/// Gives it a later last day: for the admins of the studio that sold it.
pub async fn extend(State(app): State<App>, staff: Staff, Path(at): Path<(Uuid, Uuid)>, Form(form): Form<PassForm>) -> Answer<Response> {
    require_admin(&app, &staff.caller, at.0).await?;
    find(&app, at.0, at.1).await?;
    let said = json!({"expires_on": form.expires_on.as_deref().unwrap_or_default(), "reason": form.reason.as_deref().unwrap_or_default()});
    let extended = match body(said) {
        Ok(said) => changing::extend(State(app.clone()), staff.caller.clone(), Path(at.1), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    came_of(&app, &staff, at, form, extended, "pass_changed").await
}

/// Freezes it for some days: for the front desk.
pub async fn freeze(State(app): State<App>, staff: Staff, Path(at): Path<(Uuid, Uuid)>, Form(form): Form<PassForm>) -> Answer<Response> {
    require_front_desk(&app, &staff.caller, at.0).await?;
    find(&app, at.0, at.1).await?;
    let (from, until) = (form.from.as_deref().unwrap_or_default(), form.until.as_deref().unwrap_or_default());
    let frozen = match body(json!({"from": from, "until": until, "cancel_bookings": form.cancel_bookings})) {
        Ok(said) => changing::freeze(State(app.clone()), staff.caller.clone(), Path(at.1), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    came_of(&app, &staff, at, form, frozen, "pass_changed").await
}

/// Ends the freeze: for the front desk.
pub async fn unfreeze(State(app): State<App>, staff: Staff, Path(at): Path<(Uuid, Uuid)>) -> Answer<Response> {
    require_front_desk(&app, &staff.caller, at.0).await?;
    find(&app, at.0, at.1).await?;
    let ended = changing::unfreeze(State(app.clone()), staff.caller.clone(), Path(at.1)).await.map(drop);
    came_of(&app, &staff, at, PassForm::default(), ended, "pass_changed").await
}

/// Takes it back for money: for the admins of the studio that sold it.
pub async fn refund(State(app): State<App>, staff: Staff, Path(at): Path<(Uuid, Uuid)>, Form(form): Form<PassForm>) -> Answer<Response> {
    require_admin(&app, &staff.caller, at.0).await?;
    find(&app, at.0, at.1).await?;
    let refunded = match refund_body(&app, &staff, at.1, &form).await {
        Ok(said) => refunds::make(State(app.clone()), staff.caller.clone(), Path(at.1), form.key(&app), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    came_of(&app, &staff, at, form, refunded, "pass_refunded").await
}

async fn refund_body(app: &App, staff: &Staff, id: Uuid, form: &PassForm) -> Answer<crate::extract::Body<refunds::RefundBody>> {
    let amount_minor = match form.amount.as_deref() {
        Some(amount) => {
            let Json(view) = refunds::show(State(app.clone()), staff.caller.clone(), Path(id)).await?;
            let wrong = || Problem::field("amount", Wrong::NotRight);
            let currency = view.paid.map(|paid| paid.currency).ok_or_else(wrong)?;
            Some(words::amount_minor(amount, &currency).ok_or_else(wrong)?)
        }
        None => None,
    };
    let (method, reason) = (form.method.as_deref().unwrap_or("cash"), form.reason.as_deref().unwrap_or_default());
    body(json!({"amount_minor": amount_minor, "method": method, "reason": reason}))
}
