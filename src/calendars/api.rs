//! Calendar addresses over HTTP: their owner makes, lists and revokes them; whoever knows the secret reads one.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::rules::{self, EVENTS_MAX, Frame, Window};
use super::{Feed, FeedKind, Subscribed, store};
use crate::app::App;
use crate::etag::Encoded;
use crate::events::{self, Event, Happened, Subject};
use crate::extract::{Body, Path};
use crate::ids::new_id;
use crate::people;
use crate::problem::{self, Answer, Problem, refuses};
use crate::sign_in::Caller;
use crate::sign_in::limits::Limit;
use crate::sign_in::secrets;
use crate::studios;
use crate::wrong::Wrong;

/// The most feeds that a person can have at a time: some for each of their calendars.
const FEEDS_MAX: i64 = 20;
/// Revoked ones that are remembered, for the person's export.
const REVOKED_MAX: i64 = 100;
/// Bytes of a secret: 192 bits, which in base 64 need no padding and so have one spelling.
const SECRET_BYTES: usize = 24;
/// How long a calendar may cache what it read: even the most eager ones do not ask more often.
const CACHED: &str = "private, max-age=300";

fn nothing() -> Problem {
    Problem::new(problem::ProblemType::NotFound)
}

/// What a new calendar address shows.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCalendarFeed)]
pub struct NewCalendar {
    /// What it shows.
    kind: FeedKind,
    /// Whose schedule: needed for `studio`, and only for it.
    studio_id: Option<Uuid>,
}

/// A calendar address that was just made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MadeCalendarFeed)]
pub struct MadeCalendar {
    #[serde(flatten)]
    feed: Feed,
    /// Where a calendar subscribes. Whoever knows it reads the calendar; it is shown this once.
    url: String,
}

/// Makes a private address from which a calendar reads one's bookings, what one teaches, or a studio's published schedule. At most 20 at
/// a time.
#[utoipa::path(
    post, path = "/v1/me/calendars", operation_id = "make_calendar",
    request_body = NewCalendar,
    responses((status = 201, body = MadeCalendar)),
    extensions(("x-problem-types" = json!(refuses![AddressNotVerified, NotAllowed, TooManyCalendars, TooManyRequests])))
)]
pub async fn make(State(app): State<App>, caller: Caller, Body(new): Body<NewCalendar>) -> Answer<(StatusCode, Json<MadeCalendar>)> {
    caller.require_verified()?;
    may_have(&app, &caller, &new).await?;
    app.limits.take(Limit::CalendarsMade, caller.person_id)?;
    let (now, actor, person_id) = (app.clock.now(), caller.actor(), caller.person_id);
    let secret = secrets::random::<SECRET_BYTES>()?;
    let feed = Feed { id: new_id(now), kind: new.kind, studio_id: new.studio_id, created_at: now, last_read_at: None };
    let row = feed.clone();
    app.db
        .write("make_calendar", move |tx| {
            Box::pin(async move {
                if !people::store::lock(tx, person_id).await? {
                    return Err(Problem::new(problem::ProblemType::TokenRefused));
                }
                if store::count(tx, person_id).await? >= FEEDS_MAX {
                    return Err(Problem::new(problem::ProblemType::TooManyCalendars).with("max", FEEDS_MAX));
                }
                store::forget_revoked(tx, person_id, REVOKED_MAX).await?;
                store::insert(tx, person_id, &row, secrets::hash(&secret)).await?;
                let what = Happened::CalendarMade { kind: row.kind };
                let entry = actor.did(Event { studio_id: row.studio_id, subject: Subject::Calendar, subject_id: Some(row.id), what });
                events::log::write(tx, now, vec![entry]).await?;
                Ok(())
            })
        })
        .await?;
    let url = format!("{}/calendars/{}.ics", app.settings.server.public_url, BASE64_URL_SAFE_NO_PAD.encode(secret));
    Ok((StatusCode::CREATED, Json(MadeCalendar { feed, url })))
}

/// Only instructors have a teaching feed. A studio is named for a studio's schedule and for nothing else, and must exist.
async fn may_have(app: &App, caller: &Caller, new: &NewCalendar) -> Answer<()> {
    match (new.kind, new.studio_id) {
        (FeedKind::Studio, None) => return Err(Problem::field("studio_id", Wrong::StudioNeeded)),
        (FeedKind::Studio, Some(id)) if studios::store::setting(&app.db, id).await?.is_none() => {
            return Err(Problem::field("studio_id", Wrong::NoStudio));
        }
        (FeedKind::Bookings | FeedKind::Teaching, Some(_)) => return Err(Problem::field("studio_id", Wrong::OnlyForStudio)),
        (FeedKind::Studio, Some(_)) | (FeedKind::Bookings | FeedKind::Teaching, None) => {}
    }
    let teaches = caller.roles.is_instructor_somewhere();
    if new.kind == FeedKind::Teaching && !teaches { Err(Problem::new(problem::ProblemType::NotAllowed)) } else { Ok(()) }
}

