//! `cargo bench --bench studio`: what a booking costs, over real HTTP, beside the bare stack and a textbook implementation.
//!
//! Every server is a process of its own: the release binary of Relevé with its worker on, or this binary as a peer on the same stack and
//! limits. Tokens are minted and connections open before the clock starts. Ratios are comparable, as everything runs in one go on one
//! machine; absolute figures hold for this machine only. `-- --quick` shortens it, `-- --sqlite` or `-- --postgres` runs one engine; `--
//! --sign-ins`, `-- --rules` (a rush under full house rules, a place that comes free before a long waitlist), `-- --reports` (each report
//! of a year of many studios), `-- --door` (codes shown at the door, alone and beside a rush) and `-- --soak` (ten minutes of mixed traffic for each engine; `--soak=3` three) run that alone.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod client;
mod door;
mod figures;
mod filling;
mod living;
mod making;
#[path = "../../tests/support/postgres.rs"]
#[allow(dead_code, reason = "each binary uses what it needs")]
mod postgres;
mod reporting;
mod ruled;
mod servers;
mod textbook;

use std::path::Path;
use std::time::Duration;

use axum::body::Bytes;
use client::{Ready, Storm, request, storm};
use figures::{Figures, Goal};
use filling::{Filled, MEMBERS, RUSH_PLACES, SPREAD_SESSIONS};
use postgres::{Cluster, Fsync};
use releve::db::{Db, Engine, Options};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use servers::{Server, Which};
use uuid::Uuid;

/// The peers run in this binary, with the allocator of the program that they are compared with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How much of it is run.
#[derive(Clone, Copy)]
pub struct Size {
    /// Rushes after the warm-up.
    rushes: usize,
    /// Reads of one connection in one round, and rounds.
    reads: usize,
    read_rounds: usize,
    /// Bookings in the large database.
    many_before: usize,
    /// Studios whose year of sessions is made.
    studios: usize,
    /// Members who sign in.
    sign_ins: usize,
    /// Minutes of mixed traffic.
    soak_minutes: u64,
}

const FULL: Size =
    Size { rushes: 10, reads: 2_000, read_rounds: 5, many_before: 100_000, studios: 50, sign_ins: MEMBERS, soak_minutes: 10 };
const QUICK: Size = Size { rushes: 3, reads: 500, read_rounds: 3, many_before: 20_000, studios: 5, sign_ins: 400, soak_minutes: 2 };
/// Bookings in the small one.
const FEW_BEFORE: usize = 1_000;
/// Bookings that each member makes in the spread.
const SPREAD_EACH: usize = 4;
/// Connections that read the schedule.
const READERS: usize = 16;

/// What is printed at the end.
#[derive(Default)]
pub struct Report {
    lines: Vec<String>,
    goals: Vec<Goal>,
}

/// What an engine did, as far as others are measured by it.
struct Samples {
    booking: Bytes,
    schedule: Bytes,
}

fn main() {
    raise_open_files();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Ok(peer) = std::env::var(servers::PEER) {
        return runtime.block_on(servers::be(&peer));
    }
    let has = |flag: &str| std::env::args().any(|argument| argument == flag);
    let mut size = if has("--quick") { QUICK } else { FULL };
    if let Some(minutes) = std::env::args().find_map(|argument| argument.strip_prefix("--soak=").map(str::to_owned)) {
        size.soak_minutes = minutes.parse().expect("--soak=MINUTES");
    }
    let soak = std::env::args().any(|argument| argument.starts_with("--soak"));
    let part = if soak {
        Part::Soak
    } else if has("--sign-ins") {
        Part::SignIns
    } else if has("--rules") {
        Part::Rules
    } else if has("--reports") {
        Part::Reports
    } else if has("--door") {
        Part::Door
    } else {
        Part::All
    };
    let mut engines = vec![Engine::Sqlite, Engine::Postgres];
    engines.retain(|engine| match engine {
        Engine::Sqlite => !has("--postgres"),
        Engine::Postgres => !has("--sqlite"),
    });
    runtime.block_on(async {
        match part {
            Part::All => bench(size, &engines).await,
            part => living(part, size, &engines).await,
        }
    });
}

/// What is run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// All but the soak.
    All,
    /// The sign-ins alone.
    SignIns,
    /// What house rules and long waitlists cost alone.
    Rules,
    /// The reports of a year alone.
    Reports,
    /// The codes at the door alone.
    Door,
    /// The mixed traffic alone.
    Soak,
}

