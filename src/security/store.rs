//! Security events in the database.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::rules::Line;
use super::{Kind, Mark};
use crate::db::{Db, Error, Tx};
use crate::ids::new_id;

/// Something that was done, told by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    pub kind: Kind,
    /// Whose account it is about.
    pub person_id: Option<Uuid>,
    /// Who did it, if not that person.
    pub by_id: Option<Uuid>,
    pub studio_id: Option<Uuid>,
    pub device_id: Option<Uuid>,
    pub network: Option<Mark>,
    pub request_id: Option<String>,
}

/// Writes down what was done.
pub async fn write(tx: &mut Tx, now: DateTime<Utc>, done: Vec<Done>) -> Result<(), Error> {
    let rows = done.into_iter().map(|one| {
        let network = one.network.map(Mark::bytes);
        (new_id(now), one.kind, now, now, 1_i64, one.person_id, one.by_id, one.studio_id, one.device_id, network, one.request_id)
    });
    let sql = "INSERT INTO security_events (id, kind, at, last_at, count, person_id, by_id, studio_id, device_id, network, request_id) \
               VALUES #";
    tx.rows(sql, rows.collect()).await.map(drop)
}

/// Counts what was noticed: a line of this bucket that is there already counts on.
pub async fn count(tx: &mut Tx, lines: Vec<Line>) -> Result<(), Error> {
    let rows = lines.into_iter().map(|line| {
        let (first_at, last_at, times) = (line.count.first_at, line.count.last_at, line.count.times);
        let (address, network) = (line.address.map(Mark::bytes), line.network.map(Mark::bytes));
        let request_id = line.count.request_id;
        (new_id(first_at), line.kind, first_at, last_at, times, line.person_id, line.studio_id, network, address, request_id, line.bucket)
    });
    let sql = "INSERT INTO security_events (id, kind, at, last_at, count, person_id, studio_id, network, address, request_id, bucket) \
               VALUES # ON CONFLICT (bucket) DO UPDATE SET count = security_events.count + excluded.count, last_at = excluded.last_at";
    tx.rows(sql, rows.collect()).await.map(drop)
}

/// Who has these addresses.
pub async fn owners(db: &Db, email_keys: &[String]) -> Result<HashMap<String, Uuid>, Error> {
    if email_keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(String, Uuid)> = db.among("SELECT email_key, person_id FROM accounts WHERE email_key IN #", (), email_keys).await?;
    Ok(rows.into_iter().collect())
}

/// A line as it is read.
#[derive(Clone, Debug, FromRow)]
pub struct Event {
    pub id: Uuid,
    pub kind: Kind,
    pub at: DateTime<Utc>,
    pub last_at: DateTime<Utc>,
    pub count: i64,
    pub person_id: Option<Uuid>,
    pub by_id: Option<Uuid>,
    pub studio_id: Option<Uuid>,
    pub device_id: Option<Uuid>,
    pub network: Option<Vec<u8>>,
    pub address: Option<Vec<u8>>,
    pub request_id: Option<String>,
}

macro_rules! events {
    ($which:literal, $limit:literal) => {
        concat!(
            "SELECT id, kind, at, last_at, count, person_id, by_id, studio_id, device_id, network, address, request_id \
             FROM security_events WHERE ",
            $which,
            " ORDER BY id DESC LIMIT ",
            $limit
        )
    };
}

/// Where the newest page begins: before every id that there is or will be.
fn before(after: Option<Uuid>) -> Uuid {
    after.unwrap_or(Uuid::max())
}

/// What is about a person's account, the newest first.
pub async fn of_person(db: &Db, person_id: Uuid, after: Option<Uuid>, limit: i64) -> Result<Vec<Event>, Error> {
    db.all(events!("person_id = $1 AND id < $2", "$3"), (person_id, before(after), limit)).await
}

/// All that is about a person's account, the newest first: what is kept of one is bounded.
pub async fn exported(tx: &mut Tx, person_id: Uuid) -> Result<Vec<Event>, Error> {
    tx.all(events!("person_id = $1", "$2"), (person_id, i64::MAX)).await
}

/// What happened in a studio, and to the sign-in of whoever works there now; the newest first.
pub async fn of_studio(db: &Db, studio_id: Uuid, after: Option<Uuid>, limit: i64) -> Result<Vec<Event>, Error> {
    let sql = events!(
        "(studio_id = $1 OR (studio_id IS NULL AND person_id IN (SELECT person_id FROM staff WHERE studio_id = $1) \
         AND kind IN ('signed_in', 'signed_out', 'sign_in_refused', 'sign_in_limited', 'token_reused', 'code_asked', 'code_refused', \
         'second_factor_asked', 'second_factor_refused', 'second_factor_added', 'second_factor_removed', 'second_factors_reset', \
         'recovery_codes_renewed', 'password_refused', 'password_changed', 'password_reset', 'address_change_asked', 'address_changed'))) AND id < $2",
        "$3"
    );
    db.all(sql, (studio_id, before(after), limit)).await
}

/// Everything, the newest first.
pub async fn all(db: &Db, after: Option<Uuid>, limit: i64) -> Result<Vec<Event>, Error> {
    db.all(events!("id < $1", "$2"), (before(after), limit)).await
}

/// Removes lines that are older, at most so many. How many.
pub async fn remove_older(tx: &mut Tx, before: DateTime<Utc>, limit: i64) -> Result<u64, Error> {
    let sql = "DELETE FROM security_events WHERE id IN (SELECT id FROM security_events WHERE last_at < $1 ORDER BY last_at LIMIT $2)";
    tx.run(sql, (before, limit)).await
}
