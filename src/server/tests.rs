//! The front and the accept loop, over real sockets: what a hostile or unlucky client gets, and how the server shuts down.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use axum::{Extension, Router};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::front::behind;
use super::serve_router;
use crate::app::App;
use crate::clock::Clock;
use crate::db::{Db, Options};
use crate::extract::{Body, ReaderLanguage, RequestId};
use crate::language::Language;
use crate::problem::{Answer, Problem, ProblemType};
use crate::settings::Settings;

struct Served {
    app: App,
    address: SocketAddr,
    stop: oneshot::Sender<Duration>,
    task: JoinHandle<()>,
    _directory: TempDir,
}

/// More than the system's buffers take.
const BIG: usize = 32 * 1024 * 1024;

/// A request on a connection that is to be kept.
const ASK: &[u8] = b"GET /id HTTP/1.1\r\nhost: x\r\n\r\n";

fn hostile_routes() -> Router<App> {
    Router::new()
        .route("/peer", get(async |Extension(ConnectInfo(peer)): Extension<ConnectInfo<SocketAddr>>| peer.ip().to_string()))
        .route("/id", get(async |Extension(RequestId(id)): Extension<RequestId>| id))
        .route("/panic", get(panics))
        .route("/slow", get(async || tokio::time::sleep(Duration::from_secs(60)).await))
        .route("/soon", get(async || tokio::time::sleep(Duration::from_millis(300)).await))
        .route("/big", get(async || vec![b'a'; BIG]))
        .route("/echo", post(async |Body(said): Body<serde_json::Value>| said.to_string()))
        .route("/theirs", get(refuses))
        .route("/logs", post(logs))
}

#[allow(clippy::panic, reason = "what is tested")]
async fn panics() {
    panic!("on purpose");
}

async fn refuses(Extension(reader): Extension<ReaderLanguage>) -> Answer<()> {
    reader.set(Language::ZhHant);
    Err(Problem::new(ProblemType::Busy).with("session_id", 7).retry_after(3))
}

async fn serve(change: impl FnOnce(&mut Settings)) -> Served {
    let directory = TempDir::new().unwrap();
    let db = Db::open_file(&directory.path().join("releve.db"), Options::default()).await.unwrap();
    let mut settings = Settings::defaults().unwrap();
    settings.data.directory = directory.path().to_owned();
    settings.server.header_timeout_s = 1;
    settings.server.request_timeout_s = 1;
    settings.server.keep_alive_s = 2;
    settings.server.write_timeout_s = 1;
    settings.server.body_bytes_max = 100;
    change(&mut settings);
    let post = crate::letters::transport::Post::open(&settings).unwrap();
    let app = App::new(settings, db, Clock::System, post).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<Duration>();
    let router = behind(app.clone(), hostile_routes());
    let task = tokio::spawn(serve_router(app.clone(), router, listener, async { stopped.await.unwrap_or_default() }));
    Served { app, address, stop, task, _directory: directory }
}

impl Served {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        client().get(self.url(path)).send().await.unwrap()
    }

    /// A connection that was used once and is kept.
    async fn kept(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let answer = ask(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("connection: close"), "{answer}");
        stream
    }

    /// A connection whose client takes little at once.
    async fn narrow(&self, request: &[u8]) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        let mut stream = socket.connect(self.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        stream
    }

    /// What comes back for these bytes, until the other side hangs up.
    async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The other side may hang up while this is still being written.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await.expect("the server hangs up");
        String::from_utf8(answer).unwrap()
    }
}

/// Asks once more on this connection, and reads the one answer.
async fn ask(stream: &mut TcpStream) -> String {
    stream.write_all(ASK).await.unwrap();
    one_answer(stream).await
}

/// Reads one answer; empty if the other side hangs up instead.
async fn one_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = async { while !is_whole(&answer) && stream.read_buf(&mut answer).await.unwrap() > 0 {} };
    tokio::time::timeout(Duration::from_secs(5), read).await.expect("an answer or the end");
    String::from_utf8(answer).unwrap()
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| length.parse() == Ok(body.len()))
}

