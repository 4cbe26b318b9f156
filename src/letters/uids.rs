//! The right side of every calendar UID.
//!
//! A calendar knows an event by its UID alone: under another UID a cancellation removes nothing, and a change appears beside what it should
//! replace. New events are under the name of the public host. Events that were once published under another name keep it: the host may have
//! been renamed since, and older versions of Relevé took the domain of `letters.from`, which by default is `localhost`. So the database
//! remembers since when each name applies, and an event's name follows from when its booking or session was made.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Which name is on the right of UIDs, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UidDomains {
    first: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    later: Vec<Renamed>,
}

/// The name of what is made from this instant on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Renamed {
    at: DateTime<Utc>,
    domain: String,
}

impl UidDomains {
    /// One name, for everything.
    pub fn new(first: &str) -> Self {
        Self { first: first.to_owned(), later: Vec::new() }
    }

    /// The name of a booking or session that was made at this instant.
    pub fn of(&self, made_at: DateTime<Utc>) -> &str {
        self.later.iter().rev().find(|renamed| renamed.at <= made_at).map_or(&self.first, |renamed| &renamed.domain)
    }

    /// The name of what is made from now on.
    pub fn latest(&self) -> &str {
        self.later.last().map_or(&self.first, |renamed| &renamed.domain)
    }

    /// From `now` on everything new has this name.
    pub fn rename(&mut self, domain: &str, now: DateTime<Utc>) {
        if self.latest() != domain {
            self.later.push(Renamed { at: now, domain: domain.to_owned() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(instant: &str) -> DateTime<Utc> {
        instant.parse().unwrap()
    }

    #[test]
    fn what_was_told_under_a_name_keeps_it() {
        let mut domains = UidDomains::new("localhost");
        domains.rename("book.example", at("2026-11-01T12:00:00Z"));
        domains.rename("book.example", at("2026-11-02T12:00:00Z"));
        domains.rename("classes.example", at("2027-02-01T12:00:00Z"));
        for (made_at, domain) in [
            ("2020-01-01T00:00:00Z", "localhost"),
            ("2026-11-01T11:59:59Z", "localhost"),
            ("2026-11-01T12:00:00Z", "book.example"),
            ("2027-02-01T11:59:59Z", "book.example"),
            ("2027-02-01T12:00:00Z", "classes.example"),
            ("2099-01-01T00:00:00Z", "classes.example"),
        ] {
            assert_eq!(domains.of(at(made_at)), domain, "{made_at}");
        }
        assert_eq!(domains.latest(), "classes.example");
        let kept = serde_json::to_string(&domains).unwrap();
        assert_eq!(serde_json::from_str::<UidDomains>(&kept).unwrap(), domains);
    }

    #[test]
    fn one_name_is_written_as_one() {
        let mut domains = UidDomains::new("book.example");
        domains.rename("book.example", at("2026-11-01T12:00:00Z"));
        assert_eq!(serde_json::to_string(&domains).unwrap(), r#"{"first":"book.example"}"#);
    }
}
