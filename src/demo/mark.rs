//! What other code may know of a demo: how its database is marked, and which accounts can sign in.

use chrono::NaiveDate;

/// The password of every account.
pub const PASSWORD: &str = "plie-tendu-releve";

/// The mark's words.
const SEEDING: &str = "seeding";
const READY: &str = "ready";

/// The mark's content: `ready 60 2026-12-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Whether everything is there.
    pub ready: bool,
    /// How many members there are.
    pub members: u32,
    /// When it was seeded.
    pub on: NaiveDate,
}

impl Mark {
    /// Reads it, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        Some(Self { ready: words.next()? == READY, members: words.next()?.parse().ok()?, on: words.next()?.parse().ok()? })
    }

    /// As it is written down.
    pub fn text(&self) -> String {
        format!("{} {} {}", if self.ready { READY } else { SEEDING }, self.members, self.on)
    }
}

/// The addresses of a demo's accounts: owner, admin, front desk, instructors, members.
pub fn accounts(members: u32) -> [String; 5] {
    let one = |name: &str| format!("{name}@demo.test");
    let members = if members == 1 { one("member1") } else { format!("{} … {}", one("member1"), one(&format!("member{members}"))) };
    [one("owner"), one("admin"), one("desk"), format!("{} … {}", one("instructor1"), one("instructor6")), members]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let mark = Mark { ready: true, members: 60, on: "2026-12-01".parse().unwrap() };
        assert_eq!(mark.text(), "ready 60 2026-12-01");
        assert_eq!(Mark::parse(&mark.text()), Some(mark));
        assert_eq!(Mark::parse("something else"), None);
    }

    #[test]
    fn accounts_are_told_by_their_first_and_last() {
        assert_eq!(accounts(60)[3..], ["instructor1@demo.test … instructor6@demo.test", "member1@demo.test … member60@demo.test"]);
        assert_eq!(accounts(1)[4], "member1@demo.test");
    }
}
