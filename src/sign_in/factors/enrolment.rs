//! One's own second factors: seen, added and confirmed, taken away; and the recovery codes.
//!
//! Whatever changes them needs the password again and, where there is a factor, the factor.

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
use super::store::{self, Begun, Factor};
use super::{FactorKind, rules, totp};
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Actor, Event, Happened};
use crate::extract::{Body, Path};
use crate::ids::new_id;
use crate::language::Language;
use crate::letters::facts::Facts;
use crate::letters::outbox::{self, Letter};
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::sign_in::password::check as check_password;
use crate::sign_in::passwords::Password;
use crate::sign_in::store::{self as accounts, Account};
use crate::sign_in::{Caller, secrets};
use crate::text::Line;
use crate::wrong::Wrong;

/// A second factor of the caller's.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SecondFactor {
    pub id: Uuid,
    pub kind: FactorKind,
    /// What the caller calls it.
    pub name: Option<String>,
    #[serde(with = "crate::instant")]
    pub created_at: DateTime<Utc>,
    /// When it was last shown.
    #[serde(with = "crate::instant")]
    pub last_used_at: Option<DateTime<Utc>>,
}

impl SecondFactor {
    /// What may be told of a factor.
    pub fn of(factor: Factor) -> Self {
        Self { id: factor.id, kind: factor.kind, name: factor.name, created_at: factor.created_at, last_used_at: factor.last_used_at }
    }

    /// Those of a person that count.
    pub async fn all_of(tx: &mut Tx, person_id: Uuid) -> Answer<Vec<Self>> {
        let factors = store::factors(tx, person_id).await?;
        Ok(factors.into_iter().filter(|factor| factor.confirmed_at.is_some()).map(Self::of).collect())
    }
}

/// What the caller can show besides the password.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecondFactors {
    /// The oldest first; those that are not confirmed yet are not among them.
    pub second_factors: Vec<SecondFactor>,
    /// How many recovery codes were not used yet.
    pub recovery_codes_left: i64,
    /// Whether the deployment, or a studio that they run, asks them for a factor. Without one, what only admins and owners may do is
    /// refused.
    pub required: bool,
}

/// The caller's second factors.
#[utoipa::path(
    get, path = "/v1/me/second-factors", operation_id = "list_second_factors",
    responses((status = 200, body = SecondFactors))
)]
pub async fn list(State(app): State<App>, caller: Caller) -> Answer<Json<SecondFactors>> {
    let mut tx = app.db.read().await?;
    let second_factors = SecondFactor::all_of(&mut tx, caller.person_id).await?;
    let recovery_codes_left = store::recovery_codes_left(&mut tx, caller.person_id).await?;
    tx.rollback().await;
    Ok(Json(SecondFactors { second_factors, recovery_codes_left, required: caller.factor_required }))
}

/// The caller's password and, if they have one, a second factor.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSecondFactor {
    pub password: Password,
    /// What it shall be called.
    pub name: Option<Line<100>>,
    /// The code of an authenticator app that counts already.
    pub totp: Option<TotpCode>,
    /// Instead: a recovery code.
    pub recovery_code: Option<RecoveryCode>,
    /// Instead: what the authenticator answers to `passkey` of `POST /v1/me/second-factors/questions`.
    pub passkey: Option<PasskeyAnswer>,
}

/// An authenticator app that waits for its first code.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthenticatorApp {
    pub id: Uuid,
    /// The secret as one types it into an app: base 32. It is not shown again.
    pub secret: String,
    /// The same for a QR code.
    pub otpauth_uri: String,
    /// Until when the first code is waited for.
    #[serde(with = "crate::instant")]
    pub confirm_until: DateTime<Utc>,
}

