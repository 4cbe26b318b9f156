//! Making a session and changing one. What a change would do to those who are in it is shown before it is done.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::form::{Form, body};
use super::frame::{Part, Said, Shell, done};
use super::session::{Consequences, find, runs};
use super::staff::Staff;
use super::words::Words;
use crate::app::App;
use crate::attendance::api::require_staff_of;
use crate::extract::{PAGE_MAX, Path, Query};
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule::api::dry_run::DryRun;
use crate::schedule::make_session::MakeSession;
use crate::schedule::rules::{LocalDate, LocalStart};
use crate::schedule::series;
use crate::schedule::series::scope::Scope;
use crate::schedule::session_fields::EditSession;
use crate::schedule::store;
use crate::studios::guard::require_scheduler;
use crate::studios::{self, Room};
use crate::transactor::Command;

#[derive(Template)]
#[template(path = "console/pages/session_form.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    /// Which session is changed; none: a new one.
    id: Option<Uuid>,
    classes: Vec<(Uuid, String)>,
    rooms: Vec<Room>,
    instructors: Vec<(Uuid, String)>,
    form: SessionForm,
    in_series: bool,
    consequences: Option<Consequences>,
    /// Whether members may be released who stand in the way.
    may_release: bool,
    /// Whether there is anything to make a session of.
    is_ready: bool,
}

/// What the form holds and sends.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct SessionForm {
    class: Option<Uuid>,
    room: Option<Uuid>,
    instructor: Option<Uuid>,
    start: Option<String>,
    capacity: Option<i64>,
    /// Every week, for so many weeks; without it once.
    weeks: Option<i64>,
    #[serde(default)]
    draft: bool,
    version: Option<i64>,
    #[serde(default)]
    scope: Scope,
    #[serde(default)]
    release: bool,
    /// The consequences have been shown, and are meant.
    #[serde(default)]
    meant: bool,
}

impl SessionForm {
    fn start(&self) -> Answer<LocalStart> {
        let start = self.start.as_deref().unwrap_or_default();
        LocalStart::parse(start).map_err(|wrong| Problem::field("local_start", wrong))
    }

    /// The text of the field, for the page.
    fn start_text(&self) -> &str {
        self.start.as_deref().unwrap_or_default()
    }

    fn is(&self, field: &Option<Uuid>, id: &Uuid) -> bool {
        field.as_ref() == Some(id)
    }
}

fn needed<T>(field: &str, value: Option<T>) -> Answer<T> {
    value.ok_or_else(|| Problem::field(field, crate::wrong::Wrong::Missing))
}

/// For which day.
#[derive(Deserialize)]
pub struct NewParams {
    date: Option<LocalDate>,
}

/// The form of a new session: for those who schedule.
pub async fn ask_new(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(NewParams { date }): Query<NewParams>,
) -> Answer<Response> {
    require_scheduler(&app, &staff.caller, studio_id).await?;
    let date: Option<NaiveDate> = date.map(|LocalDate(date)| date);
    let form = SessionForm { start: date.map(|date| format!("{date}T18:30")), ..SessionForm::default() };
    page(&app, &staff, studio_id, None, form, None, false, Said::default()).await
}

/// Makes it, once or every week.
pub async fn make(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, Form(form): Form<SessionForm>) -> Answer<Response> {
    require_scheduler(&app, &staff.caller, studio_id).await?;
    if form.weeks.is_some_and(|weeks| weeks != 1) {
        return match every_week(&app, &staff, studio_id, &form).await {
            Ok(page) => Ok(done(&page, "series_made")),
            Err(problem) => page(&app, &staff, studio_id, None, form, None, false, Said::refused(problem, staff.language)?).await,
        };
    }
    let what = || {
        Ok::<_, Problem>(MakeSession {
            studio_id,
            class_type_id: needed("class_type_id", form.class)?,
            room_id: needed("room_id", form.room)?,
            instructor_id: needed("instructor_id", form.instructor)?,
            local_start: form.start()?,
            capacity: form.capacity,
            draft: form.draft,
        })
    };
    let made = match what() {
        Ok(what) => app.transactor.submit_for_id(staff.caller.actor(), Command::MakeSession(what)).await,
        Err(problem) => Err(problem),
    };
    match made {
        Ok(id) => Ok(done(&format!("/console/{studio_id}/sessions/{id}"), "session_made")),
        Err(problem) => {
            let said = Said::refused(problem, staff.language)?;
            page(&app, &staff, studio_id, None, form, None, false, said).await
        }
    }
}

/// Begins a series that comes back every week at the same wall time, and says which page shows its beginning.
async fn every_week(app: &App, staff: &Staff, studio_id: Uuid, form: &SessionForm) -> Answer<String> {
    let start = form.start()?.local();
    let said = body(json!({
        "class_type_id": needed("class_type_id", form.class)?, "room_id": needed("room_id", form.room)?,
        "instructor_id": needed("instructor_id", form.instructor)?, "starts_on": start.date(), "local_time": start.format("%H:%M").to_string(),
        "rule": "FREQ=WEEKLY", "count": form.weeks, "capacity": form.capacity, "draft": form.draft
    }))?;
    series::api::make(State(app.clone()), staff.caller.clone(), Path(studio_id), Query(DryRun { dry_run: false }), said).await?;
    Ok(format!("/console/{studio_id}/schedule?week={}", start.date()))
}

