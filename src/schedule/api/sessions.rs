//! Making, changing and cancelling sessions over HTTP, one or what follows it in its series. The transactor decides: a room, an instructor and every member are in one place at a time.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::app::App;
use crate::extract::{Body, IfMatch, Path, Query};
use crate::letters::facts::CancelReason;
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule::BulkResult;
use crate::schedule::cancellation::CancelSession;
use crate::schedule::make_session::MakeSession;
use crate::schedule::rules::LocalStart;
use crate::schedule::series::scope::Scope;
use crate::schedule::session_fields::EditSession;
use crate::schedule::{SessionView, store};
use crate::sign_in::Caller;
use crate::studios::guard::require_scheduler;
use crate::text::Note;
use crate::transactor::{Command, Outcome, Preview};

/// A session to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeBody {
    class_type_id: Uuid,
    room_id: Uuid,
    instructor_id: Uuid,
    /// The studio's wall time; one that a change of the clocks skips is refused, one that it repeats is the first of the two.
    local_start: LocalStart,
    /// At most the room's, which it is if nothing is said.
    #[serde(default)]
    capacity: Option<i64>,
    /// Members do not see it until it is published. An instructor who may only propose always makes drafts.
    #[serde(default)]
    draft: bool,
}

/// Schedules a session: admins any, an instructor her own if the house rules let her.
#[utoipa::path(post, operation_id = "make_session", path = "/v1/studios/{id}/sessions", tag = "Running a studio", params(("id" = Uuid, Path), DryRun), request_body = MakeBody,
    responses((status = 201, body = SessionView<'static>), (status = 200, body = Preview), (status = 409, description = "instructor-busy, room-busy")))]
pub async fn make(
    State(app): State<App>,
    caller: Caller,
    Path(studio_id): Path<Uuid>,
    Query(how): Query<DryRun>,
    Body(body): Body<MakeBody>,
) -> Answer<Response> {
    require_scheduler(&app, &caller, studio_id).await?;
    let what = MakeSession {
        studio_id,
        class_type_id: body.class_type_id,
        room_id: body.room_id,
        instructor_id: body.instructor_id,
        local_start: body.local_start,
        capacity: body.capacity,
        draft: body.draft,
    };
    if how.dry_run {
        return Ok(looked(&app, &caller, Command::MakeSession(what)).await?.into_response());
    }
    let session = ask(&app, &caller, Command::MakeSession(what)).await?;
    Ok((StatusCode::CREATED, session).into_response())
}

/// What of a session changes; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditBody {
    #[serde(default)]
    class_type_id: Option<Uuid>,
    #[serde(default)]
    room_id: Option<Uuid>,
    #[serde(default)]
    instructor_id: Option<Uuid>,
    #[serde(default)]
    local_start: Option<LocalStart>,
    #[serde(default)]
    capacity: Option<i64>,
    /// Too few: it takes place however few have booked.
    #[serde(default)]
    too_few_exempt: Option<bool>,
    /// `following` and `all` change the series: what is changed by hand in one of its sessions stays.
    #[serde(default)]
    scope: Scope,
    /// Members whom a new time would put into two sessions at once leave this one, those above a smaller capacity go to the head of the
    /// waitlist, refunded and told; without, they stand in the way of the change.
    #[serde(default)]
    release: bool,
}

/// Only look.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DryRun {
    /// Answer who would be told what and who would lose what, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What came of an act; with `dry_run` what would come of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum OrPreview<T> {
    /// Done.
    Done(T),
    /// Only looked at.
    Preview(Preview),
}

