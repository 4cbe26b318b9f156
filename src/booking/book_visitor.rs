//! `PUT /v1/bookings/{id}` with a `visitor`: the front desk enters somebody who comes by a partner and has no account.
//!
//! A person without a name, under the booking's id, stands for them, so that a place is a person's here as everywhere; no pass pays, no letter
//! is written, and neither a late cancellation nor an absence costs them anything.

use super::rules::{self, Admission, Ask, MemberNow, SessionNow};
use super::snapshot::{BookingSnapshot, show};
use super::{Booking, NewBooking, Place, Visitor};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::penalties::rules::PenaltyTerms;
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, all_needs, caller, not_found};
use chrono::{DateTime, Utc};

/// Gives the visitor a place that is free for everybody: they do not wait.
pub fn book_visitor(
    set: &mut WorkingSet,
    actor: &Actor,
    new: NewBooking,
    visitor: &Visitor,
    now: DateTime<Utc>,
) -> Decision<BookingSnapshot> {
    let (caller, id) = (caller(actor)?, new.id);
    let needs = [set.identity(caller).err(), set.identity_if_any(id).err()];
    if needs.iter().any(Option::is_some) {
        return Err(all_needs(needs));
    }
    let (own, session) = (set.identity(caller)?, set.session(new.session_id)?);
    let studio = set.studio(session.studio_id)?;
    if !own.roles.is_front_desk(studio.id) {
        let hidden = session.is_for_staff() && !own.roles.is_staff(studio.id);
        return Err(if hidden { not_found() } else { Problem::new(ProblemType::NotAllowed).into() });
    }
    if set.identity_if_any(id)?.is_some() {
        return Err(Problem::new(ProblemType::BookingIdReused).into());
    }
    let nobody = MemberNow { ahead: &[], passes: &[], visits: &[], places: &[], suspended: None };
    let asked = Ask { pass_id: None, waitlist: false, by_staff: true, unpaid: true };
    let rules = studio.rules_of(session.class_type_id);
    let admitted = rules::book(&SessionNow::of(session, studio.zone), &rules, nobody, asked, now);
    let Admission::Place(place) = admitted.map_err(|refusal| refusal.problem(studio.shop_url.as_deref()))? else {
        return Err(Problem::fault("a visitor was to wait").into());
    };
    let (new, place) = (NewBooking { asked_unpaid: true, ..new }, Place { penalty_terms: PenaltyTerms::default(), ..place });
    let Visitor { name, phone, source } = visitor.clone();
    let booking =
        Booking { guest_name: Some(name), visitor_phone: phone, visitor_source: Some(source), ..Booking::with_place(new, &place, now) };
    set.put_nameless(id, now);
    let event = Event::of_booking(&booking, Happened::Booked { credits: 0, by_staff: true, unpaid: true });
    set.put(booking);
    emit(set, actor, event)?;
    let mut shown = show(set, id, now)?;
    shown.fresh = true;
    Ok(shown)
}
