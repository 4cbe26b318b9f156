//! The deployment's keys: from each secret of the settings one key per purpose, derived by HKDF (RFC 5869).

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use chrono::{DateTime, Utc};
use hkdf::Hkdf;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;
use url::{Host, Url};
use uuid::Uuid;

use super::{SECRET_BYTES_MIN, SetUpError, hs256, secrets};
use crate::problem::{Answer, Problem};
use crate::security::Mark;
use crate::settings::Settings;

/// The file of generated secrets in the data directory.
pub const KEYS_FILE: &str = "sign-in.keys";
/// Bytes of a sealed code's nonce.
const NONCE_BYTES: usize = 24;

/// What shows that a check-in code was made here. Who guesses has to ask this server for each try, and 2⁶⁴ are too many.
pub type CheckInTag = [u8; 8];

/// The issuer of tokens where only this machine gets: a port that changes signs nobody out.
const LOCAL: &str = "releve:local";

/// All keys of the deployment. The first secret signs and seals, all are accepted.
pub struct Keys {
    signing: Key,
    older: Vec<Key>,
    /// Who issues access tokens (`iss`), and for whom (`aud`): another deployment's are refused even if it has the same secret, and so is
    /// whatever else may be signed one day.
    issuer: String,
    audience: String,
    validation: Validation,
    /// The same for tokens of a version before these two claims.
    of_older: Validation,
    older_until: OnceLock<DateTime<Utc>>,
}

/// A code that is sealed into one letter's row, and opens in no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The row.
    pub letter_id: Uuid,
    /// What stands there.
    pub bytes: Vec<u8>,
}

/// What is signed.
#[derive(Serialize)]
struct Issued<'k, C> {
    iss: &'k str,
    aud: &'k str,
    #[serde(flatten)]
    claims: &'k C,
}

/// What an older version signed.
#[derive(Deserialize)]
struct IssuedByNobody<C> {
    #[serde(default)]
    iss: Value,
    #[serde(default)]
    aud: Value,
    #[serde(flatten)]
    claims: C,
}

/// What is derived from one secret.
struct Key {
    /// The `kid` of a token's header: says nothing about the key.
    id: String,
    signs: EncodingKey,
    checks: DecodingKey,
    seals: XChaCha20Poly1305,
    seals_factors: XChaCha20Poly1305,
    hashes: Hkdf<Sha256>,
    marks: Hkdf<Sha256>,
    links: Hkdf<Sha256>,
    unsubscribes: Hkdf<Sha256>,
    check_ins: Hkdf<Sha256>,
}

impl Keys {
    /// The keys that the settings name, or, on the embedded default, those of the data directory, which are made if they are not there.
    pub fn of_settings(settings: &Settings) -> Result<Self, SetUpError> {
        match Self::named(settings)? {
            Some(keys) => Ok(keys),
            None => Self::issued_by(&kept_in(&settings.data.directory)?, &issuer(&settings.server.public_url)),
        }
    }

