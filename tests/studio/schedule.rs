//! The schedule as it is read: by anybody and by the signed-in, in pages, in each language, again with its ETag.

use std::time::Duration;

use serde_json::{Value, json};

use crate::house::House;
use crate::speech::Reply;

impl House {
    fn schedule_path(&self, query: &str) -> String {
        format!("/v1/studios/{}/sessions?{query}", self.studio.id)
    }

    async fn schedule(&self, query: &str) -> Reply {
        self.get(self.schedule_path(query)).await
    }
}

fn starts(page: &Reply) -> Vec<String> {
    page["sessions"].as_array().unwrap().iter().map(|session| session["local_start"].as_str().unwrap().to_owned()).collect()
}

both_engines! {
    async fn a_week_from_today(house: House) {
        house.session("2026-11-30 23:30", 12).await;
        house.session("2026-12-06 08:00", 12).await;
        house.session("2026-12-07 08:00", 12).await;
        house.session("2026-11-29 08:00", 12).await;
        let week = house.schedule("").await.expect(200);
        assert_eq!(starts(&week), ["2026-11-30T23:30", "2026-12-06T08:00"]);
        assert_eq!(week["next"], Value::Null);
        assert_eq!(starts(&house.schedule("from=2026-12-07&to=2026-12-08").await), ["2026-12-07T08:00"]);
        assert_eq!(starts(&house.schedule("from=2026-11-29&to=2026-11-30").await), ["2026-11-29T08:00"]);
        assert_eq!(starts(&house.schedule("from=2026-11-29&to=2027-01-30").await).len(), 4, "62 days");
    }

    async fn a_session_as_it_is_shown(house: House) {
        let evening = house.session("2026-12-01 18:30", 20).await;
        let all = house.schedule("").await.expect(200);
        let shown = &all["sessions"][0];
        assert_eq!(
            shown,
            &json!({
                "id": evening.id, "studio_id": house.studio.id,
                "class_type": {"id": house.studio.class_type, "name": "Barre Sculpt", "level": "open", "minutes": 55},
                "room": {"id": shown["room"]["id"], "name": "Room of 2026-12-01 18:30"},
                "instructor": {"id": house.studio.instructor.id, "name": house.studio.instructor.name},
                "starts_at": "2026-12-01T10:30:00.000000Z", "ends_at": "2026-12-01T11:25:00.000000Z", "time_zone": "Asia/Shanghai", "local_start": "2026-12-01T18:30",
                "capacity": 20, "booked": 0, "held": 0, "places_left": 20, "waitlist_length": 0, "waitlist_open": true, "status": "scheduled",
                "changed": [], "version": 1, "booking_opens_at": "2026-11-17T04:00:00.000000Z", "booking_closes_at": "2026-12-01T10:30:00.000000Z", "credits": 1,
                "series_id": null, "skipped_time": null, "note": null, "too_few": null, "me": null,
            })
        );
        let one = house.get(format!("/v1/sessions/{}", evening.id)).await.expect(200);
        assert_eq!(&one.body, shown);
        assert!(one.header("etag").starts_with("\"1-"), "{}", one.header("etag"));
    }

    async fn the_signed_in_see_themselves(house: House) {
        let (ana, bea, cleo) = (house.member("Ana").await, house.member("Bea").await, house.member("Cleo").await);
        let evening = house.session("2026-12-03 18:30", 1).await;
        let _other = house.session("2026-12-04 18:30", 1).await;
        let booked = house.book(&ana, &evening).await.expect_booked();
        house.book(&bea, &evening).or_wait().await.expect_waitlisted(1);
        let waiting = house.book(&cleo, &evening).or_wait().await.expect_waitlisted(2);
        let path = house.schedule_path("from=2026-12-03&to=2026-12-05");
        let seen = house.get(&path).by(&ana).await.expect(200);
        assert_eq!(seen["sessions"][0]["me"], json!({"booking_id": booked.id, "status": "booked", "waitlist_position": null}));
        assert_eq!(seen["sessions"][1]["me"], Value::Null);
        let counts = ["booked", "places_left", "waitlist_length"].map(|count| seen["sessions"][0][count].as_i64().unwrap());
        assert_eq!(counts, [1, 0, 2]);
        let seen = house.get(format!("/v1/sessions/{}", evening.id)).by(&cleo).await.expect(200);
        assert_eq!(seen["me"], json!({"booking_id": waiting.id, "status": "waitlisted", "waitlist_position": 2}));
        house.cancel(&waiting).await.expect(200);
        assert_eq!(house.get(&path).by(&cleo).await["sessions"][0]["me"], Value::Null, "what has ended is not the member's any more");
        let public = house.get(&path).await.expect(200);
        assert_eq!(public["sessions"][0]["me"], Value::Null);
        // But for the member's own booking, they read what everybody reads, to the byte.
        house.advance(chrono::TimeDelta::seconds(1));
        let mut own = house.get(&path).await.expect(200).body;
        own["sessions"][0]["me"] = json!({"booking_id": booked.id, "status": "booked", "waitlist_position": null});
        let seen = house.get(&path).by(&ana).await.expect(200);
        assert_eq!((&seen.body, seen.header("cache-control")), (&own, "private, no-cache"));
        house.get(&path).token("nonsense").await.expect_refused(401, "token-refused");
    }

    async fn what_is_not_to_be_booked(house: House) {
        let cancelled = house.session("2026-12-01 08:00", 12).await;
        let over = house.session("2026-11-30 08:00", 12).await;
        let later = house.session("2026-12-20 08:00", 12).await;
        let draft = house.plan("2026-12-02 08:00", 12).draft().await;
        house.cancel_session(&cancelled, &json!({"reason": "illness"})).await.expect(200);
        let all = house.schedule("from=2026-11-30&to=2026-12-31").await.expect(200);
        let seen: Vec<_> = all["sessions"].as_array().unwrap().iter()
            .map(|session| (session["id"].clone(), session["status"].clone(), session["places_left"].clone(), session["waitlist_open"].clone())).collect();
        assert_eq!(seen, [
            (json!(over.id), json!("ended"), json!(0), json!(false)),
            (json!(cancelled.id), json!("cancelled"), json!(0), json!(false)),
            (json!(later.id), json!("scheduled"), json!(0), json!(false)),
        ]);
        house.get(format!("/v1/sessions/{}", draft.id)).await.expect_refused(404, "not-found");
        let ana = house.member("Ana").await;
        house.get(format!("/v1/sessions/{}", draft.id)).by(&ana).await.expect_refused(404, "not-found");
        house.get(format!("/v1/sessions/{}", draft.id)).by(&house.studio.instructor).await.expect(200);
        let staff = house.get(house.schedule_path("from=2026-12-02&to=2026-12-03")).by(&house.studio.instructor).await.expect(200);
        assert_eq!(staff["sessions"][0]["status"], "draft");
    }

    async fn filters(house: House) {
        let mei = house.colleague("Mei").await;
        house.session("2026-12-01 08:00", 12).await;
        let with_mei = house.plan("2026-12-01 10:00", 12).taught_by(&mei).await;
        let brooklyn = house.second_studio().await;
        house.plan("2026-12-01 10:00", 12).at(&brooklyn).await;
        let query = format!("instructor={}", mei.id);
        assert_eq!(house.schedule(&query).await["sessions"].as_array().unwrap().len(), 1);
        assert_eq!(house.schedule(&query).await["sessions"][0]["id"], json!(with_mei.id));
        assert_eq!(house.schedule(&format!("class_type={}", house.studio.class_type)).await["sessions"].as_array().unwrap().len(), 2);
        assert_eq!(house.schedule(&format!("class_type={}", brooklyn.class_type)).await["sessions"], json!([]));
        assert_eq!(house.get(format!("/v1/studios/{}/sessions", brooklyn.id)).await["sessions"].as_array().unwrap().len(), 1);
    }

    async fn pages(house: House) {
        let mei = house.colleague("Mei").await;
        for hour in ["08", "10", "12", "14", "16"] {
            house.session(&format!("2026-12-01 {hour}:00"), 12).await;
            // Two at once, which their ids tell apart.
            house.plan(&format!("2026-12-01 {hour}:00"), 12).taught_by(&mei).await;
        }
        for caller in [None, Some(&house.studio.admin)] {
            let (mut seen, mut after) = (Vec::new(), String::new());
            loop {
                let path = house.schedule_path(&format!("limit=3{after}"));
                let page = match caller {
                    Some(admin) => house.get(path).by(admin).await.expect(200),
                    None => house.get(path).await.expect(200),
                };
                seen.extend(page["sessions"].as_array().unwrap().iter().map(|session| session["id"].to_string()));
                let Some(next) = page["next"].as_str() else { break };
                after = format!("&after={next}");
            }
            assert_eq!(seen.len(), 10);
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), 10, "none twice");
        }
    }

    async fn nonsense_is_no_part_of_the_schedule(house: House) {
        for (query, field) in [
            ("from=tomorrow", "from"), ("from=2026-02-30", "from"), ("from=1999-12-31", "from"), ("from=2026-12-1", "from"),
            ("from=2026-12-02&to=2026-12-02", "to"), ("from=2026-12-02&to=2026-12-01", "to"), ("from=2026-12-01&to=2027-02-02", "to"),
            ("from=2026-12-01&to=9999-01-01", "to"), ("limit=0", "limit"), ("limit=201", "limit"), ("class_type=barre", "class_type"),
            ("instructor=", "instructor"), ("after=%00", "after"), ("after=W10", "after"), ("days=7", "days"), ("from=2026-12-01&from=2026-12-02", "from"),
        ] {
            house.schedule(query).await.expect_refused(422, "invalid-fields").naming(field);
        }
        // A cursor from beyond what both engines can store is only a cursor.
        for instant in ["+262142-12-31T23:59:59Z", "-262143-01-01T00:00:00Z", "0000-01-01T00:00:00Z"] {
            use base64::Engine as _;
            let cursor = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(json!([instant, house.new_id()]).to_string());
            house.schedule(&format!("after={cursor}")).await.expect(200);
        }
    }

    async fn once_more_with_its_tag(house: House) {
        house.session("2026-12-01 08:00", 12).await;
        for caller in [None, Some(&house.studio.admin)] {
            let read = |tag: Option<String>| {
                let mut call = house.get(house.schedule_path("from=2026-12-01&to=2026-12-02"));
                if let Some(admin) = caller {
                    call = call.by(admin);
                }
                if let Some(tag) = tag {
                    call = call.header("If-None-Match", tag);
                }
                call
            };
            let first = read(None).await.expect(200);
            let tag = first.header("etag").to_owned();
            assert!(tag.starts_with('"') && tag.len() > 20, "{tag}");
            assert_eq!(first.header("vary"), "Authorization, Accept-Language");
            assert_eq!(first.header("content-type"), "application/json");
            let again = read(Some(tag.clone())).await.expect(304);
            assert_eq!((again.text.as_str(), again.header("etag")), ("", tag.as_str()));
            assert_eq!(again.header("vary"), "Authorization, Accept-Language");
            read(Some(format!("\"other\", W/{tag}"))).await.expect(304);
            read(Some("\"other\"".into())).await.expect(200);
        }
        let one = house.get(format!("/v1/sessions/{}", house.session("2026-12-01 10:00", 12).await.id));
        let one = one.by(&house.studio.admin).await.expect(200);
        let path = format!("/v1/sessions/{}", one.id());
        house.get(&path).by(&house.studio.admin).header("If-None-Match", one.header("etag")).await.expect(304);
        // The tag of one session is also what its edit needs.
        house.patch(&path).by(&house.studio.admin).header("If-Match", one.header("etag")).json(&json!({"capacity": 9})).await.expect(200);
        house.patch(&path).by(&house.studio.admin).header("If-Match", one.header("etag")).json(&json!({"capacity": 8})).await.expect_refused(412, "version-stale");
    }

    async fn names_come_in_the_readers_language(house: House) {
        let (admin, studio) = (house.studio.admin.clone(), house.studio.id);
        let path = format!("/v1/studios/{studio}/class-types/{}", house.studio.class_type);
        let names = json!({"name": {"en": "Barre Sculpt", "zh-Hans": "把杆塑形", "zh-Hant": "把桿塑形"}});
        house.patch(path).by(&admin).header("If-Match", "1").json(&names).await.expect(200);
        house.session("2026-12-01 08:00", 12).await;
        for (asked, name) in [("en", "Barre Sculpt"), ("zh-CN", "把杆塑形"), ("zh-HK,en;q=0.5", "把桿塑形"), ("fr", "Barre Sculpt")] {
            let public = house.get(house.schedule_path("")).header("Accept-Language", asked).await.expect(200);
            assert_eq!(public["sessions"][0]["class_type"]["name"], name, "{asked}");
            let own = house.get(house.schedule_path("")).by(&admin).header("Accept-Language", asked).await.expect(200);
            assert_eq!(own["sessions"][0]["class_type"]["name"], name, "{asked}");
        }
        house.patch(format!("/v1/studios/{studio}")).by(&admin).header("If-Match", "1").json(&json!({"locale": "zh-Hans"})).await.expect(200);
        let public = house.schedule("from=2026-12-01").await.expect(200);
        assert_eq!(public["sessions"][0]["class_type"]["name"], "把杆塑形", "who asks for nothing reads the studio's");
    }

    async fn who_named_no_language_reads_the_studios(house: House) {
        let (admin, studio) = (house.studio.admin.clone(), house.studio.id);
        house.patch(format!("/v1/studios/{studio}")).by(&admin).header("If-Match", "1").json(&json!({"locale": "zh-Hans"})).await.expect(200);
        let names = json!({"name": {"en": "Barre Sculpt", "zh-Hans": "把杆塑形"}});
        let class_type = format!("/v1/studios/{studio}/class-types/{}", house.studio.class_type);
        house.patch(class_type).by(&admin).header("If-Match", "1").json(&names).await.expect(200);
        let (evening, ana) = (house.session("2026-12-03 18:30", 5).await, house.member("Ana").await);
        house.write(|tx| Box::pin(tx.run("UPDATE persons SET locale = NULL", ()))).await;
        house.book(&ana, &evening).await.expect_booked();
        let own = house.get("/v1/me/bookings").by(&ana).await.expect(200);
        let booking = &own["bookings"][0];
        assert!(booking["free_cancel_text"].as_str().unwrap().contains("免费取消"), "{booking}");
        assert_eq!(booking["session"]["class_type"]["name"], "把杆塑形");
        for path in [house.schedule_path("from=2026-12-03"), "/v1/me/teaching?from=2026-12-03".into()] {
            let shown = house.get(path).by(&house.studio.instructor).await.expect(200);
            assert_eq!(shown["sessions"][0]["class_type"]["name"], "把杆塑形");
        }
        let asked = house.get("/v1/me/bookings").by(&ana).header("Accept-Language", "en").await.expect(200);
        assert_eq!(asked["bookings"][0]["session"]["class_type"]["name"], "Barre Sculpt");
    }

    /// Without a token it may be a second old, by the machine's time and by the clock of the tests; signed in it never is.
    async fn the_public_schedule_is_at_most_a_second_old(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 5).await;
        let left = |reply: Reply| reply.expect(200)["sessions"][0]["places_left"].as_i64().unwrap();
        let path = house.schedule_path("from=2026-12-03&to=2026-12-04");
        assert_eq!(left(house.get(&path).await), 5);
        house.book(&ana, &evening).await.expect_booked();
        assert_eq!(left(house.get(&path).by(&ana).await), 4);
        tokio::time::sleep(Duration::from_millis(1_050)).await;
        assert_eq!(left(house.get(&path).await), 4);
        house.it_is("2026-12-03 18:30");
        assert_eq!(left(house.get(&path).await), 0, "a clock that is set makes nothing old look new");
    }

    async fn nights_on_which_the_clocks_change(house: House) {
        let brooklyn = house.second_studio().await;
        house.clock.set("2027-03-01T12:00:00.000000Z".parse().unwrap());
        let path = format!("/v1/studios/{}/sessions", brooklyn.id);
        let make = |local: &str| house.post_to(&path).by(&brooklyn.admin).json(&json!({
            "class_type_id": brooklyn.class_type, "room_id": brooklyn.room, "instructor_id": brooklyn.instructor.id, "local_start": local}));
        let saturday = make("2027-03-13T18:30").await.expect(201);
        let sunday = make("2027-03-14T18:30").await.expect(201);
        assert_eq!((&saturday["starts_at"], &sunday["starts_at"]), (&json!("2027-03-13T23:30:00.000000Z"), &json!("2027-03-14T22:30:00.000000Z")));
        assert_eq!(sunday["booking_opens_at"], "2027-02-28T17:00:00.000000Z", "at noon, as the wall showed it then");
        let skipped = make("2027-03-14T02:30").await.expect_refused(422, "invalid-fields").naming("local_start");
        assert!(skipped.text.contains("2027-03-14T03:00"), "{}", skipped.text);
        // In autumn one hour is there twice: the first is meant, and what is listed by date stays on its date.
        house.clock.set("2027-11-01T12:00:00.000000Z".parse().unwrap());
        let twice = make("2027-11-07T01:30").await.expect(201);
        assert_eq!(twice["starts_at"], "2027-11-07T05:30:00.000000Z");
        let late = make("2027-11-07T23:30").await.expect(201);
        assert_eq!(late["starts_at"], "2027-11-08T04:30:00.000000Z");
        let listed = house.get(format!("{path}?from=2027-11-07&to=2027-11-08")).await.expect(200);
        assert_eq!(starts(&listed), ["2027-11-07T01:30", "2027-11-07T23:30"]);
    }

    async fn what_an_instructor_teaches(house: House) {
        let (mei, brooklyn) = (house.colleague("Mei").await, house.second_studio().await);
        house.teaches_at(&mei, &brooklyn).await;
        let here = house.plan("2026-12-01 08:00", 12).taught_by(&mei).await;
        let there = house.plan("2026-12-02 08:00", 12).at(&brooklyn).taught_by(&mei).await;
        house.session("2026-12-01 10:00", 12).await;
        let teaching = house.get("/v1/me/teaching").by(&mei).await.expect(200);
        let ids: Vec<&Value> = teaching["sessions"].as_array().unwrap().iter().map(|session| &session["id"]).collect();
        assert_eq!(ids, [&json!(here.id), &json!(there.id)]);
        let page = house.get("/v1/me/teaching?limit=1").by(&mei).await.expect(200);
        let rest = house.get(format!("/v1/me/teaching?limit=1&after={}", page["next"].as_str().unwrap())).by(&mei).await.expect(200);
        assert_eq!((&rest["sessions"][0]["id"], &rest["next"]), (&json!(there.id), &Value::Null));
        assert_eq!(house.get("/v1/me/teaching").by(&house.studio.desk).await.expect(200)["sessions"], json!([]));
        house.get("/v1/me/teaching").await.expect_refused(401, "sign-in-required");
        house.get("/v1/me/teaching?from=2026-12-01&to=2028-01-01").by(&mei).await.expect_refused(422, "invalid-fields").naming("to");
    }
}
