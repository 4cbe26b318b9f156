//! Texts that people write, parsed: no control characters, no absurd lengths; and the keys by which they are compared and found.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::language::Texts;
use crate::wrong::Wrong;

/// A text of at most `MAX` characters on one line: a phone number, an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Line<const MAX: usize>(String);

/// What somebody or something is called: a line of at most `MAX` characters that is no message. Names go into letters, also into those to
/// addresses that nobody has confirmed, and stand beside each other in lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Called<const MAX: usize>(Line<MAX>);

/// The name of a person, a studio, a room, a class type, a pass type.
pub type Name = Called<NAME_CHARS_MAX>;

/// The most characters of a [`Name`].
const NAME_CHARS_MAX: usize = 200;

impl<const MAX: usize> Line<MAX> {
    /// Trims and checks.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Wrong::Empty);
        }
        if text.chars().count() > MAX {
            return Err(Wrong::TooLong { max: MAX });
        }
        if text.chars().any(|c| c.is_control() || is_invisible(c)) {
            return Err(Wrong::ControlCharacters);
        }
        if text.chars().all(is_unseen) {
            return Err(Wrong::NothingSeen);
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// One line that is not blank, as [`Line::parse`] takes it.
const LINE_PATTERN: &str = r"^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]*[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028-\u202f\u205f\u2066-\u2069\u3000\ufeff][^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]*$";

impl<const MAX: usize> PartialSchema for Line<MAX> {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(MAX));
        schema.pattern(Some(LINE_PATTERN)).into()
    }
}

impl<const MAX: usize> ToSchema for Line<MAX> {
    fn name() -> Cow<'static, str> {
        format!("Line{MAX}").into()
    }
}

impl<const MAX: usize> Called<MAX> {
    /// Trims and checks.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let line = Line::parse(text)?;
        if line.as_str().chars().any(marks_direction) {
            return Err(Wrong::ControlCharacters);
        }
        if has_address(line.as_str()) { Err(Wrong::NoName) } else { Ok(Self(line)) }
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The text, owned.
    pub fn into_string(self) -> String {
        self.0.into_string()
    }
}

/// What a name is not, before what a line is. A web address is also known by its ending, which would make this a list.
const NOT_IN_NAMES: &str = r"^(?!.*(://|[Ww][Ww][Ww]\.|@\S+\.\S|[A-Za-z]\.[A-Za-z]\S*/))(?!.*[\u061c\u200e\u200f])";

impl<const MAX: usize> PartialSchema for Called<MAX> {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(MAX));
        schema.pattern(Some(format!("{NOT_IN_NAMES}{}", LINE_PATTERN.trim_start_matches('^')))).into()
    }
}

impl<const MAX: usize> ToSchema for Called<MAX> {
    fn name() -> Cow<'static, str> {
        if MAX == NAME_CHARS_MAX { "Name".into() } else { format!("Name{MAX}").into() }
    }
}

impl<const MAX: usize> fmt::Display for Called<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Called<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(Wrong::refuse)
    }
}

/// The marks that give a direction to what stands beside them (Unicode, UAX 9): unlike those of [`is_invisible`] they do not turn a whole
/// line, and a longer text may need them.
const fn marks_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}')
}

/// Endings by which a mail program makes a link of a word that has no `https://` before it.
const LINKED: &[&str] = &[
    "app", "biz", "cc", "cn", "club", "co", "com", "de", "dev", "eu", "fr", "gg", "gl", "hk", "icu", "info", "io", "link", "live", "ly",
    "me", "mobi", "net", "online", "org", "page", "pro", "ru", "shop", "site", "store", "tk", "top", "tv", "tw", "uk", "us", "vip", "xyz",
];

/// Whether a text holds the address of a web page or of a mailbox, however it is dressed up.
fn has_address(text: &str) -> bool {
    // As a mail program reads it: full-width letters as plain ones, the ideographic full stop as a dot, what leaves no mark not at all.
    let plain = text.nfkc().map(|c| if c == '。' { '.' } else { c }).filter(|c| c.is_whitespace() || !is_unseen(*c));
    let plain: String = plain.flat_map(char::to_lowercase).collect();
    plain.contains("://") || plain.split_whitespace().any(is_address)
}

