//! The accept loop: connections in, requests to the front, and the first half of an orderly end.
//!
//! `axum::serve` sets no timers and no limits, so the loop is our own on hyper. Each connection's `socket` knows how long it waits for the
//! other side. Connections are limited, in all and per address; a client beyond the limit is not left waiting in the listen queue but told
//! so (503, 429), and `/healthz` is answered even then.

mod cors;
mod front;
mod per_address;
mod socket;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, header};
use axum::routing::get;
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::AbortHandle;
use tower::Service as _;

use crate::app::App;
use crate::problem::{Problem, ProblemType};
use crate::running::api::health;
use crate::settings;

use per_address::{Held, PerAddress};
use socket::{LAST_CALL, Patience, Situation, Socket, Talk};

pub use front::{behind, router};

/// How long the transactor, the worker and the pools have to end, after the last request is answered.
const AFTER_REQUESTS: Duration = Duration::from_secs(4);

/// The most bytes of a request's line and headers together; more is 431.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// How long to wait when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// How long a connection may be idle when hardly any place is left.
const CROWDED_KEEP_ALIVE: Duration = Duration::from_secs(1);

/// How many connections beyond the limit are told so at a time. One more drops the oldest of them, so that a flood of silent ones cannot
/// keep a health check away.
pub const TURNED_AWAY_MAX: usize = 128;

/// How long such a connection may take for anything.
const TURNED_AWAY_PATIENCE: Duration = Duration::from_secs(2);

/// How long an orderly end takes at most once everything has been served for the drain time: requests have their usual time, then
/// transactor, worker and pools have theirs.
pub fn shutdown_max(settings: &settings::Server) -> Duration {
    requests_end_max(settings) + AFTER_REQUESTS
}

fn requests_end_max(settings: &settings::Server) -> Duration {
    LAST_CALL * 2 + Duration::from_secs(settings.request_timeout_s)
}

/// Answers requests until `shutdown` completes, and for the time that it returns, during which `/readyz` answers `stopping` and balancers
/// turn elsewhere. Then takes no more connections, answers requests that have come with `Connection: close`, and returns when every
/// connection has ended (the usual time of a request at most). Transactor, worker and pools still work and are the caller's to close.
pub async fn serve(app: App, listener: TcpListener, shutdown: impl Future<Output = Duration>) {
    let router = router(app.clone());
    serve_router(app, router, listener, shutdown).await;
}

/// The same for another router: a worker's few URLs, and the peers against which the bench measures Relevé.
pub async fn serve_router(app: App, router: Router, listener: TcpListener, shutdown: impl Future<Output = Duration>) {
    let mut door = Door::new(&app, router);
    let mut drained = pin!(async {
        let drain = shutdown.await;
        app.running.stop();
        if !drain.is_zero() {
            tracing::info!(drain_s = drain.as_secs(), "stopping: /readyz says so, everything is still served");
            tokio::time::sleep(drain).await;
        }
    });
    loop {
        tokio::select! {
            (stream, peer) = accept(&listener) => door.admit(stream, peer),
            () = &mut drained => break,
        }
    }
    door.admit_all_that_wait(listener);
    tracing::info!(connections = door.connections(), "stopping: no more connections, answering what has come");
    if tokio::time::timeout(requests_end_max(&app.settings.server), door.close()).await.is_err() {
        tracing::warn!("some requests were not answered in time");
    }
}

/// Where connections come in.
struct Door {
    app: App,
    http: http1::Builder,
    router: Router,
    patience: Patience,
    places: Arc<Semaphore>,
    connections_max: usize,
    per_address: Arc<PerAddress>,
    /// For clients who come when all places are taken, and for those who have too many.
    full: Router,
    too_many: Router,
    turned_away: VecDeque<AbortHandle>,
    situation: Arc<Situation>,
    /// Wakes every connection when the situation changes, and knows when the last has gone.
    connections: watch::Sender<()>,
}

/// What a connection holds as long as it lives.
struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_address: Option<Held>,
}

