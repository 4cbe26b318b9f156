//! What house rules cost in a rush, and what a freed place costs before a long waitlist.

use std::time::{Duration, Instant};

use releve::clock::Clock;
use releve::ids::new_id;
use uuid::Uuid;

use crate::client::{Ready, Wire, open, request, storm};
use crate::figures::{Figures, Goal};
use crate::filling::{self, Member, RUSH_PLACES};
use crate::servers::{Server, Which};
use crate::{FEW_BEFORE, Place, Report, Size, book, booking, progress, rush, settled};

/// Places of a session before which people wait, each of which comes free once.
const PLACES: usize = 40;
/// Who waits for it, where few and where many do: no fewer than places come free.
const FEW_WAITING: usize = 50;
const MANY_WAITING: usize = 5_000;
/// Connections that the crowd shares.
const WIRES: usize = 500;

/// Both.
pub async fn ruled(size: Size, place: &Place, report: &mut Report) {
    rush_by_rules(size, place, report).await;
    turned_away(size, place, report).await;
    refills(place, report).await;
}

/// The rush without offers, caps and strikes, and with all of them, by turns.
async fn rush_by_rules(size: Size, place: &Place, report: &mut Report) {
    let mut houses = Vec::new();
    for full in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let url = place.database(directory.path()).await;
        progress(&format!("{place}: filling"));
        let filled = filling::fill(&url, size.rushes + 1, FEW_BEFORE).await;
        if full {
            filling::full_rules(&url, filled.studio).await;
        }
        let server = Server::start(Which::Releve, &url, directory.path()).await;
        houses.push((server, url, filled, Figures::new(), directory));
    }
    for round in 0..=size.rushes {
        for (server, url, filled, figures, _) in &mut houses {
            let storm = rush(server, filled, filled.rushes[round]).await;
            settled(url).await;
            if round > 0 {
                figures.add(&storm);
            }
        }
    }
    let [plain, full] = [0, 1].map(|nth: usize| &houses[nth].3);
    report.line(full.line(&format!("{place}: rush with offers, caps and strikes")));
    let what = format!("{place}: cost of a rush with offers, caps and strikes beside one without");
    report.goal(Goal::at_most(what, plain.rate() / full.rate(), 1.3, "×"));
}

/// The rush of people who do not want to wait: all but twenty are turned away, and each who is turned away is noted, once a day.
async fn turned_away(size: Size, place: &Place, report: &mut Report) {
    let directory = tempfile::tempdir().unwrap();
    let url = place.database(directory.path()).await;
    progress(&format!("{place}: filling"));
    let filled = filling::fill(&url, size.rushes + 1, FEW_BEFORE).await;
    let server = Server::start(Which::Releve, &url, directory.path()).await;
    let mut rounds = [Figures::new(), Figures::new()];
    for (round, session) in filled.rushes.iter().enumerate() {
        // The second time each of them is noted already.
        for figures in &mut rounds {
            let wires = open(server.address, filled.members.len()).await;
            let requests = filled.members.iter().map(|member| vec![booking(*session, &member.token, false)]).collect();
            let storm = storm(wires, requests).await;
            assert!(storm.count(409) >= filled.members.len() - RUSH_PLACES, "{:?}", storm.statuses);
            settled(&url).await;
            if round > 0 {
                figures.add(&storm);
            }
        }
    }
    let db = crate::look(&url).await;
    let (noted,): (i64,) = db.one("SELECT COUNT(*) FROM turn_aways", ()).await.unwrap();
    assert_eq!(noted, (filled.rushes.len() * (filled.members.len() - RUSH_PLACES)) as i64, "each once a day");
    db.close().await;
    for (figures, name) in rounds.iter().zip(["a rush in which all but 20 are turned away", "the same people once more"]) {
        report.line(figures.line(&format!("{place}: {name}")));
    }
}

/// A place that comes free, and goes to the first who waits: before few and before many, by turns.
async fn refills(place: &Place, report: &mut Report) {
    let directory = tempfile::tempdir().unwrap();
    let url = place.database(directory.path()).await;
    progress(&format!("{place}: filling"));
    let crowds = filling::crowds(&url, PLACES, &[PLACES + FEW_WAITING, PLACES + MANY_WAITING]).await;
    let server = Server::start(Which::Releve, &url, directory.path()).await;
    let mut booked = Vec::new();
    for (session, members) in &crowds {
        let (first, others) = members.split_at(PLACES);
        booked.push(arrive(&server, *session, first).await);
        arrive(&server, *session, others).await;
    }
    settled(&url).await;
    let mut wire = Wire::open(server.address).await;
    let mut took = [Vec::new(), Vec::new()];
    for nth in 0..PLACES {
        for ((crowd, ids), took) in crowds.iter().zip(&booked).zip(&mut took) {
            let ready = cancellation(ids[nth], &crowd.1[nth].token);
            let began = Instant::now();
            let answer = wire.send(ready).await;
            took.push(began.elapsed());
            assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        }
    }
    let db = crate::look(&url).await;
    let (promoted,): (i64,) = db.one("SELECT COUNT(*) FROM bookings WHERE promoted_at IS NOT NULL", ()).await.unwrap();
    assert_eq!(promoted, 2 * PLACES as i64, "each place went to somebody who waited");
    db.close().await;
    let [few, many] = took.map(|mut took| {
        took.sort_unstable();
        took[took.len() / 2]
    });
    let ms = |took: Duration| took.as_secs_f64() * 1_000.0;
    report.line(format!(
        "| {place}: a cancellation that gives the place to the first of {MANY_WAITING} ({FEW_WAITING}) | | {:.2} ms ({:.2} ms) | |",
        ms(many),
        ms(few)
    ));
    let what = format!("{place}: cost of a freed place with {MANY_WAITING} waiting beside {FEW_WAITING}");
    report.goal(Goal::at_most(what, ms(many) / ms(few), 1.5, "×"));
}

/// They all book, or join the queue; the ids of their bookings in the same order.
async fn arrive(server: &Server, session: Uuid, members: &[Member]) -> Vec<Uuid> {
    let ids: Vec<Uuid> = members.iter().map(|_| new_id(Clock::System.now())).collect();
    let wires = open(server.address, WIRES.min(members.len())).await;
    let mut requests: Vec<Vec<Ready>> = wires.iter().map(|_| Vec::new()).collect();
    for (nth, (id, member)) in ids.iter().zip(members).enumerate() {
        let wire = nth % wires.len();
        requests[wire].push(book(*id, session, &member.token, true));
    }
    let storm = storm(wires, requests).await;
    assert_eq!(storm.count(201), members.len(), "{:?}", storm.statuses);
    ids
}

fn cancellation(id: Uuid, token: &str) -> Ready {
    request("PUT", &format!("/v1/bookings/{id}/cancellation"), Some(token), Some("{}".into()))
}