fn is_address(word: &str) -> bool {
    let mut dots = word.match_indices('.').filter_map(|(at, dot)| Some((word.get(..at)?, word.get(at + dot.len()..)?)));
    // `www.…`, `name@host.…`, `host.page/…`, `host.com`
    dots.any(|(before, after)| {
        let ending = after.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let letter_before = before.ends_with(|c: char| c.is_ascii_alphabetic());
        let letter_after = after.starts_with(|c: char| c.is_ascii_alphabetic());
        before.ends_with("www")
            || (before.split_once('@').is_some_and(|(_, host)| !host.is_empty()) && !after.is_empty())
            || (letter_before && letter_after && after.contains('/'))
            || (before.ends_with(char::is_alphanumeric) && LINKED.contains(&ending))
    })
}

impl<const MAX: usize> fmt::Display for Line<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Line<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(Wrong::refuse)
    }
}

/// A text of several lines, at most 4,000 characters: a description, the rules, a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Note(String);

/// Several lines, as a [`Note`] takes them.
const NOTE_PATTERN: &str = r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]*$";

impl PartialSchema for Note {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new().schema_type(Type::String).max_length(Some(NOTE_CHARS_MAX));
        schema.pattern(Some(NOTE_PATTERN)).into()
    }
}

impl ToSchema for Note {
    fn name() -> Cow<'static, str> {
        "Note".into()
    }
}

/// The most characters of a [`Note`].
const NOTE_CHARS_MAX: usize = 4_000;

impl Note {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<'de> Deserialize<'de> for Note {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.chars().count() > NOTE_CHARS_MAX {
            return Err(Wrong::TooLong { max: NOTE_CHARS_MAX }.refuse());
        }
        if text.chars().any(|c| (c.is_control() && c != '\n' && c != '\t') || is_invisible(c)) {
            return Err(Wrong::ControlCharacters.refuse());
        }
        Ok(Self(text))
    }
}

/// A text in one or more languages, as it comes in: English always, Chinese where the studio wrote it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words<T> {
    en: T,
    #[serde(rename = "zh-Hans")]
    zh_hans: Option<T>,
    #[serde(rename = "zh-Hant")]
    zh_hant: Option<T>,
}

impl<T: ToSchema> PartialSchema for Words<T> {
    fn schema() -> RefOr<Schema> {
        let one = |said: &str, schema_type: SchemaType| match T::schema() {
            RefOr::T(Schema::Object(mut schema)) => {
                schema.description = Some(said.to_owned());
                schema.schema_type = schema_type;
                RefOr::T(Schema::Object(schema))
            }
            other => other,
        };
        let optional = || [Type::String, Type::Null].into_iter().collect();
        ObjectBuilder::new()
            .description(Some("A text in one or more languages."))
            .property("en", one("English, and what is read where a language is missing.", Type::String.into()))
            .property("zh-Hans", one("Simplified Chinese; null: none.", optional()))
            .property("zh-Hant", one("Traditional Chinese; null: none.", optional()))
            .required("en")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .into()
    }
}

impl<T: ToSchema> ToSchema for Words<T> {
    fn name() -> Cow<'static, str> {
        format!("New{}Texts", T::name()).into()
    }
}

/// A name in one or more languages, as it comes in.
pub type NameWords = Words<Name>;
/// A longer text in one or more languages, as it comes in.
pub type NoteWords = Words<Note>;

impl<T: Into<String>> From<Words<T>> for Texts {
    fn from(words: Words<T>) -> Self {
        Self { en: words.en.into(), zh_hans: words.zh_hans.map(Into::into), zh_hant: words.zh_hant.map(Into::into) }
    }
}

impl<const MAX: usize> From<Line<MAX>> for String {
    fn from(line: Line<MAX>) -> Self {
        line.0
    }
}

impl<const MAX: usize> From<Called<MAX>> for String {
    fn from(name: Called<MAX>) -> Self {
        name.0.0
    }
}

impl From<Note> for String {
    fn from(note: Note) -> Self {
        note.0
    }
}

/// Whether a text has the shape of an ISO 4217 code: three capital letters.
pub fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|letter| letter.is_ascii_uppercase())
}

/// The code of a currency (ISO 4217).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Currency(String);

impl PartialSchema for Currency {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[A-Z]{3}$")).examples(["CNY"]).into()
    }
}

impl ToSchema for Currency {
    fn name() -> Cow<'static, str> {
        "Currency".into()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.0
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if is_currency(&text) { Ok(Self(text)) } else { Err(Wrong::NotCurrency.refuse()) }
    }
}

