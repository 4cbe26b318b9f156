//! The second factor: enrolled, shown, tried in vain, lost; required of those who run a studio; and how long anybody stays signed in.

use std::future::IntoFuture as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::TimeDelta;
use futures_util::future::join_all;
use hmac::{Hmac, KeyInit as _, Mac as _};
use releve::db::Engine;
use releve::people::owner;
use releve::settings::RequiredOf;
use releve::sign_in::keys::Keys;
use releve::text::Email;
use serde_json::{Value, json};
use sha1::Sha1;
use uuid::Uuid;

use crate::accounts::{PASSWORD, Tokens};
use crate::house::{House, KEY};
use crate::speech::{Call, Reply};

const ANA: &str = "ana@example.test";
const EVA: &str = "eva@example.test";

/// An authenticator app, as somebody else would write it: it knows the secret that was shown and the time.
#[derive(Clone)]
pub struct Authenticator {
    secret: Vec<u8>,
}

impl Authenticator {
    pub fn of(shown: &str) -> Self {
        let value = |letter: u8| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|one| *one == letter).unwrap();
        let bits: String = shown.bytes().map(|letter| format!("{:05b}", value(letter))).collect();
        Self { secret: bits.as_bytes().chunks_exact(8).map(|byte| u8::from_str_radix(str::from_utf8(byte).unwrap(), 2).unwrap()).collect() }
    }

    /// The code so many steps from now.
    fn code_in(&self, house: &House, steps: i64) -> String {
        let step = house.clock.now().timestamp() / 30 + steps;
        let mac = Hmac::<Sha1>::new_from_slice(&self.secret).unwrap().chain_update(step.to_be_bytes()).finalize().into_bytes();
        let at = usize::from(mac[19] & 15);
        let word = u32::from_be_bytes([mac[at] & 127, mac[at + 1], mac[at + 2], mac[at + 3]]);
        format!("{:06}", word % 1_000_000)
    }

    /// The code that it shows.
    pub fn code(&self, house: &House) -> String {
        self.code_in(house, 0)
    }

    /// A code that is not near.
    pub fn wrong(&self, house: &House) -> String {
        let near: Vec<String> = (-1..=1).map(|steps| self.code_in(house, steps)).collect();
        (0..).map(|n| format!("{n:06}")).find(|code| !near.contains(code)).unwrap()
    }
}

impl House {
    fn begin_totp(&self, token: &str, more: Value) -> Call {
        let mut body = json!({ "password": PASSWORD });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post_to("/v1/me/second-factors/totp").token(token).json(&body)
    }

    fn confirm_factor(&self, token: &str, id: &Value, code: &str) -> Call {
        self.put(format!("/v1/me/second-factors/{}/confirmation", id.as_str().unwrap())).token(token).json(&json!({ "totp": code }))
    }

