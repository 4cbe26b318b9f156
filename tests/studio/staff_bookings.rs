//! What staff do for members: they skip windows, caps and verification; never capacity, overlap or credits.

use serde_json::{Value, json};
use sqlx::types::Json;

both_engines! {
    async fn staff_book_for_a_member(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        let booking = house.book(&ana, &evening).sent_by(&house.studio.desk).await.expect_made().expect_booked();
        assert_eq!(booking.body["person_id"], json!(ana.id));
        // It is the member's: they see it and may cancel it.
        assert_eq!(house.now(&booking).await["status"], "booked");
        house.cancel(&booking).await.expect(200);
    }

    async fn staff_skip_windows_and_caps(house: House) {
        house.rules(json!({"bookings_ahead_max": 1})).await;
        let ana = house.member("Ana").await;
        let far = house.session("2027-01-20 18:30", 12).await;
        let near = house.session("2026-12-03 18:30", 12).await;
        let id = ana.id;
        house.write(move |tx| Box::pin(async move {
            tx.run("UPDATE persons SET verified_at = NULL WHERE id = $1", (id,)).await
        })).await;
        house.book(&ana, &near).sent_by(&house.studio.desk).await.expect_booked();
        house.book(&ana, &far).sent_by(&house.studio.desk).await.expect_booked();
    }

    async fn staff_skip_neither_capacity_nor_overlap_nor_credits(house: House) {
        let (ana, bo, poor) = (house.member("Ana").await, house.member("Bo").await, house.stranger("Poor").await);
        let mei = house.colleague("Mei").await;
        let evening = house.session("2026-12-03 18:30", 1).await;
        let overlaps = house.plan("2026-12-03 19:00", 12).taught_by(&mei).await;
        let desk = &house.studio.desk;
        house.book(&ana, &evening).sent_by(desk).await.expect_booked();
        house.book(&ana, &overlaps).sent_by(desk).await.expect_refused(409, "overlapping-booking");
        house.book(&bo, &evening).sent_by(desk).await.expect_refused(409, "session-full");
        house.book(&poor, &overlaps).sent_by(desk).await.expect_refused(402, "no-pass");
    }

    async fn an_unpaid_place_needs_a_reason_and_is_audited(house: House) {
        let poor = house.stranger("Poor").await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        let desk = &house.studio.desk;
        house.book(&poor, &evening).sent_by(desk).saying("unpaid", json!(true)).await.expect_refused(422, "invalid-fields").naming("reason");
        house.book(&poor, &evening).saying("unpaid", json!(true)).saying("reason", json!("me")).await.expect_refused(403, "not-allowed");
        let tap = house.book(&poor, &evening).sent_by(desk).saying("unpaid", json!(true)).saying("reason", json!("a first class"));
        let booking = tap.await.expect_booked();
        assert_eq!((&booking.body["credits"], &booking.body["pass_id"]), (&json!(0), &json!(null)));
        // What staff wrote stands with the booking; the event says that it was so, in no words.
        let sql = "SELECT COUNT(*) FROM bookings WHERE id = $1 AND unpaid_reason = 'a first class'";
        assert_eq!(house.count(sql, booking.id).await, 1);
        let sql = "SELECT details FROM events WHERE subject_id = $1 AND action = 'booking.booked'";
        let (Json(details),): (Json<Value>,) = house.db.one(sql, (booking.id,)).await.unwrap();
        assert_eq!(details, json!({"credits": 0, "by_staff": true, "unpaid": true}));
    }

    async fn only_the_studio_s_desk_books_for_others(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-12-03 18:30", 12).await;
        house.book(&ana, &evening).sent_by(&bo).await.expect_refused(403, "not-allowed");
        house.book(&ana, &evening).sent_by(&house.studio.instructor).await.expect_refused(403, "not-allowed");
        let brooklyn = house.second_studio().await;
        house.book(&ana, &evening).sent_by(&brooklyn.desk).await.expect_refused(403, "not-allowed");
        house.book(&ana, &evening).sent_by(&house.studio.admin).await.expect_booked();
    }

    async fn staff_cancel_by_the_rules_or_give_everything_back(house: House) {
        house.rules(json!({"late_cancels_forgiven": 0})).await;
        let (ana, bo) = (house.stranger("Ana").await, house.stranger("Bo").await);
        let (anas, bos) = (house.pack(&ana, 5).await, house.pack(&bo, 5).await);
        let evening = house.session("2026-12-03 18:30", 12).await;
        let (one, two) = (house.book(&ana, &evening).await.expect_booked(), house.book(&bo, &evening).await.expect_booked());
        house.it_is("2026-12-03 12:00");
        let desk = &house.studio.desk;
        let path = |booking: &crate::speech::Booking| format!("/v1/bookings/{}/cancellation", booking.id);
        let ended = house.put(path(&one)).by(desk).json(&json!({"return": "rules", "reason": "Ana rang"})).await.expect(200);
        assert_eq!((&ended["status"], &ended["ended_by"], &ended["credits_returned"]), (&json!("late_cancelled"), &json!("staff"), &json!(0)));
        let ended = house.put(path(&two)).by(desk).json(&json!({"return": "all", "reason": "our mistake"})).await.expect(200);
        assert_eq!((&ended["status"], &ended["ended_by"], &ended["credits_returned"]), (&json!("cancelled"), &json!("staff"), &json!(1)));
        assert_eq!((house.balance(&anas).await, house.balance(&bos).await), (4, 5));
        assert_eq!(house.kinds_to(&ana).await, ["booked", "removed_by_staff"]);
        // Members have no such say.
        let three = house.book(&bo, &evening).await.expect_booked();
        house.cancel_if(&three, &json!({"return": "all"})).await.expect_refused(403, "not-allowed");
    }
}
