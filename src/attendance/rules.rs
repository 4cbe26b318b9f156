//! When absences become final, and what becomes of a session in which nobody was marked. Pure.

pub mod door;

use chrono::{DateTime, Duration, Utc};

use crate::studios::house_rules::HouseRules;

/// The instants by which a session's attendance is followed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Absences become final, if somebody was marked by then.
    pub absences_final_at: DateTime<Utc>,
    /// Staff correct until then.
    pub corrected_until: DateTime<Utc>,
    /// What nobody has marked counts as attended: never while staff may still mark it.
    pub unrecorded_at: DateTime<Utc>,
}

impl Deadlines {
    /// Of a session that ends then.
    pub fn of(ends_at: DateTime<Utc>, rules: &HouseRules) -> Self {
        let absences_final_at = ends_at + Duration::minutes(rules.no_show_final_min);
        let corrected_until = ends_at + Duration::hours(rules.attendance_until_hours);
        let unrecorded_at = ends_at + Duration::hours(rules.unrecorded_after_hours);
        Self { absences_final_at, corrected_until, unrecorded_at: unrecorded_at.max(corrected_until).max(absences_final_at) }
    }

    /// When a session is looked at next that was asked about, once somebody is marked after all: staff have as long as after a class to mark
    /// the others. A mark that leaves less makes no absences.
    pub fn after_mark(&self, due: DateTime<Utc>, rules: &HouseRules, now: DateTime<Utc>) -> DateTime<Utc> {
        if due < self.unrecorded_at { due } else { self.later(rules, now).unwrap_or(due) }
    }

    /// When it is looked at next, once a mark is taken back after absences were final.
    pub fn after_undo(&self, rules: &HouseRules, now: DateTime<Utc>) -> DateTime<Utc> {
        self.later(rules, now).unwrap_or(now)
    }

    fn later(&self, rules: &HouseRules, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let later = now + Duration::minutes(rules.no_show_final_min);
        (later <= self.corrected_until && later < self.unrecorded_at).then_some(later)
    }
}

/// What becomes of those whom nobody has marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FollowUp {
    /// There are none.
    Nothing,
    /// It is looked at again then.
    Later(DateTime<Utc>),
    /// Nobody was marked at all: staff are asked, and it is looked at again then.
    Ask(DateTime<Utc>),
    /// They are absent, for good.
    Absent,
    /// They count as attended.
    Unrecorded,
}

/// Decides what is `due` about a session: `open`, whether anybody is left unmarked; `recorded`, whether anybody was marked, or is absent
/// already.
pub fn follow_up(due: DateTime<Utc>, deadlines: Deadlines, open: bool, recorded: bool) -> FollowUp {
    let Deadlines { absences_final_at, unrecorded_at, .. } = deadlines;
    let last = due >= unrecorded_at;
    match (open, recorded) {
        _ if due < absences_final_at => FollowUp::Later(absences_final_at),
        (false, _) => FollowUp::Nothing,
        // A first mark that came too late for the others to be marked as well.
        (true, true) if last && due > absences_final_at => FollowUp::Unrecorded,
        (true, true) => FollowUp::Absent,
        (true, false) if last => FollowUp::Unrecorded,
        (true, false) => FollowUp::Ask(unrecorded_at),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn end() -> DateTime<Utc> {
        "2026-12-01T11:00:00Z".parse().unwrap()
    }

    fn after(minutes: i64) -> DateTime<Utc> {
        end() + Duration::minutes(minutes)
    }

    fn rules(written: serde_json::Value) -> HouseRules {
        HouseRules::parse(written.as_object().unwrap().clone()).unwrap()
    }

    const HOUR: i64 = 60;

    #[test]
    fn what_nobody_marked_never_counts_while_staff_may_mark_it() {
        let of = |written| {
            let deadlines = Deadlines::of(end(), &rules(written));
            let minutes = |at: DateTime<Utc>| (at - end()).num_minutes();
            (minutes(deadlines.absences_final_at), minutes(deadlines.corrected_until), minutes(deadlines.unrecorded_at))
        };
        assert_eq!(of(json!({})), (2 * HOUR, 48 * HOUR, 48 * HOUR));
        assert_eq!(of(json!({"unrecorded_after_hours": 1})), (2 * HOUR, 48 * HOUR, 48 * HOUR));
        assert_eq!(of(json!({"unrecorded_after_hours": 72})), (2 * HOUR, 48 * HOUR, 72 * HOUR));
        assert_eq!(of(json!({"attendance_until_hours": 0, "unrecorded_after_hours": 1})), (2 * HOUR, 0, 2 * HOUR));
    }

    #[test]
    fn what_becomes_of_whom_nobody_marked() {
        let deadlines = Deadlines::of(end(), &HouseRules::default());
        let (last, ask) = (after(48 * HOUR), FollowUp::Ask(after(48 * HOUR)));
        // When it is due, whether somebody is unmarked, whether anybody was marked; what comes of it.
        let table = [
            ("everybody came", after(120), false, true, FollowUp::Nothing),
            ("nobody was booked", after(120), false, false, FollowUp::Nothing),
            ("nobody was booked, at its end", end(), false, false, FollowUp::Later(after(120))),
            ("at its end", end(), true, true, FollowUp::Later(after(120))),
            ("at its end, and nobody is marked yet", end(), true, false, FollowUp::Later(after(120))),
            ("two hours later", after(120), true, true, FollowUp::Absent),
            ("two hours later, and nobody was marked", after(120), true, false, ask),
            ("two hours after a mark that came when staff were asked", after(500), true, true, FollowUp::Absent),
            ("that mark was taken back", after(500), true, false, ask),
            ("two days later", last, true, false, FollowUp::Unrecorded),
            ("two days later, after a mark of the last minute", last, true, true, FollowUp::Unrecorded),
        ];
        for (case, due, open, recorded, expected) in table {
            assert_eq!(follow_up(due, deadlines, open, recorded), expected, "{case}");
        }
        // Where both fall together, a session with marks makes absences, and one without none.
        let together = Deadlines::of(end(), &rules(json!({"attendance_until_hours": 1, "unrecorded_after_hours": 2})));
        assert_eq!(follow_up(after(120), together, true, true), FollowUp::Absent);
        assert_eq!(follow_up(after(120), together, true, false), FollowUp::Unrecorded);
    }

    #[test]
    fn a_mark_leaves_time_for_the_others() {
        let rules = HouseRules::default();
        let deadlines = Deadlines::of(end(), &rules);
        let asked = after(48 * HOUR);
        for (case, due, now, expected) in [
            ("before it is final", after(120), after(119), after(120)),
            ("once staff were asked", asked, after(300), after(420)),
            ("a second one", after(420), after(310), after(420)),
            ("the last that leaves time", asked, after(46 * HOUR - 1), after(48 * HOUR - 1)),
            ("too late", asked, after(46 * HOUR), asked),
            ("in the last minute", asked, after(48 * HOUR - 1), asked),
        ] {
            assert_eq!(deadlines.after_mark(due, &rules, now), expected, "{case}");
        }
        assert_eq!(deadlines.after_undo(&rules, after(300)), after(420));
        assert_eq!(deadlines.after_undo(&rules, after(47 * HOUR)), after(47 * HOUR));
    }
}
