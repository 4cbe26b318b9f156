//! Golden tables: the rules of real studios, as an admin writes them, with what a member is told of a class: instants, costs, sentences. Look
//! at the snapshot as at a table; the instants that matter are written here by hand too.

use std::fmt::Write as _;

use chrono::{Duration, NaiveDateTime};
use chrono_tz::America::New_York;
use chrono_tz::Asia::Shanghai;
use chrono_tz::Australia::Sydney;
use chrono_tz::Europe::Paris;
use serde_json::{Value, json};

use super::*;
use crate::booking::rules::{Ask, MemberNow, PlaceTaken, terms};
use crate::passes::PassState;
use crate::penalties::rules::{Suspension, month_of, suspension};
use crate::schedule::{NewSession, SessionRow};
use crate::studios::Overrides;
use crate::studios::house_rules::Finest;
use crate::studios::house_rules::applied::{ByPassType, PassTypeRules, SessionRules};
use crate::zones::{instant, wall};

const STUDIO: Uuid = Uuid::from_u128(1);
const BARRE: Uuid = Uuid::from_u128(2);
const PACK: Uuid = Uuid::from_u128(3);
const GOLD: Uuid = Uuid::from_u128(4);

/// What a real studio does, in its words, and as it writes it: its rules, what the class type changes, what the pass type changes.
struct Rule {
    said: &'static str,
    studio: Value,
    class_type: Value,
    pass_type: Value,
    /// Whether a membership pays, and not a pack.
    membership: bool,
    /// On which days the member has places already.
    places: &'static [&'static str],
    told: Vec<Told>,
}

/// A class, when somebody looks at it, and what the clock on the studio's wall shows at each instant that they are told.
struct Told {
    zone: Tz,
    starts: &'static str,
    now: &'static str,
    full: bool,
    opens: &'static str,
    free_until: &'static str,
    promoted_until: &'static str,
    list_closes: &'static str,
}

fn local(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
}

fn object(value: &Value) -> serde_json::Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn texts(en: &str, hans: &str, hant: &str) -> Texts {
    serde_json::from_value(json!({"en": en, "zh-Hans": hans, "zh-Hant": hant})).unwrap()
}

