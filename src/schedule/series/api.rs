//! Series over HTTP.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::rules::COUNT_MAX;
use super::{ByHand, GapReason, Plan, store};
use crate::app::App;
use crate::extract::{Body, Paging, Path, Query, Within, page};
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::schedule::api::dry_run::{BulkOrPreview, DryRun, OrPreview, bulk, preview};
use crate::schedule::publish::Publish;
use crate::schedule::rules::LocalDate;
use crate::schedule::series::make::MakeSeries;
use crate::sign_in::Caller;
use crate::studios::api::Places;
use crate::studios::guard::require_scheduler;
use crate::studios::house_rules::WallTime;
use crate::transactor::Command;

/// The most exceptions that a view of a series lists, from today on.
const EXCEPTIONS_MAX: i64 = 500;

/// How many dates a series gives.
type Count = Within<1, COUNT_MAX>;

/// A series that was begun, or what would come of it.
pub type SeriesOrPreview = OrPreview<SeriesView>;

/// A series to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MakeSeriesBody)]
pub struct SeriesBody {
    class_type_id: Uuid,
    room_id: Uuid,
    instructor_id: Uuid,
    /// At most the room's, which it is if nothing is said.
    #[serde(default)]
    capacity: Option<Places>,
    /// From this date on, today or later.
    starts_on: LocalDate,
    /// The studio's wall time; where a change of the clocks skips it, a session begins with the first minute after.
    local_time: WallTime,
    /// RFC 5545, 3.3.10, in whole days: `FREQ` is `DAILY`, `WEEKLY`, `MONTHLY` or `YEARLY`, without `UNTIL`, `COUNT`, `BYHOUR`, `BYMINUTE` and
    /// `BYSECOND`.
    #[schema(example = "FREQ=WEEKLY;BYDAY=MO,WE", max_length = 200)]
    rule: String,
    /// The last date that it may give, at most 5 years after the first. Without it and `count` the series runs on.
    #[serde(default)]
    until: Option<LocalDate>,
    /// How many dates it gives, 1 to 1,000, those in `except` too.
    #[serde(default)]
    count: Option<Count>,
    /// Dates that it leaves out.
    #[serde(default)]
    #[schema(max_items = 400)]
    except: Vec<LocalDate>,
    /// Its sessions are drafts until it is published. An instructor who may only propose always makes drafts.
    #[serde(default)]
    draft: bool,
}

impl SeriesBody {
    /// What is asked of the transactor.
    pub fn into_command(self, studio_id: Uuid) -> MakeSeries {
        MakeSeries {
            studio_id,
            class_type_id: self.class_type_id,
            room_id: self.room_id,
            instructor_id: self.instructor_id,
            capacity: self.capacity.map(|places| places.0),
            starts_on: self.starts_on.0,
            local_minute: self.local_time.minute(),
            rule: self.rule,
            until: self.until.map(|date| date.0),
            count: self.count.map(|count| count.0),
            except: self.except.into_iter().map(|date| date.0).collect(),
            draft: self.draft,
        }
    }
}

/// Begins a series: admins any, instructors their own if the house rules let them. Its sessions are made eight weeks ahead, or as far as
/// booking opens; what stands in the way of one of the first refuses it all, what comes there later leaves a gap.
#[utoipa::path(
    post, path = "/v1/studios/{id}/series", operation_id = "make_series",
    params(("id" = Uuid, Path), DryRun), request_body = SeriesBody,
    responses(
        (status = 201, description = "It was begun.", body = SeriesOrPreview),
        (status = 200, description = "With `dry_run`: what would come of it.", body = SeriesOrPreview),
    ),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, InstructorBusy, RoomBusy, TooManyRequests])))
)]
pub async fn make(
    State(app): State<App>,
    caller: Caller,
    Path(studio_id): Path<Uuid>,
    Query(how): Query<DryRun>,
    Body(body): Body<SeriesBody>,
) -> Answer<Response> {
    require_scheduler(&app, &caller, studio_id).await?;
    let what = body.into_command(studio_id);
    if how.dry_run {
        return Ok(Json(preview::<SeriesView>(&app, &caller, Command::MakeSeries(what)).await?).into_response());
    }
    let id = app.transactor.submit_for_id(caller.actor(), Command::MakeSeries(what)).await?;
    let series = view(&app, id).await?;
    Ok((StatusCode::CREATED, Json(OrPreview::Done(series))).into_response())
}

/// A series: its rule, what holds from which date on, and where a date is not as the rule would have it.
#[derive(Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct SeriesView {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub rule: String,
    pub starts_on: NaiveDate,
    /// Its last date; null: it runs on.
    pub until: Option<NaiveDate>,
    pub count: Option<i64>,
    pub except: Vec<NaiveDate>,
    pub draft: bool,
    /// The first date of which no session is made yet; null: there is none.
    pub made_before: Option<NaiveDate>,
    pub parts: Vec<PartView>,
    pub exceptions: Vec<ExceptionView>,
    pub version: i64,
}

