//! Persons, staff and members in the database.

pub mod bulk;
pub mod leaving;
pub mod merging;
pub mod particulars;
pub mod personal;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::booking::view::ConditionsView;
use crate::db::{Db, Error, Sql, Tx};
use crate::events::{self, Actor, Event, Happened};
use crate::language::{Language, Texts};
use crate::letters::facts::StudioFacts;
use crate::letters::switches::{Switches, SwitchesChange};
use crate::people::roles::{Role, Roles};
use crate::people::{Person, QuietHours};
use crate::search::{Typed, name_key};
use crate::text::{Email, Name};

/// Somebody who is known by their address: verified, or entered by a front desk.
#[derive(Clone, Debug, FromRow)]
pub struct Known {
    pub id: Uuid,
    /// As they call themselves, or as the front desk that entered them first does.
    pub name: String,
    /// The language that they chose.
    pub locale: Option<Language>,
    /// When the address was confirmed.
    pub verified_at: Option<DateTime<Utc>>,
}

/// Keeps everybody else in the deployment from deciding about this address until the transaction ends. On SQLite the writer does.
pub async fn lock_address(tx: &mut Tx, email_key: &str) -> Result<(), Error> {
    /// The class of these advisory locks; the second number is the address.
    const ADDRESSES: i32 = 0x52_65_6c;
    let bytes = crate::sign_in::secrets::hash(email_key.as_bytes());
    let address = bytes.first_chunk().map_or(0, |bytes| i32::from_be_bytes(*bytes));
    let sql = Sql::Each { sqlite: "SELECT $1, $2", postgres: "SELECT pg_advisory_xact_lock($1, $2)" };
    tx.run(sql, (ADDRESSES, address)).await.map(drop)
}

/// Who is known by this address.
pub async fn known_by(tx: &mut Tx, email_key: &str) -> Result<Option<Known>, Error> {
    tx.maybe("SELECT id, name, locale, verified_at FROM persons WHERE email_key = $1", (email_key,)).await
}

/// Somebody new.
pub struct NewPerson<'p> {
    pub id: Uuid,
    pub name: &'p Name,
    /// The address by which the person is known; `None` until it is verified.
    pub email: Option<&'p Email>,
    /// Somebody else is known by the address: letters go there, and nobody signs in as this person.
    pub shares_address: bool,
    pub locale: Option<Language>,
    /// When the address was confirmed.
    pub verified_at: Option<DateTime<Utc>>,
}

/// Enters a person.
pub async fn insert(tx: &mut Tx, now: DateTime<Utc>, person: NewPerson<'_>) -> Result<u64, Error> {
    let sql = "INSERT INTO persons (id, name, email, email_key, contact_key, key_stale, locale, verified_at, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let email = person.email.map(|email| email.as_str().to_owned());
    let key = person.email.map(Email::key);
    let (email_key, contact_key) = if person.shares_address { (None, key) } else { (key, None) };
    tx.run(sql, (person.id, person.name.as_str(), email, email_key, contact_key, false, person.locale, person.verified_at, now)).await
}

/// Names a person anew whose address is not verified; what they did not say stays.
pub async fn rename(tx: &mut Tx, id: Uuid, name: &Name, locale: Option<Language>) -> Result<u64, Error> {
    tx.run("UPDATE persons SET name = $2, locale = COALESCE($3, locale) WHERE id = $1", (id, name.as_str(), locale)).await
}

/// Writes a person's row as it is: where it must not show that nothing is changed, as much is written.
pub async fn touch(tx: &mut Tx, id: Uuid) -> Result<u64, Error> {
    tx.run("UPDATE persons SET name = name WHERE id = $1", (id,)).await
}

/// From now on the person is known by this address, which is confirmed. A studio that knew another, and to which they never came by
/// themselves, is not told the new one.
pub async fn set_address(tx: &mut Tx, now: DateTime<Utc>, id: Uuid, email: &str, email_key: &str) -> Result<u64, Error> {
    let sql = "UPDATE members SET knows_address = FALSE WHERE person_id = $1 AND given_at IS NULL AND knows_address \
               AND NOT EXISTS (SELECT 1 FROM persons p WHERE p.id = $1 AND COALESCE(p.email_key, p.contact_key) = $2)";
    tx.run(sql, (id, email_key)).await?;
    let sql = "UPDATE persons SET email = $2, email_key = $3, contact_key = NULL, key_stale = $5, verified_at = $4 WHERE id = $1";
    tx.run(sql, (id, email, email_key, now, false)).await
}

/// The person whom a front desk entered turns out to be the one who registered, and takes the name and language that were given there.
/// What studios wrote down of them stands with the studios and stays.
pub async fn take_over(tx: &mut Tx, from: Uuid, to: Uuid) -> Result<u64, Error> {
    let sql = "UPDATE persons SET name = f.name, locale = COALESCE(f.locale, persons.locale), phone = COALESCE(f.phone, persons.phone) \
               FROM persons AS f WHERE f.id = $1 AND persons.id = $2";
    tx.run(sql, (from, to)).await
}

/// Takes away the number of somebody who may not have given it.
pub async fn forget_phone(tx: &mut Tx, id: Uuid) -> Result<(), Error> {
    tx.run("UPDATE persons SET phone = NULL WHERE id = $1", (id,)).await.map(drop)
}

/// Removes people whom nothing refers to any more.
pub async fn remove(tx: &mut Tx, ids: &[Uuid]) -> Result<(), Error> {
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        rows.push((*id,));
    }
    tx.rows("WITH x(id) AS (VALUES #) DELETE FROM persons WHERE id IN (SELECT id FROM x)", rows).await.map(drop)
}

