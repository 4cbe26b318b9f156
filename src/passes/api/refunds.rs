//! Refunds over HTTP: the computation, line by line, and the entry. Relevé records money, it moves none.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::selling::hash;
use super::{Price, nothing, only_admin, seen, shown};
use crate::app::App;
use crate::booking::BookingStatus;
use crate::extract::{Body, IdempotencyKey, Path, Within};
use crate::passes::refund::RefundPass;
use crate::passes::rules::refund::{Refund, Sums, Unit, of};
use crate::passes::store::{self, Use};
use crate::passes::view::PassView;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::sign_in::Caller;
use crate::studios;
use crate::text::Line;
use crate::transactor::Command;
use crate::zones::local_date;

/// The most uses that are shown; more than a pack has credits.
const USES_MAX: i64 = 20_000;

/// What a pass is worth if it is given back today. A unit costs the price divided by the units sold. Units that were paid for are used
/// before those that were given. Amounts are cut to whole minor units as they add up: the lines add up to what was used, and `amount` is the rest.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundView {
    pass_id: Uuid,
    /// What is counted: credits, or days.
    unit: Unit,
    /// What was paid; null: nothing was recorded.
    pub paid: Option<Price>,
    /// What one unit costs, cut to a whole minor unit.
    pub unit_price: Option<Price>,
    /// Units that were sold.
    pub units_sold: i64,
    /// Units that the studio gave besides: they are worth nothing.
    units_given: i64,
    /// Units that were used, of all.
    pub units_used: i64,
    /// Units that nobody used in time.
    units_lapsed: i64,
    /// Units that were paid for and are left.
    units_left: i64,
    /// What is given back.
    pub amount: Option<Price>,
    /// What it paid for, in the order of the classes. Classes of a membership cost nothing of their own: its days do.
    uses: Vec<RefundLine>,
}

/// A class for which a pass paid.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundLine {
    booking_id: Uuid,
    #[serde(with = "crate::instant")]
    starts_at: DateTime<Utc>,
    status: BookingStatus,
    /// Credits that it took.
    credits: i64,
    /// What they cost.
    amount: Option<Price>,
}

/// What a pass is worth if it is given back today, and what it was used for. The caller's own, or a member's at the front desk.
#[utoipa::path(
    get, path = "/v1/passes/{id}/refund", operation_id = "show_refund",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = RefundView)),
    extensions(("x-problem-types" = json!(refuses![PassOver])))
)]
pub async fn show(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Answer<Json<RefundView>> {
    let pass = seen(&app, &caller, id).await?;
    if pass.ended_at.is_some() {
        return Err(Problem::new(ProblemType::PassOver));
    }
    let (zone, _) = studios::store::setting(&app.db, pass.studio_id).await?.ok_or_else(nothing)?;
    let mut tx = app.db.read().await?;
    // Read again, with its ledger, in one snapshot.
    let pass = store::by_id(&mut tx, &[id]).await?.pop().ok_or_else(nothing)?;
    let paid = store::paid(&mut tx, id).await?;
    let uses = store::uses(&mut tx, id, USES_MAX).await?;
    tx.rollback().await;
    let sums = Sums { paid_minor: paid.amount_minor, sold: paid.sold, given: paid.given };
    let refund = of(&pass, sums, local_date(pass.sold_at, zone.tz()), local_date(app.clock.now(), zone.tz()));
    let price = |amount_minor| paid.currency.clone().map(|currency| Price { amount_minor, currency });
    Ok(Json(RefundView {
        pass_id: id,
        unit: refund.unit,
        paid: price(refund.paid_minor),
        unit_price: price(refund.unit_price_minor()),
        units_sold: refund.sold,
        units_given: refund.given,
        units_used: refund.used,
        units_lapsed: refund.lapsed,
        units_left: refund.left(),
        amount: price(refund.amount_minor()),
        uses: lines(&refund, uses, price),
    }))
}

fn lines(refund: &Refund, uses: Vec<Use>, price: impl Fn(i64) -> Option<Price>) -> Vec<RefundLine> {
    let mut before = 0;
    let line = |one: Use| {
        let cost = refund.cost(before, one.credits);
        before += one.credits;
        RefundLine { booking_id: one.booking_id, starts_at: one.starts_at, status: one.status, credits: one.credits, amount: price(cost) }
    };
    uses.into_iter().map(line).collect()
}

/// What was given back, how, and why.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundBody {
    /// In minor units, at most what was paid; without it, what `GET …/refund` says.
    #[serde(default)]
    amount_minor: Option<Within<0, 100_000_000_000>>,
    /// `cash`, `card`, `alipay` …
    method: Line<50>,
    /// Why, as it stands in the ledger: the member reads it.
    reason: Line<500>,
}

/// Takes a pass back: what is left of it goes, it pays for nothing any more, and the ledger records what was given back. Refused while it
/// pays for classes to come. Admins. Sent again with the same key it answers with the pass.
#[utoipa::path(
    post, path = "/v1/passes/{id}/refunds", operation_id = "refund_pass",
    params(("id" = Uuid, Path)), request_body = RefundBody,
    responses((status = 201, body = PassView)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, PassOver, PassInUse, TooManyRequests])))
)]
pub async fn make(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IdempotencyKey(key): IdempotencyKey,
    Body(body): Body<RefundBody>,
) -> Answer<Response> {
    only_admin(&app, &caller, id).await?;
    let body_hash = hash(&("refund", id, &body))?;
    let (amount_minor, method, reason) = (body.amount_minor.map(|amount| amount.0), body.method, body.reason);
    let what = RefundPass { pass_id: id, amount_minor, method: method.into_string(), reason: reason.into_string(), key, body_hash };
    app.transactor.submit(caller.actor(), Command::RefundPass(what)).await?;
    Ok((StatusCode::CREATED, Json(shown(&app, &caller, id).await?)).into_response())
}
