//! What late cancellations come to: forgiven ones, fees, strikes and suspensions, told before the tap; and what is taken back.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::House;
use crate::seed::Person;
use crate::speech::{Booking, Reply};

impl House {
    /// Where somebody stands in the studio, by their own reading.
    async fn standing(&self, person: &Person) -> Value {
        let all = self.get("/v1/me/standing").by(person).await.expect(200);
        let of = self.studio.id.to_string();
        all["studios"].as_array().unwrap().iter().find(|one| one["studio_id"] == of.as_str()).unwrap().clone()
    }

    /// The same, by the front desk's.
    async fn standing_of(&self, person: &Person) -> Value {
        let path = format!("/v1/studios/{}/members/{}/standing", self.studio.id, person.id);
        self.get(path).by(&self.studio.desk).await.expect(200).body.clone()
    }

    async fn waive(&self, penalty: &Value, by: &Person, reason: &str) -> Reply {
        let path = format!("/v1/studios/{}/penalties/{}/waiver", self.studio.id, penalty["id"].as_str().unwrap());
        self.put(path).by(by).json(&json!({ "reason": reason })).await
    }

    async fn pay(&self, penalty: &Value, by: &Person, method: &str) -> Reply {
        let path = format!("/v1/studios/{}/penalties/{}/payment", self.studio.id, penalty["id"].as_str().unwrap());
        self.put(path).by(by).json(&json!({ "method": method })).await
    }

    async fn history_of(&self, booking: &Booking) -> Vec<Value> {
        let told = self.get(format!("/v1/bookings/{}/history", booking.id)).by(&booking.person).await.expect(200);
        told["entries"].as_array().unwrap().clone()
    }

    /// What the last letter of this kind to somebody says.
    async fn letter_of(&self, kind: &str, person: &Person) -> String {
        self.post().await;
        let letters = self.letters_to(person).await;
        letters.iter().rfind(|letter| letter.kind == kind).and_then(|letter| letter.body_text.clone()).unwrap()
    }

    /// Two late cancellations at noon of the first day, of two sessions of that evening.
    async fn two_strikes(&self, person: &Person) -> [Reply; 2] {
        let mut booked = Vec::new();
        for local in ["2026-11-30 19:00", "2026-11-30 21:00"] {
            let session = self.session(local, 12).await;
            booked.push(self.book(person, &session).await.expect_booked());
        }
        self.it_is("2026-11-30 12:00");
        [self.cancel(&booked[0]).await.expect(200), self.cancel(&booked[1]).await.expect(200)]
    }
}

/// Two strikes, and for two weeks only sessions of the next 24 hours.
fn two_are_too_many() -> Value {
    json!({"late_cancels_forgiven": 0, "strikes_max": 2})
}

