//! Leaving one studio.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::{Error, Tx};

/// What somebody has to come in a studio, the first twenty.
pub async fn to_come(tx: &mut Tx, studio_id: Uuid, person_id: Uuid, now: DateTime<Utc>) -> Result<Vec<Uuid>, Error> {
    let sql = "SELECT id FROM bookings WHERE person_id = $1 AND studio_id = $2 AND ends_at > $3 \
               AND status IN ('booked', 'waitlisted', 'offered', 'standby') ORDER BY starts_at, id LIMIT 20";
    let rows: Vec<(Uuid,)> = tx.all(sql, (person_id, studio_id, now)).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The studio does not know them as a member any more, nor by a number that another program gave them. Whether it did.
pub async fn leave(tx: &mut Tx, studio_id: Uuid, person_id: Uuid) -> Result<bool, Error> {
    tx.run("DELETE FROM brought_over WHERE studio_id = $1 AND kind = 'members' AND row_id = $2", (studio_id, person_id)).await?;
    Ok(tx.run("DELETE FROM members WHERE studio_id = $1 AND person_id = $2", (studio_id, person_id)).await? == 1)
}
