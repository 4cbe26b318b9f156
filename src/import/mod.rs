//! Bringing a studio over from another program: members, passes and bookings from files of lines (CSV), one import a file.
//!
//! `rules` reads a file and plans what each line makes, without asking anybody; `run` does so, on one snapshot for a dry run or in the one
//! transaction that writes. An import is there whole or not at all, so a call that was lost is repeated; while it runs, `progress` tells
//! how far it is. What came over is remembered by what the other program called it: the same file twice makes nothing twice. Nobody is
//! written to: people are invited later, in one act and at a pace (`invite`).

pub mod api;
pub mod invite;
pub mod progress;
pub mod rules;
pub mod run;
pub mod store;
pub mod waiting;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;

/// The longest file, in bytes: 100,000 lines of some 300 bytes.
pub const BYTES_MAX: usize = 32 << 20;

/// The most lines of a file.
pub const LINES_MAX: usize = 100_000;

/// How long a file waits that an admin looks at before it is imported.
pub const FILE_KEPT: TimeDelta = TimeDelta::days(1);

/// The most files that wait in a deployment: each may be of the longest.
pub const FILES_MAX: i64 = 20;

/// How long the lines that were left out are kept.
pub const SKIPPED_KEPT: TimeDelta = TimeDelta::days(7);

/// What the lines of a file are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = ImportKind)]
pub enum Kind {
    /// People.
    Members,
    /// What they can book with.
    Passes,
    /// Where they went and will go: in sessions that are scheduled here.
    Bookings,
}

/// What becomes of the whole if some lines are not right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BadLines {
    /// Nothing is written.
    #[default]
    Refuse,
    /// They are left out, and can be downloaded with the reasons.
    Skip,
}

/// An import that was done.
#[derive(Clone, Debug, PartialEq, FromRow)]
#[allow(missing_docs, reason = "the columns are told in the migration")]
pub struct Import {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub kind: Kind,
    pub digest: Vec<u8>,
    pub by_person: Uuid,
    pub at: DateTime<Utc>,
    pub lines: i64,
    pub made: i64,
    pub known: i64,
    pub skipped: i64,
    pub invited_at: Option<DateTime<Utc>>,
    pub invited_per_hour: Option<i64>,
}
