//! Accounts, devices, codes and invitations in the database.

pub mod counts;

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;
use webauthn_rs::prelude::PasskeyAuthentication;

use super::Identity;
use super::factors::rules::{CHALLENGES_MAX, is_required};
use super::factors::store as factors;
use super::rotation::{Chain, REFRESH_LIFE};
use super::rules::{self, DEVICES_MAX, DEVICES_REMEMBERED};
use super::secrets::RefreshToken;
use crate::db::{Db, Error, Sql, Tx};
use crate::language::Language;
use crate::people::roles::{Role, Roles};
use crate::settings::RequiredOf;
use crate::text::Email;

// Who is behind a device.

/// The identities behind those of these devices that are signed in, where the deployment requires a second factor of these people.
pub async fn identities(db: &Db, factor: RequiredOf, devices: &[Uuid]) -> Result<HashMap<Uuid, Identity>, Error> {
    #[derive(FromRow)]
    struct Row {
        device_id: Uuid,
        person_id: Uuid,
        verified: bool,
        is_owner: bool,
        locale: Option<Language>,
        studio_id: Option<Uuid>,
        role: Option<Role>,
        studio_requires: Option<bool>,
        has_factor: bool,
    }
    let sql = "SELECT d.id AS device_id, d.person_id, (a.verified_at IS NOT NULL) AS verified, p.is_owner, p.locale, s.studio_id, s.role, \
               t.second_factor_required AS studio_requires, \
               (EXISTS (SELECT 1 FROM second_factors f WHERE f.person_id = d.person_id AND f.confirmed_at IS NOT NULL)) AS has_factor \
               FROM devices d JOIN persons p ON p.id = d.person_id JOIN accounts a ON a.person_id = d.person_id \
               LEFT JOIN staff s ON s.person_id = d.person_id LEFT JOIN studios t ON t.id = s.studio_id \
               WHERE d.ended_at IS NULL AND NOT d.awaits_factor AND d.id IN #";
    let rows: Vec<Row> = db.among(sql, (), devices).await?;
    let mut found = HashMap::with_capacity(devices.len());
    for row in rows {
        let identity = found.entry(row.device_id).or_insert_with(|| Identity {
            person_id: row.person_id,
            verified: row.verified,
            roles: Roles::new(row.is_owner, Vec::new()),
            locale: row.locale,
            factor_required: false,
            factor_missing: false,
        });
        let is_admin = row.role == Some(Role::Admin);
        identity.factor_required |= is_required(factor, row.is_owner, is_admin, is_admin && row.studio_requires == Some(true));
        identity.factor_missing = identity.factor_required && !row.has_factor;
        identity.roles.add(row.studio_id.zip(row.role));
    }
    for identity in found.values_mut().filter(|identity| identity.factor_missing) {
        identity.roles = identity.roles.without_admin();
    }
    Ok(found)
}

// Accounts.

/// What a person signs in with.
#[derive(Clone, Debug, FromRow)]
pub struct Account {
    pub person_id: Uuid,
    /// The address as it was written.
    pub email: String,
    /// The address as it is compared.
    pub email_key: String,
    /// The PHC string of the password.
    pub password_hash: String,
    /// When the address was confirmed.
    pub verified_at: Option<DateTime<Utc>>,
    /// When they registered.
    pub created_at: DateTime<Utc>,
    pub name: String,
    pub locale: Option<Language>,
}

// An address that is confirmed has one account; one that is not may have several that wait, of which the newest is meant. Two people who
// had one spelling of one address each before these were the same: each still has their own.
const ACCOUNT_BY: &str = "SELECT a.person_id, a.email, a.email_key, a.password_hash, a.verified_at, a.created_at, p.name, p.locale \
     FROM accounts a JOIN persons p ON p.id = a.person_id WHERE a.email_key IN ($1, $2) \
     ORDER BY CASE WHEN a.verified_at IS NULL THEN 1 ELSE 0 END, CASE WHEN a.email_key = $2 THEN 0 ELSE 1 END, \
     a.created_at DESC, a.person_id DESC LIMIT 1";
const ACCOUNT_OF: &str = "SELECT a.person_id, a.email, a.email_key, a.password_hash, a.verified_at, a.created_at, p.name, p.locale \
     FROM accounts a JOIN persons p ON p.id = a.person_id WHERE a.person_id = $1";

/// The account with this address, before anything is decided.
pub async fn look_up(db: &Db, email: &Email) -> Result<Option<Account>, Error> {
    db.maybe(ACCOUNT_BY, (email.key(), email.old_key())).await
}

/// The account with this address.
pub async fn account_by(tx: &mut Tx, email: &Email) -> Result<Option<Account>, Error> {
    tx.maybe(ACCOUNT_BY, (email.key(), email.old_key())).await
}

/// Whose accounts have this key, and whether it is confirmed that it is theirs.
pub async fn accounts_with_key(tx: &mut Tx, email_key: &str) -> Result<Vec<(Uuid, bool)>, Error> {
    let sql = "SELECT person_id, (verified_at IS NOT NULL) AS verified FROM accounts WHERE email_key = $1 ORDER BY person_id";
    tx.all(sql, (email_key,)).await
}

