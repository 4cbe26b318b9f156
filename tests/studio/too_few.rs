//! Too few: a session with fewer booked than its class type asks for is cancelled in time, and everybody knows when that is decided.

use chrono::{DateTime, Utc};
use releve::transactor::Command;
use serde_json::{Value, json};

use crate::house::House;
use crate::races::Neighbour;
use crate::seed::Session;

impl House {
    /// A session that takes place with two or more.
    async fn for_two(&self, local_start: &str) -> Session {
        let class = self.studio.class_type;
        self.write(move |tx| Box::pin(async move { tx.run("UPDATE class_types SET minimum = 2 WHERE id = $1", (class,)).await })).await;
        let made = self.schedule_session(&self.studio.admin, local_start, json!({})).await.expect(201);
        let at = |name: &str| made[name].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        Session { id: made.id(), starts_at: at("starts_at"), ends_at: at("ends_at") }
    }

    async fn decided_at(&self, session: &Session) -> Value {
        self.get(format!("/v1/sessions/{}", session.id)).await.expect(200)["too_few"]["decided_at"].clone()
    }

    async fn state_of(&self, session: &Session) -> Value {
        self.get(format!("/v1/sessions/{}", session.id)).await.expect(200)["status"].clone()
    }

    /// The kinds of the letters to the instructor.
    async fn heard(&self) -> Vec<String> {
        self.kinds_to(&self.studio.instructor).await
    }

    async fn sweep_at(&self, local: &str) {
        self.it_is(local);
        self.sweep().await;
    }
}

