//! Codes shown at the door over HTTP: one at a time, and what a device kept while it had no network.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, SubsecRound as _, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::attendance::check_in_by_code::{CheckInByCode, Shown};
use crate::attendance::kiosk::AtDoor;
use crate::attendance::{CheckIn, code, store};
use crate::extract::{Body, Path, storable};
use crate::language::Language;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::schedule::rules::LocalStart;
use crate::schedule::{self, Session};
use crate::studios;
use crate::transactor::{Command, Outcome};
use crate::wrong::Wrong;

/// The most codes of one replay.
const REPLAYED_MAX: usize = 200;

/// A code that is shown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ShownCode)]
pub struct ShownBody {
    /// As the member's booking carries it: `check_in_code`.
    code: String,
    /// When it was shown, if not now: believed within the last 12 hours.
    #[serde(default)]
    at: Option<DateTime<Utc>>,
}

/// A class, as a small device needs it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SessionAtDoor)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct SessionBrief {
    pub id: Uuid,
    /// What the class is called, in the reader's language.
    pub name: String,
    pub room: String,
    #[serde(with = "crate::instant")]
    pub starts_at: DateTime<Utc>,
    #[serde(with = "crate::instant")]
    pub ends_at: DateTime<Utc>,
    pub local_start: LocalStart,
    pub time_zone: &'static str,
}

impl SessionBrief {
    /// As this reader reads it, or the studio.
    pub fn of(session: &Session, language: Option<Language>) -> Self {
        let language = language.unwrap_or(session.names.studio_locale);
        Self {
            id: session.id,
            name: session.names.class_name.read(language).to_owned(),
            room: session.names.room_name.clone(),
            starts_at: session.starts_at,
            ends_at: session.ends_at,
            local_start: LocalStart::shown(session.local_date, session.local_minute),
            time_zone: session.names.time_zone.name(),
        }
    }
}

/// Somebody who came.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CheckIn)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct CheckInView {
    /// As the device chose it.
    pub id: Uuid,
    pub booking_id: Uuid,
    /// The member's, as the studio wrote it down; a guest's, as the member did who brings them.
    pub name: String,
    pub session: SessionBrief,
    /// Whether the member had never come to this studio before.
    pub first_visit: bool,
    #[serde(with = "crate::instant")]
    pub arrived_at: DateTime<Utc>,
    /// Whether they were checked in before this.
    pub already: bool,
}

/// Checks in the member whose code is shown. The device chooses the id; repeated, it answers the same and changes nothing. However often
/// and wherever a code is shown, it is one arrival. For staff of the session, and the studio's kiosks.
#[utoipa::path(
    put, path = "/v1/studios/{id}/check-ins/{check_in_id}", operation_id = "check_in_by_code",
    params(("id" = Uuid, Path), ("check_in_id" = Uuid, Path)), request_body = ShownBody,
    responses((status = 200, body = CheckInView)),
    extensions(("x-problem-types" = json!(refuses![
        NotAllowed, TooEarly, TooLate, NotHere, Waitlisted, CheckInIdReused, OverlappingBooking, SessionFull, TooManyRequests
    ])))
)]
pub async fn put(
    State(app): State<App>,
    door: AtDoor,
    Path((studio_id, id)): Path<(Uuid, Uuid)>,
    Body(body): Body<ShownBody>,
) -> Answer<Json<CheckInView>> {
    door.require(&app, studio_id).await?;
    let shown = read(&app, id, &body.code, body.at);
    let done = decided(&app, &door, studio_id, vec![shown]).await?.pop().ok_or_else(|| Problem::new(ProblemType::Fault))?;
    views(&app, &door, vec![done?]).await?.pop().map(Json).ok_or_else(|| Problem::new(ProblemType::NotFound))
}

/// A code that was shown while there was no network.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeptCode)]
pub struct KeptBody {
    /// Chosen by the device, a new one for each.
    id: Uuid,
    /// As the member's booking carries it: `check_in_code`.
    code: String,
    /// When it was shown: believed within the last 12 hours.
    at: DateTime<Utc>,
}

/// What a device kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeptCodes)]
pub struct ReplayBody {
    /// At most 200, in the order in which they were shown.
    #[schema(max_items = 200)]
    acts: Vec<KeptBody>,
}

/// What became of each.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReplayedCodes)]
pub struct Replayed {
    /// In the order in which they were sent.
    results: Vec<ReplayedOne>,
}

/// What became of one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReplayedCode)]
pub struct ReplayedOne {
    /// As the device chose it.
    id: Uuid,
    outcome: ReplayOutcome,
    /// Null: it was refused.
    check_in: Option<CheckInView>,
    /// Why it was refused, as the call for one code would say it; null: it was not. It need not be sent again.
    problem: Option<Refused>,
}

