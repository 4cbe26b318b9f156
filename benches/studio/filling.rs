//! The database that is measured: two studios, two thousand members with a pack and a token each, and what they booked before.

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use chrono_tz::Asia::Shanghai;
use releve::booking::{Booking, NewBooking, Place, store};
use releve::db::{Db, Engine, Error, Options, Wide};
use releve::ids::new_id;
use releve::language::{Language, Texts};
use releve::letters::facts::{Facts, Penalized, SessionFacts, StudioFacts, Terms};
use releve::passes::rules::Payment;
use releve::penalties::rules::PenaltyTerms;
use releve::schedule::rules;
use releve::search::name_key;
use releve::settings::Settings;
use releve::sign_in::keys::Keys;
use releve::sign_in::passwords::{NewPassword, Passwords};
use releve::sign_in::tokens::Claims;
use releve::studios::house_rules::HouseRules;
use releve::zones;
use serde_json::json;
use sqlx::types::Json;
use uuid::Uuid;

use crate::servers::KEY;

/// Members who want the same place.
pub const MEMBERS: usize = 2_000;
/// Whose password it is: everybody's.
pub const PASSWORD: &str = "plie-tendu-releve";
/// Rushes to come in a house where none is measured.
pub const FEW_RUSHES: usize = 1;
/// Sessions of the spread, and how many places each has.
pub const SPREAD_SESSIONS: usize = 200;
pub const SPREAD_PLACES: usize = 40;
/// Places of the session that everybody wants.
pub const RUSH_PLACES: usize = 20;
/// Sessions of the week that the schedule read reads.
pub const WEEK_SESSIONS: usize = 100;
/// Bookings of one statement's transaction.
const AT_ONCE: usize = 2_000;

/// What is in the database, as far as the bench speaks of it.
pub struct Filled {
    pub members: Vec<Member>,
    /// One for each rush.
    pub rushes: Vec<Uuid>,
    pub spread: Vec<Uuid>,
    /// The studio that all this is in.
    pub studio: Uuid,
    /// The studio whose schedule is read, and its Monday.
    pub scheduled: (Uuid, chrono::NaiveDate),
}

/// Somebody with an app.
pub struct Member {
    pub id: Uuid,
    pub token: String,
    /// The device that the token is of.
    pub device: Uuid,
}

/// The rows of one studio.
pub struct Studio {
    pub id: Uuid,
    pub class_type: Uuid,
    pub pack_type: Uuid,
    pub room: Uuid,
    pub instructor: Uuid,
}

/// Fills an empty database: with rushes to come, and with bookings made before.
pub async fn fill(url: &str, rushes: usize, bookings_before: usize) -> Filled {
    let db = Db::open(url, Options { connections: 2, ..Options::default() }).await.expect("the database");
    db.migrate().await.expect("migrated");
    let now = releve::clock::Clock::System.now();
    let keys = Keys::new(&[KEY.to_owned()]).expect("a key");
    let (one, other) = (studio(&db, now, "Jing'an").await, studio(&db, now, "West Bund").await);
    let members = people(&db, now, &keys, &one, MEMBERS).await;

    // An hour each, so that nobody has to be in two places.
    let today = zones::local_date(now, Shanghai);
    let midnight = |days: u64| zones::instant((today + Days::new(days)).and_time(NaiveTime::MIN), Shanghai);
    let hours = |from: DateTime<Utc>, count: usize| (0..count).map(move |n| from + TimeDelta::hours(n as i64)).collect::<Vec<_>>();
    let spread = sessions(&db, now, &one, &hours(midnight(2), SPREAD_SESSIONS), SPREAD_PLACES).await;
    let rush = sessions(&db, now, &one, &hours(midnight(20), rushes), RUSH_PLACES).await;
    let monday = rules::week_of(today + Days::new(14));
    let opening = zones::instant(monday.and_time(NaiveTime::from_hms_opt(6, 0, 0).expect("six")), Shanghai);
    let week: Vec<_> = (0..WEEK_SESSIONS).map(|n| opening + TimeDelta::hours((n / 15 * 24 + n % 15) as i64)).collect();
    sessions(&db, now, &other, &week, 20).await;

    before(&db, now, &one, &members, bookings_before).await;
    if db.engine() == Engine::Postgres {
        // Its autovacuum would, within a minute: a database that has lived knows how large its tables are.
        db.write("bench", |tx| Box::pin(async { tx.run("ANALYZE", ()).await })).await.expect("analysed");
    }
    db.close().await;
    Filled { members, rushes: rush, spread, studio: one.id, scheduled: (other.id, monday) }
}

