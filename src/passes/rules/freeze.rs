//! When a pass may be frozen, for how long, and how much longer it is for that. Pure.

use chrono::NaiveDate;

use super::validity::shifted;
use crate::passes::Pass;

/// The longest freeze: longer than a pregnancy or a posting abroad, and an end all the same.
pub const DAYS_MAX: i64 = 366;

/// A pass as a freeze leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// The first and the last day; `None`: it is not frozen.
    pub frozen: Option<(NaiveDate, NaiveDate)>,
    /// How many days it was or will be frozen in all.
    pub frozen_days: i64,
    /// Its last day, by all of them later than it would be.
    pub expires_on: NaiveDate,
}

/// Why it cannot be frozen so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotFreeze {
    /// It would begin before today.
    InPast,
    /// It would end before it begins, or today is past it already.
    EndsTooEarly,
    /// It would be longer than a freeze may be.
    TooFar,
    /// It would begin after the pass's last day.
    AfterLastDay,
    /// A freeze runs that began on another day.
    Runs(NaiveDate, NaiveDate),
    /// Whoever holds it may freeze it for fewer days in all.
    TooLong { left: i64 },
}

/// How many days, the first and the last included.
pub const fn days((from, until): (NaiveDate, NaiveDate)) -> i64 {
    until.signed_duration_since(from).num_days() + 1
}

/// The pass as it is.
const fn now(pass: &Pass, frozen: Option<(NaiveDate, NaiveDate)>) -> Frozen {
    Frozen { frozen, frozen_days: pass.frozen_days, expires_on: pass.expires_on }
}

/// The pass, frozen from one day to another. One freeze at a time: one that has not begun is replaced, one that runs may only end on
/// another day, one that is over stays counted. Staff are not bound by how many days its type allows.
pub fn freeze(pass: &Pass, (from, until): (NaiveDate, NaiveDate), today: NaiveDate, by_staff: bool) -> Result<Frozen, CannotFreeze> {
    let known = pass.frozen();
    if known == Some((from, until)) {
        return Ok(now(pass, known));
    }
    let replaced = known.filter(|(_, until)| today <= *until);
    let runs = replaced.filter(|(from, _)| *from <= today);
    match runs {
        Some((began, ends)) if began != from => return Err(CannotFreeze::Runs(began, ends)),
        None if from < today => return Err(CannotFreeze::InPast),
        _ => {}
    }
    if until < from || until < today {
        return Err(CannotFreeze::EndsTooEarly);
    }
    let (before, new) = (replaced.map_or(0, days), days((from, until)));
    if new > DAYS_MAX {
        return Err(CannotFreeze::TooFar);
    }
    if from > shifted(pass.expires_on, -before) {
        return Err(CannotFreeze::AfterLastDay);
    }
    let frozen_days = pass.frozen_days - before + new;
    if !by_staff && frozen_days > pass.freeze_days_max {
        return Err(CannotFreeze::TooLong { left: (pass.freeze_days_max - pass.frozen_days + before).max(0) });
    }
    Ok(Frozen { frozen: Some((from, until)), frozen_days, expires_on: shifted(pass.expires_on, new - before) })
}

