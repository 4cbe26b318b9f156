//! What follows from a change of sessions, one or a whole series: nobody and no room in two places, everybody in them told, and who
//! cannot follow released without penalty.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;
use uuid::Uuid;

use super::Actor;
use super::letters::{About, session_facts, tell};
use super::needs::{Decided, Stop, all};
use super::places::{Ending, PEOPLE_IN_COMPANY_MAX, Touched, end, give_back, need_people, settle};
use super::store::{Clash, Studio};
use super::substitutes::follow_sessions;
use super::world::World;
use crate::booking::rules::may_check_in;
use crate::booking::{Booking, EndedBy, Status};
use crate::letters::facts::Facts;
use crate::passes::LedgerReason;
use crate::problem::{Kind, Problem};
use crate::schedule::rules::local_date;
use crate::schedule::{Changed, Shown as Session};

/// A session as it is and as it shall be.
#[derive(Clone, Debug)]
pub struct Edit {
    /// As its members know it.
    pub before: Session,
    /// As they will.
    pub after: Session,
}

impl Edit {
    fn moves(&self) -> bool {
        (self.after.starts_at, self.after.ends_at) != (self.before.starts_at, self.before.ends_at)
    }

    fn tells(&self) -> bool {
        self.moves() || self.after.room_id != self.before.room_id || self.after.instructor_id != self.before.instructor_id
    }
}

/// Makes these changes, all or none of them. With `release`, members whom a move puts into two sessions at once leave the moved one, and
/// those for whom no place is left go to the head of the waitlist; without, either refuses the change.
pub fn apply(world: &mut World, actor: &Actor, studio: &Studio, edits: Vec<Edit>, release: bool, now: DateTime<Utc>) -> Decided<()> {
    let people: i64 = edits.iter().map(|edit| edit.before.taken + edit.before.waiting).sum();
    if people > i64::try_from(PEOPLE_IN_COMPANY_MAX).unwrap_or(i64::MAX) && !world.alone && !world.complete {
        return Err(Stop::Alone);
    }
    for edit in &edits {
        let after = &edit.after;
        let details = json!({ "changed": changed(&edit.before, after), "capacity": after.capacity, "series": after.series_id });
        world.audit.push(actor.record.of("session.changed", "session", after.id, Some(studio.id)).with(details));
        world.put_session(after.clone());
    }
    follow_sessions(world, &edits, now)?;
    for edit in edits.iter().filter(|edit| edit.after.local_date != edit.before.local_date) {
        if world.is_closed(studio.id, edit.after.local_date)? {
            return Err(Problem::new(Kind::StudioClosed).with("date", edit.after.local_date).into());
        }
    }
    nobody_in_the_way(world, &edits.iter().map(|edit| &edit.after).collect::<Vec<_>>())?;
    let touching: Vec<&Edit> = edits.iter().filter(|edit| edit.tells() || edit.after.capacity < edit.before.capacity).collect();
    let rosters = all(touching.iter().map(|edit| world.roster(edit.after.id)))?;
    let booked: Vec<Booking> = rosters.into_iter().flatten().filter_map(|id| world.known_booking(id).cloned()).collect();
    need_people(world, &booked)?;

    let mut touched = Touched::default();
    for edit in touching.iter().filter(|edit| edit.moves()) {
        move_bookings(world, actor, studio, &edit.after, now)?;
    }
    let mut torn = Vec::new();
    for edit in touching.iter().filter(|edit| edit.moves()) {
        for (booking, other) in in_two_sessions(world, &edit.after, now)? {
            if release {
                let_go(world, actor, studio, edit, booking, &mut touched, now)?;
            } else {
                torn.push(json!({ "booking_id": booking.id, "person_id": booking.person_id, "other_booking_id": other }));
            }
        }
    }
    if !torn.is_empty() {
        return Err(Problem::new(Kind::MembersOverlap).with("bookings", torn).into());
    }
    let mut told = BTreeSet::new();
    for edit in &edits {
        told.extend(make_wait(world, actor, studio, &edit.after, release, &mut touched, now)?);
        touched.session(edit.after.id);
    }
    for edit in touching.iter().filter(|edit| edit.tells()) {
        tell_everybody(world, studio, edit, &told, &mut touched)?;
    }
    settle(world, touched, now)
}

