//! Offers: after the promotion cut-off a free place is offered in the queue's order, and kept while the offer runs.

use serde_json::{Value, json};

use crate::house::House;
use crate::races::Neighbour;
use crate::seed::{Person, Session};
use crate::speech::Booking;

impl House {
    /// The evening of 3 December, 18:30, with one place, and this many who wait: who is in it, and the others in their order.
    async fn evening_waited_for(&self, waiting: usize) -> (Session, Booking, Vec<Booking>) {
        let people = self.members(waiting + 1).await;
        let evening = self.session("2026-12-03 18:30", 1).await;
        let booked = self.book(&people[0], &evening).await.expect_booked();
        let mut queue = Vec::new();
        for (n, person) in people[1..].iter().enumerate() {
            queue.push(self.book(person, &evening).or_wait().await.expect_waitlisted(n as i64 + 1));
        }
        (evening, booked, queue)
    }

    async fn status(&self, booking: &Booking) -> String {
        self.now(booking).await["status"].as_str().unwrap().to_owned()
    }

    /// The offer of a booking that is offered a place: from when its clock runs, and to when.
    async fn offer(&self, booking: &Booking) -> (Value, Value) {
        let now = self.now(booking).await;
        assert_eq!(now["status"], "offered", "{now}");
        assert_eq!((&now["waitlist_position"], &now["credits"], &now["pass_id"]), (&Value::Null, &json!(0), &Value::Null), "{now}");
        (now["offer"]["clock_starts_at"].clone(), now["offer"]["expires_at"].clone())
    }