/// A person's own row.
#[derive(Clone, Debug, FromRow)]
pub struct Profile {
    pub id: Uuid,
    pub name: String,
    /// Their address, verified or not; `None` without an account and without an address.
    pub email: Option<String>,
    /// When it was confirmed.
    pub verified_at: Option<DateTime<Utc>>,
    pub phone: Option<String>,
    pub locale: Option<Language>,
    /// Whether they asked for longer offers.
    pub longer_offers: bool,
    /// When they are not to be moved in or offered a place.
    pub quiet_hours: Option<Json<QuietHours>>,
    /// Which letters they want, of those that may be switched off.
    #[sqlx(flatten)]
    pub letters: Switches,
    /// Whether they own the deployment.
    pub is_owner: bool,
    /// When they came.
    pub created_at: DateTime<Utc>,
    /// When they asked to be deleted.
    pub deletion_asked_at: Option<DateTime<Utc>>,
    /// When that will be done.
    pub deletion_due_at: Option<DateTime<Utc>>,
    /// The privacy policy that they accepted.
    pub policy_version: Option<String>,
    pub policy_accepted_at: Option<DateTime<Utc>>,
}

const PROFILE: &str = "SELECT p.id, p.name, COALESCE(a.email, p.email) AS email, a.verified_at, p.phone, p.locale, p.longer_offers, p.quiet_hours, p.is_owner, \
     p.wants_reminder_24h, p.wants_reminder_2h, p.wants_passes_ending, p.wants_places_free, \
     p.created_at, p.deletion_asked_at, p.deletion_due_at, a.policy_version, a.policy_accepted_at \
     FROM persons p LEFT JOIN accounts a ON a.person_id = p.id WHERE p.id = $1";

/// A person's own row.
pub async fn profile(tx: &mut Tx, id: Uuid) -> Result<Option<Profile>, Error> {
    tx.maybe(PROFILE, (id,)).await
}

/// A person's roles in all studios.
pub async fn roles_of(tx: &mut Tx, id: Uuid) -> Result<Vec<(Uuid, Role)>, Error> {
    tx.all("SELECT studio_id, role FROM staff WHERE person_id = $1 ORDER BY studio_id, role", (id,)).await
}

/// What a person changes of their own account: `None` stays, `Some(None)` is cleared.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub name: Option<Name>,
    pub phone: Option<Option<String>>,
    pub locale: Option<Option<Language>>,
    pub longer_offers: Option<bool>,
    pub quiet_hours: Option<Option<QuietHours>>,
    pub letters: SwitchesChange,
}

/// Changes a person's own row.
pub async fn change(tx: &mut Tx, id: Uuid, change: Change) -> Result<(), Error> {
    let sql = "UPDATE persons SET name = COALESCE($2, name), phone = CASE WHEN $3 THEN $4 ELSE phone END, \
               locale = CASE WHEN $5 THEN $6 ELSE locale END, longer_offers = COALESCE($7, longer_offers), \
               quiet_hours = CASE WHEN $8 THEN $9 ELSE quiet_hours END, \
               wants_reminder_24h = COALESCE($10, wants_reminder_24h), wants_reminder_2h = COALESCE($11, wants_reminder_2h), \
               wants_passes_ending = COALESCE($12, wants_passes_ending), wants_places_free = COALESCE($13, wants_places_free) WHERE id = $1";
    let name = change.name.map(Name::into_string);
    let (phone, locale) = (change.phone, change.locale);
    let quiet_hours = (change.quiet_hours.is_some(), change.quiet_hours.flatten().map(Json));
    let binds = (
        id,
        name,
        phone.is_some(),
        phone.flatten(),
        locale.is_some(),
        locale.flatten(),
        change.longer_offers,
        quiet_hours.0,
        quiet_hours.1,
        change.letters.reminder_24h,
        change.letters.reminder_2h,
        change.letters.passes_ending,
        change.letters.places_free,
    );
    tx.run(sql, binds).await.map(drop)
}

/// The deployment's owners, but for one.
pub async fn other_owners(tx: &mut Tx, but: Uuid) -> Result<i64, Error> {
    // Two owners who go at the same time must see each other.
    let lock = Sql::Each { sqlite: "SELECT 1", postgres: "SELECT id FROM persons WHERE is_owner ORDER BY id FOR UPDATE" };
    tx.run(lock, ()).await?;
    let sql = "SELECT COUNT(*) FROM persons WHERE is_owner AND id <> $1 AND deletion_due_at IS NULL";
    let (count,): (i64,) = tx.one(sql, (but,)).await?;
    Ok(count)
}

/// Makes a person an owner of the deployment.
pub async fn make_owner(tx: &mut Tx, id: Uuid) -> Result<(), Error> {
    let sql = "UPDATE persons SET is_owner = TRUE, deletion_asked_at = NULL, deletion_due_at = NULL WHERE id = $1";
    tx.run(sql, (id,)).await.map(drop)
}

// Studios, as far as people need them.

/// A studio as letters show it, and its language; `None` if there is none of this id.
pub async fn studio(tx: &mut Tx, id: Uuid) -> Result<Option<(StudioFacts, Option<Language>)>, Error> {
    #[derive(FromRow)]
    struct Row {
        name: String,
        address: Option<String>,
        contact: Option<String>,
        time_zone: String,
        locale: String,
    }
    let sql = "SELECT name, address, contact, time_zone, locale FROM studios WHERE id = $1";
    let Some(row) = tx.maybe::<Row>(sql, (id,)).await? else { return Ok(None) };
    let time_zone = row.time_zone.parse().map_err(|_| Error::nonsense("a studio's time zone"))?;
    let facts = StudioFacts { name: row.name, address: row.address, contact: row.contact, time_zone };
    Ok(Some((facts, Language::of_tag(&row.locale))))
}

// Staff.

/// One role of one who works in a studio.
#[derive(Clone, Debug, FromRow)]
pub struct StaffRow {
    pub person_id: Uuid,
    pub name: String,
    pub role: Role,
}

