//! The calendar part of a letter: one event as an RFC 5545 object, sent and taken back by the methods of RFC 5546 (iTIP).
//!
//! The same booking keeps its UID for ever; a rising SEQUENCE lets calendars tell the newer letter from the older one.

use chrono::{DateTime, Utc};
use icalendar::{Calendar, Component, Event, EventLike, EventStatus, Property};
use unicode_segmentation::UnicodeSegmentation;
use uuid::Uuid;

use super::facts::{Facts, SessionFacts};
use super::phrases;
use crate::language::Language;

/// Octets of a line, its end not counted (RFC 5545, 3.1).
const LINE_OCTETS_MAX: usize = 75;

/// What the calendar is asked to do with the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Enter it, or change it.
    Request,
    /// Take it out.
    Cancel,
}

impl Method {
    /// As it stands in the object and in the part's `Content-Type: text/calendar; method=…`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
        }
    }
}

/// One booking as the reader's calendar gets it.
#[derive(Clone, Debug)]
pub struct CalendarEntry<'a> {
    pub method: Method,
    pub language: Language,
    pub session: &'a SessionFacts,
    pub booking_id: Uuid,
    /// Rises with each letter about this booking that has a calendar part.
    pub sequence: i64,
    /// When the letter was written: `DTSTAMP`.
    pub written_at: DateTime<Utc>,
    /// The right side of the UID, which for one booking must never change (`uids`).
    pub domain: &'a str,
    /// The setting `public_url`, without a slash at its end.
    pub public_url: &'a str,
    /// The member's name, if known.
    pub name: Option<&'a str>,
    /// The address that this letter goes to.
    pub address: &'a str,
    /// The sending mailbox's address. Its name is the studio's.
    pub sender: &'a str,
    /// Whether the reader is a guest, whose place is somebody else's to cancel.
    pub is_guests: bool,
}

/// What a letter of this kind does to the calendar; most do nothing.
pub fn method_of(facts: &Facts) -> Option<Method> {
    match facts {
        Facts::Booked { .. }
        | Facts::Promoted { .. }
        | Facts::Exchanged { .. }
        | Facts::SessionChanged { booked: true, .. }
        | Facts::GuestBooked { .. } => Some(Method::Request),
        Facts::Cancelled { .. }
        | Facts::LateCancelled { .. }
        | Facts::RemovedByStaff { .. }
        | Facts::SessionCancelled { had_place: true, .. }
        | Facts::Released { .. }
        | Facts::MovedToWaitlist { .. }
        | Facts::GuestCancelled { .. } => Some(Method::Cancel),
        Facts::AddressCode {}
        | Facts::AlreadyRegistered {}
        | Facts::PasswordCode {}
        | Facts::DeletionCode {}
        | Facts::DeletionAsked { .. }
        | Facts::PasswordChanged { .. }
        | Facts::AddressChanged { .. }
        | Facts::SecondFactorAdded { .. }
        | Facts::SecondFactorRemoved { .. }
        | Facts::NewDevice { .. }
        | Facts::SignInTried { .. }
        | Facts::Invitation { .. }
        | Facts::EnteredByFrontDesk { .. }
        | Facts::PassSold { .. }
        | Facts::PassEnding { .. }
        | Facts::PassGone { .. }
        | Facts::PassReceived { .. }
        | Facts::Suspended { .. }
        | Facts::SuspensionLifted { .. }
        | Facts::PenaltyWaived { .. }
        | Facts::Waitlisted { .. }
        | Facts::PassedOver { .. }
        | Facts::PlaceFree { .. }
        | Facts::PlaceOffered { .. }
        | Facts::OfferExpired { .. }
        | Facts::OfferWithdrawn { .. }
        | Facts::WaitlistLeft { .. }
        | Facts::WaitlistClosed { .. }
        | Facts::SessionChanged { booked: false, .. }
        | Facts::SessionCancelled { had_place: false, .. }
        | Facts::TooFewSoon { .. }
        | Facts::TooFewDecided { .. }
        | Facts::SubstituteWanted { .. }
        | Facts::SubstituteFound { .. }
        | Facts::SubstituteClaimed { .. }
        | Facts::SubstituteDecided { .. }
        | Facts::SubstituteMissing { .. }
        | Facts::SubstituteExpired { .. }
        | Facts::SessionsProposed { .. }
        | Facts::SessionsPublished { .. }
        | Facts::NoShow { .. }
        | Facts::AttendanceMissing { .. }
        | Facts::Reminder24h { .. }
        | Facts::Reminder2h { .. }
        | Facts::PlaceToGive { .. } => None,
    }
}

