//! `releve serve`: the process from its first line to its last.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use super::background::BackgroundWork;
use super::{Failure, Place, migrate, needs_a_server};
use crate::app::App;
use crate::clock::Clock;
use crate::db::Db;
use crate::letters::transport::Post;
use crate::running::{metrics, store};
use crate::server::{self, TURNED_AWAY_MAX, shutdown_max};
use crate::settings::Settings;

/// The open files of everything but the connections that are served: database, letters, logs, connections that are turned away.
const OTHER_FILES: u64 = 384 + TURNED_AWAY_MAX as u64;

/// No time-out is longer, in seconds: beyond an hour it is a mistake, and near the largest number no instant.
const SECONDS_MAX: u64 = 3_600;

/// Serves until SIGTERM or SIGINT; then ends in order. `with_worker`: letters leave and sweeps run from this process too.
pub async fn run(mut settings: Settings, with_worker: bool) -> Result<(), Failure> {
    let place = Place::of(&settings)?;
    if !with_worker && matches!(place, Place::File(_)) {
        return Err(needs_a_server("serve --no-worker"));
    }
    check(&settings)?;
    let post = Post::open(&settings).map_err(Failure::new)?;
    let _lock = place.lock()?;
    let db = open_current(&settings, &place).await?;
    refuse_demo(&db, &place, &settings).await?;
    let listener = listen(settings.server.address, settings.server.port).await?;
    afford_connections(&mut settings);
    let app = App::new(settings, db, Clock::System, post)?;
    live(app, listener, with_worker).await
}

/// What can be seen to be wrong before anything is opened.
fn check(settings: &Settings) -> Result<(), Failure> {
    for (name, json) in [
        ("sign_in.apple_app_site_association", &settings.sign_in.apple_app_site_association),
        ("sign_in.assetlinks", &settings.sign_in.assetlinks),
    ] {
        if !json.trim().is_empty() && serde_json::from_str::<serde_json::Value>(json).is_err() {
            return Err(Failure::new(format!("the setting {name} must be JSON")));
        }
    }
    let server = &settings.server;
    for (name, value) in [
        ("connections_max", server.connections_max as u64),
        ("connections_per_address_max", server.connections_per_address_max as u64),
        ("keep_alive_s", server.keep_alive_s),
        ("header_timeout_s", server.header_timeout_s),
        ("request_timeout_s", server.request_timeout_s),
        ("write_timeout_s", server.write_timeout_s),
    ] {
        if value == 0 {
            return Err(Failure::new(format!("the setting server.{name} must be at least 1")));
        }
    }
    for (name, value) in [
        ("keep_alive_s", server.keep_alive_s),
        ("header_timeout_s", server.header_timeout_s),
        ("request_timeout_s", server.request_timeout_s),
        ("write_timeout_s", server.write_timeout_s),
        ("drain_s", server.drain_s),
    ] {
        if value > SECONDS_MAX {
            return Err(Failure::new(format!("the setting server.{name} must be at most {SECONDS_MAX}")));
        }
    }
    Ok(())
}

/// The database with the schema of this binary: brought up to date here, or, where that is a step of its own, looked at.
pub async fn open_current(settings: &Settings, place: &Place) -> Result<Db, Failure> {
    let db = place.open(settings).await?;
    if settings.database.migrate_on_start {
        migrate::bring_up_to_date(&db, place).await?;
    } else if !db.is_current().await? {
        return Err(Failure::new(format!("the schema of {place} is older than this program: run `releve migrate` first")));
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

/// Listens there.
pub async fn listen(address: IpAddr, port: u16) -> Result<TcpListener, Failure> {
    let address = SocketAddr::new(address, port);
    TcpListener::bind(address).await.map_err(|error| Failure::new(format!("cannot listen on {address}: {error}")))
}

/// Serves with everything that works beside the handlers, until the process is told to end. Then in order: `/readyz` says so while all
/// is served for the drain time, no more connections, what has come is answered while the transactor still works, then [`end`].
pub async fn live(app: App, listener: TcpListener, with_worker: bool) -> Result<(), Failure> {
    metrics::install().map_err(|error| Failure::new(format!("cannot count: {error}")))?;
    let upkeep = tokio::spawn(metrics::keep_up());
    let worker = with_worker.then(|| BackgroundWork::start(&app));
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
    server::serve(app.clone(), listener, shutdown).await;
    let deadline = deadline.unwrap_or_else(|| Instant::now() + shutdown_max(server));
    end(&app, worker, deadline).await;
    upkeep.abort();
    Ok(())
}

/// The second half of an orderly end, when no request is being answered any more: the transactor, the worker hands its
/// leases back, the pools.
pub async fn end(app: &App, worker: Option<BackgroundWork>, deadline: Instant) {
    // The worker waits three seconds for letters on their way; the pools need a moment.
    let before_pools = deadline - Duration::from_millis(500);
    by(before_pools, "the transactor", app.close_transactor()).await;
    if let Some(worker) = worker {
        by(before_pools, "the worker", worker.stop()).await;
    }
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
    /// SIGTERM, by whatever runs it: others may still be sending requests here.
    Terminate,
    /// SIGINT, by somebody at the terminal, who need not wait for balancers.
    Interrupt,
}

/// Completes when the process is told to end. Told again, it ends at once.
pub fn asked_to_end() -> Result<impl Future<Output = Asked>, Failure> {
    let cannot = |error: std::io::Error| Failure::new(format!("cannot listen for signals: {error}"));
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

/// Each connection is an open file, and the usual limit of 1,024 would refuse the thousandth member of a rush. The limit is raised as
/// far as it may be; if that is not enough, fewer connections are taken, so that there is always a file left to say so with.
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

    async fn refusal(change: impl FnOnce(&mut Settings)) -> String {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Settings::defaults().unwrap();
        settings.data.directory = directory.path().to_owned();
        // Where nobody may listen: whatever is not refused before fails there.
        settings.server.address = "192.0.2.1".parse().unwrap();
        change(&mut settings);
        run(settings, true).await.unwrap_err().why
    }

    #[tokio::test]
    async fn what_cannot_be_served_is_refused_in_one_line() {
        assert!(refusal(|_| {}).await.starts_with("cannot listen on 192.0.2.1:3000"));
        assert!(refusal(|settings| settings.sign_in.assetlinks = "{".into()).await.contains("sign_in.assetlinks"));
        assert!(refusal(|settings| settings.server.request_timeout_s = 0).await.contains("server.request_timeout_s must be at least 1"));
        assert!(refusal(|settings| settings.server.connections_max = 0).await.contains("server.connections_max must be at least 1"));
        assert!(refusal(|settings| settings.server.drain_s = u64::MAX).await.contains("server.drain_s must be at most 3600"));
        assert!(refusal(|settings| settings.database.migrate_on_start = false).await.contains("releve migrate"));
        let embedded = run(Settings::defaults().unwrap(), false).await.unwrap_err().why;
        assert!(embedded.contains("PostgreSQL"), "{embedded}");
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
        let _held = Place::of(&settings).unwrap().lock().unwrap();
        let refused = run(settings, true).await.unwrap_err().why;
        assert!(refused.contains("in use by another process"), "{refused}");
    }
}
