//! SQL of penalties. The transactor is the only writer.

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Forgiven, Penalty, PenaltyKind};
use crate::db::{Db, Error, Sql, Tx, Wide};

/// Days after which a penalty decides nothing any more: a strike counts for a year at most, and has its consequence for as long again.
const DECIDES_DAYS: i64 = 2 * 366 + 31;

/// The most penalties of a member that a standing shows.
const SHOWN_MAX: i64 = 200;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, studio_id, person_id, booking_id, kind, at, month, strike, fee_minor, fee_currency, forgiven, waived_at, waived_by, \
             waived_reason, paid_at, paid_by, paid_method, paid_reference FROM penalties ",
            $rest
        )
    };
}

/// Penalties by id.
pub async fn by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Penalty>, Error> {
    tx.among(select!("WHERE id IN #"), (), ids).await
}

/// The penalties of these bookings.
pub async fn of_bookings(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Penalty>, Error> {
    tx.among(select!("WHERE booking_id IN #"), (), ids).await
}

/// These people's penalties that may still decide something.
pub async fn of_people(tx: &mut Tx, people: &[Uuid], now: DateTime<Utc>) -> Result<Vec<Penalty>, Error> {
    tx.among(select!("WHERE at > $1 AND person_id IN #"), (now - Duration::days(DECIDES_DAYS),), people).await
}

/// A person's penalties, the latest first; in one studio, or in all.
pub async fn of_person(db: &Db, person_id: Uuid, studio_id: Option<Uuid>) -> Result<Vec<Penalty>, Error> {
    match studio_id {
        Some(studio_id) => {
            let sql = select!("WHERE person_id = $1 AND studio_id = $2 ORDER BY at DESC, id DESC LIMIT $3");
            db.all(sql, (person_id, studio_id, SHOWN_MAX)).await
        }
        None => db.all(select!("WHERE person_id = $1 ORDER BY at DESC, id DESC LIMIT $2"), (person_id, SHOWN_MAX)).await,
    }
}

/// Writes new penalties.
pub async fn insert(tx: &mut Tx, penalties: Vec<&Penalty>) -> Result<(), Error> {
    let rows = penalties
        .into_iter()
        .map(|p| {
            let (fee_currency, reason) = (p.fee_currency.clone(), p.waived_reason.clone());
            let (method, reference) = (p.paid_method.clone(), p.paid_reference.clone());
            Wide((
                (p.id, p.studio_id, p.person_id, p.booking_id, p.kind, p.at, p.month, p.strike, p.fee_minor, fee_currency, p.forgiven),
                // One that is new may have been taken back already, by a command of the same batch.
                (p.waived_at, p.waived_by, reason, p.paid_at, p.paid_by, method, reference),
            ))
        })
        .collect();
    let sql = "INSERT INTO penalties (id, studio_id, person_id, booking_id, kind, at, month, strike, fee_minor, fee_currency, forgiven, \
               waived_at, waived_by, waived_reason, paid_at, paid_by, paid_method, paid_reference) VALUES #";
    tx.rows(sql, rows).await.map(drop)
}

/// Writes what became of penalties.
pub async fn update(tx: &mut Tx, penalties: Vec<&Penalty>) -> Result<(), Error> {
    let rows = penalties
        .into_iter()
        .map(|p| {
            let (method, reference) = (p.paid_method.clone(), p.paid_reference.clone());
            (p.id, p.waived_at, p.waived_by, p.waived_reason.clone(), p.paid_at, p.paid_by, method, reference)
        })
        .collect();
    let sql = "WITH x (id, waived_at, waived_by, waived_reason, paid_at, paid_by, paid_method, paid_reference) AS (VALUES #) \
               UPDATE penalties SET waived_at = x.waived_at, waived_by = x.waived_by, waived_reason = x.waived_reason, paid_at = x.paid_at, \
               paid_by = x.paid_by, paid_method = x.paid_method, paid_reference = x.paid_reference FROM x WHERE penalties.id = x.id";
    tx.rows(Sql::Both(sql), rows).await.map(drop)
}

/// A penalty in a person's export.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[allow(missing_docs, reason = "as they are called elsewhere")]
pub struct ExportedPenalty {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub booking_id: Uuid,
    pub kind: PenaltyKind,
    #[serde(with = "crate::instant")]
    pub at: DateTime<Utc>,
    pub strike: bool,
    pub fee_minor: Option<i64>,
    pub fee_currency: Option<String>,
    pub forgiven: Option<Forgiven>,
    #[serde(with = "crate::instant")]
    pub waived_at: Option<DateTime<Utc>>,
    pub waived_reason: Option<String>,
    #[serde(with = "crate::instant")]
    pub paid_at: Option<DateTime<Utc>>,
    pub paid_method: Option<String>,
    pub paid_reference: Option<String>,
}

/// All penalties of a person, for their export.
pub async fn exported(tx: &mut Tx, person_id: Uuid) -> Result<Vec<ExportedPenalty>, Error> {
    let sql = "SELECT id, studio_id, booking_id, kind, at, strike, fee_minor, fee_currency, forgiven, waived_at, waived_reason, paid_at, \
               paid_method, paid_reference FROM penalties WHERE person_id = $1 ORDER BY at, id";
    tx.all(sql, (person_id,)).await
}