/// The address of a web page: http or https, at most 2,000 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebAddress(String);

/// The longest web address, in bytes.
const WEB_ADDRESS_MAX: usize = 2_000;

impl PartialSchema for WebAddress {
    fn schema() -> RefOr<Schema> {
        // What matches the pattern is accepted; some that do not (an address of letters beyond ASCII) are accepted too.
        let pattern = r"^https?://[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?(\.[a-z]{2,20})+(/[A-Za-z0-9._~/-]*)?(\?[A-Za-z0-9=&._~-]*)?$";
        let schema = ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::Custom("uri".into())));
        schema.max_length(Some(WEB_ADDRESS_MAX)).pattern(Some(pattern)).examples(["https://studio.example/shop"]).into()
    }
}

impl ToSchema for WebAddress {
    fn name() -> Cow<'static, str> {
        "WebAddress".into()
    }
}

impl WebAddress {
    /// Trims and checks.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let text = text.trim();
        // The parser would drop line breaks and tabs in silence.
        let sane = text.len() <= WEB_ADDRESS_MAX && !text.chars().any(|c| c.is_control() || c.is_whitespace() || is_invisible(c));
        let parsed = sane.then(|| url::Url::parse(text).ok()).flatten();
        match parsed {
            Some(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(Self(text.to_owned())),
            _ => Err(Wrong::NotWebAddress),
        }
    }
}

impl From<WebAddress> for String {
    fn from(address: WebAddress) -> Self {
        address.0
    }
}

impl<'de> Deserialize<'de> for WebAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(Wrong::refuse)
    }
}

/// Characters that turn the direction of what follows: a name could pose as another.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// Characters that are invisible by themselves: names of these alone could not be told apart.
pub fn is_unseen(c: char) -> bool {
    use GeneralCategory as Is;
    // Letters and a symbol by their category, but blank.
    let blank = matches!(c, '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}');
    let category = c.general_category();
    blank
        || c.is_whitespace()
        || matches!(category, Is::Control | Is::Format | Is::NonspacingMark | Is::EnclosingMark | Is::PrivateUse | Is::Unassigned)
}

/// An e-mail address that lettre would send to (RFC 5321), at most 254 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Email(String);

/// The longest e-mail address, in bytes (RFC 5321, 4.5.3.1.3).
const EMAIL_MAX: usize = 254;

impl PartialSchema for Email {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::Custom("email".into())));
        schema.max_length(Some(EMAIL_MAX)).into()
    }
}

impl ToSchema for Email {
    fn name() -> Cow<'static, str> {
        "EmailAddress".into()
    }
}

impl Email {
    /// Trims, folds look-alikes (full-width letters, the Kelvin sign) into what they look like, and checks: letters go to the very address
    /// that is compared.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let text: String = text.trim().nfkc().take(EMAIL_MAX + 1).collect();
        if text.len() > EMAIL_MAX || text.chars().any(char::is_control) || text.parse::<lettre::Address>().is_err() {
            return Err(Wrong::NotEmail);
        }
        Ok(Self(text))
    }

    /// The address as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same for two spellings of one address.
    pub fn key(&self) -> String {
        address_key(&self.0)
    }

    /// The key that addresses had before a domain in Punycode was the same as in letters. Two people could each have one spelling of one
    /// address: whoever kept this key still signs in with it.
    pub fn old_key(&self) -> String {
        self.0.to_lowercase()
    }

    /// The address with its domain in ASCII: every mail server takes that, a domain in other letters only some (RFC 6531).
    pub fn for_mail_servers(&self) -> String {
        let ascii = self.0.rsplit_once('@').and_then(|(local, domain)| Some(format!("{local}@{}", idna::domain_to_ascii(domain).ok()?)));
        ascii.unwrap_or_else(|| self.0.clone())
    }
}

