//! Who is told of an event, and what: the letters that follow from it, with the facts frozen as they were.
//!
//! A letter about a booking goes to its member, one about the schedule to those who teach or run the studio; without an address, to nobody.

use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use uuid::Uuid;

use super::{Event, Happened};
use crate::booking::{Booking, BookingStatus};
use crate::letters::calendar::method_of;
use crate::letters::facts::{
    Facts, LeftBecause, Money, OtherBooking, PassedOver, Penalized, Replaced, SessionFacts, StudioFacts, Terms, Then, Waiting,
};
use crate::letters::outbox::{Letter, ending_key};
use crate::passes::Pass;
use crate::penalties::rules::PenaltyTerms;
use crate::people::Person;
use crate::schedule::Session;
use crate::studios::StudioContext;
use crate::studios::house_rules::{AfterCutoff, HouseRules};
use crate::working_set::{Decision, WorkingSet};
use crate::zones::instant;

/// Writes the letters that follow from an event. The rows already say what happened.
pub fn follow(set: &mut WorkingSet, event: &Event) -> Decision<()> {
    let Some(subject) = event.subject_id else { return Ok(()) };
    if changed_class(set, subject, &event.what)? {
        return Ok(());
    }
    to_member_or_staff(set, event, subject)?;
    match &event.what {
        Happened::Booked { .. } => to_guest(set, subject, |session| Facts::GuestBooked { session, changed: false }),
        Happened::Cancelled { .. }
        | Happened::LateCancelled { .. }
        | Happened::Released { .. }
        | Happened::CancelledWithSession { had_place: true, .. } => to_guest(set, subject, |session| Facts::GuestCancelled { session }),
        _ => Ok(()),
    }
}

