//! Signing in with a password, signing out, and the devices on which one is signed in.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::buckets::{self, Bucket};
use super::factors::challenge;
use super::passwords::{Password, Verdict};
use super::secrets::RefreshToken;
use super::store::{self, Account};
use super::tokens::Tokens;
use super::tries::{Place, Try};
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
    /// The last refresh token that this device had, if it kept one, even if that has run out or was signed out here. For 90 days it shows
    /// that the device is no stranger to the account: what strangers try elsewhere does not keep it out.
    #[serde(default, deserialize_with = "a_token")]
    #[schema(value_type = Option<String>)]
    pub last_refresh_token: Option<RefreshToken>,
}

/// What is no refresh token shows nothing, and is no mistake of who types a password.
fn a_token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RefreshToken>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.and_then(|text| RefreshToken::parse(&text)))
}

/// How often a password is looked at again whose hash was replaced meanwhile: by another sign-in that made it anew, or by a new password.
const LOOKS_MAX: usize = 2;

/// Signs a device in. Somebody who has a second factor is asked for it: the refusal carries a challenge, which is answered with it.
#[utoipa::path(
    post, path = "/v1/tokens", operation_id = "sign_in",
    request_body = SignIn,
    responses((status = 200, body = Tokens)),
    extensions(("x-problem-types" = json!(refuses![SignInRefused, SecondFactorNeeded, TooManyRequests])))
)]
pub async fn sign_in(State(app): State<App>, visitor: Visitor, Body(body): Body<SignIn>) -> Answer<Json<Tokens>> {
    let (email_key, from) = (body.email.key(), visitor.from);
    visitor.means(&email_key);
    let mut account = store::look_up(&app.db, &body.email).await?;
    let place = Place::of(&app, account.as_ref(), from, body.last_refresh_token.as_ref()).await?;
    // Without a verdict it is dropped, and nothing was tried.
    let tried = Try::begin(&app, &email_key, place).await?;
    for _ in 0..LOOKS_MAX {
        let stored = account.as_ref().map(|account| account.password_hash.as_str());
        let verdict = app.passwords.verify(Some(from), body.password.clone(), stored).await?;
        let (Some(checked), Verdict::Right { renewed }) = (account.clone(), verdict) else { break };
        let person_id = checked.person_id;
        let token = RefreshToken::first(new_id(app.clock.now()))?;
        let entry = Entry {
            visitor: visitor.clone(),
            checked,
            renewed,
            device: body.device.clone().map(Called::into_string),
            token: token.clone(),
            right: tried.right(),
        };
        let now = app.clock.now();
        if app.db.write("sign_in", move |tx| Box::pin(async move { entry.open(tx, now).await })).await? {
            app.letters_written.notify_one();
            return challenge::tokens(&app, person_id, &token).await.map(Json);
        }
        account = store::look_up(&app.db, &body.email).await?;
    }
    tried.was_wrong(account.as_ref()).await?;
    Err(Problem::new(ProblemType::SignInRefused))
}

/// Somebody whose password was right, about to be let in.
struct Entry {
    visitor: Visitor,
    checked: Account,
    /// The hash of their password, made by today's settings.
    renewed: Option<String>,
    device: Option<String>,
    token: RefreshToken,
    /// Where right passwords are counted.
    right: Bucket,
}

impl Entry {
    /// `false` if the password, or its hash, was replaced while the hash was being made.
    async fn open(self, tx: &mut Tx, now: DateTime<Utc>) -> Answer<bool> {
        let Self { visitor, checked, renewed, device, token, right } = self;
        let account = store::account_of(tx, checked.person_id).await?;
        let Some(account) = account.filter(|account| account.password_hash == checked.password_hash) else { return Ok(false) };
        let person_id = account.person_id;
        if let Some(renewed) = renewed {
            store::renew_hash(tx, person_id, &account.password_hash, &renewed).await?;
        }
        buckets::add(tx, now, vec![right]).await?;
        let is_first = !store::has_had_devices(tx, person_id).await?;
        if !store::open_device(tx, now, person_id, device.clone(), &token).await? {
            let asked = Event::of_device(token.device_id, Happened::FactorAsked);
            events::log::write(tx, now, vec![visitor.actor_of(person_id).did(asked)]).await?;
            return Ok(true);
        }
        // An address that nobody has confirmed gets codes and nothing else; a first device is no news.
        if account.verified_at.is_some() && !is_first {
            let locale = account.locale.or(visitor.language).unwrap_or(Language::En);
            outbox::write(tx, now, vec![Letter::to_person(person_id, locale, Facts::NewDevice { device, at: now })]).await?;
        }
        let signed_in = Event::of_device(token.device_id, Happened::DeviceSignedIn);
        events::log::write(tx, now, vec![visitor.actor_of(person_id).did(signed_in)]).await?;
        Ok(true)
    }
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
    // Who signs out here is known here; a device that is ended from elsewhere may be in other hands.
    let own = id == caller.device_id;
    let ended = app
        .db
        .write("sign_out", move |tx| {
            Box::pin(async move {
                let ended =
                    if own { store::sign_out(tx, now, person_id, id).await? } else { store::end_device(tx, now, person_id, id).await? };
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