/// By which name a studio knows a person `p` who may be its member `m`: what the person calls themselves, once they came by themselves;
/// until then what it wrote down, since the other may be what another studio did.
macro_rules! name_in {
    () => {
        "CASE WHEN m.given_at IS NULL AND m.name <> '' THEN m.name ELSE p.name END"
    };
}

/// Everybody who works in a studio, a row for each role.
pub async fn staff(tx: &mut Tx, studio_id: Uuid) -> Result<Vec<StaffRow>, Error> {
    let sql = concat!(
        "SELECT s.person_id, ",
        name_in!(),
        " AS name, s.role FROM staff s JOIN persons p ON p.id = s.person_id \
         LEFT JOIN members m ON m.studio_id = s.studio_id AND m.person_id = s.person_id WHERE s.studio_id = $1 ORDER BY s.person_id, s.role"
    );
    tx.all(sql, (studio_id,)).await
}

/// The name of somebody whom the studio knows.
pub async fn name_in(db: &Db, studio_id: Uuid, person_id: Uuid) -> Result<Option<String>, Error> {
    let sql = concat!(
        "SELECT ",
        name_in!(),
        " AS name FROM persons p LEFT JOIN members m ON m.studio_id = $1 AND m.person_id = p.id WHERE p.id = $2"
    );
    Ok(db.maybe::<(String,)>(sql, (studio_id, person_id)).await?.map(|(name,)| name))
}

/// The names of those whom the studio knows: its members, those who work there, and owners.
pub async fn names_in(tx: &mut Tx, studio_id: Uuid, people: &[Uuid]) -> Result<Vec<(Uuid, String)>, Error> {
    let sql = concat!(
        "SELECT p.id, ",
        name_in!(),
        " AS name FROM persons p LEFT JOIN members m ON m.studio_id = $1 AND m.person_id = p.id \
         WHERE p.deleted_at IS NULL AND (m.person_id IS NOT NULL OR p.is_owner \
         OR EXISTS (SELECT 1 FROM staff s WHERE s.studio_id = $1 AND s.person_id = p.id)) AND p.id IN #"
    );
    tx.among(sql, (studio_id,), people).await
}

/// A person's roles in one studio, held until the transaction ends: the transactor locks the same rows when it makes a session for them.
pub async fn roles_in(tx: &mut Tx, studio_id: Uuid, person_id: Uuid) -> Result<Vec<Role>, Error> {
    let sql = Sql::Each {
        sqlite: "SELECT role FROM staff WHERE studio_id = $1 AND person_id = $2 ORDER BY role",
        postgres: "SELECT role FROM staff WHERE studio_id = $1 AND person_id = $2 ORDER BY role FOR UPDATE",
    };
    let rows: Vec<(Role,)> = tx.all(sql, (studio_id, person_id)).await?;
    Ok(rows.into_iter().map(|(role,)| role).collect())
}

/// Gives roles to somebody who accepted them, and so came to the studio by themselves; one that is held already stays as it is.
pub async fn give_roles(tx: &mut Tx, now: DateTime<Utc>, studio_id: Uuid, person_id: Uuid, roles: &[Role]) -> Result<(), Error> {
    give(tx, vec![(studio_id, person_id, now)]).await?;
    add_roles(tx, now, studio_id, person_id, roles).await
}

async fn add_roles(tx: &mut Tx, now: DateTime<Utc>, studio_id: Uuid, person_id: Uuid, roles: &[Role]) -> Result<(), Error> {
    let rows = roles.iter().map(|role| (studio_id, person_id, *role, now)).collect();
    tx.rows("INSERT INTO staff (studio_id, person_id, role, since) VALUES # ON CONFLICT DO NOTHING", rows).await.map(drop)
}

/// Gives a person exactly these roles in a studio; those that they keep keep their date.
pub async fn set_roles(tx: &mut Tx, now: DateTime<Utc>, studio_id: Uuid, person_id: Uuid, roles: &BTreeSet<Role>) -> Result<(), Error> {
    for role in roles_in(tx, studio_id, person_id).await?.into_iter().filter(|role| !roles.contains(role)) {
        tx.run("DELETE FROM staff WHERE studio_id = $1 AND person_id = $2 AND role = $3", (studio_id, person_id, role)).await?;
    }
    add_roles(tx, now, studio_id, person_id, &roles.iter().copied().collect::<Vec<_>>()).await
}

/// A session that somebody still has to teach.
#[derive(Clone, Debug, FromRow, serde::Serialize, utoipa::ToSchema)]
#[schema(as = SessionToTeach)]
pub struct Teaching {
    pub id: Uuid,
    /// In which studio.
    pub studio_id: Uuid,
    #[serde(with = "crate::instant")]
    pub starts_at: DateTime<Utc>,
}

/// Sessions to come that a person teaches in any studio where they are an instructor, the first twenty. Where they are none any more, the
/// studio knows that it has to find somebody else.
pub async fn teaches(tx: &mut Tx, now: DateTime<Utc>, person_id: Uuid) -> Result<Vec<Teaching>, Error> {
    let sql = "SELECT s.id, s.studio_id, s.starts_at FROM sessions s WHERE s.instructor_id = $1 AND s.starts_at > $2 \
               AND s.status <> 'cancelled' \
               AND EXISTS (SELECT 1 FROM staff w WHERE w.studio_id = s.studio_id AND w.person_id = $1 AND w.role = 'instructor') \
               ORDER BY s.starts_at, s.id LIMIT 20";
    tx.all(sql, (person_id, now)).await
}

// Members.

