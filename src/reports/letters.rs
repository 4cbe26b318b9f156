//! `…/reports/letters`: what became of the studio's letters.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{Cell, Dates, Reader, Sheet, answer, cells};
use super::store;
use super::words::Counted;
use crate::app::App;
use crate::extract::{Path, Query};
use crate::letters::LetterState;
use crate::problem::{Answer, refuses};
use crate::schedule::rules::LocalDate;
use crate::sign_in::Caller;

/// Letters by what has become of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LetterFates)]
pub struct Fates {
    written: i64,
    /// Queued, or just being sent.
    queued: i64,
    sent: i64,
    /// An attempt failed, another will be made.
    retrying: i64,
    failed: i64,
    /// Taken by the mail server, and came back.
    bounced: i64,
    /// Overtaken by events, and not sent.
    obsolete: i64,
}

impl Fates {
    fn add(&mut self, state: LetterState, count: i64) {
        self.written += count;
        *match state {
            LetterState::Queued | LetterState::Sending => &mut self.queued,
            LetterState::Sent => &mut self.sent,
            LetterState::Retrying => &mut self.retrying,
            LetterState::Failed => &mut self.failed,
            LetterState::Bounced => &mut self.bounced,
            LetterState::Obsolete => &mut self.obsolete,
        } += count;
    }

    fn cells(self) -> Vec<Cell> {
        let Self { written, queued, sent, retrying, failed, bounced, obsolete } = self;
        cells![written, queued, sent, retrying, failed, bounced, obsolete]
    }
}

impl AddAssign for Fates {
    fn add_assign(&mut self, other: Self) {
        self.written += other.written;
        self.queued += other.queued;
        self.sent += other.sent;
        self.retrying += other.retrying;
        self.failed += other.failed;
        self.bounced += other.bounced;
        self.obsolete += other.obsolete;
    }
}

/// Letters of one kind.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LettersLine)]
pub struct Line {
    kind: String,
    #[serde(flatten)]
    fates: Fates,
}

/// Letters by kind.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LettersReport)]
pub struct LettersReport {
    /// What is counted, in words.
    counts: &'static str,
    from: LocalDate,
    to: LocalDate,
    lines: Vec<Line>,
    totals: Fates,
}

const COLUMNS: &[&str] = &["kind", "written", "queued", "sent", "retrying", "failed", "bounced", "obsolete"];

/// The studio's letters that were written on some local dates, by kind and by what has become of them. Admins.
#[utoipa::path(
    get, path = "/v1/studios/{id}/reports/letters", operation_id = "report_letters",
    params(("id" = Uuid, Path), Dates),
    responses(
        (status = 200, content((LettersReport = "application/json"), (String = "text/csv")), headers(("ETag" = String))),
        (status = 304, description = "As `If-None-Match` knows it."),
    ),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn letters(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(Dates { from, to, format, bom }): Query<Dates>,
    headers: HeaderMap,
) -> Answer<Response> {
    let reader = Reader::admin(&app, &caller, id).await?;
    let days = reader.days(from, to)?;
    let mut tx = app.db.read().await?;
    let counted = store::letters(&mut tx, id, reader.instants(days)).await?;
    tx.rollback().await;
    let mut kinds: BTreeMap<String, Fates> = BTreeMap::new();
    for (kind, state, count) in counted {
        kinds.entry(kind).or_default().add(state, count);
    }
    let mut totals = Fates::default();
    kinds.values().for_each(|fates| totals += *fates);
    let report = LettersReport {
        counts: reader.counts(Counted::Letters),
        from: LocalDate(days.0),
        to: LocalDate(days.1),
        lines: kinds.into_iter().map(|(kind, fates)| Line { kind, fates }).collect(),
        totals,
    };
    let sheet = || {
        let line = |kind: &str, fates: Fates| {
            let mut cells = cells![kind];
            cells.extend(fates.cells());
            cells
        };
        let mut lines: Vec<_> = report.lines.iter().map(|one| line(&one.kind, one.fates)).collect();
        lines.push(line("total", totals));
        Sheet::of_days("letters", days, COLUMNS, lines)
    };
    answer(&report, sheet, (format, bom), &headers)
}
