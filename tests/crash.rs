//! The crash test: the server is killed with SIGKILL at random instants under load and started again, and nothing that was acknowledged is
//! lost, no promise is broken, and every letter that was due has been sent. A server that answers before the commit is caught. And two
//! servers on one PostgreSQL under the same storm.
//!
//! SIGKILL keeps the page cache, so the settings for durable commits are asserted as well: WAL and FULL, fsync and synchronous_commit.

#![allow(clippy::unwrap_used, clippy::expect_used)]
// Of the harness only a part is needed here.
#![allow(dead_code, unused_macros)]

#[macro_use]
#[path = "studio/house.rs"]
mod house;
#[path = "studio/mail_server.rs"]
mod mail_server;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/process.rs"]
mod process;
#[path = "studio/seed.rs"]
mod seed;
#[path = "studio/speech.rs"]
mod speech;
#[path = "support/storm.rs"]
mod storm;

use std::collections::{HashMap, HashSet};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use house::{House, KEY};
use mail_parser::MessageParser;
use mail_server::{MailServer, Received};
use postgres::{Cluster, Fsync};
use process::{PUBLIC_URL, Process, Spec};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use releve::clock::Clock;
use releve::db::{Db, Engine, Options};
use reqwest::Method;
use seed::{Person, Session};
use serde_json::{Value, json};
use storm::{Storm, rows};
use uuid::Uuid;

/// Members in the storm.
const MEMBERS: usize = 24;
/// Classes that they want, and the places of each.
const SESSIONS: usize = 8;
const PLACES: i64 = 4;
/// How often the server is killed.
const KILLS: usize = 6;
/// By then a server that answers too early must have been found out.
const KILLS_EARLY_MAX: usize = 20;

/// A cluster whose commits wait for the disk.
fn durable() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(|| Cluster::start(Fsync::On)).as_ref();
    if cluster.is_none() {
        postgres::note_absence();
    }
    cluster
}

/// A studio whose house is closed: its rows are there for other processes.
struct Scene {
    house: House,
    url: String,
    members: Vec<Person>,
    sessions: Vec<Session>,
    mail: MailServer,
}

impl Scene {
    async fn set(engine: Engine) -> Option<Self> {
        let cluster = if engine == Engine::Postgres { Some(durable()?) } else { None };
        let mail = MailServer::open().await;
        let transport = mail.url();
        let house = House::open_on(cluster, Clock::System.now(), |settings| settings.letters.transport = transport).await;
        house.rules(serde_json::json!({"waitlist_unlimited": true, "bookings_ahead_max": 1000})).await;
        let mut members = Vec::new();
        for n in 1..=MEMBERS {
            let person = house.stranger(&format!("Member {n}")).await;
            house.pack(&person, 1_000).await;
            members.push(person);
        }
        let mut sessions = Vec::new();
        for n in 0..SESSIONS {
            let day = house.today() + chrono::Days::new(3 + n as u64);
            sessions.push(house.session(&format!("{day} 18:30"), PLACES).await);
        }
        let url = house.app.settings.database.url.clone();
        house.shut().await;
        Some(Self { house, url, members, sessions, mail })
    }

    fn spec(&self) -> Spec {
        Spec {
            url: self.url.clone(),
            directory: self.house.directory.clone(),
            transport: self.mail.url(),
            key: KEY,
            address: Spec::free_address(),
        }
    }

    fn storm(&self, servers: &[&Spec], seed: u64) -> Storm {
        let servers: Vec<_> = servers.iter().map(|spec| spec.address).collect();
        Storm::begin(&servers, &self.members, &self.sessions, seed)
    }

    async fn db(&self) -> Db {
        Db::open(&self.url, Options { connections: 2, ..Options::default() }).await.unwrap()
    }

    async fn look(&self) -> Db {
        Db::open(&self.url, Options { connections: 1, read_only: true, ..Options::default() }).await.unwrap()
    }

