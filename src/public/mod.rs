//! The public face: a studio's schedule for anybody, and the pages on which members book.
//!
//! Whoever has the address sees the schedule and a class; who signs in lands on what they chose. A page reads what the API reads, and a form
//! does what an app does: it is handed to the handler of the API's call, so that an app may be written by what is done here. Everything
//! works without a script. The cookie, its guard and the look are the console's.
//!
//! `routes` is the table of contents. A page is a file here and a template in `pages/`; its frame is `frame`, its words `words`.

pub mod account;
pub mod booking;
pub mod class;
pub mod frame;
pub mod installed;
pub mod invitation;
pub mod linked_data;
pub mod me;
pub mod reader;
pub mod routes;
pub mod schedule;
pub mod sign_in;
pub mod words;
