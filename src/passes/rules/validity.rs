//! From when to when a pass pays: days, months that keep their day, and passes that count from the first class. Pure.

use chrono::{Days, Months, NaiveDate};

use crate::passes::{Length, Pass};

/// The last day of a pass without an end: the last that is stored and read everywhere.
pub const OPEN_END: NaiveDate = match NaiveDate::from_ymd_opt(2199, 12, 31) {
    Some(date) => date,
    None => NaiveDate::MAX,
};

/// The last day of what counts from this one. Months keep their day, always counted from the first: what begins on the 31st ends on the
/// last day of a shorter month, and on the 31st of a longer one.
pub fn last_day(from: NaiveDate, length: Length) -> NaiveDate {
    let last = match length {
        Length::Days(days) => from.checked_add_days(Days::new(u64::try_from(days).unwrap_or(0))),
        Length::Months(months) => from.checked_add_months(Months::new(u32::try_from(months).unwrap_or(0))),
    };
    last.unwrap_or(OPEN_END).min(OPEN_END)
}

/// A day, so many days later or, if negative, earlier. What has no end has none then either.
pub fn shifted(day: NaiveDate, days: i64) -> NaiveDate {
    if day == OPEN_END {
        return day;
    }
    let by = Days::new(days.unsigned_abs());
    let moved = if days < 0 { day.checked_sub_days(by) } else { day.checked_add_days(by) };
    moved.unwrap_or(OPEN_END).min(OPEN_END)
}

/// The first day of a pass: the one that was named, or that of the first class, or that of the sale.
pub fn first_day(pass: &Pass, sold_on: NaiveDate) -> NaiveDate {
    pass.begun_on.or(pass.starts_on).unwrap_or(sold_on)
}

/// The last day of a pass that counts from the first class, when that is on this day, or, with `None`, when nobody has come yet. The days
/// that it gained meanwhile stay with it.
pub fn begun(pass: &Pass, length: Length, first: Option<NaiveDate>) -> NaiveDate {
    match (first, pass.begun_on) {
        (None, None) => pass.expires_on,
        (None, Some(_)) => pass.begin_by.unwrap_or(OPEN_END),
        (Some(first), Some(before)) => {
            let gained = (pass.expires_on - last_day(before, length)).num_days().max(0);
            shifted(last_day(first, length), gained)
        }
        (Some(first), None) => {
            // A freeze that is still to come has made it longer already.
            let to_come = pass.frozen().filter(|(from, _)| first < *from);
            shifted(last_day(first, length), to_come.map_or(0, |(from, until)| (until - from).num_days() + 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::language::Texts;
    use crate::passes::{NewPass, PassKind, Sale};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn months_keep_their_day() {
        for (from, months, last) in [
            ("2027-01-31", 1, "2027-02-28"),
            ("2028-01-31", 1, "2028-02-29"),
            ("2027-01-31", 2, "2027-03-31"),
            ("2027-01-31", 3, "2027-04-30"),
            ("2027-01-30", 1, "2027-02-28"),
            ("2027-01-28", 1, "2027-02-28"),
            ("2028-02-29", 12, "2029-02-28"),
            ("2028-02-29", 48, "2032-02-29"),
            ("2027-10-31", 1, "2027-11-30"),
            ("2027-12-31", 2, "2028-02-29"),
            ("2027-01-15", 1, "2027-02-15"),
        ] {
            assert_eq!(last_day(day(from), Length::Months(months)), day(last), "{months} months from {from}");
        }
    }

    #[test]
    fn days_are_days() {
        // Whatever the clocks do in between: 14 March 2027 has 23 hours in New York.
        assert_eq!(last_day(day("2027-03-13"), Length::Days(1)), day("2027-03-14"));
        assert_eq!(last_day(day("2026-12-01"), Length::Days(30)), day("2026-12-31"));
        assert_eq!(last_day(day("2026-12-01"), Length::Days(36_500)), day("2126-11-07"));
        assert_eq!(last_day(day("2150-12-01"), Length::Days(36_500)), OPEN_END);
        assert_eq!(last_day(day("2199-12-01"), Length::Months(120)), OPEN_END);
        assert_eq!(shifted(day("2027-03-01"), -1), day("2027-02-28"));
        assert_eq!(shifted(OPEN_END, -30), OPEN_END);
    }

    fn open(begin_by: &str) -> Pass {
        let new = NewPass {
            name: Texts { en: "A month".into(), zh_hans: None, zh_hant: None },
            kind: PassKind::Membership,
            credits_left: None,
            per_week: None,
            starts_on: None,
            expires_on: day(begin_by),
            from_first: Some(Length::Months(1)),
            freeze_days_max: 30,
            transferable: false,
            class_type_ids: None,
            studio_ids: Vec::new(),
        };
        let id = Uuid::nil();
        Pass::sold(Sale { id, studio_id: id, person_id: id, pass_type_id: id, at: chrono::DateTime::UNIX_EPOCH, by: None }, new)
    }

    #[test]
    fn the_first_class_begins_it() {
        let month = Length::Months(1);
        let mut pass = open("2027-02-15");
        assert!(pass.is_unbegun());
        assert_eq!(begun(&pass, month, None), day("2027-02-15"), "until then it is open");
        let last = begun(&pass, month, Some(day("2027-01-31")));
        assert_eq!(last, day("2027-02-28"));
        pass.begin(Some(day("2027-01-31")), last);
        assert!(!pass.is_unbegun());
        assert_eq!(begun(&pass, month, Some(day("2027-01-29"))), day("2027-02-28"), "an earlier one was marked later");
        assert_eq!(begun(&pass, month, Some(day("2027-01-20"))), day("2027-02-20"));
        assert_eq!(begun(&pass, month, None), day("2027-02-15"), "nobody had come after all");
        pass.extend(day("2027-03-10"));
        assert_eq!(pass.extended_days, 10);
        assert_eq!(begun(&pass, month, Some(day("2027-01-20"))), day("2027-03-02"), "days that were given stay given");
        assert_eq!(pass.begin_by, Some(day("2027-02-15")), "what extends it once it has begun gives no later beginning");
    }

    #[test]
    fn a_freeze_before_the_first_class() {
        let month = Length::Months(1);
        let mut pass = open("2027-02-15");
        pass.freeze(Some((day("2027-01-10"), day("2027-01-19"))), 10, day("2027-02-25"));
        assert_eq!(pass.begin_by, Some(day("2027-02-25")));
        assert_eq!(begun(&pass, month, Some(day("2027-01-05"))), day("2027-02-15"), "frozen after it began: ten days more");
        assert_eq!(begun(&pass, month, Some(day("2027-01-20"))), day("2027-02-20"), "frozen before: it had not begun to count");
    }
}
