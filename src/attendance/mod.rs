//! Attendance: who is in a session and who came. The roster is read here; checking in, its undoing, and what follows a class for those whom
//! nobody has marked are commands to the transactor.

pub mod api;
pub mod check_in;
pub mod correct;
pub mod door;
pub mod follow_up;
pub mod rules;
pub mod store;
