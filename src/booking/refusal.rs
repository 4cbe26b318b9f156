//! How a refused booking reads in the API: the problem, with the facts that the app shows.

use super::rules::BookingRefusal;
use super::rules::door::NotAtTheDoor;
use crate::instant;
use crate::penalties::rules::Suspension;
use crate::problem::{Problem, ProblemType};
use crate::studios::house_rules::applied::Cap;
use serde_json::json;

impl NotAtTheDoor {
    /// As the API says it.
    pub fn problem(self) -> Problem {
        match self {
            Self::Cancelled => Problem::new(ProblemType::SessionCancelled),
            Self::TooEarly(from) => Problem::new(ProblemType::NotDoorTime).with("from", instant::text(from)),
            Self::Over(closed_at) => Problem::new(ProblemType::BookingClosed).with("closed_at", instant::text(closed_at)),
            Self::AlreadyBooked(booking_id) => Problem::new(ProblemType::AlreadyBooked).with("booking_id", booking_id),
            Self::PlaceFree => Problem::new(ProblemType::PlaceFree),
        }
    }
}

impl BookingRefusal {
    /// As the API says it.
    pub fn problem(self, shop_url: Option<&str>) -> Problem {
        match self {
            Self::SessionCancelled => Problem::new(ProblemType::SessionCancelled),
            Self::NotOpenYet(opens_at) => Problem::new(ProblemType::NotOpenYet).with("opens_at", instant::text(opens_at)),
            Self::Closed(closed_at) => Problem::new(ProblemType::BookingClosed).with("closed_at", instant::text(closed_at)),
            Self::AlreadyBooked(booking_id) => Problem::new(ProblemType::AlreadyBooked).with("booking_id", booking_id),
            Self::Overlapping(booking_id) => Problem::new(ProblemType::OverlappingBooking).with("booking_id", booking_id),
            Self::TooMany(Cap { over, of, max }) => {
                Problem::new(ProblemType::TooManyBookings).with("max", max).with("over", over).with("of", of)
            }
            Self::NoPass => Problem::new(ProblemType::NoPass).with("shop_url", shop_url),
            Self::NoHost => Problem::new(ProblemType::HostNotBooked),
            Self::TooManyGuests(max) => Problem::new(ProblemType::TooManyGuests).with("max", max),
            Self::OfferExpired => Problem::new(ProblemType::OfferExpired),
            Self::Suspended(Suspension { until, only_within_hours }) => {
                Problem::new(ProblemType::Suspended).with("until", instant::text(until)).with("only_within_hours", only_within_hours)
            }
            Self::Full { open, length, cap } => {
                Problem::new(ProblemType::SessionFull).with("waitlist", json!({ "open": open, "length": length, "cap": cap }))
            }
            Self::WaitlistFull { length, cap } => {
                Problem::new(ProblemType::WaitlistFull).with("waitlist", json!({ "open": false, "length": length, "cap": cap }))
            }
        }
    }
}
