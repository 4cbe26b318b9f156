//! Making a session and changing one. What a change would do to those who are in it is shown before it is done.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::consequences::Consequences;
use super::form::{Form, body};
use super::frame::{Part, Said, Shell, done};
use super::session::{find, runs};
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
use crate::schedule::{Session, store};
use crate::sign_in::Caller;
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
    choices: Choices,
    form: SessionForm,
    in_series: bool,
    consequences: Option<Consequences>,
    /// Whether members may be released who stand in the way.
    may_release: bool,
    /// What somebody else has changed meanwhile, by its field: as it is now.
    now: BTreeMap<&'static str, String>,
}

/// What sessions are made of, in this studio.
pub struct Choices {
    pub classes: Vec<(Uuid, String)>,
    pub rooms: Vec<Room>,
    pub instructors: Vec<(Uuid, String)>,
}

impl Choices {
    /// All of them.
    pub async fn read(app: &App, shell: &Shell) -> Answer<Self> {
        let studio_id = shell.studio.id;
        let classes = store::class_types(&app.db, studio_id, None, PAGE_MAX).await?.into_iter();
        Ok(Self {
            classes: classes.map(|class| (class.id, class.name.read(shell.language).to_owned())).collect(),
            rooms: studios::store::rooms(&app.db, studio_id, None, PAGE_MAX).await?,
            instructors: studios::store::instructors(&app.db, studio_id, None, PAGE_MAX).await?,
        })
    }

    /// What this caller may choose: instructors schedule for themselves.
    pub fn theirs(mut self, caller: &Caller, shell: &Shell) -> Self {
        if !shell.is_admin {
            self.instructors.retain(|(id, _)| *id == caller.person_id);
        }
        self
    }

    /// Whether there is anything to make a session of.
    pub fn is_ready(&self) -> bool {
        !self.classes.is_empty() && !self.rooms.is_empty() && !self.instructors.is_empty()
    }

    /// What a class type is called.
    pub fn class(&self, id: Uuid) -> Option<&str> {
        self.classes.iter().find(|(of, _)| *of == id).map(|(_, name)| name.as_str())
    }

    /// What a room is called.
    pub fn room(&self, id: Uuid) -> Option<&str> {
        self.rooms.iter().find(|room| room.id == id).map(|room| room.name.as_str())
    }

    /// What an instructor is called.
    pub fn instructor(&self, id: Uuid) -> Option<&str> {
        self.instructors.iter().find(|(of, _)| *of == id).map(|(_, name)| name.as_str())
    }
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
    /// A session as it is.
    fn of(session: &Session) -> Self {
        Self {
            class: Some(session.class_type_id),
            room: Some(session.room_id),
            instructor: Some(session.instructor_id),
            start: Some(LocalStart::shown(session.local_date, session.local_minute).to_string()),
            capacity: Some(session.capacity),
            version: Some(session.version),
            ..Self::default()
        }
    }

    /// Where the session differs by now: each field, as it stands there.
    fn differing(&self, session: &Session, shell: &Shell) -> BTreeMap<&'static str, String> {
        let (by_now, names) = (Self::of(session), &session.names);
        let fields = [
            ("class", self.class != by_now.class, names.class_name.read(shell.language).to_owned()),
            ("start", self.start != by_now.start, shell.day_and_time(session.starts_at)),
            ("room", self.room != by_now.room, names.room_name.clone()),
            ("instructor", self.instructor != by_now.instructor, names.instructor_name.clone()),
            ("capacity", self.capacity != by_now.capacity, session.capacity.to_string()),
        ];
        fields.into_iter().filter(|(_, differs, _)| *differs).map(|(field, _, now)| (field, now)).collect()
    }

    /// What it changes about the session, as an app would send it.
    fn edit(&self, session: &Session) -> Answer<EditSession> {
        let start = self.start()?;
        let is_new = |field: Option<Uuid>, known: Uuid| field.filter(|id| *id != known);
        Ok(EditSession {
            session_id: session.id,
            version: needed("version", self.version)?,
            class_type_id: is_new(self.class, session.class_type_id),
            room_id: is_new(self.room, session.room_id),
            instructor_id: is_new(self.instructor, session.instructor_id),
            local_start: Some(start).filter(|start| *start != LocalStart::shown(session.local_date, session.local_minute)),
            capacity: self.capacity.filter(|capacity| *capacity != session.capacity),
            too_few_exempt: None,
            scope: self.scope,
            release: self.release,
        })
    }

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

/// What a form must hold.
pub fn needed<T>(field: &str, value: Option<T>) -> Answer<T> {
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
    page(&app, &staff, studio_id, None, form, None, InTheWay::Nothing, Said::default()).await
}

