//! The audit: who changed what, when, from which request; and the promises, checked on a live database.

mod log;

pub use log::{Entry, Record, write};