    /// The keys that the settings name; `None` where the data directory's will do, which nobody has looked at yet.
    pub fn named(settings: &Settings) -> Result<Option<Self>, SetUpError> {
        let named: Vec<String> = settings.sign_in.keys.iter().map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()).collect();
        if !named.is_empty() {
            return Self::issued_by(&named, &issuer(&settings.server.public_url)).map(Some);
        }
        if settings.database.url.trim().is_empty() {
            return Ok(None);
        }
        Err(SetUpError::KeysMissing)
    }

    /// Keys of these secrets, each base64 of 32 bytes or more, the newest first, of a deployment on this machine alone.
    pub fn new(secrets: &[String]) -> Result<Self, SetUpError> {
        Self::issued_by(secrets, LOCAL)
    }

    /// The same of the deployment that calls itself so.
    pub fn issued_by(secrets: &[String], issuer: &str) -> Result<Self, SetUpError> {
        let mut keys = Vec::with_capacity(secrets.len());
        for (index, secret) in secrets.iter().enumerate() {
            let bytes = BASE64_STANDARD.decode(secret).or_else(|_| BASE64_URL_SAFE_NO_PAD.decode(secret)).unwrap_or_default();
            keys.push(Key::of(&bytes).ok_or(SetUpError::NoKey { nth: index + 1 })?);
        }
        let mut keys = keys.into_iter();
        let signing = keys.next().ok_or(SetUpError::KeysMissing)?;
        hs256::install();
        // Expiry is judged by our `Clock`, not by the machine's.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let (of_older, audience) = (validation.clone(), format!("{issuer}/v1"));
        validation.validate_aud = true;
        validation.set_audience(&[&audience]);
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["aud", "iss"]);
        let (issuer, older) = (issuer.to_owned(), keys.collect());
        Ok(Self { signing, older, issuer, audience, validation, of_older, older_until: OnceLock::new() })
    }

    /// Until then tokens of a version without `iss` and `aud` are believed too: whoever is signed in notices nothing of an upgrade, also
    /// while processes of both versions answer.
    pub fn believe_older_until(&self, until: DateTime<Utc>) {
        let _ = self.older_until.set(until);
    }

    fn accepted(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.signing).chain(&self.older)
    }

    /// Signs a token's claims (RFC 7519, HS256).
    pub fn sign(&self, claims: &impl Serialize) -> Answer<String> {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(self.signing.id.clone());
        let issued = Issued { iss: &self.issuer, aud: &self.audience, claims };
        jsonwebtoken::encode(&header, &issued, &self.signing.signs).map_err(Problem::fault)
    }

    /// The claims of a token that one of the keys signed for this deployment's API. Nobody has looked at them yet.
    pub fn check<C: DeserializeOwned>(&self, token: &str, now: DateTime<Utc>) -> Option<C> {
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let key = self.accepted().find(|key| key.id == kid)?;
        if let Ok(issued) = jsonwebtoken::decode(token, &key.checks, &self.validation) {
            return Some(issued.claims);
        }
        self.older_until.get().filter(|until| now < **until)?;
        let older: IssuedByNobody<C> = jsonwebtoken::decode(token, &key.checks, &self.of_older).ok()?.claims;
        (older.iss.is_null() && older.aud.is_null()).then_some(older.claims)
    }

    /// Seals a code into the row of the letter that will have this id: only the letter worker needs to read it, and only there.
    pub fn seal(&self, letter_id: Uuid, code: &str) -> Answer<Sealed> {
        let nonce = secrets::random::<NONCE_BYTES>()?;
        let payload = Payload { msg: code.as_bytes(), aad: letter_id.as_bytes() };
        let sealed = self.signing.seals.encrypt(&XNonce::from(nonce), payload).map_err(Problem::fault)?;
        Ok(Sealed { letter_id, bytes: [nonce.as_slice(), &sealed].concat() })
    }

    /// Reads a code that stands sealed in this row; `None` if no key of this deployment sealed it, or it was sealed for another row.
    pub fn unseal(&self, letter_id: Uuid, sealed: &[u8]) -> Option<String> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let nonce = XNonce::from(*nonce);
        // Codes of a version before they were bound to their rows have no row in them. Nobody makes such any more without the key, and the
        // last of them, invitations, are of no use after 14 days.
        let open = |aad: &[u8]| self.accepted().find_map(|key| key.seals.decrypt(&nonce, Payload { msg: sealed, aad }).ok());
        let code = open(letter_id.as_bytes()).or_else(|| open(&[]))?;
        String::from_utf8(code).ok()
    }

    /// What makes a link to this offer: whoever has it may take the place or decline it, and nothing else.
    pub fn sign_offer(&self, offer_id: Uuid) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.signing.sign_link(offer_id))
    }

    /// What makes a link that switches these letters to this person off: whoever has it may do that, and nothing else.
    pub fn sign_unsubscribe(&self, person_id: Uuid, switch: &str) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.signing.sign_unsubscribe(person_id, switch))
    }

    /// Whether one of the keys made that link.
    pub fn is_signed_unsubscribe(&self, person_id: Uuid, switch: &str, signature: &str) -> bool {
        let Ok(signature) = BASE64_URL_SAFE_NO_PAD.decode(signature) else { return false };
        self.accepted().fold(false, |found, key| found | secrets::same(&signature, &key.sign_unsubscribe(person_id, switch)))
    }

    /// Whether one of the keys made this link.
    pub fn is_signed_offer(&self, offer_id: Uuid, signature: &str) -> bool {
        let Ok(signature) = BASE64_URL_SAFE_NO_PAD.decode(signature) else { return false };
        self.accepted().fold(false, |found, key| found | secrets::same(&signature, &key.sign_link(offer_id)))
    }

    /// What makes a code with which the member of this booking is checked in, by each of the keys, the newest first.
    pub fn sign_check_in(&self, booking_id: Uuid) -> Vec<CheckInTag> {
        self.accepted().map(|key| key.sign_check_in(booking_id)).collect()
    }

    /// A keyed hash of something of this kind, by a key that is for nothing else.
    pub fn mark(&self, kind: &str, what: &[u8]) -> Mark {
        let mut mark = [0; 12];
        // Of one block it never fails.
        let _ = self.signing.marks.expand_multi_info(&[kind.as_bytes(), b"\0", what], &mut mark);
        Mark(mark)
    }

    /// The keyed hash of the network that an address is in: of IPv4 its /24, of IPv6 its /48.
    pub fn mark_network(&self, address: IpAddr) -> Mark {
        let network = match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & !0xff)),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !(u128::MAX >> 48))),
        };
        match network {
            IpAddr::V4(network) => self.mark("network", &network.octets()),
            IpAddr::V6(network) => self.mark("network", &network.octets()),
        }
    }

    /// Seals the secret of a second factor into its row: in another it is worth nothing.
    pub fn seal_factor(&self, row: Uuid, secret: &[u8]) -> Answer<Vec<u8>> {
        let nonce = secrets::random::<NONCE_BYTES>()?;
        let secret = Payload { msg: secret, aad: row.as_bytes() };
        let sealed = self.signing.seals_factors.encrypt(&XNonce::from(nonce), secret).map_err(Problem::fault)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Reads it; `None` if no key of this deployment sealed it, or not for this row.
    pub fn unseal_factor(&self, row: Uuid, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let nonce = XNonce::from(*nonce);
        let sealed = || Payload { msg: sealed, aad: row.as_bytes() };
        self.accepted().find_map(|key| key.seals_factors.decrypt(&nonce, sealed()).ok())
    }

    /// The same secret sealed by the newest key, if an older one sealed it: codes live for minutes, factors for years, and an old key is to be
    /// taken away some day.
    pub fn renew_factor_seal(&self, row: Uuid, sealed: &[u8]) -> Answer<Option<Vec<u8>>> {
        let newest = |sealed: &[u8]| {
            let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
            let sealed = Payload { msg: sealed, aad: row.as_bytes() };
            self.signing.seals_factors.decrypt(&XNonce::from(*nonce), sealed).ok()
        };
        if newest(sealed).is_some() {
            return Ok(None);
        }
        self.unseal_factor(row, sealed).map(|secret| self.seal_factor(row, &secret)).transpose()
    }

    /// What is stored of a short code that was mailed for `subject`: useless without the key, although short codes are few.
    pub fn hash_code(&self, subject: &str, code: &str) -> Vec<u8> {
        self.signing.hash_code(subject, code)
    }

    /// Whether `code` is the one whose hash is stored.
    pub fn is_code(&self, stored: &[u8], subject: &str, code: &str) -> bool {
        self.accepted().fold(false, |found, key| found | secrets::same(stored, &key.hash_code(subject, code)))
    }
}

