//! What a late cancellation or an absence costs, when a strike lapses, and what strikes mean. Pure.

use chrono::{DateTime, Datelike, Days, Duration, Months, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Forgiven, Penalty, PenaltyKind};
use crate::letters::facts::Money;
use crate::studios::house_rules::{HouseRules, StrikesFor};
use crate::zones::{instant, local_date, wall};

/// What a late cancellation or an absence costs besides what was paid: fixed when the place is given, so that a later edit of the rules
/// never reaches back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PenaltyTerms {
    /// A late cancellation's fee.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_cancel_fee: Option<Money>,
    /// An absence's fee.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_show_fee: Option<Money>,
    /// How many late cancellations of a calendar month cost nothing.
    pub late_cancels_forgiven: i64,
    /// Whether a late cancellation is a strike.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub late_cancel_strikes: bool,
    /// Whether an absence is one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_show_strikes: bool,
}

impl PenaltyTerms {
    /// As these rules make them. A fee is for those whose membership pays: a pack loses its credit. Where strikes have no consequence, none
    /// is counted.
    pub fn of(rules: &HouseRules, membership: bool) -> Self {
        let fee = |amount: Option<i64>| {
            let fee = amount.zip(rules.fee_currency.clone()).filter(|_| membership);
            fee.map(|(amount_minor, currency)| Money { amount_minor, currency })
        };
        let strikes = |but: StrikesFor| rules.strikes_max.is_some() && rules.strikes_for != but;
        Self {
            late_cancel_fee: fee(rules.late_cancel_fee_minor),
            no_show_fee: fee(rules.no_show_fee_minor),
            late_cancels_forgiven: rules.late_cancels_forgiven,
            late_cancel_strikes: strikes(StrikesFor::NoShows),
            no_show_strikes: strikes(StrikesFor::LateCancels),
        }
    }
}

/// What speaks for the member at this instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leniency {
    /// The session is on a day without penalties.
    pub penalty_free_day: bool,
    /// How many late cancellations of this calendar month were forgiven already.
    pub forgiven: i64,
}

impl Leniency {
    /// For a session on this day, at this instant, given all penalties of the member.
    pub fn of<'p>(
        own: impl IntoIterator<Item = &'p Penalty>,
        studio_id: Uuid,
        rules: &HouseRules,
        session_date: NaiveDate,
        month: NaiveDate,
    ) -> Self {
        let counts = |penalty: &&Penalty| {
            penalty.studio_id == studio_id && penalty.forgiven == Some(Forgiven::Month) && penalty.month == month && !penalty.is_waived()
        };
        let forgiven = i64::try_from(own.into_iter().filter(counts).count()).unwrap_or(i64::MAX);
        Self { penalty_free_day: rules.penalty_free_days.has(session_date), forgiven }
    }
}

/// What is taken, or stays taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Credits of a pack.
    pub credits: i64,
    /// Whether it counts as a membership's visit of the week.
    pub visit: bool,
    /// To be collected at the desk.
    pub fee: Option<Money>,
    /// Whether it counts as a strike.
    pub strike: bool,
    /// Why nothing of this is taken, although it would be.
    pub forgiven: Option<Forgiven>,
}

impl Cost {
    /// Whether nothing is taken.
    pub const fn is_nothing(&self) -> bool {
        self.credits == 0 && !self.visit && self.fee.is_none() && !self.strike
    }
}

/// What a late cancellation or an absence costs: the one function by which it is told before the tap and taken after it. `credits` and
/// `visit` are what was paid for the place. An absence is forgiven on a day without penalties alone.
pub fn cost(kind: PenaltyKind, terms: &PenaltyTerms, credits: i64, visit: bool, leniency: Leniency) -> Cost {
    let (fee, strike) = match kind {
        PenaltyKind::LateCancel => (&terms.late_cancel_fee, terms.late_cancel_strikes),
        PenaltyKind::NoShow => (&terms.no_show_fee, terms.no_show_strikes),
    };
    let full = Cost { credits, visit, fee: fee.clone(), strike, forgiven: None };
    let of_month = kind == PenaltyKind::LateCancel && leniency.forgiven < terms.late_cancels_forgiven;
    match (leniency.penalty_free_day, of_month) {
        _ if full.is_nothing() => full,
        (true, _) => Cost { forgiven: Some(Forgiven::Day), ..Cost::default() },
        (false, true) => Cost { forgiven: Some(Forgiven::Month), ..Cost::default() },
        (false, false) => full,
    }
}

