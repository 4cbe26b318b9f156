//! Substitutes: asked for, claimed by one, approved where the house rules say so; and the instructor's own day.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::House;
use crate::seed::{Person, Session};
use crate::speech::Reply;

impl House {
    /// Says that an instructor teaches the studio's class type, all week from morning to night.
    pub async fn could_stand_in(&self, person: &Person) {
        let weekly: Vec<Value> = (1..=7).map(|weekday| json!({"weekday": weekday, "from": "06:00", "until": "22:00"})).collect();
        self.states(person, &json!({"teaches": [self.studio.class_type], "weekly": weekly})).await.expect(200);
    }

    async fn states(&self, person: &Person, what: &Value) -> Reply {
        self.put(format!("/v1/studios/{}/availability/me", self.studio.id)).by(person).json(what).await
    }

    async fn ask_for(&self, by: &Person, what: Value) -> Reply {
        self.post_to(format!("/v1/studios/{}/substitute-requests", self.studio.id)).by(by).json(&what).await
    }

    /// The studio's own instructor cannot come.
    pub async fn cannot_come(&self, session: &Session) -> Uuid {
        let asked = self.ask_for(&self.studio.instructor, json!({"session_id": session.id, "note": "A cold."})).await.expect(201);
        asked["requests"][0]["id"].as_str().unwrap().parse().unwrap()
    }

    async fn claim(&self, request: Uuid, by: &Person) -> Reply {
        self.put(format!("/v1/substitute-requests/{request}/claim")).by(by).json(&json!({})).await
    }

    async fn approval(&self, request: Uuid, by: &Person, approved: bool) -> Reply {
        self.put(format!("/v1/substitute-requests/{request}/approval")).by(by).json(&json!({"approved": approved})).await
    }

    async fn withdraw(&self, request: Uuid, by: &Person) -> Reply {
        self.put(format!("/v1/substitute-requests/{request}/withdrawal")).by(by).json(&json!({})).await
    }

    async fn taught_by(&self, session: &Session) -> Value {
        self.get(format!("/v1/sessions/{}", session.id)).await.expect(200)["instructor"]["name"].clone()
    }
}

fn states_of(reply: &Reply) -> Vec<Value> {
    reply["requests"].as_array().unwrap().iter().map(|request| request["state"].clone()).collect()
}

