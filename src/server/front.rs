//! What every request passes through: one layer, written by hand, since each of tower's own would cost another boxed future.
//!
//! It gives the request its id, which every log line written for it carries, ends it after the time-out, turns a panic into a problem,
//! renders problems in the reader's language, sets the headers that every answer has, writes the log line and counts.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request};
use axum::handler::Handler;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use tower::{Layer, Service};
use tracing::Instrument as _;

use crate::app::App;
use crate::extract::{Concerns, FactorMissing, ReaderLanguage, RequestId, header_text};
use crate::ids::new_id;
use crate::language::Language;
use crate::page::Told;
use crate::problem::{Problem, ProblemType};
use crate::routes::{nothing_here, public_routes, routes};
use crate::security::rules::{Answered, Sighting, Whom, noticed, studio_of};
use crate::settings;
use crate::sign_in::visitor::client_ip;
use crate::wrong::Wrong;

use super::cors::Origin;
use super::per_address::{Held, PerAddress};

/// What a browser may do with an answer that says nothing of it: nothing. Pages say what they need.
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
/// For two years, once it came by TLS. Not for names below this one: those may be somebody else's.
const BY_TLS_ALONE: HeaderValue = HeaderValue::from_static("max-age=63072000");

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that a caller or a proxy may give its request.
const REQUEST_ID_CHARS_MAX: usize = 64;
/// When to try again after a request that took too long, in seconds.
const TIMEOUT_RETRY_S: u64 = 5;

/// Every URL, behind the front.
pub fn router(app: App) -> Router {
    let routes = if app.settings.server.private_port == 0 { routes() } else { public_routes() };
    behind_or(app, routes, nothing_here)
}

/// These URLs, behind the front.
pub fn behind(app: App, routes: Router<App>) -> Router {
    behind_or(app, routes, async || Problem::new(ProblemType::NotFound))
}

/// The same, with another answer for all other URLs.
pub fn behind_or<T: 'static>(app: App, routes: Router<App>, others: impl Handler<T, App>) -> Router {
    let forwarded = PerAddress::new(app.settings.server.connections_per_address_max);
    routes
        .fallback(others)
        .method_not_allowed_fallback(async || Problem::new(ProblemType::MethodNotAllowed))
        .layer(Front { app: app.clone(), forwarded })
        .with_state(app)
}

/// The layer: puts a [`Passage`] before each route. Behind the router, so that the matched route is known.
#[derive(Clone)]
struct Front {
    app: App,
    forwarded: Arc<PerAddress>,
}

impl<S> Layer<S> for Front {
    type Service = Passage<S>;

    fn layer(&self, inner: S) -> Passage<S> {
        Passage { app: self.app.clone(), forwarded: Arc::clone(&self.forwarded), inner }
    }
}

/// One route behind the front.
#[derive(Clone)]
struct Passage<S> {
    app: App,
    /// The requests in flight of each client behind a trusted proxy: they count there in place of its connections.
    forwarded: Arc<PerAddress>,
    inner: S,
}

impl<S> Service<Request> for Passage<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let settings = &self.app.settings.server;
        let time_max = Duration::from_secs(settings.request_timeout_s);
        let client = client_ip(request.extensions(), request.headers(), &settings.trusted_proxies);
        let mut seen = Seen::of(&self.app, &request, client);
        let extensions = request.extensions_mut();
        extensions.insert(RequestId(seen.id.clone()));
        extensions.insert(seen.reader.clone());
        extensions.insert(seen.concerns.clone());
        extensions.insert(seen.factor.clone());
        DefaultBodyLimit::max(settings.body_bytes_max).apply(&mut request);
        let held = hold_forwarded(settings, &self.forwarded, &request, client);
        if let Some(answer) = seen.origin.preflight(&request) {
            let answer = seen.finish(answer);
            return Box::pin(std::future::ready(Ok(answer)));
        }
        let answer = self.inner.call(request);
        // At the level of an error, so that a filter which lets any line of the request through lets its id through with it.
        let span = tracing::error_span!("request", request_id = seen.id);
        let answered = async move {
            let Ok(_held) = held else {
                let answer = seen.finish(Problem::new(ProblemType::TooManyRequests).retry_after(1).into_response());
                seen.note(answer.status());
                return Ok(answer);
            };
            let answer = match tokio::time::timeout(time_max, AssertUnwindSafe(answer).catch_unwind()).await {
                Ok(Ok(Ok(answer))) => answer,
                Ok(Ok(Err(never))) => match never {},
                // The panic hook has logged what and where.
                Ok(Err(_)) => Problem::new(ProblemType::Fault).into_response(),
                Err(_) => Problem::new(ProblemType::Unavailable).retry_after(TIMEOUT_RETRY_S).into_response(),
            };
            let answer = seen.finish(answer);
            seen.note(answer.status());
            Ok(answer)
        };
        Box::pin(answered.instrument(span))
    }
}

/// Counts a request that a trusted proxy forwards for somebody. Others have one at a time, on a connection that is itself counted.
fn hold_forwarded(settings: &settings::Server, forwarded: &Arc<PerAddress>, request: &Request, client: IpAddr) -> Result<Option<Held>, ()> {
    let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() else { return Ok(None) };
    if !settings.is_trusted_proxy(peer.ip()) {
        return Ok(None);
    }
    // A proxy's own request, such as its health check.
    if settings.is_trusted_proxy(client) {
        return Ok(None);
    }
    forwarded.hold(client).map(Some).ok_or(())
}

