//! Registering, and showing that an address is one's own.

use chrono::TimeDelta;
use serde_json::json;

use crate::accounts::{PASSWORD, Tokens, another, code_in};

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

    async fn each_registration_stands_for_itself(house: House) {
        let first = house.register(ANA, "the-first-of-two").await.expect(202)["registration_token"].clone();
        let early: Tokens = house.sign_in(ANA, "the-first-of-two").await.expect(200).into();
        let first_code = house.code_to(ANA).await;
        let leave_behind = |tokens: &Tokens| house.put(format!("/v1/bookings/{}/cancellation", house.new_id())).token(&tokens.access).json(&json!({}));
        leave_behind(&early).await.expect_refused(404, "not-found");
        house.advance(TimeDelta::minutes(1));
        let second = house.register("ANA@Example.test", "the-second-of-two").await.expect(202)["registration_token"].clone();
        let second_code = house.code_to("ANA@example.test").await;
        assert_ne!(first, second);
        // Nothing of the first was touched; of two that wait, the newest is signed in to by its password.
        house.me(&early).await.expect(200);
        let late: Tokens = house.sign_in(ANA, "the-second-of-two").await.expect(200).into();
        leave_behind(&late).await.expect_refused(404, "not-found");
        house.sign_in(ANA, "the-first-of-two").await.expect_refused(401, "sign-in-refused");
        // The code of a registration verifies that registration and no other, whatever shows whose it is.
        for (code, besides) in [
            (&first_code, json!({ "registration_token": second })),
            (&second_code, json!({ "registration_token": first })),
            (&first_code, json!({ "password": "the-second-of-two" })),
            (&second_code, json!({ "password": "the-first-of-two" })),
            (&second_code, json!({ "password": PASSWORD })),
            (&first_code, json!({ "registration_token": "nonsense" })),
        ] {
            house.verify_with(ANA, code, besides).await.expect_refused(422, "code-refused");
        }
        let tokens: Tokens = house.verify_with(ANA, &first_code, json!({ "registration_token": first })).await.expect(200).into();
        assert_eq!(house.me(&tokens).await.expect(200)["email_verified"], true);
        house.me(&early).await.expect_refused(401, "token-refused");
        // The other is over.
        house.verify_with(ANA, &second_code, json!({ "registration_token": second })).await.expect_refused(422, "code-refused");
        house.sign_in(ANA, "the-first-of-two").await.expect(200);
        house.sign_in(ANA, "the-second-of-two").await.expect_refused(401, "sign-in-refused");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM accounts WHERE email_key = 'ana@example.test'").await, 1);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM persons WHERE name = 'Ana Ruiz'").await, 1);
    }

    async fn who_is_signed_in_needs_no_secret(house: House) {
        house.register(ANA, PASSWORD).await.expect(202);
        let before: Tokens = house.sign_in(ANA, PASSWORD).await.expect(200).into();
        let code = house.code_to(ANA).await;
        house.verify_with(ANA, &another(&code), json!({})).token(&before.access).await.expect_refused(422, "code-refused");
        let there: Tokens = house.sign_in(ANA, PASSWORD).await.expect(200).into();
        // The answer was lost: the same call, and the same device.
        house.verify_with(ANA, &code, json!({})).token(&before.access).await.expect(200);
        let tokens: Tokens = house.verify_with(ANA, &code, json!({})).token(&before.access).await.expect(200).into();
        assert_eq!(house.me(&tokens).await.expect(200)["email_verified"], true);
        house.me(&there).await.expect_refused(401, "token-refused");
        house.refresh(&before.refresh).await.expect_refused(401, "token-refused");
        house.refresh(&tokens.refresh).await.expect(200);
        let devices = house.get("/v1/me/devices").token(&tokens.access).await.expect(200);
        assert_eq!(devices["devices"].as_array().unwrap().len(), 1);
    }

    /// A stranger asks for their account to have the address of somebody who is about to register it, or whom a front desk entered by it:
    /// the newest code in that mailbox is then the stranger's.
    async fn a_strangers_change_of_address_opens_nothing(house: House) {
        let members = format!("/v1/studios/{}/members", house.studio.id);
        let entered = house.post_to(&members).by(&house.studio.desk).json(&json!({ "name": "Ana (Tuesdays)", "email": ANA })).await.expect(201);
        // One stranger has confirmed an address of their own, the other has not.
        let verified = house.join_up("stranger@example.test").await;
        house.register("other@example.test", "the stranger's own").await.expect(202);
        let unverified: Tokens = house.sign_in("other@example.test", "the stranger's own").await.expect(200).into();
        for (stranger, password) in [(&verified, PASSWORD), (&unverified, "the stranger's own")] {
            house.advance(TimeDelta::seconds(1));
            let secret = house.register(ANA, "ana's own password").await.expect(202)["registration_token"].clone();
            let own = house.code_to(ANA).await;
            house.advance(TimeDelta::seconds(1));
            house.put("/v1/me/email").token(&stranger.access).json(&json!({ "email": ANA, "password": password })).await.expect(202);
            let newest = house.code_to(ANA).await;
            assert_ne!(own, newest);
            for besides in [json!({}), json!({ "registration_token": secret }), json!({ "password": "ana's own password" })] {
                house.verify_with(ANA, &newest, besides).await.expect_refused(422, "code-refused");
            }
            // The stranger does not have the mailbox.
            house.verify_with(ANA, &another(&newest), json!({})).token(&stranger.access).await.expect_refused(422, "code-refused");
            house.verify_with(ANA, &own, json!({})).token(&stranger.access).await.expect_refused(422, "code-refused");
            if stranger.access == unverified.access {
                let tokens: Tokens = house.verify_with(ANA, &own, json!({ "registration_token": secret })).await.expect(200).into();
                let me = house.me(&tokens).await.expect(200);
                assert_eq!((&me["id"], &me["email"]), (&entered["person_id"], &json!(ANA)));
            }
        }
        house.sign_in(ANA, "ana's own password").await.expect(200);
        for password in [PASSWORD, "the stranger's own"] {
            house.sign_in(ANA, password).await.expect_refused(401, "sign-in-refused");
        }
        // Even with the code: the address is somebody's now.
        let newest = house.code_to(ANA).await;
        house.verify_with(ANA, &newest, json!({})).token(&unverified.access).await.expect_refused(409, "address-taken");
    }

    /// A stranger registers the address once more: the newest code in the mailbox belongs to the stranger's password.
    async fn a_strangers_registration_is_never_confirmed_by_the_mailbox(house: House) {
        let members = format!("/v1/studios/{}/members", house.studio.id);
        let entered = house.post_to(&members).by(&house.studio.desk).json(&json!({ "name": "Ana (Tuesdays)", "email": ANA })).await.expect(201);
        house.advance(TimeDelta::seconds(1));
        house.register(ANA, "ana's own password").await.expect(202);
        house.advance(TimeDelta::seconds(1));
        let stranger = json!({ "email": ANA, "password": "the stranger's own", "name": "Stranger", "locale": "zh-CN", "policy_version": "1" });
        let secret = house.post_to("/v1/registrations").json(&stranger).await.expect(202)["registration_token"].clone();
        let inside: Tokens = house.sign_in(ANA, "the stranger's own").await.expect(200).into();
        house.patch("/v1/me").token(&inside.access).json(&json!({ "phone": "+1 555 0100" })).await.expect(200);
        // What a stranger leaves behind keeps nobody from removing them.
        let leave_behind = |tokens: &Tokens| house.put(format!("/v1/bookings/{}/cancellation", house.new_id())).token(&tokens.access).json(&json!({}));
        leave_behind(&inside).await.expect_refused(404, "not-found");

        // Ana's app shows the newest code: with her password it is refused, alone it confirms the address and signs nobody in.
        let newest = house.code_to(ANA).await;
        house.verify_with(ANA, &newest, json!({ "password": "ana's own password" })).await.expect_refused(422, "code-refused");
        for _ in 0..2 {
            let told = house.verify_with(ANA, &newest, json!({})).await.expect_refused(409, "password-reset-needed");
            assert!(told["access_token"].is_null());
        }
        for password in ["the stranger's own", "ana's own password"] {
            house.sign_in(ANA, password).await.expect_refused(401, "sign-in-refused");
            house.verify_with(ANA, &newest, json!({ "password": password })).await.expect_refused(422, "code-refused");
        }
        house.verify_with(ANA, &newest, json!({ "registration_token": secret })).await.expect_refused(422, "code-refused");
        house.me(&inside).await.expect_refused(401, "token-refused");
        house.refresh(&inside.refresh).await.expect_refused(401, "token-refused");
        // Whoever registers now is told by letter that there is an account.
        house.advance(TimeDelta::seconds(1));
        house.register(ANA, "the stranger's own").await.expect(202);
        assert!(house.mails_to(ANA).await.pop().unwrap().starts_with("You already have an account"));
        house.sign_in(ANA, "the stranger's own").await.expect_refused(401, "sign-in-refused");

        house.advance(TimeDelta::seconds(1));
        house.post_to("/v1/password-resets").json(&json!({ "email": ANA })).await.expect(202);
        let reset = json!({ "email": ANA, "code": house.code_to(ANA).await, "password": "ana's own password" });
        house.put("/v1/password-resets").json(&reset).await.expect(204);
        let tokens: Tokens = house.sign_in(ANA, "ana's own password").await.expect(200).into();
        let me = house.me(&tokens).await.expect(200);
        // Nothing that the stranger said: neither name nor number.
        assert_eq!((&me["id"], &me["name"], &me["phone"]), (&entered["person_id"], &json!("Ana (Tuesdays)"), &json!(null)));
        let export = house.get("/v1/me/export").token(&tokens.access).await.expect(200);
        assert_eq!(export["profile"]["policy_version"], json!(null), "nobody knows who accepted it");
    }

    async fn wrong_codes_of_strangers_take_no_try_from_who_registered(house: House) {
        let secret = house.register(ANA, PASSWORD).await.expect(202)["registration_token"].clone();
        let code = house.code_to(ANA).await;
        // Strangers guess, without the secret, with a password of their own, with a registration of their own.
        house.advance(TimeDelta::seconds(1));
        let others = house.register(ANA, "the stranger's own").await.expect(202)["registration_token"].clone();
        for besides in [json!({ "registration_token": others }), json!({}), json!({ "password": "the stranger's own" })] {
            for _ in 0..5 {
                house.verify_with(ANA, &another(&code), besides.clone()).await.expect_refused(422, "code-refused");
            }
        }
        // They have had as many as one network may have without saying which is meant.
        house.verify_with(ANA, &code, json!({})).await.expect_refused(429, "too-many-requests");
        let made = house.app.passwords.made();
        house.verify_with(ANA, &code, json!({ "password": PASSWORD })).await.expect_refused(429, "too-many-requests");
        assert_eq!(house.app.passwords.made(), made, "limits are asked before the hash");
        house.advance(TimeDelta::minutes(6));
        // Their own tries are used up: of the stranger's registration, and of all who do not say which they mean.
        let newest = house.code_to(ANA).await;
        for (code, besides) in [(&newest, json!({ "registration_token": others })), (&newest, json!({})), (&code, json!({})), (&code, json!({ "password": PASSWORD }))] {
            house.verify_with(ANA, code, besides).await.expect_refused(422, "code-refused");
        }
        house.verify_with(ANA, &code, json!({ "registration_token": secret })).await.expect(200);
    }

    async fn another_code_is_for_the_registration_that_asks(house: House) {
        let secret = house.register(ANA, PASSWORD).await.expect(202)["registration_token"].clone();
        let first = house.code_to(ANA).await;
        house.advance(TimeDelta::minutes(1));
        house.register(ANA, "the stranger's own").await.expect(202);
        house.advance(TimeDelta::minutes(1));
        let ask = json!({ "email": ANA, "registration_token": secret });
        assert_eq!(house.cost(house.post_to("/v1/email-verifications/requests").json(&ask)).await, (0, 2));
        let vain = json!({ "email": ANA, "registration_token": "nonsense" });
        assert_eq!(house.cost(house.post_to("/v1/email-verifications/requests").json(&vain)).await, (0, 2));
        assert_eq!(house.mails_to(ANA).await.len(), 3);
        let code = house.code_to(ANA).await;
        house.verify_with(ANA, &first, json!({ "registration_token": secret })).await.expect_refused(422, "code-refused");
        house.verify_with(ANA, &code, json!({ "registration_token": secret })).await.expect(200);
    }

    async fn an_address_has_few_registrations_that_wait(house: House) {
        house.letters_may_stay();
        for _ in 0..4 {
            for _ in 0..5 {
                house.register(ANA, PASSWORD).await.expect(202);
            }
            house.advance(TimeDelta::hours(1));
        }
        assert_eq!(house.how_many("SELECT COUNT(*) FROM accounts WHERE email_key = 'ana@example.test'").await, 10);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM persons WHERE name = 'Ana Ruiz'").await, 10);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM codes WHERE email_key = 'ana@example.test'").await, 10);
    }

    async fn a_letter_to_an_address_that_nobody_confirmed_carries_no_strangers_words(house: House) {
        let studio = house.get(format!("/v1/studios/{}", house.studio.id)).await.expect(200);
        let change = json!({ "name": "Call 0900 now", "address": "You won, see evil.test", "contact": "evil@evil.test" });
        let path = format!("/v1/studios/{}", house.studio.id);
        house.patch(&path).by(&house.studio.admin).header("If-Match", studio.version()).json(&change).await.expect(200);
        let registration = json!({ "email": ANA, "password": PASSWORD, "name": "Dear customer call 0900" });
        house.post_to("/v1/registrations").json(&registration).await.expect(202);
        house.advance(TimeDelta::seconds(1));
        for path in ["/v1/email-verifications/requests", "/v1/password-resets"] {
            house.post_to(path).json(&json!({ "email": ANA })).await.expect(202);
        }
        house.post_to("/account/deletion").body("application/x-www-form-urlencoded", "email=ana%40example.test").await.expect(200);
        let invitation = json!({ "email": ANA, "roles": ["instructor"] });
        house.post_to(house.of_studio("invitations")).by(&house.studio.admin).json(&invitation).await.expect(201);
        let members = house.of_studio("members");
        let entered = house.post_to(&members).by(&house.studio.desk).json(&json!({ "name": "Call 0900", "email": ANA })).await.expect(201);
        let session = house.session("2026-12-02 18:30", 5).await;
        let booking = json!({ "session_id": session.id, "person_id": entered["person_id"], "unpaid": true, "reason": "call 0900" });
        let id = house.new_id();
        house.put(format!("/v1/bookings/{id}")).by(&house.studio.desk).json(&booking).await.expect(201);
        house.mails_to(ANA).await;
        house.put(format!("/v1/bookings/{id}/cancellation")).by(&house.studio.desk).json(&json!({ "reason": "call 0900" })).await.expect(200);
        let mails = house.whole_mails_to(ANA).await;
        assert_eq!(mails.len(), 8, "{mails:#?}");
        for mail in &mails {
            for words in ["Dear customer", "evil", "Ada", "call 0900"] {
                assert!(!mail.contains(words), "{words}: {mail}");
            }
        }
        // The studio's name stands where a class of it is meant, and nowhere else.
        assert_eq!(mails.iter().filter(|mail| mail.contains("Call 0900 now")).count(), 2, "{mails:#?}");
        assert!(!mails.iter().any(|mail| mail.replace("Call 0900 now", "").contains("Call 0900")), "{mails:#?}");

        // Confirmed, the same person is greeted by the name that this studio knows, and told everything.
        let code = house.code_of_kind(ANA, "Confirm your").await;
        house.verify(ANA, &code).await.expect(200);
        house.advance(TimeDelta::seconds(1));
        let again = json!({ "session_id": session.id, "person_id": entered["person_id"], "unpaid": true, "reason": "call 0900" });
        house.put(format!("/v1/bookings/{}", house.new_id())).by(&house.studio.desk).json(&again).await.expect(201);
        let told = house.mails_to(ANA).await.pop().unwrap();
        assert!(told.contains("Hello Call 0900,") && told.contains("You won, see evil.test"), "{told}");
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
        assert_eq!(refused.header("retry-after"), "720");
        assert_eq!(house.app.passwords.made(), made, "limits are asked before the hash");
        house.post_to("/v1/email-verifications/requests").json(&json!({ "email": ANA })).await.expect_refused(429, "too-many-requests");
        house.register("eva@example.test", PASSWORD).await.expect(202);
        house.advance(TimeDelta::hours(1));
        house.register(ANA, PASSWORD).await.expect(202);
    }

    async fn registering_at_once_ends_in_one_account(house: House) {
        let calls = (0..4).map(|_| std::future::IntoFuture::into_future(house.register(ANA, PASSWORD)));
        let secrets: Vec<_> = futures_util::future::join_all(calls).await.into_iter().map(|reply| reply.expect(202)["registration_token"].clone()).collect();
        let codes: Vec<String> = house.mails_to(ANA).await.iter().filter_map(|mail| code_in(mail)).collect();
        assert_eq!(codes.len(), 4);
        // Which code is whose only the secrets tell.
        let mut confirmed = 0;
        for code in &codes {
            confirmed += u32::from(house.verify_with(ANA, code, json!({ "registration_token": secrets[2] })).await.status == 200);
        }
        assert_eq!(confirmed, 1);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM accounts WHERE email_key = 'ana@example.test'").await, 1);
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
