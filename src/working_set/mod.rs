//! What a batch knows: the rows that its commands named, as the commands before left them.
//!
//! Decisions read and change rows here and nowhere else. A row that is not loaded is answered with [`Abort::Needs`]: the transactor loads it and
//! decides that command again. Every change is journalled, so that a command that stops half-way leaves nothing behind.
//! The counts of a session and every index are derived from the bookings in one place, [`WorkingSet::put`].

mod lookup;
pub mod store;
mod table;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use uuid::Uuid;

pub use lookup::{Abort, Decision, Lookup, all, all_needs, caller, not_found};
use table::Table;

use crate::booking::{Booking, BookingStatus};
use crate::events::{Actor, Event};
use crate::letters::outbox::Letter;
use crate::passes::PassState;
use crate::passes::{LedgerEntry, Pass, PassKind};
use crate::people::Person;
use crate::people::roles::Role;
use crate::schedule::series::Plan;
use crate::schedule::substitutes::{Candidate, SubstituteRequest};
use crate::schedule::{Clash, ClassType, SESSION_HOURS_MAX, Session};
use crate::studios::{HouseRules, Room, StudioContext};

/// How many of a queue are read at a time, from its head.
pub const QUEUE_SLICE: i64 = 16;

/// A command that touches more people than this has a batch of its own.
const PEOPLE_IN_COMPANY_MAX: i64 = 200;

/// How often each membership was used in a week.
pub type Visits = Vec<(Uuid, i64)>;

/// How much of a queue has been read.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    entries: BTreeMap<i64, Uuid>,
    /// The last key read; `None` before the first slice.
    read_to: Option<i64>,
    complete: bool,
}

/// From when until when.
type Span = (DateTime<Utc>, DateTime<Utc>);

/// A day on which a studio is closed: why, as its members read it.
pub type ClosingDay = Option<String>;

enum Undo {
    /// The letters of a booking, and its calendar part, as they were counted before.
    Letters(Uuid, i64, i64),
    Booking(Uuid, Option<Booking>, Option<bool>),
    Session(Uuid, Option<Box<Session>>, Option<bool>),
    Pass(Uuid, Option<Pass>, Option<bool>),
    Member(Uuid, Uuid),
    Roles(Uuid, Arc<Person>, Option<BTreeSet<Role>>),
    HouseRules(Arc<StudioContext>, Option<(HouseRules, i64)>),
    Withdrawn(Uuid, Uuid),
    Idempotency(Uuid, String),
    Series(Uuid, Option<Box<Plan>>, Option<bool>),
    ClosingDay(Uuid, NaiveDate, bool, Option<Option<ClosingDay>>),
    SubstituteRequest(Uuid, Option<SubstituteRequest>, Option<bool>),
}

/// Where the world stood before a command.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark {
    undo: usize,
    ledger: usize,
    letters: usize,
    events: usize,
    removed: usize,
}

