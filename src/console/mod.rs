//! The console: pages for those who work in a studio, in the same process as the API and over the same code.
//!
//! A page reads what the API reads and changes things by the same commands; it asks for rights in its first line by the same guards. It is
//! whole without a script: forms are sent, and answered by a redirect; `console.js` only spares the reader the new page. Whoever signs in
//! here has a device like any other (`cookie`, `staff`). What comes from another site changes nothing (`guard`).
//!
//! `routes` is the table of contents. A page is a file here and a template in `pages/`; its frame is `frame`, its words `words`.

pub mod account;
pub mod assets;
pub mod attendance;
pub mod availability;
pub mod booking;
pub mod class_type;
pub mod closing_days;
pub mod consequences;
pub mod cookie;
pub mod copying;
pub mod demo_links;
pub mod durations;
pub mod erasure;
pub mod files;
pub mod form;
pub mod frame;
pub mod guard;
pub mod home;
pub mod house_rules;
pub mod imports;
pub mod kiosk;
pub mod letter_previews;
pub mod letters;
pub mod live;
pub mod member;
pub mod members;
pub mod merging;
pub mod monday;
pub mod new_studio;
pub mod pass;
pub mod pass_transfer;
pub mod pass_types;
pub mod pictures;
pub mod publication;
pub mod qr;
pub mod room;
pub mod roster;
pub mod routes;
pub mod rule_examples;
pub mod schedule;
pub mod sentences;
pub mod series;
pub mod session;
pub mod session_form;
pub mod settings;
pub mod setup;
pub mod sign_in;
pub mod staff;
pub mod substitutes;
pub mod team;
pub mod today;
pub mod trail;
pub mod walk_in;
pub mod words;
