//! Who is behind a device now: roles and state, looked up together for all who wait, and believed for at most five seconds.
//!
//! In a rush of two thousand members the first lookup is one query for one device; while it runs the others gather, and the next
//! query answers them all. What this process revokes it forgets at once; what another process revokes holds after five seconds.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use uuid::Uuid;

use super::{Identity, store};
use crate::db::Db;
use crate::problem::{Answer, Problem, ProblemType};
use crate::settings::RequiredOf;

/// How long an answer is believed.
const BELIEVED: Duration = Duration::from_secs(5);
/// Answers that are kept at most.
const KNOWN_MAX: usize = 50_000;
/// Devices that one query asks for at most.
const BATCH_MAX: usize = 4_096;
/// Requests that may wait for their answer; one more is told to come again.
const WAITING_MAX: usize = 16_384;

/// An identity, `None` for a device that is signed out or never was, or why it could not be looked up.
type Found = Answer<Option<Arc<Identity>>>;

/// The loader. Cheap to clone.
#[derive(Clone)]
pub struct Identities(Arc<Inner>);

struct Inner {
    db: Db,
    /// Who must have a second factor.
    factor: RequiredOf,
    state: Mutex<State>,
    queries: AtomicU64,
}

#[derive(Default)]
struct State {
    known: HashMap<Uuid, Known>,
    waiting: HashMap<Uuid, Vec<oneshot::Sender<Found>>>,
    waiters: usize,
    loading: bool,
    /// Rises with every [`Identities::forget_device`]: an answer that was being read then is not kept.
    forgotten: u64,
}

struct Known {
    identity: Option<Arc<Identity>>,
    since: Instant,
}

impl Identities {
    /// Knows nobody yet.
    pub fn new(db: Db, factor: RequiredOf) -> Self {
        Self(Arc::new(Inner { db, factor, state: Mutex::default(), queries: AtomicU64::new(0) }))
    }

    /// Who is behind this device, as of at most five seconds ago.
    pub async fn of(&self, device_id: Uuid) -> Found {
        let answer = {
            let mut state = self.0.state();
            if let Some(known) = state.known.get(&device_id)
                && known.since.elapsed() < BELIEVED
            {
                return Ok(known.identity.clone());
            }
            if state.waiters >= WAITING_MAX {
                return Err(Problem::new(ProblemType::Busy).retry_after(1));
            }
            let (sender, answer) = oneshot::channel();
            state.waiting.entry(device_id).or_default().push(sender);
            state.waiters += 1;
            if !state.loading {
                state.loading = true;
                tokio::spawn(load(Arc::clone(&self.0)));
            }
            answer
        };
        answer.await.unwrap_or_else(|_| Err(Problem::new(ProblemType::Unavailable).retry_after(1)))
    }

    /// This device was signed out.
    pub fn forget_device(&self, device_id: Uuid) {
        let mut state = self.0.state();
        state.forgotten += 1;
        state.known.remove(&device_id);
    }

    /// This person's roles, state or devices changed.
    pub fn forget_person(&self, person_id: Uuid) {
        let mut state = self.0.state();
        state.forgotten += 1;
        state.known.retain(|_, known| known.identity.as_ref().is_none_or(|identity| identity.person_id != person_id));
    }

    /// How many queries were made.
    pub fn queries(&self) -> u64 {
        self.0.queries.load(Ordering::Relaxed)
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers whoever waits, until nobody does.
async fn load(inner: Arc<Inner>) {
    /// Lets the next caller start another loader, should this one ever end by a panic.
    struct Loading<'i>(&'i Inner);
    impl Drop for Loading<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                self.0.state().loading = false;
            }
        }
    }
    let _loading = Loading(&inner);
    loop {
        let (batch, forgotten) = {
            let mut state = inner.state();
            if state.waiting.is_empty() {
                state.loading = false;
                return;
            }
            (take(&mut state), state.forgotten)
        };
        let devices: Vec<Uuid> = batch.iter().map(|(device_id, _)| *device_id).collect();
        inner.queries.fetch_add(1, Ordering::Relaxed);
        // From when the question is asked: what is committed after it may be missing from the answer.
        let since = Instant::now();
        let read = store::identities(&inner.db, inner.factor, &devices).await;
        let mut read = match read {
            Ok(read) => read,
            Err(error) => {
                let problem = Problem::from(error);
                for sender in batch.into_iter().flat_map(|(_, senders)| senders) {
                    let _ = sender.send(Err(problem.clone()));
                }
                continue;
            }
        };
        let mut answers = Vec::with_capacity(batch.len());
        {
            let mut state = inner.state();
            if state.known.len() + batch.len() > KNOWN_MAX {
                state.known.retain(|_, known| since.duration_since(known.since) < BELIEVED);
            }
            if state.known.len() + batch.len() > KNOWN_MAX {
                state.known.clear();
            }
            for (device_id, senders) in batch {
                let identity = read.remove(&device_id).map(Arc::new);
                if state.forgotten == forgotten {
                    state.known.insert(device_id, Known { identity: identity.clone(), since });
                }
                answers.push((identity, senders));
            }
        }
        for (identity, senders) in answers {
            for sender in senders {
                let _ = sender.send(Ok(identity.clone()));
            }
        }
    }
}

/// Those who wait, as many as one query asks for.
fn take(state: &mut State) -> Vec<(Uuid, Vec<oneshot::Sender<Found>>)> {
    let batch: Vec<_> = if state.waiting.len() <= BATCH_MAX {
        state.waiting.drain().collect()
    } else {
        let devices: Vec<Uuid> = state.waiting.keys().take(BATCH_MAX).copied().collect();
        devices.into_iter().filter_map(|device_id| state.waiting.remove_entry(&device_id)).collect()
    };
    state.waiters -= batch.iter().map(|(_, senders)| senders.len()).sum::<usize>();
    batch
}
