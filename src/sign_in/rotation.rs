//! The rotation of refresh tokens: each refresh replaces the token, and one that its device has left behind gives a thief away (RFC 9700,
//! 4.14.2). Pure; `refreshing.rs` asks it.

use chrono::{DateTime, TimeDelta, Utc};

/// How long a refresh token lives from the last use of its device.
pub const REFRESH_LIFE: TimeDelta = TimeDelta::days(90);
/// How long the direct predecessor of an unused refresh token still works: the answer may have been lost.
pub const LOST_ANSWER: TimeDelta = TimeDelta::minutes(10);

/// What is known of a device's refresh tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// When the previous token was replaced by the current one; `None` before the first refresh.
    pub replaced_at: Option<DateTime<Utc>>,
    /// When the device last signed in or refreshed.
    pub used_at: DateTime<Utc>,
    /// When it was signed out.
    pub ended_at: Option<DateTime<Utc>>,
    /// When it has to sign in again, however often it was used.
    pub over_at: DateTime<Utc>,
}

/// Which token of its device somebody showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresentedToken {
    /// The one that works.
    Current,
    /// Its direct predecessor. While it is still known the current one has not been used: its use would have made it the predecessor.
    Previous,
    /// One of this device that is neither: older, or one that died unseen.
    Older,
}

/// What a refresh comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// A new pair; the shown token becomes the predecessor.
    Next,
    /// A new pair in the place of one whose answer was lost; the shown token stays the predecessor, and its time goes on running.
    Again,
    /// Somebody uses a token that its device has left behind: one of the two is a thief. The device is signed out.
    Reuse,
    /// Signed out, not used for too long, or signed in for as long as may be.
    Over,
}

/// The rule of the lost answer: the direct predecessor works ten minutes more while its successor is unused; any other old token is reuse.
pub fn refresh(chain: Chain, shown: PresentedToken, now: DateTime<Utc>) -> Refresh {
    if chain.ended_at.is_some() || now >= chain.used_at + REFRESH_LIFE || now >= chain.over_at {
        return Refresh::Over;
    }
    match shown {
        PresentedToken::Current => Refresh::Next,
        PresentedToken::Previous if chain.replaced_at.is_some_and(|at| now < at + LOST_ANSWER) => Refresh::Again,
        PresentedToken::Previous | PresentedToken::Older => Refresh::Reuse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::minutes(minutes)
    }

    /// A device as it is stored: which tokens it knows by number, in the order in which they were given out.
    struct Device {
        chain: Chain,
        current: u32,
        previous: Option<u32>,
        given: u32,
    }

    impl Device {
        fn new() -> Self {
            Self {
                chain: Chain { replaced_at: None, used_at: at(0), ended_at: None, over_at: at(365 * 24 * 60) },
                current: 0,
                previous: None,
                given: 0,
            }
        }

        /// Shows token number `token`; the number of the new one.
        fn refresh(&mut self, token: u32, now: DateTime<Utc>) -> Result<u32, Refresh> {
            let shown = if token == self.current {
                PresentedToken::Current
            } else if Some(token) == self.previous {
                PresentedToken::Previous
            } else {
                PresentedToken::Older
            };
            match refresh(self.chain, shown, now) {
                Refresh::Next => {
                    self.previous = Some(token);
                    self.chain.replaced_at = Some(now);
                }
                Refresh::Again => {}
                Refresh::Reuse => {
                    self.chain.ended_at = Some(now);
                    return Err(Refresh::Reuse);
                }
                Refresh::Over => return Err(Refresh::Over),
            }
            self.chain.used_at = now;
            self.given += 1;
            self.current = self.given;
            Ok(self.current)
        }
    }

    #[test]
    fn tokens_follow_each_other() {
        let mut device = Device::new();
        assert_eq!(device.refresh(0, at(1)), Ok(1));
        assert_eq!(device.refresh(1, at(2)), Ok(2));
        assert_eq!(device.refresh(2, at(3)), Ok(3));
    }

    #[test]
    fn a_lost_answer_is_asked_for_again() {
        let mut device = Device::new();
        assert_eq!(device.refresh(0, at(1)), Ok(1));
        assert_eq!(device.refresh(0, at(2)), Ok(2), "the first answer was lost");
        assert_eq!(device.refresh(0, at(10)), Ok(3), "and the second");
        assert_eq!(device.refresh(3, at(12)), Ok(4), "the third came");
        assert_eq!(device.refresh(3, at(13)), Ok(5), "the answer to its refresh was lost too");
    }

    #[test]
    fn ten_minutes_run_from_the_first_loss() {
        let mut device = Device::new();
        assert_eq!(device.refresh(0, at(1)), Ok(1));
        assert_eq!(device.refresh(0, at(10)), Ok(2));
        assert_eq!(device.refresh(0, at(11)), Err(Refresh::Reuse));
        assert_eq!(device.refresh(2, at(12)), Err(Refresh::Over), "and with it the device");
    }

    #[test]
    fn the_unseen_one_dies() {
        let mut device = Device::new();
        assert_eq!(device.refresh(0, at(1)), Ok(1));
        assert_eq!(device.refresh(0, at(1)), Ok(2), "two at once: the row's lock makes them follow each other");
        assert_eq!(device.refresh(1, at(2)), Err(Refresh::Reuse));
        assert_eq!(device.refresh(2, at(2)), Err(Refresh::Over), "no two living chains");
    }

    #[test]
    fn a_grandparent_is_reuse() {
        let mut device = Device::new();
        assert_eq!(device.refresh(0, at(1)), Ok(1));
        assert_eq!(device.refresh(1, at(2)), Ok(2));
        assert_eq!(device.refresh(0, at(2)), Err(Refresh::Reuse));
    }

    #[test]
    fn a_used_successor_ends_the_predecessor() {
        let mut device = Device::new();
        assert_eq!(device.refresh(0, at(1)), Ok(1));
        assert_eq!(device.refresh(0, at(2)), Ok(2));
        assert_eq!(device.refresh(2, at(3)), Ok(3), "2 came and was used");
        assert_eq!(device.refresh(0, at(3)), Err(Refresh::Reuse));
    }

    #[test]
    fn ninety_days_from_the_last_use() {
        let days = |days: i64| at(days * 24 * 60);
        let mut device = Device::new();
        assert_eq!(device.refresh(0, days(89)), Ok(1));
        assert_eq!(device.refresh(1, days(178)), Ok(2));
        assert_eq!(device.refresh(2, days(178 + 90)), Err(Refresh::Over));
    }

    #[test]
    fn a_year_from_signing_in_however_often_it_was_used() {
        let days = |days: i64| at(days * 24 * 60);
        let mut device = Device::new();
        for (token, day) in (0..).zip([80, 160, 240, 320, 364]) {
            assert_eq!(device.refresh(token, days(day)), Ok(token + 1));
        }
        assert_eq!(device.refresh(5, days(365)), Err(Refresh::Over));
        assert_eq!(device.refresh(3, days(365)), Err(Refresh::Over), "an old token gives nobody away any more");
    }

    #[test]
    fn signed_out_is_over() {
        let chain = Chain { replaced_at: None, used_at: at(0), ended_at: Some(at(1)), over_at: at(10) };
        for shown in [PresentedToken::Current, PresentedToken::Previous, PresentedToken::Older] {
            assert_eq!(refresh(chain, shown, at(2)), Refresh::Over, "{shown:?}");
        }
    }
}
