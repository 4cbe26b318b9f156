//! What the changes of a pass have in common: who sees it, what stands in the way, and what follows when its last day is another.

use super::rules::notice::{DAYS_AHEAD, next};
use super::{LedgerEntry, Pass};
use crate::booking::Booking;
use crate::events::Actor;
use crate::letters::outbox::ending_key;
use crate::people::Person;
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, caller, not_found};
use chrono::{DateTime, NaiveDate, Utc};
use std::sync::Arc;
use uuid::Uuid;

/// The pass, and who asks. Whoever holds it sees it, and the front desks that take it.
pub fn seen(set: &WorkingSet, actor: &Actor, pass_id: Uuid) -> Decision<(Pass, Arc<Person>)> {
    let own = set.identity(caller(actor)?)?;
    let pass = set.pass(pass_id)?;
    let sees = pass.person_id == own.id || pass.is_taken_at(|studio_id| own.roles.is_front_desk(studio_id));
    if sees { Ok((pass.clone(), own)) } else { Err(not_found()) }
}

/// Refuses whoever does not run the studio that sold it.
pub fn only_admin(pass: &Pass, own: &Person) -> Decision<()> {
    if own.roles.is_admin(pass.studio_id) { Ok(()) } else { Err(Problem::new(ProblemType::NotAllowed).into()) }
}

/// Refuses whoever does not work at the desk of the studio that sold it.
pub fn only_front_desk(pass: &Pass, own: &Person) -> Decision<()> {
    if own.roles.is_front_desk(pass.studio_id) { Ok(()) } else { Err(Problem::new(ProblemType::NotAllowed).into()) }
}

/// Refuses what is refunded, transferred or past its last day.
pub fn not_over(pass: &Pass, today: NaiveDate) -> Decision<()> {
    if pass.ended_at.is_some() || pass.expires_on < today { Err(Problem::new(ProblemType::PassOver).into()) } else { Ok(()) }
}

/// Refuses while a freeze runs or is to come.
pub fn not_frozen(pass: &Pass, today: NaiveDate) -> Decision<()> {
    match pass.frozen() {
        Some((from, until)) if today <= until => Err(frozen(from, until).into()),
        _ => Ok(()),
    }
}

/// There is a freeze, from one day to another.
pub fn frozen(from: NaiveDate, until: NaiveDate) -> Problem {
    Problem::new(ProblemType::PassFrozen).with("frozen_from", from).with("frozen_until", until)
}

/// Refuses while it pays for any, and names them.
pub fn not_in_use(bookings: &[Booking]) -> Decision<()> {
    if bookings.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = bookings.iter().map(|booking| booking.id).collect();
    Err(Problem::new(ProblemType::PassInUse).with("booking_ids", ids).into())
}

/// Keeps a changed pass, with what its ledger says of it. With another last day, its end is told at other times, and letters that name the
/// one before are not sent.
pub fn keep(set: &mut WorkingSet, mut pass: Pass, entry: LedgerEntry, now: DateTime<Utc>) -> Decision<()> {
    let before = set.pass(pass.id)?;
    let (last_day, ends) = (before.expires_on, pass.ended_at.is_some());
    if last_day != pass.expires_on || ends {
        pass.notice_at = next(&pass, set.studio(pass.studio_id)?.zone, now);
        set.overtaken.extend(DAYS_AHEAD.map(|days| ending_key(pass.id, last_day, days)));
    }
    set.put_pass(pass, entry);
    Ok(())
}
