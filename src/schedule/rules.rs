//! The time of a session: from the studio's wall clock to instants and back, and the instants that the house rules give it.
//!
//! A wall time that a change of the clocks skips becomes the first instant after the gap, one that it repeats is the first of the two.
//! Only a session's own start may not be skipped: whoever schedules it is told.

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use crate::booking::cut_off::cut_off;
use crate::studios::house_rules::{AfterCutoff, HouseRules, WallTime};
use crate::wrong::Wrong;
use crate::zones::{self, instant, local_date};

/// The years that a session may be in.
pub const YEARS: std::ops::RangeInclusive<i32> = 2000..=2199;

/// A start as whoever schedules a session writes it: `2026-12-01T18:30`, in the studio's wall time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, example = "2026-12-01T18:30", pattern = r"^2[01]\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d$")]
pub struct LocalStart(NaiveDateTime);

impl LocalStart {
    /// The wall time of a text, if it is one in the years that Relevé knows.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let well_formed = text.len() == 16 && text.is_ascii();
        let local = well_formed.then(|| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").ok()).flatten();
        let local = local.ok_or(Wrong::NotLocalStart)?;
        if YEARS.contains(&local.year()) { Ok(Self(local)) } else { Err(Wrong::NotInYears) }
    }

    /// This wall time.
    pub fn from_local(local: NaiveDateTime) -> Self {
        Self(local)
    }

    /// The wall time of an instant.
    pub fn of(at: DateTime<Utc>, zone: Tz) -> Self {
        Self(zones::wall(at, zone).naive_local())
    }

    /// The wall time that a session is stored with.
    pub fn shown(date: NaiveDate, minute: i64) -> Self {
        Self(date.and_time(NaiveTime::MIN) + Duration::minutes(minute))
    }

    /// The minute of its day on the clock's face.
    pub fn minute(self) -> i64 {
        i64::from(self.0.hour() * 60 + self.0.minute())
    }

    /// As date and time.
    pub fn local(self) -> NaiveDateTime {
        self.0
    }
}

impl std::fmt::Display for LocalStart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%dT%H:%M"))
    }
}

impl Serialize for LocalStart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LocalStart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(Wrong::refuse)
    }
}

/// A date on a studio's calendar, `2026-12-01`, in the years that Relevé knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[schema(value_type = String, format = Date, example = "2026-12-01", pattern = r"^2[01]\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
pub struct LocalDate(pub NaiveDate);

impl<'de> Deserialize<'de> for LocalDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let date = (text.len() == 10 && text.is_ascii()).then(|| NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()).flatten();
        match date {
            Some(date) if YEARS.contains(&date.year()) => Ok(Self(date)),
            _ => Err(Wrong::NotDate.refuse()),
        }
    }
}

/// The dates `[from, to)` that a caller asks for, at most `days_max` of them; without any, the `days_usual` from `today` on.
pub fn date_range(
    from: Option<LocalDate>,
    to: Option<LocalDate>,
    today: NaiveDate,
    (days_usual, days_max): (u64, u64),
) -> Result<(NaiveDate, NaiveDate), Wrong> {
    let from = from.map_or(today, |from| from.0);
    let later = |days| from.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX);
    let to = to.map_or(later(days_usual), |to| to.0);
    if to <= from {
        return Err(Wrong::NotAfterFrom);
    }
    if to > later(days_max) { Err(Wrong::TooFarFromFrom { days: days_max }) } else { Ok((from, to)) }
}

/// The studio's clocks skip this wall time; the first one after the gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The first wall time that there is again.
    pub next: LocalStart,
}

/// The instant of a session's start. A skipped wall time is refused, a repeated one means the first.
pub fn resolve_local_start(start: LocalStart, zone: Tz) -> Result<DateTime<Utc>, Skipped> {
    zones::existing(start.0, zone).ok_or_else(|| Skipped { next: LocalStart::of(instant(start.0, zone), zone) })
}

/// The parts of a wall time by which sessions are listed and found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// The date on the studio's calendar.
    pub date: NaiveDate,
    /// Minutes since midnight on the clock's face, 0 to 1439.
    pub minute: i64,
    /// Monday is 1, Sunday 7.
    pub weekday: i64,
}

