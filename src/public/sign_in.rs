//! Signing in to the public pages, and out of them: by the API's door, kept as the console keeps it.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::json;

use super::frame::{Part, Shell};
use super::reader::{Member, Reader};
use super::words::Words;
use crate::app::App;
use crate::console::cookie;
use crate::console::form::{Form, body};
use crate::console::frame::{Said, SaidParams};
use crate::console::home::is_ours;
use crate::console::sign_in::{device, enter, factor_page};
use crate::demo::mark::{Mark, PASSWORD};
use crate::extract::Query;
use crate::page::Told;
use crate::problem::{Answer, Problem, ProblemType};
use crate::running;
use crate::sign_in::{Visitor, signing};

/// Where whoever signs in wants to go.
#[derive(Deserialize)]
pub struct Wanted {
    next: Option<String>,
}

impl Wanted {
    /// A page of ours, or nothing.
    pub fn next(&self) -> String {
        ours(self.next.as_deref()).unwrap_or_default().to_owned()
    }
}

/// Where to go next: to a page of ours.
pub fn ours(next: Option<&str>) -> Option<&str> {
    next.filter(|next| is_ours(next))
}

#[derive(Template)]
#[template(path = "public/pages/sign_in.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    next: String,
    email: String,
    /// The password of a demo's accounts.
    demo: Option<&'static str>,
}

/// The page to sign in.
pub async fn show(
    State(app): State<App>,
    reader: Reader,
    Query(wanted): Query<Wanted>,
    Query(SaidParams { said }): Query<SaidParams>,
) -> Answer<Response> {
    page(&app, reader, wanted.next(), String::new(), Said::done(said)).await
}

async fn page(app: &App, reader: Reader, next: String, email: String, said: Said) -> Answer<Response> {
    let mark = running::store::fact(&app.db, running::store::DEMO).await?.and_then(|mark| Mark::parse(&mark));
    let mut shell = Shell::of(reader, Part::Other, None, said);
    // In another language, and after a refusal too, one goes on to where one wanted.
    shell.page = shell.on_to("/me/sign-in", &next);
    let page = Page { w: shell.w, next, email, demo: mark.map(|_| PASSWORD), shell };
    page.shell.answer(&page)
}

/// What the form sends.
#[derive(Deserialize)]
pub struct SignInForm {
    email: Option<String>,
    password: Option<String>,
    next: Option<String>,
}

/// Signs this browser in, or asks for the second factor.
pub async fn submit(
    State(app): State<App>,
    reader: Reader,
    visitor: Visitor,
    headers: HeaderMap,
    Form(form): Form<SignInForm>,
) -> Answer<Response> {
    let (email, language) = (form.email.unwrap_or_default(), reader.reads());
    let next = ours(form.next.as_deref()).unwrap_or("/me").to_owned();
    let said = json!({"email": email, "password": form.password.unwrap_or_default(), "device": device(&headers, "Relevé")});
    // An address that is none, or an empty password, is as wrong as another.
    let asked = body(said).map_err(|_| Problem::new(ProblemType::SignInRefused));
    let tokens = match asked {
        Ok(asked) => signing::sign_in(State(app.clone()), visitor, asked).await,
        Err(problem) => Err(problem),
    };
    match tokens {
        Ok(tokens) => enter(&app, &tokens, Some(&next)),
        Err(problem) if problem.kind == ProblemType::SecondFactorNeeded => {
            let facts = problem.body(language, "");
            let challenge = facts["challenge"].as_str().unwrap_or_default().to_owned();
            factor_page(language, Some(next), challenge, &facts["kinds"], &facts["passkey"], None)
        }
        Err(problem) => refused(problem, language, async |said| page(&app, reader, next, email, said).await).await,
    }
}

/// The page again, with what was refused. It is counted as at the API's door.
pub async fn refused(
    problem: Problem,
    language: crate::language::Language,
    page: impl AsyncFnOnce(Said) -> Answer<Response>,
) -> Answer<Response> {
    let told = Told(problem.clone());
    let mut answer = page(Said::refused(problem, language)?).await?;
    answer.extensions_mut().insert(told);
    Ok(answer)
}

/// Signs this browser out: its device ends, and so does what the browser kept for where there is no network.
pub async fn sign_out(State(app): State<App>, Member { caller, .. }: Member) -> Answer<Response> {
    signing::sign_out(State(app.clone()), caller).await?;
    // What the browser kept of their bookings is theirs.
    let clear = (HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"storage\""));
    Ok(([(header::SET_COOKIE, cookie::gone(&app)?), clear], Redirect::to("/me/sign-in")).into_response())
}