fn rules() -> Vec<Rule> {
    let rule =
        |said, studio| Rule { said, studio, class_type: json!({}), pass_type: json!({}), membership: false, places: &[], told: vec![] };
    let told = |zone, starts, now, [opens, free_until, promoted_until, list_closes]: [&'static str; 4]| Told {
        zone,
        starts,
        now,
        full: false,
        opens,
        free_until,
        promoted_until,
        list_closes,
    };
    let full = |told: Told| Told { full: true, ..told };
    vec![
        Rule {
            told: vec![
                told(
                    Shanghai,
                    "2026-12-01 18:30",
                    "2026-11-20 12:00",
                    ["2026-11-17 12:00", "2026-12-01 06:30", "2026-12-01 06:30", "2026-12-01 18:30"],
                ),
                // The night that is an hour shorter, and the one that is an hour longer: twelve hours are twelve hours.
                told(
                    Paris,
                    "2026-03-29 08:30",
                    "2026-03-20 12:00",
                    ["2026-03-15 12:00", "2026-03-28 19:30", "2026-03-28 19:30", "2026-03-29 08:30"],
                ),
                told(
                    New_York,
                    "2026-11-01 08:30",
                    "2026-10-25 12:00",
                    ["2026-10-18 12:00", "2026-10-31 21:30", "2026-10-31 21:30", "2026-11-01 08:30"],
                ),
            ],
            ..rule("cancel 12 h before", json!({"free_cancel_min": 720}))
        },
        Rule {
            membership: true,
            told: vec![told(
                Shanghai,
                "2026-12-01 18:30",
                "2026-11-20 12:00",
                ["2026-11-17 12:00", "2026-12-01 06:30", "2026-12-01 06:30", "2026-12-01 18:30"],
            )],
            ..rule("cancel 12 h before, with a membership", json!({"free_cancel_min": 720}))
        },
        Rule {
            told: vec![told(
                Paris,
                "2026-03-29 04:30",
                "2026-03-20 12:00",
                ["2026-03-15 12:00", "2026-03-29 01:30", "2026-03-29 01:30", "2026-03-29 04:30"],
            )],
            ..rule("cancel 2 h before", json!({"free_cancel_min": 120}))
        },
        Rule {
            told: vec![
                told(
                    Shanghai,
                    "2026-12-01 18:30",
                    "2026-12-01 17:50",
                    ["2026-11-17 12:00", "2026-12-01 18:00", "2026-12-01 18:00", "2026-12-01 18:30"],
                ),
                // Too late for the cut-off: the grace of a booking is left.
                told(
                    Shanghai,
                    "2026-12-01 18:30",
                    "2026-12-01 18:10",
                    ["2026-11-17 12:00", "2026-12-01 18:15", "2026-12-01 18:00", "2026-12-01 18:30"],
                ),
            ],
            ..rule("cancel 30 min before", json!({"free_cancel_min": 30}))
        },
        Rule {
            told: vec![
                told(
                    New_York,
                    "2026-03-08 07:00",
                    "2026-03-01 12:00",
                    ["2026-02-22 12:00", "2026-03-07 22:00", "2026-03-07 22:00", "2026-03-08 07:00"],
                ),
                told(
                    New_York,
                    "2026-03-08 14:00",
                    "2026-03-01 12:00",
                    ["2026-02-22 12:00", "2026-03-08 12:00", "2026-03-08 12:00", "2026-03-08 14:00"],
                ),
                told(
                    Paris,
                    "2026-10-25 09:00",
                    "2026-10-20 12:00",
                    ["2026-10-11 12:00", "2026-10-24 22:00", "2026-10-24 22:00", "2026-10-25 09:00"],
                ),
            ],
            ..rule(
                "morning classes by 22:00 the night before, afternoon classes 2 h before",
                json!({"free_cancel_min": 120, "free_cancel_morning_until": "22:00"}),
            )
        },
        Rule {
            told: vec![told(
                Shanghai,
                "2026-12-01 18:30",
                "2026-11-20 12:00",
                ["2026-11-17 12:00", "2026-12-01 06:30", "2026-12-01 06:30", "2026-12-01 18:30"],
            )],
            ..rule("two late cancels a month are forgiven", json!({"late_cancels_forgiven": 2}))
        },
        Rule {
            told: vec![told(
                Shanghai,
                "2026-12-01 18:30",
                "2026-11-20 12:00",
                ["2026-11-17 12:00", "2026-12-01 06:30", "2026-12-01 06:30", "2026-12-01 18:30"],
            )],
            ..rule(
                "3 warnings in 90 days → 3 weeks",
                json!({"strikes_max": 3, "strike_lapse_days": 90, "strike_consequence_days": 21, "strike_ahead_hours": 0}),
            )
        },
        Rule {
            told: vec![told(
                Shanghai,
                "2026-12-01 18:30",
                "2026-11-20 12:00",
                ["2026-11-17 12:00", "2026-12-01 06:30", "2026-12-01 06:30", "2026-12-01 18:30"],
            )],
            ..rule(
                "more than two late cancels a month → 30 days",
                json!({"strikes_for": "late_cancels", "strikes_by_month": true, "strikes_max": 3, "strike_consequence_days": 30, "strike_ahead_hours": 0}),
            )
        },
        Rule {
            class_type: json!({"booking_opens_days": 3, "booking_opens_at": "09:00", "free_cancel_min": 1440}),
            told: vec![told(
                Paris,
                "2026-03-30 18:00",
                "2026-03-20 12:00",
                ["2026-03-27 09:00", "2026-03-29 18:00", "2026-03-29 18:00", "2026-03-30 18:00"],
            )],
            ..rule("workshops open 3 days before and are free to cancel until the day before", json!({"free_cancel_min": 120}))
        },
        Rule {
            pass_type: json!({"booking_opens_days": 30, "free_cancel_min": 60}),
            told: vec![told(
                Paris,
                "2026-04-20 18:00",
                "2026-03-22 12:00",
                ["2026-03-21 12:00", "2026-04-20 17:00", "2026-04-20 06:00", "2026-04-20 18:00"],
            )],
            ..rule("a tier books earlier", json!({}))
        },
        Rule {
            pass_type: json!({"bookings_ahead_max": 4}),
            places: &["2026-12-28", "2026-12-31", "2026-12-30"],
            told: vec![told(
                Shanghai,
                "2027-01-01 10:00",
                "2026-12-27 12:00",
                ["2026-12-18 12:00", "2026-12-31 22:00", "2026-12-31 22:00", "2027-01-01 10:00"],
            )],
            ..rule(
                "one a day, three a week from Monday, ten a month",
                json!({"bookings_per_day_max": 1, "bookings_per_week_max": 3, "bookings_per_month_max": 10}),
            )
        },
        Rule {
            places: &["2026-11-30", "2026-12-02"],
            told: vec![full(told(
                Shanghai,
                "2026-12-01 18:30",
                "2026-11-20 12:00",
                ["2026-11-17 12:00", "2026-12-01 06:30", "2026-12-01 06:30", "2026-12-01 18:30"],
            ))],
            ..rule("two a week, and one more may be won from the list", json!({"bookings_per_week_max": 2, "promoted_extra": 1}))
        },
        Rule {
            told: vec![told(
                Shanghai,
                "2026-12-01 18:30",
                "2026-11-20 12:00",
                ["2026-11-17 12:00", "2026-12-01 06:30", "2026-12-01 06:30", "2026-12-01 18:30"],
            )],
            ..rule("late entry up to 5 min, never on a first visit", json!({"check_in_until_min": 5, "first_visit_late_entry": false}))
        },
        Rule {
            told: vec![
                full(told(
                    Paris,
                    "2026-03-29 05:00",
                    "2026-03-28 12:00",
                    ["2026-03-15 12:00", "2026-03-28 16:00", "2026-03-29 01:00", "2026-03-29 05:00"],
                )),
                full(told(
                    Paris,
                    "2026-03-29 05:00",
                    "2026-03-29 01:30",
                    ["2026-03-15 12:00", "none", "2026-03-29 01:00", "2026-03-29 05:00"],
                )),
            ],
            ..rule(
                "more than 3 h before: automatic; less: held for who checks in 5 min before",
                json!({"promotion_until_min": 180, "after_cutoff": "staff", "door_release_min": -5}),
            )
        },
        Rule {
            told: vec![
                full(told(
                    New_York,
                    "2026-11-01 08:30",
                    "2026-10-30 12:00",
                    ["2026-10-18 12:00", "2026-11-01 06:30", "2026-11-01 01:30", "2026-11-01 01:30"],
                )),
                full(told(
                    New_York,
                    "2026-11-01 08:30",
                    "2026-11-01 02:30",
                    ["2026-10-18 12:00", "2026-11-01 06:30", "2026-11-01 01:30", "2026-11-01 01:30"],
                )),
            ],
            ..rule("the list closes 8 h before", json!({"free_cancel_min": 120, "waitlist_closes_min": 480}))
        },
        Rule {
            told: vec![told(
                Shanghai,
                "2026-09-07 18:30",
                "2026-09-01 12:00",
                ["2026-08-24 12:00", "2026-09-07 06:30", "2026-09-07 06:30", "2026-09-07 18:30"],
            )],
            ..rule("no penalties on the day of the typhoon", json!({"penalty_free_days": ["2026-09-07"]}))
        },
    ]
}

