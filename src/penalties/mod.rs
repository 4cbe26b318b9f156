//! Penalties: what a late cancellation or an absence comes to besides what was paid. A fee to be collected at the desk, a strike, or
//! nothing, because it is forgiven.
//!
//! `rules` decides what is taken and what strikes mean; `standing` looks at a member as decisions need them; `waive` takes a penalty back,
//! `pay` notes that a fee was paid. Every late cancellation has a row, also one that cost nothing: so that it can be told and counted.

pub mod api;
pub mod pay;
pub mod rules;
pub mod standing;
pub mod store;
pub mod view;
pub mod waive;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::letters::facts::Money;
use crate::transition::TransitionRefused;

/// What a penalty is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum PenaltyKind {
    /// Cancelled after the free way out had closed.
    LateCancel,
    /// Did not come.
    NoShow,
}

/// Why nothing is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Forgiven {
    /// It is one of those that cost nothing each calendar month.
    Month,
    /// The session is on a day without penalties.
    Day,
}

/// A row of `penalties`.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
#[allow(missing_docs, reason = "the columns are told in the migration")]
pub struct Penalty {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub person_id: Uuid,
    pub booking_id: Uuid,
    pub kind: PenaltyKind,
    pub at: DateTime<Utc>,
    pub month: NaiveDate,
    pub strike: bool,
    pub fee_minor: Option<i64>,
    pub fee_currency: Option<String>,
    pub forgiven: Option<Forgiven>,
    pub waived_at: Option<DateTime<Utc>>,
    pub waived_by: Option<Uuid>,
    pub waived_reason: Option<String>,
    pub paid_at: Option<DateTime<Utc>>,
    pub paid_by: Option<Uuid>,
    pub paid_method: Option<String>,
    pub paid_reference: Option<String>,
}

impl Penalty {
    /// The fee, whether or not it still has to be paid.
    pub fn fee(&self) -> Option<Money> {
        self.fee_minor.zip(self.fee_currency.clone()).map(|(amount_minor, currency)| Money { amount_minor, currency })
    }

    /// Whether it was taken back.
    pub const fn is_waived(&self) -> bool {
        self.waived_at.is_some()
    }

    /// Whether a fee is still to be collected.
    pub const fn is_owed(&self) -> bool {
        self.fee_minor.is_some() && self.paid_at.is_none() && !self.is_waived()
    }

    /// It is taken back; without `by`, because the studio cancelled the session; without a reason by somebody, because the member had
    /// come after all.
    pub fn waive(&mut self, by: Option<Uuid>, reason: Option<String>, now: DateTime<Utc>) -> Result<(), TransitionRefused> {
        if self.is_waived() {
            return Err(TransitionRefused::new("a penalty", &"waived", "be waived"));
        }
        (self.waived_at, self.waived_by, self.waived_reason) = (Some(now), by, reason);
        Ok(())
    }

    /// The fee was collected.
    pub fn pay(&mut self, by: Uuid, method: String, reference: Option<String>, now: DateTime<Utc>) -> Result<(), TransitionRefused> {
        if !self.is_owed() {
            return Err(TransitionRefused::new("a penalty", &"not owed", "be paid"));
        }
        (self.paid_at, self.paid_by, self.paid_method, self.paid_reference) = (Some(now), Some(by), Some(method), reference);
        Ok(())
    }
}
