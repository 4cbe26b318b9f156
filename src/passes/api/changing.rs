//! What becomes of a pass after its sale, over HTTP: credits and days that the studio gives, freezes, transfers.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::selling::hash;
use super::{only_admin, only_front_desk, seen, shown};
use crate::app::App;
use crate::extract::{Body, IdempotencyKey, Path, Within};
use crate::passes::extend::ExtendPass;
use crate::passes::freeze::FreezePass;
use crate::passes::give::GiveCredits;
use crate::passes::transfer::TransferPass;
use crate::passes::view::PassView;
use crate::problem::{Answer, Problem, refuses};
use crate::schedule::rules::LocalDate;
use crate::sign_in::Caller;
use crate::text::Line;
use crate::transactor::Command;
use crate::wrong::Wrong;

/// How many credits, and why.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiftBody {
    /// 1 to 1,000.
    credits: Within<1, 1_000>,
    /// Why, as it stands in the ledger: the member reads it.
    reason: Line<500>,
}

/// Gives credits to a pack. Admins. Sent again with the same key it answers with the pass.
#[utoipa::path(
    post, path = "/v1/passes/{id}/gifts", operation_id = "give_credits",
    params(("id" = Uuid, Path)), request_body = GiftBody,
    responses((status = 201, body = PassView)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, PassOver, TooManyRequests])))
)]
pub async fn give(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IdempotencyKey(key): IdempotencyKey,
    Body(body): Body<GiftBody>,
) -> Answer<Response> {
    only_admin(&app, &caller, id).await?;
    let body_hash = hash(&("gift", id, &body))?;
    let what = GiveCredits { pass_id: id, credits: body.credits.0, reason: body.reason.into_string(), key, body_hash };
    app.transactor.submit(caller.actor(), Command::GiveCredits(what)).await?;
    Ok((StatusCode::CREATED, Json(shown(&app, &caller, id).await?)).into_response())
}

/// Until when, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpiryBody {
    /// The new last day, later than it is. Of a pass that has not begun, the last on which it can.
    expires_on: LocalDate,
    /// Why, as it stands in the ledger: the member reads it.
    reason: Line<500>,
}

/// Gives a pass a later last day, also one whose last day is over. Admins. Repeated, it answers the same.
#[utoipa::path(
    put, path = "/v1/passes/{id}/expiry", operation_id = "extend_pass",
    params(("id" = Uuid, Path)), request_body = ExpiryBody,
    responses((status = 200, body = PassView)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, PassOver, TooManyRequests])))
)]
pub async fn extend(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>, Body(body): Body<ExpiryBody>) -> Answer<Json<PassView>> {
    only_admin(&app, &caller, id).await?;
    let what = ExtendPass { pass_id: id, expires_on: body.expires_on.0, reason: body.reason.into_string() };
    app.transactor.submit(caller.actor(), Command::ExtendPass(what)).await?;
    Ok(Json(shown(&app, &caller, id).await?))
}

/// On which days a pass is to be frozen.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeBody {
    /// The first day, today at the earliest …
    from: LocalDate,
    /// … and the last, at most a year later.
    until: LocalDate,
    /// Bookings on those days for which it pays are cancelled, at no cost. Without it they are named, and nothing is done.
    #[serde(default)]
    cancel_bookings: bool,
}

/// Freezes a pass: on those days, the first and the last included, it pays for nothing, and its last day is later by as many. The front
/// desk; whoever holds it, where its type allows and for as many days in all. There is one freeze at a time: one that has not begun is
/// replaced, one that runs may get another end. Repeated, it answers the same.
#[utoipa::path(
    put, path = "/v1/passes/{id}/freeze", operation_id = "freeze_pass",
    params(("id" = Uuid, Path)), request_body = FreezeBody,
    responses((status = 200, body = PassView)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, PassOver, PassFrozen, PassInUse, FreezeTooLong, TooManyRequests])))
)]
pub async fn freeze(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>, Body(body): Body<FreezeBody>) -> Answer<Json<PassView>> {
    seen(&app, &caller, id).await?;
    let what = FreezePass { pass_id: id, from: body.from.0, until: body.until.0, cancel_bookings: body.cancel_bookings };
    app.transactor.submit(caller.actor(), Command::FreezePass(what)).await?;
    Ok(Json(shown(&app, &caller, id).await?))
}

/// Ends a freeze early: the days that are left of it are taken off the pass's last day again. Repeated, it answers the same.
#[utoipa::path(
    delete, path = "/v1/passes/{id}/freeze", operation_id = "unfreeze_pass",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = PassView)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, TooManyRequests])))
)]
pub async fn unfreeze(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Answer<Json<PassView>> {
    seen(&app, &caller, id).await?;
    app.transactor.submit(caller.actor(), Command::UnfreezePass { pass_id: id }).await?;
    Ok(Json(shown(&app, &caller, id).await?))
}

/// Shares a pass with the caller's family: whoever acts for the caller, and for whom the caller acts, may pay with it, after passes of
/// their own. Who holds it. Repeated, it answers the same.
#[utoipa::path(
    put, path = "/v1/passes/{id}/sharing", operation_id = "share_pass",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = PassView)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, PassOver, TooManyRequests])))
)]
pub async fn share(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Answer<Json<PassView>> {
    seen(&app, &caller, id).await?;
    app.transactor.submit(caller.actor(), Command::SharePass { pass_id: id, shared: true }).await?;
    Ok(Json(shown(&app, &caller, id).await?))
}

/// Shares it no more: what it has paid for stays booked, and what comes back comes back to it. Who holds it. Repeated, it answers the same.
#[utoipa::path(
    delete, path = "/v1/passes/{id}/sharing", operation_id = "unshare_pass",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = PassView)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, PassOver, TooManyRequests])))
)]
pub async fn unshare(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Answer<Json<PassView>> {
    seen(&app, &caller, id).await?;
    app.transactor.submit(caller.actor(), Command::SharePass { pass_id: id, shared: false }).await?;
    Ok(Json(shown(&app, &caller, id).await?))
}

/// To whom, or where to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferBody {
    /// Another member of the studio.
    #[serde(default)]
    person_id: Option<Uuid>,
    /// Another studio: it is valid there instead.
    #[serde(default)]
    studio_id: Option<Uuid>,
}

/// Transfers what is left of a pass, where its type allows: to another member, to another studio, or both. The pass ends, and the answer is
/// the new one, with an id of its own; what was paid for goes along. Front desk, and to another studio who serves members there too; the member
/// must be one of that studio. Repeated, it answers the same.
#[utoipa::path(
    put, path = "/v1/passes/{id}/transfer", operation_id = "transfer_pass",
    params(("id" = Uuid, Path)), request_body = TransferBody,
    responses((status = 200, body = PassView)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, PassOver, PassFrozen, PassInUse, PassNotTransferable, TooManyRequests])))
)]
pub async fn transfer(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Body(body): Body<TransferBody>,
) -> Answer<Json<PassView>> {
    only_front_desk(&app, &caller, id).await?;
    if body.person_id.is_none() && body.studio_id.is_none() {
        return Err(Problem::field("person_id", Wrong::OneAtLeast));
    }
    let what = TransferPass { pass_id: id, person_id: body.person_id, studio_id: body.studio_id };
    let there = app.transactor.submit_for_id(caller.actor(), Command::TransferPass(what)).await?;
    Ok(Json(shown(&app, &caller, there).await?))
}
