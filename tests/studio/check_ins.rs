//! At the door: codes, devices, a network that comes and goes, a roster in one call, and who walks in.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use releve::instant;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::house::House;
use crate::races::Neighbour;
use crate::seed::{Person, Session};
use crate::speech::{Booking, Call, Reply};

fn code(booking: &Booking) -> String {
    booking.body["check_in_code"].as_str().unwrap().to_owned()
}

/// A code that a device kept.
fn kept(id: Uuid, booking: &Booking, at: DateTime<Utc>) -> Value {
    json!({"id": id, "code": code(booking), "at": instant::text(at)})
}

impl House {
    /// A device under this id shows a code; who it is is still to be said.
    fn show_as(&self, id: Uuid, code: &str) -> Call {
        self.put(format!("/v1/studios/{}/check-ins/{id}", self.studio.id)).json(&json!({"code": code}))
    }

    /// The desk shows it.
    fn show_code(&self, code: &str) -> Call {
        self.show_as(self.new_id(), code).by(&self.studio.desk)
    }

    /// What a device kept is sent by the desk.
    async fn replay(&self, acts: &[Value]) -> Vec<Value> {
        let call = self.post_to(format!("/v1/studios/{}/check-ins/replay", self.studio.id)).by(&self.studio.desk);
        call.json(&json!({ "acts": acts })).await.expect(200)["results"].as_array().unwrap().clone()
    }

    /// A new kiosk's token, and its id.
    async fn kiosk(&self) -> (String, Uuid) {
        let path = format!("/v1/studios/{}/kiosks", self.studio.id);
        let added = self.post_to(path).by(&self.studio.admin).json(&json!({"name": "Entrance"})).await.expect(201);
        (added["token"].as_str().unwrap().to_owned(), added.id())
    }

    async fn arrivals(&self, booking: Uuid) -> i64 {
        self.count("SELECT COUNT(*) FROM events WHERE subject_id = $1 AND action = 'booking.checked_in'", booking).await
    }

    async fn penalties_that_count(&self, booking: Uuid) -> i64 {
        self.count("SELECT COUNT(*) FROM penalties WHERE booking_id = $1 AND waived_at IS NULL", booking).await
    }

    /// Somebody who came once before, so that this is not their first visit.
    async fn regular(&self, name: &str) -> Person {
        let person = self.member(name).await;
        let hour = 8 + self.how_many("SELECT COUNT(*) FROM sessions").await;
        let before = self.session(&format!("2026-12-01 {hour:02}:00"), 20).await;
        let booking = self.book(&person, &before).await.expect_booked();
        let (id, at) = (booking.id, before.starts_at);
        self.write(move |tx| {
            Box::pin(async move { tx.run("UPDATE bookings SET status = 'attended', arrived_at = $2 WHERE id = $1", (id, at)).await })
        })
        .await;
        person
    }

    fn mark_roster(&self, session: &Session, marks: &Value) -> Call {
        self.put(format!("/v1/sessions/{}/attendance", session.id)).json(marks)
    }
}

fn outcome(result: &Value) -> &str {
    match result["outcome"].as_str().unwrap() {
        "refused" => result["problem"]["type"].as_str().unwrap().trim_start_matches("/problems/"),
        outcome => outcome,
    }
}

/// The classes of 3 December at 18:30 in Shanghai.
const EVENING: &str = "2026-12-03 18:30";

