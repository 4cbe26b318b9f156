//! A day at the studio: its sessions, and at the door who is in.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{Days, NaiveDate};
use serde::Deserialize;
use uuid::Uuid;

use super::frame::{Part, Said, Shell};
use super::roster::{self, Roster};
use super::setup::{self, Steps};
use super::staff::Staff;
use super::words::Words;
use crate::app::App;
use crate::extract::{PAGE_MAX, Path, Query};
use crate::problem::Answer;
use crate::schedule::rules::LocalDate;
use crate::schedule::store::{self, Range, RosterCounts};
use crate::schedule::{Session, SessionStatus, status};
use crate::studios::guard::require_staff;

/// How many rosters stand open at once: the classes at the door, not the whole day.
const ROSTERS_MAX: usize = 4;

/// Which day.
#[derive(Debug, Deserialize)]
pub struct DayParams {
    date: Option<LocalDate>,
    said: Option<String>,
}

#[derive(Template)]
#[template(path = "console/pages/today.html")]
struct Today {
    shell: Shell,
    w: &'static Words,
    date: NaiveDate,
    is_today: bool,
    day: String,
    before: NaiveDate,
    after: NaiveDate,
    cards: Vec<Card>,
    steps: Option<Steps>,
}

/// A session of the day.
pub struct Card {
    pub id: Uuid,
    pub from: String,
    pub to: String,
    pub class: String,
    pub room: String,
    pub instructor: String,
    pub capacity: i64,
    pub taken: i64,
    pub held: i64,
    pub waiting: i64,
    pub arrived: i64,
    pub first_visits: i64,
    /// `draft`, `scheduled`, `running`, `cancelled`, `ended`.
    pub state: &'static str,
    /// The same in words, where it is not the usual.
    pub said: Option<&'static str>,
    pub roster: Option<Roster>,
}

impl Card {
    /// Without its roster.
    pub fn of(session: &Session, counts: RosterCounts, shell: &Shell, now: chrono::DateTime<chrono::Utc>) -> Self {
        let (state, said) = match status(session, now) {
            SessionStatus::Draft => ("draft", Some(shell.w.draft)),
            SessionStatus::Cancelled => ("cancelled", Some(shell.w.session_cancelled)),
            SessionStatus::Ended => ("ended", None),
            SessionStatus::Scheduled if session.starts_at <= now => ("running", Some(shell.w.running)),
            SessionStatus::Scheduled => ("scheduled", None),
        };
        Self {
            id: session.id,
            from: shell.time(session.starts_at),
            to: shell.time(session.ends_at),
            class: session.names.class_name.read(shell.language).to_owned(),
            room: session.names.room_name.clone(),
            instructor: session.names.instructor_name.clone(),
            capacity: session.capacity,
            taken: session.taken,
            held: session.held,
            waiting: session.waiting,
            arrived: counts.arrived,
            first_visits: counts.first_visits,
            state,
            said,
            roster: None,
        }
    }

    /// How much of the room is taken, of a hundred.
    pub fn taken_percent(&self) -> i64 {
        percent(self.taken, self.capacity)
    }

    /// The same of what is kept back.
    pub fn held_percent(&self) -> i64 {
        percent(self.held, self.capacity)
    }

    /// Places that nobody has.
    pub fn left(&self) -> i64 {
        (self.capacity - self.taken - self.held).max(0)
    }
}

fn percent(part: i64, whole: i64) -> i64 {
    if whole > 0 { (part * 100 / whole).min(100) } else { 0 }
}

/// The day: all of it for the desk, their own classes for an instructor.
pub async fn show(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(DayParams { date, said }): Query<DayParams>,
) -> Answer<Response> {
    require_staff(&app, &staff.caller, studio_id).await?;
    page(&app, &staff, studio_id, date.map(|LocalDate(date)| date), Said::done(said)).await
}

/// The page of a day, with what has been done or refused on it.
pub async fn page(app: &App, staff: &Staff, studio_id: Uuid, date: Option<NaiveDate>, said: Said) -> Answer<Response> {
    let shell = Shell::of(app, staff, studio_id, Part::Today, said).await?;
    let now = app.clock.now();
    let date = date.unwrap_or(shell.today);
    let (before, after) = (date - Days::new(1), date + Days::new(1));
    let instructor = (!shell.is_desk).then_some(staff.caller.person_id);
    let range = Range { studio_id, from: date, to: after, class_type: None, instructor, drafts: true, after: None, count_max: PAGE_MAX };
    let sessions = store::range(&app.db, &range).await?;
    let ids: Vec<Uuid> = sessions.iter().map(|session| session.id).collect();
    let counts = store::roster_counts(&app.db, &ids).await?;
    let from_min = roster::marks_from_min(app, studio_id).await?;
    let (mut cards, mut rosters) = (Vec::with_capacity(sessions.len()), 0);
    for session in &sessions {
        let counts = counts.iter().find(|counts| counts.session_id == session.id).copied().unwrap_or_default();
        let mut card = Card::of(session, counts, &shell, now);
        let at_the_door = roster::begins(session, from_min) <= now && now < session.ends_at;
        if at_the_door && matches!(card.state, "scheduled" | "running") && rosters < ROSTERS_MAX {
            rosters += 1;
            card.roster = Some(roster::read(app, staff, &shell, session, from_min, "today").await?);
        }
        cards.push(card);
    }
    let steps =
        if cards.is_empty() && shell.is_admin { setup::steps(app, studio_id).await?.filter(|steps| !steps.are_done()) } else { None };
    let page = Today { w: shell.w, date, is_today: date == shell.today, day: shell.date(date), before, after, cards, steps, shell };
    page.shell.answer(&page)
}
