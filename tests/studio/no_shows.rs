//! Who did not come: for now, for good, and corrected; sessions in which nobody was marked; and places that are given away at the door.

use releve::events::Actor;
use releve::transactor::Command;
use serde_json::{Value, json};

use crate::house::House;
use crate::seed::{Person, Session};
use crate::speech::{Booking, Reply};

impl House {
    async fn tick(&self, booking: &Booking) -> Reply {
        self.put(format!("/v1/bookings/{}/check-in", booking.id)).by(&self.studio.instructor).json(&json!({})).await
    }

    async fn untick(&self, booking: &Booking) -> Reply {
        self.delete(format!("/v1/bookings/{}/check-in", booking.id)).by(&self.studio.desk).await
    }

    /// The desk enters somebody at the door.
    async fn at_the_door(&self, person: &Person, session: &Session) -> Reply {
        self.book(person, session).sent_by(&self.studio.desk).saying("standby", json!(true)).await.reply
    }

    async fn open_door(&self, session: &Session, named: Option<&[&Booking]>) -> Reply {
        let ids = named.map(|named| named.iter().map(|booking| booking.id).collect::<Vec<_>>());
        let path = format!("/v1/sessions/{}/door-release", session.id);
        self.put(path).by(&self.studio.instructor).json(&json!({ "booking_ids": ids })).await
    }

    async fn status_now(&self, booking: &Booking) -> String {
        self.now(booking).await["status"].as_str().unwrap().to_owned()
    }

    async fn strikes_of(&self, person: &Person) -> usize {
        let all = self.get("/v1/me/standing").by(person).await.expect(200);
        all["studios"][0]["strikes"].as_array().unwrap().len()
    }

    async fn penalties_of(&self, person: &Person) -> i64 {
        self.count("SELECT COUNT(*) FROM penalties WHERE person_id = $1", person.id).await
    }

    /// The evening of Thursday, 18:30 to 19:25, with these members booked.
    async fn evening(&self, capacity: i64, people: &[&Person]) -> (Session, Vec<Booking>) {
        let evening = self.plan("2026-12-03 18:30", capacity).followed_up().await;
        let mut booked = Vec::new();
        for person in people {
            booked.push(self.book(person, &evening).await.expect_booked());
        }
        (evening, booked)
    }
}

