//! Letters: one mail to one person, in her language, with a visible fate.

pub mod facts;
