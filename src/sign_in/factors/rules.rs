//! Who must have a second factor, and how often one may be tried. Pure.

use chrono::{DateTime, TimeDelta, Utc};

use crate::people::roles::Roles;
use crate::settings::RequiredOf;

/// How long a device that has shown the right password may take to show the factor.
pub const CHALLENGE_LIFE: TimeDelta = TimeDelta::minutes(5);
/// Wrong codes that one challenge hears.
pub const CHALLENGE_TRIES_MAX: i64 = 5;
/// Challenges of one person at once; one more ends the oldest.
pub const CHALLENGES_MAX: i64 = 5;
/// Wrong codes of an authenticator app that one account hears within [`REFUSED_PERIOD`]. Only whoever has the password gets so far; with
/// three codes of a million right at any time, a thief who has it guesses one in 45 years. Recovery codes, which nobody guesses, always count.
pub const REFUSED_MAX: i64 = 20;
/// The period in which [`REFUSED_MAX`] counts, from the first.
pub const REFUSED_PERIOD: TimeDelta = TimeDelta::days(1);
/// How long an authenticator app may wait for its first code.
pub const ENROLMENT_LIFE: TimeDelta = TimeDelta::minutes(15);
/// Wrong first codes.
pub const ENROLMENT_TRIES_MAX: i64 = 5;
/// Factors of one person.
pub const FACTORS_MAX: usize = 10;
/// Recovery codes that are given out at once.
pub const RECOVERY_CODES: usize = 10;

/// Whether somebody must have a second factor: by the deployment's setting, or because a studio that they run asks its admins for one.
pub const fn is_required(of: RequiredOf, is_owner: bool, is_admin: bool, studio_requires: bool) -> bool {
    match of {
        RequiredOf::Optional => studio_requires,
        RequiredOf::Owner => is_owner || studio_requires,
        RequiredOf::Admins => is_owner || is_admin || studio_requires,
    }
}

/// When an account may try another code, if not now: `refused` codes were wrong since `since`.
pub fn next_try_at(refused: i64, since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let until = since? + REFUSED_PERIOD;
    (refused >= REFUSED_MAX && now < until).then_some(until)
}

/// Whether a challenge, or an authenticator app that waits for its first code, may still be answered.
pub fn is_open(since: DateTime<Utc>, life: TimeDelta, tries: i64, tries_max: i64, now: DateTime<Utc>) -> bool {
    now < since + life && tries < tries_max
}

/// Whether `asking` may take away the second factors of somebody who has lost them. Whoever runs more than the one studio, or the
/// deployment, is an owner's to help: else an admin of one studio could weaken another.
pub fn may_reset(asking: &Roles, whose: &Roles) -> bool {
    if whose.is_owner {
        return false;
    }
    asking.is_owner || !whose.is_admin_somewhere()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::people::roles::Role;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::minutes(minutes)
    }

    #[test]
    fn who_must_have_one() {
        // (setting, owner, admin, a studio of theirs asks its admins) → must
        for (of, owner, admin, studio, must) in [
            (RequiredOf::Optional, false, false, false, false),
            (RequiredOf::Optional, true, true, false, false),
            (RequiredOf::Optional, false, true, true, true),
            (RequiredOf::Owner, true, false, false, true),
            (RequiredOf::Owner, false, true, false, false),
            (RequiredOf::Owner, false, true, true, true),
            (RequiredOf::Admins, false, false, false, false),
            (RequiredOf::Admins, false, true, false, true),
            (RequiredOf::Admins, true, false, false, true),
        ] {
            assert_eq!(is_required(of, owner, admin, studio), must, "{of:?} {owner} {admin} {studio}");
        }
    }

    #[test]
    fn twenty_wrong_codes_a_day() {
        assert_eq!(next_try_at(0, None, at(0)), None);
        assert_eq!(next_try_at(19, Some(at(0)), at(1)), None);
        assert_eq!(next_try_at(20, Some(at(0)), at(1)), Some(at(24 * 60)));
        assert_eq!(next_try_at(20, Some(at(0)), at(24 * 60)), None);
    }

    #[test]
    fn a_challenge_ends() {
        let open = |tries, minutes| is_open(at(0), CHALLENGE_LIFE, tries, CHALLENGE_TRIES_MAX, at(minutes));
        assert!(open(0, 0) && open(4, 4));
        assert!(!open(5, 0) && !open(0, 5));
    }

    #[test]
    fn who_helps_whom() {
        let (here, there) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let owner = Roles::new(true, Vec::new());
        let admin = |of| Roles::new(false, vec![(of, Role::Admin)]);
        let desk = Roles::new(false, vec![(here, Role::FrontDesk)]);
        let both = Roles::new(false, vec![(here, Role::Instructor), (there, Role::Admin)]);
        for (asking, whose, may) in [
            (&admin(here), &desk, true),
            (&admin(here), &admin(here), false),
            (&admin(here), &both, false),
            (&admin(here), &owner, false),
            (&owner, &desk, true),
            (&owner, &both, true),
            (&owner, &owner, false),
        ] {
            assert_eq!(may_reset(asking, whose), may, "{asking:?} {whose:?}");
        }
    }
}