/// Makes it, once or every week.
pub async fn make(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, Form(form): Form<SessionForm>) -> Answer<Response> {
    require_scheduler(&app, &staff.caller, studio_id).await?;
    if form.weeks.is_some_and(|weeks| weeks != 1) {
        return match every_week(&app, &staff, studio_id, &form).await {
            Ok(page) => Ok(done(&page, "series_made")),
            Err(problem) => {
                page(&app, &staff, studio_id, None, form, None, InTheWay::Nothing, Said::refused(problem, staff.language)?).await
            }
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
            page(&app, &staff, studio_id, None, form, None, InTheWay::Nothing, said).await
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
pub async fn ask_edit(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, id)): Path<(Uuid, Uuid)>,
    Query(to): Query<MoveParams>,
) -> Answer<Response> {
    let session = find(&app, studio_id, id).await?;
    require_staff_of(&staff.caller, &session)?;
    if !runs(&staff.caller, &session) {
        return Err(Problem::new(ProblemType::NotAllowed));
    }
    let as_it_is = SessionForm { scope: to.scope, ..SessionForm::of(&session) };
    let form = SessionForm {
        start: to.start.or_else(|| as_it_is.start.clone()),
        room: to.room.or(as_it_is.room),
        instructor: to.instructor.or(as_it_is.instructor),
        ..as_it_is.clone()
    };
    if (&form.start, form.room, form.instructor) == (&as_it_is.start, as_it_is.room, as_it_is.instructor) {
        return page(&app, &staff, studio_id, Some(id), form, None, InTheWay::Nothing, Said::default()).await;
    }
    // It was moved on the schedule: what would come of that is shown, and nothing is done yet.
    let preview = match form.edit(&session) {
        Ok(what) => app.transactor.preview(staff.caller.actor(), Command::EditSession(what)).await,
        Err(problem) => Err(problem),
    };
    match preview {
        Ok(preview) => page(&app, &staff, studio_id, Some(id), form, Some(preview), InTheWay::Nothing, Said::default()).await,
        Err(problem) => refused(&app, &staff, studio_id, id, form, problem).await,
    }
}

/// How much of a series, and where a session was moved to on the schedule.
#[derive(Deserialize)]
pub struct MoveParams {
    #[serde(default)]
    scope: Scope,
    start: Option<String>,
    room: Option<Uuid>,
    instructor: Option<Uuid>,
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
    let (actor, page_of_it) = (staff.caller.actor(), format!("/console/{studio_id}/sessions/{id}"));
    let outcome = match form.edit(&session) {
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
        Ok(preview) => page(&app, &staff, studio_id, Some(id), form, preview, InTheWay::Nothing, Said::default()).await,
        Err(problem) => refused(&app, &staff, studio_id, id, form, problem).await,
    }
}

async fn refused(app: &App, staff: &Staff, studio_id: Uuid, id: Uuid, form: SessionForm, problem: Problem) -> Answer<Response> {
    let reason = match problem.kind {
        ProblemType::MembersOverlap | ProblemType::CapacityTooSmall => InTheWay::Members,
        ProblemType::VersionStale => InTheWay::Somebody,
        _ => InTheWay::Nothing,
    };
    let said = Said::refused(problem, staff.language)?;
    page(app, staff, studio_id, Some(id), form, None, reason, said).await
}

/// What a form that was refused stumbled upon.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InTheWay {
    Nothing,
    /// Members, who may be released.
    Members,
    /// Somebody who saved meanwhile.
    Somebody,
}

#[allow(clippy::too_many_arguments, reason = "what a page shows")]
async fn page(
    app: &App,
    staff: &Staff,
    studio_id: Uuid,
    id: Option<Uuid>,
    mut form: SessionForm,
    preview: Option<crate::transactor::Preview>,
    in_the_way: InTheWay,
    said: Said,
) -> Answer<Response> {
    let shell = Shell::of(app, staff, studio_id, Part::Schedule, said).await?;
    let choices = Choices::read(app, &shell).await?.theirs(&staff.caller, &shell);
    let session = match id {
        Some(id) => Some(find(app, studio_id, id).await?),
        None => None,
    };
    let mut now = BTreeMap::new();
    if let (Some(session), InTheWay::Somebody) = (&session, in_the_way) {
        // Sent once more, it is sent upon what the reader has now seen.
        now = form.differing(session, &shell);
        form.version = Some(session.version);
        form.meant = false;
    }
    let consequences = match preview {
        Some(preview) => Some(Consequences::of(app, preview, &shell).await?),
        None => None,
    };
    let page = Page {
        w: shell.w,
        id,
        choices,
        form,
        in_series: session.is_some_and(|session| session.series_id.is_some()),
        consequences,
        may_release: in_the_way == InTheWay::Members,
        now,
        shell,
    };
    page.shell.answer(&page)
}
