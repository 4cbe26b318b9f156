//! Where a member stands, for themselves and for the front desk; taking a penalty back, and noting that a fee was paid.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::pay::PayFee;
use super::store;
use super::view::{PenaltyView, Standing};
use super::waive::WaivePenalty;
use crate::app::App;
use crate::extract::{Body, Path};
use crate::people;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::sign_in::Caller;
use crate::studios;
use crate::studios::guard::{require_admin, require_front_desk};
use crate::text::Line;
use crate::transactor::Command;

/// Where the caller stands, studio by studio.
#[derive(Debug, Serialize, ToSchema)]
pub struct Standings {
    /// One for each studio of which they are a member.
    studios: Vec<Standing>,
}

/// Where the caller stands in each studio: which strikes count, when they lapse, what they mean now, and which fees are open.
#[utoipa::path(
    get, path = "/v1/me/standing", operation_id = "show_own_standing",
    responses((status = 200, body = Standings))
)]
pub async fn own(State(app): State<App>, caller: Caller) -> Answer<Json<Standings>> {
    let now = app.clock.now();
    let penalties = store::of_person(&app.db, caller.person_id, None).await?;
    let mut tx = app.db.read().await?;
    let memberships = people::store::memberships_of(&mut tx, &[caller.person_id]).await?;
    let ids: BTreeSet<Uuid> =
        memberships.into_iter().map(|(studio_id, ..)| studio_id).chain(penalties.iter().map(|penalty| penalty.studio_id)).collect();
    let mut studios = studios::store::contexts(&mut tx, &ids.into_iter().collect::<Vec<_>>()).await?;
    tx.rollback().await;
    studios.sort_by_key(|studio| studio.id);
    let standing = |studio: &_| Standing::of(studio, &penalties, caller.language.unwrap_or(studio.locale), now);
    Ok(Json(Standings { studios: studios.iter().map(standing).collect() }))
}

/// Where a member stands in this studio, for its front desk.
#[utoipa::path(
    get, path = "/v1/studios/{id}/members/{person_id}/standing", operation_id = "show_member_standing",
    params(("id" = Uuid, Path), ("person_id" = Uuid, Path)),
    responses((status = 200, body = Standing)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn of_member(State(app): State<App>, caller: Caller, Path((studio_id, person_id)): Path<(Uuid, Uuid)>) -> Answer<Json<Standing>> {
    require_front_desk(&app, &caller, studio_id).await?;
    let penalties = store::of_person(&app.db, person_id, Some(studio_id)).await?;
    let mut tx = app.db.read().await?;
    let member = people::store::member(&mut tx, studio_id, person_id).await?;
    let studio = studios::store::contexts(&mut tx, &[studio_id]).await?.pop();
    tx.rollback().await;
    let (Some(_), Some(studio)) = (member, studio) else { return Err(Problem::new(ProblemType::NotFound)) };
    Ok(Json(Standing::of(&studio, &penalties, caller.language.unwrap_or(studio.locale), app.clock.now())))
}

/// Why a penalty is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiverBody {
    /// Why, as the member reads it in the history of the booking.
    reason: Line<500>,
}

/// Takes a penalty back: the credit or visit, the strike and the fee; who becomes able by it is served at once. A fee that was paid is
/// returned at the desk. Repeated, it answers the same, and the first reason stands.
#[utoipa::path(
    put, path = "/v1/studios/{id}/penalties/{penalty_id}/waiver", operation_id = "waive_penalty",
    params(("id" = Uuid, Path), ("penalty_id" = Uuid, Path)), request_body = WaiverBody,
    responses((status = 200, body = PenaltyView)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, TooManyRequests])))
)]
pub async fn waive(
    State(app): State<App>,
    caller: Caller,
    Path((studio_id, penalty_id)): Path<(Uuid, Uuid)>,
    Body(body): Body<WaiverBody>,
) -> Answer<Json<PenaltyView>> {
    require_admin(&app, &caller, studio_id).await?;
    let what = Command::WaivePenalty(WaivePenalty { studio_id, penalty_id, reason: body.reason.into_string() });
    let id = app.transactor.submit_for_id(caller.actor(), what).await?;
    shown(&app, id).await
}

/// How a fee was paid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeePaymentBody {
    /// `cash`, `card`, `alipay` …
    method: Line<50>,
    /// The receipt's number.
    #[serde(default)]
    reference: Option<Line<200>>,
}

/// Notes that a fee was paid at the desk; Relevé moves no money. Repeated, it answers the same, and the first method stands.
#[utoipa::path(
    put, path = "/v1/studios/{id}/penalties/{penalty_id}/payment", operation_id = "pay_fee",
    params(("id" = Uuid, Path), ("penalty_id" = Uuid, Path)), request_body = FeePaymentBody,
    responses((status = 200, body = PenaltyView)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, NoFeeOwed, TooManyRequests])))
)]
pub async fn pay(
    State(app): State<App>,
    caller: Caller,
    Path((studio_id, penalty_id)): Path<(Uuid, Uuid)>,
    Body(body): Body<FeePaymentBody>,
) -> Answer<Json<PenaltyView>> {
    require_front_desk(&app, &caller, studio_id).await?;
    let (method, reference) = (body.method.into_string(), body.reference.map(Line::into_string));
    let what = Command::PayFee(PayFee { studio_id, penalty_id, method, reference });
    let id = app.transactor.submit_for_id(caller.actor(), what).await?;
    shown(&app, id).await
}

async fn shown(app: &App, id: Uuid) -> Answer<Json<PenaltyView>> {
    let mut tx = app.db.read().await?;
    let found = store::by_id(&mut tx, &[id]).await?;
    tx.rollback().await;
    found.first().map(|penalty| Json(PenaltyView::from(penalty))).ok_or_else(|| Problem::new(ProblemType::NotFound))
}
