//! Which web pages of other origins may ask (the CORS protocol of the Fetch standard): those of `server.cors_origins`, none by default.
//!
//! Pages are never given credentials of their own: a token travels in `Authorization`, which a page must have been given by its person.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::extract::header_text;
use crate::settings;

const METHODS: HeaderValue = HeaderValue::from_static("GET, PUT, POST, PATCH, DELETE");
/// What a call may carry besides what any page may send.
const HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, accept-language, idempotency-key, if-match, if-none-match, not-after");
/// What a page may read of an answer besides what any page may.
const EXPOSED: HeaderValue = HeaderValue::from_static("etag, retry-after, x-request-id, content-disposition, date");
/// How long a browser remembers that it may, in seconds: no browser remembers longer.
const REMEMBERED_S: HeaderValue = HeaderValue::from_static("7200");
const ASKED_FOR: HeaderValue = HeaderValue::from_static("Origin, Access-Control-Request-Method, Access-Control-Request-Headers");

/// What is known of a request's origin.
#[derive(Debug)]
pub enum Origin {
    /// Nobody is let in: nothing is said of it at all.
    Off,
    /// None, or not one of ours.
    Other,
    /// One of ours.
    Ours(HeaderValue),
}

impl Origin {
    /// Where the page stands that asks.
    pub fn of(settings: &settings::Server, headers: &HeaderMap) -> Self {
        if settings.cors_origins.is_empty() {
            return Self::Off;
        }
        let said = header_text(headers, "origin").filter(|said| settings.cors_origins.iter().any(|ours| ours.as_str() == *said));
        match said.and_then(|_| headers.get(header::ORIGIN)) {
            Some(origin) => Self::Ours(origin.clone()),
            None => Self::Other,
        }
    }

    /// The answer to a browser that asks beforehand whether it may.
    pub fn preflight(&self, request: &Request<Body>) -> Option<Response> {
        let headers = request.headers();
        let asks = request.method() == Method::OPTIONS
            && headers.contains_key(header::ORIGIN)
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !asks || matches!(self, Self::Off) {
            return None;
        }
        let mut answer = StatusCode::NO_CONTENT.into_response();
        if matches!(self, Self::Ours(_)) {
            let headers = answer.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED_S);
        }
        answer.headers_mut().append(header::VARY, ASKED_FOR);
        Some(answer)
    }

    /// What every answer says to it. Whether or not it is one of ours, a cache must know that it depends on it.
    pub fn tell(&self, headers: &mut HeaderMap) {
        match self {
            Self::Off => return,
            Self::Other => {}
            Self::Ours(origin) => {
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
                headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
            }
        }
        if !headers.get_all(header::VARY).iter().any(|value| *value == ASKED_FOR) {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
    }
}