/// Begins to add an authenticator app. It counts once its first code is shown, within 15 minutes.
#[utoipa::path(
    post, path = "/v1/me/second-factors/totp", operation_id = "add_authenticator_app",
    request_body = NewSecondFactor,
    responses((status = 201, body = AuthenticatorApp)),
    extensions(("x-problem-types" = json!(refuses![
        AddressNotVerified, SecondFactorRefused, TooManySecondFactors, TooManyRequests
    ])))
)]
pub async fn add_totp(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<NewSecondFactor>,
) -> Answer<(StatusCode, Json<AuthenticatorApp>)> {
    caller.require_verified()?;
    let shown = Shown::of(body.totp, body.recovery_code, body.passkey)?;
    let account = check_password(&app, &caller, body.password, "password").await?;
    let (now, id) = (app.clock.now(), new_id(app.clock.now()));
    let secret = secrets::random::<{ totp::SECRET_BYTES }>()?;
    let answer = AuthenticatorApp {
        id,
        secret: totp::base32(&secret),
        otpauth_uri: totp::uri(&issuer(&app), &account.email, &secret),
        confirm_until: now + rules::ENROLMENT_LIFE,
    };
    let begun = Begun::Totp(app.keys.seal_factor(id, &secret)?);
    begin(&app, &caller, account, shown, (id, body.name, begun)).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Begins to add a factor, if one that counts already was shown.
async fn begin(
    app: &App,
    caller: &Caller,
    account: Account,
    shown: Option<Shown>,
    (id, name, begun): (Uuid, Option<Line<100>>, Begun),
) -> Answer<()> {
    let (now, device_id, inner, name) = (app.clock.now(), caller.device_id, app.clone(), name.map(Line::into_string));
    let done = app
        .db
        .write("add_second_factor", move |tx| {
            Box::pin(async move {
                let Some(factors) = admitted(tx, &inner, now, &account, device_id, shown.as_ref()).await? else { return Ok(false) };
                if factors.iter().filter(|factor| factor.confirmed_at.is_some()).count() >= rules::FACTORS_MAX {
                    return Err(Problem::new(ProblemType::TooManySecondFactors));
                }
                store::begin(tx, now, account.person_id, id, name, begun).await?;
                Ok(true)
            })
        })
        .await?;
    if done { Ok(()) } else { Err(Problem::new(ProblemType::SecondFactorRefused)) }
}

/// A passkey that waits for its authenticator.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewPasskey {
    pub id: Uuid,
    /// What `navigator.credentials.create({publicKey})` takes (`parseCreationOptionsFromJSON`).
    #[schema(value_type = Object)]
    pub options: Value,
    /// Until when the authenticator's answer is waited for.
    #[serde(with = "crate::instant")]
    pub confirm_until: DateTime<Utc>,
}

/// Begins to add a passkey. It counts once its authenticator's answer is shown, within 15 minutes.
#[utoipa::path(
    post, path = "/v1/me/second-factors/passkeys", operation_id = "add_passkey",
    request_body = NewSecondFactor,
    responses((status = 201, body = NewPasskey)),
    extensions(("x-problem-types" = json!(refuses![
        AddressNotVerified, SecondFactorRefused, TooManySecondFactors, PasskeysUnavailable, TooManyRequests
    ])))
)]
pub async fn add_passkey(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<NewSecondFactor>,
) -> Answer<(StatusCode, Json<NewPasskey>)> {
    caller.require_verified()?;
    let passkeys = app.passkeys.as_ref().ok_or_else(|| Problem::new(ProblemType::PasskeysUnavailable))?;
    let shown = Shown::of(body.totp, body.recovery_code, body.passkey)?;
    let account = check_password(&app, &caller, body.password, "password").await?;
    let known = store::look_up(&app.db, caller.person_id).await?.into_iter().filter_map(|factor| factor.passkey);
    let known: Vec<Passkey> = known.map(|Column(passkey)| passkey).collect();
    let (options, asked) = passkeys.ask_for_new(account.person_id, &account.email, &account.name, &known)?;
    let (now, id) = (app.clock.now(), new_id(app.clock.now()));
    begin(&app, &caller, account, shown, (id, body.name, Begun::Passkey(asked))).await?;
    Ok((StatusCode::CREATED, Json(NewPasskey { id, options, confirm_until: now + rules::ENROLMENT_LIFE })))
}

