//! Every kind of letter in every language, as a snapshot: the diff in review is what members will read.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use uuid::Uuid;

use super::*;
use crate::letters::examples::{self, at, other, pack, texts, waiting, written_at};
use crate::letters::facts::{LeftBecause, Penalized, Replaced, StudioFacts, addressed};
use crate::letters::switches::Switch;

pub(in crate::letters) fn booking_id() -> Uuid {
    "0197a000-0000-7000-8000-00000000b00c".parse().unwrap()
}

fn demo_studio() -> StudioFacts {
    StudioFacts {
        name: "Jing'an".to_owned(),
        address: Some("88 Yuyuan Road".to_owned()),
        contact: Some("jingan@demo.example".to_owned()),
        time_zone: chrono_tz::Tz::Asia__Shanghai,
    }
}

pub(in crate::letters) fn demo_session() -> SessionFacts {
    examples::session(&demo_studio())
}

fn membership() -> Terms {
    Terms { credits: 0, membership: true, free_cancel_until: Some(at("2026-11-30T22:30:00Z")), penalty: Penalized::default() }
}

fn offered(clock_starts_at: Option<DateTime<Utc>>, terms: Terms) -> Facts {
    examples::offered(&demo_studio(), clock_starts_at, terms)
}

fn no_show(credits_lost: i64, visit_counts: bool, penalty: Penalized) -> Facts {
    examples::no_show(&demo_studio(), credits_lost, visit_counts, penalty)
}

fn replaced() -> Replaced {
    examples::replaced(&demo_studio())
}

/// One example of each kind, under its tag.
pub(in crate::letters) fn facts_of_every_kind() -> Vec<(&'static str, Facts)> {
    examples::every_kind(&demo_studio()).into_iter().map(|facts| (facts.kind(), facts)).collect()
}

