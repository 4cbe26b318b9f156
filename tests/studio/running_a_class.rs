//! What staff do with a session: its roster, attendance, changes, cancellation, and the report afterwards.

use chrono::TimeDelta;
use serde_json::json;

both_engines! {
    async fn the_roster_says_who_comes(house: House) {
        let people = house.members(3).await;
        let evening = house.session("2026-12-03 18:30", 2).await;
        let mut bookings = Vec::new();
        for person in &people {
            bookings.push(house.book(person, &evening).or_wait().await.expect_made().held());
        }
        for staff in [&house.studio.instructor, &house.studio.desk, &house.studio.admin, &house.studio.owner] {
            let roster = house.get(format!("/v1/sessions/{}/roster", evening.id)).by(staff).await.expect(200);
            let booked = roster["booked"].as_array().unwrap();
            assert_eq!(booked.len(), 2);
            let ana = booked.iter().find(|entry| entry["booking_id"] == json!(bookings[0].id)).unwrap();
            assert_eq!(ana["person"], json!({"id": people[0].id, "name": people[0].name}));
            assert_eq!((&ana["status"], &ana["first_visit"], &ana["visits"], &ana["spot"]), (&json!("booked"), &json!(true), &json!(0), &json!(null)));
            let waiting = &roster["waitlist"][0];
            assert_eq!((&waiting["booking_id"], &waiting["position"], &waiting["reason"]), (&json!(bookings[2].id), &json!(1), &json!(null)));
        }
    }

    async fn the_roster_is_for_the_session_s_staff(house: House) {
        let (ana, mei) = (house.member("Ana").await, house.colleague("Mei").await);
        let brooklyn = house.second_studio().await;
        let evening = house.session("2026-12-03 18:30", 2).await;
        let path = format!("/v1/sessions/{}/roster", evening.id);
        house.get(&path).await.expect_refused(401, "sign-in-required");
        house.get(&path).by(&ana).await.expect_refused(403, "not-allowed");
        house.get(&path).by(&mei).await.expect_refused(403, "not-allowed");
        house.get(&path).by(&brooklyn.admin).await.expect_refused(403, "not-allowed");
        house.get(&path).by(&house.studio.instructor).await.expect(200);
    }

    async fn members_are_checked_in_and_out_again(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 2).await;
        let booking = house.book(&ana, &evening).await.expect_booked();
        let path = format!("/v1/bookings/{}/check-in", booking.id);
        let instructor = &house.studio.instructor;
        house.it_is("2026-12-03 17:29");
        house.put(&path).by(instructor).json(&json!({})).await.expect_refused(409, "not-check-in-time");
        house.it_is("2026-12-03 17:30");
        let came = house.put(&path).by(instructor).json(&json!({})).await.expect(200);
        assert_eq!((&came["status"], &came["arrived_at"]), (&json!("attended"), &json!("2026-12-03T09:30:00.000000Z")));
        house.advance(TimeDelta::minutes(1));
        let again = house.put(&path).by(instructor).json(&json!({})).await.expect(200);
        assert_eq!(again["arrived_at"], came["arrived_at"]);
        let roster = house.roster(&evening).await;
        assert_eq!((&roster["booked"][0]["status"], &roster["booked"][0]["arrived_at"]), (&json!("attended"), &came["arrived_at"]));
        let undone = house.delete(&path).by(&house.studio.desk).await.expect(200);
        assert_eq!((&undone["status"], &undone["arrived_at"]), (&json!("booked"), &json!(null)));
        house.delete(&path).by(&house.studio.desk).await.expect(200);
        // Until 48 hours after the end.
        house.it_is("2026-12-05 19:25");
        house.put(&path).by(instructor).json(&json!({})).await.expect(200);
        house.it_is("2026-12-05 19:26");
        house.delete(&path).by(instructor).await.expect_refused(409, "not-check-in-time");
    }

    async fn a_visit_makes_the_next_one_not_the_first(house: House) {
        let ana = house.member("Ana").await;
        let (one, two) = (house.session("2026-12-03 18:30", 2).await, house.session("2026-12-04 18:30", 2).await);
        let booking = house.book(&ana, &one).await.expect_booked();
        house.book(&ana, &two).await.expect_booked();
        house.it_is("2026-12-03 18:30");
        house.put(format!("/v1/bookings/{}/check-in", booking.id)).by(&house.studio.desk).json(&json!({})).await.expect(200);
        let roster = house.roster(&two).await;
        assert_eq!((&roster["booked"][0]["first_visit"], &roster["booked"][0]["visits"]), (&json!(false), &json!(1)));
    }

    async fn only_the_session_s_staff_mark_attendance(house: House) {
        let (ana, mei) = (house.member("Ana").await, house.colleague("Mei").await);
        let evening = house.session("2026-12-03 18:30", 2).await;
        let booking = house.book(&ana, &evening).await.expect_booked();
        let path = format!("/v1/bookings/{}/check-in", booking.id);
        house.it_is("2026-12-03 18:30");
        house.put(&path).by(&ana).json(&json!({})).await.expect_refused(403, "not-allowed");
        house.put(&path).by(&mei).json(&json!({})).await.expect_refused(404, "not-found");
        let waiting = house.book(&mei, &house.session("2026-12-03 21:30", 2).await).await;
        assert!(waiting.reply.status >= 400, "an instructor without a pass books nothing");
    }

    async fn what_the_studio_cancels_it_gives_back(house: House) {
        house.rules(json!({"late_cancels_forgiven": 0})).await;
        let people = [house.stranger("Ana").await, house.stranger("Bo").await, house.stranger("Cleo").await];
        let soon = house.today() + chrono::Days::new(5);
        let packs = [house.pack_until(&people[0], 5, soon).await, house.pack(&people[1], 5).await, house.pack(&people[2], 5).await];
        let evening = house.session("2026-12-03 18:30", 2).await;
        let booked = house.book(&people[0], &evening).await.expect_booked();
        let late = house.book(&people[1], &evening).await.expect_booked();
        house.it_is("2026-12-03 12:00");
        house.cancel(&late).await.expect(200);
        house.book(&people[2], &evening).await.expect_booked();
        let daria = house.member("Daria").await;
        let waiting = house.book(&daria, &evening).or_wait().await.expect_waitlisted(1);
        assert_eq!(house.balance(&packs[1]).await, 4);

        let cancelled = house.cancel_session(&evening, &json!({"reason": "illness", "note": "Lin has a cold."})).await.expect(200);
        assert_eq!((&cancelled["status"], &cancelled["booked"], &cancelled["waitlist_length"]), (&json!("cancelled"), &json!(0), &json!(0)));
        for (n, pack) in packs.iter().enumerate() {
            assert_eq!(house.balance(pack).await, 5, "pack {n}");
        }
        let ended = house.now(&booked).await;
        assert_eq!((&ended["status"], &ended["ended_by"], &ended["credits_returned"]), (&json!("cancelled"), &json!("studio"), &json!(1)));
        assert_eq!(house.now(&waiting).await["ended_by"], "studio");
        // The late cancel stays what it was; its credit is back.
        let ended = house.now(&late).await;
        assert_eq!((&ended["status"], &ended["credits_returned"]), (&json!("late_cancelled"), &json!(1)));
        // A credit that so returns has 14 days at least.
        let (until,): (chrono::NaiveDate,) = house.db.one("SELECT expires_on FROM passes WHERE id = $1", (packs[0].id,)).await.unwrap();
        assert_eq!(until, house.today() + chrono::Days::new(14));
        for person in people.iter().chain([&daria]) {
            assert_eq!(house.kinds_to(person).await.last().unwrap(), "session_cancelled", "{}", person.name);
        }
        // Repeated, it says nothing twice.
        house.cancel_session(&evening, &json!({"reason": "illness"})).await.expect(200);
        assert_eq!(house.kinds_to(&daria).await, ["waitlisted", "session_cancelled"]);
    }

    async fn who_may_cancel_a_session(house: House) {
        let (ana, mei) = (house.member("Ana").await, house.colleague("Mei").await);
        let evening = house.session("2026-12-03 18:30", 2).await;
        let path = format!("/v1/sessions/{}/cancellation", evening.id);
        for person in [&ana, &mei, &house.studio.desk] {
            house.put(&path).by(person).json(&json!({})).await.expect_refused(403, "not-allowed");
        }
        house.put(&path).by(&house.studio.instructor).json(&json!({})).await.expect(200);
    }

    async fn a_moved_session_tells_its_people_and_opens_a_free_way_out(house: House) {
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 5).await;
        let evening = house.session("2026-12-03 18:30", 2).await;
        let booking = house.book(&ana, &evening).await.expect_booked();
        house.it_is("2026-12-03 12:00");
        let moved = house.patch_session(&evening, 1, &json!({"local_start": "2026-12-03T19:30"})).await.expect(200);
        assert_eq!((&moved["local_start"], &moved["version"], &moved["changed"]), (&json!("2026-12-03T19:30"), &json!(2), &json!(["time"])));
        assert_eq!(house.kinds_to(&ana).await, ["booked", "session_changed"]);
        house.it_is("2026-12-03 19:00");
        assert_eq!(house.cancel_if(&booking, &json!({"if_free": true})).await.expect(200)["status"], "cancelled");
        assert_eq!(house.balance(&pack).await, 5);
    }

    async fn an_edit_needs_to_know_what_it_edits(house: House) {
        let evening = house.session("2026-12-03 18:30", 2).await;
        let path = format!("/v1/sessions/{}", evening.id);
        let admin = &house.studio.admin;
        house.patch(&path).by(admin).json(&json!({"capacity": 3})).await.expect_refused(428, "precondition-missing").naming("If-Match");
        house.patch_session(&evening, 7, &json!({"capacity": 3})).await.expect_refused(412, "version-stale");
        house.patch_session(&evening, 1, &json!({"capacity": 3})).await.expect(200);
        house.patch_session(&evening, 1, &json!({"capacity": 4})).await.expect_refused(412, "version-stale");
    }

    async fn a_capacity_below_what_is_booked_is_refused(house: House) {
        let people = house.members(3).await;
        let evening = house.session("2026-12-03 18:30", 3).await;
        for person in &people {
            house.book(person, &evening).await.expect_booked();
        }
        let refusal = house.patch_session(&evening, 1, &json!({"capacity": 2})).await.expect_refused(409, "capacity-too-small");
        assert_eq!(refusal["booked"], 3);
    }

    async fn a_move_that_would_tear_a_member_in_two_is_refused(house: House) {
        let (ana, mei) = (house.member("Ana").await, house.colleague("Mei").await);
        let one = house.session("2026-12-03 18:30", 2).await;
        let two = house.plan("2026-12-03 20:30", 2).taught_by(&mei).await;
        let booking = house.book(&ana, &one).await.expect_booked();
        house.book(&ana, &two).await.expect_booked();
        let refusal = house.patch_session(&one, 1, &json!({"local_start": "2026-12-03T20:00"})).await.expect_refused(409, "members-overlap");
        assert_eq!(refusal["bookings"][0]["booking_id"], json!(booking.id));
    }

    async fn nobody_teaches_in_two_places_at_once(house: House) {
        let there = house.session("2026-12-03 18:30", 2).await;
        let (mei, studio) = (house.colleague("Mei").await, &house.studio);
        let path = format!("/v1/studios/{}/sessions", studio.id);
        let mut body = json!({"class_type_id": studio.class_type, "room_id": studio.room, "instructor_id": studio.instructor.id, "local_start": "2026-12-03T19:00"});
        let refusal = house.post_to(&path).by(&studio.admin).json(&body).await.expect_refused(409, "instructor-busy");
        assert_eq!(refusal["session_id"], json!(there.id));
        body["instructor_id"] = json!(mei.id);
        let made = house.post_to(&path).by(&studio.admin).json(&body).await.expect(201);
        assert_eq!((&made["local_start"], &made["starts_at"], &made["time_zone"]), (&json!("2026-12-03T19:00"), &json!("2026-12-03T11:00:00.000000Z"), &json!("Asia/Shanghai")));
        let zoe = house.colleague("Zoe").await;
        body["instructor_id"] = json!(zoe.id);
        let refusal = house.post_to(&path).by(&studio.admin).json(&body).await.expect_refused(409, "room-busy");
        assert_eq!(refusal["session_id"], made["id"]);
        // Instructors schedule for themselves, not for others.
        body["local_start"] = json!("2026-12-04T19:00");
        house.post_to(&path).by(&zoe).json(&body).await.expect(201);
        body["instructor_id"] = json!(mei.id);
        body["local_start"] = json!("2026-12-05T19:00");
        house.post_to(&path).by(&zoe).json(&body).await.expect_refused(403, "not-allowed");
    }

    async fn a_wall_time_that_is_skipped_does_not_exist(house: House) {
        let brooklyn = house.second_studio().await;
        let path = format!("/v1/studios/{}/sessions", brooklyn.id);
        let at = |local: &str| json!({"class_type_id": brooklyn.class_type, "room_id": brooklyn.room, "instructor_id": brooklyn.instructor.id, "local_start": local});
        // New York puts its clocks forward on 14 March 2027 and back on 7 November 2027.
        let refusal = house.post_to(&path).by(&brooklyn.admin).json(&at("2027-03-14T02:30")).await;
        refusal.expect_refused(422, "invalid-fields").naming("local_start");
        let made = house.post_to(&path).by(&brooklyn.admin).json(&at("2027-11-07T01:30")).await.expect(201);
        assert_eq!(made["starts_at"], "2027-11-07T05:30:00.000000Z");
    }

    async fn the_report_counts(house: House) {
        let people = house.members(4).await;
        let evening = house.session("2026-12-03 18:30", 3).await;
        let mut bookings = Vec::new();
        for person in &people {
            bookings.push(house.book(person, &evening).or_wait().await.expect_made().held());
        }
        house.it_is("2026-12-03 12:00");
        house.cancel(&bookings[0]).await.expect(200);
        house.it_is("2026-12-03 18:30");
        house.sweep().await;
        house.put(format!("/v1/bookings/{}/check-in", bookings[1].id)).by(&house.studio.desk).json(&json!({})).await.expect(200);
        let path = format!("/v1/studios/{}/reports/attendance?from=2026-12-03&to=2026-12-04", house.studio.id);
        let report = house.get(&path).by(&house.studio.admin).await.expect(200);
        let row = &report["sessions"][0];
        assert_eq!(row["session"]["id"], json!(evening.id));
        assert_eq!((&row["attended"], &row["late_cancelled"], &row["cancelled"], &row["no_show"]), (&json!(1), &json!(1), &json!(0), &json!(0)));
        // Who waited and never had a place is neither booked nor cancelled.
        assert_eq!(row["waitlisted"], 1);
        assert_eq!(report["totals"]["attended"], 1);
        for person in [&people[0], &house.studio.desk, &house.studio.instructor] {
            house.get(&path).by(person).await.expect_refused(403, "not-allowed");
        }
        let csv = house.get(&path).by(&house.studio.admin).header("Accept", "text/csv").await.expect(200);
        assert!(csv.header("content-type").starts_with("text/csv"), "{}", csv.header("content-type"));
        assert_eq!(csv.text.lines().count(), 3, "{}", csv.text);
    }

    async fn cells_never_run_as_formulas(house: House) {
        let name = "=HYPERLINK(\"http://evil.test\")";
        let studio = house.studio.id;
        house.write(move |tx| Box::pin(async move {
            tx.run("UPDATE rooms SET name = $1 WHERE studio_id = $2", (name, studio)).await
        })).await;
        house.session("2026-12-03 18:30", 3).await;
        let path = format!("/v1/studios/{studio}/reports/attendance?from=2026-12-03&to=2026-12-04");
        let csv = house.get(&path).by(&house.studio.admin).header("Accept", "text/csv").await.expect(200);
        assert!(!csv.text.split([',', '\n']).any(|cell| cell.trim_start_matches('"').starts_with(['=', '+', '-', '@'])), "{}", csv.text);
    }

    async fn instructors_see_what_they_teach(house: House) {
        let mei = house.colleague("Mei").await;
        let own = house.session("2026-12-03 18:30", 3).await;
        house.plan("2026-12-03 18:30", 3).taught_by(&mei).await;
        house.session("2026-12-10 18:30", 3).await;
        let path = "/v1/me/teaching?from=2026-12-01&to=2026-12-08";
        let teaching = house.get(path).by(&house.studio.instructor).await.expect(200);
        let ids: Vec<_> = teaching["sessions"].as_array().unwrap().iter().map(|session| session["id"].clone()).collect();
        assert_eq!(ids, [json!(own.id)]);
    }
}
