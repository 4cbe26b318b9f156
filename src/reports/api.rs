//! The attendance report over HTTP, as JSON and as CSV.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::rules::{Sums, cell, fill};
use super::{Counts, store};
use crate::app::App;
use crate::etag::Encoded;
use crate::extract::{Path, Query, header_text};
use crate::language::Language;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::schedule::rules::{LocalDate, date_range};
use crate::schedule::{self, Session, SessionView};
use crate::sign_in::Caller;
use crate::studios::guard::require_admin;
use crate::wrong::Wrong;
use crate::zones::local_date;

/// The days of a report: by default, and at most.
const DAYS: (u64, u64) = (7, 366);
/// The most sessions of one report: a longer one is asked for in parts.
const SESSIONS_MAX: i64 = 20_000;
/// What makes spreadsheets read Chinese.
const BYTE_ORDER_MARK: &str = "\u{feff}";

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Dates {
    /// The first local date; without it a week before `to`.
    #[param(inline, example = "2026-12-01")]
    from: Option<LocalDate>,
    /// The local date before which it ends, at most 366 days later; without it today.
    #[param(inline, example = "2026-12-08")]
    to: Option<LocalDate>,
}

/// What became of the bookings of one session.
#[derive(Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "as in `Counts`")]
#[schema(as = AttendanceLine)]
pub struct Line<'a> {
    pub session: SessionView<'a>,
    #[serde(flatten)]
    pub counts: CountsView,
    /// Booked over capacity; null where there is no place.
    pub fill: Option<f64>,
}

/// Bookings by what became of them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AttendanceCounts)]
pub struct CountsView {
    /// Places that are or were taken: booked, attended and missed.
    booked: i64,
    attended: i64,
    /// Of these, those in whose session nobody was marked, so that it counts as attended.
    unrecorded: i64,
    /// Who cancelled after the free way out had closed.
    late_cancelled: i64,
    /// Who gave a place back in time, or lost it with the session.
    cancelled: i64,
    /// Who did not come.
    no_show: i64,
    /// Who waits, or waited and got no place.
    waitlisted: i64,
}

impl From<Counts> for CountsView {
    fn from(counts: Counts) -> Self {
        let Counts { booked, attended, unrecorded, late_cancelled, cancelled, no_show, waitlisted, .. } = counts;
        Self { booked, attended, unrecorded, late_cancelled, cancelled, no_show, waitlisted }
    }
}

/// The sums of a report.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AttendanceTotals)]
pub struct Totals {
    /// Sessions that were not cancelled.
    sessions: i64,
    /// The places of all these sessions.
    capacity: i64,
    #[serde(flatten)]
    counts: CountsView,
    /// Booked over capacity of the sessions that were not cancelled.
    fill: Option<f64>,
}

impl From<Sums> for Totals {
    fn from(sums: Sums) -> Self {
        let fill = fill(sums.filled, sums.capacity);
        Self { sessions: sums.sessions, capacity: sums.capacity, counts: sums.counts.into(), fill }
    }
}

/// Attendance by session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AttendanceReport)]
pub struct Attendance<'a> {
    /// In the order of time.
    sessions: Vec<Line<'a>>,
    /// The sums over all sessions.
    totals: Totals,
}

