//! Cancelling: what it costs, and that no tap costs more than the member was told.

use chrono::TimeDelta;
use serde_json::json;

both_engines! {
    async fn in_time_it_is_free(house: House) {
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 5).await;
        let evening = house.plan("2026-12-03 18:30", 12).credits(2).await;
        let booking = house.book(&ana, &evening).await.expect_booked();
        assert_eq!(house.balance(&pack).await, 3);
        house.it_is("2026-12-03 06:29");
        let ended = house.cancel(&booking).await.expect(200);
        assert_eq!((&ended["status"], &ended["credits_returned"], &ended["ended_by"]), (&json!("cancelled"), &json!(2), &json!("member")));
        assert_eq!(ended["ended_at"], "2026-12-02T22:29:00.000000Z");
        assert_eq!(ended["session"]["booked"], 0);
        assert_eq!(house.balance(&pack).await, 5);
        assert_eq!(house.kinds_to(&ana).await, ["booked", "cancelled"]);
        // Repeated, it answers the same.
        house.it_is("2026-12-03 12:00");
        let again = house.cancel(&booking).await.expect(200);
        assert_eq!((&again["status"], &again["credits_returned"], &again["ended_at"]), (&ended["status"], &ended["credits_returned"], &ended["ended_at"]));
        assert_eq!(house.balance(&pack).await, 5);
    }

    async fn late_it_costs_what_was_said(house: House) {
        house.rules(json!({"late_cancels_forgiven": 0})).await;
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 5).await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        let booking = house.book(&ana, &evening).await.expect_booked();
        house.it_is("2026-12-03 06:31");
        let now = house.now(&booking).await;
        assert_eq!((&now["cancel_now"]["free"], &now["cancel_now"]["credits_lost"]), (&json!(false), &json!(1)));
        let refusal = house.cancel_if(&booking, &json!({"if_free": true})).await.expect_refused(409, "not-free");
        assert_eq!(refusal["cancel_now"]["credits_lost"], 1);
        assert_eq!(house.now(&booking).await["status"], "booked");
        let ended = house.cancel(&booking).await.expect(200);
        assert_eq!((&ended["status"], &ended["credits_returned"]), (&json!("late_cancelled"), &json!(0)));
        assert_eq!(house.balance(&pack).await, 4);
        assert_eq!(house.kinds_to(&ana).await, ["booked", "late_cancelled"]);
    }

    async fn a_booking_after_the_cut_off_has_a_grace(house: House) {
        house.rules(json!({"late_cancels_forgiven": 0})).await;
        let (ana, bo) = (house.stranger("Ana").await, house.stranger("Bo").await);
        let (anas, bos) = (house.pack(&ana, 5).await, house.pack(&bo, 5).await);
        let evening = house.session("2026-12-03 18:30", 12).await;
        house.it_is("2026-12-03 12:00");
        let one = house.book(&ana, &evening).await.expect_booked();
        let two = house.book(&bo, &evening).await.expect_booked();
        assert_eq!(one.body["free_cancel_until"], "2026-12-03T04:05:00.000000Z");
        house.advance(TimeDelta::minutes(4));
        assert_eq!(house.cancel_if(&one, &json!({"if_free": true})).await.expect(200)["status"], "cancelled");
        house.advance(TimeDelta::minutes(2));
        assert_eq!(house.cancel(&two).await.expect(200)["status"], "late_cancelled");
        assert_eq!((house.balance(&anas).await, house.balance(&bos).await), (5, 4));
    }

    async fn the_grace_never_passes_the_start(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        house.it_is("2026-12-03 18:28");
        let booking = house.book(&ana, &evening).await.expect_booked();
        assert_eq!(booking.body["free_cancel_until"], "2026-12-03T10:30:00.000000Z");
    }

    async fn without_a_free_way_out_there_is_no_instant(house: House) {
        house.rules(json!({"grace_booking_min": 0, "late_cancels_forgiven": 0})).await;
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        house.it_is("2026-12-03 12:00");
        let booking = house.book(&ana, &evening).await.expect_booked();
        assert_eq!(booking.body["free_cancel_until"], json!(null));
        assert_eq!(booking.body["cancel_now"]["free"], false);
    }

    async fn later_edits_of_the_rules_never_reach_back(house: House) {
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 5).await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        let booking = house.book(&ana, &evening).await.expect_booked();
        let path = format!("/v1/studios/{}/house-rules", house.studio.id);
        let rules = house.get(&path).by(&house.studio.admin).await.expect(200);
        let mut strict = rules.body.clone();
        strict["free_cancel_min"] = json!(48 * 60);
        house.put(&path).by(&house.studio.admin).header("If-Match", rules.version()).json(&strict).await.expect(200);
        house.it_is("2026-12-03 06:00");
        assert_eq!(house.cancel_if(&booking, &json!({"if_free": true})).await.expect(200)["status"], "cancelled");
        assert_eq!(house.balance(&pack).await, 5);
        // Who books now is told the new ones.
        let bo = house.member("Bo").await;
        let booking = house.book(&bo, &evening).await.expect_booked();
        assert_eq!(booking.body["free_cancel_until"], "2026-12-02T22:05:00.000000Z");
    }

    async fn expectations_are_kept(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-12-03 18:30", 1).await;
        let first = house.book(&ana, &evening).await.expect_booked();
        let waiting = house.book(&bo, &evening).or_wait().await.expect_waitlisted(1);
        house.cancel(&first).await.expect(200);
        // The screen still says that the member waits.
        let refusal = house.cancel_if(&waiting, &json!({"if_status": "waitlisted"})).await.expect_refused(409, "status-changed");
        assert_eq!(refusal["booking_status"], "booked");
        assert_eq!(house.now(&waiting).await["status"], "booked");
        house.cancel_if(&waiting, &json!({"if_status": "booked"})).await.expect(200);
    }

    async fn a_late_cancel_counts_as_the_week_s_visit(house: House) {
        house.rules(json!({"late_cancels_forgiven": 0})).await;
        let ana = house.stranger("Ana").await;
        house.membership(&ana, Some(1)).await;
        let one = house.session("2026-12-03 18:30", 12).await;
        let two = house.session("2026-12-04 18:30", 12).await;
        let booking = house.book(&ana, &one).await.expect_booked();
        house.book(&ana, &two).await.expect_refused(402, "no-pass");
        house.cancel(&booking).await.expect(200);
        // In time: the visit no longer counts.
        let booking = house.book(&ana, &one).await.expect_booked();
        house.it_is("2026-12-03 12:00");
        assert_eq!(house.now(&booking).await["cancel_now"]["free"], false);
        assert_eq!(house.cancel(&booking).await.expect(200)["status"], "late_cancelled");
        house.book(&ana, &two).await.expect_refused(402, "no-pass");
    }

    /// The studio cancels after the member did, too late: the visit is theirs again, and with it a place that they waited for.
    async fn a_session_that_the_studio_cancels_gives_the_week_s_visit_back(house: House) {
        house.rules(json!({"late_cancels_forgiven": 0})).await;
        let (ana, bo) = (house.stranger("Ana").await, house.member("Bo").await);
        house.membership(&ana, Some(1)).await;
        let (one, two) = (house.session("2026-12-03 18:30", 12).await, house.session("2026-12-04 18:30", 1).await);
        let taken = house.book(&bo, &two).await.expect_booked();
        let late = house.book(&ana, &one).await.expect_booked();
        let waiting = house.book(&ana, &two).or_wait().await.expect_waitlisted(1);
        house.it_is("2026-12-03 12:00");
        assert_eq!(house.cancel(&late).await.expect(200)["status"], "late_cancelled");
        house.cancel(&taken).await.expect(200);
        assert_eq!(house.now(&waiting).await["status"], "waitlisted", "no visit is left that week");
        house.cancel_session(&one, &json!({"reason": "illness"})).await.expect(200);
        assert_eq!(house.now(&waiting).await["status"], "booked", "in the same commit");
        assert_eq!(house.now(&late).await["status"], "late_cancelled");
        let kinds = house.kinds_to(&ana).await;
        assert!(kinds.iter().any(|kind| kind == "session_cancelled"), "{kinds:?}");
    }

    async fn after_the_start_attendance_is_corrected_instead(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        let booking = house.book(&ana, &evening).await.expect_booked();
        house.it_is("2026-12-03 18:30");
        house.cancel(&booking).await.expect_refused(409, "session-started");
        assert_eq!(house.now(&booking).await["cancel_now"], json!(null));
    }

    async fn many_cancel_at_once_and_each_place_goes_to_one(house: House) {
        let people = house.members(10).await;
        house.rules(json!({"waitlist_unlimited": true})).await;
        let evening = house.session("2026-12-03 18:30", 5).await;
        let mut bookings = Vec::new();
        for person in &people {
            let answer = house.book(person, &evening).or_wait().await;
            bookings.push(answer.expect_made().held());
        }
        let cancels = bookings[..5].iter().map(|booking| async { house.cancel(booking).await.expect(200) });
        futures_util::future::join_all(cancels).await;
        for booking in &bookings[5..] {
            assert_eq!(house.now(booking).await["status"], "booked");
        }
    }
}
