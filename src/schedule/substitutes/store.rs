//! Requests for substitutes, and what instructors teach and when, in the database.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Candidate, Exception, ExportedAvailability, Hours, RequestState, SubstituteRequest};
use crate::db::{Db, Error, Tx, Wide};

/// These requests, in no order.
pub async fn by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<SubstituteRequest>, Error> {
    let sql = "SELECT id, studio_id, session_id, asked_by, note, state, claimed_by, claimed_at, due_at, told_admins_at, created_at, \
               ended_at FROM substitute_requests WHERE id IN #";
    tx.among(sql, (), ids).await
}

/// The requests about these sessions that wait for somebody; a session has one at most.
pub async fn pending(tx: &mut Tx, session_ids: &[Uuid]) -> Result<Vec<SubstituteRequest>, Error> {
    let sql = "SELECT id, studio_id, session_id, asked_by, note, state, claimed_by, claimed_at, due_at, told_admins_at, created_at, \
               ended_at FROM substitute_requests WHERE ended_at IS NULL AND session_id IN #";
    tx.among(sql, (), session_ids).await
}

/// Requests with a step due: to the admins, or their end.
pub async fn due(tx: &mut Tx, now: DateTime<Utc>, count_max: i64) -> Result<Vec<(Uuid,)>, Error> {
    tx.all("SELECT id FROM substitute_requests WHERE due_at <= $1 ORDER BY due_at LIMIT $2", (now, count_max)).await
}

pub async fn one(db: &Db, id: Uuid) -> Result<Option<SubstituteRequest>, Error> {
    let sql = "SELECT id, studio_id, session_id, asked_by, note, state, claimed_by, claimed_at, due_at, told_admins_at, created_at, \
               ended_at FROM substitute_requests WHERE id = $1";
    db.maybe(sql, (id,)).await
}

/// The requests of a studio, the latest first; with `state` only those.
pub async fn of_studio(
    db: &Db,
    studio_id: Uuid,
    state: Option<RequestState>,
    before: Option<Uuid>,
    count_max: i64,
) -> Result<Vec<SubstituteRequest>, Error> {
    let sql = "SELECT id, studio_id, session_id, asked_by, note, state, claimed_by, claimed_at, due_at, told_admins_at, created_at, \
               ended_at FROM substitute_requests WHERE studio_id = $1 AND ($2 IS NULL OR state = $2) AND id < $3 \
               ORDER BY id DESC LIMIT $4";
    db.all(sql, (studio_id, state, before.unwrap_or(Uuid::max()), count_max)).await
}

/// What this person asked for, and pending requests in studios where they teach, for times when they are free, soonest first.
pub async fn for_person(db: &Db, person_id: Uuid, now: DateTime<Utc>, count_max: i64) -> Result<Vec<SubstituteRequest>, Error> {
    let sql = "SELECT r.id, r.studio_id, r.session_id, r.asked_by, r.note, r.state, r.claimed_by, r.claimed_at, r.due_at, \
               r.told_admins_at, r.created_at, r.ended_at FROM substitute_requests r JOIN sessions s ON s.id = r.session_id \
               WHERE r.ended_at IS NULL AND s.starts_at > $2 \
               AND EXISTS (SELECT 1 FROM staff w WHERE w.studio_id = r.studio_id AND w.person_id = $1 AND w.role = 'instructor') \
               AND (r.asked_by = $1 OR r.claimed_by = $1 OR (r.state = 'open' AND NOT EXISTS (SELECT 1 FROM sessions o WHERE o.instructor_id = $1 AND o.status <> 'cancelled' AND o.id <> s.id \
               AND o.starts_at < s.ends_at AND o.ends_at > s.starts_at))) ORDER BY s.starts_at, r.id LIMIT $3";
    db.all(sql, (person_id, now, count_max)).await
}

/// The requests about these sessions that wait for somebody: session and request.
pub async fn pending_of(db: &Db, session_ids: &[Uuid]) -> Result<Vec<(Uuid, Uuid, RequestState)>, Error> {
    db.among("SELECT session_id, id, state FROM substitute_requests WHERE ended_at IS NULL AND session_id IN #", (), session_ids).await
}

/// The requests that there ever were for a session, the latest first.
pub async fn of_session(db: &Db, (studio_id, session_id): (Uuid, Uuid), count_max: i64) -> Result<Vec<(Uuid,)>, Error> {
    let sql = "SELECT id FROM substitute_requests WHERE studio_id = $1 AND session_id = $2 ORDER BY id DESC LIMIT $3";
    db.all(sql, (studio_id, session_id, count_max)).await
}

/// Writes requests that are new.
pub async fn insert(tx: &mut Tx, requests: Vec<&SubstituteRequest>) -> Result<(), Error> {
    let rows = requests.into_iter().map(|r| {
        Wide((
            (r.id, r.studio_id, r.session_id, r.asked_by, r.note.clone(), r.state, r.claimed_by),
            (r.claimed_at, r.due_at, r.told_admins_at, r.created_at, r.ended_at),
        ))
    });
    let sql = "INSERT INTO substitute_requests (id, studio_id, session_id, asked_by, note, state, claimed_by, claimed_at, due_at, \
               told_admins_at, created_at, ended_at) VALUES #";
    tx.rows(sql, rows.collect()).await.map(drop)
}

