//! A week of a studio's classes, for anybody; and the same to stand in the studio's own website.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::frame::{POLICY, Part, Shell};
use super::linked_data;
use super::reader::Reader;
use super::words::{self, Words};
use crate::app::App;
use crate::booking::BookingStatus;
use crate::console::frame::Said;
use crate::extract::{PAGE_MAX, Path, Query};
use crate::language::Language;
use crate::letters::facts::Money;
use crate::letters::phrases;
use crate::passes::{self, PassKind};
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule::cache::{CacheKey, Page};
use crate::schedule::rules::LocalDate;
use crate::schedule::store::{self, Range};
use crate::schedule::{Session, SessionStatus, is_open, places_left, status};
use crate::studios::{self, Studio};
use crate::zones;

/// Days of a page.
const DAYS: u64 = 7;
/// Sessions of a page; more than a studio has in a week.
const SESSIONS_MAX: i64 = 300;

/// Which days, of what, and with whom.
#[derive(Clone, Debug, Deserialize)]
pub struct WeekParams {
    from: Option<LocalDate>,
    class_type: Option<String>,
    instructor: Option<String>,
}

impl WeekParams {
    /// An empty choice of a form, or one that is none, is no choice.
    fn class_type(&self) -> Option<Uuid> {
        self.class_type.as_deref().and_then(|text| text.parse().ok())
    }

    fn instructor(&self) -> Option<Uuid> {
        self.instructor.as_deref().and_then(|text| text.parse().ok())
    }

    /// The address of these days, by what is known of them alone: everybody reads the page, and nothing else that somebody asked with.
    fn address(&self, at: &str) -> String {
        let from = self.from.map(|LocalDate(date)| format!("&from={date}")).unwrap_or_default();
        match (from + &self.choice()).strip_prefix('&') {
            Some(query) => format!("{at}?{query}"),
            None => at.to_owned(),
        }
    }

    /// What stays of the choice in another week.
    fn choice(&self) -> String {
        let mut choice = String::new();
        for (name, chosen) in [("class_type", self.class_type()), ("instructor", self.instructor())] {
            choice += &chosen.map(|id| format!("&{name}={id}")).unwrap_or_default();
        }
        choice
    }
}

/// The studio of a page.
pub async fn studio(app: &App, id: Uuid) -> Answer<Studio> {
    studios::store::studio(&app.db, id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))
}

#[derive(Template)]
#[template(path = "public/pages/schedule.html")]
struct Week {
    shell: Shell,
    w: &'static Words,
    studio_id: Uuid,
    at: String,
    canonical: String,
    title: String,
    clock: String,
    before: Option<NaiveDate>,
    after: NaiveDate,
    from: NaiveDate,
    choice: String,
    days: Vec<Day>,
    class_types: Vec<(Uuid, String)>,
    instructors: Vec<(Uuid, String)>,
    class_type: Option<Uuid>,
    instructor: Option<Uuid>,
    prices: Vec<Price>,
    linked_data: String,
    /// Whether it stands in another website: links open the whole page.
    embedded: bool,
}

/// A day of it.
struct Day {
    date: NaiveDate,
    name: String,
    /// As a chip says it, short.
    chip: String,
    is_today: bool,
    classes: Vec<Card>,
}

/// A class of a day.
struct Card {
    id: Uuid,
    time: String,
    name: String,
    minutes: i64,
    instructor: String,
    room: String,
    says: String,
    kind: &'static str,
}

/// What a pass costs.
struct Price {
    name: String,
    what: String,
    price: Option<String>,
}

/// What there is to say of a class besides its time: whether there is a place, or why there is none.
pub fn says(session: &Session, me: Option<&str>, language: Language, now: DateTime<Utc>) -> (String, &'static str) {
    let w = words::words(language);
    match (status(session, now), me) {
        (SessionStatus::Cancelled, _) => (w.cancelled_class.to_owned(), "cancelled"),
        (SessionStatus::Ended, _) => (w.over.to_owned(), "ended"),
        (_, Some("booked" | "attended")) => (w.you_are_in.to_owned(), "mine"),
        (_, Some("offered")) => (words::status(BookingStatus::Offered, language).to_owned(), "mine"),
        (_, Some("waitlisted" | "standby")) => (w.you_wait.to_owned(), "mine"),
        _ if now < session.booking_opens_at => {
            (phrases::bookable_from_text(session.booking_opens_at, session.names.time_zone.tz(), language), "closed")
        }
        _ if !is_open(session, now) => (w.booking_closed.to_owned(), "closed"),
        _ => {
            let left = places_left(session, now);
            (words::places(left, session.waiting, language), if left > 0 { "free" } else { "full" })
        }
    }
}

/// The schedule. Everybody who is not signed in reads the same bytes, made at most once a second.
pub async fn show(
    State(app): State<App>,
    reader: Reader,
    Path(studio_id): Path<Uuid>,
    Query(params): Query<WeekParams>,
    headers: HeaderMap,
) -> Answer<Response> {
    answer(app, reader, studio_id, params, headers, false).await
}

/// The schedule for the studio's own website: the one page that others may frame.
pub async fn embed(
    State(app): State<App>,
    reader: Reader,
    Path(studio_id): Path<Uuid>,
    Query(params): Query<WeekParams>,
    headers: HeaderMap,
) -> Answer<Response> {
    // Whoever frames the page sees nothing of who looks at it.
    let reader = Reader { member: None, ..reader };
    answer(app, reader, studio_id, params, headers, true).await
}

