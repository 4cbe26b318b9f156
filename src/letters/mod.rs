//! Letters: one mail to one person, in that person's language, with a visible fate.
//!
//! A change writes a letter in its own transaction (`outbox`), with the facts frozen as they were ([`facts::Facts`]). The
//! [`worker::Worker`] leases rows that are due, puts the facts into words (`words/`), makes a mail of them (`message`, with a `calendar`
//! part where a place is held), sends it by a `transport` and settles its [`LetterState`]. `rules` says which letter overtakes which, when
//! a failed attempt is repeated, and when it is given up. If the process is killed between any two steps, the lease runs out, another
//! attempt is made, and the mail has the same Message-ID.

pub mod api;
pub mod calendar;
pub mod examples;
pub mod facts;
pub mod files;
pub mod message;
pub mod outbox;
pub mod pages;
pub mod phrases;
pub mod retention;
pub mod rules;
pub mod smtp;
pub mod store;
pub mod switches;
pub mod transport;
pub mod uids;
pub mod unsubscribe;
pub mod words;
pub mod worker;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A letter's fate. More may come: clients must tolerate what they do not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = LetterState)]
pub enum LetterState {
    /// Not yet tried.
    Queued,
    /// A worker has it.
    Sending,
    /// The mail server took it.
    Sent,
    /// An attempt failed, another will be made.
    Retrying,
    /// Refused for good, or given up after 48 h.
    Failed,
    /// Taken, and came back.
    Bounced,
    /// Events have overtaken it: it will not be sent.
    Obsolete,
}

impl LetterState {
    /// Whether it may still be sent.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Sending | Self::Retrying)
    }

    /// Whether it was given up and staff may have it sent again.
    pub const fn is_given_up(self) -> bool {
        matches!(self, Self::Failed | Self::Bounced)
    }
}
