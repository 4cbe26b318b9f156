//! Holds: places of a session that are kept back for guests, brands, partners or staff, or because something is broken.
//!
//! `sessions.held` is the sum of the holds that run: the working set keeps it with them. A hold is set and changed by staff (`set`), ends
//! (`end`) by their hand, by the clock or with its session, and whatever it gives back goes to those who wait.

pub mod api;
pub mod end;
pub mod rules;
pub mod set;
pub mod store;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::transition::TransitionRefused;

/// The most holds that a session has, those that have ended among them.
pub const HOLDS_MAX: usize = 200;

/// For whom, or why, places are kept back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum HoldKind {
    /// For guests of the studio.
    Guest,
    /// For people whom a brand brings.
    Brand,
    /// For a partner who sells places of its own.
    Partner,
    /// For the team.
    Staff,
    /// Nobody can stand there: a barre or a machine is broken.
    Broken,
}

/// How a hold ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum HoldOutcome {
    /// Staff gave the places back.
    Released,
    /// Its time was over.
    Expired,
    /// The studio cancelled the session.
    SessionCancelled,
}

/// What a hold is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct Terms {
    pub kind: HoldKind,
    pub places: i64,
    pub until: Option<DateTime<Utc>>,
    pub note: Option<String>,
}

/// A row of `holds`.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
#[allow(missing_docs, reason = "the columns are told in the migration")]
pub struct Hold {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub session_id: Uuid,
    pub kind: HoldKind,
    pub places: i64,
    pub until: Option<DateTime<Utc>>,
    pub note: Option<String>,
    pub made_at: DateTime<Utc>,
    pub made_by: Uuid,
    pub ended_at: Option<DateTime<Utc>>,
    pub ended_by: Option<Uuid>,
    pub outcome: Option<HoldOutcome>,
}

impl Hold {
    /// Whether it has not ended.
    pub const fn is_running(&self) -> bool {
        self.outcome.is_none()
    }

    /// How many places it keeps back now.
    pub const fn keeps(&self) -> i64 {
        if self.is_running() { self.places } else { 0 }
    }

    /// What it is, as it was set.
    pub fn terms(&self) -> Terms {
        Terms { kind: self.kind, places: self.places, until: self.until, note: self.note.clone() }
    }

    /// It is something else from now on.
    pub fn change(&mut self, terms: Terms) -> Result<(), TransitionRefused> {
        self.must_run("be changed")?;
        (self.kind, self.places, self.until, self.note) = (terms.kind, terms.places, terms.until, terms.note);
        Ok(())
    }

    /// It ends.
    pub fn end(&mut self, outcome: HoldOutcome, by: Option<Uuid>, now: DateTime<Utc>) -> Result<(), TransitionRefused> {
        self.must_run("end")?;
        (self.outcome, self.ended_at, self.ended_by) = (Some(outcome), Some(now), by);
        Ok(())
    }

    fn must_run(&self, step: &'static str) -> Result<(), TransitionRefused> {
        if self.is_running() { Ok(()) } else { Err(TransitionRefused::new("a hold", &self.outcome, step)) }
    }
}
