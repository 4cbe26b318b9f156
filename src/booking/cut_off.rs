//! Until when a booking can be cancelled for free: the session's cut-off by the house rules, and a grace period for a place that came late.

use chrono::{DateTime, Days, Duration, DurationRound as _, MappedLocalTime, NaiveTime, Timelike as _, Utc};
use chrono_tz::Tz;

use crate::studios::house_rules::{HouseRules, WallTime};
use crate::zones::{self, instant, instants, local_date};

/// Sessions that start before this hour count as morning sessions.
const MORNING_ENDS_HOUR: u32 = 12;

/// How a member came to their place, which decides their grace period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CameBy {
    /// They booked it, or took a place that is open to everybody.
    Booking,
    /// They were moved into it from the waitlist, without doing anything.
    Promotion,
    /// They accepted a timed offer, knowing what it costs.
    Offer,
}

/// Until when every booking of a session can be cancelled for free: a fixed time before the start or, where the house rules say so, a time
/// on the evening before for morning sessions.
pub fn cut_off(rules: &HouseRules, zone: Tz, starts_at: DateTime<Utc>) -> DateTime<Utc> {
    let morning = zones::wall(starts_at, zone).hour() < MORNING_ENDS_HOUR;
    match rules.free_cancel_morning_until {
        Some(evening) if morning => {
            let date = local_date(starts_at, zone);
            instant(date.checked_sub_days(Days::new(1)).unwrap_or(date).and_time(evening.time()), zone).min(starts_at)
        }
        _ => starts_at - Duration::minutes(rules.free_cancel_min),
    }
}

/// Until when a place taken `now` can be cancelled for free: the session's cut-off or, if later, the end of the grace period, but never
/// past the start. `None`: it cannot be.
pub fn free_until(
    rules: &HouseRules,
    zone: Tz,
    cut_off: DateTime<Utc>,
    starts_at: DateTime<Utc>,
    came_by: CameBy,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let grace = match came_by {
        CameBy::Booking => (now + Duration::minutes(rules.grace_booking_min)).min(starts_at),
        CameBy::Promotion => grace_end(now, rules.grace_promotion_min, quiet_hours(rules), zone, starts_at),
        CameBy::Offer => now,
    };
    let until = cut_off.min(starts_at).max(grace);
    (until > now).then_some(until)
}

/// The studio's quiet hours, `(from, until)`; `None` where there are none.
pub fn quiet_hours(rules: &HouseRules) -> Option<(WallTime, WallTime)> {
    (rules.quiet_hours_from != rules.quiet_hours_until).then_some((rules.quiet_hours_from, rules.quiet_hours_until))
}

/// When the quiet hours end in which `now` is; `None` outside them.
pub fn quiet_until(rules: &HouseRules, zone: Tz, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let (from, until) = quiet_hours(rules)?;
    is_quiet(zones::wall(now, zone).time(), from.time(), until.time()).then(|| next(now, until.time(), zone))
}

/// Whether it is quiet for a member by their own hours, `(from, until)`, where it is not for the studio.
pub fn is_quiet_for(own: (WallTime, WallTime), rules: &HouseRules, zone: Tz, now: DateTime<Utc>) -> bool {
    let (from, until) = own;
    quiet_until(rules, zone, now).is_none() && is_quiet(zones::wall(now, zone).time(), from.time(), until.time())
}

/// The instant when `minutes` have passed since `now`, not counting quiet hours; never past the start.
pub fn grace_end(
    now: DateTime<Utc>,
    minutes: i64,
    quiet: Option<(WallTime, WallTime)>,
    zone: Tz,
    starts_at: DateTime<Utc>,
) -> DateTime<Utc> {
    let mut left = Duration::minutes(minutes);
    let Some((from, until)) = quiet else { return (now + left).min(starts_at) };
    if left.is_zero() {
        return now.min(starts_at);
    }
    let mut at = now;
    while at < starts_at {
        let time = zones::wall(at, zone).time();
        if is_quiet(time, from.time(), until.time()) {
            at = next(at, until.time(), zone);
            continue;
        }
        let silence = falls_quiet(at, (from.time(), until.time()), zone);
        if at + left <= silence {
            at += left;
            break;
        }
        left -= silence - at;
        at = silence;
    }
    at.min(starts_at)
}

