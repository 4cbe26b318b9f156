//! Lengths of time as people write them: `12 h`, `90 min`, `1:30`, or a plain number of minutes. Pure.

use unicode_normalization::UnicodeNormalization as _;

use crate::language::Language;

/// `12 h`, `1 h 30 min`, `45 min`.
pub fn written(minutes: i64, language: Language) -> String {
    let [hour, minute, space] = match language {
        Language::En => [" h", " min", " "],
        Language::ZhHans => ["小时", "分钟", ""],
        Language::ZhHant => ["小時", "分鐘", ""],
    };
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}{minute}"),
        (hours, 0) => format!("{hours}{hour}"),
        (hours, minutes) => format!("{hours}{hour}{space}{minutes}{minute}"),
    }
}

/// The minutes of a length of time, as it was typed in any of these languages.
pub fn read(text: &str) -> Option<i64> {
    let text: String = text.nfkc().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).take(32).collect();
    if let Some((hours, minutes)) = text.split_once(':') {
        return Some(number(hours)? * 60 + number(minutes).filter(|minutes| *minutes < 60 && minutes_are_two(&text))?);
    }
    let mut rest = text.as_str();
    let (mut all, mut least) = (0, i64::MAX);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (count, behind) = rest.split_at(digits);
        let unit = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(unit);
        let minutes = match unit {
            "h" | "hr" | "hrs" | "hour" | "hours" | "小时" | "小時" | "时" | "時" => 60,
            "m" | "min" | "mins" | "minute" | "minutes" | "分" | "分钟" | "分鐘" => 1,
            // A plain number stands alone.
            "" if all == 0 && least == i64::MAX => 1,
            _ => return None,
        };
        // Hours, then minutes.
        if minutes >= least {
            return None;
        }
        (all, least, rest) = (all + number(count)? * minutes, minutes, behind);
    }
    (least < i64::MAX).then_some(all)
}

fn minutes_are_two(text: &str) -> bool {
    text.rsplit(':').next().is_some_and(|minutes| minutes.len() == 2)
}

/// A number of a few digits.
fn number(digits: &str) -> Option<i64> {
    if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) { None } else { digits.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_as_people_write_them() {
        for (text, minutes) in [
            ("12 h", Some(720)),
            ("12h", Some(720)),
            ("90 min", Some(90)),
            ("1:30", Some(90)),
            ("0:05", Some(5)),
            ("720", Some(720)),
            ("1 h 30 min", Some(90)),
            ("2 Hours", Some(120)),
            ("１２小时", Some(720)),
            ("1小時30分鐘", Some(90)),
            ("0", Some(0)),
            ("", None),
            ("soon", None),
            ("h", None),
            ("1:5", None),
            ("1:75", None),
            ("30 min 1 h", None),
            ("1 h 30", None),
            ("-5", None),
            ("1.5 h", None),
            ("9999999", None),
            ("5 days", None),
        ] {
            assert_eq!(read(text), minutes, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        assert_eq!([written(720, Language::En), written(90, Language::En), written(0, Language::ZhHant)], ["12 h", "1 h 30 min", "0分鐘"]);
        for minutes in 0..3_000 {
            for language in Language::ALL {
                assert_eq!(read(&written(minutes, language)), Some(minutes));
            }
        }
    }
}