both_engines! {
    async fn with_too_few_it_is_cancelled_three_hours_before(house: House) {
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 5).await;
        let evening = house.for_two("2026-12-03T18:30").await;
        let shown = house.get(format!("/v1/sessions/{}", evening.id)).await.expect(200);
        assert_eq!(shown["too_few"], json!({"minimum": 2, "decided_at": "2026-12-03T07:30:00.000000Z"}));
        let booked = house.book(&ana, &evening).await.expect_booked();
        house.sweep_at("2026-12-03 14:29").await;
        assert_eq!(house.heard().await, [""; 0]);
        house.sweep_at("2026-12-03 14:30").await;
        house.sweep().await;
        assert_eq!(house.heard().await, ["too_few_soon"]);
        house.sweep_at("2026-12-03 15:29").await;
        assert_eq!((house.state_of(&evening).await, house.heard().await.len()), (json!("scheduled"), 1));
        house.sweep_at("2026-12-03 15:30").await;
        assert_eq!(house.state_of(&evening).await, "cancelled");
        let (reason,): (String,) = house.db.one("SELECT cancel_reason FROM sessions WHERE id = $1", (evening.id,)).await.unwrap();
        assert_eq!(reason, "too_few");
        let ended = house.now(&booked).await;
        assert_eq!((&ended["status"], &ended["ended_by"], &ended["credits_returned"]), (&json!("cancelled"), &json!("studio"), &json!(1)));
        assert_eq!(house.balance(&pack).await, 5);
        assert_eq!(house.kinds_to(&ana).await, ["booked", "session_cancelled"]);
        assert_eq!(house.heard().await, ["too_few_soon", "too_few_decided"]);
        for minute in 31..34 {
            house.sweep_at(&format!("2026-12-03 15:{minute}")).await;
        }
        assert_eq!((house.kinds_to(&ana).await.len(), house.heard().await.len()), (2, 2), "it is decided once");
    }

    /// A place that somebody is offered is nobody's yet.
    async fn an_offered_place_does_not_count(house: House) {
        house.rules(json!({"after_cutoff": "offers"})).await;
        house.for_two("2026-12-04T18:30").await;
        let (ana, bo, cleo) = (house.member("Ana").await, house.member("Bo").await, house.member("Cleo").await);
        let made = house.schedule_session(&house.studio.admin, "2026-12-03T18:30", json!({"capacity": 2})).await.expect(201);
        let at = |name: &str| made[name].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        let evening = Session { id: made.id(), starts_at: at("starts_at"), ends_at: at("ends_at") };
        house.book(&ana, &evening).await.expect_booked();
        let leaves = house.book(&bo, &evening).await.expect_booked();
        let offered = house.book(&cleo, &evening).or_wait().await.expect_waitlisted(1);
        house.it_is("2026-12-03 15:10");
        house.cancel(&leaves).await.expect(200);
        assert_eq!(house.now(&offered).await["status"], "offered");
        house.sweep_at("2026-12-03 15:30").await;
        assert_eq!(house.state_of(&evening).await, "cancelled");
    }

    async fn with_enough_it_takes_place(house: House) {
        let people = house.members(2).await;
        let (evening, doubtful) = (house.for_two("2026-12-03T18:30").await, house.for_two("2026-12-03T20:30").await);
        for person in &people {
            house.book(person, &evening).await.expect_booked();
        }
        house.book(&people[0], &doubtful).await.expect_booked();
        house.sweep_at("2026-12-03 14:30").await;
        house.sweep_at("2026-12-03 15:30").await;
        assert_eq!(house.heard().await, [""; 0], "it was never in doubt");
        house.sweep_at("2026-12-03 16:30").await;
        assert_eq!(house.heard().await, ["too_few_soon"]);
        house.book(&people[1], &doubtful).await.expect_booked();
        house.sweep_at("2026-12-03 17:30").await;
        assert_eq!(house.heard().await, ["too_few_soon", "too_few_decided"]);
        for session in [&evening, &doubtful] {
            assert_eq!((house.state_of(session).await, house.decided_at(session).await), (json!("scheduled"), json!(null)));
        }
        // What is decided is decided: who leaves now takes nothing from the others.
        let sql = "SELECT id FROM bookings WHERE session_id = $1 AND person_id = $2";
        let (id,): (uuid::Uuid,) = house.db.one(sql, (doubtful.id, people[1].id)).await.unwrap();
        house.put(format!("/v1/bookings/{id}/cancellation")).by(&people[1]).json(&json!({})).await.expect(200);
        house.sweep_at("2026-12-03 18:00").await;
        assert_eq!(house.state_of(&doubtful).await, "scheduled");
    }

    async fn the_morning_is_decided_the_evening_before(house: House) {
        let (early, ten) = (house.for_two("2026-12-04T09:55").await, house.for_two("2026-12-05T10:00").await);
        assert_eq!(house.decided_at(&early).await, "2026-12-03T12:00:00.000000Z");
        assert_eq!(house.decided_at(&ten).await, "2026-12-04T23:00:00.000000Z");
        house.sweep_at("2026-12-03 19:00").await;
        assert_eq!(house.heard().await, ["too_few_soon"]);
        house.sweep_at("2026-12-03 20:00").await;
        assert_eq!((house.state_of(&early).await, house.state_of(&ten).await), (json!("cancelled"), json!("scheduled")));
        // Quiet hours hold none of it.
        house.sweep_at("2026-12-05 06:00").await;
        house.sweep_at("2026-12-05 07:00").await;
        assert_eq!(house.state_of(&ten).await, "cancelled");
        assert_eq!(house.heard().await, ["too_few_soon", "too_few_decided", "too_few_soon", "too_few_decided"]);
    }

    async fn one_that_is_exempted_takes_place(house: House) {
        let (evening, other) = (house.for_two("2026-12-03T18:30").await, house.for_two("2026-12-03T20:30").await);
        let shown = house.change(&evening, json!({"too_few_exempt": true})).await.expect(200);
        assert_eq!(shown["too_few"]["decided_at"], json!(null));
        house.change(&other, json!({"too_few_exempt": true})).await.expect(200);
        house.change(&other, json!({"too_few_exempt": false})).await.expect(200);
        house.sweep_at("2026-12-03 17:31").await;
        assert_eq!((house.state_of(&evening).await, house.state_of(&other).await), (json!("scheduled"), json!("cancelled")));
        house.sweep_at("2026-12-03 18:30").await;
        assert_eq!(house.state_of(&evening).await, "scheduled");
    }

    async fn another_time_is_decided_anew(house: House) {
        let people = house.members(2).await;
        let evening = house.for_two("2026-12-03T18:30").await;
        house.book(&people[0], &evening).await.expect_booked();
        house.sweep_at("2026-12-03 14:30").await;
        assert_eq!(house.heard().await, ["too_few_soon"]);
        house.change(&evening, json!({"local_start": "2026-12-03T20:00"})).await.expect(200);
        house.sweep_at("2026-12-03 15:30").await;
        assert_eq!((house.state_of(&evening).await, house.decided_at(&evening).await), (json!("scheduled"), json!("2026-12-03T09:00:00.000000Z")));
        let second = house.book(&people[1], &evening).await.expect_booked();
        house.sweep_at("2026-12-03 17:00").await;
        assert_eq!(house.state_of(&evening).await, "scheduled");
        // Decided, and moved again: with one the next day is one too few.
        house.cancel(&second).await.expect(200);
        house.change(&evening, json!({"local_start": "2026-12-04T20:00"})).await.expect(200);
        house.sweep_at("2026-12-04 17:00").await;
        assert_eq!(house.state_of(&evening).await, "cancelled");
    }

    async fn other_house_rules_move_the_instant(house: House) {
        let people = house.members(2).await;
        let (noon, evening) = (house.for_two("2026-12-03T13:00").await, house.for_two("2026-12-03T18:30").await);
        let booked = house.book(&people[0], &noon).await.expect_booked();
        house.book(&people[1], &noon).await.expect_booked();
        house.sweep_at("2026-12-03 10:00").await;
        assert_eq!(house.decided_at(&noon).await, json!(null), "it is decided: it takes place");
        let path = format!("/v1/studios/{}/house-rules", house.studio.id);
        let version = house.get(&path).by(&house.studio.admin).await.expect(200).version();
        let rules = json!({"too_few_min": 60});
        house.put(&path).by(&house.studio.admin).header("If-Match", version).json(&rules).await.expect(200);
        assert_eq!(house.decided_at(&evening).await, "2026-12-03T09:30:00.000000Z");
        // Never against what was decided.
        house.cancel(&booked).await.expect(200);
        house.sweep_at("2026-12-03 12:00").await;
        assert_eq!(house.state_of(&noon).await, "scheduled");
        house.sweep_at("2026-12-03 17:29").await;
        assert_eq!(house.state_of(&evening).await, "scheduled");
        house.sweep_at("2026-12-03 17:30").await;
        assert_eq!(house.state_of(&evening).await, "cancelled");
    }

    async fn a_sweep_that_comes_late_cancels_nothing(house: House) {
        let ana = house.member("Ana").await;
        let (one, two) = (house.for_two("2026-12-03T18:30").await, house.for_two("2026-12-04T18:30").await);
        let booked = house.book(&ana, &one).await.expect_booked();
        house.book(&ana, &two).await.expect_booked();
        house.sweep_at("2026-12-03 18:30").await;
        assert_eq!((house.state_of(&one).await, house.now(&booked).await["status"].clone()), (json!("scheduled"), json!("booked")));
        assert_eq!(house.heard().await, [""; 0]);
        // Whoever was told of the doubt is told that it takes place.
        house.sweep_at("2026-12-04 14:30").await;
        house.sweep_at("2026-12-04 18:45").await;
        assert_eq!(house.state_of(&two).await, "scheduled");
        // Of the first nobody was marked as having come.
        assert_eq!(house.heard().await, ["attendance_missing", "too_few_soon", "too_few_decided"]);
        let told = house.letters_to(&house.studio.instructor).await.pop().unwrap();
        assert!(!told.subject.unwrap().to_lowercase().contains("cancel"));
    }

    async fn two_sweeps_at_once_decide_once(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.for_two("2026-12-03T18:30").await;
        house.book(&ana, &evening).await.expect_booked();
        let neighbour = Neighbour::of(&house, true).await;
        for local in ["2026-12-03 14:30", "2026-12-03 15:30"] {
            house.it_is(local);
            let what = || Command::DecideTooFew { session_id: evening.id };
            let (one, two, sweep, other) = tokio::join!(
                house.app.transactor.submit_sweep(what()),
                neighbour.app.transactor.submit_sweep(what()),
                releve::sweeps::sweep(&house.app),
                releve::sweeps::sweep(&neighbour.app),
            );
            assert!(one.is_ok() && two.is_ok() && sweep.is_ok() && other.is_ok());
        }
        neighbour.leave().await;
        assert_eq!(house.heard().await, ["too_few_soon", "too_few_decided"]);
        assert_eq!(house.kinds_to(&ana).await, ["booked", "session_cancelled"]);
        let sql = "SELECT COUNT(*) FROM events WHERE action = 'session.cancelled' AND subject_id = $1";
        assert_eq!(house.count(sql, evening.id).await, 1);
    }
}
