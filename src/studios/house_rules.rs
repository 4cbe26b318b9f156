//! A studio's policy: its house rules with their defaults, which of them this version enforces, and what values they may have.
//!
//! In the API and in `studios.house_rules` they are one flat object, a field per rule; what a class type or a pass type changes about them
//! is an object of the same rules, in which most are left out. A rule that a stored row lacks has its default, and
//! one that this version does not know is left alone, so that versions may follow each other on one database. Pure.

pub mod applied;

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use serde::de::DeserializeOwned;
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

/// What makes a strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StrikesFor {
    /// Late cancels and no-shows.
    Both,
    /// Late cancels alone.
    LateCancels,
    /// No-shows alone.
    NoShows,
}

/// Days of the studio's calendar, each once, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(value_type = Vec<String>, max_items = 366, example = json!(["2026-12-01"]))]
pub struct Dates(BTreeSet<NaiveDate>);

/// The most days that a rule names.
const DATES_MAX: usize = 366;

impl Dates {
    /// Whether this is one of them.
    pub fn has(&self, date: NaiveDate) -> bool {
        self.0.contains(&date)
    }
}

impl<'de> Deserialize<'de> for Dates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        if texts.len() > DATES_MAX {
            return Err(Wrong::TooMany { max: DATES_MAX }.refuse());
        }
        let date = |text: &String| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|date| (2000..2200).contains(&date.year()));
        texts.iter().map(date).collect::<Option<_>>().map(Self).ok_or_else(|| Wrong::NotDate.refuse())
    }
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
    ($($(#[doc = $doc:literal])+ $(#[serde($($serde:tt)*)])? $rule:ident: $of:ty = $default:expr, $active:literal, $finest:ident;)*) => {
        /// The rules of a house. Fields end in their unit: `_days`, `_hours`, `_min` (minutes); `_at`, `_until`, `_from` are local times.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
        #[serde(default)]
        pub struct HouseRules {
            $($(#[doc = $doc])+ $(#[serde($($serde)*)])? pub $rule: $of,)*
        }

        impl Default for HouseRules {
            fn default() -> Self {
                Self { $($rule: $default,)* }
            }
        }

        /// What a class type or a pass type changes about its studio's rules: a rule that is left out stays as it is there.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
        #[serde(default)]
        #[schema(as = HouseRuleOverrides)]
        pub struct Overrides {
            $($(#[doc = $doc])+ #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "written")] pub $rule: Option<$of>,)*
        }

        impl HouseRules {
            /// These rules with what a class type or a pass type changes about them.
            #[must_use]
            pub fn with(&self, overrides: &Overrides) -> Self {
                let mut both = Self { $($rule: overrides.$rule.clone().unwrap_or_else(|| self.$rule.clone()),)* };
                both.keep_caps(self);
                both
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

        /// The rules in the order in which they are shown, and how finely each can be set.
        pub const RULES: &[(&str, Finest)] = &[$((stringify!($rule), Finest::$finest),)*];
    };
}

/// How finely a rule can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finest {
    /// For the whole studio: it is about the studio itself, or about a member whatever they book.
    Studio,
    /// For a class type too: it is about a session, whoever is in it.
    ClassType,
    /// For a pass type too: it is about one member's booking.
    PassType,
}

/// A rule that stands there, be it null.
fn written<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A number, which was once a yes or no.
fn number_or_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Bool(flag) => Ok(i64::from(flag)),
        value => value.as_i64().ok_or_else(|| Wrong::NotWholeNumber.refuse()),
    }
}

house_rules! {
    /// Booking opens this many days before the session's local date …
    booking_opens_days: i64 = 14, true, PassType;
    /// … at this local time.
    booking_opens_at: WallTime = WallTime::at(12, 0), true, PassType;
    /// Booking closes this many minutes before the start.
    booking_closes_min: i64 = 0, true, PassType;
    /// Cancelling is free until this many minutes before the start.
    free_cancel_min: i64 = 720, true, PassType;
    /// If set, for sessions that start before noon cancelling is free until this local time of the evening before instead.
    free_cancel_morning_until: Option<WallTime> = None, true, PassType;
    /// Whatever the cut-off, cancelling is free for this many minutes after a booking, never past the start.
    grace_booking_min: i64 = 5, true, PassType;
    /// The same after a promotion, counted outside quiet hours.
    grace_promotion_min: i64 = 15, true, PassType;
    /// Promotion is automatic until this many minutes before the start; null: until the free-cancel cut-off of the session.
    promotion_until_min: Option<i64> = None, true, ClassType;
    /// What happens to a place that comes free after that.
    after_cutoff: AfterCutoff = AfterCutoff::Open, true, ClassType;
    /// How long an offer stands.
    offer_min: i64 = 30, true, ClassType;
    /// Offers end this many minutes before the start.
    offers_until_min: i64 = 45, true, ClassType;
    /// Quiet hours begin: until they end, the clock of an offer and the grace after a promotion stand still, and nobody is promoted into a
    /// place that would cost them something by then.
    quiet_hours_from: WallTime = WallTime::at(22, 0), true, Studio;
    /// Quiet hours end; the same as their beginning: there are none.
    quiet_hours_until: WallTime = WallTime::at(7, 0), true, Studio;
    /// The waitlist takes this percentage of the capacity, rounded down …
    waitlist_cap_percent: i64 = 20, true, ClassType;
    /// … but at least this many.
    waitlist_cap_min: i64 = 3, true, ClassType;
    /// The waitlist has no cap.
    waitlist_unlimited: bool = false, true, ClassType;
    /// The waitlist closes this many minutes before the start: nobody joins it and nobody moves up from it after that; null: it closes
    /// when no way in is left.
    waitlist_closes_min: Option<i64> = None, true, ClassType;
    /// How many open bookings a member may have in the studio; waitlisted ones do not count. A cap of a class type counts the bookings of
    /// that class type, one of a pass type those that such a pass pays; each must hold.
    bookings_ahead_max: i64 = 20, true, PassType;
    /// How many places a member may have on one day, those of the past too; null: no cap.
    bookings_per_day_max: Option<i64> = None, true, PassType;
    /// … in one week.
    bookings_per_week_max: Option<i64> = None, true, PassType;
    /// … in one calendar month.
    bookings_per_month_max: Option<i64> = None, true, PassType;
    /// The day on which a week of the caps begins: 1 is Monday, 7 Sunday. A membership's own week begins on Monday.
    week_starts_on: i64 = 1, true, Studio;
    /// Places won from the waitlist count towards every cap, and may exceed it by this many.
    promoted_extra: i64 = 0, true, PassType;
    /// Members may wait for sessions that overlap; getting a place leaves those that overlap.
    overlapping_waitlists: bool = true, true, ClassType;
    /// A credit that comes back because the studio cancelled prolongs its pass, so that it has at least this many days left.
    returned_credit_days_min: i64 = 14, true, PassType;
    /// What instructors may do with their own sessions.
    instructors_schedule: InstructorsSchedule = InstructorsSchedule::Own, true, Studio;
    /// Staff may mark attendance from this many minutes before the start …
    attendance_from_min: i64 = 60, true, ClassType;
    /// … until this many hours after the end.
    attendance_until_hours: i64 = 48, true, ClassType;
    /// Members may check in by code or kiosk from this many minutes before the start …
    check_in_from_min: i64 = 30, true, ClassType;
    /// … until this many minutes after it.
    check_in_until_min: i64 = 5, true, ClassType;
    /// Who has not come this many minutes after the start is a no-show for now …
    no_show_provisional_min: i64 = 15, true, ClassType;
    /// … and finally this many minutes after the end.
    no_show_final_min: i64 = 120, true, ClassType;
    /// A session in which nobody was marked counts as attended this many hours after its end, and never while staff may still mark it.
    unrecorded_after_hours: i64 = 48, true, ClassType;
    /// What a late cancel on a membership costs, in minor units of `fee_currency`.
    late_cancel_fee_minor: Option<i64> = None, true, PassType;
    /// What a no-show on a membership costs.
    no_show_fee_minor: Option<i64> = None, true, PassType;
    /// The currency of the fees (ISO 4217).
    fee_currency: Option<String> = None, true, PassType;
    /// This many late cancels of a calendar month cost nothing.
    #[serde(alias = "first_late_cancel_free", deserialize_with = "number_or_flag")]
    late_cancels_forgiven: i64 = 1, true, PassType;
    /// For sessions on these days of the studio's calendar nothing has consequences: a typhoon, snow.
    penalty_free_days: Dates = Dates::default(), true, Studio;
    /// What makes a strike.
    strikes_for: StrikesFor = StrikesFor::Both, true, Studio;
    /// Strikes count within a calendar month, instead of for `strike_lapse_days`.
    strikes_by_month: bool = false, true, Studio;
    /// A strike counts for this many days.
    strike_lapse_days: i64 = 30, true, Studio;
    /// This many strikes have a consequence; null: none has, and none is counted.
    strikes_max: Option<i64> = None, true, Studio;
    /// For this many days …
    strike_consequence_days: i64 = 14, true, Studio;
    /// … only sessions that start within this many hours may be booked; 0: none.
    strike_ahead_hours: i64 = 24, true, Studio;
    /// Whether somebody may come late to their first visit.
    first_visit_late_entry: bool = false, true, ClassType;
    /// Unclaimed places may be given to who stands by, this many minutes after the start; below 0: before it, where the waitlist has closed
    /// by then.
    door_release_min: i64 = 0, true, ClassType;
    /// Whether enough have booked is decided this many minutes before the start …
    too_few_min: i64 = 180, true, ClassType;
    /// … for sessions that start before this local time …
    too_few_morning_before: WallTime = WallTime::at(10, 0), true, ClassType;
    /// … at this local time of the evening before.
    too_few_evening_at: WallTime = WallTime::at(20, 0), true, ClassType;
    /// An instructor's claim to stand in for another waits for an admin's approval.
    substitutes_need_approval: bool = false, true, Studio;
    /// How many guests a member may bring to a session, each in a place of its own that a pass of the member pays; 0: none.
    guests_max: i64 = 1, true, PassType;
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
    ("waitlist_closes_min", 0, 14 * DAY),
    ("bookings_ahead_max", 1, 1_000),
    ("bookings_per_day_max", 1, 1_000),
    ("bookings_per_week_max", 1, 1_000),
    ("bookings_per_month_max", 1, 1_000),
    ("week_starts_on", 1, 7),
    ("promoted_extra", 0, 1_000),
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
    ("late_cancels_forgiven", 0, 100),
    ("strike_lapse_days", 1, 365),
    ("strikes_max", 1, 100),
    ("strike_consequence_days", 1, 365),
    ("strike_ahead_hours", 0, 14 * 24),
    ("door_release_min", -120, 120),
    ("too_few_min", 0, 2 * DAY),
    ("guests_max", 0, 10),
];

impl HouseRules {
    /// With what a studio begins: a place that comes free late is offered in the queue's order. Studios from before that keep what they have,
    /// and who leaves the rule out says `open`, as always: offers need time, which not every cut-off leaves them.
    pub fn of_a_new_studio() -> Self {
        Self { after_cutoff: AfterCutoff::Offers, ..Self::default() }
    }

    /// Which of the rules, as they are set, this version enforces.
    pub fn active(&self) -> Active {
        Active::table()
    }

    /// How many may wait for a session of this capacity; `None` is no cap.
    pub fn waitlist_cap(&self, capacity: i64) -> Option<i64> {
        (!self.waitlist_unlimited).then(|| (capacity * self.waitlist_cap_percent / 100).max(self.waitlist_cap_min))
    }

    /// Reads rules that an admin wrote. A rule left out gets its default; a name that is no rule, a value of the wrong type or out of range
    /// is refused by the rule's name, and so are rules that contradict each other. What [`GET`](super::api::house_rules) adds to the rules
    /// may be present and is not read.
    pub fn parse(written: Map<String, Value>) -> Result<Self, Vec<InvalidRule>> {
        let rules: Self = read(written, &["studio_id", "version", "active"], |name| {
            let known = name == BEFORE_LATE_CANCELS_FORGIVEN || finest(name).is_some();
            (!known).then_some(Wrong::NoHouseRule)
        })?;
        let refused = rules.refused();
        if refused.is_empty() { Ok(rules) } else { Err(refused) }
    }

    /// Every rule whose value makes no sense.
    pub fn refused(&self) -> Vec<InvalidRule> {
        let mut refused = self.out_of_range();
        if refused.is_empty() {
            refused = self.contradictions().into_iter().map(|(rule, wrong)| (rule.to_owned(), wrong)).collect();
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

    /// Of caps the strictest holds.
    fn keep_caps(&mut self, of: &Self) {
        self.bookings_ahead_max = self.bookings_ahead_max.min(of.bookings_ahead_max);
        for (cap, other) in [
            (&mut self.bookings_per_day_max, of.bookings_per_day_max),
            (&mut self.bookings_per_week_max, of.bookings_per_week_max),
            (&mut self.bookings_per_month_max, of.bookings_per_month_max),
        ] {
            *cap = cap.iter().copied().chain(other).min();
        }
    }

    fn out_of_range(&self) -> Vec<InvalidRule> {
        let values = serde_json::to_value(self).unwrap_or_default();
        RANGES
            .iter()
            .filter(|(rule, least, most)| values[*rule].as_i64().is_some_and(|value| !(*least..=*most).contains(&value)))
            .map(|&(rule, least, most)| (rule.to_owned(), Wrong::OutOfRange { min: least, max: most }))
            .collect()
    }

    /// Rules that cannot be kept together, each named by the one that is to be changed.
    fn contradictions(&self) -> Vec<(&'static str, Wrong)> {
        let mut found = Vec::new();
        // A session at midnight has the least time between opening and closing: it too must have some.
        let opens = self.booking_opens_days * DAY - self.booking_opens_at.minute();
        if self.booking_closes_min >= opens {
            found.push(("booking_closes_min", Wrong::ClosesBeforeItOpens));
        }
        let list_closes = self.waitlist_closes_min.unwrap_or(0);
        if list_closes >= opens {
            found.push(("waitlist_closes_min", Wrong::ListClosesBeforeBookingOpens));
        }
        if self.promotion_until_min.is_some_and(|until| until < list_closes) {
            found.push(("promotion_until_min", Wrong::PromotionAfterListCloses));
        }
        let promotion_ends = self.promotion_until_min.unwrap_or(self.free_cancel_min);
        if self.after_cutoff == AfterCutoff::Offers && promotion_ends <= self.offers_until_min {
            found.push(("offers_until_min", Wrong::OffersEndBeforePromotion));
        } else if self.after_cutoff == AfterCutoff::Offers && promotion_ends <= list_closes {
            found.push(("waitlist_closes_min", Wrong::ListClosesBeforeOffers));
        } else if self.after_cutoff == AfterCutoff::Offers && promotion_ends - self.offers_until_min.max(list_closes) < self.offer_min {
            found.push(("offer_min", Wrong::NoOfferFits));
        }
        if self.no_show_provisional_min < self.check_in_until_min {
            found.push(("no_show_provisional_min", Wrong::NoShowBeforeCheckInEnds));
        }
        found
    }
}

impl Overrides {
    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads what an admin wrote for a class type or a pass type. A name that is no rule, or none that can be set so finely, a value of the
    /// wrong type or out of range is refused by the rule's name. Whether they fit the studio's rules is another question.
    pub fn parse(written: Map<String, Value>, level: Finest) -> Result<Self, Vec<InvalidRule>> {
        let shown = ["studio_id", "class_type_id", "pass_type_id", "version", "effective", "active"];
        let overrides: Self = read(written, &shown, |name| match finest(name) {
            None => Some(Wrong::NoHouseRule),
            Some(finest) if finest >= level => None,
            Some(Finest::Studio) => Some(Wrong::RuleOfStudio),
            Some(_) => Some(Wrong::RuleOfSession),
        })?;
        let refused = HouseRules::default().with(&overrides).out_of_range();
        if refused.is_empty() { Ok(overrides) } else { Err(refused) }
    }
}

/// What `late_cancels_forgiven` was called when it was a yes or no. It is still read.
const BEFORE_LATE_CANCELS_FORGIVEN: &str = "first_late_cancel_free";

/// How finely a rule can be set; `None`: it is no rule.
fn finest(name: &str) -> Option<Finest> {
    RULES.iter().find(|(rule, _)| *rule == name).map(|(_, finest)| *finest)
}

/// Rules as they were written, without what is only shown with them.
fn read<T: DeserializeOwned>(
    mut written: Map<String, Value>,
    shown: &[&str],
    refuse: impl Fn(&str) -> Option<Wrong>,
) -> Result<T, Vec<InvalidRule>> {
    for name in shown {
        written.remove(*name);
    }
    let refused: Vec<InvalidRule> = written.keys().filter_map(|name| refuse(name).map(|wrong| (name.clone(), wrong))).collect();
    if !refused.is_empty() {
        return Err(refused);
    }
    serde_path_to_error::deserialize(Value::Object(written))
        .map_err(|error| vec![(error.path().to_string(), Wrong::of_parser(&error.into_inner().to_string()))])
}

/// Strategies of property tests: any minute, any rules.
#[cfg(test)]
pub mod any {
    use chrono::{DateTime, Utc};
    use proptest::prelude::*;

    use crate::studios::house_rules::{HouseRules, WallTime};

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
        // What was a yes or no is a number now; apps may still write it as they did.
        for (first_is_free, forgiven) in [(true, 1), (false, 0)] {
            let stored = json!({"first_late_cancel_free": first_is_free});
            assert_eq!(serde_json::from_value::<HouseRules>(stored.clone()).unwrap().late_cancels_forgiven, forgiven);
            assert_eq!(parse(stored).map(|rules| rules.late_cancels_forgiven), Ok(forgiven));
        }
        assert_eq!(parse(json!({"late_cancels_forgiven": 2})).map(|rules| rules.late_cancels_forgiven), Ok(2));
        let both = json!({"late_cancels_forgiven": 2, "first_late_cancel_free": true});
        assert!(parse(both).is_err());
    }

    #[test]
    fn a_contradiction_is_named() {
        let offers = |rest: Value| {
            let mut rules = json!({"after_cutoff": "offers"});
            rules.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            rules
        };
        let table = [
            (json!({"booking_opens_days": 1, "booking_closes_min": 720}), "booking_closes_min", Wrong::ClosesBeforeItOpens),
            (json!({"booking_opens_days": 1, "waitlist_closes_min": 720}), "waitlist_closes_min", Wrong::ListClosesBeforeBookingOpens),
            (json!({"waitlist_closes_min": 480, "promotion_until_min": 180}), "promotion_until_min", Wrong::PromotionAfterListCloses),
            (offers(json!({"free_cancel_min": 30})), "offers_until_min", Wrong::OffersEndBeforePromotion),
            (offers(json!({"promotion_until_min": 45})), "offers_until_min", Wrong::OffersEndBeforePromotion),
            (offers(json!({"waitlist_closes_min": 720})), "waitlist_closes_min", Wrong::ListClosesBeforeOffers),
            (offers(json!({"promotion_until_min": 60})), "offer_min", Wrong::NoOfferFits),
            (offers(json!({"waitlist_closes_min": 480, "offer_min": 300})), "offer_min", Wrong::NoOfferFits),
            (json!({"check_in_until_min": 20}), "no_show_provisional_min", Wrong::NoShowBeforeCheckInEnds),
        ];
        for (written, rule, wrong) in table {
            assert_eq!(parse(written.clone()), Err(vec![(rule.to_owned(), wrong)]), "{written}");
        }
        assert_eq!(Wrong::OffersEndBeforePromotion.to_string(), "offers end before automatic promotion does");
        for fine in [
            json!({"free_cancel_min": 30}),
            offers(json!({})),
            offers(json!({"promotion_until_min": 75})),
            json!({"waitlist_closes_min": 480, "promotion_until_min": 480}),
        ] {
            assert!(parse(fine.clone()).is_ok(), "{fine}");
        }
    }

    #[test]
    fn a_type_changes_some_rules() {
        let parse = |level, written: Value| match written {
            Value::Object(written) => Overrides::parse(written, level),
            _ => panic!("an object"),
        };
        let overrides = parse(Finest::ClassType, json!({"free_cancel_min": 60, "promotion_until_min": null})).unwrap();
        assert_eq!(serde_json::to_value(&overrides).unwrap(), json!({"free_cancel_min": 60, "promotion_until_min": null}));
        assert_eq!(overrides.promotion_until_min, Some(None));
        let mut shown = serde_json::to_value(&overrides).unwrap();
        shown["effective"] = json!(HouseRules::default().with(&overrides));
        shown["version"] = json!(3);
        assert_eq!(parse(Finest::ClassType, shown), Ok(overrides));
        assert!(parse(Finest::ClassType, json!({})).unwrap().is_empty());
        for (level, written, rule, wrong) in [
            (Finest::ClassType, json!({"strikes_max": 3}), "strikes_max", Wrong::RuleOfStudio),
            (Finest::PassType, json!({"quiet_hours_from": "21:00"}), "quiet_hours_from", Wrong::RuleOfStudio),
            (Finest::PassType, json!({"waitlist_closes_min": 480}), "waitlist_closes_min", Wrong::RuleOfSession),
            (Finest::PassType, json!({"free_cancel": 480}), "free_cancel", Wrong::NoHouseRule),
            (Finest::ClassType, json!({"free_cancel_min": null}), "free_cancel_min", Wrong::NotWholeNumber),
            (Finest::ClassType, json!({"bookings_per_week_max": 0}), "bookings_per_week_max", Wrong::OutOfRange { min: 1, max: 1_000 }),
        ] {
            assert_eq!(parse(level, written.clone()), Err(vec![(rule.to_owned(), wrong)]), "{written}");
        }
    }

    #[test]
    fn days_without_penalties_are_dates() {
        let rules = parse(json!({"penalty_free_days": ["2026-12-02", "2026-09-07", "2026-12-02"]})).unwrap();
        assert_eq!(serde_json::to_value(&rules.penalty_free_days).unwrap(), json!(["2026-09-07", "2026-12-02"]));
        assert!(rules.penalty_free_days.has("2026-12-02".parse().unwrap()));
        for wrong in [json!(["2026-02-30"]), json!(["tomorrow"]), json!(["1999-01-01"]), json!("2026-12-02"), json!([1])] {
            assert!(parse(json!({"penalty_free_days": wrong})).unwrap_err()[0].0.starts_with("penalty_free_days"));
        }
    }

    #[test]
    fn of_every_rule_it_is_told_whether_it_is_active() {
        let active = serde_json::to_value(HouseRules::default().active()).unwrap();
        let active = active.as_object().unwrap();
        assert_eq!(active.len(), RULES.len());
        assert_eq!((&active["first_visit_late_entry"], &active["check_in_from_min"]), (&json!(true), &json!(true)));
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
