//! The seam: the only files that know that there are two engines.
//!
//! [`Db`] is a database, SQLite or PostgreSQL, chosen by `DATABASE_URL` when the process starts; [`Tx`] is one transaction of either.
//! Both take one SQL text ([`Sql`]) and a tuple of binds. A `#` in a text stands for what grows: the rows of a `VALUES #`
//! ([`Tx::rows`]) or the list of an `IN #` ([`Tx::among`]).

mod backup;
mod connect;
mod error;
mod pool;
mod sql;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Postgres, Sqlite};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tracing::Instrument as _;

use pool::Counted;

pub use backup::sqlite_file;
pub use connect::{Engine, Options, POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS, server_of};
pub use error::{Error, Trouble};
pub use pool::Pool;
pub use sql::{Binds, Eventually, Record, Sql, Value, Wide};

/// The work of a [`Db::write`]: borrows the transaction, may be spawned.
pub type Work<'t, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 't>>;

/// How long a writer waits for its turn before the caller is told to come again.
const WRITER_WAIT_MAX: Duration = Duration::from_secs(2);

/// A server that says nothing for so long is gone: it would itself have ended the statement after 10 s. Without this a host that
/// vanished would hold every connection until the kernel gives up on it, a quarter of an hour later.
const SILENCE_MAX: Duration = Duration::from_secs(12);

/// How late a commit is that was said to be made before.
const LATE: Duration = Duration::from_millis(50);

/// The key of the transactor's advisory lock: one batch at a time in the deployment.
const BATCH_LOCK: i64 = 0x52_65_6c_65_76_e9;

/// A database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pools: Pools,
    locks: bool,
    /// True only in the negative control of the crash test.
    late: bool,
}

#[derive(Clone)]
enum Pools {
    Sqlite {
        writer: Counted<Sqlite>,
        readers: Counted<Sqlite>,
        /// Handlers and the letter worker queue here, so that at most one of them stands before the transactor at the writer.
        queue: Arc<Mutex<()>>,
        turn: Arc<Mutex<()>>,
    },
    Postgres {
        pool: Counted<Postgres>,
        transactor: Counted<Postgres>,
    },
}

/// One transaction of either engine. Dropped without [`Tx::commit`] it is rolled back.
pub struct Tx {
    conn: Conn,
    open: bool,
    /// Its server is gone or only reads: the connection is not used again.
    spoiled: bool,
    /// False only in the negative control of a race test.
    locks: bool,
    /// True only in the negative control of the crash test.
    late: bool,
    /// The right to write, given up after the connection is back in its pool.
    _turn: Option<OwnedMutexGuard<()>>,
}

enum Conn {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Db {
    /// Which engine stands behind it.
    pub fn engine(&self) -> Engine {
        match self.pools {
            Pools::Sqlite { .. } => Engine::Sqlite,
            Pools::Postgres { .. } => Engine::Postgres,
        }
    }

    /// The same database without the transactor's lock and without row locks: the negative control of the race tests.
    #[doc(hidden)]
    pub fn without_locks(&self) -> Self {
        Self { locks: false, ..self.clone() }
    }

    /// The same database, whose commits are said to be made before they are: the negative control of the crash test.
    #[doc(hidden)]
    pub fn committing_late(&self) -> Self {
        Self { late: true, ..self.clone() }
    }

    /// How the pools do.
    pub fn pools(&self) -> [Pool; 2] {
        match &self.pools {
            Pools::Sqlite { writer, readers, .. } => [readers.now("readers"), writer.now("writer")],
            Pools::Postgres { pool, transactor } => [pool.now("handlers"), transactor.now("transactor")],
        }
    }

    /// One snapshot for several reads.
    pub fn read(&self) -> Eventually<'_, Tx> {
        Box::pin(async move {
            let conn = match &self.pools {
                Pools::Sqlite { readers, .. } => Conn::Sqlite(readers.acquire().await?),
                Pools::Postgres { pool, .. } => Conn::Postgres(pool.acquire().await?),
            };
            let mut tx = Tx { conn, open: true, spoiled: false, locks: self.locks, late: self.late, _turn: None };
            tx.raw("BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
            Ok(tx)
        })
    }

