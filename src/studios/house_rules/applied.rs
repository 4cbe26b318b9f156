//! Which rules hold for whom: a studio's, changed by the session's class type, changed by the type of the pass that pays. Pure.
//!
//! Of two that say something, the pass type goes before the class type, and that before the studio. Only caps add up: each counts the
//! bookings that it is about, and all must hold, so that the strictest decides. What a suspended member may not do is asked after all this.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Deref;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{HouseRules, Overrides};

/// What a pass type changes about the rules of the studios in which it is valid.
#[derive(Clone, Debug, PartialEq)]
pub struct PassTypeRules {
    /// Where passes of this type are sold for.
    pub studio_ids: Vec<Uuid>,
    /// What it changes.
    pub overrides: Overrides,
}

/// By pass type; one that changes nothing is left out.
pub type ByPassType = BTreeMap<Uuid, PassTypeRules>;

/// The rules of one session: its studio's with what its class type changes. They can be read as house rules.
#[derive(Clone, Debug)]
pub struct SessionRules<'a> {
    studio: &'a HouseRules,
    class_type: Option<&'a Overrides>,
    pass_types: &'a ByPassType,
    rules: Cow<'a, HouseRules>,
}

impl Deref for SessionRules<'_> {
    type Target = HouseRules;

    fn deref(&self) -> &HouseRules {
        &self.rules
    }
}

impl<'a> SessionRules<'a> {
    /// A studio's rules as its class type and the pass types change them.
    pub fn new(studio: &'a HouseRules, class_type: Option<&'a Overrides>, pass_types: &'a ByPassType) -> Self {
        let rules = class_type.map_or(Cow::Borrowed(studio), |overrides| Cow::Owned(studio.with(overrides)));
        Self { studio, class_type, pass_types, rules }
    }

    /// The rules of a studio that makes no exceptions.
    pub fn of_studio(studio: &'a HouseRules) -> Self {
        static NONE: ByPassType = BTreeMap::new();
        Self::new(studio, None, &NONE)
    }

    /// The rules for whoever pays with a pass of this type, if they are others than everybody's.
    pub fn paid_by(&self, pass_type: Uuid) -> Option<HouseRules> {
        self.pass_types.get(&pass_type).map(|of| self.rules.with(&of.overrides))
    }

    /// Every cap that must hold for a place in the session, paid with a pass of this type.
    pub fn caps(&self, pass_type: Option<Uuid>) -> Vec<Cap> {
        let mut caps = Vec::new();
        let mut add = |of, maxima: [Option<i64>; 4]| {
            let overs = [Over::Ahead, Over::Day, Over::Week, Over::Month];
            caps.extend(overs.into_iter().zip(maxima).filter_map(|(over, max)| max.map(|max| Cap { over, of, max })));
        };
        let HouseRules { bookings_ahead_max, bookings_per_day_max, bookings_per_week_max, bookings_per_month_max, .. } = *self.studio;
        add(CapOf::Studio, [Some(bookings_ahead_max), bookings_per_day_max, bookings_per_week_max, bookings_per_month_max]);
        if let Some(overrides) = self.class_type {
            add(CapOf::ClassType, own_caps(overrides));
        }
        if let Some(of) = pass_type.and_then(|id| self.pass_types.get(&id)) {
            add(CapOf::PassType, own_caps(&of.overrides));
        }
        caps
    }
}

fn own_caps(of: &Overrides) -> [Option<i64>; 4] {
    let flat = |cap: Option<Option<i64>>| cap.flatten();
    [of.bookings_ahead_max, flat(of.bookings_per_day_max), flat(of.bookings_per_week_max), flat(of.bookings_per_month_max)]
}

/// A limit to how many places a member may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// Over what time they are counted.
    pub over: Over,
    /// Which of them are counted.
    pub of: CapOf,
    /// The most that there may be.
    pub max: i64,
}

