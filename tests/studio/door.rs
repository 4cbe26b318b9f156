//! The door: what happened at it can be seen by whom it concerns, and nobody wears it out.

use chrono::TimeDelta;
use releve::db::Engine;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::accounts::{PASSWORD, Tokens, another};
use crate::house::House;
use crate::seed::Person;
use crate::speech::Reply;

const ANA: &str = "ana@example.test";

impl House {
    /// The events of a page of this address, the newest first: kind, count.
    async fn seen(&self, path: &str, token: &str) -> Vec<Value> {
        let page = self.get(path).token(token).await.expect(200);
        page["events"].as_array().unwrap().clone()
    }

    async fn my_events(&self, token: &str) -> Vec<Value> {
        self.seen("/v1/me/security-events", token).await
    }

    /// How many of this kind there are.
    async fn sightings(&self, kind: &'static str) -> (i64, i64) {
        let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM security_events WHERE kind = $1";
        self.db.one(sql, (kind,)).await.unwrap()
    }
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

fn of<'e>(events: &'e [Value], kind: &str) -> &'e Value {
    events.iter().find(|event| event["kind"] == kind).unwrap_or_else(|| panic!("no {kind}: {events:?}"))
}

/// Nothing that says who somebody is: no address, no name, no network.
fn says_nothing_of_anybody(page: &Reply) {
    for word in ["@", "Ana", "Ruiz", "127.0.0.1", "example.test"] {
        assert!(!page.text.contains(word), "{word}: {}", page.text);
    }
}

