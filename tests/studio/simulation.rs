//! Random months of studio life through the desk: real batches, real commits, sweeps as the clock moves, watched after every step by the
//! checker and every 500 commands by the audit.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use futures_util::future::join_all;
use releve::audit::Record;
use releve::booking::Booking;
use releve::db::Engine;
use releve::desk::{Outcome, What};
use releve::passes::Pass;
use releve::problem::Answer;
use releve::schedule::Shown;
use serde_json::json;
use sqlx::types::Json;
use uuid::Uuid;

use crate::house::House;
use crate::life::{self, BOOKINGS_AHEAD_MAX, Cast, Month, Seen};

const MONTHS: u64 = 5;
const STEPS: usize = 400;
const MEMBERS: usize = 14;
/// Commands between two audits.
const AUDIT_EVERY: usize = 500;

struct Real {
    house: House,
    members: Vec<Uuid>,
    bookings: Vec<Booking>,
    sessions: Vec<Shown>,
    passes: Vec<Pass>,
}

impl life::House for Real {
    fn now(&self) -> DateTime<Utc> {
        self.house.clock.now()
    }

    async fn ask(&mut self, asked: Vec<(Uuid, What)>) -> Vec<Answer<Outcome>> {
        let desk = &self.house.app.desk;
        join_all(asked.into_iter().map(|(who, what)| desk.ask(Record { actor_id: Some(who), request_id: None }, what))).await
    }

    async fn let_time_pass(&mut self, by: Duration, _: &[Uuid]) {
        self.house.advance(by);
        self.house.sweep().await;
    }

    async fn look(&mut self, sessions: &[Uuid], bookings: &[Uuid]) -> Seen<'_> {
        let mut tx = self.house.db.read().await.unwrap();
        self.bookings = releve::booking::store::by_id(&mut tx, bookings).await.unwrap();
        self.sessions = releve::schedule::store::among(&mut tx, sessions).await.unwrap();
        self.passes = releve::passes::store::of_people(&mut tx, &self.members).await.unwrap();
        let ledger = tx.all("SELECT pass_id, booking_id, credits FROM ledger", ()).await.unwrap();
        tx.rollback().await;
        Seen {
            bookings: self.bookings.iter().collect(),
            sessions: self.sessions.iter().collect(),
            passes: self.passes.iter().collect(),
            ledger,
        }
    }
}

/// The studio that the house found, with a second room and instructor, passes that run out and a cap that is met.
async fn cast(house: &House) -> Cast {
    house.rules(json!({ "bookings_ahead_max": BOOKINGS_AHEAD_MAX })).await;
    let studio = house.studio.clone();
    let mut members = Vec::new();
    for n in 1..=MEMBERS {
        members.push(house.stranger(&format!("Member {n}")).await.id);
    }
    let (room, pack, membership, now) = (house.new_id(), house.new_id(), house.new_id(), house.clock.now());
    let colleague = house.colleague("Ines").await.id;
    house
        .write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO rooms (id, studio_id, name, capacity, created_at) VALUES ($1, $2, $3, $4, $5)";
                tx.run(sql, (room, studio.id, "Studio B", 6_i64, now)).await?;
                let name = || Json(json!({ "en": "Pass" }));
                let rows = vec![
                    (pack, studio.id, name(), "pack", Some(3_i64), None, 40_i64, now),
                    (membership, studio.id, name(), "membership", None, Some(2_i64), 40, now),
                ];
                let sql = "INSERT INTO pass_types (id, studio_id, name, kind, credits, per_week, valid_days, created_at) VALUES #";
                tx.rows(sql, rows).await
            })
        })
        .await;
    let studio = &house.studio;
    Cast {
        studio: studio.id,
        admin: studio.admin.id,
        class_type: studio.class_type,
        rooms: [studio.room, room],
        instructors: [studio.instructor.id, colleague],
        pack,
        membership,
        members,
    }
}

async fn months_keep_every_promise(engine: Engine) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut commands, mut audited) = (0, 0);
    for seed in 0..MONTHS {
        let Some(house) = House::open(engine).await else { return };
        let cast = cast(&house).await;
        let real = Real { house: house.clone(), members: cast.members.clone(), bookings: vec![], sessions: vec![], passes: vec![] };
        let mut month = Month::begin(real, cast, 1_000 + seed);
        for _ in 0..STEPS {
            commands += month.step().await;
            month.check().await;
            if commands >= audited + AUDIT_EVERY {
                audited = commands;
                house.audit_is_clean().await;
            }
        }
        for (name, count) in std::mem::take(&mut month.seen) {
            *seen.entry(name).or_default() += count;
        }
        drop(month);
        // Letters of the past are overtaken; the house sees to it that none stays behind and the audit is clean.
        house.close().await;
    }
    assert!(commands >= 3_000, "{commands}");
    life::assert_lively(&seen, 60);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn months_on_sqlite_keep_every_promise() {
    months_keep_every_promise(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn months_on_postgres_keep_every_promise() {
    months_keep_every_promise(Engine::Postgres).await;
}