/// This person's account, held until the transaction ends: a sign-in and a new password follow each other.
pub async fn account_of(tx: &mut Tx, person_id: Uuid) -> Result<Option<Account>, Error> {
    let lock = Sql::Each { sqlite: "SELECT $1", postgres: "SELECT person_id FROM accounts WHERE person_id = $1 FOR UPDATE" };
    tx.maybe::<(Uuid,)>(lock, (person_id,)).await?;
    tx.maybe(ACCOUNT_OF, (person_id,)).await
}

/// This person's account, before anything is decided.
pub async fn look_up_of(db: &Db, person_id: Uuid) -> Result<Option<Account>, Error> {
    db.maybe(ACCOUNT_OF, (person_id,)).await
}

/// A new account.
pub struct NewAccount<'a> {
    pub person_id: Uuid,
    /// The address as it was written.
    pub email: &'a str,
    /// The address as it is compared.
    pub email_key: &'a str,
    /// The PHC string of the password.
    pub password_hash: &'a str,
    /// The privacy policy that they accepted.
    pub policy_version: Option<String>,
    /// The hash of the secret that only whoever registered knows.
    pub registration_hash: Option<&'a [u8]>,
}

/// Opens an account, whose address is still to be confirmed.
pub async fn insert_account(tx: &mut Tx, now: DateTime<Utc>, new: NewAccount<'_>) -> Result<u64, Error> {
    let sql = "INSERT INTO accounts (person_id, email, email_key, key_stale, password_hash, policy_version, policy_accepted_at, \
               created_at, registration_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let accepted_at = new.policy_version.as_ref().map(|_| now);
    let NewAccount { person_id, email, email_key, password_hash, policy_version, registration_hash } = new;
    let registration_hash = registration_hash.map(<[u8]>::to_vec);
    tx.run(sql, (person_id, email, email_key, false, password_hash, policy_version, accepted_at, now, registration_hash)).await
}

/// The registration of an address that this secret belongs to, while the address is not confirmed.
pub async fn registration(tx: &mut Tx, email_key: &str, registration_hash: &[u8]) -> Result<Option<Account>, Error> {
    let sql = "SELECT a.person_id, a.email, a.email_key, a.password_hash, a.verified_at, a.created_at, p.name, p.locale \
               FROM accounts a JOIN persons p ON p.id = a.person_id \
               WHERE a.email_key = $1 AND a.registration_hash = $2 AND a.verified_at IS NULL";
    tx.maybe(sql, (email_key, registration_hash)).await
}

/// The registrations that wait for the confirmation of an address, the newest first, and whether a code of theirs still works.
pub async fn registrations(tx: &mut Tx, now: DateTime<Utc>, email_key: &str) -> Result<Vec<(Uuid, bool)>, Error> {
    let sql = "SELECT a.person_id, EXISTS (SELECT 1 FROM codes c WHERE c.person_id = a.person_id AND c.purpose = 'address' \
                 AND c.expires_at > $2) AS lives \
               FROM accounts a WHERE a.email_key = $1 AND a.verified_at IS NULL ORDER BY a.created_at DESC, a.person_id DESC";
    tx.all(sql, (email_key, now)).await
}

/// Writes an account's row as it is: where it must not show that nothing is changed, as much is written.
pub async fn touch_account(tx: &mut Tx, person_id: Uuid) -> Result<u64, Error> {
    tx.run("UPDATE accounts SET email = email WHERE person_id = $1", (person_id,)).await
}

/// The hash of the same password, made anew, unless there is another password by now.
pub async fn renew_hash(tx: &mut Tx, person_id: Uuid, old: &str, new: &str) -> Result<(), Error> {
    let sql = "UPDATE accounts SET password_hash = $3 WHERE person_id = $1 AND password_hash = $2";
    tx.run(sql, (person_id, old, new)).await.map(drop)
}

/// By which settings the stored hashes were made: `m=19456,t=2,p=1`.
pub async fn hash_settings(db: &Db) -> Result<Vec<String>, Error> {
    let sql = Sql::Each {
        sqlite: "SELECT DISTINCT substr(h.rest, 1, instr(h.rest, $1) - 1) FROM \
                 (SELECT substr(password_hash, instr(password_hash, 'm=')) AS rest FROM accounts WHERE instr(password_hash, 'm=') > 0) h \
                 WHERE instr(h.rest, $1) > 0 LIMIT 100",
        postgres: "SELECT DISTINCT split_part(substr(password_hash, strpos(password_hash, 'm=')), $1, 1) FROM accounts \
                   WHERE strpos(password_hash, 'm=') > 0 LIMIT 100",
    };
    Ok(db.all::<(String,)>(sql, ("$",)).await?.into_iter().map(|(settings,)| settings).collect())
}

/// A new password. The secret of whoever registered goes with the one before.
pub async fn set_password(tx: &mut Tx, person_id: Uuid, password_hash: &str) -> Result<(), Error> {
    let sql = "UPDATE accounts SET password_hash = $2, registration_hash = NULL WHERE person_id = $1";
    tx.run(sql, (person_id, password_hash)).await.map(drop)
}

/// Nobody knows who accepted the privacy policy for this account.
pub async fn forget_policy(tx: &mut Tx, person_id: Uuid) -> Result<(), Error> {
    tx.run("UPDATE accounts SET policy_version = NULL, policy_accepted_at = NULL WHERE person_id = $1", (person_id,)).await.map(drop)
}

