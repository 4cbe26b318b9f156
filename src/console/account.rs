//! One's own account: the second factor is set up, its recovery codes are shown once, and devices are signed out. Whoever is signed in sees
//! their own, and nobody else's; what changes a factor asks for the password, as the API does.

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::form::{Form, body};
use super::frame::{Said, SaidParams, alone, done, name_of};
use super::qr::Qr;
use super::staff::Staff;
use super::words::account::{self, Words as Account};
use super::words::{self, Words};
use crate::app::App;
use crate::extract::{Path, Query};
use crate::language::Language;
use crate::letters::phrases;
use crate::problem::{Answer, Problem, ProblemType};
use crate::sign_in::factors::FactorKind;
use crate::sign_in::factors::challenge::{self, SecondFactorQuestion};
use crate::sign_in::factors::enrolment::{self, SecondFactor};
use crate::sign_in::signing::{self, Device};
use crate::studios;

/// Where the page is.
const PAGE: &str = "/console/account";

#[derive(Template)]
#[template(path = "console/pages/account.html")]
struct Page {
    language: Language,
    w: &'static Words,
    a: &'static Account,
    person: String,
    factors: Vec<FactorLine>,
    recovery_codes_left: i64,
    /// Whether a role asks for a factor, and there is none.
    is_missing: bool,
    /// Whether passkeys can be added here at all.
    takes_passkeys: bool,
    /// Whether one of theirs can be shown in the place of a code.
    has_passkey: bool,
    devices: Vec<DeviceLine>,
    done: Option<&'static str>,
    refused: Option<String>,
}

/// A second factor that counts.
struct FactorLine {
    id: Uuid,
    name: String,
    about: String,
}

/// A device on which they are signed in.
struct DeviceLine {
    id: Uuid,
    name: String,
    about: String,
    is_this: bool,
}

fn factor_line(factor: SecondFactor, clock: Option<Tz>, language: Language) -> FactorLine {
    let a = account::words(language);
    let kind = match factor.kind {
        FactorKind::Totp => a.totp,
        FactorKind::Passkey => a.passkey,
    };
    let moment = |at| phrases::moment_or_utc(at, clock, language);
    let used = factor.last_used_at.map(|at| format!(" · {} {}", a.last_used, moment(at))).unwrap_or_default();
    FactorLine {
        id: factor.id,
        name: factor.name.map_or_else(|| kind.to_owned(), |name| format!("{kind}{}{name}", words::words(language).colon)),
        about: format!("{} {}{used}", a.added_at, moment(factor.created_at)),
    }
}

fn device_line(device: Device, clock: Option<Tz>, language: Language) -> DeviceLine {
    let a = account::words(language);
    DeviceLine {
        id: device.id,
        name: device.name.unwrap_or_else(|| "–".to_owned()),
        about: format!("{} {}", a.last_used, phrases::moment_or_utc(device.last_used_at, clock, language)),
        is_this: device.current,
    }
}

/// The page: for whoever is signed in.
pub async fn show(State(app): State<App>, staff: Staff, Query(SaidParams { said }): Query<SaidParams>) -> Answer<Response> {
    page(&app, &staff, Said::done(said)).await
}

