//! Which answers are noticed, and what of them is kept: pure decisions.
//!
//! Whoever knocks must not be able to fill the disk. So what was refused is counted: lines of one kind about one account (or address) from
//! one network within one hour are one line with a number. An account has at most [`NETWORKS_OF_ACCOUNT_MAX`] such lines a kind and hour,
//! the rest of its networks one together: whatever others do, its holder sees that it was tried. Addresses that nobody has are an
//! attacker's to invent: of one network [`INVENTED_OF_NETWORK_MAX`] an hour are told apart, of all networks [`INVENTED_MAX`]; the rest is
//! one line a network, then one line.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Kind, Mark};
use crate::problem::ProblemType;

/// Networks from which one account was tried that are told apart, for each kind and hour.
pub const NETWORKS_OF_ACCOUNT_MAX: usize = 5;
/// Addresses without an account that are told apart for one network, for each hour.
pub const INVENTED_OF_NETWORK_MAX: usize = 20;
/// The same for all networks of one process.
pub const INVENTED_MAX: usize = 500;
/// What is counted apart between two writings; what comes beyond is counted without its address.
pub const TALLY_MAX: usize = 10_000;

/// What the server's front sees of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    pub method: &'a str,
    /// As the router spells it: `/v1/studios/{id}/staff`.
    pub route: &'a str,
    pub status: u16,
    pub problem: Option<ProblemType>,
    /// Whether it refused a password of the person who is signed in.
    pub password_refused: bool,
    /// Whether the call named an address.
    pub names_address: bool,
}

/// What of it is noticed.
pub fn noticed(answer: &Answered<'_>) -> Option<Kind> {
    match answer.problem {
        Some(ProblemType::SignInRefused) => Some(Kind::SignInRefused),
        Some(ProblemType::CodeRefused) => Some(Kind::CodeRefused),
        Some(ProblemType::NotAllowed) => Some(Kind::RightRefused),
        Some(ProblemType::TooManyRequests) if answer.names_address => Some(Kind::SignInLimited),
        Some(ProblemType::InvalidFields) if answer.password_refused => Some(Kind::PasswordRefused),
        Some(_) => None,
        // The page on which an account is deleted answers with itself.
        None if answer.route == "/account/deletion" && answer.status == 422 && answer.names_address => Some(Kind::CodeRefused),
        None if !(200..300).contains(&answer.status) => None,
        None => match (answer.method, answer.route) {
            ("POST", "/v1/email-verifications/requests" | "/v1/password-resets" | "/account/deletion") if answer.names_address => {
                Some(Kind::CodeAsked)
            }
            ("GET", "/v1/me/export") => Some(Kind::Exported),
            _ => None,
        },
    }
}

/// The studio that a path is about.
pub fn studio_of(path: &str) -> Option<Uuid> {
    path.strip_prefix("/v1/studios/").or_else(|| path.strip_prefix("/console/"))?.split('/').next()?.parse().ok()
}

/// Whom something concerns.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Whom {
    /// Somebody who is signed in.
    Person(Uuid),
    /// Whoever has this address, as it is compared: looked up when it is written down, and never while somebody waits.
    Address(String),
    /// Nobody who is known.
    Nobody,
}

/// One thing that was noticed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sighting {
    pub kind: Kind,
    pub whom: Whom,
    pub network: Option<Mark>,
    pub studio_id: Option<Uuid>,
}

/// How often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    pub times: i64,
    pub first_at: DateTime<Utc>,
    pub last_at: DateTime<Utc>,
    /// Of the first.
    pub request_id: Option<String>,
}

/// What was noticed since it was last written down.
#[derive(Debug, Default)]
pub struct Tally(HashMap<Sighting, Count>);

impl Tally {
    /// One more.
    pub fn add(&mut self, sighting: Sighting, request_id: Option<String>, now: DateTime<Utc>) {
        self.merge(sighting, Count { times: 1, first_at: now, last_at: now, request_id });
    }

    /// What could not be written down comes back.
    pub fn merge(&mut self, mut sighting: Sighting, count: Count) {
        if self.0.len() >= TALLY_MAX && !self.0.contains_key(&sighting) {
            sighting = Sighting { whom: Whom::Nobody, network: None, studio_id: None, ..sighting };
        }
        let entry = self.0.entry(sighting);
        entry
            .and_modify(|known| {
                known.times += count.times;
                known.first_at = known.first_at.min(count.first_at);
                known.last_at = known.last_at.max(count.last_at);
            })
            .or_insert(count);
    }

