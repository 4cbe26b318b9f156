//! Races. Each has its negative control: the same race with the guard taken away goes wrong, so the test can see what it guards.
//!
//! The guard is the lock that puts the batches of the whole deployment in sequence, so the racers are two houses on one database, each with
//! its own transactor. On SQLite the guard is the engine's own (one writer, which begins by taking the right to write): there is nothing to
//! take away, and only PostgreSQL has a control.

use std::sync::Arc;

use chrono::TimeDelta;
use releve::app::App;
use releve::db::{Db, Engine, Options};
use releve::letters::transport::Post;
use releve::transactor::Command;
use serde_json::json;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::house::{House, run};
use crate::seed::{Person, Session};

/// Members who want the same few places.
const MEMBERS: usize = 40;
const PLACES: i64 = 5;
/// By then a race without its guard must have gone wrong.
const RACES_MAX: usize = 30;

/// As good as another process: a transactor, pools and a server of its own on the same database.
pub struct Neighbour {
    pub app: App,
    pub url: String,
    server: tokio::task::JoinHandle<()>,
}

impl Neighbour {
    pub async fn of(house: &House, locks: bool) -> Self {
        let settings = house.app.settings.clone();
        let db = Db::open(&settings.database.url, Options::default()).await.unwrap();
        let db = if locks { db } else { db.without_locks() };
        let post = Post::open(&settings).unwrap();
        let app = App::new(settings, db, house.clock.clone(), post).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(releve::server::serve(app.clone(), listener, std::future::pending()));
        Self { app, url, server }
    }

    pub async fn leave(self) {
        self.server.abort();
        drop(self.server.await);
        self.app.close_transactor().await;
        self.app.db.close().await;
    }
}

/// Everybody at once, by turns at either house; how many answers there were of each status.
async fn rush(house: &House, urls: &[&str], members: &[Person], session: &Session) -> Vec<u16> {
    let taps = members.iter().enumerate().map(|(n, person)| {
        let path = format!("{}/v1/bookings/{}", urls[n % urls.len()], house.new_id());
        let body = json!({"session_id": session.id, "waitlist": true});
        let call = house.http.put(path).bearer_auth(&person.token).json(&body);
        tokio::spawn(async move { call.send().await.unwrap().status().as_u16() })
    });
    let taps: Vec<_> = taps.collect();
    futures_util::future::join_all(taps).await.into_iter().map(Result::unwrap).collect()
}

async fn booked(house: &House, session: Uuid) -> i64 {
    house.count("SELECT COUNT(*) FROM bookings WHERE session_id = $1 AND status = 'booked'", session).await
}

/// Each of these processes makes the sessions of a series that are due, all at once.
async fn make_at_once(apps: &[&App], series_id: Uuid) {
    let sweeps = apps.iter().map(|app| app.transactor.submit_sweep(Command::MakeAhead { series_id }));
    futures_util::future::join_all(sweeps).await;
}

/// How many sessions a series has made, and for how many dates.
async fn made_and_dates(house: &House, series_id: Uuid) -> (i64, i64) {
    let sql = "SELECT COUNT(*), COUNT(DISTINCT series_date) FROM sessions WHERE series_id = $1";
    house.db.one(sql, (series_id,)).await.unwrap()
}

