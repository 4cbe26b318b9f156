//! New ids: UUIDs of version 7 (RFC 9562), whose order is the order of time.

use chrono::{DateTime, Utc};
use uuid::{NoContext, Timestamp, Uuid};

/// A new id that sorts by `now`.
#[allow(clippy::disallowed_methods, reason = "the one place that makes ids")]
pub fn new_id(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
}
