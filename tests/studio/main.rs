//! The studio's behaviour, told in its own language and run on both engines over real HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used)]
// The language is larger than what is said in it so far.
#![allow(dead_code)]

#[macro_use]
mod house;
mod accounts;
mod mail_server;
#[path = "../support/postgres.rs"]
mod postgres;
mod proxy;
#[path = "../support/routes.rs"]
mod routes;
mod seed;
mod speech;

mod audit;
mod bad_input;
mod booking;
mod calendars;
mod cancellation;
mod caps;
mod changes;
mod changing_class;
mod check_ins;
mod clocks;
mod console;
mod demo;
mod document;
mod door;
mod drafts;
mod families;
mod faults;
mod guests;
mod holds;
mod housekeeping;
mod imports;
mod leaving;
mod letters;
mod letters_read;
mod limits;
mod losing_postgres;
mod matrix;
mod merging;
mod no_shows;
mod offers;
mod parsers;
mod passes;
mod passes_kept;
mod passkeys;
mod passwords;
mod penalties;
mod people;
mod personal;
mod public;
mod races;
mod races_for_places;
mod registering;
mod reminders;
mod reports;
mod rights;
mod rules_by_type;
mod running_a_class;
mod running_a_studio;
mod schedule;
mod second_factors;
mod series;
mod signing_in;
mod simulation;
mod staff;
mod staff_bookings;
mod starting;
mod substitutes;
mod terms;
mod told;
mod too_few;
mod transactor;
mod visitors;
mod waiting_terms;
mod waitlist;
