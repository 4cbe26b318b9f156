//! Sessions that are over, and in which it is not yet said of everybody whether they came.

use super::kind::Kind;
use crate::schedule;
use crate::transactor::Command;

pub(super) const KIND: Kind = Kind {
    name: "attendance",
    due: |tx, now, count_max| {
        Box::pin(async move {
            let due = schedule::store::attendance_due(tx, now, count_max).await?;
            Ok(due.into_iter().map(|(session_id,)| Command::FollowUpAttendance { session_id }).collect())
        })
    },
};