/// The account's address, once it is confirmed.
pub async fn set_account_address(tx: &mut Tx, now: DateTime<Utc>, person_id: Uuid, email: &str, email_key: &str) -> Result<(), Error> {
    let sql = "UPDATE accounts SET email = $2, email_key = $3, key_stale = $5, verified_at = $4 WHERE person_id = $1";
    tx.run(sql, (person_id, email, email_key, now, false)).await.map(drop)
}

/// Moves an account, with the codes that were mailed for it, to the person who turned out to be its owner.
pub async fn move_account(tx: &mut Tx, from: Uuid, to: Uuid) -> Result<(), Error> {
    tx.run("UPDATE accounts SET person_id = $2 WHERE person_id = $1", (from, to)).await?;
    tx.run("UPDATE codes SET person_id = $2 WHERE person_id = $1", (from, to)).await.map(drop)
}

/// Removes an account whose address was never confirmed, with its codes. What was mailed to the address stays counted; invitations to it are
/// not the account's own.
pub async fn discard_account(tx: &mut Tx, person_id: Uuid) -> Result<(), Error> {
    tx.run("DELETE FROM codes WHERE person_id = $1", (person_id,)).await?;
    tx.run("DELETE FROM devices WHERE person_id = $1", (person_id,)).await?;
    tx.run("DELETE FROM accounts WHERE person_id = $1 AND verified_at IS NULL", (person_id,)).await.map(drop)
}

// Codes.

/// What a code is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Purpose {
    /// Confirms the address of a registration.
    Address,
    /// Confirms another address of an account, for whoever is signed in to it.
    Change,
    /// Replaces a forgotten password.
    Password,
    /// Asks for the account's deletion on the public page.
    Deletion,
}

/// A code to be stored: for a person's account, or, without a person, for nobody's.
pub struct NewCode<'c> {
    pub id: Uuid,
    /// What it is good for.
    pub purpose: Purpose,
    /// The address to which it is mailed, as it was written.
    pub email: &'c str,
    /// The same as it is compared.
    pub email_key: &'c str,
    /// On whose account it acts.
    pub person_id: Option<Uuid>,
    /// Its keyed hash.
    pub hash: &'c [u8],
    /// Who asked for it, as a keyed hash.
    pub asked_by: &'c [u8],
}

/// Stores a code.
pub async fn insert_code(tx: &mut Tx, now: DateTime<Utc>, code: NewCode<'_>) -> Result<u64, Error> {
    let sql = "INSERT INTO codes (id, purpose, email, email_key, person_id, code_hash, created_at, expires_at, asked_by, nth) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
                 (SELECT COALESCE(MAX(nth), 0) + 1 FROM codes WHERE email_key = $4 AND purpose = $2))";
    let expires_at = now + rules::CODE_LIFE;
    let binds = (code.id, code.purpose, code.email, code.email_key, code.person_id, code.hash, now, expires_at, code.asked_by);
    tx.run(sql, binds).await
}

/// A code that may still work.
#[derive(Clone, Debug, FromRow)]
pub struct Code {
    pub id: Uuid,
    /// What it is good for.
    pub purpose: Purpose,
    /// On whose account it acts.
    pub person_id: Uuid,
    /// The address to which it was mailed, as it was written.
    pub email: String,
    /// Its keyed hash.
    pub code_hash: Vec<u8>,
    /// How many wrong ones were heard from who asked for it, or who showed whose it is.
    pub tries: i64,
    /// How many wrong ones were heard from who asked for it and did not show which registration was meant.
    pub blind_tries: i64,
    /// Who asked for it, as a keyed hash.
    pub asked_by: Option<Vec<u8>>,
    /// When it was first used.
    pub used_at: Option<DateTime<Utc>>,
}

/// The codes of an address that have not ended: for each account the newest of each who asked, since a new one ends those before it, but
/// nobody's wish ends what was mailed to somebody else.
macro_rules! living {
    ($from:literal, $which:expr) => {
        concat!(
            "SELECT c.id, c.purpose, c.person_id, c.email, c.code_hash, c.tries, c.blind_tries, c.asked_by, c.used_at FROM ",
            $from,
            " WHERE c.email_key = $1 AND c.person_id IS NOT NULL AND c.expires_at > $2 AND ",
            $which,
            " AND NOT EXISTS (SELECT 1 FROM codes n WHERE n.email_key = c.email_key AND n.purpose = c.purpose \
               AND n.person_id = c.person_id AND n.asked_by IS NOT DISTINCT FROM c.asked_by AND n.nth > c.nth) ORDER BY c.nth"
        )
    };
}

/// The codes of registrations. Not those by which an account of another address would take this one, whatever an older version called them.
macro_rules! registered {
    ($which:literal) => {
        living!(
            "codes c JOIN accounts a ON a.person_id = c.person_id AND a.email_key = c.email_key",
            concat!("c.purpose = 'address' AND ", $which)
        )
    };
}

/// The codes of this purpose that have not ended for this address.
pub async fn living_codes(tx: &mut Tx, now: DateTime<Utc>, purpose: Purpose, email_key: &str) -> Result<Vec<Code>, Error> {
    tx.all(living!("codes c", "c.purpose = $3"), (email_key, now, purpose)).await
}