/// The other ways that a kind can be worded.
fn variants() -> Vec<(&'static str, Facts)> {
    let session = demo_session();
    let pass = |credits, per_week| Facts::PassSold {
        studio: demo_studio(),
        pass: texts("Studio member", "静安会员卡", "靜安會籍"),
        credits,
        per_week,
        expires_on: NaiveDate::from_ymd_opt(2027, 1, 31).unwrap(),
        paid: None,
        starts_on: None,
        from_first: None,
    };
    let from_first = |length, expires_on| Facts::PassSold {
        studio: demo_studio(),
        pass: texts("A month", "月卡", "月票"),
        credits: None,
        per_week: None,
        expires_on,
        paid: None,
        starts_on: NaiveDate::from_ymd_opt(2027, 1, 4),
        from_first: Some(length),
    };
    let passed_over = |reason, other| Facts::PassedOver { session: demo_session(), reason, waiting: waiting(), other };
    let free = Some(OtherBooking { starts_at: at("2026-12-01T11:00:00Z"), terms: Terms { free_cancel_until: None, ..membership() } });
    let late_to_wait = |then| Facts::Waitlisted { session: demo_session(), position: 1, credits: 1, promoted_until: None, then };
    let left = |because| Facts::WaitlistLeft { session: demo_session(), because };
    let cancelled = |reason, credits_returned, had_place| Facts::SessionCancelled {
        session: demo_session(),
        reason,
        note: None,
        credits_returned,
        visit_returned: false,
        had_place,
        had_cancelled: false,
        penalty_waived: false,
    };
    let cancelled_after_late = |credits_returned| Facts::SessionCancelled {
        session: demo_session(),
        reason: Some(CancelReason::Illness),
        note: None,
        credits_returned,
        visit_returned: credits_returned == 0,
        had_place: false,
        had_cancelled: true,
        penalty_waived: credits_returned == 0,
    };
    let late = |credits_lost, visit_counts| Facts::LateCancelled {
        session: demo_session(),
        credits_lost,
        visit_counts,
        penalty: Penalized::default(),
    };
    let fined = || Penalized { fee: Some(Money { amount_minor: 5_000, currency: "CNY".to_owned() }), strike: true, forgiven: false };
    let released = |credits_returned| {
        let mut before = demo_session();
        before.starts_at = at("2026-12-01T10:00:00Z");
        Facts::Released { session: demo_session(), before, credits_returned, other: other() }
    };
    let decided = |booked| Facts::TooFewDecided { session: demo_session(), booked, minimum: 4, cancelled: false };
    let removed = |credits_returned, credits_lost, visit_counts| Facts::RemovedByStaff {
        session: demo_session(),
        reason: None,
        credits_returned,
        credits_lost,
        visit_counts,
        penalty: Penalized::default(),
    };
    let changed = |booked, terms, waiting| {
        let mut before = demo_session();
        before.instructor = "Ana Wu".to_owned();
        Facts::SessionChanged { session: demo_session(), before, booked, terms, waiting }
    };
    let exchanged = |promoted, replaced| Facts::Exchanged { session: demo_session(), terms: pack(), promoted, replaced };
    let moved = |credits_returned, waiting| Facts::MovedToWaitlist { session: demo_session(), position: 2, credits_returned, waiting };
    vec![
        ("second_factor_added, passkey", Facts::SecondFactorAdded { factor: FactorKind::Passkey, at: at("2026-11-22T09:15:00Z") }),
        ("second_factor_removed, by staff", Facts::SecondFactorRemoved { all_by_staff: true, at: at("2026-11-22T09:15:00Z") }),
        ("new_device, unknown", Facts::NewDevice { device: None, at: at("2026-11-22T09:15:00Z") }),
        ("entered_by_desk, linked", Facts::EnteredByFrontDesk { studio: demo_studio(), linked: true, shares_address: false }),
        ("entered_by_desk, shared", Facts::EnteredByFrontDesk { studio: demo_studio(), linked: false, shares_address: true }),
        ("pass_sold, by the week", pass(None, Some(2))),
        ("pass_sold, unlimited", pass(None, None)),
        ("pass_sold, from the first class", from_first(Length::Months(1), NaiveDate::from_ymd_opt(2027, 3, 31).unwrap())),
        ("pass_sold, from the first class whenever it is", from_first(Length::Days(30), OPEN_END)),
        (
            "pass_ending, before its first class",
            Facts::PassEnding {
                studio: demo_studio(),
                pass: texts("A month", "月卡", "月票"),
                credits: None,
                expires_on: NaiveDate::from_ymd_opt(2027, 1, 31).unwrap(),
                unbegun: true,
            },
        ),
        ("guest_booked, changed", Facts::GuestBooked { session: session.clone(), changed: true }),
        (
            "booked, for a guest",
            Facts::Booked { session: SessionFacts { for_whom: Some("Mum".to_owned()), ..session.clone() }, terms: pack(), by_staff: false },
        ),
        ("booked, by staff, membership", Facts::Booked { session: session.clone(), terms: membership(), by_staff: true }),
        (
            "booked, no free way out",
            Facts::Booked { session: session.clone(), terms: Terms { free_cancel_until: None, ..pack() }, by_staff: false },
        ),
        (
            "waitlisted, two credits",
            Facts::Waitlisted {
                session: session.clone(),
                position: 1,
                credits: 2,
                promoted_until: Some(at("2026-11-30T22:30:00Z")),
                then: Then::Offered,
            },
        ),
        (
            "waitlisted, membership",
            Facts::Waitlisted {
                session: session.clone(),
                position: 1,
                credits: 0,
                promoted_until: Some(at("2026-11-30T22:30:00Z")),
                then: Then::StudioDecides,
            },
        ),
        ("waitlisted after the cut-off", late_to_wait(Then::FirstToTake)),
        ("waitlisted after the cut-off, offered in order", late_to_wait(Then::Offered)),
        ("waitlisted after the cut-off, the studio decides", late_to_wait(Then::StudioDecides)),
        ("passed_over, overlap", passed_over(PassedOver::Overlap, other())),
        ("passed_over, overlap with a late one", passed_over(PassedOver::Overlap, free)),
        ("passed_over, too many", passed_over(PassedOver::TooManyBookings, None)),
        (
            "place_free, for nothing",
            Facts::PlaceFree { session: demo_session(), credits: Some(0), closes_at: Some(at("2026-12-01T10:00:00Z")), kept_until: None },
        ),
        (
            "place_free, for those who wait",
            Facts::PlaceFree {
                session: demo_session(),
                credits: Some(1),
                closes_at: Some(at("2026-12-01T10:30:00Z")),
                kept_until: Some(at("2026-12-01T09:45:00Z")),
            },
        ),
        ("place_offered, in quiet hours, membership", offered(Some(at("2026-11-30T23:00:00Z")), membership())),
        ("passed_over, turned down", passed_over(PassedOver::TurnedDown, None)),
        ("waitlist_left, declined", left(LeftBecause::Declined)),
        ("waitlist_left, overlap", left(LeftBecause::Overlap)),
        ("waitlist_left, staff", left(LeftBecause::Staff)),
        ("cancelled, nothing taken", Facts::Cancelled { session: session.clone(), credits_returned: 0 }),
        ("late_cancelled, two credits", late(2, false)),
        ("late_cancelled, visit", late(0, true)),
        ("late_cancelled, forgiven", late(0, false)),
        (
            "late_cancelled, visit, fee, strike",
            Facts::LateCancelled { session: demo_session(), credits_lost: 0, visit_counts: true, penalty: fined() },
        ),
        (
            "booked, with a fee",
            Facts::Booked { session: demo_session(), terms: Terms { penalty: fined(), ..membership() }, by_staff: false },
        ),
        ("passed_over, suspended", passed_over(PassedOver::Suspended, None)),
        ("suspended, nothing", Facts::Suspended { studio: demo_studio(), until: at("2026-12-15T10:30:00Z"), only_within_hours: 0 }),
        (
            "penalty_waived, visit and fee",
            Facts::PenaltyWaived {
                session: demo_session(),
                credits_returned: 0,
                visit_returned: true,
                fee: fined().fee,
                strike: false,
                came: false,
            },
        ),
        (
            "penalty_waived, came after all",
            Facts::PenaltyWaived {
                session: demo_session(),
                credits_returned: 0,
                visit_returned: false,
                fee: fined().fee,
                strike: true,
                came: true,
            },
        ),
        ("no_show, visit, fee, strike", no_show(0, true, fined())),
        ("no_show, a strike alone", no_show(0, false, Penalized { strike: true, ..Penalized::default() })),
        ("no_show, nothing", no_show(0, false, Penalized { forgiven: true, ..Penalized::default() })),
        ("removed_by_staff, lost", removed(0, 1, false)),
        ("removed_by_staff, nothing", removed(0, 0, false)),
        ("removed_by_staff, visit", removed(0, 0, true)),
        (
            "removed_by_staff, late, forgiven",
            Facts::RemovedByStaff {
                session: demo_session(),
                reason: None,
                credits_returned: 1,
                credits_lost: 0,
                visit_counts: false,
                penalty: Penalized { forgiven: true, ..Penalized::default() },
            },
        ),
        ("session_changed, membership", changed(true, Some(membership()), None)),
        ("session_changed, waiting", changed(false, None, waiting())),
        (
            "session_changed, waiting after the cut-off",
            changed(false, None, Some(Waiting { credits: 2, promoted_until: Some(at("2026-11-22T09:00:00Z")), then: Then::FirstToTake })),
        ),
        ("session_cancelled, weather", cancelled(Some(CancelReason::Weather), 2, true)),
        ("session_cancelled, premises, membership", cancelled(Some(CancelReason::Premises), 0, true)),
        ("session_cancelled, too few, waiting", cancelled(Some(CancelReason::TooFew), 0, false)),
        ("session_cancelled, other", cancelled(Some(CancelReason::Other), 1, true)),
        ("session_cancelled, after a late cancellation", cancelled_after_late(1)),
        ("session_cancelled, after a late cancellation, membership", cancelled_after_late(0)),
        ("released, two credits", released(2)),
        ("released, membership", released(0)),
        (
            "moved_to_waitlist, two credits",
            moved(2, Some(Waiting { credits: 2, promoted_until: Some(at("2026-11-30T22:30:00Z")), then: Then::FirstToTake })),
        ),
        ("moved_to_waitlist, membership", moved(0, waiting())),
        (
            "too_few_soon, one needed",
            Facts::TooFewSoon { session: demo_session(), booked: 0, minimum: 1, decided_at: at("2026-12-01T07:30:00Z") },
        ),
        ("too_few_decided, enough", decided(5)),
        ("too_few_decided, exempt", decided(3)),
        ("substitute_wanted, no note", Facts::SubstituteWanted { session: demo_session(), asked_by: "Lin Yue".to_owned(), note: None }),
        ("substitute_decided, declined", Facts::SubstituteDecided { session: demo_session(), approved: false }),
        ("sessions_proposed, one", Facts::SessionsProposed { session: demo_session(), by: "Lin Yue".to_owned(), count: 1 }),
        ("sessions_published, one", Facts::SessionsPublished { session: demo_session(), count: 1 }),
        ("exchanged, by promotion, having waited", exchanged(true, Replaced { waited: true, credits_returned: 0, ..replaced() })),
        ("exchanged, late", exchanged(false, Replaced { credits_returned: 0, credits_lost: 2, ..replaced() })),
        ("exchanged, late, membership", exchanged(false, Replaced { credits_returned: 0, visit_counts: true, ..replaced() })),
        ("exchanged, free, membership", exchanged(true, Replaced { credits_returned: 0, ..replaced() })),
        (
            "passed over, as giving the other up is not free",
            Facts::PassedOver { session: session.clone(), reason: PassedOver::NotFree, waiting: waiting(), other: None },
        ),
    ]
}

