//! Forgotten and changed passwords, and changed addresses.

use chrono::TimeDelta;
use serde_json::json;

use crate::accounts::{PASSWORD, Tokens};

const ANA: &str = "ana@example.test";
const BETTER: &str = "grand jete on tuesday";

both_engines! {
    async fn a_forgotten_password_is_replaced(house: House) {
        let tokens = house.join_up(ANA).await;
        house.post_to("/v1/password-resets").json(&json!({ "email": "Ana@Example.test" })).await.expect(202);
        let code = house.code_to(ANA).await;
        let reset = |password: &str| json!({ "email": ANA, "code": code, "password": password });
        house.put("/v1/password-resets").json(&reset("password1234")).await.expect_refused(422, "invalid-fields").naming("password");
        house.put("/v1/password-resets").json(&reset(BETTER)).await.expect(204);
        house.me(&tokens).await.expect_refused(401, "token-refused");
        house.refresh(&tokens.refresh).await.expect_refused(401, "token-refused");
        house.sign_in(ANA, PASSWORD).await.expect_refused(401, "sign-in-refused");
        house.sign_in(ANA, BETTER).await.expect(200);
        assert!(house.mails_to(ANA).await.iter().any(|mail| mail.starts_with("Your password was changed")));
        house.put("/v1/password-resets").json(&reset("yet another password")).await.expect_refused(422, "code-refused");
    }

    async fn a_reset_takes_an_address_back_from_who_registered_it_first(house: House) {
        house.register(ANA, "the attacker's own").await.expect(202);
        let attacker: Tokens = house.sign_in(ANA, "the attacker's own").await.expect(200).into();
        house.advance(TimeDelta::seconds(1));
        house.post_to("/v1/password-resets").json(&json!({ "email": ANA })).await.expect(202);
        let code = house.code_to(ANA).await;
        house.put("/v1/password-resets").json(&json!({ "email": ANA, "code": code, "password": BETTER })).await.expect(204);
        house.me(&attacker).await.expect_refused(401, "token-refused");
        let tokens: Tokens = house.sign_in(ANA, BETTER).await.expect(200).into();
        assert_eq!(house.me(&tokens).await.expect(200)["email_verified"], true);
        house.sign_in(ANA, "the attacker's own").await.expect_refused(401, "sign-in-refused");
    }

    async fn a_code_is_good_for_one_thing(house: House) {
        house.register(ANA, PASSWORD).await.expect(202);
        let code = house.code_to(ANA).await;
        let reset = json!({ "email": ANA, "code": code, "password": BETTER });
        house.put("/v1/password-resets").json(&reset).await.expect_refused(422, "code-refused");
        house.verify(ANA, &code).await.expect(200);
        house.post_to("/v1/password-resets").json(&json!({ "email": ANA })).await.expect(202);
        let code = house.code_to(ANA).await;
        house.verify(ANA, &code).await.expect_refused(422, "code-refused");
        house.advance(TimeDelta::minutes(15));
        let reset = json!({ "email": ANA, "code": code, "password": BETTER });
        house.put("/v1/password-resets").json(&reset).await.expect_refused(422, "code-refused");
    }

    async fn a_member_changes_the_password(house: House) {
        let here = house.join_up(ANA).await;
        let there: Tokens = house.sign_in(ANA, PASSWORD).await.expect(200).into();
        let change = |old: &str, new: &str| house.put("/v1/me/password").token(&here.access).json(&json!({ "old": old, "new": new }));
        change("not-the-password", BETTER).await.expect_refused(422, "invalid-fields").naming("old");
        change(PASSWORD, "qwertyuiop").await.expect_refused(422, "invalid-fields").naming("new");
        change(PASSWORD, BETTER).await.expect(204);
        house.me(&here).await.expect(200);
        house.me(&there).await.expect_refused(401, "token-refused");
        house.sign_in(ANA, BETTER).await.expect(200);
        assert!(house.mails_to(ANA).await.iter().any(|mail| mail.starts_with("Your password was changed")));
        for _ in 0..9 {
            change("not-the-password", "yet another password").await.expect_refused(422, "invalid-fields");
        }
        change(BETTER, "yet another password").await.expect_refused(429, "too-many-requests");
    }

    async fn a_member_changes_the_address(house: House) {
        let tokens = house.join_up(ANA).await;
        let id = house.me(&tokens).await.expect(200)["id"].clone();
        let change = |email: &str, password: &str| {
            house.put("/v1/me/email").token(&tokens.access).json(&json!({ "email": email, "password": password }))
        };
        change("new@example.test", "not-the-password").await.expect_refused(422, "invalid-fields").naming("password");
        change("new@example.test", PASSWORD).await.expect(202);
        assert_eq!(house.me(&tokens).await.expect(200)["email"], ANA, "until the code is shown");
        let code = house.code_to("new@example.test").await;
        // It counts only for who is signed in to this account.
        let eva = house.join_up("eva@example.test").await;
        for besides in [json!({}), json!({ "password": PASSWORD })] {
            house.verify_with("new@example.test", &code, besides).await.expect_refused(422, "code-refused");
        }
        house.verify_with("new@example.test", &code, json!({})).token(&eva.access).await.expect_refused(422, "code-refused");
        house.verify_with("new@example.test", &code, json!({})).token("nonsense").await.expect_refused(401, "token-refused");
        house.verify_with(ANA, &code, json!({})).token(&tokens.access).await.expect_refused(422, "code-refused");
        let renewed: Tokens = house.verify_with("new@example.test", &code, json!({})).token(&tokens.access).await.expect(200).into();
        let me = house.me(&renewed).await.expect(200);
        assert_eq!((&me["id"], &me["email"], &me["email_verified"]), (&id, &json!("new@example.test"), &json!(true)));
        let told = house.mails_to(ANA).await.pop().unwrap();
        assert!(told.contains("n…@example.test") && !told.contains("new@example.test"), "{told}");
        house.sign_in(ANA, PASSWORD).await.expect_refused(401, "sign-in-refused");
        house.sign_in("new@example.test", PASSWORD).await.expect(200);
        house.register(ANA, PASSWORD).await.expect(202);
        house.verify(ANA, &house.code_to(ANA).await).await.expect(200);
    }

    async fn an_address_that_is_taken_stays_where_it_is(house: House) {
        let ana = house.join_up(ANA).await;
        house.join_up("eva@example.test").await;
        let change = |email: &str| house.put("/v1/me/email").token(&ana.access).json(&json!({ "email": email, "password": PASSWORD }));
        let free = change("free@example.test").await.expect(202);
        let taken = change("eva@example.test").await.expect(202);
        assert_eq!(free.body, taken.body);
        let told = house.mails_to("eva@example.test").await.pop().unwrap();
        assert!(told.starts_with("You already have an account"), "{told}");
        // Somebody else was quicker: who shows the mailbox may know.
        let code = house.code_to("free@example.test").await;
        house.advance(TimeDelta::seconds(1));
        house.register("free@example.test", BETTER).await.expect(202);
        let quicker = house.code_to("free@example.test").await;
        house.verify_with("free@example.test", &quicker, json!({ "password": BETTER })).await.expect(200);
        house.verify_with("free@example.test", &code, json!({})).token(&ana.access).await.expect_refused(409, "address-taken");
        assert_eq!(house.me(&ana).await.expect(200)["email"], ANA);
        // The person whom a front desk entered by it goes on by themselves.
        let members = format!("/v1/studios/{}/members", house.studio.id);
        house.post_to(members).by(&house.studio.desk).json(&json!({ "name": "Mei", "email": "mei@example.test" })).await.expect(201);
        house.advance(TimeDelta::seconds(1));
        change("mei@example.test").await.expect(202);
        let code = house.code_to("mei@example.test").await;
        house.verify_with("mei@example.test", &code, json!({})).token(&ana.access).await.expect_refused(409, "address-taken");
    }
}