/// The caller's calendar addresses.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalendarFeeds)]
pub struct Calendars {
    /// Those that can be read, the oldest first; at most 20. The addresses themselves are not shown again.
    calendars: Vec<Feed>,
}

/// The caller's calendar addresses that can be read.
#[utoipa::path(
    get, path = "/v1/me/calendars", operation_id = "list_calendars",
    responses((status = 200, body = Calendars))
)]
pub async fn list(State(app): State<App>, caller: Caller) -> Answer<Json<Calendars>> {
    Ok(Json(Calendars { calendars: store::of_person(&app.db, caller.person_id).await? }))
}

/// Revokes one of the caller's calendar addresses: from now on nothing is there.
#[utoipa::path(
    delete, path = "/v1/me/calendars/{id}", operation_id = "revoke_calendar",
    params(("id" = Uuid, Path)),
    responses((status = 204, description = "It cannot be read any more"))
)]
pub async fn revoke(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Answer<StatusCode> {
    let (now, actor, person_id) = (app.clock.now(), caller.actor(), caller.person_id);
    app.db
        .write("revoke_calendar", move |tx| {
            Box::pin(async move {
                if !store::revoke(tx, now, person_id, id).await? {
                    return Err(nothing());
                }
                events::log::write(
                    tx,
                    now,
                    vec![actor.did(Event {
                        studio_id: None,
                        subject: Subject::Calendar,
                        subject_id: Some(id),
                        what: Happened::CalendarRevoked,
                    })],
                )
                .await?;
                Ok(())
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A calendar (RFC 5545), for whoever knows its address: classes from 31 days back to 366 days ahead, the first 2,000 of them, every time
/// in UTC. What was cancelled stays, as cancelled, until its day is over by the studio's clock. It answers `ETag` and honours
/// `If-None-Match`. `file` is the secret with `.ics` behind it.
#[utoipa::path(
    get, path = "/calendars/{file}", operation_id = "read_calendar",
    params(("file" = String, Path)),
    responses(
        (status = 200, body = String, content_type = "text/calendar", headers(("ETag" = String))),
        (status = 304, description = "As `If-None-Match` knows it"),
    ),
    extensions(("x-problem-types" = json!(refuses![TooManyRequests])))
)]
pub async fn read(State(app): State<App>, Path(file): Path<String>, headers: HeaderMap) -> Answer<Response> {
    let now = app.clock.now();
    let hash = file.strip_suffix(".ics").and_then(secret_hash).ok_or_else(nothing)?;
    let subscribed = store::by_secret(&app.db, hash).await?.ok_or_else(nothing)?;
    // By person: many addresses are no way round it.
    app.limits.take(Limit::Calendars, subscribed.person_id)?;
    let text = shown(&app, &subscribed, now).await?;
    note_reading(&app, &subscribed.feed, now).await;
    Ok(Encoded::of_text(text)?.answer_as(&headers, "text/calendar; charset=utf-8", CACHED))
}

fn secret_hash(text: &str) -> Option<Vec<u8>> {
    let secret = BASE64_URL_SAFE_NO_PAD.decode(text).ok().filter(|secret| secret.len() == SECRET_BYTES)?;
    Some(secrets::hash(&secret))
}

async fn shown(app: &App, subscribed: &Subscribed, now: DateTime<Utc>) -> Answer<String> {
    let window = Window::at(now);
    let frame = Frame {
        uids: app.post.uid_domains(&app.db, now).await?,
        public_url: &app.settings.server.public_url,
        language: subscribed.locale.or(subscribed.studio_locale),
        now,
    };
    let text = match (subscribed.feed.kind, subscribed.feed.studio_id.zip(subscribed.studio_zone)) {
        (FeedKind::Bookings, _) => rules::bookings(frame, &store::bookings(&app.db, subscribed.person_id, window, EVENTS_MAX).await?),
        (FeedKind::Teaching, _) => rules::teaching(frame, &store::teaching(&app.db, subscribed.person_id, window, EVENTS_MAX).await?),
        (FeedKind::Studio, Some((studio_id, zone))) => {
            let given = store::of_studio(&app.db, studio_id, window, window.dates(zone.tz()), EVENTS_MAX).await?;
            rules::schedule(frame, subscribed.studio_name.as_deref().unwrap_or_default(), zone.tz(), &given)
        }
        (FeedKind::Studio, None) => return Err(nothing()),
    };
    Ok(text)
}

/// Notes the reading at most once an hour. The calendar is served even if it cannot be noted.
async fn note_reading(app: &App, feed: &Feed, now: DateTime<Utc>) {
    let Some(before) = rules::to_be_noted(feed.last_read_at, now) else { return };
    let id = feed.id;
    let noted = app.db.write("note_calendar_reading", move |tx| Box::pin(store::note_reading(tx, id, now, before))).await;
    if let Err(error) = noted {
        tracing::warn!(%error, calendar = %id, "the reading of a calendar could not be noted");
    }
}
