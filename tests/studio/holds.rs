//! Holds: places that are kept back, what they refuse, and where they go when they end.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::House;
use crate::races::Neighbour;
use crate::seed::{Person, Session};
use crate::speech::{Call, Reply};

impl House {
    fn hold_path(&self, session: &Session, id: Uuid) -> String {
        format!("/v1/sessions/{}/holds/{id}", session.id)
    }

    /// The front desk keeps places back.
    fn hold(&self, session: &Session, id: Uuid, body: &Value) -> Call {
        self.put(self.hold_path(session, id)).by(&self.studio.desk).json(body)
    }

    fn release(&self, session: &Session, id: Uuid) -> Call {
        self.delete(self.hold_path(session, id)).by(&self.studio.desk)
    }

    async fn holds_of(&self, session: &Session) -> Vec<Value> {
        let read = self.get(format!("/v1/sessions/{}/holds", session.id)).by(&self.studio.desk).await.expect(200);
        read["holds"].as_array().unwrap().clone()
    }

    /// How many places are held and left, as everybody sees it.
    async fn held_and_left(&self, session: &Session) -> (i64, i64) {
        let shown = self.get(format!("/v1/sessions/{}", session.id)).await.expect(200);
        (shown["held"].as_i64().unwrap(), shown["places_left"].as_i64().unwrap())
    }

    fn until(&self, local: &str) -> Value {
        json!(releve::instant::text(self.at(local)))
    }

    /// What happened to the holds of a session, in order.
    async fn told_of(&self, session: &Session) -> Vec<String> {
        let sql =
            "SELECT action FROM events WHERE subject_id = $1 AND (action = 'session.held' OR action LIKE 'session.hold%') ORDER BY number";
        let found: Vec<(String,)> = self.db.all(sql, (session.id,)).await.unwrap();
        found.into_iter().map(|(action,)| action).collect()
    }
}

/// One guest.
fn guest() -> Value {
    json!({"kind": "guest", "places": 1})
}

