//! The desk's SQL: one set query a table to load what a batch names, one set statement a table to write what it decided.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::needs::Key;
use super::world::{QUEUE_SLICE, World};
use crate::db::{Error, Tx};
use crate::language::{Language, Texts};
use crate::letters::facts::StudioFacts;
use crate::passes::PassType;
use crate::schedule::SESSION_HOURS_MAX;
use crate::sign_in::caller::Role;
use crate::studios::house_rules::HouseRules;
use crate::text::search_key;
use crate::{audit, booking, letters, passes, people, schedule};

/// A studio as decisions and letters need it.
#[derive(Clone, Debug)]
pub struct Studio {
    /// Its id.
    pub id: Uuid,
    /// Its zone.
    pub zone: Tz,
    /// The language of those who named none.
    pub locale: Language,
    /// Where a pass can be bought.
    pub shop_url: Option<String>,
    /// Its policy.
    pub rules: HouseRules,
    /// What its letters say of it.
    pub facts: StudioFacts,
}

/// A person as decisions need her.
#[derive(Clone, Debug)]
pub struct Person {
    /// Her id.
    pub id: Uuid,
    /// Her name, for the member's list of a studio that she joins.
    pub name: String,
    /// Her language, if she named one.
    pub locale: Option<Language>,
    /// Whether letters reach her.
    pub has_address: bool,
    /// Whether her address is verified.
    pub verified: bool,
    /// Whether she owns the deployment.
    pub is_owner: bool,
    /// Her roles, in each studio.
    pub roles: Vec<(Uuid, Role)>,
}

impl Person {
    /// Whether she runs this studio.
    pub fn is_admin(&self, studio_id: Uuid) -> bool {
        self.is_owner || self.roles.contains(&(studio_id, Role::Admin))
    }

    /// Whether she serves members at this studio's desk.
    pub fn is_desk(&self, studio_id: Uuid) -> bool {
        self.is_admin(studio_id) || self.roles.contains(&(studio_id, Role::FrontDesk))
    }

    /// Whether she is of this studio's staff.
    pub fn is_staff(&self, studio_id: Uuid) -> bool {
        self.is_owner || self.roles.iter().any(|(of, _)| *of == studio_id)
    }

    /// Whether she teaches in this studio.
    pub fn is_instructor(&self, studio_id: Uuid) -> bool {
        self.roles.contains(&(studio_id, Role::Instructor))
    }
}

/// A session that may stand in the way of another.
#[derive(Clone, Debug, FromRow)]
#[allow(missing_docs, reason = "columns")]
pub struct Clash {
    pub id: Uuid,
    pub room_id: Uuid,
    pub instructor_id: Uuid,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
}

impl Clash {
    /// Of a session that is known whole.
    pub fn of(session: &schedule::Session) -> Self {
        Self {
            id: session.id,
            room_id: session.room_id,
            instructor_id: session.instructor_id,
            starts_at: session.starts_at,
            ends_at: session.ends_at,
        }
    }
}

/// A class type as a session takes it over.
#[derive(Clone, Debug, FromRow)]
#[allow(missing_docs, reason = "columns")]
pub struct ClassType {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub name: Json<Texts>,
    pub level: String,
    pub minutes: i64,
    pub credits: i64,
    pub minimum: Option<i64>,
}