both_engines! {
    async fn a_member_sees_what_was_tried_on_their_account(house: House) {
        let tokens = house.join_up(ANA).await;
        for _ in 0..3 {
            house.sign_in(ANA, "not-the-password").await.expect_refused(401, "sign-in-refused");
        }
        let signed_in: Tokens = house.sign_in(ANA, PASSWORD).await.expect(200).into();
        house.post_to("/v1/password-resets").json(&json!({ "email": ANA })).await.expect(202);
        let code = house.code_to(ANA).await;
        let reset = json!({ "email": ANA, "code": another(&code), "password": "another-good-password" });
        house.put("/v1/password-resets").json(&reset).await.expect_refused(422, "code-refused");
        let change = json!({ "old": "not-mine-at-all", "new": "another-good-password" });
        house.put("/v1/me/password").token(&signed_in.access).json(&change).await.expect_refused(422, "invalid-fields");
        house.get("/v1/me/export").token(&signed_in.access).await.expect(200);
        house.delete("/v1/tokens").token(&signed_in.access).await.expect(204);

        let page = house.get("/v1/me/security-events").token(&tokens.access).await;
        // Signing in by code signs all other devices out, signing in by password none: this one still is.
        let page = page.expect(200);
        says_nothing_of_anybody(&page);
        let events = page["events"].as_array().unwrap().clone();
        let refused = of(&events, "sign_in_refused");
        assert_eq!((&refused["count"], &refused["person_id"], &refused["address"]), (&json!(3), &events[0]["person_id"], &Value::Null));
        assert!(refused["network"].as_str().is_some_and(|mark| mark.len() == 16), "{refused}");
        for (kind, count) in [("code_refused", 1), ("code_asked", 1), ("password_refused", 1), ("exported", 1), ("signed_out", 1), ("address_verified", 1)] {
            assert_eq!(of(&events, kind)["count"], count, "{events:?}");
        }
        assert_eq!(events.iter().filter(|event| event["kind"] == "signed_in").count(), 2, "{events:?}");
        let networks: Vec<&Value> = events.iter().map(|event| &event["network"]).filter(|mark| !mark.is_null()).collect();
        assert!(networks.iter().all(|mark| *mark == networks[0]), "all from one network: {events:?}");
        assert!(events.iter().all(|event| event["by"].is_null()), "{events:?}");
        // Nobody else sees any of it.
        let eva = house.join_up("eva@example.test").await;
        assert!(house.my_events(&eva.access).await.iter().all(|event| event["person_id"] != events[0]["person_id"]));
    }

    async fn an_address_that_nobody_has_is_written_down_the_same_and_only_as_a_hash(house: House) {
        house.join_up(ANA).await;
        for email in [ANA, "nobody@example.test"] {
            for _ in 0..2 {
                house.sign_in(email, "not-the-password").await.expect_refused(401, "sign-in-refused");
            }
            house.post_to("/v1/password-resets").json(&json!({ "email": email })).await.expect(202);
        }
        // While somebody waits nothing is written, whoever it is.
        assert_eq!(house.sightings("sign_in_refused").await, (0, 0));
        assert_eq!(house.sightings("code_asked").await, (0, 0));
        let owner = &house.studio.owner.token;
        let page = house.get("/v1/security-events").token(owner).await.expect(200);
        says_nothing_of_anybody(&page);
        assert_eq!(house.sightings("sign_in_refused").await, (2, 4));
        assert_eq!(house.sightings("code_asked").await, (2, 2));
        let refused: Vec<&Value> = page["events"].as_array().unwrap().iter().filter(|event| event["kind"] == "sign_in_refused").collect();
        let unknown = refused.iter().find(|event| event["person_id"].is_null()).unwrap();
        assert!(unknown["address"].as_str().is_some_and(|mark| mark.len() == 16), "{unknown}");
        assert!(refused.iter().any(|event| event["person_id"].is_string() && event["address"].is_null()), "{refused:?}");
        house.letters_may_stay();
    }

    async fn too_many_tries_are_told_too(house: House) {
        let tokens = house.join_up(ANA).await;
        for _ in 0..10 {
            house.sign_in(ANA, "not-the-password").await.expect_refused(401, "sign-in-refused");
        }
        house.sign_in(ANA, PASSWORD).await.expect_refused(429, "too-many-requests");
        let events = house.my_events(&tokens.access).await;
        assert_eq!((&of(&events, "sign_in_refused")["count"], &of(&events, "sign_in_limited")["count"]), (&json!(10), &json!(1)));
    }

    async fn a_flood_of_refusals_is_a_few_lines(house: House) {
        let tokens = house.join_up(ANA).await;
        for n in 0..120 {
            house.sign_in(&format!("nobody{n}@example.test"), "not-the-password").await.expect_refused(401, "sign-in-refused");
        }
        house.sign_in(ANA, "not-the-password").await.expect_refused(401, "sign-in-refused");
        assert_eq!(of(&house.my_events(&tokens.access).await, "sign_in_refused")["count"], 1, "the one that counts is not lost among them");
        let (lines, tries) = house.sightings("sign_in_refused").await;
        assert_eq!((lines, tries), (20 + 1 + 1, 121));
        // The same again within the hour adds to what is there; the next hour begins anew.
        house.sign_in(ANA, "not-the-password").await.expect_refused(401, "sign-in-refused");
        assert_eq!(of(&house.my_events(&tokens.access).await, "sign_in_refused")["count"], 2);
        house.advance(TimeDelta::hours(1));
        let tokens: Tokens = house.refresh(&tokens.refresh).await.expect(200).into();
        house.sign_in(ANA, "not-the-password").await.expect_refused(401, "sign-in-refused");
        assert_eq!(of(&house.my_events(&tokens.access).await, "sign_in_refused")["count"], 1);
    }

    async fn a_studio_sees_roles_refused_rights_and_the_sign_ins_of_its_staff(house: House) {
        let (studio, ana) = (house.studio.clone(), house.member("Ana").await);
        let path = format!("/v1/studios/{}/security-events", studio.id);
        let staff = |person: &Person| format!("/v1/studios/{}/staff/{}", studio.id, person.id);
        house.put(format!("/v1/studios/{}/members/me", studio.id)).by(&ana).await.expect(200);
        house.put(staff(&ana)).by(&studio.admin).json(&json!({"roles": ["front_desk"]})).await.expect(200);
        house.get(format!("/v1/studios/{}/staff", studio.id)).by(&studio.desk).await.expect_refused(403, "not-allowed");
        house.post_to(format!("/v1/studios/{}/invitations", studio.id)).by(&studio.owner).json(&json!({"email": "new@example.test", "roles": ["instructor"]})).await.expect(201);
        house.sign_in(&studio.desk.email, "not-the-password").await.expect_refused(401, "sign-in-refused");
        let member = house.member("Bo").await;
        house.sign_in(&member.email, "not-the-password").await.expect_refused(401, "sign-in-refused");

        let events = house.seen(&path, &studio.admin.token).await;
        let roles = of(&events, "roles_set");
        assert_eq!((&roles["person_id"], &roles["by"]), (&json!(ana.id), &json!(studio.admin.id)));
        let refused = of(&events, "right_refused");
        assert_eq!((&refused["person_id"], &refused["studio_id"]), (&json!(studio.desk.id), &json!(studio.id)));
        assert_eq!(of(&events, "staff_invited")["by"], json!(studio.owner.id));
        let sign_ins: Vec<&Value> = events.iter().filter(|event| event["kind"] == "sign_in_refused").collect();
        assert_eq!(sign_ins.iter().map(|event| &event["person_id"]).collect::<Vec<_>>(), [&json!(studio.desk.id)], "a member's is not the studio's");
        // The member's own, and for the owner everything.
        let mine = house.my_events(&ana.token).await;
        assert_eq!(kinds(&mine), ["roles_set"]);
        assert_eq!(house.seen("/v1/security-events", &studio.owner.token).await.iter().filter(|event| event["kind"] == "sign_in_refused").count(), 2);

        // Another studio's are another's.
        let other = house.second_studio().await;
        house.get(&path).by(&other.admin).await.expect_refused(403, "not-allowed");
        assert_eq!(kinds(&house.seen(&format!("/v1/studios/{}/security-events", other.id), &other.admin.token).await), Vec::<&str>::new());
        for person in [&studio.admin, &studio.desk, &ana] {
            house.get("/v1/security-events").by(person).await.expect_refused(403, "not-allowed");
        }
        for person in [&studio.desk, &studio.instructor, &member] {
            house.get(&path).by(person).await.expect_refused(403, "not-allowed");
        }
    }

    async fn pages_follow_each_other(house: House) {
        house.join_up(ANA).await;
        let mut tokens: Vec<Tokens> = Vec::new();
        for _ in 0..5 {
            house.advance(TimeDelta::seconds(1));
            tokens.push(house.sign_in(ANA, PASSWORD).await.expect(200).into());
        }
        let token = &tokens[4].access;
        let all: Vec<Value> = house.my_events(token).await.into_iter().map(|event| event["id"].clone()).collect();
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = house.get(format!("/v1/me/security-events?limit=2{after}")).token(token).await.expect(200);
            found.extend(page["events"].as_array().unwrap().iter().map(|event| event["id"].clone()));
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert!(found.len() >= 7, "{found:?}");
        assert_eq!(found, all);
        house.get("/v1/me/security-events?after=nonsense").token(token).await.expect_refused(422, "invalid-fields").naming("after");
        house.letters_may_stay();
    }

    async fn they_live_for_ninety_days_and_whoever_is_deleted_leaves_no_trace_in_them(house: House) {
        let (ana, eva) = (house.member("Ana").await, house.member("Eva").await);
        for email in [&ana.email, &eva.email] {
            house.sign_in(email, "not-the-password").await.expect_refused(401, "sign-in-refused");
        }
        house.ask_deletion(&ana).await.expect(200);
        assert_eq!(kinds(&house.my_events(&eva.token).await), ["sign_in_refused"]);
        house.advance(TimeDelta::days(8));
        house.sweep().await;
        let traces = "SELECT COUNT(*) FROM security_events WHERE person_id = $1 AND (network IS NOT NULL OR device_id IS NOT NULL)";
        assert_eq!(house.count(traces, ana.id).await, 0);
        assert!(house.count(traces, eva.id).await > 0);
        assert!(house.count("SELECT COUNT(*) FROM security_events WHERE person_id = $1 AND kind = 'person_deleted'", ana.id).await == 1);
        releve::sweeps::retention(&house.app).await.unwrap();
        assert_eq!(house.sightings("sign_in_refused").await.0, 2, "not yet");
        house.advance(TimeDelta::days(83));
        releve::sweeps::retention(&house.app).await.unwrap();
        assert_eq!(house.sightings("sign_in_refused").await.0, 0);
        assert!(house.sightings("person_deleted").await.0 == 1, "a week younger");
    }

    async fn ids_that_never_were_are_withdrawn_a_hundred_times_a_day(house: House) {
        let ana = house.member("Ana").await;
        let booking = house.book(&ana, &house.session("2026-12-03 18:30", 12).await).await.expect_booked();
        let withdraw = |id: Uuid| house.put(format!("/v1/bookings/{id}/cancellation")).by(&ana).json(&json!({}));
        for _ in 0..100 {
            withdraw(house.new_id()).await.expect_refused(404, "not-found");
        }
        withdraw(house.new_id()).await.expect_refused(429, "too-many-requests");
        assert_eq!(house.how_many("SELECT COUNT(*) FROM withdrawn_bookings").await, 100);
        // What is can be cancelled all the same.
        withdraw(booking.id).await.expect(200);
        house.advance(TimeDelta::minutes(15));
        withdraw(house.new_id()).await.expect_refused(404, "not-found");
    }

    async fn what_a_person_left_behind_is_bounded(house: House) {
        let (ana, devices) = (house.member("Ana").await, house.join_up(ANA).await);
        // A calendar made and revoked again and again.
        let mut refused = 0;
        for _ in 0..50 {
            let made = house.post_to("/v1/me/calendars").by(&ana).json(&json!({"kind": "bookings"})).await;
            match made.status {
                201 => drop(house.delete(format!("/v1/me/calendars/{}", made.id())).by(&ana).await.expect(204)),
                _ => {
                    made.expect_refused(429, "too-many-requests");
                    refused += 1;
                }
            }
        }
        assert_eq!(refused, 10);
        for _ in 0..130 {
            house.advance(TimeDelta::seconds(31));
            house.sign_in(ANA, PASSWORD).await.expect(200);
        }
        let ended = "SELECT COUNT(*) FROM devices d JOIN accounts a ON a.person_id = d.person_id WHERE a.email_key = 'ana@example.test'";
        assert_eq!(house.how_many(ended).await, 20 + 100);
        house.me(&devices).await.expect_refused(401, "token-refused");
        house.letters_may_stay();
    }

    async fn many_calendar_addresses_are_read_no_oftener_than_one(house: House) {
        let ana = house.member("Ana").await;
        let mut urls = Vec::new();
        for _ in 0..4 {
            let made = house.post_to("/v1/me/calendars").by(&ana).json(&json!({"kind": "bookings"})).await.expect(201);
            urls.push(made["url"].as_str().unwrap().strip_prefix(&house.app.settings.server.public_url).unwrap().to_owned());
        }
        for n in 0..120 {
            house.get(&urls[n % 4]).await.expect(200);
        }
        for url in &urls {
            house.get(url).await.expect_refused(429, "too-many-requests");
        }
        house.advance(TimeDelta::seconds(60));
        let again = house.get(&urls[0]).await.expect(200);
        house.get(&urls[0]).header("If-None-Match", again.header("etag")).await.expect(304);
    }

    /// Somebody who can write to the database moves a sealed code into a letter of their own.
    async fn a_sealed_code_opens_in_its_own_row_alone(house: House) {
        house.letters_may_stay();
        house.join_up(ANA).await;
        house.join_up("eve@example.test").await;
        for email in [ANA, "eve@example.test"] {
            house.post_to("/v1/password-resets").json(&json!({ "email": email })).await.expect(202);
        }
        house.write(|tx| Box::pin(async move {
            let sql = "UPDATE letters SET sealed_code = (SELECT sealed_code FROM letters WHERE to_email = 'ana@example.test' AND state = 'queued') \
                       WHERE to_email = 'eve@example.test' AND state = 'queued'";
            tx.run(sql, ()).await
        })).await;
        house.post().await;
        let sql = "SELECT to_email, state FROM letters WHERE kind = 'password_code' ORDER BY to_email";
        let fates: Vec<(Option<String>, String)> = house.db.all(sql, ()).await.unwrap();
        let of = |email: &str, state: &str| (Some(email.to_owned()), state.to_owned());
        assert_eq!(fates, [of(ANA, "sent"), of("eve@example.test", "failed")]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_runs_the_process_has_a_port_of_its_own() {
    let together = House::open(Engine::Sqlite).await.unwrap();
    for path in ["/healthz", "/readyz", "/metrics"] {
        together.get(path).await.expect(200);
    }
    together.close().await;
    let apart = House::open_with(Engine::Sqlite, |settings| settings.server.private_port = 1).await.unwrap();
    apart.get("/healthz").await.expect(200);
    apart.get("/v1/studios").await.expect(200);
    for path in ["/readyz", "/metrics"] {
        apart.get(path).await.expect_refused(404, "not-found");
    }
    apart.close().await;
}

/// The page that shows the API runs no script that does not stand in a file of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_says_what_it_may_load() {
    let house = House::open(Engine::Sqlite).await.unwrap();
    for path in ["/", "/docs/", "/account/deletion", &format!("/b/{}", house.new_id()), "/openapi.json", "/v1/studios", "/healthz"] {
        let answer = house.get(path).await.expect(200);
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{path}: {policy}");
        let scripts = policy.split(';').find(|part| part.trim().starts_with("script-src")).unwrap_or_default();
        assert!(!scripts.contains("unsafe"), "{path}: {policy}");
        // Nobody else reads where one came from; a page with a form says it to its own origin, which older browsers have to show.
        let referrer = if path.starts_with("/b/") { "same-origin" } else { "no-referrer" };
        assert_eq!(answer.header("referrer-policy"), referrer, "{path}");
    }
    let page = house.get("/docs/").await.expect(200);
    assert_eq!(page.text.matches("<script").count(), page.text.matches("<script src=").count(), "{}", page.text);
    for file in ["page.css", "page.js", "swagger-ui.css", "swagger-ui-bundle.js"] {
        assert!(page.text.contains(file), "{file}");
        assert!(house.get(format!("/docs/{file}")).await.expect(200).header("content-type").starts_with("text/"), "{file}");
    }
    house.close().await;
}
