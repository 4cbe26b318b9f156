//! Signing in, the second step: a device that has shown the right password shows the factor, and only then gets its tokens.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::types::Json as Column;
use utoipa::ToSchema;
use uuid::Uuid;
use webauthn_rs::prelude::Passkey;

use super::proof::{self, PasskeyAnswer, RecoveryCode, Shown, TotpCode};
use super::{FactorKind, ProofKind, rules};
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Event, Happened};
use crate::extract::Body;
use crate::language::Language;
use crate::letters::facts::Facts;
use crate::letters::outbox::{self, Letter};
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::sign_in::limits::Limit;
use crate::sign_in::secrets::{self, RefreshToken};
use crate::sign_in::tokens::Tokens;
use crate::sign_in::{Caller, Visitor, store};

/// The tokens of a device that was just opened; or, where its person has a second factor, the challenge to show it. Every way to sign in
/// ends here. The challenge is what the device would refresh with, and is worth nothing for that: the factor brings another.
pub async fn tokens(app: &App, person_id: Uuid, opened: &RefreshToken) -> Answer<Tokens> {
    if !store::look_up_awaits_factor(&app.db, opened.device_id).await? {
        return Tokens::of(app, person_id, opened);
    }
    let asked = ask(app, person_id, opened.device_id).await?;
    let needed = Problem::new(ProblemType::SecondFactorNeeded).with("challenge", opened.text()).with("kinds", asked.kinds);
    Err(needed.with("expires_in", asked.expires_in).with("passkey", asked.passkey))
}

/// What can be shown, and what an authenticator is asked.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecondFactorQuestion {
    /// What can be shown.
    pub kinds: Vec<ProofKind>,
    /// Where there is a passkey: what `navigator.credentials.get({publicKey})` takes (`parseRequestOptionsFromJSON`).
    #[schema(value_type = Option<Object>)]
    pub passkey: Option<Value>,
    /// For how many seconds the answer counts.
    pub expires_in: i64,
}

/// Asks for a factor on this device.
async fn ask(app: &App, person_id: Uuid, device_id: Uuid) -> Answer<SecondFactorQuestion> {
    let factors = super::store::look_up(&app.db, person_id).await?;
    let (mut kinds, mut passkey) = (Vec::new(), None);
    let known: Vec<Passkey> = factors.iter().filter_map(|factor| factor.passkey.as_ref()).map(|Column(passkey)| passkey.clone()).collect();
    if let Some(passkeys) = app.passkeys.as_ref().filter(|_| !known.is_empty()) {
        let (question, asked) = passkeys.ask_for(&known)?;
        let now = app.clock.now();
        app.db
            .write("ask_passkey", move |tx| {
                Box::pin(async move { store::ask_passkey(tx, now, device_id, asked).await.map_err(Problem::from) })
            })
            .await?;
        kinds.push(ProofKind::Passkey);
        passkey = Some(question);
    }
    if factors.iter().any(|factor| factor.kind == FactorKind::Totp) {
        kinds.push(ProofKind::Totp);
    }
    if !factors.is_empty() {
        kinds.push(ProofKind::RecoveryCode);
    }
    Ok(SecondFactorQuestion { kinds, passkey, expires_in: rules::CHALLENGE_LIFE.num_seconds() })
}

/// Asks the caller for a second factor, for a call that needs one beside the password. Only a passkey has to be asked for.
#[utoipa::path(
    post, path = "/v1/me/second-factors/questions", operation_id = "ask_second_factor",
    responses((status = 201, body = SecondFactorQuestion))
)]
pub async fn question(State(app): State<App>, caller: Caller) -> Answer<(StatusCode, Json<SecondFactorQuestion>)> {
    Ok((StatusCode::CREATED, Json(ask(&app, caller.person_id, caller.device_id).await?)))
}

/// The challenge, and one of the factors.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecondFactorSignIn)]
pub struct SecondStep {
    /// That of the refusal `/problems/second-factor-needed`.
    pub challenge: String,
    /// The code that the authenticator app shows.
    pub totp: Option<TotpCode>,
    /// Instead: one of the recovery codes, good for once.
    pub recovery_code: Option<RecoveryCode>,
    /// Instead: what the authenticator answers to `passkey` of the refusal.
    pub passkey: Option<PasskeyAnswer>,
}

