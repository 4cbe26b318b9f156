//! Who is refused for want of a place is counted, although the refused command leaves nothing else behind.

use chrono::{DateTime, Utc};

use super::command::{Command, Request};
use crate::problem::{Problem, ProblemType};
use crate::reports::TurnAway;
use crate::working_set::WorkingSet;
use crate::zones::local_date;

/// Notes it, to be written with what the other commands of the batch have decided.
pub fn note(set: &mut WorkingSet, request: &Request, problem: &Problem, now: DateTime<Utc>) {
    if request.dry_run || !matches!(problem.kind, ProblemType::SessionFull | ProblemType::WaitlistFull) {
        return;
    }
    let wanted = match &request.command {
        // A visitor has no account under which they could be counted.
        Command::Book(ask) if ask.visitor.is_some() => None,
        Command::Book(ask) | Command::WalkIn(ask) => ask.person_id.or(request.actor.person_id).map(|person_id| (ask.session_id, person_id)),
        Command::Accept { booking_id } | Command::CheckIn { booking_id, .. } => {
            set.known_booking(*booking_id).map(|booking| (booking.session_id, booking.person_id))
        }
        _ => None,
    };
    let Some((session_id, person_id)) = wanted else { return };
    let zone = set.session(session_id).and_then(|session| set.studio(session.studio_id)).map(|studio| studio.zone);
    if let Ok(zone) = zone {
        set.turned_away.insert(TurnAway { session_id, person_id, on_date: local_date(now, zone) });
    }
}
