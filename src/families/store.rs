//! SQL of families.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{FamilyKind, Link};
use crate::db::{Db, Error, Tx};

/// Whether somebody acts for another.
pub async fn acts_for(db: &Db, holder_id: Uuid, person_id: Uuid) -> Result<bool, Error> {
    let sql = "SELECT id FROM family_links WHERE holder_id = $1 AND person_id = $2";
    Ok(db.maybe::<(Uuid,)>(sql, (holder_id, person_id)).await?.is_some())
}

/// For whom these people act, and who acts for them: (holder, person, whether the holder gets copies of letters).
pub async fn among(tx: &mut Tx, people: &[Uuid]) -> Result<Vec<(Uuid, Uuid, bool)>, Error> {
    let sql = "SELECT holder_id, person_id, copies FROM family_links WHERE person_id IS NOT NULL AND holder_id IN #";
    let mut found: Vec<(Uuid, Uuid, bool)> = tx.among(sql, (), people).await?;
    let sql = "SELECT holder_id, person_id, copies FROM family_links WHERE person_id IS NOT NULL AND person_id IN #";
    found.extend(tx.among::<(Uuid, Uuid, bool), _>(sql, (), people).await?);
    Ok(found)
}

/// For whom somebody acts, or would.
pub async fn held(db: &Db, holder_id: Uuid) -> Result<Vec<Link>, Error> {
    let sql = "SELECT f.id, f.kind, f.person_id, p.name, f.email, f.made_at, f.confirmed_at, f.copies FROM family_links f \
               LEFT JOIN persons p ON p.id = f.person_id WHERE f.holder_id = $1 ORDER BY f.id";
    db.all(sql, (holder_id,)).await
}

/// Who acts for somebody.
pub async fn holders(db: &Db, person_id: Uuid) -> Result<Vec<Link>, Error> {
    let sql = "SELECT f.id, f.kind, f.holder_id AS person_id, p.name, f.email, f.made_at, f.confirmed_at, f.copies FROM family_links f \
               JOIN persons p ON p.id = f.holder_id WHERE f.person_id = $1 ORDER BY f.id";
    db.all(sql, (person_id,)).await
}

/// Who would act for somebody, and asks their confirmed address since then. Of those who ask only the name is told.
pub async fn asking(db: &Db, person_id: Uuid, since: DateTime<Utc>, limit: i64) -> Result<Vec<Link>, Error> {
    let sql = "SELECT f.id, f.kind, f.person_id, p.name, f.email, f.made_at, f.confirmed_at, f.copies FROM family_links f \
               JOIN persons p ON p.id = f.holder_id JOIN persons own ON own.email_key = f.email_key \
               WHERE own.id = $1 AND own.verified_at IS NOT NULL AND f.holder_id <> $1 AND f.made_at > $2 ORDER BY f.id DESC LIMIT $3";
    db.all(sql, (person_id, since, limit)).await
}

/// Whether a studio knows somebody as its member.
pub async fn is_member(tx: &mut Tx, studio_id: Uuid, person_id: Uuid) -> Result<bool, Error> {
    let sql = "SELECT person_id FROM members WHERE studio_id = $1 AND person_id = $2";
    Ok(tx.maybe::<(Uuid,)>(sql, (studio_id, person_id)).await?.is_some())
}

/// A link that somebody holds.
pub async fn one(tx: &mut Tx, id: Uuid, holder_id: Uuid) -> Result<Option<Link>, Error> {
    let sql = "SELECT f.id, f.kind, f.person_id, p.name, f.email, f.made_at, f.confirmed_at, f.copies FROM family_links f \
               LEFT JOIN persons p ON p.id = f.person_id WHERE f.id = $1 AND f.holder_id = $2";
    tx.maybe(sql, (id, holder_id)).await
}

/// The link by which somebody asks this address.
pub async fn asked(tx: &mut Tx, holder_id: Uuid, email_key: &str) -> Result<Option<(Uuid,)>, Error> {
    tx.maybe("SELECT id FROM family_links WHERE holder_id = $1 AND email_key = $2", (holder_id, email_key)).await
}

/// How many links somebody holds.
pub async fn count(tx: &mut Tx, holder_id: Uuid) -> Result<i64, Error> {
    let (count,): (i64,) = tx.one("SELECT COUNT(*) FROM family_links WHERE holder_id = $1", (holder_id,)).await?;
    Ok(count)
}

