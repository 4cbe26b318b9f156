//! Rules that differ for a class type or a pass type: who may say so, what follows, and what they never reach.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::House;
use crate::seed::{Pass, Person};
use crate::speech::Reply;

impl House {
    fn rules_of_class(&self) -> String {
        format!("/v1/studios/{}/class-types/{}/house-rules", self.studio.id, self.studio.class_type)
    }

    /// Lets the studio's class type change these rules.
    pub async fn class_rules(&self, version: i64, rules: Value) -> Reply {
        self.put(self.rules_of_class()).by(&self.studio.admin).header("If-Match", version).json(&rules).await
    }

    /// A pass type of the studio that changes these rules.
    pub async fn pass_type(&self, kind: Value, rules: Value) -> Uuid {
        let path = format!("/v1/studios/{}/pass-types", self.studio.id);
        let mut body = json!({"name": {"en": "Gold"}, "valid_days": 300});
        body.as_object_mut().unwrap().extend(kind.as_object().unwrap().clone());
        let id = self.post_to(&path).by(&self.studio.admin).json(&body).await.expect(201).id();
        let path = format!("{path}/{id}/house-rules");
        self.put(path).by(&self.studio.admin).header("If-Match", 1).json(&rules).await.expect(200);
        id
    }

    /// Sells a pass of this type.
    pub async fn sell_of(&self, pass_type: Uuid, person: &Person) -> Pass {
        let path = format!("/v1/studios/{}/members/{}/passes", self.studio.id, person.id);
        let sold = self.post_to(path).by(&self.studio.desk).header("Idempotency-Key", self.new_id());
        Pass { id: sold.json(&json!({"pass_type_id": pass_type})).await.expect(201).id() }
    }
}

