//! What was noticed and is not written down yet. Counting takes a lock and no more; writing is a task's of its own (`upkeep`), every few
//! seconds, so that nobody who is refused waits for it, and nobody sees by the time whether there is such an account.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::rules::{Hour, Sighting, Tally, Whom};
use super::store;
use crate::db::{Db, Error};
use crate::sign_in::keys::Keys;

/// The tally of this process.
#[derive(Debug, Default)]
pub struct Noticed {
    tally: Mutex<Tally>,
    /// What was told apart in this hour; held while it is written, so that one writes at a time.
    hour: tokio::sync::Mutex<Hour>,
}

impl Noticed {
    /// One more.
    pub fn add(&self, sighting: Sighting, request_id: &str, now: DateTime<Utc>) {
        self.tally().add(sighting, Some(request_id.to_owned()), now);
    }

    /// Writes down what was noticed until now. If that fails it is counted on, and the next time writes it.
    pub async fn write_down(&self, db: &Db, keys: &Keys) -> Result<(), Error> {
        let mut hour = self.hour.lock().await;
        let noticed = self.tally().take();
        if noticed.is_empty() {
            return Ok(());
        }
        let written = async {
            let mut addresses: Vec<String> = noticed.iter().filter_map(|(sighting, _)| address_of(sighting)).collect();
            addresses.sort_unstable();
            addresses.dedup();
            let owners = store::owners(db, &addresses).await?;
            let lines = hour.lines(noticed.clone(), &owners, |address| keys.mark("address", address.as_bytes()));
            db.write("security.noticed", move |tx| Box::pin(async move { store::count(tx, lines).await })).await
        };
        let outcome: Result<(), Error> = written.await;
        if outcome.is_err() {
            let mut tally = self.tally();
            noticed.into_iter().for_each(|(sighting, count)| tally.merge(sighting, count));
        }
        outcome
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn address_of(sighting: &Sighting) -> Option<String> {
    match &sighting.whom {
        Whom::Address(key) => Some(key.clone()),
        Whom::Person(_) | Whom::Nobody => None,
    }
}
