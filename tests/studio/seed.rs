//! What a test starts with, written directly: fast, and independent of the calls under test.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::LazyLock;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use releve::db::{Db, Error, Wide};
use releve::ids::new_id;
use releve::language::Texts;
use releve::schedule;
use releve::search::name_key;
use releve::sign_in::keys::Keys;
use releve::sign_in::tokens::Claims;
use releve::studios::house_rules::HouseRules;
use releve::zones;
use serde_json::json;
use sqlx::types::Json;
use uuid::Uuid;

use crate::house::{House, KEY};

/// A studio with a room, a class type and its people.
#[derive(Clone, Debug)]
pub struct Studio {
    pub id: Uuid,
    pub zone: Tz,
    pub room: Uuid,
    pub class_type: Uuid,
    pub pack_type: Uuid,
    pub owner: Person,
    pub admin: Person,
    pub desk: Person,
    pub instructor: Person,
}

/// Somebody with an account.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: Uuid,
    pub name: String,
    pub email: String,
    pub token: String,
}

/// A scheduled class.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: Uuid,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
}

/// A pass that was sold.
#[derive(Clone, Debug)]
pub struct Pass {
    pub id: Uuid,
}

fn english(text: &str) -> Json<Texts> {
    Json(Texts { en: text.into(), zh_hans: None, zh_hant: None })
}

/// Jing'an: a studio in Shanghai with everybody who works there.
pub async fn jing_an(db: &Db, now: DateTime<Utc>) -> Studio {
    let owner = person(db, now, "Olga", true).await;
    studio(db, now, "Jing'an", chrono_tz::Asia::Shanghai, owner, ["Ada", "Dong", "Lin Yue"]).await
}

async fn studio(db: &Db, now: DateTime<Utc>, name: &'static str, zone: Tz, owner: Person, [admin, desk, instructor]: [&str; 3]) -> Studio {
    let admin = person(db, now, admin, false).await;
    let desk = person(db, now, desk, false).await;
    let instructor = person(db, now, instructor, false).await;
    let studio = Studio {
        id: new_id(now),
        zone,
        room: new_id(now),
        class_type: new_id(now),
        pack_type: new_id(now),
        owner,
        admin,
        desk,
        instructor,
    };
    let rows = studio.clone();
    db.write("seed", move |tx| {
        Box::pin(async move {
            let sql = "INSERT INTO studios (id, name, address, time_zone, locale, contact, shop_url, house_rules, created_at) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
            let contact = "front@jingan.releve.test";
            let shop = "https://jingan.releve.test/shop";
            let values = (rows.id, name, "1 Nanjing Road", zone.name(), "en", contact, shop, Json(json!({})), now);
            tx.run(sql, values).await?;
            let sql = "INSERT INTO rooms (id, studio_id, name, capacity, created_at) VALUES ($1, $2, $3, $4, $5)";
            tx.run(sql, (rows.room, rows.id, "Studio A", 1000_i64, now)).await?;
            let sql =
                "INSERT INTO class_types (id, studio_id, name, level, minutes, credits, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
            tx.run(sql, (rows.class_type, rows.id, english("Barre Sculpt"), "open", 55_i64, 1_i64, now)).await?;
            let sql = "INSERT INTO pass_types (id, studio_id, name, kind, credits, valid_days, price_minor, currency, created_at) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
            tx.run(sql, (rows.pack_type, rows.id, english("Ten classes"), "pack", 10_i64, 90_i64, 98_000_i64, "CNY", now)).await?;
            let staff = vec![
                (rows.id, rows.admin.id, "admin", now),
                (rows.id, rows.desk.id, "front_desk", now),
                (rows.id, rows.instructor.id, "instructor", now),
            ];
            tx.rows("INSERT INTO staff (studio_id, person_id, role, since) VALUES #", staff).await?;
            Ok::<_, Error>(())
        })
    })
    .await
    .unwrap();
    studio
}

