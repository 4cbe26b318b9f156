//! What a batch knows: the rows that its commands named, as earlier commands left them.
//!
//! Decisions read and change rows here and nowhere else; there is one file per aggregate, each with its own lookups, journal and writes.
//! What is not loaded is answered with [`Abort::Needs`]: the transactor loads it and decides that command again. Every change is
//! journalled, so that a command that stops half-way leaves nothing behind. The counts of a session and every index are derived from the
//! bookings in one place, [`WorkingSet::put`].

mod bookings;
mod check_ins;
mod holds;
mod known;
mod load;
mod look;
mod lookup;
mod offers;
mod passes;
mod penalties;
mod people;
mod requests;
mod resources;
mod rows;
mod series;
mod sessions;
mod studios;
mod table;

pub use look::look;
pub use lookup::{Abort, Attended, Decision, Lookup, all, all_needs, caller, not_found};
pub use rows::resources::Resource;

use std::collections::BTreeSet;

use crate::booking::Booking;
use crate::events::{Actor, Event};
use crate::letters::outbox::Letter;
use crate::passes::LedgerEntry;
use crate::reports::TurnAway;

/// A command that touches more people than this has a batch of its own.
const PEOPLE_IN_COMPANY_MAX: i64 = 200;

/// The rows of a batch.
#[derive(Default)]
pub struct WorkingSet {
    /// Whether this batch holds one command only.
    pub alone: bool,
    bookings: rows::bookings::Bookings,
    offers: rows::offers::Offers,
    holds: rows::holds::Holds,
    check_ins: rows::check_ins::CheckIns,
    sessions: rows::sessions::Sessions,
    resources: rows::resources::Resources,
    series: rows::series::AllSeries,
    requests: rows::requests::Requests,
    passes: rows::passes::Passes,
    penalties: rows::penalties::Penalties,
    people: rows::people::People,
    studios: rows::studios::Studios,
    /// Letters to be written.
    pub letters: Vec<Letter>,
    /// Keys of letters that are not to be sent any more, if they have not left.
    pub overtaken: Vec<String>,
    /// What happened, to be written into the log.
    pub events: Vec<(Actor, Event)>,
    /// Who was refused for want of a place.
    pub turned_away: BTreeSet<TurnAway>,
    journal: Vec<Change>,
    /// Where the command that is being decided began.
    began: Mark,
    /// Who asks for it, if they must have a second factor and have none.
    factor_missing: Option<uuid::Uuid>,
}

/// A change, by aggregate, with what undoes it.
#[derive(Debug)]
enum Change {
    Booking(rows::bookings::Undo),
    Offer(rows::offers::Undo),
    Hold(rows::holds::Undo),
    CheckIn(rows::check_ins::Undo),
    Session(rows::sessions::Undo),
    Series(rows::series::Undo),
    Request(rows::requests::Undo),
    Pass(rows::passes::Undo),
    Penalty(rows::penalties::Undo),
    Person(rows::people::Undo),
    Studio(rows::studios::Undo),
}

/// Where the rows stood before a command.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark {
    journal: usize,
    letters: usize,
    events: usize,
    overtaken: usize,
}

impl WorkingSet {
    /// Nothing is loaded yet.
    pub fn empty(alone: bool) -> Self {
        Self { alone, ..Self::default() }
    }

    /// From here on, what is not here does not exist. For simulations without a database.
    pub fn know_everything(&mut self) {
        self.alone = true;
        self.bookings.know_everything();
        self.holds.know_everything();
        self.check_ins.know_everything();
        self.sessions.know_everything();
        self.resources.know_everything();
        self.series.know_everything();
        self.requests.know_everything();
        self.passes.know_everything();
        self.penalties.know_everything();
        self.people.know_everything();
        self.studios.know_everything();
    }

    /// A command that touches everything of its kind has a batch of its own.
    pub const fn must_be_alone(&self) -> Decision<()> {
        if self.alone { Ok(()) } else { Err(Abort::Alone) }
    }

    /// A command that touches this many people has a batch of its own.
    pub const fn must_bear(&self, people: i64) -> Decision<()> {
        if people > PEOPLE_IN_COMPANY_MAX { self.must_be_alone() } else { Ok(()) }
    }

    /// Notes what happened, to be written into the log.
    pub fn record(&mut self, actor: &Actor, event: Event) {
        self.events.push(actor.did(event));
    }

    /// The entries of the ledger that are still to be written.
    pub const fn ledger(&mut self) -> &mut Vec<LedgerEntry> {
        &mut self.passes.ledger
    }

    pub fn mark(&self) -> Mark {
        let (letters, overtaken) = (self.letters.len(), self.overtaken.len());
        Mark { journal: self.journal.len(), letters, events: self.events.len(), overtaken }
    }

    /// A command of this actor begins: what is done from here on is its own.
    pub fn begin_command(&mut self, actor: &Actor) -> Mark {
        self.factor_missing = actor.person_id.filter(|_| actor.factor_missing);
        self.began = self.mark();
        self.began
    }

    /// The letters that this command has written so far.
    pub fn letters_of_command(&self) -> &[Letter] {
        &self.letters[self.began.letters..]
    }

    /// The letters written since `mark`.
    pub fn letters_since(&self, mark: Mark) -> &[Letter] {
        &self.letters[mark.letters..]
    }

    /// The bookings changed since `mark`: as they were before, and as they are now.
    pub fn bookings_since(&self, mark: Mark) -> Vec<(Option<&Booking>, &Booking)> {
        let mut seen = std::collections::HashSet::new();
        let mut changed = Vec::new();
        for change in &self.journal[mark.journal..] {
            if let Change::Booking(rows::bookings::Undo::Put(id, before)) = change
                && seen.insert(*id)
                && let Some(now) = self.known_booking(*id)
            {
                changed.push((before.row.as_ref(), now));
            }
        }
        changed
    }

    /// Undoes everything since `mark`.
    pub fn back_to(&mut self, mark: Mark) {
        self.letters.truncate(mark.letters);
        self.events.truncate(mark.events);
        self.overtaken.truncate(mark.overtaken);
        while self.journal.len() > mark.journal {
            match self.journal.pop() {
                Some(Change::Booking(undo)) => self.undo_booking(undo),
                Some(Change::Offer(undo)) => self.undo_offer(undo),
                Some(Change::Hold(undo)) => self.undo_hold(undo),
                Some(Change::CheckIn(undo)) => self.undo_check_in(undo),
                Some(Change::Session(undo)) => self.undo_session(undo),
                Some(Change::Series(undo)) => self.undo_series(undo),
                Some(Change::Request(undo)) => self.undo_request(undo),
                Some(Change::Pass(undo)) => self.undo_pass(undo),
                Some(Change::Penalty(undo)) => self.undo_penalty(undo),
                Some(Change::Person(undo)) => self.undo_person(undo),
                Some(Change::Studio(undo)) => self.undo_studio(undo),
                None => break,
            }
        }
    }
}
