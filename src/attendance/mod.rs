//! Attendance: who is in a session and who came. Checking in is the desk's; here is the roster that staff read.

pub mod api;
pub mod store;
