//! Which studios are watched: an open page wants to know when something happens in one.
//!
//! For each of them one task asks the log, however many pages watch, and ends with the last of them. It asks and is not told, as this process
//! is not the only one that writes: there is the command line, and on PostgreSQL a worker of its own.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use uuid::Uuid;

use super::log;
use crate::db::{Db, Error};

/// How long after it happened something is known here at the latest.
const ASKED_EVERY: Duration = Duration::from_millis(500);

/// How many pages watch one studio at once. Whoever is one too many asks now and then instead.
pub const WATCHERS_MAX: usize = 200;

/// The studios that are watched, with the number of each one's last event.
#[derive(Clone, Debug, Default)]
pub struct Watched(Arc<Mutex<HashMap<Uuid, watch::Sender<i64>>>>);

impl Watched {
    /// The number of the studio's last event, now and whenever there is another. `None`: too many watch already.
    pub async fn watch(&self, db: &Db, studio_id: Uuid) -> Result<Option<watch::Receiver<i64>>, Error> {
        if let Some(watched) = self.studios().get(&studio_id) {
            return Ok(one_more(watched));
        }
        let last = log::last(db, studio_id).await?;
        match self.studios().entry(studio_id) {
            Entry::Occupied(watched) => Ok(one_more(watched.get())),
            Entry::Vacant(place) => {
                tokio::spawn(self.clone().ask(db.clone(), studio_id));
                Ok(one_more(place.insert(watch::Sender::new(last))))
            }
        }
    }

    async fn ask(self, db: Db, studio_id: Uuid) {
        loop {
            tokio::time::sleep(ASKED_EVERY).await;
            if let Entry::Occupied(watched) = self.studios().entry(studio_id)
                && watched.get().receiver_count() == 0
            {
                watched.remove();
                return;
            }
            match log::last(&db, studio_id).await {
                Ok(last) => {
                    if let Some(watched) = self.studios().get(&studio_id) {
                        watched.send_if_modified(|known| std::mem::replace(known, last) != last);
                    }
                }
                Err(error) => tracing::debug!(%error, "cannot ask whether something happened"),
            }
        }
    }

    fn studios(&self) -> MutexGuard<'_, HashMap<Uuid, watch::Sender<i64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn one_more(watched: &watch::Sender<i64>) -> Option<watch::Receiver<i64>> {
    (watched.receiver_count() < WATCHERS_MAX).then(|| watched.subscribe())
}
