//! SQL of calendars: the feeds, and what they show.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::rules::Window;
use super::{Booked, Feed, FeedKind, Given, Subscribed};
use crate::db::{Db, Error, Tx};

/// How many of a person's feeds can be read.
pub async fn count(tx: &mut Tx, person_id: Uuid) -> Result<i64, Error> {
    let sql = "SELECT COUNT(*) FROM calendar_feeds WHERE person_id = $1 AND revoked_at IS NULL";
    let (count,): (i64,) = tx.one(sql, (person_id,)).await?;
    Ok(count)
}

/// A new feed, known by the hash of its secret.
pub async fn insert(tx: &mut Tx, person_id: Uuid, feed: &Feed, secret_hash: Vec<u8>) -> Result<(), Error> {
    let sql = "INSERT INTO calendar_feeds (id, person_id, kind, studio_id, secret_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    tx.run(sql, (feed.id, person_id, feed.kind, feed.studio_id, secret_hash, feed.created_at)).await.map(drop)
}

/// Forgets all but the newest of those that a person revoked.
pub async fn forget_revoked(tx: &mut Tx, person_id: Uuid, kept: i64) -> Result<(), Error> {
    let sql = "DELETE FROM calendar_feeds WHERE person_id = $1 AND revoked_at IS NOT NULL AND id NOT IN \
               (SELECT id FROM calendar_feeds WHERE person_id = $1 AND revoked_at IS NOT NULL ORDER BY id DESC LIMIT $2)";
    tx.run(sql, (person_id, kept)).await.map(drop)
}

/// A person's feeds that can be read, oldest first.
pub async fn of_person(db: &Db, person_id: Uuid) -> Result<Vec<Feed>, Error> {
    let sql = "SELECT id, kind, studio_id, created_at, last_read_at FROM calendar_feeds \
               WHERE person_id = $1 AND revoked_at IS NULL ORDER BY id";
    db.all(sql, (person_id,)).await
}

/// Ends one of a person's feeds. `false`: there is no such feed.
pub async fn revoke(tx: &mut Tx, now: DateTime<Utc>, person_id: Uuid, id: Uuid) -> Result<bool, Error> {
    let sql = "UPDATE calendar_feeds SET revoked_at = $3 WHERE person_id = $1 AND id = $2 AND revoked_at IS NULL";
    Ok(tx.run(sql, (person_id, id, now)).await? == 1)
}

/// A feed as a person's export tells it.
#[derive(Clone, Debug, sqlx::FromRow, serde::Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "as they stand in the export")]
pub struct ExportedCalendar {
    pub id: Uuid,
    pub kind: FeedKind,
    pub studio_id: Option<Uuid>,
    #[serde(with = "crate::instant")]
    pub created_at: DateTime<Utc>,
    #[serde(with = "crate::instant")]
    pub last_read_at: Option<DateTime<Utc>>,
    #[serde(with = "crate::instant")]
    pub revoked_at: Option<DateTime<Utc>>,
}

/// All feeds that a person ever made.
pub async fn exported(tx: &mut Tx, person_id: Uuid) -> Result<Vec<ExportedCalendar>, Error> {
    let sql = "SELECT id, kind, studio_id, created_at, last_read_at, revoked_at FROM calendar_feeds WHERE person_id = $1 ORDER BY id";
    tx.all(sql, (person_id,)).await
}

/// The feed with this secret, if it can be read.
pub async fn by_secret(db: &Db, secret_hash: Vec<u8>) -> Result<Option<Subscribed>, Error> {
    let sql = "SELECT f.id, f.kind, f.studio_id, f.created_at, f.last_read_at, f.person_id, p.locale, t.name AS studio_name, \
               t.locale AS studio_locale, t.time_zone AS studio_zone \
               FROM calendar_feeds f JOIN persons p ON p.id = f.person_id LEFT JOIN studios t ON t.id = f.studio_id \
               WHERE f.secret_hash = $1 AND f.revoked_at IS NULL AND p.deleted_at IS NULL";
    db.maybe(sql, (secret_hash,)).await
}

