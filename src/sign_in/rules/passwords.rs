//! Which passwords may be chosen: none that is short, none that everybody tries first, none that is made of who chooses it.

use std::collections::BTreeSet;

use crate::wrong::Wrong;

/// The fewest characters of a password.
pub const CHARS_MIN: usize = 10;
/// The most characters of a password.
pub const CHARS_MAX: usize = 128;

/// Whether a password may be chosen by anybody; the reason if not.
pub fn check(password: &str) -> Result<(), Wrong> {
    let length = password.chars().count();
    if !(CHARS_MIN..=CHARS_MAX).contains(&length) {
        return Err(Wrong::PasswordLength { min: CHARS_MIN, max: CHARS_MAX });
    }
    if is_common(password) {
        return Err(Wrong::PasswordCommon);
    }
    Ok(())
}

/// Whether a password may be chosen by somebody of whom these words are known, their address and name, in a house whose studios are
/// called so. What is tried second is somebody's own name with a year behind it.
pub fn check_personal(password: &str, own: &[&str], studios: &[String]) -> Result<(), Wrong> {
    let own: Vec<&str> = own.iter().flat_map(|word| [*word, word.split('@').next().unwrap_or_default()]).collect();
    let of_studios = studios.iter().any(|studio| is_made_of(password, own.iter().copied().chain([studio.as_str()])));
    if of_studios || is_made_of(password, own.iter().copied()) { Err(Wrong::PasswordPersonal) } else { Ok(()) }
}

/// Whether all letters of a password are these words, in any order and any number, whatever digits and signs stand among them.
fn is_made_of<'w>(password: &str, words: impl Iterator<Item = &'w str>) -> bool {
    let mut pieces = BTreeSet::new();
    for word in words {
        let lower = word.to_lowercase();
        let parts = lower.split(|c: char| !c.is_alphanumeric()).chain([lower.as_str()]);
        pieces.extend(parts.flat_map(readings).filter(|piece| !piece.is_empty()));
    }
    readings(&password.to_lowercase()).iter().any(|text| !text.is_empty() && is_joined(text, &pieces))
}

/// What is left of a text for one who looks for words in it: letters and digits as they stand, letters alone, and with signs read as the
/// letters for which they are put, whole or without those that are put before or behind.
fn readings(lower: &str) -> [String; 6] {
    let is_put = |c: char| !c.is_alphabetic();
    let unmasked = |text: &str| text.chars().map(unmask).filter(|c| c.is_alphanumeric()).collect();
    [
        lower.chars().filter(|c| c.is_alphanumeric()).collect(),
        lower.chars().filter(|c| c.is_alphabetic()).collect(),
        unmasked(lower),
        unmasked(lower.trim_end_matches(is_put)),
        unmasked(lower.trim_start_matches(is_put)),
        word_within(lower),
    ]
}

/// Whether a text is one of these pieces, or several one after another. Single letters do not join: anything is made of those.
fn is_joined(text: &str, pieces: &BTreeSet<String>) -> bool {
    if pieces.contains(text) {
        return true;
    }
    // The ends of what can be made so far, by bytes.
    let mut ends = BTreeSet::from([0]);
    while let Some(end) = ends.pop_first() {
        let rest = text.get(end..).unwrap_or_default();
        if rest.is_empty() {
            return true;
        }
        ends.extend(
            pieces.iter().filter(|piece| piece.chars().nth(1).is_some() && rest.starts_with(*piece)).map(|piece| end + piece.len()),
        );
    }
    false
}

/// What everybody tries first, one a line, in the order of bytes, in small letters. The ten thousand are the most frequent of the leaked
/// passwords that zxcvbn counts (THIRD-PARTY.md), the long ones and the words round which digits are put before all, and what dancers and
/// Chinese readers choose.
const COMMON: &str = include_str!("../common_passwords.txt");

/// Rows of keys, in which fingers walk.
const WALKS: [&str; 9] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1234qwerasdfzxcv",
];

fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    let plain: String = lower.chars().map(unmask).filter(|c| c.is_alphanumeric()).collect();
    let distinct = lower.chars().collect::<BTreeSet<_>>().len();
    distinct < 4
        || [&lower, &plain, &word_within(&lower)].into_iter().any(|text| is_listed(text))
        || is_repeated(&lower)
        || [&lower, &plain].into_iter().any(|text| is_walk(text))
}

/// Whether the list has this line. The list is searched as it stands, by halves.
fn is_listed(text: &str) -> bool {
    let mut lines = COMMON;
    while !lines.is_empty() {
        let middle = lines.len() / 2;
        // The line in the middle: from behind the line break before it to the one behind it.
        let start = lines.as_bytes().iter().take(middle).rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (before, rest) = lines.split_at_checked(start).unwrap_or_default();
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        match text.cmp(line) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => lines = before,
            std::cmp::Ordering::Greater => lines = after,
        }
    }
    false
}

