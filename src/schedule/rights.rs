//! Who may make and change which sessions.

use super::Session;
use crate::people::Person;
use crate::problem::{Problem, ProblemType};
use crate::studios::StudioContext;
use crate::studios::house_rules::InstructorsSchedule;
use crate::working_set::{Decision, not_found};
use uuid::Uuid;

/// Whether this person may make sessions of that instructor; `true` if they may only propose them. Admins make any, instructors their own if
/// the house rules let them.
pub fn may_make(own: &Person, studio: &StudioContext, instructor_id: Uuid) -> Decision<bool> {
    if own.roles.is_admin(studio.id) {
        return Ok(false);
    }
    if !own.roles.runs_session(studio.id, own.id == instructor_id) {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    match studio.rules.instructors_schedule {
        InstructorsSchedule::Own => Ok(false),
        InstructorsSchedule::Propose => Ok(true),
        InstructorsSchedule::None => Err(Problem::new(ProblemType::NotAllowed).into()),
    }
}

/// Whether they may change it; those who may only propose it, only as long as it is a draft.
pub fn may_change(own: &Person, studio: &StudioContext, session: &Session) -> Decision<()> {
    if session.is_for_staff() && !own.roles.is_staff(studio.id) {
        return Err(not_found());
    }
    if may_make(own, studio, session.instructor_id)? && !session.is_draft() {
        return Err(Problem::new(ProblemType::NotAllowed).into());
    }
    Ok(())
}

/// Whether they run the studio.
pub fn admin(own: &Person, studio_id: Uuid) -> Decision<()> {
    if own.roles.is_admin(studio_id) { Ok(()) } else { Err(Problem::new(ProblemType::NotAllowed).into()) }
}
