//! The policy as truth tables: what a member, a waiting member, staff and the studio may do, and what it costs.

use chrono::NaiveDate;
use chrono_tz::Europe::Paris;
use sqlx::types::Json;

use super::*;
use crate::booking::conditions::Conditions;
use crate::booking::{EndedBy, NewBooking};
use crate::passes::{PassKind, PassState};
use crate::penalties::Forgiven;
use crate::studios::house_rules::Overrides;
use crate::studios::house_rules::applied::{ByPassType, PassTypeRules};

const STUDIO: Uuid = Uuid::from_u128(1);
const BARRE: Uuid = Uuid::from_u128(2);
const EVENING: Uuid = Uuid::from_u128(3);
const MEMBER: Uuid = Uuid::from_u128(4);
const PACK: Uuid = Uuid::from_u128(5);
const OTHER: Uuid = Uuid::from_u128(6);
const TEN: Uuid = Uuid::from_u128(7);
const GOLD: Uuid = Uuid::from_u128(8);
const BALLET: Uuid = Uuid::from_u128(9);

fn utc(text: &str) -> DateTime<Utc> {
    format!("{text}:00Z").parse().unwrap()
}

/// Tuesday 1 December, 18:00 in Paris: one credit, ten places, free to cancel and promoted until 06:00, opened two weeks before.
fn evening() -> SessionNow {
    SessionNow {
        id: EVENING,
        studio_id: STUDIO,
        class_type_id: BARRE,
        zone: Paris,
        starts_at: utc("2026-12-01T17:00"),
        ends_at: utc("2026-12-01T18:00"),
        local_date: NaiveDate::from_ymd_opt(2026, 12, 1).unwrap(),
        credits: 1,
        cancelled: false,
        capacity: 10,
        taken: 9,
        held: 0,
        waiting: 0,
        waitlist_cap: Some(3),
        booking_opens_at: utc("2026-11-17T11:00"),
        booking_closes_at: utc("2026-12-01T17:00"),
        free_cancel_until: utc("2026-12-01T05:00"),
        promote_until: utc("2026-12-01T05:00"),
        offers_until: None,
        kept_until: None,
        waiting_ends_at: utc("2026-12-01T17:00"),
    }
}

fn full() -> SessionNow {
    SessionNow { taken: 10, ..evening() }
}

fn pack(credits: i64) -> PassState {
    PassState {
        id: PACK,
        pass_type_id: TEN,
        of_family: false,
        kind: PassKind::Pack,
        credits_left: Some(credits),
        per_week: None,
        expires_on: NaiveDate::from_ymd_opt(2027, 6, 1).unwrap(),
        starts_on: None,
        frozen: None,
        ended: false,
        class_type_ids: None,
        studio_ids: vec![STUDIO],
    }
}

fn asked(id: Uuid, session_id: Uuid, starts_at: DateTime<Utc>) -> NewBooking {
    NewBooking {
        id,
        session_id,
        studio_id: STUDIO,
        person_id: MEMBER,
        starts_at,
        ends_at: starts_at + Duration::hours(1),
        asked_by: MEMBER,
        asked_pass_id: None,
        asked_waitlist: false,
        asked_unpaid: false,
        unpaid_reason: None,
    }
}

fn place(credits: i64) -> Place {
    let payment = Payment { pass_id: Some(PACK), credits, visit_week: None };
    Place { payment, free_cancel_until: Some(utc("2026-12-01T05:00")), penalty_terms: PenaltyTerms::default() }
}

fn booked(id: Uuid, session_id: Uuid, starts_at: &str) -> Booking {
    Booking::with_place(asked(id, session_id, utc(starts_at)), &place(1), utc("2026-11-20T12:00"))
}

fn waits(id: Uuid, session_id: Uuid, starts_at: &str) -> Booking {
    Booking::in_queue(asked(id, session_id, utc(starts_at)), 1, utc("2026-11-20T12:00"))
}

fn offered() -> Booking {
    let mut booking = waits(Uuid::from_u128(11), EVENING, "2026-12-01T17:00");
    booking.offer(utc("2026-12-01T10:00")).unwrap();
    booking
}

/// How caps count these bookings, all of barre and of packs: not the place in the session that is decided about.
fn places(bookings: &[&Booking], now: &str) -> Vec<PlaceTaken> {
    let others = bookings.iter().filter(|booking| booking.session_id != EVENING);
    others.filter_map(|booking| PlaceTaken::of(booking, Paris, Some(BARRE), Some(TEN), utc(now))).collect()
}

/// A member who asks for themselves, on a day on which everything is open.
const ALONE: Ask = Ask { pass_id: None, waitlist: false, by_staff: false, unpaid: false };
const WOULD_WAIT: Ask = Ask { waitlist: true, ..ALONE };
const BY_STAFF: Ask = Ask { by_staff: true, ..ALONE };
const UNPAID: Ask = Ask { unpaid: true, ..BY_STAFF };

const OPEN: &str = "2026-11-20T12:00";