    /// Does `work` in one transaction and commits it; an error rolls it back. The only way to the writer: it runs in a task of its
    /// own, so that a caller who hangs up leaves no half of it, and gives up after 2 s of waiting ([`Trouble::Away`]).
    /// Inside, never await the transactor, the network or a password hash. `name` is its label in `/metrics`.
    pub async fn write<T, E, F>(&self, name: &'static str, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> Work<'t, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let db = self.clone();
        let working = async move {
            let mut tx = db.begin().await?;
            let began = Instant::now();
            let outcome = work(&mut tx).await;
            let outcome = match outcome {
                Ok(value) => tx.commit().await.map(|()| value).map_err(E::from),
                Err(error) => {
                    tx.rollback().await;
                    Err(error)
                }
            };
            metrics::histogram!("releve_db_write_seconds", "name" => name).record(began.elapsed());
            outcome
        };
        // What it logs belongs to the request that asked for it.
        match tokio::spawn(working.in_current_span()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(E::from(Error::panicked(name))),
        }
    }

    /// The transactor's transaction: holds the one lock that makes batches follow each other in the whole deployment.
    pub fn begin_batch(&self) -> Eventually<'_, Tx> {
        Box::pin(async move {
            match &self.pools {
                Pools::Sqlite { writer, turn, .. } => {
                    let turn = {
                        let _waiting = writer.wait();
                        Arc::clone(turn).lock_owned().await
                    };
                    begin_sqlite(writer, turn, self.late).await
                }
                Pools::Postgres { transactor, .. } => {
                    let mut tx = Tx {
                        conn: Conn::Postgres(transactor.acquire().await?),
                        open: true,
                        spoiled: false,
                        locks: self.locks,
                        late: self.late,
                        _turn: None,
                    };
                    if self.locks {
                        let text = format!("BEGIN; SET LOCAL lock_timeout = '3s'; SELECT pg_advisory_xact_lock({BATCH_LOCK})");
                        tx.raw_owned(text).await?;
                    } else {
                        tx.raw("BEGIN", "BEGIN").await?;
                    }
                    Ok(tx)
                }
            }
        })
    }

    /// A writing transaction of a handler, a sweep or the letter worker.
    fn begin(&self) -> Eventually<'_, Tx> {
        Box::pin(async move {
            match &self.pools {
                Pools::Sqlite { writer, queue, turn, .. } => {
                    let waiting = async {
                        let _waiting = writer.wait();
                        let _place = queue.lock().await;
                        Arc::clone(turn).lock_owned().await
                    };
                    let turn = tokio::time::timeout(WRITER_WAIT_MAX, waiting).await.map_err(|_| Error::writer_busy())?;
                    begin_sqlite(writer, turn, self.late).await
                }
                Pools::Postgres { pool, .. } => {
                    let mut tx = Tx {
                        conn: Conn::Postgres(pool.acquire().await?),
                        open: true,
                        spoiled: false,
                        locks: self.locks,
                        late: self.late,
                        _turn: None,
                    };
                    tx.raw("BEGIN", "BEGIN").await?;
                    Ok(tx)
                }
            }
        })
    }

    /// Closes every connection, after which the file may be moved.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres { pool, transactor } => {
                transactor.close().await;
                pool.close().await;
            }
        }
    }
}

async fn begin_sqlite(writer: &Counted<Sqlite>, turn: OwnedMutexGuard<()>, late: bool) -> Result<Tx, Error> {
    let mut tx = Tx { conn: Conn::Sqlite(writer.acquire().await?), open: true, spoiled: false, locks: true, late, _turn: Some(turn) };
    tx.raw("BEGIN IMMEDIATE", "").await?;
    Ok(tx)
}

impl Db {
    /// All rows that answer.
    pub fn all<T: Record>(&self, sql: impl Into<Sql>, binds: impl Binds) -> Eventually<'_, Vec<T>> {
        match &self.pools {
            Pools::Sqlite { readers, .. } => {
                let (text, args) = (sql.into().sqlite(), binds.sqlite());
                Box::pin(async move { sql::all_sqlite(&mut *readers.acquire().await?, text, args).await })
            }
            Pools::Postgres { pool, .. } => lent(pool, sql.into().postgres(), binds.postgres()),
        }
    }

    /// The row that answers, if there is one.
    pub fn maybe<T: Record>(&self, sql: impl Into<Sql>, binds: impl Binds) -> Eventually<'_, Option<T>> {
        first(self.all(sql, binds))
    }

    /// The one row that must answer.
    pub fn one<T: Record>(&self, sql: impl Into<Sql>, binds: impl Binds) -> Eventually<'_, T> {
        must(self.maybe(sql, binds))
    }

    /// All rows whose key is in the list that the text's `IN #` stands for.
    pub fn among<T: Record, V: Value>(&self, sql: impl Into<Sql>, binds: impl Binds, list: &[V]) -> Eventually<'_, Vec<T>> {
        match &self.pools {
            Pools::Sqlite { readers, .. } => {
                let statements = sql::among_sqlite(sql.into().sqlite(), &binds, list);
                Box::pin(async move {
                    let mut found = Vec::new();
                    for (text, args) in statements {
                        found.extend(sql::all_sqlite(&mut *readers.acquire().await?, text, args).await?);
                    }
                    Ok(found)
                })
            }
            Pools::Postgres { pool, .. } => {
                let (text, args) = sql::among_postgres(sql.into().postgres(), binds, list);
                lent(pool, text, args)
            }
        }
    }
}

