//! The transactor's SQL: one set query a table to load what a batch names, one set statement a table to write what it decided.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::Lookup;
use super::{QUEUE_SLICE, WorkingSet};
use crate::db::{Error, Tx};
use crate::language::Language;
use crate::letters::facts::StudioFacts;
use crate::passes::PassType;
use crate::people::Person;
use crate::people::roles::{Role, Roles};
use crate::schedule::SESSION_HOURS_MAX;
use crate::schedule::{Clash, ClassType};
use crate::studios::house_rules::HouseRules;
use crate::studios::{Room, StudioContext};
use crate::text::search_key;
use crate::{booking, events, letters, passes, people, schedule, studios};

#[derive(FromRow)]
struct StudioRow {
    id: Uuid,
    name: String,
    address: Option<String>,
    contact: Option<String>,
    time_zone: String,
    locale: Language,
    shop_url: Option<String>,
    house_rules: Json<HouseRules>,
    house_rules_version: i64,
}

#[derive(FromRow)]
struct PersonRow {
    id: Uuid,
    name: String,
    locale: Option<Language>,
    has_address: bool,
    verified: bool,
    is_owner: bool,
}

/// Loads rows that decisions asked for. What is known already stays as the commands before left it.
pub async fn load(tx: &mut Tx, set: &mut WorkingSet, keys: &BTreeSet<Lookup>, now: DateTime<Utc>) -> Result<(), Error> {
    let mut ids: HashMap<&'static str, Vec<Uuid>> = HashMap::new();
    let mut callers = BTreeSet::new();
    let mut in_sessions: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for key in keys {
        let (table, id) = match key {
            Lookup::Session(id) => ("session", *id),
            Lookup::Studio(id) => ("studio", *id),
            Lookup::Identity(id) => ("identity", *id),
            Lookup::Person(id) => ("person", *id),
            Lookup::InSession(session_id, person_id) => {
                in_sessions.entry(*session_id).or_default().push(*person_id);
                continue;
            }
            Lookup::Roster(id) => ("roster", *id),
            Lookup::Pass(id) => ("pass", *id),
            Lookup::ClassType(id) => ("class_type", *id),
            Lookup::Room(id) => ("room", *id),
            Lookup::PassType(id) => ("pass_type", *id),
            Lookup::Booking(id, caller) => {
                callers.insert((*id, *caller));
                ("booking", *id)
            }
            Lookup::Series(id) => ("series", *id),
            Lookup::SubstituteRequest(id) => ("request", *id),
            Lookup::PendingRequest(id) => ("pending_request", *id),
            Lookup::Queue(_)
            | Lookup::Visits(..)
            | Lookup::Clashes(..)
            | Lookup::Idempotency(..)
            | Lookup::SeriesSessions(_)
            | Lookup::ToCome(_)
            | Lookup::RunningSeries(_)
            | Lookup::Teaching(_)
            | Lookup::Days(..)
            | Lookup::ClosingDays(_)
            | Lookup::Admins(_)
            | Lookup::Candidates(_) => continue,
        };
        ids.entry(table).or_default().push(id);
    }
    let mut take = |table: &str| -> Vec<Uuid> { ids.remove(table).unwrap_or_default() };
    load_bookings(tx, set, &take("booking"), &callers, now).await?;
    load_sessions(tx, set, &take("session")).await?;
    load_studios(tx, set, &take("studio")).await?;
    load_identities(tx, set, take("identity")).await?;
    load_people(tx, set, take("person"), now).await?;
    for (session_id, people) in in_sessions {
        for booking in booking::store::in_session(tx, session_id, &people).await? {
            set.load_booking(booking);
        }
        set.known_in_session.extend(people.into_iter().map(|person_id| (session_id, person_id)));
    }
    load_rosters(tx, set, &take("roster")).await?;
    for pass in passes::store::by_id(tx, &take("pass")).await? {
        set.load_pass(pass);
    }
    load_parts(tx, set, &take("class_type"), &take("room"), &take("pass_type")).await?;
    let requests = take("request");
    if !requests.is_empty() {
        let found = schedule::substitutes::store::by_id(tx, &requests).await?;
        load_sessions(tx, set, &found.iter().map(|request| request.session_id).collect::<Vec<_>>()).await?;
        for request in found {
            set.requests.load(request.id, request);
        }
        requests.into_iter().for_each(|id| set.requests.note_absent(id));
    }
    let asked_for = take("pending_request");
    for request in schedule::substitutes::store::pending(tx, &asked_for).await? {
        set.requests.load(request.id, request);
    }
    set.known_requests.extend(asked_for);
    let series = take("series");
    for plan in schedule::series::store::plans(tx, &series).await? {
        set.series.load(plan.series.id, plan);
    }
    for id in series {
        set.series.note_absent(id);
    }
    for key in keys {
        match key {
            Lookup::Queue(session_id) => {
                let slice = booking::store::queue_slice(tx, *session_id, set.queue_read_to(*session_id), QUEUE_SLICE).await?;
                set.load_queue(*session_id, slice);
            }
            Lookup::Visits(pass_id, monday) => {
                let visits = booking::store::visits(tx, *pass_id, *monday).await?;
                set.visits.entry((*pass_id, *monday)).or_insert(visits);
            }
            Lookup::Clashes(room, instructor, from, until) => {
                let found = clashes(tx, *room, *instructor, *from, *until).await?;
                set.load_clashes((*room, *instructor), (*from, *until), found);
            }
            Lookup::Idempotency(person_id, key) => {
                let found: Option<(String, Uuid)> = tx
                    .maybe("SELECT body_hash, result_id FROM idempotency_keys WHERE person_id = $1 AND key = $2", (*person_id, key.clone()))
                    .await?;
                set.idempotency.insert((*person_id, key.clone()), found);
            }
            Lookup::SeriesSessions(id) => {
                let found = schedule::store::of_series(tx, *id, now).await?;
                take_sessions(tx, set, found).await?;
                set.sessions_of_series.insert(*id);
            }
            Lookup::ToCome(studio_id) => {
                let found = schedule::store::to_come(tx, *studio_id, now).await?;
                take_sessions(tx, set, found).await?;
                set.known_to_come.insert(*studio_id);
            }
            Lookup::RunningSeries(studio_id) => {
                for plan in schedule::series::store::running(tx, *studio_id).await? {
                    set.series.load(plan.series.id, plan);
                }
                set.known_running.insert(*studio_id);
            }
            Lookup::Teaching(person_id) => {
                let found = schedule::store::of_instructor(tx, *person_id, now).await?;
                take_sessions(tx, set, found).await?;
                set.known_teaching.insert(*person_id);
            }
            Lookup::Days(studio_id, from, to) => {
                let found = schedule::store::of_days(tx, *studio_id, (*from, *to)).await?;
                take_sessions(tx, set, found).await?;
                set.known_days.insert((*studio_id, *from, *to));
            }
            Lookup::ClosingDays(id) => {
                let found = schedule::store::closing_days(tx, *id, (now - Duration::days(2)).date_naive()).await?;
                set.closing_days.extend(found.into_iter().map(|(date,)| (*id, date)));
                set.known_closing_days.insert(*id);
            }
            Lookup::Candidates(studio_id) => {
                let found = schedule::substitutes::store::candidates(tx, *studio_id).await?;
                set.candidates.insert(*studio_id, Arc::new(found));
            }
            Lookup::Admins(studio_id) => {
                let found: Vec<(Uuid,)> =
                    tx.all("SELECT person_id FROM staff WHERE studio_id = $1 AND role = 'admin' ORDER BY person_id", (*studio_id,)).await?;
                set.admins.insert(*studio_id, found.into_iter().map(|(id,)| id).collect());
            }
            _ => {}
        }
    }
    Ok(())
}