async fn page(app: &App, staff: &Staff, said: Said) -> Answer<Response> {
    let (language, caller) = (staff.language, &staff.caller);
    let Json(factors) = enrolment::list(State(app.clone()), caller.clone()).await?;
    let Json(devices) = signing::devices(State(app.clone()), caller.clone()).await?;
    let clock = studios::store::own_zone(&app.db, caller.person_id).await?.map(|zone| zone.tz());
    let status = said.status();
    let page = Page {
        language,
        w: words::words(language),
        a: account::words(language),
        person: name_of(app, staff).await?,
        takes_passkeys: app.passkeys.is_some(),
        has_passkey: app.passkeys.is_some() && factors.second_factors.iter().any(|factor| factor.kind == FactorKind::Passkey),
        is_missing: factors.required && factors.second_factors.is_empty(),
        recovery_codes_left: factors.recovery_codes_left,
        factors: factors.second_factors.into_iter().map(|factor| factor_line(factor, clock, language)).collect(),
        devices: devices.devices.into_iter().map(|device| device_line(device, clock, language)).collect(),
        done: said.done.as_deref().and_then(|word| words::done(word, language)),
        refused: said.refused.map(|(_, sentence)| sentence),
    };
    let mut answer = alone(&page, language, status)?;
    if let Some(cookie) = &staff.renewed {
        answer.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    Ok(answer)
}

/// The password, and what of a factor there is already.
#[derive(Deserialize)]
pub struct ProofForm {
    password: Option<String>,
    /// A code of the app, or a recovery code.
    code: Option<String>,
    /// Instead: what an authenticator answered to the [`question`].
    passkey: Option<String>,
    name: Option<String>,
}

impl ProofForm {
    /// As an app would send it. A code of the app has six digits; any other is one for recovery.
    fn body(&self) -> Value {
        let code = self.code.as_deref().map(|code| code.chars().filter(|c| !c.is_whitespace()).collect::<String>());
        let is_totp = |code: &String| code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
        let mut said = json!({"password": self.password.as_deref().unwrap_or_default()});
        match code.filter(|_| self.passkey.is_none()) {
            Some(code) if is_totp(&code) => said["totp"] = json!(code),
            Some(_) => said["recovery_code"] = json!(self.code),
            None => said["passkey"] = answer_of(self.passkey.as_deref()),
        }
        said
    }
}

/// What an authenticator answered, as the page's script sends it.
fn answer_of(passkey: Option<&str>) -> Value {
    passkey.map_or(Value::Null, |answer| serde_json::from_str(answer).unwrap_or_else(|_| json!(answer)))
}

#[derive(Template)]
#[template(path = "console/pages/factor_setup.html")]
struct Setup {
    language: Language,
    w: &'static Words,
    a: &'static Account,
    id: Uuid,
    secret: String,
    uri: String,
    picture: Option<Qr>,
    refused: Option<String>,
}

fn setup(language: Language, id: Uuid, secret: String, uri: String, said: &Said) -> Answer<Response> {
    let page = Setup {
        language,
        w: words::words(language),
        a: account::words(language),
        id,
        picture: Qr::of(&uri),
        secret,
        uri,
        refused: said.refused.as_ref().map(|(_, sentence)| sentence.clone()),
    };
    alone(&page, language, said.status())
}

/// Begins to set an authenticator app up: its key is in the answer itself, and stands in no address.
pub async fn begin(State(app): State<App>, staff: Staff, Form(form): Form<ProofForm>) -> Answer<Response> {
    let mut said = form.body();
    said["name"] = json!(form.name);
    let begun = match body(said) {
        Ok(said) => enrolment::add_totp(State(app.clone()), staff.caller.clone(), said).await,
        Err(problem) => Err(problem),
    };
    match begun {
        Ok((_, Json(begun))) => setup(staff.language, begun.id, begun.secret, begun.otpauth_uri, &Said::default()),
        Err(problem) => page(&app, &staff, Said::refused(problem, staff.language)?).await,
    }
}

#[derive(Template)]
#[template(path = "console/pages/passkey_setup.html")]
struct PasskeySetup {
    language: Language,
    w: &'static Words,
    a: &'static Account,
    id: Uuid,
    /// What the page's script asks the authenticator.
    options: String,
}

/// Begins to add a passkey: the page that comes back asks the authenticator.
pub async fn begin_passkey(State(app): State<App>, staff: Staff, Form(form): Form<ProofForm>) -> Answer<Response> {
    let mut said = form.body();
    said["name"] = json!(form.name);
    let begun = match body(said) {
        Ok(said) => enrolment::add_passkey(State(app.clone()), staff.caller.clone(), said).await,
        Err(problem) => Err(problem),
    };
    match begun {
        Ok((_, Json(begun))) => {
            let (language, options) = (staff.language, begun.options.to_string());
            let page = PasskeySetup { language, w: words::words(language), a: account::words(language), id: begun.id, options };
            alone(&page, language, StatusCode::OK)
        }
        Err(problem) => page(&app, &staff, Said::refused(problem, staff.language)?).await,
    }
}

/// What one of their authenticators is asked where a passkey is shown in the place of a code: for the page's script.
pub async fn question(State(app): State<App>, staff: Staff) -> Answer<Json<SecondFactorQuestion>> {
    challenge::question(State(app), staff.caller).await.map(|(_, question)| question)
}

/// The first code, or the answer of a new passkey's authenticator. The key comes along, to be shown again after a wrong code.
#[derive(Deserialize)]
pub struct FirstCodeForm {
    id: Uuid,
    code: Option<String>,
    passkey: Option<String>,
    secret: Option<String>,
    uri: Option<String>,
}

#[derive(Template)]
#[template(path = "console/pages/recovery_codes.html")]
struct Codes {
    language: Language,
    w: &'static Words,
    a: &'static Account,
    title: &'static str,
    codes: Vec<String>,
}

fn codes(language: Language, title: fn(&Account) -> &'static str, codes: Vec<String>) -> Answer<Response> {
    let a = account::words(language);
    alone(&Codes { language, w: words::words(language), a, title: title(a), codes }, language, StatusCode::OK)
}

/// Shows the first code or the passkey: it counts from now on, and with the first factor come the recovery codes, shown this once.
pub async fn confirm(State(app): State<App>, staff: Staff, Form(form): Form<FirstCodeForm>) -> Answer<Response> {
    let code: String = form.code.unwrap_or_default().chars().filter(|c| !c.is_whitespace()).collect();
    let first = match form.passkey.as_deref() {
        Some(answer) => json!({"passkey": answer_of(Some(answer))}),
        None => json!({"totp": code}),
    };
    let confirmed = match body(first) {
        Ok(said) => enrolment::confirm(State(app.clone()), staff.caller.clone(), Path(form.id), said).await,
        Err(_) => Err(Problem::new(ProblemType::SecondFactorRefused)),
    };
    match confirmed {
        Ok(Json(confirmed)) => match confirmed.recovery_codes {
            Some(list) => codes(staff.language, |a| a.is_on, list),
            None => Ok(done(PAGE, "factor_added")),
        },
        // The fifteen minutes, or the tries, are over; an authenticator is asked something new each time.
        Err(problem) if problem.kind == ProblemType::NotFound || form.passkey.is_some() => {
            page(&app, &staff, Said::refused(Problem::new(ProblemType::SecondFactorRefused), staff.language)?).await
        }
        Err(problem) => {
            let said = Said::refused(problem, staff.language)?;
            setup(staff.language, form.id, form.secret.unwrap_or_default(), form.uri.unwrap_or_default(), &said)
        }
    }
}

/// Takes a factor away.
pub async fn remove(State(app): State<App>, staff: Staff, Path(id): Path<Uuid>, Form(form): Form<ProofForm>) -> Answer<Response> {
    let removed = match body(form.body()) {
        Ok(said) => enrolment::remove(State(app.clone()), staff.caller.clone(), Path(id), said).await,
        Err(problem) => Err(problem),
    };
    match removed {
        Ok(_) => Ok(done(PAGE, "factor_removed")),
        Err(problem) => page(&app, &staff, Said::refused(problem, staff.language)?).await,
    }
}

/// New recovery codes, shown this once; those before count no more.
pub async fn renew_codes(State(app): State<App>, staff: Staff, Form(form): Form<ProofForm>) -> Answer<Response> {
    let renewed = match body(form.body()) {
        Ok(said) => enrolment::renew_codes(State(app.clone()), staff.caller.clone(), said).await,
        Err(problem) => Err(problem),
    };
    match renewed {
        Ok(Json(renewed)) => codes(staff.language, |a| a.recovery_codes, renewed.recovery_codes),
        Err(problem) => page(&app, &staff, Said::refused(problem, staff.language)?).await,
    }
}

/// Signs a device out.
pub async fn end_device(State(app): State<App>, staff: Staff, Path(id): Path<Uuid>) -> Answer<Response> {
    signing::remove_device(State(app), staff.caller, Path(id)).await?;
    Ok(done(PAGE, "device_ended"))
}
