//! Publishing the drafts of a week: who would be told is shown before.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{Days, NaiveDate};
use serde::Deserialize;
use uuid::Uuid;

use super::consequences::Consequences;
use super::form::Form;
use super::frame::{Part, Said, Shell, done};
use super::staff::Staff;
use super::words::Words;
use crate::app::App;
use crate::extract::{Path, Query};
use crate::problem::Answer;
use crate::schedule::publish::Publish;
use crate::schedule::rules::{LocalDate, week_of};
use crate::studios::guard::require_admin;
use crate::transactor::Command;

#[derive(Template)]
#[template(path = "console/pages/publication.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    week: NaiveDate,
    title: String,
    consequences: Consequences,
}

/// Which week.
#[derive(Deserialize)]
pub struct PublicationForm {
    week: LocalDate,
}

/// What publishing would do: for the studio's admins.
pub async fn ask(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(PublicationForm { week }): Query<PublicationForm>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    page(&app, &staff, studio_id, week, Said::default()).await
}

/// The drafts of the week in which this day is.
fn drafts(studio_id: Uuid, LocalDate(day): LocalDate) -> (NaiveDate, Command) {
    let from = week_of(day);
    (from, Command::Publish(Publish::Days { studio_id, from, to: from + Days::new(7) }))
}

async fn page(app: &App, staff: &Staff, studio_id: Uuid, day: LocalDate, said: Said) -> Answer<Response> {
    let (week, what) = drafts(studio_id, day);
    let preview = app.transactor.preview(staff.caller.actor(), what).await?;
    let shell = Shell::of(app, staff, studio_id, Part::Schedule, said).await?;
    let consequences = Consequences::of(app, preview, &shell).await?;
    let page = Page { w: shell.w, week, title: shell.date(week), consequences, shell };
    page.shell.answer(&page)
}

/// Publishes them.
pub async fn publish(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Form(PublicationForm { week }): Form<PublicationForm>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let (monday, what) = drafts(studio_id, week);
    match app.transactor.submit(staff.caller.actor(), what).await {
        Ok(_) => Ok(done(&format!("/console/{studio_id}/schedule?week={monday}"), "published")),
        Err(problem) => page(&app, &staff, studio_id, week, Said::refused(problem, staff.language)?).await,
    }
}
