//! The year before today, and the next days: who came to which class, and who is booked, so that every picture of the console has something to
//! say. Pure, and the same for the same day.
//!
//! Members join through the year, come on the days and at the hours that people like, now and then cancel late or stay away, and some stop
//! coming. The evenings of two days are so popular that some are turned away.

use std::collections::HashMap;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, TimeDelta, Utc};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use uuid::Uuid;

use super::plan::{
    DAYS_AROUND, Of, Plan, TEN, UNLIMITED, WITH_A_PAST_MAX, full_session, id, joined, pays_by_membership, session_id, sessions, studio_of,
    visit,
};
use crate::passes::rules::Payment;
use crate::passes::{LedgerEntry, LedgerReason, Pass};
use crate::reports::TurnAway;
use crate::schedule::rules::week_of;

/// How far back it goes.
const DAYS: u64 = 364;
/// And how far ahead people book.
const DAYS_AHEAD: u64 = 4;
/// Bookings of the past are numbered from here.
const BOOKINGS: u64 = 1 << 40;
/// And its passes.
const PASSES: u64 = 1 << 30;

/// Of fifteen members, how many come on this day of the week, from Monday.
const COME: [u64; 7] = [5, 8, 6, 8, 4, 7, 5];
/// How much each slot of the timetable is liked: on Tuesdays and Thursdays, on other weekdays, at the weekend.
const LIKED: [[u64; 7]; 3] = [[4, 2, 2, 3, 12, 5, 7], [4, 3, 2, 4, 8, 4, 6], [2, 9, 5, 5, 3, 3, 1]];

/// What is known of a day's member while the year goes by.
struct Holder {
    member: u64,
    person_id: Uuid,
    studio: u64,
    /// From when they come, and until when.
    from: NaiveDate,
    until: NaiveDate,
    /// The pass that pays, as its place among the plan's.
    pass: Option<usize>,
    passes: u64,
}

/// Adds the year to a plan.
pub fn remember(plan: &mut Plan, now: DateTime<Utc>) {
    let today = now.date_naive();
    let (first, last, ahead) = (today - Days::new(DAYS), today - Days::new(DAYS_AROUND + 1), today + Days::new(DAYS_AHEAD));
    plan.sessions.extend(sessions(first, last, now).into_iter().map(|mut session| {
        session.session.created_at = session.starts_at - TimeDelta::days(30);
        session
    }));
    let at: HashMap<Uuid, usize> = plan.sessions.iter().enumerate().map(|(nth, session)| (session.id, nth)).collect();
    let members = 1..=WITH_A_PAST_MAX.min(u64::from(plan.member_count()));
    let mut holders: Vec<Holder> = members.map(|member| holder(member, now)).collect();
    let full = full_session(today).id;
    for day in first.iter_days().take_while(|day| *day <= ahead) {
        for holder in &mut holders {
            // The class that everybody wants is booked by those who have nothing else to come.
            if day < holder.from || day > holder.until || (day >= today && !pays_by_membership(holder.member)) {
                continue;
            }
            let mut dice = SmallRng::seed_from_u64(number(day) << 32 | holder.member);
            if let Some(nth) = wished(holder, day, &mut dice).and_then(|slot| at.get(&session_id(holder.studio, day, slot)))
                && plan.sessions.get(*nth).is_some_and(|session| session.id != full)
            {
                come(plan, holder, *nth, (day, now), &mut dice);
            }
        }
    }
}

fn holder(member: u64, now: DateTime<Utc>) -> Holder {
    let today = now.date_naive();
    let stopped = member.is_multiple_of(5) && !pays_by_membership(member);
    let until = if stopped { today - Days::new(20 + member) } else { today + Days::new(DAYS_AHEAD) };
    Holder {
        member,
        person_id: id(Of::Member, member),
        studio: studio_of(member),
        from: joined(member, now).date_naive() + Days::new(1),
        until,
        pass: None,
        passes: 0,
    }
}

/// The slot of the timetable in which they would like to come on this day, if they come.
fn wished(holder: &Holder, day: NaiveDate, dice: &mut SmallRng) -> Option<usize> {
    let weekday = day.weekday().num_days_from_monday() as usize;
    // Some are keener than others.
    if dice.random_range(0..17) >= COME.get(weekday)? + holder.member % 3 {
        return None;
    }
    let [evenings, weekdays, weekend] = &LIKED;
    let liked = match weekday {
        1 | 3 => evenings,
        5 | 6 => weekend,
        _ => weekdays,
    };
    let slots: Vec<(usize, u64)> = liked.iter().copied().enumerate().collect();
    slots.choose_weighted(dice, |(_, likes)| *likes).ok().map(|(slot, _)| *slot)
}

