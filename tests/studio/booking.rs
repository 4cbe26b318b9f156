//! Booking: what a tap on "book" gives, what it costs, and every way it is refused.

use chrono::TimeDelta;
use serde_json::json;

use crate::seed::Session;

both_engines! {
    async fn a_member_books_a_place(house: House) {
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 10).await;
        let evening = house.session("2026-12-03 18:30", 12).await;

        let booking = house.book(&ana, &evening).await.expect_made().expect_booked();
        assert_eq!(booking.body["session_id"], json!(evening.id));
        assert_eq!(booking.body["person_id"], json!(ana.id));
        assert_eq!(booking.body["pass_id"], json!(pack.id));
        assert_eq!(booking.body["credits"], 1);
        assert_eq!(booking.body["waitlist_position"], json!(null));
        assert_eq!(booking.body["offer"], json!(null));
        assert_eq!(booking.body["ended_at"], json!(null));
        assert_eq!(booking.body["provisional"], false);
        assert_eq!(booking.body["created_at"], "2026-11-30T02:00:00.000000Z");
        // Twelve hours before the start: 06:30 of the same day in Shanghai.
        assert_eq!(booking.body["free_cancel_until"], "2026-12-02T22:30:00.000000Z");
        assert_eq!(booking.body["free_cancel_text"], "Free to cancel until Thu 3 Dec, 06:30; then 1 credit. As things stand, that would be forgiven.");
        assert_eq!(booking.body["cancel_now"]["free"], true);
        assert_eq!(booking.body["cancel_now"]["credits_lost"], 0);
        assert_eq!(booking.body["session"]["booked"], 1);
        assert_eq!(booking.body["session"]["places_left"], 11);
        assert_eq!(booking.body["session"]["me"], json!({"booking_id": booking.id, "status": "booked", "waitlist_position": null}));
        assert_eq!(house.balance(&pack).await, 9);
        assert_eq!(house.now(&booking).await, booking.body);

        let mine = house.get("/v1/me/bookings").by(&ana).await.expect(200);
        assert_eq!(mine["bookings"].as_array().unwrap().len(), 1);
        assert_eq!(mine["bookings"][0]["id"], json!(booking.id));
        assert_eq!(mine["next"], json!(null));
        let past = house.get("/v1/me/bookings?when=past").by(&ana).await.expect(200);
        assert_eq!(past["bookings"], json!([]));
        assert_eq!(house.kinds_to(&ana).await, ["booked"]);
    }

    async fn the_same_tap_again_is_the_same_booking(house: House) {
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 10).await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        let booking = house.book(&ana, &evening).await.expect_made().expect_booked();

        let again = house.book(&ana, &evening).id(booking.id).await.expect_repeated().expect_booked();
        assert_eq!(again.body, booking.body);
        // Bodies are compared after defaults.
        house.book(&ana, &evening).id(booking.id).saying("waitlist", json!(false)).saying("pass_id", json!(null)).await.expect_repeated();
        assert_eq!(house.balance(&pack).await, 9);
        assert_eq!(house.kinds_to(&ana).await, ["booked"]);

        house.cancel(&booking).await.expect(200);
        let ended = house.book(&ana, &evening).id(booking.id).await.expect_repeated();
        assert_eq!(ended.reply["status"], "cancelled");
        // Booking again takes a new id.
        house.book(&ana, &evening).await.expect_made().expect_booked();
        assert_eq!(house.balance(&pack).await, 9);
    }

    async fn an_id_that_was_used_for_something_else_tells_nothing(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-12-03 18:30", 12).await;
        let other = house.session("2026-12-04 18:30", 12).await;
        let booking = house.book(&ana, &evening).await.expect_booked();

        for tap in [
            house.book(&ana, &other).id(booking.id),
            house.book(&ana, &evening).id(booking.id).or_wait(),
            house.book(&bo, &evening).id(booking.id),
            house.book(&ana, &evening).id(booking.id).sent_by(&house.studio.desk),
        ] {
            let refusal = tap.await.expect_refused(409, "booking-id-reused");
            assert!(!refusal.text.contains(&evening.id.to_string()), "{}", refusal.text);
            assert!(!refusal.text.contains(&ana.id.to_string()), "{}", refusal.text);
        }
        assert_eq!(house.now(&booking).await["status"], "booked");
    }

    async fn the_same_tap_many_times_at_once_books_once(house: House) {
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 10).await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        let id = house.new_id();
        let taps = (0..12).map(|_| async { house.book(&ana, &evening).id(id).await });
        let answers = futures_util::future::join_all(taps).await;
        let made = answers.iter().filter(|answer| answer.reply.status == 201).count();
        let repeated = answers.iter().filter(|answer| answer.reply.status == 200).count();
        assert_eq!((made, repeated), (1, 11));
        assert_eq!(house.balance(&pack).await, 9);
        assert_eq!(house.kinds_to(&ana).await, ["booked"]);
    }

    async fn a_full_session_refuses_with_the_facts_of_its_queue(house: House) {
        let people = house.members(6).await;
        let evening = house.session("2026-12-03 18:30", 1).await;
        house.book(&people[0], &evening).await.expect_booked();
        let refusal = house.book(&people[1], &evening).await.expect_refused(409, "session-full");
        assert_eq!(refusal["waitlist"], json!({"open": true, "length": 0, "cap": 3}));
        for (n, person) in people[1..4].iter().enumerate() {
            house.book(person, &evening).or_wait().await.expect_made().expect_waitlisted(n as i64 + 1);
        }
        let refusal = house.book(&people[4], &evening).await.expect_refused(409, "session-full");
        assert_eq!(refusal["waitlist"], json!({"open": false, "length": 3, "cap": 3}));
        let refusal = house.book(&people[5], &evening).or_wait().await.expect_refused(409, "waitlist-full");
        assert_eq!(refusal["waitlist"]["cap"], 3);
    }

    async fn a_refusal_is_not_remembered(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-12-03 18:30", 1).await;
        let first = house.book(&ana, &evening).await.expect_booked();
        let id = house.new_id();
        house.book(&bo, &evening).id(id).await.expect_refused(409, "session-full");
        house.get(format!("/v1/bookings/{id}")).by(&bo).await.expect_refused(404, "not-found");
        house.cancel(&first).await.expect(200);
        house.book(&bo, &evening).id(id).await.expect_made().expect_booked();
    }

    async fn nobody_is_in_a_session_twice(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        let booking = house.book(&ana, &evening).await.expect_booked();
        let refusal = house.book(&ana, &evening).await.expect_refused(409, "already-booked");
        assert_eq!(refusal["booking_id"], json!(booking.id));
        let full = house.session("2026-12-04 18:30", 1).await;
        let bo = house.member("Bo").await;
        house.book(&bo, &full).await.expect_booked();
        let waiting = house.book(&ana, &full).or_wait().await.expect_waitlisted(1);
        let refusal = house.book(&ana, &full).or_wait().await.expect_refused(409, "already-booked");
        assert_eq!(refusal["booking_id"], json!(waiting.id));
    }

    async fn nobody_is_in_two_sessions_at_once(house: House) {
        let (ana, mei, zoe) = (house.member("Ana").await, house.colleague("Mei").await, house.colleague("Zoe").await);
        let evening = house.session("2026-12-03 18:30", 12).await;
        let overlaps = house.plan("2026-12-03 19:24", 12).taught_by(&mei).await;
        let follows = house.plan("2026-12-03 19:25", 12).taught_by(&zoe).await;
        let booking = house.book(&ana, &evening).await.expect_booked();
        let refusal = house.book(&ana, &overlaps).await.expect_refused(409, "overlapping-booking");
        assert_eq!(refusal["booking_id"], json!(booking.id));
        // One that begins when the other ends does not overlap it.
        house.book(&ana, &follows).await.expect_booked();
    }

    async fn who_cannot_pay_is_shown_the_shop(house: House) {
        let ana = house.stranger("Ana").await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        let refusal = house.book(&ana, &evening).await.expect_refused(402, "no-pass");
        assert_eq!(refusal["shop_url"], "https://jingan.releve.test/shop");
        let dear = house.plan("2026-12-04 18:30", 12).credits(3).await;
        let pack = house.pack(&ana, 2).await;
        house.book(&ana, &dear).await.expect_refused(402, "no-pass");
        assert_eq!(house.balance(&pack).await, 2);
    }

    async fn booking_has_a_window(house: House) {
        let ana = house.member("Ana").await;
        // Opens 14 days before, at noon.
        let later = house.session("2026-12-15 18:30", 12).await;
        let refusal = house.book(&ana, &later).await.expect_refused(409, "not-open-yet");
        assert_eq!(refusal["opens_at"], "2026-12-01T04:00:00.000000Z");
        house.it_is("2026-12-01 11:59");
        house.book(&ana, &later).await.expect_refused(409, "not-open-yet");
        house.it_is("2026-12-01 12:00");
        house.book(&ana, &later).await.expect_booked();

        let soon = house.session("2026-12-01 18:30", 12).await;
        house.it_is("2026-12-01 18:30");
        house.book(&ana, &soon).await.expect_refused(409, "booking-closed");
    }

    async fn house_rules_close_booking_earlier(house: House) {
        house.rules(json!({"booking_closes_min": 60})).await;
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-01 18:30", 12).await;
        house.it_is("2026-12-01 17:30");
        house.book(&ana, &evening).await.expect_refused(409, "booking-closed");
        house.it_is("2026-12-01 17:29");
        house.book(&ana, &evening).await.expect_booked();
    }

    async fn a_cancelled_session_takes_no_bookings(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        house.cancel_session(&evening, &json!({"reason": "illness"})).await.expect(200);
        house.book(&ana, &evening).await.expect_refused(409, "session-cancelled");
    }

    async fn there_is_a_most_of_bookings_ahead(house: House) {
        house.rules(json!({"bookings_ahead_max": 2})).await;
        let ana = house.member("Ana").await;
        let (one, two, three) = three_evenings(&house, 12).await;
        house.book(&ana, &one).await.expect_booked();
        let second = house.book(&ana, &two).await.expect_booked();
        house.book(&ana, &three).await.expect_refused(409, "too-many-bookings");
        house.cancel(&second).await.expect(200);
        house.book(&ana, &three).await.expect_booked();
    }

    async fn waiting_does_not_count_as_a_booking_ahead(house: House) {
        house.rules(json!({"bookings_ahead_max": 1})).await;
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let (one, two, _) = three_evenings(&house, 1).await;
        house.book(&bo, &one).await.expect_booked();
        house.book(&ana, &one).or_wait().await.expect_waitlisted(1);
        house.book(&ana, &two).await.expect_booked();
    }

    async fn an_address_must_be_verified(house: House) {
        let ana = house.member("Ana").await;
        let id = ana.id;
        house.write(move |tx| Box::pin(async move {
            tx.run("UPDATE persons SET verified_at = NULL WHERE id = $1", (id,)).await?;
            tx.run("UPDATE accounts SET verified_at = NULL WHERE person_id = $1", (id,)).await
        })).await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        house.book(&ana, &evening).await.expect_refused(403, "address-not-verified");
    }

    async fn who_is_not_signed_in_books_nothing(house: House) {
        let evening = house.session("2026-12-03 18:30", 12).await;
        let path = format!("/v1/bookings/{}", house.new_id());
        let body = json!({"session_id": evening.id});
        house.put(&path).json(&body).await.expect_refused(401, "sign-in-required");
        house.put(&path).token("nonsense").json(&body).await.expect_refused(401, "token-refused");
    }

    async fn what_is_not_there_is_not_found(house: House) {
        let ana = house.member("Ana").await;
        let nowhere = Session { id: house.new_id(), starts_at: house.clock.now(), ends_at: house.clock.now() };
        house.book(&ana, &nowhere).await.expect_refused(404, "not-found");
        let draft = house.plan("2026-12-03 18:30", 12).draft().await;
        house.book(&ana, &draft).await.expect_refused(404, "not-found");
        house.get(format!("/v1/bookings/{}", house.new_id())).by(&ana).await.expect_refused(404, "not-found");
        house.accept_id(house.new_id(), &ana).await.expect_refused(404, "not-found");
    }

    async fn a_tap_that_comes_too_late_does_nothing(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        let limit = house.clock.now() + TimeDelta::seconds(30);
        house.advance(TimeDelta::seconds(31));
        let id = house.new_id();
        house.book(&ana, &evening).id(id).not_after(limit).await.expect_refused(409, "tap-expired");
        house.get(format!("/v1/bookings/{id}")).by(&ana).await.expect_refused(404, "not-found");
        // What was booked in time stays booked, however late its repeat comes.
        let limit = house.clock.now() + TimeDelta::seconds(30);
        let booking = house.book(&ana, &evening).id(id).not_after(limit).await.expect_made().expect_booked();
        house.advance(TimeDelta::minutes(1));
        house.book(&ana, &evening).id(booking.id).not_after(limit).await.expect_repeated().expect_booked();
        let nonsense = house.put(format!("/v1/bookings/{}", house.new_id())).by(&ana).header("Not-After", "tomorrow");
        nonsense.json(&json!({"session_id": evening.id})).await.expect_client_error().naming("Not-After");
    }

    async fn an_id_that_was_withdrawn_stays_withdrawn_for_a_day(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-12-03 18:30", 12).await;
        let id = house.new_id();
        let withdraw = format!("/v1/bookings/{id}/cancellation");
        house.put(&withdraw).by(&ana).json(&json!({})).await.expect_refused(404, "not-found");
        house.put(&withdraw).by(&ana).json(&json!({})).await.expect_refused(404, "not-found");
        house.book(&ana, &evening).id(id).await.expect_refused(409, "booking-withdrawn");
        // Barred for its caller only: nobody can take an id away from others.
        house.book(&bo, &evening).id(id).await.expect_made().expect_booked();

        let id = house.new_id();
        house.put(format!("/v1/bookings/{id}/cancellation")).by(&ana).json(&json!({})).await.expect(404);
        house.advance(TimeDelta::hours(24));
        house.book(&ana, &evening).id(id).await.expect_made().expect_booked();
    }

    async fn other_people_s_bookings_are_not_there(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-12-03 18:30", 12).await;
        let booking = house.book(&ana, &evening).await.expect_booked();
        let path = format!("/v1/bookings/{}", booking.id);
        house.get(&path).by(&bo).await.expect_refused(404, "not-found");
        house.put(format!("{path}/cancellation")).by(&bo).json(&json!({})).await.expect_refused(404, "not-found");
        house.put(format!("{path}/acceptance")).by(&bo).json(&json!({})).await.expect_refused(404, "not-found");
        house.put(format!("{path}/check-in")).by(&bo).json(&json!({})).await.expect_refused(404, "not-found");
        house.get(&path).by(&house.studio.desk).await.expect(200);
        assert_eq!(house.now(&booking).await["status"], "booked");
    }

    async fn the_pass_that_pays(house: House) {
        let ana = house.stranger("Ana").await;
        let today = house.today();
        let late = house.pack_until(&ana, 5, today + chrono::Days::new(60)).await;
        let soon = house.pack_until(&ana, 1, today + chrono::Days::new(30)).await;
        let (one, two, three) = three_evenings(&house, 12).await;
        // The one named.
        let booking = house.book(&ana, &one).with(&late).await.expect_booked();
        assert_eq!(booking.body["pass_id"], json!(late.id));
        // Else the pack that expires first, while it lasts.
        assert_eq!(house.book(&ana, &two).await.expect_booked().body["pass_id"], json!(soon.id));
        assert_eq!(house.book(&ana, &three).await.expect_booked().body["pass_id"], json!(late.id));
        assert_eq!((house.balance(&soon).await, house.balance(&late).await), (0, 3));
        // Somebody else's pass pays for nobody.
        let bo = house.stranger("Bo").await;
        house.book(&bo, &one).with(&late).await.expect_refused(402, "no-pass");
    }

    async fn a_membership_pays_first_while_the_week_has_room(house: House) {
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 5).await;
        let membership = house.membership(&ana, Some(2)).await;
        let (one, two, three) = three_evenings(&house, 12).await;
        for session in [&one, &two] {
            let booking = house.book(&ana, session).await.expect_booked();
            assert_eq!(booking.body["pass_id"], json!(membership.id));
            assert_eq!(booking.body["credits"], 0);
        }
        assert_eq!(house.book(&ana, &three).await.expect_booked().body["pass_id"], json!(pack.id));
        // The next week is another one.
        let next = house.session("2026-12-07 18:30", 12).await;
        assert_eq!(house.book(&ana, &next).await.expect_booked().body["pass_id"], json!(membership.id));
    }

    async fn a_pass_pays_until_its_last_day(house: House) {
        let ana = house.stranger("Ana").await;
        house.pack_until(&ana, 5, "2026-12-03".parse().unwrap()).await;
        let last = house.session("2026-12-03 23:30", 12).await;
        let after = house.session("2026-12-04 00:45", 12).await;
        house.book(&ana, &last).await.expect_booked();
        house.book(&ana, &after).await.expect_refused(402, "no-pass");
    }

    async fn one_s_bookings_are_listed_page_by_page(house: House) {
        let ana = house.member("Ana").await;
        let mut sessions = Vec::new();
        for day in 1..=5 {
            sessions.push(house.session(&format!("2026-12-0{day} 18:30"), 12).await);
        }
        for session in &sessions {
            house.book(&ana, session).await.expect_booked();
        }
        let mut seen = Vec::new();
        let mut path = "/v1/me/bookings?limit=2".to_owned();
        loop {
            let page = house.get(&path).by(&ana).await.expect(200);
            seen.extend(page["bookings"].as_array().unwrap().iter().map(|booking| booking["session_id"].clone()));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/v1/me/bookings?limit=2&after={next}");
        }
        assert_eq!(seen, sessions.iter().map(|session| json!(session.id)).collect::<Vec<_>>());
        house.it_is("2026-12-03 20:00");
        let upcoming = house.get("/v1/me/bookings").by(&ana).await.expect(200);
        assert_eq!(upcoming["bookings"].as_array().unwrap().len(), 2);
        let past = house.get("/v1/me/bookings?when=past").by(&ana).await.expect(200);
        let past: Vec<_> = past["bookings"].as_array().unwrap().iter().map(|booking| booking["session_id"].clone()).collect();
        assert_eq!(past, [json!(sessions[2].id), json!(sessions[1].id), json!(sessions[0].id)]);
    }
}

/// Three evenings of one week.
async fn three_evenings(house: &crate::house::House, capacity: i64) -> (Session, Session, Session) {
    (
        house.session("2026-12-01 18:30", capacity).await,
        house.session("2026-12-02 18:30", capacity).await,
        house.session("2026-12-03 18:30", capacity).await,
    )
}