both_engines! {
    async fn a_code_is_one_arrival_however_often_it_is_shown(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session(EVENING, 2).await;
        let booking = house.book(&ana, &evening).await.expect_booked();
        assert_eq!(house.now(&booking).await["check_in_code"], json!(code(&booking)), "it stays the same");
        house.it_is("2026-12-03 18:05");
        let id = house.new_id();
        let came = house.show_as(id, &code(&booking)).by(&house.studio.desk).await.expect(200);
        assert_eq!((&came["id"], &came["booking_id"], &came["name"]), (&json!(id), &json!(booking.id), &json!("Ana")));
        assert_eq!((&came["first_visit"], &came["already"]), (&json!(true), &json!(false)));
        assert_eq!(came["arrived_at"], "2026-12-03T10:05:00.000000Z");
        let session = &came["session"];
        assert_eq!((&session["id"], &session["name"], &session["local_start"]), (&json!(evening.id), &json!("Barre Sculpt"), &json!("2026-12-03T18:30")));
        house.advance(TimeDelta::minutes(2));
        let again = house.show_as(id, &code(&booking)).by(&house.studio.desk).await.expect(200);
        assert_eq!(again.body, came.body, "the same id is answered the same");
        let other = house.show_code(&code(&booking)).await.expect(200);
        assert_eq!((&other["already"], &other["arrived_at"]), (&json!(true), &came["arrived_at"]));
        // Who is in is in, also when it would be too late to come.
        house.it_is("2026-12-03 19:00");
        assert_eq!(house.show_code(&code(&booking)).await.expect(200)["already"], true);
        assert_eq!(house.arrivals(booking.id).await, 1);
        assert_eq!(house.now(&booking).await["status"], "attended");
        // Another's code under the same id.
        let bo = house.member("Bo").await;
        let later = house.book(&bo, &house.session("2026-12-03 20:30", 2).await).await.expect_booked();
        house.show_as(id, &code(&later)).by(&house.studio.desk).await.expect_refused(409, "check-in-id-reused");
    }

    async fn a_code_counts_in_its_window(house: House) {
        let (ana, mo) = (house.regular("Ana").await, house.member("Mo").await);
        let evening = house.session(EVENING, 9).await;
        let (booking, first) = (house.book(&ana, &evening).await.expect_booked(), house.book(&mo, &evening).await.expect_booked());
        house.it_is("2026-12-02 18:30");
        house.show_code(&code(&booking)).await.expect_refused(409, "not-here");
        house.it_is("2026-12-03 17:59");
        let early = house.show_code(&code(&booking)).await.expect_refused(409, "too-early");
        assert_eq!((&early["starts_at"], &early["opens_at"]), (&json!("2026-12-03T10:30:00.000000Z"), &json!("2026-12-03T10:00:00.000000Z")));
        // Nobody comes late to their first visit.
        house.it_is("2026-12-03 18:31");
        let late = house.show_code(&code(&first)).await.expect_refused(409, "too-late");
        assert_eq!((&late["first_visit"], &late["closed_at"]), (&json!(true), &json!("2026-12-03T10:30:00.000000Z")));
        house.it_is("2026-12-03 18:36");
        let late = house.show_code(&code(&booking)).await.expect_refused(409, "too-late");
        assert_eq!((&late["first_visit"], &late["closed_at"]), (&json!(false), &json!("2026-12-03T10:35:00.000000Z")));
        house.it_is("2026-12-03 18:35");
        let came = house.show_code(&code(&booking)).await.expect(200);
        assert_eq!(came["first_visit"], false);
        // Staff may mark them all the same.
        house.it_is("2026-12-03 18:40");
        house.put(format!("/v1/bookings/{}/check-in", first.id)).by(&house.studio.desk).json(&json!({})).await.expect(200);
    }

    async fn the_house_may_open_the_door_wider(house: House) {
        house.rules(json!({"check_in_from_min": 60, "check_in_until_min": 10, "first_visit_late_entry": true})).await;
        let mo = house.member("Mo").await;
        let evening = house.session(EVENING, 9).await;
        let booking = house.book(&mo, &evening).await.expect_booked();
        house.it_is("2026-12-03 18:40");
        assert_eq!(house.show_code(&code(&booking)).await.expect(200)["first_visit"], true);
    }

    async fn what_is_no_place_here_opens_nothing(house: House) {
        let people = house.members(3).await;
        let brooklyn = house.second_studio().await;
        let evening = house.session(EVENING, 1).await;
        let booked = house.book(&people[0], &evening).await.expect_booked();
        let waiting = house.book(&people[1], &evening).or_wait().await.expect_waitlisted(1);
        let cancelled = house.book(&people[2], &house.session("2026-12-03 20:30", 1).await).await.expect_booked();
        house.cancel(&cancelled).await.expect(200);
        house.it_is("2026-12-03 18:20");
        assert_eq!(house.show_code(&code(&waiting)).await.expect_refused(409, "waitlisted")["booking_status"], "waitlisted");
        house.show_code(&code(&cancelled)).await.expect_refused(409, "not-here");
        for nonsense in ["", "x", "https://example.test/menu", &code(&booked)[1..], &BASE64_URL_SAFE_NO_PAD.encode([7; 24]), &"A".repeat(3_000)] {
            house.show_code(nonsense).await.expect_refused(409, "not-here");
        }
        // Another studio's staff learn nothing, and a member is no staff.
        let there = house.put(format!("/v1/studios/{}/check-ins/{}", brooklyn.id, house.new_id())).by(&brooklyn.desk);
        let refused = there.json(&json!({"code": code(&booked)})).await.expect_refused(409, "not-here");
        assert!(refused.body.get("starts_at").is_none() && refused.body.get("booking_status").is_none(), "{}", refused.text);
        house.show_as(house.new_id(), &code(&booked)).by(&people[0]).await.expect_refused(403, "not-allowed");
        house.show_as(house.new_id(), &code(&booked)).await.expect_refused(401, "sign-in-required");
        // An instructor checks in to what they teach.
        let mei = house.colleague("Mei").await;
        house.show_as(house.new_id(), &code(&booked)).by(&mei).await.expect_refused(409, "not-here");
        house.show_as(house.new_id(), &code(&booked)).by(&house.studio.instructor).await.expect(200);
        assert_eq!(house.arrivals(booked.id).await, 1);
        house.cancel_session(&evening, &json!({})).await.expect(200);
        house.show_code(&code(&booked)).await.expect_refused(409, "not-here");
        // Never by a GET: whoever follows a link has checked nobody in.
        house.get(format!("/v1/studios/{}/check-ins/{}", house.studio.id, house.new_id())).by(&house.studio.desk).await.expect_refused(405, "method-not-allowed");
    }

    async fn two_devices_at_once_are_one_arrival(house: House) {
        let neighbour = Neighbour::of(&house, true).await;
        let evening = house.session(EVENING, 40).await;
        let mut bookings = Vec::new();
        for person in house.members(5).await {
            bookings.push(house.book(&person, &evening).await.expect_booked());
        }
        house.it_is("2026-12-03 18:10");
        for booking in &bookings {
            let shown = (0..6).map(|n| {
                let url = if n % 2 == 0 { &house.url } else { &neighbour.url };
                let path = format!("{url}/v1/studios/{}/check-ins/{}", house.studio.id, house.new_id());
                let call = house.http.put(path).bearer_auth(&house.studio.desk.token).json(&json!({"code": code(booking)}));
                tokio::spawn(async move { call.send().await.unwrap() })
            });
            let shown: Vec<_> = shown.collect();
            let mut firsts = 0;
            for one in shown {
                let answer = one.await.unwrap();
                assert_eq!(answer.status().as_u16(), 200);
                let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
                firsts += i64::from(body["already"] == json!(false));
            }
            assert_eq!((firsts, house.arrivals(booking.id).await), (1, 1));
        }
        neighbour.leave().await;
    }

    async fn what_was_kept_without_a_network_counts_as_it_was(house: House) {
        let (ana, bo, cleo, mo) = (house.regular("Ana").await, house.regular("Bo").await, house.member("Cleo").await, house.member("Mo").await);
        let evening = house.session(EVENING, 9).await;
        let mut bookings = Vec::new();
        for person in [&ana, &bo, &cleo, &mo] {
            bookings.push(house.book(person, &evening).await.expect_booked());
        }
        let start = evening.starts_at;
        let minutes = |minutes| start + TimeDelta::minutes(minutes);
        house.it_is("2026-12-03 19:10");
        let (one, two, three, four) = (house.new_id(), house.new_id(), house.new_id(), house.new_id());
        let acts = [
            kept(one, &bookings[0], minutes(4)),
            kept(two, &bookings[1], minutes(6)),
            kept(three, &bookings[2], minutes(-3)),
            kept(four, &bookings[3], minutes(1)),
            json!({"id": house.new_id(), "code": "a menu", "at": instant::text(start)}),
            kept(house.new_id(), &bookings[1], minutes(60)),
            kept(house.new_id(), &bookings[1], start - TimeDelta::hours(13)),
            // The same member at another device.
            kept(house.new_id(), &bookings[0], minutes(2)),
        ];
        let results = house.replay(&acts).await;
        let outcomes: Vec<&str> = results.iter().map(outcome).collect();
        assert_eq!(outcomes, ["arrived", "too-late", "arrived", "too-late", "not-here", "invalid-fields", "invalid-fields", "already"]);
        assert_eq!(results[0]["id"], json!(one));
        assert_eq!(results[0]["check_in"]["arrived_at"], instant::text(minutes(4)));
        assert_eq!((&results[2]["check_in"]["first_visit"], &results[2]["check_in"]["name"]), (&json!(true), &json!("Cleo")));
        assert_eq!(results[5]["problem"]["errors"][0]["field"], "at");
        // The earliest that can be believed is when they came.
        assert_eq!(house.now(&bookings[0]).await["arrived_at"], instant::text(minutes(2)));
        // The answer was lost: sent again it is the same, and changes nothing.
        house.it_is("2026-12-03 19:20");
        let again = house.replay(&acts).await;
        assert_eq!(again.iter().map(|one| &one["check_in"]).collect::<Vec<_>>(), results.iter().map(|one| &one["check_in"]).collect::<Vec<_>>());
        for (booking, arrivals) in bookings.iter().zip([1, 0, 1, 0]) {
            assert_eq!(house.arrivals(booking.id).await, arrivals);
        }
        assert_eq!(house.now(&bookings[0]).await["arrived_at"], instant::text(minutes(2)));
    }

    async fn what_staff_took_back_no_device_brings_back(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session(EVENING, 9).await;
        let booking = house.book(&ana, &evening).await.expect_booked();
        house.it_is("2026-12-03 18:20");
        let act = kept(house.new_id(), &booking, house.clock.now());
        house.replay(std::slice::from_ref(&act)).await;
        house.delete(format!("/v1/bookings/{}/check-in", booking.id)).by(&house.studio.desk).await.expect(200);
        house.replay(&[act]).await;
        assert_eq!(house.now(&booking).await["status"], "booked");
        // After a week nobody asks for it again.
        assert_eq!(house.how_many("SELECT COUNT(*) FROM check_ins").await, 1);
        house.it_is("2026-12-11 18:00");
        releve::sweeps::retention(&house.app).await.unwrap();
        assert_eq!(house.how_many("SELECT COUNT(*) FROM check_ins").await, 0);
    }

    async fn a_replay_has_a_limit_and_names_its_fields(house: House) {
        let path = format!("/v1/studios/{}/check-ins/replay", house.studio.id);
        let send = |acts: Vec<Value>| house.post_to(&path).by(&house.studio.desk).json(&json!({ "acts": acts }));
        let act = || json!({"id": house.new_id(), "code": "nothing", "at": "2026-11-30T02:00:00Z"});
        assert_eq!(send((0..200).map(|_| act()).collect()).await.expect(200)["results"].as_array().unwrap().len(), 200);
        send((0..201).map(|_| act()).collect()).await.expect_refused(422, "invalid-fields").naming("acts");
        assert_eq!(send(vec![]).await.expect(200)["results"], json!([]));
        send(vec![act(), json!({"id": house.new_id(), "code": "x"})]).await.expect_refused(422, "invalid-fields").naming("acts[1].at");
        let path = format!("/v1/studios/{}/check-ins/{}", house.studio.id, house.new_id());
        let booking = house.book(&house.member("Ana").await, &house.session(EVENING, 1).await).await.expect_booked();
        let ahead = json!({"code": code(&booking), "at": "2026-11-30T02:02:00Z"});
        house.put(&path).by(&house.studio.desk).json(&ahead).await.expect_refused(422, "invalid-fields").naming("at");
        house.put(&path).by(&house.studio.desk).json(&json!({})).await.expect_refused(422, "invalid-fields").naming("code");
    }

    async fn three_devices_and_a_restart_are_twenty_arrivals(house: House) {
        let evening = house.session(EVENING, 20).await;
        let mut bookings = Vec::new();
        for person in house.members(20).await {
            bookings.push(house.book(&person, &evening).await.expect_booked());
        }
        house.it_is("2026-12-03 18:25");
        // Each device saw everybody, in its own order, at its own time.
        let device = |n: i64| -> Vec<Value> {
            let at = |index: usize| evening.starts_at - TimeDelta::minutes(20 + n) + TimeDelta::seconds(index as i64);
            let mut acts: Vec<Value> = bookings.iter().enumerate().map(|(index, booking)| kept(house.new_id(), booking, at(index))).collect();
            acts.rotate_left(usize::try_from(7 * n).unwrap());
            acts
        };
        let (one, two, three) = (device(0), device(1), device(2));
        let mut arrived: Vec<String> = Vec::new();
        let mut count = |results: &[Value]| arrived.extend(results.iter().filter(|one| one["outcome"] == "arrived").map(|one| one["check_in"]["booking_id"].to_string()));
        count(&house.replay(&one[..12]).await);
        // The process ends and another begins; what was not answered is sent again, to whoever answers now.
        let neighbour = Neighbour::of(&house, true).await;
        house.app.close_transactor().await;
        for acts in [&two, &one, &three] {
            let path = format!("{}/v1/studios/{}/check-ins/replay", neighbour.url, house.studio.id);
            let call = house.http.post(path).bearer_auth(&house.studio.desk.token).json(&json!({ "acts": acts }));
            let answer: Value = serde_json::from_str(&call.send().await.unwrap().text().await.unwrap()).unwrap();
            let results = answer["results"].as_array().unwrap();
            assert!(results.iter().all(|one| one["outcome"] != "refused"), "{answer}");
            count(results);
        }
        // What the first device sent before it was cut off is told once more, under the same ids.
        let distinct: BTreeSet<&String> = arrived.iter().collect();
        assert_eq!((distinct.len(), arrived.len()), (20, 32), "each once, and twelve again as before");
        for booking in &bookings {
            assert_eq!(house.arrivals(booking.id).await, 1);
        }
        let sql = "SELECT COUNT(*) FROM bookings WHERE session_id = $1 AND status = 'attended' AND arrived_at < starts_at";
        assert_eq!(house.count(sql, evening.id).await, 20);
        neighbour.leave().await;
    }

    async fn a_kiosk_checks_in_and_does_nothing_else(house: House) {
        let ana = house.member("Ana").await;
        let brooklyn = house.second_studio().await;
        let evening = house.session(EVENING, 9).await;
        let booking = house.book(&ana, &evening).await.expect_booked();
        let (token, kiosk) = house.kiosk().await;
        let studio = house.studio.id;
        house.it_is("2026-12-03 18:20");
        let came = house.show_as(house.new_id(), &code(&booking)).token(&token).await.expect(200);
        assert_eq!((&came["name"], &came["already"]), (&json!("Ana"), &json!(false)));
        house.get(format!("/v1/studios/{studio}/door")).token(&token).await.expect(200);
        let act = json!({"acts": [kept(house.new_id(), &booking, house.clock.now())]});
        let replayed = house.post_to(format!("/v1/studios/{studio}/check-ins/replay")).token(&token).json(&act).await.expect(200);
        assert_eq!(replayed["results"][0]["outcome"], "already");
        // Nobody's name stands behind the arrival.
        let (by,): (Option<Uuid>,) = house.db.one("SELECT arrived_by FROM bookings WHERE id = $1", (booking.id,)).await.unwrap();
        assert_eq!(by, None);
        for path in ["/v1/me".to_owned(), format!("/v1/sessions/{}/roster", evening.id), format!("/v1/studios/{studio}/members"), format!("/v1/bookings/{}", booking.id), format!("/v1/studios/{studio}/kiosks"), format!("/v1/studios/{studio}/sessions")] {
            house.get(&path).token(&token).await.expect_refused(401, "token-refused");
        }
        house.put(format!("/v1/bookings/{}/check-in", booking.id)).token(&token).json(&json!({})).await.expect_refused(401, "token-refused");
        house.put(format!("/v1/sessions/{}/attendance", evening.id)).token(&token).json(&json!({})).await.expect_refused(401, "token-refused");
        // Another studio's door stays shut, and what is no token is none.
        let there = house.put(format!("/v1/studios/{}/check-ins/{}", brooklyn.id, house.new_id())).token(&token);
        there.json(&json!({"code": code(&booking)})).await.expect_refused(404, "not-found");
        house.get(format!("/v1/studios/{}/door", brooklyn.id)).token(&token).await.expect_refused(404, "not-found");
        for bad in ["kiosk_", "kiosk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &token[..token.len() - 1]] {
            house.get(format!("/v1/studios/{studio}/door")).token(bad).await.expect_refused(401, "token-refused");
        }
        let list = house.get(format!("/v1/studios/{studio}/kiosks")).by(&house.studio.admin).await.expect(200);
        assert!(!list.text.contains(&token) && list["kiosks"][0]["token"].is_null(), "{}", list.text);
        assert_eq!((&list["kiosks"][0]["name"], &list["kiosks"][0]["last_seen_at"]), (&json!("Entrance"), &json!("2026-12-03T10:20:00.000000Z")));
        // Taken away, it is worth nothing, at once.
        house.delete(format!("/v1/studios/{studio}/kiosks/{kiosk}")).by(&house.studio.admin).await.expect(204);
        house.show_as(house.new_id(), &code(&booking)).token(&token).await.expect_refused(401, "token-refused");
        house.delete(format!("/v1/studios/{studio}/kiosks/{kiosk}")).by(&house.studio.admin).await.expect_refused(404, "not-found");
        let events = house.get(format!("/v1/studios/{studio}/security-events")).by(&house.studio.admin).await.expect(200);
        let kinds: Vec<&str> = events["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
        assert!(kinds.contains(&"kiosk_added") && kinds.contains(&"kiosk_removed"), "{kinds:?}");
    }

    async fn a_studio_has_so_many_kiosks(house: House) {
        for _ in 0..20 {
            house.kiosk().await;
        }
        let path = format!("/v1/studios/{}/kiosks", house.studio.id);
        let more = house.post_to(&path).by(&house.studio.admin).json(&json!({"name": "One more"}));
        assert_eq!(more.await.expect_refused(409, "too-many-kiosks")["max"], 20);
        let list = house.get(&path).by(&house.studio.admin).await.expect(200);
        let first = list["kiosks"][0]["id"].as_str().unwrap();
        house.delete(format!("{path}/{first}")).by(&house.studio.admin).await.expect(204);
        house.kiosk().await;
        house.post_to(&path).by(&house.studio.admin).json(&json!({"name": ""})).await.expect_refused(422, "invalid-fields").naming("name");
    }

    async fn a_roster_is_marked_in_one_call(house: House) {
        let people = house.members(4).await;
        let (evening, other) = (house.session(EVENING, 3).await, house.session("2026-12-03 20:30", 3).await);
        let mut bookings = Vec::new();
        for person in &people {
            bookings.push(house.book(person, &evening).or_wait().await.expect_made().held());
        }
        let elsewhere = house.book(&people[0], &other).await.expect_booked();
        let ids: Vec<Uuid> = bookings.iter().map(|booking| booking.id).collect();
        let marks = json!({"attended": [ids[0], ids[1]], "absent": [ids[2]]});
        let instructor = &house.studio.instructor;
        house.it_is("2026-12-03 17:29");
        house.mark_roster(&evening, &marks).by(instructor).await.expect_refused(409, "not-check-in-time");
        house.it_is("2026-12-03 18:32");
        house.sweep().await;
        // All or nothing.
        for (wrong, field) in [
            (json!({"attended": [ids[0], elsewhere.id]}), "attended[1]"),
            (json!({"attended": [ids[0]], "absent": [house.new_id()]}), "absent[0]"),
            (json!({"attended": [ids[0], ids[3]]}), "attended[1]"),
            (json!({"attended": [ids[0]], "absent": [ids[1], ids[0]]}), "absent[1]"),
        ] {
            house.mark_roster(&evening, &wrong).by(instructor).await.expect_refused(422, "invalid-fields").naming(field);
        }
        let too_many: Vec<Uuid> = (0..1_001).map(|_| house.new_id()).collect();
        house.mark_roster(&evening, &json!({"absent": too_many})).by(instructor).await.expect_refused(422, "invalid-fields").naming("absent");
        assert_eq!(house.count("SELECT COUNT(*) FROM bookings WHERE session_id = $1 AND arrived_at IS NOT NULL", evening.id).await, 0);
        let roster = house.mark_roster(&evening, &marks).by(instructor).await.expect(200);
        let of = |roster: &Reply, id: Uuid| roster["booked"].as_array().unwrap().iter().find(|one| one["booking_id"] == json!(id)).unwrap().clone();
        for id in &ids[..2] {
            assert_eq!((&of(&roster, *id)["status"], &of(&roster, *id)["arrived_at"]), (&json!("attended"), &json!("2026-12-03T10:32:00.000000Z")));
        }
        let absent = of(&roster, ids[2]);
        assert_eq!((&absent["status"], &absent["seen_absent_at"]), (&json!("booked"), &json!("2026-12-03T10:32:00.000000Z")));
        // Sent again it is the same.
        house.it_is("2026-12-03 18:34");
        assert_eq!(house.mark_roster(&evening, &marks).by(instructor).await.expect(200).body, roster.body);
        assert_eq!(house.arrivals(ids[0]).await, 1);
        // Who comes after all, and who was taken for somebody else.
        let corrected = house.mark_roster(&evening, &json!({"attended": [ids[2]], "absent": [ids[1]]})).by(&house.studio.desk).await.expect(200);
        assert_eq!((&of(&corrected, ids[2])["status"], &of(&corrected, ids[2])["seen_absent_at"]), (&json!("attended"), &json!(null)));
        let absent = of(&corrected, ids[1]);
        assert_eq!((&absent["status"], &absent["arrived_at"], &absent["seen_absent_at"]), (&json!("booked"), &json!(null), &json!("2026-12-03T10:34:00.000000Z")));
        // That they were not there is taken back as a check-in is.
        house.delete(format!("/v1/bookings/{}/check-in", ids[1])).by(instructor).await.expect(200);
        let roster = house.get(format!("/v1/sessions/{}/roster", evening.id)).by(instructor).await.expect(200);
        assert_eq!(of(&roster, ids[1])["seen_absent_at"], json!(null));
        let history = house.get(format!("/v1/bookings/{}/history", ids[1])).by(&people[1]).await.expect(200);
        let actions: Vec<&str> = history["entries"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
        assert_eq!(actions[actions.len() - 4..], ["booking.checked_in", "booking.check_in_undone", "booking.seen_absent", "booking.seen_absent"]);
        // A code shown after that counts too.
        house.show_code(&code(&bookings[1])).await.expect_refused(409, "too-late");
    }

    async fn whoever_walks_in_is_booked_and_there(house: House) {
        let (ana, bo, cleo) = (house.member("Ana").await, house.stranger("Bo").await, house.member("Cleo").await);
        let mei = house.colleague("Mei").await;
        let evening = house.session(EVENING, 1).await;
        let walk = |id: Uuid, body: Value| house.put(format!("/v1/sessions/{}/walk-ins/{id}", evening.id)).json(&body);
        let instructor = &house.studio.instructor;
        let (of_ana, id) = (json!({"person_id": ana.id}), house.new_id());
        house.it_is("2026-12-03 17:29");
        walk(id, of_ana.clone()).by(instructor).await.expect_refused(409, "not-check-in-time");
        house.it_is("2026-12-03 18:33");
        // Nothing pays, nobody knows them, it is not theirs to do.
        walk(house.new_id(), json!({"person_id": bo.id})).by(instructor).await.expect_refused(402, "no-pass");
        walk(house.new_id(), json!({"person_id": mei.id})).by(instructor).await.expect_refused(422, "invalid-fields").naming("person_id");
        walk(house.new_id(), of_ana.clone()).by(&mei).await.expect_refused(403, "not-allowed");
        walk(house.new_id(), of_ana.clone()).by(&ana).await.expect_refused(403, "not-allowed");
        let unpaid = json!({"person_id": bo.id, "unpaid": true, "reason": "A trial"});
        walk(house.new_id(), unpaid.clone()).by(instructor).await.expect_refused(403, "not-allowed");
        walk(house.new_id(), json!({"person_id": bo.id, "unpaid": true})).by(instructor).await.expect_refused(422, "invalid-fields").naming("reason");
        assert_eq!(house.count("SELECT COUNT(*) FROM bookings WHERE session_id = $1", evening.id).await, 0);

        let came = walk(id, of_ana.clone()).by(instructor).await.expect(201);
        assert_eq!((&came["status"], &came["credits"], &came["arrived_at"]), (&json!("attended"), &json!(1), &json!("2026-12-03T10:33:00.000000Z")));
        house.advance(TimeDelta::minutes(5));
        let again = walk(id, of_ana.clone()).by(instructor).await.expect(200);
        assert_eq!((&again["status"], &again["arrived_at"]), (&came["status"], &came["arrived_at"]));
        assert_eq!(house.count("SELECT credits_left FROM passes WHERE person_id = $1", ana.id).await, 9);
        walk(id, json!({"person_id": cleo.id})).by(instructor).await.expect_refused(409, "booking-id-reused");
        walk(house.new_id(), of_ana.clone()).by(instructor).await.expect_refused(409, "already-booked");
        // Full is full.
        walk(house.new_id(), json!({"person_id": cleo.id})).by(instructor).await.expect_refused(409, "session-full");
        walk(house.new_id(), unpaid.clone()).by(&house.studio.desk).await.expect_refused(409, "session-full");
        // Undone, the booking is gone too and the credit is back; it stays undone, however late the call comes again.
        let undone = house.delete(format!("/v1/bookings/{id}/check-in")).by(instructor).await.expect(200);
        assert_eq!((&undone["status"], &undone["ended_by"], &undone["credits_returned"]), (&json!("cancelled"), &json!("staff"), &json!(1)));
        assert_eq!(house.count("SELECT credits_left FROM passes WHERE person_id = $1", ana.id).await, 10);
        assert_eq!(walk(id, of_ana.clone()).by(instructor).await.expect(200)["status"], "cancelled");
        assert_eq!(house.delete(format!("/v1/bookings/{id}/check-in")).by(instructor).await.expect(200)["status"], "cancelled");
        // The place is free again.
        walk(house.new_id(), of_ana).by(instructor).await.expect(201);
        assert_eq!(house.count("SELECT credits_left FROM passes WHERE person_id = $1", ana.id).await, 9);
        house.it_is("2026-12-03 19:25");
        walk(house.new_id(), json!({"person_id": cleo.id})).by(instructor).await.expect_refused(409, "not-check-in-time");
    }

    async fn the_desk_lets_somebody_in_for_nothing(house: House) {
        let bo = house.stranger("Bo").await;
        let evening = house.session(EVENING, 1).await;
        house.it_is("2026-12-03 18:20");
        let path = format!("/v1/sessions/{}/walk-ins/{}", evening.id, house.new_id());
        let body = json!({"person_id": bo.id, "unpaid": true, "reason": "A trial"});
        let came = house.put(path).by(&house.studio.desk).json(&body).await.expect(201);
        assert_eq!((&came["status"], &came["credits"], &came["pass_id"]), (&json!("attended"), &json!(0), &json!(null)));
    }

    async fn a_device_at_the_door_has_all_it_needs_for_today(house: House) {
        let (ana, bo) = (house.regular("Ana").await, house.member("Bo").await);
        let mei = house.colleague("Mei").await;
        let evening = house.session(EVENING, 1).await;
        let (late, after_midnight) = (house.plan("2026-12-03 20:30", 5).taught_by(&mei).await, house.session("2026-12-04 00:20", 5).await);
        let tomorrow = house.session("2026-12-04 18:30", 5).await;
        let booking = house.book(&ana, &evening).await.expect_booked();
        let waiting = house.book(&bo, &evening).or_wait().await.expect_waitlisted(1);
        house.it_is("2026-12-03 12:00");
        let path = format!("/v1/studios/{}/door", house.studio.id);
        let door = house.get(&path).by(&house.studio.desk).await.expect(200);
        assert_eq!(door["date"], "2026-12-03");
        let sessions = |door: &Reply| -> Vec<String> { door["sessions"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect() };
        assert_eq!(sessions(&door), [evening.id, late.id, after_midnight.id].map(|id| id.to_string()));
        assert!(!sessions(&door).contains(&tomorrow.id.to_string()));
        let session = &door["sessions"][0];
        assert_eq!((&session["opens_at"], &session["closes_at"], &session["first_visit_closes_at"]), (&json!("2026-12-03T10:00:00.000000Z"), &json!("2026-12-03T10:35:00.000000Z"), &json!("2026-12-03T10:30:00.000000Z")));
        let entries = session["bookings"].as_array().unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!((&entries[0]["id"], &entries[0]["name"], &entries[0]["status"], &entries[0]["first_visit"]), (&json!(booking.id), &json!("Ana"), &json!("booked"), &json!(false)));
        assert_eq!((&entries[1]["id"], &entries[1]["status"], &entries[1]["first_visit"]), (&json!(waiting.id), &json!("waitlisted"), &json!(true)));
        // A device that is offline knows the code by it, and cannot make it.
        let hash = BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(code(&booking))[..12]);
        assert_eq!(entries[0]["code_hashes"], json!([hash]));
        assert!(!door.text.contains(&code(&booking)));
        // What did not change is not sent again.
        let etag = door.header("etag").to_owned();
        house.get(&path).by(&house.studio.desk).header("If-None-Match", &etag).await.expect(304);
        house.it_is("2026-12-03 18:10");
        house.get(&path).by(&house.studio.desk).header("If-None-Match", &etag).await.expect(304);
        house.show_code(&code(&booking)).await.expect(200);
        let door = house.get(&path).by(&house.studio.desk).header("If-None-Match", &etag).await.expect(200);
        assert_eq!(door["sessions"][0]["bookings"][0]["status"], "attended");
        // Instructors have what they teach, members nothing.
        assert_eq!(sessions(&house.get(&path).by(&mei).await.expect(200)), [late.id.to_string()]);
        house.get(&path).by(&ana).await.expect_refused(403, "not-allowed");
        // After midnight, what still runs is there.
        house.it_is("2026-12-03 18:30");
        house.sweep().await;
        let night = house.plan("2026-12-03 23:40", 5).taught_by(&mei).await;
        house.it_is("2026-12-04 00:10");
        let door = house.get(&path).by(&house.studio.desk).await.expect(200);
        assert_eq!(sessions(&door), [night.id, after_midnight.id, tomorrow.id].map(|id| id.to_string()));
        assert_eq!(door["date"], "2026-12-04");
    }
    async fn a_code_that_comes_late_takes_an_absence_back(house: House) {
        house.rules(json!({"no_show_fee_minor": 5000, "fee_currency": "CNY"})).await;
        let (ana, bo) = (house.stranger("Ana").await, house.member("Bo").await);
        house.membership(&ana, None).await;
        let evening = house.plan(EVENING, 5).followed_up().await;
        let (booked, other) = (house.book(&ana, &evening).await.expect_booked(), house.book(&bo, &evening).await.expect_booked());
        house.it_is("2026-12-03 18:20");
        house.show_code(&code(&other)).await.expect(200);
        // Another device saw Ana, and has no network until late in the evening.
        let act = kept(house.new_id(), &booked, evening.starts_at - TimeDelta::minutes(2));
        house.it_is("2026-12-03 21:25");
        house.sweep().await;
        let absent = house.now(&booked).await;
        assert_eq!((&absent["status"], &absent["penalty"]["fee"]["amount_minor"]), (&json!("no_show"), &json!(5000)));
        house.it_is("2026-12-03 22:40");
        assert_eq!(outcome(&house.replay(&[act]).await[0]), "arrived");
        let came = house.now(&booked).await;
        assert_eq!((&came["status"], &came["arrived_at"]), (&json!("attended"), &json!("2026-12-03T10:28:00.000000Z")));
        assert_eq!((&came["penalty"], house.penalties_that_count(booked.id).await), (&Value::Null, 0));
        house.audit_is_clean().await;
    }

    async fn a_code_of_somebody_whose_place_was_given_away_needs_another_place(house: House) {
        let (ana, bo) = (house.regular("Ana").await, house.member("Bo").await);
        let evening = house.plan(EVENING, 1).followed_up().await;
        let booked = house.book(&ana, &evening).await.expect_booked();
        house.it_is("2026-12-03 18:20");
        let standby = house.book(&bo, &evening).sent_by(&house.studio.desk).saying("standby", json!(true)).await.reply;
        let standby = house.get(format!("/v1/bookings/{}", standby.expect(201).id())).by(&bo).await.expect(200);
        let at_the_door = standby["check_in_code"].as_str().unwrap();
        assert_eq!(house.show_code(at_the_door).await.expect_refused(409, "waitlisted")["booking_status"], "standby");
        house.it_is("2026-12-03 18:30");
        house.put(format!("/v1/sessions/{}/door-release", evening.id)).by(&house.studio.desk).json(&json!({})).await.expect(200);
        assert_eq!(house.show_code(at_the_door).await.expect(200)["already"], true);
        house.it_is("2026-12-03 18:32");
        house.show_code(&code(&booked)).await.expect_refused(409, "session-full");
        assert_eq!(outcome(&house.replay(&[kept(house.new_id(), &booked, house.clock.now())]).await[0]), "session-full");
        house.mark_roster(&evening, &json!({"attended": [booked.id]})).by(&house.studio.desk).await.expect_refused(409, "session-full");
        house.patch_session(&evening, 1, &json!({"capacity": 2})).await.expect(200);
        house.show_code(&code(&booked)).await.expect(200);
        let now = house.now(&booked).await;
        assert_eq!((&now["status"], &now["released"]), (&json!("attended"), &json!(false)));
        house.audit_is_clean().await;
    }

    async fn a_class_that_was_gone_through_is_no_unrecorded_one(house: House) {
        let people = house.members(2).await;
        let evening = house.plan(EVENING, 5).followed_up().await;
        let (first, second) = (house.book(&people[0], &evening).await.expect_booked(), house.book(&people[1], &evening).await.expect_booked());
        house.it_is("2026-12-03 18:35");
        // Nobody came, and somebody looked.
        house.mark_roster(&evening, &json!({"absent": [first.id]})).by(&house.studio.instructor).await.expect(200);
        house.it_is("2026-12-03 21:25");
        house.sweep().await;
        house.sweep().await;
        for booking in [&first, &second] {
            let now = house.now(booking).await;
            assert_eq!((&now["status"], &now["provisional"]), (&json!("no_show"), &json!(false)));
        }
        assert_eq!(house.kinds_to(&house.studio.instructor).await, Vec::<String>::new(), "nobody is asked");
        // Who was marked by mistake came after all, and then they did not: they are absent once more, and it counts once.
        house.it_is("2026-12-03 22:00");
        house.mark_roster(&evening, &json!({"attended": [first.id]})).by(&house.studio.desk).await.expect(200);
        assert_eq!(house.penalties_that_count(first.id).await, 0);
        house.mark_roster(&evening, &json!({"absent": [first.id]})).by(&house.studio.desk).await.expect(200);
        assert_eq!(house.now(&first).await["status"], "booked");
        house.it_is("2026-12-04 00:00");
        house.sweep().await;
        assert_eq!((&house.now(&first).await["status"], house.penalties_that_count(first.id).await), (&json!("no_show"), 1));
        house.audit_is_clean().await;
    }

    async fn whoever_was_looked_for_in_vain_is_absent_however_late_it_is_said(house: House) {
        let people = house.members(2).await;
        let evening = house.plan(EVENING, 5).followed_up().await;
        let (first, second) = (house.book(&people[0], &evening).await.expect_booked(), house.book(&people[1], &evening).await.expect_booked());
        house.it_is("2026-12-03 21:25");
        house.sweep().await;
        // Too late for the others to be marked as well: they count as attended, and who was looked for does not.
        house.it_is("2026-12-05 19:00");
        house.mark_roster(&evening, &json!({"absent": [first.id]})).by(&house.studio.instructor).await.expect(200);
        house.it_is("2026-12-05 19:25");
        house.sweep().await;
        let (absent, counted) = (house.now(&first).await, house.now(&second).await);
        assert_eq!((&absent["status"], &counted["status"], &counted["unrecorded"]), (&json!("no_show"), &json!("attended"), &json!(true)));
        house.audit_is_clean().await;
    }

    async fn guests_and_children_have_codes(house: House) {
        let ana = house.regular("Ana").await;
        let evening = house.session(EVENING, 9).await;
        house.book(&ana, &evening).await.expect_booked();
        let guest = house.book(&ana, &evening).saying("guest", json!({"name": "Mum Ruiz"})).await.expect_booked();
        let body = json!({"kind": "child", "name": "Pia", "studio_id": house.studio.id});
        let child = house.post_to("/v1/me/family").by(&ana).json(&body).await.expect(201);
        let pia = Person { id: child["person_id"].as_str().unwrap().parse().unwrap(), name: "Pia".into(), email: String::new(), token: ana.token.clone() };
        house.pack(&pia, 5).await;
        let of_pia = house.book(&pia, &evening).sent_by(&ana).await.expect_booked();
        let read = house.get(format!("/v1/bookings/{}", of_pia.id)).by(&ana).await.expect(200);
        assert_eq!(read["check_in_code"], json!(code(&of_pia)), "who acts for a child has the child's code");
        let door = house.get(format!("/v1/studios/{}/door", house.studio.id));
        house.it_is("2026-12-03 18:10");
        let door = door.by(&house.studio.desk).await.expect(200);
        let names: Vec<(&str, bool)> = door["sessions"][0]["bookings"].as_array().unwrap().iter().map(|one| (one["name"].as_str().unwrap(), one["first_visit"] == json!(true))).collect();
        assert_eq!(names, [("Ana", false), ("Mum Ruiz", true), ("Pia", true)]);
        let came = house.show_code(&code(&guest)).await.expect(200);
        assert_eq!((&came["name"], &came["first_visit"]), (&json!("Mum Ruiz"), &json!(true)));
        assert_eq!(house.show_code(&code(&of_pia)).await.expect(200)["name"], "Pia");
        // A guest's visit is nobody's: the member is still only expected.
        let roster = house.roster(&evening).await;
        let of = |name: &str| roster["booked"].as_array().unwrap().iter().find(|one| one["person"]["name"] == name && one["guest"].is_null()).unwrap().clone();
        assert_eq!((&of("Ana")["status"], &of("Pia")["status"]), (&json!("booked"), &json!("attended")));
        house.audit_is_clean().await;
    }
}