both_engines! {
    async fn who_could_stand_in_is_told_and_the_first_has_it(house: House) {
        let (ana, mei, yu, busy, silent) = (house.member("Ana").await, house.colleague("Mei").await, house.colleague("Yu").await,
            house.colleague("Busy").await, house.colleague("Silent").await);
        for person in [&mei, &yu, &busy] {
            house.could_stand_in(person).await;
        }
        let evening = house.session("2026-12-03 18:30", 5).await;
        house.plan("2026-12-03 18:00", 5).taught_by(&busy).await;
        let booked = house.book(&ana, &evening).await.expect_booked();
        let request = house.cannot_come(&evening).await;
        for (person, told) in [(&mei, true), (&yu, true), (&busy, false), (&silent, false), (&house.studio.instructor, false)] {
            assert_eq!(house.kinds_to(person).await.contains(&"substitute_wanted".to_owned()), told, "{}", person.name);
        }
        assert_eq!(house.get("/v1/me/substitute-requests").by(&mei).await.expect(200)["requests"][0]["id"], json!(request));
        assert_eq!(house.get("/v1/me/substitute-requests").by(&busy).await.expect(200)["requests"], json!([]));
        assert_eq!(house.get("/v1/me/substitute-requests").by(&silent).await.expect(200)["requests"], json!([]));
        house.claim(request, &ana).await.expect_refused(404, "not-found");
        house.claim(request, &busy).await.expect_refused(409, "not-eligible");
        house.claim(request, &silent).await.expect_refused(409, "not-eligible");

        let claimed = house.claim(request, &mei).await.expect(200);
        assert_eq!((&claimed["state"], &claimed["claimed_by"], &claimed["session"]["instructor"]["name"]), (&json!("filled"), &json!(mei.id), &json!("Mei")));
        assert_eq!(house.claim(request, &mei).await.expect(200)["state"], "filled", "repeated, it answers the same");
        house.claim(request, &yu).await.expect_refused(409, "already-claimed");
        assert_eq!(house.taught_by(&evening).await, "Mei");
        assert_eq!(house.kinds_to(&ana).await, ["booked", "session_changed"]);
        assert_eq!(house.now(&booked).await["session"]["changed"], json!(["instructor"]));
        assert_eq!(house.kinds_to(&house.studio.instructor).await, ["substitute_found"]);
        house.withdraw(request, &house.studio.instructor).await.expect_refused(409, "request-ended");
    }

    async fn an_admin_may_have_to_approve(house: House) {
        house.rules(json!({"substitutes_need_approval": true})).await;
        let (mei, yu) = (house.colleague("Mei").await, house.colleague("Yu").await);
        house.could_stand_in(&mei).await;
        house.could_stand_in(&yu).await;
        let evening = house.session("2026-12-03 18:30", 5).await;
        let ana = house.member("Ana").await;
        house.book(&ana, &evening).await.expect_booked();
        let request = house.cannot_come(&evening).await;
        house.approval(request, &house.studio.admin, true).await.expect_refused(409, "nothing-claimed");
        assert_eq!(house.claim(request, &mei).await.expect(200)["state"], "claimed");
        assert_eq!(house.taught_by(&evening).await, "Lin Yue", "not yet");
        assert_eq!(house.kinds_to(&house.studio.admin).await, ["substitute_claimed"]);
        house.claim(request, &yu).await.expect_refused(409, "already-claimed");
        house.approval(request, &yu, true).await.expect_refused(403, "not-allowed");
        house.advance(chrono::TimeDelta::seconds(1));
        assert_eq!(house.approval(request, &house.studio.admin, false).await.expect(200)["state"], "open");
        assert_eq!(house.kinds_to(&mei).await, ["substitute_wanted", "substitute_decided"]);
        house.claim(request, &yu).await.expect(200);
        house.delete(format!("/v1/substitute-requests/{request}/claim")).by(&mei).await.expect(200);
        assert_eq!(states_of(&house.get("/v1/me/substitute-requests").by(&yu).await), ["claimed"], "it is Yu's claim, not Mei's");
        house.delete(format!("/v1/substitute-requests/{request}/claim")).by(&yu).await.expect(200);
        house.claim(request, &mei).await.expect(200);
        // Looked at first: the member is told of Mei, Lin that somebody was found, Mei that the session is theirs.
        let approval = house.put(format!("/v1/substitute-requests/{request}/approval?dry_run=true"));
        let looked = approval.by(&house.studio.admin).json(&json!({"approved": true})).await.expect(200);
        let mut told: Vec<&str> = looked["told"].as_array().unwrap().iter().map(|one| one["letter"].as_str().unwrap()).collect();
        told.sort_unstable();
        assert_eq!(told, ["session_changed", "substitute_decided", "substitute_found"]);
        assert_eq!(house.taught_by(&evening).await, "Lin Yue", "it was only looked at");
        assert_eq!(house.approval(request, &house.studio.admin, true).await.expect(200)["state"], "filled");
        assert_eq!(house.approval(request, &house.studio.admin, true).await.expect(200)["state"], "filled");
        assert_eq!(house.taught_by(&evening).await, "Mei");
        assert_eq!(house.kinds_to(&house.studio.instructor).await, ["substitute_found"]);
    }

    async fn who_claims_twice_at_once_teaches_one(house: House) {
        let mei = house.colleague("Mei").await;
        house.could_stand_in(&mei).await;
        let (one, other) = (house.session("2026-12-03 18:30", 5).await, house.session("2026-12-04 18:30", 5).await);
        // Another instructor's session at the time of the first.
        let dan = house.colleague("Dan").await;
        let third = house.plan("2026-12-03 19:00", 5).taught_by(&dan).await;
        let requests = [house.cannot_come(&one).await, house.cannot_come(&other).await];
        let asked = house.ask_for(&dan, json!({"session_id": third.id})).await.expect(201);
        let third: Uuid = asked["requests"][0]["id"].as_str().unwrap().parse().unwrap();
        let (a, b, c) = tokio::join!(house.claim(requests[0], &mei), house.claim(third, &mei), house.claim(requests[1], &mei));
        assert_eq!([a.status, b.status].iter().filter(|status| **status == 200).count(), 1, "of two at one time Mei gets one");
        c.expect(200);
    }

    async fn many_claim_one_has_it(house: House) {
        let mut others = Vec::new();
        for n in 0..12 {
            let person = house.colleague(&format!("Colleague {n}")).await;
            house.could_stand_in(&person).await;
            others.push(person);
        }
        let evening = house.session("2026-12-03 18:30", 5).await;
        let request = house.cannot_come(&evening).await;
        let claims = futures_util::future::join_all(others.iter().map(|person| house.claim(request, person))).await;
        assert_eq!(claims.iter().filter(|reply| reply.status == 200).count(), 1);
        for reply in claims.into_iter().filter(|reply| reply.status != 200) {
            reply.expect_refused(409, "already-claimed");
        }
        let (changed,): (i64,) = house.db.one("SELECT COUNT(*) FROM events WHERE action = 'session.changed'", ()).await.unwrap();
        assert_eq!(changed, 1);
    }

    async fn for_some_dates_at_once(house: House) {
        let mei = house.colleague("Mei").await;
        house.could_stand_in(&mei).await;
        for local in ["2026-12-03 18:30", "2026-12-04 18:30", "2026-12-07 18:30"] {
            house.session(local, 5).await;
        }
        house.plan("2026-12-04 08:00", 5).taught_by(&mei).await;
        let asked = house.ask_for(&house.studio.instructor, json!({"from": "2026-12-03", "to": "2026-12-06"})).await.expect(201);
        assert_eq!(states_of(&asked), ["open", "open"], "Lin's, of those days");
        let again = house.ask_for(&house.studio.instructor, json!({"from": "2026-12-03", "to": "2026-12-08"})).await.expect(201);
        assert_eq!(states_of(&again), ["open"], "what was asked for already is not asked twice");
        assert_eq!(house.kinds_to(&mei).await.len(), 3);
        let preview = house.post_to(format!("/v1/studios/{}/substitute-requests?dry_run=true", house.studio.id)).by(&mei)
            .json(&json!({"from": "2026-12-03", "to": "2026-12-06"})).await.expect(200);
        assert_eq!(preview["told"], json!([]), "nobody else could");
        for bad in [json!({}), json!({"from": "2026-12-03"}), json!({"from": "2026-12-03", "to": "2026-12-03"}), json!({"session_id": house.new_id(), "from": "2026-12-03"}), json!({"from": "2026-12-03", "to": "2027-12-03"})] {
            house.ask_for(&mei, bad).await.expect_client_error();
        }
        house.ask_for(&mei, json!({"session_id": house.new_id()})).await.expect_refused(404, "not-found");
    }

    async fn near_the_start_it_goes_to_the_admins_and_then_expires(house: House) {
        let evening = house.session("2026-12-03 18:30", 5).await;
        let request = house.cannot_come(&evening).await;
        house.ask_for(&house.studio.instructor, json!({"session_id": evening.id})).await.expect_refused(409, "substitute-asked");
        house.it_is("2026-12-03 06:29");
        house.sweep().await;
        assert_eq!(house.kinds_to(&house.studio.admin).await, Vec::<String>::new());
        house.it_is("2026-12-03 06:30");
        house.sweep().await;
        house.sweep().await;
        assert_eq!(house.kinds_to(&house.studio.admin).await, ["substitute_missing"], "once");
        house.it_is("2026-12-03 18:30");
        house.sweep().await;
        house.sweep().await;
        assert_eq!(house.kinds_to(&house.studio.instructor).await, ["substitute_expired"]);
        let mei = house.colleague("Mei").await;
        house.claim(request, &mei).await.expect_refused(409, "request-ended");
        let list = format!("/v1/studios/{}/substitute-requests", house.studio.id);
        assert_eq!(states_of(&house.get(format!("{list}?state=expired")).by(&mei).await.expect(200)), ["expired"]);
        assert_eq!(states_of(&house.get(format!("{list}?state=open")).by(&mei).await.expect(200)), Vec::<Value>::new());
        // One that is asked for late is the admins' at once.
        let soon = house.session("2026-12-03 21:30", 5).await;
        house.cannot_come(&soon).await;
        assert_eq!(house.kinds_to(&house.studio.admin).await, ["substitute_missing", "substitute_missing"]);
    }

    async fn a_request_follows_its_session(house: House) {
        let (mei, dan) = (house.colleague("Mei").await, house.colleague("Dan").await);
        house.could_stand_in(&mei).await;
        let (moved, given, cancelled) = (house.session("2026-12-03 18:30", 5).await, house.session("2026-12-04 18:30", 5).await, house.session("2026-12-05 18:30", 5).await);
        let requests = [house.cannot_come(&moved).await, house.cannot_come(&given).await, house.cannot_come(&cancelled).await];
        house.patch_session(&moved, 1, &json!({"local_start": "2026-12-04T10:00"})).by(&house.studio.admin).await.expect(200);
        house.patch_session(&given, 1, &json!({"instructor_id": dan.id})).by(&house.studio.admin).await.expect(200);
        house.cancel_session(&cancelled, &json!({})).await.expect(200);
        let list = house.get(format!("/v1/studios/{}/substitute-requests", house.studio.id)).by(&mei).await.expect(200);
        for (request, state) in requests.iter().zip(["open", "withdrawn", "withdrawn"]) {
            let found = list["requests"].as_array().unwrap().iter().find(|one| one["id"] == json!(request)).unwrap();
            assert_eq!(found["state"], state);
        }
        house.it_is("2026-12-03 21:59");
        house.sweep().await;
        assert_eq!(house.kinds_to(&house.studio.admin).await, Vec::<String>::new(), "twelve hours before its new start");
        house.it_is("2026-12-03 22:00");
        house.sweep().await;
        assert_eq!(house.kinds_to(&house.studio.admin).await, ["substitute_missing"]);
        house.withdraw(requests[0], &mei).await.expect_refused(403, "not-allowed");
        assert_eq!(house.withdraw(requests[0], &house.studio.instructor).await.expect(200)["state"], "withdrawn");
        house.withdraw(requests[0], &house.studio.instructor).await.expect(200);
        house.claim(requests[0], &mei).await.expect_refused(409, "request-ended");
    }

    async fn what_an_instructor_teaches_and_when(house: House) {
        let (ana, mei) = (house.member("Ana").await, house.colleague("Mei").await);
        let path = format!("/v1/studios/{}/availability/me", house.studio.id);
        house.get(&path).by(&ana).await.expect_refused(403, "not-allowed");
        assert_eq!(house.get(&path).by(&mei).await.expect(200).body, json!({"teaches": [], "weekly": [], "exceptions": []}));
        let stated = json!({
            "teaches": [house.studio.class_type],
            "weekly": [{"weekday": 4, "from": "18:00", "until": "00:00"}],
            "exceptions": [{"date": "2026-12-10", "available": false, "from": null, "until": null}],
        });
        assert_eq!(house.states(&mei, &stated).await.expect(200).body, stated);
        assert_eq!(house.get(&path).by(&mei).await.expect(200).body, stated);
        let mut with_a_fraction = stated.clone();
        with_a_fraction["weekly"][0]["weekday"] = json!(4.0);
        assert_eq!(house.states(&mei, &with_a_fraction).await.expect(200).body, stated);
        let brooklyn = house.second_studio().await;
        for (bad, field) in [
            (json!({"teaches": [brooklyn.class_type]}), "teaches"),
            (json!({"weekly": [{"weekday": 9, "from": "18:00", "until": "19:00"}]}), "weekly"),
            (json!({"weekly": [{"weekday": 1, "from": "19:00", "until": "18:00"}]}), "weekly"),
            (json!({"exceptions": [{"date": "tomorrow", "available": true}]}), "exceptions[0].date"),
            (json!({"exceptions": [{"date": "2026-12-10"}]}), "exceptions[0].available"),
            (json!({"hours": []}), "hours"),
        ] {
            house.states(&mei, &bad).await.expect_client_error().naming(field);
        }
        assert_eq!(house.get(&path).by(&mei).await.expect(200).body, stated, "what is refused writes nothing");
        let stated_there = house.get("/v1/me/export").by(&mei).await.expect(200)["availability"].clone();
        assert_eq!((&stated_there[0]["studio_id"], &stated_there[0]["teaches"], &stated_there[0]["weekly"]), (&json!(house.studio.id), &stated["teaches"], &stated["weekly"]));
        let (thursday, off) = (house.session("2026-12-03 18:30", 5).await, house.session("2026-12-10 18:30", 5).await);
        house.cannot_come(&thursday).await;
        house.cannot_come(&off).await;
        assert_eq!(house.kinds_to(&mei).await.len(), 1);
    }

    async fn an_instructors_day(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-12-03 18:30", 1).await;
        let booked = house.book(&ana, &evening).await.expect_booked();
        house.book(&bo, &evening).or_wait().await.expect_waitlisted(1);
        let instructor = &house.studio.instructor;
        let notes = format!("/v1/sessions/{}/notes", evening.id);
        house.put(&notes).by(instructor).json(&json!({"team": "The heating is being repaired.", "members": "Bring socks."})).await.expect(200);
        let request = house.cannot_come(&evening).await;
        let day = house.get("/v1/me/teaching?from=2026-12-03&to=2026-12-04").by(instructor).await.expect(200);
        let taught = &day["sessions"][0];
        assert_eq!(taught["roster"], json!({"booked": 1, "arrived": 0, "first_visits": 1, "waiting": 1}));
        assert_eq!((&taught["team_note"], &taught["note"]), (&json!("The heating is being repaired."), &json!("Bring socks.")));
        assert_eq!((&taught["substitute_request"], &taught["room"]["name"]), (&json!({"id": request, "state": "open"}), &json!("Room of 2026-12-03 18:30")));
        house.it_is("2026-12-03 18:25");
        house.put(format!("/v1/bookings/{}/check-in", booked.id)).by(instructor).json(&json!({})).await.expect(200);
        let day = house.get("/v1/me/teaching?from=2026-12-03&to=2026-12-04").by(instructor).await.expect(200);
        assert_eq!(day["sessions"][0]["roster"]["arrived"], 1);
        // Members read theirs, and not the team's.
        let seen = house.get(format!("/v1/sessions/{}", evening.id)).by(&ana).await.expect(200);
        assert_eq!(seen["note"], "Bring socks.");
        assert!(!seen.body.to_string().contains("heating"));
        let mei = house.colleague("Mei").await;
        for (who, status) in [(&ana, 403), (&mei, 403), (&house.studio.desk, 403)] {
            house.put(&notes).by(who).json(&json!({})).await.expect_refused(status, "not-allowed");
        }
        house.put(&notes).by(&house.studio.admin).json(&json!({})).await.expect(200);
        assert_eq!(house.get(format!("/v1/sessions/{}", evening.id)).await["note"], Value::Null);
    }
}
