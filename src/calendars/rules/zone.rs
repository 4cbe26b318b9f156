//! A time zone as a calendar object tells it: the changes of the clocks, one by one (RFC 5545, 3.6.5).
//!
//! The years around the events are told without a rule of repetition: rules change, and what a feed tells is read anew each hour.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc};
use chrono_tz::{OffsetComponents, OffsetName, Tz};

/// A clock's setting from one of its changes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observance {
    /// What the clock showed, by its old setting, when it was changed.
    pub onset: NaiveDateTime,
    /// Seconds east of UTC before.
    pub offset_from_s: i32,
    /// Seconds east of UTC from then on.
    pub offset_to_s: i32,
    /// `CEST`; `+1030` where it has no name.
    pub name: String,
    /// Whether it is ahead of the zone's own time.
    pub daylight: bool,
}

/// How a clock is set at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Setting {
    offset_s: i32,
    /// Negative where the winter is the exception, as in Dublin, or Ramadan, as in Casablanca.
    summer_s: i64,
    name: String,
}

fn setting(zone: Tz, at: DateTime<Utc>) -> Setting {
    let offset = zone.offset_from_utc_datetime(&at.naive_utc());
    let offset_s = offset.fix().local_minus_utc();
    // Zones without letters of their own are called by their offset.
    let name = offset.abbreviation().map_or_else(|| utc_offset(offset_s), str::to_owned);
    Setting { offset_s, summer_s: offset.dst_offset().num_seconds(), name }
}

/// What the zone's clocks do in the whole years (of UTC) that these instants lie in. The first is how they stood when those years began.
/// Whole years, so that what a feed says of a zone stays the same while its window moves on.
pub fn observances(zone: Tz, first: DateTime<Utc>, last: DateTime<Utc>) -> Vec<Observance> {
    let (begin, end) = (year_begins(first.year()), year_begins(last.year() + 1));
    let mut now = setting(zone, begin);
    let mut found = vec![(begin, now.clone(), now.clone())];
    let mut day = begin;
    while day < end {
        let next = day + Duration::days(1);
        let then = setting(zone, next);
        if then != now {
            // No zone sets its clocks twice a day.
            found.push((change_between(zone, day, next), now, then.clone()));
            now = then;
        }
        day = next;
    }
    // Where the exception is behind the zone's own time, that own time is the one that is ahead.
    let lowest = found.iter().map(|(_, _, after)| after.summer_s).min().unwrap_or(0).min(0);
    found
        .into_iter()
        .map(|(at, before, after)| Observance {
            onset: at.naive_utc() + Duration::seconds(before.offset_s.into()),
            offset_from_s: before.offset_s,
            offset_to_s: after.offset_s,
            daylight: after.summer_s > lowest,
            name: after.name,
        })
        .collect()
}

fn year_begins(year: i32) -> DateTime<Utc> {
    NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default().and_time(NaiveTime::MIN).and_utc()
}

/// The first second of the new setting; the old one holds at `from`, not at `until`.
fn change_between(zone: Tz, mut from: DateTime<Utc>, mut until: DateTime<Utc>) -> DateTime<Utc> {
    let old = setting(zone, from);
    while until - from > Duration::seconds(1) {
        let middle = from + Duration::seconds((until - from).num_seconds() / 2);
        if setting(zone, middle) == old {
            from = middle;
        } else {
            until = middle;
        }
    }
    until
}

/// The zone's component. Written by hand: what is pushed into an `icalendar::Calendar` gets a UID and the time of writing, which no
/// zone may have, and the crate makes no zones of its own.
pub fn component(zone: Tz, observances: &[Observance]) -> String {
    let mut text = format!("BEGIN:VTIMEZONE\r\nTZID:{}\r\n", zone.name());
    for one in observances {
        let kind = if one.daylight { "DAYLIGHT" } else { "STANDARD" };
        let onset = one.onset.format("%Y%m%dT%H%M%S");
        let (from, to) = (utc_offset(one.offset_from_s), utc_offset(one.offset_to_s));
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "BEGIN:{kind}\r\nDTSTART:{onset}\r\nTZOFFSETFROM:{from}\r\nTZOFFSETTO:{to}\r\nTZNAME:{}\r\nEND:{kind}\r\n",
            one.name
        );
    }
    text.push_str("END:VTIMEZONE\r\n");
    text
}

