//! Leaving: asked for, undone within seven days, then carried out by the sweep (`sweeps`) through the transactor, which first cancels what is
//! to come.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::store;
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Actor, Event, Happened};
use crate::extract::Body;
use crate::language::Language;
use crate::letters::facts::Facts;
use crate::letters::outbox::{self, Letter};
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::sign_in::buckets::Asker;
use crate::sign_in::passwords::Password;
use crate::sign_in::rules::DELETION_DELAY;
use crate::sign_in::store::{self as accounts, Account, Purpose};
use crate::sign_in::verification::send_code;
use crate::sign_in::{Caller, Nothing, Visitor, codes, password};
use crate::text::{Email, Line};
use crate::wrong::Wrong;

/// When it will be done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountDeletion)]
pub struct Deletion {
    /// When it was asked for.
    #[serde(with = "crate::instant")]
    pub asked_at: DateTime<Utc>,
    /// Until when it can be undone.
    #[serde(with = "crate::instant")]
    pub due_at: DateTime<Utc>,
}

/// What shows that it is the account's holder who asks, and not somebody who holds their telephone: the password, or, for who has none
/// or forgot it, a code by mail.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeletionRequest)]
pub struct Ask {
    pub password: Option<Password>,
    /// The code of the letter that `POST /v1/me/deletion/codes` sends: eight digits.
    #[schema(value_type = Option<String>, example = "40718265")]
    pub code: Option<Line<40>>,
}

/// Asks for one's account to be deleted, seven days from now; needs the password, or a mailed code. A letter says so. What is booked by
/// then is cancelled without penalty; name, address, devices and the text of letters are removed; what was booked and paid stays under an
/// id without a name. Repeated, it stays with the first time.
#[utoipa::path(
    put, path = "/v1/me/deletion", operation_id = "delete_me",
    request_body = Ask,
    responses((status = 200, body = Deletion)),
    extensions(("x-problem-types" = json!(refuses![CodeRefused, LastOwner, StaffTeaches, TooManyRequests])))
)]
pub async fn put(State(app): State<App>, caller: Caller, Body(body): Body<Ask>) -> Answer<Json<Deletion>> {
    let (now, actor, person_id) = (app.clock.now(), caller.actor(), caller.person_id);
    let deletion = match (body.password, body.code) {
        (Some(password), None) => {
            password::check(&app, &caller, password, "password").await?;
            app.db.write("ask_deletion", move |tx| Box::pin(async move { ask(tx, now, &actor, person_id).await })).await?
        }
        (None, Some(code)) => {
            let email_key = account(&app, &caller).await?.email_key;
            let (inner, from) = (app.clone(), Asker::Network(caller.from));
            let asked = app.db.write("ask_deletion", move |tx| {
                Box::pin(async move {
                    ask_by_code(tx, &inner, now, &email_key, from, code.as_str(), |who| (who == person_id).then_some(actor)).await
                })
            });
            asked.await?.ok_or_else(|| Problem::new(ProblemType::CodeRefused))?
        }
        (Some(_), Some(_)) => return Err(Problem::field("code", Wrong::OneOfTheTwo)),
        (None, None) => return Err(Problem::field("password", Wrong::Missing)),
    };
    app.letters_written.notify_one();
    Ok(Json(deletion))
}

/// Mails a code to the caller's address, with which the deletion is asked for in place of the password.
#[utoipa::path(
    post, path = "/v1/me/deletion/codes", operation_id = "send_deletion_code",
    responses((status = 202, description = "A letter is on its way", body = Nothing)),
    extensions(("x-problem-types" = json!(refuses![TooManyRequests])))
)]
pub async fn send(State(app): State<App>, caller: Caller, visitor: Visitor) -> Answer<(StatusCode, Json<Nothing>)> {
    let email = Email::parse(&account(&app, &caller).await?.email).map_err(Problem::fault)?;
    send_code(&app, visitor, Purpose::Deletion, &email).await?;
    Ok((StatusCode::ACCEPTED, Json(Nothing {})))
}

