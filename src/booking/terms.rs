//! What a member is told before the tap: which pass would pay, until when cancelling is free and what it costs after, how the waitlist goes,
//! and, if they may not book, why and from when. Facts first; the sentences say the same in the reader's language.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::rules::{Admission, BookingRefusal, SessionNow, Terms};
use super::view::{CancelNow, cancel_now};
use super::{Booking, BookingStatus};
use crate::language::{Language, Texts};
use crate::letters::facts;
use crate::letters::phrases::{
    AfterPromotion, Queue, bookable_from_text, cap_text, day_and_time, free_cancel_text, pass_pays_text, suspended_text, waitlist_text,
};
use crate::passes::PassKind;
use crate::penalties::PenaltyKind;
use crate::penalties::rules::{Leniency, PenaltyTerms, cost};
use crate::penalties::view::Fee;
use crate::problem::ProblemType;
use crate::studios::house_rules::applied::{Cap, CapOf, Over};
use crate::studios::house_rules::{AfterCutoff, HouseRules};

/// What a tap would do and cost now, before it is made.
#[derive(Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct TermsView {
    pub session_id: Uuid,
    /// What a tap would make it now: `booked`, or `waitlisted` where it is full; null: neither, and `refusal` says why.
    pub would_be: Option<BookingStatus>,
    pub refusal: Option<Refusal>,
    /// Which pass would pay; null: none can, or nothing has to.
    pub pass: Option<PassThatPays>,
    /// Credits that it loses.
    pub credits: i64,
    /// Whether it uses a membership's visit of that week.
    pub visit: bool,
    pub pass_text: Option<String>,
    /// With that pass booking opens …
    #[serde(with = "crate::instant")]
    pub booking_opens_at: DateTime<Utc>,
    /// … and closes.
    #[serde(with = "crate::instant")]
    pub booking_closes_at: DateTime<Utc>,
    /// For a place taken now or, before booking opens, as soon as it does. Null: there is no free way out.
    #[serde(with = "crate::instant")]
    pub free_cancel_until: Option<DateTime<Utc>>,
    pub free_cancel_text: String,
    /// What a cancellation costs after that.
    pub late_cancel: LateCancel,
    /// What not coming costs.
    pub no_show: NoShowTerms,
    /// How many places the member may have, and has.
    pub caps: Vec<CapNow>,
    pub waitlist: WaitlistTerms,
    /// What becomes of the booking that was named in `replaces`; null: none was.
    pub replaces: Option<ReplacesTerms>,
}

/// What becomes of a booking that the new one takes over from.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplacesTerms {
    booking_id: Uuid,
    /// What giving it up comes to now. Where it is not `free`, a tap needs `replaces_late`, and costs this besides; who waits keeps it until
    /// a place comes, and gives it up only if that is free then. Null: it cannot be given up, and `refusal` says why.
    cancel_now: Option<CancelNow>,
}

/// Why a member may not book.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookingRefusal)]
pub struct Refusal {
    /// The problem that a tap would be answered with.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "/problems/not-open-yet")]
    pub kind: ProblemType,
    /// The same as sentences.
    pub text: String,
    /// From when they may; null: that is not a matter of time alone.
    #[serde(with = "crate::instant")]
    pub from: Option<DateTime<Utc>>,
    /// The booking that stands in the way.
    pub booking_id: Option<Uuid>,
}

/// The pass that would pay.
#[derive(Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct PassThatPays {
    pub id: Uuid,
    pub name: String,
    pub kind: PassKind,
    /// Null on a membership.
    pub credits_left: Option<i64>,
    /// Whose it is, of the family that shares it; null: it is that of whoever has the place.
    pub shared_by: Option<String>,
}

/// What a late cancellation costs.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct LateCancel {
    pub credits_lost: i64,
    /// Whether it counts as a visit of that week all the same.
    pub visit_counts: bool,
    /// To be paid at the desk.
    pub fee: Option<Fee>,
    /// Whether it counts as a strike.
    pub strike: bool,
    /// How many late cancellations of that calendar month still cost nothing of all this.
    pub forgiven_left: i64,
    /// Whether this one would cost nothing, as things stand: it is among these, or on a day without penalties.
    pub forgiven: bool,
}

/// What not coming costs.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct NoShowTerms {
    pub credits_lost: i64,
    /// Whether it counts as a visit of that week all the same.
    pub visit_counts: bool,
    /// To be paid at the desk.
    pub fee: Option<Fee>,
    /// Whether it counts as a strike.
    pub strike: bool,
    /// Whether it would cost nothing, as things stand: the session is on a day without penalties.
    pub forgiven: bool,
}

