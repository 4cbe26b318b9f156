//! `GET /v1/sessions/{id}/terms`: what the rules say to a member before they tap.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::member::who_takes;
use super::rules::{self, Ask, SessionNow, Terms};
use super::terms::NamedPass;
use crate::penalties::rules::{Leniency, first_of_month};
use crate::schedule::Session;
use crate::studios::StudioContext;
use crate::working_set::{Decision, WorkingSet, not_found};

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
    /// What would speak for the member in the session's month.
    pub leniency: Leniency,
}

/// What a tap of this person would come to now; with `pass_id`, if that pass is to pay.
pub fn tell_terms(set: &WorkingSet, person_id: Uuid, session_id: Uuid, pass_id: Option<Uuid>, now: DateTime<Utc>) -> Decision<Told> {
    let own = set.person(person_id)?;
    let session = set.session(session_id)?.clone();
    let studio = set.studio(session.studio_id)?;
    let front_desk = own.roles.is_front_desk(studio.id);
    if session.is_for_staff() && !front_desk {
        return Err(not_found());
    }
    let member = who_takes(set, person_id, &session, &studio, now)?;
    let ask = Ask { pass_id, waitlist: true, by_staff: false, unpaid: false };
    let rules = studio.rules_of(session.class_type_id);
    let terms = rules::terms(&SessionNow::of(&session, studio.zone), &rules, member.now(), ask, now);
    let pass = match terms.payment.and_then(|payment| payment.pass_id) {
        Some(id) => Some(set.pass(id)?),
        None => None,
    };
    let pass = pass.map(|pass| NamedPass { id: pass.id, name: pass.name.0.clone(), kind: pass.kind, credits_left: pass.credits_left });
    let month = first_of_month(session.local_date);
    let leniency = Leniency::of(set.penalties(person_id)?, studio.id, &studio.rules, session.local_date, month);
    Ok(Told { session, studio, terms, pass, unverified: !own.verified && !front_desk, leniency })
}
