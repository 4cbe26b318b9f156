//! Loads the rows that decisions ask for, one set-based query per table, and writes those that they changed, one such statement each.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::rows::resources::Resource;
use super::{Attended, Lookup, WorkingSet};
use crate::db::{Error, Tx};
use crate::events;
use crate::letters::outbox;
use crate::reports;

/// What was asked for, by table.
#[derive(Default)]
struct Wanted {
    bookings: Vec<(Uuid, Uuid)>,
    in_session: BTreeMap<Uuid, Vec<Uuid>>,
    places: BTreeMap<(DateTime<Utc>, DateTime<Utc>), Vec<Uuid>>,
    rosters: Vec<Uuid>,
    queues: Vec<Uuid>,
    turned_down: Vec<Uuid>,
    sessions: Vec<Uuid>,
    series: Vec<Uuid>,
    series_sessions: Vec<Uuid>,
    to_come: Vec<Uuid>,
    running_series: Vec<Uuid>,
    teaching: Vec<Uuid>,
    days: Vec<(Uuid, NaiveDate, NaiveDate)>,
    closing_days: Vec<Uuid>,
    occupied: Vec<(Resource, DateTime<Utc>, DateTime<Utc>)>,
    requests: Vec<Uuid>,
    pending_requests: Vec<Uuid>,
    candidates: Vec<Uuid>,
    identities: Vec<Uuid>,
    people: Vec<Uuid>,
    families: Vec<Uuid>,
    admins: Vec<Uuid>,
    invitations: Vec<Uuid>,
    passes: Vec<Uuid>,
    penalties: Vec<Uuid>,
    penalties_of: Vec<Uuid>,
    holds: Vec<Uuid>,
    holds_of: Vec<Uuid>,
    check_ins: Vec<Uuid>,
    visits: Vec<(Uuid, NaiveDate)>,
    pass_types: Vec<Uuid>,
    answers: Vec<(Uuid, String)>,
    paid: Vec<Uuid>,
    paid_by: Vec<Uuid>,
    attended: Vec<Attended>,
    beside: Vec<(Uuid, Uuid)>,
    studios: Vec<Uuid>,
    rooms: Vec<Uuid>,
    class_types: Vec<Uuid>,
}

impl Wanted {
    fn of(lookups: &BTreeSet<Lookup>) -> Self {
        let mut wanted = Self::default();
        for lookup in lookups {
            match lookup {
                Lookup::Session(id) => wanted.sessions.push(*id),
                Lookup::Studio(id) => wanted.studios.push(*id),
                Lookup::Identity(id) => wanted.identities.push(*id),
                Lookup::Person(id) => wanted.people.push(*id),
                Lookup::Family(id) => wanted.families.push(*id),
                Lookup::InSession(session_id, person_id) => wanted.in_session.entry(*session_id).or_default().push(*person_id),
                Lookup::Booking(id, caller) => wanted.bookings.push((*id, *caller)),
                Lookup::Visits(pass_id, monday) => wanted.visits.push((*pass_id, *monday)),
                Lookup::Places(person_id, from, to) => wanted.places.entry((*from, *to)).or_default().push(*person_id),
                Lookup::Queue(session_id) => wanted.queues.push(*session_id),
                Lookup::TurnedDown(session_id) => wanted.turned_down.push(*session_id),
                Lookup::Roster(session_id) => wanted.rosters.push(*session_id),
                Lookup::Pass(id) => wanted.passes.push(*id),
                Lookup::Paid(id) => wanted.paid.push(*id),
                Lookup::PaidBy(pass_id) => wanted.paid_by.push(*pass_id),
                Lookup::Attended(which) => wanted.attended.push(*which),
                Lookup::Beside(one, other) => wanted.beside.push((*one, *other)),
                Lookup::Penalty(id) => wanted.penalties.push(*id),
                Lookup::Penalties(person_id) => wanted.penalties_of.push(*person_id),
                Lookup::Hold(id) => wanted.holds.push(*id),
                Lookup::Holds(session_id) => wanted.holds_of.push(*session_id),
                Lookup::CheckIn(id) => wanted.check_ins.push(*id),
                Lookup::Occupied(resource, from, until) => wanted.occupied.push((*resource, *from, *until)),
                Lookup::Series(id) => wanted.series.push(*id),
                Lookup::SeriesSessions(id) => wanted.series_sessions.push(*id),
                Lookup::ToCome(studio_id) => wanted.to_come.push(*studio_id),
                Lookup::RunningSeries(studio_id) => wanted.running_series.push(*studio_id),
                Lookup::Teaching(person_id) => wanted.teaching.push(*person_id),
                Lookup::Days(studio_id, from, to) => wanted.days.push((*studio_id, *from, *to)),
                Lookup::ClosingDays(studio_id) => wanted.closing_days.push(*studio_id),
                Lookup::Admins(studio_id) => wanted.admins.push(*studio_id),
                Lookup::Invitation(id) => wanted.invitations.push(*id),
                Lookup::SubstituteRequest(id) => wanted.requests.push(*id),
                Lookup::PendingRequest(session_id) => wanted.pending_requests.push(*session_id),
                Lookup::Candidates(studio_id) => wanted.candidates.push(*studio_id),
                Lookup::ClassType(id) => wanted.class_types.push(*id),
                Lookup::Room(id) => wanted.rooms.push(*id),
                Lookup::PassType(id) => wanted.pass_types.push(*id),
                Lookup::Idempotency(person_id, key) => wanted.answers.push((*person_id, key.clone())),
            }
        }
        wanted
    }
}

