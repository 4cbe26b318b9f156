//! A booking as the API shows it: costs and deadlines are exact; the sentences are made when it is read, in the reader's language.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::conditions::Conditions;
use super::offer::Offer;
use super::rules::{self, Cancellation};
use super::{Booking, BookingStatus, EndedBy};
use crate::attendance::code;
use crate::language::Language;
use crate::letters::facts::{Penalized, Terms};
use crate::letters::phrases::{CancelNow as Sentence, cancel_now_text, free_cancel_text};
use crate::penalties::Penalty;
use crate::penalties::rules::{Cost, Leniency, PenaltyTerms};
use crate::penalties::view::{Fee, PenaltyView};
use crate::schedule::{Me, Session, SessionView};
use crate::sign_in::keys::Keys;

/// A booking as its owner and staff read it.
#[derive(Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct BookingView<'a> {
    pub id: Uuid,
    pub session_id: Uuid,
    pub person_id: Uuid,
    pub status: BookingStatus,
    /// 1 is the next to move up; null when the member does not wait.
    pub waitlist_position: Option<i64>,
    pub pass_id: Option<Uuid>,
    /// Credits taken from a pack, now.
    pub credits: i64,
    pub credits_returned: i64,
    pub spot: Option<Uuid>,
    /// A timed invitation to take a place.
    pub offer: Option<OfferView>,
    #[serde(with = "crate::instant")]
    pub created_at: DateTime<Utc>,
    /// Null: there is no free way out.
    #[serde(with = "crate::instant")]
    pub free_cancel_until: Option<DateTime<Utc>>,
    /// As what it costs then is fixed with the booking, and whether that would be forgiven as things stand.
    pub free_cancel_text: Option<String>,
    /// What a cancellation at this instant would do; null when it cannot be cancelled.
    pub cancel_now: Option<CancelNow>,
    /// What a late cancellation or an absence came to besides the credit or the visit, also if it was forgiven; null: it is neither.
    pub penalty: Option<PenaltyView>,
    #[serde(with = "crate::instant")]
    pub ended_at: Option<DateTime<Utc>>,
    pub ended_by: Option<EndedBy>,
    #[serde(with = "crate::instant")]
    pub arrived_at: Option<DateTime<Utc>>,
    /// For now the member is taken to be absent: they were not marked as having come, and that is not final.
    pub provisional: bool,
    /// The place was given to somebody at the door, since the member had not come.
    pub released: bool,
    /// Nobody was marked in the session, so it counts as attended.
    pub unrecorded: bool,
    /// The booking that it was to take over from.
    pub replaces: Option<Uuid>,
    /// The booking that took over from it.
    pub replaced_by: Option<Uuid>,
    /// On what terms the member is moved in from the queue; null: on none.
    pub conditions: Option<ConditionsView>,
    /// Who comes in this place, if it is not the member's own; the member's booking is `guest_of`.
    pub guest: Option<GuestView>,
    /// The booking beside which it stands, if it is a guest's.
    pub guest_of: Option<Uuid>,
    /// What the member shows at the door, as a QR code: it needs no network and stays the same.
    pub check_in_code: String,
    /// Who comes in this place, if it is that of somebody without an account.
    pub visitor: Option<VisitorView>,
    pub session: SessionView<'a>,
}

/// A guest, as the member who brings them wrote them down.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Guest)]
pub struct GuestView {
    /// Null once it is forgotten.
    pub name: Option<String>,
    /// Where the guest's own letters go.
    pub email: Option<String>,
}

/// Who comes by a partner and has no account, as the front desk wrote them down.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Visitor)]
pub struct VisitorView {
    /// Null once it is forgotten.
    pub name: Option<String>,
    /// Where the desk reaches them.
    pub phone: Option<String>,
    /// Who sent them.
    pub source: String,
}

impl VisitorView {
    /// The visitor whose place this is, if it is one's.
    pub fn of(name: Option<&String>, phone: Option<&String>, source: Option<&String>) -> Option<Self> {
        Some(Self { source: source?.clone(), name: name.cloned(), phone: phone.cloned() })
    }
}

/// On what terms a waiting member wants to be moved in or offered a place. Their own taps are not bound by them.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = WaitingConditions)]
pub struct ConditionsView {
    /// Not later than so many minutes before the start.
    pub notice_minutes_min: Option<i64>,
    /// Not after this instant.
    #[serde(serialize_with = "crate::instant::serialize")]
    pub not_after: Option<DateTime<Utc>>,
    /// Not if they have another place in the studio on that local day.
    pub one_a_day: bool,
    /// Only together with this booking, if it waits for the same session and names this one.
    pub with: Option<Uuid>,
}

impl ConditionsView {
    const fn of(conditions: &Conditions) -> Self {
        let Conditions { notice_minutes_min, not_after, one_a_day, with } = *conditions;
        Self { notice_minutes_min, not_after, one_a_day, with }
    }
}

/// A timed invitation to take a place, which is kept meanwhile. It may be accepted at once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Offer)]
pub struct OfferView {
    /// From then on it is too late.
    #[serde(with = "crate::instant")]
    pub expires_at: DateTime<Utc>,
    /// Its time counts from then: when it was made, or when quiet hours end.
    #[serde(with = "crate::instant")]
    pub clock_starts_at: DateTime<Utc>,
    /// Until when the place, once accepted, can be cancelled for free; null: not at all.
    #[serde(with = "crate::instant")]
    pub free_cancel_until: Option<DateTime<Utc>>,
}

