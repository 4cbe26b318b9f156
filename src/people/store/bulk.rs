//! Many people at once: those of an import, and a studio's for its export.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use crate::db::{Error, Tx};
use crate::language::Language;

/// Somebody new, as the columns of `persons`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the columns of the table")]
pub struct PersonRow {
    pub id: Uuid,
    pub name: String,
    pub email: Option<String>,
    pub email_key: Option<String>,
    pub contact_key: Option<String>,
    pub locale: Option<Language>,
}

/// Enters people, whose addresses nobody has confirmed.
pub async fn insert(tx: &mut Tx, now: DateTime<Utc>, people: Vec<PersonRow>) -> Result<(), Error> {
    let rows = people.into_iter().map(|p| (p.id, p.name, p.email, p.email_key, p.contact_key, false, p.locale, now)).collect();
    let sql = "INSERT INTO persons (id, name, email, email_key, contact_key, key_stale, locale, created_at) VALUES #";
    tx.rows(sql, rows).await.map(drop)
}

/// A new member, as the columns of `members`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the columns of the table")]
pub struct MembershipRow {
    pub person_id: Uuid,
    pub name: String,
    pub name_search: String,
    pub phone: Option<String>,
    pub knows_address: bool,
}

/// Makes people members of a studio, who did not come by themselves.
pub async fn join(tx: &mut Tx, now: DateTime<Utc>, studio_id: Uuid, members: Vec<MembershipRow>) -> Result<(), Error> {
    let rows = members.into_iter().map(|m| (studio_id, m.person_id, m.name, m.name_search, false, m.phone, m.knows_address, now)).collect();
    let sql = "INSERT INTO members (studio_id, person_id, name, name_search, key_stale, phone, knows_address, joined_at) VALUES #";
    tx.rows(sql, rows).await.map(drop)
}

/// Somebody of a studio, member or staff.
#[derive(Clone, Debug, FromRow)]
#[allow(missing_docs, reason = "columns of the tables")]
pub struct OfStudio {
    pub person_id: Uuid,
    /// By the name that this studio wrote down.
    pub name: String,
    /// The key of the address where their letters go, if it is the studio's to know.
    pub address: Option<String>,
    pub phone: Option<String>,
    /// Whether this is a member, and not of the staff alone.
    pub is_member: bool,
}

/// Everybody of a studio.
pub async fn of_studio(tx: &mut Tx, studio_id: Uuid) -> Result<Vec<OfStudio>, Error> {
    let sql = "SELECT p.id AS person_id, COALESCE(m.name, p.name) AS name, m.phone, \
               CASE WHEN m.person_id IS NULL OR m.given_at IS NOT NULL OR m.knows_address THEN COALESCE(p.email_key, p.contact_key) END AS address, \
               (m.person_id IS NOT NULL) AS is_member FROM persons p \
               LEFT JOIN members m ON m.person_id = p.id AND m.studio_id = $1 WHERE p.deleted_at IS NULL AND p.id IN \
               (SELECT person_id FROM members WHERE studio_id = $1 UNION SELECT person_id FROM staff WHERE studio_id = $1)";
    tx.all(sql, (studio_id,)).await
}

/// Who is known by these addresses in the deployment: key, person, name.
pub async fn owners(tx: &mut Tx, keys: &[String]) -> Result<Vec<(String, Uuid, String)>, Error> {
    tx.among("SELECT email_key, id, name FROM persons WHERE email_key IN #", (), keys).await
}