/// Waits until the other side hangs up, cleanly, and says how long that took.
async fn hung_up(stream: &mut TcpStream) -> Duration {
    let began = Instant::now();
    let count = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0])).await.expect("it hangs up").unwrap();
    assert_eq!(count, 0);
    began.elapsed()
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn problem(answer: reqwest::Response) -> (u16, String, serde_json::Value) {
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let body: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(body["instance"], id);
    (status, body["type"].as_str().unwrap().to_owned(), body)
}

#[tokio::test]
async fn a_request_has_an_id_and_a_peer() {
    let served = serve(|settings| settings.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()]).await;
    let given = client().get(served.url("/id")).header("x-request-id", "from-the-proxy-7").send().await.unwrap();
    assert_eq!(given.headers()["x-request-id"], "from-the-proxy-7");
    assert_eq!(given.text().await.unwrap(), "from-the-proxy-7");
    for bad in ["", "with space", "<script>", &"a".repeat(65)] {
        let answer = client().get(served.url("/id")).header("x-request-id", bad).send().await.unwrap();
        assert_eq!(answer.headers()["x-request-id"].len(), 36, "{bad:?}");
    }
    let answer = served.get("/peer").await;
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(answer.text().await.unwrap(), "127.0.0.1");
}

#[tokio::test]
async fn nobody_but_a_trusted_proxy_names_a_request() {
    let served = serve(|_| {}).await;
    let answer = client().get(served.url("/id")).header("x-request-id", "of-somebody-else").send().await.unwrap();
    assert_eq!(answer.headers()["x-request-id"].len(), 36);
    assert_eq!(answer.text().await.unwrap().len(), 36);
}

/// Each answer, whatever comes of it: also one that no route gave.
#[tokio::test]
async fn every_answer_says_what_a_browser_may_do_with_it() {
    for (url, by_tls) in [("https://book.example.com", true), ("http://127.0.0.1:3000", false)] {
        let served = serve(|settings| settings.server.public_url = url.into()).await;
        for path in ["/id", "/nothing", "/panic", "/slow", "/echo"] {
            let answer = served.get(path).await;
            let policy = answer.headers()["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{path}: {policy}");
            assert_eq!(answer.headers()["referrer-policy"], "no-referrer", "{path}");
            assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
            assert_eq!(answer.headers().contains_key("strict-transport-security"), by_tls, "{url} {path}");
            assert!(!answer.headers().contains_key("access-control-allow-origin") && !answer.headers().contains_key("vary"), "{path}");
        }
    }
}