/// Whether somebody came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplayOutcome {
    /// They are checked in by it.
    Arrived,
    /// They were before.
    Already,
    /// They are not.
    Refused,
}

/// A refusal inside an answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(as = Problem, value_type = Object)]
pub struct Refused(Value);

/// Checks in whose codes a device kept while it had no network, several people's in one call. Each is judged by the instant at which it was
/// shown and answered for itself; sent again, all are answered the same and nothing changes. For staff of the sessions, and the studio's
/// kiosks.
#[utoipa::path(
    post, path = "/v1/studios/{id}/check-ins/replay", operation_id = "replay_check_ins",
    params(("id" = Uuid, Path)), request_body = ReplayBody,
    responses((status = 200, body = Replayed)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, TooManyRequests])))
)]
pub async fn replay(
    State(app): State<App>,
    door: AtDoor,
    Path(studio_id): Path<Uuid>,
    Body(body): Body<ReplayBody>,
) -> Answer<Json<Replayed>> {
    door.require(&app, studio_id).await?;
    if body.acts.len() > REPLAYED_MAX {
        return Err(Problem::field("acts", Wrong::TooMany { max: REPLAYED_MAX }));
    }
    let ids: Vec<Uuid> = body.acts.iter().map(|kept| kept.id).collect();
    let shown = body.acts.iter().map(|kept| read(&app, kept.id, &kept.code, Some(kept.at))).collect();
    let decided = decided(&app, &door, studio_id, shown).await?;
    let done = decided.iter().filter_map(|one| one.as_ref().ok().cloned()).collect();
    let mut views = views(&app, &door, done).await?.into_iter();
    let studio = studios::store::setting(&app.db, studio_id).await?.map(|(_, locale)| locale);
    let language = door.language().or(studio).unwrap_or(Language::En);
    let request_id = door.actor().request_id.unwrap_or_default();
    let results = ids.into_iter().zip(decided).map(|(id, one)| match one {
        Ok(CheckIn { already, .. }) => {
            let outcome = if already { ReplayOutcome::Already } else { ReplayOutcome::Arrived };
            ReplayedOne { id, outcome, check_in: views.next(), problem: None }
        }
        Err(problem) => {
            let problem = Some(Refused(problem.body(language, &request_id)));
            ReplayedOne { id, outcome: ReplayOutcome::Refused, check_in: None, problem }
        }
    });
    Ok(Json(Replayed { results: results.collect() }))
}

/// A code of somebody else's making, or of nobody's, is decided too: a device must not be stuck with it.
fn read(app: &App, id: Uuid, shown: &str, at: Option<DateTime<Utc>>) -> Shown {
    Shown { id, booking_id: code::read(&app.keys, shown), at: at.map(|at| storable(at.trunc_subsecs(6))) }
}

async fn decided(app: &App, door: &AtDoor, studio_id: Uuid, shown: Vec<Shown>) -> Answer<Vec<Answer<CheckIn>>> {
    let ask = CheckInByCode { studio_id, kiosk_id: door.kiosk_id(), shown };
    match app.transactor.submit(door.actor(), Command::CheckInByCode(ask)).await? {
        Outcome::CheckIns(answers) => Ok(answers),
        _ => Err(Problem::new(ProblemType::Fault)),
    }
}

/// One view for each check-in, in their order.
async fn views(app: &App, door: &AtDoor, done: Vec<CheckIn>) -> Answer<Vec<CheckInView>> {
    let bookings: Vec<Uuid> = done.iter().map(|one| one.booking_id).collect();
    let mut tx = app.db.read().await?;
    let named = store::named(&mut tx, &bookings).await?;
    let mut sessions: Vec<Uuid> = named.iter().map(|one| one.session_id).collect();
    sessions.sort_unstable();
    sessions.dedup();
    let sessions = schedule::store::among(&mut tx, &sessions).await?;
    tx.rollback().await;
    let named: HashMap<Uuid, store::NamedBooking> = named.into_iter().map(|one| (one.booking_id, one)).collect();
    let view = |one: CheckIn| {
        let named = named.get(&one.booking_id)?;
        let session = sessions.iter().find(|session| session.id == named.session_id)?;
        Some(CheckInView {
            id: one.id,
            booking_id: one.booking_id,
            name: named.name.clone(),
            session: SessionBrief::of(session, door.language()),
            first_visit: one.first_visit,
            arrived_at: one.arrived_at,
            already: one.already,
        })
    };
    let views: Option<Vec<CheckInView>> = done.into_iter().map(view).collect();
    views.ok_or_else(|| Problem::new(ProblemType::Fault))
}
