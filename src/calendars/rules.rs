//! What a feed says: which classes, in which words.
//!
//! Every time is an instant in UTC, as in the letters' calendar parts: a class is a single event, so a calendar needs no zone's rules to
//! show it, and shows it by its own clock. `X-WR-TIMEZONE` only names the studio's zone.
//!
//! Only the window, and the day on which a cancelled class disappears, depend on when a feed is read: the same classes make the same bytes,
//! and the same `ETag`.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;
use icalendar::{Calendar, Component, Event, EventLike, EventStatus, Property};

use super::{Booked, Class, FeedKind, Given};
use crate::language::Language;
use crate::letters::calendar::{Said, event, link, plain, written};
use crate::letters::phrases;
use crate::letters::uids::UidDomains;
use crate::zones::local_date;
use crate::{booking, schedule};

/// How far back a feed reaches.
const BACK: Duration = Duration::days(31);
/// How far ahead.
const AHEAD: Duration = Duration::days(366);
/// The most events of a feed: the earliest of its window.
pub const EVENTS_MAX: i64 = 2_000;
/// How often a reading is noted.
const NOTED_EVERY: Duration = Duration::hours(1);

/// Which classes a feed shows: those that start in `[from, until)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first instant.
    pub from: DateTime<Utc>,
    /// The first instant that is not shown.
    pub until: DateTime<Utc>,
}

impl Window {
    /// For a reading now.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self { from: now - BACK, until: now + AHEAD }
    }

    /// The first and the last date by a studio's clock.
    pub fn dates(self, zone: Tz) -> (NaiveDate, NaiveDate) {
        (local_date(self.from, zone), local_date(self.until, zone))
    }
}

/// The latest earlier reading with which this one is to be noted; `None` if it is not.
pub fn to_be_noted(last_read_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let before = now - NOTED_EVERY;
    last_read_at.is_none_or(|at| at <= before).then_some(before)
}

/// What a class is in a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It takes place, and the reader has a place.
    Sure,
    /// The reader waits for a place.
    Waiting,
    /// A place is kept for the reader.
    Offered,
    /// It is off, or given up.
    Cancelled,
}

impl Standing {
    /// Of a booking.
    pub const fn of_booking(status: booking::BookingStatus) -> Self {
        match status {
            booking::BookingStatus::Booked | booking::BookingStatus::Attended | booking::BookingStatus::NoShow => Self::Sure,
            booking::BookingStatus::Waitlisted | booking::BookingStatus::Standby => Self::Waiting,
            booking::BookingStatus::Offered => Self::Offered,
            booking::BookingStatus::Cancelled | booking::BookingStatus::LateCancelled => Self::Cancelled,
        }
    }

    /// Of a session that is published.
    pub const fn of_session(status: schedule::SessionStatus) -> Self {
        match status {
            schedule::SessionStatus::Cancelled => Self::Cancelled,
            schedule::SessionStatus::Draft | schedule::SessionStatus::Scheduled | schedule::SessionStatus::Ended => Self::Sure,
        }
    }

    /// `STATUS`.
    const fn status(self) -> EventStatus {
        match self {
            Self::Sure => EventStatus::Confirmed,
            Self::Waiting | Self::Offered => EventStatus::Tentative,
            Self::Cancelled => EventStatus::Cancelled,
        }
    }
}

/// Who reads, when, and what every event needs besides its class.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The right side of every UID, as in letters.
    pub uids: &'a UidDomains,
    /// The setting `public_url`.
    pub public_url: &'a str,
    /// The reader's language; without one, each studio's own is used.
    pub language: Option<Language>,
    /// When it is read.
    pub now: DateTime<Utc>,
}

/// A member's bookings.
pub fn bookings(frame: Frame<'_>, booked: &[Booked]) -> String {
    let language = frame.language.or(booked.first().map(|one| one.class.studio_locale)).unwrap_or(Language::En);
    let shown: Vec<&Booked> = booked.iter().filter(|one| is_shown(Standing::of_booking(one.status), &one.class, frame.now)).collect();
    let zone = most_common_zone(shown.iter().map(|one| one.class.time_zone.tz()));
    calendar(phrases::calendar_name(false, language), zone, shown.into_iter().map(|one| booked_event(frame, one)))
}