/// An address, or a part of one, in the form that is compared: lower case, the domain in its own letters, not Punycode (IDNA, UTS 46).
pub fn address_key(text: &str) -> String {
    let small = text.to_lowercase();
    let Some((local, domain)) = small.rsplit_once('@') else { return small };
    match idna::domain_to_unicode(domain) {
        (domain, Ok(())) => format!("{local}@{domain}"),
        (_, Err(_)) => small,
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(Wrong::refuse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What no name is.
    const MESSAGES: [&str; 23] = [
        "Win at http://evil.test now",
        "HTTPS://EVIL",
        "ftp://x",
        "see www.evil.test",
        "WWW.x",
        "evil.com",
        "t.co",
        "You won! evil.cn",
        "(evil.com)",
        "evil.com/prize",
        "bit.ly/x",
        "evil.example/prize",
        "write to a@b.test",
        "ｈｔｔｐ：／／ｅｖｉｌ",
        "ｅｖｉｌ．ｃｏｍ",
        "evil。com",
        "ht\u{200b}tp:/\u{200d}/evil",
        "evil\u{2060}.\u{200c}com",
        "中奖.com",
        "a\u{200e}b",
        "a\u{200f}b",
        "a\u{61c}b",
        "a\u{2066}b",
    ];

    /// What people, studios, rooms and classes are called.
    const CALLED: [&str; 17] = [
        "J.R.R. Tolkien",
        "Dr. Smith",
        "Dr.Smith",
        "St. John",
        "Ana M. Ruiz",
        "A.B.",
        "林月",
        "O'Neill-García",
        "24/7 Barre",
        "Studio No.1/2",
        "Barre @ Home",
        "Yoga@Night",
        "Level 1.5",
        "Barre: slow/fast",
        "Ballet... and more",
        "¡Hola!",
        "Ten classes (2.5 h)",
    ];

    #[test]
    fn hostile_texts_are_refused() {
        for bad in ["", "  ", "a\r\nb", "a\u{0}", "a\u{202e}b"] {
            assert!(Name::parse(bad).is_err(), "{bad:?}");
        }
        for unseen in
            ["\u{200b}", "\u{200d}\u{200c}", "\u{2060} \u{ad}", "\u{3164}", "\u{301}", "\u{200f}", "\u{e0041}", "\u{2800}", "\u{fe0f}"]
        {
            assert!(Name::parse(unseen).is_err(), "{unseen:?}");
        }
        for good in ["é", "e\u{301}", "🩰", "👩\u{200d}🦰", "M\u{200c}M", "7", "ก็", "か\u{3099}"] {
            assert!(Name::parse(good).is_ok(), "{good:?}");
        }
        for bad in MESSAGES {
            assert!(Name::parse(bad).is_err(), "{bad:?}");
        }
        for good in CALLED {
            assert_eq!(Name::parse(good).map(Name::into_string), Ok(good.to_owned()), "{good:?}");
        }
        for bad in ["x", "a@b\r\nBcc: c@d.test", "a b@c.test", "@d.test"] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "shop", "ftp://a.test/", "javascript:alert(1)", "https://", "https://a.test/\nb", "https://a b.test/", "//a.test"] {
            assert!(WebAddress::parse(bad).is_err(), "{bad:?}");
        }
        assert!(WebAddress::parse(" https://studio.example/shop?x=1#y ").is_ok());
        assert_eq!(Email::parse("Ana@Example.TEST").map(|email| email.key()), Ok("ana@example.test".into()));
        assert_eq!(Email::parse("ａna＠example.test").map(|email| email.as_str().to_owned()), Ok("ana@example.test".into()));
    }

    #[test]
    fn a_domain_is_the_same_in_letters_and_in_punycode() {
        for spelling in ["a@münchen.de", "A@MÜNCHEN.DE", "a@mu\u{308}nchen.de", "a@xn--mnchen-3ya.de", "a@XN--MNCHEN-3YA.de"] {
            let email = Email::parse(spelling).unwrap();
            assert_eq!(email.key(), "a@münchen.de", "{spelling}");
            assert!(email.for_mail_servers().eq_ignore_ascii_case("a@xn--mnchen-3ya.de"), "{spelling}");
        }
        // Only the domain: the part before it is the mailbox's own affair.
        assert_eq!(Email::parse("xn--mnchen-3ya@a.de").unwrap().key(), "xn--mnchen-3ya@a.de");
        assert_ne!(Email::parse("a@straße.de").unwrap().key(), Email::parse("a@strasse.de").unwrap().key());
        assert_eq!(Email::parse("a@xn--zzzzzz-.de").map_or_else(|_| String::new(), |email| email.key()).matches('\u{fffd}').count(), 0);
        assert_eq!(address_key("Ana"), "ana");
    }
}
