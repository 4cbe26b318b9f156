//! The schedule over HTTP: sessions as anybody and as the signed-in see them, what an instructor teaches, and class types.

pub mod dry_run;
pub mod planning;
pub mod sessions;

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::app::App;
use crate::etag::{Encoded, Versioned};
use crate::events::{self, Event, Happened, Subject};
use crate::extract::{Body, Cursor, IfMatch, Limit, PAGE_MAX, Paging, Path, Query, Within, given, page, query, storable};
use crate::ids::new_id;
use crate::language::{Language, Texts};
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::schedule::cache::{CacheKey, Page};
use crate::schedule::rules::{LocalDate, date_range};
use crate::schedule::store::{Range, RosterCounts, ShownTo};
use crate::schedule::{ClassType, SessionView, store, substitutes};
use crate::sign_in::Caller;
use crate::sign_in::visitor::asked_language;
use crate::studios;
use crate::studios::api::must_match;
use crate::studios::guard::require_admin;
use crate::text::{Line, NameWords, NoteWords};
use crate::zones::local_date;

/// The days of a schedule: by default, and at most.
const DAYS: (u64, u64) = (7, 62);

fn nothing() -> Problem {
    Problem::new(ProblemType::NotFound)
}

/// The language that this reader gets.
pub fn reads(caller: Option<&Caller>, headers: &HeaderMap, studio: Language) -> Language {
    language_of(caller, headers).unwrap_or(studio)
}

fn language_of(caller: Option<&Caller>, headers: &HeaderMap) -> Option<Language> {
    caller.map_or_else(|| asked_language(headers), |caller| caller.language)
}

/// A page of the schedule.
#[derive(Debug, Serialize, ToSchema)]
pub struct Schedule<'a> {
    /// In the order of time.
    pub sessions: Vec<SessionView<'a>>,
    /// What to send as `after` for more; null at the end.
    pub next: Option<String>,
}

/// Which part of the schedule.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The first local date; without it today.
    #[param(inline, example = "2026-12-01")]
    from: Option<LocalDate>,
    /// The local date before which it ends, at most 62 days later; without it a week later.
    #[param(inline, example = "2026-12-08")]
    to: Option<LocalDate>,
    /// Only of this class type.
    class_type: Option<Uuid>,
    /// Only with this instructor.
    instructor: Option<Uuid>,
    /// The most sessions, 1 to 200; without it 200.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<(DateTime<Utc>, Uuid)>>,
}

/// A studio's schedule. Anyone; signed in with `me`, and the studio's staff with drafts. It answers `ETag` and honours `If-None-Match`; but for
/// staff the places may be as of a second ago, `me` never.
#[utoipa::path(
    get, path = "/v1/studios/{id}/sessions", operation_id = "list_sessions",
    params(("id" = Uuid, Path), Part),
    responses((status = 200, body = Schedule<'static>, headers(("ETag" = String))), (status = 304, description = "As `If-None-Match` knows it"))
)]
pub async fn schedule(
    State(app): State<App>,
    caller: Option<Caller>,
    Path(studio_id): Path<Uuid>,
    uri: Uri,
    headers: HeaderMap,
) -> Answer<Response> {
    let text = uri.query().unwrap_or_default();
    let now = app.clock.now();
    // Staff see the drafts too.
    if let Some(caller) = caller.as_ref().filter(|caller| caller.roles.is_staff(studio_id)) {
        let (range, limit) = part(&app, studio_id, query(text)?, true, now).await?;
        let shown = store::range_for(&app.db, &range, caller.person_id).await?;
        let (shown, next) = page(shown, limit, |one| (one.shown.starts_at, one.shown.id));
        let sessions = shown.iter().map(|one| view_for(one, caller, now)).collect();
        return Ok(Encoded::of(&Schedule { sessions, next })?.answer(&headers, false));
    }
    let language = language_of(caller.as_ref(), &headers);
    let key = CacheKey { studio_id, query: text.to_owned(), language };
    let found = app.schedule.get(key, now, |key| public_page(&app, key, now)).await?;
    let Some(caller) = caller else { return Ok(found.public.answer(&headers, true)) };
    let mine = match found.span {
        Some(span) => store::mine(&app.db, caller.person_id, span).await?,
        None => Vec::new(),
    };
    let mine = mine.into_iter().map(|mine| (mine.session_id, mine.me())).collect();
    Ok(found.with(mine)?.answer(&headers, false))
}

/// A page of the schedule as everybody without a token sees it.
async fn public_page(app: &App, key: CacheKey, now: DateTime<Utc>) -> Answer<Page> {
    let (range, limit) = part(app, key.studio_id, query(&key.query)?, false, now).await?;
    let (shown, next) = page(store::range(&app.db, &range).await?, limit, |one| (one.starts_at, one.id));
    Page::of(shown.iter().map(|one| SessionView::of(one, &one.names, key.language, now, None)), next.as_deref())
}

