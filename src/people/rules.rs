//! Who stays in a class if two entries turn out to be one person. Pure.

use crate::booking::{Booking, BookingStatus};

/// Of two bookings of one session, whether the first gives way: who came stays, then who has a place, then who waits; of two that are alike
/// the second.
pub fn gives_way(first: &Booking, second: &Booking) -> bool {
    rank(first) <= rank(second)
}

const fn rank(booking: &Booking) -> u8 {
    match booking.status {
        BookingStatus::Attended => 4,
        BookingStatus::Booked => 3,
        BookingStatus::NoShow if booking.released_at.is_none() => 2,
        BookingStatus::Offered => 2,
        BookingStatus::Waitlisted | BookingStatus::Standby => 1,
        BookingStatus::NoShow | BookingStatus::Cancelled | BookingStatus::LateCancelled => 0,
    }
}

/// Whether nobody can have both: they are places of two sessions at one time.
pub fn are_apart(one: &Booking, other: &Booking) -> bool {
    let is_in = |booking: &Booking| {
        !booking.is_guests() && matches!(booking.status, BookingStatus::Booked | BookingStatus::Offered | BookingStatus::Attended)
    };
    one.session_id != other.session_id && is_in(one) && is_in(other) && one.overlaps(other.starts_at, other.ends_at)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use uuid::Uuid;

    use super::*;
    use crate::booking::NewBooking;

    fn booking(status: BookingStatus, session: u128, starts_min: i64) -> Booking {
        let starts_at = DateTime::UNIX_EPOCH + TimeDelta::minutes(starts_min);
        let new = NewBooking {
            id: Uuid::nil(),
            session_id: Uuid::from_u128(session),
            studio_id: Uuid::nil(),
            person_id: Uuid::nil(),
            starts_at,
            ends_at: starts_at + TimeDelta::minutes(55),
            asked_by: Uuid::nil(),
            asked_pass_id: None,
            asked_waitlist: false,
            asked_unpaid: false,
            unpaid_reason: None,
        };
        Booking { status, ..Booking::brought_over(new, BookingStatus::Booked, starts_at, starts_at) }
    }

    #[test]
    fn who_stays_in_a_class() {
        use BookingStatus as Is;
        for (first, second, gives) in [
            (Is::Attended, Is::Booked, false),
            (Is::Booked, Is::Attended, true),
            (Is::Booked, Is::Booked, true),
            (Is::Attended, Is::Attended, true),
            (Is::NoShow, Is::Booked, true),
            (Is::NoShow, Is::Waitlisted, false),
            (Is::Waitlisted, Is::Offered, true),
            (Is::Booked, Is::Waitlisted, false),
            (Is::Waitlisted, Is::Waitlisted, true),
        ] {
            assert_eq!(gives_way(&booking(first, 1, 0), &booking(second, 1, 0)), gives, "{first:?} beside {second:?}");
        }
        let released = Booking { released_at: Some(DateTime::UNIX_EPOCH), ..booking(Is::NoShow, 1, 0) };
        assert!(gives_way(&released, &booking(Is::Waitlisted, 1, 0)));
    }

    #[test]
    fn nobody_is_in_two_classes() {
        use BookingStatus as Is;
        for (one, other, apart) in [
            (booking(Is::Booked, 1, 0), booking(Is::Attended, 2, 30), true),
            (booking(Is::Booked, 1, 0), booking(Is::Booked, 2, 55), false),
            (booking(Is::Booked, 1, 0), booking(Is::Booked, 1, 0), false),
            (booking(Is::Booked, 1, 0), booking(Is::Waitlisted, 2, 0), false),
            (booking(Is::NoShow, 1, 0), booking(Is::Booked, 2, 0), false),
        ] {
            assert_eq!(are_apart(&one, &other), apart, "{:?} beside {:?}", one.status, other.status);
        }
    }
}
