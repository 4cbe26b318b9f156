//! How people are found: the key stored beside a name in the database, and what a front desk types, made comparable with it.
//!
//! A key has a line for each way a name may be typed, the one by which it is sorted first: 单雨 is "dan yu", "单雨", "danyu", "shanyu" …,
//! "dy", "sy"; Dürr is "durr" and "duerr". Accents, case, apostrophes and hyphens make no difference, and neither does the order of words.

use deunicode::deunicode_char;
use pinyin::{ToPinyin, ToPinyinMulti};
use unicode_normalization::UnicodeNormalization;

use crate::text::{address_key, is_unseen};

/// The most ways to read a whole name. Names have few characters, and few characters more than two readings.
const READINGS_MAX: usize = 32;

/// The longest key: PostgreSQL's indexes take 2,700 bytes.
const KEY_BYTES_MAX: usize = 2_000;

/// Beyond this many characters nobody would notice the order.
const SORTED_CHARS_MAX: usize = 100;

/// Words of a search that are looked for separately, in any order; any that follow belong to the last.
const WORDS_MAX: usize = 4;

/// What a name is found by, and, as the first line, sorted by. Empty for no name.
pub fn name_key(name: &str) -> String {
    let words = words(name);
    let mut lines = vec![sort_key(name), folded(name)];
    let syllables: Vec<&Syllable> = words.iter().flatten().collect();
    let readings = readings(&syllables);
    lines.extend(readings.iter().map(|reading| reading.concat()));
    if syllables.iter().any(|syllable| syllable.is_han()) {
        lines.extend(readings.iter().map(|reading| reading.iter().filter_map(|part| part.chars().next()).collect()));
    }
    let mut key = String::new();
    let mut seen = std::collections::HashSet::new();
    for line in lines {
        if !line.is_empty() && key.len() + line.len() + 2 <= KEY_BYTES_MAX && seen.insert(line.clone()) {
            key.push('\n');
            key.push_str(&line);
        }
    }
    if !key.is_empty() {
        key.push('\n');
    }
    key
}

/// How people are listed: as a name is usually spelt, Chinese by pinyin.
pub fn sort_key(name: &str) -> String {
    let spelt = |syllable: &Syllable| syllable.readings.first().cloned().unwrap_or_default();
    let words: Vec<String> = words(name).iter().flatten().map(spelt).filter(|part| !part.is_empty()).collect();
    words.join(" ").chars().take(SORTED_CHARS_MAX).collect()
}

/// Whether two names are the same, apart from accents, case and spaces. Characters that only sound alike are not.
pub fn same_name(one: &str, other: &str) -> bool {
    folded(one) == folded(other)
}

/// The name in its own characters, without what makes no difference and without spaces.
pub fn folded(name: &str) -> String {
    words(name).iter().flatten().map(|syllable| syllable.written.as_str()).collect()
}

/// What a front desk types, as patterns (`LIKE … ESCAPE '\'`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// Each must be found in a name's key; `%` finds every name.
    pub words: [String; WORDS_MAX],
    /// The key has the whole as one of its lines.
    pub exact: String,
    /// A line of the key begins with the whole, or a word of the name does.
    pub begins: [String; 2],
    /// Found anywhere in an address.
    pub address: String,
}