    /// Adds the first authenticator app; answers with it, its id and the recovery codes. A step later, so that its next code is a new one.
    pub async fn enrol(&self, token: &str) -> (Authenticator, Value, Vec<String>) {
        let begun = self.begin_totp(token, json!({})).await.expect(201);
        let app = Authenticator::of(begun["secret"].as_str().unwrap());
        let confirmed = self.confirm_factor(token, &begun["id"], &app.code(self)).await.expect(200);
        let codes = confirmed["recovery_codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect();
        self.advance(TimeDelta::seconds(30));
        (app, begun["id"].clone(), codes)
    }

    /// The challenge that the right password gets.
    pub async fn challenge(&self, email: &str) -> String {
        let asked = self.sign_in(email, PASSWORD).await.expect_refused(401, "second-factor-needed");
        asked["challenge"].as_str().unwrap().to_owned()
    }

    pub fn show(&self, challenge: &str, factor: Value) -> Call {
        let mut body = json!({ "challenge": challenge });
        body.as_object_mut().unwrap().extend(factor.as_object().unwrap().clone());
        self.post_to("/v1/tokens/second-factor").json(&body)
    }

    /// Signs in with both.
    async fn sign_in_twice(&self, email: &str, app: &Authenticator) -> Tokens {
        let challenge = self.challenge(email).await;
        self.show(&challenge, json!({ "totp": app.code(self) })).await.expect(200).into()
    }

    /// Somebody with an account who holds these roles in the studio.
    async fn staff_member(&self, email: &str, roles: &[&str]) -> (Tokens, Uuid) {
        let tokens = self.join_up(email).await;
        let id = self.give_roles(&tokens, roles).await;
        (tokens, id)
    }

    /// They join the studio and get these roles.
    async fn give_roles(&self, tokens: &Tokens, roles: &[&str]) -> Uuid {
        let id = self.me(tokens).await.expect(200).id();
        self.put(self.of_studio("members/me")).token(&tokens.access).await;
        self.put(self.of_studio(&format!("staff/{id}"))).by(&self.studio.owner).json(&json!({ "roles": roles })).await.expect(200);
        id
    }

    async fn require_of_admins(&self, required: bool) -> Reply {
        let path = format!("/v1/studios/{}", self.studio.id);
        let version = self.get(&path).await.expect(200).version();
        let body = json!({ "second_factor_required": required });
        let reply = self.patch(&path).by(&self.studio.owner).header("If-Match", format!("\"{version}\"")).json(&body).await;
        // What another process would see after five seconds.
        for person in [&self.studio.admin, &self.studio.owner, &self.studio.desk] {
            self.app.identities.forget_person(person.id);
        }
        reply
    }
}

both_engines! {
    async fn signing_in_takes_two_steps(house: House) {
        let tokens = house.join_up(ANA).await;
        house.join_up(EVA).await;
        let (app, _, _) = house.enrol(&tokens.access).await;

        // Before the right password nobody learns that there is a second step.
        let wrong = house.sign_in(ANA, "not-the-password").await.expect_refused(401, "sign-in-refused");
        let others = house.sign_in(EVA, "not-the-password").await.expect_refused(401, "sign-in-refused");
        assert_eq!((&wrong["title"], wrong.body.as_object().unwrap().len()), (&others["title"], others.body.as_object().unwrap().len()));

        let asked = house.sign_in(ANA, PASSWORD).await.expect_refused(401, "second-factor-needed").documented();
        assert_eq!((&asked["kinds"], &asked["expires_in"]), (&json!(["totp", "recovery_code"]), &json!(300)));
        let challenge = asked["challenge"].as_str().unwrap();
        // A challenge is not a token, and who tries it as one spoils nothing.
        house.refresh(challenge).await.expect_refused(401, "token-refused");
        house.get("/v1/me").token(challenge).await.expect_refused(401, "token-refused");
        let devices = house.get("/v1/me/devices").token(&tokens.access).await.expect(200);
        assert_eq!(devices["devices"].as_array().unwrap().len(), 1, "who knows the password alone is on no device");

        for (body, field) in [(json!({}), "totp"), (json!({ "totp": "123456", "recovery_code": "x" }), "recovery_code")] {
            house.show(challenge, body).await.expect_refused(422, "invalid-fields").naming(field);
        }
        let code = app.code(&house);
        let signed_in: Tokens = house.show(challenge, json!({ "totp": code })).await.expect(200).documented().into();
        house.me(&signed_in).await.expect(200);
        let renewed: Tokens = house.refresh(&signed_in.refresh).await.expect(200).into();
        house.me(&renewed).await.expect(200);
        let mails = house.mails_to(ANA).await;
        assert!(mails.iter().any(|mail| mail.contains("A new device has signed in")), "{mails:?}");

        // The challenge is used up, and so is the code.
        house.show(challenge, json!({ "totp": app.code_in(&house, 1) })).await.expect_refused(401, "token-refused");
        house.refresh(challenge).await.expect_refused(401, "token-refused");
        house.me(&renewed).await.expect(200);
        let again = house.challenge(ANA).await;
        house.show(&again, json!({ "totp": code })).await.expect_refused(422, "second-factor-refused").documented();
        house.show(&again, json!({ "totp": app.code_in(&house, -1) })).await.expect_refused(422, "second-factor-refused");
        house.show(&again, json!({ "totp": app.code_in(&house, 2) })).await.expect_refused(422, "second-factor-refused");
        house.show(&again, json!({ "totp": app.code_in(&house, 1) })).await.expect(200);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM events WHERE action = 'device.second_factor_refused'").await, 3);
    }

    async fn a_challenge_ends(house: House) {
        let tokens = house.join_up(ANA).await;
        let (app, _, _) = house.enrol(&tokens.access).await;
        let late = house.challenge(ANA).await;
        house.advance(TimeDelta::minutes(5));
        house.show(&late, json!({ "totp": app.code(&house) })).await.expect_refused(401, "token-refused");
        // A new password ends it.
        let challenge = house.challenge(ANA).await;
        house.put("/v1/me/password").token(&tokens.access).json(&json!({ "old": PASSWORD, "new": "another good password" })).await.expect(204);
        house.show(&challenge, json!({ "totp": app.code(&house) })).await.expect_refused(401, "token-refused");
        for invented in ["", "nonsense", &"A".repeat(86)] {
            house.show(invented, json!({ "totp": app.code(&house) })).await.expect_refused(401, "token-refused");
        }
        house.advance(TimeDelta::days(2));
        releve::sweeps::retention(&house.app).await.unwrap();
        assert_eq!(house.how_many("SELECT COUNT(*) FROM devices WHERE awaits_factor").await, 0);
    }

    async fn an_app_counts_once_its_first_code_is_shown(house: House) {
        let tokens = house.join_up(ANA).await;
        let elsewhere: Tokens = house.sign_in(ANA, PASSWORD).await.expect(200).into();
        let refused = house.post_to("/v1/me/second-factors/totp").token(&tokens.access).json(&json!({ "password": "not-the-password" }));
        refused.await.expect_refused(422, "invalid-fields").naming("password");
        let begun = house.begin_totp(&tokens.access, json!({ "name": "My phone" })).await.expect(201).documented();
        let uri = begun["otpauth_uri"].as_str().unwrap();
        assert!(uri.starts_with("otpauth://totp/") && uri.contains(begun["secret"].as_str().unwrap()) && uri.contains("ana%40example.test"), "{uri}");
        let app = Authenticator::of(begun["secret"].as_str().unwrap());

        // Nothing counts yet.
        house.sign_in(ANA, PASSWORD).await.expect(200);
        assert_eq!(house.get("/v1/me/second-factors").token(&tokens.access).await.expect(200)["second_factors"], json!([]));
        // Five wrong first codes, or fifteen minutes, and one begins again.
        for _ in 0..5 {
            house.confirm_factor(&tokens.access, &begun["id"], &app.wrong(&house)).await.expect_refused(422, "second-factor-refused");
        }
        house.confirm_factor(&tokens.access, &begun["id"], &app.code(&house)).await.expect_refused(404, "not-found");
        let begun = house.begin_totp(&tokens.access, json!({})).await.expect(201);
        let app = Authenticator::of(begun["secret"].as_str().unwrap());
        house.advance(TimeDelta::minutes(15));
        let tokens: Tokens = house.refresh(&tokens.refresh).await.expect(200).into();
        house.confirm_factor(&tokens.access, &begun["id"], &app.code(&house)).await.expect_refused(404, "not-found");
        let begun = house.begin_totp(&tokens.access, json!({ "name": "My phone" })).await.expect(201);
        let app = Authenticator::of(begun["secret"].as_str().unwrap());
        // It is nobody else's to confirm.
        let eva = house.join_up(EVA).await;
        house.confirm_factor(&eva.access, &begun["id"], &app.code(&house)).await.expect_refused(404, "not-found");

        let confirmed = house.confirm_factor(&tokens.access, &begun["id"], &app.code(&house)).await.expect(200).documented();
        assert_eq!((&confirmed["second_factor"]["kind"], &confirmed["second_factor"]["name"]), (&json!("totp"), &json!("My phone")));
        assert_eq!(confirmed["recovery_codes"].as_array().unwrap().len(), 10);
        let again = house.confirm_factor(&tokens.access, &begun["id"], &app.code(&house)).await.expect(200);
        assert_eq!(again["recovery_codes"], Value::Null, "they are shown once");
        // Whoever was signed in by the password alone signs in again; this device stays.
        house.refresh(&elsewhere.refresh).await.expect_refused(401, "token-refused");
        let own = house.get("/v1/me/second-factors").token(&tokens.access).await.expect(200).documented();
        assert_eq!((own["second_factors"].as_array().unwrap().len(), &own["recovery_codes_left"], &own["required"]), (1, &json!(10), &json!(false)));
        assert!(house.mails_to(ANA).await.pop().unwrap().contains("two steps"));
        assert_eq!(house.get("/v1/me/export").token(&tokens.access).await.expect(200).documented()["second_factors"], own["second_factors"]);

        // The code that confirmed it signs nobody in.
        let challenge = house.challenge(ANA).await;
        house.show(&challenge, json!({ "totp": app.code(&house) })).await.expect_refused(422, "second-factor-refused");

        // A second app needs the first.
        house.begin_totp(&tokens.access, json!({})).await.expect_refused(422, "invalid-fields").naming("totp");
        house.begin_totp(&tokens.access, json!({ "totp": app.wrong(&house) })).await.expect_refused(422, "second-factor-refused").documented();
        house.advance(TimeDelta::seconds(30));
        let second = house.begin_totp(&tokens.access, json!({ "totp": app.code(&house) })).await.expect(201);
        let tablet = Authenticator::of(second["secret"].as_str().unwrap());
        let confirmed = house.confirm_factor(&tokens.access, &second["id"], &tablet.code(&house)).await.expect(200);
        assert_eq!(confirmed["recovery_codes"], Value::Null);
        house.advance(TimeDelta::seconds(30));
        let challenge = house.challenge(ANA).await;
        house.show(&challenge, json!({ "totp": tablet.code(&house) })).await.expect(200);
    }

    async fn a_factor_outlives_the_key_that_sealed_it(house: House) {
        let tokens = house.join_up(ANA).await;
        let (app, id, _) = house.enrol(&tokens.access).await;
        let id: Uuid = id.as_str().unwrap().parse().unwrap();
        let sealed = async || house.db.one::<(Vec<u8>,)>("SELECT sealed_secret FROM second_factors WHERE id = $1", (id,)).await.unwrap().0;
        let before = sealed().await;
        assert!(!before.windows(app.secret.len()).any(|part| part == app.secret), "it lies there in plain");
        releve::sweeps::retention(&house.app).await.unwrap();
        assert_eq!(sealed().await, before, "the newest key sealed it");
        // What an older key of the deployment had sealed.
        let newer = BASE64_STANDARD.encode([7; 32]);
        let both = Keys::new(&[newer.clone(), KEY.to_owned()]).unwrap();
        let renewed = both.renew_factor_seal(id, &before).unwrap().unwrap();
        assert_eq!(Keys::new(&[newer]).unwrap().unseal_factor(id, &renewed), Some(app.secret.clone()));
        // In the row of somebody else it is worth nothing.
        assert_eq!(house.app.keys.unseal_factor(Uuid::nil(), &before), None);
    }

    async fn an_address_that_nobody_confirmed_has_no_factor(house: House) {
        house.register(ANA, PASSWORD).await.expect(202);
        let tokens: Tokens = house.sign_in(ANA, PASSWORD).await.expect(200).into();
        house.begin_totp(&tokens.access, json!({})).await.expect_refused(403, "address-not-verified");
        house.letters_may_stay();
    }

    async fn codes_are_not_guessed(house: House) {
        let tokens = house.join_up(ANA).await;
        let (app, _, recovery) = house.enrol(&tokens.access).await;
        // Five wrong ones, and the challenge is over; twenty, and the account hears none for a day.
        for round in 0..4 {
            let challenge = house.challenge(ANA).await;
            for _ in 0..5 {
                house.show(&challenge, json!({ "totp": app.wrong(&house) })).await.expect_refused(422, "second-factor-refused");
            }
            if round < 3 {
                house.show(&challenge, json!({ "totp": app.code(&house) })).await.expect_refused(401, "token-refused");
            }
        }
        let challenge = house.challenge(ANA).await;
        let refused = house.show(&challenge, json!({ "totp": app.code(&house) })).await.expect_refused(429, "too-many-requests").documented();
        let seconds: u64 = refused.header("retry-after").parse().unwrap();
        assert!((86_000..=86_401).contains(&seconds), "{seconds}");
        house.begin_totp(&tokens.access, json!({ "totp": app.code(&house) })).await.expect_refused(429, "too-many-requests");
        // Nobody guesses a recovery code: the right person gets in. So does who is signed in already.
        house.show(&challenge, json!({ "recovery_code": recovery[0] })).await.expect(200);
        house.me(&tokens).await.expect(200);
        house.advance(TimeDelta::days(1));
        house.sign_in_twice(ANA, &app).await;
    }

    async fn recovery_codes_are_good_for_once(house: House) {
        let tokens = house.join_up(ANA).await;
        let eva = house.join_up(EVA).await;
        let (_, _, evas) = house.enrol(&eva.access).await;
        let (app, id, recovery) = house.enrol(&tokens.access).await;
        let challenge = house.challenge(ANA).await;
        for wrong in ["AAAA-AAAA-AAAA-AAAA", &evas[0], "-"] {
            house.show(&challenge, json!({ "recovery_code": wrong })).await.expect_refused(422, "second-factor-refused");
        }
        // As people type them.
        house.show(&challenge, json!({ "recovery_code": recovery[0].to_lowercase().replace('-', " ") })).await.expect(200);
        let challenge = house.challenge(ANA).await;
        house.show(&challenge, json!({ "recovery_code": recovery[0] })).await.expect_refused(422, "second-factor-refused");
        assert_eq!(house.get("/v1/me/second-factors").token(&tokens.access).await.expect(200)["recovery_codes_left"], 9);

        // New ones end the old.
        let renew = |body: Value| house.put("/v1/me/recovery-codes").token(&tokens.access).json(&body);
        renew(json!({ "password": PASSWORD })).await.expect_refused(422, "invalid-fields").naming("totp");
        let renewed = renew(json!({ "password": PASSWORD, "totp": app.code(&house) })).await.expect(200).documented();
        house.show(&challenge, json!({ "recovery_code": recovery[1] })).await.expect_refused(422, "second-factor-refused");
        house.show(&challenge, json!({ "recovery_code": renewed["recovery_codes"][1] })).await.expect(200);

        // The factor goes by password and factor; with the last one the codes go.
        let remove = |body: Value| house.put(format!("/v1/me/second-factors/{}/removal", id.as_str().unwrap())).token(&tokens.access).json(&body);
        remove(json!({ "password": "not-the-password", "totp": app.code_in(&house, 1) })).await.expect_refused(422, "invalid-fields").naming("password");
        remove(json!({ "password": PASSWORD })).await.expect_refused(422, "invalid-fields").naming("totp");
        remove(json!({ "password": PASSWORD, "totp": app.code(&house) })).await.expect_refused(422, "second-factor-refused");
        remove(json!({ "password": PASSWORD, "totp": app.code_in(&house, 1) })).await.expect(204);
        assert!(house.mails_to(ANA).await.iter().any(|mail| mail.contains("A second step was removed")));
        house.sign_in(ANA, PASSWORD).await.expect(200);
        assert_eq!(house.get("/v1/me/second-factors").token(&tokens.access).await.expect(200)["recovery_codes_left"], 0);
        renew(json!({ "password": PASSWORD })).await.expect_refused(404, "not-found");
    }

    async fn two_uses_of_one_recovery_code_at_once(house: House) {
        let tokens = house.join_up(ANA).await;
        let (_, _, recovery) = house.enrol(&tokens.access).await;
        for code in &recovery[..8] {
            assert_eq!(at_once(&house, code).await, [200, 422]);
        }
        // The control: where the mark does not stay, both get in.
        forget_uses(&house).await;
        assert_eq!(at_once(&house, &recovery[9]).await, [200, 200], "the guard guards nothing");
        house.letters_may_stay();
    }

    async fn no_road_leads_round_it(house: House) {
        let tokens = house.join_up(ANA).await;
        let (app, _, _) = house.enrol(&tokens.access).await;

        // A forgotten password takes no factor away.
        house.advance(TimeDelta::minutes(1));
        house.post_to("/v1/password-resets").json(&json!({ "email": ANA })).await.expect(202);
        let code = house.code_to(ANA).await;
        house.put("/v1/password-resets").json(&json!({ "email": ANA, "code": code, "password": PASSWORD })).await.expect(204);
        let tokens = house.sign_in_twice(ANA, &app).await;

        // An invitation, and a new address, prove a mailbox and not the factor.
        house.advance(TimeDelta::minutes(1));
        let body = json!({ "email": ANA, "roles": ["instructor"] });
        house.post_to(house.of_studio("invitations")).by(&house.studio.owner).json(&body).await.expect(201);
        let code = house.code_to(ANA).await;
        let accepted = house.put("/v1/invitations/acceptance").json(&json!({ "code": code, "password": PASSWORD })).await;
        let accepted = accepted.expect_refused(401, "second-factor-needed").documented();
        house.show(accepted["challenge"].as_str().unwrap(), json!({ "totp": app.code(&house) })).await.expect(200);

        house.advance(TimeDelta::minutes(1));
        let change = house.put("/v1/me/email").token(&tokens.access).json(&json!({ "email": "new@example.test", "password": PASSWORD }));
        change.await.expect(202);
        let code = house.code_to("new@example.test").await;
        let body = json!({ "email": "new@example.test", "code": code });
        // This device has shown it, and stays signed in; elsewhere the code opens nothing.
        house.post_to("/v1/email-verifications").json(&body).await.expect_refused(422, "code-refused");
        house.post_to("/v1/email-verifications").token(&tokens.access).json(&body).await.expect(200);
        house.challenge("new@example.test").await;
    }

    async fn who_knows_the_password_alone_signs_nobody_out(house: House) {
        let tokens = house.join_up(ANA).await;
        let (app, _, _) = house.enrol(&tokens.access).await;
        let first = house.challenge(ANA).await;
        for _ in 0..25 {
            house.advance(TimeDelta::seconds(1));
            house.challenge(ANA).await;
        }
        house.me(&tokens).await.expect(200);
        house.refresh(&tokens.refresh).await.expect(200);
        assert_eq!(house.how_many("SELECT COUNT(*) FROM devices WHERE awaits_factor AND ended_at IS NULL").await, 5);
        house.show(&first, json!({ "totp": app.code(&house) })).await.expect_refused(401, "token-refused");
        house.sign_in_twice(ANA, &app).await;
    }

    async fn a_studio_asks_its_admins_for_one(house: House) {
        let (admin, _) = house.staff_member(ANA, &["admin"]).await;
        let (desk, _) = house.staff_member(EVA, &["front_desk"]).await;
        let session = house.session("2026-12-02 18:30", 5).await;
        let mei = house.stranger("Mei").await;
        house.get(house.of_studio("staff")).token(&admin.access).await.expect(200);
        let asked = house.require_of_admins(true).await.expect(200).documented();
        assert_eq!(asked["second_factor_required"], true);
        house.app.identities.forget_person(house.me(&admin).await.expect(200).id());

        // They sign in, and may not do what only admins may: at the door, and where the transactor decides.
        let admin: Tokens = house.sign_in(ANA, PASSWORD).await.expect(200).into();
        house.get(house.of_studio("staff")).token(&admin.access).await.expect_refused(403, "second-factor-required").documented();
        let change = house.patch(format!("/v1/studios/{}", house.studio.id)).token(&admin.access).header("If-Match", "\"2\"");
        change.json(&json!({ "second_factor_required": false })).await.expect_refused(403, "second-factor-required");
        let book = |token: &str| {
            let body = json!({ "session_id": session.id, "person_id": mei.id, "unpaid": true, "reason": "a guest" });
            house.put(format!("/v1/bookings/{}", house.new_id())).token(token).json(&body)
        };
        book(&admin.access).await.expect_refused(403, "second-factor-required").documented();
        let cancel = house.put(format!("/v1/sessions/{}/cancellation", session.id)).token(&admin.access).json(&json!({}));
        cancel.await.expect_refused(403, "second-factor-required");
        assert_eq!(house.get("/v1/me/second-factors").token(&admin.access).await.expect(200)["required"], true);
        // What is a member's is theirs, and nobody else is asked.
        house.get("/v1/me/bookings").token(&admin.access).await.expect(200);
        house.get(house.of_studio("members")).token(&desk.access).await.expect(200);
        house.get(house.of_studio("staff")).token(&desk.access).await.expect_refused(403, "not-allowed");
        house.get(house.of_studio("staff")).by(&house.studio.owner).await.expect(200);

        house.enrol(&admin.access).await;
        house.get(house.of_studio("staff")).token(&admin.access).await.expect(200);
        book(&admin.access).await.expect(201);
    }

    async fn the_deployment_asks_its_owners_or_all_admins(house: House) {
        for (of, admin, owner) in [(RequiredOf::Owner, 200, 403), (RequiredOf::Admins, 403, 403), (RequiredOf::Optional, 200, 200)] {
            let Some(other) = House::open_with(house.db.engine(), |settings| settings.sign_in.second_factor = of).await else { return };
            let staff = other.of_studio("staff");
            assert_eq!(other.get(&staff).by(&other.studio.admin).await.status, admin, "{of:?}");
            assert_eq!(other.get(&staff).by(&other.studio.owner).await.status, owner, "{of:?}");
            other.get(other.of_studio("members")).by(&other.studio.desk).await.expect(200);
            let open = other.post_to("/v1/studios").by(&other.studio.owner).json(&json!({ "name": "Lyon", "time_zone": "Europe/Paris", "locale": "en" }));
            assert_eq!(open.await.status, if owner == 403 { 403 } else { 201 }, "{of:?}");
            other.close().await;
        }
    }

    async fn admins_see_and_end_their_staffs_devices(house: House) {
        let (tokens, id) = house.staff_member(ANA, &["instructor"]).await;
        let body = json!({ "email": ANA, "password": PASSWORD, "device": "A lost phone" });
        let lost: Tokens = house.post_to("/v1/tokens").json(&body).await.expect(200).into();
        let path = house.of_studio(&format!("staff/{id}/devices"));
        let devices = house.get(&path).by(&house.studio.admin).await.expect(200).documented();
        let phone = devices["devices"].as_array().unwrap().iter().find(|device| device["name"] == "A lost phone").unwrap();
        let phone = format!("{path}/{}", phone["id"].as_str().unwrap());
        for by in [&house.studio.desk, &house.studio.instructor] {
            house.get(&path).by(by).await.expect_refused(403, "not-allowed");
            house.delete(&phone).by(by).await.expect_refused(403, "not-allowed");
        }
        // Neither another studio's admin, nor members' and owners' devices.
        let other = house.second_studio().await;
        house.get(&path).by(&other.admin).await.expect_refused(403, "not-allowed");
        house.get(format!("/v1/studios/{}/staff/{id}/devices", other.id)).by(&other.admin).await.expect_refused(404, "not-found");
        let mei = house.stranger("Mei").await;
        house.get(house.of_studio(&format!("staff/{}/devices", mei.id))).by(&house.studio.admin).await.expect_refused(404, "not-found");
        house.put(house.of_studio("members/me")).by(&house.studio.owner).await;
        let owners = house.studio.owner.id;
        let roles = house.put(house.of_studio(&format!("staff/{owners}"))).by(&house.studio.owner).json(&json!({ "roles": ["instructor"] }));
        roles.await.expect(200);
        house.get(house.of_studio(&format!("staff/{owners}/devices"))).by(&house.studio.admin).await.expect_refused(403, "not-allowed");
        house.get(house.of_studio(&format!("staff/{owners}/devices"))).by(&house.studio.owner).await.expect(200);

        house.delete(&phone).by(&house.studio.admin).await.expect(204);
        house.me(&lost).await.expect_refused(401, "token-refused");
        house.refresh(&lost.refresh).await.expect_refused(401, "token-refused");
        house.me(&tokens).await.expect(200);
        house.delete(&phone).by(&house.studio.admin).await.expect_refused(404, "not-found");
    }

    async fn nobody_is_hired_for_the_sake_of_their_account(house: House) {
        let (bea, other) = (house.stranger("Bea").await, house.second_studio().await);
        let there = |path: &str| format!("/v1/studios/{}/{path}", other.id);
        let entry = json!({ "name": "Bea", "email": bea.email });
        house.post_to(there("members")).by(&other.admin).json(&entry).await.expect(201);
        // Their name stays theirs, too: instructors' names are public.
        let hire = || house.put(there(&format!("staff/{}", bea.id))).by(&other.admin).json(&json!({ "roles": ["instructor"] }));
        hire().await.expect_refused(409, "not-joined").documented();
        // As it was done before.
        let (there_id, id) = (other.id, bea.id);
        let sql = "INSERT INTO staff (studio_id, person_id, role, since) VALUES ($1, $2, 'instructor', $3)";
        let now = house.clock.now();
        house.write(move |tx| Box::pin(async move { tx.run(sql, (there_id, id, now)).await })).await;
        let devices = there(&format!("staff/{}/devices", bea.id));
        house.get(&devices).by(&other.admin).await.expect_refused(403, "not-allowed").documented();
        house.delete(format!("{devices}/{}", house.new_id())).by(&other.admin).await.expect_refused(403, "not-allowed");
        let factors = there(&format!("staff/{}/second-factors", bea.id));
        house.delete(&factors).by(&other.admin).await.expect_refused(403, "not-allowed");
        house.get("/v1/me").by(&bea).await.expect(200);
        // Whoever has come to the studio by themselves works there like everybody.
        house.put(there("members/me")).by(&bea).await.expect(200);
        hire().await.expect(200);
        house.get(&devices).by(&other.admin).await.expect(200);
        house.delete(&factors).by(&other.admin).await.expect(204);
    }

    async fn who_has_lost_everything_is_helped(house: House) {
        let (desk, desk_id) = house.staff_member(ANA, &["front_desk"]).await;
        let (admin, admin_id) = house.staff_member(EVA, &["admin"]).await;
        house.enrol(&desk.access).await;
        house.enrol(&admin.access).await;
        let reset = |id: Uuid| house.delete(house.of_studio(&format!("staff/{id}/second-factors")));
        reset(desk_id).by(&house.studio.desk).await.expect_refused(403, "not-allowed");
        reset(admin_id).by(&house.studio.admin).await.expect_refused(403, "not-allowed");
        reset(desk_id).by(&house.studio.admin).await.expect(204).documented();
        // Signed out everywhere, told, and back to the password.
        house.me(&desk).await.expect_refused(401, "token-refused");
        assert!(house.mails_to(ANA).await.pop().unwrap().contains("removed for you"));
        house.sign_in(ANA, PASSWORD).await.expect(200);
        reset(admin_id).by(&house.studio.owner).await.expect(204);
        house.sign_in(EVA, PASSWORD).await.expect(200);

        // Owners are helped on the command line.
        let olga = house.join_up("olga@example.test").await;
        house.enrol(&olga.access).await;
        let email = |text: &str| Email::parse(text).unwrap();
        assert_eq!(owner::reset_factors(&house.db, &house.clock, email("nobody@example.test")).await.unwrap(), None);
        assert_eq!(owner::reset_factors(&house.db, &house.clock, email("olga@example.test")).await.unwrap(), Some(true));
        assert_eq!(owner::reset_factors(&house.db, &house.clock, email("olga@example.test")).await.unwrap(), Some(false));
        house.sign_in("olga@example.test", PASSWORD).await.expect(200);
    }

    async fn nobody_stays_signed_in_for_ever(house: House) {
        house.letters_may_stay();
        // A member for a year, staff for thirty days, however often they come.
        for (email, roles, step, last) in [(ANA, &[][..], 80, 365), (EVA, &["instructor"][..], 14, 30)] {
            let (mut tokens, mut days) = (house.join_up(email).await, 0);
            if !roles.is_empty() {
                house.give_roles(&tokens, roles).await;
            }
            while days + step < last {
                days += step;
                house.advance(TimeDelta::days(step));
                tokens = house.refresh(&tokens.refresh).await.expect(200).into();
            }
            house.advance(TimeDelta::days(last - days) - TimeDelta::seconds(1));
            tokens = house.refresh(&tokens.refresh).await.expect(200).into();
            house.advance(TimeDelta::seconds(1));
            house.refresh(&tokens.refresh).await.expect_refused(401, "token-refused");
            house.sign_in(email, PASSWORD).await.expect(200);
        }
    }

    async fn who_leaves_leaves_no_factor(house: House) {
        let tokens = house.join_up(ANA).await;
        house.enrol(&tokens.access).await;
        house.put("/v1/me/deletion").token(&tokens.access).json(&json!({ "password": PASSWORD })).await.expect(200);
        house.advance(TimeDelta::days(8));
        house.sweep().await;
        for sql in ["SELECT COUNT(*) FROM second_factors", "SELECT COUNT(*) FROM recovery_codes", "SELECT COUNT(*) FROM devices WHERE name IS NULL"] {
            assert_eq!(house.how_many(sql).await, 0, "{sql}");
        }
    }
}

/// How two are answered who show the same recovery code at the same time.
async fn at_once(house: &House, code: &str) -> Vec<u16> {
    let mut challenges = Vec::new();
    for _ in 0..2 {
        house.advance(TimeDelta::seconds(1));
        challenges.push(house.challenge(ANA).await);
    }
    let calls = challenges.iter().map(|challenge| house.show(challenge, json!({ "recovery_code": code })).into_future());
    let mut answers: Vec<u16> = join_all(calls).await.iter().map(|reply| reply.status).collect();
    answers.sort_unstable();
    answers
}

/// From now on the database forgets that a recovery code was used.
async fn forget_uses(house: &House) {
    let statements: &[&'static str] = match house.db.engine() {
        Engine::Sqlite => &["CREATE TRIGGER forgets AFTER UPDATE OF used_at ON recovery_codes WHEN NEW.used_at IS NOT NULL \
                            BEGIN UPDATE recovery_codes SET used_at = NULL WHERE id = NEW.id; END"],
        Engine::Postgres => &[
            "CREATE FUNCTION forgets() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.used_at := NULL; RETURN NEW; END'",
            "CREATE TRIGGER forgets BEFORE UPDATE ON recovery_codes FOR EACH ROW EXECUTE FUNCTION forgets()",
        ],
    };
    for statement in statements {
        house.write(move |tx| Box::pin(async move { tx.run(*statement, ()).await.map(drop) })).await;
    }
}
