//! A new password: by a mailed code when it is forgotten, or by the old one.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::buckets::{self, Asker};
use super::keys::Keys;
use super::limits::Limit;
use super::passwords::{NewPassword, Password, Verdict};
use super::store::{self, Account, Purpose, counts};
use super::tries::{Place, Try};
use super::verification::{CodeRequest, Registrant, confirm, send_code};
use super::{Caller, Nothing, Visitor, codes};
use crate::app::App;
use crate::db::{Db, Tx};
use crate::events::{self, Actor, Event, Happened};
use crate::extract::Body;
use crate::language::Language;
use crate::letters::facts::Facts;
use crate::letters::outbox::{self, Letter};
use crate::people::store as people;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::studios;
use crate::text::{Email, Line};
use crate::wrong::Wrong;

/// Mails a code with which a forgotten password is replaced. The answer is the same for an address that has no account.
#[utoipa::path(
    post, path = "/v1/password-resets", operation_id = "request_password_reset",
    request_body = CodeRequest,
    responses((status = 202, description = "If there is an account, a letter is on its way", body = Nothing)),
    extensions(("x-problem-types" = json!(refuses![TooManyRequests])))
)]
pub async fn request_reset(State(app): State<App>, visitor: Visitor, Body(body): Body<CodeRequest>) -> Answer<(StatusCode, Json<Nothing>)> {
    send_code(&app, visitor, Purpose::Password, &body.email).await?;
    Ok((StatusCode::ACCEPTED, Json(Nothing {})))
}

/// A code and the password that shall count from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordReset)]
pub struct Reset {
    pub email: Email,
    /// The code of the letter: eight digits.
    #[schema(value_type = String, example = "40718265")]
    pub code: Line<40>,
    /// The new password.
    pub password: NewPassword,
}

/// Replaces a forgotten password and signs all devices out.
#[utoipa::path(
    put, path = "/v1/password-resets", operation_id = "reset_password",
    request_body = Reset,
    responses((status = 204, description = "The new password counts")),
    extensions(("x-problem-types" = json!(refuses![CodeRefused, TooManyRequests])))
)]
pub async fn reset(State(app): State<App>, visitor: Visitor, Body(body): Body<Reset>) -> Answer<StatusCode> {
    let email_key = body.email.key();
    visitor.means(&email_key);
    app.limits.ask(Limit::FailuresFrom, visitor.from)?;
    codes::ask(&app, Asker::Network(visitor.from), Purpose::Password, &email_key).await?;
    check_personal(&app.db, "password", &body.password, &[body.email.as_str()]).await?;
    let password_hash = app.passwords.hash_for(Some(visitor.from), body.password.clone()).await?;
    let (inner, from) = (app.clone(), visitor.from);
    let Some((before, person_id)) = app
        .db
        .write("reset_password", move |tx| {
            Box::pin(async move { replaced(tx, &inner.keys, inner.clock.now(), &visitor, &body, &password_hash).await })
        })
        .await?
    else {
        app.limits.take(Limit::FailuresFrom, from)?;
        return Err(Problem::new(ProblemType::CodeRefused));
    };
    app.identities.forget_person(before);
    app.identities.forget_person(person_id);
    app.letters_written.notify_one();
    Ok(StatusCode::NO_CONTENT)
}

/// Whose password it was, before and after an address was claimed by it; `None` if the code was not right.
async fn replaced(
    tx: &mut Tx,
    keys: &Keys,
    now: DateTime<Utc>,
    visitor: &Visitor,
    body: &Reset,
    password_hash: &str,
) -> Answer<Option<(Uuid, Uuid)>> {
    let email_key = body.email.key();
    people::lock_address(tx, &email_key).await?;
    let from = Asker::Network(visitor.from);
    let Some(code) = codes::find(tx, keys, now, Purpose::Password, &email_key, from, body.code.as_str()).await? else {
        return Ok(None);
    };
    // Unlike an address, a password is replaced once by one code.
    if code.used_at.is_some() {
        return Ok(None);
    }
    let Some(account) = store::account_of(tx, code.person_id).await? else { return Ok(None) };
    // Not before the code is known to be right: what an account's name is, is nobody's business.
    body.password.check_personal(&[&account.email, &account.name], &[]).map_err(|wrong| Problem::field("password", wrong))?;
    let (before, was_verified) = (account.person_id, account.verified_at.is_some());
    let (email, locale) = (account.email.clone(), account.locale.or(visitor.language).unwrap_or(Language::En));
    // The code came to the address: it is theirs. Who registered it, and what they said of themselves, nobody knows.
    let confirmed = confirm(tx, now, account, &email, &email_key, Registrant::Unknown, &visitor.actor()).await?;
    let Some(person_id) = confirmed else { return Ok(None) };
    store::use_code(tx, now, code.id).await?;
    // Whoever has the mailbox is let in again, whatever others tried.
    counts::lift(tx, &buckets::account(keys, &email_key)).await?;
    let change = Change { person_id, password_hash, tell: was_verified.then_some(locale), but: None };
    change.make(tx, now, &visitor.actor_of(person_id), Happened::PasswordReset).await?;
    Ok(Some((before, person_id)))
}

