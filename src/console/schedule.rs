//! A week of the schedule, of one room or one instructor if so wished.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{Days, NaiveDate};
use serde::Deserialize;
use uuid::Uuid;

use super::frame::{Part, Said, Shell};
use super::setup::{self, Steps};
use super::staff::Staff;
use super::today::Card;
use super::words::Words;
use crate::app::App;
use crate::extract::{PAGE_MAX, Path, Query};
use crate::problem::Answer;
use crate::schedule::rules::{LocalDate, week_of};
use crate::schedule::store::{self, Range};
use crate::studios::guard::require_staff;
use crate::studios::{self, Room};

/// Sessions of a week that the page shows; more than a studio has.
const SESSIONS_MAX: i64 = 500;

/// Which week, of whom, and where.
#[derive(Debug, Deserialize)]
pub struct WeekParams {
    week: Option<LocalDate>,
    room: Option<String>,
    instructor: Option<String>,
    said: Option<String>,
}

#[derive(Template)]
#[template(path = "console/pages/schedule.html")]
struct Week {
    shell: Shell,
    w: &'static Words,
    monday: NaiveDate,
    title: String,
    before: NaiveDate,
    after: NaiveDate,
    days: Vec<Day>,
    rooms: Vec<Room>,
    instructors: Vec<(Uuid, String)>,
    room: Option<Uuid>,
    instructor: Option<Uuid>,
    /// What stays of the choice in another week.
    choice: String,
    may_make: bool,
    may_publish: bool,
    is_empty: bool,
    steps: Option<Steps>,
}

/// A day of it.
struct Day {
    date: NaiveDate,
    name: String,
    is_today: bool,
    cards: Vec<Card>,
}

/// The week: all of it for the desk, their own classes for an instructor.
pub async fn show(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, Query(params): Query<WeekParams>) -> Answer<Response> {
    require_staff(&app, &staff.caller, studio_id).await?;
    let shell = Shell::of(&app, &staff, studio_id, Part::Schedule, Said::done(params.said)).await?;
    let now = app.clock.now();
    let monday = week_of(params.week.map_or(shell.today, |LocalDate(date)| date));
    let (before, after) = (monday - Days::new(7), monday + Days::new(7));
    // An empty choice of a form, or one that is none, is no choice.
    let chosen = |text: Option<String>| text.and_then(|text| text.parse::<Uuid>().ok());
    let (room, instructor) = (chosen(params.room), chosen(params.instructor));
    let of_whom = if shell.is_desk { instructor } else { Some(staff.caller.person_id) };
    let range = Range {
        studio_id,
        from: monday,
        to: after,
        class_type: None,
        instructor: of_whom,
        drafts: true,
        after: None,
        count_max: SESSIONS_MAX,
    };
    let mut sessions = store::range(&app.db, &range).await?;
    sessions.retain(|session| room.is_none_or(|room| session.room_id == room));
    let days = (0..7)
        .map(|n| monday + Days::new(n))
        .map(|date| Day {
            date,
            name: shell.day(date),
            is_today: date == shell.today,
            cards: sessions
                .iter()
                .filter(|session| session.local_date == date)
                .map(|session| Card::of(session, Default::default(), &shell, now))
                .collect(),
        })
        .collect();
    let may_publish = shell.is_admin && sessions.iter().any(|session| session.is_draft());
    let steps =
        if sessions.is_empty() && shell.is_admin { setup::steps(&app, studio_id).await?.filter(|steps| !steps.are_done()) } else { None };
    let mut choice = String::new();
    for (name, chosen) in [("room", room), ("instructor", instructor)] {
        choice += &chosen.map(|id| format!("&{name}={id}")).unwrap_or_default();
    }
    let page = Week {
        w: shell.w,
        monday,
        title: shell.date(monday),
        before,
        after,
        days,
        rooms: studios::store::rooms(&app.db, studio_id, None, PAGE_MAX).await?,
        instructors: if shell.is_desk { studios::store::instructors(&app.db, studio_id, None, PAGE_MAX).await? } else { Vec::new() },
        room,
        instructor,
        choice,
        may_make: staff.caller.roles.is_scheduler(studio_id),
        may_publish,
        is_empty: sessions.is_empty(),
        steps,
        shell,
    };
    page.shell.answer(&page)
}
