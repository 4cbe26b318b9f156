//! When the end of a pass is told ahead. Pure.

use chrono::{DateTime, NaiveTime, Utc};
use chrono_tz::Tz;

use super::validity::{OPEN_END, shifted};
use crate::passes::Pass;
use crate::zones::{instant, local_date};

/// How many days ahead.
pub const DAYS_AHEAD: [i64; 2] = [14, 2];

/// At what time of the studio's day: when people read, and long after quiet hours.
const TOLD_AT: NaiveTime = match NaiveTime::from_hms_opt(10, 0, 0) {
    Some(time) => time,
    None => NaiveTime::MIN,
};

/// Each of them, the earliest first. None for what has no end, or has ended.
fn moments(pass: &Pass, zone: Tz) -> impl Iterator<Item = (i64, DateTime<Utc>)> {
    let ends = pass.ended_at.is_none() && pass.expires_on < OPEN_END;
    let last = pass.expires_on;
    DAYS_AHEAD.into_iter().filter(move |_| ends).map(move |days| (days, instant(shifted(last, -days).and_time(TOLD_AT), zone)))
}

/// When it is looked at next.
pub fn next(pass: &Pass, zone: Tz, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    moments(pass, zone).map(|(_, at)| at).find(|at| *at > now)
}

/// How many days ahead its end is told now, if it is: of what was missed only the latest, and nothing of a pack that is empty.
pub fn due(pass: &Pass, zone: Tz, now: DateTime<Utc>) -> Option<i64> {
    if pass.credits_left == Some(0) || local_date(now, zone) > pass.expires_on {
        return None;
    }
    moments(pass, zone).filter(|(_, at)| *at <= now).last().map(|(days, _)| days)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use uuid::Uuid;

    use super::*;
    use crate::language::Texts;
    use crate::passes::{NewPass, PassKind, Sale};

    const ZONE: Tz = chrono_tz::America::New_York;

    fn pass(expires_on: &str) -> Pass {
        let new = NewPass {
            name: Texts { en: "Ten".into(), zh_hans: None, zh_hant: None },
            kind: PassKind::Pack,
            credits_left: Some(3),
            per_week: None,
            starts_on: None,
            expires_on: expires_on.parse().unwrap(),
            from_first: None,
            freeze_days_max: 0,
            transferable: false,
            class_type_ids: None,
            studio_ids: Vec::new(),
        };
        let id = Uuid::nil();
        Pass::sold(Sale { id, studio_id: id, person_id: id, pass_type_id: id, at: DateTime::UNIX_EPOCH, by: None }, new)
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn two_weeks_and_two_days_ahead() {
        // The clocks are put forward on 14 March 2027.
        let (pass, two_weeks, two_days) = (pass("2027-03-25"), at("2027-03-11T15:00:00Z"), at("2027-03-23T14:00:00Z"));
        for (now, told, then) in [
            ("2027-01-01T00:00:00Z", None, Some(two_weeks)),
            ("2027-03-11T14:59:59Z", None, Some(two_weeks)),
            ("2027-03-11T15:00:00Z", Some(14), Some(two_days)),
            ("2027-03-20T00:00:00Z", Some(14), Some(two_days)),
            ("2027-03-23T14:00:00Z", Some(2), None),
            // Its last day, and the first after it, in New York.
            ("2027-03-26T03:59:59Z", Some(2), None),
            ("2027-03-26T04:00:00Z", None, None),
        ] {
            assert_eq!((due(&pass, ZONE, at(now)), next(&pass, ZONE, at(now))), (told, then), "{now}");
        }
    }

    #[test]
    fn what_is_not_told() {
        let now = at("2027-03-20T00:00:00Z");
        let empty = Pass { credits_left: Some(0), ..pass("2027-03-25") };
        assert_eq!((due(&empty, ZONE, now), next(&empty, ZONE, now).is_some()), (None, true), "it may be given credits yet");
        let ended = Pass { ended_at: Some(now), ..pass("2027-03-25") };
        assert_eq!((due(&ended, ZONE, now), next(&ended, ZONE, now)), (None, None));
        let open = Pass { expires_on: OPEN_END, ..pass("2027-03-25") };
        assert_eq!((due(&open, ZONE, now), next(&open, ZONE, now)), (None, None));
        let sold_late = pass("2027-03-25");
        assert_eq!(next(&sold_late, ZONE, now), Some(at("2027-03-23T14:00:00Z")), "sold with five days left, two weeks are not told");
        assert_eq!(NaiveDate::from_ymd_opt(2199, 12, 31), Some(OPEN_END));
    }
}
