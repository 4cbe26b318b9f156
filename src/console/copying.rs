//! Copying a week of the schedule into another one, as drafts: what would be copied and what is left out is shown before.

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
use super::frame::{Part, Said, Shell, done};
use super::staff::Staff;
use super::words::Words;
use super::words::planning::{self, Words as Planning};
use crate::app::App;
use crate::extract::{Path, Query};
use crate::problem::{Answer, Problem};
use crate::schedule::api::dry_run::{DryRun, OrPreview};
use crate::schedule::api::planning::copy;
use crate::schedule::rules::{LocalDate, week_of};
use crate::schedule::store;
use crate::studios::guard::require_admin;
use crate::transactor::Preview;
use crate::wrong::Wrong;

#[derive(Template)]
#[template(path = "console/pages/copy.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    p: &'static Planning,
    from: NaiveDate,
    to: NaiveDate,
    /// What would come of it, and how many classes are copied.
    outcome: Option<(Consequences, usize)>,
}

/// A day of the week that is copied, one of the week that it is copied to, and whether that is meant.
#[derive(Clone, Debug, Deserialize)]
pub struct CopyForm {
    week: Option<LocalDate>,
    to: Option<LocalDate>,
    #[serde(default)]
    meant: bool,
}

/// Which week.
#[derive(Deserialize)]
pub struct WeekParams {
    week: Option<LocalDate>,
}

/// The page: for the studio's admins.
pub async fn ask(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(WeekParams { week }): Query<WeekParams>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    page(&app, &staff, studio_id, CopyForm { week, to: None, meant: false }, None, Said::default()).await
}

/// Shows what would be copied, or, once that is meant, copies it.
pub async fn submit(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, Form(form): Form<CopyForm>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let copied = match (form.week, form.to) {
        (Some(LocalDate(week)), Some(LocalDate(to))) => {
            let (from, to) = (week_of(week), week_of(to));
            match body(json!({"from": from, "to": to})) {
                Ok(said) => {
                    let how = Query(DryRun { dry_run: !form.meant });
                    copy(State(app.clone()), staff.caller.clone(), Path(studio_id), how, said).await.map(|Json(came)| (to, came))
                }
                Err(problem) => Err(problem),
            }
        }
        (None, _) => Err(Problem::field("week", Wrong::Missing)),
        (_, None) => Err(Problem::field("to", Wrong::Missing)),
    };
    match copied {
        Ok((to, OrPreview::Done(_))) => Ok(done(&format!("/console/{studio_id}/schedule?week={to}"), "week_copied")),
        Ok((_, OrPreview::Preview(preview))) => page(&app, &staff, studio_id, form, Some(preview), Said::default()).await,
        Err(problem) => page(&app, &staff, studio_id, form, None, Said::refused(problem, staff.language)?).await,
    }
}

async fn page(app: &App, staff: &Staff, studio_id: Uuid, form: CopyForm, preview: Option<Preview>, said: Said) -> Answer<Response> {
    let shell = Shell::of(app, staff, studio_id, Part::Schedule, said).await?;
    let from = week_of(form.week.map_or(shell.today, |LocalDate(date)| date));
    let to = form.to.map_or(from + Days::new(7), |LocalDate(date)| week_of(date));
    let outcome = match preview {
        Some(preview) => {
            let mut tx = app.db.read().await?;
            let there = store::of_days(&mut tx, studio_id, (from, from + Days::new(7))).await?;
            tx.rollback().await;
            let there = there.iter().filter(|session| !session.is_cancelled()).count();
            let left_out = preview.skipped.len();
            Some((Consequences::of(app, preview, &shell).await?, there.saturating_sub(left_out)))
        }
        None => None,
    };
    let page = Page { w: shell.w, p: planning::words(shell.language), from, to, outcome, shell };
    page.shell.answer(&page)
}