/// The codes of the registration whose secret this is.
pub async fn codes_of_registration(tx: &mut Tx, now: DateTime<Utc>, email_key: &str, registration_hash: &[u8]) -> Result<Vec<Code>, Error> {
    tx.all(registered!("a.registration_hash = $3"), (email_key, now, registration_hash)).await
}

/// The codes by which somebody who is signed in confirms this address: of their registration, or of the change they asked for.
pub async fn codes_of_person(tx: &mut Tx, now: DateTime<Utc>, email_key: &str, person_id: Uuid) -> Result<Vec<Code>, Error> {
    tx.all(living!("codes c", "c.purpose IN ('address', 'change') AND c.person_id = $3"), (email_key, now, person_id)).await
}

const CODES_OF_REGISTRATIONS: &str = registered!("TRUE");

/// The codes of all registrations of this address, for whoever does not say which is meant, before anything is decided.
pub async fn look_up_codes_of_registrations(db: &Db, now: DateTime<Utc>, email_key: &str) -> Result<Vec<Code>, Error> {
    db.all(CODES_OF_REGISTRATIONS, (email_key, now)).await
}

/// The codes of all registrations of this address, for whoever does not say which is meant.
pub async fn codes_of_registrations(tx: &mut Tx, now: DateTime<Utc>, email_key: &str) -> Result<Vec<Code>, Error> {
    tx.all(CODES_OF_REGISTRATIONS, (email_key, now)).await
}

/// A wrong code was heard for these.
pub async fn count_try(tx: &mut Tx, codes: &[Uuid]) -> Result<(), Error> {
    for id in codes {
        tx.run("UPDATE codes SET tries = tries + 1 WHERE id = $1", (*id,)).await?;
    }
    Ok(())
}

/// A wrong code was heard for these from somebody who did not say which is meant.
pub async fn count_blind_try(tx: &mut Tx, codes: &[Uuid]) -> Result<(), Error> {
    for id in codes {
        tx.run("UPDATE codes SET blind_tries = blind_tries + 1 WHERE id = $1", (*id,)).await?;
    }
    Ok(())
}

/// A code was used for the first time.
pub async fn use_code(tx: &mut Tx, now: DateTime<Utc>, id: Uuid) -> Result<(), Error> {
    tx.run("UPDATE codes SET used_at = $2 WHERE id = $1 AND used_at IS NULL", (id, now)).await.map(drop)
}

/// Ends every code that acts on this account, but for one.
pub async fn end_codes(tx: &mut Tx, now: DateTime<Utc>, person_id: Uuid, but: Option<Uuid>) -> Result<(), Error> {
    let sql = "UPDATE codes SET expires_at = $2 WHERE person_id = $1 AND expires_at > $2 AND (id <> $3 OR $4)";
    tx.run(sql, (person_id, now, but, but.is_none())).await.map(drop)
}

// Devices.

/// A device as its person sees it.
#[derive(Clone, Debug, FromRow)]
pub struct Device {
    pub id: Uuid,
    /// What the app called it.
    pub name: Option<String>,
    /// When it signed in.
    pub created_at: DateTime<Utc>,
    /// When it last signed in or refreshed.
    pub used_at: DateTime<Utc>,
}

/// The devices on which somebody is signed in, the last used first.
pub async fn devices(tx: &mut Tx, now: DateTime<Utc>, person_id: Uuid) -> Result<Vec<Device>, Error> {
    let sql = "SELECT id, name, created_at, used_at FROM devices \
               WHERE person_id = $1 AND ended_at IS NULL AND NOT awaits_factor AND used_at > $2 \
               ORDER BY used_at DESC, id DESC";
    tx.all(sql, (person_id, now - REFRESH_LIFE)).await
}

/// Whether somebody was ever signed in on any device that is remembered.
pub async fn has_had_devices(tx: &mut Tx, person_id: Uuid) -> Result<bool, Error> {
    Ok(tx.maybe::<(Uuid,)>("SELECT id FROM devices WHERE person_id = $1 AND NOT awaits_factor LIMIT 1", (person_id,)).await?.is_some())
}

/// Signs a device in. `false` where its person has a second factor: then it awaits that, and is signed in once it is shown
/// ([`admit_device`]).
pub async fn open_device(
    tx: &mut Tx,
    now: DateTime<Utc>,
    person_id: Uuid,
    name: Option<String>,
    token: &RefreshToken,
) -> Result<bool, Error> {
    let awaits_factor = factors::has_any(tx, person_id).await?;
    let sql = "INSERT INTO devices (id, person_id, name, family_hash, current_hash, created_at, used_at, awaits_factor) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    tx.run(sql, (token.device_id, person_id, name, token.family_hash(), token.own_hash(), now, now, awaits_factor)).await?;
    if awaits_factor {
        // Counted by themselves: somebody who knows only the password signs nobody out, and makes no device forgotten.
        let sql = "DELETE FROM devices WHERE person_id = $1 AND awaits_factor AND id NOT IN \
                   (SELECT id FROM devices WHERE person_id = $1 AND awaits_factor ORDER BY used_at DESC, id DESC LIMIT $2)";
        tx.run(sql, (person_id, CHALLENGES_MAX)).await?;
    } else {
        keep_newest(tx, now, person_id).await?;
    }
    Ok(!awaits_factor)
}

