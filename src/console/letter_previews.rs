//! Every letter as its readers get it: with invented facts of this studio, in each language. For the studio's admins; nobody is written to.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse as _, Response};
use serde::Deserialize;
use uuid::Uuid;

use super::frame::{POLICY, Part, Said, Shell};
use super::staff::Staff;
use super::words::Words;
use super::words::office;
use crate::app::App;
use crate::extract::{Path, Query};
use crate::language::Language;
use crate::letters::examples::{READER, every_kind_there, written_at};
use crate::letters::facts::{Facts, Rendered, ToRender};
use crate::letters::switches::Switch;
use crate::letters::words::render;
use crate::people;
use crate::problem::{Answer, Problem, ProblemType};
use crate::studios::guard::require_admin;

/// The code in the examples that have one: it opens nothing.
const CODE: &str = "12345678";

/// What the letter itself may do in a browser: show its own colours, and nothing else.
const LETTER_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox";

#[derive(Template)]
#[template(path = "console/pages/letter_previews.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    o: &'static office::Words,
    /// Each kind, by its subject, and whether it is chosen.
    kinds: Vec<(&'static str, String, bool)>,
    chosen: &'static str,
    language: Language,
    letter: Rendered,
}

/// Which letter, in which language.
#[derive(Deserialize)]
pub struct PreviewParams {
    kind: Option<String>,
    language: Option<String>,
}

/// The page.
pub async fn show(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(params): Query<PreviewParams>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let examples = examples(&app, studio_id).await?;
    let (chosen, language) = chosen(&examples, &params, staff.language)?;
    let letter = rendered(&app, chosen, language)?;
    let mut kinds = Vec::with_capacity(examples.len());
    for facts in &examples {
        kinds.push((facts.kind(), rendered(&app, facts, staff.language)?.subject, facts.kind() == chosen.kind()));
    }
    let shell = Shell::of(&app, &staff, studio_id, Part::Letters, Said::default()).await?;
    let page = Page { w: shell.w, o: shell.o, kinds, chosen: chosen.kind(), language, letter, shell };
    let mut answer = page.shell.answer(&page)?;
    // The letter stands in a frame, as a mail program shows it.
    let policy = HeaderValue::from_str(&format!("{POLICY}; frame-src 'self'")).map_err(Problem::fault)?;
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(answer)
}

/// The letter itself, as a mail program shows it.
pub async fn letter(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(params): Query<PreviewParams>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let examples = examples(&app, studio_id).await?;
    let (chosen, language) = chosen(&examples, &params, staff.language)?;
    let headers = [(header::CONTENT_SECURITY_POLICY, LETTER_POLICY), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Html(rendered(&app, chosen, language)?.html)).into_response())
}

async fn examples(app: &App, studio_id: Uuid) -> Answer<Vec<Facts>> {
    let mut tx = app.db.read().await?;
    let studio = people::store::studio(&mut tx, studio_id).await;
    tx.rollback().await;
    let (studio, _) = studio?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    Ok(every_kind_there(&studio))
}

/// The one that is asked for, or the first that members get about a class.
fn chosen<'e>(examples: &'e [Facts], params: &PreviewParams, language: Language) -> Answer<(&'e Facts, Language)> {
    let nothing = || Problem::new(ProblemType::NotFound);
    let kind = params.kind.as_deref().unwrap_or("booked");
    let language = match params.language.as_deref() {
        Some(tag) => Language::of_tag(tag).ok_or_else(nothing)?,
        None => language,
    };
    Ok((examples.iter().find(|facts| facts.kind() == kind).ok_or_else(nothing)?, language))
}

fn rendered(app: &App, facts: &Facts, language: Language) -> Answer<Rendered> {
    let public_url = app.settings.server.public_url.as_str().trim_end_matches('/');
    let unsubscribe = Switch::of_kind(facts.kind()).map(|_| format!("{public_url}/unsubscribe/…"));
    let letter = ToRender {
        language,
        written_at: written_at(),
        name: Some(READER),
        facts,
        public_url,
        booking_id: facts.session().map(|session| session.id),
        link: None,
        unsubscribe: unsubscribe.as_deref(),
        code: Some(CODE),
    };
    render(&letter).map_err(Problem::fault)
}
