//! The demo: seeded, found again, extended, emptied; and every promise holds in it.

use chrono::{DateTime, TimeDelta, Utc};
use releve::app::App;
use releve::audit;
use releve::clock::Clock;
use releve::db::{Db, Engine, Error, Options};
use releve::demo::store::Holds;
use releve::demo::{self, Wish};
use releve::letters::transport::Post;
use tempfile::TempDir;

use crate::house::{THE_BEGINNING, settings};
use crate::postgres::Cluster;

/// A demo before it is seeded.
struct Stage {
    app: App,
    _directory: TempDir,
}

async fn stage(engine: Engine) -> Option<Stage> {
    let directory = TempDir::new().unwrap();
    let url = match engine {
        Engine::Sqlite => format!("sqlite:{}", directory.path().join("releve.db").display()),
        Engine::Postgres => Cluster::shared()?.empty_database().await.1,
    };
    let db = Db::open(&url, Options::default()).await.unwrap();
    assert_eq!(demo::store::holds(&db).await.unwrap(), Holds::Nothing);
    db.migrate().await.unwrap();
    assert_eq!(demo::store::holds(&db).await.unwrap(), Holds::Nothing);
    let settings = settings(directory.path(), url);
    let post = Post::open(&settings).unwrap();
    let clock = Clock::standing_at(THE_BEGINNING.parse().unwrap());
    Some(Stage { app: App::new(settings, db, clock, post).unwrap(), _directory: directory })
}

impl Stage {
    async fn prepare(&self) -> demo::Sights {
        demo::prepare(&self.app, Wish { members: 60, password_hash: "none".into() }).await.unwrap()
    }

    async fn count(&self, sql: &'static str) -> i64 {
        let (count,): (i64,) = self.app.db.one(sql, ()).await.unwrap();
        count
    }

    async fn promises_hold(&self) {
        let report = audit::check(&self.app.db, self.app.clock.now()).await.unwrap();
        assert!(report.is_clean(), "{report}");
    }

    async fn close(self) {
        self.app.close_transactor().await;
        self.app.db.close().await;
    }
}

const SESSIONS: &str = "SELECT COUNT(*) FROM sessions";

async fn a_demo_is_seeded_once_and_grows_with_the_days(engine: Engine) {
    let Some(stage) = stage(engine).await else { return };
    let sights = stage.prepare().await;
    stage.promises_hold().await;
    assert_eq!(demo::store::holds(&stage.app.db).await.unwrap(), Holds::Demo);
    let full: (i64, i64, i64) =
        stage.app.db.one("SELECT capacity, taken, waiting FROM sessions WHERE id = $1", (sights.full_session,)).await.unwrap();
    assert_eq!(full, (12, 12, 2));
    assert_eq!(stage.count("SELECT COUNT(*) FROM letters").await, 14);
    assert_eq!(stage.count("SELECT COUNT(*) FROM accounts").await, 9 + 60);
    let before = stage.count(SESSIONS).await;

    // Again, the same day.
    stage.prepare().await;
    assert_eq!(stage.count(SESSIONS).await, before);
    assert_eq!(stage.count("SELECT COUNT(*) FROM letters").await, 14);

    // Cut off while it was being booked: the rest is done when it starts again.
    let cut = stage.app.db.write("cut", |tx| {
        Box::pin(async move {
            tx.run("UPDATE house_facts SET value = 'seeding 60 2026-11-30' WHERE name = 'demo'", ()).await?;
            Ok::<_, Error>(())
        })
    });
    cut.await.unwrap();
    stage.prepare().await;
    assert_eq!(stage.count("SELECT COUNT(*) FROM bookings WHERE status = 'waitlisted'").await, 2);

    // Five days later five more days have come into view.
    let later: DateTime<Utc> = THE_BEGINNING.parse::<DateTime<Utc>>().unwrap() + TimeDelta::days(5);
    stage.app.clock.set(later);
    releve::sweeps::sweep(&stage.app).await.unwrap();
    let sights = stage.prepare().await;
    assert_eq!(sights.full_session, None);
    assert_eq!(stage.count(SESSIONS).await, before + 5 * 2 * 7);
    stage.promises_hold().await;
    stage.close().await;
}

async fn nothing_else_is_taken_for_a_demo(engine: Engine) {
    let Some(stage) = stage(engine).await else { return };
    stage.prepare().await;
    let unmark = stage.app.db.write("unmark", |tx| Box::pin(async move { tx.run("DELETE FROM house_facts", ()).await }));
    let _: u64 = unmark.await.map_err(|error: Error| error).unwrap();
    assert_eq!(demo::store::holds(&stage.app.db).await.unwrap(), Holds::SomethingElse);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_demo_can_be_seeded_anew() {
    let Some(stage) = stage(Engine::Postgres).await else { return };
    stage.prepare().await;
    stage.app.db.write("empty", |tx| Box::pin(demo::store::empty(tx))).await.map_err(|error: Error| error).unwrap();
    assert_eq!(demo::store::holds(&stage.app.db).await.unwrap(), Holds::Nothing);
    stage.prepare().await;
    stage.promises_hold().await;
    stage.close().await;
}

macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(releve::db::Engine::Sqlite).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(releve::db::Engine::Postgres).await;
            })*
        }
    };
}

on_both! { a_demo_is_seeded_once_and_grows_with_the_days nothing_else_is_taken_for_a_demo }