/// Letters as older versions stored them, before letters stated costs: without the facts that came later.
fn written_before() -> Vec<(String, Facts)> {
    let later = ["waiting", "other", "credits", "closes_at", "kept_until", "visit_counts", "terms"];
    let old = facts_of_every_kind().into_iter().chain(variants()).filter_map(|(name, facts)| {
        let told = matches!(
            facts,
            Facts::PassedOver { .. }
                | Facts::PlaceFree { .. }
                | Facts::RemovedByStaff { .. }
                | Facts::SessionChanged { .. }
                | Facts::Released { .. }
                | Facts::MovedToWaitlist { .. }
        );
        let mut row = serde_json::to_value(&facts).unwrap();
        row.as_object_mut().unwrap().retain(|key, _| !later.contains(&key.as_str()));
        told.then(|| (format!("{name}, as of before"), serde_json::from_value(row).unwrap()))
    });
    old.collect()
}

/// About a session, but not about a booking.
fn to_staff(facts: &Facts) -> bool {
    matches!(
        facts,
        Facts::TooFewSoon { .. }
            | Facts::TooFewDecided { .. }
            | Facts::SubstituteWanted { .. }
            | Facts::SubstituteFound { .. }
            | Facts::SubstituteClaimed { .. }
            | Facts::SubstituteDecided { .. }
            | Facts::SubstituteMissing { .. }
            | Facts::SubstituteExpired { .. }
            | Facts::SessionsProposed { .. }
            | Facts::SessionsPublished { .. }
            | Facts::PlaceToGive { .. }
    )
}

