//! Opening either engine, with everything that must be set before the first statement.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::Mutex;

use super::{Db, Error, Pools};

/// The migrations of SQLite, embedded in the binary.
pub static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
/// The migrations of PostgreSQL: the same numbers, names and tables.
pub static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Statements that a connection keeps prepared: more than Relevé has.
const STATEMENTS_KEPT: usize = 512;

/// Rows that SQLite's thread reads ahead of their reader: every time it must wait, two threads are woken.
const ROWS_AHEAD: usize = 128;

/// Pages of 4 KiB in the write-ahead log before a commit also makes a checkpoint: a rush fits in, and rarely pays for one.
const CHECKPOINT_PAGES: &str = "4000";

/// Memory for the writer's pages, in KiB (SQLite takes a negative number as KiB): the hot ends of all indexes of a large deployment.
const WRITER_CACHE_KIB: &str = "-4000";

/// The same for each reader: there are several, and the operating system caches the file as well.
const READER_CACHE_KIB: &str = "-1000";

/// Readers of one file: each is a thread with a cache, its statements and its share of the heap, and more of them read no faster.
const READERS_MAX: u32 = 4;

/// A connection used this recently is taken to be alive; any other is tested first, and may take this long to answer.
const IDLE_TRUSTED: Duration = Duration::from_secs(1);

/// How many connections, and how long to wait for one.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Connections beside the writer (SQLite, of which four are used at most) or the transactor (PostgreSQL).
    pub connections: u32,
    /// How long a request waits for a free connection before it is told to try again.
    pub wait_max: Duration,
    /// For `audit` and `backup`: nothing can be written.
    pub read_only: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { connections: 8, wait_max: Duration::from_secs(2), read_only: false }
    }
}

impl Db {
    /// Opens the database that a `sqlite:` or `postgres:` URL names. A SQLite file is made if it is not there.
    pub async fn open(url: &str, options: Options) -> Result<Self, Error> {
        if url.starts_with("sqlite:") {
            Self::open_sqlite(SqliteConnectOptions::from_str(url)?, options).await
        } else {
            let connect = PgConnectOptions::from_str(url).map_err(|error| {
                Error::unfit(format!("DATABASE_URL is not understood ({error}); in a password @ : / ? # are written %40 %3A %2F %3F %23"))
            })?;
            Self::open_postgres(connect, options).await
        }
    }

    /// Opens a SQLite file.
    pub async fn open_file(path: &Path, options: Options) -> Result<Self, Error> {
        Self::open_sqlite(SqliteConnectOptions::new().filename(path), options).await
    }

    async fn open_sqlite(connect: SqliteConnectOptions, options: Options) -> Result<Self, Error> {
        let connect = connect
            .create_if_missing(!options.read_only)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(STATEMENTS_KEPT)
            .row_buffer_size(ROWS_AHEAD)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            // In WAL mode only FULL makes a commit outlast a power cut.
            .synchronous(SqliteSynchronous::Full);
        let writer_connect = if options.read_only {
            connect.clone().pragma("query_only", "1")
        } else {
            connect.clone().journal_mode(SqliteJournalMode::Wal).pragma("cache_size", WRITER_CACHE_KIB)
        };
        let pool =
            || SqlitePoolOptions::new().acquire_timeout(options.wait_max).test_before_acquire(false).idle_timeout(None).max_lifetime(None);
        let writer = pool().min_connections(1).max_connections(1).connect_with(writer_connect).await?;
        let readers = pool()
            .max_connections(options.connections.clamp(1, READERS_MAX))
            .connect_with(connect.pragma("query_only", "1").pragma("cache_size", READER_CACHE_KIB))
            .await?;
        let pools = Pools::Sqlite {
            writer: writer.into(),
            readers: readers.into(),
            queue: Arc::new(Mutex::new(())),
            turn: Arc::new(Mutex::new(())),
        };
        Ok(Self { pools, locks: true, late: false })
    }

