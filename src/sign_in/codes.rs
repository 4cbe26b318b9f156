//! Mailed codes: made, counted, stored as a keyed hash, sealed into their letters, compared.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::keys::{Keys, Sealed};
use super::store::{self, Code, NewCode, Purpose};
use super::{rules, secrets};
use crate::db::{Db, Tx};
use crate::ids::new_id;
use crate::language::Language;
use crate::letters::facts::Facts;
use crate::letters::outbox::Letter;
use crate::problem::{Answer, Problem, ProblemType};

/// A code on its way: its hash goes into its row, its sealed text into its letter.
pub struct Fresh {
    purpose: Purpose,
    email: String,
    email_key: String,
    hash: Vec<u8>,
    sealed: Sealed,
}

impl Fresh {
    /// A new code for this address.
    pub fn new(keys: &Keys, now: DateTime<Utc>, purpose: Purpose, email: &str, email_key: &str) -> Answer<Self> {
        let code = secrets::code()?;
        Ok(Self {
            purpose,
            email: email.to_owned(),
            email_key: email_key.to_owned(),
            hash: keys.hash_code(&subject(purpose, email_key), &code),
            sealed: keys.seal(new_id(now), &code)?,
        })
    }

    /// Stores it: for this person's account, or, without a person, for nobody's.
    pub async fn store(&self, tx: &mut Tx, now: DateTime<Utc>, person_id: Option<Uuid>) -> Answer<u64> {
        let id = new_id(now);
        let (email, email_key) = (self.email.as_str(), self.email_key.as_str());
        let code = NewCode { id, purpose: self.purpose, email, email_key, person_id, hash: &self.hash };
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

/// Refuses with 429 when as many codes as may be were asked for: before any work is done.
pub async fn ask(db: &Db, now: DateTime<Utc>, purpose: Purpose, email_key: &str) -> Answer<()> {
    may_send(&store::look_up_codes_sent(db, now, purpose, email_key).await?, now)
}

/// The same under the address's lock, where it counts.
pub async fn ask_again(tx: &mut Tx, now: DateTime<Utc>, purpose: Purpose, email_key: &str) -> Answer<()> {
    may_send(&store::codes_sent(tx, now, purpose, email_key).await?, now)
}

fn may_send(sent: &[DateTime<Utc>], now: DateTime<Utc>) -> Answer<()> {
    match rules::next_code_at(sent, now) {
        None => Ok(()),
        Some(at) => {
            let seconds = u64::try_from((at - now).num_seconds()).unwrap_or(0) + 1;
            Err(Problem::new(ProblemType::TooManyRequests).retry_after(seconds))
        }
    }
}

/// The code that was typed, if it is one that still works; a wrong one is counted.
pub async fn find(tx: &mut Tx, keys: &Keys, now: DateTime<Utc>, purpose: Purpose, email_key: &str, typed: &str) -> Answer<Option<Code>> {
    let living = store::living_codes(tx, now, purpose, email_key).await?;
    let (ids, found) = compare(keys, living, email_key, typed);
    if found.is_none() {
        store::count_try(tx, &ids).await?;
    }
    Ok(found)
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
pub async fn find_for_address(
    tx: &mut Tx,
    keys: &Keys,
    now: DateTime<Utc>,
    whose: Whose<'_>,
    email_key: &str,
    typed: &str,
) -> Answer<Option<Code>> {
    let living = match whose {
        Whose::Registration(hash) => store::code_of_registration(tx, now, email_key, hash).await?,
        Whose::Person(id) => store::codes_of_person(tx, now, email_key, id).await?,
        Whose::AnyRegistration => store::codes_of_registrations(tx, now, email_key).await?,
    };
    let (ids, found) = compare(keys, living, email_key, typed);
    match whose {
        _ if found.is_some() => {}
        Whose::AnyRegistration => store::count_blind_try(tx, &ids).await?,
        Whose::Registration(_) | Whose::Person(_) => store::count_try(tx, &ids).await?,
    }
    Ok(found)
}

/// The registration's code that was typed, before anything is decided. Nothing is counted.
pub async fn look_up_for_address(db: &Db, keys: &Keys, now: DateTime<Utc>, email_key: &str, typed: &str) -> Answer<Option<Code>> {
    Ok(compare(keys, store::look_up_codes_of_registrations(db, now, email_key).await?, email_key, typed).1)
}

/// Compares with every one of them, whichever fits: the ids of all, and the newest that does.
fn compare(keys: &Keys, living: Vec<Code>, email_key: &str, typed: &str) -> (Vec<Uuid>, Option<Code>) {
    let (mut ids, mut found) = (Vec::with_capacity(living.len()), None);
    for code in living {
        ids.push(code.id);
        if keys.is_code(&code.code_hash, &subject(code.purpose, email_key), typed.trim()) {
            found = Some(code);
        }
    }
    (ids, found)
}
