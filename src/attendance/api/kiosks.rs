//! The devices at a studio's door over HTTP: admins add them, see when they were last there, and take them away.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::attendance::KioskRow;
use crate::attendance::kiosk::new_token;
use crate::attendance::store::kiosks as store;
use crate::events::{self, Event, Happened, Subject};
use crate::extract::{Body, Path};
use crate::ids::new_id;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::sign_in::Caller;
use crate::studios::guard::require_admin;
use crate::text::Called;

/// The most that a studio has at a time.
const KIOSKS_MAX: i64 = 20;

/// A new device.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewKiosk)]
pub struct KioskBody {
    /// Where it stands: "Entrance, left".
    name: Called<80>,
}

/// A device that was just added.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AddedKiosk)]
pub struct Added {
    #[serde(flatten)]
    #[allow(missing_docs, reason = "its fields stand in this one")]
    pub kiosk: KioskRow,
    /// What the device signs its calls with, as `Authorization: Bearer …`. It is shown this once.
    pub token: String,
}

/// The devices at a studio's door.
#[derive(Debug, Serialize, ToSchema)]
pub struct Kiosks {
    /// The oldest first; at most 20.
    pub kiosks: Vec<KioskRow>,
}

/// Adds a device at the studio's door: its token can check members in by their codes, at once or later, and read who is expected today, in
/// this studio; it can do nothing else. For admins.
#[utoipa::path(
    post, path = "/v1/studios/{id}/kiosks", operation_id = "add_kiosk",
    params(("id" = Uuid, Path)), request_body = KioskBody,
    responses((status = 201, body = Added)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, TooManyKiosks])))
)]
pub async fn add(
    State(app): State<App>,
    caller: Caller,
    Path(studio_id): Path<Uuid>,
    Body(body): Body<KioskBody>,
) -> Answer<(StatusCode, Json<Added>)> {
    require_admin(&app, &caller, studio_id).await?;
    let (now, actor, by) = (app.clock.now(), caller.actor(), caller.person_id);
    let (token, token_hash) = new_token()?;
    let kiosk = KioskRow { id: new_id(now), name: body.name.into_string(), added_at: now, last_seen_at: None };
    let row = kiosk.clone();
    app.db
        .write("add_kiosk", move |tx| {
            Box::pin(async move {
                if store::count(tx, studio_id).await? >= KIOSKS_MAX {
                    return Err(Problem::new(ProblemType::TooManyKiosks).with("max", KIOSKS_MAX));
                }
                store::insert(tx, studio_id, &row, token_hash, by).await?;
                let event = Event::in_studio(studio_id, Subject::Kiosk, row.id, Happened::KioskAdded);
                events::log::write(tx, now, vec![actor.did(event)]).await?;
                Ok(())
            })
        })
        .await?;
    Ok((StatusCode::CREATED, Json(Added { kiosk, token })))
}

/// The devices at the studio's door, without their tokens. For admins.
#[utoipa::path(
    get, path = "/v1/studios/{id}/kiosks", operation_id = "list_kiosks",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Kiosks)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn list(State(app): State<App>, caller: Caller, Path(studio_id): Path<Uuid>) -> Answer<Json<Kiosks>> {
    require_admin(&app, &caller, studio_id).await?;
    Ok(Json(Kiosks { kiosks: store::of_studio(&app.db, studio_id).await? }))
}

/// Takes a device away: from now on its token is worth nothing. For admins.
#[utoipa::path(
    delete, path = "/v1/studios/{id}/kiosks/{kiosk_id}", operation_id = "remove_kiosk",
    params(("id" = Uuid, Path), ("kiosk_id" = Uuid, Path)),
    responses((status = 204, description = "Its token is worth nothing any more")),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn remove(State(app): State<App>, caller: Caller, Path((studio_id, id)): Path<(Uuid, Uuid)>) -> Answer<StatusCode> {
    require_admin(&app, &caller, studio_id).await?;
    let (now, actor) = (app.clock.now(), caller.actor());
    app.db
        .write("remove_kiosk", move |tx| {
            Box::pin(async move {
                if !store::remove(tx, studio_id, id).await? {
                    return Err(Problem::new(ProblemType::NotFound));
                }
                let event = Event::in_studio(studio_id, Subject::Kiosk, id, Happened::KioskRemoved);
                events::log::write(tx, now, vec![actor.did(event)]).await?;
                Ok(())
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
