//! What admins see and end of their staff's signing in: devices that were lost with somebody's phone, and the second factors that went with
//! it. An account is one in the whole deployment: its devices are those of every studio.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::owner::forget_factors;
use super::roles::Roles;
use super::staff::must_still_admin;
use super::store;
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Event, Happened, Subject};
use crate::extract::Path;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::sign_in::factors::rules::may_reset;
use crate::sign_in::signing::Device;
use crate::sign_in::{self, Caller};
use crate::studios::guard::require_admin;

/// The devices on which somebody of the staff is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct StaffDevices {
    /// The last used first.
    pub devices: Vec<Device>,
}

/// The roles of one who works in this studio; 404 for everybody else. Whoever knows an address can enter its person as a member and give them
/// a role: that puts nobody's account into the hands of a studio to which they never came.
async fn staff_of(tx: &mut Tx, studio_id: Uuid, person_id: Uuid) -> Answer<Roles> {
    let held = store::roles_of(tx, person_id).await?;
    let profile = store::profile(tx, person_id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    if !held.iter().any(|(of, _)| *of == studio_id) {
        return Err(Problem::new(ProblemType::NotFound));
    }
    let memberships = store::memberships_of(tx, &[person_id]).await?;
    if memberships.iter().any(|(of, _, came)| *of == studio_id && !came) {
        return Err(Problem::new(ProblemType::NotAllowed));
    }
    Ok(Roles::new(profile.is_owner, held))
}

/// An owner's devices are owners' to see.
fn may_see(caller: &Caller, whose: &Roles) -> Answer<()> {
    if caller.roles.is_owner || !whose.is_owner { Ok(()) } else { Err(Problem::new(ProblemType::NotAllowed)) }
}

/// The devices on which one of the studio's staff is signed in. Admins; an owner's devices are seen by owners.
#[utoipa::path(
    get, path = "/v1/studios/{id}/staff/{person_id}/devices", operation_id = "list_staff_devices",
    params(("id" = Uuid, Path), ("person_id" = Uuid, Path)),
    responses((status = 200, body = StaffDevices)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn list(State(app): State<App>, caller: Caller, Path((studio_id, person_id)): Path<(Uuid, Uuid)>) -> Answer<Json<StaffDevices>> {
    require_admin(&app, &caller, studio_id).await?;
    let mut tx = app.db.read().await?;
    may_see(&caller, &staff_of(&mut tx, studio_id, person_id).await?)?;
    let rows = sign_in::store::devices(&mut tx, app.clock.now(), person_id).await?;
    tx.rollback().await;
    Ok(Json(StaffDevices { devices: rows.into_iter().map(|row| Device::of(row, caller.device_id)).collect() }))
}

/// Signs one of the studio's staff out of a device. Admins; owners are signed out by owners.
#[utoipa::path(
    delete, path = "/v1/studios/{id}/staff/{person_id}/devices/{device_id}", operation_id = "sign_out_staff_device",
    params(("id" = Uuid, Path), ("person_id" = Uuid, Path), ("device_id" = Uuid, Path)),
    responses((status = 204, description = "Signed out")),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn end(
    State(app): State<App>,
    caller: Caller,
    Path((studio_id, person_id, device_id)): Path<(Uuid, Uuid, Uuid)>,
) -> Answer<StatusCode> {
    require_admin(&app, &caller, studio_id).await?;
    let now = app.clock.now();
    app.db
        .write("end_staff_device", move |tx| {
            Box::pin(async move {
                must_still_admin(tx, &caller, studio_id).await?;
                may_see(&caller, &staff_of(tx, studio_id, person_id).await?)?;
                if !sign_in::store::end_device(tx, now, person_id, device_id).await? {
                    return Err(Problem::new(ProblemType::NotFound));
                }
                let what = Happened::StaffDeviceSignedOut { person_id };
                let entry = caller.actor().did(Event::in_studio(studio_id, Subject::Device, device_id, what));
                events::log::write(tx, now, vec![entry]).await?;
                Ok::<_, Problem>(())
            })
        })
        .await?;
    app.identities.forget_device(device_id);
    Ok(StatusCode::NO_CONTENT)
}

/// Takes away the second factors of one of the studio's staff, who has lost them, and signs them out everywhere: then the password is enough
/// until they add one again. Admins, for staff who run no studio; owners, for everybody but owners, who are helped on the command line.
#[utoipa::path(
    delete, path = "/v1/studios/{id}/staff/{person_id}/second-factors", operation_id = "reset_staff_second_factors",
    params(("id" = Uuid, Path), ("person_id" = Uuid, Path)),
    responses((status = 204, description = "They have none")),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn reset_factors(State(app): State<App>, caller: Caller, Path((studio_id, person_id)): Path<(Uuid, Uuid)>) -> Answer<StatusCode> {
    require_admin(&app, &caller, studio_id).await?;
    let now = app.clock.now();
    app.db
        .write("reset_staff_factors", move |tx| {
            Box::pin(async move {
                let is_owner = must_still_admin(tx, &caller, studio_id).await?;
                let asking = Roles::new(is_owner, Vec::new());
                if !may_reset(&asking, &staff_of(tx, studio_id, person_id).await?) {
                    return Err(Problem::new(ProblemType::NotAllowed));
                }
                if forget_factors(tx, now, person_id).await? {
                    let entry = caller.actor().did(Event::in_studio(studio_id, Subject::Person, person_id, Happened::StaffFactorsReset));
                    events::log::write(tx, now, vec![entry]).await?;
                }
                Ok::<_, Problem>(())
            })
        })
        .await?;
    app.identities.forget_person(person_id);
    app.letters_written.notify_one();
    Ok(StatusCode::NO_CONTENT)
}
