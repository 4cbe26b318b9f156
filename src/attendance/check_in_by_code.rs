//! Decides codes that were shown at the door: one at once, or up to 200 that a device kept while it had no network. Each is decided for
//! itself, by the instant at which it was shown, and one that is refused keeps nothing from the others.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::CheckIn;
use super::check_in::come;
use super::rules::door::{BELIEVED, DoorTimes, NotIn, admit, believed};
use crate::booking::freed::Freed;
use crate::booking::refill::settle;
use crate::booking::{Booking, BookingStatus};
use crate::events::emit::emit;
use crate::events::{Actor, Event, Happened};
use crate::problem::{Answer, Problem, ProblemType};
use crate::working_set::{Abort, Attended, Decision, WorkingSet, caller};
use crate::wrong::Wrong;

/// `PUT /v1/studios/{id}/check-ins/{check_in_id}` and `POST /v1/studios/{id}/check-ins/replay`.
#[derive(Clone, Debug)]
pub struct CheckInByCode {
    pub studio_id: Uuid,
    /// The device, if it is not somebody of the staff.
    pub kiosk_id: Option<Uuid>,
    pub shown: Vec<Shown>,
}

/// A code that was shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// Chosen by the device.
    pub id: Uuid,
    /// Whose code it is; `None`: it is none of ours.
    pub booking_id: Option<Uuid>,
    /// When, as the device says; `None`: now.
    pub at: Option<DateTime<Utc>>,
}

/// Who looks at the code.
#[derive(Clone, Copy, Debug)]
enum Door {
    Person(Uuid),
    Kiosk(Uuid),
}

impl Door {
    fn person(self) -> Option<Uuid> {
        if let Self::Person(id) = self { Some(id) } else { None }
    }

    fn kiosk(self) -> Option<Uuid> {
        if let Self::Kiosk(id) = self { Some(id) } else { None }
    }
}

/// Decides each in its turn; one answer each, in their order.
pub fn check_in_by_code(set: &mut WorkingSet, actor: &Actor, ask: &CheckInByCode, now: DateTime<Utc>) -> Decision<Vec<Answer<CheckIn>>> {
    let door = match ask.kiosk_id {
        Some(id) => Door::Kiosk(id),
        None => Door::Person(caller(actor)?),
    };
    set.must_bear(i64::try_from(ask.shown.len()).unwrap_or(i64::MAX))?;
    let (mut answers, mut needs, mut freed) = (Vec::with_capacity(ask.shown.len()), Vec::new(), Freed::default());
    for shown in &ask.shown {
        let (mark, mut freed_by) = (set.mark(), Freed::default());
        match one(set, actor, ask.studio_id, door, *shown, &mut freed_by, now) {
            Ok(done) => {
                freed.also(freed_by);
                answers.push(Ok(done));
            }
            Err(Abort::Refused(problem)) => {
                set.back_to(mark);
                answers.push(Err(*problem));
            }
            // What all of them need is asked for at once.
            Err(Abort::Needs(keys)) => {
                set.back_to(mark);
                needs.extend(keys);
            }
            Err(Abort::Alone) => return Err(Abort::Alone),
        }
    }
    if !needs.is_empty() {
        return Err(Abort::Needs(needs));
    }
    settle(set, freed, now)?;
    Ok(answers)
}

fn one(
    set: &mut WorkingSet,
    actor: &Actor,
    studio_id: Uuid,
    door: Door,
    shown: Shown,
    freed: &mut Freed,
    now: DateTime<Utc>,
) -> Decision<CheckIn> {
    let booking = of_code(set, studio_id, door, shown)?;
    if let Some(before) = set.check_in(shown.id)?.cloned() {
        let same = before.booking_id == booking.id;
        return if same { Ok(before) } else { Err(Problem::new(ProblemType::CheckInIdReused).into()) };
    }
    let Some(at) = believed(shown.at, now) else {
        return Err(Problem::field("at", Wrong::NotLately { hours: BELIEVED.num_hours() }).into());
    };
    let session = set.session(booking.session_id)?;
    let studio = set.studio(studio_id)?;
    let first = set.first_attended(Attended::At(booking.person_id, studio_id))?;
    // Of guests nothing is known.
    let first_visit = booking.is_guests() || first.is_none_or(|first| first.id == booking.id || first.starts_at >= booking.starts_at);
    let times = DoorTimes::of(booking.starts_at, &studio.rules_of(session.class_type_id), first_visit);
    let admitted = admit(&booking, studio_id, times, first_visit, studio.zone, at);
    let already = booking.status == BookingStatus::Attended;
    let arrived_at = match (booking.arrived_at.filter(|_| already), admitted) {
        (known, Ok(())) if already && known.is_none_or(|known| at < known) => {
            let mut earlier = booking.clone();
            earlier.arrive_earlier(at, door.person())?;
            set.put(earlier.clone());
            emit(set, actor, Event::of_booking(&earlier, Happened::ArrivedEarlier { at }))?;
            at
        }
        // Who is in is in, however late the code is shown once more.
        (Some(known), _) => known,
        (None, Ok(())) => {
            come(set, actor, booking.clone(), at, door.person(), freed, now)?;
            at
        }
        (None, Err(why)) => return Err(why.problem().into()),
    };
    let done = CheckIn {
        id: shown.id,
        studio_id,
        booking_id: booking.id,
        by_person: door.person(),
        by_kiosk: door.kiosk(),
        decided_at: now,
        arrived_at,
        first_visit,
        already,
    };
    set.put_check_in(done.clone());
    Ok(done)
}

/// The booking of a code, if it is this studio's, and, for somebody of the staff, of a session that is theirs to mark.
fn of_code(set: &WorkingSet, studio_id: Uuid, door: Door, shown: Shown) -> Decision<Booking> {
    let not_here = || Abort::from(NotIn::NotHere.problem());
    let caller = door.person().unwrap_or_default();
    let booking = set.booking(shown.booking_id.ok_or_else(not_here)?, caller)?.cloned().ok_or_else(not_here)?;
    if booking.studio_id != studio_id {
        return Err(not_here());
    }
    let session = set.session(booking.session_id)?;
    if let Door::Person(id) = door
        && !set.identity(id)?.roles.is_staff_of_session(studio_id, session.instructor_id == id)
    {
        return Err(not_here());
    }
    Ok(booking)
}
