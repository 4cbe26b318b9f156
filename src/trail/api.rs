//! The audit trail over HTTP, and as the console reads it.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Kind;
use super::store::{self, Called, EventRow, Wanted};
use super::words::{actions_of, facts, said};
use crate::app::App;
use crate::db::{Error, Tx};
use crate::extract::{Cursor, Limit, Path, Query, page};
use crate::language::Language;
use crate::letters::phrases::day_and_time;
use crate::people;
use crate::problem::{Answer, Problem, refuses};
use crate::reports::answer::{Cell, Format, Reader, Sheet, answer, wants_csv};
use crate::schedule::rules::LocalDate;
use crate::sign_in::Caller;
use crate::wrong::Wrong;

/// How many days are read, if nothing else is asked for.
const DAYS: u64 = 31;
/// The most events of one file.
const LINES_MAX: i64 = 20_000;

/// Which events, and in which form.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The first local date; without it 31 days before `to`.
    #[param(inline, example = "2026-12-01")]
    pub from: Option<LocalDate>,
    /// The local date before which it ends, at most 366 days later; without it tomorrow.
    #[param(inline, example = "2026-12-08")]
    pub to: Option<LocalDate>,
    /// Only events about this.
    #[param(inline)]
    pub kind: Option<Kind>,
    /// Only what this person did, and what was done to them, their bookings and their passes.
    pub person: Option<Uuid>,
    /// The most items, 1 to 200.
    #[param(inline)]
    pub limit: Option<Limit>,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    pub after: Option<Cursor<(DateTime<Utc>, i64)>>,
    /// `json` or `csv`; without it as `Accept` says. As CSV all events of these days, at most 20,000.
    #[param(inline)]
    pub format: Option<Format>,
    /// CSV only: begin with a byte order mark, without which some spreadsheets misread Chinese.
    #[serde(default)]
    pub bom: bool,
}

impl Asked {
    /// The first day, and the one after the last.
    pub fn days(&self, reader: &Reader) -> Answer<(NaiveDate, NaiveDate)> {
        let to = self.to.unwrap_or(LocalDate(reader.today + Days::new(1)));
        let from = self.from.unwrap_or(LocalDate(to.0.checked_sub_days(Days::new(DAYS)).unwrap_or(to.0)));
        reader.days(Some(from), Some(to))
    }
}

/// Somebody of whom an event tells.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TrailPerson)]
pub struct Person {
    pub id: Uuid,
    /// As the studio knows them; null: it does not any more.
    pub name: Option<String>,
}

/// To what something happened.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TrailSubject)]
pub struct Subject {
    /// `booking`, `session`, `person`, `pass`, …; clients must tolerate new ones.
    pub kind: String,
    pub id: Option<Uuid>,
    /// What it is called by now: a class with its start, a pass, a room.
    pub name: Option<String>,
}

/// What was noted with an event.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TrailFact)]
pub struct Fact {
    /// What it is; empty where the value says it all.
    pub name: &'static str,
    pub value: String,
}

/// Something that happened in a studio.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TrailEvent)]
pub struct TrailEvent {
    pub id: Uuid,
    /// Which of the studio's events it is, in the order in which they came true.
    pub number: i64,
    #[serde(with = "crate::instant")]
    pub at: DateTime<Utc>,
    /// What, as the log names it; clients must tolerate new ones.
    pub action: String,
    /// What, in the reader's language.
    pub text: String,
    /// Who did it; null: Relevé itself, by the clock or because of something else.
    pub by: Option<Person>,
    pub subject: Subject,
    /// Whose booking, pass or entry it is.
    pub member: Option<Person>,
    /// What was noted with it, in the reader's language and by the studio's clock.
    pub facts: Vec<Fact>,
}

/// A page of what happened in a studio.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditTrail)]
pub struct Trail {
    /// The newest first.
    pub events: Vec<TrailEvent>,
    /// What to send as `after` for more; null at the end.
    pub next: Option<String>,
}

