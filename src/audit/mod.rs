//! The audit: who changed what, when, from which request; and the promises, checked on a live database.

mod check;

pub use check::{Finding, Report, check};
