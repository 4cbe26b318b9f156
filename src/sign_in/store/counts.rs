//! Counts that hold in the whole deployment and over restarts: when each bucket will have leaked empty.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::db::{Db, Error, Sql, Tx};

/// Rows that have leaked empty and are removed with each count: more than one count adds, so that they do not heap up by day.
const REMOVED_MAX: i64 = 16;

/// A bucket: a keyed hash of what is counted and of whom, and that of the address whose account it guards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketKey {
    pub key: Vec<u8>,
    /// `None`: no account's.
    pub account: Option<Vec<u8>>,
}

/// When each bucket will have leaked empty; one that is not there is empty.
pub type Levels = HashMap<Vec<u8>, DateTime<Utc>>;

/// How full these buckets are, before anything is decided.
pub async fn look_up(db: &Db, keys: &[Vec<u8>]) -> Result<Levels, Error> {
    Ok(db.among::<(Vec<u8>, DateTime<Utc>), _>("SELECT key, empty_at FROM counts WHERE key IN #", (), keys).await?.into_iter().collect())
}

/// How full these buckets are, held until the transaction ends, in one order by all.
pub async fn hold(tx: &mut Tx, now: DateTime<Utc>, buckets: &[BucketKey]) -> Result<Levels, Error> {
    let mut buckets = buckets.to_vec();
    buckets.sort_by(|one, other| one.key.cmp(&other.key));
    let keys: Vec<Vec<u8>> = buckets.iter().map(|bucket| bucket.key.clone()).collect();
    // A row that is not there cannot be held.
    let rows = buckets.into_iter().map(|bucket| (bucket.key, bucket.account, now)).collect();
    tx.rows("INSERT INTO counts (key, account, empty_at) VALUES # ON CONFLICT (key) DO NOTHING", rows).await?;
    let sql = Sql::Each {
        sqlite: "SELECT key, empty_at FROM counts WHERE key IN #",
        postgres: "SELECT key, empty_at FROM counts WHERE key IN # ORDER BY key FOR UPDATE",
    };
    Ok(tx.among::<(Vec<u8>, DateTime<Utc>), _>(sql, (), &keys).await?.into_iter().collect())
}

/// How full these buckets are from now on.
pub async fn set(tx: &mut Tx, now: DateTime<Utc>, mut buckets: Vec<(BucketKey, DateTime<Utc>)>) -> Result<(), Error> {
    buckets.sort_by(|(one, _), (other, _)| one.key.cmp(&other.key));
    let rows = buckets.into_iter().map(|(bucket, empty_at)| (bucket.key, bucket.account, empty_at)).collect();
    let sql = "INSERT INTO counts (key, account, empty_at) VALUES # ON CONFLICT (key) DO UPDATE SET empty_at = excluded.empty_at";
    tx.rows(sql, rows).await?;
    remove_empty(tx, now, REMOVED_MAX).await.map(drop)
}

/// Writes a row as it is: where it must not show that there is nothing to be written.
pub async fn touch(tx: &mut Tx, key: &[u8]) -> Result<(), Error> {
    tx.run("UPDATE counts SET empty_at = empty_at WHERE key = $1", (key,)).await.map(drop)
}

/// Empties every bucket that guards the account of this address.
pub async fn lift(tx: &mut Tx, account: &[u8]) -> Result<(), Error> {
    tx.run("DELETE FROM counts WHERE account = $1", (account,)).await.map(drop)
}

/// Removes buckets that have leaked empty, but for those that somebody holds. How many.
pub async fn remove_empty(tx: &mut Tx, now: DateTime<Utc>, limit: i64) -> Result<u64, Error> {
    macro_rules! text {
        ($lock:literal) => {
            concat!("SELECT key FROM counts WHERE empty_at < $1 ORDER BY empty_at LIMIT $2", $lock)
        };
    }
    let sql = Sql::Each { sqlite: text!(""), postgres: text!(" FOR UPDATE SKIP LOCKED") };
    let empty: Vec<(Vec<u8>,)> = tx.all(sql, (now, limit)).await?;
    if empty.is_empty() {
        return Ok(0);
    }
    tx.rows("WITH x(key) AS (VALUES #) DELETE FROM counts WHERE key IN (SELECT key FROM x)", empty).await
}