/// The session as its studio's rules make it, and what is said to a member with a pack of this type.
fn told_of(rule: &Rule, told: &Told) -> (TermsFactsOwned, DateTime<Utc>) {
    told_with(rule, told, Past::default())
}

/// What somebody's late cancellations have come to.
#[derive(Default)]
struct Past {
    suspended: Option<Suspension>,
    leniency: Leniency,
}

fn told_with(rule: &Rule, told: &Told, past: Past) -> (TermsFactsOwned, DateTime<Utc>) {
    let house = HouseRules::parse(object(&rule.studio)).unwrap();
    let class_type = Overrides::parse(object(&rule.class_type), Finest::ClassType).unwrap();
    let overrides = Overrides::parse(object(&rule.pass_type), Finest::PassType).unwrap();
    let passes: ByPassType =
        if overrides.is_empty() { ByPassType::new() } else { [(GOLD, PassTypeRules { studio_ids: vec![STUDIO], overrides })].into() };
    let rules = SessionRules::new(&house, Some(&class_type), &passes);
    let (starts_at, now) = (instant(local(told.starts), told.zone), instant(local(told.now), told.zone));
    let new = NewSession {
        id: Uuid::from_u128(9),
        studio_id: STUDIO,
        class_type_id: BARRE,
        room_id: Uuid::nil(),
        instructor_id: Uuid::nil(),
        starts_at,
        minutes: 55,
        capacity: 10,
        credits: 1,
        minimum: None,
        draft: false,
    };
    let mut row = SessionRow::new(new, &rules, told.zone, now - Duration::days(60));
    row.taken = if told.full { 10 } else { 4 };
    let session = SessionNow::of(&row, told.zone);
    let pack = PassState {
        id: PACK,
        of_family: false,
        pass_type_id: GOLD,
        kind: if rule.membership { PassKind::Membership } else { PassKind::Pack },
        credits_left: (!rule.membership).then_some(8),
        per_week: None,
        expires_on: starts_at.date_naive() + Duration::days(30),
        starts_on: None,
        frozen: None,
        ended: false,
        class_type_ids: None,
        studio_ids: vec![STUDIO],
    };
    let place = |date: &&str| PlaceTaken { local_date: date.parse().unwrap(), ahead: true, class_type_id: None, pass_type_id: Some(GOLD) };
    let places: Vec<PlaceTaken> = rule.places.iter().map(place).collect();
    let member = MemberNow { ahead: &[], passes: std::slice::from_ref(&pack), visits: &[], places: &places, suspended: past.suspended };
    let ask = Ask { pass_id: None, waitlist: true, by_staff: false, unpaid: false };
    let terms = terms(&session, &rules, member, ask, now);
    (TermsFactsOwned { session, rules: (*rules).clone(), terms, leniency: past.leniency }, now)
}

