//! The audit trail: who did what in a studio, when, and to what, told from the log of events for those who run it.
//!
//! The log itself is written in the transaction that made each event true (`events::log`) and keeps ids alone; here it is read, with the names
//! that the studio knows by now, and told in words. `words` has a line for every event of the code.

pub mod api;
pub mod store;
pub mod words;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an event is about, to look for it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EventKind)]
pub enum Kind {
    /// Bookings, waiting, arrivals, penalties.
    Bookings,
    /// Who became a member, was looked at, suspended, merged or left; families.
    Members,
    /// Passes of members: sold, given, frozen, refunded.
    Passes,
    /// Sessions, series, places kept back, closing days, substitutes.
    Schedule,
    /// Who works here, invitations, devices.
    Team,
    /// What the studio is made of: its particulars, rooms, class types, pass types, house rules, devices at the door, imports, letters.
    Studio,
    /// Accounts of people, in no studio.
    Accounts,
}
