//! Requests for substitutes that go to the admins, or expire.

use super::kind::Kind;
use crate::schedule;
use crate::transactor::Command;

pub(super) const KIND: Kind = Kind {
    name: "substitutes",
    due: |tx, now, count_max| {
        Box::pin(async move {
            let due = schedule::substitutes::store::due(tx, now, count_max).await?;
            Ok(due.into_iter().map(|(request_id,)| Command::SubstituteDue { request_id }).collect())
        })
    },
};
