//! On what terms a waiting member wants to be moved in, or offered a place, without being asked again. They bind Relevé alone: what the
//! member takes with a tap of their own, or staff give them, is theirs.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::letters::facts::PassedOver;

/// The longest notice that may be asked for: 14 days.
pub const NOTICE_MINUTES_MAX: i64 = 20_160;

/// A member's conditions on an entry of a waitlist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Conditions {
    /// Not later than so many minutes before the start.
    pub notice_minutes_min: Option<i64>,
    /// Not after this instant.
    pub not_after: Option<DateTime<Utc>>,
    /// Not if they have another place in the studio on that local day.
    pub one_a_day: bool,
    /// Only together with this booking, if it waits for the same session and says the same of this one.
    pub with: Option<Uuid>,
}

impl Conditions {
    /// Whether there is none.
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }

    /// Why a place that is free `now` is not the member's by these terms. `another` is whether they have another place in the studio on that
    /// local day.
    pub fn against(&self, starts_at: DateTime<Utc>, another: bool, now: DateTime<Utc>) -> Option<PassedOver> {
        let notice = self.notice_minutes_min.map(|minutes| starts_at - Duration::minutes(minutes));
        if self.not_after.is_some_and(|until| now > until) {
            return Some(PassedOver::TooLate);
        }
        if notice.is_some_and(|until| now > until) {
            return Some(PassedOver::ShortNotice);
        }
        (self.one_a_day && another).then_some(PassedOver::OneADay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        format!("{text}:00Z").parse().unwrap()
    }

    #[test]
    fn on_what_terms_a_member_is_moved_in() {
        let none = Conditions::default();
        let notice = Conditions { notice_minutes_min: Some(120), ..none.clone() };
        let until = Conditions { not_after: Some(utc("2026-12-01T12:00")), ..none.clone() };
        let one = Conditions { one_a_day: true, ..none.clone() };
        let all = Conditions { one_a_day: true, not_after: until.not_after, ..notice.clone() };
        let (late, short, day) = (Some(PassedOver::TooLate), Some(PassedOver::ShortNotice), Some(PassedOver::OneADay));
        for (conditions, now, another, expected) in [
            (&none, "2026-12-01T17:00", true, None),
            (&notice, "2026-12-01T15:00", true, None),
            (&notice, "2026-12-01T15:01", false, short),
            (&until, "2026-12-01T12:00", true, None),
            (&until, "2026-12-01T12:01", false, late),
            (&one, "2026-12-01T16:59", false, None),
            (&one, "2026-11-01T00:00", true, day),
            (&all, "2026-12-01T11:00", false, None),
            (&all, "2026-12-01T11:00", true, day),
            (&all, "2026-12-01T16:00", true, late),
        ] {
            assert_eq!(conditions.against(utc("2026-12-01T17:00"), another, utc(now)), expected, "{conditions:?} {now} {another}");
        }
        assert!(none.are_none() && !one.are_none());
    }

    /// What a version to come may add is no obstacle to reading what this one knows.
    #[test]
    fn what_was_stored_is_read() {
        let stored = r#"{"one_a_day":true,"spot_zones":["centre"]}"#;
        assert_eq!(serde_json::from_str::<Conditions>(stored).unwrap(), Conditions { one_a_day: true, ..Conditions::default() });
    }
}
