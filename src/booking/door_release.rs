//! `PUT /v1/sessions/{id}/door-release`: staff give places that nobody has claimed to those who stand at the door.

use super::refill::serve_door;
use super::rules::SessionNow;
use super::rules::door::{self, NotAtTheDoor};
use crate::events::Actor;
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, caller, not_found};
use crate::wrong::Wrong;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// `PUT /v1/sessions/{id}/door-release`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct ReleaseDoor {
    pub session_id: Uuid,
    /// Only these may lose their places.
    pub booking_ids: Option<Vec<Uuid>>,
}

/// `PUT /v1/sessions/{id}/door-release`. Repeated, it gives what has become free or unclaimed since.
pub fn release_door(set: &mut WorkingSet, actor: &Actor, ask: &ReleaseDoor, now: DateTime<Utc>) -> Decision<()> {
    let caller = caller(actor)?;
    let own = set.person(caller)?;
    let session = set.session(ask.session_id)?.clone();
    let studio = set.studio(session.studio_id)?;
    if !own.roles.is_staff_of_session(studio.id, session.instructor_id == caller) {
        let hidden = session.is_for_staff() && !own.roles.is_staff(studio.id);
        return Err(if hidden { not_found() } else { Problem::new(ProblemType::NotAllowed).into() });
    }
    door::release(&SessionNow::of(&session, studio.zone), &studio.rules_of(session.class_type_id), now).map_err(NotAtTheDoor::problem)?;
    let roster = set.in_company(&set.roster(session.id)?)?;
    let is_here = |id: &Uuid| roster.iter().any(|booking| booking.id == *id);
    if !ask.booking_ids.iter().flatten().all(is_here) {
        return Err(Problem::field("booking_ids", Wrong::NotOfSession).into());
    }
    let standing = door::in_order_of_arrival(&roster);
    serve_door(set, actor, &session, standing, door::unclaimed(&roster, ask.booking_ids.as_deref()), now)
}
