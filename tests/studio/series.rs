//! Series: made ahead, edited from a date on, ended; each session keeps its wall time, and what was changed by hand stays.

use chrono::{Days, NaiveDate, TimeDelta};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::House;
use crate::seed::{Person, Session};
use crate::speech::Reply;

impl House {
    /// Mondays and Wednesdays at 18:30 from 30 November on, with what is said besides.
    pub fn series_body(&self, besides: Value) -> Value {
        let mut body = json!({
            "class_type_id": self.studio.class_type, "room_id": self.studio.room, "instructor_id": self.studio.instructor.id,
            "capacity": 12, "starts_on": "2026-12-01", "local_time": "18:30", "rule": "FREQ=WEEKLY;BYDAY=MO,WE",
        });
        for (name, value) in besides.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }

    pub async fn begin(&self, by: &Person, besides: Value) -> Reply {
        self.post_to(format!("/v1/studios/{}/series", self.studio.id)).by(by).json(&self.series_body(besides)).await
    }

    /// Local starts of a series' sessions, in the order of its dates; cancelled ones and drafts too.
    pub async fn of_series(&self, series: Uuid) -> Vec<(String, Session)> {
        let sql = "SELECT id, starts_at, ends_at FROM sessions WHERE series_id = $1 ORDER BY series_date";
        let rows: Vec<(Uuid, chrono::DateTime<chrono::Utc>, chrono::DateTime<chrono::Utc>)> = self.db.all(sql, (series,)).await.unwrap();
        let zone = self.studio.zone;
        rows.into_iter()
            .map(|(id, starts_at, ends_at)| {
                (starts_at.with_timezone(&zone).format("%a %d %b %H:%M").to_string(), Session { id, starts_at, ends_at })
            })
            .collect()
    }

    pub async fn starts_of(&self, series: Uuid) -> Vec<String> {
        self.of_series(series).await.into_iter().map(|(start, _)| start).collect()
    }

    pub async fn shown(&self, session: &Session) -> Value {
        self.get(format!("/v1/sessions/{}", session.id)).by(&self.studio.admin).await.expect(200).body
    }

    pub async fn alter(&self, session: &Session, edit: &Value) -> Reply {
        let version = self.shown(session).await["version"].as_i64().unwrap();
        self.patch_session(session, version, edit).by(&self.studio.admin).await
    }
}