/// What is tried, the session, the member's other bookings and credits, what they ask, when, and what comes of it.
type Case = (&'static str, SessionNow, Vec<Booking>, i64, Ask, &'static str, &'static str);

/// What comes of booking `session`, with these bookings and this pack, in one word.
fn booking_is(session: &SessionNow, ahead: &[Booking], credits: i64, ask: Ask, now: &str) -> String {
    let ahead: Vec<&Booking> = ahead.iter().collect();
    let (passes, places) = ([pack(credits)], places(&ahead, now));
    let member = MemberNow { ahead: &ahead, passes: &passes, visits: &[], places: &places, suspended: None };
    let rules = HouseRules { bookings_ahead_max: 2, ..HouseRules::default() };
    match book(session, &SessionRules::of_studio(&rules), member, ask, utc(now)) {
        Ok(Admission::Place(place)) => format!("a place for {}", place.payment.credits),
        Ok(Admission::Queue) => "the queue".to_owned(),
        Err(BookingRefusal::SessionCancelled) => "cancelled".to_owned(),
        Err(BookingRefusal::NotOpenYet(_)) => "not open yet".to_owned(),
        Err(BookingRefusal::Closed(_)) => "closed".to_owned(),
        Err(BookingRefusal::AlreadyBooked(_)) => "in it already".to_owned(),
        Err(BookingRefusal::Overlapping(_)) => "elsewhere then".to_owned(),
        Err(BookingRefusal::TooMany(_)) => "too many".to_owned(),
        Err(BookingRefusal::NoPass) => "no pass".to_owned(),
        Err(BookingRefusal::Full { open, .. }) => format!("full, waitlist {}", if open { "open" } else { "shut" }),
        Err(BookingRefusal::WaitlistFull { .. }) => "waitlist full".to_owned(),
        Err(BookingRefusal::OfferExpired) => "offer expired".to_owned(),
        Err(BookingRefusal::Suspended(_)) => "suspended".to_owned(),
        Err(refusal @ (BookingRefusal::NoHost | BookingRefusal::TooManyGuests(_))) => format!("{refusal:?}"),
    }
}

#[test]
fn book_for_a_guest() {
    let here = booked(Uuid::from_u128(13), EVENING, "2026-12-01T17:00");
    let came = Booking { status: BookingStatus::Attended, ..here.clone() };
    let waiting = waits(Uuid::from_u128(13), EVENING, "2026-12-01T17:00");
    let guests = Booking { guest_of: Some(here.id), ..booked(Uuid::from_u128(14), EVENING, "2026-12-01T17:00") };
    let days = |n: u128| booked(Uuid::from_u128(20 + n), Uuid::from_u128(40 + n), &format!("2026-12-{:02}T17:00", 2 + n));
    let kept = SessionNow { waiting: 1, kept_until: Some(utc("2026-11-20T12:01")), ..evening() };
    let (one, none) = (HouseRules::default(), HouseRules { guests_max: 0, ..HouseRules::default() });
    let two = HouseRules { guests_max: 2, bookings_ahead_max: 1, ..HouseRules::default() };
    let table = [
        ("beside one's own place", evening(), vec![here.clone()], &one, 1, ALONE, OPEN, "a place for 1"),
        ("without a place of one's own", evening(), vec![], &one, 1, ALONE, OPEN, "NoHost"),
        ("while one waits", evening(), vec![waiting], &one, 1, ALONE, OPEN, "NoHost"),
        ("beside another guest alone", evening(), vec![guests.clone()], &one, 1, ALONE, OPEN, "NoHost"),
        ("the second", evening(), vec![here.clone(), guests.clone()], &one, 1, ALONE, OPEN, "TooManyGuests(1)"),
        (
            "the second of two, and no cap counts it",
            evening(),
            vec![here.clone(), guests.clone(), days(0)],
            &two,
            1,
            ALONE,
            OPEN,
            "a place for 1",
        ),
        ("where there are none", evening(), vec![here.clone()], &none, 1, ALONE, OPEN, "TooManyGuests(0)"),
        ("by staff, where there are none", evening(), vec![here.clone()], &none, 1, BY_STAFF, OPEN, "a place for 1"),
        ("by staff, after the start", evening(), vec![came.clone()], &one, 1, BY_STAFF, "2026-12-01T17:30", "a place for 1"),
        ("after the start", evening(), vec![came], &one, 1, ALONE, "2026-12-01T17:30", "Closed(2026-12-01T17:00:00Z)"),
        ("with no credit left", evening(), vec![here.clone()], &one, 0, ALONE, OPEN, "NoPass"),
        ("for nothing, by staff", evening(), vec![here.clone()], &one, 0, UNPAID, OPEN, "a place for 0"),
        ("no place is left", full(), vec![here.clone()], &one, 1, WOULD_WAIT, OPEN, "full"),
        ("the place is kept for who waits", kept, vec![here.clone()], &one, 1, ALONE, OPEN, "full"),
        ("the studio cancelled it", SessionNow { cancelled: true, ..evening() }, vec![here], &one, 1, ALONE, OPEN, "SessionCancelled"),
    ];
    for (case, session, ahead, rules, credits, ask, now, expected) in table {
        let ahead: Vec<&Booking> = ahead.iter().collect();
        let (passes, places) = ([pack(credits)], places(&ahead, now));
        let host = MemberNow { ahead: &ahead, passes: &passes, visits: &[], places: &places, suspended: None };
        let decided = match book_guest(&session, &SessionRules::of_studio(rules), host, ask, utc(now)) {
            Ok((_, place)) => format!("a place for {}", place.payment.credits),
            Err(BookingRefusal::Full { .. }) => "full".to_owned(),
            Err(refusal) => format!("{refusal:?}"),
        };
        assert_eq!(decided, expected, "{case}");
    }
}

#[test]
fn book_a_place() {
    let elsewhere = booked(Uuid::from_u128(10), OTHER, "2026-12-01T17:30");
    let after = booked(Uuid::from_u128(11), OTHER, "2026-12-01T18:00");
    let waiting = waits(Uuid::from_u128(12), OTHER, "2026-12-01T17:30");
    let here = booked(Uuid::from_u128(13), EVENING, "2026-12-01T17:00");
    let days = |n: u128| booked(Uuid::from_u128(20 + n), Uuid::from_u128(40 + n), &format!("2026-12-{:02}T17:00", 2 + n));
    let cancelled = SessionNow { cancelled: true, ..evening() };
    let table: Vec<Case> = vec![
        ("a free place", evening(), vec![], 1, ALONE, OPEN, "a place for 1"),
        ("the studio cancelled it", cancelled, vec![], 1, ALONE, OPEN, "cancelled"),
        ("the minute before it opens", evening(), vec![], 1, ALONE, "2026-11-17T10:59", "not open yet"),
        ("the minute at which it opens", evening(), vec![], 1, ALONE, "2026-11-17T11:00", "a place for 1"),
        ("the last minute before the start", evening(), vec![], 1, ALONE, "2026-12-01T16:59", "a place for 1"),
        ("the start", evening(), vec![], 1, ALONE, "2026-12-01T17:00", "closed"),
        ("in it already", evening(), vec![here], 1, ALONE, OPEN, "in it already"),
        ("in another one then", evening(), vec![elsewhere.clone()], 1, ALONE, OPEN, "elsewhere then"),
        ("in the one that begins when it ends", evening(), vec![after], 1, ALONE, OPEN, "a place for 1"),
        ("waiting for another one then", evening(), vec![waiting], 1, ALONE, OPEN, "a place for 1"),
        ("as many ahead as allowed", evening(), vec![days(0), days(1)], 1, ALONE, OPEN, "too many"),
        ("one fewer", evening(), vec![days(0)], 1, ALONE, OPEN, "a place for 1"),
        ("an empty pack", evening(), vec![], 0, ALONE, OPEN, "no pass"),
        ("held places are taken", SessionNow { taken: 5, held: 5, ..evening() }, vec![], 1, ALONE, OPEN, "full, waitlist open"),
        ("staff, before it opens", evening(), vec![], 1, BY_STAFF, "2026-11-01T10:00", "a place for 1"),
        ("staff, after the start", evening(), vec![], 1, BY_STAFF, "2026-12-01T17:30", "a place for 1"),
        ("staff, after the end", evening(), vec![], 1, BY_STAFF, "2026-12-01T18:00", "closed"),
        ("staff, above the cap", evening(), vec![days(0), days(1)], 1, BY_STAFF, OPEN, "a place for 1"),
        ("staff, an overlap", evening(), vec![elsewhere], 1, BY_STAFF, OPEN, "elsewhere then"),
        ("staff, for nothing", evening(), vec![], 0, UNPAID, OPEN, "a place for 0"),
    ];
    for (case, session, ahead, credits, ask, now, expected) in table {
        assert_eq!(booking_is(&session, &ahead, credits, ask, now), expected, "{case}");
    }
}

#[test]
fn book_a_full_session() {
    let elsewhere = booked(Uuid::from_u128(10), OTHER, "2026-12-01T17:30");
    let waiting = |waiting| SessionNow { waiting, ..full() };
    let ends = SessionNow { waiting_ends_at: utc("2026-12-01T16:00"), ..full() };
    let kept = |waiting| SessionNow { waiting, kept_until: Some(utc("2026-11-20T12:01")), ..evening() };
    let no_cap = SessionNow { waiting: 500, waitlist_cap: None, ..full() };
    let table: Vec<Case> = vec![
        ("without a wish to wait", full(), vec![], 1, ALONE, OPEN, "full, waitlist open"),
        ("the same, with the queue at its cap", waiting(3), vec![], 1, ALONE, OPEN, "full, waitlist shut"),
        ("would wait", full(), vec![], 1, WOULD_WAIT, OPEN, "the queue"),
        ("would wait, without a credit", full(), vec![], 0, WOULD_WAIT, OPEN, "the queue"),
        ("would wait, elsewhere then", full(), vec![elsewhere], 1, WOULD_WAIT, OPEN, "the queue"),
        ("the last place in the queue", waiting(2), vec![], 1, WOULD_WAIT, OPEN, "the queue"),
        ("the queue is at its cap", waiting(3), vec![], 1, WOULD_WAIT, OPEN, "waitlist full"),
        ("no cap", no_cap, vec![], 1, WOULD_WAIT, OPEN, "the queue"),
        ("staff jump the cap", waiting(3), vec![], 1, Ask { waitlist: true, ..BY_STAFF }, OPEN, "the queue"),
        ("the waiting is over", ends, vec![], 1, WOULD_WAIT, "2026-12-01T16:00", "full, waitlist shut"),
        ("a place is kept for those who wait", kept(1), vec![], 1, ALONE, OPEN, "full, waitlist open"),
        ("would wait for a kept place", kept(1), vec![], 1, WOULD_WAIT, OPEN, "the queue"),
        ("staff give no kept place past the queue", kept(1), vec![], 1, BY_STAFF, OPEN, "full, waitlist open"),
        ("nobody waits for the kept place", kept(0), vec![], 1, ALONE, OPEN, "a place for 1"),
    ];
    for (case, session, ahead, credits, ask, now, expected) in table {
        assert_eq!(booking_is(&session, &ahead, credits, ask, now), expected, "{case}");
    }
}

#[test]
fn overlapping_waitlists_may_be_forbidden() {
    let waiting = waits(Uuid::from_u128(12), OTHER, "2026-12-01T17:30");
    let passes = [pack(1)];
    let member = MemberNow { ahead: &[&waiting], passes: &passes, visits: &[], places: &[], suspended: None };
    let decide = |overlapping_waitlists| {
        let rules = HouseRules { overlapping_waitlists, ..HouseRules::default() };
        book(&full(), &SessionRules::of_studio(&rules), member, WOULD_WAIT, utc(OPEN))
    };
    assert_eq!(decide(true), Ok(Admission::Queue));
    assert_eq!(decide(false), Err(BookingRefusal::Overlapping(waiting.id)));
}

#[test]
fn accept_a_public_place() {
    let late = "2026-12-01T10:00";
    let table = [
        ("it is free", evening(), 1, late, Ok(1)),
        ("somebody was faster", full(), 1, late, Err("full")),
        ("booking is closed", evening(), 1, "2026-12-01T17:00", Err("closed")),
        ("the studio cancelled it", SessionNow { cancelled: true, ..evening() }, 1, late, Err("cancelled")),
        ("nothing pays", evening(), 0, late, Err("no pass")),
    ];
    for (case, session, credits, now, expected) in table {
        let passes = [pack(credits)];
        let member = MemberNow { ahead: &[], passes: &passes, visits: &[], places: &[], suspended: None };
        let decided = accept(&session, &SessionRules::of_studio(&HouseRules::default()), member, WOULD_WAIT, utc(now));
        let decided = decided.map(|place| place.payment.credits).map_err(|refusal| match refusal {
            BookingRefusal::Full { .. } => "full",
            BookingRefusal::Closed(_) => "closed",
            BookingRefusal::SessionCancelled => "cancelled",
            BookingRefusal::NoPass => "no pass",
            _ => "something else",
        });
        assert_eq!(decided, expected, "{case}");
    }
}

#[test]
fn promote_from_the_waitlist() {
    let own = waits(Uuid::from_u128(14), EVENING, "2026-12-01T17:00");
    let elsewhere = booked(Uuid::from_u128(10), OTHER, "2026-12-01T17:30");
    let next_day = booked(Uuid::from_u128(11), OTHER, "2026-12-02T17:30");
    let rules = HouseRules { bookings_ahead_max: 1, ..HouseRules::default() };
    let table = [
        ("who can, is in", vec![own.clone()], 1, Ok(1)),
        ("in another place then", vec![own.clone(), elsewhere], 1, Err(PassedOver::Overlap)),
        ("as many ahead as allowed", vec![own.clone(), next_day], 1, Err(PassedOver::TooManyBookings)),
        ("no credit left", vec![own], 0, Err(PassedOver::NoPass)),
    ];
    for (case, ahead, credits, expected) in table {
        let (ahead, passes): (Vec<&Booking>, _) = (ahead.iter().collect(), [pack(credits)]);
        let places = places(&ahead, OPEN);
        let member = MemberNow { ahead: &ahead, passes: &passes, visits: &[], places: &places, suspended: None };
        let decided = promote(&evening(), &SessionRules::of_studio(&rules), member, WOULD_WAIT, false, utc(OPEN));
        let credits = |turn| match turn {
            Turn::Promoted(place) => place.payment.credits,
            other => panic!("{case}: {other:?}"),
        };
        assert_eq!(decided.map(credits), expected, "{case}");
        assert_eq!(
            could_take(&evening(), &SessionRules::of_studio(&rules), member, WOULD_WAIT, utc(OPEN)).map(|place| place.payment.credits),
            expected,
            "{case}"
        );
    }
    let passes = [pack(1)];
    let member = MemberNow { ahead: &[], passes: &passes, visits: &[], places: &[], suspended: None };
    let again = promote(&evening(), &SessionRules::of_studio(&rules), member, WOULD_WAIT, true, utc(OPEN));
    assert_eq!(again, Err(PassedOver::TurnedDown), "who gave back a promotion");
}

/// Quiet hours are from 22:00 to 07:00 in Paris, 21:00 to 06:00 in UTC.
#[test]
fn a_promotion_that_would_cost_before_it_is_read_is_offered() {
    let in_the_evening = HouseRules { promotion_until_min: Some(60), ..HouseRules::default() };
    let no_grace = HouseRules { grace_promotion_min: 0, ..in_the_evening.clone() };
    let at = |starts: &str| SessionNow {
        starts_at: utc(starts),
        ends_at: utc(starts) + Duration::hours(1),
        free_cancel_until: utc(starts) - Duration::hours(12),
        ..evening()
    };
    let table = [
        ("free until after the quiet hours", &no_grace, at("2026-12-02T18:30"), 1, "2026-12-01T22:00", "promoted"),
        ("free until they end", &no_grace, at("2026-12-02T18:00"), 1, "2026-12-01T22:00", "promoted"),
        ("free until a minute before", &no_grace, at("2026-12-02T17:59"), 1, "2026-12-01T22:00", "offered from 06:00 to 06:30"),
        ("no free way out any more", &no_grace, at("2026-12-02T10:00"), 1, "2026-12-01T22:30", "offered from 06:00 to 06:30"),
        ("grace is counted outside quiet hours", &in_the_evening, at("2026-12-02T10:00"), 1, "2026-12-01T22:30", "promoted"),
        ("it costs nothing", &no_grace, at("2026-12-02T10:00"), 0, "2026-12-01T22:30", "promoted"),
        ("a full clock just fits", &no_grace, at("2026-12-02T07:15"), 1, "2026-12-01T22:30", "offered from 06:00 to 06:30"),
        ("it does not", &no_grace, at("2026-12-02T07:14"), 1, "2026-12-01T22:30", "open"),
        ("the grace ends with a start in quiet hours", &in_the_evening, at("2026-12-02T05:30"), 1, "2026-12-01T22:30", "open"),
        ("in the daytime", &no_grace, at("2026-12-02T10:00"), 1, "2026-12-02T06:00", "promoted"),
    ];
    for (case, rules, session, credits, now, expected) in table {
        let session = SessionNow { credits, promote_until: session.starts_at - Duration::hours(1), ..session };
        let passes = [pack(1)];
        let member = MemberNow { ahead: &[], passes: &passes, visits: &[], places: &[], suspended: None };
        let came = match promote(&session, &SessionRules::of_studio(rules), member, WOULD_WAIT, false, utc(now)).unwrap() {
            Turn::Promoted(_) => "promoted".to_owned(),
            Turn::Offered(clock, _) => {
                format!("offered from {} to {}", clock.clock_starts_at.format("%H:%M"), clock.expires_at.format("%H:%M"))
            }
            Turn::Open => "open".to_owned(),
        };
        assert_eq!(came, expected, "{case}");
    }
}

#[test]
fn the_clock_of_an_offer() {
    let session = evening();
    let clock = |now: &str| {
        let clock = offer_clock(&session, &HouseRules::default(), utc(now));
        clock.map(|clock| [clock.clock_starts_at, clock.expires_at].map(|at| at.format("%dT%H:%M").to_string()))
    };
    let from_to = |from: &str, to: &str| Some([from.to_owned(), to.to_owned()]);
    assert_eq!(clock("2026-11-30T12:00"), from_to("30T12:00", "30T12:30"));
    // It is made just before the quiet hours and runs on in them.
    assert_eq!(clock("2026-11-30T20:59"), from_to("30T20:59", "30T21:29"));
    assert_eq!(clock("2026-11-30T21:00"), from_to("01T06:00", "01T06:30"));
    // Offers end 45 minutes before the start at 17:00.
    assert_eq!(clock("2026-12-01T15:45"), from_to("01T15:45", "01T16:15"));
    assert_eq!(clock("2026-12-01T15:46"), None);
}

#[test]
fn accept_an_offered_place() {
    let own = || {
        let mut own = waits(Uuid::from_u128(14), EVENING, "2026-12-01T17:00");
        own.offer(utc("2026-12-01T10:00")).unwrap();
        own
    };
    let elsewhere = booked(Uuid::from_u128(10), OTHER, "2026-12-01T17:30");
    let until = utc("2026-12-01T10:30");
    let cancelled = SessionNow { cancelled: true, ..full() };
    let closed = SessionNow { booking_closes_at: utc("2026-12-01T09:00"), ..full() };
    let table = [
        ("the place is kept, though the session is full", full(), vec![own()], 1, "2026-12-01T10:29", Ok(1)),
        ("booking is closed, the offer stands", closed, vec![own()], 1, "2026-12-01T10:29", Ok(1)),
        ("its time is over", full(), vec![own()], 1, "2026-12-01T10:30", Err(BookingRefusal::OfferExpired)),
        ("nothing pays any more", full(), vec![own()], 0, "2026-12-01T10:29", Err(BookingRefusal::NoPass)),
        (
            "booked elsewhere meanwhile",
            full(),
            vec![own(), elsewhere.clone()],
            1,
            "2026-12-01T10:29",
            Err(BookingRefusal::Overlapping(elsewhere.id)),
        ),
        ("the studio cancelled it", cancelled, vec![own()], 1, "2026-12-01T10:29", Err(BookingRefusal::SessionCancelled)),
    ];
    // The offer itself is no booking too many.
    let rules = HouseRules { bookings_ahead_max: 1, ..HouseRules::default() };
    for (case, session, ahead, credits, now, expected) in table {
        let (ahead, passes): (Vec<&Booking>, _) = (ahead.iter().collect(), [pack(credits)]);
        let places = places(&ahead, OPEN);
        let member = MemberNow { ahead: &ahead, passes: &passes, visits: &[], places: &places, suspended: None };
        let decided = accept_offer(&session, &SessionRules::of_studio(&rules), member, WOULD_WAIT, until, utc(now));
        if let Ok(place) = &decided {
            assert_eq!(place.free_cancel_until, None, "{case}: an accepted offer has no grace");
        }
        assert_eq!(decided.map(|place| place.payment.credits), expected, "{case}");
    }
}

#[test]
fn a_promotion_has_a_grace_of_its_own() {
    let passes = [pack(1)];
    let member = MemberNow { ahead: &[], passes: &passes, visits: &[], places: &[], suspended: None };
    // After the session's cut-off: 5 minutes for a member who booked, 15 for one who was promoted.
    let now = utc("2026-12-01T12:00");
    let rules = HouseRules::default();
    let taken = accept(&evening(), &SessionRules::of_studio(&rules), member, WOULD_WAIT, now).unwrap();
    let Ok(Turn::Promoted(moved)) = promote(&evening(), &SessionRules::of_studio(&rules), member, WOULD_WAIT, false, now) else {
        panic!("promoted")
    };
    assert_eq!(taken.free_cancel_until, Some(utc("2026-12-01T12:05")));
    assert_eq!(moved.free_cancel_until, Some(utc("2026-12-01T12:15")));
}

#[test]
fn refill_a_freed_place() {
    let one_waits = || SessionNow { waiting: 1, ..evening() };
    let until = utc("2026-12-01T16:15");
    let late = || SessionNow { offers_until: Some(until), ..one_waits() };
    let clock = |from: &str| {
        let clock_starts_at = utc(from);
        Refill::Offer(OfferClock { clock_starts_at, expires_at: clock_starts_at + Duration::minutes(30) })
    };
    let closed = SessionNow { booking_closes_at: utc("2026-12-01T08:00"), waiting_ends_at: until, ..late() };
    use AfterCutoff::{NotifyAll, Offers, Open, Staff};
    let table = [
        ("before the promotion cut-off", one_waits(), Open, "2026-12-01T04:59", Refill::Promote),
        ("from the cut-off on", one_waits(), Open, "2026-12-01T05:00", Refill::Public),
        ("when the waiting is over", one_waits(), Open, "2026-12-01T17:00", Refill::Nothing),
        ("nobody waits", evening(), Open, "2026-12-01T04:59", Refill::Nothing),
        ("no place is free", SessionNow { waiting: 1, ..full() }, Open, "2026-12-01T04:59", Refill::Nothing),
        ("the free place is held back", SessionNow { held: 1, ..one_waits() }, Open, "2026-12-01T04:59", Refill::Nothing),
        ("the studio cancelled it", SessionNow { cancelled: true, ..one_waits() }, Open, "2026-12-01T04:59", Refill::Nothing),
        ("offers, before the cut-off", late(), Offers, "2026-12-01T04:59", Refill::Promote),
        ("offers, from the cut-off on, in quiet hours", late(), Offers, "2026-12-01T05:00", clock("2026-12-01T06:00")),
        ("offers, as long as a full clock fits", late(), Offers, "2026-12-01T15:45", clock("2026-12-01T15:45")),
        ("offers, when none fits any more", late(), Offers, "2026-12-01T15:46", Refill::Public),
        ("offers, after booking has closed", closed, Offers, "2026-12-01T10:00", clock("2026-12-01T10:00")),
        ("nobody can be asked, and booking has closed", closed, Offers, "2026-12-01T15:46", Refill::Nothing),
        ("all are asked", late(), NotifyAll, "2026-12-01T05:00", Refill::Ask(until)),
        ("all are asked, until offers end", late(), NotifyAll, "2026-12-01T16:15", Refill::Public),
        ("staff decide", late(), Staff, "2026-12-01T05:00", Refill::Staff(until)),
        ("staff decide, until offers end", late(), Staff, "2026-12-01T16:15", Refill::Public),
        ("a session that was scheduled before there were offers", one_waits(), Offers, "2026-12-01T10:00", Refill::Public),
    ];
    for (case, session, after_cutoff, now, expected) in table {
        let rules = HouseRules { after_cutoff, ..HouseRules::default() };
        assert_eq!(refill(&session, &rules, utc(now)), expected, "{case}");
    }
}

#[test]
fn accept_a_kept_place() {
    let kept = |waiting| SessionNow { waiting, kept_until: Some(utc("2026-12-01T16:15")), ..evening() };
    let table = [
        ("the first of those who wait", AfterCutoff::NotifyAll, kept(2), "2026-12-01T10:00", true),
        ("it is for staff to give", AfterCutoff::Staff, kept(2), "2026-12-01T10:00", false),
        ("until offers end", AfterCutoff::Staff, kept(2), "2026-12-01T16:15", true),
        ("somebody was faster", AfterCutoff::NotifyAll, SessionNow { taken: 10, ..kept(2) }, "2026-12-01T10:00", false),
    ];
    for (case, after_cutoff, session, now, expected) in table {
        let rules = HouseRules { after_cutoff, ..HouseRules::default() };
        let passes = [pack(1)];
        let member = MemberNow { ahead: &[], passes: &passes, visits: &[], places: &[], suspended: None };
        assert_eq!(accept(&session, &SessionRules::of_studio(&rules), member, WOULD_WAIT, utc(now)).is_ok(), expected, "{case}");
    }
}

/// Until 10 December only sessions of the next 24 hours may be booked, by whatever way; staff may give a place.
#[test]
fn who_is_suspended_books_less() {
    let until = utc("2026-12-10T10:00");
    let suspension = |only_within_hours| Suspension { until, only_within_hours };
    let waiting = SessionNow { waiting: 1, ..evening() };
    let table = [
        ("too early", suspension(24), ALONE, "2026-11-30T16:59", true),
        ("the day before", suspension(24), ALONE, "2026-11-30T17:00", false),
        ("nothing may be booked", suspension(0), ALONE, "2026-12-01T16:00", true),
        ("staff give the place", suspension(0), BY_STAFF, "2026-12-01T16:00", false),
        ("the time is over", Suspension { until: utc("2026-11-30T10:00"), only_within_hours: 0 }, ALONE, "2026-11-30T10:00", false),
    ];
    for (case, suspended, ask, now, barred) in table {
        let (passes, now, house) = ([pack(1)], utc(now), HouseRules::default());
        let rules = SessionRules::of_studio(&house);
        let member = MemberNow { ahead: &[], passes: &passes, visits: &[], places: &[], suspended: Some(suspended) };
        let refusal = barred.then_some(BookingRefusal::Suspended(suspended));
        assert_eq!(book(&evening(), &rules, member, ask, now).err(), refusal, "{case}");
        assert_eq!(book(&full(), &rules, member, Ask { waitlist: true, ..ask }, now).err(), refusal, "{case}: nor waits");
        assert_eq!(accept(&waiting, &rules, member, ask, now).err(), refusal, "{case}");
        assert_eq!(accept_offer(&waiting, &rules, member, ask, now + Duration::minutes(1), now).err(), refusal, "{case}");
        let passed_over = barred.then_some(PassedOver::Suspended);
        assert_eq!(promote(&waiting, &rules, member, ask, false, now).err(), passed_over, "{case}");
        assert_eq!(could_take(&waiting, &rules, member, ask, now).err(), passed_over, "{case}");
    }
}

#[test]
fn cancel_a_booking() {
    let place_until = |until: Option<&str>| {
        let mut booking = booked(Uuid::from_u128(10), EVENING, "2026-12-01T17:00");
        booking.free_cancel_until = until.map(utc);
        booking
    };
    let usual = || place_until(Some("2026-12-01T05:00"));
    let by_membership = || {
        let mut booking = place_until(None);
        (booking.credits, booking.visit_week) = (0, NaiveDate::from_ymd_opt(2026, 11, 30));
        booking
    };
    let after = |change: fn(&mut Booking)| {
        let mut booking = usual();
        change(&mut booking);
        booking
    };
    let came = after(|booking| booking.check_in(utc("2026-12-01T16:55"), MEMBER).unwrap());
    let late = after(|booking| booking.cancel_late(&EndedBy::Member.into(), utc("2026-12-01T10:00")).unwrap());
    let free = || Ok(Cancellation::Free { credits: 1 });
    let costs = |credits, visit| Ok(Cancellation::Late(Cost { credits, visit, ..Cost::default() }));
    let forgives = || {
        let mut booking = usual();
        booking.penalty_terms = Some(sqlx::types::Json(PenaltyTerms { late_cancels_forgiven: 1, ..PenaltyTerms::default() }));
        booking
    };
    let forgiven = Ok(Cancellation::Late(Cost { forgiven: Some(Forgiven::Month), ..Cost::default() }));
    let table = [
        ("to the second of the cut-off", usual(), false, "2026-12-01T05:00", free()),
        ("a minute later", usual(), false, "2026-12-01T05:01", costs(1, false)),
        ("a minute later, and it is forgiven", forgives(), false, "2026-12-01T05:01", forgiven),
        ("later, and staff forgive it", usual(), true, "2026-12-01T05:01", free()),
        ("without a free way out", place_until(None), false, OPEN, costs(1, false)),
        ("by a membership, late", by_membership(), false, OPEN, costs(0, true)),
        ("from the start on", usual(), true, "2026-12-01T17:00", Err(CannotCancel::Started)),
        ("who came", came, false, "2026-12-01T16:56", Err(CannotCancel::Started)),
        ("who cancelled before", late, false, "2026-12-01T10:01", Err(CannotCancel::Ended)),
        ("who waits", waits(Uuid::from_u128(11), EVENING, "2026-12-01T17:00"), false, "2026-12-01T16:59", Ok(Cancellation::Leaves)),
        ("who declines an offer", offered(), false, "2026-12-01T16:59", Ok(Cancellation::Leaves)),
    ];
    for (case, booking, forgive, now, expected) in table {
        assert_eq!(cancel(&booking, Leniency::default(), forgive, utc(now)), expected, "{case}");
    }
}

#[test]
fn who_makes_a_pair() {
    let (one, two) = (Uuid::from_u128(21), Uuid::from_u128(22));
    let waiting = |id, person_id, session_id, with| {
        let conditions = Conditions { with, ..Conditions::default() };
        Booking { person_id, conditions: Some(Json(conditions)), ..waits(id, session_id, "2026-12-01T17:00") }
    };
    let first = waiting(one, MEMBER, EVENING, Some(two));
    assert!(are_pair(&first, &waiting(two, OTHER, EVENING, Some(one))));
    assert!(!are_pair(&first, &waiting(two, OTHER, EVENING, None)), "nobody against their will");
    assert!(!are_pair(&waiting(one, MEMBER, EVENING, None), &waiting(two, OTHER, EVENING, Some(one))));
    assert!(!are_pair(&first, &waiting(two, MEMBER, EVENING, Some(one))), "one person");
    assert!(!are_pair(&first, &waiting(two, OTHER, BALLET, Some(one))), "another session");
    let mut left = waiting(two, OTHER, EVENING, Some(one));
    left.leave(&EndedBy::Member.into(), utc("2026-12-01T12:00")).unwrap();
    assert!(!are_pair(&first, &left));
}

#[test]
fn give_up_a_booking_for_another() {
    let gives_up = |old: &Booking, late, now: &str| give_up(old, Leniency::default(), late, utc(now));
    let free = |now: &str, late| gives_up(&booked(OTHER, EVENING, "2026-12-01T17:00"), late, now);
    // Free until 05:00.
    assert_eq!(free("2026-12-01T05:00", false), Ok(Cancellation::Free { credits: 1 }));
    assert_eq!(free("2026-12-01T05:01", false), Err(CannotGiveUp::NotFree));
    let paid = Cost { credits: 1, ..Cost::default() };
    assert_eq!(free("2026-12-01T05:01", true), Ok(Cancellation::Late(paid)));
    let mut old = booked(OTHER, EVENING, "2026-12-01T17:00");
    old.penalty_terms = Some(sqlx::types::Json(PenaltyTerms { late_cancels_forgiven: 1, ..PenaltyTerms::default() }));
    let forgiven = Cost { forgiven: Some(Forgiven::Month), ..Cost::default() };
    assert_eq!(gives_up(&old, false, "2026-12-01T05:01"), Ok(Cancellation::Late(forgiven)), "it costs nothing");
    let used_up = Leniency { forgiven: 1, ..Leniency::default() };
    assert_eq!(give_up(&old, used_up, false, utc("2026-12-01T05:01")), Err(CannotGiveUp::NotFree));
    assert_eq!(free("2026-12-01T17:00", true), Err(CannotGiveUp::Started));
    let waiting = waits(OTHER, EVENING, "2026-12-01T17:00");
    assert_eq!(gives_up(&waiting, false, "2026-12-01T16:59"), Ok(Cancellation::Leaves));
    assert_eq!(gives_up(&offered(), false, "2026-12-01T16:59"), Ok(Cancellation::Leaves));
    let mut ended = booked(OTHER, EVENING, "2026-12-01T17:00");
    ended.cancel_late(&EndedBy::Member.into(), utc("2026-12-01T12:00")).unwrap();
    assert_eq!(gives_up(&ended, true, "2026-12-01T12:00"), Err(CannotGiveUp::Ended));
    let mut came = booked(OTHER, EVENING, "2026-12-01T17:00");
    came.check_in(utc("2026-12-01T16:50"), MEMBER).unwrap();
    assert_eq!(gives_up(&came, true, "2026-12-01T16:50"), Err(CannotGiveUp::Started));
}

#[test]
fn the_studio_cancels_the_session() {
    let usual = || booked(Uuid::from_u128(10), EVENING, "2026-12-01T17:00");
    let mut came = usual();
    came.check_in(utc("2026-12-01T16:55"), MEMBER).unwrap();
    let mut absent = usual();
    absent.mark_absent(true).unwrap();
    let mut late = usual();
    late.cancel_late(&EndedBy::Member.into(), utc("2026-12-01T10:00")).unwrap();
    let by_membership = || {
        let mut booking = usual();
        (booking.credits, booking.visit_week) = (0, NaiveDate::from_ymd_opt(2026, 11, 30));
        booking
    };
    let mut late_by_membership = by_membership();
    late_by_membership.cancel_late(&EndedBy::Member.into(), utc("2026-12-01T10:00")).unwrap();
    let mut late_for_nothing = late.clone();
    late_for_nothing.credits = 0;
    let mut in_time = usual();
    in_time.give_back();
    in_time.cancel(&EndedBy::Member.into(), utc("2026-12-01T04:00")).unwrap();
    let table = [
        ("a place", usual(), WithSession::Ends { credits: 1, visit: false, had_place: true }),
        ("a place of a membership", by_membership(), WithSession::Ends { credits: 0, visit: true, had_place: true }),
        ("who came", came, WithSession::Ends { credits: 1, visit: false, had_place: true }),
        ("who was marked absent", absent, WithSession::Ends { credits: 1, visit: false, had_place: true }),
        (
            "who waited",
            waits(Uuid::from_u128(11), EVENING, "2026-12-01T17:00"),
            WithSession::Ends { credits: 0, visit: false, had_place: false },
        ),
        ("who was offered a place", offered(), WithSession::Ends { credits: 0, visit: false, had_place: false }),
        ("a late cancel gets its credit back", late, WithSession::Returned { credits: 1, visit: false }),
        ("a late cancel gets its visit back", late_by_membership, WithSession::Returned { credits: 0, visit: true }),
        ("a late cancel that cost nothing", late_for_nothing.clone(), WithSession::Nothing),
        ("who cancelled in time", in_time, WithSession::Nothing),
    ];
    for (case, booking, expected) in table {
        assert_eq!(cancel_with_session(&booking, false), expected, "{case}");
    }
    // A strike or a fee stands for it.
    assert_eq!(cancel_with_session(&late_for_nothing, true), WithSession::Returned { credits: 0, visit: false });
}

/// Every step from every status: what the table does not allow is refused and changes nothing.
#[test]
fn transitions_hold_what_the_table_holds() {
    let now = utc("2026-12-01T10:00");
    let held = |status: BookingStatus| {
        let mut booking = match status {
            BookingStatus::Offered => offered(),
            BookingStatus::Waitlisted => waits(Uuid::from_u128(10), EVENING, "2026-12-01T17:00"),
            _ => booked(Uuid::from_u128(10), EVENING, "2026-12-01T17:00"),
        };
        match status {
            BookingStatus::Attended => booking.check_in(now, MEMBER).unwrap(),
            BookingStatus::NoShow => booking.mark_absent(false).unwrap(),
            BookingStatus::LateCancelled => booking.cancel_late(&EndedBy::Member.into(), now).unwrap(),
            BookingStatus::Cancelled => {
                booking.give_back();
                booking.cancel(&EndedBy::Member.into(), now).unwrap();
            }
            _ => {}
        }
        booking
    };
    type Step = fn(&mut Booking, DateTime<Utc>) -> bool;
    let refunded = |booking: &mut Booking, now| {
        booking.give_back();
        booking.cancel(&EndedBy::Member.into(), now).is_ok()
    };
    use BookingStatus::{Attended, Booked, Cancelled, LateCancelled, NoShow, Offered, Waitlisted};
    let steps: [(&str, Step, &[BookingStatus]); 14] = [
        ("accept", |booking, _| booking.accept(&place(1)).is_ok(), &[Waitlisted, Offered]),
        ("offer", |booking, now| booking.offer(now).is_ok(), &[Waitlisted]),
        ("return to the queue", |booking, _| booking.return_to_queue(7).is_ok(), &[Offered]),
        ("promote", |booking, now| booking.promote(&place(1), now).is_ok(), &[Waitlisted]),
        ("pass over", |booking, _| booking.pass_over(PassedOver::NoPass).is_ok(), &[Waitlisted]),
        ("tell of a free place", |booking, now| booking.tell_free(now).is_ok(), &[Waitlisted]),
        ("leave", |booking, now| booking.leave(&EndedBy::Member.into(), now).is_ok(), &[Waitlisted, Offered]),
        ("cancel with what was taken", |booking, now| booking.cancel(&EndedBy::Member.into(), now).is_ok(), &[]),
        ("cancel refunded", refunded, &[Booked]),
        ("cancel late", |booking, now| booking.cancel_late(&EndedBy::Member.into(), now).is_ok(), &[Booked]),
        ("check in", |booking, now| booking.check_in(now, MEMBER).is_ok(), &[Booked, NoShow]),
        ("undo", |booking, _| booking.undo_check_in().is_ok(), &[Attended, NoShow]),
        ("come earlier", |booking, now| booking.arrive_earlier(now, None).is_ok(), &[Attended]),
        ("be looked for in vain", |booking, now| booking.see_absent(Some((now, MEMBER))).is_ok(), &[Booked]),
    ];
    for (name, step, allowed) in steps {
        for status in [Booked, Waitlisted, Offered, Cancelled, LateCancelled, Attended, NoShow] {
            let mut booking = held(status);
            assert_eq!(step(&mut booking, now), allowed.contains(&status), "{name} from {status:?}");
            // The table's CHECKs.
            assert_eq!(booking.status == Waitlisted, booking.queue_key.is_some(), "{name} from {status:?}");
            assert_eq!(booking.status.has_ended(), booking.ended_at.is_some(), "{name} from {status:?}");
            assert!(booking.status != Waitlisted || (booking.credits == 0 && booking.visit_week.is_none()), "{name} from {status:?}");
        }
    }
}

/// What a pass of this type changes.
fn of_pass_type(id: Uuid, overrides: Overrides) -> ByPassType {
    [(id, PassTypeRules { studio_ids: vec![STUDIO], overrides })].into()
}

#[test]
fn a_week_begins_where_the_studio_says_and_crosses_months_and_years() {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    for (date, starts_on, from, to) in [
        ("2026-12-01", 1, "2026-11-30", "2026-12-07"),
        ("2026-12-01", 7, "2026-11-29", "2026-12-06"),
        ("2026-12-06", 7, "2026-12-06", "2026-12-13"),
        ("2026-12-06", 1, "2026-11-30", "2026-12-07"),
        ("2027-01-01", 1, "2026-12-28", "2027-01-04"),
        ("2027-01-01", 5, "2027-01-01", "2027-01-08"),
        ("2027-01-01", 6, "2026-12-26", "2027-01-02"),
    ] {
        assert_eq!(week(day(date), starts_on), (day(from), day(to)), "{date} {starts_on}");
    }
    assert_eq!(month(day("2026-12-31")), (day("2026-12-01"), day("2027-01-01")));
    // The week reaches over the year's end, the month does not; the night in between is counted by the wall.
    let counted = counted_in(day("2027-01-01"), &HouseRules::default(), Paris);
    assert_eq!(counted, (utc("2026-12-27T23:00"), utc("2027-01-31T23:00")));
    // The month in which the clocks go forward.
    assert_eq!(counted_in(day("2027-03-15"), &HouseRules::default(), Paris), (utc("2027-02-28T23:00"), utc("2027-03-31T22:00")));
}

#[test]
fn caps_count_what_they_are_about() {
    let taken = |date: &str, ahead, class_type_id, pass_type_id| PlaceTaken {
        local_date: date.parse().unwrap(),
        ahead,
        class_type_id: Some(class_type_id),
        pass_type_id: Some(pass_type_id),
    };
    let today = taken("2026-12-01", true, BARRE, TEN);
    let monday = taken("2026-11-30", false, BARRE, TEN);
    let sunday = taken("2026-11-29", false, BALLET, TEN);
    let later = taken("2026-12-20", true, BALLET, GOLD);
    let cap = |over, of, max| Cap { over, of, max };
    let day = Overrides { bookings_per_day_max: Some(Some(1)), ..Overrides::default() };
    let week = Overrides { bookings_per_week_max: Some(Some(2)), ..Overrides::default() };
    let month = Overrides { bookings_per_month_max: Some(Some(2)), ..Overrides::default() };
    let ahead = Overrides { bookings_ahead_max: Some(1), ..Overrides::default() };
    let none = Overrides::default();
    // What the studio, the class type (barre) and the pass type (ten) cap, the places, and the cap that is full.
    let table = [
        ("nothing is capped", &none, &none, &none, vec![today, monday, later], None),
        ("one a day", &day, &none, &none, vec![today], Some(cap(Over::Day, CapOf::Studio, 1))),
        ("one a day, on another day", &day, &none, &none, vec![monday, later], None),
        ("two a week", &week, &none, &none, vec![today, monday], Some(cap(Over::Week, CapOf::Studio, 2))),
        ("two a week, and Sunday was last week", &week, &none, &none, vec![today, sunday], None),
        ("two a month, Monday was November", &month, &none, &none, vec![monday, sunday, later], None),
        ("two a month", &month, &none, &none, vec![today, later], Some(cap(Over::Month, CapOf::Studio, 2))),
        ("one ahead of this class type", &none, &ahead, &none, vec![later], None),
        ("one ahead of this class type, and it is", &none, &ahead, &none, vec![today], Some(cap(Over::Ahead, CapOf::ClassType, 1))),
        ("two a week with this pass", &none, &none, &week, vec![monday, taken("2026-12-02", true, BARRE, GOLD)], None),
        ("two a week with it, and they are", &none, &none, &week, vec![monday, today], Some(cap(Over::Week, CapOf::PassType, 2))),
        ("of two the strictest", &week, &day, &none, vec![today], Some(cap(Over::Day, CapOf::ClassType, 1))),
    ];
    for (case, studio, class_type, pass_type, places, full) in table {
        let (house, passes) = (HouseRules::default().with(studio), of_pass_type(TEN, pass_type.clone()));
        let rules = SessionRules::new(&house, Some(class_type), &passes);
        let own = [pack(5)];
        let member = MemberNow { ahead: &[], passes: &own, visits: &[], places: &places, suspended: None };
        let expected = full.map_or(Ok(()), |cap| Err(BookingRefusal::TooMany(cap)));
        assert_eq!(book(&evening(), &rules, member, ALONE, utc(OPEN)).map(drop), expected, "{case}");
        // Who is moved up is counted too; staff may give more.
        let promoted = promote(&evening(), &rules, member, WOULD_WAIT, false, utc(OPEN)).map(drop);
        assert_eq!(promoted, full.map_or(Ok(()), |_| Err(PassedOver::TooManyBookings)), "{case}");
        assert!(book(&evening(), &rules, member, BY_STAFF, utc(OPEN)).is_ok(), "{case}");
        // One more may be won from the list.
        let softer = HouseRules { promoted_extra: 1, ..house.clone() };
        let rules = SessionRules::new(&softer, Some(class_type), &passes);
        assert!(promote(&evening(), &rules, member, WOULD_WAIT, false, utc(OPEN)).is_ok(), "{case}");
        assert_eq!(book(&evening(), &rules, member, ALONE, utc(OPEN)).is_ok(), full.is_none(), "{case}");
    }
}

#[test]
fn the_pass_that_would_pay_says_when_booking_opens() {
    let gold = |id: u128, credits| PassState { id: Uuid::from_u128(id), pass_type_id: GOLD, of_family: false, ..pack(credits) };
    let house = HouseRules::default();
    let earlier = Overrides { booking_opens_days: Some(30), free_cancel_min: Some(60), ..Overrides::default() };
    let later = Overrides { booking_opens_days: Some(7), ..Overrides::default() };
    let closes = Overrides { booking_closes_min: Some(120), ..Overrides::default() };
    let (early, usual, late) = ("2026-11-05T12:00", "2026-11-20T12:00", "2026-12-01T15:30");
    let basic = pack(5);
    // What gold changes, the passes, the one that is named, when, and with which pass the place is had or until when one waits.
    type Case<'a> = (&'a str, &'a Overrides, Vec<PassState>, Option<Uuid>, &'a str, Result<Uuid, BookingRefusal>);
    let table: Vec<Case> = vec![
        ("gold books earlier", &earlier, vec![gold(50, 5)], None, early, Ok(Uuid::from_u128(50))),
        ("basic does not", &earlier, vec![basic.clone()], None, early, Err(BookingRefusal::NotOpenYet(utc("2026-11-17T11:00")))),
        ("of both, what may pay now", &earlier, vec![basic.clone(), gold(50, 5)], None, early, Ok(Uuid::from_u128(50))),
        (
            "the one that is named",
            &earlier,
            vec![basic.clone(), gold(50, 5)],
            Some(PACK),
            early,
            Err(BookingRefusal::NotOpenYet(utc("2026-11-17T11:00"))),
        ),
        ("an empty one opens nothing", &earlier, vec![gold(50, 0)], None, early, Err(BookingRefusal::NotOpenYet(utc("2026-11-17T11:00")))),
        ("once it is open, the usual order", &earlier, vec![basic.clone(), gold(50, 5)], None, usual, Ok(PACK)),
        ("a pass that opens later", &later, vec![gold(50, 5)], None, usual, Err(BookingRefusal::NotOpenYet(utc("2026-11-24T11:00")))),
        ("another pays meanwhile", &later, vec![gold(1, 5), basic.clone()], None, usual, Ok(PACK)),
        ("a pass that closes earlier", &closes, vec![gold(50, 5)], None, late, Err(BookingRefusal::Closed(utc("2026-12-01T15:00")))),
        ("and another", &closes, vec![gold(50, 5), basic.clone()], None, late, Ok(PACK)),
    ];
    for (case, overrides, own, named, now, expected) in table {
        let passes = of_pass_type(GOLD, overrides.clone());
        let rules = SessionRules::new(&house, None, &passes);
        let member = MemberNow { ahead: &[], passes: &own, visits: &[], places: &[], suspended: None };
        let decided = book(&evening(), &rules, member, Ask { pass_id: named, ..ALONE }, utc(now));
        let paid = decided.map(|admission| match admission {
            Admission::Place(place) => place.payment.pass_id.unwrap_or_default(),
            Admission::Queue => Uuid::nil(),
        });
        assert_eq!(paid, expected, "{case}");
    }
    // Its cut-off is its own too, by whichever way the member came to the place.
    let (passes, own) = (of_pass_type(GOLD, earlier), [gold(50, 5)]);
    let rules = SessionRules::new(&house, None, &passes);
    let member = MemberNow { ahead: &[], passes: &own, visits: &[], places: &[], suspended: None };
    let Ok(Turn::Promoted(promoted)) = promote(&evening(), &rules, member, WOULD_WAIT, false, utc(usual)) else { panic!("promoted") };
    assert_eq!(promoted.free_cancel_until, Some(utc("2026-12-01T16:00")));
}

