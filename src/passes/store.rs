//! Passes, pass types and the ledger in the database. Passes and ledger are written by the transactor alone.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{LedgerEntry, Pass, PassType};
use crate::db::{Db, Error, Sql, Tx, Wide};

macro_rules! passes {
    ($rest:literal) => {
        concat!(
            "SELECT p.id, p.studio_id, p.person_id, p.pass_type_id, p.name, p.kind, p.credits_left, p.per_week, p.expires_on, ",
            "p.class_type_ids, p.studio_ids, p.sold_at, p.sold_by FROM passes p ",
            $rest
        )
    };
}

macro_rules! types {
    ($rest:literal) => {
        concat!(
            "SELECT id, studio_id, name, kind, credits, per_week, valid_days, price_minor, currency, class_type_ids, studio_ids, version, ",
            "rules_version ",
            "FROM pass_types ",
            $rest
        )
    };
}

/// These passes, in no order.
pub async fn by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Pass>, Error> {
    tx.among(passes!("WHERE p.id IN #"), (), ids).await
}

/// All passes of these people, in no order.
pub async fn of_people(tx: &mut Tx, people: &[Uuid]) -> Result<Vec<Pass>, Error> {
    tx.among(passes!("WHERE p.person_id IN #"), (), people).await
}

/// Writes new passes.
pub async fn insert(tx: &mut Tx, passes: Vec<&Pass>) -> Result<(), Error> {
    let rows = passes
        .into_iter()
        .map(|p| {
            (
                p.id,
                p.studio_id,
                p.person_id,
                p.pass_type_id,
                p.name.clone(),
                p.kind,
                p.credits_left,
                p.per_week,
                p.expires_on,
                p.class_type_ids.clone(),
                p.studio_ids.clone(),
                p.sold_at,
                p.sold_by,
            )
        })
        .collect();
    let sql = "INSERT INTO passes (id, studio_id, person_id, pass_type_id, name, kind, credits_left, per_week, expires_on, class_type_ids, \
               studio_ids, sold_at, sold_by) VALUES #";
    tx.rows(sql, rows).await.map(drop)
}

/// Writes changed passes: the balance, and the last day where it was prolonged.
pub async fn update(tx: &mut Tx, passes: Vec<&Pass>) -> Result<(), Error> {
    let rows = passes.into_iter().map(|p| (p.id, p.credits_left, p.expires_on)).collect();
    let sql = "WITH x (id, credits_left, expires_on) AS (VALUES #) UPDATE passes SET credits_left = x.credits_left, \
               expires_on = x.expires_on FROM x WHERE passes.id = x.id";
    tx.rows(sql, rows).await.map(drop)
}

/// Adds lines to the ledger.
pub async fn insert_ledger(tx: &mut Tx, entries: Vec<LedgerEntry>) -> Result<(), Error> {
    let rows = entries
        .into_iter()
        .map(|e| {
            Wide((
                (e.id, e.pass_id, e.at, e.credits, e.reason, e.booking_id),
                (e.amount_minor, e.currency, e.method, e.reference, e.by_person),
            ))
        })
        .collect();
    let sql = "INSERT INTO ledger (id, pass_id, at, credits, reason, booking_id, amount_minor, currency, method, reference, by_person) \
               VALUES #";
    tx.rows(sql, rows).await.map(drop)
}

/// These pass types, in no order.
pub async fn types_by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<PassType>, Error> {
    tx.among(types!("WHERE id IN #"), (), ids).await
}

pub async fn pass(db: &Db, id: Uuid) -> Result<Option<Pass>, Error> {
    db.maybe(passes!("WHERE p.id = $1"), (id,)).await
}

/// A person's passes, the newest first.
pub async fn of_person(db: &Db, person_id: Uuid, before: Option<Uuid>, count_max: i64) -> Result<Vec<Pass>, Error> {
    let sql = passes!("WHERE p.person_id = $1 AND p.id < $2 ORDER BY p.id DESC LIMIT $3");
    db.all(sql, (person_id, before.unwrap_or(Uuid::max()), count_max)).await
}

