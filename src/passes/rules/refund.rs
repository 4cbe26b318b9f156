//! What a pass is worth when it is given back, unit by unit. Pure.
//!
//! A unit is a credit of a pack, a day of a membership. Each costs the price divided by the units sold. Units that were paid for are used
//! before those that were given, and what was given is worth nothing. Amounts are cut to whole minor units as they add up, so the lines add
//! up to what was used and the rest, which is given back, is never cut.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::freeze::days;
use super::validity::{first_day, last_day};
use crate::passes::{Pass, PassKind};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RefundUnit)]
pub enum Unit {
    /// Credits of a pack.
    Credit,
    /// Days of a membership, without those on which it was frozen.
    Day,
}

/// The computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refund {
    /// What is counted.
    pub unit: Unit,
    /// What was paid, in minor units.
    pub paid_minor: i64,
    /// Units that were sold.
    pub sold: i64,
    /// Units that the studio gave besides.
    pub given: i64,
    /// Units that were used, of all.
    pub used: i64,
    /// Units that nobody used until the pass was over: they are worth nothing any more.
    pub lapsed: i64,
}

impl Refund {
    /// Units that were paid for and can still be used.
    pub fn left(&self) -> i64 {
        (self.sold - self.used - self.lapsed).clamp(0, self.sold.max(0))
    }

    /// What is given back.
    pub fn amount_minor(&self) -> i64 {
        self.paid_minor - self.cost_of_first(self.sold - self.left())
    }

    /// What one unit costs, cut to a whole minor unit.
    pub fn unit_price_minor(&self) -> i64 {
        self.cost_of_first(1)
    }

    /// What these units cost, `before` of which were used earlier.
    pub fn cost(&self, before: i64, units: i64) -> i64 {
        self.cost_of_first(before + units) - self.cost_of_first(before)
    }

    fn cost_of_first(&self, units: i64) -> i64 {
        if self.sold <= 0 {
            return self.paid_minor;
        }
        let cost = i128::from(self.paid_minor) * i128::from(units.clamp(0, self.sold)) / i128::from(self.sold);
        i64::try_from(cost).unwrap_or(self.paid_minor)
    }
}

/// What the ledger says of a pass: what was paid, for how many credits, and how many were given.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "sums of the ledger")]
pub struct Sums {
    pub paid_minor: i64,
    pub sold: i64,
    pub given: i64,
}

/// What a pass is worth today; `sold_on` is the day of its sale.
pub fn of(pass: &Pass, sums: Sums, sold_on: NaiveDate, today: NaiveDate) -> Refund {
    match pass.kind {
        PassKind::Pack => of_pack(pass, sums.paid_minor, (sums.sold, sums.given), today),
        PassKind::Membership => of_membership(pass, sums.paid_minor, sold_on, today),
    }
}

/// Of a pack: so many credits were sold, and so many given.
fn of_pack(pass: &Pass, paid_minor: i64, (sold, given): (i64, i64), today: NaiveDate) -> Refund {
    let left = pass.credits_left.unwrap_or(0);
    let lapsed = if pass.expires_on < today { left } else { 0 };
    Refund { unit: Unit::Credit, paid_minor, sold, given, used: (sold + given - left).max(0), lapsed }
}

