//! What a member is told before the tap, and that the tap then does it.

use serde_json::{Value, json};

use crate::house::House;
use crate::seed::{Pass, Person, Session};
use crate::speech::{Booking, Call, Tap};

impl House {
    fn terms(&self, person: &Person, session: &Session) -> Call {
        self.get(format!("/v1/sessions/{}/terms", session.id)).by(person)
    }

    fn terms_with(&self, person: &Person, session: &Session, pass: &Pass) -> Call {
        self.get(format!("/v1/sessions/{}/terms?pass_id={}", session.id, pass.id)).by(person)
    }

    fn terms_instead(&self, person: &Person, session: &Session, old: &Booking) -> Call {
        self.get(format!("/v1/sessions/{}/terms?replaces={}", session.id, old.id)).by(person)
    }

    fn terms_of_guest(&self, person: &Person, session: &Session) -> Call {
        self.get(format!("/v1/sessions/{}/terms?guest=true", session.id)).by(person)
    }

    fn bring_mum(&self, person: &Person, session: &Session) -> Tap {
        self.book(person, session).saying("guest", json!({"name": "Mum"}))
    }
}

both_engines! {
    async fn the_tap_does_what_was_told(house: House) {
        let ana = house.stranger("Ana").await;
        let (pack, membership) = (house.pack(&ana, 5).await, house.membership(&ana, Some(2)).await);
        let evening = house.session("2026-12-03 18:30", 12).await;
        let told = house.terms(&ana, &evening).await.expect(200);
        assert_eq!((&told["would_be"], &told["refusal"], &told["session_id"]), (&json!("booked"), &Value::Null, &json!(evening.id)));
        assert_eq!((&told["pass"]["id"], &told["pass"]["kind"], &told["pass"]["credits_left"]), (&json!(membership.id), &json!("membership"), &Value::Null));
        assert_eq!((&told["credits"], &told["visit"]), (&json!(0), &json!(true)));
        assert_eq!(told["late_cancel"], json!({"credits_lost": 0, "visit_counts": true, "fee": null, "strike": false, "forgiven_left": 1, "forgiven": true}));
        assert_eq!(told["pass_text"], "“Membership” pays: it counts as a visit that week.");
        let text = "Free to cancel until Thu 3 Dec, 06:30; then it counts as a visit that week. As things stand, that would be forgiven.";
        assert_eq!(told["free_cancel_text"], text);

        let told = house.terms_with(&ana, &evening, &pack).header("Accept-Language", "zh-Hans").await.expect(200);
        assert_eq!((&told["pass"]["id"], &told["pass"]["credits_left"], &told["credits"]), (&json!(pack.id), &json!(5), &json!(1)));
        assert_eq!(told["free_cancel_text"], "12月3日（周四）06:30前可免费取消；之后取消将扣除1次。按目前情况，届时可获豁免。");
        let booking = house.book(&ana, &evening).with(&pack).await.expect_booked();
        for same in ["free_cancel_until", "free_cancel_text"] {
            let shown = house.get(format!("/v1/bookings/{}", booking.id)).by(&ana).header("Accept-Language", "zh-Hans").await;
            assert_eq!(told[same], shown[same], "{same}");
        }
        assert_eq!((&booking.body["pass_id"], &booking.body["credits"]), (&told["pass"]["id"], &told["credits"]));

        let again = house.terms(&ana, &evening).await.expect(200);
        assert_eq!((&again["would_be"], &again["refusal"]["type"]), (&Value::Null, &json!("/problems/already-booked")));
        assert_eq!(again["refusal"]["booking_id"], json!(booking.id));
        house.get(format!("/v1/sessions/{}/terms", evening.id)).await.expect_refused(401, "sign-in-required");
        house.get(format!("/v1/sessions/{}/terms", house.new_id())).by(&ana).await.expect_refused(404, "not-found");
        let draft = house.plan("2026-12-04 18:30", 12).draft().await;
        house.terms(&ana, &draft).await.expect_refused(404, "not-found");
        house.terms(&house.studio.desk, &draft).await.expect(200);
    }

    /// The sentence says it as long as it is so, in the terms, in the answer to the tap and wherever the booking is read.
    async fn that_it_would_be_forgiven_is_told_as_things_stand(house: House) {
        let ana = house.stranger("Ana").await;
        house.pack(&ana, 9).await;
        let late = house.session("2026-11-30 20:00", 12).await;
        let first = house.book(&ana, &late).await.expect_booked();
        let evenings = [house.session("2026-11-30 21:00", 12).await, house.session("2026-12-01 20:00", 12).await];
        let (forgiven, plain) = (" As things stand, that would be forgiven.", "");
        let told_everywhere = async |session: &Session, more: &str| {
            let terms = house.terms(&ana, session).await.expect(200);
            let made = house.book(&ana, session).await.expect_booked();
            assert_eq!(made.body["free_cancel_text"], terms["free_cancel_text"]);
            let booking = made.id;
            let own = house.get("/v1/me/bookings").by(&ana).await.expect(200);
            let listed = own["bookings"].as_array().unwrap().iter().find(|one| one["id"] == booking.to_string().as_str()).unwrap().clone();
            let shown = house.get(format!("/v1/bookings/{booking}")).by(&ana).await.expect(200);
            for text in [&terms["free_cancel_text"], &listed["free_cancel_text"], &shown["free_cancel_text"]] {
                let text = text.as_str().unwrap();
                assert!(text.ends_with(&format!("then 1 credit.{more}")), "{text}");
            }
            booking
        };
        let evening = told_everywhere(&evenings[0], forgiven).await;
        // Late: one is forgiven this month, and then none; in December one is again.
        house.it_is("2026-11-30 12:00");
        let shown = house.get(format!("/v1/bookings/{evening}")).by(&ana).await.expect(200);
        assert_eq!((&shown["cancel_now"]["forgiven"], shown["free_cancel_text"].as_str().unwrap().ends_with(forgiven)), (&json!(true), true));
        assert_eq!(house.cancel(&first).await.expect(200)["penalty"]["forgiven"], "month");
        let shown = house.get(format!("/v1/bookings/{evening}")).by(&ana).await.expect(200);
        assert_eq!((&shown["cancel_now"]["forgiven"], shown["free_cancel_text"].as_str().unwrap().ends_with("then 1 credit.")), (&json!(false), true));
        told_everywhere(&evenings[1], forgiven).await;
        house.rules(json!({"late_cancels_forgiven": 0})).await;
        let plain_one = house.session("2026-12-02 20:00", 12).await;
        told_everywhere(&plain_one, plain).await;
        // A day without penalties holds at once, also for what is booked; a place that is free to the start has nothing to forgive.
        house.rules(json!({"late_cancels_forgiven": 0, "penalty_free_days": ["2026-12-02"]})).await;
        let own = house.get("/v1/me/bookings").by(&ana).await.expect(200);
        let texts: Vec<&str> = own["bookings"].as_array().unwrap().iter().map(|one| one["free_cancel_text"].as_str().unwrap()).collect();
        assert!(texts.iter().any(|text| text.contains("Wed 2 Dec, 08:00") && text.ends_with(forgiven)), "{texts:?}");
        house.rules(json!({"free_cancel_min": 0, "late_cancels_forgiven": 1})).await;
        let free = house.session("2026-12-04 20:00", 12).await;
        let terms = house.terms(&ana, &free).await.expect(200);
        assert_eq!(terms["free_cancel_text"], "Free to cancel until the start.");
        assert_eq!(house.book(&ana, &free).await.expect_booked().body["free_cancel_text"], terms["free_cancel_text"]);
    }

    async fn the_waitlist_is_told(house: House) {
        house.rules(json!({"waitlist_closes_min": 60})).await;
        let people = house.members(2).await;
        let evening = house.session("2026-12-03 18:30", 1).await;
        house.book(&people[0], &evening).await.expect_booked();
        let told = house.terms(&people[1], &evening).await.expect(200);
        assert_eq!((&told["would_be"], &told["refusal"], &told["credits"]), (&json!("waitlisted"), &Value::Null, &json!(1)));
        let list = &told["waitlist"];
        assert_eq!((&list["open"], &list["length"], &list["cap"], &list["after_cutoff"]), (&json!(true), &json!(0), &json!(3), &json!("open")));
        assert_eq!((&list["promotion_until"], &list["closes_at"]), (&json!("2026-12-02T22:30:00.000000Z"), &json!("2026-12-03T09:30:00.000000Z")));
        assert_eq!(
            list["text"],
            "Waiting takes nothing. Until Thu 3 Dec, 06:30 a place that comes free is given to the next in line. \
             A place that comes free later is open to everybody. The waitlist closes Thu 3 Dec, 17:30."
        );
        house.book(&people[1], &evening).or_wait().await.expect_waitlisted(1);
        house.it_is("2026-12-03 17:30");
        house.sweep().await;
        let told = house.terms(&people[1], &evening).header("Accept-Language", "zh-TW").await.expect(200);
        assert_eq!((&told["would_be"], &told["refusal"]["type"]), (&Value::Null, &json!("/problems/session-full")));
        assert_eq!((&told["refusal"]["text"], &told["waitlist"]["text"]), (&json!("該課堂名額已滿。"), &json!("候補已關閉。")));
    }

    async fn why_not_and_from_when(house: House) {
        let gold = house.pass_type(json!({"kind": "pack", "credits": 10}), json!({"booking_opens_days": 20, "bookings_ahead_max": 1})).await;
        let (ana, bo, cara) = (house.stranger("Ana").await, house.member("Bo").await, house.stranger("Cara").await);
        let pass = house.sell_of(gold, &ana).await;
        let evening = house.session("2026-12-18 18:30", 12).await;
        let told = house.terms(&bo, &evening).await.expect(200);
        assert_eq!((&told["would_be"], &told["refusal"]["type"]), (&Value::Null, &json!("/problems/not-open-yet")));
        assert_eq!((&told["refusal"]["from"], &told["booking_opens_at"]), (&json!("2026-12-04T04:00:00.000000Z"), &json!("2026-12-04T04:00:00.000000Z")));
        assert_eq!(told["refusal"]["text"], "Booking has not opened yet. You can book from Fri 4 Dec, 12:00.");
        assert_eq!(told["free_cancel_until"], "2026-12-17T22:30:00.000000Z");
        let told = house.terms(&ana, &evening).await.expect(200);
        assert_eq!((&told["would_be"], &told["pass"]["id"]), (&json!("booked"), &json!(pass.id)));
        assert_eq!(told["booking_opens_at"], "2026-11-28T04:00:00.000000Z");
        assert_eq!(told["caps"][1], json!({"over": "ahead", "of": "pass_type", "max": 1, "taken": 0}));
        house.book(&ana, &evening).await.expect_booked();
        let next = house.session("2026-12-09 18:30", 12).await;
        let told = house.terms(&ana, &next).await.expect(200);
        assert_eq!(told["refusal"]["type"], "/problems/too-many-bookings");
        assert_eq!(told["refusal"]["text"], "You have as many bookings as the studio allows. At most 1 booking ahead with this pass.");
        assert_eq!(told["caps"][1], json!({"over": "ahead", "of": "pass_type", "max": 1, "taken": 1}));
        let told = house.terms(&cara, &next).await.expect(200);
        assert_eq!((&told["refusal"]["type"], &told["pass"], &told["pass_text"]), (&json!("/problems/no-pass"), &Value::Null, &Value::Null));
        assert_eq!(told["late_cancel"]["credits_lost"], 1, "what it costs is told before a pass is bought");
        let id = cara.id;
        house.write(move |tx| Box::pin(async move {
            tx.run("UPDATE persons SET verified_at = NULL WHERE id = $1", (id,)).await?;
            tx.run("UPDATE accounts SET verified_at = NULL WHERE person_id = $1", (id,)).await
        })).await;
        let told = house.terms(&cara, &next).await.expect(200);
        assert_eq!(told["refusal"]["type"], "/problems/address-not-verified");
    }

    async fn giving_up_another_class_does_what_was_told(house: House) {
        house.rules(json!({"late_cancels_forgiven": 0})).await;
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 1).await;
        let (thursday, friday) = (house.session("2026-12-03 18:30", 12).await, house.session("2026-12-04 18:30", 12).await);
        let old = house.book(&ana, &thursday).await.expect_booked();
        let own = house.terms(&ana, &friday).await.expect(200);
        assert_eq!((&own["refusal"]["type"], &own["replaces"]), (&json!("/problems/no-pass"), &Value::Null));

        // The credit that would come back pays; nothing has changed by asking.
        let told = house.terms_instead(&ana, &friday, &old).await.expect(200);
        assert_eq!((&told["would_be"], &told["refusal"], &told["pass"]["id"]), (&json!("booked"), &Value::Null, &json!(pack.id)));
        assert_eq!((&told["pass"]["credits_left"], &told["credits"], house.balance(&pack).await), (&json!(1), &json!(1), 0));
        assert_eq!((&told["replaces"]["booking_id"], &told["replaces"]["cancel_now"]["free"]), (&json!(old.id), &json!(true)));
        assert_eq!(house.now(&old).await["status"], "booked");
        let new = house.book(&ana, &friday).saying("replaces", json!(old.id)).await.expect_booked();
        assert_eq!((&new.body["pass_id"], &new.body["credits"]), (&told["pass"]["id"], &told["credits"]));
        assert_eq!((&new.body["free_cancel_until"], &new.body["free_cancel_text"]), (&told["free_cancel_until"], &told["free_cancel_text"]));
        assert_eq!((house.now(&old).await["status"].clone(), house.balance(&pack).await), (json!("cancelled"), 0));

        // Late it costs what is told, and only whoever says so pays it.
        house.it_is("2026-12-04 12:00");
        let two = house.pack(&ana, 1).await;
        let saturday = house.session("2026-12-05 18:30", 12).await;
        let told = house.terms_instead(&ana, &saturday, &new).await.expect(200);
        let cost = &told["replaces"]["cancel_now"];
        assert_eq!((&cost["free"], &cost["credits_lost"], &cost["strike"]), (&json!(false), &json!(1), &json!(false)));
        assert_eq!((&told["would_be"], &told["pass"]["id"]), (&json!("booked"), &json!(two.id)));
        let refused = house.book(&ana, &saturday).saying("replaces", json!(new.id)).await.expect_refused(409, "not-free");
        assert_eq!((&refused["cancel_now"]["free"], &refused["cancel_now"]["credits_lost"]), (&cost["free"], &cost["credits_lost"]));
        let last = house.book(&ana, &saturday).saying("replaces", json!(new.id)).saying("replaces_late", json!(true)).await.expect_booked();
        assert_eq!(last.body["pass_id"], told["pass"]["id"]);
        let lost = house.now(&new).await;
        assert_eq!((&lost["status"], &lost["credits"]), (&json!("late_cancelled"), &cost["credits_lost"]));
        house.post().await;
    }

    async fn what_cannot_be_given_up_is_told(house: House) {
        let (ana, bo, cara) = (house.member("Ana").await, house.member("Bo").await, house.member("Cara").await);
        let (thursday, friday) = (house.session("2026-12-03 18:30", 12).await, house.session("2026-12-04 18:30", 1).await);
        let old = house.book(&ana, &thursday).await.expect_booked();
        // Somebody else's is nobody's business.
        house.terms_instead(&bo, &friday, &old).await.expect_refused(404, "not-found");
        let both = house.get(format!("/v1/sessions/{}/terms?guest=true&replaces={}", friday.id, old.id)).by(&ana).await;
        both.expect_refused(422, "invalid-fields").naming("guest");
        let same = house.terms_instead(&ana, &thursday, &old).await.expect(200);
        assert_eq!(same["refusal"]["type"], "/problems/already-booked");

        let guests = house.book(&ana, &thursday).saying("guest", json!({"name": "Mum"})).await.expect_booked();
        let told = house.terms_instead(&ana, &friday, &old).await.expect(200);
        assert_eq!((&told["would_be"], &told["refusal"]["type"]), (&Value::Null, &json!("/problems/guests-booked")));
        assert_eq!(told["refusal"]["booking_id"], json!(old.id));
        house.book(&ana, &friday).saying("replaces", json!(old.id)).await.expect_refused(409, "guests-booked");
        house.cancel(&guests).await.expect(200);

        // In a full session the old place is kept until one comes.
        house.book(&bo, &friday).await.expect_booked();
        let told = house.terms_instead(&ana, &friday, &old).await.expect(200);
        assert_eq!((&told["would_be"], &told["replaces"]["cancel_now"]["free"]), (&json!("waitlisted"), &json!(true)));
        let waits = house.book(&ana, &friday).or_wait().saying("replaces", json!(old.id)).await.expect_waitlisted(1);
        assert_eq!(house.now(&old).await["status"], "booked");
        house.cancel(&waits).await.expect(200);
        house.cancel(&old).await.expect(200);
        let told = house.terms_instead(&ana, &friday, &old).await.expect(200);
        assert_eq!((&told["refusal"]["type"], &told["replaces"]["cancel_now"]), (&json!("/problems/status-changed"), &Value::Null));
        house.book(&ana, &friday).or_wait().saying("replaces", json!(old.id)).await.expect_refused(409, "status-changed");

        let begun = house.book(&cara, &thursday).await.expect_booked();
        house.it_is("2026-12-03 18:31");
        let told = house.terms_instead(&cara, &friday, &begun).await.expect(200);
        assert_eq!(told["refusal"]["type"], "/problems/session-started");
        house.book(&cara, &friday).or_wait().saying("replaces", json!(begun.id)).await.expect_refused(409, "session-started");
        house.post().await;
    }

    async fn a_guests_tap_does_what_was_told(house: House) {
        let ana = house.stranger("Ana").await;
        let (pack, _membership) = (house.pack(&ana, 1).await, house.membership(&ana, Some(1)).await);
        let evening = house.session("2026-12-03 18:30", 3).await;
        let told = house.terms_of_guest(&ana, &evening).await.expect(200);
        assert_eq!((&told["would_be"], &told["refusal"]["type"]), (&Value::Null, &json!("/problems/host-not-booked")));
        house.bring_mum(&ana, &evening).await.expect_refused(409, "host-not-booked");

        // The week's visit is the member's own; the pack pays for who comes with them.
        house.book(&ana, &evening).await.expect_booked();
        let told = house.terms_of_guest(&ana, &evening).await.expect(200);
        assert_eq!((&told["would_be"], &told["refusal"], &told["caps"]), (&json!("booked"), &Value::Null, &json!([])));
        assert_eq!((&told["pass"]["id"], &told["credits"], &told["visit"]), (&json!(pack.id), &json!(1), &json!(false)));
        let guests = house.bring_mum(&ana, &evening).await.expect_booked();
        assert_eq!((&guests.body["pass_id"], &guests.body["credits"]), (&told["pass"]["id"], &told["credits"]));
        assert_eq!((&guests.body["free_cancel_until"], &guests.body["free_cancel_text"]), (&told["free_cancel_until"], &told["free_cancel_text"]));

        let told = house.terms_of_guest(&ana, &evening).await.expect(200);
        assert_eq!((&told["would_be"], &told["refusal"]["type"]), (&Value::Null, &json!("/problems/too-many-guests")));
        house.bring_mum(&ana, &evening).await.expect_refused(409, "too-many-guests");
        house.cancel(&guests).await.expect(200);
        let others = house.members(2).await;
        for other in &others {
            house.book(other, &evening).await.expect_booked();
        }
        let told = house.terms_of_guest(&ana, &evening).await.expect(200);
        assert_eq!((&told["would_be"], &told["refusal"]["type"]), (&Value::Null, &json!("/problems/session-full")));
        house.bring_mum(&ana, &evening).await.expect_refused(409, "session-full");
        house.post().await;
    }
}