impl Key {
    fn of(secret: &[u8]) -> Option<Self> {
        if secret.len() < SECRET_BYTES_MIN {
            return None;
        }
        let root = Hkdf::<Sha256>::new(Some(b"releve"), secret);
        let id = derive::<9>(&root, "key id")?;
        let access = derive::<32>(&root, "access tokens")?;
        Some(Self {
            id: BASE64_URL_SAFE_NO_PAD.encode(id),
            signs: EncodingKey::from_secret(&access),
            checks: DecodingKey::from_secret(&access),
            seals: XChaCha20Poly1305::new(&derive::<32>(&root, "sealed codes")?.into()),
            seals_factors: XChaCha20Poly1305::new(&derive::<32>(&root, "second factors")?.into()),
            hashes: Hkdf::from_prk(&derive::<32>(&root, "code hashes")?).ok()?,
            marks: Hkdf::from_prk(&derive::<32>(&root, "security marks")?).ok()?,
            links: Hkdf::from_prk(&derive::<32>(&root, "links of offers")?).ok()?,
            unsubscribes: Hkdf::from_prk(&derive::<32>(&root, "links that switch letters off")?).ok()?,
            check_ins: Hkdf::from_prk(&derive::<32>(&root, "check-in codes")?).ok()?,
        })
    }

