//! Passes as members hold them and the front desk sees them; the report and its cells.

use serde_json::{Value, json};

both_engines! {
    async fn what_a_member_holds(house: House) {
        let ana = house.stranger("Ana").await;
        let old = house.pack_until(&ana, 3, house.today() - chrono::Days::new(1)).await;
        house.advance(chrono::TimeDelta::seconds(1));
        let used_up = house.pack(&ana, 1).await;
        house.advance(chrono::TimeDelta::seconds(1));
        let membership = house.membership(&ana, Some(2)).await;
        let evening = house.session("2026-12-03 18:30", 5).await;
        house.book(&ana, &evening).with(&used_up).await.expect_booked();
        let held = house.get("/v1/me/passes").by(&ana).await.expect(200);
        let seen: Vec<_> = held["passes"].as_array().unwrap().iter()
            .map(|pass| (pass["id"].clone(), pass["kind"].clone(), pass["credits_left"].clone(), pass["state"].clone())).collect();
        assert_eq!(seen, [
            (json!(membership.id), json!("membership"), Value::Null, json!("active")),
            (json!(used_up.id), json!("pack"), json!(0), json!("used_up")),
            (json!(old.id), json!("pack"), json!(3), json!("expired")),
        ]);
        assert_eq!(house.get("/v1/me/passes").by(&house.studio.desk).await.expect(200)["passes"], json!([]));
        house.get("/v1/me/passes").await.expect_refused(401, "sign-in-required");
    }

    async fn where_the_credits_went(house: House) {
        let (ana, bea) = (house.stranger("Ana").await, house.stranger("Bea").await);
        let sold = house.sell_pack(&ana).await.expect(201);
        let evening = house.session("2026-12-03 18:30", 5).await;
        house.advance(chrono::TimeDelta::seconds(1));
        let booking = house.book(&ana, &evening).await.expect_booked();
        house.advance(chrono::TimeDelta::seconds(1));
        house.cancel(&booking).await.expect(200);
        let path = format!("/v1/passes/{}/ledger", sold.id());
        let ledger = house.get(&path).by(&ana).await.expect(200);
        let entries: Vec<_> = ledger["entries"].as_array().unwrap().iter()
            .map(|entry| (entry["credits"].as_i64().unwrap(), entry["reason"].as_str().unwrap().to_owned(), entry["booking_id"].clone())).collect();
        assert_eq!(entries, [
            (10, "sold".into(), Value::Null), (-1, "booked".into(), json!(booking.id)), (1, "cancelled".into(), json!(booking.id)),
        ]);
        let brooklyn = house.second_studio().await;
        assert_eq!(house.get(&path).by(&house.studio.desk).await.expect(200).body, ledger.body);
        for person in [&bea, &house.studio.instructor, &brooklyn.desk, &brooklyn.admin] {
            house.get(&path).by(person).await.expect_refused(404, "not-found");
        }
        let page = house.get(format!("{path}?limit=2")).by(&ana).await.expect(200);
        let rest = house.get(format!("{path}?limit=2&after={}", page["next"].as_str().unwrap())).by(&ana).await.expect(200);
        assert_eq!((rest["entries"].as_array().unwrap().len(), &rest["next"]), (1, &Value::Null));
        house.letters_may_stay();
    }

    async fn the_desk_sees_what_its_studio_takes(house: House) {
        let (ana, brooklyn) = (house.member("Ana").await, house.second_studio().await);
        let path = format!("/v1/studios/{}/members/{}/passes", house.studio.id, ana.id);
        let held = house.get(&path).by(&house.studio.desk).await.expect(200);
        assert_eq!(held["passes"].as_array().unwrap().len(), 1);
        for person in [&ana, &house.studio.instructor, &brooklyn.desk] {
            house.get(&path).by(person).await.expect_refused(403, "not-allowed");
        }
        // Ana is no member there, and what they hold here is not that studio's to see.
        let there = format!("/v1/studios/{}/members/{}/passes", brooklyn.id, ana.id);
        house.get(&there).by(&brooklyn.desk).await.expect_refused(404, "not-found");
        let (studio, person, now) = (brooklyn.id, ana.id, house.clock.now());
        house.write(move |tx| Box::pin(async move {
            let sql = "INSERT INTO members (studio_id, person_id, name, name_search, joined_at) VALUES ($1, $2, $3, $4, $5)";
            tx.run(sql, (studio, person, "Ana", "\nana\n", now)).await
        })).await;
        assert_eq!(house.get(&there).by(&brooklyn.desk).await.expect(200)["passes"], json!([]));
    }

    async fn the_report_in_two_forms(house: House) {
        let (admin, studio) = (house.studio.admin.clone(), house.studio.id);
        let people = house.members(3).await;
        let full = house.session("2026-12-01 08:00", 2).await;
        let empty = house.session("2026-12-01 10:00", 2).await;
        let off = house.session("2026-12-02 10:00", 2).await;
        for person in &people {
            house.book(person, &full).or_wait().await.expect_made();
        }
        let leaves = house.book(&people[0], &empty).await.expect_booked();
        house.cancel(&leaves).await.expect(200);
        house.book(&people[0], &off).await.expect_booked();
        house.cancel_session(&off, &json!({"reason": "weather"})).await.expect(200);
        let path = format!("/v1/studios/{studio}/reports/attendance?from=2026-12-01&to=2026-12-03");
        let report = house.get(&path).by(&admin).await.expect(200);
        let counted = |line: &Value| ["booked", "attended", "late_cancelled", "cancelled", "no_show", "waitlisted"].map(|what| line[what].as_i64().unwrap());
        let lines = report["sessions"].as_array().unwrap();
        assert_eq!(lines.iter().map(counted).collect::<Vec<_>>(), [[2, 0, 0, 0, 0, 1], [0, 0, 0, 1, 0, 0], [0, 0, 0, 1, 0, 0]]);
        assert_eq!([&lines[0]["fill"], &lines[1]["fill"]], [&json!(1.0), &json!(0.0)]);
        assert_eq!(lines[2]["session"]["status"], "cancelled");
        assert_eq!(counted(&report["totals"]), [2, 0, 0, 2, 0, 1]);
        assert_eq!((&report["totals"]["fill"], &report["totals"]["sessions"]), (&json!(0.5), &json!(2)), "what the studio cancelled has no places");

        let csv = house.get(&path).by(&admin).header("Accept", "text/csv").header("Accept-Language", "zh").await.expect(200);
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        assert!(csv.header("content-disposition").contains("attendance-2026-12-01-2026-12-03.csv"));
        let lines: Vec<&str> = csv.text.trim_start_matches('\u{feff}').split("\r\n").collect();
        assert_eq!(lines.len(), 6, "a head, three sessions, their sums, and nothing: {lines:?}");
        let name = &house.studio.instructor.name;
        assert_eq!(lines[1], format!("2026-12-01,08:00,Barre Sculpt,open,Room of 2026-12-01 08:00,{name},scheduled,2,2,0,0,0,0,1,1,{},0", full.id));
        assert_eq!(lines[4], "total,,,,,,,4,2,0,0,2,0,1,0.5,,0");
        let json = house.get(&path).by(&admin).header("Accept", "application/json, text/csv;q=0.5").await.expect(200);
        assert_eq!(json.header("content-type"), "application/json");
    }

    async fn cells_that_would_run(house: House) {
        let (admin, studio) = (house.studio.admin.clone(), house.studio.id);
        let session = house.session("2026-12-01 08:00", 2).await;
        let room = house.get(format!("/v1/sessions/{}", session.id)).by(&admin).await["room"]["id"].as_str().unwrap().to_owned();
        let room = format!("/v1/studios/{studio}/rooms/{room}");
        let path = format!("/v1/studios/{studio}/reports/attendance?from=2026-12-01&to=2026-12-02");
        let table = [
            ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"), ("＝1", "'＝1"),
            ("=HYPERLINK(\"evil\",\"x\")", "\"'=HYPERLINK(\"\"evil\"\",\"\"x\"\")\""), ("A \"big\" room", "\"A \"\"big\"\" room\""),
        ];
        for (version, (name, cell)) in (1..).zip(table) {
            house.patch(&room).by(&admin).header("If-Match", version).json(&json!({"name": name})).await.expect(200);
            let text = house.get(&path).by(&admin).header("Accept", "text/csv").await.expect(200).text;
            assert!(text.contains(&format!(",open,{cell},Lin Yue,")), "{name}: {text}");
        }
    }

    async fn who_may_read_a_report_and_of_what(house: House) {
        let brooklyn = house.second_studio().await;
        let path = format!("/v1/studios/{}/reports/attendance", house.studio.id);
        for person in [&house.studio.instructor, &house.studio.desk, &brooklyn.admin] {
            house.get(&path).by(person).await.expect_refused(403, "not-allowed");
        }
        house.get(&path).await.expect_refused(401, "sign-in-required");
        let admin = &house.studio.admin;
        for (query, field) in [("from=2026-12-02&to=2026-12-01", "to"), ("from=2026-01-01&to=2027-01-03", "to"), ("from=x", "from"), ("week=1", "week")] {
            house.get(format!("{path}?{query}")).by(admin).await.expect_refused(422, "invalid-fields").naming(field);
        }
        house.get(format!("{path}?from=2026-01-01&to=2027-01-02")).by(admin).await.expect(200);
        house.session("2026-11-29 08:00", 2).await;
        house.session("2026-11-30 08:00", 2).await;
        assert_eq!(house.get(&path).by(admin).await.expect(200)["sessions"].as_array().unwrap().len(), 1, "the week up to yesterday");
    }
}