impl Tx {
    /// All rows that answer.
    pub fn all<T: Record>(&mut self, sql: impl Into<Sql>, binds: impl Binds) -> Eventually<'_, Vec<T>> {
        match &mut self.conn {
            Conn::Sqlite(conn) => sql::all_sqlite(&mut **conn, sql.into().sqlite(), binds.sqlite()),
            Conn::Postgres(conn) => {
                noting(&mut self.spoiled, sql::all_postgres(&mut **conn, sql.into().locking(self.locks), binds.postgres()))
            }
        }
    }

    /// The row that answers, if there is one.
    pub fn maybe<T: Record>(&mut self, sql: impl Into<Sql>, binds: impl Binds) -> Eventually<'_, Option<T>> {
        first(self.all(sql, binds))
    }

    /// The one row that must answer.
    pub fn one<T: Record>(&mut self, sql: impl Into<Sql>, binds: impl Binds) -> Eventually<'_, T> {
        must(self.maybe(sql, binds))
    }

    /// All rows whose key is in the list that the text's `IN #` stands for.
    pub fn among<T: Record, V: Value>(&mut self, sql: impl Into<Sql>, binds: impl Binds, list: &[V]) -> Eventually<'_, Vec<T>> {
        match &mut self.conn {
            Conn::Sqlite(conn) => {
                let statements = sql::among_sqlite(sql.into().sqlite(), &binds, list);
                Box::pin(async move {
                    let mut found = Vec::new();
                    for (text, args) in statements {
                        found.extend(sql::all_sqlite(&mut **conn, text, args).await?);
                    }
                    Ok(found)
                })
            }
            Conn::Postgres(conn) => {
                let (text, args) = sql::among_postgres(sql.into().locking(self.locks), binds, list);
                noting(&mut self.spoiled, sql::all_postgres(&mut **conn, text, args))
            }
        }
    }

    /// Runs a statement; how many rows it touched.
    pub fn run(&mut self, sql: impl Into<Sql>, binds: impl Binds) -> Eventually<'_, u64> {
        match &mut self.conn {
            Conn::Sqlite(conn) => sql::run_sqlite(conn, sql.into().sqlite(), binds.sqlite()),
            Conn::Postgres(conn) => noting(&mut self.spoiled, sql::run_postgres(conn, sql.into().postgres(), binds.postgres())),
        }
    }

    /// Runs a statement whose `VALUES #` stands for these rows, in as few texts as may be; how many rows it touched.
    /// Serves bulk inserts, and bulk updates as `WITH x(id, n) AS (VALUES #) UPDATE … FROM x`.
    pub fn rows<B: Binds>(&mut self, sql: impl Into<Sql>, rows: Vec<B>) -> Eventually<'_, u64> {
        match &mut self.conn {
            Conn::Sqlite(conn) => {
                let statements = sql::rows_sqlite(sql.into().sqlite(), rows);
                Box::pin(async move {
                    let mut touched = 0;
                    for (text, args) in statements {
                        touched += sql::run_sqlite(conn, text, args).await?;
                    }
                    Ok(touched)
                })
            }
            Conn::Postgres(conn) => {
                let statements = sql::rows_postgres(sql.into().postgres(), rows);
                let spoiled = &mut self.spoiled;
                Box::pin(async move {
                    let mut touched = 0;
                    for (text, args) in statements {
                        touched += noting(spoiled, sql::run_postgres(conn, text, args)).await?;
                    }
                    Ok(touched)
                })
            }
        }
    }

    /// Makes it so. What has not been committed never was.
    pub async fn commit(mut self) -> Result<(), Error> {
        if self.late {
            tokio::spawn(async move {
                tokio::time::sleep(LATE).await;
                self.make_it_so().await
            });
            return Ok(());
        }
        self.make_it_so().await
    }

    async fn make_it_so(&mut self) -> Result<(), Error> {
        self.raw("COMMIT", "COMMIT").await?;
        self.open = false;
        Ok(())
    }

    /// Takes it all back and keeps the connection, if it is of any use.
    pub async fn rollback(mut self) {
        if !self.spoiled && self.raw("ROLLBACK", "ROLLBACK").await.is_ok() {
            self.open = false;
        }
    }

    /// Whether this process is the only one that now holds the named right, until this transaction ends. SQLite has one process.
    pub async fn alone(&mut self, right: i64) -> Result<bool, Error> {
        match self.conn {
            Conn::Sqlite(_) => Ok(true),
            Conn::Postgres(_) if !self.locks => Ok(true),
            Conn::Postgres(_) => {
                let (alone,): (bool,) = self.one("SELECT pg_try_advisory_xact_lock($1)", (right,)).await?;
                Ok(alone)
            }
        }
    }

    /// Waits for the batch that the transactor is deciding, and keeps it from the next until the end of this transaction: for the rare plain
    /// change of rows that the transactor reads and writes whole. The first statement of its transaction. On SQLite the writer is that lock.
    pub async fn between_batches(&mut self) -> Result<(), Error> {
        if self.locks && matches!(self.conn, Conn::Postgres(_)) {
            self.raw_owned(format!("SET LOCAL lock_timeout = '3s'; SELECT pg_advisory_xact_lock({BATCH_LOCK})")).await?;
        }
        Ok(())
    }

    async fn raw(&mut self, sqlite: &'static str, postgres: &'static str) -> Result<(), Error> {
        match &mut self.conn {
            Conn::Sqlite(conn) => sqlx::raw_sql(sqlite).execute(&mut **conn).await.map(drop)?,
            Conn::Postgres(conn) => noting(&mut self.spoiled, raw_postgres(conn, postgres.into())).await?,
        }
        Ok(())
    }

    /// Only for texts made of this file's own constants.
    async fn raw_owned(&mut self, text: String) -> Result<(), Error> {
        if let Conn::Postgres(conn) = &mut self.conn {
            noting(&mut self.spoiled, raw_postgres(conn, text)).await?;
        }
        Ok(())
    }
}