    async fn open_postgres(connect: PgConnectOptions, options: Options) -> Result<Self, Error> {
        let connect = connect.application_name("releve").statement_cache_capacity(STATEMENTS_KEPT).options([
            ("idle_in_transaction_session_timeout", "5s"),
            ("statement_timeout", "10s"),
            ("timezone", "UTC"),
        ]);
        let connect = if options.read_only {
            connect.options([("default_transaction_read_only", "on"), ("statement_timeout", "0")])
        } else {
            connect
        };
        look_at_server(&connect).await?;
        // A connection that was idle may have died unnoticed. In a rush none is idle, and none is tested.
        let pool = || {
            PgPoolOptions::new().acquire_timeout(options.wait_max).test_before_acquire(false).before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for < IDLE_TRUSTED {
                        return Ok(true);
                    }
                    let silent = || sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
                    tokio::time::timeout(IDLE_TRUSTED, connection.ping()).await.map_err(|_| silent())??;
                    Ok(true)
                })
            })
        };
        let general = pool().max_connections(options.connections.max(1)).connect_lazy_with(connect.clone());
        let transactor = pool().max_connections(1).idle_timeout(None).connect_lazy_with(connect);
        Ok(Self { pools: Pools::Postgres { pool: general.into(), transactor: transactor.into() }, locks: true, late: false })
    }

    /// Brings the schema up to date. Returns the names of the migrations that ran. A database of a newer version is left alone.
    pub async fn migrate(&self) -> Result<Vec<String>, Error> {
        let pending = self.pending().await?;
        if pending.is_empty() {
            return Ok(pending);
        }
        match &self.pools {
            Pools::Sqlite { writer, .. } => SQLITE_MIGRATIONS.run(&**writer).await.map_err(sqlx::Error::from)?,
            Pools::Postgres { pool, .. } => {
                // A migration of a large table may take long; the connection is not used again.
                let mut connection = pool.acquire().await?;
                connection.close_on_drop();
                sqlx::raw_sql("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0").execute(&mut *connection).await?;
                POSTGRES_MIGRATIONS.run(&mut *connection).await.map_err(sqlx::Error::from)?;
            }
        }
        Ok(pending)
    }

    /// The names of the migrations of this binary that have not run, in order.
    pub async fn pending(&self) -> Result<Vec<String>, Error> {
        let applied = self.applied().await?;
        let all = SQLITE_MIGRATIONS.iter().filter(|one| one.version > applied);
        Ok(all.map(|one| format!("{:04} {}", one.version, one.description)).collect())
    }

    /// Whether every migration of this binary has run.
    pub async fn is_current(&self) -> Result<bool, Error> {
        self.pending().await.map(|pending| pending.is_empty())
    }

    /// The newest migration that has run; 0 for an empty database.
    async fn applied(&self) -> Result<i64, Error> {
        let there = super::Sql::Each {
            sqlite: "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'",
            postgres: "SELECT COUNT(*) FROM pg_class WHERE oid = to_regclass('_sqlx_migrations')",
        };
        let (there,): (i64,) = self.one(there, ()).await?;
        if there == 0 {
            return Ok(0);
        }
        let (version,): (Option<i64>,) = self.one("SELECT MAX(version) FROM _sqlx_migrations WHERE success", ()).await?;
        Ok(version.unwrap_or(0))
    }
}

/// Which server and database a `postgres:` URL names, for a person: never the password.
pub fn server_of(url: &str) -> Option<String> {
    let connect = PgConnectOptions::from_str(url).ok()?;
    let host = connect.get_socket().map_or_else(|| connect.get_host().to_owned(), |socket| socket.display().to_string());
    Some(format!("postgres://{host}/{}", connect.get_database().unwrap_or(connect.get_username())))
}

/// The host that a `postgres:` URL speaks to, if TLS is not certain on the way. A socket of this machine needs none.
pub fn host_without_tls(url: &str) -> Option<String> {
    let connect = PgConnectOptions::from_str(url).ok()?;
    let is_open = matches!(connect.get_ssl_mode(), PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer);
    (is_open && connect.get_socket().is_none()).then(|| connect.get_host().to_owned())
}

/// How long a server may take to accept a connection.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Connects once without a pool and looks at the server: a pool would retry, and in the end report only a timeout.
async fn look_at_server(connect: &PgConnectOptions) -> Result<(), Error> {
    let at = || match connect.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", connect.get_host(), connect.get_port()),
    };
    let entered = tokio::time::timeout(CONNECT_MAX, connect.connect()).await;
    let entered = entered.unwrap_or_else(|_| Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer").into()));
    let mut connection = entered.map_err(|error| match error {
        sqlx::Error::Io(error) => sqlx::Error::Io(std::io::Error::new(error.kind(), format!("{}: {error}", at()))),
        other => other,
    })?;
    let sql = "SELECT current_setting('synchronous_commit'), current_setting('server_encoding')";
    let (synchronous, encoding): (String, String) = sqlx::query_as(sql).fetch_one(&mut connection).await?;
    connection.close().await?;
    if synchronous == "off" {
        return Err(Error::unfit("synchronous_commit is off: an acknowledged booking could be lost"));
    }
    // SQL_ASCII keeps every byte as it is; all others lack characters that names need.
    if !["UTF8", "SQL_ASCII"].contains(&encoding.as_str()) {
        return Err(Error::unfit(format!(
            "its encoding is {encoding}, which lacks most characters: make it with createdb --encoding=UTF8 --template=template0"
        )));
    }
    Ok(())
}
