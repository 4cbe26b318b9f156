//! Attendance in pictures, each with its table and its file of lines; every square and every bar leads to the classes behind it. For the
//! studio's admins.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{Datelike as _, Days, NaiveDate, TimeDelta};
use serde::Deserialize;
use uuid::Uuid;

use super::frame::{Part, Said, Shell};
use super::pictures::{self, Picture, Value, percent};
use super::staff::Staff;
use super::words::Words;
use super::words::figures::{self, weekdays};
use crate::app::App;
use crate::extract::{Path, Query};
use crate::language::Language;
use crate::problem::Answer;
use crate::reports::answer::{Reader, SESSIONS_MAX, not_too_many, wall_time};
use crate::reports::rules::{Key, Sums, Wanted, grouped};
use crate::reports::words::Counted;
use crate::reports::{SessionCounts, demand, store};
use crate::schedule::rules::{LocalDate, week_of};

/// The spans that are one tap away: in days.
const SPANS_DAYS: [u64; 3] = [28, 91, 365];
/// The most bars of one picture.
const BARS_MAX: usize = 15;
/// The most sessions of a list.
const LISTED_MAX: usize = 200;

/// Which days.
#[derive(Debug, Default, Deserialize)]
pub struct DaysParams {
    from: Option<LocalDate>,
    /// The last of them.
    to: Option<LocalDate>,
}

impl DaysParams {
    /// The first day, and the one after the last; without any, four weeks up to yesterday.
    fn days(&self, reader: &Reader) -> Answer<(NaiveDate, NaiveDate)> {
        let to = self.to.map_or(reader.today, |LocalDate(to)| to + Days::new(1));
        let from = self.from.map_or(to - Days::new(SPANS_DAYS[0]), |LocalDate(from)| from);
        reader.days(Some(LocalDate(from)), Some(LocalDate(to)))
    }
}

