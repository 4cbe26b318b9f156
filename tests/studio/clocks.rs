//! Laws about the clocks change: sessions stay at their wall times.

use chrono::{DateTime, TimeDelta, Utc};
use releve::sweeps;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::House;
use crate::seed::Session;

impl House {
    /// As older data would have written it: everything about the session so much later than by the law that is known now.
    async fn made_by_older_data(&self, session: &Session, minutes: i64) {
        let (id, by) = (session.id, TimeDelta::minutes(minutes));
        self.write(move |tx| {
            Box::pin(async move {
                type Times = (DateTime<Utc>, DateTime<Utc>, DateTime<Utc>, DateTime<Utc>, DateTime<Utc>, DateTime<Utc>, DateTime<Utc>);
                let sql = "SELECT starts_at, ends_at, booking_opens_at, booking_closes_at, free_cancel_until, promote_until, waiting_ends_at \
                           FROM sessions WHERE id = $1";
                let (starts, ends, opens, closes, free, promote, waiting): Times = tx.one(sql, (id,)).await?;
                let sql = "UPDATE sessions SET starts_at = $2, ends_at = $3, booking_opens_at = $4, booking_closes_at = $5, \
                           free_cancel_until = $6, promote_until = $7, waiting_ends_at = $8 WHERE id = $1";
                tx.run(sql, (id, starts + by, ends + by, opens + by, closes + by, free + by, promote + by, waiting + by)).await?;
                let sql = "UPDATE bookings SET starts_at = $2, ends_at = $3, free_cancel_until = $4 WHERE session_id = $1 AND status = 'booked'";
                tx.run(sql, (id, starts + by, ends + by, free + by)).await?;
                let sql = "UPDATE bookings SET starts_at = $2, ends_at = $3 WHERE session_id = $1 AND status <> 'booked'";
                tx.run(sql, (id, starts + by, ends + by)).await
            })
        })
        .await;
    }

    async fn out_of_time(&self) -> Vec<String> {
        let report = releve::audit::check(&self.db, self.clock.now()).await.unwrap();
        report.findings.into_iter().find(|finding| finding.promise.contains("on its studio's wall")).unwrap().rows
    }
}

fn without<'v>(mut shown: Value, names: impl IntoIterator<Item = &'v str>) -> Value {
    for name in names {
        shown.as_object_mut().unwrap().remove(name);
    }
    shown
}

