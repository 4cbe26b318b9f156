//! The door over HTTP: unclaimed places for those who stand there.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::api::{Roster, read_roster, require_staff_of};
use crate::app::App;
use crate::booking::door_release::ReleaseDoor;
use crate::extract::{Body, Path, Query};
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::schedule;
use crate::schedule::api::dry_run::{DryRun, OrPreview, preview};
use crate::sign_in::Caller;
use crate::transactor::Command;
use crate::wrong::Wrong;

/// The most bookings that a release names.
const NAMED_MAX: usize = 1_000;

/// Whose places may be given away.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DoorReleaseBody {
    /// Only the places of these bookings; without it, of any whose member has not come.
    #[serde(default)]
    #[schema(max_items = 1000)]
    booking_ids: Option<Vec<Uuid>>,
}

/// Who is in the session now, or what would become of it.
pub type RosterOrPreview = OrPreview<Roster>;

/// Gives places to those who stand at the door, in the order in which they came: free ones first, then those of members who have not come,
/// the last to book first, and no more than are taken. Whoever loses a place by it is absent, and is let in only if another one is left;
/// whoever gets one is checked in, and pays as always. For staff of the session, from the start to its end. Answers the roster; repeated, it
/// gives what has become free or unclaimed since.
#[utoipa::path(
    put, path = "/v1/sessions/{id}/door-release", operation_id = "release_door",
    params(("id" = Uuid, Path), DryRun), request_body = DoorReleaseBody,
    responses((status = 200, body = RosterOrPreview)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, NotDoorTime, BookingClosed, SessionCancelled, TooManyRequests])))
)]
pub async fn release(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(how): Query<DryRun>,
    Body(body): Body<DoorReleaseBody>,
) -> Answer<Json<RosterOrPreview>> {
    let session = schedule::store::one(&app.db, id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    require_staff_of(&caller, &session)?;
    if body.booking_ids.as_ref().is_some_and(|ids| ids.len() > NAMED_MAX) {
        return Err(Problem::field("booking_ids", Wrong::TooMany { max: NAMED_MAX }));
    }
    let what = Command::ReleaseDoor(ReleaseDoor { session_id: id, booking_ids: body.booking_ids });
    if how.dry_run {
        return preview(&app, &caller, what).await.map(Json);
    }
    app.transactor.submit(caller.actor(), what).await?;
    Ok(Json(OrPreview::Done(read_roster(&app, &session).await?)))
}
