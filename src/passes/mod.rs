//! Passes: what members book with, and the ledger that says where every credit went.

pub mod rules;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::language::Texts;

/// The two kinds of pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Kind {
    /// So many credits.
    Pack,
    /// Unlimited, or so many visits a week.
    Membership,
}

/// What a pass type promises to whoever buys it.
#[derive(Clone, Debug, PartialEq)]
pub struct PassTerms {
    /// What it is called, in each language.
    pub name: Texts,
    /// Pack or membership.
    pub kind: Kind,
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