both_engines! {
    /// Both want the last place at the same instant, at two processes.
    async fn a_hold_and_a_booking_race_for_the_last_place(house: House) {
        house.rules(json!({"bookings_ahead_max": 100})).await;
        let neighbour = Neighbour::of(&house, true).await;
        let ana = house.member("Ana").await;
        for race in 0..8 {
            let evening = house.session(&format!("2026-12-{:02} 18:30", 3 + race), 1).await;
            let id = house.new_id();
            let urls = if race % 2 == 0 { [house.url.as_str(), neighbour.url.as_str()] } else { [neighbour.url.as_str(), house.url.as_str()] };
            let hold = house.http.put(format!("{}{}", urls[0], house.hold_path(&evening, id)));
            let hold = hold.bearer_auth(&house.studio.desk.token).json(&guest());
            let book = house.http.put(format!("{}/v1/bookings/{}", urls[1], house.new_id()));
            let book = book.bearer_auth(&ana.token).json(&json!({"session_id": evening.id}));
            let (held, booked) = tokio::join!(hold.send(), book.send());
            let statuses = (held.unwrap().status().as_u16(), booked.unwrap().status().as_u16());
            assert!([(200, 409), (409, 201)].contains(&statuses), "{statuses:?}");
            assert_eq!(house.count("SELECT held + taken FROM sessions WHERE id = $1", evening.id).await, 1);
        }
        house.audit_is_clean().await;
        neighbour.leave().await;
    }

    async fn who_comes_first_has_the_last_place(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-12-03 18:30", 2).await;
        let id = house.new_id();
        house.hold(&evening, id, &guest()).await.expect(200);
        assert_eq!(house.held_and_left(&evening).await, (1, 1));
        house.book(&ana, &evening).await.expect_booked();
        house.book(&bo, &evening).await.expect_refused(409, "session-full");
        let refused = house.hold(&evening, house.new_id(), &guest()).await.expect_refused(409, "places-not-free");
        assert_eq!((&refused["places_left"], &refused["booked"], &refused["held"]), (&json!(0), &json!(1), &json!(1)));
        // Its own place is free to it, and no other.
        let two = json!({"kind": "guest", "places": 2});
        let refused = house.hold(&evening, id, &two).await.expect_refused(409, "places-not-free");
        assert_eq!(refused["places_left"], 1);
        assert_eq!(house.holds_of(&evening).await.len(), 1);
        // A class does not become smaller than what is booked and held.
        house.patch_session(&evening, 1, &json!({"capacity": 1})).await.expect_refused(409, "capacity-too-small");
        house.audit_is_clean().await;
    }

    /// Whoever waits is served in the commit that ends the hold.
    async fn what_a_hold_gives_back_goes_to_those_who_wait(house: House) {
        house.rules(json!({"waitlist_unlimited": true})).await;
        let members = house.members(4).await;
        let evening = house.session("2026-12-03 18:30", 3).await;
        let (brand, guests) = (house.new_id(), house.new_id());
        let said = json!({"kind": "brand", "places": 2, "until": house.until("2026-12-02 12:00"), "note": "For the photographs"});
        let held = house.hold(&evening, brand, &said).await.expect(200);
        assert_eq!((&held["until"], &held["note"], &held["made_by"]), (&said["until"], &said["note"], &json!(house.studio.desk.id)));
        house.hold(&evening, guests, &guest()).await.expect(200);
        let mut queue = Vec::new();
        for (n, person) in (1..).zip(&members) {
            queue.push(house.book(person, &evening).or_wait().await.expect_waitlisted(n));
        }
        // Fewer places are kept back.
        let fewer = json!({"kind": "brand", "places": 1, "until": said["until"]});
        assert_eq!(house.hold(&evening, brand, &fewer).await.expect(200)["note"], Value::Null);
        assert_eq!(house.now(&queue[0]).await["status"], "booked");
        assert_eq!(house.now(&queue[1]).await["waitlist_position"], 1);
        // Staff give one free.
        let released = house.release(&evening, guests).await.expect(200);
        assert_eq!((&released["outcome"], &released["ended_by"]), (&json!("released"), &json!(house.studio.desk.id)));
        assert_eq!(house.now(&queue[1]).await["status"], "booked");
        // Its time is over: not a moment before.
        house.it_is("2026-12-02 11:59");
        house.sweep().await;
        assert_eq!(house.held_and_left(&evening).await, (1, 0));
        house.it_is("2026-12-02 12:00");
        house.sweep().await;
        assert_eq!(house.held_and_left(&evening).await, (0, 0));
        assert_eq!(house.now(&queue[2]).await["status"], "booked");
        assert_eq!(house.now(&queue[3]).await["waitlist_position"], 1);
        let ended = house.holds_of(&evening).await.into_iter().find(|hold| hold["id"] == json!(brand)).unwrap();
        assert_eq!((&ended["outcome"], &ended["ended_by"]), (&json!("expired"), &Value::Null));
        house.sweep().await;
        assert_eq!(
            house.told_of(&evening).await,
            ["session.held", "session.held", "session.hold_changed", "session.hold_released", "session.hold_expired"]
        );
        house.audit_is_clean().await;
    }

    /// After the promotion cut-off what a hold gives back is offered, and what is offered cannot be held.
    async fn what_is_offered_is_not_free(house: House) {
        house.rules(json!({"after_cutoff": "offers"})).await;
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 1).await;
        let id = house.new_id();
        house.hold(&evening, id, &guest()).await.expect(200);
        let waiting = house.book(&ana, &evening).or_wait().await.expect_waitlisted(1);
        house.it_is("2026-12-03 12:00");
        house.release(&evening, id).await.expect(200);
        assert_eq!(house.now(&waiting).await["status"], "offered");
        house.hold(&evening, house.new_id(), &guest()).await.expect_refused(409, "places-not-free");
        house.accept(&waiting).await.expect(200);
    }

    async fn what_is_kept_for_those_who_wait_is_not_free(house: House) {
        house.rules(json!({"after_cutoff": "notify_all"})).await;
        let bo = house.member("Bo").await;
        let evening = house.session("2026-12-04 18:30", 1).await;
        let id = house.new_id();
        house.hold(&evening, id, &guest()).await.expect(200);
        let waiting = house.book(&bo, &evening).or_wait().await.expect_waitlisted(1);
        house.it_is("2026-12-04 12:00");
        house.release(&evening, id).await.expect(200);
        house.hold(&evening, house.new_id(), &guest()).await.expect_refused(409, "places-not-free");
        assert_eq!(house.accept(&waiting).await.expect(200)["status"], "booked");
    }

    async fn a_call_may_be_repeated(house: House) {
        let evening = house.session("2026-12-03 18:30", 2).await;
        let id = house.new_id();
        let said = json!({"kind": "partner", "places": 1, "until": "2026-12-02T04:00:00.1234567Z"});
        let first = house.hold(&evening, id, &said).await.expect(200);
        assert_eq!(house.hold(&evening, id, &said).await.expect(200).text, first.text);
        assert_eq!(house.held_and_left(&evening).await, (1, 1));
        let released = house.release(&evening, id).await.expect(200);
        assert_eq!(house.release(&evening, id).await.expect(200).text, released.text);
        // It is not begun again, and nothing else becomes of it.
        assert_eq!(house.hold(&evening, id, &said).await.expect(200).text, released.text);
        house.hold(&evening, id, &guest()).await.expect_refused(409, "hold-ended");
        let other = house.session("2026-12-04 18:30", 2).await;
        house.hold(&other, id, &said).await.expect_refused(409, "hold-id-reused");
        house.release(&other, id).await.expect_refused(404, "not-found");
        assert_eq!(house.held_and_left(&evening).await, (0, 2));
        assert_eq!(house.told_of(&evening).await, ["session.held", "session.hold_released"]);
    }

    async fn what_makes_no_sense_is_refused(house: House) {
        let evening = house.session("2026-12-03 18:30", 2).await;
        let id = house.new_id();
        let refuse = async |body: Value, field: &str| {
            house.hold(&evening, id, &body).await.expect_refused(422, "invalid-fields").naming(field);
        };
        refuse(json!({"kind": "guest", "places": 0}), "places").await;
        refuse(json!({"kind": "mood", "places": 1}), "kind").await;
        refuse(json!({"kind": "guest", "places": 1, "until": house.until("2026-11-30 09:59")}), "until").await;
        refuse(json!({"kind": "guest", "places": 1, "until": house.until("2026-12-03 18:31")}), "until").await;
        house.hold(&evening, id, &json!({"kind": "guest", "places": 3})).await.expect_refused(409, "places-not-free");
        house.release(&evening, id).await.expect_refused(404, "not-found");
        assert!(house.holds_of(&evening).await.is_empty());
        house.it_is("2026-12-03 19:30");
        house.hold(&evening, id, &guest()).await.expect_refused(409, "session-over");
        let later = house.session("2026-12-05 18:30", 2).await;
        house.cancel_session(&later, &json!({})).await.expect(200);
        house.hold(&later, id, &guest()).await.expect_refused(409, "session-cancelled");
    }

    async fn a_session_has_only_so_many_holds(house: House) {
        let evening = house.session("2026-12-03 18:30", 2).await;
        let (studio, session, desk, now) = (house.studio.id, evening.id, house.studio.desk.id, house.clock.now());
        let rows: Vec<_> = (0..200).map(|_| (house.new_id(), studio, session, "staff", 1_i64, now, desk, now, "released")).collect();
        let sql = "INSERT INTO holds (id, studio_id, session_id, kind, places, made_at, made_by, ended_at, outcome) VALUES #";
        house.write(move |tx| Box::pin(async move { tx.rows(sql, rows).await })).await;
        let refused = house.hold(&evening, house.new_id(), &guest()).await.expect_refused(409, "too-many-holds");
        assert_eq!(refused["max"], 200);
        assert_eq!(house.holds_of(&evening).await.len(), 200);
    }

    async fn holds_are_the_front_desks_of_the_studio(house: House) {
        let evening = house.session("2026-12-03 18:30", 2).await;
        let draft = house.plan("2026-12-04 18:30", 2).draft().await;
        let (ana, away) = (house.member("Ana").await, house.second_studio().await);
        let ids = [house.new_id(), house.new_id()];
        house.hold(&evening, ids[0], &guest()).await.expect(200);
        house.hold(&draft, ids[1], &guest()).await.expect(200);
        let all = async |who: &Person, session: &Session, id: Uuid| -> Vec<Reply> {
            let path = house.hold_path(session, id);
            vec![
                house.get(format!("/v1/sessions/{}/holds", session.id)).by(who).await,
                house.put(&path).by(who).json(&json!({"kind": "staff", "places": 2})).await,
                house.delete(&path).by(who).await,
            ]
        };
        for who in [&ana, &house.studio.instructor, &away.desk, &away.admin] {
            all(who, &evening, ids[0]).await.into_iter().for_each(|reply| drop(reply.expect_refused(403, "not-allowed")));
        }
        all(&house.studio.instructor, &draft, ids[1]).await.into_iter().for_each(|reply| drop(reply.expect_refused(403, "not-allowed")));
        // Who does not see the session sees no hold of it.
        for who in [&ana, &away.admin] {
            all(who, &draft, ids[1]).await.into_iter().for_each(|reply| drop(reply.expect_refused(404, "not-found")));
        }
        for (session, id) in [(&evening, ids[0]), (&draft, ids[1])] {
            assert_eq!(house.holds_of(session).await[0]["outcome"], Value::Null);
            all(&house.studio.admin, session, id).await.into_iter().for_each(|reply| drop(reply.expect(200)));
        }
    }

    async fn a_cancelled_session_ends_its_holds(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 1).await;
        let id = house.new_id();
        house.hold(&evening, id, &json!({"kind": "broken", "places": 1})).await.expect(200);
        let waiting = house.book(&ana, &evening).or_wait().await.expect_waitlisted(1);
        house.cancel_session(&evening, &json!({})).await.expect(200);
        assert_eq!(house.now(&waiting).await["status"], "cancelled");
        let ended = house.holds_of(&evening).await;
        assert_eq!((&ended[0]["outcome"], &ended[0]["ended_by"]), (&json!("session_cancelled"), &json!(house.studio.admin.id)));
        assert_eq!(house.count("SELECT held FROM sessions WHERE id = $1", evening.id).await, 0);
        assert_eq!(house.told_of(&evening).await, ["session.held", "session.hold_released"]);
        house.release(&evening, id).await.expect(200);
        house.audit_is_clean().await;
    }

    /// A moved session keeps its holds and their instants; a hold that has one ends at the new start at the latest.
    async fn a_moved_session_keeps_its_holds(house: House) {
        let evening = house.session("2026-12-03 18:30", 3).await;
        let (timed, broken) = (house.new_id(), house.new_id());
        let until = house.until("2026-12-03 18:00");
        house.hold(&evening, timed, &json!({"kind": "guest", "places": 1, "until": until})).await.expect(200);
        house.hold(&evening, broken, &json!({"kind": "broken", "places": 1})).await.expect(200);
        house.patch_session(&evening, 1, &json!({"local_start": "2026-12-03T10:00"})).await.expect(200);
        assert!(house.holds_of(&evening).await.iter().all(|hold| hold["outcome"] == Value::Null));
        house.it_is("2026-12-03 09:59");
        house.sweep().await;
        assert_eq!(house.held_and_left(&evening).await.0, 2);
        house.it_is("2026-12-03 10:00");
        house.sweep().await;
        assert_eq!(house.held_and_left(&evening).await.0, 1);
        let ended: Vec<_> = house.holds_of(&evening).await.into_iter().filter(|hold| hold["outcome"] == "expired").collect();
        assert_eq!((ended.len(), &ended[0]["id"], &ended[0]["until"]), (1, &json!(timed), &until));
        house.audit_is_clean().await;
    }

    async fn the_audit_sees_places_that_no_hold_keeps(house: House) {
        house.audit_may_be_dirty();
        let evening = house.session("2026-12-03 18:30", 2).await;
        house.hold(&evening, house.new_id(), &guest()).await.expect(200);
        house.audit_is_clean().await;
        let id = evening.id;
        house.write(move |tx| Box::pin(async move { tx.run("UPDATE sessions SET held = 2 WHERE id = $1", (id,)).await })).await;
        let report = releve::audit::check(&house.db, house.clock.now()).await.unwrap();
        assert!(report.to_string().contains("held 2 of 1"), "{report}");
    }
}
