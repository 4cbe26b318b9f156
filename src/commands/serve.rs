//! `releve serve`: the process from its first line to its last.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::background::BackgroundWork;
use super::{Failure, Place, migrate, needs_a_server};
use crate::app::App;
use crate::clock::Clock;
use crate::db::Db;
use crate::letters::transport::Post;
use crate::routes::of_every_process;
use crate::running::{metrics, store};
use crate::security::upkeep::{keep_writing, write_down};
use crate::server::{self, TURNED_AWAY_MAX, shutdown_max};
use crate::settings::Settings;
use crate::settings::check::check;
use crate::sign_in;
use crate::sign_in::keys::Keys;

/// The open files of everything but the connections that are served: database, letters, logs, connections that are turned away.
const OTHER_FILES: u64 = 384 + TURNED_AWAY_MAX as u64;

/// Serves until SIGTERM or SIGINT, then ends in order. `with_worker`: this process sends letters and runs sweeps, too.
///
/// Whatever can be seen to be wrong is reported before anything is made: settings, keys, the port; then the directory and the database.
pub async fn run(mut settings: Settings, with_worker: bool) -> Result<(), Failure> {
    let place = Place::of(&settings)?;
    if !with_worker && matches!(place, Place::File(_)) {
        return Err(needs_a_server("serve --no-worker"));
    }
    let post = prepare(&settings)?;
    let door = Door::reserve(settings.server.address, settings.server.port)?;
    settings.server.bound_to(door.address);
    let private = private_door(&settings)?;
    let _lock = place.lock()?;
    let db = open_current(&settings, &place).await?;
    refuse_demo(&db, &place, &settings).await?;
    afford_connections(&mut settings);
    if !settings.server.address.is_loopback() && settings.server.public_url.starts_with("http://") {
        tracing::warn!(
            public_url = settings.server.public_url,
            "people reach this without TLS, or only from this machine: passwords and codes can be read on the way, or links lead nowhere"
        );
    }
    let app = App::new(settings, db, Clock::System, post)?;
    let private = private.map(Door::open).transpose()?;
    live(app, door.open()?, private, with_worker).await
}

/// Where those who run this process ask how it does, if that is not where members are.
fn private_door(settings: &Settings) -> Result<Option<Door>, Failure> {
    match settings.server.private_port {
        0 => Ok(None),
        port => Door::reserve(settings.server.address, port).map(Some),
    }
}

/// Refuses wrong settings before anything is opened, and returns how letters are sent.
pub fn prepare(settings: &Settings) -> Result<Post, Failure> {
    let faults = check(settings);
    if !faults.is_empty() {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        return Err(Failure::new(lines.join("\nreleve: ")));
    }
    Keys::named(settings)?;
    Post::open(settings).map_err(Failure::new)
}

/// Opens the database with this binary's schema: migrated here or, where migrating is a separate step, only checked.
pub async fn open_current(settings: &Settings, place: &Place) -> Result<Db, Failure> {
    let db = place.open(settings).await?;
    if settings.database.migrate_on_start {
        migrate::bring_up_to_date(&db, place).await?;
    } else if !db.is_current().await? {
        return Err(Failure::new(format!("the schema of {place} is older than this program: run `releve migrate` first")));
    } else {
        migrate::renew_keys(&db, place).await?;
    }
    Ok(db)
}

/// The demo's accounts have a password that everybody knows.
async fn refuse_demo(db: &Db, place: &Place, settings: &Settings) -> Result<(), Failure> {
    let address = settings.server.address;
    if !address.is_loopback() && store::fact(db, store::DEMO).await?.is_some() {
        return Err(Failure::new(format!(
            "{place} is a demo's database, whose passwords everybody knows: it is not served on {address}, only on a loopback address"
        )));
    }
    Ok(())
}

/// Connections that wait to be accepted; the system may allow fewer.
const WAITING_MAX: u32 = 1024;

/// An address that this process has bound but does not listen on yet: a port that is in use is reported before anything is made, and
/// whoever connects is answered.
pub struct Door {
    /// The address, with the port that was given for 0.
    pub address: SocketAddr,
    socket: TcpSocket,
}

impl Door {
    /// Takes the address.
    pub fn reserve(address: IpAddr, port: u16) -> Result<Self, Failure> {
        let address = SocketAddr::new(address, port);
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let reserved = socket.and_then(|socket| {
            // A port whose last connections are still in TIME_WAIT is free all the same.
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            Ok(Self { address: socket.local_addr()?, socket })
        });
        reserved.map_err(|error| cannot_listen(address, &error))
    }