/// The pass without its freeze: one that has not begun is as if it had never been, one that runs ended yesterday, one that is over stays.
pub fn unfreeze(pass: &Pass, today: NaiveDate) -> Frozen {
    let known = pass.frozen();
    let Some((from, until)) = known.filter(|(_, until)| today <= *until) else { return now(pass, known) };
    let left = days((today.max(from), until));
    let kept = today.pred_opt().filter(|yesterday| from <= *yesterday).map(|yesterday| (from, yesterday));
    Frozen { frozen: kept, frozen_days: pass.frozen_days - left, expires_on: shifted(pass.expires_on, -left) }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::language::Texts;
    use crate::passes::{NewPass, PassKind, Sale};

    fn day(n: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 12, n).unwrap()
    }

    /// Its last day is the 20th; it may be frozen for ten days.
    fn pass() -> Pass {
        let new = NewPass {
            name: Texts { en: "Gold".into(), zh_hans: None, zh_hant: None },
            kind: PassKind::Membership,
            credits_left: None,
            per_week: None,
            starts_on: None,
            expires_on: day(20),
            from_first: None,
            freeze_days_max: 10,
            transferable: false,
            class_type_ids: None,
            studio_ids: Vec::new(),
        };
        let id = Uuid::nil();
        Pass::sold(Sale { id, studio_id: id, person_id: id, pass_type_id: id, at: chrono::DateTime::UNIX_EPOCH, by: None }, new)
    }

    fn frozen(from: u32, until: u32) -> Pass {
        let mut pass = pass();
        let done = freeze(&pass, (day(from), day(until)), day(from), true).unwrap();
        pass.freeze(done.frozen, done.frozen_days, done.expires_on);
        pass
    }

    #[test]
    fn a_freeze() {
        let done =
            |from, until, frozen_days, last| Ok(Frozen { frozen: Some((day(from), day(until))), frozen_days, expires_on: day(last) });
        // The pass, from, until, today, by staff.
        for (case, pass, from, until, today, by_staff, expected) in [
            ("both days count", pass(), 5, 7, 1, false, done(5, 7, 3, 23)),
            ("one day, today", pass(), 1, 1, 1, false, done(1, 1, 1, 21)),
            ("from its last day", pass(), 20, 21, 1, false, done(20, 21, 2, 22)),
            ("after its last day", pass(), 21, 22, 1, false, Err(CannotFreeze::AfterLastDay)),
            ("from yesterday", pass(), 4, 7, 5, true, Err(CannotFreeze::InPast)),
            ("backwards", pass(), 7, 5, 1, false, Err(CannotFreeze::EndsTooEarly)),
            ("as long as the type allows", pass(), 5, 14, 1, false, done(5, 14, 10, 30)),
            ("longer", pass(), 5, 15, 1, false, Err(CannotFreeze::TooLong { left: 10 })),
            ("staff may", pass(), 5, 15, 1, true, done(5, 15, 11, 31)),
            ("the same again, after it began", frozen(5, 7), 5, 7, 6, false, done(5, 7, 3, 23)),
            ("another in its place before it begins", frozen(5, 7), 10, 11, 1, false, done(10, 11, 2, 22)),
            ("that would begin after the last day without it", frozen(5, 7), 21, 21, 1, false, Err(CannotFreeze::AfterLastDay)),
            ("another end while it runs", frozen(5, 7), 5, 9, 6, false, done(5, 9, 5, 25)),
            ("an end that is over", frozen(5, 7), 5, 5, 6, false, Err(CannotFreeze::EndsTooEarly)),
            ("another beginning while it runs", frozen(5, 7), 8, 9, 6, false, Err(CannotFreeze::Runs(day(5), day(7)))),
            ("one more after it is over", frozen(5, 7), 8, 9, 8, false, done(8, 9, 5, 25)),
            ("of what is left", frozen(5, 7), 8, 15, 8, false, Err(CannotFreeze::TooLong { left: 7 })),
        ] {
            assert_eq!(freeze(&pass, (day(from), day(until)), day(today), by_staff), expected, "{case}");
        }
        let year = day(1) + chrono::Days::new(366);
        assert_eq!(freeze(&pass(), (day(1), year), day(1), true), Err(CannotFreeze::TooFar));
    }

    #[test]
    fn its_end() {
        let done = |frozen, frozen_days, last| Frozen { frozen, frozen_days, expires_on: day(last) };
        let range = |from, until| Some((day(from), day(until)));
        for (case, pass, today, expected) in [
            ("none", pass(), 1, done(None, 0, 20)),
            ("before it begins", frozen(5, 7), 4, done(None, 0, 20)),
            ("on its first day", frozen(5, 7), 5, done(None, 0, 20)),
            ("on its second", frozen(5, 7), 6, done(range(5, 5), 1, 21)),
            ("on its last", frozen(5, 7), 7, done(range(5, 6), 2, 22)),
            ("after", frozen(5, 7), 8, done(range(5, 7), 3, 23)),
        ] {
            assert_eq!(unfreeze(&pass, day(today)), expected, "{case}");
        }
    }
}
