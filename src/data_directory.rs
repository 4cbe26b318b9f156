//! The data directory: the embedded database, generated secrets, letters as files; and the lock that keeps a second process out.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The embedded database's file.
pub const DATABASE_FILE: &str = "releve.db";
/// The file that the process owning the directory keeps locked.
pub const LOCK_FILE: &str = "releve.lock";

/// Held for as long as this process works with the directory. The operating system releases it when the process ends, however it ends; the
/// file stays, since removing it would let two processes lock two files of one name.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why the directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Another process has it.
    #[error("the data directory {} is in use by another process{}", directory.display(), pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    InUse {
        directory: PathBuf,
        /// Which process, if the lock file says.
        pid: Option<u32>,
    },
    /// The file system refused.
    #[error("the data directory {}: {source}", directory.display())]
    Files {
        directory: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

/// Makes the directory if it is not there, readable by its owner only.
pub fn make(directory: &Path) -> Result<(), Refused> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|source| of(directory, source))
}

/// Makes the directory if it is not there, and keeps every other `serve`, `demo` and `migrate` out of it.
pub fn lock(directory: &Path) -> Result<Lock, Refused> {
    make(directory)?;
    let path = directory.join(LOCK_FILE);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|source| of(directory, source))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let _ = file.read_to_string(&mut text);
            return Err(Refused::InUse { directory: directory.to_owned(), pid: text.trim().parse().ok() });
        }
        Err(TryLockError::Error(source)) => return Err(of(directory, source)),
    }
    // The number is a courtesy to whoever is refused; the lock is what counts.
    let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(Lock { _file: file })
}

fn of(directory: &Path, source: io::Error) -> Refused {
    Refused::Files { directory: directory.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_second_process_is_kept_out_until_the_first_lets_go() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("a").join("data");
        let first = lock(&directory).unwrap();
        let refused = lock(&directory).unwrap_err().to_string();
        assert!(refused.contains(directory.to_str().unwrap()), "{refused}");
        assert!(refused.contains(&format!("pid {}", std::process::id())), "{refused}");
        drop(first);
        lock(&directory).unwrap();
        assert_eq!(directory.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}
