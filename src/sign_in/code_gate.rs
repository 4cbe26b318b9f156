//! The one gate for all letters with a code: whoever asks for one, for whatever purpose, passes here.
//!
//! Letters are billed to who asks, a person who is signed in or a network, so that nobody's letters are used up by somebody elsewhere.
//! What goes to one address, or out of the whole deployment, is counted too, but keeps nobody out: those who ask for an address that many
//! ask for wait, each for themselves, and while the deployment sends very many, each asker gets one at a time.

use chrono::{DateTime, TimeDelta, Utc};

use super::buckets::{self, Asker, Bucket};
use super::rules::limits::{Count, Rate, is_strained, letter_wait, strained};
use super::store::Purpose;
use super::store::counts::{self, Levels};
use crate::app::App;
use crate::db::Tx;
use crate::problem::Answer;

/// What a code is for, as letters are counted: each purpose for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// One that is typed: for an address, a password, a deletion.
    Code(Purpose),
    /// An invitation to a studio's staff.
    Invitation,
}

/// The right to one letter with a code. It is used in the transaction that writes the letter.
#[derive(Clone, Debug)]
#[must_use = "a letter that is not counted has no limit"]
pub struct Pass {
    /// What refuses when it is full.
    refusing: Vec<Bucket>,
    to: Bucket,
    all: Bucket,
    /// Their wait, if they had one: it is used up by the letter.
    waited: Option<Bucket>,
    /// Who asked, as it is kept with the code.
    pub asked_by: Vec<u8>,
}

/// Asks for a letter to this address, before any work is done: 429 if that is too often, with when to come again.
pub async fn ask(app: &App, asker: Asker, wish: Wish, email_key: &str) -> Answer<Pass> {
    let (keys, now) = (&app.keys, app.clock.now());
    let mut refusing = vec![Bucket::of(keys, Count::LettersFor, &format!("{wish:?} {email_key} {}", asker.name()))];
    match asker {
        Asker::Person(_) => refusing.push(Bucket::of(keys, Count::LettersBy, &asker.name())),
        Asker::Network(address) => {
            refusing.push(Bucket::of(keys, Count::LettersFrom, &super::limits::network(address).to_string()));
            refusing.push(Bucket::of(keys, Count::LettersFromWide, &asker.wide_name()));
        }
    }
    let mut pass = Pass {
        refusing,
        to: Bucket::of(keys, Count::LettersTo, email_key),
        all: Bucket::of(keys, Count::Letters, ""),
        waited: None,
        asked_by: asker.hash(keys),
    };
    let wait = Bucket::of(keys, Count::LetterWait, &format!("{email_key} {}", asker.wide_name()));
    let asked: Vec<Vec<u8>> = pass.buckets().chain([&wait]).map(|bucket| bucket.at.key.clone()).collect();
    let levels = counts::look_up(&app.db, &asked).await?;
    pass.have_room(&levels, now)?;
    let time = letter_wait(pass.to.level(&levels, now));
    if time > TimeDelta::zero() {
        buckets::wait(app, &wait, time, &levels, now).await?;
        pass.waited = Some(wait);
    }
    Ok(pass)
}

impl Pass {
    fn buckets(&self) -> impl Iterator<Item = &Bucket> {
        self.refusing.iter().chain([&self.to, &self.all])
    }

    fn have_room(&self, levels: &Levels, now: DateTime<Utc>) -> Answer<()> {
        let is_strained = is_strained(self.all.level(levels, now));
        if is_strained {
            tracing::warn!("codes are asked for so often that each asker gets one at a time");
        }
        let rate = |count: Count| -> Rate { if is_strained { strained(count) } else { count.rate() } };
        self.refusing.iter().try_for_each(|bucket| bucket.room(rate(bucket.count), levels, 1, now).map(drop))
    }

    /// Counts the letter, where it counts: 429 if others of the same asker were faster.
    pub async fn count(&self, tx: &mut Tx, now: DateTime<Utc>) -> Answer<()> {
        let at: Vec<_> = self.buckets().map(|bucket| bucket.at.clone()).collect();
        let levels = counts::hold(tx, now, &at).await?;
        self.have_room(&levels, now)?;
        let fuller = self.buckets().cloned().map(|bucket| bucket.one_more(&levels, now));
        let fuller = fuller.chain(self.waited.iter().map(|wait| (wait.at.clone(), now))).collect();
        Ok(counts::set(tx, now, fuller).await?)
    }
}
