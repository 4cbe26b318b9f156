//! What a studio is called and how it is reached, days without penalties, the devices at its door, and all its data to take along: for its
//! admins.

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::form::{Form, body};
use super::frame::{Part, Said, SaidParams, Shell, done};
use super::house_rules;
use super::staff::Staff;
use super::words::Words;
use super::words::running::{self, table};
use crate::app::App;
use crate::attendance::api::kiosks;
use crate::extract::{Body, IfMatch, Path, Query};
use crate::problem::{Answer, Problem};
use crate::schedule::rules::LocalDate;
use crate::studios::guard::require_admin;
use crate::studios::store::exported::Table;
use crate::studios::{self, Studio};
use crate::wrong::Wrong;

/// What can be taken along.
const TABLES: [Table; 10] = [
    Table::Members,
    Table::Staff,
    Table::Rooms,
    Table::ClassTypes,
    Table::PassTypes,
    Table::Sessions,
    Table::Bookings,
    Table::Passes,
    Table::Ledger,
    Table::Penalties,
];

#[derive(Template)]
#[template(path = "console/pages/settings.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    r: &'static running::Words,
    form: SettingsForm,
    /// The version of the house rules, in which the days stand.
    rules_version: i64,
    days: Vec<(NaiveDate, String)>,
    kiosks: Vec<Kiosk>,
    /// The key of a device that was just added.
    token: Option<String>,
    tables: Vec<(&'static str, &'static str)>,
}

/// A device at the door.
struct Kiosk {
    id: Uuid,
    name: String,
    last_seen: Option<String>,
}

/// A studio's particulars.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct SettingsForm {
    version: i64,
    name: Option<String>,
    address: Option<String>,
    contact: Option<String>,
    locale: Option<String>,
    time_zone: Option<String>,
    rules_text: Option<String>,
    privacy_url: Option<String>,
    shop_url: Option<String>,
    #[serde(default)]
    second_factor_required: bool,
}

impl SettingsForm {
    fn of(studio: &Studio) -> Self {
        Self {
            version: studio.version,
            name: Some(studio.name.clone()),
            address: studio.address.clone(),
            contact: studio.contact.clone(),
            locale: Some(studio.locale.tag().to_owned()),
            time_zone: Some(studio.time_zone.to_string()),
            rules_text: studio.rules_text.clone(),
            privacy_url: studio.privacy_url.clone(),
            shop_url: studio.shop_url.clone(),
            second_factor_required: studio.second_factor_required,
        }
    }

    /// A field as the page shows it.
    fn text<'f>(&self, field: &'f Option<String>) -> &'f str {
        field.as_deref().unwrap_or_default()
    }

    /// As an app would send it. What is left empty is cleared; a zone that stays is not sent, as it may not change at all.
    fn change(&self, zone_now: &str) -> Value {
        let Self { name, address, contact, locale, time_zone, rules_text, privacy_url, shop_url, second_factor_required, .. } = self;
        let zone = time_zone.as_deref().map(str::trim).filter(|zone| *zone != zone_now);
        json!({
            "name": name.as_deref().unwrap_or_default(), "address": address, "contact": contact, "locale": locale, "time_zone": zone,
            "rules_text": rules_text, "privacy_url": privacy_url, "shop_url": shop_url, "second_factor_required": second_factor_required
        })
    }
}

/// The page: for the studio's admins.
pub async fn show(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(SaidParams { said }): Query<SaidParams>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    page(&app, &staff, studio_id, None, None, Said::done(said)).await
}

async fn page(
    app: &App,
    staff: &Staff,
    studio_id: Uuid,
    form: Option<SettingsForm>,
    token: Option<String>,
    said: Said,
) -> Answer<Response> {
    let shell = Shell::of(app, staff, studio_id, Part::Settings, said).await?;
    let (rules_version, rules) = house_rules::read(app, studio_id).await?;
    let Json(devices) = kiosks::list(State(app.clone()), staff.caller.clone(), Path(studio_id)).await?;
    let kiosk = |kiosk: crate::attendance::KioskRow| Kiosk {
        id: kiosk.id,
        name: kiosk.name,
        last_seen: kiosk.last_seen_at.map(|at| shell.day_and_time(at)),
    };
    let page = Page {
        w: shell.w,
        r: running::words(shell.language),
        form: form.unwrap_or_else(|| SettingsForm::of(&shell.studio)),
        rules_version,
        days: days(&rules)?.into_iter().map(|day| (day, shell.date(day))).collect(),
        kiosks: devices.kiosks.into_iter().map(kiosk).collect(),
        token,
        tables: TABLES.map(|of| table(of, shell.language)).into(),
        shell,
    };
    page.shell.answer(&page)
}

