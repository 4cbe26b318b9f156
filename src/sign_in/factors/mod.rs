//! The second factor: what somebody shows besides their password.
//!
//! An authenticator app's secret is enrolled and confirmed by a first code, a passkey by its authenticator's answer (`enrolment`,
//! `passkeys`); the first one brings ten recovery codes. From then on a device that has shown the right password is not signed in: it
//! awaits the factor, and is asked for it with a challenge of five minutes (`challenge`). Which code counts is decided in one place
//! (`proof`), under the lock of the account, so that no code counts twice. Admins and owners may be required to have a factor (`rules`); as
//! long as they have none, what only they may do is refused.
//!
//! Whether somebody has a factor is told to nobody who has not shown the right password.

pub mod challenge;
pub mod enrolment;
pub mod passkeys;
pub mod proof;
pub mod rules;
pub mod store;
pub mod totp;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The kinds of second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = SecondFactorKind)]
pub enum FactorKind {
    /// An authenticator app, whose code of six digits changes every 30 seconds (RFC 6238).
    Totp,
    /// A passkey (WebAuthn): a phone, a computer or a key that one unlocks.
    Passkey,
}

/// What can be shown when a second factor is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SecondFactorProof)]
pub enum ProofKind {
    /// A passkey's answer.
    Passkey,
    /// The code that an authenticator app shows.
    Totp,
    /// One of the codes that were given out for whoever has lost the rest.
    RecoveryCode,
}
