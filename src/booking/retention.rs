//! Who came as a guest or visitor is kept for 90 days after the session: as long as somebody may ask who was there.

use std::time::Duration;

use chrono::TimeDelta;

use super::store;
use crate::app::App;
use crate::db::Error;
use crate::letters::outbox;

/// How long after the session a guest's name and address, and a visitor's name and number, are kept.
const GUESTS_KEPT: TimeDelta = TimeDelta::days(90);

/// The most bookings that one transaction clears: the writer is shared with the transactor.
const AT_ONCE: i64 = 500;

/// The pause between two transactions.
const PAUSE: Duration = Duration::from_millis(20);

/// Forgets the guests of sessions that are long over, for the nightly sweep. Returns how many.
pub async fn forget_guests(app: &App) -> Result<usize, Error> {
    let before = app.clock.now() - GUESTS_KEPT;
    let mut all = 0;
    loop {
        let forgotten = app.db.write("bookings.forget_guests", move |tx| {
            Box::pin(async move {
                let bookings = store::forget_guests(tx, before, AT_ONCE).await?;
                outbox::forget_guests(tx, &bookings).await?;
                Ok::<_, Error>(bookings.len())
            })
        });
        let forgotten = forgotten.await?;
        all += forgotten;
        if forgotten == 0 {
            return Ok(all);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