/// What letters and subscribed calendars both say about a class.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// Left of the UID's `@`: the booking's id, by which the letter and the feed are one event.
    pub uid: &'a str,
    /// Right of it.
    pub domain: &'a str,
    /// `SEQUENCE`.
    pub sequence: i64,
    /// `DTSTAMP`.
    pub written_at: DateTime<Utc>,
    /// What the class is called.
    pub class: &'a str,
    /// Where it is: studio, room, address. Those that are empty are left out.
    pub place: [&'a str; 3],
    /// Several lines; what is filled in was made [`plain`].
    pub description: &'a str,
    /// The booking's page, if the class is somebody's booking.
    pub link: Option<&'a str>,
    /// Whether it takes place.
    pub status: EventStatus,
}

/// The event, without its times and attendees.
pub fn event(said: &Said<'_>) -> Event {
    let place: Vec<_> = said.place.into_iter().filter(|name| !name.is_empty()).collect();
    let mut event = Event::new();
    event
        .uid(&plain(&format!("{}@{}", said.uid, said.domain)))
        .add_property("SEQUENCE", said.sequence.to_string())
        .timestamp(said.written_at)
        .summary(&plain(said.class))
        .location(&plain(&place.join(", ")))
        .description(said.description)
        .status(said.status);
    if let Some(link) = said.link {
        event.url(&plain(link));
    }
    event.done()
}

/// The page of a booking, which phones open as the app.
pub fn link(public_url: &str, booking_id: Uuid) -> String {
    format!("{public_url}/b/{booking_id}")
}

/// The object: UTF-8 with CRLF, long lines folded.
pub fn part(e: &CalendarEntry<'_>) -> String {
    let session = e.session;
    let studio = &session.studio;
    let link = (!e.is_guests).then(|| link(e.public_url, e.booking_id));
    let mut event = event(&Said {
        uid: &e.booking_id.to_string(),
        domain: e.domain,
        sequence: e.sequence,
        written_at: e.written_at,
        class: session.class.read(e.language),
        place: [&studio.name, &session.room, studio.address.as_deref().unwrap_or_default()],
        description: &phrases::calendar_description(&plain(&session.instructor), link.as_deref(), e.language),
        link: link.as_deref(),
        status: match e.method {
            Method::Request => EventStatus::Confirmed,
            Method::Cancel => EventStatus::Cancelled,
        },
    });
    event
        .starts(session.starts_at)
        .ends(session.ends_at)
        .append_property(named("ORGANIZER", e.sender, Some(&studio.name)))
        .append_property(
            named("ATTENDEE", e.address, e.name)
                .add_parameter("CUTYPE", "INDIVIDUAL")
                .add_parameter("ROLE", "REQ-PARTICIPANT")
                .add_parameter("PARTSTAT", "ACCEPTED")
                .add_parameter("RSVP", "FALSE")
                .done(),
        );

    written(
        Calendar::empty()
            .append_property(("VERSION", "2.0"))
            .append_property(("PRODID", "-//Relevé//Letters//EN"))
            .append_property(("CALSCALE", "GREGORIAN"))
            .append_property(("METHOD", e.method.name()))
            .push(event),
    )
}

/// The object as it is sent: lines of at most 75 octets. The crate's own folds are undone and redone, since it lets the last piece of a
/// line grow to 76 octets, and cuts between a character and what modifies it.
pub fn written(calendar: &Calendar) -> String {
    let text = calendar.to_string().replace("\r\n ", "");
    let mut folded = String::with_capacity(text.len() + text.len() / 16);
    for line in text.split_terminator("\r\n") {
        fold(line, &mut folded);
        folded.push_str("\r\n");
    }
    folded
}

/// Folds between grapheme clusters, or between characters where a cluster is itself longer than a line.
fn fold(line: &str, into: &mut String) {
    let mut room = LINE_OCTETS_MAX;
    let mut put = |piece: &str| {
        if piece.len() > room {
            into.push_str("\r\n ");
            room = LINE_OCTETS_MAX - 1;
        }
        into.push_str(piece);
        room -= piece.len();
    };
    if line.len() <= LINE_OCTETS_MAX {
        return put(line);
    }
    for sign in line.graphemes(true) {
        if sign.len() < LINE_OCTETS_MAX {
            put(sign);
        } else {
            sign.chars().for_each(|character| put(character.encode_utf8(&mut [0; 4])));
        }
    }
}

