//! Substitutes over HTTP: what an instructor teaches and when, and requests for somebody who teaches instead.

use std::collections::{BTreeSet, HashMap};

use axum::Json;
use axum::extract::State as AppState;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::commands::AskSubstitute;
use super::{Candidate, Exception, Hours, RequestState, SubstituteRequest, rules, store};
use crate::app::App;
use crate::events::{self, Event, Happened, Subject};
use crate::extract::{Body, Limit, PAGE_MAX, Path, Query, page};
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::schedule::api::dry_run::{DryRun, OrPreview, preview};
use crate::schedule::api::planning::days;
use crate::schedule::rules::LocalDate;
use crate::schedule::{Session, SessionView, store as sessions};
use crate::sign_in::Caller;
use crate::studios::guard::require_scheduler;
use crate::text::Note;
use crate::transactor::{Command, Outcome};
use crate::wrong::Wrong;

/// Class types that an instructor may name.
const TEACHES_MAX: usize = 200;

/// What an instructor teaches in a studio, and when they could stand in for another.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Availability {
    /// Class types of the studio.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub teaches: Vec<Uuid>,
    /// Hours of every week, by the studio's clock.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub weekly: Vec<Hours>,
    /// Dates on which it is otherwise; of two that speak of one minute the later in the list counts.
    #[serde(default)]
    #[schema(max_items = 400)]
    pub exceptions: Vec<Exception>,
}

/// What the caller teaches here, and when they are available. Instructors of the studio.
#[utoipa::path(
    get, path = "/v1/studios/{id}/availability/me", operation_id = "show_availability",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Availability)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn availability(AppState(app): AppState<App>, caller: Caller, Path(studio_id): Path<Uuid>) -> Answer<Json<Availability>> {
    must_teach(&app, &caller, studio_id).await?;
    let Candidate { teaches, weekly, exceptions, .. } = store::stated(&app.db, studio_id, caller.person_id).await?;
    Ok(Json(Availability { teaches, weekly, exceptions }))
}