async fn living(part: Part, size: Size, engines: &[Engine]) {
    let mut report = Report::default();
    for engine in engines {
        match Place::of(*engine) {
            Some(place) if part == Part::Soak => living::soak(Duration::from_secs(60 * size.soak_minutes), &place, &mut report).await,
            Some(place) if part == Part::Rules => ruled::ruled(size, &place, &mut report).await,
            Some(place) if part == Part::Reports => reporting::reporting(size, &place, &mut report).await,
            Some(place) if part == Part::Door => door::door(&place, &mut report).await,
            Some(place) => living::sign_ins(size, &place, &mut report).await,
            None => report.line("| PostgreSQL: NOT RUN, its binaries are missing | | | |".into()),
        }
    }
    report.print();
}

async fn bench(size: Size, engines: &[Engine]) {
    let mut report = Report::default();
    let mut samples = None;
    let mut own = Vec::new();
    for engine in engines {
        let Some(place) = Place::of(*engine) else {
            report.line("| PostgreSQL: NOT RUN, its binaries are missing | | | |".into());
            continue;
        };
        let (figures, sample) = releve(size, &place, &mut report).await;
        let peer = textbook(size, &place, &mut report).await;
        level(size, &place, &mut report).await;
        making::making(size, &place, &mut report).await;
        ruled::ruled(size, &place, &mut report).await;
        reporting::reporting(size, &place, &mut report).await;
        door::door(&place, &mut report).await;
        living::sign_ins(size, &place, &mut report).await;
        report.goal(Goal::at_least(format!("{place}: rush beside the textbook"), figures.rush.rate() / peer.rate(), 8.0, "×"));
        own.push((place.to_string(), figures));
        samples = Some(sample);
    }
    let ceiling = ceiling(size, &samples.expect("an engine"), &mut report).await;
    for (place, figures) in &own {
        let goals = [
            ("rush beside the ceiling", figures.rush.rate() / ceiling.rush.rate(), 0.12),
            ("schedule read beside a constant of its size", figures.schedule.rate() / ceiling.schedule.rate(), 0.5),
            ("schedule read, 304, beside a small constant", figures.unchanged.rate() / ceiling.unchanged.rate(), 0.5),
        ];
        for (what, got, wanted) in goals {
            report.goal(Goal::at_least(format!("{place}: {what}"), got, wanted, ""));
        }
    }
    report.print();
}

/// A database of one engine.
pub struct Place {
    engine: Engine,
    cluster: Option<Cluster>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.engine == Engine::Sqlite { "SQLite" } else { "PostgreSQL" })
    }
}

impl Place {
    /// `None`: PostgreSQL is not installed.
    fn of(engine: Engine) -> Option<Self> {
        let cluster = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(Cluster::start(Fsync::On)?),
        };
        Some(Self { engine, cluster })
    }

    /// A new database and where it is.
    async fn database(&self, directory: &Path) -> String {
        match &self.cluster {
            None => format!("sqlite:{}", directory.join("releve.db").display()),
            Some(cluster) => cluster.database().await.1,
        }
    }
}

/// Relevé's own figures.
struct Own {
    rush: Figures,
    schedule: Figures,
    unchanged: Figures,
}

async fn releve(size: Size, place: &Place, report: &mut Report) -> (Own, Samples) {
    let directory = tempfile::tempdir().unwrap();
    let url = place.database(directory.path()).await;
    progress(&format!("{place}: filling"));
    let filled = filling::fill(&url, size.rushes + 1, FEW_BEFORE).await;
    drop(Server::start(Which::Releve, &url, directory.path()).await);
    let server = Server::start(Which::Releve, &url, directory.path()).await;
    report.goal(Goal::at_most(format!("{place}: from exec to the first answer"), server.first_answer.as_secs_f64(), 0.5, " s"));

    progress(&format!("{place}: Relevé, the rush"));
    let (rush, booking) = rushes(&server, &url, &filled).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (now, peak) = server.memory();
    report.goal(Goal::at_most(format!("{place}: resident memory 5 s after the rush (peak {peak:.0} MiB)"), now, 100.0, " MiB"));
    report.line(rush.line(&format!("{place}: rush, Relevé")));

    progress(&format!("{place}: Relevé, the spread"));
    report.line(spread(&server, &url, &filled).await.line(&format!("{place}: spread, Relevé")));

    progress(&format!("{place}: Relevé, the schedule"));
    let (schedule, unchanged, signed_in, body) = schedule(size, &server, &filled).await;
    report.line(schedule.line(&format!("{place}: schedule read ({} bytes)", body.len())));
    report.line(unchanged.line(&format!("{place}: schedule read, 304")));
    report.line(signed_in.line(&format!("{place}: schedule read, signed in")));
    (Own { rush, schedule, unchanged }, Samples { booking, schedule: body })
}

