//! On what terms a member waits: conditions of their own on an entry, and quiet hours of their own. Who is passed over by them keeps the
//! position, reads why, and keeps the place from nobody.

use serde_json::{Value, json};

use crate::house::House;
use crate::seed::{Person, Session};
use crate::speech::{Booking, Call};

impl House {
    /// Two who wait for the one place of a session, the first of them on these terms: the session, who is in it, and those who wait.
    async fn waits_on(&self, conditions: Value) -> (Session, Booking, Booking, Booking) {
        let evening = self.session("2026-12-03 18:30", 1).await;
        let people = self.members(3).await;
        let booked = self.book(&people[0], &evening).await.expect_booked();
        let first = self.book(&people[1], &evening).or_wait().saying("conditions", conditions).await.expect_waitlisted(1);
        let second = self.book(&people[2], &evening).or_wait().await.expect_waitlisted(2);
        (evening, booked, first, second)
    }

    fn set_conditions(&self, booking: &Booking, conditions: &Value) -> Call {
        self.put(format!("/v1/bookings/{}/conditions", booking.id)).by(&booking.person).json(conditions)
    }

    async fn is(&self, booking: &Booking) -> Value {
        self.now(booking).await["status"].clone()
    }

    fn quiet(&self, person: &Person, hours: &Value) -> Call {
        self.patch("/v1/me").by(person).json(&json!({"quiet_hours": hours}))
    }
}

