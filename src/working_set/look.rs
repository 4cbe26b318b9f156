//! A decision that changes nothing is made on one snapshot of the database, by the same rows and rules as one that does.

use chrono::{DateTime, Utc};

use super::{Abort, Decision, WorkingSet};
use crate::db::Db;
use crate::problem::{Answer, Problem};

/// Rounds of loading: each asks for what the one before found missing.
const ROUNDS_MAX: usize = 16;

/// What a decision comes to that only looks. What it changes on the way, to see what would be, goes with the set.
pub async fn look<T>(db: &Db, now: DateTime<Utc>, decide: impl Fn(&mut WorkingSet) -> Decision<T> + Send + Sync) -> Answer<T> {
    let mut tx = db.read().await?;
    let mut set = WorkingSet::empty(true);
    for _ in 0..ROUNDS_MAX {
        let mark = set.mark();
        match decide(&mut set) {
            Err(Abort::Needs(keys)) => {
                set.back_to(mark);
                set.load(&mut tx, &keys.into_iter().collect(), now).await?;
            }
            Ok(found) => {
                tx.rollback().await;
                return Ok(found);
            }
            Err(Abort::Refused(problem)) => {
                tx.rollback().await;
                return Err(*problem);
            }
            Err(Abort::Alone) => break,
        }
    }
    Err(Problem::fault("a look came to no end"))
}
