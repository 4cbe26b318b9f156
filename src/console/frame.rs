//! The frame of every page: who is signed in where, the way to the other pages, what has just been done or refused; and the headers that
//! tell a browser what a page may do, which is little.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use uuid::Uuid;

use super::assets::{CSS, ICON, JS};
use super::staff::Staff;
pub use super::words::words;
use super::words::{self, Words, fields, office};
use crate::app::App;
use crate::language::Language;
use crate::letters::phrases;
use crate::people;
use crate::problem::{Answer, Problem, ProblemType};
use crate::studios::guard::require_staff;
use crate::studios::{self, Studio};
use crate::zones;

/// Scripts, styles and pictures are files of our own; nothing is written into a page, nothing comes from elsewhere, and no other site frames
/// it.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// Which part of the console a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of the product")]
pub enum Part {
    Today,
    Schedule,
    Members,
    Monday,
    Attendance,
    Letters,
    Trail,
    Rules,
    Setup,
    Passes,
    Team,
    Import,
    Settings,
}

impl Part {
    /// What everybody on the desk has at hand; the first group of the frame.
    const DAILY: [Self; 3] = [Self::Today, Self::Schedule, Self::Members];
    /// What those who run the studio look at, and what they set: the other groups.
    const RUNNING: [&[Self]; 2] = [
        &[Self::Monday, Self::Attendance, Self::Letters, Self::Trail],
        &[Self::Rules, Self::Passes, Self::Team, Self::Setup, Self::Import, Self::Settings],
    ];

    /// Its address, below that of the studio.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Today => "today",
            Self::Schedule => "schedule",
            Self::Members => "members",
            Self::Monday => "monday",
            Self::Attendance => "attendance",
            Self::Letters => "letters",
            Self::Trail => "trail",
            Self::Rules => "house-rules",
            Self::Setup => "setup",
            Self::Passes => "pass-types",
            Self::Team => "team",
            Self::Import => "imports",
            Self::Settings => "settings",
        }
    }

    /// What it is called.
    pub const fn name(self, w: &Words, o: &office::Words) -> &'static str {
        match self {
            Self::Today => w.today,
            Self::Schedule => w.schedule,
            Self::Members => w.members,
            Self::Monday => w.monday,
            Self::Attendance => w.attendance,
            Self::Letters => w.letters,
            Self::Trail => o.trail,
            Self::Rules => w.house_rules,
            Self::Setup => w.setup,
            Self::Passes => w.pass_types,
            Self::Team => w.staff,
            Self::Import => o.imports,
            Self::Settings => w.settings,
        }
    }

    /// The strokes of its picture, on 20 by 20.
    pub const fn strokes(self) -> &'static str {
        match self {
            Self::Today => "M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15M10 5.5V10l3 2",
            Self::Schedule => {
                "M5 3.5h10A2.5 2.5 0 0 1 17.5 6v9a2.5 2.5 0 0 1-2.5 2.5H5A2.5 2.5 0 0 1 2.5 15V6A2.5 2.5 0 0 1 5 3.5M2.5 8h15M6.5 1.5V5M13.5 1.5V5"
            }
            Self::Members => "M10 3a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M3 17.5c.6-3.6 3.4-5.5 7-5.5s6.4 1.9 7 5.5",
            Self::Monday => "M3 17h14M5 13v1.5M8.5 9.5v5M12 11.5v3M15.5 5v9.5",
            Self::Attendance => "M3 3h5.5v5.5H3zM11.5 3H17v5.5h-5.5zM3 11.5h5.5V17H3zM11.5 11.5H17V17h-5.5z",
            Self::Letters => {
                "M5 4h10a2.5 2.5 0 0 1 2.5 2.5v7A2.5 2.5 0 0 1 15 16H5a2.5 2.5 0 0 1-2.5-2.5v-7A2.5 2.5 0 0 1 5 4M3.5 6l6.5 5 6.5-5"
            }
            Self::Trail => "M8.5 5H17M8.5 10H17M8.5 15H14M4 5h.01M4 10h.01M4 15h.01",
            Self::Rules => "M5.5 2.5h9v15h-9zM8 6.5h4M8 10h4M8 13.5h2",
            Self::Passes => "M3 5.5h14v3a1.5 1.5 0 0 0 0 3v3H3v-3a1.5 1.5 0 0 0 0-3zM12 6v1M12 9.500v1M12 13v1",
            Self::Team => {
                "M7.5 4a2.75 2.75 0 1 0 0 5.5 2.75 2.75 0 0 0 0-5.5M2 16.500c.4-3 2.600-4.500 5.500-4.500s5.100 1.500 5.500 4.500M13 4.200a2.600 2.600 0 0 1 0 5.100M15 12.200c1.700.6 2.800 2 3 4.300"
            }
            Self::Import => "M10 3v9M6.5 8.5 10 12l3.5-3.5M3.5 13v3.5h13V13",
            Self::Settings => "M4 6.5h12v10H4zM4 6.5 6 3h8l2 3.5M8 11h4",
            Self::Setup => "M3 5.5h8M15 5.5h2M3 14.5h2M9 14.5h8M13 3.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4M7 12.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4",
        }
    }
}

