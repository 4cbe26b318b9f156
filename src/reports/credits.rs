//! `…/reports/credits`: what the studio has sold and still owes.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{AsOfToday, Reader, Sheet, answer, cells};
use super::store::PackLeft;
use super::words::Counted;
use super::{Amount, store};
use crate::app::App;
use crate::extract::{Path, Query};
use crate::passes::rules::refund::{Refund, Unit};
use crate::problem::{Answer, refuses};
use crate::schedule::rules::LocalDate;
use crate::sign_in::Caller;

/// Packs of one type, paid in one currency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreditsLine)]
pub struct Line {
    pass_type_id: Uuid,
    name: String,
    /// Packs with credits left.
    passes: i64,
    /// Credits left on them.
    credits: i64,
    /// What they would be refunded at, in minor units.
    worth_minor: i64,
    /// ISO 4217; null: nothing was paid.
    currency: Option<String>,
}

/// Credits outstanding.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreditsReport)]
pub struct Credits {
    /// What is counted, in words.
    counts: &'static str,
    /// As of this local date.
    on: LocalDate,
    /// By name of the pass type.
    lines: Vec<Line>,
    /// Packs with credits left.
    passes: i64,
    /// Credits left on them.
    credits: i64,
    /// What they are worth, by currency.
    worth: Vec<Amount>,
}

const COLUMNS: &[&str] = &["pass_type", "passes", "credits", "worth_minor", "currency", "pass_type_id"];

/// A line's name, pass type and currency, by which they are sorted.
type Key<'a> = (&'a str, Uuid, Option<&'a str>);

/// What the credits of a pack would be refunded at.
fn worth(pack: &PackLeft) -> i64 {
    let &PackLeft { credits_left, paid_minor, sold, given, .. } = pack;
    Refund { unit: Unit::Credit, paid_minor, sold, given, used: (sold + given - credits_left).max(0), lapsed: 0 }.amount_minor()
}

fn lines(packs: &[PackLeft], reader: &Reader) -> Vec<Line> {
    let mut lines: BTreeMap<Key<'_>, (i64, i64, i64)> = BTreeMap::new();
    for pack in packs {
        let key = (pack.type_name.read(reader.language), pack.pass_type_id, pack.currency.as_deref());
        let (passes, credits, worth_minor) = lines.entry(key).or_default();
        *passes += 1;
        *credits += pack.credits_left;
        *worth_minor += worth(pack);
    }
    let line = |((name, pass_type_id, currency), (passes, credits, worth_minor)): (Key<'_>, (i64, i64, i64))| Line {
        pass_type_id,
        name: name.to_owned(),
        passes,
        credits,
        worth_minor,
        currency: currency.map(str::to_owned),
    };
    lines.into_iter().map(line).collect()
}

/// Credits of packs that can still be used, and what they are worth, by type of pass, as of today. Admins.
#[utoipa::path(
    get, path = "/v1/studios/{id}/reports/credits", operation_id = "report_credits",
    params(("id" = Uuid, Path), AsOfToday),
    responses(
        (status = 200, content((Credits = "application/json"), (String = "text/csv")), headers(("ETag" = String))),
        (status = 304, description = "As `If-None-Match` knows it."),
    ),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn credits(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(AsOfToday { format, bom }): Query<AsOfToday>,
    headers: HeaderMap,
) -> Answer<Response> {
    let reader = Reader::admin(&app, &caller, id).await?;
    let mut tx = app.db.read().await?;
    let packs = store::packs_left(&mut tx, id, reader.today).await?;
    tx.rollback().await;
    let lines = lines(&packs, &reader);
    let mut worth: BTreeMap<&str, i64> = BTreeMap::new();
    for line in &lines {
        if let Some(currency) = &line.currency {
            *worth.entry(currency).or_default() += line.worth_minor;
        }
    }
    let worth = worth.into_iter().map(|(currency, amount_minor)| Amount { amount_minor, currency: currency.to_owned() }).collect();
    let report = Credits {
        counts: reader.counts(Counted::Credits),
        on: LocalDate(reader.today),
        passes: lines.iter().map(|line| line.passes).sum(),
        credits: lines.iter().map(|line| line.credits).sum(),
        lines,
        worth,
    };
    let sheet = || {
        let line = |line: &Line| {
            let Line { pass_type_id, name, passes, credits, worth_minor, currency } = line;
            cells![name.as_str(), *passes, *credits, *worth_minor, currency.clone(), *pass_type_id]
        };
        Sheet { name: format!("credits-{}", reader.today), columns: COLUMNS, lines: report.lines.iter().map(line).collect() }
    };
    answer(&report, sheet, (format, bom), &headers)
}