/// A room as a session takes it over.
#[derive(Clone, Debug, FromRow)]
#[allow(missing_docs, reason = "columns")]
pub struct Room {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub name: String,
    pub capacity: i64,
}

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
pub async fn load(tx: &mut Tx, world: &mut World, keys: &BTreeSet<Key>, now: DateTime<Utc>) -> Result<(), Error> {
    let mut ids: HashMap<&'static str, Vec<Uuid>> = HashMap::new();
    let mut callers = BTreeSet::new();
    let mut in_sessions: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for key in keys {
        let (table, id) = match key {
            Key::Session(id) => ("session", *id),
            Key::Studio(id) => ("studio", *id),
            Key::Identity(id) => ("identity", *id),
            Key::Person(id) => ("person", *id),
            Key::InSession(session_id, person_id) => {
                in_sessions.entry(*session_id).or_default().push(*person_id);
                continue;
            }
            Key::Roster(id) => ("roster", *id),
            Key::Pass(id) => ("pass", *id),
            Key::ClassType(id) => ("class_type", *id),
            Key::Room(id) => ("room", *id),
            Key::PassType(id) => ("pass_type", *id),
            Key::Booking(id, caller) => {
                callers.insert((*id, *caller));
                ("booking", *id)
            }
            Key::Series(id) => ("series", *id),
            Key::Request(id) => ("request", *id),
            Key::PendingRequest(id) => ("pending_request", *id),
            Key::Queue(_)
            | Key::Visits(..)
            | Key::Clashes(..)
            | Key::Idempotency(..)
            | Key::SeriesSessions(_)
            | Key::Teaching(_)
            | Key::Days(..)
            | Key::ClosingDays(_)
            | Key::Admins(_)
            | Key::Candidates(_) => continue,
        };
        ids.entry(table).or_default().push(id);
    }
    let mut take = |table: &str| -> Vec<Uuid> { ids.remove(table).unwrap_or_default() };
    load_bookings(tx, world, &take("booking"), &callers, now).await?;
    load_sessions(tx, world, &take("session")).await?;
    load_studios(tx, world, &take("studio")).await?;
    load_identities(tx, world, take("identity")).await?;
    load_people(tx, world, take("person"), now).await?;
    for (session_id, people) in in_sessions {
        for booking in booking::store::in_session(tx, session_id, &people).await? {
            world.load_booking(booking);
        }
        world.known_in_session.extend(people.into_iter().map(|person_id| (session_id, person_id)));
    }
    load_rosters(tx, world, &take("roster")).await?;
    for pass in passes::store::by_id(tx, &take("pass")).await? {
        world.load_pass(pass);
    }
    load_parts(tx, world, &take("class_type"), &take("room"), &take("pass_type")).await?;
    let requests = take("request");
    if !requests.is_empty() {
        let found = schedule::substitutes::store::by_id(tx, &requests).await?;
        load_sessions(tx, world, &found.iter().map(|request| request.session_id).collect::<Vec<_>>()).await?;
        for request in found {
            world.requests.load(request.id, request);
        }
        requests.into_iter().for_each(|id| world.requests.note_absent(id));
    }
    let asked_for = take("pending_request");
    for request in schedule::substitutes::store::pending(tx, &asked_for).await? {
        world.requests.load(request.id, request);
    }
    world.known_requests.extend(asked_for);
    let series = take("series");
    for plan in schedule::series::store::plans(tx, &series).await? {
        world.series.load(plan.series.id, plan);
    }
    for id in series {
        world.series.note_absent(id);
    }
    for key in keys {
        match key {
            Key::Queue(session_id) => {
                let slice = booking::store::queue_slice(tx, *session_id, world.queue_read_to(*session_id), QUEUE_SLICE).await?;
                world.load_queue(*session_id, slice);
            }
            Key::Visits(pass_id, monday) => {
                let visits = booking::store::visits(tx, *pass_id, *monday).await?;
                world.visits.entry((*pass_id, *monday)).or_insert(visits);
            }
            Key::Clashes(room, instructor, from, until) => {
                let found = clashes(tx, *room, *instructor, *from, *until).await?;
                world.load_clashes((*room, *instructor), (*from, *until), found);
            }
            Key::Idempotency(person_id, key) => {
                let found: Option<(String, Uuid)> = tx
                    .maybe("SELECT body_hash, result_id FROM idempotency_keys WHERE person_id = $1 AND key = $2", (*person_id, key.clone()))
                    .await?;
                world.idempotency.insert((*person_id, key.clone()), found);
            }
            Key::SeriesSessions(id) => {
                let found = schedule::store::of_series(tx, *id, now).await?;
                take_sessions(tx, world, found).await?;
                world.sessions_of_series.insert(*id);
            }
            Key::Teaching(person_id) => {
                let found = schedule::store::of_instructor(tx, *person_id, now).await?;
                take_sessions(tx, world, found).await?;
                world.known_teaching.insert(*person_id);
            }
            Key::Days(studio_id, from, to) => {
                let found = schedule::store::of_days(tx, *studio_id, (*from, *to)).await?;
                take_sessions(tx, world, found).await?;
                world.known_days.insert((*studio_id, *from, *to));
            }
            Key::ClosingDays(id) => {
                let found = schedule::store::closing_days(tx, *id, (now - Duration::days(2)).date_naive()).await?;
                world.closing_days.extend(found.into_iter().map(|(date,)| (*id, date)));
                world.known_closing_days.insert(*id);
            }
            Key::Candidates(studio_id) => {
                let found = schedule::substitutes::store::candidates(tx, *studio_id).await?;
                world.candidates.insert(*studio_id, Arc::new(found));
            }
            Key::Admins(studio_id) => {
                let found: Vec<(Uuid,)> =
                    tx.all("SELECT person_id FROM staff WHERE studio_id = $1 AND role = 'admin' ORDER BY person_id", (*studio_id,)).await?;
                world.admins.insert(*studio_id, found.into_iter().map(|(id,)| id).collect());
            }
            _ => {}
        }
    }
    Ok(())
}

