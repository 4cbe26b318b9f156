//! People who asked to leave seven days ago.

use super::kind::Kind;
use crate::people;
use crate::transactor::Command;

pub(super) const KIND: Kind = Kind {
    name: "deletions",
    due: |tx, now, count_max| {
        Box::pin(async move {
            let due = people::store::deletions_due(tx, now, count_max).await?;
            Ok(due.into_iter().map(|person_id| Command::RemovePerson { person_id }).collect())
        })
    },
};
