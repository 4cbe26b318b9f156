//! An admin erases a member who has no account, over HTTP.

use axum::extract::State;
use axum::http::StatusCode;
use uuid::Uuid;

use crate::app::App;
use crate::extract::Path;
use crate::problem::{Answer, refuses};
use crate::sign_in::Caller;
use crate::studios::guard::require_admin;
use crate::transactor::Command;

/// Erases a member who has no account, and so cannot ask for it: name, address, telephone number and whatever staff wrote of them go at
/// once, for good. What is booked by then is cancelled without penalty; what was booked and paid stays under an id without a name. Admins
/// of every studio that knows the person. Repeated, it answers the same.
#[utoipa::path(
    put, path = "/v1/studios/{id}/members/{person_id}/erasure", operation_id = "erase_member",
    params(("id" = Uuid, Path), ("person_id" = Uuid, Path)),
    responses((status = 204, description = "Nothing says any more who it was.")),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, HasAccount, StaffTeaches, TooManyRequests])))
)]
pub async fn put(State(app): State<App>, caller: Caller, Path((studio_id, person_id)): Path<(Uuid, Uuid)>) -> Answer<StatusCode> {
    require_admin(&app, &caller, studio_id).await?;
    app.transactor.submit(caller.actor(), Command::ErasePerson { studio_id, person_id }).await?;
    app.identities.forget_person(person_id);
    Ok(StatusCode::NO_CONTENT)
}
