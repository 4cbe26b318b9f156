//! The front and the accept loop, over real sockets: what a hostile or unlucky client gets, and how an end goes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use axum::{Extension, Router};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
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
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    _directory: TempDir,
}

fn hostile_routes() -> Router<App> {
    Router::new()
        .route("/peer", get(async |Extension(ConnectInfo(peer)): Extension<ConnectInfo<SocketAddr>>| peer.ip().to_string()))
        .route("/id", get(async |Extension(RequestId(id)): Extension<RequestId>| id))
        .route("/panic", get(panics))
        .route("/slow", get(async || tokio::time::sleep(Duration::from_secs(60)).await))
        .route("/soon", get(async || tokio::time::sleep(Duration::from_millis(300)).await))
        .route("/echo", post(async |Body(said): Body<serde_json::Value>| said.to_string()))
        .route("/hers", get(refuses))
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
    settings.server.body_bytes_max = 100;
    change(&mut settings);
    let post = crate::letters::transport::Post::open(&settings).unwrap();
    let app = App::new(settings, db, Clock::System, post).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let router = behind(app.clone(), hostile_routes());
    let task = tokio::spawn(serve_router(app.clone(), router, listener, async { drop(stopped.await) }));
    Served { app, address, stop, task, _directory: directory }
}

impl Served {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        client().get(self.url(path)).send().await.unwrap()
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
    let served = serve(|_| {}).await;
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
    let hers = served.get("/hers").await;
    assert_eq!(hers.headers()["content-language"], "zh-Hant");
    assert_eq!(hers.headers()["retry-after"], "3");
    let (status, _, body) = problem(hers).await;
    assert_eq!((status, &body["session_id"]), (503, &serde_json::json!(7)));
    let asked = client().get(served.url("/hers")).header("accept-language", "en").send().await.unwrap();
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
async fn connections_have_a_most_and_the_rest_wait() {
    let served = serve(|settings| settings.server.connections_max = 1).await;
    let mut first = TcpStream::connect(served.address).await.unwrap();
    first.write_all(b"GET /id HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut byte = [0];
    first.read_exact(&mut byte).await.unwrap();
    let waits = tokio::time::timeout(Duration::from_millis(300), served.get("/id")).await;
    assert!(waits.is_err(), "there is no place yet");
    drop(first);
    assert_eq!(served.get("/id").await.status(), 200);
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
            answer.await.unwrap().status()
        }
    });
    asked.notified().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!served.app.running.is_stopping());
    served.stop.send(()).unwrap();
    let began = Instant::now();
    served.task.await.unwrap();
    assert!(served.app.running.is_stopping());
    assert!(began.elapsed() < Duration::from_secs(5), "an idle connection holds nobody up");
    assert_eq!(soon.await.unwrap(), 200);
    assert!(client().get(format!("http://{}/id", served.address)).send().await.is_err(), "no more connections");
}
