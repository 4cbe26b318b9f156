//! A letter as a mail (RFC 5322): text and HTML, with the calendar part where a place is held or given up.
//!
//! Everything that could distinguish two attempts comes from the letter's row: a repeat is the same mail, byte for byte.
//!
//! What is not plain ASCII is sent in base64. Text with Chinese in it is no shorter in quoted-printable, and takes many times as long to
//! encode: in the minute in which a studio's bookings open, members who wait for their answers need that time. ASCII text stays as it is: a
//! code can be read in the file that the transport `file` writes.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use lettre::message::header::{ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use uuid::Uuid;

use super::calendar::{self, CalendarEntry, Method};
use super::facts::{Facts, Rendered, SessionFacts};
use super::rules::SendError;
use crate::language::Language;
use crate::text::Email;

/// The sender's name where no studio writes and the setting `letters.from` has no name.
const HOUSE_NAME: &str = "Relevé";

/// A mail, ready to be handed to a mail server.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The letter's id.
    pub id: Uuid,
    /// The envelope sender, who is told if the mail bounces.
    pub sender: Address,
    /// The envelope recipient.
    pub recipient: Address,
    /// The mail itself, with CRLF.
    pub raw: Vec<u8>,
}

/// What a mail is made of.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    pub id: Uuid,
    pub created_at: DateTime<Utc>,
    /// The mailbox that sends; shown with the studio's name.
    pub from: &'a Mailbox,
    pub to: &'a str,
    pub name: Option<&'a str>,
    pub language: Language,
    pub facts: &'a Facts,
    pub words: &'a Rendered,
    pub booking_id: Option<Uuid>,
    /// SEQUENCE of the calendar part.
    pub sequence: Option<i64>,
    /// Where letters of this kind are switched off; `None`: they are always sent.
    pub unsubscribe: Option<&'a str>,
    /// The setting `public_url`.
    pub public_url: &'a str,
    /// The right side of the calendar part's UID.
    pub uid_domain: &'a str,
    /// The same for the booking that the letter's own took over from.
    pub replaced_uid_domain: &'a str,
}

/// Makes the mail. An invalid address is this letter's own fault.
pub fn build(parts: &Parts<'_>) -> Result<Mail, SendError> {
    let recipient = address(parts.to).ok_or_else(|| SendError::permanent("the address is not one"))?;
    let sender = parts.from.email.clone();
    let studio = parts.facts.studio();
    let from_name = studio.map(|studio| studio.name.as_str()).or(parts.from.name.as_deref()).and_then(one_line);
    let contact = studio.and_then(|studio| studio.contact.as_deref()).and_then(address);

    let mut builder = Message::builder()
        .message_id(Some(format!("<{}@{}>", parts.id, sender.domain())))
        .date(SystemTime::from(parts.created_at))
        .from(Mailbox::new(Some(from_name.unwrap_or_else(|| HOUSE_NAME.into())), sender.clone()))
        .to(Mailbox::new(parts.name.and_then(one_line), recipient.clone()))
        .subject(one_line(&parts.words.subject).unwrap_or_default())
        .header(ContentLanguage(parts.language))
        .header(AutoSubmitted);
    if let Some(contact) = contact {
        builder = builder.reply_to(Mailbox::new(None, contact));
    }
    if let Some(link) = parts.unsubscribe {
        builder = builder.header(ListUnsubscribe(link.to_owned()));
        // RFC 8058, 3.1: one click needs HTTPS.
        if link.starts_with("https:") {
            builder = builder.header(OneClick);
        }
    }
    let body = body(&Parts { to: recipient.as_ref(), ..*parts })?;
    let message = builder.multipart(body).map_err(|error| SendError::permanent(format!("no mail could be made: {error}")))?;
    Ok(Mail { id: parts.id, sender, recipient, raw: message.formatted() })
}

/// In the form that every mail server takes.
fn address(text: &str) -> Option<Address> {
    Email::parse(text).ok()?.for_mail_servers().parse().ok()
}

