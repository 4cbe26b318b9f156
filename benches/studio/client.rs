//! A lean client: one HTTP/1.1 connection each, opened before the clock starts, as are the requests built.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;

/// A request, ready to go.
pub type Ready = Request<Full<Bytes>>;

/// One connection.
pub struct Wire(SendRequest<Full<Bytes>>);

/// An answer, read to its end.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Wire {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server takes connections");
        stream.set_nodelay(true).expect("nodelay");
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("a connection");
        tokio::spawn(connection);
        Self(sender)
    }

    /// Sends, and reads the answer to its end.
    pub async fn send(&mut self, request: Ready) -> Answer {
        self.0.ready().await.expect("the connection holds");
        let answer = self.0.send_request(request).await.expect("an answer");
        let (head, body) = answer.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Answer { status: head.status, headers: head.headers, body }
    }
}

/// Opens that many connections, a few at a time: the listen queue is short.
pub async fn open(address: SocketAddr, count: usize) -> Vec<Wire> {
    let mut wires = Vec::with_capacity(count);
    while wires.len() < count {
        let some = (count - wires.len()).min(64);
        wires.extend(futures_util::future::join_all((0..some).map(|_| Wire::open(address))).await);
    }
    wires
}

/// A request with these parts.
pub fn request(method: &str, path: &str, token: Option<&str>, body: Option<String>) -> Ready {
    let mut request = Request::builder().method(method).uri(path).header("host", "studio").header("accept", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    request.body(Full::new(Bytes::from(body.unwrap_or_default()))).expect("a request")
}

/// A page, as a browser with this cookie asks for it.
pub fn page(path: &str, cookie: &str) -> Ready {
    let request = Request::builder().uri(path).header("host", "studio").header("accept", "text/html").header("cookie", cookie);
    request.body(Full::new(Bytes::new())).expect("a request")
}

/// What came of a storm.
pub struct Storm {
    /// From the first request to the last answer.
    pub took: Duration,
    /// How long each answer took, shortest first.
    pub latencies: Vec<Duration>,
    /// How often each status came.
    pub statuses: Vec<(StatusCode, usize)>,
    /// One of the answers' bodies.
    pub sample: Bytes,
    /// The connections, for the next storm.
    pub wires: Vec<Wire>,
}

impl Storm {
    /// Answers a second.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    /// The latency below which this share of the answers came.
    pub fn percentile(&self, share: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get((share * last as f64).round() as usize).copied().unwrap_or_default()
    }

    /// How many answers had this status.
    pub fn count(&self, status: u16) -> usize {
        self.statuses.iter().filter(|(one, _)| one.as_u16() == status).map(|(_, count)| count).sum()
    }
}

/// Each wire sends its requests one after the other, all wires at once.
pub async fn storm(wires: Vec<Wire>, requests: Vec<Vec<Ready>>) -> Storm {
    assert_eq!(wires.len(), requests.len());
    let (go, ready) = watch::channel(None::<Instant>);
    let tasks: Vec<_> = wires
        .into_iter()
        .zip(requests)
        .map(|(mut wire, requests)| {
            let mut ready = ready.clone();
            tokio::spawn(async move {
                let mut answers = Vec::with_capacity(requests.len());
                let mut sample = Bytes::new();
                // The first request of each wire is due at the start, however long it takes the client to come to it.
                let mut due = ready.wait_for(Option::is_some).await.expect("the start").expect("an instant");
                for request in requests {
                    let answer = wire.send(request).await;
                    answers.push((due.elapsed(), answer.status));
                    sample = answer.body;
                    due = Instant::now();
                }
                (wire, answers, sample)
            })
        })
        .collect();
    // All stand at the line.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let began = Instant::now();
    go.send_replace(Some(began));
    let done = futures_util::future::join_all(tasks).await;
    let took = began.elapsed();
    let mut storm = Storm { took, latencies: Vec::new(), statuses: Vec::new(), sample: Bytes::new(), wires: Vec::new() };
    for one in done {
        let (wire, answers, sample) = one.expect("the client goes on");
        storm.wires.push(wire);
        storm.sample = sample;
        for (latency, status) in answers {
            storm.latencies.push(latency);
            match storm.statuses.iter_mut().find(|(one, _)| *one == status) {
                Some((_, count)) => *count += 1,
                None => storm.statuses.push((status, 1)),
            }
        }
    }
    storm.latencies.sort_unstable();
    storm
}
