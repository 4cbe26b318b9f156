//! `GET /v1/sessions/{id}/terms`: what the rules say to a member before they tap.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::freed::Freed;
use super::member::who_takes;
use super::replace;
use super::rules::{self, Ask, SessionNow, Terms};
use super::terms::{NamedPass, Replacing};
use crate::events::Actor;
use crate::penalties::rules::{Leniency, month_of_late_cancel};
use crate::penalties::standing::leniency_now;
use crate::people::Person;
use crate::problem::ProblemType;
use crate::schedule::Session;
use crate::studios::StudioContext;
use crate::working_set::{Abort, Decision, WorkingSet, not_found};

/// The terms, with what they are told from.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "rows")]
pub struct Told {
    pub session: Session,
    pub studio: Arc<StudioContext>,
    pub terms: Terms,
    /// The pass that would pay.
    pub pass: Option<NamedPass>,
    /// Whether the member must confirm their address first.
    pub unverified: bool,
    /// What would speak for the member if they cancelled it late.
    pub leniency: Leniency,
    /// What would be given up for the place.
    pub replacing: Option<Replacing>,
}

/// The tap whose terms are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Tap {
    /// In which session.
    pub session_id: Uuid,
    /// Whose the place would be.
    pub person_id: Uuid,
    /// Which pass is to pay.
    pub pass_id: Option<Uuid>,
    /// The booking that the new one takes over from.
    pub replaces: Option<Uuid>,
    /// Whether the place is a guest's.
    pub guest: bool,
}

/// What a tap of this person, for themselves or for whom they act, would come to now. What would be given up for it is given up in the set
/// first, as the tap itself does.
pub fn tell_terms(set: &mut WorkingSet, caller: Uuid, tap: Tap, now: DateTime<Utc>) -> Decision<Told> {
    let Tap { session_id, person_id, pass_id, replaces, guest } = tap;
    let own = set.person(caller)?;
    if person_id != caller && !set.acts_for(caller, person_id)? {
        return Err(not_found());
    }
    let member = set.person(person_id)?;
    let session = set.session(session_id)?.clone();
    let studio = set.studio(session.studio_id)?;
    let front_desk = own.roles.is_front_desk(studio.id);
    if session.is_for_staff() && !front_desk {
        return Err(not_found());
    }
    let replacing = match replaces {
        Some(old) => Some(give_up(set, &own, &member, old, &session, &studio, now)?),
        None => None,
    };
    let member = who_takes(set, person_id, &session, &studio, now)?;
    let ask = Ask { pass_id, waitlist: true, by_staff: false, unpaid: false };
    let rules = studio.rules_of(session.class_type_id);
    let say = if guest { rules::guest_terms } else { rules::terms };
    let terms = say(&SessionNow::of(&session, studio.zone), &rules, member.now(), ask, now);
    let pass = match terms.payment.and_then(|payment| payment.pass_id) {
        Some(id) => {
            let pass = set.pass(id)?;
            let shared_by = if pass.person_id == person_id { None } else { Some(set.identity(pass.person_id)?.name.clone()) };
            let (name, kind, credits_left) = (pass.name.0.clone(), pass.kind, pass.credits_left);
            Some(NamedPass { id, name, kind, credits_left, shared_by })
        }
        None => None,
    };
    let then = now.max(terms.booking_opens_at);
    let late = terms.free_cancel_until.is_none_or(|until| until < then);
    let month = month_of_late_cancel(late, session.local_date, then, studio.zone);
    let leniency = Leniency::of(set.penalties(person_id)?, studio.id, &studio.rules, session.local_date, month);
    Ok(Told { session, studio, terms, pass, unverified: !own.verified && !front_desk, leniency, replacing })
}

/// Gives up what is named, if a place is free for which it would be, whatever it costs; and what that comes to.
fn give_up(
    set: &mut WorkingSet,
    own: &Person,
    member: &Person,
    booking_id: Uuid,
    session: &Session,
    studio: &StudioContext,
    now: DateTime<Utc>,
) -> Decision<Replacing> {
    let old = match replace::named(set, own, member.id, booking_id, session, now) {
        Err(Abort::Refused(problem)) if problem.kind != ProblemType::NotFound => {
            return Ok(Replacing { booking_id, old: None, refused: Some(problem.kind) });
        }
        named => named?,
    };
    set.session(old.session_id)?;
    let told = Some((old.clone(), leniency_now(set, &old, now)?));
    if SessionNow::of(session, studio.zone).places_public(now) <= 0 {
        return Ok(Replacing { booking_id, old: told, refused: None });
    }
    let actor = Actor { person_id: Some(own.id), ..Actor::default() };
    let refused = match replace::give_up(set, &actor, old, booking_id, true, &mut Freed::default(), now) {
        Err(Abort::Refused(problem)) => Some(problem.kind),
        given_up => given_up.map(|()| None)?,
    };
    Ok(Replacing { booking_id, old: told, refused })
}
