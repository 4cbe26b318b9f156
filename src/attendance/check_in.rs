//! Marking who came, by staff of the session, and taking it back.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::booking::api::{answer, ask_desk};
use crate::booking::view::BookingView;
use crate::desk::What;
use crate::extract::{Body, Path};
use crate::problem::Answer;
use crate::sign_in::Caller;

/// When she came, if not now.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckInBody {
    #[serde(default)]
    at: Option<DateTime<Utc>>,
}

/// She came. Repeated, it answers the same.
#[utoipa::path(put, path = "/v1/bookings/{id}/check-in", tag = "Attendance", params(("id" = Uuid, Path)), request_body = CheckInBody,
    responses((status = 200, body = BookingView<'static>), (status = 409, description = "not-check-in-time, status-changed")))]
pub async fn check_in(
    State(app): State<App>,
    caller: Caller,
    Path(booking_id): Path<Uuid>,
    Body(body): Body<CheckInBody>,
) -> Answer<Response> {
    let shown = ask_desk(&app, &caller, What::CheckIn { booking_id, at: body.at }).await?;
    answer(&app, &caller, *shown).await
}

/// She did not, after all.
#[utoipa::path(delete, operation_id = "undo_check_in", path = "/v1/bookings/{id}/check-in", tag = "Attendance", params(("id" = Uuid, Path)),
    responses((status = 200, body = BookingView<'static>)))]
pub async fn undo(State(app): State<App>, caller: Caller, Path(booking_id): Path<Uuid>) -> Answer<Response> {
    let shown = ask_desk(&app, &caller, What::UndoCheckIn { booking_id }).await?;
    answer(&app, &caller, *shown).await
}
