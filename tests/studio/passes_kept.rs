//! What becomes of a pass: from when to when it pays, to whom it is sold, what the studio gives, freezes, transfers, refunds, and its end.

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::House;
use crate::seed::{Pass, Person, Session};
use crate::speech::{Booking, Call, Reply};

impl House {
    /// A pack of ten or, as `besides` says, something else that the studio sells.
    pub async fn sells(&self, besides: Value) -> Uuid {
        self.offer_type(besides).await.expect(201).id()
    }

    fn offer_type(&self, besides: Value) -> Call {
        let mut body = json!({"name": {"en": "Gold"}, "kind": "pack", "credits": 10});
        body.as_object_mut().unwrap().extend(besides.as_object().unwrap().clone());
        self.post_to(format!("/v1/studios/{}/pass-types", self.studio.id)).by(&self.studio.admin).json(&body)
    }

    fn sale(&self, pass_type: Uuid, person: &Person, besides: Value) -> Call {
        let mut body = json!({"pass_type_id": pass_type});
        body.as_object_mut().unwrap().extend(besides.as_object().unwrap().clone());
        let path = format!("/v1/studios/{}/members/{}/passes", self.studio.id, person.id);
        self.post_to(path).by(&self.studio.desk).header("Idempotency-Key", self.new_id()).json(&body)
    }

    async fn sold(&self, pass_type: Uuid, person: &Person) -> Pass {
        Pass { id: self.sale(pass_type, person, json!({})).await.expect(201).documented().id() }
    }

    async fn held(&self, person: &Person, pass: &Pass) -> Value {
        let held = self.get("/v1/me/passes").by(person).await.expect(200).documented();
        held["passes"].as_array().unwrap().iter().find(|one| one["id"] == json!(pass.id)).cloned().unwrap()
    }

    fn of_pass(&self, pass: &Pass, what: &str) -> String {
        format!("/v1/passes/{}/{what}", pass.id)
    }

    fn freeze(&self, pass: &Pass, by: &Person, body: Value) -> Call {
        self.put(self.of_pass(pass, "freeze")).by(by).json(&body)
    }

    fn gift(&self, pass: &Pass, key: &str, credits: i64) -> Call {
        let call = self.post_to(self.of_pass(pass, "gifts")).by(&self.studio.admin).header("Idempotency-Key", key);
        call.json(&json!({"credits": credits, "reason": "The heating was off"}))
    }

    fn extend(&self, pass: &Pass, expires_on: &str) -> Call {
        let body = json!({"expires_on": expires_on, "reason": "A broken leg"});
        self.put(self.of_pass(pass, "expiry")).by(&self.studio.admin).json(&body)
    }

    fn refund(&self, pass: &Pass, key: &str, besides: Value) -> Call {
        let mut body = json!({"method": "card", "reason": "Moved away"});
        body.as_object_mut().unwrap().extend(besides.as_object().unwrap().clone());
        self.post_to(self.of_pass(pass, "refunds")).by(&self.studio.admin).header("Idempotency-Key", key).json(&body)
    }

    /// Reason, credits and amount of each line; lines of one instant have no order.
    async fn ledger(&self, person: &Person, pass: &Pass) -> Vec<(String, i64, Value)> {
        let ledger = self.get(self.of_pass(pass, "ledger")).by(person).await.expect(200).documented();
        let line = |line: &Value| {
            let amount = line["amount"]["amount_minor"].clone();
            (line["reason"].as_str().unwrap().to_owned(), line["credits"].as_i64().unwrap(), amount)
        };
        ledger["entries"].as_array().unwrap().iter().map(line).collect()
    }

    async fn comes(&self, booking: &Booking) {
        self.put(format!("/v1/bookings/{}/check-in", booking.id)).by(&self.studio.desk).json(&json!({})).await.expect(200);
    }

    async fn does_not_come(&self, booking: &Booking) {
        self.delete(format!("/v1/bookings/{}/check-in", booking.id)).by(&self.studio.desk).await.expect(200);
    }

    /// Books with this pass, and cancels when it costs the credit.
    async fn loses_a_credit(&self, person: &Person, pass: &Pass, session: &Session) {
        let booking = self.book(person, session).with(pass).await.expect_booked();
        self.clock.set(session.starts_at - TimeDelta::hours(1));
        assert_eq!(self.cancel(&booking).await.expect(200)["status"], "late_cancelled");
    }
}