/// Where the page is.
fn at(studio_id: Uuid, embedded: bool) -> String {
    format!("/s/{studio_id}{}", if embedded { "/embed" } else { "" })
}

async fn answer(app: App, mut reader: Reader, studio_id: Uuid, params: WeekParams, headers: HeaderMap, embedded: bool) -> Answer<Response> {
    let now = app.clock.now();
    reader.page = params.address(&at(studio_id, embedded));
    if let Some(member) = reader.member.as_ref().map(|member| member.person_id) {
        let page = week(&app, reader, studio_id, params, Some(member), embedded, now).await?;
        return page.shell.answer(&page);
    }
    let (language, cookies) = (reader.language, std::mem::take(&mut reader.cookies));
    // A query cannot begin so: the pages are kept apart from the API's answers.
    let query = format!("page {}", reader.page);
    let make = |_| async {
        let page = week(&app, reader, studio_id, params, None, embedded, now).await?;
        Page::of_text(page.render().map_err(Problem::fault)?)
    };
    let found = app.schedule.get(CacheKey { studio_id, query, language }, now, make).await?;
    let mut answer = found.public.answer_as(&headers, "text/html; charset=utf-8", "public, no-cache");
    let framed_by = if embedded { app.settings.server.framed_by() } else { "'none'".to_owned() };
    let policy = HeaderValue::try_from(format!("{POLICY}{framed_by}")).map_err(Problem::fault)?;
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    answer.headers_mut().insert(header::VARY, HeaderValue::from_static("Cookie, Accept-Language"));
    if !embedded {
        for cookie in cookies {
            answer.headers_mut().append(header::SET_COOKIE, cookie);
            answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
    }
    Ok(answer)
}

async fn week(
    app: &App,
    reader: Reader,
    studio_id: Uuid,
    params: WeekParams,
    member: Option<Uuid>,
    embedded: bool,
    now: DateTime<Utc>,
) -> Answer<Week> {
    let studio = studio(app, studio_id).await?;
    let zone = studio.time_zone.tz();
    let today = zones::local_date(now, zone);
    let from = params.from.map_or(today, |LocalDate(date)| date);
    let to = from + Days::new(DAYS);
    let (class_type, instructor) = (params.class_type(), params.instructor());
    let range = Range { studio_id, from, to, class_type, instructor, drafts: false, after: None, count_max: SESSIONS_MAX };
    let (sessions, mine): (Vec<Session>, HashMap<Uuid, String>) = match member {
        Some(person_id) => {
            let shown = store::range_for(&app.db, &range, person_id).await?;
            let mine = shown.iter().filter_map(|one| Some((one.shown.id, one.me()?.status.into_owned()))).collect();
            (shown.into_iter().map(|one| one.shown).collect(), mine)
        }
        None => (store::range(&app.db, &range).await?, HashMap::new()),
    };
    let class_types = store::class_types(&app.db, studio_id, None, PAGE_MAX).await?;
    let instructors = studios::store::instructors(&app.db, studio_id, None, PAGE_MAX).await?;
    let sold = passes::store::types(&app.db, studio_id, None, PAGE_MAX).await?;
    let shell = Shell::of(reader, Part::Schedule, Some(studio.clone()), Said::default());
    let language = shell.language;
    let card = |session: &Session| {
        let (says, kind) = says(session, mine.get(&session.id).map(String::as_str), language, now);
        Card {
            id: session.id,
            time: zones::wall(session.starts_at, zone).format("%H:%M").to_string(),
            name: session.names.class_name.read(language).to_owned(),
            minutes: session.names.class_minutes,
            instructor: session.names.instructor_name.clone(),
            room: session.names.room_name.clone(),
            says,
            kind,
        }
    };
    let day = |date: NaiveDate| Day {
        date,
        name: phrases::date(date, language),
        chip: phrases::short_day(date, language),
        is_today: date == today,
        classes: sessions.iter().filter(|session| session.local_date == date).map(card).collect(),
    };
    let days = (0..DAYS).map(|n| from + Days::new(n)).map(day).filter(|day| !day.classes.is_empty()).collect();
    let url = &app.settings.server.public_url;
    Ok(Week {
        w: shell.w,
        studio_id,
        at: at(studio_id, embedded),
        canonical: format!("{url}/s/{studio_id}"),
        title: format!("{} – {}", phrases::date(from, language), phrases::date(to - Days::new(1), language)),
        clock: phrases::zone(now, zone, language),
        before: (from > today).then(|| (from - Days::new(DAYS)).max(today)),
        after: to,
        from,
        choice: params.choice(),
        days,
        class_types: class_types.into_iter().map(|one| (one.id, one.name.read(language).to_owned())).collect(),
        instructors,
        class_type,
        instructor,
        prices: sold.iter().map(|one| price(one, language)).collect(),
        linked_data: linked_data::studio(&studio, &sessions, url, language, now),
        embedded,
        shell,
    })
}

fn price(sold: &passes::PassType, language: Language) -> Price {
    let w = words::words(language);
    let what = match (sold.kind, sold.credits, sold.per_week) {
        (PassKind::Pack, Some(credits), _) => phrases::credits(credits, language),
        (_, _, Some(per_week)) => format!("{per_week} {}", w.per_week),
        _ => w.unlimited.to_owned(),
    };
    let price =
        sold.price_minor.zip(sold.currency.clone()).map(|(amount_minor, currency)| phrases::money(&Money { amount_minor, currency }));
    Price { name: sold.name.read(language).to_owned(), what, price }
}
