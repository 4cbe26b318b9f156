//! What counts when somebody signs in: pure decisions about codes and registrations; about passwords and about how often somebody may try
//! in files of their own.

pub mod limits;
pub mod passwords;

use chrono::TimeDelta;

/// How long a mailed code lives.
pub const CODE_LIFE: TimeDelta = TimeDelta::minutes(15);

/// Registrations that wait for the confirmation of one address, unless more of them have a code that still works.
pub const REGISTRATIONS_MAX: usize = 10;
/// Registrations of one address whose codes still work. Whoever registers it so often waits longer and longer for each code
/// (`limits::letter_wait`): it takes a hundred networks to keep others from registering it, and no account is closed by it.
pub const REGISTRATIONS_LIVING_MAX: usize = 100;

/// Devices that a person may be signed in on; one more signs out the one that was not used for longest.
pub const DEVICES_MAX: i64 = 20;
/// Devices of a person that are remembered after they were signed out, those used last.
pub const DEVICES_REMEMBERED: i64 = 100;

/// How long an invitation to a studio's staff lives.
pub const INVITATION_LIFE: TimeDelta = TimeDelta::days(14);

/// How long somebody may change their mind before the account is deleted.
pub const DELETION_DELAY: TimeDelta = TimeDelta::days(7);

/// Which of the registrations that wait for an address go so that one more may wait; `None` if as many as may be are still waited for. Whether
/// the code of each still works, the newest first: whose does is nobody's to push out.
pub fn make_room(lives: &[bool]) -> Option<Vec<usize>> {
    if lives.iter().filter(|lives| **lives).count() >= REGISTRATIONS_LIVING_MAX {
        return None;
    }
    let surplus = (lives.len() + 1).saturating_sub(REGISTRATIONS_MAX);
    let oldest = lives.iter().enumerate().rev().filter(|(_, lives)| !**lives).map(|(index, _)| index);
    Some(oldest.take(surplus).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_a_letter_is_not_pushed_out() {
        let most = REGISTRATIONS_MAX;
        let dead = |from: usize, of: usize| -> Vec<bool> { (0..of).map(|index| index < from).collect() };
        for (lives, gone) in [
            (vec![], Some(vec![])),
            (dead(0, most - 1), Some(vec![])),
            (dead(0, most), Some(vec![most - 1])),
            (dead(most - 1, most), Some(vec![most - 1])),
            (dead(most, most), Some(vec![])),
            // The oldest whose code has died, not the oldest.
            ([vec![true, false, false], vec![true; most - 3]].concat(), Some(vec![2])),
            // More than there should be, from before there was a limit.
            (dead(1, most + 2), Some(vec![most + 1, most, most - 1])),
            (dead(most + 5, most + 7), Some(vec![most + 6, most + 5])),
            (dead(REGISTRATIONS_LIVING_MAX - 1, REGISTRATIONS_LIVING_MAX - 1), Some(vec![])),
            (dead(REGISTRATIONS_LIVING_MAX, REGISTRATIONS_LIVING_MAX), None),
            (dead(REGISTRATIONS_LIVING_MAX, REGISTRATIONS_LIVING_MAX + 1), None),
        ] {
            assert_eq!(make_room(&lives), gone, "{lives:?}");
        }
    }
}
