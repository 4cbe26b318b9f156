//! Registering, and showing that an address is one's own.

use chrono::TimeDelta;
use serde_json::json;

use crate::accounts::{PASSWORD, Tokens, another};

const ANA: &str = "ana@example.test";

both_engines! {
    async fn who_registers_and_verifies_is_signed_in(house: House) {
        house.register(ANA, PASSWORD).await.expect(202);
        let before: Tokens = house.sign_in(ANA, PASSWORD).await.expect(200).into();
        let me = house.me(&before).await.expect(200);
        assert_eq!((&me["email"], &me["email_verified"], &me["name"]), (&json!(ANA), &json!(false), &json!("Ana Ruiz")));
        // Ana may look round, but neither book nor join.
        let session = house.session("2026-12-02 18:30", 5).await;
        let booking = format!("/v1/bookings/{}", house.new_id());
        house.put(booking).token(&before.access).json(&json!({ "session_id": session.id })).await.expect_refused(403, "address-not-verified");
        let studio = format!("/v1/studios/{}/members/me", house.studio.id);
        house.put(&studio).token(&before.access).await.expect_refused(403, "address-not-verified");

        let code = house.code_to(ANA).await;
        let tokens: Tokens = house.verify(ANA, &code).await.expect(200).into();
        let me = house.me(&tokens).await.expect(200);
        assert_eq!((&me["email_verified"], &me["roles"]), (&json!(true), &json!([])));
        house.me(&before).await.expect_refused(401, "token-refused");
        house.put(&studio).token(&tokens.access).await.expect(200);
        house.put(&studio).token(&tokens.access).await.expect(200);
        assert_eq!(house.mails_to(ANA).await.len(), 1, "a first device is no news");
        house.sign_in(ANA, PASSWORD).await.expect(200);
        assert_eq!(house.mails_to(ANA).await.len(), 2, "a second is");
    }

    async fn the_last_registration_counts(house: House) {
        house.register(ANA, "the-first-of-two").await.expect(202);
        let first = house.code_to(ANA).await;
        let early: Tokens = house.sign_in(ANA, "the-first-of-two").await.expect(200).into();
        house.advance(TimeDelta::minutes(1));
        house.register("ANA@Example.test", "the-second-of-two").await.expect(202);
        house.me(&early).await.expect_refused(401, "token-refused");
        house.sign_in(ANA, "the-first-of-two").await.expect_refused(401, "sign-in-refused");
        // The code of a registration verifies that registration and no other.
        house.verify(ANA, &first).await.expect_refused(422, "code-refused");
        let second = house.code_to("ANA@example.test").await;
        house.verify(ANA, &second).await.expect(200);
        house.sign_in(ANA, "the-second-of-two").await.expect(200);
        house.sign_in(ANA, "the-first-of-two").await.expect_refused(401, "sign-in-refused");
    }

    async fn a_stranger_learns_nothing_about_an_address(house: House) {
        let eva = house.stranger("Eva").await;
        house.register("new@example.test", PASSWORD).await.expect(202);
        // Known and verified; known and not verified; unknown; entered by a front desk.
        let enter = json!({ "name": "Mei", "email": "mei@example.test" });
        let members = format!("/v1/studios/{}/members", house.studio.id);
        house.post_to(members).by(&house.studio.desk).json(&enter).await.expect(201);
        let mut costs = Vec::new();
        for email in [eva.email.as_str(), "new@example.test", "nobody@example.test", "mei@example.test"] {
            costs.push(house.cost(house.register(email, PASSWORD)).await);
        }
        assert_eq!(costs, vec![(1, 5); 4]);
        for path in ["/v1/email-verifications/requests", "/v1/password-resets"] {
            let mut costs = Vec::new();
            for email in [eva.email.as_str(), "new@example.test", "unknown@example.test"] {
                costs.push(house.cost(house.post_to(path).json(&json!({ "email": email }))).await);
            }
            assert_eq!(costs, vec![(0, 2); 3], "{path}");
        }
        // Only the letters differ.
        let subjects = |mails: Vec<String>| -> Vec<String> { mails.iter().map(|mail| mail.lines().next().unwrap().to_owned()).collect() };
        let mut told = subjects(house.mails_to(&eva.email).await);
        told.sort_unstable();
        assert_eq!(told, ["You already have an account", "Your code for a new password"]);
        assert!(house.mails_to("unknown@example.test").await.is_empty());
        // A code, right or wrong, says nothing either.
        for email in [eva.email.as_str(), "unknown@example.test"] {
            house.verify(email, "12345678").await.expect_refused(422, "code-refused");
            let reset = json!({ "email": email, "code": "12345678", "password": "another-good-one" });
            let made = house.app.passwords.made();
            house.put("/v1/password-resets").json(&reset).await.expect_refused(422, "code-refused");
            assert_eq!(house.app.passwords.made() - made, 1);
        }
    }

    async fn a_code_answers_again_while_it_lives(house: House) {
        house.register(ANA, PASSWORD).await.expect(202);
        let code = house.code_to(ANA).await;
        let lost: Tokens = house.verify(ANA, &code).await.expect(200).into();
        house.advance(TimeDelta::minutes(14));
        let again: Tokens = house.verify(ANA, &format!(" {code} ")).await.expect(200).into();
        house.me(&lost).await.expect_refused(401, "token-refused");
        house.me(&again).await.expect(200);
        house.refresh(&lost.refresh).await.expect_refused(401, "token-refused");
        house.advance(TimeDelta::minutes(1));
        house.verify(ANA, &code).await.expect_refused(422, "code-refused");
    }

    async fn five_wrong_codes_end_the_right_one(house: House) {
        house.register(ANA, PASSWORD).await.expect(202);
        let code = house.code_to(ANA).await;
        for _ in 0..4 {
            house.verify(ANA, &another(&code)).await.expect_refused(422, "code-refused");
        }
        house.verify(ANA, &code).await.expect(200);
        house.verify(ANA, &another(&code)).await.expect_refused(422, "code-refused");
        house.verify(ANA, &code).await.expect_refused(422, "code-refused");
    }

    async fn five_codes_an_hour(house: House) {
        house.letters_may_stay();
        for _ in 0..2 {
            house.register(ANA, PASSWORD).await.expect(202);
        }
        for _ in 0..3 {
            house.post_to("/v1/email-verifications/requests").json(&json!({ "email": ANA })).await.expect(202);
        }
        let made = house.app.passwords.made();
        let refused = house.register(ANA, PASSWORD).await.expect_refused(429, "too-many-requests");
        assert_eq!(refused.header("retry-after"), "3601");
        assert_eq!(house.app.passwords.made(), made, "limits are asked before the hash");
        house.post_to("/v1/email-verifications/requests").json(&json!({ "email": ANA })).await.expect_refused(429, "too-many-requests");
        house.register("eva@example.test", PASSWORD).await.expect(202);
        house.advance(TimeDelta::hours(1));
        house.register(ANA, PASSWORD).await.expect(202);
    }

    async fn registering_at_once_makes_one_account(house: House) {
        let calls = (0..4).map(|_| std::future::IntoFuture::into_future(house.register(ANA, PASSWORD)));
        for reply in futures_util::future::join_all(calls).await {
            reply.expect(202);
        }
        assert_eq!(house.how_many("SELECT COUNT(*) FROM accounts WHERE email_key = 'ana@example.test'").await, 1);
        // Only the last code counts, and which one that is only the mailbox knows: another is asked for.
        house.advance(TimeDelta::minutes(1));
        house.post_to("/v1/email-verifications/requests").json(&json!({ "email": ANA })).await.expect(202);
        let code = house.code_to(ANA).await;
        house.verify(ANA, &code).await.expect(200);
    }

    async fn whom_a_desk_entered_is_claimed_by_the_address(house: House) {
        let members = format!("/v1/studios/{}/members", house.studio.id);
        let enter = json!({ "name": "Ana (Tuesdays)", "email": ANA, "phone": "138 0000 1111" });
        let entered = house.post_to(&members).by(&house.studio.desk).json(&enter).await.expect(201);
        let entered_id = entered["person_id"].clone();

        house.advance(TimeDelta::seconds(1));
        house.register(ANA, PASSWORD).await.expect(202);
        let stranger: Tokens = house.sign_in(ANA, PASSWORD).await.expect(200).into();
        let me = house.me(&stranger).await.expect(200);
        assert_ne!(me["id"], entered_id);
        assert_eq!(me["phone"], json!(null));
        let export = house.get("/v1/me/export").token(&stranger.access).await.expect(200);
        assert_eq!((&export["memberships"], &export["letters"][0]["kind"]), (&json!([]), &json!("address_code")));

        let code = house.code_to(ANA).await;
        let tokens: Tokens = house.verify(ANA, &code).await.expect(200).into();
        house.me(&stranger).await.expect_refused(401, "token-refused");
        let me = house.me(&tokens).await.expect(200);
        assert_eq!((&me["id"], &me["name"], &me["email_verified"]), (&entered_id, &json!("Ana Ruiz"), &json!(true)));
        let found = house.get(format!("{members}?q=tuesdays")).by(&house.studio.desk).await.expect(200);
        assert_eq!(found["members"][0]["name"], "Ana (Tuesdays)", "the studio's own note stays");
        let export = house.get("/v1/me/export").token(&tokens.access).await.expect(200);
        assert_eq!(export["memberships"][0]["name"], "Ana (Tuesdays)");
        assert_eq!(export["letters"].as_array().unwrap().len(), 2);
        house.verify(ANA, &code).await.expect(200);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM persons WHERE name IN ('Ana Ruiz', 'Ana (Tuesdays)')").await, 1);
    }

    async fn a_registration_that_is_not_right_names_the_field(house: House) {
        for (field, value) in [
            ("email", json!("ana@example.test\r\nBcc: eva@example.test")),
            ("email", json!("no address")),
            ("email", json!(7)),
            ("password", json!("short")),
            ("password", json!("password1234")),
            ("password", json!("x".repeat(129))),
            ("name", json!("")),
            ("name", json!("Ana\u{0}")),
            ("name", json!("Win at http://evil.test now")),
            ("locale", json!("fr")),
            ("policy_version", json!(["1"])),
            ("nonsense", json!(1)),
        ] {
            let mut body = json!({ "email": ANA, "password": PASSWORD, "name": "Ana", "locale": "zh-CN", "policy_version": "1" });
            body[field] = value;
            house.post_to("/v1/registrations").json(&body).await.expect_refused(422, "invalid-fields").naming(field);
        }
        for missing in ["email", "password", "name"] {
            let mut body = json!({ "email": ANA, "password": PASSWORD, "name": "Ana" });
            body.as_object_mut().unwrap().remove(missing);
            house.post_to("/v1/registrations").json(&body).await.expect_refused(422, "invalid-fields").naming(missing);
        }
        house.post_to("/v1/registrations").body("application/json", "{").await.expect_refused(400, "malformed-body");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM codes").await, 0);
        assert_eq!(house.app.passwords.made(), 0);
    }

    async fn letters_come_in_the_readers_language(house: House) {
        let body = json!({ "email": ANA, "password": PASSWORD, "name": "林月", "locale": "zh-CN", "policy_version": "2026-11" });
        house.post_to("/v1/registrations").json(&body).await.expect(202);
        assert!(house.mails_to(ANA).await[0].contains("验证码"));
        let body = json!({ "email": "bo@example.test", "password": PASSWORD, "name": "Bo" });
        house.post_to("/v1/registrations").header("Accept-Language", "zh-TW").json(&body).await.expect(202);
        assert!(house.mails_to("bo@example.test").await[0].contains("驗證碼"));
        let refused = house.verify(ANA, "00000000").header("Accept-Language", "zh-HK").await.expect_refused(422, "code-refused");
        assert_eq!(refused["title"], "驗證碼不正確或已過期。");
    }

    async fn what_was_never_verified_goes_after_thirty_days(house: House) {
        house.letters_may_stay();
        house.register(ANA, PASSWORD).await.expect(202);
        house.sign_in(ANA, PASSWORD).await.expect(200);
        house.join_up("eva@example.test").await;
        house.advance(TimeDelta::days(31));
        assert!(releve::sign_in::retention::sweep(&house.app).await.unwrap() >= 3);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM codes").await, 0);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM accounts WHERE email_key LIKE '%@example.test'").await, 1);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM persons WHERE name = 'Ana Ruiz'").await, 1);
        house.register(ANA, PASSWORD).await.expect(202);
    }
}
