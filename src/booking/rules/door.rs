//! Who may stand at the door of a full session, and when and in which order unclaimed places are given to them. Pure.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::{Ask, MemberNow, SessionNow, Unable, payers, take};
use crate::booking::cut_off::CameBy;
use crate::booking::{Booking, BookingStatus, Place};
use crate::penalties::rules::PenaltyTerms;
use crate::studios::house_rules::HouseRules;
use crate::studios::house_rules::applied::SessionRules;

/// Why nobody is entered at the door, or no place given away there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAtTheDoor {
    /// The studio has cancelled the session.
    Cancelled,
    /// It is too early: from then on.
    TooEarly(DateTime<Utc>),
    /// The session is over: since then.
    Over(DateTime<Utc>),
    /// The member is in it already.
    AlreadyBooked(Uuid),
    /// A place is free: it can be booked.
    PlaceFree,
}

/// Whether staff may enter a member at the door: from when they may mark who came, while it is full.
pub fn stand_by(session: &SessionNow, rules: &HouseRules, member: MemberNow<'_>, now: DateTime<Utc>) -> Result<(), NotAtTheDoor> {
    let from = session.starts_at - Duration::minutes(rules.attendance_from_min);
    open(session, from, now)?;
    match member.in_session(session.id) {
        Some(booking) => Err(NotAtTheDoor::AlreadyBooked(booking.id)),
        None if session.places_public(now) > 0 => Err(NotAtTheDoor::PlaceFree),
        None => Ok(()),
    }
}

/// Whether places that nobody has claimed may be given away: not before those who wait can get none any more.
pub fn release(session: &SessionNow, rules: &HouseRules, now: DateTime<Utc>) -> Result<(), NotAtTheDoor> {
    let from = session.starts_at + Duration::minutes(rules.door_release_min);
    open(session, from.max(session.waiting_ends_at), now)
}

fn open(session: &SessionNow, from: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), NotAtTheDoor> {
    match session.cancelled {
        true => Err(NotAtTheDoor::Cancelled),
        false if now < from => Err(NotAtTheDoor::TooEarly(from)),
        false if now >= session.ends_at => Err(NotAtTheDoor::Over(session.ends_at)),
        false => Ok(()),
    }
}

/// What a place at the door costs a member who is let in: what pays, and no penalty. They have come.
pub fn let_in(
    session: &SessionNow,
    rules: &SessionRules<'_>,
    member: MemberNow<'_>,
    ask: Ask,
    now: DateTime<Utc>,
) -> Result<Place, Unable> {
    let place = take(session, rules, member, &payers(session, rules, member, ask), ask, CameBy::Offer, now)?;
    Ok(Place { penalty_terms: PenaltyTerms::default(), ..place })
}

/// Those who stand at the door, in the order in which they came.
pub fn in_order_of_arrival(roster: &[Booking]) -> Vec<Booking> {
    let mut standing: Vec<Booking> = roster.iter().filter(|booking| booking.status == BookingStatus::Standby).cloned().collect();
    standing.sort_by_key(|booking| (booking.created_at, booking.id));
    standing
}

/// The bookings whose places may be given away, among these if some are named: who has not come, the last to book first.
pub fn unclaimed(roster: &[Booking], named: Option<&[Uuid]>) -> Vec<Booking> {
    let may_go = |booking: &&Booking| booking.status == BookingStatus::Booked && named.is_none_or(|named| named.contains(&booking.id));
    let mut unclaimed: Vec<Booking> = roster.iter().filter(may_go).cloned().collect();
    unclaimed.sort_by_key(|booking| std::cmp::Reverse((booking.created_at, booking.id)));
    unclaimed
}
