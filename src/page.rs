//! The small pages behind letters' links, for people without an account or an app: one frame (`page.html`), without a script, shown to
//! nobody else and kept nowhere.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::language::Language;
use crate::problem::{Answer, Problem};

/// A refusal that a page says itself: the server's front counts it, and leaves the page as it is.
#[derive(Clone, Debug)]
pub struct Told(pub Problem);

/// Answers with a page in this language.
pub fn answer(page: &impl Template, language: Language, status: StatusCode) -> Answer<Response> {
    let headers = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_LANGUAGE, language.tag()),
        (header::VARY, "Accept-Language"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((status, headers, Html(page.render().map_err(Problem::fault)?)).into_response())
}
