//! Facts about this database as a whole.

use crate::db::{Db, Error, Tx};

/// The fact that marks a demo's database.
pub const DEMO: &str = "demo";

/// The fact of this name, if there is one.
pub async fn fact(db: &Db, name: &'static str) -> Result<Option<String>, Error> {
    let found: Option<(String,)> = db.maybe("SELECT value FROM house_facts WHERE name = $1", (name,)).await?;
    Ok(found.map(|(value,)| value))
}

/// Writes a fact, replacing what it was.
pub async fn note(tx: &mut Tx, name: &'static str, value: String) -> Result<(), Error> {
    let sql = "INSERT INTO house_facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    tx.run(sql, (name, value)).await.map(drop)
}

/// Removes a fact if it is this. `false` if it is not.
pub async fn take(tx: &mut Tx, name: &'static str, value: String) -> Result<bool, Error> {
    Ok(tx.run("DELETE FROM house_facts WHERE name = $1 AND value = $2", (name, value)).await? > 0)
}
