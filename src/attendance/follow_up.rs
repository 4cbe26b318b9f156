//! What follows a class: who stood at the door in vain is told so, whoever nobody has marked is absent, and a session in which nobody was
//! marked is asked about and then counts as attended.

use super::rules::{Deadlines, FollowUp, follow_up};
use crate::booking::freed::Freed;
use crate::booking::place::give_back;
use crate::booking::refill::settle;
use crate::booking::{Booking, BookingStatus, EndedBy};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::passes::{LedgerReason, begin};
use crate::penalties::PenaltyKind;
use crate::penalties::rules::{Cost, Leniency, cost};
use crate::penalties::standing::penalize;
use crate::schedule::Session;
use crate::studios::StudioContext;
use crate::working_set::{Attended, Decision, WorkingSet, all};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Sweep: what is due about the attendance of a session.
pub fn follow_up_attendance(set: &mut WorkingSet, session_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let mut session = set.session(session_id)?.clone();
    let Some(mut due) = session.attendance_due_at.filter(|due| *due <= now && !session.is_cancelled()) else { return Ok(()) };
    let studio = set.studio(session.studio_id)?;
    let deadlines = Deadlines::of(session.ends_at, &studio.rules_of(session.class_type_id));
    let roster = set.in_company(&set.roster(session_id)?)?;
    let open: Vec<Booking> = roster.iter().filter(|booking| is_open(booking)).cloned().collect();
    let recorded = roster.iter().any(Booking::is_record);
    // After a night without power, everything that has fallen due meanwhile.
    let decided = loop {
        match follow_up(due, deadlines, !open.is_empty(), recorded) {
            FollowUp::Later(at) | FollowUp::Ask(at) if at <= now => due = at,
            decided => break decided,
        }
    };
    session.attendance_due_at = match decided {
        FollowUp::Later(at) | FollowUp::Ask(at) => Some(at),
        FollowUp::Nothing | FollowUp::Absent | FollowUp::Unrecorded => None,
    };
    set.put_session(session.clone());
    turn_away(set, roster.into_iter().filter(|booking| booking.status == BookingStatus::Standby).collect(), now)?;
    let mut freed = Freed::default();
    match decided {
        FollowUp::Nothing | FollowUp::Later(_) => {}
        FollowUp::Ask(until) => {
            let unmarked = i64::try_from(open.len()).unwrap_or(i64::MAX);
            emit(set, &Actor::system(), Event::of_session(&session, Happened::AttendanceMissing { unmarked, until }))?;
        }
        FollowUp::Absent => {
            look_up(set, &open)?;
            for booking in open {
                make_absent(set, booking, &session, &studio, deadlines, &mut freed, now)?;
            }
        }
        FollowUp::Unrecorded => {
            look_up(set, &open)?;
            for booking in open {
                // Staff have given the place to somebody else, or have looked for the member in vain.
                if booking.is_record() {
                    make_absent(set, booking, &session, &studio, deadlines, &mut freed, now)?;
                } else {
                    count_attended(set, booking, &mut freed, now)?;
                }
            }
        }
    }
    settle(set, freed, now)
}

/// Whether it still has to be said whether the member came.
fn is_open(booking: &Booking) -> bool {
    booking.status == BookingStatus::Booked || booking.provisional
}

/// Asks at once for all that is to be known of those about whom it is said whether they came.
pub fn look_up(set: &WorkingSet, open: &[Booking]) -> Decision<()> {
    set.need_people(open)?;
    all(open.iter().map(|booking| set.penalties(booking.person_id).map(drop)))?;
    let passes = all(open.iter().filter_map(|booking| booking.pass_id).map(|id| set.pass(id)))?;
    let counted = passes.into_iter().filter(|pass| pass.from_first().is_some());
    all(counted.map(|pass| set.first_attended(Attended::With(pass.id)).map(drop))).map(drop)
}

/// Who stood at the door in vain: nothing was taken.
fn turn_away(set: &mut WorkingSet, at_the_door: Vec<Booking>, now: DateTime<Utc>) -> Decision<()> {
    set.need_people(&at_the_door)?;
    for mut booking in at_the_door {
        booking.leave(&EndedBy::WaitlistClosed.into(), now)?;
        let event = Event::of_booking(&booking, Happened::WaitlistClosed);
        set.put(booking);
        emit(set, &Actor::system(), event)?;
    }
    Ok(())
}

/// They did not come, and it costs what was told when the place was given. What an admin took back of this booking stays taken back.
fn make_absent(
    set: &mut WorkingSet,
    mut booking: Booking,
    session: &Session,
    studio: &StudioContext,
    deadlines: Deadlines,
    freed: &mut Freed,
    now: DateTime<Utc>,
) -> Decision<()> {
    let house = Actor::system();
    let before = set.penalties(booking.person_id)?;
    let taken_back = before.iter().any(|penalty| penalty.booking_id == booking.id && penalty.waived_reason.is_some());
    // Of somebody who has left, nothing is given back and nothing is asked.
    let gone = set.identity_if_any(booking.person_id)?.is_none();
    let cost = if taken_back || gone {
        Cost { credits: booking.credits, visit: booking.visit_week.is_some(), ..Cost::default() }
    } else {
        let penalty_free_day = studio.rules.penalty_free_days.has(session.local_date);
        let leniency = Leniency { penalty_free_day, ..Leniency::default() };
        cost(PenaltyKind::NoShow, &booking.penalty_terms(), booking.credits, booking.visit_week.is_some(), leniency)
    };
    if cost.forgiven.is_some() {
        give_back(set, &house, &mut booking, LedgerReason::Forgiven, None, now)?;
        freed.member_of(&booking);
    }
    booking.mark_absent(false)?;
    set.put(booking.clone());
    let what = Happened::NoShow {
        credits_lost: cost.credits,
        visit_counts: cost.visit,
        fee_minor: cost.fee.as_ref().map(|fee| fee.amount_minor),
        currency: cost.fee.as_ref().map(|fee| fee.currency.clone()),
        strike: cost.strike,
        forgiven: cost.forgiven,
        corrected_until: deadlines.corrected_until,
    };
    emit(set, &house, Event::of_booking(&booking, what))?;
    if taken_back { Ok(()) } else { penalize(set, &house, &booking, &cost, freed, now) }
}

/// Nobody looked who was there: it counts as a visit, and a pass that begins with the first class attended begins with it.
fn count_attended(set: &mut WorkingSet, mut booking: Booking, freed: &mut Freed, now: DateTime<Utc>) -> Decision<()> {
    let house = Actor::system();
    booking.count_attended()?;
    set.put(booking.clone());
    emit(set, &house, Event::of_booking(&booking, Happened::Unrecorded))?;
    if begin::follow(set, &house, &booking, now)? {
        freed.member_of(&booking);
    }
    Ok(())
}
