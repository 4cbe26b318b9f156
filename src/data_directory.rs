//! The data directory: the embedded database, generated secrets, letters as files; and the lock that keeps a second process out.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The embedded database's file.
pub const DATABASE_FILE: &str = "releve.db";
/// The file that the process owning the directory keeps locked.
pub const LOCK_FILE: &str = "releve.lock";

/// What else Relevé keeps there: generated secrets, and letters as files.
const OTHERS: [&str; 2] = ["sign-in.keys", "letters"];

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

/// Takes from everybody else the right to read what an older release, a copy or a restore left open: the files 0600, the directory 0700.
/// A directory in which other things lie too is not Relevé's alone and is left as it is. Each change, and each that could not be made, is
/// told. `database`: its file.
pub fn close_to_others(directory: &Path, database: &Path) {
    let mut ours: Vec<PathBuf> = vec![database.to_owned(), directory.join(LOCK_FILE)];
    for suffix in ["-wal", "-shm"] {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        ours.push(name.into());
    }
    ours.extend(OTHERS.iter().map(|name| directory.join(name)));
    for path in &ours {
        // The letters' directory looks after itself.
        if fs::symlink_metadata(path).is_ok_and(|about| about.is_file()) {
            close(path, 0o600);
        }
    }
    let is_ours_alone = fs::read_dir(directory)
        .is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| ours.contains(&directory.join(entry.file_name())))));
    if is_ours_alone {
        close(directory, 0o700);
    } else if is_open_to_others(directory) {
        tracing::warn!(
            directory = %directory.display(),
            "others may look into the directory of the database, in which other things lie too: one of its own (chmod 700) closes it to them"
        );
    }
}

fn close(path: &Path, mode: u32) {
    if !is_open_to_others(path) {
        return;
    }
    let shown = path.display();
    match fs::set_permissions(path, Permissions::from_mode(mode)) {
        Ok(()) => tracing::warn!(path = %shown, "others could read this; it is closed to them now"),
        Err(error) => tracing::warn!(path = %shown, %error, "others can read this, and it cannot be closed to them: chmod {mode:o}"),
    }
}

fn is_open_to_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o077 != 0)
}

fn of(directory: &Path, source: io::Error) -> Refused {
    Refused::Files { directory: directory.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_was_left_open_is_closed_and_what_is_shared_is_left() {
        let parent = tempfile::tempdir().unwrap();
        for (name, foreign, expected) in [("own", None, 0o700), ("shared", Some("notes.txt"), 0o755)] {
            let directory = parent.path().join(name);
            let _held = lock(&directory).unwrap();
            let database = directory.join(DATABASE_FILE);
            let ours = ["releve.db", "releve.db-wal", "releve.db-shm", "releve.lock", "sign-in.keys"].map(|name| directory.join(name));
            for file in ours.iter().chain(&foreign.map(|name| directory.join(name))) {
                fs::write(file, "").unwrap();
                fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
            }
            fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
            close_to_others(&directory, &database);
            assert_eq!(mode(&directory), expected, "{name}");
            assert!(ours.iter().all(|file| mode(file) == 0o600), "{name}");
            assert!(foreign.is_none_or(|name| mode(&directory.join(name)) == 0o644));
        }
    }

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
