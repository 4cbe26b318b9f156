//! SQL of holds. The transactor is the only writer.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Hold;
use crate::db::{Error, Sql, Tx};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, studio_id, session_id, kind, places, until, note, made_at, made_by, ended_at, ended_by, outcome FROM holds ",
            $rest
        )
    };
}

/// Holds by id.
pub async fn by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Hold>, Error> {
    tx.among(select!("WHERE id IN #"), (), ids).await
}

/// All holds of these sessions.
pub async fn of_sessions(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Hold>, Error> {
    tx.among(select!("WHERE session_id IN #"), (), ids).await
}

/// The holds whose time is over by the clock.
pub async fn due(tx: &mut Tx, now: DateTime<Utc>, limit: i64) -> Result<Vec<(Uuid,)>, Error> {
    let sql = "SELECT h.id FROM holds h JOIN sessions s ON s.id = h.session_id WHERE h.ended_at IS NULL AND h.until IS NOT NULL \
               AND (h.until <= $1 OR s.starts_at <= $1) ORDER BY h.until LIMIT $2";
    tx.all(sql, (now, limit)).await
}

/// Writes new holds.
pub async fn insert(tx: &mut Tx, holds: Vec<&Hold>) -> Result<(), Error> {
    let rows = holds
        .into_iter()
        .map(|h| {
            let what = (h.kind, h.places, h.until, h.note.clone());
            (h.id, h.studio_id, h.session_id, what.0, what.1, what.2, what.3, h.made_at, h.made_by, h.ended_at, h.ended_by, h.outcome)
        })
        .collect();
    let sql =
        "INSERT INTO holds (id, studio_id, session_id, kind, places, until, note, made_at, made_by, ended_at, ended_by, outcome) VALUES #";
    tx.rows(sql, rows).await.map(drop)
}

/// Writes what became of holds.
pub async fn update(tx: &mut Tx, holds: Vec<&Hold>) -> Result<(), Error> {
    let rows = holds.into_iter().map(|h| (h.id, h.kind, h.places, h.until, h.note.clone(), h.ended_at, h.ended_by, h.outcome)).collect();
    let sql = "WITH x (id, kind, places, until, note, ended_at, ended_by, outcome) AS (VALUES #) \
               UPDATE holds SET kind = x.kind, places = x.places, until = x.until, note = x.note, ended_at = x.ended_at, \
               ended_by = x.ended_by, outcome = x.outcome FROM x WHERE holds.id = x.id";
    tx.rows(Sql::Both(sql), rows).await.map(drop)
}
