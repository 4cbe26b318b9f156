//! Attendance: who is in a session and who came.
//!
//! The roster is read (`api`) and marked by staff, one member (`check_in`) or the whole class at once (`mark_roster`); somebody without a
//! booking walks in (`walk_in`). At the door members show the code of their booking (`code`): a kiosk or a member of staff hands it in,
//! at once or when there is a network again (`check_in_by_code`), and `api/door` gives a device what it needs meanwhile. However often and
//! wherever a code is shown, it is one arrival. What follows a class for those whom nobody has marked is `follow_up`, and what follows from
//! a mark after it `correct`; unclaimed places are given away at the `door`.

pub mod api;
pub mod check_in;
pub mod check_in_by_code;
pub mod code;
pub mod correct;
pub mod door;
pub mod follow_up;
pub mod kiosk;
pub mod mark_roster;
pub mod rules;
pub mod store;
pub mod upkeep;
pub mod walk_in;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;

/// A row of `check_ins`: a code that was shown and counted.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
#[allow(missing_docs, reason = "the columns are told in the migration")]
pub struct CheckIn {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub booking_id: Uuid,
    pub by_person: Option<Uuid>,
    pub by_kiosk: Option<Uuid>,
    pub decided_at: DateTime<Utc>,
    pub arrived_at: DateTime<Utc>,
    pub first_visit: bool,
    pub already: bool,
}

/// A device at a studio's door. Its token is not here.
#[derive(Clone, Debug, FromRow, Serialize, ToSchema)]
#[schema(as = Kiosk)]
pub struct KioskRow {
    pub id: Uuid,
    /// Where it stands, in the studio's words.
    pub name: String,
    #[serde(with = "crate::instant")]
    pub added_at: DateTime<Utc>,
    /// When it last asked for something, to a few minutes; null: never.
    #[serde(with = "crate::instant")]
    pub last_seen_at: Option<DateTime<Utc>>,
}