both_engines! {
    async fn an_absence_that_is_corrected_in_the_batch_that_made_it_final_says_by_whom(house: House) {
        house.rules(json!({"strikes_max": 3})).await;
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let (evening, booked) = house.evening(5, &[&ana, &bo]).await;
        house.it_is("2026-12-03 18:40");
        house.tick(&booked[1]).await.expect(200);
        house.it_is("2026-12-03 21:25");
        let desk = house.studio.admin.id;
        let ask = |actor: Actor, command| house.app.transactor.submit(actor, command);
        let by_desk = Actor { person_id: Some(desk), ..Actor::default() };
        // All are handed in before any is decided; the first may have a batch of its own.
        let writer = house.db.begin_batch().await.unwrap();
        let (first, absent, came, ()) = tokio::join!(
            ask(Actor::system(), Command::RefillFor { person_id: bo.id }),
            ask(Actor::system(), Command::FollowUpAttendance { session_id: evening.id }),
            ask(by_desk, Command::CheckIn { booking_id: booked[0].id, at: None }),
            writer.rollback(),
        );
        assert!(first.is_ok() && absent.is_ok() && came.is_ok());
        assert_eq!(house.status_now(&booked[0]).await, "attended");
        let sql = "SELECT waived_by FROM penalties WHERE booking_id = $1";
        let penalties: Vec<(Option<uuid::Uuid>,)> = house.db.all(sql, (booked[0].id,)).await.unwrap();
        assert_eq!(penalties, [(Some(desk),)]);
        house.audit_is_clean().await;
    }

    async fn who_is_not_marked_is_absent_two_hours_after_the_end(house: House) {
        house.rules(json!({"strikes_max": 3})).await;
        let (ana, bo) = (house.stranger("Ana").await, house.member("Bo").await);
        let pack = house.pack(&ana, 5).await;
        let evening = house.plan("2026-12-03 18:30", 5).followed_up().await;
        let told = house.get(format!("/v1/sessions/{}/terms", evening.id)).by(&ana).await.expect(200);
        let costs = json!({"credits_lost": 1, "visit_counts": false, "fee": null, "strike": true, "forgiven": false});
        assert_eq!(told["no_show"], costs, "told before the tap");
        let (ana_s, bo_s) = (house.book(&ana, &evening).await.expect_booked(), house.book(&bo, &evening).await.expect_booked());
        house.it_is("2026-12-03 18:40");
        house.tick(&bo_s).await.expect(200);
        house.it_is("2026-12-03 18:44");
        assert_eq!(house.now(&ana_s).await["provisional"], false);
        house.it_is("2026-12-03 18:45");
        let now = house.now(&ana_s).await;
        assert_eq!((&now["status"], &now["provisional"]), (&json!("booked"), &json!(true)));
        assert_eq!(house.now(&bo_s).await["provisional"], false);
        assert_eq!(house.roster(&evening).await["booked"][0]["provisional"], true);
        for (time, status) in [("19:25", "booked"), ("21:24", "booked"), ("21:25", "no_show"), ("21:26", "no_show")] {
            house.it_is(&format!("2026-12-03 {time}"));
            house.sweep().await;
            house.sweep().await;
            assert_eq!(house.status_now(&ana_s).await, status, "{time}");
        }
        let now = house.now(&ana_s).await;
        assert_eq!((&now["provisional"], &now["penalty"]["kind"], &now["penalty"]["strike"]), (&json!(false), &json!("no_show"), &json!(true)));
        assert_eq!((house.penalties_of(&ana).await, house.strikes_of(&ana).await, house.balance(&pack).await), (1, 1, 4));
        let letters = house.letters_to(&ana).await;
        assert_eq!(letters.iter().filter(|letter| letter.kind == "no_show").count(), 1);
        let text = letters.last().unwrap().body_text.as_ref().unwrap();
        for said in ["1 credit is lost.", "It counts as a strike.", "until Sat 5 Dec, 19:25"] {
            assert!(text.contains(said), "{said}: {text}");
        }
        let history = house.get(format!("/v1/bookings/{}/history", ana_s.id)).by(&ana).await.expect(200);
        assert_eq!(history["entries"][1]["text"], "Did not come: 1 credit lost. It counts as a strike.");
        assert_eq!(house.status_now(&bo_s).await, "attended");
        let path = format!("/v1/studios/{}/reports/attendance?from=2026-12-03&to=2026-12-04", house.studio.id);
        let report = house.get(path).by(&house.studio.admin).await.expect(200);
        let row = &report["sessions"][0];
        assert_eq!((&row["booked"], &row["attended"], &row["unrecorded"], &row["no_show"]), (&json!(2), &json!(1), &json!(0), &json!(1)));
    }

    async fn a_fee_is_for_memberships_and_a_day_of_snow_forgives(house: House) {
        house.rules(json!({"no_show_fee_minor": 5000, "fee_currency": "CNY", "penalty_free_days": ["2026-12-04"]})).await;
        let (ana, bo) = (house.stranger("Ana").await, house.member("Bo").await);
        house.membership(&ana, None).await;
        let snow = house.plan("2026-12-04 18:30", 5).followed_up().await;
        let (_, booked) = house.evening(5, &[&ana, &bo]).await;
        let snowed = [house.book(&ana, &snow).await.expect_booked(), house.book(&bo, &snow).await.expect_booked()];
        house.it_is("2026-12-03 18:30");
        house.tick(&booked[1]).await.expect(200);
        house.it_is("2026-12-04 18:30");
        house.tick(&snowed[1]).await.expect(200);
        house.it_is("2026-12-04 23:00");
        house.sweep().await;
        let absent = house.now(&booked[0]).await;
        let fee = json!({"amount_minor": 5000, "currency": "CNY"});
        assert_eq!((&absent["status"], &absent["penalty"]["fee"]), (&json!("no_show"), &fee));
        let forgiven = house.now(&snowed[0]).await;
        assert_eq!((&forgiven["status"], &forgiven["penalty"]["forgiven"], &forgiven["penalty"]["fee"]), (&json!("no_show"), &json!("day"), &Value::Null));
        assert_eq!(house.count("SELECT COUNT(*) FROM bookings WHERE person_id = $1 AND visit_week IS NOT NULL", ana.id).await, 1);
    }

    async fn a_mark_just_before_counts(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let (_, booked) = house.evening(5, &[&ana, &bo]).await;
        house.it_is("2026-12-03 21:24");
        house.sweep().await;
        house.tick(&booked[1]).await.expect(200);
        house.it_is("2026-12-03 21:25");
        house.sweep().await;
        assert_eq!((house.status_now(&booked[0]).await, house.status_now(&booked[1]).await), ("no_show".into(), "attended".into()));
    }

    async fn nobody_was_marked_and_all_count_as_having_come(house: House) {
        house.rules(json!({"strikes_max": 3})).await;
        let (ana, bo) = (house.stranger("Ana").await, house.member("Bo").await);
        let types = format!("/v1/studios/{}/pass-types", house.studio.id);
        let kind = json!({"name": {"en": "Thirty days"}, "kind": "pack", "credits": 3, "valid_days": 30, "valid_from": "first_attended"});
        let kind = house.post_to(types).by(&house.studio.admin).json(&kind).await.expect(201);
        let sale = format!("/v1/studios/{}/members/{}/passes", house.studio.id, ana.id);
        let sale = house.post_to(sale).by(&house.studio.desk).header("Idempotency-Key", house.new_id());
        let pass = sale.json(&json!({"pass_type_id": kind["id"]})).await.expect(201);
        assert_eq!(pass["begun_on"], Value::Null);
        let (_, booked) = house.evening(5, &[&ana, &bo]).await;
        house.it_is("2026-12-03 21:25");
        house.sweep().await;
        house.sweep().await;
        for person in [&house.studio.instructor, &house.studio.admin] {
            assert_eq!(house.kinds_to(person).await, ["attendance_missing"], "{}", person.name);
        }
        let text = house.letters_to(&house.studio.admin).await[0].body_text.clone().unwrap();
        assert!(text.contains("Not marked: 2") && text.contains("Sat 5 Dec, 19:25"), "{text}");
        house.it_is("2026-12-05 19:24");
        house.sweep().await;
        assert_eq!(house.status_now(&booked[0]).await, "booked");
        house.it_is("2026-12-05 19:25");
        house.sweep().await;
        house.sweep().await;
        for booking in &booked {
            let now = house.now(booking).await;
            assert_eq!((&now["status"], &now["unrecorded"], &now["arrived_at"]), (&json!("attended"), &json!(true), &Value::Null));
        }
        let passes = house.get("/v1/me/passes").by(&ana).await.expect(200);
        assert_eq!(passes["passes"][0]["begun_on"], "2026-12-03");
        assert_eq!((house.penalties_of(&ana).await, house.penalties_of(&bo).await), (0, 0));
        let path = format!("/v1/studios/{}/reports/attendance?from=2026-12-03&to=2026-12-04", house.studio.id);
        let report = house.get(path).by(&house.studio.admin).await.expect(200);
        assert_eq!((&report["totals"]["attended"], &report["totals"]["unrecorded"]), (&json!(2), &json!(2)));
    }

    /// A process that was away for three days makes up for it, and nobody is asked what is too late to answer.
    async fn what_fell_due_in_between_is_made_up_for(house: House) {
        let ana = house.member("Ana").await;
        let (_, booked) = house.evening(5, &[&ana]).await;
        house.it_is("2026-12-07 10:00");
        house.sweep().await;
        assert_eq!(house.now(&booked[0]).await["unrecorded"], true);
        assert_eq!(house.kinds_to(&house.studio.admin).await, Vec::<String>::new());
    }

    async fn a_first_mark_leaves_two_hours_for_the_others(house: House) {
        let (ana, bo, cleo) = (house.member("Ana").await, house.member("Bo").await, house.member("Cleo").await);
        let (_, booked) = house.evening(5, &[&ana, &bo, &cleo]).await;
        house.it_is("2026-12-03 21:25");
        house.sweep().await;
        house.it_is("2026-12-03 22:00");
        house.tick(&booked[1]).await.expect(200);
        house.it_is("2026-12-03 23:30");
        house.tick(&booked[2]).await.expect(200);
        house.it_is("2026-12-03 23:59");
        house.sweep().await;
        assert_eq!(house.status_now(&booked[0]).await, "booked");
        house.it_is("2026-12-04 00:00");
        house.sweep().await;
        assert_eq!(house.status_now(&booked[0]).await, "no_show");
    }

    async fn a_first_mark_of_the_last_minute_makes_nobody_absent(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let (_, booked) = house.evening(5, &[&ana, &bo]).await;
        house.it_is("2026-12-05 19:24");
        house.sweep().await;
        house.tick(&booked[1]).await.expect(200);
        house.it_is("2026-12-05 19:25");
        house.sweep().await;
        assert_eq!((&house.now(&booked[0]).await["unrecorded"], &house.now(&booked[1]).await["unrecorded"]), (&json!(true), &json!(false)));
    }

    async fn an_absence_is_corrected_with_all_that_it_cost(house: House) {
        house.rules(json!({"strikes_max": 1, "no_show_fee_minor": 5000, "fee_currency": "CNY"})).await;
        let (ana, bo, cleo) = (house.stranger("Ana").await, house.member("Bo").await, house.member("Cleo").await);
        house.membership(&ana, None).await;
        let (_, booked) = house.evening(5, &[&ana, &bo, &cleo]).await;
        let (soon, far) = (house.session("2026-12-08 18:30", 1).await, house.session("2026-12-09 18:30", 1).await);
        let taken = house.book(&bo, &soon).await.expect_booked();
        house.it_is("2026-12-03 18:30");
        house.tick(&booked[1]).await.expect(200);
        house.it_is("2026-12-03 21:25");
        house.sweep().await;
        assert!(house.kinds_to(&ana).await.contains(&"suspended".to_owned()), "a strike suspends");
        house.book(&ana, &far).await.expect_refused(409, "suspended");
        house.cancel(&taken).await.expect(200);
        house.it_is("2026-12-05 19:24");
        let came = house.tick(&booked[0]).await.expect(200);
        assert_eq!((&came["status"], &came["penalty"]), (&json!("attended"), &Value::Null));
        assert_eq!(house.tick(&booked[0]).await.expect(200)["status"], "attended", "repeated, it is so already");
        assert_eq!((house.strikes_of(&ana).await, house.penalties_of(&ana).await), (0, 1));
        let standing = house.get("/v1/me/standing").by(&ana).await.expect(200);
        let standing = &standing["studios"][0];
        assert_eq!((&standing["suspended"], &standing["fees_open"]), (&Value::Null, &json!([])));
        let letters = house.letters_to(&ana).await;
        let text = letters.iter().rfind(|letter| letter.kind == "penalty_waived").and_then(|letter| letter.body_text.clone()).unwrap();
        assert!(text.contains("after all") && text.contains("You do not owe the fee of CNY 50.00"), "{text}");
        assert!(house.kinds_to(&ana).await.contains(&"suspension_lifted".to_owned()));
        house.book(&ana, &far).await.expect_booked();
        // The visit was theirs, and stays.
        assert_eq!(house.count("SELECT COUNT(*) FROM bookings WHERE person_id = $1 AND visit_week IS NOT NULL AND status = 'attended'", ana.id).await, 1);
        house.it_is("2026-12-05 19:26");
        house.tick(&booked[2]).await.expect_refused(409, "not-check-in-time");
        assert_eq!(house.status_now(&booked[2]).await, "no_show");
    }

    async fn a_mark_taken_back_afterwards_is_an_absence_after_a_time(house: House) {
        house.rules(json!({"strikes_max": 5})).await;
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let (_, booked) = house.evening(5, &[&ana, &bo]).await;
        house.it_is("2026-12-03 18:30");
        for booking in &booked {
            house.tick(booking).await.expect(200);
        }
        house.it_is("2026-12-03 21:25");
        house.sweep().await;
        house.it_is("2026-12-03 22:00");
        let undone = house.untick(&booked[0]).await.expect(200);
        assert_eq!((&undone["status"], &undone["provisional"]), (&json!("booked"), &json!(true)));
        house.it_is("2026-12-03 23:59");
        house.sweep().await;
        assert_eq!(house.status_now(&booked[0]).await, "booked");
        house.it_is("2026-12-04 00:00");
        house.sweep().await;
        assert_eq!(house.status_now(&booked[0]).await, "no_show");
        assert_eq!(house.untick(&booked[0]).await.expect(200)["status"], "no_show", "there is no mark to take back");
        // To and fro: each absence has a penalty of its own, and one at most counts.
        house.tick(&booked[0]).await.expect(200);
        assert_eq!(house.strikes_of(&ana).await, 0);
        house.it_is("2026-12-05 19:00");
        house.untick(&booked[0]).await.expect(200);
        house.sweep().await;
        assert_eq!(house.status_now(&booked[0]).await, "no_show", "too late to leave two hours");
        assert_eq!((house.strikes_of(&ana).await, house.penalties_of(&ana).await), (1, 2));
        assert_eq!(house.now(&booked[0]).await["penalty"]["waived_at"], Value::Null);
    }

    async fn what_an_admin_took_back_stays_taken_back(house: House) {
        house.rules(json!({"strikes_max": 5})).await;
        let (ana, bo) = (house.stranger("Ana").await, house.member("Bo").await);
        let pack = house.pack(&ana, 5).await;
        let (_, booked) = house.evening(5, &[&ana, &bo]).await;
        house.it_is("2026-12-03 18:30");
        house.tick(&booked[1]).await.expect(200);
        house.it_is("2026-12-03 21:25");
        house.sweep().await;
        let penalty = house.now(&booked[0]).await["penalty"]["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/studios/{}/penalties/{penalty}/waiver", house.studio.id);
        house.put(path).by(&house.studio.admin).json(&json!({"reason": "They were ill"})).await.expect(200);
        assert_eq!(house.balance(&pack).await, 5);
        house.tick(&booked[0]).await.expect(200);
        house.untick(&booked[0]).await.expect(200);
        house.it_is("2026-12-03 23:25");
        house.sweep().await;
        assert_eq!((house.status_now(&booked[0]).await, house.strikes_of(&ana).await, house.penalties_of(&ana).await), ("no_show".into(), 0, 1));
    }

    /// All orders of corrections and waivers, on days that become days without penalties meanwhile.
    async fn however_often_it_is_corrected_the_last_word_counts(house: House) {
        last_word_counts(&house, [false, true, false, true], true).await;
    }

    async fn however_often_a_forgiven_absence_is_corrected_the_last_word_counts(house: House) {
        last_word_counts(&house, [true, false, true, false], true).await;
    }

    async fn however_often_it_is_corrected_a_visit_counts_by_the_last_word(house: House) {
        last_word_counts(&house, [true, false, true, false], false).await;
    }

    async fn two_at_the_door_and_one_place(house: House) {
        house.rules(json!({"strikes_max": 5})).await;
        let [ana, bo, cleo] = [house.member("Ana").await, house.stranger("Bo").await, house.member("Cleo").await];
        let pack = house.pack(&bo, 5).await;
        let (evening, booked) = house.evening(1, &[&ana]).await;
        house.it_is("2026-12-03 17:29");
        let early = house.at_the_door(&bo, &evening).await.expect_refused(409, "not-door-time");
        assert_eq!(early["from"], "2026-12-03T09:30:00.000000Z");
        house.it_is("2026-12-03 18:00");
        house.book(&bo, &evening).saying("standby", json!(true)).await.expect_refused(403, "not-allowed");
        house.book(&ana, &evening).sent_by(&house.studio.desk).saying("standby", json!(true)).await.expect_refused(409, "already-booked");
        let both = house.book(&bo, &evening).sent_by(&house.studio.desk).or_wait().saying("standby", json!(true)).await;
        both.expect_refused(422, "invalid-fields").naming("standby");
        let free = house.plan("2026-12-03 18:45", 3).taught_by(&house.colleague("Mei").await).followed_up().await;
        house.at_the_door(&bo, &free).await.expect_refused(409, "place-free");
        let id = house.new_id();
        let entered = || house.book(&bo, &evening).id(id).sent_by(&house.studio.desk).saying("standby", json!(true));
        let first = entered().await.expect_made().reply;
        assert_eq!((&first["status"], &first["credits"], &first["pass_id"]), (&json!("standby"), &json!(0), &Value::Null));
        entered().await.expect_repeated();
        house.book(&bo, &evening).id(id).sent_by(&house.studio.desk).await.expect_refused(409, "booking-id-reused");
        house.it_is("2026-12-03 18:10");
        let second = house.at_the_door(&cleo, &evening).await.expect(201);
        let roster = house.roster(&evening).await;
        let names: Vec<_> = roster["standby"].as_array().unwrap().iter().map(|one| one["person"]["name"].as_str().unwrap()).collect();
        assert_eq!((names, roster["booked"].as_array().unwrap().len()), (vec!["Bo", "Cleo"], 1));
        let own = house.get("/v1/me/bookings").by(&bo).await.expect(200);
        assert_eq!(own["bookings"][0]["status"], "standby");
        house.it_is("2026-12-03 18:29");
        house.open_door(&evening, None).await.expect_refused(409, "not-door-time");
        house.it_is("2026-12-03 18:30");
        let path = format!("/v1/sessions/{}/door-release", evening.id);
        house.put(&path).by(&bo).json(&json!({})).await.expect_refused(403, "not-allowed");
        let looked = house.put(format!("{path}?dry_run=true")).by(&house.studio.desk).json(&json!({})).await.expect(200);
        assert_eq!((&looked["outcome"], looked["bookings"].as_array().unwrap().len()), (&json!("preview"), 2));
        assert_eq!(house.balance(&pack).await, 5);
        let done = house.open_door(&evening, None).await.expect(200);
        assert_eq!((&done["outcome"], done["standby"].as_array().unwrap().len()), (&json!("done"), 1));
        let absent = house.now(&booked[0]).await;
        assert_eq!((&absent["status"], &absent["provisional"], &absent["released"]), (&json!("no_show"), &json!(true), &json!(true)));
        let let_in = house.get(format!("/v1/bookings/{id}")).by(&bo).await.expect(200);
        assert_eq!((&let_in["status"], &let_in["credits"], &let_in["free_cancel_until"]), (&json!("attended"), &json!(1), &Value::Null));
        assert_eq!(house.balance(&pack).await, 4);
        house.audit_is_clean().await;
        house.open_door(&evening, None).await.expect(200);
        assert_eq!(house.balance(&pack).await, 4, "sent again, it takes nothing twice");
        let full = house.tick(&booked[0]).await.expect_refused(409, "session-full");
        assert_eq!(full["waitlist"]["open"], false);
        house.it_is("2026-12-03 19:25");
        house.open_door(&evening, None).await.expect_refused(409, "booking-closed");
        house.sweep().await;
        let left = house.get(format!("/v1/bookings/{}", second.id())).by(&cleo).await.expect(200);
        assert_eq!((&left["status"], &left["ended_by"]), (&json!("cancelled"), &json!("waitlist_closed")));
        house.it_is("2026-12-03 21:25");
        house.sweep().await;
        let absent = house.now(&booked[0]).await;
        assert_eq!((&absent["status"], &absent["provisional"], &absent["penalty"]["strike"]), (&json!("no_show"), &json!(false), &json!(true)));
        let path = format!("/v1/studios/{}/reports/attendance?from=2026-12-03&to=2026-12-04", house.studio.id);
        let report = house.get(path).by(&house.studio.admin).await.expect(200);
        let row = &report["sessions"][0];
        assert_eq!((&row["booked"], &row["no_show"], &row["fill"], &row["waitlisted"]), (&json!(1), &json!(1), &json!(1.0), &json!(1)));
    }

    async fn who_was_released_is_let_in_if_a_place_is_left(house: House) {
        let [ana, bo, cleo] = [house.member("Ana").await, house.member("Bo").await, house.member("Cleo").await];
        let (evening, booked) = house.evening(2, &[&ana, &bo]).await;
        let other = house.book(&cleo, &house.plan("2026-12-04 18:30", 3).await).await.expect_booked();
        house.it_is("2026-12-03 18:20");
        house.at_the_door(&cleo, &evening).await.expect(201);
        house.it_is("2026-12-03 18:30");
        house.open_door(&evening, Some(&[&other])).await.expect_refused(422, "invalid-fields").naming("booking_ids");
        house.open_door(&evening, Some(&[])).await.expect(200);
        assert_eq!(house.roster(&evening).await["standby"].as_array().unwrap().len(), 1, "none was named");
        // Without a name it would have been the last to book: Bo.
        house.open_door(&evening, Some(&[&booked[0]])).await.expect(200);
        assert_eq!((house.status_now(&booked[0]).await, house.status_now(&booked[1]).await), ("no_show".into(), "booked".into()));
        house.tick(&booked[0]).await.expect_refused(409, "session-full");
        house.patch_session(&evening, 1, &json!({"capacity": 3})).await.expect(200);
        let came = house.tick(&booked[0]).await.expect(200);
        assert_eq!((&came["status"], &came["released"], &came["provisional"]), (&json!("attended"), &json!(false), &json!(false)));
        house.it_is("2026-12-03 21:25");
        house.sweep().await;
        assert_eq!(house.status_now(&booked[1]).await, "no_show");
        assert_eq!(house.penalties_of(&ana).await, 0);
    }

    async fn who_was_released_and_is_elsewhere_by_now_is_not_let_in(house: House) {
        let [ana, bo, cleo] = [house.member("Ana").await, house.member("Bo").await, house.member("Cleo").await];
        let (evening, booked) = house.evening(2, &[&ana, &bo]).await;
        let late = house.plan("2026-12-03 18:45", 3).taught_by(&house.colleague("Mei").await).await;
        house.it_is("2026-12-03 18:20");
        house.at_the_door(&cleo, &evening).await.expect(201);
        house.it_is("2026-12-03 18:31");
        house.open_door(&evening, Some(&[&booked[0]])).await.expect(200);
        // Their place is another's: they may be in the class that begins a little later, and then not in this one too.
        let there = house.book(&ana, &late).await.expect_booked();
        house.patch_session(&evening, 1, &json!({"capacity": 3})).await.expect(200);
        let refused = house.tick(&booked[0]).await.expect_refused(409, "overlapping-booking");
        assert_eq!(refused["booking_id"], json!(there.id));
        assert_eq!(house.status_now(&booked[0]).await, "no_show");
        house.audit_is_clean().await;
    }

    async fn who_cannot_pay_is_passed_over_at_the_door(house: House) {
        let [ana, bo, cleo] = [house.member("Ana").await, house.stranger("Bo").await, house.stranger("Cleo").await];
        let (evening, booked) = house.evening(1, &[&ana]).await;
        house.it_is("2026-12-03 18:20");
        house.at_the_door(&bo, &evening).await.expect(201);
        house.it_is("2026-12-03 18:30");
        house.open_door(&evening, None).await.expect(200);
        let roster = house.roster(&evening).await;
        assert_eq!((&roster["standby"][0]["reason"], &roster["booked"][0]["status"]), (&json!("no_pass"), &json!("booked")), "nobody lost a place for it");
        let free = |staff: &Person| {
            let tap = house.book(&cleo, &evening).sent_by(staff).saying("standby", json!(true));
            tap.saying("unpaid", json!(true)).saying("reason", json!("a guest of ours"))
        };
        free(&house.studio.instructor).await.expect_refused(403, "not-allowed");
        free(&house.studio.desk).await.expect_made();
        house.open_door(&evening, None).await.expect(200);
        let roster = house.roster(&evening).await;
        assert_eq!(roster["standby"].as_array().unwrap().len(), 1);
        assert_eq!(house.status_now(&booked[0]).await, "no_show");
        assert_eq!(house.kinds_to(&bo).await, Vec::<String>::new(), "they are told at the door");
    }

    async fn what_the_studio_cancels_in_the_middle_costs_nobody_anything(house: House) {
        house.rules(json!({"strikes_max": 5})).await;
        let [ana, bo, cleo] = [house.stranger("Ana").await, house.stranger("Bo").await, house.member("Cleo").await];
        let packs = [house.pack(&ana, 5).await, house.pack(&bo, 5).await];
        let (evening, _) = house.evening(1, &[&ana]).await;
        house.it_is("2026-12-03 18:20");
        house.at_the_door(&bo, &evening).await.expect(201);
        house.at_the_door(&cleo, &evening).await.expect(201);
        house.it_is("2026-12-03 18:30");
        house.open_door(&evening, None).await.expect(200);
        house.it_is("2026-12-03 18:50");
        house.cancel_session(&evening, &json!({"reason": "premises"})).await.expect(200);
        for pack in &packs {
            assert_eq!(house.balance(pack).await, 5);
        }
        house.it_is("2026-12-05 20:00");
        house.sweep().await;
        assert_eq!((house.penalties_of(&ana).await, house.strikes_of(&ana).await), (0, 0));
    }

    /// What was over before attendance was followed up stays as it is.
    async fn nothing_reaches_back(house: House) {
        let ana = house.member("Ana").await;
        let before = house.session("2026-12-03 18:30", 5).await;
        let booking = house.book(&ana, &before).await.expect_booked();
        house.it_is("2026-12-04 18:30");
        house.tick(&booking).await.expect(200);
        house.untick(&booking).await.expect(200);
        house.it_is("2026-12-07 18:30");
        house.sweep().await;
        let now = house.now(&booking).await;
        assert_eq!((&now["status"], &now["provisional"]), (&json!("booked"), &json!(false)));
    }
}

