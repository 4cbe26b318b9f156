//! `PUT /v1/studios/{id}/house-rules`: sessions to come get new instants, and members who may now move up do so, in one commit.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::house_rules::HouseRules;
use crate::booking::refill::{Freed, settle};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::problem::{Problem, ProblemType};
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
    let (sessions, plans) = (set.to_come(studio.id, now)?, set.running_series(studio.id)?);
    let version = ask.version + 1;
    set.put_house_rules(&studio, ask.rules.clone(), version);
    let mut freed = Freed::default();
    let count = sessions.len();
    for mut session in sessions {
        session.follow_start(&ask.rules, studio.zone, now);
        if session.waiting > 0 {
            freed.session(session.id);
        }
        set.put_session(session);
    }
    // Series are made further ahead, or not so far.
    for mut plan in plans {
        plan.follow_rules(&ask.rules, studio.zone);
        set.put_plan(plan);
    }
    let changed = difference(&studio.rules, &ask.rules);
    emit(set, actor, Event::of_studio(studio.id, Happened::HouseRulesChanged { version, sessions: count, changed }))?;
    settle(set, freed, now)
}

/// Which rules differ, as `[before, after]`.
fn difference(before: &HouseRules, after: &HouseRules) -> Map<String, Value> {
    let (Ok(Value::Object(before)), Ok(Value::Object(after))) = (serde_json::to_value(before), serde_json::to_value(after)) else {
        return Map::new();
    };
    let pairs = after.into_iter().map(|(rule, now)| (before.get(&rule).cloned().unwrap_or_default(), rule, now));
    pairs.filter(|(was, _, now)| was != now).map(|(was, rule, now)| (rule, json!([was, now]))).collect()
}
