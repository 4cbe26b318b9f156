//! Accepting an invitation to a studio's staff. The code came by mail: whoever shows it has that mailbox, for two weeks perhaps. It opens no
//! account that there is already: that takes the account's access token or password besides. And it gives roles only if whoever sent it
//! may still give them (`people::join_staff`).

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::factors::challenge;
use super::limits::Limit;
use super::password::check_personal;
use super::passwords::{NewPassword, Password, Verdict};
use super::secrets::{self, RefreshToken};
use super::store::{self, Account, Invitation, NewAccount};
use super::tokens::Tokens;
use super::tries::{Place, Try};
use super::verification::{Registrant, confirm};
use super::{Caller, Visitor, rules};
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Event, Happened};
use crate::extract::Body;
use crate::ids::new_id;
use crate::language::Language;
use crate::letters::facts::Facts;
use crate::letters::outbox::{self, Letter};
use crate::people::store as people;
use crate::problem::{Answer, FieldError, Problem, ProblemType, refuses};
use crate::text::{Email, Line, Name};
use crate::transactor::Command;
use crate::wrong::Wrong;

/// How long the same code answers again after it was accepted.
const AGAIN: TimeDelta = rules::CODE_LIFE;

/// The code of an invitation with a name and a password, or with what shows that the account of the invited address is the caller's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InvitationAcceptance)]
pub struct Acceptance {
    /// The code of the letter.
    #[schema(value_type = String, example = "7K3M-9QXT-2B4C-HN8P")]
    pub code: Line<60>,
    /// Their name: needed without an account; that of an account stays as it is.
    pub name: Option<Name>,
    /// Without an account: the password that they choose, 10 to 128 characters, none of the common ones. With an account: its password,
    /// unless its access token is sent.
    pub password: Option<Password>,
}

/// Who accepts, as far as it is known before anything is written.
enum Entry {
    /// Somebody without an account, who chose a name and a password.
    New { name: Name, password_hash: String },
    /// Somebody who is signed in, on this device.
    SignedIn { person_id: Uuid, device_id: Uuid },
    /// Somebody who knows the account's password, as it was stored.
    Knows { person_id: Uuid, password_hash: String },
}

/// Whose invitation it was.
struct Entered {
    invitation: Invitation,
    person_id: Uuid,
    /// The device on which they are signed in already.
    device_id: Option<Uuid>,
    /// In which language they are told of a new device, if they are.
    tell: Option<Language>,
}

/// Joins a studio's staff, and signs this device in. If the invited address has an account, its access token or its password is needed
/// besides the code.
#[utoipa::path(
    put, path = "/v1/invitations/acceptance", operation_id = "accept_invitation",
    request_body = Acceptance,
    responses((status = 200, body = Tokens)),
    extensions(("x-problem-types" = json!(refuses![
        CodeRefused, InvitationVoid, SignInRequired, SignInRefused, SecondFactorNeeded, NotAllowed, TooManyRequests
    ])))
)]
pub async fn accept(
    State(app): State<App>,
    visitor: Visitor,
    caller: Option<Caller>,
    Body(body): Body<Acceptance>,
) -> Answer<Json<Tokens>> {
    app.limits.ask(Limit::FailuresFrom, visitor.from)?;
    let (now, from) = (app.clock.now(), visitor.from);
    let code_hash = hash_of(body.code.as_str());
    let refused = || {
        app.limits.take(Limit::FailuresFrom, from)?;
        Err(Problem::new(ProblemType::CodeRefused))
    };
    // A code of 80 bits is not guessed: whoever does not have one needs no hash, and whoever has one may know whether there is an account.
    let Some(invitation) = store::look_up_invitation(&app.db, now, &code_hash).await? else { return refused() };
    let entry = match store::look_up_invited(&app.db, &invitation).await? {
        Some(account) => holder(&app, &visitor, caller, account, body.password).await?,
        None => newcomer(&app, &visitor, &invitation, body).await?,
    };
    let asks = visitor.clone();
    let Some(Entered { invitation, person_id, device_id, tell }) =
        app.db.write("accept_invitation", move |tx| Box::pin(async move { entered(tx, now, &asks, &code_hash, entry).await })).await?
    else {
        return refused();
    };
    app.transactor.submit(visitor.actor_of(person_id), Command::JoinStaff { invitation_id: invitation.id, person_id }).await?;
    let token = RefreshToken::first(device_id.unwrap_or_else(|| new_id(now)))?;
    let opened = token.clone();
    app.db
        .write("sign_in", move |tx| {
            Box::pin(async move { signed_in(tx, now, &visitor, person_id, device_id.is_some(), tell, &opened).await })
        })
        .await?;
    app.identities.forget_person(person_id);
    app.letters_written.notify_one();
    challenge::tokens(&app, person_id, &token).await.map(Json)
}