/// Signs in a device that awaited the second factor. What it was given before is worth nothing any more.
pub async fn admit_device(tx: &mut Tx, now: DateTime<Utc>, person_id: Uuid, token: &RefreshToken) -> Result<(), Error> {
    let sql = "UPDATE devices SET family_hash = $2, current_hash = $3, awaits_factor = $5, created_at = $4, used_at = $4 WHERE id = $1";
    tx.run(sql, (token.device_id, token.family_hash(), token.own_hash(), now, false)).await?;
    keep_newest(tx, now, person_id).await
}

/// Should there be too many devices, the one that was not used for longest is signed out.
async fn keep_newest(tx: &mut Tx, now: DateTime<Utc>, person_id: Uuid) -> Result<(), Error> {
    let sql = "UPDATE devices SET ended_at = $2 WHERE person_id = $1 AND ended_at IS NULL AND NOT awaits_factor AND id NOT IN \
               (SELECT id FROM devices WHERE person_id = $1 AND ended_at IS NULL AND NOT awaits_factor \
               ORDER BY used_at DESC, id DESC LIMIT $3)";
    tx.run(sql, (person_id, now, DEVICES_MAX)).await?;
    // Nobody fills the table by signing in over and over.
    let sql = "DELETE FROM devices WHERE person_id = $1 AND ended_at IS NOT NULL AND id NOT IN \
               (SELECT id FROM devices WHERE person_id = $1 AND ended_at IS NOT NULL ORDER BY used_at DESC, id DESC LIMIT $2)";
    tx.run(sql, (person_id, DEVICES_REMEMBERED)).await.map(drop)
}

/// Whether a device still has to show the second factor.
pub async fn look_up_awaits_factor(db: &Db, device_id: Uuid) -> Result<bool, Error> {
    let row: Option<(bool,)> = db.maybe("SELECT awaits_factor FROM devices WHERE id = $1", (device_id,)).await?;
    Ok(row.is_some_and(|(awaits,)| awaits))
}

/// What a person's authenticator is asked on this device, to show a passkey; it replaces what it was asked before.
pub async fn ask_passkey(tx: &mut Tx, now: DateTime<Utc>, device_id: Uuid, asked: PasskeyAuthentication) -> Result<(), Error> {
    let sql = "UPDATE devices SET passkey_asked = $2, passkey_asked_at = $3 WHERE id = $1";
    tx.run(sql, (device_id, Json(asked), now)).await.map(drop)
}

/// What it was asked after this instant, if it was not answered yet.
pub async fn passkey_asked(tx: &mut Tx, device_id: Uuid, after: DateTime<Utc>) -> Result<Option<PasskeyAuthentication>, Error> {
    let sql = "SELECT passkey_asked FROM devices WHERE id = $1 AND passkey_asked_at > $2";
    let row: Option<(Option<Json<PasskeyAuthentication>>,)> = tx.maybe(sql, (device_id, after)).await?;
    Ok(row.and_then(|(asked,)| asked).map(|Json(asked)| asked))
}

/// It was answered: the answer counts once.
pub async fn passkey_answered(tx: &mut Tx, device_id: Uuid) -> Result<(), Error> {
    tx.run("UPDATE devices SET passkey_asked = NULL, passkey_asked_at = NULL WHERE id = $1", (device_id,)).await.map(drop)
}

/// Whose device it is.
pub async fn person_of_device(tx: &mut Tx, device_id: Uuid) -> Result<Option<Uuid>, Error> {
    let row: Option<(Uuid,)> = tx.maybe("SELECT person_id FROM devices WHERE id = $1", (device_id,)).await?;
    Ok(row.map(|(person_id,)| person_id))
}

/// A device that awaits the factor showed a wrong one.
pub async fn count_factor_try(tx: &mut Tx, device_id: Uuid) -> Result<(), Error> {
    tx.run("UPDATE devices SET factor_tries = factor_tries + 1 WHERE id = $1", (device_id,)).await.map(drop)
}

/// Whether a person is signed in on this device now.
pub async fn is_signed_in(tx: &mut Tx, person_id: Uuid, device_id: Uuid) -> Result<bool, Error> {
    let sql = "SELECT id FROM devices WHERE id = $1 AND person_id = $2 AND ended_at IS NULL AND NOT awaits_factor";
    Ok(tx.maybe::<(Uuid,)>(sql, (device_id, person_id)).await?.is_some())
}

/// Gives a device on which a person is signed in a new chain of refresh tokens: those before it are over. `false` if they are not.
pub async fn renew_device(tx: &mut Tx, now: DateTime<Utc>, person_id: Uuid, token: &RefreshToken) -> Result<bool, Error> {
    let sql = "UPDATE devices SET family_hash = $3, current_hash = $4, previous_hash = NULL, replaced_at = NULL, used_at = $5 \
               WHERE id = $1 AND person_id = $2 AND ended_at IS NULL AND NOT awaits_factor";
    Ok(tx.run(sql, (token.device_id, person_id, token.family_hash(), token.own_hash(), now)).await? == 1)
}

/// Signs out one device of a person. `false` if they are not signed in on it.
pub async fn end_device(tx: &mut Tx, now: DateTime<Utc>, person_id: Uuid, id: Uuid) -> Result<bool, Error> {
    let sql = "UPDATE devices SET ended_at = $3 WHERE person_id = $1 AND id = $2 AND ended_at IS NULL";
    Ok(tx.run(sql, (person_id, id, now)).await? == 1)
}

