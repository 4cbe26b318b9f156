//! Changing class: the new place takes over from the old booking in one step, or nothing changes.

use serde_json::{Value, json};

use crate::house::House;
use crate::seed::Session;
use crate::speech::{Booking, Tap};

impl House {
    /// A tap on this session that gives up that booking.
    fn instead(&self, old: &Booking, session: &Session) -> Tap {
        self.book(&old.person, session).saying("replaces", json!(old.id))
    }

    /// How a booking stands, and by what it ended.
    async fn stands(&self, booking: &Booking) -> (Value, Value) {
        let now = self.now(booking).await;
        (now["status"].clone(), now["ended_by"].clone())
    }

    /// What its member reads of it, entry by entry.
    async fn story(&self, booking: &Booking) -> Vec<String> {
        let told = self.get(format!("/v1/bookings/{}/history", booking.id)).by(&booking.person).await.expect(200);
        told["entries"].as_array().unwrap().iter().map(|entry| entry["text"].as_str().unwrap().to_owned()).collect()
    }

    /// Why the first in the queue was passed over.
    pub async fn first_waits_because(&self, session: &Session) -> Value {
        self.roster(session).await["waitlist"][0]["reason"].clone()
    }

    async fn thursday_and_friday(&self) -> (Session, Session) {
        (self.session("2026-12-03 18:30", 1).await, self.session("2026-12-04 18:30", 1).await)
    }
}

fn both(status: &str, ended_by: Option<&str>) -> (Value, Value) {
    (json!(status), json!(ended_by))
}