/// What an instructor teaches.
pub fn teaching(frame: Frame<'_>, given: &[Given]) -> String {
    let language = frame.language.or(given.first().map(|one| one.class.studio_locale)).unwrap_or(Language::En);
    let zone = most_common_zone(shown(frame, given).map(|one| one.class.time_zone.tz()));
    calendar(phrases::calendar_name(true, language), zone, shown(frame, given).map(|one| given_event(frame, FeedKind::Teaching, one)))
}

/// A studio's published schedule.
pub fn schedule(frame: Frame<'_>, studio: &str, zone: Tz, given: &[Given]) -> String {
    calendar(studio, Some(zone), shown(frame, given).map(|one| given_event(frame, FeedKind::Studio, one)))
}

fn shown<'g>(frame: Frame<'_>, given: &'g [Given]) -> impl Iterator<Item = &'g Given> {
    given.iter().filter(move |one| is_shown(Standing::of_session(one.status), &one.class, frame.now))
}

/// A cancelled class is shown until its day is over by the studio's clock, to tell those who meant to come that it is off.
fn is_shown(standing: Standing, class: &Class, now: DateTime<Utc>) -> bool {
    let zone = class.time_zone.tz();
    standing != Standing::Cancelled || local_date(class.starts_at, zone) >= local_date(now, zone)
}

/// A calendar has only one `X-WR-TIMEZONE`, but classes of several studios have several zones: the most common one is taken.
fn most_common_zone(zones: impl Iterator<Item = Tz>) -> Option<Tz> {
    let mut counts: BTreeMap<&'static str, (usize, Tz)> = BTreeMap::new();
    for zone in zones {
        counts.entry(zone.name()).or_insert((0, zone)).0 += 1;
    }
    // Of two equally common zones it is always the same one: the feed's bytes must not change from reading to reading.
    counts.into_iter().min_by_key(|(name, (count, _))| (Reverse(*count), *name)).map(|(_, (_, zone))| zone)
}

/// The event with its times. One that is unsure, or is not the reader's own, does not mark them as busy.
fn timed(mut event: Event, class: &Class, busy: bool) -> Event {
    event.last_modified(revised_at(class));
    if !busy {
        event.add_property("TRANSP", "TRANSPARENT");
    }
    event.starts(class.starts_at).ends(class.ends_at).done()
}

fn booked_event(frame: Frame<'_>, booked: &Booked) -> Event {
    let class = &booked.class;
    let language = frame.language.unwrap_or(class.studio_locale);
    let standing = Standing::of_booking(booked.status);
    let name = class.class_name.read(language);
    let name = match standing {
        Standing::Waiting => phrases::calendar_waiting(name, language),
        Standing::Offered => phrases::calendar_offered(name, language),
        Standing::Sure | Standing::Cancelled => name.to_owned(),
    };
    let link = link(frame.public_url, booked.id);
    let event = event(&Said {
        uid: &booked.id.to_string(),
        domain: frame.uids.of(class.created_at),
        sequence: last_told(booked.sequence),
        written_at: revised_at(class),
        class: &name,
        place: place(class),
        description: &phrases::calendar_description(&plain(&class.instructor_name), Some(&link), language),
        link: Some(&link),
        status: standing.status(),
    });
    timed(event, class, standing == Standing::Sure)
}

fn given_event(frame: Frame<'_>, kind: FeedKind, given: &Given) -> Event {
    let class = &given.class;
    let language = frame.language.unwrap_or(class.studio_locale);
    let standing = Standing::of_session(given.status);
    let event = event(&Said {
        uid: &format!("session-{}", given.id),
        domain: frame.uids.of(class.created_at),
        sequence: given.sequence,
        written_at: revised_at(class),
        class: class.class_name.read(language),
        place: place(class),
        description: &phrases::calendar_instructor(&plain(&class.instructor_name), language),
        link: None,
        status: standing.status(),
    });
    timed(event, class, standing == Standing::Sure && kind == FeedKind::Teaching)
}

fn place(class: &Class) -> [&str; 3] {
    [&class.studio_name, &class.room_name, class.studio_address.as_deref().unwrap_or_default()]
}

/// The SEQUENCE of a booking's last letter, given that of its next one.
fn last_told(next: i64) -> i64 {
    (next - 1).max(0)
}

/// When the event was last revised: `DTSTAMP` and, in an object without a method, also `LAST-MODIFIED`.
fn revised_at(class: &Class) -> DateTime<Utc> {
    [class.ended_at, class.changed_at].into_iter().flatten().fold(class.created_at, DateTime::max)
}

