//! Reads the roster; only the transactor writes bookings.

use chrono::{DateTime, Utc};
use uuid::Uuid;

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
    pub created_at: DateTime<Utc>,
    pub provisional: bool,
    pub released_at: Option<DateTime<Utc>>,
    pub unrecorded: bool,
}

/// Who is in the session and who waits, in queue order.
pub async fn roster(tx: &mut Tx, session_id: Uuid) -> Result<Vec<RosterRow>, Error> {
    let sql = "SELECT b.id AS booking_id, b.person_id, COALESCE(m.name, p.name) AS name, b.status, b.queue_key, b.passed_over, b.spot_id, \
               b.arrived_at, b.created_at, b.provisional, b.released_at, b.unrecorded, b.guest_of, b.guest_name \
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
