//! The way in: to the one studio in which somebody works, or to the choice between several; and the language of the pages.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use uuid::Uuid;

use super::cookie;
use super::form::Form;
use super::frame::{alone, name_of};
use super::staff::Staff;
use super::words::{Words, words};
use crate::app::App;
use crate::extract::{PAGE_MAX, Path, Query};
use crate::language::Language;
use crate::problem::{Answer, Problem};
use crate::studios::{self, Studio};
use crate::wrong::Wrong;

#[derive(Template)]
#[template(path = "console/pages/home.html")]
struct Home {
    language: Language,
    w: &'static Words,
    person: String,
    studios: Vec<Studio>,
    factor_missing: bool,
    /// Whether new ones are theirs to open.
    is_owner: bool,
}

/// Whether one wants to choose, though there be one studio alone.
#[derive(Deserialize)]
pub struct HomeParams {
    #[serde(default)]
    choose: bool,
}

/// The studios in which whoever is signed in works; where it is one, its day.
pub async fn show(State(app): State<App>, staff: Staff, Query(HomeParams { choose }): Query<HomeParams>) -> Answer<Response> {
    let roles = &staff.caller.roles;
    let studios = match roles.is_owner {
        true => studios::store::studios(&app.db, None, PAGE_MAX).await?,
        false => {
            let mut ids: Vec<Uuid> = roles.studios().collect();
            ids.sort_unstable();
            ids.dedup();
            let mut studios = Vec::with_capacity(ids.len());
            for id in ids {
                studios.extend(studios::store::studio(&app.db, id).await?);
            }
            studios
        }
    };
    if roles.is_owner && studios.is_empty() && !choose {
        return Ok(Redirect::to("/console/new-studio").into_response());
    }
    if let [only] = &studios[..]
        && !choose
    {
        return Ok(Redirect::to(&format!("/console/{}/today", only.id)).into_response());
    }
    let (language, person, factor_missing) = (staff.language, name_of(&app, &staff).await?, staff.caller.factor_missing);
    let home = Home { language, w: words(language), person, studios, factor_missing, is_owner: staff.caller.roles.is_owner };
    let mut answer = alone(&home, language, StatusCode::OK)?;
    if let Some(cookie) = staff.renewed {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(answer)
}

/// A studio begins with its day.
pub async fn studio(_: Staff, Path(studio_id): Path<Uuid>) -> Redirect {
    Redirect::to(&format!("/console/{studio_id}/today"))
}

/// Which language, and where the reader was.
#[derive(Deserialize)]
pub struct LanguageForm {
    language: String,
    page: Option<String>,
}

/// Chooses the language of the pages in this browser. Letters stay in the language that the person chose for them.
pub async fn set_language(State(app): State<App>, Form(form): Form<LanguageForm>) -> Answer<Response> {
    let language = Language::of_tag(&form.language).ok_or_else(|| Problem::field("language", Wrong::NotRight))?;
    let page = form.page.as_deref().filter(|page| is_ours(page)).unwrap_or("/console");
    Ok(([(header::SET_COOKIE, cookie::language_header(&app, language)?)], Redirect::to(page)).into_response())
}

/// Where pages are: the console, a studio's public ones, a booking's, and a member's own.
const PAGES: [&str; 4] = ["/console", "/s", "/b", "/me"];

/// Whether an address is one of our pages: nobody is sent anywhere else, also not by steps up, which browsers follow.
pub fn is_ours(page: &str) -> bool {
    let path = page.split(['?', '#']).next().unwrap_or_default();
    if path.split('/').any(|part| matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")) {
        return false;
    }
    let mut rests = PAGES.iter().filter_map(|start| page.strip_prefix(start));
    rests.any(|rest| rest.is_empty() || rest.starts_with(['/', '?'])) && page.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for ours in
            ["/console", "/console/x/today?date=2026-12-01", "/console?a=b", "/s/x/classes/y", "/b/x", "/me", "/me?a=/../b", "/s/a..b"]
        {
            assert!(is_ours(ours), "{ours}");
        }
        for other in [
            "",
            "/",
            "//evil.test",
            "/consoles",
            "/me.evil.test",
            "/studios",
            "https://evil.test/console",
            "/console\\evil",
            "/console/\r\nSet-Cookie: a=b",
            "/console.evil.test",
            "/console/../../evil",
            "/console/..",
            "/me/./x",
            "/me/%2e%2E/v1",
            "/s/.%2e?a=b",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
