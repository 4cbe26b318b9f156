//! The week that is over on one page, and who is to be thought of now: for the studio's admins.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{Days, NaiveDate};
use serde::Deserialize;
use uuid::Uuid;

use super::frame::{Part, Said, Shell};
use super::pictures::percent;
use super::staff::Staff;
use super::words::Words;
use super::words::figures::{self, weekdays};
use crate::app::App;
use crate::extract::{Path, Query};
use crate::letters::facts::Money;
use crate::letters::phrases;
use crate::problem::Answer;
use crate::reports::Amount;
use crate::reports::answer::Reader;
use crate::reports::monday::{MemberContact, Monday, Week};
use crate::schedule::rules::LocalDate;

/// Lines of a list that are seen at once; the others open.
const LINES_FIRST: usize = 8;

/// Which week.
#[derive(Deserialize)]
pub struct WeekParams {
    week: Option<LocalDate>,
}

#[derive(Template)]
#[template(path = "console/pages/monday.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    f: &'static figures::Words,
    /// The week's Monday, and those beside it.
    monday: NaiveDate,
    before: NaiveDate,
    after: NaiveDate,
    last: NaiveDate,
    sunday: NaiveDate,
    counts: &'static str,
    figures: Vec<Figure>,
    lists: Vec<List>,
}

/// One figure of the week, beside the same of two other weeks.
struct Figure {
    name: &'static str,
    /// What it counts.
    hint: &'static str,
    value: String,
    week_before: String,
    year_before: String,
}

/// What is to be thought of, and how many there are in all.
struct List {
    title: &'static str,
    lines: Vec<Line>,
    of_all: i64,
}

impl List {
    /// The lines that stand on the page.
    fn first(&self) -> &[Line] {
        self.lines.get(..LINES_FIRST).unwrap_or(&self.lines)
    }

    /// Those that open.
    fn rest(&self) -> &[Line] {
        self.lines.get(LINES_FIRST..).unwrap_or_default()
    }

    /// Of which all lines are shown.
    fn whole(title: &'static str, lines: Vec<Line>) -> Self {
        Self { title, of_all: i64::try_from(lines.len()).unwrap_or(i64::MAX), lines }
    }
}

/// What leads somewhere.
struct Line {
    /// Below the address of the studio.
    path: String,
    name: String,
    detail: String,
}

/// The page: for the studio's admins.
pub async fn show(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(WeekParams { week }): Query<WeekParams>,
) -> Answer<Response> {
    let reader = Reader::admin(&app, &staff.caller, studio_id).await?;
    let report = Monday::of(&app, &reader, week).await?;
    let shell = Shell::of(&app, &staff, studio_id, Part::Monday, Said::default()).await?;
    let (w, f) = (shell.w, figures::words(shell.language));
    let (LocalDate(monday), LocalDate(after)) = (report.week.from, report.week.to);
    let page = Page {
        w,
        f,
        monday,
        before: monday - Days::new(7),
        after,
        last: crate::schedule::rules::week_of(shell.today) - Days::new(7),
        sunday: after - Days::new(1),
        counts: report.counts,
        figures: figures_of([&report.week, &report.week_before, &report.year_before], f),
        lists: vec![
            passes(&report, &shell, f),
            unseen(&report, &shell, f),
            fees(&report, &shell, f),
            unrecorded(&report, &shell, f),
            unmet(&report, &shell, f),
            pay(&report, f),
        ],
        shell,
    };
    page.shell.answer(&page)
}

fn figures_of(weeks: [&Week; 3], f: &'static figures::Words) -> Vec<Figure> {
    let figure = |name, hint, of: &dyn Fn(&Week) -> String| {
        let [value, week_before, year_before] = weeks.map(of);
        Figure { name, hint, value, week_before, year_before }
    };
    vec![
        figure(f.takings, f.hint_takings, &|week| takings(&week.takings)),
        figure(f.bookings, f.hint_bookings, &|week| week.bookings.to_string()),
        figure(f.attended, f.hint_attended, &|week| week.attended.to_string()),
        figure(f.fill, f.hint_fill, &|week| percent(week.fill)),
        figure(f.first_visits, f.hint_first_visits, &|week| week.first_visits.to_string()),
        figure(f.came_again, f.hint_came_again, &|week| week.came_again.to_string()),
    ]
}

