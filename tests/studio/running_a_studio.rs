//! Opening a studio and running it: rooms, class types, pass types, house rules; who may, and how nonsense is answered.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::House;
use crate::seed::Person;
use crate::speech::Reply;

impl House {
    async fn open_studio(&self, by: &Person, body: Value) -> Reply {
        self.post_to("/v1/studios").by(by).json(&body).await
    }

    /// An edit made from this version.
    async fn edit(&self, path: &str, by: &Person, version: impl std::fmt::Display, change: Value) -> Reply {
        self.patch(path).by(by).header("If-Match", format!("\"{version}\"")).json(&change).await
    }

    async fn put_rules(&self, by: &Person, version: i64, rules: Value) -> Reply {
        let path = format!("/v1/studios/{}/house-rules", self.studio.id);
        self.put(path).by(by).header("If-Match", version).json(&rules).await
    }

    async fn audited(&self, action: &'static str) -> Vec<(Option<Uuid>, Option<Uuid>, Option<Uuid>)> {
        self.db.all("SELECT actor_id, subject_id, studio_id FROM events WHERE action = $1 ORDER BY id", (action,)).await.unwrap()
    }
}

both_engines! {
    async fn a_studio_is_opened_and_run(house: House) {
        let owner = house.studio.owner.clone();
        let paris = json!({
            "name": "Montmartre", "time_zone": "Europe/Paris", "locale": "en", "address": "1 rue Lepic", "contact": "bonjour@montmartre.test",
            "rules_text": "Socks, please.\nNo phones.", "privacy_url": "https://montmartre.test/privacy", "shop_url": "https://montmartre.test/shop",
        });
        let opened = house.open_studio(&owner, paris.clone()).await.expect(201);
        let id = opened.id();
        for (field, value) in paris.as_object().unwrap() {
            assert_eq!(&opened[field], value, "{field}");
        }
        let path = format!("/v1/studios/{id}");
        assert_eq!(house.get(&path).await.expect(200).body, opened.body, "anyone may read it");
        let all = house.get("/v1/studios").await.expect(200);
        assert_eq!(all["studios"].as_array().unwrap().iter().filter(|studio| studio["id"] == json!(id)).count(), 1);

        let edited = house.edit(&path, &owner, 1, json!({"name": "Pigalle", "rules_text": null})).await.expect(200);
        assert_eq!((&edited["name"], &edited["rules_text"], &edited["version"]), (&json!("Pigalle"), &Value::Null, &json!(2)));
        assert_eq!(edited["contact"], "bonjour@montmartre.test", "what is not named stays");
        assert_eq!(edited.header("etag"), "\"2\"");

        let rooms = format!("{path}/rooms");
        let room = house.post_to(&rooms).by(&owner).json(&json!({"name": "Grande salle", "capacity": 16})).await.expect(201);
        let room_path = format!("{rooms}/{}", room.id());
        let smaller = house.edit(&room_path, &owner, room.version(), json!({"capacity": 14})).await.expect(200);
        assert_eq!((&smaller["name"], &smaller["capacity"]), (&json!("Grande salle"), &json!(14)));
        assert_eq!(house.get(&rooms).await.expect(200)["rooms"], json!([smaller.body]));
        assert_eq!(house.get(&room_path).await.expect(200).body, smaller.body);

        let classes = format!("{path}/class-types");
        let body = json!({"name": {"en": "Barre", "zh-Hans": "芭蕾把杆"}, "description": {"en": "Slow and deep."}, "level": "open", "minutes": 55, "credits": 1});
        let class = house.post_to(&classes).by(&owner).json(&body).await.expect(201);
        assert_eq!((&class["name"], &class["names"]), (&json!("Barre"), &body["name"]));
        let class_path = format!("{classes}/{}", class.id());
        house.edit(&class_path, &owner, 1, json!({"description": null, "minutes": 60})).await.expect(200);
        let read = house.get(&classes).header("Accept-Language", "zh-TW").await.expect(200);
        let read = &read["class_types"][0];
        assert_eq!((&read["name"], &read["description"], &read["minutes"]), (&json!("芭蕾把杆"), &Value::Null, &json!(60)));

        let passes = format!("{path}/pass-types");
        let body = json!({"name": {"en": "Ten"}, "kind": "pack", "credits": 10, "valid_days": 90, "price": {"amount_minor": 18000, "currency": "EUR"}, "class_type_ids": [class.id()]});
        let pack = house.post_to(&passes).by(&owner).json(&body).await.expect(201);
        assert_eq!((&pack["price"], &pack["class_type_ids"]), (&body["price"], &body["class_type_ids"]));
        let edited = house.edit(&format!("{passes}/{}", pack.id()), &owner, 1, json!({"price": null, "class_type_ids": null})).await.expect(200);
        assert_eq!((&edited["price"], &edited["class_type_ids"], &edited["credits"]), (&Value::Null, &Value::Null, &json!(10)));
        assert_eq!(house.get(&passes).await.expect(200)["pass_types"][0]["id"], json!(pack.id()));

        for action in ["studio.opened", "studio.changed", "room.added", "room.changed", "class_type.added", "class_type.changed", "pass_type.added", "pass_type.changed"] {
            let lines = house.audited(action).await;
            assert!(matches!(lines[..], [(Some(actor), Some(_), Some(studio))] if actor == owner.id && studio == id), "{action}: {lines:?}");
        }
    }

    async fn everything_hangs_together(house: House) {
        let (owner, studio) = (house.studio.owner.clone(), house.studio.id);
        let class = house.post_to(format!("/v1/studios/{studio}/class-types")).by(&house.studio.admin)
            .json(&json!({"name": {"en": "Gyrotonic"}, "level": "beginners", "minutes": 50, "credits": 2})).await.expect(201);
        let room = house.post_to(format!("/v1/studios/{studio}/rooms")).by(&owner).json(&json!({"name": "Studio B", "capacity": 6})).await.expect(201);
        let body = json!({"class_type_id": class.id(), "room_id": room.id(), "instructor_id": house.studio.instructor.id, "local_start": "2026-12-01T18:30"});
        let session = house.post_to(format!("/v1/studios/{studio}/sessions")).by(&house.studio.instructor).json(&body).await.expect(201);
        assert_eq!(session["ends_at"], "2026-12-01T11:20:00.000000Z");
        assert_eq!((&session["capacity"], &session["credits"], &session["places_left"]), (&json!(6), &json!(2), &json!(6)));
        assert_eq!(session["local_start"], "2026-12-01T18:30");
        let instructors = house.get(format!("/v1/studios/{studio}/instructors")).await.expect(200);
        assert_eq!(instructors["instructors"], json!([{"id": house.studio.instructor.id, "name": house.studio.instructor.name}]));
    }

    async fn who_may_run_a_studio(house: House) {
        let (ana, brooklyn) = (house.member("Ana").await, house.second_studio().await);
        let studio = house.studio.clone();
        let path = format!("/v1/studios/{}", studio.id);
        let body = json!({"name": "Another", "time_zone": "Asia/Shanghai", "locale": "zh-Hans"});
        house.post_to("/v1/studios").json(&body).await.expect_refused(401, "sign-in-required");
        for person in [&ana, &studio.instructor, &studio.desk, &studio.admin] {
            house.open_studio(person, body.clone()).await.expect_refused(403, "not-allowed");
        }
        let room = format!("{path}/rooms/{}", studio.room);
        let class = format!("{path}/class-types/{}", studio.class_type);
        let pass = format!("{path}/pass-types/{}", studio.pack_type);
        for person in [&ana, &studio.instructor, &studio.desk, &brooklyn.admin] {
            house.edit(&path, person, 1, json!({"name": "Mine"})).await.expect_refused(403, "not-allowed");
            house.edit(&room, person, 1, json!({"name": "Mine"})).await.expect_refused(403, "not-allowed");
            house.edit(&class, person, 1, json!({"level": "mine"})).await.expect_refused(403, "not-allowed");
            house.edit(&pass, person, 1, json!({"valid_days": 1})).await.expect_refused(403, "not-allowed");
            house.put_rules(person, 1, json!({})).await.expect_refused(403, "not-allowed");
            house.get(format!("{path}/house-rules")).by(person).await.expect_refused(403, "not-allowed");
            for (list, body) in [
                ("rooms", json!({"name": "Mine", "capacity": 1})),
                ("class-types", json!({"name": {"en": "Mine"}, "level": "open", "minutes": 5, "credits": 0})),
                ("pass-types", json!({"name": {"en": "Mine"}, "kind": "membership", "valid_days": 5})),
            ] {
                house.post_to(format!("{path}/{list}")).by(person).json(&body).await.expect_refused(403, "not-allowed");
            }
        }
        // What belongs to one studio is not found in another, not even by who runs both.
        for person in [&brooklyn.admin, &studio.owner] {
            let elsewhere = |list: &str, id: Uuid| format!("/v1/studios/{}/{list}/{id}", brooklyn.id);
            house.edit(&elsewhere("rooms", studio.room), person, 1, json!({"name": "Mine"})).await.expect_refused(404, "not-found");
            house.edit(&elsewhere("class-types", studio.class_type), person, 1, json!({"level": "mine"})).await.expect_refused(404, "not-found");
            house.edit(&elsewhere("pass-types", studio.pack_type), person, 1, json!({"valid_days": 1})).await.expect_refused(404, "not-found");
            house.get(elsewhere("rooms", studio.room)).await.expect_refused(404, "not-found");
        }
        assert_eq!(house.audited("studio.changed").await.len(), 0);
    }

    async fn what_is_not_there(house: House) {
        let nowhere = format!("/v1/studios/{}", house.new_id());
        for rest in ["", "/rooms", "/class-types", "/pass-types", "/instructors", "/sessions"] {
            house.get(format!("{nowhere}{rest}")).await.expect_refused(404, "not-found");
        }
        for person in [&house.studio.owner, &house.studio.admin] {
            house.get(format!("{nowhere}/house-rules")).by(person).await.expect_refused(404, "not-found");
            house.edit(&nowhere, person, 1, json!({})).await.expect_refused(404, "not-found");
            house.post_to(format!("{nowhere}/rooms")).by(person).json(&json!({"name": "x", "capacity": 1})).await.expect_refused(404, "not-found");
            house.get(format!("{nowhere}/reports/attendance")).by(person).await.expect_refused(404, "not-found");
        }
        house.get("/v1/studios/jingan").await.expect_refused(404, "not-found");
        house.get("/v1/sessions/1").await.expect_refused(404, "not-found");
    }

    async fn an_edit_knows_what_it_edits(house: House) {
        let (admin, path) = (house.studio.admin.clone(), format!("/v1/studios/{}", house.studio.id));
        house.patch(&path).by(&admin).json(&json!({"name": "A"})).await.expect_refused(428, "precondition-missing").naming("If-Match");
        house.patch(&path).by(&admin).header("If-Match", "\"x\"").json(&json!({"name": "A"})).await.expect_refused(400, "malformed-request");
        let read = house.get(&path).await;
        house.patch(&path).by(&admin).header("If-Match", read.header("etag")).json(&json!({"name": "A"})).await.expect(200);
        let stale = house.edit(&path, &admin, 1, json!({"name": "B"})).await.expect_refused(412, "version-stale");
        assert_eq!(stale["version"], 2);
        assert_eq!(house.get(&path).await["name"], "A");
        house.put(format!("{path}/house-rules")).by(&admin).json(&json!({})).await.expect_refused(428, "precondition-missing");
        house.put_rules(&admin, 7, json!({})).await.expect_refused(412, "version-stale");
    }

    async fn a_zone_stays_while_sessions_are_to_come(house: House) {
        let (admin, path) = (house.studio.admin.clone(), format!("/v1/studios/{}", house.studio.id));
        let morning = house.session("2026-12-01 08:00", 12).await;
        house.edit(&path, &admin, 1, json!({"time_zone": "Europe/Paris"})).await.expect_refused(409, "zone-in-use");
        house.edit(&path, &admin, 1, json!({"time_zone": "Asia/Shanghai", "name": "B"})).await.expect(200);
        house.clock.set(morning.ends_at);
        let moved = house.edit(&path, &admin, 2, json!({"time_zone": "Europe/Paris"})).await.expect(200);
        assert_eq!(moved["time_zone"], "Europe/Paris");
    }

    async fn house_rules_are_read_and_put_back(house: House) {
        let admin = house.studio.admin.clone();
        let path = format!("/v1/studios/{}/house-rules", house.studio.id);
        let read = house.get(&path).by(&admin).await.expect(200);
        assert_eq!((&read["version"], &read["booking_opens_days"], &read["booking_opens_at"]), (&json!(1), &json!(14), &json!("12:00")));
        assert_eq!((&read["active"]["free_cancel_min"], &read["active"]["first_visit_late_entry"]), (&json!(true), &json!(true)));
        let mut rules = read.body.clone();
        rules["free_cancel_min"] = json!(60);
        rules["offer_min"] = json!(10);
        let put = house.put_rules(&admin, 1, rules).await.expect(200);
        assert_eq!((&put["version"], &put["free_cancel_min"], &put["offer_min"]), (&json!(2), &json!(60), &json!(10)));
        assert_eq!(house.get(&path).by(&admin).await.body, put.body);
        let put = house.put_rules(&admin, 2, json!({"after_cutoff": "offers"})).await.expect(200);
        assert_eq!((&put["free_cancel_min"], &put["after_cutoff"], &put["active"]["after_cutoff"]), (&json!(720), &json!("offers"), &json!(true)));
        assert_eq!(house.audited("house_rules.changed").await.len(), 2);
    }

    async fn a_new_studio_offers_what_comes_free_late(house: House) {
        let owner = house.studio.owner.clone();
        let body = json!({"name": "Xuhui", "time_zone": "Asia/Shanghai", "locale": "en"});
        let id = house.post_to("/v1/studios").by(&owner).json(&body).await.expect(201).id();
        let path = format!("/v1/studios/{id}/house-rules");
        let rules = house.get(&path).by(&owner).await.expect(200);
        assert_eq!((&rules["after_cutoff"], &rules["offer_min"], &rules["offers_until_min"]), (&json!("offers"), &json!(30), &json!(45)));
        // A studio of before is left as it is, and a rule that is left out is what it always was.
        let old = house.get(format!("/v1/studios/{}/house-rules", house.studio.id)).by(&house.studio.admin).await.expect(200);
        assert_eq!(old["after_cutoff"], "open");
        let put = house.put(&path).by(&owner).header("If-Match", 1).json(&json!({"free_cancel_min": 60})).await.expect(200);
        assert_eq!(put["after_cutoff"], "open");
    }

    async fn nonsense_is_no_house_rule(house: House) {
        let admin = house.studio.admin.clone();
        for (rules, field) in [
            (json!({"free_cancel_hours": 12}), "free_cancel_hours"),
            (json!({"free_cancel_min": "720"}), "free_cancel_min"),
            (json!({"free_cancel_min": -1}), "free_cancel_min"),
            (json!({"free_cancel_min": 1e300}), "free_cancel_min"),
            (json!({"booking_opens_at": "noon"}), "booking_opens_at"),
            (json!({"waitlist_unlimited": 1}), "waitlist_unlimited"),
        ] {
            house.put_rules(&admin, 1, rules).await.expect_refused(422, "invalid-fields").naming(field);
        }
        house.put_rules(&admin, 1, json!([])).await.expect_client_error();
        let path = format!("/v1/studios/{}/house-rules", house.studio.id);
        assert_eq!(house.get(&path).by(&admin).await["version"], 1);
    }

    /// Sessions to come follow the rules; bookings keep what they were told.
    async fn new_rules_reach_sessions_and_no_booking(house: House) {
        let (ana, admin) = (house.member("Ana").await, house.studio.admin.clone());
        let evening = house.session("2026-12-03 18:30", 20).await;
        house.session("2026-11-30 08:00", 20).await;
        let booking = house.book(&ana, &evening).await.expect_booked();
        assert_eq!(booking.body["free_cancel_until"], "2026-12-02T22:30:00.000000Z");
        let rules = json!({"booking_opens_days": 2, "booking_opens_at": "20:00", "booking_closes_min": 30, "free_cancel_min": 120, "waitlist_cap_min": 7});
        house.put_rules(&admin, 1, rules).await.expect(200);
        let session = house.get(format!("/v1/sessions/{}", evening.id)).by(&admin).await.expect(200);
        assert_eq!(session["booking_opens_at"], "2026-12-01T12:00:00.000000Z");
        assert_eq!(session["booking_closes_at"], "2026-12-03T10:00:00.000000Z");
        assert_eq!(session["version"], 1, "no edit by staff of the session");
        assert_eq!((&session["places_left"], &session["waitlist_open"]), (&json!(0), &json!(false)), "not open any more");
        let kept: (chrono::DateTime<chrono::Utc>, chrono::DateTime<chrono::Utc>, i64) = house.db
            .one("SELECT free_cancel_until, waiting_ends_at, waitlist_cap FROM sessions WHERE id = $1", (evening.id,)).await.unwrap();
        assert_eq!((kept.0.to_rfc3339(), kept.1.to_rfc3339(), kept.2), ("2026-12-03T08:30:00+00:00".into(), "2026-12-03T10:00:00+00:00".into(), 7));
        assert_eq!(house.now(&booking).await["free_cancel_until"], "2026-12-02T22:30:00.000000Z");
        let bea = house.member("Bea").await;
        house.book(&bea, &evening).await.expect_refused(409, "not-open-yet");
    }

    /// A place that had become public is given to who waits, once the rules promote longer.
    async fn new_rules_move_the_waitlist(house: House) {
        let (ana, bea) = (house.member("Ana").await, house.member("Bea").await);
        let evening = house.session("2026-12-03 18:30", 1).await;
        let booked = house.book(&ana, &evening).await.expect_booked();
        let waiting = house.book(&bea, &evening).or_wait().await.expect_waitlisted(1);
        house.it_is("2026-12-03 12:00");
        house.cancel(&booked).await.expect(200);
        assert_eq!(house.now(&waiting).await["status"], "waitlisted", "after the cut-off it is everybody's");
        house.put_rules(&house.studio.admin, 1, json!({"promotion_until_min": 60})).await.expect(200);
        assert_eq!(house.now(&waiting).await["status"], "booked");
    }

    async fn nonsense_is_no_studio(house: House) {
        let owner = house.studio.owner.clone();
        let good = json!({"name": "A", "time_zone": "Europe/Paris", "locale": "en"});
        for (field, value) in [
            ("name", json!("")), ("name", json!("a\r\nb")), ("name", json!("x".repeat(201))), ("name", json!(1)), ("name", Value::Null),
            ("time_zone", json!("Mars/Olympus")), ("time_zone", json!("+01:00")), ("locale", json!("tlh")), ("contact", json!("a@b\r\nBcc: c@d.test")),
            ("contact", json!("nobody")), ("privacy_url", json!("javascript:alert(1)")), ("shop_url", json!("ftp://a.test")), ("rules_text", json!("\u{0}")),
            ("rules_text", json!("x".repeat(4_001))), ("owner", json!(true)), ("id", json!(house.new_id())),
        ] {
            let mut body = good.clone();
            body[field] = value;
            house.open_studio(&owner, body).await.expect_refused(422, "invalid-fields").naming(field);
        }
        for missing in ["name", "time_zone", "locale"] {
            let mut body = good.clone();
            body.as_object_mut().unwrap().remove(missing);
            house.open_studio(&owner, body).await.expect_refused(422, "invalid-fields").naming(missing);
        }
        house.post_to("/v1/studios").by(&owner).body("application/json", "{").await.expect_refused(400, "malformed-body");
        house.post_to("/v1/studios").by(&owner).body("text/plain", "{}").await.expect_refused(415, "unsupported-media-type");
        house.post_to("/v1/studios").by(&owner).body("application/json", vec![b' '; 100_000]).await.expect_refused(413, "body-too-large");
        assert_eq!(house.get("/v1/studios").await["studios"].as_array().unwrap().len(), 1, "nothing was written");
    }

    async fn nonsense_is_neither_room_nor_class_nor_pass(house: House) {
        let (admin, brooklyn) = (house.studio.admin.clone(), house.second_studio().await);
        let path = format!("/v1/studios/{}", house.studio.id);
        let room = json!({"name": "A", "capacity": 10});
        let class = json!({"name": {"en": "A"}, "level": "open", "minutes": 55, "credits": 1});
        let pack = json!({"name": {"en": "A"}, "kind": "pack", "credits": 10, "valid_days": 30});
        for (list, good, field, value, named) in [
            ("rooms", &room, "capacity", json!(0), "capacity"),
            ("rooms", &room, "capacity", json!(10_001), "capacity"),
            ("rooms", &room, "capacity", json!(1.5), "capacity"),
            ("rooms", &room, "zones", json!([]), "zones"),
            ("class-types", &class, "name", json!("A"), "name"),
            ("class-types", &class, "name", json!({}), "name.en"),
            ("class-types", &class, "name", json!({"en": "A", "fr": "B"}), "name.fr"),
            ("class-types", &class, "name", json!({"en": "A", "zh-Hans": ""}), "name.zh-Hans"),
            ("class-types", &class, "minutes", json!(0), "minutes"),
            ("class-types", &class, "credits", json!(-1), "credits"),
            ("class-types", &class, "level", json!(""), "level"),
            ("pass-types", &pack, "kind", json!("gift"), "kind"),
            ("pass-types", &pack, "kind", json!("membership"), "credits"),
            ("pass-types", &pack, "credits", Value::Null, "credits"),
            ("pass-types", &pack, "credits", json!(0), "credits"),
            ("pass-types", &pack, "per_week", json!(2), "per_week"),
            ("pass-types", &pack, "valid_days", json!(0), "valid_days"),
            ("pass-types", &pack, "price", json!({"amount_minor": -1, "currency": "CNY"}), "price.amount_minor"),
            ("pass-types", &pack, "price", json!({"amount_minor": 1, "currency": "yuan"}), "price.currency"),
            ("pass-types", &pack, "class_type_ids", json!([]), "class_type_ids"),
            ("pass-types", &pack, "class_type_ids", json!(["x"]), "class_type_ids[0]"),
            ("pass-types", &pack, "class_type_ids", json!([house.new_id()]), "class_type_ids"),
            ("pass-types", &pack, "class_type_ids", json!([brooklyn.class_type]), "class_type_ids"),
            ("pass-types", &pack, "studio_ids", json!([house.new_id()]), "studio_ids"),
        ] {
            let mut body = good.clone();
            body[field] = value;
            house.post_to(format!("{path}/{list}")).by(&admin).json(&body).await.expect_refused(422, "invalid-fields").naming(named);
        }
        // A pass that another studio must take is for who runs both to make.
        let mut both = pack.clone();
        both["studio_ids"] = json!([house.studio.id, brooklyn.id]);
        house.post_to(format!("{path}/pass-types")).by(&admin).json(&both).await.expect_refused(403, "not-allowed");
        house.post_to(format!("{path}/pass-types")).by(&house.studio.owner).json(&both).await.expect(201);
    }

    async fn lists_are_paged(house: House) {
        let (admin, path) = (house.studio.admin.clone(), format!("/v1/studios/{}/rooms", house.studio.id));
        for n in 1..=4 {
            house.advance(chrono::TimeDelta::milliseconds(1));
            house.post_to(&path).by(&admin).json(&json!({"name": format!("Room {n}"), "capacity": n})).await.expect(201);
        }
        let (mut names, mut after) = (Vec::new(), String::new());
        loop {
            let page = house.get(format!("{path}?limit=2{after}")).await.expect(200);
            names.extend(page["rooms"].as_array().unwrap().iter().map(|room| room["name"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(names, ["Studio A", "Room 1", "Room 2", "Room 3", "Room 4"]);
        for (query, field) in [("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"), ("after=x", "after"), ("after=MQ", "after"), ("page=2", "page")] {
            house.get(format!("{path}?{query}")).await.expect_refused(422, "invalid-fields").naming(field);
        }
    }
}
