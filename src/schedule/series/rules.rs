//! The dates of a series and what is held on them. Pure.
//!
//! A rule is written as in RFC 5545 (3.3.10), in whole days: it gives dates in the studio's calendar, and the wall time is added to them
//! here, so that a change of the clocks moves no date and a time that it skips becomes the first valid minute.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use rrule::{Frequency, RRule, RRuleSet};
use uuid::Uuid;

use super::{ByHand, Part, Plan, Series};
use crate::schedule::SessionRow;
use crate::schedule::rules::{LocalStart, YEARS, resolve_local_start};
use crate::wrong::Wrong;
use crate::zones::instant;

/// Sessions are made at least this far ahead.
const AHEAD_DAYS_MIN: i64 = 56;
/// The longest text of a rule.
const RULE_LENGTH_MAX: usize = 200;
/// The days of a week, Monday first, as a rule spells them.
pub const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
/// A series ends at most this many years after it begins, if its end is given.
pub const YEARS_MAX: i32 = 5;
/// The most sessions of a series with a count.
pub const COUNT_MAX: i64 = 1_000;
/// The most dates that a series leaves out.
pub const EXCEPT_MAX: usize = 400;
/// A rule must give its first date within this many days.
const FIRST_WITHIN_DAYS: u64 = 366;
/// The most dates made at once: the next sweep makes the rest.
pub const MADE_AT_ONCE_MAX: usize = 400;

/// The dates that a rule gives, from its first on, without end, COUNT or exceptions.
fn unbounded(rule: &str, starts_on: NaiveDate) -> Result<RRuleSet, Wrong> {
    if rule.len() > RULE_LENGTH_MAX {
        return Err(Wrong::TooLong { max: RULE_LENGTH_MAX });
    }
    if !rule.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=;,+-".contains(&byte)) {
        return Err(Wrong::NoRule);
    }
    let parsed: RRule<rrule::Unvalidated> = rule.parse().map_err(|_| Wrong::NoRule)?;
    if matches!(parsed.get_freq(), Frequency::Hourly | Frequency::Minutely | Frequency::Secondly) {
        return Err(Wrong::RuleTooOften);
    }
    if !(parsed.get_by_hour().is_empty() && parsed.get_by_minute().is_empty() && parsed.get_by_second().is_empty()) {
        return Err(Wrong::RuleHasTimes);
    }
    if parsed.get_count().is_some() || parsed.get_until().is_some() {
        return Err(Wrong::RuleHasEnd);
    }
    if parsed.get_interval() == 0 {
        return Err(Wrong::RuleInterval);
    }
    let first = rrule::Tz::UTC.from_utc_datetime(&starts_on.and_time(NaiveTime::MIN));
    parsed.build(first).map(RRuleSet::limit).map_err(|_| Wrong::NoRule)
}

/// What is wrong with a series that is asked for: the field, and how.
pub type InvalidRecurrence = (&'static str, Wrong);

/// Whether a series is valid: its rule gives dates, it ends within the bounds if its end is given, and it leaves out no more than it may.
pub fn check(series: &Series) -> Result<(), InvalidRecurrence> {
    let dates = unbounded(&series.rule, series.starts_on).map_err(|wrong| ("rule", wrong))?;
    if series.until_on.is_some() && series.count_max.is_some() {
        return Err(("until", Wrong::UntilOrCount));
    }
    let last = NaiveDate::from_ymd_opt(series.starts_on.year() + YEARS_MAX, series.starts_on.month(), 1).unwrap_or(NaiveDate::MAX);
    if series.until_on.is_some_and(|until| until < series.starts_on) {
        return Err(("until", Wrong::UntilBeforeStart));
    }
    if series.until_on.is_some_and(|until| until > last) {
        return Err(("until", Wrong::UntilTooLate { years: YEARS_MAX }));
    }
    if series.count_max.is_some_and(|count| !(1..=COUNT_MAX).contains(&count)) {
        return Err(("count", Wrong::OutOfRange { min: 1, max: COUNT_MAX }));
    }
    if series.except_dates.len() > EXCEPT_MAX {
        return Err(("except", Wrong::TooMany { max: EXCEPT_MAX }));
    }
    let soon = series.starts_on.checked_add_days(Days::new(FIRST_WITHIN_DAYS)).unwrap_or(NaiveDate::MAX);
    match (&dates).into_iter().next() {
        Some(first) if first.date_naive() <= soon => {}
        _ => return Err(("rule", Wrong::RuleTooLate { days: FIRST_WITHIN_DAYS })),
    }
    if self::dates(series, series.starts_on).next().is_none() {
        return Err(("except", Wrong::NoDateLeft));
    }
    Ok(())
}

/// The dates of a series from one on, in order.
pub fn dates(series: &Series, from: NaiveDate) -> impl Iterator<Item = NaiveDate> + '_ {
    let count = series.count_max.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX);
    // A stored rule was checked: if it gives nothing, there is nothing.
    let rule = unbounded(&series.rule, series.starts_on).ok().map(|set| (&set).into_iter());
    rule.into_iter()
        .flatten()
        .map(|at| at.date_naive())
        .take_while(|date| YEARS.contains(&date.year()))
        .take(count)
        .take_while(move |date| series.until_on.is_none_or(|until| *date <= until))
        .skip_while(move |date| *date < from)
        .filter(|date| !series.except_dates.contains(date))
}