/// The calendar month of an instant by the studio's clock, as its first day.
pub fn month_of(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    first_of_month(local_date(at, zone))
}

/// The month to which a late cancellation of a session on this day counts, as things stand: this one, where it would be late already.
pub fn month_of_late_cancel(late: bool, session_date: NaiveDate, now: DateTime<Utc>, zone: Tz) -> NaiveDate {
    if late { month_of(now, zone) } else { first_of_month(session_date) }
}

/// The first day of a date's month.
pub fn first_of_month(date: NaiveDate) -> NaiveDate {
    date.with_day(1).unwrap_or(date)
}

/// From when a strike counts no more: after as many days, at the same time of the day; or with its calendar month.
pub fn lapses_at(at: DateTime<Utc>, rules: &HouseRules, zone: Tz) -> DateTime<Utc> {
    if rules.strikes_by_month {
        let next = month_of(at, zone).checked_add_months(Months::new(1));
        return next.map_or(at, |next| instant(next.and_time(NaiveTime::MIN), zone));
    }
    in_days(at, rules.strike_lapse_days, zone)
}

/// So many days later by the studio's clock.
fn in_days(at: DateTime<Utc>, days: i64, zone: Tz) -> DateTime<Utc> {
    let later = wall(at, zone).naive_local().checked_add_days(Days::new(u64::try_from(days).unwrap_or(0)));
    later.map_or(at, |later| instant(later, zone))
}

/// A time in which a member may book less, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// From then on they may book as always.
    pub until: DateTime<Utc>,
    /// Only sessions that start within so many hours may be booked; 0: none.
    pub only_within_hours: i64,
}

impl Suspension {
    /// Whether a session that starts then may not be booked now.
    pub fn bars(&self, starts_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        now < self.until && starts_at > now + Duration::hours(self.only_within_hours)
    }

    /// From when a session that starts then may be booked; `None`: it begins before.
    pub fn bookable_from(&self, starts_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let near = (self.only_within_hours > 0).then(|| starts_at - Duration::hours(self.only_within_hours));
        Some(near.map_or(self.until, |near| near.min(self.until))).filter(|from| *from < starts_at)
    }
}

/// What strikes mean at this instant. The consequence begins with the strike that reached the number, and lasts its days even if strikes
/// lapse meanwhile; each further one that finds as many begins it anew.
pub fn suspension(strikes: &[DateTime<Utc>], rules: &HouseRules, zone: Tz, now: DateTime<Utc>) -> Option<Suspension> {
    let max = usize::try_from(rules.strikes_max?).ok()?;
    let counted_at = |at: DateTime<Utc>| strikes.iter().filter(|one| **one <= at && at < lapses_at(**one, rules, zone)).count();
    let begins = strikes.iter().filter(|at| **at <= now && counted_at(**at) >= max);
    let until = begins.map(|at| in_days(*at, rules.strike_consequence_days, zone)).filter(|until| now < *until).max()?;
    Some(Suspension { until, only_within_hours: rules.strike_ahead_hours })
}

/// When the strikes of a member in a studio were made that were not taken back.
pub fn strikes<'p>(own: impl IntoIterator<Item = &'p Penalty>, studio_id: Uuid) -> Vec<DateTime<Utc>> {
    let strikes = own.into_iter().filter(|penalty| penalty.studio_id == studio_id && penalty.strike && !penalty.is_waived());
    strikes.map(|penalty| penalty.at).collect()
}

