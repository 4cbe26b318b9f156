//! What a device does not ask for again is forgotten: check-ins under the ids that devices chose. The arrivals stay, in the bookings.

use chrono::TimeDelta;

use super::store;
use crate::app::App;
use crate::db::Error;

/// Far longer than a device is believed.
const KEPT: TimeDelta = TimeDelta::days(7);
/// The most rows that one transaction removes: the writer is shared with the transactor.
const AT_ONCE: i64 = 1_000;
/// Rounds of one night; what is left waits for the next.
const ROUNDS_MAX: usize = 1_000;

/// Removes what has been kept long enough, for the nightly sweep.
pub async fn sweep(app: &App) -> Result<(), Error> {
    let before = app.clock.now() - KEPT;
    for _ in 0..ROUNDS_MAX {
        let removing = app.db.write("check_ins.retention", move |tx| Box::pin(store::forget_check_ins(tx, before, AT_ONCE)));
        if removing.await? == 0 {
            break;
        }
    }
    Ok(())
}
