//! What every request to the console passes through: a change that another site asks for is refused, and what is refused is said on a page.
//!
//! A browser says by itself where a request comes from (`Sec-Fetch-Site`; where it does not know that, or the way is not secure, `Origin`),
//! and no page can make it say something else. So forms need no tokens of their own, which pages that were left open over night would have
//! lost. That the cookie is `SameSite=Lax` is the second lock on the same door.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use url::form_urlencoded;

use super::cookie;
use super::frame;
use crate::extract::{FactorMissing, ReaderLanguage, header_text};
use crate::language::Language;
use crate::page::Told;
use crate::problem::{Answer, Problem, ProblemType};
use crate::sign_in::visitor::asked_language;

/// The layer.
pub async fn guard(request: Request, next: Next) -> Response {
    pass(request, next, "/console", frame::notice).await
}

/// The layer of pages that are signed in to at `{home}/sign-in`, and that say what is refused by `notice`.
pub async fn pass(request: Request, next: Next, home: &str, notice: Notice) -> Response {
    let headers = request.headers();
    let asked = cookie::language(headers).or_else(|| asked_language(headers));
    let extensions = request.extensions();
    let (reader, factor) = (extensions.get::<ReaderLanguage>().cloned(), extensions.get::<FactorMissing>().cloned());
    let page = request.method().is_safe().then(|| request.uri().path_and_query().map(ToString::to_string)).flatten();
    let mut answer = match request.method().is_safe() || is_from_here(headers) {
        true => next.run(request).await,
        false => Problem::new(ProblemType::NotAllowed).into_response(),
    };
    let Some(mut problem) = answer.extensions_mut().remove::<Problem>() else {
        // A page that says itself what was refused says too when it is worth trying again.
        if let Some(Told(problem)) = answer.extensions().get::<Told>().cloned() {
            say_when(&problem, &mut answer);
        }
        return answer;
    };
    if matches!(problem.kind, ProblemType::SignInRequired | ProblemType::TokenRefused) {
        return Redirect::to(&sign_in_page(home, page.as_deref())).into_response();
    }
    if problem.kind == ProblemType::NotAllowed && factor.is_some_and(|factor| factor.is_noted()) {
        problem = Problem::new(ProblemType::SecondFactorRequired);
    }
    let language = asked.or_else(|| reader.and_then(|reader| reader.get())).unwrap_or(Language::En);
    said(problem, language, notice)
}

/// The page that says what was refused, in the language that the browser asks for.
pub fn refused(problem: Problem, headers: &HeaderMap, notice: Notice) -> Response {
    let language = cookie::language(headers).or_else(|| asked_language(headers)).unwrap_or(Language::En);
    said(problem, language, notice)
}

/// A page that says what was refused.
type Notice = fn(&Problem, Language) -> Answer<Response>;

fn said(problem: Problem, language: Language, notice: Notice) -> Response {
    match notice(&problem, language) {
        Ok(mut page) => {
            say_when(&problem, &mut page);
            page.extensions_mut().insert(Told(problem));
            page
        }
        Err(fault) => (StatusCode::INTERNAL_SERVER_ERROR, fault).into_response(),
    }
}

/// Says, of a refusal that is none for long, when it is worth trying again.
fn say_when(problem: &Problem, page: &mut Response) {
    if let Some(seconds) = problem.retry_after_s() {
        page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
}

/// Where somebody signs in who then wants to see this page.
pub fn sign_in_page(home: &str, page: Option<&str>) -> String {
    match page.filter(|page| *page != home) {
        Some(page) => format!("{home}/sign-in?next={}", form_urlencoded::byte_serialize(page.as_bytes()).collect::<String>()),
        None => format!("{home}/sign-in"),
    }
}

/// Whether a page of this very origin asks.
fn is_from_here(headers: &HeaderMap) -> bool {
    if let Some(site) = header_text(headers, "sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let host = header_text(headers, header::HOST.as_str());
    let origin = header_text(headers, "origin").and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    host.is_some() && origin == host
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_change_something() {
        for (site, origin, expected) in [
            (Some("same-origin"), None, true),
            (Some("same-origin"), Some("null"), true),
            (Some("none"), None, true),
            (Some("same-site"), Some("https://studio.test"), false),
            (Some("cross-site"), Some("https://studio.test"), false),
            (None, Some("https://studio.test"), true),
            (None, Some("https://evil.test"), false),
            (None, Some("https://studio.test.evil.test"), false),
            (None, Some("null"), false),
            (None, None, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("studio.test"));
            site.map(|site| headers.insert("sec-fetch-site", HeaderValue::from_static(site)));
            origin.map(|origin| headers.insert(header::ORIGIN, HeaderValue::from_static(origin)));
            assert_eq!(is_from_here(&headers), expected, "{site:?} {origin:?}");
        }
    }

    #[test]
    fn a_page_that_is_refused_for_now_says_until_when() {
        for kind in [ProblemType::TooManyRequests, ProblemType::Busy] {
            let page = said(Problem::new(kind).retry_after(7), Language::En, frame::notice);
            assert_eq!((page.status(), &page.headers()[header::RETRY_AFTER]), (kind.status(), &HeaderValue::from_static("7")));
        }
        let page = said(Problem::new(ProblemType::NotFound), Language::En, frame::notice);
        assert!(!page.headers().contains_key(header::RETRY_AFTER));
    }

    #[test]
    fn who_signs_in_comes_back_to_the_page() {
        assert_eq!(sign_in_page("/console", Some("/console/a?b=c&d")), "/console/sign-in?next=%2Fconsole%2Fa%3Fb%3Dc%26d");
        assert_eq!(sign_in_page("/me", None), "/me/sign-in");
    }
}