/// A pass's ledger, the oldest first, behind the cursor.
pub async fn ledger(db: &Db, pass_id: Uuid, after: Option<(DateTime<Utc>, Uuid)>, count_max: i64) -> Result<Vec<LedgerEntry>, Error> {
    let sql = "SELECT id, pass_id, at, credits, reason, booking_id, amount_minor, currency, method, reference, by_person FROM ledger \
               WHERE pass_id = $1 AND at >= $2 AND (at > $2 OR id > $3) ORDER BY at, id LIMIT $4";
    let (at, id) = after.unwrap_or((DateTime::UNIX_EPOCH, Uuid::nil()));
    db.all(sql, (pass_id, at, id, count_max)).await
}

/// Whether the person is a member of the studio.
pub async fn is_member(db: &Db, studio_id: Uuid, person_id: Uuid) -> Result<bool, Error> {
    let sql = "SELECT person_id FROM members WHERE studio_id = $1 AND person_id = $2";
    Ok(db.maybe::<(Uuid,)>(sql, (studio_id, person_id)).await?.is_some())
}

/// What the studio sells, oldest first.
pub async fn types(db: &Db, studio_id: Uuid, after: Option<Uuid>, count_max: i64) -> Result<Vec<PassType>, Error> {
    db.all(types!("WHERE studio_id = $1 AND id > $2 ORDER BY id LIMIT $3"), (studio_id, after.unwrap_or_default(), count_max)).await
}

/// One pass type of the studio, locked until the end of the transaction.
pub async fn type_to_edit(tx: &mut Tx, studio_id: Uuid, id: Uuid) -> Result<Option<PassType>, Error> {
    let sql = Sql::Each {
        sqlite: types!("WHERE studio_id = $1 AND id = $2"),
        postgres: types!("WHERE studio_id = $1 AND id = $2 FOR NO KEY UPDATE"),
    };
    tx.maybe(sql, (studio_id, id)).await
}

/// A new pass type.
pub async fn add_type(tx: &mut Tx, sold: &PassType, now: DateTime<Utc>) -> Result<(), Error> {
    let sql = "INSERT INTO pass_types (id, studio_id, name, kind, credits, per_week, valid_days, price_minor, currency, class_type_ids, \
               studio_ids, version, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let t = sold.clone();
    let binds = (
        t.id,
        t.studio_id,
        t.name,
        t.kind,
        t.credits,
        t.per_week,
        t.valid_days,
        t.price_minor,
        t.currency,
        t.class_type_ids,
        t.studio_ids,
        t.version,
        now,
    );
    tx.run(sql, binds).await.map(drop)
}

/// The pass type as it is after an edit. Passes that were sold keep what they promised.
pub async fn set_type(tx: &mut Tx, sold: &PassType) -> Result<(), Error> {
    let sql = "UPDATE pass_types SET name = $3, credits = $4, per_week = $5, valid_days = $6, price_minor = $7, currency = $8, \
               class_type_ids = $9, studio_ids = $10, version = $11 WHERE studio_id = $1 AND id = $2";
    let t = sold.clone();
    let binds = (
        t.studio_id,
        t.id,
        t.name,
        t.credits,
        t.per_week,
        t.valid_days,
        t.price_minor,
        t.currency,
        t.class_type_ids,
        t.studio_ids,
        t.version,
    );
    tx.run(sql, binds).await.map(drop)
}

/// Which of these are class types, with their studios.
pub async fn class_types_among(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, Error> {
    tx.among("SELECT id, studio_id FROM class_types WHERE id IN #", (), ids).await
}

/// Which of these are studios.
pub async fn studios_among(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<(Uuid,)>, Error> {
    tx.among("SELECT id FROM studios WHERE id IN #", (), ids).await
}

/// Deletes the stored answers to old idempotency keys.
pub async fn forget_keys(tx: &mut Tx, before: DateTime<Utc>) -> Result<u64, Error> {
    tx.run("DELETE FROM idempotency_keys WHERE created_at < $1", (before,)).await
}

/// The stored answer to a person's key: the body's hash and the resulting id.
pub async fn answer(tx: &mut Tx, person_id: Uuid, key: &str) -> Result<Option<(String, Uuid)>, Error> {
    tx.maybe("SELECT body_hash, result_id FROM idempotency_keys WHERE person_id = $1 AND key = $2", (person_id, key.to_owned())).await
}

/// Stores the answers to keys: (person, key, hash of the body, id, at).
pub async fn remember_answers(tx: &mut Tx, rows: Vec<(Uuid, String, String, Uuid, DateTime<Utc>)>) -> Result<(), Error> {
    tx.rows("INSERT INTO idempotency_keys (person_id, key, body_hash, result_id, created_at) VALUES #", rows).await.map(drop)
}
