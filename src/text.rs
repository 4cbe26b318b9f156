//! Texts that people write, parsed: no control characters, no absurd lengths; and the keys by which they are compared and found.

use std::fmt;

use pinyin::ToPinyin;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;

use crate::language::Texts;

/// A text of at most `MAX` characters on one line: a name, a phone number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(transparent)]
pub struct Line<const MAX: usize>(String);

/// A person's, studio's or room's name.
pub type Name = Line<200>;

impl<const MAX: usize> Line<MAX> {
    /// Trims and checks.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("must not be empty".into());
        }
        if text.chars().count() > MAX {
            return Err(format!("must have at most {MAX} characters"));
        }
        if text.chars().any(|c| c.is_control() || is_invisible(c)) {
            return Err("must not have control characters".into());
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<const MAX: usize> fmt::Display for Line<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Line<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A text of several lines, at most 4,000 characters: a description, the rules, a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(transparent)]
pub struct Note(String);

/// The most characters of a [`Note`].
const NOTE_CHARS_MAX: usize = 4_000;

impl Note {
    /// The text.
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
            return Err(D::Error::custom(format_args!("must have at most {NOTE_CHARS_MAX} characters")));
        }
        if text.chars().any(|c| (c.is_control() && c != '\n' && c != '\t') || is_invisible(c)) {
            return Err(D::Error::custom("must not have control characters"));
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency(String);

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.0
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if is_currency(&text) { Ok(Self(text)) } else { Err(D::Error::custom("must be a currency of ISO 4217 like \"EUR\"")) }
    }
}

/// The address of a web page: http or https, at most 2,000 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebAddress(String);

impl WebAddress {
    /// Trims and checks.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        // The parser would drop line breaks and tabs in silence.
        let sane = text.len() <= 2_000 && !text.chars().any(|c| c.is_control() || c.is_whitespace() || is_invisible(c));
        let parsed = sane.then(|| url::Url::parse(text).ok()).flatten();
        match parsed {
            Some(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(Self(text.to_owned())),
            _ => Err("must be an address like \"https://studio.example/shop\""),
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
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Characters that turn the direction of what follows: a name could pose as another.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// An e-mail address that lettre would send to (RFC 5321), at most 254 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// Trims, folds look-alikes (full-width letters, the Kelvin sign) into what they look like, and checks: letters go to the very
    /// address by which it is compared.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text: String = text.trim().nfkc().take(255).collect();
        if text.len() > 254 || text.chars().any(char::is_control) || text.parse::<lettre::Address>().is_err() {
            return Err("must be an e-mail address".into());
        }
        Ok(Self(text))
    }

    /// The address as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// By which two spellings are the same address.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// What a name is found by: NFKC and lower case, and for Chinese also pinyin with and without spaces.
pub fn search_key(name: &str) -> String {
    let folded = fold(name);
    let syllables: Vec<String> =
        folded.chars().map(|c| c.to_pinyin().map_or_else(|| c.to_string(), |pinyin| format!(" {} ", pinyin.plain()))).collect();
    let spelt = syllables.concat().split_whitespace().collect::<Vec<_>>().join(" ");
    if spelt == folded {
        return folded;
    }
    let together = spelt.replace(' ', "");
    format!("{folded} {spelt} {together}")
}

/// By what people are listed: as a name is spelt, Chinese by pinyin.
pub fn sort_key(name: &str) -> String {
    let spelt: String =
        fold(name).chars().map(|c| c.to_pinyin().map_or_else(|| c.to_string(), |pinyin| format!(" {} ", pinyin.plain()))).collect();
    fold(&spelt)
}

/// The text as it is compared: NFKC, lower case, single spaces.
pub fn fold(text: &str) -> String {
    text.nfkc().collect::<String>().to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A `LIKE` pattern (`ESCAPE '\'`) that finds `text` anywhere.
pub fn contains_pattern(text: &str) -> String {
    let escaped = fold(text).replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_pinyin() {
        assert_eq!(search_key("林月 Lin"), "林月 lin lin yue lin linyuelin");
        assert_eq!(search_key("Ana  Ruíz"), "ana ruíz");
    }

    #[test]
    fn names_are_listed_as_they_are_spelt() {
        let mut names = ["Zoë", "林月", "ana", "Lina", "李 娜"];
        names.sort_by_key(|name| sort_key(name));
        assert_eq!(names, ["ana", "李 娜", "林月", "Lina", "Zoë"]);
    }

    #[test]
    fn hostile_texts_are_refused() {
        for bad in ["", "  ", "a\r\nb", "a\u{0}", "a\u{202e}b"] {
            assert!(Name::parse(bad).is_err(), "{bad:?}");
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
}
