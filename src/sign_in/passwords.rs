//! Passwords: argon2id (RFC 9106), off the async threads, few at a time, and one hash in every case.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Deserializer};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;
use utoipa::ToSchema;

use super::{SetUpError, rules, secrets};
use crate::problem::{Answer, Problem, ProblemType};
use crate::settings::SignIn;

/// Callers who may wait for a hash; one more is told to come again.
const WAITING_MAX: usize = 32;
/// When to come again, in seconds.
const RETRY_AFTER_S: u64 = 2;

/// A password as somebody typed it, to be compared.
#[derive(Clone, ToSchema)]
#[schema(value_type = String, format = "password")]
pub struct Password(String);

/// A password that somebody chooses: 10 to 128 characters, none of the common ones.
#[derive(Clone, ToSchema)]
#[schema(value_type = String, format = "password", min_length = 10, max_length = 128)]
pub struct NewPassword(Password);

impl Password {
    /// The same password, however the keyboard composes its characters (RFC 8265 uses NFC; NFKC also folds full-width forms).
    pub fn typed(text: &str) -> Self {
        Self(text.nfkc().collect())
    }
}

impl NewPassword {
    /// Checks the rules.
    pub fn parse(text: &str) -> Result<Self, String> {
        let password = Password::typed(text);
        rules::check_password(&password.0)?;
        Ok(Self(password))
    }
}

impl fmt::Debug for Password {
    /// Not a word of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

impl fmt::Debug for NewPassword {
    /// Not a word of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::typed(&text))
    }
}

impl<'de> Deserialize<'de> for NewPassword {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The hasher and its gate.
pub struct Passwords {
    argon2: Argon2<'static>,
    /// A hash that no password has, made as the real ones are: who signs in with an unknown address waits as long.
    nobodys: Arc<str>,
    gate: Arc<Semaphore>,
    waiting: AtomicUsize,
    made: AtomicU64,
}

impl Passwords {
    /// As the settings say.
    pub fn new(settings: &SignIn) -> Result<Self, SetUpError> {
        let (memory, passes) = (settings.argon2_memory_kib, settings.argon2_passes);
        let params = Params::new(memory, passes, 1, None).map_err(|why| SetUpError::Hashing { why: why.to_string() })?;
        let no_randomness = |_| SetUpError::Hashing { why: "there is no randomness".into() };
        let (salt, output) = (secrets::random::<16>().map_err(no_randomness)?, secrets::random::<32>().map_err(no_randomness)?);
        let nobodys = nobodys(&params, &salt, &output).map_err(|why| SetUpError::Hashing { why: why.to_string() })?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            nobodys: nobodys.into(),
            gate: Arc::new(Semaphore::new((cores / 2).max(1))),
            waiting: AtomicUsize::new(0),
            made: AtomicU64::new(0),
        })
    }

    /// How many hashes were made: the tests of equal work count them.
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// The hash to be stored of a new password.
    pub async fn hash(&self, password: NewPassword) -> Answer<String> {
        let salt = secrets::random::<16>()?;
        let hashed = self
            .off_thread(move |argon2| {
                let NewPassword(Password(password)) = password;
                argon2.hash_password_with_salt(password.as_bytes(), &salt).map(|hash| hash.to_string())
            })
            .await?;
        hashed.map_err(Problem::fault)
    }

    /// Whether it is the password whose hash is stored. Without one it takes as long and is not.
    pub async fn verify(&self, password: Password, stored: Option<&str>) -> Answer<bool> {
        let known = stored.filter(|hash| PasswordHash::new(hash).is_ok());
        let hash: Arc<str> = known.map_or_else(|| Arc::clone(&self.nobodys), Arc::from);
        let fits = self.off_thread(move |argon2| argon2.verify_password(password.0.as_bytes(), &*hash).is_ok()).await?;
        Ok(fits && known.is_some())
    }

    async fn off_thread<T: Send + 'static>(&self, job: impl FnOnce(&Argon2<'static>) -> T + Send + 'static) -> Answer<T> {
        let permit = {
            let _place = Waiting::in_line(&self.waiting)?;
            Arc::clone(&self.gate).acquire_owned().await.map_err(Problem::fault)?
        };
        self.made.fetch_add(1, Ordering::Relaxed);
        let argon2 = self.argon2.clone();
        // The permit goes along: a caller who hangs up does not let another hash begin while this one runs.
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            job(&argon2)
        })
        .await
        .map_err(Problem::fault)
    }
}

/// A hash of no password: it looks like one, and cost none.
fn nobodys(params: &Params, salt: &[u8], output: &[u8]) -> Result<String, argon2::password_hash::Error> {
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params)?,
        salt: Some(Salt::new(salt)?),
        hash: Some(Output::new(output)?),
    };
    Ok(hash.to_string())
}

/// A place in the line, given up when dropped.
struct Waiting<'w>(&'w AtomicUsize);

impl<'w> Waiting<'w> {
    fn in_line(waiting: &'w AtomicUsize) -> Answer<Self> {
        let place = Self(waiting);
        if waiting.fetch_add(1, Ordering::SeqCst) < WAITING_MAX {
            Ok(place)
        } else {
            Err(Problem::new(ProblemType::Busy).retry_after(RETRY_AFTER_S))
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn passwords() -> Passwords {
        let mut settings = Settings::defaults().unwrap().sign_in;
        settings.argon2_memory_kib = 8;
        settings.argon2_passes = 1;
        Passwords::new(&settings).unwrap()
    }

    #[tokio::test]
    async fn one_hash_in_every_case() {
        let passwords = passwords();
        let hash = passwords.hash(NewPassword::parse("plie-tendu-releve").unwrap()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        let made = passwords.made();
        for (typed, stored, fits) in [
            ("plie-tendu-releve", Some(hash.as_str()), true),
            ("ｐlie-tendu-releve", Some(hash.as_str()), true),
            ("plie-tendu-relevé", Some(hash.as_str()), false),
            ("plie-tendu-releve", None, false),
            ("plie-tendu-releve", Some("none"), false),
        ] {
            assert_eq!(passwords.verify(Password::typed(typed), stored).await.unwrap(), fits, "{typed} {stored:?}");
        }
        assert_eq!(passwords.made() - made, 5);
    }

    #[tokio::test]
    async fn the_line_is_short() {
        let passwords = passwords();
        let all = passwords.gate.clone().acquire_many_owned(u32::try_from(passwords.gate.available_permits()).unwrap()).await.unwrap();
        let calls = (0..WAITING_MAX + 3).map(|_| passwords.verify(Password::typed("whatever it is"), None));
        let all_calls = futures_util::future::join_all(calls);
        let (answers, ()) = tokio::join!(all_calls, async {
            tokio::task::yield_now().await;
            drop(all);
        });
        let refused = answers.iter().filter(|answer| answer.as_ref().is_err_and(|problem| problem.kind == ProblemType::Busy)).count();
        assert_eq!(refused, 3);
        assert_eq!(passwords.waiting.load(Ordering::SeqCst), 0);
    }
}