/// An access token that outlives every test, as its clock may move on by months.
fn token(person_id: Uuid, device_id: Uuid, now: DateTime<Utc>) -> String {
    static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::new(&[KEY.to_owned()]).unwrap());
    let (iat, exp) = (now.timestamp(), (now + TimeDelta::days(3_650)).timestamp());
    KEYS.sign(&Claims { sub: person_id, dev: device_id, iat, exp }).unwrap()
}

/// A hash that no password has: who has it is signed in by a token.
const HASH_OF_NOTHING: &str = "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Somebody with a verified account, signed in on one device.
async fn person(db: &Db, now: DateTime<Utc>, name: &str, is_owner: bool) -> Person {
    let id = new_id(now);
    let handle: String = name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '.' }).collect();
    let email = format!("{handle}@releve.test");
    let device = new_id(now);
    let row = Person { id, name: name.into(), email, token: token(id, device, now) };
    let person = row.clone();
    db.write("seed", move |tx| {
        Box::pin(async move {
            // What a test is not about does not come: no reminders.
            let sql = "INSERT INTO persons (id, name, email, email_key, locale, verified_at, is_owner, created_at, wants_reminder_24h) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
            tx.run(sql, (id, row.name, row.email.clone(), row.email.clone(), "en", now, is_owner, now, false)).await?;
            let sql = "INSERT INTO accounts (person_id, email, email_key, password_hash, verified_at, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
            tx.run(sql, (id, row.email.clone(), row.email, HASH_OF_NOTHING, now, now)).await?;
            let sql = "INSERT INTO devices (id, person_id, name, family_hash, current_hash, created_at, used_at) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7)";
            let hash = device.as_bytes().to_vec();
            tx.run(sql, (device, id, "a test's", hash.clone(), hash, now, now)).await?;
            Ok::<_, Error>(())
        })
    })
    .await
    .unwrap();
    person
}

