//! Limits on how often that are the process's own: a bucket for each person or network, that leaks with time, and what is being tried
//! at this moment.
//!
//! A network is counted only for failures, and far higher than anybody in it: a studio's wifi, a carrier's NAT are many people. Booking
//! and refresh have no limit per network. What must hold in the whole deployment and over restarts, passwords and codes that are tried
//! and codes that are mailed, is counted in the database (`tries`, `code_gate`).

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::rules::limits::Rate;
use crate::clock::Clock;
use crate::problem::{Answer, Problem, ProblemType};

/// Buckets that are kept at most, some 4 MiB; then the emptiest are thrown out.
const BUCKETS_MAX: usize = 100_000;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Passwords, codes and invitations tried in vain from one network address.
    FailuresFrom,
    /// Exports of one person's data.
    Exports,
    /// Readings of one person's calendar addresses, which need no signing in: many phones may know them, and ask hourly.
    Calendars,
    /// Calendar addresses that one person makes: each leaves a line in the log for ever.
    CalendarsMade,
    /// Booking ids that one person withdraws before they were ever seen: each is remembered for a day.
    Withdrawals,
    /// Guests whose addresses one person writes down: each gets a letter that they did not ask for.
    GuestLetters,
    /// People for whom one person asks to act.
    FamilyAsked,
    /// Calls of one kiosk, which is nobody whose commands are counted.
    Kiosk,
}

impl Limit {
    const fn rate(self) -> Rate {
        match self {
            Self::FailuresFrom => Rate::of(300, 2),
            Self::Exports => Rate::of(5, 60),
            Self::Calendars => Rate::of(120, 1),
            Self::CalendarsMade => Rate::of(40, 3_600),
            Self::Withdrawals => Rate::of(100, 864),
            Self::GuestLetters | Self::FamilyAsked => Rate::of(20, 3_600),
            Self::Kiosk => Rate::of(120, 1),
        }
    }
}

/// All buckets of the process.
#[derive(Debug)]
pub struct Limits {
    clock: Clock,
    hasher: RandomState,
    /// For each bucket the instant, in microseconds, at which it will have leaked empty.
    empty_at: Mutex<HashMap<(Limit, u64), i64>>,
    /// How many are being tried at this moment that the database has not counted yet. As many as there are requests at most.
    under_way: Mutex<HashMap<Vec<u8>, i64>>,
}

/// Something that is being tried: until there is a verdict, it counts like one that failed. Dropped, it was never tried, so whoever is told
/// that there was no time for it (503) has not lost a try.
#[derive(Debug)]
pub struct UnderWay<'l> {
    limits: &'l Limits,
    keys: Vec<Vec<u8>>,
}

impl UnderWay<'_> {
    /// How many of this are being tried at this moment, this one included.
    pub fn count(&self, key: &[u8]) -> i64 {
        self.limits.trying().get(key).copied().unwrap_or(0)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut trying = self.limits.trying();
        for key in &self.keys {
            if let Some(count) = trying.get_mut(key) {
                *count -= 1;
                if *count <= 0 {
                    trying.remove(key);
                }
            }
        }
    }
}

impl Limits {
    /// All buckets empty.
    pub fn new(clock: Clock) -> Self {
        Self { clock, hasher: RandomState::new(), empty_at: Mutex::default(), under_way: Mutex::default() }
    }

    /// Counts one, if there is room for it: 429 if not.
    pub fn take(&self, limit: Limit, whose: impl Hash) -> Answer<()> {
        self.look(limit, whose, true)
    }

    /// Asks for room without counting.
    pub fn ask(&self, limit: Limit, whose: impl Hash) -> Answer<()> {
        self.look(limit, whose, false)
    }

