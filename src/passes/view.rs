//! A pass as its owner reads it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Pass, PassKind};
use crate::language::Language;

/// A pass: what it is called in the reader's language, what is left of it, and until when.
#[derive(Debug, Serialize, ToSchema)]
pub struct PassView {
    id: Uuid,
    studio_id: Uuid,
    name: String,
    kind: PassKind,
    /// Null on a membership.
    credits_left: Option<i64>,
    /// A membership's visits a week; null is unlimited.
    per_week: Option<i64>,
    /// The last local date on which a session that it pays for may start.
    expires_on: NaiveDate,
    state: State,
    /// For which class types; null: for all.
    class_type_ids: Option<Vec<Uuid>>,
    /// In which studios.
    studio_ids: Vec<Uuid>,
    #[serde(with = "crate::instant")]
    sold_at: DateTime<Utc>,
}

/// Whether a pass can still pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PassState)]
pub enum State {
    /// It can pay.
    Active,
    /// No credit is left.
    UsedUp,
    /// Its last day is over.
    Expired,
}

impl PassView {
    /// The pass as this reader sees it on that day of the studio's calendar.
    pub fn of(pass: Pass, language: Language, today: NaiveDate) -> Self {
        let state = match pass.credits_left {
            _ if pass.expires_on < today => State::Expired,
            Some(0) => State::UsedUp,
            _ => State::Active,
        };
        Self {
            id: pass.id,
            studio_id: pass.studio_id,
            name: pass.name.read(language).to_owned(),
            kind: pass.kind,
            credits_left: pass.credits_left,
            per_week: pass.per_week,
            expires_on: pass.expires_on,
            state,
            class_type_ids: pass.class_type_ids.map(|ids| ids.0),
            studio_ids: pass.studio_ids.0,
            sold_at: pass.sold_at,
        }
    }
}
