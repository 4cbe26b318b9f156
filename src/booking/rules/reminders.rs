//! When a member is reminded of their place: a day and two hours before the class by the wall clock, never in quiet hours. Pure.

use chrono::{DateTime, Days, Duration, NaiveTime, Utc};
use chrono_tz::Tz;

use crate::booking::cut_off::{is_quiet, next};
use crate::studios::house_rules::WallTime;
use crate::zones::{instant, local_date, wall};

/// A reminder that comes later than this before the start would find its reader on the way.
const LEAST_AHEAD: Duration = Duration::minutes(30);

/// How long before quiet hours begin a reminder comes that would fall into them: it is to be read, not to wake anybody.
const BEFORE_QUIET: Duration = Duration::minutes(15);

/// Quiet hours may end as others begin, those of the studio and the member's own: more than this are one quiet day.
const QUIET_IN_A_ROW_MAX: usize = 4;

/// A reminder of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reminder {
    /// 24 hours before by the wall; from quiet hours it is put off to their end.
    DayBefore,
    /// 2 hours before by the wall; from quiet hours it is brought forward, for a class at seven to the evening before.
    HoursBefore,
}

impl Reminder {
    /// Both.
    pub const ALL: [Self; 2] = [Self::DayBefore, Self::HoursBefore];

    /// How many hours ahead.
    pub const fn hours(self) -> i64 {
        match self {
            Self::DayBefore => 24,
            Self::HoursBefore => 2,
        }
    }
}

/// What the instants of reminders follow from.
#[derive(Clone, Copy, Debug)]
pub struct Reminding {
    /// When the class starts, in which zone.
    pub starts_at: DateTime<Utc>,
    pub zone: Tz,
    /// The quiet hours, from and until: the studio's and the member's own.
    pub quiet: [Option<(WallTime, WallTime)>; 2],
}

impl Reminding {
    /// When it comes; `None`: there is no time for it outside quiet hours.
    pub fn at(&self, reminder: Reminder) -> Option<DateTime<Utc>> {
        let due = instant(wall(self.starts_at, self.zone).naive_local() - Duration::hours(reminder.hours()), self.zone);
        let at = match reminder {
            Reminder::DayBefore => self.quiet_ends(due)?,
            Reminder::HoursBefore => self.quiet_begins(due)?,
        };
        (at + LEAST_AHEAD <= self.starts_at).then_some(at)
    }

    /// When it is looked at next, after `now`.
    pub fn next(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.instants().map(|(_, at)| at).filter(|at| *at > now).min()
    }

    /// What is due at a look that was planned for this instant, and when to look next. The instants may have moved since it was planned, with
    /// somebody's quiet hours; of those that were missed only the latest that the member wants is sent, and none in quiet hours.
    pub fn look(
        &self,
        planned: DateTime<Utc>,
        wanted: impl Fn(Reminder) -> bool,
        now: DateTime<Utc>,
    ) -> (Option<Reminder>, Option<DateTime<Utc>>) {
        let next = self.next(now);
        // A look that was put off to the end of quiet hours is for what they held up; any other for the nearest, as the hours may be others.
        let put_off = self.quiet_at(planned - Duration::seconds(1)).is_some();
        let planned_for = self.instants().filter(|(_, at)| !put_off || *at <= planned).min_by_key(|(_, at)| (*at - planned).abs());
        let Some((_, first)) = planned_for else { return (None, next) };
        let missed = self.instants().filter(|(which, at)| (first..=now).contains(at) && wanted(*which));
        let Some((due, _)) = missed.max_by_key(|(_, at)| *at).filter(|_| now < self.starts_at) else { return (None, next) };
        match self.quiet_ends(now) {
            Some(at) if at == now => (Some(due), next),
            // The sweep comes late, at night: it waits until nobody sleeps.
            Some(at) if at < self.starts_at => (None, Some(next.map_or(at, |next| next.min(at)))),
            _ => (None, next),
        }
    }

    fn instants(&self) -> impl Iterator<Item = (Reminder, DateTime<Utc>)> {
        Reminder::ALL.into_iter().filter_map(|which| Some((which, self.at(which)?)))
    }

    /// This instant or, in quiet hours, the first after them.
    fn quiet_ends(&self, mut at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        for _ in 0..QUIET_IN_A_ROW_MAX {
            let Some((_, until)) = self.quiet_at(at) else { return Some(at) };
            at = next(at, until, self.zone);
        }
        None
    }

