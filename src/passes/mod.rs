//! Passes: what members book with, and the ledger that says where every credit went.
//!
//! A studio sells a pass of a [`PassType`]; the [`Pass`] carries what was promised then. A pack's balance is the sum of its ledger, kept on
//! the pass in the same transaction. The transactor sells and spends; here is what may pay (`rules`) and what members read.

pub mod api;
pub mod rules;
pub mod sell;
pub mod store;
pub mod view;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::language::Texts;

/// The two kinds of pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum PassKind {
    /// A number of credits.
    Pack,
    /// Unlimited, or a number of visits a week.
    Membership,
}

/// What a pass type promises to whoever buys it.
#[derive(Clone, Debug, PartialEq)]
pub struct PassTerms {
    /// What it is called, in each language.
    pub name: Texts,
    /// Pack or membership.
    pub kind: PassKind,
    /// A pack's credits.
    pub credits: Option<i64>,
    /// A membership's visits a week; `None` is unlimited.
    pub per_week: Option<i64>,
    /// How long it is valid after the day of the sale.
    pub valid_days: i64,
    /// `None`: all class types.
    pub class_type_ids: Option<Vec<Uuid>>,
    /// Where it is valid; `None`: where it is sold.
    pub studio_ids: Option<Vec<Uuid>>,
}

/// A row of `pass_types`.
#[derive(Clone, Debug, PartialEq, FromRow)]
#[allow(missing_docs, reason = "the columns of the table")]
pub struct PassType {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub name: Json<Texts>,
    pub kind: PassKind,
    pub credits: Option<i64>,
    pub per_week: Option<i64>,
    pub valid_days: i64,
    pub price_minor: Option<i64>,
    pub currency: Option<String>,
    pub class_type_ids: Option<Json<Vec<Uuid>>>,
    pub studio_ids: Option<Json<Vec<Uuid>>>,
    pub version: i64,
    pub rules_version: i64,
}

impl PassType {
    /// What it promises.
    pub fn terms(&self) -> PassTerms {
        PassTerms {
            name: self.name.0.clone(),
            kind: self.kind,
            credits: self.credits,
            per_week: self.per_week,
            valid_days: self.valid_days,
            class_type_ids: self.class_type_ids.as_ref().map(|ids| ids.0.clone()),
            studio_ids: self.studio_ids.as_ref().map(|ids| ids.0.clone()),
        }
    }
}

/// A row of `passes`.
#[derive(Clone, Debug, PartialEq, FromRow)]
#[allow(missing_docs, reason = "the columns of the table")]
pub struct Pass {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub person_id: Uuid,
    pub pass_type_id: Uuid,
    pub name: Json<Texts>,
    pub kind: PassKind,
    pub credits_left: Option<i64>,
    pub per_week: Option<i64>,
    pub expires_on: NaiveDate,
    pub class_type_ids: Option<Json<Vec<Uuid>>>,
    pub studio_ids: Json<Vec<Uuid>>,
    pub sold_at: DateTime<Utc>,
    pub sold_by: Option<Uuid>,
}

impl Pass {
    /// What it can pay with.
    pub fn state(&self) -> PassState {
        PassState {
            id: self.id,
            pass_type_id: self.pass_type_id,
            kind: self.kind,
            credits_left: self.credits_left,
            per_week: self.per_week,
            expires_on: self.expires_on,
            class_type_ids: self.class_type_ids.as_ref().map(|ids| ids.0.clone()),
            studio_ids: self.studio_ids.0.clone(),
        }
    }
}

/// A pass as far as paying goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassState {
    pub id: Uuid,
    /// As what it was sold: by it the rules may differ.
    pub pass_type_id: Uuid,
    /// Pack or membership.
    pub kind: PassKind,
    /// A pack's balance; `None` on a membership.
    pub credits_left: Option<i64>,
    /// A membership's visits a week; `None` is unlimited.
    pub per_week: Option<i64>,
    /// The last local date on which a session that it pays for may start.
    pub expires_on: NaiveDate,
    /// `None`: all class types.
    pub class_type_ids: Option<Vec<Uuid>>,
    /// Where it is valid.
    pub studio_ids: Vec<Uuid>,
}

/// Why a pass gained or lost credits or money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum LedgerReason {
    /// The pass was sold.
    Sold,
    /// A place was booked or accepted.
    Booked,
    /// The waitlist gave the member a place.
    Promoted,
    /// The member cancelled in time.
    Cancelled,
    /// The studio cancelled the session.
    SessionCancelled,
    /// Staff gave it back.
    ReturnedByStaff,
    /// The account was deleted.
    Removed,
}

/// A row of `ledger`: append-only.
#[derive(Clone, Debug, PartialEq, FromRow)]
#[allow(missing_docs, reason = "the columns of the table")]
pub struct LedgerEntry {
    pub id: Uuid,
    pub pass_id: Uuid,
    pub at: DateTime<Utc>,
    pub credits: i64,
    pub reason: LedgerReason,
    pub booking_id: Option<Uuid>,
    pub amount_minor: Option<i64>,
    pub currency: Option<String>,
    pub method: Option<String>,
    pub reference: Option<String>,
    pub by_person: Option<Uuid>,
}