/// Fills an empty database with one studio, a session in three weeks for each crowd, and the people of all crowds.
pub async fn crowds(url: &str, places: usize, crowds: &[usize]) -> Vec<(Uuid, Vec<Member>)> {
    let db = Db::open(url, Options { connections: 2, ..Options::default() }).await.expect("the database");
    db.migrate().await.expect("migrated");
    let now = releve::clock::Clock::System.now();
    let keys = Keys::new(&[KEY.to_owned()]).expect("a key");
    let studio = studio(&db, now, "Jing'an").await;
    let mut members = people(&db, now, &keys, &studio, crowds.iter().sum()).await;
    let first = zones::instant((zones::local_date(now, Shanghai) + Days::new(21)).and_time(NaiveTime::MIN), Shanghai);
    let starts: Vec<_> = (0..crowds.len()).map(|n| first + TimeDelta::hours(n as i64)).collect();
    let sessions = sessions(&db, now, &studio, &starts, places).await;
    if db.engine() == Engine::Postgres {
        db.write("bench", |tx| Box::pin(async { tx.run("ANALYZE", ()).await })).await.expect("analysed");
    }
    db.close().await;
    sessions.into_iter().zip(crowds).map(|(session, count)| (session, members.drain(..count).collect())).collect()
}

/// Classes of the studio that begin in twenty minutes: their members come to the door.
pub async fn soon(url: &str, filled: &Filled, classes: usize, places: usize) -> Vec<Uuid> {
    let db = Db::open(url, Options { connections: 1, ..Options::default() }).await.expect("the database");
    let now = releve::clock::Clock::System.now();
    let sql = "SELECT class_type_id, room_id, instructor_id FROM sessions WHERE id = $1";
    let (class_type, room, instructor): (Uuid, Uuid, Uuid) = db.one(sql, (filled.rushes[0],)).await.expect("a session");
    let pack_type = Uuid::nil();
    let studio = Studio { id: filled.studio, class_type, pack_type, room, instructor };
    let ids = sessions(&db, now, &studio, &vec![now + TimeDelta::minutes(20); classes], places).await;
    db.close().await;
    ids
}

/// The rules of a studio that has all of them: offers, caps by day, week and month, strikes, fees.
pub async fn full_rules(url: &str, studio: Uuid) {
    let rules = json!({
        "waitlist_unlimited": true, "booking_opens_days": 365, "bookings_ahead_max": 1000,
        "after_cutoff": "offers", "bookings_per_day_max": 100, "bookings_per_week_max": 200, "bookings_per_month_max": 500,
        "strikes_max": 3, "late_cancels_forgiven": 1, "late_cancel_fee_minor": 1000, "fee_currency": "CNY",
    });
    let db = Db::open(url, Options { connections: 1, ..Options::default() }).await.expect("the database");
    let sql = "UPDATE studios SET house_rules = $1 WHERE id = $2";
    db.write("bench", move |tx| Box::pin(async move { tx.run(sql, (Json(rules), studio)).await })).await.expect("rules");
    db.close().await;
}

pub fn texts(text: &str) -> Json<Texts> {
    Json(Texts { en: text.into(), zh_hans: Some("芭杆塑形".into()), zh_hant: Some("芭桿塑形".into()) })
}

