//! Changes to sessions that people are in: everybody is told once, nobody is in two places, and what the studio takes away it gives back.

use chrono::{Days, TimeDelta};
use mail_parser::{MessageParser, MimeHeaders as _};
use releve::events::Actor;
use releve::letters::transport::Transport;
use releve::transactor::Command;
use serde_json::{Value, json};

use crate::house::House;
use crate::seed::{Person, Session};
use crate::speech::{Booking, Call};

/// What a calendar part says of itself.
type Part = (i64, String, String);

impl House {
    /// The admin edits a session as it is now.
    pub async fn change(&self, session: &Session, edit: Value) -> crate::speech::Reply {
        self.alter(session, &edit).await
    }

    /// The same, only to look.
    pub async fn look(&self, session: &Session, edit: Value) -> crate::speech::Reply {
        let version = self.shown(session).await["version"].as_i64().unwrap();
        self.patch(format!("/v1/sessions/{}?dry_run=true", session.id)).by(&self.studio.admin).header("If-Match", version).json(&edit).await
    }

    /// SEQUENCE, METHOD and UID of the calendar parts of the letters to a member, by SEQUENCE.
    async fn calendar_parts(&self, person: &Person) -> Vec<Part> {
        self.post().await;
        let Transport::Memory(memory) = &self.app.post.transport else { panic!("letters do not stay in memory") };
        let mails = memory.mails().into_iter().filter(|mail| mail.recipient.to_string() == person.email);
        let parts = mails.filter_map(|mail| {
            let read = MessageParser::default().parse(&mail.raw)?;
            let part = read.parts.iter().find(|part| part.is_content_type("text", "calendar"))?;
            let text = String::from_utf8(part.contents().to_vec()).unwrap().replace("\r\n ", "");
            let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned)).unwrap_or_default();
            Some((line("SEQUENCE:").parse().unwrap(), line("METHOD:"), line("UID:")))
        });
        let mut parts: Vec<Part> = parts.collect();
        parts.sort();
        parts
    }

    /// Everything that an act could leave behind.
    pub async fn traces(&self) -> Vec<i64> {
        let mut traces = Vec::new();
        for sql in [
            "SELECT COUNT(*) FROM letters",
            "SELECT COUNT(*) FROM events",
            "SELECT COUNT(*) FROM ledger",
            "SELECT COUNT(*) FROM sessions",
            "SELECT COUNT(*) FROM closing_days",
            "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM series",
            "SELECT CAST(COALESCE(SUM(version + sequence * 100 + taken + waiting * 100 + capacity), 0) AS BIGINT) FROM sessions",
            "SELECT CAST(COALESCE(SUM(letters + sequence * 100 + credits), 0) AS BIGINT) FROM bookings",
            "SELECT COUNT(*) FROM bookings WHERE status = 'booked'",
            "SELECT CAST(COALESCE(SUM(credits_left), 0) AS BIGINT) FROM passes",
        ] {
            let (count,): (i64,) = self.db.one(sql, ()).await.unwrap();
            traces.push(count);
        }
        traces
    }

    /// Who waits, in order.
    async fn waiting(&self, session: &Session) -> Vec<Value> {
        let roster = self.roster(session).await;
        roster["waitlist"].as_array().unwrap().iter().map(|entry| entry["person"]["name"].clone()).collect()
    }

    /// The last letter's kind, and the states of all.
    async fn letter_fates(&self, person: &Person) -> Vec<(String, String)> {
        self.letters_to(person).await.into_iter().map(|letter| (letter.kind, letter.state)).collect()
    }

    async fn status_of(&self, booking: &Booking) -> Value {
        self.now(booking).await["status"].clone()
    }

    /// A call that would cancel a session.
    fn cancellation(&self, session: &Session, query: &str) -> Call {
        self.put(format!("/v1/sessions/{}/cancellation{query}", session.id))
    }
}

fn pairs(kinds: &[(&str, &str)]) -> Vec<(String, String)> {
    kinds.iter().map(|(kind, state)| ((*kind).to_owned(), (*state).to_owned())).collect()
}