both_engines! {
    async fn two_processes_never_oversell_together(house: House) {
        house.rules(json!({"waitlist_unlimited": true})).await;
        let members = house.members(MEMBERS).await;
        let neighbour = Neighbour::of(&house, true).await;
        for day in 3..7 {
            let session = house.session(&format!("2026-12-{day:02} 18:30"), PLACES).await;
            let statuses = rush(&house, &[&house.url, &neighbour.url], &members, &session).await;
            assert!(statuses.iter().all(|status| *status == 201), "{statuses:?}");
            assert_eq!(booked(&house, session.id).await, PLACES);
            house.audit_is_clean().await;
        }
        neighbour.leave().await;
    }

    async fn two_processes_give_each_freed_place_to_one(house: House) {
        house.rules(json!({"waitlist_unlimited": true})).await;
        let members = house.members(MEMBERS).await;
        let neighbour = Neighbour::of(&house, true).await;
        let session = house.session("2026-12-03 18:30", PLACES).await;
        rush(&house, &[&house.url, &neighbour.url], &members, &session).await;
        let sql = "SELECT id, person_id FROM bookings WHERE session_id = $1 AND status = 'booked'";
        let taken: Vec<(Uuid, Uuid)> = house.db.all(sql, (session.id,)).await.unwrap();
        let cancels = taken.iter().enumerate().map(|(n, (booking, person))| {
            let url = if n % 2 == 0 { &house.url } else { &neighbour.url };
            let person = members.iter().find(|member| member.id == *person).unwrap();
            let path = format!("{url}/v1/bookings/{booking}/cancellation");
            let call = house.http.put(path).bearer_auth(&person.token).json(&json!({}));
            tokio::spawn(async move { call.send().await.unwrap().status().as_u16() })
        });
        let cancels: Vec<_> = cancels.collect();
        for cancel in cancels {
            assert_eq!(cancel.await.unwrap(), 200);
        }
        assert_eq!(booked(&house, session.id).await, PLACES);
        neighbour.leave().await;
    }

    async fn one_credit_is_spent_once(house: House) {
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 1).await;
        let neighbour = Neighbour::of(&house, true).await;
        let mut taps = Vec::new();
        for day in 1..=8 {
            let session = house.session(&format!("2026-12-{day:02} 18:30"), 5).await;
            let url = if day % 2 == 0 { &house.url } else { &neighbour.url };
            let call = house.http.put(format!("{url}/v1/bookings/{}", house.new_id())).bearer_auth(&ana.token);
            let call = call.json(&json!({"session_id": session.id}));
            taps.push(tokio::spawn(async move { call.send().await.unwrap().status().as_u16() }));
        }
        let mut statuses: Vec<u16> = futures_util::future::join_all(taps).await.into_iter().map(Result::unwrap).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 402, 402, 402, 402, 402, 402, 402]);
        assert_eq!(house.balance(&pack).await, 0);
        neighbour.leave().await;
    }

    async fn a_key_sells_one_pass(house: House) {
        let ana = house.stranger("Ana").await;
        let neighbour = Neighbour::of(&house, true).await;
        let path = format!("/v1/studios/{}/members/{}/passes", house.studio.id, ana.id);
        let key = house.new_id().to_string();
        let calls = (0..8).map(|n| {
            let url = if n % 2 == 0 { &house.url } else { &neighbour.url };
            let call = house.http.post(format!("{url}{path}")).bearer_auth(&house.studio.desk.token).header("Idempotency-Key", &key);
            let call = call.json(&json!({"pass_type_id": house.studio.pack_type}));
            tokio::spawn(async move {
                let answer = call.send().await.unwrap();
                assert_eq!(answer.status(), 201);
                answer.json::<serde_json::Value>().await.unwrap()["id"].clone()
            })
        });
        let calls: Vec<_> = calls.collect();
        let mut ids = Vec::new();
        for call in calls {
            ids.push(call.await.unwrap());
        }
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(house.count("SELECT COUNT(*) FROM passes WHERE person_id = $1", ana.id).await, 1);
        neighbour.leave().await;
    }

    async fn an_instructor_is_booked_once_for_a_time(house: House) {
        let neighbour = Neighbour::of(&house, true).await;
        let (studio, admin) = (&house.studio, &house.studio.admin);
        let path = format!("/v1/studios/{}/sessions", studio.id);
        let mut rooms = Vec::new();
        for n in 0..8 {
            let call = house.post_to(format!("/v1/studios/{}/rooms", studio.id)).by(admin);
            rooms.push(call.json(&json!({"name": format!("Room {n}"), "capacity": 10})).await.expect(201).id());
        }
        let calls = rooms.iter().enumerate().map(|(n, room)| {
            let url = if n % 2 == 0 { &house.url } else { &neighbour.url };
            let body = json!({"class_type_id": studio.class_type, "room_id": room, "instructor_id": studio.instructor.id,
                "local_start": format!("2026-12-03T18:{:02}", 30 + n)});
            let call = house.http.post(format!("{url}{path}")).bearer_auth(&admin.token).json(&body);
            tokio::spawn(async move { call.send().await.unwrap().status().as_u16() })
        });
        let calls: Vec<_> = calls.collect();
        let mut statuses: Vec<u16> = futures_util::future::join_all(calls).await.into_iter().map(Result::unwrap).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
        neighbour.leave().await;
    }

    async fn of_many_who_would_stand_in_one_does(house: House) {
        let neighbour = Neighbour::of(&house, true).await;
        let others = colleagues_who_could_stand_in(&house).await;
        for day in 3..6 {
            let session = house.session(&format!("2026-12-{day:02} 18:30"), 5).await;
            let statuses = claims(&house, [&house.url, &neighbour.url], &others, &session).await;
            assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        }
        neighbour.leave().await;
    }

    async fn an_instructor_teaches_or_leaves(house: House) {
        let neighbour = Neighbour::of(&house, true).await;
        for race in 0..10 {
            let who = house.colleague(&format!("Colleague {race}")).await;
            assert!(!teaches_and_left(&house, [&house.url, &neighbour.url], &who, race).await);
        }
        neighbour.leave().await;
    }

    async fn two_sweeps_make_each_session_of_a_series_once(house: House) {
        let made = house.begin(&house.studio.admin, json!({"rule": "FREQ=DAILY"})).await.expect(201);
        let neighbour = Neighbour::of(&house, true).await;
        let before = house.of_series(made.id()).await.len();
        for _ in 0..5 {
            house.advance(TimeDelta::days(7));
            let (one, other) = tokio::join!(releve::sweeps::sweep(&house.app), releve::sweeps::sweep(&neighbour.app));
            assert!(one.is_ok() && other.is_ok());
            make_at_once(&[&house.app, &neighbour.app], made.id()).await;
        }
        // The last that was due was made, each once: 35 more.
        let (made_now, dates) = made_and_dates(&house, made.id()).await;
        assert_eq!((made_now, dates), (before as i64 + 35, before as i64 + 35));
        neighbour.leave().await;
    }

    async fn a_series_is_edited_while_members_book_in_it(house: House) {
        house.rules(json!({"bookings_ahead_max": 100})).await;
        let members = house.members(MEMBERS).await;
        let mei = house.colleague("Mei").await;
        let made = house.begin(&house.studio.admin, json!({"capacity": 50, "until": "2026-12-14"})).await.expect(201);
        let sessions: Vec<Session> = house.of_series(made.id()).await.into_iter().map(|(_, session)| session).collect();
        let neighbour = Neighbour::of(&house, true).await;
        let urls = [house.url.as_str(), neighbour.url.as_str()];
        let storm = async { tokio::join!(rush(&house, &urls, &members, &sessions[0]), rush(&house, &urls, &members, &sessions[2])) };
        let edits = async {
            for (hour, instructor) in [(19, mei.id), (20, house.studio.instructor.id), (17, mei.id), (21, mei.id)] {
                let edit = json!({"scope": "all", "local_start": format!("2026-12-02T{hour}:00"), "instructor_id": instructor, "capacity": 40 + hour});
                house.alter(&sessions[0], &edit).await.expect(200);
            }
        };
        let ((first, third), ()) = tokio::join!(storm, edits);
        assert!(first.iter().chain(&third).all(|status| *status == 201), "{first:?} {third:?}");
        for session in [&sessions[0], &sessions[2]] {
            assert_eq!(booked(&house, session.id).await, MEMBERS as i64);
            let shown = house.shown(session).await;
            assert_eq!((&shown["booked"], &shown["capacity"], &shown["instructor"]["name"]), (&json!(MEMBERS), &json!(61), &json!("Mei")));
            assert!(shown["local_start"].as_str().unwrap().ends_with("T21:00"), "{shown}");
        }
        house.audit_is_clean().await;
        neighbour.leave().await;
    }

    async fn new_house_rules_are_not_lost_to_a_booking(house: House) {
        let members = house.members(MEMBERS).await;
        let session = house.session("2026-12-03 18:30", 100).await;
        let neighbour = Neighbour::of(&house, true).await;
        let urls = [house.url.as_str(), neighbour.url.as_str()];
        let storm = rush(&house, &urls, &members, &session);
        let path = format!("/v1/studios/{}/house-rules", house.studio.id);
        let edits = async {
            for minutes in 60..72 {
                let version = house.get(&path).by(&house.studio.admin).await.expect(200).version();
                let call = house.put(&path).by(&house.studio.admin).header("If-Match", version);
                call.json(&json!({"free_cancel_min": minutes})).await.expect(200);
            }
        };
        let (statuses, ()) = tokio::join!(storm, edits);
        assert!(statuses.iter().all(|status| *status == 201), "{statuses:?}");
        let sql = "SELECT free_cancel_until FROM sessions WHERE id = $1";
        let (until,): (chrono::DateTime<chrono::Utc>,) = house.db.one(sql, (session.id,)).await.unwrap();
        assert_eq!(until, session.starts_at - chrono::TimeDelta::minutes(71));
        assert_eq!(house.count("SELECT taken FROM sessions WHERE id = $1", session.id).await, MEMBERS as i64);
        neighbour.leave().await;
    }
}

