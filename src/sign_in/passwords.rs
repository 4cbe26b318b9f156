//! Passwords: argon2id (RFC 9106), off the async threads, few at a time, and one hash in every case.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Deserializer};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;
use utoipa::ToSchema;

use super::{SetUpError, rules, secrets};
use crate::problem::{Answer, Problem, ProblemType};
use crate::settings::SignIn;
use crate::wrong::Wrong;

/// Callers who may wait for a hash; one more is told to come again.
const WAITING_MAX: usize = 32;
/// The most memory that a stored hash may ask for, in KiB, unless the setting asks for more: a damaged one could ask for terabytes.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
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
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        Self::chosen(Password::typed(text))
    }

    /// Checks the rules for what was typed where it might have been a password that there is.
    pub fn chosen(password: Password) -> Result<Self, Wrong> {
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
        Self::parse(&String::deserialize(deserializer)?).map_err(Wrong::refuse)
    }
}

/// The hasher and its gate.
pub struct Passwords {
    params: Params,
    /// A hash that no password has, made as the real ones are: who signs in with an unknown address waits as long.
    nobodys: Arc<Stored>,
    gate: Arc<Semaphore>,
    memory: Memory,
    waiting: AtomicUsize,
    made: AtomicU64,
}

impl Passwords {
    /// As the settings say.
    pub fn new(settings: &SignIn) -> Result<Self, SetUpError> {
        let (memory, passes) = (settings.argon2_memory_kib, settings.argon2_passes);
        let params = Params::new(memory, passes, 1, None).map_err(|why| SetUpError::Hashing { why: why.to_string() })?;
        let no_randomness = |_| SetUpError::Hashing { why: "there is no randomness".into() };
        let (salt, output) = (secrets::random().map_err(no_randomness)?, secrets::random().map_err(no_randomness)?);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            nobodys: Arc::new(Stored::new(&params, salt, output)),
            gate: Arc::new(Semaphore::new((cores / 2).max(1))),
            memory: Memory::at_most(memory.max(MEMORY_KIB_MAX)),
            params,
            waiting: AtomicUsize::new(0),
            made: AtomicU64::new(0),
        })
    }

    /// The stored form of a password that nobody has: for an account whose password was taken away.
    pub fn of_nobody(&self) -> Answer<String> {
        Stored::new(&self.params, secrets::random()?, secrets::random()?).text().map_err(Problem::fault)
    }

    /// How many hashes were made: the tests of equal work count them.
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// The hash to be stored of a new password. A 503 says nothing of the password: there was no hash.
    pub async fn hash(&self, password: NewPassword) -> Answer<String> {
        let (salt, params) = (secrets::random()?, self.params.clone());
        let hashed = self.off_thread(move |memory| {
            let NewPassword(Password(password)) = password;
            let mut made = Stored::new(&params, salt, [0; 32]);
            made.output = made.of(&password, memory)?;
            Ok(made)
        });
        hashed.await?.text().map_err(Problem::fault)
    }

    /// Whether it is the password whose hash is stored. Without one it takes as long and is not. A 503 says neither: there was no hash.
    pub async fn verify(&self, password: Password, stored: Option<&str>) -> Answer<bool> {
        let (hash, is_somebodys) = match stored {
            Some(stored) => {
                let read = Stored::read(stored).map_err(|why| Problem::fault(format!("a stored password hash cannot be read: {why}")))?;
                (Arc::new(read), true)
            }
            None => (Arc::clone(&self.nobodys), false),
        };
        let fits = self.off_thread(move |memory| Ok(secrets::same(&hash.of(&password.0, memory)?, &hash.output))).await?;
        Ok(fits && is_somebodys)
    }

    async fn off_thread<T: Send + 'static>(&self, job: impl FnOnce(&Memory) -> argon2::Result<T> + Send + 'static) -> Answer<T> {
        let permit = {
            let _place = Waiting::in_line(&self.waiting)?;
            Arc::clone(&self.gate).acquire_owned().await.map_err(Problem::fault)?
        };
        self.made.fetch_add(1, Ordering::Relaxed);
        let memory = self.memory.clone();
        // The permit goes along: a caller who hangs up does not let another hash begin while this one runs.
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            job(&memory)
        });
        match done.await {
            Ok(Ok(made)) => Ok(made),
            Ok(Err(error)) => Err(unable(error)),
            Err(panicked) => Err(unable(panicked)),
        }
    }
}

/// The hasher could not do its work, which is no verdict on a password.
fn unable(error: impl fmt::Display) -> Problem {
    tracing::error!(%error, "a password could not be hashed");
    Problem::new(ProblemType::Unavailable).retry_after(RETRY_AFTER_S)
}

/// The hash of a password, with all that it takes to make it again.
struct Stored {
    argon2: Argon2<'static>,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Stored {
    fn new(params: &Params, salt: [u8; 16], output: [u8; 32]) -> Self {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        Self { argon2, salt: salt.to_vec(), output: output.to_vec() }
    }

