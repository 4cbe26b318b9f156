//! Holds over HTTP: the front desk keeps places of a session back, and gives them free again.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, SubsecRound as _, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::rules::may_hold;
use super::set::SetHold;
use super::{Hold, HoldKind, HoldOutcome, Terms, store};
use crate::app::App;
use crate::extract::{Body, Path, Within, storable};
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::schedule;
use crate::sign_in::Caller;
use crate::text::Note;
use crate::transactor::Command;

/// Places of a session that are kept back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hold)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct HoldView {
    pub id: Uuid,
    pub session_id: Uuid,
    pub kind: HoldKind,
    /// How many.
    pub places: i64,
    /// From then on they are free again, and from the start at the latest. Null: they stay held until somebody gives them free.
    #[serde(with = "crate::instant")]
    pub until: Option<DateTime<Utc>>,
    /// For the team.
    pub note: Option<String>,
    #[serde(with = "crate::instant")]
    pub made_at: DateTime<Utc>,
    /// Who set it.
    pub made_by: Uuid,
    /// Since then nothing is held by it.
    #[serde(with = "crate::instant")]
    pub ended_at: Option<DateTime<Utc>>,
    /// Who ended it; null if nobody did.
    pub ended_by: Option<Uuid>,
    /// How it ended; null while it runs.
    pub outcome: Option<HoldOutcome>,
}

impl From<Hold> for HoldView {
    fn from(hold: Hold) -> Self {
        Self {
            id: hold.id,
            session_id: hold.session_id,
            kind: hold.kind,
            places: hold.places,
            until: hold.until,
            note: hold.note,
            made_at: hold.made_at,
            made_by: hold.made_by,
            ended_at: hold.ended_at,
            ended_by: hold.ended_by,
            outcome: hold.outcome,
        }
    }
}

/// The holds of a session.
#[derive(Debug, Serialize, ToSchema)]
pub struct Holds {
    /// In the order in which they were set, those that have ended among them: 200 at most.
    holds: Vec<HoldView>,
}

/// The holds of a session, those that have ended too: for its studio's front desk.
#[utoipa::path(
    get, path = "/v1/sessions/{id}/holds", operation_id = "list_holds",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Holds)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn list(State(app): State<App>, caller: Caller, Path(session_id): Path<Uuid>) -> Answer<Json<Holds>> {
    let session = schedule::store::one(&app.db, session_id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    may_hold(&caller.roles, &session)?;
    let mut tx = app.db.read().await?;
    let mut holds = store::of_sessions(&mut tx, &[session_id]).await?;
    tx.rollback().await;
    holds.sort_by_key(|hold| (hold.made_at, hold.id));
    Ok(Json(Holds { holds: holds.into_iter().map(HoldView::from).collect() }))
}

/// How many places.
type Places = Within<1, 10_000>;

/// What a hold is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldBody {
    /// For whom, or why.
    kind: HoldKind,
    /// How many.
    places: Places,
    /// From then on they are free again: after now, and not after the start. Without it they stay held until somebody gives them free.
    #[serde(default)]
    until: Option<DateTime<Utc>>,
    /// For the team.
    #[serde(default)]
    note: Option<Note>,
}

/// Keeps places of a session back, or changes what is kept back: the app chooses the id, and may repeat the call. Only what is free can be
/// held: not what is offered to those who wait or kept for them. What a hold gives up goes to those who wait, at once. A hold that has ended
/// is not begun again.
#[utoipa::path(
    put, path = "/v1/sessions/{id}/holds/{hold_id}", operation_id = "set_hold",
    params(("id" = Uuid, Path), ("hold_id" = Uuid, Path)), request_body = HoldBody,
    responses((status = 200, body = HoldView)),
    extensions(("x-problem-types" = json!(refuses![
        NotAllowed, PlacesNotFree, SessionCancelled, SessionOver, HoldIdReused, HoldEnded, TooManyHolds, TooManyRequests
    ])))
)]
pub async fn put(
    State(app): State<App>,
    caller: Caller,
    Path((session_id, hold_id)): Path<(Uuid, Uuid)>,
    Body(body): Body<HoldBody>,
) -> Answer<Json<HoldView>> {
    let Within(places) = body.places;
    let until = body.until.map(|at| storable(at.trunc_subsecs(6)));
    let terms = Terms { kind: body.kind, places, until, note: body.note.map(Note::into_string) };
    done(&app, &caller, Command::SetHold(SetHold { session_id, hold_id, terms })).await
}

/// Gives the places of a hold free: they go to those who wait, at once. Repeated, it answers the same.
#[utoipa::path(
    delete, path = "/v1/sessions/{id}/holds/{hold_id}", operation_id = "release_hold",
    params(("id" = Uuid, Path), ("hold_id" = Uuid, Path)),
    responses((status = 200, body = HoldView)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, TooManyRequests])))
)]
pub async fn release(State(app): State<App>, caller: Caller, Path((session_id, hold_id)): Path<(Uuid, Uuid)>) -> Answer<Json<HoldView>> {
    done(&app, &caller, Command::ReleaseHold { session_id, hold_id }).await
}

/// Submits the command, which asks for the rights, and shows the hold that resulted.
async fn done(app: &App, caller: &Caller, what: Command) -> Answer<Json<HoldView>> {
    let id = app.transactor.submit_for_id(caller.actor(), what).await?;
    let mut tx = app.db.read().await?;
    let found = store::by_id(&mut tx, &[id]).await?.pop();
    tx.rollback().await;
    found.map(|hold| Json(HoldView::from(hold))).ok_or_else(|| Problem::new(ProblemType::NotFound))
}