both_engines! {
    async fn a_class_type_has_windows_of_its_own(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-12-03 18:30", 20).await;
        let booking = house.book(&ana, &evening).await.expect_booked();
        let shown = house.get(house.rules_of_class()).by(&house.studio.admin).await.expect(200);
        assert_eq!((&shown["version"], &shown["free_cancel_min"], &shown["effective"]["free_cancel_min"]), (&json!(1), &Value::Null, &json!(720)));

        let put = house.class_rules(1, json!({"free_cancel_min": 120, "booking_opens_days": 2, "waitlist_cap_min": 7})).await.expect(200);
        assert_eq!(put.header("etag"), "\"2\"");
        assert_eq!((&put["version"], &put["free_cancel_min"], &put["class_type_id"]), (&json!(2), &json!(120), &json!(house.studio.class_type)));
        assert_eq!((&put["effective"]["booking_opens_days"], &put["effective"]["booking_closes_min"]), (&json!(2), &json!(0)));
        assert_eq!(put["active"]["free_cancel_min"], true);
        let session = house.get(format!("/v1/sessions/{}", evening.id)).await.expect(200);
        assert_eq!(session["booking_opens_at"], "2026-12-01T04:00:00.000000Z", "sessions to come follow");
        assert_eq!(house.now(&booking).await["free_cancel_until"], "2026-12-02T22:30:00.000000Z", "a booking keeps its terms");
        house.book(&bo, &evening).await.expect_refused(409, "not-open-yet");
        house.it_is("2026-12-01 12:00");
        let later = house.book(&bo, &evening).await.expect_booked();
        assert_eq!(later.body["free_cancel_until"], "2026-12-03T08:30:00.000000Z");

        // A session that is made later has them too, and so has one that is moved.
        let body = json!({"class_type_id": house.studio.class_type, "room_id": house.studio.room, "instructor_id": house.studio.instructor.id, "local_start": "2026-12-20T10:00"});
        let made = house.post_to(format!("/v1/studios/{}/sessions", house.studio.id)).by(&house.studio.admin).json(&body).await.expect(201);
        assert_eq!(made["booking_opens_at"], "2026-12-18T04:00:00.000000Z");
        let moved = house.patch(format!("/v1/sessions/{}", made.id())).by(&house.studio.admin).header("If-Match", 1).json(&json!({"local_start": "2026-12-21T10:00"})).await.expect(200);
        assert_eq!(moved["booking_opens_at"], "2026-12-19T04:00:00.000000Z");

        // The studio's rules change; what the class type says about the others stays.
        let path = format!("/v1/studios/{}/house-rules", house.studio.id);
        house.put(&path).by(&house.studio.admin).header("If-Match", 1).json(&json!({"booking_opens_days": 30, "booking_closes_min": 60})).await.expect(200);
        let session = house.get(format!("/v1/sessions/{}", made.id())).await.expect(200);
        assert_eq!(session["booking_opens_at"], "2026-12-19T04:00:00.000000Z");
        assert_eq!(session["booking_closes_at"], "2026-12-21T01:00:00.000000Z");

        // What was read can be put back, and what is left out is the studio's again.
        let read = house.get(house.rules_of_class()).by(&house.studio.admin).await.expect(200);
        house.class_rules(2, read.body).await.expect(200);
        house.class_rules(2, json!({})).await.expect_refused(412, "version-stale");
        house.class_rules(3, json!({})).await.expect(200);
        let session = house.get(format!("/v1/sessions/{}", made.id())).await.expect(200);
        assert_eq!(session["booking_opens_at"], "2026-11-21T04:00:00.000000Z");
        assert_eq!(house.now(&later).await["free_cancel_until"], "2026-12-03T08:30:00.000000Z");
        let sql = "SELECT COUNT(*) FROM events WHERE action = 'class_type.rules_changed' AND subject_id = $1";
        assert_eq!(house.count(sql, house.studio.class_type).await, 3);
    }

    async fn what_cannot_be_kept_is_named(house: House) {
        let admin = house.studio.admin.clone();
        for (rules, field) in [
            (json!({"free_cancel_hours": 2}), "free_cancel_hours"),
            (json!({"free_cancel_min": -1}), "free_cancel_min"),
            (json!({"free_cancel_min": null}), "free_cancel_min"),
            (json!({"instructors_schedule": "none"}), "instructors_schedule"),
            (json!({"after_cutoff": "offers", "free_cancel_min": 30}), "offers_until_min"),
        ] {
            house.class_rules(1, rules).await.expect_refused(422, "invalid-fields").naming(field);
        }
        assert_eq!(house.get(house.rules_of_class()).by(&admin).await["version"], 1);
        // Together they must make sense, whichever of them is changed last.
        house.class_rules(1, json!({"free_cancel_min": 40})).await.expect(200);
        let path = format!("/v1/studios/{}/house-rules", house.studio.id);
        let field = format!("class_types.{}.offers_until_min", house.studio.class_type);
        let refused = house.put(&path).by(&admin).header("If-Match", 1).json(&json!({"after_cutoff": "offers"})).await;
        let refused = refused.expect_refused(422, "invalid-fields").naming(&field);
        assert_eq!(refused["errors"][0]["message"], "offers end before automatic promotion does");
        assert_eq!(house.get(&path).by(&admin).await["version"], 1);
        let nowhere = format!("/v1/studios/{}/class-types/{}/house-rules", house.studio.id, house.new_id());
        house.get(&nowhere).by(&admin).await.expect_refused(404, "not-found");
        house.put(&nowhere).by(&admin).header("If-Match", 1).json(&json!({})).await.expect_refused(404, "not-found");
    }

    async fn members_who_may_now_move_up_do_so(house: House) {
        let people = house.members(2).await;
        let evening = house.session("2026-12-01 18:30", 1).await;
        house.it_is("2026-12-01 09:00");
        let first = house.book(&people[0], &evening).await.expect_booked();
        let waiting = house.book(&people[1], &evening).or_wait().await.expect_waitlisted(1);
        house.cancel(&first).await.expect(200);
        assert_eq!(house.now(&waiting).await["status"], "waitlisted", "the place is public");
        house.class_rules(1, json!({"promotion_until_min": 60})).await.expect(200);
        assert_eq!(house.now(&waiting).await["status"], "booked");
    }

    async fn a_tier_books_earlier(house: House) {
        let gold = house.pass_type(json!({"kind": "pack", "credits": 10}), json!({"booking_opens_days": 30, "free_cancel_min": 60})).await;
        let (ana, bo) = (house.stranger("Ana").await, house.member("Bo").await);
        house.sell_of(gold, &ana).await;
        let evening = house.session("2026-12-20 18:30", 1).await;
        let refused = house.book(&bo, &evening).await.expect_refused(409, "not-open-yet");
        assert_eq!(refused["opens_at"], "2026-12-06T04:00:00.000000Z");
        let booking = house.book(&ana, &evening).await.expect_booked();
        assert_eq!(booking.body["free_cancel_until"], "2026-12-20T09:30:00.000000Z");
        // In the queue of a full session too: only who could book may wait.
        house.book(&bo, &evening).or_wait().await.expect_refused(409, "not-open-yet");
        let cara = house.stranger("Cara").await;
        house.sell_of(gold, &cara).await;
        house.book(&cara, &evening).or_wait().await.expect_waitlisted(1);
        // A rule of the session cannot be a pass's.
        let path = format!("/v1/studios/{}/pass-types/{gold}/house-rules", house.studio.id);
        let put = house.put(&path).by(&house.studio.admin).header("If-Match", 2).json(&json!({"waitlist_closes_min": 60})).await;
        put.expect_refused(422, "invalid-fields").naming("waitlist_closes_min");
        // It is taken away: nothing reaches back.
        house.put(&path).by(&house.studio.admin).header("If-Match", 2).json(&json!({})).await.expect(200);
        assert_eq!(house.now(&booking).await["free_cancel_until"], "2026-12-20T09:30:00.000000Z");
        let dora = house.stranger("Dora").await;
        house.sell_of(gold, &dora).await;
        house.book(&dora, &evening).or_wait().await.expect_refused(409, "not-open-yet");
    }

    async fn series_are_made_as_far_ahead_as_a_tier_books(house: House) {
        let body = json!({"class_type_id": house.studio.class_type, "room_id": house.studio.room, "instructor_id": house.studio.instructor.id,
            "starts_on": "2026-12-07", "local_time": "10:00", "rule": "FREQ=WEEKLY"});
        let series = house.post_to(format!("/v1/studios/{}/series", house.studio.id)).by(&house.studio.admin).json(&body).await.expect(201).id();
        let sql = "SELECT COUNT(*) FROM sessions WHERE series_id = $1";
        let before = house.count(sql, series).await;
        house.pass_type(json!({"kind": "membership"}), json!({"booking_opens_days": 200})).await;
        house.sweep().await;
        assert!(house.count(sql, series).await > before + 10);
    }
}
