//! Nobody is kept out by somebody elsewhere, and nobody takes all of signing in for themselves.

use std::future::IntoFuture as _;

use chrono::TimeDelta;
use releve::sign_in::passwords::{NewPassword, Passwords};
use releve::sign_in::retention;
use serde_json::json;

use crate::accounts::{PASSWORD, Tokens, another};
use crate::house::House;
use crate::speech::Call;

const ANA: &str = "ana@example.test";
const BETTER: &str = "grand jete on tuesday";
const HOME: &str = "198.51.100.7";
const STRANGER: &str = "203.0.113.9";

both_engines_behind_proxy! {
    async fn ten_wrong_passwords_from_elsewhere_keep_nobody_out(house: House) {
        house.join_up(ANA).await;
        for email in [ANA, "nobody@example.test"] {
            for n in 0..10 {
                // The whole network of a stranger counts as one.
                house.sign_in(email, "not-the-password").from(&format!("203.0.113.{n}")).await.expect_refused(401, "sign-in-refused");
            }
            house.sign_in(email, PASSWORD).from(STRANGER).await.expect_refused(429, "too-many-requests");
        }
        house.sign_in(ANA, PASSWORD).from(HOME).await.expect(200);
        // Over a restart too: another process knows it as well.
        house.advance(TimeDelta::seconds(59));
        house.sign_in(ANA, PASSWORD).from(STRANGER).await.expect_refused(429, "too-many-requests");
        house.advance(TimeDelta::seconds(1));
        house.sign_in(ANA, PASSWORD).from(STRANGER).await.expect(200);
    }

    async fn who_changes_networks_within_one_customers_counts_on(house: House) {
        house.join_up(ANA).await;
        // 60 from all of a /48, ten from each /64 in it.
        let from = |household: usize| format!("2001:db8:7:{household:x}::1");
        for household in 0..2 {
            for _ in 0..10 {
                house.sign_in(ANA, "not-the-password").from(&from(household)).await.expect_refused(401, "sign-in-refused");
            }
            house.sign_in(ANA, "not-the-password").from(&from(household)).await.expect_refused(429, "too-many-requests");
        }
        // By now strangers wait, and the whole /48 for one turn together.
        house.sign_in(ANA, "not-the-password").from(&from(2)).await.expect_refused(401, "sign-in-refused");
        let refused = house.sign_in(ANA, "not-the-password").from(&from(3)).await.expect_refused(429, "too-many-requests");
        assert_eq!(refused.header("retry-after"), "15");
        house.advance(TimeDelta::seconds(10));
        let refused = house.sign_in(ANA, PASSWORD).from(&from(4)).await.expect_refused(429, "too-many-requests");
        assert_eq!(refused.header("retry-after"), "5");
        house.post().await;
    }

    async fn many_strangers_make_each_other_wait_and_the_owner_is_told_once_a_day(house: House) {
        house.join_up(ANA).await;
        let from = |n: usize| format!("203.0.{n}.1");
        for n in 0..21 {
            house.sign_in(ANA, "not-the-password").from(&from(n)).await.expect_refused(401, "sign-in-refused");
        }
        // Right or wrong, whoever is new here waits, and is told so before any password is looked at.
        let made = house.app.passwords.made();
        for (password, address) in [("not-the-password", "203.0.200.1"), (PASSWORD, HOME)] {
            let refused = house.sign_in(ANA, password).from(address).await.expect_refused(429, "too-many-requests");
            assert_eq!(refused.header("retry-after"), "15");
        }
        assert_eq!(house.app.passwords.made(), made);
        house.advance(TimeDelta::seconds(14));
        let refused = house.sign_in(ANA, PASSWORD).from(HOME).await.expect_refused(429, "too-many-requests");
        assert_eq!(refused.header("retry-after"), "1");
        house.advance(TimeDelta::seconds(1));
        // A stranger whose turn it is takes nobody else's, and has one try of it.
        house.sign_in(ANA, "not-the-password").from("203.0.200.1").await.expect_refused(401, "sign-in-refused");
        house.sign_in(ANA, PASSWORD).from("203.0.200.1").await.expect_refused(429, "too-many-requests");
        house.sign_in(ANA, PASSWORD).from(HOME).await.expect(200);
        let told = |mails: Vec<String>| mails.iter().filter(|mail| mail.starts_with("Somebody is guessing your password")).count();
        assert_eq!(told(house.mails_to(ANA).await), 1);
        house.advance(TimeDelta::days(1));
        for n in 0..30 {
            house.sign_in(ANA, "not-the-password").from(&from(n)).await;
        }
        assert_eq!(told(house.mails_to(ANA).await), 2);
        // An address that nobody has makes strangers wait as long.
        for n in 0..21 {
            house.sign_in("nobody@example.test", "not-the-password").from(&from(n)).await.expect_refused(401, "sign-in-refused");
        }
        house.sign_in("nobody@example.test", PASSWORD).from(HOME).await.expect_refused(429, "too-many-requests");
    }

    async fn a_device_that_was_here_lately_is_no_stranger(house: House) {
        house.letters_may_stay();
        house.join_up(ANA).await;
        let mei = house.join_up("mei@example.test").await;
        let sign_in = |email: &str, password: &str, token: &str| {
            house.post_to("/v1/tokens").json(&json!({ "email": email, "password": password, "last_refresh_token": token })).from(HOME)
        };
        let here: Tokens = sign_in(ANA, PASSWORD, "nonsense").await.expect(200).into();
        let there: Tokens = house.sign_in(ANA, PASSWORD).from(STRANGER).await.expect(200).into();
        house.delete("/v1/tokens").token(&here.access).await.expect(204);
        // Strangers fill what Ana's own network may try, and make everybody wait.
        for n in 0..30 {
            house.sign_in(ANA, "not-the-password").from(&format!("203.0.{n}.1")).await;
        }
        for n in 0..10 {
            house.sign_in(ANA, "not-the-password").from(&format!("198.51.100.{n}")).await;
        }
        for token in ["nonsense", "", mei.refresh.as_str()] {
            sign_in(ANA, PASSWORD, token).await.expect_refused(429, "too-many-requests");
        }
        sign_in(ANA, PASSWORD, &here.refresh).await.expect(200);
        // It has a count of its own, and its own mistakes fill it.
        for _ in 0..10 {
            sign_in(ANA, "not-the-password", &here.refresh).await.expect_refused(401, "sign-in-refused");
        }
        sign_in(ANA, PASSWORD, &here.refresh).await.expect_refused(429, "too-many-requests");
        sign_in(ANA, PASSWORD, &there.refresh).await.expect(200);
        // What was signed out from elsewhere may be in other hands.
        let devices = house.get("/v1/me/devices").token(&there.access).await.expect(200);
        let others = devices["devices"].as_array().unwrap().iter().filter(|device| device["current"] == false);
        for device in others {
            house.delete(format!("/v1/me/devices/{}", device["id"].as_str().unwrap())).token(&there.access).await.expect(204);
        }
        let again: Tokens = sign_in(ANA, PASSWORD, &there.refresh).await.expect(200).into();
        let path = house.get("/v1/me/devices").token(&there.access).await.expect(200);
        let path = path["devices"].as_array().unwrap().iter().find(|device| device["current"] == false).unwrap()["id"].clone();
        house.delete(format!("/v1/me/devices/{}", path.as_str().unwrap())).token(&there.access).await.expect(204);
        sign_in(ANA, PASSWORD, &again.refresh).await.expect_refused(429, "too-many-requests");
        // After 90 days nobody knows it any more.
        house.delete("/v1/tokens").token(&there.access).await.expect(204);
        sign_in(ANA, PASSWORD, &there.refresh).await.expect(200);
        house.advance(TimeDelta::days(90));
        for n in 0..21 {
            house.sign_in(ANA, "not-the-password").from(&format!("203.0.{n}.1")).await.expect_refused(401, "sign-in-refused");
        }
        sign_in(ANA, PASSWORD, &there.refresh).await.expect_refused(429, "too-many-requests");
    }

    async fn devices_of_who_had_the_account_before_are_strangers(house: House) {
        house.letters_may_stay();
        // Somebody registers with Ana's address and signs in and out; Ana shows that it is hers.
        house.register(ANA, "the attacker's own").await.expect(202);
        let thief: Tokens = house.sign_in(ANA, "the attacker's own").await.expect(200).into();
        house.delete("/v1/tokens").token(&thief.access).await.expect(204);
        house.advance(TimeDelta::minutes(1));
        house.post_to("/v1/password-resets").json(&json!({ "email": ANA })).await.expect(202);
        let reset = json!({ "email": ANA, "code": house.code_to(ANA).await, "password": BETTER });
        house.put("/v1/password-resets").json(&reset).await.expect(204);
        let guess = |password: &str| json!({ "email": ANA, "password": password, "last_refresh_token": thief.refresh });
        for n in 0..21 {
            house.post_to("/v1/tokens").json(&guess("not-the-password")).from(&format!("203.0.{n}.1")).await.expect_refused(401, "sign-in-refused");
        }
        house.post_to("/v1/tokens").json(&guess(BETTER)).from(STRANGER).await.expect_refused(429, "too-many-requests");
    }

    async fn a_mailed_code_ends_the_waiting(house: House) {
        house.join_up(ANA).await;
        for n in 0..30 {
            house.sign_in(ANA, "not-the-password").from(&format!("203.0.{n}.1")).await;
        }
        for n in 0..10 {
            house.sign_in(ANA, "not-the-password").from(&format!("198.51.100.{n}")).await;
        }
        house.sign_in(ANA, PASSWORD).from(HOME).await.expect_refused(429, "too-many-requests");
        house.advance(TimeDelta::seconds(1));
        house.post_to("/v1/password-resets").json(&json!({ "email": ANA })).from(HOME).await.expect(202);
        let reset = json!({ "email": ANA, "code": house.code_to(ANA).await, "password": BETTER });
        house.put("/v1/password-resets").json(&reset).from(HOME).await.expect(204);
        house.sign_in(ANA, BETTER).from(HOME).await.expect(200);
    }

    async fn codes_are_billed_to_who_asks(house: House) {
        house.letters_may_stay();
        let ana = house.join_up(ANA).await;
        house.register("new@example.test", PASSWORD).await.expect(202);
        let ask = |path: &str, email: &str, from: &str| house.post_to(path).json(&json!({ "email": email })).from(from);
        for (path, email) in [("/v1/password-resets", ANA), ("/v1/email-verifications/requests", "new@example.test"), ("/v1/password-resets", "nobody@example.test")] {
            for n in 0..5 {
                ask(path, email, &format!("203.0.113.{n}")).await.expect(202);
            }
            let refused = ask(path, email, STRANGER).await.expect_refused(429, "too-many-requests");
            assert_eq!(refused.header("retry-after"), "720");
            ask(path, email, HOME).await.expect(202);
        }
        // On the page, too, and for somebody who is signed in, on the same network as the stranger.
        let form = |from: &str| house.post_to("/account/deletion").body("application/x-www-form-urlencoded", format!("email={ANA}")).from(from);
        for _ in 0..5 {
            form(STRANGER).await.expect(200);
        }
        form(STRANGER).await.expect(429);
        form(HOME).await.expect(200);
        let change = |email: &str| house.put("/v1/me/email").token(&ana.access).json(&json!({ "email": email, "password": PASSWORD })).from(STRANGER);
        for _ in 0..5 {
            change("other@example.test").await.expect(202);
        }
        change("other@example.test").await.expect_refused(429, "too-many-requests");
        change("another@example.test").await.expect(202);
        let invite = json!({ "email": "bo@example.test", "roles": ["instructor"] });
        let invite = || house.post_to(house.of_studio("invitations")).by(&house.studio.admin).json(&invite).from(STRANGER);
        for _ in 0..5 {
            invite().await.expect(201);
        }
        invite().await.expect_refused(429, "too-many-requests");
    }

    async fn what_strangers_ask_for_and_try_does_not_spoil_the_members_code(house: House) {
        house.letters_may_stay();
        house.join_up(ANA).await;
        house.advance(TimeDelta::seconds(1));
        let ask = |from: &str| house.post_to("/v1/password-resets").json(&json!({ "email": ANA })).from(from);
        let reset = |code: &str, from: &str| house.put("/v1/password-resets").json(&json!({ "email": ANA, "code": code, "password": BETTER })).from(from);
        ask(HOME).await.expect(202);
        let code = house.code_to(ANA).await;
        // A code for a stranger does not end it, and neither do their wrong ones, however many and from wherever.
        ask(STRANGER).await.expect(202);
        let wrong = another(&code);
        for n in 0..30 {
            reset(&wrong, &format!("203.0.{n}.1")).await.expect_refused(422, "code-refused");
        }
        for _ in 0..10 {
            reset(&wrong, STRANGER).await.expect_client_error();
        }
        reset(&wrong, STRANGER).await.expect_refused(429, "too-many-requests");
        // So many wrong ones that only who asked is heard.
        reset(&code, "192.0.2.1").await.expect_refused(422, "code-refused");
        for _ in 0..4 {
            reset(&wrong, HOME).await.expect_refused(422, "code-refused");
        }
        reset(&code, HOME).await.expect(204);
        house.sign_in(ANA, BETTER).from(HOME).await.expect(200);
    }

    async fn a_code_may_be_typed_elsewhere_than_it_was_asked_for(house: House) {
        house.register(ANA, PASSWORD).from(HOME).await.expect(202);
        let code = house.code_to(ANA).await;
        house.verify(ANA, &another(&code)).from("192.0.2.1").await.expect_refused(422, "code-refused");
        house.verify(ANA, &code).from("192.0.2.1").await.expect(200);
    }

    async fn strangers_wrong_codes_do_not_keep_a_registration_from_being_confirmed(house: House) {
        let secret = house.register(ANA, PASSWORD).from(HOME).await.expect(202)["registration_token"].clone();
        let code = house.code_to(ANA).await;
        // From everywhere, and from the same network too.
        for n in 0..30 {
            let besides = if n % 2 == 0 { json!({}) } else { json!({ "password": "not-the-password" }) };
            house.verify_with(ANA, &another(&code), besides).from(&format!("203.0.{n}.1")).await.expect_refused(422, "code-refused");
        }
        for _ in 0..10 {
            house.verify_with(ANA, &another(&code), json!({})).from(HOME).await.expect_refused(422, "code-refused");
        }
        house.verify_with(ANA, &code, json!({})).from(HOME).await.expect_refused(429, "too-many-requests");
        house.verify_with(ANA, &code, json!({})).from("192.0.2.1").await.expect_refused(422, "code-refused");
        // A secret that is nobody's makes nobody known.
        house.verify_with(ANA, &code, json!({ "registration_token": "nonsense" })).from(HOME).await.expect_refused(429, "too-many-requests");
        house.verify_with(ANA, &code, json!({ "registration_token": secret })).from(HOME).await.expect(200);
    }

    async fn who_registered_without_keeping_the_secret_is_heard_where_they_registered(house: House) {
        house.register(ANA, PASSWORD).from(HOME).await.expect(202);
        let code = house.code_to(ANA).await;
        for n in 0..30 {
            house.verify_with(ANA, &another(&code), json!({})).from(&format!("203.0.{n}.1")).await.expect_refused(422, "code-refused");
        }
        house.verify(ANA, &code).from("192.0.2.1").await.expect_refused(422, "code-refused");
        house.verify(ANA, &code).from(HOME).await.expect(200);
    }

    async fn strangers_registrations_keep_nobody_from_registering(house: House) {
        house.letters_may_stay();
        for n in 0..13 {
            house.register(ANA, "the stranger's own").from(&format!("203.0.{n}.1")).await.expect(202);
        }
        house.register(ANA, PASSWORD).from(HOME).await.expect_refused(429, "too-many-requests");
        house.advance(TimeDelta::minutes(1));
        let secret = house.register(ANA, PASSWORD).from(HOME).await.expect(202)["registration_token"].clone();
        let code = house.code_to(ANA).await;
        house.verify_with(ANA, &code, json!({ "registration_token": secret })).from(HOME).await.expect(200);
        house.sign_in(ANA, PASSWORD).from(HOME).await.expect(200);
    }

    async fn an_address_that_many_ask_for_makes_each_wait_once(house: House) {
        house.letters_may_stay();
        house.join_up(ANA).await;
        let ask = |from: &str| house.post_to("/v1/password-resets").json(&json!({ "email": ANA })).from(from);
        for n in 0..12 {
            ask(&format!("203.0.{n}.1")).await.expect(202);
        }
        for from in ["203.0.200.1", HOME] {
            let refused = ask(from).await.expect_refused(429, "too-many-requests");
            assert_eq!(refused.header("retry-after"), "60");
        }
        house.advance(TimeDelta::seconds(60));
        ask(HOME).await.expect(202);
        ask(HOME).await.expect_refused(429, "too-many-requests");
        ask("203.0.200.1").await.expect(202);
    }

    async fn a_503_is_no_try(house: House) {
        let tokens = house.join_up(ANA).await;
        house.advance(TimeDelta::seconds(1));
        house.post_to("/v1/password-resets").json(&json!({ "email": ANA })).await.expect(202);
        let code = house.code_to(ANA).await;
        let full = FullLine::before(&house).await;
        let reset = json!({ "email": ANA, "code": code, "password": BETTER });
        let change = json!({ "old": PASSWORD, "new": BETTER });
        for _ in 0..12 {
            house.sign_in(ANA, PASSWORD).await.expect_refused(503, "busy");
            house.register("new@example.test", PASSWORD).await.expect_refused(503, "busy");
            house.put("/v1/me/password").token(&tokens.access).json(&change).await.expect_refused(503, "busy");
            house.put("/v1/password-resets").json(&reset).await.expect_refused(503, "busy");
        }
        full.let_go().await;
        for _ in 0..10 {
            house.sign_in(ANA, "not-the-password").await.expect_refused(401, "sign-in-refused");
        }
        house.register("new@example.test", PASSWORD).await.expect(202);
        house.put("/v1/me/password").token(&tokens.access).json(&json!({ "old": "not-the-password", "new": BETTER })).await.expect_refused(422, "invalid-fields");
        house.put("/v1/password-resets").json(&reset).await.expect(204);
    }

    async fn a_line_full_of_one_network_lets_others_in(house: House) {
        house.join_up(ANA).await;
        let closed = house.app.passwords.line().close().await.unwrap();
        let greedy: Vec<_> = (0..40).map(|n| tokio::spawn(house.sign_in(&format!("nobody{n}@example.test"), PASSWORD).from(STRANGER).into_future())).collect();
        while house.app.passwords.line().waiting_now() < 32 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let ana = tokio::spawn(house.sign_in(ANA, PASSWORD).from(HOME).into_future());
        // One of the greedy network is sent away for it: nine of its forty in all.
        let mut answers = futures_util::future::select_all(greedy);
        let mut sent_away = 0;
        while sent_away < 9 {
            let (answer, _, left) = answers.await;
            answer.unwrap().expect_refused(503, "busy");
            sent_away += 1;
            answers = futures_util::future::select_all(left);
        }
        drop(closed);
        ana.await.unwrap().expect(200);
    }

    async fn right_passwords_have_a_budget(house: House) {
        house.letters_may_stay();
        house.join_up(ANA).await;
        for _ in 0..40 {
            house.sign_in(ANA, PASSWORD).await.expect(200);
        }
        let made = house.app.passwords.made();
        house.sign_in(ANA, PASSWORD).await.expect_refused(429, "too-many-requests");
        assert_eq!(house.app.passwords.made(), made);
        house.advance(TimeDelta::seconds(30));
        house.sign_in(ANA, PASSWORD).await.expect(200);
    }

    async fn a_wifi_with_forty_people_signs_in(house: House) {
        house.letters_may_stay();
        for n in 0..40 {
            house.register(&format!("member{n}@example.test"), PASSWORD).from(HOME).await.expect(202);
        }
        // Thirty a minute; one in four types it wrong once.
        for n in 0..40 {
            let email = format!("member{n}@example.test");
            if n % 4 == 0 {
                house.sign_in(&email, "not-the-password").from(HOME).await.expect_refused(401, "sign-in-refused");
            }
            house.sign_in(&email, PASSWORD).from(HOME).await.expect(200);
            house.advance(TimeDelta::seconds(2));
        }
    }

    async fn counts_are_forgotten_and_hold_no_address(house: House) {
        house.letters_may_stay();
        house.join_up(ANA).await;
        for n in 0..30 {
            house.sign_in(ANA, "not-the-password").from(&format!("203.0.{n}.1")).await;
        }
        assert!(house.how_many("SELECT COUNT(*) FROM counts").await > 35);
        let longest: (i64,) = house.db.one("SELECT CAST(MAX(LENGTH(key)) AS BIGINT) FROM counts", ()).await.unwrap();
        assert_eq!(longest.0, 16, "keyed hashes");
        house.advance(TimeDelta::days(2));
        // Each count takes some of the old ones away.
        house.sign_in(ANA, "not-the-password").from(STRANGER).await.expect_refused(401, "sign-in-refused");
        assert!(house.how_many("SELECT COUNT(*) FROM counts").await < 30);
        house.advance(TimeDelta::days(2));
        retention::sweep(&house.app).await.unwrap();
        assert_eq!(house.how_many("SELECT COUNT(*) FROM counts").await, 0);
    }

    async fn a_password_that_says_who_chooses_it_is_refused(house: House) {
        let registration = |password: &str| {
            let body = json!({ "email": "mailbox7@lakeside.test", "password": password, "name": "Mei Lin" });
            house.post_to("/v1/registrations").json(&body)
        };
        for password in ["MeiLin2024", "mailbox7@lakeside.test", "Lakeside Mailbox 90", "mailbox7-1990", "Jing'an 2026!", "jinganmei88"] {
            let refused = registration(password).await.expect_refused(422, "invalid-fields").naming("password");
            assert!(refused.text.contains("your name"), "{}", refused.text);
        }
        registration(PASSWORD).await.expect(202);
        let code = house.code_to("mailbox7@lakeside.test").await;
        let tokens: Tokens = house.verify("mailbox7@lakeside.test", &code).await.expect(200).into();
        let change = json!({ "old": PASSWORD, "new": "MeiLin2024!" });
        house.put("/v1/me/password").token(&tokens.access).json(&change).await.expect_refused(422, "invalid-fields").naming("new");
        house.advance(TimeDelta::seconds(1));
        house.post_to("/v1/password-resets").json(&json!({ "email": "mailbox7@lakeside.test" })).await.expect(202);
        let code = house.code_to("mailbox7@lakeside.test").await;
        let reset = |code: &str| house.put("/v1/password-resets").json(&json!({ "email": "mailbox7@lakeside.test", "code": code, "password": "Mei-1990-1990" }));
        // Only who has the mailbox hears what the account is called.
        reset(&another(&code)).await.expect_refused(422, "code-refused");
        reset(&code).await.expect_refused(422, "invalid-fields").naming("password");
        let better = json!({ "email": "mailbox7@lakeside.test", "code": code, "password": BETTER });
        house.put("/v1/password-resets").json(&better).await.expect(204);
    }

    async fn an_old_hash_is_made_anew_at_the_next_sign_in(house: House) {
        house.letters_may_stay();
        house.join_up(ANA).await;
        let mut settings = house.app.settings.sign_in.clone();
        (settings.argon2_memory_kib, settings.argon2_passes) = (16, 2);
        let dearer = Passwords::new(&settings).unwrap();
        let old = dearer.hash(NewPassword::parse(PASSWORD).unwrap()).await.unwrap();
        let stored = old.clone();
        house.write(move |tx| Box::pin(async move { tx.run("UPDATE accounts SET password_hash = $2 WHERE email_key = $1", (ANA, stored)).await })).await;
        let settings = releve::sign_in::store::hash_settings(&house.db).await.unwrap();
        assert!(settings.contains(&"m=16,t=2,p=1".to_owned()), "{settings:?}");
        house.sign_in(ANA, "not-the-password").await.expect_refused(401, "sign-in-refused");
        assert_eq!(house.hash_of(ANA).await, old);
        // Several at once: whoever comes second finds another hash of the same password.
        let calls = (0..4).map(|_| house.sign_in(ANA, PASSWORD).into_future());
        for reply in futures_util::future::join_all(calls).await {
            reply.expect(200);
        }
        let new = house.hash_of(ANA).await;
        assert!(new.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{new}");
        house.sign_in(ANA, PASSWORD).await.expect(200);
        assert_eq!(house.hash_of(ANA).await, new);
    }
}

/// The whole line is taken by others, each from a network of its own: nobody else finds a place.
struct FullLine {
    closed: tokio::sync::OwnedSemaphorePermit,
    others: Vec<tokio::task::JoinHandle<()>>,
}

impl FullLine {
    async fn before(house: &House) -> Self {
        let closed = house.app.passwords.line().close().await.unwrap();
        let wait = |call: Call| tokio::spawn(async move { drop(call.await) });
        let others =
            (0..32).map(|n| wait(house.sign_in(&format!("other{n}@example.test"), PASSWORD).from(&format!("192.0.{n}.1")))).collect();
        while house.app.passwords.line().waiting_now() < 32 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        Self { closed, others }
    }

    async fn let_go(self) {
        drop(self.closed);
        for other in self.others {
            other.await.unwrap();
        }
    }
}

impl House {
    async fn hash_of(&self, email_key: &'static str) -> String {
        self.db.one::<(String,)>("SELECT password_hash FROM accounts WHERE email_key = $1", (email_key,)).await.unwrap().0
    }
}
