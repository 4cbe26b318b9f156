//! The bookings, looked up and changed, and their indexes: by person, by session, by queue.

use super::rows::bookings::{ATTENDED_MAX, QUEUE_SLICE, Undo};
use super::table::Before;
use super::{Abort, Attended, Change, Decision, Lookup, WorkingSet};
use crate::booking::{self, Booking, BookingStatus};
use crate::db::{Error, Tx};
use chrono::{DateTime, Utc};
use uuid::Uuid;

impl WorkingSet {
    /// A booking that is loaded.
    pub fn known_booking(&self, id: Uuid) -> Option<&Booking> {
        self.bookings.table.rows.get(&id)
    }

    /// A booking as it was before this command, if the command has changed it.
    pub fn booking_before_command(&self, id: Uuid) -> Option<&Booking> {
        self.journal[self.began.journal..].iter().find_map(|change| match change {
            Change::Booking(Undo::Put(of, before)) if *of == id => before.row.as_ref(),
            _ => None,
        })
    }

    /// A booking, if there is one with that id. `caller` may have withdrawn it.
    pub fn booking(&self, id: Uuid, caller: Uuid) -> Decision<Option<&Booking>> {
        if self.bookings.table.knows(id) && self.bookings.known_withdrawn.has(&(id, caller)) {
            Ok(self.known_booking(id))
        } else {
            Err(Abort::Needs(vec![Lookup::Booking(id, caller)]))
        }
    }

    /// Until when `caller` barred an id that was never seen.
    pub fn withdrawn_until(&self, id: Uuid, caller: Uuid) -> Option<DateTime<Utc>> {
        self.bookings.withdrawn.get(&(id, caller)).copied()
    }

    /// Makes sure that it is known whether a person is in a session already.
    pub fn know_in_session(&self, session_id: Uuid, person_id: Uuid) -> Decision<()> {
        let known = self.bookings.known_ahead.has(&person_id) || self.bookings.known_in_session.has(&(session_id, person_id));
        if known { Ok(()) } else { Err(Abort::Needs(vec![Lookup::InSession(session_id, person_id)])) }
    }

    /// A person's ([`WorkingSet::person`]) bookings in sessions that are not over.
    pub fn ahead(&self, person_id: Uuid, now: DateTime<Utc>) -> Vec<&Booking> {
        let ids = self.bookings.ahead.get(&person_id).into_iter().flatten();
        ids.filter_map(|id| self.known_booking(*id)).filter(|booking| booking.ends_at > now).collect()
    }

    /// A person's places in sessions that start in this time, past ones too.
    pub fn places(&self, person_id: Uuid, from: DateTime<Utc>, to: DateTime<Utc>) -> Decision<Vec<&Booking>> {
        if !self.bookings.known_places.has(&(person_id, from, to)) {
            return Err(Abort::Needs(vec![Lookup::Places(person_id, from, to)]));
        }
        let own = self.bookings.ahead.get(&person_id).into_iter().flatten().filter_map(|id| self.known_booking(*id));
        Ok(own.filter(|booking| booking.takes_place() && from <= booking.starts_at && booking.starts_at < to).collect())
    }

    /// The first in the queue behind `after`, if there is one.
    pub fn next_waiting(&self, session_id: Uuid, after: Option<i64>) -> Decision<Option<&Booking>> {
        let queue = self.bookings.queues.get(&session_id);
        let found = queue.and_then(|queue| queue.entries.range(after.map_or(i64::MIN, |key| key + 1)..).next());
        if self.bookings.knows_queue(session_id) {
            return Ok(found.and_then(|(_, id)| self.known_booking(*id)));
        }
        match (found, queue.and_then(|queue| queue.read_to)) {
            (Some((key, id)), Some(read_to)) if *key <= read_to => Ok(self.known_booking(*id)),
            _ => Err(Abort::Needs(vec![Lookup::Queue(session_id)])),
        }
    }

    /// Everybody who waits, in order.
    pub fn whole_queue(&self, session_id: Uuid) -> Decision<Vec<Uuid>> {
        if !self.bookings.knows_queue(session_id) {
            return Err(Abort::Needs(vec![Lookup::Roster(session_id)]));
        }
        Ok(self.bookings.queues.get(&session_id).into_iter().flat_map(|queue| queue.entries.values().copied()).collect())
    }

