//! Which pass pays, what a sale makes, and how a returned credit extends a pass. Pure.

pub mod freeze;
pub mod notice;
pub mod refund;
pub mod validity;

use chrono::NaiveDate;
use uuid::Uuid;

use self::validity::{OPEN_END, last_day};
use super::{Length, NewPass, PassKind, PassState, PassTerms, ValidFrom};
use crate::schedule::rules::week_of;

/// A session as far as paying goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToPay {
    pub studio_id: Uuid,
    /// Its class type.
    pub class_type_id: Uuid,
    /// Its date on the studio's calendar.
    pub local_date: NaiveDate,
    /// What it costs.
    pub credits: i64,
}

/// How a place is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// By which pass; `None` where the session costs nothing and no pass was named.
    pub pass_id: Option<Uuid>,
    /// Credits that the pass loses: 0 for a membership.
    pub credits: i64,
    /// The Monday of the week in which a membership's visit counts.
    pub visit_week: Option<NaiveDate>,
}

/// Why a pass does not pay for a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is not valid in this studio.
    Studio,
    /// It is not for this class type.
    ClassType,
    /// It was refunded or transferred.
    Ended,
    /// The session starts before its first day.
    NotYet,
    /// The session starts after its last day.
    Expired,
    /// The session starts on a day on which it is frozen.
    Frozen,
    /// Too few credits are left.
    Credits,
    /// The week's visits are used up.
    Week,
}

/// Why no pass pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPass {
    /// The pass that was named is not the member's.
    Unknown,
    /// The pass that was named does not pay for this session.
    Named(Unfit),
    /// None of the member's passes does.
    NoneFits,
}

/// Which of a member's passes pays: the one named; else a membership with room this week, unlimited ones first; then the pack that
/// expires first; then, in the same order, what their family shares with them. `visits` tells how many visits of the session's week a membership has paid for already. A session that costs nothing
/// needs no pass. All that could pay are returned in this order: the rules of a pass's type may keep it from paying.
pub fn which_pay(
    passes: &[PassState],
    named: Option<Uuid>,
    session: ToPay,
    visits: impl Fn(Uuid) -> i64,
) -> Result<Vec<(Payment, Option<&PassState>)>, NoPass> {
    if let Some(id) = named {
        let pass = passes.iter().find(|pass| pass.id == id).ok_or(NoPass::Unknown)?;
        fits(pass, session, &visits).map_err(NoPass::Named)?;
        return Ok(vec![(payment(pass, session), Some(pass))]);
    }
    if session.credits == 0 {
        return Ok(vec![(Payment { pass_id: None, credits: 0, visit_week: None }, None)]);
    }
    let mut fit: Vec<&PassState> = passes.iter().filter(|pass| fits(pass, session, &visits).is_ok()).collect();
    fit.sort_by_key(|pass| (pass.of_family, pass.kind == PassKind::Pack, pass.per_week.is_some(), pass.expires_on, pass.id));
    if fit.is_empty() { Err(NoPass::NoneFits) } else { Ok(fit.into_iter().map(|pass| (payment(pass, session), Some(pass))).collect()) }
}

/// The first of them.
#[cfg(test)]
fn which_pays(passes: &[PassState], named: Option<Uuid>, session: ToPay, visits: impl Fn(Uuid) -> i64) -> Result<Payment, NoPass> {
    which_pay(passes, named, session, visits).map(|all| all[0].0)
}

/// Whether this pass pays for this session.
pub fn fits(pass: &PassState, session: ToPay, visits: impl Fn(Uuid) -> i64) -> Result<(), Unfit> {
    if !pass.studio_ids.contains(&session.studio_id) {
        return Err(Unfit::Studio);
    }
    if pass.class_type_ids.as_ref().is_some_and(|only| !only.contains(&session.class_type_id)) {
        return Err(Unfit::ClassType);
    }
    if pass.ended {
        return Err(Unfit::Ended);
    }
    if pass.starts_on.is_some_and(|first| session.local_date < first) {
        return Err(Unfit::NotYet);
    }
    if session.local_date > pass.expires_on {
        return Err(Unfit::Expired);
    }
    if pass.frozen.is_some_and(|(from, until)| from <= session.local_date && session.local_date <= until) {
        return Err(Unfit::Frozen);
    }
    match pass.kind {
        PassKind::Pack if pass.credits_left.unwrap_or(0) < session.credits => Err(Unfit::Credits),
        PassKind::Membership if session.credits > 0 && pass.per_week.is_some_and(|most| visits(pass.id) >= most) => Err(Unfit::Week),
        PassKind::Pack | PassKind::Membership => Ok(()),
    }
}