impl Drop for Tx {
    /// A transaction left open (a panic, a failed rollback, a server that became read-only) takes its connection with it.
    fn drop(&mut self) {
        if self.open {
            match &mut self.conn {
                Conn::Sqlite(conn) => conn.close_on_drop(),
                Conn::Postgres(conn) => conn.close_on_drop(),
            }
        }
    }
}

/// Only for texts made of this file's own constants.
fn raw_postgres(conn: &mut sqlx::PgConnection, text: String) -> Eventually<'_, ()> {
    Box::pin(async move { Ok(sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(conn).await.map(drop)?) })
}

/// The statement's outcome, or that the server has fallen silent; notes whether the connection is of any further use.
fn noting<'a, T: Send + 'a>(spoiled: &'a mut bool, statement: Eventually<'a, T>) -> Eventually<'a, T> {
    Box::pin(async move {
        let outcome = tokio::time::timeout(SILENCE_MAX, statement).await.unwrap_or_else(|_| Err(Error::silent()));
        *spoiled |= outcome.as_ref().is_err_and(Error::spoils_its_connection);
        outcome
    })
}

/// A connection out of its pool for one statement. Given back in the middle of it, it would hold its place in the pool for as long as
/// its server is silent: it is closed instead.
struct Loan {
    conn: PoolConnection<Postgres>,
    spoiled: bool,
}

impl Drop for Loan {
    fn drop(&mut self) {
        if self.spoiled {
            self.conn.close_on_drop();
        }
    }
}

fn lent<'a, T: Record>(
    pool: &'a Counted<Postgres>,
    text: &'static str,
    args: sql::Built<sqlx::postgres::PgArguments>,
) -> Eventually<'a, Vec<T>> {
    Box::pin(async move {
        let mut loan = Loan { conn: pool.acquire().await?, spoiled: true };
        let mut spoiled = false;
        let found = noting(&mut spoiled, sql::all_postgres(&mut *loan.conn, text, args)).await;
        loan.spoiled = spoiled;
        found
    })
}

fn first<'a, T: Send + 'a>(all: Eventually<'a, Vec<T>>) -> Eventually<'a, Option<T>> {
    Box::pin(async move { Ok(all.await?.into_iter().next()) })
}

fn must<'a, T: Send + 'a>(maybe: Eventually<'a, Option<T>>) -> Eventually<'a, T> {
    Box::pin(async move { maybe.await?.ok_or_else(Error::missing) })
}