/// A mailbox with its name. The name is always quoted: what a quoted value may not hold (RFC 5545, 3.2) is left out.
fn named(key: &str, address: &str, name: Option<&str>) -> Property {
    let address: String = address.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
    let mut property = Property::new(key, format!("mailto:{address}"));
    let name = plain(name.unwrap_or_default()).replace('"', "");
    if !name.is_empty() {
        property.add_parameter("CN", &format!("\"{name}\""));
    }
    property
}

/// On one line and without control characters; commas, semicolons and backslashes are escaped when the object is written.
pub fn plain(text: &str) -> String {
    let words: Vec<_> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::letters::words::tests::{booking_id, demo_session, facts_of_every_kind, snapshot};

    fn entry(session: &SessionFacts, method: Method) -> CalendarEntry<'_> {
        CalendarEntry {
            method,
            language: Language::En,
            session,
            booking_id: booking_id(),
            sequence: 2,
            written_at: "2026-11-22T09:15:00.123456Z".parse().unwrap(),
            domain: "demo.example",
            public_url: "https://demo.example",
            name: Some("Mei Chen"),
            address: "mei@demo.example",
            sender: "letters@demo.example",
            is_guests: false,
        }
    }

    /// The lines as a calendar reads them: folds undone.
    fn unfolded(part: &str) -> Vec<String> {
        part.replace("\r\n ", "").split_terminator("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn a_booking_enters_the_calendar() {
        let session = demo_session();
        for language in Language::ALL {
            let part = part(&CalendarEntry { language, ..entry(&session, Method::Request) });
            // insta does not keep CRLF: the snapshot shows the lines as a calendar reads them.
            snapshot(&format!("calendar_request_{language}"), &unfolded(&part).join("\n"));
        }
    }

    #[test]
    fn a_guest_is_not_told_how_to_cancel() {
        let session = demo_session();
        for language in Language::ALL {
            let text = unfolded(&part(&CalendarEntry { language, is_guests: true, ..entry(&session, Method::Request) })).join("\n");
            assert!(text.contains("DESCRIPTION:") && !text.contains("https://demo.example"), "{text}");
        }
    }

    #[test]
    fn a_cancellation_takes_it_out() {
        let session = demo_session();
        snapshot("calendar_cancel_en", &unfolded(&part(&entry(&session, Method::Cancel))).join("\n"));
    }

    /// The physical lines, each of at most 75 octets.
    fn physical(part: &str) -> Vec<&str> {
        let lines: Vec<&str> = part.strip_suffix("\r\n").unwrap().split("\r\n").collect();
        for line in &lines {
            assert!(!line.contains(['\r', '\n']), "{line:?}");
            assert!(line.len() <= 75, "{} octets: {line:?}", line.len());
        }
        lines
    }

    /// Wherever in a line they fall, grapheme clusters stay whole: of several octets, and of several characters.
    #[test]
    fn a_fold_cuts_no_sign_at_any_offset() {
        // A ballet shoe; a heart made red by a selector; a dancer with a skin tone; an e with a combining accent; a family; a flag.
        let signs = ["把", "杆", "🩰", "❤\u{FE0F}", "💃🏽", "e\u{301}", "👩\u{200D}👩\u{200D}👧", "🇨🇳"];
        let words = signs.concat();
        for offset in 0..=160 {
            let name = format!("{}{words}{words}{words}", "x".repeat(offset));
            let mut session = demo_session();
            session.class.en = name.clone();
            let part = part(&entry(&session, Method::Request));
            let lines = physical(&part);
            let begins = lines.iter().position(|line| line.starts_with("SUMMARY:")).unwrap();
            let pieces: Vec<&str> = lines[begins..]
                .iter()
                .enumerate()
                .map_while(|(n, line)| if n == 0 { Some(*line) } else { line.strip_prefix(' ') })
                .collect();
            assert_eq!(pieces.concat(), format!("SUMMARY:{name}"), "offset {offset}");
            for piece in &pieces {
                let whole = piece.trim_start_matches("SUMMARY:").trim_start_matches('x');
                let mut rest = whole;
                while let Some(sign) = signs.iter().find(|sign| rest.starts_with(**sign)) {
                    rest = &rest[sign.len()..];
                }
                assert_eq!(rest, "", "a sign is cut in {piece:?}, offset {offset}");
            }
        }
    }

    /// RFC 5545, 3.1: a line may be 75 octets long, one that continues it has a space before.
    #[test]
    fn a_fold_leaves_no_line_of_76_octets() {
        for length in 1..400 {
            let mut folded = String::new();
            fold(&"x".repeat(length), &mut folded);
            let lines: Vec<&str> = folded.split("\r\n").collect();
            assert!(lines.iter().all(|line| line.len() <= 75), "{length}: {folded}");
            assert_eq!(lines.len(), if length <= 75 { 1 } else { 1 + (length - 75).div_ceil(74) }, "no line more than needed");
        }
    }

    /// Eighty accents on one letter are one cluster, but no line is longer than 75 octets.
    #[test]
    fn a_sign_longer_than_a_line_is_cut_between_characters() {
        let mut folded = String::new();
        fold(&format!("a{}", "\u{301}".repeat(80)), &mut folded);
        assert!(physical(&format!("{folded}\r\n")).len() > 1);
        assert_eq!(folded.replace("\r\n ", ""), format!("a{}", "\u{301}".repeat(80)));
    }

    #[test]
    fn lines_end_in_crlf_and_are_folded_at_75_octets() {
        let mut session = demo_session();
        session.class.zh_hans = Some("芭蕾把杆塑形".repeat(40));
        session.studio.address = Some("88 Yuyuan Road ".repeat(40));
        let part = part(&CalendarEntry { language: Language::ZhHans, ..entry(&session, Method::Request) });
        assert_eq!(physical(&part).last(), Some(&"END:VCALENDAR"));
        assert!(unfolded(&part).contains(&format!("SUMMARY:{}", "芭蕾把杆塑形".repeat(40))));
    }

    #[test]
    fn nobodys_name_makes_a_line_or_a_parameter() {
        let mut session = demo_session();
        session.class.en = "Barre; slow, \\ deep\r\nATTENDEE:mailto:x@demo.example\u{0}".to_owned();
        session.studio.name = "\"Jing'an\";PARTSTAT=DECLINED:\r\nX-EVIL:1".to_owned();
        session.instructor = "Lin\nYue".to_owned();
        let evil = CalendarEntry {
            name: Some("Mei\r\nX-EVIL:2 \"; RSVP=TRUE"),
            address: "mei@demo.example\r\nX-EVIL:3",
            ..entry(&session, Method::Request)
        };
        let lines = unfolded(&part(&evil));
        let plain_lines = unfolded(&part(&entry(&demo_session(), Method::Request)));
        assert_eq!(lines.len(), plain_lines.len());
        for (line, plain_line) in lines.iter().zip(&plain_lines) {
            let key = |line: &str| line.split([':', ';']).next().unwrap().to_owned();
            assert_eq!(key(line), key(plain_line));
        }
        assert!(lines.contains(&r"SUMMARY:Barre\; slow\, \\ deep ATTENDEE:mailto:x@demo.example".to_owned()));
        let organizer = lines.iter().find(|line| line.starts_with("ORGANIZER")).unwrap();
        assert_eq!(organizer, "ORGANIZER;CN=\"Jing'an;PARTSTAT=DECLINED: X-EVIL:1\":mailto:letters@demo.example");
        let attendee = lines.iter().find(|line| line.starts_with("ATTENDEE")).unwrap();
        assert!(attendee.contains("CN=\"Mei X-EVIL:2 ; RSVP=TRUE\";"), "{attendee}");
        assert!(attendee.ends_with(":mailto:mei@demo.exampleX-EVIL:3"), "{attendee}");
    }

    #[test]
    fn the_method_follows_the_kind() {
        let with_part: Vec<_> =
            facts_of_every_kind().into_iter().filter_map(|(name, facts)| Some((name, method_of(&facts)?.name()))).collect();
        assert_eq!(
            with_part,
            [
                ("booked", "REQUEST"),
                ("promoted", "REQUEST"),
                ("cancelled", "CANCEL"),
                ("late_cancelled", "CANCEL"),
                ("removed_by_staff", "CANCEL"),
                ("session_changed", "REQUEST"),
                ("session_cancelled", "CANCEL"),
                ("released", "CANCEL"),
                ("moved_to_waitlist", "CANCEL"),
                ("guest_booked", "REQUEST"),
                ("guest_cancelled", "CANCEL"),
                ("exchanged", "REQUEST"),
            ]
        );
    }
}
