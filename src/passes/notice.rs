//! Sweep: the end of a pass is told two weeks and two days ahead.

use super::rules::notice::{due, next};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::working_set::{Decision, WorkingSet};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Looks again whether the end of a pass is to be told now, and when it is next.
pub fn tell_ending(set: &mut WorkingSet, pass_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let mut pass = set.pass(pass_id)?.clone();
    if pass.notice_at.is_none_or(|at| now < at) {
        return Ok(());
    }
    let zone = set.studio(pass.studio_id)?.zone;
    let told = due(&pass, zone, now);
    pass.notice_at = next(&pass, zone, now);
    let (studio_id, person_id, expires_on) = (pass.studio_id, pass.person_id, pass.expires_on);
    set.put_pass_unchanged(pass);
    match told {
        Some(days_ahead) => {
            let what = Happened::PassEndingTold { person_id, days_ahead, expires_on };
            emit(set, &Actor::system(), Event::in_studio(studio_id, Subject::Pass, pass_id, what))
        }
        None => Ok(()),
    }
}
