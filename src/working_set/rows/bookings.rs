//! The bookings that a batch knows, and their indexes: by person, by session, by queue.

use crate::working_set::known::Known;
use crate::working_set::lookup::Attended;
use crate::working_set::table::{Before, Table};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

use crate::booking::{Booking, BookingStatus};

/// How many of a queue are read at a time, from its head.
pub const QUEUE_SLICE: i64 = 16;

/// How many of the classes that somebody attended are read: only the first counts, and a batch takes back the marks of few.
pub const ATTENDED_MAX: i64 = 16;

/// How much of a queue has been read.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    pub entries: BTreeMap<i64, Uuid>,
    /// The last key read; `None` before the first slice.
    pub read_to: Option<i64>,
    pub complete: bool,
}

/// The bookings of a batch.
#[derive(Debug, Default)]
pub struct Bookings {
    pub table: Table<Booking>,
    /// Each person's bookings in sessions that are not over.
    pub ahead: HashMap<Uuid, BTreeSet<Uuid>>,
    /// People whose bookings from now on are known.
    pub known_ahead: Known<Uuid>,
    /// Sessions and people for which it is known whether the person is in it.
    pub known_in_session: Known<(Uuid, Uuid)>,
    /// Who is or was in each session.
    pub roster: HashMap<Uuid, BTreeSet<Uuid>>,
    /// Sessions whose whole roster is known.
    pub known_rosters: Known<Uuid>,
    pub queues: HashMap<Uuid, Queue>,
    /// The bookings by which somebody gave back a place that the waitlist of the session had given or offered them.
    pub turned_down: HashMap<Uuid, BTreeSet<Uuid>>,
    pub known_turned_down: Known<Uuid>,
    /// Ids that somebody cancelled before they booked, and until when they are barred for them.
    pub withdrawn: HashMap<(Uuid, Uuid), DateTime<Utc>>,
    pub known_withdrawn: Known<(Uuid, Uuid)>,
    /// People whose places in sessions that start in a span of time are all known.
    pub known_places: Known<(Uuid, DateTime<Utc>, DateTime<Utc>)>,
    pub new_withdrawn: Vec<(Uuid, Uuid, DateTime<Utc>)>,
    /// What two people have in one session or at one time.
    pub beside: HashMap<(Uuid, Uuid), Vec<Uuid>>,
    /// Of whom and what the first attended classes are known.
    pub known_attended: Known<Attended>,
    /// Passes of which is known for what they will pay.
    pub known_paid: Known<Uuid>,
}

/// How a change to bookings is undone.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "the large one is the usual one")]
pub enum Undo {
    /// A booking was put.
    Put(Uuid, Box<Before<Booking>>),
    /// A letter about a booking was counted: letters and SEQUENCE as they were.
    Letter(Uuid, i64, i64),
    /// An id was withdrawn.
    Withdrawn(Uuid, Uuid),
}

impl Bookings {
    pub fn know_everything(&mut self) {
        self.table.known = Known::All;
        self.known_ahead = Known::All;
        self.known_in_session = Known::All;
        self.known_rosters = Known::All;
        self.known_withdrawn = Known::All;
        self.known_turned_down = Known::All;
        self.known_places = Known::All;
        self.known_attended = Known::All;
        self.known_paid = Known::All;
    }

    /// A session that was just made has nobody in it and nobody waits for it.
    pub fn know_empty(&mut self, session_id: Uuid) {
        self.known_rosters.note([session_id]);
        self.queues.entry(session_id).or_default().complete = true;
        self.known_turned_down.note([session_id]);
    }

    pub fn knows_queue(&self, session_id: Uuid) -> bool {
        self.known_rosters.has(&session_id) || self.queues.get(&session_id).is_some_and(|queue| queue.complete)
    }

    /// Adds a booking to the indexes, or removes it.
    pub fn index(&mut self, booking: &Booking, add: bool) {
        fn set(index: &mut HashMap<Uuid, BTreeSet<Uuid>>, key: Uuid, id: Uuid, add: bool) {
            if add {
                index.entry(key).or_default().insert(id);
            } else if let Some(ids) = index.get_mut(&key) {
                ids.remove(&id);
            }
        }
        if !booking.status.has_ended() {
            set(&mut self.ahead, booking.person_id, booking.id, add);
        }
        if booking.status != BookingStatus::Cancelled {
            set(&mut self.roster, booking.session_id, booking.id, add);
        }
        if booking.has_turned_down() {
            set(&mut self.turned_down, booking.session_id, booking.id, add);
        }
        if let Some(key) = booking.queue_key {
            let queue = self.queues.entry(booking.session_id).or_default();
            if add {
                queue.entries.insert(key, booking.id);
            } else {
                queue.entries.remove(&key);
            }
        }
    }

    pub fn load(&mut self, booking: Booking) {
        if !self.table.rows.contains_key(&booking.id) {
            self.index(&booking, true);
            self.table.load(booking.id, booking);
        }
    }
}