/// Signs out the device that asks for it. `false` if they are not signed in on it.
pub async fn sign_out(tx: &mut Tx, now: DateTime<Utc>, person_id: Uuid, id: Uuid) -> Result<bool, Error> {
    let sql = "UPDATE devices SET ended_at = $3, signed_out = TRUE WHERE person_id = $1 AND id = $2 AND ended_at IS NULL";
    Ok(tx.run(sql, (person_id, id, now)).await? == 1)
}

/// The hash of the family's secret of a device that is no stranger to this person: it is signed in or was signed out by itself, and was
/// used since then.
pub async fn known_device(db: &Db, since: DateTime<Utc>, person_id: Uuid, id: Uuid) -> Result<Option<Vec<u8>>, Error> {
    let sql = "SELECT family_hash FROM devices \
               WHERE id = $1 AND person_id = $2 AND used_at > $3 AND NOT awaits_factor AND (ended_at IS NULL OR signed_out)";
    Ok(db.maybe::<(Vec<u8>,)>(sql, (id, person_id, since)).await?.map(|(family_hash,)| family_hash))
}

/// The device was used without a new token, by a browser that the console knows. Whether it is still signed in.
pub async fn touch_device(tx: &mut Tx, id: Uuid, now: DateTime<Utc>) -> Result<bool, Error> {
    let sql = "UPDATE devices SET used_at = $2 WHERE id = $1 AND ended_at IS NULL AND NOT awaits_factor";
    Ok(tx.run(sql, (id, now)).await? == 1)
}

/// Signs out all devices of a person, but for one. Those that were signed out before are strangers too from now on.
pub async fn end_devices(tx: &mut Tx, now: DateTime<Utc>, person_id: Uuid, but: Option<Uuid>) -> Result<(), Error> {
    let sql = "UPDATE devices SET ended_at = COALESCE(ended_at, $2), signed_out = FALSE \
               WHERE person_id = $1 AND (ended_at IS NULL OR signed_out) AND (id <> $3 OR $4)";
    tx.run(sql, (person_id, now, but, but.is_none())).await.map(drop)
}

/// Removes all devices of a person who never was: of an account that was taken over before its address was verified.
pub async fn remove_devices(tx: &mut Tx, person_id: Uuid) -> Result<(), Error> {
    tx.run("DELETE FROM devices WHERE person_id = $1", (person_id,)).await.map(drop)
}

/// A device's chain of refresh tokens.
#[derive(Clone, Debug, FromRow)]
pub struct DeviceChain {
    pub person_id: Uuid,
    /// The hash of the family's secret.
    pub family_hash: Vec<u8>,
    /// The hash of the token that works.
    pub current_hash: Vec<u8>,
    /// The hash of its predecessor.
    pub previous_hash: Option<Vec<u8>>,
    /// What the app called it.
    pub name: Option<String>,
    /// When it signed in, or asked to.
    pub created_at: DateTime<Utc>,
    replaced_at: Option<DateTime<Utc>>,
    used_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    /// Whether it still has to show the second factor.
    pub awaits_factor: bool,
    /// How many wrong ones it showed.
    pub factor_tries: i64,
    /// Whether its person works in a studio or owns the deployment.
    pub is_staff: bool,
}

impl DeviceChain {
    /// What the rule needs to know of it, if it may be signed in for so long.
    pub fn chain(&self, life: TimeDelta) -> Chain {
        Chain { replaced_at: self.replaced_at, used_at: self.used_at, ended_at: self.ended_at, over_at: self.created_at + life }
    }

    /// Whether it was signed out.
    pub const fn has_ended(&self) -> bool {
        self.ended_at.is_some()
    }
}

/// A device with its chain, and who is behind it.
macro_rules! chain {
    ($lock:literal) => {
        concat!(
            "SELECT d.person_id, d.family_hash, d.current_hash, d.previous_hash, d.name, d.created_at, d.replaced_at, d.used_at, d.ended_at, \
             d.awaits_factor, d.factor_tries, (p.is_owner OR EXISTS (SELECT 1 FROM staff s WHERE s.person_id = d.person_id)) AS is_staff \
             FROM devices d JOIN persons p ON p.id = d.person_id WHERE d.id = $1",
            $lock
        )
    };
}

/// A device's chain, held until the transaction ends: two refreshes at once follow each other.
pub async fn hold_chain(tx: &mut Tx, device_id: Uuid) -> Result<Option<DeviceChain>, Error> {
    tx.maybe(Sql::Each { sqlite: chain!(""), postgres: chain!(" FOR UPDATE OF d") }, (device_id,)).await
}

/// The next token of the chain. `previous` becomes its predecessor; `None`, after a lost answer: the stored predecessor stays.
pub async fn replace_token(tx: &mut Tx, now: DateTime<Utc>, next: &RefreshToken, previous: Option<&RefreshToken>) -> Result<(), Error> {
    match previous {
        Some(previous) => {
            let sql = "UPDATE devices SET current_hash = $2, previous_hash = $3, replaced_at = $4, used_at = $4 WHERE id = $1";
            tx.run(sql, (next.device_id, next.own_hash(), previous.own_hash(), now)).await.map(drop)
        }
        None => {
            let sql = "UPDATE devices SET current_hash = $2, used_at = $3 WHERE id = $1";
            tx.run(sql, (next.device_id, next.own_hash(), now)).await.map(drop)
        }
    }
}

