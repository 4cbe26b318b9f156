//! What a feed says: which classes, in which words, at which time by whose clock.
//!
//! Nothing here depends on when it is read but the window: the same classes make the same bytes, and the same `ETag`.

pub mod zone;

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, MappedLocalTime, NaiveDate, TimeZone, Utc};
use chrono_tz::Tz;
use icalendar::{Calendar, CalendarDateTime, Component, Event, EventLike, EventStatus, Property};

use super::{Booked, Class, FeedKind, Given};
use crate::language::Language;
use crate::letters::calendar::{Said, event, link, plain};
use crate::letters::phrases;
use crate::schedule::rules::local_date;
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
    /// As it is read now.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self { from: now - BACK, until: now + AHEAD }
    }

    /// The first and the last date by a studio's clock.
    pub fn dates(self, zone: Tz) -> (NaiveDate, NaiveDate) {
        (local_date(self.from, zone), local_date(self.until, zone))
    }
}

/// If this reading is to be noted: the instant since which none was.
pub fn to_be_noted(last_read_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let before = now - NOTED_EVERY;
    last_read_at.is_none_or(|at| at <= before).then_some(before)
}

/// What a class is in a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It takes place, with her.
    Sure,
    /// She waits for a place.
    Waiting,
    /// A place is kept for her.
    Offered,
    /// Not any more.
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

/// What stands on the right of every UID, where bookings are seen, and who reads.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The deployment's domain, as in letters.
    pub domain: &'a str,
    /// The setting `public_url`.
    pub public_url: &'a str,
    /// The reader's language; without one each studio's own is read.
    pub language: Option<Language>,
}

/// A member's bookings.
pub fn bookings(frame: Frame<'_>, booked: &[Booked]) -> String {
    let language = frame.language.or(booked.first().map(|one| one.class.studio_locale)).unwrap_or(Language::En);
    let entries = booked.iter().map(|one| booked_event(frame, one)).collect();
    calendar(phrases::calendar_name(false, language), entries)
}

/// What an instructor teaches.
pub fn teaching(frame: Frame<'_>, given: &[Given]) -> String {
    let language = frame.language.or(given.first().map(|one| one.class.studio_locale)).unwrap_or(Language::En);
    let entries = given.iter().map(|one| given_event(frame, FeedKind::Teaching, one)).collect();
    calendar(phrases::calendar_name(true, language), entries)
}

/// A studio's published schedule.
pub fn schedule(frame: Frame<'_>, studio: &str, given: &[Given]) -> String {
    let entries = given.iter().map(|one| given_event(frame, FeedKind::Studio, one)).collect();
    calendar(studio, entries)
}

/// An event, and by whose clock it is told.
struct FeedEvent {
    event: Event,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    zone: Tz,
}

impl FeedEvent {
    /// The event with its times; an unsure one and one of others leave her free.
    fn of(mut event: Event, class: &Class, busy: bool) -> Self {
        event.last_modified(revised_at(class));
        if !busy {
            event.add_property("TRANSP", "TRANSPARENT");
        }
        let entry = Self { event, starts_at: class.starts_at, ends_at: class.ends_at, zone: class.time_zone.tz() };
        entry.timed()
    }

    fn timed(mut self) -> Self {
        let (starts, ends) = if self.is_by_zone() {
            let local = |at: DateTime<Utc>| CalendarDateTime::WithTimezone {
                date_time: at.with_timezone(&self.zone).naive_local(),
                tzid: self.zone.name().to_owned(),
            };
            (local(self.starts_at), local(self.ends_at))
        } else {
            (CalendarDateTime::Utc(self.starts_at), CalendarDateTime::Utc(self.ends_at))
        };
        self.event.starts(starts).ends(ends);
        self
    }

    /// Whether the wall clock tells its times. In the hour that the end of summer time repeats it does not tell which of the two is
    /// meant: there both times are told in UTC.
    fn is_by_zone(&self) -> bool {
        let once = |at: DateTime<Utc>| {
            let local = at.with_timezone(&self.zone).naive_local();
            matches!(self.zone.from_local_datetime(&local), MappedLocalTime::Single(only) if only == at)
        };
        once(self.starts_at) && once(self.ends_at)
    }
}

fn booked_event(frame: Frame<'_>, booked: &Booked) -> FeedEvent {
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
        domain: frame.domain,
        sequence: last_told(booked.sequence),
        written_at: revised_at(class),
        class: &name,
        place: place(class),
        description: &phrases::calendar_description(&plain(&class.instructor_name), &link, language),
        link: Some(&link),
        status: standing.status(),
    });
    FeedEvent::of(event, class, standing == Standing::Sure)
}

fn given_event(frame: Frame<'_>, kind: FeedKind, given: &Given) -> FeedEvent {
    let class = &given.class;
    let language = frame.language.unwrap_or(class.studio_locale);
    let standing = Standing::of_session(given.status);
    let event = event(&Said {
        uid: &format!("session-{}", given.id),
        domain: frame.domain,
        sequence: given.sequence,
        written_at: revised_at(class),
        class: class.class_name.read(language),
        place: place(class),
        description: &phrases::calendar_instructor(&plain(&class.instructor_name), language),
        link: None,
        status: standing.status(),
    });
    FeedEvent::of(event, class, standing == Standing::Sure && kind == FeedKind::Teaching)
}

