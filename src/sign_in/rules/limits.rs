//! How often somebody may try, or have a code mailed: pure arithmetic of buckets that leak with time (the generic cell rate algorithm,
//! ITU-T I.371), and of the waits that stand where a full bucket would keep the right person out.

use chrono::{DateTime, TimeDelta, Utc};

/// What is counted in the database: for the whole deployment, and over restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Count {
    /// Wrong passwords that strangers tried on one address from one network (IPv4 /24, IPv6 /64).
    PasswordsFrom,
    /// The same from a wider network (IPv6 /48), which one customer of a provider may have to themselves, or thousands together.
    PasswordsFromWide,
    /// Wrong passwords tried on a device that was signed in to this account within 90 days.
    PasswordsOn,
    /// All wrong passwords that strangers tried on one address. It never refuses: it makes strangers wait.
    PasswordsAt,
    /// Right passwords of one address: they cost as much as wrong ones.
    SignIns,
    /// Wrong codes tried on one address from one network.
    CodesFrom,
    /// All wrong codes that were heard at one address. It never refuses: it says who is heard, and how often.
    CodesAt,
    /// Codes of one kind asked for by one asker for one address.
    LettersFor,
    /// All codes that one network asked for without signing in.
    LettersFrom,
    /// The same from a wider network.
    LettersFromWide,
    /// All codes that one person asked for.
    LettersBy,
    /// All codes for one address. It never refuses: it makes askers wait.
    LettersTo,
    /// All codes of the deployment. It never refuses: over it, askers get one at a time.
    Letters,
    /// No count: until when a wait is over, for one stranger at one address.
    PasswordWait,
    /// The same for one asker and one address.
    LetterWait,
}

impl Count {
    /// How many at once, and how fast more.
    pub const fn rate(self) -> Rate {
        match self {
            Self::PasswordsFrom | Self::PasswordsOn => Rate::of(10, 60),
            Self::PasswordsFromWide => Rate::of(60, 10),
            Self::PasswordsAt => Rate::of(200, 300),
            Self::SignIns => Rate::of(40, 30),
            Self::CodesFrom => Rate::of(10, 90),
            Self::CodesAt => Rate::of(CODES_MANY, 180),
            Self::LettersFor => Rate::of(5, 720),
            Self::LettersFrom => Rate::of(100, 10),
            Self::LettersFromWide => Rate::of(400, 3),
            Self::LettersBy => Rate::of(40, 90),
            Self::LettersTo => Rate::of(60, 360),
            Self::Letters => Rate::of(3_000, 1),
            Self::PasswordWait | Self::LetterWait => Rate::of(1, 1),
        }
    }
}

/// At once, and after how long one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many at once.
    pub burst: i64,
    /// After how many seconds one more.
    pub every_s: i64,
}

impl Rate {
    /// So many at once, and one more after so many seconds.
    pub const fn of(burst: i64, every_s: i64) -> Self {
        Self { burst, every_s }
    }

    fn every(self) -> TimeDelta {
        TimeDelta::seconds(self.every_s)
    }