fn to_member_or_staff(set: &mut WorkingSet, event: &Event, subject: Uuid) -> Decision<()> {
    match &event.what {
        Happened::Booked { by_staff, .. } | Happened::Accepted { by_staff, .. } => {
            let by_staff = *by_staff;
            to_member(set, subject, |at| Some(at.ends_at), |booking, _, session| Facts::Booked { session, terms: terms(booking), by_staff })
        }
        Happened::Promoted { .. } | Happened::MovedUp { .. } => {
            to_member(set, subject, |at| Some(at.ends_at), |booking, _, session| Facts::Promoted { session, terms: terms(booking) })
        }
        Happened::Waitlisted { position } => to_member(
            set,
            subject,
            |at| Some(at.waiting_ends_at),
            |booking, at, session| Facts::Waitlisted {
                session,
                position: *position,
                credits: waiting(booking, at).credits,
                promoted_until: (booking.created_at < at.promote_until).then_some(at.promote_until),
                then: at.then(),
            },
        ),
        // Who stands at the door is told there.
        Happened::PassedOver { .. } if set.known_booking(subject).is_some_and(|booking| booking.status == BookingStatus::Standby) => Ok(()),
        // What they asked for themselves they read in the booking's history.
        Happened::PassedOver { reason } if reason.is_own_wish() => Ok(()),
        Happened::PassedOver { reason } => {
            let other = if *reason == PassedOver::Overlap { other_booking(set, subject)? } else { None };
            to_member(
                set,
                subject,
                |at| Some(at.waiting_ends_at),
                |booking, at, session| Facts::PassedOver { session, reason: *reason, waiting: Some(waiting(booking, at)), other },
            )
        }
        Happened::ToldFree { kept_until } => to_member(
            set,
            subject,
            |at| Some(at.booking_closes_at),
            |booking, at, session| Facts::PlaceFree {
                session,
                credits: Some(waiting(booking, at).credits),
                closes_at: Some(at.booking_closes_at),
                kept_until: *kept_until,
            },
        ),
        Happened::Offered { offer, clock_starts_at, expires_at, credits, membership, fee_minor, currency, strike } => to_member(
            set,
            subject,
            |_| Some(*expires_at),
            |booking, at, session| Facts::PlaceOffered {
                session,
                offer: *offer,
                expires_at: *expires_at,
                terms: Terms {
                    credits: *credits,
                    membership: *membership,
                    // Until then the place can be cancelled for free once it is taken; an accepted offer has no grace of its own.
                    free_cancel_until: Some(at.free_cancel_until).filter(|until| booking.promoted_at < Some(*until)),
                    penalty: Penalized { fee: money(*fee_minor, currency.as_ref()), strike: *strike, forgiven: false },
                },
                clock_starts_at: Some(*clock_starts_at).filter(|starts| booking.promoted_at < Some(*starts)),
            },
        ),
        Happened::OfferExpired => to_member(set, subject, |at| Some(at.starts_at), |_, _, session| Facts::OfferExpired { session }),
        Happened::OfferWithdrawn => to_member(
            set,
            subject,
            |at| Some(at.waiting_ends_at),
            |booking, at, session| Facts::OfferWithdrawn { session, waiting: Some(waiting(booking, at)) },
        ),
        Happened::WaitlistLeft { because } => {
            let useful = |at: &Session| (*because == LeftBecause::Overlap).then_some(at.starts_at);
            to_member(set, subject, useful, |_, _, session| Facts::WaitlistLeft { session, because: *because })
        }
        Happened::WaitlistClosed => to_member(set, subject, |_| None, |_, _, session| Facts::WaitlistClosed { session }),
        Happened::Cancelled { credits_returned, by_staff } => {
            let credits_returned = *credits_returned;
            to_member(
                set,
                subject,
                |_| None,
                |booking, _, session| match by_staff {
                    true => Facts::RemovedByStaff {
                        session,
                        reason: booking.ended_reason.clone(),
                        credits_returned,
                        credits_lost: 0,
                        visit_counts: false,
                        penalty: Penalized::default(),
                    },
                    false => Facts::Cancelled { session, credits_returned },
                },
            )
        }
        Happened::LateCancelled { credits_lost, visit_counts, by_staff, fee_minor, currency, strike, forgiven } => {
            let (credits_lost, visit_counts) = (*credits_lost, *visit_counts);
            let penalty = Penalized { fee: money(*fee_minor, currency.as_ref()), strike: *strike, forgiven: forgiven.is_some() };
            to_member(
                set,
                subject,
                |_| None,
                |booking, _, session| match by_staff {
                    true => Facts::RemovedByStaff {
                        session,
                        reason: booking.ended_reason.clone(),
                        credits_returned: booking.credits_returned,
                        credits_lost,
                        visit_counts,
                        penalty,
                    },
                    false => Facts::LateCancelled { session, credits_lost, visit_counts, penalty },
                },
            )
        }
        Happened::CancelledWithSession { credits_returned, visit_returned, had_place, had_cancelled, penalty_waived } => to_member(
            set,
            subject,
            |_| None,
            |_, at, session| Facts::SessionCancelled {
                session,
                reason: at.cancel_reason,
                note: at.cancel_note.clone(),
                credits_returned: *credits_returned,
                visit_returned: *visit_returned,
                had_place: *had_place,
                had_cancelled: *had_cancelled,
                penalty_waived: *penalty_waived,
            },
        ),
        Happened::PenaltyWaived { credits_returned, visit_returned, strike, fee_minor, currency, .. } => {
            let fee = money(*fee_minor, currency.as_ref());
            let (credits_returned, visit_returned, strike) = (*credits_returned, *visit_returned, *strike);
            let facts = |booking: &Booking, _: &At<'_>, session| {
                let came = booking.status == BookingStatus::Attended;
                Facts::PenaltyWaived { session, credits_returned, visit_returned, fee, strike, came }
            };
            to_member(set, subject, |_| None, facts)
        }
        Happened::NoShow { credits_lost, visit_counts, fee_minor, currency, strike, forgiven, corrected_until } => {
            let (credits_lost, visit_counts, corrected_until) = (*credits_lost, *visit_counts, *corrected_until);
            let penalty = Penalized { fee: money(*fee_minor, currency.as_ref()), strike: *strike, forgiven: forgiven.is_some() };
            let facts = |_: &Booking, _: &At<'_>, session| Facts::NoShow { session, credits_lost, visit_counts, penalty, corrected_until };
            to_member(set, subject, |_| None, facts)
        }
        Happened::AttendanceMissing { unmarked, until } => {
            let (unmarked, until) = (*unmarked, *until);
            let facts = |_: &Session, session| Facts::AttendanceMissing { session, unmarked, until };
            let once = Some(subject.to_string());
            to_instructor(set, subject, |_| Some(until), once.clone(), facts)?;
            let studio_id = set.session(subject)?.studio_id;
            for admin in set.admins(studio_id)? {
                to_staff(set, admin.id, subject, |_| Some(until), once.clone(), facts)?;
            }
            Ok(())
        }
        Happened::Suspended { until, only_within_hours } => {
            let (until, only_within_hours) = (*until, *only_within_hours);
            of_studio(set, event.studio_id, subject, Some(until), |studio| Facts::Suspended { studio, until, only_within_hours })
        }
        Happened::SuspensionLifted => of_studio(set, event.studio_id, subject, None, |studio| Facts::SuspensionLifted { studio }),
        Happened::Released { credits_returned } => {
            let Some(booking) = set.known_booking(subject) else { return Ok(()) };
            let before = before(set, booking.session_id)?;
            let (credits_returned, other) = (*credits_returned, other_booking(set, subject)?);
            to_member(set, subject, |_| None, |_, _, session| Facts::Released { session, before, credits_returned, other })
        }
        Happened::MovedToWaitlist { position, credits_returned } => {
            let (position, credits_returned) = (*position, *credits_returned);
            let facts = |booking: &Booking, at: &At<'_>, session| Facts::MovedToWaitlist {
                session,
                position,
                credits_returned,
                waiting: Some(waiting(booking, at)),
            };
            to_member(set, subject, |at| Some(at.waiting_ends_at), facts)
        }
        Happened::SessionChanged { changed, .. } if !changed.is_empty() => session_changed(set, subject),
        Happened::SessionFollowedClocks { shows_another_time: true, .. } => session_changed(set, subject),
        Happened::TooFewSoon { booked, minimum, decided_at } => {
            let (booked, minimum, decided_at) = (*booked, *minimum, *decided_at);
            let once = format!("{subject}:{}", decided_at.timestamp());
            let facts = |_: &Session, session| Facts::TooFewSoon { session, booked, minimum, decided_at };
            to_instructor(set, subject, |_| Some(decided_at), Some(once), facts)
        }
        Happened::TooFewDecided { booked, minimum, cancelled, tell: true } => {
            let (booked, minimum, cancelled) = (*booked, *minimum, *cancelled);
            let facts = |_: &Session, session| Facts::TooFewDecided { session, booked, minimum, cancelled };
            to_instructor(set, subject, |at| Some(at.ends_at), None, facts)
        }
        Happened::SessionsProposed { by, count } => {
            let name = set.name_of(*by);
            let facts = |_: &Session, session| Facts::SessionsProposed { session, by: name.clone(), count: *count };
            to_admins(set, subject, None, facts)
        }
        Happened::SessionsPublished { count, tell: true } => {
            let facts = |_: &Session, session| Facts::SessionsPublished { session, count: *count };
            to_instructor(set, subject, |at| Some(at.starts_at), None, facts)
        }
        Happened::SubstituteAsked { session, told } => {
            let note = set.request(subject)?.note.clone();
            for person_id in told {
                let facts = |at: &Session, session| {
                    let asked_by = at.names.instructor_name.clone();
                    Facts::SubstituteWanted { session, asked_by, note: note.clone() }
                };
                to_staff(set, *person_id, *session, |at| Some(at.starts_at), Some(subject.to_string()), facts)?;
            }
            Ok(())
        }
        Happened::SubstituteMissing { session } => {
            let asker = set.request(subject)?.asked_by;
            let asker = set.identity_if_any(asker)?.map(|person| person.name.clone());
            let facts = |at: &Session, session| {
                let asked_by = asker.clone().unwrap_or_else(|| at.names.instructor_name.clone());
                Facts::SubstituteMissing { session, asked_by }
            };
            to_admins(set, *session, Some(subject.to_string()), facts)
        }
        Happened::SubstituteClaimed { session, by, needs_approval: true } => {
            let substitute = set.name_of(*by);
            let facts = |at: &Session, session| {
                let asked_by = at.names.instructor_name.clone();
                Facts::SubstituteClaimed { session, asked_by, substitute: substitute.clone() }
            };
            to_admins(set, *session, None, facts)
        }
        Happened::SubstituteDecided { session, claimed_by, approved } => {
            let facts = |_: &Session, session| Facts::SubstituteDecided { session, approved: *approved };
            to_staff(set, *claimed_by, *session, |at| Some(at.starts_at), None, facts)
        }
        Happened::SubstituteFilled { session, by } => {
            let (asker, substitute) = (set.request(subject)?.asked_by, set.name_of(*by));
            let facts = |_: &Session, session| Facts::SubstituteFound { session, substitute };
            to_staff(set, asker, *session, |at| Some(at.ends_at), None, facts)
        }
        Happened::SubstituteWithdrawn { session, claimed_by } => not_theirs(set, *session, *claimed_by),
        Happened::SubstituteExpired { session, claimed_by } => {
            let asker = set.request(subject)?.asked_by;
            let facts = |_: &Session, session| Facts::SubstituteExpired { session };
            to_staff(set, asker, *session, |at| Some(at.ends_at), Some(subject.to_string()), facts)?;
            not_theirs(set, *session, *claimed_by)
        }
        Happened::PassSold { person_id, amount_minor, currency, .. } => {
            let paid = amount_minor.zip(currency.clone()).map(|(amount_minor, currency)| Money { amount_minor, currency });
            pass_sold(set, subject, *person_id, paid)
        }
        Happened::PassEndingTold { person_id, days_ahead, expires_on } => {
            let (days_ahead, expires_on) = (*days_ahead, *expires_on);
            let facts = |pass: &Pass, studio: StudioFacts| Facts::PassEnding {
                studio,
                pass: pass.name.0.clone(),
                credits: pass.credits_left,
                expires_on,
                unbegun: pass.is_unbegun(),
            };
            let once = ending_key(subject, expires_on, days_ahead);
            about_pass(set, subject, *person_id, Some((once, expires_on)), facts)
        }
        Happened::PassTransferred { person_id, to_person, credits, .. } if person_id != to_person => {
            let credits = *credits;
            let facts = |pass: &Pass, studio: StudioFacts| Facts::PassGone { studio, pass: pass.name.0.clone(), credits };
            about_pass(set, subject, *person_id, None, facts)
        }
        Happened::PassReceived { person_id, .. } => {
            let facts = |pass: &Pass, studio: StudioFacts| Facts::PassReceived {
                studio,
                pass: pass.name.0.clone(),
                credits: pass.credits_left,
                per_week: pass.per_week,
                expires_on: pass.expires_on,
                from_first: pass.from_first().filter(|_| pass.is_unbegun()),
            };
            about_pass(set, subject, *person_id, None, facts)
        }
        Happened::Reminded { hours } => to_member(
            set,
            subject,
            |at| Some(at.starts_at),
            |booking, _, session| match (*hours, terms(booking)) {
                (2, terms) => Facts::Reminder2h { session, terms },
                (_, terms) => Facts::Reminder24h { session, terms },
            },
        ),
        Happened::PlaceToGive { until, nth_half_hour } => {
            let once = Some(format!("{subject}:{nth_half_hour}"));
            let facts = |_: &Session, session| Facts::PlaceToGive { session, until: *until };
            to_instructor(set, subject, |_| Some(*until), once.clone(), facts)?;
            to_admins(set, subject, once, facts)
        }
        _ => Ok(()),
    }
}