    /// Listens.
    pub fn open(self) -> Result<TcpListener, Failure> {
        self.socket.listen(WAITING_MAX).map_err(|error| cannot_listen(self.address, &error))
    }
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> Failure {
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => "another process has this port: end it, or choose another with server.port (RELEVE__SERVER__PORT; --port of the demo)".into(),
        io::ErrorKind::AddrNotAvailable => "this machine has no such address: server.address (RELEVE__SERVER__ADDRESS) is 127.0.0.1 for this machine alone, 0.0.0.0 for all who reach it".into(),
        io::ErrorKind::PermissionDenied => "ports below 1024 are not for everybody: choose a higher server.port (RELEVE__SERVER__PORT) behind a proxy".into(),
        _ => error.to_string(),
    };
    Failure::new(format!("cannot listen on {address}: {why}"))
}

/// Serves, with the background work, until the process is told to end. Then in order: `/readyz` says so while everything is still served
/// for the drain time, no more connections, open requests are answered while the transactor still works, then [`end`].
pub async fn live(app: App, listener: TcpListener, private: Option<TcpListener>, with_worker: bool) -> Result<(), Failure> {
    metrics::install().map_err(|error| Failure::new(format!("cannot count: {error}")))?;
    let stored =
        sign_in::store::hash_settings(&app.db).await.map_err(|error| Failure::new(format!("cannot read the accounts: {error}")))?;
    app.passwords.learn(&stored);
    let upkeep = tokio::spawn(metrics::keep_up());
    let worker = with_worker.then(|| BackgroundWork::start(&app));
    let noticed = tokio::spawn(keep_writing(app.clone()));
    let address = listener.local_addr().map_err(|error| Failure::new(error.to_string()))?;
    let asked = asked_to_end()?;
    tracing::info!(%address, engine = ?app.db.engine(), worker = with_worker, "serving");
    let server = &app.settings.server;
    let mut deadline = None;
    let shutdown = async {
        let drain = match asked.await {
            Asked::Terminate => Duration::from_secs(server.drain_s),
            Asked::Interrupt => Duration::ZERO,
        };
        deadline = Some(Instant::now() + drain + shutdown_max(server));
        drain
    };
    // As long as anything is served, and a moment longer: whoever asks how the end goes is told.
    let (stop_private, stopped) = oneshot::channel::<()>();
    let private = private.map(|listener| {
        let router = server::behind(app.clone(), of_every_process());
        let stopped = async move {
            let _ = stopped.await;
            Duration::ZERO
        };
        tokio::spawn(server::serve_router(app.clone(), router, listener, stopped))
    });
    server::serve(app.clone(), listener, shutdown).await;
    drop(stop_private);
    let deadline = deadline.unwrap_or_else(|| Instant::now() + shutdown_max(server));
    if let Some(private) = private {
        by(deadline, "the private port", async { drop(private.await) }).await;
    }
    noticed.abort();
    end(&app, worker, deadline).await;
    upkeep.abort();
    Ok(())
}

/// The second half of an orderly end, once no request is being answered any more: closes the transactor, has the worker hand back its
/// leases, closes the pools.
pub async fn end(app: &App, worker: Option<BackgroundWork>, deadline: Instant) {
    // The worker waits three seconds for letters being sent; the pools need a moment.
    let before_pools = deadline - Duration::from_millis(500);
    by(before_pools, "the transactor", app.close_transactor()).await;
    if let Some(worker) = worker {
        by(before_pools, "the worker", worker.stop()).await;
    }
    by(before_pools, "what was noticed", async { drop(write_down(app).await) }).await;
    by(deadline, "the database", app.db.close()).await;
    tracing::info!("ended");
}

async fn by(deadline: Instant, who: &str, end: impl Future<Output = ()>) {
    if tokio::time::timeout_at(deadline, end).await.is_err() {
        tracing::warn!("{who} did not end in time");
    }
}

/// How the process was told to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// SIGTERM, from whatever runs the process: a balancer may still be sending requests here.
    Terminate,
    /// SIGINT, from somebody at the terminal, who need not wait for balancers.
    Interrupt,
}

/// Completes when the process is told to end. Told a second time, it ends at once.
pub fn asked_to_end() -> Result<impl Future<Output = Asked>, Failure> {
    let cannot = |error: io::Error| Failure::new(format!("cannot listen for signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    Ok(async move {
        let asked = tokio::select! {
            _ = terminate.recv() => Asked::Terminate,
            _ = interrupt.recv() => Asked::Interrupt,
        };
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            std::process::exit(130);
        });
        asked
    })
}