/// The same rushes and spread, a transaction for each booking. Its rush is returned.
async fn textbook(size: Size, place: &Place, report: &mut Report) -> Figures {
    let directory = tempfile::tempdir().unwrap();
    let url = place.database(directory.path()).await;
    progress(&format!("{place}: filling"));
    let filled = filling::fill(&url, size.rushes + 1, FEW_BEFORE).await;
    let server = Server::start(Which::Textbook, &url, directory.path()).await;
    progress(&format!("{place}: the textbook"));
    let (rush, _) = rushes(&server, &url, &filled).await;
    report.line(rush.line(&format!("{place}: rush, textbook")));
    report.line(spread(&server, &url, &filled).await.line(&format!("{place}: spread, textbook")));
    rush
}

/// What a booking costs with few and with many bookings in the database.
async fn level(size: Size, place: &Place, report: &mut Report) {
    let mut rates = Vec::new();
    for before in [FEW_BEFORE, size.many_before] {
        let directory = tempfile::tempdir().unwrap();
        let url = place.database(directory.path()).await;
        progress(&format!("{place}: filling with {before} bookings"));
        let filled = filling::fill(&url, 1, before).await;
        let server = Server::start(Which::Releve, &url, directory.path()).await;
        rush(&server, &filled, filled.rushes[0]).await;
        settled(&url).await;
        rates.push(spread(&server, &url, &filled).await.rate());
    }
    let what = format!("{place}: cost of a booking, {} bookings before it beside {FEW_BEFORE}", size.many_before);
    report.goal(Goal::at_most(what, rates[0] / rates[1], 1.5, "×"));
}

/// The same stack and limits with nothing behind.
async fn ceiling(size: Size, samples: &Samples, report: &mut Report) -> Own {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("booking.json"), &samples.booking).unwrap();
    std::fs::write(directory.path().join("schedule.json"), &samples.schedule).unwrap();
    let url = format!("sqlite:{}", directory.path().join("none.db").display());
    let server = Server::start(Which::Ceiling, &url, directory.path()).await;
    progress("the bare ceiling");
    let mut own = Own { rush: Figures::new(), schedule: Figures::new(), unchanged: Figures::new() };
    let token = "x".repeat(260);
    for round in 0..=size.rushes {
        let wires = client::open(server.address, MEMBERS).await;
        let requests = (0..MEMBERS).map(|_| vec![booking(Uuid::nil(), &token, true)]).collect();
        let storm = storm(wires, requests).await;
        assert_eq!(storm.count(200), MEMBERS);
        if round > 0 {
            own.rush.add(&storm);
        }
    }
    own.schedule = reads(size, &server, |_| request("GET", "/schedule", None, None), 200).await;
    own.unchanged = reads(size, &server, |_| request("GET", "/small", None, None), 200).await;
    report.line(own.rush.line(&format!("ceiling: a constant of a booking's size ({} bytes), as the rush", samples.booking.len())));
    report.line(own.schedule.line(&format!("ceiling: a constant of the schedule's size ({} bytes)", samples.schedule.len())));
    report.line(own.unchanged.line("ceiling: a small constant, as the schedule read"));
    own
}

/// All rushes but the first, which warms up; and a booking as it is answered.
async fn rushes(server: &Server, url: &str, filled: &Filled) -> (Figures, Bytes) {
    let mut figures = Figures::new();
    let mut sample = Bytes::new();
    for (round, session) in filled.rushes.iter().enumerate() {
        let storm = rush(server, filled, *session).await;
        settled(url).await;
        if round > 0 {
            figures.add(&storm);
        }
        sample = storm.sample;
    }
    let sql = "SELECT COUNT(*) FROM sessions WHERE taken = $1 AND waiting = $2";
    let wanted = (RUSH_PLACES as i64, (MEMBERS - RUSH_PLACES) as i64);
    let db = look(url).await;
    let (right,): (i64,) = db.one(sql, wanted).await.unwrap();
    assert_eq!(right, filled.rushes.len() as i64, "each rush fills its session and its queue");
    db.close().await;
    (figures, sample)
}

/// Every member at once for one session.
pub async fn rush(server: &Server, filled: &Filled, session: Uuid) -> Storm {
    let wires = client::open(server.address, MEMBERS).await;
    let requests = filled.members.iter().map(|member| vec![booking(session, &member.token, true)]).collect();
    let storm = storm(wires, requests).await;
    assert_eq!(storm.count(201), MEMBERS, "{:?}", storm.statuses);
    storm
}

