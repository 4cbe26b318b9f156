//! The commands of the command line, one file each; `main.rs` parses and dispatches.

pub mod audit;
pub mod background;
pub mod backup;
pub mod demo;
pub mod migrate;
pub mod owner;
pub mod serve;
pub mod worker;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::data_directory::{self, DATABASE_FILE, Lock, Refused};
use crate::db::{self, Db, Options};
use crate::settings::Settings;
use crate::settings::check::database_without_tls;
use crate::sign_in;
use crate::zones;

/// Why a command could not do its work: one line for a person, and the process's exit code.
#[derive(Debug)]
pub struct Failure {
    /// One line for the operator.
    pub why: String,
    /// The exit code: 1 unless the command says otherwise.
    pub code: u8,
}

impl Failure {
    /// A failure with the usual exit code.
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), code: 1 }
    }

    /// A database failure in the database's own words, with what to do about it where that is known.
    pub fn of_database(what: impl fmt::Display, error: &db::Error) -> Self {
        let mend = error.mend().map_or_else(String::new, |mend| format!("\n  {mend}"));
        Self::new(format!("{what}: {error}{mend}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Failure {}

macro_rules! fails_by {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new(error.to_string())
            }
        })*
    };
}
fails_by!(db::Error, data_directory::Refused, config::ConfigError, sign_in::SetUpError);

/// The options on the command line; they take precedence over every other source of settings.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// `--config FILE`, or the environment's `RELEVE_CONFIG`.
    pub config: Option<PathBuf>,
    /// `--data DIR`.
    pub data: Option<PathBuf>,
}

/// Reads `.env` of the working directory into the environment, which takes precedence. Only at the process's start, before it has threads.
pub fn read_dot_env() -> Result<(), Failure> {
    // In a directory that this user may not enter (`sudo -u releve …` in /root) nobody can tell whether there is one: assume there is none.
    if !Path::new(".env").try_exists().unwrap_or(false) {
        return Ok(());
    }
    match dotenvy::from_path(".env") {
        Ok(()) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        // The error itself may quote the line, which may be a password.
        Err(dotenvy::Error::LineParse(_, at)) => Err(Failure::new(format!(".env cannot be read: not understood at character {at}"))),
        Err(_) => Err(Failure::new(".env cannot be read")),
    }
}

/// The settings: defaults < the file < the environment < the command line.
pub fn settings(said: &Said) -> Result<Settings, Failure> {
    let of_file = said.config.as_ref().map_or_else(String::new, |file| format!(" (with {})", file.display()));
    let mut settings =
        Settings::load(said.config.as_deref()).map_err(|error| Failure::new(format!("the settings{of_file} are not right: {error}")))?;
    if let Some(directory) = &said.data {
        settings.data.directory.clone_from(directory);
    }
    Ok(settings)
}

/// Settles which time zone data this process uses, before anything asks for a wall time.
pub fn settle_zones(settings: &Settings) -> Result<(), Failure> {
    let wrong = |why: String| Failure::new(format!("the setting time.zone_data is not right: {why}"));
    zones::settle(&zones::Source::parse(&settings.time.zone_data).map_err(wrong)?).map_err(wrong)
}

/// Where the data is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The embedded database: this file.
    File(PathBuf),
    /// A PostgreSQL server: its URL, which may hold a password.
    Server(String),
}

impl Place {
    /// Where these settings say that the data is. An empty URL means the data directory.
    pub fn of(settings: &Settings) -> Result<Self, Failure> {
        let url = settings.database.url.trim();
        if url.is_empty() {
            return Ok(Self::File(settings.data.directory.join(DATABASE_FILE)));
        }
        if url.starts_with("sqlite:") {
            return match db::sqlite_file(url)? {
                Some(file) => Ok(Self::File(file)),
                None => Err(Failure::new("DATABASE_URL names a database in memory, which would forget every booking: name a file")),
            };
        }
        if let Some((wrong, mend)) = database_without_tls(settings) {
            return Err(Failure::new(format!("database.url {wrong}; {mend}")));
        }
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            return Ok(Self::Server(url.to_owned()));
        }
        Err(Failure::new("DATABASE_URL must begin with sqlite: or postgres:"))
    }

    /// Keeps every other process out of the embedded database's directory, which is made if missing. A server does its own locking.
    pub fn lock(&self) -> Result<Option<Lock>, Failure> {
        Ok(self.try_lock()?)
    }

    /// The same, for callers that can go on without the lock.
    pub fn try_lock(&self) -> Result<Option<Lock>, Refused> {
        match self {
            Self::File(file) => {
                let directory = directory_of(file);
                let lock = data_directory::lock(directory)?;
                data_directory::close_to_others(directory, file);
                Ok(Some(lock))
            }
            Self::Server(_) => Ok(None),
        }
    }

    /// Opens it for reading and writing. A missing file is made.
    pub async fn open(&self, settings: &Settings) -> Result<Db, Failure> {
        let options = Options { connections: settings.database.connections, ..Options::default() };
        self.open_with(options).await
    }

    /// Opens it read-only, beside the process that works with it.
    pub async fn open_read_only(&self) -> Result<Db, Failure> {
        if let Self::File(file) = self
            && !file.exists()
        {
            return Err(Failure::new(format!("there is no database at {}", file.display())));
        }
        self.open_with(Options { connections: 2, read_only: true, ..Options::default() }).await
    }

    async fn open_with(&self, options: Options) -> Result<Db, Failure> {
        let opened = match self {
            Self::File(file) => Db::open_file(file, options).await,
            Self::Server(url) => Db::open(url, options).await,
        };
        opened.map_err(|error| Failure::of_database(format!("cannot open {self}"), &error))
    }
}

impl fmt::Display for Place {
    /// For people to read: never the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Server(url) => f.write_str(&db::server_of(url).unwrap_or_else(|| "the PostgreSQL server of DATABASE_URL".into())),
        }
    }
}

fn directory_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The embedded database belongs to one process.
pub fn needs_a_server(what: &str) -> Failure {
    Failure::new(format!(
        "`{what}` needs PostgreSQL (set DATABASE_URL): the embedded database belongs to one process, and `serve` sends letters itself"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> Result<Place, String> {
        let mut settings = Settings::defaults().unwrap();
        settings.database.url = url.into();
        Place::of(&settings).map_err(|failure| failure.why)
    }

    #[test]
    fn the_url_says_where_the_data_is() {
        assert_eq!(place(""), Ok(Place::File("var/data/releve.db".into())));
        assert_eq!(place("sqlite:a/b.db"), Ok(Place::File("a/b.db".into())));
        assert_eq!(place("sqlite:///a/b.db"), Ok(Place::File("/a/b.db".into())));
        assert!(matches!(place("postgres://u:p@h/d?sslmode=require"), Ok(Place::Server(_))));
        assert!(place("sqlite::memory:").is_err());
        assert!(place("sqlite:x?mode=memory").is_err());
        assert!(place("mysql://h/d").is_err());
    }

    #[test]
    fn a_place_is_told_without_its_password() {
        let told = place("postgres://ana:s3cret@db.internal:5432/releve?password=s3cret&sslmode=require").map(|place| place.to_string());
        assert_eq!(told, Ok("postgres://db.internal/releve".into()));
    }

    #[test]
    fn no_command_sends_the_password_in_the_open() {
        let refused = place("postgres://ana:s3cret@db.internal/releve").unwrap_err();
        assert!(refused.contains("db.internal") && refused.contains("TLS") && !refused.contains("s3cret"), "{refused}");
        assert!(place("postgres://ana:s3cret@127.0.0.1/releve").is_ok());
    }
}
