//! The waitlist: fair, never idle, and able to say why.

use chrono::TimeDelta;
use serde_json::json;

both_engines! {
    async fn a_full_session_makes_a_waitlist(house: House) {
        let people = house.members(3).await;
        let evening = house.session("2026-12-03 18:30", 1).await;
        house.book(&people[0], &evening).await.expect_booked();
        let first = house.book(&people[1], &evening).or_wait().await.expect_waitlisted(1);
        let second = house.book(&people[2], &evening).or_wait().await.expect_waitlisted(2);
        assert_eq!((&first.body["credits"], &first.body["pass_id"]), (&json!(0), &json!(null)));
        assert_eq!(second.body["session"]["waitlist_length"], 2);
        assert_eq!(house.now(&second).await["waitlist_position"], 2);
        assert_eq!(house.kinds_to(&people[1]).await, ["waitlisted"]);
        // Nothing is taken before a place comes.
        let sql = "SELECT COUNT(*) FROM ledger WHERE booking_id = $1";
        assert_eq!(house.count(sql, first.id).await, 0);
    }

    async fn with_a_place_free_who_would_wait_is_booked(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 1).await;
        house.book(&ana, &evening).or_wait().await.expect_booked();
    }

    async fn a_free_place_moves_the_first_up(house: House) {
        let people = house.members(4).await;
        let evening = house.session("2026-12-03 18:30", 1).await;
        let booked = house.book(&people[0], &evening).await.expect_booked();
        let mut waiting = Vec::new();
        for (n, person) in people[1..].iter().enumerate() {
            waiting.push(house.book(person, &evening).or_wait().await.expect_waitlisted(n as i64 + 1));
        }
        house.cancel(&booked).await.expect(200);
        let moved = house.now(&waiting[0]).await;
        assert_eq!((&moved["status"], &moved["waitlist_position"], &moved["credits"]), (&json!("booked"), &json!(null), &json!(1)));
        assert_eq!(house.now(&waiting[1]).await["waitlist_position"], 1);
        assert_eq!(house.now(&waiting[2]).await["waitlist_position"], 2);
        assert_eq!(house.kinds_to(&people[1]).await, ["waitlisted", "promoted"]);
        assert_eq!(house.kinds_to(&people[2]).await, ["waitlisted"]);
    }

    async fn a_promotion_has_a_grace(house: House) {
        house.rules(json!({"promotion_until_min": 60})).await;
        let (ana, bo) = (house.member("Ana").await, house.stranger("Bo").await);
        let pack = house.pack(&bo, 5).await;
        let evening = house.session("2026-12-03 18:30", 1).await;
        let booked = house.book(&ana, &evening).await.expect_booked();
        let waiting = house.book(&bo, &evening).or_wait().await.expect_waitlisted(1);
        // After the free cut-off (06:30), before the promotion cut-off (17:30).
        house.it_is("2026-12-03 16:00");
        house.cancel(&booked).await.expect(200);
        let moved = house.now(&waiting).await;
        assert_eq!(moved["status"], "booked");
        assert_eq!(moved["free_cancel_until"], "2026-12-03T08:15:00.000000Z");
        house.it_is("2026-12-03 16:14");
        let ended = house.cancel_if(&waiting, &json!({"if_free": true})).await.expect(200);
        assert_eq!((&ended["status"], &ended["credits_returned"]), (&json!("cancelled"), &json!(1)));
        assert_eq!(house.balance(&pack).await, 5);
    }

    async fn after_the_cut_off_a_place_is_everybody_s(house: House) {
        let people = house.members(4).await;
        let evening = house.session("2026-12-03 18:30", 1).await;
        let booked = house.book(&people[0], &evening).await.expect_booked();
        let one = house.book(&people[1], &evening).or_wait().await.expect_waitlisted(1);
        let two = house.book(&people[2], &evening).or_wait().await.expect_waitlisted(2);
        house.it_is("2026-12-03 12:00");
        house.cancel(&booked).await.expect(200);
        assert_eq!(house.now(&one).await["status"], "waitlisted");
        assert_eq!(house.now(&one).await["session"]["places_left"], 1);
        assert_eq!(house.kinds_to(&people[1]).await, ["waitlisted", "place_free"]);
        assert_eq!(house.kinds_to(&people[2]).await, ["waitlisted", "place_free"]);

        // The first who takes it has it, and then it is gone.
        let taken = house.accept(&two).await.expect(200);
        assert_eq!((&taken["status"], &taken["credits"]), (&json!("booked"), &json!(1)));
        house.accept(&one).await.expect_refused(409, "session-full");
        // Accepting again is the same.
        assert_eq!(house.accept(&two).await.expect(200)["status"], "booked");

        // Told once an entry, however often a place comes free.
        house.advance(TimeDelta::minutes(10));
        house.cancel(&two).await.expect(200);
        house.book(&people[3], &evening).await.expect_booked();
        assert_eq!(house.kinds_to(&people[1]).await, ["waitlisted", "place_free"]);
        house.accept(&one).await.expect_refused(409, "session-full");
    }

    async fn who_cannot_take_the_place_is_passed_over_and_told_why(house: House) {
        let (ana, poor, busy, bo) = (house.member("Ana").await, house.stranger("Poor").await, house.member("Busy").await, house.member("Bo").await);
        let mei = house.colleague("Mei").await;
        let evening = house.session("2026-12-03 18:30", 1).await;
        let elsewhere = house.plan("2026-12-03 18:00", 5).taught_by(&mei).await;
        let booked = house.book(&ana, &evening).await.expect_booked();
        let of_poor = house.book(&poor, &evening).or_wait().await.expect_waitlisted(1);
        // Joining a queue asks less than taking a place.
        house.book(&busy, &elsewhere).await.expect_booked();
        let of_busy = house.book(&busy, &evening).or_wait().await.expect_waitlisted(2);
        let of_bo = house.book(&bo, &evening).or_wait().await.expect_waitlisted(3);
        house.cancel(&booked).await.expect(200);

        assert_eq!(house.now(&of_bo).await["status"], "booked");
        for (booking, position) in [(&of_poor, 1), (&of_busy, 2)] {
            let now = house.now(booking).await;
            assert_eq!((&now["status"], &now["waitlist_position"]), (&json!("waitlisted"), &json!(position)));
        }
        let roster = house.roster(&evening).await;
        let reasons: Vec<_> = roster["waitlist"].as_array().unwrap().iter().map(|entry| entry["reason"].clone()).collect();
        assert_eq!(reasons, [json!("no_pass"), json!("overlap")]);
        assert_eq!(house.kinds_to(&poor).await, ["waitlisted", "passed_over"]);
        assert_eq!(house.kinds_to(&busy).await.last().unwrap(), "passed_over");

        // Once a reason: the next free place tells nobody again.
        house.cancel(&of_bo).await.expect(200);
        assert_eq!(house.kinds_to(&poor).await, ["waitlisted", "passed_over"]);
    }

    async fn who_becomes_able_is_served_in_that_commit(house: House) {
        let (ana, poor) = (house.member("Ana").await, house.stranger("Poor").await);
        let evening = house.session("2026-12-03 18:30", 1).await;
        let booked = house.book(&ana, &evening).await.expect_booked();
        let waiting = house.book(&poor, &evening).or_wait().await.expect_waitlisted(1);
        house.cancel(&booked).await.expect(200);
        assert_eq!(house.now(&waiting).await["status"], "waitlisted");
        // A pass is sold over the counter.
        house.advance(TimeDelta::minutes(1));
        house.sell_pack(&poor).await;
        assert_eq!(house.now(&waiting).await["status"], "booked");
        assert_eq!(house.kinds_to(&poor).await, ["waitlisted", "passed_over", "pass_sold", "promoted"]);
    }

    async fn a_credit_that_comes_back_serves_who_waited_for_want_of_it(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.stranger("Bo").await);
        house.pack(&bo, 1).await;
        let one = house.session("2026-12-03 18:30", 1).await;
        let two = house.session("2026-12-04 18:30", 5).await;
        let of_ana = house.book(&ana, &one).await.expect_booked();
        let of_bo = house.book(&bo, &one).or_wait().await.expect_waitlisted(1);
        let spent = house.book(&bo, &two).await.expect_booked();
        house.cancel(&of_ana).await.expect(200);
        assert_eq!(house.now(&of_bo).await["status"], "waitlisted");
        house.cancel(&spent).await.expect(200);
        assert_eq!(house.now(&of_bo).await["status"], "booked");
    }

    async fn a_larger_capacity_moves_people_up(house: House) {
        let people = house.members(4).await;
        let evening = house.session("2026-12-03 18:30", 1).await;
        house.book(&people[0], &evening).await.expect_booked();
        let mut waiting = Vec::new();
        for person in &people[1..] {
            waiting.push(house.book(person, &evening).or_wait().await.reply.id());
        }
        house.patch_session(&evening, 1, &json!({"capacity": 3})).await.expect(200);
        let roster = house.roster(&evening).await;
        assert_eq!(roster["booked"].as_array().unwrap().len(), 3);
        assert_eq!(roster["waitlist"].as_array().unwrap().len(), 1);
        assert_eq!(roster["waitlist"][0]["booking_id"], json!(waiting[2]));
        assert_eq!(roster["waitlist"][0]["position"], 1);
    }

    async fn a_place_leaves_the_waitlists_that_overlap_it(house: House) {
        let (ana, bo, mei) = (house.member("Ana").await, house.member("Bo").await, house.colleague("Mei").await);
        let one = house.session("2026-12-03 18:30", 1).await;
        let two = house.plan("2026-12-03 19:00", 1).taught_by(&mei).await;
        let of_ana = house.book(&ana, &one).await.expect_booked();
        let cleo = house.member("Cleo").await;
        house.book(&cleo, &two).await.expect_booked();
        let first = house.book(&bo, &one).or_wait().await.expect_waitlisted(1);
        let second = house.book(&bo, &two).or_wait().await.expect_waitlisted(1);
        house.cancel(&of_ana).await.expect(200);
        assert_eq!(house.now(&first).await["status"], "booked");
        let left = house.now(&second).await;
        assert_eq!((&left["status"], &left["ended_by"]), (&json!("cancelled"), &json!("replaced")));
        assert_eq!(house.kinds_to(&bo).await, ["waitlisted", "waitlisted", "promoted", "waitlist_left"]);
    }

    async fn leaving_the_queue_is_free_and_moves_the_others(house: House) {
        let people = house.members(3).await;
        let evening = house.session("2026-12-03 18:30", 1).await;
        house.book(&people[0], &evening).await.expect_booked();
        let one = house.book(&people[1], &evening).or_wait().await.expect_waitlisted(1);
        let two = house.book(&people[2], &evening).or_wait().await.expect_waitlisted(2);
        house.it_is("2026-12-03 18:00");
        assert_eq!(house.now(&one).await["cancel_now"]["free"], true);
        let left = house.cancel_if(&one, &json!({"if_free": true, "if_status": "waitlisted"})).await.expect(200);
        assert_eq!((&left["status"], &left["ended_by"]), (&json!("cancelled"), &json!("member")));
        assert_eq!(house.now(&two).await["waitlist_position"], 1);
        assert_eq!(house.kinds_to(&people[1]).await, ["waitlisted", "waitlist_left"]);
        house.sweep().await;
    }

    async fn waiting_ends_when_no_way_in_is_left(house: House) {
        let people = house.members(2).await;
        let evening = house.session("2026-12-03 18:30", 1).await;
        house.book(&people[0], &evening).await.expect_booked();
        let waiting = house.book(&people[1], &evening).or_wait().await.expect_waitlisted(1);
        house.it_is("2026-12-03 18:29");
        house.sweep().await;
        assert_eq!(house.now(&waiting).await["status"], "waitlisted");
        house.it_is("2026-12-03 18:30");
        house.sweep().await;
        let ended = house.now(&waiting).await;
        assert_eq!((&ended["status"], &ended["ended_by"], &ended["credits_returned"]), (&json!("cancelled"), &json!("waitlist_closed"), &json!(0)));
        // A second sweep says nothing more.
        house.sweep().await;
        assert_eq!(house.kinds_to(&people[1]).await, ["waitlisted", "waitlist_closed"]);
    }

    async fn a_promotion_pays_by_the_rule_of_the_moment(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.stranger("Bo").await);
        let evening = house.session("2026-12-03 18:30", 1).await;
        let booked = house.book(&ana, &evening).await.expect_booked();
        let pack = house.pack(&bo, 3).await;
        let waiting = house.book(&bo, &evening).or_wait().await.expect_waitlisted(1);
        let membership = house.membership(&bo, None).await;
        house.cancel(&booked).await.expect(200);
        let now = house.now(&waiting).await;
        assert_eq!((&now["pass_id"], &now["credits"]), (&json!(membership.id), &json!(0)));
        assert_eq!(house.balance(&pack).await, 3);
    }

    async fn who_accepts_must_be_able_to_pay(house: House) {
        let (ana, poor) = (house.member("Ana").await, house.stranger("Poor").await);
        let evening = house.session("2026-12-03 18:30", 1).await;
        let booked = house.book(&ana, &evening).await.expect_booked();
        let waiting = house.book(&poor, &evening).or_wait().await.expect_waitlisted(1);
        house.accept(&waiting).await.expect_refused(409, "session-full");
        house.it_is("2026-12-03 12:00");
        house.cancel(&booked).await.expect(200);
        house.accept(&waiting).await.expect_refused(402, "no-pass");
        assert_eq!(house.now(&waiting).await["status"], "waitlisted");
    }

    async fn a_membership_sold_to_who_waits_lets_them_in_at_once_as_often_as_it_allows(house: House) {
        let (bo, desk, studio) = (house.stranger("Bo").await, &house.studio.desk, house.studio.id);
        let ana = house.member("Ana").await;
        let types = house.post_to(format!("/v1/studios/{studio}/pass-types")).by(&house.studio.admin);
        let membership = json!({"name": {"en": "Twice a week"}, "kind": "membership", "per_week": 2, "valid_days": 30});
        let membership = types.json(&membership).await.expect(201).id();
        let mut waiting = Vec::new();
        for day in 2..=4 {
            let evening = house.session(&format!("2026-12-0{day} 18:30"), 1).await;
            let booked = house.book(&ana, &evening).await.expect_booked();
            waiting.push(house.book(&bo, &evening).or_wait().await.expect_waitlisted(1));
            house.cancel(&booked).await.expect(200);
            assert_eq!(house.now(&waiting[waiting.len() - 1]).await["status"], "waitlisted");
        }
        let sell = house.post_to(format!("/v1/studios/{studio}/members/{}/passes", bo.id)).by(desk);
        sell.header("Idempotency-Key", house.new_id()).json(&json!({"pass_type_id": membership})).await.expect(201);
        let mut got = 0;
        for one in &waiting {
            got += usize::from(house.now(one).await["status"] == "booked");
        }
        assert_eq!(got, 2, "twice a week");
    }

    async fn who_has_come_to_one_session_may_have_the_next(house: House) {
        house.rules(json!({"bookings_ahead_max": 1, "promotion_until_min": 60})).await;
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let (noon, evening) = (house.session("2026-12-03 12:00", 1).await, house.session("2026-12-03 18:30", 1).await);
        let coming = house.book(&bo, &noon).await.expect_booked();
        let booked = house.book(&ana, &evening).await.expect_booked();
        let waiting = house.book(&bo, &evening).or_wait().await.expect_waitlisted(1);
        house.it_is("2026-12-03 11:30");
        house.cancel(&booked).await.expect(200);
        assert_eq!(house.now(&waiting).await["status"], "waitlisted");
        let came = house.put(format!("/v1/bookings/{}/check-in", coming.id)).by(&house.studio.desk);
        came.json(&json!({})).await.expect(200);
        assert_eq!(house.now(&waiting).await["status"], "booked");
    }

    async fn overlapping_waitlists_may_be_forbidden(house: House) {
        house.rules(json!({"overlapping_waitlists": false})).await;
        let (ana, bo, cleo, mei) =
            (house.member("Ana").await, house.member("Bo").await, house.member("Cleo").await, house.colleague("Mei").await);
        let one = house.session("2026-12-03 18:30", 1).await;
        let two = house.plan("2026-12-03 19:00", 1).taught_by(&mei).await;
        house.book(&ana, &one).await.expect_booked();
        house.book(&cleo, &two).await.expect_booked();
        let waiting = house.book(&bo, &one).or_wait().await.expect_waitlisted(1);
        let refusal = house.book(&bo, &two).or_wait().await.expect_refused(409, "overlapping-booking");
        assert_eq!(refusal["booking_id"], json!(waiting.id));
    }

    async fn the_queue_grows_without_end_where_the_house_says_so(house: House) {
        house.rules(json!({"waitlist_unlimited": true})).await;
        let people = house.members(12).await;
        let evening = house.session("2026-12-03 18:30", 1).await;
        house.book(&people[0], &evening).await.expect_booked();
        for (n, person) in people[1..].iter().enumerate() {
            house.book(person, &evening).or_wait().await.expect_waitlisted(n as i64 + 1);
        }
    }
}
