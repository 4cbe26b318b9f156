//! The heart: a person's place in a session, or her place in its queue.
//!
//! `rules` decides (who may book, what a cancellation costs, who is next); the desk hands places out by these decisions and writes them;
//! `api` is what apps speak with; `view` is what they read. A booking is never deleted: it ends, and says why.

pub mod api;
pub mod rules;
pub mod store;
pub mod view;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::letters::facts::PassedOver;

/// Where a booking stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = BookingStatus)]
pub enum Status {
    /// A place is hers.
    Booked,
    /// She waits in the queue.
    Waitlisted,
    /// A place is kept for her until the offer ends.
    Offered,
    /// She stands at the door for a place that is not claimed.
    Standby,
    /// Ended without cost.
    Cancelled,
    /// Ended after the free way out had closed.
    LateCancelled,
    /// She came.
    Attended,
    /// She did not come.
    NoShow,
}

impl Status {
    /// Whether a place is taken by it.
    pub const fn takes_place(self) -> bool {
        matches!(self, Self::Booked | Self::Offered | Self::Attended | Self::NoShow)
    }

    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Waitlisted => "waitlisted",
            Self::Offered => "offered",
            Self::Standby => "standby",
            Self::Cancelled => "cancelled",
            Self::LateCancelled => "late_cancelled",
            Self::Attended => "attended",
            Self::NoShow => "no_show",
        }
    }

    /// Whether it has ended by a cancellation of any kind.
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Cancelled | Self::LateCancelled)
    }
}

/// Who or what ended a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum EndedBy {
    /// She herself.
    Member,
    /// Staff, for her.
    Staff,
    /// The studio cancelled the session.
    Studio,
    /// An offer ran out.
    OfferExpired,
    /// No way in was left.
    WaitlistClosed,
    /// Another booking of hers took its place.
    Replaced,
}

/// A row of `bookings`.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
#[allow(missing_docs, reason = "the columns are told in the migration")]
pub struct Booking {
    pub id: Uuid,
    pub session_id: Uuid,
    pub studio_id: Uuid,
    pub person_id: Uuid,
    pub status: Status,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub asked_by: Uuid,
    pub asked_pass_id: Option<Uuid>,
    pub asked_waitlist: bool,
    pub asked_unpaid: bool,
    pub pass_id: Option<Uuid>,
    pub credits: i64,
    pub visit_week: Option<NaiveDate>,
    pub free_cancel_until: Option<DateTime<Utc>>,
    pub queue_key: Option<i64>,
    pub passed_over: Option<PassedOver>,
    pub told_free_at: Option<DateTime<Utc>>,
    pub promoted_at: Option<DateTime<Utc>>,
    pub arrived_at: Option<DateTime<Utc>>,
    pub arrived_by: Option<Uuid>,
    pub ended_at: Option<DateTime<Utc>>,
    pub ended_by: Option<EndedBy>,
    pub ended_reason: Option<String>,
    pub credits_returned: i64,
    pub provisional: bool,
    pub sequence: i64,
    pub letters: i64,
    pub spot_id: Option<Uuid>,
    pub guest_of: Option<Uuid>,
}

impl Booking {
    /// Whether the session falls together with `[starts_at, ends_at)`.
    pub fn overlaps(&self, starts_at: DateTime<Utc>, ends_at: DateTime<Utc>) -> bool {
        self.starts_at < ends_at && starts_at < self.ends_at
    }
}
