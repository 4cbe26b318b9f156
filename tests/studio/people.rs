//! People are found however they are typed, and not mistaken for each other.

use chrono::TimeDelta;
use releve::audit;
use releve::people::owner::{self, NewOwner};
use releve::sign_in::passwords::NewPassword;
use releve::text::{Email, Name};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::accounts::PASSWORD;
use crate::house::House;
use crate::speech::{Call, Reply};

/// Names without anything to be seen.
const UNSEEN: [&str; 6] = ["\u{200b}", "\u{200d}\u{2060}", "\u{3164}", "\u{ad} \u{200f}", "\u{301}", "\u{e0041}"];

/// Names that are messages, or read otherwise than they are written.
const MESSAGES: [&str; 6] =
    ["Win at http://evil.test", "www.evil.test", "evil.com", "mail me@evil.test", "ｈｔｔｐ：／／evil", "Ana\u{200e}Ruiz"];

impl House {
    fn enter(&self, body: &Value) -> Call {
        self.post_to(self.of_studio("members")).by(&self.studio.desk).json(body)
    }

    /// The names that the desk finds, as they are listed, page by page.
    async fn found(&self, typed: &str, limit: usize) -> Vec<String> {
        let mut names = Vec::new();
        let mut after = String::new();
        loop {
            let q: String = url::form_urlencoded::byte_serialize(typed.as_bytes()).collect();
            let path = self.of_studio(&format!("members?q={q}&limit={limit}{after}"));
            let page = self.get(path).by(&self.studio.desk).await.expect(200);
            names.extend(page["members"].as_array().unwrap().iter().map(|member| member["name"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { return names };
            after = format!("&after={next}");
        }
    }
}

fn person(reply: &Reply) -> Uuid {
    reply["person_id"].as_str().unwrap().parse().unwrap()
}

both_engines! {
    async fn names_are_found_as_they_are_typed(house: House) {
        let names =
            ["Anna Dürr", "Éloïse", "王美丽", "单雨", "重庆", "吕娜", "Ana", "Ana Ruíz", "Ruiz Ana", "Mariana", "Diana Anan", "Łukasz O’Brien", "100% Bo"];
        for name in names {
            house.enter(&json!({ "name": name })).await.expect(201);
        }
        house.enter(&json!({ "name": "Eva", "email": "eva@xn--mnchen-3ya.de" })).await.expect(201);
        for (typed, found) in [
            ("durr", vec!["Anna Dürr"]),
            ("Duerr", vec!["Anna Dürr"]),
            ("eloise", vec!["Éloïse"]),
            ("wml", vec!["王美丽"]),
            ("Meili Wang", vec!["王美丽"]),
            ("shan", vec!["单雨"]),
            ("dan yu", vec!["单雨"]),
            ("chongqing", vec!["重庆"]),
            ("lv na", vec!["吕娜"]),
            ("lukasz obrien", vec!["Łukasz O’Brien"]),
            ("münchen", vec!["Eva"]),
            ("EVA@MÜNCHEN", vec!["Eva"]),
            ("eva@xn--mnchen-3ya.de", vec!["Eva"]),
            ("0%", vec!["100% Bo"]),
            ("ru_z", vec![]),
            ("\u{200b}durr", vec!["Anna Dürr"]),
            // The very name first, then whose name or word begins so, then the others.
            ("ana", vec!["Ana", "Ana Ruíz", "Diana Anan", "Ruiz Ana", "Mariana"]),
            ("ana ruiz", vec!["Ana Ruíz", "Ruiz Ana"]),
        ] {
            for limit in [50, 1] {
                assert_eq!(house.found(typed, limit).await, found, "{typed:?}, {limit} a page");
            }
        }
        let all =
            ["100% Bo", "Ana", "Ana Ruíz", "Anna Dürr", "重庆", "单雨", "Diana Anan", "Éloïse", "Eva", "Łukasz O’Brien", "吕娜", "Mariana", "Ruiz Ana", "王美丽"];
        let listed = house.found("", 3).await;
        assert_eq!(listed.len(), all.len());
        let place = |name: &str| listed.iter().position(|one| one == name).unwrap();
        for (one, next) in [("100% Bo", "Ana"), ("Ana", "Ana Ruíz"), ("单雨", "Diana Anan"), ("Éloïse", "Eva"), ("Łukasz O’Brien", "Mariana"), ("Ruiz Ana", "王美丽")] {
            assert!(place(one) < place(next), "{one}, {next}: {listed:?}");
        }
    }

    async fn a_very_long_name_is_found_too(house: House) {
        for name in ["单".repeat(200), "Ø".repeat(200), format!("{}王", "长乐".repeat(99))] {
            house.enter(&json!({ "name": name })).await.expect(201);
            assert_eq!(house.found(&name[..6], 50).await.iter().filter(|one| **one == name).count(), 1);
        }
    }

    async fn children_who_share_an_address_are_not_mixed_up(house: House) {
        let address = "mum@example.test";
        let one = house.enter(&json!({ "name": "Kid One", "email": address })).await.expect(201);
        assert_eq!(one["shares_address"], false);
        // Sent again, it is the same child.
        let again = house.enter(&json!({ "name": "kid  one", "email": "Mum@example.test" })).await.expect(200);
        assert_eq!(again.body, one.body);
        let refused = house.enter(&json!({ "name": "Kid Two", "email": address })).await.expect_refused(409, "address-in-use");
        let told = json!([{ "person_id": one["person_id"], "name": "Kid One", "shares_address": false }]);
        assert_eq!(refused["members"], told);
        assert_eq!(house.found("kid", 50).await, ["Kid One"]);

        let two = house.enter(&json!({ "name": "Kid Two", "email": address, "link": false })).await.expect(201);
        assert_ne!(person(&two), person(&one));
        assert_eq!((&two["email"], &two["shares_address"]), (&json!(address), &json!(true)));
        for body in [json!({ "name": "Kid Two", "email": address, "link": false }), json!({ "name": "Kid Two", "email": address })] {
            assert_eq!(person(&house.enter(&body).await.expect(200)), person(&two));
        }
        let refused = house.enter(&json!({ "name": "Kid Three", "email": address })).await.expect_refused(409, "address-in-use");
        let names: Vec<&str> = refused["members"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["Kid One", "Kid Two"]);
        // The desk says that it is Kid One under another name: nobody new, and the name stays.
        let linked = house.enter(&json!({ "name": "Kid Three", "email": address, "link": true })).await.expect(200);
        assert_eq!(linked.body, one.body);
        assert_eq!(house.found(address, 50).await, ["Kid One", "Kid Two"]);
        house.enter(&json!({ "name": "Kid Four", "link": false })).await.expect_refused(422, "invalid-fields").naming("link");

        // A pass and a booking each, and letters of both at the one address.
        let session = house.session("2026-12-01 18:30", 5).await;
        let mut passes = Vec::new();
        for kid in [&one, &two] {
            let path = house.of_studio(&format!("members/{}/passes", person(kid)));
            let sale = house.post_to(path).by(&house.studio.desk).header("Idempotency-Key", house.new_id());
            passes.push(sale.json(&json!({ "pass_type_id": house.studio.pack_type })).await.expect(201).id());
            let tap = house.put(format!("/v1/bookings/{}", house.new_id())).by(&house.studio.desk);
            let booked = tap.json(&json!({ "session_id": session.id, "person_id": person(kid) })).await.expect(201);
            assert_eq!((&booked["status"], &booked["pass_id"]), (&json!("booked"), &json!(passes.last())));
        }
        let roster = house.roster(&session).await;
        let booked: Vec<&str> = roster["booked"].as_array().unwrap().iter().map(|one| one["person"]["name"].as_str().unwrap()).collect();
        assert_eq!(booked, ["Kid One", "Kid Two"]);
        let mails = house.mails_to(address).await;
        // Nobody has confirmed the address: no names, but who is meant can be told.
        for (name, count) in [("Hello K. O.,", 3), ("Hello K. T.,", 3), ("Kid", 0)] {
            assert_eq!(mails.iter().filter(|mail| mail.contains(name)).count(), count, "{name} {mails:#?}");
        }
        assert!(mails.iter().any(|mail| mail.contains("Hello K. T.,") && mail.contains("which you share with somebody else")), "{mails:#?}");

        // Who signs in by the address is Kid One, and has nothing of Kid Two.
        let mum = house.join_up(address).await;
        assert_eq!(house.me(&mum).await.expect(200)["id"], one["person_id"]);
        let held = house.get("/v1/me/passes").token(&mum.access).await.expect(200);
        assert_eq!(held["passes"].as_array().unwrap().len(), 1);
        assert_eq!(held["passes"][0]["id"], json!(passes[0]));
        // It is confirmed now whose address it is, for the other child's letters too.
        house.advance(TimeDelta::seconds(1));
        let later = house.session("2026-12-02 18:30", 5).await;
        let tap = house.put(format!("/v1/bookings/{}", house.new_id())).by(&house.studio.desk);
        tap.json(&json!({ "session_id": later.id, "person_id": person(&two) })).await.expect(201);
        let told = house.mails_to(address).await.pop().unwrap();
        assert!(told.contains("Hello Kid Two,"), "{told}");
    }

    async fn a_desk_learns_nothing_of_people_elsewhere(house: House) {
        let mei = house.join_up("mei@example.test").await;
        let id = house.me(&mei).await.expect(200)["id"].clone();
        // Known elsewhere, whatever the name there: linked and told, and the name stays as entered.
        let entered = house.enter(&json!({ "name": "Kid", "email": "mei@example.test" })).await.expect(201);
        assert_eq!((&entered["person_id"], &entered["name"]), (&id, &json!("Kid")));
        // Somebody who works here is no secret.
        let admin = &house.studio.admin;
        let refused = house.enter(&json!({ "name": "Ada's boy", "email": admin.email })).await.expect_refused(409, "address-in-use");
        assert_eq!(refused["members"][0]["name"], json!(admin.name));
        let own = house.enter(&json!({ "name": admin.name, "email": admin.email })).await.expect(201);
        assert_eq!(person(&own), admin.id);
        // An address that nobody has is nobody's to sign in by, if the desk says so.
        let kid = house.enter(&json!({ "name": "Bo", "email": "dad@example.test", "link": false })).await.expect(201);
        let dad = house.join_up("dad@example.test").await;
        assert_ne!(house.me(&dad).await.expect(200)["id"], kid["person_id"]);
        let other = house.enter(&json!({ "name": "Dad", "email": "dad@example.test" })).await.expect_refused(409, "address-in-use");
        assert_eq!(other["members"], json!([{ "person_id": kid["person_id"], "name": "Bo", "shares_address": true }]));
        let linked = house.enter(&json!({ "name": "Dad", "email": "dad@example.test", "link": true })).await.expect(201);
        assert_eq!(linked["person_id"], house.me(&dad).await.expect(200)["id"]);
    }

    async fn a_domain_in_letters_and_in_punycode_is_one_address(house: House) {
        let (letters, punycode) = ("ana@münchen.de", "Ana@xn--mnchen-3ya.de");
        house.register(letters, PASSWORD).await.expect(202);
        // The mail goes where every server takes it.
        let code = house.code_to("ana@xn--mnchen-3ya.de").await;
        house.verify(punycode, &code).await.expect(200);
        for spelling in [letters, punycode, "ANA@mu\u{308}nchen.de"] {
            house.sign_in(spelling, PASSWORD).await.expect(200);
        }
        house.register(punycode, "another-password").await.expect(202);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM accounts WHERE email_key LIKE '%nchen%'").await, 1);
        house.advance(TimeDelta::minutes(1));
        house.post_to("/v1/password-resets").json(&json!({ "email": punycode })).await.expect(202);
        let code = house.code_to("ana@xn--mnchen-3ya.de").await;
        let reset = json!({ "email": letters, "code": code, "password": "another-good-one" });
        house.put("/v1/password-resets").json(&reset).await.expect(204);
        house.sign_in(punycode, "another-good-one").await.expect(200);
        let entered = house.enter(&json!({ "name": "Ana", "email": punycode })).await.expect(201);
        assert_eq!(entered["email"], letters);
    }

    async fn two_people_with_one_address_in_two_spellings_both_sign_in(house: House) {
        house.audit_may_be_dirty();
        // Made by an older version, to which they were two addresses.
        let mut ids = Vec::new();
        for (email, key, password) in [("bo@münchen.de", "bo@münchen.de", "the-first-of-two"), ("bo@xn--mnchen-3ya.de", "bo@xn--mnchen-3ya.de", "the-second-of-two")] {
            let hash = house.app.passwords.hash(NewPassword::parse(password).unwrap()).await.unwrap();
            let (id, now) = (house.new_id(), house.clock.now());
            house.write(move |tx| Box::pin(async move {
                let sql = "INSERT INTO persons (id, name, email, email_key, verified_at, created_at) VALUES ($1, 'Bo', $2, $3, $4, $4)";
                tx.run(sql, (id, email, key, now)).await?;
                let sql = "INSERT INTO accounts (person_id, email, email_key, password_hash, verified_at, created_at) VALUES ($1, $2, $3, $4, $5, $5)";
                tx.run(sql, (id, email, key, hash, now)).await
            })).await;
            ids.push(id);
        }
        let renewed = releve::people::search_keys::renew(&house.db).await.unwrap();
        assert_eq!(renewed.contested, 2);
        for (email, password) in [("bo@münchen.de", "the-first-of-two"), ("bo@xn--mnchen-3ya.de", "the-second-of-two")] {
            house.sign_in(email, password).await.expect(200);
        }
        // Each may also choose another password by mail.
        house.post_to("/v1/password-resets").json(&json!({ "email": "bo@xn--mnchen-3ya.de" })).await.expect(202);
        let code = house.code_to("bo@xn--mnchen-3ya.de").await;
        let reset = json!({ "email": "bo@xn--mnchen-3ya.de", "code": code, "password": "another-good-one" });
        house.put("/v1/password-resets").json(&reset).await.expect(204);
        house.sign_in("bo@xn--mnchen-3ya.de", "another-good-one").await.expect(200);
        house.sign_in("bo@münchen.de", "the-first-of-two").await.expect(200);
        let report = audit::check(&house.db, house.clock.now()).await.unwrap();
        let rows: Vec<String> = report.findings.into_iter().filter(|finding| finding.broken > 0).flat_map(|finding| finding.rows).collect();
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert!(rows.iter().all(|row| row.contains(&ids[0].to_string()) && row.contains(&ids[1].to_string())), "{rows:?}");
    }

    async fn what_is_no_name_is_refused_everywhere(house: House) {
        let ana = house.member("Ana").await;
        let (admin, owner) = (house.studio.admin.clone(), house.studio.owner.clone());
        for name in UNSEEN.into_iter().chain(MESSAGES) {
            let words = json!({ "en": name });
            let refused = |call: Call| async move { call.await.expect_refused(422, "invalid-fields").naming("name") };
            let registration = json!({ "email": "new@example.test", "password": PASSWORD, "name": name });
            house.post_to("/v1/registrations").json(&registration).await.expect_refused(422, "invalid-fields").naming("name");
            refused(house.patch("/v1/me").by(&ana).json(&json!({ "name": name }))).await;
            refused(house.enter(&json!({ "name": name }))).await;
            refused(house.put("/v1/invitations/acceptance").json(&json!({ "code": "7K3M-9QXT-2B4C-HN8P", "name": name, "password": PASSWORD }))).await;
            refused(house.post_to(house.of_studio("rooms")).by(&admin).json(&json!({ "name": name, "capacity": 5 }))).await;
            let studio = json!({ "name": name, "time_zone": "Asia/Shanghai", "locale": "en" });
            refused(house.post_to("/v1/studios").by(&owner).json(&studio)).await;
            refused(house.patch(format!("/v1/studios/{}", house.studio.id)).by(&admin).header("If-Match", "1").json(&json!({ "name": name }))).await;
            let class = json!({ "name": words, "level": "open", "minutes": 55, "credits": 1 });
            house.post_to(house.of_studio("class-types")).by(&admin).json(&class).await.expect_refused(422, "invalid-fields").naming("name.en");
            let pack = json!({ "name": words, "kind": "pack", "credits": 10, "valid_days": 30 });
            house.post_to(house.of_studio("pass-types")).by(&admin).json(&pack).await.expect_refused(422, "invalid-fields").naming("name.en");
            refused(house.patch(house.of_studio(&format!("rooms/{}", house.studio.room))).by(&admin).header("If-Match", "1").json(&json!({ "name": name }))).await;
            let sign_in = json!({ "email": ana.email, "password": PASSWORD, "device": name });
            house.post_to("/v1/tokens").json(&sign_in).await.expect_refused(422, "invalid-fields").naming("device");
            // The command line, too.
            assert!(Name::parse(name).is_err(), "{name:?}");
        }
        let new = NewOwner {
            email: Email::parse("first@example.test").unwrap(),
            name: Name::parse("🩰").unwrap(),
            password: NewPassword::parse(PASSWORD).unwrap(),
        };
        owner::make(&house.db, &house.clock, &house.app.passwords, new).await.unwrap();
    }
}