/// What a cancellation at this instant would do.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct CancelNow {
    /// Nothing would be taken.
    pub free: bool,
    pub credits_lost: i64,
    /// To be paid at the desk.
    pub fee: Option<Fee>,
    /// Whether it would count as a strike.
    pub strike: bool,
    /// It is late, and nothing would be taken all the same.
    pub forgiven: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What is known around a booking.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'a> {
    /// The offer that runs for it.
    pub offer: Option<&'a Offer>,
    /// Its position in the queue.
    pub position: Option<i64>,
    /// What speaks for the member, if they cancel it late, now or later.
    pub leniency: Leniency,
    /// What came of cancelling it late, or of not coming.
    pub penalty: Option<&'a Penalty>,
}

impl<'a> BookingView<'a> {
    /// The booking as this reader sees it now, in their language or the studio's.
    pub fn of(
        booking: &Booking,
        session: &'a Session,
        around: Around<'_>,
        keys: &Keys,
        language: Option<Language>,
        now: DateTime<Utc>,
    ) -> Self {
        let Around { offer, position, leniency, penalty } = around;
        let language = language.unwrap_or(session.names.studio_locale);
        let zone = session.names.time_zone.tz();
        let live = !booking.status.has_ended();
        // A session's `me` is the member's own place.
        let me = (live && !booking.is_guests()).then(|| Me {
            booking_id: booking.id,
            status: booking.status.as_str().into(),
            waitlist_position: position,
        });
        Self {
            id: booking.id,
            session_id: booking.session_id,
            person_id: booking.person_id,
            status: booking.status,
            waitlist_position: position,
            pass_id: booking.pass_id,
            credits: booking.credits,
            credits_returned: booking.credits_returned,
            spot: booking.spot_id,
            offer: offer.filter(|offer| offer.is_running()).map(|offer| OfferView {
                expires_at: offer.expires_at,
                clock_starts_at: offer.clock_starts_at,
                free_cancel_until: Some(session.free_cancel_until).filter(|until| now < *until),
            }),
            created_at: booking.created_at,
            free_cancel_until: booking.free_cancel_until,
            free_cancel_text: free_text(booking, leniency, zone, language, now),
            cancel_now: cancel_now(booking, leniency, language, now),
            penalty: penalty.map(PenaltyView::from),
            ended_at: booking.ended_at,
            ended_by: booking.ended_by,
            arrived_at: booking.arrived_at,
            provisional: booking.is_absent_for_now(session, now),
            released: booking.released_at.is_some(),
            unrecorded: booking.unrecorded,
            replaces: booking.asked_replaces,
            replaced_by: booking.replaced_by,
            conditions: booking.conditions.as_ref().map(|conditions| ConditionsView::of(conditions)),
            guest: booking.is_guests().then(|| GuestView { name: booking.guest_name.clone(), email: booking.guest_email.clone() }),
            guest_of: booking.guest_of,
            check_in_code: code::of_booking(keys, booking.id),
            visitor: VisitorView::of(booking.guest_name.as_ref(), booking.visitor_phone.as_ref(), booking.visitor_source.as_ref()),
            session: SessionView::of(session, &session.names, Some(language), now, me),
        }
    }
}

fn free_text(booking: &Booking, leniency: Leniency, zone: Tz, language: Language, now: DateTime<Utc>) -> Option<String> {
    let PenaltyTerms { late_cancel_fee: fee, late_cancel_strikes: strike, .. } = booking.penalty_terms();
    let terms = Terms {
        credits: booking.credits,
        membership: booking.visit_week.is_some(),
        free_cancel_until: booking.free_cancel_until,
        penalty: Penalized {
            fee,
            strike,
            forgiven: rules::may_cost(booking, now) && rules::late_cancel(booking, leniency).forgiven.is_some(),
        },
    };
    (booking.status == BookingStatus::Booked).then(|| free_cancel_text(&terms, booking.starts_at, zone, language))
}

/// What a cancellation would do now, without a sentence: the facts of a refusal.
pub fn cancel_now_facts(booking: &Booking, leniency: Leniency, now: DateTime<Utc>) -> Option<CancelNow> {
    let cost = match rules::cancel(booking, leniency, false, now).ok()? {
        Cancellation::Leaves | Cancellation::Free { .. } => Cost::default(),
        Cancellation::Late(cost) => cost,
    };
    Some(CancelNow {
        free: cost.is_nothing(),
        credits_lost: cost.credits,
        forgiven: cost.forgiven.is_some(),
        strike: cost.strike,
        fee: cost.fee.map(Fee::from),
        text: None,
    })
}

/// What a cancellation would do now, with a sentence.
pub fn cancel_now(booking: &Booking, leniency: Leniency, language: Language, now: DateTime<Utc>) -> Option<CancelNow> {
    let (sentence, penalty) = match rules::cancel(booking, leniency, false, now).ok()? {
        Cancellation::Leaves if booking.status == BookingStatus::Offered => (Sentence::Offered, Penalized::default()),
        Cancellation::Leaves => (Sentence::Waiting, Penalized::default()),
        Cancellation::Free { .. } => (Sentence::Free, Penalized::default()),
        Cancellation::Late(cost) => {
            let sentence = match &cost {
                Cost { forgiven: Some(_), .. } => Sentence::Forgiven,
                Cost { visit: true, .. } => Sentence::VisitCounts,
                Cost { credits, .. } if *credits > 0 => Sentence::LosesCredits(*credits),
                cost if cost.is_nothing() => Sentence::Free,
                _ => Sentence::Besides,
            };
            (sentence, Penalized { fee: cost.fee, strike: cost.strike, forgiven: cost.forgiven.is_some() })
        }
    };
    cancel_now_facts(booking, leniency, now).map(|facts| CancelNow { text: Some(cancel_now_text(sentence, &penalty, language)), ..facts })
}
