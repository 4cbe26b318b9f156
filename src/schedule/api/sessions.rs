//! Making, changing and cancelling sessions and series over HTTP. The transactor decides, so that no room and nobody is in two places at
//! once.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dry_run::{DryRun, OrPreview, preview};
use crate::app::App;
use crate::extract::{Body, IfMatch, Path, Query};
use crate::letters::facts::CancelReason;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::schedule::cancellation::CancelSession;
use crate::schedule::make_session::MakeSession;
use crate::schedule::rules::LocalStart;
use crate::schedule::series::scope::Scope;
use crate::schedule::session_fields::EditSession;
use crate::schedule::{Session, SessionView, store};
use crate::sign_in::Caller;
use crate::studios::api::Places;
use crate::studios::guard::require_scheduler;
use crate::text::Note;
use crate::transactor::Command;

/// A session that was made or changed, or what would come of it.
pub type SessionOrPreview = OrPreview<SessionView<'static>>;

/// A session to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MakeSessionBody)]
pub struct MakeBody {
    class_type_id: Uuid,
    room_id: Uuid,
    instructor_id: Uuid,
    /// The studio's wall time; one that a change of the clocks skips is refused, one that it repeats is the first of the two.
    local_start: LocalStart,
    /// At most the room's, which it is if nothing is said.
    #[serde(default)]
    capacity: Option<Places>,
    /// Members do not see it until it is published. An instructor who may only propose always makes drafts.
    #[serde(default)]
    draft: bool,
}

/// Schedules a session: admins any, instructors their own if the house rules let them.
#[utoipa::path(
    post, path = "/v1/studios/{id}/sessions", operation_id = "make_session",
    params(("id" = Uuid, Path), DryRun), request_body = MakeBody,
    responses(
        (status = 201, description = "It was made.", body = SessionOrPreview),
        (status = 200, description = "With `dry_run`: what would come of it.", body = SessionOrPreview),
    ),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, InstructorBusy, RoomBusy, StudioClosed, TooManyRequests])))
)]
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
        capacity: body.capacity.map(|places| places.0),
        draft: body.draft,
    };
    let answer = ask_or_preview(&app, &caller, Command::MakeSession(what), &how).await?;
    Ok(if how.dry_run { answer } else { (StatusCode::CREATED, answer).into_response() })
}

/// What of a session changes; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChangeSessionBody)]
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
    capacity: Option<Places>,
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

/// Changes a session, and tells everybody who is in it of a new time, room or instructor. With `dry_run` it answers what would come of it.
#[utoipa::path(
    patch, path = "/v1/sessions/{id}", operation_id = "change_session",
    params(("id" = Uuid, Path), DryRun), request_body = EditBody,
    responses((status = 200, body = SessionOrPreview)),
    extensions(("x-problem-types" = json!(refuses![
        NotAllowed, MembersOverlap, InstructorBusy, RoomBusy, CapacityTooSmall, StudioClosed, SessionCancelled, SessionStarted,
        SessionOver, TooManyRequests
    ])))
)]
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
        capacity: body.capacity.map(|places| places.0),
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
#[utoipa::path(
    put, path = "/v1/sessions/{id}/cancellation", operation_id = "cancel_session",
    params(("id" = Uuid, Path), DryRun), request_body = CancelBody,
    responses((status = 200, body = SessionOrPreview)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, SessionStarted, SessionOver, TooManyRequests])))
)]
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
#[schema(as = NoteSessionBody)]
pub struct NotesBody {
    /// Read by the studio's staff.
    #[serde(default)]
    team: Option<Note>,
    /// Read by everybody.
    #[serde(default)]
    members: Option<Note>,
}

/// Notes on a session: by its instructor and the studio's admins.
#[utoipa::path(
    put, path = "/v1/sessions/{id}/notes", operation_id = "note_session",
    params(("id" = Uuid, Path)), request_body = NotesBody,
    responses((status = 200, body = SessionView<'static>)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, TooManyRequests])))
)]
pub async fn set_notes(
    State(app): State<App>,
    caller: Caller,
    Path(session_id): Path<Uuid>,
    Body(body): Body<NotesBody>,
) -> Answer<Response> {
    let what = Command::SetNotes { session_id, team: body.team.map(Note::into_string), members: body.members.map(Note::into_string) };
    let session = made(&app, &caller, what).await?;
    Ok(Json(SessionView::of(&session, &session.names, caller.language, app.clock.now(), None)).into_response())
}

async fn ask_or_preview(app: &App, caller: &Caller, what: Command, how: &DryRun) -> Answer<Response> {
    if how.dry_run {
        return Ok(Json(preview::<SessionView<'_>>(app, caller, what).await?).into_response());
    }
    let session = made(app, caller, what).await?;
    let view = SessionView::of(&session, &session.names, caller.language, app.clock.now(), None);
    Ok(Json(OrPreview::Done(view)).into_response())
}

/// Submits the command, and reads the session that resulted.
async fn made(app: &App, caller: &Caller, what: Command) -> Answer<Session> {
    let id = app.transactor.submit_for_id(caller.actor(), what).await?;
    store::one(&app.db, id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))
}