const UNSUBSCRIBE_LINK: &str = "https://demo.example/unsubscribe/0197a000-0000-7000-8000-00000000000e/switch/signature";

const OFFER_LINK: &str = "https://demo.example/offers/0197a000-0000-7000-8000-0000000000ff/signature";

fn letter(facts: &Facts, language: Language) -> ToRender<'_> {
    ToRender {
        language,
        written_at: written_at(),
        name: Some("Mei Chen"),
        facts,
        public_url: "https://demo.example",
        booking_id: facts.session().filter(|_| !to_staff(facts)).map(|_| booking_id()),
        link: matches!(facts, Facts::PlaceOffered { .. }).then_some(OFFER_LINK),
        unsubscribe: Switch::of_kind(facts.kind()).map(|_| UNSUBSCRIBE_LINK),
        code: match facts {
            Facts::AddressCode {} | Facts::PasswordCode {} | Facts::DeletionCode {} | Facts::Invitation { .. } => Some("40718265"),
            _ => None,
        },
    }
}

fn rendered(facts: &Facts, language: Language) -> Rendered {
    render(&letter(facts, language)).unwrap()
}

/// Under a plain name: `booked_en.snap`.
pub(in crate::letters) fn snapshot(name: &str, shown: &str) {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, shown);
    });
}

#[test]
fn every_kind_in_every_language() {
    for (name, facts) in facts_of_every_kind() {
        assert_eq!(serde_json::to_value(&facts).unwrap()["kind"], name);
        for language in Language::ALL {
            let Rendered { subject, text, html } = rendered(&facts, language);
            snapshot(&format!("{name}_{language}"), &format!("Subject: {subject}\n\n{text}\n=== HTML ===\n{html}"));
        }
    }
}

#[test]
fn every_variant_in_every_language() {
    for language in Language::ALL {
        let all: Vec<_> = variants()
            .into_iter()
            .map(|(name, facts)| {
                let Rendered { subject, text, .. } = rendered(&facts, language);
                format!("=== {name} ===\nSubject: {subject}\n\n{text}")
            })
            .collect();
        snapshot(&format!("variants_{language}"), &all.join("\n"));
    }
}

/// The kinds that say less to an address of which nobody knows whose it is.
const SAYS_LESS: [&str; 6] = ["invitation", "entered_by_desk", "removed_by_staff", "session_changed", "session_cancelled", "released"];

