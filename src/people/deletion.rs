//! Leaving: asked for, undone within seven days, then carried out by the sweep (`sweeps`) through the transactor, which first cancels what is
//! to come.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::store;
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Actor, Event, Happened};
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::sign_in::Caller;
use crate::sign_in::rules::DELETION_DELAY;

/// When it will be done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountDeletion)]
pub struct Deletion {
    /// When it was asked for.
    #[serde(with = "crate::instant")]
    pub asked_at: DateTime<Utc>,
    /// Until when it can be undone.
    #[serde(with = "crate::instant")]
    pub due_at: DateTime<Utc>,
}

/// Asks for one's account to be deleted, seven days from now. What is booked by then is cancelled without penalty; name, address,
/// devices and the text of letters are removed; what was booked and paid stays under an id without a name.
#[utoipa::path(
    put, path = "/v1/me/deletion", operation_id = "delete_me",
    responses((status = 200, body = Deletion)),
    extensions(("x-problem-types" = json!(refuses![LastOwner, StaffTeaches])))
)]
pub async fn put(State(app): State<App>, caller: Caller) -> Answer<Json<Deletion>> {
    let (now, actor, person_id) = (app.clock.now(), caller.actor(), caller.person_id);
    let deletion = app.db.write("ask_deletion", move |tx| Box::pin(async move { ask(tx, now, &actor, person_id).await })).await?;
    Ok(Json(deletion))
}

/// Marks a person for deletion. Asked again, it stays with the first time.
pub async fn ask(tx: &mut Tx, now: DateTime<Utc>, actor: &Actor, person_id: Uuid) -> Answer<Deletion> {
    let profile = |profile: Option<store::Profile>| profile.ok_or_else(|| Problem::new(ProblemType::TokenRefused));
    if profile(store::profile(tx, person_id).await?)?.is_owner && store::other_owners(tx, person_id).await? == 0 {
        return Err(Problem::new(ProblemType::LastOwner));
    }
    let teaches = store::teaches(tx, now, person_id).await?;
    if !teaches.is_empty() {
        return Err(Problem::new(ProblemType::StaffTeaches).with("sessions", teaches));
    }
    if store::ask_deletion(tx, now, person_id, now + DELETION_DELAY).await? {
        events::log::write(tx, now, vec![actor.did(Event::of_person(person_id, Happened::DeletionAsked))]).await?;
    }
    let profile = profile(store::profile(tx, person_id).await?)?;
    let (asked_at, due_at) = profile.deletion_asked_at.zip(profile.deletion_due_at).unwrap_or((now, now + DELETION_DELAY));
    Ok(Deletion { asked_at, due_at })
}

/// Keeps one's account after all. Repeated, or never asked for: the same answer.
#[utoipa::path(
    delete, path = "/v1/me/deletion", operation_id = "keep_me",
    responses((status = 204, description = "The account stays")),
    extensions(("x-problem-types" = json!(refuses![DeletionPending])))
)]
pub async fn undo(State(app): State<App>, caller: Caller) -> Answer<StatusCode> {
    let (now, actor, person_id) = (app.clock.now(), caller.actor(), caller.person_id);
    let kept = app
        .db
        .write("undo_deletion", move |tx| {
            Box::pin(async move {
                if store::undo_deletion(tx, now, person_id).await? {
                    events::log::write(tx, now, vec![actor.did(Event::of_person(person_id, Happened::DeletionUndone))]).await?;
                }
                let profile = store::profile(tx, person_id).await?;
                Ok::<_, Problem>(profile.is_some_and(|profile| profile.deletion_due_at.is_none()))
            })
        })
        .await?;
    if kept { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::new(ProblemType::DeletionPending)) }
}