    fn sign_link(&self, offer_id: Uuid) -> Vec<u8> {
        let mut signature = [0; 32];
        match self.links.expand(offer_id.as_bytes(), &mut signature) {
            Ok(()) => signature.to_vec(),
            // Of one block it never fails.
            Err(_) => Vec::new(),
        }
    }

    fn sign_unsubscribe(&self, person_id: Uuid, switch: &str) -> Vec<u8> {
        let mut signature = [0; 32];
        match self.unsubscribes.expand_multi_info(&[person_id.as_bytes(), switch.as_bytes()], &mut signature) {
            Ok(()) => signature.to_vec(),
            // Of one block it never fails.
            Err(_) => Vec::new(),
        }
    }

    fn sign_check_in(&self, booking_id: Uuid) -> CheckInTag {
        let mut tag = CheckInTag::default();
        // Of one block it never fails.
        let _ = self.check_ins.expand(booking_id.as_bytes(), &mut tag);
        tag
    }

    /// HKDF-Expand of one block is an HMAC.
    fn hash_code(&self, subject: &str, code: &str) -> Vec<u8> {
        let mut hash = [0; 32];
        match self.hashes.expand_multi_info(&[subject.as_bytes(), b"\0", code.as_bytes()], &mut hash) {
            Ok(()) => hash.to_vec(),
            // Of one block it never fails; an empty hash fits no code.
            Err(_) => Vec::new(),
        }
    }
}

/// What a deployment calls itself in its tokens: where people reach it, or, where only this machine does, a name that outlives its port.
fn issuer(public_url: &str) -> String {
    let url = Url::parse(public_url).ok();
    let is_local = url.as_ref().and_then(Url::host).is_none_or(|host| match host {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    });
    if is_local { LOCAL.to_owned() } else { public_url.trim_end_matches('/').to_owned() }
}

fn derive<const N: usize>(root: &Hkdf<Sha256>, purpose: &str) -> Option<[u8; N]> {
    let mut key = [0; N];
    root.expand(purpose.as_bytes(), &mut key).ok()?;
    Some(key)
}