impl House {
    /// The same person on another device, just signed in there.
    pub async fn on_another_device(&self, person: &Person) -> (Person, Uuid) {
        let (id, device, now) = (person.id, self.new_id(), self.clock.now());
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO devices (id, person_id, name, family_hash, current_hash, created_at, used_at) \
                           VALUES ($1, $2, $3, $4, $5, $6, $7)";
                let hash = device.as_bytes().to_vec();
                tx.run(sql, (device, id, "another", hash.clone(), hash, now, now)).await
            })
        })
        .await;
        (Person { token: token(id, device, now), ..person.clone() }, device)
    }

    /// A member of the studio with a verified account and nothing to book with.
    pub async fn stranger(&self, name: &str) -> Person {
        let person = person(&self.db, self.clock.now(), name, false).await;
        let (studio, id, name, now) = (self.studio.id, person.id, person.name.clone(), self.clock.now());
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO members (studio_id, person_id, name, name_search, joined_at) VALUES ($1, $2, $3, $4, $5)";
                tx.run(sql, (studio, id, name.clone(), name_key(&name), now)).await
            })
        })
        .await;
        person
    }

    /// Another instructor of the studio.
    pub async fn colleague(&self, name: &str) -> Person {
        let person = person(&self.db, self.clock.now(), name, false).await;
        let (studio, id, now) = (self.studio.id, person.id, self.clock.now());
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO staff (studio_id, person_id, role, since) VALUES ($1, $2, $3, $4)";
                tx.run(sql, (studio, id, "instructor", now)).await
            })
        })
        .await;
        person
    }

    /// From now on this person teaches in another studio too.
    pub async fn teaches_at(&self, person: &Person, studio: &Studio) {
        let (studio, id, now) = (studio.id, person.id, self.clock.now());
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO staff (studio_id, person_id, role, since) VALUES ($1, $2, 'instructor', $3)";
                tx.run(sql, (studio, id, now)).await
            })
        })
        .await;
    }

    /// Brooklyn: the same owner's studio in New York, with people of its own.
    pub async fn second_studio(&self) -> Studio {
        let (db, now, owner) = (&self.db, self.clock.now(), self.studio.owner.clone());
        studio(db, now, "Brooklyn", chrono_tz::America::New_York, owner, ["Abby", "Dora", "Ines"]).await
    }

    /// A member with a pack of ten credits.
    pub async fn member(&self, name: &str) -> Person {
        let person = self.stranger(name).await;
        self.pack(&person, 10).await;
        person
    }

    /// Many members, each with a pack of ten credits.
    pub async fn members(&self, count: usize) -> Vec<Person> {
        let mut members = Vec::with_capacity(count);
        for n in 1..=count {
            members.push(self.member(&format!("Member {n}")).await);
        }
        members
    }

    /// Sells a pack, valid for 90 days.
    pub async fn pack(&self, person: &Person, credits: i64) -> Pass {
        self.pack_until(person, credits, self.today() + Days::new(90)).await
    }

    /// Sells a pack whose last day is `expires_on`.
    pub async fn pack_until(&self, person: &Person, credits: i64, expires_on: NaiveDate) -> Pass {
        self.sell(person, "pack", Some(credits), None, expires_on).await
    }

    /// Sells a membership, unlimited or `per_week`, valid for 90 days.
    pub async fn membership(&self, person: &Person, per_week: Option<i64>) -> Pass {
        self.sell(person, "membership", None, per_week, self.today() + Days::new(90)).await
    }

    async fn sell(&self, person: &Person, kind: &'static str, credits: Option<i64>, per_week: Option<i64>, expires_on: NaiveDate) -> Pass {
        let (id, entry, now, studio, person) = (self.new_id(), self.new_id(), self.clock.now(), self.studio.clone(), person.id);
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO passes (id, studio_id, person_id, pass_type_id, name, kind, credits_left, per_week, expires_on, \
                           studio_ids, sold_at, sold_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
                let name = english(if kind == "pack" { "Ten classes" } else { "Membership" });
                let studios = Json(json!([studio.id]));
                let values =
                    (id, studio.id, person, studio.pack_type, name, kind, credits, per_week, expires_on, studios, now, studio.desk.id);
                tx.run(sql, values).await?;
                let sql = "INSERT INTO ledger (id, pass_id, at, credits, reason, by_person) VALUES ($1, $2, $3, $4, $5, $6)";
                tx.run(sql, (entry, id, now, credits.unwrap_or(0), "sold", studio.desk.id)).await
            })
        })
        .await;
        Pass { id }
    }

    /// Schedules a class of 55 minutes in the studio's wall time: `"2026-12-01 18:30"`.
    pub async fn session(&self, local: &str, capacity: i64) -> Session {
        self.plan(local, capacity).await
    }

    /// The same with more said about it, before it is awaited.
    pub fn plan(&self, local: &str, capacity: i64) -> Plan {
        Plan {
            house: self.clone(),
            studio: self.studio.clone(),
            instructor: None,
            local: local.into(),
            capacity,
            minutes: 55,
            credits: 1,
            draft: false,
            followed_up: false,
        }
    }

    /// Sets house rules of the studio; those left out keep their defaults. Sessions scheduled before keep their instants.
    pub async fn rules(&self, rules: serde_json::Value) {
        let (studio, rules) = (self.studio.id, Json(rules));
        self.write(move |tx| Box::pin(async move { tx.run("UPDATE studios SET house_rules = $1 WHERE id = $2", (rules, studio)).await }))
            .await;
    }

    /// What is left on a pack.
    pub async fn balance(&self, pass: &Pass) -> i64 {
        self.count("SELECT credits_left FROM passes WHERE id = $1", pass.id).await
    }

    /// The one number that a query about this id answers.
    pub async fn count(&self, sql: &'static str, id: Uuid) -> i64 {
        let (count,): (i64,) = self.db.one(sql, (id,)).await.unwrap();
        count
    }

    /// The studio's date.
    pub fn today(&self) -> NaiveDate {
        self.clock.now().with_timezone(&self.studio.zone).date_naive()
    }

    /// Writes rows past everything that guards them.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl for<'t> FnOnce(&'t mut releve::db::Tx) -> releve::db::Work<'t, T, Error> + Send + 'static,
    ) -> T {
        self.db.write("seed", work).await.unwrap()
    }
}