/// What the studio's calendar and clock show at an instant.
pub fn local(at: DateTime<Utc>, zone: Tz) -> Local {
    let local = zones::wall(at, zone).naive_local();
    Local {
        date: local.date(),
        minute: i64::from(local.hour() * 60 + local.minute()),
        weekday: i64::from(local.weekday().number_from_monday()),
    }
}

/// The instant at which a session should begin by its wall time, if that is not the one at which it does: the law about the zone's clocks
/// has changed since, or what is known of it. `skipped`: the minute that its series means and the clocks skip.
pub fn start_by_the_wall(
    starts_at: DateTime<Utc>,
    (date, minute): (NaiveDate, i64),
    skipped: Option<i64>,
    zone: Tz,
) -> Option<DateTime<Utc>> {
    let meant = instant(LocalStart::shown(date, skipped.unwrap_or(minute)).local(), zone);
    let on = local(starts_at, zone);
    // If the clocks now show a time twice, either will do.
    let fits = if skipped.is_some() { starts_at == meant } else { (on.date, on.minute) == (date, minute) };
    (!fits).then_some(meant)
}

/// The Monday of a date's week: by it the visits of a membership are counted.
pub fn week_of(date: NaiveDate) -> NaiveDate {
    date.checked_sub_days(Days::new(u64::from(date.weekday().num_days_from_monday()))).unwrap_or(date)
}

/// The instants that a session is stored with: every cut-off, and the length of its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionInstants {
    /// Members may book from here on …
    pub booking_opens_at: DateTime<Utc>,
    /// … until here.
    pub booking_closes_at: DateTime<Utc>,
    /// Cancelling is free until this.
    pub free_cancel_until: DateTime<Utc>,
    /// Promotion is automatic before this.
    pub promote_until: DateTime<Utc>,
    /// After that and until this, a free place is offered to those who wait, or kept for them; `None`: it is public at once.
    pub offers_until: Option<DateTime<Utc>>,
    /// No way in is left: those who still wait are told so.
    pub waiting_ends_at: DateTime<Utc>,
    /// How many may wait; `None` is no cap.
    pub waitlist_cap: Option<i64>,
}

/// What the house rules say about a session that starts then.
pub fn instants(rules: &HouseRules, zone: Tz, starts_at: DateTime<Utc>, capacity: i64) -> SessionInstants {
    let before = |minutes: i64| starts_at - Duration::minutes(minutes);
    let date = local_date(starts_at, zone);
    let days_before =
        |days: u64, time: WallTime| instant(date.checked_sub_days(Days::new(days)).unwrap_or(date).and_time(time.time()), zone);
    let closes = before(rules.booking_closes_min);
    let opens = days_before(u64::try_from(rules.booking_opens_days).unwrap_or(0), rules.booking_opens_at);
    let free = cut_off(rules, zone, starts_at);
    let list_closes = rules.waitlist_closes_min.map_or(starts_at, before);
    let promote = rules.promotion_until_min.map_or(free, before).min(list_closes);
    let offers = (rules.after_cutoff != AfterCutoff::Open).then(|| before(rules.offers_until_min).min(list_closes));
    SessionInstants {
        booking_opens_at: opens.min(closes),
        booking_closes_at: closes,
        free_cancel_until: free,
        promote_until: promote,
        offers_until: offers,
        // Before the cut-off a free place is given to the next; after it, it is offered, or public until booking closes.
        waiting_ends_at: promote.max(closes).max(offers.unwrap_or(closes)).min(starts_at).min(list_closes),
        waitlist_cap: rules.waitlist_cap(capacity),
    }
}

/// The instructor is warned this long before it is decided whether enough have booked.
const TOO_FEW_WARNING: Duration = Duration::hours(1);