/// The secrets kept in this directory, one a line, the newest first; made if they are not there, readable by their owner only.
pub fn kept_in(directory: &Path) -> Result<Vec<String>, SetUpError> {
    let path = directory.join(KEYS_FILE);
    let failed = |source| SetUpError::File { path: path.clone(), source };
    if !path.try_exists().map_err(failed)? {
        fs::create_dir_all(directory).map_err(failed)?;
        let secret = secrets::random::<SECRET_BYTES_MIN>().map_err(|_| failed(io::Error::other("there is no randomness")))?;
        make(&path, &BASE64_STANDARD.encode(secret)).map_err(failed)?;
    }
    let text = fs::read_to_string(&path).map_err(failed)?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// Writes the file whole or not at all; one that another process has written meanwhile stays.
fn make(path: &Path, line: &str) -> io::Result<()> {
    let draft = path.with_extension(format!("keys.{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    writeln!(file, "{line}")?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use chrono::TimeDelta;
    use serde_json::json;

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
    }

    fn secret(byte: u8) -> String {
        BASE64_STANDARD.encode([byte; 32])
    }

    #[test]
    fn keys_are_rotated_by_putting_a_new_one_in_front() {
        let old = Keys::new(&[secret(1)]).unwrap();
        let both = Keys::new(&[secret(2), secret(1)]).unwrap();
        let new = Keys::new(&[secret(2)]).unwrap();

        let token = old.sign(&json!({"sub": "ana"})).unwrap();
        assert_eq!(both.check::<Value>(&token, now()).unwrap()["sub"], "ana");
        assert_eq!(new.check::<Value>(&token, now()), None);
        assert!(new.check::<Value>(&both.sign(&json!({})).unwrap(), now()).is_some(), "the first signs");

        let letter = Uuid::from_u128(7);
        let sealed = old.seal(letter, "12345678").unwrap().bytes;
        assert_eq!(both.unseal(letter, &sealed).as_deref(), Some("12345678"));
        assert_eq!(new.unseal(letter, &sealed), None);
        assert_eq!(both.unseal(letter, b"nothing"), None);
        assert_eq!(old.unseal(Uuid::from_u128(8), &sealed), None, "it opens in no other row");

        let (row, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let factor = old.seal_factor(row, b"12345678901234567890").unwrap();
        assert_eq!(both.unseal_factor(row, &factor).as_deref(), Some(b"12345678901234567890".as_slice()));
        assert_eq!(both.unseal_factor(other, &factor), None, "sealed for its row");
        assert_eq!(new.unseal_factor(row, &factor), None);
        let renewed = both.renew_factor_seal(row, &factor).unwrap().unwrap();
        assert_eq!(new.unseal_factor(row, &renewed).as_deref(), Some(b"12345678901234567890".as_slice()));
        assert_eq!(both.renew_factor_seal(row, &renewed).unwrap(), None, "once is enough");
        assert_eq!(new.renew_factor_seal(row, &factor).unwrap(), None, "of a key that is gone nothing is made");
        assert_eq!(old.unseal(row, &factor), None, "another purpose, another key");

        let (offer, link) = (Uuid::from_u128(9), old.sign_offer(Uuid::from_u128(9)));
        assert!(both.is_signed_offer(offer, &link) && !new.is_signed_offer(offer, &link));
        assert!(!old.is_signed_offer(letter, &link) && !old.is_signed_offer(offer, ""), "it is a link to one offer");

        let off = old.sign_unsubscribe(row, "reminder_2h");
        assert!(both.is_signed_unsubscribe(row, "reminder_2h", &off) && !new.is_signed_unsubscribe(row, "reminder_2h", &off));
        assert!(!old.is_signed_unsubscribe(other, "reminder_2h", &off) && !old.is_signed_unsubscribe(row, "reminder_24h", &off));
        assert!(!old.is_signed_offer(row, &off) && !old.is_signed_unsubscribe(row, "reminder_2h", ""), "another purpose, another key");

        let hash = old.hash_code("address ana@example.test", "12345678");
        assert!(both.is_code(&hash, "address ana@example.test", "12345678"));
        assert!(!both.is_code(&hash, "address eva@example.test", "12345678"));
        assert!(!both.is_code(&hash, "address ana@example.test", "12345679"));
        assert!(!new.is_code(&hash, "address ana@example.test", "12345678"));
    }

    /// The example of RFC 7515, A.1, and a token and a sealed code that another implementation (Python's) made of the same secret.
    #[test]
    fn what_others_signed_and_sealed_is_read() {
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let keys = Keys::new(&[secret(1)]).unwrap();
        let checks = DecodingKey::from_secret(&BASE64_URL_SAFE_NO_PAD.decode(key).unwrap());
        let claims = jsonwebtoken::decode::<Value>(token, &checks, &keys.of_older).unwrap().claims;
        assert_eq!(claims["iss"], "joe");
        let forged = token.replace("dBj", "dBk");
        assert!(jsonwebtoken::decode::<Value>(forged, &checks, &keys.of_older).is_err());

        let token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6IlREZGlvNlZjaWdEQyJ9.eyJzdWIiOiJhbmEifQ.Czlmleztm3QbgJN--gtAhcJ2ACc9rTiUaAnZGM5EL8g";
        keys.believe_older_until(now());
        assert_eq!(keys.check::<Value>(token, now() - TimeDelta::seconds(1)), Some(json!({"sub": "ana"})), "of an older version");
        assert_eq!(keys.check::<Value>(token, now()), None, "whose time is over");
        let sealed = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXqsWv2yqQpD9YkiacMacyihFn6fKbgyol";
        assert_eq!(keys.unseal(Uuid::nil(), &BASE64_STANDARD.decode(sealed).unwrap()).as_deref(), Some("12345678"));
    }

    #[test]
    fn a_token_is_for_one_deployment_and_one_purpose() {
        let of = |url: &str| Keys::issued_by(&[secret(1)], &issuer(url)).unwrap();
        let (here, there) = (of("https://book.example.com"), of("https://staging.example.com"));
        let token = here.sign(&json!({"sub": "ana"})).unwrap();
        let claims = here.check::<Value>(&token, now()).unwrap();
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!("https://book.example.com"), &json!("https://book.example.com/v1")));
        assert_eq!(there.check::<Value>(&token, now()), None);
        there.believe_older_until(now() + TimeDelta::minutes(15));
        assert_eq!(there.check::<Value>(&token, now()), None, "it names another: that is no older version's");
        let other = |aud: &str, iss: &str| {
            let mut header = Header::new(Algorithm::HS256);
            header.kid = Some(here.signing.id.clone());
            jsonwebtoken::encode(&header, &json!({"sub": "ana", "aud": aud, "iss": iss}), &here.signing.signs).unwrap()
        };
        assert!(here.check::<Value>(&other("https://book.example.com/v1", "https://book.example.com"), now()).is_some());
        for (aud, iss) in [("https://book.example.com/live", "https://book.example.com"), ("https://book.example.com/v1", "joe"), ("", "")]
        {
            assert_eq!(here.check::<Value>(&other(aud, iss), now()), None, "{aud} {iss}");
        }
        let local = ["http://127.0.0.1:3000", "http://127.0.0.1:4000", "http://[::1]:1", "http://localhost", ""].map(issuer);
        assert!(local.iter().all(|name| name == LOCAL), "{local:?}");
    }

    #[test]
    fn a_mark_is_that_of_a_network() {
        let keys = Keys::new(&[secret(1)]).unwrap();
        let of = |address: &str| keys.mark_network(address.parse().unwrap());
        assert_eq!(of("192.0.2.1"), of("192.0.2.254"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.9"));
        assert_ne!(of("192.0.2.1"), of("192.0.3.1"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:ffff::9"));
        assert_ne!(of("2001:db8:1::1"), of("2001:db8:2::1"));
        assert_ne!(
            of("192.0.2.1"),
            Keys::new(&[secret(2)]).unwrap().mark_network("192.0.2.1".parse().unwrap()),
            "without the key nobody can"
        );
        assert_ne!(keys.mark("address", b"a"), keys.mark("network", b"a"));
    }

    #[test]
    fn tokens_of_another_make_are_refused() {
        let keys = Keys::new(&[secret(1)]).unwrap();
        let token = keys.sign(&json!({"sub": "ana"})).unwrap();
        let (head, rest) = token.split_once('.').unwrap();
        let (claims, signature) = rest.split_once('.').unwrap();
        let unsigned = BASE64_URL_SAFE_NO_PAD.encode(json!({"alg": "none", "kid": keys.signing.id}).to_string());
        for bad in [format!("{unsigned}.{claims}."), format!("{head}.{claims}."), format!("{head}.e30.{signature}"), "x".into()] {
            assert_eq!(keys.check::<Value>(&bad, now()), None, "{bad}");
        }
    }

    #[test]
    fn short_or_missing_keys_are_refused_by_name() {
        let refused = Keys::new(&[secret(1), BASE64_STANDARD.encode([1; 31])]).map(|_| ()).unwrap_err().to_string();
        assert!(refused.contains("sign_in.keys: key 2"), "{refused}");
        let mut settings = Settings::defaults().unwrap();
        settings.database.url = "postgres://db/releve".into();
        let refused = Keys::of_settings(&settings).map(|_| ()).unwrap_err().to_string();
        assert!(refused.contains("RELEVE__SIGN_IN__KEYS"), "{refused}");
    }

    #[test]
    fn the_embedded_default_keeps_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Settings::defaults().unwrap();
        settings.data.directory = directory.path().join("data");
        let first = Keys::of_settings(&settings).unwrap();
        let again = Keys::of_settings(&settings).unwrap();
        assert_eq!(first.signing.id, again.signing.id);
        let file = settings.data.directory.join(KEYS_FILE);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&settings.data.directory).unwrap().count(), 1, "no draft stays behind");
    }
}
