//! Reports: what a studio's admins read of what its classes, passes and letters came to, by the studio's local dates, as JSON or as CSV.
//!
//! Every report begins with one row for each session ([`SessionCounts`]) or with raw rows of passes, letters and visits, and is summed up in
//! `rules`, so that reports agree where they count the same. `answer` is the one way to write a report, `words` says in each language what
//! it counts. Of all that is counted here only refusals for want of a place are not known anyway: they are [`TurnAway`]s.

pub mod answer;
pub mod attendance;
pub mod credits;
pub mod demand;
pub mod letters;
pub mod monday;
pub mod pay;
pub mod retention;
pub mod rules;
pub mod store;
pub mod words;

use std::ops::AddAssign;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::language::Texts;

/// Bookings by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema, sqlx::FromRow)]
#[schema(as = AttendanceCounts)]
pub struct Counts {
    /// Places that are or were taken: booked, attended and missed.
    pub booked: i64,
    /// Who came.
    pub attended: i64,
    /// Of these, those in whose session nobody was marked, so that it counts as attended.
    pub unrecorded: i64,
    /// Who cancelled after the free way out had closed.
    pub late_cancelled: i64,
    /// Who gave a place back in time, or lost it with the session.
    pub cancelled: i64,
    /// Who did not come.
    pub no_show: i64,
    /// Who waits, or waited and got no place.
    pub waitlisted: i64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.booked += other.booked;
        self.attended += other.attended;
        self.unrecorded += other.unrecorded;
        self.late_cancelled += other.late_cancelled;
        self.cancelled += other.cancelled;
        self.no_show += other.no_show;
        self.waitlisted += other.waitlisted;
    }
}

/// One session and what became of its bookings.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "columns of a session")]
pub struct SessionCounts {
    pub session_id: Uuid,
    pub local_date: NaiveDate,
    pub local_weekday: i64,
    pub local_minute: i64,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub capacity: i64,
    pub cancelled_session: bool,
    pub class_type_id: Uuid,
    pub class_name: Json<Texts>,
    pub room_id: Uuid,
    pub room_name: String,
    pub instructor_id: Uuid,
    pub instructor_name: String,
    /// Places of which nobody has said whether their members came.
    pub unmarked: i64,
    #[sqlx(flatten)]
    pub counts: Counts,
}

/// By which way a booking was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = BookingSource)]
pub enum Source {
    /// By the member.
    App,
    /// By somebody who acts for them in their family.
    Family,
    /// By staff.
    Desk,
    /// By staff, for somebody at the door of a full session.
    Door,
    /// By a member, for a guest.
    Guest,
    /// By staff, for somebody without an account whom a partner sent.
    Visitor,
}

/// Somebody wanted a place on a day of the studio's calendar, and none was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "columns of the table")]
pub struct TurnAway {
    pub session_id: Uuid,
    pub person_id: Uuid,
    pub on_date: NaiveDate,
}

/// What became of a member's wish to be in a session.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct Hope {
    pub session_id: Uuid,
    pub person_id: Uuid,
    pub created_at: DateTime<Utc>,
    /// When a place was given or offered to them from the waitlist.
    pub promoted_at: Option<DateTime<Utc>>,
    /// They were on the waitlist.
    pub waited: bool,
    /// They wait still, or until nothing was left to wait for.
    pub in_vain: bool,
    /// They had a place, whatever became of it.
    pub had_place: bool,
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema, sqlx::FromRow)]
#[schema(as = ReportAmount)]
pub struct Amount {
    /// In minor units of the currency.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
}

/// Visitors without an account, by who sent them.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, Serialize, ToSchema)]
pub struct VisitorsBySource {
    /// As the front desk wrote it.
    pub source: String,
    /// Places that are or were taken: booked, attended and missed.
    pub booked: i64,
    pub attended: i64,
    pub no_show: i64,
}