both_engines! {
    async fn sessions_go_back_to_their_wall_times(house: House) {
        let people = house.members(4).await;
        // One after the other, in both directions: nobody is in two rooms on the way.
        let first = house.session("2026-12-10 18:30", 2).await;
        let second = house.session("2026-12-10 19:30", 3).await;
        let third = house.session("2026-12-11 08:00", 3).await;
        let past = house.session("2026-11-30 11:00", 3).await;
        let mut bookings = Vec::new();
        for person in &people[..2] {
            bookings.push(house.book(person, &first).await.expect_booked());
        }
        bookings.push(house.book(&people[2], &first).or_wait().await.expect_waitlisted(1));
        for session in [&second, &third] {
            bookings.push(house.book(&people[0], session).await.expect_booked());
        }
        house.advance(TimeDelta::hours(3));
        let path = |session: &Session| format!("/v1/sessions/{}", session.id);
        let mut before = Vec::new();
        for session in [&first, &second, &third] {
            before.push(house.get(path(session)).by(&people[0]).await.expect(200).body);
        }
        let mut held = Vec::new();
        for booking in &bookings {
            held.push(house.now(booking).await);
        }
        let letters = house.letters_to(&people[0]).await.len();
        assert_eq!(sweeps::follow_clocks(&house.app).await.unwrap(), 0, "nothing is out of time");

        for (session, minutes) in [(&first, 60), (&second, 60), (&third, -60)] {
            house.made_by_older_data(session, minutes).await;
        }
        house.made_by_older_data(&past, 60).await;
        house.audit_may_be_dirty();
        let rows = house.out_of_time().await;
        assert_eq!(rows.len(), 3, "{rows:?}");
        assert!(rows.iter().all(|row| row.contains("by its wall time at")), "{rows:?}");

        assert_eq!(sweeps::follow_clocks(&house.app).await.unwrap(), 3);
        assert_eq!(house.out_of_time().await, Vec::<String>::new());
        // As if nothing had ever been: the instant, every cut-off, the wall time, and no word that the time has changed.
        for (session, was) in [&first, &second, &third].into_iter().zip(before) {
            let is = house.get(path(session)).by(&people[0]).await.expect(200).body;
            assert_eq!(is, was);
        }
        for (booking, was) in bookings.iter().zip(held) {
            let is = house.now(booking).await;
            assert_eq!(without(is, ["session"]), without(was, ["session"]));
        }
        assert_eq!(house.letters_to(&people[0]).await.len(), letters, "nobody is told what they do not see");
        // Calendars take the new instant: its number rose.
        let (sequence,): (i64,) = house.db.one("SELECT sequence FROM sessions WHERE id = $1", (first.id,)).await.unwrap();
        assert_eq!(sequence, 1);
        let numbers: Vec<(Uuid, i64)> =
            house.db.all("SELECT id, sequence FROM bookings WHERE session_id = $1 ORDER BY id", (first.id,)).await.unwrap();
        for booking in &bookings[..2] {
            assert!(numbers.contains(&(booking.id, 2)), "{numbers:?}");
        }
        assert_eq!(house.how_many("SELECT COUNT(*) FROM events WHERE action = 'session.followed_clocks'").await, 3);
        // What is over keeps the instant that it had.
        let (start,): (DateTime<Utc>,) = house.db.one("SELECT starts_at FROM sessions WHERE id = $1", (past.id,)).await.unwrap();
        assert_eq!(start, "2026-11-30T04:00:00Z".parse::<DateTime<Utc>>().unwrap());
        house.audit_is_clean().await;
    }

    async fn an_hour_that_the_law_skips_is_told(house: House) {
        let there = json!({ "name": "Brooklyn", "time_zone": "America/New_York", "locale": "en" });
        let studio = house.post_to("/v1/studios").by(&house.studio.owner).json(&there).await.expect(201).id();
        let ana = house.member("Ana").await;
        let session = house.session("2026-12-12 02:30", 3).await;
        let booking = house.book(&ana, &session).await.expect_booked();
        let letters = house.letters_to(&ana).await.len();
        // The studio and its session are taken to where the clocks skip half past two that night, as if the older law had not.
        let id = session.id;
        house.write(move |tx| Box::pin(async move {
            let start: DateTime<Utc> = "2027-03-14T07:30:00Z".parse().unwrap();
            let end = start + TimeDelta::minutes(55);
            let sql = "UPDATE sessions SET studio_id = $2, starts_at = $3, ends_at = $4, local_date = $5 WHERE id = $1";
            tx.run(sql, (id, studio, start, end, start.date_naive())).await?;
            tx.run("UPDATE bookings SET studio_id = $2, starts_at = $3, ends_at = $4 WHERE session_id = $1", (id, studio, start, end)).await
        })).await;
        house.audit_may_be_dirty();
        assert_eq!(sweeps::follow_clocks(&house.app).await.unwrap(), 1);
        let shown = house.get(format!("/v1/sessions/{id}")).await.expect(200);
        assert_eq!((&shown["local_start"], &shown["changed"]), (&json!("2027-03-14T03:00"), &json!(["time"])));
        let told = house.letters_to(&ana).await;
        assert_eq!(told.len(), letters + 1);
        assert_eq!((told.last().unwrap().kind.as_str(), told.last().unwrap().booking_id), ("session_changed", Some(booking.id)));
        // Once is enough.
        assert_eq!(sweeps::follow_clocks(&house.app).await.unwrap(), 0);
        assert_eq!(house.letters_to(&ana).await.len(), letters + 1);
    }

    async fn an_older_process_leaves_alone_what_a_newer_one_did(house: House) {
        let session = house.session("2026-12-10 18:30", 2).await;
        house.made_by_older_data(&session, 60).await;
        let note = async |version: &'static str| {
            house.write(move |tx| Box::pin(async move {
                let sql = "INSERT INTO house_facts (name, value) VALUES ('zones', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
                tx.run(sql, (version,)).await
            })).await;
        };
        note("2199z").await;
        assert_eq!(sweeps::follow_clocks(&house.app).await.unwrap(), 0);
        assert_eq!(house.out_of_time().await.len(), 1, "until then the audit lists it");
        note("2000a").await;
        assert_eq!(sweeps::follow_clocks(&house.app).await.unwrap(), 1);
        let (version,): (String,) = house.db.one("SELECT value FROM house_facts WHERE name = 'zones'", ()).await.unwrap();
        assert_eq!(Some(version.as_str()), releve::zones::version());
    }

    async fn old_and_renamed_zones_are_zones(house: House) {
        for name in ["Asia/Calcutta", "Asia/Kolkata", "Europe/Kiev", "Europe/Kyiv", "America/Coyhaique", "US/Eastern"] {
            let body = json!({ "name": name, "time_zone": name, "locale": "en" });
            let made = house.post_to("/v1/studios").by(&house.studio.owner).json(&body).await.expect(201);
            assert_eq!(made["time_zone"], name);
        }
        for name in ["Asia/Nowhere", "", "+08:00", "asia/shanghai\u{0}"] {
            let body = json!({ "name": "X", "time_zone": name, "locale": "en" });
            house.post_to("/v1/studios").by(&house.studio.owner).json(&body).await.expect_refused(422, "invalid-fields").naming("time_zone");
        }
    }
}