/// Whom an authenticator app names beside the account: the host at which people reach this.
fn issuer(app: &App) -> String {
    let url = url::Url::parse(&app.settings.server.public_url).ok();
    url.as_ref().and_then(url::Url::host_str).unwrap_or("Relevé").to_owned()
}

/// The person's factors, under the lock of their account; `None` unless one of them was shown, where there is one that counts. A wrong
/// one was counted.
async fn admitted(
    tx: &mut Tx,
    app: &App,
    now: DateTime<Utc>,
    checked: &Account,
    device_id: Uuid,
    shown: Option<&Shown>,
) -> Answer<Option<Vec<Factor>>> {
    let account = accounts::account_of(tx, checked.person_id).await?;
    if account.is_none_or(|account| account.password_hash != checked.password_hash) {
        return Err(Problem::field("password", Wrong::NotYourPassword));
    }
    let factors = store::factors(tx, checked.person_id).await?;
    if factors.iter().any(|factor| factor.confirmed_at.is_some()) {
        let shown = shown.ok_or_else(|| Problem::field("totp", Wrong::OneProof))?;
        if !proof::check(tx, app, now, checked.person_id, device_id, shown).await? {
            return Ok(None);
        }
    }
    Ok(Some(factors))
}

/// The first code of an authenticator app, or the answer of a passkey's authenticator.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstProof {
    pub totp: Option<TotpCode>,
    pub passkey: Option<PasskeyAnswer>,
}

/// A second factor that counts now.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConfirmedFactor {
    pub second_factor: SecondFactor,
    /// With the first factor: ten codes for whoever loses it, each good for once. They are shown this once.
    pub recovery_codes: Option<Vec<String>>,
}

/// What the first code came to.
enum First {
    NotFound,
    Wrong,
    Counts { factor: SecondFactor, recovery_codes: Option<Vec<String>> },
}

/// Shows the first code of an authenticator app, or the answer of a passkey's authenticator: from now on it counts. The first factor signs all other devices out and brings the
/// recovery codes.
#[utoipa::path(
    put, path = "/v1/me/second-factors/{id}/confirmation", operation_id = "confirm_second_factor",
    params(("id" = Uuid, Path)), request_body = FirstProof,
    responses((status = 200, body = ConfirmedFactor)),
    extensions(("x-problem-types" = json!(refuses![SecondFactorRefused])))
)]
pub async fn confirm(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Body(body): Body<FirstProof>,
) -> Answer<Json<ConfirmedFactor>> {
    let shown = Shown::needed(body.totp, None, body.passkey)?;
    let (now, person_id, inner) = (app.clock.now(), caller.person_id, app.clone());
    let first = app
        .db
        .write("confirm_second_factor", move |tx| Box::pin(async move { confirmed(tx, &inner, now, &caller, id, &shown).await }))
        .await?;
    match first {
        First::NotFound => Err(Problem::new(ProblemType::NotFound)),
        First::Wrong => Err(Problem::new(ProblemType::SecondFactorRefused)),
        First::Counts { factor, recovery_codes } => {
            app.identities.forget_person(person_id);
            app.letters_written.notify_one();
            Ok(Json(ConfirmedFactor { second_factor: factor, recovery_codes }))
        }
    }
}

