//! `PUT /v1/bookings/{id}` with a `guest`: a second place for somebody who comes with the member. It is the member's booking, paid by a pass
//! of theirs, and no more than a place: no guest waits.

use super::member::who_joins;
use super::place::pay;
use super::rules::{self, Ask, SessionNow};
use super::snapshot::{BookingSnapshot, show};
use super::{Booking, Guest, NewBooking};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::passes::LedgerReason;
use crate::schedule::Session;
use crate::studios::StudioContext;
use crate::working_set::{Decision, WorkingSet};
use chrono::{DateTime, Utc};

/// Books the guest's place beside the member's own.
pub fn book_guest(
    set: &mut WorkingSet,
    actor: &Actor,
    new: NewBooking,
    guest: &Guest,
    by_staff: bool,
    (session, studio): (&Session, &StudioContext),
    now: DateTime<Utc>,
) -> Decision<BookingSnapshot> {
    set.person(new.person_id)?;
    let member = who_joins(set, new.person_id, session, studio, now)?;
    let asked = Ask { pass_id: new.asked_pass_id, waitlist: false, by_staff, unpaid: new.asked_unpaid };
    let rules = studio.rules_of(session.class_type_id);
    let (host, place) = rules::book_guest(&SessionNow::of(session, studio.zone), &rules, member.now(), asked, now)
        .map_err(|refusal| refusal.problem(studio.shop_url.as_deref()))?;
    let (guest_name, guest_email) = (Some(guest.name.clone()), guest.email.clone());
    let booking = Booking { guest_of: Some(host), guest_name, guest_email, ..Booking::with_place(new, &place, now) };
    pay(set, actor, &booking, LedgerReason::Booked, now)?;
    set.put(booking.clone());
    let what = Happened::Booked { credits: booking.credits, by_staff, unpaid: booking.asked_unpaid };
    emit(set, actor, Event::of_booking(&booking, what))?;
    let mut shown = show(set, booking.id, now)?;
    shown.fresh = true;
    Ok(shown)
}
