//! Confirming an address by the code of a letter.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::codes::{self, Fresh};
use super::keys::Keys;
use super::limits::Limit;
use super::secrets::RefreshToken;
use super::store::{self, Account, Purpose};
use super::tokens::Tokens;
use super::{Nothing, Visitor};
use crate::app::App;
use crate::db::Tx;
use crate::events::{self, Actor, Event, Happened, Subject};
use crate::extract::Body;
use crate::ids::new_id;
use crate::language::Language;
use crate::letters::facts::Facts;
use crate::letters::outbox::{self, Letter};
use crate::people::store as people;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::text::{Email, Line, address_key};

/// An address and the code that was mailed to it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EmailVerification)]
pub struct Verification {
    pub email: Email,
    /// The code of the letter: eight digits.
    #[schema(value_type = String, example = "40718265")]
    pub code: Line<40>,
}

/// An address to which a code shall be mailed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeRequest {
    pub email: Email,
}

/// What a code came to.
enum Verified {
    No,
    Taken,
    Yes { person_id: Uuid, before: Uuid },
}

/// Confirms an address by the code that was mailed to it. Signs this device in and all others out; the same code answers again as long as it lives.
#[utoipa::path(
    post, path = "/v1/email-verifications", operation_id = "verify_email",
    request_body = Verification,
    responses((status = 200, description = "The address is confirmed, and the device is signed in", body = Tokens)),
    extensions(("x-problem-types" = json!(refuses![CodeRefused, AddressTaken, TooManyRequests])))
)]
pub async fn verify(State(app): State<App>, visitor: Visitor, Body(body): Body<Verification>) -> Answer<Json<Tokens>> {
    app.limits.ask(Limit::FailuresFrom, visitor.from)?;
    let token = RefreshToken::first(new_id(app.clock.now()))?;
    let from = visitor.from;
    let (inner, opened) = (app.clone(), token.clone());
    let outcome = app
        .db
        .write("verify_email", move |tx| {
            Box::pin(async move { verified(tx, &inner.keys, inner.clock.now(), &visitor, &body, &opened).await })
        })
        .await?;
    match outcome {
        Verified::No => {
            app.limits.take(Limit::FailuresFrom, from)?;
            Err(Problem::new(ProblemType::CodeRefused))
        }
        Verified::Taken => Err(Problem::new(ProblemType::AddressTaken)),
        Verified::Yes { person_id, before } => {
            app.identities.forget_person(before);
            app.identities.forget_person(person_id);
            app.letters_written.notify_one();
            Tokens::of(&app, person_id, &token).map(Json)
        }
    }
}

async fn verified(
    tx: &mut Tx,
    keys: &Keys,
    now: DateTime<Utc>,
    visitor: &Visitor,
    body: &Verification,
    token: &RefreshToken,
) -> Answer<Verified> {
    let email_key = body.email.key();
    people::lock_address(tx, &email_key).await?;
    let Some(code) = codes::find(tx, keys, now, Purpose::Address, &email_key, body.code.as_str()).await? else {
        return Ok(Verified::No);
    };
    let Some(account) = store::account_of(tx, code.person_id).await? else { return Ok(Verified::No) };
    let before = account.person_id;
    let Some(person_id) = confirm(tx, now, account, &code.email, &email_key, &visitor.actor()).await? else {
        return Ok(Verified::Taken);
    };
    store::use_code(tx, now, code.id).await?;
    store::end_codes(tx, now, person_id, Some(code.id)).await?;
    store::end_devices(tx, now, person_id, None).await?;
    store::open_device(tx, now, person_id, None, token).await?;
    events::log::write(tx, now, vec![visitor.actor_of(person_id).did(Event::of_device(token.device_id, Happened::DeviceSignedIn))]).await?;
    Ok(Verified::Yes { person_id, before })
}

/// This address belongs to the holder of this account, as its mailbox shows. If a front desk had entered somebody by it, that is who it is, and
/// the account moves to that person. Answers whose account it is now; `None` if the address is that of another person who cannot be the same.
pub async fn confirm(
    tx: &mut Tx,
    now: DateTime<Utc>,
    account: Account,
    email: &str,
    email_key: &str,
    actor: &Actor,
) -> Answer<Option<Uuid>> {
    let own = account.person_id;
    let same = account.email_key == email_key || address_key(&account.email) == email_key;
    if same && account.verified_at.is_some() {
        return Ok(Some(own));
    }
    if account.email_key != email_key
        && let Some(other) = store::account_with_key(tx, email_key).await?
    {
        if other.verified_at.is_some() {
            return Ok(None);
        }
        // Somebody registered with it and never showed that it is theirs.
        discard(tx, other.person_id).await?;
    }
    let mut entries = Vec::new();
    let person_id = match people::known_by(tx, email_key).await? {
        Some(known) if known.id != own => {
            // A verified account has a life of its own, and two lives cannot be made one.
            if account.verified_at.is_some() || store::account_of(tx, known.id).await?.is_some() {
                return Ok(None);
            }
            claim(tx, own, known.id).await?;
            entries.push(actor.did(Event::of_person(known.id, Happened::AccountClaimed { registered_as: own })));
            known.id
        }
        _ => own,
    };
    let email = if same { account.email.clone() } else { email.to_owned() };
    store::set_account_address(tx, now, person_id, &email, email_key).await?;
    people::set_address(tx, now, person_id, &email, email_key).await?;
    let actor = Actor { person_id: Some(person_id), ..actor.clone() };
    if account.verified_at.is_some() {
        entries.push(actor.did(Event::of_person(person_id, Happened::AddressChanged)));
        let facts = Facts::AddressChanged { new_address_masked: masked(&email), at: now };
        let locale = account.locale.unwrap_or(Language::En);
        let letter = Letter { to_email: Some(account.email), ..Letter::to_person(person_id, locale, facts) };
        outbox::write(tx, now, vec![letter]).await?;
    } else {
        entries.push(actor.did(Event::of_person(person_id, Happened::AddressVerified)));
    }
    events::log::write(tx, now, entries).await?;
    Ok(Some(person_id))
}