async fn confirmed(tx: &mut Tx, app: &App, now: DateTime<Utc>, caller: &Caller, id: Uuid, shown: &Shown) -> Answer<First> {
    let person_id = caller.person_id;
    let Some(account) = accounts::account_of(tx, person_id).await? else { return Ok(First::NotFound) };
    let factors = store::factors(tx, person_id).await?;
    let had_one = factors.iter().any(|factor| factor.confirmed_at.is_some());
    let Some(mut factor) = factors.into_iter().find(|factor| factor.id == id) else { return Ok(First::NotFound) };
    if factor.confirmed_at.is_some() {
        // The answer was lost; the codes were shown, or can be renewed.
        return Ok(First::Counts { factor: SecondFactor::of(factor), recovery_codes: None });
    }
    if !rules::is_open(factor.created_at, rules::ENROLMENT_LIFE, factor.tries, rules::ENROLMENT_TRIES_MAX, now) {
        return Ok(First::NotFound);
    }
    if !is_first_proof(tx, app, now, &factor, shown).await? {
        store::count_try(tx, id).await?;
        return Ok(First::Wrong);
    }
    factor.last_used_at = Some(now);
    let recovery_codes = if had_one {
        None
    } else {
        // Whoever was signed in by the password alone shall sign in again.
        accounts::end_devices(tx, now, person_id, Some(caller.device_id)).await?;
        Some(give_recovery_codes(tx, now, person_id).await?)
    };
    let facts = Facts::SecondFactorAdded { factor: factor.kind, at: now };
    tell(tx, now, &account, caller.language, facts).await?;
    note(tx, now, &caller.actor(), person_id, Happened::FactorAdded { kind: factor.kind }).await?;
    Ok(First::Counts { factor: SecondFactor::of(factor), recovery_codes })
}

/// Whether this confirms the factor; if so, it counts.
async fn is_first_proof(tx: &mut Tx, app: &App, now: DateTime<Utc>, factor: &Factor, shown: &Shown) -> Answer<bool> {
    match (factor.kind, shown) {
        (FactorKind::Totp, Shown::Totp(code)) => {
            let secret = proof::secret_of(&app.keys, factor)?;
            let Some(step) = totp::step_of(&secret, code.as_str(), now, None) else { return Ok(false) };
            store::confirm(tx, now, factor.id, step).await?;
        }
        (FactorKind::Passkey, Shown::Passkey(answer)) => {
            let (Some(passkeys), Some(Column(asked))) = (&app.passkeys, &factor.asked) else { return Ok(false) };
            let Some(passkey) = passkeys.new_passkey(answer, asked) else { return Ok(false) };
            if store::is_known(tx, &passkey).await? {
                return Ok(false);
            }
            store::confirm_passkey(tx, now, factor.id, &passkey).await?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// New recovery codes, in the place of those before.
async fn give_recovery_codes(tx: &mut Tx, now: DateTime<Utc>, person_id: Uuid) -> Answer<Vec<String>> {
    let codes = (0..rules::RECOVERY_CODES).map(|_| secrets::long_code()).collect::<Answer<Vec<_>>>()?;
    let hashes = codes.iter().map(|code| secrets::hash(secrets::plain_code(code).as_bytes())).collect();
    store::replace_recovery_codes(tx, now, person_id, hashes).await?;
    Ok(codes)
}

async fn tell(tx: &mut Tx, now: DateTime<Utc>, account: &Account, asked: Option<Language>, facts: Facts) -> Answer<()> {
    let locale = account.locale.or(asked).unwrap_or(Language::En);
    outbox::write(tx, now, vec![Letter::to_person(account.person_id, locale, facts)]).await?;
    Ok(())
}

async fn note(tx: &mut Tx, now: DateTime<Utc>, actor: &Actor, person_id: Uuid, what: Happened) -> Answer<()> {
    events::log::write(tx, now, vec![actor.did(Event::of_person(person_id, what))]).await?;
    Ok(())
}

/// The caller's password and a second factor.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordAndFactor {
    pub password: Password,
    /// The code that an authenticator app shows.
    pub totp: Option<TotpCode>,
    /// Instead: a recovery code.
    pub recovery_code: Option<RecoveryCode>,
    /// Instead: what the authenticator answers to `passkey` of `POST /v1/me/second-factors/questions`.
    pub passkey: Option<PasskeyAnswer>,
}

/// What became of a call that needed a factor.
enum Done<T> {
    NotFound,
    Wrong,
    Yes(T),
}

impl<T> Done<T> {
    fn answer(self) -> Answer<T> {
        match self {
            Self::NotFound => Err(Problem::new(ProblemType::NotFound)),
            Self::Wrong => Err(Problem::new(ProblemType::SecondFactorRefused)),
            Self::Yes(what) => Ok(what),
        }
    }
}

/// Takes a second factor away. With the last one the recovery codes go too.
#[utoipa::path(
    put, path = "/v1/me/second-factors/{id}/removal", operation_id = "remove_second_factor",
    params(("id" = Uuid, Path)), request_body = PasswordAndFactor,
    responses((status = 204, description = "It counts no more")),
    extensions(("x-problem-types" = json!(refuses![SecondFactorRefused, TooManyRequests])))
)]
pub async fn remove(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Body(body): Body<PasswordAndFactor>,
) -> Answer<StatusCode> {
    let shown = Shown::of(body.totp, body.recovery_code, body.passkey)?;
    let account = check_password(&app, &caller, body.password, "password").await?;
    let (now, person_id, device_id, inner) = (app.clock.now(), caller.person_id, caller.device_id, app.clone());
    let done = app
        .db
        .write("remove_second_factor", move |tx| {
            Box::pin(async move {
                let Some(factors) = admitted(tx, &inner, now, &account, device_id, shown.as_ref()).await? else { return Ok(Done::Wrong) };
                let Some(factor) = factors.iter().find(|factor| factor.id == id) else { return Ok::<_, Problem>(Done::NotFound) };
                store::remove(tx, person_id, id).await?;
                if factor.confirmed_at.is_none() {
                    return Ok(Done::Yes(()));
                }
                if !store::has_any(tx, person_id).await? {
                    store::remove_all(tx, person_id).await?;
                }
                tell(tx, now, &account, caller.language, Facts::SecondFactorRemoved { all_by_staff: false, at: now }).await?;
                note(tx, now, &caller.actor(), person_id, Happened::FactorRemoved { kind: factor.kind }).await?;
                Ok(Done::Yes(()))
            })
        })
        .await?;
    done.answer()?;
    app.identities.forget_person(person_id);
    app.letters_written.notify_one();
    Ok(StatusCode::NO_CONTENT)
}

