//! Passwords: argon2id (RFC 9106), off the async threads, few at a time, and the same work in every case.

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Deserializer};
use unicode_normalization::UnicodeNormalization as _;
use utoipa::ToSchema;

use super::line::{Line, RETRY_AFTER_S};
use super::{SetUpError, rules, secrets};
use crate::problem::{Answer, Problem, ProblemType};
use crate::settings::SignIn;
use crate::wrong::Wrong;

/// The most memory that a stored hash may ask for, in KiB, unless the setting asks for more: a damaged one could ask for terabytes.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
/// How many times as dear as a new hash a stored one may be that others are made to cost as much as: a damaged one could ask for years.
const DEARER_MAX: u64 = 64;

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
        rules::passwords::check(&password.0)?;
        Ok(Self(password))
    }

    /// Whether it is more than these words of who chooses it, their address and name, and what the studios are called.
    pub fn check_personal(&self, own: &[&str], studios: &[String]) -> Result<(), Wrong> {
        rules::passwords::check_personal(&self.0.0, own, studios)
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

/// What was found of a typed password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is not the one whose hash is stored.
    Wrong,
    /// It is. `renewed` is its hash as new ones are made, if the stored one was made by other settings.
    Right { renewed: Option<String> },
}

/// The hasher and the line before it.
pub struct Passwords {
    params: Params,
    /// A hash that no password has, as dear as the dearest that is known to be stored: who signs in with an unknown address waits as long.
    nobodys: Mutex<Arc<Stored>>,
    line: Line,
    memory: Memory,
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
            nobodys: Mutex::new(Arc::new(Stored::new(&params, salt, output))),
            line: Line::new((cores / 2).max(1)),
            memory: Memory::at_most(memory.max(MEMORY_KIB_MAX)),
            params,
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

    /// The line before the hasher.
    #[doc(hidden)]
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// Learns by which settings the stored hashes were made (`m=19456,t=2,p=1`), so that an unknown address costs as much as the dearest.
    pub fn learn(&self, stored: &[String]) {
        for params in stored {
            match params.parse() {
                Ok(params) => self.learn_params(&params),
                Err(why) => tracing::warn!(%why, "the settings of a stored password hash cannot be read"),
            }
        }
    }

    fn learn_params(&self, params: &Params) {
        let (dear, own) = (cost(params), cost(&self.params));
        if params.block_count() > self.memory.kib_max || dear > own.saturating_mul(DEARER_MAX) {
            return;
        }
        let mut nobodys = self.nobodys.lock().unwrap_or_else(PoisonError::into_inner);
        if dear > cost(nobodys.argon2.params()) {
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
            *nobodys = Arc::new(Stored { argon2, salt: nobodys.salt.clone(), output: nobodys.output.clone() });
        }
    }

    /// The hash to be stored of a new password. A 503 says nothing of the password: there was no hash.
    pub async fn hash(&self, password: NewPassword) -> Answer<String> {
        self.hash_for(None, password).await
    }

    /// The same for a caller at this address.
    pub async fn hash_for(&self, from: Option<IpAddr>, password: NewPassword) -> Answer<String> {
        let (salt, params) = (secrets::random()?, self.params.clone());
        let hashed = self.off_thread(from, move |memory| {
            let NewPassword(Password(password)) = password;
            Stored::make(&params, salt, &password, memory)
        });
        hashed.await?.text().map_err(Problem::fault)
    }