fn payment(pass: &PassState, session: ToPay) -> Payment {
    match pass.kind {
        PassKind::Pack => Payment { pass_id: Some(pass.id), credits: session.credits, visit_week: None },
        // A session that costs nothing uses no visit.
        PassKind::Membership => {
            Payment { pass_id: Some(pass.id), credits: 0, visit_week: (session.credits > 0).then(|| week_of(session.local_date)) }
        }
    }
}

/// What a sale makes of a pass type. `today` is the date on the selling studio's calendar, `starts_on` the first day if one was named. The
/// day from which a pass counts is not counted: sold on the 1st, valid for 30 days, its last day is the 31st. One that counts from the
/// first class is open until then, and must have begun within the days that its type says.
pub fn sale(of: &PassTerms, sold_by_studio: Uuid, today: NaiveDate, starts_on: Option<NaiveDate>) -> NewPass {
    let from = starts_on.unwrap_or(today);
    let from_first = (of.valid_from == ValidFrom::FirstAttended).then_some(of.length);
    let expires_on = match from_first {
        None => last_day(from, of.length),
        Some(_) => of.activate_within_days.map_or(OPEN_END, |days| last_day(from, Length::Days(days))),
    };
    NewPass {
        name: of.name.clone(),
        kind: of.kind,
        credits_left: of.credits,
        per_week: of.per_week,
        starts_on,
        expires_on,
        from_first,
        freeze_days_max: of.freeze_days_max,
        transferable: of.transferable,
        class_type_ids: of.class_type_ids.clone(),
        studio_ids: of.studio_ids.clone().unwrap_or_else(|| vec![sold_by_studio]),
    }
}

