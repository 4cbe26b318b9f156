//! The promises, checked on rows by code that does not know how they are kept.

use std::collections::HashMap;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, TimeDelta, TimeZone as _, Timelike as _, Utc};
use chrono_tz::Asia::Shanghai;
use releve::booking::view::CancelNow;
use releve::booking::{Booking, BookingStatus, EndedBy};
use releve::holds::Hold;
use releve::passes::Pass;
use releve::penalties::{Penalty, PenaltyKind};
use releve::problem::Answer;
use releve::schedule::SessionRow;
use releve::transactor::{Outcome, Request};
use uuid::Uuid;

use super::{AHEAD_MAX, Month, Rows, STRIKES_MAX, SUSPENDED_DAYS, forgiven, strict};

/// The same PUT again answers with the booking as it is now, and makes none.
pub fn check_repeats(lost: &[Request], again: &[Answer<Outcome>], rows: &Rows<'_>) {
    for (command, answer) in lost.iter().zip(again) {
        let Ok(Outcome::Booking(shown)) = answer else { panic!("{command:?}, sent again, was answered with {answer:?}") };
        let now = rows.bookings.iter().find(|booking| booking.id == shown.booking.id);
        assert_eq!((Some(&&shown.booking), shown.fresh), (now, false), "{command:?}, sent again");
    }
}

pub fn check_session(session: &SessionRow, here: &[&Booking], rows: &Rows<'_>, now: DateTime<Utc>) {
    let taken = here.iter().filter(|booking| holds_place(booking)).count() as i64;
    let waiting = here.iter().filter(|booking| booking.status == BookingStatus::Waitlisted).count() as i64;
    assert!(taken + session.held <= session.capacity, "oversold: {session:?}");
    assert_eq!((session.taken, session.waiting), (taken, waiting), "counts of {session:?}");
    let running: Vec<&&Hold> = rows.holds.iter().filter(|hold| hold.session_id == session.id && hold.ended_at.is_none()).collect();
    assert_eq!(session.held, running.iter().map(|hold| hold.places).sum::<i64>(), "held in {session:?}");
    let overdue = running.iter().find(|hold| hold.until.is_some_and(|until| until.min(session.starts_at) <= now));
    assert!(overdue.is_none(), "held on at {now}: {overdue:?} of {session:?}");
    assert!(running.is_empty() || !session.is_cancelled(), "held in a cancelled session: {running:?}");
    let mut people: Vec<Uuid> =
        here.iter().filter(|booking| !has_ended(booking) && booking.guest_of.is_none()).map(|booking| booking.person_id).collect();
    people.sort_unstable();
    assert!(people.windows(2).all(|pair| pair[0] != pair[1]), "twice in {session:?}");
    for guest in here.iter().filter(|booking| booking.guest_of.is_some() && !has_ended(booking)) {
        let host = here.iter().find(|booking| Some(booking.id) == guest.guest_of && booking.person_id == guest.person_id);
        // Either place may have been given away at the door: who is there, and who is not, is told of each of them.
        let was_in_it = |host: &&Booking| matches!(host.status, BookingStatus::Booked | BookingStatus::Attended | BookingStatus::NoShow);
        assert!(host.filter(|host| was_in_it(host)).is_some(), "a guest without a host: {guest:?} beside {host:?}");
    }
    let arrived = here.iter().find(|b| b.arrived_at.is_some() && b.status != BookingStatus::Attended && !has_ended(b));
    assert!(arrived.is_none(), "has arrived and is not there: {arrived:?}");
    if session.is_cancelled() {
        let kept = here.iter().find(|booking| !has_ended(booking) || booking.credits > 0 || booking.visit_week.is_some());
        assert!(kept.is_none(), "kept in a cancelled session: {kept:?}");
    }
}

