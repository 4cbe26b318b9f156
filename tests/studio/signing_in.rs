//! Tokens: given, refreshed, lost, stolen, revoked; and how often somebody may try.

use std::future::IntoFuture as _;
use std::time::Duration;

use chrono::TimeDelta;
use releve::app::App;
use releve::db::{Db, Engine};
use releve::letters::transport::Post;
use releve::settings::Settings;
use releve::sign_in::keys::Keys;
use releve::sign_in::tokens::Claims;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::accounts::{PASSWORD, Tokens};
use crate::house::{House, KEY, at_once};

const ANA: &str = "ana@example.test";

both_engines! {
    async fn a_wrong_password_and_an_unknown_address_are_the_same(house: House) {
        house.join_up(ANA).await;
        let made = house.app.passwords.made();
        let wrong = house.sign_in(ANA, "not-the-password").await.expect_refused(401, "sign-in-refused");
        let unknown = house.sign_in("nobody@example.test", "not-the-password").await.expect_refused(401, "sign-in-refused");
        let no_password = house.sign_in(&house.studio.admin.email, "not-the-password").await.expect_refused(401, "sign-in-refused");
        for reply in [&unknown, &no_password] {
            assert_eq!(reply["title"], wrong["title"]);
            assert_eq!(reply.header("www-authenticate"), "Bearer");
        }
        assert_eq!(house.app.passwords.made() - made, 3);
    }

    async fn an_access_token_lasts_fifteen_minutes_to_the_second(house: House) {
        let reply = house.sign_in_at_once(ANA).await;
        assert_eq!((&reply.0["token_type"], &reply.0["expires_in"]), (&json!("Bearer"), &json!(900)));
        let tokens = reply.1;
        house.advance(TimeDelta::seconds(899));
        house.me(&tokens).await.expect(200);
        house.advance(TimeDelta::seconds(1));
        house.me(&tokens).await.expect_refused(401, "token-refused");
        let renewed: Tokens = house.refresh(&tokens.refresh).await.expect(200).into();
        house.me(&renewed).await.expect(200);
        house.get("/v1/me").await.expect_refused(401, "sign-in-required");
        for authorization in ["Bearer", "Bearer ", "Bearer x.y.z", "Basic YTpi", "bearer  "] {
            house.get("/v1/me").header("Authorization", authorization).await.expect_refused(401, "token-refused");
        }
        // For what anybody may read a bad token is told all the same.
        house.get(format!("/v1/studios/{}/sessions?from=2026-12-01&to=2026-12-08", house.studio.id)).token("nonsense").await.expect_refused(401, "token-refused");
    }

    async fn a_lost_refresh_is_sent_again(house: House) {
        let first = house.sign_in_at_once(ANA).await.1;
        let lost: Tokens = house.refresh(&first.refresh).await.expect(200).into();
        house.advance(TimeDelta::minutes(9));
        let second: Tokens = house.refresh(&first.refresh).await.expect(200).into();
        house.me(&second).await.expect(200);
        // Its answer came, it was used: lost again, sent again.
        let lost_again: Tokens = house.refresh(&second.refresh).await.expect(200).into();
        let third: Tokens = house.refresh(&second.refresh).await.expect(200).into();
        house.me(&third).await.expect(200);
        house.refresh(&lost_again.refresh).await.expect_refused(401, "token-refused");
        // That was a token that had died unseen: whoever held it signed the device out.
        house.me(&third).await.expect_refused(401, "token-refused");
        house.refresh(&third.refresh).await.expect_refused(401, "token-refused");
        drop(lost);
    }

    async fn a_stolen_refresh_token_signs_the_device_out(house: House) {
        // The predecessor, after its successor was used; the grandparent; the predecessor after ten minutes.
        for (refreshes, minutes) in [(2, 0), (3, 0), (1, 10)] {
            let email = format!("ana{refreshes}@example.test");
            let first = house.sign_in_at_once(&email).await.1;
            let mut newest = first.clone();
            for _ in 0..refreshes {
                newest = house.refresh(&newest.refresh).await.expect(200).into();
            }
            house.advance(TimeDelta::minutes(minutes));
            house.me(&newest).await.expect(200);
            house.refresh(&first.refresh).await.expect_refused(401, "token-refused");
            house.me(&newest).await.expect_refused(401, "token-refused");
            house.refresh(&newest.refresh).await.expect_refused(401, "token-refused");
        }
        assert_eq!(house.how_many("SELECT COUNT(*) FROM events WHERE action = 'device.token_reused'").await, 3);
    }

    async fn two_refreshes_at_once_leave_one_living_chain(house: House) {
        for round in 0..5 {
            let email = format!("ana{round}@example.test");
            let first = house.sign_in_at_once(&email).await.1;
            let calls = (0..2).map(|_| house.refresh(&first.refresh).into_future());
            let answers: Vec<Tokens> = futures_util::future::join_all(calls).await.into_iter().map(|reply| reply.expect(200).into()).collect();
            let mut living = 0;
            for tokens in answers {
                if house.refresh(&tokens.refresh).await.status == 200 {
                    living += 1;
                }
            }
            assert!(living <= 1, "two chains live");
        }
    }

    async fn a_thief_and_his_victim_at_once_do_not_both_go_on(house: House) {
        house.join_up(ANA).await;
        let process = Process::beside(&house, house.app.settings.clone(), house.db.clone()).await;
        assert_eq!(both_go_on(&house, &process).await, 0);
        process.stop().await;
        // The control: without the row's lock they sometimes do. SQLite's writer cannot be taken away.
        if house.db.engine() == Engine::Postgres {
            let process = Process::beside(&house, house.app.settings.clone(), house.db.without_locks()).await;
            assert!(both_go_on(&house, &process).await > 0, "the guard guards nothing");
            process.stop().await;
        }
        house.letters_may_stay();
    }

    async fn nobody_slips_in_with_a_password_that_is_being_changed(house: House) {
        house.letters_may_stay();
        house.join_up(ANA).await;
        let process = Process::beside(&house, house.app.settings.clone(), house.db.clone()).await;
        assert_eq!(slip_in(&house, &process, ANA, 40).await, 0);
        process.stop().await;
        if house.db.engine() == Engine::Postgres {
            house.join_up("eva@example.test").await;
            let process = Process::beside(&house, house.app.settings.clone(), house.db.without_locks()).await;
            assert!(slip_in(&house, &process, "eva@example.test", 200).await > 0, "the guard guards nothing");
            process.stop().await;
        }
    }

    async fn an_invented_refresh_token_signs_nobody_out(house: House) {
        use base64::Engine as _;
        use base64::prelude::BASE64_URL_SAFE_NO_PAD;
        let tokens = house.sign_in_at_once(ANA).await.1;
        let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(&tokens.refresh).unwrap();
        bytes[20] ^= 1;
        house.refresh(&BASE64_URL_SAFE_NO_PAD.encode(bytes)).await.expect_refused(401, "token-refused");
        for bad in ["", "nonsense", &"A".repeat(60_000)] {
            house.refresh(bad).await.expect_refused(401, "token-refused");
        }
        house.me(&tokens).await.expect(200);
        house.refresh(&tokens.refresh).await.expect(200);
    }

    async fn ninety_days_from_the_last_use(house: House) {
        let tokens = house.sign_in_at_once(ANA).await.1;
        house.advance(TimeDelta::days(89));
        let tokens: Tokens = house.refresh(&tokens.refresh).await.expect(200).into();
        house.advance(TimeDelta::days(90));
        house.refresh(&tokens.refresh).await.expect_refused(401, "token-refused");
    }

    async fn devices_are_seen_and_signed_out(house: House) {
        let here = house.sign_in_at_once(ANA).await.1;
        let body = json!({ "email": ANA, "password": PASSWORD, "device": "Ana's phone" });
        let there: Tokens = house.post_to("/v1/tokens").json(&body).await.expect(200).into();
        let devices = house.get("/v1/me/devices").token(&here.access).await.expect(200);
        let devices = devices["devices"].as_array().unwrap();
        assert_eq!(devices.len(), 2);
        let phone = devices.iter().find(|device| device["name"] == "Ana's phone").unwrap();
        assert_eq!(phone["current"], false);
        assert!(house.mails_to(ANA).await.pop().unwrap().contains("Ana's phone"));

        let path = format!("/v1/me/devices/{}", phone["id"].as_str().unwrap());
        let eva = house.join_up("eva@example.test").await;
        house.delete(&path).token(&eva.access).await.expect_refused(404, "not-found");
        house.delete(&path).token(&here.access).await.expect(204);
        house.me(&there).await.expect_refused(401, "token-refused");
        house.refresh(&there.refresh).await.expect_refused(401, "token-refused");
        house.delete(&path).token(&here.access).await.expect_refused(404, "not-found");
        house.delete("/v1/me/devices/nonsense").token(&here.access).await.expect_refused(404, "not-found");

        house.delete("/v1/tokens").token(&here.access).await.expect(204);
        house.me(&here).await.expect_refused(401, "token-refused");
        house.delete("/v1/tokens").token(&here.access).await.expect_refused(401, "token-refused");
    }

    async fn the_twenty_first_device_signs_out_the_one_longest_unused(house: House) {
        house.letters_may_stay();
        let first = house.sign_in_at_once(ANA).await.1;
        let second: Tokens = house.sign_in(ANA, PASSWORD).await.expect(200).into();
        house.advance(TimeDelta::minutes(1));
        let first: Tokens = house.refresh(&first.refresh).await.expect(200).into();
        for _ in 0..19 {
            house.advance(TimeDelta::seconds(1));
            house.sign_in(ANA, PASSWORD).await.expect(200);
        }
        house.app.identities.forget_person(Uuid::nil());
        let devices = house.get("/v1/me/devices").token(&first.access).await.expect(200);
        assert_eq!(devices["devices"].as_array().unwrap().len(), 20);
        house.refresh(&second.refresh).await.expect_refused(401, "token-refused");
    }

    async fn what_another_process_revokes_holds_after_five_seconds(house: House) {
        let tokens = house.sign_in_at_once(ANA).await.1;
        house.me(&tokens).await.expect(200);
        let now = house.clock.now();
        house.write(move |tx| Box::pin(async move { tx.run("UPDATE devices SET ended_at = $1 WHERE ended_at IS NULL", (now,)).await })).await;
        house.me(&tokens).await.expect(200);
        tokio::time::sleep(Duration::from_millis(5_100)).await;
        house.me(&tokens).await.expect_refused(401, "token-refused");
    }

    async fn two_thousand_members_are_looked_up_together(house: House) {
        let now = house.clock.now();
        let devices: Vec<Uuid> = (0..2_000).map(|_| house.new_id()).collect();
        let rows: Vec<_> = devices.iter().map(|id| (*id, house.studio.admin.id, vec![1_u8], vec![1_u8], now, now)).collect();
        house.write(move |tx| Box::pin(async move {
            tx.rows("INSERT INTO devices (id, person_id, family_hash, current_hash, created_at, used_at) VALUES #", rows).await
        })).await;
        let before = house.app.identities.queries();
        let found = futures_util::future::join_all(devices.iter().map(|id| house.app.identities.of(*id))).await;
        assert!(found.iter().all(|found| found.as_ref().unwrap().as_ref().unwrap().person_id == house.studio.admin.id));
        let again = futures_util::future::join_all(devices.iter().map(|id| house.app.identities.of(*id))).await;
        assert_eq!(again.len(), 2_000);
        let queries = house.app.identities.queries() - before;
        assert!(queries <= 8, "{queries} queries");
    }

    async fn passwords_are_tried_ten_times_then_once_a_minute(house: House) {
        house.letters_may_stay();
        house.join_up(ANA).await;
        house.join_up("eva@example.test").await;
        for email in [ANA, "nobody@example.test"] {
            for _ in 0..10 {
                house.sign_in(email, "not-the-password").await.expect_refused(401, "sign-in-refused");
            }
            let made = house.app.passwords.made();
            let refused = house.sign_in(email, PASSWORD).await.expect_refused(429, "too-many-requests");
            assert_eq!(refused.header("retry-after"), "60");
            assert_eq!(house.app.passwords.made(), made, "limits are asked before the hash");
        }
        house.sign_in("eva@example.test", PASSWORD).await.expect(200);
        house.advance(TimeDelta::seconds(60));
        house.sign_in(ANA, PASSWORD).await.expect(200);
        for _ in 0..15 {
            house.sign_in(ANA, PASSWORD).await.expect(200);
        }
    }

    async fn a_hasher_without_memory_is_no_verdict_on_a_password(house: House) {
        let tokens = house.join_up(ANA).await;
        let (right,): (String,) = house.db.one("SELECT password_hash FROM accounts WHERE email_key = $1", (ANA,)).await.unwrap();
        // More memory than a hash may ask for, as if there were none to be had.
        let greedy = right.replace("m=8,", "m=4194304,");
        house.write(move |tx| Box::pin(async move { tx.run("UPDATE accounts SET password_hash = $2 WHERE email_key = $1", (ANA, greedy)).await })).await;
        // Nothing was tried: it does not count as a try either.
        for _ in 0..12 {
            house.sign_in(ANA, PASSWORD).await.expect_refused(503, "unavailable");
        }
        let change = json!({ "old": PASSWORD, "new": "another-good-password" });
        house.put("/v1/me/password").token(&tokens.access).json(&change).await.expect_refused(503, "unavailable");
        let address = json!({ "email": "ana.ruiz@example.test", "password": PASSWORD });
        house.put("/v1/me/email").token(&tokens.access).json(&address).await.expect_refused(503, "unavailable");
        house.write(move |tx| Box::pin(async move { tx.run("UPDATE accounts SET password_hash = $2 WHERE email_key = $1", (ANA, right)).await })).await;
        house.sign_in(ANA, "not-the-password").await.expect_refused(401, "sign-in-refused");
        house.sign_in(ANA, PASSWORD).await.expect(200);
    }

    async fn a_damaged_hash_is_our_fault(house: House) {
        let tokens = house.join_up(ANA).await;
        house.write(|tx| Box::pin(async { tx.run("UPDATE accounts SET password_hash = $1", ("$argon2id$v=19$m=8,t=1",)).await })).await;
        house.sign_in(ANA, PASSWORD).await.expect_refused(500, "fault");
        let change = json!({ "old": PASSWORD, "new": "another-good-password" });
        house.put("/v1/me/password").token(&tokens.access).json(&change).await.expect_refused(500, "fault");
        // A mailed code is the way out.
        house.post_to("/v1/password-resets").json(&json!({ "email": ANA })).await.expect(202);
        let reset = json!({ "email": ANA, "code": house.code_to(ANA).await, "password": "another-good-password" });
        house.put("/v1/password-resets").json(&reset).await.expect(204);
        house.sign_in(ANA, "another-good-password").await.expect(200);
    }

    async fn an_address_counts_for_failures_only_and_far_higher(house: House) {
        let from = |address: &str| format!("203.0.113.{address}");
        // Nobody is believed who is no trusted proxy.
        for n in 0..300 {
            let call = house.sign_in(&format!("nobody{n}@example.test"), "not-the-password");
            call.header("X-Forwarded-For", from(&(n % 250).to_string())).await.expect_refused(401, "sign-in-refused");
        }
        house.sign_in("somebody@example.test", "not-the-password").header("X-Forwarded-For", from("9")).await.expect_refused(429, "too-many-requests");
        house.verify("somebody@example.test", "12345678").await.expect_refused(429, "too-many-requests");
        // Whoever is signed in, and whoever refreshes, notices nothing.
        house.get("/v1/me").by(&house.studio.admin).await.expect(200);
        house.refresh("nonsense").await.expect_refused(401, "token-refused");
        house.advance(TimeDelta::seconds(3));
        house.sign_in("somebody@example.test", "not-the-password").await.expect_refused(401, "sign-in-refused");
    }

    async fn keys_are_rotated_without_signing_anybody_out(house: House) {
        let tokens = house.sign_in_at_once(ANA).await.1;
        let new_key = "bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldy1uZXc=";
        for (keys, old_is_taken) in [(vec![new_key, KEY], true), (vec![new_key], false)] {
            let mut settings = house.app.settings.clone();
            settings.sign_in.keys = keys.into_iter().map(str::to_owned).collect();
            let process = Process::beside(&house, settings, house.db.clone()).await;
            let url = &process.url;
            let me = house.http.get(format!("{url}/v1/me")).bearer_auth(&tokens.access).send().await.unwrap();
            assert_eq!(me.status() == 200, old_is_taken);
            // The refresh token is no matter of keys, and what it brings is signed with the new one.
            let refresh = house.http.post(format!("{url}/v1/tokens/refresh")).json(&json!({ "refresh_token": tokens.refresh }));
            let answer: serde_json::Value = refresh.send().await.unwrap().json().await.unwrap();
            let access = answer["access_token"].as_str().unwrap();
            assert!(Claims::of(&Keys::new(&[new_key.to_owned()]).unwrap(), access, house.clock.now()).is_some());
            house.me(&Tokens { access: access.into(), refresh: String::new() }).await.expect_refused(401, "token-refused");
            process.stop().await;
        }
    }
}

