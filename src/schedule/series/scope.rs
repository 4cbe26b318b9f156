//! How much of a series a change affects.

use super::Plan;
use crate::events::Actor;
use crate::problem::{Problem, ProblemType};
use crate::schedule::Session;
use crate::schedule::rights::{may_change, may_make};
use crate::studios::StudioContext;
use crate::working_set::{Decision, WorkingSet, caller};
use crate::wrong::Wrong;
use chrono::NaiveDate;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

/// How much of a series an act means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SeriesScope)]
pub enum Scope {
    /// This session alone.
    #[default]
    This,
    /// This one and those that follow.
    Following,
    /// All that have not begun.
    All,
}

/// The series of a session, and the first of its dates that a change affects.
pub fn scope(set: &WorkingSet, anchor: &Session, scope: Scope, now: DateTime<Utc>) -> Decision<(Plan, NaiveDate)> {
    let (Some(series_id), Some(date)) = (anchor.series_id, anchor.series_date) else {
        return Err(Problem::field("scope", Wrong::NotInSeries).into());
    };
    let plan = set.plan(series_id)?.clone();
    let to_come = set.of_series(series_id, now)?;
    let from = match scope {
        Scope::This | Scope::Following => date,
        // Those that have begun or are over stay as they were.
        Scope::All => {
            let first = to_come.iter().filter_map(|session| session.series_date).min();
            first.into_iter().chain(plan.series.next_date).min().unwrap_or(date)
        }
    };
    Ok((plan, from))
}

/// Those who do not run the studio change only what is theirs: the whole series from that date on, and every session that it made there,
/// must be their own. A substitute in one session, or somebody who may only propose, has no say in the rest.
pub fn must_be_their_own(
    set: &WorkingSet,
    actor: &Actor,
    studio: &StudioContext,
    plan: &Plan,
    from: NaiveDate,
    now: DateTime<Utc>,
) -> Decision<()> {
    let own = set.person(caller(actor)?)?;
    for part in plan.part_on(from).into_iter().chain(plan.parts.range(from..).map(|(_, part)| part)) {
        if may_make(&own, studio, part.instructor_id)? && !plan.series.draft {
            return Err(Problem::new(ProblemType::NotAllowed).into());
        }
    }
    for session in set.of_series(plan.series.id, now)?.iter().filter(|session| session.series_date >= Some(from)) {
        may_change(&own, studio, session)?;
    }
    Ok(())
}
