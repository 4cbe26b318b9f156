//! `PUT /v1/passes/{id}/freeze`, and its early end: on those days the pass pays for nothing, and it is longer by as many.

use super::held::{frozen, keep, not_in_use, not_over, seen};
use super::rules::freeze::{self, CannotFreeze, DAYS_MAX, Frozen};
use super::{LedgerEntry, LedgerReason, Pass};
use crate::booking::ending::end_by_person;
use crate::booking::freed::Freed;
use crate::booking::refill::settle;
use crate::booking::{Booking, BookingStatus, EndedBy, Ending, rules};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::ids::new_id;
use crate::penalties::rules::Leniency;
use crate::people::Person;
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Abort, Decision, WorkingSet, all};
use crate::wrong::Wrong;
use crate::zones::local_date;
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

/// `PUT /v1/passes/{id}/freeze`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct FreezePass {
    pub pass_id: Uuid,
    /// The first day …
    pub from: NaiveDate,
    /// … and the last.
    pub until: NaiveDate,
    /// Bookings on those days for which it pays are cancelled, at no cost.
    pub cancel_bookings: bool,
}

/// Freezes a pass: the front desk, and whoever holds it where its type allows. Bookings on those days are named first.
pub fn freeze_pass(set: &mut WorkingSet, actor: &Actor, ask: &FreezePass, now: DateTime<Utc>) -> Decision<Uuid> {
    let (mut pass, own) = seen(set, actor, ask.pass_id)?;
    let by_staff = may_freeze(&pass, &own)?;
    let studio = set.studio(pass.studio_id)?;
    let today = local_date(now, studio.zone);
    let done = freeze::freeze(&pass, (ask.from, ask.until), today, by_staff).map_err(refused)?;
    if done.frozen == pass.frozen() {
        return Ok(pass.id);
    }
    not_over(&pass, today)?;
    let open = set.paid_by(pass.id, now)?.into_iter().filter(|booking| booking.status == BookingStatus::Booked);
    let open: Vec<Booking> = open.collect();
    let date_of = |booking: &Booking| -> Decision<NaiveDate> { Ok(local_date(booking.starts_at, set.studio(booking.studio_id)?.zone)) };
    let dates = all(open.iter().map(date_of))?;
    let inside = open.into_iter().zip(dates).filter(|(_, date)| ask.from <= *date && *date <= ask.until);
    let mut inside: Vec<Booking> = inside.map(|(booking, _)| booking).collect();
    // A guest's place would end with the host's.
    inside.sort_by_key(|booking| !booking.is_guests());
    if !ask.cancel_bookings {
        not_in_use(&inside)?;
    }
    // It is no way out of a late cancellation: for nothing, only staff let somebody go then.
    let late: Vec<Booking> = inside.iter().filter(|booking| !by_staff && rules::is_late(booking, now)).cloned().collect();
    not_in_use(&late)?;
    apply(&mut pass, &done);
    let entry = LedgerEntry::new(new_id(now), pass.id, LedgerReason::Frozen, Some(own.id), now);
    let (id, person_id, expires_on) = (pass.id, pass.person_id, pass.expires_on);
    keep(set, pass, entry, now)?;
    let what = Happened::PassFrozen { person_id, from: ask.from, until: ask.until, expires_on, by_staff };
    emit(set, actor, Event::in_studio(studio.id, Subject::Pass, id, what))?;
    let mut freed = Freed::default();
    // A freeze that took the place of another leaves the days of that one.
    freed.person(person_id);
    let ending = Ending::from(if by_staff { EndedBy::Staff } else { EndedBy::Member });
    for booking in inside {
        if let Ok(decided) = rules::cancel(&booking, Leniency::default(), true, now) {
            end_by_person(set, actor, booking, decided, &ending, &mut freed, now)?;
        }
    }
    settle(set, freed, now)?;
    Ok(id)
}

/// Ends a freeze: one that has not begun is as if it had never been, one that runs ends yesterday. Repeated, it is done already.
pub fn unfreeze_pass(set: &mut WorkingSet, actor: &Actor, pass_id: Uuid, now: DateTime<Utc>) -> Decision<Uuid> {
    let (mut pass, own) = seen(set, actor, pass_id)?;
    let by_staff = may_freeze(&pass, &own)?;
    let studio = set.studio(pass.studio_id)?;
    let done = freeze::unfreeze(&pass, local_date(now, studio.zone));
    if done.frozen == pass.frozen() || pass.ended_at.is_some() {
        return Ok(pass.id);
    }
    apply(&mut pass, &done);
    let entry = LedgerEntry::new(new_id(now), pass.id, LedgerReason::Unfrozen, Some(own.id), now);
    let (person_id, expires_on) = (pass.person_id, pass.expires_on);
    keep(set, pass, entry, now)?;
    let what = Happened::PassUnfrozen { person_id, expires_on, by_staff };
    emit(set, actor, Event::in_studio(studio.id, Subject::Pass, pass_id, what))?;
    let mut freed = Freed::default();
    freed.person(person_id);
    settle(set, freed, now)?;
    Ok(pass_id)
}

/// Whether somebody freezes it as staff; refuses who may not.
fn may_freeze(pass: &Pass, own: &Person) -> Decision<bool> {
    let by_staff = own.roles.is_front_desk(pass.studio_id);
    let may = by_staff || (pass.person_id == own.id && pass.freeze_days_max > 0);
    if may { Ok(by_staff) } else { Err(Problem::new(ProblemType::NotAllowed).into()) }
}

fn apply(pass: &mut Pass, done: &Frozen) {
    pass.freeze(done.frozen, done.frozen_days, done.expires_on);
}

fn refused(why: CannotFreeze) -> Abort {
    let problem = match why {
        CannotFreeze::InPast => Problem::field("from", Wrong::InPast),
        CannotFreeze::EndsTooEarly => Problem::field("until", Wrong::BeforeFrom),
        CannotFreeze::TooFar => Problem::field("until", Wrong::TooFarFromFrom { days: DAYS_MAX.unsigned_abs() - 1 }),
        CannotFreeze::AfterLastDay => Problem::field("from", Wrong::AfterLastDay),
        CannotFreeze::Runs(from, until) => frozen(from, until),
        CannotFreeze::TooLong { left } => Problem::new(ProblemType::FreezeTooLong).with("max", left),
    };
    problem.into()
}
