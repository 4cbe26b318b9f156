//! Leaving one studio without leaving the others.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::store;
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Event, Happened, Subject};
use crate::extract::Path;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::sign_in::Caller;

/// Leaves a studio: its front desk reads the caller's name, address and number no more. What was booked and paid there stays the caller's to
/// read; what is booked to come is cancelled first, as the rules say (409 `bookings-to-come` names it). Booking there again joins again.
/// Repeated, it is done already.
#[utoipa::path(
    delete, path = "/v1/studios/{id}/members/me", operation_id = "leave_studio",
    params(("id" = Uuid, Path)),
    responses((status = 204, description = "No member of the studio any more.")),
    extensions(("x-problem-types" = json!(refuses![BookingsToCome])))
)]
pub async fn leave(State(app): State<App>, caller: Caller, Path(studio_id): Path<Uuid>) -> Answer<StatusCode> {
    let now = app.clock.now();
    app.db.write("leave_studio", move |tx| Box::pin(async move { left(tx, now, &caller, studio_id).await })).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn left(tx: &mut Tx, now: DateTime<Utc>, caller: &Caller, studio_id: Uuid) -> Answer<()> {
    // A booking makes its person a member: none is decided meanwhile.
    tx.between_batches().await?;
    if store::studio(tx, studio_id).await?.is_none() {
        return Err(Problem::new(ProblemType::NotFound));
    }
    let person_id = caller.person_id;
    let to_come = store::leaving::to_come(tx, studio_id, person_id, now).await?;
    if !to_come.is_empty() {
        return Err(Problem::new(ProblemType::BookingsToCome).with("booking_ids", to_come));
    }
    if store::leaving::leave(tx, studio_id, person_id).await? {
        let event = Event::in_studio(studio_id, Subject::Person, person_id, Happened::MemberLeft);
        events::log::write(tx, now, vec![caller.actor().did(event)]).await?;
    }
    Ok(())
}
