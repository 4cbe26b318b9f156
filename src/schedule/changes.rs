//! What follows from a change of sessions, one or a whole series: nobody and no room is in two places, everybody in them is told, and
//! members who cannot follow are released without penalty.

use super::edit::Edit;
use super::substitutes::follow::follow_sessions;
use super::{Changed, Clash, Session};
use crate::booking::freed::Freed;
use crate::booking::offering::withdraw_offer;
use crate::booking::place::give_back;
use crate::booking::refill::settle;
use crate::booking::remind;
use crate::booking::rules::may_check_in;
use crate::booking::{Booking, BookingStatus};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::instant;
use crate::passes::{LedgerReason, begin};
use crate::problem::{Problem, ProblemType};
use crate::studios::StudioContext;
use crate::working_set::{Decision, WorkingSet, all};
use crate::zones::local_date;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Makes these changes, all or none of them. With `release`, members whom a move puts into two sessions at once leave the moved one, and
/// those for whom no place is left go to the head of the waitlist; without, either refuses the change.
pub fn apply(
    set: &mut WorkingSet,
    actor: &Actor,
    studio: &StudioContext,
    edits: Vec<Edit>,
    release: bool,
    now: DateTime<Utc>,
) -> Decision<()> {
    let people: i64 = edits.iter().map(|edit| edit.before.taken + edit.before.waiting).sum();
    set.must_bear(people)?;
    for edit in &edits {
        set.put_session(edit.after.clone());
    }
    follow_sessions(set, actor, &edits, now)?;
    for edit in edits.iter().filter(|edit| edit.after.local_date != edit.before.local_date) {
        if set.is_closed(studio.id, edit.after.local_date)? {
            return Err(Problem::new(ProblemType::StudioClosed).with("date", edit.after.local_date).into());
        }
    }
    nobody_in_the_way(set, &edits.iter().map(|edit| &edit.after).collect::<Vec<_>>())?;
    let touching: Vec<&Edit> = edits.iter().filter(|edit| edit.tells() || edit.after.capacity < edit.before.capacity).collect();
    let rosters = all(touching.iter().map(|edit| set.roster(edit.after.id)))?;
    let booked: Vec<Booking> = rosters.into_iter().flatten().filter_map(|id| set.known_booking(id).cloned()).collect();
    set.need_people(&booked)?;

    let mut freed = Freed::default();
    for edit in touching.iter().filter(|edit| edit.moves()) {
        move_bookings(set, actor, studio, &edit.after, now)?;
    }
    let mut torn = Vec::new();
    for edit in touching.iter().filter(|edit| edit.moves()) {
        for (booking, other) in in_two_sessions(set, &edit.after, now)? {
            if release {
                let_go(set, actor, studio, &edit.after, booking, &mut freed, now)?;
            } else {
                torn.push(json!({ "booking_id": booking.id, "person_id": booking.person_id, "other_booking_id": other }));
            }
        }
    }
    if !torn.is_empty() {
        return Err(Problem::new(ProblemType::MembersOverlap).with("bookings", torn).into());
    }
    for edit in &edits {
        make_wait(set, actor, studio, &edit.after, release, &mut freed, now)?;
        freed.session(edit.after.id);
    }
    for edit in touching.iter().filter(|edit| edit.tells()) {
        open_bookings(set, edit.after.id)?.iter().for_each(|booking| freed.member_of(booking));
    }
    for Edit { before, after } in &edits {
        let what = Happened::SessionChanged { changed: differences(before, after), capacity: after.capacity, series: after.series_id };
        emit(set, actor, Event::of_session(after, what))?;
    }
    settle(set, freed, now)
}

/// What has changed about a session since it was made, as members are shown it.
pub fn changed(before: &Session, after: &Session) -> Vec<Changed> {
    let mut changed = before.changed.0.clone();
    changed.extend(differences(before, after).into_iter().filter(|what| !before.changed.0.contains(what)));
    changed
}

/// How a session differs from what its members knew.
fn differences(before: &Session, after: &Session) -> Vec<Changed> {
    let differs = [
        (Changed::Time, (before.starts_at, before.ends_at) != (after.starts_at, after.ends_at)),
        (Changed::Room, before.room_id != after.room_id),
        (Changed::Instructor, before.instructor_id != after.instructor_id),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).collect()
}

