//! Writing down what was noticed, and removing what was kept long enough.

use std::time::Duration;

use super::{KEPT, store};
use crate::app::App;
use crate::db::Error;

/// How often it is written down. A process that is killed loses as much.
const WRITE_EVERY: Duration = Duration::from_secs(5);
/// The most lines that one transaction removes: the writer is shared with the transactor.
const AT_ONCE: i64 = 1_000;
/// Rounds of one night; what is left waits for the next.
const ROUNDS_MAX: usize = 1_000;

/// Writes down what this process has noticed.
pub async fn write_down(app: &App) -> Result<(), Error> {
    app.noticed.write_down(&app.db, &app.keys).await
}

/// The same for as long as it runs.
pub async fn keep_writing(app: App) {
    let mut every = tokio::time::interval(WRITE_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if let Err(error) = write_down(&app).await {
            tracing::warn!(%error, "what was noticed at the door could not be written down; it is counted on");
        }
    }
}

/// Removes lines that have been kept long enough, for the nightly sweep. How many.
pub async fn sweep(app: &App) -> Result<u64, Error> {
    let before = app.clock.now() - KEPT;
    let mut all = 0;
    for _ in 0..ROUNDS_MAX {
        let removing =
            app.db.write("security.retention", move |tx| Box::pin(async move { store::remove_older(tx, before, AT_ONCE).await }));
        let removed: u64 = removing.await?;
        all += removed;
        if removed == 0 {
            break;
        }
    }
    Ok(all)
}
