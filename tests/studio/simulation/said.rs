//! What a studio says of itself: its house rules as its admin writes them. The house is told them, and the checker reads them here with the
//! defaults of docs/product.md, so that neither asks the code that applies them.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use uuid::Uuid;

/// The rules of a studio.
#[derive(Clone, Debug)]
pub struct Said {
    pub zone: Tz,
    pub house: Value,
    /// What a class type changes about them.
    pub of_class_type: BTreeMap<Uuid, Value>,
    /// What a pass type does.
    pub of_pass_type: BTreeMap<Uuid, Value>,
}

impl Said {
    /// A rule as it is for sessions of this class type.
    fn rule(&self, class_type: Uuid, name: &str) -> &Value {
        let own = self.of_class_type.get(&class_type).map_or(&Value::Null, |rules| &rules[name]);
        if own.is_null() { &self.house[name] } else { own }
    }

    pub fn minutes(&self, class_type: Uuid, name: &str, usual: i64) -> TimeDelta {
        TimeDelta::minutes(self.rule(class_type, name).as_i64().unwrap_or(usual))
    }

    pub fn minutes_if_any(&self, class_type: Uuid, name: &str) -> Option<TimeDelta> {
        self.rule(class_type, name).as_i64().map(TimeDelta::minutes)
    }

    pub fn word(&self, class_type: Uuid, name: &str) -> Option<&str> {
        self.rule(class_type, name).as_str()
    }

    /// A rule about the studio itself.
    pub fn number(&self, name: &str, usual: i64) -> i64 {
        self.house[name].as_i64().unwrap_or(usual)
    }

    /// Whether a pass type has a free way out of its own.
    pub fn some_pass_frees(&self) -> bool {
        let names = ["free_cancel_min", "free_cancel_morning_until", "grace_promotion_min"];
        self.of_pass_type.values().any(|rules| names.iter().any(|name| !rules[*name].is_null()))
    }

    pub fn is_penalty_free(&self, on: NaiveDate) -> bool {
        self.house["penalty_free_days"].as_array().is_some_and(|days| days.iter().any(|day| day.as_str() == Some(&on.to_string())))
    }

    pub fn wall(&self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.zone).naive_local()
    }

    pub fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        self.wall(at).date()
    }

    /// When the quiet hours end in which this instant is.
    pub fn quiet_until(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let time = |name: &str, usual: &str| NaiveTime::parse_from_str(self.house[name].as_str().unwrap_or(usual), "%H:%M").unwrap();
        let (from, until) = (time("quiet_hours_from", "22:00"), time("quiet_hours_until", "07:00"));
        let (today, here) = (self.day(at), self.wall(at).time());
        let ends_on = match (from <= until, from <= here, here < until) {
            (true, true, true) | (false, _, true) => today,
            (false, true, _) => today + Days::new(1),
            _ => return None,
        };
        Some(self.zone.from_local_datetime(&ends_on.and_time(until)).earliest().unwrap().to_utc())
    }

    /// The first day of the week that a cap counts.
    pub fn week(&self, on: NaiveDate) -> NaiveDate {
        let into = (7 + i64::from(on.weekday().number_from_monday()) - self.number("week_starts_on", 1)) % 7;
        on - TimeDelta::days(into)
    }

    /// Whether strikes made then may keep a member from a session that starts then. Within two hours of an end it is taken for true: an hour
    /// may have been skipped, or come twice.
    pub fn may_be_suspended(&self, strikes: &[DateTime<Utc>], starts_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        self.is_suspended(strikes, starts_at, now, TimeDelta::hours(2))
    }

    /// Whether they do for certain.
    pub fn must_be_suspended(&self, strikes: &[DateTime<Utc>], starts_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        self.is_suspended(strikes, starts_at, now, -TimeDelta::hours(2))
    }

    fn is_suspended(&self, strikes: &[DateTime<Utc>], starts_at: DateTime<Utc>, now: DateTime<Utc>, unsure: TimeDelta) -> bool {
        let Some(enough) = self.house["strikes_max"].as_u64() else { return false };
        let lasts = |name: &str, usual| TimeDelta::days(self.number(name, usual)) + unsure;
        let month = |at| (self.day(at).year(), self.day(at).month());
        let counts = |one: DateTime<Utc>, last: DateTime<Utc>| match self.house["strikes_by_month"].as_bool() {
            Some(true) => month(one) == month(last),
            _ => last < one + lasts("strike_lapse_days", 30),
        };
        let begins = |last: &&DateTime<Utc>| strikes.iter().filter(|one| *one <= *last && counts(**one, **last)).count() as u64 >= enough;
        let still = strikes.iter().filter(begins).any(|last| now < *last + lasts("strike_consequence_days", 14));
        still && starts_at > now + TimeDelta::hours(self.number("strike_ahead_hours", 24))
    }
}

/// A class type, the studio or a pass type allows a member so many places: ahead, on a day, in a week, in a month.
pub fn caps(rules: Option<&Value>, ahead_usual: Option<i64>) -> [Option<i64>; 4] {
    let cap = |name: &str| rules.and_then(|rules| rules[name].as_i64());
    let ahead = cap("bookings_ahead_max").or(ahead_usual);
    [ahead, cap("bookings_per_day_max"), cap("bookings_per_week_max"), cap("bookings_per_month_max")]
}