    /// Reads what is stored: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`.
    fn read(text: &str) -> Result<Self, String> {
        let hash = PasswordHash::new(text).map_err(|why| why.to_string())?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).map_err(|why| why.to_string())?;
        let version = hash.version.map_or(Ok(Version::V0x13), Version::try_from).map_err(|why| why.to_string())?;
        let params = Params::try_from(&hash).map_err(|why| why.to_string())?;
        let (Some(salt), Some(output)) = (hash.salt, hash.hash) else { return Err("it has no salt or no hash".into()) };
        let argon2 = Argon2::new(algorithm, version, params);
        Ok(Self { argon2, salt: salt.as_ref().to_vec(), output: output.as_bytes().to_vec() })
    }

    fn text(&self) -> Result<String, String> {
        let params = ParamsString::try_from(self.argon2.params()).map_err(|why| why.to_string())?;
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params,
            salt: Some(Salt::new(&self.salt).map_err(|why| why.to_string())?),
            hash: Some(Output::new(&self.output).map_err(|why| why.to_string())?),
        };
        Ok(hash.to_string())
    }

    /// What this password's output is.
    fn of(&self, password: &str, memory: &Memory) -> argon2::Result<Vec<u8>> {
        memory.lend(self.argon2.params().block_count(), |blocks| {
            let mut output = vec![0; self.output.len()];
            self.argon2.hash_password_into_with_memory(password.as_bytes(), &self.salt, &mut output, blocks)?;
            Ok(output)
        })
    }
}

/// The memory of argon2, kept from one hash to the next: one set of blocks for each hash that may be made at once. Allocated and freed
/// for each, 19 MiB at a time, it stayed with the process many times over.
#[derive(Clone)]
struct Memory {
    sets: Arc<Mutex<Vec<Vec<Block>>>>,
    kib_max: usize,
}

impl Memory {
    fn at_most(kib: u32) -> Self {
        Self { sets: Arc::default(), kib_max: usize::try_from(kib).unwrap_or(usize::MAX) }
    }

    /// Lends so many blocks of a KiB each. What a hash has left in them is wiped.
    fn lend<T>(&self, count: usize, job: impl FnOnce(&mut [Block]) -> argon2::Result<T>) -> argon2::Result<T> {
        if count > self.kib_max {
            return Err(argon2::Error::OutOfMemory);
        }
        let mut set = self.sets().pop().unwrap_or_default();
        if let Some(missing) = count.checked_sub(set.len()) {
            set.try_reserve_exact(missing).map_err(|_| argon2::Error::OutOfMemory)?;
            set.resize(count, Block::new());
        }
        let (lent, _) = set.split_at_mut(count);
        let outcome = job(lent);
        lent.fill(Block::new());
        self.sets().push(set);
        outcome
    }

    fn sets(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        ] {
            assert_eq!(passwords.verify(Password::typed(typed), stored).await.unwrap(), fits, "{typed} {stored:?}");
        }
        assert_eq!(passwords.made() - made, 4);
    }

    /// Made by the reference implementation (argon2-cffi) of "plie-tendu-releve", with more memory and passes than the settings here say.
    #[tokio::test]
    async fn a_hash_of_other_settings_is_read() {
        let passwords = passwords();
        let stored = "$argon2id$v=19$m=64,t=2,p=2$h6T0abF2EofEz5+SjwJj4g$Sj/IsqzULYYmsnTzuIMchEmnWqKLgKObbFjS9MCtrvI";
        assert!(passwords.verify(Password::typed("plie-tendu-releve"), Some(stored)).await.unwrap());
        assert!(!passwords.verify(Password::typed("plie-tendu-relever"), Some(stored)).await.unwrap());
        let hash = passwords.hash(NewPassword::parse("plie-tendu-releve").unwrap()).await.unwrap();
        assert!(passwords.verify(Password::typed("plie-tendu-releve"), Some(&hash)).await.unwrap(), "a smaller one after it");
    }

    #[tokio::test]
    async fn without_memory_there_is_no_verdict() {
        let mut passwords = passwords();
        let hash = passwords.hash(NewPassword::parse("plie-tendu-releve").unwrap()).await.unwrap();
        passwords.memory = Memory::at_most(7);
        for (typed, stored) in [("plie-tendu-releve", Some(hash.as_str())), ("another-password", Some(&hash)), ("plie-tendu-releve", None)]
        {
            let refused = passwords.verify(Password::typed(typed), stored).await.unwrap_err();
            assert_eq!(refused.kind, ProblemType::Unavailable, "{typed} {stored:?}");
        }
        let refused = passwords.hash(NewPassword::parse("plie-tendu-releve").unwrap()).await.unwrap_err();
        assert_eq!(refused.kind, ProblemType::Unavailable);
    }

    #[tokio::test]
    async fn a_damaged_hash_is_our_fault_and_no_wrong_password() {
        let passwords = passwords();
        for stored in
            ["", "none", "$argon2id$", "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ", "$scrypt$ln=16,r=8,p=1$c29tZXNhbHQ$YWJjZGVmZ2hpamtsbW5vcA"]
        {
            let refused = passwords.verify(Password::typed("plie-tendu-releve"), Some(stored)).await.unwrap_err();
            assert_eq!(refused.kind, ProblemType::Fault, "{stored}");
        }
        assert_eq!(passwords.made(), 0);
    }

    #[tokio::test]
    async fn the_memory_is_used_again_and_wiped() {
        let passwords = passwords();
        for _ in 0..3 {
            let hashes = (0..5).map(|_| passwords.hash(NewPassword::parse("plie-tendu-releve").unwrap()));
            assert!(futures_util::future::join_all(hashes).await.iter().all(Result::is_ok));
        }
        let sets = passwords.memory.sets();
        assert!((1..=passwords.gate.available_permits()).contains(&sets.len()), "{} sets", sets.len());
        let zero = Block::new();
        assert!(sets.iter().flatten().all(|block| block.as_ref() == zero.as_ref()));
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