/// Over what time the places of a member are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CapOver)]
pub enum Over {
    /// Those that are still to come.
    Ahead,
    /// On the session's day.
    Day,
    /// In its week.
    Week,
    /// In its calendar month.
    Month,
}

/// Which places of a member are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CapOf {
    /// All that they have in the studio.
    Studio,
    /// Those in sessions of the class type.
    ClassType,
    /// Those paid with a pass of the same type.
    PassType,
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLD: Uuid = Uuid::from_u128(1);
    const BASIC: Uuid = Uuid::from_u128(2);

    fn gold(overrides: Overrides) -> ByPassType {
        [(GOLD, PassTypeRules { studio_ids: vec![], overrides })].into()
    }

    #[test]
    fn pass_type_over_class_type_over_studio() {
        // What the studio, the class type and the pass type say; what holds whoever pays; what holds for the pass.
        let table = [
            (720, None, None, 720, 720),
            (720, Some(120), None, 120, 120),
            (720, None, Some(60), 720, 60),
            (720, Some(120), Some(60), 120, 60),
            (720, Some(120), Some(1_440), 120, 1_440),
            (720, Some(0), None, 0, 0),
        ];
        for (studio, class_type, pass_type, session, paid) in table {
            let house = HouseRules { free_cancel_min: studio, ..HouseRules::default() };
            let class_type = class_type.map(|min| Overrides { free_cancel_min: Some(min), ..Overrides::default() });
            let passes = gold(Overrides { free_cancel_min: pass_type, ..Overrides::default() });
            let rules = SessionRules::new(&house, class_type.as_ref(), &passes);
            assert_eq!(rules.free_cancel_min, session);
            assert_eq!(rules.paid_by(GOLD).map(|rules| rules.free_cancel_min), Some(paid));
            assert_eq!(rules.paid_by(BASIC), None, "another pass has the rules of the session");
        }
    }

    #[test]
    fn null_is_said_too() {
        let house = HouseRules { promotion_until_min: Some(180), ..HouseRules::default() };
        let changed = |said| house.with(&Overrides { promotion_until_min: said, ..Overrides::default() }).promotion_until_min;
        assert_eq!([None, Some(None), Some(Some(60))].map(changed), [Some(180), None, Some(60)]);
    }

    #[test]
    fn of_caps_the_strictest() {
        let week = |max| Overrides { bookings_per_week_max: Some(max), bookings_ahead_max: Some(30), ..Overrides::default() };
        // The studio's, the class type's or pass type's; what is shown as holding.
        for (studio, other, shown) in [
            (None, None, None),
            (Some(5), None, Some(5)),
            (None, Some(3), Some(3)),
            (Some(5), Some(3), Some(3)),
            (Some(5), Some(9), Some(5)),
        ] {
            let house = HouseRules { bookings_per_week_max: studio, ..HouseRules::default() };
            let both = house.with(&week(other));
            assert_eq!((both.bookings_per_week_max, both.bookings_ahead_max), (shown, 20));
        }
        let house = HouseRules { bookings_per_day_max: Some(2), ..HouseRules::default() };
        let (class_type, passes) = (week(Some(3)), gold(week(Some(4))));
        let rules = SessionRules::new(&house, Some(&class_type), &passes);
        let cap = |over, of, max| Cap { over, of, max };
        let of_session = [
            cap(Over::Ahead, CapOf::Studio, 20),
            cap(Over::Day, CapOf::Studio, 2),
            cap(Over::Ahead, CapOf::ClassType, 30),
            cap(Over::Week, CapOf::ClassType, 3),
        ];
        assert_eq!(rules.caps(Some(BASIC)), of_session);
        let of_pass = [cap(Over::Ahead, CapOf::PassType, 30), cap(Over::Week, CapOf::PassType, 4)];
        assert_eq!(rules.caps(Some(GOLD)), [&of_session[..], &of_pass[..]].concat());
    }
}