/// When it is decided whether enough have booked, and the next step towards it, for a session on the schedule that has a minimum. Neither
/// if that instant has passed. A step that is done stays done unless the instant changes: `known` is what was set before.
pub fn too_few(
    starts_at: DateTime<Utc>,
    known: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    rules: &HouseRules,
    zone: Tz,
    now: DateTime<Utc>,
) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
    let at = too_few_at(rules, zone, starts_at);
    if known.0 == Some(at) {
        return known;
    }
    if at <= now { (None, None) } else { (Some(at), Some(at - TOO_FEW_WARNING)) }
}

/// When it is decided whether enough have booked: a fixed time before the start or, for morning sessions, on the evening before.
fn too_few_at(rules: &HouseRules, zone: Tz, starts_at: DateTime<Utc>) -> DateTime<Utc> {
    let local = zones::wall(starts_at, zone).naive_local();
    if local.time() < rules.too_few_morning_before.time() {
        let evening = local.date().checked_sub_days(Days::new(1)).unwrap_or(local.date());
        return instant(evening.and_time(rules.too_few_evening_at.time()), zone).min(starts_at);
    }
    starts_at - Duration::minutes(rules.too_few_min)
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

    fn start(text: &str) -> LocalStart {
        LocalStart::parse(text).unwrap()
    }

    #[test]
    fn a_start_is_a_minute_on_the_wall() {
        for bad in [
            "",
            "2026-12-01",
            "2026-12-01T18:30:00",
            "2026-12-01T18:30Z",
            "2026-12-01 18:30",
            "2026-13-01T18:30",
            "2026-02-30T18:30",
            "2026-12-01T24:00",
            "1999-12-31T18:30",
            "2200-01-01T00:00",
            "٢٠٢٦-12-01T1",
        ] {
            assert!(LocalStart::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(start("2026-12-01T18:30").to_string(), "2026-12-01T18:30");
    }

    /// What each zone does with each wall time: the instant, or the first wall time after the gap.
    #[test]
    fn starts_across_the_changes_of_the_clocks() {
        let table: [(Tz, &str, Result<&str, &str>); 19] = [
            (Shanghai, "2026-12-01T18:30", Ok("2026-12-01T10:30")),
            (Shanghai, "2026-03-29T02:30", Ok("2026-03-28T18:30")),
            (Paris, "2026-03-29T01:59", Ok("2026-03-29T00:59")),
            (Paris, "2026-03-29T02:00", Err("2026-03-29T03:00")),
            (Paris, "2026-03-29T02:59", Err("2026-03-29T03:00")),
            (Paris, "2026-03-29T03:00", Ok("2026-03-29T01:00")),
            (Paris, "2026-10-25T02:30", Ok("2026-10-25T00:30")),
            (Paris, "2026-10-25T03:00", Ok("2026-10-25T02:00")),
            (New_York, "2026-03-08T02:30", Err("2026-03-08T03:00")),
            (New_York, "2026-11-01T01:30", Ok("2026-11-01T05:30")),
            (New_York, "2026-11-01T02:00", Ok("2026-11-01T07:00")),
            // Half an hour, in the southern spring and autumn.
            (Lord_Howe, "2026-10-04T02:15", Err("2026-10-04T02:30")),
            (Lord_Howe, "2026-10-04T02:30", Ok("2026-10-03T15:30")),
            (Lord_Howe, "2026-04-05T01:45", Ok("2026-04-04T14:45")),
            (Lord_Howe, "2026-04-05T02:00", Ok("2026-04-04T15:30")),
            // Summer time is suspended in Ramadan: back in February, forward in March.
            (Casablanca, "2026-02-15T02:30", Ok("2026-02-15T01:30")),
            (Casablanca, "2026-03-22T02:30", Err("2026-03-22T03:00")),
            (Casablanca, "2026-06-01T18:30", Ok("2026-06-01T17:30")),
            // A whole day that never was.
            (Apia, "2011-12-30T10:00", Err("2011-12-31T00:00")),
        ];
        for (zone, wall, expected) in table {
            let resolved = resolve_local_start(start(wall), zone);
            let expected = expected.map(utc).map_err(|next| Skipped { next: start(next) });
            assert_eq!(resolved, expected, "{zone} {wall}");
        }
    }

    /// The instant that older data gave a wall time, and the right one by what is known now.
    #[test]
    fn a_session_keeps_its_wall_time_when_the_law_changes() {
        type Case = (Tz, &'static str, &'static str, Option<&'static str>, Option<&'static str>);
        let table: [Case; 8] = [
            (Shanghai, "2026-12-01T18:30", "2026-12-01T10:30", None, None),
            (Shanghai, "2026-12-01T18:30", "2026-12-01T09:30", None, Some("2026-12-01T10:30")),
            (Shanghai, "2026-12-01T00:10", "2026-11-30T15:10", None, Some("2026-11-30T16:10")),
            (New_York, "2027-03-14T18:30", "2027-03-14T23:30", None, Some("2027-03-14T22:30")),
            // Skipped by the new law: the first minute after the gap.
            (New_York, "2027-03-14T02:30", "2027-03-14T07:30", None, Some("2027-03-14T07:00")),
            // Shown twice by the new law: it stays, whichever of the two it is.
            (New_York, "2026-11-01T01:30", "2026-11-01T06:30", None, None),
            // A series' minute that is still skipped, and one that no longer is.
            (New_York, "2027-03-14T03:00", "2027-03-14T07:00", Some("02:30"), None),
            (Shanghai, "2026-12-01T03:00", "2026-11-30T19:00", Some("02:30"), Some("2026-11-30T18:30")),
        ];
        for (zone, wall, at, skipped, expected) in table {
            let wall = start(wall).local();
            let minute = i64::from(wall.hour() * 60 + wall.minute());
            let skipped =
                skipped.map(|time| WallTime::parse(time).unwrap()).map(|time| i64::from(time.time().hour() * 60 + time.time().minute()));
            assert_eq!(start_by_the_wall(utc(at), (wall.date(), minute), skipped, zone), expected.map(utc), "{zone} {wall}");
        }
    }

    #[test]
    fn a_session_is_listed_by_its_wall_time() {
        let monday = NaiveDate::from_ymd_opt(2026, 11, 30).unwrap();
        let shown = local(utc("2026-11-29T23:30"), Shanghai);
        assert_eq!(shown, Local { date: monday, minute: 7 * 60 + 30, weekday: 1 });
        assert_eq!(local(utc("2026-11-29T23:30"), New_York).weekday, 7);
        assert_eq!(week_of(monday), monday);
        assert_eq!(week_of(NaiveDate::from_ymd_opt(2026, 12, 6).unwrap()), monday);
    }

    #[test]
    fn the_defaults_of_a_session() {
        let starts_at = utc("2026-12-01T10:30");
        let instants = instants(&HouseRules::default(), Shanghai, starts_at, 20);
        assert_eq!(
            instants,
            SessionInstants {
                booking_opens_at: utc("2026-11-17T04:00"),
                booking_closes_at: starts_at,
                free_cancel_until: utc("2026-11-30T22:30"),
                promote_until: utc("2026-11-30T22:30"),
                offers_until: None,
                waiting_ends_at: starts_at,
                waitlist_cap: Some(4),
            }
        );
    }

    #[test]
    fn offers_end_before_the_start_and_waiting_not_before_them() {
        let rules = HouseRules { after_cutoff: AfterCutoff::Offers, booking_closes_min: 120, ..HouseRules::default() };
        let given = instants(&rules, Paris, utc("2026-12-01T17:00"), 10);
        assert_eq!((given.offers_until, given.waiting_ends_at), (Some(utc("2026-12-01T16:15")), utc("2026-12-01T16:15")));
    }

    /// Booking opens at the same wall time on either side of a change, and one that is skipped opens with the first minute after it.
    #[test]
    fn booking_opens_by_the_wall() {
        let rules = |days, at: &str| HouseRules {
            booking_opens_days: days,
            booking_opens_at: WallTime::parse(at).unwrap(),
            ..HouseRules::default()
        };
        let opens = |rules: &HouseRules, zone, starts_at: &str| instants(rules, zone, utc(starts_at), 10).booking_opens_at;
        assert_eq!(opens(&rules(7, "12:00"), Paris, "2026-04-01T16:00"), utc("2026-03-25T11:00"));
        assert_eq!(opens(&rules(7, "12:00"), Paris, "2026-03-28T17:00"), utc("2026-03-21T11:00"));
        assert_eq!(opens(&rules(1, "02:30"), Paris, "2026-03-30T16:00"), utc("2026-03-29T01:00"));
        assert_eq!(opens(&rules(1, "02:30"), Paris, "2026-10-26T16:00"), utc("2026-10-25T00:30"));
        assert_eq!(opens(&rules(1, "02:10"), Lord_Howe, "2026-10-04T22:00"), utc("2026-10-03T15:30"));
        assert_eq!(opens(&rules(1, "02:30"), Casablanca, "2026-03-23T10:00"), utc("2026-03-22T02:00"));
    }

    #[test]
    fn mornings_are_free_until_the_evening_before() {
        let rules = HouseRules { free_cancel_min: 120, free_cancel_morning_until: Some(WallTime::at(22, 0)), ..HouseRules::default() };
        let free = |starts_at: &str| instants(&rules, New_York, utc(starts_at), 10).free_cancel_until;
        // 07:00 and 11:59 on the morning after the clocks went forward, then noon itself.
        assert_eq!(free("2026-03-08T11:00"), utc("2026-03-08T03:00"));
        assert_eq!(free("2026-03-08T15:59"), utc("2026-03-08T03:00"));
        assert_eq!(free("2026-03-08T16:00"), utc("2026-03-08T14:00"));
    }

    #[test]
    fn promotion_may_end_by_itself() {
        let rules = HouseRules { promotion_until_min: Some(120), ..HouseRules::default() };
        assert_eq!(instants(&rules, Paris, utc("2026-12-01T17:00"), 10).promote_until, utc("2026-12-01T15:00"));
    }

    fn some_zone() -> impl Strategy<Value = Tz> {
        proptest::sample::select(chrono_tz::TZ_VARIANTS.to_vec())
    }

    proptest! {
        /// A wall time leads back to an instant that shows it, the first one that does.
        #[test]
        fn walls_and_instants_agree(zone in some_zone(), at in some_minute()) {
            let wall = LocalStart::of(at, zone);
            if let Ok(wall) = LocalStart::parse(&wall.to_string()) {
                let resolved = resolve_local_start(wall, zone).expect("it is on the wall");
                prop_assert_eq!(LocalStart::of(resolved, zone).to_string(), wall.to_string());
                prop_assert!(resolved <= at);
            }
        }

        /// A skipped wall time is refused with one that exists, later, and never by more than the gap.
        #[test]
        fn gaps_are_left_forwards(zone in proptest::sample::select(ZONES.to_vec()), at in some_minute()) {
            let wall = start(&at.naive_utc().format("%Y-%m-%dT%H:%M").to_string());
            if let Err(Skipped { next }) = resolve_local_start(wall, zone) {
                prop_assert!(next.local() > wall.local());
                let resolved = resolve_local_start(next, zone).expect("exists");
                let just_before = LocalStart::of(resolved - Duration::minutes(1), zone);
                prop_assert!(just_before.local() < wall.local());
            }
        }

        #[test]
        fn a_sessions_instants_are_in_order(zone in some_zone(), at in some_minute(), rules in some_rules(), capacity in 0..500_i64) {
            let given = instants(&rules, zone, at, capacity);
            prop_assert!(given.booking_opens_at <= given.booking_closes_at);
            prop_assert!(given.booking_closes_at <= at);
            prop_assert!(given.free_cancel_until <= at);
            prop_assert!(given.promote_until <= at);
            prop_assert!(given.waitlist_cap.is_none_or(|cap| cap >= rules.waitlist_cap_min));
        }

        #[test]
        fn a_week_begins_on_monday(days in 0..70_000_i64) {
            let date = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap() + Duration::days(days);
            let monday = week_of(date);
            prop_assert_eq!(monday.weekday(), chrono::Weekday::Mon);
            prop_assert!((0..7).contains(&(date - monday).num_days()));
        }
    }
}
