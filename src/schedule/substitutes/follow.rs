//! A request for a substitute follows its session: a new time, another instructor, a cancellation.

use super::RequestState;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::schedule::edit::Edit;
use crate::working_set::{Decision, WorkingSet, all};
use chrono::Duration;
use chrono::{DateTime, Utc};

/// A request still open this long before the start goes to the admins.
pub const TO_ADMINS: Duration = Duration::hours(12);

/// After other changes of sessions: a request follows a new time, and is withdrawn after a cancellation or another change of instructor.
pub fn follow_sessions(set: &mut WorkingSet, actor: &Actor, edits: &[Edit], now: DateTime<Utc>) -> Decision<()> {
    let concerned = |edit: &&Edit| {
        edit.after.is_cancelled() || edit.after.instructor_id != edit.before.instructor_id || edit.after.starts_at != edit.before.starts_at
    };
    let edits: Vec<&Edit> = edits.iter().filter(concerned).collect();
    let pending = all(edits.iter().map(|edit| set.pending_request(edit.after.id).map(|request| request.cloned())))?;
    for (edit, request) in edits.into_iter().zip(pending) {
        let Some(mut request) = request else { continue };
        if edit.after.is_cancelled() || edit.after.instructor_id != edit.before.instructor_id {
            let what = Happened::SubstituteWithdrawn { session: edit.after.id, claimed_by: request.claimed_by };
            request.end(RequestState::Withdrawn, now);
            let event = Event::in_studio(request.studio_id, Subject::SubstituteRequest, request.id, what);
            set.put_request(request);
            emit(set, actor, event)?;
        } else {
            let told = request.told_admins_at.is_some();
            request.due_at = Some(if told { edit.after.starts_at } else { edit.after.starts_at - TO_ADMINS });
            set.put_request(request);
        }
    }
    Ok(())
}
