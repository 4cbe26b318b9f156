//! A year of many studios, and how long each report and each page of the console takes after it.

use std::time::{Duration, Instant};

use chrono::{Days, NaiveTime, TimeDelta, Weekday};
use chrono_tz::Asia::Shanghai;
use releve::clock::Clock;
use releve::console::cookie::Ticket;
use releve::db::{Db, Engine, Options};
use releve::ids::new_id;
use releve::search::name_key;
use releve::sign_in::keys::Keys;
use releve::zones;
use serde_json::json;
use sqlx::types::Json;
use uuid::Uuid;

use crate::client::{Wire, page, request};
use crate::figures::Goal;
use crate::filling::{self, Member, Studio};
use crate::servers::{KEY, Server, Which};
use crate::{Place, Report, Size, progress};

/// Sessions of a studio in its year, five bookings each: 10,000 bookings.
const SESSIONS: usize = 2_000;
/// Sessions a day: the year is a little over 360 days.
const A_DAY: usize = 6;
const BOOKINGS_EACH: usize = 5;
/// Members of a studio, each with a pass.
const MEMBERS: usize = 400;
/// Statements that write what all sessions have: none may take ten seconds.
const PARTS: i64 = 40;
/// Studios whose report is asked for, one after another.
const ASKED: usize = 12;
/// What a report may take.
const GOAL_MS: f64 = 300.0;
/// What a page may take, at the median.
const PAGE_GOAL_MS: f64 = 50.0;

/// Every report of a year.
pub async fn reporting(size: Size, place: &Place, report: &mut Report) {
    let directory = tempfile::tempdir().unwrap();
    let url = place.database(directory.path()).await;
    let bookings = size.studios * SESSIONS * BOOKINGS_EACH;
    progress(&format!("{place}: a year of {} studios, {bookings} bookings", size.studios));
    let (studios, owner) = fill(&url, size.studios).await;
    let server = Server::start(Which::Releve, &url, directory.path()).await;
    let mut wire = Wire::open(server.address).await;
    let to = zones::local_date(Clock::System.now(), Shanghai);
    let year = format!("from={}&to={to}", to - Days::new(366));
    let by = |by: &str| format!("attendance?{year}&by={by}");
    let reports = [
        "monday".into(),
        by("session"),
        by("class_type"),
        by("weekday_hour"),
        by("source"),
        format!("demand?{year}"),
        format!("pay?{year}"),
        "credits".into(),
        format!("letters?{year}"),
        format!("retention?{year}"),
    ];
    for path in reports {
        let mut took: Vec<Duration> = Vec::with_capacity(ASKED);
        for studio in studios.iter().cycle().take(ASKED) {
            let began = Instant::now();
            let answer = wire.send(request("GET", &format!("/v1/studios/{studio}/reports/{path}"), Some(&owner.token), None)).await;
            took.push(began.elapsed());
            assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        }
        took.sort_unstable();
        let [middle, worst] = [took[took.len() / 2], took[took.len() - 1]].map(|took| took.as_secs_f64() * 1_000.0);
        let name = path.replace(&format!("{year}&"), "").replace(&format!("?{year}"), "");
        report.line(format!("| {place}: report {name}, {bookings} bookings | | {middle:.0} ms | {worst:.0} ms |"));
        report.goal(Goal::at_most(format!("{place}: report {name}, the slowest of {ASKED}"), worst, GOAL_MS, " ms"));
    }
    pages(&mut wire, &studios, &owner, place, report).await;
}

