//! Families: a member books and cancels for somebody else, who has confirmed it, or who has no account and is answered for.
//!
//! The right goes one way, from the holder to the other, and ends at once when either takes the link away; what was booked stays. Who is asked
//! is known by the address alone until they confirm, so that nobody learns from a link who has an account.

pub mod api;
pub mod store;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;

/// What the other is to the holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = FamilyKind)]
#[allow(missing_docs, reason = "the words of the product")]
pub enum FamilyKind {
    Child,
    Parent,
    Partner,
    Other,
}

/// A link, as one of its two reads it.
#[derive(Clone, Debug, FromRow, Serialize, ToSchema)]
#[schema(as = FamilyLink)]
pub struct Link {
    pub id: Uuid,
    /// What the one for whom the other acts is to them.
    pub kind: FamilyKind,
    /// The other one; null while only an address was asked.
    pub person_id: Option<Uuid>,
    /// What they are called.
    pub name: Option<String>,
    /// The address that was asked, until it is confirmed.
    pub email: Option<String>,
    #[serde(with = "crate::instant")]
    pub made_at: DateTime<Utc>,
    /// Null: it gives no right yet.
    #[serde(with = "crate::instant")]
    pub confirmed_at: Option<DateTime<Utc>>,
    /// Whether who acts also gets the letters about what they booked for the other.
    pub copies: bool,
}