/// Asks an address: it gives no right.
pub async fn ask(tx: &mut Tx, id: Uuid, holder_id: Uuid, kind: FamilyKind, email: (&str, String), now: DateTime<Utc>) -> Result<(), Error> {
    let sql = "INSERT INTO family_links (id, holder_id, kind, email, email_key, made_at) VALUES ($1, $2, $3, $4, $5, $6)";
    tx.run(sql, (id, holder_id, kind, email.0, email.1, now)).await.map(drop)
}

/// Somebody answers for a person without an account.
pub async fn answer_for(
    tx: &mut Tx,
    id: Uuid,
    holder_id: Uuid,
    kind: FamilyKind,
    person_id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let sql = "INSERT INTO family_links (id, holder_id, kind, person_id, made_at, confirmed_at) VALUES ($1, $2, $3, $4, $5, $5)";
    tx.run(sql, (id, holder_id, kind, person_id, now)).await.map(drop)
}

/// Whoever reads the address that was asked since then confirms it. `false`: there is nothing that they could confirm.
pub async fn confirm(tx: &mut Tx, id: Uuid, person_id: Uuid, since: DateTime<Utc>, now: DateTime<Utc>) -> Result<bool, Error> {
    let sql = "UPDATE family_links SET person_id = $2, confirmed_at = $3, email = NULL, email_key = NULL \
               WHERE id = $1 AND person_id IS NULL AND holder_id <> $2 AND made_at > $4 \
               AND email_key IN (SELECT email_key FROM persons WHERE id = $2 AND verified_at IS NOT NULL) \
               AND NOT EXISTS (SELECT 1 FROM family_links o WHERE o.holder_id = family_links.holder_id AND o.person_id = $2)";
    Ok(tx.run(sql, (id, person_id, now, since)).await? == 1)
}

/// A link of which somebody is the other: confirmed.
pub async fn confirmed(tx: &mut Tx, id: Uuid, person_id: Uuid) -> Result<Option<Link>, Error> {
    let sql = "SELECT f.id, f.kind, f.holder_id AS person_id, p.name, f.email, f.made_at, f.confirmed_at, f.copies FROM family_links f \
               JOIN persons p ON p.id = f.holder_id WHERE f.id = $1 AND f.person_id = $2";
    tx.maybe(sql, (id, person_id)).await
}

/// Whether the holder of a link also gets the letters about what they book. `false`: they hold no such link.
pub async fn set_copies(tx: &mut Tx, id: Uuid, holder_id: Uuid, copies: bool) -> Result<bool, Error> {
    let sql = "UPDATE family_links SET copies = $3 WHERE id = $1 AND holder_id = $2";
    Ok(tx.run(sql, (id, holder_id, copies)).await? == 1)
}

/// Ends a link, by either of its two, or by who is asked. `false`: there is none of theirs.
pub async fn end(tx: &mut Tx, id: Uuid, person_id: Uuid) -> Result<bool, Error> {
    let sql = "DELETE FROM family_links WHERE id = $1 AND (holder_id = $2 OR person_id = $2 \
               OR email_key IN (SELECT email_key FROM persons WHERE id = $2 AND verified_at IS NOT NULL))";
    Ok(tx.run(sql, (id, person_id)).await? == 1)
}

/// Forgets addresses that were asked before, and did not answer.
pub async fn forget_asked(tx: &mut Tx, before: DateTime<Utc>) -> Result<u64, Error> {
    tx.run("DELETE FROM family_links WHERE person_id IS NULL AND made_at <= $1", (before,)).await
}

/// A link as a person's export tells it.
#[derive(Clone, Debug, sqlx::FromRow, serde::Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "as they stand in the export")]
pub struct ExportedLink {
    pub id: Uuid,
    /// Who acts …
    pub holder_id: Uuid,
    /// … for whom; null: only an address was asked.
    pub person_id: Option<Uuid>,
    pub email: Option<String>,
    pub kind: FamilyKind,
    #[serde(with = "crate::instant")]
    pub made_at: DateTime<Utc>,
    #[serde(with = "crate::instant")]
    pub confirmed_at: Option<DateTime<Utc>>,
    /// Whether who acts also gets the letters about what they booked.
    pub copies: bool,
}

/// All links of a person, and those by which their address was asked.
pub async fn exported(tx: &mut Tx, person_id: Uuid) -> Result<Vec<ExportedLink>, Error> {
    let sql = "SELECT id, holder_id, person_id, email, kind, made_at, confirmed_at, copies FROM family_links WHERE holder_id = $1 OR person_id = $1 \
               OR email_key IN (SELECT email_key FROM persons WHERE id = $1 AND verified_at IS NOT NULL) ORDER BY id";
    tx.all(sql, (person_id,)).await
}
