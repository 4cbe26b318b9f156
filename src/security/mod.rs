//! What happened at the door, for the eyes of whom it concerns: sign-ins refused and accepted, codes, locks, changed passwords and roles,
//! refused rights, exports, deletions.
//!
//! There are two ways in. What was done is an event of the log like any other, and its line here follows from it in the same
//! transaction (`events::security`). What was refused writes nothing while somebody waits: the server's front sees the refusal, `noticed`
//! counts it in memory, and every few seconds the counts are written. So a refusal costs an attacker's address the same as a member's, and
//! no flood of them fills the disk (`rules`). Lines carry ids and keyed hashes, and live for 90 days.

pub mod api;
pub mod noticed;
pub mod rules;
pub mod store;
pub mod upkeep;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long a line lives.
pub const KEPT: TimeDelta = TimeDelta::days(90);

/// A keyed hash of a network or an address: the same for the same one, and nobody without the deployment's key finds out which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark(pub [u8; 12]);

impl Mark {
    /// As the database keeps it.
    pub fn bytes(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

/// As people see it.
pub fn shown(mark: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(mark)
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = SecurityEventKind)]
pub enum Kind {
    /// A device was signed in.
    SignedIn,
    /// A device was signed out.
    SignedOut,
    /// A password was not right.
    SignInRefused,
    /// Too many were tried: it was not looked at.
    SignInLimited,
    /// A refresh token that its device had left behind was shown: the device was signed out.
    TokenReused,
    /// A code was asked for.
    CodeAsked,
    /// A code was not right.
    CodeRefused,
    /// Somebody who is signed in typed a password that is not theirs.
    PasswordRefused,
    /// A password was right, and a second factor was asked for.
    SecondFactorAsked,
    /// What was shown then was not right.
    SecondFactorRefused,
    /// A second factor was added.
    SecondFactorAdded,
    /// A second factor was taken away.
    SecondFactorRemoved,
    /// All second factors were taken away by staff or on the command line, for somebody who had lost them.
    SecondFactorsReset,
    /// There are new recovery codes.
    RecoveryCodesRenewed,
    /// A new password by the old one.
    PasswordChanged,
    /// A new password by a code.
    PasswordReset,
    /// Somebody registered with the address.
    Registered,
    /// The address was confirmed.
    AddressVerified,
    /// Another address was asked for.
    AddressChangeAsked,
    /// Another address counts.
    AddressChanged,
    /// An account became that of a person whom a front desk had entered.
    AccountClaimed,
    /// Somebody was invited to a studio's staff.
    StaffInvited,
    /// An invitation was accepted.
    StaffJoined,
    /// Roles were given or taken.
    RolesSet,
    /// Somebody became an owner.
    OwnerMade,
    /// Something was asked for that the person may not do.
    RightRefused,
    /// Everything that is a person's own was taken along.
    Exported,
    /// A private calendar address was made.
    CalendarMade,
    /// A private calendar address was revoked.
    CalendarRevoked,
    /// The account's deletion was asked for.
    DeletionAsked,
    /// It was taken back.
    DeletionUndone,
    /// The account was deleted.
    PersonDeleted,
    /// A device that checks members in was added at a studio's door.
    KioskAdded,
    /// It was taken away.
    KioskRemoved,
}

impl Kind {
    /// As the database and the API spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::SignedOut => "signed_out",
            Self::SignInRefused => "sign_in_refused",
            Self::SignInLimited => "sign_in_limited",
            Self::TokenReused => "token_reused",
            Self::CodeAsked => "code_asked",
            Self::CodeRefused => "code_refused",
            Self::PasswordRefused => "password_refused",
            Self::SecondFactorAsked => "second_factor_asked",
            Self::SecondFactorRefused => "second_factor_refused",
            Self::SecondFactorAdded => "second_factor_added",
            Self::SecondFactorRemoved => "second_factor_removed",
            Self::SecondFactorsReset => "second_factors_reset",
            Self::RecoveryCodesRenewed => "recovery_codes_renewed",
            Self::PasswordChanged => "password_changed",
            Self::PasswordReset => "password_reset",
            Self::Registered => "registered",
            Self::AddressVerified => "address_verified",
            Self::AddressChangeAsked => "address_change_asked",
            Self::AddressChanged => "address_changed",
            Self::AccountClaimed => "account_claimed",
            Self::StaffInvited => "staff_invited",
            Self::StaffJoined => "staff_joined",
            Self::RolesSet => "roles_set",
            Self::OwnerMade => "owner_made",
            Self::RightRefused => "right_refused",
            Self::Exported => "exported",
            Self::CalendarMade => "calendar_made",
            Self::CalendarRevoked => "calendar_revoked",
            Self::DeletionAsked => "deletion_asked",
            Self::DeletionUndone => "deletion_undone",
            Self::PersonDeleted => "person_deleted",
            Self::KioskAdded => "kiosk_added",
            Self::KioskRemoved => "kiosk_removed",
        }
    }
}
