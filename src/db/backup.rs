//! A copy of the whole database.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use sqlx::sqlite::SqliteConnectOptions;

use super::{Db, Error, Pools};

impl Db {
    /// Copies the SQLite database as of now to an empty file, while others go on writing. PostgreSQL has `pg_dump`.
    pub async fn copy_to(&self, file: &Path) -> Result<(), Error> {
        let Pools::Sqlite { readers, .. } = &self.pools else {
            return Err(sqlx::Error::Configuration("PostgreSQL is copied with pg_dump".into()).into());
        };
        let Some(file) = file.to_str() else {
            return Err(sqlx::Error::Configuration("the file's name must be UTF-8".into()).into());
        };
        let mut reader = readers.acquire().await?;
        // VACUUM INTO writes to the new file alone, but SQLite counts it as writing, so this one connection may write.
        sqlx::query("PRAGMA query_only = 0").execute(&mut *reader).await?;
        let copied = sqlx::query("VACUUM INTO $1").bind(file.to_owned()).execute(&mut *reader).await;
        reader.close_on_drop();
        copied.map(drop).map_err(Error::from)
    }
}

/// The file that a `sqlite:` URL names; `None` for a database in memory.
pub fn sqlite_file(url: &str) -> Result<Option<PathBuf>, Error> {
    let options = SqliteConnectOptions::from_str(url)?;
    let in_memory = url.contains(":memory:") || url.contains("mode=memory") || options.get_filename().as_os_str().is_empty();
    Ok((!in_memory).then(|| options.get_filename().to_owned()))
}
