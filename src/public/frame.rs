//! The frame of the public pages: the studio, the way to one's own bookings, the languages; and the headers that tell a browser what a page
//! may do.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use url::form_urlencoded;

use super::reader::Reader;
pub use super::words::words;
use super::words::{self, Words};
use crate::console::assets::{CSS, ICON, PUBLIC_CSS, PUBLIC_JS};
use crate::console::frame::Said;
use crate::console::guard::sign_in_page;
use crate::language::Language;
use crate::problem::{Answer, Problem};
use crate::studios::Studio;

/// What every page may: files of our own, forms to ourselves. Who may frame it is said besides.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                          manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors ";

/// Which of a member's own pages is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of the product")]
pub enum Part {
    Schedule,
    Bookings,
    Passes,
    Letters,
    Other,
}

/// The frame of a page.
pub struct Shell {
    pub language: Language,
    pub w: &'static Words,
    pub part: Part,
    /// Whose page it is; `None`: the member's own.
    pub studio: Option<Studio>,
    pub signed_in: bool,
    /// The page's address without a choice of language; empty: it has no address of its own.
    pub page: String,
    pub done: Option<&'static str>,
    pub refused: Option<String>,
    status: StatusCode,
    retry_after_s: Option<u64>,
    cookies: Vec<HeaderValue>,
}

impl Shell {
    /// The frame for this reader. Of a studio it is in the studio's language, if the reader has none.
    pub fn of(reader: Reader, part: Part, studio: Option<Studio>, said: Said) -> Self {
        let language = reader.language.or(studio.as_ref().map(|studio| studio.locale)).unwrap_or(Language::En);
        Self {
            language,
            w: words(language),
            part,
            studio,
            signed_in: reader.member.is_some(),
            page: reader.page,
            status: said.status(),
            retry_after_s: said.retry_after_s,
            done: said.done.as_deref().and_then(|word| words::done(word, language)),
            refused: said.refused.map(|(_, sentence)| sentence),
            cookies: reader.cookies,
        }
    }

    /// The address of this page in another language.
    pub fn page_in(&self, language: &str) -> String {
        let joint = if self.page.contains('?') { '&' } else { '?' };
        format!("{}{joint}language={language}", self.page)
    }

    /// Where whoever is not signed in signs in, to come back to this page.
    pub fn sign_in(&self) -> String {
        let own = self.page.is_empty() || self.page.starts_with("/me");
        sign_in_page("/me", Some(self.page.as_str()).filter(|_| !own))
    }

    /// The address of a page from which one goes on to another.
    pub fn on_to(&self, page: &str, next: &str) -> String {
        match next {
            "" => page.to_owned(),
            _ => format!("{page}?next={}", form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>()),
        }
    }

    /// The page in this frame, for this reader alone.
    pub fn answer(&self, page: &impl Template) -> Answer<Response> {
        let mut answer = html(page.render().map_err(Problem::fault)?, self.language, self.status);
        for cookie in &self.cookies {
            answer.headers_mut().append(header::SET_COOKIE, cookie.clone());
        }
        if let Some(seconds) = self.retry_after_s {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        Ok(answer)
    }
}

fn html(text: String, language: Language, status: StatusCode) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, format!("{POLICY}'none'")),
        // A browser says of a form where it comes from; to other sites it says nothing.
        (header::REFERRER_POLICY, "same-origin".to_owned()),
        (header::CONTENT_LANGUAGE, language.tag().to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (status, headers, Html(text)).into_response()
}

#[derive(Template)]
#[template(path = "public/pages/notice.html")]
struct Notice {
    shell: Shell,
    w: &'static Words,
    title: &'static str,
}

/// The page that says what was refused.
pub fn notice(problem: &Problem, language: Language) -> Answer<Response> {
    let reader = Reader { language: Some(language), member: None, page: String::new(), cookies: Vec::new() };
    let shell = Shell { status: problem.kind.status(), ..Shell::of(reader, Part::Other, None, Said::default()) };
    let page = Notice { w: shell.w, title: problem.kind.sentence(language), shell };
    page.shell.answer(&page)
}

/// The addresses of the files that every page has.
pub struct Files;

impl Files {
    pub fn tokens() -> &'static str {
        CSS.address()
    }

    pub fn css() -> &'static str {
        PUBLIC_CSS.address()
    }

    pub fn js() -> &'static str {
        PUBLIC_JS.address()
    }

    pub fn icon() -> &'static str {
        ICON.address()
    }
}