/// The studio to whose staff this code invites, or invited those who have just accepted.
pub async fn studio_of(app: &App, code: &str) -> Answer<Option<Uuid>> {
    let invitation = store::look_up_invitation(&app.db, app.clock.now(), &hash_of(code)).await?;
    Ok(invitation.map(|invitation| invitation.studio_id))
}

fn hash_of(code: &str) -> Vec<u8> {
    secrets::hash(secrets::plain_code(code).as_bytes())
}

/// The account is the caller's, as its token or its password shows.
async fn holder(app: &App, visitor: &Visitor, caller: Option<Caller>, account: Account, password: Option<Password>) -> Answer<Entry> {
    let Some(password) = password else {
        return match caller {
            Some(Caller { person_id, device_id, .. }) if person_id == account.person_id => Ok(Entry::SignedIn { person_id, device_id }),
            Some(_) => Err(Problem::new(ProblemType::NotAllowed)),
            None => Err(Problem::new(ProblemType::SignInRequired)),
        };
    };
    let place = match &caller {
        Some(caller) if caller.person_id == account.person_id => Place::Known(caller.device_id),
        _ => Place::Strange(visitor.from),
    };
    // Without a verdict nothing was tried.
    let tried = Try::begin(app, &account.email_key, place).await?;
    match app.passwords.verify(Some(visitor.from), password, Some(&account.password_hash)).await? {
        Verdict::Right { .. } => tried.was_right().await?,
        Verdict::Wrong => {
            tried.was_wrong(Some(&account)).await?;
            return Err(Problem::new(ProblemType::SignInRefused));
        }
    }
    Ok(Entry::Knows { person_id: account.person_id, password_hash: account.password_hash })
}

/// Both are needed of somebody who has no account.
async fn newcomer(app: &App, visitor: &Visitor, invitation: &Invitation, body: Acceptance) -> Answer<Entry> {
    let needed = |field: &str| FieldError { field: field.into(), wrong: Wrong::NeededWithoutAccount };
    match (body.name, body.password) {
        (Some(name), Some(password)) => {
            let password = NewPassword::chosen(password).map_err(|wrong| Problem::field("password", wrong))?;
            check_personal(&app.db, "password", &password, &[&invitation.email, name.as_str()]).await?;
            Ok(Entry::New { name, password_hash: app.passwords.hash_for(Some(visitor.from), password).await? })
        }
        (name, password) => {
            let missing = [name.is_none().then(|| needed("name")), password.is_none().then(|| needed("password"))];
            Err(Problem::fields(missing.into_iter().flatten().collect()))
        }
    }
}