both_engines! {
    async fn months_keep_their_day(house: House) {
        house.letters_may_stay();
        let ana = house.stranger("Ana").await;
        house.it_is("2027-01-31 23:30");
        for (months, last) in [(1, "2027-02-28"), (2, "2027-03-31"), (13, "2028-02-29")] {
            let of = house.sells(json!({"valid_months": months})).await;
            let sold = house.sale(of, &ana, json!({})).await.expect(201);
            assert_eq!((&sold["expires_on"], &sold["valid_from"], &sold["starts_on"]), (&json!(last), &json!("sale"), &Value::Null));
        }
        // The last day is included, on the studio's calendar, and the first after it is not.
        let month = house.sells(json!({"valid_months": 1})).await;
        let month = house.sold(month, &ana).await;
        let (last, after) = (house.session("2027-02-28 23:00", 5).await, house.session("2027-03-01 00:00", 5).await);
        house.it_is("2027-02-20 10:00");
        house.book(&ana, &last).with(&month).await.expect_booked();
        house.book(&ana, &after).with(&month).await.expect_refused(402, "no-pass");
    }

    async fn bought_in_december_from_january(house: House) {
        let ana = house.stranger("Ana").await;
        let of = house.sells(json!({"valid_days": 30})).await;
        for (first, field) in [("2026-11-29", "starts_on"), ("2027-12-02", "starts_on"), ("tomorrow", "starts_on")] {
            house.sale(of, &ana, json!({"starts_on": first})).await.expect_refused(422, "invalid-fields").naming(field);
        }
        let sold = house.sale(of, &ana, json!({"starts_on": "2027-01-01"})).await.expect(201);
        let pass = Pass { id: sold.id() };
        assert_eq!((&sold["starts_on"], &sold["expires_on"], &sold["state"]), (&json!("2027-01-01"), &json!("2027-01-31"), &json!("active")));
        let (old_year, new_year) = (house.session("2026-12-31 23:00", 5).await, house.session("2027-01-01 00:00", 5).await);
        house.it_is("2026-12-20 12:30");
        house.book(&ana, &old_year).await.expect_refused(402, "no-pass");
        house.book(&ana, &old_year).with(&pass).await.expect_refused(402, "no-pass");
        house.book(&ana, &new_year).await.expect_booked();
        let letters = house.letters_to(&ana).await;
        assert!(letters[0].body_text.as_ref().unwrap().contains("First day: Fri 1 Jan 2027"), "{:?}", letters[0].body_text);
    }

    async fn the_first_class_begins_it(house: House) {
        let ana = house.stranger("Ana").await;
        let of = house.sells(json!({"valid_days": 30, "valid_from": "first_attended", "activate_within_days": 60})).await;
        let pass = house.sold(of, &ana).await;
        let is = |pass: &Value| (pass["begun_on"].clone(), pass["expires_on"].clone());
        assert_eq!(is(&house.held(&ana, &pass).await), (Value::Null, json!("2027-01-29")), "until then the last day on which it can begin");
        let letters = house.letters_to(&ana).await;
        let text = letters[0].body_text.as_ref().unwrap();
        assert!(text.contains("Valid: 30 days from your first class") && text.contains("To begin by: Fri 29 Jan 2027"), "{text}");

        let (one, two) = (house.session("2026-12-03 18:30", 5).await, house.session("2026-12-05 18:30", 5).await);
        let (first, second) = (house.book(&ana, &one).await.expect_booked(), house.book(&ana, &two).await.expect_booked());
        house.it_is("2026-12-03 18:20");
        house.comes(&first).await;
        assert_eq!(is(&house.held(&ana, &pass).await), (json!("2026-12-03"), json!("2027-01-02")));
        house.comes(&first).await;
        house.does_not_come(&first).await;
        assert_eq!(is(&house.held(&ana, &pass).await), (Value::Null, json!("2027-01-29")), "it was the only one");
        house.comes(&first).await;
        house.it_is("2026-12-05 18:20");
        house.comes(&second).await;
        assert_eq!(is(&house.held(&ana, &pass).await), (json!("2026-12-03"), json!("2027-01-02")), "the first begins it");
        house.does_not_come(&first).await;
        assert_eq!(is(&house.held(&ana, &pass).await), (json!("2026-12-05"), json!("2027-01-04")));
        house.audit_is_clean().await;
        house.it_is("2026-12-05 18:40");
        house.cancel_session(&two, &json!({"reason": "premises"})).await.expect(200);
        assert_eq!(is(&house.held(&ana, &pass).await), (Value::Null, json!("2027-01-29")), "the studio cancelled it after all");
        let reasons: Vec<String> = house.ledger(&ana, &pass).await.into_iter().map(|(reason, ..)| reason).collect();
        assert_eq!(reasons.iter().filter(|reason| *reason == "begun").count(), 5, "{reasons:?}");
        // Without a time within which it must begin, it is open.
        let open = house.sells(json!({"valid_months": 1, "valid_from": "first_attended"})).await;
        let open = house.sold(open, &ana).await;
        assert_eq!(is(&house.held(&ana, &open).await), (Value::Null, json!("2199-12-31")));
        house.letters_may_stay();
    }

    async fn pass_types_that_make_no_sense(house: House) {
        let other = house.second_studio().await;
        for (besides, field) in [
            (json!({}), "valid_days"),
            (json!({"valid_days": 30, "valid_months": 1}), "valid_days"),
            (json!({"valid_months": 0}), "valid_months"),
            (json!({"valid_months": 121}), "valid_months"),
            (json!({"valid_days": 30, "valid_from": "tomorrow"}), "valid_from"),
            (json!({"valid_days": 30, "activate_within_days": 30}), "activate_within_days"),
            (json!({"valid_days": 30, "transferable": true, "once_per_person": true}), "transferable"),
            (json!({"valid_days": 30, "transferable": true, "new_members_only": true}), "transferable"),
            (json!({"valid_days": 30, "followed_by": house.new_id()}), "followed_by"),
            (json!({"valid_days": 30, "followed_by": other.pack_type}), "followed_by"),
            (json!({"valid_days": 30, "freeze_days_max": -1}), "freeze_days_max"),
        ] {
            house.offer_type(besides).await.expect_refused(422, "invalid-fields").naming(field);
        }
        let made = house.offer_type(json!({"valid_months": 3, "followed_by": house.studio.pack_type})).await.expect(201).documented();
        let types = format!("/v1/studios/{}/pass-types", house.studio.id);
        let path = format!("{types}/{}", made.id());
        assert_eq!((&made["valid_days"], &made["valid_months"], &made["followed_by"]), (&Value::Null, &json!(3), &json!(house.studio.pack_type)));
        let edit = |version: i64, body: Value| house.patch(&path).by(&house.studio.admin).header("If-Match", version).json(&body);
        let edited = edit(1, json!({"valid_days": 90, "valid_from": "first_attended", "activate_within_days": 30})).await.expect(200).documented();
        assert_eq!((&edited["valid_days"], &edited["valid_months"]), (&json!(90), &Value::Null));
        edit(2, json!({"valid_days": 1, "valid_months": 1})).await.expect_refused(422, "invalid-fields").naming("valid_days");
        edit(2, json!({"valid_from": "sale"})).await.expect_refused(422, "invalid-fields").naming("activate_within_days");
        let edited = edit(2, json!({"followed_by": null, "activate_within_days": null, "valid_from": "sale", "valid_months": 1})).await.expect(200);
        assert_eq!((&edited["valid_days"], &edited["valid_months"], &edited["followed_by"]), (&Value::Null, &json!(1), &Value::Null));
        house.get(&types).await.expect(200).documented();
    }

    async fn an_introduction_is_for_whom_it_is_for(house: House) {
        let (ana, bo, cleo) = (house.stranger("Ana").await, house.stranger("Bo").await, house.stranger("Cleo").await);
        let first = house.sells(json!({"valid_days": 30, "new_members_only": true, "credits": 1})).await;
        let trial = house.sells(json!({"valid_days": 30, "once_per_person": true})).await;
        let refused = async |of, person: &Person| {
            let refused = house.sale(of, person, json!({})).await.expect_refused(409, "pass-not-for-them").documented();
            refused["because"].as_str().unwrap().to_owned()
        };
        let key = house.new_id();
        let path = format!("/v1/studios/{}/members/{}/passes", house.studio.id, ana.id);
        let sale = || house.post_to(&path).by(&house.studio.desk).header("Idempotency-Key", key).json(&json!({"pass_type_id": first}));
        let sold = sale().await.expect(201);
        assert_eq!(sale().await.expect(201).id(), sold.id(), "sent again, it was sold already");
        assert_eq!(refused(first, &ana).await, "new_members_only");
        house.sold(trial, &ana).await;
        assert_eq!(refused(trial, &ana).await, "once_per_person");
        // Bo came to a class that the studio gave away; Cleo was booked and did not come.
        let evening = house.session("2026-12-03 18:30", 5).await;
        let free = |person| house.book(person, &evening).sent_by(&house.studio.desk).saying("unpaid", json!(true)).saying("reason", json!("first"));
        let (came, _) = (free(&bo).await.expect_booked(), free(&cleo).await.expect_booked());
        house.it_is("2026-12-03 18:20");
        house.comes(&came).await;
        assert_eq!(refused(first, &bo).await, "new_members_only");
        house.sold(first, &cleo).await;
        house.does_not_come(&came).await;
        house.sold(first, &bo).await;
        // What is used up stands in nobody's way, and what costs nothing is a pass like any other.
        let next = house.session("2026-12-04 18:30", 5).await;
        house.book(&ana, &next).with(&Pass { id: sold.id() }).await.expect_booked();
        assert_eq!(house.held(&ana, &Pass { id: sold.id() }).await["state"], "used_up");
        let free = house.sells(json!({"valid_days": 30, "price": {"amount_minor": 0, "currency": "CNY"}})).await;
        let paid = json!({"paid": {"amount_minor": 0, "currency": "CNY", "method": "none"}});
        let free = Pass { id: house.sale(free, &ana, paid).await.expect(201).id() };
        let later = house.session("2026-12-05 18:30", 5).await;
        house.book(&ana, &later).with(&free).await.expect_booked();
        let worth = house.get(house.of_pass(&free, "refund")).by(&ana).await.expect(200).documented();
        assert_eq!((&worth["amount"]["amount_minor"], &worth["units_left"]), (&json!(0), &json!(9)));
        house.letters_may_stay();
    }

    async fn credits_are_given_for_a_reason(house: House) {
        let (ana, bo) = (house.stranger("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-12-05 18:30", 1).await;
        let booked = house.book(&bo, &evening).await.expect_booked();
        let empty = house.pack(&ana, 0).await;
        let waiting = house.book(&ana, &evening).or_wait().await.expect_waitlisted(1);
        house.cancel(&booked).await.expect(200);
        assert_eq!(house.now(&waiting).await["status"], "waitlisted", "nothing pays");
        for person in [&ana, &house.studio.desk] {
            let call = house.post_to(house.of_pass(&empty, "gifts")).by(person).header("Idempotency-Key", "x");
            call.json(&json!({"credits": 1, "reason": "mine"})).await.expect_refused(403, "not-allowed");
        }
        let given = house.gift(&empty, "one", 2).await.expect(201).documented();
        assert_eq!(given["credits_left"], 1, "two were given, and one was taken in the same commit");
        assert_eq!(house.now(&waiting).await["status"], "booked");
        assert_eq!(house.gift(&empty, "one", 2).await.expect(201)["credits_left"], 1);
        house.gift(&empty, "one", 3).await.expect_refused(409, "idempotency-key-reused");
        let ledger = house.get(house.of_pass(&empty, "ledger")).by(&ana).await.expect(200);
        let gift = ledger["entries"].as_array().unwrap().iter().find(|entry| entry["reason"] == "gift").unwrap();
        assert_eq!((&gift["credits"], &gift["note"]), (&json!(2), &json!("The heating was off")));
        let sql = "SELECT COUNT(*) FROM events WHERE action = 'pass.gifted' AND subject_id = $1 AND CAST(details AS TEXT) NOT LIKE '%heating%'";
        assert_eq!(house.count(sql, empty.id).await, 1, "no words in the log");
        let membership = house.membership(&ana, Some(1)).await;
        house.gift(&membership, "two", 1).await.expect_refused(422, "invalid-fields").naming("credits");
        let old = house.pack_until(&ana, 1, house.today() - chrono::Days::new(1)).await;
        house.gift(&old, "three", 1).await.expect_refused(409, "pass-over");
        let brooklyn = house.second_studio().await;
        let call = house.post_to(house.of_pass(&empty, "gifts")).by(&brooklyn.admin).header("Idempotency-Key", "x");
        call.json(&json!({"credits": 1, "reason": "theirs"})).await.expect_refused(404, "not-found");
    }

    async fn a_pass_is_made_longer_and_never_shorter(house: House) {
        let ana = house.stranger("Ana").await;
        let old = house.pack_until(&ana, 1, house.today() - chrono::Days::new(1)).await;
        let evening = house.session("2026-12-10 18:30", 5).await;
        house.book(&ana, &evening).await.expect_refused(402, "no-pass");
        house.put(house.of_pass(&old, "expiry")).by(&house.studio.desk).json(&json!({"expires_on": "2026-12-10", "reason": "x"})).await.expect_refused(403, "not-allowed");
        for (day, field) in [("2026-11-28", "expires_on"), ("2026-11-29", "expires_on"), ("2026-13-01", "expires_on")] {
            let reply = house.extend(&old, day).await;
            if day == "2026-11-29" { reply.expect(200) } else { reply.expect_refused(422, "invalid-fields").naming(field) };
        }
        let longer = house.extend(&old, "2026-12-10").await.expect(200).documented();
        assert_eq!((&longer["expires_on"], &longer["state"]), (&json!("2026-12-10"), &json!("active")));
        house.extend(&old, "2026-12-10").await.expect(200);
        assert_eq!(house.ledger(&ana, &old).await.len(), 2, "once, however often it is sent");
        house.book(&ana, &evening).await.expect_booked();
        house.extend(&old, "2026-12-09").await.expect_refused(422, "invalid-fields").naming("expires_on");
    }

    async fn a_freeze_names_what_it_is_in_the_way_of(house: House) {
        let ana = house.stranger("Ana").await;
        let of = house.sells(json!({"valid_days": 30, "freeze_days_max": 10})).await;
        let pass = house.sold(of, &ana).await;
        let (inside, beside) = (house.session("2026-12-06 23:30", 5).await, house.session("2026-12-07 00:30", 5).await);
        let (booked, kept) = (house.book(&ana, &inside).await.expect_booked(), house.book(&ana, &beside).await.expect_booked());
        let days = json!({"from": "2026-12-04", "until": "2026-12-06"});
        let refused = house.freeze(&pass, &ana, days.clone()).await.expect_refused(409, "pass-in-use").documented();
        assert_eq!(refused["booking_ids"], json!([booked.id]), "the studio's calendar says which");
        assert_eq!(house.now(&booked).await["status"], "booked", "and nothing was done");

        let with = json!({"from": "2026-12-04", "until": "2026-12-06", "cancel_bookings": true});
        let frozen = house.freeze(&pass, &ana, with.clone()).await.expect(200).documented();
        assert_eq!(frozen["freeze"], json!({"from": "2026-12-04", "until": "2026-12-06"}));
        assert_eq!((&frozen["expires_on"], &frozen["freeze_days_left"], &frozen["credits_left"]), (&json!("2027-01-02"), &json!(7), &json!(9)));
        let now = house.now(&booked).await;
        assert_eq!((&now["status"], &now["ended_by"], &now["credits_returned"]), (&json!("cancelled"), &json!("member"), &json!(1)));
        assert_eq!(house.now(&kept).await["status"], "booked");
        assert_eq!(house.freeze(&pass, &ana, with).await.expect(200).body, frozen.body, "sent again, it is done");
        house.book(&ana, &inside).await.expect_refused(402, "no-pass");
        house.book(&ana, &inside).with(&pass).await.expect_refused(402, "no-pass");
        house.audit_is_clean().await;

        for (body, status, slug) in [
            (json!({"from": "2026-12-10", "until": "2026-12-20"}), 409, "freeze-too-long"),
            (json!({"from": "2026-11-29", "until": "2026-12-02"}), 422, "invalid-fields"),
            (json!({"from": "2026-12-03", "until": "2026-12-02"}), 422, "invalid-fields"),
            (json!({"from": "2027-02-03", "until": "2027-02-04"}), 422, "invalid-fields"),
            (json!({"from": "2026-12-03", "until": "2028-12-02"}), 422, "invalid-fields"),
        ] {
            house.freeze(&pass, &ana, body).await.expect_refused(status, slug).documented();
        }
        // It began; on its second day it ends.
        house.it_is("2026-12-05 10:00");
        assert_eq!(house.held(&ana, &pass).await["state"], "frozen");
        house.freeze(&pass, &ana, json!({"from": "2026-12-08", "until": "2026-12-09"})).await.expect_refused(409, "pass-frozen").documented();
        let thawed = house.delete(house.of_pass(&pass, "freeze")).by(&ana).await.expect(200).documented();
        assert_eq!((&thawed["expires_on"], &thawed["state"]), (&json!("2026-12-31"), &json!("active")));
        assert_eq!(thawed["freeze"], json!({"from": "2026-12-04", "until": "2026-12-04"}));
        assert_eq!(house.delete(house.of_pass(&pass, "freeze")).by(&ana).await.expect(200).body, thawed.body);
        house.book(&ana, &inside).await.expect_booked();
        // Where the type allows none, it is for staff.
        let other = house.pack(&ana, 1).await;
        house.freeze(&other, &ana, json!({"from": "2026-12-10", "until": "2026-12-11"})).await.expect_refused(403, "not-allowed");
        house.freeze(&other, &house.studio.desk, json!({"from": "2026-12-10", "until": "2027-01-31"})).await.expect(200);
        house.freeze(&other, &house.studio.instructor, json!({"from": "2026-12-10", "until": "2026-12-11"})).await.expect_refused(404, "not-found");
    }

    async fn who_is_frozen_waits_and_is_served_when_that_ends(house: House) {
        let (ana, bo) = (house.stranger("Ana").await, house.member("Bo").await);
        let of = house.sells(json!({"kind": "membership", "credits": null, "valid_days": 30, "freeze_days_max": 30})).await;
        let pass = house.sold(of, &ana).await;
        let evening = house.session("2026-12-08 18:30", 1).await;
        let booked = house.book(&bo, &evening).await.expect_booked();
        let waiting = house.book(&ana, &evening).or_wait().await.expect_waitlisted(1);
        house.freeze(&pass, &ana, json!({"from": "2026-12-08", "until": "2026-12-08"})).await.expect(200);
        house.cancel(&booked).await.expect(200);
        house.sweep().await;
        assert_eq!(house.now(&waiting).await["status"], "waitlisted");
        house.audit_is_clean().await;
        house.delete(house.of_pass(&pass, "freeze")).by(&ana).await.expect(200);
        assert_eq!(house.now(&waiting).await["status"], "booked", "in the same commit");
    }

    async fn what_a_pass_paid_for_is_found_by_its_ledger_and_its_visits(house: House) {
        house.rules(json!({"late_cancels_forgiven": 0})).await;
        let first = house.session("2026-11-30 19:00", 5).await;
        let second = house.session("2026-12-02 18:30", 5).await;
        let third = house.session("2026-12-03 18:30", 5).await;
        let mut passes = Vec::new();
        for (name, kind) in [("Ana", "credits"), ("Bo", "visits"), ("Cara", "visits without a cap")] {
            let person = house.stranger(name).await;
            let pass = match kind {
                "credits" => house.pack(&person, 5).await,
                "visits" => house.membership(&person, Some(3)).await,
                _ => house.membership(&person, None).await,
            };
            let attended = house.book(&person, &first).await.expect_booked().id;
            let to_come = house.book(&person, &second).await.expect_booked().id;
            let given_up = house.book(&person, &third).await.expect_booked().id;
            house.put(format!("/v1/bookings/{given_up}/cancellation")).by(&person).json(&json!({})).await.expect(200);
            passes.push((kind, pass, attended, to_come));
        }
        house.it_is("2026-11-30 19:00");
        for (.., attended, _) in &passes {
            house.put(format!("/v1/bookings/{attended}/check-in")).by(&house.studio.admin).json(&json!({})).await.expect(200);
        }
        let now = house.clock.now();
        for (kind, pass, attended, to_come) in passes {
            let mut tx = house.db.read().await.unwrap();
            let ids = |bookings: Vec<releve::booking::Booking>| bookings.iter().map(|booking| booking.id.to_string()).collect::<Vec<_>>();
            assert_eq!(ids(releve::booking::store::attended_with(&mut tx, pass.id, 10).await.unwrap()), [attended.to_string()], "{kind}");
            let mut to_come_of = releve::booking::store::paid_by(&mut tx, pass.id, now).await.unwrap();
            // A pack's ledger names what came back, too.
            to_come_of.retain(|booking| booking.status == releve::booking::BookingStatus::Booked);
            assert_eq!(ids(to_come_of), [to_come.to_string()], "{kind}");
            let uses = releve::passes::store::uses(&mut tx, pass.id, 10).await.unwrap();
            assert_eq!(uses.len(), 2, "{kind}: what came back is left out");
            tx.rollback().await;
        }
        house.letters_may_stay();
    }

    async fn a_pass_becomes_anothers(house: House) {
        house.rules(json!({"late_cancels_forgiven": 0})).await;
        let (ana, bo, brooklyn) = (house.stranger("Ana").await, house.stranger("Bo").await, house.second_studio().await);
        let of = house.sells(json!({"valid_days": 90, "transferable": true})).await;
        let paid = json!({"paid": {"amount_minor": 98_000, "currency": "CNY", "method": "card", "reference": "receipt-of-ana"}});
        let pass = Pass { id: house.sale(of, &ana, paid).await.expect(201).id() };
        house.gift(&pass, "g", 2).await.expect(201);
        let evening = house.session("2026-12-02 18:30", 5).await;
        house.loses_a_credit(&ana, &pass, &evening).await;
        let next = house.session("2026-12-08 18:30", 5).await;
        let booked = house.book(&ana, &next).await.expect_booked();
        let transfer = |pass: &Pass, body: Value| house.put(house.of_pass(pass, "transfer")).by(&house.studio.desk).json(&body);
        let refused = transfer(&pass, json!({"person_id": bo.id})).await.expect_refused(409, "pass-in-use").documented();
        assert_eq!(refused["booking_ids"], json!([booked.id]));
        house.cancel(&booked).await.expect(200);
        transfer(&pass, json!({})).await.expect_refused(422, "invalid-fields").naming("person_id");
        transfer(&pass, json!({"person_id": house.new_id()})).await.expect_refused(422, "invalid-fields").naming("person_id");
        transfer(&pass, json!({"person_id": brooklyn.desk.id})).await.expect_refused(422, "invalid-fields").naming("person_id");
        transfer(&pass, json!({"studio_id": house.new_id()})).await.expect_refused(422, "invalid-fields").naming("studio_id");
        house.put(house.of_pass(&pass, "transfer")).by(&ana).json(&json!({"person_id": bo.id})).await.expect_refused(403, "not-allowed");

        let there = transfer(&pass, json!({"person_id": bo.id})).await.expect(200).documented();
        let new = Pass { id: there.id() };
        assert_ne!(new.id, pass.id);
        assert_eq!((&there["credits_left"], &there["state"]), (&json!(11), &json!("active")));
        assert_eq!(transfer(&pass, json!({"person_id": bo.id})).await.expect(200).id(), new.id, "sent again, it is done");
        let old = house.held(&ana, &pass).await;
        assert_eq!((&old["state"], &old["credits_left"], &old["transferred_to"]), (&json!("ended"), &json!(0), &json!(new.id)));
        // What was paid for goes along with its price, what was given without.
        let gained = house.ledger(&bo, &new).await;
        assert!(gained.contains(&("transferred".into(), 9, json!(88_200))) && gained.contains(&("gift".into(), 2, Value::Null)), "{gained:?}");
        assert!(house.ledger(&ana, &pass).await.contains(&("transferred".into(), -11, json!(-88_200))));
        let worth = house.get(house.of_pass(&new, "refund")).by(&bo).await.expect(200);
        assert_eq!((&worth["amount"]["amount_minor"], &worth["units_left"], &worth["units_given"]), (&json!(88_200), &json!(9), &json!(2)));
        house.book(&ana, &next).await.expect_refused(402, "no-pass");
        let booked = house.book(&bo, &next).await.expect_booked();
        house.cancel(&booked).await.expect(200);
        assert!(house.kinds_to(&ana).await.contains(&"pass_gone".to_owned()));
        assert!(house.kinds_to(&bo).await.contains(&"pass_received".to_owned()));
        // What Ana bought and did is Ana's to read and to take along, and nobody else's.
        house.get(house.of_pass(&pass, "ledger")).by(&bo).await.expect_refused(404, "not-found");
        assert!(house.get("/v1/me/export").by(&ana).await.expect(200).text.contains("receipt-of-ana"));
        assert!(!house.get("/v1/me/export").by(&bo).await.expect(200).text.contains("receipt-of-ana"));
        for (what, call) in [
            ("gift", house.gift(&pass, "late", 1)), ("expiry", house.extend(&pass, "2027-12-01")),
            ("freeze", house.freeze(&pass, &house.studio.desk, json!({"from": "2026-12-20", "until": "2026-12-21"}))),
            ("refund", house.refund(&pass, "late too", json!({}))), ("transfer", transfer(&pass, json!({"person_id": ana.id}))),
        ] {
            let reply: Reply = call.await;
            assert_eq!((reply.status, &reply["type"]), (409, &json!("/problems/pass-over")), "{what}");
        }
        // To another studio of the house, where the member is known, by whoever serves members in both: there instead.
        let elsewhere = |by: &Person| house.put(house.of_pass(&new, "transfer")).by(by).json(&json!({"studio_id": brooklyn.id}));
        elsewhere(&house.studio.desk).await.expect_refused(403, "not-allowed");
        elsewhere(&brooklyn.desk).await.expect_refused(404, "not-found");
        elsewhere(&house.studio.owner).await.expect_refused(422, "invalid-fields").naming("person_id");
        house.put(format!("/v1/studios/{}/members/me", brooklyn.id)).by(&bo).await.expect(200);
        let there = elsewhere(&house.studio.owner).await.expect(200);
        let new = Pass { id: there.id() };
        assert_eq!((&there["studio_id"], &there["studio_ids"], &there["credits_left"]), (&json!(brooklyn.id), &json!([brooklyn.id]), &json!(11)));
        house.book(&bo, &next).await.expect_refused(402, "no-pass");
        let far = house.plan("2026-12-08 18:30", 5).at(&brooklyn).await;
        house.book(&bo, &far).with(&new).await.expect_booked();
        house.get(house.of_pass(&new, "ledger")).by(&house.studio.desk).await.expect_refused(404, "not-found");
        house.get(house.of_pass(&new, "ledger")).by(&brooklyn.desk).await.expect(200);
        let plain = house.pack(&ana, 1).await;
        transfer(&plain, json!({"person_id": bo.id})).await.expect_refused(409, "pass-not-transferable").documented();
    }

    async fn what_somebody_who_is_erased_has_left_goes_to_nobody(house: House) {
        let bo = house.stranger("Bo").await;
        let made = house.post_to(house.of_studio("members")).by(&house.studio.desk).json(&json!({"name": "Cara"})).await.expect(201);
        let cara = made["person_id"].as_str().unwrap().to_owned();
        let of = house.sells(json!({"valid_days": 90, "transferable": true})).await;
        let sold = house.post_to(house.of_studio(&format!("members/{cara}/passes"))).by(&house.studio.desk).header("Idempotency-Key", "p");
        let pass = Pass { id: sold.json(&json!({"pass_type_id": of})).await.expect(201).id() };
        house.put(house.of_studio(&format!("members/{cara}/erasure"))).by(&house.studio.admin).json(&json!({})).await.expect(204);
        let transfer = house.put(house.of_pass(&pass, "transfer")).by(&house.studio.desk).json(&json!({"person_id": bo.id}));
        transfer.await.expect_refused(409, "pass-over");
    }

    async fn a_refund_after_use_says_how_it_comes_to_its_sum(house: House) {
        house.rules(json!({"late_cancels_forgiven": 0})).await;
        let ana = house.stranger("Ana").await;
        let of = house.sells(json!({"valid_days": 90, "credits": 3})).await;
        let paid = json!({"paid": {"amount_minor": 10_000, "currency": "EUR", "method": "card"}});
        let pass = Pass { id: house.sale(of, &ana, paid).await.expect(201).id() };
        let worth = || house.get(house.of_pass(&pass, "refund")).by(&ana);
        let whole = worth().await.expect(200).documented();
        assert_eq!((&whole["amount"], &whole["uses"]), (&json!({"amount_minor": 10_000, "currency": "EUR"}), &json!([])));
        for day in ["2026-12-02", "2026-12-03"] {
            let evening = house.session(&format!("{day} 18:30"), 5).await;
            house.loses_a_credit(&ana, &pass, &evening).await;
        }
        let next = house.session("2026-12-08 18:30", 5).await;
        let booked = house.book(&ana, &next).await.expect_booked();
        house.refund(&pass, "r", json!({})).await.expect_refused(409, "pass-in-use").documented();
        house.cancel(&booked).await.expect(200);
        let left = worth().await.expect(200).documented();
        assert_eq!((&left["unit"], &left["unit_price"]["amount_minor"], &left["units_sold"]), (&json!("credit"), &json!(3_333), &json!(3)));
        assert_eq!((&left["units_used"], &left["units_left"], &left["amount"]["amount_minor"]), (&json!(2), &json!(1), &json!(3_334)));
        let lines: Vec<_> = left["uses"].as_array().unwrap().iter().map(|line| (line["credits"].clone(), line["amount"]["amount_minor"].clone(), line["status"].clone())).collect();
        assert_eq!(lines, [(json!(1), json!(3_333), json!("late_cancelled")), (json!(1), json!(3_333), json!("late_cancelled"))]);

        house.refund(&pass, "r", json!({"amount_minor": 10_001})).await.expect_refused(422, "invalid-fields").naming("amount_minor");
        let desk = house.post_to(house.of_pass(&pass, "refunds")).by(&house.studio.desk).header("Idempotency-Key", "r");
        desk.json(&json!({"method": "cash", "reason": "x"})).await.expect_refused(403, "not-allowed");
        let done = house.refund(&pass, "r", json!({})).await.expect(201).documented();
        assert_eq!((&done["state"], &done["credits_left"]), (&json!("ended"), &json!(0)));
        house.refund(&pass, "r", json!({})).await.expect(201);
        house.refund(&pass, "s", json!({})).await.expect_refused(409, "pass-over").documented();
        worth().await.expect_refused(409, "pass-over").documented();
        assert!(house.ledger(&ana, &pass).await.contains(&("refunded".into(), -1, json!(-3_334))));
        house.book(&ana, &next).await.expect_refused(402, "no-pass");
    }

    async fn a_membership_is_worth_its_days(house: House) {
        let ana = house.stranger("Ana").await;
        let of = house.sells(json!({"kind": "membership", "credits": null, "valid_days": 29, "freeze_days_max": 10})).await;
        let paid = json!({"paid": {"amount_minor": 30_000, "currency": "CNY", "method": "cash"}});
        let pass = Pass { id: house.sale(of, &ana, paid).await.expect(201).id() };
        let worth = async || {
            let worth = house.get(house.of_pass(&pass, "refund")).by(&ana).await.expect(200);
            (worth["units_used"].as_i64().unwrap(), worth["amount"]["amount_minor"].as_i64().unwrap())
        };
        assert_eq!(worth().await, (1, 29_000), "today counts");
        house.freeze(&pass, &ana, json!({"from": "2026-12-02", "until": "2026-12-05"})).await.expect(200);
        house.extend(&pass, "2027-02-01").await.expect(200);
        assert_eq!(worth().await, (1, 29_000), "what is given is worth nothing");
        house.it_is("2026-12-10 10:00");
        assert_eq!(worth().await, (7, 23_000), "eleven days, four of them frozen");
        // Another sum is for who runs the studio to say.
        house.refund(&pass, "r", json!({"amount_minor": 20_000})).await.expect(201);
        assert!(house.ledger(&ana, &pass).await.contains(&("refunded".into(), 0, json!(-20_000))));
    }

    async fn its_end_is_told_two_weeks_and_two_days_ahead(house: House) {
        house.rules(json!({"late_cancels_forgiven": 0})).await;
        let (ana, bo) = (house.stranger("Ana").await, house.stranger("Bo").await);
        let of = house.sells(json!({"valid_days": 20, "credits": 1})).await;
        let (pass, empty) = (house.sold(of, &ana).await, house.sold(of, &bo).await);
        let evening = house.session("2026-12-01 18:30", 5).await;
        house.loses_a_credit(&bo, &empty, &evening).await;
        house.post().await;
        let told = async |state: &str| {
            let sql = "SELECT state, CAST(dedupe_key AS TEXT) FROM letters WHERE kind = 'pass_ending' ORDER BY created_at";
            let all: Vec<(String, String)> = house.db.all(sql, ()).await.unwrap();
            all.into_iter().filter(|(is, _)| is == state).map(|(_, key)| key.trim_start_matches(&format!("pass-ending:{}:", pass.id)).to_owned()).collect::<Vec<_>>()
        };
        house.it_is("2026-12-06 09:59");
        house.sweep().await;
        assert_eq!(told("queued").await, Vec::<String>::new());
        house.it_is("2026-12-06 10:00");
        house.sweep().await;
        house.sweep().await;
        assert_eq!(told("queued").await, ["2026-12-20:14"], "once, and not of what is empty");
        // It was extended before the letter left: what it says is so no more.
        house.extend(&pass, "2026-12-30").await.expect(200);
        assert_eq!(told("obsolete").await, ["2026-12-20:14"]);
        house.it_is("2026-12-18 10:00");
        house.sweep().await;
        house.post().await;
        assert_eq!(told("sent").await, ["2026-12-30:14"], "two weeks ahead was missed by two days: it is told all the same");
        house.it_is("2026-12-28 10:00");
        house.sweep().await;
        house.sweep().await;
        let letters = house.letters_to(&ana).await;
        assert_eq!(told("sent").await, ["2026-12-30:14", "2026-12-30:2"]);
        assert!(letters.last().unwrap().body_text.as_ref().unwrap().contains("Last day: Wed 30 Dec 2026"), "{letters:?}");
        house.it_is("2027-01-05 10:00");
        house.sweep().await;
        assert_eq!(house.count("SELECT COUNT(*) FROM passes WHERE notice_at IS NOT NULL AND id <> $1", house.new_id()).await, 0);
        assert_eq!(told("sent").await.len(), 2);
    }

    async fn what_breaks_a_freeze_is_seen(house: House) {
        house.audit_may_be_dirty();
        let ana = house.member("Ana").await;
        let evening = house.session("2026-12-05 18:30", 5).await;
        let booked = house.book(&ana, &evening).await.expect_booked();
        house.audit_is_clean().await;
        let id = booked.id;
        for sql in [
            "UPDATE passes SET frozen_from = '2026-12-05', frozen_until = '2026-12-05' WHERE id = (SELECT pass_id FROM bookings WHERE id = $1)",
            "UPDATE passes SET frozen_from = NULL, frozen_until = NULL, ended_at = sold_at WHERE id = (SELECT pass_id FROM bookings WHERE id = $1)",
        ] {
            house.write(move |tx| Box::pin(async move { tx.run(sql, (id,)).await })).await;
            let report = releve::audit::check(&house.db, house.clock.now()).await.unwrap();
            let broken: Vec<_> = report.findings.iter().filter(|one| one.broken > 0).map(|one| one.promise).collect();
            assert_eq!(broken, ["a pass that is frozen or was given back pays for nothing to come"]);
        }
    }
}
