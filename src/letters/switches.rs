//! Which letters a person may do without. Codes, and whatever changes or costs them something, are not among them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A kind of letter that may be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// The reminder a day before a class.
    Reminder24h,
    /// The one two hours before.
    Reminder2h,
    /// The end of a pass is near.
    PassesEnding,
    /// A place came free for which they wait, and it is the first taker's.
    PlacesFree,
}

impl Switch {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Reminder24h, Self::Reminder2h, Self::PassesEnding, Self::PlacesFree];

    /// As `/v1/me` calls it, and the link that turns it off.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reminder24h => "reminder_24h",
            Self::Reminder2h => "reminder_2h",
            Self::PassesEnding => "passes_ending",
            Self::PlacesFree => "places_free",
        }
    }

    /// The kind of letter that it is about.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Reminder24h => "reminder_24h",
            Self::Reminder2h => "reminder_2h",
            Self::PassesEnding => "pass_ending",
            Self::PlacesFree => "place_free",
        }
    }

    /// The switch of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|switch| switch.as_str() == name)
    }

    /// The switch of letters of this kind; `None`: they are always sent.
    pub fn of_kind(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|switch| switch.kind() == kind)
    }
}

/// Which of these letters a person wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, sqlx::FromRow, ToSchema)]
#[schema(as = LetterSwitches)]
pub struct Switches {
    /// A reminder a day before a class.
    #[sqlx(rename = "wants_reminder_24h")]
    pub reminder_24h: bool,
    /// One two hours before.
    #[sqlx(rename = "wants_reminder_2h")]
    pub reminder_2h: bool,
    /// Letters about passes that end soon.
    #[sqlx(rename = "wants_passes_ending")]
    pub passes_ending: bool,
    /// Letters about places that came free for the first who takes them.
    #[sqlx(rename = "wants_places_free")]
    pub places_free: bool,
}

impl Switches {
    pub const fn is_on(&self, switch: Switch) -> bool {
        match switch {
            Switch::Reminder24h => self.reminder_24h,
            Switch::Reminder2h => self.reminder_2h,
            Switch::PassesEnding => self.passes_ending,
            Switch::PlacesFree => self.places_free,
        }
    }

    /// Whether letters of this kind are wanted: of those that cannot be switched off every one is.
    pub fn want(&self, kind: &str) -> bool {
        Switch::of_kind(kind).is_none_or(|switch| self.is_on(switch))
    }

    /// Whether the reminder so many hours before is.
    pub const fn wants_reminder(&self, hours: i64) -> bool {
        if hours == 2 { self.reminder_2h } else { self.reminder_24h }
    }
}

/// What changes of it: what is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LetterSwitchesChange)]
#[allow(missing_docs, reason = "as in `Switches`")]
pub struct SwitchesChange {
    pub reminder_24h: Option<bool>,
    pub reminder_2h: Option<bool>,
    pub passes_ending: Option<bool>,
    pub places_free: Option<bool>,
}

impl SwitchesChange {
    /// Turns this one off and leaves the others.
    pub fn off(switch: Switch) -> Self {
        let mut change = Self::default();
        *change.of(switch) = Some(false);
        change
    }

    fn of(&mut self, switch: Switch) -> &mut Option<bool> {
        match switch {
            Switch::Reminder24h => &mut self.reminder_24h,
            Switch::Reminder2h => &mut self.reminder_2h,
            Switch::PassesEnding => &mut self.passes_ending,
            Switch::PlacesFree => &mut self.places_free,
        }
    }

    /// The kinds of letters that are not wanted any more.
    pub fn turned_off(mut self) -> Vec<&'static str> {
        Switch::ALL.into_iter().filter(|switch| *self.of(*switch) == Some(false)).map(Switch::kind).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letters::rules::carries_code;
    use crate::letters::words::tests::facts_of_every_kind;

    #[test]
    fn codes_and_consequences_are_always_sent() {
        let off = Switches { reminder_24h: false, reminder_2h: false, passes_ending: false, places_free: false };
        let unwanted: Vec<_> = facts_of_every_kind().into_iter().map(|(kind, _)| kind).filter(|kind| !off.want(kind)).collect();
        assert_eq!(unwanted, ["pass_ending", "place_free", "reminder_24h", "reminder_2h"]);
        assert!(!unwanted.into_iter().any(carries_code));
        for switch in Switch::ALL {
            assert_eq!((Switch::named(switch.as_str()), Switch::of_kind(switch.kind())), (Some(switch), Some(switch)));
            assert_eq!(SwitchesChange::off(switch).turned_off(), [switch.kind()]);
        }
        assert_eq!(Switch::named("booked"), None);
    }
}