/// A member as the studio knows them.
#[derive(Clone, Debug, FromRow)]
pub struct MemberRow {
    pub person_id: Uuid,
    /// By the name that this studio wrote down.
    pub name: String,
    /// What the member is sorted by.
    pub name_search: String,
    /// Where letters go, as far as the studio was told.
    pub email: Option<String>,
    /// Whether somebody else is known by that address.
    pub shares_address: bool,
    /// The telephone number: what this studio wrote down, else what the member gave it by coming.
    pub phone: Option<String>,
    /// What staff note.
    pub note: Option<String>,
}

/// What a front desk looks for.
pub struct Wanted {
    /// Of a name or an address.
    pub typed: Typed,
    /// A `LIKE` pattern of a telephone number's digits; one that finds nothing where no number is looked for.
    pub digits: String,
}

/// A member who was found, and how well: 0 by the very name, 1 by its beginning or that of a word, 2 in any other way.
#[derive(Clone, Debug, FromRow)]
pub struct FoundRow {
    /// How well.
    pub rank: i64,
    #[sqlx(flatten)]
    pub member: MemberRow,
}

/// The columns of a [`MemberRow`]. What a person says of themselves is given to a studio when they come to it by themselves; before that it
/// knows what it wrote down.
macro_rules! member_columns {
    () => {
        "m.person_id, m.name, m.name_search, CASE WHEN m.given_at IS NOT NULL OR m.knows_address THEN p.email END AS email, \
         (p.contact_key IS NOT NULL) AS shares_address, \
         CASE WHEN m.given_at IS NULL THEN m.phone ELSE COALESCE(m.phone, p.phone) END AS phone, m.note"
    };
}

/// All of the studio's members by name, after the given one.
pub async fn members(tx: &mut Tx, studio_id: Uuid, after: Option<(String, Uuid)>, limit: i64) -> Result<Vec<MemberRow>, Error> {
    let sql = concat!(
        "SELECT ",
        member_columns!(),
        " FROM members m JOIN persons p ON p.id = m.person_id WHERE m.studio_id = $1 AND p.deleted_at IS NULL \
         AND ($2 OR m.name_search > $3 OR (m.name_search = $3 AND m.person_id > $4)) ORDER BY m.name_search, m.person_id LIMIT $5"
    );
    let (name, id) = after.clone().unwrap_or_default();
    tx.all(sql, (studio_id, after.is_none(), name, id, limit)).await
}

/// The studio's members that are looked for, the best found first, then by name, after the given one.
pub async fn members_found(
    tx: &mut Tx,
    studio_id: Uuid,
    wanted: Wanted,
    after: Option<(i64, String, Uuid)>,
    limit: i64,
) -> Result<Vec<FoundRow>, Error> {
    let sql = concat!(
        "SELECT x.rank, x.person_id, x.name, x.name_search, x.email, x.shares_address, x.phone, x.note FROM (SELECT ",
        member_columns!(),
        ", CAST(CASE WHEN m.name_search LIKE $2 ESCAPE '\\' THEN 0 \
                WHEN m.name_search LIKE $3 ESCAPE '\\' OR m.name_search LIKE $4 ESCAPE '\\' THEN 1 ELSE 2 END AS BIGINT) AS rank \
         FROM members m JOIN persons p ON p.id = m.person_id WHERE m.studio_id = $1 AND p.deleted_at IS NULL \
         AND ((m.name_search LIKE $5 ESCAPE '\\' AND m.name_search LIKE $6 ESCAPE '\\' \
               AND m.name_search LIKE $7 ESCAPE '\\' AND m.name_search LIKE $8 ESCAPE '\\') \
           OR ((m.given_at IS NOT NULL OR m.knows_address) AND COALESCE(p.email_key, p.contact_key) LIKE $9 ESCAPE '\\') \
           OR REPLACE(REPLACE(REPLACE(REPLACE(CASE WHEN m.given_at IS NULL THEN m.phone ELSE COALESCE(m.phone, p.phone) END, \
              ' ', ''), '-', ''), '(', ''), ')', '') LIKE $10 ESCAPE '\\')) x \
         WHERE $11 OR x.rank > $12 OR (x.rank = $12 AND (x.name_search > $13 OR (x.name_search = $13 AND x.person_id > $14))) \
         ORDER BY x.rank, x.name_search, x.person_id LIMIT $15"
    );
    let Typed { words: [one, two, three, four], exact, begins: [line, word], address } = wanted.typed;
    let (rank, name, id) = after.clone().unwrap_or_default();
    let from = after.is_none();
    let binds = (studio_id, exact, line, word, one, two, three, four, address, wanted.digits, from, rank, name, id, limit);
    tx.all(sql, binds).await
}

/// Whether the studio has a member who does not work there.
pub async fn any_member(tx: &mut Tx, studio_id: Uuid) -> Result<bool, Error> {
    let sql = "SELECT m.person_id FROM members m WHERE m.studio_id = $1 \
               AND NOT EXISTS (SELECT 1 FROM staff w WHERE w.studio_id = m.studio_id AND w.person_id = m.person_id) LIMIT 1";
    Ok(tx.maybe::<(Uuid,)>(sql, (studio_id,)).await?.is_some())
}

/// One member of the studio.
pub async fn member(tx: &mut Tx, studio_id: Uuid, person_id: Uuid) -> Result<Option<MemberRow>, Error> {
    let sql = concat!(
        "SELECT ",
        member_columns!(),
        " FROM members m JOIN persons p ON p.id = m.person_id WHERE m.studio_id = $1 AND m.person_id = $2"
    );
    tx.maybe(sql, (studio_id, person_id)).await
}

/// Somebody of this studio, member or staff, whose letters go to an address that is asked for.
#[derive(Clone, Debug, FromRow)]
pub struct AddressUser {
    pub person_id: Uuid,
    /// By the name that this studio wrote down.
    pub name: String,
    /// Whether this is a member, and not of the staff alone.
    pub is_member: bool,
    /// Whether somebody else is known by the address.
    pub shares_address: bool,
}

