//! The log of what happened, in the transaction that made it true: numbered per studio in the order of commits, without a gap.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Actor, Event, security};
use crate::db::{Db, Error, Tx};
use crate::ids::new_id;
use crate::security::store as door;

/// Writes events, in their order. The last statement of a transaction except for its letters: from here to the commit, others who write
/// events of the same studio wait, so the numbers follow the order of commits, and a transaction that is rolled back leaves no gap.
pub async fn write(tx: &mut Tx, now: DateTime<Utc>, events: Vec<(Actor, Event)>) -> Result<(), Error> {
    let seen: Vec<_> = events.iter().filter_map(|(actor, event)| security::follows(actor, event)).collect();
    if !seen.is_empty() {
        door::write(tx, now, seen).await?;
    }
    let mut counts: BTreeMap<Uuid, i64> = BTreeMap::new();
    for studio_id in events.iter().filter_map(|(_, event)| event.studio_id) {
        *counts.entry(studio_id).or_default() += 1;
    }
    let mut next: BTreeMap<Uuid, i64> = BTreeMap::new();
    for (studio_id, count) in counts {
        let sql = "INSERT INTO event_numbers (studio_id, last) VALUES ($1, $2) \
                   ON CONFLICT (studio_id) DO UPDATE SET last = event_numbers.last + excluded.last RETURNING last";
        let (last,): (i64,) = tx.one(sql, (studio_id, count)).await?;
        next.insert(studio_id, last - count + 1);
    }
    let mut rows = Vec::with_capacity(events.len());
    for (actor, event) in events {
        let (action, details) = told(&event)?;
        let number = event.studio_id.and_then(|studio_id| next.get_mut(&studio_id)).map(|next| {
            *next += 1;
            *next - 1
        });
        let Event { studio_id, subject, subject_id, .. } = event;
        rows.push((
            new_id(now),
            now,
            actor.person_id,
            action,
            subject.as_str(),
            subject_id,
            studio_id,
            number,
            actor.request_id,
            details.map(Json),
        ));
    }
    let sql = "INSERT INTO events (id, at, actor_id, action, subject_kind, subject_id, studio_id, number, request_id, details) VALUES #";
    tx.rows(sql, rows).await.map(drop)
}

/// The number of the last event of a studio, 0 before the first: as long as it is the same, nothing has happened there.
pub async fn last(db: &Db, studio_id: Uuid) -> Result<i64, Error> {
    let last: Option<(i64,)> = db.maybe("SELECT last FROM event_numbers WHERE studio_id = $1", (studio_id,)).await?;
    Ok(last.map_or(0, |(last,)| last))
}

/// What the log says of one thing: when, what, with which details, and who did it.
#[derive(Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "columns")]
pub struct Logged {
    pub at: DateTime<Utc>,
    pub action: String,
    pub details: Option<Json<Value>>,
    /// The name of whoever did it; `None`: nobody, or somebody who is forgotten.
    pub who: Option<String>,
}

/// What happened to one thing of a studio, the latest first.
pub async fn of_subject(db: &Db, studio_id: Uuid, subject_id: Uuid, count_max: i64) -> Result<Vec<Logged>, Error> {
    let sql = "SELECT e.at, e.action, e.details, p.name AS who FROM events e LEFT JOIN persons p ON p.id = e.actor_id \
               WHERE e.subject_id = $1 AND e.studio_id = $2 ORDER BY e.at DESC, e.number DESC LIMIT $3";
    db.all(sql, (subject_id, studio_id, count_max)).await
}

/// An event as the log stores it: its name, and the details that must be known later.
fn told(event: &Event) -> Result<(String, Option<Value>), Error> {
    let written = serde_json::to_value(&event.what).map_err(|_| Error::nonsense("an event"))?;
    let Value::Object(mut written) = written else { return Err(Error::nonsense("an event")) };
    let Some(Value::String(action)) = written.remove("action") else { return Err(Error::nonsense("an event's name")) };
    Ok((action, written.remove("details")))
}
