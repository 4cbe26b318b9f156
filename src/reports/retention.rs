//! `…/reports/retention`: who came for the first time, and who of them came again.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{Cell, Dates, Reader, Sheet, answer, cells};
use super::rules::{MONTHS_FOLLOWED, cohorts};
use super::store;
use super::words::Counted;
use crate::app::App;
use crate::extract::{Path, Query};
use crate::problem::{Answer, refuses};
use crate::schedule::rules::LocalDate;
use crate::sign_in::Caller;
use crate::zones::local_date;

/// Members who came for the first time in one month.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RetentionCohort)]
pub struct Line {
    /// The month, by the studio's calendar.
    #[schema(example = "2026-12")]
    month: String,
    people: i64,
    /// Who has come at least once more.
    came_again: i64,
    /// How many of them came in the first, the second, … month after; 12 months.
    came_in: Vec<i64>,
}

/// Retention by cohort.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RetentionReport)]
pub struct Retention {
    /// What is counted, in words.
    counts: &'static str,
    from: LocalDate,
    to: LocalDate,
    /// By month.
    cohorts: Vec<Line>,
    people: i64,
    came_again: i64,
}

const COLUMNS: [&str; 3 + MONTHS_FOLLOWED] = [
    "month",
    "people",
    "came_again",
    "month_1",
    "month_2",
    "month_3",
    "month_4",
    "month_5",
    "month_6",
    "month_7",
    "month_8",
    "month_9",
    "month_10",
    "month_11",
    "month_12",
];

/// Members by the month of their first visit, which lies on one of these local dates, and how many of them came again. Admins.
#[utoipa::path(
    get, path = "/v1/studios/{id}/reports/retention", operation_id = "report_retention",
    params(("id" = Uuid, Path), Dates),
    responses(
        (status = 200, content((Retention = "application/json"), (String = "text/csv")), headers(("ETag" = String))),
        (status = 304, description = "As `If-None-Match` knows it."),
    ),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn retention(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(Dates { from, to, format, bom }): Query<Dates>,
    headers: HeaderMap,
) -> Answer<Response> {
    let reader = Reader::admin(&app, &caller, id).await?;
    let days = reader.days(from, to)?;
    let mut tx = app.db.read().await?;
    let visits = store::visits_since_first(&mut tx, id, reader.instants(days)).await?;
    tx.rollback().await;
    let visits: Vec<(Uuid, NaiveDate)> = visits.into_iter().map(|(person, at)| (person, local_date(at, reader.zone))).collect();
    let cohorts: Vec<Line> = cohorts(&visits)
        .into_iter()
        .map(|(month, cohort)| Line {
            month: month.format("%Y-%m").to_string(),
            people: cohort.people,
            came_again: cohort.came_again,
            came_in: cohort.came_in.to_vec(),
        })
        .collect();
    let report = Retention {
        counts: reader.counts(Counted::Retention),
        from: LocalDate(days.0),
        to: LocalDate(days.1),
        people: cohorts.iter().map(|cohort| cohort.people).sum(),
        came_again: cohorts.iter().map(|cohort| cohort.came_again).sum(),
        cohorts,
    };
    let sheet = || {
        let line = |line: &Line| {
            let mut cells = cells![line.month.as_str(), line.people, line.came_again];
            cells.extend(line.came_in.iter().map(|came| Cell::from(*came)));
            cells
        };
        Sheet::of_days("retention", days, &COLUMNS, report.cohorts.iter().map(line).collect())
    };
    answer(&report, sheet, (format, bom), &headers)
}