/// A member changes class: one letter tells of both bookings, that of the one which took over. Whether it is so.
fn changed_class(set: &mut WorkingSet, booking_id: Uuid, what: &Happened) -> Decision<bool> {
    let Some(booking) = set.known_booking(booking_id) else { return Ok(false) };
    let promoted = match what {
        Happened::Cancelled { .. } | Happened::LateCancelled { .. } | Happened::WaitlistLeft { .. } if booking.replaced_by.is_some() => {
            return Ok(true);
        }
        Happened::Booked { .. } | Happened::Accepted { .. } => false,
        Happened::Promoted { .. } | Happened::MovedUp { .. } => true,
        _ => return Ok(false),
    };
    let old = booking.asked_replaces.and_then(|old| set.known_booking(old));
    let Some(old) = old.filter(|old| old.replaced_by == Some(booking_id)).cloned() else { return Ok(false) };
    let Some(before) = set.booking_before_command(old.id) else { return Ok(false) };
    let (waited, late) = (before.status == BookingStatus::Waitlisted, old.status == BookingStatus::LateCancelled);
    let session = set.session(old.session_id)?;
    let session = session_facts(session, &*set.studio(session.studio_id)?);
    // What a calendar has of the old one is taken out of it.
    let sequence = if old.sequence > 0 { set.count_letter(old.id, true).1 } else { None };
    let replaced = Replaced {
        booking_id: old.id,
        booked_at: old.created_at,
        session,
        waited,
        sequence,
        credits_returned: old.credits_returned,
        credits_lost: if late { old.credits } else { 0 },
        visit_counts: late && old.visit_week.is_some(),
    };
    let facts = |booking: &Booking, _: &At<'_>, session| Facts::Exchanged { session, terms: terms(booking), promoted, replaced };
    to_member(set, booking_id, |at| Some(at.ends_at), facts).map(|()| true)
}

