//! Offers: after the promotion cut-off a free place is offered in the queue's order, and kept while the offer runs.

use releve::app::App;
use releve::events::Actor;
use releve::transactor::Command;
use serde_json::{Value, json};

use crate::house::House;
use crate::races::{Neighbour, without_the_lock};
use crate::seed::{Person, Session};
use crate::speech::{Booking, Reply};

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

    /// What happened to a booking, as its member reads it.
    async fn history(&self, booking: &Booking) -> Vec<Value> {
        let told = self.get(format!("/v1/bookings/{}/history", booking.id)).by(&booking.person).await.expect(200);
        told["entries"].as_array().unwrap().clone()
    }

    /// The path of the link in the last letter to a member.
    async fn offer_link(&self, person: &Person) -> String {
        let text = self.letters_to(person).await.pop().unwrap().body_text.unwrap();
        let at = text.find("/offers/").unwrap_or_else(|| panic!("no link: {text}"));
        text[at..].split_whitespace().next().unwrap().to_owned()
    }

    /// A button of the page behind that link.
    async fn answer(&self, link: &str, answer: &str) -> Reply {
        self.post_to(link).body("application/x-www-form-urlencoded", format!("answer={answer}")).await
    }

    async fn last_kind_to(&self, person: &Person) -> String {
        self.kinds_to(person).await.pop().unwrap()
    }
}