/// Of a membership: today counts as used, and days on which it was frozen do not count at all. What has not begun is all there.
fn of_membership(pass: &Pass, paid_minor: i64, sold_on: NaiveDate, today: NaiveDate) -> Refund {
    let refund = |sold, used| Refund { unit: Unit::Day, paid_minor, sold, given: pass.extended_days, used, lapsed: 0 };
    if let Some(length) = pass.from_first().filter(|_| pass.is_unbegun()) {
        let sold = (last_day(today, length) - today).num_days();
        return if pass.expires_on < today { Refund { lapsed: sold, ..refund(sold, 0) } } else { refund(sold, 0) };
    }
    let first = first_day(pass, sold_on);
    // What a pass was frozen before the first class has not made it longer.
    let gained = pass.from_first().map(|length| (pass.expires_on - last_day(first, length)).num_days());
    let frozen = gained.map_or(pass.frozen_days, |gained| gained - pass.extended_days);
    let sold = days((first, pass.expires_on)) - frozen - pass.extended_days;
    let frozen_to_come = pass.frozen().filter(|(_, until)| today < *until).map_or(0, |(from, until)| {
        let tomorrow = today.succ_opt().unwrap_or(today);
        days((from.max(tomorrow), until))
    });
    let used = days((first, today.min(pass.expires_on))) - (frozen - frozen_to_come);
    refund(sold, used.max(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::language::Texts;
    use crate::passes::{Length, NewPass, Sale};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn pass(credits_left: Option<i64>, expires_on: &str) -> Pass {
        let new = NewPass {
            name: Texts { en: "Pass".into(), zh_hans: None, zh_hant: None },
            kind: if credits_left.is_some() { PassKind::Pack } else { PassKind::Membership },
            credits_left,
            per_week: None,
            starts_on: None,
            expires_on: day(expires_on),
            from_first: None,
            freeze_days_max: 0,
            transferable: false,
            class_type_ids: None,
            studio_ids: Vec::new(),
        };
        let id = Uuid::nil();
        Pass::sold(Sale { id, studio_id: id, person_id: id, pass_type_id: id, at: chrono::DateTime::UNIX_EPOCH, by: None }, new)
    }

    #[test]
    fn packs() {
        // Paid, sold, given, left, over; then: used, unit price, back.
        for (paid, sold, given, left, over, used, unit, back) in [
            (98_000, 10, 0, 10, false, 0, 9_800, 98_000),
            (98_000, 10, 0, 7, false, 3, 9_800, 68_600),
            (98_000, 10, 0, 0, false, 10, 9_800, 0),
            // What does not divide: two of three are used, for 66.66.
            (10_000, 3, 0, 1, false, 2, 3_333, 3_334),
            (10_000, 3, 0, 2, false, 1, 3_333, 6_667),
            (1, 3, 0, 1, false, 2, 0, 1),
            // Two were given: what was paid for is used first.
            (98_000, 10, 2, 7, false, 5, 9_800, 49_000),
            (98_000, 10, 2, 2, false, 10, 9_800, 0),
            (98_000, 10, 2, 1, false, 11, 9_800, 0),
            // It cost nothing, or is over.
            (0, 10, 0, 7, false, 3, 0, 0),
            (98_000, 10, 0, 7, true, 3, 9_800, 0),
            (0, 0, 0, 0, false, 0, 0, 0),
            (100_000_000_000, 10_000, 0, 9_999, false, 1, 10_000_000, 99_990_000_000),
        ] {
            let today = if over { day("2027-02-01") } else { day("2027-01-31") };
            let refund = of_pack(&pass(Some(left), "2027-01-31"), paid, (sold, given), today);
            assert_eq!((refund.used, refund.unit_price_minor(), refund.amount_minor()), (used, unit, back), "{paid} {sold}+{given} {left}");
        }
    }

    #[test]
    fn memberships() {
        let month = || pass(None, "2027-01-31");
        let sold_on = day("2027-01-02");
        let with = |change: fn(&mut Pass)| {
            let mut pass = month();
            change(&mut pass);
            pass
        };
        // Thirty days for 300.00. When; then: sold, used, back.
        for (case, pass, today, sold, used, back) in [
            ("on the day of the sale", month(), "2027-01-02", 30, 1, 29_000),
            ("on the tenth day", month(), "2027-01-11", 30, 10, 20_000),
            ("on its last day", month(), "2027-01-31", 30, 30, 0),
            ("after it", month(), "2027-03-01", 30, 30, 0),
            ("before its first day", with(|pass| pass.starts_on = Some(day("2027-01-12"))), "2027-01-05", 20, 0, 30_000),
            ("extended by ten days", with(|pass| pass.extend(day("2027-02-10"))), "2027-01-11", 30, 10, 20_000),
            (
                "frozen for five days that are over",
                with(|pass| pass.freeze(Some((day("2027-01-05"), day("2027-01-09"))), 5, day("2027-02-05"))),
                "2027-01-11",
                30,
                5,
                25_000,
            ),
            (
                "in the middle of them",
                with(|pass| pass.freeze(Some((day("2027-01-05"), day("2027-01-09"))), 5, day("2027-02-05"))),
                "2027-01-07",
                30,
                3,
                27_000,
            ),
            (
                "before them",
                with(|pass| pass.freeze(Some((day("2027-01-05"), day("2027-01-09"))), 5, day("2027-02-05"))),
                "2027-01-04",
                30,
                3,
                27_000,
            ),
        ] {
            let refund = of_membership(&pass, 30_000, sold_on, day(today));
            assert_eq!((refund.sold, refund.used, refund.amount_minor()), (sold, used, back), "{case}");
        }
        let (days, months) = Length::Months(1).columns();
        let open = Pass { valid_days: days, valid_months: months, ..month() };
        assert_eq!(of_membership(&open, 30_000, sold_on, day("2027-01-20")).amount_minor(), 30_000, "nobody has come yet");
        assert_eq!(of_membership(&open, 30_000, sold_on, day("2027-02-01")).amount_minor(), 0, "and now it is too late to begin");
        let mut begun = Pass { begun_on: Some(day("2027-01-20")), expires_on: day("2027-02-20"), frozen_days: 5, ..open };
        let refund = of_membership(&begun, 32_000, sold_on, day("2027-01-23"));
        assert_eq!((refund.sold, refund.used, refund.amount_minor()), (32, 4, 28_000), "what was frozen before it began does not count");
        begun.extend(day("2027-02-25"));
        assert_eq!(of_membership(&begun, 32_000, sold_on, day("2027-01-23")).amount_minor(), 28_000);
    }

    proptest! {
        /// Whatever was used in whatever order: the lines and what is given back add up to what was paid.
        #[test]
        fn the_lines_add_up(paid in 0..1_000_000_i64, uses in proptest::collection::vec(1..5_i64, 0..20), more in 0..10_i64, given in 0..5_i64) {
            let used: i64 = uses.iter().sum();
            let sold = (used + more - given).max(1);
            let refund = Refund { unit: Unit::Credit, paid_minor: paid, sold, given, used, lapsed: 0 };
            let mut before = 0;
            let mut cost = 0;
            for units in uses {
                cost += refund.cost(before, units);
                before += units;
            }
            prop_assert_eq!(cost + refund.amount_minor(), paid);
            prop_assert!((0..=paid).contains(&refund.amount_minor()));
        }
    }
}