/// The rows of a batch.
#[derive(Default)]
pub struct WorkingSet {
    /// Whether everything there is stands here, as in a simulation without a database.
    pub complete: bool,
    /// Whether this batch holds one command only.
    pub alone: bool,
    pub(crate) sessions: Table<Session>,
    pub(crate) bookings: Table<Booking>,
    pub(crate) passes: Table<Pass>,
    pub(crate) studios: HashMap<Uuid, Arc<StudioContext>>,
    pub(crate) absent_studios: HashSet<Uuid>,
    pub(crate) persons: HashMap<Uuid, Option<Arc<Person>>>,
    pub(crate) class_types: HashMap<Uuid, Option<Arc<ClassType>>>,
    pub(crate) rooms: HashMap<Uuid, Option<Arc<Room>>>,
    pub(crate) pass_types: HashMap<Uuid, Option<Arc<crate::passes::PassType>>>,
    /// Whose passes and bookings ahead are known.
    pub(crate) known_people: HashSet<Uuid>,
    /// Of which sessions it is known what a person is in them.
    pub(crate) known_in_session: HashSet<(Uuid, Uuid)>,
    ahead: HashMap<Uuid, BTreeSet<Uuid>>,
    passes_of: HashMap<Uuid, BTreeSet<Uuid>>,
    queues: HashMap<Uuid, Queue>,
    pub(crate) rosters: HashSet<Uuid>,
    roster: HashMap<Uuid, BTreeSet<Uuid>>,
    pub(crate) visits: HashMap<(Uuid, NaiveDate), i64>,
    pub(crate) members: HashSet<(Uuid, Uuid)>,
    pub(crate) new_members: Vec<(Uuid, Uuid, DateTime<Utc>)>,
    /// Withdrawn ids, and until when they are barred for whom; `None`: not withdrawn.
    pub(crate) withdrawn: HashMap<(Uuid, Uuid), Option<DateTime<Utc>>>,
    pub(crate) new_withdrawn: Vec<(Uuid, Uuid, DateTime<Utc>)>,
    /// Times of which it is known what a room and an instructor are in.
    known_times: HashMap<(Uuid, Uuid), Vec<Span>>,
    /// What is known of sessions that only stand in the way.
    others: HashMap<Uuid, Clash>,
    /// What each room and each instructor is in, by its start.
    busy: HashMap<Uuid, BTreeSet<(DateTime<Utc>, Uuid)>>,
    pub(crate) series: Table<Plan>,
    pub(crate) sessions_of_series: HashSet<Uuid>,
    /// Whose sessions as an instructor are known.
    pub(crate) known_teaching: HashSet<Uuid>,
    /// Of which studios all sessions to come are known, and all series that run on.
    pub(crate) known_to_come: HashSet<Uuid>,
    pub(crate) known_running: HashSet<Uuid>,
    /// House rules to be written: rules and version, by studio.
    pub(crate) new_house_rules: BTreeMap<Uuid, (HouseRules, i64)>,
    pub(crate) known_days: HashSet<(Uuid, NaiveDate, NaiveDate)>,
    /// Of which studios the closing days are known, and these.
    pub(crate) known_closing_days: HashSet<Uuid>,
    pub(crate) closing_days: HashSet<(Uuid, NaiveDate)>,
    /// Days to be closed (with a note) or opened again.
    pub(crate) new_closing_days: BTreeMap<(Uuid, NaiveDate), Option<ClosingDay>>,
    pub(crate) admins: HashMap<Uuid, Vec<Uuid>>,
    /// Roles to be held from now on: (studio, person).
    pub(crate) new_roles: BTreeMap<(Uuid, Uuid), BTreeSet<Role>>,
    pub(crate) requests: Table<SubstituteRequest>,
    /// Of which sessions it is known whether somebody is asked for.
    pub(crate) known_requests: HashSet<Uuid>,
    pub(crate) candidates: HashMap<Uuid, Arc<Vec<Candidate>>>,
    pub(crate) idempotency: HashMap<(Uuid, String), Option<(String, Uuid)>>,
    pub(crate) new_idempotency: Vec<(Uuid, String, String, Uuid, DateTime<Utc>)>,
    /// Entries of the ledger to be written.
    pub ledger: Vec<LedgerEntry>,
    /// Letters to be written.
    pub letters: Vec<Letter>,
    /// What happened, to be written into the log.
    pub events: Vec<(Actor, Event)>,
    /// People to be made nameless.
    pub removed: Vec<Uuid>,
    undo: Vec<Undo>,
    /// Where the command began that is being decided.
    began: Mark,
}

impl WorkingSet {
    /// Nothing is loaded yet.
    pub fn empty(alone: bool) -> Self {
        Self { alone, ..Self::default() }
    }

    /// What somebody is called, if they are known here.
    pub fn name_of(&self, id: Uuid) -> String {
        self.persons.get(&id).and_then(Option::as_ref).map(|person| person.name.clone()).unwrap_or_default()
    }

    /// A booking that is loaded.
    pub fn known_booking(&self, id: Uuid) -> Option<&Booking> {
        self.bookings.rows.get(&id)
    }

    /// All bookings with these ids; so many that they would make everybody wait are decided alone.
    pub fn in_company(&self, ids: &[Uuid]) -> Decision<Vec<Booking>> {
        self.must_bear(i64::try_from(ids.len()).unwrap_or(i64::MAX))?;
        Ok(ids.iter().filter_map(|id| self.known_booking(*id).cloned()).collect())
    }

    /// A command that touches everything of its kind has a batch of its own.
    pub fn must_be_alone(&self) -> Decision<()> {
        if self.alone || self.complete { Ok(()) } else { Err(Abort::Alone) }
    }

    /// A command that touches so many people has a batch of its own.
    pub fn must_bear(&self, people: i64) -> Decision<()> {
        if people > PEOPLE_IN_COMPANY_MAX && !self.alone && !self.complete { Err(Abort::Alone) } else { Ok(()) }
    }

