//! `…/reports/pay`: what each instructor taught, class by class.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{Cell, Dates, Reader, SESSIONS_MAX, Sheet, answer, cells, not_too_many, wall_time};
use super::rules::Taught;
use super::words::Counted;
use super::{SessionCounts, store};
use crate::app::App;
use crate::extract::{Path, Query};
use crate::problem::{Answer, refuses};
use crate::schedule::rules::{LocalDate, LocalStart};
use crate::sign_in::Caller;

/// What an instructor taught in all.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayInstructor)]
#[allow(missing_docs, reason = "the fields of the report")]
pub struct Instructor {
    pub instructor_id: Uuid,
    pub name: String,
    #[serde(flatten)]
    pub taught: Taught,
}

impl Instructor {
    /// What each taught in these sessions, by name.
    pub fn all(sessions: &[SessionCounts], now: DateTime<Utc>) -> Vec<Self> {
        let mut sums: BTreeMap<(&str, Uuid), Taught> = BTreeMap::new();
        for session in sessions {
            if let Some(taught) = Taught::of(session, now) {
                sums.entry((&session.instructor_name, session.instructor_id)).or_default().join(taught);
            }
        }
        sums.into_iter().map(|((name, instructor_id), taught)| Self { instructor_id, name: name.to_owned(), taught }).collect()
    }

    /// As a line of the Monday page: the minutes taught, and in words the rest.
    pub fn on_page(&self) -> Vec<Cell> {
        let Taught { sessions, minutes, booked, attended, late_cancelled, .. } = self.taught;
        let detail = format!("sessions {sessions}; booked {booked}; attended {attended}; late_cancelled {late_cancelled}");
        cells!["pay", "minutes", minutes, "", "", self.name.as_str(), "", "", detail]
    }
}

/// One class that was taught.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayLine)]
pub struct Line {
    instructor_id: Uuid,
    instructor: String,
    session_id: Uuid,
    local_start: LocalStart,
    class: String,
    #[serde(flatten)]
    taught: Taught,
}

/// What was taught.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayReport)]
pub struct Pay {
    /// What is counted, in words.
    counts: &'static str,
    from: LocalDate,
    to: LocalDate,
    /// The sums of each, by name.
    instructors: Vec<Instructor>,
    /// Class by class, by the instructor's name and in order of time.
    lines: Vec<Line>,
    totals: Taught,
}

const COLUMNS: &[&str] =
    &["instructor", "date", "start", "class", "minutes", "booked", "attended", "late_cancelled", "no_show", "instructor_id", "session_id"];

fn taught_cells(taught: Taught) -> Vec<Cell> {
    let Taught { minutes, booked, attended, late_cancelled, no_show, .. } = taught;
    cells![minutes, booked, attended, late_cancelled, no_show]
}

fn lines(sessions: &[SessionCounts], reader: &Reader) -> Vec<Line> {
    let line = |session: &SessionCounts| {
        Some(Line {
            instructor_id: session.instructor_id,
            instructor: session.instructor_name.clone(),
            session_id: session.session_id,
            local_start: LocalStart::shown(session.local_date, session.local_minute),
            class: session.class_name.read(reader.language).to_owned(),
            taught: Taught::of(session, reader.now)?,
        })
    };
    let mut lines: Vec<Line> = sessions.iter().filter_map(line).collect();
    lines.sort_by(|one, other| (&one.instructor, one.instructor_id).cmp(&(&other.instructor, other.instructor_id)));
    lines
}

/// What each instructor taught on some local dates, class by class and in all: minutes, places taken, who came, who cancelled late. Admins.
#[utoipa::path(
    get, path = "/v1/studios/{id}/reports/pay", operation_id = "report_pay",
    params(("id" = Uuid, Path), Dates),
    responses(
        (status = 200, content((Pay = "application/json"), (String = "text/csv")), headers(("ETag" = String))),
        (status = 304, description = "As `If-None-Match` knows it."),
    ),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn pay(
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
    tx.rollback().await;
    not_too_many(&sessions)?;
    let mut totals = Taught::default();
    sessions.iter().filter_map(|session| Taught::of(session, reader.now)).for_each(|taught| totals.join(taught));
    let report = Pay {
        counts: reader.counts(Counted::Pay),
        from: LocalDate(days.0),
        to: LocalDate(days.1),
        instructors: Instructor::all(&sessions, reader.now),
        lines: lines(&sessions, &reader),
        totals,
    };
    let sheet = || {
        let mut lines: Vec<_> = report.lines.iter().map(Line::cells).collect();
        let mut total = cells!["total", "", "", ""];
        total.extend(taught_cells(totals));
        total.extend(cells!["", ""]);
        lines.push(total);
        Sheet::of_days("pay", days, COLUMNS, lines)
    };
    answer(&report, sheet, (format, bom), &headers)
}

impl Line {
    fn cells(&self) -> Vec<Cell> {
        let date = self.local_start.to_string();
        let date = date.split('T').next().unwrap_or_default();
        let mut cells = cells![self.instructor.as_str(), date, wall_time(self.local_start.minute()), self.class.as_str()];
        cells.extend(taught_cells(self.taught));
        cells.extend(cells![self.instructor_id, self.session_id]);
        cells
    }
}
