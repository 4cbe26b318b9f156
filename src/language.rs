//! The languages that members read: which one a reader gets, and texts that exist in several.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A language that members read. `zh`, `zh-CN`, `zh-SG` mean simplified; `zh-TW`, `zh-HK`, `zh-MO` traditional Chinese.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, sqlx::Type, ToSchema)]
#[sqlx(type_name = "text")]
#[schema(as = LanguageTag)]
pub enum Language {
    /// English.
    #[serde(rename = "en")]
    #[sqlx(rename = "en")]
    En,
    /// Chinese in simplified characters.
    #[serde(rename = "zh-Hans")]
    #[sqlx(rename = "zh-Hans")]
    ZhHans,
    /// Chinese in traditional characters.
    #[serde(rename = "zh-Hant")]
    #[sqlx(rename = "zh-Hant")]
    ZhHant,
}

impl Language {
    /// Every language, in the order in which documents list them.
    pub const ALL: [Self; 3] = [Self::En, Self::ZhHans, Self::ZhHant];

    /// The BCP 47 tag, as it stands in JSON, in the database and in a page's `lang`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::ZhHans => "zh-Hans",
            Self::ZhHant => "zh-Hant",
        }
    }

    /// The language that a BCP 47 tag asks for, if it is one of ours.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let tag = tag.trim().to_ascii_lowercase();
        let mut parts = tag.split(['-', '_']);
        match parts.next()? {
            "en" => Some(Self::En),
            "zh" => {
                let mut language = Self::ZhHans;
                for part in parts {
                    match part {
                        "hans" => return Some(Self::ZhHans),
                        "hant" => return Some(Self::ZhHant),
                        "tw" | "hk" | "mo" => language = Self::ZhHant,
                        _ => {}
                    }
                }
                Some(language)
            }
            _ => None,
        }
    }

    /// The best of an `Accept-Language` header (RFC 9110, 12.5.4), if it names one of ours.
    pub fn of_header(header: &str) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for item in header.split(',').take(32) {
            let mut pieces = item.split(';');
            let Some(language) = pieces.next().and_then(Self::of_tag) else {
                continue;
            };
            let weight = pieces.find_map(|piece| piece.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            if weight > 0.0 && best.is_none_or(|(most, _)| weight > most) {
                best = Some((weight, language));
            }
        }
        best.map(|(_, language)| language)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// A text in one or more languages: English always, Chinese where the studio wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// English, and what is read where a language is missing.
    pub en: String,
    /// Simplified Chinese.
    #[serde(rename = "zh-Hans", default, skip_serializing_if = "Option::is_none")]
    pub zh_hans: Option<String>,
    /// Traditional Chinese.
    #[serde(rename = "zh-Hant", default, skip_serializing_if = "Option::is_none")]
    pub zh_hant: Option<String>,
}

impl Texts {
    /// The text as this reader gets it. The two scripts of Chinese stand in for each other before English does.
    pub fn read(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::ZhHans => self.zh_hans.as_ref().or(self.zh_hant.as_ref()).unwrap_or(&self.en),
            Language::ZhHant => self.zh_hant.as_ref().or(self.zh_hans.as_ref()).unwrap_or(&self.en),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_choose_the_script() {
        for (tag, language) in [
            ("zh", Language::ZhHans),
            ("zh-CN", Language::ZhHans),
            ("zh-SG", Language::ZhHans),
            ("zh-TW", Language::ZhHant),
            ("zh_HK", Language::ZhHant),
            ("zh-Hans-HK", Language::ZhHans),
            ("en-GB", Language::En),
        ] {
            assert_eq!(Language::of_tag(tag), Some(language), "{tag}");
        }
        assert_eq!(Language::of_tag("fr"), None);
    }

    #[test]
    fn the_header_is_weighed() {
        assert_eq!(Language::of_header("fr, en;q=0.5, zh-TW;q=0.8"), Some(Language::ZhHant));
        assert_eq!(Language::of_header("en;q=0, zh"), Some(Language::ZhHans));
        assert_eq!(Language::of_header("fr"), None);
    }
}
