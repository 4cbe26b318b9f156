//! `PUT /v1/bookings/{id}` with `standby`: staff enter a member who stands at the door of a full session, for a place that nobody claims.

use super::member::who_joins;
use super::rules::SessionNow;
use super::rules::door::{self, NotAtTheDoor};
use super::snapshot::{BookingSnapshot, show};
use super::{Booking, NewBooking};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, caller, not_found};
use crate::wrong::Wrong;
use chrono::{DateTime, Utc};

/// The member stands by from now on, behind those who came before. Nothing is taken.
pub fn stand_by(set: &mut WorkingSet, actor: &Actor, new: NewBooking, now: DateTime<Utc>) -> Decision<BookingSnapshot> {
    let caller = caller(actor)?;
    let own = set.identity(caller)?;
    let session = set.session(new.session_id)?.clone();
    let studio = set.studio(session.studio_id)?;
    if !own.roles.is_staff_of_session(studio.id, session.instructor_id == caller) {
        let hidden = session.is_for_staff() && !own.roles.is_staff(studio.id);
        return Err(if hidden { not_found() } else { Problem::new(ProblemType::NotAllowed).into() });
    }
    if new.asked_unpaid && !own.roles.is_front_desk(studio.id) {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    set.person(new.person_id)?;
    if !set.is_member(studio.id, new.person_id) {
        return Err(Problem::field("person_id", Wrong::NotMember).into());
    }
    let state = SessionNow::of(&session, studio.zone);
    let member = who_joins(set, new.person_id, &session, &studio, now)?;
    door::stand_by(&state, &studio.rules_of(session.class_type_id), member.now(), now).map_err(NotAtTheDoor::problem)?;
    let booking = Booking::at_the_door(new, now);
    let event = Event::of_booking(&booking, Happened::StandsBy { unpaid: booking.asked_unpaid });
    let id = booking.id;
    set.put(booking);
    emit(set, actor, event)?;
    let mut shown = show(set, id, now)?;
    shown.fresh = true;
    Ok(shown)
}
