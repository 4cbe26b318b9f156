//! SQL of the demo: what a database holds, and the people, set by set.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::plan::DemoPerson;
use crate::db::{Db, Error, Sql, Tx};
use crate::running::store::{self as facts, DEMO};
use crate::search::name_key;

/// What a database holds, as far as a demo needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Nothing, or the tables alone.
    Nothing,
    /// A demo.
    Demo,
    /// Something else, which is none of the demo's business.
    SomethingElse,
}

/// What the database holds. Nothing is written, not even the schema.
pub async fn holds(db: &Db) -> Result<Holds, Error> {
    let tables = Sql::Each {
        sqlite: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'",
        postgres: "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = ANY (current_schemas(false))",
    };
    let tables: Vec<(String,)> = db.all(tables, ()).await?;
    let has = |name: &str| tables.iter().any(|(table,)| table == name);
    if tables.iter().all(|(table,)| table == "_sqlx_migrations") {
        return Ok(Holds::Nothing);
    }
    if has("house_facts") && facts::fact(db, DEMO).await?.is_some() {
        return Ok(Holds::Demo);
    }
    if !has("_sqlx_migrations") || !has("persons") || !has("studios") {
        return Ok(Holds::SomethingElse);
    }
    let sql = "SELECT (SELECT COUNT(*) FROM persons) + (SELECT COUNT(*) FROM studios)";
    let (rows,): (i64,) = db.one(sql, ()).await?;
    Ok(if rows == 0 { Holds::Nothing } else { Holds::SomethingElse })
}

/// Empties a demo's PostgreSQL database: every table that depends on people and studios, and those that depend on nothing.
pub async fn empty(tx: &mut Tx) -> Result<(), Error> {
    let sql = Sql::Each {
        sqlite: "DELETE FROM house_facts WHERE FALSE",
        postgres: "TRUNCATE persons, studios, letters, codes, events, event_numbers, security_events, house_facts CASCADE",
    };
    tx.run(sql, ()).await.map(drop)
}

/// People with their accounts, and where they are members.
pub async fn add_people(tx: &mut Tx, people: &[DemoPerson], password_hash: &str) -> Result<(), Error> {
    let rows = people
        .iter()
        .map(|p| (p.id, p.name.clone(), p.email.clone(), p.email.clone(), false, p.phone.clone(), p.locale, p.since, p.is_owner, p.since))
        .collect();
    tx.rows("INSERT INTO persons (id, name, email, email_key, key_stale, phone, locale, verified_at, is_owner, created_at) VALUES #", rows)
        .await?;
    let rows = people
        .iter()
        .map(|p| (p.id, p.email.clone(), p.email.clone(), false, password_hash.to_owned(), p.since, "demo", p.since, p.since))
        .collect();
    let sql = "INSERT INTO accounts (person_id, email, email_key, key_stale, password_hash, verified_at, policy_version, policy_accepted_at, \
               created_at) VALUES #";
    tx.rows(sql, rows).await?;
    let members = people.iter().flat_map(|p| p.member_of.iter().map(move |studio| (p, *studio)));
    let rows = members.map(|(p, studio)| (studio, p.id, p.name.clone(), name_key(&p.name), false, p.since, p.since)).collect();
    tx.rows("INSERT INTO members (studio_id, person_id, name, name_search, key_stale, joined_at, given_at) VALUES #", rows).await.map(drop)
}

/// Who works where: studio, person, role, since when.
pub async fn add_staff(tx: &mut Tx, staff: Vec<(Uuid, Uuid, &'static str, DateTime<Utc>)>) -> Result<(), Error> {
    tx.rows("INSERT INTO staff (studio_id, person_id, role, since) VALUES #", staff).await.map(drop)
}

/// A time in which a room and an instructor are taken.
#[derive(Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns of the table")]
pub struct Taken {
    pub id: Uuid,
    pub room_id: Uuid,
    pub instructor_id: Uuid,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
}

/// Every session that starts after this instant, cancelled ones too.
pub async fn sessions_since(tx: &mut Tx, since: DateTime<Utc>) -> Result<Vec<Taken>, Error> {
    tx.all("SELECT id, room_id, instructor_id, starts_at, ends_at FROM sessions WHERE starts_at > $1", (since,)).await
}
