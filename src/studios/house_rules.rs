//! A studio's policy: its house rules with their defaults, which of them this version enforces, and what values they may have.
//!
//! In the API and in `studios.house_rules` they are one flat object, a field per rule. A rule that a stored row lacks has its default, and
//! one that this version does not know is left alone, so that versions may follow each other on one database. Pure.

use chrono::{NaiveTime, Timelike};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::text::is_currency;
use crate::wrong::Wrong;

/// A field and what is wrong with it.
pub type InvalidRule = (String, Wrong);

/// A time of the day in the studio's wall time: `HH:MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, example = "12:00", pattern = r"^([01]\d|2[0-3]):[0-5]\d$")]
pub struct WallTime(NaiveTime);

impl WallTime {
    /// The time at this hour and minute, taken within the day.
    pub fn at(hour: u32, minute: u32) -> Self {
        Self(NaiveTime::from_hms_opt(hour % 24, minute % 60, 0).unwrap_or(NaiveTime::MIN))
    }

    /// The time at this minute of the day.
    pub fn of_minute(minute: i64) -> Self {
        let minute = u32::try_from(minute).unwrap_or(0);
        Self::at(minute / 60, minute)
    }

    /// Reads `HH:MM`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 5 {
            return None;
        }
        NaiveTime::parse_from_str(text, "%H:%M").ok().map(Self)
    }

    pub fn time(self) -> NaiveTime {
        self.0
    }

    /// Minutes since midnight on the clock's face.
    pub fn minute(self) -> i64 {
        i64::from(self.0.hour() * 60 + self.0.minute())
    }
}

impl Serialize for WallTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.format("%H:%M"))
    }
}

impl<'de> Deserialize<'de> for WallTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| Wrong::NotTimeOfDay.refuse())
    }
}

/// What happens to a place that comes free after the promotion cut-off, until offers end. Then it is public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AfterCutoff {
    /// Public at once; one letter to each who waits.
    Open,
    /// Offered in the queue's order.
    Offers,
    /// Everybody who waits is asked, and the place kept for them: the first who takes it has it.
    NotifyAll,
    /// It is kept for whom staff give it to.
    Staff,
}

/// What instructors may do with their own sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InstructorsSchedule {
    /// They make, change and cancel them.
    Own,
    /// They propose, an admin publishes.
    Propose,
    /// Only admins schedule.
    None,
}