// Invitations.

/// An invitation to a studio's staff.
#[derive(Clone, Debug, FromRow)]
pub struct Invitation {
    pub id: Uuid,
    /// To which studio.
    pub studio_id: Uuid,
    /// To whom, as the studio wrote the address.
    pub email: String,
    /// The same as it is compared.
    pub email_key: String,
    /// The roles it gives.
    pub roles: Json<Vec<Role>>,
    /// By whom: they must have the right to give these roles when it is accepted.
    pub invited_by: Uuid,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
    /// When it was accepted.
    pub accepted_at: Option<DateTime<Utc>>,
    pub accepted_by: Option<Uuid>,
}

/// A new invitation, which ends those that the studio sent to this address before: their ids.
pub async fn insert_invitation(tx: &mut Tx, now: DateTime<Utc>, invitation: &Invitation, code_hash: &[u8]) -> Result<Vec<Uuid>, Error> {
    let sql = "DELETE FROM invitations WHERE studio_id = $1 AND email_key = $2 AND accepted_at IS NULL RETURNING id";
    let ended: Vec<(Uuid,)> = tx.all(sql, (invitation.studio_id, invitation.email_key.as_str())).await?;
    let sql = "INSERT INTO invitations (id, studio_id, email, email_key, key_stale, roles, code_hash, invited_by, created_at, expires_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let binds = (
        invitation.id,
        invitation.studio_id,
        invitation.email.as_str(),
        invitation.email_key.as_str(),
        false,
        invitation.roles.clone(),
        code_hash,
        invitation.invited_by,
        now,
        invitation.expires_at,
    );
    tx.run(sql, binds).await?;
    Ok(ended.into_iter().map(|(id,)| id).collect())
}

macro_rules! invitations {
    ($which:literal) => {
        concat!(
            "SELECT id, studio_id, email, email_key, roles, invited_by, expires_at, accepted_at, accepted_by FROM invitations WHERE ",
            $which
        )
    };
}

const INVITATION: &str = invitations!("code_hash = $1 AND expires_at > $2");

/// The invitation with this code, before anything is decided.
pub async fn look_up_invitation(db: &Db, now: DateTime<Utc>, code_hash: &[u8]) -> Result<Option<Invitation>, Error> {
    db.maybe(INVITATION, (code_hash, now)).await
}

/// The invitation with this code.
pub async fn invitation(tx: &mut Tx, now: DateTime<Utc>, code_hash: &[u8]) -> Result<Option<Invitation>, Error> {
    tx.maybe(INVITATION, (code_hash, now)).await
}

/// Invitations by their ids, held until the transaction ends: whoever withdraws one waits.
pub async fn hold_invitations(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Invitation>, Error> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let sql = Sql::Each { sqlite: invitations!("id = $1"), postgres: invitations!("id = $1 FOR NO KEY UPDATE") };
        found.extend(tx.maybe::<Invitation>(sql, (*id,)).await?);
    }
    Ok(found)
}

const HOLDER_BY_KEY: &str = "SELECT a.person_id, a.email, a.email_key, a.password_hash, a.verified_at, a.created_at, p.name, p.locale \
     FROM accounts a JOIN persons p ON p.id = a.person_id WHERE a.email_key = $1 AND a.verified_at IS NOT NULL";

/// The account of whoever accepted an invitation, or, before that, the one whose address it went to, before anything is decided. Not one
/// whose address is not confirmed.
pub async fn look_up_invited(db: &Db, invitation: &Invitation) -> Result<Option<Account>, Error> {
    match invitation.accepted_by {
        Some(person_id) => db.maybe(ACCOUNT_OF, (person_id,)).await,
        None => db.maybe(HOLDER_BY_KEY, (invitation.email_key.as_str(),)).await,
    }
}

/// The same, held until the transaction ends.
pub async fn invited(tx: &mut Tx, invitation: &Invitation) -> Result<Option<Account>, Error> {
    let person_id = match invitation.accepted_by {
        Some(person_id) => Some(person_id),
        None => tx.maybe::<Account>(HOLDER_BY_KEY, (invitation.email_key.as_str(),)).await?.map(|account| account.person_id),
    };
    match person_id {
        Some(person_id) => account_of(tx, person_id).await,
        None => Ok(None),
    }
}

/// Invitations were accepted: which, by whom, when.
pub async fn accept_invitations(tx: &mut Tx, accepted: Vec<(Uuid, Uuid, DateTime<Utc>)>) -> Result<(), Error> {
    let sql = "WITH x(id, accepted_by, accepted_at) AS (VALUES #) UPDATE invitations SET accepted_at = x.accepted_at, \
               accepted_by = x.accepted_by FROM x WHERE invitations.id = x.id AND invitations.accepted_at IS NULL";
    tx.rows(sql, accepted).await.map(drop)
}

/// An invitation that can still be accepted.
#[derive(Clone, Debug, FromRow)]
pub struct OpenInvitation {
    pub id: Uuid,
    /// To whom, as the studio wrote the address.
    pub email: String,
    /// The roles it gives.
    pub roles: Json<Vec<Role>>,
    pub invited_by: Uuid,
    /// By whom, by name.
    pub invited_by_name: String,
    pub created_at: DateTime<Utc>,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
}