#[test]
fn an_address_that_nobody_confirmed_is_told_nobodys_words() {
    for language in Language::ALL {
        let mut all = Vec::new();
        for (name, facts) in facts_of_every_kind() {
            let (facts, to, greeted) = addressed(facts, Some("Mei Chen"), true, false);
            assert_eq!((to, greeted.as_deref()), (None, Some("M. C.")));
            let Rendered { subject, text, html } = render(&ToRender { name: greeted.as_deref(), ..letter(&facts, language) }).unwrap();
            let words = ["Mei", "Chen", "88 Yuyuan Road", "jingan@demo.example", "Booked twice", "See you on Thursday", "I have a fever"];
            for part in [&subject, &text, &html] {
                for words in words {
                    assert!(!part.contains(words), "{name} {language} {words}: {part}");
                }
                for words in ["Jing'an", "Jing&#39;an", "Ana Wu"] {
                    assert!(
                        !matches!(name, "invitation" | "entered_by_desk") || !part.contains(words),
                        "{name} {language} {words}: {part}"
                    );
                }
            }
            if SAYS_LESS.contains(&name) {
                all.push(format!("=== {name} ===\nSubject: {subject}\n\n{text}"));
            }
        }
        assert_eq!(all.len(), SAYS_LESS.len());
        snapshot(&format!("unconfirmed_{language}"), &all.join("\n"));
    }
    // A code can be asked for by anybody: it comes without even that.
    assert_eq!(addressed(Facts::AddressCode {}, Some("Mei Chen"), false, false).2, None);
    let (facts, to, greeted) = addressed(Facts::AddressCode {}, Some("Mei Chen"), false, true);
    assert_eq!((facts, to, greeted.as_deref()), (Facts::AddressCode {}, Some("Mei Chen"), Some("Mei Chen")));
}

#[test]
fn what_was_written_before_costs_were_told_in_every_language() {
    for language in Language::ALL {
        let all: Vec<_> = written_before()
            .into_iter()
            .map(|(name, facts)| {
                let Rendered { subject, text, .. } = rendered(&facts, language);
                format!("=== {name} ===\nSubject: {subject}\n\n{text}")
            })
            .collect();
        snapshot(&format!("before_{language}"), &all.join("\n"));
    }
}

/// Where the letter's link leads, if it has one.
fn leads_to(letter: &ToRender<'_>) -> Option<String> {
    let page = |path: &str| Some(format!("https://demo.example{path}"));
    match letter.facts {
        Facts::Invitation { .. } => page(&format!("/me/invitation#{}", letter.code.unwrap())),
        Facts::EnteredByFrontDesk { linked: true, .. } => page("/me/sign-in"),
        Facts::EnteredByFrontDesk { shares_address: false, .. } => page("/me/sign-up"),
        facts if is_about_what_can_be_done(facts) => letter.link.map(str::to_owned).or_else(|| page(&format!("/b/{}", booking_id()))),
        _ => None,
    }
}

/// Whether the reader can do something about the letter's booking, on its page.
fn is_about_what_can_be_done(facts: &Facts) -> bool {
    matches!(
        facts,
        Facts::Booked { .. }
            | Facts::Exchanged { .. }
            | Facts::Waitlisted { .. }
            | Facts::Promoted { .. }
            | Facts::PassedOver { .. }
            | Facts::PlaceFree { .. }
            | Facts::PlaceOffered { .. }
            | Facts::OfferWithdrawn { .. }
            | Facts::SessionChanged { .. }
            | Facts::MovedToWaitlist { .. }
            | Facts::Reminder24h { .. }
            | Facts::Reminder2h { .. }
    )
}

fn every_letter() -> impl Iterator<Item = (String, Facts)> {
    let named = facts_of_every_kind().into_iter().chain(variants()).map(|(name, facts)| (name.to_owned(), facts));
    named.chain(written_before())
}

#[test]
fn every_letter_is_complete() {
    for (name, facts) in every_letter() {
        for language in Language::ALL {
            let letter = letter(&facts, language);
            let leads_to = leads_to(&letter);
            let Rendered { subject, text, html } = render(&letter).unwrap();
            let here = format!("{name} {language}\n{subject}\n\n{text}");
            if let Some(link) = &leads_to {
                assert!(text.lines().any(|line| line == link), "{here}");
                assert!(html.contains(&format!("href=\"{link}\"")), "{here}");
            }
            assert!(letter.unsubscribe.is_some() || leads_to.is_some() || !html.contains("href="), "{here}");
            let links = usize::from(leads_to.is_some()) + usize::from(letter.unsubscribe.is_some());
            assert_eq!(text.matches("://").count(), links, "a link to elsewhere: {here}");
            assert!(html.contains(&format!("<html lang=\"{language}\">")), "{here}");
            assert!(text.contains("Mei Chen"), "no greeting: {here}");
            if let Some(code) = letter.code {
                assert!(text.contains(code) && html.contains(code), "no code: {here}");
                assert!(!subject.contains(code), "the code stands in the subject: {here}");
            }
            if let Some(session) = facts.session() {
                for fact in [letter.class(session), "Jing'an", "88 Yuyuan Road", "Studio 1", "Lin Yue", "18:30–19:25", "UTC+8"] {
                    assert!(text.contains(fact), "no {fact}: {here}");
                }
            }
            for part in [&subject, &text, &html] {
                for left in ["{{", "{%", "}}", "%}", "Some(", "None", "\r", "  \n", "。。", "&#38;"] {
                    assert!(!part.contains(left), "{left:?} was left: {here}");
                }
            }
            if language != Language::En {
                let ours = text.replace("Barre", "").replace("Jing'an", "");
                for english in ["You", "class", "credit", "booking"] {
                    assert!(!ours.contains(english), "{english}: {here}");
                }
            }
        }
    }
}

