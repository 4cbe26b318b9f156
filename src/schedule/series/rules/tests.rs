use chrono_tz::Africa::Casablanca;
use chrono_tz::America::New_York;
use chrono_tz::Asia::Shanghai;
use chrono_tz::Australia::Lord_Howe;
use chrono_tz::Europe::Paris;
use proptest::prelude::*;
use sqlx::types::Json;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn minute(text: &str) -> i64 {
    let time: NaiveTime = NaiveTime::parse_from_str(text, "%H:%M").unwrap();
    (time - NaiveTime::MIN).num_minutes()
}

fn plan(rule: &str, starts_on: &str, local_time: &str) -> Plan {
    let starts_on = day(starts_on);
    let series = Series {
        id: Uuid::nil(),
        studio_id: Uuid::nil(),
        rule: rule.into(),
        starts_on,
        until_on: None,
        count_max: None,
        except_dates: Json(Vec::new()),
        draft: false,
        next_date: None,
        make_at: None,
        version: 1,
        created_by: None,
        created_at: DateTime::UNIX_EPOCH,
    };
    let part = Part {
        series_id: Uuid::nil(),
        from_date: starts_on,
        class_type_id: Uuid::nil(),
        room_id: Uuid::nil(),
        instructor_id: Uuid::nil(),
        capacity: None,
        local_minute: minute(local_time),
        shift_days: 0,
    };
    Plan { series, parts: [(starts_on, part)].into(), gaps: BTreeMap::new() }
}

fn held(plan: &Plan, zone: Tz, count: usize) -> Vec<(String, Option<i64>)> {
    dates(&plan.series, plan.series.starts_on)
        .take(count)
        .map(|date| {
            let at = occurrence(date, plan.part_on(date).unwrap(), zone);
            (at.starts_at.format("%a %d %b %H:%M").to_string(), at.skipped_minute)
        })
        .collect()
}

/// Three weeks around each change of the clocks, by UTC: the wall time stays, the weekday stays, and what is skipped begins with the first
/// minute after the gap.
#[test]
fn weeks_across_the_changes_of_the_clocks() {
    type Week = (&'static str, Option<&'static str>);
    let table: [(Tz, &str, &str, [Week; 3]); 12] = [
        (Shanghai, "2027-03-21", "18:30", [("Sun 21 Mar 10:30", None), ("Sun 28 Mar 10:30", None), ("Sun 04 Apr 10:30", None)]),
        (Paris, "2027-03-21", "18:30", [("Sun 21 Mar 17:30", None), ("Sun 28 Mar 16:30", None), ("Sun 04 Apr 16:30", None)]),
        (Paris, "2027-03-21", "02:30", [("Sun 21 Mar 01:30", None), ("Sun 28 Mar 01:00", Some("02:30")), ("Sun 04 Apr 00:30", None)]),
        // A time that comes twice means the first.
        (Paris, "2027-10-24", "02:30", [("Sun 24 Oct 00:30", None), ("Sun 31 Oct 00:30", None), ("Sun 07 Nov 01:30", None)]),
        (New_York, "2027-03-07", "02:15", [("Sun 07 Mar 07:15", None), ("Sun 14 Mar 07:00", Some("02:15")), ("Sun 21 Mar 06:15", None)]),
        (New_York, "2027-10-31", "01:30", [("Sun 31 Oct 05:30", None), ("Sun 07 Nov 05:30", None), ("Sun 14 Nov 06:30", None)]),
        (New_York, "2027-03-07", "07:00", [("Sun 07 Mar 12:00", None), ("Sun 14 Mar 11:00", None), ("Sun 21 Mar 11:00", None)]),
        // Half an hour.
        (Lord_Howe, "2027-09-26", "02:10", [("Sat 25 Sep 15:40", None), ("Sat 02 Oct 15:30", Some("02:10")), ("Sat 09 Oct 15:10", None)]),
        (Lord_Howe, "2027-03-28", "01:45", [("Sat 27 Mar 14:45", None), ("Sat 03 Apr 14:45", None), ("Sat 10 Apr 15:15", None)]),
        // Summer time all year but in Ramadan: back on 7 February, forward on 14 March.
        (Casablanca, "2027-01-31", "18:30", [("Sun 31 Jan 17:30", None), ("Sun 07 Feb 18:30", None), ("Sun 14 Feb 18:30", None)]),
        (Casablanca, "2027-03-07", "02:30", [("Sun 07 Mar 02:30", None), ("Sun 14 Mar 02:00", Some("02:30")), ("Sun 21 Mar 01:30", None)]),
        (Casablanca, "2027-03-07", "18:30", [("Sun 07 Mar 18:30", None), ("Sun 14 Mar 17:30", None), ("Sun 21 Mar 17:30", None)]),
    ];
    for (zone, starts_on, local_time, weeks) in table {
        let weeks: Vec<_> = weeks.into_iter().map(|(at, skipped)| (at.to_owned(), skipped.map(minute))).collect();
        assert_eq!(held(&plan("FREQ=WEEKLY", starts_on, local_time), zone, 3), weeks, "{zone} {local_time}");
    }
}

