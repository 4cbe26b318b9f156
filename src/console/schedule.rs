//! A week of the schedule, of one room or one instructor if so wished.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{Days, NaiveDate};
use serde::Deserialize;
use uuid::Uuid;

use super::frame::{Part, Said, Shell};
use super::session::runs;
use super::setup::{self, Steps};
use super::staff::Staff;
use super::today::Card;
use super::words::Words;
use super::words::planning::{self, Words as Planning};
use crate::app::App;
use crate::extract::{PAGE_MAX, Path, Query};
use crate::problem::Answer;
use crate::schedule::Session;
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
    #[serde(default)]
    by: By,
    said: Option<String>,
}

/// What stands together: all of a day, or a week of each room or instructor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum By {
    #[default]
    Day,
    Room,
    Instructor,
}

impl By {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Room => "room",
            Self::Instructor => "instructor",
        }
    }
}

#[derive(Template)]
#[template(path = "console/pages/schedule.html")]
struct Week {
    shell: Shell,
    w: &'static Words,
    p: &'static Planning,
    monday: NaiveDate,
    title: String,
    before: NaiveDate,
    after: NaiveDate,
    days: Vec<Day>,
    by: By,
    /// The same week of each room or instructor, one below the other; by day there is one group, without a name.
    groups: Vec<Group>,
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
}

/// A week of a room or of an instructor.
struct Group {
    id: Option<Uuid>,
    name: String,
    /// The classes of each day.
    days: Vec<Vec<Slot>>,
}

/// A class in its place.
struct Slot {
    card: Card,
    /// Whether it can be moved from here.
    may_move: bool,
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
    let dates: Vec<NaiveDate> = (0..7).map(|n| monday + Days::new(n)).collect();
    let days = dates.iter().map(|date| Day { date: *date, name: shell.day(*date), is_today: *date == shell.today }).collect();
    let rooms = studios::store::rooms(&app.db, studio_id, None, PAGE_MAX).await?;
    let mut instructors = studios::store::instructors(&app.db, studio_id, None, PAGE_MAX).await?;
    // Who teaches here no more stands last, with the classes that wait for somebody else.
    for session in &sessions {
        if !instructors.iter().any(|(id, _)| *id == session.instructor_id) {
            instructors.push((session.instructor_id, session.names.instructor_name.clone()));
        }
    }
    let group = |id: Option<Uuid>, name: &str| {
        let is_in = |session: &&Session| match params.by {
            By::Day => true,
            By::Room => Some(session.room_id) == id,
            By::Instructor => Some(session.instructor_id) == id,
        };
        let of_day = |date: &NaiveDate| {
            let there = sessions.iter().filter(is_in).filter(|session| session.local_date == *date);
            there
                .map(|session| Slot {
                    may_move: runs(&staff.caller, session) && !session.is_cancelled() && now < session.starts_at,
                    card: Card::of(session, Default::default(), &shell, now),
                })
                .collect()
        };
        Group { id, name: name.to_owned(), days: dates.iter().map(of_day).collect() }
    };
    let groups = match params.by {
        By::Day => vec![group(None, "")],
        By::Room => rooms.iter().filter(|one| room.is_none_or(|room| one.id == room)).map(|one| group(Some(one.id), &one.name)).collect(),
        By::Instructor => {
            let shown = instructors.iter().filter(|(id, _)| of_whom.is_none_or(|of| *id == of));
            shown.map(|(id, name)| group(Some(*id), name)).collect()
        }
    };
    let may_publish = shell.is_admin && sessions.iter().any(|session| session.is_draft());
    let steps =
        if sessions.is_empty() && shell.is_admin { setup::steps(&app, studio_id).await?.filter(|steps| !steps.are_done()) } else { None };
    let mut choice = if params.by == By::Day { String::new() } else { format!("&by={}", params.by.as_str()) };
    for (name, chosen) in [("room", room), ("instructor", instructor)] {
        choice += &chosen.map(|id| format!("&{name}={id}")).unwrap_or_default();
    }
    let page = Week {
        w: shell.w,
        p: planning::words(shell.language),
        monday,
        title: shell.date(monday),
        before,
        after,
        days,
        by: params.by,
        groups,
        rooms,
        instructors: if shell.is_desk { instructors } else { Vec::new() },
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
