//! Planning over HTTP: drafts published, days copied, days closed.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Schedule;
use super::dry_run::{BulkOrPreview, DryRun, bulk};
use crate::app::App;
use crate::extract::{Body, Cursor, Limit, PAGE_MAX, Path, Query, Within, page, storable};
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::schedule::publish::Publish;
use crate::schedule::rules::LocalDate;
use crate::schedule::{SessionView, store};
use crate::sign_in::Caller;
use crate::studios;
use crate::studios::guard::require_admin;
use crate::text::Note;
use crate::transactor::Command;
use crate::wrong::Wrong;

/// The most days in one call.
const DAYS_MAX: u64 = 62;

/// Some local dates.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PublishDaysBody)]
pub struct DaysBody {
    /// The first …
    from: LocalDate,
    /// … and the first that is not meant, at most 62 days later.
    to: LocalDate,
}

/// The dates `[from, to)` of one call.
pub fn days(from: LocalDate, to: LocalDate) -> Answer<(NaiveDate, NaiveDate)> {
    let last = from.0.checked_add_days(Days::new(DAYS_MAX)).unwrap_or(NaiveDate::MAX);
    if to <= from {
        return Err(Problem::field("to", Wrong::NotAfterFrom));
    }
    if to.0 > last { Err(Problem::field("to", Wrong::TooFarFromFrom { days: DAYS_MAX })) } else { Ok((from.0, to.0)) }
}

/// Publishes the drafts of some days: members see them and book. Those whose instructor teaches here no more are left out and named.
/// Admins; the instructors are told.
#[utoipa::path(
    put, path = "/v1/studios/{id}/publication", operation_id = "publish_days",
    params(("id" = Uuid, Path), DryRun), request_body = DaysBody,
    responses((status = 200, body = BulkOrPreview)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, TooManyRequests])))
)]
pub async fn publish(
    State(app): State<App>,
    caller: Caller,
    Path(studio_id): Path<Uuid>,
    Query(how): Query<DryRun>,
    Body(body): Body<DaysBody>,
) -> Answer<Json<BulkOrPreview>> {
    require_admin(&app, &caller, studio_id).await?;
    let (from, to) = days(body.from, body.to)?;
    bulk(&app, &caller, Command::Publish(Publish::Days { studio_id, from, to }), &how).await
}

/// The studio's sessions that are not over and whose instructor teaches here no more: drafts, and those in which members have places.
/// An admin names somebody else, or cancels. Admins.
#[utoipa::path(
    get, path = "/v1/studios/{id}/unstaffed-sessions", operation_id = "list_unstaffed_sessions",
    params(("id" = Uuid, Path), SessionPaging),
    responses((status = 200, body = Schedule<'static>)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn unstaffed(
    State(app): State<App>,
    caller: Caller,
    Path(studio_id): Path<Uuid>,
    Query(paging): Query<SessionPaging>,
) -> Answer<Response> {
    require_admin(&app, &caller, studio_id).await?;
    let (now, limit) = (app.clock.now(), paging.limit.unwrap_or(Limit(PAGE_MAX)));
    let after = paging.after.map(|Cursor((at, id))| (storable(at), id));
    let (found, next) = page(store::unstaffed(&app.db, studio_id, now, after, limit.0 + 1).await?, limit, |one| (one.starts_at, one.id));
    let sessions = found.iter().map(|one| SessionView::of(one, &one.names, caller.language, now, None)).collect();
    Ok(Json(Schedule { sessions, next }).into_response())
}

/// Which page of some sessions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SessionPaging {
    /// The most sessions, 1 to 200; without it 200.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<(DateTime<Utc>, Uuid)>>,
}

/// Which days are copied to which.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CopyDaysBody)]
pub struct CopyBody {
    /// The first day that is copied.
    from: LocalDate,
    /// The day that it is copied to.
    to: LocalDate,
    /// How many days; without it a week.
    #[serde(default)]
    days: Option<Within<1, 62>>,
}

