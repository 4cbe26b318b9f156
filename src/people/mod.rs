//! People: members, staff and their roles, one's own account, and how to leave.
//!
//! A person is entered by a front desk, or registers (`sign_in`), or both. What a studio writes down of them, name and number, stands
//! with the studio (`members`); what they say of themselves stands with the person (`me`). Roles are held per studio (`staff`, `invitations`),
//! `owner` for the deployment (`owner`). Everything that is theirs can be taken along (`export`). Who leaves is forgotten after seven
//! days; what was booked and paid stays under an id without a name (`deletion`, and the public page in `pages`). Which columns say
//! something of a person, and what becomes of each, stands in one list (`store::personal`). Whoever has no account is erased by an admin
//! (`erase`).

pub mod deletion;
pub mod erase;
pub mod erasure;
pub mod export;
pub mod invitations;
pub mod join_staff;
pub mod leaving;
pub mod me;
pub mod members;
pub mod merge;
pub mod merging;
pub mod owner;
pub mod pages;
pub mod particulars;
pub mod remove;
pub mod roles;
pub mod rules;
pub mod search_keys;
pub mod set_roles;
pub mod staff;
pub mod staff_devices;
pub mod store;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::language::Language;
use crate::letters::switches::Switches;
use crate::studios::house_rules::WallTime;
use roles::Roles;

/// A person as decisions need them.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: Uuid,
    /// Their name, for the list of members of a studio that they join.
    pub name: String,
    /// Their language, if they named one.
    pub locale: Option<Language>,
    /// Whether letters reach them.
    pub has_address: bool,
    /// Whether their address is verified.
    pub verified: bool,
    /// Whether they asked for longer offers.
    pub longer_offers: bool,
    /// When they are not to be moved in or offered a place.
    pub quiet_hours: Option<QuietHours>,
    /// Which letters they want, of those that may be switched off.
    pub letters: Switches,
    /// What they may do, and where.
    pub roles: Roles,
}

impl Person {
    /// Somebody of whom nothing is known, and who may do nothing: a visitor.
    pub fn nameless(id: Uuid) -> Self {
        Self {
            id,
            name: String::new(),
            locale: None,
            has_address: false,
            verified: false,
            longer_offers: false,
            quiet_hours: None,
            letters: Switches { reminder_24h: true, reminder_2h: false, passes_ending: true, places_free: true },
            roles: Roles::new(false, Vec::new()),
        }
    }
}

/// A member's own quiet hours, by the wall of the studio in question; they may span midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// From then …
    pub from: WallTime,
    /// … until then.
    pub until: WallTime,
}

impl QuietHours {
    /// `(from, until)`.
    pub const fn pair(self) -> (WallTime, WallTime) {
        (self.from, self.until)
    }
}