/// Each page of the console, as the owner of all studios opens it: the first answer of a studio counts as much as another.
async fn pages(wire: &mut Wire, studios: &[Uuid], owner: &Member, place: &Place, report: &mut Report) {
    let (now, keys) = (Clock::System.now(), Keys::new(&[KEY.to_owned()]).unwrap());
    let cookie = format!("releve_console={}", keys.sign(&Ticket::new(owner.id, owner.device, now)).unwrap());
    let yesterday = zones::local_date(now, Shanghai) - Days::new(1);
    let week = yesterday.week(Weekday::Mon).first_day();
    let mut slowest = ("", 0.0);
    for path in [
        "today",
        "schedule",
        "schedule?by=room",
        "schedule?by=instructor",
        "sessions/",
        "members",
        "members/",
        "bookings/",
        "passes/",
        "letters",
        "letters/preview",
        "trail",
        "monday",
        "attendance",
        "attendance/sessions",
        "house-rules",
        "setup",
        "pass-types",
        "team",
        "imports",
        "series",
        "substitutes",
        "closing-days",
        "settings",
    ] {
        let (mut took, mut bytes) = (Vec::with_capacity(ASKED), 0);
        for studio in studios.iter().cycle().take(ASKED) {
            let at = format!("/console/{studio}");
            let path = match path {
                "today" => format!("{at}/today?date={yesterday}"),
                "schedule" => format!("{at}/schedule?week={week}"),
                path if path.starts_with("schedule?") => format!("{at}/{path}&week={week}"),
                // The page of one of them, which another page leads to.
                path if path.ends_with('/') => {
                    let from = match path {
                        "sessions/" => format!("{at}/today?date={yesterday}"),
                        "members/" => format!("{at}/members"),
                        _ => first_link(wire, &format!("{at}/members"), &format!("{at}/members/"), &cookie).await,
                    };
                    first_link(wire, &from, &format!("{at}/{path}"), &cookie).await
                }
                path => format!("{at}/{path}"),
            };
            let began = Instant::now();
            let answer = wire.send(page(&path, &cookie)).await;
            took.push(began.elapsed());
            assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
            bytes = bytes.max(answer.body.len());
        }
        took.sort_unstable();
        let [middle, worst] = [took[took.len() / 2], took[took.len() - 1]].map(|took| took.as_secs_f64() * 1_000.0);
        report.line(format!("| {place}: page {path}, {} KB | | {middle:.1} ms | {worst:.0} ms |", bytes / 1024));
        if middle > slowest.1 {
            slowest = (path, middle);
        }
    }
    let (path, middle) = slowest;
    report.goal(Goal::at_most(
        format!("{place}: the slowest page of the console, {path}, the median of {ASKED}"),
        middle,
        PAGE_GOAL_MS,
        " ms",
    ));
}

/// The first link of a page that begins so and leads to something with an id.
async fn first_link(wire: &mut Wire, from: &str, begins: &str, cookie: &str) -> String {
    let answer = wire.send(page(from, cookie)).await;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let mut links = text.split("href=\"").skip(1).filter_map(|rest| rest.split(['"', '?']).next());
    let is_one = |link: &&str| link.strip_prefix(begins).is_some_and(|rest| Uuid::try_parse(rest).is_ok());
    links.find(is_one).unwrap_or_else(|| panic!("{from} leads to none of {begins}: {text}")).to_owned()
}

/// Studios, and their owner.
async fn fill(url: &str, count: usize) -> (Vec<Uuid>, Member) {
    let db = Db::open(url, Options { connections: 2, ..Options::default() }).await.unwrap();
    db.migrate().await.unwrap();
    let now = Clock::System.now();
    let keys = Keys::new(&[KEY.to_owned()]).unwrap();
    let today = zones::local_date(now, Shanghai);
    let opening =
        |day: usize| zones::instant((today - Days::new(day as u64)).and_time(NaiveTime::from_hms_opt(8, 0, 0).unwrap()), Shanghai);
    let starts: Vec<_> = (0..SESSIONS).map(|n| opening(1 + n / A_DAY) + TimeDelta::hours(2 * (n % A_DAY) as i64)).collect();
    let mut studios = Vec::with_capacity(count);
    let mut owner = None;
    for n in 0..count {
        let studio = filling::studio(&db, now, "Jing'an").await;
        if owner.is_none() {
            owner = Some(filling::people(&db, now, &keys, &studio, 1).await.swap_remove(0));
        }
        filling::sessions(&db, now, &studio, &starts, 20).await;
        people(&db, n, &studio).await;
        studios.push(studio.id);
    }
    let owner = owner.unwrap();
    let id = owner.id;
    db.write("bench", move |tx| Box::pin(async move { tx.run("UPDATE persons SET is_owner = TRUE WHERE id = $1", (id,)).await }))
        .await
        .unwrap();
    progress("what became of them");
    for statement in NUMBERED.iter().copied() {
        db.write("bench", move |tx| Box::pin(async move { tx.run(statement, ()).await })).await.unwrap();
    }
    let year = year(db.engine());
    for part in 0..PARTS {
        for statement in year.iter().copied() {
            db.write("bench", move |tx| Box::pin(async move { tx.run(statement, (part, PARTS)).await })).await.unwrap();
        }
    }
    if db.engine() == Engine::Postgres {
        // Its autovacuum would, within a minute.
        for table in ["sessions", "bookings", "passes", "ledger", "letters", "penalties", "turn_aways", "members", "persons"] {
            let analyze: &'static str = Box::leak(format!("ANALYZE {table}").into_boxed_str());
            db.write("bench", move |tx| Box::pin(async move { tx.run(analyze, ()).await })).await.unwrap();
        }
    }
    db.close().await;
    (studios, owner)
}

