//! Who may do what in a studio, asked in the first line of a handler: 404 if there is no such studio, 403 if the caller may not.

use uuid::Uuid;

use super::store;
use crate::app::App;
use crate::problem::{Answer, Problem, ProblemType};
use crate::sign_in::Caller;

/// Refuses all but those who run this studio.
pub async fn require_admin(app: &App, caller: &Caller, studio_id: Uuid) -> Answer<()> {
    require(app, caller, studio_id, caller.roles.is_admin(studio_id)).await
}

/// Refuses all but this studio's front desk.
pub async fn require_front_desk(app: &App, caller: &Caller, studio_id: Uuid) -> Answer<()> {
    require(app, caller, studio_id, caller.roles.is_front_desk(studio_id)).await
}

/// Refuses all but those who teach in this studio or run it. How far an instructor may schedule for themselves is decided by the house
/// rules, in the command.
pub async fn require_scheduler(app: &App, caller: &Caller, studio_id: Uuid) -> Answer<()> {
    require(app, caller, studio_id, caller.roles.is_scheduler(studio_id)).await
}

/// Refuses all but those who teach in this studio.
pub async fn require_instructor(app: &App, caller: &Caller, studio_id: Uuid) -> Answer<()> {
    require(app, caller, studio_id, caller.roles.is_instructor(studio_id)).await
}

/// Refuses all but this studio's staff.
pub async fn require_staff(app: &App, caller: &Caller, studio_id: Uuid) -> Answer<()> {
    require(app, caller, studio_id, caller.roles.is_staff(studio_id)).await
}

async fn require(app: &App, caller: &Caller, studio_id: Uuid, allowed: bool) -> Answer<()> {
    // A role in a studio shows that it exists; an owner has theirs everywhere.
    if allowed && !caller.roles.is_owner {
        return Ok(());
    }
    if store::setting(&app.db, studio_id).await?.is_none() {
        return Err(Problem::new(ProblemType::NotFound));
    }
    if allowed { Ok(()) } else { Err(Problem::new(ProblemType::NotAllowed)) }
}
