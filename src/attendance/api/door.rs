//! `GET /v1/studios/{id}/door`: what a device at the door needs for today, so that it can go on when the network does not.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::check_ins::SessionBrief;
use crate::app::App;
use crate::attendance::kiosk::AtDoor;
use crate::attendance::rules::door::DoorTimes;
use crate::attendance::{code, store};
use crate::booking::BookingStatus;
use crate::booking::rules::day;
use crate::etag::Encoded;
use crate::extract::Path;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::schedule::{self, Session};
use crate::search::sort_key;
use crate::studios;
use crate::zones::local_date;

/// Who is expected at a studio today.
#[derive(Debug, Serialize, ToSchema)]
pub struct DoorList {
    studio_id: Uuid,
    /// Today, on the studio's calendar.
    date: NaiveDate,
    /// In the order of time: today's classes, one that has run since yesterday, and one after midnight for which the door opens before.
    sessions: Vec<DoorSession>,
}

/// A class of today.
#[derive(Debug, Serialize, ToSchema)]
pub struct DoorSession {
    #[serde(flatten)]
    session: SessionBrief,
    /// From then on codes check in.
    #[serde(with = "crate::instant")]
    opens_at: DateTime<Utc>,
    /// The last instant at which nobody is late …
    #[serde(with = "crate::instant")]
    closes_at: DateTime<Utc>,
    /// … and that for somebody's first visit.
    #[serde(with = "crate::instant")]
    first_visit_closes_at: DateTime<Utc>,
    /// Sorted by name.
    bookings: Vec<DoorBooking>,
}

/// Somebody who is expected, or waits.
#[derive(Debug, Serialize, ToSchema)]
pub struct DoorBooking {
    id: Uuid,
    /// The member's, as the studio wrote it down; a guest's, as the member did who brings them.
    name: String,
    status: BookingStatus,
    first_visit: bool,
    #[serde(with = "crate::instant")]
    arrived_at: Option<DateTime<Utc>>,
    /// A code is this booking's if the first 12 bytes of its SHA-256 are one of these, in base 64 for URLs.
    code_hashes: Vec<String>,
}

/// All that a device at the door needs for today: who is expected, from when to when their codes count, and by what it knows a code without
/// asking. It cannot make a code of it. It answers `ETag` and honours `If-None-Match`. Instructors get what they teach themselves.
#[utoipa::path(
    get, path = "/v1/studios/{id}/door", operation_id = "show_door",
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = DoorList, headers(("ETag" = String))),
        (status = 304, description = "As `If-None-Match` knows it"),
    ),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn show(State(app): State<App>, door: AtDoor, Path(studio_id): Path<Uuid>, headers: HeaderMap) -> Answer<Response> {
    door.require(&app, studio_id).await?;
    let now = app.clock.now();
    let mut tx = app.db.read().await?;
    let studio = studios::store::contexts(&mut tx, &[studio_id]).await?.pop().ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    let date = local_date(now, studio.zone);
    let (begins, ends) = day(date, studio.zone);
    let dates = (date.pred_opt().unwrap_or(date), date.succ_opt().unwrap_or(date));
    // No door opens earlier than a day before.
    let ids = store::sessions_between(&mut tx, studio_id, dates, (begins, ends + Duration::days(1))).await?;
    let mut sessions = schedule::store::among(&mut tx, &ids.into_iter().map(|(id,)| id).collect::<Vec<_>>()).await?;
    let times = |session: &Session, first_visit| DoorTimes::of(session.starts_at, &studio.rules_of(session.class_type_id), first_visit);
    sessions.retain(|session| session.starts_at < ends || times(session, false).opens_at < ends);
    if let AtDoor::Person(caller) = &door {
        sessions.retain(|session| caller.roles.is_staff_of_session(studio_id, session.instructor_id == caller.person_id));
    }
    sessions.sort_by_key(|session| (session.starts_at, session.id));
    let mut bookings = store::expected(&mut tx, &sessions.iter().map(|session| session.id).collect::<Vec<_>>()).await?;
    let mut people: Vec<Uuid> = bookings.iter().map(|booking| booking.person_id).collect();
    people.sort_unstable();
    people.dedup();
    let first: HashMap<Uuid, DateTime<Utc>> = store::first_visits(&mut tx, studio_id, &people).await?.into_iter().collect();
    tx.rollback().await;
    bookings.sort_by_cached_key(|booking| (sort_key(&booking.name), booking.booking_id));
    let mut by_session: HashMap<Uuid, Vec<store::NamedBooking>> = HashMap::new();
    for booking in bookings {
        by_session.entry(booking.session_id).or_default().push(booking);
    }
    let sessions = sessions.iter().map(|session| {
        let in_time = times(session, false);
        let bookings = by_session.remove(&session.id).unwrap_or_default().into_iter().map(|booking| DoorBooking {
            id: booking.booking_id,
            status: booking.status,
            first_visit: booking.guest_of.is_some() || first.get(&booking.person_id).is_none_or(|first| *first >= session.starts_at),
            arrived_at: booking.arrived_at,
            code_hashes: code::hashes(&app.keys, booking.booking_id),
            name: booking.name,
        });
        DoorSession {
            session: SessionBrief::of(session, door.language()),
            opens_at: in_time.opens_at,
            closes_at: in_time.closes_at,
            first_visit_closes_at: times(session, true).closes_at,
            bookings: bookings.collect(),
        }
    });
    let list = DoorList { studio_id, date, sessions: sessions.collect() };
    Ok(Encoded::of(&list)?.answer(&headers, false))
}