/// States what the caller teaches here, and when they are available. Instructors of the studio.
#[utoipa::path(
    put, path = "/v1/studios/{id}/availability/me", operation_id = "state_availability",
    params(("id" = Uuid, Path)), request_body = Availability,
    responses((status = 200, body = Availability)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn state_availability(
    AppState(app): AppState<App>,
    caller: Caller,
    Path(studio_id): Path<Uuid>,
    Body(stated): Body<Availability>,
) -> Answer<Json<Availability>> {
    must_teach(&app, &caller, studio_id).await?;
    rules::check(&stated.weekly, &stated.exceptions).map_err(|(field, wrong)| Problem::field(field, wrong))?;
    let teaches: Vec<Uuid> = stated.teaches.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    if teaches.len() > TEACHES_MAX {
        return Err(Problem::field("teaches", Wrong::TooMany { max: TEACHES_MAX }));
    }
    let (now, actor) = (app.clock.now(), caller.actor());
    let candidate = Candidate { person_id: caller.person_id, teaches, weekly: stated.weekly, exceptions: stated.exceptions };
    let row = candidate.clone();
    app.db
        .write("state_availability", move |tx| {
            Box::pin(async move {
                if !store::state(tx, studio_id, &row, now).await? {
                    return Err(Problem::field("teaches", Wrong::NotClassTypes));
                }
                events::log::write(
                    tx,
                    now,
                    vec![actor.did(Event::in_studio(studio_id, Subject::Person, row.person_id, Happened::AvailabilityStated))],
                )
                .await?;
                Ok::<_, Problem>(())
            })
        })
        .await?;
    let Candidate { teaches, weekly, exceptions, .. } = candidate;
    Ok(Json(Availability { teaches, weekly, exceptions }))
}

async fn must_teach(app: &App, caller: &Caller, studio_id: Uuid) -> Answer<()> {
    crate::studios::store::setting(&app.db, studio_id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    if caller.roles.is_instructor(studio_id) { Ok(()) } else { Err(Problem::new(ProblemType::NotAllowed)) }
}

/// For what a substitute is asked: one session, or all of the caller's own on some dates.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AskForSubstituteBody)]
pub struct AskBody {
    /// One session; an admin may ask for any.
    #[serde(default)]
    session_id: Option<Uuid>,
    /// Or the first date …
    #[serde(default)]
    from: Option<LocalDate>,
    /// … and the first that is not meant, at most 62 days later.
    #[serde(default)]
    to: Option<LocalDate>,
    /// What those who are asked read.
    #[serde(default)]
    note: Option<Note>,
}

impl AskBody {
    /// What is asked of the transactor.
    pub fn into_command(self, studio_id: Uuid) -> Answer<Command> {
        let dates = match (self.session_id, self.from, self.to) {
            (Some(_), None, None) => None,
            (None, Some(from), Some(to)) => Some(days(from, to)?),
            _ => return Err(Problem::field("session_id", Wrong::SessionOrDates)),
        };
        let note = self.note.map(Note::into_string);
        Ok(Command::AskSubstitute(AskSubstitute { studio_id, session_id: self.session_id, dates, note }))
    }
}

/// Asks for substitutes: whoever teaches that, stated to be available and is free in all studios is told, and the first who claims a
/// session has it. The instructor of the session, and admins.
#[utoipa::path(
    post, path = "/v1/studios/{id}/substitute-requests", operation_id = "ask_for_substitute",
    params(("id" = Uuid, Path), DryRun), request_body = AskBody,
    responses(
        (status = 201, description = "Whoever could stand in is asked.", body = RequestsOrPreview),
        (status = 200, description = "With `dry_run`: what would come of it.", body = RequestsOrPreview),
    ),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, SubstituteAsked, SessionStarted, SessionCancelled, TooManyRequests])))
)]
pub async fn ask(
    AppState(app): AppState<App>,
    caller: Caller,
    Path(studio_id): Path<Uuid>,
    Query(how): Query<DryRun>,
    Body(body): Body<AskBody>,
) -> Answer<Response> {
    require_scheduler(&app, &caller, studio_id).await?;
    let what = body.into_command(studio_id)?;
    if how.dry_run {
        return Ok(Json(preview::<Requests>(&app, &caller, what).await?).into_response());
    }
    let requests = asked(&app, &caller, what).await?;
    Ok((StatusCode::CREATED, Json(OrPreview::Done(requests))).into_response())
}

/// Requests that were made, or what would come of it.
pub type RequestsOrPreview = OrPreview<Requests>;
/// A request that was decided, or what would come of it.
pub type RequestOrPreview = OrPreview<RequestView>;

/// A request for a substitute.
#[derive(Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
#[schema(as = SubstituteRequestView)]
pub struct RequestView {
    pub id: Uuid,
    pub state: RequestState,
    #[schema(value_type = SessionView<'static>)]
    pub session: serde_json::Value,
    pub asked_by: Uuid,
    pub note: Option<String>,
    pub claimed_by: Option<Uuid>,
    #[serde(with = "crate::instant")]
    pub claimed_at: Option<DateTime<Utc>>,
    #[serde(with = "crate::instant")]
    pub created_at: DateTime<Utc>,
    #[serde(with = "crate::instant")]
    pub ended_at: Option<DateTime<Utc>>,
}

/// Requests for substitutes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SubstituteRequests)]
pub struct Requests {
    pub requests: Vec<RequestView>,
    /// What to send as `after` for more; null at the end.
    next: Option<String>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Only those in this state.
    pub state: Option<RequestState>,
    /// The most requests, 1 to 200; without it 200.
    #[param(inline)]
    pub limit: Option<Limit>,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    pub after: Option<crate::extract::Cursor<Uuid>>,
}