/// The words twice, the richer last. The calendar part comes twice too: as an alternative, where mail programs look for an
/// invitation, and as a file for those that know only attachments. Its UID lets both be one event. What this booking took over from is taken
/// out of the calendar by an object of its own, as one object has one method (RFC 6047, 2.4).
fn body(parts: &Parts<'_>) -> Result<MultiPart, SendError> {
    let alternative = MultiPart::alternative()
        .boundary(boundary(parts.id, "words"))
        .singlepart(SinglePart::plain(readable(parts.words.text.replace('\n', "\r\n"))?))
        .singlepart(SinglePart::html(encoded(parts.words.html.replace('\n', "\r\n"))?));
    let Some((method, event)) = calendar_part(parts) else { return Ok(alternative) };
    let kinds = ContentType::parse(&format!("text/calendar; charset=utf-8; method={}", method.name()))
        .and_then(|inline| Ok((inline, ContentType::parse("application/ics")?)));
    let Ok((inline, file)) = kinds else { return Ok(alternative) };
    let event = encoded(event)?;
    let mixed = MultiPart::mixed()
        .boundary(boundary(parts.id, "all"))
        .multipart(alternative.singlepart(SinglePart::builder().header(inline).body(event.clone())))
        .singlepart(Attachment::new("invite.ics".into()).body(event, file));
    let cancel = ContentType::parse("text/calendar; charset=utf-8; method=CANCEL");
    Ok(match (replaced_part(parts), cancel) {
        (Some(event), Ok(kind)) => mixed.singlepart(Attachment::new("cancel.ics".into()).body(encoded(event)?, kind)),
        _ => mixed,
    })
}

/// Text with CRLF, ready to be sent; unencoded if it is ASCII.
fn readable(text: String) -> Result<Body, SendError> {
    if text.is_ascii() { Ok(Body::new(text)) } else { encoded(text) }
}

/// A part with CRLF, ready to be sent.
fn encoded(text: String) -> Result<Body, SendError> {
    Body::new_with_encoding(text.into_bytes(), ContentTransferEncoding::Base64)
        .map_err(|_| SendError::permanent("a part cannot be encoded"))
}

fn calendar_part(parts: &Parts<'_>) -> Option<(Method, String)> {
    let method = calendar::method_of(parts.facts)?;
    let event = entry(parts, method, parts.facts.session()?, parts.booking_id?, parts.sequence?, parts.uid_domain);
    Some((method, calendar::part(&event)))
}

/// What takes the booking that this one took over from out of the calendar.
fn replaced_part(parts: &Parts<'_>) -> Option<String> {
    let Facts::Exchanged { replaced, .. } = parts.facts else { return None };
    let (session, id, sequence) = (&replaced.session, replaced.booking_id, replaced.sequence?);
    Some(calendar::part(&entry(parts, Method::Cancel, session, id, sequence, parts.replaced_uid_domain)))
}

fn entry<'a>(
    parts: &Parts<'a>,
    method: Method,
    session: &'a SessionFacts,
    booking_id: Uuid,
    sequence: i64,
    domain: &'a str,
) -> CalendarEntry<'a> {
    CalendarEntry {
        method,
        language: parts.language,
        session,
        booking_id,
        sequence,
        written_at: parts.created_at,
        domain,
        public_url: parts.public_url,
        name: parts.name,
        address: parts.to,
        sender: parts.from.email.as_ref(),
        is_guests: matches!(parts.facts, Facts::GuestBooked { .. } | Facts::GuestCancelled { .. }),
    }
}

fn boundary(id: Uuid, of: &str) -> String {
    format!("={}_{of}", id.simple())
}

/// Without what could begin a new header line; `None` if nothing is left.
fn one_line(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The language of the words (RFC 3282): screen readers and translators go by it.
#[derive(Clone, Copy)]
struct ContentLanguage(Language);

impl Header for ContentLanguage {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Content-Language")
    }

    fn parse(tag: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(tag.parse()?))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.tag().into())
    }
}

/// No out-of-office answers, please (RFC 3834).
#[derive(Clone, Copy)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

/// Where such letters are switched off (RFC 2369, 3.2). One word that is never folded or encoded.
#[derive(Clone)]
struct ListUnsubscribe(String);

impl Header for ListUnsubscribe {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe")
    }

    fn parse(link: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(link.trim_matches(['<', '>']).to_owned()))
    }

    fn display(&self) -> HeaderValue {
        let link = format!("<{}>", self.0);
        HeaderValue::dangerous_new_pre_encoded(Self::name(), link.clone(), link)
    }
}

/// A POST to that address is enough (RFC 8058).
#[derive(Clone, Copy)]
struct OneClick;

impl Header for OneClick {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe-Post")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "List-Unsubscribe=One-Click".into())
    }
}

#[cfg(test)]
mod tests {
    use mail_parser::{MessageParser, MimeHeaders};

    use super::*;
    use crate::letters::examples::written_at;
    use crate::letters::facts::ToRender;
    use crate::letters::switches::Switch;
    use crate::letters::words;
    use crate::letters::words::tests::{booking_id, facts_of_every_kind};

    const UNSUBSCRIBE: &str =
        "https://studio.test/unsubscribe/0197a000-0000-7000-8000-00000000000e/reminder_24h/nt3o4Z0sFh-bJ_2DqMECoqIZ6oQyZzoHhXJ5bCUVBkE";

