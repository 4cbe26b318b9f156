//! `releve backup FILE`: a copy of the embedded database, taken while others work with it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::{Failure, Place, directory_of};
use crate::settings::Settings;

/// Writes a copy of the database, as of one instant, to a file that must not be there yet, readable by its owner only. When this
/// returns, the copy is on the disk. A PostgreSQL server has better tools: the failure says which.
pub async fn run(settings: &Settings, file: &Path) -> Result<(), Failure> {
    let place = Place::of(settings)?;
    if let Place::Server(_) = place {
        let why = format!(
            "{place} is backed up with PostgreSQL's own tool:\n  pg_dump --format=custom --file={} \"$DATABASE_URL\"\nand restored with pg_restore",
            file.display()
        );
        return Err(Failure { why, code: 2 });
    }
    let of_file = |error: io::Error| Failure::new(format!("cannot write {}: {error}", file.display()));
    let db = place.open_read_only().await?;
    // Made before it is filled, so that nobody else can read it, and nothing is ever overwritten.
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(of_file)?;
    let copied = db.copy_to(file).await;
    db.close().await;
    if let Err(error) = copied {
        let _ = std::fs::remove_file(file);
        return Err(Failure::new(format!("cannot copy {place} to {}: {error}", file.display())));
    }
    made.sync_all().and_then(|()| File::open(directory_of(file))?.sync_all()).map_err(of_file)?;
    eprintln!("copied {place} to {}", file.display());
    Ok(())
}
