//! The seam: the only files that know that there are two engines.
//!
//! [`Db`] is a database, SQLite or PostgreSQL, chosen by `DATABASE_URL` when the process starts; [`Tx`] is one transaction of either. Both
//! take one SQL text ([`Sql`]) and a tuple of binds. A `#` in a text stands for what varies in length: the rows of a `VALUES #`
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
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};
use tracing::Instrument as _;

use pool::Counted;

pub use backup::sqlite_file;
pub use connect::{Options, POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS, host_without_tls, server_of};
pub use error::{Error, Trouble};
pub use pool::Pool;
pub use sql::{Args, Bind, Binds, Engine, Record, Sql, Value, Wide};

/// A future that a caller may spawn. The methods here are plain functions that build their arguments first: as `async fn` they
/// compile, but callers inside `tokio::spawn` then fail with "implementation of `Send` is not general enough".
pub type Eventually<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// The work of a [`Db::write`]: borrows the transaction, may be spawned.
pub type Work<'t, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 't>>;

/// How long a writer waits for its turn before the caller is told to try again.
const WRITER_WAIT_MAX: Duration = Duration::from_secs(2);

/// A server that is silent for this long is gone: it would itself have ended the statement after 10 s. Without this a host that vanished
/// would hold every connection until the kernel gives up on it, a quarter of an hour later.
const SILENCE_MAX: Duration = Duration::from_secs(12);

/// How long after it was reported a late commit is made.
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
        /// Handlers and the letter worker queue here, so that at most one of them is ahead of the transactor for the writer.
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
    /// Its server is gone or read-only: the connection is not used again.
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

    /// The same database, but commits are reported before they are made: the negative control of the crash test.
    #[doc(hidden)]
    pub fn committing_late(&self) -> Self {
        Self { late: true, ..self.clone() }
    }

    /// The state of the pools.
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

    /// Does `work` in one transaction and commits it; an error rolls it back. The only way to the writer: it runs in a task of its own, so
    /// that a caller who disconnects leaves nothing half done, and gives up after 2 s of waiting ([`Trouble::Away`]). Inside, never await
    /// the transactor, the network or a password hash. `name` is its label in `/metrics`.
    pub async fn write<T, E, F>(&self, name: &'static str, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> Work<'t, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let db = self.clone();
        let (tell, told) = oneshot::channel();
        spawn(Box::pin(async move {
            let outcome = async {
                let mut tx = db.begin().await?;
                let began = Instant::now();
                let outcome = work(&mut tx).await;
                tx.end(outcome.is_ok(), name, began).await?;
                outcome
            };
            // The caller may be gone: it is done all the same.
            let _ = tell.send(outcome.await);
        }));
        told.await.unwrap_or_else(|_| Err(E::from(Error::panicked(name))))
    }

    /// The transactor's transaction: holds the one lock that puts all batches of the deployment in sequence.
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
    /// All rows of the result.
    pub fn all<T: Record>(&self, sql: impl Into<Sql>, binds: impl Binds) -> Eventually<'_, Vec<T>> {
        found(On::Db(self), self.single(sql.into(), &binds))
    }

    /// The row of the result, if there is one.
    pub fn maybe<T: Record>(&self, sql: impl Into<Sql>, binds: impl Binds) -> Eventually<'_, Option<T>> {
        first(On::Db(self), self.single(sql.into(), &binds))
    }

    /// The one row that the result must have.
    pub fn one<T: Record>(&self, sql: impl Into<Sql>, binds: impl Binds) -> Eventually<'_, T> {
        only(On::Db(self), self.single(sql.into(), &binds))
    }

    /// All rows whose key is in the list that the text's `IN #` stands for.
    pub fn among<T: Record, V: Value>(&self, sql: impl Into<Sql>, binds: impl Binds, list: &[V]) -> Eventually<'_, Vec<T>> {
        let sql = sql.into();
        found(On::Db(self), sql::among(self.engine(), sql.of(self.engine()), &binds, &list))
    }

    fn single(&self, sql: Sql, binds: &dyn Binds) -> sql::Statements {
        sql::single(self.engine(), sql.of(self.engine()), binds)
    }

    async fn fetch(&self, statements: Vec<sql::Statement>, into: &mut dyn sql::Rows) -> Result<(), Error> {
        match &self.pools {
            Pools::Sqlite { readers, .. } => {
                let mut conn = readers.acquire().await?;
                for statement in statements {
                    sql::fetch_sqlite(&mut conn, statement, into).await?;
                }
            }
            Pools::Postgres { pool, .. } => {
                for statement in statements {
                    let mut loan = Loan { conn: pool.acquire().await?, spoiled: true };
                    let mut spoiled = false;
                    let fetched = noting(&mut spoiled, sql::fetch_postgres(&mut loan.conn, statement, into)).await;
                    loan.spoiled = spoiled;
                    fetched?;
                }
            }
        }
        Ok(())
    }
}