/// Every member four sessions, all sessions alike.
async fn spread(server: &Server, url: &str, filled: &Filled) -> Figures {
    let wires = client::open(server.address, MEMBERS).await;
    let step = SPREAD_SESSIONS / SPREAD_EACH;
    let of = |n: usize, nth: usize| filled.spread[(n + nth * step) % SPREAD_SESSIONS];
    let members = filled.members.iter().enumerate();
    let requests = members.map(|(n, member)| (0..SPREAD_EACH).map(|nth| booking(of(n, nth), &member.token, false)).collect()).collect();
    let storm = storm(wires, requests).await;
    assert_eq!(storm.count(201), MEMBERS * SPREAD_EACH, "{:?}", storm.statuses);
    settled(url).await;
    let mut figures = Figures::new();
    figures.add(&storm);
    figures
}

/// One week of a hundred sessions: whole, unchanged, and as a member sees it.
async fn schedule(size: Size, server: &Server, filled: &Filled) -> (Figures, Figures, Figures, Bytes) {
    let (studio, monday) = filled.scheduled;
    let path = format!("/v1/studios/{studio}/sessions?from={monday}&to={}&limit=200", monday + chrono::Days::new(7));
    let mut wire = client::Wire::open(server.address).await;
    let first = wire.send(request("GET", &path, None, None)).await;
    assert_eq!(first.status, 200, "{}", String::from_utf8_lossy(&first.body));
    let etag = first.headers["etag"].clone();
    let whole = reads(size, server, |_| request("GET", &path, None, None), 200).await;
    let unchanged = |_: usize| {
        let mut request = request("GET", &path, None, None);
        request.headers_mut().insert("if-none-match", etag.clone());
        request
    };
    let unchanged = reads(size, server, unchanged, 304).await;
    // Each of these asks the database: a tenth of them says as much.
    let fewer = Size { reads: size.reads / 10, ..size };
    let signed_in = reads(fewer, server, |n| request("GET", &path, Some(&filled.members[n].token), None), 200).await;
    (whole, unchanged, signed_in, first.body)
}

/// A few connections that read without end; the first round warms up.
pub async fn reads(size: Size, server: &Server, read: impl Fn(usize) -> Ready, status: u16) -> Figures {
    let mut figures = Figures::new();
    for round in 0..=size.read_rounds {
        let wires = client::open(server.address, READERS).await;
        let requests = (0..READERS).map(|n| (0..size.reads).map(|_| read(n)).collect()).collect();
        let storm = storm(wires, requests).await;
        assert_eq!(storm.count(status), READERS * size.reads, "{:?}", storm.statuses);
        if round > 0 {
            figures.add(&storm);
        }
    }
    figures
}

/// A tap on "book", with an id that an app would choose.
pub fn booking(session: Uuid, token: &str, waitlist: bool) -> Ready {
    book(releve::ids::new_id(releve::clock::Clock::System.now()), session, token, waitlist)
}

/// The same, with this id.
pub fn book(id: Uuid, session: Uuid, token: &str, waitlist: bool) -> Ready {
    let body = format!(r#"{{"session_id":"{session}","waitlist":{waitlist}}}"#);
    request("PUT", &format!("/v1/bookings/{id}"), Some(token), Some(body))
}

/// Waits until every letter has left: the next round begins in a quiet house.
pub async fn settled(url: &str) {
    let db = look(url).await;
    loop {
        let sql = "SELECT COUNT(*) FROM letters WHERE due_at IS NOT NULL OR lease IS NOT NULL";
        let (left,): (i64,) = db.one(sql, ()).await.unwrap();
        if left == 0 {
            return db.close().await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub async fn look(url: &str) -> Db {
    Db::open(url, Options { connections: 1, read_only: true, ..Options::default() }).await.unwrap()
}

pub fn progress(what: &str) {
    eprintln!("… {what}");
}

impl Report {
    /// Said at once and in the table.
    fn line(&mut self, line: String) {
        progress(&line);
        self.lines.push(line);
    }

    fn goal(&mut self, goal: Goal) {
        progress(&goal.line());
        self.goals.push(goal);
    }

    fn print(&self) {
        let model = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = model.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1)).unwrap_or("?");
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        println!("\nOn {cores} cores of {model}; server, client and database share them.\n");
        println!("| what | requests/s, median (range) | p50 | p99 |\n|---|---|---|---|");
        self.lines.iter().for_each(|line| println!("{line}"));
        println!("\n| goal | got | wanted | |\n|---|---|---|---|");
        self.goals.iter().for_each(|goal| println!("{}", goal.line()));
    }
}

/// Each member has a connection, which is an open file here and another in the server.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = 3 * MEMBERS as u64;
    if limit.current.is_some_and(|current| current < wanted) {
        let possible = limit.maximum.map_or(wanted, |maximum| wanted.min(maximum));
        setrlimit(Resource::Nofile, Rlimit { current: Some(possible), ..limit }).expect("more open files");
    }
}