async fn load_bookings(
    tx: &mut Tx,
    world: &mut World,
    ids: &[Uuid],
    callers: &BTreeSet<(Uuid, Uuid)>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    for booking in booking::store::by_id(tx, ids).await? {
        world.load_booking(booking);
    }
    let sql = "SELECT booking_id, person_id, until FROM withdrawn_bookings WHERE until > $1 AND booking_id IN #";
    let withdrawn: Vec<(Uuid, Uuid, DateTime<Utc>)> = tx.among(sql, (now,), ids).await?;
    for id in ids {
        world.bookings.note_absent(*id);
    }
    for caller in callers {
        world.withdrawn.entry(*caller).or_insert(None);
    }
    for (booking, person, until) in withdrawn {
        world.withdrawn.insert((booking, person), Some(until));
    }
    Ok(())
}

async fn load_sessions(tx: &mut Tx, world: &mut World, ids: &[Uuid]) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let sessions = schedule::store::among(tx, ids).await?;
    take_sessions(tx, world, sessions).await?;
    for id in ids {
        world.sessions.note_absent(*id);
    }
    Ok(())
}

async fn take_sessions(tx: &mut Tx, world: &mut World, sessions: Vec<schedule::Shown>) -> Result<(), Error> {
    let studios: BTreeSet<Uuid> = sessions.iter().map(|session| session.studio_id).filter(|id| !world.studios.contains_key(id)).collect();
    for session in sessions {
        world.load_session(session);
    }
    load_studios(tx, world, &studios.into_iter().collect::<Vec<_>>()).await
}

async fn load_studios(tx: &mut Tx, world: &mut World, ids: &[Uuid]) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let sql = "SELECT id, name, address, contact, time_zone, locale, shop_url, house_rules FROM studios WHERE id IN #";
    for row in tx.among::<StudioRow, _>(sql, (), ids).await? {
        let zone: Tz = row.time_zone.parse().map_err(|_| Error::nonsense("a studio's time zone"))?;
        let studio = Studio {
            id: row.id,
            zone,
            locale: row.locale,
            shop_url: row.shop_url,
            rules: row.house_rules.0,
            facts: StudioFacts { name: row.name, address: row.address, contact: row.contact, time_zone: zone },
        };
        world.studios.insert(row.id, Arc::new(studio));
    }
    world.absent_studios.extend(ids.iter().filter(|id| !world.studios.contains_key(id)));
    Ok(())
}

async fn load_identities(tx: &mut Tx, world: &mut World, mut ids: Vec<Uuid>) -> Result<(), Error> {
    ids.retain(|id| !world.persons.contains_key(id));
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
            is_owner: row.is_owner,
            roles: roles.remove(&row.id).unwrap_or_default(),
        };
        world.persons.insert(row.id, Some(Arc::new(person)));
    }
    for (studio, person) in tx.among::<(Uuid, Uuid), _>("SELECT studio_id, person_id FROM members WHERE person_id IN #", (), &ids).await? {
        world.members.insert((studio, person));
    }
    for id in ids {
        world.persons.entry(id).or_insert(None);
    }
    Ok(())
}

async fn load_people(tx: &mut Tx, world: &mut World, mut ids: Vec<Uuid>, now: DateTime<Utc>) -> Result<(), Error> {
    ids.retain(|id| !world.known_people.contains(id));
    if ids.is_empty() {
        return Ok(());
    }
    load_identities(tx, world, ids.clone()).await?;
    for pass in passes::store::of_people(tx, &ids).await? {
        world.load_pass(pass);
    }
    for booking in booking::store::ahead(tx, &ids, now).await? {
        world.load_booking(booking);
    }
    world.known_people.extend(ids);
    Ok(())
}

