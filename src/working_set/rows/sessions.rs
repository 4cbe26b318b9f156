//! The sessions that a batch knows, with their counts, and the days on which a studio is closed.

use crate::working_set::known::Known;
use crate::working_set::table::{Before, Table};
use chrono::NaiveDate;
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

use crate::booking::{Booking, BookingStatus};
use crate::schedule::Session;

/// A day on which a studio is closed: why, as its members read it.
pub type ClosingDay = Option<String>;

/// The sessions of a batch.
#[derive(Debug, Default)]
pub struct Sessions {
    pub table: Table<Session>,
    /// Series whose sessions to come are all known.
    pub known_series: Known<Uuid>,
    /// Instructors whose sessions are all known.
    pub known_teaching: Known<Uuid>,
    /// Studios whose sessions to come are all known.
    pub known_to_come: Known<Uuid>,
    /// Studios and days whose sessions are all known.
    pub known_days: Known<(Uuid, NaiveDate, NaiveDate)>,
    pub known_closing_days: Known<Uuid>,
    pub closing_days: HashSet<(Uuid, NaiveDate)>,
    /// Days to be closed (with a note) or opened again.
    pub new_closing_days: BTreeMap<(Uuid, NaiveDate), Option<ClosingDay>>,
}

/// How a change to sessions is undone.
#[derive(Debug)]
pub enum Undo {
    /// A session was put.
    Put(Uuid, Box<Before<Session>>),
    /// A day was closed or opened: whether it was closed, and what was to be written.
    ClosingDay(Uuid, NaiveDate, bool, Option<Option<ClosingDay>>),
}

impl Sessions {
    pub fn know_everything(&mut self) {
        self.table.known = Known::All;
        self.known_series = Known::All;
        self.known_teaching = Known::All;
        self.known_to_come = Known::All;
        self.known_days = Known::All;
        self.known_closing_days = Known::All;
    }

    /// A series that was just made has made nothing yet.
    pub fn know_series(&mut self, series_id: Uuid) {
        self.known_series.note([series_id]);
    }

    /// What a booking contributes to its session's counts.
    pub fn count(&mut self, booking: &Booking, by: i64) {
        if let Some(session) = self.table.rows.get_mut(&booking.session_id) {
            if booking.takes_place() {
                session.taken += by;
            }
            if booking.status == BookingStatus::Waitlisted {
                session.waiting += by;
            }
            self.table.dirty.entry(booking.session_id).or_insert(false);
        }
    }

    /// What a hold contributes to them.
    pub fn hold(&mut self, session_id: Uuid, by: i64) {
        if let Some(session) = self.table.rows.get_mut(&session_id) {
            session.held += by;
            self.table.dirty.entry(session_id).or_insert(false);
        }
    }

    /// Those that `wanted` picks, sorted by `key`.
    pub fn sorted<K: Ord>(&self, wanted: impl Fn(&Session) -> bool, key: impl Fn(&Session) -> K) -> Vec<Session> {
        let mut found: Vec<Session> = self.table.rows.values().filter(|session| wanted(session)).cloned().collect();
        found.sort_by_key(key);
        found
    }
}
