//! Registering: an account whose address is still to be confirmed. Each registration has an account, a code and a secret of its own, so that
//! nobody who registers the same address has a part in it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::buckets::Asker;
use super::code_gate::{self, Wish};
use super::codes::Fresh;
use super::password::check_personal;
use super::passwords::NewPassword;
use super::store::{self, NewAccount, Purpose};
use super::{Visitor, rules, secrets, verification};
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Event, Happened};
use crate::extract::Body;
use crate::ids::new_id;
use crate::language::Language;
use crate::letters::facts::Facts;
use crate::letters::outbox::{self, Letter};
use crate::people::store as people;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::text::{Email, Line, Name};

/// Somebody who registers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    pub email: Email,
    /// Their password: 10 to 128 characters, none of the common ones.
    pub password: NewPassword,
    pub name: Name,
    /// The language of letters; else `Accept-Language`.
    pub locale: Option<Language>,
    /// The version of the privacy policy that is accepted.
    pub policy_version: Option<Line<100>>,
}

/// A registration that waits for its address to be confirmed, whether or not the address has an account.
#[derive(Debug, Serialize, ToSchema)]
pub struct PendingRegistration {
    /// To be kept by the app and shown with the code of the letter: a code shows whose the mailbox is, this who registered.
    #[schema(example = "pO3mJd1pW0yJ0xTnYx2Xv0b1r3yQm6c8k5a7s9d2f4g")]
    pub registration_token: String,
}

/// Registers an address. The answer is the same whether or not it has an account: the letter differs. Its code counts together with the
/// `registration_token` of the answer, or the password. An address that is not confirmed may be registered again: each registration stands
/// for itself, with a code of its own, and the first that is confirmed has the address.
#[utoipa::path(
    post, path = "/v1/registrations", operation_id = "register",
    request_body = Registration,
    responses((status = 202, description = "A letter is on its way", body = PendingRegistration)),
    extensions(("x-problem-types" = json!(refuses![TooManyRequests])))
)]
pub async fn register(
    State(app): State<App>,
    visitor: Visitor,
    Body(body): Body<Registration>,
) -> Answer<(StatusCode, Json<PendingRegistration>)> {
    let (now, email_key) = (app.clock.now(), body.email.key());
    visitor.means(&email_key);
    check_personal(&app.db, "password", &body.password, &[body.email.as_str(), body.name.as_str()]).await?;
    let pass = code_gate::ask(&app, Asker::Network(visitor.from), Wish::Code(Purpose::Address), &email_key).await?;
    let password_hash = app.passwords.hash_for(Some(visitor.from), body.password.clone()).await?;
    let code = Fresh::new(&app.keys, now, pass, Purpose::Address, body.email.as_str(), &email_key)?;
    let registration_token = secrets::registration_token()?;
    let secret = secrets::hash(registration_token.as_bytes());
    let rows = app
        .db
        .write("register", move |tx| Box::pin(async move { registered(tx, now, &visitor, &body, &password_hash, &secret, code).await }))
        .await?;
    app.rows_written.add(rows);
    app.letters_written.notify_one();
    Ok((StatusCode::ACCEPTED, Json(PendingRegistration { registration_token })))
}

/// Whatever the address is, five rows: a person, an account, a code, a letter, a line of the log of events.
async fn registered(
    tx: &mut Tx,
    now: DateTime<Utc>,
    visitor: &Visitor,
    body: &Registration,
    password_hash: &str,
    secret: &[u8],
    code: Fresh,
) -> Answer<u64> {
    let email_key = body.email.key();
    people::lock_address(tx, &email_key).await?;
    let account = store::account_by(tx, &body.email).await?;
    let asked = body.locale.or(visitor.language);
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
        waiting => {
            make_room(tx, now, &email_key).await?;
            // A person of its own, known to no studio: what a front desk wrote down by this address shows itself once it is verified.
            person_id = new_id(now);
            let person =
                people::NewPerson { id: person_id, name: &body.name, email: None, shares_address: false, locale: asked, verified_at: None };
            rows = people::insert(tx, now, person).await?;
            let account = NewAccount {
                person_id,
                email: body.email.as_str(),
                email_key: &email_key,
                password_hash,
                policy_version: body.policy_version.clone().map(Line::into_string),
                registration_hash: Some(secret),
            };
            rows += store::insert_account(tx, now, account).await?;
            rows += code.store(tx, now, Some(person_id)).await?;
            letter = code.letter(now, person_id, body.email.as_str(), asked.unwrap_or(Language::En));
            action = if waiting.is_some() { Happened::RegisteredAgain } else { Happened::Registered };
        }
    }
    outbox::write(tx, now, vec![letter]).await?;
    events::log::write(tx, now, vec![visitor.actor().did(Event::of_person(person_id, action))]).await?;
    Ok(rows + 2)
}

/// Registrations of an address that nobody confirmed go when too many wait, but for those whose letter may still be answered.
async fn make_room(tx: &mut Tx, now: DateTime<Utc>, email_key: &str) -> Answer<()> {
    let waiting = store::registrations(tx, now, email_key).await?;
    let lives: Vec<bool> = waiting.iter().map(|(_, lives)| *lives).collect();
    let Some(gone) = rules::make_room(&lives) else {
        return Err(Problem::new(ProblemType::TooManyRequests).retry_after(rules::CODE_LIFE.num_seconds().unsigned_abs()));
    };
    for (person_id, _) in gone.into_iter().filter_map(|index| waiting.get(index)) {
        verification::discard(tx, *person_id).await?;
    }
    Ok(())
}
