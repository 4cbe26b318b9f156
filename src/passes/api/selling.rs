//! Selling a pass over HTTP: Relevé records what was paid, it moves no money.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::extract::{Body, IdempotencyKey, Path, Within};
use crate::letters::facts::Money;
use crate::passes::sell::Paid;
use crate::passes::sell::SellPass;
use crate::passes::view::PassView;
use crate::problem::{Answer, Problem, refuses};
use crate::schedule::rules::LocalDate;
use crate::sign_in::Caller;
use crate::studios;
use crate::text::{Currency, Line};
use crate::transactor::Command;

/// An amount that is recorded, in minor units.
type PaidAmount = Within<0, 100_000_000_000>;

/// Which pass, and what was paid for it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SellBody {
    pass_type_id: Uuid,
    #[serde(default)]
    paid: Option<PaidBody>,
    /// The first day on which it pays, at most a year ahead, from which it counts then; without it, from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    starts_on: Option<LocalDate>,
}

/// What was paid, as the front desk writes it down.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaidBody {
    /// In minor units of the currency.
    amount_minor: PaidAmount,
    /// ISO 4217.
    currency: Currency,
    /// `cash`, `card`, `alipay` …
    method: Line<50>,
    /// The receipt's number.
    #[serde(default)]
    reference: Option<Line<200>>,
}

/// Sells a pass to a member of the studio. Sent again with the same key it answers with the same pass.
#[utoipa::path(
    post, path = "/v1/studios/{id}/members/{person_id}/passes", operation_id = "sell_pass",
    params(("id" = Uuid, Path), ("person_id" = Uuid, Path)), request_body = SellBody,
    responses((status = 201, body = PassView)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, PassNotForThem, TooManyRequests])))
)]
pub async fn sell(
    State(app): State<App>,
    caller: Caller,
    Path((studio_id, person_id)): Path<(Uuid, Uuid)>,
    IdempotencyKey(key): IdempotencyKey,
    Body(body): Body<SellBody>,
) -> Answer<Response> {
    studios::guard::require_front_desk(&app, &caller, studio_id).await?;
    let body_hash = hash(&(studio_id, person_id, &body))?;
    let paid = body.paid.map(paid);
    let starts_on = body.starts_on.map(|date| date.0);
    let what = SellPass { studio_id, person_id, pass_type_id: body.pass_type_id, paid, starts_on, key, body_hash };
    let pass_id = app.transactor.submit_for_id(caller.actor(), Command::SellPass(what)).await?;
    Ok((StatusCode::CREATED, Json(super::shown(&app, &caller, pass_id).await?)).into_response())
}

fn paid(body: PaidBody) -> Paid {
    Paid {
        money: Money { amount_minor: body.amount_minor.0, currency: body.currency.into() },
        method: body.method.into_string(),
        reference: body.reference.map(Line::into_string),
    }
}

/// Tells whether a repeat says the same.
pub(super) fn hash(said: &impl Serialize) -> Answer<String> {
    let bytes = serde_json::to_vec(said).map_err(Problem::fault)?;
    Ok(BASE64_STANDARD_NO_PAD.encode(Sha256::digest(&bytes)))
}
