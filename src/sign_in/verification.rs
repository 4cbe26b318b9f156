//! Confirming an address by the code of a letter.
//!
//! The code shows whose the mailbox is, and nothing else: anybody can register any address, or ask for it to become their account's. So it
//! counts for the registration whose secret or password comes with it, or for the account that is signed in. From somebody who shows the code
//! alone the address is confirmed, and whatever was chosen for the account before by nobody knows whom is dropped, the password first.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::buckets::Asker;
use super::code_gate::{self, Wish};
use super::codes::{self, Fresh, Whose};
use super::factors::challenge;
use super::keys::Keys;
use super::limits::Limit;
use super::passwords::{Password, Verdict};
use super::secrets::{self, RefreshToken};
use super::store::{self, Account, Purpose};
use super::tokens::Tokens;
use super::{Caller, Nothing, Visitor};
use crate::app::App;
use crate::booking::store as bookings;
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

/// An address and the code that was mailed to it, with what shows who registered it: the secret or the password, unless the access token of
/// the account is sent.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EmailVerification)]
pub struct Verification {
    pub email: Email,
    /// The code of the letter: eight digits.
    #[schema(value_type = String, example = "40718265")]
    pub code: Line<40>,
    /// What `POST /v1/registrations` answered.
    #[schema(value_type = Option<String>, max_length = 100)]
    pub registration_token: Option<Line<100>>,
    /// The password of the registration, from an app that has not kept its token.
    pub password: Option<Password>,
}

/// An address to which a code shall be mailed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeRequest {
    pub email: Email,
}

/// An address to which another code shall be mailed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EmailVerificationRequest)]
pub struct VerificationRequest {
    pub email: Email,
    /// Of the registration that the code is for; else it is for the newest of the address.
    #[schema(value_type = Option<String>, max_length = 100)]
    pub registration_token: Option<Line<100>>,
}

/// What comes with a code and shows who registered.
enum Besides {
    /// The secret of a registration, hashed.
    Secret(Vec<u8>),
    /// A password, and the account whose it is, if it is that of the one whose code was typed.
    Password(Option<Account>),
    /// They are signed in: who, on which device.
    SignedIn(Uuid, Uuid),
    /// Nothing: the account gets this password, which nobody has.
    Nothing { password_hash: String },
}

/// Whether what an account says was chosen by whoever shows the mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registrant {
    /// It was.
    Holder,
    /// Anybody may have registered.
    Unknown,
}

/// What a code came to.
enum Verified {
    No,
    Taken,
    Yes { person_id: Uuid, before: Uuid },
    WithoutPassword { person_id: Uuid, before: Uuid },
}

/// Confirms an address by the code that was mailed to it. The code counts together with the `registration_token` or the password of the
/// registration, or, for another address of an account, with its access token. Signs this device in and all others out; the same code
/// answers again as long as it lives. With the code alone the address is confirmed, but nobody is signed in, and the account has no password any more: 409
/// `/problems/password-reset-needed`.
#[utoipa::path(
    post, path = "/v1/email-verifications", operation_id = "verify_email",
    request_body = Verification,
    responses((status = 200, description = "The address is confirmed, and the device is signed in", body = Tokens)),
    extensions(("x-problem-types" = json!(refuses![
        CodeRefused, SecondFactorNeeded, AddressTaken, PasswordResetNeeded, TooManyRequests
    ])))
)]
pub async fn verify(
    State(app): State<App>,
    visitor: Visitor,
    caller: Option<Caller>,
    Body(body): Body<Verification>,
) -> Answer<Json<Tokens>> {
    visitor.means(&body.email.key());
    app.limits.ask(Limit::FailuresFrom, visitor.from)?;
    let besides = besides(&app, &visitor, caller, &body).await?;
    // Who is signed in stays so on the same device, and can send the call again should its answer be lost.
    let device_id = if let Besides::SignedIn(_, device_id) = besides { device_id } else { new_id(app.clock.now()) };
    let token = RefreshToken::first(device_id)?;
    let from = visitor.from;
    let (inner, opened) = (app.clone(), token.clone());
    let outcome = app
        .db
        .write("verify_email", move |tx| {
            Box::pin(async move { verified(tx, &inner.keys, inner.clock.now(), &visitor, &body, &besides, &opened).await })
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
            challenge::tokens(&app, person_id, &token).await.map(Json)
        }
        Verified::WithoutPassword { person_id, before } => {
            app.identities.forget_person(before);
            app.identities.forget_person(person_id);
            Err(Problem::new(ProblemType::PasswordResetNeeded))
        }
    }
}

