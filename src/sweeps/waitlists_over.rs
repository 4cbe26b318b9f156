//! Sessions in which somebody still waits though no way in is left.

use super::kind::Kind;
use crate::booking;
use crate::transactor::Command;

pub(super) const KIND: Kind = Kind {
    name: "waitlists_over",
    due: |tx, now, count_max| {
        Box::pin(async move {
            let due = booking::store::waiting_over(tx, now, count_max).await?;
            Ok(due.into_iter().map(|(session_id,)| Command::CloseWaitlist { session_id }).collect())
        })
    },
};
