//! Offers whose time is over.

use super::kind::Kind;
use crate::booking;
use crate::transactor::Command;

pub(super) const KIND: Kind = Kind {
    name: "offers",
    due: |tx, now, count_max| {
        Box::pin(async move {
            let due = booking::store::offers_due(tx, now, count_max).await?;
            Ok(due.into_iter().map(|(booking_id,)| Command::ExpireOffer { booking_id }).collect())
        })
    },
};
