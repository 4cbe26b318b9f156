//! One session: who is in it, who waits and why, what is kept back, what was written to whom; and what staff do about it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

use super::consequences::Consequences;
use super::form::Form;
use super::frame::{Part, Said, SaidParams, Shell, done};
use super::roster::{self, Roster};
use super::staff::Staff;
use super::today::{self, Card};
use super::words::planning::{self, Words as Planning};
use super::words::{self, Words};
use crate::app::App;
use crate::attendance;
use crate::booking::BookingStatus;
use crate::booking::api::submit;
use crate::booking::move_up::MoveUp;
use crate::events;
use crate::extract::{Body, Path, Query};
use crate::holds::set::SetHold;
use crate::holds::{self, HoldKind, Terms};
use crate::ids::new_id;
use crate::letters::facts::CancelReason;
use crate::letters::phrases;
use crate::letters::{self, LetterState};
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule::cancellation::CancelSession;
use crate::schedule::series::scope::Scope;
use crate::schedule::{Session, SessionStatus, status, store, substitutes};
use crate::sign_in::Caller;
use crate::text::{Line, Note};
use crate::trail;
use crate::transactor::Command;

/// Letters that the page shows.
const LETTERS_MAX: i64 = 100;
/// What happened to it, as far as the page tells it …
const HISTORY_MAX: i64 = 50;
/// … with so many requests for a substitute.
const REQUESTS_MAX: i64 = 10;

#[derive(Template)]
#[template(path = "console/pages/session.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    p: &'static Planning,
    id: Uuid,
    card: Card,
    when: String,
    roster: Roster,
    /// Whether it is theirs to change and to cancel.
    may_change: bool,
    /// The series that it belongs to.
    series: Option<Uuid>,
    cancelled: Option<String>,
    team_note: String,
    member_note: String,
    holds: Vec<Held>,
    may_hold: bool,
    history: Vec<HistoryLine>,
    letters: Vec<LetterLine>,
}

/// One thing that happened to the session, and who did it.
struct HistoryLine {
    at: String,
    text: String,
    facts: String,
    who: Option<String>,
}

/// What happened to it and to requests for a substitute in it, the latest first.
async fn history(app: &App, session: &Session, shell: &Shell) -> Answer<Vec<HistoryLine>> {
    let mut logged = events::log::of_subject(&app.db, session.studio_id, session.id, HISTORY_MAX).await?;
    for (request,) in substitutes::store::of_session(&app.db, (session.studio_id, session.id), REQUESTS_MAX).await? {
        logged.extend(events::log::of_subject(&app.db, session.studio_id, request, HISTORY_MAX).await?);
    }
    logged.sort_by_key(|one| std::cmp::Reverse(one.at));
    let is_whole = logged.len() < usize::try_from(HISTORY_MAX).unwrap_or(usize::MAX);
    // What a series, an import or an earlier version made has no event of its own that says so.
    let unsaid = is_whole && logged.iter().all(|one| one.action != MADE);
    let line = |one: events::log::Logged| {
        let facts = trail::words::facts(&one.details.map(|details| details.0).unwrap_or_default(), shell.zone(), shell.language);
        HistoryLine {
            at: shell.day_and_time(one.at),
            text: trail::words::said(&one.action, shell.language).to_owned(),
            facts: facts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" · "),
            who: one.who,
        }
    };
    let mut lines: Vec<HistoryLine> = logged.into_iter().map(line).take(usize::try_from(HISTORY_MAX).unwrap_or(usize::MAX)).collect();
    if unsaid {
        let text = trail::words::said(MADE, shell.language).to_owned();
        lines.push(HistoryLine { at: shell.day_and_time(session.created_at), text, facts: String::new(), who: None });
    }
    Ok(lines)
}

/// The event of a session that somebody made by itself.
const MADE: &str = "session.made";

/// Places that are kept back.
struct Held {
    id: Uuid,
    kind: &'static str,
    places: i64,
    until: Option<String>,
    note: Option<String>,
}

/// A letter and its fate.
pub struct LetterLine {
    pub id: Uuid,
    pub to: Option<String>,
    pub subject: String,
    pub state: LetterState,
    pub fate: &'static str,
    pub at: String,
}