    /// All of it, in an order that does not depend on chance.
    pub fn take(&mut self) -> Vec<(Sighting, Count)> {
        let mut all: Vec<_> = std::mem::take(&mut self.0).into_iter().collect();
        all.sort_by(|(one, first), (other, second)| (first.first_at, one).cmp(&(second.first_at, other)));
        all
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A line as it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub kind: Kind,
    pub count: Count,
    pub person_id: Option<Uuid>,
    pub address: Option<Mark>,
    pub network: Option<Mark>,
    pub studio_id: Option<Uuid>,
    /// What counts together.
    pub bucket: String,
}

/// What was told apart in this hour.
#[derive(Debug, Default)]
pub struct Hour {
    begins: Option<DateTime<Utc>>,
    networks_of: HashMap<(Kind, Uuid), BTreeSet<Mark>>,
    invented_of: HashMap<Option<Mark>, BTreeSet<Mark>>,
    invented: usize,
}

impl Hour {
    /// The lines of what was noticed. `owners` says who has which address, `mark` how an address is hashed.
    pub fn lines(&mut self, noticed: Vec<(Sighting, Count)>, owners: &HashMap<String, Uuid>, mark: impl Fn(&str) -> Mark) -> Vec<Line> {
        let mut lines: BTreeMap<String, Line> = BTreeMap::new();
        for (sighting, count) in noticed {
            let begins = count.last_at.duration_trunc(TimeDelta::hours(1)).unwrap_or(count.last_at);
            if self.begins.is_none_or(|at| at < begins) {
                *self = Self { begins: Some(begins), ..Self::default() };
            }
            let Sighting { kind, whom, network, studio_id } = sighting;
            let (person_id, address) = match &whom {
                Whom::Person(id) => (Some(*id), None),
                Whom::Address(key) => (owners.get(key).copied(), Some(mark(key))),
                Whom::Nobody => (None, None),
            };
            let (address, network) = match person_id {
                Some(id) => (None, self.network_of_account(kind, id, network)),
                None => self.invented(address, network),
            };
            let bucket = bucket(kind, begins, person_id, address, network, studio_id);
            let line = Line { kind, count: count.clone(), person_id, address, network, studio_id, bucket: bucket.clone() };
            lines
                .entry(bucket)
                .and_modify(|known| {
                    known.count.times += count.times;
                    known.count.last_at = known.count.last_at.max(count.last_at);
                })
                .or_insert(line);
        }
        lines.into_values().collect()
    }

    fn network_of_account(&mut self, kind: Kind, person_id: Uuid, network: Option<Mark>) -> Option<Mark> {
        let known = self.networks_of.entry((kind, person_id)).or_default();
        let network = network?;
        (known.contains(&network) || (known.len() < NETWORKS_OF_ACCOUNT_MAX && known.insert(network))).then_some(network)
    }