/// The range that the parameters mean, one session more than the limit.
async fn part(app: &App, studio_id: Uuid, part: Part, drafts: bool, now: DateTime<Utc>) -> Answer<(Range, Limit)> {
    let (zone, _) = studios::store::setting(&app.db, studio_id).await?.ok_or_else(nothing)?;
    let dates = date_range(part.from, part.to, local_date(now, zone.tz()), DAYS);
    let (from, to) = dates.map_err(|wrong| Problem::field("to", wrong))?;
    let limit = part.limit.unwrap_or(Limit(PAGE_MAX));
    let range = Range {
        studio_id,
        from,
        to,
        class_type: part.class_type,
        instructor: part.instructor,
        drafts,
        after: part.after.map(|Cursor((at, id))| (storable(at), id)),
        count_max: limit.0 + 1,
    };
    Ok((range, limit))
}

fn view_for<'a>(one: &'a ShownTo, caller: &Caller, now: DateTime<Utc>) -> SessionView<'a> {
    SessionView::of(&one.shown, &one.shown.names, caller.language, now, one.me())
}

/// One session. Anyone; signed in with `me`. Its `ETag` begins with its version and may be sent back as `If-Match` of an edit.
#[utoipa::path(
    get, path = "/v1/sessions/{id}", operation_id = "show_session",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = SessionView<'static>, headers(("ETag" = String))), (status = 304, description = "As `If-None-Match` knows it"))
)]
pub async fn one(State(app): State<App>, caller: Option<Caller>, Path(id): Path<Uuid>, headers: HeaderMap) -> Answer<Response> {
    let now = app.clock.now();
    let encoded = match caller {
        Some(caller) => {
            let one = store::one_for(&app.db, id, caller.person_id).await?.ok_or_else(nothing)?;
            if one.shown.is_for_staff() && !caller.roles.is_staff(one.shown.studio_id) {
                return Err(nothing());
            }
            Encoded::of_version(one.shown.version, &view_for(&one, &caller, now))?
        }
        None => {
            let shown = store::one(&app.db, id).await?.filter(|shown| !shown.is_for_staff()).ok_or_else(nothing)?;
            let view = SessionView::of(&shown, &shown.names, asked_language(&headers), now, None);
            Encoded::of_version(shown.version, &view)?
        }
    };
    Ok(encoded.answer(&headers, false))
}

/// Which part of what an instructor teaches.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TeachingPart {
    /// The first local date; without it today.
    #[param(inline, example = "2026-12-01")]
    from: Option<LocalDate>,
    /// The local date before which it ends, at most 62 days later; without it a week later.
    #[param(inline, example = "2026-12-08")]
    to: Option<LocalDate>,
    /// The most sessions, 1 to 200; without it 200.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Cursor<(DateTime<Utc>, Uuid)>>,
}

/// A session as whoever teaches it sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaughtView<'a> {
    /// As everybody sees it.
    #[serde(flatten)]
    session: SessionView<'a>,
    /// Who is expected.
    roster: RosterView,
    /// What the team should know.
    team_note: Option<&'a str>,
    /// Whether somebody else is asked to teach it.
    substitute_request: Option<PendingView>,
}

/// A roster, counted.
#[derive(Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
#[schema(as = RosterCounts)]
pub struct RosterView {
    pub booked: i64,
    pub arrived: i64,
    /// Who has not attended in this studio before.
    pub first_visits: i64,
    pub waiting: i64,
}

/// A request for a substitute that waits for somebody.
#[derive(Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
#[schema(as = PendingSubstituteRequest)]
pub struct PendingView {
    pub id: Uuid,
    pub state: substitutes::RequestState,
}

/// A page of what an instructor teaches.
#[derive(Debug, Serialize, ToSchema)]
pub struct Teaching<'a> {
    /// In the order of time.
    sessions: Vec<TaughtView<'a>>,
    /// What to send as `after` for more; null at the end.
    next: Option<String>,
}