/// `+0530`; with seconds where there are any (RFC 5545, 3.3.14).
fn utc_offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let all = seconds.unsigned_abs();
    let (hours, minutes, rest) = (all / 3_600, all / 60 % 60, all % 60);
    if rest == 0 { format!("{sign}{hours:02}{minutes:02}") } else { format!("{sign}{hours:02}{minutes:02}{rest:02}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use chrono_tz::TZ_VARIANTS;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// The changes in these years as lines: `STANDARD 20261025T030000 +0200 +0100 CET`.
    fn told(zone: Tz, years: [i32; 2]) -> Vec<String> {
        let [first, last] = years.map(year_begins);
        let text = component(zone, &observances(zone, first, last + Duration::days(364)));
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        assert_eq!(lines[..2], ["BEGIN:VTIMEZONE", &format!("TZID:{zone}")]);
        assert_eq!(lines.last(), Some(&"END:VTIMEZONE"));
        let parts = lines[2..lines.len() - 1].chunks(6);
        let part = |lines: &[&str]| {
            let kind = lines[0].strip_prefix("BEGIN:").unwrap();
            assert_eq!(lines[5], format!("END:{kind}"));
            let values = ["DTSTART:", "TZOFFSETFROM:", "TZOFFSETTO:", "TZNAME:"].into_iter().zip(&lines[1..5]);
            let values: Vec<&str> = values.map(|(key, line)| line.strip_prefix(key).unwrap()).collect();
            format!("{kind} {}", values.join(" "))
        };
        parts.map(part).collect()
    }

    /// What the system's own zone database says of the same years.
    #[test]
    fn the_changes_of_the_clocks() {
        assert_eq!(told(Tz::Asia__Shanghai, [2026, 2027]), ["STANDARD 20260101T080000 +0800 +0800 CST"]);
        assert_eq!(
            told(Tz::Europe__Paris, [2026, 2027]),
            [
                "STANDARD 20260101T010000 +0100 +0100 CET",
                "DAYLIGHT 20260329T020000 +0100 +0200 CEST",
                "STANDARD 20261025T030000 +0200 +0100 CET",
                "DAYLIGHT 20270328T020000 +0100 +0200 CEST",
                "STANDARD 20271031T030000 +0200 +0100 CET",
            ]
        );
        assert_eq!(
            told(Tz::America__New_York, [2026, 2026]),
            [
                "STANDARD 20251231T190000 -0500 -0500 EST",
                "DAYLIGHT 20260308T020000 -0500 -0400 EDT",
                "STANDARD 20261101T020000 -0400 -0500 EST",
            ]
        );
        assert_eq!(
            told(Tz::Australia__Lord_Howe, [2026, 2026]),
            [
                "DAYLIGHT 20260101T110000 +1100 +1100 +1100",
                "STANDARD 20260405T020000 +1100 +1030 +1030",
                "DAYLIGHT 20261004T020000 +1030 +1100 +1100",
            ]
        );
        // Ramadan is the exception, and behind.
        assert_eq!(
            told(Tz::Africa__Casablanca, [2026, 2026]),
            [
                "DAYLIGHT 20260101T010000 +0100 +0100 +0100",
                "STANDARD 20260215T030000 +0100 +0000 +0000",
                "DAYLIGHT 20260322T020000 +0000 +0100 +0100",
            ]
        );
        assert_eq!(
            told(Tz::Europe__Dublin, [2026, 2026]),
            [
                "STANDARD 20260101T000000 +0000 +0000 GMT",
                "DAYLIGHT 20260329T010000 +0000 +0100 IST",
                "STANDARD 20261025T020000 +0100 +0000 GMT",
            ]
        );
    }

    #[test]
    fn a_feed_of_tomorrow_tells_the_same_zone() {
        let told = |first, last| observances(Tz::Europe__Paris, at(first), at(last));
        let today = told("2026-02-03T10:00:00Z", "2026-11-03T10:00:00Z");
        assert_eq!(today, told("2026-08-03T10:00:00Z", "2026-12-31T23:59:59Z"));
        assert_eq!(today, told("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"));
        assert_ne!(today, told("2026-08-03T10:00:00Z", "2027-01-01T00:00:00Z"));
    }

    #[test]
    fn offsets_have_seconds_only_where_there_are_any() {
        for (seconds, text) in [(0, "+0000"), (19_800, "+0530"), (-12_600, "-0330"), (-2_670, "-004430")] {
            assert_eq!(utc_offset(seconds), text);
        }
    }

    /// The instant of a wall time as RFC 5545 has it read: the last change at or before it, and of a repeated hour the first.
    fn read(local: NaiveDateTime, observances: &[Observance]) -> DateTime<Utc> {
        let one = observances.iter().filter(|one| one.onset <= local).max_by_key(|one| one.onset).unwrap();
        (local - Duration::seconds(one.offset_to_s.into())).and_utc()
    }

    #[test]
    fn every_wall_time_of_every_zone_is_read_as_it_was_meant() {
        let (first, last) = (at("2026-01-01T00:00:00Z"), at("2027-12-31T23:59:59Z"));
        for zone in TZ_VARIANTS {
            let told = observances(zone, first, last);
            assert!(told.len() <= 9, "{zone}: {told:?}");
            // Three hours and ten minutes apart, and around each change.
            let steps = (0..).map(|n| first + Duration::minutes(190 * n)).take_while(|at| *at <= last);
            let changes = told.iter().skip(1).map(|one| (one.onset - Duration::seconds(one.offset_from_s.into())).and_utc());
            let near = changes.flat_map(|at| (-150..=150).map(move |n| at + Duration::minutes(n)));
            for at in steps.chain(near) {
                let local = at.with_timezone(&zone).naive_local();
                let meant = zone.from_local_datetime(&local).earliest().unwrap().to_utc();
                assert_eq!(read(local, &told), meant, "{zone} {local}");
            }
        }
    }
}
