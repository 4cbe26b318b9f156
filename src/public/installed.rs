//! What makes the pages an app on a phone, and a frame in the studio's own website: the manifest, the icons, the service worker, and the
//! script of the frame.

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::frame::Files;
use super::reader::Reader;
use crate::etag::Encoded;
use crate::extract::Path;
use crate::problem::{Answer, Problem, ProblemType};

/// Looked at again with every use: what is installed is never older than the server.
const AGAIN: &str = "public, no-cache";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// What the app is called, how it looks, and where it begins.
pub async fn manifest(reader: Reader) -> Answer<Response> {
    let text = json!({
        "name": "Relevé", "short_name": "Relevé", "id": "/me", "start_url": "/me", "scope": "/", "display": "standalone",
        "lang": reader.reads().tag(), "background_color": "#faf7f5", "theme_color": "#faf7f5",
        "icons": [
            {"src": "/me/icons/192.png", "sizes": "192x192", "type": "image/png"},
            {"src": "/me/icons/512.png", "sizes": "512x512", "type": "image/png", "purpose": "any maskable"},
            {"src": Files::icon(), "sizes": "any", "type": "image/svg+xml"},
        ],
    });
    let headers = [(header::CONTENT_TYPE, "application/manifest+json"), (header::CACHE_CONTROL, AGAIN)];
    Ok((headers, text.to_string()).into_response())
}

/// The service worker: it keeps `/me/pocket` and shows it where there is no network, and nothing else.
pub async fn worker(headers: HeaderMap) -> Answer<Response> {
    let kept = format!("const FILES = {};\n", json!([Files::tokens(), Files::css(), Files::icon()]));
    let script = Encoded::of_text(kept + include_str!("worker.js"))?;
    let mut answer = script.answer_as(&headers, SCRIPT, AGAIN);
    // Pages of a studio and of a booking lie beside the worker, not below it.
    answer.headers_mut().insert("service-worker-allowed", header::HeaderValue::from_static("/"));
    // What a worker may ask for is said with it, not with the page.
    let policy = header::HeaderValue::from_static("default-src 'none'; connect-src 'self'");
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(answer)
}

/// The icons as pictures, for systems that take no others.
pub async fn icon(Path(name): Path<String>) -> Answer<Response> {
    let picture: &'static [u8] = match name.as_str() {
        "180.png" => include_bytes!("icons/180.png"),
        "192.png" => include_bytes!("icons/192.png"),
        "512.png" => include_bytes!("icons/512.png"),
        _ => return Err(Problem::new(ProblemType::NotFound)),
    };
    Ok(([(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "public, max-age=86400")], picture).into_response())
}

/// The script that a studio's website loads: it puts the schedule where it stands, and makes it as high as it is.
pub async fn embed_script(headers: HeaderMap) -> Answer<Response> {
    let mut answer = Encoded::of_text(include_str!("embed.js").to_owned())?.answer_as(&headers, SCRIPT, "public, max-age=3600");
    answer.headers_mut().insert("cross-origin-resource-policy", header::HeaderValue::from_static("cross-origin"));
    Ok(answer)
}
