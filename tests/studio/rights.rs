//! Rights end with the role: whoever is an instructor no more has none left in the sessions that bear their name, and an admin is shown
//! those.

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::House;
use crate::seed::{Person, Session};
use crate::speech::{Call, Reply};

impl House {
    fn set_roles(&self, by: &Person, person: &Person, body: &Value) -> Call {
        self.put(self.of_studio(&format!("staff/{}", person.id))).by(by).json(body)
    }

    /// The admin takes every role from somebody, whatever they still have to teach.
    async fn strip(&self, person: &Person) -> Reply {
        self.set_roles(&self.studio.admin, person, &json!({ "roles": [], "leave_sessions": true })).await.expect(200)
    }

    async fn unstaffed(&self) -> Vec<Value> {
        let found = self.get(self.of_studio("unstaffed-sessions")).by(&self.studio.admin).await.expect(200);
        found["sessions"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect()
    }

    /// Whether an instructor can do all that one can with these sessions.
    async fn what_goes(&self, who: &Person, past: &Session, cancelled: &Session, booking: Uuid, request: Uuid) -> Vec<(&'static str, u16)> {
        let note = json!({ "team": "to the team", "members": "to all" });
        let ask = json!({ "session_id": past.id });
        let calls = [
            ("roster", self.get(format!("/v1/sessions/{}/roster", past.id)).by(who)),
            ("note", self.put(format!("/v1/sessions/{}/notes", past.id)).by(who).json(&note)),
            ("note on a cancelled one", self.put(format!("/v1/sessions/{}/notes", cancelled.id)).by(who).json(&note)),
            ("check in", self.put(format!("/v1/bookings/{booking}/check-in")).by(who).json(&json!({}))),
            ("undo", self.delete(format!("/v1/bookings/{booking}/check-in")).by(who)),
            ("requests", self.get(self.of_studio("substitute-requests")).by(who)),
            ("withdraw", self.put(format!("/v1/substitute-requests/{request}/withdrawal")).by(who)),
            ("series", self.get(self.of_studio("series")).by(who)),
            ("availability", self.get(self.of_studio("availability/me")).by(who)),
            ("ask", self.post_to(self.of_studio("substitute-requests")).by(who).json(&ask)),
        ];
        let mut all = Vec::new();
        for (name, call) in calls {
            all.push((name, call.await.status));
        }
        all
    }
}

both_engines! {
    async fn who_was_an_instructor_has_no_rights_left(house: House) {
        let (mei, ana) = (house.colleague("Mei").await, house.member("Ana").await);
        // Known as a member too, so that the studio can take them on again.
        house.put(house.of_studio("members/me")).by(&mei).await.expect(200);
        let class = house.plan("2026-12-01 18:30", 5).taught_by(&mei).await;
        let cancelled = house.plan("2026-12-02 18:30", 5).taught_by(&mei).await;
        let draft = house.plan("2026-12-09 18:30", 5).taught_by(&mei).draft().await;
        let asked_for = house.plan("2026-12-10 18:30", 5).taught_by(&mei).await;
        let booking = house.book(&ana, &class).await.expect_booked();
        house.cancel_session(&cancelled, &json!({ "reason": "illness" })).await.expect(200);
        let ask = json!({ "session_id": asked_for.id, "note": "I am ill" });
        let request = house.post_to(house.of_studio("substitute-requests")).by(&mei).json(&ask).await.expect(201);
        let request: Uuid = request["requests"][0]["id"].as_str().unwrap().parse().unwrap();
        let feed = house.post_to("/v1/me/calendars").by(&mei).json(&json!({ "kind": "teaching" })).await.expect(201);
        let feed = feed["url"].as_str().unwrap().split_once("/calendars/").unwrap().1.to_owned();
        let notes = json!({ "team": "Ana has a bad knee", "members": "Bring socks" });
        house.put(format!("/v1/sessions/{}/notes", class.id)).by(&mei).json(&notes).await.expect(200);
        house.it_is("2026-12-01 18:20");

        // As long as they are an instructor all of it goes; else nothing is shown by what follows.
        let teaching = house.get("/v1/me/teaching?from=2026-12-01&to=2026-12-20").by(&mei).await.expect(200);
        assert_eq!(teaching["sessions"].as_array().unwrap().len(), 4);
        assert_eq!(house.get("/v1/me/substitute-requests").by(&mei).await.expect(200)["requests"].as_array().unwrap().len(), 1);
        assert!(house.get(format!("/calendars/{feed}")).await.expect(200).text.contains("VEVENT"));
        house.get(format!("/v1/sessions/{}", draft.id)).by(&mei).await.expect(200);
        let all = house.what_goes(&mei, &class, &cancelled, booking.id, Uuid::nil()).await;
        for (name, status) in &all {
            assert!(*status < 300 || matches!(*name, "withdraw"), "{name}: {status}");
        }

        house.strip(&mei).await;
        let all = house.what_goes(&mei, &class, &cancelled, booking.id, request).await;
        for (name, status) in &all {
            assert!(matches!(status, 403 | 404), "{name}: {status}");
        }
        let teaching = house.get("/v1/me/teaching?from=2026-12-01&to=2026-12-20").by(&mei).await.expect(200);
        assert_eq!(teaching["sessions"], json!([]), "no team notes, no rosters");
        assert_eq!(house.get("/v1/me/substitute-requests").by(&mei).await.expect(200)["requests"], json!([]));
        assert!(!house.get(format!("/calendars/{feed}")).await.expect(200).text.contains("VEVENT"));
        house.get(format!("/v1/sessions/{}", draft.id)).by(&mei).await.expect_refused(404, "not-found");
        for (what, call) in [
            ("edit", house.patch(format!("/v1/sessions/{}", class.id)).by(&mei).header("If-Match", 1).json(&json!({ "too_few_exempt": true }))),
            ("edit a draft", house.patch(format!("/v1/sessions/{}", draft.id)).by(&mei).header("If-Match", 1).json(&json!({ "capacity": 4 }))),
            ("cancel", house.put(format!("/v1/sessions/{}/cancellation", asked_for.id)).by(&mei).json(&json!({}))),
        ] {
            let status = call.await.status;
            assert!(matches!(status, 403 | 404), "{what}: {status}");
        }
        // What they wrote before stands, and who serves members goes on.
        assert_eq!(house.get(format!("/v1/sessions/{}", class.id)).await.expect(200)["note"], "to all");
        house.put(format!("/v1/bookings/{}/check-in", booking.id)).by(&house.studio.desk).json(&json!({})).await.expect(200);

        // At the front desk they serve any member, and no longer run what bears their name.
        house.set_roles(&house.studio.admin, &mei, &json!({ "roles": ["front_desk"] })).await.expect(200);
        house.get(format!("/v1/sessions/{}/roster", class.id)).by(&mei).await.expect(200);
        let note = house.put(format!("/v1/sessions/{}/notes", class.id)).by(&mei).json(&json!({ "team": null }));
        note.await.expect_refused(403, "not-allowed");
        let withdrawal = house.put(format!("/v1/substitute-requests/{request}/withdrawal")).by(&mei);
        withdrawal.await.expect_refused(403, "not-allowed");
    }

    async fn what_an_instructor_leaves_behind_is_named_and_listed(house: House) {
        let admin = house.studio.admin.clone();
        let (mei, ana) = (house.colleague("Mei").await, house.member("Ana").await);
        let over = house.plan("2026-11-30 10:30", 5).taught_by(&mei).await;
        let class = house.plan("2026-12-02 18:30", 5).taught_by(&mei).await;
        let draft = house.plan("2027-11-09 18:30", 5).taught_by(&mei).draft().await;
        let gone = house.plan("2026-12-03 18:30", 5).taught_by(&mei).await;
        house.cancel_session(&gone, &json!({})).await.expect(200);
        let elsewhere = house.second_studio().await;
        house.teaches_at(&mei, &elsewhere).await;
        house.plan("2026-12-05 18:30", 5).at(&elsewhere).taught_by(&mei).await;
        let others = house.session("2026-12-06 18:30", 5).await;
        let booking = house.book(&ana, &class).await.expect_booked();
        house.advance(TimeDelta::hours(3));
        assert_eq!(house.unstaffed().await, Vec::<Value>::new());

        // Unless the admin says so nobody is left without an instructor by mistake.
        let refused = house.set_roles(&admin, &mei, &json!({ "roles": [] })).await.expect_refused(409, "staff-teaches");
        let named = |sessions: &Value| sessions.as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
        let left = vec![json!(class.id), json!(draft.id)];
        assert_eq!(named(&refused["sessions"]), left);
        house.get(format!("/v1/sessions/{}/roster", class.id)).by(&mei).await.expect(200);
        let done = house.set_roles(&admin, &mei, &json!({ "roles": [], "leave_sessions": true })).await.expect(200);
        assert_eq!((&done["roles"], named(&done["unstaffed_sessions"])), (&json!([]), left.clone()));
        house.get(format!("/v1/sessions/{}/roster", class.id)).by(&mei).await.expect_refused(403, "not-allowed");
        // Whom the studio knows no more it cannot make anything.
        house.set_roles(&admin, &mei, &json!({ "roles": [] })).await.expect_refused(404, "not-found");

        // All of them, page by page; the members keep their places.
        assert_eq!(house.unstaffed().await, left);
        let page = house.get(house.of_studio("unstaffed-sessions?limit=1")).by(&admin).await.expect(200);
        let next = page["next"].as_str().unwrap();
        let page = house.get(house.of_studio(&format!("unstaffed-sessions?limit=1&after={next}"))).by(&admin).await.expect(200);
        assert_eq!((named(&page["sessions"]), &page["next"]), (vec![json!(draft.id)], &Value::Null));
        assert_eq!(house.now(&booking).await["status"], "booked");
        for (who, status) in [(&house.studio.desk, 403), (&mei, 403), (&ana, 403), (&house.studio.owner, 200)] {
            assert_eq!(house.get(house.of_studio("unstaffed-sessions")).by(who).await.status, status, "{}", who.name);
        }

        // A draft that nobody gives is not published; with somebody else it is, and leaves the list.
        let publish = async || {
            let days = json!({ "from": "2027-11-01", "to": "2027-11-30" });
            house.put(house.of_studio("publication")).by(&admin).json(&days).await.expect(200)
        };
        let skipped = publish().await;
        assert_eq!((&skipped["session_ids"], &skipped["skipped"][0]["because"]), (&json!([]), &json!("instructor-left")));
        let lin = &house.studio.instructor;
        for session in [&draft, &class] {
            house.patch_session(session, 1, &json!({ "instructor_id": lin.id })).await.expect(200);
        }
        assert_eq!(publish().await["session_ids"], json!([draft.id]));
        assert_eq!(house.unstaffed().await, Vec::<Value>::new());
        assert!(house.kinds_to(&ana).await.contains(&"session_changed".to_owned()));
        // What was taught stays as it was.
        assert_eq!(house.get(format!("/v1/sessions/{}", over.id)).await.expect(200)["instructor"]["id"], json!(mei.id));
        assert_eq!(house.get(format!("/v1/sessions/{}", others.id)).await.expect(200)["instructor"]["id"], json!(lin.id));
    }

    async fn who_was_taken_off_the_staff_can_leave(house: House) {
        let mei = house.colleague("Mei").await;
        let class = house.plan("2026-12-20 18:30", 5).taught_by(&mei).await;
        house.ask_deletion(&mei).await.expect_refused(409, "staff-teaches");
        house.strip(&mei).await;
        house.ask_deletion(&mei).await.expect(200);
        house.advance(TimeDelta::days(7));
        house.sweep().await;
        assert_eq!(house.count("SELECT COUNT(*) FROM persons WHERE id = $1 AND deleted_at IS NOT NULL", mei.id).await, 1);
        // The studio still has a class to give, and sees it.
        assert_eq!(house.unstaffed().await, [json!(class.id)]);
        house.patch_session(&class, 1, &json!({ "instructor_id": house.studio.instructor.id })).await.expect(200);
    }

    async fn an_approval_cannot_give_a_class_to_who_has_left(house: House) {
        let (lin, mei) = (house.studio.instructor.clone(), house.colleague("Mei").await);
        house.rules(json!({ "substitutes_need_approval": true })).await;
        let class = house.session("2026-12-05 18:30", 5).await;
        let stated = json!({ "teaches": [house.studio.class_type], "weekly": [{ "weekday": 6, "from": "08:00", "until": "22:00" }] });
        house.put(house.of_studio("availability/me")).by(&mei).json(&stated).await.expect(200);
        let ask = json!({ "session_id": class.id });
        let asked = house.post_to(house.of_studio("substitute-requests")).by(&lin).json(&ask).await.expect(201);
        let request = format!("/v1/substitute-requests/{}", asked["requests"][0]["id"].as_str().unwrap());
        house.put(format!("{request}/claim")).by(&mei).await.expect(200);
        house.strip(&mei).await;
        let approve = |approved: bool| house.put(format!("{request}/approval")).by(&house.studio.admin).json(&json!({ "approved": approved }));
        approve(true).await.expect_refused(409, "not-eligible");
        assert_eq!(approve(false).await.expect(200)["state"], "open");
    }
}