/// What is kept of a request until it is answered.
struct Seen {
    app: App,
    began: Instant,
    id: String,
    client: IpAddr,
    origin: Origin,
    concerns: Concerns,
    uri: Uri,
    method: Method,
    route: Option<MatchedPath>,
    asked_language: Option<Language>,
    reader: ReaderLanguage,
    factor: FactorMissing,
}

impl Seen {
    fn of(app: &App, request: &Request, client: IpAddr) -> Self {
        let headers = request.headers();
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let by_proxy = peer.is_some_and(|ConnectInfo(peer)| app.settings.server.is_trusted_proxy(peer.ip()));
        // Whoever may choose the id of a request may pass it off as another's in the log.
        let id = header_text(headers, "x-request-id")
            .filter(|id| by_proxy && is_sane_id(id))
            .map_or_else(|| new_id(app.clock.now()).to_string(), str::to_owned);
        Self {
            app: app.clone(),
            began: Instant::now(),
            id,
            client,
            origin: Origin::of(&app.settings.server, headers),
            concerns: Concerns::default(),
            uri: request.uri().clone(),
            method: request.method().clone(),
            route: request.extensions().get::<MatchedPath>().cloned(),
            asked_language: header_text(headers, "accept-language").and_then(Language::of_header),
            reader: ReaderLanguage::default(),
            factor: FactorMissing::default(),
        }
    }

    /// Renders a problem, and sets the headers that every answer has.
    fn finish(&mut self, mut answer: Response) -> Response {
        self.notice(&answer);
        if let Some(mut problem) = answer.extensions_mut().remove::<Problem>() {
            if problem.kind == ProblemType::NotAllowed && self.factor.is_noted() {
                problem = Problem::new(ProblemType::SecondFactorRequired);
            }
            let language = self.asked_language.or_else(|| self.reader.get()).unwrap_or(Language::En);
            let mut rendered = problem.answer(language, &self.id);
            // What the handler had set besides (`Allow`, `ETag`) stays.
            for (name, value) in answer.headers() {
                if !rendered.headers().contains_key(name) && name != header::CONTENT_LENGTH {
                    rendered.headers_mut().append(name.clone(), value.clone());
                }
            }
            answer = rendered;
        }
        let headers = answer.headers_mut();
        if let Ok(id) = HeaderValue::from_str(&self.id) {
            headers.insert(X_REQUEST_ID, id);
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(NOTHING);
        if self.app.settings.server.public_url.starts_with("https://") {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, BY_TLS_ALONE);
        }
        self.origin.tell(headers);
        answer
    }

    /// Counts what somebody will want to know of: in memory, so that nobody waits for it.
    fn notice(&self, answer: &Response) {
        let problem = answer.extensions().get::<Problem>().or_else(|| answer.extensions().get::<Told>().map(|Told(problem)| problem));
        let whom = self.concerns.whom();
        let kind = noticed(&Answered {
            method: self.method.as_str(),
            route: self.route.as_ref().map_or("", MatchedPath::as_str),
            status: answer.status().as_u16(),
            problem: problem.map(|problem| problem.kind),
            password_refused: problem.is_some_and(|problem| problem.finds(&Wrong::NotYourPassword)),
            names_address: matches!(whom, Some(Whom::Address(_))),
        });
        let Some(kind) = kind else { return };
        let sighting = Sighting {
            kind,
            whom: whom.cloned().unwrap_or(Whom::Nobody),
            network: Some(self.app.keys.mark_network(self.client)),
            studio_id: studio_of(self.uri.path()),
        };
        self.app.noticed.add(sighting, &self.id, self.app.clock.now());
    }

    /// The log line and the count. Routes, never addresses: those have ids, queries and secrets in them.
    fn note(&self, status: StatusCode) {
        let route = self.route.as_ref().map_or("(none)", MatchedPath::as_str);
        let took = self.began.elapsed();
        metrics::histogram!(
            "releve_http_request_seconds",
            "method" => method_label(&self.method),
            "route" => route.to_owned(),
            "status" => status_label(status)
        )
        .record(took);
        let (method, status) = (&self.method, status.as_u16());
        let ms = took.as_secs_f64() * 1_000.0;
        if status >= 400 || !method.is_safe() {
            tracing::info!(%method, route, status, ms, "answered");
        } else {
            // Successful reads are by far the most.
            tracing::debug!(%method, route, status, ms, "answered");
        }
    }
}

fn is_sane_id(id: &str) -> bool {
    (1..=REQUEST_ID_CHARS_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Methods that anybody can invent must not become an unlimited number of labels.
const fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::PUT => "PUT",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

const fn status_label(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200 => "200",
        201 => "201",
        202 => "202",
        204 => "204",
        304 => "304",
        400 => "400",
        401 => "401",
        402 => "402",
        403 => "403",
        404 => "404",
        405 => "405",
        409 => "409",
        412 => "412",
        413 => "413",
        415 => "415",
        422 => "422",
        428 => "428",
        429 => "429",
        500 => "500",
        503 => "503",
        _ => "other",
    }
}