fn place(class: &Class) -> [&str; 3] {
    [&class.studio_name, &class.room_name, class.studio_address.as_deref().unwrap_or_default()]
}

/// The SEQUENCE that the last letter had, if a booking's next one is to have this.
fn last_told(next: i64) -> i64 {
    (next - 1).max(0)
}

/// When the event was last written down anew: `DTSTAMP` and, in an object without a method, the same as `LAST-MODIFIED`.
fn revised_at(class: &Class) -> DateTime<Utc> {
    [class.ended_at, class.changed_at].into_iter().flatten().fold(class.created_at, DateTime::max)
}

/// The object: the calendar's own lines, the zones that its events name, the events.
fn calendar(name: &str, entries: Vec<FeedEvent>) -> String {
    const END: &str = "END:VCALENDAR\r\n";
    let head = Calendar::empty()
        .append_property(("VERSION", "2.0"))
        .append_property(("PRODID", "-//Relevé//Calendars//EN"))
        .append_property(("CALSCALE", "GREGORIAN"))
        .append_property(("X-WR-CALNAME", plain(name).as_str()))
        .append_property(Property::new("REFRESH-INTERVAL", "PT1H").add_parameter("VALUE", "DURATION").done())
        .append_property(("X-PUBLISHED-TTL", "PT1H"))
        .to_string();
    let mut text = head.strip_suffix(END).unwrap_or(&head).to_owned();
    for (zone, first, last) in zones(&entries) {
        text.push_str(&zone::component(zone, &zone::observances(zone, first, last)));
    }
    for entry in &entries {
        // Writing to a string cannot fail.
        let _ = entry.event.fmt_write(&mut text);
    }
    text.push_str(END);
    text
}

