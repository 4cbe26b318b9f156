//! Another address for one's account: it counts once a code that was mailed to it is shown by whoever is signed in to the account
//! (`verification`), and the old one is told. Whoever has the mailbox and is not signed in cannot use the code: the account may be anybody's.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

use super::buckets::Asker;
use super::code_gate::{self, Wish};
use super::codes::Fresh;
use super::password::check;
use super::passwords::Password;
use super::store::{self, Account, Purpose};
use super::{Caller, Nothing};
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Actor, Event, Happened};
use crate::extract::Body;
use crate::language::Language;
use crate::letters::facts::Facts;
use crate::letters::outbox::{self, Letter};
use crate::people::store as people;
use crate::problem::{Answer, refuses};
use crate::text::Email;

/// The address that shall count, and the caller's password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressChange {
    /// The new address.
    pub email: Email,
    pub password: Password,
}

/// Asks for another address. It counts when `POST /v1/email-verifications`, called with this account's access token, shows the code that is
/// mailed to it.
#[utoipa::path(
    put, path = "/v1/me/email", operation_id = "change_email",
    request_body = AddressChange,
    responses((status = 202, description = "A letter is on its way to the new address", body = Nothing)),
    extensions(("x-problem-types" = json!(refuses![TooManyRequests])))
)]
pub async fn change(State(app): State<App>, caller: Caller, Body(body): Body<AddressChange>) -> Answer<(StatusCode, Json<Nothing>)> {
    let (now, email_key) = (app.clock.now(), body.email.key());
    let pass = code_gate::ask(&app, Asker::Person(caller.person_id), Wish::Code(Purpose::Change), &email_key).await?;
    let account = check(&app, &caller, body.password, "password").await?;
    let code = Fresh::new(&app.keys, now, pass, Purpose::Change, body.email.as_str(), &email_key)?;
    let (actor, language, email) = (caller.actor(), caller.language.unwrap_or(Language::En), body.email);
    app.db.write("change_email", move |tx| Box::pin(async move { asked(tx, now, &actor, account, language, &email, code).await })).await?;
    app.letters_written.notify_one();
    Ok((StatusCode::ACCEPTED, Json(Nothing {})))
}

/// A code and a letter either way: if the address has a verified account, its holder is told as at a registration.
async fn asked(
    tx: &mut Tx,
    now: DateTime<Utc>,
    actor: &Actor,
    account: Account,
    language: Language,
    email: &Email,
    code: Fresh,
) -> Answer<()> {
    let email_key = email.key();
    people::lock_address(tx, &email_key).await?;
    let holder = store::account_by(tx, email).await?;
    let holder = holder.filter(|holder| holder.person_id != account.person_id && holder.verified_at.is_some());
    code.store(tx, now, holder.is_none().then_some(account.person_id)).await?;
    let letter = match holder {
        Some(holder) => Letter::to_person(holder.person_id, holder.locale.unwrap_or(language), Facts::AlreadyRegistered {}),
        None => code.letter(now, account.person_id, email.as_str(), account.locale.unwrap_or(language)),
    };
    outbox::write(tx, now, vec![letter]).await?;
    events::log::write(tx, now, vec![actor.did(Event::of_person(account.person_id, Happened::AddressChangeAsked))]).await?;
    Ok(())
}