/// A cap, and how many of the member's places it counts.
#[derive(Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
#[schema(as = BookingCap)]
pub struct CapNow {
    pub over: Over,
    pub of: CapOf,
    pub max: i64,
    pub taken: i64,
}

/// How the waitlist goes.
#[derive(Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct WaitlistTerms {
    /// Whether one more may join it now.
    pub open: bool,
    pub length: i64,
    /// Null: there is no cap.
    pub cap: Option<i64>,
    /// Until then a place that comes free is given to the next in the queue who may take it.
    #[serde(with = "crate::instant")]
    pub promotion_until: DateTime<Utc>,
    /// What happens to it after that.
    pub after_cutoff: AfterCutoff,
    /// Nobody moves up any more: who still waits is told.
    #[serde(with = "crate::instant")]
    pub closes_at: DateTime<Utc>,
    pub text: String,
}

/// A pass as it is told.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "columns of a pass")]
pub struct NamedPass {
    pub id: Uuid,
    pub name: Texts,
    pub kind: PassKind,
    pub credits_left: Option<i64>,
    pub shared_by: Option<String>,
}

/// A booking that the new one is to take over from.
#[derive(Clone, Debug)]
pub struct Replacing {
    /// Which.
    pub booking_id: Uuid,
    /// As it is, and what speaks for its member; `None`: it cannot be named.
    pub old: Option<(Booking, Leniency)>,
    /// Why a tap that names it is refused, even if it may cost something.
    pub refused: Option<ProblemType>,
}

/// All that the terms are told from.
#[derive(Clone, Debug)]
pub struct TermsFacts<'a> {
    /// The session as it is now.
    pub session: SessionNow,
    /// Its rules.
    pub rules: &'a HouseRules,
    /// What the rules say to this member.
    pub terms: &'a Terms,
    /// The pass that would pay.
    pub pass: Option<NamedPass>,
    /// Whether the member must confirm their address first.
    pub unverified: bool,
    /// What would speak for the member if they cancelled it late.
    pub leniency: Leniency,
    /// What is to be given up for the place.
    pub replacing: Option<Replacing>,
}

impl TermsView {
    /// The terms as this reader is told them now.
    pub fn of(facts: &TermsFacts<'_>, language: Language, now: DateTime<Utc>) -> Self {
        let TermsFacts { session, terms, .. } = facts;
        let (zone, payment) = (session.zone, terms.payment);
        // Where nothing can pay, a pack is taken for granted: most have one.
        let credits = payment.map_or(session.credits, |payment| payment.credits);
        let visit = payment.is_some_and(|payment| payment.visit_week.is_some());
        let full = PenaltyTerms { late_cancels_forgiven: 0, ..terms.penalty_terms.clone() };
        let late = cost(PenaltyKind::LateCancel, &full, credits, visit, Leniency::default());
        let forgiven = cost(PenaltyKind::LateCancel, &terms.penalty_terms, credits, visit, facts.leniency).forgiven.is_some();
        let absent = cost(PenaltyKind::NoShow, &terms.penalty_terms, credits, visit, Leniency::default());
        let said = facts::Terms {
            credits,
            membership: visit,
            free_cancel_until: terms.free_cancel_until,
            penalty: facts::Penalized { fee: late.fee.clone(), strike: late.strike, forgiven },
        };
        Self {
            session_id: session.id,
            would_be: match (&terms.outcome, refused_before(facts)) {
                (Ok(Admission::Place(_)), None) => Some(BookingStatus::Booked),
                (Ok(Admission::Queue), None) => Some(BookingStatus::Waitlisted),
                _ => None,
            },
            refusal: refusal(facts, zone, language),
            pass: facts.pass.as_ref().map(|pass| PassThatPays {
                id: pass.id,
                name: pass.name.read(language).to_owned(),
                kind: pass.kind,
                credits_left: pass.credits_left,
                shared_by: pass.shared_by.clone(),
            }),
            credits,
            visit,
            pass_text: payment.map(|_| {
                let pass = facts.pass.as_ref().map(|pass| (pass.name.read(language), pass.shared_by.as_deref()));
                pass_pays_text(pass, credits, visit, language)
            }),
            booking_opens_at: terms.booking_opens_at,
            booking_closes_at: terms.booking_closes_at,
            free_cancel_until: terms.free_cancel_until,
            free_cancel_text: free_cancel_text(&said, session.starts_at, zone, language),
            late_cancel: LateCancel {
                credits_lost: late.credits,
                visit_counts: late.visit,
                fee: late.fee.map(Fee::from),
                strike: late.strike,
                forgiven_left: (terms.penalty_terms.late_cancels_forgiven - facts.leniency.forgiven).max(0),
                forgiven,
            },
            no_show: NoShowTerms {
                credits_lost: absent.credits,
                visit_counts: absent.visit,
                fee: absent.fee.map(Fee::from),
                strike: absent.strike,
                forgiven: cost(PenaltyKind::NoShow, &terms.penalty_terms, credits, visit, facts.leniency).forgiven.is_some(),
            },
            caps: terms
                .caps
                .iter()
                .map(|(Cap { over, of, max }, taken)| CapNow { over: *over, of: *of, max: *max, taken: *taken })
                .collect(),
            waitlist: waitlist(facts, zone, language, now),
            replaces: facts.replacing.as_ref().map(|Replacing { booking_id, old, .. }| ReplacesTerms {
                booking_id: *booking_id,
                cancel_now: old.as_ref().and_then(|(old, leniency)| cancel_now(old, *leniency, language, now)),
            }),
        }
    }
}