/// Copies the sessions of a week, or of as many days as are named, as drafts, at the same wall times. What stands in the way of one leaves
/// it out and is named. Admins.
#[utoipa::path(
    post, path = "/v1/studios/{id}/copies", operation_id = "copy_days",
    params(("id" = Uuid, Path), DryRun), request_body = CopyBody,
    responses((status = 200, body = BulkOrPreview)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, TooManyRequests])))
)]
pub async fn copy(
    State(app): State<App>,
    caller: Caller,
    Path(studio_id): Path<Uuid>,
    Query(how): Query<DryRun>,
    Body(body): Body<CopyBody>,
) -> Answer<Json<BulkOrPreview>> {
    require_admin(&app, &caller, studio_id).await?;
    let days = u64::try_from(body.days.map_or(7, |days| days.0)).unwrap_or(7);
    if (body.to.0 - body.from.0).num_days().unsigned_abs() < days {
        return Err(Problem::field("to", Wrong::CopyOverlaps));
    }
    bulk(&app, &caller, Command::CopyDays { studio_id, from: body.from.0, days, to: body.to.0 }, &how).await
}

/// Days on which the studio is closed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CloseDaysBody)]
pub struct ClosingBody {
    /// The first …
    from: LocalDate,
    /// … and the first on which it is open again, at most 62 days later.
    to: LocalDate,
    /// Why: everybody whose session is cancelled reads it.
    #[serde(default)]
    note: Option<Note>,
}

/// Closes the studio on some days: their sessions are cancelled and refunded in one act, and series make none there. Admins.
#[utoipa::path(
    post, path = "/v1/studios/{id}/closing-days", operation_id = "close_days",
    params(("id" = Uuid, Path), DryRun), request_body = ClosingBody,
    responses((status = 200, body = BulkOrPreview)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, TooManyRequests])))
)]
pub async fn close(
    State(app): State<App>,
    caller: Caller,
    Path(studio_id): Path<Uuid>,
    Query(how): Query<DryRun>,
    Body(body): Body<ClosingBody>,
) -> Answer<Json<BulkOrPreview>> {
    require_admin(&app, &caller, studio_id).await?;
    let (from, to) = days(body.from, body.to)?;
    bulk(&app, &caller, Command::CloseDays { studio_id, from, to, note: body.note.map(Note::into_string) }, &how).await
}

/// Opens the studio again on a day; what was cancelled stays cancelled. Admins.
#[utoipa::path(
    delete, path = "/v1/studios/{id}/closing-days/{date}", operation_id = "open_day",
    params(("id" = Uuid, Path), ("date" = String, Path)),
    responses((status = 204)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, TooManyRequests])))
)]
pub async fn open(State(app): State<App>, caller: Caller, Path((studio_id, date)): Path<(Uuid, LocalDate)>) -> Answer<StatusCode> {
    require_admin(&app, &caller, studio_id).await?;
    app.transactor.submit(caller.actor(), Command::OpenDay { studio_id, date: date.0 }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The days to come on which the studio is closed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClosingDays {
    /// In the order of time.
    pub closing_days: Vec<ClosingDay>,
}

/// A day on which the studio is closed.
#[derive(Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct ClosingDay {
    /// The local date.
    pub date: NaiveDate,
    pub note: Option<String>,
}

/// The days to come on which the studio is closed. Anyone.
#[utoipa::path(
    get, path = "/v1/studios/{id}/closing-days", operation_id = "list_closing_days",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = ClosingDays))
)]
pub async fn closing_days(State(app): State<App>, Path(studio_id): Path<Uuid>) -> Answer<Json<ClosingDays>> {
    let (zone, _) = studios::store::setting(&app.db, studio_id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    let today = crate::zones::local_date(app.clock.now(), zone.tz());
    Ok(Json(ClosingDays { closing_days: store::closing_days_to_come(&app.db, studio_id, today).await? }))
}