/// Ten recovery codes.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Each good for once. They are shown this once.
    pub recovery_codes: Vec<String>,
}

/// New recovery codes: those before count no more.
#[utoipa::path(
    put, path = "/v1/me/recovery-codes", operation_id = "renew_recovery_codes",
    request_body = PasswordAndFactor,
    responses((status = 200, body = RecoveryCodes)),
    extensions(("x-problem-types" = json!(refuses![NotFound, SecondFactorRefused, TooManyRequests])))
)]
pub async fn renew_codes(State(app): State<App>, caller: Caller, Body(body): Body<PasswordAndFactor>) -> Answer<Json<RecoveryCodes>> {
    let shown = Shown::of(body.totp, body.recovery_code, body.passkey)?;
    let account = check_password(&app, &caller, body.password, "password").await?;
    let (now, person_id, device_id, inner) = (app.clock.now(), caller.person_id, caller.device_id, app.clone());
    let done = app
        .db
        .write("renew_recovery_codes", move |tx| {
            Box::pin(async move {
                let Some(factors) = admitted(tx, &inner, now, &account, device_id, shown.as_ref()).await? else { return Ok(Done::Wrong) };
                if factors.iter().all(|factor| factor.confirmed_at.is_none()) {
                    return Ok::<_, Problem>(Done::NotFound);
                }
                let codes = give_recovery_codes(tx, now, person_id).await?;
                note(tx, now, &caller.actor(), person_id, Happened::RecoveryCodesRenewed).await?;
                Ok(Done::Yes(codes))
            })
        })
        .await?;
    Ok(Json(RecoveryCodes { recovery_codes: done.answer()? }))
}