impl Door {
    fn new(app: &App, router: Router) -> Self {
        let settings = &app.settings.server;
        let mut http = http1::Builder::new();
        // Without this hyper would read on, with a buffer for each, to notice clients who hang up while their request is decided, two
        // thousand times in a rush. What they asked is decided all the same, and they ask again with the same id.
        http.max_header_size(HEADER_BYTES_MAX).half_close(true);
        let seconds = Duration::from_secs;
        let connections_max = settings.connections_max.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            http,
            router,
            patience: Patience {
                first_byte: seconds(settings.header_timeout_s),
                keep_alive: seconds(settings.keep_alive_s),
                keep_alive_crowded: CROWDED_KEEP_ALIVE.min(seconds(settings.keep_alive_s)),
                head: seconds(settings.header_timeout_s),
                write: seconds(settings.write_timeout_s),
            },
            places: Arc::new(Semaphore::new(connections_max)),
            connections_max,
            per_address: PerAddress::new(settings.connections_per_address_max),
            full: health_alone(app, ProblemType::Unavailable),
            too_many: health_alone(app, ProblemType::TooManyRequests),
            turned_away: VecDeque::with_capacity(TURNED_AWAY_MAX),
            situation: Arc::default(),
            connections: watch::Sender::new(()),
            app: app.clone(),
        }
    }

    /// Serves a new connection, or tells it why not.
    fn admit(&mut self, stream: TcpStream, peer: SocketAddr) {
        let is_proxy = self.app.settings.server.is_trusted_proxy(peer.ip());
        let place = self.place(peer, is_proxy);
        self.look_round();
        match place {
            Ok(place) => {
                // A proxy opens connections ahead of need and keeps them, and must not find them closed when it uses one.
                let keep_alive = self.patience.keep_alive;
                let of_proxies = Patience { first_byte: keep_alive, keep_alive_crowded: keep_alive, ..self.patience };
                let patience = if is_proxy { of_proxies } else { self.patience };
                tokio::spawn(self.converse(self.router.clone(), stream, peer, patience, false).map(|()| drop(place)));
            }
            Err(kind) => {
                let full = kind == ProblemType::Unavailable;
                metrics::counter!("releve_http_connections_turned_away_total", "why" => if full { "full" } else { "address" }).increment(1);
                let router = if full { self.full.clone() } else { self.too_many.clone() };
                let short = TURNED_AWAY_PATIENCE;
                let patience = Patience { first_byte: short, keep_alive: short, keep_alive_crowded: short, head: short, write: short };
                let task = tokio::spawn(self.converse(router, stream, peer, patience, true));
                if self.turned_away.len() >= TURNED_AWAY_MAX
                    && let Some(longest) = self.turned_away.pop_front()
                {
                    longest.abort();
                }
                self.turned_away.push_back(task.abort_handle());
            }
        }
    }

    /// Whether it is crowded: from nine tenths of the places, until a fifth is free again.
    fn look_round(&self) {
        let few = self.connections_max.div_ceil(10);
        let (free, was_crowded) = (self.places.available_permits(), self.situation.is_crowded());
        let is_crowded = if was_crowded { free < 2 * few } else { free < few };
        if is_crowded != was_crowded {
            self.situation.set_crowded(is_crowded);
            self.connections.send_replace(());
        }
    }

    /// A trusted proxy speaks for many clients: the front counts the requests that it forwards for each.
    fn place(&self, peer: SocketAddr, is_proxy: bool) -> Result<Place, ProblemType> {
        let of_address = if is_proxy { None } else { Some(self.per_address.hold(peer.ip()).ok_or(ProblemType::TooManyRequests)?) };
        let of_all = Arc::clone(&self.places).try_acquire_owned().map_err(|_| ProblemType::Unavailable)?;
        Ok(Place { _of_all: of_all, _of_address: of_address })
    }

    /// One connection, from its first request to its end.
    fn converse(
        &self,
        router: Router,
        stream: TcpStream,
        peer: SocketAddr,
        patience: Patience,
        one_answer: bool,
    ) -> impl Future<Output = ()> + use<> {
        furnish(&stream, patience);
        let (talk, situation) = (Arc::<Talk>::default(), Arc::clone(&self.situation));
        let socket = Socket::new(stream, patience, Arc::clone(&talk), Arc::clone(&situation));
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            talk.begin();
            let (talk, situation) = (Arc::clone(&talk), Arc::clone(&situation));
            router.clone().call(request).map(move |answer| {
                talk.end();
                answer.map(|mut answer| {
                    if one_answer || situation.closing_since().is_some() {
                        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                    }
                    answer
                })
            })
        });
        let connection = self.http.serve_connection(TokioIo::new(socket), service);
        let mut told = self.connections.subscribe();
        async move {
            let open = metrics::gauge!("releve_http_connections");
            open.increment(1);
            let _leaves = Leaves(open);
            let mut connection = pin!(connection);
            // A client that hangs up or talks nonsense is not worth a log line.
            loop {
                tokio::select! {
                    biased;
                    _ = &mut connection => return,
                    // Polled again, the socket looks at the situation.
                    changed = told.changed() => if changed.is_err() { break },
                }
            }
            let _ = connection.await;
        }
    }

    /// Serves what the system has accepted already: these peers believe that they are connected, and may have sent a request.
    fn admit_all_that_wait(&mut self, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else { return };
        loop {
            match listener.accept() {
                Ok((stream, peer)) => {
                    if let Ok(stream) = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)) {
                        self.admit(stream, peer);
                    }
                }
                Err(error) if is_of_one_peer(&error) => {}
                // No more are waiting.
                Err(_) => return,
            }
        }
    }

    fn connections(&self) -> usize {
        self.connections.receiver_count()
    }

    /// Every answer from now on is its connection's last; completes when all connections have ended.
    async fn close(self) {
        self.situation.close();
        self.connections.send_replace(());
        self.connections.closed().await;
    }
}

/// Counts a connection that ends, also one that was dropped.
struct Leaves(metrics::Gauge);

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// `/healthz`, and this refusal for everything else.
fn health_alone(app: &App, kind: ProblemType) -> Router {
    let refuse = move || async move {
        #[allow(clippy::disallowed_methods, reason = "jitter for clients decides nothing")]
        let seconds = rand::random_range(1..=3);
        Problem::new(kind).retry_after(seconds)
    };
    front::behind_or(app.clone(), Router::new().route("/healthz", get(health)), refuse)
}

fn furnish(stream: &TcpStream, patience: Patience) {
    // Answers are small and whole: waiting to fill a packet only costs time.
    let _ = stream.set_nodelay(true);
    // What has left the process waits in the system for a peer that does not read or is gone; it must not wait longer there.
    #[cfg(target_os = "linux")]
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, u32::try_from(patience.write.as_millis()).unwrap_or(u32::MAX));
    #[cfg(not(target_os = "linux"))]
    let _ = patience;
}

/// The next connection. An error is either this one peer's, or passes when others hang up.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_one_peer(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot take connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_one_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
