//! Limits on how often: a bucket for each account or address, that leaks with time (the generic cell rate algorithm, ITU-T I.371).
//!
//! They count account and device first. An address is counted only for failures and for letters to people who are not signed in, and
//! far higher: a studio's wifi, a carrier's NAT are many people. Booking and refresh have none per address. Buckets are the process's
//! own; what must hold in the whole deployment, five codes an hour, is counted in the database.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use crate::clock::Clock;
use crate::problem::{Answer, Problem, ProblemType};

/// Buckets that are kept at most, some 4 MiB; then the emptiest are thrown out.
const BUCKETS_MAX: usize = 100_000;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Passwords tried on one account, by its address: right ones are not counted.
    Passwords,
    /// Passwords, codes and invitations tried in vain from one network address.
    FailuresFrom,
    /// Letters asked for by people who are not signed in, from one network address.
    LettersFrom,
    /// Exports of one person's data.
    Exports,
    /// Readings of one person's calendar addresses, which need no signing in: many phones may know them, and ask hourly.
    Calendars,
    /// Calendar addresses that one person makes: each leaves a line in the log for ever.
    CalendarsMade,
    /// Booking ids that one person withdraws before they were ever seen: each is remembered for a day.
    Withdrawals,
}

/// At once, and after how many seconds one more.
struct Rate {
    burst: i64,
    every_s: i64,
}

impl Limit {
    const fn rate(self) -> Rate {
        match self {
            Self::Passwords => Rate { burst: 10, every_s: 60 },
            Self::FailuresFrom => Rate { burst: 300, every_s: 2 },
            Self::LettersFrom => Rate { burst: 600, every_s: 6 },
            Self::Exports => Rate { burst: 5, every_s: 60 },
            Self::Calendars => Rate { burst: 120, every_s: 1 },
            Self::CalendarsMade => Rate { burst: 40, every_s: 3_600 },
            Self::Withdrawals => Rate { burst: 100, every_s: 864 },
        }
    }
}

/// All buckets of the process.
pub struct Limits {
    clock: Clock,
    hasher: RandomState,
    /// For each bucket the instant, in microseconds, at which it will have leaked empty.
    empty_at: Mutex<HashMap<(Limit, u64), i64>>,
}

impl Limits {
    /// All buckets empty.
    pub fn new(clock: Clock) -> Self {
        Self { clock, hasher: RandomState::new(), empty_at: Mutex::default() }
    }

    /// Counts one, if there is room for it: 429 if not.
    pub fn take(&self, limit: Limit, whose: impl Hash) -> Answer<()> {
        self.look(limit, whose, true)
    }

    /// Asks for room without counting.
    pub fn ask(&self, limit: Limit, whose: impl Hash) -> Answer<()> {
        self.look(limit, whose, false)
    }

    /// Takes back one that was counted.
    pub fn give_back(&self, limit: Limit, whose: impl Hash) {
        let every = limit.rate().every_s * 1_000_000;
        if let Some(empty_at) = self.buckets().get_mut(&(limit, self.hasher.hash_one(whose))) {
            *empty_at -= every;
        }
    }

    fn look(&self, limit: Limit, whose: impl Hash, count: bool) -> Answer<()> {
        let now = micros(self.clock.now());
        let rate = limit.rate();
        let (every, most) = (rate.every_s * 1_000_000, rate.burst * rate.every_s * 1_000_000);
        let key = (limit, self.hasher.hash_one(whose));
        let mut buckets = self.buckets();
        let empty_at = buckets.get(&key).map_or(now, |at| (*at).max(now)) + every;
        let wait = empty_at - now - most;
        if wait > 0 {
            return Err(Problem::new(ProblemType::TooManyRequests).retry_after(wait.unsigned_abs().div_ceil(1_000_000)));
        }
        if count {
            if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(&key) {
                make_room(&mut buckets, now);
            }
            buckets.insert(key, empty_at);
        }
        Ok(())
    }

    fn buckets(&self) -> MutexGuard<'_, HashMap<(Limit, u64), i64>> {
        self.empty_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Throws out the buckets that are empty, or, if none is, the emptier half: a flood of new keys does not clear the full ones.
fn make_room(buckets: &mut HashMap<(Limit, u64), i64>, now: i64) {
    buckets.retain(|_, empty_at| *empty_at > now);
    if buckets.len() >= BUCKETS_MAX {
        let mut instants: Vec<i64> = buckets.values().copied().collect();
        let (_, median, _) = instants.select_nth_unstable(BUCKETS_MAX / 2);
        let median = *median;
        buckets.retain(|_, empty_at| *empty_at > median);
    }
}

fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// What counts as one address: with IPv6 a household's network of 64 bits.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_bucket_leaks() {
        let start = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let clock = Clock::standing_at(start);
        let limits = Limits::new(clock.clone());
        for _ in 0..10 {
            limits.take(Limit::Passwords, "ana").unwrap();
        }
        assert_eq!(limits.take(Limit::Passwords, "ana").unwrap_err().kind, ProblemType::TooManyRequests);
        limits.take(Limit::Passwords, "eva").unwrap();
        clock.set(start + TimeDelta::seconds(60));
        limits.ask(Limit::Passwords, "ana").unwrap();
        limits.take(Limit::Passwords, "ana").unwrap();
        limits.take(Limit::Passwords, "ana").unwrap_err();
        limits.give_back(Limit::Passwords, "ana");
        limits.take(Limit::Passwords, "ana").unwrap();
        limits.ask(Limit::Passwords, "ana").unwrap_err();
        clock.set(start + TimeDelta::hours(1));
        for _ in 0..10 {
            limits.take(Limit::Passwords, "ana").unwrap();
        }
    }

    #[test]
    fn a_flood_of_keys_neither_grows_without_end_nor_frees_whom_it_floods() {
        let limits = Limits::new(Clock::standing_at(DateTime::UNIX_EPOCH + TimeDelta::days(20_000)));
        for _ in 0..10 {
            limits.take(Limit::Passwords, "ana").unwrap();
        }
        for n in 0..BUCKETS_MAX + 10 {
            limits.take(Limit::Passwords, n).unwrap();
        }
        assert!(limits.buckets().len() <= BUCKETS_MAX);
        limits.take(Limit::Passwords, "ana").unwrap_err();
    }

    #[test]
    fn an_ipv6_household_is_one_address() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