    /// Everybody who is in a session or cancelled late, by id of the booking.
    pub fn roster(&self, session_id: Uuid) -> Decision<Vec<Uuid>> {
        if self.bookings.known_rosters.has(&session_id) {
            Ok(self.bookings.roster.get(&session_id).into_iter().flatten().copied().collect())
        } else {
            Err(Abort::Needs(vec![Lookup::Roster(session_id)]))
        }
    }

    /// Whether somebody gave back the place in a session that its waitlist had given or offered them.
    pub fn has_turned_down(&self, session_id: Uuid, person_id: Uuid) -> Decision<bool> {
        if !self.bookings.known_turned_down.has(&session_id) {
            return Err(Abort::Needs(vec![Lookup::TurnedDown(session_id)]));
        }
        let theirs = |id: &Uuid| self.known_booking(*id).is_some_and(|booking| booking.person_id == person_id);
        Ok(self.bookings.turned_down.get(&session_id).is_some_and(|ids| ids.iter().any(theirs)))
    }

    /// The first of the classes that somebody attended, if there is one.
    pub fn first_attended(&self, which: Attended) -> Decision<Option<&Booking>> {
        if !self.bookings.known_attended.has(&which) {
            return Err(Abort::Needs(vec![Lookup::Attended(which)]));
        }
        let counts = |booking: &&Booking| {
            booking.status == BookingStatus::Attended
                && match which {
                    Attended::With(pass_id) => booking.pass_id == Some(pass_id),
                    Attended::At(person_id, studio_id) => {
                        booking.person_id == person_id && booking.studio_id == studio_id && !booking.is_guests()
                    }
                }
        };
        Ok(self.bookings.table.rows.values().filter(counts).min_by_key(|booking| (booking.starts_at, booking.id)))
    }

    /// The bookings to come that have a place for which a pass pays, whoever comes; the soonest first.
    pub fn paid_by(&self, pass_id: Uuid, now: DateTime<Utc>) -> Decision<Vec<Booking>> {
        if !self.bookings.known_paid.has(&pass_id) {
            return Err(Abort::Needs(vec![Lookup::PaidBy(pass_id)]));
        }
        let pays = |booking: &&Booking| booking.pass_id == Some(pass_id) && booking.status.takes_place() && booking.starts_at > now;
        let mut paid: Vec<Booking> = self.bookings.table.rows.values().filter(pays).cloned().collect();
        paid.sort_by_key(|booking| (booking.starts_at, booking.id));
        Ok(paid)
    }

    /// What two people have in one session or at one time, and has not ended.
    pub fn beside_each_other(&self, one: Uuid, other: Uuid) -> Decision<Vec<Booking>> {
        match self.bookings.beside.get(&(one, other)) {
            Some(ids) => Ok(ids.iter().filter_map(|id| self.known_booking(*id).cloned()).collect()),
            None => Err(Abort::Needs(vec![Lookup::Beside(one, other)])),
        }
    }

    /// All bookings with these ids; if there are so many that others would have to wait, the command is decided alone.
    pub fn in_company(&self, ids: &[Uuid]) -> Decision<Vec<Booking>> {
        self.must_bear(i64::try_from(ids.len()).unwrap_or(i64::MAX))?;
        Ok(ids.iter().filter_map(|id| self.known_booking(*id).cloned()).collect())
    }