struct TermsFactsOwned {
    session: SessionNow,
    rules: HouseRules,
    terms: Terms,
    leniency: Leniency,
}

impl TermsFactsOwned {
    fn view(&self, language: Language, now: DateTime<Utc>) -> TermsView {
        let name = texts("Ten classes", "十次卡", "十堂套票");
        let pass = self.terms.payment.map(|_| NamedPass { id: PACK, name, kind: PassKind::Pack, credits_left: Some(8), shared_by: None });
        let facts = TermsFacts {
            session: self.session,
            rules: &self.rules,
            terms: &self.terms,
            pass,
            unverified: false,
            leniency: self.leniency,
            replacing: None,
        };
        TermsView::of(&facts, language, now)
    }
}

#[test]
fn the_rules_of_real_studios() {
    let mut table = String::new();
    for rule in rules() {
        writeln!(table, "# {}\n\nstudio      {}", rule.said, rule.studio).unwrap();
        for (who, changes) in [("class type", &rule.class_type), ("pass type", &rule.pass_type)] {
            if !object(changes).is_empty() {
                writeln!(table, "{who:<12}{changes}").unwrap();
            }
        }
        if !rule.places.is_empty() {
            writeln!(table, "places on   {}", rule.places.join(", ")).unwrap();
        }
        for told in &rule.told {
            let (facts, now) = told_of(&rule, told);
            let shows = |at: DateTime<Utc>| wall(at, told.zone).format("%Y-%m-%d %H:%M").to_string();
            let view = facts.view(Language::En, now);
            let free_until = view.free_cancel_until.map_or("none".to_owned(), shows);
            let said = [shows(view.booking_opens_at), free_until, shows(view.waitlist.promotion_until), shows(view.waitlist.closes_at)];
            let expected = [told.opens, told.free_until, told.promoted_until, told.list_closes];
            assert_eq!(said, expected, "{}, {} {}", rule.said, told.zone, told.starts);
            let full = if told.full { ", full" } else { "" };
            writeln!(table, "\n{} {}{full}, asked {}", told.zone, told.starts, told.now).unwrap();
            let instant = |at: Option<DateTime<Utc>>| at.map_or("none".to_owned(), |at| at.format("%Y-%m-%dT%H:%MZ").to_string());
            let [opens, free, promoted, closes] = said;
            for (what, wall, at) in [
                ("opens", opens, Some(view.booking_opens_at)),
                ("free until", free, view.free_cancel_until),
                ("promotion", promoted, Some(view.waitlist.promotion_until)),
                ("list closes", closes, Some(view.waitlist.closes_at)),
            ] {
                writeln!(table, "  {what:<12}{wall:<18}{}", instant(at)).unwrap();
            }
            let LateCancel { credits_lost, visit_counts, .. } = view.late_cancel;
            let would_be = view.would_be.map_or("refused", BookingStatus::as_str);
            writeln!(table, "  a tap       {would_be}\n  costs       {}, late {credits_lost}, visit {visit_counts}", view.credits).unwrap();
            for cap in view.caps.iter().filter(|cap| cap.max != 20) {
                writeln!(table, "  cap         {:?} of {:?}: {} of {}", cap.over, cap.of, cap.taken, cap.max).unwrap();
            }
            for language in [Language::En, Language::ZhHans, Language::ZhHant] {
                let view = facts.view(language, now);
                let refusal = view.refusal.map(|refusal| refusal.text);
                let sentences = [refusal, view.pass_text, Some(view.free_cancel_text), Some(view.waitlist.text)];
                for (nth, sentence) in sentences.into_iter().flatten().enumerate() {
                    writeln!(table, "  {:<12}{sentence}", if nth == 0 { language.tag() } else { "" }).unwrap();
                }
            }
        }
        table.push('\n');
    }
    insta::assert_snapshot!(table);
}

