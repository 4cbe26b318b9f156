//! Families: a member books and cancels for somebody else, who has confirmed it or has no account.

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::house::House;
use crate::seed::{Pass, Person, Session};
use crate::speech::Tap;

impl House {
    /// Asks to act for whoever reads this address.
    async fn ask_family(&self, holder: &Person, email: &str) -> Uuid {
        self.post_to("/v1/me/family").by(holder).json(&json!({"kind": "parent", "email": email})).await.expect(201).id()
    }

    /// `by` may act for `whom`, who confirmed it.
    async fn family(&self, by: &Person, whom: &Person) -> Uuid {
        let link = self.ask_family(by, &whom.email).await;
        self.put(format!("/v1/me/family/{link}/confirmation")).by(whom).await.expect(200);
        link
    }

    /// A child of a member, known to the studio.
    async fn child(&self, of: &Person, name: &str) -> Person {
        let body = json!({"kind": "child", "name": name, "studio_id": self.studio.id});
        let made = self.post_to("/v1/me/family").by(of).json(&body).await.expect(201);
        let id = made["person_id"].as_str().unwrap().parse().unwrap();
        Person { id, name: name.to_owned(), email: String::new(), token: of.token.clone() }
    }

    /// `by` taps "book" for somebody else.
    fn book_for(&self, by: &Person, whom: &Person, session: &Session) -> Tap {
        self.book(whom, session).sent_by(by)
    }

    /// Whoever holds a pass shares it with their family.
    async fn share(&self, pass: &Pass, by: &Person) {
        let path = format!("/v1/passes/{}/sharing", pass.id);
        assert_eq!(self.put(path).by(by).await.expect(200)["shared"], true);
    }

    async fn own_family(&self, person: &Person) -> Value {
        self.get("/v1/me/family").by(person).await.expect(200).body
    }
}