/// No room and no instructor in two places at once; the refusal names the other session, unless it is another studio's draft.
pub fn nobody_in_the_way(set: &WorkingSet, sessions: &[&Session]) -> Decision<()> {
    for (session, clash) in sessions.iter().zip(all(clashes(set, sessions))?) {
        if let Some(clash) = clash {
            let kind = if clash.instructor_id == session.instructor_id { ProblemType::InstructorBusy } else { ProblemType::RoomBusy };
            let refused = Problem::new(kind);
            return Err(match clash.is_seen_in(session.studio_id) {
                true => refused.with("session_id", clash.id).with("starts_at", instant::text(clash.starts_at)).into(),
                false => refused.into(),
            });
        }
    }
    Ok(())
}

/// For each session, the first one that clashes with it.
fn clashes(set: &WorkingSet, sessions: &[&Session]) -> Vec<Decision<Option<Clash>>> {
    let first = |session: &&Session| {
        let found = set.in_the_way(session, Some(session.id))?;
        Ok(found.into_iter().next())
    };
    sessions.iter().map(first).collect()
}

/// Bookings keep their session's time; offers were made for the old one, and are taken back. After a move they can be cancelled for free until the start; a check-in is undone if the new time is
/// too far off for anybody to be checked in.
fn move_bookings(set: &mut WorkingSet, actor: &Actor, studio: &StudioContext, after: &Session, now: DateTime<Utc>) -> Decision<()> {
    let (mut undone, mut had_come) = (Vec::new(), Vec::new());
    withdraw_offers(set, actor, after.id, now)?;
    let rules = studio.rules_of(after.class_type_id);
    for mut booking in open_bookings(set, after.id)? {
        booking.move_with_session(after.starts_at, after.ends_at);
        if booking.status == BookingStatus::Attended {
            had_come.push(booking.clone());
        }
        if booking.status == BookingStatus::Attended && !may_check_in(&booking, &rules, now) {
            booking.undo_check_in()?;
            booking.move_with_session(after.starts_at, after.ends_at);
            undone.push(Event::of_booking(&booking, Happened::CheckInUndone));
        }
        remind::plan(set, &mut booking, now)?;
        set.put(booking);
    }
    undone.into_iter().try_for_each(|event| emit(set, actor, event))?;
    had_come.into_iter().try_for_each(|booking| begin::follow(set, actor, &booking, now).map(drop))
}

/// Takes back every offer that runs in a session.
pub(super) fn withdraw_offers(set: &mut WorkingSet, actor: &Actor, session_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let offered = open_bookings(set, session_id)?.into_iter().filter(|booking| booking.status == BookingStatus::Offered);
    offered.collect::<Vec<_>>().into_iter().try_for_each(|booking| withdraw_offer(set, actor, booking, now))
}

/// Bookings of the session that have not ended.
pub(super) fn open_bookings(set: &WorkingSet, session_id: Uuid) -> Decision<Vec<Booking>> {
    let ids = set.roster(session_id)?;
    Ok(ids.into_iter().filter_map(|id| set.known_booking(id).cloned()).filter(|booking| !booking.status.has_ended()).collect())
}

/// Who holds a place in the session and in another at that time: the one booking, and the other where it is this studio's to know.
fn in_two_sessions(set: &WorkingSet, after: &Session, now: DateTime<Utc>) -> Decision<Vec<(Booking, Option<Uuid>)>> {
    let mut torn = Vec::new();
    for booking in open_bookings(set, after.id)?.into_iter().filter(Booking::takes_place) {
        let others = set.ahead(booking.person_id, now);
        let other = others
            .into_iter()
            .find(|other| other.takes_place() && other.session_id != after.id && other.overlaps(after.starts_at, after.ends_at))
            .map(|other| (other.studio_id == after.studio_id).then_some(other.id));
        torn.extend(other.map(|other| (booking, other)));
    }
    Ok(torn)
}