async fn colleagues_who_could_stand_in(house: &House) -> Vec<Person> {
    let mut others = Vec::new();
    for n in 0..12 {
        let person = house.colleague(&format!("Colleague {n}")).await;
        house.could_stand_in(&person).await;
        others.push(person);
    }
    others
}

/// All claim the session at once, by turns at either house.
async fn claims(house: &House, urls: [&str; 2], others: &[Person], session: &Session) -> Vec<u16> {
    let request = house.cannot_come(session).await;
    let calls = others.iter().enumerate().map(|(n, person)| {
        let call = house.http.put(format!("{}/v1/substitute-requests/{request}/claim", urls[n % 2])).bearer_auth(&person.token);
        tokio::spawn(async move { call.send().await.unwrap().status().as_u16() })
    });
    let calls: Vec<_> = calls.collect();
    futures_util::future::join_all(calls).await.into_iter().map(Result::unwrap).collect()
}

/// On an evening of its own in each race.
pub fn evening(race: usize) -> String {
    let day = chrono::NaiveDate::from_ymd_opt(2026, 12, 3).unwrap() + chrono::Days::new(race as u64);
    format!("{day} 18:30")
}

/// An instructor is given a class at one process and taken off the staff at the other; whether both were done.
async fn teaches_and_left(house: &House, urls: [&str; 2], who: &Person, race: usize) -> bool {
    let (studio, admin) = (&house.studio, &house.studio.admin);
    let class = json!({"class_type_id": studio.class_type, "room_id": studio.room, "instructor_id": who.id,
        "local_start": evening(race).replace(' ', "T")});
    let given = house.http.post(format!("{}/v1/studios/{}/sessions", urls[0], studio.id)).bearer_auth(&admin.token).json(&class);
    let taken = house.http.put(format!("{}/v1/studios/{}/staff/{}", urls[1], studio.id, who.id));
    let taken = taken.bearer_auth(&admin.token).json(&json!({"roles": []}));
    let (given, taken) = tokio::join!(given.send(), taken.send());
    let statuses = (given.unwrap().status().as_u16(), taken.unwrap().status().as_u16());
    // Whoever came second read why not: there is a class to teach, or no instructor of that name here.
    assert!([(201, 200), (201, 409), (422, 200)].contains(&statuses), "{statuses:?}");
    statuses == (201, 200)
}

