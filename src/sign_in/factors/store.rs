//! Second factors and recovery codes in the database.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;
use webauthn_rs::prelude::{Passkey, PasskeyRegistration};

use super::FactorKind;
use super::rules::{ENROLMENT_LIFE, REFUSED_PERIOD};
use crate::db::{Db, Error, Tx};
use crate::ids::new_id;

/// A second factor.
#[derive(Clone, Debug, FromRow)]
pub struct Factor {
    pub id: Uuid,
    pub kind: FactorKind,
    /// What its person calls it.
    pub name: Option<String>,
    /// An authenticator app's secret, sealed.
    pub sealed_secret: Option<Vec<u8>>,
    pub created_at: DateTime<Utc>,
    /// When its first code was shown: from then on it counts.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// Wrong first codes.
    pub tries: i64,
    /// The last step whose code was taken.
    pub last_step: Option<i64>,
    pub last_used_at: Option<DateTime<Utc>>,
    /// A confirmed passkey.
    pub passkey: Option<Json<Passkey>>,
    /// What the authenticator of one that is not confirmed yet was asked.
    pub asked: Option<Json<PasskeyRegistration>>,
}

const FACTORS: &str = "SELECT id, kind, name, sealed_secret, created_at, confirmed_at, tries, last_step, last_used_at, passkey, asked \
     FROM second_factors WHERE person_id = $1 ORDER BY created_at, id";

/// A person's factors, the oldest first; those too that wait for their first code.
pub async fn factors(tx: &mut Tx, person_id: Uuid) -> Result<Vec<Factor>, Error> {
    tx.all(FACTORS, (person_id,)).await
}

/// The factors that count for a person, before anything is decided.
pub async fn look_up(db: &Db, person_id: Uuid) -> Result<Vec<Factor>, Error> {
    let factors: Vec<Factor> = db.all(FACTORS, (person_id,)).await?;
    Ok(factors.into_iter().filter(|factor| factor.confirmed_at.is_some()).collect())
}

/// Who of a studio's staff has a second factor, of those who came there by themselves: of the others a studio learns nothing.
pub async fn of_staff(tx: &mut Tx, studio_id: Uuid) -> Result<Vec<(Uuid, bool)>, Error> {
    let sql = "SELECT DISTINCT s.person_id, \
               EXISTS (SELECT 1 FROM second_factors f WHERE f.person_id = s.person_id AND f.confirmed_at IS NOT NULL) AS has \
               FROM staff s LEFT JOIN members m ON m.studio_id = s.studio_id AND m.person_id = s.person_id \
               WHERE s.studio_id = $1 AND (m.person_id IS NULL OR m.given_at IS NOT NULL)";
    tx.all(sql, (studio_id,)).await
}

/// Whether a person has a factor that counts.
pub async fn has_any(tx: &mut Tx, person_id: Uuid) -> Result<bool, Error> {
    let sql = "SELECT id FROM second_factors WHERE person_id = $1 AND confirmed_at IS NOT NULL LIMIT 1";
    Ok(tx.maybe::<(Uuid,)>(sql, (person_id,)).await?.is_some())
}

/// What a factor is begun with.
pub enum Begun {
    /// The sealed secret of an authenticator app.
    Totp(Vec<u8>),
    /// What an authenticator is asked for a passkey.
    Passkey(PasskeyRegistration),
}

/// A factor that waits for its first code or answer, in the place of one that did.
pub async fn begin(tx: &mut Tx, now: DateTime<Utc>, person_id: Uuid, id: Uuid, name: Option<String>, begun: Begun) -> Result<(), Error> {
    tx.run("DELETE FROM second_factors WHERE person_id = $1 AND confirmed_at IS NULL", (person_id,)).await?;
    let sql =
        "INSERT INTO second_factors (id, person_id, kind, name, sealed_secret, asked, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let (kind, sealed, asked) = match begun {
        Begun::Totp(sealed) => (FactorKind::Totp, Some(sealed), None),
        Begun::Passkey(asked) => (FactorKind::Passkey, None, Some(Json(asked))),
    };
    tx.run(sql, (id, person_id, kind, name, sealed, asked, now)).await.map(drop)
}

/// Its first code was right.
pub async fn confirm(tx: &mut Tx, now: DateTime<Utc>, id: Uuid, step: i64) -> Result<(), Error> {
    let sql = "UPDATE second_factors SET confirmed_at = $2, last_step = $3, last_used_at = $2 WHERE id = $1 AND confirmed_at IS NULL";
    tx.run(sql, (id, now, step)).await.map(drop)
}

/// Its authenticator answered with this passkey.
pub async fn confirm_passkey(tx: &mut Tx, now: DateTime<Utc>, id: Uuid, passkey: &Passkey) -> Result<(), Error> {
    let sql = "UPDATE second_factors SET confirmed_at = $2, last_used_at = $2, credential_id = $3, passkey = $4, asked = NULL \
               WHERE id = $1 AND confirmed_at IS NULL";
    let credential: &[u8] = passkey.cred_id().as_ref();
    tx.run(sql, (id, now, credential, Json(passkey.clone()))).await.map(drop)
}

/// Whether anybody has this passkey already.
pub async fn is_known(tx: &mut Tx, passkey: &Passkey) -> Result<bool, Error> {
    let credential: &[u8] = passkey.cred_id().as_ref();
    Ok(tx.maybe::<(Uuid,)>("SELECT id FROM second_factors WHERE credential_id = $1", (credential,)).await?.is_some())
}

