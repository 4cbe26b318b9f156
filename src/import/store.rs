//! SQL of imports: what was imported, by which key it is known again, and what must be known before.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::rules::bookings::{NewBooking, SessionNow, Taken};
use super::{Import, Kind};
use crate::booking::BookingStatus;
use crate::db::{Db, Error, Sql, Tx};
use crate::language::{Language, Texts};

const COLUMNS: &str = "SELECT id, studio_id, kind, digest, by_person, at, lines, made, known, skipped, invited_at, invited_per_hour \
                       FROM imports WHERE id = $1";

/// An import that was done.
pub async fn one(db: &Db, id: Uuid) -> Result<Option<Import>, Error> {
    db.maybe(COLUMNS, (id,)).await
}

/// The same, in a transaction.
pub async fn found(tx: &mut Tx, id: Uuid) -> Result<Option<Import>, Error> {
    tx.maybe(COLUMNS, (id,)).await
}

/// What a studio imported, the newest first.
pub async fn of_studio(db: &Db, studio_id: Uuid, limit: i64) -> Result<Vec<Import>, Error> {
    let sql = "SELECT id, studio_id, kind, digest, by_person, at, lines, made, known, skipped, invited_at, invited_per_hour \
               FROM imports WHERE studio_id = $1 ORDER BY at DESC, id DESC LIMIT $2";
    db.all(sql, (studio_id, limit)).await
}

/// One import of a studio at a time, until the transaction ends.
pub async fn one_at_a_time(tx: &mut Tx, studio_id: Uuid) -> Result<(), Error> {
    let sql =
        Sql::Each { sqlite: "SELECT id FROM studios WHERE id = $1", postgres: "SELECT id FROM studios WHERE id = $1 FOR NO KEY UPDATE" };
    tx.run(sql, (studio_id,)).await.map(drop)
}

/// Writes what was done.
pub async fn insert(tx: &mut Tx, import: Import, skipped_lines: Option<String>) -> Result<(), Error> {
    let Import { id, studio_id, kind, digest, by_person, at, lines, made, known, skipped, .. } = import;
    let sql = "INSERT INTO imports (id, studio_id, kind, digest, by_person, at, lines, made, known, skipped, skipped_lines) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    tx.run(sql, (id, studio_id, kind, digest, by_person, at, lines, made, known, skipped, skipped_lines)).await.map(drop)
}

/// A row that came over.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the columns of the table")]
pub struct Brought {
    pub key: String,
    pub row_id: Uuid,
    pub made: bool,
}

/// Notes what came over, by its keys.
pub async fn insert_brought(tx: &mut Tx, (studio_id, kind, import_id): (Uuid, Kind, Uuid), rows: Vec<Brought>) -> Result<(), Error> {
    let rows = rows.into_iter().map(|row| (studio_id, kind, row.key, row.row_id, import_id, row.made)).collect();
    tx.rows("INSERT INTO brought_over (studio_id, kind, key, row_id, import_id, made) VALUES #", rows).await.map(drop)
}

/// What came over before, by its keys.
pub async fn brought(tx: &mut Tx, studio_id: Uuid, kind: Kind) -> Result<HashMap<String, Uuid>, Error> {
    let rows: Vec<(String, Uuid)> =
        tx.all("SELECT key, row_id FROM brought_over WHERE studio_id = $1 AND kind = $2", (studio_id, kind)).await?;
    Ok(rows.into_iter().collect())
}

/// The lines that were left out; `None` if there are none, or not any more.
pub async fn skipped_lines(db: &Db, id: Uuid) -> Result<Option<String>, Error> {
    let found: Option<(Option<String>,)> = db.maybe("SELECT skipped_lines FROM imports WHERE id = $1", (id,)).await?;
    Ok(found.and_then(|(lines,)| lines))
}

/// Erases lines that were kept long enough.
pub async fn forget_skipped(tx: &mut Tx, before: DateTime<Utc>) -> Result<u64, Error> {
    tx.run("UPDATE imports SET skipped_lines = NULL WHERE skipped_lines IS NOT NULL AND at < $1", (before,)).await
}

