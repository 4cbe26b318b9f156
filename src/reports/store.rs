//! What reports count.

use chrono::NaiveDate;
use uuid::Uuid;

use super::Counts;
use crate::db::{Error, Tx};

/// What became of the bookings of the studio's sessions on these local dates; sessions without any are left out.
/// A cancelled booking had a place if a pass paid for it, if it could be cancelled for free, or if staff gave it for nothing.
pub async fn counts(tx: &mut Tx, studio_id: Uuid, (from, to): (NaiveDate, NaiveDate)) -> Result<Vec<Counts>, Error> {
    let sql = "SELECT b.session_id, \
               CAST(SUM(CASE WHEN b.status IN ('booked', 'offered', 'attended', 'no_show') AND b.released_at IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS booked, \
               CAST(SUM(CASE WHEN b.status = 'attended' THEN 1 ELSE 0 END) AS BIGINT) AS attended, \
               CAST(SUM(CASE WHEN b.unrecorded THEN 1 ELSE 0 END) AS BIGINT) AS unrecorded, \
               CAST(SUM(CASE WHEN b.status = 'late_cancelled' THEN 1 ELSE 0 END) AS BIGINT) AS late_cancelled, \
               CAST(SUM(CASE WHEN b.status = 'cancelled' AND h.had_place THEN 1 ELSE 0 END) AS BIGINT) AS cancelled, \
               CAST(SUM(CASE WHEN b.status = 'no_show' THEN 1 ELSE 0 END) AS BIGINT) AS no_show, \
               CAST(SUM(CASE WHEN b.status = 'waitlisted' OR (b.status = 'cancelled' AND NOT h.had_place) THEN 1 ELSE 0 END) AS BIGINT) \
               AS waitlisted \
               FROM sessions s JOIN bookings b ON b.session_id = s.id \
               JOIN (SELECT id, pass_id IS NOT NULL OR free_cancel_until IS NOT NULL OR (asked_unpaid AND NOT asked_standby) AS had_place FROM bookings) h ON h.id = b.id \
               WHERE s.studio_id = $1 AND s.local_date >= $2 AND s.local_date < $3 AND s.status <> 'draft' GROUP BY b.session_id";
    tx.all(sql, (studio_id, from, to)).await
}
