//! What happened in the studio: who did what, when and to whom, told from the log of events. For its admins.

use askama::Template;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::Deserialize;
use url::form_urlencoded;
use uuid::Uuid;

use super::form::filled;
use super::frame::{Part, Said, Shell};
use super::staff::Staff;
use super::words::Words;
use super::words::{figures, office};
use crate::app::App;
use crate::extract::{Cursor, Limit, Path, Query, query};
use crate::language::Language;
use crate::people;
use crate::problem::Answer;
use crate::reports::answer::Reader;
use crate::schedule::rules::LocalDate;
use crate::studios::guard::require_admin;
use crate::trail::Kind;
use crate::trail::api::{self, Asked, Person, TrailEvent};
use crate::zones;

/// Events of one page.
const EVENTS_MAX: i64 = 100;

#[derive(Template)]
#[template(path = "console/pages/trail.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    f: &'static figures::Words,
    o: &'static office::Words,
    from: NaiveDate,
    /// The last day.
    to: NaiveDate,
    /// What the form sends, what it shows, and whether that is chosen.
    kinds: Vec<(&'static str, &'static str, bool)>,
    people: Vec<(Uuid, String, bool)>,
    days: Vec<Day>,
    /// Where the page before it in time is.
    older: Option<String>,
    /// Where the newest are, if these are not.
    newest: Option<String>,
    /// Where the file of them all is.
    file: String,
}

/// What happened on one day, the last first.
struct Day {
    name: String,
    lines: Vec<Line>,
}

/// One thing that happened.
struct Line {
    time: String,
    who: String,
    what: String,
    /// To whom, where it is somebody else.
    member: Option<(Uuid, String)>,
    /// What it happened to, and where that is looked at.
    thing: Option<(String, String)>,
    facts: String,
}

/// Which events.
#[derive(Debug, Default, Deserialize)]
struct Params {
    from: Option<LocalDate>,
    /// The last day.
    to: Option<LocalDate>,
    kind: Option<Kind>,
    person: Option<Uuid>,
    after: Option<Cursor<(DateTime<Utc>, i64)>>,
}

/// What can be looked for: all that can happen in a studio.
const KINDS: [Kind; 6] = [Kind::Bookings, Kind::Members, Kind::Passes, Kind::Schedule, Kind::Team, Kind::Studio];

const fn kind_name(kind: Kind, o: &office::Words) -> (&'static str, &'static str) {
    match kind {
        Kind::Bookings => ("bookings", o.kind_bookings),
        Kind::Members => ("members", o.kind_members),
        Kind::Passes => ("passes", o.kind_passes),
        Kind::Schedule => ("schedule", o.kind_schedule),
        Kind::Team => ("team", o.kind_team),
        Kind::Studio | Kind::Accounts => ("studio", o.kind_studio),
    }
}

/// The page: for the studio's admins.
pub async fn show(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, RawQuery(asked): RawQuery) -> Answer<Response> {
    let reader = Reader::admin(&app, &staff.caller, studio_id).await?;
    let reader = Reader { language: staff.language, ..reader };
    let params: Answer<Params> = query(&filled(asked.unwrap_or_default().as_bytes()));
    let read = match params {
        Ok(params) => read(&app, &reader, params).await,
        Err(problem) => Err(problem),
    };
    let (said, (params, trail)) = match read {
        Ok(read) => (Said::default(), read),
        Err(problem) => (Said::refused(problem, staff.language)?, read_newest(&app, &reader).await?),
    };
    let shell = Shell::of(&app, &staff, studio_id, Part::Trail, said).await?;
    let o = office::words(shell.language);
    let (from, until) = asked_of(&params).days(&reader)?;
    let to = until.pred_opt().unwrap_or(until);
    let people = people_to_choose(&app, &staff, studio_id, params.person, o).await?;
    let address = |after: Option<&str>| {
        format!("{}/trail?{}", shell.at(), asked_again(&params, (from, to), after.map(|after| ("after", after)).as_slice()))
    };
    let as_lines = asked_again(&params, (from, until), &[("format", "csv"), ("bom", "true")]);
    let page = Page {
        w: shell.w,
        f: figures::words(shell.language),
        o,
        from,
        to,
        kinds: KINDS.map(|kind| (kind_name(kind, o).0, kind_name(kind, o).1, params.kind == Some(kind))).into(),
        people,
        days: days(&trail.events, &shell, o),
        older: trail.next.as_deref().map(|next| address(Some(next))),
        newest: params.after.is_some().then(|| address(None)),
        file: format!("{}/trail/file?{as_lines}", shell.at()),
        shell,
    };
    page.shell.answer(&page)
}