    /// Asks for all the people of these bookings at once.
    pub fn need_people<'b>(&self, bookings: impl IntoIterator<Item = &'b Booking>) -> Decision<()> {
        let missing = |booking: &&Booking| matches!(self.person(booking.person_id), Err(Abort::Needs(_)));
        let keys: Vec<Lookup> = bookings.into_iter().filter(missing).map(|booking| Lookup::Person(booking.person_id)).collect();
        if keys.is_empty() { Ok(()) } else { Err(Abort::Needs(keys)) }
    }

    /// Asks for those who are next in a queue too, when one of them is missing, or their places or penalties are.
    pub fn with_queue_people(&self, session_id: Uuid, abort: Abort) -> Abort {
        let Abort::Needs(mut keys) = abort else { return abort };
        let entries = self.bookings.queues.get(&session_id).into_iter().flat_map(|queue| queue.entries.values());
        let people = entries.filter_map(|id| self.known_booking(*id)).map(|booking| booking.person_id);
        let slice = usize::try_from(QUEUE_SLICE).unwrap_or(16);
        if let [Lookup::Places(_, from, to)] = keys[..] {
            let unknown = |id: &Uuid| !self.bookings.known_places.has(&(*id, from, to));
            keys.extend(people.filter(unknown).take(slice).map(|id| Lookup::Places(id, from, to)));
            return Abort::Needs(keys);
        }
        if let [Lookup::Penalties(_)] = keys[..] {
            keys.extend(people.filter(|id| !self.knows_penalties(*id)).take(slice).map(Lookup::Penalties));
            return Abort::Needs(keys);
        }
        keys.extend(people.filter(|id| !self.bookings.known_ahead.has(id)).take(slice).map(Lookup::Person));
        Abort::Needs(keys)
    }

    pub(super) fn knows_ahead(&self, person_id: Uuid) -> bool {
        self.bookings.known_ahead.has(&person_id)
    }

    /// Puts a booking, new or changed. The session's counts, the queue, the visits and its member's overlaps follow.
    pub fn put(&mut self, booking: Booking) {
        let id = booking.id;
        let noted = self.bookings.table.must_write(id);
        let row = self.replace_booking(id, Some(booking));
        self.journal.push(Change::Booking(Undo::Put(id, Box::new(Before { row, noted }))));
    }

    /// Counts one more letter about a booking that this command has put: its number, and the SEQUENCE of its calendar part if it has one.
    pub fn count_letter(&mut self, booking_id: Uuid, with_calendar: bool) -> (i64, Option<i64>) {
        let Some(booking) = self.bookings.table.rows.get_mut(&booking_id) else { return (0, None) };
        self.journal.push(Change::Booking(Undo::Letter(booking_id, booking.letters, booking.sequence)));
        booking.letters += 1;
        let sequence = with_calendar.then_some(booking.sequence);
        booking.sequence += i64::from(with_calendar);
        let letters = booking.letters;
        // A letter about a booking that nothing else changed is counted in its row all the same.
        self.bookings.table.dirty.entry(booking_id).or_insert(false);
        (letters, sequence)
    }

    /// Bars an id that was never seen.
    pub fn withdraw(&mut self, booking_id: Uuid, person_id: Uuid, until: DateTime<Utc>) {
        if self.bookings.withdrawn.insert((booking_id, person_id), until).is_none() {
            self.bookings.new_withdrawn.push((booking_id, person_id, until));
            self.journal.push(Change::Booking(Undo::Withdrawn(booking_id, person_id)));
        }
    }

    pub(super) fn undo_booking(&mut self, undo: Undo) {
        match undo {
            Undo::Put(id, before) => {
                self.replace_booking(id, before.row);
                self.bookings.table.note_again(id, before.noted);
            }
            Undo::Letter(id, letters, sequence) => {
                if let Some(booking) = self.bookings.table.rows.get_mut(&id) {
                    (booking.letters, booking.sequence) = (letters, sequence);
                }
            }
            Undo::Withdrawn(booking_id, person_id) => {
                self.bookings.withdrawn.remove(&(booking_id, person_id));
                self.bookings.new_withdrawn.pop();
            }
        }
    }

    fn replace_booking(&mut self, id: Uuid, row: Option<Booking>) -> Option<Booking> {
        let before = self.bookings.table.rows.remove(&id);
        if let Some(before) = &before {
            self.bookings.index(before, false);
            self.count_visit(before, -1);
            self.sessions.count(before, -1);
        }
        if let Some(row) = row {
            self.bookings.index(&row, true);
            self.count_visit(&row, 1);
            self.sessions.count(&row, 1);
            self.bookings.table.rows.insert(id, row);
        }
        before
    }

    pub(super) async fn load_bookings(&mut self, tx: &mut Tx, asked: &[(Uuid, Uuid)], now: DateTime<Utc>) -> Result<(), Error> {
        if asked.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = asked.iter().map(|(id, _)| *id).collect();
        let found = booking::store::by_id(tx, &ids).await?;
        self.take_bookings(tx, found).await?;
        for (booking_id, person_id, until) in booking::store::withdrawn(tx, &ids, now).await? {
            self.bookings.withdrawn.entry((booking_id, person_id)).or_insert(until);
        }
        self.bookings.table.known.note(ids);
        self.bookings.known_withdrawn.note(asked.iter().copied());
        Ok(())
    }

    pub(super) async fn load_ahead(&mut self, tx: &mut Tx, people: &[Uuid], now: DateTime<Utc>) -> Result<(), Error> {
        let found = booking::store::ahead(tx, people, now).await?;
        self.take_bookings(tx, found).await?;
        self.bookings.known_ahead.note(people.iter().copied());
        Ok(())
    }

    pub(super) async fn load_in_session(&mut self, tx: &mut Tx, session_id: Uuid, people: &[Uuid]) -> Result<(), Error> {
        let found = booking::store::in_session(tx, session_id, people).await?;
        self.take_bookings(tx, found).await?;
        self.bookings.known_in_session.note(people.iter().map(|person_id| (session_id, *person_id)));
        Ok(())
    }

    pub(super) async fn load_places(
        &mut self,
        tx: &mut Tx,
        people: &[Uuid],
        (from, to): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<(), Error> {
        for booking in booking::store::places(tx, people, from, to).await? {
            self.bookings.load(booking);
        }
        self.bookings.known_places.note(people.iter().map(|person_id| (*person_id, from, to)));
        Ok(())
    }

    pub(super) async fn load_rosters(&mut self, tx: &mut Tx, sessions: &[Uuid]) -> Result<(), Error> {
        if sessions.is_empty() {
            return Ok(());
        }
        let found = booking::store::rosters(tx, sessions).await?;
        self.take_bookings(tx, found).await?;
        self.bookings.known_rosters.note(sessions.iter().copied());
        Ok(())
    }

    pub(super) async fn load_turned_down(&mut self, tx: &mut Tx, sessions: &[Uuid]) -> Result<(), Error> {
        if sessions.is_empty() {
            return Ok(());
        }
        for booking in booking::store::turned_down(tx, sessions).await? {
            self.bookings.load(booking);
        }
        self.bookings.known_turned_down.note(sessions.iter().copied());
        Ok(())
    }

    pub(super) async fn load_attended(&mut self, tx: &mut Tx, which: Attended) -> Result<(), Error> {
        let found = match which {
            Attended::With(pass_id) => booking::store::attended_with(tx, pass_id, ATTENDED_MAX).await?,
            Attended::At(person_id, studio_id) => booking::store::attended_at(tx, person_id, studio_id, ATTENDED_MAX).await?,
        };
        self.take_bookings(tx, found).await?;
        self.bookings.known_attended.note([which]);
        Ok(())
    }

    pub(super) async fn load_paid_by(&mut self, tx: &mut Tx, pass_ids: &[Uuid], now: DateTime<Utc>) -> Result<(), Error> {
        for pass_id in pass_ids {
            let found = booking::store::paid_by(tx, *pass_id, now).await?;
            self.take_bookings(tx, found).await?;
        }
        self.bookings.known_paid.note(pass_ids.iter().copied());
        Ok(())
    }

    pub(super) async fn load_beside(&mut self, tx: &mut Tx, one: Uuid, other: Uuid) -> Result<(), Error> {
        let found = booking::store::beside(tx, one, other).await?;
        self.bookings.beside.insert((one, other), found.iter().map(|booking| booking.id).collect());
        self.take_bookings(tx, found).await
    }

    /// The next slice of a queue.
    pub(super) async fn load_queue(&mut self, tx: &mut Tx, session_id: Uuid) -> Result<(), Error> {
        let read_to = self.bookings.queues.get(&session_id).and_then(|queue| queue.read_to);
        let slice = booking::store::queue_slice(tx, session_id, read_to.unwrap_or(i64::MIN), QUEUE_SLICE).await?;
        let full = i64::try_from(slice.len()).unwrap_or(i64::MAX) >= QUEUE_SLICE;
        let last = slice.iter().filter_map(|booking| booking.queue_key).max();
        for booking in slice {
            self.bookings.load(booking);
        }
        let queue = self.bookings.queues.entry(session_id).or_default();
        queue.read_to = last.max(queue.read_to);
        queue.complete |= !full;
        Ok(())
    }

    /// What frees a unique key is written before what takes it: updates before inserts.
    pub(super) async fn write_bookings(&mut self, tx: &mut Tx) -> Result<(), Error> {
        booking::store::update(tx, self.bookings.table.to_write(false)).await?;
        booking::store::insert(tx, self.bookings.table.to_write(true)).await?;
        booking::store::withdraw(tx, std::mem::take(&mut self.bookings.new_withdrawn)).await
    }
}
