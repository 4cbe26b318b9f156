//! Attendance: who is in a session and who came. The roster is read here; checking in, and its undoing, are commands to the transactor.

pub mod api;
pub mod check_in;
pub mod store;
