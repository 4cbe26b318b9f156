//! A new pair of tokens for an old refresh token. Whether there is one is decided in `rotation.rs`.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::rotation::{self, PresentedToken, Refresh};
use super::secrets::{self, RefreshToken};
use super::tokens::Tokens;
use super::{Visitor, store};
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Event, Happened};
use crate::extract::Body;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::settings::SignIn;

/// The refresh token that the app holds.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// As it was given out.
    pub refresh_token: String,
}

/// What the shown token came to.
enum Outcome {
    Renewed { person_id: Uuid },
    Refused { signed_out: bool },
}

/// A new pair of tokens. If its answer is lost, the same call may be made again for ten minutes, as long as the new refresh token was
/// not used. Any other use of an old refresh token signs the device out. Some time after signing in (a year; 30 days for staff, unless the
/// deployment says otherwise) it is refused however often the device was used: then one signs in again.
#[utoipa::path(
    post, path = "/v1/tokens/refresh", operation_id = "refresh_tokens",
    request_body = RefreshRequest,
    responses((status = 200, description = "Both tokens are new", body = Tokens)),
    extensions(("x-problem-types" = json!(refuses![TokenRefused])))
)]
pub async fn refresh(State(app): State<App>, visitor: Visitor, Body(body): Body<RefreshRequest>) -> Answer<Json<Tokens>> {
    let refused = || Problem::new(ProblemType::TokenRefused);
    let shown = RefreshToken::parse(&body.refresh_token).ok_or_else(refused)?;
    let next = shown.next()?;
    let (now, device_id, stored) = (app.clock.now(), shown.device_id, next.clone());
    let settings = app.settings.sign_in.clone();
    let refreshed =
        app.db.write("refresh", move |tx| Box::pin(async move { renewed(tx, now, &settings, &visitor, &shown, &stored).await }));
    match refreshed.await? {
        Outcome::Renewed { person_id } => Tokens::of(&app, person_id, &next).map(Json),
        Outcome::Refused { signed_out } => {
            if signed_out {
                app.identities.forget_device(device_id);
            }
            Err(refused())
        }
    }
}

async fn renewed(
    tx: &mut Tx,
    now: DateTime<Utc>,
    settings: &SignIn,
    visitor: &Visitor,
    shown: &RefreshToken,
    next: &RefreshToken,
) -> Answer<Outcome> {
    const REFUSED: Outcome = Outcome::Refused { signed_out: false };
    let Some(device) = store::hold_chain(tx, shown.device_id).await? else { return Ok(REFUSED) };
    if !secrets::same(&shown.family_hash(), &device.family_hash) {
        // Not one of this device's tokens at all: whoever invents one signs nobody out.
        return Ok(REFUSED);
    }
    if device.awaits_factor {
        // What a challenge is answered with renews nothing.
        return Ok(REFUSED);
    }
    let own = shown.own_hash();
    let which = if secrets::same(&own, &device.current_hash) {
        PresentedToken::Current
    } else if device.previous_hash.as_ref().is_some_and(|previous| secrets::same(&own, previous)) {
        PresentedToken::Previous
    } else {
        PresentedToken::Older
    };
    let actor = visitor.actor_of(device.person_id);
    match rotation::refresh(device.chain(settings.session_life(device.is_staff)), which, now) {
        Refresh::Next => store::replace_token(tx, now, next, Some(shown)).await?,
        Refresh::Again => store::replace_token(tx, now, next, None).await?,
        Refresh::Over => return Ok(REFUSED),
        Refresh::Reuse => {
            store::end_device(tx, now, device.person_id, shown.device_id).await?;
            events::log::write(tx, now, vec![actor.did(Event::of_device(shown.device_id, Happened::TokenReused))]).await?;
            return Ok(Outcome::Refused { signed_out: true });
        }
    }
    Ok(Outcome::Renewed { person_id: device.person_id })
}
