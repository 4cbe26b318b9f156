//! Studios, their rooms and their house rules.

pub mod house_rules;

pub use house_rules::HouseRules;