/// Members with a pack each, which two in three paid for.
async fn people(db: &Db, of: usize, studio: &Studio) {
    let now = Clock::System.now() - TimeDelta::days(200);
    let (mut persons, mut members, mut passes, mut ledger) = (vec![], vec![], vec![], vec![]);
    for n in 0..MEMBERS {
        let (id, pass) = (new_id(now), new_id(now));
        let (name, email) = (format!("Member {n}"), format!("member{n}@studio{of}.test"));
        persons.push((id, name.clone(), email.clone(), email, "zh-Hans", now, now, false));
        members.push((studio.id, id, name.clone(), name_key(&name), now, false));
        let expires_on = now.date_naive() + Days::new(190 + (n % 90) as u64);
        let studios = Json(json!([studio.id]));
        let name = filling::texts("Hundred classes");
        passes.push((pass, studio.id, id, studio.pack_type, name, "pack", (n % 20) as i64, expires_on, studios, now));
        let paid = (n % 3 > 0).then_some(98_000_i64);
        ledger.push((new_id(now), pass, now + TimeDelta::hours(12 * n as i64), 100_i64, "sold", paid, paid.map(|_| "CNY")));
    }
    db.write("bench", move |tx| {
        Box::pin(async move {
            let sql = "INSERT INTO persons (id, name, email, email_key, locale, verified_at, created_at, key_stale) VALUES #";
            tx.rows(sql, persons).await?;
            tx.rows("INSERT INTO members (studio_id, person_id, name, name_search, joined_at, key_stale) VALUES #", members).await?;
            let sql = "INSERT INTO passes (id, studio_id, person_id, pass_type_id, name, kind, credits_left, expires_on, studio_ids, sold_at) \
                       VALUES #";
            tx.rows(sql, passes).await?;
            tx.rows("INSERT INTO ledger (id, pass_id, at, credits, reason, amount_minor, currency) VALUES #", ledger).await
        })
    })
    .await
    .unwrap();
}

/// Sessions and members by number.
const NUMBERED: &[&str] = &[
    "CREATE TABLE bench_sessions AS SELECT id, studio_id, row_number() OVER (PARTITION BY studio_id ORDER BY starts_at, id) - 1 AS nth \
     FROM sessions",
    "CREATE TABLE bench_members AS SELECT p.studio_id, p.person_id, p.id AS pass_id, \
     row_number() OVER (PARTITION BY p.studio_id ORDER BY p.id) - 1 AS nth FROM passes p JOIN persons o ON o.id = p.person_id \
     WHERE NOT o.is_owner",
    "CREATE INDEX bench_members_nth ON bench_members (studio_id, nth)",
    "CREATE TABLE bench_five AS SELECT 0 AS nth UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4",
];

