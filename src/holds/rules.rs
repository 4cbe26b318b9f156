//! Who may keep places back, how many, and until when. Pure.

use chrono::{DateTime, Utc};

use crate::booking::rules::SessionNow;
use crate::people::roles::Roles;
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule::SessionRow;
use crate::wrong::Wrong;

/// Whether they keep places of this session back: its studio's front desk and admins do. 404 for those who could not see the session either.
pub fn may_hold(roles: &Roles, session: &SessionRow) -> Answer<()> {
    if roles.is_front_desk(session.studio_id) {
        return Ok(());
    }
    let sees = !session.is_for_staff() || roles.is_staff(session.studio_id);
    Err(Problem::new(if sees { ProblemType::NotAllowed } else { ProblemType::NotFound }))
}

/// Why a hold is not set so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The studio has cancelled the session.
    Cancelled,
    /// The session is over.
    Over,
    /// It would have ended already.
    UntilPast,
    /// A hold until an instant ends at the start at the latest.
    UntilAfterStart,
    /// More places than are free: so many there are for it.
    NotFree(i64),
}

/// Whether a hold that keeps `own` places by now may keep so many, until then. What is offered to those who wait, or kept for them, is not
/// free; fewer places than before there always are.
pub fn set(session: &SessionNow, own: i64, places: i64, until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<(), Refused> {
    if session.cancelled {
        return Err(Refused::Cancelled);
    }
    if now >= session.ends_at {
        return Err(Refused::Over);
    }
    match until {
        Some(until) if until <= now => return Err(Refused::UntilPast),
        Some(until) if until > session.starts_at => return Err(Refused::UntilAfterStart),
        _ => {}
    }
    let room = own + session.places_public(now).max(0);
    if places > room.max(own) { Err(Refused::NotFree(room)) } else { Ok(()) }
}

impl Refused {
    /// The answer, with the facts.
    pub fn problem(self, session: &SessionNow) -> Problem {
        match self {
            Self::Cancelled => Problem::new(ProblemType::SessionCancelled),
            Self::Over => Problem::new(ProblemType::SessionOver),
            Self::UntilPast => Problem::field("until", Wrong::NotInFuture),
            Self::UntilAfterStart => Problem::field("until", Wrong::AfterStart),
            Self::NotFree(room) => {
                let refused = Problem::new(ProblemType::PlacesNotFree).with("places_left", room);
                refused.with("booked", session.taken).with("held", session.held)
            }
        }
    }
}

/// Whether the time of a hold is over: its own instant has come, or, if it has one, the start, to which its session may have been moved.
pub fn is_over(until: Option<DateTime<Utc>>, starts_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    until.is_some_and(|until| until.min(starts_at) <= now)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use chrono_tz::Europe::Paris;
    use uuid::Uuid;

    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        format!("2026-12-01T{text}:00Z").parse().unwrap()
    }

    /// Tuesday 1 December, 18:00 in Paris: three places, one taken, none held.
    fn evening() -> SessionNow {
        SessionNow {
            id: Uuid::from_u128(1),
            studio_id: Uuid::from_u128(2),
            class_type_id: Uuid::from_u128(3),
            zone: Paris,
            starts_at: utc("17:00"),
            ends_at: utc("18:00"),
            local_date: NaiveDate::from_ymd_opt(2026, 12, 1).unwrap(),
            credits: 1,
            cancelled: false,
            capacity: 3,
            taken: 1,
            held: 0,
            waiting: 0,
            waitlist_cap: None,
            booking_opens_at: utc("00:00"),
            booking_closes_at: utc("17:00"),
            free_cancel_until: utc("05:00"),
            promote_until: utc("05:00"),
            offers_until: None,
            kept_until: None,
            waiting_ends_at: utc("17:00"),
        }
    }

    #[test]
    fn a_hold_takes_what_is_free() {
        use Refused::*;
        let held = |held| SessionNow { held, ..evening() };
        let kept = SessionNow { waiting: 1, kept_until: Some(utc("13:00")), ..held(1) };
        for (name, session, own, places, until, now, expected) in [
            ("all that is free", evening(), 0, 2, None, "12:00", Ok(())),
            ("one more than is free", evening(), 0, 3, None, "12:00", Err(NotFree(2))),
            ("its own places are free to it", held(2), 2, 2, None, "12:00", Ok(())),
            ("another's are not", held(2), 1, 2, None, "12:00", Err(NotFree(1))),
            ("fewer than before", held(2), 2, 1, None, "12:00", Ok(())),
            ("what is kept for those who wait is not free", kept, 1, 2, None, "12:00", Err(NotFree(1))),
            ("fewer, while the rest is kept for those who wait", kept, 1, 1, None, "12:00", Ok(())),
            ("no longer kept for them", kept, 1, 2, None, "13:00", Ok(())),
            ("until just after now", evening(), 0, 1, Some("12:01"), "12:00", Ok(())),
            ("until now", evening(), 0, 1, Some("12:00"), "12:00", Err(UntilPast)),
            ("until the start", evening(), 0, 1, Some("17:00"), "12:00", Ok(())),
            ("until after the start", evening(), 0, 1, Some("17:01"), "12:00", Err(UntilAfterStart)),
            ("while the class goes on", evening(), 0, 1, None, "17:59", Ok(())),
            ("at its end", evening(), 0, 1, None, "18:00", Err(Over)),
            ("cancelled", SessionNow { cancelled: true, ..evening() }, 0, 1, None, "12:00", Err(Cancelled)),
        ] {
            assert_eq!(set(&session, own, places, until.map(utc), utc(now)), expected, "{name}");
        }
    }

    #[test]
    fn a_hold_ends_at_its_instant_or_at_the_start() {
        for (until, starts_at, now, expected) in [
            (None, "17:00", "17:00", false),
            (Some("12:00"), "17:00", "11:59", false),
            (Some("12:00"), "17:00", "12:00", true),
            // Its session was moved to an earlier time.
            (Some("12:00"), "11:00", "10:59", false),
            (Some("12:00"), "11:00", "11:00", true),
        ] {
            assert_eq!(is_over(until.map(utc), utc(starts_at), utc(now)), expected, "until {until:?}, {now}");
        }
    }
}
