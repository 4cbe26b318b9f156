//! How often a password may be tried.
//!
//! What strangers try on an account is counted by address *and* network, so that nobody is kept out of their account by somebody
//! elsewhere; a device that was signed in to it lately is no stranger and has a count of its own. All that strangers try on one address
//! is counted too, slowly: it never refuses, it makes strangers wait, each for themselves, and its owner is told. Right passwords have a
//! budget, since they cost as much as wrong ones. What is under way counts until there is a verdict; a 503 is none.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::buckets::{self, Bucket, come_again};
use super::limits::{Limit, UnderWay, near, wide};
use super::rotation::REFRESH_LIFE;
use super::rules::limits::{Count, PASSWORDS_FREE, password_wait};
use super::secrets::{self, RefreshToken};
use super::store::{self, Account, counts};
use crate::app::App;
use crate::db::Tx;
use crate::language::Language;
use crate::letters::facts::Facts;
use crate::letters::outbox::{self, Letter};
use crate::problem::Answer;

/// A password that is being tried. Dropped without a verdict, it was never tried.
pub struct Try<'a> {
    app: &'a App,
    /// The address from which it is tried; `None` on a known device.
    stranger: Option<IpAddr>,
    /// What refuses when it is full of wrong ones.
    wrong: Vec<Bucket>,
    /// All strangers' at this address, and this one's wait.
    at: Option<(Bucket, Bucket)>,
    right: Bucket,
    _under_way: UnderWay<'a>,
}

/// Where somebody tries.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// A device that is or was lately signed in to the account.
    Known(Uuid),
    /// Anywhere else, by its address.
    Strange(IpAddr),
}

impl Place {
    /// Whether this account's devices of the last 90 days are shown to be this one: by its last refresh token, which need not work any more.
    pub async fn of(app: &App, account: Option<&Account>, from: IpAddr, shown: Option<&RefreshToken>) -> Answer<Self> {
        let Some(shown) = shown else { return Ok(Self::Strange(from)) };
        let since = app.clock.now() - REFRESH_LIFE;
        // Looked for without an account too: the time it takes tells nothing.
        let whose = account.map_or_else(Uuid::nil, |account| account.person_id);
        let family = store::known_device(&app.db, since, whose, shown.device_id).await?;
        let is_known = family.is_some_and(|family| secrets::same(&family, &shown.family_hash()));
        Ok(if is_known { Self::Known(shown.device_id) } else { Self::Strange(from) })
    }
}

impl<'a> Try<'a> {
    /// Begins to try a password on this address, before it is looked at: 429 if that is too often, with when to come again.
    pub async fn begin(app: &'a App, email_key: &str, place: Place) -> Answer<Self> {
        let (keys, now) = (&app.keys, app.clock.now());
        let guarding = |count: Count, whose: &str| Bucket::guarding(keys, count, email_key, whose);
        let (stranger, wrong, at) = match place {
            Place::Known(device) => (None, vec![guarding(Count::PasswordsOn, &device.to_string())], None),
            Place::Strange(from) => {
                app.limits.ask(Limit::FailuresFrom, from)?;
                let mut wrong = vec![guarding(Count::PasswordsFrom, &near(from).to_string())];
                if wide(from) != near(from) {
                    wrong.push(guarding(Count::PasswordsFromWide, &wide(from).to_string()));
                }
                // A wait is kept for the wider network: nobody may have 65,536 of them.
                let at = (guarding(Count::PasswordsAt, ""), guarding(Count::PasswordWait, &wide(from).to_string()));
                (Some(from), wrong, Some(at))
            }
        };
        let right = guarding(Count::SignIns, "");
        let waits = at.as_ref().map(|(_, wait)| wait);
        // Counted as under way first: whoever got a verdict meanwhile is in the database when it is asked.
        let under_way = app.limits.begin(wrong.iter().chain(waits).map(|bucket| bucket.at.key.clone()).collect());
        let of_address = at.iter().flat_map(|(at, wait)| [at, wait]);
        let asked: Vec<Vec<u8>> = wrong.iter().chain(of_address).chain([&right]).map(|bucket| bucket.at.key.clone()).collect();
        let levels = counts::look_up(&app.db, &asked).await?;
        for bucket in &wrong {
            bucket.room(bucket.count.rate(), &levels, under_way.count(&bucket.at.key), now)?;
        }
        right.room(right.count.rate(), &levels, 1, now)?;
        if let (Some(from), Some((at, wait))) = (stranger, &at) {
            let time = password_wait(at.level(&levels, now));
            if time > TimeDelta::zero() {
                if under_way.count(&wait.at.key) > 1 {
                    return Err(come_again(TimeDelta::seconds(1)));
                }
                if let Err(refused) = buckets::wait(app, wait, time, &levels, now).await {
                    app.limits.take(Limit::FailuresFrom, from)?;
                    return Err(refused);
                }
            }
        }
        Ok(Self { app, stranger, wrong, at, right, _under_way: under_way })
    }

    /// It was wrong: that is counted before anybody hears of it.
    pub async fn was_wrong(self, account: Option<&Account>) -> Answer<()> {
        let (now, wrong, at) = (self.app.clock.now(), self.wrong.clone(), self.at.clone());
        let owner = account.filter(|account| account.verified_at.is_some());
        let owner = owner.map(|account| (account.person_id, account.locale.unwrap_or(Language::En)));
        self.app.db.write("wrong_password", move |tx| Box::pin(async move { counted(tx, now, wrong, at, owner).await })).await?;
        if self.at.is_some() {
            self.app.letters_written.notify_one();
        }
        match self.stranger {
            Some(from) => self.app.limits.take(Limit::FailuresFrom, from),
            None => Ok(()),
        }
    }

    /// Where it is counted that it was right.
    pub fn right(&self) -> Bucket {
        self.right.clone()
    }

    /// It was right, and nothing else is written.
    pub async fn was_right(self) -> Answer<()> {
        let (now, right) = (self.app.clock.now(), self.right.clone());
        self.app.db.write("right_password", move |tx| Box::pin(async move { buckets::add(tx, now, vec![right]).await.map(drop) })).await
    }
}

async fn counted(
    tx: &mut Tx,
    now: DateTime<Utc>,
    mut wrong: Vec<Bucket>,
    at: Option<(Bucket, Bucket)>,
    owner: Option<(Uuid, Language)>,
) -> Answer<()> {
    let Some((at, wait)) = at else { return buckets::add(tx, now, wrong).await.map(drop) };
    wrong.push(at.clone());
    let levels = buckets::add(tx, now, wrong).await?;
    let level = at.level(&levels, now);
    if level > PASSWORDS_FREE {
        // The turn that was waited for is used up.
        counts::set(tx, now, vec![(wait.at.clone(), now)]).await?;
        if let Some((person_id, locale)) = owner {
            // Once a day, whatever is tried.
            let dedupe_key = Some(format!("sign_in_tried {person_id} {}", now.date_naive()));
            let letter = Letter { dedupe_key, ..Letter::to_person(person_id, locale, Facts::SignInTried { at: now }) };
            outbox::write(tx, now, vec![letter]).await?;
        } else {
            // As much work for an address whose owner nobody has to tell.
            counts::touch(tx, &wait.at.key).await?;
        }
    }
    Ok(())
}
