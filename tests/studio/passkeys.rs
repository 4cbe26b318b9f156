//! Passkeys, shown by an authenticator made of software.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::accounts::{PASSWORD, Tokens};
use crate::house::House;
use crate::speech::Call;

const ANA: &str = "ana@example.test";
const EVA: &str = "eva@example.test";
/// Where the tests' pages are.
const ORIGIN: &str = "http://localhost:3000";

/// What the person touched and showed: present, verified.
const PRESENT_AND_VERIFIED: u8 = 0b101;

/// An authenticator with one passkey, and the page that asks it.
pub struct Authenticator {
    key: EcdsaKeyPair,
    id: Vec<u8>,
    used: u32,
    origin: &'static str,
    flags: u8,
}

impl Authenticator {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.as_ref(), &random).unwrap();
        let id = Sha256::digest(key.public_key().as_ref())[..16].to_vec();
        Self { key, id, used: 0, origin: ORIGIN, flags: PRESENT_AND_VERIFIED }
    }

    /// What the browser signs besides.
    fn client_data(&self, what: &str, question: &Value) -> Vec<u8> {
        json!({ "type": what, "challenge": question["challenge"], "origin": self.origin, "crossOrigin": false }).to_string().into_bytes()
    }

    fn data(&self, domain: &str, flags: u8) -> Vec<u8> {
        [Sha256::digest(domain).as_slice(), &[flags], &self.used.to_be_bytes()].concat()
    }

    /// `navigator.credentials.create`.
    pub fn create(&self, options: &Value) -> Value {
        let [_, point @ ..] = self.key.public_key().as_ref() else { panic!("no key") };
        let (x, y) = point.split_at(32);
        // COSE: EC2, ES256, P-256.
        let cose = [&[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20][..], x, &[0x22, 0x58, 0x20], y].concat();
        let attested = [&[0; 16][..], &[0, u8::try_from(self.id.len()).unwrap()], &self.id, &cose].concat();
        let data = [self.data(options["rp"]["id"].as_str().unwrap(), self.flags | 0b100_0000), attested].concat();
        let text = |text: &str| [&[0x60 + u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        let object = [
            vec![0xa3],
            text("fmt"),
            text("none"),
            text("attStmt"),
            vec![0xa0],
            text("authData"),
            vec![0x58, u8::try_from(data.len()).unwrap()],
            data,
        ];
        let client = self.client_data("webauthn.create", options);
        let id = BASE64.encode(&self.id);
        let response = json!({ "attestationObject": BASE64.encode(object.concat()), "clientDataJSON": BASE64.encode(client), "transports": ["internal"] });
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": {}, "authenticatorAttachment": "platform" })
    }

    /// `navigator.credentials.get`.
    pub fn get(&mut self, options: &Value) -> Value {
        self.used += 1;
        let data = self.data(options["rpId"].as_str().unwrap(), self.flags);
        let client = self.client_data("webauthn.get", options);
        let signed = [data.as_slice(), Sha256::digest(&client).as_slice()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        let id = BASE64.encode(&self.id);
        let response = json!({
            "authenticatorData": BASE64.encode(data), "clientDataJSON": BASE64.encode(client), "signature": BASE64.encode(signature), "userHandle": null
        });
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": {}, "authenticatorAttachment": "platform" })
    }
}

impl House {
    /// The same house where it is reached by a name.
    pub async fn named(&self) -> Option<Self> {
        Self::open_with(self.db.engine(), |settings| settings.server.public_url = ORIGIN.into()).await
    }

    fn begin_passkey(&self, token: &str) -> Call {
        self.post_to("/v1/me/second-factors/passkeys").token(token).json(&json!({ "password": PASSWORD, "name": "My phone" }))
    }

    fn confirm_passkey(&self, token: &str, id: &Value, answer: &Value) -> Call {
        self.put(format!("/v1/me/second-factors/{}/confirmation", id.as_str().unwrap())).token(token).json(&json!({ "passkey": answer }))
    }

    async fn enrol_passkey(&self, token: &str) -> (Authenticator, Value) {
        let authenticator = Authenticator::new();
        let begun = self.begin_passkey(token).await.expect(201);
        self.confirm_passkey(token, &begun["id"], &authenticator.create(&begun["options"])).await.expect(200);
        (authenticator, begun["id"].clone())
    }
}

both_engines! {
    async fn a_passkey_is_added_and_shown(house: House) {
        let Some(house) = house.named().await else { return };
        let tokens = house.join_up(ANA).await;
        let mut authenticator = Authenticator::new();
        let begun = house.begin_passkey(&tokens.access).await.expect(201).documented();
        // An answer to another question, of another page, or of somebody who did not unlock it, is none.
        let mut other = begun["options"].clone();
        other["challenge"] = json!(BASE64.encode([7; 32]));
        house.confirm_passkey(&tokens.access, &begun["id"], &authenticator.create(&other)).await.expect_refused(422, "second-factor-refused");
        authenticator.origin = "https://evil.test";
        house.confirm_passkey(&tokens.access, &begun["id"], &authenticator.create(&begun["options"])).await.expect_refused(422, "second-factor-refused");
        authenticator.origin = ORIGIN;
        authenticator.flags = 0b001;
        house.confirm_passkey(&tokens.access, &begun["id"], &authenticator.create(&begun["options"])).await.expect_refused(422, "second-factor-refused");
        authenticator.flags = PRESENT_AND_VERIFIED;
        house.confirm_passkey(&tokens.access, &begun["id"], &json!({ "id": "nonsense" })).await.expect_refused(422, "second-factor-refused");
        let confirmed = house.confirm_passkey(&tokens.access, &begun["id"], &authenticator.create(&begun["options"])).await.expect(200).documented();
        assert_eq!((&confirmed["second_factor"]["kind"], &confirmed["second_factor"]["name"]), (&json!("passkey"), &json!("My phone")));
        assert_eq!(confirmed["recovery_codes"].as_array().unwrap().len(), 10);
        assert!(house.mails_to(ANA).await.pop().unwrap().contains("a passkey"));

        let asked = house.sign_in(ANA, PASSWORD).await.expect_refused(401, "second-factor-needed").documented();
        assert_eq!(asked["kinds"], json!(["passkey", "recovery_code"]));
        let (challenge, question) = (asked["challenge"].as_str().unwrap(), &asked["passkey"]);
        let answer = authenticator.get(question);
        for wrong in [
            {
                authenticator.origin = "https://evil.test";
                authenticator.get(question)
            },
            {
                authenticator.origin = ORIGIN;
                authenticator.flags = 0b001;
                authenticator.get(question)
            },
            {
                authenticator.flags = PRESENT_AND_VERIFIED;
                Authenticator::new().get(question)
            },
            {
                let mut forged = answer.clone();
                forged["response"]["signature"] = json!(BASE64.encode([0; 70]));
                forged
            },
        ] {
            house.show(challenge, json!({ "passkey": wrong })).await.expect_refused(422, "second-factor-refused");
        }
        let signed_in: Tokens = house.show(challenge, json!({ "passkey": authenticator.get(question) })).await.expect(200).documented().into();
        house.me(&signed_in).await.expect(200);
        house.show(challenge, json!({ "passkey": answer })).await.expect_refused(401, "token-refused");
        // An answer counts for its question.
        let again = house.challenge(ANA).await;
        house.show(&again, json!({ "passkey": answer })).await.expect_refused(422, "second-factor-refused");
        house.close().await;
    }

    async fn a_passkey_that_was_copied_gives_itself_away(house: House) {
        let Some(house) = house.named().await else { return };
        let tokens = house.join_up(ANA).await;
        let (mut authenticator, _) = house.enrol_passkey(&tokens.access).await;
        for (used, status) in [(5, 200), (5, 422), (3, 422), (6, 200)] {
            let asked = house.sign_in(ANA, PASSWORD).await.expect_refused(401, "second-factor-needed");
            authenticator.used = used - 1;
            let answer = authenticator.get(&asked["passkey"]);
            let reply = house.show(asked["challenge"].as_str().unwrap(), json!({ "passkey": answer })).await;
            assert_eq!(reply.status, status, "{used}: {}", reply.text);
        }
        house.close().await;
    }

    async fn a_passkey_is_one_persons(house: House) {
        let Some(house) = house.named().await else { return };
        let (ana, eva) = (house.join_up(ANA).await, house.join_up(EVA).await);
        let (authenticator, _) = house.enrol_passkey(&ana.access).await;
        let begun = house.begin_passkey(&eva.access).await.expect(201);
        house.confirm_passkey(&eva.access, &begun["id"], &authenticator.create(&begun["options"])).await.expect_refused(422, "second-factor-refused");
        // Nor does an authenticator get a second of the same account: it is told which one it has.
        let question = house.post_to("/v1/me/second-factors/questions").token(&ana.access).await.expect(201).documented();
        assert_eq!(question["passkey"]["allowCredentials"][0]["id"], json!(BASE64.encode(&authenticator.id)));
        house.close().await;
    }

    async fn a_passkey_is_asked_for_before_factors_change(house: House) {
        let Some(house) = house.named().await else { return };
        let tokens = house.join_up(ANA).await;
        let (mut authenticator, id) = house.enrol_passkey(&tokens.access).await;
        let remove = |body: Value| house.put(format!("/v1/me/second-factors/{}/removal", id.as_str().unwrap())).token(&tokens.access).json(&body);
        remove(json!({ "password": PASSWORD })).await.expect_refused(422, "invalid-fields").naming("totp");
        let ask = async || house.post_to("/v1/me/second-factors/questions").token(&tokens.access).await.expect(201);
        let answer = authenticator.get(&ask().await["passkey"]);
        // The question was asked of this device, and the newest counts.
        ask().await;
        remove(json!({ "password": PASSWORD, "passkey": answer })).await.expect_refused(422, "second-factor-refused");
        let answer = authenticator.get(&ask().await["passkey"]);
        house.advance(chrono::TimeDelta::minutes(5));
        remove(json!({ "password": PASSWORD, "passkey": answer })).await.expect_refused(422, "second-factor-refused");
        let answer = authenticator.get(&ask().await["passkey"]);
        // An answer counts once.
        let renew = |answer: &Value| {
            let body = json!({ "password": PASSWORD, "passkey": answer });
            house.put("/v1/me/recovery-codes").token(&tokens.access).json(&body)
        };
        renew(&answer).await.expect(200);
        renew(&answer).await.expect_refused(422, "second-factor-refused");
        let answer = authenticator.get(&ask().await["passkey"]);
        let both = json!({ "password": PASSWORD, "passkey": answer, "totp": "123456" });
        remove(both).await.expect_refused(422, "invalid-fields").naming("passkey");
        remove(json!({ "password": PASSWORD, "passkey": answer })).await.expect(204);
        house.sign_in(ANA, PASSWORD).await.expect(200);
        let none = house.post_to("/v1/me/second-factors/questions").token(&tokens.access).await.expect(201);
        assert_eq!((&none["kinds"], &none["passkey"]), (&json!([]), &Value::Null));
        house.close().await;
    }

    async fn a_number_has_no_passkeys(house: House) {
        let tokens = house.join_up(ANA).await;
        house.begin_passkey(&tokens.access).await.expect_refused(409, "passkeys-unavailable").documented();
    }
}