/// A letter says itself what there is to say: nobody is sent to a page to learn what it could have told.
#[test]
fn no_letter_promises_what_is_not_there() {
    let promises = [
        "page says",
        "page tells",
        "Open ",
        "See ",
        "预约页面",
        "查看预约",
        "查看候补",
        "查看详情",
        "打开",
        "預約頁面",
        "查看預約",
        "查看候補",
        "查看詳情",
        "開啟",
    ];
    for (name, facts) in every_letter() {
        for language in Language::ALL {
            let Rendered { subject, text, html } = rendered(&facts, language);
            // What the studio's staff wrote is not checked.
            let (text, html) = (text.replace("See you on Thursday!", ""), html.replace("See you on Thursday!", ""));
            for promise in promises {
                assert!(![&subject, &text, &html].into_iter().any(|part| part.contains(promise)), "{promise}: {name} {language}\n{text}");
            }
        }
    }
}

/// A member with a place reads what it costs and until when giving it up is free; one who waits, what a place will take, and until when
/// they may be moved in; one who lost something, what.
#[test]
fn every_letter_says_what_it_costs_and_until_when() {
    for (name, facts) in facts_of_every_kind().into_iter().chain(variants()) {
        for language in Language::ALL {
            let text = rendered(&facts, language).text;
            let session = facts.session();
            let said: Vec<String> = match &facts {
                Facts::Booked { session, terms, .. } | Facts::Promoted { session, terms } | Facts::Exchanged { session, terms, .. } => {
                    vec![phrases::cost(terms, language), letter(&facts, language).free_cancel(session, terms)]
                }
                Facts::SessionChanged { session, terms: Some(terms), .. } => {
                    vec![phrases::cost(terms, language), letter(&facts, language).free_cancel(session, terms)]
                }
                Facts::Waitlisted { .. } | Facts::PassedOver { .. } | Facts::MovedToWaitlist { .. } | Facts::SessionChanged { .. } => {
                    let waiting = letter(&facts, language).waiting().unwrap();
                    let until = waiting.promoted_until.map(|until| letter(&facts, language).until(&until, session.unwrap()));
                    [Some(phrases::place_cost(waiting.credits, language)), until].into_iter().flatten().collect()
                }
                Facts::PlaceOffered { session, terms, expires_at, .. } => vec![
                    phrases::cost(terms, language),
                    letter(&facts, language).free_cancel(session, terms),
                    letter(&facts, language).until(expires_at, session),
                ],
                Facts::PlaceFree { session, credits, closes_at, .. } => {
                    vec![phrases::place_cost(credits.unwrap(), language), letter(&facts, language).until(&closes_at.unwrap(), session)]
                }
                Facts::Cancelled { credits_returned: n @ 1.., .. }
                | Facts::LateCancelled { credits_lost: n @ 1.., .. }
                | Facts::NoShow { credits_lost: n @ 1.., .. }
                | Facts::RemovedByStaff { credits_returned: n @ 1.., .. }
                | Facts::RemovedByStaff { credits_lost: n @ 1.., .. }
                | Facts::SessionCancelled { credits_returned: n @ 1.., .. } => vec![phrases::credits(*n, language)],
                Facts::Released { session, other: Some(other), .. } => vec![letter(&facts, language).free_cancel_of(other, session)],
                _ => Vec::new(),
            };
            for fact in said {
                assert!(text.contains(&fact), "{fact}: {name} {language}\n{text}");
            }
        }
    }
}

