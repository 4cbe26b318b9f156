//! The demo: two studios with plainly invented people, seeded in one transaction, and a mark by which Relevé recognises its own demo.
//!
//! `plan` says what there is and `history` what there was (both pure), `store` looks at what a database holds. The bookings of the one full session go through the transactor
//! like any others, so that their letters are real. Started again on another day, the demo adds the days that have come into view.

mod history;
pub mod mark;
pub mod plan;
pub mod store;

use std::collections::HashSet;
use std::time::Instant;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use crate::app::App;
use crate::booking;
use crate::booking::book::Book;
use crate::db::{Db, Error, Tx};
use crate::events::{self, Actor, Event, Happened};
use crate::ids::new_id;
use crate::passes;
use crate::problem::ProblemType;
use crate::reports;
use crate::running::store::{self as facts, DEMO};
use crate::schedule::{self, Session};
use crate::studios;
use crate::transactor::Command;
use mark::Mark;
pub use mark::PASSWORD;
use plan::{Plan, STUDIOS};

/// What a demo is to be made of.
#[derive(Clone, Debug)]
pub struct Wish {
    /// How many members.
    pub members: u32,
    /// The hash of [`PASSWORD`]: one for all, since each would take as long as a sign-in.
    pub password_hash: String,
}

/// What a seeded demo has to show.
#[derive(Clone, Copy, Debug)]
pub struct Sights {
    /// The session that is full, if it is still to come.
    pub full_session: Option<Uuid>,
    /// How many members there are.
    pub members: u32,
}

/// Seeds an empty database, finishes what was begun, or adds the days that have come into view since.
pub async fn prepare(app: &App, wish: Wish) -> Result<Sights, String> {
    let now = app.clock.now();
    let mark = facts::fact(&app.db, DEMO).await.map_err(told)?;
    let (members, seeded_on) = match mark.as_deref().and_then(Mark::parse) {
        None => {
            let began = Instant::now();
            let mut plan = Plan::new(now, wish.members);
            history::remember(&mut plan, now);
            eprintln!("seeding the demo: {} studios, {} sessions, {} members", STUDIOS.len(), plan.sessions.len(), wish.members);
            seed(&app.db, plan, wish.password_hash, now).await?;
            book_full(app, now.date_naive()).await?;
            finish(app, wish.members, now.date_naive()).await?;
            eprintln!("seeded in {:.1} s", began.elapsed().as_secs_f64());
            (wish.members, now.date_naive())
        }
        Some(mark) => {
            if !mark.ready {
                book_full(app, mark.on).await?;
                finish(app, mark.members, mark.on).await?;
            }
            extend(&app.db, now).await?;
            (mark.members, mark.on)
        }
    };
    let full = plan::full_session(seeded_on);
    Ok(Sights { full_session: (full.starts_at > now).then_some(full.id), members })
}

/// Members written per slice, with a line of progress for each.
const MEMBERS_A_SLICE: usize = 5_000;

async fn seed(db: &Db, plan: Plan, password_hash: String, now: DateTime<Utc>) -> Result<(), String> {
    let mark = Mark { ready: false, members: plan.member_count(), on: now.date_naive() };
    let work = db.write("demo.seed", move |tx| {
        Box::pin(async move {
            for studio in &plan.studios {
                studios::store::add_studio(tx, studio, now).await?;
            }
            for room in &plan.rooms {
                studios::store::add_room(tx, room, now).await?;
            }
            for class in &plan.class_types {
                schedule::store::add_class_type(tx, class, now).await?;
            }
            for sold in &plan.pass_types {
                passes::store::add_type(tx, sold, now).await?;
            }
            people(tx, &plan, &password_hash).await?;
            schedule::store::insert(tx, plan.sessions.iter().collect()).await?;
            booking::store::insert(tx, plan.bookings.iter().collect()).await?;
            passes::store::insert_ledger(tx, plan.ledger).await?;
            reports::store::turn_away(tx, now, plan.turned_away).await?;
            let entries = plan.studios.iter().map(|studio| Actor::system().did(Event::of_studio(studio.id, Happened::DemoSeeded)));
            events::log::write(tx, now, entries.collect()).await?;
            facts::note(tx, DEMO, mark.text()).await
        })
    });
    work.await.map_err(told)
}

async fn people(tx: &mut Tx, plan: &Plan, password_hash: &str) -> Result<(), Error> {
    for (nth, slice) in plan.people.chunks(MEMBERS_A_SLICE).enumerate() {
        if nth > 0 {
            eprintln!("  {} people", nth * MEMBERS_A_SLICE);
        }
        store::add_people(tx, slice, password_hash).await?;
        let held: HashSet<Uuid> = slice.iter().map(|person| person.id).collect();
        let of_these = |pass: &&passes::Pass| held.contains(&pass.person_id);
        passes::store::insert(tx, plan.passes.iter().filter(of_these).collect()).await?;
    }
    store::add_staff(tx, plan.staff()).await
}

/// Books the full session and its queue through the transactor. Sent again, each booking stays as it is.
async fn book_full(app: &App, seeded_on: NaiveDate) -> Result<(), String> {
    let session = plan::full_session(seeded_on);
    let now = app.clock.now();
    if session.starts_at <= now {
        return Ok(());
    }
    let by = |person_id| Actor { person_id: Some(person_id), ..Actor::default() };
    for (person_id, waitlist) in plan::wants_the_full_session() {
        let ask = Book { id: new_id(now), session_id: session.id, waitlist, ..Book::default() };
        match app.transactor.submit(by(person_id), Command::Book(ask)).await {
            Ok(_) => {}
            Err(problem) if problem.kind == ProblemType::AlreadyBooked => {}
            Err(problem) => return Err(format!("the demo's full session could not be booked: {:?}", problem.kind)),
        }
    }
    Ok(())
}

async fn finish(app: &App, members: u32, on: NaiveDate) -> Result<(), String> {
    let mark = Mark { ready: true, members, on };
    let noted = app.db.write("demo.ready", move |tx| Box::pin(async move { facts::note(tx, DEMO, mark.text()).await }));
    noted.await.map_err(told)
}

/// Adds the days that have come into view since, where nobody has scheduled something else.
async fn extend(db: &Db, now: DateTime<Utc>) -> Result<(), String> {
    let added = db.write("demo.extend", move |tx| {
        Box::pin(async move {
            let today = now.date_naive();
            let last = today.checked_add_days(Days::new(plan::DAYS_AROUND)).unwrap_or(today);
            let planned = plan::sessions(today, last, now);
            let there = store::sessions_since(tx, now - TimeDelta::days(2)).await?;
            let new: Vec<&Session> = planned.iter().filter(|session| session.starts_at > now && is_free(session, &there)).collect();
            let count = new.len();
            schedule::store::insert(tx, new).await?;
            Ok::<_, Error>(count)
        })
    });
    let added = added.await.map_err(told)?;
    if added > 0 {
        eprintln!("added {added} sessions of the days that have come into view");
    }
    Ok(())
}

fn is_free(session: &Session, there: &[store::Taken]) -> bool {
    !there.iter().any(|other| {
        let overlaps = other.starts_at < session.ends_at && session.starts_at < other.ends_at;
        other.id == session.id || (overlaps && (other.room_id == session.room_id || other.instructor_id == session.instructor_id))
    })
}

fn told(error: Error) -> String {
    error.to_string()
}