/// The days of the week of a series that comes back by weeks, Monday first, and how many weeks lie between; `None`: its rule says more than
/// that.
pub fn weekly(series: &Series) -> Option<(Vec<usize>, u32)> {
    let (mut days, mut apart, mut is_weekly) = (vec![series.starts_on.weekday().num_days_from_monday() as usize], 1, false);
    for part in series.rule.to_ascii_uppercase().split(';') {
        match part.split_once('=')? {
            ("FREQ", "WEEKLY") => is_weekly = true,
            ("INTERVAL", weeks) => apart = weeks.parse().ok()?,
            ("BYDAY", named) => {
                days = named.split(',').map(|day| WEEKDAYS.iter().position(|known| *known == day)).collect::<Option<_>>()?;
                days.sort_unstable();
            }
            ("WKST", _) => {}
            _ => return None,
        }
    }
    is_weekly.then_some((days, apart))
}

/// How many days ahead sessions are made: at least as far as booking opens to anybody.
fn days_ahead(opens_days: i64) -> u64 {
    u64::try_from((opens_days + 1).max(AHEAD_DAYS_MIN)).unwrap_or(0)
}

/// The last date for which sessions are made today.
pub fn made_until(opens_days: i64, today: NaiveDate) -> NaiveDate {
    today.checked_add_days(Days::new(days_ahead(opens_days))).unwrap_or(NaiveDate::MAX)
}

/// When the session of this date of a series is due to be made: at midnight of the day it comes within reach.
pub fn make_at(opens_days: i64, zone: Tz, date: NaiveDate) -> DateTime<Utc> {
    let day = date.checked_sub_days(Days::new(days_ahead(opens_days))).unwrap_or(date);
    instant(day.and_time(NaiveTime::MIN), zone)
}

/// The time of a session that a series makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// The series' minute of the day, if the clocks skip it that night: it then begins with the first valid minute.
    pub skipped_minute: Option<i64>,
}

/// When the session of a date begins under a part of its series.
pub fn occurrence(date: NaiveDate, part: &Part, zone: Tz) -> Occurrence {
    let local = (date.and_time(NaiveTime::MIN) + Duration::days(part.shift_days)) + Duration::minutes(part.local_minute);
    match resolve_local_start(LocalStart::from_local(local), zone) {
        Ok(starts_at) => Occurrence { starts_at, skipped_minute: None },
        Err(_) => Occurrence { starts_at: instant(local, zone), skipped_minute: Some(part.local_minute) },
    }
}

/// Where a session differs from its series. A series without a capacity of its own leaves that to the session.
pub fn off_series(session: &SessionRow, plan: &Plan, zone: Tz) -> Vec<ByHand> {
    let (Some(date), Some(part)) = (session.series_date, session.series_date.and_then(|date| plan.part_on(date))) else {
        return Vec::new();
    };
    let differs = [
        (ByHand::Time, session.starts_at != occurrence(date, part, zone).starts_at),
        (ByHand::Room, session.room_id != part.room_id),
        (ByHand::Instructor, session.instructor_id != part.instructor_id),
        (ByHand::ClassType, session.class_type_id != part.class_type_id),
        (ByHand::Capacity, part.capacity.is_some_and(|capacity| session.capacity != capacity)),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).collect()
}

