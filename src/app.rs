//! The application: what a handler may touch.

use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::{Mutex, Notify};

use crate::clock::Clock;
use crate::db::Db;
use crate::desk::{Desk, Working};
use crate::letters::transport::Post;
use crate::running::Running;
use crate::settings::Settings;

/// Everything that lives as long as the process. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] is made of.
pub struct Parts {
    /// The settings of this deployment.
    pub settings: Settings,
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// By which way letters leave.
    pub post: Post,
    /// Rung when letters were written, so that the worker need not wait for its next look.
    pub letters_written: Arc<Notify>,
    /// Where places and credits change hands.
    pub desk: Desk,
    desk_working: Mutex<Option<Working>>,
    /// Whether the process is taking requests.
    pub running: Running,
}

impl App {
    /// Puts the parts together.
    pub fn new(settings: Settings, db: Db, clock: Clock, post: Post) -> Self {
        let letters_written = Arc::new(Notify::new());
        let (desk, working) = Desk::open(db.clone(), clock.clone(), Arc::clone(&letters_written));
        let desk_working = Mutex::new(Some(working));
        Self(Arc::new(Parts { settings, db, clock, post, letters_written, desk, desk_working, running: Running::default() }))
    }

    /// Closes the desk: what waits is decided and answered, nothing new is taken.
    pub async fn close_desk(&self) {
        if let Some(working) = self.desk_working.lock().await.take() {
            working.stop().await;
        }
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