/// Whose letters in this studio go to this address. Of people whom only other studios know it tells nothing.
pub async fn address_users(tx: &mut Tx, studio_id: Uuid, email_key: &str) -> Result<Vec<AddressUser>, Error> {
    let sql = "SELECT p.id AS person_id, COALESCE(m.name, p.name) AS name, (m.person_id IS NOT NULL) AS is_member, \
               (p.contact_key IS NOT NULL) AS shares_address \
               FROM persons p LEFT JOIN members m ON m.person_id = p.id AND m.studio_id = $1 \
               WHERE (p.email_key = $2 OR p.contact_key = $2) \
               AND (m.person_id IS NOT NULL OR EXISTS (SELECT 1 FROM staff s WHERE s.studio_id = $1 AND s.person_id = p.id)) \
               ORDER BY 4, 2, 1";
    tx.all(sql, (studio_id, email_key)).await
}

/// Somebody who becomes a member.
#[derive(Clone, Debug)]
pub struct Joining {
    /// Of which studio.
    pub studio_id: Uuid,
    pub person_id: Uuid,
    /// By which name the studio knows them.
    pub name: String,
    /// The number that it wrote down.
    pub phone: Option<String>,
    /// Whether they came by themselves: what they say of themselves is given to the studio then.
    pub by_self: bool,
}

/// Makes somebody a member; who is one already stays as they are. Whether they are new.
pub async fn join(tx: &mut Tx, now: DateTime<Utc>, joining: Joining) -> Result<bool, Error> {
    let Joining { studio_id, person_id, name, phone, by_self } = joining;
    let key = name_key(&name);
    let sql = "INSERT INTO members (studio_id, person_id, name, name_search, key_stale, phone, joined_at, given_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    Ok(tx.run(sql, (studio_id, person_id, name, key, false, phone, now, by_self.then_some(now))).await? == 1)
}

/// Members whom the studio had entered came by themselves: (studio, person, when). For whom this is new.
pub async fn give(tx: &mut Tx, given: Vec<(Uuid, Uuid, DateTime<Utc>)>) -> Result<u64, Error> {
    let sql = "WITH x(studio_id, person_id, at) AS (VALUES #) UPDATE members SET given_at = x.at FROM x \
               WHERE members.studio_id = x.studio_id AND members.person_id = x.person_id AND members.given_at IS NULL";
    tx.rows(sql, given).await
}

/// The studio wrote down the address that a member has.
pub async fn note_address(tx: &mut Tx, studio_id: Uuid, person_id: Uuid) -> Result<(), Error> {
    let sql = "UPDATE members SET knows_address = TRUE WHERE studio_id = $1 AND person_id = $2 AND NOT knows_address";
    tx.run(sql, (studio_id, person_id)).await.map(drop)
}

/// By what a member of the studio is sorted: where a page ended.
pub async fn sorted_by(tx: &mut Tx, studio_id: Uuid, person_id: Uuid) -> Result<Option<String>, Error> {
    let sql = "SELECT name_search FROM members WHERE studio_id = $1 AND person_id = $2";
    Ok(tx.maybe::<(String,)>(sql, (studio_id, person_id)).await?.map(|(key,)| key))
}

// Keys that were made by an older way (`keys`).

/// A member's name whose key may be out of date.
#[derive(Clone, Debug, FromRow)]
pub struct StaleName {
    /// In which studio.
    pub studio_id: Uuid,
    pub person_id: Uuid,
    /// The name.
    pub name: String,
    /// The key that it has.
    pub name_search: String,
}

/// A person's address whose key may be out of date.
#[derive(Clone, Debug, FromRow)]
pub struct StaleAddress {
    pub id: Uuid,
    /// The address, if there is one.
    pub email: Option<String>,
    /// Its key, where the person is known by it.
    pub email_key: Option<String>,
    /// Its key, where somebody else is.
    pub contact_key: Option<String>,
}

/// Names with such a key after this one, held until the transaction ends.
pub async fn stale_names(tx: &mut Tx, (studio, person): (Uuid, Uuid), limit: i64) -> Result<Vec<StaleName>, Error> {
    macro_rules! text {
        ($lock:literal) => {
            concat!(
                "SELECT studio_id, person_id, name, name_search FROM members WHERE key_stale \
                 AND (studio_id > $1 OR (studio_id = $1 AND person_id > $2)) ORDER BY studio_id, person_id LIMIT $3",
                $lock
            )
        };
    }
    tx.all(Sql::Each { sqlite: text!(""), postgres: text!(" FOR UPDATE SKIP LOCKED") }, (studio, person, limit)).await
}

/// Gives names these keys: studio, person, key.
pub async fn renew_names(tx: &mut Tx, keys: Vec<(Uuid, Uuid, String)>) -> Result<u64, Error> {
    let sql = "WITH x(studio_id, person_id, name_search) AS (VALUES #) UPDATE members SET name_search = x.name_search, key_stale = FALSE \
               FROM x WHERE members.studio_id = x.studio_id AND members.person_id = x.person_id";
    tx.rows(sql, keys).await
}

/// Addresses with such a key after this person's, held until the transaction ends.
pub async fn stale_addresses(tx: &mut Tx, after: Uuid, limit: i64) -> Result<Vec<StaleAddress>, Error> {
    macro_rules! text {
        ($lock:literal) => {
            concat!("SELECT id, email, email_key, contact_key FROM persons WHERE key_stale AND id > $1 ORDER BY id LIMIT $2", $lock)
        };
    }
    tx.all(Sql::Each { sqlite: text!(""), postgres: text!(" FOR UPDATE SKIP LOCKED") }, (after, limit)).await
}

