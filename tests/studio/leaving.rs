//! A person's own data: shown, changed, exported, erased.

use chrono::TimeDelta;
use releve::transactor::Command;
use serde_json::{Value, json};

use crate::accounts::{PASSWORD, Tokens, another};

const ANA: &str = "ana@example.test";

both_engines! {
    async fn a_member_changes_their_own_account(house: House) {
        let tokens = house.join_up(ANA).await;
        let change = |body: Value| house.patch("/v1/me").token(&tokens.access).json(&body);
        let me = change(json!({ "phone": "138 0000 1111", "locale": "zh-TW" })).await.expect(200);
        assert_eq!((&me["name"], &me["phone"], &me["locale"]), (&json!("Ana Ruiz"), &json!("138 0000 1111"), &json!("zh-Hant")));
        let refused = house.post_to("/v1/bookings").token(&tokens.access).await;
        assert!(matches!(refused.status, 404 | 405));
        let refused = house.get("/v1/me/devices/x").token(&tokens.access).await;
        assert_eq!(refused.status, 405);
        let me = change(json!({ "name": "Ana R.", "phone": null })).await.expect(200);
        assert_eq!((&me["name"], &me["phone"], &me["locale"]), (&json!("Ana R."), &json!(null), &json!("zh-Hant")));
        assert_eq!(me.body, house.me(&tokens).await.expect(200).body);
        change(json!({ "email": "x@example.test" })).await.expect_refused(422, "invalid-fields").naming("email");
        change(json!({ "name": null, "locale": "fr" })).await.expect_refused(422, "invalid-fields").naming("locale");
        // Nothing said in Accept-Language: the person's own language.
        let refused = house.delete(format!("/v1/me/devices/{}", house.new_id())).token(&tokens.access).await.expect_refused(404, "not-found");
        assert_eq!(refused["title"], "找不到相關內容。");
    }

    async fn a_member_takes_everything_along(house: House) {
        let ana = house.member("Ana").await;
        let session = house.session("2026-12-02 18:30", 5).await;
        let booking = house.book(&ana, &session).await.expect_booked();
        house.post().await;
        let export = house.get("/v1/me/export").by(&ana).await.expect(200);
        assert_eq!(export["profile"]["email"], ana.email);
        assert_eq!(export["memberships"][0]["studio"], "Jing'an");
        assert_eq!(export["bookings"][0]["id"], json!(booking.id));
        assert_eq!(export["bookings"][0]["class_type"]["en"], "Barre Sculpt");
        let pass = &export["passes"][0];
        let mut reasons: Vec<&str> = pass["ledger"].as_array().unwrap().iter().map(|entry| entry["reason"].as_str().unwrap()).collect();
        reasons.sort_unstable();
        assert_eq!((&pass["credits_left"], reasons), (&json!(9), vec!["booked", "sold"]));
        assert_eq!(export["letters"][0]["kind"], "booked");
        assert!(export["letters"][0]["body_text"].as_str().unwrap().contains("Barre Sculpt"));
        assert_eq!(export["devices"][0]["current"], true);
        assert_eq!(export["calendars"], json!([]));
        let made = house.post_to("/v1/me/calendars").by(&ana).json(&json!({"kind": "bookings"})).await.expect(201);
        assert!(export.header("content-disposition").starts_with("attachment"));
        // No code, no hash, no token.
        house.post_to("/v1/password-resets").json(&json!({ "email": ana.email })).await.expect(202);
        let code = house.code_to(&ana.email).await;
        let export = house.get("/v1/me/export").by(&ana).await.expect(200);
        assert!(!export.text.contains(&code) && !export.text.contains("hash"), "{}", export.text);
        let secret = made["url"].as_str().unwrap().rsplit('/').next().unwrap().trim_end_matches(".ics").to_owned();
        assert!(!export.text.contains(&secret), "{}", export.text);
        let calendar = &export["calendars"][0];
        assert_eq!((&calendar["id"], &calendar["kind"], &calendar["revoked_at"]), (&json!(made.id()), &json!("bookings"), &Value::Null));
        for _ in 0..3 {
            house.get("/v1/me/export").by(&ana).await.expect(200);
        }
        house.get("/v1/me/export").by(&ana).await.expect_refused(429, "too-many-requests");
    }

    async fn a_deletion_is_undone(house: House) {
        let tokens = house.join_up(ANA).await;
        let ask = |tokens: &Tokens| house.put("/v1/me/deletion").token(&tokens.access).json(&json!({ "password": PASSWORD }));
        let asked = ask(&tokens).await.expect(200);
        house.advance(TimeDelta::days(1));
        let tokens: Tokens = house.refresh(&tokens.refresh).await.expect(200).into();
        let again = ask(&tokens).await.expect(200);
        assert_eq!(asked.body, again.body);
        assert_eq!(house.me(&tokens).await.expect(200)["deletion_due_at"], asked["due_at"]);
        house.delete("/v1/me/deletion").token(&tokens.access).await.expect(204);
        house.delete("/v1/me/deletion").token(&tokens.access).await.expect(204);
        house.advance(TimeDelta::days(8));
        house.sweep().await;
        house.sign_in(ANA, PASSWORD).await.expect(200);
    }

    async fn after_seven_days_a_member_is_forgotten(house: House) {
        let ana = house.member("Ana").await;
        let bo = house.member("Bo").await;
        let soon = house.session("2026-12-02 18:30", 5).await;
        let later = house.session("2026-12-10 18:30", 1).await;
        house.book(&ana, &soon).await.expect_booked();
        house.book(&ana, &later).await.expect_booked();
        house.book(&bo, &later).or_wait().await.expect_waitlisted(1);
        let removed = house.book(&ana, &house.session("2026-12-03 18:30", 5).await).await.expect_booked();
        let body = json!({"return": "all", "reason": "Ana has hurt a knee"});
        house.put(format!("/v1/bookings/{}/cancellation", removed.id)).by(&house.studio.desk).json(&body).await.expect(200);
        let calendar = house.post_to("/v1/me/calendars").by(&ana).json(&json!({"kind": "bookings"})).await.expect(201);
        let calendar = calendar["url"].as_str().unwrap().split_once("/calendars/").unwrap().1.to_owned();
        house.get(format!("/calendars/{calendar}")).await.expect(200);
        house.ask_deletion(&ana).await.expect(200);
        house.advance(TimeDelta::days(7) - TimeDelta::seconds(1));
        house.sweep().await;
        house.get("/v1/me").by(&ana).await.expect(200);
        house.advance(TimeDelta::seconds(1));
        house.delete("/v1/me/deletion").by(&ana).await.expect_refused(409, "deletion-pending");
        house.sweep().await;
        house.app.identities.forget_person(ana.id);
        house.get("/v1/me").by(&ana).await.expect_refused(401, "token-refused");
        house.sign_in(&ana.email, PASSWORD).await.expect_refused(401, "sign-in-refused");

        // The place went to who waited, the credit came back to the books, and nothing says who Ana was.
        let upcoming = house.get("/v1/me/bookings").by(&bo).await.expect(200);
        assert_eq!(upcoming["bookings"][0]["status"], "booked");
        let (name, email): (String, Option<String>) =
            house.db.one("SELECT name, email FROM persons WHERE id = $1", (ana.id,)).await.unwrap();
        assert_eq!((name.as_str(), email), ("", None));
        let (credits,): (i64,) = house.db.one("SELECT credits_left FROM passes WHERE person_id = $1", (ana.id,)).await.unwrap();
        assert_eq!(credits, 9);
        for (sql, count) in [
            ("SELECT COUNT(*) FROM devices WHERE person_id = $1", 0),
            ("SELECT COUNT(*) FROM accounts WHERE person_id = $1", 0),
            ("SELECT COUNT(*) FROM calendar_feeds WHERE person_id = $1", 0),
            ("SELECT COUNT(*) FROM members WHERE person_id = $1 AND (name <> '' OR phone IS NOT NULL)", 0),
            ("SELECT COUNT(*) FROM letters WHERE person_id = $1 AND (body_text IS NOT NULL OR to_email IS NOT NULL)", 0),
            ("SELECT COUNT(*) FROM letters WHERE person_id = $1 AND state IN ('queued', 'retrying')", 0),
            ("SELECT COUNT(*) FROM bookings WHERE person_id = $1", 3),
            ("SELECT COUNT(*) FROM bookings WHERE person_id = $1 AND ended_reason IS NOT NULL", 0),
        ] {
            assert_eq!(house.db.one::<(i64,)>(sql, (ana.id,)).await.unwrap().0, count, "{sql}");
        }
        house.get(format!("/calendars/{calendar}")).await.expect_refused(404, "not-found");
        let found = house.get(format!("/v1/studios/{}/members?q=ana", house.studio.id)).by(&house.studio.desk).await.expect(200);
        assert_eq!(found["members"], json!([]));
        // The address is free again, and whoever has it now is somebody else.
        let tokens = house.join_up(&ana.email).await;
        assert_ne!(house.me(&tokens).await.expect(200)["id"], json!(ana.id));
    }

    async fn who_is_needed_stays(house: House) {
        house.ask_deletion(&house.studio.owner).await.expect_refused(409, "last-owner");
        let session = house.session("2026-12-02 18:30", 5).await;
        let refused = house.ask_deletion(&house.studio.instructor).await.expect_refused(409, "staff-teaches");
        assert_eq!(refused["sessions"][0]["id"], json!(session.id));
        // Given a class after the deletion was found due, the instructor stays for it.
        let instructor = house.studio.instructor.id;
        house.app.transactor.submit_sweep(Command::RemovePerson { person_id: instructor }).await.unwrap();
        house.get("/v1/me").by(&house.studio.instructor).await.expect(200);
        house.advance(TimeDelta::days(3));
        house.ask_deletion(&house.studio.instructor).await.expect(200);
    }

    async fn the_public_page_deletes_by_a_mailed_code(house: House) {
        let tokens = house.join_up(ANA).await;
        let page = house.get("/account/deletion").header("Accept-Language", "zh-CN").await.expect(200);
        assert!(page.text.contains("<html lang=\"zh-Hans\">") && page.text.contains("<form method=\"post\""), "{}", page.text);
        assert!(page.header("content-security-policy").contains("default-src 'none'"));
        let form = |body: String| house.post_to("/account/deletion").body("application/x-www-form-urlencoded", body);
        form("email=nonsense".into()).await.expect(422);
        let unknown = form("email=nobody%40example.test".into()).await.expect(200);
        let known = form("email=ana%40example.test".into()).await.expect(200);
        assert_eq!(unknown.text.replace("nobody", "ana"), known.text);
        let code = house.code_to(ANA).await;
        let wrong = form(format!("email=ana%40example.test&code={}", another(&code))).await.expect(422);
        assert!(wrong.text.contains("role=\"alert\""), "{}", wrong.text);
        form(format!("email=nobody%40example.test&code={code}")).await.expect(422);
        assert_eq!(house.me(&tokens).await.expect(200)["deletion_due_at"], json!(null));
        let done = form(format!("email=ana%40example.test&code={code}")).await.expect(200);
        assert!(done.text.contains("2026"), "{}", done.text);
        assert!(house.me(&tokens).await.expect(200)["deletion_due_at"].is_string());
        house.delete("/v1/me/deletion").token(&tokens.access).await.expect(204);
    }
}