    /// Asks for all the people of these bookings at once.
    pub fn need_people<'b>(&self, bookings: impl IntoIterator<Item = &'b Booking>) -> Decision<()> {
        let missing = |booking: &Booking| matches!(self.person(booking.person_id), Err(Abort::Needs(_)));
        let keys: Vec<Lookup> =
            bookings.into_iter().filter(|booking| missing(booking)).map(|booking| Lookup::Person(booking.person_id)).collect();
        if keys.is_empty() { Ok(()) } else { Err(Abort::Needs(keys)) }
    }

    /// Asks for everybody who is known to wait for a session, when one of them is missing.
    pub fn with_queue_people(&self, session_id: Uuid, stop: Abort) -> Abort {
        let Abort::Needs(mut keys) = stop else { return stop };
        let entries = self.queues.get(&session_id).into_iter().flat_map(|queue| queue.entries.values());
        let people = entries.filter_map(|id| self.bookings.rows.get(id)).map(|booking| booking.person_id);
        let slice = usize::try_from(QUEUE_SLICE).unwrap_or(16);
        keys.extend(people.filter(|id| !self.known_people.contains(id)).take(slice).map(Lookup::Person));
        Abort::Needs(keys)
    }

    /// Where it stands now.
    pub fn mark(&self) -> Mark {
        Mark {
            undo: self.undo.len(),
            ledger: self.ledger.len(),
            letters: self.letters.len(),
            events: self.events.len(),
            removed: self.removed.len(),
        }
    }

    /// A command begins: what is done from here on is its own.
    pub fn begin_command(&mut self) -> Mark {
        self.began = self.mark();
        self.began
    }

    /// The letters that this command has written so far.
    pub fn letters_of_command(&self) -> &[Letter] {
        &self.letters[self.began.letters..]
    }

    /// A session as it was before this command, if the command has changed it.
    pub fn before_command(&self, id: Uuid) -> Option<&Session> {
        self.undo[self.began.undo..].iter().find_map(|undo| match undo {
            Undo::Session(of, Some(before), _) if *of == id => Some(&**before),
            _ => None,
        })
    }

    /// Notes what happened, to be written into the log.
    pub fn record(&mut self, actor: &Actor, event: Event) {
        self.events.push(actor.did(event));
    }

    /// One more letter about a booking that this command has put: the how-many-eth it is, and the SEQUENCE of its calendar part if it has one.
    pub fn count_letter(&mut self, booking_id: Uuid, with_calendar: bool) -> (i64, Option<i64>) {
        let Some(booking) = self.bookings.rows.get_mut(&booking_id) else { return (0, None) };
        self.undo.push(Undo::Letters(booking_id, booking.letters, booking.sequence));
        booking.letters += 1;
        let sequence = with_calendar.then_some(booking.sequence);
        booking.sequence += i64::from(with_calendar);
        let letters = booking.letters;
        // A letter about a booking that nothing else changed is counted in its row all the same.
        self.bookings.dirty.entry(booking_id).or_insert(false);
        (letters, sequence)
    }

    /// Takes back everything since `mark`.
    pub fn back_to(&mut self, mark: Mark) {
        self.ledger.truncate(mark.ledger);
        self.letters.truncate(mark.letters);
        self.events.truncate(mark.events);
        self.removed.truncate(mark.removed);
        while self.undo.len() > mark.undo {
            match self.undo.pop() {
                Some(Undo::Booking(id, row, noted)) => {
                    self.replace_booking(id, row);
                    self.bookings.note_again(id, noted);
                }
                Some(Undo::Letters(id, letters, sequence)) => {
                    if let Some(booking) = self.bookings.rows.get_mut(&id) {
                        (booking.letters, booking.sequence) = (letters, sequence);
                    }
                }
                Some(Undo::Session(id, row, noted)) => {
                    self.replace_session(id, row.map(|row| *row));
                    self.sessions.note_again(id, noted);
                }
                Some(Undo::Series(id, row, noted)) => drop(self.series.put_back(id, row.map(|row| *row), noted)),
                Some(Undo::SubstituteRequest(id, row, noted)) => drop(self.requests.put_back(id, row, noted)),
                Some(Undo::ClosingDay(studio, date, was, to_write)) => {
                    // A command before this one may have closed that day, and that is still to be written.
                    match to_write {
                        Some(closed) => drop(self.new_closing_days.insert((studio, date), closed)),
                        None => drop(self.new_closing_days.remove(&(studio, date))),
                    }
                    match was {
                        true => drop(self.closing_days.insert((studio, date))),
                        false => drop(self.closing_days.remove(&(studio, date))),
                    }
                }
                Some(Undo::Pass(id, row, noted)) => {
                    let is_gone = row.is_none();
                    if let Some(row) = self.passes.put_back(id, row, noted)
                        && is_gone
                        && let Some(own) = self.passes_of.get_mut(&row.person_id)
                    {
                        own.remove(&id);
                    }
                }
                Some(Undo::Member(studio, person)) => {
                    self.members.remove(&(studio, person));
                    self.new_members.pop();
                }
                Some(Undo::Roles(studio, person, to_write)) => {
                    match to_write {
                        Some(roles) => drop(self.new_roles.insert((studio, person.id), roles)),
                        None => drop(self.new_roles.remove(&(studio, person.id))),
                    }
                    self.persons.insert(person.id, Some(person));
                }
                Some(Undo::HouseRules(studio, to_write)) => {
                    match to_write {
                        Some(rules) => drop(self.new_house_rules.insert(studio.id, rules)),
                        None => drop(self.new_house_rules.remove(&studio.id)),
                    }
                    self.studios.insert(studio.id, studio);
                }
                Some(Undo::Withdrawn(booking, person)) => {
                    self.withdrawn.insert((booking, person), None);
                    self.new_withdrawn.pop();
                }
                Some(Undo::Idempotency(person, key)) => {
                    self.idempotency.insert((person, key), None);
                    self.new_idempotency.pop();
                }
                None => break,
            }
        }
    }

    /// A session that must exist.
    pub fn session(&self, id: Uuid) -> Decision<&Session> {
        self.sessions.rows.get(&id).ok_or_else(|| self.missing(Lookup::Session(id), self.sessions.knows(id)))
    }

    /// The studio behind a row that is loaded.
    pub fn studio(&self, id: Uuid) -> Decision<Arc<StudioContext>> {
        self.studios.get(&id).cloned().ok_or_else(|| self.missing(Lookup::Studio(id), false))
    }

    /// A studio that a caller named.
    pub fn studio_or_not_found(&self, id: Uuid) -> Decision<Arc<StudioContext>> {
        match self.studio(id) {
            Err(Abort::Needs(_)) if self.complete || self.absent_studios.contains(&id) => Err(not_found()),
            other => other,
        }
    }

    /// A person and her roles, whatever she holds and is in.
    pub fn identity(&self, id: Uuid) -> Decision<Arc<Person>> {
        match self.persons.get(&id) {
            Some(Some(person)) => Ok(Arc::clone(person)),
            Some(None) => Err(not_found()),
            None => Err(self.missing(Lookup::Identity(id), false)),
        }
    }

    /// Makes sure that it is known whether a person is in a session already.
    pub fn know_in_session(&self, session_id: Uuid, person_id: Uuid) -> Decision<()> {
        let known = self.complete || self.known_people.contains(&person_id) || self.known_in_session.contains(&(session_id, person_id));
        if known { Ok(()) } else { Err(Abort::Needs(vec![Lookup::InSession(session_id, person_id)])) }
    }

    /// A person, her passes and what she is in from now on.
    pub fn person(&self, id: Uuid) -> Decision<Arc<Person>> {
        match self.persons.get(&id) {
            Some(Some(person)) if self.complete || self.known_people.contains(&id) => Ok(Arc::clone(person)),
            Some(None) => Err(not_found()),
            _ => Err(self.missing(Lookup::Person(id), false)),
        }
    }

    /// A booking, if there is one with that id. `caller` may have withdrawn it.
    pub fn booking(&self, id: Uuid, caller: Uuid) -> Decision<Option<&Booking>> {
        if self.complete || (self.bookings.knows(id) && self.withdrawn.contains_key(&(id, caller))) {
            Ok(self.bookings.rows.get(&id))
        } else {
            Err(Abort::Needs(vec![Lookup::Booking(id, caller)]))
        }
    }

    /// Until when `caller` barred an id that was never seen.
    pub fn withdrawn_until(&self, id: Uuid, caller: Uuid) -> Option<DateTime<Utc>> {
        self.withdrawn.get(&(id, caller)).copied().flatten()
    }

    /// What a person ([`WorkingSet::person`]) is in, in sessions that are not over.
    pub fn ahead(&self, person_id: Uuid, now: DateTime<Utc>) -> Vec<&Booking> {
        let ids = self.ahead.get(&person_id).into_iter().flatten();
        ids.filter_map(|id| self.bookings.rows.get(id)).filter(|booking| booking.ends_at > now).collect()
    }

    /// The passes of a person ([`WorkingSet::person`]), and how often each membership was used in the week of `monday`.
    pub fn passes(&self, person_id: Uuid, monday: NaiveDate) -> Decision<(Vec<PassState>, Visits)> {
        let mut needs = Vec::new();
        let mut states = Vec::new();
        let mut used = Vec::new();
        for pass in self.passes_of.get(&person_id).into_iter().flatten().filter_map(|id| self.passes.rows.get(id)) {
            if pass.kind == PassKind::Membership {
                match self.visits.get(&(pass.id, monday)) {
                    Some(visits) => used.push((pass.id, *visits)),
                    None if self.has_all_visits(pass.id) => {}
                    None => needs.push(Lookup::Visits(pass.id, monday)),
                }
            }
            states.push(pass.state());
        }
        if needs.is_empty() { Ok((states, used)) } else { Err(Abort::Needs(needs)) }
    }

    /// A pass that must exist.
    pub fn pass(&self, id: Uuid) -> Decision<&Pass> {
        self.passes.rows.get(&id).ok_or_else(|| self.missing(Lookup::Pass(id), self.passes.knows(id)))
    }

    /// The first in the queue behind `after`, if anybody stands there.
    pub fn next_waiting(&self, session_id: Uuid, after: Option<i64>) -> Decision<Option<&Booking>> {
        let none = Queue::default();
        let queue = self.queues.get(&session_id).unwrap_or(&none);
        let found = queue.entries.range(after.map_or(i64::MIN, |key| key + 1)..).next();
        if self.complete || queue.complete {
            return Ok(found.and_then(|(_, id)| self.bookings.rows.get(id)));
        }
        match (found, queue.read_to) {
            (Some((key, id)), Some(read_to)) if *key <= read_to => Ok(self.bookings.rows.get(id)),
            _ => Err(Abort::Needs(vec![Lookup::Queue(session_id)])),
        }
    }

    /// Everybody who waits, in order.
    pub fn whole_queue(&self, session_id: Uuid) -> Decision<Vec<Uuid>> {
        match self.queues.get(&session_id) {
            Some(queue) if self.complete || queue.complete || self.rosters.contains(&session_id) => {
                Ok(queue.entries.values().copied().collect())
            }
            None if self.complete || self.rosters.contains(&session_id) => Ok(Vec::new()),
            _ => Err(Abort::Needs(vec![Lookup::Roster(session_id)])),
        }
    }

    /// Everybody who is in a session or cancelled late, by id of the booking.
    pub fn roster(&self, session_id: Uuid) -> Decision<Vec<Uuid>> {
        if self.complete || self.rosters.contains(&session_id) {
            Ok(self.roster.get(&session_id).into_iter().flatten().copied().collect())
        } else {
            Err(Abort::Needs(vec![Lookup::Roster(session_id)]))
        }
    }

    /// Sessions of this room or instructor that fall into the time, without `except`, as they stand after the commands before.
    pub fn clashes(
        &self,
        room: Uuid,
        instructor: Uuid,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        except: Option<Uuid>,
    ) -> Decision<Vec<Clash>> {
        let known = self.known_times.get(&(room, instructor)).into_iter().flatten();
        if !self.complete && !known.into_iter().any(|(known_from, known_until)| *known_from <= from && until <= *known_until) {
            return Err(Abort::Needs(vec![Lookup::Clashes(room, instructor, from, until)]));
        }
        let earliest = from - Duration::hours(SESSION_HOURS_MAX);
        let ids: BTreeSet<Uuid> = [room, instructor]
            .iter()
            .filter_map(|who| self.busy.get(who))
            .flat_map(|busy| busy.range((earliest, Uuid::nil())..(until, Uuid::nil())))
            .map(|(_, id)| *id)
            .filter(|id| Some(*id) != except)
            .collect();
        let found = ids.into_iter().filter_map(|id| match self.sessions.rows.get(&id) {
            Some(session) => Some(Clash::of(session)),
            None => self.others.get(&id).cloned(),
        });
        Ok(found.filter(|clash| from < clash.ends_at).collect())
    }

    /// Takes in what a room and an instructor are in during a time.
    pub(crate) fn load_clashes(&mut self, key: (Uuid, Uuid), time: Span, clashes: Vec<Clash>) {
        for clash in clashes {
            if !self.sessions.rows.contains_key(&clash.id) {
                for who in [clash.room_id, clash.instructor_id] {
                    self.busy.entry(who).or_default().insert((clash.starts_at, clash.id));
                }
                self.others.insert(clash.id, clash);
            }
        }
        self.known_times.entry(key).or_default().push(time);
    }

    /// A series that must exist.
    pub fn plan(&self, id: Uuid) -> Decision<&Plan> {
        self.series.rows.get(&id).ok_or_else(|| self.missing(Lookup::Series(id), self.series.knows(id)))
    }

    /// Puts a series, new or changed.
    pub fn put_plan(&mut self, plan: Plan) {
        let id = plan.series.id;
        let noted = self.series.must_write(id);
        let before = self.series.rows.insert(id, plan);
        if before.is_none() {
            self.sessions_of_series.insert(id);
        }
        self.undo.push(Undo::Series(id, before.map(Box::new), noted));
    }

    /// The sessions of a series that have not begun and are not cancelled, in the order of its dates.
    pub fn of_series(&self, series_id: Uuid, now: DateTime<Utc>) -> Decision<Vec<Session>> {
        if !self.complete && !self.sessions_of_series.contains(&series_id) {
            return Err(Abort::Needs(vec![Lookup::SeriesSessions(series_id)]));
        }
        let all = self.sessions.rows.values().filter(|session| session.series_id == Some(series_id));
        let mut found: Vec<Session> = all.filter(|session| session.starts_at > now && !session.is_cancelled()).cloned().collect();
        found.sort_by_key(|session| (session.series_date, session.id));
        Ok(found)
    }

    /// The sessions of a studio that have not begun and are not cancelled.
    pub fn to_come(&self, studio_id: Uuid, now: DateTime<Utc>) -> Decision<Vec<Session>> {
        if !self.complete && !self.known_to_come.contains(&studio_id) {
            return Err(Abort::Needs(vec![Lookup::ToCome(studio_id)]));
        }
        let all = self.sessions.rows.values().filter(|session| session.studio_id == studio_id);
        let mut found: Vec<Session> = all.filter(|session| session.starts_at > now && !session.is_cancelled()).cloned().collect();
        found.sort_by_key(|session| (session.starts_at, session.id));
        Ok(found)
    }

    /// The series of a studio that still have a date to come.
    pub fn running_series(&self, studio_id: Uuid) -> Decision<Vec<Plan>> {
        if !self.complete && !self.known_running.contains(&studio_id) {
            return Err(Abort::Needs(vec![Lookup::RunningSeries(studio_id)]));
        }
        let all = self.series.rows.values().filter(|plan| plan.series.studio_id == studio_id && plan.series.next_date.is_some());
        let mut found: Vec<Plan> = all.cloned().collect();
        found.sort_by_key(|plan| plan.series.id);
        Ok(found)
    }

    /// Gives a studio other house rules.
    pub fn put_house_rules(&mut self, studio: &Arc<StudioContext>, rules: HouseRules, version: i64) {
        let after = StudioContext { rules: rules.clone(), rules_version: version, ..StudioContext::clone(studio) };
        self.studios.insert(studio.id, Arc::new(after));
        let to_write = self.new_house_rules.insert(studio.id, (rules, version));
        self.undo.push(Undo::HouseRules(Arc::clone(studio), to_write));
    }

    /// What a person teaches that is not over, in any studio, in the order of time.
    pub fn teaching(&self, person_id: Uuid, now: DateTime<Utc>) -> Decision<Vec<&Session>> {
        if !self.complete && !self.known_teaching.contains(&person_id) {
            return Err(Abort::Needs(vec![Lookup::Teaching(person_id)]));
        }
        let all = self.sessions.rows.values().filter(|session| session.instructor_id == person_id);
        let mut found: Vec<&Session> = all.filter(|session| session.ends_at > now && !session.is_cancelled()).collect();
        found.sort_by_key(|session| (session.starts_at, session.id));
        Ok(found)
    }

    /// The sessions of a studio on these local dates, in the order of time.
    pub fn of_days(&self, studio_id: Uuid, from: NaiveDate, to: NaiveDate) -> Decision<Vec<Session>> {
        if !self.complete && !self.known_days.contains(&(studio_id, from, to)) {
            return Err(Abort::Needs(vec![Lookup::Days(studio_id, from, to)]));
        }
        let all = self.sessions.rows.values().filter(|session| session.studio_id == studio_id);
        let mut found: Vec<Session> = all.filter(|session| (from..to).contains(&session.local_date)).cloned().collect();
        found.sort_by_key(|session| (session.starts_at, session.id));
        Ok(found)
    }

    /// Whether a studio is closed on a day to come.
    pub fn is_closed(&self, studio_id: Uuid, date: NaiveDate) -> Decision<bool> {
        if !self.complete && !self.known_closing_days.contains(&studio_id) {
            return Err(Abort::Needs(vec![Lookup::ClosingDays(studio_id)]));
        }
        Ok(self.closing_days.contains(&(studio_id, date)))
    }

    /// Closes a studio for a day (`Some`), or opens it again.
    pub fn put_closing_day(&mut self, studio_id: Uuid, date: NaiveDate, closed: Option<ClosingDay>) {
        let key = (studio_id, date);
        let was = self.closing_days.contains(&key);
        match &closed {
            Some(_) => drop(self.closing_days.insert(key)),
            None => drop(self.closing_days.remove(&key)),
        }
        let to_write = self.new_closing_days.insert(key, closed);
        self.undo.push(Undo::ClosingDay(studio_id, date, was, to_write));
    }

    /// Who runs a studio: to whom its staff's letters go.
    pub fn admins(&self, studio_id: Uuid) -> Decision<Vec<Arc<Person>>> {
        let none = Vec::new();
        let ids = match self.admins.get(&studio_id) {
            Some(ids) => ids,
            None if self.complete => &none,
            None => return Err(Abort::Needs(vec![Lookup::Admins(studio_id)])),
        };
        let made = self.new_roles.keys().filter(|(studio, _)| *studio == studio_id).map(|(_, person)| person);
        let ids: BTreeSet<Uuid> = ids.iter().chain(made).copied().collect();
        let people = all(ids.into_iter().map(|id| self.identity(id)))?;
        Ok(people.into_iter().filter(|person| person.roles.holds(studio_id, Role::Admin)).collect())
    }

    /// A request for a substitute that must exist.
    pub fn request(&self, id: Uuid) -> Decision<&SubstituteRequest> {
        self.requests.rows.get(&id).ok_or_else(|| self.missing(Lookup::SubstituteRequest(id), self.requests.knows(id)))
    }

    /// The request about a session that waits for somebody.
    pub fn pending_request(&self, session_id: Uuid) -> Decision<Option<&SubstituteRequest>> {
        if !self.complete && !self.known_requests.contains(&session_id) {
            return Err(Abort::Needs(vec![Lookup::PendingRequest(session_id)]));
        }
        Ok(self.requests.rows.values().find(|request| request.session_id == session_id && request.is_pending()))
    }

    /// Puts a request, new or changed.
    pub fn put_request(&mut self, request: SubstituteRequest) {
        let id = request.id;
        let noted = self.requests.must_write(id);
        let before = self.requests.rows.insert(id, request);
        self.undo.push(Undo::SubstituteRequest(id, before, noted));
    }

    /// What the instructors of a studio teach, and when they say they are available.
    pub fn candidates(&self, studio_id: Uuid) -> Decision<Arc<Vec<Candidate>>> {
        match self.candidates.get(&studio_id) {
            Some(candidates) => Ok(Arc::clone(candidates)),
            None if self.complete => Ok(Arc::default()),
            None => Err(Abort::Needs(vec![Lookup::Candidates(studio_id)])),
        }
    }

    /// A person and her roles, if she has not left.
    pub fn identity_if_any(&self, id: Uuid) -> Decision<Option<Arc<Person>>> {
        match self.identity(id) {
            Ok(person) => Ok(Some(person)),
            Err(Abort::Refused(_)) => Ok(None),
            Err(stop) => Err(stop),
        }
    }

    /// What became of bookings since `mark`: as it was before, and as it is now.
    pub fn bookings_since(&self, mark: Mark) -> Vec<(Option<&Booking>, &Booking)> {
        let mut seen = HashSet::new();
        let mut changed = Vec::new();
        for undo in &self.undo[mark.undo..] {
            if let Undo::Booking(id, before, _) = undo
                && seen.insert(*id)
                && let Some(now) = self.bookings.rows.get(id)
            {
                changed.push((before.as_ref(), now));
            }
        }
        changed
    }

    /// The letters written since `mark`.
    pub fn letters_since(&self, mark: Mark) -> &[Letter] {
        &self.letters[mark.letters..]
    }

    /// What an idempotency key was answered with: the body's hash and the id that came of it.
    pub fn answered(&self, person_id: Uuid, key: &str) -> Decision<Option<(String, Uuid)>> {
        match self.idempotency.get(&(person_id, key.to_owned())) {
            Some(answered) => Ok(answered.clone()),
            None if self.complete => Ok(None),
            None => Err(Abort::Needs(vec![Lookup::Idempotency(person_id, key.to_owned())])),
        }
    }

    /// Puts a booking, new or changed. The session's counts, the queue, the visits and her overlaps follow.
    pub fn put(&mut self, booking: Booking) {
        let id = booking.id;
        let noted = self.bookings.must_write(id);
        let before = self.replace_booking(id, Some(booking));
        self.undo.push(Undo::Booking(id, before, noted));
    }

    /// Puts a session, new or changed. Its counts follow its bookings and are not taken from here.
    pub fn put_session(&mut self, mut session: Session) {
        let id = session.id;
        if let Some(known) = self.sessions.rows.get(&id) {
            (session.taken, session.waiting) = (known.taken, known.waiting);
        }
        let noted = self.sessions.must_write(id);
        let before = self.replace_session(id, Some(session));
        if before.is_none() {
            self.known_requests.insert(id);
            self.rosters.insert(id);
            self.queues.entry(id).or_default().complete = true;
        }
        self.undo.push(Undo::Session(id, before.map(Box::new), noted));
    }

    /// Puts a pass, new or changed, with the entry of the ledger that says why.
    pub fn put_pass(&mut self, pass: Pass, entry: LedgerEntry) {
        let id = pass.id;
        let noted = self.passes.must_write(id);
        self.passes_of.entry(pass.person_id).or_default().insert(id);
        let before = self.passes.rows.insert(id, pass);
        self.undo.push(Undo::Pass(id, before, noted));
        self.ledger.push(entry);
    }

    /// Makes a person a member of a studio.
    pub fn join(&mut self, studio_id: Uuid, person_id: Uuid, now: DateTime<Utc>) {
        if self.members.insert((studio_id, person_id)) {
            self.new_members.push((studio_id, person_id, now));
            self.undo.push(Undo::Member(studio_id, person_id));
        }
    }

    /// Gives a person exactly these roles in a studio.
    pub fn put_roles(&mut self, studio_id: Uuid, person: &Arc<Person>, roles: &BTreeSet<Role>) {
        let mut after = Person::clone(person);
        after.roles.set(studio_id, roles.iter().copied());
        self.persons.insert(person.id, Some(Arc::new(after)));
        let to_write = self.new_roles.insert((studio_id, person.id), roles.clone());
        self.undo.push(Undo::Roles(studio_id, Arc::clone(person), to_write));
    }

    /// Bars an id that was never seen.
    pub fn withdraw(&mut self, booking_id: Uuid, person_id: Uuid, until: DateTime<Utc>) {
        if self.withdrawn.insert((booking_id, person_id), Some(until)).flatten().is_none() {
            self.new_withdrawn.push((booking_id, person_id, until));
            self.undo.push(Undo::Withdrawn(booking_id, person_id));
        }
    }

    /// Remembers what a key was answered with.
    pub fn remember(&mut self, person_id: Uuid, key: &str, body_hash: &str, result: Uuid, now: DateTime<Utc>) {
        self.idempotency.insert((person_id, key.to_owned()), Some((body_hash.to_owned(), result)));
        self.new_idempotency.push((person_id, key.to_owned(), body_hash.to_owned(), result, now));
        self.undo.push(Undo::Idempotency(person_id, key.to_owned()));
    }

    /// Takes in a booking that was loaded.
    pub(crate) fn load_booking(&mut self, booking: Booking) {
        if !self.bookings.rows.contains_key(&booking.id) {
            self.bookings.absent.remove(&booking.id);
            self.index(&booking, true);
            self.bookings.rows.insert(booking.id, booking);
        }
    }

    /// Takes in a pass that was loaded.
    pub(crate) fn load_pass(&mut self, pass: Pass) {
        self.passes_of.entry(pass.person_id).or_default().insert(pass.id);
        self.passes.load(pass.id, pass);
    }

    /// Takes in a slice of a queue: all that stood behind `read_to`, at most [`QUEUE_SLICE`].
    pub(crate) fn load_queue(&mut self, session_id: Uuid, slice: Vec<Booking>) {
        let full = i64::try_from(slice.len()).unwrap_or(i64::MAX) >= QUEUE_SLICE;
        let last = slice.iter().filter_map(|booking| booking.queue_key).max();
        for booking in slice {
            self.load_booking(booking);
        }
        let queue = self.queues.entry(session_id).or_default();
        queue.read_to = last.max(queue.read_to);
        queue.complete |= !full;
    }

    /// The key behind which the next slice of a queue begins.
    pub(crate) fn queue_read_to(&self, session_id: Uuid) -> i64 {
        self.queues.get(&session_id).and_then(|queue| queue.read_to).unwrap_or(i64::MIN)
    }

    /// Takes in a session that was loaded.
    pub(crate) fn load_session(&mut self, session: Session) {
        if !self.sessions.rows.contains_key(&session.id) {
            self.sessions.absent.remove(&session.id);
            self.others.remove(&session.id);
            self.replace_session(session.id, Some(session));
        }
    }

    fn replace_session(&mut self, id: Uuid, row: Option<Session>) -> Option<Session> {
        let before = self.sessions.rows.remove(&id);
        if let Some(before) = &before {
            for who in [before.room_id, before.instructor_id] {
                if let Some(busy) = self.busy.get_mut(&who) {
                    busy.remove(&(before.starts_at, id));
                }
            }
        }
        if let Some(row) = row {
            if !row.is_cancelled() {
                for who in [row.room_id, row.instructor_id] {
                    self.busy.entry(who).or_default().insert((row.starts_at, id));
                }
            }
            self.sessions.rows.insert(id, row);
        }
        before
    }

    fn replace_booking(&mut self, id: Uuid, row: Option<Booking>) -> Option<Booking> {
        let before = self.bookings.rows.remove(&id);
        if let Some(before) = &before {
            self.index(before, false);
            self.count(before, -1);
        }
        if let Some(row) = row {
            self.index(&row, true);
            self.count(&row, 1);
            self.bookings.rows.insert(id, row);
        }
        before
    }

    /// Whether every visit of a membership is counted here: one that is sold in this batch has none in the database, and would have another
    /// id when its sale is decided again.
    fn has_all_visits(&self, pass_id: Uuid) -> bool {
        self.complete || self.passes.dirty.get(&pass_id) == Some(&true)
    }

    /// What a booking contributes to counts that are stored.
    fn count(&mut self, booking: &Booking, by: i64) {
        if let Some(key) = booking.pass_id.zip(booking.visit_week) {
            if let Some(visits) = self.visits.get_mut(&key) {
                *visits += by;
            } else if self.has_all_visits(key.0) {
                self.visits.insert(key, by);
            }
        }
        if let Some(session) = self.sessions.rows.get_mut(&booking.session_id) {
            if booking.status.takes_place() {
                session.taken += by;
            }
            if booking.status == BookingStatus::Waitlisted {
                session.waiting += by;
            }
            self.sessions.dirty.entry(booking.session_id).or_insert(false);
        }
    }

    /// What a booking is found by.
    fn index(&mut self, booking: &Booking, add: bool) {
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
        if let Some(key) = booking.queue_key {
            let queue = self.queues.entry(booking.session_id).or_default();
            if add {
                queue.entries.insert(key, booking.id);
            } else {
                queue.entries.remove(&key);
            }
        }
    }

    fn missing(&self, key: Lookup, looked_for: bool) -> Abort {
        if self.complete || looked_for { not_found() } else { Abort::Needs(vec![key]) }
    }
}