/// A password costs one hash, whether or not the code, the address or the account are any.
async fn besides(app: &App, visitor: &Visitor, caller: Option<Caller>, body: &Verification) -> Answer<Besides> {
    if let Some(token) = &body.registration_token {
        return Ok(Besides::Secret(secrets::hash(token.as_str().as_bytes())));
    }
    if let Some(password) = body.password.clone() {
        let (now, email_key) = (app.clock.now(), body.email.key());
        codes::ask(app, Asker::Network(visitor.from), Purpose::Address, &email_key).await?;
        let account = match codes::look_up_for_address(&app.db, &app.keys, now, &email_key, body.code.as_str()).await? {
            Some(code) => store::look_up_of(&app.db, code.person_id).await?,
            None => None,
        };
        let stored = account.as_ref().map(|account| account.password_hash.as_str());
        let verdict = app.passwords.verify(Some(visitor.from), password, stored).await?;
        return Ok(Besides::Password(account.filter(|_| verdict != Verdict::Wrong)));
    }
    match caller {
        Some(caller) => Ok(Besides::SignedIn(caller.person_id, caller.device_id)),
        None => Ok(Besides::Nothing { password_hash: app.passwords.of_nobody()? }),
    }
}

async fn verified(
    tx: &mut Tx,
    keys: &Keys,
    now: DateTime<Utc>,
    visitor: &Visitor,
    body: &Verification,
    besides: &Besides,
    token: &RefreshToken,
) -> Answer<Verified> {
    let email_key = body.email.key();
    people::lock_address(tx, &email_key).await?;
    if let Besides::SignedIn(person_id, device_id) = besides
        && !store::is_signed_in(tx, *person_id, *device_id).await?
    {
        return Err(Problem::new(ProblemType::TokenRefused));
    }
    let whose = match besides {
        Besides::Secret(hash) => Whose::Registration(hash),
        Besides::SignedIn(person_id, _) => Whose::Person(*person_id),
        Besides::Password(_) | Besides::Nothing { .. } => Whose::AnyRegistration,
    };
    let from = Asker::Network(visitor.from);
    let Some(code) = codes::find_for_address(tx, keys, now, whose, &email_key, from, body.code.as_str()).await? else {
        return Ok(Verified::No);
    };
    let Some(account) = store::account_of(tx, code.person_id).await? else { return Ok(Verified::No) };
    let before = account.person_id;
    let registrant = match besides {
        Besides::Nothing { .. } if account.verified_at.is_some() => return Ok(Verified::WithoutPassword { person_id: before, before }),
        Besides::Nothing { .. } => Registrant::Unknown,
        Besides::Password(of) if of.as_ref().is_none_or(|of| of.person_id != before || of.password_hash != account.password_hash) => {
            codes::was_not_theirs(tx, keys, now, &email_key, from, &code).await?;
            return Ok(Verified::No);
        }
        Besides::Secret(_) | Besides::Password(_) | Besides::SignedIn(..) => Registrant::Holder,
    };
    let Some(person_id) = confirm(tx, now, account, &code.email, &email_key, registrant, &visitor.actor()).await? else {
        return Ok(Verified::Taken);
    };
    store::use_code(tx, now, code.id).await?;
    store::end_codes(tx, now, person_id, Some(code.id)).await?;
    let actor = visitor.actor_of(person_id);
    if let Besides::SignedIn(_, device_id) = besides
        // With an account that moves to another person its devices go.
        && store::renew_device(tx, now, person_id, token).await?
    {
        store::end_devices(tx, now, person_id, Some(*device_id)).await?;
        return Ok(Verified::Yes { person_id, before });
    }
    store::end_devices(tx, now, person_id, None).await?;
    if let Besides::Nothing { password_hash } = besides {
        store::set_password(tx, person_id, password_hash).await?;
        events::log::write(tx, now, vec![actor.did(Event::of_person(person_id, Happened::PasswordDropped))]).await?;
        return Ok(Verified::WithoutPassword { person_id, before });
    }
    let signed_in = store::open_device(tx, now, person_id, None, token).await?;
    let what = if signed_in { Happened::DeviceSignedIn } else { Happened::FactorAsked };
    events::log::write(tx, now, vec![actor.did(Event::of_device(token.device_id, what))]).await?;
    Ok(Verified::Yes { person_id, before })
}