/// Gives a person's address this key, unless somebody else is known by it. Whether it has it now.
pub async fn renew_address(tx: &mut Tx, id: Uuid, email_key: &str) -> Result<bool, Error> {
    let sql = "UPDATE persons SET email_key = CASE WHEN contact_key IS NULL THEN $2 END, \
               contact_key = CASE WHEN contact_key IS NOT NULL THEN $2 END, key_stale = FALSE WHERE id = $1 AND email IS NOT NULL \
               AND (contact_key IS NOT NULL OR NOT EXISTS (SELECT 1 FROM persons o WHERE o.email_key = $2 AND o.id <> $1))";
    Ok(tx.run(sql, (id, email_key)).await? == 1)
}

/// The keys of these people's addresses are as they should be.
pub async fn addresses_are_current(tx: &mut Tx, ids: Vec<Uuid>) -> Result<u64, Error> {
    let sql = "WITH x(id) AS (VALUES #) UPDATE persons SET key_stale = FALSE WHERE id IN (SELECT id FROM x)";
    tx.rows(sql, ids.into_iter().map(|id| (id,)).collect()).await
}

// Deletion.

/// Notes that a person asks to be deleted. Asked again, it stays with the first time.
pub async fn ask_deletion(tx: &mut Tx, now: DateTime<Utc>, id: Uuid, due_at: DateTime<Utc>) -> Result<bool, Error> {
    let sql = "UPDATE persons SET deletion_asked_at = $2, deletion_due_at = $3 WHERE id = $1 AND deletion_due_at IS NULL";
    Ok(tx.run(sql, (id, now, due_at)).await? == 1)
}

/// Takes that back, as long as nothing has been done yet. `false` if it is too late, or was never asked.
pub async fn undo_deletion(tx: &mut Tx, now: DateTime<Utc>, id: Uuid) -> Result<bool, Error> {
    let sql = "UPDATE persons SET deletion_asked_at = NULL, deletion_due_at = NULL WHERE id = $1 AND deletion_due_at > $2";
    Ok(tx.run(sql, (id, now)).await? == 1)
}

/// Who is to be deleted now. Whoever still has a session to teach waits for it: the studio has to find somebody else, or to cancel it.
pub async fn deletions_due(tx: &mut Tx, now: DateTime<Utc>, limit: i64) -> Result<Vec<Uuid>, Error> {
    let sql = "SELECT id FROM persons p WHERE deletion_due_at <= $1 AND NOT EXISTS (SELECT 1 FROM sessions s \
               JOIN staff w ON w.studio_id = s.studio_id AND w.person_id = p.id AND w.role = 'instructor' \
               WHERE s.instructor_id = p.id AND s.ends_at > $1 AND s.status <> 'cancelled') ORDER BY deletion_due_at, id LIMIT $2";
    Ok(tx.all::<(Uuid,)>(sql, (now, limit)).await?.into_iter().map(|(id,)| id).collect())
}

/// Takes everything away that says who a person is ([`personal`]). What was booked, paid and counted stays, under an id without a name.
pub async fn make_nameless(tx: &mut Tx, person_id: Uuid, now: DateTime<Utc>) -> Result<(), Error> {
    personal::erase(tx, person_id, now).await?;
    tx.run("UPDATE persons SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL", (person_id, now)).await?;
    let entry = Actor::system().did(Event::of_person(person_id, Happened::PersonDeleted));
    events::log::write(tx, now, vec![entry]).await
}

// What an export tells besides.

/// A studio that knows the person.
#[derive(Clone, Debug, FromRow, serde::Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "as they stand in the export")]
#[schema(as = ExportedMembership)]
pub struct Membership {
    pub studio_id: Uuid,
    pub studio: String,
    /// The name that this studio wrote down.
    pub name: String,
    /// The number that this studio wrote down.
    pub phone: Option<String>,
    /// What its staff noted.
    pub note: Option<String>,
    #[serde(with = "crate::instant")]
    pub joined_at: DateTime<Utc>,
}

/// The studios that know a person.
pub async fn memberships(tx: &mut Tx, person_id: Uuid) -> Result<Vec<Membership>, Error> {
    let sql = "SELECT m.studio_id, s.name AS studio, m.name, m.phone, m.note, m.joined_at FROM members m JOIN studios s ON s.id = m.studio_id \
               WHERE m.person_id = $1 ORDER BY m.joined_at, m.studio_id";
    tx.all(sql, (person_id,)).await
}

/// One of their bookings.
#[derive(Clone, Debug, FromRow, serde::Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "as they stand in the export")]
pub struct ExportedBooking {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub session_id: Uuid,
    #[schema(value_type = Texts)]
    pub class_type: Json<Texts>,
    #[serde(with = "crate::instant")]
    pub starts_at: DateTime<Utc>,
    #[serde(with = "crate::instant")]
    pub ends_at: DateTime<Utc>,
    pub status: String,
    pub pass_id: Option<Uuid>,
    pub credits: i64,
    #[serde(with = "crate::instant")]
    pub created_at: DateTime<Utc>,
    #[serde(with = "crate::instant")]
    pub promoted_at: Option<DateTime<Utc>>,
    #[serde(with = "crate::instant")]
    pub arrived_at: Option<DateTime<Utc>>,
    #[serde(with = "crate::instant")]
    pub ended_at: Option<DateTime<Utc>>,
    pub ended_by: Option<String>,
    pub ended_reason: Option<String>,
    /// Why staff gave the place for nothing.
    pub unpaid_reason: Option<String>,
    /// Why staff moved it up from the waitlist.
    pub moved_up_reason: Option<String>,
    pub credits_returned: i64,
    /// The booking that it was to take over from, and the one that took over from it.
    pub asked_replaces: Option<Uuid>,
    pub replaced_by: Option<Uuid>,
    /// On what terms they wait.
    #[schema(value_type = Option<ConditionsView>)]
    pub conditions: Option<Json<ConditionsView>>,
    /// Who came with them, in this place beside their own.
    pub guest_of: Option<Uuid>,
    pub guest_name: Option<String>,
    pub guest_email: Option<String>,
}