    /// How many are in a bucket that will have leaked empty then; one that has begun to leak counts as whole.
    pub fn level(self, empty_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> i64 {
        let micros = empty_at.map_or(0, |at| (at - now).num_microseconds().unwrap_or(i64::MAX));
        let every = self.every_s.saturating_mul(1_000_000).max(1);
        if micros <= 0 { 0 } else { micros / every + i64::from(micros % every != 0) }
    }

    /// When it will have leaked empty with so many more in it; or, if they have no room, how long to wait for it.
    pub fn with(self, more: i64, empty_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<DateTime<Utc>, TimeDelta> {
        let then = empty_at.map_or(now, |at| at.max(now)) + self.every() * clamped(more);
        let over = then - now - self.every() * clamped(self.burst);
        if over > TimeDelta::zero() { Err(over) } else { Ok(then) }
    }

    /// The same for a bucket that refuses nobody: what has no room runs over.
    pub fn with_at_most(self, more: i64, empty_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DateTime<Utc> {
        self.with(more, empty_at, now).unwrap_or_else(|_| now + self.every() * clamped(self.burst))
    }
}

fn clamped(n: i64) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// Wrong passwords at one address that nobody has to wait for. One more, and its owner is told, once a day.
pub const PASSWORDS_FREE: i64 = 20;
/// The longest wait before a password is heard: a stranger's, and that of a member on a device that is new here.
pub const WAIT_MAX: TimeDelta = TimeDelta::minutes(15);
/// How long a wait that is over counts.
pub const WAIT_COUNTS: TimeDelta = TimeDelta::minutes(15);

/// How long a stranger waits before their next password is heard, by how many wrong ones there were lately: from 15 s, twice as long for
/// every twenty more. It is told before any password is looked at, so it says nothing of it.
pub fn password_wait(wrong: i64) -> TimeDelta {
    doubling(wrong, PASSWORDS_FREE, 20, TimeDelta::seconds(15), WAIT_MAX)
}

/// The longest wait for a letter: each brings a code at which its asker may guess.
pub const LETTER_WAIT_MAX: TimeDelta = TimeDelta::hours(1);

/// How long an asker waits before the next code goes to an address, by how many went there lately.
pub fn letter_wait(sent: i64) -> TimeDelta {
    doubling(sent, 12, 6, TimeDelta::minutes(1), LETTER_WAIT_MAX)
}

/// Wrong codes lately at one address after which only those are heard who asked for a code themselves.
const CODES_FREE: i64 = 20;
/// Wrong codes lately at one address after which even they have one try: very many ask there, and each of them guesses.
const CODES_MANY: i64 = 100;

/// How many wrong ones of a code are heard before the right one no longer works, by how many wrong ones there were at its address lately.
pub const fn code_tries(is_own: bool, wrong: i64) -> i64 {
    match (is_own, wrong) {
        (true, ..CODES_MANY) => 5,
        (true, _) => 1,
        // Strangers are not counted against the code, only against each other.
        (false, ..CODES_FREE) => i64::MAX,
        (false, _) => 0,
    }
}

fn doubling(level: i64, free: i64, step: i64, first: TimeDelta, most: TimeDelta) -> TimeDelta {
    if level <= free {
        return TimeDelta::zero();
    }
    let doubled = (level - free - 1) / step;
    // Ten times doubled is beyond any wait here.
    (first * (1 << doubled.clamp(0, 10))).min(most)
}

/// What somebody who has to wait is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// They have waited, or need not.
    Now,
    /// They are waiting.
    In(TimeDelta),
    /// They have only come: their wait begins, and is over then.
    After(TimeDelta),
}

/// Whose turn it is. `kept_until` is until when their wait is remembered: [`WAIT_COUNTS`] after its end.
pub fn turn(wait: TimeDelta, kept_until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Turn {
    if wait <= TimeDelta::zero() {
        return Turn::Now;
    }
    match kept_until.filter(|until| *until > now) {
        None => Turn::After(wait),
        Some(until) if until - WAIT_COUNTS > now => Turn::In(until - WAIT_COUNTS - now),
        Some(_) => Turn::Now,
    }
}

/// Codes of the deployment within so short a time are no studio's day: askers get one at a time, and each can still have one.
pub const fn is_strained(letters: i64) -> bool {
    letters >= Count::Letters.rate().burst
}

/// How many an asker may have at once while the deployment is strained. Who is signed in is known and not meant.
pub const fn strained(count: Count) -> Rate {
    let rate = count.rate();
    match count {
        Count::LettersFor => Rate::of(1, rate.every_s),
        Count::LettersFrom => Rate::of(3, rate.every_s),
        Count::LettersFromWide => Rate::of(30, rate.every_s),
        _ => rate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(seconds)
    }

    #[test]
    fn a_bucket_fills_and_leaks() {
        let rate = Rate::of(3, 60);
        let mut empty_at = None;
        for (n, then) in [(1, 60), (2, 120), (3, 180)] {
            empty_at = Some(rate.with(1, empty_at, at(0)).unwrap());
            assert_eq!((empty_at, rate.level(empty_at, at(0))), (Some(at(then)), n));
        }
        for (now, outcome) in [
            (0, Err(TimeDelta::seconds(60))),
            (59, Err(TimeDelta::seconds(1))),
            (60, Ok(at(240))),
            (180, Ok(at(240))),
            (1_000, Ok(at(1_060))),
        ] {
            assert_eq!(rate.with(1, empty_at, at(now)), outcome, "{now}");
        }
        assert_eq!(rate.with(2, empty_at, at(60)), Err(TimeDelta::seconds(60)), "those that are under way count");
        assert_eq!(rate.with_at_most(5, empty_at, at(10)), at(190), "it runs over");
        for (now, level) in [(0, 3), (1, 3), (60, 2), (179, 1), (180, 0), (500, 0)] {
            assert_eq!(rate.level(empty_at, at(now)), level, "{now}");
        }
    }

    #[test]
    fn waits_grow_and_are_bounded() {
        for (wrong, seconds) in [
            (0, 0),
            (20, 0),
            (21, 15),
            (40, 15),
            (41, 30),
            (61, 60),
            (81, 120),
            (101, 240),
            (121, 480),
            (141, 900),
            (200, 900),
            (i64::MAX, 900),
        ] {
            assert_eq!(password_wait(wrong), TimeDelta::seconds(seconds), "{wrong}");
        }
        for (sent, minutes) in [(0, 0), (12, 0), (13, 1), (18, 1), (19, 2), (25, 4), (31, 8), (37, 16), (43, 32), (49, 60), (60, 60)] {
            assert_eq!(letter_wait(sent), TimeDelta::minutes(minutes), "{sent}");
        }
        // What a bucket can hold at most reaches the longest wait, and no further.
        assert_eq!(password_wait(Count::PasswordsAt.rate().burst), WAIT_MAX);
        assert_eq!(letter_wait(Count::LettersTo.rate().burst), LETTER_WAIT_MAX);
    }

    #[test]
    fn who_asked_for_a_code_is_heard_longest() {
        for (is_own, wrong, tries) in
            [(true, 0, 5), (true, 99, 5), (true, 100, 1), (false, 0, i64::MAX), (false, 19, i64::MAX), (false, 20, 0), (false, 100, 0)]
        {
            assert_eq!(code_tries(is_own, wrong), tries, "{is_own} {wrong}");
        }
        assert_eq!(Count::CodesAt.rate().burst, 100, "it can be as full as that");
    }

    #[test]
    fn who_has_waited_has_their_turn() {
        let wait = TimeDelta::seconds(30);
        let kept = at(30) + WAIT_COUNTS;
        for (now, kept_until, expected) in [
            (0, None, Turn::After(wait)),
            (0, Some(kept), Turn::In(wait)),
            (29, Some(kept), Turn::In(TimeDelta::seconds(1))),
            (30, Some(kept), Turn::Now),
            (900, Some(kept), Turn::Now),
            (930, Some(kept), Turn::After(wait)),
        ] {
            assert_eq!(turn(wait, kept_until, at(now)), expected, "{now}");
            assert_eq!(turn(TimeDelta::zero(), kept_until, at(now)), Turn::Now);
        }
    }

    #[test]
    fn nobody_is_left_without_a_letter_while_others_ask_for_too_many() {
        for count in [Count::LettersFor, Count::LettersFrom, Count::LettersFromWide, Count::LettersBy] {
            let rate = strained(count);
            assert!(rate.burst >= 1 && rate.burst <= count.rate().burst && rate.every_s == count.rate().every_s, "{count:?}");
        }
        assert!(!is_strained(2_999) && is_strained(3_000));
    }
}