/// Changes a session, and tells everybody who is in it of a new time, room or instructor. With `dry_run` it answers what would come of it.
#[utoipa::path(patch, operation_id = "change_session", path = "/v1/sessions/{id}", tag = "Running a studio", params(("id" = Uuid, Path), ("If-Match" = String, Header), DryRun), request_body = EditBody,
    responses((status = 200, body = OrPreview<SessionView<'static>>), (status = 409, description = "members-overlap, instructor-busy, room-busy, capacity-too-small"), (status = 412, description = "version-stale")))]
pub async fn edit(
    State(app): State<App>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Path(session_id): Path<Uuid>,
    Query(how): Query<DryRun>,
    Body(body): Body<EditBody>,
) -> Answer<Response> {
    let what = EditSession {
        session_id,
        version,
        class_type_id: body.class_type_id,
        room_id: body.room_id,
        instructor_id: body.instructor_id,
        local_start: body.local_start,
        capacity: body.capacity,
        too_few_exempt: body.too_few_exempt,
        scope: body.scope,
        release: body.release,
    };
    ask_or_preview(&app, &caller, Command::EditSession(what), &how).await
}

/// Why a session is cancelled; the note goes to everybody who is in it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SessionCancellation)]
pub struct CancelBody {
    #[serde(default)]
    reason: Option<CancelReason>,
    #[serde(default)]
    note: Option<Note>,
    /// `following` and `all` end its series.
    #[serde(default)]
    scope: Scope,
}

/// Cancels a session: everything taken for it comes back, and everybody is told. Repeated, it answers the same. With `dry_run` it answers
/// what would come of it.
#[utoipa::path(put, operation_id = "cancel_session", path = "/v1/sessions/{id}/cancellation", tag = "Running a studio", params(("id" = Uuid, Path), DryRun), request_body = CancelBody,
    responses((status = 200, body = OrPreview<SessionView<'static>>)))]
pub async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(session_id): Path<Uuid>,
    Query(how): Query<DryRun>,
    Body(body): Body<CancelBody>,
) -> Answer<Response> {
    let what = CancelSession { session_id, reason: body.reason, note: body.note.map(Note::into_string), scope: body.scope };
    ask_or_preview(&app, &caller, Command::CancelSession(what), &how).await
}

/// What should be known of a session; what is absent or null is cleared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NotesBody {
    /// Read by the studio's staff.
    #[serde(default)]
    team: Option<Note>,
    /// Read by everybody.
    #[serde(default)]
    members: Option<Note>,
}

/// Notes on a session: by its instructor and the studio's admins.
#[utoipa::path(put, operation_id = "note_session", path = "/v1/sessions/{id}/notes", tag = "Running a studio", params(("id" = Uuid, Path)), request_body = NotesBody,
    responses((status = 200, body = SessionView<'static>)))]
pub async fn set_notes(
    State(app): State<App>,
    caller: Caller,
    Path(session_id): Path<Uuid>,
    Body(body): Body<NotesBody>,
) -> Answer<Response> {
    let what = Command::SetNotes { session_id, team: body.team.map(Note::into_string), members: body.members.map(Note::into_string) };
    ask(&app, &caller, what).await
}

/// Who would be told what, and who would lose what.
pub async fn looked(app: &App, caller: &Caller, what: Command) -> Answer<Json<Preview>> {
    app.transactor.preview(caller.actor(), what).await.map(Json)
}

async fn ask_or_preview(app: &App, caller: &Caller, what: Command, how: &DryRun) -> Answer<Response> {
    if how.dry_run { Ok(looked(app, caller, what).await?.into_response()) } else { ask(app, caller, what).await }
}

/// Hands the transactor an act that touches several sessions, or asks what would come of it.
pub async fn several(app: &App, caller: &Caller, what: Command, how: &DryRun) -> Answer<Json<OrPreview<BulkResult>>> {
    if how.dry_run {
        return looked(app, caller, what).await.map(|Json(preview)| Json(OrPreview::Preview(preview)));
    }
    match app.transactor.submit(caller.actor(), what).await? {
        Outcome::Bulk(result) => Ok(Json(OrPreview::Done(*result))),
        _ => Err(Problem::new(ProblemType::Fault)),
    }
}

async fn ask(app: &App, caller: &Caller, what: Command) -> Answer<Response> {
    let id = app.transactor.submit_for_id(caller.actor(), what).await?;
    let shown = store::one(&app.db, id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    Ok(Json(SessionView::of(&shown, &shown.names, caller.language, app.clock.now(), None)).into_response())
}
