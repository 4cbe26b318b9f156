//! Relevé, the booking backend of barre and ballet-workout studios. The modules in reading order.

// The facts of all problems stand in one literal (`openapi`).
#![recursion_limit = "256"]

pub mod app;
pub mod routes;

pub mod attendance;
pub mod booking;
pub mod calendars;
pub mod holds;
pub mod import;
pub mod passes;
pub mod penalties;
pub mod people;
pub mod reports;
pub mod schedule;
pub mod studios;
pub mod trail;
pub mod transactor;
pub mod working_set;

pub mod audit;
pub mod events;
pub mod letters;
pub mod security;
pub mod sign_in;
pub mod sweeps;

pub mod commands;
pub mod console;
pub mod data_directory;
pub mod demo;
mod number;
pub mod openapi;
pub mod public;
pub mod running;
pub mod server;

pub mod db;

pub mod clock;
pub mod etag;
pub mod extract;
pub mod families;
pub mod handler_signature;
pub mod ids;
pub mod instant;
pub mod language;
pub mod page;
pub mod problem;
pub mod search;
pub mod settings;
pub mod text;
pub mod transition;
pub mod wrong;
pub mod zones;