pub async fn studio(db: &Db, now: DateTime<Utc>, name: &'static str) -> Studio {
    let studio = Studio { id: new_id(now), class_type: new_id(now), pack_type: new_id(now), room: new_id(now), instructor: new_id(now) };
    let Studio { id, class_type, pack_type, room, instructor } = studio;
    db.write("bench", move |tx| {
        Box::pin(async move {
            let sql = "INSERT INTO persons (id, name, verified_at, is_owner, created_at) VALUES ($1, $2, $3, $4, $5)";
            tx.run(sql, (instructor, "Lin Yue", now, false, now)).await?;
            let sql = "INSERT INTO studios (id, name, address, time_zone, locale, contact, house_rules, created_at) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
            let house_rules = Json(json!({"waitlist_unlimited": true, "booking_opens_days": 365, "bookings_ahead_max": 1000}));
            let contact = "front@studio.test";
            tx.run(sql, (id, name, "1 Nanjing Road", Shanghai.name(), "zh-Hans", contact, house_rules, now)).await?;
            let sql = "INSERT INTO rooms (id, studio_id, name, capacity, created_at) VALUES ($1, $2, $3, $4, $5)";
            tx.run(sql, (room, id, "Studio A", 100_i64, now)).await?;
            let sql =
                "INSERT INTO class_types (id, studio_id, name, level, minutes, credits, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
            tx.run(sql, (class_type, id, texts("Barre Sculpt"), "open", 55_i64, 1_i64, now)).await?;
            let sql =
                "INSERT INTO pass_types (id, studio_id, name, kind, credits, valid_days, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
            tx.run(sql, (pack_type, id, texts("Hundred classes"), "pack", 1_000_i64, 365_i64, now)).await?;
            tx.run("INSERT INTO staff (studio_id, person_id, role, since) VALUES ($1, $2, $3, $4)", (id, instructor, "instructor", now))
                .await?;
            Ok::<_, Error>(())
        })
    })
    .await
    .expect("a studio");
    studio
}

pub async fn people(db: &Db, now: DateTime<Utc>, keys: &Keys, studio: &Studio, count: usize) -> Vec<Member> {
    let passwords = Passwords::new(&Settings::defaults().expect("settings").sign_in).expect("a hasher");
    // One for all: two thousand would take a minute to make, and are checked no differently.
    let password_hash = passwords.hash(NewPassword::parse(PASSWORD).expect("a password")).await.expect("a hash");
    let mut members = Vec::with_capacity(count);
    let (mut persons, mut accounts, mut devices, mut joined, mut passes, mut ledger) = (vec![], vec![], vec![], vec![], vec![], vec![]);
    for n in 1..=count {
        let (id, device, pass) = (new_id(now), new_id(now), new_id(now));
        let (iat, exp) = (now.timestamp(), now.timestamp() + 24 * 3_600);
        members.push(Member { id, token: keys.sign(&Claims { sub: id, dev: device, iat, exp }).expect("a token"), device });
        let (name, email) = (format!("Member {n}"), email(n));
        persons.push((id, name.clone(), email.clone(), email.clone(), "zh-Hans", now, now, false));
        accounts.push((id, email.clone(), email, password_hash.clone(), now, now, false));
        devices.push((device, id, device.as_bytes().to_vec(), device.as_bytes().to_vec(), now, now));
        joined.push((studio.id, id, name.clone(), name_key(&name), now, false));
        let expires_on = now.date_naive() + Days::new(365);
        let studios = Json(json!([studio.id]));
        passes.push((pass, studio.id, id, studio.pack_type, texts("Hundred classes"), "pack", 1_000_i64, expires_on, studios, now));
        ledger.push((new_id(now), pass, now, 1_000_i64, "sold"));
    }
    db.write("bench", move |tx| {
        Box::pin(async move {
            // Their keys are this version's: else the process would make them anew before it serves.
            let sql = "INSERT INTO persons (id, name, email, email_key, locale, verified_at, created_at, key_stale) VALUES #";
            tx.rows(sql, persons).await?;
            let sql = "INSERT INTO accounts (person_id, email, email_key, password_hash, verified_at, created_at, key_stale) VALUES #";
            tx.rows(sql, accounts).await?;
            tx.rows("INSERT INTO devices (id, person_id, family_hash, current_hash, created_at, used_at) VALUES #", devices).await?;
            let sql = "INSERT INTO members (studio_id, person_id, name, name_search, joined_at, key_stale) VALUES #";
            tx.rows(sql, joined).await?;
            let sql = "INSERT INTO passes (id, studio_id, person_id, pass_type_id, name, kind, credits_left, expires_on, studio_ids, sold_at) \
                       VALUES #";
            tx.rows(sql, passes).await?;
            tx.rows("INSERT INTO ledger (id, pass_id, at, credits, reason) VALUES #", ledger).await?;
            Ok::<_, Error>(())
        })
    })
    .await
    .expect("members");
    members
}

