//! Which studios are watched: an open page wants to know when something happens in one.
//!
//! For each of them one task asks the log, however many pages watch, and ends with the last of them. It asks and is not told, as this process
//! is not the only one that writes: there is the command line, and on PostgreSQL a worker of its own.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use super::log;
use crate::db::{Db, Error};

/// How long after it happened something is known here at the latest.
const ASKED_EVERY: Duration = Duration::from_millis(500);

/// How many pages one device watches at once: only what is looked at does. One more ends the oldest, which may be a page that was left
/// without a word.
pub const OF_DEVICE_MAX: usize = 6;

/// The studios that are watched, and by whom.
#[derive(Clone, Debug)]
pub struct Watched {
    state: Arc<Mutex<State>>,
    watches_max: usize,
}

#[derive(Debug, Default)]
struct State {
    /// With the number of each one's last event.
    studios: HashMap<Uuid, watch::Sender<i64>>,
    /// The watches of each device, the oldest first.
    devices: HashMap<Uuid, Vec<(u64, oneshot::Sender<()>)>>,
    watches: usize,
    begun: u64,
}

/// One page that watches a studio, until it is dropped.
#[derive(Debug)]
pub struct Watch {
    /// The number of the studio's last event, and whenever there is another.
    pub last: watch::Receiver<i64>,
    /// Completes when the same device watches too much else.
    pub pushed_out: oneshot::Receiver<()>,
    device_id: Uuid,
    nth: u64,
    watched: Watched,
}

impl Watched {
    /// Nobody watches yet; so many may at once.
    pub fn new(watches_max: usize) -> Self {
        Self { state: Arc::default(), watches_max }
    }

    /// Watches a studio for a device. `None`: too many watch already, and whoever is one too many asks now and then instead.
    pub async fn watch(&self, db: &Db, studio_id: Uuid, device_id: Uuid) -> Result<Option<Watch>, Error> {
        let last = log::last(db, studio_id).await?;
        let mut state = self.state();
        let of_device = state.devices.entry(device_id).or_default();
        if of_device.len() >= OF_DEVICE_MAX {
            of_device.remove(0);
        } else if state.watches >= self.watches_max {
            return Ok(None);
        } else {
            state.watches += 1;
        }
        let (end, pushed_out) = oneshot::channel();
        let nth = state.begun;
        state.begun += 1;
        state.devices.entry(device_id).or_default().push((nth, end));
        let last = match state.studios.entry(studio_id) {
            Entry::Occupied(watched) => watched.get().subscribe(),
            Entry::Vacant(place) => {
                tokio::spawn(self.clone().ask(db.clone(), studio_id));
                place.insert(watch::Sender::new(last)).subscribe()
            }
        };
        drop(state);
        Ok(Some(Watch { last, pushed_out, device_id, nth, watched: self.clone() }))
    }

    async fn ask(self, db: Db, studio_id: Uuid) {
        loop {
            tokio::time::sleep(ASKED_EVERY).await;
            if let Entry::Occupied(watched) = self.state().studios.entry(studio_id)
                && watched.get().receiver_count() == 0
            {
                watched.remove();
                return;
            }
            match log::last(&db, studio_id).await {
                Ok(last) => {
                    if let Some(watched) = self.state().studios.get(&studio_id) {
                        watched.send_if_modified(|known| std::mem::replace(known, last) != last);
                    }
                }
                Err(error) => tracing::debug!(%error, "cannot ask whether something happened"),
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.watched.state();
        let Entry::Occupied(mut device) = state.devices.entry(self.device_id) else { return };
        let before = device.get().len();
        device.get_mut().retain(|(nth, _)| *nth != self.nth);
        let gone = before - device.get().len();
        if device.get().is_empty() {
            device.remove();
        }
        // One that was pushed out gave its place to the next.
        state.watches -= gone;
    }
}
