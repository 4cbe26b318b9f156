//! Letters: one mail to one person, in her language, with a visible fate.
//!
//! A change writes a [`Letter`] in its own transaction (`outbox`); the worker leases the row, renders it in the reader's language
//! (`words/`), sends it by a transport and settles its fate.

pub mod calendar;
pub mod facts;
pub mod outbox;
pub mod phrases;
pub mod words;