    /// Ten minutes later, when every lease of a dead process has run out, one more process works off the letters that are left. Then
    /// each letter has its fate, each that was sent has come, and what came twice is the same mail.
    async fn letters_have_come(&self, made: &[Uuid]) -> usize {
        let db = self.db().await;
        let clock = Clock::standing_at(Clock::System.now() + TimeDelta::minutes(10));
        let mut settings = house::settings(&self.house.directory, self.url.clone());
        settings.letters.transport = self.mail.url();
        settings.server.public_url = PUBLIC_URL.into();
        let post = releve::letters::transport::Post::open(&settings).unwrap();
        let app = releve::app::App::new(settings, db.clone(), clock, post).unwrap();
        let worker = releve::letters::worker::Worker::new(app.clone());
        worker.run_until_empty().await.unwrap();

        let letters: Vec<(Uuid, Option<Uuid>, i64, String)> = db.all("SELECT id, booking_id, nth, state FROM letters", ()).await.unwrap();
        let mut came: HashMap<String, Vec<Received>> = HashMap::new();
        for mail in self.mail.received() {
            let id = MessageParser::default().parse(&mail.raw).unwrap().message_id().unwrap().to_owned();
            came.entry(id).or_default().push(mail);
        }
        for (id, _, _, state) in &letters {
            assert!(matches!(state.as_str(), "sent" | "obsolete"), "letter {id} is {state}");
            assert!(state != "sent" || came.contains_key(&format!("{id}@releve.test")), "letter {id} was sent and never came");
        }
        for id in made {
            assert!(letters.iter().any(|(_, about, nth, _)| *about == Some(*id) && *nth == 1), "no letter tells of booking {id}");
        }
        let mut repeats = 0;
        for (id, mails) in &came {
            assert!(letters.iter().any(|(letter, ..)| format!("{letter}@releve.test") == *id), "{id} is no letter of ours");
            let same = |mail: &Received| {
                let read = MessageParser::default().parse(&mail.raw).unwrap();
                (mail.to.clone(), read.subject().map(str::to_owned), read.date().cloned(), read.body_text(0).map(String::from))
            };
            assert!(mails.iter().all(|mail| same(mail) == same(&mails[0])), "{id} came as different mails");
            repeats += mails.len() - 1;
        }
        app.close_transactor().await;
        db.close().await;
        repeats
    }
}

/// Every promise holds.
async fn audit_is_clean(db: &Db) {
    let report = releve::audit::check(db, Clock::System.now()).await.unwrap();
    assert!(report.is_clean(), "{report}");
}

async fn the_disk_is_asked(db: &Db) {
    match db.engine() {
        Engine::Sqlite => {
            let settings = db
                .write("test", |tx| {
                    Box::pin(async move {
                        let (mode,): (String,) = tx.one("SELECT journal_mode FROM pragma_journal_mode", ()).await?;
                        let (synchronous,): (i64,) = tx.one("SELECT synchronous FROM pragma_synchronous", ()).await?;
                        Ok::<_, releve::db::Error>((mode, synchronous))
                    })
                })
                .await
                .unwrap();
            assert_eq!(settings, ("wal".to_owned(), 2), "WAL, and FULL");
        }
        Engine::Postgres => {
            for setting in ["SELECT current_setting('fsync')", "SELECT current_setting('synchronous_commit')"] {
                let (value,): (String,) = db.one(setting, ()).await.unwrap();
                assert_eq!(value, "on", "{setting}");
            }
        }
    }
}

/// Waits for a while that nobody can foresee.
async fn some_time(chance: &mut StdRng) {
    tokio::time::sleep(Duration::from_millis(chance.random_range(20..400))).await;
}

#[allow(clippy::disallowed_methods, reason = "every run kills at other instants; the seed is printed")]
fn chance() -> StdRng {
    let seed = rand::random();
    eprintln!("chance: {seed}");
    StdRng::seed_from_u64(seed)
}

