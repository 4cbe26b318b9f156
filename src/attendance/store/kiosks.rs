//! SQL of the devices at the door.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::attendance::KioskRow;
use crate::db::{Db, Error, Sql, Tx};
use crate::language::Language;

/// A device, found by its token.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns of the tables")]
pub struct Known {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub last_seen_at: Option<DateTime<Utc>>,
    /// The studio's.
    pub locale: Language,
}

/// The device with this token.
pub async fn by_token(db: &Db, token_hash: Vec<u8>) -> Result<Option<Known>, Error> {
    let sql =
        "SELECT k.id, k.studio_id, k.last_seen_at, t.locale FROM kiosks k JOIN studios t ON t.id = k.studio_id WHERE k.token_hash = $1";
    db.maybe(sql, (token_hash,)).await
}

/// A studio's devices, the oldest first.
pub async fn of_studio(db: &Db, studio_id: Uuid) -> Result<Vec<KioskRow>, Error> {
    db.all("SELECT id, name, added_at, last_seen_at FROM kiosks WHERE studio_id = $1 ORDER BY id", (studio_id,)).await
}

/// How many a studio has. It is locked until the end of the transaction, so that two who add one are counted one after the other.
pub async fn count(tx: &mut Tx, studio_id: Uuid) -> Result<i64, Error> {
    let lock =
        Sql::Each { sqlite: "SELECT id FROM studios WHERE id = $1", postgres: "SELECT id FROM studios WHERE id = $1 FOR NO KEY UPDATE" };
    tx.maybe::<(Uuid,)>(lock, (studio_id,)).await?;
    let (count,): (i64,) = tx.one("SELECT COUNT(*) FROM kiosks WHERE studio_id = $1", (studio_id,)).await?;
    Ok(count)
}

/// A new one, known by the hash of its token.
pub async fn insert(tx: &mut Tx, studio_id: Uuid, kiosk: &KioskRow, token_hash: Vec<u8>, by: Uuid) -> Result<(), Error> {
    let sql = "INSERT INTO kiosks (id, studio_id, name, token_hash, added_at, added_by) VALUES ($1, $2, $3, $4, $5, $6)";
    tx.run(sql, (kiosk.id, studio_id, kiosk.name.clone(), token_hash, kiosk.added_at, by)).await.map(drop)
}

/// Takes one of a studio's away. `false`: there is none with this id.
pub async fn remove(tx: &mut Tx, studio_id: Uuid, id: Uuid) -> Result<bool, Error> {
    Ok(tx.run("DELETE FROM kiosks WHERE studio_id = $1 AND id = $2", (studio_id, id)).await? == 1)
}

/// Notes that it asked for something.
pub async fn note_seen(tx: &mut Tx, id: Uuid, now: DateTime<Utc>) -> Result<(), Error> {
    tx.run("UPDATE kiosks SET last_seen_at = $2 WHERE id = $1", (id, now)).await.map(drop)
}
