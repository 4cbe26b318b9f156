//! Registering: an account whose address is still to be confirmed.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::codes::{self, Fresh};
use super::limits::Limit;
use super::passwords::NewPassword;
use super::store::{self, NewAccount, Purpose};
use super::{Nothing, Visitor};
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Event, Happened};
use crate::extract::Body;
use crate::ids::new_id;
use crate::language::Language;
use crate::letters::facts::Facts;
use crate::letters::outbox::{self, Letter};
use crate::people::store as people;
use crate::problem::{Answer, refuses};
use crate::text::{Email, Line, Name};
use crate::wrong::Wrong;

/// Somebody who registers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    pub email: Email,
    /// Their password: 10 to 128 characters, none of the common ones.
    pub password: NewPassword,
    #[serde(deserialize_with = "a_name")]
    pub name: Name,
    /// The language of letters; else `Accept-Language`.
    pub locale: Option<Language>,
    /// The version of the privacy policy that is accepted.
    pub policy_version: Option<Line<100>>,
}

/// A name that is no message: it goes into a letter to an address that nobody has confirmed.
fn a_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
    let name = Name::deserialize(deserializer)?;
    let lower = name.as_str().to_lowercase();
    if ["://", "www.", "@"].iter().any(|mark| lower.contains(mark)) {
        return Err(Wrong::NoName.refuse());
    }
    Ok(name)
}

/// Registers an address. The answer is the same whether or not it has an account: the letter differs.
#[utoipa::path(
    post, path = "/v1/registrations", operation_id = "register",
    request_body = Registration,
    responses((status = 202, description = "A letter is on its way", body = Nothing)),
    extensions(("x-problem-types" = json!(refuses![TooManyRequests])))
)]
pub async fn register(State(app): State<App>, visitor: Visitor, Body(body): Body<Registration>) -> Answer<(StatusCode, Json<Nothing>)> {
    let (now, email_key) = (app.clock.now(), body.email.key());
    app.limits.take(Limit::LettersFrom, visitor.from)?;
    codes::ask(&app.db, now, Purpose::Address, &email_key).await?;
    let password_hash = app.passwords.hash(body.password.clone()).await?;
    let code = Fresh::new(&app.keys, Purpose::Address, body.email.as_str(), &email_key)?;
    let rows = app
        .db
        .write("register", move |tx| Box::pin(async move { registered(tx, now, &visitor, &body, &password_hash, code).await }))
        .await?;
    app.rows_written.add(rows);
    app.letters_written.notify_one();
    Ok((StatusCode::ACCEPTED, Json(Nothing {})))
}

/// Whatever the address is, five rows: a person, an account, a code, a letter, a line of the log of events.
async fn registered(
    tx: &mut Tx,
    now: DateTime<Utc>,
    visitor: &Visitor,
    body: &Registration,
    password_hash: &str,
    code: Fresh,
) -> Answer<u64> {
    let email_key = body.email.key();
    people::lock_address(tx, &email_key).await?;
    codes::ask_again(tx, now, Purpose::Address, &email_key).await?;
    let account = store::account_by(tx, &body.email).await?;
    let asked = body.locale.or(visitor.language);
    let new = |person_id| NewAccount {
        person_id,
        email: body.email.as_str(),
        email_key: &email_key,
        password_hash,
        verified_at: None,
        policy_version: body.policy_version.clone().map(Line::into_string),
    };
    let (mut rows, person_id, action, letter);
    match account {
        Some(account) if account.verified_at.is_some() => {
            person_id = account.person_id;
            rows = people::touch(tx, person_id).await?;
            rows += store::touch_account(tx, person_id).await?;
            rows += code.store(tx, now, None).await?;
            let locale = account.locale.or(asked).unwrap_or(Language::En);
            letter = Letter::to_person(person_id, locale, Facts::AlreadyRegistered {});
            action = Happened::RegistrationRepeated;
        }
        Some(account) => {
            // The last registration counts, and with it its code alone: whoever is signed in with an earlier password is signed out.
            person_id = account.person_id;
            rows = people::rename(tx, person_id, &body.name, asked).await?;
            rows += store::register_again(tx, now, new(person_id)).await?;
            rows += code.store(tx, now, Some(person_id)).await?;
            store::end_devices(tx, now, person_id, None).await?;
            letter = code.letter(now, person_id, body.email.as_str(), asked.or(account.locale).unwrap_or(Language::En));
            action = Happened::RegisteredAgain;
        }
        None => {
            // A person of its own, known to no studio: what a front desk wrote down by this address shows itself once it is verified.
            person_id = new_id(now);
            let person =
                people::NewPerson { id: person_id, name: &body.name, email: None, shares_address: false, locale: asked, verified_at: None };
            rows = people::insert(tx, now, person).await?;
            rows += store::insert_account(tx, now, new(person_id)).await?;
            rows += code.store(tx, now, Some(person_id)).await?;
            letter = code.letter(now, person_id, body.email.as_str(), asked.unwrap_or(Language::En));
            action = Happened::Registered;
        }
    }
    outbox::write(tx, now, vec![letter]).await?;
    events::log::write(tx, now, vec![visitor.actor().did(Event::of_person(person_id, action))]).await?;
    Ok(rows + 2)
}
