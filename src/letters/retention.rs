//! Letters' words, facts and addresses are kept for 13 months; their fates are kept without them.

use std::time::Duration;

use super::{rules, store};
use crate::app::App;
use crate::db::Error;

/// The most letters that one transaction erases: the writer is shared with the transactor.
const AT_ONCE: i64 = 500;

/// The pause between two transactions.
const PAUSE: Duration = Duration::from_millis(20);

/// Erases what has been kept long enough, for the nightly sweep. Returns how many letters.
pub async fn erase_old(app: &App) -> Result<u64, Error> {
    let before = rules::bodies_live_since(app.clock.now());
    let mut all = 0;
    loop {
        let erased =
            app.db.write("letters.erase", move |tx| Box::pin(async move { store::erase_older(tx, before, AT_ONCE).await })).await?;
        all += erased;
        if erased == 0 {
            return Ok(all);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
