//! The accept loop: connections in, requests to the front, and the first half of an orderly end.
//!
//! `axum::serve` sets no timers and no limits, so the loop is our own on hyper: a time by which a request's headers must have come
//! (it also ends connections that idle), a most of header bytes, and a most of connections at once; more wait in the listen queue.

mod front;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::routing::future::RouteFuture;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::Service;

use crate::app::App;

pub use front::{behind, router};

/// How long an orderly end may take in all: handlers, transactor, worker, pools.
pub const SHUTDOWN_MAX: Duration = Duration::from_secs(25);

/// How long requests that are being answered may go on after the end was asked for: what is left belongs to transactor, worker and pools.
const DRAIN_MAX: Duration = Duration::from_secs(18);

/// The most bytes of a request's line and headers together; more is 431.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// How long to wait when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// Answers requests until `shutdown` completes; then says that it is not ready, takes no more connections, and returns when every
/// request that had come is answered (18 s at most). Desk, worker and pools still work and are the caller's to close.
pub async fn serve(app: App, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    let router = router(app.clone());
    serve_router(app, router, listener, shutdown).await;
}

/// The same for another router: a worker's few URLs, and the peers against which the bench measures Relevé.
pub async fn serve_router(app: App, router: Router, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(app.settings.server.header_timeout_s))
        .max_header_size(HEADER_BYTES_MAX)
        // Who hangs up while her request is decided is not waited for with a buffer of her own, two thousand times in a rush: what she asked
        // is decided, and she asks again with the same id.
        .half_close(true);
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(app.settings.server.connections_max.clamp(1, Semaphore::MAX_PERMITS)));
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async {
            // The semaphore is never closed; without a place there is no accepting.
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (place, accept(&listener).await)
        };
        let (place, (stream, peer)) = tokio::select! {
            next = next => next,
            () = &mut shutdown => break,
        };
        let service = Connection { router: router.clone(), peer };
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
        let open = metrics::gauge!("releve_http_connections");
        open.increment(1);
        tokio::spawn(async move {
            // A client that hangs up or talks nonsense is no news.
            let _ = connection.await;
            open.decrement(1);
            drop(place);
        });
    }
    app.running.stop();
    drop(listener);
    tracing::info!(connections = connections.count(), "stopping: no more connections, answering what has come");
    if tokio::time::timeout(DRAIN_MAX, connections.shutdown()).await.is_err() {
        tracing::warn!("some requests were not answered in time");
    }
}

/// The next connection. An error is either this one peer's, or passes when others hang up.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are small and whole: waiting to fill a packet only costs time.
                let _ = stream.set_nodelay(true);
                return (stream, peer);
            }
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

/// What serves one connection: the router, and whose it is.
struct Connection {
    router: Router,
    peer: SocketAddr,
}

impl hyper::service::Service<Request<Incoming>> for Connection {
    type Response = axum::response::Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        self.router.clone().call(request)
    }
}
