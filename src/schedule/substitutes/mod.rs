//! Substitutes: an instructor who cannot come asks, those who could stand in are told, and the first who claims the session teaches it.
//!
//! Instructors say for each studio what they teach and in which hours of the week they are available, with exceptions by date; `rules`
//! decide who could stand in. A [`SubstituteRequest`] is about one session. It is open until somebody claims it, then filled, or claimed
//! and waiting for an admin where the house rules say so. Twelve hours before the start one that is still open goes to the admins; at the
//! start it expires. The transactor decides all of it, so if two claim at once only one has it.

pub mod api;
pub mod commands;
pub mod follow;
pub mod rules;
pub mod store;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::number;
use crate::studios::house_rules::WallTime;

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = SubstituteState)]
pub enum RequestState {
    /// Nobody has claimed it.
    Open,
    /// Somebody has; an admin is to approve.
    Claimed,
    /// Somebody else teaches the session now.
    Filled,
    /// Whoever asked needs nobody any more, or the session changed without it.
    Withdrawn,
    /// The start came, and nobody.
    Expired,
}

/// A session that somebody else is to teach: the row.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns of the table, which the migration explains")]
pub struct SubstituteRequest {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub session_id: Uuid,
    pub asked_by: Uuid,
    pub note: Option<String>,
    pub state: RequestState,
    pub claimed_by: Option<Uuid>,
    pub claimed_at: Option<DateTime<Utc>>,
    pub due_at: Option<DateTime<Utc>>,
    pub told_admins_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

impl SubstituteRequest {
    pub fn end(&mut self, state: RequestState, now: DateTime<Utc>) {
        self.state = state;
        self.ended_at = Some(now);
        self.due_at = None;
        if state != RequestState::Filled {
            (self.claimed_by, self.claimed_at) = (None, None);
        }
    }

    /// Whether it waits for somebody.
    pub fn is_pending(&self) -> bool {
        matches!(self.state, RequestState::Open | RequestState::Claimed)
    }
}

/// Hours of every week, in the studio's wall time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AvailableHours)]
pub struct Hours {
    /// Monday is 1, Sunday 7.
    #[serde(deserialize_with = "number::whole")]
    #[schema(minimum = 1, maximum = 7)]
    pub weekday: i64,
    /// From …
    pub from: WallTime,
    /// … until; `00:00` is the end of the day.
    pub until: WallTime,
}

/// A date on which it is otherwise: available besides the weekly hours, or not although they say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AvailabilityException)]
pub struct Exception {
    /// The studio's date.
    pub date: NaiveDate,
    /// Whether the instructor is available then.
    pub available: bool,
    /// From; null: the beginning of the day.
    #[serde(default)]
    pub from: Option<WallTime>,
    /// Until; null: the end of the day.
    #[serde(default)]
    pub until: Option<WallTime>,
}

/// What an instructor of a studio teaches there, and when they could stand in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidate {
    pub person_id: Uuid,
    /// Which class types.
    pub teaches: Vec<Uuid>,
    /// In which hours of the week.
    pub weekly: Vec<Hours>,
    /// Dates that differ.
    pub exceptions: Vec<Exception>,
}

/// What an instructor states in a studio, as the export of their account tells it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "as they are called elsewhere")]
pub struct ExportedAvailability {
    pub studio_id: Uuid,
    pub teaches: Vec<Uuid>,
    pub weekly: Vec<Hours>,
    pub exceptions: Vec<Exception>,
}
