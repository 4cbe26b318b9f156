//! Class types and sessions: what is on, where, with whom, and how many places are left.

pub mod rules;
