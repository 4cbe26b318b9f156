//! `PUT /v1/bookings/{id}/move-up`: staff give a free place, or an extra one, to somebody who waits, past those who waited longer. These
//! read why in the history of their own bookings.

use super::freed::Freed;
use super::member::who_takes;
use super::place::{leave_overlapping, pay};
use super::refill::settle;
use super::remind;
use super::replace::give_up_if_any;
use super::rules::{self, Ask, SessionNow};
use super::snapshot::{BookingSnapshot, show};
use super::{Booking, BookingStatus};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::passes::LedgerReason;
use crate::problem::{Problem, ProblemType};
use crate::schedule::series::ByHand;
use crate::working_set::{Decision, WorkingSet, caller, not_found};
use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

/// `PUT /v1/bookings/{id}/move-up`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct MoveUp {
    pub booking_id: Uuid,
    /// Why, as those passed over read it.
    pub reason: String,
    /// The session gets one place more, for this booking.
    pub extra_place: bool,
}

/// `PUT /v1/bookings/{id}/move-up`. Repeated, the booking is in already.
pub fn move_up(set: &mut WorkingSet, actor: &Actor, ask: &MoveUp, now: DateTime<Utc>) -> Decision<BookingSnapshot> {
    let caller = caller(actor)?;
    let Some(mut booking) = set.booking(ask.booking_id, caller)?.cloned() else { return Err(not_found()) };
    let own = set.person(caller)?;
    let mut session = set.session(booking.session_id)?.clone();
    let studio = set.studio(session.studio_id)?;
    if !own.roles.is_staff_of_session(booking.studio_id, session.instructor_id == caller) {
        return Err(if booking.person_id == caller { Problem::new(ProblemType::NotAllowed).into() } else { not_found() });
    }
    let begins = booking.starts_at - Duration::minutes(studio.rules.attendance_from_min);
    if !own.roles.is_front_desk(studio.id) && now < begins {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    match booking.status {
        BookingStatus::Booked | BookingStatus::Attended if booking.moved_up_reason.is_some() => return show(set, booking.id, now),
        BookingStatus::Waitlisted => {}
        status => return Err(Problem::new(ProblemType::StatusChanged).with("booking_status", status).into()),
    }
    let passed_over = ahead_of(set, &booking)?;
    let member = set.person(booking.person_id)?;
    let mut freed = Freed::default();
    give_up_if_any(set, actor, &booking, &mut freed, now)?;
    let member = who_takes(set, member.id, &session, &studio, now)?;
    if ask.extra_place {
        session.capacity += 1;
        session.version += 1;
        if session.series_id.is_some() && !session.by_hand.contains(&ByHand::Capacity) {
            session.by_hand.0.push(ByHand::Capacity);
        }
    }
    let asked = Ask { pass_id: booking.asked_pass_id, waitlist: true, by_staff: true, unpaid: booking.asked_unpaid };
    let place = rules::move_up(&SessionNow::of(&session, studio.zone), &studio.rules_of(session.class_type_id), member.now(), asked, now)
        .map_err(|refusal| refusal.problem(studio.shop_url.as_deref()))?;
    if ask.extra_place {
        set.put_session(session);
    }
    booking.move_up(&place, ask.reason.clone())?;
    remind::plan(set, &mut booking, now)?;
    pay(set, actor, &booking, LedgerReason::Booked, now)?;
    set.put(booking.clone());
    let extra_place = ask.extra_place;
    emit(set, actor, Event::of_booking(&booking, Happened::MovedUp { credits: booking.credits, extra_place }))?;
    for other in passed_over {
        emit(set, actor, Event::of_booking(&other, Happened::Overtaken { moved: booking.id, extra_place }))?;
    }
    leave_overlapping(set, actor, &booking, &mut freed, now)?;
    settle(set, freed, now)?;
    show(set, ask.booking_id, now)
}

/// Those who have waited longer.
fn ahead_of(set: &WorkingSet, booking: &Booking) -> Decision<Vec<Booking>> {
    let waiting = set.in_company(&set.whole_queue(booking.session_id)?)?;
    Ok(waiting.into_iter().filter(|other| other.queue_key < booking.queue_key).collect())
}
