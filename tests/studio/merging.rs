//! Merging two entries of one member, taking along what a studio owns, and leaving one studio.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::House;
use crate::seed::Person;
use crate::speech::Call;

impl House {
    /// Somebody whom the desk enters, without an account.
    async fn entered(&self, name: &str) -> Person {
        let made = self.post_to(self.of_studio("members")).by(&self.studio.desk).json(&json!({ "name": name })).await.expect(201);
        let id = made["person_id"].as_str().unwrap().parse().unwrap();
        Person { id, name: name.into(), email: String::new(), token: String::new() }
    }

    fn merge(&self, from: &Person, into: &Person, how: &str) -> Call {
        let path = self.of_studio(&format!("members/{}/merge{how}", from.id));
        self.put(path).by(&self.studio.admin).json(&json!({ "into": into.id }))
    }

    async fn statuses_of(&self, person: &Person) -> Vec<String> {
        let sql = "SELECT status FROM bookings WHERE person_id = $1 ORDER BY starts_at, status";
        self.db.all::<(String,)>(sql, (person.id,)).await.unwrap().into_iter().map(|(status,)| status).collect()
    }

    fn exported(&self, table: &str) -> Call {
        self.get(self.of_studio(&format!("exports/{table}"))).by(&self.studio.admin)
    }
}