/// The same events in an address, of these days and with something besides.
fn asked_again(params: &Params, (from, to): (NaiveDate, NaiveDate), besides: &[(&str, &str)]) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    pairs.append_pair("from", &from.to_string()).append_pair("to", &to.to_string());
    if let Some(kind) = params.kind {
        pairs.append_pair("kind", kind_name(kind, office::words(Language::En)).0);
    }
    if let Some(person) = params.person {
        pairs.append_pair("person", &person.to_string());
    }
    pairs.extend_pairs(besides).finish()
}

fn asked_of(params: &Params) -> Asked {
    Asked {
        from: params.from,
        to: params.to.and_then(|LocalDate(to)| to.checked_add_days(Days::new(1))).map(LocalDate),
        kind: params.kind,
        person: params.person,
        limit: Some(Limit(EVENTS_MAX)),
        after: params.after.clone(),
        ..Asked::default()
    }
}

async fn read(app: &App, reader: &Reader, params: Params) -> Answer<(Params, api::Trail)> {
    let trail = api::read(app, reader, &asked_of(&params)).await?;
    Ok((params, trail))
}

/// Where what was asked for is none, the newest stand below what is said.
async fn read_newest(app: &App, reader: &Reader) -> Answer<(Params, api::Trail)> {
    read(app, reader, Params::default()).await
}

/// Those who work here, and whoever was chosen.
async fn people_to_choose(
    app: &App,
    staff: &Staff,
    studio_id: Uuid,
    chosen: Option<Uuid>,
    o: &office::Words,
) -> Answer<Vec<(Uuid, String, bool)>> {
    let Json(team) = people::staff::list(State(app.clone()), staff.caller.clone(), Path(studio_id)).await?;
    let mut people: Vec<_> = team.staff.into_iter().map(|one| (one.person_id, one.name, chosen == Some(one.person_id))).collect();
    if let Some(chosen) = chosen.filter(|chosen| people.iter().all(|(id, ..)| id != chosen)) {
        let mut tx = app.db.read().await?;
        let name = people::store::names_in(&mut tx, studio_id, &[chosen]).await?.pop().map(|(_, name)| name);
        tx.rollback().await;
        people.push((chosen, name.unwrap_or_else(|| o.unknown_person.to_owned()), true));
    }
    Ok(people)
}

fn days(events: &[TrailEvent], shell: &Shell, o: &'static office::Words) -> Vec<Day> {
    let mut days: Vec<(NaiveDate, Day)> = Vec::new();
    for event in events {
        let date = zones::local_date(event.at, shell.zone());
        if days.last().is_none_or(|(last, _)| *last != date) {
            days.push((date, Day { name: shell.date(date), lines: Vec::new() }));
        }
        if let Some((_, day)) = days.last_mut() {
            day.lines.push(line(event, shell, o));
        }
    }
    days.into_iter().map(|(_, day)| day).collect()
}

fn line(event: &TrailEvent, shell: &Shell, o: &'static office::Words) -> Line {
    let name = |person: &Person| person.name.clone().unwrap_or_else(|| o.unknown_person.to_owned());
    let facts = event.facts.iter().map(|fact| format!("{} {}", fact.name, fact.value).trim().to_owned());
    let member = event.member.as_ref().filter(|member| event.by.as_ref().is_none_or(|by| by.id != member.id));
    Line {
        time: shell.time(event.at),
        who: event.by.as_ref().map_or_else(|| o.by_itself.to_owned(), name),
        what: event.text.clone(),
        member: member.map(|member| (member.id, name(member))),
        thing: event.subject.name.clone().zip(place(event)),
        facts: facts.collect::<Vec<_>>().join(" · "),
    }
}

/// Where a thing is looked at, below the studio's address.
fn place(event: &TrailEvent) -> Option<String> {
    let id = event.subject.id?;
    Some(match event.subject.kind.as_str() {
        "booking" => format!("bookings/{id}"),
        "session" => format!("sessions/{id}"),
        "pass" => format!("passes/{id}"),
        "kiosk" => "settings".to_owned(),
        "pass_type" => format!("pass-types/{id}"),
        "series" => format!("series/{id}"),
        "import" => format!("imports/{id}"),
        _ => "setup".to_owned(),
    })
}

/// All of it as lines (CSV), asked for as of the API: for the studio's admins.
pub async fn file(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    RawQuery(asked): RawQuery,
    headers: HeaderMap,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let asked: Asked = query(&asked.unwrap_or_default())?;
    api::of_studio(State(app), staff.caller, Path(studio_id), Query(asked), headers).await
}