/// What a letter says about a booking's cost.
fn terms(booking: &Booking) -> Terms {
    Terms {
        credits: booking.credits,
        membership: booking.visit_week.is_some(),
        free_cancel_until: booking.free_cancel_until,
        penalty: penalized(&booking.penalty_terms()),
    }
}

/// What cancelling late costs besides.
fn penalized(terms: &PenaltyTerms) -> Penalized {
    Penalized { fee: terms.late_cancel_fee.clone(), strike: terms.late_cancel_strikes, forgiven: false }
}

fn money(amount_minor: Option<i64>, currency: Option<&String>) -> Option<Money> {
    amount_minor.zip(currency.cloned()).map(|(amount_minor, currency)| Money { amount_minor, currency })
}

/// What a letter tells a waiting member: what a place will take, and until when they may be moved into it.
fn waiting(booking: &Booking, at: &At<'_>) -> Waiting {
    let credits = if booking.asked_unpaid { 0 } else { at.credits };
    Waiting { credits, promoted_until: Some(at.promote_until), then: at.then() }
}

/// A session, and the rules that hold for it.
struct At<'s> {
    session: &'s Session,
    rules: &'s HouseRules,
}

impl Deref for At<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.session
    }
}

impl At<'_> {
    /// What becomes of a place that comes free after the promotion cut-off.
    fn then(&self) -> Then {
        match self.rules.after_cutoff {
            AfterCutoff::Open | AfterCutoff::NotifyAll => Then::FirstToTake,
            AfterCutoff::Offers => Then::Offered,
            AfterCutoff::Staff => Then::StudioDecides,
        }
    }
}

