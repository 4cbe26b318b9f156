//! `…/reports/attendance`: what became of the bookings, by session or by what sessions have in common.

use std::collections::{BTreeMap, HashMap};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::answer::{Cell, Format, Reader, SESSIONS_MAX, Sheet, answer, cells, not_too_many};
use super::rules::{Key, Sums, fill, grouped};
use super::store::BySource;
use super::words::Counted;
use super::{Counts, SessionCounts, Source, VisitorsBySource, store};
use crate::app::App;
use crate::extract::{Path, Query};
use crate::problem::{Answer, refuses};
use crate::schedule::rules::LocalDate;
use crate::schedule::{self, Session, SessionView};
use crate::sign_in::Caller;

/// By what attendance is put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AttendanceBy)]
pub enum By {
    /// Each session by itself.
    #[default]
    Session,
    ClassType,
    Instructor,
    /// Weekday and hour of the local start.
    WeekdayHour,
    Room,
    /// How bookings were made.
    Source,
}

/// What is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The first local date; without it a week before `to`.
    #[param(inline, example = "2026-12-01")]
    from: Option<LocalDate>,
    /// The local date before which it ends, at most 366 days later; without it today.
    #[param(inline, example = "2026-12-08")]
    to: Option<LocalDate>,
    /// By what it is put together.
    #[serde(default)]
    #[param(inline)]
    by: By,
    /// `json` or `csv`; without it as `Accept` says.
    #[param(inline)]
    format: Option<Format>,
    /// CSV only: begin with a byte order mark, without which some spreadsheets misread Chinese.
    #[serde(default)]
    bom: bool,
}

/// What became of the bookings of one session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AttendanceLine)]
pub struct Line<'a> {
    session: SessionView<'a>,
    #[serde(flatten)]
    counts: Counts,
    /// Booked over capacity; null where there is no place.
    fill: Option<f64>,
}

/// What became of the bookings of sessions that have something in common.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AttendanceGroup)]
pub struct Group {
    /// Of the class type, the instructor or the room.
    id: Option<Uuid>,
    name: Option<String>,
    /// 1 (Monday) to 7 (Sunday).
    weekday: Option<i64>,
    /// 0 to 23.
    hour: Option<i64>,
    /// How the bookings were made.
    source: Option<Source>,
    /// Sessions that were not cancelled; by source, those with such a booking.
    sessions: i64,
    /// The places of all these sessions; null by source.
    capacity: Option<i64>,
    #[serde(flatten)]
    counts: Counts,
    /// Booked over capacity of the sessions that were not cancelled; null by source.
    fill: Option<f64>,
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
    counts: Counts,
    /// Booked over capacity of the sessions that were not cancelled.
    fill: Option<f64>,
}

impl From<Sums> for Totals {
    fn from(sums: Sums) -> Self {
        Self { sessions: sums.sessions, capacity: sums.capacity, counts: sums.counts, fill: sums.fill() }
    }
}

/// Attendance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AttendanceReport)]
pub struct Attendance<'a> {
    /// What is counted, in words.
    counts: &'static str,
    from: LocalDate,
    to: LocalDate,
    by: By,
    /// In the order of time; empty unless `by` is `session`.
    sessions: Vec<Line<'a>>,
    /// By name, by time of the week or by source; empty if `by` is `session`.
    groups: Vec<Group>,
    /// The sums over all sessions.
    totals: Totals,
    /// Of these, visitors without an account, by who sent them; those who sent most first, at most 50.
    visitors: Vec<VisitorsBySource>,
}

/// Attendance of the studio's sessions on some local dates, as JSON or as CSV: by session, class type, instructor, weekday and hour, room, or
/// by how the bookings were made. Admins.
#[utoipa::path(
    get, path = "/v1/studios/{id}/reports/attendance", operation_id = "report_attendance",
    params(("id" = Uuid, Path), Asked),
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
    Query(Asked { from, to, by, format, bom }): Query<Asked>,
    headers: HeaderMap,
) -> Answer<Response> {
    let reader = Reader::admin(&app, &caller, id).await?;
    let days = reader.days(from, to)?;
    let mut tx = app.db.read().await?;
    let counted = store::sessions(&mut tx, id, days, SESSIONS_MAX + 1).await?;
    not_too_many(&counted)?;
    let shown = if by == By::Session { schedule::store::of_dates(&mut tx, id, days, SESSIONS_MAX).await? } else { Vec::new() };
    let sources = if by == By::Source { store::sources(&mut tx, id, days).await? } else { Vec::new() };
    let visitors = store::visitors(&mut tx, id, days, SOURCES_MAX).await?;
    tx.rollback().await;
    let groups = match by {
        By::Session => Vec::new(),
        By::Source => by_source(&sources),
        _ => grouped(&counted, |session| key(session, by, &reader)).into_iter().map(|(key, sums)| Group::of(key, sums)).collect(),
    };
    let what = if by == By::Source { Counted::Sources } else { Counted::Attendance };
    let report = Attendance {
        counts: reader.counts(what),
        from: LocalDate(days.0),
        to: LocalDate(days.1),
        by,
        sessions: lines(&shown, &counted, &reader),
        groups,
        totals: Sums::of(&counted).into(),
        visitors,
    };
    let sheet = || {
        let (columns, lines) = if by == By::Session { (COLUMNS, report.session_cells()) } else { (GROUP_COLUMNS, report.group_cells()) };
        Sheet::of_days("attendance", days, columns, lines)
    };
    answer(&report, sheet, (format, bom), &headers)
}

