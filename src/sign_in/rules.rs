//! What counts when somebody signs in: pure decisions about passwords and codes.

use chrono::{DateTime, TimeDelta, Utc};

use crate::wrong::Wrong;

/// The fewest characters of a password.
pub const PASSWORD_CHARS_MIN: usize = 10;
/// The most characters of a password.
pub const PASSWORD_CHARS_MAX: usize = 128;

/// How long a mailed code lives.
pub const CODE_LIFE: TimeDelta = TimeDelta::minutes(15);
/// Wrong codes that are heard before the right one no longer works.
pub const CODE_TRIES_MAX: i64 = 5;
/// Codes that are mailed to one address for one purpose within [`CODES_PERIOD`].
pub const CODES_MAX: usize = 5;
/// The period in which [`CODES_MAX`] counts.
pub const CODES_PERIOD: TimeDelta = TimeDelta::hours(1);

/// Registrations that wait for the confirmation of one address. More than codes are mailed to it while one of them lives.
pub const REGISTRATIONS_MAX: usize = 10;

/// Devices that a person may be signed in on; one more signs out the one that was not used for longest.
pub const DEVICES_MAX: i64 = 20;
/// Devices of a person that are remembered after they were signed out, those used last.
pub const DEVICES_REMEMBERED: i64 = 100;

/// How long an invitation to a studio's staff lives.
pub const INVITATION_LIFE: TimeDelta = TimeDelta::days(14);

/// How long somebody may change their mind before the account is deleted.
pub const DELETION_DELAY: TimeDelta = TimeDelta::days(7);

/// When another code may be mailed, if not now. `sent` are the instants of those before, in any order.
pub fn next_code_at(sent: &[DateTime<Utc>], now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let mut recent: Vec<_> = sent.iter().filter(|at| **at + CODES_PERIOD > now).collect();
    recent.sort();
    // The oldest of the last five must have left the period.
    let oldest = recent.len().checked_sub(CODES_MAX).and_then(|index| recent.get(index))?;
    Some(**oldest + CODES_PERIOD)
}

/// Which of the registrations that wait for an address go so that one more may wait; `None` if as many as may be are still waited for. Whether
/// the code of each still works, the newest first: whose does is nobody's to push out.
pub fn make_room(lives: &[bool]) -> Option<Vec<usize>> {
    let surplus = (lives.len() + 1).saturating_sub(REGISTRATIONS_MAX);
    let oldest = lives.iter().enumerate().rev().filter(|(_, lives)| !**lives).map(|(index, _)| index);
    let gone: Vec<usize> = oldest.take(surplus).collect();
    (gone.len() == surplus).then_some(gone)
}

/// Whether a password may be chosen; the reason if not.
pub fn check_password(password: &str) -> Result<(), Wrong> {
    let length = password.chars().count();
    if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&length) {
        return Err(Wrong::PasswordLength { min: PASSWORD_CHARS_MIN, max: PASSWORD_CHARS_MAX });
    }
    if is_common(password) {
        return Err(Wrong::PasswordCommon);
    }
    Ok(())
}

/// What everybody tries first, one a line.
const COMMON: &str = include_str!("common_passwords.txt");

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
    // The word that stands between the digits and signs which are put round it.
    let word = lower.trim_matches(|c: char| !c.is_alphabetic());
    let word: String = word.chars().map(unmask).filter(|c| c.is_alphanumeric()).collect();
    let distinct = lower.chars().collect::<std::collections::BTreeSet<_>>().len();
    distinct < 4
        || COMMON.lines().any(|common| common == lower || common == plain || common == word)
        || is_repeated(&lower)
        || [&lower, &plain].into_iter().any(|text| is_walk(text))
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

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::minutes(minutes)
    }

    #[test]
    fn five_codes_an_hour() {
        let sent: Vec<_> = (0..5).map(|n| at(n * 10)).collect();
        assert_eq!(next_code_at(sent.get(..4).unwrap(), at(40)), None);
        assert_eq!(next_code_at(&sent, at(41)), Some(at(60)));
        assert_eq!(next_code_at(&sent, at(60)), None);
        assert_eq!(next_code_at(&[], at(0)), None);
    }

    #[test]
    fn who_waits_for_a_letter_is_not_pushed_out() {
        let most = REGISTRATIONS_MAX;
        let dead = |from: usize, of: usize| -> Vec<bool> { (0..of).map(|index| index < from).collect() };
        for (lives, gone) in [
            (vec![], Some(vec![])),
            (dead(0, most - 1), Some(vec![])),
            (dead(0, most), Some(vec![most - 1])),
            (dead(most - 1, most), Some(vec![most - 1])),
            (dead(most, most), None),
            // The oldest whose code has died, not the oldest.
            ([vec![true, false, false], vec![true; most - 3]].concat(), Some(vec![2])),
            // More than there should be, from before there was a limit.
            (dead(1, most + 2), Some(vec![most + 1, most, most - 1])),
            (dead(most, most + 2), None),
        ] {
            assert_eq!(make_room(&lives), gone, "{lives:?}");
        }
    }

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
        ] {
            assert!(check_password(easy).is_err(), "{easy}");
        }
        assert!(check_password(&"长".repeat(129)).is_err());
        for good in ["plie-tendu-releve", "correct horse battery", "两只黄鹂鸣翠柳一行白鹭", "Grand Jete 4 Tuesdays", "kR7#tw!qZ2"]
        {
            assert_eq!(check_password(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn the_list_is_sound() {
        assert!(COMMON.lines().count() >= 200);
        for word in COMMON.lines() {
            assert_eq!(word, word.trim().to_lowercase(), "{word}");
            assert!(!word.is_empty());
        }
    }
}
