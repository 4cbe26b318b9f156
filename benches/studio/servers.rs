//! The servers that are measured, each a process of its own: the release binary of Relevé, and this bench's binary as its peers.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::routing::{get, put};
use releve::app::App;
use releve::clock::Clock;
use releve::commands::background::BackgroundWork;
use releve::db::{Db, Options};
use releve::running::{log, metrics};
use releve::settings::Settings;

use crate::textbook;

/// The keys of the deployment under the clock: tokens are minted with them beforehand.
pub const KEY: &str = "cGxpZS10ZW5kdS1yZWxldmUtc2F1dGUtZ2xpc3NlLWVs";

/// The environment variable that makes this binary a peer instead of the bench.
pub const PEER: &str = "BENCH_PEER";
/// Where the bare ceiling finds the bodies that it answers.
const BODIES: &str = "BENCH_BODIES";

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// `releve serve`.
    Releve,
    /// The same stack and limits, answering constants.
    Ceiling,
    /// The same schema and stack, a transaction for each booking.
    Textbook,
}

/// A server under the clock. Dropped, it is killed.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From exec to the first answer.
    pub first_answer: Duration,
}

impl Server {
    /// Starts it on this database; `directory` holds its data, and the bodies of the ceiling.
    pub async fn start(which: Which, url: &str, directory: &Path) -> Self {
        let address = free_address();
        let mut command = match which {
            Which::Releve => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_releve"));
                command.arg("serve");
                command
            }
            Which::Ceiling | Which::Textbook => Command::new(std::env::current_exe().expect("this binary")),
        };
        command
            .current_dir(directory)
            .env_clear()
            .env(BODIES, directory)
            .env("DATABASE_URL", url)
            .env("RELEVE__SERVER__PORT", address.port().to_string())
            // All the bench's members come from one address.
            .env("RELEVE__SERVER__CONNECTIONS_PER_ADDRESS_MAX", "10000")
            .env("RELEVE__DATA__DIRECTORY", directory)
            .env("RELEVE__SIGN_IN__KEYS", KEY)
            .env("RELEVE__LETTERS__TRANSPORT", "memory:")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(directory.join("server.log")).expect("a log"));
        if let Some(peer) = peer_of(which) {
            command.env(PEER, peer);
        }
        let began = Instant::now();
        let mut child = command.spawn().expect("the server starts");
        while std::net::TcpStream::connect(address).is_err() || !answers(address).await {
            if let Some(status) = child.try_wait().expect("its state") {
                let log = std::fs::read_to_string(directory.join("server.log")).unwrap_or_default();
                panic!("{which:?} ended with {status}:\n{log}");
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{which:?} does not answer");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Self { child, address, first_answer: began.elapsed() }
    }

    /// Resident memory now and at its highest, in MiB.
    pub fn memory(&self) -> (f64, f64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
        };
        (field("VmRSS:"), field("VmHWM:"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const fn peer_of(which: Which) -> Option<&'static str> {
    match which {
        Which::Releve => None,
        Which::Ceiling => Some("ceiling"),
        Which::Textbook => Some("textbook"),
    }
}

async fn answers(address: SocketAddr) -> bool {
    let mut wire = crate::client::Wire::open(address).await;
    wire.send(crate::client::request("GET", "/healthz", None, None)).await.status.is_success()
}

/// A port that nobody holds at this moment.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

/// Serves as a peer until killed.
pub async fn be(peer: &str) {
    let settings = Settings::load(None).expect("settings");
    log::install(&settings.log).expect("a log");
    metrics::install().expect("metrics");
    let listener = tokio::net::TcpListener::bind((settings.server.address, settings.server.port)).await.expect("the port");
    // A transaction for each booking makes everybody wait: nobody shall be turned away for it.
    let options = Options { connections: settings.database.connections, wait_max: Duration::from_secs(60), ..Options::default() };
    let db = Db::open(&settings.database.url, options).await.expect("the database");
    let post = releve::letters::transport::Post::open(&settings).unwrap_or_else(|error| panic!("{error}"));
    let app = App::new(settings, db, Clock::System, post).expect("keys");
    let mut worker = None;
    let routes = match peer {
        "ceiling" => constants(),
        "textbook" => {
            worker = Some(BackgroundWork::start(&app));
            textbook::routes()
        }
        other => panic!("no such peer: {other}"),
    };
    let routes = routes.route("/healthz", get(async || "here"));
    let router = releve::server::behind(app.clone(), routes);
    releve::server::serve_router(app, router, listener, std::future::pending()).await;
    drop(worker);
}

/// The bare ceiling: each method and body of the bench, with nothing behind it.
fn constants() -> Router<App> {
    let directory = std::env::var_os(BODIES).expect("where the bodies are");
    let read = |name: &str| Bytes::from(std::fs::read(Path::new(&directory).join(name)).unwrap_or_default());
    let (booking, schedule) = (read("booking.json"), read("schedule.json"));
    let small = booking.clone();
    let json = || [(header::CONTENT_TYPE, "application/json")];
    Router::new()
        .route("/v1/bookings/{id}", put(async move |_: Bytes| (json(), booking)))
        .route("/small", get(async move || (json(), small)))
        .route("/schedule", get(async move || (json(), schedule)))
}
