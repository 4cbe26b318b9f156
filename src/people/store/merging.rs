//! Everything that is one person's becomes another's.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::{Db, Error, Tx};

/// Whether this was done before, with a member of this studio.
pub async fn is_merged(db: &Db, studio_id: Uuid, from: Uuid, into: Uuid) -> Result<bool, Error> {
    let sql = "SELECT p.id FROM persons p JOIN members m ON m.person_id = p.merged_into AND m.studio_id = $1 \
               WHERE p.id = $2 AND p.merged_into = $3";
    Ok(db.maybe::<(Uuid,)>(sql, (studio_id, from, into)).await?.is_some())
}

/// What moves, each with a statement in which `$1` is whose it was and `$2` whose it is.
const MOVES: [&str; 12] = [
    "UPDATE bookings SET person_id = $2 WHERE person_id = $1",
    "UPDATE bookings SET asked_by = $2 WHERE asked_by = $1",
    "UPDATE passes SET person_id = $2 WHERE person_id = $1",
    "UPDATE penalties SET person_id = $2 WHERE person_id = $1",
    "UPDATE letters SET person_id = $2 WHERE person_id = $1",
    "INSERT INTO turn_aways (session_id, person_id, on_date, at) SELECT session_id, $2, on_date, at FROM turn_aways WHERE person_id = $1 \
     ON CONFLICT DO NOTHING",
    "UPDATE brought_over SET row_id = $2 WHERE row_id = $1",
    // Of a family each link stands once, and nobody acts for themselves.
    "DELETE FROM family_links WHERE (holder_id = $1 AND person_id IN (SELECT $2 UNION SELECT o.person_id FROM family_links o WHERE o.holder_id = $2 AND o.person_id IS NOT NULL)) \
     OR (person_id = $1 AND holder_id IN (SELECT $2 UNION SELECT o.holder_id FROM family_links o WHERE o.person_id = $2))",
    "UPDATE family_links SET holder_id = CASE WHEN holder_id = $1 THEN $2 ELSE holder_id END, \
     person_id = CASE WHEN person_id = $1 THEN $2 ELSE person_id END WHERE holder_id = $1 OR person_id = $1",
    "UPDATE members SET phone = COALESCE(members.phone, f.phone), \
     note = CASE WHEN members.note IS NULL OR f.note IS NULL THEN COALESCE(members.note, f.note) ELSE members.note || ' / ' || f.note END, \
     joined_at = CASE WHEN f.joined_at < members.joined_at THEN f.joined_at ELSE members.joined_at END \
     FROM members f WHERE f.person_id = $1 AND members.person_id = $2 AND members.studio_id = f.studio_id",
    "INSERT INTO members (studio_id, person_id, name, name_search, key_stale, phone, note, joined_at, knows_address) \
     SELECT f.studio_id, $2, f.name, f.name_search, f.key_stale, f.phone, f.note, f.joined_at, f.knows_address AND $1 = $2 FROM members f \
     WHERE f.person_id = $1 AND NOT EXISTS (SELECT 1 FROM members o WHERE o.studio_id = f.studio_id AND o.person_id = $2)",
    "UPDATE persons SET merged_into = $2 WHERE id = $1",
];

/// Makes everything of the one the other's. Of the pairs the first gave way to the second.
pub async fn merge(tx: &mut Tx, now: DateTime<Utc>, from: Uuid, into: Uuid, pairs: &[(Uuid, Uuid)]) -> Result<(), Error> {
    for (gave_way, stays) in pairs {
        tx.run("UPDATE bookings SET guest_of = $2 WHERE guest_of = $1", (*gave_way, *stays)).await?;
        tx.run("UPDATE penalties SET waived_at = $2 WHERE booking_id = $1 AND waived_at IS NULL", (*gave_way, now)).await?;
    }
    ask_for_family(tx, now, from, into).await?;
    for statement in MOVES {
        tx.run(statement, (from, into)).await?;
    }
    tx.run("DELETE FROM turn_aways WHERE person_id = $1", (from,)).await?;
    tx.run("DELETE FROM members WHERE person_id = $1", (from,)).await?;
    super::make_nameless(tx, from, now).await
}

/// Who answered for an entry without an account does not answer for who it turns out to be: that person never confirmed it. They are asked
/// as if by their address, which the other does not learn; where they have none, or are asked or acted for already, the link ends.
async fn ask_for_family(tx: &mut Tx, now: DateTime<Utc>, from: Uuid, into: Uuid) -> Result<(), Error> {
    let sql = "DELETE FROM family_links WHERE person_id = $1 AND (holder_id = $2 \
               OR NOT EXISTS (SELECT 1 FROM persons p WHERE p.id = $2 AND p.email_key IS NOT NULL) \
               OR EXISTS (SELECT 1 FROM family_links o WHERE o.holder_id = family_links.holder_id \
               AND (o.person_id = $2 OR o.email_key IN (SELECT p.email_key FROM persons p WHERE p.id = $2))))";
    tx.run(sql, (from, into)).await?;
    let sql = "UPDATE family_links SET person_id = NULL, confirmed_at = NULL, made_at = $3, copies = FALSE, \
               email_key = (SELECT p.email_key FROM persons p WHERE p.id = $2) WHERE person_id = $1";
    tx.run(sql, (from, into, now)).await.map(drop)
}
