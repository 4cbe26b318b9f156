//! Making an account, and setting a password that was forgotten. Both go by a code in a letter, as in any app.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::frame::{Part, Shell};
use super::reader::Reader;
use super::sign_in::{Wanted, ours, refused};
use super::words::Words;
use crate::app::App;
use crate::console::form::{Form, body};
use crate::console::frame::{Said, done};
use crate::console::guard::sign_in_page;
use crate::console::sign_in::enter;
use crate::extract::Query;
use crate::problem::{Answer, Problem};
use crate::sign_in::{Visitor, password, registration, verification};

/// What the forms send, each its part.
#[derive(Clone, Deserialize)]
pub struct Fields {
    name: Option<String>,
    email: Option<String>,
    password: Option<String>,
    code: Option<String>,
    token: Option<String>,
    next: Option<String>,
}

impl Fields {
    fn next(&self) -> String {
        ours(self.next.as_deref()).unwrap_or_default().to_owned()
    }

    fn email(&self) -> String {
        self.email.clone().unwrap_or_default()
    }
}

/// Which page of the two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Register,
    Verify,
    Forgotten,
    SetPassword,
}

#[derive(Template)]
#[template(path = "public/pages/account.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    step: Step,
    next: String,
    name: String,
    email: String,
    /// What the registration answered: it counts together with the code.
    token: String,
}

fn page(reader: Reader, step: Step, fields: &Fields, token: String, said: Said) -> Answer<Response> {
    let mut shell = Shell::of(reader, Part::Other, None, said);
    shell.page = match step {
        Step::Register => shell.on_to("/me/sign-up", &fields.next()),
        Step::Forgotten => shell.on_to("/me/forgotten", &fields.next()),
        // Another language would lose what was typed.
        Step::Verify | Step::SetPassword => String::new(),
    };
    let page =
        Page { w: shell.w, step, next: fields.next(), name: fields.name.clone().unwrap_or_default(), email: fields.email(), token, shell };
    page.shell.answer(&page)
}

const NOTHING: Fields = Fields { name: None, email: None, password: None, code: None, token: None, next: None };

/// The page to make an account.
pub async fn ask(reader: Reader, Query(wanted): Query<Wanted>) -> Answer<Response> {
    page(reader, Step::Register, &Fields { next: Some(wanted.next()), ..NOTHING }, String::new(), Said::default())
}

/// Registers an address: a code goes there, and is asked for.
pub async fn register(State(app): State<App>, reader: Reader, visitor: Visitor, Form(fields): Form<Fields>) -> Answer<Response> {
    let language = reader.reads();
    let said = json!({
        "email": fields.email(), "password": fields.password.clone().unwrap_or_default(),
        "name": fields.name.clone().unwrap_or_default(), "locale": language.tag(),
    });
    let registered = match body(said) {
        Ok(asked) => registration::register(State(app), visitor, asked).await,
        Err(problem) => Err(problem),
    };
    match registered {
        Ok((_, pending)) => page(reader, Step::Verify, &fields, pending.0.registration_token, Said::default()),
        Err(problem) => refused(problem, language, async |said| page(reader, Step::Register, &fields, String::new(), said)).await,
    }
}

/// The code of the letter: the account is there, and this browser signed in to it.
pub async fn verify(State(app): State<App>, reader: Reader, visitor: Visitor, Form(fields): Form<Fields>) -> Answer<Response> {
    let language = reader.reads();
    let token = fields.token.clone().unwrap_or_default();
    let said = json!({"email": fields.email(), "code": fields.code.clone().unwrap_or_default(), "registration_token": token});
    let verified = match body(said) {
        Ok(asked) => verification::verify(State(app.clone()), visitor, None, asked).await,
        Err(problem) => Err(problem),
    };
    match verified {
        Ok(tokens) => enter(&app, &tokens, Some(ours(fields.next.as_deref()).unwrap_or("/me"))),
        Err(problem) => refused(problem, language, async |said| page(reader, Step::Verify, &fields, token, said)).await,
    }
}

/// The page for whoever has forgotten their password.
pub async fn ask_forgotten(reader: Reader, Query(wanted): Query<Wanted>) -> Answer<Response> {
    page(reader, Step::Forgotten, &Fields { next: Some(wanted.next()), ..NOTHING }, String::new(), Said::default())
}

/// Sends a code, if there is such an account; the page is the same if there is none.
pub async fn send_code(State(app): State<App>, reader: Reader, visitor: Visitor, Form(fields): Form<Fields>) -> Answer<Response> {
    let language = reader.reads();
    let sent = match body(json!({"email": fields.email()})) {
        Ok(asked) => password::request_reset(State(app), visitor, asked).await.map(drop),
        Err(problem) => Err(problem),
    };
    match sent {
        Ok(()) => page(reader, Step::SetPassword, &fields, String::new(), Said::default()),
        Err(problem) => refused(problem, language, async |said| page(reader, Step::Forgotten, &fields, String::new(), said)).await,
    }
}

/// The code and the new password: all devices are signed out, and the member signs in.
pub async fn set_password(State(app): State<App>, reader: Reader, visitor: Visitor, Form(fields): Form<Fields>) -> Answer<Response> {
    let language = reader.reads();
    let said = json!({
        "email": fields.email(), "code": fields.code.clone().unwrap_or_default(), "password": fields.password.clone().unwrap_or_default(),
    });
    let set: Result<(), Problem> = match body(said) {
        Ok(asked) => password::reset(State(app), visitor, asked).await.map(drop),
        Err(problem) => Err(problem),
    };
    match set {
        Ok(()) => {
            let next = fields.next();
            Ok(done(&sign_in_page("/me", Some(next.as_str()).filter(|next| !next.is_empty())), "password"))
        }
        Err(problem) => refused(problem, language, async |said| page(reader, Step::SetPassword, &fields, String::new(), said)).await,
    }
}