/// The examples of RFC 5545, 3.8.5.3, in whole days.
#[test]
fn rules_of_the_rfc() {
    let table: [(&str, &str, &[&str]); 8] = [
        ("FREQ=DAILY;INTERVAL=10", "1997-09-02", &["1997-09-02", "1997-09-12", "1997-09-22"]),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=MO,WE,FR", "1997-09-01", &["1997-09-01", "1997-09-03", "1997-09-05", "1997-09-15"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO", "1997-08-05", &["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU", "1997-08-05", &["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"]),
        ("FREQ=MONTHLY;BYDAY=1FR", "1997-09-05", &["1997-09-05", "1997-10-03", "1997-11-07"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "1997-09-30", &["1997-09-30", "1997-10-31", "1997-11-30"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "1997-09-29", &["1997-09-29", "1997-10-30", "1997-11-27", "1997-12-30"]),
        // A date that does not exist is left out, not moved.
        ("FREQ=MONTHLY;BYMONTHDAY=30", "2027-01-30", &["2027-01-30", "2027-03-30", "2027-04-30"]),
    ];
    for (rule, starts_on, expected) in table {
        let mut series = plan(rule, starts_on, "10:00").series;
        // The years of the examples lie before those that Relevé knows.
        let years = if starts_on.starts_with("1997") { 28 } else { 0 };
        series.starts_on = series.starts_on.with_year(series.starts_on.year() + years).unwrap();
        let found: Vec<NaiveDate> = dates(&series, series.starts_on).take(expected.len()).collect();
        let expected: Vec<NaiveDate> = expected.iter().map(|text| day(text)).map(|on| on.with_year(on.year() + years).unwrap()).collect();
        // The calendar repeats after 28 years.
        assert_eq!(found, expected, "{rule}");
    }
}

/// Every field that a later edit could touch, told apart by one number each.
fn any_change() -> impl Strategy<Value = (u64, Change)> {
    let id = || prop::option::of((1..4_u128).prop_map(Uuid::from_u128));
    let fields = (id(), id(), id(), prop::option::of(1..20_i64), prop::option::of(0..1440_i64), prop::option::of(-6..=6_i64));
    (0..70_u64, fields).prop_map(|(days, (class_type_id, room_id, instructor_id, capacity, local_minute, shift_days))| {
        (days, Change { class_type_id, room_id, instructor_id, capacity, local_minute, shift_days })
    })
}

/// What a date would be by the edits alone, without parts: the latest edit that reaches it and says something about a field.
fn as_edited(plan: &Plan, edits: &[(NaiveDate, Change)], date: NaiveDate) -> Part {
    let mut part = Part { from_date: date, ..plan.parts.values().next().unwrap().clone() };
    for (_, change) in edits.iter().filter(|(from, _)| *from <= date) {
        change.apply(&mut part);
    }
    part
}

fn assert_same(edited: &Plan, other: &Plan, edits: &[(NaiveDate, Change)]) {
    for date in dates(&edited.series, edited.series.starts_on).take(80) {
        let part = Part { from_date: date, ..edited.part_on(date).unwrap().clone() };
        assert_eq!(part, as_edited(other, edits, date), "{date}");
    }
}

proptest! {
    /// However often a series is edited from whatever dates, each of its dates is as the edits say, and it has no superfluous part.
    #[test]
    fn a_series_is_as_its_edits_say(changes in prop::collection::vec(any_change(), 0..12)) {
        let written = plan("FREQ=DAILY", "2026-12-01", "10:00");
        let mut edited = written.clone();
        let edits: Vec<_> = changes.into_iter().map(|(days, change)| (day("2026-12-01") + Days::new(days), change)).collect();
        for (from, change) in &edits {
            edited.change_from(*from, change);
        }
        assert_same(&edited, &written, &edits);
        prop_assert!(edited.parts.len() <= edits.len() + 1);
        let parts: Vec<_> = edited.parts.values().map(|part| Part { from_date: day("2026-12-01"), ..part.clone() }).collect();
        prop_assert!(parts.windows(2).all(|two| two[0] != two[1]), "two parts that say the same");
    }

    /// Edits that touch different things may come in any order: the result is the series written that way at once.
    #[test]
    fn edits_in_any_order_are_the_series_written_at_once(
        (one, two, three) in ((0..70_u64, 1..4_u128), (0..70_u64, 0..1440_i64), (0..70_u64, 1..20_i64)),
        order in Just(vec![0, 1, 2]).prop_shuffle(),
    ) {
        let from = |days| day("2026-12-01") + Days::new(days);
        let edits = [
            (from(one.0), Change { room_id: Some(Uuid::from_u128(one.1)), ..Change::default() }),
            (from(two.0), Change { local_minute: Some(two.1), ..Change::default() }),
            (from(three.0), Change { capacity: Some(three.1), ..Change::default() }),
        ];
        let mut at_once = plan("FREQ=DAILY", "2026-12-01", "10:00");
        for (from, change) in &edits {
            at_once.change_from(*from, change);
        }
        let mut edited = plan("FREQ=DAILY", "2026-12-01", "10:00");
        for n in order {
            edited.change_from(edits[n].0, &edits[n].1);
        }
        prop_assert_eq!(edited, at_once);
    }

    /// A session begins at the wall time of its series, on the date of its rule, or is marked and begins with the first minute after.
    #[test]
    fn a_session_keeps_its_wall_time(days in 0..3_000_u64, minute in 0..1440_i64, zone in prop::sample::select(vec![Shanghai, Paris, New_York, Lord_Howe, Casablanca])) {
        let date = day("2026-01-01") + Days::new(days);
        let mut plan = plan("FREQ=DAILY", "2026-01-01", "00:00");
        plan.change_from(day("2026-01-01"), &Change { local_minute: Some(minute), ..Change::default() });
        let at = occurrence(date, plan.part_on(date).unwrap(), zone);
        let shown = crate::schedule::rules::local(at.starts_at, zone);
        match at.skipped_minute {
            None => prop_assert_eq!((shown.date, shown.minute), (date, minute)),
            Some(skipped) => {
                prop_assert_eq!(skipped, minute);
                prop_assert!((shown.date, shown.minute) > (date, minute));
                let before = crate::schedule::rules::local(at.starts_at - Duration::minutes(1), zone);
                prop_assert!((before.date, before.minute) < (date, minute), "nothing valid lies between");
            }
        }
    }
}

/// The process's own zone makes no difference: the tests of time, once more, each in a process with another zone.
#[test]
fn the_zone_of_the_process_changes_nothing() {
    let myself = std::env::current_exe().unwrap();
    for zone in ["Asia/Tokyo", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe"] {
        let run = std::process::Command::new(&myself)
            .args(["schedule::rules", "schedule::series", "--skip", "the_zone_of_the_process"])
            .env("TZ", zone)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success() && !said.contains(" 0 passed"), "{zone}: {said}");
    }
}