/// A member with a past: what they cancelled late, by the studio's wall, and what they are told of a class after that.
struct WithPast {
    said: &'static str,
    studio: Value,
    zone: Tz,
    cancelled_late: &'static [&'static str],
    starts: &'static str,
    now: &'static str,
    /// How many of the class's month are still forgiven, and whether the next one costs nothing.
    forgiven: (i64, bool),
    /// Until when they may not book as always, and from when this class.
    suspended_until: Option<&'static str>,
    bookable_from: Option<&'static str>,
}

fn pasts() -> Vec<WithPast> {
    let two_forgiven = || json!({"late_cancels_forgiven": 2});
    let warnings = || json!({"late_cancels_forgiven": 0, "strikes_max": 3, "strike_lapse_days": 90, "strike_consequence_days": 21, "strike_ahead_hours": 0});
    let more_than_two = || {
        json!({"late_cancels_forgiven": 2, "strikes_for": "late_cancels", "strikes_by_month": true, "strikes_max": 1,
            "strike_consequence_days": 30, "strike_ahead_hours": 0})
    };
    let preset = || json!({"late_cancels_forgiven": 0, "strikes_max": 3});
    let past = |said, studio, zone, cancelled_late, starts, now| WithPast {
        said,
        studio,
        zone,
        cancelled_late,
        starts,
        now,
        forgiven: (0, false),
        suspended_until: None,
        bookable_from: None,
    };
    let (two_a_month, three_of_quarter) = ("two late cancels a month are forgiven", "3 warnings in 90 days → 3 weeks");
    let (more, preset_said) = ("more than two late cancels a month → 30 days", "3 in 30 days → for 14 days only what starts within 24 h");
    let winter: &[&str] = &["2026-01-10 18:00", "2026-02-20 18:00", "2026-03-20 18:00"];
    let october: &[&str] = &["2026-10-05 18:00", "2026-10-12 18:00", "2026-10-20 18:00"];
    let spring: &[&str] = &["2026-09-10 18:00", "2026-09-20 18:00", "2026-09-28 18:00"];
    vec![
        WithPast {
            forgiven: (1, true),
            ..past(two_a_month, two_forgiven(), Shanghai, &["2026-12-01 10:00"], "2026-12-03 18:30", "2026-12-02 12:00")
        },
        past(two_a_month, two_forgiven(), Shanghai, &["2026-12-01 10:00", "2026-12-02 10:00"], "2026-12-03 18:30", "2026-12-02 12:00"),
        // The month is the class's: the last two of November are no matter in December.
        WithPast {
            forgiven: (2, true),
            ..past(two_a_month, two_forgiven(), Shanghai, &["2026-11-29 10:00", "2026-11-30 23:59"], "2026-12-03 18:30", "2026-12-01 12:00")
        },
        // From 18:00 to 18:00 by the wall, over the night that is an hour shorter: no class before the end can be booked, one after it can then.
        WithPast {
            suspended_until: Some("2026-04-10 18:00"),
            ..past(three_of_quarter, warnings(), Paris, winter, "2026-04-05 18:30", "2026-03-25 12:00")
        },
        WithPast {
            suspended_until: Some("2026-04-10 18:00"),
            bookable_from: Some("2026-04-10 18:00"),
            ..past(three_of_quarter, warnings(), Paris, winter, "2026-04-12 18:30", "2026-03-30 12:00")
        },
        // The first of the three was 91 days before the last, or the three weeks are over.
        past(
            three_of_quarter,
            warnings(),
            Paris,
            &["2025-12-19 18:00", "2026-02-20 18:00", "2026-03-20 18:00"],
            "2026-04-05 18:30",
            "2026-03-25 12:00",
        ),
        past(three_of_quarter, warnings(), Paris, winter, "2026-04-12 18:30", "2026-04-10 18:00"),
        WithPast {
            suspended_until: Some("2026-11-19 18:00"),
            bookable_from: Some("2026-11-19 18:00"),
            forgiven: (2, true),
            ..past(more, more_than_two(), New_York, october, "2026-11-25 18:30", "2026-11-12 12:00")
        },
        // Two of September and two of October are not more than two a month.
        past(
            more,
            more_than_two(),
            New_York,
            &["2026-09-29 18:00", "2026-09-30 18:00", "2026-10-05 18:00", "2026-10-12 18:00"],
            "2026-10-28 18:30",
            "2026-10-20 12:00",
        ),
        WithPast {
            suspended_until: Some("2026-10-12 18:00"),
            bookable_from: Some("2026-10-05 18:30"),
            ..past(preset_said, preset(), Sydney, spring, "2026-10-06 18:30", "2026-09-30 12:00")
        },
        // The third of a month costs nothing on the day of the typhoon, nor does not coming.
        WithPast {
            forgiven: (0, true),
            ..past(
                "no penalties on the day of the typhoon",
                json!({"penalty_free_days": ["2026-09-07"]}),
                Shanghai,
                &["2026-09-01 10:00", "2026-09-02 10:00"],
                "2026-09-07 18:30",
                "2026-09-03 12:00",
            )
        },
    ]
}