/// What the caller teaches, in all studios where they are an instructor, cancelled sessions and drafts too: where, with whom, what the
/// team should know.
#[utoipa::path(
    get, path = "/v1/me/teaching", operation_id = "list_own_teaching",
    params(TeachingPart),
    responses(
        (status = 200, body = Teaching<'static>, headers(("ETag" = String))),
        (status = 304, description = "As `If-None-Match` knows it."),
    )
)]
pub async fn teaching(State(app): State<App>, caller: Caller, Query(part): Query<TeachingPart>, headers: HeaderMap) -> Answer<Response> {
    let now = app.clock.now();
    // The instructor's studios may lie in several zones: begin with the earliest date that it is anywhere.
    let today = (now - TimeDelta::hours(12)).date_naive();
    let dates = date_range(part.from, part.to, today, (DAYS.0 + 1, DAYS.1)).map_err(|wrong| Problem::field("to", wrong))?;
    let limit = part.limit.unwrap_or(Limit(PAGE_MAX));
    let found =
        store::teaching(&app.db, caller.person_id, dates, part.after.map(|Cursor((at, id))| (storable(at), id)), limit.0 + 1).await?;
    let (found, next) = page(found, limit, |one| (one.starts_at, one.id));
    let ids: Vec<Uuid> = found.iter().map(|one| one.id).collect();
    let counts = store::roster_counts(&app.db, &ids).await?;
    let counts: HashMap<Uuid, RosterCounts> = counts.into_iter().map(|counts| (counts.session_id, counts)).collect();
    let pending = substitutes::store::pending_of(&app.db, &ids).await?;
    let pending: HashMap<Uuid, _> = pending.into_iter().map(|(session, id, state)| (session, (id, state))).collect();
    let sessions = found.iter().map(|one| {
        let RosterCounts { booked, arrived, first_visits, .. } = counts.get(&one.id).copied().unwrap_or_default();
        TaughtView {
            session: SessionView::of(one, &one.names, caller.language, now, None),
            roster: RosterView { booked, arrived, first_visits, waiting: one.waiting },
            team_note: one.team_note.as_deref(),
            substitute_request: pending.get(&one.id).map(|(id, state)| PendingView { id: *id, state: *state }),
        }
    });
    Ok(Encoded::of(&Teaching { sessions: sessions.collect(), next })?.answer(&headers, false))
}

/// A class type: its texts in the reader's language, and as the studio wrote them.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClassTypeView {
    id: Uuid,
    /// Of which studio.
    studio_id: Uuid,
    /// What it is called, in the reader's language.
    name: String,
    /// What it is, in the reader's language.
    description: Option<String>,
    /// What it is called, in each language.
    names: Texts,
    /// What it is, in each language.
    descriptions: Option<Texts>,
    /// For whom.
    level: String,
    /// How long a session of it is.
    minutes: i64,
    /// What a session of it costs.
    credits: i64,
    /// With fewer booked it is cancelled; null: it takes place whoever comes.
    minimum: Option<i64>,
    /// Rises with each edit.
    version: i64,
}

impl ClassTypeView {
    fn of(class: ClassType, language: Language) -> Self {
        Self {
            id: class.id,
            studio_id: class.studio_id,
            name: class.name.read(language).to_owned(),
            description: class.description.as_ref().map(|texts| texts.read(language).to_owned()),
            names: class.name.0,
            descriptions: class.description.map(|texts| texts.0),
            level: class.level,
            minutes: class.minutes,
            credits: class.credits,
            minimum: class.minimum,
            version: class.version,
        }
    }
}

/// A page of class types.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClassTypes {
    /// The oldest first.
    class_types: Vec<ClassTypeView>,
    /// What to send as `after` for more; null at the end.
    next: Option<String>,
}

/// The studio's class types. Anyone.
#[utoipa::path(
    get, path = "/v1/studios/{id}/class-types", operation_id = "list_class_types",
    params(("id" = Uuid, Path), Paging),
    responses((status = 200, body = ClassTypes))
)]
pub async fn class_types(
    State(app): State<App>,
    caller: Option<Caller>,
    Path(id): Path<Uuid>,
    Query(paging): Query<Paging>,
    headers: HeaderMap,
) -> Answer<Json<ClassTypes>> {
    let (_, locale) = studios::store::setting(&app.db, id).await?.ok_or_else(nothing)?;
    let (limit, after) = paging.read();
    let (found, next) = page(store::class_types(&app.db, id, after, limit.0 + 1).await?, limit, |class| class.id);
    let language = reads(caller.as_ref(), &headers, locale);
    let class_types = found.into_iter().map(|class| ClassTypeView::of(class, language)).collect();
    Ok(Json(ClassTypes { class_types, next }))
}

/// The length of a session, in minutes.
type Minutes = Within<1, 1_440>;
/// The price of a session, in credits.
type Credits = Within<0, 1_000>;
/// How many must have booked.
type Minimum = Within<1, 10_000>;

/// A new class type.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClassType {
    /// What it is called.
    name: NameWords,
    /// What it is.
    description: Option<NoteWords>,
    /// For whom: `open`, `beginners`, …
    level: Line<40>,
    /// How long, 1 to 1,440.
    minutes: Minutes,
    /// What a session costs, 0 to 1,000.
    credits: Credits,
    /// With fewer booked a session is cancelled, when the house rules have it decided; without it it takes place whoever comes.
    #[serde(default)]
    minimum: Option<Minimum>,
}

