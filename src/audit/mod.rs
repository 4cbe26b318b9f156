//! The audit: who changed what, when, from which request; and the promises, checked on a live database.

mod check;
mod log;

pub use check::{Finding, Report, check};
pub use log::{Entry, Origin, write};
