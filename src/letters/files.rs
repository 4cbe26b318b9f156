//! Letters as files: `<the letter's id>.eml`, readable by their owner alone, and not kept for ever. For demonstrations and writing apps.

use std::fs::{self, File, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

use super::message::Mail;

/// How long a letter is kept. Its file may hold a code that worked for minutes only, and words that were meant for one person.
const KEPT: TimeDelta = TimeDelta::days(30);

/// How much of a file is read to see whether it is one of ours: its Message-ID comes well before that.
const HEAD_BYTES: u64 = 4_096;

/// A directory of letters.
#[derive(Clone, Debug)]
pub struct Letters {
    pub directory: PathBuf,
    /// Whether it is in the data directory, which is Relevé's alone. A directory named in the settings may be shared, and is left as it is.
    pub own: bool,
}

impl Letters {
    /// A repeat writes the same file again, and readers of the directory never see half a letter.
    pub async fn write(&self, mail: &Mail) -> io::Result<()> {
        tokio::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.directory).await?;
        let unfinished = self.directory.join(format!(".{}.part", mail.id));
        let mut file = tokio::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished).await?;
        file.write_all(&mail.raw).await?;
        file.sync_data().await?;
        tokio::fs::rename(&unfinished, self.directory.join(format!("{}.eml", mail.id))).await
    }

    /// Removes letters that have been kept long enough, and makes the others readable by their owner alone. Touches no file that Relevé did
    /// not write. Returns how many were removed.
    pub fn tidy(&self, now: DateTime<Utc>) -> io::Result<usize> {
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            // Before the first letter there is no directory.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        self.tighten()?;
        let mut removed = 0;
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            // Does not follow links: no letter is one.
            let about = entry.metadata()?;
            if !about.is_file() || !is_ours(&path) {
                continue;
            }
            if now - DateTime::<Utc>::from(about.modified()?) > KEPT {
                fs::remove_file(&path)?;
                removed += 1;
            } else if is_open_to_others(&about) {
                fs::set_permissions(&path, Permissions::from_mode(0o600))?;
            }
        }
        Ok(removed)
    }

    /// The letters whose files lie here.
    pub fn ids(&self) -> io::Result<Vec<Uuid>> {
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut ids = Vec::new();
        for entry in entries {
            ids.extend(entry?.file_name().to_str().and_then(|name| name.strip_suffix(".eml")).and_then(|name| name.parse::<Uuid>().ok()));
        }
        Ok(ids)
    }

    /// Removes the files of these letters, as far as Relevé wrote them. How many were removed.
    pub fn remove(&self, ids: &[Uuid]) -> io::Result<usize> {
        let mut removed = 0;
        for id in ids {
            let path = self.directory.join(format!("{id}.eml"));
            // Of a link this is the link: no letter is one.
            if fs::symlink_metadata(&path).is_ok_and(|about| about.is_file()) && is_ours(&path) {
                fs::remove_file(&path)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn tighten(&self) -> io::Result<()> {
        if !is_open_to_others(&fs::metadata(&self.directory)?) {
            return Ok(());
        }
        let directory = self.directory.display();
        if self.own {
            fs::set_permissions(&self.directory, Permissions::from_mode(0o700))?;
            tracing::warn!(%directory, "others could read the letters' directory; it is closed to them now");
        } else {
            tracing::warn!(%directory, "others may look into the directory of letters.transport: chmod 700 closes it to them");
        }
        Ok(())
    }
}

fn is_open_to_others(about: &fs::Metadata) -> bool {
    about.permissions().mode() & 0o077 != 0
}

/// Whether Relevé wrote this file: it has a letter's name, and contains that letter's Message-ID. The remains of an interrupted write have
/// only the name, which nobody else would choose.
fn is_ours(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let id = |name: &str| name.parse::<Uuid>().ok();
    if name.strip_prefix('.').and_then(|name| name.strip_suffix(".part")).and_then(id).is_some() {
        return true;
    }
    let Some(id) = name.strip_suffix(".eml").and_then(id) else { return false };
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head));
    read.is_ok() && String::from_utf8_lossy(&head).contains(&format!("Message-ID: <{id}@"))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::clock::Clock;

    fn mail(id: u128) -> Mail {
        let id = Uuid::from_u128(id);
        Mail {
            id,
            sender: "a@b.test".parse().unwrap(),
            recipient: "c@d.test".parse().unwrap(),
            raw: format!("Message-ID: <{id}@b.test>\r\nSubject: x\r\n\r\n12345678").into_bytes(),
        }
    }

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(directory).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn make_old(path: &Path, days: i64) {
        let then = SystemTime::from(now() - TimeDelta::days(days));
        File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
    }

    fn now() -> DateTime<Utc> {
        Clock::System.now()
    }

    #[tokio::test]
    async fn a_letter_is_whole_written_once_and_its_owners_alone() {
        let parent = tempfile::tempdir().unwrap();
        let letters = Letters { directory: parent.path().join("letters"), own: true };
        letters.write(&mail(1)).await.unwrap();
        letters.write(&mail(1)).await.unwrap();
        let name = format!("{}.eml", Uuid::from_u128(1));
        assert_eq!(names(&letters.directory), [name.as_str()]);
        assert_eq!(fs::read(letters.directory.join(&name)).unwrap(), mail(1).raw);
        assert_eq!((mode(&letters.directory), mode(&letters.directory.join(&name))), (0o700, 0o600));
    }

    #[tokio::test]
    async fn letters_end_after_thirty_days_and_nobody_elses_files_do() {
        let parent = tempfile::tempdir().unwrap();
        let letters = Letters { directory: parent.path().join("letters"), own: true };
        assert_eq!(letters.tidy(now()).unwrap(), 0, "there is none yet");
        for id in [1, 2] {
            letters.write(&mail(id)).await.unwrap();
        }
        let at = |name: &str| letters.directory.join(name);
        let of = |id: u128| format!("{}.eml", Uuid::from_u128(id));
        let part = format!(".{}.part", Uuid::from_u128(3));
        // Not ours: another name, our kind of name with other content, a link.
        fs::write(at("notes.eml"), "Message-ID: <notes@b.test>").unwrap();
        fs::write(at(&of(4)), "Message-ID: <somebody@else.test>").unwrap();
        std::os::unix::fs::symlink(at("notes.eml"), at(&of(5))).unwrap();
        fs::write(at(&part), "").unwrap();
        for (name, days) in [(of(1), 31), (of(2), 29), ("notes.eml".into(), 400), (of(4), 400), (part, 31)] {
            make_old(&at(&name), days);
        }
        assert_eq!(letters.tidy(now()).unwrap(), 2);
        assert_eq!(names(&letters.directory), [of(2), of(4), of(5), "notes.eml".into()]);
    }

    #[tokio::test]
    async fn the_files_of_some_letters_go_and_nobody_elses_do() {
        let parent = tempfile::tempdir().unwrap();
        let letters = Letters { directory: parent.path().join("letters"), own: false };
        assert!(letters.ids().unwrap().is_empty());
        for id in [1, 2] {
            letters.write(&mail(id)).await.unwrap();
        }
        let of = |id: u128| format!("{}.eml", Uuid::from_u128(id));
        fs::write(letters.directory.join(of(3)), "Message-ID: <somebody@else.test>").unwrap();
        fs::write(letters.directory.join("notes.eml"), "").unwrap();
        let mut ids = letters.ids().unwrap();
        ids.sort_unstable();
        assert_eq!(ids, [1, 2, 3].map(Uuid::from_u128));
        assert_eq!(letters.remove(&[1, 3, 4].map(Uuid::from_u128)).unwrap(), 1);
        assert_eq!(names(&letters.directory), [of(2), of(3), "notes.eml".into()]);
    }

    #[tokio::test]
    async fn what_an_older_release_left_open_is_closed() {
        let parent = tempfile::tempdir().unwrap();
        for (name, own, expected) in [("own", true, 0o700), ("shared", false, 0o755)] {
            let letters = Letters { directory: parent.path().join(name), own };
            letters.write(&mail(1)).await.unwrap();
            let file = letters.directory.join(format!("{}.eml", Uuid::from_u128(1)));
            let others = letters.directory.join("others.txt");
            fs::write(&others, "").unwrap();
            for path in [&file, &others] {
                fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
            }
            fs::set_permissions(&letters.directory, Permissions::from_mode(0o755)).unwrap();
            letters.tidy(now()).unwrap();
            assert_eq!((mode(&letters.directory), mode(&file), mode(&others)), (expected, 0o600, 0o644), "{name}");
        }
    }
}
