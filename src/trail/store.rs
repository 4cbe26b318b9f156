//! The log of events as its readers ask for it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db::{Error, Tx};
use crate::language::Texts;

/// An event of a studio, as it was written.
#[derive(Clone, Debug, FromRow)]
#[allow(missing_docs, reason = "columns of the log")]
pub struct EventRow {
    pub id: Uuid,
    pub number: i64,
    pub at: DateTime<Utc>,
    pub actor_id: Option<Uuid>,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: Option<Uuid>,
    pub details: Option<Json<Value>>,
}

/// Which events are looked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// From this instant to before that one.
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    /// Only those before this one.
    pub before: Option<(DateTime<Utc>, i64)>,
    /// Only these actions; all, if it is empty.
    pub actions: Vec<&'static str>,
    /// What this person did, and what was done to them, their bookings and their passes.
    pub person: Option<Uuid>,
}

/// The columns and the order of a page; whose events stands between. The actions that are looked for come as one text, each between two bars:
/// so the statement is the same for one and for thirty.
macro_rules! events {
    ($whose:literal) => {
        concat!(
            "SELECT id, number, at, actor_id, action, subject_kind, subject_id, details FROM events \
             WHERE studio_id = $1 AND at >= $2 AND at < $3 AND (at, number) < ($4, $5) AND ($6 = '' OR $6 LIKE '%|' || action || '|%')",
            $whose,
            " ORDER BY at DESC, number DESC LIMIT $7"
        )
    };
}

/// The events of a studio, the newest first.
pub async fn of_studio(tx: &mut Tx, studio_id: Uuid, wanted: &Wanted, limit: i64) -> Result<Vec<EventRow>, Error> {
    let (at, number) = wanted.before.unwrap_or((wanted.to, i64::MAX));
    let actions = if wanted.actions.is_empty() { String::new() } else { format!("|{}|", wanted.actions.join("|")) };
    match wanted.person {
        None => tx.all(events!(""), (studio_id, wanted.from, wanted.to, at, number, actions, limit)).await,
        Some(person_id) => {
            let sql = events!(
                " AND (actor_id = $8 OR subject_id = $8 \
                 OR subject_id IN (SELECT id FROM bookings WHERE person_id = $8 AND studio_id = $1) \
                 OR subject_id IN (SELECT id FROM passes WHERE person_id = $8 AND studio_id = $1))"
            );
            tx.all(sql, (studio_id, wanted.from, wanted.to, at, number, actions, limit, person_id)).await
        }
    }
}

/// What something is called by now, and whose it is.
#[derive(Clone, Debug, Default)]
pub struct Called {
    pub id: Uuid,
    /// A name, or a class with its start.
    pub name: Option<Texts>,
    pub starts_at: Option<DateTime<Utc>>,
    /// Whose booking or pass it is.
    pub person_id: Option<Uuid>,
}

/// Which bookings these are.
pub async fn bookings(tx: &mut Tx, studio_id: Uuid, ids: &[Uuid]) -> Result<Vec<Called>, Error> {
    let sql = "SELECT b.id, c.name, b.starts_at, b.person_id FROM bookings b JOIN sessions s ON s.id = b.session_id \
               JOIN class_types c ON c.id = s.class_type_id WHERE b.studio_id = $1 AND b.id IN #";
    let rows: Vec<(Uuid, Json<Texts>, DateTime<Utc>, Uuid)> = tx.among(sql, (studio_id,), ids).await?;
    let one = |(id, Json(name), at, person): (_, _, _, _)| Called { id, name: Some(name), starts_at: Some(at), person_id: Some(person) };
    Ok(rows.into_iter().map(one).collect())
}

/// Which sessions these are.
pub async fn sessions(tx: &mut Tx, studio_id: Uuid, ids: &[Uuid]) -> Result<Vec<Called>, Error> {
    let sql = "SELECT s.id, c.name, s.starts_at FROM sessions s JOIN class_types c ON c.id = s.class_type_id \
               WHERE s.studio_id = $1 AND s.id IN #";
    let rows: Vec<(Uuid, Json<Texts>, DateTime<Utc>)> = tx.among(sql, (studio_id,), ids).await?;
    Ok(rows.into_iter().map(|(id, Json(name), at)| Called { id, name: Some(name), starts_at: Some(at), person_id: None }).collect())
}

/// Which passes these are.
pub async fn passes(tx: &mut Tx, studio_id: Uuid, ids: &[Uuid]) -> Result<Vec<Called>, Error> {
    let sql = "SELECT id, name, person_id FROM passes WHERE studio_id = $1 AND id IN #";
    let rows: Vec<(Uuid, Json<Texts>, Uuid)> = tx.among(sql, (studio_id,), ids).await?;
    Ok(rows.into_iter().map(|(id, Json(name), person)| Called { id, name: Some(name), starts_at: None, person_id: Some(person) }).collect())
}

/// Which of the studio's class types and pass types these are.
pub async fn types(tx: &mut Tx, studio_id: Uuid, ids: &[Uuid]) -> Result<Vec<Called>, Error> {
    let sql = "SELECT x.id, x.name FROM (SELECT id, name, studio_id FROM class_types UNION ALL SELECT id, name, studio_id FROM pass_types) x \
               WHERE x.studio_id = $1 AND x.id IN #";
    let rows: Vec<(Uuid, Json<Texts>)> = tx.among(sql, (studio_id,), ids).await?;
    Ok(rows.into_iter().map(|(id, Json(name))| Called { id, name: Some(name), ..Called::default() }).collect())
}

/// Which of the studio's rooms and devices at the door these are.
pub async fn rooms(tx: &mut Tx, studio_id: Uuid, ids: &[Uuid]) -> Result<Vec<Called>, Error> {
    let sql = "SELECT x.id, x.name FROM (SELECT id, name, studio_id FROM rooms UNION ALL SELECT id, name, studio_id FROM kiosks) x \
               WHERE x.studio_id = $1 AND x.id IN #";
    let rows: Vec<(Uuid, String)> = tx.among(sql, (studio_id,), ids).await?;
    let text = |en: String| Some(Texts { en, zh_hans: None, zh_hant: None });
    Ok(rows.into_iter().map(|(id, name)| Called { id, name: text(name), ..Called::default() }).collect())
}
