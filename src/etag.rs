//! HTTP answers besides plain JSON: things with a version, and bodies that are encoded once and carry the hash of their bytes as `ETag`.

use axum::Json;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::problem::{Answer, Problem};

/// A thing that is edited with `If-Match`: its JSON, and its version as `ETag`.
#[derive(Debug)]
pub struct Versioned<T> {
    status: StatusCode,
    version: i64,
    body: T,
}

impl<T> Versioned<T> {
    /// 200 with the thing as it is now.
    pub fn ok(version: i64, body: T) -> Self {
        Self { status: StatusCode::OK, version, body }
    }

    /// 201 with the thing as it was made.
    pub fn created(version: i64, body: T) -> Self {
        Self { status: StatusCode::CREATED, version, body }
    }

    /// The thing itself.
    pub fn into_body(self) -> T {
        self.body
    }
}

impl<T: Serialize> IntoResponse for Versioned<T> {
    fn into_response(self) -> Response {
        (self.status, [(header::ETAG, format!("\"{}\"", self.version))], Json(self.body)).into_response()
    }
}

/// A body in bytes, mostly JSON, with the hash of these bytes as a strong `ETag`. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Encoded {
    bytes: Bytes,
    etag: HeaderValue,
}

impl Encoded {
    /// Encodes once.
    pub fn of(body: &impl Serialize) -> Answer<Self> {
        Self::with_prefix("", body)
    }

    /// The same for one thing with a version, which its `ETag` begins with, so that an edit may send it as `If-Match`.
    pub fn of_version(version: i64, body: &impl Serialize) -> Answer<Self> {
        Self::with_prefix(&format!("{version}-"), body)
    }

    /// The same for a text that is not JSON, to be sent by [`Encoded::answer_as`].
    pub fn of_text(text: String) -> Answer<Self> {
        Self::of_bytes("", text.into_bytes())
    }

    /// The same for JSON that is in bytes already.
    pub fn of_json(bytes: Vec<u8>) -> Answer<Self> {
        Self::of_bytes("", bytes)
    }

    fn with_prefix(prefix: &str, body: &impl Serialize) -> Answer<Self> {
        Self::of_bytes(prefix, serde_json::to_vec(body).map_err(Problem::fault)?)
    }

    fn of_bytes(prefix: &str, bytes: Vec<u8>) -> Answer<Self> {
        let mut etag = format!("\"{prefix}");
        for byte in Sha256::digest(&bytes).iter().take(16) {
            etag.push_str(&format!("{byte:02x}"));
        }
        etag.push('"');
        Ok(Self { bytes: bytes.into(), etag: HeaderValue::from_str(&etag).map_err(Problem::fault)? })
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// In bytes.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The answer: 304 without a body if the caller has these very bytes. `public`: the same for everybody who reads this language.
    pub fn answer(&self, request: &HeaderMap, public: bool) -> Response {
        let mut response = self.answer_as(request, "application/json", if public { "public, no-cache" } else { "private, no-cache" });
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Authorization, Accept-Language"));
        response
    }

    /// The same for any content type: the same for everybody who has its address, cached as `cache` says.
    pub fn answer_as(&self, request: &HeaderMap, content_type: &'static str, cache: &'static str) -> Response {
        let mut response = Response::default();
        let known = request.get_all(header::IF_NONE_MATCH).iter().any(|value| names(value, &self.etag));
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            *response.body_mut() = self.bytes.clone().into();
        }
        let headers = response.headers_mut();
        if !known {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        response
    }
}

/// Whether an `If-None-Match` names this tag (RFC 9110, 13.1.2: compared weakly).
fn names(header: &HeaderValue, etag: &HeaderValue) -> bool {
    let (Ok(list), Ok(etag)) = (header.to_str(), etag.to_str()) else { return false };
    list.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared() {
        let etag = HeaderValue::from_static("\"ab\"");
        for (header, known) in
            [("\"ab\"", true), ("W/\"ab\"", true), ("\"x\", \"ab\"", true), ("*", true), ("\"abc\"", false), ("ab", false)]
        {
            assert_eq!(names(&HeaderValue::from_static(header), &etag), known, "{header}");
        }
    }

    #[test]
    fn the_tag_is_that_of_the_bytes() {
        let (one, same, other) = (Encoded::of(&[1]).unwrap(), Encoded::of(&[1]).unwrap(), Encoded::of(&[2]).unwrap());
        assert_eq!(one.etag, same.etag);
        assert_ne!(one.etag, other.etag);
        assert!(Encoded::of_version(7, &[1]).unwrap().etag.to_str().unwrap().starts_with("\"7-"));
    }
}