/// Whether this time of day is within quiet hours; they may span midnight.
pub fn is_quiet(time: NaiveTime, from: NaiveTime, until: NaiveTime) -> bool {
    if from < until { from <= time && time < until } else { time >= from || time < until }
}

/// The first instant after `at` at which the clock shows this time, for the first or the second time, or would have if that hour were not
/// skipped.
pub fn next(at: DateTime<Utc>, time: NaiveTime, zone: Tz) -> DateTime<Utc> {
    let today = local_date(at, zone);
    [0, 1, 2]
        .into_iter()
        .filter_map(|days| today.checked_add_days(Days::new(days)))
        .flat_map(|date| match instants(date.and_time(time), zone) {
            MappedLocalTime::Ambiguous(one, other) => [one.min(other), one.max(other)],
            _ => [instant(date.and_time(time), zone); 2],
        })
        .find(|instant| *instant > at)
        .unwrap_or(at + Duration::days(1))
}

/// The first instant after `at`, when it is not quiet, at which it is: mostly when the quiet hours begin; in the night in which clocks go
/// back also when they show once more an hour of quiet that was over.
fn falls_quiet(at: DateTime<Utc>, (from, until): (NaiveTime, NaiveTime), zone: Tz) -> DateTime<Utc> {
    let begins = next(at, from, zone);
    let MappedLocalTime::Ambiguous(one, other) = instants(local_date(at, zone).and_time(until), zone) else { return begins };
    let minutes = (1..).map(|minutes| at + Duration::minutes(minutes));
    let again = minutes.map(|at| at.duration_trunc(Duration::minutes(1)).unwrap_or(at)).take_while(|at| *at < one.max(other));
    again.into_iter().find(|at| is_quiet(zones::wall(*at, zone).time(), from, until)).map_or(begins, |again| again.min(begins))
}

#[cfg(test)]
mod tests {
    use chrono_tz::Africa::Casablanca;
    use chrono_tz::America::New_York;
    use chrono_tz::Asia::Shanghai;
    use chrono_tz::Australia::Lord_Howe;
    use chrono_tz::Europe::Paris;
    use chrono_tz::Pacific::Apia;
    use proptest::prelude::*;

    use super::*;
    use crate::studios::house_rules::any::{some_minute, some_rules};

    const ZONES: [Tz; 6] = [Shanghai, Paris, New_York, Lord_Howe, Casablanca, Apia];

    fn utc(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(&format!("{text}:00Z")).unwrap().to_utc()
    }

    #[test]
    fn grace_is_counted_outside_quiet_hours() {
        let quiet = quiet_hours(&HouseRules::default());
        let far = utc("2027-01-01T00:00");
        let table = [
            (Paris, "2026-12-01T12:00", "2026-12-01T12:15"),
            // 21:50: ten minutes before the quiet hours, five after them.
            (Paris, "2026-12-01T20:50", "2026-12-02T06:05"),
            (Paris, "2026-12-01T23:00", "2026-12-02T06:15"),
            // The night that is an hour shorter, and the one that is an hour longer.
            (Paris, "2026-03-28T22:30", "2026-03-29T05:15"),
            (Paris, "2026-10-24T22:30", "2026-10-25T06:15"),
            (Lord_Howe, "2026-10-03T12:00", "2026-10-03T20:15"),
        ];
        // Clocks go back from 03:00 to 02:00: quiet until 02:01 and, when they show it again, from 02:00 to 02:01. 163 minutes before the
        // quiet hours, 59 between the two, and one after them.
        let short = Some((WallTime::at(13, 13), WallTime::at(2, 1)));
        assert_eq!(grace_end(utc("2014-10-25T09:30"), 223, short, Casablanca, far), utc("2014-10-26T02:02"));
        for (zone, now, expected) in table {
            assert_eq!(grace_end(utc(now), 15, quiet, zone, far), utc(expected), "{zone} {now}");
        }
        assert_eq!(grace_end(utc("2026-12-01T20:50"), 15, quiet, Paris, utc("2026-12-02T06:00")), utc("2026-12-02T06:00"));
        assert_eq!(grace_end(utc("2026-12-01T23:00"), 15, None, Paris, far), utc("2026-12-01T23:15"));
        assert_eq!(grace_end(utc("2026-12-01T23:00"), 0, quiet, Paris, far), utc("2026-12-01T23:00"));
        let noon = Some((WallTime::at(12, 0), WallTime::at(14, 0)));
        assert_eq!(grace_end(utc("2026-12-01T10:55"), 15, noon, Paris, far), utc("2026-12-01T13:10"));
    }