/// This address belongs to the holder of this account, as its mailbox shows. If a front desk had entered somebody by it, that is who it is, and
/// the account moves to that person; other registrations of the address are over. Answers whose account it is now; `None` if the address is
/// that of another person who cannot be the same.
pub async fn confirm(
    tx: &mut Tx,
    now: DateTime<Utc>,
    account: Account,
    email: &str,
    email_key: &str,
    registrant: Registrant,
    actor: &Actor,
) -> Answer<Option<Uuid>> {
    let own = account.person_id;
    let same = account.email_key == email_key || address_key(&account.email) == email_key;
    if same && account.verified_at.is_some() {
        return Ok(Some(own));
    }
    let others: Vec<(Uuid, bool)> =
        store::accounts_with_key(tx, email_key).await?.into_iter().filter(|(person_id, _)| *person_id != own).collect();
    if others.iter().any(|(_, verified)| *verified) {
        return Ok(None);
    }
    let known = people::known_by(tx, email_key).await?.filter(|known| known.id != own);
    if let Some(known) = &known {
        // A verified account has a life of its own, and two lives cannot be made one.
        if account.verified_at.is_some() || store::account_of(tx, known.id).await?.is_some() {
            return Ok(None);
        }
    }
    for (person_id, _) in others {
        // Somebody registered with it and did not show that it is theirs.
        discard(tx, person_id).await?;
    }
    if registrant == Registrant::Unknown && account.verified_at.is_none() {
        people::forget_phone(tx, own).await?;
        store::forget_policy(tx, own).await?;
    }
    let mut entries = Vec::new();
    let person_id = match known {
        Some(known) => {
            claim(tx, own, known.id, registrant).await?;
            entries.push(actor.did(Event::of_person(known.id, Happened::AccountClaimed { registered_as: own })));
            known.id
        }
        None => own,
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
/// address is verified they can neither book nor join a studio, and no studio finds them. Their name and language are taken on if it was
/// the mailbox's holder who registered.
async fn claim(tx: &mut Tx, registered: Uuid, entered: Uuid, registrant: Registrant) -> Answer<()> {
    if registrant == Registrant::Holder {
        people::take_over(tx, registered, entered).await?;
    }
    store::remove_devices(tx, registered).await?;
    store::move_account(tx, registered, entered).await?;
    outbox::hand_over(tx, registered, entered).await?;
    bookings::hand_over_withdrawn(tx, registered, entered).await?;
    people::remove(tx, &[registered]).await?;
    Ok(())
}

/// Removes an account that was never verified, with its person.
pub async fn discard(tx: &mut Tx, person_id: Uuid) -> Answer<()> {
    store::discard_account(tx, person_id).await?;
    bookings::forget_withdrawn_of(tx, person_id).await?;
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

/// Mails another code to an address that is to be verified. The answer is the same for an address that nobody has registered. An app that
/// has a `registration_token` sends it: several may have registered the address.
#[utoipa::path(
    post, path = "/v1/email-verifications/requests", operation_id = "request_email_verification",
    request_body = VerificationRequest,
    responses((status = 202, description = "If there is something to verify, a letter is on its way", body = Nothing)),
    extensions(("x-problem-types" = json!(refuses![TooManyRequests])))
)]
pub async fn request(
    State(app): State<App>,
    visitor: Visitor,
    Body(body): Body<VerificationRequest>,
) -> Answer<(StatusCode, Json<Nothing>)> {
    let secret = body.registration_token.map(|token| secrets::hash(token.as_str().as_bytes()));
    send_code_of(&app, visitor, Purpose::Address, &body.email, secret).await?;
    Ok((StatusCode::ACCEPTED, Json(Nothing {})))
}

/// Mails a code if the address has an account on which it can act; else writes as much, so that it does not show.
pub async fn send_code(app: &App, visitor: Visitor, purpose: Purpose, email: &Email) -> Answer<()> {
    send_code_of(app, visitor, purpose, email, None).await
}

/// The same for the registration that has this secret.
async fn send_code_of(app: &App, visitor: Visitor, purpose: Purpose, email: &Email, secret: Option<Vec<u8>>) -> Answer<()> {
    let (now, email_key) = (app.clock.now(), email.key());
    visitor.means(&email_key);
    let pass = code_gate::ask(app, Asker::Network(visitor.from), Wish::Code(purpose), &email_key).await?;
    let code = Fresh::new(&app.keys, now, pass, purpose, email.as_str(), &email_key)?;
    let email = email.clone();
    app.rows_written.add(
        app.db
            .write("send_code", move |tx| Box::pin(async move { code_sent(tx, now, &visitor, purpose, &email, secret, code).await }))
            .await?,
    );
    app.letters_written.notify_one();
    Ok(())
}

/// Two rows either way: a code with its letter, or a code that nobody has with a line of the log of events.
async fn code_sent(
    tx: &mut Tx,
    now: DateTime<Utc>,
    visitor: &Visitor,
    purpose: Purpose,
    email: &Email,
    secret: Option<Vec<u8>>,
    code: Fresh,
) -> Answer<u64> {
    let email_key = email.key();
    people::lock_address(tx, &email_key).await?;
    let account = match secret {
        Some(secret) => store::registration(tx, &email_key, &secret).await?,
        None => store::account_by(tx, email).await?,
    };
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