/// The last day of a pass after a credit came back to it because of the studio: at least `days_min` from today.
pub fn prolonged(expires_on: NaiveDate, today: NaiveDate, days_min: i64) -> NaiveDate {
    expires_on.max(last_day(today, Length::Days(days_min)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::language::Texts;

    const HERE: Uuid = Uuid::from_u128(1);
    const ELSEWHERE: Uuid = Uuid::from_u128(2);
    const BARRE: Uuid = Uuid::from_u128(10);
    const BALLET: Uuid = Uuid::from_u128(11);

    fn day(n: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 12, n).unwrap()
    }

    fn pack(id: u128, credits: i64, expires: u32) -> PassState {
        PassState {
            id: Uuid::from_u128(id),
            pass_type_id: Uuid::from_u128(100),
            of_family: false,
            kind: PassKind::Pack,
            credits_left: Some(credits),
            per_week: None,
            expires_on: day(expires),
            starts_on: None,
            frozen: None,
            ended: false,
            class_type_ids: None,
            studio_ids: vec![HERE],
        }
    }

    fn membership(id: u128, per_week: Option<i64>, expires: u32) -> PassState {
        PassState { kind: PassKind::Membership, credits_left: None, per_week, ..pack(id, 0, expires) }
    }

    fn session(on: u32, credits: i64) -> ToPay {
        ToPay { studio_id: HERE, class_type_id: BARRE, local_date: day(on), credits }
    }

    fn pays(passes: &[PassState], named: Option<u128>, session: ToPay, visits: i64) -> Result<u128, NoPass> {
        which_pays(passes, named.map(Uuid::from_u128), session, |_| visits).map(|paid| paid.pass_id.unwrap_or_default().as_u128())
    }

    #[test]
    fn which_pass_pays() {
        let two_a_week = membership(101, Some(2), 31);
        let all = [pack(103, 5, 20), pack(102, 5, 10), two_a_week.clone()];
        assert_eq!(pays(&all, None, session(5, 1), 0), Ok(101), "a membership with room this week");
        assert_eq!(pays(&all, None, session(5, 1), 2), Ok(102), "else the pack that expires first");
        assert_eq!(pays(&all, Some(103), session(5, 1), 0), Ok(103), "the one named before all");
        assert_eq!(pays(&all, None, session(11, 1), 2), Ok(103), "one that has not expired");
        assert_eq!(pays(&all, None, session(10, 1), 2), Ok(102), "its last day is included");
        assert_eq!(pays(&all, None, session(21, 1), 2), Err(NoPass::NoneFits));
        assert_eq!(pays(&[pack(104, 1, 8), pack(105, 2, 9)], None, session(5, 2), 0), Ok(105), "one with credits enough");
        assert_eq!(pays(&[two_a_week, membership(106, None, 31)], None, session(5, 1), 0), Ok(106), "unlimited spares the counted");
        assert_eq!(pays(&[], None, session(5, 1), 0), Err(NoPass::NoneFits));
        assert_eq!(pays(&[], None, session(5, 0), 0), Ok(0), "what costs nothing needs no pass");
    }

    #[test]
    fn why_the_one_named_does_not_pay() {
        let only_ballet = PassState { class_type_ids: Some(vec![BALLET]), ..pack(1, 5, 31) };
        let only_elsewhere = PassState { studio_ids: vec![ELSEWHERE], ..pack(1, 5, 31) };
        let from_the = |first| PassState { starts_on: Some(day(first)), ..pack(1, 5, 31) };
        let frozen = |from, until| PassState { frozen: Some((day(from), day(until))), ..pack(1, 5, 31) };
        for (pass, visits, unfit) in [
            (only_ballet, 0, Unfit::ClassType),
            (only_elsewhere, 0, Unfit::Studio),
            (pack(1, 5, 4), 0, Unfit::Expired),
            (from_the(6), 0, Unfit::NotYet),
            (frozen(5, 9), 0, Unfit::Frozen),
            (frozen(2, 5), 0, Unfit::Frozen),
            (PassState { ended: true, ..pack(1, 5, 31) }, 0, Unfit::Ended),
            (pack(1, 1, 31), 0, Unfit::Credits),
            (membership(1, Some(1), 31), 1, Unfit::Week),
        ] {
            assert_eq!(pays(&[pass, membership(2, None, 31)], Some(1), session(5, 2), visits), Err(NoPass::Named(unfit)));
        }
        assert_eq!(pays(&[pack(1, 5, 31)], Some(9), session(5, 1), 0), Err(NoPass::Unknown));
        for fine in [from_the(5), frozen(1, 4), frozen(6, 9)] {
            assert_eq!(pays(&[fine], Some(1), session(5, 2), 0), Ok(1), "the first day is included, and what is not frozen");
        }
    }

    #[test]
    fn what_the_family_shares_pays_after_their_own() {
        let of_family = |pass: PassState| PassState { of_family: true, ..pass };
        let shared = of_family(membership(1, None, 5));
        for (passes, first) in [
            (vec![shared.clone(), pack(2, 5, 31)], 2),
            (vec![shared.clone(), pack(2, 0, 31)], 1),
            (vec![of_family(pack(3, 5, 31)), of_family(pack(4, 5, 30)), pack(2, 0, 31)], 4),
            (vec![of_family(pack(3, 5, 31)), shared.clone()], 1),
        ] {
            assert_eq!(pays(&passes, None, session(5, 1), 0), Ok(first));
        }
        assert_eq!(pays(&[shared, pack(2, 5, 31)], Some(1), session(5, 1), 0), Ok(1), "named, it pays all the same");
    }

    #[test]
    fn what_is_taken() {
        let paid = |pass: PassState, credits| which_pays(&[pass], Some(Uuid::from_u128(1)), session(6, credits), |_| 0);
        let pass_id = Some(Uuid::from_u128(1));
        assert_eq!(paid(pack(1, 3, 31), 3), Ok(Payment { pass_id, credits: 3, visit_week: None }));
        let monday = NaiveDate::from_ymd_opt(2026, 11, 30);
        assert_eq!(paid(membership(1, Some(1), 31), 3), Ok(Payment { pass_id, credits: 0, visit_week: monday }));
        assert_eq!(paid(membership(1, Some(1), 31), 0), Ok(Payment { pass_id, credits: 0, visit_week: None }));
    }

    #[test]
    fn a_sale() {
        let mut terms = PassTerms {
            name: Texts { en: "Ten classes".into(), zh_hans: None, zh_hant: None },
            kind: PassKind::Pack,
            credits: Some(10),
            per_week: None,
            length: Length::Days(30),
            valid_from: ValidFrom::Sale,
            activate_within_days: None,
            freeze_days_max: 0,
            transferable: false,
            class_type_ids: None,
            studio_ids: None,
        };
        let sold = sale(&terms, HERE, day(1), None);
        assert_eq!((sold.expires_on, sold.credits_left, sold.studio_ids), (day(31), Some(10), vec![HERE]));
        terms.studio_ids = Some(vec![HERE, ELSEWHERE]);
        assert_eq!(sale(&terms, HERE, day(1), None).studio_ids, [HERE, ELSEWHERE]);
        terms.length = Length::Days(i64::MAX);
        assert_eq!(sale(&terms, HERE, day(1), None).expires_on, OPEN_END);

        // Bought in December from January, it counts from January.
        let new_year = NaiveDate::from_ymd_opt(2027, 1, 1);
        terms.length = Length::Months(3);
        let sold = sale(&terms, HERE, day(1), new_year);
        assert_eq!((sold.starts_on, Some(sold.expires_on), sold.from_first), (new_year, NaiveDate::from_ymd_opt(2027, 4, 1), None));
        // From the first class: until then it is open, or must have begun by a day.
        terms.valid_from = ValidFrom::FirstAttended;
        let sold = sale(&terms, HERE, day(1), None);
        assert_eq!((sold.expires_on, sold.from_first), (OPEN_END, Some(Length::Months(3))));
        terms.activate_within_days = Some(30);
        assert_eq!(sale(&terms, HERE, day(1), None).expires_on, day(31));
        assert_eq!(Some(sale(&terms, HERE, day(1), new_year).expires_on), NaiveDate::from_ymd_opt(2027, 1, 31));
    }

    #[test]
    fn a_returned_credit_can_be_used() {
        assert_eq!(prolonged(day(3), day(1), 14), day(15));
        assert_eq!(prolonged(day(15), day(1), 14), day(15));
        assert_eq!(prolonged(day(30), day(1), 14), day(30));
    }

    fn some_pass() -> impl Strategy<Value = PassState> {
        let restricted = proptest::option::of(proptest::sample::subsequence(vec![BARRE, BALLET], 0..=2));
        let studios = proptest::sample::subsequence(vec![HERE, ELSEWHERE], 0..=2);
        (1..20_u128, any::<bool>(), 0..4_i64, proptest::option::of(0..3_i64), 1..31_u32, restricted, studios).prop_map(
            |(id, is_pack, credits, per_week, expires, class_type_ids, studio_ids)| {
                let pass = if is_pack { pack(id, credits, expires) } else { membership(id, per_week, expires) };
                PassState { class_type_ids, studio_ids, ..pass }
            },
        )
    }

    proptest! {
        /// The pass that pays fits, and the order in which passes were read makes no difference.
        #[test]
        fn what_pays_fits(mut passes in proptest::collection::vec(some_pass(), 0..8), on in 1..31_u32, credits in 0..4_i64, used in 0..3_i64) {
            passes.sort_by_key(|pass| pass.id);
            passes.dedup_by_key(|pass| pass.id);
            let session = session(on, credits);
            let chosen = which_pays(&passes, None, session, |_| used);
            if let Ok(Payment { pass_id: Some(id), credits: taken, visit_week }) = chosen {
                let pass = passes.iter().find(|pass| pass.id == id).expect("one of the passes");
                prop_assert!(fits(pass, session, |_| used).is_ok());
                prop_assert_eq!(which_pays(&passes, Some(id), session, |_| used), chosen);
                prop_assert!(pass.credits_left.is_none_or(|left| left >= taken));
                prop_assert_eq!(visit_week.is_some(), pass.kind == PassKind::Membership);
                let sooner = passes.iter().any(|other| {
                    other.kind == PassKind::Pack && other.expires_on < pass.expires_on && fits(other, session, |_| used).is_ok()
                });
                prop_assert!(pass.kind == PassKind::Membership || !sooner);
            } else {
                prop_assert!(credits == 0 || passes.iter().all(|pass| fits(pass, session, |_| used).is_err()));
            }
            passes.reverse();
            prop_assert_eq!(which_pays(&passes, None, session, |_| used), chosen);
        }
    }
}