/// Two houses on one PostgreSQL, neither with the transactor's lock, race until it `goes_wrong`.
pub async fn without_the_lock<P>(
    prepare: impl AsyncFnOnce(&House) -> P,
    goes_wrong: impl AsyncFn(&House, &P, [&Neighbour; 2], usize) -> bool,
) {
    let went_wrong = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = Arc::clone(&went_wrong);
    run(Engine::Postgres, async move |house: House| {
        house.audit_may_be_dirty();
        let prepared = prepare(&house).await;
        let (one, two) = (Neighbour::of(&house, false).await, Neighbour::of(&house, false).await);
        for race in 0..RACES_MAX {
            if goes_wrong(&house, &prepared, [&one, &two], race).await {
                seen.store(true, std::sync::atomic::Ordering::Relaxed);
                break;
            }
        }
        one.leave().await;
        two.leave().await;
    })
    .await;
    let ran = crate::postgres::Cluster::shared().is_some();
    assert!(
        !ran || went_wrong.load(std::sync::atomic::Ordering::Relaxed),
        "{RACES_MAX} races without a lock went well: the test sees nothing"
    );
}

/// The negative control of the race for a substitution: two are told that they teach.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_batch_lock_two_stand_in() {
    let goes_wrong = async |house: &House, others: &Vec<Person>, [one, two]: [&Neighbour; 2], race: usize| {
        let session = house.session(&evening(race), 5).await;
        let statuses = claims(house, [&one.url, &two.url], others, &session).await;
        statuses.iter().filter(|status| **status == 200).count() > 1
    };
    without_the_lock(colleagues_who_could_stand_in, goes_wrong).await;
}