async fn nothing_acknowledged_is_lost(engine: Engine) {
    let Some(scene) = Scene::set(engine).await else { return };
    let mut chance = chance();
    let spec = scene.spec();
    let mut server = spec.start(spec.releve(&["serve"])).await;
    let db = scene.db().await;
    the_disk_is_asked(&db).await;
    db.close().await;

    let storm = scene.storm(&[&spec], chance.random());
    let backup = scene.house.directory.join("backup.db");
    let mut backed_up = None;
    for kill in 0..KILLS {
        storm.answers(40).await;
        if kill == 2 && engine == Engine::Sqlite {
            let acknowledged = storm.acknowledged();
            let output = spec.run(&["backup", backup.to_str().unwrap()]);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            backed_up = Some((acknowledged, storm.told.lock().unwrap().cancelling.clone()));
        }
        some_time(&mut chance).await;
        server.kill();
        let acknowledged = storm.acknowledged();
        server = spec.start(spec.releve(&["serve"])).await;
        let db = scene.look().await;
        let lost = storm.lost(&db, &acknowledged).await;
        assert!(lost.is_empty(), "after kill {kill}: {lost:#?}");
        audit_is_clean(&db).await;
        db.close().await;
    }
    storm.answers(40).await;
    let acknowledged = storm.acknowledged();
    let db = scene.look().await;
    assert_eq!(storm.lost(&db, &acknowledged).await, Vec::<String>::new());
    let told = storm.end().await;
    server.stop();
    audit_is_clean(&db).await;
    db.close().await;
    assert!(told.unanswered > 0, "nobody noticed that the server was killed");
    let made: Vec<Uuid> = told.made.keys().copied().collect();
    let repeats = scene.letters_have_come(&made).await;
    eprintln!("{engine:?}: {} bookings, {} answers, {} sent again, {repeats} letters twice", made.len(), told.answers, told.unanswered);

    if let Some((acknowledged, cancelling)) = backed_up {
        restored(&scene, &backup, &acknowledged, &cancelling).await;
    }
}

/// A backup is a house like any other: what had been acknowledged is in it, its promises hold, it serves.
async fn restored(
    scene: &Scene,
    backup: &std::path::Path,
    acknowledged: &storm::Acknowledged,
    cancelling: &std::collections::HashSet<Uuid>,
) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("releve.db");
    std::fs::copy(backup, &file).unwrap();
    let mut spec = scene.spec();
    spec.url = format!("sqlite:{}", file.display());
    spec.directory = directory.path().to_owned();
    let audit = spec.run(&["audit"]);
    assert!(audit.status.success(), "{}{}", String::from_utf8_lossy(&audit.stdout), String::from_utf8_lossy(&audit.stderr));
    let db = Db::open(&spec.url, Options::default()).await.unwrap();
    assert_eq!(acknowledged.lost(&rows(&db).await, cancelling), Vec::<String>::new());
    db.close().await;
    let server = spec.start(spec.releve(&["serve"])).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let path = format!("http://{}/v1/me/bookings", spec.address);
    let answer = http.get(path).bearer_auth(&scene.members[0].token).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_sqlite() {
    nothing_acknowledged_is_lost(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_postgres() {
    nothing_acknowledged_is_lost(Engine::Postgres).await;
}

/// The negative control: the same storm on a server that answers before the commit must lose something.
async fn a_server_that_answers_too_early_is_found_out(engine: Engine) {
    let Some(scene) = Scene::set(engine).await else { return };
    let mut chance = chance();
    let spec = scene.spec();
    let early = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "an_early_server", "--nocapture"]);
        spec.furnish(&mut command);
        command.env(EARLY, "1");
        command
    };
    let mut server: Process = spec.start(early()).await;
    let storm = scene.storm(&[&spec], chance.random());
    for _ in 0..KILLS_EARLY_MAX {
        storm.answers(20).await;
        some_time(&mut chance).await;
        server.kill();
        let acknowledged = storm.acknowledged();
        server = spec.start(early()).await;
        let db = scene.look().await;
        let lost = storm.lost(&db, &acknowledged).await;
        db.close().await;
        if !lost.is_empty() {
            storm.abandon().await;
            server.kill();
            return;
        }
    }
    panic!("killed {KILLS_EARLY_MAX} times, a server that answers before the commit lost nothing: this test proves nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_answers_too_early_is_found_out_sqlite() {
    a_server_that_answers_too_early_is_found_out(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_answers_too_early_is_found_out_postgres() {
    a_server_that_answers_too_early_is_found_out(Engine::Postgres).await;
}

/// Set for the process that is [`an_early_server`].
const EARLY: &str = "TEST_EARLY_SERVER";

/// Not a test: the server of the negative control, which this binary becomes when the test starts it.
#[test]
#[ignore = "it is started by another test"]
fn an_early_server() {
    if std::env::var(EARLY).is_err() {
        return;
    }
    let settings = releve::settings::Settings::load(None).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let listener = tokio::net::TcpListener::bind((settings.server.address, settings.server.port)).await.unwrap();
        let db = Db::open(&settings.database.url, Options::default()).await.unwrap().committing_late();
        let post = releve::letters::transport::Post::open(&settings).unwrap();
        let app = releve::app::App::new(settings, db, Clock::System, post).unwrap();
        releve::server::serve(app, listener, std::future::pending()).await;
    });
}

