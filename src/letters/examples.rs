//! An example of every kind of letter, with invented facts of a studio: what its admins look at before their members read it, and what the
//! tests of the words read.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use uuid::Uuid;

use super::facts::{
    CancelReason, Facts, InvitedRole, LeftBecause, Money, OtherBooking, PassedOver, Penalized, Replaced, SessionFacts, StudioFacts, Terms,
    Then, Waiting,
};
use crate::language::Texts;
use crate::sign_in::factors::FactorKind;
use crate::zones::wall;

/// Who reads them.
pub const READER: &str = "Mei Chen";

/// When they were written.
pub fn written_at() -> DateTime<Utc> {
    at("2026-11-22T09:15:00Z")
}

/// An instant of ours.
pub(super) fn at(instant: &str) -> DateTime<Utc> {
    instant.parse().unwrap_or_default()
}

/// A text in every language.
pub(super) fn texts(en: &str, zh_hans: &str, zh_hant: &str) -> Texts {
    Texts { en: en.to_owned(), zh_hans: Some(zh_hans.to_owned()), zh_hant: Some(zh_hant.to_owned()) }
}

/// The class that they are about.
pub(super) fn session(studio: &StudioFacts) -> SessionFacts {
    SessionFacts {
        id: Uuid::from_u128(0x0197_a000_0000_7000_8000_0000_0000_c1a5),
        studio: studio.clone(),
        class: texts("Barre Sculpt", "芭蕾把杆塑形", "芭蕾把桿塑形"),
        room: "Studio 1".to_owned(),
        instructor: "Lin Yue".to_owned(),
        starts_at: at("2026-12-01T10:30:00Z"),
        ends_at: at("2026-12-01T11:25:00Z"),
        for_whom: None,
    }
}

/// What a place of it costs with a pack.
pub(super) fn pack() -> Terms {
    Terms { credits: 1, membership: false, free_cancel_until: Some(at("2026-11-30T22:30:00Z")), penalty: Penalized::default() }
}

/// What comes next for who waits.
pub(super) fn waiting() -> Option<Waiting> {
    Some(Waiting { credits: 1, promoted_until: Some(at("2026-11-30T22:30:00Z")), then: Then::FirstToTake })
}

/// A place in another class.
pub(super) fn other() -> Option<OtherBooking> {
    Some(OtherBooking { starts_at: at("2026-12-01T11:00:00Z"), terms: pack() })
}

/// A place that is offered.
pub(super) fn offered(studio: &StudioFacts, clock_starts_at: Option<DateTime<Utc>>, terms: Terms) -> Facts {
    let offer = Uuid::from_u128(0x0197_a000_0000_7000_8000_0000_0000_00ff);
    Facts::PlaceOffered { session: session(studio), offer, expires_at: at("2026-12-01T00:15:00Z"), clock_starts_at, terms }
}

/// Somebody who did not come.
pub(super) fn no_show(studio: &StudioFacts, credits_lost: i64, visit_counts: bool, penalty: Penalized) -> Facts {
    let corrected_until = at("2026-12-03T11:25:00Z");
    Facts::NoShow { session: session(studio), credits_lost, visit_counts, penalty, corrected_until }
}

/// Thursday's class, given up for another one.
pub(super) fn replaced(studio: &StudioFacts) -> Replaced {
    let mut session = session(studio);
    session.class = texts("Ballet Basics", "芭蕾基础", "芭蕾基礎");
    (session.starts_at, session.ends_at) = (at("2026-12-03T10:30:00Z"), at("2026-12-03T11:25:00Z"));
    Replaced {
        booking_id: Uuid::from_u128(9),
        booked_at: at("2026-11-20T09:15:00Z"),
        session,
        waited: false,
        sequence: None,
        credits_returned: 1,
        credits_lost: 0,
        visit_counts: false,
    }
}

/// One example of each kind of letter, at the hours that the studio's own wall shows: the class is at half past six in the evening, wherever
/// it is.
pub fn every_kind_there(studio: &StudioFacts) -> Vec<Facts> {
    let evening = session(studio).starts_at;
    let by = wall(evening, Tz::Asia__Shanghai).naive_local() - wall(evening, studio.time_zone).naive_local();
    let there = |facts: &Facts| {
        let mut written = serde_json::to_value(facts).ok()?;
        put_off(&mut written, by);
        serde_json::from_value(written).ok()
    };
    every_kind(studio).into_iter().map(|facts| there(&facts).unwrap_or(facts)).collect()
}

