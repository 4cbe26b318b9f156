//! What a deployment in use weighs: two thousand people who sign in, and minutes of mixed traffic after which it is no heavier.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::Mutex;

use crate::client::{self, Answer, Wire, request, storm};
use crate::figures::{Figures, Goal};
use crate::filling::{self, FEW_RUSHES, Filled, MEMBERS, PASSWORD, SPREAD_SESSIONS};
use crate::servers::{Server, Which};
use crate::{FEW_BEFORE, Place, Report, Size, booking, progress};

/// Connections on which people sign in: fewer than may wait for a hash.
const SIGNING_IN: usize = 16;
/// How often the memory is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long each visitor of the mixed traffic pauses between two calls.
const PAUSE: Duration = Duration::from_millis(20);
/// Calendar addresses that are read: as many as keep each below what one person may read (`sign_in::limits`).
const FEEDS: usize = 200;

/// Members sign in, each on a device of their own, as fast as passwords are hashed.
pub async fn sign_ins(size: Size, place: &Place, report: &mut Report) {
    let directory = tempfile::tempdir().unwrap();
    let url = place.database(directory.path()).await;
    progress(&format!("{place}: filling"));
    filling::fill(&url, FEW_RUSHES, FEW_BEFORE).await;
    let server = Server::start(Which::Releve, &url, directory.path()).await;
    progress(&format!("{place}: {} members sign in", size.sign_ins));
    let (before, _) = server.memory();
    let wires = client::open(server.address, SIGNING_IN).await;
    let of = |wire: usize| (wire..size.sign_ins).step_by(SIGNING_IN).map(|n| request("POST", "/v1/tokens", None, Some(credentials(n))));
    let storm = storm(wires, (0..SIGNING_IN).map(|wire| of(wire).collect()).collect()).await;
    assert_eq!(storm.count(200), size.sign_ins, "{:?}", storm.statuses);
    let mut figures = Figures::new();
    figures.add(&storm);
    report.line(figures.line(&format!("{place}: signing in")));
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (now, peak) = server.memory();
    let what = format!("{place}: resident memory after {} sign-ins ({before:.0} MiB before, peak {peak:.0} MiB)", size.sign_ins);
    report.goal(Goal::at_most(what, now, 100.0, " MiB"));
}

/// Sign-ins, refreshes, bookings and cancellations, schedules and feeds, all at once and for so long.
pub async fn soak(lasts: Duration, place: &Place, report: &mut Report) {
    let directory = tempfile::tempdir().unwrap();
    let url = place.database(directory.path()).await;
    progress(&format!("{place}: filling"));
    let filled = filling::fill(&url, FEW_RUSHES, FEW_BEFORE).await;
    let server = Server::start(Which::Releve, &url, directory.path()).await;
    progress(&format!("{place}: mixed traffic for {} s", lasts.as_secs()));
    let house = Arc::new(House { ends: Instant::now() + lasts, refresh: Mutex::default(), answers: AtomicUsize::new(0), filled });
    let address = server.address;
    let feeds = feeds(&mut Wire::open(address).await, &house.filled).await;
    let mut visitors = tokio::task::JoinSet::new();
    for n in 0..2 {
        visitors.spawn(signs_in(Arc::clone(&house), Wire::open(address).await, n));
        visitors.spawn(refreshes(Arc::clone(&house), Wire::open(address).await));
        visitors.spawn(reads_feeds(Arc::clone(&house), Wire::open(address).await, feeds.clone()));
    }
    for n in 0..4 {
        visitors.spawn(books(Arc::clone(&house), Wire::open(address).await, n));
        visitors.spawn(reads(Arc::clone(&house), Wire::open(address).await, n));
    }
    let mut weights = Vec::new();
    while Instant::now() < house.ends {
        tokio::time::sleep(LOOK_EVERY).await;
        weights.push(server.memory().0);
    }
    while let Some(visitor) = visitors.join_next().await {
        visitor.expect("every answer is as it should be");
    }
    let quarter = |nth: usize| {
        let some = &weights[weights.len() * nth / 4..weights.len() * (nth + 1) / 4];
        some.iter().sum::<f64>() / some.len() as f64
    };
    let (second, last) = (quarter(1), quarter(3));
    let rate = house.answers.load(Ordering::Relaxed) as f64 / lasts.as_secs_f64();
    report.line(format!("| {place}: mixed traffic for {} s | {rate:.0} | | |", lasts.as_secs()));
    let what = format!("{place}: resident memory in the last quarter ({last:.0} MiB) beside the second ({second:.0} MiB)");
    report.goal(Goal::at_most(what, last / second, 1.1, "×"));
    report.goal(Goal::at_most(format!("{place}: resident memory at the end of mixed traffic"), last, 100.0, " MiB"));
}