/// A mailbox shows it beside the subject: one sentence of the letter, not its greeting.
#[test]
fn the_preview_is_the_letters_one_fact() {
    for (name, facts) in every_letter() {
        for language in Language::ALL {
            let Rendered { subject, text, html } = rendered(&facts, language);
            let shown = html.split("mso-hide:all\">").nth(1).and_then(|rest| rest.split("</div>").next()).unwrap();
            let shown = shown.replace("&#39;", "'").replace("&#34;", "\"");
            assert!(html.find("mso-hide:all").unwrap() < html.find("Mei Chen").unwrap(), "{name} {language}: it comes first");
            assert!(text.lines().any(|line| line == shown), "{name} {language}: {shown:?} of\n{text}");
            assert!(!shown.contains("Mei Chen") && shown != subject, "{name} {language}: {shown:?}");
            if let Facts::Booked { terms, session, .. } | Facts::Promoted { session, terms } = &facts {
                assert_eq!(shown, letter(&facts, language).free_cancel(session, terms));
            }
        }
    }
}

#[test]
fn both_parts_have_the_same_words() {
    for (name, facts) in every_letter() {
        for language in Language::ALL {
            let Rendered { text, html, .. } = rendered(&facts, language);
            let html = html.replace("&#39;", "'").replace("&#34;", "\"");
            for line in text.lines().filter(|line| !line.is_empty()) {
                let fact = line.split_once(": ").or_else(|| line.split_once('：'));
                let there = html.contains(&format!(">{}<", line.trim()))
                    || fact.is_some_and(|(label, value)| html.contains(&format!("{label}</th>")) && html.contains(value))
                    // A link whose words are its label.
                    || fact.is_some_and(|(label, value)| html.contains(&format!("href=\"{}\"", value.trim())) && html.contains(&format!(">{label}</a>")));
                assert!(there, "{name} {language}: {line}");
            }
        }
    }
}

/// What a stranger can type: into a name, a note, a class, a device.
const HOSTILE: [&str; 10] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "x\r\nBcc: everyone@demo.example\r\n\r\nbody",
    "x\n\n> Click here\n# 000000\n- Cost: 99\n~ small",
    "> Click here",
    "# 000000",
    "a\u{202E}b\u{2028}c\u{0}d\u{1B}[31m",
    "{{ code }} {% if true %}",
    "&amp; <b>",
    "^ Free of charge",
];

fn infected(mut facts: Facts, evil: &str) -> Facts {
    let text = || evil.to_owned();
    let infect_studio = |studio: &mut StudioFacts| {
        studio.name = text();
        studio.address = Some(text());
        studio.contact = Some(text());
    };
    let infect = |session: &mut SessionFacts| {
        infect_studio(&mut session.studio);
        session.class = texts(evil, evil, evil);
        session.room = text();
        session.instructor = text();
        session.for_whom = Some(text());
    };
    match &mut facts {
        Facts::AddressCode {}
        | Facts::AlreadyRegistered {}
        | Facts::PasswordCode {}
        | Facts::DeletionCode {}
        | Facts::DeletionAsked { .. }
        | Facts::SecondFactorAdded { .. }
        | Facts::SecondFactorRemoved { .. }
        | Facts::PasswordChanged { .. }
        | Facts::SignInTried { .. } => {}
        Facts::AddressChanged { new_address_masked, .. } => *new_address_masked = text(),
        Facts::NewDevice { device, .. } => *device = Some(text()),
        Facts::Invitation { studio, invited_by, .. } => {
            infect_studio(studio);
            *invited_by = text();
        }
        Facts::EnteredByFrontDesk { studio, .. } | Facts::Suspended { studio, .. } | Facts::SuspensionLifted { studio } => {
            infect_studio(studio);
        }
        Facts::PassSold { studio, pass, .. }
        | Facts::PassEnding { studio, pass, .. }
        | Facts::PassGone { studio, pass, .. }
        | Facts::PassReceived { studio, pass, .. } => {
            infect_studio(studio);
            *pass = texts(evil, evil, evil);
        }
        Facts::SessionChanged { session, .. } => infect(session),
        Facts::RemovedByStaff { session, reason, .. } => {
            infect(session);
            *reason = Some(text());
        }
        Facts::SessionCancelled { session, note, .. } => {
            infect(session);
            *note = Some(text());
        }
        Facts::Released { session, before, .. } => {
            infect(session);
            infect(before);
        }
        Facts::Exchanged { session, replaced, .. } => {
            infect(session);
            infect(&mut replaced.session);
        }
        Facts::SubstituteWanted { session, asked_by, note } => {
            infect(session);
            *asked_by = text();
            *note = Some(text());
        }
        Facts::SubstituteClaimed { session, asked_by, substitute } => {
            infect(session);
            *asked_by = text();
            *substitute = text();
        }
        Facts::SubstituteFound { session, substitute: name }
        | Facts::SubstituteMissing { session, asked_by: name }
        | Facts::SessionsProposed { session, by: name, .. } => {
            infect(session);
            *name = text();
        }
        Facts::Booked { session, .. }
        | Facts::Waitlisted { session, .. }
        | Facts::Promoted { session, .. }
        | Facts::PassedOver { session, .. }
        | Facts::PlaceFree { session, .. }
        | Facts::PlaceOffered { session, .. }
        | Facts::OfferExpired { session }
        | Facts::OfferWithdrawn { session, .. }
        | Facts::WaitlistLeft { session, .. }
        | Facts::WaitlistClosed { session }
        | Facts::Cancelled { session, .. }
        | Facts::LateCancelled { session, .. }
        | Facts::PenaltyWaived { session, .. }
        | Facts::MovedToWaitlist { session, .. }
        | Facts::GuestBooked { session, .. }
        | Facts::GuestCancelled { session }
        | Facts::TooFewSoon { session, .. }
        | Facts::TooFewDecided { session, .. }
        | Facts::SubstituteDecided { session, .. }
        | Facts::SubstituteExpired { session }
        | Facts::SessionsPublished { session, .. }
        | Facts::NoShow { session, .. }
        | Facts::AttendanceMissing { session, .. }
        | Facts::Reminder24h { session, .. }
        | Facts::Reminder2h { session, .. }
        | Facts::PlaceToGive { session, .. } => infect(session),
    }
    facts
}

