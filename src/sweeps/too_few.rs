//! Sessions with a minimum: the warning an hour before it is decided whether enough have booked, and the decision.

use super::kind::Kind;
use crate::schedule;
use crate::transactor::Command;

pub(super) const KIND: Kind = Kind {
    name: "too_few",
    due: |tx, now, count_max| {
        Box::pin(async move {
            let due = schedule::store::too_few_due(tx, now, count_max).await?;
            Ok(due.into_iter().map(|(session_id,)| Command::DecideTooFew { session_id }).collect())
        })
    },
};