macro_rules! house_rules {
    ($($(#[doc = $doc:literal])+ $rule:ident: $of:ty = $default:expr, $active:literal;)*) => {
        /// The rules of a house. Fields end in their unit: `_days`, `_hours`, `_min` (minutes); `_at`, `_until`, `_from` are local times.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
        #[serde(default)]
        pub struct HouseRules {
            $($(#[doc = $doc])+ pub $rule: $of,)*
        }

        impl Default for HouseRules {
            fn default() -> Self {
                Self { $($rule: $default,)* }
            }
        }

        /// For each rule, whether this version enforces it. One that is not active is stored and shown, and changes nothing yet.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
        #[allow(missing_docs, reason = "the same names as the rules")]
        #[schema(as = RulesInForce)]
        pub struct Active {
            $(pub $rule: bool,)*
        }

        impl Active {
            fn table() -> Self {
                Self { $($rule: $active,)* }
            }
        }

        /// The names of the rules, in the order in which they are shown.
        pub const RULES: &[&str] = &[$(stringify!($rule),)*];
    };
}

house_rules! {
    /// Booking opens this many days before the session's local date …
    booking_opens_days: i64 = 14, true;
    /// … at this local time.
    booking_opens_at: WallTime = WallTime::at(12, 0), true;
    /// Booking closes this many minutes before the start.
    booking_closes_min: i64 = 0, true;
    /// Cancelling is free until this many minutes before the start.
    free_cancel_min: i64 = 720, true;
    /// If set, for sessions that start before noon cancelling is free until this local time of the evening before instead.
    free_cancel_morning_until: Option<WallTime> = None, true;
    /// Whatever the cut-off, cancelling is free for this many minutes after a booking, never past the start.
    grace_booking_min: i64 = 5, true;
    /// The same after a promotion, counted outside quiet hours.
    grace_promotion_min: i64 = 15, true;
    /// Promotion is automatic until this many minutes before the start; null: until the free-cancel cut-off of the session.
    promotion_until_min: Option<i64> = None, true;
    /// What happens to a place that comes free after that.
    after_cutoff: AfterCutoff = AfterCutoff::Open, true;
    /// How long an offer stands.
    offer_min: i64 = 30, true;
    /// Offers end this many minutes before the start.
    offers_until_min: i64 = 45, true;
    /// Quiet hours begin: until they end, the clock of an offer and the grace after a promotion stand still, and nobody is promoted into a
    /// place that would cost them something by then.
    quiet_hours_from: WallTime = WallTime::at(22, 0), true;
    /// Quiet hours end; the same as their beginning: there are none.
    quiet_hours_until: WallTime = WallTime::at(7, 0), true;
    /// The waitlist takes this percentage of the capacity, rounded down …
    waitlist_cap_percent: i64 = 20, true;
    /// … but at least this many.
    waitlist_cap_min: i64 = 3, true;
    /// The waitlist has no cap.
    waitlist_unlimited: bool = false, true;
    /// How many open bookings a member may have in the studio; waitlisted ones do not count.
    bookings_ahead_max: i64 = 20, true;
    /// Members may wait for sessions that overlap; getting a place leaves those that overlap.
    overlapping_waitlists: bool = true, true;
    /// A credit that comes back because the studio cancelled prolongs its pass, so that it has at least this many days left.
    returned_credit_days_min: i64 = 14, true;
    /// What instructors may do with their own sessions.
    instructors_schedule: InstructorsSchedule = InstructorsSchedule::Own, true;
    /// Staff may mark attendance from this many minutes before the start …
    attendance_from_min: i64 = 60, true;
    /// … until this many hours after the end.
    attendance_until_hours: i64 = 48, true;
    /// Members may check in by code or kiosk from this many minutes before the start …
    check_in_from_min: i64 = 30, false;
    /// … until this many minutes after it.
    check_in_until_min: i64 = 5, false;
    /// Who has not come this many minutes after the start is a no-show for now …
    no_show_provisional_min: i64 = 15, false;
    /// … and finally this many minutes after the end.
    no_show_final_min: i64 = 120, false;
    /// A session in which nobody was marked counts as attended this many hours after its end.
    unrecorded_after_hours: i64 = 48, false;
    /// What a late cancel on a membership costs, in minor units of `fee_currency`.
    late_cancel_fee_minor: Option<i64> = None, false;
    /// What a no-show on a membership costs.
    no_show_fee_minor: Option<i64> = None, false;
    /// The currency of the fees (ISO 4217).
    fee_currency: Option<String> = None, false;
    /// The first late cancel of a calendar month costs nothing.
    first_late_cancel_free: bool = true, false;
    /// A strike counts for this many days.
    strike_lapse_days: i64 = 30, false;
    /// This many strikes have a consequence; null: none has.
    strikes_max: Option<i64> = None, false;
    /// For this many days …
    strike_consequence_days: i64 = 14, false;
    /// … only sessions that start within this many hours may be booked.
    strike_ahead_hours: i64 = 24, false;
    /// Unclaimed places may be given to who stands by, this many minutes after the start.
    door_release_min: i64 = 0, false;
    /// Whether enough have booked is decided this many minutes before the start …
    too_few_min: i64 = 180, true;
    /// … for sessions that start before this local time …
    too_few_morning_before: WallTime = WallTime::at(10, 0), true;
    /// … at this local time of the evening before.
    too_few_evening_at: WallTime = WallTime::at(20, 0), true;
    /// An instructor's claim to stand in for another waits for an admin's approval.
    substitutes_need_approval: bool = false, true;
}

/// A day, in minutes.
const DAY: i64 = 24 * 60;

/// The least and the most of each rule that is a number.
pub const RANGES: &[(&str, i64, i64)] = &[
    ("booking_opens_days", 1, 365),
    ("booking_closes_min", 0, DAY),
    ("free_cancel_min", 0, 14 * DAY),
    ("grace_booking_min", 0, 60),
    ("grace_promotion_min", 0, 240),
    ("promotion_until_min", 0, 14 * DAY),
    ("offer_min", 1, DAY),
    ("offers_until_min", 0, DAY),
    ("waitlist_cap_percent", 0, 1_000),
    ("waitlist_cap_min", 0, 10_000),
    ("bookings_ahead_max", 1, 1_000),
    ("returned_credit_days_min", 0, 365),
    ("attendance_from_min", 0, DAY),
    ("attendance_until_hours", 0, 14 * 24),
    ("check_in_from_min", 0, DAY),
    ("check_in_until_min", 0, 120),
    ("no_show_provisional_min", 0, DAY),
    ("no_show_final_min", 0, 2 * DAY),
    ("unrecorded_after_hours", 1, 14 * 24),
    ("late_cancel_fee_minor", 1, 100_000_000),
    ("no_show_fee_minor", 1, 100_000_000),
    ("strike_lapse_days", 1, 365),
    ("strikes_max", 1, 100),
    ("strike_consequence_days", 1, 365),
    ("strike_ahead_hours", 0, 14 * 24),
    ("door_release_min", 0, 120),
    ("too_few_min", 0, 2 * DAY),
];

impl HouseRules {
    /// Which of the rules, as they are set, this version enforces.
    pub fn active(&self) -> Active {
        Active::table()
    }

    /// How many may wait for a session of this capacity; `None` is no cap.
    pub fn waitlist_cap(&self, capacity: i64) -> Option<i64> {
        (!self.waitlist_unlimited).then(|| (capacity * self.waitlist_cap_percent / 100).max(self.waitlist_cap_min))
    }

    /// Reads rules that an admin wrote. A rule left out gets its default; a name that is no rule, a value of the wrong type or out of range
    /// is refused by the rule's name. What [`GET`](super::api::house_rules) adds to the rules may be present and is not read.
    pub fn parse(mut written: Map<String, Value>) -> Result<Self, Vec<InvalidRule>> {
        for shown in ["studio_id", "version", "active"] {
            written.remove(shown);
        }
        let unknown: Vec<InvalidRule> =
            written.keys().filter(|name| !RULES.contains(&name.as_str())).map(|name| (name.clone(), Wrong::NoHouseRule)).collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let rules: Self = serde_path_to_error::deserialize(Value::Object(written))
            .map_err(|error| vec![(error.path().to_string(), Wrong::of_parser(&error.into_inner().to_string()))])?;
        let refused = rules.refused();
        if refused.is_empty() { Ok(rules) } else { Err(refused) }
    }

    /// Every rule whose value makes no sense.
    fn refused(&self) -> Vec<InvalidRule> {
        let values = serde_json::to_value(self).unwrap_or_default();
        let mut refused: Vec<InvalidRule> = RANGES
            .iter()
            .filter(|(rule, least, most)| values[*rule].as_i64().is_some_and(|value| !(*least..=*most).contains(&value)))
            .map(|&(rule, least, most)| (rule.to_owned(), Wrong::OutOfRange { min: least, max: most }))
            .collect();
        // A session at midnight has the least time between opening and closing: it too must have some.
        if refused.is_empty() && self.booking_closes_min >= self.booking_opens_days * DAY - self.booking_opens_at.minute() {
            refused.push(("booking_closes_min".to_owned(), Wrong::ClosesBeforeItOpens));
        }
        let fee = self.late_cancel_fee_minor.is_some() || self.no_show_fee_minor.is_some();
        match &self.fee_currency {
            Some(currency) if !is_currency(currency) => {
                refused.push(("fee_currency".to_owned(), Wrong::NotCurrency));
            }
            None if fee => refused.push(("fee_currency".to_owned(), Wrong::CurrencyNeeded)),
            _ => {}
        }
        refused
    }
}

/// Strategies of property tests: any minute, any rules.
#[cfg(test)]
pub mod any {
    use chrono::{DateTime, Utc};
    use proptest::prelude::*;

    use super::{HouseRules, WallTime};

    /// A minute of the years 2000 to 2099, whose changes the tables of zones cover.
    pub fn some_minute() -> impl Strategy<Value = DateTime<Utc>> {
        (15_778_080_i64..68_374_080).prop_map(|minutes| DateTime::from_timestamp(minutes * 60, 0).unwrap())
    }

    /// House rules, varied in everything that decides an instant.
    pub fn some_rules() -> impl Strategy<Value = HouseRules> {
        let wall = (0..24_u32, 0..60_u32).prop_map(|(hour, minute)| WallTime::at(hour, minute));
        (
            1..90_i64,
            wall.clone(),
            0..720_i64,
            0..4_000_i64,
            proptest::option::of(wall.clone()),
            proptest::option::of(0..2_000_i64),
            wall.clone(),
            wall,
        )
            .prop_map(|(days, at, closes, free, morning, promotion, from, until)| HouseRules {
                booking_opens_days: days,
                booking_opens_at: at,
                booking_closes_min: closes,
                free_cancel_min: free,
                free_cancel_morning_until: morning,
                promotion_until_min: promotion,
                quiet_hours_from: from,
                quiet_hours_until: until,
                ..HouseRules::default()
            })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(written: Value) -> Result<HouseRules, Vec<InvalidRule>> {
        match written {
            Value::Object(written) => HouseRules::parse(written),
            _ => panic!("an object"),
        }
    }

    #[test]
    fn what_is_shown_may_be_put_back() {
        let rules = HouseRules { free_cancel_min: 60, free_cancel_morning_until: Some(WallTime::at(22, 0)), ..HouseRules::default() };
        let mut shown = serde_json::to_value(&rules).unwrap();
        shown["version"] = json!(7);
        shown["studio_id"] = json!("x");
        shown["active"] = json!(rules.active());
        assert_eq!(parse(shown), Ok(rules));
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        assert_eq!(parse(json!({})), Ok(HouseRules::default()));
        assert_eq!(parse(json!({"booking_opens_days": 30})).map(|rules| (rules.booking_opens_days, rules.free_cancel_min)), Ok((30, 720)));
    }

    #[test]
    fn a_refusal_names_the_rule() {
        for (written, field) in [
            (json!({"booking_open_days": 1}), "booking_open_days"),
            (json!({"booking_opens_days": "14"}), "booking_opens_days"),
            (json!({"booking_opens_days": 0}), "booking_opens_days"),
            (json!({"booking_opens_days": 1.5}), "booking_opens_days"),
            (json!({"booking_opens_days": i64::MAX}), "booking_opens_days"),
            (json!({"booking_opens_at": "25:00"}), "booking_opens_at"),
            (json!({"booking_opens_at": "9:00"}), "booking_opens_at"),
            (json!({"booking_opens_at": null}), "booking_opens_at"),
            (json!({"booking_opens_days": 1, "booking_opens_at": "23:00", "booking_closes_min": 60}), "booking_closes_min"),
            (json!({"after_cutoff": "lottery"}), "after_cutoff"),
            (json!({"promotion_until_min": -1}), "promotion_until_min"),
            (json!({"late_cancel_fee_minor": 1000}), "fee_currency"),
            (json!({"late_cancel_fee_minor": 1000, "fee_currency": "eur"}), "fee_currency"),
        ] {
            let refused = parse(written.clone()).expect_err("refused");
            assert_eq!(refused[0].0, field, "{written} {refused:?}");
        }
    }

    #[test]
    fn rows_of_other_versions_can_be_read() {
        let stored = json!({"free_cancel_min": 30, "a_rule_of_tomorrow": 1});
        assert_eq!(serde_json::from_value::<HouseRules>(stored).unwrap().free_cancel_min, 30);
    }

    #[test]
    fn what_is_not_built_is_not_active() {
        let rules = HouseRules::default();
        assert!(rules.active().after_cutoff && rules.active().instructors_schedule && !rules.active().strikes_max);
        assert_eq!(serde_json::to_value(rules.active()).unwrap().as_object().unwrap().len(), RULES.len());
    }

    #[test]
    fn the_waitlist_is_capped() {
        let mut rules = HouseRules::default();
        assert_eq!([5, 15, 16, 20, 24, 25].map(|capacity| rules.waitlist_cap(capacity)), [3, 3, 3, 4, 4, 5].map(Some));
        (rules.waitlist_cap_percent, rules.waitlist_cap_min) = (0, 0);
        assert_eq!(rules.waitlist_cap(20), Some(0));
        rules.waitlist_unlimited = true;
        assert_eq!(rules.waitlist_cap(20), None);
    }
}