/// What somebody changed about a session by hand: where it differs from its series. Whether the capacity was changed by hand is for the
/// caller to say: one that is lower only because the room takes no more was not.
pub fn by_hand(session: &SessionRow, plan: &Plan, zone: Tz, capacity: bool) -> Vec<ByHand> {
    let mut differs = off_series(session, plan, zone);
    let other = differs.contains(&ByHand::Capacity) || plan.leaves_capacity(session);
    differs.retain(|what| *what != ByHand::Capacity);
    differs.extend((capacity && other).then_some(ByHand::Capacity));
    differs
}

impl Plan {
    /// What holds on a date of the series. There is always a part: the first begins with the series.
    pub fn part_on(&self, date: NaiveDate) -> Option<&Part> {
        self.parts.range(..=date).next_back().or_else(|| self.parts.iter().next()).map(|(_, part)| part)
    }

    /// Whether the series leaves a session's capacity to its room.
    pub fn leaves_capacity(&self, session: &SessionRow) -> bool {
        session.series_date.and_then(|date| self.part_on(date)).is_some_and(|part| part.capacity.is_none())
    }

    /// Changes what holds from a date on: a new part begins there, and the parts after it take over what changes.
    pub fn change_from(&mut self, from: NaiveDate, change: &Change) {
        let Some(before) = self.part_on(from).cloned() else { return };
        self.parts.entry(from).or_insert(Part { from_date: from, ..before });
        for part in self.parts.range_mut(from..).map(|(_, part)| part) {
            change.apply(part);
        }
        self.tidy();
    }

    /// Drops parts that say the same as the one before.
    fn tidy(&mut self) {
        let mut kept: BTreeMap<NaiveDate, Part> = BTreeMap::new();
        for (from, part) in std::mem::take(&mut self.parts) {
            let same = kept.values().next_back().is_some_and(|before| Part { from_date: from, ..before.clone() } == part);
            if !same {
                kept.insert(from, part);
            }
        }
        self.parts = kept;
    }

    /// The series gives no dates from this one on.
    pub fn end_before(&mut self, date: NaiveDate) {
        let last = date.pred_opt().unwrap_or(date);
        // A series with a count keeps its count: the date ends what is left of it.
        self.series.until_on = Some(self.series.until_on.map_or(last, |until| until.min(last)));
        (self.series.next_date, self.series.make_at) = (None, None);
        self.gaps.retain(|on, _| *on < date);
        self.parts.retain(|from, part| *from < date || part.from_date == self.series.starts_on);
    }

    /// Under other house rules the next date falls due at another time.
    pub fn follow_rules(&mut self, opens_days: i64, zone: Tz) {
        self.series.make_at = self.series.next_date.map(|next| make_at(opens_days, zone, next));
    }

    /// The next date to be made, and when it is due.
    pub fn go_on_from(&mut self, date: NaiveDate, opens_days: i64, zone: Tz) {
        let next = dates(&self.series, date).next();
        self.series.next_date = next;
        self.series.make_at = next.map(|next| make_at(opens_days, zone, next));
    }
}

/// What changes about a series from a date on; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "the fields of a part")]
pub struct Change {
    pub class_type_id: Option<Uuid>,
    pub room_id: Option<Uuid>,
    pub instructor_id: Option<Uuid>,
    pub capacity: Option<i64>,
    pub local_minute: Option<i64>,
    pub shift_days: Option<i64>,
}

impl Change {
    fn apply(&self, part: &mut Part) {
        part.class_type_id = self.class_type_id.unwrap_or(part.class_type_id);
        part.room_id = self.room_id.unwrap_or(part.room_id);
        part.instructor_id = self.instructor_id.unwrap_or(part.instructor_id);
        part.capacity = self.capacity.or(part.capacity);
        part.local_minute = self.local_minute.unwrap_or(part.local_minute);
        part.shift_days = self.shift_days.unwrap_or(part.shift_days);
    }
}

#[cfg(test)]
mod tests;