/// Notes that it was read, unless that was noted since `before`.
pub async fn note_reading(tx: &mut Tx, id: Uuid, now: DateTime<Utc>, before: DateTime<Utc>) -> Result<(), Error> {
    let sql = "UPDATE calendar_feeds SET last_read_at = $2 WHERE id = $1 AND (last_read_at IS NULL OR last_read_at <= $3)";
    tx.run(sql, (id, now, before)).await.map(drop)
}

/// The names around a booking `b` or a session `s`.
macro_rules! around {
    () => {
        "c.name AS class_name, r.name AS room_name, i.name AS instructor_name, t.name AS studio_name, t.address AS studio_address, \
         t.time_zone, t.locale AS studio_locale"
    };
}

macro_rules! booked {
    ($rest:literal) => {
        concat!(
            "SELECT b.id, b.status, b.sequence, b.starts_at, b.ends_at, b.created_at, b.ended_at, ",
            "(SELECT MAX(a.at) FROM events a WHERE a.subject_id IN (b.id, s.id)) AS changed_at, ",
            around!(),
            " FROM bookings b JOIN sessions s ON s.id = b.session_id JOIN class_types c ON c.id = s.class_type_id \
              JOIN rooms r ON r.id = s.room_id JOIN persons i ON i.id = s.instructor_id JOIN studios t ON t.id = b.studio_id ",
            $rest
        )
    };
}

macro_rules! given {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.status, s.sequence, s.starts_at, s.ends_at, s.created_at, s.cancelled_at AS ended_at, ",
            "(SELECT MAX(a.at) FROM events a WHERE a.subject_id = s.id) AS changed_at, ",
            around!(),
            " FROM sessions s JOIN class_types c ON c.id = s.class_type_id JOIN rooms r ON r.id = s.room_id \
              JOIN persons i ON i.id = s.instructor_id JOIN studios t ON t.id = s.studio_id ",
            $rest
        )
    };
}

/// A member's bookings in order of time. A cancelled one is shown only if it ever had a place, since only then was it in a calendar: a pass
/// paid for it, it could be cancelled for free, or a letter entered it.
pub async fn bookings(db: &Db, person_id: Uuid, window: Window, count_max: i64) -> Result<Vec<Booked>, Error> {
    let sql = booked!(
        "WHERE b.person_id = $1 AND b.starts_at >= $2 AND b.starts_at < $3 AND b.guest_of IS NULL \
         AND (b.status <> 'cancelled' OR b.pass_id IS NOT NULL OR b.free_cancel_until IS NOT NULL OR b.sequence > 0) \
         ORDER BY b.starts_at, b.id LIMIT $4"
    );
    db.all(sql, (person_id, window.from, window.until, count_max)).await
}

/// What an instructor teaches in all studios, in order of time.
pub async fn teaching(db: &Db, instructor_id: Uuid, window: Window, count_max: i64) -> Result<Vec<Given>, Error> {
    let sql = given!(
        "WHERE s.instructor_id = $1 AND s.starts_at >= $2 AND s.starts_at < $3 AND s.status <> 'draft' AND NOT s.was_draft \
         AND EXISTS (SELECT 1 FROM staff w WHERE w.studio_id = s.studio_id AND w.person_id = $1 AND w.role = 'instructor') \
         ORDER BY s.starts_at, s.id LIMIT $4"
    );
    db.all(sql, (instructor_id, window.from, window.until, count_max)).await
}

/// The studio's published schedule, in order of time. The local dates are those of the window, and let the index be used.
pub async fn of_studio(
    db: &Db,
    studio_id: Uuid,
    window: Window,
    (first, last): (NaiveDate, NaiveDate),
    count_max: i64,
) -> Result<Vec<Given>, Error> {
    let sql = given!(
        "WHERE s.studio_id = $1 AND s.local_date >= $2 AND s.local_date <= $3 AND s.starts_at >= $4 AND s.starts_at < $5 \
         AND s.status <> 'draft' AND NOT s.was_draft ORDER BY s.local_date, s.starts_at, s.id LIMIT $6"
    );
    db.all(sql, (studio_id, first, last, window.from, window.until, count_max)).await
}