async fn load_rosters(tx: &mut Tx, world: &mut World, ids: &[Uuid]) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    for booking in booking::store::rosters(tx, ids).await? {
        world.load_booking(booking);
    }
    world.rosters.extend(ids);
    Ok(())
}

async fn load_parts(tx: &mut Tx, world: &mut World, class_types: &[Uuid], rooms: &[Uuid], pass_types: &[Uuid]) -> Result<(), Error> {
    if !class_types.is_empty() {
        let sql = "SELECT id, studio_id, name, level, minutes, credits, minimum FROM class_types WHERE id IN #";
        let found: Vec<ClassType> = tx.among(sql, (), class_types).await?;
        world.class_types.extend(class_types.iter().map(|id| (*id, None)));
        world.class_types.extend(found.into_iter().map(|row| (row.id, Some(Arc::new(row)))));
    }
    if !rooms.is_empty() {
        let found: Vec<Room> = tx.among("SELECT id, studio_id, name, capacity FROM rooms WHERE id IN #", (), rooms).await?;
        world.rooms.extend(rooms.iter().map(|id| (*id, None)));
        world.rooms.extend(found.into_iter().map(|row| (row.id, Some(Arc::new(row)))));
    }
    if !pass_types.is_empty() {
        let found: Vec<PassType> = passes::store::types_by_id(tx, pass_types).await?;
        world.pass_types.extend(pass_types.iter().map(|id| (*id, None)));
        world.pass_types.extend(found.into_iter().map(|row| (row.id, Some(Arc::new(row)))));
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
pub async fn write(tx: &mut Tx, world: &mut World, now: DateTime<Utc>) -> Result<(), Error> {
    let members = std::mem::take(&mut world.new_members);
    write_members(tx, world, members).await?;
    schedule::series::store::insert(tx, world.series.to_write(true)).await?;
    schedule::store::insert(tx, world.sessions.to_write(true)).await?;
    schedule::series::store::update(tx, world.series.to_write(false)).await?;
    // What ended frees the rule that a session has one that waits.
    schedule::substitutes::store::update(tx, world.requests.to_write(false)).await?;
    schedule::substitutes::store::insert(tx, world.requests.to_write(true)).await?;
    schedule::store::write_closing_days(tx, std::mem::take(&mut world.new_closing_days), now).await?;
    passes::store::insert(tx, world.passes.to_write(true)).await?;
    // What frees a unique rule comes before what takes it: updates of bookings before inserts. A session's counts come last but for
    // letters: the check on them is the alarm.
    booking::store::update(tx, world.bookings.to_write(false)).await?;
    booking::store::insert(tx, world.bookings.to_write(true)).await?;
    passes::store::update(tx, world.passes.to_write(false)).await?;
    passes::store::insert_ledger(tx, std::mem::take(&mut world.ledger)).await?;
    schedule::store::update(tx, world.sessions.to_write(false)).await?;
    if !world.new_withdrawn.is_empty() {
        let rows = std::mem::take(&mut world.new_withdrawn);
        let sql = "INSERT INTO withdrawn_bookings (booking_id, person_id, until) VALUES # \
                   ON CONFLICT (booking_id, person_id) DO UPDATE SET until = excluded.until";
        tx.rows(sql, rows).await?;
    }
    if !world.new_idempotency.is_empty() {
        let rows = std::mem::take(&mut world.new_idempotency);
        tx.rows("INSERT INTO idempotency_keys (person_id, key, body_hash, result_id, created_at) VALUES #", rows).await?;
    }
    for ((studio_id, person_id), roles) in std::mem::take(&mut world.new_roles) {
        people::store::set_roles(tx, now, studio_id, person_id, &roles).await?;
    }
    letters::outbox::write(tx, now, std::mem::take(&mut world.letters)).await?;
    audit::write(tx, now, std::mem::take(&mut world.audit)).await
}

async fn write_members(tx: &mut Tx, world: &World, members: Vec<(Uuid, Uuid, DateTime<Utc>)>) -> Result<(), Error> {
    let names: BTreeMap<Uuid, &str> =
        world.persons.iter().filter_map(|(id, person)| person.as_ref().map(|person| (*id, person.name.as_str()))).collect();
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
