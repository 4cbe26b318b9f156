//! Members who have a place: the day before and, for those who want it, two hours before.

use super::kind::Kind;
use crate::booking;
use crate::transactor::Command;

pub(super) const KIND: Kind = Kind {
    name: "reminders",
    due: |tx, now, count_max| {
        Box::pin(async move {
            let due = booking::store::reminders_due(tx, now, count_max).await?;
            Ok(due.into_iter().map(|(session_id,)| Command::Remind { session_id }).collect())
        })
    },
};
