//! The driver: a whole studio in one process, with a clock that moves only when told and letters that stay in memory.

use std::future::Future;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone as _, Utc};
use releve::app::App;
use releve::clock::Clock;
use releve::db::{Db, Engine, Options};
use releve::letters::transport::Post;
use releve::letters::worker::Worker;
use releve::settings::Settings;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::postgres::Cluster;
use crate::seed::{self, Studio};

/// When every test begins: a Monday, 10:00 in Shanghai.
pub const THE_BEGINNING: &str = "2026-11-30T02:00:00Z";

/// The key of every test's deployment.
pub const KEY: &str = "cGxpZS10ZW5kdS1yZWxldmUtc2F1dGUtZ2xpc3NlLWVs";

/// Writes each behaviour test once and runs it twice: as `sqlite::…` and as `postgres::…`. Once in a file.
macro_rules! both_engines {
    ($($tests:tt)*) => { both_engines_by! { run $($tests)* } };
}

/// The same, for tests whose calls come from somewhere.
macro_rules! both_engines_behind_proxy {
    ($($tests:tt)*) => { both_engines_by! { run_behind_proxy $($tests)* } };
}

macro_rules! both_engines_by {
    ($by:ident $($(#[$meta:meta])* async fn $name:ident($house:ident: House) $body:block)*) => {
        mod sqlite {
            $($(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::house::$by(releve::db::Engine::Sqlite, super::$name).await;
            })*
        }
        mod postgres {
            $($(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::house::$by(releve::db::Engine::Postgres, super::$name).await;
            })*
        }
        $(async fn $name($house: $crate::house::House) $body)*
    };
}

/// Opens a house, runs the test in it, and sees that it was left in order.
pub async fn run<T: Future<Output = ()>>(engine: Engine, test: impl FnOnce(House) -> T) {
    let Some(house) = House::open(engine).await else {
        return;
    };
    test(house.clone()).await;
    house.close().await;
}

/// The same behind a proxy on this machine, which is believed when it says for whom it asks (`Call::from`).
pub async fn run_behind_proxy<T: Future<Output = ()>>(engine: Engine, test: impl FnOnce(House) -> T) {
    let Some(house) = House::open_with(engine, |settings| settings.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()]).await
    else {
        return;
    };
    test(house.clone()).await;
    house.close().await;
}

/// A running house. Cheap to clone.
#[derive(Clone)]
pub struct House(Arc<Rooms>);

/// What a test may touch.
pub struct Rooms {
    /// The application that serves.
    pub app: App,
    /// Its database.
    pub db: Db,
    /// Its clock, which moves only when told.
    pub clock: Clock,
    /// `http://127.0.0.1:…`
    pub url: String,
    /// The client of every call.
    pub http: reqwest::Client,
    /// The studio that every test finds: Jing'an, Asia/Shanghai.
    pub studio: Studio,
    /// Its data directory.
    pub directory: PathBuf,
    letters_may_stay: AtomicBool,
    audit_may_be_dirty: AtomicBool,
    stop: std::sync::Mutex<Option<oneshot::Sender<()>>>,
    served: std::sync::Mutex<Option<tokio::task::JoinHandle<()>>>,
    database: Database,
}

/// Where the rows are.
enum Database {
    File { _directory: TempDir },
    Own { name: String, cluster: &'static Cluster, _directory: TempDir },
}

impl Deref for House {
    type Target = Rooms;

    fn deref(&self) -> &Rooms {
        &self.0
    }
}

impl House {
    /// A house of its own, seeded and serving; `None` where PostgreSQL is asked for and not installed.
    pub async fn open(engine: Engine) -> Option<Self> {
        Self::open_with(engine, |_| {}).await
    }

    /// The same, with other settings.
    pub async fn open_with(engine: Engine, change: impl FnOnce(&mut Settings)) -> Option<Self> {
        let cluster = if engine == Engine::Postgres { Some(Cluster::shared()?) } else { None };
        Some(Self::open_on(cluster, THE_BEGINNING.parse().unwrap(), change).await)
    }

    /// The same on this cluster, or, without one, on SQLite; the clock stands at `begins`.
    pub async fn open_on(cluster: Option<&'static Cluster>, begins: DateTime<Utc>, change: impl FnOnce(&mut Settings)) -> Self {
        // `RUST_LOG=warn` shows what the house says of itself.
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
        let directory = TempDir::with_prefix("releve-test-").unwrap();
        let path = directory.path().to_owned();
        let (database, url) = match cluster {
            None => {
                let file = path.join("releve.db");
                std::fs::write(&file, migrated_file().await).unwrap();
                let url = format!("sqlite:{}", file.display());
                (Database::File { _directory: directory }, url)
            }
            Some(cluster) => {
                let (name, url) = cluster.database().await;
                (Database::Own { name, cluster, _directory: directory }, url)
            }
        };
        let mut settings = settings(&path, url);
        change(&mut settings);
        let options = Options { connections: settings.database.connections, ..Options::default() };
        let db = Db::open(&settings.database.url, options).await.unwrap();
        let clock = Clock::standing_at(begins);
        let studio = seed::jing_an(&db, clock.now()).await;
        let post = Post::open(&settings).unwrap();
        let app = App::new(settings, db.clone(), clock.clone(), post).unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(releve::server::serve(app.clone(), listener, at_once(stopped)));
        Self(Arc::new(Rooms {
            app,
            db,
            clock,
            url,
            http: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap(),
            studio,
            directory: path,
            letters_may_stay: AtomicBool::new(false),
            audit_may_be_dirty: AtomicBool::new(false),
            stop: std::sync::Mutex::new(Some(stop)),
            served: std::sync::Mutex::new(Some(served)),
            database,
        }))
    }

    /// A new id, as an app would choose it.
    pub fn new_id(&self) -> Uuid {
        releve::ids::new_id(self.clock.now())
    }

    /// Moves the clock on.
    pub fn advance(&self, by: TimeDelta) {
        self.clock.set(self.clock.now() + by);
    }

    /// Sets the clock to a wall time of the studio: `"2026-12-01 06:30"`.
    pub fn it_is(&self, local: &str) {
        self.clock.set(self.at(local));
    }

    /// The instant of a wall time of the studio.
    pub fn at(&self, local: &str) -> DateTime<Utc> {
        let local = NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M").unwrap();
        self.studio.zone.from_local_datetime(&local).earliest().unwrap().to_utc()
    }

    /// Says that this test ends with letters that were not sent, and means it.
    pub fn letters_may_stay(&self) {
        self.letters_may_stay.store(true, Ordering::Relaxed);
    }

    /// Says that this test breaks a promise on purpose.
    pub fn audit_may_be_dirty(&self) {
        self.audit_may_be_dirty.store(true, Ordering::Relaxed);
    }

    /// Every promise holds on this database, now.
    pub async fn audit_is_clean(&self) {
        let report = releve::audit::check(&self.db, self.clock.now()).await.unwrap();
        assert!(report.is_clean(), "{report}");
    }

    /// Does what falls due by the clock.
    pub async fn sweep(&self) {
        releve::sweeps::sweep(&self.app).await.unwrap();
    }

    /// Works off the letters that are due.
    pub async fn post(&self) {
        self.worker().run_until_empty().await.unwrap();
    }

    /// A worker of this house.
    pub fn worker(&self) -> Worker {
        Worker::new(self.app.clone())
    }

    /// Leaves the house in order: letters worked off, promises kept, doors closed.
    pub async fn close(self) {
        self.post().await;
        if !self.letters_may_stay.load(Ordering::Relaxed) {
            let left: Vec<(String, String)> =
                self.db.all("SELECT kind, state FROM letters WHERE state NOT IN ('sent', 'obsolete')", ()).await.unwrap();
            assert!(left.is_empty(), "letters stayed behind: {left:?}");
        }
        if !self.audit_may_be_dirty.load(Ordering::Relaxed) {
            self.audit_is_clean().await;
        }
        self.shut().await;
        if let Database::Own { name, cluster, .. } = &self.database {
            cluster.drop_database(name).await;
        }
    }

    /// Stops serving and closes the database.
    pub async fn shut(&self) {
        let stop = self.stop.lock().unwrap().take();
        let served = self.served.lock().unwrap().take();
        if let (Some(stop), Some(served)) = (stop, served) {
            let _ = stop.send(());
            // For half a second more the server listens to the connections that this test's client keeps: nobody waits for that.
            let _ = tokio::time::timeout(Duration::from_millis(20), served).await;
            self.app.close_transactor().await;
            self.db.close().await;
        }
    }
}

/// An end without a drain.
pub async fn at_once(stopped: oneshot::Receiver<()>) -> Duration {
    let _ = stopped.await;
    Duration::ZERO
}

/// The settings of a test: neither `.env` nor `DATABASE_URL` is read, passwords are cheap, letters stay in memory.
pub fn settings(directory: &std::path::Path, url: String) -> Settings {
    let mut settings = Settings::defaults().unwrap();
    settings.data.directory = directory.to_owned();
    settings.database.url = url;
    settings.sign_in.keys = vec![KEY.into()];
    settings.sign_in.argon2_memory_kib = 8;
    settings.sign_in.argon2_passes = 1;
    settings.letters.transport = "memory:".into();
    settings.letters.from = "letters@releve.test".into();
    settings
}

/// A migrated SQLite file, made once for all tests and kept in memory.
async fn migrated_file() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    if let Some(file) = FILE.get() {
        return file;
    }
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("template.db");
    let db = Db::open_file(&path, Options { connections: 1, ..Options::default() }).await.unwrap();
    db.migrate().await.unwrap();
    db.close().await;
    let bytes = std::fs::read(&path).unwrap();
    FILE.get_or_init(|| bytes)
}
