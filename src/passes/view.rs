//! A pass as its owner reads it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Pass, PassKind, ValidFrom};
use crate::language::Language;

/// A pass: what it is called in the reader's language, what is left of it, and until when.
#[derive(Debug, Serialize, ToSchema)]
pub struct PassView {
    id: Uuid,
    studio_id: Uuid,
    /// Which studio sold it.
    pub studio: Seller,
    pub name: String,
    kind: PassKind,
    /// Null on a membership.
    pub credits_left: Option<i64>,
    /// A membership's visits a week; null is unlimited.
    pub per_week: Option<i64>,
    /// The first local date on which a session that it pays for may start; null: from the sale on.
    starts_on: Option<NaiveDate>,
    /// The last local date on which a session that it pays for may start. Of a pass that counts from the first class attended, until that:
    /// the last on which it can begin, 2199-12-31 if there is none.
    pub expires_on: NaiveDate,
    /// From when it counts.
    valid_from: ValidFrom,
    /// When the first class was attended with a pass that counts from that; null: it has not begun, or counts from the sale.
    begun_on: Option<NaiveDate>,
    pub state: State,
    /// Its latest freeze: on these days it pays for nothing, and by as many it is longer.
    freeze: Option<FreezeView>,
    /// For how many days more whoever holds it may freeze it.
    freeze_days_left: i64,
    /// Whether it may be transferred to another member or studio.
    transferable: bool,
    /// Whether whoever holds it lets their family pay with it.
    shared: bool,
    /// Whose it is, of the family that shares it with the reader, who pays with it and changes nothing about it; null: it is that of
    /// whoever is asked about.
    pub shared_by: Option<String>,
    /// What was left of it went to this pass.
    transferred_to: Option<Uuid>,
    /// For which class types; null: for all.
    class_type_ids: Option<Vec<Uuid>>,
    /// In which studios.
    studio_ids: Vec<Uuid>,
    #[serde(with = "crate::instant")]
    sold_at: DateTime<Utc>,
}

/// The studio that sold a pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PassSeller)]
pub struct Seller {
    /// The same as `studio_id`.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
}

/// The days on which a pass is frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PassFreeze)]
pub struct FreezeView {
    /// The first …
    from: NaiveDate,
    /// … and the last.
    until: NaiveDate,
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
    /// Today it pays for nothing; for other days it does.
    Frozen,
    /// It was refunded or transferred.
    Ended,
}

impl State {
    /// On that day of the studio's calendar.
    pub fn of(pass: &Pass, today: NaiveDate) -> Self {
        match pass.credits_left {
            _ if pass.ended_at.is_some() => Self::Ended,
            _ if pass.expires_on < today => Self::Expired,
            _ if pass.frozen().is_some_and(|(from, until)| from <= today && today <= until) => Self::Frozen,
            Some(0) => Self::UsedUp,
            _ => Self::Active,
        }
    }
}

impl PassView {
    /// The pass as this reader sees it on that day of the studio's calendar; `studio` is what the studio that sold it is called.
    pub fn of(pass: Pass, studio: String, shared_by: Option<String>, language: Language, today: NaiveDate) -> Self {
        let (state, freeze) = (State::of(&pass, today), pass.frozen().map(|(from, until)| FreezeView { from, until }));
        Self {
            id: pass.id,
            studio_id: pass.studio_id,
            studio: Seller { id: pass.studio_id, name: studio },
            name: pass.name.read(language).to_owned(),
            kind: pass.kind,
            credits_left: pass.credits_left,
            per_week: pass.per_week,
            starts_on: pass.starts_on,
            expires_on: pass.expires_on,
            valid_from: if pass.from_first().is_some() { ValidFrom::FirstAttended } else { ValidFrom::Sale },
            begun_on: pass.begun_on,
            state,
            freeze,
            freeze_days_left: (pass.freeze_days_max - pass.frozen_days).max(0),
            transferable: pass.transferable,
            shared: pass.shared_at.is_some(),
            shared_by,
            transferred_to: pass.moved_to,
            class_type_ids: pass.class_type_ids.map(|ids| ids.0),
            studio_ids: pass.studio_ids.0,
            sold_at: pass.sold_at,
        }
    }
}