/// The studio's requests, the latest first. Staff.
#[utoipa::path(
    get, path = "/v1/studios/{id}/substitute-requests", operation_id = "list_substitute_requests",
    params(("id" = Uuid, Path), Which),
    responses((status = 200, body = Requests)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn list(
    AppState(app): AppState<App>,
    caller: Caller,
    Path(studio_id): Path<Uuid>,
    Query(which): Query<Which>,
) -> Answer<Json<Requests>> {
    crate::studios::store::setting(&app.db, studio_id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    if !caller.roles.is_staff(studio_id) {
        return Err(Problem::new(ProblemType::NotAllowed));
    }
    let limit = which.limit.unwrap_or(Limit(PAGE_MAX));
    let before = which.after.map(|cursor| cursor.0);
    let found = store::of_studio(&app.db, studio_id, which.state, before, limit.0 + 1).await?;
    let (found, next) = page(found, limit, |request| request.id);
    Ok(Json(Requests { requests: views(&app, &caller, found).await?, next }))
}

/// What the caller asked for or claimed that is not settled, and what they could claim, the soonest first.
#[utoipa::path(
    get, path = "/v1/me/substitute-requests", operation_id = "list_own_substitute_requests",
    responses((status = 200, body = Requests))
)]
pub async fn own(AppState(app): AppState<App>, caller: Caller) -> Answer<Json<Requests>> {
    let found = store::for_person(&app.db, caller.person_id, app.clock.now(), PAGE_MAX).await?;
    let sessions = sessions_of(&app, &found).await?;
    let mut stated: HashMap<Uuid, Candidate> = HashMap::new();
    let mut kept = Vec::new();
    for request in found {
        let own = request.asked_by == caller.person_id || request.claimed_by == Some(caller.person_id);
        if !own {
            let Some(session) = sessions.get(&request.session_id) else { continue };
            let candidate = match stated.entry(request.studio_id) {
                std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::hash_map::Entry::Vacant(new) => {
                    new.insert(store::stated(&app.db, request.studio_id, caller.person_id).await?)
                }
            };
            let zone = session.names.time_zone.tz();
            if !rules::could_stand_in(candidate, session.class_type_id, session.starts_at, session.ends_at, zone) {
                continue;
            }
        }
        kept.push(request);
    }
    Ok(Json(Requests { requests: views(&app, &caller, kept).await?, next: None }))
}

/// Claims a session: the first who could stand in has it, at once or when an admin approves. Repeated, it answers the same. There is no
/// `dry_run`: whose session it is not yet does not read who is in it.
#[utoipa::path(
    put, path = "/v1/substitute-requests/{id}/claim", operation_id = "claim_substitution",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = RequestView)),
    extensions(("x-problem-types" = json!(refuses![
        NotAllowed, AlreadyClaimed, NotEligible, RequestEnded, SessionStarted, SessionCancelled, TooManyRequests
    ])))
)]
pub async fn claim(AppState(app): AppState<App>, caller: Caller, Path(request_id): Path<Uuid>) -> Answer<Json<RequestView>> {
    answer(&app, &caller, Command::ClaimSubstitute { request_id }).await
}

/// Thinks better of a claim that no admin has approved yet.
#[utoipa::path(
    delete, path = "/v1/substitute-requests/{id}/claim", operation_id = "unclaim_substitution",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = RequestView)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, NothingClaimed, RequestEnded, TooManyRequests])))
)]
pub async fn unclaim(AppState(app): AppState<App>, caller: Caller, Path(request_id): Path<Uuid>) -> Answer<Json<RequestView>> {
    answer(&app, &caller, Command::UnclaimSubstitute { request_id }).await
}

/// What an admin decides upon a claim.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalBody {
    /// False: the request is open again.
    approved: bool,
}