/// The member leaves the session that moved: refunded, told, without penalty.
fn let_go(
    set: &mut WorkingSet,
    actor: &Actor,
    studio: &StudioContext,
    session: &Session,
    mut booking: Booking,
    freed: &mut Freed,
    now: DateTime<Utc>,
) -> Decision<()> {
    let (credits_returned, had_come) = (booking.credits, booking.status == BookingStatus::Attended);
    // The studio causes this: the pass that a credit returns to is extended, as when it cancels a session.
    let prolong = (&studio.rules_of(session.class_type_id), local_date(now, studio.zone));
    give_back(set, actor, &mut booking, LedgerReason::ReturnedByStaff, Some(prolong), now)?;
    booking.cancel_with_session(now)?;
    freed.member_of(&booking);
    let event = Event::of_booking(&booking, Happened::Released { credits_returned });
    set.put(booking.clone());
    emit(set, actor, event)?;
    if had_come {
        begin::follow(set, actor, &booking, now)?;
    }
    Ok(())
}

/// With a capacity below what is booked, while members may still wait, the latest to book go to the head of the waitlist, in the order in
/// which they booked; before them, those who were only offered a place. Their letter shows the session as it is now.
fn make_wait(
    set: &mut WorkingSet,
    actor: &Actor,
    studio: &StudioContext,
    after: &Session,
    release: bool,
    freed: &mut Freed,
    now: DateTime<Utc>,
) -> Decision<()> {
    let session = set.session(after.id)?.clone();
    let over = session.taken + session.held - session.capacity;
    if over <= 0 {
        return Ok(());
    }
    let refused = || Err(Problem::new(ProblemType::CapacityTooSmall).with("booked", session.taken).with("held", session.held).into());
    let latest_first = |booking: &Booking| std::cmp::Reverse((booking.promoted_at.unwrap_or(booking.created_at), booking.id));
    let open = open_bookings(set, after.id)?;
    // Whose guest is there already is expected at the door, and stays.
    let hosts: BTreeSet<Uuid> =
        open.iter().filter(|booking| booking.status == BookingStatus::Attended).filter_map(|booking| booking.guest_of).collect();
    let (mut offered, mut booked): (Vec<Booking>, Vec<Booking>) = open
        .into_iter()
        .filter(|booking| !hosts.contains(&booking.id))
        .filter(|booking| matches!(booking.status, BookingStatus::Booked | BookingStatus::Offered))
        .partition(|booking| booking.status == BookingStatus::Offered);
    offered.sort_by_key(latest_first);
    booked.sort_by_key(latest_first);
    let count = usize::try_from(over).unwrap_or(usize::MAX);
    if !release || offered.len() + booked.len() < count || now >= session.waiting_ends_at {
        return refused();
    }
    offered.truncate(count);
    let over = over - i64::try_from(offered.len()).unwrap_or(over);
    let count = count - offered.len();
    offered.into_iter().try_for_each(|booking| withdraw_offer(set, actor, booking, now))?;
    let head = set.whole_queue(after.id)?.first().and_then(|id| set.known_booking(*id)?.queue_key);
    let mut key = head.unwrap_or(1).min(1);
    let (rules, today) = (studio.rules_of(session.class_type_id), local_date(now, studio.zone));
    // No guest waits: their place came after the host's, and goes before it. No visitor does: nobody could tell them.
    let (guests, to_wait): (Vec<Booking>, Vec<Booking>) =
        booked.into_iter().take(count).partition(|booking| booking.is_guests() || booking.is_visitors());
    let over = over - i64::try_from(guests.len()).unwrap_or(over);
    for mut booking in guests {
        let credits_returned = booking.credits;
        give_back(set, actor, &mut booking, LedgerReason::ReturnedByStaff, Some((&rules, today)), now)?;
        booking.cancel_with_session(now)?;
        freed.member_of(&booking);
        let event = Event::of_booking(&booking, Happened::Cancelled { credits_returned, by_staff: true });
        set.put(booking);
        emit(set, actor, event)?;
    }
    for (mut booking, position) in to_wait.into_iter().zip((1..=over).rev()) {
        let credits_returned = booking.credits;
        give_back(set, actor, &mut booking, LedgerReason::ReturnedByStaff, Some((&rules, today)), now)?;
        key -= 1;
        booking.return_to_queue(key)?;
        freed.member_of(&booking);
        let event = Event::of_booking(&booking, Happened::MovedToWaitlist { position, credits_returned });
        set.put(booking);
        emit(set, actor, event)?;
    }
    Ok(())
}
