//! Joining a studio's staff by an invitation: whoever sent it must have the right to give its roles now, not only then.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::roles::Role;
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened, Subject};
use crate::problem::{Problem, ProblemType};
use crate::working_set::{Decision, WorkingSet};

/// `PUT /v1/invitations/acceptance`, once it is known whose account it is. Sent again by the same person: nothing more.
pub fn join_staff(set: &mut WorkingSet, actor: &Actor, invitation_id: Uuid, person_id: Uuid, now: DateTime<Utc>) -> Decision<()> {
    let Some(invitation) = set.invitation(invitation_id)? else { return Err(Problem::new(ProblemType::CodeRefused).into()) };
    match invitation.accepted_by {
        Some(by) if by == person_id => return Ok(()),
        None if now < invitation.expires_at => {}
        _ => return Err(Problem::new(ProblemType::CodeRefused).into()),
    }
    let studio = set.studio(invitation.studio_id)?;
    let person = set.identity(person_id)?;
    let inviter = set.identity_if_any(invitation.invited_by)?;
    if !inviter.is_some_and(|inviter| inviter.roles.may_give(studio.id, &invitation.roles)) {
        return Err(Problem::new(ProblemType::InvitationVoid).into());
    }
    let held: BTreeSet<Role> = person.roles.of_studio(studio.id).collect();
    let after: BTreeSet<Role> = held.iter().chain(invitation.roles.iter()).copied().collect();
    if held != after {
        set.put_roles(studio.id, &person, &after);
    }
    set.accept_invitation(&invitation, person.id, now);
    let what = Happened::StaffJoined { invitation: invitation.id, roles: invitation.roles.0.clone() };
    emit(set, actor, Event::in_studio(studio.id, Subject::Person, person.id, what))
}
