//! `PUT /v1/studios/{id}/members/{person_id}/merge`: somebody stands among the members twice, and becomes one person.

use super::rules::{are_apart, gives_way};
use crate::booking::Booking;
use crate::booking::offer::OfferOutcome;
use crate::booking::offering::end_offer;
use crate::booking::place::give_back;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::passes::LedgerReason;
use crate::people::Person;
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Abort, Decision, WorkingSet, all, caller, not_found};
use crate::wrong::Wrong;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use uuid::Uuid;

/// Who becomes whom.
#[derive(Clone, Debug)]
pub struct MergeMembers {
    pub studio_id: Uuid,
    /// Whose entry goes.
    pub from: Uuid,
    /// Whose stays.
    pub into: Uuid,
}

/// Makes two members one: everything that is the one's is the other's from now on, and the name of the one goes. Whoever has an account of
/// their own is nobody else, and nobody merges what another studio keeps, but who runs that one too. Answers the sessions in which a place
/// came free.
pub fn merge_members(set: &mut WorkingSet, actor: &Actor, ask: &MergeMembers, now: DateTime<Utc>) -> Decision<Vec<Uuid>> {
    let own = set.identity(caller(actor)?)?;
    let studio = set.studio(ask.studio_id)?;
    if !own.roles.is_admin(studio.id) {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    // Rows that others of the batch would know under the one's name.
    set.must_be_alone()?;
    let from = member(set, studio.id, ask.from)?.ok_or_else(not_found)?;
    let no_member = || Abort::from(Problem::field("into", Wrong::NotMember));
    let into = member(set, studio.id, ask.into)?.filter(|into| into.id != from.id).ok_or_else(no_member)?;
    if set.studios_of(&from).iter().any(|studio_id| !own.roles.is_admin(*studio_id)) {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    let refused = |because: &str| Problem::new(ProblemType::CannotMerge).with("because", because);
    if from.verified {
        return Err(refused("has_account").into());
    }
    if from.roles.studios().next().is_some() || from.roles.is_owner {
        return Err(refused("is_staff").into());
    }
    let both = set.beside_each_other(from.id, into.id)?;
    let of = |person: &Person| both.iter().filter(|booking| booking.person_id == person.id).cloned().collect::<Vec<Booking>>();
    let (of_from, of_into) = (of(&from), of(&into));
    let torn = of_from.iter().filter(|one| of_into.iter().any(|other| are_apart(one, other)));
    let torn: Vec<Uuid> = torn.map(|booking| booking.id).collect();
    if !torn.is_empty() {
        // One person was never in two classes: these are two.
        return Err(refused("overlap").with("booking_ids", torn).into());
    }
    let mut ways = Vec::new();
    for one in of_from {
        if let Some(other) = of_into.iter().find(|other| other.session_id == one.session_id) {
            ways.push(if gives_way(&one, other) { (one, other.clone()) } else { (other.clone(), one) });
        }
    }
    all(ways.iter().map(|(gives, _)| set.session(gives.session_id).map(drop)))?;
    let mut freed = Vec::new();
    for (mut gives, stays) in ways.iter().cloned() {
        end_offer(set, gives.id, OfferOutcome::Withdrawn, now)?;
        give_back(set, actor, &mut gives, LedgerReason::ReturnedByStaff, None, now)?;
        gives.give_way(now)?;
        freed.push(gives.session_id);
        let event = Event::of_booking(&gives, Happened::GaveWay { to: stays.id });
        set.put(gives);
        emit(set, actor, event)?;
    }
    let pairs = ways.into_iter().map(|(gives, stays)| (gives.id, stays.id)).collect();
    set.merge(from.id, into.id, pairs);
    emit(set, actor, Event::in_studio(studio.id, Subject::Person, into.id, Happened::MembersMerged { from: from.id }))?;
    Ok(freed)
}

fn member(set: &WorkingSet, studio_id: Uuid, person_id: Uuid) -> Decision<Option<Arc<Person>>> {
    match set.person(person_id) {
        Ok(person) => Ok(Some(person).filter(|person| set.is_member(studio_id, person.id))),
        Err(Abort::Refused(_)) => Ok(None),
        Err(needs) => Err(needs),
    }
}
