//! `releve worker`: letters and sweeps in a process of their own, beside `serve --no-worker`.

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Failure, Place, serve};
use crate::app::App;
use crate::clock::Clock;
use crate::settings::Settings;

/// Works letters off until SIGTERM or SIGINT.
pub async fn run(settings: Settings) -> Result<(), Failure> {
    let place = Place::of(&settings)?;
    if matches!(place, Place::File(_)) {
        return Err(needs_a_server("worker"));
    }
    let db = serve::open_current(&settings, &place).await?;
    let app = App::new(settings, db, Clock::System)?;
    let hand = Hand::start(&app);
    tracing::info!("working letters off");
    serve::asked_to_end()?.await;
    hand.stop().await;
    app.db.close().await;
    Ok(())
}

/// The embedded database has one process.
pub fn needs_a_server(what: &str) -> Failure {
    Failure::new(format!(
        "`{what}` needs PostgreSQL (set DATABASE_URL): the embedded database belongs to one process, and `serve` sends letters itself"
    ))
}

/// The worker of this process.
pub struct Hand {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Hand {
    /// Begins to work.
    pub fn start(_app: &App) -> Self {
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        });
        Self { stop, task }
    }

    /// Takes no more letters, finishes or hands back what it has.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}
