//! Guests: a member brings somebody, in a place of their own beside the member's.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::house::House;
use crate::seed::{Person, Session};
use crate::speech::{Letter, Tap};

impl House {
    /// The member taps "bring somebody".
    fn bring(&self, person: &Person, session: &Session, guest: Value) -> Tap {
        self.book(person, session).saying("guest", guest)
    }

    /// The letters to an address that is nobody's, after those that were due have left.
    async fn letters_at(&self, address: &str) -> Vec<Letter> {
        self.post().await;
        let sql = "SELECT id, kind, state, booking_id, subject, body_text FROM letters WHERE to_email = $1 ORDER BY created_at, nth";
        self.db.all(sql, (address.to_owned(),)).await.unwrap()
    }

    async fn kinds_at(&self, address: &str) -> Vec<String> {
        self.letters_at(address).await.into_iter().map(|letter| letter.kind).collect()
    }
}

fn mum() -> Value {
    json!({"name": "Mum Ruiz", "email": "mum@example.test"})
}

both_engines! {
    async fn a_member_brings_a_guest(house: House) {
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 5).await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        let own = house.book(&ana, &evening).await.expect_booked();
        let guests = house.bring(&ana, &evening, mum()).await.expect_made().expect_booked();
        assert_eq!(guests.body["person_id"], json!(ana.id));
        assert_eq!(guests.body["guest"], mum());
        assert_eq!((&guests.body["guest_of"], &guests.body["credits"]), (&json!(own.id), &json!(1)));
        assert_eq!(guests.body["session"]["booked"], 2);
        assert_eq!((own.body["guest"].clone(), own.body["guest_of"].clone()), (json!(null), json!(null)));
        assert_eq!(house.balance(&pack).await, 3);
        // The member's own place is still what the session shows them.
        let shown = house.get(format!("/v1/sessions/{}", evening.id)).by(&ana).await.expect(200);
        assert_eq!(shown["me"]["booking_id"], json!(own.id));
        let mine = house.get("/v1/me/bookings").by(&ana).await.expect(200);
        assert_eq!(mine["bookings"].as_array().unwrap().len(), 2);
        // Staff read at the door who comes with whom.
        let roster = house.roster(&evening).await;
        let entries = roster["booked"].as_array().unwrap();
        let entry = |id| entries.iter().find(|entry| entry["booking_id"] == json!(id)).unwrap();
        assert_eq!(entry(guests.id)["guest"], json!({"name": "Mum Ruiz", "guest_of": own.id}));
        assert_eq!((&entry(guests.id)["person"]["name"], &entry(own.id)["guest"]), (&json!("Ana"), &json!(null)));

        // The member reads of both; the guest of the class, and nothing that the member wrote.
        let told = house.letters_to(&ana).await;
        assert_eq!(told.iter().map(|letter| letter.kind.as_str()).collect::<Vec<_>>(), ["booked", "booked"]);
        let of_mum = told.iter().filter(|letter| letter.body_text.as_ref().unwrap().contains("For: Mum Ruiz")).count();
        assert_eq!(of_mum, 1, "{told:?}");
        let to_mum = house.letters_at("mum@example.test").await;
        assert_eq!(to_mum.len(), 1);
        let text = to_mum[0].body_text.clone().unwrap();
        assert_eq!((to_mum[0].kind.as_str(), to_mum[0].state.as_str()), ("guest_booked", "sent"));
        assert!(text.contains("Barre Sculpt") && text.contains("as their guest"), "{text}");
        for words in ["Mum", "Ruiz", "Ana", "1 Nanjing Road"] {
            assert!(!text.contains(words), "{words}: {text}");
        }
    }

    async fn the_same_tap_again_brings_the_same_guest(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        house.book(&ana, &evening).await.expect_booked();
        let guests = house.bring(&ana, &evening, mum()).await.expect_made().expect_booked();
        house.bring(&ana, &evening, mum()).id(guests.id).await.expect_repeated();
        for other in [json!({"name": "Dad"}), json!({"name": "Mum Ruiz"}), json!(null)] {
            house.bring(&ana, &evening, other).id(guests.id).await.expect_refused(409, "booking-id-reused");
        }
        assert_eq!(house.kinds_at("mum@example.test").await, ["guest_booked"]);
    }

    async fn a_guest_needs_a_host_with_a_place(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-12-03 18:30", 1).await;
        house.bring(&ana, &evening, mum()).await.expect_refused(409, "host-not-booked");
        house.book(&bo, &evening).await.expect_booked();
        house.book(&ana, &evening).or_wait().await.expect_waitlisted(1);
        house.bring(&ana, &evening, mum()).await.expect_refused(409, "host-not-booked");
        house.bring(&bo, &evening, mum()).await.expect_refused(409, "session-full");
        assert_eq!(house.kinds_at("mum@example.test").await, [""; 0]);
    }

    async fn what_makes_no_sense_is_refused(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        let own = house.book(&ana, &evening).await.expect_booked();
        for (name, value) in [("waitlist", json!(true)), ("replaces", json!(own.id)), ("conditions", json!({"one_a_day": true}))] {
            house.bring(&ana, &evening, mum()).saying(name, value).await.expect_refused(422, "invalid-fields").naming("guest");
        }
        house.bring(&ana, &evening, json!({"name": ""})).await.reply.expect_client_error();
        house.bring(&ana, &evening, json!({"name": "Mum", "email": "nowhere"})).await.reply.expect_client_error();
        house.bring(&ana, &evening, json!({"email": "mum@example.test"})).await.reply.expect_client_error();
        assert_eq!(house.roster(&evening).await["booked"].as_array().unwrap().len(), 1);
    }

    async fn as_many_guests_as_the_house_allows(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        house.book(&ana, &evening).await.expect_booked();
        house.bring(&ana, &evening, mum()).await.expect_booked();
        let refusal = house.bring(&ana, &evening, json!({"name": "Dad"})).await.expect_refused(409, "too-many-guests");
        assert_eq!(refusal["max"], 1);
        house.bring(&ana, &evening, json!({"name": "Dad"})).sent_by(&house.studio.desk).await.expect_booked();
        house.rules(json!({"guests_max": 0})).await;
        let morning = house.session("2026-12-04 08:30", 12).await;
        house.book(&ana, &morning).await.expect_booked();
        assert_eq!(house.bring(&ana, &morning, mum()).await.expect_refused(409, "too-many-guests")["max"], 0);
    }

    async fn a_guest_and_a_stranger_want_the_last_place(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-12-03 18:30", 2).await;
        house.book(&ana, &evening).await.expect_booked();
        let guest = async { house.bring(&ana, &evening, mum()).await };
        let stranger = async { house.book(&bo, &evening).await };
        let (guest, stranger) = tokio::join!(guest, stranger);
        let mut statuses = [guest.reply.status, stranger.reply.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409]);
    }

    async fn the_host_goes_last(house: House) {
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 5).await;
        let bo = house.member("Bo").await;
        let evening = house.session("2026-12-03 18:30", 2).await;
        let other = house.session("2026-12-04 18:30", 2).await;
        let own = house.book(&ana, &evening).await.expect_booked();
        let guests = house.bring(&ana, &evening, mum()).await.expect_booked();
        let waiting = house.book(&bo, &evening).or_wait().await.expect_waitlisted(1);
        let refusal = house.cancel(&own).await.expect_refused(409, "guests-booked");
        assert_eq!(refusal["booking_ids"], json!([guests.id]));
        // Nor can either place be exchanged over the guest's head.
        house.book(&ana, &other).saying("replaces", json!(own.id)).await.expect_refused(409, "guests-booked");
        house.book(&ana, &other).saying("replaces", json!(guests.id)).await.expect_refused(404, "not-found");
        assert_eq!(house.balance(&pack).await, 3);
        let ended = house.cancel(&guests).await.expect(200);
        assert_eq!((&ended["status"], &ended["credits_returned"]), (&json!("cancelled"), &json!(1)));
        // The guest's place goes to who waits, as any other.
        assert_eq!(house.now(&waiting).await["status"], "booked");
        house.cancel(&own).await.expect(200);
        assert_eq!(house.balance(&pack).await, 5);
        assert_eq!(house.kinds_at("mum@example.test").await, ["guest_booked", "guest_cancelled"]);
    }

    async fn a_late_cancellation_of_a_guest_costs_what_was_said(house: House) {
        house.rules(json!({"late_cancels_forgiven": 0})).await;
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 5).await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        house.book(&ana, &evening).await.expect_booked();
        let guests = house.bring(&ana, &evening, mum()).await.expect_booked();
        house.it_is("2026-12-03 12:00");
        assert_eq!(house.now(&guests).await["cancel_now"]["credits_lost"], 1);
        assert_eq!(house.cancel(&guests).await.expect(200)["status"], "late_cancelled");
        assert_eq!(house.balance(&pack).await, 3);
    }

    async fn what_the_studio_cancels_comes_back_for_both(house: House) {
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 2).await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        house.book(&ana, &evening).await.expect_booked();
        house.bring(&ana, &evening, mum()).await.expect_booked();
        assert_eq!(house.balance(&pack).await, 0);
        house.post().await;
        house.cancel_session(&evening, &json!({"reason": "illness", "note": "Lin has a fever"})).await.expect(200);
        assert_eq!(house.balance(&pack).await, 2);
        let to_mum = house.letters_at("mum@example.test").await;
        assert_eq!(to_mum.last().unwrap().kind, "guest_cancelled");
        assert!(!to_mum.last().unwrap().body_text.as_ref().unwrap().contains("fever"));
    }

    async fn a_guest_is_told_of_a_change(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        house.book(&ana, &evening).await.expect_booked();
        house.bring(&ana, &evening, mum()).await.expect_booked();
        house.post().await;
        house.patch_session(&evening, 1, &json!({"local_start": "2026-12-03T19:30"})).await.expect(200);
        let to_mum = house.letters_at("mum@example.test").await;
        assert_eq!(to_mum.len(), 2);
        assert!(to_mum[1].subject.as_ref().unwrap().contains("has changed"), "{to_mum:?}");
    }

    async fn with_fewer_places_the_guest_gives_way_and_does_not_wait(house: House) {
        let ana = house.stranger("Ana").await;
        let pack = house.pack(&ana, 5).await;
        let bo = house.member("Bo").await;
        let evening = house.session("2026-12-03 18:30", 3).await;
        let own = house.book(&ana, &evening).await.expect_booked();
        house.advance(TimeDelta::minutes(1));
        let guests = house.bring(&ana, &evening, mum()).await.expect_booked();
        house.advance(TimeDelta::minutes(1));
        let last = house.book(&bo, &evening).await.expect_booked();
        house.patch_session(&evening, 1, &json!({"capacity": 1, "release": true})).await.expect(200);
        assert_eq!(house.now(&own).await["status"], "booked");
        let ended = house.now(&guests).await;
        assert_eq!((&ended["status"], &ended["ended_by"], &ended["credits_returned"]), (&json!("cancelled"), &json!("studio"), &json!(1)));
        assert_eq!((house.now(&last).await["status"].clone(), house.now(&last).await["waitlist_position"].clone()), (json!("waitlisted"), json!(1)));
        assert_eq!(house.balance(&pack).await, 4);
    }

    async fn staff_book_and_cancel_a_guest(house: House) {
        let (ana, desk) = (house.member("Ana").await, house.studio.desk.clone());
        let evening = house.session("2026-12-03 18:30", 12).await;
        house.book(&ana, &evening).await.expect_booked();
        let guests = house.bring(&ana, &evening, json!({"name": "Mum"})).sent_by(&desk).await.expect_booked();
        // Another member sees nothing of it.
        let bo = house.member("Bo").await;
        house.get(format!("/v1/bookings/{}", guests.id)).by(&bo).await.expect_refused(404, "not-found");
        house.put(format!("/v1/bookings/{}/cancellation", guests.id)).by(&bo).json(&json!({})).await.expect_refused(404, "not-found");
        let ended = house.put(format!("/v1/bookings/{}/cancellation", guests.id)).by(&desk).json(&json!({"reason": "ill"})).await.expect(200);
        assert_eq!(ended["ended_by"], "staff");
    }

    async fn guests_count_for_whether_it_takes_place_and_as_nobodys_first_visit(house: House) {
        let ana = house.member("Ana").await;
        let class = house.studio.class_type;
        house.write(move |tx| Box::pin(async move { tx.run("UPDATE class_types SET minimum = 2 WHERE id = $1", (class,)).await })).await;
        let made = house.schedule_session(&house.studio.admin, "2026-12-03T18:30", json!({})).await.expect(201);
        let evening = Session { id: made.id(), starts_at: house.at("2026-12-03 18:30"), ends_at: house.at("2026-12-03 19:25") };
        house.book(&ana, &evening).await.expect_booked();
        let guests = house.bring(&ana, &evening, mum()).await.expect_booked();
        house.it_is("2026-12-03 15:30");
        house.sweep().await;
        assert_eq!(house.get(format!("/v1/sessions/{}", evening.id)).await.expect(200)["status"], "scheduled");
        house.it_is("2026-12-03 18:20");
        house.put(format!("/v1/bookings/{}/check-in", guests.id)).by(&house.studio.desk).json(&json!({})).await.expect(200);
        let next = house.session("2026-12-05 18:30", 12).await;
        house.book(&ana, &next).await.expect_booked();
        assert_eq!(house.roster(&next).await["booked"][0]["visits"], 0);
    }

    async fn many_addresses_are_not_written_to(house: House) {
        let ana = house.stranger("Ana").await;
        house.pack(&ana, 50).await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        house.book(&ana, &evening).await.expect_booked();
        let mut last = None;
        for n in 0..20 {
            let guests = house.bring(&ana, &evening, json!({"name": "Mum", "email": format!("mum{n}@example.test")})).await.expect_booked();
            house.cancel(&guests).await.expect(200);
            last = Some(guests.id);
        }
        house.bring(&ana, &evening, mum()).await.expect_refused(429, "too-many-requests");
        // What was booked is answered again all the same, and a guest without an address needs no letter.
        house.bring(&ana, &evening, json!({"name": "Mum", "email": "mum19@example.test"})).id(last.unwrap()).await.expect_repeated();
        house.bring(&ana, &evening, json!({"name": "Mum"})).await.expect_booked();
        house.letters_may_stay();
    }

    async fn guests_are_exported_and_go_with_their_host(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-10 18:30", 12).await;
        house.book(&ana, &evening).await.expect_booked();
        let guests = house.bring(&ana, &evening, mum()).await.expect_booked();
        house.post().await;
        let export = house.get("/v1/me/export").by(&ana).await.expect(200);
        assert!(export["bookings"].to_string().contains("Mum Ruiz") && export["bookings"].to_string().contains("mum@example.test"));
        house.ask_deletion(&ana).await.expect(200);
        house.advance(TimeDelta::days(7));
        house.sweep().await;
        let sql = "SELECT COUNT(*) FROM bookings WHERE id = $1 AND status = 'cancelled' AND guest_name IS NULL AND guest_email IS NULL";
        assert_eq!(house.count(sql, guests.id).await, 1);
        // The guest alone is told that they are not expected.
        assert_eq!(house.kinds_at("mum@example.test").await, ["guest_cancelled"]);
        assert_eq!(house.roster(&evening).await["booked"], json!([]));
    }

    async fn who_came_as_a_guest_is_forgotten_in_time(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        house.book(&ana, &evening).await.expect_booked();
        let guests = house.bring(&ana, &evening, mum()).await.expect_booked();
        house.post().await;
        let known = "SELECT COUNT(*) FROM bookings WHERE id = $1 AND guest_name IS NOT NULL";
        let letters = "SELECT COUNT(*) FROM letters WHERE booking_id = $1 AND person_id IS NULL AND to_email IS NOT NULL";
        house.it_is("2027-03-02 12:00");
        releve::sweeps::retention(&house.app).await.unwrap();
        assert_eq!((house.count(known, guests.id).await, house.count(letters, guests.id).await), (1, 1));
        house.it_is("2027-03-05 12:00");
        releve::sweeps::retention(&house.app).await.unwrap();
        assert_eq!((house.count(known, guests.id).await, house.count(letters, guests.id).await), (0, 0));
        // The same tap is still answered.
        house.bring(&ana, &evening, mum()).id(guests.id).await.expect_repeated();
    }

    async fn a_frozen_pass_takes_host_and_guest_along(house: House) {
        let ana = house.stranger("Ana").await;
        let (one, two) = (house.pack(&ana, 1).await, house.pack(&ana, 1).await);
        let evening = house.session("2026-12-03 18:30", 12).await;
        let own = house.book(&ana, &evening).with(&one).await.expect_booked();
        let guests = house.bring(&ana, &evening, mum()).with(&two).await.expect_booked();
        let freeze = json!({"from": "2026-12-03", "until": "2026-12-03", "cancel_bookings": true});
        house.put(format!("/v1/passes/{}/freeze", one.id)).by(&house.studio.desk).json(&freeze).await.expect(200);
        assert_eq!((house.now(&own).await["status"].clone(), house.now(&guests).await["status"].clone()), (json!("cancelled"), json!("cancelled")));
        assert_eq!((house.balance(&one).await, house.balance(&two).await), (1, 1));
    }

    async fn a_guest_who_was_never_told_is_told_nothing(house: House) {
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        house.book(&ana, &evening).await.expect_booked();
        let guests = house.bring(&ana, &evening, mum()).await.expect_booked();
        house.cancel(&guests).await.expect(200);
        let states: Vec<_> = house.letters_at("mum@example.test").await.into_iter().map(|letter| (letter.kind, letter.state)).collect();
        assert_eq!(states, [("guest_booked".into(), "obsolete".into()), ("guest_cancelled".into(), "obsolete".into())]);
        // Who was told of it is told of its end.
        let guests = house.bring(&ana, &evening, json!({"name": "Dad", "email": "dad@example.test"})).await.expect_booked();
        house.post().await;
        house.cancel(&guests).await.expect(200);
        let states: Vec<_> = house.letters_at("dad@example.test").await.into_iter().map(|letter| (letter.kind, letter.state)).collect();
        assert_eq!(states, [("guest_booked".into(), "sent".into()), ("guest_cancelled".into(), "sent".into())]);
    }

    async fn whose_guest_is_there_keeps_their_place(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-12-03 18:30", 3).await;
        let (others, own) = (house.book(&bo, &evening).await.expect_booked(), house.book(&ana, &evening).await.expect_booked());
        let guests = house.bring(&ana, &evening, json!({"name": "Mum"})).await.expect_booked();
        house.it_is("2026-12-03 18:00");
        house.put(format!("/v1/bookings/{}/check-in", guests.id)).by(&house.studio.desk).json(&json!({})).await.expect(200);
        // The last to book would be the first to give way.
        house.patch_session(&evening, 1, &json!({"capacity": 1, "release": true})).await.expect_refused(409, "capacity-too-small");
        house.patch_session(&evening, 1, &json!({"capacity": 2, "release": true})).await.expect(200);
        let status = async |booking| house.now(booking).await["status"].clone();
        assert_eq!((status(&own).await, status(&guests).await, status(&others).await), (json!("booked"), json!("attended"), json!("waitlisted")));
        house.post().await;
    }
}
