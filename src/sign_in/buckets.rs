//! The buckets of the database that somebody's try or wish is counted in, by whom it is made.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::keys::Keys;
use super::limits::{near, wide};
use super::rules::limits::{Count, Rate, Turn, WAIT_COUNTS, turn};
use super::store::counts::{self, BucketKey, Levels};
use crate::app::App;
use crate::db::Tx;
use crate::problem::{Answer, Problem, ProblemType};

/// Who tries a code, or asks for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// Somebody who is signed in, wherever they are.
    Person(Uuid),
    /// Anybody from this address.
    Network(IpAddr),
}

impl Asker {
    /// What is kept of them: enough to know them again, and nothing to know them by.
    pub fn hash(self, keys: &Keys) -> Vec<u8> {
        keyed(keys, "asker", &self.name())
    }

    /// A network is as wide as what strangers are counted in: a phone that changes its address is still the same asker.
    pub fn name(self) -> String {
        match self {
            Self::Person(id) => format!("person {id}"),
            Self::Network(address) => format!("network {}", near(address)),
        }
    }

    /// The same, as wide as a provider gives networks to one customer.
    pub fn wide_name(self) -> String {
        match self {
            Self::Person(_) => self.name(),
            Self::Network(address) => format!("network {}", wide(address)),
        }
    }
}

/// What is kept of an address: all that guards its account carries it.
pub fn account(keys: &Keys, email_key: &str) -> Vec<u8> {
    keyed(keys, "account", email_key)
}

fn keyed(keys: &Keys, what: &str, whose: &str) -> Vec<u8> {
    let mut hash = keys.hash_code(&format!("limits: {what}"), whose);
    // As many as there may be, 128 bits do not meet.
    hash.truncate(16);
    hash
}

/// One bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    pub count: Count,
    pub at: BucketKey,
}

impl Bucket {
    /// A bucket of nobody's account.
    pub fn of(keys: &Keys, count: Count, whose: &str) -> Self {
        Self { count, at: BucketKey { key: keyed(keys, &format!("{count:?}"), whose), account: None } }
    }

    /// A bucket that guards the account of this address, and is emptied with it.
    pub fn guarding(keys: &Keys, count: Count, email_key: &str, whose: &str) -> Self {
        let mut bucket = Self::of(keys, count, &format!("{email_key} {whose}"));
        bucket.at.account = Some(account(keys, email_key));
        bucket
    }

    /// When it will have leaked empty.
    pub fn empty_at(&self, levels: &Levels) -> Option<DateTime<Utc>> {
        levels.get(&self.at.key).copied()
    }

    /// How many are in it.
    pub fn level(&self, levels: &Levels, now: DateTime<Utc>) -> i64 {
        self.count.rate().level(self.empty_at(levels), now)
    }

    /// Refuses with 429 what has no room in it.
    pub fn room(&self, rate: Rate, levels: &Levels, more: i64, now: DateTime<Utc>) -> Answer<DateTime<Utc>> {
        rate.with(more, self.empty_at(levels), now).map_err(come_again)
    }

    /// Itself with one more, or as full as it can be.
    pub fn one_more(self, levels: &Levels, now: DateTime<Utc>) -> (BucketKey, DateTime<Utc>) {
        let empty_at = self.count.rate().with_at_most(1, self.empty_at(levels), now);
        (self.at, empty_at)
    }
}

/// 429, to come again then.
pub fn come_again(wait: TimeDelta) -> Problem {
    let micros = u64::try_from(wait.num_microseconds().unwrap_or(i64::MAX)).unwrap_or(0);
    Problem::new(ProblemType::TooManyRequests).retry_after(micros.div_ceil(1_000_000).max(1))
}

/// Lets pass who has waited so long, and refuses whoever has not with 429 and what is left. Who comes for the first time begins to wait:
/// each for themselves, so that nobody else can take their turn.
pub async fn wait(app: &App, bucket: &Bucket, wait: TimeDelta, levels: &Levels, now: DateTime<Utc>) -> Answer<()> {
    match turn(wait, bucket.empty_at(levels), now) {
        Turn::Now => Ok(()),
        Turn::In(left) => Err(come_again(left)),
        Turn::After(whole) => {
            let begun = vec![(bucket.at.clone(), now + whole + WAIT_COUNTS)];
            app.db.write("wait", move |tx| Box::pin(async move { counts::set(tx, now, begun).await.map_err(Problem::from) })).await?;
            Err(come_again(whole))
        }
    }
}

/// Counts one more in each of these, whether or not there is room.
pub async fn add(tx: &mut Tx, now: DateTime<Utc>, buckets: Vec<Bucket>) -> Answer<Levels> {
    let at: Vec<BucketKey> = buckets.iter().map(|bucket| bucket.at.clone()).collect();
    let levels = counts::hold(tx, now, &at).await?;
    let fuller: Vec<_> = buckets.into_iter().map(|bucket| bucket.one_more(&levels, now)).collect();
    let after = fuller.iter().map(|(at, empty_at)| (at.key.clone(), *empty_at)).collect();
    counts::set(tx, now, fuller).await?;
    Ok(after)
}
