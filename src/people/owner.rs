//! Owners of the deployment, made from the command line: there is nobody yet who could invite the first. And, from there too, the way back for
//! whoever has lost every second factor.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::store;
use crate::clock::Clock;
use crate::db::{Db, Tx};
use crate::events::{self, Actor, Event, Happened};
use crate::ids::new_id;
use crate::language::Language;
use crate::letters::facts::Facts;
use crate::letters::outbox::{self, Letter};
use crate::problem::{Answer, Problem, ProblemType};
use crate::sign_in;
use crate::sign_in::password::check_personal;
use crate::sign_in::passwords::{NewPassword, Passwords};
use crate::sign_in::store::NewAccount;
use crate::sign_in::verification::{Registrant, confirm};
use crate::text::{Email, Name};

/// Who shall own the deployment.
#[derive(Debug)]
pub struct NewOwner {
    /// Their address, which counts as verified: whoever runs the command line vouches for it.
    pub email: Email,
    pub name: Name,
    /// Their password, also if they had another.
    pub password: NewPassword,
}

/// What was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    pub person_id: Uuid,
    /// Whether they had an account before.
    pub had_account: bool,
}

/// Makes an owner: a new account, or the one that this address has. All their devices are signed out.
pub async fn make(db: &Db, clock: &Clock, passwords: &Passwords, owner: NewOwner) -> Answer<Made> {
    check_personal(db, "password", &owner.password, &[owner.email.as_str(), owner.name.as_str()]).await?;
    let password_hash = passwords.hash(owner.password.clone()).await?;
    let now = clock.now();
    db.write("make_owner", move |tx| Box::pin(async move { made(tx, now, &owner, &password_hash).await })).await
}

async fn made(tx: &mut Tx, now: DateTime<Utc>, owner: &NewOwner, password_hash: &str) -> Answer<Made> {
    let (email, email_key) = (owner.email.as_str(), owner.email.key());
    store::lock_address(tx, &email_key).await?;
    // Not a registration of it that nobody confirmed: that may be anybody's.
    let account = sign_in::store::account_by(tx, &owner.email).await?.filter(|account| account.verified_at.is_some());
    let had_account = account.is_some();
    let id = match account {
        Some(account) => account.person_id,
        None => {
            let id = new_id(now);
            store::insert(
                tx,
                now,
                store::NewPerson { id, name: &owner.name, email: None, shares_address: false, locale: None, verified_at: None },
            )
            .await?;
            let new =
                NewAccount { person_id: id, email, email_key: &email_key, password_hash, policy_version: None, registration_hash: None };
            sign_in::store::insert_account(tx, now, new).await?;
            id
        }
    };
    let account = sign_in::store::account_of(tx, id).await?.ok_or_else(|| Problem::fault("an account that was just opened is missing"))?;
    let actor = Actor::system();
    let confirmed = confirm(tx, now, account, email, &email_key, Registrant::Holder, &actor).await?;
    let person_id = confirmed.ok_or_else(|| Problem::new(ProblemType::AddressTaken))?;
    store::rename(tx, person_id, &owner.name, None).await?;
    sign_in::store::set_password(tx, person_id, password_hash).await?;
    sign_in::store::end_codes(tx, now, person_id, None).await?;
    sign_in::store::end_devices(tx, now, person_id, None).await?;
    store::make_owner(tx, person_id).await?;
    events::log::write(tx, now, vec![actor.did(Event::of_person(person_id, Happened::OwnerMade))]).await?;
    Ok(Made { person_id, had_account })
}

/// Takes away the second factors of the account with this address, whose holder has lost them, and signs them out everywhere. `None`: there
/// is no such account; `false`: it had none.
pub async fn reset_factors(db: &Db, clock: &Clock, email: Email) -> Answer<Option<bool>> {
    let now = clock.now();
    db.write("reset_factors", move |tx| {
        Box::pin(async move {
            let Some(account) = sign_in::store::account_by(tx, &email).await? else { return Ok(None) };
            let had_some = forget_factors(tx, now, account.person_id).await?;
            if had_some {
                let entry = Actor::system().did(Event::of_person(account.person_id, Happened::FactorsReset));
                events::log::write(tx, now, vec![entry]).await?;
            }
            Ok(Some(had_some))
        })
    })
    .await
}

/// The same for this person, who is told. Whether they had any.
pub async fn forget_factors(tx: &mut Tx, now: DateTime<Utc>, person_id: Uuid) -> Answer<bool> {
    let Some(account) = sign_in::store::account_of(tx, person_id).await? else { return Ok(false) };
    if sign_in::factors::store::remove_all(tx, person_id).await? == 0 {
        return Ok(false);
    }
    sign_in::store::end_devices(tx, now, person_id, None).await?;
    let facts = Facts::SecondFactorRemoved { all_by_staff: true, at: now };
    outbox::write(tx, now, vec![Letter::to_person(person_id, account.locale.unwrap_or(Language::En), facts)]).await?;
    Ok(true)
}