/// A password that is replaced.
struct Change<'c> {
    person_id: Uuid,
    password_hash: &'c str,
    /// In which language they are told, if they are.
    tell: Option<Language>,
    /// The device that stays signed in.
    but: Option<Uuid>,
}

impl Change<'_> {
    async fn make(self, tx: &mut Tx, now: DateTime<Utc>, actor: &Actor, what: Happened) -> Answer<()> {
        store::set_password(tx, self.person_id, self.password_hash).await?;
        store::end_codes(tx, now, self.person_id, None).await?;
        store::end_devices(tx, now, self.person_id, self.but).await?;
        if let Some(locale) = self.tell {
            let letter = Letter::to_person(self.person_id, locale, Facts::PasswordChanged { at: now });
            outbox::write(tx, now, vec![letter]).await?;
        }
        events::log::write(tx, now, vec![actor.did(Event::of_person(self.person_id, what))]).await?;
        Ok(())
    }
}

/// The password that counts, and the one that shall.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The password that counts.
    pub old: Password,
    /// The one that shall.
    pub new: NewPassword,
}

/// Changes one's password. All other devices are signed out.
#[utoipa::path(
    put, path = "/v1/me/password", operation_id = "change_password",
    request_body = PasswordChange,
    responses((status = 204, description = "The new password counts")),
    extensions(("x-problem-types" = json!(refuses![TooManyRequests])))
)]
pub async fn change(State(app): State<App>, caller: Caller, Body(body): Body<PasswordChange>) -> Answer<StatusCode> {
    let account = check(&app, &caller, body.old, "old").await?;
    check_personal(&app.db, "new", &body.new, &[&account.email, &account.name]).await?;
    let password_hash = app.passwords.hash_for(Some(caller.from), body.new).await?;
    let (now, actor, person_id, device_id) = (app.clock.now(), caller.actor(), caller.person_id, caller.device_id);
    let tell = account.verified_at.map(|_| account.locale.or(caller.language).unwrap_or(Language::En));
    if !app
        .db
        .write("change_password", move |tx| {
            Box::pin(async move {
                if store::account_of(tx, person_id).await?.is_none_or(|now| now.password_hash != account.password_hash) {
                    return Ok::<_, Problem>(false);
                }
                let change = Change { person_id, password_hash: &password_hash, tell, but: Some(device_id) };
                change.make(tx, now, &actor, Happened::PasswordChanged).await?;
                Ok(true)
            })
        })
        .await?
    {
        // There is another password by now, or another hash of this one: looked at again, it will be seen which.
        return Err(Problem::new(ProblemType::Busy).retry_after(1));
    }
    app.identities.forget_person(person_id);
    app.letters_written.notify_one();
    Ok(StatusCode::NO_CONTENT)
}

/// The caller's account, if this is its password; else 422 for this field. They are signed in here: what strangers try elsewhere is not
/// held against them.
pub async fn check(app: &App, caller: &Caller, password: Password, field: &'static str) -> Answer<Account> {
    let account = store::look_up_of(&app.db, caller.person_id).await?.ok_or_else(|| Problem::new(ProblemType::TokenRefused))?;
    let tried = Try::begin(app, &account.email_key, Place::Known(caller.device_id)).await?;
    match app.passwords.verify(Some(caller.from), password, Some(&account.password_hash)).await? {
        Verdict::Right { .. } => tried.was_right().await?,
        Verdict::Wrong => {
            tried.was_wrong(Some(&account)).await?;
            return Err(Problem::field(field, Wrong::NotYourPassword));
        }
    }
    Ok(account)
}

/// Refuses a password that is made of these words of who chooses it, or of what the studios of the house are called.
pub async fn check_personal(db: &Db, field: &str, password: &NewPassword, own: &[&str]) -> Answer<()> {
    let studios = studios::store::names(db).await?;
    password.check_personal(own, &studios).map_err(|wrong| Problem::field(field, wrong))
}