/// What holds from a date on.
#[derive(Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
#[schema(as = SeriesPart)]
pub struct PartView {
    pub from: NaiveDate,
    pub class_type_id: Uuid,
    pub room_id: Uuid,
    pub instructor_id: Uuid,
    /// Null: the room's.
    pub capacity: Option<i64>,
    #[schema(value_type = String, example = "18:30")]
    pub local_time: WallTime,
    /// How many days after the date that the rule gives it is held.
    pub shift_days: i64,
}

/// A date, today or later, that is not as the rule would have it.
#[derive(Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
#[schema(as = SeriesException)]
pub struct ExceptionView {
    /// The date that the rule gives.
    pub date: NaiveDate,
    /// Null: no session could be made.
    pub session_id: Option<Uuid>,
    pub cancelled: bool,
    /// What was changed by hand: edits of the series leave it alone.
    pub by_hand: Vec<ByHand>,
    /// Why there is no session.
    pub gap: Option<GapReason>,
    /// Which session stands in its way.
    pub other_session_id: Option<Uuid>,
}

/// A page of series.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeriesPage {
    /// The oldest first, without exceptions.
    series: Vec<SeriesView>,
    /// What to send as `after` for more; null at the end.
    next: Option<String>,
}

/// The studio's series. Staff.
#[utoipa::path(
    get, path = "/v1/studios/{id}/series", operation_id = "list_series",
    params(("id" = Uuid, Path), Paging),
    responses((status = 200, body = SeriesPage)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(studio_id): Path<Uuid>,
    Query(paging): Query<Paging>,
) -> Answer<Json<SeriesPage>> {
    must_staff(&app, &caller, studio_id).await?;
    let (limit, after) = paging.read();
    let (found, next) = page(store::of_studio(&app.db, studio_id, after, limit.0 + 1).await?, limit, |plan| plan.series.id);
    Ok(Json(SeriesPage { series: found.into_iter().map(|plan| SeriesView::of(plan, Vec::new())).collect(), next }))
}

/// One series with its exceptions. Staff.
#[utoipa::path(
    get, path = "/v1/series/{id}", operation_id = "show_series",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = SeriesView))
)]
pub async fn one(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Answer<Json<SeriesView>> {
    let series = view(&app, id).await?;
    if !caller.roles.is_staff(series.studio_id) {
        return Err(Problem::new(ProblemType::NotFound));
    }
    Ok(Json(series))
}

/// Publishes a series that was proposed: its drafts become part of the schedule, and so does what it makes from now on. Admins.
#[utoipa::path(
    put, path = "/v1/series/{id}/publication", operation_id = "publish_series",
    params(("id" = Uuid, Path), DryRun),
    responses((status = 200, body = BulkOrPreview)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, TooManyRequests])))
)]
pub async fn publish(
    State(app): State<App>,
    caller: Caller,
    Path(series_id): Path<Uuid>,
    Query(how): Query<DryRun>,
) -> Answer<Json<BulkOrPreview>> {
    bulk(&app, &caller, Command::Publish(Publish::Series { series_id }), &how).await
}

async fn must_staff(app: &App, caller: &Caller, studio_id: Uuid) -> Answer<()> {
    crate::studios::store::setting(&app.db, studio_id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    if caller.roles.is_staff(studio_id) { Ok(()) } else { Err(Problem::new(ProblemType::NotAllowed)) }
}

async fn view(app: &App, id: Uuid) -> Answer<SeriesView> {
    let plan = store::one(&app.db, id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    let now = app.clock.now();
    let made = store::exceptions(&app.db, id, now, EXCEPTIONS_MAX).await?;
    let mut exceptions: Vec<ExceptionView> = made
        .into_iter()
        .map(|made| ExceptionView {
            date: made.series_date,
            session_id: Some(made.id),
            cancelled: made.cancelled,
            by_hand: made.by_hand.0,
            gap: None,
            other_session_id: None,
        })
        .collect();
    exceptions.extend(plan.gaps.values().map(|gap| ExceptionView {
        date: gap.series_date,
        session_id: None,
        cancelled: false,
        by_hand: Vec::new(),
        gap: Some(gap.reason),
        other_session_id: gap.other_session_id,
    }));
    exceptions.sort_by_key(|exception| exception.date);
    Ok(SeriesView::of(plan, exceptions))
}

impl SeriesView {
    fn of(plan: Plan, exceptions: Vec<ExceptionView>) -> Self {
        let series = plan.series;
        let parts = plan.parts.into_values().map(|part| PartView {
            from: part.from_date,
            class_type_id: part.class_type_id,
            room_id: part.room_id,
            instructor_id: part.instructor_id,
            capacity: part.capacity,
            local_time: WallTime::of_minute(part.local_minute),
            shift_days: part.shift_days,
        });
        Self {
            id: series.id,
            studio_id: series.studio_id,
            rule: series.rule,
            starts_on: series.starts_on,
            until: series.until_on,
            count: series.count_max,
            except: series.except_dates.0,
            draft: series.draft,
            made_before: series.next_date,
            parts: parts.collect(),
            exceptions,
            version: series.version,
        }
    }
}