both_engines! {
    async fn the_credit_that_comes_back_pays(house: House) {
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 1).await;
        let (thursday, friday) = house.thursday_and_friday().await;
        let old = house.book(&ana, &thursday).await.expect_booked();
        house.book(&ana, &friday).await.expect_refused(402, "no-pass");
        let tap = house.new_id();
        let new = house.instead(&old, &friday).id(tap).await.expect_made().expect_booked();
        assert_eq!((&new.body["replaces"], &new.body["credits"]), (&json!(old.id), &json!(1)));
        let ended = house.now(&old).await;
        assert_eq!((&ended["status"], &ended["ended_by"], &ended["replaced_by"]), (&json!("cancelled"), &json!("replaced"), &json!(new.id)));
        assert_eq!((&ended["credits_returned"], house.balance(&pack).await), (&json!(1), 0));

        // The same again is the same; anything else is another wish.
        house.instead(&old, &friday).id(tap).await.expect_repeated().expect_booked();
        house.book(&ana, &friday).id(tap).await.expect_refused(409, "booking-id-reused");
        house.cancel(&old).await.expect(200);

        // One letter about both; what was not sent of the old one is overtaken.
        let letters = house.letters_to(&ana).await;
        let told: Vec<_> = letters.iter().map(|letter| (letter.kind.as_str(), letter.state.as_str())).collect();
        assert_eq!(told, [("booked", "obsolete"), ("exchanged", "sent")]);
        let text = letters[1].body_text.as_deref().unwrap();
        assert!(text.contains("For it your booking of Barre Sculpt, Thu 3 Dec, 18:30, was cancelled: 1 credit went back to your pass."), "{text}");
        assert_eq!(house.story(&old).await, ["Booked.", "Cancelled, at no cost. It was given up for another class."]);
        assert_eq!(house.story(&new).await, ["Booked. Another booking was given up for it."]);
    }

    async fn the_hour_that_comes_free_is_the_new_ones(house: House) {
        let (ana, mei) = (house.member("Ana").await, house.colleague("Mei").await);
        let one = house.session("2026-12-03 18:30", 5).await;
        let two = house.plan("2026-12-03 19:00", 5).taught_by(&mei).await;
        let old = house.book(&ana, &one).await.expect_booked();
        house.book(&ana, &two).await.expect_refused(409, "overlapping-booking");
        house.instead(&old, &two).await.expect_booked();
        assert_eq!(house.stands(&old).await, both("cancelled", Some("replaced")));
    }

    async fn the_place_that_comes_free_goes_to_who_waits_for_it(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let (thursday, friday) = house.thursday_and_friday().await;
        let old = house.book(&ana, &thursday).await.expect_booked();
        let waiting = house.book(&bo, &thursday).or_wait().await.expect_waitlisted(1);
        house.instead(&old, &friday).await.expect_booked();
        assert_eq!(house.stands(&waiting).await, both("booked", None));
    }

    async fn a_position_in_a_queue_can_be_given_up_too(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let (thursday, friday) = house.thursday_and_friday().await;
        house.book(&bo, &thursday).await.expect_booked();
        let old = house.book(&ana, &thursday).or_wait().await.expect_waitlisted(1);
        let new = house.instead(&old, &friday).await.expect_booked();
        assert_eq!(house.stands(&old).await, both("cancelled", Some("replaced")));
        assert_eq!(house.now(&new).await["status"], "booked");
        let letters = house.letters_to(&ana).await;
        let told = letters.into_iter().find(|letter| letter.kind == "exchanged").unwrap().body_text.unwrap();
        assert!(told.contains("For it you gave up waiting for Barre Sculpt, Thu 3 Dec, 18:30."), "{told}");
    }

    async fn what_is_refused_changes_nothing(house: House) {
        let (ana, bo) = (house.stranger("Ana").await, house.member("Bo").await);
        let pack = house.pack(&ana, 1).await;
        let (thursday, friday) = house.thursday_and_friday().await;
        let dear = house.plan("2026-12-05 18:30", 5).credits(3).await;
        let old = house.book(&ana, &thursday).await.expect_booked();
        let bos = house.book(&bo, &friday).await.expect_booked();
        house.instead(&old, &friday).await.expect_refused(409, "session-full");
        house.instead(&old, &dear).await.expect_refused(402, "no-pass");
        let own = house.instead(&old, &thursday).await.expect_refused(409, "already-booked");
        assert_eq!(own["booking_id"], json!(old.id));
        // Another's booking is nothing that one could name, nor is what never was.
        let saturday = house.session("2026-12-05 10:00", 5).await;
        house.book(&ana, &saturday).saying("replaces", json!(bos.id)).await.expect_refused(404, "not-found");
        house.book(&ana, &saturday).saying("replaces", json!(house.new_id())).await.expect_refused(404, "not-found");
        house.book(&ana, &saturday).saying("replaces_late", json!(true)).await.expect_refused(422, "invalid-fields").naming("replaces_late");
        assert_eq!((house.stands(&old).await, house.balance(&pack).await), (both("booked", None), 0));
        assert_eq!(house.kinds_to(&ana).await, ["booked"]);

        house.it_is("2026-12-03 18:30");
        house.instead(&old, &saturday).await.expect_refused(409, "session-started");
        house.cancel(&bos).await.expect(200);
        let ended = house.book(&bo, &saturday).saying("replaces", json!(bos.id)).await.expect_refused(409, "status-changed");
        assert_eq!(ended["booking_status"], "cancelled");
    }

    async fn a_change_that_is_forgiven_costs_nothing(house: House) {
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 5).await;
        let (thursday, friday) = house.thursday_and_friday().await;
        let old = house.book(&ana, &thursday).await.expect_booked();
        house.it_is("2026-12-03 06:31");
        house.instead(&old, &friday).await.expect_booked();
        assert_eq!((house.stands(&old).await, house.balance(&pack).await), (both("late_cancelled", Some("replaced")), 4));
        assert_eq!(house.now(&old).await["penalty"]["forgiven"], "month");
        // The one of this month is used up.
        let (wednesday, newer) = (house.session("2026-12-09 18:30", 5).await, house.session("2026-12-10 18:30", 5).await);
        let old = house.book(&ana, &wednesday).await.expect_booked();
        house.it_is("2026-12-09 06:31");
        house.instead(&old, &newer).await.expect_refused(409, "not-free");
    }

    async fn a_change_that_costs_is_asked_for_by_name(house: House) {
        house.rules(json!({"late_cancels_forgiven": 0})).await;
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 5).await;
        let (thursday, friday) = house.thursday_and_friday().await;
        let old = house.book(&ana, &thursday).await.expect_booked();
        house.it_is("2026-12-03 06:31");
        let tap = house.new_id();
        let refused = house.instead(&old, &friday).id(tap).await.expect_refused(409, "not-free");
        assert_eq!((&refused["booking_id"], &refused["cancel_now"]["credits_lost"]), (&json!(old.id), &json!(1)));
        assert_eq!((house.stands(&old).await, house.balance(&pack).await), (both("booked", None), 4));
        house.instead(&old, &friday).id(tap).saying("replaces_late", json!(true)).await.expect_booked();
        assert_eq!((house.stands(&old).await, house.balance(&pack).await), (both("late_cancelled", Some("replaced")), 3));
        let last = house.letters_to(&ana).await.pop().unwrap();
        assert!(last.body_text.unwrap().contains("The time for free cancelling was over, so 1 credit is lost."));
    }

    async fn staff_change_what_is_their_studios(house: House) {
        let (ana, brooklyn) = (house.member("Ana").await, house.second_studio().await);
        house.put(format!("/v1/studios/{}/members/me", brooklyn.id)).by(&ana).await.expect(200);
        let (thursday, friday) = house.thursday_and_friday().await;
        let there = house.plan("2026-12-05 18:30", 5).at(&brooklyn).await;
        let abroad = house.book(&ana, &there).sent_by(&brooklyn.desk).saying("unpaid", json!(true)).saying("reason", json!("a guest"));
        let abroad = abroad.await.expect_booked();
        house.instead(&abroad, &thursday).sent_by(&house.studio.desk).await.expect_refused(404, "not-found");
        // Their own studio's, yes; and the member themselves may, anywhere.
        let old = house.instead(&abroad, &thursday).await.expect_booked();
        house.instead(&old, &friday).sent_by(&house.studio.desk).await.expect_booked();
        assert_eq!(house.stands(&abroad).await, both("cancelled", Some("replaced")));
        assert_eq!(house.stands(&old).await, both("cancelled", Some("replaced")));
    }

    async fn one_booking_is_given_up_once(house: House) {
        let thursday = house.session("2026-12-03 18:30", 12).await;
        let (friday, saturday) = (house.session("2026-12-04 18:30", 12).await, house.session("2026-12-05 18:30", 12).await);
        for n in 0..5 {
            let ana = house.stranger(&format!("Ana {n}")).await;
            let pack = house.pack(&ana, 1).await;
            let old = house.book(&ana, &thursday).await.expect_booked();
            let (one, two) = tokio::join!(house.instead(&old, &friday).into_future(), house.instead(&old, &saturday).into_future());
            let mut answers = [one.reply.status, two.reply.status];
            answers.sort_unstable();
            assert_eq!((answers, house.balance(&pack).await), ([201, 409], 0));
            house.audit_is_clean().await;
        }
    }

    async fn a_cancellation_may_come_first_or_last(house: House) {
        let (thursday, friday) = (house.session("2026-12-03 18:30", 12).await, house.session("2026-12-04 18:30", 12).await);
        for n in 0..5 {
            let ana = house.stranger(&format!("Ana {n}")).await;
            let pack = house.pack(&ana, 1).await;
            let old = house.book(&ana, &thursday).await.expect_booked();
            let (changed, cancelled) = tokio::join!(house.instead(&old, &friday).into_future(), house.cancel(&old).into_future());
            cancelled.expect(200);
            let (left, ended_by) = (house.balance(&pack).await, house.stands(&old).await.1);
            match changed.reply.status {
                201 => assert_eq!((left, ended_by), (0, json!("replaced"))),
                409 => assert_eq!((left, ended_by), (1, json!("member"))),
                other => panic!("{other}: {}", changed.reply.text),
            }
            house.audit_is_clean().await;
        }
    }

    async fn who_waits_keeps_the_old_place_until_the_new_one_comes(house: House) {
        let (ana, bo, cy) = (house.stranger("Ana").await, house.member("Bo").await, house.member("Cy").await);
        let pack = house.pack(&ana, 1).await;
        let (thursday, friday) = house.thursday_and_friday().await;
        let old = house.book(&ana, &thursday).await.expect_booked();
        let bos = house.book(&bo, &friday).await.expect_booked();
        let for_thursday = house.book(&cy, &thursday).or_wait().await.expect_waitlisted(1);
        let waiting = house.instead(&old, &friday).or_wait().await.expect_waitlisted(1);
        assert_eq!(house.stands(&old).await, both("booked", None));
        // The last instant at which giving up the old one is free.
        house.it_is("2026-12-03 06:30");
        house.cancel(&bos).await.expect(200);
        assert_eq!(house.stands(&waiting).await, both("booked", None));
        assert_eq!((house.stands(&old).await, house.balance(&pack).await), (both("cancelled", Some("replaced")), 0));
        assert_eq!(house.kinds_to(&ana).await, ["booked", "waitlisted", "exchanged"]);
        let story = house.story(&waiting).await;
        assert_eq!(story[1], "Moved from the waitlist into the class. Another booking was given up for it.");
        // The promotions of Thursday's class are over: who waits for it is told that a place is free.
        assert_eq!(house.stands(&for_thursday).await, both("waitlisted", None));
        assert_eq!(house.kinds_to(&cy).await, ["waitlisted", "place_free"]);
    }

    async fn a_promotion_hands_the_old_place_on(house: House) {
        let people = house.members(3).await;
        let (thursday, friday) = house.thursday_and_friday().await;
        let of_ana = house.book(&people[0], &thursday).await.expect_booked();
        let of_bo = house.book(&people[1], &friday).await.expect_booked();
        let waits_for_thursday = house.book(&people[2], &thursday).or_wait().await.expect_waitlisted(1);
        let waits_for_friday = house.instead(&of_ana, &friday).or_wait().await.expect_waitlisted(1);
        house.cancel(&of_bo).await.expect(200);
        assert_eq!(house.stands(&waits_for_friday).await, both("booked", None));
        assert_eq!(house.stands(&waits_for_thursday).await, both("booked", None));
    }

    async fn what_is_not_free_to_give_up_is_kept(house: House) {
        let (ana, bo, cy) = (house.member("Ana").await, house.member("Bo").await, house.member("Cy").await);
        let thursday = house.session("2026-12-03 18:30", 1).await;
        let friday = house.session("2026-12-04 18:30", 2).await;
        let old = house.book(&ana, &thursday).await.expect_booked();
        let first = house.book(&bo, &friday).await.expect_booked();
        let second = house.book(&house.member("Di").await, &friday).await.expect_booked();
        let waiting = house.instead(&old, &friday).or_wait().await.expect_waitlisted(1);
        let behind = house.book(&cy, &friday).or_wait().await.expect_waitlisted(2);
        house.it_is("2026-12-03 06:31");
        house.cancel(&first).await.expect(200);
        assert_eq!(house.stands(&old).await, both("booked", None));
        assert_eq!(house.stands(&behind).await, both("booked", None));
        assert_eq!(house.first_waits_because(&friday).await, "not_free");
        assert_eq!(house.kinds_to(&ana).await, ["booked", "waitlisted", "passed_over"]);
        house.cancel(&second).await.expect(200);
        assert_eq!(house.stands(&waiting).await, both("waitlisted", None));
        house.audit_is_clean().await;
        // Once the old class is over there is nothing to give up any more.
        house.it_is("2026-12-03 19:26");
        house.sweep().await;
        assert_eq!(house.stands(&waiting).await, both("booked", None));
        assert_eq!(house.now(&old).await["replaced_by"], Value::Null);
        assert_eq!(house.kinds_to(&ana).await.last().unwrap(), "promoted");
    }

    async fn what_has_ended_by_itself_is_no_longer_given_up(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let (thursday, friday) = house.thursday_and_friday().await;
        let old = house.book(&ana, &thursday).await.expect_booked();
        let bos = house.book(&bo, &friday).await.expect_booked();
        let waiting = house.instead(&old, &friday).or_wait().await.expect_waitlisted(1);
        house.cancel(&old).await.expect(200);
        house.cancel(&bos).await.expect(200);
        assert_eq!(house.stands(&waiting).await, both("booked", None));
        assert_eq!(house.stands(&old).await, both("cancelled", Some("member")));
        assert_eq!(house.kinds_to(&ana).await.last().unwrap(), "promoted");
    }

    async fn a_tap_of_ones_own_changes_too_or_is_refused(house: House) {
        house.rules(json!({"late_cancels_forgiven": 0})).await;
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let friday = house.session("2026-12-04 18:30", 1).await;
        let (late, saturday) = (house.session("2026-12-04 20:30", 5).await, house.session("2026-12-05 18:30", 5).await);
        let bos = house.book(&bo, &friday).await.expect_booked();
        let cy = house.member("Cy").await;
        let (of_ana, of_cy) = (house.book(&ana, &saturday).await.expect_booked(), house.book(&cy, &late).await.expect_booked());
        let waiting = house.instead(&of_ana, &friday).or_wait().await.expect_waitlisted(1);
        let behind = house.instead(&of_cy, &friday).or_wait().await.expect_waitlisted(2);
        house.it_is("2026-12-04 12:00");
        house.cancel(&bos).await.expect(200);
        let refused = house.accept(&behind).await.expect_refused(409, "not-free");
        assert_eq!(refused["booking_id"], json!(of_cy.id));
        assert_eq!((house.stands(&behind).await, house.stands(&of_cy).await), (both("waitlisted", None), both("booked", None)));
        house.accept(&waiting).await.expect(200);
        assert_eq!((house.stands(&waiting).await, house.stands(&of_ana).await), (both("booked", None), both("cancelled", Some("replaced"))));
        assert_eq!(house.kinds_to(&ana).await.last().unwrap(), "exchanged");
    }

    async fn an_offer_leaves_the_old_place_until_it_is_taken(house: House) {
        house.rules(json!({"after_cutoff": "offers"})).await;
        let (ana, bo, mei) = (house.member("Ana").await, house.member("Bo").await, house.colleague("Mei").await);
        let friday = house.session("2026-12-04 18:30", 1).await;
        let saturday = house.session("2026-12-05 18:30", 5).await;
        let bos = house.book(&bo, &friday).await.expect_booked();
        let old = house.book(&ana, &saturday).await.expect_booked();
        let waiting = house.instead(&old, &friday).or_wait().await.expect_waitlisted(1);
        house.it_is("2026-12-04 12:00");
        house.cancel(&bos).await.expect(200);
        assert_eq!((house.stands(&waiting).await, house.stands(&old).await), (both("offered", None), both("booked", None)));
        house.accept(&waiting).await.expect(200);
        assert_eq!((house.stands(&waiting).await, house.stands(&old).await), (both("booked", None), both("cancelled", Some("replaced"))));

        // Nobody holds two places at once, not even one that is only offered.
        house.rules(json!({"after_cutoff": "offers", "promotion_until_min": 4320, "free_cancel_min": 60})).await;
        let one = house.session("2026-12-06 18:30", 1).await;
        let two = house.plan("2026-12-06 19:00", 5).taught_by(&mei).await;
        let bos = house.book(&bo, &one).await.expect_booked();
        let old = house.book(&ana, &two).await.expect_booked();
        let waiting = house.instead(&old, &one).or_wait().await.expect_waitlisted(1);
        house.cancel(&bos).await.expect(200);
        assert_eq!(house.stands(&waiting).await, both("waitlisted", None));
        assert_eq!(house.first_waits_because(&one).await, "overlap");
        // A tap of their own takes the one for the other.
        house.accept(&waiting).await.expect(200);
        assert_eq!((house.stands(&waiting).await, house.stands(&old).await), (both("booked", None), both("cancelled", Some("replaced"))));
    }

    async fn a_promotion_that_an_old_booking_pays_for_needs_no_other_credit(house: House) {
        let (ana, bo) = (house.stranger("Ana").await, house.member("Bo").await);
        let pack = house.pack(&ana, 2).await;
        let dear = house.plan("2026-12-03 18:30", 1).credits(2).await;
        let friday = house.session("2026-12-04 18:30", 1).await;
        let saturday = house.session("2026-12-05 18:30", 1).await;
        let old = house.book(&ana, &dear).await.expect_booked();
        let (one, two) = (house.book(&bo, &friday).await.expect_booked(), house.book(&bo, &saturday).await.expect_booked());
        let changes = house.instead(&old, &friday).or_wait().await.expect_waitlisted(1);
        let poor = house.book(&ana, &saturday).or_wait().await.expect_waitlisted(1);
        house.cancel(&two).await.expect(200);
        assert_eq!(house.first_waits_because(&saturday).await, "no_pass");
        // Two come back and one is spent: the other serves who waited for want of it, in that commit.
        house.cancel(&one).await.expect(200);
        assert_eq!((house.stands(&changes).await, house.stands(&poor).await), (both("booked", None), both("booked", None)));
        assert_eq!(house.balance(&pack).await, 0);
    }
}
