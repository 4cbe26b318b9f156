//! Who could stand in. Pure.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::{Candidate, Exception, Hours};
use crate::studios::house_rules::WallTime;
use crate::wrong::Wrong;
use crate::zones;

/// Minutes of a day on the clock's face.
const DAY: usize = 24 * 60;

/// The most entries of a week, and exceptions, that an instructor may state.
pub const WEEKLY_MAX: usize = 50;
/// See [`WEEKLY_MAX`].
pub const EXCEPTIONS_MAX: usize = 400;

/// Whether the instructor teaches this and is available for all of that time, by the studio's clock. Whether they are free then depends on
/// the schedules of all studios.
pub fn could_stand_in(candidate: &Candidate, class_type_id: Uuid, starts_at: DateTime<Utc>, ends_at: DateTime<Utc>, zone: Tz) -> bool {
    if !candidate.teaches.contains(&class_type_id) {
        return false;
    }
    let (from, until) = (zones::wall(starts_at, zone).naive_local(), zones::wall(ends_at, zone).naive_local());
    let minute = |time: chrono::NaiveTime| usize::try_from(time.num_seconds_from_midnight() / 60).unwrap_or(0);
    // A session is at most a day long: it lies in one date, or in two that follow each other.
    from.date().iter_days().take_while(|date| *date <= until.date()).all(|date| {
        let first = if date == from.date() { minute(from.time()) } else { 0 };
        let last = if date == until.date() { minute(until.time()) } else { DAY };
        available_on(candidate, date).get(first..last.max(first)).is_some_and(|minutes| minutes.iter().all(|available| *available))
    })
}

/// Each minute of a date: whether the instructor is available.
fn available_on(candidate: &Candidate, date: NaiveDate) -> [bool; DAY] {
    let weekday = i64::from(date.weekday().number_from_monday());
    let mut minutes = [false; DAY];
    let mut set = |from: Option<WallTime>, until: Option<WallTime>, available: bool| {
        let from = from.map_or(0, |from| usize::try_from(from.minute()).unwrap_or(0));
        let until = until.map_or(DAY, end_minute);
        minutes.iter_mut().take(until).skip(from).for_each(|minute| *minute = available);
    };
    for hours in candidate.weekly.iter().filter(|hours| hours.weekday == weekday) {
        set(Some(hours.from), Some(hours.until), true);
    }
    for exception in candidate.exceptions.iter().filter(|exception| exception.date == date) {
        set(exception.from, exception.until, exception.available);
    }
    minutes
}

fn end_minute(until: WallTime) -> usize {
    match usize::try_from(until.minute()).unwrap_or(0) {
        0 => DAY,
        minute => minute,
    }
}

/// What is wrong with what an instructor states: the field, and how.
pub fn check(weekly: &[Hours], exceptions: &[Exception]) -> Result<(), (&'static str, Wrong)> {
    if weekly.len() > WEEKLY_MAX {
        return Err(("weekly", Wrong::TooMany { max: WEEKLY_MAX }));
    }
    if exceptions.len() > EXCEPTIONS_MAX {
        return Err(("exceptions", Wrong::TooMany { max: EXCEPTIONS_MAX }));
    }
    if weekly.iter().any(|hours| !(1..=7).contains(&hours.weekday)) {
        return Err(("weekly", Wrong::NotWeekday));
    }
    let backwards = |from: Option<WallTime>, until: Option<WallTime>| {
        let from = from.map_or(0, |from| usize::try_from(from.minute()).unwrap_or(0));
        until.map_or(DAY, end_minute) <= from
    };
    if weekly.iter().any(|hours| backwards(Some(hours.from), Some(hours.until))) {
        return Err(("weekly", Wrong::UntilBeforeFrom));
    }
    if exceptions.iter().any(|exception| backwards(exception.from, exception.until)) {
        return Err(("exceptions", Wrong::UntilBeforeFrom));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono_tz::America::New_York;
    use chrono_tz::Asia::Shanghai;

    use super::*;
    use crate::schedule::rules::LocalStart;
    use crate::zones::instant;

    const BARRE: Uuid = Uuid::from_u128(1);

    fn time(text: &str) -> WallTime {
        WallTime::parse(text).unwrap()
    }

    fn hours(weekday: i64, from: &str, until: &str) -> Hours {
        Hours { weekday, from: time(from), until: time(until) }
    }

    fn lin() -> Candidate {
        let on = |date: &str, available, from: Option<&str>, until: Option<&str>| Exception {
            date: date.parse().unwrap(),
            available,
            from: from.map(time),
            until: until.map(time),
        };
        Candidate {
            person_id: Uuid::nil(),
            teaches: vec![BARRE],
            // Tuesdays in two pieces that touch, Fridays until midnight, Saturdays from midnight on.
            weekly: vec![hours(2, "09:00", "12:00"), hours(2, "12:00", "20:00"), hours(5, "22:00", "00:00"), hours(6, "00:00", "02:00")],
            exceptions: vec![
                on("2026-12-08", false, None, None),
                on("2026-12-15", false, Some("18:00"), None),
                on("2026-12-16", true, Some("10:00"), Some("11:00")),
                on("2026-12-17", true, None, None),
            ],
        }
    }

    fn fits(start: &str, minutes: i64, zone: Tz) -> bool {
        let starts_at = instant(LocalStart::parse(start).unwrap().local(), zone);
        could_stand_in(&lin(), BARRE, starts_at, starts_at + chrono::Duration::minutes(minutes), zone)
    }

    #[test]
    fn the_hours_of_a_week() {
        for (start, minutes, expected) in [
            ("2026-12-01T09:00", 60, true),
            ("2026-12-01T08:59", 60, false),
            ("2026-12-01T11:30", 60, true),
            ("2026-12-01T19:00", 60, true),
            ("2026-12-01T19:01", 60, false),
            ("2026-12-02T10:00", 60, false),
            ("2026-12-04T23:30", 60, true),
            ("2026-12-04T23:30", 200, false),
            ("2026-12-04T23:00", 60, true),
            ("2026-12-08T10:00", 60, false),
            ("2026-12-15T16:00", 60, true),
            ("2026-12-15T17:30", 60, false),
            ("2026-12-16T10:00", 60, true),
            ("2026-12-16T10:30", 60, false),
            ("2026-12-17T05:00", 60, true),
        ] {
            assert_eq!(fits(start, minutes, Shanghai), expected, "{start} {minutes}");
            assert_eq!(fits(start, minutes, New_York), expected, "by the studio's clock: {start} {minutes}");
        }
        let starts_at = instant(LocalStart::parse("2026-12-01T10:00").unwrap().local(), Shanghai);
        assert!(!could_stand_in(&lin(), Uuid::from_u128(2), starts_at, starts_at, Shanghai), "Lin does not teach it");
    }

    #[test]
    fn what_cannot_be_stated() {
        assert_eq!(check(&lin().weekly, &lin().exceptions), Ok(()));
        for bad in [hours(0, "09:00", "10:00"), hours(8, "09:00", "10:00"), hours(1, "10:00", "10:00"), hours(1, "10:00", "09:00")] {
            assert_eq!(check(&[bad], &[]).unwrap_err().0, "weekly", "{bad:?}");
        }
        assert_eq!(check(&[hours(1, "09:00", "10:00"); WEEKLY_MAX + 1], &[]).unwrap_err().0, "weekly");
        assert_eq!(check(&[], &[lin().exceptions[0]; EXCEPTIONS_MAX + 1]).unwrap_err().0, "exceptions");
    }
}
