//! Who sits before the console: the person behind its cookie, as the API's `Caller` is the person behind a token.

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::request::Parts;
use uuid::Uuid;

use super::cookie::{self, Ticket};
use crate::app::App;
use crate::language::Language;
use crate::problem::{Answer, Problem, ProblemType};
use crate::sign_in::caller::Caller;
use crate::sign_in::store;
use crate::sign_in::visitor::asked_language;

/// Whoever is signed in here. Whether they work anywhere is asked by each page.
#[derive(Clone, Debug)]
pub struct Staff {
    /// As every handler of the API knows them.
    pub caller: Caller,
    /// In which language they read.
    pub language: Language,
    /// The page that they look at, to come back to it; where they change something, none.
    pub page: Option<String>,
    /// What keeps them signed in longer.
    pub renewed: Option<HeaderValue>,
}

impl FromRequestParts<App> for Staff {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let needed = || Problem::new(ProblemType::SignInRequired);
        let ticket = Ticket::of(app, &parts.headers).ok_or_else(needed)?;
        let mut caller = Caller::on_device(parts, app, ticket.console, ticket.device).await?.ok_or_else(needed)?;
        let now = app.clock.now();
        let works = caller.works();
        if ticket.is_over(app.settings.sign_in.session_life(works), now) {
            return Err(needed());
        }
        let language = cookie::language(&parts.headers).or(caller.language).unwrap_or(Language::En);
        caller.language = Some(language);
        let renewed = match ticket.renewed(works, now) {
            Some(renewed) if touch(app, ticket.device).await? => Some(renewed.header(app)?),
            _ => None,
        };
        let page = parts.method.is_safe().then(|| parts.uri.path_and_query().map(ToString::to_string)).flatten();
        Ok(Self { caller, language, page, renewed })
    }
}

/// The device was used: its person sees when, and it is not taken for one that was given up.
async fn touch(app: &App, device_id: Uuid) -> Answer<bool> {
    let now = app.clock.now();
    app.db
        .write("console.touch", move |tx| Box::pin(async move { store::touch_device(tx, device_id, now).await.map_err(Problem::from) }))
        .await
}

/// The language of a page for whoever is not signed in.
pub struct Reader(pub Language);

impl FromRequestParts<App> for Reader {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(cookie::language(&parts.headers).or_else(|| asked_language(&parts.headers)).unwrap_or(Language::En)))
    }
}