/// Attendance of the studio's sessions on some local dates, as JSON or, by `Accept: text/csv`, as CSV. Admins.
#[utoipa::path(
    get, path = "/v1/studios/{id}/reports/attendance", operation_id = "report_attendance",
    params(("id" = Uuid, Path), Dates),
    responses(
        (status = 200, content((Attendance<'static> = "application/json"), (String = "text/csv")), headers(("ETag" = String))),
        (status = 304, description = "As `If-None-Match` knows it."),
    ),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn attendance(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(dates): Query<Dates>,
    headers: HeaderMap,
) -> Answer<Response> {
    require_admin(&app, &caller, id).await?;
    let now = app.clock.now();
    let (zone, _) = crate::studios::store::setting(&app.db, id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    let range = asked_dates(dates, local_date(now, zone.tz()))?;
    let mut tx = app.db.read().await?;
    let sessions = schedule::store::of_dates(&mut tx, id, range, SESSIONS_MAX + 1).await?;
    let counts = store::counts(&mut tx, id, range).await?;
    tx.rollback().await;
    if sessions.len() > usize::try_from(SESSIONS_MAX).unwrap_or(usize::MAX) {
        return Err(Problem::field("to", Wrong::TooManySessions { max: SESSIONS_MAX }));
    }
    let counts: HashMap<Uuid, Counts> = counts.into_iter().map(|counts| (counts.session_id, counts)).collect();
    if wants_csv(&headers) {
        let text = csv(&sessions, &counts, caller.language, now)?;
        let name = format!("attachment; filename=\"attendance-{}-{}.csv\"", range.0, range.1);
        let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
        return Ok((headers, [(header::VARY, "Authorization, Accept, Accept-Language")], text).into_response());
    }
    let mut sums = Sums::default();
    let lines = sessions.iter().map(|session| line(session, &counts, &mut sums, caller.language, now)).collect();
    let mut answer = Encoded::of(&Attendance { sessions: lines, totals: sums.into() })?.answer(&headers, false);
    answer.headers_mut().insert(header::VARY, header::HeaderValue::from_static("Authorization, Accept, Accept-Language"));
    Ok(answer)
}

/// Without `to`, up to yesterday; without `from`, a week.
fn asked_dates(dates: Dates, today: NaiveDate) -> Answer<(NaiveDate, NaiveDate)> {
    let week_before = |date: NaiveDate| date - chrono::Days::new(DAYS.0);
    let to = dates.to.unwrap_or(LocalDate(today));
    let from = dates.from.unwrap_or(LocalDate(week_before(to.0)));
    date_range(Some(from), Some(to), today, DAYS).map_err(|wrong| Problem::field("to", wrong))
}

fn line<'a>(
    session: &'a Session,
    counts: &HashMap<Uuid, Counts>,
    sums: &mut Sums,
    language: Option<Language>,
    now: DateTime<Utc>,
) -> Line<'a> {
    let counts = counts.get(&session.id).copied().unwrap_or_default();
    sums.add(session.capacity, session.is_cancelled(), counts);
    let view = SessionView::of(session, &session.names, language, now, None);
    Line { session: view, counts: counts.into(), fill: fill(counts.booked, session.capacity) }
}

/// Whether the caller would rather have CSV than JSON (RFC 9110, 12.5.1, as far as two media types need it).
fn wants_csv(headers: &HeaderMap) -> bool {
    let accept = header_text(headers, "accept").unwrap_or_default();
    let weight = |kind: &str| {
        let item =
            accept.split(',').take(32).find(|item| item.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(kind)))?;
        Some(item.split(';').find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0))
    };
    let csv = weight("text/csv").unwrap_or(0.0);
    csv > 0.0 && csv >= weight("application/json").unwrap_or(0.0)
}

const COLUMNS: [&str; 17] = [
    "date",
    "start",
    "class",
    "level",
    "room",
    "instructor",
    "status",
    "capacity",
    "booked",
    "attended",
    "late_cancelled",
    "cancelled",
    "no_show",
    "waitlisted",
    "fill",
    "session_id",
    "unrecorded",
];

/// The report as RFC 4180 has it, its sums in the last line.
fn csv(sessions: &[Session], counts: &HashMap<Uuid, Counts>, language: Option<Language>, now: DateTime<Utc>) -> Answer<String> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let mut sums = Sums::default();
    writer.write_record(COLUMNS).map_err(Problem::fault)?;
    for session in sessions {
        let Line { session: view, counts, fill } = line(session, counts, &mut sums, language, now);
        let local = view.local_start.to_string();
        let (date, start) = local.split_once('T').unwrap_or((&local, ""));
        let status = serde_json::to_value(view.status).ok().and_then(|status| status.as_str().map(str::to_owned)).unwrap_or_default();
        let texts = [date, start, view.class_type.name, view.class_type.level, view.room.name, view.instructor.name, &status];
        write_line(&mut writer, &texts, view.capacity, &counts, fill, &view.id.to_string())?;
    }
    let totals = Totals::from(sums);
    write_line(&mut writer, &["total", "", "", "", "", "", ""], totals.capacity, &totals.counts, totals.fill, "")?;
    let bytes = writer.into_inner().map_err(Problem::fault)?;
    Ok(format!("{BYTE_ORDER_MARK}{}", String::from_utf8(bytes).map_err(Problem::fault)?))
}

fn write_line(
    writer: &mut csv::Writer<Vec<u8>>,
    texts: &[&str; 7],
    capacity: i64,
    counts: &CountsView,
    fill: Option<f64>,
    session_id: &str,
) -> Answer<()> {
    let numbers = [capacity, counts.booked, counts.attended, counts.late_cancelled, counts.cancelled, counts.no_show, counts.waitlisted];
    let mut write = |text: &str| writer.write_field(text).map_err(Problem::fault);
    for text in texts {
        write(&cell(text))?;
    }
    for number in numbers {
        write(&number.to_string())?;
    }
    write(&fill.map(|fill| fill.to_string()).unwrap_or_default())?;
    write(session_id)?;
    write(&counts.unrecorded.to_string())?;
    writer.write_record(None::<&[u8]>).map_err(Problem::fault)
}
