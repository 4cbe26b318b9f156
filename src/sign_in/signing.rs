//! Signing in with a password, signing out, and the devices on which one is signed in.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::limits::Limit;
use super::passwords::Password;
use super::secrets::RefreshToken;
use super::store::{self, Account};
use super::tokens::Tokens;
use super::{Caller, Visitor};
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Event, Happened};
use crate::extract::{Body, Path};
use crate::ids::new_id;
use crate::language::Language;
use crate::letters::facts::Facts;
use crate::letters::outbox::{self, Letter};
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::text::{Called, Email};

/// Who signs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    pub email: Email,
    pub password: Password,
    /// What the device is called, to be known again in the list of devices.
    pub device: Option<Called<100>>,
}

/// Signs a device in.
#[utoipa::path(
    post, path = "/v1/tokens", operation_id = "sign_in",
    request_body = SignIn,
    responses((status = 200, body = Tokens)),
    extensions(("x-problem-types" = json!(refuses![SignInRefused, TooManyRequests])))
)]
pub async fn sign_in(State(app): State<App>, visitor: Visitor, Body(body): Body<SignIn>) -> Answer<Json<Tokens>> {
    let email_key = body.email.key();
    visitor.means(&email_key);
    app.limits.ask(Limit::FailuresFrom, visitor.from)?;
    app.limits.take(Limit::Passwords, &email_key)?;
    let account = store::look_up(&app.db, &body.email).await?;
    let stored = account.as_ref().map(|account| account.password_hash.as_str());
    // Without a verdict nothing was tried.
    let untried = |_: &Problem| app.limits.give_back(Limit::Passwords, &email_key);
    let fits = app.passwords.verify(body.password, stored).await.inspect_err(untried)?;
    let from = visitor.from;
    let signed_in = match account {
        Some(account) if fits => {
            let token = RefreshToken::first(new_id(app.clock.now()))?;
            let (now, opened, person_id) = (app.clock.now(), token.clone(), account.person_id);
            app.db
                .write("sign_in", move |tx| Box::pin(async move { signed_in(tx, now, &visitor, &account, body.device, &opened).await }))
                .await?
                .then_some((person_id, token))
        }
        _ => None,
    };
    let Some((person_id, token)) = signed_in else {
        app.limits.take(Limit::FailuresFrom, from)?;
        return Err(Problem::new(ProblemType::SignInRefused));
    };
    app.limits.give_back(Limit::Passwords, &email_key);
    app.letters_written.notify_one();
    Tokens::of(&app, person_id, &token).map(Json)
}

/// `false` if the password was replaced while its hash was being made.
async fn signed_in(
    tx: &mut Tx,
    now: DateTime<Utc>,
    visitor: &Visitor,
    checked: &Account,
    device: Option<Called<100>>,
    token: &RefreshToken,
) -> Answer<bool> {
    let account = store::account_of(tx, checked.person_id).await?;
    let Some(account) = account.filter(|account| account.password_hash == checked.password_hash) else { return Ok(false) };
    let person_id = account.person_id;
    let is_first = !store::has_had_devices(tx, person_id).await?;
    let device = device.map(Called::into_string);
    store::open_device(tx, now, person_id, device.clone(), token).await?;
    // An address that nobody has confirmed gets codes and nothing else; a first device is no news.
    if account.verified_at.is_some() && !is_first {
        let locale = account.locale.or(visitor.language).unwrap_or(Language::En);
        outbox::write(tx, now, vec![Letter::to_person(person_id, locale, Facts::NewDevice { device, at: now })]).await?;
    }
    events::log::write(tx, now, vec![visitor.actor_of(person_id).did(Event::of_device(token.device_id, Happened::DeviceSignedIn))]).await?;
    Ok(true)
}

/// Signs this device out.
#[utoipa::path(
    delete, path = "/v1/tokens", operation_id = "sign_out",
    responses((status = 204, description = "Signed out"))
)]
pub async fn sign_out(State(app): State<App>, caller: Caller) -> Answer<StatusCode> {
    end_device(&app, &caller, caller.device_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A device on which the caller is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Device {
    pub id: Uuid,
    /// What the app called it.
    pub name: Option<String>,
    /// When it signed in.
    #[serde(with = "crate::instant")]
    pub created_at: DateTime<Utc>,
    /// When it last signed in or refreshed.
    #[serde(with = "crate::instant")]
    pub last_used_at: DateTime<Utc>,
    /// Whether it is the one that asks.
    pub current: bool,
}

impl Device {
    /// True for the device that asks.
    pub fn of(row: store::Device, asking: Uuid) -> Self {
        Self { id: row.id, name: row.name, created_at: row.created_at, last_used_at: row.used_at, current: row.id == asking }
    }
}

/// The devices on which the caller is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Devices {
    /// The last used first.
    pub devices: Vec<Device>,
}

/// The devices on which the caller is signed in.
#[utoipa::path(
    get, path = "/v1/me/devices", operation_id = "list_devices",
    responses((status = 200, body = Devices))
)]
pub async fn devices(State(app): State<App>, caller: Caller) -> Answer<Json<Devices>> {
    let mut tx = app.db.read().await?;
    let rows = store::devices(&mut tx, app.clock.now(), caller.person_id).await?;
    tx.rollback().await;
    Ok(Json(Devices { devices: rows.into_iter().map(|row| Device::of(row, caller.device_id)).collect() }))
}

/// Signs one of the caller's devices out.
#[utoipa::path(
    delete, path = "/v1/me/devices/{id}", operation_id = "sign_out_device",
    params(("id" = Uuid, Path)),
    responses((status = 204, description = "Signed out"))
)]
pub async fn remove_device(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Answer<StatusCode> {
    if end_device(&app, &caller, id).await? { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::new(ProblemType::NotFound)) }
}

async fn end_device(app: &App, caller: &Caller, id: Uuid) -> Answer<bool> {
    let (now, person_id, actor) = (app.clock.now(), caller.person_id, caller.actor());
    let ended = app
        .db
        .write("sign_out", move |tx| {
            Box::pin(async move {
                let ended = store::end_device(tx, now, person_id, id).await?;
                if ended {
                    events::log::write(tx, now, vec![actor.did(Event::of_device(id, Happened::DeviceSignedOut))]).await?;
                }
                Ok::<_, Problem>(ended)
            })
        })
        .await?;
    app.identities.forget_device(id);
    Ok(ended)
}