#[cfg(test)]
mod tests {
    use chrono_tz::America::New_York;
    use chrono_tz::Asia::{Shanghai, Taipei};
    use chrono_tz::Europe::Paris;
    use serde_json::json;

    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(&format!("{text}:00Z")).unwrap().to_utc()
    }

    fn rules(written: serde_json::Value) -> HouseRules {
        HouseRules::parse(written.as_object().unwrap().clone()).unwrap()
    }

    fn fee(amount_minor: i64) -> Option<Money> {
        Some(Money { amount_minor, currency: "EUR".to_owned() })
    }

    #[test]
    fn what_is_fixed_with_the_booking() {
        let none = PenaltyTerms { late_cancels_forgiven: 1, ..PenaltyTerms::default() };
        let fees = json!({"late_cancel_fee_minor": 1000, "no_show_fee_minor": 2000, "fee_currency": "EUR"});
        let table = [
            ("the defaults", json!({}), true, none.clone()),
            ("a pack pays no fee", fees.clone(), false, none.clone()),
            ("a membership does", fees, true, PenaltyTerms { late_cancel_fee: fee(1000), no_show_fee: fee(2000), ..none.clone() }),
            (
                "strikes for both",
                json!({"strikes_max": 3}),
                false,
                PenaltyTerms { late_cancel_strikes: true, no_show_strikes: true, ..none.clone() },
            ),
            (
                "for absences alone",
                json!({"strikes_max": 3, "strikes_for": "no_shows"}),
                false,
                PenaltyTerms { no_show_strikes: true, ..none.clone() },
            ),
            (
                "for late cancellations alone",
                json!({"strikes_max": 3, "strikes_for": "late_cancels", "late_cancels_forgiven": 2}),
                false,
                PenaltyTerms { late_cancels_forgiven: 2, late_cancel_strikes: true, ..none },
            ),
        ];
        for (case, written, membership, expected) in table {
            let terms = PenaltyTerms::of(&rules(written), membership);
            assert_eq!(terms, expected, "{case}");
            let stored = serde_json::to_value(&terms).unwrap();
            assert_eq!(serde_json::from_value::<PenaltyTerms>(stored).unwrap(), terms, "{case}");
        }
    }

    #[test]
    fn what_it_costs() {
        let terms = PenaltyTerms {
            late_cancel_fee: fee(1000),
            no_show_fee: fee(2000),
            late_cancels_forgiven: 1,
            late_cancel_strikes: true,
            no_show_strikes: true,
        };
        let plain = PenaltyTerms { late_cancels_forgiven: 1, ..PenaltyTerms::default() };
        let before = PenaltyTerms::default();
        let with = |day, forgiven| Leniency { penalty_free_day: day, forgiven };
        let (late, absent) = (PenaltyKind::LateCancel, PenaltyKind::NoShow);
        let forgiven = |why| Cost { forgiven: Some(why), ..Cost::default() };
        let credit = Cost { credits: 1, ..Cost::default() };
        let visit = |amount| Cost { visit: true, fee: fee(amount), strike: true, ..Cost::default() };
        // What for, the terms, the credits and the visit that were paid, what speaks for the member; what it costs.
        let table = [
            ("the first of a month", late, &plain, 1, false, with(false, 0), forgiven(Forgiven::Month)),
            ("the second", late, &plain, 1, false, with(false, 1), credit.clone()),
            ("the second, on a day of snow", late, &plain, 1, false, with(true, 1), forgiven(Forgiven::Day)),
            ("the first, on a day of snow, leaves the month's", late, &plain, 1, false, with(true, 0), forgiven(Forgiven::Day)),
            ("of a booking older than the rules", late, &before, 1, false, with(false, 0), credit.clone()),
            ("of a place that cost nothing", late, &plain, 0, false, with(false, 0), Cost::default()),
            ("of a membership, the first", late, &terms, 0, true, with(false, 0), forgiven(Forgiven::Month)),
            ("of a membership, the second", late, &terms, 0, true, with(false, 1), visit(1000)),
            ("an absence is never forgiven", absent, &plain, 1, false, with(false, 0), credit),
            ("an absence of a membership", absent, &terms, 0, true, with(false, 0), visit(2000)),
            ("but on a day of snow", absent, &terms, 0, true, with(true, 0), forgiven(Forgiven::Day)),
            (
                "a strike alone",
                late,
                &PenaltyTerms { late_cancel_strikes: true, ..PenaltyTerms::default() },
                0,
                false,
                with(false, 0),
                Cost { strike: true, ..Cost::default() },
            ),
        ];
        for (case, kind, terms, credits, visit, leniency, expected) in table {
            assert_eq!(cost(kind, terms, credits, visit, leniency), expected, "{case}");
        }
    }

    #[test]
    fn a_month_is_the_studios() {
        let first = |year, month| NaiveDate::from_ymd_opt(year, month, 1).unwrap();
        // Half past midnight of 1 December in Shanghai is still November in New York.
        assert_eq!(month_of(utc("2026-11-30T16:30"), Shanghai), first(2026, 12));
        assert_eq!(month_of(utc("2026-11-30T16:30"), New_York), first(2026, 11));
        assert_eq!(month_of(utc("2026-11-30T15:59"), Shanghai), first(2026, 11));
        assert_eq!(month_of(utc("2026-12-31T23:30"), Paris), first(2027, 1));
    }

    #[test]
    fn a_strike_lapses_by_the_wall() {
        let days = |days: i64| rules(json!({"strike_lapse_days": days}));
        let month = rules(json!({"strikes_by_month": true}));
        let table = [
            (&days(30), Paris, "2026-11-10T17:00", "2026-12-10T17:00"),
            // The clocks go forward, and back, meanwhile: 18:00 stays 18:00.
            (&days(30), Paris, "2026-03-10T17:00", "2026-04-09T16:00"),
            (&days(30), Paris, "2026-10-10T16:00", "2026-11-09T17:00"),
            // 02:30 does not exist on 8 March in New York.
            (&days(1), New_York, "2026-03-07T07:30", "2026-03-08T07:00"),
            (&days(1), Shanghai, "2026-02-28T01:00", "2026-03-01T01:00"),
            (&month, Shanghai, "2026-11-30T15:59", "2026-11-30T16:00"),
            (&month, Shanghai, "2026-11-30T16:00", "2026-12-31T16:00"),
            (&month, Paris, "2026-03-31T21:59", "2026-03-31T22:00"),
        ];
        for (rules, zone, at, expected) in table {
            assert_eq!(lapses_at(utc(at), rules, zone), utc(expected), "{zone} {at}");
        }
    }

    #[test]
    fn what_strikes_mean() {
        // "3 in 30 days → for 14 days only sessions that start within 24 h".
        let preset = rules(json!({"strikes_max": 3}));
        let three = ["2026-11-01T10:00", "2026-11-10T10:00", "2026-11-20T10:00"];
        let third = Some("2026-12-04T10:00");
        let table = [
            ("two are none", &preset, &three[..2], "2026-11-20T10:00", None),
            ("the third begins it", &preset, &three[..], "2026-11-20T10:00", third),
            ("to its last minute, though the first has lapsed", &preset, &three[..], "2026-12-04T09:59", third),
            ("then it is over", &preset, &three[..], "2026-12-04T10:00", None),
            (
                "three that are too far apart",
                &preset,
                &["2026-10-20T10:00", "2026-11-10T10:00", "2026-11-20T10:00"][..],
                "2026-11-20T10:00",
                None,
            ),
            (
                "to the minute of the lapse",
                &preset,
                &["2026-10-21T10:00", "2026-11-10T10:00", "2026-11-20T10:00"][..],
                "2026-11-20T10:00",
                None,
            ),
            ("a minute before it", &preset, &["2026-10-21T10:01", "2026-11-10T10:00", "2026-11-20T10:00"][..], "2026-11-20T10:00", third),
            (
                "a fourth begins it anew",
                &preset,
                &["2026-11-01T10:00", "2026-11-10T10:00", "2026-11-20T10:00", "2026-11-25T10:00"][..],
                "2026-11-25T10:00",
                Some("2026-12-09T10:00"),
            ),
            ("without a number nothing", &rules(json!({})), &three[..], "2026-11-20T10:00", None),
        ];
        for (case, rules, strikes, now, expected) in table {
            let strikes: Vec<_> = strikes.iter().map(|at| utc(at)).collect();
            let found = suspension(&strikes, rules, Shanghai, utc(now));
            assert_eq!(found.map(|one| one.until), expected.map(utc), "{case}");
            assert!(found.is_none_or(|one| one.only_within_hours == 24), "{case}");
        }
    }

    #[test]
    fn the_rules_of_real_studios() {
        let (nov, dec) = ("2026-11-30T10:00", "2026-12-01T10:00");
        // "3 warnings in 90 days → 3 weeks nothing may be booked".
        let warnings = rules(json!({"strikes_max": 3, "strike_lapse_days": 90, "strike_consequence_days": 21, "strike_ahead_hours": 0}));
        let of_quarter = ["2026-09-10T10:00", "2026-10-20T10:00", "2026-12-01T10:00"];
        // "More than two late cancels a month → 30 days".
        let monthly = rules(json!({
            "late_cancels_forgiven": 2, "strikes_max": 1, "strikes_by_month": true, "strike_consequence_days": 30, "strike_ahead_hours": 0
        }));
        // "Two in a calendar month": the last of November and the first of December are one each.
        let two_a_month = rules(json!({"strikes_max": 2, "strikes_by_month": true}));
        let table = [
            (&warnings, Taipei, &of_quarter[..], dec, Some(("2026-12-22T10:00", 0))),
            (&warnings, Taipei, &of_quarter[..2], dec, None),
            (&monthly, Shanghai, &[dec][..], dec, Some(("2026-12-31T10:00", 0))),
            (&two_a_month, Shanghai, &[nov, dec][..], dec, None),
            (&two_a_month, Shanghai, &["2026-11-30T17:00", dec][..], dec, Some(("2026-12-15T10:00", 24))),
            (&two_a_month, New_York, &["2026-11-30T17:00", dec][..], dec, None),
        ];
        for (rules, zone, strikes, now, expected) in table {
            let strikes: Vec<_> = strikes.iter().map(|at| utc(at)).collect();
            let found = suspension(&strikes, rules, zone, utc(now)).map(|one| (one.until, one.only_within_hours));
            assert_eq!(found, expected.map(|(until, hours)| (utc(until), hours)), "{zone} {strikes:?}");
        }
        // The third of a month is the first that is not forgiven.
        let terms = PenaltyTerms::of(&monthly, false);
        let strikes = [0, 1, 2].map(|forgiven| {
            let leniency = Leniency { penalty_free_day: false, forgiven };
            cost(PenaltyKind::LateCancel, &terms, 1, false, leniency).strike
        });
        assert_eq!(strikes, [false, false, true]);
    }

    #[test]
    fn what_a_suspended_member_may_book() {
        let near = Suspension { until: utc("2026-12-10T10:00"), only_within_hours: 24 };
        let nothing = Suspension { only_within_hours: 0, ..near };
        let table = [
            (near, "2026-12-02T10:00", "2026-12-01T10:00", false, Some("2026-12-01T10:00")),
            (near, "2026-12-02T10:01", "2026-12-01T10:00", true, Some("2026-12-01T10:01")),
            (near, "2026-12-20T10:00", "2026-12-10T10:00", false, Some("2026-12-10T10:00")),
            (near, "2026-12-20T10:00", "2026-12-10T09:59", true, Some("2026-12-10T10:00")),
            (nothing, "2026-12-01T10:30", "2026-12-01T10:00", true, None),
            (nothing, "2026-12-20T10:00", "2026-12-01T10:00", true, Some("2026-12-10T10:00")),
        ];
        for (suspension, starts_at, now, bars, from) in table {
            assert_eq!(suspension.bars(utc(starts_at), utc(now)), bars, "{starts_at} {now}");
            assert_eq!(suspension.bookable_from(utc(starts_at)), from.map(utc), "{starts_at}");
        }
    }
}