async fn load_bookings(
    tx: &mut Tx,
    set: &mut WorkingSet,
    ids: &[Uuid],
    callers: &BTreeSet<(Uuid, Uuid)>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    for booking in booking::store::by_id(tx, ids).await? {
        set.load_booking(booking);
    }
    let sql = "SELECT booking_id, person_id, until FROM withdrawn_bookings WHERE until > $1 AND booking_id IN #";
    let withdrawn: Vec<(Uuid, Uuid, DateTime<Utc>)> = tx.among(sql, (now,), ids).await?;
    for id in ids {
        set.bookings.note_absent(*id);
    }
    for caller in callers {
        set.withdrawn.entry(*caller).or_insert(None);
    }
    for (booking, person, until) in withdrawn {
        set.withdrawn.insert((booking, person), Some(until));
    }
    Ok(())
}

async fn load_sessions(tx: &mut Tx, set: &mut WorkingSet, ids: &[Uuid]) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let sessions = schedule::store::among(tx, ids).await?;
    take_sessions(tx, set, sessions).await?;
    for id in ids {
        set.sessions.note_absent(*id);
    }
    Ok(())
}

async fn take_sessions(tx: &mut Tx, set: &mut WorkingSet, sessions: Vec<schedule::Session>) -> Result<(), Error> {
    let studios: BTreeSet<Uuid> = sessions.iter().map(|session| session.studio_id).filter(|id| !set.studios.contains_key(id)).collect();
    for session in sessions {
        set.load_session(session);
    }
    load_studios(tx, set, &studios.into_iter().collect::<Vec<_>>()).await
}