/// The word that stands between the digits and signs which are put round it.
fn word_within(lower: &str) -> String {
    lower.trim_matches(|c: char| !c.is_alphabetic()).chars().map(unmask).filter(|c| c.is_alphanumeric()).collect()
}

/// The letter for which a digit or sign stands.
const fn unmask(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        c => c,
    }
}

/// `abcabcabcabc`: a short piece over and over.
fn is_repeated(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=chars.len() / 3).any(|piece| chars.iter().skip(piece).zip(&chars).all(|(later, earlier)| later == earlier))
}

/// `qwertyuiop`, `0987654321`: one walk along the keys, forwards or backwards, perhaps twice.
fn is_walk(text: &str) -> bool {
    let half: String = text.chars().take(text.chars().count().div_ceil(2)).collect();
    let twice = text.chars().count() >= 8 && text == format!("{half}{half}");
    WALKS.iter().any(|walk| {
        let back: String = walk.chars().rev().collect();
        [*walk, &back].iter().any(|keys| keys.contains(text) || (twice && keys.contains(&half)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easy_passwords_are_refused() {
        for easy in [
            "short",
            "password123",
            "P@ssw0rd!!",
            "Password12345",
            "1234567890",
            "0987654321",
            "qwertyuiop",
            "QwertyQwerty",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "letmein!!!!",
            "iloveyou2024",
            "1q2w3e4r5t6y",
            "abcdefghijkl",
            "woaini1314520",
            // Known only since the list is long.
            "knickerless",
            "Klondike1897",
            "releve-2026",
        ] {
            assert!(check(easy).is_err(), "{easy}");
        }
        assert!(check(&"长".repeat(129)).is_err());
        for good in ["plie-tendu-releve", "correct horse battery", "两只黄鹂鸣翠柳一行白鹭", "Grand Jete 4 Tuesdays", "kR7#tw!qZ2"]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_is_made_of_oneself_is_refused() {
        let studios = ["Jing'an".to_owned(), "Barre & Sœurs".to_owned()];
        let of = |password: &str| check_personal(password, &["ana.ruiz@lakeside.example", "Ana Ruiz"], &studios);
        for easy in [
            "AnaRuiz2024",
            "ruiz_ana_1990!",
            "ana.ruiz@lakeside.example",
            "4n4ru1z2024",
            "lakeside2024",
            "ana1990ruiz",
            "AnaAnaAna!!",
            "JINGAN-2026",
            "Jing'an-Ana-7",
            "barresœurs1",
            "1234567890ana",
        ] {
            assert_eq!(of(easy), Err(Wrong::PasswordPersonal), "{easy}");
        }
        for good in ["plie-tendu-releve", "ana likes ruins", "Jing'an at dawn", "1234567890qx", "12345!67890", "banana ruiz 1"] {
            assert_eq!(of(good), Ok(()), "{good}");
        }
        let chinese = |password: &str| check_personal(password, &["lin@example.test", "林月"], &["静安舞室".to_owned()]);
        assert_eq!(chinese("林月19900101"), Err(Wrong::PasswordPersonal));
        assert_eq!(chinese("静安舞室2026林月"), Err(Wrong::PasswordPersonal));
        assert_eq!(chinese("两只黄鹂鸣翠柳一行白鹭"), Ok(()));
        // A name of one letter forbids nothing but itself.
        assert_eq!(check_personal("aaa bbb aab", &["a@b.test", "A B"], &[]), Ok(()));
        assert_eq!(check_personal("plie-tendu-releve", &[], &[]), Ok(()));
    }

    #[test]
    fn a_long_password_is_looked_through_at_once() {
        let own = format!("{}@example.test", "ab".repeat(30));
        let began = std::time::Instant::now();
        let _ = check_personal(&"ab".repeat(64), &[&own, "ab abab ababab abababab"], &[]);
        let _ = check_personal(&format!("{}x", "a".repeat(127)), &["aa aaa aaaa aaaaa aaaaaa"], &[]);
        assert!(began.elapsed() < std::time::Duration::from_secs(1));
    }

    #[test]
    fn the_list_is_sound() {
        let lines: Vec<&str> = COMMON.lines().collect();
        assert_eq!(lines.len(), 10_000);
        assert!(lines.is_sorted());
        for word in &lines {
            assert_eq!(*word, word.trim().to_lowercase(), "{word}");
            assert!(!word.is_empty() && is_listed(word), "{word}");
        }
        for other in ["", "!", "zzzzzzzzzzzzzzz", "passworc", "passwordq~", "\u{10ffff}", "两只"] {
            assert!(!is_listed(other), "{other}");
        }
    }
}
