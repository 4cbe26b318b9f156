//! Passes: what members book with, and the ledger that says where every credit went.
//!
//! A studio sells a pass of a [`PassType`]; the [`Pass`] carries what was promised then. A pack's balance is the sum of its ledger, kept on
//! the pass in the same transaction. The transactor sells and spends; here is what may pay (`rules`) and what members read. What becomes of
//! a pass after its sale is a file each: it begins, is given credits, extended, frozen, transferred, refunded, and its end is told ahead.

pub mod api;
pub mod begin;
pub mod extend;
pub mod freeze;
pub mod give;
pub mod held;
pub mod notice;
pub mod refund;
pub mod rules;
pub mod sell;
pub mod share;
pub mod store;
pub mod transfer;
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

/// How long a pass is valid: the day from which it counts is not counted, the last day is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Length {
    /// So many days.
    Days(i64),
    /// So many months, which keep their day: from 31 January to 28 February, to 31 March.
    Months(i64),
}

impl Length {
    /// As it stands in two columns, of which one is filled.
    const fn of(days: Option<i64>, months: Option<i64>) -> Option<Self> {
        match (days, months) {
            (Some(days), _) => Some(Self::Days(days)),
            (None, Some(months)) => Some(Self::Months(months)),
            (None, None) => None,
        }
    }

    /// The two columns.
    pub const fn columns(self) -> (Option<i64>, Option<i64>) {
        match self {
            Self::Days(days) => (Some(days), None),
            Self::Months(months) => (None, Some(months)),
        }
    }
}

/// From when a pass counts its days or months.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ValidFrom {
    /// The day of the sale, or the first day that was named then.
    #[default]
    Sale,
    /// The first class attended with it.
    FirstAttended,
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
    /// How long it is valid …
    pub length: Length,
    /// … and from when.
    pub valid_from: ValidFrom,
    /// Within how many days a pass that counts from the first class must have begun; `None`: whenever.
    pub activate_within_days: Option<i64>,
    /// For how many days in all whoever holds it may freeze it.
    pub freeze_days_max: i64,
    /// Whether it may be transferred.
    pub transferable: bool,
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
    pub valid_days: Option<i64>,
    pub price_minor: Option<i64>,
    pub currency: Option<String>,
    pub class_type_ids: Option<Json<Vec<Uuid>>>,
    pub studio_ids: Option<Json<Vec<Uuid>>>,
    pub version: i64,
    pub rules_version: i64,
    pub valid_months: Option<i64>,
    pub valid_from: ValidFrom,
    pub activate_within_days: Option<i64>,
    pub new_members_only: bool,
    pub once_per_person: bool,
    pub followed_by: Option<Uuid>,
    pub freeze_days_max: i64,
    pub transferable: bool,
    pub on_sale: bool,
}