#[test]
fn who_may_stand_at_the_door() {
    use door::NotAtTheDoor::{AlreadyBooked, Cancelled, Over, PlaceFree, TooEarly};
    let full = SessionNow { taken: 10, ..evening() };
    let (starts, ends) = (full.starts_at, full.ends_at);
    let nobody = MemberNow { ahead: &[], passes: &[], visits: &[], places: &[], suspended: None };
    let own = booked(Uuid::from_u128(10), EVENING, "2026-12-01T17:00");
    let ahead = [&own];
    let booked_already = MemberNow { ahead: &ahead, ..nobody };
    let rules = HouseRules::default();
    let minutes = Duration::minutes;
    let table = [
        ("an hour before", full, nobody, starts - minutes(60), Ok(())),
        ("earlier", full, nobody, starts - minutes(61), Err(TooEarly(starts - minutes(60)))),
        ("in the last minute", full, nobody, ends - minutes(1), Ok(())),
        ("when it is over", full, nobody, ends, Err(Over(ends))),
        ("cancelled", SessionNow { cancelled: true, ..full }, nobody, starts, Err(Cancelled)),
        ("there is room", evening(), nobody, starts, Err(PlaceFree)),
        ("who is in it", full, booked_already, starts, Err(AlreadyBooked(own.id))),
    ];
    for (case, session, member, now, expected) in table {
        assert_eq!(door::stand_by(&session, &rules, member, now), expected, "{case}");
    }
}