impl LetterLine {
    /// As this reader gets it.
    pub fn of(app: &App, row: &letters::store::ListedRow, shell: &Shell) -> Self {
        Self {
            id: row.id,
            to: row.member_name.clone(),
            subject: letters::api::subject(app, row).unwrap_or_else(|| shell.w.letter_over.to_owned()),
            state: row.state,
            fate: words::letter_state(row.state, shell.language),
            at: shell.day_and_time(row.sent_at.unwrap_or(row.created_at)),
        }
    }

    /// Whether somebody should look at it.
    pub fn is_trouble(&self) -> bool {
        self.state.is_given_up()
    }
}

/// The session, if it is this studio's.
pub async fn find(app: &App, studio_id: Uuid, id: Uuid) -> Answer<Session> {
    let session = store::one(&app.db, id).await?.filter(|session| session.studio_id == studio_id);
    session.ok_or_else(|| Problem::new(ProblemType::NotFound))
}

/// Whether it is theirs to change and to cancel.
pub fn runs(caller: &Caller, session: &Session) -> bool {
    caller.roles.runs_session(session.studio_id, session.instructor_id == caller.person_id)
}

/// The page: for the session's staff.
pub async fn show(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, id)): Path<(Uuid, Uuid)>,
    Query(SaidParams { said }): Query<SaidParams>,
) -> Answer<Response> {
    page(&app, &staff, studio_id, id, Said::done(said)).await
}

async fn page(app: &App, staff: &Staff, studio_id: Uuid, id: Uuid, said: Said) -> Answer<Response> {
    let session = find(app, studio_id, id).await?;
    attendance::api::require_staff_of(&staff.caller, &session)?;
    let shell = Shell::of(app, staff, studio_id, Part::Schedule, said).await?;
    let now = app.clock.now();
    let counts = store::roster_counts(&app.db, &[id]).await?.pop().unwrap_or_default();
    let from_min = roster::marks_from_min(app, studio_id).await?;
    let roster = roster::read(app, staff, &shell, &session, from_min, "session").await?;
    let letters = match shell.is_admin {
        true => letters::store::of_session(&app.db, id, LETTERS_MAX).await?,
        false => Vec::new(),
    };
    let is_over = !matches!(status(&session, now), SessionStatus::Draft | SessionStatus::Scheduled);
    let mut held = Vec::new();
    if shell.is_desk {
        let mut tx = app.db.read().await?;
        let mut found = holds::store::of_sessions(&mut tx, &[id]).await?;
        tx.rollback().await;
        found.retain(|hold| hold.is_running());
        found.sort_by_key(|hold| (hold.made_at, hold.id));
        held = found
            .into_iter()
            .map(|hold| Held {
                id: hold.id,
                kind: words::hold_kind(hold.kind, shell.language),
                places: hold.places,
                until: hold.until.map(|at| shell.day_and_time(at)),
                note: hold.note,
            })
            .collect();
    }
    let cancelled = session.is_cancelled().then(|| {
        let reason = session.cancel_reason.and_then(|reason| phrases::cancel_reason(reason, shell.language));
        let parts = [reason.map(str::to_owned), session.cancel_note.clone()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    });
    let page = Page {
        w: shell.w,
        p: planning::words(shell.language),
        id,
        card: Card::of(&session, counts, &shell, now),
        when: phrases::span(session.starts_at, session.ends_at, shell.zone(), shell.language),
        roster,
        may_change: runs(&staff.caller, &session) && !is_over && now < session.starts_at,
        series: session.series_id,
        cancelled,
        team_note: session.team_note.clone().unwrap_or_default(),
        member_note: session.member_note.clone().unwrap_or_default(),
        holds: held,
        may_hold: shell.is_desk && !is_over && now < session.starts_at,
        history: history(app, &session, &shell).await?,
        letters: letters.iter().map(|row| LetterLine::of(app, row, &shell)).collect(),
        shell,
    };
    page.shell.answer(&page)
}

/// Where one comes back to from what was done about a booking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Back {
    Today,
    #[default]
    Session,
}

/// About which booking.
#[derive(Deserialize)]
pub struct BookingForm {
    booking: Uuid,
    #[serde(default)]
    back: Back,
}