impl Typed {
    pub fn parse(text: &str) -> Self {
        let written: Vec<String> = words(text).iter().map(|word| word.iter().map(|part| escaped(&part.written)).collect()).collect();
        let mut found: [String; WORDS_MAX] = std::array::from_fn(|_| String::new());
        for (n, word) in written.iter().enumerate() {
            found[n.min(WORDS_MAX - 1)].push_str(word);
        }
        let whole = written.concat();
        Self {
            words: found.map(|word| if word.is_empty() { "%".into() } else { format!("%{word}%") }),
            exact: format!("%\n{whole}\n%"),
            begins: [format!("%\n{whole}%"), format!("% {whole}%")],
            address: format!("%{}%", escaped(&address_key(text.trim()))),
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// A Chinese character, or the rest of a word without one.
#[derive(Debug)]
struct Syllable {
    /// In its own characters, folded.
    written: String,
    /// As it may be typed on a plain keyboard, the usual way first; none is empty.
    readings: Vec<String>,
}

impl Syllable {
    fn is_han(&self) -> bool {
        self.readings.first().is_some_and(|reading| *reading != self.written)
    }
}

/// The words of a text, and each in syllables.
fn words(text: &str) -> Vec<Vec<Syllable>> {
    // Composed: ü is one letter with a spelling of its own.
    let text: String = text.nfkc().filter(|c| c.is_whitespace() || !(is_unseen(*c) || is_apostrophe(*c))).collect();
    let words = text.split(|c: char| c.is_whitespace() || is_hyphen(c)).map(syllables);
    words.filter(|word| !word.is_empty()).collect()
}

fn syllables(word: &str) -> Vec<Syllable> {
    let mut syllables: Vec<Syllable> = Vec::new();
    let mut letters: Vec<Vec<String>> = Vec::new();
    for c in word.chars() {
        match han(c) {
            Some(readings) => {
                syllables.extend(latin(std::mem::take(&mut letters)));
                syllables.push(Syllable { written: c.to_string(), readings });
            }
            None => letters.push(spellings(c)),
        }
    }
    syllables.extend(latin(letters));
    syllables
}

/// Letters in a row: written as they are usually spelt, and spelt the other ways besides (Müller, Mueller).
fn latin(letters: Vec<Vec<String>>) -> Option<Syllable> {
    let written: String = letters.iter().filter_map(|spellings| spellings.first()).map(String::as_str).collect();
    if written.is_empty() {
        return None;
    }
    let mut readings = vec![written.clone()];
    let others: String = letters.iter().filter_map(|spellings| spellings.last()).map(String::as_str).collect();
    if others != written {
        readings.push(others);
    }
    Some(Syllable { written, readings })
}

/// All readings of a Chinese character in pinyin without tones.
fn han(c: char) -> Option<Vec<String>> {
    let mut readings = Vec::new();
    let usual = c.to_pinyin()?;
    let all = c.to_pinyin_multi().into_iter().flatten();
    for pinyin in std::iter::once(usual).chain(all) {
        // 吕 is lü: typed lv, and written lyu or lu in passports.
        for vowel in ["v", "yu", "u"] {
            let typed = pinyin.plain().replace(['ü', 'v'], vowel);
            if !readings.contains(&typed) {
                readings.push(typed);
            }
        }
    }
    Some(readings)
}

/// A letter of any other script in the plain alphabet, small, the usual way first.
fn spellings(c: char) -> Vec<String> {
    let Some(plain) = deunicode_char(c) else { return vec![c.to_lowercase().collect()] };
    let usual = plain.split_whitespace().collect::<String>().to_lowercase();
    let other = match c {
        'ä' | 'Ä' => "ae",
        'ö' | 'Ö' | 'ø' | 'Ø' => "oe",
        'ü' | 'Ü' => "ue",
        'å' | 'Å' => "aa",
        _ => return vec![usual],
    };
    vec![usual, other.into()]
}

/// All readings of these syllables, at most [`READINGS_MAX`]: where there are more, later syllables are read only in the usual way.
fn readings<'s>(syllables: &[&'s Syllable]) -> Vec<Vec<&'s str>> {
    let mut all: Vec<Vec<&str>> = vec![Vec::new()];
    for syllable in syllables {
        let ways = if all.len() * syllable.readings.len() <= READINGS_MAX { syllable.readings.len() } else { 1 };
        let ways = &syllable.readings[..ways.min(syllable.readings.len())];
        all = all.iter().flat_map(|before| ways.iter().map(|way| [before.as_slice(), &[way.as_str()]].concat())).collect();
    }
    all
}

const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '`' | '´' | 'ʹ' | 'ʻ' | 'ʼ' | 'ʾ' | 'ʿ' | '‘' | '’' | '‛' | '′')
}

const fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '‐' | '‑' | '‒' | '–' | '—' | '−' | '·' | '・')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(typed: &str, name: &str) -> bool {
        let key = name_key(name);
        let typed = Typed::parse(typed);
        // As LIKE does with a pattern whose only wildcards are at its ends.
        typed.words.iter().all(|word| key.contains(word.trim_matches('%').replace('\\', "").as_str()))
    }

    #[test]
    fn names_are_found_as_they_are_typed() {
        for (typed, name) in [
            ("durr", "Anna Dürr"),
            ("DÜRR", "Anna Dürr"),
            ("du\u{308}rr", "Anna Dürr"),
            ("duerr", "Anna Dürr"),
            ("dürr", "Anna Durr"),
            ("eloise", "Éloïse"),
            ("Éloïse", "eloise"),
            ("strasse", "Straße"),
            ("soren", "Søren"),
            ("soeren", "Søren"),
            ("lukasz", "Łukasz"),
            ("aerosmith", "Ærosmith"),
            ("thorr", "Þórr"),
            ("nguyen", "Nguyễn"),
            ("isil", "Işıl"),
            ("obrien", "O’Brien"),
            ("o'brien", "OBrien"),
            ("anne marie", "Anne-Marie"),
            ("annemarie", "Anne-Marie"),
            ("ivan", "Иван"),
            ("иван", "Иван"),
            ("ruiz ana", "Ana Ruíz"),
            ("wml", "王美丽"),
            ("ml", "王美丽"),
            ("wangmeili", "王美丽"),
            ("wang meili", "王美丽"),
            ("Meili Wang", "王美丽"),
            ("wang mei li", "王美丽"),
            ("王 美丽", "王美丽"),
            ("美丽", "王美丽"),
            ("shan", "单雨"),
            ("shanyu", "单雨"),
            ("dan yu", "单雨"),
            ("sy", "单雨"),
            ("chongqing", "重庆"),
            ("zhongqing", "重庆"),
            ("lvna", "吕娜"),
            ("lu na", "吕娜"),
            ("lyu na", "吕娜"),
            ("linyue lin", "林月 Lin"),
            ("ana", "A\u{200b}na"),
            ("", "Ana"),
        ] {
            assert!(finds(typed, name), "{typed:?} does not find {name:?}: {:?}", name_key(name));
        }
        for (typed, name) in [("durr", "Dora"), ("wml", "王美"), ("李", "王美丽"), ("ana ruiz", "Ana"), ("wmx", "王美丽")] {
            assert!(!finds(typed, name), "{typed:?} finds {name:?}: {:?}", name_key(name));
        }
    }

    #[test]
    fn a_key_has_a_line_for_each_way() {
        assert_eq!(name_key("Ana  Ruíz"), "\nana ruiz\nanaruiz\n");
        let key = name_key("王美丽");
        assert!(key.starts_with("\nwang mei li\n王美丽\nwangmeili\n") && key.contains("\nwml\n"), "{key:?}");
        assert_eq!(name_key(""), "");
        assert!(name_key("单雨").starts_with("\ndan yu\n单雨\ndanyu\n"), "{:?}", name_key("单雨"));
    }

    #[test]
    fn a_key_is_bounded() {
        for name in ["单".repeat(200), "ü".repeat(200), "Ø ".repeat(100), "重庆".repeat(3), "\u{20000}".repeat(200)] {
            let key = name_key(&name);
            assert!(key.len() <= KEY_BYTES_MAX, "{} bytes", key.len());
            assert!(key.lines().count() <= 2 * READINGS_MAX + 3, "{} lines", key.lines().count());
            assert!(!key.is_empty());
        }
    }

    #[test]
    fn names_are_listed_as_they_are_spelt() {
        let names = ["ana", "Ana Ruiz", "Anab", "Éloïse", "李 娜", "林月", "Lina", "Zoë"];
        for by in [sort_key as fn(&str) -> String, name_key] {
            let mut sorted = names;
            sorted.reverse();
            sorted.sort_by_key(|name| by(name));
            assert_eq!(sorted, names);
        }
    }

    #[test]
    fn names_that_sound_alike_are_not_the_same() {
        assert!(same_name("Anna Dürr", "anna  durr"));
        assert!(same_name("王 美丽", "王美丽"));
        assert!(!same_name("王丽", "王莉"));
        assert!(!same_name("Kid One", "Kid Two"));
    }

    #[test]
    fn what_is_typed_cannot_be_a_pattern() {
        let typed = Typed::parse("100%_\\");
        assert_eq!(typed.words[0], "%100\\%\\_\\\\%");
        assert_eq!(Typed::parse("Ana@MÜNCHEN.de").address, "%ana@münchen.de%");
        assert_eq!(Typed::parse("ana@xn--mnchen-3ya.de").address, "%ana@münchen.de%");
        assert_eq!(Typed::parse("a b c d e").words, ["%a%", "%b%", "%c%", "%de%"]);
        assert_eq!(Typed::parse("").words, ["%", "%", "%", "%"]);
    }
}