/// The object: the calendar's own lines, then the events.
fn calendar(name: &str, zone: Option<Tz>, events: impl Iterator<Item = Event>) -> String {
    let mut calendar = Calendar::empty();
    calendar
        .append_property(("VERSION", "2.0"))
        .append_property(("PRODID", "-//Relevé//Calendars//EN"))
        .append_property(("CALSCALE", "GREGORIAN"))
        .append_property(("X-WR-CALNAME", plain(name).as_str()))
        .append_property(Property::new("REFRESH-INTERVAL", "PT1H").add_parameter("VALUE", "DURATION").done())
        .append_property(("X-PUBLISHED-TTL", "PT1H"));
    if let Some(zone) = zone {
        calendar.append_property(("X-WR-TIMEZONE", zone.name()));
    }
    for event in events {
        calendar.push(event);
    }
    let text = written(&calendar);
    if calendar.is_empty() { text.replace(END, NOTHING) } else { text }
}

/// How an object ends.
const END: &str = "END:VCALENDAR\r\n";

/// An object must have at least one component (RFC 5545, 3.6), and some calendars refuse one that has none. Where there is no class yet,
/// the UTC zone stands in.
const NOTHING: &str = "BEGIN:VTIMEZONE\r\nTZID:UTC\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0000\r\n\
                       TZOFFSETTO:+0000\r\nTZNAME:UTC\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nEND:VCALENDAR\r\n";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::sync::LazyLock;

    use calcard::icalendar::{ICalendarComponentType, ICalendarProperty};
    use sqlx::types::Json;
    use uuid::Uuid;

    use super::*;
    use crate::language::Texts;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    static UIDS: LazyLock<UidDomains> = LazyLock::new(|| UidDomains::new("demo.example"));

    /// Read in the afternoon of the day on which the examples take place, by Shanghai's clock.
    fn frame() -> Frame<'static> {
        Frame { uids: &UIDS, public_url: "https://demo.example", language: None, now: at("2026-12-01T08:00:00Z") }
    }

    /// A class of one hour in this zone.
    fn class(zone: Tz, starts_at: &str) -> Class {
        let texts = Texts { en: "Barre Sculpt".into(), zh_hans: Some("把杆塑形".into()), zh_hant: None };
        Class {
            starts_at: at(starts_at),
            ends_at: at(starts_at) + Duration::hours(1),
            created_at: at("2026-01-02T03:04:05.678Z"),
            ended_at: None,
            changed_at: None,
            class_name: Json(texts),
            room_name: "Studio A".into(),
            instructor_name: "Lin Yue".into(),
            studio_name: "Jing'an".into(),
            studio_address: None,
            time_zone: zone.into(),
            studio_locale: Language::En,
        }
    }

    fn booked(status: booking::BookingStatus, sequence: i64) -> Booked {
        Booked { id: Uuid::from_u128(7), status, sequence, class: class(Tz::Asia__Shanghai, "2026-12-01T10:30:00Z") }
    }

    fn given(zone: Tz, starts_at: &str) -> Given {
        Given { id: Uuid::from_u128(9), status: schedule::SessionStatus::Scheduled, sequence: 3, class: class(zone, starts_at) }
    }

    /// The lines as a calendar reads them: folds undone.
    fn lines(text: &str) -> Vec<String> {
        assert!(text.split_terminator("\r\n").all(|line| line.len() <= 75 && !line.contains(['\r', '\n'])), "{text}");
        text.replace("\r\n ", "").split_terminator("\r\n").map(str::to_owned).collect()
    }

    /// The event's own lines.
    fn event_lines(text: &str) -> Vec<String> {
        let lines = lines(text);
        let at = |what: &str| lines.iter().position(|line| line == what).unwrap();
        lines[at("BEGIN:VEVENT") + 1..at("END:VEVENT")].to_vec()
    }

    #[test]
    fn a_booking_is_the_event_of_its_letters() {
        let text = bookings(frame(), &[booked(booking::BookingStatus::Booked, 3)]);
        assert_eq!(
            event_lines(&text),
            [
                r"DESCRIPTION:Instructor: Lin Yue\nHow to cancel: https://demo.example/b/00000000-0000-0000-0000-000000000007\nDeclining or deleting this entry does not cancel the booking.",
                "DTEND:20261201T113000Z",
                "DTSTAMP:20260102T030405Z",
                "DTSTART:20261201T103000Z",
                "LAST-MODIFIED:20260102T030405Z",
                r"LOCATION:Jing'an\, Studio A",
                "SEQUENCE:2",
                "STATUS:CONFIRMED",
                "SUMMARY:Barre Sculpt",
                "UID:00000000-0000-0000-0000-000000000007@demo.example",
                "URL:https://demo.example/b/00000000-0000-0000-0000-000000000007",
            ]
        );
        let all = lines(&text);
        assert_eq!(
            all[..9],
            [
                "BEGIN:VCALENDAR",
                "VERSION:2.0",
                "PRODID:-//Relevé//Calendars//EN",
                "CALSCALE:GREGORIAN",
                "X-WR-CALNAME:My classes",
                "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
                "X-PUBLISHED-TTL:PT1H",
                "X-WR-TIMEZONE:Asia/Shanghai",
                "BEGIN:VEVENT",
            ]
        );
        assert_eq!(all.last().unwrap(), "END:VCALENDAR");
    }

    #[test]
    fn what_became_of_a_booking() {
        use booking::BookingStatus::{Attended, Booked, Cancelled, LateCancelled, NoShow, Offered, Standby, Waitlisted};
        for (status, shown, summary, free) in [
            (Booked, "CONFIRMED", "Barre Sculpt", false),
            (Attended, "CONFIRMED", "Barre Sculpt", false),
            (NoShow, "CONFIRMED", "Barre Sculpt", false),
            (Waitlisted, "TENTATIVE", "Waitlist: Barre Sculpt", true),
            (Standby, "TENTATIVE", "Waitlist: Barre Sculpt", true),
            (Offered, "TENTATIVE", "Place offered: Barre Sculpt", true),
            (Cancelled, "CANCELLED", "Barre Sculpt", true),
            (LateCancelled, "CANCELLED", "Barre Sculpt", true),
        ] {
            let lines = event_lines(&bookings(frame(), &[booked(status, 0)]));
            assert!(lines.contains(&format!("STATUS:{shown}")), "{status:?}: {lines:?}");
            assert!(lines.contains(&format!("SUMMARY:{summary}")), "{status:?}: {lines:?}");
            assert!(lines.contains(&"SEQUENCE:0".to_owned()), "no letter was written: {lines:?}");
            assert_eq!(lines.contains(&"TRANSP:TRANSPARENT".to_owned()), free, "{status:?}");
        }
    }

    #[test]
    fn sessions_are_told_to_who_teaches_and_to_who_looks() {
        let mut session = given(Tz::Asia__Shanghai, "2026-12-01T10:30:00Z");
        session.class.changed_at = Some(at("2026-02-02T00:00:00Z"));
        let own = event_lines(&teaching(frame(), std::slice::from_ref(&session)));
        assert!(own.contains(&"UID:session-00000000-0000-0000-0000-000000000009@demo.example".to_owned()), "{own:?}");
        assert!(own.contains(&"SEQUENCE:3".to_owned()) && own.contains(&"DTSTAMP:20260202T000000Z".to_owned()), "{own:?}");
        assert!(!own.iter().any(|line| line.starts_with("URL") || line.starts_with("TRANSP")), "{own:?}");
        let text = schedule(frame(), "Jing'an, Shanghai", Tz::Asia__Shanghai, &[session.clone()]);
        assert!(lines(&text).contains(&r"X-WR-CALNAME:Jing'an\, Shanghai".to_owned()));
        assert!(event_lines(&text).contains(&"TRANSP:TRANSPARENT".to_owned()), "somebody else's classes leave the reader free");
        session.status = schedule::SessionStatus::Cancelled;
        session.class.ended_at = Some(at("2026-03-03T00:00:00Z"));
        let cancelled = event_lines(&teaching(frame(), &[session]));
        assert!(cancelled.contains(&"STATUS:CANCELLED".to_owned()) && cancelled.contains(&"DTSTAMP:20260303T000000Z".to_owned()));
    }

    #[test]
    fn the_reader_chooses_the_language_and_else_the_studio() {
        let one = |language, studio_locale| {
            let mut booked = booked(booking::BookingStatus::Waitlisted, 0);
            booked.class.studio_locale = studio_locale;
            lines(&bookings(Frame { language, ..frame() }, &[booked]))
        };
        for (said, language, studio) in [
            (["X-WR-CALNAME:我的课程", "SUMMARY:候补：把杆塑形"], Some(Language::ZhHans), Language::En),
            (["X-WR-CALNAME:我的課堂", "SUMMARY:候補：把杆塑形"], None, Language::ZhHant),
            (["X-WR-CALNAME:My classes", "SUMMARY:Waitlist: Barre Sculpt"], Some(Language::En), Language::ZhHans),
        ] {
            let lines = one(language, studio);
            assert!(said.iter().all(|said| lines.iter().any(|line| line == said)), "{said:?} in {lines:?}");
        }
    }

    /// In UTC no hour is repeated or left out, and nobody need know a zone's rules.
    #[test]
    fn every_class_is_told_in_utc() {
        for (zone, starts_at, starts, ends) in [
            (Tz::Asia__Shanghai, "2026-10-25T00:30:00Z", "20261025T003000Z", "20261025T013000Z"),
            // The hour that the end of summer time repeats, the first time and the second.
            (Tz::Europe__Paris, "2026-10-25T00:30:00Z", "20261025T003000Z", "20261025T013000Z"),
            (Tz::Europe__Paris, "2026-10-25T01:30:00Z", "20261025T013000Z", "20261025T023000Z"),
            // Across the hour that the start of summer time skips.
            (Tz::America__New_York, "2026-03-08T06:30:00Z", "20260308T063000Z", "20260308T073000Z"),
            (Tz::Australia__Lord_Howe, "2026-04-04T14:45:00Z", "20260404T144500Z", "20260404T154500Z"),
        ] {
            let text = teaching(frame(), &[given(zone, starts_at)]);
            let lines = event_lines(&text);
            assert!(lines.contains(&format!("DTSTART:{starts}")) && lines.contains(&format!("DTEND:{ends}")), "{zone}: {lines:?}");
            assert!(!text.contains("TZID") && !text.contains("VTIMEZONE"), "{text}");
        }
    }

    /// A studio's feed has the studio's zone; a person's has the one in which most of their classes are.
    #[test]
    fn the_zone_is_named() {
        let named = |text: String| lines(&text).iter().find_map(|line| line.strip_prefix("X-WR-TIMEZONE:").map(str::to_owned));
        let (here, there) = (given(Tz::Asia__Shanghai, "2026-12-01T10:30:00Z"), given(Tz::America__New_York, "2026-12-01T10:30:00Z"));
        for (given, zone) in [
            (vec![here.clone(), here.clone(), there.clone()], Some("Asia/Shanghai")),
            (vec![here.clone(), there.clone(), there.clone()], Some("America/New_York")),
            (vec![here.clone(), there.clone()], Some("America/New_York")),
            (vec![there, here], Some("America/New_York")),
            (vec![], None),
        ] {
            assert_eq!(named(teaching(frame(), &given)).as_deref(), zone);
        }
        assert_eq!(named(schedule(frame(), "Brooklyn", Tz::America__New_York, &[])).as_deref(), Some("America/New_York"));
    }

    #[test]
    fn an_empty_calendar_has_a_component() {
        let empty = lines(&bookings(frame(), &[]));
        assert_eq!(empty.iter().filter(|line| line.starts_with("BEGIN:VTIMEZONE")).count(), 1, "{empty:?}");
        assert!(empty.contains(&"TZID:UTC".to_owned()) && empty.last().unwrap() == "END:VCALENDAR", "{empty:?}");
    }

    /// The class is at 18:30 in Shanghai, 05:30 in New York.
    #[test]
    fn what_was_cancelled_leaves_after_its_day() {
        use booking::BookingStatus::{Booked, Cancelled, LateCancelled, NoShow};
        for (zone, status, now, shown) in [
            (Tz::Asia__Shanghai, Cancelled, "2026-11-20T00:00:00Z", true),
            (Tz::Asia__Shanghai, Cancelled, "2026-12-01T15:59:59Z", true),
            (Tz::Asia__Shanghai, Cancelled, "2026-12-01T16:00:00Z", false),
            (Tz::Asia__Shanghai, LateCancelled, "2026-12-01T15:59:59Z", true),
            (Tz::Asia__Shanghai, LateCancelled, "2026-12-01T16:00:00Z", false),
            // The day ends by the studio's clock.
            (Tz::America__New_York, Cancelled, "2026-12-02T04:59:59Z", true),
            (Tz::America__New_York, Cancelled, "2026-12-02T05:00:00Z", false),
            // What took place stays.
            (Tz::Asia__Shanghai, Booked, "2026-12-20T00:00:00Z", true),
            (Tz::Asia__Shanghai, NoShow, "2026-12-20T00:00:00Z", true),
        ] {
            let frame = Frame { now: at(now), ..frame() };
            let one = super::super::Booked { class: class(zone, "2026-12-01T10:30:00Z"), ..booked(status, 0) };
            assert_eq!(bookings(frame, &[one]).contains("BEGIN:VEVENT"), shown, "{zone} {status:?} {now}");
            if status == Cancelled {
                let off = Given { status: schedule::SessionStatus::Cancelled, ..given(zone, "2026-12-01T10:30:00Z") };
                assert_eq!(teaching(frame, std::slice::from_ref(&off)).contains("BEGIN:VEVENT"), shown, "{zone} {now}");
                assert_eq!(schedule(frame, "Here", zone, &[off]).contains("BEGIN:VEVENT"), shown, "{zone} {now}");
            }
        }
    }

    #[test]
    fn an_event_keeps_the_name_it_was_told_under() {
        let mut uids = UidDomains::new("localhost");
        uids.rename("book.example", at("2026-06-01T00:00:00Z"));
        let frame = Frame { uids: &uids, ..frame() };
        let uid = |booked: &super::super::Booked| {
            let lines = event_lines(&bookings(frame, std::slice::from_ref(booked)));
            lines.into_iter().find(|line| line.starts_with("UID:")).unwrap()
        };
        let mut booked = booked(booking::BookingStatus::Booked, 1);
        assert_eq!(uid(&booked), "UID:00000000-0000-0000-0000-000000000007@localhost");
        booked.class.created_at = at("2026-06-01T00:00:00Z");
        assert_eq!(uid(&booked), "UID:00000000-0000-0000-0000-000000000007@book.example");
    }

    /// Wherever a line is folded, an independent parser reads the name that was written.
    #[test]
    fn names_are_read_whole_at_every_offset() {
        for offset in 0..=80 {
            let name = format!("{}{}", "x".repeat(offset), "把杆🩰".repeat(16));
            let mut session = given(Tz::Asia__Shanghai, "2026-12-01T10:30:00Z");
            session.class.class_name.en = name.clone();
            let text = teaching(frame(), &[session]);
            assert!(lines(&text).contains(&format!("SUMMARY:{name}")), "offset {offset}: {text}");
            let calcard::Entry::ICalendar(read) = calcard::Parser::new(&text).entry() else { panic!("no calendar: {text}") };
            let event = read.components.iter().find(|one| one.component_type == ICalendarComponentType::VEvent).unwrap();
            let summary = event.property(&ICalendarProperty::Summary).unwrap();
            assert_eq!(summary.values[0].as_text(), Some(name.as_str()), "offset {offset}");
        }
    }

    #[test]
    fn nobodys_name_makes_a_line() {
        let mut session = given(Tz::Asia__Shanghai, "2026-12-01T10:30:00Z");
        session.class.class_name.en = "Barre; slow\r\nATTENDEE:mailto:x@demo.example".into();
        session.class.instructor_name = "Lin\nBEGIN:VALARM".into();
        session.class.room_name = "A\u{0}\r\nX-EVIL:1".into();
        let text = schedule(frame(), "Jing'an\r\nMETHOD:CANCEL", Tz::Asia__Shanghai, &[session]);
        let plain = schedule(frame(), "Jing'an", Tz::Asia__Shanghai, &[given(Tz::Asia__Shanghai, "2026-12-01T10:30:00Z")]);
        let keys = |text: &str| lines(text).iter().map(|line| line.split([':', ';']).next().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(keys(&text), keys(&plain));
    }

    #[test]
    fn a_reading_is_noted_once_an_hour() {
        let now = at("2026-12-01T10:00:00Z");
        assert_eq!(to_be_noted(None, now), Some(at("2026-12-01T09:00:00Z")));
        assert_eq!(to_be_noted(Some(at("2026-12-01T09:00:01Z")), now), None);
        assert_eq!(to_be_noted(Some(at("2026-12-01T09:00:00Z")), now), Some(at("2026-12-01T09:00:00Z")));
    }

    #[test]
    fn the_window() {
        let window = Window::at(at("2026-12-01T20:00:00Z"));
        assert_eq!((window.from, window.until), (at("2026-10-31T20:00:00Z"), at("2027-12-02T20:00:00Z")));
        let dates = window.dates(Tz::Asia__Shanghai);
        assert_eq!(dates, ("2026-11-01".parse().unwrap(), "2027-12-03".parse().unwrap()));
    }
}
