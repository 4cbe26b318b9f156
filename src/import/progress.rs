//! How far an import is, as long as this process is at it. Nothing of it is stored: an import is done whole or was never there.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::Kind;

/// How long somebody waits to look at a file while somebody else does.
const WAIT_MAX: Duration = Duration::from_secs(3);

/// The imports at which this process is.
#[derive(Clone)]
pub struct Imports {
    running: Arc<Mutex<HashMap<Uuid, Running>>>,
    /// A file of 32 MiB is held several times over while it is read: one at a time.
    places: Arc<Semaphore>,
    /// So is one that somebody looks at before it is imported.
    looks: Arc<Semaphore>,
}

impl Default for Imports {
    fn default() -> Self {
        Self { running: Arc::default(), places: Arc::new(Semaphore::new(1)), looks: Arc::new(Semaphore::new(1)) }
    }
}

/// An import that is under way.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "columns of an import")]
pub struct Running {
    pub studio_id: Uuid,
    pub kind: Kind,
    lines: Arc<AtomicI64>,
    done: Arc<AtomicI64>,
}

impl Running {
    /// How many lines it has; 0 until they are counted.
    pub fn lines(&self) -> i64 {
        self.lines.load(Ordering::Relaxed)
    }

    /// How many of them are written.
    pub fn done(&self) -> i64 {
        self.done.load(Ordering::Relaxed)
    }

    /// It has so many.
    pub fn has_lines(&self, lines: i64) {
        self.lines.store(lines, Ordering::Relaxed);
    }

    /// So many are written, of a transaction that may still be taken back.
    pub fn is_at(&self, done: i64) {
        self.done.store(done, Ordering::Relaxed);
    }
}

/// The right to import; given up when it is dropped.
pub struct Turn {
    /// How far it is.
    pub running: Running,
    id: Uuid,
    imports: Imports,
    _place: OwnedSemaphorePermit,
}

impl Imports {
    /// Begins, if this process is at no other one.
    pub fn begin(&self, id: Uuid, studio_id: Uuid, kind: Kind) -> Option<Turn> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let running = Running { studio_id, kind, lines: Arc::default(), done: Arc::default() };
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(id, running.clone());
        Some(Turn { running, id, imports: self.clone(), _place: place })
    }

    /// Waits for the right to look at a file that is not imported yet; `None` if that takes too long.
    pub async fn look(&self) -> Option<OwnedSemaphorePermit> {
        tokio::time::timeout(WAIT_MAX, Arc::clone(&self.looks).acquire_owned()).await.ok()?.ok()
    }

    /// How far an import is; `None` if this process is not at it.
    pub fn running(&self, id: Uuid) -> Option<Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.imports.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