    /// Begins to try what these keys count.
    pub fn begin(&self, keys: Vec<Vec<u8>>) -> UnderWay<'_> {
        let mut trying = self.trying();
        for key in &keys {
            *trying.entry(key.clone()).or_default() += 1;
        }
        drop(trying);
        UnderWay { limits: self, keys }
    }

    fn trying(&self) -> MutexGuard<'_, HashMap<Vec<u8>, i64>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
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

/// The network in which strangers count together: with IPv4 the 256 addresses that one customer may have, with IPv6 a household's 64 bits.
pub fn near(address: IpAddr) -> IpAddr {
    match network(address) {
        IpAddr::V4(address) => IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & !0xff)),
        household @ IpAddr::V6(_) => household,
    }
}

/// The widest network that one customer of a provider is given: with IPv6 48 bits.
pub fn wide(address: IpAddr) -> IpAddr {
    match near(address) {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !(u128::MAX >> 48))),
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
        for _ in 0..5 {
            limits.take(Limit::Exports, "ana").unwrap();
        }
        assert_eq!(limits.take(Limit::Exports, "ana").unwrap_err().kind, ProblemType::TooManyRequests);
        limits.take(Limit::Exports, "eva").unwrap();
        clock.set(start + TimeDelta::seconds(60));
        limits.ask(Limit::Exports, "ana").unwrap();
        limits.take(Limit::Exports, "ana").unwrap();
        limits.take(Limit::Exports, "ana").unwrap_err();
        limits.ask(Limit::Exports, "ana").unwrap_err();
        clock.set(start + TimeDelta::hours(1));
        for _ in 0..5 {
            limits.take(Limit::Exports, "ana").unwrap();
        }
    }

    #[test]
    fn a_flood_of_keys_neither_grows_without_end_nor_frees_whom_it_floods() {
        let limits = Limits::new(Clock::standing_at(DateTime::UNIX_EPOCH + TimeDelta::days(20_000)));
        for _ in 0..5 {
            limits.take(Limit::Exports, "ana").unwrap();
        }
        for n in 0..BUCKETS_MAX + 10 {
            limits.take(Limit::Exports, n).unwrap();
        }
        assert!(limits.buckets().len() <= BUCKETS_MAX);
        limits.take(Limit::Exports, "ana").unwrap_err();
    }

    #[test]
    fn what_is_under_way_counts_until_there_is_a_verdict_or_nobody_waits_for_one() {
        let limits = Limits::new(Clock::standing_at(DateTime::UNIX_EPOCH));
        let (ana, eva) = (b"ana".to_vec(), b"eva".to_vec());
        let first = limits.begin(vec![ana.clone()]);
        let second = limits.begin(vec![ana.clone(), eva.clone()]);
        assert_eq!((first.count(&ana), first.count(&eva), first.count(b"mei")), (2, 1, 0));
        drop(second);
        assert_eq!((first.count(&ana), first.count(&eva)), (1, 0));
        drop(first);
        assert!(limits.trying().is_empty());
    }

    #[test]
    fn an_ipv6_household_is_one_address() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[test]
    fn strangers_count_together_as_far_as_one_customer_reaches() {
        type Of = fn(IpAddr) -> IpAddr;
        let table: [(Of, &str, &str, bool); 8] = [
            (near, "192.0.2.1", "192.0.2.254", true),
            (near, "192.0.2.1", "192.0.3.1", false),
            (near, "2001:db8:1:2:3::4", "2001:db8:1:2::9", true),
            (near, "2001:db8:1:2::1", "2001:db8:1:3::1", false),
            (wide, "2001:db8:1:2::1", "2001:db8:1:3::1", true),
            (wide, "2001:db8:1::1", "2001:db8:2::1", false),
            (wide, "192.0.2.1", "192.0.2.254", true),
            (wide, "::ffff:192.0.2.1", "192.0.2.9", true),
        ];
        for (of, one, other, same) in table {
            assert_eq!(of(one.parse().unwrap()) == of(other.parse().unwrap()), same, "{one} {other}");
        }
    }
}