/// Marks somebody as having come.
pub async fn check_in(
    State(app): State<App>,
    staff: Staff,
    Path(at): Path<(Uuid, Uuid)>,
    Form(BookingForm { booking, back }): Form<BookingForm>,
) -> Answer<Response> {
    let answer = attendance::api::check_in(State(app.clone()), staff.caller.clone(), Path(booking), Body(Default::default())).await;
    came_of(&app, &staff, at, back, answer.map(drop), "checked_in").await
}

/// Takes the mark back.
pub async fn undo_check_in(
    State(app): State<App>,
    staff: Staff,
    Path(at): Path<(Uuid, Uuid)>,
    Form(BookingForm { booking, back }): Form<BookingForm>,
) -> Answer<Response> {
    let answer = attendance::api::undo(State(app.clone()), staff.caller.clone(), Path(booking)).await;
    // Whoever walked in had no booking before.
    let ended = match answer {
        Ok(_) => crate::booking::store::one(&app.db, booking).await?.is_some_and(|booking| booking.status == BookingStatus::Cancelled),
        Err(_) => false,
    };
    came_of(&app, &staff, at, back, answer.map(drop), if ended { "walk_in_undone" } else { "undone" }).await
}

/// Whom to move up, and why.
#[derive(Deserialize)]
pub struct MoveUpForm {
    booking: Uuid,
    reason: Option<Line<500>>,
    #[serde(default)]
    extra_place: bool,
    #[serde(default)]
    back: Back,
}

/// Gives somebody who waits a place.
pub async fn move_up(State(app): State<App>, staff: Staff, Path(at): Path<(Uuid, Uuid)>, Form(form): Form<MoveUpForm>) -> Answer<Response> {
    let moved = match form.reason {
        Some(reason) => {
            let what = MoveUp { booking_id: form.booking, reason: reason.into_string(), extra_place: form.extra_place };
            submit(&app, &staff.caller, Command::MoveUp(what)).await.map(drop)
        }
        None => Err(Problem::field("reason", crate::wrong::Wrong::Missing)),
    };
    came_of(&app, &staff, at, form.back, moved, "moved_up").await
}

async fn came_of(app: &App, staff: &Staff, (studio_id, id): (Uuid, Uuid), back: Back, what: Answer<()>, word: &str) -> Answer<Response> {
    match (what, back) {
        (Ok(()), Back::Today) => Ok(done(&format!("/console/{studio_id}/today"), word)),
        (Ok(()), Back::Session) => Ok(done(&format!("/console/{studio_id}/sessions/{id}"), word)),
        (Err(problem), Back::Today) => today::page(app, staff, studio_id, None, Said::refused(problem, staff.language)?).await,
        (Err(problem), Back::Session) => page(app, staff, studio_id, id, Said::refused(problem, staff.language)?).await,
    }
}

/// Notes on the session, for the team and for its members.
#[derive(Deserialize)]
pub struct NotesForm {
    team: Option<Note>,
    members: Option<Note>,
}

/// Writes them down.
pub async fn set_notes(
    State(app): State<App>,
    staff: Staff,
    Path(at): Path<(Uuid, Uuid)>,
    Form(NotesForm { team, members }): Form<NotesForm>,
) -> Answer<Response> {
    let what = Command::SetNotes { session_id: at.1, team: team.map(Note::into_string), members: members.map(Note::into_string) };
    let set = app.transactor.submit_for_id(staff.caller.actor(), what).await;
    came_of(&app, &staff, at, Back::Session, set.map(drop), "noted").await
}

/// Places to keep back.
#[derive(Deserialize)]
pub struct HoldForm {
    kind: HoldKind,
    places: i64,
    note: Option<Note>,
}

/// Keeps places back until the start.
pub async fn hold(State(app): State<App>, staff: Staff, Path(at): Path<(Uuid, Uuid)>, Form(form): Form<HoldForm>) -> Answer<Response> {
    let held = match form.places {
        places @ 1..=10_000 => {
            let terms = Terms { kind: form.kind, places, until: None, note: form.note.map(Note::into_string) };
            let what = SetHold { session_id: at.1, hold_id: new_id(app.clock.now()), terms };
            app.transactor.submit_for_id(staff.caller.actor(), Command::SetHold(what)).await.map(drop)
        }
        _ => Err(Problem::field("places", crate::wrong::Wrong::OutOfRange { min: 1, max: 10_000 })),
    };
    came_of(&app, &staff, at, Back::Session, held, "held").await
}

