//! Reads the roster, and keeps what was shown at the door and to whom; only the transactor writes bookings and check-ins.

pub mod kiosks;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::CheckIn;
use crate::booking::BookingStatus;
use crate::db::{Error, Tx};
use crate::letters::facts::PassedOver;

/// Somebody who is in a session, or waits for it.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns of the tables")]
pub struct RosterRow {
    pub booking_id: Uuid,
    pub person_id: Uuid,
    /// As the studio wrote it down, else as the member did.
    pub name: String,
    pub status: BookingStatus,
    pub queue_key: Option<i64>,
    pub passed_over: Option<PassedOver>,
    pub spot_id: Option<Uuid>,
    pub arrived_at: Option<DateTime<Utc>>,
    /// Beside whose booking it stands, if it is a guest's place, and who the guest is.
    pub guest_of: Option<Uuid>,
    pub guest_name: Option<String>,
    /// Who sent them, if it is a visitor's place: their name is `guest_name`.
    pub visitor_source: Option<String>,
    pub visitor_phone: Option<String>,
    pub created_at: DateTime<Utc>,
    pub provisional: bool,
    pub released_at: Option<DateTime<Utc>>,
    pub unrecorded: bool,
    pub seen_absent_at: Option<DateTime<Utc>>,
}

/// Who is in the session and who waits, in queue order.
pub async fn roster(tx: &mut Tx, session_id: Uuid) -> Result<Vec<RosterRow>, Error> {
    let sql = "SELECT b.id AS booking_id, b.person_id, CASE WHEN b.visitor_source IS NULL THEN COALESCE(m.name, p.name) ELSE COALESCE(b.guest_name, '') END AS name, b.status, b.queue_key, b.passed_over, b.spot_id, \
               b.arrived_at, b.created_at, b.provisional, b.released_at, b.unrecorded, b.guest_of, b.guest_name, b.seen_absent_at, \
               b.visitor_source, b.visitor_phone \
               FROM bookings b JOIN persons p ON p.id = b.person_id \
               LEFT JOIN members m ON m.studio_id = b.studio_id AND m.person_id = b.person_id \
               WHERE b.session_id = $1 AND b.status NOT IN ('cancelled', 'late_cancelled') ORDER BY b.queue_key NULLS FIRST, b.id";
    tx.all(sql, (session_id,)).await
}

/// How often each of these people had come to the studio before: `(person, visits)` for those who had.
pub async fn visits_before(tx: &mut Tx, studio_id: Uuid, before: DateTime<Utc>, people: &[Uuid]) -> Result<Vec<(Uuid, i64)>, Error> {
    let sql = "SELECT person_id, COUNT(*) FROM bookings \
               WHERE studio_id = $1 AND status = 'attended' AND guest_of IS NULL AND starts_at < $2 AND person_id IN # GROUP BY person_id";
    tx.among(sql, (studio_id, before), people).await
}

macro_rules! check_ins {
    () => {
        "id, studio_id, booking_id, by_person, by_kiosk, decided_at, arrived_at, first_visit, already"
    };
}

/// Check-ins by id.
pub async fn check_ins(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<CheckIn>, Error> {
    tx.among(concat!("SELECT ", check_ins!(), " FROM check_ins WHERE id IN #"), (), ids).await
}

/// Writes new check-ins.
pub async fn insert_check_ins(tx: &mut Tx, check_ins: Vec<&CheckIn>) -> Result<(), Error> {
    let rows = check_ins
        .into_iter()
        .map(|c| (c.id, c.studio_id, c.booking_id, c.by_person, c.by_kiosk, c.decided_at, c.arrived_at, c.first_visit, c.already))
        .collect();
    tx.rows(concat!("INSERT INTO check_ins (", check_ins!(), ") VALUES #"), rows).await.map(drop)
}

/// Forgets check-ins that were decided before; so many at most.
pub async fn forget_check_ins(tx: &mut Tx, before: DateTime<Utc>, count_max: i64) -> Result<u64, Error> {
    let sql = "DELETE FROM check_ins WHERE id IN (SELECT id FROM check_ins WHERE decided_at < $1 ORDER BY decided_at LIMIT $2)";
    tx.run(sql, (before, count_max)).await
}

/// Somebody whose code was shown.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns of the tables")]
pub struct NamedBooking {
    pub booking_id: Uuid,
    pub session_id: Uuid,
    pub person_id: Uuid,
    /// Set: it is a guest's place.
    pub guest_of: Option<Uuid>,
    /// A guest's, as the member wrote it down who brings them; else the member's, as the studio wrote it down, else as the member did.
    pub name: String,
    pub status: BookingStatus,
    pub arrived_at: Option<DateTime<Utc>>,
}

/// The name and the session of these bookings.
pub async fn named(tx: &mut Tx, bookings: &[Uuid]) -> Result<Vec<NamedBooking>, Error> {
    let sql = "SELECT b.id AS booking_id, b.session_id, b.person_id, b.guest_of, COALESCE(b.guest_name, m.name, p.name) AS name, b.status, b.arrived_at \
               FROM bookings b JOIN persons p ON p.id = b.person_id \
               LEFT JOIN members m ON m.studio_id = b.studio_id AND m.person_id = b.person_id WHERE b.id IN #";
    tx.among(sql, (), bookings).await
}

/// Everybody who is in these sessions or waits for them.
pub async fn expected(tx: &mut Tx, sessions: &[Uuid]) -> Result<Vec<NamedBooking>, Error> {
    let sql = "SELECT b.id AS booking_id, b.session_id, b.person_id, b.guest_of, COALESCE(b.guest_name, m.name, p.name) AS name, b.status, b.arrived_at \
               FROM bookings b JOIN persons p ON p.id = b.person_id \
               LEFT JOIN members m ON m.studio_id = b.studio_id AND m.person_id = b.person_id \
               WHERE b.status NOT IN ('cancelled', 'late_cancelled') AND b.session_id IN #";
    tx.among(sql, (), sessions).await
}

/// The sessions of a studio that take place in a span of time. Its local dates, with a day before and after, let the index be used.
pub async fn sessions_between(
    tx: &mut Tx,
    studio_id: Uuid,
    (first, last): (NaiveDate, NaiveDate),
    (from, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<(Uuid,)>, Error> {
    let sql = "SELECT id FROM sessions WHERE studio_id = $1 AND local_date >= $2 AND local_date <= $3 AND status = 'scheduled' \
               AND ends_at > $4 AND starts_at < $5";
    tx.all(sql, (studio_id, first, last, from, until)).await
}

/// When each of these people first came to the studio: `(person, start of the class)` for those who did.
pub async fn first_visits(tx: &mut Tx, studio_id: Uuid, people: &[Uuid]) -> Result<Vec<(Uuid, DateTime<Utc>)>, Error> {
    let sql = "SELECT b.person_id, b.starts_at FROM bookings b WHERE b.studio_id = $1 AND b.status = 'attended' AND b.guest_of IS NULL AND NOT EXISTS \
               (SELECT 1 FROM bookings o WHERE o.studio_id = $1 AND o.person_id = b.person_id AND o.status = 'attended' AND o.guest_of IS NULL \
               AND (o.starts_at < b.starts_at OR (o.starts_at = b.starts_at AND o.id < b.id))) AND b.person_id IN #";
    tx.among(sql, (studio_id,), people).await
}
