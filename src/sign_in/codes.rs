//! Mailed codes: made, stored as a keyed hash, sealed into their letters, compared. How many are mailed is counted by `code_gate`.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::buckets::{self, Asker, Bucket};
use super::code_gate::Pass;
use super::keys::{Keys, Sealed};
use super::rules::limits::{Count, code_tries};
use super::store::{self, Code, NewCode, Purpose, counts};
use super::{rules, secrets};
use crate::app::App;
use crate::db::{Db, Tx};
use crate::ids::new_id;
use crate::language::Language;
use crate::letters::facts::Facts;
use crate::letters::outbox::Letter;
use crate::problem::Answer;

/// A code on its way: its hash goes into its row, its sealed text into its letter.
pub struct Fresh {
    purpose: Purpose,
    email: String,
    email_key: String,
    hash: Vec<u8>,
    sealed: Sealed,
    pass: Pass,
}

impl Fresh {
    /// A new code for this address, for who has a pass.
    pub fn new(keys: &Keys, now: DateTime<Utc>, pass: Pass, purpose: Purpose, email: &str, email_key: &str) -> Answer<Self> {
        let code = secrets::code()?;
        Ok(Self {
            purpose,
            email: email.to_owned(),
            email_key: email_key.to_owned(),
            hash: keys.hash_code(&subject(purpose, email_key), &code),
            sealed: keys.seal(new_id(now), &code)?,
            pass,
        })
    }

    /// Counts and stores it: for this person's account, or, without a person, for nobody's. 429 if others of the same asker were faster.
    pub async fn store(&self, tx: &mut Tx, now: DateTime<Utc>, person_id: Option<Uuid>) -> Answer<u64> {
        self.pass.count(tx, now).await?;
        let id = new_id(now);
        let (email, email_key) = (self.email.as_str(), self.email_key.as_str());
        let code = NewCode { id, purpose: self.purpose, email, email_key, person_id, hash: &self.hash, asked_by: &self.pass.asked_by };
        Ok(store::insert_code(tx, now, code).await?)
    }

    /// The letter that carries it, to the address as its holder wrote it, not as somebody typed it who asks for a code.
    pub fn letter(self, now: DateTime<Utc>, person_id: Uuid, to: &str, locale: Language) -> Letter {
        let facts = match self.purpose {
            Purpose::Address | Purpose::Change => Facts::AddressCode {},
            Purpose::Password => Facts::PasswordCode {},
            Purpose::Deletion => Facts::DeletionCode {},
        };
        Letter {
            to_email: Some(to.to_owned()),
            sealed_code: Some(self.sealed),
            useful_until: Some(now + rules::CODE_LIFE),
            ..Letter::to_person(person_id, locale, facts)
        }
    }
}

/// What a code's hash is bound to, besides the code.
fn subject(purpose: Purpose, email_key: &str) -> String {
    format!("{purpose:?} {email_key}")
}

/// Refuses with 429 who has tried too many wrong codes of this kind on this address from where they are: before any work is done.
pub async fn ask(app: &App, from: Asker, purpose: Purpose, email_key: &str) -> Answer<()> {
    let tried = Bucket::guarding(&app.keys, Count::CodesFrom, email_key, &format!("{purpose:?} {}", from.name()));
    let levels = counts::look_up(&app.db, std::slice::from_ref(&tried.at.key)).await?;
    tried.room(tried.count.rate(), &levels, 1, app.clock.now()).map(drop)
}

/// Somebody who types a code, as it is counted.
struct Typist<'t> {
    purpose: Purpose,
    email_key: &'t str,
    /// In whose name wrong ones are counted.
    name: String,
    /// They do not show which registration they mean: nobody who does loses a try by them.
    is_blind: bool,
}

impl Typist<'_> {
    /// All their wrong ones.
    fn tried(&self, keys: &Keys) -> Bucket {
        Bucket::guarding(keys, Count::CodesFrom, self.email_key, &format!("{:?} {}", self.purpose, self.name))
    }

    /// Everybody's that were heard at the address.
    fn at(&self, keys: &Keys) -> Bucket {
        Bucket::guarding(keys, Count::CodesAt, self.email_key, &format!("{:?}", self.purpose))
    }

    /// The code that was typed, if it is one of these that still works for them; a wrong one is counted.
    ///
    /// Who asked for a code, or shows whose it is, has five tries of it, whatever others try. From elsewhere it is heard too, for people ask
    /// on one device and type on another, but only as long as few wrong ones are heard at the address: strangers use up each other's tries.
    async fn find(
        &self,
        tx: &mut Tx,
        keys: &Keys,
        now: DateTime<Utc>,
        mut living: Vec<Code>,
        is_own: impl Fn(&Code) -> bool,
        typed: &str,
    ) -> Answer<Option<Code>> {
        let (tried, at) = (self.tried(keys), self.at(keys));
        let levels = counts::hold(tx, now, &[tried.at.clone(), at.at.clone()]).await?;
        tried.room(tried.count.rate(), &levels, 1, now)?;
        let wrong = at.level(&levels, now);
        let tries = |code: &Code| if self.is_blind { code.blind_tries } else { code.tries };
        living.retain(|code| tries(code) < code_tries(is_own(code), wrong));
        let own: Vec<Uuid> = living.iter().filter(|code| is_own(code)).map(|code| code.id).collect();
        let was_heard = !living.is_empty();
        let found = compare(keys, living, self.email_key, typed);
        if found.is_none() {
            self.was_wrong(tx, keys, now, &own, was_heard).await?;
        }
        Ok(found)
    }

    /// Counts a wrong one: on these codes, and, if it was compared with any, at the address.
    async fn was_wrong(&self, tx: &mut Tx, keys: &Keys, now: DateTime<Utc>, own: &[Uuid], was_heard: bool) -> Answer<()> {
        if self.is_blind {
            store::count_blind_try(tx, own).await?;
        } else {
            store::count_try(tx, own).await?;
        }
        let at = was_heard.then(|| self.at(keys));
        buckets::add(tx, now, [self.tried(keys)].into_iter().chain(at).collect()).await.map(drop)
    }
}