impl WorkingSet {
    /// Loads rows that decisions asked for. What is known already stays as earlier commands left it.
    pub async fn load(&mut self, tx: &mut Tx, lookups: &BTreeSet<Lookup>, now: DateTime<Utc>) -> Result<(), Error> {
        let wanted = Wanted::of(lookups);
        self.load_bookings(tx, &wanted.bookings, now).await?;
        self.load_sessions(tx, &wanted.sessions).await?;
        self.load_studios(tx, wanted.studios).await?;
        self.load_identities(tx, wanted.identities).await?;
        self.load_people(tx, wanted.people, now).await?;
        self.load_families(tx, wanted.families).await?;
        for (session_id, people) in wanted.in_session {
            self.load_in_session(tx, session_id, &people).await?;
        }
        for (span, people) in wanted.places {
            self.load_places(tx, &people, span).await?;
        }
        self.load_rosters(tx, &wanted.rosters).await?;
        self.load_turned_down(tx, &wanted.turned_down).await?;
        self.load_passes(tx, &wanted.passes).await?;
        self.load_penalties(tx, &wanted.penalties).await?;
        self.load_penalties_of(tx, &wanted.penalties_of, now).await?;
        self.load_holds(tx, &wanted.holds).await?;
        self.load_holds_of(tx, &wanted.holds_of).await?;
        self.load_check_ins(tx, &wanted.check_ins).await?;
        self.load_class_types(tx, &wanted.class_types).await?;
        self.load_rooms(tx, &wanted.rooms).await?;
        self.load_pass_types(tx, &wanted.pass_types).await?;
        self.load_requests(tx, &wanted.requests).await?;
        self.load_pending_requests(tx, &wanted.pending_requests).await?;
        self.load_series(tx, &wanted.series).await?;
        for session_id in wanted.queues {
            self.load_queue(tx, session_id).await?;
        }
        for (pass_id, monday) in wanted.visits {
            self.load_visits(tx, pass_id, monday).await?;
        }
        for pass_id in wanted.paid {
            self.load_paid(tx, pass_id).await?;
        }
        self.load_paid_by(tx, &wanted.paid_by, now).await?;
        for which in wanted.attended {
            self.load_attended(tx, which).await?;
        }
        for (one, other) in wanted.beside {
            self.load_beside(tx, one, other).await?;
        }
        for (resource, from, until) in wanted.occupied {
            self.load_occupied(tx, resource, from, until).await?;
        }
        for (person_id, key) in wanted.answers {
            self.load_answer(tx, person_id, &key).await?;
        }
        for series_id in wanted.series_sessions {
            self.load_series_sessions(tx, series_id, now).await?;
        }
        for studio_id in wanted.to_come {
            self.load_to_come(tx, studio_id, now).await?;
        }
        for studio_id in wanted.running_series {
            self.load_running_series(tx, studio_id).await?;
        }
        for person_id in wanted.teaching {
            self.load_teaching(tx, person_id, now).await?;
        }
        for (studio_id, from, to) in wanted.days {
            self.load_days(tx, studio_id, from, to).await?;
        }
        for studio_id in wanted.closing_days {
            self.load_closing_days(tx, studio_id, now).await?;
        }
        for studio_id in wanted.candidates {
            self.load_candidates(tx, studio_id).await?;
        }
        for studio_id in wanted.admins {
            self.load_admins(tx, studio_id).await?;
        }
        self.load_invitations(tx, wanted.invitations).await
    }

    /// Writes everything that the batch decided.
    pub async fn write(&mut self, tx: &mut Tx, now: DateTime<Utc>) -> Result<(), Error> {
        self.write_members(tx).await?;
        self.write_new_series(tx).await?;
        self.write_new_sessions(tx).await?;
        self.write_changed_series(tx).await?;
        self.write_requests(tx).await?;
        self.write_closing_days(tx, now).await?;
        self.write_new_passes(tx).await?;
        self.write_bookings(tx).await?;
        self.write_offers(tx).await?;
        self.write_holds(tx).await?;
        self.write_check_ins(tx).await?;
        self.write_penalties(tx).await?;
        self.write_changed_passes(tx).await?;
        self.write_changed_sessions(tx).await?;
        self.write_house_rules(tx).await?;
        self.write_roles(tx, now).await?;
        self.write_acceptances(tx).await?;
        reports::store::turn_away(tx, now, std::mem::take(&mut self.turned_away)).await?;
        outbox::write(tx, now, std::mem::take(&mut self.letters)).await?;
        outbox::overtake(tx, std::mem::take(&mut self.overtaken)).await?;
        self.write_merges(tx, now).await?;
        self.write_removals(tx, now).await?;
        // The numbers of a studio's events are assigned last: from there to the commit, other writers of its events wait.
        events::log::write(tx, now, std::mem::take(&mut self.events)).await
    }
}