/// They book it, unless it is full, and what becomes of that.
fn come(plan: &mut Plan, holder: &mut Holder, nth: usize, (day, now): (NaiveDate, DateTime<Utc>), dice: &mut SmallRng) {
    let Some(session) = plan.sessions.get(nth).cloned() else { return };
    // From an hour to three days before.
    let booked_at = (session.starts_at - TimeDelta::minutes(dice.random_range(60..4_300))).min(now - TimeDelta::hours(1));
    if session.taken >= session.capacity {
        // The day before.
        let on_date = day.pred_opt().unwrap_or(day).min(now.date_naive());
        plan.turned_away.push(TurnAway { session_id: session.id, person_id: holder.person_id, on_date });
        return;
    }
    let Some(pass) = pass(plan, holder, session.credits, booked_at, day) else { return };
    let n = BOOKINGS + number(day) * 100_000 + holder.member;
    let (pass_id, booking_id) = (pass.id, id(Of::Booking, n));
    let payment = match pass.credits_left.as_mut() {
        None => Payment { pass_id: Some(pass_id), credits: 0, visit_week: Some(week_of(session.local_date)) },
        Some(left) => {
            *left -= session.credits;
            let booked = LedgerEntry::new(id(Of::Ledger, n), pass_id, LedgerReason::Booked, Some(holder.person_id), booked_at);
            plan.ledger.push(LedgerEntry { credits: -session.credits, booking_id: Some(booking_id), ..booked });
            Payment { pass_id: Some(pass_id), credits: session.credits, visit_week: None }
        }
    };
    let booking = visit(booking_id, holder.person_id, &session, payment, dice.random_range(0..15), (booked_at, now));
    if let Some(session) = plan.sessions.get_mut(nth).filter(|_| booking.status.takes_place()) {
        session.taken += 1;
    }
    plan.bookings.push(booking);
}

/// The pass that pays: the one they have, or a new one.
fn pass<'p>(plan: &'p mut Plan, holder: &mut Holder, credits: i64, at: DateTime<Utc>, day: NaiveDate) -> Option<&'p mut Pass> {
    let fits = |pass: &Pass| day <= pass.expires_on && pass.credits_left.is_none_or(|left| left >= credits);
    if !holder.pass.and_then(|nth| plan.passes.get(nth)).is_some_and(fits) {
        holder.passes += 1;
        let kind = if pays_by_membership(holder.member) { UNLIMITED } else { TEN };
        let n = PASSES + holder.member * 1_000 + holder.passes;
        plan.sell_one(n, holder.member, holder.studio, kind, at - TimeDelta::hours(1));
        holder.pass = plan.passes.len().checked_sub(1);
    }
    holder.pass.and_then(|nth| plan.passes.get_mut(nth))
}

fn number(day: NaiveDate) -> u64 {
    (day - NaiveDate::default()).num_days().unsigned_abs()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::plan::could_be;
    use super::*;
    use crate::booking::BookingStatus;

    fn lived(now: &str) -> Plan {
        let now: DateTime<Utc> = now.parse().unwrap();
        let mut plan = Plan::new(now, 160);
        remember(&mut plan, now);
        plan
    }

    #[test]
    fn it_could_have_been_so() {
        // With the nights on which clocks change, and a leap day.
        for now in ["2026-11-30T02:00:00Z", "2027-03-14T06:59:00Z", "2028-02-29T23:59:59Z"] {
            could_be(&lived(now));
        }
    }

    #[test]
    fn a_year_gives_every_picture_something_to_say() {
        let plan = lived("2026-11-30T02:00:00Z");
        let months: BTreeSet<_> = plan.bookings.iter().map(|booking| (booking.starts_at.year(), booking.starts_at.month())).collect();
        assert!(months.len() >= 12, "{months:?}");
        let count = |status| plan.bookings.iter().filter(|booking| booking.status == status).count();
        let counts = [BookingStatus::Attended, BookingStatus::NoShow, BookingStatus::LateCancelled, BookingStatus::Booked].map(count);
        assert!(counts[0] > 8_000 && counts[1] > 500 && counts[2] > 500 && counts[3] > 50, "{counts:?}");
        let full = plan.sessions.iter().filter(|session| session.taken == session.capacity).count();
        assert!(full > 20 && plan.turned_away.len() > 50, "{full} full, {} turned away", plan.turned_away.len());
        let weekdays: BTreeSet<_> = plan.bookings.iter().map(|booking| booking.starts_at.weekday().num_days_from_monday()).collect();
        assert_eq!(weekdays.len(), 7);
    }

    #[test]
    fn a_pack_is_worth_what_its_ledger_says() {
        let plan = lived("2026-11-30T02:00:00Z");
        let mut left: HashMap<Uuid, i64> = HashMap::new();
        for entry in &plan.ledger {
            *left.entry(entry.pass_id).or_default() += entry.credits;
        }
        for pass in &plan.passes {
            assert!(pass.credits_left.is_none_or(|credits| credits >= 0 && Some(&credits) == left.get(&pass.id)), "{pass:?}");
        }
        assert!(plan.bookings.iter().all(|booking| plan.passes.iter().any(|pass| Some(pass.id) == booking.pass_id)));
    }
}
