//! What follows from a mark, or from its being taken back: an absence that was none costs nothing more than the class, and one that nobody
//! expected any more is looked at again.

use super::rules::Deadlines;
use crate::booking::freed::Freed;
use crate::booking::place::take_again;
use crate::booking::{Booking, BookingStatus};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::penalties::standing::{penalty_of, suspension, tell_suspension};
use crate::working_set::{Decision, WorkingSet};
use chrono::{DateTime, Utc};

/// To be called after a mark was set or taken back, and the event of that emitted: `before` is the booking as it was.
pub fn follow(
    set: &mut WorkingSet,
    actor: &Actor,
    before: &Booking,
    booking: &Booking,
    freed: &mut Freed,
    now: DateTime<Utc>,
) -> Decision<()> {
    let mut session = set.session(booking.session_id)?.clone();
    let studio = set.studio(session.studio_id)?;
    let rules = studio.rules_of(session.class_type_id);
    let deadlines = Deadlines::of(session.ends_at, &rules);
    let due = match session.attendance_due_at {
        Some(due) if booking.is_record() => Some(deadlines.after_mark(due, &rules, now)),
        // A session that was over before absences were followed up stays as it is.
        None if booking.status != BookingStatus::Attended && session.absent_from.is_some() => Some(deadlines.after_undo(&rules, now)),
        due => due,
    };
    if due != session.attendance_due_at {
        session.attendance_due_at = due;
        set.put_session(session);
    }
    if before.status == BookingStatus::NoShow && booking.status == BookingStatus::Attended {
        came_after_all(set, actor, booking, freed, now)?;
    }
    Ok(())
}

/// The absence is taken back: the fee and the strike. The class was paid for, and stays so; where that had been given back, because the
/// absence was forgiven, it is taken again. What an admin took back stays taken back.
fn came_after_all(set: &mut WorkingSet, actor: &Actor, booking: &Booking, freed: &mut Freed, now: DateTime<Utc>) -> Decision<()> {
    let Some(mut penalty) = penalty_of(set, booking)?.filter(|penalty| !penalty.is_waived()) else { return Ok(()) };
    let studio = set.studio(booking.studio_id)?;
    let before = suspension(set, booking.person_id, &studio, now)?;
    penalty.waive(actor.person_id, None, now)?;
    let what = Happened::PenaltyWaived {
        penalty: penalty.id,
        credits_returned: 0,
        visit_returned: false,
        strike: penalty.strike,
        fee_minor: penalty.fee_minor,
        currency: penalty.fee_currency.clone(),
    };
    let was_forgiven = penalty.forgiven.is_some();
    set.put_penalty(penalty);
    emit(set, actor, Event::of_booking(booking, what))?;
    if was_forgiven
        && let Some(mut paid) = set.known_booking(booking.id).cloned()
        && take_again(set, actor, &mut paid, now)?
    {
        let what = Happened::TakenAgain { credits: paid.credits, visit: paid.visit_week.is_some() };
        let event = Event::of_booking(&paid, what);
        set.put(paid);
        emit(set, actor, event)?;
    }
    tell_suspension(set, actor, booking.person_id, &studio, before, freed, now)?;
    freed.member_of(booking);
    Ok(())
}