/// What is asked before the rules are: the problem, and the booking that stands in the way.
fn refused_before(facts: &TermsFacts<'_>) -> Option<(ProblemType, Option<Uuid>)> {
    if facts.unverified {
        return Some((ProblemType::AddressNotVerified, None));
    }
    facts.replacing.as_ref().and_then(|replacing| Some((replacing.refused?, Some(replacing.booking_id))))
}

fn refusal(facts: &TermsFacts<'_>, zone: Tz, language: Language) -> Option<Refusal> {
    let sentence = |kind: ProblemType| kind.sentence(language).to_owned();
    let refused = |kind| Refusal { kind, text: sentence(kind), from: None, booking_id: None };
    if let Some((kind, booking_id)) = refused_before(facts) {
        return Some(Refusal { booking_id, ..refused(kind) });
    }
    let (kind, booking_id, from, more) = match facts.terms.outcome.as_ref().err()? {
        BookingRefusal::SessionCancelled => (ProblemType::SessionCancelled, None, None, None),
        BookingRefusal::NotOpenYet(opens) => {
            (ProblemType::NotOpenYet, None, Some(*opens), Some(bookable_from_text(*opens, zone, language)))
        }
        BookingRefusal::Closed(_) => (ProblemType::BookingClosed, None, None, None),
        BookingRefusal::AlreadyBooked(id) => (ProblemType::AlreadyBooked, Some(*id), None, None),
        BookingRefusal::Overlapping(id) => (ProblemType::OverlappingBooking, Some(*id), None, None),
        BookingRefusal::TooMany(cap) => (ProblemType::TooManyBookings, None, None, Some(cap_text(*cap, language))),
        BookingRefusal::NoPass => (ProblemType::NoPass, None, None, None),
        // Nobody books by an offer.
        BookingRefusal::OfferExpired => (ProblemType::OfferExpired, None, None, None),
        BookingRefusal::NoHost => (ProblemType::HostNotBooked, None, None, None),
        BookingRefusal::TooManyGuests(_) => (ProblemType::TooManyGuests, None, None, None),
        BookingRefusal::Suspended(suspension) => {
            let until = day_and_time(suspension.until, zone, language);
            let more = suspended_text(&until, suspension.only_within_hours, language);
            (ProblemType::Suspended, None, suspension.bookable_from(facts.session.starts_at), Some(more))
        }
        BookingRefusal::Full { .. } => (ProblemType::SessionFull, None, None, None),
        BookingRefusal::WaitlistFull { .. } => (ProblemType::WaitlistFull, None, None, None),
    };
    let space = if language == Language::En { " " } else { "" };
    let text = more.map_or_else(|| sentence(kind), |more| format!("{}{space}{more}", sentence(kind)));
    Some(Refusal { text, from, booking_id, ..refused(kind) })
}

fn waitlist(facts: &TermsFacts<'_>, zone: Tz, language: Language, now: DateTime<Utc>) -> WaitlistTerms {
    let TermsFacts { session, rules, .. } = facts;
    let queue = Queue {
        promotion_until: Some(session.promote_until).filter(|until| *until > now),
        after: match rules.after_cutoff {
            AfterCutoff::Open => AfterPromotion::Open,
            AfterCutoff::Offers => AfterPromotion::Offers { minutes: rules.offer_min },
            AfterCutoff::NotifyAll => AfterPromotion::NotifyAll,
            AfterCutoff::Staff => AfterPromotion::Staff,
        },
        closes_at: Some(session.waiting_ends_at).filter(|at| *at < session.starts_at),
        over: session.cancelled || now >= session.waiting_ends_at,
    };
    WaitlistTerms {
        open: session.waitlist_open(now),
        length: session.waiting,
        cap: session.waitlist_cap,
        promotion_until: session.promote_until,
        after_cutoff: rules.after_cutoff,
        closes_at: session.waiting_ends_at,
        text: waitlist_text(queue, zone, language),
    }
}

#[cfg(test)]
mod tests;
