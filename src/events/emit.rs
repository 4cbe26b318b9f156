//! The only way from a decision to what follows from it.

use super::{Actor, Event, letters};
use crate::working_set::{Decision, WorkingSet};

/// Something happened, and the rows say so already: its letters are written, and it stands in the log.
pub fn emit(set: &mut WorkingSet, actor: &Actor, event: Event) -> Decision<()> {
    letters::follow(set, &event)?;
    set.record(actor, event);
    Ok(())
}