/// Another process on the same database.
struct Process {
    app: App,
    url: String,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Process {
    async fn beside(house: &House, settings: Settings, db: Db) -> Self {
        let post = Post::open(&settings).unwrap();
        let app = App::new(settings, db, house.clock.clone(), post).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(releve::server::serve(app.clone(), listener, at_once(stopped)));
        Self { app, url, stop, served }
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.served.await.unwrap();
        self.app.close_transactor().await;
    }
}

/// Whether somebody who signs in with a password while it is being changed stays signed in, in any of these tries.
async fn slip_in(house: &House, process: &Process, email: &str, rounds: usize) -> usize {
    let mut count = 0;
    let mut old = PASSWORD.to_owned();
    for round in 0..rounds {
        let new = format!("{round} plies and a tendu");
        house.advance(TimeDelta::hours(1));
        let own: Tokens = house.sign_in(email, &old).await.expect(200).into();
        let change = house.http.put(format!("{}/v1/me/password", process.url)).bearer_auth(&own.access);
        let change = change.json(&json!({ "old": old, "new": new })).send();
        let sign_in = async {
            tokio::time::sleep(Duration::from_micros(u64::try_from(round % 10).unwrap() * 300)).await;
            let call = house.http.post(format!("{}/v1/tokens", process.url)).json(&json!({ "email": email, "password": old }));
            call.send().await.unwrap().json::<serde_json::Value>().await.unwrap()
        };
        let (changed, signed_in) = tokio::join!(change, sign_in);
        assert_eq!(changed.unwrap().status(), 204);
        if let Some(token) = signed_in["refresh_token"].as_str() {
            count += usize::from(house.refresh(token).await.status == 200);
        }
        if count > 0 {
            break;
        }
        old = new;
    }
    count
}

/// How often a refresh token and its predecessor, shown at the same instant, were both taken.
async fn both_go_on(house: &House, process: &Process) -> usize {
    let mut count = 0;
    for _ in 0..60 {
        // As fast as right passwords may be given for ever.
        house.advance(TimeDelta::seconds(30));
        let stolen: Tokens = house.sign_in(ANA, PASSWORD).await.expect(200).into();
        let current: Tokens = house.refresh(&stolen.refresh).await.expect(200).into();
        let show = |token: &str| {
            let call = house.http.post(format!("{}/v1/tokens/refresh", process.url)).json(&json!({ "refresh_token": token })).send();
            async { call.await.unwrap().status() == 200 }
        };
        let (one, other) = tokio::join!(show(&current.refresh), show(&stolen.refresh));
        assert!(one || other, "one of them comes first");
        count += usize::from(one && other);
        if count > 0 {
            break;
        }
    }
    count
}

impl House {
    /// Registers, verifies and signs in; the answer and its tokens.
    async fn sign_in_at_once(&self, email: &str) -> (serde_json::Value, Tokens) {
        self.register(email, PASSWORD).await.expect(202);
        let code = self.code_to(email).await;
        let reply = self.verify(email, &code).await.expect(200);
        (reply.body.clone(), reply.into())
    }
}