    #[test]
    fn quiet_hours_end_by_the_wall() {
        let rules = HouseRules::default();
        let ends = |zone, now: &str| quiet_until(&rules, zone, utc(now));
        // 21:59, 22:00, 06:59 and 07:00.
        assert_eq!(ends(Paris, "2026-12-01T20:59"), None);
        assert_eq!(ends(Paris, "2026-12-01T21:00"), Some(utc("2026-12-02T06:00")));
        assert_eq!(ends(Paris, "2026-12-02T05:59"), Some(utc("2026-12-02T06:00")));
        assert_eq!(ends(Paris, "2026-12-02T06:00"), None);
        // The night that is an hour shorter.
        assert_eq!(ends(Paris, "2026-03-28T22:30"), Some(utc("2026-03-29T05:00")));
        let none = HouseRules { quiet_hours_until: rules.quiet_hours_from, ..HouseRules::default() };
        assert_eq!(quiet_until(&none, Paris, utc("2026-12-01T23:00")), None);
    }

    #[test]
    fn a_members_own_quiet_hours_only_add_to_the_studios() {
        let rules = HouseRules::default();
        let quiet = |from, until, now: &str| is_quiet_for((WallTime::at(from, 0), WallTime::at(until, 0)), &rules, Paris, utc(now));
        // The studio's last from 22:00 to 07:00.
        for (from, until, now, expected) in [
            (21, 9, "2026-12-01T19:59", false),
            (21, 9, "2026-12-01T20:00", true),
            (21, 9, "2026-12-01T21:00", false),
            (21, 9, "2026-12-02T05:59", false),
            (21, 9, "2026-12-02T06:00", true),
            (21, 9, "2026-12-02T07:59", true),
            (21, 9, "2026-12-02T08:00", false),
            (12, 14, "2026-12-02T11:00", true),
            (12, 14, "2026-12-02T13:00", false),
            // The night that is an hour shorter: 07:30 and 09:00.
            (21, 9, "2026-03-29T05:30", true),
            (21, 9, "2026-03-29T07:00", false),
        ] {
            assert_eq!(quiet(from, until, now), expected, "{from} to {until}, {now}");
        }
    }

    #[test]
    fn the_way_out_of_a_booking() {
        let rules = HouseRules::default();
        let (cut_off, starts_at) = (utc("2026-12-01T06:00"), utc("2026-12-01T18:00"));
        let free = |came_by, now: &str| free_until(&rules, Paris, cut_off, starts_at, came_by, utc(now));
        assert_eq!(free(CameBy::Booking, "2026-11-30T12:00"), Some(cut_off));
        assert_eq!(free(CameBy::Booking, "2026-12-01T05:58"), Some(utc("2026-12-01T06:03")));
        assert_eq!(free(CameBy::Booking, "2026-12-01T17:58"), Some(starts_at));
        assert_eq!(free(CameBy::Booking, "2026-12-01T18:00"), None);
        assert_eq!(free(CameBy::Promotion, "2026-12-01T09:00"), Some(utc("2026-12-01T09:15")));
        assert_eq!(free(CameBy::Offer, "2026-12-01T09:00"), None);
        assert_eq!(free(CameBy::Offer, "2026-11-30T09:00"), Some(cut_off));
    }

    proptest! {
        /// The grace period lasts at least the minutes, unless the start cuts it short; it ends outside quiet hours, and never in the past.
        #[test]
        fn grace_is_what_was_promised(
            zone in proptest::sample::select(ZONES.to_vec()), now in some_minute(), rules in some_rules(),
            minutes in 1..240_i64, ahead in 0..5_000_i64,
        ) {
            let starts_at = now + Duration::minutes(ahead);
            let end = grace_end(now, minutes, quiet_hours(&rules), zone, starts_at);
            prop_assert!(now <= end && end <= starts_at);
            prop_assert!(end == starts_at || end >= now + Duration::minutes(minutes));
            if let (Some((from, until)), true) = (quiet_hours(&rules), end < starts_at) {
                let just_before = (end - Duration::minutes(1)).with_timezone(&zone).time();
                prop_assert!(!is_quiet(just_before, from.time(), until.time()));
            }
        }
    }
}
