//! A throw-away PostgreSQL, from the machine's own binaries: one cluster for each test binary, one database for each test.
//!
//! Statics are never dropped, so an undertaker (a small shell that reads our pipe) stops the cluster and removes its files when this
//! process is gone, however it ended. Without binaries the PostgreSQL half is not run, and this process says so last; on CI it is a
//! failure.

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use releve::db::{Db, Options};
use sqlx::{Connection, Executor, PgConnection};
use tmp_postgrust::synchronous::ProcessGuard;
use tmp_postgrust::{TmpPostgrustFactory, TmpPostgrustFactoryConfig};

/// Whether commits wait for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fsync {
    /// As in production: for what is timed and what is killed.
    On,
    /// Tests of behaviour need no disk.
    Off,
}

/// A running cluster whose template database is migrated.
pub struct Cluster {
    guard: ProcessGuard,
    data: PathBuf,
    postgres: PathBuf,
    /// Started again after a [`Cluster::stop`].
    again: Mutex<Option<Child>>,
    _undertaker: Child,
    databases: AtomicU32,
}

impl Cluster {
    /// The one cluster of this process; `None` where PostgreSQL is not installed, after the absence was noted.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
        let cluster = SHARED.get_or_init(|| Self::start(Fsync::Off)).as_ref();
        if cluster.is_none() {
            note_absence();
        }
        cluster
    }

    /// Starts one, if the binaries are here.
    pub fn start(fsync: Fsync) -> Option<Self> {
        let bin = binaries()?;
        // sqlx is asynchronous, tmp-postgrust is not, and the caller may stand in a runtime: so this has a thread of its own.
        let started = std::thread::spawn(move || Self::start_with(fsync, bin)).join();
        Some(started.expect("the cluster starts"))
    }

    fn start_with(fsync: Fsync, bin: PathBuf) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut config = TmpPostgrustFactoryConfig::default();
        config.disable_fsync = fsync == Fsync::Off;
        let postgres = bin.join("postgres");
        config.postgresql_bin_dir = Some(bin);
        let factory = TmpPostgrustFactory::try_new(&config).expect("initdb");
        let cache = Mutex::new(String::new());
        let prepare = |url: &str| {
            runtime.block_on(async {
                let mut connection = PgConnection::connect(url).await?;
                connection.execute("ALTER SYSTEM SET max_connections = 400").await?;
                connection.execute("ALTER SYSTEM SET shared_buffers = '128MB'").await?;
                let (directory,): (String,) = sqlx::query_as("SHOW data_directory").fetch_one(&mut connection).await?;
                *cache.lock().unwrap_or_else(PoisonError::into_inner) = directory;
                connection.close().await?;
                let db = Db::open(url, Options { connections: 1, ..Options::default() }).await?;
                db.migrate().await?;
                db.close().await;
                Ok(())
            })
        };
        factory.run_migrations(prepare).expect("the template database is migrated");
        let mut guard = factory.new_instance().expect("the cluster starts");
        // Nobody reads what it says, and a full pipe would stop it.
        let (out, err) = (guard.stdout_reader.take(), guard.stderr_reader.take());
        std::thread::spawn(move || out.into_iter().flatten().for_each(drop));
        std::thread::spawn(move || err.into_iter().flatten().for_each(drop));
        let (data, socket) = runtime.block_on(async {
            let mut connection = PgConnection::connect(&guard.connection_string()).await.expect("the cluster answers");
            let row = "SELECT current_setting('data_directory'), current_setting('unix_socket_directories')";
            let places: (String, String) = sqlx::query_as(row).fetch_one(&mut connection).await.expect("the cluster answers");
            connection.close().await.expect("goodbye");
            places
        });
        let cache = cache.into_inner().unwrap_or_else(PoisonError::into_inner);
        let undertaker = undertaker(&[data.clone(), cache, socket]);
        let (data, again) = (PathBuf::from(data), Mutex::new(None));
        Self { data, postgres, again, guard, _undertaker: undertaker, databases: AtomicU32::new(0) }
    }

    /// A database of one's own, migrated: its name and its URL.
    pub async fn database(&self) -> (String, String) {
        self.copy_of(&self.guard.db_name).await
    }

    /// A database of one's own with nothing in it.
    pub async fn empty_database(&self) -> (String, String) {
        self.copy_of("template0").await
    }

    async fn copy_of(&self, template: &str) -> (String, String) {
        let name = format!("t{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.execute(format!("CREATE DATABASE {name} TEMPLATE \"{template}\"")).await;
        let url = self.guard.connection_string_for_db(&name);
        (name, url)
    }

    /// Takes a database away, whoever still sits in it.
    pub async fn drop_database(&self, name: &str) {
        self.execute(format!("DROP DATABASE {name} WITH (FORCE)")).await;
    }

    /// Stops the server as an operator would who is in a hurry; its files stay.
    pub fn stop(&self) {
        let lock = self.data.join("postmaster.pid");
        let pid = std::fs::read_to_string(&lock).expect("it runs");
        let stopped = Command::new("kill").args(["-INT", pid.lines().next().unwrap_or_default()]).status();
        assert!(stopped.is_ok_and(|status| status.success()));
        while lock.exists() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Starts it again where it was.
    pub fn start_again(&self) {
        let owner = std::fs::metadata(&self.data).expect("its files");
        let mut command = Command::new(&self.postgres);
        command.env("PGDATA", &self.data).args(["-p", &self.guard.port.to_string()]);
        command.uid(owner.uid()).gid(owner.gid()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("it starts");
        *self.again.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
    }

    /// From now on this role comes in by its password alone; all others are trusted.
    pub async fn ask_for_password(&self, role: &str) {
        let rules = self.data.join("pg_hba.conf");
        let others = std::fs::read_to_string(&rules).expect("the rules");
        // Written in place: the file belongs to the user that the cluster runs as.
        std::fs::write(&rules, format!("local all {role} scram-sha-256\n{others}")).expect("the rules are written");
        self.execute("SELECT pg_reload_conf()".into()).await;
    }

    /// Runs a statement as the cluster's superuser, outside every test's database.
    pub async fn execute(&self, statement: String) {
        let mut connection = PgConnection::connect(&self.guard.connection_string_for_db("postgres")).await.expect("the cluster answers");
        connection.execute(sqlx::AssertSqlSafe(statement)).await.expect("the statement runs");
        connection.close().await.expect("goodbye");
    }
}

/// The directory of `postgres` and `initdb`: the PATH's, else the newest of Debian's.
fn binaries() -> Option<PathBuf> {
    let complete = |directory: &Path| ["postgres", "initdb", "createdb", "createuser"].iter().all(|name| directory.join(name).is_file());
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(found) = std::env::split_paths(&path).find(|directory| complete(directory)) {
        return Some(found);
    }
    let installed = std::fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    let version = |directory: &PathBuf| directory.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    installed.filter(|directory| complete(directory)).max_by_key(version)
}

/// Waits in a process of its own until this one is gone, then stops the cluster in the first directory and removes them all.
fn undertaker(directories: &[String]) -> Child {
    let script = r#"trap '' INT TERM HUP; cat >/dev/null; pid=$(head -n 1 "$1/postmaster.pid" 2>/dev/null)
        if [ -n "$pid" ]; then
            kill -INT "$pid"; n=0
            while kill -0 "$pid" 2>/dev/null && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done
        fi
        rm -rf -- "$@""#;
    let mut command = Command::new("sh");
    command.args(["-c", script, "undertaker"]).args(directories).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("sh runs")
}

/// Counts a test that could not run; the sum is said after everything else, by a process that outlives this one. Fails with `CI=true`.
pub fn note_absence() {
    static TELLER: Mutex<Option<Child>> = Mutex::new(None);
    let script = r#"trap '' INT TERM HUP; n=0; while read -r _; do n=$((n+1)); done
        printf '\nNOT RUN: %s tests on PostgreSQL (%s): its binaries are neither on the PATH nor under /usr/lib/postgresql/*/bin (Debian: apt-get install postgresql)\n' "$n" "$1" >&2"#;
    assert!(std::env::var("CI").as_deref() != Ok("true"), "PostgreSQL's binaries are missing, and CI=true");
    let mut teller = TELLER.lock().unwrap_or_else(PoisonError::into_inner);
    let child = teller.get_or_insert_with(|| {
        let mut command = Command::new("sh");
        command.args(["-c", script, "teller", env!("CARGO_CRATE_NAME")]).stdin(Stdio::piped());
        command.spawn().expect("sh runs")
    });
    let pipe = child.stdin.as_mut().expect("its pipe");
    pipe.write_all(b"one\n").expect("it listens");
}
