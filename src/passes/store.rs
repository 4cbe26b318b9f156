//! Passes and their ledger in the database. The desk is the only writer of both.

use uuid::Uuid;

use super::{LedgerEntry, Pass, PassType};
use crate::db::{Error, Tx};

macro_rules! pass_columns {
    () => {
        "id, studio_id, person_id, pass_type_id, name, kind, credits_left, per_week, expires_on, class_type_ids, studio_ids, sold_at, sold_by"
    };
}

/// Passes by id.
pub async fn by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Pass>, Error> {
    tx.among(concat!("SELECT ", pass_columns!(), " FROM passes WHERE id IN #"), (), ids).await
}

/// All passes of these people.
pub async fn of_people(tx: &mut Tx, people: &[Uuid]) -> Result<Vec<Pass>, Error> {
    tx.among(concat!("SELECT ", pass_columns!(), " FROM passes WHERE person_id IN #"), (), people).await
}

/// Pass types by id.
pub async fn types_by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<PassType>, Error> {
    let sql = "SELECT id, studio_id, name, kind, credits, per_week, valid_days, price_minor, currency, class_type_ids, studio_ids, version \
               FROM pass_types WHERE id IN #";
    tx.among(sql, (), ids).await
}

/// Writes passes that were sold.
pub async fn insert(tx: &mut Tx, passes: Vec<&Pass>) -> Result<(), Error> {
    let rows = passes
        .into_iter()
        .cloned()
        .map(|p| {
            (
                p.id,
                p.studio_id,
                p.person_id,
                p.pass_type_id,
                p.name,
                p.kind,
                p.credits_left,
                p.per_week,
                p.expires_on,
                p.class_type_ids,
                p.studio_ids,
                p.sold_at,
                p.sold_by,
            )
        })
        .collect();
    tx.rows(concat!("INSERT INTO passes (", pass_columns!(), ") VALUES #"), rows).await.map(drop)
}

/// Writes balances, and last days that were prolonged.
pub async fn update(tx: &mut Tx, passes: Vec<&Pass>) -> Result<(), Error> {
    let rows = passes.into_iter().map(|pass| (pass.id, pass.credits_left, pass.expires_on)).collect();
    let sql = "WITH x (id, credits_left, expires_on) AS (VALUES #) \
               UPDATE passes SET credits_left = x.credits_left, expires_on = x.expires_on FROM x WHERE passes.id = x.id";
    tx.rows(sql, rows).await.map(drop)
}

/// Appends to the ledger.
pub async fn insert_ledger(tx: &mut Tx, entries: Vec<LedgerEntry>) -> Result<(), Error> {
    let rows = entries
        .into_iter()
        .map(|e| (e.id, e.pass_id, e.at, e.credits, e.reason, e.booking_id, e.amount_minor, e.currency, e.method, e.reference, e.by_person))
        .collect();
    let sql =
        "INSERT INTO ledger (id, pass_id, at, credits, reason, booking_id, amount_minor, currency, method, reference, by_person) VALUES #";
    tx.rows(sql, rows).await.map(drop)
}