    /// This instant or, in quiet hours, one shortly before them.
    fn quiet_begins(&self, mut at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        for _ in 0..QUIET_IN_A_ROW_MAX {
            let Some((from, _)) = self.quiet_at(at) else { return Some(at) };
            at = last(at, from, self.zone) - BEFORE_QUIET;
        }
        None
    }

    /// The quiet hours in which this instant is.
    fn quiet_at(&self, at: DateTime<Utc>) -> Option<(NaiveTime, NaiveTime)> {
        let time = wall(at, self.zone).time();
        let mut hours = self.quiet.into_iter().flatten().map(|(from, until)| (from.time(), until.time()));
        hours.find(|(from, until)| from != until && is_quiet(time, *from, *until))
    }
}

/// The last instant up to `at` at which the clock showed this time, or would have if that hour were not skipped.
fn last(at: DateTime<Utc>, time: NaiveTime, zone: Tz) -> DateTime<Utc> {
    let today = local_date(at, zone);
    [0, 1]
        .into_iter()
        .filter_map(|days| today.checked_sub_days(Days::new(days)))
        .map(|date| instant(date.and_time(time), zone))
        .find(|instant| *instant <= at)
        .unwrap_or(at - Duration::days(1))
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDateTime;
    use chrono_tz::America::New_York;
    use chrono_tz::Asia::Shanghai;
    use proptest::prelude::*;

    use super::Reminder::{DayBefore, HoursBefore};
    use super::*;

    fn hours(text: &str) -> Option<(WallTime, WallTime)> {
        let (from, until) = text.split_once('-')?;
        Some((WallTime::parse(from).unwrap(), WallTime::parse(until).unwrap()))
    }

    fn local(text: &str, zone: Tz) -> DateTime<Utc> {
        instant(NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap(), zone)
    }

    fn shown(at: Option<DateTime<Utc>>, zone: Tz) -> String {
        at.map_or("never".into(), |at| wall(at, zone).format("%m-%d %H:%M").to_string())
    }

    fn reminding(starts: &str, zone: Tz, own: &str) -> Reminding {
        Reminding { starts_at: local(starts, zone), zone, quiet: [hours("22:00-07:00"), hours(own)] }
    }

    #[test]
    fn by_the_wall_and_never_in_quiet_hours() {
        for (starts, zone, own, day, two_hours) in [
            ("2026-12-03 18:30", Shanghai, "", "12-02 18:30", "12-03 16:30"),
            // The clocks are put forward in the night to 14 March 2027, and back in that to 7 November.
            ("2027-03-14 18:30", New_York, "", "03-13 18:30", "03-14 16:30"),
            ("2027-11-07 18:30", New_York, "", "11-06 18:30", "11-07 16:30"),
            // The day before it was half past two; on the day of the class that hour is skipped, or there twice.
            ("2027-03-14 09:30", New_York, "", "03-13 09:30", "03-14 07:30"),
            ("2027-03-15 02:30", New_York, "", "03-14 07:00", "03-14 21:45"),
            // A class at seven: the day before it is not quiet any more, two hours before it is.
            ("2026-12-03 07:00", Shanghai, "", "12-02 07:00", "12-02 21:45"),
            ("2026-12-03 09:00", Shanghai, "", "12-02 09:00", "12-03 07:00"),
            ("2026-12-03 08:59", Shanghai, "", "12-02 08:59", "12-02 21:45"),
            // One at half past six, and one late at night.
            ("2026-12-03 06:30", Shanghai, "", "12-02 07:00", "12-02 21:45"),
            ("2026-12-03 22:30", Shanghai, "", "12-03 07:00", "12-03 20:30"),
            // Their own hours come on top of the studio's, before it and after it.
            ("2026-12-03 18:30", Shanghai, "18:00-20:00", "12-02 20:00", "12-03 16:30"),
            ("2026-12-03 18:30", Shanghai, "16:00-20:00", "12-02 20:00", "12-03 15:45"),
            ("2026-12-03 08:00", Shanghai, "20:00-23:00", "12-02 08:00", "12-02 19:45"),
            ("2026-12-03 07:30", Shanghai, "06:00-09:30", "12-02 09:30", "12-02 21:45"),
            // No hour is left to them.
            ("2026-12-03 18:30", Shanghai, "07:00-22:00", "never", "never"),
            // Hours of no length are none.
            ("2026-12-03 18:30", Shanghai, "18:30-18:30", "12-02 18:30", "12-03 16:30"),
        ] {
            let reminding = reminding(starts, zone, own);
            let found = [DayBefore, HoursBefore].map(|which| shown(reminding.at(which), zone));
            assert_eq!(found, [day, two_hours], "{starts} {zone} {own}");
        }
    }

    #[test]
    fn an_hour_of_the_night_of_change_is_23_or_25_hours_away() {
        for (starts, hours) in [("2027-03-14 18:30", 23), ("2027-11-07 18:30", 25), ("2027-11-08 18:30", 24)] {
            let reminding = reminding(starts, New_York, "");
            assert_eq!((reminding.starts_at - reminding.at(DayBefore).unwrap()).num_hours(), hours, "{starts}");
        }
    }

    #[test]
    fn what_is_due_at_a_look() {
        let both: &[Reminder] = &Reminder::ALL;
        let (day, two) = ("2026-12-02 18:30", "2026-12-03 16:30");
        for (planned, wanted, now, due, then) in [
            (day, both, day, Some(DayBefore), "12-03 16:30"),
            (day, &[HoursBefore], day, None, "12-03 16:30"),
            (two, both, two, Some(HoursBefore), "never"),
            // Who booked ten hours before was not planned for the first, which is not made up for.
            (two, &[DayBefore], two, None, "never"),
            // The sweep comes late: only the latest that they want.
            (day, both, "2026-12-03 17:00", Some(HoursBefore), "never"),
            (day, &[DayBefore], "2026-12-03 17:00", Some(DayBefore), "never"),
            (day, both, "2026-12-03 18:30", None, "never"),
            // It comes at night, and waits for the morning.
            (day, both, "2026-12-02 23:00", None, "12-03 07:00"),
            ("2026-12-03 07:00", both, "2026-12-03 07:00", Some(DayBefore), "12-03 16:30"),
            // Planned while other quiet hours held.
            ("2026-12-02 17:00", both, "2026-12-02 17:00", None, "12-02 18:30"),
            ("2026-12-02 20:00", both, "2026-12-02 20:00", Some(DayBefore), "12-03 16:30"),
        ] {
            let reminding = reminding("2026-12-03 18:30", Shanghai, "");
            let (found, next) = reminding.look(local(planned, Shanghai), |which| wanted.contains(&which), local(now, Shanghai));
            assert_eq!((found, shown(next, Shanghai).as_str()), (due, then), "planned {planned}, now {now}");
        }
    }

    #[test]
    fn who_books_late_is_reminded_of_what_is_still_to_come() {
        for (now, next) in [
            ("2026-11-20 12:00", "12-02 18:30"),
            ("2026-12-02 18:29", "12-02 18:30"),
            ("2026-12-02 18:30", "12-03 16:30"),
            ("2026-12-03 08:30", "12-03 16:30"),
            ("2026-12-03 16:30", "never"),
        ] {
            let reminding = reminding("2026-12-03 18:30", Shanghai, "");
            assert_eq!(shown(reminding.next(local(now, Shanghai)), Shanghai), next, "{now}");
        }
    }

    proptest! {
        /// A reminder comes before the class, outside all quiet hours, and looking on ends.
        #[test]
        fn a_reminder_wakes_nobody(
            start in 0..2_000_000_i64, zone in proptest::sample::select(vec![Shanghai, New_York, chrono_tz::Europe::Paris]),
            quiet in proptest::array::uniform2(proptest::option::of((0..1440_i64, 0..1440_i64))),
        ) {
            let quiet = quiet.map(|hours| hours.map(|(from, until)| (WallTime::of_minute(from), WallTime::of_minute(until))));
            let starts_at = DateTime::from_timestamp(1_800_000_000 + start * 60, 0).unwrap();
            let reminding = Reminding { starts_at, zone, quiet };
            for which in Reminder::ALL {
                if let Some(at) = reminding.at(which) {
                    prop_assert!(at < starts_at);
                    prop_assert_eq!(reminding.quiet_at(at), None);
                }
            }
            let (mut at, mut looks) = (starts_at - Duration::days(3), 0);
            while let Some(next) = reminding.next(at) {
                prop_assert!(next > at);
                (at, looks) = (next, looks + 1);
            }
            prop_assert!(looks <= 2);
        }
    }
}
