//! The rows of each aggregate in a batch: what is known of them, what they are found by, and what a change must remember to be taken back.

pub mod bookings;
pub mod passes;
pub mod people;
pub mod requests;
pub mod resources;
pub mod series;
pub mod sessions;
pub mod studios;