/// Every instant in this, by so much later.
fn put_off(written: &mut Value, by: TimeDelta) {
    match written {
        Value::String(text) => {
            if let Ok(at) = text.parse::<DateTime<Utc>>() {
                *written = json!(at + by);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| put_off(value, by)),
        Value::Object(values) => values.values_mut().for_each(|value| put_off(value, by)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// One example of each kind of letter, of a class at 10:30 UTC.
pub fn every_kind(studio: &StudioFacts) -> Vec<Facts> {
    let session = session(studio);
    let mut before = session.clone();
    before.starts_at = at("2026-12-01T10:00:00Z");
    before.ends_at = at("2026-12-01T10:55:00Z");
    before.room = "Studio 2".to_owned();
    vec![
        Facts::AddressCode {},
        Facts::AlreadyRegistered {},
        Facts::PasswordCode {},
        Facts::DeletionCode {},
        Facts::DeletionAsked { at: at("2026-11-22T09:15:00Z"), due_at: at("2026-11-29T09:15:00Z") },
        Facts::PasswordChanged { at: at("2026-11-22T09:15:00Z") },
        Facts::AddressChanged { new_address_masked: "m…@demo.example".to_owned(), at: at("2026-11-22T09:15:00Z") },
        Facts::SecondFactorAdded { factor: FactorKind::Totp, at: at("2026-11-22T09:15:00Z") },
        Facts::SecondFactorRemoved { all_by_staff: false, at: at("2026-11-22T09:15:00Z") },
        Facts::NewDevice { device: Some("iPhone 17".to_owned()), at: at("2026-11-22T09:15:00Z") },
        Facts::SignInTried { at: at("2026-11-22T09:15:00Z") },
        Facts::Invitation {
            studio: studio.clone(),
            roles: vec![InvitedRole::Instructor, InvitedRole::FrontDesk],
            invited_by: "Ana Wu".to_owned(),
        },
        Facts::EnteredByFrontDesk { studio: studio.clone(), linked: false, shares_address: false },
        Facts::PassSold {
            studio: studio.clone(),
            pass: texts("10 classes", "10次卡", "10堂課堂套票"),
            credits: Some(10),
            per_week: None,
            expires_on: NaiveDate::from_ymd_opt(2027, 1, 31).unwrap_or_default(),
            paid: Some(Money { amount_minor: 188_000, currency: "CNY".to_owned() }),
            starts_on: None,
            from_first: None,
        },
        Facts::PassEnding {
            studio: studio.clone(),
            pass: texts("10 classes", "10次卡", "10堂課堂套票"),
            credits: Some(3),
            expires_on: NaiveDate::from_ymd_opt(2027, 1, 31).unwrap_or_default(),
            unbegun: false,
        },
        Facts::PassGone { studio: studio.clone(), pass: texts("10 classes", "10次卡", "10堂課堂套票"), credits: Some(3) },
        Facts::PassReceived {
            studio: studio.clone(),
            pass: texts("10 classes", "10次卡", "10堂課堂套票"),
            credits: Some(3),
            per_week: None,
            expires_on: NaiveDate::from_ymd_opt(2027, 1, 31).unwrap_or_default(),
            from_first: None,
        },
        Facts::Booked { session: session.clone(), terms: pack(), by_staff: false },
        Facts::Waitlisted {
            session: session.clone(),
            position: 3,
            credits: 1,
            promoted_until: Some(at("2026-11-30T22:30:00Z")),
            then: Then::FirstToTake,
        },
        Facts::Promoted { session: session.clone(), terms: pack() },
        Facts::PassedOver { session: session.clone(), reason: PassedOver::NoPass, waiting: waiting(), other: None },
        Facts::PlaceFree { session: session.clone(), credits: Some(1), closes_at: Some(at("2026-12-01T10:30:00Z")), kept_until: None },
        offered(studio, None, Terms { free_cancel_until: None, ..pack() }),
        Facts::OfferExpired { session: session.clone() },
        Facts::OfferWithdrawn { session: session.clone(), waiting: waiting() },
        Facts::WaitlistLeft { session: session.clone(), because: LeftBecause::Member },
        Facts::WaitlistClosed { session: session.clone() },
        Facts::Cancelled { session: session.clone(), credits_returned: 1 },
        Facts::LateCancelled { session: session.clone(), credits_lost: 1, visit_counts: false, penalty: Penalized::default() },
        Facts::RemovedByStaff {
            session: session.clone(),
            reason: Some("Booked twice by mistake".to_owned()),
            credits_returned: 1,
            credits_lost: 0,
            visit_counts: false,
            penalty: Penalized::default(),
        },
        Facts::SessionChanged { session: session.clone(), before: before.clone(), booked: true, terms: Some(pack()), waiting: None },
        Facts::SessionCancelled {
            session: session.clone(),
            reason: Some(CancelReason::Illness),
            note: Some("See you on Thursday!".to_owned()),
            credits_returned: 1,
            visit_returned: false,
            had_place: true,
            had_cancelled: false,
            penalty_waived: false,
        },
        Facts::Suspended { studio: studio.clone(), until: at("2026-12-15T10:30:00Z"), only_within_hours: 24 },
        Facts::SuspensionLifted { studio: studio.clone() },
        Facts::PenaltyWaived { session: session.clone(), credits_returned: 1, visit_returned: false, fee: None, strike: true, came: false },
        Facts::Released { session: session.clone(), before, credits_returned: 1, other: other() },
        Facts::MovedToWaitlist { session: session.clone(), position: 1, credits_returned: 1, waiting: waiting() },
        Facts::GuestBooked { session: session.clone(), changed: false },
        Facts::GuestCancelled { session: session.clone() },
        Facts::TooFewSoon { session: session.clone(), booked: 3, minimum: 4, decided_at: at("2026-12-01T07:30:00Z") },
        Facts::TooFewDecided { session: session.clone(), booked: 3, minimum: 4, cancelled: true },
        Facts::SubstituteWanted {
            session: session.clone(),
            asked_by: "Lin Yue".to_owned(),
            note: Some("I have a fever. The playlist is ready.".to_owned()),
        },
        Facts::SubstituteFound { session: session.clone(), substitute: "Lin Yue".to_owned() },
        Facts::SubstituteClaimed { session: session.clone(), asked_by: "Lin Yue".to_owned(), substitute: "Ana Wu".to_owned() },
        Facts::SubstituteDecided { session: session.clone(), approved: true },
        Facts::SubstituteMissing { session: session.clone(), asked_by: "Lin Yue".to_owned() },
        Facts::SubstituteExpired { session: session.clone() },
        Facts::SessionsProposed { session: session.clone(), by: "Lin Yue".to_owned(), count: 8 },
        Facts::SessionsPublished { session: session.clone(), count: 8 },
        no_show(studio, 1, false, Penalized::default()),
        Facts::AttendanceMissing { session: session.clone(), unmarked: 7, until: at("2026-12-03T11:25:00Z") },
        Facts::Exchanged { session: session.clone(), terms: pack(), promoted: false, replaced: replaced(studio) },
        Facts::Reminder24h { session: session.clone(), terms: pack() },
        Facts::Reminder2h { session: session.clone(), terms: pack() },
        Facts::PlaceToGive { session, until: at("2026-12-01T09:45:00Z") },
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono_tz::America::New_York;

    use super::*;

    #[test]
    fn no_kind_is_without_an_example() {
        let studio = StudioFacts { name: "A".to_owned(), address: None, contact: None, time_zone: chrono_tz::Tz::Asia__Shanghai };
        let of_kind = include_str!("outbox.rs").split("pub const fn kind(&self)").nth(1).and_then(|rest| rest.split("\n    }\n").next());
        let kinds: BTreeSet<&str> = of_kind.unwrap_or_default().split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let examples = every_kind(&studio);
        assert_eq!(examples.len(), kinds.len(), "each has one");
        assert!(kinds.len() > 50, "the kinds are found: {kinds:?}");
        assert_eq!(examples.iter().map(Facts::kind).collect::<BTreeSet<_>>(), kinds);
    }

    #[test]
    fn an_examples_class_is_in_the_evening_wherever_it_is() {
        let studio = StudioFacts { name: "Bleecker".to_owned(), address: None, contact: None, time_zone: New_York };
        let examples = every_kind_there(&studio);
        assert_eq!(examples.len(), every_kind(&studio).len());
        let (mut classes, there) = (0, at("2026-12-01T23:30:00Z"));
        for session in examples.iter().filter_map(Facts::session) {
            classes += usize::from(session.starts_at == there);
        }
        assert!(classes > 20, "{classes} of the letters are about it");
    }
}
