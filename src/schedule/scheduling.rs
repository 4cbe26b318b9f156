//! Making, changing and cancelling sessions over HTTP. The desk decides: a room, an instructor and every member are in one place at a time.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::rules::LocalStart;
use super::{SessionView, store};
use crate::app::App;
use crate::desk::What;
use crate::desk::command::{EditSession, MakeSession};
use crate::extract::{Body, IfMatch, Path};
use crate::letters::facts::CancelReason;
use crate::problem::{Answer, Kind, Problem};
use crate::sign_in::Caller;
use crate::text::Note;

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
}

/// Schedules a session: admins any, an instructor her own if the house rules let her.
#[utoipa::path(post, operation_id = "make_session", path = "/v1/studios/{id}/sessions", tag = "Running a studio", params(("id" = Uuid, Path)), request_body = MakeBody,
    responses((status = 201, body = SessionView<'static>), (status = 409, description = "instructor-busy, room-busy")))]
pub async fn make(State(app): State<App>, caller: Caller, Path(studio_id): Path<Uuid>, Body(body): Body<MakeBody>) -> Answer<Response> {
    let what = MakeSession {
        studio_id,
        class_type_id: body.class_type_id,
        room_id: body.room_id,
        instructor_id: body.instructor_id,
        local_start: body.local_start,
        capacity: body.capacity,
    };
    let session = ask(&app, &caller, What::MakeSession(what)).await?;
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
}

/// Changes a session, and tells everybody who is in it of a new time, room or instructor.
#[utoipa::path(patch, operation_id = "change_session", path = "/v1/sessions/{id}", tag = "Running a studio", params(("id" = Uuid, Path), ("If-Match" = String, Header)), request_body = EditBody,
    responses((status = 200, body = SessionView<'static>), (status = 409, description = "members-overlap, instructor-busy, room-busy, capacity-too-small"), (status = 412, description = "version-stale")))]
pub async fn edit(
    State(app): State<App>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Path(session_id): Path<Uuid>,
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
    };
    ask(&app, &caller, What::EditSession(what)).await
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
}

/// Cancels a session: everything taken for it comes back, and everybody is told. Repeated, it answers the same.
#[utoipa::path(put, operation_id = "cancel_session", path = "/v1/sessions/{id}/cancellation", tag = "Running a studio", params(("id" = Uuid, Path)), request_body = CancelBody,
    responses((status = 200, body = SessionView<'static>)))]
pub async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(session_id): Path<Uuid>,
    Body(body): Body<CancelBody>,
) -> Answer<Response> {
    let note = body.note.map(Note::into_string);
    ask(&app, &caller, What::CancelSession { session_id, reason: body.reason, note }).await
}

async fn ask(app: &App, caller: &Caller, what: What) -> Answer<Response> {
    let id = app.desk.ask_for_id(caller.record(), what).await?;
    let shown = store::one(&app.db, id).await?.ok_or_else(|| Problem::new(Kind::NotFound))?;
    Ok(Json(SessionView::of(&shown, &shown.names, caller.language, app.clock.now(), None)).into_response())
}
