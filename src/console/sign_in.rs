//! Signing in to the console and out of it. The doors are those of the API: the same limits, second factors and letters; what an app gets
//! as tokens, a browser gets as a cookie.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::cookie::{self, Ticket};
use super::form::{Form, body};
use super::frame::{SaidParams, alone, sentence};
use super::home::is_ours;
use super::staff::{Reader, Staff};
use super::words::{self, Words, words};
use crate::app::App;
use crate::demo::mark::{self, Mark, PASSWORD};
use crate::extract::{Query, header_text};
use crate::language::Language;
use crate::page::Told;
use crate::problem::{Answer, Problem, ProblemType};
use crate::running;
use crate::sign_in::Visitor;
use crate::sign_in::factors::challenge;
use crate::sign_in::secrets::RefreshToken;
use crate::sign_in::signing;
use crate::sign_in::tokens::{Claims, Tokens};

/// Where whoever signs in wants to go.
#[derive(Deserialize)]
pub struct Wanted {
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "console/pages/sign_in.html")]
struct SignInPage {
    language: Language,
    w: &'static Words,
    next: String,
    email: String,
    /// Where whoever has forgotten their password sets another, to come back here.
    forgotten: String,
    said: Option<&'static str>,
    refused: Option<String>,
    demo: Option<Demo>,
}

/// What a demo's page tells besides: who may sign in there, and how.
struct Demo {
    password: &'static str,
    accounts: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "console/pages/second_factor.html")]
struct FactorPage {
    language: Language,
    w: &'static Words,
    next: String,
    challenge: String,
    /// What the browser asks an authenticator.
    passkey: Option<String>,
    has_totp: bool,
    refused: Option<String>,
}

/// The page to sign in.
pub async fn show(
    State(app): State<App>,
    Reader(language): Reader,
    Query(Wanted { next }): Query<Wanted>,
    Query(SaidParams { said }): Query<SaidParams>,
) -> Answer<Response> {
    let said = said.and_then(|word| words::done(&word, language));
    page(&app, language, next, String::new(), said, None).await
}

async fn page(
    app: &App,
    language: Language,
    next: Option<String>,
    email: String,
    said: Option<&'static str>,
    problem: Option<Problem>,
) -> Answer<Response> {
    let w = words(language);
    let mark = running::store::fact(&app.db, running::store::DEMO).await?.and_then(|mark| Mark::parse(&mark));
    let demo = mark.map(|mark| {
        let roles = [w.role_owner, w.role_admin, w.role_front_desk, w.role_instructor];
        Demo { password: PASSWORD, accounts: roles.into_iter().zip(mark::accounts(mark.members)).collect() }
    });
    let status = problem.as_ref().map_or(StatusCode::OK, |problem| problem.kind.status());
    let refused = problem.as_ref().map(|problem| sentence(problem, language));
    let next = next.filter(|next| is_ours(next)).unwrap_or_default();
    let wanted = if next.is_empty() { "/console" } else { next.as_str() };
    let forgotten = format!("/me/forgotten?next={}", form_urlencoded::byte_serialize(wanted.as_bytes()).collect::<String>());
    let mut answer = alone(&SignInPage { language, w, next, email, forgotten, said, refused, demo }, language, status)?;
    // What is refused at this door is counted as at the API's.
    if let Some(problem) = problem {
        answer.extensions_mut().insert(Told(problem));
    }
    Ok(answer)
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
    Reader(language): Reader,
    visitor: Visitor,
    headers: HeaderMap,
    Form(form): Form<SignInForm>,
) -> Answer<Response> {
    let email = form.email.unwrap_or_default();
    let said = json!({"email": email, "password": form.password.unwrap_or_default(), "device": device(&headers, "Relevé console")});
    // An address that is none, or an empty password, is as wrong as another.
    let Ok(said) = body(said) else {
        return page(&app, language, form.next, email, None, Some(Problem::new(ProblemType::SignInRefused))).await;
    };
    match signing::sign_in(State(app.clone()), visitor, said).await {
        Ok(tokens) => enter(&app, &tokens, form.next.as_deref()),
        Err(problem) if problem.kind == ProblemType::SecondFactorNeeded => {
            let facts = problem.body(language, "");
            let challenge = facts["challenge"].as_str().unwrap_or_default().to_owned();
            factor_page(language, form.next, challenge, &facts["kinds"], &facts["passkey"], None)
        }
        Err(problem) if problem.kind.status().is_client_error() => page(&app, language, form.next, email, None, Some(problem)).await,
        Err(problem) => Err(problem),
    }
}

