//! Who is in a session, who waits and who stands at the door, as a page shows them: for Today and for the page of the session.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::frame::Shell;
use super::staff::Staff;
use super::words::{self, Words};
use crate::app::App;
use crate::attendance::store::{self, RosterRow};
use crate::booking::BookingStatus;
use crate::problem::Answer;
use crate::schedule::SessionRow;
use crate::search::sort_key;
use crate::studios;

/// Everybody of a session.
pub struct Roster {
    /// The address of the session's page.
    pub at: String,
    /// From which page it is looked at: there one comes back to.
    pub back: &'static str,
    /// Sorted by name.
    pub places: Vec<Row>,
    /// In the order of the queue.
    pub waiting: Vec<Waiting>,
    /// At the door, in the order in which they came.
    pub standing: Vec<Waiting>,
    /// How many have come.
    pub arrived: usize,
    /// From when it can be marked who comes, if that is not yet.
    pub opens: Option<String>,
    /// Whether whoever looks may give somebody who waits a place.
    pub may_move_up: bool,
    /// Whether whoever looks may book somebody in who stands at the door.
    pub may_let_in: bool,
}

/// Somebody who has a place.
pub struct Row {
    pub booking_id: Uuid,
    pub person_id: Uuid,
    pub name: String,
    /// Who comes in the place, where it is a guest's.
    pub guest: Option<String>,
    pub status: &'static str,
    /// The state in words.
    pub state: &'static str,
    /// When they came.
    pub came: Option<String>,
    pub first_visit: bool,
    pub can_check_in: bool,
    pub can_undo: bool,
}

/// Somebody who waits.
pub struct Waiting {
    pub booking_id: Uuid,
    pub person_id: Uuid,
    pub name: String,
    pub position: usize,
    /// Why they could not take a place that came free.
    pub reason: Option<&'static str>,
}

/// From how many minutes before the start staff mark who comes.
pub async fn marks_from_min(app: &App, studio_id: Uuid) -> Answer<i64> {
    let policy = studios::store::policy(&app.db, studio_id).await?;
    Ok(policy.map_or(0, |policy| policy.house_rules.0.attendance_from_min))
}

/// Whether it can be marked who comes, `from_min` minutes before the start.
pub fn begins(session: &SessionRow, from_min: i64) -> DateTime<Utc> {
    session.starts_at - TimeDelta::minutes(from_min)
}

/// Reads the roster of a session.
pub async fn read(app: &App, staff: &Staff, shell: &Shell, session: &SessionRow, from_min: i64, back: &'static str) -> Answer<Roster> {
    let now = app.clock.now();
    let mut tx = app.db.read().await?;
    let rows = store::roster(&mut tx, session.id).await?;
    let people: Vec<Uuid> = rows.iter().map(|row| row.person_id).collect();
    let visits = store::visits_before(&mut tx, session.studio_id, session.starts_at, &people).await?;
    tx.rollback().await;
    let visits: HashMap<Uuid, i64> = visits.into_iter().collect();
    let open = begins(session, from_min) <= now;
    let (mut standing, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.status == BookingStatus::Standby);
    standing.sort_by_key(|row| (row.created_at, row.booking_id));
    let (waiting, mut places): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.status == BookingStatus::Waitlisted);
    places.sort_by_cached_key(|row| (sort_key(&row.name), row.booking_id));
    let arrived = places.iter().filter(|row| row.status == BookingStatus::Attended && !row.unrecorded).count();
    let place = |row: RosterRow| {
        let absent = row.provisional || (row.status == BookingStatus::Booked && session.misses_who_has_not_come(now));
        let first_visit = row.guest_of.is_none() && !visits.contains_key(&row.person_id);
        Row {
            booking_id: row.booking_id,
            person_id: row.person_id,
            status: if absent { "absent" } else { row.status.as_str() },
            state: state(row.status, absent, row.released_at.is_some(), row.unrecorded, shell.w),
            came: row.arrived_at.map(|at| shell.time(at)),
            first_visit,
            can_check_in: open && matches!(row.status, BookingStatus::Booked | BookingStatus::NoShow),
            can_undo: open && row.status == BookingStatus::Attended && !row.unrecorded,
            guest: row.guest_of.map(|_| row.guest_name.unwrap_or_default()),
            name: row.name,
        }
    };
    let queued = |(position, row): (usize, RosterRow)| Waiting {
        booking_id: row.booking_id,
        person_id: row.person_id,
        name: row.name,
        position,
        reason: row.passed_over.map(|reason| words::passed_over(reason, shell.language)),
    };
    let takes_place = !session.is_cancelled() && now < session.ends_at;
    Ok(Roster {
        at: format!("{}/sessions/{}", shell.at(), session.id),
        back,
        places: places.into_iter().map(place).collect(),
        waiting: (1..).zip(waiting).map(queued).collect(),
        standing: (1..).zip(standing).map(queued).collect(),
        arrived,
        opens: (!open).then(|| shell.time(begins(session, from_min))),
        may_let_in: takes_place && open && !session.is_draft() && staff.caller.roles.is_front_desk(session.studio_id),
        may_move_up: takes_place && (open || staff.caller.roles.is_front_desk(session.studio_id)),
    })
}

/// A booking's state in words.
pub const fn state(status: BookingStatus, absent: bool, released: bool, unrecorded: bool, w: &Words) -> &'static str {
    match status {
        _ if released => w.released,
        _ if unrecorded => w.unrecorded,
        BookingStatus::Booked if absent => w.not_here_yet,
        BookingStatus::Booked => w.booked,
        BookingStatus::Waitlisted => w.waitlisted,
        BookingStatus::Offered => w.offered,
        BookingStatus::Standby => w.standby,
        BookingStatus::Cancelled => w.cancelled,
        BookingStatus::LateCancelled => w.late_cancelled,
        BookingStatus::Attended => w.attended,
        BookingStatus::NoShow => w.no_show,
    }
}