/// Adds a class type. Admins.
#[utoipa::path(
    post, path = "/v1/studios/{id}/class-types", operation_id = "add_class_type",
    params(("id" = Uuid, Path)), request_body = NewClassType,
    responses((status = 201, body = ClassTypeView, headers(("ETag" = String)))),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn add_class_type(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Body(new): Body<NewClassType>,
) -> Answer<Versioned<ClassTypeView>> {
    require_admin(&app, &caller, id).await?;
    let (now, actor) = (app.clock.now(), caller.actor());
    let class = ClassType {
        id: new_id(now),
        studio_id: id,
        name: types::Json(new.name.into()),
        description: new.description.map(|texts| types::Json(texts.into())),
        level: new.level.into(),
        minutes: new.minutes.0,
        credits: new.credits.0,
        minimum: new.minimum.map(|minimum| minimum.0),
        version: 1,
        rules_version: 1,
    };
    let row = class.clone();
    let studio = app
        .db
        .write("add_class_type", move |tx| {
            Box::pin(async move {
                let studio = studios::store::studio_to_edit(tx, id).await?.ok_or_else(nothing)?;
                store::add_class_type(tx, &row, now).await?;
                events::log::write(tx, now, vec![actor.did(Event::in_studio(id, Subject::ClassType, row.id, Happened::ClassTypeAdded))])
                    .await?;
                Ok::<_, Problem>(studio)
            })
        })
        .await?;
    Ok(Versioned::created(1, ClassTypeView::of(class, caller.language.unwrap_or(studio.locale))))
}

/// What of a class type shall change. Absent: it stays; null: it is cleared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "as in `NewClassType`")]
pub struct ClassTypeChange {
    name: Option<NameWords>,
    #[serde(default, deserialize_with = "given")]
    description: Option<Option<NoteWords>>,
    level: Option<Line<40>>,
    /// Sessions that are scheduled already keep their length.
    minutes: Option<Minutes>,
    /// Sessions that are scheduled already keep their price.
    credits: Option<Credits>,
    /// Sessions that are scheduled already keep theirs.
    #[serde(default, deserialize_with = "given")]
    minimum: Option<Option<Minimum>>,
}

impl ClassTypeChange {
    fn apply(self, class: &mut ClassType) {
        if let Some(name) = self.name {
            class.name = types::Json(name.into());
        }
        if let Some(description) = self.description {
            class.description = description.map(|texts| types::Json(texts.into()));
        }
        if let Some(level) = self.level {
            class.level = level.into();
        }
        if let Some(minimum) = self.minimum {
            class.minimum = minimum.map(|minimum| minimum.0);
        }
        class.minutes = self.minutes.map_or(class.minutes, |minutes| minutes.0);
        class.credits = self.credits.map_or(class.credits, |credits| credits.0);
        class.version += 1;
    }
}

/// Edits a class type. Admins.
#[utoipa::path(
    patch, path = "/v1/studios/{id}/class-types/{class_type_id}", operation_id = "change_class_type",
    params(("id" = Uuid, Path), ("class_type_id" = Uuid, Path)), request_body = ClassTypeChange,
    responses((status = 200, body = ClassTypeView, headers(("ETag" = String)))),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn change_class_type(
    State(app): State<App>,
    caller: Caller,
    Path((id, class_type_id)): Path<(Uuid, Uuid)>,
    if_match: IfMatch,
    Body(change): Body<ClassTypeChange>,
) -> Answer<Versioned<ClassTypeView>> {
    require_admin(&app, &caller, id).await?;
    let (now, actor) = (app.clock.now(), caller.actor());
    let class = app
        .db
        .write("change_class_type", move |tx| {
            Box::pin(async move {
                let mut class = store::class_type_to_edit(tx, id, class_type_id).await?.ok_or_else(nothing)?;
                must_match(class.version, if_match)?;
                change.apply(&mut class);
                store::set_class_type(tx, &class).await?;
                let entry = actor.did(Event::in_studio(
                    id,
                    Subject::ClassType,
                    class_type_id,
                    Happened::ClassTypeChanged { version: class.version },
                ));
                events::log::write(tx, now, vec![entry]).await?;
                Ok::<_, Problem>(class)
            })
        })
        .await?;
    let (_, locale) = studios::store::setting(&app.db, id).await?.ok_or_else(nothing)?;
    Ok(Versioned::ok(class.version, ClassTypeView::of(class, caller.language.unwrap_or(locale))))
}