#[tokio::test]
async fn pages_of_named_origins_may_ask_and_others_may_not() {
    let served = serve(|settings| settings.server.cors_origins = vec!["https://app.example.com".parse().unwrap()]).await;
    let ask = |method: reqwest::Method, path: &str, origin: Option<&str>| {
        let call = client().request(method, served.url(path));
        match origin {
            Some(origin) => call.header("origin", origin),
            None => call,
        }
    };
    // A refusal and a fault are told to the page as well, or it would only see that something failed.
    for path in ["/id", "/nothing", "/panic"] {
        let answer = ask(reqwest::Method::GET, path, Some("https://app.example.com")).send().await.unwrap();
        assert_eq!(answer.headers()["access-control-allow-origin"], "https://app.example.com", "{path}");
        assert!(answer.headers()["access-control-expose-headers"].to_str().unwrap().contains("etag"), "{path}");
        assert_eq!(answer.headers()["vary"], "Origin", "{path}");
        assert!(!answer.headers().contains_key("access-control-allow-credentials"));
    }
    for other in
        [None, Some("https://evil.example.com"), Some("https://app.example.com.evil.test"), Some("http://app.example.com"), Some("null")]
    {
        let answer = ask(reqwest::Method::GET, "/id", other).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(!answer.headers().contains_key("access-control-allow-origin"), "{other:?}");
        assert_eq!(answer.headers()["vary"], "Origin", "{other:?}: a cache must not show it to one of ours");
    }
    // Beforehand.
    for (origin, may) in [("https://app.example.com", true), ("https://evil.example.com", false)] {
        let asked = ask(reqwest::Method::OPTIONS, "/echo", Some(origin))
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type");
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), 204, "{origin}");
        assert_eq!(answer.headers().contains_key("access-control-allow-origin"), may, "{origin}");
        assert_eq!(answer.headers().contains_key("access-control-allow-methods"), may, "{origin}");
        assert!(answer.headers()["vary"].to_str().unwrap().contains("Origin"), "{origin}");
        if may {
            let headers = answer.headers()["access-control-allow-headers"].to_str().unwrap();
            for needed in ["authorization", "content-type", "if-match", "idempotency-key", "not-after"] {
                assert!(headers.contains(needed), "{headers}");
            }
        }
    }
    // Asked in no such way, it is a method like any other.
    assert_eq!(ask(reqwest::Method::OPTIONS, "/id", Some("https://app.example.com")).send().await.unwrap().status(), 405);
    let off = serve(|_| {}).await;
    let asked = client().request(reqwest::Method::OPTIONS, off.url("/id")).header("origin", "https://app.example.com");
    let answer = asked.header("access-control-request-method", "GET").send().await.unwrap();
    assert_eq!(answer.status(), 405);
    assert!(
        !answer.headers().contains_key("access-control-allow-origin") && !answer.headers().contains_key("access-control-allow-methods")
    );
}

/// What a process that writes its log as JSON would have written.
#[derive(Clone, Default)]
struct Lines(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn all(&self) -> Vec<serde_json::Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Logs by itself, and in the task of a transaction.
async fn logs(axum::extract::State(app): axum::extract::State<App>) {
    tracing::warn!("in the handler");
    let written = app.db.write("test", |_| {
        Box::pin(async {
            tracing::warn!("in the transaction");
            Ok::<_, crate::db::Error>(())
        })
    });
    written.await.unwrap();
}

#[tokio::test]
async fn every_line_of_a_request_carries_its_id() {
    let lines = Lines::default();
    let writer = lines.clone();
    let log = crate::running::log::as_json(tracing_subscriber::EnvFilter::new("info"), move || writer.clone());
    let _guard = tracing::subscriber::set_default(log);
    let served = serve(|settings| settings.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()]).await;
    for id in ["one", "two"] {
        client().post(served.url("/logs")).header("x-request-id", id).send().await.unwrap();
    }
    let all = lines.all();
    for id in ["one", "two"] {
        let said: Vec<&str> =
            all.iter().filter(|line| line["span"]["request_id"] == id).map(|line| line["message"].as_str().unwrap()).collect();
        assert_eq!(said, ["in the handler", "in the transaction", "answered"], "{all:?}");
    }
}

#[tokio::test]
async fn what_goes_wrong_is_a_problem() {
    let served = serve(|_| {}).await;
    for (path, status, kind) in
        [("/panic", 500, "/problems/fault"), ("/slow", 503, "/problems/unavailable"), ("/nothing", 404, "/problems/not-found")]
    {
        let (got, type_, _) = problem(served.get(path).await).await;
        assert_eq!((got, type_.as_str()), (status, kind), "{path}");
    }
    assert!(served.get("/slow").await.headers().contains_key("retry-after"));
    let wrong_method = client().post(served.url("/id")).send().await.unwrap();
    assert_eq!(wrong_method.headers()["allow"], "GET,HEAD");
    assert_eq!(problem(wrong_method).await.1, "/problems/method-not-allowed");
    // The process lives on.
    assert_eq!(served.get("/id").await.status(), 200);
}