async fn load_studios(tx: &mut Tx, set: &mut WorkingSet, ids: &[Uuid]) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let sql = "SELECT id, name, address, contact, time_zone, locale, shop_url, house_rules, house_rules_version FROM studios WHERE id IN #";
    for row in tx.among::<StudioRow, _>(sql, (), ids).await? {
        let zone: Tz = row.time_zone.parse().map_err(|_| Error::nonsense("a studio's time zone"))?;
        let studio = StudioContext {
            id: row.id,
            zone,
            locale: row.locale,
            shop_url: row.shop_url,
            rules: row.house_rules.0,
            rules_version: row.house_rules_version,
            facts: StudioFacts { name: row.name, address: row.address, contact: row.contact, time_zone: zone },
        };
        set.studios.insert(row.id, Arc::new(studio));
    }
    set.absent_studios.extend(ids.iter().filter(|id| !set.studios.contains_key(id)));
    Ok(())
}

async fn load_identities(tx: &mut Tx, set: &mut WorkingSet, mut ids: Vec<Uuid>) -> Result<(), Error> {
    ids.retain(|id| !set.persons.contains_key(id));
    if ids.is_empty() {
        return Ok(());
    }
    let sql = "SELECT id, name, locale, email IS NOT NULL AS has_address, verified_at IS NOT NULL AS verified, is_owner \
               FROM persons WHERE deleted_at IS NULL AND id IN #";
    let people: Vec<PersonRow> = tx.among(sql, (), &ids).await?;
    let mut roles: HashMap<Uuid, Vec<(Uuid, Role)>> = HashMap::new();
    for (person, studio, role) in
        tx.among::<(Uuid, Uuid, Role), _>("SELECT person_id, studio_id, role FROM staff WHERE person_id IN #", (), &ids).await?
    {
        roles.entry(person).or_default().push((studio, role));
    }
    for row in people {
        let person = Person {
            id: row.id,
            name: row.name,
            locale: row.locale,
            has_address: row.has_address,
            verified: row.verified,
            roles: Roles::new(row.is_owner, roles.remove(&row.id).unwrap_or_default()),
        };
        set.persons.insert(row.id, Some(Arc::new(person)));
    }
    for (studio, person) in tx.among::<(Uuid, Uuid), _>("SELECT studio_id, person_id FROM members WHERE person_id IN #", (), &ids).await? {
        set.members.insert((studio, person));
    }
    for id in ids {
        set.persons.entry(id).or_insert(None);
    }
    Ok(())
}

async fn load_people(tx: &mut Tx, set: &mut WorkingSet, mut ids: Vec<Uuid>, now: DateTime<Utc>) -> Result<(), Error> {
    ids.retain(|id| !set.known_people.contains(id));
    if ids.is_empty() {
        return Ok(());
    }
    load_identities(tx, set, ids.clone()).await?;
    for pass in passes::store::of_people(tx, &ids).await? {
        set.load_pass(pass);
    }
    for booking in booking::store::ahead(tx, &ids, now).await? {
        set.load_booking(booking);
    }
    set.known_people.extend(ids);
    Ok(())
}

async fn load_rosters(tx: &mut Tx, set: &mut WorkingSet, ids: &[Uuid]) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    for booking in booking::store::rosters(tx, ids).await? {
        set.load_booking(booking);
    }
    set.rosters.extend(ids);
    Ok(())
}

async fn load_parts(tx: &mut Tx, set: &mut WorkingSet, class_types: &[Uuid], rooms: &[Uuid], pass_types: &[Uuid]) -> Result<(), Error> {
    if !class_types.is_empty() {
        let sql = "SELECT id, studio_id, name, description, level, minutes, credits, minimum, version FROM class_types WHERE id IN #";
        let found: Vec<ClassType> = tx.among(sql, (), class_types).await?;
        set.class_types.extend(class_types.iter().map(|id| (*id, None)));
        set.class_types.extend(found.into_iter().map(|row| (row.id, Some(Arc::new(row)))));
    }
    if !rooms.is_empty() {
        let found: Vec<Room> = tx.among("SELECT id, studio_id, name, capacity, version FROM rooms WHERE id IN #", (), rooms).await?;
        set.rooms.extend(rooms.iter().map(|id| (*id, None)));
        set.rooms.extend(found.into_iter().map(|row| (row.id, Some(Arc::new(row)))));
    }
    if !pass_types.is_empty() {
        let found: Vec<PassType> = passes::store::types_by_id(tx, pass_types).await?;
        set.pass_types.extend(pass_types.iter().map(|id| (*id, None)));
        set.pass_types.extend(found.into_iter().map(|row| (row.id, Some(Arc::new(row)))));
    }
    Ok(())
}

