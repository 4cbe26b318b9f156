//! The only way from a decision to what follows from it.

use super::{Actor, Event, letters};
use crate::working_set::{Decision, WorkingSet};

/// Writes the event's letters and records it in the log. The rows must say already what happened.
pub fn emit(set: &mut WorkingSet, actor: &Actor, event: Event) -> Decision<()> {
    letters::follow(set, &event)?;
    set.record(actor, event);
    Ok(())
}