/// What a page says of what was done before it.
#[derive(Debug, Default)]
pub struct Said {
    /// What was done, by its word in the address.
    pub done: Option<String>,
    /// What was refused, and with which status.
    pub refused: Option<(StatusCode, String)>,
    /// When it is worth trying again, in seconds from now.
    pub retry_after_s: Option<u64>,
}

impl Said {
    /// What the address of a page says was done.
    pub fn done(word: Option<String>) -> Self {
        Self { done: word, ..Self::default() }
    }

    /// A refusal, as a sentence for this reader. Our own faults are none: they go on to be said as such.
    pub fn refused(problem: Problem, language: Language) -> Answer<Self> {
        if !is_told(&problem) {
            return Err(problem);
        }
        let refused = Some((problem.kind.status(), sentence(&problem, language)));
        Ok(Self { done: None, refused, retry_after_s: problem.retry_after_s() })
    }

    /// With which status the page is answered.
    pub fn status(&self) -> StatusCode {
        self.refused.as_ref().map_or(StatusCode::OK, |(status, _)| *status)
    }
}

/// Whether a refusal is said on the page from which it was asked: what may not be seen or done at all has a page of its own.
fn is_told(problem: &Problem) -> bool {
    use ProblemType as P;
    problem.kind.status().is_client_error() && !matches!(problem.kind, P::NotFound | P::NotAllowed | P::SignInRequired | P::TokenRefused)
}

/// A refusal in words: the sentence, and another one for each field of what is wrong with it.
pub fn sentence(problem: &Problem, language: Language) -> String {
    let body = problem.body(language, "");
    let mut text = problem.kind.sentence(language).to_owned();
    for error in body["errors"].as_array().into_iter().flatten() {
        let (field, message) = (error["field"].as_str().unwrap_or_default(), error["message"].as_str().unwrap_or_default());
        let field = fields::field(field, language);
        text += &match language {
            Language::En => format!(" “{field}” {message}."),
            Language::ZhHans => format!("“{field}”{message}。"),
            Language::ZhHant => format!("「{field}」{message}。"),
        };
    }
    text
}

/// `?said=` of a page's address.
#[derive(Debug, Deserialize)]
pub struct SaidParams {
    pub said: Option<String>,
}

/// The frame of a page of a studio.
pub struct Shell {
    pub language: Language,
    pub w: &'static Words,
    pub o: &'static office::Words,
    pub studio: Studio,
    pub part: Part,
    /// Who is signed in.
    pub person: String,
    /// Whether they serve any member here.
    pub is_desk: bool,
    /// Whether they run the studio.
    pub is_admin: bool,
    /// Whether they have other studios to go to.
    pub has_others: bool,
    /// Whether what they might do here waits for a second factor.
    pub factor_missing: bool,
    /// Whose clock the times are by.
    pub clock: String,
    /// Now, on the studio's calendar.
    pub today: NaiveDate,
    pub page: String,
    pub done: Option<&'static str>,
    pub refused: Option<String>,
    status: StatusCode,
    retry_after_s: Option<u64>,
    renewed: Option<HeaderValue>,
}