/// Whether a free place of this session must be given, offered or kept at this instant for somebody who waits: `own` are their bookings.
pub fn must_be_served(session: &SessionRow, own: &[&Booking], rows: &Rows<'_>, month: &Month) -> bool {
    let now = month.now;
    // The rules of every month: offers of 30 minutes, the last ends 45 minutes before the start; quiet from 22:00 to 07:00 in Shanghai.
    let wall = now.with_timezone(&Shanghai).naive_local();
    let quiet_until = match wall.hour() {
        22.. => Some(wall.date() + Days::new(1)),
        ..7 => Some(wall.date()),
        _ => None,
    };
    let quiet_until = quiet_until.map(|day| Shanghai.from_local_datetime(&day.and_hms_opt(7, 0, 0).unwrap()).unwrap().to_utc());
    let offer_fits = quiet_until.unwrap_or(now) + TimeDelta::minutes(75) <= session.starts_at;
    let served = if now < session.promote_until {
        let turned_down = own.iter().any(|b| b.session_id == session.id && b.promoted_at.is_some() && b.ended_by == Some(EndedBy::Member));
        let no_grace = |until| month.seed.is_multiple_of(3) || session.starts_at < until;
        let costly = quiet_until.is_some_and(|until| session.free_cancel_until < until && no_grace(until));
        !turned_down && (!costly || offer_fits)
    } else {
        let until_offers_end = now < session.starts_at - TimeDelta::minutes(45);
        match month.mode {
            "offers" => offer_fits,
            "notify_all" | "staff" => until_offers_end && session.kept_until.is_none_or(|until| until <= now),
            _ => false,
        }
    };
    served && able(session, own, &rows.passes, now) && !suspended(session, own, rows, month)
}

/// Whether a waiting member would take a place now: what they would give up for it is free to cancel, they have said nothing against it, and
/// wait with nobody.
pub fn would_take(waiter: &Booking, session: &SessionRow, here: &[&Booking], own: &[&Booking], month: &Month) -> bool {
    let now = month.now;
    // The first member's own quiet hours are those of a nap.
    if waiter.person_id == month.cast.members[0] && (13..15).contains(&now.with_timezone(&Shanghai).hour()) {
        return false;
    }
    let named = |b: &Booking| b.conditions.as_ref().and_then(|conditions| conditions.with);
    let pair = |b: &Booking| named(waiter) == Some(b.id) && named(b) == Some(waiter.id) && b.status == BookingStatus::Waitlisted;
    if here.iter().any(|b| pair(b)) {
        return false;
    }
    let keeps = |b: &&&Booking| match b.status {
        BookingStatus::Booked => b.starts_at <= now || b.free_cancel_until.is_none_or(|until| until < now),
        BookingStatus::Attended | BookingStatus::NoShow => true,
        _ => false,
    };
    let old = own.iter().filter(|b| Some(b.id) == waiter.asked_replaces && now < b.ends_at);
    let has_guests = own.iter().any(|b| b.guest_of.is_some() && b.guest_of == waiter.asked_replaces && !has_ended(b));
    if has_guests || old.filter(keeps).count() > 0 {
        return false;
    }
    let Some(conditions) = &waiter.conditions else { return true };
    let day = |at: DateTime<Utc>| at.with_timezone(&Shanghai).date_naive();
    let another = own.iter().any(|b| holds_place(b) && b.session_id != session.id && day(b.starts_at) == day(session.starts_at));
    let notice = conditions.notice_minutes_min.map(|minutes| session.starts_at - TimeDelta::minutes(minutes));
    [notice, conditions.not_after].into_iter().flatten().all(|until| now <= until) && !(conditions.one_a_day && another)
}

/// What was given up for another booking has ended, and that one is the same member's and had asked for it.
pub fn check_changes_of_class(rows: &Rows<'_>) {
    for old in &rows.bookings {
        let Some(by) = old.replaced_by else { continue };
        let new = rows.bookings.iter().find(|booking| booking.id == by);
        let asked = new.is_some_and(|new| new.person_id == old.person_id && new.asked_replaces == Some(old.id));
        assert!(asked && has_ended(old) && old.ended_by == Some(EndedBy::Replaced), "{old:?} was given up for {new:?}");
    }
}

/// Whether somebody who waits for this session could take a place in it.
fn able(session: &SessionRow, own: &[&Booking], passes: &[&Pass], now: DateTime<Utc>) -> bool {
    let overlaps = own.iter().any(|b| holds_place(b) && b.starts_at < session.ends_at && session.starts_at < b.ends_at);
    let open = |b: &&&Booking| matches!(b.status, BookingStatus::Booked | BookingStatus::Offered) && b.starts_at > now;
    let ahead = own.iter().filter(open).filter(|b| b.guest_of.is_none()).count();
    let monday = session.local_date - Days::new(u64::from(session.local_date.weekday().num_days_from_monday()));
    let owner = own.first().map(|booking| booking.person_id);
    let pays = passes.iter().filter(|pass| Some(pass.person_id) == owner && pass.expires_on >= session.local_date);
    let frozen = |pass: &Pass| pass.frozen().is_some_and(|(from, until)| from <= session.local_date && session.local_date <= until);
    let pays = pays.filter(|pass| !frozen(pass)).any(|pass| {
        let visits = own.iter().filter(|b| b.pass_id == Some(pass.id) && b.visit_week == Some(monday)).count() as i64;
        pass.credits_left.map_or_else(|| pass.per_week.is_none_or(|most| visits < most), |left| left >= session.credits)
    });
    !overlaps && ahead < AHEAD_MAX && pays
}

