//! When a code opens the door, and what a device may say of when it was shown. Pure.

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use crate::booking::{Booking, BookingStatus};
use crate::instant;
use crate::problem::{Problem, ProblemType};
use crate::studios::house_rules::HouseRules;
use crate::zones::local_date;

/// A device's word on when a code was shown counts for so long: a day at the door without a network, and no more.
pub const BELIEVED: Duration = Duration::hours(12);

/// The clock of a device may be so far ahead: what it says is then taken for now.
pub const AHEAD_MAX: Duration = Duration::minutes(1);

/// From when to when a code checks a booking's member in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoorTimes {
    pub opens_at: DateTime<Utc>,
    /// The last instant at which it is not late.
    pub closes_at: DateTime<Utc>,
}

impl DoorTimes {
    /// Of a session that starts then. Nobody comes late to their first visit, unless the house allows it.
    pub fn of(starts_at: DateTime<Utc>, rules: &HouseRules, first_visit: bool) -> Self {
        let late_min = if first_visit && !rules.first_visit_late_entry { 0 } else { rules.check_in_until_min };
        Self { opens_at: starts_at - Duration::minutes(rules.check_in_from_min), closes_at: starts_at + Duration::minutes(late_min) }
    }
}

/// Why a code does not open the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotIn {
    /// It is of no booking that counts here now: another studio's, another day's, one that has ended, or no code at all.
    NotHere,
    /// The member has no place: they wait, are offered one, or stand by.
    Waitlisted(BookingStatus),
    /// The door opens then.
    TooEarly { starts_at: DateTime<Utc>, opens_at: DateTime<Utc> },
    /// It closed then.
    TooLate { starts_at: DateTime<Utc>, closed_at: DateTime<Utc>, first_visit: bool },
}

impl NotIn {
    /// As the API says it.
    pub fn problem(self) -> Problem {
        match self {
            Self::NotHere => Problem::new(ProblemType::NotHere),
            Self::Waitlisted(status) => Problem::new(ProblemType::Waitlisted).with("booking_status", status),
            Self::TooEarly { starts_at, opens_at } => {
                Problem::new(ProblemType::TooEarly).with("starts_at", instant::text(starts_at)).with("opens_at", instant::text(opens_at))
            }
            Self::TooLate { starts_at, closed_at, first_visit } => Problem::new(ProblemType::TooLate)
                .with("starts_at", instant::text(starts_at))
                .with("closed_at", instant::text(closed_at))
                .with("first_visit", first_visit),
        }
    }
}

/// Whether a code of this booking that was shown in this studio at that instant checks its member in. That they are in already is not asked.
pub fn admit(booking: &Booking, studio_id: Uuid, times: DoorTimes, first_visit: bool, zone: Tz, at: DateTime<Utc>) -> Result<(), NotIn> {
    if booking.studio_id != studio_id {
        return Err(NotIn::NotHere);
    }
    match booking.status {
        BookingStatus::Booked | BookingStatus::Attended | BookingStatus::NoShow => {}
        BookingStatus::Cancelled | BookingStatus::LateCancelled => return Err(NotIn::NotHere),
        status @ (BookingStatus::Waitlisted | BookingStatus::Offered | BookingStatus::Standby) => return Err(NotIn::Waitlisted(status)),
    }
    let (starts_at, same_day) = (booking.starts_at, local_date(booking.starts_at, zone) == local_date(at, zone));
    if at < times.opens_at {
        Err(if same_day { NotIn::TooEarly { starts_at, opens_at: times.opens_at } } else { NotIn::NotHere })
    } else if at > times.closes_at {
        let today = same_day || at < booking.ends_at;
        Err(if today { NotIn::TooLate { starts_at, closed_at: times.closes_at, first_visit } } else { NotIn::NotHere })
    } else {
        Ok(())
    }
}

/// When a code was shown, as far as a device is believed; `None`: not at all.
pub fn believed(said: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let said = said.unwrap_or(now);
    (now - BELIEVED <= said && said <= now + AHEAD_MAX).then(|| said.min(now))
}

#[cfg(test)]
mod tests {
    use chrono_tz::Asia::Shanghai;

    use super::*;
    use crate::booking::{NewBooking, Place};
    use crate::passes::rules::Payment;
    use crate::penalties::rules::PenaltyTerms;

    const STUDIO: Uuid = Uuid::from_u128(1);

    fn utc(text: &str) -> DateTime<Utc> {
        format!("{text}:00Z").parse().unwrap()
    }

