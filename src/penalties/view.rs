//! Penalties, and where a member stands by them, as the API shows them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::rules::{self, Leniency, Suspension, lapses_at, month_of};
use super::{Forgiven, Penalty, PenaltyKind};
use crate::language::Language;
use crate::letters::facts::Money;
use crate::letters::phrases::{day_and_time, standing_text, suspended_text};
use crate::studios::StudioContext;
use crate::zones::local_date;

/// A fee in minor units of a currency.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct Fee {
    pub amount_minor: i64,
    pub currency: String,
}

impl From<Money> for Fee {
    fn from(money: Money) -> Self {
        Self { amount_minor: money.amount_minor, currency: money.currency }
    }
}

/// What a late cancellation or an absence came to besides the credit or the visit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Penalty)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct PenaltyView {
    pub id: Uuid,
    pub booking_id: Uuid,
    pub kind: PenaltyKind,
    #[serde(with = "crate::instant")]
    pub at: DateTime<Utc>,
    pub strike: bool,
    pub fee: Option<Fee>,
    /// Why nothing was taken: `month`, one of those that are forgiven each calendar month; `day`, a day without penalties.
    pub forgiven: Option<Forgiven>,
    /// When it was taken back: nothing of it counts any more, and a fee that was paid is returned at the desk.
    #[serde(with = "crate::instant")]
    pub waived_at: Option<DateTime<Utc>>,
    /// Why, as the studio wrote it.
    pub waived_reason: Option<String>,
    /// When the fee was paid.
    #[serde(with = "crate::instant")]
    pub paid_at: Option<DateTime<Utc>>,
    pub paid_method: Option<String>,
    pub paid_reference: Option<String>,
}

impl From<&Penalty> for PenaltyView {
    fn from(penalty: &Penalty) -> Self {
        Self {
            id: penalty.id,
            booking_id: penalty.booking_id,
            kind: penalty.kind,
            at: penalty.at,
            strike: penalty.strike,
            fee: penalty.fee().map(Fee::from),
            forgiven: penalty.forgiven,
            waived_at: penalty.waived_at,
            waived_reason: penalty.waived_reason.clone(),
            paid_at: penalty.paid_at,
            paid_method: penalty.paid_method.clone(),
            paid_reference: penalty.paid_reference.clone(),
        }
    }
}

/// A strike that counts now.
#[derive(Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct Strike {
    pub penalty_id: Uuid,
    pub booking_id: Uuid,
    pub kind: PenaltyKind,
    #[serde(with = "crate::instant")]
    pub at: DateTime<Utc>,
    /// From then on it counts no more.
    #[serde(with = "crate::instant")]
    pub lapses_at: DateTime<Utc>,
}

/// What strikes mean now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Suspension)]
pub struct SuspensionView {
    /// From then on everything may be booked again.
    #[serde(with = "crate::instant")]
    pub until: DateTime<Utc>,
    /// Until then only sessions that start within so many hours; 0: none.
    pub only_within_hours: i64,
}

/// Where a member stands in a studio.
#[derive(Debug, Serialize, ToSchema)]
pub struct Standing {
    studio_id: Uuid,
    /// The strikes that count now, the latest first.
    pub strikes: Vec<Strike>,
    /// How many have a consequence; null: none has, and none is counted.
    pub strikes_max: Option<i64>,
    /// What they mean now; null: everything may be booked.
    pub suspended: Option<SuspensionView>,
    /// The same as a sentence.
    text: String,
    /// How many late cancellations of this calendar month would still cost nothing.
    late_cancels_forgiven_left: i64,
    /// Fees that are still to be paid at the desk, the latest first.
    pub fees_open: Vec<PenaltyView>,
    /// Every late cancellation and absence, also those that were forgiven or taken back, the latest first, at most 200.
    penalties: Vec<PenaltyView>,
}

impl Standing {
    /// Where the member of these penalties, the latest first, stands in this studio now.
    pub fn of(studio: &StudioContext, own: &[Penalty], language: Language, now: DateTime<Utc>) -> Self {
        let here: Vec<&Penalty> = own.iter().filter(|penalty| penalty.studio_id == studio.id).collect();
        let (rules, zone) = (&studio.rules, studio.zone);
        let counts = |penalty: &&&Penalty| penalty.strike && !penalty.is_waived() && now < lapses_at(penalty.at, rules, zone);
        let strike = |penalty: &&Penalty| Strike {
            penalty_id: penalty.id,
            booking_id: penalty.booking_id,
            kind: penalty.kind,
            at: penalty.at,
            lapses_at: lapses_at(penalty.at, rules, zone),
        };
        let strikes: Vec<Strike> = here.iter().filter(counts).map(strike).collect();
        let suspended = rules::suspension(&rules::strikes(own, studio.id), rules, zone, now);
        let text = match suspended {
            Some(Suspension { until, only_within_hours }) => {
                suspended_text(&day_and_time(until, zone, language), only_within_hours, language)
            }
            None => standing_text(strikes.len(), rules.strikes_max, language),
        };
        let month = month_of(now, zone);
        let leniency = Leniency::of(own, studio.id, rules, local_date(now, zone), month);
        Self {
            studio_id: studio.id,
            strikes,
            strikes_max: rules.strikes_max,
            suspended: suspended.map(|Suspension { until, only_within_hours }| SuspensionView { until, only_within_hours }),
            text,
            late_cancels_forgiven_left: (rules.late_cancels_forgiven - leniency.forgiven).max(0),
            fees_open: here.iter().filter(|penalty| penalty.is_owed()).map(|penalty| PenaltyView::from(*penalty)).collect(),
            penalties: here.iter().map(|penalty| PenaltyView::from(*penalty)).collect(),
        }
    }
}