/// What the visitors of the mixed traffic share.
struct House {
    ends: Instant,
    /// Refresh tokens of devices that signed in.
    refresh: Mutex<Vec<String>>,
    answers: AtomicUsize,
    filled: Filled,
}

impl House {
    /// Sends, and the answer has one of these statuses.
    async fn ask(&self, wire: &mut Wire, asked: client::Ready, statuses: &[u16]) -> Answer {
        let said = format!("{} {}", asked.method(), asked.uri());
        let answer = wire.send(asked).await;
        assert!(statuses.contains(&answer.status.as_u16()), "{said}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        self.answers.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(PAUSE).await;
        answer
    }

    fn goes_on(&self) -> bool {
        Instant::now() < self.ends
    }

    fn token(&self, n: usize) -> Option<&str> {
        Some(&self.filled.members[n % MEMBERS].token)
    }
}

async fn signs_in(house: Arc<House>, mut wire: Wire, first: usize) {
    let mut n = first;
    while house.goes_on() {
        let answer = house.ask(&mut wire, request("POST", "/v1/tokens", None, Some(credentials(n % MEMBERS))), &[200]).await;
        let mut tokens = house.refresh.lock().await;
        tokens.push(text(&answer, "refresh_token"));
        // The newest are kept: nobody has so many devices in hand.
        let old = tokens.len().saturating_sub(500);
        tokens.drain(..old);
        n += 2;
    }
}

async fn refreshes(house: Arc<House>, mut wire: Wire) {
    while house.goes_on() {
        let Some(token) = house.refresh.lock().await.pop() else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let body = format!(r#"{{"refresh_token":"{token}"}}"#);
        let answer = house.ask(&mut wire, request("POST", "/v1/tokens/refresh", None, Some(body)), &[200]).await;
        house.refresh.lock().await.push(text(&answer, "refresh_token"));
    }
}

/// Books a class that others book too, and gives it back.
async fn books(house: Arc<House>, mut wire: Wire, first: usize) {
    let mut n = first;
    while house.goes_on() {
        let session = house.filled.spread[n % SPREAD_SESSIONS];
        let tap = booking(session, house.token(n).unwrap_or_default(), true);
        let answer = house.ask(&mut wire, tap, &[201]).await;
        let cancel = request("PUT", &format!("/v1/bookings/{}/cancellation", text(&answer, "id")), house.token(n), Some("{}".into()));
        house.ask(&mut wire, cancel, &[200]).await;
        n += 4;
    }
}

/// Looks at the schedule, every other time as a member, and at what is booked.
async fn reads(house: Arc<House>, mut wire: Wire, first: usize) {
    let (studio, monday) = house.filled.scheduled;
    let path = format!("/v1/studios/{studio}/sessions?from={monday}&to={}&limit=200", monday + chrono::Days::new(7));
    let mut n = first;
    while house.goes_on() {
        house.ask(&mut wire, request("GET", &path, None, None), &[200]).await;
        house.ask(&mut wire, request("GET", &path, house.token(n), None), &[200]).await;
        house.ask(&mut wire, request("GET", "/v1/me/bookings?when=upcoming", house.token(n), None), &[200]).await;
        n += 4;
    }
}

async fn reads_feeds(house: Arc<House>, mut wire: Wire, feeds: Vec<String>) {
    for feed in feeds.iter().cycle() {
        if !house.goes_on() {
            return;
        }
        house.ask(&mut wire, request("GET", feed, None, None), &[200]).await;
    }
}

/// The paths of the calendars of some members.
async fn feeds(wire: &mut Wire, filled: &Filled) -> Vec<String> {
    let mut paths = Vec::with_capacity(FEEDS);
    for member in filled.members.iter().take(FEEDS) {
        let body = r#"{"kind":"bookings"}"#.to_owned();
        let answer = wire.send(request("POST", "/v1/me/calendars", Some(&member.token), Some(body))).await;
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        let url = text(&answer, "url");
        paths.push(url[url.find("/calendars/").expect("a calendar's address")..].to_owned());
    }
    paths
}

fn credentials(n: usize) -> String {
    format!(r#"{{"email":"{}","password":"{PASSWORD}","device":"a phone"}}"#, filling::email(n + 1))
}

fn text(answer: &Answer, name: &str) -> String {
    let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    body[name].as_str().unwrap_or_else(|| panic!("no {name} in {body}")).to_owned()
}