/// The days without penalties, in their order.
fn days(rules: &studios::HouseRules) -> Answer<Vec<NaiveDate>> {
    let days = serde_json::to_value(&rules.penalty_free_days).and_then(serde_json::from_value);
    days.map_err(Problem::fault)
}

/// Saves the particulars.
pub async fn save(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, Form(form): Form<SettingsForm>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let zone = studios::store::setting(&app.db, studio_id).await?.map(|(zone, _)| zone.to_string()).unwrap_or_default();
    let mut change = form.change(&zone);
    if change["time_zone"].is_null()
        && let Value::Object(fields) = &mut change
    {
        fields.remove("time_zone");
    }
    let saved = match body(change) {
        Ok(change) => {
            studios::api::change(State(app.clone()), staff.caller.clone(), Path(studio_id), IfMatch(form.version), change).await.map(drop)
        }
        Err(problem) => Err(problem),
    };
    match saved {
        Ok(()) => Ok(done(&format!("/console/{studio_id}/settings"), "settings_saved")),
        // What was typed stays, with the version that it was typed upon.
        Err(problem) => page(&app, &staff, studio_id, Some(form), None, Said::refused(problem, staff.language)?).await,
    }
}

/// A day, and the rules as the page knew them.
#[derive(Deserialize)]
pub struct DayForm {
    version: i64,
    day: Option<LocalDate>,
    #[serde(default)]
    remove: bool,
}

/// Makes a day one without penalties, or takes that back.
pub async fn set_day(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, Form(form): Form<DayForm>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let (_, rules) = house_rules::read(&app, studio_id).await?;
    let set = match with_day(&rules, &form) {
        Ok(Value::Object(written)) => {
            let (version, caller) = (IfMatch(form.version), staff.caller.clone());
            studios::api::set_house_rules(State(app.clone()), caller, Path(studio_id), version, Body(written)).await.map(drop)
        }
        Ok(_) => Err(Problem::field("day", Wrong::NotRight)),
        Err(problem) => Err(problem),
    };
    came_of(&app, &staff, studio_id, set, "settings_saved").await
}

/// The rules as an app would write them, with this day or without it.
fn with_day(rules: &studios::HouseRules, form: &DayForm) -> Answer<Value> {
    let LocalDate(day) = form.day.ok_or_else(|| Problem::field("day", Wrong::Missing))?;
    let mut days = days(rules)?;
    days.retain(|one| *one != day);
    if !form.remove {
        days.push(day);
    }
    let mut written = serde_json::to_value(rules).map_err(Problem::fault)?;
    written["penalty_free_days"] = json!(days);
    Ok(written)
}

/// Where a new device stands.
#[derive(Deserialize)]
pub struct KioskForm {
    name: Option<String>,
}

/// Adds a device at the door. Its key is in the answer itself: it is shown once, and stands in no address.
pub async fn add_kiosk(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, Form(form): Form<KioskForm>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let added = match body(json!({"name": form.name.unwrap_or_default()})) {
        Ok(said) => kiosks::add(State(app.clone()), staff.caller.clone(), Path(studio_id), said).await,
        Err(problem) => Err(problem),
    };
    match added {
        Ok((_, Json(added))) => page(&app, &staff, studio_id, None, Some(added.token), Said::default()).await,
        Err(problem) => came_of(&app, &staff, studio_id, Err(problem), "added").await,
    }
}

/// Takes a device away: its key is worth nothing from then on.
pub async fn revoke_kiosk(State(app): State<App>, staff: Staff, Path((studio_id, id)): Path<(Uuid, Uuid)>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let removed = kiosks::remove(State(app.clone()), staff.caller.clone(), Path((studio_id, id))).await.map(drop);
    came_of(&app, &staff, studio_id, removed, "kiosk_revoked").await
}

async fn came_of(app: &App, staff: &Staff, studio_id: Uuid, what: Answer<()>, word: &str) -> Answer<Response> {
    match what {
        Ok(()) => Ok(done(&format!("/console/{studio_id}/settings"), word)),
        Err(problem) => page(app, staff, studio_id, None, None, Said::refused(problem, staff.language)?).await,
    }
}
