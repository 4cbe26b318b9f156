//! What an instructor teaches in a studio, and when they could stand in for another: who looks for a substitute reaches them by it.

use std::collections::HashMap;

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use uuid::Uuid;

use super::form::{Form, body};
use super::frame::{Part, Said, SaidParams, Shell, done};
use super::session_form::Choices;
use super::staff::Staff;
use super::words::planning::{self, Words as Planning};
use super::words::{Words, figures};
use crate::app::App;
use crate::extract::{Path, Query};
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule::substitutes::api::{self, Availability};

/// Empty rows below those that are filled.
const EMPTY_ROWS: usize = 2;
/// As many rows of each kind as the API takes.
const ROWS_MAX: [usize; 2] = [50, 400];

#[derive(Template)]
#[template(path = "console/pages/availability.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    p: &'static Planning,
    /// The class types: which, what it is called, whether they teach it.
    classes: Vec<(Uuid, String, bool)>,
    weekdays: Vec<(usize, &'static str)>,
    weekly: Vec<Row>,
    others: Vec<Row>,
}

/// A row of the form, as it is shown and sent.
#[derive(Clone, Debug, Default)]
struct Row {
    /// A weekday, 1 is Monday; or a date.
    day: String,
    from: String,
    until: String,
    available: bool,
}

impl Row {
    fn is_empty(&self) -> bool {
        self.day.is_empty()
    }
}

/// What the form holds.
#[derive(Default)]
struct Fields {
    teaches: Vec<Uuid>,
    weekly: Vec<Row>,
    others: Vec<Row>,
}

impl Fields {
    /// As it is stated.
    fn of(stated: &Availability) -> Self {
        let value = |value: Value| value.as_str().unwrap_or_default().to_owned();
        let time = |time| value(serde_json::to_value(time).unwrap_or_default());
        let weekly = stated.weekly.iter().map(|hours| Row {
            day: hours.weekday.to_string(),
            from: time(Some(hours.from)),
            until: time(Some(hours.until)),
            available: true,
        });
        let others = stated.exceptions.iter().map(|day| Row {
            day: day.date.to_string(),
            from: time(day.from),
            until: time(day.until),
            available: day.available,
        });
        Self { teaches: stated.teaches.clone(), weekly: weekly.collect(), others: others.collect() }
    }

    /// As it was typed.
    fn typed(form: &HashMap<String, String>) -> Self {
        let text = |name: String| form.get(&name).map(|text| text.trim().to_owned()).unwrap_or_default();
        let rows = |kind: char, max: usize| {
            let row = |n: usize| Row {
                day: text(format!("{kind}{n}_day")),
                from: text(format!("{kind}{n}_from")),
                until: text(format!("{kind}{n}_until")),
                available: text(format!("{kind}{n}_free")) == "true",
            };
            (0..max + EMPTY_ROWS).map(row).filter(|row| !row.is_empty()).collect()
        };
        let taught = form.keys().filter_map(|name| name.strip_prefix("teaches_")?.parse().ok());
        let mut teaches: Vec<Uuid> = taught.collect();
        teaches.sort_unstable();
        Self { teaches, weekly: rows('w', ROWS_MAX[0]), others: rows('d', ROWS_MAX[1]) }
    }

    /// As an app would send it.
    fn body(&self) -> Value {
        let or_null = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let hours = |row: &Row| json!({"weekday": row.day.parse::<i64>().unwrap_or_default(), "from": row.from, "until": row.until});
        let day =
            |row: &Row| json!({"date": row.day, "available": row.available, "from": or_null(&row.from), "until": or_null(&row.until)});
        let (weekly, exceptions): (Vec<Value>, Vec<Value>) =
            (self.weekly.iter().map(hours).collect(), self.others.iter().map(day).collect());
        json!({"teaches": self.teaches, "weekly": weekly, "exceptions": exceptions})
    }
}

/// The page: for the studio's instructors.
pub async fn show(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(SaidParams { said }): Query<SaidParams>,
) -> Answer<Response> {
    must_teach(&staff, studio_id)?;
    let Json(stated) = api::availability(State(app.clone()), staff.caller.clone(), Path(studio_id)).await?;
    page(&app, &staff, studio_id, Fields::of(&stated), Said::done(said)).await
}

/// States it.
pub async fn save(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Form(form): Form<HashMap<String, String>>,
) -> Answer<Response> {
    must_teach(&staff, studio_id)?;
    let fields = Fields::typed(&form);
    let stated = match body(fields.body()) {
        Ok(said) => api::state_availability(State(app.clone()), staff.caller.clone(), Path(studio_id), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    match stated {
        Ok(()) => Ok(done(&format!("/console/{studio_id}/availability"), "settings_saved")),
        Err(problem) => page(&app, &staff, studio_id, fields, Said::refused(problem, staff.language)?).await,
    }
}

fn must_teach(staff: &Staff, studio_id: Uuid) -> Answer<()> {
    if staff.caller.roles.is_instructor(studio_id) { Ok(()) } else { Err(Problem::new(ProblemType::NotAllowed)) }
}

async fn page(app: &App, staff: &Staff, studio_id: Uuid, mut fields: Fields, said: Said) -> Answer<Response> {
    let shell = Shell::of(app, staff, studio_id, Part::Schedule, said).await?;
    let choices = Choices::read(app, &shell).await?;
    let classes = choices.classes.into_iter().map(|(id, name)| (id, name, fields.teaches.contains(&id))).collect();
    for (rows, max) in [(&mut fields.weekly, ROWS_MAX[0]), (&mut fields.others, ROWS_MAX[1])] {
        let filled = rows.len();
        rows.resize((filled + EMPTY_ROWS).min(max.max(filled)), Row::default());
    }
    let page = Page {
        w: shell.w,
        p: planning::words(shell.language),
        classes,
        weekdays: (1..).zip(figures::weekdays(shell.language)).collect(),
        weekly: fields.weekly,
        others: fields.others,
        shell,
    };
    page.shell.answer(&page)
}
