//! An admin makes two entries of one member one, over HTTP.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::merge::MergeMembers;
use super::store;
use crate::app::App;
use crate::extract::{Body, Path, Query};
use crate::problem::{Answer, refuses};
use crate::sign_in::Caller;
use crate::studios::guard::require_admin;
use crate::transactor::{BookingChange, Command, Outcome};

/// Whose entry stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeRequest {
    into: Uuid,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DryRun {
    /// Answer what would become of which booking, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// Two entries that are one.
#[derive(Debug, Serialize, ToSchema)]
pub struct Merged {
    /// Nothing was written.
    dry_run: bool,
    /// Whose everything is.
    person_id: Uuid,
    /// Of a dry run: bookings that would give way to another one of the same class, with what would come back for them.
    bookings: Vec<BookingChange>,
}

/// Makes two entries of one member one: every booking, arrival, pass, credit, penalty and letter of the one is the other's, and the name,
/// address and number of the one are forgotten. Where both are in a class, who came stays, else who has a place; the other booking ends and
/// costs nothing. Refused (409 `cannot-merge`) for who has an account (`because`: `has_account`), for staff (`is_staff`), and if both had
/// places at one time (`overlap`): they are two. Admins of every studio that knows the one who goes. Repeated, it answers the same.
#[utoipa::path(
    put, path = "/v1/studios/{id}/members/{person_id}/merge", operation_id = "merge_members",
    params(("id" = Uuid, Path), ("person_id" = Uuid, Path), DryRun), request_body = MergeRequest,
    responses((status = 200, body = Merged)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, CannotMerge, TooManyRequests])))
)]
pub async fn put(
    State(app): State<App>,
    caller: Caller,
    Path((studio_id, from)): Path<(Uuid, Uuid)>,
    Query(DryRun { dry_run }): Query<DryRun>,
    Body(MergeRequest { into }): Body<MergeRequest>,
) -> Answer<Json<Merged>> {
    require_admin(&app, &caller, studio_id).await?;
    if store::merging::is_merged(&app.db, studio_id, from, into).await? {
        return Ok(Json(Merged { dry_run, person_id: into, bookings: Vec::new() }));
    }
    let what = Command::MergeMembers(MergeMembers { studio_id, from, into });
    if dry_run {
        let preview = app.transactor.preview(caller.actor(), what).await?;
        return Ok(Json(Merged { dry_run, person_id: into, bookings: preview.bookings }));
    }
    if let Outcome::Ids(freed) = app.transactor.submit(caller.actor(), what).await? {
        app.identities.forget_person(from);
        // What came free, and what they can pay for now, is given out by the rows as they are from here on.
        for session_id in freed {
            app.transactor.submit_sweep(Command::Refill { session_id }).await?;
        }
        app.transactor.submit_sweep(Command::RefillFor { person_id: into }).await?;
    }
    Ok(Json(Merged { dry_run, person_id: into, bookings: Vec::new() }))
}
