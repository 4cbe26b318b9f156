//! The sessions, looked up and changed, with their counts, and the days on which a studio is closed.

use super::rows::sessions::{ClosingDay, Undo};
use super::table::Before;
use super::{Abort, Change, Decision, Lookup, WorkingSet};
use crate::db::{Error, Tx};
use crate::schedule::{self, Session};
use chrono::{DateTime, Duration, NaiveDate, Utc};
use uuid::Uuid;

impl WorkingSet {
    /// A session that must exist.
    pub fn session(&self, id: Uuid) -> Decision<&Session> {
        self.sessions.table.rows.get(&id).ok_or_else(|| Lookup::Session(id).missing(self.sessions.table.knows(id)))
    }

    /// The sessions of a series that have not begun and are not cancelled, in the order of its dates.
    pub fn of_series(&self, series_id: Uuid, now: DateTime<Utc>) -> Decision<Vec<Session>> {
        if !self.sessions.known_series.has(&series_id) {
            return Err(Abort::Needs(vec![Lookup::SeriesSessions(series_id)]));
        }
        let wanted = |session: &Session| session.series_id == Some(series_id) && session.starts_at > now && !session.is_cancelled();
        Ok(self.sessions.sorted(wanted, |session| (session.series_date, session.id)))
    }

    /// The sessions of a studio that have not begun and are not cancelled.
    pub fn to_come(&self, studio_id: Uuid, now: DateTime<Utc>) -> Decision<Vec<Session>> {
        if !self.sessions.known_to_come.has(&studio_id) {
            return Err(Abort::Needs(vec![Lookup::ToCome(studio_id)]));
        }
        let wanted = |session: &Session| session.studio_id == studio_id && session.starts_at > now && !session.is_cancelled();
        Ok(self.sessions.sorted(wanted, |session| (session.starts_at, session.id)))
    }

    /// What a person teaches that is not over, in any studio, in order of time.
    pub fn teaching(&self, person_id: Uuid, now: DateTime<Utc>) -> Decision<Vec<Session>> {
        if !self.sessions.known_teaching.has(&person_id) {
            return Err(Abort::Needs(vec![Lookup::Teaching(person_id)]));
        }
        let wanted = |session: &Session| session.instructor_id == person_id && session.ends_at > now && !session.is_cancelled();
        Ok(self.sessions.sorted(wanted, |session| (session.starts_at, session.id)))
    }

    /// The sessions of a studio on these local dates, in order of time.
    pub fn of_days(&self, studio_id: Uuid, from: NaiveDate, to: NaiveDate) -> Decision<Vec<Session>> {
        if !self.sessions.known_days.has(&(studio_id, from, to)) {
            return Err(Abort::Needs(vec![Lookup::Days(studio_id, from, to)]));
        }
        let wanted = |session: &Session| session.studio_id == studio_id && (from..to).contains(&session.local_date);
        Ok(self.sessions.sorted(wanted, |session| (session.starts_at, session.id)))
    }

    /// Whether a studio is closed on a day to come.
    pub fn is_closed(&self, studio_id: Uuid, date: NaiveDate) -> Decision<bool> {
        if !self.sessions.known_closing_days.has(&studio_id) {
            return Err(Abort::Needs(vec![Lookup::ClosingDays(studio_id)]));
        }
        Ok(self.sessions.closing_days.contains(&(studio_id, date)))
    }

    /// A session as it was before this command, if the command has changed it.
    pub fn before_command(&self, id: Uuid) -> Option<&Session> {
        self.journal[self.began.journal..].iter().find_map(|change| match change {
            Change::Session(Undo::Put(of, before)) if *of == id => before.row.as_ref(),
            _ => None,
        })
    }

    /// Puts a session, new or changed. Its counts follow its bookings and holds and are not taken from here.
    pub fn put_session(&mut self, mut session: Session) {
        let id = session.id;
        if let Some(known) = self.sessions.table.rows.get(&id) {
            (session.taken, session.held, session.waiting) = (known.taken, known.held, known.waiting);
        }
        let noted = self.sessions.table.must_write(id);
        let row = self.replace_session(id, Some(session));
        if row.is_none() {
            self.bookings.know_empty(id);
            self.requests.know_none(id);
        }
        self.journal.push(Change::Session(Undo::Put(id, Box::new(Before { row, noted }))));
    }

    /// Closes a studio for a day (`Some`), or opens it again.
    pub fn put_closing_day(&mut self, studio_id: Uuid, date: NaiveDate, closed: Option<ClosingDay>) {
        let key = (studio_id, date);
        let was = match &closed {
            Some(_) => !self.sessions.closing_days.insert(key),
            None => self.sessions.closing_days.remove(&key),
        };
        let to_write = self.sessions.new_closing_days.insert(key, closed);
        self.journal.push(Change::Session(Undo::ClosingDay(studio_id, date, was, to_write)));
    }

