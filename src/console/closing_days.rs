//! Days on which the studio is closed: whose class is cancelled by it is shown before, and a day can be opened again.

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use chrono::{Days, NaiveDate};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::consequences::Consequences;
use super::form::{Form, body};
use super::frame::{Part, Said, SaidParams, Shell, done};
use super::staff::Staff;
use super::words::Words;
use super::words::planning::{self as words, Words as Planning};
use crate::app::App;
use crate::extract::{Path, Query};
use crate::problem::{Answer, Problem};
use crate::schedule::api::dry_run::{DryRun, OrPreview};
use crate::schedule::api::planning;
use crate::schedule::rules::LocalDate;
use crate::studios::guard::require_admin;
use crate::transactor::Preview;
use crate::wrong::Wrong;

#[derive(Template)]
#[template(path = "console/pages/closing_days.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    p: &'static Planning,
    /// The days to come: the date, in words, and why.
    days: Vec<(NaiveDate, String, Option<String>)>,
    form: ClosingForm,
    consequences: Option<Consequences>,
}

/// From when until when, why, and whether what comes of it is meant.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ClosingForm {
    first: Option<LocalDate>,
    last: Option<LocalDate>,
    note: Option<String>,
    #[serde(default)]
    meant: bool,
}

impl ClosingForm {
    /// A date as its field shows it.
    fn date(&self, date: &Option<LocalDate>) -> String {
        date.map(|LocalDate(date)| date.to_string()).unwrap_or_default()
    }

    fn note(&self) -> &str {
        self.note.as_deref().unwrap_or_default()
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
    page(&app, &staff, studio_id, ClosingForm::default(), None, Said::done(said)).await
}

/// Shows whose class would be cancelled, or, if nobody's is or that is meant, closes the studio.
pub async fn close(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, Form(form): Form<ClosingForm>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    match closed(&app, &staff, studio_id, &form).await {
        Ok(None) => Ok(done(&format!("/console/{studio_id}/closing-days"), "days_closed")),
        Ok(preview) => page(&app, &staff, studio_id, form, preview, Said::default()).await,
        Err(problem) => page(&app, &staff, studio_id, form, None, Said::refused(problem, staff.language)?).await,
    }
}

/// What would come of it; `None`: it is done.
async fn closed(app: &App, staff: &Staff, studio_id: Uuid, form: &ClosingForm) -> Answer<Option<Preview>> {
    let LocalDate(first) = form.first.ok_or_else(|| Problem::field("first_day", Wrong::Missing))?;
    let LocalDate(last) = form.last.unwrap_or(LocalDate(first));
    // The API names the first day on which it is open again.
    let open = last.checked_add_days(Days::new(1)).unwrap_or(last);
    let call = async |dry_run: bool| {
        let said = body(json!({"from": first, "to": open, "note": form.note}))?;
        planning::close(State(app.clone()), staff.caller.clone(), Path(studio_id), Query(DryRun { dry_run }), said).await
    };
    if !form.meant
        && let Json(OrPreview::Preview(preview)) = call(true).await?
        && !(preview.told.is_empty() && preview.bookings.is_empty() && preview.skipped.is_empty())
    {
        return Ok(Some(preview));
    }
    call(false).await.map(|_| None)
}

/// Opens the studio again on a day: what was cancelled stays cancelled.
pub async fn open(State(app): State<App>, staff: Staff, Path((studio_id, date)): Path<(Uuid, LocalDate)>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    match planning::open(State(app.clone()), staff.caller.clone(), Path((studio_id, date))).await {
        Ok(_) => Ok(done(&format!("/console/{studio_id}/closing-days"), "day_opened")),
        Err(problem) => page(&app, &staff, studio_id, ClosingForm::default(), None, Said::refused(problem, staff.language)?).await,
    }
}

async fn page(app: &App, staff: &Staff, studio_id: Uuid, form: ClosingForm, preview: Option<Preview>, said: Said) -> Answer<Response> {
    let shell = Shell::of(app, staff, studio_id, Part::Schedule, said).await?;
    let Json(known) = planning::closing_days(State(app.clone()), Path(studio_id)).await?;
    let consequences = match preview {
        Some(preview) => Some(Consequences::of(app, preview, &shell).await?),
        None => None,
    };
    let days = known.closing_days.into_iter().map(|day| (day.date, shell.date(day.date), day.note)).collect();
    let page = Page { w: shell.w, p: words::words(shell.language), days, form, consequences, shell };
    page.shell.answer(&page)
}