    /// A place in a class from 18:30 to 19:25 in Shanghai.
    fn booking(starts_at: &str) -> Booking {
        let starts_at = utc(starts_at);
        let new = NewBooking {
            id: Uuid::from_u128(9),
            session_id: Uuid::from_u128(2),
            studio_id: STUDIO,
            person_id: Uuid::from_u128(3),
            starts_at,
            ends_at: starts_at + Duration::minutes(55),
            asked_by: Uuid::from_u128(3),
            asked_pass_id: None,
            asked_waitlist: false,
            asked_unpaid: false,
            unpaid_reason: None,
        };
        let payment = Payment { pass_id: None, credits: 0, visit_week: None };
        let place = Place { payment, free_cancel_until: None, penalty_terms: PenaltyTerms::default() };
        Booking::with_place(new, &place, starts_at - Duration::days(2))
    }

    fn asked(booking: &Booking, first_visit: bool, at: &str) -> &'static str {
        let times = DoorTimes::of(booking.starts_at, &HouseRules::default(), first_visit);
        match admit(booking, STUDIO, times, first_visit, Shanghai, utc(at)) {
            Ok(()) => "in",
            Err(NotIn::NotHere) => "not here",
            Err(NotIn::Waitlisted(_)) => "waitlisted",
            Err(NotIn::TooEarly { .. }) => "too early",
            Err(NotIn::TooLate { .. }) => "too late",
        }
    }

    #[test]
    fn from_half_an_hour_before_to_five_minutes_after_the_start() {
        let evening = booking("2026-12-01T10:30");
        for (at, first_visit, expected) in [
            ("2026-11-30T10:30", false, "not here"),
            ("2026-12-01T09:59", false, "too early"),
            ("2026-12-01T10:00", false, "in"),
            ("2026-12-01T10:30", true, "in"),
            ("2026-12-01T10:31", true, "too late"),
            ("2026-12-01T10:35", false, "in"),
            ("2026-12-01T10:36", false, "too late"),
            ("2026-12-01T15:59", false, "too late"),
            // Midnight in Shanghai.
            ("2026-12-01T16:00", false, "not here"),
        ] {
            assert_eq!(asked(&evening, first_visit, at), expected, "{at} {first_visit}");
        }
    }

    #[test]
    fn midnight_is_no_door() {
        // 00:10 in Shanghai, and 23:50.
        let (early, late) = (booking("2026-12-01T16:10"), booking("2026-12-01T15:50"));
        assert_eq!(asked(&early, false, "2026-12-01T15:45"), "in");
        assert_eq!(asked(&late, false, "2026-12-01T16:05"), "too late");
    }

    #[test]
    fn only_a_place_opens_it() {
        let at = "2026-12-01T10:20";
        let with = |status| Booking { status, ..booking("2026-12-01T10:30") };
        for (status, expected) in [
            (BookingStatus::Booked, "in"),
            (BookingStatus::Attended, "in"),
            (BookingStatus::NoShow, "in"),
            (BookingStatus::Waitlisted, "waitlisted"),
            (BookingStatus::Offered, "waitlisted"),
            (BookingStatus::Standby, "waitlisted"),
            (BookingStatus::Cancelled, "not here"),
            (BookingStatus::LateCancelled, "not here"),
        ] {
            assert_eq!(asked(&with(status), false, at), expected, "{status:?}");
        }
        let elsewhere = Booking { studio_id: Uuid::from_u128(8), ..with(BookingStatus::Waitlisted) };
        assert_eq!(asked(&elsewhere, false, at), "not here", "another studio's says nothing of itself");
    }

    #[test]
    fn the_house_may_let_first_visits_come_late() {
        let rules = HouseRules { first_visit_late_entry: true, check_in_until_min: 10, ..HouseRules::default() };
        let start = utc("2026-12-01T10:30");
        assert_eq!(DoorTimes::of(start, &rules, true), DoorTimes::of(start, &rules, false));
        assert_eq!(DoorTimes::of(start, &rules, true).closes_at, utc("2026-12-01T10:40"));
    }

    #[test]
    fn a_device_is_believed_within_bounds() {
        let now = utc("2026-12-01T10:30");
        let minutes = |minutes| Some(now + Duration::minutes(minutes));
        assert_eq!(believed(None, now), Some(now));
        assert_eq!(believed(minutes(-36), now), minutes(-36));
        assert_eq!(believed(minutes(-12 * 60), now), minutes(-12 * 60));
        assert_eq!(believed(minutes(-12 * 60 - 1), now), None);
        assert_eq!(believed(minutes(1), now), Some(now), "a clock that is a little ahead");
        assert_eq!(believed(minutes(2), now), None);
    }
}