/// The address of the nth member, counted from one.
pub fn email(n: usize) -> String {
    format!("member{n}@studio.test")
}

/// Sessions of 55 minutes that begin then; their ids in the same order.
pub async fn sessions(db: &Db, now: DateTime<Utc>, studio: &Studio, starts: &[DateTime<Utc>], places: usize) -> Vec<Uuid> {
    let house_rules = HouseRules { waitlist_unlimited: true, booking_opens_days: 365, bookings_ahead_max: 1_000, ..HouseRules::default() };
    let places = places as i64;
    let mut ids = Vec::with_capacity(starts.len());
    let mut rows = Vec::with_capacity(starts.len());
    for starts_at in starts {
        let (id, starts_at) = (new_id(now), *starts_at);
        let (set, on) = (rules::instants(&house_rules, Shanghai, starts_at, places), rules::local(starts_at, Shanghai));
        ids.push(id);
        rows.push(Wide((
            (id, studio.id, studio.class_type, studio.room, studio.instructor, starts_at, starts_at + TimeDelta::minutes(55)),
            (on.date, on.minute, on.weekday, places, 1_i64, "scheduled", set.booking_opens_at.min(now), set.booking_closes_at),
            (set.free_cancel_until, set.promote_until, set.waiting_ends_at, set.waitlist_cap, Json(json!([])), now),
        )));
    }
    db.write("bench", move |tx| {
        Box::pin(async move {
            let sql = "INSERT INTO sessions (id, studio_id, class_type_id, room_id, instructor_id, starts_at, ends_at, local_date, \
                       local_minute, local_weekday, capacity, credits, status, booking_opens_at, booking_closes_at, free_cancel_until, \
                       promote_until, waiting_ends_at, waitlist_cap, changed, created_at) VALUES #";
            tx.rows(sql, rows).await
        })
    })
    .await
    .expect("sessions");
    ids
}