    /// With its address as long as there are few, then with its network, then with nothing.
    fn invented(&mut self, address: Option<Mark>, network: Option<Mark>) -> (Option<Mark>, Option<Mark>) {
        if !self.invented_of.contains_key(&network) && self.invented >= INVENTED_MAX {
            return (None, None);
        }
        let known = self.invented_of.entry(network).or_insert_with(|| {
            self.invented += 1;
            BTreeSet::new()
        });
        let Some(address) = address else { return (None, network) };
        if known.contains(&address) {
            return (Some(address), network);
        }
        if known.len() >= INVENTED_OF_NETWORK_MAX || self.invented >= INVENTED_MAX {
            return (None, network);
        }
        known.insert(address);
        self.invented += 1;
        (Some(address), network)
    }
}

fn bucket(
    kind: Kind,
    hour: DateTime<Utc>,
    person_id: Option<Uuid>,
    address: Option<Mark>,
    network: Option<Mark>,
    studio_id: Option<Uuid>,
) -> String {
    let mut hash = Sha256::new();
    hash.update(kind.as_str());
    hash.update(hour.timestamp().to_be_bytes());
    for part in [person_id, studio_id] {
        hash.update([u8::from(part.is_some())]);
        hash.update(part.unwrap_or_default().as_bytes());
    }
    for part in [address, network] {
        hash.update([u8::from(part.is_some())]);
        hash.update(part.map_or([0; 12], |mark| mark.0));
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::minutes(minutes)
    }

    fn mark(n: usize) -> Mark {
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        Mark(bytes)
    }

    fn refused(address: &str, network: usize) -> Sighting {
        Sighting { kind: Kind::SignInRefused, whom: Whom::Address(address.into()), network: Some(mark(network)), studio_id: None }
    }

    fn lines(hour: &mut Hour, sightings: impl IntoIterator<Item = Sighting>, owners: &HashMap<String, Uuid>, now: i64) -> Vec<Line> {
        let mut tally = Tally::default();
        for sighting in sightings {
            tally.add(sighting, None, at(now));
        }
        // Every address has a mark of its own.
        hour.lines(tally.take(), owners, |key| {
            mark(key.bytes().fold(7, |hash: usize, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte))))
        })
    }

    #[test]
    fn what_is_noticed() {
        use ProblemType::*;
        let answer =
            |route, status, problem| Answered { method: "POST", route, status, problem, password_refused: false, names_address: true };
        let of = |problem: ProblemType| noticed(&answer("/v1/tokens", problem.status().as_u16(), Some(problem)));
        for (problem, kind) in [
            (SignInRefused, Some(Kind::SignInRefused)),
            (CodeRefused, Some(Kind::CodeRefused)),
            (NotAllowed, Some(Kind::RightRefused)),
            (TooManyRequests, Some(Kind::SignInLimited)),
            (NotFound, None),
            (InvalidFields, None),
            (Busy, None),
        ] {
            assert_eq!(of(problem), kind, "{problem:?}");
        }
        let nameless = Answered { names_address: false, ..answer("/v1/me/export", 429, Some(TooManyRequests)) };
        assert_eq!(noticed(&nameless), None, "somebody exports too often");
        let wrong = Answered { password_refused: true, ..answer("/v1/me/password", 422, Some(InvalidFields)) };
        assert_eq!(noticed(&wrong), Some(Kind::PasswordRefused));
        assert_eq!(noticed(&answer("/v1/password-resets", 202, None)), Some(Kind::CodeAsked));
        assert_eq!(noticed(&answer("/v1/tokens", 200, None)), None, "an event of the log tells it");
        assert_eq!(noticed(&Answered { method: "GET", ..answer("/v1/me/export", 200, None) }), Some(Kind::Exported));
    }

    #[test]
    fn the_studio_of_a_path() {
        let id = Uuid::from_u128(7);
        assert_eq!(studio_of(&format!("/v1/studios/{id}/staff")), Some(id));
        assert_eq!(studio_of(&format!("/v1/studios/{id}")), Some(id));
        assert_eq!(studio_of(&format!("/v1/sessions/{id}")), None);
        assert_eq!(studio_of("/v1/studios/../x"), None);
    }

    #[test]
    fn an_hour_of_one_kind_is_one_line() {
        let (ana, owners) = (Uuid::from_u128(1), HashMap::from([("ana@x.test".to_owned(), Uuid::from_u128(1))]));
        let mut hour = Hour::default();
        let first = lines(&mut hour, (0..50).map(|_| refused("ana@x.test", 1)), &owners, 0);
        let [line] = first.as_slice() else { panic!("{first:?}") };
        assert_eq!((line.count.times, line.person_id, line.address), (50, Some(ana), None));
        let again = lines(&mut hour, [refused("ana@x.test", 1)], &owners, 59);
        assert_eq!(again[0].bucket, line.bucket, "the same line, written again");
        let later = lines(&mut hour, [refused("ana@x.test", 1)], &owners, 60);
        assert_ne!(later[0].bucket, line.bucket);
    }

    /// The attack: invented addresses in such numbers that the one real try is lost among them.
    #[test]
    fn a_flood_of_invented_addresses_neither_fills_the_table_nor_hides_a_real_account() {
        let owners = HashMap::from([("ana@x.test".to_owned(), Uuid::from_u128(1))]);
        let mut hour = Hour::default();
        let flood = (0..5_000).map(|n| refused(&format!("nobody{n}@x.test"), n % 900));
        let first = lines(&mut hour, flood.chain([refused("ana@x.test", 7)]), &owners, 0);
        assert!(first.len() <= INVENTED_MAX + 3, "{}", first.len());
        assert_eq!(first.iter().map(|line| line.count.times).sum::<i64>(), 5_001, "nothing is lost but its details");
        assert!(first.iter().any(|line| line.person_id.is_some() && line.network == Some(mark(7))), "{first:?}");
        let more = lines(&mut hour, (5_000..9_000).map(|n| refused(&format!("nobody{n}@x.test"), n)), &owners, 30);
        assert!(more.len() <= 2, "the hour has had its lines: {}", more.len());
    }

    #[test]
    fn one_network_tells_twenty_addresses_apart() {
        let mut hour = Hour::default();
        let found = lines(&mut hour, (0..200).map(|n| refused(&format!("nobody{n}@x.test"), 1)), &HashMap::new(), 0);
        assert_eq!(found.len(), INVENTED_OF_NETWORK_MAX + 1);
    }

    #[test]
    fn an_account_tried_from_everywhere_has_few_lines() {
        let owners = HashMap::from([("ana@x.test".to_owned(), Uuid::from_u128(1))]);
        let found = lines(&mut Hour::default(), (0..300).map(|n| refused("ana@x.test", n)), &owners, 0);
        assert_eq!(found.len(), NETWORKS_OF_ACCOUNT_MAX + 1);
        assert_eq!(found.iter().map(|line| line.count.times).sum::<i64>(), 300);
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut tally = Tally::default();
        for n in 0..TALLY_MAX + 500 {
            tally.add(refused(&format!("nobody{n}@x.test"), n), None, at(0));
        }
        assert!(tally.0.len() <= TALLY_MAX + 1);
        assert_eq!(tally.take().iter().map(|(_, count)| count.times).sum::<i64>(), i64::try_from(TALLY_MAX + 500).unwrap());
        assert!(tally.is_empty());
    }
}
