//! Letters over HTTP: a person's own, a studio's with their fates, and sending one again.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::facts::{Facts, Rendered, ToRender, addressed};
use super::store::ListedRow;
use super::switches::Switch;
use super::{rules, store, words};
use crate::app::App;
use crate::db::Error;
use crate::events::{self, Event, Happened, Subject};
use crate::extract::{Cursor, Limit, PAGE_MAX, Paging, Path, Query, page};
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::sign_in::Caller;
use crate::studios::guard::require_admin;

/// A letter as its reader gets it.
#[derive(Debug, Serialize, ToSchema)]
pub struct LetterView {
    id: Uuid,
    /// What it is about: `booked`, `promoted`, …; clients must tolerate new ones.
    kind: String,
    /// Its fate.
    state: super::LetterState,
    /// Its subject; of a letter not yet sent as it would be now. Null when its time to live is over.
    pub subject: Option<String>,
    /// Its text; null where a code stands in it, and when its time to live is over.
    pub text: Option<String>,
    /// Which studio it is from; null for letters about the account.
    pub studio_id: Option<Uuid>,
    /// About which booking.
    pub booking_id: Option<Uuid>,
    /// When it was written.
    #[serde(with = "crate::instant")]
    pub created_at: DateTime<Utc>,
    /// When the mail server took it.
    #[serde(with = "crate::instant")]
    sent_at: Option<DateTime<Utc>>,
}

/// A letter as the studio's admins see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct StudioLetter {
    #[serde(flatten)]
    letter: LetterView,
    /// To whom; null when it went to an address that is nobody's yet.
    person: Option<Reader>,
    /// How often it was tried.
    attempts: i64,
    /// When it is tried next.
    #[serde(with = "crate::instant")]
    next_attempt_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed, or why it is not sent; in English, without addresses.
    error: Option<String>,
}

/// To whom a letter goes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LetterReader)]
pub struct Reader {
    id: Uuid,
    /// As the studio wrote it.
    name: Option<String>,
}

/// A page of one's letters.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyLetters {
    /// The newest first.
    pub letters: Vec<LetterView>,
    /// What to send as `after` for more; null at the end.
    next: Option<String>,
}

/// A page of a studio's letters.
#[derive(Debug, Serialize, ToSchema)]
pub struct StudioLetters {
    /// The newest first.
    letters: Vec<StudioLetter>,
    /// What to send as `after` for more; null at the end.
    next: Option<String>,
}

/// The caller's letters.
#[utoipa::path(
    get, path = "/v1/me/letters", operation_id = "list_own_letters",
    params(Paging),
    responses((status = 200, body = MyLetters))
)]
pub async fn own(State(app): State<App>, caller: Caller, Query(paging): Query<Paging>) -> Answer<Json<MyLetters>> {
    let (limit, after) = paging.read();
    let rows = store::of_person(&app.db, caller.person_id, after.unwrap_or(Uuid::max()), limit.0 + 1).await?;
    let (rows, next) = page(rows, limit, |row| row.id);
    Ok(Json(MyLetters { letters: rows.iter().map(|row| view(&app, row)).collect(), next }))
}

/// Which part of a studio's letters.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Only those with this fate.
    #[param(value_type = Option<super::LetterState>)]
    state: Option<super::LetterState>,
    /// The most items, 1 to 200.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<Uuid>>,
}