/// The page for the second step.
pub fn factor_page(
    language: Language,
    next: Option<String>,
    challenge: String,
    kinds: &Value,
    passkey: &Value,
    problem: Option<Problem>,
) -> Answer<Response> {
    let status = problem.as_ref().map_or(StatusCode::OK, |problem| problem.kind.status());
    let kinds: Vec<&str> = kinds.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let page = FactorPage {
        language,
        w: words(language),
        next: next.filter(|next| is_ours(next)).unwrap_or_default(),
        challenge,
        passkey: kinds.contains(&"passkey").then(|| passkey.to_string()),
        has_totp: kinds.contains(&"totp"),
        refused: problem.map(|problem| sentence(&problem, language)),
    };
    alone(&page, language, status)
}

/// What the second step sends. What can be shown is sent along, to be asked for again after a wrong code.
#[derive(Deserialize)]
pub struct FactorForm {
    challenge: Option<String>,
    code: Option<String>,
    recovery_code: Option<String>,
    passkey: Option<String>,
    has_totp: Option<String>,
    question: Option<String>,
    next: Option<String>,
}

/// The second step: a code of the authenticator app, a recovery code, or a passkey.
pub async fn submit_factor(
    State(app): State<App>,
    Reader(language): Reader,
    visitor: Visitor,
    Form(form): Form<FactorForm>,
) -> Answer<Response> {
    let challenge = form.challenge.unwrap_or_default();
    let passkey: Option<Value> = form.passkey.as_deref().and_then(|answer| serde_json::from_str(answer).ok());
    let said = match (passkey, form.code, form.recovery_code) {
        (Some(answer), ..) => json!({"challenge": challenge, "passkey": answer}),
        (_, _, Some(code)) => json!({"challenge": challenge, "recovery_code": code}),
        (_, code, _) => json!({"challenge": challenge, "totp": code.unwrap_or_default()}),
    };
    let shown = match body(said) {
        Ok(said) => challenge::show(State(app.clone()), visitor, said).await,
        Err(_) => Err(Problem::new(ProblemType::SecondFactorRefused)),
    };
    match shown {
        Ok(tokens) => enter(&app, &tokens, form.next.as_deref()),
        Err(problem) if problem.kind == ProblemType::TokenRefused => {
            // The five minutes, or the five tries, are over: from the beginning.
            page(&app, language, form.next, String::new(), None, Some(Problem::new(ProblemType::SignInRequired))).await
        }
        Err(problem) if problem.kind.status().is_client_error() => {
            let kinds = if form.has_totp.is_some() { json!(["totp"]) } else { json!([]) };
            let question: Option<Value> = form.question.as_deref().and_then(|question| serde_json::from_str(question).ok());
            let (kinds, question) = match question {
                Some(question) => (json!([kinds[0], "passkey"]), question),
                None => (kinds, Value::Null),
            };
            factor_page(language, form.next, challenge, &kinds, &question, Some(problem))
        }
        Err(problem) => Err(problem),
    }
}

/// The browser is signed in as this device, and goes on to the page that was wanted, or to the console.
pub fn enter(app: &App, tokens: &Tokens, next: Option<&str>) -> Answer<Response> {
    let now = app.clock.now();
    let device = RefreshToken::parse(&tokens.refresh_token).map(|token| token.device_id);
    let person = Claims::of(&app.keys, &tokens.access_token, now).map(|claims| claims.sub);
    let (Some(device_id), Some(person_id)) = (device, person) else { return Err(Problem::fault("a token that was just made")) };
    let cookie = Ticket::new(person_id, device_id, now).header(app)?;
    let next = next.filter(|next| is_ours(next)).unwrap_or("/console");
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response())
}

/// Signs this browser out: its device ends, and so does what the browser kept of their own bookings for where there is no network.
pub async fn sign_out(State(app): State<App>, staff: Staff) -> Answer<Response> {
    signing::sign_out(State(app.clone()), staff.caller).await?;
    Ok(([(header::SET_COOKIE, cookie::gone(&app)?)], Redirect::to("/console/sign-in")).into_response())
}

/// What the browser is called in the list of devices.
pub fn device(headers: &HeaderMap, pages: &str) -> String {
    let agent = header_text(headers, "user-agent").unwrap_or_default();
    let known = [("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];
    let browser = known.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    browser.map_or_else(|| pages.to_owned(), |browser| format!("{pages}, {browser}"))
}