    fn instant(&self, local: &str) -> Value {
        json!(self.at(local).to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
    }

    async fn last_kind_to(&self, person: &Person) -> String {
        self.kinds_to(person).await.pop().unwrap()
    }
}

both_engines! {
    async fn a_place_that_comes_free_late_is_offered_in_order(house: House) {
        house.rules(json!({"after_cutoff": "offers"})).await;
        let (evening, booked, queue) = house.evening_waited_for(2).await;
        house.it_is("2026-12-03 12:00");
        house.cancel(&booked).await.expect(200);
        assert_eq!(house.offer(&queue[0]).await, (house.instant("2026-12-03 12:00"), house.instant("2026-12-03 12:30")));
        assert_eq!(house.now(&queue[1]).await["waitlist_position"], 1);
        assert_eq!(house.kinds_to(&queue[0].person).await, ["waitlisted", "place_offered"]);
        assert_eq!(house.kinds_to(&queue[1].person).await, ["waitlisted"]);
        // It is kept: nobody else gets it, whether they wait or not.
        assert_eq!(house.now(&queue[0]).await["session"]["places_left"], 0);
        let dan = house.member("Dan").await;
        house.book(&dan, &evening).await.expect_refused(409, "session-full");
        house.accept(&queue[1]).await.expect_refused(409, "session-full");
        house.audit_is_clean().await;

        house.it_is("2026-12-03 12:29");
        let taken = house.accept(&queue[0]).await.expect(200);
        assert_eq!((&taken["status"], &taken["credits"], &taken["offer"]), (&json!("booked"), &json!(1), &Value::Null));
        // There is no grace after an accepted offer.
        assert_eq!((&taken["free_cancel_until"], &taken["cancel_now"]["free"]), (&Value::Null, &json!(false)));
        assert_eq!(house.accept(&queue[0]).await.expect(200)["status"], "booked");
        assert_eq!(house.last_kind_to(&queue[0].person).await, "booked");
        house.it_is("2026-12-03 13:00");
        house.sweep().await;
        assert_eq!(house.status(&queue[0]).await, "booked");
    }

    async fn an_offer_that_nobody_takes_goes_to_the_next(house: House) {
        house.rules(json!({"after_cutoff": "offers"})).await;
        let (evening, booked, queue) = house.evening_waited_for(2).await;
        house.it_is("2026-12-03 12:00");
        house.cancel(&booked).await.expect(200);
        house.it_is("2026-12-03 12:30");
        // Too late, whether the sweep has come or not.
        house.accept(&queue[0]).await.expect_refused(409, "offer-expired");
        house.sweep().await;
        let ended = house.now(&queue[0]).await;
        assert_eq!((&ended["status"], &ended["ended_by"], &ended["offer"]), (&json!("cancelled"), &json!("offer_expired"), &Value::Null));
        house.accept(&queue[0]).await.expect_refused(409, "offer-expired");
        assert_eq!(house.last_kind_to(&queue[0].person).await, "offer_expired");
        assert_eq!(house.offer(&queue[1]).await, (house.instant("2026-12-03 12:30"), house.instant("2026-12-03 13:00")));
        // Nobody is left: the place is everybody's.
        house.it_is("2026-12-03 13:00");
        house.sweep().await;
        house.sweep().await;
        assert_eq!(house.status(&queue[1]).await, "cancelled");
        let dan = house.member("Dan").await;
        house.book(&dan, &evening).await.expect_booked();
    }

    async fn declining_is_free_and_makes_room_at_once(house: House) {
        house.rules(json!({"after_cutoff": "offers"})).await;
        let (_, booked, queue) = house.evening_waited_for(2).await;
        house.it_is("2026-12-03 12:00");
        house.cancel(&booked).await.expect(200);
        let now = house.now(&queue[0]).await;
        assert_eq!((&now["cancel_now"]["free"], &now["free_cancel_text"]), (&json!(true), &Value::Null));
        let declined = house.cancel_if(&queue[0], &json!({"if_status": "offered", "if_free": true})).await.expect(200);
        assert_eq!((&declined["status"], &declined["ended_by"]), (&json!("cancelled"), &json!("member")));
        assert_eq!(house.last_kind_to(&queue[0].person).await, "waitlist_left");
        assert_eq!(house.offer(&queue[1]).await.0, house.instant("2026-12-03 12:00"));
        house.accept(&queue[0]).await.expect_refused(409, "offer-expired");
    }

    async fn who_cannot_take_an_offer_is_passed_over(house: House) {
        house.rules(json!({"after_cutoff": "offers"})).await;
        let (ana, poor, bo) = (house.member("Ana").await, house.stranger("Poor").await, house.member("Bo").await);
        let evening = house.session("2026-12-03 18:30", 1).await;
        let booked = house.book(&ana, &evening).await.expect_booked();
        let of_poor = house.book(&poor, &evening).or_wait().await.expect_waitlisted(1);
        let of_bo = house.book(&bo, &evening).or_wait().await.expect_waitlisted(2);
        house.it_is("2026-12-03 12:00");
        house.cancel(&booked).await.expect(200);
        assert_eq!(house.status(&of_bo).await, "offered");
        assert_eq!(house.last_kind_to(&poor).await, "passed_over");
        // Who becomes able is offered the next place that is free, in that commit.
        house.cancel(&of_bo).await.expect(200);
        assert_eq!(house.status(&of_poor).await, "waitlisted");
        house.advance(chrono::TimeDelta::minutes(1));
        house.sell_pack(&poor).await;
        assert_eq!(house.status(&of_poor).await, "offered");
    }

    async fn offers_end_before_the_start_and_then_the_place_is_everybody_s(house: House) {
        house.rules(json!({"after_cutoff": "offers"})).await;
        let (evening, booked, queue) = house.evening_waited_for(2).await;
        // A full clock of 30 minutes ends at 17:45, 45 minutes before the start; a minute later none fits.
        house.it_is("2026-12-03 17:16");
        house.cancel(&booked).await.expect(200);
        for one in &queue {
            assert_eq!(house.status(one).await, "waitlisted");
            assert_eq!(house.last_kind_to(&one.person).await, "place_free");
        }
        let dan = house.member("Dan").await;
        house.book(&dan, &evening).await.expect_booked();
    }

    async fn the_clock_of_an_offer_stands_still_in_quiet_hours(house: House) {
        house.rules(json!({"after_cutoff": "offers", "promotion_until_min": 24 * 60})).await;
        let (_, booked, queue) = house.evening_waited_for(2).await;
        house.it_is("2026-12-02 23:00");
        house.cancel(&booked).await.expect(200);
        assert_eq!(house.offer(&queue[0]).await, (house.instant("2026-12-03 07:00"), house.instant("2026-12-03 07:30")));
        let letter = house.letters_to(&queue[0].person).await.pop().unwrap();
        assert!(letter.body_text.unwrap().contains("Thu 3 Dec, 07:00"));
        // It may be taken at once, and cancelled for free until the cut-off, as it came before that.
        let now = house.now(&queue[0]).await;
        assert_eq!(now["offer"]["free_cancel_until"], house.instant("2026-12-03 06:30"));
        let taken = house.accept(&queue[0]).await.expect(200);
        assert_eq!(taken["free_cancel_until"], house.instant("2026-12-03 06:30"));
    }

    async fn a_promotion_that_would_cost_before_it_is_read_is_an_offer(house: House) {
        house.rules(json!({"promotion_until_min": 60, "grace_promotion_min": 0})).await;
        let (_, booked, queue) = house.evening_waited_for(2).await;
        // Free cancelling ended at 06:30; it is 06:40, and quiet until 07:00.
        house.it_is("2026-12-03 06:40");
        house.cancel(&booked).await.expect(200);
        assert_eq!(house.offer(&queue[0]).await, (house.instant("2026-12-03 07:00"), house.instant("2026-12-03 07:30")));
        house.cancel(&queue[0]).await.expect(200);
        assert_eq!(house.status(&queue[1]).await, "offered");
        // In the daytime it is a promotion again.
        house.it_is("2026-12-03 07:30");
        house.sweep().await;
        let cleo = house.member("Cleo").await;
        let session = house.session("2026-12-03 20:30", 1).await;
        let of_cleo = house.book(&cleo, &session).await.expect_booked();
        let bo = house.member("Bo").await;
        let waiting = house.book(&bo, &session).or_wait().await.expect_waitlisted(1);
        house.it_is("2026-12-03 12:00");
        house.cancel(&of_cleo).await.expect(200);
        assert_eq!(house.status(&waiting).await, "booked");
    }

    async fn who_gave_back_a_promotion_is_not_promoted_again(house: House) {
        let (ana, bo, cleo) = (house.member("Ana").await, house.member("Bo").await, house.member("Cleo").await);
        let evening = house.session("2026-12-03 18:30", 1).await;
        let of_ana = house.book(&ana, &evening).await.expect_booked();
        let of_bo = house.book(&bo, &evening).or_wait().await.expect_waitlisted(1);
        house.cancel(&of_ana).await.expect(200);
        assert_eq!(house.status(&of_bo).await, "booked");
        let of_cleo = house.book(&cleo, &evening).or_wait().await.expect_waitlisted(1);
        house.cancel(&of_bo).await.expect(200);
        assert_eq!(house.status(&of_cleo).await, "booked");
        // Bo waits again, first in the queue, and is asked for nothing.
        let again = house.book(&bo, &evening).or_wait().await.expect_waitlisted(1);
        house.cancel(&of_cleo).await.expect(200);
        assert_eq!(house.status(&again).await, "waitlisted");
        assert_eq!(house.roster(&evening).await["waitlist"][0]["reason"], "turned_down");
        assert_eq!(house.last_kind_to(&bo).await, "passed_over");
        // The place is everybody's, and Bo's by their own tap.
        assert_eq!(house.accept(&again).await.expect(200)["status"], "booked");
    }

    async fn fewer_places_take_offers_back_before_bookings(house: House) {
        house.rules(json!({"after_cutoff": "offers"})).await;
        let people = house.members(4).await;
        let evening = house.session("2026-12-03 18:30", 2).await;
        house.book(&people[0], &evening).await.expect_booked();
        let leaves = house.book(&people[1], &evening).await.expect_booked();
        let first = house.book(&people[2], &evening).or_wait().await.expect_waitlisted(1);
        let second = house.book(&people[3], &evening).or_wait().await.expect_waitlisted(2);
        house.it_is("2026-12-03 12:00");
        house.cancel(&leaves).await.expect(200);
        assert_eq!(house.status(&first).await, "offered");
        house.patch_session(&evening, 1, &json!({"capacity": 1})).await.expect_refused(409, "capacity-too-small");
        house.patch_session(&evening, 1, &json!({"capacity": 1, "release": true})).await.expect(200);
        // Back to where they waited.
        let now = house.now(&first).await;
        assert_eq!((&now["status"], &now["waitlist_position"], &now["offer"]), (&json!("waitlisted"), &json!(1), &Value::Null));
        assert_eq!(house.now(&second).await["waitlist_position"], 2);
        assert_eq!(house.last_kind_to(&people[2]).await, "offer_withdrawn");
        house.accept(&first).await.expect_refused(409, "session-full");
        // With the place back, they are the first to be offered it.
        house.patch_session(&evening, 2, &json!({"capacity": 2})).await.expect(200);
        assert_eq!(house.status(&first).await, "offered");
    }

    async fn a_session_that_moves_takes_its_offers_back(house: House) {
        house.rules(json!({"after_cutoff": "offers"})).await;
        let (evening, booked, queue) = house.evening_waited_for(1).await;
        house.it_is("2026-12-03 12:00");
        house.cancel(&booked).await.expect(200);
        assert_eq!(house.status(&queue[0]).await, "offered");
        // Tomorrow the cut-off is still ahead: they are in.
        house.patch_session(&evening, 1, &json!({"local_start": "2026-12-04T18:30"})).await.expect(200);
        assert_eq!(house.status(&queue[0]).await, "booked");
        house.it_is("2026-12-03 13:00");
        house.sweep().await;
        assert_eq!(house.status(&queue[0]).await, "booked");
    }

    async fn an_offer_ends_with_its_session(house: House) {
        house.rules(json!({"after_cutoff": "offers"})).await;
        let (evening, booked, queue) = house.evening_waited_for(1).await;
        house.it_is("2026-12-03 12:00");
        house.cancel(&booked).await.expect(200);
        house.cancel_session(&evening, &json!({"reason": "illness"})).await.expect(200);
        let ended = house.now(&queue[0]).await;
        assert_eq!((&ended["status"], &ended["ended_by"]), (&json!("cancelled"), &json!("studio")));
        house.it_is("2026-12-03 13:00");
        house.sweep().await;
        assert_eq!(house.last_kind_to(&queue[0].person).await, "session_cancelled");
    }

    async fn all_who_wait_are_asked_and_the_first_wins(house: House) {
        house.rules(json!({"after_cutoff": "notify_all"})).await;
        let (evening, booked, queue) = house.evening_waited_for(2).await;
        house.it_is("2026-12-03 12:00");
        house.cancel(&booked).await.expect(200);
        for one in &queue {
            let letter = house.letters_to(&one.person).await.pop().unwrap();
            assert_eq!(letter.kind, "place_free");
            assert!(letter.body_text.unwrap().contains("Until Thu 3 Dec, 17:45"));
        }
        // It is kept for them.
        let dan = house.member("Dan").await;
        house.book(&dan, &evening).await.expect_refused(409, "session-full");
        assert_eq!(house.now(&queue[0]).await["session"]["places_left"], 0);
        assert_eq!(house.accept(&queue[1]).await.expect(200)["status"], "booked");
        house.accept(&queue[0]).await.expect_refused(409, "session-full");
        // After the offers' end it is everybody's.
        house.cancel(&queue[1]).await.expect(200);
        house.it_is("2026-12-03 17:45");
        house.book(&dan, &evening).await.expect_booked();
    }

    async fn a_place_is_not_kept_for_those_who_cannot_take_it(house: House) {
        house.rules(json!({"after_cutoff": "notify_all"})).await;
        let (ana, poor, dan) = (house.member("Ana").await, house.stranger("Poor").await, house.member("Dan").await);
        let evening = house.session("2026-12-03 18:30", 1).await;
        let booked = house.book(&ana, &evening).await.expect_booked();
        house.book(&poor, &evening).or_wait().await.expect_waitlisted(1);
        house.it_is("2026-12-03 12:00");
        house.cancel(&booked).await.expect(200);
        assert_eq!(house.kinds_to(&poor).await, ["waitlisted", "passed_over"]);
        house.book(&dan, &evening).await.expect_booked();
    }

    async fn staff_may_keep_the_place_for_whom_they_choose(house: House) {
        house.rules(json!({"after_cutoff": "staff"})).await;
        let (evening, booked, queue) = house.evening_waited_for(1).await;
        house.it_is("2026-12-03 12:00");
        house.cancel(&booked).await.expect(200);
        let dan = house.member("Dan").await;
        house.book(&dan, &evening).await.expect_refused(409, "session-full");
        house.accept(&queue[0]).await.expect_refused(409, "session-full");
        // Offers have ended, and nobody has decided.
        house.it_is("2026-12-03 17:45");
        house.sweep().await;
        assert_eq!(house.last_kind_to(&queue[0].person).await, "place_free");
        assert_eq!(house.accept(&queue[0]).await.expect(200)["status"], "booked");
    }

    async fn of_two_taps_on_one_offer_one_wins(house: House) {
        house.rules(json!({"after_cutoff": "offers", "offer_min": 30})).await;
        let neighbour = Neighbour::of(&house, true).await;
        let people = house.members(3).await;
        for day in 3..9 {
            let evening = house.session(&format!("2026-12-{day:02} 18:30"), 1).await;
            house.it_is(&format!("2026-12-{day:02} 10:00"));
            house.sweep().await;
            let booked = house.book(&people[0], &evening).await.expect_booked();
            let first = house.book(&people[1], &evening).or_wait().await.expect_waitlisted(1);
            let second = house.book(&people[2], &evening).or_wait().await.expect_waitlisted(2);
            house.cancel(&booked).await.expect(200);
            let path = |what: &str| format!("{}/v1/bookings/{}/{what}", neighbour.url, first.id);
            // The member takes it on one device and declines it on another; both processes hear them at once.
            let declines = house.http.put(path("cancellation")).bearer_auth(&people[1].token).json(&json!({"if_status": "offered"}));
            let (accepted, declined) = tokio::join!(async { house.accept(&first).await.status }, async { declines.send().await.unwrap().status().as_u16() });
            match (accepted, declined, house.status(&first).await.as_str(), house.status(&second).await.as_str()) {
                (200, 409, "booked", "waitlisted") | (409, 200, "cancelled", "offered") => {}
                other => panic!("{other:?}"),
            }
            house.audit_is_clean().await;
        }
        neighbour.leave().await;
    }

    async fn an_offer_is_taken_or_over(house: House) {
        house.rules(json!({"after_cutoff": "offers"})).await;
        let neighbour = Neighbour::of(&house, true).await;
        let people = house.members(3).await;
        for day in 3..9 {
            let evening = house.session(&format!("2026-12-{day:02} 18:30"), 1).await;
            house.it_is(&format!("2026-12-{day:02} 10:00"));
            let booked = house.book(&people[0], &evening).await.expect_booked();
            let first = house.book(&people[1], &evening).or_wait().await.expect_waitlisted(1);
            let second = house.book(&people[2], &evening).or_wait().await.expect_waitlisted(2);
            house.cancel(&booked).await.expect(200);
            // The tap of the last second is on its way while the clock of the process that sweeps reaches the end.
            house.it_is(&format!("2026-12-{day:02} 10:29"));
            let accepts = house.accept(&first);
            let sweeps = async {
                house.it_is(&format!("2026-12-{day:02} 10:30"));
                releve::sweeps::sweep(&neighbour.app).await.unwrap();
            };
            let (accepted, ()) = tokio::join!(async { accepts.await.status }, sweeps);
            house.sweep().await;
            match (accepted, house.status(&first).await.as_str(), house.status(&second).await.as_str()) {
                (200, "booked", "waitlisted") | (409, "cancelled", "offered") => {}
                other => panic!("{other:?}"),
            }
            house.audit_is_clean().await;
        }
        neighbour.leave().await;
    }
}
