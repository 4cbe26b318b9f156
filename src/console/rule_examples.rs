//! What house rules mean for one class, as sentences. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::durations;
use crate::language::Language;
use crate::letters::phrases::day_and_time;
use crate::schedule::rules::SessionInstants;
use crate::studios::house_rules::HouseRules;

/// A class, and when somebody books it.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "each says itself")]
pub struct Example {
    pub booked_at: DateTime<Utc>,
    pub capacity: i64,
    pub zone: Tz,
}

/// What a member may do with a class, sentence by sentence. `cutoff` is what the rules say of places that come free late.
pub fn told(rules: &HouseRules, on: &SessionInstants, example: Example, cutoff: &str, language: Language) -> Vec<String> {
    let Example { booked_at, capacity, zone } = example;
    let at = |instant: DateTime<Utc>| day_and_time(instant, zone, language);
    let (opens, closes, free, promotes) =
        (at(on.booking_opens_at), at(on.booking_closes_at), at(on.free_cancel_until), at(on.promote_until));
    // Nobody books before that.
    let booked_at = booked_at.max(on.booking_opens_at).min(on.booking_closes_at);
    let grace = durations::written(rules.grace_booking_min, language);
    let booked = at(booked_at);
    let is_in_grace = on.free_cancel_until <= booked_at + TimeDelta::minutes(rules.grace_booking_min);
    let cancelling = match (is_in_grace, rules.grace_booking_min > 0, language) {
        (false, _, Language::En) => format!("A member books it on {booked}: free to cancel until {free}, late after that."),
        (false, _, Language::ZhHans) => format!("会员于{booked}预约：{free}之前可免费取消，之后为逾期取消。"),
        (false, _, Language::ZhHant) => format!("會員於{booked}預約：{free}之前可免費取消，之後為逾期取消。"),
        (true, true, Language::En) => format!("A member books it on {booked}: free to cancel for {grace}, late after that."),
        (true, true, Language::ZhHans) => format!("会员于{booked}预约：{grace}内可免费取消，之后为逾期取消。"),
        (true, true, Language::ZhHant) => format!("會員於{booked}預約：{grace}內可免費取消，之後為逾期取消。"),
        (true, false, Language::En) => format!("A member books it on {booked}: it is not free to cancel any more."),
        (true, false, Language::ZhHans) => format!("会员于{booked}预约：已不能免费取消。"),
        (true, false, Language::ZhHant) => format!("會員於{booked}預約：已無法免費取消。"),
    };
    let [booking, promotion, until, waiting] = match language {
        Language::En => [
            format!("It can be booked from {opens} until {closes}."),
            format!("The next in the queue is moved in until {promotes}; after that a free place {cutoff}"),
            on.offers_until.map_or_else(String::new, |until| format!(", until {}", at(until))),
            on.waitlist_cap.map_or_else(
                || "As many as want to may wait.".to_owned(),
                |cap| format!("Of its {capacity} places all are taken: {cap} may wait."),
            ),
        ],
        Language::ZhHans => [
            format!("{opens}起可预约，{closes}截止。"),
            format!("{promotes}之前自动转入下一位候补会员；此后空出的名额：{cutoff}"),
            on.offers_until.map_or_else(String::new, |until| format!("，至{}", at(until))),
            on.waitlist_cap.map_or_else(|| "候补人数不限。".to_owned(), |cap| format!("{capacity}个名额约满后，最多{cap}人候补。")),
        ],
        Language::ZhHant => [
            format!("{opens}起可預約，{closes}截止。"),
            format!("{promotes}之前自動轉入下一位候補會員；此後釋出的名額：{cutoff}"),
            on.offers_until.map_or_else(String::new, |until| format!("，至{}", at(until))),
            on.waitlist_cap.map_or_else(|| "候補人數不限。".to_owned(), |cap| format!("{capacity}個名額約滿後，最多{cap}人候補。")),
        ],
    };
    let stop = if language == Language::En { "." } else { "。" };
    vec![booking, cancelling, format!("{promotion}{until}{stop}"), waiting]
}

#[cfg(test)]
mod tests {
    use chrono_tz::Asia::Shanghai;

    use super::*;
    use crate::schedule::rules::instants;

    fn of(rules: &HouseRules, language: Language) -> Vec<String> {
        let starts_at = "2026-12-01T10:30:00Z".parse().unwrap();
        let booked_at = "2026-11-29T04:00:00Z".parse().unwrap();
        let on = instants(rules, Shanghai, starts_at, 12);
        told(rules, &on, Example { booked_at, capacity: 12, zone: Shanghai }, "is everybody’s", language)
    }

    #[test]
    fn a_class_in_sentences() {
        assert_eq!(
            of(&HouseRules::default(), Language::En),
            [
                "It can be booked from Tue 17 Nov, 12:00 until Tue 1 Dec, 18:30.",
                "A member books it on Sun 29 Nov, 12:00: free to cancel until Tue 1 Dec, 06:30, late after that.",
                "The next in the queue is moved in until Tue 1 Dec, 06:30; after that a free place is everybody’s.",
                "Of its 12 places all are taken: 3 may wait.",
            ]
        );
        assert_eq!(
            of(&HouseRules::default(), Language::ZhHans)[1],
            "会员于11月29日（周日）12:00预约：12月1日（周二）06:30之前可免费取消，之后为逾期取消。"
        );
    }

    #[test]
    fn who_books_too_late_to_cancel_has_the_grace_alone() {
        let late = HouseRules { free_cancel_min: 5_000, ..HouseRules::default() };
        assert_eq!(of(&late, Language::En)[1], "A member books it on Sun 29 Nov, 12:00: free to cancel for 5 min, late after that.");
        let none = HouseRules { grace_booking_min: 0, ..late };
        assert_eq!(of(&none, Language::En)[1], "A member books it on Sun 29 Nov, 12:00: it is not free to cancel any more.");
        // Nobody books before booking opens.
        let soon = HouseRules { booking_opens_days: 1, waitlist_unlimited: true, ..HouseRules::default() };
        assert!(of(&soon, Language::En)[1].starts_with("A member books it on Mon 30 Nov, 12:00: free to cancel until"));
        assert_eq!(of(&soon, Language::En)[3], "As many as want to may wait.");
    }
}