/// Whether it was them who asked for a code.
fn asked(keys: &Keys, from: Asker) -> impl Fn(&Code) -> bool {
    let asker = from.hash(keys);
    move |code| code.asked_by.as_ref().is_some_and(|asked_by| secrets::same(asked_by, &asker))
}

/// The code that was typed, if it is one that still works; a wrong one is counted.
pub async fn find(
    tx: &mut Tx,
    keys: &Keys,
    now: DateTime<Utc>,
    purpose: Purpose,
    email_key: &str,
    from: Asker,
    typed: &str,
) -> Answer<Option<Code>> {
    let living = store::living_codes(tx, now, purpose, email_key).await?;
    let typist = Typist { purpose, email_key, name: from.name(), is_blind: false };
    typist.find(tx, keys, now, living, asked(keys, from), typed).await
}

/// Whose code for an address it shall be.
#[derive(Clone, Copy)]
pub enum Whose<'w> {
    /// Of the registration that has this secret, which is hashed.
    Registration(&'w [u8]),
    /// Of somebody who is signed in.
    Person(Uuid),
    /// Of any registration: nobody said which.
    AnyRegistration,
}

/// The code that was typed for an address, if it is one of theirs that still works. A wrong one is counted on those that it was compared
/// with; from whoever does not say whose it shall be, in such a way that nobody else loses a try by it.
///
/// Who shows whose it is, by the registration's secret or by being signed in, is counted for themselves wherever they are: others on the
/// same network do not keep them out.
pub async fn find_for_address(
    tx: &mut Tx,
    keys: &Keys,
    now: DateTime<Utc>,
    whose: Whose<'_>,
    email_key: &str,
    from: Asker,
    typed: &str,
) -> Answer<Option<Code>> {
    match whose {
        Whose::Registration(hash) => {
            let living = store::codes_of_registration(tx, now, email_key, hash).await?;
            // A secret that is nobody's makes nobody known.
            let name = if living.is_empty() { from.name() } else { format!("registration {hash:02x?}") };
            let typist = Typist { purpose: Purpose::Address, email_key, name, is_blind: false };
            typist.find(tx, keys, now, living, |_| true, typed).await
        }
        Whose::Person(id) => {
            let living = store::codes_of_person(tx, now, email_key, id).await?;
            let typist = Typist { purpose: Purpose::Change, email_key, name: Asker::Person(id).name(), is_blind: false };
            typist.find(tx, keys, now, living, |_| true, typed).await
        }
        Whose::AnyRegistration => {
            let living = store::codes_of_registrations(tx, now, email_key).await?;
            blind(email_key, from).find(tx, keys, now, living, asked(keys, from), typed).await
        }
    }
}

fn blind(email_key: &str, from: Asker) -> Typist<'_> {
    Typist { purpose: Purpose::Address, email_key, name: from.name(), is_blind: true }
}

/// A right code came with a password that is not that of its registration: it counts as a wrong one.
pub async fn was_not_theirs(tx: &mut Tx, keys: &Keys, now: DateTime<Utc>, email_key: &str, from: Asker, code: &Code) -> Answer<()> {
    let own = if asked(keys, from)(code) { vec![code.id] } else { Vec::new() };
    blind(email_key, from).was_wrong(tx, keys, now, &own, true).await
}

/// The registration's code that was typed, before anything is decided. Nothing is counted.
pub async fn look_up_for_address(db: &Db, keys: &Keys, now: DateTime<Utc>, email_key: &str, typed: &str) -> Answer<Option<Code>> {
    Ok(compare(keys, store::look_up_codes_of_registrations(db, now, email_key).await?, email_key, typed))
}

/// Compares with every one of them, whichever fits: the newest that does.
fn compare(keys: &Keys, living: Vec<Code>, email_key: &str, typed: &str) -> Option<Code> {
    let mut found = None;
    for code in living {
        if keys.is_code(&code.code_hash, &subject(code.purpose, email_key), typed.trim()) {
            found = Some(code);
        }
    }
    found
}