/// Whether the strikes of somebody who waits keep them from it: for a day from the one that reached the number, or a later one.
fn suspended(session: &SessionRow, own: &[&Booking], rows: &Rows<'_>, month: &Month) -> bool {
    let owner = own.first().map(|booking| booking.person_id);
    let mut strikes: Vec<DateTime<Utc>> = rows
        .penalties
        .iter()
        .filter(|one| Some(one.person_id) == owner && one.strike && one.waived_at.is_none())
        .map(|one| one.at)
        .collect();
    strikes.sort_unstable();
    // A month of this studio is over before a strike lapses.
    let begins = strikes.get(STRIKES_MAX - 1..).and_then(|reached| reached.last());
    let still = begins.is_some_and(|at| month.now < *at + TimeDelta::days(SUSPENDED_DAYS));
    strict(month.seed) && still && session.starts_at > month.now + TimeDelta::hours(24)
}

/// A cancellation took what was said just before.
pub fn check_what_was_told(told: &CancelNow, after: &Booking, penalty: Option<&Penalty>) {
    assert!(has_ended(after), "{after:?}");
    assert_eq!(told.credits_lost, after.credits, "{told:?} {after:?}");
    let (strike, fee) = (penalty.is_some_and(|one| one.strike), penalty.and_then(|one| one.fee_minor));
    assert_eq!((told.strike, told.fee.as_ref().map(|fee| fee.amount_minor)), (strike, fee), "{told:?} {penalty:?}");
    assert_eq!(told.forgiven, penalty.is_some_and(|one| one.forgiven.is_some()), "{told:?} {penalty:?}");
    let taken = after.credits > 0 || after.visit_week.is_some() || strike || fee.is_some();
    assert_eq!(told.free, !taken, "{told:?} {after:?}");
    assert_eq!(penalty.is_some(), after.status == BookingStatus::LateCancelled, "{after:?} {penalty:?}");
}

/// Every late cancellation has one penalty, every absence that is final one that counts, and nothing else has one that does; as many late
/// cancellations as the rules say are forgiven, and none that costs something before these are used up. An absence never is.
pub fn check_penalties(rows: &Rows<'_>, month: &Month) {
    let allowed = forgiven(month.seed);
    let mut of_booking: HashMap<Uuid, &Penalty> = HashMap::new();
    let mut of_month: HashMap<(Uuid, NaiveDate), Vec<&Penalty>> = HashMap::new();
    for penalty in &rows.penalties {
        let first = penalty.at.with_timezone(&Shanghai).date_naive().with_day(1).unwrap();
        assert_eq!(penalty.month, first, "{penalty:?}");
        assert!(penalty.kind == PenaltyKind::LateCancel || penalty.forgiven.is_none(), "{penalty:?}");
        of_month.entry((penalty.person_id, first)).or_default().push(penalty);
        // An absence that was corrected has one that counts no more.
        let corrected = penalty.kind == PenaltyKind::NoShow && penalty.is_waived();
        assert!(corrected || of_booking.insert(penalty.booking_id, penalty).is_none(), "twice: {penalty:?}");
    }
    for booking in &rows.bookings {
        let penalty = of_booking.remove(&booking.id);
        let absent = booking.status == BookingStatus::NoShow && !booking.provisional;
        assert_eq!(penalty.is_some(), absent || booking.status == BookingStatus::LateCancelled, "{booking:?} {penalty:?}");
        let Some(penalty) = penalty else { continue };
        assert_eq!(penalty.kind == PenaltyKind::NoShow, absent, "{booking:?} {penalty:?}");
        let kept = booking.credits > 0 || booking.visit_week.is_some();
        assert!(!kept || (penalty.forgiven.is_none() && penalty.waived_at.is_none()), "{booking:?} {penalty:?}");
        let same = &of_month[&(penalty.person_id, penalty.month)];
        let forgiven = same.iter().filter(|one| one.forgiven.is_some() && one.at <= penalty.at).count();
        assert!(absent || !kept || forgiven >= allowed, "{allowed} are forgiven: {booking:?} {same:?}");
    }
    assert!(of_booking.is_empty(), "of no booking: {of_booking:?}");
    for same in of_month.values() {
        let forgiven = same.iter().filter(|one| one.forgiven.is_some() && one.waived_at.is_none()).count();
        assert!(forgiven <= allowed, "{allowed} are forgiven: {same:?}");
    }
}

