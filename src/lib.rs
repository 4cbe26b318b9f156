//! Relevé, the booking backend of barre and ballet-workout studios. The modules in reading order.

pub mod language;
pub mod letters;
