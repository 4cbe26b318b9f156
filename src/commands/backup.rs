//! `releve backup FILE`: a copy of the embedded database, taken while others work with it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::{Failure, Place, directory_of};
use crate::settings::Settings;

/// Writes a copy of the database, as of one instant, to a file that must not exist yet, readable by its owner only. When this returns, the
/// copy is on the disk. PostgreSQL has better tools, which the failure names.
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
    // Created before it is filled, so that nobody else can read it, and never over an existing file.
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::db::{Db, Error, Options};
    use crate::running::store;

    async fn facts(file: &Path) -> Option<String> {
        let db = Db::open_file(file, Options::default()).await.unwrap();
        let found = store::fact(&db, "seen").await.unwrap();
        db.close().await;
        found
    }

    #[tokio::test]
    async fn a_copy_is_taken_while_others_write() {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Settings::defaults().unwrap();
        settings.data.directory = directory.path().to_owned();
        let place = Place::of(&settings).unwrap();
        let db = place.open(&settings).await.unwrap();
        db.migrate().await.unwrap();
        let note = async |value: &'static str| {
            db.write("test", move |tx| Box::pin(store::note(tx, "seen", value.into()))).await.map_err(|error: Error| error.to_string())
        };
        note("before").await.unwrap();

        let copy = directory.path().join("copy.db");
        // Somebody is in the middle of writing.
        let mut tx = db.begin_batch().await.unwrap();
        store::note(&mut tx, "seen", "never".into()).await.unwrap();
        run(&settings, &copy).await.unwrap();
        tx.rollback().await;
        note("after").await.unwrap();

        assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(facts(&copy).await.as_deref(), Some("before"));
        assert!(run(&settings, &copy).await.unwrap_err().why.contains("exists"), "nothing is overwritten");
        assert_eq!(facts(&copy).await.as_deref(), Some("before"));
        assert!(run(&settings, &directory.path().join("none/copy.db")).await.is_err());
        db.close().await;
    }

    #[tokio::test]
    async fn a_server_is_sent_to_pg_dump_without_being_asked() {
        let mut settings = Settings::defaults().unwrap();
        settings.database.url = "postgres://ana:s3cret@db.invalid/releve?sslmode=require".into();
        let failure = run(&settings, Path::new("x")).await.unwrap_err();
        assert_eq!(failure.code, 2);
        assert!(failure.why.contains("pg_dump") && !failure.why.contains("s3cret"), "{failure}");
    }

    #[tokio::test]
    async fn nothing_is_made_where_there_is_no_database() {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Settings::defaults().unwrap();
        settings.data.directory = directory.path().join("data");
        assert!(run(&settings, &directory.path().join("copy.db")).await.unwrap_err().why.contains("no database"));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