async fn account(app: &App, caller: &Caller) -> Answer<Account> {
    accounts::look_up_of(&app.db, caller.person_id).await?.ok_or_else(|| Problem::new(ProblemType::TokenRefused))
}

/// The code was mailed to them: the account is theirs. `actor` says who asks, if that person may; `None` if the code is not right.
pub async fn ask_by_code(
    tx: &mut Tx,
    app: &App,
    now: DateTime<Utc>,
    email_key: &str,
    from: Asker,
    code: &str,
    actor: impl FnOnce(Uuid) -> Option<Actor> + Send,
) -> Answer<Option<Deletion>> {
    store::lock_address(tx, email_key).await?;
    let Some(code) = codes::find(tx, &app.keys, now, Purpose::Deletion, email_key, from, code).await? else { return Ok(None) };
    let Some(actor) = actor(code.person_id) else { return Ok(None) };
    if accounts::account_of(tx, code.person_id).await?.is_none() {
        return Ok(None);
    }
    accounts::use_code(tx, now, code.id).await?;
    ask(tx, now, &actor, code.person_id).await.map(Some)
}

/// Marks a person for deletion, and tells them by letter. Asked again, it stays with the first time.
async fn ask(tx: &mut Tx, now: DateTime<Utc>, actor: &Actor, person_id: Uuid) -> Answer<Deletion> {
    let profile = |profile: Option<store::Profile>| profile.ok_or_else(|| Problem::new(ProblemType::TokenRefused));
    if profile(store::profile(tx, person_id).await?)?.is_owner && store::other_owners(tx, person_id).await? == 0 {
        return Err(Problem::new(ProblemType::LastOwner));
    }
    let teaches = store::teaches(tx, now, person_id).await?;
    if !teaches.is_empty() {
        return Err(Problem::new(ProblemType::StaffTeaches).with("sessions", teaches));
    }
    let is_new = store::ask_deletion(tx, now, person_id, now + DELETION_DELAY).await?;
    let profile = profile(store::profile(tx, person_id).await?)?;
    if is_new {
        // An address that was never confirmed may be somebody else's.
        if profile.verified_at.is_some() {
            let due_at = now + DELETION_DELAY;
            let letter = Letter::to_person(person_id, profile.locale.unwrap_or(Language::En), Facts::DeletionAsked { at: now, due_at });
            outbox::write(tx, now, vec![Letter { useful_until: Some(due_at), ..letter }]).await?;
        }
        events::log::write(tx, now, vec![actor.did(Event::of_person(person_id, Happened::DeletionAsked))]).await?;
    }
    let (asked_at, due_at) = profile.deletion_asked_at.zip(profile.deletion_due_at).unwrap_or((now, now + DELETION_DELAY));
    Ok(Deletion { asked_at, due_at })
}

/// Keeps one's account after all. Repeated, or never asked for: the same answer.
#[utoipa::path(
    delete, path = "/v1/me/deletion", operation_id = "keep_me",
    responses((status = 204, description = "The account stays")),
    extensions(("x-problem-types" = json!(refuses![DeletionPending])))
)]
pub async fn undo(State(app): State<App>, caller: Caller) -> Answer<StatusCode> {
    let (now, actor, person_id) = (app.clock.now(), caller.actor(), caller.person_id);
    let kept = app
        .db
        .write("undo_deletion", move |tx| {
            Box::pin(async move {
                if store::undo_deletion(tx, now, person_id).await? {
                    events::log::write(tx, now, vec![actor.did(Event::of_person(person_id, Happened::DeletionUndone))]).await?;
                }
                let profile = store::profile(tx, person_id).await?;
                Ok::<_, Problem>(profile.is_some_and(|profile| profile.deletion_due_at.is_none()))
            })
        })
        .await?;
    if kept { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::new(ProblemType::DeletionPending)) }
}
