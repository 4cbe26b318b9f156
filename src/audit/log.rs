//! The audit log. Ids only: no names, no addresses.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db::{Error, Tx};
use crate::ids::new_id;

/// One line of the audit log.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Who; `None` for the house itself (a sweep, the command line).
    pub actor_id: Option<Uuid>,
    /// What: `booking.booked`, `session.cancelled`.
    pub action: &'static str,
    /// On which kind of thing.
    pub subject_kind: &'static str,
    /// On which one.
    pub subject_id: Option<Uuid>,
    /// In which studio.
    pub studio_id: Option<Uuid>,
    /// From which request.
    pub request_id: Option<String>,
    /// What else must be known later.
    pub details: Option<Value>,
}

/// What is known of a change before its subject: who, from which request.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// Who; `None` for the house itself.
    pub actor_id: Option<Uuid>,
    /// From which request.
    pub request_id: Option<String>,
}

impl Origin {
    /// The line that says: this actor did `action` to this thing.
    pub fn of(&self, action: &'static str, subject_kind: &'static str, subject_id: Uuid, studio_id: Option<Uuid>) -> Entry {
        Entry {
            actor_id: self.actor_id,
            action,
            subject_kind,
            subject_id: Some(subject_id),
            studio_id,
            request_id: self.request_id.clone(),
            details: None,
        }
    }
}

impl Entry {
    /// With what else must be known later.
    #[must_use]
    pub fn with(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }
}

/// Writes the lines in the transaction of the change.
pub async fn write(tx: &mut Tx, now: DateTime<Utc>, entries: Vec<Entry>) -> Result<(), Error> {
    let rows = entries
        .into_iter()
        .map(|entry| {
            (
                new_id(now),
                now,
                entry.actor_id,
                entry.action,
                entry.subject_kind,
                entry.subject_id,
                entry.studio_id,
                entry.request_id,
                entry.details.map(Json),
            )
        })
        .collect();
    let sql = "INSERT INTO audit_log (id, at, actor_id, action, subject_kind, subject_id, studio_id, request_id, details) VALUES #";
    tx.rows(sql, rows).await.map(drop)
}