#[tokio::test]
async fn a_problem_speaks_the_readers_language() {
    let served = serve(|_| {}).await;
    let theirs = served.get("/theirs").await;
    assert_eq!(theirs.headers()["content-language"], "zh-Hant");
    assert_eq!(theirs.headers()["retry-after"], "3");
    let (status, _, body) = problem(theirs).await;
    assert_eq!((status, &body["session_id"]), (503, &serde_json::json!(7)));
    let asked = client().get(served.url("/theirs")).header("accept-language", "en").send().await.unwrap();
    assert_eq!(asked.headers()["content-language"], "en");
}

#[tokio::test]
async fn bodies_have_a_most() {
    let served = serve(|_| {}).await;
    let send = |text: String| client().post(served.url("/echo")).json(&serde_json::json!({ "text": text })).send();
    assert_eq!(send("a".repeat(80)).await.unwrap().status(), 200);
    assert_eq!(problem(send("a".repeat(200)).await.unwrap()).await.1, "/problems/body-too-large");
}

#[tokio::test]
async fn headers_have_a_most_and_a_time() {
    let served = serve(|_| {}).await;
    let long = format!("GET /id HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "a".repeat(40_000));
    assert!(served.raw(long.as_bytes()).await.starts_with("HTTP/1.1 431"));
    assert!(served.raw(b"nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    // Headers that never end, and a connection on which nothing is ever said: both are hung up on.
    let began = Instant::now();
    served.raw(b"GET /id HTTP/1.1\r\nhost: x\r\nx-slow: a").await;
    served.raw(b"").await;
    assert!(began.elapsed() > Duration::from_millis(1_500), "not before the time");
}

#[tokio::test]
async fn a_kept_connection_may_be_idle_for_longer_than_headers_may_take() {
    let served = serve(|_| {}).await;
    let mut kept = served.kept().await;
    tokio::time::sleep(Duration::from_millis(1_400)).await;
    assert!(ask(&mut kept).await.starts_with("HTTP/1.1 200"), "the header time does not run between requests");
    let idle = hung_up(&mut kept).await;
    assert!((1_800..3_500).contains(&idle.as_millis()), "{idle:?} of 2 s");
}

#[tokio::test]
async fn headers_have_their_time_from_the_first_byte_however_they_trickle() {
    let served = serve(|_| {}).await;
    let mut kept = served.kept().await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    kept.write_all(b"GET /id HTTP/1.1\r\nhost: x\r\nx-slow: ").await.unwrap();
    let began = Instant::now();
    while kept.write_all(b"a").await.is_ok() && began.elapsed() < Duration::from_secs(4) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let took = began.elapsed();
    assert!((900..2_000).contains(&took.as_millis()), "{took:?} of 1 s");
}

#[tokio::test]
async fn who_does_not_read_is_cut_off_and_who_reads_slowly_is_not() {
    let served = serve(|settings| settings.server.connections_max = 3).await;
    let request = b"GET /big HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let never = served.narrow(request).await;
    let mut trickles = served.narrow(request).await;
    let trickles = tokio::spawn(async move {
        while trickles.read_u8().await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let mut slow = served.narrow(request).await;
    let slow = tokio::spawn(async move {
        let mut all = Vec::new();
        // Some 1.5 s in all, with pauses shorter than the write time.
        while slow.read_buf(&mut all).await.unwrap() > 0 {
            if all.capacity() - all.len() < 1024 {
                tokio::time::sleep(Duration::from_millis(150)).await;
                all.reserve(4 * 1024 * 1024);
            }
        }
        all.len()
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    // Meanwhile there is no place, and clients are told so.
    assert_eq!(problem(served.get("/id").await).await.1, "/problems/unavailable");
    assert!(slow.await.unwrap() > BIG, "who reads gets everything");
    // The other two are gone, too: three can come again.
    let began = Instant::now();
    let mut places = Vec::new();
    while places.len() < 3 {
        assert!(began.elapsed() < Duration::from_secs(4), "who never reads holds a place for ever");
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        if ask(&mut stream).await.starts_with("HTTP/1.1 200") {
            places.push(stream);
        } else {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    trickles.abort();
    drop(never);
}

#[tokio::test]
async fn who_still_sends_hears_the_answer() {
    let served = serve(|_| {}).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 200000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..20 {
        stream.write_all(&[b' '; 10_000]).await.expect("nobody hangs up on who is still sending");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("/problems/body-too-large"), "{answer}");
}

#[tokio::test]
async fn a_body_that_trickles_is_answered_in_time() {
    let served = serve(|settings| settings.server.header_timeout_s = 3).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let began = Instant::now();
    let (mut reads, mut writes) = stream.into_split();
    let trickle = tokio::spawn(async move {
        while writes.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let mut answer = String::new();
    reads.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503") && began.elapsed() < Duration::from_millis(2_500), "{:?}: {answer}", began.elapsed());
    // A client who goes on sending after the end is cut off after all.
    tokio::time::timeout(Duration::from_secs(4), trickle).await.expect("the connection ends").unwrap();
}

#[tokio::test]
async fn beyond_the_most_everybody_is_told_and_health_is_answered() {
    let served = serve(|settings| settings.server.connections_max = 1).await;
    let first = served.kept().await;
    let refused = served.get("/id").await;
    assert_eq!(refused.headers()["connection"], "close");
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(problem(refused).await.1, "/problems/unavailable");
    assert_eq!(served.get("/healthz").await.status(), 200);
    // A flood of connections that say nothing does not keep the next away.
    let mut silent = Vec::new();
    for _ in 0..super::TURNED_AWAY_MAX + 40 {
        silent.push(TcpStream::connect(served.address).await.unwrap());
    }
    let began = Instant::now();
    assert_eq!(served.get("/healthz").await.status(), 200);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    drop(first);
    while served.get("/id").await.status() != 200 {
        assert!(began.elapsed() < Duration::from_secs(3), "a place that is left is free again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // And the silent ones are gone by themselves.
    for mut stream in silent {
        let _ = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0])).await.expect("it is hung up on");
    }
}

#[tokio::test]
async fn who_keeps_a_connection_idle_makes_room_when_it_is_crowded() {
    let served = serve(|settings| {
        settings.server.connections_max = 10;
        settings.server.keep_alive_s = 60;
    })
    .await;
    let mut idle = Vec::new();
    for _ in 0..9 {
        idle.push(served.kept().await);
    }
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    for stream in &mut idle {
        assert!(ask(stream).await.starts_with("HTTP/1.1 200"), "a place is free: nobody need go");
    }
    // The tenth place.
    assert_eq!(served.get("/id").await.status(), 200);
    for stream in &mut idle {
        assert!(hung_up(stream).await < Duration::from_secs(2));
    }
}

#[tokio::test]
async fn one_address_has_a_most() {
    let served = serve(|settings| settings.server.connections_per_address_max = 2).await;
    let (first, _second) = (served.kept().await, served.kept().await);
    assert_eq!(problem(served.get("/id").await).await.1, "/problems/too-many-requests");
    assert_eq!(served.get("/healthz").await.status(), 200);
    drop(first);
    let began = Instant::now();
    while served.get("/id").await.status() != 200 {
        assert!(began.elapsed() < Duration::from_secs(3), "a place that is left is free again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn behind_a_proxy_the_client_has_a_most_and_the_proxy_none() {
    let served = serve(|settings| {
        settings.server.connections_per_address_max = 2;
        settings.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    })
    .await;
    // A proxy may open connections ahead of need.
    let mut ahead = TcpStream::connect(served.address).await.unwrap();
    let _kept = (served.kept().await, served.kept().await, served.kept().await);
    let forwarded = |path: &str, whose: &str| client().get(served.url(path)).header("x-forwarded-for", whose).send();
    let (in_flight, more) = (forwarded("/soon", "198.51.100.1"), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let refused = forwarded("/id", "198.51.100.1").await.unwrap();
        assert_eq!(refused.headers()["retry-after"], "1");
        assert_eq!(problem(refused).await.1, "/problems/too-many-requests");
        assert_eq!(forwarded("/id", "198.51.100.2").await.unwrap().status(), 200);
        assert_eq!(served.get("/id").await.status(), 200, "the proxy itself");
    });
    let (first, second, ()) = tokio::join!(in_flight, forwarded("/soon", "198.51.100.1"), more);
    assert_eq!((first.unwrap().status().as_u16(), second.unwrap().status().as_u16()), (200, 200));
    assert_eq!(forwarded("/id", "198.51.100.1").await.unwrap().status(), 200);
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    assert!(ask(&mut ahead).await.starts_with("HTTP/1.1 200"), "longer than the header time");
}

#[tokio::test]
async fn an_end_answers_what_has_come() {
    let served = serve(|_| {}).await;
    let idle = client();
    assert_eq!(idle.get(served.url("/id")).send().await.unwrap().status(), 200);
    let asked = Arc::new(Notify::new());
    let soon = tokio::spawn({
        let (url, asked) = (served.url("/soon"), Arc::clone(&asked));
        async move {
            let answer = client().get(url).send();
            asked.notify_one();
            let answer = answer.await.unwrap();
            assert_eq!(answer.headers()["connection"], "close");
            answer.status()
        }
    });
    asked.notified().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!served.app.running.is_stopping());
    served.stop.send(Duration::ZERO).unwrap();
    let began = Instant::now();
    served.task.await.unwrap();
    assert!(served.app.running.is_stopping());
    assert!(began.elapsed() < Duration::from_secs(2), "an idle connection holds nobody up");
    assert_eq!(soon.await.unwrap(), 200);
    assert!(client().get(format!("http://{}/id", served.address)).send().await.is_err(), "no more connections");
}

/// On one thread: between what is sent and the end, nobody reads.
#[tokio::test]
async fn an_end_answers_what_was_sent_and_not_yet_read() {
    let served = serve(|_| {}).await;
    let mut kept = Vec::new();
    for _ in 0..8 {
        kept.push(served.kept().await);
    }
    let mut half = served.kept().await;
    half.write_all(&ASK[..10]).await.unwrap();
    let idle = served.kept().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    for stream in &kept {
        assert_eq!(stream.try_write(ASK).unwrap(), ASK.len());
    }
    // The system has taken these connections, the server has not.
    let mut waiting = Vec::new();
    for _ in 0..4 {
        let stream = std::net::TcpStream::connect(served.address).unwrap();
        std::io::Write::write_all(&mut &stream, ASK).unwrap();
        stream.set_nonblocking(true).unwrap();
        waiting.push(TcpStream::from_std(stream).unwrap());
    }
    served.stop.send(Duration::ZERO).unwrap();
    for mut stream in kept.into_iter().chain(waiting) {
        let answer = one_answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer:?}");
        hung_up(&mut stream).await;
    }
    half.write_all(&ASK[10..]).await.unwrap();
    assert!(one_answer(&mut half).await.starts_with("HTTP/1.1 200"), "what was begun is finished");
    let mut idle = idle;
    hung_up(&mut idle).await;
    served.task.await.unwrap();
}

#[tokio::test]
async fn an_end_leaves_balancers_time_to_turn_elsewhere() {
    let served = serve(|_| {}).await;
    let (mut kept, url) = (served.kept().await, served.url("/id"));
    served.stop.send(Duration::from_millis(400)).unwrap();
    let began = Instant::now();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(served.app.running.is_stopping(), "/readyz says so");
    assert!(!ask(&mut kept).await.contains("connection: close"), "kept connections are kept on");
    assert_eq!(client().get(url).send().await.unwrap().status(), 200, "new connections are served");
    assert!(began.elapsed() < Duration::from_millis(400));
    hung_up(&mut kept).await;
    served.task.await.unwrap();
    let took = began.elapsed();
    assert!((400..2_000).contains(&took.as_millis()), "{took:?}");
}