impl Shell {
    /// The frame for whoever works in this studio; nobody else gets one.
    pub async fn of(app: &App, staff: &Staff, studio_id: Uuid, part: Part, said: Said) -> Answer<Self> {
        require_staff(app, &staff.caller, studio_id).await?;
        let studio = studios::store::studio(&app.db, studio_id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
        let roles = &staff.caller.roles;
        let now = app.clock.now();
        let zone = studio.time_zone.tz();
        Ok(Self {
            language: staff.language,
            w: words(staff.language),
            o: office::words(staff.language),
            part,
            person: name_of(app, staff).await?,
            is_desk: roles.is_front_desk(studio_id),
            is_admin: roles.is_admin(studio_id),
            has_others: roles.is_owner || roles.studios().any(|id| id != studio_id),
            factor_missing: staff.caller.factor_missing,
            clock: phrases::zone(now, zone, staff.language),
            today: zones::local_date(now, zone),
            page: staff.page.clone().unwrap_or_else(|| format!("/console/{studio_id}/today")),
            status: said.status(),
            retry_after_s: said.retry_after_s,
            done: said.done.as_deref().and_then(|word| words::done(word, staff.language)),
            refused: said.refused.map(|(_, sentence)| sentence),
            renewed: staff.renewed.clone(),
            studio,
        })
    }

    /// The parts that are at hand.
    pub fn daily(&self) -> impl Iterator<Item = Part> {
        let is_desk = self.is_desk;
        Part::DAILY.into_iter().filter(move |part| is_desk || *part != Part::Members)
    }

    /// The other parts, in groups: of those who run the studio.
    pub const fn running(&self) -> &'static [&'static [Part]] {
        if self.is_admin { &Part::RUNNING } else { &[] }
    }

    /// Whether the page belongs to one of the other groups.
    pub fn is_running_it(&self) -> bool {
        !Part::DAILY.contains(&self.part)
    }

    /// The studio's clock.
    pub fn zone(&self) -> Tz {
        self.studio.time_zone.tz()
    }

    /// The start of the address of every page of this studio.
    pub fn at(&self) -> String {
        format!("/console/{}", self.studio.id)
    }

    /// `18:30`, on the studio's wall.
    pub fn time(&self, at: DateTime<Utc>) -> String {
        zones::wall(at, self.zone()).format("%H:%M").to_string()
    }

    /// `Tue 1 Dec, 18:30`, on the studio's wall.
    pub fn day_and_time(&self, at: DateTime<Utc>) -> String {
        phrases::day_and_time(at, self.zone(), self.language)
    }

    /// `Tue 1 Dec 2026`.
    pub fn date(&self, date: NaiveDate) -> String {
        phrases::date(date, self.language)
    }

    /// `Tue 1 Dec`: a day of a week whose year is told above.
    pub fn day(&self, date: NaiveDate) -> String {
        let year = date.year();
        self.date(date).replace(&format!("{year}年"), "").replace(&format!(" {year}"), "")
    }

    /// The page in this frame.
    pub fn answer(&self, page: &impl Template) -> Answer<Response> {
        let mut answer = html(page, self.language, self.status)?;
        if let Some(cookie) = &self.renewed {
            answer.headers_mut().append(header::SET_COOKIE, cookie.clone());
        }
        if let Some(seconds) = self.retry_after_s {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        Ok(answer)
    }
}

/// What whoever is signed in is called.
pub async fn name_of(app: &App, staff: &Staff) -> Answer<String> {
    let mut tx = app.db.read().await?;
    let profile = people::store::profile(&mut tx, staff.caller.person_id).await?;
    tx.rollback().await;
    Ok(profile.map(|profile| profile.name).unwrap_or_default())
}

/// The addresses of the files that every page has.
pub struct Files;

impl Files {
    pub fn css() -> &'static str {
        CSS.address()
    }

    pub fn js() -> &'static str {
        JS.address()
    }

    pub fn icon() -> &'static str {
        ICON.address()
    }
}

/// A page that says one thing, outside any studio.
#[derive(Template)]
#[template(path = "console/pages/notice.html")]
pub struct Notice {
    pub language: Language,
    pub w: &'static Words,
    pub title: String,
}

/// The page that says what was refused.
pub fn notice(problem: &Problem, language: Language) -> Answer<Response> {
    let notice = Notice { language, w: words(language), title: problem.kind.sentence(language).to_owned() };
    alone(&notice, language, problem.kind.status())
}

/// A page outside any studio: before signing in, or where something was refused.
pub fn alone(page: &impl Template, language: Language, status: StatusCode) -> Answer<Response> {
    html(page, language, status)
}

fn html(page: &impl Template, language: Language, status: StatusCode) -> Answer<Response> {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // A browser says of a form where it comes from; to other sites it says nothing.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CONTENT_LANGUAGE, language.tag()),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((status, headers, Html(page.render().map_err(Problem::fault)?)).into_response())
}

/// To another page, which says what was done.
pub fn done(page: &str, word: &str) -> Response {
    let joint = if page.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{page}{joint}said={word}")).into_response()
}