both_engines! {
    async fn a_change_is_told_once_to_everybody_and_to_their_calendars(house: House) {
        let (ana, bo, cleo, mei) = (house.member("Ana").await, house.member("Bo").await, house.member("Cleo").await, house.colleague("Mei").await);
        let evening = house.session("2026-12-03 18:30", 2).await;
        for person in [&ana, &bo] {
            house.book(person, &evening).await.expect_booked();
        }
        house.book(&cleo, &evening).or_wait().await.expect_waitlisted(1);
        assert_eq!(house.kinds_to(&ana).await, ["booked"]);
        let changes = [
            (json!({"local_start": "2026-12-03T19:00"}), "time"),
            (json!({"room_id": house.studio.room, "capacity": 2}), "room"),
            (json!({"instructor_id": mei.id}), "instructor"),
        ];
        for (n, (edit, what)) in changes.into_iter().enumerate() {
            house.advance(TimeDelta::minutes(1));
            let changed = house.change(&evening, edit).await.expect(200);
            assert_eq!(changed["changed"].as_array().unwrap().last().unwrap(), what);
            for (person, first) in [(&ana, "booked"), (&bo, "booked"), (&cleo, "waitlisted")] {
                let mut told = vec![first.to_owned()];
                told.resize(n + 2, "session_changed".into());
                assert_eq!(house.kinds_to(person).await, told, "{}, {what}", person.name);
            }
        }
        for person in [&ana, &bo] {
            let parts = house.calendar_parts(person).await;
            let said: Vec<_> = parts.iter().map(|(sequence, method, _)| (*sequence, method.as_str())).collect();
            assert_eq!(said, [(0, "REQUEST"), (1, "REQUEST"), (2, "REQUEST"), (3, "REQUEST")]);
            assert!(parts.iter().all(|(.., uid)| *uid == parts[0].2 && !uid.is_empty()), "{parts:?}");
        }
        assert_eq!(house.calendar_parts(&cleo).await, [], "who waits has nothing in the calendar");
        // What nobody needs to hear is not told.
        house.change(&evening, json!({"capacity": 3})).await.expect(200);
        assert_eq!(house.kinds_to(&ana).await.len(), 4);
        assert_eq!(house.kinds_to(&cleo).await.last().unwrap(), "promoted");
    }

    async fn a_change_overtakes_what_was_not_sent_yet(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 2).await;
        house.book(&ana, &evening).await.expect_booked();
        house.change(&evening, json!({"local_start": "2026-12-03T19:00"})).await.expect(200);
        house.change(&evening, json!({"local_start": "2026-12-03T19:30"})).await.expect(200);
        let fates = house.letter_fates(&ana).await;
        assert_eq!(fates, pairs(&[("booked", "obsolete"), ("session_changed", "obsolete"), ("session_changed", "sent")]));
        let told = house.letters_to(&ana).await.pop().unwrap().body_text.unwrap();
        assert!(told.contains("19:30"), "{told}");
    }

    async fn a_new_time_opens_a_way_out_and_a_new_room_does_not(house: House) {
        house.rules(json!({"late_cancels_forgiven": 0})).await;
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 5).await;
        let (noon, evening) = (house.session("2026-12-03 13:30", 2).await, house.session("2026-12-03 18:30", 2).await);
        let (moved, stays) = (house.book(&ana, &noon).await.expect_booked(), house.book(&ana, &evening).await.expect_booked());
        house.it_is("2026-12-03 12:00");
        house.change(&noon, json!({"local_start": "2026-12-03T14:00"})).await.expect(200);
        house.change(&evening, json!({"room_id": house.studio.room, "capacity": 2})).await.expect(200);
        let cut_off = house.now(&stays).await["free_cancel_until"].clone();
        assert_eq!(cut_off, "2026-12-02T22:30:00.000000Z", "what the member was told stays true");
        house.it_is("2026-12-03 13:59");
        house.cancel_if(&stays, &json!({"if_free": true})).await.expect_refused(409, "not-free");
        assert_eq!(house.cancel_if(&moved, &json!({"if_free": true})).await.expect(200)["credits_returned"], 1);
        assert_eq!(house.balance(&pack).await, 4);
    }

    async fn who_would_be_in_two_sessions_leaves_the_one_that_moved(house: House) {
        house.rules(json!({"promotion_until_min": 60})).await;
        let (ana, bo, cleo, mei) = (house.stranger("Ana").await, house.member("Bo").await, house.member("Cleo").await, house.colleague("Mei").await);
        let pack = house.pack_until(&ana, 5, house.today() + Days::new(5)).await;
        let moves = house.session("2026-12-03 18:30", 1).await;
        let stays = house.plan("2026-12-03 20:30", 5).taught_by(&mei).await;
        let (torn, other) = (house.book(&ana, &moves).await.expect_booked(), house.book(&ana, &stays).await.expect_booked());
        let of_cleo = house.book(&cleo, &moves).or_wait().await.expect_waitlisted(1);
        house.book(&cleo, &stays).await.expect_booked();
        let of_bo = house.book(&bo, &moves).or_wait().await.expect_waitlisted(2);
        house.post().await;
        // Long after the free cut-off.
        house.it_is("2026-12-03 12:00");
        let before = house.traces().await;
        let edit = json!({"local_start": "2026-12-03T20:00"});
        for reply in [house.change(&moves, edit.clone()).await, house.look(&moves, edit).await] {
            let refused = reply.expect_refused(409, "members-overlap");
            assert_eq!(refused["bookings"], json!([{"booking_id": torn.id, "person_id": ana.id, "other_booking_id": other.id}]));
        }
        let edit = json!({"local_start": "2026-12-03T20:00", "release": true});
        let preview = house.look(&moves, edit.clone()).await.expect(200);
        assert_eq!(house.traces().await, before, "looking changes nothing");
        let told = |who: &Person, letter: &str, booking: &Booking| {
            let line = json!({"person_id": who.id, "name": who.name, "letter": letter, "booking_id": booking.id, "session_id": moves.id});
            assert!(preview["told"].as_array().unwrap().contains(&line), "{line}: {}", preview.body);
        };
        told(&ana, "released", &torn);
        told(&bo, "promoted", &of_bo);
        told(&cleo, "session_changed", &of_cleo);
        let loses = preview["bookings"].as_array().unwrap().iter().find(|one| one["booking_id"] == json!(torn.id)).unwrap();
        assert_eq!((&loses["status_before"], &loses["status"], &loses["credits_returned"]), (&json!("booked"), &json!("cancelled"), &json!(1)));

        house.change(&moves, edit).await.expect(200);
        let left = house.now(&torn).await;
        assert_eq!((&left["status"], &left["ended_by"], &left["credits_returned"]), (&json!("cancelled"), &json!("studio"), &json!(1)));
        assert_eq!((house.balance(&pack).await, house.status_of(&other).await), (4, json!("booked")));
        assert_eq!(house.kinds_to(&ana).await, ["booked", "booked", "released"]);
        assert_eq!(house.calendar_parts(&ana).await.last().unwrap().1, "CANCEL");
        // The studio's doing: the pass that the credit returns to lives 14 days at least.
        let (until,): (chrono::NaiveDate,) = house.db.one("SELECT expires_on FROM passes WHERE id = $1", (pack.id,)).await.unwrap();
        assert_eq!(until, house.today() + Days::new(14));
        // Cleo waits on, whom the new time puts into two; the place is Bo's.
        assert_eq!((house.status_of(&of_bo).await, house.status_of(&of_cleo).await), (json!("booked"), json!("waitlisted")));
        assert_eq!(house.roster(&moves).await["waitlist"][0]["reason"], "overlap");
        assert_eq!(house.kinds_to(&bo).await.last().unwrap(), "promoted");
    }

    async fn fewer_places_make_the_latest_wait_at_the_head(house: House) {
        let (ana, bo, cleo, dora) = (house.member("Ana").await, house.member("Bo").await, house.stranger("Cleo").await, house.member("Dora").await);
        let pack = house.pack(&cleo, 1).await;
        let evening = house.session("2026-12-03 18:30", 3).await;
        let mut bookings = Vec::new();
        for person in [&ana, &bo, &cleo] {
            bookings.push(house.book(person, &evening).await.expect_booked());
            house.advance(TimeDelta::minutes(1));
        }
        let waits = house.book(&dora, &evening).or_wait().await.expect_waitlisted(1);
        house.post().await;
        let before = house.traces().await;
        let refused = house.change(&evening, json!({"capacity": 1})).await.expect_refused(409, "capacity-too-small");
        assert_eq!((&refused["booked"], &refused["held"]), (&json!(3), &json!(0)));
        let preview = house.look(&evening, json!({"capacity": 1, "release": true})).await.expect(200);
        assert_eq!(house.traces().await, before, "looking changes nothing");
        let mut told: Vec<_> = preview["told"].as_array().unwrap().iter().map(|one| (one["name"].as_str().unwrap(), one["letter"].as_str().unwrap())).collect();
        told.sort_unstable();
        assert_eq!(told, [("Bo", "moved_to_waitlist"), ("Cleo", "moved_to_waitlist")]);

        house.change(&evening, json!({"capacity": 1, "release": true})).await.expect(200);
        assert_eq!(house.waiting(&evening).await, ["Bo", "Cleo", "Dora"]);
        let moved = house.now(&bookings[2]).await;
        assert_eq!((&moved["status"], &moved["waitlist_position"], &moved["credits"], &moved["pass_id"]), (&json!("waitlisted"), &json!(2), &json!(0), &json!(null)));
        assert_eq!(house.balance(&pack).await, 1);
        assert_eq!(house.kinds_to(&cleo).await, ["booked", "moved_to_waitlist"]);
        assert_eq!(house.calendar_parts(&cleo).await.last().unwrap().1, "CANCEL");
        assert_eq!(house.kinds_to(&dora).await, ["waitlisted"]);

        house.change(&evening, json!({"capacity": 2})).await.expect(200);
        assert_eq!(house.waiting(&evening).await, ["Cleo", "Dora"]);
        house.change(&evening, json!({"capacity": 4})).await.expect(200);
        assert_eq!(house.status_of(&waits).await, "booked");
        assert_eq!((house.status_of(&bookings[2]).await, house.balance(&pack).await), (json!("booked"), 0));
        // The same one credit comes back that this place took.
        assert_eq!(house.cancel(&bookings[2]).await.expect(200)["credits_returned"], 1);
        assert_eq!(house.balance(&pack).await, 1);
    }

    async fn a_smaller_room_is_one_letter_to_each(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-12-03 18:30", 2).await;
        for person in [&ana, &bo] {
            house.book(person, &evening).await.expect_booked();
            house.advance(TimeDelta::minutes(1));
        }
        house.post().await;
        let small = house.post_to(format!("/v1/studios/{}/rooms", house.studio.id)).by(&house.studio.admin);
        let small = small.json(&json!({"name": "Closet", "capacity": 1})).await.expect(201).id();
        house.change(&evening, json!({"room_id": small, "release": true})).await.expect_client_error().naming("capacity");
        house.change(&evening, json!({"room_id": small, "capacity": 1, "release": true})).await.expect(200);
        assert_eq!(house.kinds_to(&ana).await, ["booked", "session_changed"]);
        assert_eq!(house.kinds_to(&bo).await, ["booked", "moved_to_waitlist"]);
        assert!(house.letters_to(&bo).await.pop().unwrap().body_text.unwrap().contains("Closet"));
    }

    async fn who_has_come_stays(house: House) {
        let people = house.members(2).await;
        let evening = house.session("2026-12-03 18:30", 2).await;
        house.it_is("2026-12-03 17:45");
        for person in &people {
            let booked = house.book(person, &evening).await.expect_booked();
            house.put(format!("/v1/bookings/{}/check-in", booked.id)).by(&house.studio.desk).json(&json!({})).await.expect(200);
        }
        house.change(&evening, json!({"capacity": 1, "release": true})).await.expect_refused(409, "capacity-too-small");
    }

    async fn who_had_come_for_tonight_comes_again_tomorrow(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 2).await;
        let booked = house.book(&ana, &evening).await.expect_booked();
        house.it_is("2026-12-03 18:00");
        let check_in = format!("/v1/bookings/{}/check-in", booked.id);
        house.put(&check_in).by(&house.studio.desk).json(&json!({})).await.expect(200);
        house.change(&evening, json!({"local_start": "2026-12-03T18:45"})).await.expect(200);
        assert_eq!(house.status_of(&booked).await, "attended", "Ana is checked in");
        house.change(&evening, json!({"local_start": "2026-12-04T18:30"})).await.expect(200);
        let now = house.now(&booked).await;
        assert_eq!((&now["status"], &now["free_cancel_until"]), (&json!("booked"), &now["session"]["starts_at"]));
        assert_eq!(house.cancel_if(&booked, &json!({"if_free": true})).await.expect(200)["credits_returned"], 1);
    }

    async fn nobody_is_made_to_wait_where_the_waiting_is_over(house: House) {
        house.rules(json!({"booking_closes_min": 30})).await;
        let people = house.members(2).await;
        let evening = house.session("2026-12-03 18:30", 2).await;
        for person in &people {
            house.book(person, &evening).await.expect_booked();
        }
        house.it_is("2026-12-03 18:00");
        house.change(&evening, json!({"capacity": 1, "release": true})).await.expect_refused(409, "capacity-too-small");
        house.it_is("2026-12-03 17:59");
        house.change(&evening, json!({"capacity": 1, "release": true})).await.expect(200);
    }

    async fn nothing_is_moved_onto_a_day_on_which_the_studio_is_closed(house: House) {
        let days = json!({"from": "2026-12-08", "to": "2026-12-09"});
        house.post_to(format!("/v1/studios/{}/closing-days", house.studio.id)).by(&house.studio.admin).json(&days).await.expect(200);
        let evening = house.session("2026-12-03 18:30", 2).await;
        let refused = house.change(&evening, json!({"local_start": "2026-12-08T18:30"})).await.expect_refused(409, "studio-closed");
        assert_eq!(refused["date"], "2026-12-08");
        let made = house.begin(&house.studio.admin, json!({"until": "2026-12-09", "local_time": "10:00"})).await.expect(201);
        let before = house.starts_of(made.id()).await;
        let first = house.of_series(made.id()).await.remove(0).1;
        house.change(&first, json!({"scope": "all", "local_start": "2026-12-03T10:00"})).await.expect_refused(409, "studio-closed");
        assert_eq!(house.starts_of(made.id()).await, before);
        house.change(&first, json!({"scope": "all", "local_start": "2026-12-02T11:00"})).await.expect(200);
    }

    async fn a_look_beside_an_act_takes_nothing_of_it_back(house: House) {
        let evening = house.session("2026-12-08 18:30", 2).await;
        let day = chrono::NaiveDate::from_ymd_opt(2026, 12, 8).unwrap();
        let by = || Actor { person_id: Some(house.studio.admin.id), ..Actor::default() };
        let close = || Command::CloseDays { studio_id: house.studio.id, from: day, to: day + Days::new(1), note: None };
        // The desk waits for the writer with the first of them; the others make one batch behind it.
        let writer = house.db.begin_batch().await.unwrap();
        let later = |ms| tokio::time::sleep(std::time::Duration::from_millis(ms));
        let (first, closed, looked, ()) = tokio::join!(
            house.app.transactor.preview(by(), close()),
            async { (later(50).await, house.app.transactor.submit(by(), close()).await).1 },
            async { (later(60).await, house.app.transactor.preview(by(), close()).await).1 },
            async { (later(100).await, writer.rollback().await).1 },
        );
        assert!(first.is_ok() && closed.is_ok() && looked.is_ok());
        let path = format!("/v1/studios/{}/closing-days", house.studio.id);
        assert_eq!(house.get(&path).await.expect(200)["closing_days"], json!([{"date": "2026-12-08", "note": null}]));
        assert_eq!(house.shown(&evening).await["status"], "cancelled");
    }

    async fn a_hand_in_a_series_tells_its_own_people(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let made = house.begin(&house.studio.admin, json!({"until": "2026-12-09"})).await.expect(201);
        let sessions: Vec<Session> = house.of_series(made.id()).await.into_iter().map(|(_, session)| session).collect();
        house.book(&ana, &sessions[0]).await.expect_booked();
        house.book(&bo, &sessions[1]).await.expect_booked();
        house.change(&sessions[0], json!({"local_start": "2026-12-02T20:00"})).await.expect(200);
        assert_eq!((house.kinds_to(&ana).await.len(), house.kinds_to(&bo).await.len()), (2, 1));
        let looked = house.look(&sessions[1], json!({"local_start": "2026-12-07T20:30", "scope": "all"})).await.expect(200);
        let told: Vec<_> = looked["told"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
        assert_eq!(told, ["Bo"], "what was changed by hand stays, and its people hear nothing");
        let ended = house.cancellation(&sessions[0], "?dry_run=true").by(&house.studio.admin).json(&json!({"scope": "all"})).await.expect(200);
        assert_eq!(ended["told"].as_array().unwrap().len(), 2);
    }

    async fn a_series_that_was_in_a_smaller_room_is_itself_again(house: House) {
        let made = house.begin(&house.studio.admin, json!({"until": "2026-12-09"})).await.expect(201);
        let sessions: Vec<Session> = house.of_series(made.id()).await.into_iter().map(|(_, session)| session).collect();
        let small = house.post_to(format!("/v1/studios/{}/rooms", house.studio.id)).by(&house.studio.admin);
        let small = small.json(&json!({"name": "Closet", "capacity": 3})).await.expect(201).id();
        house.change(&sessions[0], json!({"scope": "all", "room_id": small})).await.expect(200);
        assert_eq!(house.shown(&sessions[1]).await["capacity"], 3);
        house.audit_is_clean().await;
        // Another hour, by hand, is no other capacity by hand.
        house.change(&sessions[1], json!({"local_start": "2026-12-07T20:00"})).await.expect(200);
        house.change(&sessions[0], json!({"scope": "all", "room_id": house.studio.room})).await.expect(200);
        for session in &sessions {
            assert_eq!(house.shown(session).await["capacity"], 12);
        }
        let shown = house.get(format!("/v1/series/{}", made.id())).by(&house.studio.admin).await.expect(200);
        assert_eq!(shown["exceptions"].as_array().unwrap().len(), 1, "{}", shown.body);
    }

    async fn who_stands_in_once_has_no_say_in_the_series(house: House) {
        let mei = house.colleague("Mei").await;
        let made = house.begin(&house.studio.instructor, json!({"until": "2026-12-16"})).await.expect(201);
        let sessions: Vec<Session> = house.of_series(made.id()).await.into_iter().map(|(_, session)| session).collect();
        house.change(&sessions[1], json!({"instructor_id": mei.id})).await.expect(200);
        let before = house.traces().await;
        for scope in ["following", "all"] {
            let edit = json!({"scope": scope, "capacity": 5});
            let path = format!("/v1/sessions/{}", sessions[1].id);
            house.patch(&path).by(&mei).header("If-Match", 2).json(&edit).await.expect_refused(403, "not-allowed");
            house.cancellation(&sessions[1], "").by(&mei).json(&json!({"scope": scope})).await.expect_refused(403, "not-allowed");
        }
        // Nor has Lin in the one that Mei teaches; in all behind it Lin has.
        let lin = &house.studio.instructor;
        house.cancellation(&sessions[0], "").by(lin).json(&json!({"scope": "all"})).await.expect_refused(403, "not-allowed");
        assert_eq!(house.traces().await, before);
        let path = format!("/v1/sessions/{}", sessions[2].id);
        house.patch(&path).by(lin).header("If-Match", 1).json(&json!({"scope": "following", "capacity": 5})).await.expect(200);
        let path = format!("/v1/sessions/{}", sessions[1].id);
        house.patch(&path).by(&mei).header("If-Match", 2).json(&json!({"capacity": 5})).await.expect(200);
    }

    async fn looking_changes_nothing(house: House) {
        let (ana, bo, mei) = (house.member("Ana").await, house.member("Bo").await, house.colleague("Mei").await);
        let made = house.begin(&house.studio.admin, json!({"capacity": 1, "until": "2026-12-16"})).await.expect(201);
        let sessions: Vec<Session> = house.of_series(made.id()).await.into_iter().map(|(_, session)| session).collect();
        let booked = house.book(&ana, &sessions[1]).await.expect_booked();
        let waits = house.book(&bo, &sessions[1]).or_wait().await.expect_waitlisted(1);
        house.post().await;
        let (before, roster) = (house.traces().await, house.roster(&sessions[1]).await);
        let room = house.post_to(format!("/v1/studios/{}/rooms", house.studio.id)).by(&house.studio.admin);
        let room = room.json(&json!({"name": "Studio B", "capacity": 30})).await.expect(201).id();
        let before_looking = house.traces().await;
        let edits = [
            (json!({"local_start": "2026-12-07T19:00"}), ["session_changed", "session_changed"].as_slice()),
            (json!({"instructor_id": mei.id}), &["session_changed", "session_changed"]),
            (json!({"room_id": room}), &["session_changed", "session_changed"]),
            (json!({"capacity": 2}), &["promoted"]),
            (json!({"local_start": "2026-12-07T19:00", "instructor_id": mei.id, "scope": "following"}), &["session_changed", "session_changed"]),
            (json!({"local_start": "2026-12-08T07:00", "room_id": room, "scope": "all"}), &["session_changed", "session_changed"]),
            (json!({"too_few_exempt": true}), &[]),
        ];
        for (edit, letters) in edits {
            let looked = house.look(&sessions[1], edit.clone()).await.expect(200);
            assert_eq!(looked["dry_run"], true);
            let told: Vec<_> = looked["told"].as_array().unwrap().iter().map(|one| one["letter"].as_str().unwrap()).collect();
            assert_eq!(told, letters, "{edit}");
        }
        for scope in ["this", "following", "all"] {
            let looked = house.cancellation(&sessions[1], "?dry_run=true").by(&house.studio.admin).json(&json!({"scope": scope})).await.expect(200);
            assert_eq!(looked["told"].as_array().unwrap().len(), 2, "{scope}");
            let loses: Vec<_> = looked["bookings"].as_array().unwrap().iter().map(|one| (one["booking_id"].clone(), one["credits_returned"].clone())).collect();
            assert!(loses.contains(&(json!(booked.id), json!(1))) && loses.contains(&(json!(waits.id), json!(0))), "{loses:?}");
        }
        assert_eq!(house.traces().await, before_looking);
        assert_eq!(house.roster(&sessions[1]).await, roster);
        assert_eq!(before[0], before_looking[0], "no letter either");
        // It is only looked at where it says so.
        house.patch(format!("/v1/sessions/{}?dry_run=false", sessions[1].id)).by(&house.studio.admin).header("If-Match", 1).json(&json!({"capacity": 2})).await.expect(200);
        assert_ne!(house.traces().await, before_looking);
    }

    async fn what_cannot_be_understood_is_named(house: House) {
        let evening = house.session("2026-12-03 18:30", 2).await;
        let (ana, nobody) = (house.member("Ana").await, house.new_id());
        let before = house.traces().await;
        let path = format!("/v1/sessions/{}", evening.id);
        for (edit, field) in [
            (json!({"colour": "red"}), "colour"),
            (json!({"scope": "sideways"}), "scope"),
            (json!({"scope": 1}), "scope"),
            (json!({"capacity": "many"}), "capacity"),
            (json!({"capacity": 0}), "capacity"),
            (json!({"capacity": 1.5}), "capacity"),
            (json!({"capacity": 100_000}), "capacity"),
            (json!({"release": "yes"}), "release"),
            (json!({"too_few_exempt": 1}), "too_few_exempt"),
            (json!({"local_start": "tomorrow"}), "local_start"),
            (json!({"local_start": "2026-12-03T18:30:00Z"}), "local_start"),
            (json!({"local_start": "2026-11-01T18:30"}), "local_start"),
            (json!({"instructor_id": "Mei"}), "instructor_id"),
            (json!({"instructor_id": ana.id}), "instructor_id"),
            (json!({"instructor_id": nobody}), "instructor_id"),
            (json!({"room_id": nobody}), "room_id"),
            (json!({"class_type_id": nobody}), "class_type_id"),
            (json!({"scope": "all"}), "scope"),
        ] {
            house.patch(&path).by(&house.studio.admin).header("If-Match", 1).json(&edit).await.expect_client_error().naming(field);
        }
        for (body, field) in [
            (json!({"colour": "red"}), "colour"),
            (json!({"scope": "sideways"}), "scope"),
            (json!({"scope": "following"}), "scope"),
            (json!({"reason": "bored"}), "reason"),
            (json!({"note": 7}), "note"),
            (json!({"note": "x".repeat(5_000)}), "note"),
        ] {
            house.cancellation(&evening, "").by(&house.studio.admin).json(&body).await.expect_client_error().naming(field);
        }
        for query in ["dry_run=maybe", "dry_run=", "dry_run=1"] {
            let edit = house.patch(format!("{path}?{query}")).by(&house.studio.admin).header("If-Match", 1).json(&json!({"capacity": 1}));
            edit.await.expect_client_error().naming("dry_run");
            house.cancellation(&evening, &format!("?{query}")).by(&house.studio.admin).json(&json!({})).await.expect_client_error().naming("dry_run");
        }
        house.cancellation(&evening, "?colour=red").by(&house.studio.admin).json(&json!({})).await.expect_client_error().naming("colour");
        house.patch(&path).by(&house.studio.admin).header("If-Match", 1).json(&json!([])).await.expect_client_error();
        house.patch(format!("/v1/sessions/{nobody}")).by(&house.studio.admin).header("If-Match", 1).json(&json!({})).await.expect_refused(404, "not-found");
        assert_eq!(house.traces().await, before);
    }

    async fn who_may_not(house: House) {
        let (ana, mei, brooklyn) = (house.member("Ana").await, house.colleague("Mei").await, house.second_studio().await);
        let evening = house.session("2026-12-03 18:30", 2).await;
        let draft = house.plan("2026-12-04 18:30", 2).draft().await;
        house.book(&ana, &evening).await.expect_booked();
        let before = house.traces().await;
        for (session, query) in [(&evening, ""), (&evening, "?dry_run=true"), (&draft, ""), (&draft, "?dry_run=true")] {
            let path = format!("/v1/sessions/{}{query}", session.id);
            let edit = json!({"capacity": 1, "release": true});
            let outside = if session.id == draft.id { (404, "not-found") } else { (403, "not-allowed") };
            for (who, (status, slug)) in [(&ana, outside), (&brooklyn.admin, outside), (&brooklyn.instructor, outside), (&mei, (403, "not-allowed")), (&house.studio.desk, (403, "not-allowed"))] {
                house.patch(&path).by(who).header("If-Match", 1).json(&edit).await.expect_refused(status, slug);
                house.cancellation(session, query).by(who).json(&json!({})).await.expect_refused(status, slug);
            }
            house.patch(&path).header("If-Match", 1).json(&edit).await.expect_refused(401, "sign-in-required");
            house.cancellation(session, query).json(&json!({})).await.expect_refused(401, "sign-in-required");
        }
        // Instructors may change their own; they give it to nobody.
        let path = format!("/v1/sessions/{}", evening.id);
        let lin = &house.studio.instructor;
        house.patch(&path).by(lin).header("If-Match", 1).json(&json!({"instructor_id": mei.id})).await.expect_refused(403, "not-allowed");
        assert_eq!(house.traces().await, before);
        house.patch(&path).by(lin).header("If-Match", 1).json(&json!({"capacity": 3})).await.expect(200);
    }
}