/// Who did what in the studio, the newest first, with names and in words; of at most 366 days. Admins.
#[utoipa::path(
    get, path = "/v1/studios/{id}/events", operation_id = "list_studio_events",
    params(("id" = Uuid, Path), Asked),
    responses((status = 200, content((Trail = "application/json"), (String = "text/csv")))),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn of_studio(
    State(app): State<App>,
    caller: Caller,
    Path(studio_id): Path<Uuid>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Answer<Response> {
    let reader = Reader::admin(&app, &caller, studio_id).await?;
    if !wants_csv(asked.format, &headers) {
        return Ok(Json(read(&app, &reader, &asked).await?).into_response());
    }
    let days = asked.days(&reader)?;
    let mut tx = app.db.read().await?;
    let events = told(&mut tx, &reader, &wanted(&asked, &reader)?, LINES_MAX + 1).await;
    tx.rollback().await;
    let events = events?;
    if events.len() > LINES_MAX as usize {
        return Err(Problem::field("to", Wrong::TooManyLines { max: LINES_MAX as usize }));
    }
    answer(&(), || sheet(&events, days), (Some(Format::Csv), asked.bom), &headers)
}

/// A page of the trail, for whoever runs the studio.
pub async fn read(app: &App, reader: &Reader, asked: &Asked) -> Answer<Trail> {
    let limit = asked.limit.unwrap_or_default();
    let mut tx = app.db.read().await?;
    let events = told(&mut tx, reader, &wanted(asked, reader)?, limit.0 + 1).await;
    tx.rollback().await;
    let (events, next) = page(events?, limit, |event| (event.at, event.number));
    Ok(Trail { events, next })
}

fn wanted(asked: &Asked, reader: &Reader) -> Answer<Wanted> {
    let (from, to) = reader.instants(asked.days(reader)?);
    Ok(Wanted {
        from,
        to,
        before: asked.after.as_ref().map(|Cursor((at, number))| (crate::extract::storable(*at), *number)),
        actions: asked.kind.map(actions_of).unwrap_or_default(),
        person: asked.person,
    })
}

/// The events with their names and their words.
async fn told(tx: &mut Tx, reader: &Reader, wanted: &Wanted, limit: i64) -> Result<Vec<TrailEvent>, Error> {
    let rows = store::of_studio(tx, reader.studio_id, wanted, limit).await?;
    let things = things(tx, reader.studio_id, &rows).await?;
    let mut people: BTreeSet<Uuid> = rows.iter().filter_map(|row| row.actor_id).collect();
    people.extend(rows.iter().filter_map(|row| whose(row, &things)));
    let people: Vec<Uuid> = people.into_iter().collect();
    let names: BTreeMap<Uuid, String> = people::store::names_in(tx, reader.studio_id, &people).await?.into_iter().collect();
    let person = |id: Uuid| Person { id, name: names.get(&id).cloned() };
    let one = |row: EventRow| {
        let member = whose(&row, &things).map(person);
        let thing = row.subject_id.and_then(|id| things.get(&id));
        let details = row.details.map(|details| details.0).unwrap_or_default();
        let facts = facts(&details, reader.zone, reader.language).into_iter();
        TrailEvent {
            id: row.id,
            number: row.number,
            at: row.at,
            text: said(&row.action, reader.language).to_owned(),
            action: row.action,
            by: row.actor_id.map(person),
            subject: Subject { kind: row.subject_kind, id: row.subject_id, name: thing.and_then(|thing| name(thing, reader)) },
            member,
            facts: facts.map(|fact| Fact { name: fact.name, value: fact.value }).collect(),
        }
    };
    Ok(rows.into_iter().map(one).collect())
}

/// Whom an event concerns: the person themselves, or whose booking or pass it is.
fn whose(row: &EventRow, things: &BTreeMap<Uuid, Called>) -> Option<Uuid> {
    let id = row.subject_id?;
    if row.subject_kind == "person" { Some(id) } else { things.get(&id)?.person_id }
}

/// `Barre Sculpt, Tue 1 Dec, 18:30`.
fn name(thing: &Called, reader: &Reader) -> Option<String> {
    let name = thing.name.as_ref()?.read(reader.language);
    let start = thing.starts_at.map(|at| day_and_time(at, reader.zone, reader.language));
    let comma = if reader.language == Language::En { ", " } else { "，" };
    Some(start.map_or_else(|| name.to_owned(), |start| format!("{name}{comma}{start}")))
}

/// What the things are called to which something happened.
async fn things(tx: &mut Tx, studio_id: Uuid, rows: &[EventRow]) -> Result<BTreeMap<Uuid, Called>, Error> {
    let of = |kinds: &[&str]| -> Vec<Uuid> {
        let ids: BTreeSet<Uuid> =
            rows.iter().filter(|row| kinds.contains(&row.subject_kind.as_str())).filter_map(|row| row.subject_id).collect();
        ids.into_iter().collect()
    };
    let mut found = store::bookings(tx, studio_id, &of(&["booking"])).await?;
    found.extend(store::sessions(tx, studio_id, &of(&["session"])).await?);
    found.extend(store::passes(tx, studio_id, &of(&["pass"])).await?);
    found.extend(store::types(tx, studio_id, &of(&["class_type", "pass_type"])).await?);
    found.extend(store::rooms(tx, studio_id, &of(&["room", "kiosk"])).await?);
    Ok(found.into_iter().map(|called| (called.id, called)).collect())
}

fn sheet(events: &[TrailEvent], (from, to): (NaiveDate, NaiveDate)) -> Sheet {
    let named = |person: &Option<Person>| Cell::from(person.as_ref().map(|person| person.name.clone().unwrap_or_default()));
    let line = |event: &TrailEvent| {
        let facts: Vec<String> = event.facts.iter().map(|fact| format!("{} {}", fact.name, fact.value).trim().to_owned()).collect();
        vec![
            Cell::from(event.number),
            Cell::from(event.at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
            Cell::from(event.by.as_ref().map(|by| by.id)),
            named(&event.by),
            Cell::from(event.action.as_str()),
            Cell::from(event.text.as_str()),
            Cell::from(event.subject.kind.as_str()),
            Cell::from(event.subject.id),
            Cell::from(event.subject.name.clone()),
            Cell::from(event.member.as_ref().map(|member| member.id)),
            named(&event.member),
            Cell::from(facts.join("; ")),
        ]
    };
    const COLUMNS: &[&str] =
        &["number", "at", "by_id", "by", "action", "text", "subject_kind", "subject_id", "subject", "member_id", "member", "facts"];
    Sheet::of_days("events", (from, to), COLUMNS, events.iter().map(line).collect())
}