/// A passkey was shown; this is what is known of it now.
pub async fn use_passkey(tx: &mut Tx, now: DateTime<Utc>, id: Uuid, passkey: Passkey) -> Result<(), Error> {
    tx.run("UPDATE second_factors SET last_used_at = $2, passkey = $3 WHERE id = $1", (id, now, Json(passkey))).await.map(drop)
}

/// Its first code was wrong.
pub async fn count_try(tx: &mut Tx, id: Uuid) -> Result<(), Error> {
    tx.run("UPDATE second_factors SET tries = tries + 1 WHERE id = $1", (id,)).await.map(drop)
}

/// The code of a step was taken. `false` if it, or a later one, was taken before.
pub async fn use_step(tx: &mut Tx, now: DateTime<Utc>, id: Uuid, step: i64) -> Result<bool, Error> {
    let sql = "UPDATE second_factors SET last_step = $3, last_used_at = $2 WHERE id = $1 AND last_step < $3";
    Ok(tx.run(sql, (id, now, step)).await? == 1)
}

/// Takes one factor away.
pub async fn remove(tx: &mut Tx, person_id: Uuid, id: Uuid) -> Result<(), Error> {
    tx.run("DELETE FROM second_factors WHERE person_id = $1 AND id = $2", (person_id, id)).await.map(drop)
}

/// Takes all of a person's factors and recovery codes away. How many factors there were that counted.
pub async fn remove_all(tx: &mut Tx, person_id: Uuid) -> Result<u64, Error> {
    tx.run("DELETE FROM recovery_codes WHERE person_id = $1", (person_id,)).await?;
    let counted = tx.run("DELETE FROM second_factors WHERE person_id = $1 AND confirmed_at IS NOT NULL", (person_id,)).await?;
    tx.run("DELETE FROM second_factors WHERE person_id = $1", (person_id,)).await?;
    Ok(counted)
}

/// Gives a person these recovery codes, in the place of those before.
pub async fn replace_recovery_codes(tx: &mut Tx, now: DateTime<Utc>, person_id: Uuid, hashes: Vec<Vec<u8>>) -> Result<(), Error> {
    tx.run("DELETE FROM recovery_codes WHERE person_id = $1", (person_id,)).await?;
    let rows = hashes.into_iter().map(|hash| (new_id(now), person_id, hash, now)).collect();
    tx.rows("INSERT INTO recovery_codes (id, person_id, code_hash, created_at) VALUES #", rows).await.map(drop)
}

/// A recovery code is used. `false` if it is none of this person's, or was used before.
pub async fn use_recovery_code(tx: &mut Tx, now: DateTime<Utc>, person_id: Uuid, hash: &[u8]) -> Result<bool, Error> {
    let sql = "UPDATE recovery_codes SET used_at = $3 WHERE person_id = $1 AND code_hash = $2 AND used_at IS NULL";
    Ok(tx.run(sql, (person_id, hash, now)).await? == 1)
}

/// How many recovery codes were not used yet.
pub async fn recovery_codes_left(tx: &mut Tx, person_id: Uuid) -> Result<i64, Error> {
    let sql = "SELECT COUNT(*) FROM recovery_codes WHERE person_id = $1 AND used_at IS NULL";
    Ok(tx.one::<(i64,)>(sql, (person_id,)).await?.0)
}

/// How many codes were wrong on an account, and since when they are counted.
pub async fn refused(tx: &mut Tx, person_id: Uuid) -> Result<(i64, Option<DateTime<Utc>>), Error> {
    let sql = "SELECT factor_refused, factor_refused_since FROM accounts WHERE person_id = $1";
    Ok(tx.maybe(sql, (person_id,)).await?.unwrap_or((0, None)))
}

/// One more was wrong; the first after a quiet period begins another.
pub async fn count_refused(tx: &mut Tx, now: DateTime<Utc>, person_id: Uuid) -> Result<(), Error> {
    let sql = "UPDATE accounts SET factor_refused = CASE WHEN factor_refused_since > $3 THEN factor_refused + 1 ELSE 1 END, \
               factor_refused_since = CASE WHEN factor_refused_since > $3 THEN factor_refused_since ELSE $2 END WHERE person_id = $1";
    tx.run(sql, (person_id, now, now - REFUSED_PERIOD)).await.map(drop)
}

/// The sealed secrets after this row, in the order of their ids.
pub async fn sealed(db: &Db, after: Uuid, limit: i64) -> Result<Vec<(Uuid, Vec<u8>)>, Error> {
    let sql = "SELECT id, sealed_secret FROM second_factors WHERE sealed_secret IS NOT NULL AND id > $1 ORDER BY id LIMIT $2";
    db.all(sql, (after, limit)).await
}

/// The same secrets, sealed anew.
pub async fn set_sealed(tx: &mut Tx, rows: Vec<(Uuid, Vec<u8>)>) -> Result<(), Error> {
    for (id, sealed) in rows {
        tx.run("UPDATE second_factors SET sealed_secret = $2 WHERE id = $1", (id, sealed)).await?;
    }
    Ok(())
}

/// Removes what waited in vain for its first code. How many rows.
pub async fn sweep(tx: &mut Tx, now: DateTime<Utc>) -> Result<u64, Error> {
    tx.run("DELETE FROM second_factors WHERE confirmed_at IS NULL AND created_at < $1", (now - ENROLMENT_LIFE,)).await
}