/// What a letter says about the place that the same member holds in another session at that time.
fn other_booking(set: &WorkingSet, booking_id: Uuid) -> Decision<Option<OtherBooking>> {
    let Some(booking) = set.known_booking(booking_id) else { return Ok(None) };
    let session = set.session(booking.session_id)?;
    let (starts_at, ends_at) = (session.starts_at, session.ends_at);
    let own = |other: &&Booking| other.id != booking_id && other.session_id != booking.session_id && !other.is_guests();
    let at_that_time = |other: &&Booking| own(other) && other.takes_place() && other.overlaps(starts_at, ends_at);
    let other = set.ahead(booking.person_id, starts_at).into_iter().find(at_that_time);
    Ok(other.map(|other| OtherBooking { starts_at: other.starts_at, terms: terms(other) }))
}

/// One letter to the member of a booking; the same to who booked it for them, if they want it.
fn to_member(
    set: &mut WorkingSet,
    booking_id: Uuid,
    useful_until: impl FnOnce(&Session) -> Option<DateTime<Utc>>,
    facts: impl FnOnce(&Booking, &At<'_>, SessionFacts) -> Facts,
) -> Decision<()> {
    // A visitor has no address.
    let Some(booking) = set.known_booking(booking_id).filter(|booking| !booking.is_visitors()) else { return Ok(()) };
    let session = set.session(booking.session_id)?;
    let studio = set.studio(session.studio_id)?;
    // Somebody who has left gets none.
    let Some(member) = set.identity_if_any(booking.person_id)? else { return Ok(()) };
    // Who has no address is told through whoever acts for them.
    let reader = if member.has_address { Some(Arc::clone(&member)) } else { set.reads_for(member.id)? };
    let also = set.copied(member.id, booking.asked_by)?.filter(|also| reader.as_ref().is_none_or(|reader| reader.id != also.id));
    let shown = SessionFacts { for_whom: booking.guest_name.clone(), ..session_facts(session, &studio) };
    let facts = facts(booking, &At { session, rules: &studio.rules }, shown);
    let once = match &facts {
        Facts::PassedOver { reason, .. } => Some(format!("passed-over:{booking_id}:{}", reason.as_key())),
        Facts::PlaceFree { .. } => Some(format!("place-free:{booking_id}")),
        Facts::Reminder24h { .. } | Facts::Reminder2h { .. } => {
            Some(format!("{}:{booking_id}:{}", facts.kind(), session.starts_at.timestamp()))
        }
        _ => None,
    };
    let write = |reader: &Person, dedupe_key| {
        let facts = if reader.id == member.id { facts.clone() } else { facts.clone().about(&member.name) };
        Letter { dedupe_key, booking_id: Some(booking_id), ..letter(reader, &studio, session, facts) }
    };
    let wants = |reader: &Arc<Person>| reader.letters.want(facts.kind());
    let mut letters: Vec<Letter> = reader.filter(wants).map(|reader| write(&reader, once.clone())).into_iter().collect();
    // A guest's place is in the guest's calendar, since the member's has the class already; what is read besides is in nobody's.
    let mut in_calendar = !letters.is_empty() && method_of(&facts).is_some() && !booking.is_guests();
    letters.extend(also.filter(wants).map(|also| write(&also, once.map(|once| format!("{once}:{}", also.id)))));
    let useful_until = useful_until(session);
    for mut letter in letters {
        letter.useful_until = useful_until;
        (letter.nth, letter.sequence) = set.count_letter(booking_id, std::mem::take(&mut in_calendar));
        set.letters.push(letter);
    }
    Ok(())
}

/// One letter to the guest whose place this is, if their address was given. Nobody has confirmed it, so it is told of the class alone: by
/// no name, and with none of anybody's words.
fn to_guest(set: &mut WorkingSet, booking_id: Uuid, facts: impl FnOnce(SessionFacts) -> Facts) -> Decision<()> {
    let Some(booking) = set.known_booking(booking_id) else { return Ok(()) };
    let (Some(address), host) = (booking.guest_email.clone(), booking.person_id) else { return Ok(()) };
    let session = set.session(booking.session_id)?;
    let studio = set.studio(session.studio_id)?;
    let locale = set.identity_if_any(host)?.and_then(|host| host.locale).unwrap_or(studio.locale);
    let mut letter = Letter::to_person(host, locale, facts(session_facts(session, &studio)));
    (letter.person_id, letter.to_email) = (None, Some(address));
    (letter.studio_id, letter.session_id, letter.booking_id) = (Some(studio.id), Some(session.id), Some(booking_id));
    letter.useful_until = Some(session.ends_at);
    (letter.nth, letter.sequence) = set.count_letter(booking_id, true);
    set.letters.push(letter);
    Ok(())
}

/// One letter about a session to its instructor; none to somebody who teaches in the studio no more.
fn to_instructor(
    set: &mut WorkingSet,
    session_id: Uuid,
    useful_until: impl FnOnce(&Session) -> Option<DateTime<Utc>>,
    once: Option<String>,
    facts: impl FnOnce(&Session, SessionFacts) -> Facts,
) -> Decision<()> {
    let (studio_id, instructor_id) = {
        let session = set.session(session_id)?;
        (session.studio_id, session.instructor_id)
    };
    match set.identity_if_any(instructor_id)? {
        Some(instructor) if instructor.roles.teaches_still(studio_id, true) => {
            to_staff(set, instructor_id, session_id, useful_until, once, facts)
        }
        _ => Ok(()),
    }
}

/// One letter about a session to somebody who teaches it or runs the studio. With the same `once`, a second letter of the kind is not sent.
fn to_staff(
    set: &mut WorkingSet,
    person_id: Uuid,
    session_id: Uuid,
    useful_until: impl FnOnce(&Session) -> Option<DateTime<Utc>>,
    once: Option<String>,
    facts: impl FnOnce(&Session, SessionFacts) -> Facts,
) -> Decision<()> {
    let Some(person) = set.identity_if_any(person_id)? else { return Ok(()) };
    if !person.has_address {
        return Ok(());
    }
    let session = set.session(session_id)?;
    let studio = set.studio(session.studio_id)?;
    let facts = facts(session, session_facts(session, &studio));
    let mut letter = letter(&person, &studio, session, facts);
    letter.useful_until = useful_until(session);
    letter.dedupe_key = once.map(|once| format!("{}:{once}:{person_id}", letter.facts.kind()));
    set.letters.push(letter);
    Ok(())
}

/// The same to everybody who runs the session's studio; the letter is of no use once the session has begun.
fn to_admins(
    set: &mut WorkingSet,
    session_id: Uuid,
    once: Option<String>,
    facts: impl Fn(&Session, SessionFacts) -> Facts,
) -> Decision<()> {
    let studio_id = set.session(session_id)?.studio_id;
    for admin in set.admins(studio_id)? {
        to_staff(set, admin.id, session_id, |at| Some(at.starts_at), once.clone(), &facts)?;
    }
    Ok(())
}

/// An instructor who claimed a session to no effect learns that it is not theirs to teach.
fn not_theirs(set: &mut WorkingSet, session_id: Uuid, claimed_by: Option<Uuid>) -> Decision<()> {
    let Some(claimed_by) = claimed_by else { return Ok(()) };
    let facts = |_: &Session, session| Facts::SubstituteDecided { session, approved: false };
    to_staff(set, claimed_by, session_id, |at| Some(at.ends_at), None, facts)
}

/// Tells everybody in a session its new time, room or instructor, unless this command has already written to them about it.
fn session_changed(set: &mut WorkingSet, session_id: Uuid) -> Decision<()> {
    let was = before(set, session_id)?;
    let told: Vec<Uuid> = set.letters_of_command().iter().filter_map(|letter| letter.booking_id).collect();
    let roster = set.roster(session_id)?;
    let open = roster.into_iter().filter_map(|id| set.known_booking(id)).filter(|booking| !booking.status.has_ended());
    let to_tell: Vec<(Uuid, bool)> =
        open.filter(|booking| !told.contains(&booking.id)).map(|booking| (booking.id, booking.status.takes_place())).collect();
    for (booking_id, booked) in to_tell {
        let before = was.clone();
        let facts = |booking: &Booking, at: &At<'_>, session| {
            let (terms, waiting) = if booked { (Some(terms(booking)), None) } else { (None, Some(waiting(booking, at))) };
            Facts::SessionChanged { session, before, booked, terms, waiting }
        };
        to_member(set, booking_id, |at| Some(at.ends_at), facts)?;
        to_guest(set, booking_id, |session| Facts::GuestBooked { session, changed: true })?;
    }
    Ok(())
}