/// What of a session changed, since it was made, as members are shown it.
pub fn changed(before: &Session, after: &Session) -> Vec<Changed> {
    let mut changed = before.changed.0.clone();
    let differs = [
        (Changed::Time, (before.starts_at, before.ends_at) != (after.starts_at, after.ends_at)),
        (Changed::Room, before.room_id != after.room_id),
        (Changed::Instructor, before.instructor_id != after.instructor_id),
    ];
    for (what, _) in differs.into_iter().filter(|(what, differs)| *differs && !before.changed.0.contains(what)) {
        changed.push(what);
    }
    changed
}

/// No room and no instructor in two places at once; the refusal names the other session.
pub fn nobody_in_the_way(world: &World, sessions: &[&Session]) -> Decided<()> {
    for (session, clash) in sessions.iter().zip(all(clashes(world, sessions))?) {
        if let Some(clash) = clash {
            let kind = if clash.instructor_id == session.instructor_id { Kind::InstructorBusy } else { Kind::RoomBusy };
            return Err(Problem::new(kind).with("session_id", clash.id).with("starts_at", clash.starts_at).into());
        }
    }
    Ok(())
}

/// For each session the first that stands in its way.
fn clashes(world: &World, sessions: &[&Session]) -> Vec<Decided<Option<Clash>>> {
    let first = |session: &&Session| {
        let found = world.clashes(session.room_id, session.instructor_id, session.starts_at, session.ends_at, Some(session.id))?;
        Ok(found.into_iter().next())
    };
    sessions.iter().map(first).collect()
}

/// Bookings keep their session's time. A new one opens a free way out until the start; who had come for the old one has not come for one
/// that is so far off that nobody could be checked in.
fn move_bookings(world: &mut World, actor: &Actor, studio: &Studio, after: &Session, now: DateTime<Utc>) -> Decided<()> {
    for mut booking in open_bookings(world, after.id)? {
        (booking.starts_at, booking.ends_at) = (after.starts_at, after.ends_at);
        if booking.status == Status::Attended && !may_check_in(&booking, &studio.rules, now) {
            booking.status = Status::Booked;
            (booking.arrived_at, booking.arrived_by) = (None, None);
            world.audit.push(actor.line("booking.check_in_undone", &booking));
        }
        if matches!(booking.status, Status::Booked | Status::Offered) {
            booking.free_cancel_until = Some(after.starts_at);
        }
        world.put(booking);
    }
    Ok(())
}

fn open_bookings(world: &World, session_id: Uuid) -> Decided<Vec<Booking>> {
    let ids = world.roster(session_id)?;
    Ok(ids.into_iter().filter_map(|id| world.known_booking(id).cloned()).filter(|booking| !booking.status.has_ended()).collect())
}

/// Who holds a place in the session and in another at that time: her booking, and the other.
fn in_two_sessions(world: &World, after: &Session, now: DateTime<Utc>) -> Decided<Vec<(Booking, Uuid)>> {
    let mut torn = Vec::new();
    for booking in open_bookings(world, after.id)?.into_iter().filter(|booking| booking.status.takes_place()) {
        let others = world.ahead(booking.person_id, now);
        let other = others
            .into_iter()
            .find(|other| other.status.takes_place() && other.session_id != after.id && other.overlaps(after.starts_at, after.ends_at))
            .map(|other| other.id);
        torn.extend(other.map(|other| (booking, other)));
    }
    Ok(torn)
}

