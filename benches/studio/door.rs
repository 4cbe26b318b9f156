//! Twenty at each door: codes shown at a studio's kiosks, alone and while a class is being rushed.

use releve::attendance::{code, kiosk};
use releve::clock::Clock;
use releve::db::{Db, Options};
use releve::ids::new_id;
use releve::sign_in::keys::Keys;
use uuid::Uuid;

use crate::client::{self, Ready, Storm, request, storm};
use crate::figures::{Figures, Goal};
use crate::filling::{self, Filled, MEMBERS, RUSH_PLACES};
use crate::servers::{KEY, Server, Which};
use crate::{FEW_BEFORE, Place, Report, book, look, progress, rush, settled};

/// Classes whose members come to the door: each member is in one of them.
const CLASSES: usize = MEMBERS / RUSH_PLACES;
/// Devices at the door, one code after the other: as many as a studio may have, each within what it may send at once.
const KIOSKS: usize = 20;
/// What the member at the door waits at most while a class is being rushed.
const GOAL_S: f64 = 1.0;

/// Half of the members come in a quiet house, half of them beside a rush.
pub async fn door(place: &Place, report: &mut Report) {
    let directory = tempfile::tempdir().unwrap();
    let url = place.database(directory.path()).await;
    progress(&format!("{place}: filling"));
    let filled = filling::fill(&url, 2, FEW_BEFORE).await;
    let classes = filling::soon(&url, &filled, CLASSES, RUSH_PLACES).await;
    let tokens = kiosks(&url, &filled).await;
    let server = Server::start(Which::Releve, &url, directory.path()).await;
    let codes = booked(&server, &filled, &classes).await;
    settled(&url).await;
    rush(&server, &filled, filled.rushes[0]).await;
    settled(&url).await;

    progress(&format!("{place}: codes at the door"));
    let (first, second) = codes.split_at(MEMBERS / 2);
    let alone = arrive(&server, &filled, &tokens, first).await;
    settled(&url).await;
    let (beside, _) = tokio::join!(arrive(&server, &filled, &tokens, second), rush(&server, &filled, filled.rushes[1]));
    let db = look(&url).await;
    let (arrived,): (i64,) = db.one("SELECT COUNT(*) FROM check_ins", ()).await.unwrap();
    assert_eq!(arrived, MEMBERS as i64, "each code counts once");
    db.close().await;

    for (storm, name) in [(&alone, "check-ins at the door"), (&beside, "check-ins at the door beside a rush")] {
        let mut figures = Figures::new();
        figures.add(storm);
        report.line(figures.line(&format!("{place}: {name}")));
    }
    let slowest = beside.percentile(1.0).as_secs_f64();
    report.goal(Goal::at_most(format!("{place}: the slowest check-in beside a rush"), slowest, GOAL_S, " s"));
}

/// The tokens of the studio's kiosks.
async fn kiosks(url: &str, filled: &Filled) -> Vec<String> {
    let now = Clock::System.now();
    let db = Db::open(url, Options { connections: 1, ..Options::default() }).await.unwrap();
    let (tokens, rows): (Vec<_>, Vec<_>) = (0..KIOSKS)
        .map(|_| {
            let Ok((token, hash)) = kiosk::new_token() else { panic!("randomness") };
            (token, (new_id(now), filled.studio, "Entrance", hash, now, filled.members[0].id))
        })
        .unzip();
    let sql = "INSERT INTO kiosks (id, studio_id, name, token_hash, added_at, added_by) VALUES #";
    db.write("bench", move |tx| Box::pin(async move { tx.rows(sql, rows).await })).await.unwrap();
    db.close().await;
    tokens
}

/// Everybody books their class; the codes that their phones show.
async fn booked(server: &Server, filled: &Filled, classes: &[Uuid]) -> Vec<String> {
    let keys = Keys::new(&[KEY.to_owned()]).unwrap();
    let (requests, codes): (Vec<_>, Vec<_>) = filled
        .members
        .iter()
        .enumerate()
        .map(|(n, member)| {
            let id = new_id(Clock::System.now());
            (vec![book(id, classes[n % CLASSES], &member.token, false)], code::of_booking(&keys, id))
        })
        .unzip();
    let storm = storm(client::open(server.address, MEMBERS).await, requests).await;
    assert_eq!(storm.count(201), MEMBERS, "{:?}", storm.statuses);
    codes
}

/// These codes, shared among the kiosks.
async fn arrive(server: &Server, filled: &Filled, tokens: &[String], codes: &[String]) -> Storm {
    let shown = |token: &str, code: &String| -> Ready {
        let path = format!("/v1/studios/{}/check-ins/{}", filled.studio, new_id(Clock::System.now()));
        request("PUT", &path, Some(token), Some(format!(r#"{{"code":"{code}"}}"#)))
    };
    let of = |nth: usize| codes.iter().skip(nth).step_by(KIOSKS);
    let requests = tokens.iter().enumerate().map(|(nth, token)| of(nth).map(|code| shown(token, code)).collect()).collect();
    let storm = storm(client::open(server.address, KIOSKS).await, requests).await;
    assert_eq!(storm.count(200), codes.len(), "{:?}", storm.statuses);
    storm
}
