//! What a decision must know of a member: what they are in, what can pay, and the places that caps count.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::Booking;
use super::rules::{MemberNow, PlaceTaken, counted_in, day};
use crate::passes::PassState;
use crate::penalties::rules::Suspension;
use crate::penalties::standing::suspension;
use crate::schedule::Session;
use crate::schedule::rules::week_of;
use crate::studios::StudioContext;
use crate::studios::house_rules::applied::{CapOf, Over, SessionRules};
use crate::working_set::{Abort, Decision, Lookup, WorkingSet, all_needs};

/// A member as the working set knows them.
#[derive(Debug)]
pub struct Member<'a> {
    /// Their bookings in sessions that are not over, and those that overlap one that has begun.
    pub ahead: Vec<&'a Booking>,
    /// Their passes.
    pub passes: Vec<PassState>,
    visits: Vec<(Uuid, i64)>,
    places: Vec<PlaceTaken>,
    suspended: Option<Suspension>,
}

impl Member<'_> {
    /// As a decision sees them.
    pub fn now(&self) -> MemberNow<'_> {
        MemberNow { ahead: &self.ahead, passes: &self.passes, visits: &self.visits, places: &self.places, suspended: self.suspended }
    }
}

/// A member who may take a place in this session. Of somebody who can only join its queue, less is looked up ([`who_joins`]).
pub fn who_takes<'a>(
    set: &'a WorkingSet,
    person_id: Uuid,
    session: &Session,
    studio: &StudioContext,
    now: DateTime<Utc>,
) -> Decision<Member<'a>> {
    set.person(person_id)?;
    // With a place, it is told whether a late cancellation would be forgiven.
    let mut member = match (who_joins(set, person_id, session, studio, now), set.penalties(person_id)) {
        (Ok(member), Ok(_)) => member,
        (member, penalties) => return Err(all_needs([member.err(), penalties.err()])),
    };
    member.places = places(set, person_id, session, studio, &member.passes, now)?;
    Ok(member)
}

/// A member of whom as much is known as joining a queue needs, which no cap counts.
pub fn who_joins<'a>(
    set: &'a WorkingSet,
    person_id: Uuid,
    session: &Session,
    studio: &StudioContext,
    now: DateTime<Utc>,
) -> Decision<Member<'a>> {
    let (passes, visits) = set.passes(person_id, week_of(session.local_date))?;
    let suspended = suspension(set, person_id, studio, now)?;
    let mut ahead = set.ahead(person_id, now);
    if session.starts_at <= now {
        // What is over by now can still overlap a session that has begun.
        let that_day = set.places(person_id, session.starts_at - Duration::days(1), session.ends_at)?;
        ahead.extend(that_day.into_iter().filter(|booking| booking.ends_at <= now && booking.overlaps(session.starts_at, session.ends_at)));
    }
    Ok(Member { ahead, passes, visits, places: Vec::new(), suspended })
}

/// Whether a member has a place in another session of the studio on the local day of this one.
pub fn has_another_that_day(set: &WorkingSet, person_id: Uuid, session: &Session, studio: &StudioContext) -> Decision<bool> {
    let (from, to) = day(session.local_date, studio.zone);
    let places = set.places(person_id, from, to)?;
    Ok(places.into_iter().any(|booking| booking.studio_id == studio.id && booking.session_id != session.id))
}

/// The places of a member in the session's studio that a cap may count: those to come and, where days, weeks or months are capped, those
/// of the session's month and week. The class type of each is only known where one has caps of its own.
fn places(
    set: &WorkingSet,
    person_id: Uuid,
    session: &Session,
    studio: &StudioContext,
    passes: &[PassState],
    now: DateTime<Utc>,
) -> Decision<Vec<PlaceTaken>> {
    let rules: SessionRules<'_> = studio.rules_of(session.class_type_id);
    let of_types: Vec<_> = passes.iter().flat_map(|pass| rules.caps(Some(pass.pass_type_id))).chain(rules.caps(None)).collect();
    let mut counted: BTreeMap<Uuid, &Booking> = set.ahead(person_id, now).into_iter().map(|booking| (booking.id, booking)).collect();
    if of_types.iter().any(|cap| cap.over != Over::Ahead) {
        let (from, to) = counted_in(session.local_date, &rules, studio.zone);
        counted.extend(set.places(person_id, from, to)?.into_iter().map(|booking| (booking.id, booking)));
    }
    // The place that they are offered in this session is the one in question.
    // The places of their guests are nobody's but the guests'.
    counted.retain(|_, booking| {
        !booking.is_guests() && booking.studio_id == studio.id && booking.session_id != session.id && booking.takes_place()
    });
    let by_class_type = of_types.iter().any(|cap| cap.of == CapOf::ClassType);
    if by_class_type {
        let unknown = counted.values().filter(|booking| matches!(set.session(booking.session_id), Err(Abort::Needs(_))));
        let unknown: Vec<Lookup> = unknown.map(|booking| Lookup::Session(booking.session_id)).collect();
        if !unknown.is_empty() {
            return Err(Abort::Needs(unknown));
        }
    }
    let place = |booking: &Booking| {
        let class_type = set.session(booking.session_id).ok().filter(|_| by_class_type).map(|session| session.class_type_id);
        let paid_by = passes.iter().find(|pass| Some(pass.id) == booking.pass_id).map(|pass| pass.pass_type_id);
        PlaceTaken::of(booking, studio.zone, class_type, paid_by, now)
    };
    Ok(counted.into_values().filter_map(place).collect())
}