/// Classes that were taken: each with its booking, its line in the ledger, its letter that left and its line in the log of events.
async fn before(db: &Db, now: DateTime<Utc>, studio: &Studio, members: &[Member], count: usize) {
    let per_session = SPREAD_PLACES;
    let starts: Vec<_> = (0..count.div_ceil(per_session)).map(|n| now - TimeDelta::hours(24 + n as i64)).collect();
    let sessions = sessions(db, now, studio, &starts, per_session).await;
    let passes: Vec<(Uuid, Uuid)> = db.all("SELECT person_id, id FROM passes", ()).await.expect("passes");
    let passes: std::collections::HashMap<Uuid, Uuid> = passes.into_iter().collect();
    let all: Vec<(usize, &Member)> = (0..count).map(|n| (n / per_session, &members[n % members.len()])).collect();
    for some in all.chunks(AT_ONCE) {
        let (mut bookings, mut ledger, mut letters, mut audit) = (vec![], vec![], vec![], vec![]);
        for (session, member) in some {
            let (starts_at, pass) = (starts[*session], passes[&member.id]);
            let booking = taken(new_id(starts_at), sessions[*session], studio.id, member.id, pass, starts_at);
            ledger.push((new_id(starts_at), pass, starts_at, -1_i64, "booked", booking.id, member.id));
            let facts = Json(letter(sessions[*session], starts_at));
            letters.push(Wide((
                (new_id(starts_at), member.id, studio.id, booking.id, booking.session_id, 1_i64, "booked", Language::ZhHans, facts),
                ("sent", starts_at, starts_at, 1_i64, "您已预约成功", "x".repeat(600), "x".repeat(2_000)),
            )));
            audit.push((new_id(starts_at), starts_at, member.id, "booking.booked", "booking", booking.id, studio.id, "bench"));
            bookings.push(booking);
        }
        db.write("bench", move |tx| {
            Box::pin(async move {
                store::insert(tx, bookings.iter().collect()).await?;
                tx.rows("INSERT INTO ledger (id, pass_id, at, credits, reason, booking_id, by_person) VALUES #", ledger).await?;
                let sql = "INSERT INTO letters (id, person_id, studio_id, booking_id, session_id, nth, kind, locale, facts, state, \
                           created_at, sent_at, attempts, subject, body_text, body_html) VALUES #";
                tx.rows(sql, letters).await?;
                let sql = "INSERT INTO events (id, at, actor_id, action, subject_kind, subject_id, studio_id, request_id) VALUES #";
                tx.rows(sql, audit).await
            })
        })
        .await
        .expect("bookings before");
    }
    let counted =
        "UPDATE sessions SET taken = (SELECT COUNT(*) FROM bookings b WHERE b.session_id = sessions.id AND b.status = 'attended')";
    let paid = "UPDATE passes SET credits_left = (SELECT CAST(SUM(l.credits) AS BIGINT) FROM ledger l WHERE l.pass_id = passes.id)";
    db.write("bench", move |tx| {
        Box::pin(async move {
            tx.run(counted, ()).await?;
            tx.run(paid, ()).await
        })
    })
    .await
    .expect("counts");
}

fn taken(id: Uuid, session_id: Uuid, studio_id: Uuid, person_id: Uuid, pass_id: Uuid, starts_at: DateTime<Utc>) -> Booking {
    let new = NewBooking {
        id,
        session_id,
        studio_id,
        person_id,
        starts_at,
        ends_at: starts_at + TimeDelta::minutes(55),
        asked_by: person_id,
        asked_pass_id: None,
        asked_waitlist: false,
        asked_unpaid: false,
        unpaid_reason: None,
    };
    let payment = Payment { pass_id: Some(pass_id), credits: 1, visit_week: None };
    let penalty_terms = PenaltyTerms::default();
    let place = Place { payment, free_cancel_until: Some(starts_at - TimeDelta::hours(12)), penalty_terms };
    let mut booking = Booking::with_place(new, &place, starts_at);
    booking.check_in(starts_at, person_id).expect("booked");
    (booking.sequence, booking.letters) = (1, 1);
    booking
}

fn letter(session_id: Uuid, starts_at: DateTime<Utc>) -> Facts {
    let studio = StudioFacts { name: "Jing'an".into(), address: None, contact: None, time_zone: Shanghai };
    let session = SessionFacts {
        for_whom: None,
        id: session_id,
        studio,
        class: texts("Barre Sculpt").0,
        room: "Studio A".into(),
        instructor: "Lin Yue".into(),
        starts_at,
        ends_at: starts_at + TimeDelta::minutes(55),
    };
    Facts::Booked {
        session,
        terms: Terms { credits: 1, membership: false, free_cancel_until: None, penalty: Penalized::default() },
        by_staff: false,
    }
}
