//! A new studio: an owner opens it here, by the call of the API, and goes on to its first steps.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::form::{Fields, Form, body};
use super::frame::{Said, alone, done, name_of};
use super::staff::Staff;
use super::words::{Words, running, words};
use crate::app::App;
use crate::etag::Versioned;
use crate::language::Language;
use crate::problem::Answer;
use crate::{studios, zones};

#[derive(Template)]
#[template(path = "console/pages/new_studio.html")]
struct Page {
    language: Language,
    w: &'static Words,
    r: &'static running::Words,
    person: String,
    fields: Fields,
    zones: Vec<&'static str>,
    refused: Option<String>,
}

/// The form: for owners.
pub async fn ask(State(app): State<App>, staff: Staff) -> Answer<Response> {
    staff.caller.require_owner()?;
    let fields = Fields::holding([("locale", Some(staff.language.tag().to_owned()))]);
    page(&app, &staff, fields, Said::default()).await
}

async fn page(app: &App, staff: &Staff, fields: Fields, said: Said) -> Answer<Response> {
    let (language, status) = (staff.language, said.status());
    let page = Page {
        language,
        w: words(language),
        r: running::words(language),
        person: name_of(app, staff).await?,
        fields,
        zones: zones::names().collect(),
        refused: said.refused.map(|(_, sentence)| sentence),
    };
    alone(&page, language, status)
}

/// Opens it.
pub async fn open(State(app): State<App>, staff: Staff, Form(typed): Form<Fields>) -> Answer<Response> {
    staff.caller.require_owner()?;
    let text = |name: &str| typed.0.get(name);
    let said = json!({
        "name": typed.text("name"), "time_zone": typed.text("time_zone"), "locale": typed.text("locale"), "address": text("address"),
        "contact": text("contact"), "rules_text": text("rules_text"), "privacy_url": text("privacy_url"), "shop_url": text("shop_url")
    });
    let opened = match body(said) {
        Ok(new) => studios::api::open(State(app.clone()), staff.caller.clone(), new).await.map(Versioned::into_body),
        Err(problem) => Err(problem),
    };
    match opened {
        Ok(studio) => Ok(done(&format!("/console/{}/setup", studio.id), "studio_opened")),
        // What was typed stays.
        Err(problem) => page(&app, &staff, typed, Said::refused(problem, staff.language)?).await,
    }
}
