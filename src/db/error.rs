//! What can go wrong with a database, sorted by what the caller should do.

use std::borrow::Cow;
use std::fmt;

use sqlx::migrate::MigrateError;

/// What to do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Another transaction was in the way: repeat the whole transaction, a few times.
    Again,
    /// The database cannot be reached, is read-only, full, or too busy: the outcome is unknown, try again later.
    Away,
    /// A unique constraint refused the row: a decision that should have been made before the insert was not.
    Unique,
    /// Our own fault.
    Fault,
}

/// A database's error.
#[derive(Debug, thiserror::Error)]
pub struct Error {
    #[from]
    source: sqlx::Error,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tell(&self.source, f)
    }
}

/// The database's own words, with its code. Not its details, which quote rows and so names and addresses; and not the line of the server's
/// source that sqlx adds, which reads like one of ours.
fn tell(error: &sqlx::Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match error {
        sqlx::Error::Database(error) => {
            f.write_str(error.message())?;
            error.code().map_or(Ok(()), |code| write!(f, " ({code})"))
        }
        sqlx::Error::Io(error) => write!(f, "{error}"),
        sqlx::Error::Tls(error) => write!(f, "TLS: {error}"),
        sqlx::Error::Configuration(error) => write!(f, "{error}"),
        sqlx::Error::PoolTimedOut => f.write_str("no connection became free in time"),
        sqlx::Error::Migrate(error) => match &**error {
            MigrateError::Execute(error) => tell(error, f),
            MigrateError::ExecuteMigration(error, version) => {
                write!(f, "migration {version:04}: ")?;
                tell(error, f)
            }
            other => write!(f, "{other}"),
        },
        other => write!(f, "{other}"),
    }
}

impl Error {
    /// What to do about it.
    pub fn trouble(&self) -> Trouble {
        match &self.source {
            sqlx::Error::Database(error) => {
                if error.is_unique_violation() {
                    return Trouble::Unique;
                }
                error.code().map_or(Trouble::Fault, trouble_of)
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Trouble::Away,
            _ => Trouble::Fault,
        }
    }

    /// What an operator can do about a database that cannot be opened or migrated, where that is known.
    pub fn mend(&self) -> Option<&'static str> {
        let error = match &self.source {
            sqlx::Error::Migrate(error) => match &**error {
                MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error,
                _ => return None,
            },
            error => error,
        };
        match error {
            sqlx::Error::Database(error) => mend_code(&error.code()?),
            sqlx::Error::Tls(_) => Some(
                "sslmode and sslrootcert in DATABASE_URL say how the server's certificate is judged \
                 (?sslmode=verify-full&sslrootcert=/path/ca.pem; ?sslmode=disable on a network of your own)",
            ),
            sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                Some("nobody listens there: is PostgreSQL running, and are host and port of DATABASE_URL right?")
            }
            sqlx::Error::Io(_) => Some("host and port stand in DATABASE_URL: postgres://user:password@host:5432/releve"),
            _ => None,
        }
    }

    /// What the log tells an operator about a database that is away.
    pub fn plight(&self) -> &'static str {
        match &self.source {
            sqlx::Error::Database(error) if matches!(error.code().as_deref(), Some("13" | "53100")) => "the disk is full",
            _ => "the database is away",
        }
    }

    pub(super) fn writer_busy() -> Self {
        sqlx::Error::PoolTimedOut.into()
    }

    pub(super) fn silent() -> Self {
        sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the server does not answer")).into()
    }

    /// Whether its connection is useless from now on: the server is shutting down, is read-only since a failover, or is silent.
    pub(super) fn spoils_its_connection(&self) -> bool {
        match &self.source {
            sqlx::Error::Database(error) => matches!(error.code().as_deref(), Some("25006" | "57P01" | "57P02" | "57P03")),
            sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
            _ => false,
        }
    }

    /// For a database that was set up wrongly.
    pub(super) fn unfit(why: impl Into<String>) -> Self {
        sqlx::Error::Configuration(why.into().into()).into()
    }

    pub(super) fn missing() -> Self {
        sqlx::Error::RowNotFound.into()
    }

    pub(super) fn panicked(name: &str) -> Self {
        sqlx::Error::Configuration(format!("the work {name} panicked").into()).into()
    }

    /// For a value in the database that no version of Relevé writes.
    pub fn nonsense(what: impl Into<Cow<'static, str>>) -> Self {
        sqlx::Error::Decode(what.into().into()).into()
    }
}

/// SQLSTATE or SQLite's result code, of a database that is being opened or migrated.
fn mend_code(code: &str) -> Option<&'static str> {
    match code {
        "28P01" | "28000" => Some(
            "user and password stand in DATABASE_URL (in a password @ : / ? # are written %40 %3A %2F %3F %23); pg_hba.conf of the server says who may come from where",
        ),
        "3D000" => Some("make it: createdb --owner=releve --encoding=UTF8 --template=template0 releve"),
        "42501" => Some("the user of DATABASE_URL must own the database: ALTER DATABASE releve OWNER TO releve"),
        "53300" => Some("each process opens database.connections + 1: their sum must stay below the server's max_connections"),
        "57P03" => Some("it is starting up: try again in a moment"),
        // Cannot open, read-only, no database.
        "14" | "8" | "1032" => Some("the file and its directory must belong to the user that runs releve"),
        "26" => Some("the file is something else: --data or DATABASE_URL names the place"),
        _ => None,
    }
}

/// SQLSTATE (five characters) or SQLite's (extended) result code in decimal.
fn trouble_of(code: Cow<'_, str>) -> Trouble {
    if code.len() == 5 {
        return match &*code {
            "40001" | "40P01" | "55P03" => Trouble::Again,
            // Read-only, disk full, out of memory or connections, shut down, starting up, too slow.
            "25006" | "53100" | "53200" | "53300" | "57014" | "57P01" | "57P02" | "57P03" | "25P03" => Trouble::Away,
            code if code.starts_with("08") => Trouble::Away,
            _ => Trouble::Fault,
        };
    }
    match code.parse::<i32>().map(|code| code & 0xff) {
        Ok(5 | 6) => Trouble::Again,
        // Read-only, I/O error, full, cannot open.
        Ok(8 | 10 | 13 | 14) => Trouble::Away,
        _ => Trouble::Fault,
    }
}
