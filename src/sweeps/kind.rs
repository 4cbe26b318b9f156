//! What every kind of thing that falls due provides.

use chrono::{DateTime, Utc};

use crate::db::{Eventually, Tx};
use crate::transactor::Command;

/// A kind of thing that falls due.
pub struct Kind {
    /// Its label in `/metrics`.
    pub name: &'static str,
    /// What is due now, at most this many, each as the command that deals with it.
    pub due: for<'t> fn(&'t mut Tx, DateTime<Utc>, i64) -> Eventually<'t, Vec<Command>>,
}