/// Two processes on one PostgreSQL, one of which is killed now and then: the same promises.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_keep_the_promises_together() {
    let Some(scene) = Scene::set(Engine::Postgres).await else { return };
    let mut chance = chance();
    let (one, two) = (scene.spec(), scene.spec());
    let first = one.start(one.releve(&["serve"])).await;
    let mut second = two.start(two.releve(&["serve"])).await;
    let storm = scene.storm(&[&one, &two], chance.random());
    for _ in 0..2 {
        storm.answers(150).await;
        some_time(&mut chance).await;
        second.kill();
        second = two.start(two.releve(&["serve"])).await;
        let acknowledged = storm.acknowledged();
        let db = scene.look().await;
        assert_eq!(storm.lost(&db, &acknowledged).await, Vec::<String>::new());
        audit_is_clean(&db).await;
        db.close().await;
    }
    storm.answers(150).await;
    let told = storm.end().await;
    first.stop();
    second.stop();
    let db = scene.look().await;
    audit_is_clean(&db).await;
    db.close().await;
    let made: Vec<Uuid> = told.made.keys().copied().collect();
    let repeats = scene.letters_have_come(&made).await;
    eprintln!("two servers: {} bookings, {} answers, {repeats} letters twice", made.len(), told.answers);
}

/// Split, the one answers and sends nothing, the other sends and answers nothing but how it does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_a_worker_and_a_worker_without_a_server() {
    let Some(scene) = Scene::set(Engine::Postgres).await else { return };
    let (spec, beside) = (scene.spec(), scene.spec());
    let server = spec.start(spec.releve(&["serve", "--no-worker"])).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let booking = format!("http://{}/v1/bookings/{}", spec.address, Uuid::from_u128(1));
    let body = serde_json::json!({"session_id": scene.sessions[0].id});
    let booked = http.put(booking).bearer_auth(&scene.members[0].token).json(&body).send().await.unwrap();
    assert_eq!(booked.status(), 201);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(scene.mail.received().is_empty(), "nobody is there to send it");

    let mut command = beside.releve(&["worker"]);
    command.env("RELEVE__SERVER__WORKER_PORT", beside.address.port().to_string());
    // A worker serves nothing there; the two must differ all the same.
    command.env("RELEVE__SERVER__PORT", spec.address.port().to_string());
    let worker = beside.start(command).await;
    for _ in 0..500 {
        if !scene.mail.accepted().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(scene.mail.accepted().len(), 1);
    let get = async |path: &str| http.get(format!("http://{}{path}", beside.address)).send().await.unwrap();
    assert_eq!(get("/v1/studios").await.status(), 404, "it is no server");
    let counted = get("/metrics").await.text().await.unwrap();
    assert!(counted.contains("releve_letters_total{fate=\"sent\"} 1"), "{counted}");
    worker.stop();
    server.stop();
}