#[test]
fn nobodys_words_change_a_letters_shape() {
    let tags = |html: &str| html.matches('<').count();
    for (name, facts) in facts_of_every_kind().into_iter().chain(variants()) {
        for language in Language::ALL {
            let tame = infected(facts.clone(), "tame");
            let tame = render(&ToRender { name: Some("tame"), ..letter(&tame, language) }).unwrap();
            for evil in HOSTILE {
                let facts = infected(facts.clone(), evil);
                let evil = render(&ToRender { name: Some(evil), ..letter(&facts, language) }).unwrap();
                let here = format!("{name} {language}\n{}\n\n{}\n{}", evil.subject, evil.text, evil.html);
                assert_eq!(tags(&evil.html), tags(&tame.html), "{here}");
                assert_eq!(evil.text.lines().count(), tame.text.lines().count(), "{here}");
                assert!(!evil.subject.chars().chain(evil.text.replace('\n', "").chars()).any(char::is_control), "{here}");
                assert!(!evil.text.contains(['\u{202E}', '\u{2028}']), "{here}");
            }
        }
    }
}

#[test]
fn the_text_part_is_never_escaped_and_the_html_part_always() {
    let mut session = demo_session();
    session.class.en = "Barre & <Friends>".to_owned();
    let facts = Facts::Booked { session, terms: pack(), by_staff: false };
    let Rendered { subject, text, html } = rendered(&facts, Language::En);
    assert!(subject.contains("Barre & <Friends>") && text.contains("Barre & <Friends>"));
    assert!(html.contains("Barre &#38; &#60;Friends&#62;") && !html.contains("<Friends>"));
}

#[test]
fn a_subject_is_one_short_line() {
    for length in [10, 200, 20_000] {
        let facts = infected(facts_of_every_kind().swap_remove(9).1, &"长 \r\n".repeat(length));
        for language in Language::ALL {
            let subject = rendered(&facts, language).subject;
            assert!(subject.chars().count() <= SUBJECT_CHARS_MAX, "{subject}");
            assert!(!subject.contains(['\r', '\n']), "{subject}");
        }
    }
}

#[test]
fn who_has_no_name_is_greeted_without_one() {
    let facts = Facts::AlreadyRegistered {};
    for (language, greeting) in Language::ALL.into_iter().zip(["Hello,", "您好！", "您好："]) {
        let text = render(&ToRender { name: None, ..letter(&facts, language) }).unwrap().text;
        assert_eq!(text.lines().next(), Some(greeting));
    }
}

#[test]
fn a_code_letter_without_its_code_is_not_written() {
    let facts = Facts::PasswordCode {};
    assert!(render(&ToRender { code: None, ..letter(&facts, Language::En) }).is_err());
}

#[test]
fn a_place_without_its_facts_shows_no_empty_line() {
    let mut session = demo_session();
    session.room = String::new();
    session.studio.address = None;
    session.studio.contact = None;
    let facts = Facts::Promoted { session, terms: membership() };
    let text = rendered(&facts, Language::En).text;
    assert!(!text.contains("Room") && !text.contains("Questions"), "{text}");
    assert!(text.contains("Studio: Jing'an\nInstructor: Lin Yue"), "{text}");
}
