//! `PUT /v1/bookings/{id}/acceptance`: a member takes the place that they are offered or, waiting, one that is now public.

use super::BookingStatus;
use super::freed::Freed;
use super::member::who_takes;
use super::offer::OfferOutcome;
use super::offering::end_offer;
use super::place::{leave_overlapping, pay};
use super::refill::settle;
use super::remind;
use super::replace::give_up_if_any;
use super::rules::{self, Ask, SessionNow};
use super::snapshot::{BookingSnapshot, own_booking, show};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::passes::LedgerReason;
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// `PUT /v1/bookings/{id}/acceptance`.
pub fn accept(set: &mut WorkingSet, actor: &Actor, booking_id: Uuid, now: DateTime<Utc>) -> Decision<BookingSnapshot> {
    let (mut booking, _, by_staff) = own_booking(set, actor, booking_id)?;
    match booking.status {
        BookingStatus::Booked | BookingStatus::Attended | BookingStatus::NoShow => return show(set, booking_id, now),
        BookingStatus::Cancelled | BookingStatus::LateCancelled | BookingStatus::Standby => {
            return Err(Problem::new(ProblemType::OfferExpired).into());
        }
        BookingStatus::Waitlisted | BookingStatus::Offered => {}
    }
    let session = set.session(booking.session_id)?.clone();
    let studio = set.studio(session.studio_id)?;
    let member = set.person(booking.person_id)?;
    let mut freed = Freed::default();
    give_up_if_any(set, actor, &booking, &mut freed, now)?;
    let member = who_takes(set, member.id, &session, &studio, now)?;
    let ask = Ask { pass_id: booking.asked_pass_id, waitlist: true, by_staff, unpaid: booking.asked_unpaid };
    let rules = studio.rules_of(session.class_type_id);
    let state = SessionNow::of(&session, studio.zone);
    let offered = set.running_offer(booking_id).map(|offer| offer.expires_at);
    let place = match offered {
        Some(expires_at) => rules::accept_offer(&state, &rules, member.now(), ask, expires_at, now),
        None => rules::accept(&state, &rules, member.now(), ask, now),
    };
    let place = place.map_err(|refusal| refusal.problem(studio.shop_url.as_deref()))?;
    booking.accept(&place)?;
    remind::plan(set, &mut booking, now)?;
    end_offer(set, booking_id, OfferOutcome::Accepted, now)?;
    pay(set, actor, &booking, LedgerReason::Booked, now)?;
    set.put(booking.clone());
    let what = Happened::Accepted { credits: booking.credits, by_staff, offered: offered.is_some() };
    emit(set, actor, Event::of_booking(&booking, what))?;
    leave_overlapping(set, actor, &booking, &mut freed, now)?;
    settle(set, freed, now)?;
    show(set, booking_id, now)
}