/// The studio's sessions that take place or took place, and begin in this time.
pub async fn sessions(tx: &mut Tx, studio_id: Uuid, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Vec<SessionNow>, Error> {
    type Row = (Uuid, Uuid, Json<Texts>, DateTime<Utc>, DateTime<Utc>, DateTime<Utc>, i64, i64);
    let sql = "SELECT s.id, s.class_type_id, c.name, s.starts_at, s.ends_at, s.free_cancel_until, s.capacity - s.taken - s.held, s.waiting \
               FROM sessions s JOIN class_types c ON c.id = s.class_type_id \
               WHERE s.studio_id = $1 AND s.status = 'scheduled' AND s.starts_at >= $2 AND s.starts_at <= $3 ORDER BY s.starts_at, s.id";
    let rows: Vec<Row> = tx.all(sql, (studio_id, from, to)).await?;
    let one = |(id, class_type_id, Json(class_type), starts_at, ends_at, free_cancel_until, places, waiting): Row| SessionNow {
        id,
        class_type_id,
        class_type,
        starts_at,
        ends_at,
        free_cancel_until,
        places,
        waiting,
    };
    Ok(rows.into_iter().map(one).collect())
}

/// What these people have in any studio at this time, and has not ended.
pub async fn taken(tx: &mut Tx, people: &[Uuid], from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Vec<Taken>, Error> {
    type Row = (Uuid, Uuid, Uuid, DateTime<Utc>, DateTime<Utc>, BookingStatus);
    let sql = "SELECT id, session_id, person_id, starts_at, ends_at, status FROM bookings WHERE ends_at > $1 AND starts_at < $2 \
               AND guest_of IS NULL AND status NOT IN ('cancelled', 'late_cancelled') AND person_id IN #";
    let rows: Vec<Row> = tx.among(sql, (from, to), people).await?;
    let one =
        |(id, session_id, person_id, starts_at, ends_at, status): Row| Taken { id, session_id, person_id, starts_at, ends_at, status };
    Ok(rows.into_iter().map(one).collect())
}

/// Counts the places that were taken.
pub async fn take_places(tx: &mut Tx, made: &[NewBooking]) -> Result<(), Error> {
    let mut counts: HashMap<Uuid, i64> = HashMap::new();
    for booking in made.iter().filter(|booking| booking.status.takes_place()) {
        *counts.entry(booking.session_id).or_default() += 1;
    }
    let sql = "WITH x(id, n) AS (VALUES #) UPDATE sessions SET taken = taken + x.n FROM x WHERE sessions.id = x.id";
    tx.rows(sql, counts.into_iter().collect()).await.map(drop)
}

/// Who of these waits for a place.
pub async fn waiting(tx: &mut Tx, people: &[Uuid]) -> Result<Vec<Uuid>, Error> {
    let rows: Vec<(Uuid,)> = tx.among("SELECT person_id FROM bookings WHERE status = 'waitlisted' AND person_id IN #", (), people).await?;
    Ok(rows.into_iter().map(|(person_id,)| person_id).collect())
}

/// Somebody who came over, and has not been invited.
#[derive(Clone, Debug, FromRow)]
#[allow(missing_docs, reason = "columns of a person")]
pub struct ToInvite {
    pub person_id: Uuid,
    pub locale: Option<Language>,
    /// They have an account already, from another studio.
    pub linked: bool,
}

/// Whom an import made a member, with an address of their own that this studio knows, in the order of their ids.
pub async fn to_invite(tx: &mut Tx, import_id: Uuid, studio_id: Uuid) -> Result<Vec<ToInvite>, Error> {
    let sql = "SELECT p.id AS person_id, p.locale, (p.verified_at IS NOT NULL) AS linked FROM brought_over b JOIN persons p ON p.id = b.row_id \
               JOIN members m ON m.studio_id = b.studio_id AND m.person_id = p.id \
               WHERE b.import_id = $1 AND b.studio_id = $2 AND b.kind = 'members' AND b.made AND p.email_key IS NOT NULL \
               AND m.knows_address AND m.given_at IS NULL AND p.deleted_at IS NULL ORDER BY p.id";
    tx.all(sql, (import_id, studio_id)).await
}

/// Its people were invited.
pub async fn set_invited(tx: &mut Tx, id: Uuid, at: DateTime<Utc>, per_hour: i64) -> Result<bool, Error> {
    let sql = "UPDATE imports SET invited_at = $2, invited_per_hour = $3 WHERE id = $1 AND invited_at IS NULL";
    Ok(tx.run(sql, (id, at, per_hour)).await? == 1)
}

/// A file that waits to be imported.
#[derive(Clone, Debug, FromRow)]
#[allow(missing_docs, reason = "the columns are told in the migration")]
pub struct WaitingRow {
    pub import_id: Uuid,
    pub name: String,
    pub how: Json<serde_json::Value>,
    pub at: DateTime<Utc>,
    pub begun_at: Option<DateTime<Utc>>,
    pub refused: Option<String>,
}

/// Keeps a file of this admin, in place of one that waits already. `false`: too many of others wait.
pub async fn keep(
    tx: &mut Tx,
    (studio_id, person_id): (Uuid, Uuid),
    row: WaitingRow,
    file: Vec<u8>,
    (kept_since, files_max): (DateTime<Utc>, i64),
) -> Result<bool, Error> {
    tx.run("DELETE FROM import_files WHERE person_id = $1 OR at < $2", (person_id, kept_since)).await?;
    let (count,): (i64,) = tx.one("SELECT COUNT(*) FROM import_files", ()).await?;
    if count >= files_max {
        return Ok(false);
    }
    let sql = "INSERT INTO import_files (person_id, studio_id, import_id, name, file, how, at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    tx.run(sql, (person_id, studio_id, row.import_id, row.name, file, row.how, row.at)).await.map(|_| true)
}

/// The file of this admin that waits in this studio, without its bytes.
pub async fn waiting_file(db: &Db, studio_id: Uuid, person_id: Uuid, kept_since: DateTime<Utc>) -> Result<Option<WaitingRow>, Error> {
    let sql = "SELECT import_id, name, how, at, begun_at, refused FROM import_files WHERE studio_id = $1 AND person_id = $2 AND at >= $3";
    db.maybe(sql, (studio_id, person_id, kept_since)).await
}

/// Its bytes.
pub async fn bytes_of(db: &Db, import_id: Uuid, person_id: Uuid) -> Result<Option<Vec<u8>>, Error> {
    let found: Option<(Vec<u8>,)> =
        db.maybe("SELECT file FROM import_files WHERE import_id = $1 AND person_id = $2", (import_id, person_id)).await?;
    Ok(found.map(|(file,)| file))
}

/// How it is to be read from now on.
pub async fn set_how(tx: &mut Tx, import_id: Uuid, person_id: Uuid, how: serde_json::Value) -> Result<bool, Error> {
    let sql = "UPDATE import_files SET how = $3, refused = NULL WHERE import_id = $1 AND person_id = $2 AND begun_at IS NULL";
    Ok(tx.run(sql, (import_id, person_id, Json(how))).await? == 1)
}

/// It is carried out from now on, unless it is already; one that was begun before `given_up` has died with its process.
pub async fn begin(tx: &mut Tx, import_id: Uuid, person_id: Uuid, now: DateTime<Utc>, given_up: DateTime<Utc>) -> Result<bool, Error> {
    let sql = "UPDATE import_files SET begun_at = $3, refused = NULL WHERE import_id = $1 AND person_id = $2 \
               AND (begun_at IS NULL OR begun_at < $4)";
    Ok(tx.run(sql, (import_id, person_id, now, given_up)).await? == 1)
}

/// It was refused.
pub async fn set_refused(tx: &mut Tx, import_id: Uuid, refused: &str) -> Result<(), Error> {
    tx.run("UPDATE import_files SET begun_at = NULL, refused = $2 WHERE import_id = $1", (import_id, refused)).await.map(drop)
}

/// It waits no more: it is done, or nobody wants it.
pub async fn forget_file(tx: &mut Tx, import_id: Uuid, person_id: Uuid) -> Result<(), Error> {
    tx.run("DELETE FROM import_files WHERE import_id = $1 AND person_id = $2", (import_id, person_id)).await.map(drop)
}

/// Erases files that waited long enough.
pub async fn forget_files(tx: &mut Tx, before: DateTime<Utc>) -> Result<u64, Error> {
    tx.run("DELETE FROM import_files WHERE at < $1", (before,)).await
}
