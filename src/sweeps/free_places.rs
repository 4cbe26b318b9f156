//! Sessions with a free place in which somebody waits: time alone may have made them able to take it.

use super::kind::Kind;
use crate::booking;
use crate::transactor::Command;

pub(super) const KIND: Kind = Kind {
    name: "free_places",
    due: |tx, now, count_max| {
        Box::pin(async move {
            let due = booking::store::refillable(tx, now, count_max).await?;
            Ok(due.into_iter().map(|(session_id,)| Command::Refill { session_id }).collect())
        })
    },
};