/// Writes requests as the transactor left them.
pub async fn update(tx: &mut Tx, requests: Vec<&SubstituteRequest>) -> Result<(), Error> {
    for r in requests {
        let sql = "UPDATE substitute_requests SET state = $2, claimed_by = $3, claimed_at = $4, due_at = $5, told_admins_at = $6, \
                   ended_at = $7 WHERE id = $1";
        tx.run(sql, (r.id, r.state, r.claimed_by, r.claimed_at, r.due_at, r.told_admins_at, r.ended_at)).await?;
    }
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Stated {
    studio_id: Uuid,
    person_id: Uuid,
    weekly: Json<Vec<Hours>>,
    exceptions: Json<Vec<Exception>>,
}

/// What the instructors of a studio state, by person; those who stated nothing are left out.
pub async fn candidates(tx: &mut Tx, studio_id: Uuid) -> Result<Vec<Candidate>, Error> {
    let sql = "SELECT t.person_id, t.class_type_id FROM teaches t JOIN staff w ON w.studio_id = t.studio_id AND w.person_id = t.person_id \
               AND w.role = 'instructor' WHERE t.studio_id = $1 ORDER BY t.person_id, t.class_type_id";
    let taught: Vec<(Uuid, Uuid)> = tx.all(sql, (studio_id,)).await?;
    let sql = "SELECT studio_id, person_id, weekly, exceptions FROM availability WHERE studio_id = $1";
    let stated: Vec<Stated> = tx.all(sql, (studio_id,)).await?;
    let mut found: BTreeMap<Uuid, Candidate> = BTreeMap::new();
    for (person_id, class_type_id) in taught {
        let new = || Candidate { person_id, ..Candidate::default() };
        found.entry(person_id).or_insert_with(new).teaches.push(class_type_id);
    }
    for row in stated {
        if let Some(candidate) = found.get_mut(&row.person_id) {
            (candidate.weekly, candidate.exceptions) = (row.weekly.0, row.exceptions.0);
        }
    }
    Ok(found.into_values().collect())
}

/// What one instructor states in a studio.
pub async fn stated(db: &Db, studio_id: Uuid, person_id: Uuid) -> Result<Candidate, Error> {
    let sql = "SELECT class_type_id FROM teaches WHERE studio_id = $1 AND person_id = $2 ORDER BY class_type_id";
    let teaches: Vec<(Uuid,)> = db.all(sql, (studio_id, person_id)).await?;
    let sql = "SELECT studio_id, person_id, weekly, exceptions FROM availability WHERE studio_id = $1 AND person_id = $2";
    let stated: Option<Stated> = db.maybe(sql, (studio_id, person_id)).await?;
    let (weekly, exceptions) = stated.map(|row| (row.weekly.0, row.exceptions.0)).unwrap_or_default();
    Ok(Candidate { person_id, teaches: teaches.into_iter().map(|(id,)| id).collect(), weekly, exceptions })
}

/// Writes what an instructor states. `false`: one of the class types is not the studio's, and nothing was written.
pub async fn state(tx: &mut Tx, studio_id: Uuid, candidate: &Candidate, now: DateTime<Utc>) -> Result<bool, Error> {
    let sql = "SELECT id FROM class_types WHERE studio_id = $1 AND id IN #";
    let known: Vec<(Uuid,)> = tx.among(sql, (studio_id,), &candidate.teaches).await?;
    if known.len() < candidate.teaches.len() {
        return Ok(false);
    }
    let person_id = candidate.person_id;
    tx.run("DELETE FROM teaches WHERE studio_id = $1 AND person_id = $2", (studio_id, person_id)).await?;
    let rows = candidate.teaches.iter().map(|class_type_id| (studio_id, person_id, *class_type_id)).collect();
    tx.rows("INSERT INTO teaches (studio_id, person_id, class_type_id) VALUES #", rows).await?;
    let sql = "INSERT INTO availability (studio_id, person_id, weekly, exceptions, updated_at) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (studio_id, person_id) DO UPDATE SET weekly = excluded.weekly, exceptions = excluded.exceptions, \
               version = availability.version + 1, updated_at = excluded.updated_at";
    tx.run(sql, (studio_id, person_id, Json(candidate.weekly.clone()), Json(candidate.exceptions.clone()), now)).await?;
    Ok(true)
}

/// What a person states, in every studio.
pub async fn exported(tx: &mut Tx, person_id: Uuid) -> Result<Vec<ExportedAvailability>, Error> {
    let sql = "SELECT studio_id, person_id, weekly, exceptions FROM availability WHERE person_id = $1 ORDER BY studio_id";
    let stated: Vec<Stated> = tx.all(sql, (person_id,)).await?;
    let sql = "SELECT studio_id, class_type_id FROM teaches WHERE person_id = $1 ORDER BY class_type_id";
    let taught: Vec<(Uuid, Uuid)> = tx.all(sql, (person_id,)).await?;
    let of = |studio_id| taught.iter().filter(move |(studio, _)| *studio == studio_id).map(|(_, class_type)| *class_type).collect();
    let exported = stated.into_iter().map(|row| ExportedAvailability {
        studio_id: row.studio_id,
        teaches: of(row.studio_id),
        weekly: row.weekly.0,
        exceptions: row.exceptions.0,
    });
    Ok(exported.collect())
}