/// The form of a change: for those whose session it is.
pub async fn ask_edit(State(app): State<App>, staff: Staff, Path((studio_id, id)): Path<(Uuid, Uuid)>) -> Answer<Response> {
    let session = find(&app, studio_id, id).await?;
    require_staff_of(&staff.caller, &session)?;
    if !runs(&staff.caller, &session) {
        return Err(Problem::new(ProblemType::NotAllowed));
    }
    let form = SessionForm {
        class: Some(session.class_type_id),
        room: Some(session.room_id),
        instructor: Some(session.instructor_id),
        start: Some(LocalStart::shown(session.local_date, session.local_minute).to_string()),
        capacity: Some(session.capacity),
        version: Some(session.version),
        ..SessionForm::default()
    };
    page(&app, &staff, studio_id, Some(id), form, None, false, Said::default()).await
}

/// Shows what the change would do to others, or, once that is meant, does it. What nobody notices is done at once.
pub async fn edit(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, id)): Path<(Uuid, Uuid)>,
    Form(form): Form<SessionForm>,
) -> Answer<Response> {
    let session = find(&app, studio_id, id).await?;
    require_staff_of(&staff.caller, &session)?;
    if !runs(&staff.caller, &session) {
        return Err(Problem::new(ProblemType::NotAllowed));
    }
    let what = || {
        let start = form.start()?;
        let is_new = |field: Option<Uuid>, known: Uuid| field.filter(|id| *id != known);
        Ok::<_, Problem>(EditSession {
            session_id: id,
            version: needed("version", form.version)?,
            class_type_id: is_new(form.class, session.class_type_id),
            room_id: is_new(form.room, session.room_id),
            instructor_id: is_new(form.instructor, session.instructor_id),
            local_start: Some(start).filter(|start| *start != LocalStart::shown(session.local_date, session.local_minute)),
            capacity: form.capacity.filter(|capacity| *capacity != session.capacity),
            too_few_exempt: None,
            scope: form.scope,
            release: form.release,
        })
    };
    let (actor, page_of_it) = (staff.caller.actor(), format!("/console/{studio_id}/sessions/{id}"));
    let outcome = match what() {
        Err(problem) => Err(problem),
        Ok(what) => {
            let preview = match form.meant {
                true => None,
                false => match app.transactor.preview(actor.clone(), Command::EditSession(what.clone())).await {
                    Ok(preview) => Some(preview).filter(|preview| !preview.told.is_empty() || !preview.bookings.is_empty()),
                    Err(problem) => return refused(&app, &staff, studio_id, id, form, problem).await,
                },
            };
            match preview {
                Some(preview) => Ok(Some(preview)),
                None => app.transactor.submit_for_id(actor, Command::EditSession(what)).await.map(|_| None),
            }
        }
    };
    match outcome {
        Ok(None) => Ok(done(&page_of_it, "session_changed")),
        Ok(preview) => page(&app, &staff, studio_id, Some(id), form, preview, false, Said::default()).await,
        Err(problem) => refused(&app, &staff, studio_id, id, form, problem).await,
    }
}

async fn refused(app: &App, staff: &Staff, studio_id: Uuid, id: Uuid, form: SessionForm, problem: Problem) -> Answer<Response> {
    let may_release = matches!(problem.kind, ProblemType::MembersOverlap | ProblemType::CapacityTooSmall);
    let said = Said::refused(problem, staff.language)?;
    page(app, staff, studio_id, Some(id), form, None, may_release, said).await
}

#[allow(clippy::too_many_arguments, reason = "what a page shows")]
async fn page(
    app: &App,
    staff: &Staff,
    studio_id: Uuid,
    id: Option<Uuid>,
    form: SessionForm,
    preview: Option<crate::transactor::Preview>,
    may_release: bool,
    said: Said,
) -> Answer<Response> {
    let shell = Shell::of(app, staff, studio_id, Part::Schedule, said).await?;
    let classes: Vec<(Uuid, String)> = store::class_types(&app.db, studio_id, None, PAGE_MAX)
        .await?
        .into_iter()
        .map(|class| (class.id, class.name.read(shell.language).to_owned()))
        .collect();
    let rooms = studios::store::rooms(&app.db, studio_id, None, PAGE_MAX).await?;
    let mut instructors = studios::store::instructors(&app.db, studio_id, None, PAGE_MAX).await?;
    if !shell.is_admin {
        // Instructors schedule for themselves.
        instructors.retain(|(id, _)| *id == staff.caller.person_id);
    }
    let in_series = match id {
        Some(id) => find(app, studio_id, id).await?.series_id.is_some(),
        None => false,
    };
    let page = Page {
        w: shell.w,
        id,
        is_ready: !classes.is_empty() && !rooms.is_empty() && !instructors.is_empty(),
        classes,
        rooms,
        instructors,
        form,
        in_series,
        consequences: preview.map(|preview| Consequences::of(preview, shell.w)),
        may_release,
        shell,
    };
    page.shell.answer(&page)
}
