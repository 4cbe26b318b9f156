//! Calendars: private, revocable addresses from which a phone's calendar reads a member's bookings, what an instructor teaches, or a
//! studio's published schedule (RFC 5545).
//!
//! A [`Feed`] is an address; whoever knows its secret reads it without signing in, so the secret is shown once and kept as a hash. What a
//! feed shows is read afresh each time (`store`) and put into words (`rules`). A booking is the same event as in its letters' calendar
//! parts: the same UID, the same instants in UTC, and never an older SEQUENCE.

pub mod api;
pub mod rules;
pub mod store;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::language::{Language, Texts};
use crate::studios::Zone;
use crate::{booking, schedule};

/// What a feed shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = CalendarKind)]
pub enum FeedKind {
    /// What a member booked, in all studios.
    Bookings,
    /// What an instructor teaches, in all studios.
    Teaching,
    /// A studio's published schedule.
    Studio,
}

/// A feed as its owner sees it: the secret is not here.
#[derive(Clone, Debug, FromRow, Serialize, ToSchema)]
#[schema(as = CalendarFeed)]
pub struct Feed {
    pub id: Uuid,
    /// What it shows.
    pub kind: FeedKind,
    /// Of which studio; null unless it shows a studio's schedule.
    pub studio_id: Option<Uuid>,
    /// When it was made.
    #[serde(with = "crate::instant")]
    pub created_at: DateTime<Utc>,
    /// When a calendar last read it, to the hour; null: never.
    #[serde(with = "crate::instant")]
    pub last_read_at: Option<DateTime<Utc>>,
}

/// A feed found by its secret, with what is needed to write in its owner's language.
#[derive(Clone, Debug, FromRow)]
pub struct Subscribed {
    #[sqlx(flatten)]
    pub feed: Feed,
    /// Whose it is.
    pub person_id: Uuid,
    /// The person's language, if they chose one.
    pub locale: Option<Language>,
    /// The studio whose schedule it shows.
    pub studio_name: Option<String>,
    pub studio_locale: Option<Language>,
    pub studio_zone: Option<Zone>,
}

/// A class as any feed shows it.
#[derive(Clone, Debug, FromRow)]
pub struct Class {
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    /// When the booking or the session was made.
    pub created_at: DateTime<Utc>,
    /// When it was cancelled.
    pub ended_at: Option<DateTime<Utc>>,
    /// When the event log last recorded a change to it.
    pub changed_at: Option<DateTime<Utc>>,
    pub class_name: Json<Texts>,
    pub room_name: String,
    pub instructor_name: String,
    pub studio_name: String,
    pub studio_address: Option<String>,
    pub time_zone: Zone,
    /// The language for readers who chose none.
    pub studio_locale: Language,
}

/// One of the member's bookings.
#[derive(Clone, Debug, FromRow)]
pub struct Booked {
    pub id: Uuid,
    pub status: booking::BookingStatus,
    /// The SEQUENCE that its next letter will have.
    pub sequence: i64,
    #[sqlx(flatten)]
    pub class: Class,
}

/// A session of a studio or of an instructor.
#[derive(Clone, Debug, FromRow)]
pub struct Given {
    pub id: Uuid,
    pub status: schedule::SessionStatus,
    /// Its SEQUENCE.
    pub sequence: i64,
    #[sqlx(flatten)]
    pub class: Class,
}