/// The studio's letters and their fates. Admins.
#[utoipa::path(
    get, path = "/v1/studios/{id}/letters", operation_id = "list_studio_letters",
    params(("id" = Uuid, Path), Part),
    responses((status = 200, body = StudioLetters)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn of_studio(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(part): Query<Part>,
) -> Answer<Json<StudioLetters>> {
    require_admin(&app, &caller, id).await?;
    let limit = part.limit.unwrap_or(Limit(PAGE_MAX));
    let before = part.after.map_or(Uuid::max(), |Cursor(id)| id);
    let (rows, next) = page(store::of_studio(&app.db, id, part.state, before, limit.0 + 1).await?, limit, |row| row.id);
    Ok(Json(StudioLetters { letters: rows.into_iter().map(|row| studio_view(&app, row)).collect(), next }))
}

/// Sends a letter again that failed or came back. Admins of its studio; owners where it has none. Sent again and again it is one wish:
/// a letter that was sent again is answered as it is now. One with a code cannot be repeated: its reader asks for a new code.
#[utoipa::path(
    put, path = "/v1/letters/{id}/retry", operation_id = "resend_letter",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = StudioLetter)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, LetterNotRepeatable])))
)]
pub async fn resend(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Answer<Json<StudioLetter>> {
    let letter = find(&app, id).await?;
    must_run(&caller, &letter)?;
    if rules::carries_code(&letter.kind) {
        return Err(not_repeatable(&letter));
    }
    let mut done_now = false;
    if letter.state.is_given_up() {
        let (now, actor, studio_id) = (app.clock.now(), caller.actor(), letter.studio_id);
        let again = app.db.write("letters.retry", move |tx| {
            Box::pin(async move {
                let again = store::send_again(tx, id, now).await?;
                if again {
                    events::log::write(
                        tx,
                        now,
                        vec![actor.did(Event { studio_id, subject: Subject::Letter, subject_id: Some(id), what: Happened::LetterRetried })],
                    )
                    .await?;
                }
                Ok::<_, Error>(again)
            })
        });
        done_now = again.await?;
        app.letters_written.notify_one();
    }
    let letter = find(&app, id).await?;
    let done_before = letter.retried_at.is_some() && !letter.state.is_given_up();
    if done_now || done_before { Ok(Json(studio_view(&app, letter))) } else { Err(not_repeatable(&letter)) }
}

async fn find(app: &App, id: Uuid) -> Answer<ListedRow> {
    store::find(&app.db, id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))
}

/// People see their own letters but may not send them again; other people's letters are not found.
fn must_run(caller: &Caller, letter: &ListedRow) -> Answer<()> {
    let runs = letter.studio_id.map_or(caller.roles.is_owner, |studio_id| caller.roles.is_admin(studio_id));
    match runs {
        true => Ok(()),
        false if letter.person_id == Some(caller.person_id) => Err(Problem::new(ProblemType::NotAllowed)),
        false => Err(Problem::new(ProblemType::NotFound)),
    }
}

fn not_repeatable(letter: &ListedRow) -> Problem {
    Problem::new(ProblemType::LetterNotRepeatable).with("state", letter.state)
}

fn studio_view(app: &App, row: ListedRow) -> StudioLetter {
    StudioLetter {
        letter: view(app, &row),
        person: row.person_id.map(|id| Reader { id, name: row.member_name }),
        attempts: row.attempts,
        next_attempt_at: row.due_at,
        error: row.error,
    }
}

/// The subject of a letter, as it was sent or as it would be now; `None` when its time to live is over.
pub fn subject(app: &App, row: &ListedRow) -> Option<String> {
    row.subject.clone().or_else(|| as_it_would_be(app, row).map(|words| words.subject))
}

fn view(app: &App, row: &ListedRow) -> LetterView {
    let (subject, text) = match (&row.subject, &row.body_text) {
        (Some(subject), text) => (Some(subject.clone()), text.clone()),
        _ => as_it_would_be(app, row).map_or((None, None), |words| (Some(words.subject), Some(words.text))),
    };
    LetterView {
        id: row.id,
        kind: row.kind.clone(),
        state: row.state,
        subject,
        // A code that lets somebody in is in the mail alone.
        text: text.filter(|_| !rules::carries_code(&row.kind)).map(|text| without_link(&row.kind, text)),
        studio_id: row.studio_id,
        booking_id: row.booking_id,
        created_at: row.created_at,
        sent_at: row.sent_at,
    }
}

/// A link that acts for the member is in the mail alone.
fn without_link(kind: &str, text: String) -> String {
    if kind != "place_offered" && Switch::of_kind(kind).is_none() {
        return text;
    }
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains("/offers/") && !line.contains("/unsubscribe/")).collect();
    lines.join("\n")
}

/// The words that a letter would have if it were sent now, in its reader's language.
fn as_it_would_be(app: &App, row: &ListedRow) -> Option<Rendered> {
    let facts: Facts = serde_json::from_value(row.facts.as_ref()?.0.clone()).ok()?;
    let name = row.name.as_deref().filter(|name| !name.is_empty());
    let (facts, _, greeted) = addressed(facts, name, row.studio_id.is_some(), row.confirmed);
    let letter = ToRender {
        written_at: row.created_at,
        language: row.locale,
        name: greeted.as_deref(),
        facts: &facts,
        public_url: &app.settings.server.public_url,
        booking_id: row.booking_id,
        // The letter's own link is in the mail alone.
        link: None,
        unsubscribe: None,
        // Its subject shows no code, and its text is not shown.
        code: Some(""),
    };
    words::render(&letter).ok()
}
