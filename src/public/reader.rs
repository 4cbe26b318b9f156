//! Who reads a page: anybody, in the language that they chose, or the member who is signed in on this browser.

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::request::Parts;
use url::form_urlencoded;

use crate::app::App;
use crate::console::cookie;
use crate::console::staff::Staff;
use crate::handler_signature::{Argument, Signature};
use crate::language::Language;
use crate::problem::{Problem, ProblemType};
use crate::sign_in::caller::Caller;
use crate::sign_in::visitor::asked_language;

/// Whoever looks at a page.
pub struct Reader {
    /// The language that they chose or their browser asks for; without one the studio's is read.
    pub language: Option<Language>,
    /// Who they are, if they are signed in.
    pub member: Option<Caller>,
    /// The page's address, without the choice of a language.
    pub page: String,
    /// What their browser is told to keep: the language, and a ticket that lasts longer.
    pub cookies: Vec<HeaderValue>,
}

impl Reader {
    /// The language of a page that belongs to no studio.
    pub fn reads(&self) -> Language {
        self.language.unwrap_or(Language::En)
    }
}

impl FromRequestParts<App> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let (page, chosen) = chosen_language(parts.uri.path(), parts.uri.query().unwrap_or_default());
        let mut cookies = Vec::new();
        if let Some(language) = chosen {
            cookies.push(cookie::language_header(app, language)?);
        }
        let member = match cookie::shows_ticket(app, &parts.headers) {
            true => match Staff::from_request_parts(parts, app).await {
                Ok(staff) => Some(staff),
                // A ticket that is over makes nobody of the reader, and no page less readable.
                Err(problem) if matches!(problem.kind, ProblemType::SignInRequired | ProblemType::TokenRefused) => None,
                Err(problem) => return Err(problem),
            },
            false => None,
        };
        let kept = cookie::language(&parts.headers).or_else(|| asked_language(&parts.headers));
        let language = chosen.or(kept);
        let member = member.map(|Staff { mut caller, renewed, language: own, .. }| {
            cookies.extend(renewed);
            caller.language = Some(language.unwrap_or(own));
            caller
        });
        let language = member.as_ref().map_or(language, |member| member.language);
        Ok(Self { language, member, page, cookies })
    }
}

impl Argument for Reader {
    /// What a browser keeps says who they are and what they read: no app sends it.
    fn describe(_: &mut Signature) {}
}

/// The address without `language=`, and the language that it chose.
fn chosen_language(path: &str, query: &str) -> (String, Option<Language>) {
    let mut chosen = None;
    let mut rest = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "language" => chosen = Language::of_tag(&value),
            // What was done is said once.
            "said" => {}
            _ => drop(rest.append_pair(&name, &value)),
        }
    }
    let rest = rest.finish();
    (if rest.is_empty() { path.to_owned() } else { format!("{path}?{rest}") }, chosen)
}

/// A reader who is signed in; whoever is not is sent to sign in, and comes back.
pub struct Member {
    /// Who, as every handler of the API knows them.
    pub caller: Caller,
    /// The language of the page.
    pub language: Language,
    /// What the frame needs of them.
    pub reader: Reader,
}

impl FromRequestParts<App> for Member {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let reader = Reader::from_request_parts(parts, app).await?;
        let caller = reader.member.clone().ok_or_else(|| Problem::new(ProblemType::SignInRequired))?;
        Ok(Self { caller, language: reader.reads(), reader })
    }
}

impl Argument for Member {
    /// A cookie says who they are: an app sends no token here, and a browser is sent to sign in.
    fn describe(_: &mut Signature) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_of_language_is_no_part_of_the_page() {
        assert_eq!(chosen_language("/s/x", "from=2026-12-01&language=zh-TW"), ("/s/x?from=2026-12-01".into(), Some(Language::ZhHant)));
        assert_eq!(chosen_language("/me", "said=booked&language=fr"), ("/me".into(), None));
    }
}