    /// Whether it is the password whose hash is stored. Without one it takes as long and is not. A 503 says neither: there was no hash.
    /// A stored hash that is cheaper than the dearest is made up for, so that the time tells nothing of its age either.
    pub async fn verify(&self, from: Option<IpAddr>, password: Password, stored: Option<&str>) -> Answer<Verdict> {
        let somebodys = match stored {
            Some(stored) => {
                let read = Stored::read(stored).map_err(|why| Problem::fault(format!("a stored password hash cannot be read: {why}")))?;
                self.learn_params(read.argon2.params());
                Some(read)
            }
            None => None,
        };
        let nobodys = Arc::clone(&self.nobodys.lock().unwrap_or_else(PoisonError::into_inner));
        let (salt, params) = (secrets::random()?, self.params.clone());
        let looked = self.off_thread(from, move |memory| {
            let Password(password) = &password;
            let Some(hash) = somebodys else {
                nobodys.of(password, memory)?;
                return Ok(None);
            };
            let fits = secrets::same(&hash.of(password, memory)?, &hash.output);
            if let Some(rest) = nobodys.beyond(&hash) {
                rest.of(password, memory)?;
            }
            let renew = fits && !hash.is_made_by(&params);
            let renewed = if renew { Some(Stored::make(&params, salt, password, memory)?) } else { None };
            Ok(fits.then_some(renewed))
        });
        match looked.await? {
            None => Ok(Verdict::Wrong),
            Some(renewed) => Ok(Verdict::Right { renewed: renewed.map(|hash| hash.text().map_err(Problem::fault)).transpose()? }),
        }
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        from: Option<IpAddr>,
        job: impl FnOnce(&Memory) -> argon2::Result<T> + Send + 'static,
    ) -> Answer<T> {
        let permit = self.line.turn(from).await?;
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

/// What a hash of these settings costs, in blocks that are filled.
fn cost(params: &Params) -> u64 {
    u64::from(params.m_cost()) * u64::from(params.t_cost())
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

    fn make(params: &Params, salt: [u8; 16], password: &str, memory: &Memory) -> argon2::Result<Self> {
        let mut made = Self::new(params, salt, [0; 32]);
        made.output = made.of(password, memory)?;
        Ok(made)
    }

    /// Whether these settings would make the same hash of the same password and salt.
    fn is_made_by(&self, params: &Params) -> bool {
        let own = self.argon2.params();
        (own.m_cost(), own.t_cost(), own.p_cost()) == (params.m_cost(), params.t_cost(), params.p_cost())
    }

    /// What is left of the work of this hash when the other was made.
    fn beyond(&self, other: &Self) -> Option<Self> {
        let own = self.argon2.params();
        let left = cost(own).checked_sub(cost(other.argon2.params()))?;
        let memory = u32::try_from(left / u64::from(own.t_cost()).max(1)).ok()?;
        // Less than argon2 can do is nothing that anybody could measure.
        let params = Params::new(memory, own.t_cost(), 1, None).ok()?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Some(Self { argon2, salt: self.salt.clone(), output: self.output.clone() })
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
        let right = Verdict::Right { renewed: None };
        for (typed, stored, verdict) in [
            ("plie-tendu-releve", Some(hash.as_str()), &right),
            ("ｐlie-tendu-releve", Some(hash.as_str()), &right),
            ("plie-tendu-relevé", Some(hash.as_str()), &Verdict::Wrong),
            ("plie-tendu-releve", None, &Verdict::Wrong),
        ] {
            assert_eq!(&passwords.verify(None, Password::typed(typed), stored).await.unwrap(), verdict, "{typed} {stored:?}");
        }
        assert_eq!(passwords.made() - made, 4);
    }

    /// Made by the reference implementation (argon2-cffi) of "plie-tendu-releve", with more memory and passes than the settings here say.
    const DEARER: &str = "$argon2id$v=19$m=64,t=2,p=2$h6T0abF2EofEz5+SjwJj4g$Sj/IsqzULYYmsnTzuIMchEmnWqKLgKObbFjS9MCtrvI";

    #[tokio::test]
    async fn a_hash_of_other_settings_is_read_and_made_anew() {
        let passwords = passwords();
        let Verdict::Right { renewed: Some(renewed) } =
            passwords.verify(None, Password::typed("plie-tendu-releve"), Some(DEARER)).await.unwrap()
        else {
            panic!("it is the password, and its hash is out of date");
        };
        assert!(renewed.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{renewed}");
        let again = passwords.verify(None, Password::typed("plie-tendu-releve"), Some(&renewed)).await.unwrap();
        assert_eq!(again, Verdict::Right { renewed: None });
        for (typed, stored) in [("plie-tendu-relever", DEARER), ("plie-tendu-relever", renewed.as_str())] {
            assert_eq!(passwords.verify(None, Password::typed(typed), Some(stored)).await.unwrap(), Verdict::Wrong);
        }
    }

    /// The work of a try: what is stored, what is made up for, or what stands for nobody's.
    fn work(passwords: &Passwords, stored: Option<&str>) -> u64 {
        let nobodys = Arc::clone(&passwords.nobodys.lock().unwrap());
        let Some(stored) = stored.map(|stored| Stored::read(stored).unwrap()) else { return cost(nobodys.argon2.params()) };
        let beyond = nobodys.beyond(&stored).map_or(0, |rest| cost(rest.argon2.params()));
        cost(stored.argon2.params()) + beyond
    }

    #[tokio::test]
    async fn an_unknown_address_costs_what_the_dearest_stored_hash_costs_and_so_does_a_cheap_one() {
        let passwords = passwords();
        let cheap = passwords.hash(NewPassword::parse("plie-tendu-releve").unwrap()).await.unwrap();
        assert_eq!((work(&passwords, None), work(&passwords, Some(&cheap))), (8, 8));
        passwords.learn(&["m=8,t=1,p=1".into(), "m=64,t=2,p=2".into(), "nonsense".into()]);
        for stored in [None, Some(cheap.as_str()), Some(DEARER)] {
            assert_eq!(work(&passwords, stored), 128, "{stored:?}");
        }
        // What asks for more than could ever be stored on purpose is damage, and is not followed.
        passwords.learn(&["m=8,t=4294967295,p=1".into(), "m=4194304,t=1,p=1".into()]);
        assert_eq!(work(&passwords, None), 128);
        // Seen for the first time, where another process has other settings.
        let passwords = self::passwords();
        passwords.verify(None, Password::typed("whatever it is"), Some(DEARER)).await.unwrap();
        assert_eq!(work(&passwords, None), 128);
    }

    #[tokio::test]
    async fn without_memory_there_is_no_verdict() {
        let mut passwords = passwords();
        let hash = passwords.hash(NewPassword::parse("plie-tendu-releve").unwrap()).await.unwrap();
        passwords.memory = Memory::at_most(7);
        for (typed, stored) in [("plie-tendu-releve", Some(hash.as_str())), ("another-password", Some(&hash)), ("plie-tendu-releve", None)]
        {
            let refused = passwords.verify(None, Password::typed(typed), stored).await.unwrap_err();
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
            let refused = passwords.verify(None, Password::typed("plie-tendu-releve"), Some(stored)).await.unwrap_err();
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
        assert!((1..=passwords.line().at_once()).contains(&sets.len()), "{} sets", sets.len());
        let zero = Block::new();
        assert!(sets.iter().flatten().all(|block| block.as_ref() == zero.as_ref()));
    }

    #[tokio::test]
    async fn the_line_is_short() {
        let passwords = passwords();
        let closed = passwords.line().close().await.unwrap();
        let calls = (0..crate::sign_in::line::WAITING_MAX + 3).map(|_| passwords.verify(None, Password::typed("whatever it is"), None));
        let all_calls = futures_util::future::join_all(calls);
        let (answers, ()) = tokio::join!(all_calls, async {
            tokio::task::yield_now().await;
            drop(closed);
        });
        let refused = answers.iter().filter(|answer| answer.as_ref().is_err_and(|problem| problem.kind == ProblemType::Busy)).count();
        assert_eq!(refused, 3);
        assert_eq!(passwords.line().waiting_now(), 0);
    }
}
