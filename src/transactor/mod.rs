//! The transactor: where places and credits change hands, one batch at a time in the whole deployment.
//!
//! A handler passes a [`Command`] to [`Transactor::submit`] and waits (`queue`). The transactor takes all that wait (at most 256), loads
//! what they name, decides each in arrival order on the rows as the earlier ones left them, writes everything by set-based statements,
//! commits, and only then answers (`batch`). `command` lists what can be asked and which file of which slice decides it, as `routes.rs`
//! lists the URLs. Nothing stays in memory between batches.

mod batch;
pub mod command;
mod preview;
mod queue;
mod turn_away;

pub use command::{Command, Outcome, Request, decide};
pub use preview::{BookingChange, PlannedLetter, Preview};
pub use queue::{Transactor, TransactorTask};
