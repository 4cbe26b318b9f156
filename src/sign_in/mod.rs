//! Signing in: passwords, tokens, devices, codes, limits; and [`Caller`], the person who asks.
//!
//! Somebody registers (`registration`) and has an account whose address is not verified; others may register the same address. The code of
//! a letter shows whose the mailbox is (`verification`), a secret or the password which registration was theirs: only then do they become
//! the person whom a studio may have entered by this address. A password opens a device (`signing`), which shows a second factor where its
//! person has one (`factors`). Its access token lasts 15 minutes and is renewed by refresh tokens (`refreshing`; their rotation, and the
//! lost answer, in `rotation`). A request's token names the device; who is behind it is looked up for all who wait together
//! (`identities`).
//!
//! Whoever is not signed in learns nothing about an address: answers are the same, and so are the hashes made and the rows written.

pub mod acceptance;
pub mod address;
pub mod buckets;
pub mod caller;
pub mod code_gate;
pub mod codes;
pub mod factors;
mod hs256;
pub mod identities;
pub mod keys;
pub mod limits;
pub mod line;
pub mod password;
pub mod passwords;
pub mod refreshing;
pub mod registration;
pub mod retention;
pub mod rotation;
pub mod rules;
pub mod secrets;
pub mod signing;
pub mod store;
pub mod tokens;
pub mod tries;
pub mod verification;
pub mod visitor;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::language::Language;
use crate::people::roles::Roles;

pub use caller::Caller;
pub use visitor::{Visitor, client_ip};

/// The fewest bytes of a deployment's secret.
pub(super) const SECRET_BYTES_MIN: usize = 32;

/// Why signing in cannot be set up: one line for the operator.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// Nobody named keys, and this is not the embedded default, which makes its own.
    #[error(
        "sign_in.keys is empty: with a database that is named, name the keys too, the same in every process: \
         RELEVE__SIGN_IN__KEYS=\"$(openssl rand -base64 32)\""
    )]
    KeysMissing,
    /// One of them is no key.
    #[error("sign_in.keys: key {nth} must be base64 of {} bytes or more", SECRET_BYTES_MIN)]
    NoKey {
        /// Which one, from 1.
        nth: usize,
    },
    /// The data directory's file of keys cannot be had.
    #[error("{}: {source}", path.display())]
    File {
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Passkeys cannot be used as the settings say.
    #[error("sign_in.passkey_domain, sign_in.passkey_origins: {why}; the domain must be that of the origins, or one above it")]
    Passkeys {
        /// What it says.
        why: String,
    },
    /// argon2 does not take these settings.
    #[error("sign_in.argon2_memory_kib, sign_in.argon2_passes: {why}")]
    Hashing {
        /// What it says.
        why: String,
    },
}

/// Who is behind a device that is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub person_id: Uuid,
    /// Whether the person's address is verified.
    pub verified: bool,
    /// What they may do, and where.
    pub roles: Roles,
    /// The language that they chose.
    pub locale: Option<Language>,
    /// Whether they must have a second factor.
    pub factor_required: bool,
    /// Whether they must and have none: then `roles` are without what only admins and owners hold.
    pub factor_missing: bool,
}

/// An answer that says nothing: `{}`.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
#[schema(as = EmptyAnswer)]
pub struct Nothing {}

/// Rows that calls by people who are not signed in wrote, so that tests can see that as many are written for an address that nobody
/// has as for one that somebody has.
#[derive(Debug, Default)]
pub struct RowsWritten(AtomicU64);

impl RowsWritten {
    /// How many more.
    pub fn add(&self, rows: u64) {
        self.0.fetch_add(rows, Ordering::Relaxed);
    }

    /// How many so far.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
