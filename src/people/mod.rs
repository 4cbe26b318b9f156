//! Persons.
pub mod store;
