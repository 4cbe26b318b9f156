//! Class types and sessions: what is on, where, with whom, and how many places are left.
//!
//! A [`Session`] is a row as the desk keeps it: its counts (`taken`, `held`, `waiting`) are exact in every transaction of the desk, its
//! instants were set by [`rules::instants`] when it was scheduled or when the house rules changed. [`Names`] is what stands around it for
//! a reader. Both together make a [`SessionView`], the one shape in which the API shows a session, alone, in the schedule or in a booking.
//! Making, changing and cancelling a session is the desk's; class types are edited here.

pub mod api;
mod cache;
pub mod rules;
pub mod scheduling;
pub mod store;
mod view;

use std::ops::{Deref, DerefMut};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::language::Texts;
use crate::letters::facts::CancelReason;
use crate::studios::Zone;

pub use cache::ScheduleCache;
pub use view::{Me, SessionView, is_open, places_left, status, waitlist_open};

/// The longest session: what falls into a time began at most so long before it.
pub const SESSION_HOURS_MAX: i64 = 24;

/// Where a session stands. `Ended` is never stored: a scheduled session has ended when its end has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = SessionStatus)]
pub enum Status {
    /// Only staff see it.
    Draft,
    /// It takes place.
    Scheduled,
    /// The studio cancelled it.
    Cancelled,
    /// It took place.
    Ended,
}

/// What changed about a session since members could book it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Changed {
    /// When it is.
    Time,
    /// Where it is.
    Room,
    /// Who teaches it.
    Instructor,
}

/// One scheduled class: the row.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns of the table, which the migration explains")]
pub struct Session {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub class_type_id: Uuid,
    pub room_id: Uuid,
    pub instructor_id: Uuid,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub local_date: NaiveDate,
    pub local_minute: i64,
    pub local_weekday: i64,
    pub capacity: i64,
    pub taken: i64,
    pub held: i64,
    pub waiting: i64,
    pub next_queue_key: i64,
    pub credits: i64,
    pub status: Status,
    pub booking_opens_at: DateTime<Utc>,
    pub booking_closes_at: DateTime<Utc>,
    pub free_cancel_until: DateTime<Utc>,
    pub promote_until: DateTime<Utc>,
    pub waiting_ends_at: DateTime<Utc>,
    pub waitlist_cap: Option<i64>,
    pub changed: Json<Vec<Changed>>,
    pub cancelled_at: Option<DateTime<Utc>>,
    pub cancel_reason: Option<CancelReason>,
    pub cancel_note: Option<String>,
    pub sequence: i64,
    pub version: i64,
    pub created_at: DateTime<Utc>,
}

/// What stands around a session for whoever reads it.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Names {
    /// What the class is called, in each language.
    pub class_name: Json<Texts>,
    /// For whom it is.
    pub class_level: String,
    /// How long it usually is.
    pub class_minutes: i64,
    /// Where.
    pub room_name: String,
    /// With whom.
    pub instructor_name: String,
    /// By which clock.
    pub time_zone: Zone,
}

/// A session with what stands around it.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Shown {
    /// The row.
    #[sqlx(flatten)]
    pub session: Session,
    /// What stands around it.
    #[sqlx(flatten)]
    pub names: Names,
}

impl Deref for Shown {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl DerefMut for Shown {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.session
    }
}

impl Session {
    /// Whether the studio has cancelled it.
    pub fn is_cancelled(&self) -> bool {
        self.status == Status::Cancelled
    }

    /// Whether only staff see it.
    pub fn is_draft(&self) -> bool {
        self.status == Status::Draft
    }
}

/// A kind of class that the studio gives.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns of the table")]
pub struct ClassType {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub name: Json<Texts>,
    pub description: Option<Json<Texts>>,
    pub level: String,
    pub minutes: i64,
    pub credits: i64,
    pub version: i64,
}
