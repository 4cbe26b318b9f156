//! The files of the pages, the console's and the public ones', compiled in. Their addresses carry a hash of what is in them, so that browsers keep them for ever.

use std::sync::LazyLock;

use crate::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::problem::{Answer, Problem, ProblemType};

/// One file.
pub struct Asset {
    name: &'static str,
    kind: &'static str,
    content: &'static str,
    address: LazyLock<String>,
}

impl Asset {
    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
    }
}

fn address(name: &str, content: &str) -> String {
    let hash = BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(content)[..9]);
    format!("/console/files/{hash}/{name}")
}

macro_rules! asset {
    ($of:ident, $name:literal, $kind:literal) => {
        asset!($of, $name, $kind, $name);
    };
    ($of:ident, $name:literal, $kind:literal, $file:literal) => {
        /// A file of the pages.
        pub static $of: Asset = Asset {
            name: $name,
            kind: $kind,
            content: include_str!($file),
            address: LazyLock::new(|| address($name, include_str!($file))),
        };
    };
}

asset!(CSS, "console.css", "text/css; charset=utf-8");
asset!(JS, "console.js", "text/javascript; charset=utf-8");
asset!(ICON, "icon.svg", "image/svg+xml");
asset!(KIOSK_CSS, "kiosk.css", "text/css; charset=utf-8");
asset!(KIOSK_JS, "kiosk.js", "text/javascript; charset=utf-8");
// jsQR 1.4.0 as it was published: see THIRD-PARTY.md.
asset!(SCANNER, "jsqr.js", "text/javascript; charset=utf-8");
asset!(PUBLIC_CSS, "public.css", "text/css; charset=utf-8", "../public/public.css");
asset!(PUBLIC_JS, "public.js", "text/javascript; charset=utf-8", "../public/public.js");

/// What keeps the door's page on its device: it has an address of its own, as it speaks for that page alone.
pub const KIOSK_WORKER: &str = include_str!("kiosk-worker.js");

/// One of them. What an old page asks for by another hash is given too: it is better than nothing.
pub async fn file(Path((_, name)): Path<(String, String)>) -> Answer<Response> {
    let asset = [&CSS, &JS, &ICON, &KIOSK_CSS, &KIOSK_JS, &SCANNER, &PUBLIC_CSS, &PUBLIC_JS].into_iter().find(|asset| asset.name == name);
    let asset = asset.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    let headers = [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, asset.content).into_response())
}
