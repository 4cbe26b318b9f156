//! Accepting an invitation to a studio's staff in a browser. The code is typed, or stands behind the `#` of the letter's link, from where
//! the page's script fills it in: no browser sends that part of an address, so the code stands in nobody's log.
//!
//! The page asks for no more than is missing: nothing but the code of whoever is signed in with the invited address, the password of whoever
//! has an account, a name and a password of whoever has none.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::frame::{Part, Shell};
use super::reader::Reader;
use super::sign_in::refused;
use super::words::Words;
use crate::app::App;
use crate::console::form::{Form, body};
use crate::console::frame::Said;
use crate::console::sign_in::{enter, factor_page};
use crate::problem::{Answer, Problem, ProblemType};
use crate::sign_in::{Visitor, acceptance};
use crate::wrong::Wrong;

const PAGE: &str = "/me/invitation";

/// What the form sends, as far as it was asked for.
#[derive(Clone, Default, Deserialize)]
pub struct Fields {
    code: Option<String>,
    name: Option<String>,
    password: Option<String>,
}

/// What is asked for besides the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Code,
    /// The invited address has an account: its password.
    Holder {
        /// Somebody else is signed in on this browser.
        is_another: bool,
    },
    /// It has none: a name and a password make one.
    Newcomer,
}

impl Step {
    /// What the form that was sent had asked for.
    fn of(fields: &Fields) -> Self {
        match (&fields.name, &fields.password) {
            (Some(_), _) => Self::Newcomer,
            (None, Some(_)) => Self::Holder { is_another: false },
            (None, None) => Self::Code,
        }
    }

    /// What is asked for next; `None`: it is a refusal.
    fn after(self, problem: &Problem) -> Option<Self> {
        match problem.kind {
            _ if problem.finds(&Wrong::NeededWithoutAccount) && self != Self::Newcomer => Some(Self::Newcomer),
            ProblemType::SignInRequired if self == Self::Code => Some(Self::Holder { is_another: false }),
            ProblemType::NotAllowed if self == Self::Code => Some(Self::Holder { is_another: true }),
            _ => None,
        }
    }
}

#[derive(Template)]
#[template(path = "public/pages/invitation.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    step: Step,
    code: String,
    name: String,
}

/// The page on which an invitation is accepted, for anybody: the code tells whom it is for.
pub async fn show(reader: Reader) -> Answer<Response> {
    page(reader, Step::Code, Fields::default(), Said::default())
}

fn page(reader: Reader, step: Step, fields: Fields, said: Said) -> Answer<Response> {
    let mut shell = Shell::of(reader, Part::Other, None, said);
    // Another language would lose what was typed.
    shell.page = if step == Step::Code { PAGE.to_owned() } else { String::new() };
    let page = Page { w: shell.w, step, code: fields.code.unwrap_or_default(), name: fields.name.unwrap_or_default(), shell };
    page.shell.answer(&page)
}

/// Accepts it: whoever was invited works in the studio, and lands in its console.
pub async fn accept(State(app): State<App>, reader: Reader, visitor: Visitor, Form(fields): Form<Fields>) -> Answer<Response> {
    let (language, step) = (reader.reads(), Step::of(&fields));
    let code = fields.code.clone().unwrap_or_default();
    let said = json!({"code": code, "name": fields.name, "password": fields.password});
    let accepted = match body(said) {
        Ok(asked) => acceptance::accept(State(app.clone()), visitor, reader.member.clone(), asked).await,
        Err(problem) => Err(problem),
    };
    let problem = match accepted {
        Ok(tokens) => return enter(&app, &tokens, Some(&console_of(&app, &code).await?)),
        Err(problem) => problem,
    };
    if problem.kind == ProblemType::SecondFactorNeeded {
        let facts = problem.body(language, "");
        let challenge = facts["challenge"].as_str().unwrap_or_default().to_owned();
        let next = console_of(&app, &code).await?;
        return factor_page(language, Some(next), challenge, &facts["kinds"], &facts["passkey"], None);
    }
    match step.after(&problem) {
        Some(next) => page(reader, next, fields, Said::default()),
        None => refused(problem, language, async |said| page(reader, step, fields, said)).await,
    }
}

/// The console of the studio to which the code invited.
async fn console_of(app: &App, code: &str) -> Answer<String> {
    let studio_id = acceptance::studio_of(app, code).await?;
    Ok(studio_id.map_or_else(|| "/console".to_owned(), |id| format!("/console/{id}/today")))
}