/// Which places to give free.
#[derive(Deserialize)]
pub struct ReleaseForm {
    hold: Uuid,
}

/// Gives kept places free.
pub async fn release(
    State(app): State<App>,
    staff: Staff,
    Path(at): Path<(Uuid, Uuid)>,
    Form(ReleaseForm { hold }): Form<ReleaseForm>,
) -> Answer<Response> {
    let what = Command::ReleaseHold { session_id: at.1, hold_id: hold };
    let released = app.transactor.submit_for_id(staff.caller.actor(), what).await;
    came_of(&app, &staff, at, Back::Session, released.map(drop), "released").await
}

#[derive(Template)]
#[template(path = "console/pages/cancel_session.html")]
struct CancelPage {
    shell: Shell,
    w: &'static Words,
    id: Uuid,
    class: String,
    when: String,
    in_series: bool,
    scope: Scope,
    reasons: Vec<(&'static str, &'static str)>,
    consequences: Option<Consequences>,
}

/// How much of a series.
#[derive(Deserialize)]
pub struct ScopeParams {
    #[serde(default)]
    scope: Scope,
}

/// What cancelling would do, and the button that does it.
pub async fn ask_cancel(
    State(app): State<App>,
    staff: Staff,
    Path(at): Path<(Uuid, Uuid)>,
    Query(ScopeParams { scope }): Query<ScopeParams>,
) -> Answer<Response> {
    cancel_page(&app, &staff, at, scope, Said::default()).await
}

async fn cancel_page(app: &App, staff: &Staff, (studio_id, id): (Uuid, Uuid), scope: Scope, said: Said) -> Answer<Response> {
    let session = find(app, studio_id, id).await?;
    attendance::api::require_staff_of(&staff.caller, &session)?;
    if !runs(&staff.caller, &session) {
        return Err(Problem::new(ProblemType::NotAllowed));
    }
    let what = Command::CancelSession(CancelSession { session_id: id, reason: None, note: None, scope });
    let (said, preview) = match app.transactor.preview(staff.caller.actor(), what).await {
        Ok(preview) => (said, Some(preview)),
        Err(problem) if said.refused.is_none() => (Said::refused(problem, staff.language)?, None),
        Err(_) => (said, None),
    };
    let shell = Shell::of(app, staff, studio_id, Part::Schedule, said).await?;
    let consequences = match preview {
        Some(preview) => Some(Consequences::of(app, preview, &shell).await?),
        None => None,
    };
    let page = CancelPage {
        w: shell.w,
        id,
        class: session.names.class_name.read(shell.language).to_owned(),
        when: phrases::span(session.starts_at, session.ends_at, shell.zone(), shell.language),
        in_series: session.series_id.is_some(),
        scope,
        reasons: words::cancel_reasons(shell.language),
        consequences,
        shell,
    };
    page.shell.answer(&page)
}

/// Why it is cancelled, and how much of a series.
#[derive(Deserialize)]
pub struct CancelForm {
    reason: Option<CancelReason>,
    note: Option<Note>,
    #[serde(default)]
    scope: Scope,
}

/// Cancels it.
pub async fn cancel(State(app): State<App>, staff: Staff, Path(at): Path<(Uuid, Uuid)>, Form(form): Form<CancelForm>) -> Answer<Response> {
    let (studio_id, id) = at;
    find(&app, studio_id, id).await?;
    let (scope, note) = (form.scope, form.note.map(Note::into_string));
    let what = Command::CancelSession(CancelSession { session_id: id, reason: form.reason, note, scope });
    match app.transactor.submit_for_id(staff.caller.actor(), what).await {
        Ok(_) => Ok(done(&format!("/console/{studio_id}/sessions/{id}"), "session_cancelled")),
        Err(problem) => cancel_page(&app, &staff, at, scope, Said::refused(problem, staff.language)?).await,
    }
}