impl PassType {
    /// What it promises.
    pub fn terms(&self) -> PassTerms {
        PassTerms {
            name: self.name.0.clone(),
            kind: self.kind,
            credits: self.credits,
            per_week: self.per_week,
            length: Length::of(self.valid_days, self.valid_months).unwrap_or(Length::Days(0)),
            valid_from: self.valid_from,
            activate_within_days: self.activate_within_days,
            freeze_days_max: self.freeze_days_max,
            transferable: self.transferable,
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
    pub starts_on: Option<NaiveDate>,
    pub valid_days: Option<i64>,
    pub valid_months: Option<i64>,
    pub begin_by: Option<NaiveDate>,
    pub begun_on: Option<NaiveDate>,
    pub freeze_days_max: i64,
    pub transferable: bool,
    pub frozen_from: Option<NaiveDate>,
    pub frozen_until: Option<NaiveDate>,
    pub frozen_days: i64,
    pub extended_days: i64,
    pub ended_at: Option<DateTime<Utc>>,
    pub moved_to: Option<Uuid>,
    pub notice_at: Option<DateTime<Utc>>,
    pub shared_at: Option<DateTime<Utc>>,
}

/// A pass as it has just been sold.
#[derive(Clone, Debug, PartialEq)]
pub struct NewPass {
    /// What it is called, in each language.
    pub name: Texts,
    /// Pack or membership.
    pub kind: PassKind,
    /// A pack's balance.
    pub credits_left: Option<i64>,
    /// A membership's visits a week.
    pub per_week: Option<i64>,
    /// The first day on which it pays, if that was named.
    pub starts_on: Option<NaiveDate>,
    /// Its last day; until it has begun, the last on which it can begin.
    pub expires_on: NaiveDate,
    /// How long it is valid from the first class; `None`: it counts from the sale.
    pub from_first: Option<Length>,
    /// For how many days in all whoever holds it may freeze it.
    pub freeze_days_max: i64,
    /// Whether it may be transferred.
    pub transferable: bool,
    /// `None`: all class types.
    pub class_type_ids: Option<Vec<Uuid>>,
    /// Where it is valid.
    pub studio_ids: Vec<Uuid>,
}

/// Who bought what, where and when.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "columns of a pass")]
pub struct Sale {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub person_id: Uuid,
    pub pass_type_id: Uuid,
    pub at: DateTime<Utc>,
    pub by: Option<Uuid>,
}

/// What becomes of a pass. The dates come from `rules`.
impl Pass {
    /// A pass that was sold.
    pub fn sold(sale: Sale, new: NewPass) -> Self {
        let (valid_days, valid_months) = new.from_first.map_or((None, None), Length::columns);
        Self {
            id: sale.id,
            studio_id: sale.studio_id,
            person_id: sale.person_id,
            pass_type_id: sale.pass_type_id,
            name: Json(new.name),
            kind: new.kind,
            credits_left: new.credits_left,
            per_week: new.per_week,
            expires_on: new.expires_on,
            class_type_ids: new.class_type_ids.map(Json),
            studio_ids: Json(new.studio_ids),
            sold_at: sale.at,
            sold_by: sale.by,
            starts_on: new.starts_on,
            valid_days,
            valid_months,
            begin_by: new.from_first.map(|_| new.expires_on),
            begun_on: None,
            freeze_days_max: new.freeze_days_max,
            transferable: new.transferable,
            frozen_from: None,
            frozen_until: None,
            frozen_days: 0,
            extended_days: 0,
            ended_at: None,
            moved_to: None,
            notice_at: None,
            shared_at: None,
        }
    }

    /// How long it is valid from the first class attended; `None`: it counts from the sale.
    pub const fn from_first(&self) -> Option<Length> {
        Length::of(self.valid_days, self.valid_months)
    }

    /// Whether it still waits for the first class.
    pub const fn is_unbegun(&self) -> bool {
        self.from_first().is_some() && self.begun_on.is_none()
    }

    /// Whether it is valid in one of these studios.
    pub fn is_taken_at(&self, studio: impl Fn(Uuid) -> bool) -> bool {
        self.studio_ids.iter().any(|id| studio(*id))
    }

    /// The first and the last day of its latest freeze.
    pub fn frozen(&self) -> Option<(NaiveDate, NaiveDate)> {
        self.frozen_from.zip(self.frozen_until)
    }

    /// It begins with a class on that day, or, `None`, has not begun after all.
    pub const fn begin(&mut self, begun_on: Option<NaiveDate>, expires_on: NaiveDate) {
        self.begun_on = begun_on;
        self.expires_on = expires_on;
    }

    /// Its last day is another; until it has begun, that is the last on which it can begin.
    pub fn end_on(&mut self, expires_on: NaiveDate) {
        self.expires_on = expires_on;
        if self.is_unbegun() {
            self.begin_by = Some(expires_on);
        }
    }

    /// The studio gives days besides.
    pub fn extend(&mut self, expires_on: NaiveDate) {
        if !self.is_unbegun() {
            self.extended_days += (expires_on - self.expires_on).num_days().max(0);
        }
        self.end_on(expires_on);
    }

    /// It is frozen from one day to another, or no more; so many days in all.
    pub fn freeze(&mut self, frozen: Option<(NaiveDate, NaiveDate)>, frozen_days: i64, expires_on: NaiveDate) {
        (self.frozen_from, self.frozen_until) = frozen.unzip();
        self.frozen_days = frozen_days;
        self.end_on(expires_on);
    }

    /// Whoever holds it lets their family pay with it from now on, or no more.
    pub const fn share(&mut self, since: Option<DateTime<Utc>>) {
        self.shared_at = since;
    }

    /// Whether only the balance differs from what it was.
    pub fn differs_in_balance_alone(&self, before: &Self) -> bool {
        let rest = |pass: &Self| {
            let frozen = (pass.frozen_from, pass.frozen_until, pass.frozen_days);
            let ends = (pass.ended_at, pass.moved_to, pass.notice_at);
            (pass.expires_on, pass.begin_by, pass.begun_on, frozen, pass.extended_days, ends, pass.shared_at)
        };
        rest(self) == rest(before)
    }

    /// It pays for nothing any more: what was left of it is gone.
    pub const fn end(&mut self, moved_to: Option<Uuid>, now: DateTime<Utc>) {
        if self.credits_left.is_some() {
            self.credits_left = Some(0);
        }
        self.ended_at = Some(now);
        self.moved_to = moved_to;
        self.notice_at = None;
    }

    /// What it can pay with.
    pub fn state(&self) -> PassState {
        PassState {
            id: self.id,
            pass_type_id: self.pass_type_id,
            of_family: false,
            kind: self.kind,
            credits_left: self.credits_left,
            per_week: self.per_week,
            expires_on: self.expires_on,
            starts_on: self.starts_on,
            frozen: self.frozen(),
            ended: self.ended_at.is_some(),
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
    /// Somebody of the member's family holds it, and shares it.
    pub of_family: bool,
    /// Pack or membership.
    pub kind: PassKind,
    /// A pack's balance; `None` on a membership.
    pub credits_left: Option<i64>,
    /// A membership's visits a week; `None` is unlimited.
    pub per_week: Option<i64>,
    /// The last local date on which a session that it pays for may start.
    pub expires_on: NaiveDate,
    /// The first one; `None`: from the sale on.
    pub starts_on: Option<NaiveDate>,
    /// The days on which it pays for nothing, the first and the last.
    pub frozen: Option<(NaiveDate, NaiveDate)>,
    /// It was refunded or transferred.
    pub ended: bool,
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
    /// The studio gave credits, for a reason.
    Gift,
    /// The studio gave days, for a reason.
    Extended,
    /// It counts from the first class attended, and that came, or did not come after all.
    Begun,
    /// It pays for nothing for some days, by which it is longer.
    Frozen,
    /// That ended early.
    Unfrozen,
    /// What was left of it went to another pass, or came from one.
    Transferred,
    /// It was given back for money.
    Refunded,
    /// The member cancelled late, and it was forgiven.
    Forgiven,
    /// Staff took back what a late cancellation or an absence had cost.
    Waived,
    /// What the pass had left in another program.
    BroughtOver,
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
    /// Why, as staff wrote it.
    pub note: Option<String>,
}

impl LedgerEntry {
    /// What happened to a pass, without a booking and without money.
    pub const fn new(id: Uuid, pass_id: Uuid, reason: LedgerReason, by_person: Option<Uuid>, at: DateTime<Utc>) -> Self {
        Self {
            id,
            pass_id,
            at,
            credits: 0,
            reason,
            booking_id: None,
            amount_minor: None,
            currency: None,
            method: None,
            reference: None,
            by_person,
            note: None,
        }
    }
}