/// All bookings of a person.
pub async fn bookings(tx: &mut Tx, person_id: Uuid) -> Result<Vec<ExportedBooking>, Error> {
    let sql = "SELECT b.id, b.studio_id, b.session_id, c.name AS class_type, b.starts_at, b.ends_at, b.status, b.pass_id, b.credits, \
               b.created_at, b.promoted_at, b.arrived_at, b.ended_at, b.ended_by, b.ended_reason, b.unpaid_reason, b.moved_up_reason, b.credits_returned, \
               b.asked_replaces, b.replaced_by, b.conditions, b.guest_of, b.guest_name, b.guest_email \
               FROM bookings b JOIN sessions s ON s.id = b.session_id JOIN class_types c ON c.id = s.class_type_id \
               WHERE b.person_id = $1 ORDER BY b.created_at, b.id";
    tx.all(sql, (person_id,)).await
}

/// One of their passes.
#[derive(Clone, Debug, FromRow)]
#[allow(missing_docs, reason = "the columns")]
pub struct PassRow {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub name: Json<Texts>,
    pub kind: String,
    pub credits_left: Option<i64>,
    pub per_week: Option<i64>,
    pub expires_on: NaiveDate,
    pub sold_at: DateTime<Utc>,
    pub starts_on: Option<NaiveDate>,
    pub begun_on: Option<NaiveDate>,
    pub frozen_from: Option<NaiveDate>,
    pub frozen_until: Option<NaiveDate>,
    pub ended_at: Option<DateTime<Utc>>,
    pub shared_at: Option<DateTime<Utc>>,
}

/// All passes of a person.
pub async fn passes(tx: &mut Tx, person_id: Uuid) -> Result<Vec<PassRow>, Error> {
    let sql = "SELECT id, studio_id, name, kind, credits_left, per_week, expires_on, sold_at, starts_on, begun_on, frozen_from, \
               frozen_until, ended_at, shared_at FROM passes WHERE person_id = $1 ORDER BY sold_at, id";
    tx.all(sql, (person_id,)).await
}

/// A line of a pass's ledger.
#[derive(Clone, Debug, FromRow, serde::Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "as they stand in the export")]
pub struct ExportedEntry {
    #[serde(skip)]
    pub pass_id: Uuid,
    #[serde(with = "crate::instant")]
    pub at: DateTime<Utc>,
    pub credits: i64,
    pub reason: String,
    pub booking_id: Option<Uuid>,
    pub amount_minor: Option<i64>,
    pub currency: Option<String>,
    pub method: Option<String>,
    pub reference: Option<String>,
    /// Why, as staff wrote it.
    pub note: Option<String>,
}

/// The ledgers of all passes of a person.
pub async fn ledgers(tx: &mut Tx, person_id: Uuid) -> Result<Vec<ExportedEntry>, Error> {
    let sql = "SELECT l.pass_id, l.at, l.credits, l.reason, l.booking_id, l.amount_minor, l.currency, l.method, l.reference, l.note \
               FROM ledger l JOIN passes p ON p.id = l.pass_id WHERE p.person_id = $1 ORDER BY l.at, l.id";
    tx.all(sql, (person_id,)).await
}

/// A letter to the person. One that carries a code has no text here.
#[derive(Clone, Debug, FromRow, serde::Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "as they stand in the export")]
pub struct ExportedLetter {
    pub id: Uuid,
    pub kind: String,
    pub state: String,
    pub to_email: Option<String>,
    pub subject: Option<String>,
    pub body_text: Option<String>,
    pub booking_id: Option<Uuid>,
    #[serde(with = "crate::instant")]
    pub created_at: DateTime<Utc>,
    #[serde(with = "crate::instant")]
    pub sent_at: Option<DateTime<Utc>>,
}

/// All letters to a person that are still kept.
pub async fn letters(tx: &mut Tx, person_id: Uuid) -> Result<Vec<ExportedLetter>, Error> {
    let sql = "SELECT id, kind, state, to_email, subject, \
               CASE WHEN kind IN ('address_code', 'password_code', 'deletion_code', 'invitation') THEN NULL ELSE body_text END AS body_text, \
               booking_id, created_at, sent_at FROM letters WHERE person_id = $1 ORDER BY created_at, id";
    tx.all(sql, (person_id,)).await
}

/// An invitation to a studio's staff that went to the person's address or that they accepted.
#[derive(Clone, Debug, FromRow, serde::Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "as they stand in the export")]
pub struct ExportedInvitation {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub email: String,
    #[schema(value_type = Vec<Role>)]
    pub roles: Json<Vec<Role>>,
    #[serde(with = "crate::instant")]
    pub created_at: DateTime<Utc>,
    #[serde(with = "crate::instant")]
    pub expires_at: DateTime<Utc>,
    #[serde(with = "crate::instant")]
    pub accepted_at: Option<DateTime<Utc>>,
}

/// The invitations of a person.
pub async fn invitations(tx: &mut Tx, person_id: Uuid) -> Result<Vec<ExportedInvitation>, Error> {
    let sql = "SELECT id, studio_id, email, roles, created_at, expires_at, accepted_at FROM invitations WHERE accepted_by = $1 \
               OR email_key IN (SELECT email_key FROM persons WHERE id = $1 AND email_key IS NOT NULL) ORDER BY created_at, id";
    tx.all(sql, (person_id,)).await
}

/// A request for somebody who teaches in the person's place.
#[derive(Clone, Debug, FromRow, serde::Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "as they stand in the export")]
pub struct ExportedSubstituteRequest {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub session_id: Uuid,
    pub note: Option<String>,
    pub state: String,
    #[serde(with = "crate::instant")]
    pub created_at: DateTime<Utc>,
    #[serde(with = "crate::instant")]
    pub ended_at: Option<DateTime<Utc>>,
}