both_engines! {
    async fn with_too_little_notice_they_are_passed_over(house: House) {
        let (evening, booked, first, second) = house.waits_on(json!({"notice_minutes_min": 1440})).await;
        let terms = json!({"notice_minutes_min": 1440, "not_after": null, "one_a_day": false, "with": null});
        assert_eq!((&first.body["conditions"], &second.body["conditions"]), (&terms, &Value::Null));
        house.it_is("2026-12-02 18:31");
        house.cancel(&booked).await.expect(200);
        assert_eq!((house.is(&first).await, house.is(&second).await), (json!("waitlisted"), json!("booked")));
        assert_eq!(house.first_waits_because(&evening).await, "short_notice");
        assert_eq!(house.now(&first).await["waitlist_position"], 1);
        // They asked for it: it is told in the history, and by no letter.
        assert_eq!(house.kinds_to(&first.person).await, ["waitlisted"]);
        let told = house.get(format!("/v1/bookings/{}/history", first.id)).by(&first.person).await.expect(200);
        assert_eq!(told["entries"][1]["reason"], "short_notice");
        let text = "A place came free and could not be given. You asked to be moved in only with more notice than that.";
        assert_eq!(told["entries"][1]["text"], text);
    }

    async fn at_the_last_instant_of_the_notice_they_are_moved_in(house: House) {
        let (_, booked, first, _) = house.waits_on(json!({"notice_minutes_min": 1440})).await;
        house.it_is("2026-12-02 18:30");
        house.cancel(&booked).await.expect(200);
        assert_eq!(house.is(&first).await, "booked");
    }

    async fn after_their_own_instant_they_are_passed_over(house: House) {
        let (evening, booked, first, second) = house.waits_on(json!({"not_after": "2026-12-01T04:00:00Z"})).await;
        assert_eq!(first.body["conditions"]["not_after"], "2026-12-01T04:00:00.000000Z");
        house.it_is("2026-12-01 12:01");
        house.cancel(&booked).await.expect(200);
        assert_eq!((house.is(&first).await, house.is(&second).await), (json!("waitlisted"), json!("booked")));
        assert_eq!(house.first_waits_because(&evening).await, "too_late");
    }

    async fn the_place_is_kept_from_nobody(house: House) {
        let evening = house.session("2026-12-03 18:30", 1).await;
        let people = house.members(3).await;
        let booked = house.book(&people[0], &evening).await.expect_booked();
        let first = house.book(&people[1], &evening).or_wait().saying("conditions", json!({"notice_minutes_min": 20_000})).await.expect_waitlisted(1);
        house.cancel(&booked).await.expect(200);
        house.audit_is_clean().await;
        assert_eq!(house.is(&first).await, "waitlisted");
        // A tap of their own is not bound by what they said; nor is anybody else.
        house.accept(&first).await.expect(200);
        house.cancel(&first).await.expect(200);
        house.book(&people[2], &evening).await.expect_booked();
    }

    async fn one_a_day_means_one(house: House) {
        let (ana, bo, cy) = (house.member("Ana").await, house.member("Bo").await, house.member("Cy").await);
        let (noon, evening) = (house.session("2026-12-03 12:00", 1).await, house.session("2026-12-03 18:30", 1).await);
        let (one, two) = (house.book(&bo, &noon).await.expect_booked(), house.book(&cy, &evening).await.expect_booked());
        let once = json!({"one_a_day": true});
        let for_noon = house.book(&ana, &noon).or_wait().saying("conditions", once.clone()).await.expect_waitlisted(1);
        let for_evening = house.book(&ana, &evening).or_wait().saying("conditions", once).await.expect_waitlisted(1);
        // Both places come free at once.
        let (first, second) = tokio::join!(house.cancel(&one).into_future(), house.cancel(&two).into_future());
        first.expect(200);
        second.expect(200);
        let (got, waits) = match house.is(&for_noon).await == "booked" {
            true => (for_noon, for_evening),
            false => (for_evening, for_noon),
        };
        assert_eq!((house.is(&got).await, house.is(&waits).await), (json!("booked"), json!("waitlisted")));
        house.audit_is_clean().await;
        // It is given up: then the other is theirs, in that commit.
        house.cancel(&got).await.expect(200);
        assert_eq!(house.is(&waits).await, "booked");
    }

    async fn a_class_of_this_morning_counts(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        house.rules(json!({"promotion_until_min": 60})).await;
        let (morning, evening) = (house.session("2026-12-03 09:00", 5).await, house.session("2026-12-03 18:30", 1).await);
        let elsewhere = house.session("2026-12-04 18:30", 1).await;
        house.book(&ana, &morning).await.expect_booked();
        let mut taken = Vec::new();
        let mut waiting = Vec::new();
        for session in [&evening, &elsewhere] {
            taken.push(house.book(&bo, session).await.expect_booked());
            waiting.push(house.book(&ana, session).or_wait().saying("conditions", json!({"one_a_day": true})).await.expect_waitlisted(1));
        }
        house.it_is("2026-12-03 11:00");
        for booked in &taken {
            house.cancel(booked).await.expect(200);
        }
        assert_eq!((house.is(&waiting[0]).await, house.is(&waiting[1]).await), (json!("waitlisted"), json!("booked")));
        assert_eq!(house.first_waits_because(&evening).await, "one_a_day");
    }

    async fn conditions_change_and_serve_at_once(house: House) {
        let evening = house.session("2026-12-03 18:30", 1).await;
        let people = house.members(2).await;
        let booked = house.book(&people[0], &evening).await.expect_booked();
        let tap = house.new_id();
        let asked = json!({"notice_minutes_min": 20_000});
        let waiting = house.book(&people[1], &evening).or_wait().id(tap).saying("conditions", asked.clone()).await.expect_waitlisted(1);
        house.cancel(&booked).await.expect(200);
        let now = house.set_conditions(&waiting, &json!({"one_a_day": true, "notice_minutes_min": 10_000})).await.expect(200);
        assert_eq!((&now["status"], &now["conditions"]["notice_minutes_min"]), (&json!("waitlisted"), &json!(10_000)));
        let none = json!({});
        let now = house.set_conditions(&waiting, &none).await.expect(200);
        assert_eq!((&now["status"], &now["conditions"]), (&json!("booked"), &Value::Null));
        // Again it is the same; others come too late. A repeat of the PUT is compared with what it said.
        house.set_conditions(&waiting, &none).await.expect(200);
        let late = house.set_conditions(&waiting, &asked).await.expect_refused(409, "status-changed");
        assert_eq!(late["booking_status"], "booked");
        house.book(&people[1], &evening).or_wait().id(tap).saying("conditions", asked).await.expect_repeated();
        house.book(&people[1], &evening).or_wait().id(tap).await.expect_refused(409, "booking-id-reused");
    }

    async fn conditions_are_the_members_own(house: House) {
        let (_, _, first, second) = house.waits_on(json!({})).await;
        let path = format!("/v1/bookings/{}/conditions", first.id);
        let body = json!({"one_a_day": true});
        house.put(&path).by(&house.studio.desk).json(&body).await.expect_refused(403, "not-allowed");
        house.put(&path).by(&second.person).json(&body).await.expect_refused(404, "not-found");
        for (bad, field) in [
            (json!({"notice_minutes_min": 0}), "notice_minutes_min"),
            (json!({"notice_minutes_min": 20_161}), "notice_minutes_min"),
            (json!({"not_after": "tomorrow"}), "not_after"),
            (json!({"one_a_day": 1}), "one_a_day"),
            (json!({"spot_zones": ["centre"]}), "spot_zones"),
        ] {
            house.set_conditions(&first, &bad).await.expect_client_error().naming(field);
        }
        assert_eq!(house.now(&first).await["conditions"], Value::Null);
    }

    async fn an_offer_and_a_kept_place_heed_them_too(house: House) {
        for (mode, day) in [("offers", 3), ("notify_all", 5)] {
            house.rules(json!({"after_cutoff": mode})).await;
            let evening = house.session(&format!("2026-12-{day:02} 18:30"), 1).await;
            let mut people = Vec::new();
            for name in ["Ana", "Bo", "Cy"] {
                people.push(house.member(&format!("{name} {day}")).await);
            }
            let booked = house.book(&people[0], &evening).await.expect_booked();
            let terms = json!({"not_after": "2026-12-02T04:00:00Z"});
            let first = house.book(&people[1], &evening).or_wait().saying("conditions", terms).await.expect_waitlisted(1);
            let second = house.book(&people[2], &evening).or_wait().await.expect_waitlisted(2);
            house.it_is(&format!("2026-12-{day:02} 12:00"));
            house.cancel(&booked).await.expect(200);
            assert_eq!(house.is(&first).await, "waitlisted");
            assert_eq!(house.first_waits_because(&evening).await, "too_late");
            let expected = if mode == "offers" { ("offered", "place_offered") } else { ("waitlisted", "place_free") };
            assert_eq!(house.is(&second).await, expected.0);
            assert_eq!(house.kinds_to(&second.person).await.last().unwrap(), expected.1);
            assert_eq!(house.kinds_to(&first.person).await, ["waitlisted"]);
            house.sweep().await;
            house.audit_is_clean().await;
        }
    }

    async fn in_their_own_quiet_hours_they_are_passed_over(house: House) {
        let (evening, booked, first, second) = house.waits_on(json!({})).await;
        let own = json!({"from": "20:00", "until": "10:30"});
        let me = house.quiet(&first.person, &own).await.expect(200);
        assert_eq!(me["quiet_hours"], own);
        house.it_is("2026-12-01 10:29");
        house.cancel(&booked).await.expect(200);
        assert_eq!((house.is(&first).await, house.is(&second).await), (json!("waitlisted"), json!("booked")));
        assert_eq!(house.first_waits_because(&evening).await, "quiet_hours");
        assert_eq!(house.kinds_to(&first.person).await, ["waitlisted"]);
        // In the studio's own quiet hours its own rule holds for all.
        house.it_is("2026-12-01 22:00");
        house.cancel(&second).await.expect(200);
        assert_eq!(house.is(&first).await, "booked");
    }

    async fn when_their_quiet_hours_end_the_sweep_finds_them(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-12-03 18:30", 1).await;
        let booked = house.book(&bo, &evening).await.expect_booked();
        let waiting = house.book(&ana, &evening).or_wait().await.expect_waitlisted(1);
        house.quiet(&ana, &json!({"from": "20:00", "until": "10:30"})).await.expect(200);
        house.it_is("2026-12-01 10:00");
        house.cancel(&booked).await.expect(200);
        house.sweep().await;
        assert_eq!(house.is(&waiting).await, "waitlisted");
        house.audit_is_clean().await;
        house.it_is("2026-12-01 10:30");
        house.audit_is_clean().await;
        house.sweep().await;
        assert_eq!(house.is(&waiting).await, "booked");
    }

    async fn quiet_hours_that_are_lifted_serve_at_once(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-12-03 18:30", 1).await;
        let booked = house.book(&bo, &evening).await.expect_booked();
        let waiting = house.book(&ana, &evening).or_wait().await.expect_waitlisted(1);
        house.quiet(&ana, &json!({"from": "09:00", "until": "12:00"})).await.expect(200);
        house.cancel(&booked).await.expect(200);
        assert_eq!(house.is(&waiting).await, "waitlisted");
        house.quiet(&ana, &json!({"from": "09:00", "until": "09:00"})).await.expect_refused(422, "invalid-fields").naming("quiet_hours.until");
        house.quiet(&ana, &json!({"from": "9", "until": "12:00"})).await.expect_client_error().naming("quiet_hours.from");
        assert_eq!(house.is(&waiting).await, "waitlisted");
        let me = house.quiet(&ana, &Value::Null).await.expect(200);
        assert_eq!(me["quiet_hours"], Value::Null);
        assert_eq!(house.is(&waiting).await, "booked");
        let told = house.get("/v1/me/export").by(&ana).await.expect(200);
        assert_eq!(told["profile"]["quiet_hours"], Value::Null);
    }

    async fn two_who_named_each_other_come_in_together(house: House) {
        house.rules(json!({"waitlist_unlimited": true})).await;
        let evening = house.session("2026-12-03 18:30", 2).await;
        let people = house.members(6).await;
        let taken = [house.book(&people[0], &evening).await.expect_booked(), house.book(&people[1], &evening).await.expect_booked()];
        let (one, two) = (house.new_id(), house.new_id());
        let with = |id| json!({"with": id});
        let first = house.book(&people[2], &evening).or_wait().id(one).saying("conditions", with(two)).await.expect_waitlisted(1);
        let between = house.book(&people[3], &evening).or_wait().await.expect_waitlisted(2);
        let second = house.book(&people[4], &evening).or_wait().id(two).saying("conditions", with(one)).await.expect_waitlisted(3);
        let behind = house.book(&people[5], &evening).or_wait().await.expect_waitlisted(4);
        // One place: it is for whoever waits alone.
        house.cancel(&taken[0]).await.expect(200);
        assert_eq!((house.is(&first).await, house.is(&between).await), (json!("waitlisted"), json!("booked")));
        house.cancel(&taken[1]).await.expect(200);
        assert_eq!((house.is(&first).await, house.is(&second).await, house.is(&behind).await), (json!("waitlisted"), json!("waitlisted"), json!("booked")));
        assert_eq!(house.first_waits_because(&evening).await, "pair");
        assert_eq!(house.kinds_to(&people[2]).await, ["waitlisted"]);
        house.audit_is_clean().await;
        // Two at once: both are theirs.
        let version = house.get(format!("/v1/sessions/{}", evening.id)).by(&house.studio.admin).await.expect(200);
        house.patch_session(&evening, version["version"].as_i64().unwrap(), &json!({"capacity": 4})).await.expect(200);
        assert_eq!((house.is(&first).await, house.is(&second).await), (json!("booked"), json!("booked")));
    }

    async fn nobody_is_made_a_pair_by_another(house: House) {
        let (evening, booked, first, second) = house.waits_on(json!({})).await;
        // The second would wait with the first, who says nothing of it.
        house.set_conditions(&second, &json!({"with": first.id})).await.expect(200);
        house.cancel(&booked).await.expect(200);
        assert_eq!((house.is(&first).await, house.is(&second).await), (json!("booked"), json!("waitlisted")));
        house.cancel(&first).await.expect(200);
        assert_eq!(house.is(&second).await, "booked");
        house.audit_is_clean().await;
        assert_eq!(house.roster(&evening).await["waitlist"], json!([]));
    }

    async fn one_who_cannot_keeps_the_other_waiting_until_one_leaves(house: House) {
        let evening = house.session("2026-12-03 18:30", 2).await;
        let (ana, poor) = (house.member("Ana").await, house.stranger("Poor").await);
        let (bo, cy) = (house.member("Bo").await, house.member("Cy").await);
        let taken = [house.book(&bo, &evening).await.expect_booked(), house.book(&cy, &evening).await.expect_booked()];
        let first = house.book(&ana, &evening).or_wait().await.expect_waitlisted(1);
        let second = house.book(&poor, &evening).or_wait().saying("conditions", json!({"with": first.id})).await.expect_waitlisted(2);
        house.set_conditions(&first, &json!({"with": second.id})).await.expect(200);
        for booked in &taken {
            house.cancel(booked).await.expect(200);
        }
        let reasons = house.roster(&evening).await["waitlist"].as_array().unwrap().iter().map(|entry| entry["reason"].clone()).collect::<Vec<_>>();
        assert_eq!(reasons, [json!("pair"), json!("no_pass")]);
        house.sell_pack(&poor).await;
        assert_eq!((house.is(&first).await, house.is(&second).await), (json!("booked"), json!("booked")));
    }

    async fn who_leaves_dissolves_the_pair(house: House) {
        let (_, booked, first, second) = house.waits_on(json!({})).await;
        house.set_conditions(&first, &json!({"with": second.id})).await.expect(200);
        house.set_conditions(&second, &json!({"with": first.id})).await.expect(200);
        house.cancel(&booked).await.expect(200);
        assert_eq!((house.is(&first).await, house.is(&second).await), (json!("waitlisted"), json!("waitlisted")));
        house.cancel(&second).await.expect(200);
        assert_eq!(house.is(&first).await, "booked");
    }
}
