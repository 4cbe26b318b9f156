//! The checker can fail: each promise is broken behind the back of the code that keeps it, and that is seen.

use std::slice;

use chrono::TimeDelta;
use releve::booking::offer::{Offer, OfferClock};
use releve::booking::{Booking, BookingStatus, Place};
use releve::db::Engine;
use releve::letters::facts::PassedOver;
use releve::passes::rules::Payment;
use releve::penalties::Penalty;
use releve::penalties::rules::PenaltyTerms;
use releve::schedule::SessionRow;
use releve::working_set::WorkingSet;
use uuid::Uuid;

use super::{Lived, Month, families_among};
use crate::house::{House, run};

/// The first months, of which one must have what is to be broken.
const MONTHS: u64 = 40;

/// Lives a month, breaks something in it, and looks; another month if there was nothing of the kind.
async fn broken(break_it: impl Fn(&mut WorkingSet, &Month) -> Option<()>) {
    run(Engine::Sqlite, async |house: House| {
        let mut cast = house.cast().await;
        cast.members = house.newcomers(0).await;
        cast.families = families_among(&cast.members);
        for seed in 0..MONTHS {
            let said = house.rules_of_month(seed).await;
            let mut month = Month::begin(seed, said, cast.clone(), house.clock.now());
            let mut lived = Lived::in_memory(&house, slice::from_ref(&cast)).await;
            month.live(&mut lived).await;
            let Lived::Memory(memory) = &mut lived else { unreachable!() };
            if break_it(&mut memory.set, &month).is_some() {
                let rows = lived.rows(&month, true).await;
                month.check(&rows);
                return month.check_who_was_next(&rows);
            }
        }
    })
    .await;
}

/// A session and who waits for it, in order.
fn queues(set: &WorkingSet, month: &Month) -> Vec<(SessionRow, Vec<Booking>)> {
    let to_come = month.sessions.iter().map(|id| set.session(*id).unwrap().session.clone());
    let to_come = to_come.filter(|session| !session.is_cancelled() && month.now < session.promote_until);
    let queue = |session: &SessionRow| {
        let waits = month.bookings.iter().map(|made| set.known_booking(made.id).unwrap()).filter(|b| b.session_id == session.id);
        let mut waits: Vec<Booking> = waits.filter(|b| b.status == BookingStatus::Waitlisted).cloned().collect();
        waits.sort_unstable_by_key(|b| b.queue_key);
        waits
    };
    to_come.map(|session| (session.clone(), queue(&session))).collect()
}

/// Who could take a place, as the checker sees them.
fn able(month: &Month, waiter: &Booking) -> bool {
    month.waited.get(&waiter.id).is_some_and(|(_, could)| *could)
}

/// One more place in a session, and somebody of its queue gets it for nothing, as if this pass had paid.
fn give_place(set: &mut WorkingSet, month: &Month, session: &SessionRow, mut to: Booking, pass_id: Option<Uuid>) {
    let place = Place {
        payment: Payment { pass_id, credits: 0, visit_week: None },
        free_cancel_until: None,
        penalty_terms: PenaltyTerms::default(),
    };
    to.promote(&place, month.now).unwrap();
    set.put(to);
    let mut larger = set.session(session.id).unwrap().clone();
    larger.capacity = larger.taken + larger.held;
    set.put_session(larger);
}