/// She leaves the session that moved: refunded, told, without penalty.
fn let_go(
    world: &mut World,
    actor: &Actor,
    studio: &Studio,
    edit: &Edit,
    mut booking: Booking,
    touched: &mut Touched,
    now: DateTime<Utc>,
) -> Decided<()> {
    let person = world.person(booking.person_id)?;
    let credits_returned = booking.credits;
    give_back(world, actor, &mut booking, LedgerReason::ReturnedByStaff, prolong(studio, now), now)?;
    end(&mut booking, &Ending { by: EndedBy::Studio, reason: None }, now);
    booking.status = Status::Cancelled;
    let before = session_facts(&edit.before, studio);
    let told = About { session: &edit.after, studio, person: &person, useful_until: None };
    tell(world, &mut booking, &told, |session| Facts::Released { session, before, credits_returned });
    world.audit.push(actor.line("booking.released", &booking).with(json!({ "credits_returned": credits_returned })));
    touched.person(booking.person_id);
    world.put(booking);
    Ok(())
}

/// What the studio does prolongs the pass that a credit returns to, as when it cancels a session.
fn prolong(studio: &Studio, now: DateTime<Utc>) -> Option<(i64, NaiveDate)> {
    Some((studio.rules.returned_credit_days_min, local_date(now, studio.zone)))
}

/// A capacity below what is booked, while there is a way in to wait for: the latest booked go to the head of the waitlist, in the order in which they booked. Their letter
/// tells the session as it is now; which bookings it is about.
fn make_wait(
    world: &mut World,
    actor: &Actor,
    studio: &Studio,
    after: &Session,
    release: bool,
    touched: &mut Touched,
    now: DateTime<Utc>,
) -> Decided<Vec<Uuid>> {
    let session = world.session(after.id)?.clone();
    let over = session.taken + session.held - session.capacity;
    if over <= 0 {
        return Ok(Vec::new());
    }
    let refused = || Err(Problem::new(Kind::CapacityTooSmall).with("booked", session.taken).with("held", session.held).into());
    let mut booked: Vec<Booking> = open_bookings(world, after.id)?.into_iter().filter(|booking| booking.status == Status::Booked).collect();
    booked.sort_by_key(|booking| std::cmp::Reverse((booking.promoted_at.unwrap_or(booking.created_at), booking.id)));
    let count = usize::try_from(over).unwrap_or(usize::MAX);
    if !release || booked.len() < count || now >= session.waiting_ends_at {
        return refused();
    }
    let head = world.whole_queue(after.id)?.first().and_then(|id| world.known_booking(*id)?.queue_key);
    let mut key = head.unwrap_or(1).min(1);
    let mut moved = Vec::with_capacity(count);
    for (mut booking, position) in booked.into_iter().take(count).zip((1..=over).rev()) {
        let person = world.person(booking.person_id)?;
        let credits_returned = booking.credits;
        give_back(world, actor, &mut booking, LedgerReason::ReturnedByStaff, prolong(studio, now), now)?;
        key -= 1;
        booking.status = Status::Waitlisted;
        booking.queue_key = Some(key);
        (booking.pass_id, booking.free_cancel_until, booking.promoted_at) = (None, None, None);
        (booking.passed_over, booking.told_free_at) = (None, None);
        let told = About { session: &session, studio, person: &person, useful_until: Some(session.waiting_ends_at) };
        tell(world, &mut booking, &told, |session| Facts::MovedToWaitlist { session, position, credits_returned });
        world.audit.push(actor.line("booking.moved_to_waitlist", &booking).with(json!({ "credits_returned": credits_returned })));
        touched.person(booking.person_id);
        moved.push(booking.id);
        world.put(booking);
    }
    Ok(moved)
}

/// Everybody who is in the session and was not told yet learns its new time, room or instructor.
fn tell_everybody(world: &mut World, studio: &Studio, edit: &Edit, told: &BTreeSet<Uuid>, touched: &mut Touched) -> Decided<()> {
    let was = session_facts(&edit.before, studio);
    for mut booking in open_bookings(world, edit.after.id)?.into_iter().filter(|booking| !told.contains(&booking.id)) {
        let person = world.person(booking.person_id)?;
        let booked = booking.status.takes_place();
        let told = About { session: &edit.after, studio, person: &person, useful_until: Some(edit.after.ends_at) };
        let before = was.clone();
        tell(world, &mut booking, &told, |session| Facts::SessionChanged { session, before, booked });
        touched.person(booking.person_id);
        world.put(booking);
    }
    Ok(())
}
