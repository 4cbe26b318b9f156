//! `PUT /v1/sessions/{id}/notes`: what the team and the members should know of a session.

use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet, caller, not_found};
use uuid::Uuid;

/// `PUT /v1/sessions/{id}/notes`: its instructor and the studio's admins write down what the team and the members should know.
pub fn note_session(
    set: &mut WorkingSet,
    actor: &Actor,
    session_id: Uuid,
    team: &Option<String>,
    members: &Option<String>,
) -> Decision<Uuid> {
    let own = set.identity(caller(actor)?)?;
    let mut session = set.session(session_id)?.clone();
    if !own.roles.runs_session(session.studio_id, own.id == session.instructor_id) {
        let sees = !session.is_for_staff() || own.roles.is_staff(session.studio_id);
        return Err(if sees { Problem::new(ProblemType::NotAllowed).into() } else { not_found() });
    }
    session.team_note.clone_from(team);
    session.member_note.clone_from(members);
    let event = Event::of_session(&session, Happened::SessionNoted);
    set.put_session(session);
    emit(set, actor, event)?;
    Ok(session_id)
}