impl Tx {
    /// All rows of the result.
    pub fn all<T: Record>(&mut self, sql: impl Into<Sql>, binds: impl Binds) -> Eventually<'_, Vec<T>> {
        let statements = self.single(sql.into(), &binds);
        found(On::Tx(self), statements)
    }

    /// The row of the result, if there is one.
    pub fn maybe<T: Record>(&mut self, sql: impl Into<Sql>, binds: impl Binds) -> Eventually<'_, Option<T>> {
        let statements = self.single(sql.into(), &binds);
        first(On::Tx(self), statements)
    }

    /// The one row that the result must have.
    pub fn one<T: Record>(&mut self, sql: impl Into<Sql>, binds: impl Binds) -> Eventually<'_, T> {
        let statements = self.single(sql.into(), &binds);
        only(On::Tx(self), statements)
    }

    /// All rows whose key is in the list that the text's `IN #` stands for.
    pub fn among<T: Record, V: Value>(&mut self, sql: impl Into<Sql>, binds: impl Binds, list: &[V]) -> Eventually<'_, Vec<T>> {
        let statements = sql::among(self.engine(), self.text(sql.into()), &binds, &list);
        found(On::Tx(self), statements)
    }

    /// Runs a statement; returns how many rows it touched.
    pub fn run(&mut self, sql: impl Into<Sql>, binds: impl Binds) -> Eventually<'_, u64> {
        let statements = self.single(sql.into(), &binds);
        self.run_all(statements)
    }

    /// Runs a statement whose `VALUES #` stands for these rows, in as few statements as possible; returns how many rows it touched. Serves
    /// bulk inserts, and bulk updates as `WITH x(id, n) AS (VALUES #) UPDATE … FROM x`.
    pub fn rows<B: Binds>(&mut self, sql: impl Into<Sql>, rows: Vec<B>) -> Eventually<'_, u64> {
        let rows: Vec<&dyn Binds> = rows.iter().map(|row| row as &dyn Binds).collect();
        let statements = sql::rows(self.engine(), sql.into().of(self.engine()), &rows);
        self.run_all(statements)
    }

    fn engine(&self) -> Engine {
        match self.conn {
            Conn::Sqlite(_) => Engine::Sqlite,
            Conn::Postgres(_) => Engine::Postgres,
        }
    }

    fn text(&self, sql: Sql) -> &'static str {
        match self.conn {
            Conn::Sqlite(_) => sql.of(Engine::Sqlite),
            Conn::Postgres(_) => sql.locking(self.locks),
        }
    }

    fn single(&self, sql: Sql, binds: &dyn Binds) -> sql::Statements {
        sql::single(self.engine(), self.text(sql), binds)
    }

    async fn fetch(&mut self, statements: Vec<sql::Statement>, into: &mut dyn sql::Rows) -> Result<(), Error> {
        for statement in statements {
            match &mut self.conn {
                Conn::Sqlite(conn) => sql::fetch_sqlite(conn, statement, into).await?,
                Conn::Postgres(conn) => noting(&mut self.spoiled, sql::fetch_postgres(conn, statement, into)).await?,
            }
        }
        Ok(())
    }

    fn run_all(&mut self, statements: sql::Statements) -> Eventually<'_, u64> {
        Box::pin(async move {
            let mut touched = 0;
            for statement in statements? {
                touched += match &mut self.conn {
                    Conn::Sqlite(conn) => sql::run_sqlite(conn, statement).await?,
                    Conn::Postgres(conn) => noting(&mut self.spoiled, sql::run_postgres(conn, statement)).await?,
                };
            }
            Ok(touched)
        })
    }

    /// Commits on success, rolls back on failure.
    fn end(self, well: bool, name: &'static str, began: Instant) -> Eventually<'static, ()> {
        Box::pin(async move {
            let ended = if well {
                self.commit().await
            } else {
                self.rollback().await;
                Ok(())
            };
            metrics::histogram!("releve_db_write_seconds", "name" => name).record(began.elapsed());
            ended
        })
    }

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

    /// Rolls back, and keeps the connection if it is still usable.
    pub async fn rollback(mut self) {
        if !self.spoiled && self.raw("ROLLBACK", "ROLLBACK").await.is_ok() {
            self.open = false;
        }
    }

    /// Whether this process holds the named right, alone, until this transaction ends. SQLite has only one process.
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

    /// Waits for the transactor's current batch, and holds off the next until this transaction ends: for the rare plain change of rows that
    /// the transactor reads and writes whole. Must be the first statement. On SQLite the writer is that lock.
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

/// The statement's outcome, or that the server is silent; notes if the connection is of no further use.
async fn noting<T>(spoiled: &mut bool, statement: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let outcome = tokio::time::timeout(SILENCE_MAX, statement).await.unwrap_or_else(|_| Err(Error::silent()));
    *spoiled |= outcome.as_ref().is_err_and(Error::spoils_its_connection);
    outcome
}

/// A connection borrowed from its pool for one statement. If dropped in the middle of it, it is closed: given back, it would take up a
/// place in the pool for as long as its server is silent.
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

/// Where statements are run.
enum On<'a> {
    Db(&'a Db),
    Tx(&'a mut Tx),
}

impl<'a> On<'a> {
    /// Runs the statements and passes their rows on. It does not name the type of a row, so this and all of sqlx below it is compiled once:
    /// only the three functions that follow are compiled for each type.
    fn fetch<'b>(self, statements: sql::Statements, into: &'b mut dyn sql::Rows) -> Eventually<'b, ()>
    where
        'a: 'b,
    {
        Box::pin(async move {
            match self {
                Self::Db(db) => db.fetch(statements?, into).await,
                Self::Tx(tx) => tx.fetch(statements?, into).await,
            }
        })
    }
}

fn found<T: Record>(on: On<'_>, statements: sql::Statements) -> Eventually<'_, Vec<T>> {
    Box::pin(async move {
        let mut rows = Vec::new();
        on.fetch(statements, &mut rows).await?;
        Ok(rows)
    })
}

fn first<T: Record>(on: On<'_>, statements: sql::Statements) -> Eventually<'_, Option<T>> {
    Box::pin(async move { Ok(found(on, statements).await?.into_iter().next()) })
}

fn only<T: Record>(on: On<'_>, statements: sql::Statements) -> Eventually<'_, T> {
    Box::pin(async move { found(on, statements).await?.into_iter().next().ok_or_else(Error::missing) })
}

/// Boxed, so that one type of task is compiled; with a type for each caller, tasks were a tenth of the program. What it logs belongs to the
/// request that asked for it.
fn spawn(work: Pin<Box<dyn Future<Output = ()> + Send>>) {
    tokio::spawn(work.in_current_span());
}