/// What was taken, in every currency.
fn takings(amounts: &[Amount]) -> String {
    let all: Vec<String> = amounts.iter().map(money).collect();
    if all.is_empty() { "–".to_owned() } else { all.join(" + ") }
}

fn money(Amount { amount_minor, currency }: &Amount) -> String {
    phrases::money(&Money { amount_minor: *amount_minor, currency: currency.clone() })
}

fn of_member(member: &MemberContact, detail: String) -> Line {
    Line { path: format!("members/{}", member.person_id), name: member.name.clone(), detail }
}

fn passes(report: &Monday, shell: &Shell, f: &'static figures::Words) -> List {
    let line = |pass: &crate::reports::monday::EndingPass| {
        let left = pass.credits_left.map(|left| format!(" · {} {left}", shell.w.credits_left)).unwrap_or_default();
        of_member(&pass.member, format!("{} · {}{left}", pass.name, shell.day(pass.expires_on.0)))
    };
    List { title: f.passes_ending, lines: report.passes_ending.iter().map(line).collect(), of_all: report.passes_ending_count }
}

fn unseen(report: &Monday, shell: &Shell, f: &'static figures::Words) -> List {
    let lines = report.unseen.iter();
    let lines = lines.map(|unseen| of_member(&unseen.member, format!("{} {}", f.last_visit, shell.date(unseen.last_visit_on.0)))).collect();
    List { title: f.unseen, lines, of_all: report.unseen_count }
}

fn fees(report: &Monday, shell: &Shell, f: &'static figures::Words) -> List {
    let lines = report.fees_due.iter();
    let lines =
        lines.map(|fee| of_member(&fee.member, format!("{} · {} {}", money(&fee.amount), f.since, shell.date(fee.since.0)))).collect();
    List { title: f.fees_due, lines, of_all: report.fees_due_count }
}

fn unrecorded(report: &Monday, shell: &Shell, f: &'static figures::Words) -> List {
    let line = |session: &crate::reports::monday::Unrecorded| {
        let starts = session.local_start.local();
        Line {
            path: format!("sessions/{}", session.session_id),
            name: format!("{} · {} {}", session.class, shell.day(starts.date()), starts.format("%H:%M")),
            detail: format!("{} · {} {}", session.instructor, f.places_open, session.unrecorded + session.unmarked),
        }
    };
    List::whole(f.unrecorded, report.unrecorded.iter().map(line).collect())
}

fn unmet(report: &Monday, shell: &Shell, f: &'static figures::Words) -> List {
    let days = weekdays(shell.language);
    let (from, to) = (report.week.from.0, report.week.to.0 - Days::new(1));
    let line = |slot: &crate::reports::demand::Slot| {
        let day = usize::try_from(slot.weekday - 1).ok().and_then(|nth| days.get(nth)).copied().unwrap_or_default();
        Line {
            path: format!("attendance/sessions?from={from}&to={to}&weekday={}&start={}", slot.weekday, slot.start),
            name: format!("{day} {}", slot.start),
            detail: format!("{} {}", f.people_left_out, slot.counts.unmet),
        }
    };
    List::whole(f.unmet, report.unmet.iter().map(line).collect())
}

fn pay(report: &Monday, f: &'static figures::Words) -> List {
    let (from, to) = (report.week.from.0, report.week.to.0 - Days::new(1));
    let line = |of: &crate::reports::pay::Instructor| {
        let taught = of.taught;
        Line {
            path: format!("attendance/sessions?from={from}&to={to}&instructor={}", of.instructor_id),
            name: of.name.clone(),
            detail: format!("{} {} · {} {} · {} {}", f.classes, taught.sessions, f.minutes, taught.minutes, f.came, taught.attended),
        }
    };
    List::whole(f.pay, report.pay.iter().map(line).collect())
}
