//! Holds whose time is over.

use super::kind::Kind;
use crate::holds;
use crate::transactor::Command;

pub(super) const KIND: Kind = Kind {
    name: "holds",
    due: |tx, now, count_max| {
        Box::pin(async move {
            let due = holds::store::due(tx, now, count_max).await?;
            Ok(due.into_iter().map(|(hold_id,)| Command::ExpireHold { hold_id }).collect())
        })
    },
};