/// One letter to a member about where they stand in a studio.
fn of_studio(
    set: &mut WorkingSet,
    studio_id: Option<Uuid>,
    person_id: Uuid,
    useful_until: Option<DateTime<Utc>>,
    facts: impl FnOnce(StudioFacts) -> Facts,
) -> Decision<()> {
    let Some(studio_id) = studio_id else { return Ok(()) };
    let Some(person) = set.identity_if_any(person_id)?.filter(|person| person.has_address) else { return Ok(()) };
    let studio = set.studio(studio_id)?;
    let mut letter = Letter::to_person(person.id, person.locale.unwrap_or(studio.locale), facts(studio.facts.clone()));
    (letter.studio_id, letter.useful_until) = (Some(studio.id), useful_until);
    set.letters.push(letter);
    Ok(())
}

fn pass_sold(set: &mut WorkingSet, pass_id: Uuid, person_id: Uuid, paid: Option<Money>) -> Decision<()> {
    let person = set.identity(person_id)?;
    if !person.has_address {
        return Ok(());
    }
    let pass = set.pass(pass_id)?;
    let studio = set.studio(pass.studio_id)?;
    let facts = Facts::PassSold {
        studio: studio.facts.clone(),
        pass: pass.name.0.clone(),
        credits: pass.credits_left,
        per_week: pass.per_week,
        expires_on: pass.expires_on,
        paid,
        starts_on: pass.starts_on,
        from_first: pass.from_first(),
    };
    let mut letter = Letter::to_person(person.id, person.locale.unwrap_or(studio.locale), facts);
    letter.studio_id = Some(studio.id);
    set.letters.push(letter);
    Ok(())
}

