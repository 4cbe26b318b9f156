//! `PUT /v1/studios/{id}/house-rules`: sessions to come get new instants, and members who may now move up do so, in one commit.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::house_rules::{HouseRules, InvalidRule};
use super::{RulesOf, StudioContext};
use crate::booking::freed::Freed;
use crate::booking::refill::settle;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::problem::{FieldError, Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, caller};

/// New house rules, replacing those of `version`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct SetHouseRules {
    pub studio_id: Uuid,
    pub version: i64,
    pub rules: HouseRules,
}

/// Replaces a studio's house rules. Bookings keep the terms that they were made on.
pub fn set_house_rules(set: &mut WorkingSet, actor: &Actor, ask: &SetHouseRules, now: DateTime<Utc>) -> Decision<()> {
    let own = set.identity(caller(actor)?)?;
    let studio = set.studio(ask.studio_id)?;
    if !own.roles.is_admin(studio.id) {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    if studio.rules_version != ask.version {
        return Err(Problem::new(ProblemType::VersionStale).with("version", studio.rules_version).into());
    }
    // It touches every session to come, so it has a batch of its own.
    set.must_be_alone()?;
    set.to_come(studio.id, now)?;
    set.running_series(studio.id)?;
    let version = ask.version + 1;
    set.put_house_rules(&studio, ask.rules.clone(), version);
    let after = set.studio(studio.id)?;
    must_make_sense(&after, None)?;
    let mut freed = Freed::default();
    let sessions = follow_rules(set, &after, &mut freed, now)?;
    let changed = difference(&studio.rules, &ask.rules);
    emit(set, actor, Event::of_studio(studio.id, Happened::HouseRulesChanged { version, sessions, changed }))?;
    settle(set, freed, now)
}

/// Refuses rules that, together with what class types and pass types change about them, cannot be kept. One that only a class type or a
/// pass type makes impossible is named with it, unless it is the one that is being `written`: then the rule is a field of the call.
pub fn must_make_sense(studio: &StudioContext, written: Option<RulesOf>) -> Decision<()> {
    let named = |of: RulesOf, refused: Vec<InvalidRule>| {
        let prefix = match of {
            _ if Some(of) == written => String::new(),
            RulesOf::ClassType(id) => format!("class_types.{id}."),
            RulesOf::PassType(id) => format!("pass_types.{id}."),
        };
        refused.into_iter().map(move |(rule, wrong)| (format!("{prefix}{rule}"), wrong))
    };
    let mut refused: Vec<InvalidRule> = studio.rules.refused();
    for (id, overrides) in &studio.class_type_rules {
        refused.extend(named(RulesOf::ClassType(*id), studio.rules.with(overrides).refused()));
    }
    // What is wrong whoever pays is not said of each pass again.
    let valid_here = studio.pass_type_rules.iter().filter(|(_, of)| refused.is_empty() && of.studio_ids.contains(&studio.id));
    for (id, of) in valid_here.collect::<Vec<_>>() {
        let of_class_types = studio.class_type_rules.values().map(|overrides| studio.rules.with(overrides));
        let rules = std::iter::once(studio.rules.clone()).chain(of_class_types);
        let first = rules.map(|rules| rules.with(&of.overrides).refused()).find(|refused| !refused.is_empty());
        refused.extend(named(RulesOf::PassType(*id), first.unwrap_or_default()));
    }
    let errors: Vec<FieldError> = refused.into_iter().map(|(field, wrong)| FieldError { field, wrong }).collect();
    if errors.is_empty() { Ok(()) } else { Err(Problem::fields(errors).into()) }
}

/// Sessions to come get the instants that the rules now give them, and series are made as far ahead as anybody may book. Returns how many
/// sessions there are.
pub fn follow_rules(set: &mut WorkingSet, studio: &StudioContext, freed: &mut Freed, now: DateTime<Utc>) -> Decision<usize> {
    let (sessions, plans) = (set.to_come(studio.id, now)?, set.running_series(studio.id)?);
    let count = sessions.len();
    for mut session in sessions {
        let rules = studio.rules_of(session.class_type_id);
        session.follow_start(&rules, studio.zone, now);
        if session.waiting > 0 {
            freed.session(session.id);
        }
        set.put_session(session);
    }
    for mut plan in plans {
        plan.follow_rules(studio.opens_days_max(), studio.zone);
        set.put_plan(plan);
    }
    Ok(count)
}

/// Which rules differ, as `[before, after]`; null where nothing was said.
pub fn difference<T: Serialize>(before: &T, after: &T) -> Map<String, Value> {
    let (Ok(Value::Object(before)), Ok(Value::Object(after))) = (serde_json::to_value(before), serde_json::to_value(after)) else {
        return Map::new();
    };
    let rules: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let said = |rules: &Map<String, Value>, rule: &str| rules.get(rule).cloned().unwrap_or_default();
    let pairs = rules.into_iter().map(|rule| (rule.clone(), said(&before, rule), said(&after, rule)));
    pairs.filter(|(_, was, now)| was != now).map(|(rule, was, now)| (rule, json!([was, now]))).collect()
}
