//! `releve worker`: letters and sweeps in a process of their own, beside `serve --no-worker`.

use super::{Failure, Place, serve};
use crate::app::App;
use crate::clock::Clock;
use crate::letters::transport::Post;
use crate::letters::worker::{AtWork, Worker};
use crate::routes::of_every_process;
use crate::running::metrics;
use crate::server;
use crate::settings::Settings;
use crate::sweeps::{self, Sweeping};

/// Works letters off until SIGTERM or SIGINT.
pub async fn run(settings: Settings) -> Result<(), Failure> {
    let place = Place::of(&settings)?;
    if matches!(place, Place::File(_)) {
        return Err(needs_a_server("worker"));
    }
    let db = serve::open_current(&settings, &place).await?;
    let post = Post::open(&settings).map_err(Failure::new)?;
    let port = settings.server.worker_port;
    let listener = if port == 0 { None } else { Some(serve::listen(settings.server.address, port).await?) };
    let app = App::new(settings, db, Clock::System, post)?;
    metrics::install().map_err(|error| Failure::new(format!("cannot count: {error}")))?;
    let upkeep = tokio::spawn(metrics::keep_up());
    let hand = Hand::start(&app);
    let asked = serve::asked_to_end()?;
    tracing::info!(port, "working letters off");
    match listener {
        Some(listener) => server::serve_router(app.clone(), server::behind(app.clone(), of_every_process()), listener, asked).await,
        None => asked.await,
    }
    upkeep.abort();
    hand.stop().await;
    app.close_desk().await;
    app.db.close().await;
    Ok(())
}

/// The embedded database has one process.
pub fn needs_a_server(what: &str) -> Failure {
    Failure::new(format!(
        "`{what}` needs PostgreSQL (set DATABASE_URL): the embedded database belongs to one process, and `serve` sends letters itself"
    ))
}

/// What works beside the handlers of this process.
pub struct Hand {
    letters: AtWork,
    sweeping: Sweeping,
    app: App,
}

impl Hand {
    /// Begins to work.
    pub fn start(app: &App) -> Self {
        let letters = Worker::new(app.clone()).start();
        Self { letters, sweeping: sweeps::start(app.clone()), app: app.clone() }
    }

    /// Sweeps no more, takes no more letters, finishes or hands back what it has.
    pub async fn stop(self) {
        self.sweeping.stop().await;
        self.letters.stop().await;
        self.app.post.close().await;
    }
}
