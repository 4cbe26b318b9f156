//! Drafts: staff plan, members see nothing of it until it is published; instructors who may only propose do so.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::House;
use crate::seed::{Person, Session};
use crate::speech::Reply;

impl House {
    /// Makes a session over HTTP, with what is said besides.
    pub async fn schedule_session(&self, by: &Person, local_start: &str, besides: Value) -> Reply {
        let studio = &self.studio;
        let mut body = json!({
            "class_type_id": studio.class_type, "room_id": studio.room, "instructor_id": studio.instructor.id,
            "local_start": local_start, "capacity": 5,
        });
        for (name, value) in besides.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.post_to(format!("/v1/studios/{}/sessions", studio.id)).by(by).json(&body).await
    }

    async fn publish_days(&self, by: &Person, from: &str, to: &str) -> Reply {
        self.put(format!("/v1/studios/{}/publication", self.studio.id)).by(by).json(&json!({"from": from, "to": to})).await
    }

    /// The ids of the sessions that a reader finds in the schedule of the first weeks of December.
    async fn seen_by(&self, reader: Option<&Person>) -> Vec<Value> {
        // The public schedule may be a second old.
        self.advance(chrono::TimeDelta::seconds(2));
        let call = self.get(format!("/v1/studios/{}/sessions?from=2026-12-01&to=2027-01-20", self.studio.id));
        let reply = match reader {
            Some(person) => call.by(person).await,
            None => call.await,
        };
        reply.expect(200)["sessions"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect()
    }

    /// Nobody but staff finds a trace of it.
    async fn expect_hidden(&self, id: Uuid, member: &Person) {
        for reader in [None, Some(member)] {
            assert!(!self.seen_by(reader).await.contains(&json!(id)), "it is listed");
            let call = self.get(format!("/v1/sessions/{id}"));
            let reply = match reader {
                Some(person) => call.by(person).await,
                None => call.await,
            };
            reply.expect_refused(404, "not-found");
        }
        let session = Session { id, starts_at: self.clock.now(), ends_at: self.clock.now() };
        self.book(member, &session).or_wait().await.expect_refused(404, "not-found");
        for (who, what) in
            [(member, json!({"kind": "studio", "studio_id": self.studio.id})), (&self.studio.instructor, json!({"kind": "teaching"}))]
        {
            let made = self.post_to("/v1/me/calendars").by(who).json(&what).await.expect(201);
            let url = made["url"].as_str().unwrap();
            let feed = self.get(&url[url.find("/calendars/").unwrap()..]).await.expect(200);
            assert!(!feed.text.contains(&id.to_string()), "it is in a calendar: {}", feed.text);
            self.delete(format!("/v1/me/calendars/{}", made["id"].as_str().unwrap())).by(who).await.expect(204);
        }
        assert!(self.seen_by(Some(&self.studio.desk)).await.contains(&json!(id)), "staff see it");
    }

    async fn may_schedule(&self, how: &str) {
        self.rules(json!({"instructors_schedule": how})).await;
    }
}

both_engines! {
    async fn what_is_not_published_nobody_sees_and_then_everybody_does(house: House) {
        let (ana, mei) = (house.member("Ana").await, house.colleague("Mei").await);
        let admin = house.studio.admin.clone();
        let one = house.schedule_session(&admin, "2026-12-03T18:30", json!({"draft": true})).await.expect(201);
        assert_eq!(one["status"], "draft");
        house.expect_hidden(one.id(), &ana).await;
        for local in ["2026-12-04T18:30", "2026-12-05T18:30"] {
            house.schedule_session(&admin, local, json!({"draft": true, "instructor_id": mei.id})).await.expect(201);
        }
        let later = house.schedule_session(&admin, "2026-12-20T18:30", json!({"draft": true})).await.expect(201);
        for who in [&ana, &mei, &house.studio.instructor, &house.studio.desk] {
            house.publish_days(who, "2026-12-01", "2026-12-08").await.expect_refused(403, "not-allowed");
        }
        let looked = house.put(format!("/v1/studios/{}/publication?dry_run=true", house.studio.id)).by(&admin);
        let looked = looked.json(&json!({"from": "2026-12-01", "to": "2026-12-08"})).await.expect(200);
        assert_eq!(looked["told"].as_array().unwrap().len(), 2);
        house.expect_hidden(one.id(), &ana).await;
        let published = house.publish_days(&admin, "2026-12-01", "2026-12-08").await.expect(200);
        assert_eq!(published["session_ids"].as_array().unwrap().len(), 3);
        for (instructor, count) in [(&house.studio.instructor, 1), (&mei, 2)] {
            let letters = house.letters_to(instructor).await;
            let [letter] = letters.as_slice() else { panic!("{letters:?}") };
            assert_eq!(letter.kind, "sessions_published");
            let facts = "SELECT facts FROM letters WHERE id = $1";
            let (facts,): (sqlx::types::Json<Value>,) = house.db.one(facts, (letter.id,)).await.unwrap();
            assert!(facts.to_string().contains(&format!("\"count\":{count}")), "{}", facts.0);
        }
        for reader in [None, Some(&ana)] {
            assert_eq!(house.seen_by(reader).await.len(), 3);
        }
        house.expect_hidden(later.id(), &ana).await;
        let session = Session { id: one.id(), starts_at: house.clock.now(), ends_at: house.clock.now() };
        house.book(&ana, &session).await.expect_booked();
        // Again it publishes nothing and tells nobody.
        assert_eq!(house.publish_days(&admin, "2026-12-01", "2026-12-08").await.expect(200)["session_ids"], json!([]));
        assert_eq!(house.letters_to(&mei).await.len(), 1);
        for (from, to) in [("2026-12-08", "2026-12-08"), ("2026-12-01", "2027-12-08"), ("soon", "2026-12-08")] {
            house.publish_days(&admin, from, to).await.expect_client_error();
        }
    }

    async fn a_draft_that_was_cancelled_was_never_there(house: House) {
        let ana = house.member("Ana").await;
        let draft = house.schedule_session(&house.studio.admin, "2026-12-03T18:30", json!({"draft": true})).await.expect(201);
        house.put(format!("/v1/sessions/{}/cancellation", draft.id())).by(&house.studio.admin).json(&json!({})).await.expect(200);
        house.expect_hidden(draft.id(), &ana).await;
        house.publish_days(&house.studio.admin, "2026-12-01", "2026-12-08").await.expect(200);
        house.expect_hidden(draft.id(), &ana).await;
        let shown = house.schedule_session(&house.studio.admin, "2026-12-03T18:30", json!({})).await.expect(201);
        house.put(format!("/v1/sessions/{}/cancellation", shown.id())).by(&house.studio.admin).json(&json!({})).await.expect(200);
        house.get(format!("/v1/sessions/{}", shown.id())).await.expect(200);
    }

    async fn a_week_is_copied_as_drafts(house: House) {
        let (ana, mei) = (house.member("Ana").await, house.colleague("Mei").await);
        let admin = house.studio.admin.clone();
        let monday = house.schedule_session(&admin, "2026-12-07T18:30", json!({})).await.expect(201);
        let tuesday = house.schedule_session(&admin, "2026-12-08T18:30", json!({"instructor_id": mei.id})).await.expect(201);
        let wednesday = house.schedule_session(&admin, "2026-12-09T18:30", json!({})).await.expect(201);
        let thursday = house.schedule_session(&admin, "2026-12-10T18:30", json!({"draft": true})).await.expect(201);
        let friday = house.schedule_session(&admin, "2026-12-11T18:30", json!({"capacity": 3})).await.expect(201);
        house.put(format!("/v1/sessions/{}/cancellation", wednesday.id())).by(&admin).json(&json!({})).await.expect(200);
        // Mei leaves; on the Monday after Lin is elsewhere, on the Thursday the studio is closed.
        let mei_id = mei.id;
        house.write(move |tx| Box::pin(async move { tx.run("DELETE FROM staff WHERE person_id = $1", (mei_id,)).await })).await;
        let busy = house.session("2026-12-14 19:00", 4).await;
        let days = json!({"from": "2026-12-17", "to": "2026-12-18"});
        house.post_to(format!("/v1/studios/{}/closing-days", house.studio.id)).by(&admin).json(&days).await.expect(200);
        let path = format!("/v1/studios/{}/copies", house.studio.id);
        let week = json!({"from": "2026-12-07", "to": "2026-12-14"});
        for who in [&ana, &house.studio.instructor, &house.studio.desk] {
            house.post_to(&path).by(who).json(&week).await.expect_refused(403, "not-allowed");
        }
        let looked = house.post_to(format!("{path}?dry_run=true")).by(&admin).json(&week).await.expect(200);
        let copied = house.post_to(&path).by(&admin).json(&week).await.expect(200);
        assert_eq!((&looked["skipped"], &looked["told"]), (&copied["skipped"], &json!([])));
        assert_eq!(copied["skipped"], json!([
            {"session_id": monday.id(), "because": "instructor-busy", "other_session_id": busy.id},
            {"session_id": tuesday.id(), "because": "instructor-left", "other_session_id": null},
            {"session_id": thursday.id(), "because": "studio-closed", "other_session_id": null},
        ]));
        let [made] = copied["session_ids"].as_array().unwrap().as_slice() else { panic!("{}", copied.body) };
        let shown = house.get(format!("/v1/sessions/{}", made.as_str().unwrap())).by(&admin).await.expect(200);
        assert_eq!((&shown["status"], &shown["local_start"], &shown["capacity"]), (&json!("draft"), &json!("2026-12-18T18:30"), &json!(3)));
        house.expect_hidden(shown.id(), &ana).await;
        // Copied again it is in its own way.
        let again = house.post_to(&path).by(&admin).json(&week).await.expect(200);
        assert_eq!(again["session_ids"], json!([]));
        assert!(again["skipped"].as_array().unwrap().iter().any(|one| one["session_id"] == json!(friday.id()) && one["other_session_id"] == *made));
        for (body, field) in [
            (json!({"from": "2026-12-07", "to": "2026-12-10"}), "to"),
            (json!({"from": "2026-12-07", "to": "2026-12-14", "days": 0}), "days"),
            (json!({"from": "2026-12-07", "to": "2026-12-14", "days": 63}), "days"),
            (json!({"from": "2026-12-07"}), "to"),
            (json!({"from": "2026-12-07", "to": "2026-12-14", "draft": false}), "draft"),
        ] {
            house.post_to(&path).by(&admin).json(&body).await.expect_client_error().naming(field);
        }
    }

    async fn a_week_is_copied_at_the_same_wall_time(house: House) {
        let brooklyn = house.second_studio().await;
        house.it_is("2027-03-01 12:00");
        // New York puts its clocks forward in the night of 14 March 2027.
        let mut made = Vec::new();
        for local in ["2027-03-07T02:30", "2027-03-08T18:30"] {
            let body = json!({"class_type_id": brooklyn.class_type, "room_id": brooklyn.room, "instructor_id": brooklyn.instructor.id, "local_start": local});
            made.push(house.post_to(format!("/v1/studios/{}/sessions", brooklyn.id)).by(&brooklyn.admin).json(&body).await.expect(201));
        }
        assert_eq!(made[1]["starts_at"], "2027-03-08T23:30:00.000000Z");
        let path = format!("/v1/studios/{}/copies", brooklyn.id);
        let copied = house.post_to(&path).by(&brooklyn.admin).json(&json!({"from": "2027-03-07", "to": "2027-03-14"})).await.expect(200);
        assert_eq!(copied["skipped"], json!([]));
        let listed = house.get(format!("/v1/studios/{}/sessions?from=2027-03-14&to=2027-03-21", brooklyn.id)).by(&brooklyn.admin).await.expect(200);
        let starts: Vec<_> = listed["sessions"].as_array().unwrap().iter().map(|one| (one["local_start"].clone(), one["starts_at"].clone())).collect();
        assert_eq!(starts, [
            // A minute that is not there becomes the first after it.
            (json!("2027-03-14T03:00"), json!("2027-03-14T07:00:00.000000Z")),
            (json!("2027-03-15T18:30"), json!("2027-03-15T22:30:00.000000Z")),
        ]);
    }

    async fn who_may_only_propose_proposes(house: House) {
        house.may_schedule("propose").await;
        let (ana, lin, admin) = (house.member("Ana").await, house.studio.instructor.clone(), house.studio.admin.clone());
        let class = json!({"class_type_id": house.studio.class_type, "room_id": house.studio.room, "instructor_id": lin.id,
            "local_start": "2026-12-03T10:00"});
        let looked = house.post_to(house.of_studio("sessions?dry_run=true")).by(&lin).json(&class).await.expect(200);
        assert_eq!((&looked["told"][0]["person_id"], &looked["told"][0]["letter"]), (&json!(admin.id), &json!("sessions_proposed")));
        let single = house.schedule_session(&lin, "2026-12-03T10:00", json!({"draft": false})).await.expect(201);
        assert_eq!(single["status"], "draft");
        house.expect_hidden(single.id(), &ana).await;
        assert_eq!(house.kinds_to(&admin).await, ["sessions_proposed"]);
        let series = house.begin(&lin, json!({})).await.expect(201);
        assert_eq!(series["draft"], true);
        assert_eq!(house.kinds_to(&admin).await, ["sessions_proposed", "sessions_proposed"]);
        let sessions: Vec<Session> = house.of_series(series.id()).await.into_iter().map(|(_, session)| session).collect();
        house.expect_hidden(sessions[0].id, &ana).await;
        // The instructor may change and cancel what is a draft.
        let path = |session: &Session| format!("/v1/sessions/{}", session.id);
        house.patch(path(&sessions[0])).by(&lin).header("If-Match", 1).json(&json!({"capacity": 4})).await.expect(200);
        house.patch(path(&sessions[0])).by(&lin).header("If-Match", 2).json(&json!({"scope": "all", "capacity": 6})).await.expect(200);
        house.put(format!("/v1/sessions/{}/cancellation", single.id())).by(&lin).json(&json!({})).await.expect(200);
        house.publish_days(&lin, "2026-12-01", "2026-12-08").await.expect_refused(403, "not-allowed");
        let publication = format!("/v1/series/{}/publication", series.id());
        house.put(&publication).by(&lin).await.expect_refused(403, "not-allowed");
        house.put(&publication).by(&ana).await.expect_refused(404, "not-found");
        // One week is published: that is out of the instructor's hands, whichever way they try.
        house.publish_days(&admin, "2026-12-01", "2026-12-08").await.expect(200);
        let version = house.shown(&sessions[0]).await["version"].as_i64().unwrap();
        house.patch(path(&sessions[0])).by(&lin).header("If-Match", version).json(&json!({"capacity": 7})).await.expect_refused(403, "not-allowed");
        house.put(format!("{}/cancellation", path(&sessions[0]))).by(&lin).json(&json!({})).await.expect_refused(403, "not-allowed");
        let version = house.shown(&sessions[2]).await["version"].as_i64().unwrap();
        house.patch(path(&sessions[2])).by(&lin).header("If-Match", version).json(&json!({"scope": "all", "capacity": 7})).await.expect_refused(403, "not-allowed");
        house.put(format!("{}/cancellation", path(&sessions[2]))).by(&lin).json(&json!({"scope": "all"})).await.expect_refused(403, "not-allowed");
        house.patch(path(&sessions[2])).by(&lin).header("If-Match", version).json(&json!({"scope": "following", "capacity": 7})).await.expect(200);
        // The series is published, and what it makes from now on.
        let published = house.put(&publication).by(&admin).await.expect(200);
        assert_eq!(published["session_ids"].as_array().unwrap().len(), sessions.len() - 2);
        assert_eq!(house.kinds_to(&lin).await, ["sessions_published", "sessions_published"]);
        house.it_is("2026-12-09 00:00");
        house.sweep().await;
        let after = house.of_series(series.id()).await;
        assert!(after.len() > sessions.len());
        let sql = "SELECT COUNT(*) FROM sessions WHERE series_id = $1 AND status <> 'scheduled'";
        assert_eq!(house.count(sql, series.id()).await, 0);
        house.get(format!("/v1/sessions/{}", after.last().unwrap().1.id)).await.expect(200);
        assert_eq!(house.kinds_to(&admin).await.len(), 2, "what a sweep makes is no proposal");
    }

    async fn a_series_that_stays_a_draft_makes_drafts(house: House) {
        let ana = house.member("Ana").await;
        let series = house.begin(&house.studio.admin, json!({"draft": true})).await.expect(201);
        let count = house.of_series(series.id()).await.len();
        house.it_is("2026-12-09 00:00");
        house.sweep().await;
        let sessions = house.of_series(series.id()).await;
        assert!(sessions.len() > count);
        house.get(format!("/v1/sessions/{}", sessions.last().unwrap().1.id)).by(&ana).await.expect_refused(404, "not-found");
        house.put(format!("/v1/series/{}/publication", series.id())).by(&house.studio.admin).await.expect(200);
        house.get(format!("/v1/sessions/{}", sessions.last().unwrap().1.id)).by(&ana).await.expect(200);
    }

    async fn who_may_schedule_nothing(house: House) {
        let lin = house.studio.instructor.clone();
        let own = house.schedule_session(&lin, "2026-12-03T18:30", json!({})).await.expect(201);
        house.may_schedule("none").await;
        house.schedule_session(&lin, "2026-12-04T18:30", json!({})).await.expect_refused(403, "not-allowed");
        house.schedule_session(&lin, "2026-12-04T18:30", json!({"draft": true})).await.expect_refused(403, "not-allowed");
        house.begin(&lin, json!({})).await.expect_refused(403, "not-allowed");
        let path = format!("/v1/sessions/{}", own.id());
        house.patch(&path).by(&lin).header("If-Match", 1).json(&json!({"capacity": 4})).await.expect_refused(403, "not-allowed");
        house.put(format!("{path}/cancellation")).by(&lin).json(&json!({})).await.expect_refused(403, "not-allowed");
        house.schedule_session(&house.studio.admin, "2026-12-04T18:30", json!({})).await.expect(201);
    }
}