/// Who accepts has an account after this. `None` if the code no longer counts, or not for who shows it.
async fn entered(tx: &mut Tx, now: DateTime<Utc>, visitor: &Visitor, code_hash: &[u8], entry: Entry) -> Answer<Option<Entered>> {
    let Some(known) = store::invitation(tx, now, code_hash).await? else { return Ok(None) };
    people::lock_address(tx, &known.email_key).await?;
    // Under the lock, as it is now.
    let Some(invitation) = store::invitation(tx, now, code_hash).await? else { return Ok(None) };
    if invitation.accepted_at.is_some_and(|at| now >= at + AGAIN) {
        return Ok(None);
    }
    let is_new = invitation.accepted_at.is_none();
    if is_new && !may_still_be_given(tx, &invitation).await? {
        return Err(Problem::new(ProblemType::InvitationVoid));
    }
    let account = store::invited(tx, &invitation).await?;
    let language = |account: &Account| account.locale.or(visitor.language).unwrap_or(Language::En);
    let (person_id, device_id, tell) = match (entry, account) {
        (Entry::New { name, password_hash }, None) => {
            let Some(person_id) = enrolled(tx, now, visitor, &invitation, &name, &password_hash).await? else { return Ok(None) };
            (person_id, None, None)
        }
        (Entry::SignedIn { person_id, device_id }, Some(account)) if account.person_id == person_id => (person_id, Some(device_id), None),
        (Entry::Knows { person_id, password_hash }, Some(account))
            if account.person_id == person_id && account.password_hash == password_hash =>
        {
            (person_id, None, is_new.then(|| language(&account)))
        }
        // Somebody else confirmed the address, or chose another password, while this one's hash was made.
        _ => return Ok(None),
    };
    if let Some(device_id) = device_id
        && !store::is_signed_in(tx, person_id, device_id).await?
    {
        return Err(Problem::new(ProblemType::TokenRefused));
    }
    Ok(Some(Entered { invitation, person_id, device_id, tell }))
}

/// Looked at before an account is made for it; what counts is what `people::join_staff` sees.
async fn may_still_be_given(tx: &mut Tx, invitation: &Invitation) -> Answer<bool> {
    let inviters = people::among(tx, &[invitation.invited_by]).await?;
    Ok(inviters.iter().any(|inviter| inviter.roles.may_give(invitation.studio_id, &invitation.roles)))
}

/// The invited address gets a verified account, whoever may have registered it before without showing that it is theirs.
async fn enrolled(
    tx: &mut Tx,
    now: DateTime<Utc>,
    visitor: &Visitor,
    invitation: &Invitation,
    name: &Name,
    password_hash: &str,
) -> Answer<Option<Uuid>> {
    let email = Email::parse(&invitation.email).map_err(Problem::fault)?;
    let id = new_id(now);
    let person = people::NewPerson { id, name, email: None, shares_address: false, locale: visitor.language, verified_at: None };
    people::insert(tx, now, person).await?;
    let account = NewAccount {
        person_id: id,
        email: email.as_str(),
        email_key: &invitation.email_key,
        password_hash,
        policy_version: None,
        registration_hash: None,
    };
    store::insert_account(tx, now, account).await?;
    let Some(account) = store::account_of(tx, id).await? else { return Ok(None) };
    confirm(tx, now, account, email.as_str(), &invitation.email_key, Registrant::Holder, &visitor.actor()).await
}

async fn signed_in(
    tx: &mut Tx,
    now: DateTime<Utc>,
    visitor: &Visitor,
    person_id: Uuid,
    is_signed_in: bool,
    tell: Option<Language>,
    token: &RefreshToken,
) -> Answer<()> {
    if is_signed_in {
        let renewed = store::renew_device(tx, now, person_id, token).await?;
        return if renewed { Ok(()) } else { Err(Problem::new(ProblemType::TokenRefused)) };
    }
    let signed_in = store::open_device(tx, now, person_id, None, token).await?;
    if let Some(locale) = tell.filter(|_| signed_in) {
        outbox::write(tx, now, vec![Letter::to_person(person_id, locale, Facts::NewDevice { device: None, at: now })]).await?;
    }
    let what = if signed_in { Happened::DeviceSignedIn } else { Happened::FactorAsked };
    let entry = visitor.actor_of(person_id).did(Event::of_device(token.device_id, what));
    events::log::write(tx, now, vec![entry]).await?;
    Ok(())
}