impl WithPast {
    /// The strikes that these late cancellations come to, and what is forgiven in the month of the class.
    fn past(&self, now: DateTime<Utc>) -> Past {
        let rules = HouseRules::parse(object(&self.studio)).unwrap();
        let terms = PenaltyTerms::of(&rules, false);
        let month = month_of(instant(local(self.starts), self.zone), self.zone);
        let (mut strikes, mut forgiven) = (Vec::new(), Vec::new());
        for at in self.cancelled_late.iter().map(|at| instant(local(at), self.zone)) {
            let before = forgiven.iter().filter(|other| **other == month_of(at, self.zone)).count();
            let cost = cost(PenaltyKind::LateCancel, &terms, 1, false, Leniency { penalty_free_day: false, forgiven: before as i64 });
            match cost.forgiven {
                Some(_) => forgiven.push(month_of(at, self.zone)),
                None if cost.strike => strikes.push(at),
                None => {}
            }
        }
        let penalty_free_day = rules.penalty_free_days.has(local(self.starts).date());
        let forgiven = forgiven.into_iter().filter(|of| *of == month).count() as i64;
        Past { suspended: suspension(&strikes, &rules, self.zone, now), leniency: Leniency { penalty_free_day, forgiven } }
    }
}

#[test]
fn what_late_cancels_come_to() {
    let mut table = String::new();
    for one in pasts() {
        let now = instant(local(one.now), one.zone);
        let past = one.past(now);
        let shows = |at: DateTime<Utc>| wall(at, one.zone).format("%Y-%m-%d %H:%M").to_string();
        let until = past.suspended.map(|suspension| shows(suspension.until));
        assert_eq!(until.as_deref(), one.suspended_until, "{}", one.said);
        let rule = Rule {
            said: one.said,
            studio: one.studio.clone(),
            class_type: json!({}),
            pass_type: json!({}),
            membership: false,
            places: &[],
            told: vec![],
        };
        let told = Told {
            zone: one.zone,
            starts: one.starts,
            now: one.now,
            full: false,
            opens: "",
            free_until: "",
            promoted_until: "",
            list_closes: "",
        };
        let (facts, now) = told_with(&rule, &told, past);
        let view = facts.view(Language::En, now);
        let LateCancel { credits_lost, strike, forgiven_left, forgiven, .. } = view.late_cancel;
        assert_eq!((forgiven_left, forgiven), one.forgiven, "{} {}", one.said, one.starts);
        let from = view.refusal.as_ref().and_then(|refusal| refusal.from).map(shows);
        assert_eq!(from.as_deref(), one.bookable_from, "{} {}", one.said, one.starts);
        writeln!(table, "# {}\n\nstudio        {}", one.said, one.studio).unwrap();
        writeln!(table, "cancelled     {}", one.cancelled_late.join(", ")).unwrap();
        writeln!(table, "{} {}, asked {}", one.zone, one.starts, one.now).unwrap();
        writeln!(table, "  a tap       {}", view.would_be.map_or("refused", BookingStatus::as_str)).unwrap();
        writeln!(table, "  late        {credits_lost} credit, strike {strike}; {forgiven_left} more forgiven, the next {forgiven}")
            .unwrap();
        writeln!(
            table,
            "  absent      {} credit, strike {}, forgiven {}",
            view.no_show.credits_lost, view.no_show.strike, view.no_show.forgiven
        )
        .unwrap();
        let none = || "none".to_owned();
        writeln!(table, "  suspended   until {}, bookable from {}", until.unwrap_or_else(none), from.unwrap_or_else(none)).unwrap();
        for language in [Language::En, Language::ZhHans, Language::ZhHant] {
            let view = facts.view(language, now);
            let sentences = [view.refusal.map(|refusal| refusal.text), Some(view.free_cancel_text)];
            for (nth, sentence) in sentences.into_iter().flatten().enumerate() {
                writeln!(table, "  {:<12}{sentence}", if nth == 0 { language.tag() } else { "" }).unwrap();
            }
        }
        table.push('\n');
    }
    insta::assert_snapshot!(table);
}