/// Sessions of the room or the instructor, in any studio, that fall into the time.
async fn clashes(tx: &mut Tx, room: Uuid, instructor: Uuid, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<Clash>, Error> {
    let earliest = from - Duration::hours(SESSION_HOURS_MAX);
    let sql = "SELECT id, room_id, instructor_id, starts_at, ends_at FROM sessions \
               WHERE room_id = $1 AND starts_at > $3 AND starts_at < $5 AND ends_at > $4 AND status <> 'cancelled' \
               UNION \
               SELECT id, room_id, instructor_id, starts_at, ends_at FROM sessions \
               WHERE instructor_id = $2 AND starts_at > $3 AND starts_at < $5 AND ends_at > $4 AND status <> 'cancelled'";
    tx.all(sql, (room, instructor, earliest, from, until)).await
}

/// Writes everything that the batch decided.
pub async fn write(tx: &mut Tx, set: &mut WorkingSet, now: DateTime<Utc>) -> Result<(), Error> {
    let members = std::mem::take(&mut set.new_members);
    write_members(tx, set, members).await?;
    schedule::series::store::insert(tx, set.series.to_write(true)).await?;
    schedule::store::insert(tx, set.sessions.to_write(true)).await?;
    schedule::series::store::update(tx, set.series.to_write(false)).await?;
    // What ended frees the rule that a session has one that waits.
    schedule::substitutes::store::update(tx, set.requests.to_write(false)).await?;
    schedule::substitutes::store::insert(tx, set.requests.to_write(true)).await?;
    schedule::store::write_closing_days(tx, std::mem::take(&mut set.new_closing_days), now).await?;
    passes::store::insert(tx, set.passes.to_write(true)).await?;
    // What frees a unique rule comes before what takes it: updates of bookings before inserts. A session's counts come last but for
    // letters: the check on them is the alarm.
    booking::store::update(tx, set.bookings.to_write(false)).await?;
    booking::store::insert(tx, set.bookings.to_write(true)).await?;
    passes::store::update(tx, set.passes.to_write(false)).await?;
    passes::store::insert_ledger(tx, std::mem::take(&mut set.ledger)).await?;
    schedule::store::update(tx, set.sessions.to_write(false)).await?;
    if !set.new_withdrawn.is_empty() {
        let rows = std::mem::take(&mut set.new_withdrawn);
        let sql = "INSERT INTO withdrawn_bookings (booking_id, person_id, until) VALUES # \
                   ON CONFLICT (booking_id, person_id) DO UPDATE SET until = excluded.until";
        tx.rows(sql, rows).await?;
    }
    if !set.new_idempotency.is_empty() {
        let rows = std::mem::take(&mut set.new_idempotency);
        tx.rows("INSERT INTO idempotency_keys (person_id, key, body_hash, result_id, created_at) VALUES #", rows).await?;
    }
    for (studio_id, (rules, version)) in std::mem::take(&mut set.new_house_rules) {
        studios::store::set_house_rules(tx, studio_id, &rules, version).await?;
    }
    for ((studio_id, person_id), roles) in std::mem::take(&mut set.new_roles) {
        people::store::set_roles(tx, now, studio_id, person_id, &roles).await?;
    }
    letters::outbox::write(tx, now, std::mem::take(&mut set.letters)).await?;
    events::log::write(tx, now, std::mem::take(&mut set.events)).await
}

async fn write_members(tx: &mut Tx, set: &WorkingSet, members: Vec<(Uuid, Uuid, DateTime<Utc>)>) -> Result<(), Error> {
    let names: BTreeMap<Uuid, &str> =
        set.persons.iter().filter_map(|(id, person)| person.as_ref().map(|person| (*id, person.name.as_str()))).collect();
    let rows: Vec<_> = members
        .into_iter()
        .map(|(studio, person, at)| {
            let name = names.get(&person).copied().unwrap_or_default().to_owned();
            let key = search_key(&name);
            (studio, person, name, key, at)
        })
        .collect();
    let sql =
        "INSERT INTO members (studio_id, person_id, name, name_search, joined_at) VALUES # ON CONFLICT (studio_id, person_id) DO NOTHING";
    tx.rows(sql, rows).await.map(drop)
}