both_engines! {
    /// The month is that of the studio's clock: at midnight in Shanghai it is still November in UTC.
    async fn the_first_of_a_month_is_forgiven_and_the_next_costs(house: House) {
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 5).await;
        let mut booked = Vec::new();
        for local in ["2026-11-30 20:00", "2026-12-01 08:00", "2026-12-01 12:00"] {
            booked.push(house.book(&ana, &house.session(local, 12).await).await.expect_booked());
        }
        house.it_is("2026-11-30 12:00");
        let told = &house.now(&booked[0]).await["cancel_now"];
        let facts = (&told["free"], &told["credits_lost"], &told["fee"], &told["strike"], &told["forgiven"]);
        assert_eq!(facts, (&json!(true), &json!(0), &Value::Null, &json!(false), &json!(true)));
        assert_eq!(told["text"], "It is late to cancel, but this time it costs you nothing.");
        assert_eq!(house.standing(&ana).await["late_cancels_forgiven_left"], 1);
        // Nothing is taken, so it is free for whoever insists on that.
        let ended = house.cancel_if(&booked[0], &json!({"if_free": true})).await.expect(200);
        assert_eq!((&ended["status"], &ended["credits_returned"], &ended["penalty"]["forgiven"]), (&json!("late_cancelled"), &json!(1), &json!("month")));
        assert_eq!(house.balance(&pack).await, 3);
        // Sent again, it is the same one.
        let again = house.cancel(&booked[0]).await.expect(200);
        assert_eq!(again["penalty"], ended["penalty"]);
        assert_eq!(house.count("SELECT COUNT(*) FROM penalties WHERE person_id = $1", ana.id).await, 1);
        assert_eq!(house.standing(&ana).await["late_cancels_forgiven_left"], 0);

        house.it_is("2026-11-30 23:59");
        let told = &house.now(&booked[1]).await["cancel_now"];
        assert_eq!((&told["free"], &told["credits_lost"], &told["forgiven"]), (&json!(false), &json!(1), &json!(false)));
        let refused = house.cancel_if(&booked[1], &json!({"if_free": true})).await.expect_refused(409, "not-free");
        assert_eq!((&refused["cancel_now"]["credits_lost"], &refused["cancel_now"]["forgiven"]), (&json!(1), &json!(false)));
        house.it_is("2026-12-01 00:00");
        assert_eq!(house.now(&booked[1]).await["cancel_now"]["forgiven"], true, "a new month");
        assert_eq!(house.cancel(&booked[1]).await.expect(200)["credits_returned"], 1);
        house.it_is("2026-12-01 00:01");
        let own = house.get("/v1/me/bookings").by(&ana).await.expect(200);
        assert_eq!((&own["bookings"][0]["cancel_now"]["credits_lost"], &own["bookings"][0]["cancel_now"]["forgiven"]), (&json!(1), &json!(false)));
        let ended = house.cancel(&booked[2]).await.expect(200);
        assert_eq!((&ended["credits_returned"], &ended["penalty"]["forgiven"], &ended["penalty"]["strike"]), (&json!(0), &Value::Null, &json!(false)));
        assert_eq!(house.balance(&pack).await, 4);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM ledger WHERE reason = 'forgiven'").await, 2);
        let history = house.history_of(&booked[0]).await;
        assert_eq!(history.last().unwrap()["text"], "Cancelled late; it was forgiven and cost nothing.");
    }

    async fn fee_and_strike_are_told_before_and_fixed_with_the_booking(house: House) {
        house.rules(json!({"late_cancel_fee_minor": 5000, "fee_currency": "CNY", "late_cancels_forgiven": 0, "strikes_max": 3})).await;
        let ana = house.stranger("Ana").await;
        house.membership(&ana, None).await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        let fee = json!({"amount_minor": 5000, "currency": "CNY"});
        let told = house.get(format!("/v1/sessions/{}/terms", evening.id)).by(&ana).await.expect(200);
        let late = json!({"credits_lost": 0, "visit_counts": true, "fee": fee, "strike": true, "forgiven_left": 0, "forgiven": false});
        assert_eq!(told["late_cancel"], late);
        let text = "Free to cancel until Thu 3 Dec, 06:30; then it counts as a visit that week, plus a fee of CNY 50.00 and a strike.";
        assert_eq!(told["free_cancel_text"], text);
        let booking = house.book(&ana, &evening).await.expect_booked();
        assert_eq!(booking.body["free_cancel_text"], text);
        // Dearer, and harder, for whoever books from now on.
        house.rules(json!({"late_cancel_fee_minor": 9000, "fee_currency": "CNY", "late_cancels_forgiven": 0, "strikes_max": 1})).await;
        house.it_is("2026-12-03 12:00");
        let told = &house.now(&booking).await["cancel_now"];
        assert_eq!((&told["free"], &told["fee"], &told["strike"], &told["forgiven"]), (&json!(false), &fee, &json!(true), &json!(false)));
        assert_eq!(told["text"], "Cancelling now counts as a visit that week, plus a fee of CNY 50.00 and a strike.");
        house.cancel_if(&booking, &json!({"if_free": true})).await.expect_refused(409, "not-free");
        let penalty = house.cancel(&booking).await.expect(200)["penalty"].clone();
        assert_eq!((&penalty["fee"], &penalty["strike"], &penalty["paid_at"]), (&fee, &json!(true), &Value::Null));
        let text = house.letter_of("late_cancelled", &ana).await;
        assert!(text.contains("A fee of CNY 50.00 is due: please pay it at the studio."), "{text}");

        let standing = house.standing_of(&ana).await;
        assert_eq!(standing, house.standing(&ana).await);
        assert_eq!((&standing["fees_open"][0]["id"], &standing["strikes"][0]["penalty_id"]), (&penalty["id"], &penalty["id"]));
        assert_eq!(standing["strikes"][0]["lapses_at"], "2027-01-02T04:00:00.000000Z");
        let desk = &house.studio.desk;
        house.pay(&penalty, &ana, "cash").await.expect_refused(403, "not-allowed");
        let paid = house.pay(&penalty, desk, "cash").await.expect(200);
        assert_eq!((&paid["paid_method"], &paid["paid_at"]), (&json!("cash"), &json!("2026-12-03T04:00:00.000000Z")));
        assert_eq!(house.pay(&penalty, desk, "card").await.expect(200)["paid_method"], "cash", "repeated, it is done already");
        assert_eq!(house.standing(&ana).await["fees_open"], json!([]));
        house.waive(&penalty, desk, "They were ill").await.expect_refused(403, "not-allowed");
        house.waive(&penalty, &house.studio.admin, "They were ill").await.expect(200);
        assert_eq!(house.standing(&ana).await["strikes"], json!([]));
        assert_eq!(house.count("SELECT COUNT(*) FROM bookings WHERE person_id = $1 AND visit_week IS NOT NULL", ana.id).await, 0);
    }

    async fn a_fee_that_is_waived_is_not_owed(house: House) {
        house.rules(json!({"late_cancel_fee_minor": 5000, "fee_currency": "CNY", "late_cancels_forgiven": 0})).await;
        let ana = house.stranger("Ana").await;
        house.membership(&ana, None).await;
        let booking = house.book(&ana, &house.session("2026-12-03 18:30", 12).await).await.expect_booked();
        house.it_is("2026-12-03 12:00");
        let penalty = house.cancel(&booking).await.expect(200)["penalty"].clone();
        let elsewhere = house.second_studio().await;
        let path = format!("/v1/studios/{}/penalties/{}/waiver", elsewhere.id, penalty["id"].as_str().unwrap());
        house.put(path).by(&elsewhere.admin).json(&json!({"reason": "Not ours"})).await.expect_refused(404, "not-found");
        let path = format!("/v1/studios/{}/penalties/{}/waiver", house.studio.id, Uuid::nil());
        house.put(path).by(&house.studio.admin).json(&json!({"reason": "Nothing"})).await.expect_refused(404, "not-found");
        let blank = json!({"id": penalty["id"]});
        house.waive(&blank, &house.studio.admin, " ").await.expect_refused(422, "invalid-fields").naming("reason");
        house.waive(&penalty, &house.studio.admin, "They were ill").await.expect(200);
        house.pay(&penalty, &house.studio.desk, "cash").await.expect_refused(409, "no-fee-owed");
        assert_eq!(house.standing(&ana).await["fees_open"], json!([]));
        let told = house.history_of(&booking).await;
        let last = told.last().unwrap();
        assert_eq!((&last["action"], &last["note"]), (&json!("booking.penalty_waived"), &json!("They were ill")));
    }

    /// A suspension beats the offer that runs: the place goes on in the commit that suspends.
    async fn who_is_suspended_while_an_offer_runs_loses_it_to_the_next(house: House) {
        house.rules(json!({"late_cancels_forgiven": 0, "strikes_max": 2, "after_cutoff": "offers", "promotion_until_min": 4_320})).await;
        let (ana, bo, cleo) = (house.member("Ana").await, house.member("Bo").await, house.member("Cleo").await);
        let full = house.session("2026-12-02 18:30", 1).await;
        let taken = house.book(&bo, &full).await.expect_booked();
        let first = house.book(&ana, &full).or_wait().await.expect_waitlisted(1);
        let second = house.book(&cleo, &full).or_wait().await.expect_waitlisted(2);
        house.it_is("2026-11-30 11:50");
        house.cancel(&taken).await.expect(200);
        assert_eq!(house.now(&first).await["status"], "offered");
        house.two_strikes(&ana).await;
        assert_eq!(house.now(&first).await["status"], "waitlisted", "it was theirs until then");
        assert_eq!(house.now(&second).await["status"], "offered", "in the same commit");
        let told = house.history_of(&first).await;
        assert_eq!((&told.last().unwrap()["action"], &told.last().unwrap()["reason"]), (&json!("booking.passed_over"), &json!("suspended")));
        house.accept(&first).await.expect_refused(409, "session-full");
        house.accept(&second).await.expect(200);
        assert!(house.kinds_to(&ana).await.contains(&"suspended".to_owned()));
    }

    async fn who_is_suspended_is_passed_over_and_served_when_it_is_taken_back(house: House) {
        house.rules(two_are_too_many()).await;
        let (ana, bo) = (house.stranger("Ana").await, house.member("Bo").await);
        let pack = house.pack(&ana, 10).await;
        let (full, kept) = (house.session("2026-12-05 18:30", 1).await, house.session("2026-12-06 18:30", 12).await);
        let taken = house.book(&bo, &full).await.expect_booked();
        let waiting = house.book(&ana, &full).or_wait().await.expect_waitlisted(1);
        let kept = house.book(&ana, &kept).await.expect_booked();
        let [_, second] = house.two_strikes(&ana).await;
        assert_eq!(house.balance(&pack).await, 7);
        let standing = house.standing(&ana).await;
        assert_eq!(standing["suspended"], json!({"until": "2026-12-14T04:00:00.000000Z", "only_within_hours": 24}));
        assert_eq!(standing["text"], "Until Mon 14 Dec, 12:00 you can only book classes that start within 24 hours.");
        assert_eq!(standing["strikes"].as_array().unwrap().len(), 2);
        assert!(house.kinds_to(&ana).await.contains(&"suspended".to_owned()));
        assert_eq!(house.now(&kept).await["status"], "booked", "what is booked is kept");

        let (near, far) = (house.session("2026-12-01 11:00", 12).await, house.session("2026-12-03 18:30", 12).await);
        let refused = house.book(&ana, &far).await.expect_refused(409, "suspended");
        assert_eq!((&refused["until"], &refused["only_within_hours"]), (&json!("2026-12-14T04:00:00.000000Z"), &json!(24)));
        house.book(&ana, &house.session("2026-12-04 18:30", 1).await).or_wait().await.expect_refused(409, "suspended");
        let terms = house.get(format!("/v1/sessions/{}/terms", far.id)).by(&ana).await.expect(200);
        assert_eq!((&terms["would_be"], &terms["refusal"]["type"]), (&Value::Null, &json!("/problems/suspended")));
        assert_eq!(terms["refusal"]["from"], "2026-12-02T10:30:00.000000Z");
        house.book(&ana, &near).await.expect_booked();
        // Staff may give them a place all the same.
        house.book(&ana, &far).sent_by(&house.studio.desk).await.expect_booked();

        house.cancel(&taken).await.expect(200);
        assert_eq!(house.now(&waiting).await["status"], "waitlisted");
        let passed = house.history_of(&waiting).await;
        assert_eq!((&passed.last().unwrap()["action"], &passed.last().unwrap()["reason"]), (&json!("booking.passed_over"), &json!("suspended")));
        house.audit_is_clean().await;
        house.accept(&waiting).await.expect_refused(409, "suspended");

        house.waive(&second["penalty"], &house.studio.admin, "The train stood still").await.expect(200);
        assert_eq!(house.now(&waiting).await["status"], "booked", "in the same commit");
        assert_eq!(house.balance(&pack).await, 5);
        let standing = house.standing(&ana).await;
        assert_eq!((&standing["suspended"], standing["strikes"].as_array().unwrap().len()), (&Value::Null, 1));
        let kinds = house.kinds_to(&ana).await;
        assert!(["penalty_waived", "suspension_lifted"].iter().all(|kind| kinds.iter().any(|one| one == kind)), "{kinds:?}");
        // Repeated, it is done already, and the first reason stands.
        let again = house.waive(&second["penalty"], &house.studio.admin, "Another reason").await.expect(200);
        assert_eq!(again["waived_reason"], "The train stood still");
        assert_eq!(house.balance(&pack).await, 5);
    }

    async fn the_clock_alone_serves_who_may_book_again(house: House) {
        house.rules(two_are_too_many()).await;
        let (ana, bo, cleo) = (house.member("Ana").await, house.member("Bo").await, house.member("Cleo").await);
        let (soon, later) = (house.session("2026-12-05 18:30", 1).await, house.session("2026-12-13 18:30", 1).await);
        let (first, other) = (house.book(&bo, &soon).await.expect_booked(), house.book(&cleo, &later).await.expect_booked());
        let (one, two) = (house.book(&ana, &soon).or_wait().await.expect_waitlisted(1), house.book(&ana, &later).or_wait().await.expect_waitlisted(1));
        house.two_strikes(&ana).await;
        house.cancel(&first).await.expect(200);
        house.cancel(&other).await.expect(200);
        house.it_is("2026-12-04 18:29");
        house.sweep().await;
        assert_eq!(house.now(&one).await["status"], "waitlisted");
        house.it_is("2026-12-04 18:30");
        house.sweep().await;
        assert_eq!(house.now(&one).await["status"], "booked", "a day before its start");
        assert_eq!(house.now(&two).await["status"], "waitlisted");
        // Another number of strikes counts at once.
        let path = format!("/v1/studios/{}/house-rules", house.studio.id);
        let rules = json!({"late_cancels_forgiven": 0, "strikes_max": 3});
        house.put(&path).by(&house.studio.admin).header("If-Match", 1).json(&rules).await.expect(200);
        assert_eq!(house.now(&two).await["status"], "booked", "in the same commit");
    }

    async fn the_studio_cancels_afterwards_and_takes_everything_back(house: House) {
        house.rules(json!({
            "late_cancels_forgiven": 1, "strikes_max": 1, "strike_ahead_hours": 0, "late_cancel_fee_minor": 5000, "fee_currency": "CNY"
        })).await;
        let ana = house.stranger("Ana").await;
        house.membership(&ana, None).await;
        let (one, two) = (house.session("2026-11-30 19:00", 12).await, house.session("2026-11-30 21:00", 12).await);
        let (first, second) = (house.book(&ana, &one).await.expect_booked(), house.book(&ana, &two).await.expect_booked());
        house.it_is("2026-11-30 12:00");
        assert_eq!(house.cancel(&first).await.expect(200)["penalty"]["forgiven"], "month");
        let penalty = house.cancel(&second).await.expect(200)["penalty"].clone();
        assert_eq!((&penalty["strike"], &penalty["fee"]["amount_minor"]), (&json!(true), &json!(5000)));
        assert_eq!(house.standing(&ana).await["text"], "Until Mon 14 Dec, 12:00 you cannot book.");
        let far = house.session("2026-12-03 18:30", 12).await;
        house.book(&ana, &far).await.expect_refused(409, "suspended");
        house.cancel_session(&two, &json!({"reason": "illness"})).await.expect(200);
        let standing = house.standing(&ana).await;
        let clean = (&standing["suspended"], &standing["strikes"], &standing["fees_open"], &standing["late_cancels_forgiven_left"]);
        assert_eq!(clean, (&Value::Null, &json!([]), &json!([]), &json!(0)));
        house.book(&ana, &far).await.expect_booked();
        let text = house.letter_of("session_cancelled", &ana).await;
        assert!(text.contains("The fee or strike of your late cancellation is taken back."), "{text}");
        assert!(house.kinds_to(&ana).await.contains(&"suspension_lifted".to_owned()));
        // What was forgiven for a session that the studio cancels is there again.
        house.cancel_session(&one, &json!({"reason": "illness"})).await.expect(200);
        assert_eq!(house.standing(&ana).await["late_cancels_forgiven_left"], 1);
    }

    async fn on_a_day_of_snow_nothing_has_consequences(house: House) {
        house.rules(json!({"late_cancels_forgiven": 1})).await;
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 5).await;
        let (snow, plain) = (house.session("2026-12-01 18:30", 12).await, house.session("2026-12-02 18:30", 12).await);
        let (snow, plain) = (house.book(&ana, &snow).await.expect_booked(), house.book(&ana, &plain).await.expect_booked());
        house.rules(json!({"late_cancels_forgiven": 1, "penalty_free_days": ["2026-12-01"]})).await;
        house.it_is("2026-12-01 12:00");
        assert_eq!(house.cancel(&snow).await.expect(200)["penalty"]["forgiven"], "day");
        assert_eq!(house.standing(&ana).await["late_cancels_forgiven_left"], 1, "the month's is still there");
        house.it_is("2026-12-02 12:00");
        assert_eq!(house.cancel(&plain).await.expect(200)["penalty"]["forgiven"], "month");
        assert_eq!(house.balance(&pack).await, 5);
    }

    async fn a_booking_older_than_the_rules_keeps_what_it_was_told(house: House) {
        house.rules(json!({"strikes_max": 1})).await;
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 5).await;
        let booking = house.book(&ana, &house.session("2026-12-03 18:30", 12).await).await.expect_booked();
        let id = booking.id;
        house.write(move |tx| Box::pin(async move { tx.run("UPDATE bookings SET penalty_terms = NULL WHERE id = $1", (id,)).await })).await;
        house.it_is("2026-12-03 12:00");
        let told = &house.now(&booking).await["cancel_now"];
        assert_eq!((&told["credits_lost"], &told["strike"], &told["forgiven"]), (&json!(1), &json!(false), &json!(false)));
        let ended = house.cancel(&booking).await.expect(200);
        assert_eq!((&ended["credits_returned"], &ended["penalty"]["strike"]), (&json!(0), &json!(false)));
        assert_eq!(house.balance(&pack).await, 4);
        let export = house.get("/v1/me/export").by(&ana).await.expect(200);
        assert_eq!(export["penalties"][0]["booking_id"], json!(id));
    }
}
