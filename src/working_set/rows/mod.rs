//! The rows of each aggregate in a batch: what is known of them, their indexes, and what undoing a change needs.

pub mod bookings;
pub mod check_ins;
pub mod holds;
pub mod offers;
pub mod passes;
pub mod penalties;
pub mod people;
pub mod requests;
pub mod resources;
pub mod series;
pub mod sessions;
pub mod studios;