/// What the step came to.
enum Step {
    /// The challenge is none, or no longer one.
    Over,
    /// Not the person's factor.
    Wrong,
    In {
        person_id: Uuid,
    },
}

/// Signs a device in whose password was right, by a second factor. A challenge lives for five minutes and hears five wrong codes; then one
/// signs in again. No code counts twice.
#[utoipa::path(
    post, path = "/v1/tokens/second-factor", operation_id = "sign_in_with_second_factor",
    request_body = SecondStep,
    responses((status = 200, body = Tokens)),
    extensions(("x-problem-types" = json!(refuses![TokenRefused, SecondFactorRefused, TooManyRequests])))
)]
pub async fn show(State(app): State<App>, visitor: Visitor, Body(body): Body<SecondStep>) -> Answer<Json<Tokens>> {
    app.limits.ask(Limit::FailuresFrom, visitor.from)?;
    let (now, from) = (app.clock.now(), visitor.from);
    let shown = Shown::needed(body.totp, body.recovery_code, body.passkey)?;
    let failed = |why| {
        app.limits.take(Limit::FailuresFrom, from)?;
        Err(Problem::new(why))
    };
    let Some(challenge) = RefreshToken::parse(&body.challenge) else { return failed(ProblemType::TokenRefused) };
    // Nothing that was told before the factor was shown is a part of it.
    let token = RefreshToken::first(challenge.device_id)?;
    let (inner, opened) = (app.clone(), token.clone());
    let step = app
        .db
        .write("second_factor", move |tx| Box::pin(async move { stepped(tx, &inner, now, &visitor, &challenge, &shown, &opened).await }))
        .await?;
    match step {
        Step::Over => failed(ProblemType::TokenRefused),
        Step::Wrong => failed(ProblemType::SecondFactorRefused),
        Step::In { person_id } => {
            app.identities.forget_device(token.device_id);
            app.letters_written.notify_one();
            Tokens::of(&app, person_id, &token).map(Json)
        }
    }
}

async fn stepped(
    tx: &mut Tx,
    app: &App,
    now: DateTime<Utc>,
    visitor: &Visitor,
    challenge: &RefreshToken,
    shown: &Shown,
    token: &RefreshToken,
) -> Answer<Step> {
    let Some(person_id) = store::person_of_device(tx, challenge.device_id).await? else { return Ok(Step::Over) };
    let Some(account) = store::account_of(tx, person_id).await? else { return Ok(Step::Over) };
    // Under the account's lock: a new password, or another step, has ended it or has not.
    let Some(device) = store::hold_chain(tx, challenge.device_id).await? else { return Ok(Step::Over) };
    let is_its_own =
        secrets::same(&challenge.family_hash(), &device.family_hash) & secrets::same(&challenge.own_hash(), &device.current_hash);
    let (since, tries) = (device.created_at, device.factor_tries);
    let is_open = rules::is_open(since, rules::CHALLENGE_LIFE, tries, rules::CHALLENGE_TRIES_MAX, now);
    if !is_its_own || !device.awaits_factor || device.has_ended() || !is_open {
        return Ok(Step::Over);
    }
    let actor = visitor.actor_of(person_id);
    if !proof::check(tx, app, now, person_id, challenge.device_id, shown).await? {
        store::count_factor_try(tx, challenge.device_id).await?;
        events::log::write(tx, now, vec![actor.did(Event::of_device(challenge.device_id, Happened::FactorRefused))]).await?;
        return Ok(Step::Wrong);
    }
    let is_first = !store::has_had_devices(tx, person_id).await?;
    store::admit_device(tx, now, person_id, token).await?;
    if account.verified_at.is_some() && !is_first {
        let locale = account.locale.or(visitor.language).unwrap_or(Language::En);
        let facts = Facts::NewDevice { device: device.name, at: now };
        outbox::write(tx, now, vec![Letter::to_person(person_id, locale, facts)]).await?;
    }
    events::log::write(tx, now, vec![actor.did(Event::of_device(token.device_id, Happened::DeviceSignedIn))]).await?;
    Ok(Step::In { person_id })
}
