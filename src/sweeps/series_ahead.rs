//! Series whose next sessions have come within reach.

use super::kind::Kind;
use crate::schedule;
use crate::transactor::Command;

pub(super) const KIND: Kind = Kind {
    name: "series_ahead",
    due: |tx, now, count_max| {
        Box::pin(async move {
            let due = schedule::series::store::due(tx, now, count_max).await?;
            Ok(due.into_iter().map(|(series_id,)| Command::MakeAhead { series_id }).collect())
        })
    },
};