/// Each connection is an open file, and the usual limit of 1,024 would refuse the thousandth member of a rush. The limit is raised as far
/// as possible; if that is not enough, fewer connections are taken, so that there is always a file left to say so with.
pub fn afford_connections(settings: &mut Settings) {
    let connections_max = settings.server.connections_max;
    let wanted = u64::try_from(connections_max).unwrap_or(u64::MAX).saturating_add(OTHER_FILES);
    let limit = getrlimit(Resource::Nofile);
    let Some(current) = limit.current.filter(|current| *current < wanted) else { return };
    let possible = limit.maximum.map_or(wanted, |maximum| wanted.min(maximum)).max(current);
    let got = if setrlimit(Resource::Nofile, Rlimit { current: Some(possible), ..limit }).is_ok() { possible } else { current };
    if got < wanted {
        settings.server.connections_max = usize::try_from(got.saturating_sub(OTHER_FILES).max(1)).unwrap_or(connections_max);
        tracing::warn!(open_files = got, connections = settings.server.connections_max, "too few open files for server.connections_max");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Error;

    /// Why a process with these settings does not start, after checking that it made nothing.
    async fn refusal(change: impl FnOnce(&mut Settings)) -> String {
        let parent = tempfile::tempdir().unwrap();
        let mut settings = Settings::defaults().unwrap();
        settings.data.directory = parent.path().join("data");
        // Nobody can listen here, so what is not refused earlier fails here.
        settings.server.address = "192.0.2.1".parse().unwrap();
        change(&mut settings);
        let refused = run(settings, true).await.unwrap_err().why;
        assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0, "{refused}");
        refused
    }

    #[tokio::test]
    async fn what_cannot_be_served_is_refused_before_anything_is_made() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let refused = refusal(|settings| {
            settings.server.address = "127.0.0.1".parse().unwrap();
            settings.server.port = port;
        })
        .await;
        assert!(refused.starts_with(&format!("cannot listen on 127.0.0.1:{port}: another process")), "{refused}");
        assert!(refused.contains("RELEVE__SERVER__PORT"), "{refused}");
        let refused = refusal(|_| {}).await;
        assert!(refused.starts_with("cannot listen on 192.0.2.1:3000: this machine has no such address"), "{refused}");

        type Change = fn(&mut Settings);
        let table: [(Change, &str); 6] = [
            (|settings| settings.sign_in.assetlinks = "{".into(), "sign_in.assetlinks"),
            (|settings| settings.server.request_timeout_s = 0, "less than 1"),
            (|settings| settings.database.url = "postgres://127.0.0.1:1/none".into(), "RELEVE__SIGN_IN__KEYS"),
            (|settings| settings.sign_in.keys = vec!["c2hvcnQ=".into()], "sign_in.keys: key 1"),
            (|settings| settings.letters.transport = "pigeon:".into(), "letters.transport must begin with"),
            (|settings| settings.database.url = "mysql://h/d".into(), "DATABASE_URL"),
        ];
        for (change, why) in table {
            let refused = refusal(change).await;
            assert!(refused.contains(why), "{why}: {refused}");
        }
        let both = refusal(|settings| {
            settings.letters.parallel = 0;
            settings.database.connections = 0;
        })
        .await;
        assert!(both.contains("letters.parallel") && both.contains("\nreleve: ") && both.contains("database.connections"), "{both}");
        let embedded = run(Settings::defaults().unwrap(), false).await.unwrap_err().why;
        assert!(embedded.contains("PostgreSQL"), "{embedded}");
    }

    #[tokio::test]
    async fn a_schema_that_is_a_step_of_its_own_is_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Settings::defaults().unwrap();
        settings.data.directory = directory.path().to_owned();
        settings.server.port = 0;
        settings.database.migrate_on_start = false;
        let refused = run(settings, true).await.unwrap_err().why;
        assert!(refused.contains("releve migrate"), "{refused}");
    }

    #[tokio::test]
    async fn nobody_can_knock_at_a_door_that_is_only_reserved() {
        let door = Door::reserve("127.0.0.1".parse().unwrap(), 0).unwrap();
        let address = door.address;
        assert!(tokio::net::TcpStream::connect(address).await.is_err());
        let _listener = door.open().unwrap();
        tokio::net::TcpStream::connect(address).await.unwrap();
        assert!(Door::reserve(address.ip(), address.port()).is_err());
    }

    #[tokio::test]
    async fn a_demo_is_not_served_to_the_world() {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Settings::defaults().unwrap();
        settings.data.directory = directory.path().to_owned();
        let place = Place::of(&settings).unwrap();
        let db = open_current(&settings, &place).await.unwrap();
        refuse_demo(&db, &place, &settings).await.unwrap();
        db.write("test", |tx| Box::pin(store::note(tx, store::DEMO, "1".into()))).await.map_err(|error: Error| error).unwrap();
        refuse_demo(&db, &place, &settings).await.unwrap();
        settings.server.address = "0.0.0.0".parse().unwrap();
        let refused = refuse_demo(&db, &place, &settings).await.unwrap_err().why;
        assert!(refused.contains("demo"), "{refused}");
        db.close().await;
    }

    #[tokio::test]
    async fn one_directory_one_process() {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Settings::defaults().unwrap();
        settings.data.directory = directory.path().to_owned();
        settings.server.port = 0;
        let _held = Place::of(&settings).unwrap().lock().unwrap();
        let refused = run(settings, true).await.unwrap_err().why;
        assert!(refused.contains("in use by another process"), "{refused}");
    }
}
