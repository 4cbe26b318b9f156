//! Who came: check-in by staff, and its undoing.

pub mod check_in;