/// A class that is scheduled when awaited.
#[must_use = "it is scheduled when it is awaited"]
pub struct Plan {
    house: House,
    studio: Studio,
    instructor: Option<Uuid>,
    local: String,
    capacity: i64,
    minutes: i64,
    credits: i64,
    draft: bool,
    followed_up: bool,
}

impl Plan {
    /// At another studio.
    pub fn at(mut self, studio: &Studio) -> Self {
        self.studio = studio.clone();
        self
    }

    /// With this instructor.
    pub fn taught_by(mut self, instructor: &Person) -> Self {
        self.instructor = Some(instructor.id);
        self
    }

    /// So long.
    pub fn minutes(mut self, minutes: i64) -> Self {
        self.minutes = minutes;
        self
    }

    /// For this many credits.
    pub fn credits(mut self, credits: i64) -> Self {
        self.credits = credits;
        self
    }

    /// Attendance is followed up after its end, as it is for every session that a studio schedules.
    pub fn followed_up(mut self) -> Self {
        self.followed_up = true;
        self
    }

    /// Not published.
    pub fn draft(mut self) -> Self {
        self.draft = true;
        self
    }
}

impl IntoFuture for Plan {
    type Output = Session;
    type IntoFuture = Pin<Box<dyn Future<Output = Session> + Send>>;

    /// In a room of its own, so that sessions may overlap.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { house, studio, instructor, local, capacity, minutes, credits, draft, followed_up } = self;
            let (id, room, now) = (house.new_id(), house.new_id(), house.clock.now());
            let wall = NaiveDateTime::parse_from_str(&local, "%Y-%m-%d %H:%M").unwrap();
            let starts_at = zones::instant(wall, studio.zone);
            let ends_at = starts_at + TimeDelta::minutes(minutes);
            let (rules,): (Json<HouseRules>,) = house.db.one("SELECT house_rules FROM studios WHERE id = $1", (studio.id,)).await.unwrap();
            let set = schedule::rules::instants(&rules, studio.zone, starts_at, capacity);
            let on = schedule::rules::local(starts_at, studio.zone);
            let status = if draft { "draft" } else { "scheduled" };
            let instructor = instructor.unwrap_or(studio.instructor.id);
            house.write(move |tx| {
                Box::pin(async move {
                    let sql = "INSERT INTO rooms (id, studio_id, name, capacity, created_at) VALUES ($1, $2, $3, $4, $5)";
                    tx.run(sql, (room, studio.id, format!("Room of {local}"), 1_000_i64, now)).await?;
                    let sql = "INSERT INTO sessions (id, studio_id, class_type_id, room_id, instructor_id, starts_at, ends_at, local_date, \
                               local_minute, local_weekday, capacity, credits, status, booking_opens_at, booking_closes_at, \
                               free_cancel_until, promote_until, waiting_ends_at, waitlist_cap, changed, created_at, offers_until, absent_from, \
                               attendance_due_at) VALUES \
                               ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)";
                    let what = (id, studio.id, studio.class_type, room, instructor);
                    let when = (starts_at, ends_at, on.date, on.minute, on.weekday, capacity, credits, status);
                    let (opens, closes, free) = (set.booking_opens_at, set.booking_closes_at, set.free_cancel_until);
                    let until = (opens, closes, free, set.promote_until, set.waiting_ends_at, set.waitlist_cap, Json(json!([])), now, set.offers_until);
                    let absent_from = starts_at + TimeDelta::minutes(rules.no_show_provisional_min);
                    let after = (followed_up.then_some(absent_from), followed_up.then_some(ends_at));
                    let values = Wide((what, when, until, after));
                    tx.run(sql, values).await
                })
            })
            .await;
            Session { id, starts_at, ends_at }
        })
    }
}