/// The negative control of who teaches or leaves: the instructor does both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_batch_lock_an_instructor_leaves_and_teaches() {
    let goes_wrong = async |house: &House, (): &(), [one, two]: [&Neighbour; 2], race: usize| {
        let who = house.colleague(&format!("Colleague {race}")).await;
        teaches_and_left(house, [&one.url, &two.url], &who, race).await
    };
    without_the_lock(async |_: &House| (), goes_wrong).await;
}

/// The negative control of the rushes. The constraints are the last word: without them nothing stands in the way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_batch_lock_two_processes_oversell() {
    let prepare = async |house: &House| {
        house.rules(json!({"waitlist_unlimited": true})).await;
        for statement in [
            "ALTER TABLE sessions DROP CONSTRAINT sessions_never_oversold",
            "DROP INDEX bookings_queue",
            "ALTER TABLE passes DROP CONSTRAINT passes_never_below_zero",
        ] {
            house.write(move |tx| Box::pin(tx.run(statement, ()))).await;
        }
        house.members(MEMBERS).await
    };
    let goes_wrong = async |house: &House, members: &Vec<Person>, [one, two]: [&Neighbour; 2], race: usize| {
        let day = chrono::NaiveDate::from_ymd_opt(2026, 12, 1).unwrap() + chrono::Days::new(race as u64 % 10);
        let session = house.plan(&format!("{day} {:02}:30", 8 + race / 10), PLACES).await;
        rush(house, &[&one.url, &two.url], members, &session).await;
        booked(house, session.id).await > PLACES
    };
    without_the_lock(prepare, goes_wrong).await;
}

/// The negative control of what series make: without the unique rule too, two processes make the same session twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_batch_lock_a_series_is_made_twice() {
    let prepare = async |house: &House| {
        house.write(|tx| Box::pin(tx.run("DROP INDEX sessions_of_series", ()))).await;
        house.begin(&house.studio.admin, json!({"rule": "FREQ=DAILY"})).await.expect(201).id()
    };
    let goes_wrong = async |house: &House, made: &Uuid, [one, two]: [&Neighbour; 2], _: usize| {
        house.advance(TimeDelta::days(7));
        make_at_once(&[&one.app, &two.app], *made).await;
        let (sessions, dates) = made_and_dates(house, *made).await;
        if sessions > dates {
            let report = releve::audit::check(&house.db, house.clock.now()).await.unwrap();
            assert!(!report.is_clean(), "the audit does not see what was made twice");
        }
        sessions > dates
    };
    without_the_lock(prepare, goes_wrong).await;
}