/// What became of the sessions of one part of the year, in all studios: so that the rows of one studio lie among those of the others.
fn year(engine: Engine) -> Vec<&'static str> {
    let (id, words) = match engine {
        Engine::Sqlite => ("randomblob(16)", "replace(hex(zeroblob(200)), '0', 'x'), replace(hex(zeroblob(600)), '0', 'x')"),
        Engine::Postgres => ("gen_random_uuid()", "repeat('x', 400), repeat('x', 1200)"),
    };
    let part = "FROM bookings b JOIN bench_sessions n ON n.id = b.session_id WHERE n.nth % $2 = $1";
    let statements = [
        format!(
            "INSERT INTO bookings (id, session_id, studio_id, person_id, status, starts_at, ends_at, created_at, asked_by, asked_waitlist, \
             pass_id, free_cancel_until, promoted_at, ended_at, ended_by) SELECT {id}, x.id, x.studio_id, x.person_id, \
             CASE WHEN x.dice < 15 THEN 'attended' WHEN x.dice = 15 THEN 'no_show' WHEN x.dice = 16 THEN 'late_cancelled' \
             WHEN x.dice < 19 THEN 'cancelled' ELSE 'attended' END, x.starts_at, x.ends_at, x.booking_opens_at, x.person_id, TRUE, \
             CASE WHEN x.dice <> 18 THEN x.pass_id END, CASE WHEN x.dice <> 18 THEN x.free_cancel_until END, \
             CASE WHEN x.dice = 19 THEN x.free_cancel_until END, CASE WHEN x.dice IN (16, 17, 18) THEN x.starts_at END, \
             CASE WHEN x.dice IN (16, 17) THEN 'member' WHEN x.dice = 18 THEN 'waitlist_closed' END \
             FROM (SELECT s.id, s.studio_id, s.starts_at, s.ends_at, s.booking_opens_at, s.free_cancel_until, m.person_id, m.pass_id, \
             (n.nth * 7 + f.nth * 3) % 20 AS dice FROM bench_sessions n JOIN sessions s ON s.id = n.id CROSS JOIN bench_five f \
             JOIN bench_members m ON m.studio_id = n.studio_id AND m.nth = (n.nth * 5 + n.nth / 80 + f.nth) % {MEMBERS} \
             WHERE n.nth % $2 = $1) x"
        ),
        format!(
            "INSERT INTO ledger (id, pass_id, at, credits, reason, booking_id) \
             SELECT {id}, b.pass_id, b.created_at, -1, 'booked', b.id {part} AND b.pass_id IS NOT NULL"
        ),
        format!(
            "INSERT INTO letters (id, person_id, studio_id, booking_id, session_id, nth, kind, locale, facts, state, created_at, sent_at, \
             attempts, subject, body_text, body_html) SELECT {id}, b.person_id, b.studio_id, b.id, b.session_id, 1, \
             CASE WHEN b.status = 'attended' THEN 'booked' ELSE 'cancelled' END, 'zh-Hans', '{{\"kind\":\"booked\"}}', 'sent', b.created_at, \
             b.created_at, 1, 'Booked', {words} {part}"
        ),
        format!(
            "INSERT INTO penalties (id, studio_id, person_id, booking_id, kind, at, month, strike, fee_minor, fee_currency) \
             SELECT {id}, b.studio_id, b.person_id, b.id, 'no_show', b.starts_at, s.local_date, TRUE, 1000, 'CNY' \
             FROM bookings b JOIN bench_sessions n ON n.id = b.session_id JOIN sessions s ON s.id = n.id \
             WHERE n.nth % $2 = $1 AND b.status = 'no_show'"
        ),
        format!(
            "INSERT INTO turn_aways (session_id, person_id, on_date, at) SELECT s.id, m.person_id, s.local_date, s.starts_at \
             FROM bench_sessions n JOIN sessions s ON s.id = n.id CROSS JOIN bench_five f \
             JOIN bench_members m ON m.studio_id = n.studio_id AND m.nth = (n.nth + f.nth * 50) % {MEMBERS} \
             WHERE n.nth % $2 = $1 AND n.nth % 3 = 0"
        ),
    ];
    statements.into_iter().map(|statement| &*Box::leak(statement.into_boxed_str())).collect()
}