/// After a class it is said of everybody whether they came: within two days, whoever has marked whom. Where nobody was marked, nobody is
/// absent.
pub fn check_attendance(session: &SessionRow, here: &[&Booking], now: DateTime<Utc>) {
    let over = session.ends_at + TimeDelta::days(2) <= now && !session.is_cancelled();
    let open = |b: &&&Booking| matches!(b.status, BookingStatus::Booked | BookingStatus::Standby) || b.provisional;
    let left = here.iter().find(open).filter(|_| over);
    assert!(left.is_none(), "two days after {session:?}: {left:?}");
    let at_the_door = here.iter().find(|b| b.status == BookingStatus::Standby && session.ends_at <= now);
    assert!(at_the_door.is_none(), "at the door after {session:?}: {at_the_door:?}");
    let absent_too_soon = here.iter().find(|b| {
        let for_good = b.status == BookingStatus::NoShow && !b.provisional;
        for_good && now < session.ends_at + TimeDelta::hours(2)
    });
    assert!(absent_too_soon.is_none(), "absent within two hours of {session:?}: {absent_too_soon:?}");
    for booking in here {
        let odd = (booking.unrecorded && (booking.status != BookingStatus::Attended || booking.arrived_at.is_some()))
            || (booking.released_at.is_some() && booking.status != BookingStatus::NoShow);
        assert!(!odd, "{booking:?}");
        let waits = booking.status == BookingStatus::Standby;
        assert!(!waits || (booking.credits == 0 && booking.visit_week.is_none()), "at the door, and paid: {booking:?}");
    }
}

/// Whoever is offered a place has one offer whose time is not over, nobody else has, and nothing is taken for it.
pub fn check_offers(rows: &Rows<'_>, now: DateTime<Utc>) {
    let running: Vec<_> = rows.offers.iter().filter(|offer| offer.outcome.is_none()).collect();
    for booking in rows.bookings.iter().filter(|booking| booking.status == BookingStatus::Offered) {
        let theirs: Vec<_> = running.iter().filter(|offer| offer.booking_id == booking.id).collect();
        assert!(theirs.len() == 1 && now < theirs[0].expires_at, "{booking:?} is offered a place by {theirs:?} at {now}");
        assert!(booking.credits == 0 && booking.visit_week.is_none(), "{booking:?} is offered a place and paid");
    }
    let offered = rows.bookings.iter().filter(|booking| booking.status == BookingStatus::Offered).count();
    assert_eq!(running.len(), offered, "offers run for nobody: {running:?}");
}

pub fn check_passes(rows: &Rows<'_>) {
    let mut sums: HashMap<Uuid, i64> = HashMap::new();
    let mut taken: HashMap<Uuid, i64> = HashMap::new();
    for entry in rows.ledger {
        *sums.entry(entry.pass_id).or_default() += entry.credits;
        if let Some(booking) = entry.booking_id {
            *taken.entry(booking).or_default() -= entry.credits;
        }
    }
    let mut visits: HashMap<(Uuid, NaiveDate), i64> = HashMap::new();
    for booking in &rows.bookings {
        assert_eq!(booking.credits, taken.get(&booking.id).copied().unwrap_or(0), "what {booking:?} took");
        let paid = booking.credits > 0 || booking.visit_week.is_some();
        assert!(booking.status != BookingStatus::Waitlisted || !paid, "{booking:?} waits and paid");
        if let Some(week) = booking.pass_id.zip(booking.visit_week) {
            *visits.entry(week).or_default() += 1;
        }
    }
    for pass in &rows.passes {
        let sum = sums.get(&pass.id).copied();
        assert!(pass.credits_left.is_none_or(|left| left >= 0 && Some(left) == sum), "balance of {pass:?}, ledger {sum:?}");
        let most = visits.iter().filter(|((id, _), _)| *id == pass.id).map(|(_, visits)| *visits).max();
        assert!(most.is_none_or(|most| pass.per_week.is_none_or(|allowed| most <= allowed)), "{most:?} visits in a week of {pass:?}");
    }
}

pub fn never_at_once(what: &str, times: impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)>) {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    assert!(times.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{what}: {times:?}");
}

pub fn holds_place(booking: &Booking) -> bool {
    let in_it = matches!(booking.status, BookingStatus::Booked | BookingStatus::Offered | BookingStatus::Attended | BookingStatus::NoShow);
    // What was given away at the door is another's.
    in_it && booking.released_at.is_none()
}

pub fn has_ended(booking: &Booking) -> bool {
    matches!(booking.status, BookingStatus::Cancelled | BookingStatus::LateCancelled)
}