both_engines! {
    async fn who_is_asked_gives_no_right_until_they_confirm(house: House) {
        let (ana, mum) = (house.member("Ana").await, house.member("Mum").await);
        let evening = house.session("2026-12-03 18:30", 12).await;
        let link = house.ask_family(&ana, &mum.email).await;
        // Asked again it is one wish, and an address that is nobody's reads the same.
        let again = house.post_to("/v1/me/family").by(&ana).json(&json!({"kind": "parent", "email": mum.email})).await.expect(200);
        assert_eq!(again.id(), link);
        house.ask_family(&ana, "nobody@example.test").await;
        let held = house.own_family(&ana).await;
        for asked in held["acts_for"].as_array().unwrap() {
            assert_eq!((&asked["person_id"], &asked["name"], &asked["confirmed_at"]), (&json!(null), &json!(null), &json!(null)));
        }
        house.book_for(&ana, &mum, &evening).await.expect_refused(403, "not-allowed");
        let booking = house.book(&mum, &evening).await.expect_booked();
        house.get(format!("/v1/bookings/{}", booking.id)).by(&ana).await.expect_refused(404, "not-found");
        house.get(format!("/v1/me/bookings?person_id={}", mum.id)).by(&ana).await.expect_refused(404, "not-found");
        // Nobody else confirms it: not who asks, nor a third.
        let bo = house.member("Bo").await;
        for other in [&ana, &bo] {
            house.put(format!("/v1/me/family/{link}/confirmation")).by(other).await.expect_refused(404, "not-found");
        }
        let asking = house.own_family(&mum).await["asking"].clone();
        assert_eq!((&asking[0]["id"], &asking[0]["name"], &asking[0]["person_id"]), (&json!(link), &json!("Ana"), &json!(null)));
        house.put(format!("/v1/me/family/{link}/confirmation")).by(&mum).await.expect(200);
        house.put(format!("/v1/me/family/{link}/confirmation")).by(&mum).await.expect(200);
        assert_eq!(house.get(format!("/v1/bookings/{}", booking.id)).by(&ana).await.expect(200)["person_id"], json!(mum.id));
        // The right goes one way.
        let other = house.session("2026-12-04 18:30", 12).await;
        house.book_for(&mum, &ana, &other).await.expect_refused(403, "not-allowed");
    }

    async fn a_member_books_and_cancels_for_another(house: House) {
        let (ana, mum) = (house.member("Ana").await, house.stranger("Mum").await);
        let pack = house.pack(&mum, 5).await;
        house.family(&ana, &mum).await;
        let evening = house.session("2026-12-03 18:30", 12).await;
        // Both are in the same class, each with a pass of their own.
        house.book(&ana, &evening).await.expect_booked();
        let booking = house.book_for(&ana, &mum, &evening).await.expect_made().expect_booked();
        house.book_for(&ana, &mum, &evening).id(booking.id).await.expect_repeated();
        assert_eq!((&booking.body["person_id"], house.balance(&pack).await), (&json!(mum.id), 4));
        assert_eq!(house.kinds_to(&mum).await, ["booked"]);
        let theirs = house.get(format!("/v1/me/bookings?person_id={}", mum.id)).by(&ana).await.expect(200);
        assert_eq!(theirs["bookings"][0]["id"], json!(booking.id));
        house.get(format!("/v1/bookings/{}/history", booking.id)).by(&ana).await.expect(200);
        let path = format!("/v1/bookings/{}/cancellation", booking.id);
        // They are no staff by it.
        house.put(&path).by(&ana).json(&json!({"return": "all", "reason": "please"})).await.expect_refused(403, "not-allowed");
        let ended = house.put(&path).by(&ana).json(&json!({})).await.expect(200);
        assert_eq!((&ended["status"], &ended["ended_by"]), (&json!("cancelled"), &json!("member")));
        assert_eq!(house.balance(&pack).await, 5);
        // Windows and caps hold for them as for the member.
        house.rules(json!({"booking_opens_days": 1})).await;
        let later = house.schedule_session(&house.studio.admin, "2026-12-10T18:30", json!({})).await.expect(201).id();
        let body = json!({"session_id": later, "person_id": mum.id});
        house.put(format!("/v1/bookings/{}", house.new_id())).by(&ana).json(&body).await.expect_refused(409, "not-open-yet");
    }

    async fn the_right_ends_with_the_link_and_bookings_stay(house: House) {
        let (ana, mum) = (house.member("Ana").await, house.member("Mum").await);
        let evening = house.session("2026-12-03 18:30", 12).await;
        for by in [&ana, &mum] {
            let link = house.family(&ana, &mum).await;
            let booking = house.book_for(&ana, &mum, &evening).await.expect_booked();
            house.delete(format!("/v1/me/family/{link}")).by(&house.studio.desk).await.expect_refused(404, "not-found");
            house.delete(format!("/v1/me/family/{link}")).by(by).await.expect(204);
            let path = format!("/v1/bookings/{}/cancellation", booking.id);
            house.put(&path).by(&ana).json(&json!({})).await.expect_refused(404, "not-found");
            assert_eq!(house.now(&booking).await["status"], "booked");
            house.cancel(&booking).await.expect(200);
        }
        house.book_for(&ana, &mum, &evening).await.expect_refused(403, "not-allowed");
    }

    async fn a_parent_answers_for_a_child_without_an_account(house: House) {
        let (ana, bo) = (house.member("Ana").await, house.member("Bo").await);
        let evening = house.session("2026-12-03 18:30", 1).await;
        house.book(&ana, &house.session("2026-12-02 18:30", 2).await).await.expect_booked();
        let kid = house.child(&ana, "Kid Ruiz").await;
        house.book_for(&ana, &kid, &evening).await.expect_refused(402, "no-pass");
        house.sell_pack(&kid).await;
        house.book(&bo, &evening).await.expect_booked();
        let booking = house.book_for(&ana, &kid, &evening).or_wait().await.expect_waitlisted(1);
        // Another parent's child is not theirs to book for.
        let other = house.member("Cleo").await;
        house.book_for(&other, &kid, &evening).await.expect_refused(403, "not-allowed");
        let bos = house.get("/v1/me/bookings").by(&bo).await.expect(200)["bookings"][0]["id"].as_str().unwrap().to_owned();
        house.put(format!("/v1/bookings/{bos}/cancellation")).by(&bo).json(&json!({})).await.expect(200);
        assert_eq!(house.now(&booking).await["status"], "booked");
        // The child has no address: the parent reads for whom it is.
        let told = house.letters_to(&ana).await;
        let promoted = told.iter().find(|letter| letter.kind == "promoted").unwrap();
        assert!(promoted.body_text.as_ref().unwrap().contains("For: Kid Ruiz"), "{promoted:?}");
        assert_eq!(house.own_family(&ana).await["acts_for"][0]["name"], "Kid Ruiz");
        assert_eq!(house.roster(&evening).await["booked"][0]["person"]["name"], "Kid Ruiz");
    }

    async fn what_makes_no_sense_is_refused_and_as_many_as_one_may(house: House) {
        let ana = house.member("Ana").await;
        let post = |body: Value| house.post_to("/v1/me/family").by(&ana).json(&body);
        let studio = house.studio.id;
        for (body, field) in [
            (json!({"kind": "child"}), "email"),
            (json!({"kind": "child", "email": "a@example.test", "name": "Kid"}), "name"),
            (json!({"kind": "child", "name": "Kid"}), "studio_id"),
            (json!({"kind": "child", "email": "a@example.test", "studio_id": studio}), "studio_id"),
            (json!({"kind": "child", "name": "Kid", "studio_id": house.new_id()}), "studio_id"),
        ] {
            post(body).await.expect_refused(422, "invalid-fields").naming(field);
        }
        // There is such a studio, but they are no member of it.
        let elsewhere = json!({ "name": "West Bund", "time_zone": "Asia/Shanghai", "locale": "en" });
        let elsewhere = house.post_to("/v1/studios").by(&house.studio.owner).json(&elsewhere).await.expect(201).id();
        let body = json!({"kind": "child", "name": "Kid", "studio_id": elsewhere});
        post(body).await.expect_refused(422, "invalid-fields").naming("studio_id");
        for n in 0..10 {
            house.ask_family(&ana, &format!("kid{n}@example.test")).await;
        }
        let refusal = post(json!({"kind": "child", "email": "kid10@example.test"})).await.expect_refused(409, "too-many-family-links");
        assert_eq!(refusal["max"], 10);
    }

    async fn who_does_not_answer_is_forgotten(house: House) {
        let (ana, mum) = (house.member("Ana").await, house.member("Mum").await);
        let link = house.ask_family(&ana, &mum.email).await;
        house.advance(TimeDelta::days(31));
        house.put(format!("/v1/me/family/{link}/confirmation")).by(&mum).await.expect_refused(404, "not-found");
        assert_eq!(house.own_family(&mum).await["asking"], json!([]));
        releve::sweeps::retention(&house.app).await.unwrap();
        assert_eq!(house.own_family(&ana).await["acts_for"], json!([]));
    }

    async fn who_books_for_another_may_read_of_it_too(house: House) {
        let (ana, mum, bo) = (house.member("Ana").await, house.member("Mum").await, house.member("Bo").await);
        let link = house.family(&ana, &mum).await;
        let path = format!("/v1/me/family/{link}/letters");
        for other in [&mum, &bo] {
            house.put(&path).by(other).json(&json!({"copies": true})).await.expect_refused(404, "not-found");
        }
        let evenings = [house.session("2026-12-03 18:30", 12).await, house.session("2026-12-04 18:30", 12).await];
        // Nobody asked for it: only the member reads.
        house.book_for(&ana, &mum, &evenings[0]).await.expect_booked();
        assert_eq!((house.kinds_to(&mum).await, house.kinds_to(&ana).await), (vec!["booked".to_owned()], vec![]));
        for _ in 0..2 {
            assert_eq!(house.put(&path).by(&ana).json(&json!({"copies": true})).await.expect(200)["copies"], true);
        }
        assert_eq!(house.own_family(&mum).await["acted_for_by"][0]["copies"], true);
        let booking = house.book_for(&ana, &mum, &evenings[1]).await.expect_booked();
        // What the member books by themselves is their own.
        house.book(&mum, &house.session("2026-12-05 18:30", 12).await).await.expect_booked();
        assert_eq!((house.kinds_to(&mum).await.len(), house.kinds_to(&ana).await), (3, vec!["booked".to_owned()]));
        let copy = house.letters_to(&ana).await.remove(0);
        assert!(copy.state == "sent" && copy.body_text.unwrap().contains("For: Mum"));
        let own = house.letters_to(&mum).await.into_iter().filter(|letter| letter.body_text.as_ref().unwrap().contains("For:")).count();
        assert_eq!(own, 0);
        // Both read of its end, whoever cancels.
        house.cancel(&booking).await.expect(200);
        assert_eq!(house.kinds_to(&mum).await.last().unwrap(), "cancelled");
        assert_eq!(house.kinds_to(&ana).await, ["booked", "cancelled"]);
        // With the link it is over.
        house.delete(format!("/v1/me/family/{link}")).by(&mum).await.expect(204);
        house.cancel_session(&evenings[0], &json!({"reason": "illness"})).await.expect(200);
        assert!(house.kinds_to(&mum).await.contains(&"session_cancelled".to_owned()));
        assert_eq!(house.kinds_to(&ana).await.len(), 2);
    }

    async fn who_answers_for_a_child_reads_each_letter_once(house: House) {
        let ana = house.member("Ana").await;
        house.book(&ana, &house.session("2026-12-02 18:30", 2).await).await.expect_booked();
        let kid = house.child(&ana, "Kid Ruiz").await;
        house.sell_pack(&kid).await;
        let link = house.own_family(&ana).await["acts_for"][0]["id"].as_str().unwrap().to_owned();
        house.put(format!("/v1/me/family/{link}/letters")).by(&ana).json(&json!({"copies": true})).await.expect(200);
        house.book_for(&ana, &kid, &house.session("2026-12-03 18:30", 2).await).await.expect_booked();
        assert_eq!(house.kinds_to(&ana).await, ["booked", "booked"]);
    }

    /// A child who has an account by now says by themselves who acts for them.
    async fn who_was_answered_for_and_has_an_account_is_asked_first(house: House) {
        let ana = house.member("Ana").await;
        let evenings = [house.session("2026-12-03 18:30", 12).await, house.session("2026-12-04 18:30", 12).await];
        for answers in ["yes", "no", "nothing"] {
            let kid = house.child(&ana, "Kid Ruiz").await;
            house.sell_pack(&kid).await;
            let booked = house.book_for(&ana, &kid, &evenings[0]).await.expect_booked();
            let grown = house.member(&format!("Kid {answers}")).await;
            let merged = house.put(house.of_studio(&format!("members/{}/merge", kid.id))).by(&house.studio.admin);
            merged.json(&json!({"into": grown.id})).await.expect(200);
            // What is booked stays theirs, and who answered for them neither reads nor does anything any more.
            let path = format!("/v1/bookings/{}", booked.id);
            assert_eq!(house.get(&path).by(&grown).await.expect(200)["status"], "booked");
            house.get(&path).by(&ana).await.expect_refused(404, "not-found");
            house.book_for(&ana, &grown, &evenings[1]).await.expect_refused(403, "not-allowed");
            let asking = house.own_family(&grown).await["asking"].clone();
            assert_eq!((&asking[0]["name"], &asking[0]["kind"], &asking[0]["confirmed_at"]), (&json!("Ana"), &json!("child"), &Value::Null));
            let link = format!("/v1/me/family/{}", asking[0]["id"].as_str().unwrap());
            house.put(format!("{link}/confirmation")).by(&ana).await.expect_refused(404, "not-found");
            match answers {
                "yes" => {
                    house.put(format!("{link}/confirmation")).by(&grown).await.expect(200);
                    house.book_for(&ana, &grown, &evenings[1]).await.expect_booked();
                    house.delete(&link).by(&ana).await.expect(204);
                }
                "no" => drop(house.delete(&link).by(&grown).await.expect(204)),
                _ => {
                    house.advance(TimeDelta::days(31));
                    house.put(format!("{link}/confirmation")).by(&grown).await.expect_refused(404, "not-found");
                    releve::sweeps::retention(&house.app).await.unwrap();
                }
            }
            let (held, asking) = (house.own_family(&ana).await["acts_for"].clone(), house.own_family(&grown).await["asking"].clone());
            assert_eq!((held, asking), (json!([]), json!([])), "{answers}");
        }
    }

    async fn a_shared_membership_is_not_frozen_under_who_comes_by_it(house: House) {
        let (ana, mum) = (house.stranger("Ana").await, house.stranger("Mum").await);
        house.family(&ana, &mum).await;
        let membership = house.membership(&ana, None).await;
        house.share(&membership, &ana).await;
        let booked = house.book(&mum, &house.session("2026-12-05 18:30", 5).await).await.expect_booked();
        let freeze = house.put(format!("/v1/passes/{}/freeze", membership.id)).by(&house.studio.desk);
        let refused = freeze.json(&json!({"from": "2026-12-04", "until": "2026-12-06"})).await.expect_refused(409, "pass-in-use");
        assert_eq!(refused["booking_ids"], json!([booked.id]));
    }

    async fn a_shared_pass_is_listed_for_those_with_whom_it_is_shared(house: House) {
        let (ana, mum, bo) = (house.stranger("Ana").await, house.stranger("Mum").await, house.stranger("Bo").await);
        let passes = async |person: &Person| {
            let held = house.get("/v1/me/passes").by(person).await.expect(200).documented();
            let told = held["passes"].as_array().unwrap().iter().map(|pass| (pass["id"].clone(), pass["shared_by"].clone()));
            told.collect::<Vec<_>>()
        };
        let shared = house.pack(&ana, 5).await;
        house.advance(TimeDelta::seconds(1));
        let alone = house.pack(&ana, 5).await;
        house.advance(TimeDelta::seconds(1));
        let own = house.pack(&mum, 5).await;
        let link = house.family(&ana, &mum).await;
        assert_eq!(passes(&mum).await, [(json!(own.id), Value::Null)]);
        house.share(&shared, &ana).await;
        let all = [(json!(own.id), Value::Null), (json!(shared.id), json!("Ana"))];
        assert_eq!(passes(&mum).await, all);
        assert_eq!(passes(&ana).await, [(json!(alone.id), Value::Null), (json!(shared.id), Value::Null)]);
        assert_eq!(passes(&bo).await, []);
        // Each with the studio that sold it; a page at a time.
        let page = house.get("/v1/me/passes?limit=1").by(&mum).await.expect(200);
        assert_eq!(page["passes"][0]["studio"], json!({"id": house.studio.id, "name": "Jing'an"}));
        let rest = house.get(format!("/v1/me/passes?limit=1&after={}", page["next"].as_str().unwrap())).by(&mum).await.expect(200);
        assert_eq!((&rest["passes"][0]["id"], &rest["next"]), (&json!(shared.id), &Value::Null));
        // They pay with it, and no more: it is not theirs to give away, nor to look through.
        house.get(format!("/v1/passes/{}/ledger", shared.id)).by(&mum).await.expect_refused(404, "not-found");
        house.delete(format!("/v1/passes/{}/sharing", shared.id)).by(&mum).await.expect_refused(404, "not-found");
        // Of who acts for them too; the desk reads of each what they hold.
        house.share(&own, &mum).await;
        assert_eq!(passes(&ana).await[0], (json!(own.id), json!("Mum")));
        house.delete(format!("/v1/me/family/{link}")).by(&mum).await.expect(204);
        assert_eq!(passes(&mum).await, [(json!(own.id), Value::Null)]);
    }

    async fn a_shared_pass_pays_for_the_family_after_their_own(house: House) {
        let (ana, bo) = (house.stranger("Ana").await, house.stranger("Bo").await);
        let shared = house.pack(&ana, 5).await;
        house.book(&ana, &house.session("2026-12-02 18:30", 2).await).await.expect_booked();
        let kid = house.child(&ana, "Kid Ruiz").await;
        let evenings = [house.session("2026-12-03 18:30", 12).await, house.session("2026-12-04 18:30", 12).await];
        // Not before it is shared, and only who holds it shares it.
        house.book_for(&ana, &kid, &evenings[0]).await.expect_refused(402, "no-pass");
        house.book_for(&ana, &kid, &evenings[0]).with(&shared).await.expect_refused(402, "no-pass");
        let path = format!("/v1/passes/{}/sharing", shared.id);
        house.put(&path).by(&bo).await.expect_refused(404, "not-found");
        house.put(&path).by(&house.studio.desk).await.expect_refused(403, "not-allowed");
        house.share(&shared, &ana).await;
        house.share(&shared, &ana).await;
        let told = house.get(format!("/v1/sessions/{}/terms?person_id={}", evenings[0].id, kid.id)).by(&ana).await.expect(200);
        assert_eq!((&told["pass"]["id"], &told["pass"]["shared_by"]), (&json!(shared.id), &json!("Ana")));
        assert!(told["pass_text"].as_str().unwrap().contains("Ana"), "{}", told["pass_text"]);
        house.get(format!("/v1/sessions/{}/terms?person_id={}", evenings[0].id, kid.id)).by(&bo).await.expect_refused(404, "not-found");
        // A stranger does not pay with it.
        house.book(&bo, &evenings[0]).with(&shared).await.expect_refused(402, "no-pass");
        let booking = house.book_for(&ana, &kid, &evenings[0]).await.expect_booked();
        assert_eq!((&booking.body["pass_id"], house.balance(&shared).await), (&json!(shared.id), 3));
        // What is their own comes first, whenever it ends.
        let own = house.pack_until(&kid, 5, house.today() + chrono::Days::new(200)).await;
        let second = house.book_for(&ana, &kid, &evenings[1]).await.expect_booked();
        assert_eq!((&second.body["pass_id"], house.balance(&shared).await, house.balance(&own).await), (&json!(own.id), 3, 4));
        // It comes back to the pass that paid.
        house.put(format!("/v1/bookings/{}/cancellation", booking.id)).by(&ana).json(&json!({})).await.expect(200);
        assert_eq!((house.balance(&shared).await, house.balance(&own).await), (4, 4));
    }

    async fn what_a_shared_pass_paid_stays_paid(house: House) {
        let (ana, mum) = (house.stranger("Ana").await, house.stranger("Mum").await);
        let shared = house.pack(&ana, 5).await;
        let link = house.family(&ana, &mum).await;
        house.share(&shared, &ana).await;
        let evenings = [house.session("2026-12-03 18:30", 12).await, house.session("2026-12-04 18:30", 12).await];
        let booking = house.book(&mum, &evenings[0]).await.expect_booked();
        assert_eq!(house.balance(&shared).await, 4);
        // What is paid to come stands in the way of its end, whoever comes.
        let refund = json!({"reason": "Moves away", "method": "cash"});
        let call = house.post_to(format!("/v1/passes/{}/refunds", shared.id)).by(&house.studio.admin).header("Idempotency-Key", "k1");
        let refused = call.json(&refund).await.expect_refused(409, "pass-in-use");
        assert_eq!(refused["booking_ids"], json!([booking.id]));
        house.delete(format!("/v1/passes/{}/sharing", shared.id)).by(&ana).await.expect(200);
        house.delete(format!("/v1/me/family/{link}")).by(&mum).await.expect(204);
        house.book(&mum, &evenings[1]).await.expect_refused(402, "no-pass");
        assert_eq!(house.now(&booking).await["status"], "booked");
        house.cancel(&booking).await.expect(200);
        assert_eq!(house.balance(&shared).await, 5);
    }

    async fn who_waits_and_could_not_pay_moves_up_when_a_pass_is_shared_or_filled_again(house: House) {
        let (ana, mum, bo) = (house.stranger("Ana").await, house.stranger("Mum").await, house.member("Bo").await);
        let shared = house.pack(&ana, 1).await;
        house.family(&ana, &mum).await;
        let (full, other) = (house.session("2026-12-03 18:30", 1).await, house.session("2026-12-04 18:30", 2).await);
        let takes = house.book(&bo, &full).await.expect_booked();
        let waits = house.book(&mum, &full).or_wait().await.expect_waitlisted(1);
        house.cancel(&takes).await.expect(200);
        assert_eq!(house.now(&waits).await["status"], "waitlisted");
        house.share(&shared, &ana).await;
        assert_eq!((&house.now(&waits).await["status"], house.balance(&shared).await), (&json!("booked"), 0));
        // A credit that comes back to whoever holds it, after the link has ended too.
        let again = house.book(&mum, &other).or_wait().await;
        again.expect_refused(402, "no-pass");
        house.cancel(&waits).await.expect(200);
        assert_eq!(house.balance(&shared).await, 1);
        house.book(&ana, &other).await.expect_booked();
        assert_eq!(house.balance(&shared).await, 0);
    }
}