/// Decides upon a claim. Admins.
#[utoipa::path(
    put, path = "/v1/substitute-requests/{id}/approval", operation_id = "approve_substitution",
    params(("id" = Uuid, Path), DryRun), request_body = ApprovalBody,
    responses((status = 200, body = RequestOrPreview)),
    extensions(("x-problem-types" = json!(refuses![
        NotAllowed, NothingClaimed, NotEligible, RequestEnded, SessionStarted, SessionCancelled, MembersOverlap, InstructorBusy,
        TooManyRequests
    ])))
)]
pub async fn approve(
    AppState(app): AppState<App>,
    caller: Caller,
    Path(request_id): Path<Uuid>,
    Query(how): Query<DryRun>,
    Body(body): Body<ApprovalBody>,
) -> Answer<Json<RequestOrPreview>> {
    answer_or_preview(&app, &caller, Command::ApproveSubstitute { request_id, approved: body.approved }, &how).await
}

/// Nobody is needed any more. Whoever asked, and admins.
#[utoipa::path(
    put, path = "/v1/substitute-requests/{id}/withdrawal", operation_id = "withdraw_substitute_request",
    params(("id" = Uuid, Path), DryRun),
    responses((status = 200, body = RequestOrPreview)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, RequestEnded, TooManyRequests])))
)]
pub async fn withdraw(
    AppState(app): AppState<App>,
    caller: Caller,
    Path(request_id): Path<Uuid>,
    Query(how): Query<DryRun>,
) -> Answer<Json<RequestOrPreview>> {
    answer_or_preview(&app, &caller, Command::WithdrawSubstitute { request_id }, &how).await
}

async fn answer_or_preview(app: &App, caller: &Caller, what: Command, how: &DryRun) -> Answer<Json<RequestOrPreview>> {
    if how.dry_run {
        return preview(app, caller, what).await.map(Json);
    }
    answer(app, caller, what).await.map(|Json(request)| Json(OrPreview::Done(request)))
}

async fn answer(app: &App, caller: &Caller, what: Command) -> Answer<Json<RequestView>> {
    let nothing = || Problem::new(ProblemType::NotFound);
    asked(app, caller, what).await?.requests.into_iter().next().map(Json).ok_or_else(nothing)
}

async fn asked(app: &App, caller: &Caller, what: Command) -> Answer<Requests> {
    let Outcome::Ids(ids) = app.transactor.submit(caller.actor(), what).await? else { return Err(Problem::new(ProblemType::NotFound)) };
    let mut tx = app.db.read().await?;
    let mut found = store::by_id(&mut tx, &ids).await?;
    tx.rollback().await;
    found.sort_by_key(|request| request.id);
    Ok(Requests { requests: views(app, caller, found).await?, next: None })
}

async fn sessions_of(app: &App, requests: &[SubstituteRequest]) -> Answer<HashMap<Uuid, Session>> {
    let ids: BTreeSet<Uuid> = requests.iter().map(|request| request.session_id).collect();
    let mut tx = app.db.read().await?;
    let found = sessions::among(&mut tx, &ids.into_iter().collect::<Vec<_>>()).await?;
    tx.rollback().await;
    Ok(found.into_iter().map(|session| (session.id, session)).collect())
}

async fn views(app: &App, caller: &Caller, requests: Vec<SubstituteRequest>) -> Answer<Vec<RequestView>> {
    let (sessions, now) = (sessions_of(app, &requests).await?, app.clock.now());
    let views = requests.into_iter().filter_map(|request| {
        let session = sessions.get(&request.session_id)?;
        let view = SessionView::of(session, &session.names, caller.language, now, None);
        Some(RequestView {
            id: request.id,
            state: request.state,
            session: serde_json::to_value(view).ok()?,
            asked_by: request.asked_by,
            note: request.note,
            claimed_by: request.claimed_by,
            claimed_at: request.claimed_at,
            created_at: request.created_at,
            ended_at: request.ended_at,
        })
    });
    Ok(views.collect())
}
