//! How long signing in remembers: codes and devices that showed no second factor for a day, devices and invitations for 90 days after their
//! end, accounts that were never verified for 30 days.

use chrono::TimeDelta;
use uuid::Uuid;

use super::{factors, store, verification};
use crate::app::App;
use crate::problem::{Answer, Problem};

/// Codes answer for fifteen minutes.
const CODES: TimeDelta = TimeDelta::days(1);
/// As docs/product.md promises for sign-in data.
const SIGN_IN_DATA: TimeDelta = TimeDelta::days(90);
/// An account whose address was never confirmed.
const NEVER_VERIFIED: TimeDelta = TimeDelta::days(30);
/// Counts that one transaction removes at most.
const COUNTS_MAX: i64 = 5_000;
/// Accounts that one transaction removes at most.
const ACCOUNTS_MAX: i64 = 100;

/// Second factors that are looked at together.
const FACTORS_MAX: i64 = 100;

/// Seals second factors by the newest key that an older one sealed, so that the older can be taken away.
pub async fn renew_seals(app: &App) -> Answer<()> {
    let mut after = Uuid::nil();
    loop {
        let rows = factors::store::sealed(&app.db, after, FACTORS_MAX).await?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        after = *last;
        let mut renewed = Vec::new();
        for (id, sealed) in rows {
            renewed.extend(app.keys.renew_factor_seal(id, &sealed)?.map(|sealed| (id, sealed)));
        }
        if !renewed.is_empty() {
            app.db
                .write("renew_seals", move |tx| {
                    Box::pin(async move { factors::store::set_sealed(tx, renewed).await.map_err(Problem::from) })
                })
                .await?;
        }
    }
}

/// Removes what has been kept long enough. How many rows and accounts; to be called again while accounts are left.
pub async fn sweep(app: &App) -> Answer<u64> {
    let now = app.clock.now();
    app.db
        .write("sign_in_retention", move |tx| {
            Box::pin(async move {
                let mut removed = store::sweep(tx, now - CODES, now - SIGN_IN_DATA).await?;
                removed += store::counts::remove_empty(tx, now, COUNTS_MAX).await?;
                removed += factors::store::sweep(tx, now).await?;
                for person_id in store::never_verified(tx, now - NEVER_VERIFIED, ACCOUNTS_MAX).await? {
                    verification::discard(tx, person_id).await?;
                    removed += 1;
                }
                Ok(removed)
            })
        })
        .await
}