both_engines! {
    async fn a_series_makes_its_sessions_eight_weeks_ahead_and_goes_on(house: House) {
        let made = house.begin(&house.studio.admin, json!({})).await.expect(201);
        let starts = house.starts_of(made.id()).await;
        assert_eq!(&starts[..3], ["Wed 02 Dec 18:30", "Mon 07 Dec 18:30", "Wed 09 Dec 18:30"]);
        // 30 November and 56 days: the last is Monday, 25 January.
        assert_eq!((starts.len(), starts.last().unwrap().as_str()), (16, "Mon 25 Jan 18:30"));
        assert_eq!(made["made_before"], "2027-01-27");
        house.sweep().await;
        assert_eq!(house.starts_of(made.id()).await.len(), 16, "nothing was due");
        house.it_is("2026-12-01 23:59");
        house.sweep().await;
        assert_eq!(house.starts_of(made.id()).await.len(), 16, "it is not due before midnight");
        house.it_is("2026-12-02 00:00");
        house.sweep().await;
        assert_eq!(house.starts_of(made.id()).await.last().unwrap(), "Wed 27 Jan 18:30");
        // A house that slept for months makes up for it in one go; what is over is not made.
        house.it_is("2027-06-01 09:00");
        house.sweep().await;
        house.sweep().await;
        let starts = house.starts_of(made.id()).await;
        assert_eq!(starts.last().unwrap(), "Mon 26 Jul 18:30");
        assert!(!starts.iter().any(|start| start.contains("Mar")), "{starts:?}");
    }

    async fn it_ends_by_its_date_or_its_number_and_leaves_dates_out(house: House) {
        let until = house.begin(&house.studio.admin, json!({"until": "2026-12-09"})).await.expect(201);
        assert_eq!(house.starts_of(until.id()).await, ["Wed 02 Dec 18:30", "Mon 07 Dec 18:30", "Wed 09 Dec 18:30"]);
        assert_eq!(until["made_before"], Value::Null);
        let counted = json!({"local_time": "08:00", "count": 4, "except": ["2026-12-07"]});
        let counted = house.begin(&house.studio.admin, counted).await.expect(201);
        // RFC 5545: a date left out is counted.
        assert_eq!(house.starts_of(counted.id()).await, ["Wed 02 Dec 08:00", "Wed 09 Dec 08:00", "Mon 14 Dec 08:00"]);
    }

    async fn rules_without_measure_are_refused(house: House) {
        let refused = [
            (json!({"rule": "FREQ=SECONDLY"}), "rule", "one session a date at most"),
            (json!({"rule": "FREQ=DAILY;BYHOUR=1,2,3"}), "rule", "one session a date at most"),
            (json!({"rule": "FREQ=HOURLY;INTERVAL=24"}), "rule", "one session a date at most"),
            (json!({"rule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}), "rule", "within 366 days"),
            (json!({"rule": "FREQ=WEEKLY;UNTIL=20270101T000000Z"}), "rule", "beside it"),
            (json!({"rule": "FREQ=WEEKLY;COUNT=9999999"}), "rule", "beside it"),
            (json!({"rule": "every monday"}), "rule", "RFC 5545"),
            (json!({"rule": "FREQ=WEEKLY\nDTSTART:19970902T090000"}), "rule", "RFC 5545"),
            (json!({"rule": "FREQ=DAILY;INTERVAL=0"}), "rule", "INTERVAL"),
            (json!({"until": "2040-01-01"}), "until", "5 years"),
            (json!({"until": "2026-11-01"}), "until", "before"),
            (json!({"count": 100_000}), "count", "1000"),
            (json!({"count": 3, "until": "2026-12-31"}), "until", "count"),
            (json!({"starts_on": "2026-11-01"}), "starts_on", "past"),
            (json!({"count": 1, "except": ["2026-12-02"]}), "except", "at least one"),
            (json!({"capacity": 0}), "capacity", "1 to 1000"),
            (json!({"local_time": "25:00"}), "local_time", "time of the day"),
        ];
        for (besides, field, words) in refused {
            let reply = house.begin(&house.studio.admin, besides.clone()).await.expect_client_error().naming(field);
            assert!(reply.body.to_string().contains(words), "{besides}: {}", reply.body);
        }
        let (count,): (i64,) = house.db.one("SELECT COUNT(*) FROM series", ()).await.unwrap();
        assert_eq!(count, 0, "what is refused writes nothing");
    }

    async fn who_may_begin_one(house: House) {
        let (ana, mei) = (house.member("Ana").await, house.colleague("Mei").await);
        let brooklyn = house.second_studio().await;
        house.begin(&ana, json!({})).await.expect_refused(403, "not-allowed");
        house.begin(&mei, json!({})).await.expect_refused(403, "not-allowed");
        house.begin(&brooklyn.admin, json!({})).await.expect_refused(403, "not-allowed");
        let made = house.begin(&house.studio.instructor, json!({})).await.expect(201);
        let path = format!("/v1/series/{}", made.id());
        house.get(&path).by(&mei).await.expect(200);
        house.get(&path).by(&ana).await.expect_refused(404, "not-found");
        house.get(&path).await.expect_refused(401, "sign-in-required");
        let list = format!("/v1/studios/{}/series", house.studio.id);
        assert_eq!(house.get(&list).by(&mei).await.expect(200)["series"][0]["id"], json!(made.id()));
        house.get(&list).by(&ana).await.expect_refused(403, "not-allowed");
    }

    async fn what_stands_in_its_way_refuses_the_first_weeks_and_leaves_a_gap_later(house: House) {
        let mei = house.colleague("Mei").await;
        // The instructor is elsewhere on the second Monday.
        let other = house.session("2026-12-07 19:00", 5).await;
        let refused = house.begin(&house.studio.admin, json!({})).await.expect_refused(409, "instructor-busy");
        assert_eq!((&refused["session_id"], &refused["date"]), (&json!(other.id), &json!("2026-12-07")));
        let (count,): (i64,) = house.db.one("SELECT COUNT(*) FROM sessions", ()).await.unwrap();
        assert_eq!(count, 1, "nothing is made by halves");
        let made = house.begin(&house.studio.admin, json!({"instructor_id": mei.id})).await.expect(201);
        let far = house.plan("2027-02-01 18:00", 5).taught_by(&mei).await;
        house.it_is("2026-12-08 09:00");
        house.sweep().await;
        let shown = house.get(format!("/v1/series/{}", made.id())).by(&house.studio.admin).await.expect(200);
        let gap = &shown["exceptions"][0];
        assert_eq!((&gap["date"], &gap["gap"], &gap["other_session_id"], &gap["session_id"]), (&json!("2027-02-01"), &json!("instructor_busy"), &json!(far.id), &json!(null)));
        // A room in which it can be fills the gap with the next edit.
        house.cancel_session(&far, &json!({})).await.expect(200);
        let next = &house.of_series(made.id()).await[3].1;
        house.alter(next, &json!({"scope": "following", "capacity": 10})).await.expect(200);
        let starts = house.starts_of(made.id()).await;
        assert!(starts.contains(&"Mon 01 Feb 18:30".to_owned()), "{starts:?}");
    }

    async fn a_series_whose_instructor_left_waits_for_another(house: House) {
        let mei = house.colleague("Mei").await;
        let made = house.begin(&house.studio.admin, json!({})).await.expect(201);
        let lin = house.studio.instructor.id;
        house.write(move |tx| Box::pin(async move { tx.run("DELETE FROM staff WHERE person_id = $1", (lin,)).await })).await;
        house.it_is("2026-12-02 09:00");
        house.sweep().await;
        let path = format!("/v1/series/{}", made.id());
        let shown = house.get(&path).by(&house.studio.admin).await.expect(200);
        let gap = &shown["exceptions"][0];
        assert_eq!((&gap["date"], &gap["gap"], &gap["other_session_id"]), (&json!("2027-01-27"), &json!("no_instructor"), &json!(null)));
        let first = house.of_series(made.id()).await.remove(0).1;
        house.alter(&first, &json!({"scope": "all", "instructor_id": mei.id})).await.expect(200);
        assert_eq!(house.starts_of(made.id()).await.last().unwrap(), "Wed 27 Jan 18:30");
        assert_eq!(house.get(&path).by(&house.studio.admin).await.expect(200)["exceptions"], json!([]));
    }

    async fn this_and_following_makes_one_more_part_of_it(house: House) {
        let ana = house.member("Ana").await;
        let mei = house.colleague("Mei").await;
        let made = house.begin(&house.studio.admin, json!({"until": "2026-12-21"})).await.expect(201);
        let sessions: Vec<Session> = house.of_series(made.id()).await.into_iter().map(|(_, session)| session).collect();
        let booked = house.book(&ana, &sessions[2]).await.expect_booked();
        house.alter(&sessions[1], &json!({"scope": "following", "local_start": "2026-12-08T19:00", "instructor_id": mei.id})).await.expect(200);
        assert_eq!(house.starts_of(made.id()).await,
            ["Wed 02 Dec 18:30", "Tue 08 Dec 19:00", "Thu 10 Dec 19:00", "Tue 15 Dec 19:00", "Thu 17 Dec 19:00", "Tue 22 Dec 19:00"]);
        let after = house.of_series(made.id()).await;
        assert_eq!(after[2].1.id, sessions[2].id, "it is the same session, and the booking is in it");
        let now = house.now(&booked).await;
        assert_eq!((&now["session"]["instructor"]["name"], &now["session"]["local_start"]), (&json!("Mei"), &json!("2026-12-10T19:00")));
        assert_eq!(now["free_cancel_until"], now["session"]["starts_at"], "a new time gives a free way out until the start");
        assert_eq!(house.kinds_to(&ana).await, ["booked", "session_changed"]);
        assert_eq!(house.shown(&after[0].1).await["instructor"]["name"], "Lin Yue");
        let shown = house.get(format!("/v1/series/{}", made.id())).by(&house.studio.admin).await.expect(200);
        assert_eq!((&shown["parts"][1]["from"], &shown["parts"][1]["local_time"], &shown["parts"][1]["shift_days"]), (&json!("2026-12-07"), &json!("19:00"), &json!(1)));
        assert_eq!(shown["exceptions"], json!([]));
    }

    async fn what_was_changed_by_hand_stays(house: House) {
        let mei = house.colleague("Mei").await;
        let made = house.begin(&house.studio.admin, json!({"until": "2026-12-21"})).await.expect(201);
        let sessions: Vec<Session> = house.of_series(made.id()).await.into_iter().map(|(_, session)| session).collect();
        house.alter(&sessions[2], &json!({"local_start": "2026-12-09T07:00"})).await.expect(200);
        house.alter(&sessions[3], &json!({"instructor_id": mei.id})).await.expect(200);
        let shown = house.get(format!("/v1/series/{}", made.id())).by(&house.studio.admin).await.expect(200);
        let listed: Vec<_> = shown["exceptions"].as_array().unwrap().iter().map(|one| (one["date"].clone(), one["by_hand"].clone())).collect();
        assert_eq!(listed, [(json!("2026-12-09"), json!(["time"])), (json!("2026-12-14"), json!(["instructor"]))]);
        house.alter(&sessions[0], &json!({"scope": "all", "local_start": "2026-12-02T20:00", "capacity": 8})).await.expect(200);
        assert_eq!(house.starts_of(made.id()).await,
            ["Wed 02 Dec 20:00", "Mon 07 Dec 20:00", "Wed 09 Dec 07:00", "Mon 14 Dec 20:00", "Wed 16 Dec 20:00", "Mon 21 Dec 20:00"]);
        let moved = house.shown(&sessions[3]).await;
        assert_eq!((&moved["instructor"]["name"], &moved["capacity"]), (&json!("Mei"), &json!(8)));
        assert_eq!(house.shown(&sessions[2]).await["capacity"], 8, "what was not changed by hand follows");
        // Back to what the series says: no exception any more.
        house.alter(&sessions[2], &json!({"local_start": "2026-12-09T20:00"})).await.expect(200);
        let shown = house.get(format!("/v1/series/{}", made.id())).by(&house.studio.admin).await.expect(200);
        assert_eq!(shown["exceptions"].as_array().unwrap().len(), 1);
    }

    async fn a_capacity_changed_by_hand_stays_where_the_room_gives_it(house: House) {
        let admin = &house.studio.admin;
        let made = house.begin(admin, json!({"until": "2026-12-09", "capacity": null})).await.expect(201);
        let sessions: Vec<Session> = house.of_series(made.id()).await.into_iter().map(|(_, session)| session).collect();
        assert_eq!(house.shown(&sessions[0]).await["capacity"], 1000, "the room's");
        house.alter(&sessions[1], &json!({"capacity": 2})).await.expect(200);
        let path = format!("/v1/series/{}", made.id());
        assert_eq!(house.get(&path).by(admin).await.expect(200)["exceptions"][0]["by_hand"], json!(["capacity"]));
        let loft = json!({"name": "Loft", "capacity": 8});
        let loft = house.post_to(format!("/v1/studios/{}/rooms", house.studio.id)).by(admin).json(&loft).await.expect(201).id();
        house.alter(&sessions[0], &json!({"scope": "all", "room_id": loft})).await.expect(200);
        assert_eq!([house.shown(&sessions[0]).await["capacity"].clone(), house.shown(&sessions[1]).await["capacity"].clone()], [json!(8), json!(2)]);
        assert_eq!(house.get(&path).by(admin).await.expect(200)["exceptions"][0]["by_hand"], json!(["capacity"]));
        house.alter(&sessions[1], &json!({"capacity": 8})).await.expect(200);
        assert_eq!(house.get(&path).by(admin).await.expect(200)["exceptions"], json!([]));
    }

    async fn a_series_ends_with_everything_to_come(house: House) {
        let ana = house.member("Ana").await;
        let made = house.begin(&house.studio.admin, json!({})).await.expect(201);
        let sessions: Vec<Session> = house.of_series(made.id()).await.into_iter().map(|(_, session)| session).collect();
        let (kept, lost) = (house.book(&ana, &sessions[0]).await.expect_booked(), house.book(&ana, &sessions[2]).await.expect_booked());
        let path = format!("/v1/sessions/{}/cancellation", sessions[1].id);
        let preview = house.put(format!("{path}?dry_run=true")).by(&house.studio.admin).json(&json!({"scope": "following"})).await.expect(200);
        assert_eq!(preview["told"], json!([{"person_id": ana.id, "name": "Ana", "letter": "session_cancelled", "booking_id": lost.id, "session_id": sessions[2].id}]));
        assert_eq!((&preview["bookings"][0]["status"], &preview["bookings"][0]["credits_returned"]), (&json!("cancelled"), &json!(1)));
        assert_eq!(house.now(&lost).await["status"], "booked", "a dry run changes nothing");
        assert_eq!(house.kinds_to(&ana).await, ["booked", "booked"]);
        house.put(&path).by(&house.studio.admin).json(&json!({"scope": "following", "reason": "premises"})).await.expect(200);
        assert_eq!((&house.now(&kept).await["status"], &house.now(&lost).await["status"]), (&json!("booked"), &json!("cancelled")));
        house.it_is("2027-03-01 09:00");
        house.sweep().await;
        assert_eq!(house.starts_of(made.id()).await.len(), 16, "it makes no more");
        let shown = house.get(format!("/v1/series/{}", made.id())).by(&house.studio.admin).await.expect(200);
        assert_eq!((&shown["until"], &shown["made_before"]), (&json!("2026-12-06"), &json!(null)));
    }

    async fn the_clocks_move_no_date(house: House) {
        let brooklyn = house.second_studio().await;
        let body = json!({
            "class_type_id": brooklyn.class_type, "room_id": brooklyn.room, "instructor_id": brooklyn.instructor.id,
            "starts_on": "2027-03-07", "local_time": "02:30", "rule": "FREQ=WEEKLY;BYDAY=SU", "count": 3,
        });
        house.it_is("2027-03-01 12:00");
        let made = house.post_to(format!("/v1/studios/{}/series", brooklyn.id)).by(&brooklyn.admin).json(&body).await.expect(201);
        let path = format!("/v1/studios/{}/sessions?from=2027-03-07&to=2027-03-22", brooklyn.id);
        let seen = house.get(path).await.expect(200);
        let seen: Vec<_> = seen["sessions"].as_array().unwrap().iter()
            .map(|one| (one["local_start"].clone(), one["starts_at"].clone(), one["skipped_time"].clone())).collect();
        assert_eq!(seen, [
            (json!("2027-03-07T02:30"), json!("2027-03-07T07:30:00.000000Z"), json!(null)),
            (json!("2027-03-14T03:00"), json!("2027-03-14T07:00:00.000000Z"), json!("02:30")),
            (json!("2027-03-21T02:30"), json!("2027-03-21T06:30:00.000000Z"), json!(null)),
        ]);
        let shown = house.get(format!("/v1/series/{}", made.id())).by(&brooklyn.admin).await.expect(200);
        assert_eq!(shown["exceptions"], json!([]), "the clocks are nobody's hand");
    }

    async fn a_series_makes_room_for_closing_days(house: House) {
        let ana = house.member("Ana").await;
        let made = house.begin(&house.studio.admin, json!({"until": "2026-12-31"})).await.expect(201);
        let sessions: Vec<Session> = house.of_series(made.id()).await.into_iter().map(|(_, session)| session).collect();
        let booking = house.book(&ana, &sessions[2]).await.expect_booked();
        let path = format!("/v1/studios/{}/closing-days", house.studio.id);
        let days = json!({"from": "2026-12-09", "to": "2026-12-10", "note": "The floor is renewed."});
        house.post_to(&path).by(&house.studio.instructor).json(&days).await.expect_refused(403, "not-allowed");
        let preview = house.post_to(format!("{path}?dry_run=true")).by(&house.studio.admin).json(&days).await.expect(200);
        assert_eq!(preview["told"].as_array().unwrap().len(), 1);
        let closed = house.post_to(&path).by(&house.studio.admin).json(&days).await.expect(200);
        assert_eq!(closed["session_ids"], json!([sessions[2].id]));
        let now = house.now(&booking).await;
        assert_eq!((&now["status"], &now["ended_by"], &now["credits_returned"]), (&json!("cancelled"), &json!("studio"), &json!(1)));
        house.post().await;
        let told = house.letters_to(&ana).await.pop().unwrap().body_text.unwrap();
        assert!(told.contains("The floor is renewed."), "{told}");
        assert_eq!(house.get(&path).await.expect(200)["closing_days"], json!([{"date": "2026-12-09", "note": "The floor is renewed."}]));
        let one = json!({"class_type_id": house.studio.class_type, "room_id": house.studio.room, "instructor_id": house.studio.instructor.id, "local_start": "2026-12-09T10:00"});
        let sessions_path = format!("/v1/studios/{}/sessions", house.studio.id);
        house.post_to(&sessions_path).by(&house.studio.admin).json(&one).await.expect_refused(409, "studio-closed");
        let daily = house.begin(&house.studio.admin, json!({"rule": "FREQ=DAILY", "local_time": "07:00", "count": 12})).await.expect(201);
        assert_eq!(daily["exceptions"][0]["gap"], "closed");
        house.delete(format!("{path}/2026-12-09")).by(&house.studio.admin).await.expect(204);
        house.post_to(&sessions_path).by(&house.studio.admin).json(&one).await.expect(201);
        for bad in [json!({"from": "2026-12-09", "to": "2026-12-09"}), json!({"from": "2026-12-09", "to": "2027-12-09"}), json!({"from": "9 Dec", "to": "2026-12-10"})] {
            house.post_to(&path).by(&house.studio.admin).json(&bad).await.expect_client_error();
        }
    }

    async fn an_edit_of_many_is_one_act(house: House) {
        let made = house.begin(&house.studio.admin, json!({"until": "2026-12-21"})).await.expect(201);
        let sessions: Vec<Session> = house.of_series(made.id()).await.into_iter().map(|(_, session)| session).collect();
        // At 20:00 on the last Monday the instructor is elsewhere.
        let other = house.session("2026-12-21 20:30", 5).await;
        let refused = house.alter(&sessions[1], &json!({"scope": "following", "local_start": "2026-12-07T20:00"})).await.expect_refused(409, "instructor-busy");
        assert_eq!(refused["session_id"], json!(other.id));
        assert_eq!(house.starts_of(made.id()).await[1], "Mon 07 Dec 18:30", "all or none");
        house.alter(&sessions[1], &json!({"scope": "following", "local_start": "2026-12-20T20:00"})).await.expect_refused(422, "invalid-fields").naming("local_start");
        let alone = house.session("2026-12-05 10:00", 5).await;
        house.alter(&alone, &json!({"scope": "following", "capacity": 4})).await.expect_refused(422, "invalid-fields").naming("scope");
        // The whole series may trade its days with itself: Mondays on Wednesdays' day of two days later.
        house.alter(&sessions[0], &json!({"scope": "all", "local_start": "2026-12-04T18:30"})).await.expect(200);
        assert_eq!(house.starts_of(made.id()).await[..3], ["Fri 04 Dec 18:30", "Wed 09 Dec 18:30", "Fri 11 Dec 18:30"]);
    }

    async fn a_daily_series_for_half_a_year(house: House) {
        house.rules(json!({"booking_opens_days": 180})).await;
        let made = house.begin(&house.studio.admin, json!({"rule": "FREQ=DAILY"})).await.expect(201);
        let starts = house.starts_of(made.id()).await;
        let last = NaiveDate::from_ymd_opt(2026, 11, 30).unwrap() + Days::new(181);
        assert_eq!(starts.len(), 181);
        assert_eq!(starts.last().unwrap(), &last.format("%a %d %b 18:30").to_string());
        house.advance(TimeDelta::days(2));
        house.sweep().await;
        assert_eq!(house.starts_of(made.id()).await.len(), 183);
    }
}
