//! What a test finds when it comes in, written directly: fast, and independent of the calls under test.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _, Timelike, Utc};
use chrono_tz::Tz;
use releve::db::{Db, Error};
use releve::ids::new_id;
use releve::language::Texts;
use serde_json::json;
use sqlx::types::Json;
use uuid::Uuid;

use crate::house::House;

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
pub async fn studio(db: &Db, now: DateTime<Utc>) -> Studio {
    let owner = person(db, now, "Olga", true).await;
    let admin = person(db, now, "Ada", false).await;
    let desk = person(db, now, "Dong", false).await;
    let instructor = person(db, now, "Lin Yue", false).await;
    let zone = chrono_tz::Asia::Shanghai;
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
            let values = (rows.id, "Jing'an", "1 Nanjing Road", zone.name(), "en", contact, shop, Json(json!({})), now);
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

/// Somebody with a verified account.
async fn person(db: &Db, now: DateTime<Utc>, name: &str, is_owner: bool) -> Person {
    let id = new_id(now);
    let handle: String = name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '.' }).collect();
    let email = format!("{handle}@releve.test");
    let row = Person { id, name: name.into(), email, token: String::new() };
    let person = row.clone();
    db.write("seed", move |tx| {
        Box::pin(async move {
            let sql = "INSERT INTO persons (id, name, email, email_key, locale, verified_at, is_owner, created_at) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
            tx.run(sql, (id, row.name, row.email.clone(), row.email.clone(), "en", now, is_owner, now)).await?;
            let sql = "INSERT INTO accounts (person_id, email, email_key, password_hash, verified_at, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
            tx.run(sql, (id, row.email.clone(), row.email, "none", now, now)).await?;
            Ok::<_, Error>(())
        })
    })
    .await
    .unwrap();
    person
}

impl House {
    /// A member of the studio with a verified account and nothing to book with.
    pub async fn stranger(&self, name: &str) -> Person {
        let person = person(&self.db, self.clock.now(), name, false).await;
        let (studio, id, name, now) = (self.studio.id, person.id, person.name.clone(), self.clock.now());
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO members (studio_id, person_id, name, name_search, joined_at) VALUES ($1, $2, $3, $4, $5)";
                tx.run(sql, (studio, id, name.clone(), name.to_lowercase(), now)).await
            })
        })
        .await;
        person
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
        let zone = self.studio.zone;
        let wall = NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M").unwrap();
        let starts_at = self.at(local);
        let ends_at = starts_at + TimeDelta::minutes(55);
        let noon = (wall.date() - Days::new(14)).and_time(NaiveTime::from_hms_opt(12, 0, 0).unwrap());
        let opens_at = zone.from_local_datetime(&noon).earliest().unwrap().to_utc();
        let cut_off = starts_at - TimeDelta::hours(12);
        let cap = (capacity / 5).max(3);
        let (id, now, studio) = (self.new_id(), self.clock.now(), self.studio.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO sessions (id, studio_id, class_type_id, room_id, instructor_id, starts_at, ends_at, local_date, \
                           local_minute, local_weekday, capacity, credits, status, booking_opens_at, booking_closes_at, free_cancel_until, \
                           promote_until, waitlist_cap, changed, created_at) \
                           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)";
                let minute = i64::from(wall.hour() * 60 + wall.minute());
                let weekday = i64::from(wall.weekday().number_from_monday());
                let values = (
                    id,
                    studio.id,
                    studio.class_type,
                    studio.room,
                    studio.instructor.id,
                    starts_at,
                    ends_at,
                    wall.date(),
                    minute,
                    weekday,
                    capacity,
                    1_i64,
                    "scheduled",
                    opens_at,
                    starts_at,
                    cut_off,
                    cut_off,
                    cap,
                    Json(json!([])),
                    now,
                );
                tx.run(sql, values).await
            })
        })
        .await;
        Session { id, starts_at, ends_at }
    }

    /// The studio's date.
    pub fn today(&self) -> NaiveDate {
        self.clock.now().with_timezone(&self.studio.zone).date_naive()
    }

    /// Writes rows behind the house's back.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl for<'t> FnOnce(&'t mut releve::db::Tx) -> releve::db::Work<'t, T, Error> + Send + 'static,
    ) -> T {
        self.db.write("seed", work).await.unwrap()
    }
}
