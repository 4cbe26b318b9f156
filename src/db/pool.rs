//! A pool of connections that can report its state.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::pool::PoolConnection;

/// What `/metrics` says about a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// `readers` and `writer` of a file; `handlers` and `transactor` of a server.
    pub name: &'static str,
    /// The most connections that it may open.
    pub most: u32,
    /// Connections that are open.
    pub open: u32,
    /// Open connections that nobody uses.
    pub idle: u32,
    /// How many wait for one, or for the turn to write.
    pub waiting: u32,
}

/// A pool of sqlx that also counts who waits for it.
pub(super) struct Counted<E: sqlx::Database> {
    pool: sqlx::Pool<E>,
    waiting: Arc<AtomicU32>,
}

impl<E: sqlx::Database> Counted<E> {
    /// Waits for a connection, and is counted as long as it waits.
    pub async fn acquire(&self) -> Result<PoolConnection<E>, sqlx::Error> {
        let _waiting = self.wait();
        self.pool.acquire().await
    }

    /// Counts one more waiter, until this is dropped.
    pub fn wait(&self) -> Waiting {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(Arc::clone(&self.waiting))
    }

    /// The pool's state now.
    pub fn now(&self, name: &'static str) -> Pool {
        Pool {
            name,
            most: self.pool.options().get_max_connections(),
            open: self.pool.size(),
            idle: u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX),
            waiting: self.waiting.load(Ordering::Relaxed),
        }
    }
}

/// Somebody who waits.
pub(super) struct Waiting(Arc<AtomicU32>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<E: sqlx::Database> From<sqlx::Pool<E>> for Counted<E> {
    fn from(pool: sqlx::Pool<E>) -> Self {
        Self { pool, waiting: Arc::default() }
    }
}

impl<E: sqlx::Database> Clone for Counted<E> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), waiting: Arc::clone(&self.waiting) }
    }
}

impl<E: sqlx::Database> Deref for Counted<E> {
    type Target = sqlx::Pool<E>;

    fn deref(&self) -> &sqlx::Pool<E> {
        &self.pool
    }
}

#[cfg(test)]
mod tests {
    use crate::db::{Db, Error, Options};

    #[tokio::test]
    async fn who_waits_is_counted_as_long_as_it_waits() {
        let directory = tempfile::tempdir().unwrap();
        let options = Options { connections: 1, ..Options::default() };
        let db = Db::open_file(&directory.path().join("releve.db"), options).await.unwrap();
        let now = |index: usize| db.pools()[index];
        assert_eq!((now(0).name, now(0).most, now(0).waiting), ("readers", 1, 0));
        assert_eq!((now(1).name, now(1).most, now(1).open), ("writer", 1, 1));

        let reading = db.read().await.unwrap();
        assert_eq!((now(0).open, now(0).idle), (1, 0));
        let second = tokio::spawn({
            let db = db.clone();
            async move { db.one::<(i64,)>("SELECT CAST(1 AS BIGINT)", ()).await }
        });
        let batch = db.begin_batch().await.unwrap();
        let writing = tokio::spawn({
            let db = db.clone();
            async move { db.write("test", |_| Box::pin(async { Ok::<_, Error>(()) })).await }
        });
        while (now(0).waiting, now(1).waiting) != (1, 1) {
            tokio::task::yield_now().await;
        }
        reading.rollback().await;
        batch.rollback().await;
        second.await.unwrap().unwrap();
        writing.await.unwrap().unwrap();
        assert_eq!((now(0).waiting, now(1).waiting), (0, 0));
        db.close().await;
    }
}
