//! `releve worker`: letters and sweeps in a process of their own, beside `serve --no-worker`.

use std::time::Duration;

use tokio::time::Instant;

use super::background::BackgroundWork;
use super::serve::Door;
use super::{Failure, Place, needs_a_server, serve};
use crate::app::App;
use crate::clock::Clock;
use crate::routes::of_every_process;
use crate::running::metrics;
use crate::security::upkeep::keep_writing;
use crate::server;
use crate::settings::Settings;

/// How long the end may take once the port is closed, so that letters being handed over can finish.
const END_MAX: Duration = Duration::from_secs(7);

/// Sends letters and runs sweeps until SIGTERM or SIGINT.
pub async fn run(settings: Settings) -> Result<(), Failure> {
    let place = Place::of(&settings)?;
    if matches!(place, Place::File(_)) {
        return Err(needs_a_server("worker"));
    }
    let post = serve::prepare(&settings)?;
    let port = settings.server.worker_port;
    let door = if port == 0 { None } else { Some(Door::reserve(settings.server.address, port)?) };
    let db = serve::open_current(&settings, &place).await?;
    let listener = door.map(Door::open).transpose()?;
    let app = App::new(settings, db, Clock::System, post)?;
    metrics::install().map_err(|error| Failure::new(format!("cannot count: {error}")))?;
    let upkeep = tokio::spawn(metrics::keep_up());
    let background = BackgroundWork::start(&app);
    let noticed = tokio::spawn(keep_writing(app.clone()));
    let asked = serve::asked_to_end()?;
    tracing::info!(port, "working letters off");
    match listener {
        Some(listener) => {
            // No balancer sends requests here: it ends at once.
            let shutdown = async {
                asked.await;
                Duration::ZERO
            };
            server::serve_router(app.clone(), server::behind(app.clone(), of_every_process()), listener, shutdown).await;
        }
        None => drop(asked.await),
    }
    noticed.abort();
    serve::end(&app, Some(background), Instant::now() + END_MAX).await;
    upkeep.abort();
    Ok(())
}