/// What staff do about somebody, one after the other.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Came,
    Absent,
    Waived,
}

const STEPS: usize = 3;

/// What must be so after each step: told by the words of docs/product.md alone.
#[derive(Clone, Copy, Debug)]
struct Word {
    came: bool,
    waived: bool,
    paid: bool,
    strike: bool,
}

impl Word {
    /// They are absent for good; `snow`: the day is one without penalties by then.
    const fn absent(waived: bool, snow: bool) -> Self {
        Self { came: false, waived, paid: !snow && !waived, strike: !snow && !waived }
    }

    const fn after(self, step: Step, snow: bool) -> Self {
        match step {
            // The class costs what it costs; what an admin gave back stays given back.
            Step::Came if !self.came => Self { came: true, paid: !self.waived, strike: false, ..self },
            Step::Absent if self.came => Self::absent(self.waived, snow),
            Step::Waived if !self.came => Self::absent(true, snow),
            _ => self,
        }
    }
}

/// Everybody is absent at first; then each order of steps is gone through by somebody.
async fn last_word_counts(house: &House, snow: [bool; STEPS + 1], packs: bool) {
    let rules = |snow: bool| {
        let days: &[&str] = if snow { &["2026-12-03"] } else { &[] };
        json!({"strikes_max": 500, "penalty_free_days": days, "bookings_ahead_max": 1_000})
    };
    house.rules(rules(false)).await;
    let evening = house.plan("2026-12-03 08:30", 100).followed_up().await;
    let there = house.member("There").await;
    let kept = house.book(&there, &evening).await.expect_booked();
    let all = [Step::Came, Step::Absent, Step::Waived];
    let mut people = Vec::new();
    for order in 0..all.len().pow(u32::try_from(STEPS).unwrap()) {
        let steps: Vec<Step> = (0..STEPS).map(|n| all[order / all.len().pow(u32::try_from(n).unwrap()) % all.len()]).collect();
        let person = house.stranger(&format!("Order {order}")).await;
        let pack = if packs { Some(house.pack(&person, 3).await) } else { None };
        if pack.is_none() {
            house.membership(&person, Some(1)).await;
        }
        let booking = house.book(&person, &evening).await.expect_booked();
        people.push((steps, person, pack, booking));
    }
    house.it_is("2026-12-03 08:30");
    house.tick(&kept).await.expect(200);
    let mut words = vec![Word::absent(false, snow[0]); people.len()];
    for round in 0..=STEPS {
        house.rules(rules(snow[round])).await;
        house.it_is(&format!("2026-12-03 {:02}:30", 9 + 3 * round));
        if round > 0 {
            for (word, (steps, _, _, booking)) in words.iter_mut().zip(&people) {
                let step = steps[round - 1];
                match step {
                    Step::Came => drop(house.tick(booking).await.expect(200)),
                    Step::Absent => drop(house.untick(booking).await.expect(200)),
                    Step::Waived => {
                        if let Some(penalty) = house.now(booking).await["penalty"]["id"].as_str() {
                            let path = format!("/v1/studios/{}/penalties/{penalty}/waiver", house.studio.id);
                            house.put(path).by(&house.studio.admin).json(&json!({"reason": "They were ill"})).await.expect(200);
                        }
                    }
                }
                *word = word.after(step, snow[round]);
            }
        }
        house.advance(chrono::TimeDelta::minutes(150));
        house.sweep().await;
        for (word, (steps, person, pack, booking)) in words.iter().zip(&people) {
            let sql = "SELECT COUNT(*) FROM penalties WHERE person_id = $1 AND strike AND waived_at IS NULL";
            let strikes = house.count(sql, person.id).await;
            let sql = "SELECT COUNT(*) FROM bookings WHERE id = $1 AND (credits > 0 OR visit_week IS NOT NULL)";
            let (status, paid) = (house.status_now(booking).await, house.count(sql, booking.id).await);
            let is = (status.as_str(), paid, strikes);
            let must = (if word.came { "attended" } else { "no_show" }, i64::from(word.paid), i64::from(word.strike));
            assert_eq!(is, must, "round {round} of {steps:?}, {snow:?}");
            if let Some(pack) = pack {
                assert_eq!(house.balance(pack).await, 3 - i64::from(word.paid), "round {round} of {steps:?}, {snow:?}");
            }
        }
    }
    house.audit_is_clean().await;
}
