//! What a studio is called and how it is reached, days without penalties, and all its data to take along: for its
//! admins.

use std::collections::BTreeMap;

use askama::Template;
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
use crate::extract::{Body, IfMatch, Path, Query};
use crate::problem::{Answer, Problem, ProblemType};
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
    /// The day that was to be added.
    day: Option<NaiveDate>,
    /// What somebody else has changed meanwhile, by its field: as it is now.
    now: BTreeMap<&'static str, String>,
    tables: Vec<(&'static str, &'static str)>,
    /// Where members find the studio.
    public: String,
    /// What its own website shows the schedule by.
    embed: String,
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

    /// Where another one differs: each field, as it stands there.
    fn differing(&self, other: &Self, w: &Words) -> BTreeMap<&'static str, String> {
        let fields = [
            ("name", &self.name, &other.name),
            ("address", &self.address, &other.address),
            ("contact", &self.contact, &other.contact),
            ("locale", &self.locale, &other.locale),
            ("time_zone", &self.time_zone, &other.time_zone),
            ("rules_text", &self.rules_text, &other.rules_text),
            ("privacy_url", &self.privacy_url, &other.privacy_url),
            ("shop_url", &self.shop_url, &other.shop_url),
        ];
        let texts = fields.into_iter().filter(|(_, own, other)| own != other);
        let mut now: BTreeMap<&'static str, String> =
            texts.map(|(field, _, other)| (field, other.clone().unwrap_or_else(|| w.empty_now.to_owned()))).collect();
        if self.second_factor_required != other.second_factor_required {
            now.insert("second_factor", if other.second_factor_required { w.yes } else { w.no }.to_owned());
        }
        now
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
    page(&app, &staff, studio_id, Typed::default(), Said::done(said)).await
}

/// What was typed and not saved.
#[derive(Default)]
struct Typed {
    form: Option<SettingsForm>,
    day: Option<NaiveDate>,
    /// Whether somebody else saved something meanwhile.
    is_stale: bool,
}

async fn page(app: &App, staff: &Staff, studio_id: Uuid, typed: Typed, said: Said) -> Answer<Response> {
    let shell = Shell::of(app, staff, studio_id, Part::Settings, said).await?;
    let url = app.settings.server.public_url.trim_end_matches('/');
    let (rules_version, rules) = house_rules::read(app, studio_id).await?;
    let saved = SettingsForm::of(&shell.studio);
    let (form, now) = match typed.form {
        // Saved once more, it is saved upon what the reader has now seen.
        Some(form) if typed.is_stale => {
            let now = form.differing(&saved, shell.w);
            (SettingsForm { version: saved.version, ..form }, now)
        }
        Some(form) => (form, BTreeMap::new()),
        None => (saved, BTreeMap::new()),
    };
    let page = Page {
        w: shell.w,
        r: running::words(shell.language),
        form,
        now,
        rules_version,
        days: days(&rules)?.into_iter().map(|day| (day, shell.date(day))).collect(),
        day: typed.day,
        tables: TABLES.map(|of| table(of, shell.language)).into(),
        public: format!("{url}/s/{studio_id}"),
        embed: embed(url, &shell.studio),
        shell,
    };
    page.shell.answer(&page)
}

/// The lines by which a website shows the schedule; its script makes a frame of them.
fn embed(url: &str, studio: &Studio) -> String {
    let (id, language) = (studio.id, studio.locale.tag());
    format!("<div data-releve-studio=\"{id}\" data-language=\"{language}\"></div>\n<script src=\"{url}/s/embed.js\" async></script>")
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
        // What was typed stays.
        Err(problem) => {
            let typed = Typed { form: Some(form), is_stale: problem.kind == ProblemType::VersionStale, ..Typed::default() };
            page(&app, &staff, studio_id, typed, Said::refused(problem, staff.language)?).await
        }
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
    match set {
        Ok(()) => Ok(done(&format!("/console/{studio_id}/settings"), "settings_saved")),
        Err(problem) => {
            let typed = Typed { day: form.day.map(|LocalDate(day)| day).filter(|_| !form.remove), ..Typed::default() };
            page(&app, &staff, studio_id, typed, Said::refused(problem, staff.language)?).await
        }
    }
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
