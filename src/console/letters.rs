//! The studio's letters and their fates, for its admins; those that were given up can be sent again.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::frame::{Part, Said, Shell, done};
use super::session::LetterLine;
use super::staff::Staff;
use super::words::{self, Words};
use crate::app::App;
use crate::extract::{Path, Query};
use crate::letters::{self, LetterState, store};
use crate::problem::Answer;
use crate::studios::guard::require_admin;

/// Letters of one page.
const LETTERS_MAX: i64 = 100;

/// The fates by which one chooses.
const STATES: [LetterState; 7] = [
    LetterState::Failed,
    LetterState::Bounced,
    LetterState::Retrying,
    LetterState::Queued,
    LetterState::Sending,
    LetterState::Sent,
    LetterState::Obsolete,
];

#[derive(Template)]
#[template(path = "console/pages/letters_of_studio.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    letters: Vec<LetterLine>,
    /// What the form sends, what it shows, and whether that is chosen.
    states: Vec<(String, &'static str, bool)>,
    chosen: String,
    /// Behind which letter the next page begins.
    next: Option<Uuid>,
}

/// Which letters.
#[derive(Deserialize)]
pub struct LettersParams {
    state: Option<String>,
    before: Option<Uuid>,
    said: Option<String>,
}

/// The page: for the studio's admins.
pub async fn show(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(params): Query<LettersParams>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    page(&app, &staff, studio_id, params.state.as_deref(), params.before, Said::done(params.said)).await
}

async fn page(app: &App, staff: &Staff, studio_id: Uuid, state: Option<&str>, before: Option<Uuid>, said: Said) -> Answer<Response> {
    let shell = Shell::of(app, staff, studio_id, Part::Letters, said).await?;
    let chosen = state.and_then(|state| serde_json::from_value::<LetterState>(Value::from(state)).ok());
    let mut rows = store::of_studio(&app.db, studio_id, chosen, before.unwrap_or(Uuid::max()), LETTERS_MAX + 1).await?;
    let more = rows.len() > LETTERS_MAX as usize;
    rows.truncate(LETTERS_MAX as usize);
    let spelt =
        |state: LetterState| serde_json::to_value(state).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
    let page = Page {
        w: shell.w,
        letters: rows.iter().map(|row| LetterLine::of(app, row, &shell)).collect(),
        states: STATES.map(|state| (spelt(state), words::letter_state(state, shell.language), chosen == Some(state))).into(),
        chosen: chosen.map(spelt).unwrap_or_default(),
        next: rows.last().filter(|_| more).map(|row| row.id),
        shell,
    };
    page.shell.answer(&page)
}

/// Sends one again.
pub async fn retry(State(app): State<App>, staff: Staff, Path((studio_id, id)): Path<(Uuid, Uuid)>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    match letters::api::resend(State(app.clone()), staff.caller.clone(), Path(id)).await {
        Ok(_) => Ok(done(&format!("/console/{studio_id}/letters"), "letter_retried")),
        Err(problem) => page(&app, &staff, studio_id, None, None, Said::refused(problem, staff.language)?).await,
    }
}
