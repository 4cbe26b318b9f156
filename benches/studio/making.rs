//! A year of sessions: made from the series of its studios by the sweep of a serving deployment, then read.

use std::time::{Duration, Instant};

use chrono::{Days, NaiveDate};
use releve::clock::Clock;
use releve::db::{Db, Engine, Options};
use releve::ids::new_id;
use releve::schedule::series::{Part, Plan, Series, store};
use releve::sign_in::keys::Keys;
use releve::zones::local_date;
use sqlx::types::Json;
use uuid::Uuid;

use crate::client::{Ready, request};
use crate::figures::{Figures, Goal};
use crate::filling::{self, MEMBERS, Member};
use crate::servers::{KEY, Server, Which};
use crate::{Place, Report, Size, look, progress, reads};

/// Sessions that a studio gives a week, each by a series of its own.
const A_WEEK: usize = 40;
/// Weeks of a year.
const YEAR: i64 = 52;
/// Weeks in the house of a thousand sessions.
const FEW_WEEKS: i64 = 25;

/// A house whose sessions were made, and how fast.
struct Made {
    server: Server,
    _directory: tempfile::TempDir,
    studio: Uuid,
    first_day: NaiveDate,
    member: Member,
    rate: f64,
}

/// Makes a year for many studios, and reads a week there and in a house of a thousand sessions.
pub async fn making(size: Size, place: &Place, report: &mut Report) {
    let sessions = size.studios * A_WEEK * usize::try_from(YEAR).unwrap();
    let few = made(place, 1, FEW_WEEKS).await;
    let many = made(place, size.studios, YEAR).await;
    report.line(format!("| {place}: making {sessions} sessions from {} series | {:.0} sessions/s | | |", size.studios * A_WEEK, many.rate));
    let fewer = Size { reads: size.reads / 10, ..size };
    for (what, size, signed_in) in [("", size, false), (", signed in", fewer, true)] {
        let (mut small, mut large) = (Figures::new(), Figures::new());
        // By turns, so that both have the same weather.
        for _ in 0..size.read_rounds {
            let one = Size { read_rounds: 1, ..size };
            small.join(reads(one, &few.server, |_| few.week(signed_in), 200).await);
            large.join(reads(one, &many.server, |_| many.week(signed_in), 200).await);
        }
        report.line(large.line(&format!("{place}: a week of {A_WEEK} of {sessions} sessions{what}")));
        let what = format!("{place}: cost of that read{what}, {sessions} sessions beside 1000");
        report.goal(Goal::at_most(what, small.rate() / large.rate(), 1.2, "×"));
    }
}

impl Made {
    fn week(&self, signed_in: bool) -> Ready {
        let path = format!("/v1/studios/{}/sessions?from={}&to={}", self.studio, self.first_day, self.first_day + Days::new(7));
        request("GET", &path, signed_in.then_some(self.member.token.as_str()), None)
    }
}

async fn made(place: &Place, studios: usize, weeks: i64) -> Made {
    let directory = tempfile::tempdir().unwrap();
    let url = place.database(directory.path()).await;
    progress(&format!("{place}: making {weeks} weeks for {studios} studios"));
    let db = Db::open(&url, Options { connections: 2, ..Options::default() }).await.unwrap();
    db.migrate().await.unwrap();
    let now = Clock::System.now();
    let today = local_date(now, chrono_tz::Asia::Shanghai);
    let first_day = today + Days::new(1);
    let mut first = None;
    for _ in 0..studios {
        let studio = filling::studio(&db, now, "Jing'an").await;
        let plans: Vec<Plan> = (0..A_WEEK).map(|slot| plan(&studio, first_day, slot, weeks, now)).collect();
        db.write("bench", move |tx| Box::pin(async move { store::insert(tx, plans.iter().collect()).await })).await.unwrap();
        first.get_or_insert(studio);
    }
    let studio = first.unwrap();
    let keys = Keys::new(&[KEY.to_owned()]).unwrap();
    let member = filling::people(&db, now, &keys, &studio, MEMBERS).await.swap_remove(0);
    db.close().await;

    let began = Instant::now();
    let server = Server::start(Which::Releve, &url, directory.path()).await;
    let db = look(&url).await;
    loop {
        let (due,): (i64,) = db.one("SELECT COUNT(*) FROM series WHERE make_at IS NOT NULL", ()).await.unwrap();
        if due == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let took = began.elapsed();
    let (count,): (i64,) = db.one("SELECT COUNT(*) FROM sessions", ()).await.unwrap();
    assert_eq!(count, i64::try_from(studios * A_WEEK).unwrap() * weeks, "every session is made, once");
    db.close().await;
    if place.engine == Engine::Postgres {
        let db = Db::open(&url, Options { connections: 1, ..Options::default() }).await.unwrap();
        db.write("bench", |tx| Box::pin(async { tx.run("ANALYZE", ()).await })).await.unwrap();
        db.close().await;
    }
    let rate = count as f64 / took.as_secs_f64();
    Made { server, _directory: directory, studio: studio.id, first_day: first_day + Days::new(14), member, rate }
}

/// Once a week, at an hour of its own.
fn plan(studio: &filling::Studio, first_day: NaiveDate, slot: usize, weeks: i64, now: chrono::DateTime<chrono::Utc>) -> Plan {
    let (day, hour) = (slot % 7, slot / 7);
    let starts_on = first_day + Days::new(day as u64);
    let series = Series {
        id: new_id(now),
        studio_id: studio.id,
        rule: "FREQ=WEEKLY".into(),
        starts_on,
        until_on: None,
        count_max: Some(weeks),
        except_dates: Json(Vec::new()),
        draft: false,
        next_date: Some(starts_on),
        make_at: Some(now),
        version: 1,
        created_by: None,
        created_at: now,
    };
    let part = Part {
        series_id: series.id,
        from_date: starts_on,
        class_type_id: studio.class_type,
        room_id: studio.room,
        instructor_id: studio.instructor,
        capacity: None,
        local_minute: (8 + 2 * hour as i64) * 60,
        shift_days: 0,
    };
    Plan { series, parts: [(starts_on, part)].into(), gaps: [].into() }
}