/// The requests that a person made, or that were made for them.
pub async fn substitute_requests(tx: &mut Tx, person_id: Uuid) -> Result<Vec<ExportedSubstituteRequest>, Error> {
    let sql = "SELECT id, studio_id, session_id, note, state, created_at, ended_at FROM substitute_requests WHERE asked_by = $1 \
               ORDER BY created_at, id";
    tx.all(sql, (person_id,)).await
}

/// A session that the person teaches, or taught.
#[derive(Clone, Debug, FromRow, serde::Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "as they stand in the export")]
pub struct ExportedSession {
    pub id: Uuid,
    pub studio_id: Uuid,
    #[schema(value_type = Texts)]
    pub class_type: Json<Texts>,
    #[serde(with = "crate::instant")]
    pub starts_at: DateTime<Utc>,
    #[serde(with = "crate::instant")]
    pub ends_at: DateTime<Utc>,
    pub status: String,
}

/// All sessions that a person teaches or taught.
pub async fn taught(tx: &mut Tx, person_id: Uuid) -> Result<Vec<ExportedSession>, Error> {
    let sql = "SELECT s.id, s.studio_id, c.name AS class_type, s.starts_at, s.ends_at, s.status \
               FROM sessions s JOIN class_types c ON c.id = s.class_type_id WHERE s.instructor_id = $1 ORDER BY s.starts_at, s.id";
    tx.all(sql, (person_id,)).await
}

#[derive(FromRow)]
struct PersonRow {
    id: Uuid,
    name: String,
    locale: Option<Language>,
    has_address: bool,
    verified: bool,
    longer_offers: bool,
    quiet_hours: Option<Json<QuietHours>>,
    #[sqlx(flatten)]
    letters: Switches,
    is_owner: bool,
}

/// People as decisions need them, in no order. Who has left is not among them.
pub async fn among(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Person>, Error> {
    let sql = "SELECT id, name, locale, email IS NOT NULL AS has_address, verified_at IS NOT NULL AS verified, longer_offers, \
               quiet_hours, wants_reminder_24h, wants_reminder_2h, wants_passes_ending, wants_places_free, is_owner \
               FROM persons WHERE deleted_at IS NULL AND id IN #";
    let people: Vec<PersonRow> = tx.among(sql, (), ids).await?;
    let held: Vec<(Uuid, Uuid, Role)> = tx.among("SELECT person_id, studio_id, role FROM staff WHERE person_id IN #", (), ids).await?;
    let mut roles: HashMap<Uuid, Vec<(Uuid, Role)>> = HashMap::new();
    for (person_id, studio_id, role) in held {
        roles.entry(person_id).or_default().push((studio_id, role));
    }
    let person = |row: PersonRow| Person {
        id: row.id,
        name: row.name,
        locale: row.locale,
        has_address: row.has_address,
        verified: row.verified,
        longer_offers: row.longer_offers,
        quiet_hours: row.quiet_hours.map(|Json(own)| own),
        letters: row.letters,
        roles: Roles::new(row.is_owner, roles.remove(&row.id).unwrap_or_default()),
    };
    Ok(people.into_iter().map(person).collect())
}

/// Who is a member of which studio, and whether they came by themselves: (studio, person, came).
pub async fn memberships_of(tx: &mut Tx, people: &[Uuid]) -> Result<Vec<(Uuid, Uuid, bool)>, Error> {
    tx.among("SELECT studio_id, person_id, (given_at IS NOT NULL) AS given FROM members WHERE person_id IN #", (), people).await
}

/// Who runs a studio.
pub async fn admins(tx: &mut Tx, studio_id: Uuid) -> Result<Vec<Uuid>, Error> {
    let sql = "SELECT person_id FROM staff WHERE studio_id = $1 AND role = 'admin' ORDER BY person_id";
    Ok(tx.all::<(Uuid,)>(sql, (studio_id,)).await?.into_iter().map(|(id,)| id).collect())
}

/// New members who came by themselves, under the name that they gave themselves: (studio, person, name, since).
pub async fn add_members(tx: &mut Tx, members: Vec<(Uuid, Uuid, String, DateTime<Utc>)>) -> Result<(), Error> {
    let rows = members
        .into_iter()
        .map(|(studio_id, person_id, name, at)| {
            let key = name_key(&name);
            (studio_id, person_id, name, key, false, at, at)
        })
        .collect();
    let sql = "INSERT INTO members (studio_id, person_id, name, name_search, key_stale, joined_at, given_at) VALUES # \
               ON CONFLICT (studio_id, person_id) DO NOTHING";
    tx.rows(sql, rows).await.map(drop)
}

/// People without a name, who stand for visitors: (id, since).
pub async fn add_nameless(tx: &mut Tx, people: Vec<(Uuid, DateTime<Utc>)>) -> Result<(), Error> {
    let rows = people.into_iter().map(|(id, at)| (id, "", false, at)).collect();
    // The id of somebody who has left stays theirs.
    tx.rows("INSERT INTO persons (id, name, key_stale, created_at) VALUES # ON CONFLICT (id) DO NOTHING", rows).await.map(drop)
}

/// Locks the person until the end of the transaction, so that two of their requests count one after the other. `false`: they have left.
pub async fn lock(tx: &mut Tx, person_id: Uuid) -> Result<bool, Error> {
    let sql = Sql::Each {
        sqlite: "SELECT id FROM persons WHERE id = $1 AND deleted_at IS NULL",
        postgres: "SELECT id FROM persons WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE",
    };
    Ok(tx.maybe::<(Uuid,)>(sql, (person_id,)).await?.is_some())
}