#[test]
fn when_places_are_given_away_at_the_door() {
    use door::NotAtTheDoor::{Over, TooEarly};
    let rules = |minutes| HouseRules { door_release_min: minutes, ..HouseRules::default() };
    let (starts, ends) = (evening().starts_at, evening().ends_at);
    let closed = SessionNow { waiting_ends_at: starts - Duration::hours(1), ..evening() };
    let waits = SessionNow { waiting_ends_at: starts, ..evening() };
    let minutes = Duration::minutes;
    for (case, session, after, now, expected) in [
        ("at the start", waits, 0, starts, Ok(())),
        ("before it", waits, 0, starts - minutes(1), Err(TooEarly(starts))),
        ("five minutes before, where nobody waits any more", closed, -5, starts - minutes(5), Ok(())),
        ("those who wait come first", waits, -5, starts - minutes(5), Err(TooEarly(starts))),
        ("ten minutes after", waits, 10, starts + minutes(9), Err(TooEarly(starts + minutes(10)))),
        ("when it is over", waits, 0, ends, Err(Over(ends))),
    ] {
        assert_eq!(door::release(&session, &rules(after), now), expected, "{case}");
    }
}

#[test]
fn the_first_at_the_door_is_the_first_in_and_the_last_to_book_goes() {
    let at = |id: u128, minute: i64, mut booking: Booking| {
        booking.id = Uuid::from_u128(id);
        booking.created_at += Duration::minutes(minute);
        booking
    };
    let in_it = || booked(Uuid::from_u128(1), EVENING, "2026-12-01T17:00");
    let standing = || Booking { status: BookingStatus::Standby, ..in_it() };
    let came = {
        let mut came = in_it();
        came.check_in(came.starts_at, MEMBER).unwrap();
        came
    };
    let roster = [at(1, 5, standing()), at(2, 3, standing()), at(3, 0, in_it()), at(4, 1, in_it()), at(5, 2, came)];
    let ids = |bookings: Vec<Booking>| bookings.iter().map(|booking| booking.id.as_u128()).collect::<Vec<_>>();
    assert_eq!(ids(door::in_order_of_arrival(&roster)), [2, 1]);
    assert_eq!(ids(door::unclaimed(&roster, None)), [4, 3]);
    assert_eq!(ids(door::unclaimed(&roster, Some(&[Uuid::from_u128(3), Uuid::from_u128(5)]))), [3]);
    assert_eq!(ids(door::unclaimed(&roster, Some(&[]))), Vec::<u128>::new());
}
