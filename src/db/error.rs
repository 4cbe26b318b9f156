//! What can go wrong with a database, sorted by what the caller should do.

use std::borrow::Cow;

/// What to do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Somebody else was in the way: the whole transaction again, a few times.
    Again,
    /// The database cannot be reached, is read-only, full, or too busy: the outcome is unknown, come back later.
    Away,
    /// A unique rule spoke: the alarm of a decision that was not made before the insert.
    Unique,
    /// Our own fault.
    Fault,
}

/// A database's error.
#[derive(Debug, thiserror::Error)]
#[error("database: {source}")]
pub struct Error {
    #[from]
    source: sqlx::Error,
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

    /// What an operator must read in the log of a database that is away.
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

    /// Whether its connection leads nowhere any more: to a server that shuts down, that only reads since a failover, or that is silent.
    pub(super) fn spoils_its_connection(&self) -> bool {
        match &self.source {
            sqlx::Error::Database(error) => matches!(error.code().as_deref(), Some("25006" | "57P01" | "57P02" | "57P03")),
            sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
            _ => false,
        }
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