/// The zones that events name, and when the first of them begins and the last one ends. An object must not be without a component
/// (RFC 5545, 3.6): one without events has the zone of all calendars.
fn zones(entries: &[FeedEvent]) -> Vec<(Tz, DateTime<Utc>, DateTime<Utc>)> {
    if entries.is_empty() {
        return vec![(Tz::UTC, DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH)];
    }
    let mut zones = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.is_by_zone()) {
        let (_, first, last) = zones.entry(entry.zone.name()).or_insert((entry.zone, entry.starts_at, entry.ends_at));
        *first = entry.starts_at.min(*first);
        *last = entry.ends_at.max(*last);
    }
    zones.into_values().collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use sqlx::types::Json;
    use uuid::Uuid;

    use super::*;
    use crate::language::Texts;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    const FRAME: Frame<'_> = Frame { domain: "demo.example", public_url: "https://demo.example", language: None };

    /// An hour in this zone.
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
        let text = bookings(FRAME, &[booked(booking::BookingStatus::Booked, 3)]);
        assert_eq!(
            event_lines(&text),
            [
                r"DESCRIPTION:Instructor: Lin Yue\nYour booking: https://demo.example/b/00000000-0000-0000-0000-000000000007\nDeclining or deleting this entry does not cancel the booking.",
                "DTEND;TZID=Asia/Shanghai:20261201T193000",
                "DTSTAMP:20260102T030405Z",
                "DTSTART;TZID=Asia/Shanghai:20261201T183000",
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
                "BEGIN:VTIMEZONE",
                "TZID:Asia/Shanghai",
            ]
        );
        assert_eq!(all.iter().filter(|line| *line == "BEGIN:VTIMEZONE").count(), 1);
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
            let lines = event_lines(&bookings(FRAME, &[booked(status, 0)]));
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
        let own = event_lines(&teaching(FRAME, std::slice::from_ref(&session)));
        assert!(own.contains(&"UID:session-00000000-0000-0000-0000-000000000009@demo.example".to_owned()), "{own:?}");
        assert!(own.contains(&"SEQUENCE:3".to_owned()) && own.contains(&"DTSTAMP:20260202T000000Z".to_owned()), "{own:?}");
        assert!(!own.iter().any(|line| line.starts_with("URL") || line.starts_with("TRANSP")), "{own:?}");
        let text = schedule(FRAME, "Jing'an, Shanghai", &[session.clone()]);
        assert!(lines(&text).contains(&r"X-WR-CALNAME:Jing'an\, Shanghai".to_owned()));
        assert!(event_lines(&text).contains(&"TRANSP:TRANSPARENT".to_owned()), "somebody else's classes leave her free");
        session.status = schedule::SessionStatus::Cancelled;
        session.class.ended_at = Some(at("2026-03-03T00:00:00Z"));
        let cancelled = event_lines(&teaching(FRAME, &[session]));
        assert!(cancelled.contains(&"STATUS:CANCELLED".to_owned()) && cancelled.contains(&"DTSTAMP:20260303T000000Z".to_owned()));
    }

    #[test]
    fn the_reader_chooses_the_language_and_else_the_studio() {
        let one = |language, studio_locale| {
            let mut booked = booked(booking::BookingStatus::Waitlisted, 0);
            booked.class.studio_locale = studio_locale;
            lines(&bookings(Frame { language, ..FRAME }, &[booked]))
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

    /// The second of two equal hours, or either of them, cannot be told by the wall clock.
    #[test]
    fn what_the_clock_shows_twice_is_told_in_utc() {
        for (zone, starts_at, said) in [
            (Tz::Asia__Shanghai, "2026-10-25T00:30:00Z", "DTSTART;TZID=Asia/Shanghai:20261025T083000"),
            (Tz::Europe__Paris, "2026-07-01T16:30:00Z", "DTSTART;TZID=Europe/Paris:20260701T183000"),
            (Tz::Europe__Paris, "2026-10-24T22:59:00Z", "DTSTART;TZID=Europe/Paris:20261025T005900"),
            // It ends at 02:30, which is shown twice.
            (Tz::Europe__Paris, "2026-10-24T23:30:00Z", "DTSTART:20261024T233000Z"),
            (Tz::Europe__Paris, "2026-10-25T00:30:00Z", "DTSTART:20261025T003000Z"),
            (Tz::Europe__Paris, "2026-10-25T01:30:00Z", "DTSTART:20261025T013000Z"),
            (Tz::Europe__Paris, "2026-10-25T02:01:00Z", "DTSTART;TZID=Europe/Paris:20261025T030100"),
            (Tz::Europe__Paris, "2026-03-29T00:30:00Z", "DTSTART;TZID=Europe/Paris:20260329T013000"),
            (Tz::America__New_York, "2026-11-01T04:30:00Z", "DTSTART:20261101T043000Z"),
            (Tz::America__New_York, "2026-11-01T06:30:00Z", "DTSTART:20261101T063000Z"),
            (Tz::America__New_York, "2026-11-01T07:30:00Z", "DTSTART;TZID=America/New_York:20261101T023000"),
            // Half an hour.
            (Tz::Australia__Lord_Howe, "2026-04-04T14:45:00Z", "DTSTART:20260404T144500Z"),
            (Tz::Australia__Lord_Howe, "2026-04-04T15:15:00Z", "DTSTART:20260404T151500Z"),
            (Tz::Australia__Lord_Howe, "2026-04-04T15:45:00Z", "DTSTART;TZID=Australia/Lord_Howe:20260405T021500"),
            // The beginning of Ramadan.
            (Tz::Africa__Casablanca, "2026-02-15T01:30:00Z", "DTSTART:20260215T013000Z"),
            (Tz::Africa__Casablanca, "2026-02-15T02:30:00Z", "DTSTART:20260215T023000Z"),
            (Tz::Africa__Casablanca, "2026-02-15T03:30:00Z", "DTSTART;TZID=Africa/Casablanca:20260215T033000"),
        ] {
            let text = teaching(FRAME, &[given(zone, starts_at)]);
            let lines = event_lines(&text);
            assert!(lines.contains(&said.to_owned()), "{zone} {starts_at}: {said} in {lines:?}");
            let by_zone = said.contains("TZID");
            assert_eq!(lines.iter().any(|line| line.starts_with("DTEND;TZID")), by_zone, "both times in one form: {lines:?}");
            assert_eq!(text.contains("BEGIN:VTIMEZONE"), by_zone, "only zones that are named");
        }
    }

    #[test]
    fn each_zone_is_told_once_and_an_empty_calendar_has_a_component() {
        let (here, there) = (given(Tz::Asia__Shanghai, "2026-12-01T10:30:00Z"), given(Tz::America__New_York, "2026-12-01T10:30:00Z"));
        let text = teaching(FRAME, &[here.clone(), there.clone(), here, there]);
        let zones: Vec<String> = lines(&text).into_iter().filter(|line| line.starts_with("TZID:")).collect();
        assert_eq!(zones, ["TZID:America/New_York", "TZID:Asia/Shanghai"]);
        let empty = lines(&bookings(FRAME, &[]));
        assert!(empty.contains(&"BEGIN:VTIMEZONE".to_owned()) && empty.contains(&"TZID:UTC".to_owned()), "{empty:?}");
    }

    #[test]
    fn nobodys_name_makes_a_line() {
        let mut session = given(Tz::Asia__Shanghai, "2026-12-01T10:30:00Z");
        session.class.class_name.en = "Barre; slow\r\nATTENDEE:mailto:x@demo.example".into();
        session.class.instructor_name = "Lin\nBEGIN:VALARM".into();
        session.class.room_name = "A\u{0}\r\nX-EVIL:1".into();
        let text = schedule(FRAME, "Jing'an\r\nMETHOD:CANCEL", &[session]);
        let plain = schedule(FRAME, "Jing'an", &[given(Tz::Asia__Shanghai, "2026-12-01T10:30:00Z")]);
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
