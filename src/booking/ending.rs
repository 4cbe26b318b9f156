//! How a booking ends that its member or staff give up: what was taken for it is returned or kept, and its place is free.

use super::freed::Freed;
use super::guests::guests_of;
use super::offer::OfferOutcome;
use super::offering::end_offer;
use super::place::give_back;
use super::rules::{self, Cancellation};
use super::{Booking, BookingStatus, EndedBy, Ending};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::letters::facts::LeftBecause;
use crate::passes::LedgerReason;
use crate::penalties::rules::Leniency;
use crate::penalties::standing::penalize;
use crate::working_set::{Decision, WorkingSet};
use chrono::{DateTime, Utc};

/// Ends a booking as the member or staff asked, and tells the member.
pub fn end_by_person(
    set: &mut WorkingSet,
    actor: &Actor,
    mut booking: Booking,
    decided: Cancellation,
    ending: &Ending,
    freed: &mut Freed,
    now: DateTime<Utc>,
) -> Decision<()> {
    let by_staff = ending.by == EndedBy::Staff;
    let guests = guests_of(set, &booking, now)?;
    let mut late = None;
    let what = match decided {
        Cancellation::Leaves => {
            let offered = booking.status == BookingStatus::Offered;
            end_offer(set, booking.id, OfferOutcome::Declined, now)?;
            booking.leave(ending, now)?;
            let because = match by_staff {
                true => LeftBecause::Staff,
                false if offered => LeftBecause::Declined,
                false => LeftBecause::Member,
            };
            Happened::WaitlistLeft { because }
        }
        Cancellation::Free { credits } => {
            let why = if by_staff { LedgerReason::ReturnedByStaff } else { LedgerReason::Cancelled };
            give_back(set, actor, &mut booking, why, None, now)?;
            booking.cancel(ending, now)?;
            Happened::Cancelled { credits_returned: credits, by_staff }
        }
        Cancellation::Late(cost) => {
            if cost.forgiven.is_some() {
                give_back(set, actor, &mut booking, LedgerReason::Forgiven, None, now)?;
            }
            booking.cancel_late(ending, now)?;
            let what = Happened::LateCancelled {
                credits_lost: cost.credits,
                visit_counts: cost.visit,
                by_staff,
                fee_minor: cost.fee.as_ref().map(|fee| fee.amount_minor),
                currency: cost.fee.as_ref().map(|fee| fee.currency.clone()),
                strike: cost.strike,
                forgiven: cost.forgiven,
            };
            late = Some((booking.clone(), cost));
            what
        }
    };
    freed.session(booking.session_id);
    freed.member_of(&booking);
    let event = Event::of_booking(&booking, what);
    set.put(booking);
    emit(set, actor, event)?;
    if let Some((booking, cost)) = late {
        penalize(set, actor, &booking, &cost, freed, now)?;
    }
    // Where no tap was told of the guests (a frozen pass, an account that goes), their places end with the host's, and cost nothing.
    for mut guest in guests {
        if guest.status == BookingStatus::Attended {
            guest.undo_check_in()?;
        }
        if let Ok(decided) = rules::cancel(&guest, Leniency::default(), true, now) {
            end_by_person(set, actor, guest, decided, ending, freed, now)?;
        }
    }
    Ok(())
}
