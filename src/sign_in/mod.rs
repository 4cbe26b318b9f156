//! Signing in: passwords, tokens, devices, codes, limits; and [`Caller`], who it is that asks.

pub mod caller;

pub use caller::Caller;