    fn from() -> Mailbox {
        "letters@studio.test".parse().unwrap()
    }

    fn mail(facts: &Facts, to: &str, name: Option<&str>) -> Result<Mail, SendError> {
        mail_in(Language::ZhHans, facts, to, name)
    }

    fn mail_in(language: Language, facts: &Facts, to: &str, name: Option<&str>) -> Result<Mail, SendError> {
        let to_render = ToRender {
            language,
            written_at: written_at(),
            name,
            facts,
            public_url: "https://studio.test",
            booking_id: Some(booking_id()),
            link: None,
            unsubscribe: None,
            code: Some("12345678"),
        };
        build(&Parts {
            id: Uuid::from_u128(7),
            created_at: "2026-11-22T09:15:00.123456Z".parse().unwrap(),
            from: &from(),
            to,
            name,
            language,
            facts,
            words: &words::render(&to_render).unwrap(),
            booking_id: Some(booking_id()),
            sequence: Some(3),
            unsubscribe: Switch::of_kind(facts.kind()).map(|_| UNSUBSCRIBE),
            public_url: "https://studio.test",
            uid_domain: "book.studio.test",
            replaced_uid_domain: "old.studio.test",
        })
    }

    #[test]
    fn every_kind_is_a_mail_that_others_can_read() {
        for (kind, facts) in facts_of_every_kind() {
            let sent = mail(&facts, "mei@member.test", Some("陈梅")).unwrap();
            assert!(sent.raw.is_ascii(), "{kind}");
            assert!(sent.raw.split(|byte| *byte == b'\n').all(|line| line.len() < 1_000), "{kind}");
            let read = MessageParser::default().parse(&sent.raw).unwrap();
            assert_eq!(read.message_id(), Some("00000000-0000-0000-0000-000000000007@studio.test"), "{kind}");
            assert_eq!(read.date().unwrap().to_rfc3339(), "2026-11-22T09:15:00Z", "{kind}");
            let sender = read.from().and_then(|from| from.first()).unwrap();
            assert_eq!(sender.address(), Some("letters@studio.test"), "{kind}");
            assert_eq!(sender.name(), Some(facts.studio().map_or(HOUSE_NAME, |studio| studio.name.as_str())), "{kind}");
            let reader = read.to().and_then(|to| to.first()).unwrap();
            assert_eq!((reader.name(), reader.address()), (Some("陈梅"), Some("mei@member.test")), "{kind}");
            let contact = facts.studio().and_then(|studio| studio.contact.as_deref());
            assert_eq!(read.reply_to().and_then(|to| to.first()?.address()), contact, "{kind}");
            assert_eq!(read.header("Auto-Submitted").and_then(|value| value.as_text()), Some("auto-generated"), "{kind}");
            let languages = read.header("Content-Language").and_then(|value| value.as_text_list());
            assert_eq!(languages, Some(&["zh-Hans".into()][..]), "{kind}");
            let raw = String::from_utf8_lossy(&sent.raw);
            let both = format!("\r\nList-Unsubscribe: <{UNSUBSCRIBE}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
            assert_eq!(raw.contains(&both), Switch::of_kind(kind).is_some(), "{kind}: {raw}");
            assert_eq!(raw.contains("List-Unsubscribe"), Switch::of_kind(kind).is_some(), "{kind}");
            assert!(read.subject().is_some_and(|subject| !subject.is_empty()), "{kind}");
            assert!(read.body_text(0).is_some_and(|text| text.contains("陈梅")), "{kind}");
            assert!(read.body_html(0).is_some_and(|html| html.contains("<html lang=\"zh-Hans\">")), "{kind}");

            let events: Vec<_> =
                read.parts.iter().filter(|part| part.content_type().is_some_and(|kind| kind.subtype() == Some("calendar"))).collect();
            match calendar::method_of(&facts) {
                None => assert!(events.is_empty() && read.attachment(0).is_none(), "{kind}"),
                Some(method) => {
                    let [event] = events[..] else { panic!("{kind}: one calendar part") };
                    let content_type = event.content_type().unwrap();
                    assert_eq!(content_type.attribute("method"), Some(method.name()), "{kind}");
                    let text = event.text_contents().unwrap();
                    assert!(text.contains(&format!("METHOD:{}\r\n", method.name())) && text.contains("SEQUENCE:3\r\n"), "{kind}: {text}");
                    assert!(text.contains(&format!("UID:{}@book.studio.test\r\n", booking_id())), "{kind}: {text}");
                    let file = read.attachments().find(|part| part.attachment_name() == Some("invite.ics")).unwrap();
                    assert_eq!(file.contents(), text.as_bytes(), "{kind}");
                }
            }
        }
    }

    /// Both bookings in one letter: the new one enters the calendar, the old one leaves it, under the name that it was entered by.
    #[test]
    fn a_change_of_class_reaches_the_calendar_twice() {
        let of_kind = facts_of_every_kind().into_iter().find(|(kind, _)| *kind == "exchanged");
        let Some((_, Facts::Exchanged { session, terms, promoted, mut replaced })) = of_kind else { panic!("a sample") };
        replaced.sequence = Some(4);
        let old = format!("UID:{}@old.studio.test\r\n", replaced.booking_id);
        let sent = mail(&Facts::Exchanged { session, terms, promoted, replaced }, "mei@member.test", Some("陈梅")).unwrap();
        let read = MessageParser::default().parse(&sent.raw).unwrap();
        let told: Vec<String> = read
            .parts
            .iter()
            .filter(|part| part.content_type().is_some_and(|kind| kind.subtype() == Some("calendar")))
            .map(|part| part.text_contents().unwrap().to_owned())
            .collect();
        let [entered, left] = &told[..] else { panic!("two objects: {told:?}") };
        assert!(entered.contains("METHOD:REQUEST\r\n") && entered.contains(&format!("UID:{}@book.studio.test\r\n", booking_id())));
        assert!(left.contains("METHOD:CANCEL\r\n") && left.contains("SEQUENCE:4\r\n") && left.contains(&old), "{left}");
    }

    /// What was written comes out again as it was, line for line, whoever decodes it.
    #[test]
    fn the_words_arrive_as_they_were_written() {
        for (kind, facts) in facts_of_every_kind() {
            let language = Language::ZhHans;
            let to_render = ToRender {
                language,
                written_at: written_at(),
                name: Some("陈梅"),
                facts: &facts,
                public_url: "https://studio.test",
                booking_id: Some(booking_id()),
                link: None,
                unsubscribe: None,
                code: Some("12345678"),
            };
            let words = words::render(&to_render).unwrap();
            let sent = mail(&facts, "mei@member.test", Some("陈梅")).unwrap();
            let read = MessageParser::default().parse(&sent.raw).unwrap();
            assert_eq!(read.body_text(0).unwrap().replace("\r\n", "\n"), words.text, "{kind}");
            assert_eq!(read.body_html(0).unwrap().replace("\r\n", "\n"), words.html, "{kind}");
            assert!(!String::from_utf8(sent.raw).unwrap().contains("quoted-printable"), "{kind}");
        }
    }

    /// Whoever tries Relevé out finds the code in the file, without a mail program.
    #[test]
    fn a_code_in_ascii_can_be_read_in_the_file() {
        let shows_the_code = |language| {
            let of_kind = facts_of_every_kind().into_iter().filter(|(_, facts)| matches!(facts, Facts::AddressCode {}));
            let mails: Vec<_> = of_kind.map(|(_, facts)| mail_in(language, &facts, "mei@member.test", Some("Mei")).unwrap()).collect();
            assert!(!mails.is_empty());
            mails.iter().all(|mail| String::from_utf8_lossy(&mail.raw).contains("\r\n    12345678\r\n"))
        };
        assert!(shows_the_code(Language::En));
        assert!(!shows_the_code(Language::ZhHans));
    }

    #[test]
    fn a_repeat_is_the_same_mail() {
        let (_, facts) = facts_of_every_kind().swap_remove(9);
        let once = mail(&facts, "mei@member.test", Some("Mei")).unwrap();
        assert_eq!(once.raw, mail(&facts, "mei@member.test", Some("Mei")).unwrap().raw);
    }

    #[test]
    fn nobodys_name_makes_a_header() {
        for (kind, mut facts) in facts_of_every_kind() {
            if let Facts::Booked { session, .. } = &mut facts {
                session.studio.name = "Evil\r\nBcc: all@member.test".into();
                session.studio.contact = Some("x@y.test\r\nBcc: all@member.test".into());
            }
            let sent = mail(&facts, "mei@member.test", Some("Mei\r\nBcc: all@member.test\r\n\r\nbody")).unwrap();
            let read = MessageParser::default().parse(&sent.raw).unwrap();
            assert!(read.bcc().is_none(), "{kind}");
            assert_eq!(read.to().map(|to| to.iter().count()), Some(1), "{kind}");
        }
    }

    #[test]
    fn what_is_no_address_fails_for_good() {
        let (_, facts) = facts_of_every_kind().swap_remove(0);
        for bad in ["", "mei", "mei@member.test\r\nRCPT TO:<x@y.test>", "a@b@c"] {
            assert!(mail(&facts, bad, None).is_err_and(|error| error.permanent), "{bad:?}");
        }
    }
}
