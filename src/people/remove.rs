//! Leaving: what is to come for a person ends without penalty, and their name goes.

use crate::booking::ending::end_by_person;
use crate::booking::freed::Freed;
use crate::booking::refill::settle;
use crate::booking::rules;
use crate::booking::{Booking, EndedBy, Ending};
use crate::events::Actor;
use crate::penalties::rules::Leniency;
use crate::working_set::{Abort, Decision, WorkingSet};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// What is to come for a person who leaves Relevé ends without penalty.
pub fn remove_person(set: &mut WorkingSet, actor: &Actor, person_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let person = match set.person(person_id) {
        Err(Abort::Refused(_)) => return Ok(()),
        other => other?,
    };
    let mut coming: Vec<Booking> = set.ahead(person_id, now).into_iter().filter(|booking| booking.starts_at > now).cloned().collect();
    // A guest's place would end with the host's.
    coming.sort_by_key(|booking| !booking.is_guests());
    // Where they are no instructor any more, the studio knows that it has to find somebody else.
    if set.teaching(person_id, now)?.iter().any(|session| person.roles.is_instructor(session.studio_id)) {
        // They were given a class since they were found due: they leave once it is over.
        return Ok(());
    }
    let mut freed = Freed::default();
    for booking in coming {
        if let Ok(decided) = rules::cancel(&booking, Leniency::default(), true, now) {
            let ending = Ending::from(EndedBy::Member);
            end_by_person(set, actor, booking, decided, &ending, &mut freed, now)?;
        }
    }
    freed.without(person_id);
    settle(set, freed, now)?;
    set.remove(person_id);
    Ok(())
}