both_engines! {
    async fn a_place_that_comes_free_late_is_offered_in_order(house: House) {
        house.rules(json!({"after_cutoff": "offers", "late_cancels_forgiven": 0})).await;
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
        assert!(house.kinds_to(&bo).await.contains(&"passed_over".to_owned()));
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

    async fn who_needs_more_time_is_offered_places_for_longer(house: House) {
        house.rules(json!({"after_cutoff": "offers"})).await;
        let (evening, booked, queue) = house.evening_waited_for(1).await;
        let me = house.patch("/v1/me").by(&queue[0].person).json(&json!({"longer_offers": true})).await.expect(200);
        assert_eq!(me["longer_offers"], true);
        house.it_is("2026-12-03 12:00");
        house.cancel(&booked).await.expect(200);
        assert_eq!(house.offer(&queue[0]).await.1, house.instant("2026-12-03 13:00"));
        house.cancel(&queue[0]).await.expect(200);
        // Not beyond the offers' end, 17:45.
        house.it_is("2026-12-03 17:00");
        let dan = house.member("Dan").await;
        let of_dan = house.book(&dan, &evening).await.expect_booked();
        let again = house.book(&queue[0].person, &evening).or_wait().await.expect_waitlisted(1);
        house.cancel(&of_dan).await.expect(200);
        assert_eq!(house.offer(&again).await.1, house.instant("2026-12-03 17:45"));
    }

    async fn staff_move_somebody_up_and_those_passed_over_read_why(house: House) {
        house.rules(json!({"after_cutoff": "staff"})).await;
        let (evening, booked, queue) = house.evening_waited_for(3).await;
        let desk = &house.studio.desk;
        let path = |one: &Booking| format!("/v1/bookings/{}/move-up", one.id);
        let why = json!({"reason": "It is the last class before their exam."});
        house.put(path(&queue[2])).by(desk).json(&why).await.expect_refused(409, "session-full");
        house.it_is("2026-12-03 12:00");
        house.cancel(&booked).await.expect(200);
        house.put(path(&queue[2])).by(&queue[2].person).json(&why).await.expect_refused(403, "not-allowed");
        house.put(path(&queue[2])).by(&house.studio.instructor).json(&why).await.expect_refused(403, "not-allowed");
        house.put(path(&queue[2])).by(desk).json(&json!({"reason": " "})).await.expect(422).naming("reason");
        let moved = house.put(path(&queue[2])).by(desk).json(&why).await.expect(200);
        assert_eq!((&moved["status"], &moved["credits"]), (&json!("booked"), &json!(1)));
        assert_eq!(house.put(path(&queue[2])).by(desk).json(&why).await.expect(200)["status"], "booked");
        assert_eq!(house.last_kind_to(&queue[2].person).await, "promoted");

        // An extra place, by the instructor at the door.
        house.it_is("2026-12-03 18:00");
        let extra = json!({"reason": "There is a barre left.", "extra_place": true});
        house.put(path(&queue[1])).by(&house.studio.instructor).json(&extra).await.expect(200);
        assert_eq!(house.shown(&evening).await["capacity"], 2);

        let told = house.history(&queue[0]).await;
        let last: Vec<_> = told.iter().rev().take(2).map(|entry| (entry["action"].clone(), entry["note"].clone())).collect();
        assert_eq!(last, [
            (json!("booking.overtaken"), extra["reason"].clone()),
            (json!("booking.overtaken"), why["reason"].clone()),
        ]);
        let told = house.history(&queue[2]).await;
        let last = told.last().unwrap();
        assert_eq!((&last["text"], &last["note"]), (&json!("The studio moved this booking up."), &why["reason"]));
    }

    async fn a_booking_tells_its_history_in_its_reader_s_language(house: House) {
        house.rules(json!({"after_cutoff": "offers"})).await;
        let (ana, poor) = (house.member("Ana").await, house.stranger("Poor").await);
        let evening = house.session("2026-12-03 18:30", 1).await;
        let booked = house.book(&ana, &evening).await.expect_booked();
        let waiting = house.book(&poor, &evening).or_wait().await.expect_waitlisted(1);
        house.cancel(&booked).await.expect(200);
        house.advance(chrono::TimeDelta::minutes(1));
        house.sell_pack(&poor).await;
        let texts: Vec<_> = house.history(&waiting).await.into_iter().map(|entry| entry["text"].as_str().unwrap().to_owned()).collect();
        assert_eq!(texts, [
            "Joined the waitlist as number 1.",
            "A place came free and could not be given. You have no pass with a credit or visit left that this class accepts.",
            "Moved from the waitlist into the class.",
        ]);
        let path = format!("/v1/bookings/{}/history", waiting.id);
        let told = house.get(&path).by(&poor).header("Accept-Language", "zh-Hant").await.expect(200);
        assert_eq!(told["entries"][0]["text"], "加入候補，排在第1位。");
        assert_eq!((&told["entries"][1]["reason"], &told["entries"][1]["note"]), (&json!("no_pass"), &Value::Null));
        house.get(&path).by(&ana).await.expect_refused(404, "not-found");
        house.get(&path).by(&house.studio.desk).await.expect(200);
    }

    async fn an_offer_is_answered_by_the_link_in_its_letter(house: House) {
        house.rules(json!({"after_cutoff": "offers"})).await;
        let (_, booked, queue) = house.evening_waited_for(2).await;
        house.it_is("2026-12-03 12:00");
        house.cancel(&booked).await.expect(200);
        let link = house.offer_link(&queue[0].person).await;
        // Mail scanners open every link: looking at it does nothing.
        for _ in 0..2 {
            let page = house.get(&link).header("Accept-Language", "zh-Hans").await.expect(200);
            assert!(page.text.contains("接受名额") && page.text.contains("12:30"), "{}", page.text);
            assert!(!page.text.contains("Member 2"), "{}", page.text);
        }
        assert_eq!(house.status(&queue[0]).await, "offered");
        house.answer(&link, "maybe").await.expect(422);
        house.answer(&format!("{}x", &link[..link.len() - 1]), "accept").await.expect_refused(404, "not-found");
        let page = house.answer(&link, "accept").await.expect(200);
        assert!(page.text.contains("The place is yours") && !page.text.contains("<form"), "{}", page.text);
        assert_eq!(house.status(&queue[0]).await, "booked");
        // Twice is once, and it is no way to cancel what was taken.
        house.answer(&link, "accept").await.expect(200);
        house.answer(&link, "decline").await.expect(200);
        assert_eq!(house.status(&queue[0]).await, "booked");

        house.cancel(&queue[0]).await.expect(200);
        let link = house.offer_link(&queue[1].person).await;
        assert!(house.answer(&link, "decline").await.expect(200).text.contains("declined"));
        assert_eq!(house.status(&queue[1]).await, "cancelled");
    }

    async fn a_link_is_of_no_use_when_the_offer_is_over(house: House) {
        house.rules(json!({"after_cutoff": "offers"})).await;
        let (_, booked, queue) = house.evening_waited_for(1).await;
        house.it_is("2026-12-03 12:00");
        house.cancel(&booked).await.expect(200);
        let link = house.offer_link(&queue[0].person).await;
        house.it_is("2026-12-03 12:30");
        let page = house.answer(&link, "accept").await.expect(409);
        assert!(page.text.contains("is over"), "{}", page.text);
        house.sweep().await;
        assert!(house.answer(&link, "accept").await.expect(200).text.contains("is over"));
        assert_eq!(house.status(&queue[0]).await, "cancelled");
        // Neither the member's own list of letters nor the studio's shows it.
        let letters = house.get("/v1/me/letters").by(&queue[0].person).await.expect(200);
        assert!(letters.text.contains("place_offered") && !letters.text.contains("/offers/"), "{}", letters.text);
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

    async fn of_all_who_are_asked_one_wins(house: House) {
        let people = regulars(&house).await;
        let neighbour = Neighbour::of(&house, true).await;
        for race in 0..5 {
            assert_eq!(all_accept(&house, &people, [&house.url, &neighbour.url], race).await, 1);
            house.audit_is_clean().await;
        }
        neighbour.leave().await;
    }

    async fn an_offer_is_taken_or_over(house: House) {
        house.rules(json!({"after_cutoff": "offers"})).await;
        let neighbour = Neighbour::of(&house, true).await;
        let people = house.members(3).await;
        for race in 0..6 {
            let apps = if race % 2 == 0 { [&house.app, &neighbour.app] } else { [&neighbour.app, &house.app] };
            let came = taken_as_it_ends(&house, &people, apps, race).await;
            assert!(!was_torn(&came), "{came:?}");
            house.audit_is_clean().await;
        }
        neighbour.leave().await;
    }
}

/// Members with a pass for every class, in a studio where all who wait are asked.
async fn regulars(house: &House) -> Vec<Person> {
    house.rules(json!({"after_cutoff": "notify_all", "bookings_ahead_max": 1_000, "waitlist_unlimited": true})).await;
    let mut people = Vec::new();
    for n in 0..5 {
        let person = house.stranger(&format!("Regular {n}")).await;
        house.membership(&person, None).await;
        people.push(person);
    }
    people
}

/// On an evening of its own in each race a place comes free, and all who wait take it at once, by turns at either process; how many got it.
async fn all_accept(house: &House, people: &[Person], urls: [&str; 2], race: usize) -> usize {
    let day = chrono::NaiveDate::from_ymd_opt(2026, 12, 3).unwrap() + chrono::Days::new(race as u64);
    house.it_is(&format!("{day} 12:00"));
    house.sweep().await;
    let evening = house.session(&format!("{day} 18:30"), 1).await;
    let booked = house.book(&people[0], &evening).await.expect_booked();
    let mut waiting = Vec::new();
    for person in &people[1..] {
        waiting.push(house.book(person, &evening).or_wait().await.expect_waitlisted(waiting.len() as i64 + 1));
    }
    house.cancel(&booked).await.expect(200);
    let taps = waiting.iter().enumerate().map(|(n, one)| {
        let call = house.http.put(format!("{}/v1/bookings/{}/acceptance", urls[n % 2], one.id)).bearer_auth(&one.person.token);
        let call = call.json(&json!({}));
        tokio::spawn(async move { call.send().await.unwrap().status().as_u16() })
    });
    let taps: Vec<_> = taps.collect();
    let statuses: Vec<u16> = futures_util::future::join_all(taps).await.into_iter().map(Result::unwrap).collect();
    assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
    statuses.into_iter().filter(|status| *status == 200).count()
}

/// The negative control: without the lock that puts batches in sequence, and without the table's own check, two take one place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_batch_lock_two_take_one_place() {
    let prepare = async |house: &House| {
        house.write(|tx| Box::pin(tx.run("ALTER TABLE sessions DROP CONSTRAINT sessions_never_oversold", ()))).await;
        regulars(house).await
    };
    let goes_wrong = async |house: &House, people: &Vec<Person>, [one, two]: [&Neighbour; 2], race: usize| {
        all_accept(house, people, [&one.url, &two.url], race).await > 1
    };
    without_the_lock(prepare, goes_wrong).await;
}

/// An offer is accepted at one process in its last second, while the other ends it: how both were answered, and who has the place then.
async fn taken_as_it_ends(house: &House, people: &[Person], [one, two]: [&App; 2], race: usize) -> (bool, String, String) {
    let day = chrono::NaiveDate::from_ymd_opt(2026, 12, 3).unwrap() + chrono::Days::new(race as u64);
    let evening = house.session(&format!("{day} 18:30"), 1).await;
    house.it_is(&format!("{day} 10:00"));
    house.sweep().await;
    let booked = house.book(&people[0], &evening).await.expect_booked();
    let first = house.book(&people[1], &evening).or_wait().await.expect_waitlisted(1);
    let second = house.book(&people[2], &evening).or_wait().await.expect_waitlisted(2);
    house.cancel(&booked).await.expect(200);
    house.it_is(&format!("{day} 10:29"));
    let taps = one.transactor.submit(Actor { person_id: Some(people[1].id), ..Actor::default() }, Command::Accept { booking_id: first.id });
    // The tap is stamped with the time at which it was handed in: then the clock goes on.
    let ends = async {
        house.it_is(&format!("{day} 10:30"));
        two.transactor.submit_sweep(Command::ExpireOffer { booking_id: first.id }).await
    };
    let (taken, _) = tokio::join!(taps, ends);
    (taken.is_ok(), house.status(&first).await, house.status(&second).await)
}

/// Whether the place was given twice, or taken from whoever was told that it is theirs.
fn was_torn((taken, first, second): &(bool, String, String)) -> bool {
    !matches!((*taken, first.as_str(), second.as_str()), (true, "booked", "waitlisted") | (false, "cancelled", "offered"))
}

/// The negative control: without that lock an offer is both taken and over, and its place is two members'.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_batch_lock_an_offer_is_taken_and_over() {
    let prepare = async |house: &House| {
        house.write(|tx| Box::pin(tx.run("ALTER TABLE sessions DROP CONSTRAINT sessions_never_oversold", ()))).await;
        let people = regulars(house).await;
        house.rules(json!({"after_cutoff": "offers", "bookings_ahead_max": 1_000})).await;
        people
    };
    let goes_wrong = async |house: &House, people: &Vec<Person>, [one, two]: [&Neighbour; 2], race: usize| {
        was_torn(&taken_as_it_ends(house, people, [&one.app, &two.app], race).await)
    };
    without_the_lock(prepare, goes_wrong).await;
}
