//! The application: what a handler may touch.

use std::ops::Deref;
use std::sync::Arc;

use chrono::TimeDelta;
use tokio::sync::{Mutex, Notify};

use crate::clock::Clock;
use crate::db::Db;
use crate::events::live::Watched;
use crate::import::progress::Imports;
use crate::letters::transport::Post;
use crate::running::Running;
use crate::schedule::ScheduleCache;
use crate::security::noticed::Noticed;
use crate::settings::Settings;
use crate::sign_in::factors::passkeys::Passkeys;
use crate::sign_in::identities::Identities;
use crate::sign_in::keys::Keys;
use crate::sign_in::limits::Limits;
use crate::sign_in::passwords::Passwords;
use crate::sign_in::{RowsWritten, SetUpError};
use crate::transactor::{Transactor, TransactorTask};

/// Everything that lives as long as the process. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] is made of.
pub struct Parts {
    /// The settings of this deployment.
    pub settings: Settings,
    pub db: Db,
    pub clock: Clock,
    /// How letters are sent.
    pub post: Post,
    /// The deployment's keys.
    pub keys: Keys,
    /// Passkeys, where this is reached by a name.
    pub passkeys: Option<Passkeys>,
    /// The password hasher.
    pub passwords: Passwords,
    /// Who is signed in on a device.
    pub identities: Identities,
    /// The rate limits.
    pub limits: Limits,
    /// What was refused at the door, and is not written down yet.
    pub noticed: Noticed,
    /// Counts the rows written on behalf of people who are not signed in.
    pub rows_written: RowsWritten,
    /// Notified when letters have been written, so that the worker need not wait for its next poll.
    pub letters_written: Arc<Notify>,
    /// Decides every change of places and credits.
    pub transactor: Transactor,
    transactor_task: Mutex<Option<TransactorTask>>,
    /// The public schedule, encoded.
    pub schedule: ScheduleCache,
    /// The studios of which a page is open that wants to know what happens.
    pub watched: Watched,
    /// The imports at which this process is.
    pub imports: Imports,
    /// Whether the process is taking requests.
    pub running: Running,
}

impl App {
    /// Puts the parts together.
    pub fn new(settings: Settings, db: Db, clock: Clock, post: Post) -> Result<Self, SetUpError> {
        let keys = Keys::of_settings(&settings)?;
        keys.believe_older_until(clock.now() + TimeDelta::minutes(settings.sign_in.access_token_min));
        let passwords = Passwords::new(&settings.sign_in)?;
        let passkeys = Passkeys::of_settings(&settings)?;
        let letters_written = Arc::new(Notify::new());
        let (transactor, task) = Transactor::open(db.clone(), clock.clone(), Arc::clone(&letters_written));
        Ok(Self(Arc::new(Parts {
            keys,
            passkeys,
            passwords,
            identities: Identities::new(db.clone(), settings.sign_in.second_factor),
            limits: Limits::new(clock.clone()),
            noticed: Noticed::default(),
            rows_written: RowsWritten::default(),
            post,
            letters_written,
            transactor,
            transactor_task: Mutex::new(Some(task)),
            schedule: ScheduleCache::default(),
            watched: Watched::new(settings.server.connections_max / 4),
            imports: Imports::default(),
            running: Running::default(),
            settings,
            db,
            clock,
        })))
    }

    /// Closes the transactor: queued commands are decided and answered, new ones are refused.
    pub async fn close_transactor(&self) {
        if let Some(task) = self.transactor_task.lock().await.take() {
            task.stop().await;
        }
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
