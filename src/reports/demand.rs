//! `…/reports/demand`: what was wanted and could not be given, by time of the week.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{Cell, Dates, Reader, SESSIONS_MAX, Sheet, answer, cells, not_too_many, wall_time};
use super::rules::{Wanted, median, wanted};
use super::words::Counted;
use super::{SessionCounts, store};
use crate::app::App;
use crate::db::{Error, Tx};
use crate::extract::{Path, Query};
use crate::problem::{Answer, refuses};
use crate::schedule::rules::LocalDate;
use crate::sign_in::Caller;

/// What was wanted, and could not be given.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DemandCounts)]
pub struct DemandCounts {
    /// Sessions that were not cancelled.
    pub sessions: i64,
    /// Bookings that were on the waitlist.
    pub waited: i64,
    /// The most of them for one session.
    pub waited_max: i64,
    /// Of them, those to whom a place was given or offered.
    pub promoted: i64,
    /// The minutes until then: the median. Null where there was none.
    pub minutes_to_promotion: Option<i64>,
    /// People who were refused because no place was left.
    pub turned_away: i64,
    /// People who were turned away, or waited to the end, and had no place.
    pub unmet: i64,
}

impl From<&Wanted> for DemandCounts {
    fn from(wanted: &Wanted) -> Self {
        let &Wanted { sessions, waited, waited_max, ref minutes_waited, turned_away, unmet } = wanted;
        let promoted = i64::try_from(minutes_waited.len()).unwrap_or(i64::MAX);
        Self { sessions, waited, waited_max, promoted, minutes_to_promotion: median(minutes_waited), turned_away, unmet }
    }
}

/// The same of the sessions that begin at one time of the week.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DemandSlot)]
#[allow(missing_docs, reason = "the fields of the report")]
pub struct Slot {
    /// 1 (Monday) to 7 (Sunday).
    pub weekday: i64,
    /// By the studio's clock.
    #[schema(example = "18:30")]
    pub start: String,
    #[serde(flatten)]
    pub counts: DemandCounts,
}

impl Slot {
    /// By time of the week; `unmet_only`: without those that left nobody out.
    pub fn all(slots: &BTreeMap<(i64, i64), Wanted>, unmet_only: bool) -> Vec<Self> {
        let shown = slots.iter().filter(|(_, wanted)| !unmet_only || wanted.unmet > 0);
        shown.map(|((weekday, minute), wanted)| Self { weekday: *weekday, start: wall_time(*minute), counts: wanted.into() }).collect()
    }

    fn cells(&self) -> Vec<Cell> {
        let mut cells = cells![self.weekday, self.start.as_str()];
        cells.extend(self.counts.cells());
        cells
    }

    /// As a line of the Monday page: how many wishes were not met.
    pub fn on_page(&self) -> Vec<Cell> {
        cells!["unmet", format!("{} {}", self.weekday, self.start), self.counts.unmet, "", "", "", "", "", ""]
    }
}

impl DemandCounts {
    fn cells(&self) -> Vec<Cell> {
        let Self { sessions, waited, waited_max, promoted, minutes_to_promotion, turned_away, unmet } = *self;
        cells![sessions, waited, waited_max, promoted, minutes_to_promotion, turned_away, unmet]
    }
}

/// Demand by time of the week.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DemandReport)]
pub struct Demand {
    /// What is counted, in words.
    counts: &'static str,
    from: LocalDate,
    to: LocalDate,
    /// By weekday and start.
    slots: Vec<Slot>,
    /// Of all sessions.
    totals: DemandCounts,
}

const COLUMNS: &[&str] =
    &["weekday", "start", "sessions", "waited", "waited_max", "promoted", "minutes_to_promotion", "turned_away", "unmet"];

/// What was wanted of these sessions, by weekday and local minute.
pub async fn of_sessions(
    tx: &mut Tx,
    studio_id: Uuid,
    days: (NaiveDate, NaiveDate),
    sessions: &[SessionCounts],
) -> Result<BTreeMap<(i64, i64), Wanted>, Error> {
    let hopes = store::hopes(tx, studio_id, days).await?;
    let turned_away = store::turned_away(tx, studio_id, days).await?;
    Ok(wanted(sessions, &hopes, &turned_away))
}

/// Waitlists, how long until a place came, who was turned away and whose wish was not met, by weekday and start of the class. Admins.
#[utoipa::path(
    get, path = "/v1/studios/{id}/reports/demand", operation_id = "report_demand",
    params(("id" = Uuid, Path), Dates),
    responses(
        (status = 200, content((Demand = "application/json"), (String = "text/csv")), headers(("ETag" = String))),
        (status = 304, description = "As `If-None-Match` knows it."),
    ),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn demand(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(Dates { from, to, format, bom }): Query<Dates>,
    headers: HeaderMap,
) -> Answer<Response> {
    let reader = Reader::admin(&app, &caller, id).await?;
    let days = reader.days(from, to)?;
    let mut tx = app.db.read().await?;
    let sessions = store::sessions(&mut tx, id, days, SESSIONS_MAX + 1).await?;
    not_too_many(&sessions)?;
    let slots = of_sessions(&mut tx, id, days, &sessions).await?;
    tx.rollback().await;
    let mut totals = Wanted::default();
    slots.values().for_each(|slot| totals.join(slot));
    let report = Demand {
        counts: reader.counts(Counted::Demand),
        from: LocalDate(days.0),
        to: LocalDate(days.1),
        slots: Slot::all(&slots, false),
        totals: (&totals).into(),
    };
    let sheet = || {
        let mut lines: Vec<_> = report.slots.iter().map(Slot::cells).collect();
        let mut total = cells!["total", ""];
        total.extend(report.totals.cells());
        lines.push(total);
        Sheet::of_days("demand", days, COLUMNS, lines)
    };
    answer(&report, sheet, (format, bom), &headers)
}
