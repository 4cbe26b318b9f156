//! What a studio wrote down of a member.

use uuid::Uuid;

use crate::db::{Error, Tx};
use crate::search::name_key;

/// What a studio wrote down, to be changed: the name, its telephone number, and what staff note.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Particulars {
    /// By which this studio finds them.
    pub name: String,
    /// What this studio wrote down; what the member gave it stands elsewhere.
    pub phone: Option<String>,
    /// What staff note.
    pub note: Option<String>,
}

/// As they stand. `None`: no member of the studio, or one who is forgotten.
pub async fn of(tx: &mut Tx, studio_id: Uuid, person_id: Uuid) -> Result<Option<Particulars>, Error> {
    let sql = "SELECT m.name, m.phone, m.note FROM members m JOIN persons p ON p.id = m.person_id \
               WHERE m.studio_id = $1 AND m.person_id = $2 AND p.deleted_at IS NULL";
    tx.maybe(sql, (studio_id, person_id)).await
}

/// Writes them anew.
pub async fn set(tx: &mut Tx, studio_id: Uuid, person_id: Uuid, to: &Particulars) -> Result<(), Error> {
    let sql =
        "UPDATE members SET name = $3, name_search = $4, key_stale = FALSE, phone = $5, note = $6 WHERE studio_id = $1 AND person_id = $2";
    let Particulars { name, phone, note } = to.clone();
    let search = name_key(&name);
    tx.run(sql, (studio_id, person_id, name, search, phone, note)).await.map(drop)
}