/// A studio's invitations that can still be accepted, the newest first.
pub async fn open_invitations(tx: &mut Tx, now: DateTime<Utc>, studio_id: Uuid, limit: i64) -> Result<Vec<OpenInvitation>, Error> {
    let sql = "SELECT i.id, i.email, i.roles, i.invited_by, p.name AS invited_by_name, i.created_at, i.expires_at \
               FROM invitations i JOIN persons p ON p.id = i.invited_by \
               WHERE i.studio_id = $1 AND i.accepted_at IS NULL AND i.expires_at > $2 ORDER BY i.created_at DESC, i.id DESC LIMIT $3";
    tx.all(sql, (studio_id, now, limit)).await
}

/// Takes an invitation back that can still be accepted. `false` if there is none.
pub async fn withdraw_invitation(tx: &mut Tx, now: DateTime<Utc>, studio_id: Uuid, id: Uuid) -> Result<bool, Error> {
    let sql = "DELETE FROM invitations WHERE id = $1 AND studio_id = $2 AND accepted_at IS NULL AND expires_at > $3";
    Ok(tx.run(sql, (id, studio_id, now)).await? == 1)
}

// Keys of addresses that were made by an older way (`people::search_keys`).

/// An account or invitation whose address has a key that may be out of date.
#[derive(Clone, Debug, FromRow)]
pub struct StaleRow {
    /// Its id, or its person's.
    pub id: Uuid,
    /// The address as it was written.
    pub email: String,
    /// The key that it has.
    pub email_key: String,
}

/// Accounts with such a key after this one, held until the transaction ends.
pub async fn stale_accounts(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<StaleRow>, Error> {
    macro_rules! text {
        ($lock:literal) => {
            concat!(
                "SELECT person_id AS id, email, email_key FROM accounts WHERE key_stale AND person_id > $1 ORDER BY person_id LIMIT $2",
                $lock
            )
        };
    }
    tx.all(Sql::Each { sqlite: text!(""), postgres: text!(" FOR UPDATE SKIP LOCKED") }, (after, limit)).await
}

/// Invitations with such a key after this one, held until the transaction ends.
pub async fn stale_invitations(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<StaleRow>, Error> {
    macro_rules! text {
        ($lock:literal) => {
            concat!("SELECT id, email, email_key FROM invitations WHERE key_stale AND id > $1 ORDER BY id LIMIT $2", $lock)
        };
    }
    tx.all(Sql::Each { sqlite: text!(""), postgres: text!(" FOR UPDATE SKIP LOCKED") }, (after, limit)).await
}

/// Gives an account this key, unless it is confirmed that another has it. Whether it has it now.
pub async fn renew_account(tx: &mut Tx, person_id: Uuid, email_key: &str) -> Result<bool, Error> {
    let sql = "UPDATE accounts SET email_key = $2, key_stale = FALSE WHERE person_id = $1 AND NOT EXISTS \
               (SELECT 1 FROM accounts o WHERE o.email_key = $2 AND o.person_id <> $1 AND o.verified_at IS NOT NULL)";
    Ok(tx.run(sql, (person_id, email_key)).await? == 1)
}

/// Gives invitations these keys.
pub async fn renew_invitations(tx: &mut Tx, keys: Vec<(Uuid, String)>) -> Result<u64, Error> {
    let sql = "WITH x(id, email_key) AS (VALUES #) UPDATE invitations SET email_key = x.email_key, key_stale = FALSE \
               FROM x WHERE invitations.id = x.id";
    tx.rows(sql, keys).await
}

/// The keys of these accounts are as they should be.
pub async fn accounts_are_current(tx: &mut Tx, ids: Vec<Uuid>) -> Result<u64, Error> {
    let sql = "WITH x(id) AS (VALUES #) UPDATE accounts SET key_stale = FALSE WHERE person_id IN (SELECT id FROM x)";
    tx.rows(sql, ids.into_iter().map(|id| (id,)).collect()).await
}

// What is kept how long.

/// Removes codes, devices and invitations that ended before these instants. How many rows.
pub async fn sweep(tx: &mut Tx, codes_before: DateTime<Utc>, devices_before: DateTime<Utc>) -> Result<u64, Error> {
    let codes = tx.run("DELETE FROM codes WHERE created_at < $1", (codes_before,)).await?;
    let sql = "DELETE FROM devices WHERE used_at < $1 OR ended_at < $1 OR (awaits_factor AND created_at < $2)";
    let devices = tx.run(sql, (devices_before, codes_before)).await?;
    let invitations = tx.run("DELETE FROM invitations WHERE expires_at < $1", (devices_before,)).await?;
    Ok(codes + devices + invitations)
}

/// Accounts whose address was never verified, registered before this instant.
pub async fn never_verified(tx: &mut Tx, before: DateTime<Utc>, limit: i64) -> Result<Vec<Uuid>, Error> {
    let sql = "SELECT person_id FROM accounts WHERE verified_at IS NULL AND created_at < $1 ORDER BY created_at, person_id LIMIT $2";
    Ok(tx.all::<(Uuid,)>(sql, (before, limit)).await?.into_iter().map(|(id,)| id).collect())
}
