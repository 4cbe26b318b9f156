//! `PUT …/class-types/{id}/house-rules` and `PUT …/pass-types/{id}/house-rules`: what a class type or a pass type changes about its studio's
//! rules. Sessions to come follow as they follow the studio's own rules; bookings keep the terms that they were made on.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::house_rules::Overrides;
use super::set_house_rules::{difference, follow_rules, must_make_sense};
use super::{RulesOf, StudioContext};
use crate::booking::freed::Freed;
use crate::booking::refill::settle;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, all, caller, not_found};

/// What a class type or a pass type shall change, replacing what it changed in `version`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct OverrideRules {
    pub studio_id: Uuid,
    pub of: RulesOf,
    pub version: i64,
    pub overrides: Overrides,
}

/// Replaces what a class type or a pass type changes about the rules of its studio.
pub fn override_rules(set: &mut WorkingSet, actor: &Actor, ask: &OverrideRules, now: DateTime<Utc>) -> Decision<()> {
    let own = set.identity(caller(actor)?)?;
    let studio = set.studio(ask.studio_id)?;
    let (version, studio_ids) = stands(set, ask)?;
    if !studio_ids.iter().all(|id| own.roles.is_admin(*id)) {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    if version != ask.version {
        return Err(Problem::new(ProblemType::VersionStale).with("version", version).into());
    }
    // It may touch every session to come, so it has a batch of its own.
    set.must_be_alone()?;
    let studios: Vec<Arc<StudioContext>> = all(studio_ids.iter().map(|id| set.studio(*id)))?;
    all(studio_ids.iter().map(|id| set.to_come(*id, now)))?;
    all(studio_ids.iter().map(|id| set.running_series(*id)))?;
    let version = version + 1;
    let before = match ask.of {
        RulesOf::ClassType(id) => studio.class_type_rules.get(&id).cloned(),
        RulesOf::PassType(id) => studio.pass_type_rules.get(&id).map(|of| of.overrides.clone()),
    };
    match ask.of {
        RulesOf::ClassType(id) => set.put_class_type_rules(&studio, id, &ask.overrides, version),
        RulesOf::PassType(id) => set.put_pass_type_rules(id, &studio_ids, &ask.overrides, version),
    }
    let (mut freed, mut sessions) = (Freed::default(), 0);
    for studio in studios {
        let after = set.studio(studio.id)?;
        must_make_sense(&after, Some(ask.of))?;
        sessions += follow_rules(set, &after, &mut freed, now)?;
    }
    let changed = difference(&before.unwrap_or_default(), &ask.overrides);
    let event = match ask.of {
        RulesOf::ClassType(id) => {
            Event::in_studio(studio.id, Subject::ClassType, id, Happened::ClassTypeRulesChanged { version, sessions, changed })
        }
        RulesOf::PassType(id) => {
            Event::in_studio(studio.id, Subject::PassType, id, Happened::PassTypeRulesChanged { version, sessions, changed })
        }
    };
    emit(set, actor, event)?;
    settle(set, freed, now)
}

/// The version of what is changed now, and the studios whose rules it is about.
fn stands(set: &WorkingSet, ask: &OverrideRules) -> Decision<(i64, Vec<Uuid>)> {
    match ask.of {
        RulesOf::ClassType(id) => {
            let found = set.class_type(id)?.filter(|found| found.studio_id == ask.studio_id).ok_or_else(not_found)?;
            Ok((found.rules_version, vec![ask.studio_id]))
        }
        RulesOf::PassType(id) => {
            let found = set.pass_type(id)?.filter(|found| found.studio_id == ask.studio_id).ok_or_else(not_found)?;
            let studio_ids = found.studio_ids.as_ref().map_or_else(|| vec![ask.studio_id], |ids| ids.0.clone());
            Ok((found.rules_version, studio_ids))
        }
    }
}