/// The registered account becomes that of the person whom a front desk entered. Nothing but signing in hangs on who registered: before the
/// address is verified they can neither book nor join a studio, and no studio finds them.
async fn claim(tx: &mut Tx, registered: Uuid, entered: Uuid) -> Answer<()> {
    people::take_over(tx, registered, entered).await?;
    store::remove_devices(tx, registered).await?;
    store::move_account(tx, registered, entered).await?;
    outbox::hand_over(tx, registered, entered).await?;
    people::remove(tx, &[registered]).await?;
    Ok(())
}

/// Removes an account that was never verified, with its person.
pub async fn discard(tx: &mut Tx, person_id: Uuid) -> Answer<()> {
    store::remove_account(tx, person_id).await?;
    outbox::orphan(tx, person_id).await?;
    people::remove(tx, &[person_id]).await?;
    Ok(())
}

/// `a…@example.com`: enough to know it again, too little to learn it.
fn masked(email: &str) -> String {
    match email.rsplit_once('@') {
        Some((local, domain)) => format!("{}…@{domain}", local.chars().take(1).collect::<String>()),
        None => "…".into(),
    }
}

/// Mails another code to an address that is to be verified. The answer is the same for an address that nobody has registered.
#[utoipa::path(
    post, path = "/v1/email-verifications/requests", operation_id = "request_email_verification",
    request_body = CodeRequest,
    responses((status = 202, description = "If there is something to verify, a letter is on its way", body = Nothing)),
    extensions(("x-problem-types" = json!(refuses![TooManyRequests])))
)]
pub async fn request(State(app): State<App>, visitor: Visitor, Body(body): Body<CodeRequest>) -> Answer<(StatusCode, Json<Nothing>)> {
    send_code(&app, visitor, Purpose::Address, &body.email).await?;
    Ok((StatusCode::ACCEPTED, Json(Nothing {})))
}

/// Mails a code if the address has an account on which it can act; else writes as much, so that it does not show.
pub async fn send_code(app: &App, visitor: Visitor, purpose: Purpose, email: &Email) -> Answer<()> {
    let (now, email_key) = (app.clock.now(), email.key());
    app.limits.take(Limit::LettersFrom, visitor.from)?;
    codes::ask(&app.db, now, purpose, &email_key).await?;
    let code = Fresh::new(&app.keys, purpose, email.as_str(), &email_key)?;
    let email = email.clone();
    app.rows_written.add(
        app.db.write("send_code", move |tx| Box::pin(async move { code_sent(tx, now, &visitor, purpose, &email, code).await })).await?,
    );
    app.letters_written.notify_one();
    Ok(())
}

/// Two rows either way: a code with its letter, or a code that nobody has with a line of the log of events.
async fn code_sent(tx: &mut Tx, now: DateTime<Utc>, visitor: &Visitor, purpose: Purpose, email: &Email, code: Fresh) -> Answer<u64> {
    let email_key = email.key();
    people::lock_address(tx, &email_key).await?;
    codes::ask_again(tx, now, purpose, &email_key).await?;
    let account = store::account_by(tx, email).await?;
    let account = account.filter(|account| purpose != Purpose::Address || account.verified_at.is_none());
    let rows = code.store(tx, now, account.as_ref().map(|account| account.person_id)).await?;
    match account {
        Some(account) => {
            let locale = account.locale.or(visitor.language).unwrap_or(Language::En);
            outbox::write(tx, now, vec![code.letter(now, account.person_id, &account.email, locale)]).await?;
        }
        None => {
            let vain = Event { studio_id: None, subject: Subject::Address, subject_id: None, what: Happened::CodeAskedInVain };
            let entry = visitor.actor().did(vain);
            events::log::write(tx, now, vec![entry]).await?;
        }
    }
    Ok(rows + 1)
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn addresses_are_masked() {
        assert_eq!(masked("ana@example.test"), "a…@example.test");
        assert_eq!(masked("\"a@b\"@example.test"), "\"…@example.test");
        assert_eq!(masked("林@example.test"), "林…@example.test");
    }
}