#[tokio::test]
#[should_panic(expected = "oversold")]
async fn the_checker_sees_an_oversold_session() {
    broken(|set, month| {
        let session = month.sessions.iter().map(|id| set.session(*id).unwrap()).find(|session| session.taken > 0)?;
        let mut smaller = session.clone();
        smaller.capacity = smaller.taken - 1;
        set.put_session(smaller);
        Some(())
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "idle")]
async fn the_checker_sees_an_idle_place() {
    broken(|set, month| {
        let (session, _) = queues(set, month).into_iter().find(|(_, queue)| queue.iter().any(|waiter| able(month, waiter)))?;
        let mut larger = set.session(session.id).unwrap().clone();
        larger.capacity = larger.taken + larger.held + 1;
        set.put_session(larger);
        Some(())
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "passed over without a reason")]
async fn the_checker_sees_who_was_passed_over_without_a_reason() {
    broken(|set, month| {
        let untold = |queue: &[Booking]| queue.len() > 1 && queue[0].passed_over.is_none() && queue[0].conditions.is_none();
        let (session, queue) = queues(set, month).into_iter().find(|(_, queue)| untold(queue))?;
        let free = |b: &&Booking| !set.ahead(b.person_id, month.now).iter().any(|o| o.takes_place() && o.overlaps(b.starts_at, b.ends_at));
        let last = queue[1..].iter().rfind(free)?.clone();
        give_place(set, month, &session, last, None);
        Some(())
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "passed over, although they could have taken it")]
async fn the_checker_sees_who_was_passed_over_wrongly() {
    broken(|set, month| {
        let (session, queue) = queues(set, month).into_iter().find(|(_, queue)| queue.len() > 1 && able(month, &queue[0]))?;
        let mut first = queue[0].clone();
        first.pass_over(PassedOver::NoPass).unwrap();
        set.put(first);
        let free = |b: &&Booking| !set.ahead(b.person_id, month.now).iter().any(|o| o.takes_place() && o.overlaps(b.starts_at, b.ends_at));
        let last = queue[1..].iter().rfind(free)?.clone();
        give_place(set, month, &session, last, None);
        Some(())
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "balance of")]
async fn the_checker_sees_a_credit_that_comes_from_nowhere() {
    broken(|set, month| {
        let pack = month.passes.values().map(|id| set.pass(*id).unwrap()).find(|pass| pass.credits_left.is_some())?;
        let mut richer = pack.clone();
        richer.credits_left = richer.credits_left.map(|left| left + 1);
        let entry = releve::passes::LedgerEntry::new(Uuid::nil(), richer.id, releve::passes::LedgerReason::Gift, None, month.now);
        set.put_pass(richer, entry);
        Some(())
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "strikes are not those of the history")]
async fn the_checker_sees_a_strike_that_is_none() {
    broken(|set, _| {
        let mut penalty = set.all_penalties().next()?.clone();
        penalty.strike = !penalty.strike;
        set.put_penalty(penalty);
        Some(())
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "in two sessions at once")]
async fn the_checker_sees_somebody_in_two_places() {
    broken(|set, month| {
        let booked = |b: &&Booking| b.status == BookingStatus::Booked && b.guest_of.is_none();
        let all = || month.bookings.iter().map(|made| set.known_booking(made.id).unwrap()).filter(booked);
        let pairs = all().flat_map(|one| all().map(move |other| (one, other)));
        let (one, other) = pairs.into_iter().find(|(one, other)| one.person_id == other.person_id && one.id < other.id)?;
        let mut moved = one.clone();
        moved.move_with_session(other.starts_at, other.ends_at);
        set.put(moved);
        Some(())
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "dearer than told")]
async fn the_checker_sees_a_tap_that_costs_more_than_was_told() {
    broken(|set, month| {
        let kept = |b: &&Booking| b.status == BookingStatus::LateCancelled && b.credits > 0;
        let late = month.bookings.iter().map(|made| set.known_booking(made.id).unwrap()).find(kept)?;
        let told = releve::booking::terms::LateCancel {
            credits_lost: 0,
            visit_counts: true,
            fee: None,
            strike: true,
            forgiven_left: 0,
            forgiven: false,
        };
        super::check_against_the_terms(&told, late, None);
        Some(())
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "paid by a pass that is nobody's of theirs")]
async fn the_checker_sees_a_pass_that_pays_for_a_stranger() {
    broken(|set, month| {
        let (session, queue) = queues(set, month).into_iter().find(|(_, queue)| !queue.is_empty())?;
        let first = queue[0].clone();
        let mut passes = month.passes.values().map(|id| set.pass(*id).unwrap());
        // Of somebody of their family, who does not share it.
        let others = passes.find(|pass| month.is_family(pass.person_id, first.person_id) && pass.shared_at.is_none())?.id;
        let free = !set.ahead(first.person_id, month.now).iter().any(|o| o.takes_place() && o.overlaps(first.starts_at, first.ends_at));
        give_place(set, month, &session, free.then_some(first)?, Some(others));
        Some(())
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "a place is offered to somebody who is suspended")]
async fn the_checker_sees_an_offer_to_somebody_who_is_suspended() {
    broken(|set, month| {
        month.said.house["strikes_max"].as_i64()?;
        let far = |booking: &&Booking| booking.starts_at > month.now + TimeDelta::hours(25);
        let (session, mut waits) =
            queues(set, month).into_iter().find_map(|(session, queue)| Some((session, queue.iter().find(far)?.clone())))?;
        let penalty = set.all_penalties().next()?.clone();
        let person_id = waits.person_id;
        let mut larger = set.session(session.id).unwrap().clone();
        larger.capacity += 1;
        set.put_session(larger);
        let key = waits.offer(month.now).unwrap();
        let clock = OfferClock { clock_starts_at: month.now, expires_at: month.now + TimeDelta::minutes(30) };
        set.put_offer(Offer::new(Uuid::nil(), waits.id, key, clock, month.now));
        set.put(waits);
        set.put_penalty(Penalty { id: Uuid::nil(), person_id, strike: true, forgiven: None, at: month.now, waived_at: None, ..penalty });
        Some(())
    })
    .await;
}