/// Somebody shows a code: to which device, when, and under which id it hands that in.
#[derive(Clone)]
struct Showing {
    id: Uuid,
    booking_id: Uuid,
    code: String,
    at: DateTime<Utc>,
}

/// A device at the door. What is not answered it sends again, under the same ids.
#[derive(Clone)]
struct Device {
    door: String,
    token: String,
    /// Check-ins that were answered as somebody's arrival, by the id of the showing: the booking.
    acknowledged: Arc<Mutex<HashMap<Uuid, Uuid>>>,
}

impl Device {
    async fn send(&self, method: Method, path: &str, body: &Value) -> Value {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
        loop {
            let call = http.request(method.clone(), format!("{}/{path}", self.door)).bearer_auth(&self.token).json(body);
            if let Ok(answer) = call.send().await {
                let status = answer.status().as_u16();
                if let Ok(text) = answer.text().await
                    && status != 503
                {
                    assert_eq!(status, 200, "{text}");
                    return serde_json::from_str(&text).unwrap();
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn note(&self, check_in: &Value) {
        let id = |name: &str| check_in[name].as_str().unwrap().parse::<Uuid>().unwrap();
        if check_in["already"] == json!(false) {
            self.acknowledged.lock().unwrap().insert(id("id"), id("booking_id"));
        }
    }

    /// With a network, each is handed in when it is shown.
    async fn hand_in(&self, shown: &[Showing]) {
        for one in shown {
            let body = json!({"code": one.code, "at": releve::instant::text(one.at)});
            self.note(&self.send(Method::PUT, &one.id.to_string(), &body).await);
        }
    }

    /// When there is one again, what was kept. The answer is lost, so all of it is sent twice.
    async fn replay(&self, shown: &[Showing]) {
        let act = |one: &Showing| json!({"id": one.id, "code": one.code, "at": releve::instant::text(one.at)});
        let body = json!({"acts": shown.iter().map(act).collect::<Vec<_>>()});
        for _ in 0..2 {
            for result in self.send(Method::POST, "replay", &body).await["results"].as_array().unwrap() {
                assert_ne!(result["outcome"], "refused", "{result}");
                self.note(&result["check_in"]);
            }
        }
    }
}

/// Twenty members come within a minute. Each shows their code to two of three devices; half of the time there is no network, and what was
/// kept comes later; the server is killed while codes are handed in and while they are replayed.
async fn twenty_come_and_each_arrives_once(engine: Engine) {
    let cluster = if engine == Engine::Postgres { durable() } else { None };
    if engine == Engine::Postgres && cluster.is_none() {
        return;
    }
    let mail = MailServer::open().await;
    let transport = mail.url();
    let house = House::open_on(cluster, Clock::System.now(), |settings| settings.letters.transport = transport).await;
    let start = (Clock::System.now() + TimeDelta::minutes(10)).with_timezone(&house.studio.zone).format("%Y-%m-%d %H:%M").to_string();
    let class = house.session(&start, 20).await;
    let mut codes = Vec::new();
    for person in house.members(20).await {
        let booking = house.book(&person, &class).await.expect_booked();
        codes.push((booking.id, booking.body["check_in_code"].as_str().unwrap().to_owned()));
    }
    let spec = Spec {
        url: house.app.settings.database.url.clone(),
        directory: house.directory.clone(),
        transport: mail.url(),
        key: KEY,
        address: Spec::free_address(),
    };
    let acknowledged = Arc::default();
    let mut devices = Vec::new();
    for name in ["Left", "Right", "Upstairs"] {
        let path = format!("/v1/studios/{}/kiosks", house.studio.id);
        let added = house.post_to(path).by(&house.studio.admin).json(&json!({ "name": name })).await.expect(201);
        let door = format!("http://{}/v1/studios/{}/check-ins", spec.address, house.studio.id);
        devices.push(Device { door, token: added["token"].as_str().unwrap().to_owned(), acknowledged: Arc::clone(&acknowledged) });
    }
    let began = Clock::System.now() - TimeDelta::seconds(60);
    let shown = |device: usize, with_network: bool| -> Vec<Showing> {
        let seen = codes.iter().enumerate().filter(|(n, _)| (n < &10) == with_network && n % 3 != device);
        let showing = |(n, (booking_id, code)): (usize, &(Uuid, String))| {
            let at = began + TimeDelta::seconds(3 * n as i64) + TimeDelta::milliseconds(700 * device as i64);
            Showing { id: house.new_id(), booking_id: *booking_id, code: code.clone(), at }
        };
        seen.map(showing).collect()
    };
    let showings: Vec<(Vec<Showing>, Vec<Showing>)> = (0..3).map(|device| (shown(device, true), shown(device, false))).collect();
    house.shut().await;

    let mut chance = chance();
    let mut server = spec.start(spec.releve(&["serve"])).await;
    let network = Arc::new(tokio::sync::Barrier::new(devices.len() + 1));
    let mut at_work = Vec::new();
    for (device, (at_once, later)) in devices.into_iter().zip(showings.clone()) {
        let network = Arc::clone(&network);
        at_work.push(tokio::spawn(async move {
            device.hand_in(&at_once).await;
            network.wait().await;
            device.replay(&later).await;
        }));
    }
    for kill in 0..2 {
        if kill == 1 {
            network.wait().await;
        } else {
            while acknowledged.lock().unwrap().len() < 3 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(chance.random_range(0..15))).await;
        server.kill();
        let known: Vec<Uuid> = acknowledged.lock().unwrap().values().copied().collect();
        server = spec.start(spec.releve(&["serve"])).await;
        let db = Db::open(&spec.url, Options { connections: 1, read_only: true, ..Options::default() }).await.unwrap();
        for booking in known {
            let (status,): (String,) = db.one("SELECT status FROM bookings WHERE id = $1", (booking,)).await.unwrap();
            assert_eq!(status, "attended", "after kill {kill}, of somebody who was told that they are in: {booking}");
        }
        db.close().await;
    }
    for device in at_work {
        device.await.unwrap();
    }
    server.stop();

    let db = Db::open(&spec.url, Options { connections: 1, read_only: true, ..Options::default() }).await.unwrap();
    let arrivals: Vec<(Uuid,)> = db.all("SELECT subject_id FROM events WHERE action = 'booking.checked_in'", ()).await.unwrap();
    let distinct: HashSet<Uuid> = arrivals.iter().map(|(id,)| *id).collect();
    assert_eq!((distinct.len(), arrivals.len()), (20, 20), "each once");
    let told: Vec<Uuid> = acknowledged.lock().unwrap().values().copied().collect();
    assert_eq!(
        (told.iter().copied().collect::<HashSet<_>>(), told.len()),
        (distinct, 20),
        "one showing of each was answered as an arrival"
    );
    let all: Vec<&Showing> = showings.iter().flat_map(|(at_once, later)| at_once.iter().chain(later)).collect();
    for (id, _) in &codes {
        let first = all.iter().filter(|one| one.booking_id == *id).map(|one| one.at).min();
        let (arrived_at,): (Option<DateTime<Utc>>,) = db.one("SELECT arrived_at FROM bookings WHERE id = $1", (*id,)).await.unwrap();
        let micros = |at: Option<DateTime<Utc>>| at.map(|at| at.timestamp_micros());
        assert_eq!(micros(arrived_at), micros(first), "the earliest showing is when they came");
    }
    audit_is_clean(&db).await;
    db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_come_and_each_arrives_once_sqlite() {
    twenty_come_and_each_arrives_once(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_come_and_each_arrives_once_postgres() {
    twenty_come_and_each_arrives_once(Engine::Postgres).await;
}
