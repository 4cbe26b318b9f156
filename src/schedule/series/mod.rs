//! Series: a rule of RFC 5545 in the studio's wall time that produces sessions, weeks ahead, for as long as it runs.
//!
//! The rule gives dates; a [`Part`] says what holds from a date on (where, with whom, at what time), so "this and following" is one more
//! part, not a second series. A session made by a series keeps the date that the rule gave (`series_date`), whatever day it is held on, and
//! follows the parts in everything that nobody changed by hand. A date for which no session could be made leaves a [`Gap`] that says why.
//! The transactor makes, edits and ends; a sweep makes what falls due.

pub mod ahead;
pub mod api;
pub mod edit;
pub mod end;
pub mod make;
pub mod rules;
pub mod scope;
pub mod store;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

/// A recurrence: the row.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns of the table, which the migration explains")]
pub struct Series {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub rule: String,
    pub starts_on: NaiveDate,
    pub until_on: Option<NaiveDate>,
    pub count_max: Option<i64>,
    pub except_dates: Json<Vec<NaiveDate>>,
    pub draft: bool,
    pub next_date: Option<NaiveDate>,
    pub make_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub created_by: Option<Uuid>,
    pub created_at: DateTime<Utc>,
}

/// What holds from a date of the series on, until the next part begins.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns of the table, which the migration explains")]
pub struct Part {
    pub series_id: Uuid,
    pub from_date: NaiveDate,
    pub class_type_id: Uuid,
    pub room_id: Uuid,
    pub instructor_id: Uuid,
    pub capacity: Option<i64>,
    pub local_minute: i64,
    pub shift_days: i64,
}

/// Why a date of a series has no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum GapReason {
    /// Its instructor is in another session at that time, or, where none is named, teaches here no more.
    InstructorBusy,
    /// So is its room.
    RoomBusy,
    /// The studio is closed on that day.
    Closed,
    /// It would have begun before it was made.
    Past,
    /// Its instructor teaches here no longer.
    NoInstructor,
}

/// A date for which no session could be made.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns of the table")]
pub struct Gap {
    pub series_id: Uuid,
    pub series_date: NaiveDate,
    pub reason: GapReason,
    pub other_session_id: Option<Uuid>,
}

/// A series with everything that belongs to it, as the transactor decides on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub series: Series,
    /// Its parts by the date they begin with; never empty.
    pub parts: BTreeMap<NaiveDate, Part>,
    /// Dates without a session.
    pub gaps: BTreeMap<NaiveDate, Gap>,
}

/// What of a session somebody changed by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ByHand {
    /// When it is.
    Time,
    /// Where it is.
    Room,
    /// Who teaches it.
    Instructor,
    /// What it is.
    ClassType,
    /// How many it takes.
    Capacity,
}
