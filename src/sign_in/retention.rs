//! How long signing in remembers: codes for a day, devices and invitations for 90 days after their end, accounts that were never
//! verified for 30 days.

use chrono::TimeDelta;

use super::{store, verification};
use crate::app::App;
use crate::problem::Answer;

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

/// Removes what has been kept long enough. How many rows and accounts; to be called again while accounts are left.
pub async fn sweep(app: &App) -> Answer<u64> {
    let now = app.clock.now();
    app.db
        .write("sign_in_retention", move |tx| {
            Box::pin(async move {
                let mut removed = store::sweep(tx, now - CODES, now - SIGN_IN_DATA).await?;
                removed += store::counts::remove_empty(tx, now, COUNTS_MAX).await?;
                for person_id in store::never_verified(tx, now - NEVER_VERIFIED, ACCOUNTS_MAX).await? {
                    verification::discard(tx, person_id).await?;
                    removed += 1;
                }
                Ok(removed)
            })
        })
        .await
}
