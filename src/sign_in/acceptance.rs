//! Accepting an invitation to a studio's staff. The code came by mail: whoever shows it has that address.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::limits::Limit;
use super::passwords::NewPassword;
use super::secrets::{self, RefreshToken};
use super::store::{self, Account, Invitation, NewAccount};
use super::tokens::Tokens;
use super::verification::confirm;
use super::{Visitor, rules};
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Event, Happened, Subject};
use crate::extract::Body;
use crate::ids::new_id;
use crate::language::Language;
use crate::letters::facts::Facts;
use crate::letters::outbox::{self, Letter};
use crate::people::store as people;
use crate::problem::{Answer, FieldError, Problem, ProblemType, refuses};
use crate::text::{Email, Line, Name};
use crate::wrong::Wrong;

/// How long the same code answers again after it was accepted.
const AGAIN: TimeDelta = rules::CODE_LIFE;

/// The code of an invitation and, from somebody who has no account yet, a name and a password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InvitationAcceptance)]
pub struct Acceptance {
    /// The code of the letter.
    #[schema(value_type = String, example = "7K3M-9QXT-2B4C-HN8P")]
    pub code: Line<60>,
    /// Their name: needed without an account.
    pub name: Option<Name>,
    /// Their password: needed without an account; that of an account stays as it is.
    pub password: Option<NewPassword>,
}

/// Whose code it was, before and after.
struct Accepted {
    before: Uuid,
    person_id: Uuid,
}

/// Joins a studio's staff, and signs this device in.
#[utoipa::path(
    put, path = "/v1/invitations/acceptance", operation_id = "accept_invitation",
    request_body = Acceptance,
    responses((status = 200, body = Tokens)),
    extensions(("x-problem-types" = json!(refuses![CodeRefused, TooManyRequests])))
)]
pub async fn accept(State(app): State<App>, visitor: Visitor, Body(body): Body<Acceptance>) -> Answer<Json<Tokens>> {
    app.limits.ask(Limit::FailuresFrom, visitor.from)?;
    let (now, from) = (app.clock.now(), visitor.from);
    let code_hash = secrets::hash(secrets::plain_code(body.code.as_str()).as_bytes());
    let refused = || {
        app.limits.take(Limit::FailuresFrom, from)?;
        Err(Problem::new(ProblemType::CodeRefused))
    };
    // A code of 80 bits is not guessed: whoever does not have one needs no hash.
    if store::look_up_invitation(&app.db, now, &code_hash).await?.is_none() {
        return refused();
    }
    let password_hash = match body.password {
        Some(password) => Some(app.passwords.hash(password).await?),
        None => None,
    };
    let token = RefreshToken::first(new_id(now))?;
    let opened = token.clone();
    let Some(accepted) = app
        .db
        .write("accept_invitation", move |tx| {
            Box::pin(async move { accepted(tx, now, &visitor, &code_hash, body.name, password_hash, &opened).await })
        })
        .await?
    else {
        return refused();
    };
    app.identities.forget_person(accepted.before);
    app.identities.forget_person(accepted.person_id);
    app.letters_written.notify_one();
    Tokens::of(&app, accepted.person_id, &token).map(Json)
}

async fn accepted(
    tx: &mut Tx,
    now: DateTime<Utc>,
    visitor: &Visitor,
    code_hash: &[u8],
    name: Option<Name>,
    password_hash: Option<String>,
    token: &RefreshToken,
) -> Answer<Option<Accepted>> {
    let Some(known) = store::invitation(tx, now, code_hash).await? else { return Ok(None) };
    people::lock_address(tx, &known.email_key).await?;
    // Under the lock, as it is now.
    let Some(invitation) = store::invitation(tx, now, code_hash).await? else { return Ok(None) };
    if invitation.accepted_at.is_some_and(|at| now >= at + AGAIN) {
        return Ok(None);
    }
    let account = match invitation.accepted_by {
        Some(person_id) => store::account_of(tx, person_id).await?,
        None => store::account_with_key(tx, &invitation.email_key).await?,
    };
    let is_new = invitation.accepted_at.is_none();
    let (before, person_id, tell) = match account {
        Some(account) if account.verified_at.is_some() => {
            (account.person_id, account.person_id, is_new.then(|| account.locale.or(visitor.language).unwrap_or(Language::En)))
        }
        account => {
            let (name, password_hash) = named(name, password_hash)?;
            let before = account.as_ref().map_or_else(Uuid::nil, |account| account.person_id);
            let Some(person_id) = enrolled(tx, now, visitor, &invitation, account, &name, &password_hash).await? else {
                return Ok(None);
            };
            (before, person_id, None)
        }
    };
    let actor = visitor.actor_of(person_id);
    let mut entries = vec![actor.did(Event::of_device(token.device_id, Happened::DeviceSignedIn))];
    if is_new {
        people::give_roles(tx, now, invitation.studio_id, person_id, &invitation.roles).await?;
        store::accept_invitation(tx, now, invitation.id, person_id).await?;
        let what = Happened::StaffJoined { invitation: invitation.id, roles: invitation.roles.0.clone() };
        entries.push(actor.did(Event::in_studio(invitation.studio_id, Subject::Person, person_id, what)));
    }
    store::open_device(tx, now, person_id, None, token).await?;
    if let Some(locale) = tell {
        outbox::write(tx, now, vec![Letter::to_person(person_id, locale, Facts::NewDevice { device: None, at: now })]).await?;
    }
    events::log::write(tx, now, entries).await?;
    Ok(Some(Accepted { before, person_id }))
}

/// Both are needed of somebody who has no account.
fn named(name: Option<Name>, password_hash: Option<String>) -> Answer<(Name, String)> {
    let needed = |field: &str| FieldError { field: field.into(), wrong: Wrong::NeededWithoutAccount };
    match (name, password_hash) {
        (Some(name), Some(password_hash)) => Ok((name, password_hash)),
        (name, password_hash) => {
            let missing = [name.is_none().then(|| needed("name")), password_hash.is_none().then(|| needed("password"))];
            Err(Problem::fields(missing.into_iter().flatten().collect()))
        }
    }
}

/// The invited address gets a verified account, whoever may have registered it before without showing that it is theirs.
async fn enrolled(
    tx: &mut Tx,
    now: DateTime<Utc>,
    visitor: &Visitor,
    invitation: &Invitation,
    account: Option<Account>,
    name: &Name,
    password_hash: &str,
) -> Answer<Option<Uuid>> {
    let email = Email::parse(&invitation.email).map_err(Problem::fault)?;
    let new = |person_id| NewAccount {
        person_id,
        email: email.as_str(),
        email_key: &invitation.email_key,
        password_hash,
        verified_at: None,
        policy_version: None,
    };
    let person_id = match account {
        Some(account) => {
            people::rename(tx, account.person_id, name, visitor.language).await?;
            store::register_again(tx, now, new(account.person_id)).await?;
            store::end_devices(tx, now, account.person_id, None).await?;
            store::end_codes(tx, now, account.person_id, None).await?;
            account.person_id
        }
        None => {
            let id = new_id(now);
            let person = people::NewPerson { id, name, email: None, shares_address: false, locale: visitor.language, verified_at: None };
            people::insert(tx, now, person).await?;
            store::insert_account(tx, now, new(id)).await?;
            id
        }
    };
    let Some(account) = store::account_of(tx, person_id).await? else { return Ok(None) };
    confirm(tx, now, account, email.as_str(), &invitation.email_key, &visitor.actor()).await
}