    pub(super) fn undo_session(&mut self, undo: Undo) {
        match undo {
            Undo::Put(id, before) => {
                self.replace_session(id, before.row);
                self.sessions.table.note_again(id, before.noted);
            }
            Undo::ClosingDay(studio_id, date, was, to_write) => {
                let key = (studio_id, date);
                // A command before this one may have closed that day, and that is still to be written.
                match to_write {
                    Some(closed) => drop(self.sessions.new_closing_days.insert(key, closed)),
                    None => drop(self.sessions.new_closing_days.remove(&key)),
                }
                if was {
                    self.sessions.closing_days.insert(key);
                } else {
                    self.sessions.closing_days.remove(&key);
                }
            }
        }
    }

    fn replace_session(&mut self, id: Uuid, row: Option<Session>) -> Option<Session> {
        let before = self.sessions.table.rows.remove(&id);
        self.resources.replace(before.as_ref(), row.as_ref());
        if let Some(row) = row {
            self.sessions.table.rows.insert(id, row);
        }
        before
    }

    pub(super) async fn load_sessions(&mut self, tx: &mut Tx, ids: &[Uuid]) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        let sessions = schedule::store::among(tx, ids).await?;
        self.take_sessions(tx, sessions).await?;
        self.sessions.table.known.note(ids.iter().copied());
        Ok(())
    }

    pub(super) async fn load_series_sessions(&mut self, tx: &mut Tx, series_id: Uuid, now: DateTime<Utc>) -> Result<(), Error> {
        let found = schedule::store::of_series(tx, series_id, now).await?;
        self.sessions.known_series.note([series_id]);
        self.take_sessions(tx, found).await
    }

    pub(super) async fn load_to_come(&mut self, tx: &mut Tx, studio_id: Uuid, now: DateTime<Utc>) -> Result<(), Error> {
        let found = schedule::store::to_come(tx, studio_id, now).await?;
        self.sessions.known_to_come.note([studio_id]);
        self.take_sessions(tx, found).await
    }

    pub(super) async fn load_teaching(&mut self, tx: &mut Tx, person_id: Uuid, now: DateTime<Utc>) -> Result<(), Error> {
        let found = schedule::store::of_instructor(tx, person_id, now).await?;
        self.sessions.known_teaching.note([person_id]);
        self.take_sessions(tx, found).await
    }

    pub(super) async fn load_days(&mut self, tx: &mut Tx, studio_id: Uuid, from: NaiveDate, to: NaiveDate) -> Result<(), Error> {
        let found = schedule::store::of_days(tx, studio_id, (from, to)).await?;
        self.sessions.known_days.note([(studio_id, from, to)]);
        self.take_sessions(tx, found).await
    }

    pub(super) async fn load_closing_days(&mut self, tx: &mut Tx, studio_id: Uuid, now: DateTime<Utc>) -> Result<(), Error> {
        let found = schedule::store::closing_days(tx, studio_id, (now - Duration::days(2)).date_naive()).await?;
        for (date,) in found {
            // What a command has opened again in this batch stays open.
            if !self.sessions.new_closing_days.contains_key(&(studio_id, date)) {
                self.sessions.closing_days.insert((studio_id, date));
            }
        }
        self.sessions.known_closing_days.note([studio_id]);
        Ok(())
    }

    /// Adds sessions that were loaded, with their studios; one that is known already is at least as new.
    async fn take_sessions(&mut self, tx: &mut Tx, sessions: Vec<Session>) -> Result<(), Error> {
        let mut studios: Vec<Uuid> = sessions.iter().map(|session| session.studio_id).collect();
        studios.sort_unstable();
        studios.dedup();
        for session in sessions {
            if !self.sessions.table.rows.contains_key(&session.id) {
                self.resources.forget_other(session.id);
                self.replace_session(session.id, Some(session));
            }
        }
        self.load_studios(tx, studios).await
    }

    pub(super) async fn write_new_sessions(&self, tx: &mut Tx) -> Result<(), Error> {
        schedule::store::insert(tx, self.sessions.table.to_write(true)).await
    }

    /// A session's counts are written after its bookings: the CHECK on them is the alarm.
    pub(super) async fn write_changed_sessions(&self, tx: &mut Tx) -> Result<(), Error> {
        schedule::store::update(tx, self.sessions.table.to_write(false)).await
    }

    pub(super) async fn write_closing_days(&mut self, tx: &mut Tx, now: DateTime<Utc>) -> Result<(), Error> {
        schedule::store::write_closing_days(tx, std::mem::take(&mut self.sessions.new_closing_days), now).await
    }
}
