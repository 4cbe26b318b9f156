//! The deployment's keys: from each secret of the settings one key per purpose, derived by HKDF (RFC 5869).

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use chacha20poly1305::aead::Aead as _;
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

use super::{SECRET_BYTES_MIN, SetUpError, hs256, secrets};
use crate::problem::{Answer, Problem};
use crate::settings::Settings;

/// The file of generated secrets in the data directory.
pub const KEYS_FILE: &str = "sign-in.keys";
/// Bytes of a sealed code's nonce.
const NONCE_BYTES: usize = 24;

/// All keys of the deployment. The first secret signs and seals, all are accepted.
pub struct Keys {
    signing: Key,
    older: Vec<Key>,
    validation: Validation,
}

/// What is derived from one secret.
struct Key {
    /// The `kid` of a token's header: says nothing about the key.
    id: String,
    signs: EncodingKey,
    checks: DecodingKey,
    seals: XChaCha20Poly1305,
    hashes: Hkdf<Sha256>,
}

impl Keys {
    /// The keys that the settings name, or, on the embedded default, those of the data directory, which are made if they are not there.
    pub fn of_settings(settings: &Settings) -> Result<Self, SetUpError> {
        match Self::named(settings)? {
            Some(keys) => Ok(keys),
            None => Self::new(&kept_in(&settings.data.directory)?),
        }
    }

    /// The keys that the settings name; `None` where the data directory's will do, which nobody has looked at yet.
    pub fn named(settings: &Settings) -> Result<Option<Self>, SetUpError> {
        let named: Vec<String> = settings.sign_in.keys.iter().map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()).collect();
        if !named.is_empty() {
            return Self::new(&named).map(Some);
        }
        if settings.database.url.trim().is_empty() {
            return Ok(None);
        }
        Err(SetUpError::KeysMissing)
    }

    /// Keys of these secrets, each base64 of 32 bytes or more, the newest first.
    pub fn new(secrets: &[String]) -> Result<Self, SetUpError> {
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
        Ok(Self { signing, older: keys.collect(), validation })
    }

    fn accepted(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.signing).chain(&self.older)
    }

    /// Signs a token's claims (RFC 7519, HS256).
    pub fn sign(&self, claims: &impl Serialize) -> Answer<String> {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(self.signing.id.clone());
        jsonwebtoken::encode(&header, claims, &self.signing.signs).map_err(Problem::fault)
    }

    /// The claims of a token that one of the keys signed. Nobody has looked at them yet.
    pub fn check<C: DeserializeOwned>(&self, token: &str) -> Option<C> {
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let key = self.accepted().find(|key| key.id == kid)?;
        Some(jsonwebtoken::decode(token, &key.checks, &self.validation).ok()?.claims)
    }

    /// Seals a code into its letter's row: only the letter worker needs to read it.
    pub fn seal(&self, code: &str) -> Answer<Vec<u8>> {
        let nonce = secrets::random::<NONCE_BYTES>()?;
        let sealed = self.signing.seals.encrypt(&XNonce::from(nonce), code.as_bytes()).map_err(Problem::fault)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Reads a sealed code; `None` if no key of this deployment sealed it.
    pub fn unseal(&self, sealed: &[u8]) -> Option<String> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let nonce = XNonce::from(*nonce);
        let code = self.accepted().find_map(|key| key.seals.decrypt(&nonce, sealed).ok())?;
        String::from_utf8(code).ok()
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
            hashes: Hkdf::from_prk(&derive::<32>(&root, "code hashes")?).ok()?,
        })
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

    use serde_json::{Value, json};

    use super::*;

    fn secret(byte: u8) -> String {
        BASE64_STANDARD.encode([byte; 32])
    }

    #[test]
    fn keys_are_rotated_by_putting_a_new_one_in_front() {
        let old = Keys::new(&[secret(1)]).unwrap();
        let both = Keys::new(&[secret(2), secret(1)]).unwrap();
        let new = Keys::new(&[secret(2)]).unwrap();

        let token = old.sign(&json!({"sub": "ana"})).unwrap();
        assert_eq!(both.check::<Value>(&token), Some(json!({"sub": "ana"})));
        assert_eq!(new.check::<Value>(&token), None);
        assert!(new.check::<Value>(&both.sign(&json!({})).unwrap()).is_some(), "the first signs");

        let sealed = old.seal("12345678").unwrap();
        assert_eq!(both.unseal(&sealed).as_deref(), Some("12345678"));
        assert_eq!(new.unseal(&sealed), None);
        assert_eq!(both.unseal(b"nothing"), None);

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
        let claims = jsonwebtoken::decode::<Value>(token, &checks, &keys.validation).unwrap().claims;
        assert_eq!(claims["iss"], "joe");
        let forged = token.replace("dBj", "dBk");
        assert!(jsonwebtoken::decode::<Value>(forged, &checks, &keys.validation).is_err());

        let token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6IlREZGlvNlZjaWdEQyJ9.eyJzdWIiOiJhbmEifQ.Czlmleztm3QbgJN--gtAhcJ2ACc9rTiUaAnZGM5EL8g";
        assert_eq!(keys.check::<Value>(token), Some(json!({"sub": "ana"})));
        let sealed = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXqsWv2yqQpD9YkiacMacyihFn6fKbgyol";
        assert_eq!(keys.unseal(&BASE64_STANDARD.decode(sealed).unwrap()).as_deref(), Some("12345678"));
    }

    #[test]
    fn tokens_of_another_make_are_refused() {
        let keys = Keys::new(&[secret(1)]).unwrap();
        let token = keys.sign(&json!({"sub": "ana"})).unwrap();
        let (head, rest) = token.split_once('.').unwrap();
        let (claims, signature) = rest.split_once('.').unwrap();
        let unsigned = BASE64_URL_SAFE_NO_PAD.encode(json!({"alg": "none", "kid": keys.signing.id}).to_string());
        for bad in [format!("{unsigned}.{claims}."), format!("{head}.{claims}."), format!("{head}.e30.{signature}"), "x".into()] {
            assert_eq!(keys.check::<Value>(&bad), None, "{bad}");
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
