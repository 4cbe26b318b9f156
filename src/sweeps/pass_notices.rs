//! Passes whose end is near: two weeks and two days ahead.

use super::kind::Kind;
use crate::passes;
use crate::transactor::Command;

pub(super) const KIND: Kind = Kind {
    name: "pass_notices",
    due: |tx, now, count_max| {
        Box::pin(async move {
            let due = passes::store::notices_due(tx, now, count_max).await?;
            Ok(due.into_iter().map(|(pass_id,)| Command::TellPassEnding { pass_id }).collect())
        })
    },
};
