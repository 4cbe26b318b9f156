//! How many places a member may have in a day, a week, a month; what counts, and what a place won from the list may exceed. And a list that
//! closes.

use serde_json::json;

both_engines! {
    async fn a_day_a_week_a_month(house: House) {
        house.rules(json!({"bookings_per_day_max": 1, "bookings_per_week_max": 2, "bookings_per_month_max": 3, "booking_opens_days": 90})).await;
        let ana = house.member("Ana").await;
        let on = |local: &'static str| house.session(local, 12);
        let monday = house.book(&ana, &on("2026-12-07 18:30").await).await.expect_booked();
        let refused = house.book(&ana, &on("2026-12-07 20:30").await).await.expect_refused(409, "too-many-bookings");
        assert_eq!((&refused["over"], &refused["of"], &refused["max"]), (&json!("day"), &json!("studio"), &json!(1)));
        house.book(&ana, &on("2026-12-13 18:30").await).await.expect_booked();
        let wednesday = on("2026-12-09 18:30").await;
        let refused = house.book(&ana, &wednesday).await.expect_refused(409, "too-many-bookings");
        assert_eq!((&refused["over"], &refused["max"]), (&json!("week"), &json!(2)));
        house.cancel(&monday).await.expect(200);
        house.book(&ana, &wednesday).await.expect_booked();
        // What is over counts too.
        house.it_is("2026-12-16 10:00");
        house.book(&ana, &on("2026-12-16 18:30").await).await.expect_booked();
        let refused = house.book(&ana, &on("2026-12-30 18:30").await).await.expect_refused(409, "too-many-bookings");
        assert_eq!((&refused["over"], &refused["max"]), (&json!("month"), &json!(3)));
        house.book(&ana, &on("2027-01-01 18:30").await).await.expect_booked();
    }

    async fn a_week_begins_where_the_studio_says_and_crosses_the_year(house: House) {
        house.rules(json!({"bookings_per_week_max": 1, "week_starts_on": 6, "booking_opens_days": 90})).await;
        let ana = house.member("Ana").await;
        // Saturday 26 December to Friday 1 January.
        house.book(&ana, &house.session("2026-12-26 18:30", 12).await).await.expect_booked();
        house.book(&ana, &house.session("2027-01-01 18:30", 12).await).await.expect_refused(409, "too-many-bookings");
        house.book(&ana, &house.session("2027-01-02 18:30", 12).await).await.expect_booked();
        house.book(&ana, &house.session("2026-12-25 18:30", 12).await).await.expect_booked();
    }

    async fn promoted_places_count_and_may_exceed_it(house: House) {
        house.rules(json!({"bookings_per_week_max": 1})).await;
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let (monday, tuesday) = (house.session("2026-12-07 18:30", 1).await, house.session("2026-12-08 18:30", 12).await);
        let first = house.book(&bo, &monday).await.expect_booked();
        let waiting = house.book(&ana, &monday).or_wait().await.expect_waitlisted(1);
        let other = house.book(&ana, &tuesday).await.expect_booked();
        house.cancel(&first).await.expect(200);
        let passed = house.now(&waiting).await;
        assert_eq!((&passed["status"], &passed["waitlist_position"]), (&json!("waitlisted"), &json!(1)));
        assert!(house.kinds_to(&ana).await.contains(&"passed_over".to_owned()));
        // The other one is given up: who waits is served in that commit.
        house.cancel(&other).await.expect(200);
        assert_eq!(house.now(&waiting).await["status"], "booked");
        house.book(&ana, &tuesday).await.expect_refused(409, "too-many-bookings");

        // One more may be won from the list, none more booked.
        let path = format!("/v1/studios/{}/house-rules", house.studio.id);
        let rules = json!({"bookings_per_week_max": 1, "promoted_extra": 1});
        house.put(&path).by(&house.studio.admin).header("If-Match", 1).json(&rules).await.expect(200);
        house.book(&ana, &tuesday).await.expect_refused(409, "too-many-bookings");
        let wednesday = house.session("2026-12-09 18:30", 1).await;
        let first = house.book(&bo, &wednesday).await.expect_booked();
        let waiting = house.book(&ana, &wednesday).or_wait().await.expect_waitlisted(1);
        house.cancel(&first).await.expect(200);
        assert_eq!(house.now(&waiting).await["status"], "booked");
    }

    async fn a_cap_of_a_pass_lets_the_next_one_pay(house: House) {
        let capped = house.pass_type(json!({"kind": "membership"}), json!({"bookings_ahead_max": 1})).await;
        let ana = house.stranger("Ana").await;
        let membership = house.sell_of(capped, &ana).await;
        let (one, two) = (house.session("2026-12-07 18:30", 12).await, house.session("2026-12-08 18:30", 12).await);
        let first = house.book(&ana, &one).await.expect_booked();
        assert_eq!(first.body["pass_id"], json!(membership.id));
        let refused = house.book(&ana, &two).await.expect_refused(409, "too-many-bookings");
        assert_eq!((&refused["over"], &refused["of"], &refused["max"]), (&json!("ahead"), &json!("pass_type"), &json!(1)));
        let pack = house.pack(&ana, 5).await;
        let second = house.book(&ana, &two).await.expect_booked();
        assert_eq!(second.body["pass_id"], json!(pack.id));
    }

    async fn a_cap_of_a_class_type_counts_that_class_type(house: House) {
        let other = json!({"name": {"en": "Ballet"}, "level": "open", "minutes": 55, "credits": 1});
        let other = house.post_to(format!("/v1/studios/{}/class-types", house.studio.id)).by(&house.studio.admin).json(&other).await.expect(201).id();
        house.class_rules(1, json!({"bookings_per_week_max": 1})).await.expect(200);
        let ana = house.member("Ana").await;
        let body = json!({"class_type_id": other, "room_id": house.studio.room, "instructor_id": house.studio.instructor.id, "local_start": "2026-12-07T10:00"});
        let ballet = house.post_to(format!("/v1/studios/{}/sessions", house.studio.id)).by(&house.studio.admin).json(&body).await.expect(201).id();
        house.put(format!("/v1/bookings/{}", house.new_id())).by(&ana).json(&json!({"session_id": ballet})).await.expect(201);
        house.book(&ana, &house.session("2026-12-08 18:30", 12).await).await.expect_booked();
        let refused = house.book(&ana, &house.session("2026-12-09 18:30", 12).await).await.expect_refused(409, "too-many-bookings");
        assert_eq!((&refused["over"], &refused["of"]), (&json!("week"), &json!("class_type")));
        house.it_is("2026-11-30 13:00");
        let again = json!({"session_id": house.session("2026-12-14 18:30", 12).await.id});
        house.put(format!("/v1/bookings/{}", house.new_id())).by(&ana).json(&again).await.expect(201);
    }

    async fn the_list_closes(house: House) {
        house.rules(json!({"waitlist_closes_min": 480, "free_cancel_min": 120})).await;
        let people = house.members(3).await;
        let evening = house.session("2026-12-01 18:30", 1).await;
        let first = house.book(&people[0], &evening).await.expect_booked();
        let waiting = house.book(&people[1], &evening).or_wait().await.expect_waitlisted(1);
        house.it_is("2026-12-01 10:30");
        let session = house.get(format!("/v1/sessions/{}", evening.id)).await.expect(200);
        assert_eq!(session["waitlist_open"], false);
        let full = house.book(&people[2], &evening).or_wait().await.expect_refused(409, "session-full");
        assert_eq!(full["waitlist"]["open"], false);
        house.sweep().await;
        let over = house.now(&waiting).await;
        assert_eq!((&over["status"], &over["ended_by"]), (&json!("cancelled"), &json!("waitlist_closed")));
        // A place that comes free now is everybody's.
        house.cancel(&first).await.expect(200);
        house.book(&people[2], &evening).await.expect_booked();
    }
}