both_engines! {
    async fn two_entries_become_one_person(house: House) {
        house.letters_may_stay();
        let (double, mia) = (house.entered("Mia R.").await, house.member("Mia").await);
        let pack = house.pack(&double, 5).await;
        let (past, both, waits, apart) = (
            house.session("2026-11-29 18:30", 5).await,
            house.session("2026-12-03 18:30", 5).await,
            house.session("2026-12-04 18:30", 1).await,
            house.session("2026-12-05 18:30", 5).await,
        );
        let desk = &house.studio.desk;
        let first = house.book(&double, &both).sent_by(desk).await.expect_booked();
        let second = house.book(&mia, &both).await.expect_booked();
        house.book(&double, &apart).sent_by(desk).await.expect_booked();
        // Who waits behind their double gets the place that comes free.
        let other = house.member("Other").await;
        house.book(&double, &waits).sent_by(desk).await.expect_booked();
        house.book(&mia, &waits).or_wait().await.expect_waitlisted(1);
        house.book(&other, &waits).or_wait().await.expect_waitlisted(2);
        let attended = house.new_id();
        let (studio, session, person, now) = (house.studio.id, past.id, double.id, house.clock.now());
        house.write(move |tx| Box::pin(async move {
            let sql = "INSERT INTO bookings (id, session_id, studio_id, person_id, status, starts_at, ends_at, created_at, asked_by, asked_waitlist) \
                       SELECT $1, id, studio_id, $2, 'attended', starts_at, ends_at, $3, $2, $4 FROM sessions WHERE id = $5 AND studio_id = $6";
            tx.run(sql, (attended, person, now, false, session, studio)).await?;
            tx.run("UPDATE sessions SET taken = taken + 1 WHERE id = $1", (session,)).await
        })).await;

        let preview = house.merge(&double, &mia, "?dry_run=true").await.expect(200);
        let gives_way: Vec<(&str, &str)> = preview["bookings"].as_array().unwrap().iter()
            .map(|one| (one["status_before"].as_str().unwrap(), one["status"].as_str().unwrap())).collect();
        assert_eq!((gives_way.len(), &preview["dry_run"]), (2, &json!(true)), "{}", preview.text);
        assert!(gives_way.contains(&("booked", "cancelled")) && gives_way.contains(&("waitlisted", "cancelled")));
        assert_eq!(house.statuses_of(&double).await.len(), 4, "nothing is done");

        for _ in 0..2 {
            let done = house.merge(&double, &mia, "").await.expect(200);
            assert_eq!(done["person_id"], json!(mia.id));
        }
        assert_eq!(house.statuses_of(&double).await, Vec::<String>::new());
        assert_eq!(house.statuses_of(&mia).await, ["attended", "booked", "cancelled", "booked", "cancelled", "booked"]);
        assert_eq!(house.now(&second).await["status"], "booked", "hers stays");
        assert_eq!(house.count("SELECT COUNT(*) FROM bookings WHERE id = $1 AND status = 'cancelled'", first.id).await, 1);
        assert_eq!(house.balance(&pack).await, 3, "what the one that gave way had cost came back");
        assert_eq!(house.count("SELECT COUNT(*) FROM passes WHERE person_id = $1", mia.id).await, 2);
        assert_eq!(house.count("SELECT COUNT(*) FROM members WHERE person_id = $1", double.id).await, 0);
        assert_eq!(house.count("SELECT COUNT(*) FROM persons WHERE id = $1 AND name = '' AND deleted_at IS NOT NULL", double.id).await, 1);
        assert_eq!(house.count("SELECT COUNT(*) FROM events WHERE subject_id = $1 AND action = 'member.merged'", mia.id).await, 1);
        let ledger = house.get(format!("/v1/passes/{}/ledger", pack.id)).by(&mia).await.expect(200);
        assert!(ledger["entries"].as_array().unwrap().len() >= 3, "{}", ledger.text);
        house.audit_is_clean().await;
    }

    /// Whoever entered somebody as their child acts for nobody who has an account, and never said so.
    async fn who_answered_for_an_entry_does_not_answer_for_who_it_was(house: House) {
        let (mallory, ana) = (house.member("Mallory").await, house.member("Ana").await);
        let body = json!({"kind": "child", "name": "Ana", "studio_id": house.studio.id});
        let made = house.post_to("/v1/me/family").by(&mallory).json(&body).await.expect(201);
        let child: uuid::Uuid = made["person_id"].as_str().unwrap().parse().unwrap();
        let path = format!("/v1/studios/{}/members/{child}/merge", house.studio.id);
        house.put(path).by(&house.studio.admin).json(&json!({"into": ana.id})).await.expect(200);
        house.get(format!("/v1/me/bookings?person_id={}", ana.id)).by(&mallory).await.expect_refused(404, "not-found");
        assert_eq!(house.count("SELECT COUNT(*) FROM family_links WHERE holder_id = $1 AND person_id IS NOT NULL", mallory.id).await, 0);
        // They may ask, and learn no more by it than whoever asks an address.
        let held = house.get("/v1/me/family").by(&mallory).await.expect(200)["acts_for"].clone();
        let told: Vec<_> = ["person_id", "name", "email", "confirmed_at"].iter().map(|what| &held[0][what]).collect();
        assert_eq!(told, [&Value::Null; 4], "{held}");
    }

    async fn a_place_that_comes_free_goes_to_who_waits(house: House) {
        house.letters_may_stay();
        let (double, mia, other) = (house.entered("Mia R.").await, house.member("Mia").await, house.member("Other").await);
        house.pack(&double, 5).await;
        let class = house.session("2026-12-04 18:30", 2).await;
        house.book(&double, &class).sent_by(&house.studio.desk).await.expect_booked();
        house.book(&mia, &class).await.expect_booked();
        house.book(&other, &class).or_wait().await.expect_waitlisted(1);
        house.merge(&double, &mia, "").await.expect(200);
        assert_eq!(house.statuses_of(&other).await, ["booked"]);
        house.audit_is_clean().await;
    }

    async fn two_people_stay_two(house: House) {
        house.letters_may_stay();
        let (double, mia, ana) = (house.entered("Mia R.").await, house.member("Mia").await, house.member("Ana").await);
        house.pack(&double, 5).await;
        let because = |reply: &crate::speech::Reply| reply["because"].as_str().unwrap().to_owned();
        let with_account = house.merge(&ana, &mia, "").await.expect_refused(409, "cannot-merge");
        assert_eq!(because(&with_account), "has_account");
        let twin = double.id;
        let (one, other) = (house.session("2026-12-03 18:30", 5).await, house.plan("2026-12-03 19:00", 5).taught_by(&house.colleague("Mei").await).await);
        house.book(&double, &one).sent_by(&house.studio.desk).await.expect_booked();
        house.book(&mia, &other).await.expect_booked();
        let torn = house.merge(&double, &mia, "").await.expect_refused(409, "cannot-merge");
        assert_eq!((because(&torn), torn["booking_ids"].as_array().unwrap().len()), ("overlap".to_owned(), 1));
        house.merge(&double, &double, "").await.expect_refused(422, "invalid-fields").naming("into");
        let stranger = Person { id: house.new_id(), ..mia.clone() };
        house.merge(&double, &stranger, "").await.expect_refused(422, "invalid-fields").naming("into");
        house.merge(&stranger, &mia, "").await.expect_refused(404, "not-found");
        // What another studio keeps is not one studio's to merge.
        let away = house.second_studio().await;
        let (there, now) = (away.id, house.clock.now());
        house.write(move |tx| Box::pin(async move {
            let sql = "INSERT INTO members (studio_id, person_id, name, name_search, joined_at) VALUES ($1, $2, 'Mia', $4, $3)";
            tx.run(sql, (there, twin, now, releve::search::name_key("Mia"))).await
        })).await;
        house.merge(&double, &mia, "").await.expect_refused(403, "not-allowed");
        let by_owner = house.put(house.of_studio(&format!("members/{}/merge", double.id))).by(&house.studio.owner);
        by_owner.json(&json!({ "into": ana.id })).await.expect(200);
        assert_eq!(house.count("SELECT COUNT(*) FROM members WHERE person_id = $1", ana.id).await, 2, "a member there, too");
        house.audit_is_clean().await;
    }

    async fn what_is_left_of_a_merge_is_seen(house: House) {
        house.letters_may_stay();
        house.audit_may_be_dirty();
        let (double, mia) = (house.entered("Mia R.").await, house.member("Mia").await);
        let pack = house.pack(&double, 5).await;
        house.merge(&double, &mia, "").await.expect(200);
        house.audit_is_clean().await;
        let (id, from) = (pack.id, double.id);
        house.write(move |tx| Box::pin(async move { tx.run("UPDATE passes SET person_id = $2 WHERE id = $1", (id, from)).await })).await;
        let report = releve::audit::check(&house.db, house.clock.now()).await.unwrap();
        let broken = report.findings.iter().find(|finding| finding.promise.contains("nothing of their own left")).unwrap();
        assert_eq!((broken.examined, broken.broken), (1, 1));
    }

    async fn a_studio_takes_along_what_it_owns(house: House) {
        house.letters_may_stay();
        let ana = house.member("Ana").await;
        let class = house.session("2026-12-03 18:30", 5).await;
        let booking = house.book(&ana, &class).await.expect_booked();
        let id = ana.id;
        house.write(move |tx| Box::pin(async move {
            tx.run("UPDATE members SET name = '=HYPERLINK(1)', name_search = $2, phone = '+86 138' WHERE person_id = $1", (id, releve::search::name_key("=HYPERLINK(1)"))).await
        })).await;
        for (table, holds) in [
            ("members", format!("{},,'=HYPERLINK(1),ana@releve.test,false,'+86 138,", ana.id)),
            ("staff", format!("{},Ada,0,0,1", house.studio.admin.id)),
            ("rooms", "Studio A,1000,".to_owned()),
            ("class_types", "Barre Sculpt,open,55,1,".to_owned()),
            ("pass_types", "Ten classes,pack,10,,90,,98000,CNY,".to_owned()),
            ("sessions", format!("{},{},Barre Sculpt,", class.id, house.studio.class_type)),
            ("bookings", format!("{},{},{},booked,", booking.id, class.id, ana.id)),
            ("passes", "Ten classes,pack,9,,,".to_owned()),
            ("ledger", "-1,booked,".to_owned()),
            ("penalties", "id,person_id,booking_id,kind,at,".to_owned()),
        ] {
            let file = house.exported(table).await.expect(200);
            assert!(file.header("content-type").starts_with("text/csv") && file.text.starts_with('\u{feff}'), "{table}");
            assert!(file.text.contains(&holds), "{table}: {}", file.text);
        }
        house.exported("secrets").await.expect_refused(404, "not-found");
        // More than a page of them, each once; nothing of another studio's.
        let (studio, now) = (house.studio.id, house.clock.now());
        let rows: Vec<(Uuid, Uuid, String, i64, chrono::DateTime<chrono::Utc>)> =
            (0..4_100).map(|n| (house.new_id(), studio, format!("Room {n}"), 5_i64, now)).collect();
        house.write(move |tx| Box::pin(async move {
            tx.rows("INSERT INTO rooms (id, studio_id, name, capacity, created_at) VALUES #", rows).await
        })).await;
        let rooms = house.exported("rooms").await.expect(200);
        let ids: std::collections::BTreeSet<&str> = rooms.text.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
        assert_eq!((ids.len(), rooms.text.lines().count()), (4_102, 4_103));
        let away = house.second_studio().await;
        let there = house.get(format!("/v1/studios/{}/exports/bookings", away.id)).by(&away.admin).await.expect(200);
        assert_eq!(there.text.lines().count(), 1);
    }

    async fn one_studio_is_left_and_the_others_are_not(house: House) {
        house.letters_may_stay();
        let ana = house.member("Ana").await;
        let away = house.second_studio().await;
        house.put(format!("/v1/studios/{}/members/me", away.id)).by(&ana).await.expect(200);
        let class = house.session("2026-12-03 18:30", 5).await;
        let booking = house.book(&ana, &class).await.expect_booked();
        let leave = || house.delete(house.of_studio("members/me")).by(&ana);
        let refused = leave().await.expect_refused(409, "bookings-to-come");
        assert_eq!(refused["booking_ids"], json!([booking.id]));
        house.cancel(&booking).await.expect(200);
        for _ in 0..2 {
            leave().await.expect(204);
        }
        let found = |reply: &crate::speech::Reply| reply["members"].as_array().unwrap().iter().any(|one| one["person_id"] == json!(ana.id));
        assert!(!found(&house.get(house.of_studio("members")).by(&house.studio.desk).await.expect(200)));
        assert!(found(&house.get(format!("/v1/studios/{}/members", away.id)).by(&away.desk).await.expect(200)));
        assert_eq!(house.count("SELECT COUNT(*) FROM events WHERE subject_id = $1 AND action = 'member.left'", ana.id).await, 1);
        let passes = house.get("/v1/me/passes").by(&ana).await.expect(200);
        assert_eq!(passes["passes"].as_array().map(Vec::len), Some(1), "what was bought stays theirs to read");
        house.delete(format!("/v1/studios/{}/members/me", house.new_id())).by(&ana).await.expect_refused(404, "not-found");
        // Booking there again joins again.
        house.book(&ana, &class).await.expect_booked();
        assert!(found(&house.get(house.of_studio("members")).by(&house.studio.desk).await.expect(200)));
    }
}