#[derive(Template)]
#[template(path = "console/pages/attendance.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    f: &'static figures::Words,
    from: NaiveDate,
    /// The last day.
    to: NaiveDate,
    /// The day after it, as reports are asked for.
    until: NaiveDate,
    spans: Vec<Span>,
    sums: Vec<(&'static str, String)>,
    charts: Vec<Chart>,
    counts: [&'static str; 2],
    /// What the tones of the weeks mean.
    legend: Vec<(u8, &'static str)>,
}

/// Days that are one tap away.
struct Span {
    name: &'static str,
    from: NaiveDate,
    to: NaiveDate,
    is_chosen: bool,
}

/// A picture, its words, its table and its file of lines.
struct Chart {
    /// What its parts are called in the page.
    id: &'static str,
    title: &'static str,
    desc: &'static str,
    picture: Picture,
    head: Vec<&'static str>,
    rows: Vec<Row>,
    /// Which report has its lines, and how it is asked for.
    file: &'static str,
    /// What is said where there is nothing to draw.
    none: &'static str,
}

/// A line of a table.
struct Row {
    path: String,
    name: String,
    cells: Vec<String>,
}

/// Where the classes behind a figure are listed.
struct Behind(String);

impl Behind {
    fn new((from, to): (NaiveDate, NaiveDate)) -> Self {
        Self(format!("attendance/sessions?from={from}&to={}", to - Days::new(1)))
    }

    fn and(&self, what: &str) -> String {
        format!("{}&{what}", self.0)
    }
}

/// The page: for the studio's admins.
pub async fn show(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, Query(params): Query<DaysParams>) -> Answer<Response> {
    let reader = Reader::admin(&app, &staff.caller, studio_id).await?;
    let (said, days) = match params.days(&reader) {
        Ok(days) => (Said::default(), days),
        Err(problem) => (Said::refused(problem, staff.language)?, DaysParams::default().days(&reader)?),
    };
    let shell = Shell::of(&app, &staff, studio_id, Part::Attendance, said).await?;
    let mut tx = app.db.read().await?;
    let sessions = store::sessions(&mut tx, studio_id, days, SESSIONS_MAX + 1).await?;
    not_too_many(&sessions)?;
    let wanted = demand::of_sessions(&mut tx, studio_id, days, &sessions).await?;
    tx.rollback().await;
    let f = figures::words(shell.language);
    let charts = if sessions.is_empty() { Vec::new() } else { charts(&sessions, &wanted, days, &shell, f) };
    let page = Page {
        w: shell.w,
        f,
        from: days.0,
        to: days.1 - Days::new(1),
        until: days.1,
        spans: spans(&reader, days, f),
        sums: sums(&Sums::of(&sessions), f),
        charts,
        legend: legend(days, f),
        counts: [reader.counts(Counted::Attendance), reader.counts(Counted::Demand)],
        shell,
    };
    page.shell.answer(&page)
}

/// The tones of the bars of weeks, as far as there are any.
fn legend((from, to): (NaiveDate, NaiveDate), f: &'static figures::Words) -> Vec<(u8, &'static str)> {
    let [came, missed] = pictures::TONES;
    let paler = (pictures::PALER[0], f.part_of_week_tone);
    let has_parts = week_of(from) != from || week_of(to) != to;
    [(came, f.attended), (missed, f.no_shows)].into_iter().chain(has_parts.then_some(paler)).collect()
}

fn spans(reader: &Reader, days: (NaiveDate, NaiveDate), f: &'static figures::Words) -> Vec<Span> {
    let span = |(name, count)| {
        let from = reader.today - Days::new(count);
        Span { name, from, to: reader.today - Days::new(1), is_chosen: days == (from, reader.today) }
    };
    [f.span_weeks, f.span_months, f.span_year].into_iter().zip(SPANS_DAYS).map(span).collect()
}

fn sums(sums: &Sums, f: &'static figures::Words) -> Vec<(&'static str, String)> {
    vec![
        (f.number_of_classes, sums.sessions.to_string()),
        (f.bookings, sums.counts.booked.to_string()),
        (f.attended, sums.counts.attended.to_string()),
        (f.no_shows, sums.counts.no_show.to_string()),
        (f.fill, percent(sums.fill())),
    ]
}

fn charts(
    sessions: &[SessionCounts],
    wanted: &BTreeMap<(i64, i64), Wanted>,
    days: (NaiveDate, NaiveDate),
    shell: &Shell,
    f: &'static figures::Words,
) -> Vec<Chart> {
    let named = |name: &str, id| Key::Named(name.to_owned(), id);
    let of = |id, title, field, key: &dyn Fn(&SessionCounts) -> Key| by_name(sessions, days, (f, shell.w.colon), (id, title, field), key);
    vec![
        by_hour(sessions, days, shell, f),
        by_week(sessions, days, shell, f),
        of("instructor", f.by_instructor, "instructor", &|session| named(&session.instructor_name, session.instructor_id)),
        of("class_type", f.by_class, "class_type", &|session| named(session.class_name.read(shell.language), session.class_type_id)),
        of("room", f.by_room, "room", &|session| named(&session.room_name, session.room_id)),
        by_slot(wanted, days, shell, f),
    ]
}

/// Places taken of all places, as the cells of a table.
fn fill_cells(sums: &Sums) -> Vec<String> {
    vec![sums.sessions.to_string(), format!("{}/{}", sums.filled, sums.capacity), percent(sums.fill())]
}

/// `Tue`, of 1 to 7.
fn day_name(weekday: i64, shell: &Shell) -> &'static str {
    usize::try_from(weekday - 1).ok().and_then(|nth| weekdays(shell.language).get(nth).copied()).unwrap_or_default()
}

fn by_hour(sessions: &[SessionCounts], days: (NaiveDate, NaiveDate), shell: &Shell, f: &'static figures::Words) -> Chart {
    let behind = Behind::new(days);
    let groups = grouped(sessions, |session| Key::Hour(session.local_weekday, session.local_minute / 60));
    let (mut values, mut rows) = (Vec::new(), Vec::new());
    for (key, sums) in &groups {
        // Hours in which all classes were cancelled have no places to fill.
        let (Key::Hour(weekday, hour), Some(fill)) = (key, sums.fill()) else { continue };
        let name = format!("{} {hour:02}:00", day_name(*weekday, shell));
        let path = behind.and(&format!("weekday={weekday}&hour={hour}"));
        let said = percent(Some(fill));
        let words = format!("{name}{}{said}, {}/{}, {} {}", shell.w.colon, sums.filled, sums.capacity, f.classes, sums.sessions);
        let value = Value { name: name.clone(), size: fill, written: percent(Some(fill)), words, path: path.clone() };
        values.push((*weekday, *hour, value));
        rows.push(Row { path, name, cells: fill_cells(sums) });
    }
    Chart {
        id: "hour",
        title: f.by_hour,
        desc: f.by_hour_desc,
        picture: pictures::week(&values, weekdays(shell.language)),
        head: vec![f.hour, f.number_of_classes, f.taken, f.fill],
        rows,
        file: "attendance?by=weekday_hour",
        none: f.no_classes,
    }
}

/// `26 Oct`: a day below a picture of weeks.
fn day_of_year(date: NaiveDate, language: Language) -> String {
    match language {
        Language::En => date.format("%-d %b").to_string(),
        _ => format!("{}月{}日", date.month(), date.day()),
    }
}

fn by_week(sessions: &[SessionCounts], days: (NaiveDate, NaiveDate), shell: &Shell, f: &'static figures::Words) -> Chart {
    // Weeks without a class are weeks, too.
    let mut weeks: BTreeMap<NaiveDate, Sums> = BTreeMap::new();
    let mut monday = week_of(days.0);
    while monday < days.1 {
        weeks.insert(monday, Sums::default());
        monday = monday + Days::new(7);
    }
    for session in sessions {
        weeks.entry(week_of(session.local_date)).or_default().add(session);
    }
    let (mut values, mut rows) = (Vec::new(), Vec::new());
    for (monday, sums) in &weeks {
        let part = ((*monday).max(days.0), (*monday + Days::new(7)).min(days.1));
        // The days asked for begin or end within it: it is no week of few people.
        let is_part = part.1 - part.0 < TimeDelta::days(7);
        let path = Behind::new(part).0;
        let name = if is_part { format!("{} {}", shell.date(*monday), f.part_of_week) } else { shell.date(*monday) };
        let counts = sums.counts;
        let value = |said: &str, count: i64| Value {
            name: day_of_year(*monday, shell.language),
            size: f64::from(i32::try_from(count).unwrap_or(i32::MAX)),
            written: count.to_string(),
            words: format!("{} {name}{}{said} {count}", shell.w.week_from, shell.w.colon),
            path: path.clone(),
        };
        values.push((value(f.attended, counts.attended), value(f.no_shows, counts.no_show), is_part));
        let cells = vec![sums.sessions.to_string(), counts.attended.to_string(), counts.no_show.to_string()];
        rows.push(Row { path: path.clone(), name: name.clone(), cells });
    }
    Chart {
        id: "week",
        title: f.by_week,
        desc: f.by_week_desc,
        picture: pictures::columns(&values),
        head: vec![f.week, f.number_of_classes, f.attended, f.no_shows],
        rows,
        file: "attendance?by=session",
        none: f.no_classes,
    }
}

fn by_name(
    sessions: &[SessionCounts],
    days: (NaiveDate, NaiveDate),
    (f, colon): (&'static figures::Words, &'static str),
    (id, title, field): (&'static str, &'static str, &'static str),
    key: &dyn Fn(&SessionCounts) -> Key,
) -> Chart {
    let behind = Behind::new(days);
    let (mut values, mut rows) = (Vec::new(), Vec::new());
    for (key, sums) in grouped(sessions, key) {
        let Key::Named(name, of) = key else { continue };
        let path = behind.and(&format!("{field}={of}"));
        let written = percent(sums.fill());
        let words = format!("{name}{}{written}, {}/{}, {} {}", colon, sums.filled, sums.capacity, f.classes, sums.sessions);
        values.push(Value { name: name.clone(), size: sums.fill().unwrap_or(0.0), written, words, path: path.clone() });
        rows.push(Row { path, name, cells: fill_cells(&sums) });
    }
    values.sort_by(|one, other| other.size.total_cmp(&one.size));
    values.truncate(BARS_MAX);
    let file = match id {
        "instructor" => "attendance?by=instructor",
        "class_type" => "attendance?by=class_type",
        _ => "attendance?by=room",
    };
    let head = vec![title_of(id, f), f.number_of_classes, f.taken, f.fill];
    Chart { id, title, desc: f.bars_desc, picture: pictures::bars(&values, 1.0), head, rows, file, none: f.no_classes }
}

/// The head of the column of names.
fn title_of(id: &str, f: &'static figures::Words) -> &'static str {
    match id {
        "instructor" => f.instructor,
        "class_type" => f.class_type,
        _ => f.room,
    }
}

fn by_slot(wanted: &BTreeMap<(i64, i64), Wanted>, days: (NaiveDate, NaiveDate), shell: &Shell, f: &'static figures::Words) -> Chart {
    let behind = Behind::new(days);
    let (mut values, mut rows) = (Vec::new(), Vec::new());
    for ((weekday, minute), wanted) in wanted.iter().filter(|(_, wanted)| wanted.unmet > 0) {
        let start = wall_time(*minute);
        let name = format!("{} {start}", day_name(*weekday, shell));
        let path = behind.and(&format!("weekday={weekday}&start={start}"));
        let words = format!("{name}{}{} {}", shell.w.colon, f.people_left_out, wanted.unmet);
        let size = f64::from(i32::try_from(wanted.unmet).unwrap_or(i32::MAX));
        values.push(Value { name: name.clone(), size, written: wanted.unmet.to_string(), words, path: path.clone() });
        let cells = [wanted.unmet, wanted.turned_away, wanted.waited].map(|count| count.to_string()).into();
        rows.push(Row { path, name, cells });
    }
    values.sort_by(|one, other| other.size.total_cmp(&one.size));
    values.truncate(BARS_MAX);
    let most = values.first().map_or(1.0, |value| value.size);
    Chart {
        id: "slot",
        title: f.by_slot,
        desc: f.by_slot_desc,
        picture: pictures::bars(&values, most),
        head: vec![f.start, f.unmet_people, f.turned_away, f.waited],
        rows,
        file: "demand?",
        none: f.nobody_left_out,
    }
}

/// Which sessions: of which days, at what time of the week, of whom and where.
#[derive(Debug, Deserialize)]
pub struct BehindParams {
    from: Option<LocalDate>,
    to: Option<LocalDate>,
    weekday: Option<i64>,
    hour: Option<i64>,
    start: Option<String>,
    instructor: Option<Uuid>,
    class_type: Option<Uuid>,
    room: Option<Uuid>,
}

impl BehindParams {
    fn has(&self, session: &SessionCounts) -> bool {
        self.weekday.is_none_or(|weekday| session.local_weekday == weekday)
            && self.hour.is_none_or(|hour| session.local_minute / 60 == hour)
            && self.start.as_ref().is_none_or(|start| wall_time(session.local_minute) == *start)
            && self.instructor.is_none_or(|id| session.instructor_id == id)
            && self.class_type.is_none_or(|id| session.class_type_id == id)
            && self.room.is_none_or(|id| session.room_id == id)
    }
}

#[derive(Template)]
#[template(path = "console/pages/attendance_sessions.html")]
struct SessionsPage {
    shell: Shell,
    w: &'static Words,
    f: &'static figures::Words,
    from: NaiveDate,
    to: NaiveDate,
    /// What they have in common beside the days.
    common: String,
    sums: Vec<(&'static str, String)>,
    lines: Vec<SessionLine>,
    of_all: usize,
    is_cut: bool,
}

/// A session and what became of its bookings.
struct SessionLine {
    id: Uuid,
    when: String,
    class: String,
    instructor: String,
    is_cancelled: bool,
    taken: String,
    attended: i64,
    no_show: i64,
}

/// The sessions behind a figure: for the studio's admins.
pub async fn sessions(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(params): Query<BehindParams>,
) -> Answer<Response> {
    let reader = Reader::admin(&app, &staff.caller, studio_id).await?;
    let days = DaysParams { from: params.from, to: params.to }.days(&reader)?;
    let mut tx = app.db.read().await?;
    let mut found = store::sessions(&mut tx, studio_id, days, SESSIONS_MAX + 1).await?;
    tx.rollback().await;
    not_too_many(&found)?;
    found.retain(|session| params.has(session));
    let shell = Shell::of(&app, &staff, studio_id, Part::Attendance, Said::default()).await?;
    let f = figures::words(shell.language);
    let line = |session: &SessionCounts| SessionLine {
        id: session.session_id,
        when: shell.day_and_time(session.starts_at),
        class: session.class_name.read(shell.language).to_owned(),
        instructor: session.instructor_name.clone(),
        is_cancelled: session.cancelled_session,
        taken: format!("{}/{}", session.counts.booked, session.capacity),
        attended: session.counts.attended,
        no_show: session.counts.no_show,
    };
    let page = SessionsPage {
        w: shell.w,
        f,
        from: days.0,
        to: days.1 - Days::new(1),
        common: common(&params, found.first(), &shell),
        sums: sums(&Sums::of(&found), f),
        lines: found.iter().take(LISTED_MAX).map(line).collect(),
        of_all: found.len(),
        is_cut: found.len() > LISTED_MAX,
        shell,
    };
    page.shell.answer(&page)
}

/// `Tue 18:30 · Lin Yue`.
fn common(params: &BehindParams, one: Option<&SessionCounts>, shell: &Shell) -> String {
    let day = params.weekday.map(|weekday| day_name(weekday, shell).to_owned());
    let hour = params.hour.filter(|hour| (0..24).contains(hour)).map(|hour| format!("{hour:02}:00–{hour:02}:59"));
    let start = one.filter(|_| params.start.is_some()).map(|session| wall_time(session.local_minute));
    let instructor = one.filter(|_| params.instructor.is_some()).map(|session| session.instructor_name.clone());
    let class = one.filter(|_| params.class_type.is_some()).map(|session| session.class_name.read(shell.language).to_owned());
    let room = one.filter(|_| params.room.is_some()).map(|session| session.room_name.clone());
    [day, hour, start, instructor, class, room].into_iter().flatten().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ")
}