/// One letter about a pass to this person, if they have not left; `once` is its key and the last day on which it is of use.
fn about_pass(
    set: &mut WorkingSet,
    pass_id: Uuid,
    person_id: Uuid,
    once: Option<(String, NaiveDate)>,
    facts: impl FnOnce(&Pass, StudioFacts) -> Facts,
) -> Decision<()> {
    let Some(person) = set.identity_if_any(person_id)?.filter(|person| person.has_address) else { return Ok(()) };
    let pass = set.pass(pass_id)?;
    let studio = set.studio(pass.studio_id)?;
    let facts = facts(pass, studio.facts.clone());
    if !person.letters.want(facts.kind()) {
        return Ok(());
    }
    let mut letter = Letter::to_person(person.id, person.locale.unwrap_or(studio.locale), facts);
    letter.studio_id = Some(studio.id);
    if let Some((key, last_day)) = once {
        letter.dedupe_key = Some(key);
        letter.useful_until = last_day.succ_opt().map(|after| instant(after.and_time(NaiveTime::MIN), studio.zone));
    }
    set.letters.push(letter);
    Ok(())
}

/// The session as its members knew it before this command.
fn before(set: &WorkingSet, session_id: Uuid) -> Decision<SessionFacts> {
    let session = match set.before_command(session_id) {
        Some(before) => before,
        None => set.session(session_id)?,
    };
    Ok(session_facts(session, &*set.studio(session.studio_id)?))
}

fn letter(person: &Person, studio: &StudioContext, session: &Session, facts: Facts) -> Letter {
    let mut letter = Letter::to_person(person.id, person.locale.unwrap_or(studio.locale), facts);
    letter.studio_id = Some(studio.id);
    letter.session_id = Some(session.id);
    letter
}

/// The session as a letter shows it.
fn session_facts(session: &Session, studio: &StudioContext) -> SessionFacts {
    SessionFacts {
        id: session.id,
        studio: studio.facts.clone(),
        class: session.names.class_name.0.clone(),
        room: session.names.room_name.clone(),
        instructor: session.names.instructor_name.clone(),
        starts_at: session.starts_at,
        ends_at: session.ends_at,
        for_whom: None,
    }
}