fn lines<'a>(shown: &'a [Session], counted: &[SessionCounts], reader: &Reader) -> Vec<Line<'a>> {
    let counts: HashMap<Uuid, Counts> = counted.iter().map(|session| (session.session_id, session.counts)).collect();
    let line = |session: &'a Session| {
        let counts = counts.get(&session.id).copied().unwrap_or_default();
        let view = SessionView::of(session, &session.names, Some(reader.language), reader.now, None);
        Line { session: view, counts, fill: fill(counts.booked, session.capacity) }
    };
    shown.iter().map(line).collect()
}

fn key(session: &SessionCounts, by: By, reader: &Reader) -> Key {
    match by {
        By::ClassType => Key::Named(session.class_name.read(reader.language).to_owned(), session.class_type_id),
        By::Instructor => Key::Named(session.instructor_name.clone(), session.instructor_id),
        By::Room => Key::Named(session.room_name.clone(), session.room_id),
        By::Session | By::WeekdayHour | By::Source => Key::Hour(session.local_weekday, session.local_minute / 60),
    }
}

fn by_source(bookings: &[BySource]) -> Vec<Group> {
    let mut groups: BTreeMap<Source, (i64, Counts)> = BTreeMap::new();
    for of_session in bookings {
        let (sessions, counts) = groups.entry(of_session.source).or_default();
        *sessions += i64::from(!of_session.cancelled_session);
        *counts += of_session.counts;
    }
    let group = |(source, (sessions, counts))| Group {
        id: None,
        name: None,
        weekday: None,
        hour: None,
        source: Some(source),
        sessions,
        capacity: None,
        counts,
        fill: None,
    };
    groups.into_iter().map(group).collect()
}

impl Group {
    fn of(key: Key, sums: Sums) -> Self {
        let (id, name, weekday, hour) = match key {
            Key::Named(name, id) => (Some(id), Some(name), None, None),
            Key::Hour(weekday, hour) => (None, None, Some(weekday), Some(hour)),
        };
        let Totals { sessions, capacity, counts, fill } = sums.into();
        Self { id, name, weekday, hour, source: None, sessions, capacity: Some(capacity), counts, fill }
    }
}

/// The most sources of visitors that are told.
const SOURCES_MAX: i64 = 50;

const COLUMNS: &[&str] = &[
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

const GROUP_COLUMNS: &[&str] = &[
    "name",
    "weekday",
    "hour",
    "source",
    "sessions",
    "capacity",
    "booked",
    "attended",
    "late_cancelled",
    "cancelled",
    "no_show",
    "waitlisted",
    "fill",
    "id",
    "unrecorded",
];

fn count_cells(counts: Counts, fill: Option<f64>) -> Vec<Cell> {
    let Counts { booked, attended, late_cancelled, cancelled, no_show, waitlisted, .. } = counts;
    cells![booked, attended, late_cancelled, cancelled, no_show, waitlisted, fill]
}

impl Attendance<'_> {
    fn session_cells(&self) -> Vec<Vec<Cell>> {
        let mut lines: Vec<Vec<Cell>> = self.sessions.iter().map(Line::cells).collect();
        let Totals { capacity, counts, fill, .. } = &self.totals;
        let mut total = cells!["total", "", "", "", "", "", "", *capacity];
        total.extend(count_cells(*counts, *fill));
        total.extend(cells!["", counts.unrecorded]);
        lines.push(total);
        lines
    }

    fn group_cells(&self) -> Vec<Vec<Cell>> {
        let mut lines: Vec<Vec<Cell>> = self.groups.iter().map(Group::cells).collect();
        let Totals { sessions, capacity, counts, fill } = &self.totals;
        let mut total = cells!["total", "", "", "", *sessions, *capacity];
        total.extend(count_cells(*counts, *fill));
        total.extend(cells!["", counts.unrecorded]);
        lines.push(total);
        lines
    }
}

impl Line<'_> {
    fn cells(&self) -> Vec<Cell> {
        let Self { session, counts, fill } = self;
        let local = session.local_start.to_string();
        let (date, start) = local.split_once('T').unwrap_or((&local, ""));
        let status = serde_json::to_value(session.status).ok().and_then(|status| status.as_str().map(str::to_owned));
        let (class, room, instructor) = (&session.class_type, session.room.name, session.instructor.name);
        let mut cells = cells![date, start, class.name, class.level, room, instructor, status, session.capacity];
        cells.extend(count_cells(*counts, *fill));
        cells.extend(cells![session.id, counts.unrecorded]);
        cells
    }
}

impl Group {
    fn cells(&self) -> Vec<Cell> {
        let Self { id, name, weekday, hour, source, sessions, capacity, counts, fill } = self;
        let source = source.and_then(|source| serde_json::to_value(source).ok()?.as_str().map(str::to_owned));
        let mut cells = cells![name.clone(), *weekday, *hour, source, *sessions, *capacity];
        cells.extend(count_cells(*counts, *fill));
        cells.extend(cells![*id, counts.unrecorded]);
        cells
    }
}
