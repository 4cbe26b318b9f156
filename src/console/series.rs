//! Series: which there are, what holds in one from when on and where it differs, beginning one, and publishing one that was proposed.
//! A class of a series is changed and cancelled on its own page, alone or with those that follow.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::consequences::{Consequences, title};
use super::form::{Form, body};
use super::frame::{Part, Said, Shell, done};
use super::session::runs;
use super::session_form::{Choices, needed};
use super::staff::Staff;
use super::words::planning::{self, Words as Planning};
use super::words::{Words, figures};
use crate::app::App;
use crate::extract::{Body, PAGE_MAX, Path, Query};
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule::publish::Publish;
use crate::schedule::series::api::SeriesBody;
use crate::schedule::series::rules::{WEEKDAYS, dates, weekly};
use crate::schedule::series::{Part as SeriesPart, Plan, Series, store};
use crate::schedule::{SessionStatus, status};
use crate::studios::guard::{require_admin, require_scheduler, require_staff};
use crate::studios::house_rules::WallTime;
use crate::transactor::{Command, Preview};

/// Exceptions, and classes to come, that a page shows.
const LISTED_MAX: i64 = 100;

#[derive(Template)]
#[template(path = "console/pages/series.html")]
struct List {
    shell: Shell,
    w: &'static Words,
    p: &'static Planning,
    lines: Vec<Line>,
    next: Option<Uuid>,
    may_make: bool,
}

/// One series.
struct Line {
    id: Uuid,
    class: String,
    /// When it comes back.
    when: String,
    /// Where, and with whom.
    with: String,
    from: String,
    until: Option<String>,
    is_draft: bool,
    is_over: bool,
}

/// `Studio A · Lin Yue`.
fn with(part: &SeriesPart, choices: &Choices) -> String {
    [choices.room(part.room_id), choices.instructor(part.instructor_id)].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// `Mon, Wed 18:30`; of a rule that no form makes, the rule itself.
fn when(series: &Series, part: &SeriesPart, shell: &Shell) -> String {
    let (p, names) = (planning::words(shell.language), figures::weekdays(shell.language));
    let time = WallTime::of_minute(part.local_minute).time().format("%H:%M");
    match weekly(series) {
        Some((days, apart)) => {
            let days: Vec<&str> = days.into_iter().filter_map(|day| names.get(day).copied()).collect();
            let every = if apart > 1 { format!(" ({} {apart} {})", p.every_other, p.weeks_apart) } else { String::new() };
            format!("{} {time}{every}", days.join(", "))
        }
        None => format!("{} · {time}", series.rule),
    }
}

impl Line {
    fn of(plan: &Plan, choices: &Choices, shell: &Shell) -> Option<Self> {
        let series = &plan.series;
        // As it is from its next class on.
        let next = dates(series, shell.today).next();
        let part = plan.part_on(next.unwrap_or(shell.today))?;
        Some(Self {
            id: series.id,
            class: choices.class(part.class_type_id).unwrap_or_default().to_owned(),
            when: when(series, part, shell),
            with: with(part, choices),
            from: shell.date(series.starts_on),
            until: series.until_on.map(|date| shell.date(date)),
            is_draft: series.draft,
            is_over: next.is_none(),
        })
    }
}

/// From which series on.
#[derive(Deserialize)]
pub struct ListParams {
    after: Option<Uuid>,
    said: Option<String>,
}

/// The studio's series: for those who work in it.
pub async fn list(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(ListParams { after, said }): Query<ListParams>,
) -> Answer<Response> {
    require_staff(&app, &staff.caller, studio_id).await?;
    let shell = Shell::of(&app, &staff, studio_id, Part::Schedule, Said::done(said)).await?;
    let mut plans = store::of_studio(&app.db, studio_id, after, PAGE_MAX + 1).await?;
    let more = plans.len() > usize::try_from(PAGE_MAX).unwrap_or(usize::MAX);
    plans.truncate(usize::try_from(PAGE_MAX).unwrap_or(usize::MAX));
    let next = plans.last().map(|plan| plan.series.id).filter(|_| more);
    let choices = Choices::read(&app, &shell).await?;
    let mut lines: Vec<Line> = plans.iter().filter_map(|plan| Line::of(plan, &choices, &shell)).collect();
    // Those that are over stand last.
    lines.sort_by_key(|line| line.is_over);
    let may_make = staff.caller.roles.is_scheduler(studio_id);
    let page = List { w: shell.w, p: planning::words(shell.language), lines, next, may_make, shell };
    page.shell.answer(&page)
}

#[derive(Template)]
#[template(path = "console/pages/series_one.html")]
struct One {
    shell: Shell,
    w: &'static Words,
    p: &'static Planning,
    line: Line,
    /// From when on it is otherwise: since when, when and what, where and with whom.
    parts: Vec<(String, String, String)>,
    sessions: Vec<SessionLine>,
    exceptions: Vec<Exception>,
    may_publish: bool,
    /// The next class, if it is theirs to change: the series is changed and ended from there on.
    next: Option<Uuid>,
}

/// A class to come.
struct SessionLine {
    id: Uuid,
    title: String,
    is_draft: bool,
}

/// A date on which it is not as the series would have it.
struct Exception {
    date: String,
    session: Option<Uuid>,
    why: String,
}

/// What was done.
#[derive(Deserialize)]
pub struct OneParams {
    said: Option<String>,
}

async fn find(app: &App, studio_id: Uuid, id: Uuid) -> Answer<Plan> {
    let plan = store::one(&app.db, id).await?.filter(|plan| plan.series.studio_id == studio_id);
    plan.ok_or_else(|| Problem::new(ProblemType::NotFound))
}

/// One of them: for those who work in the studio.
pub async fn show(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, id)): Path<(Uuid, Uuid)>,
    Query(OneParams { said }): Query<OneParams>,
) -> Answer<Response> {
    require_staff(&app, &staff.caller, studio_id).await?;
    let plan = find(&app, studio_id, id).await?;
    let shell = Shell::of(&app, &staff, studio_id, Part::Schedule, Said::done(said)).await?;
    let (now, choices) = (app.clock.now(), Choices::read(&app, &shell).await?);
    let line = Line::of(&plan, &choices, &shell).ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    let mut tx = app.db.read().await?;
    let mut to_come = crate::schedule::store::of_series(&mut tx, id, now).await?;
    tx.rollback().await;
    to_come.sort_by_key(|session| (session.starts_at, session.id));
    let parts = match plan.parts.len() {
        0 | 1 => Vec::new(),
        _ => plan
            .parts
            .values()
            .map(|part| {
                let what = format!("{} · {}", choices.class(part.class_type_id).unwrap_or_default(), when(&plan.series, part, &shell));
                (shell.date(part.from_date), what, with(part, &choices))
            })
            .collect(),
    };
    let page = One {
        w: shell.w,
        p: planning::words(shell.language),
        line,
        parts,
        next: to_come.first().filter(|session| runs(&staff.caller, session)).map(|session| session.id),
        sessions: to_come
            .iter()
            .take(usize::try_from(LISTED_MAX).unwrap_or(usize::MAX))
            .map(|session| SessionLine {
                id: session.id,
                title: title(session, &shell),
                is_draft: status(session, now) == SessionStatus::Draft,
            })
            .collect(),
        exceptions: exceptions(&app, &plan, &shell).await?,
        may_publish: shell.is_admin && plan.series.draft,
        shell,
    };
    page.shell.answer(&page)
}

async fn exceptions(app: &App, plan: &Plan, shell: &Shell) -> Answer<Vec<Exception>> {
    let (p, language) = (planning::words(shell.language), shell.language);
    let made = store::exceptions(&app.db, plan.series.id, app.clock.now(), LISTED_MAX).await?;
    let changed = made.into_iter().map(|made| {
        let what: Vec<&str> = made.by_hand.0.iter().map(|what| planning::by_hand(*what, language)).collect();
        let why = if made.cancelled { shell.w.cancelled.to_owned() } else { format!("{} {}", p.by_hand, what.join(", ")) };
        (made.series_date, Some(made.id), why)
    });
    let gaps = plan.gaps.values().filter(|gap| gap.series_date >= shell.today);
    let missing = gaps.map(|gap| (gap.series_date, gap.other_session_id, planning::gap(gap.reason, language).to_owned()));
    let mut all: Vec<(NaiveDate, Option<Uuid>, String)> = changed.chain(missing).collect();
    all.sort_by_key(|(date, ..)| *date);
    Ok(all.into_iter().map(|(date, session, why)| Exception { date: shell.date(date), session, why }).collect())
}

/// What the form of a new series holds and sends.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct SeriesForm {
    pub class: Option<Uuid>,
    pub room: Option<Uuid>,
    pub instructor: Option<Uuid>,
    #[serde(default)]
    mo: bool,
    #[serde(default)]
    tu: bool,
    #[serde(default)]
    we: bool,
    #[serde(default)]
    th: bool,
    #[serde(default)]
    fr: bool,
    #[serde(default)]
    sa: bool,
    #[serde(default)]
    su: bool,
    time: Option<String>,
    starts_on: Option<String>,
    until: Option<String>,
    capacity: Option<String>,
    #[serde(default)]
    draft: bool,
    /// The consequences have been shown, and are meant.
    #[serde(default)]
    meant: bool,
}

impl SeriesForm {
    const fn days(&self) -> [bool; 7] {
        [self.mo, self.tu, self.we, self.th, self.fr, self.sa, self.su]
    }

    /// A field as the page shows it.
    fn text<'f>(&self, field: &'f Option<String>) -> &'f str {
        field.as_deref().unwrap_or_default()
    }

    fn is(&self, field: &Option<Uuid>, id: &Uuid) -> bool {
        field.as_ref() == Some(id)
    }

    /// As an app would send it.
    fn command(&self, studio_id: Uuid) -> Answer<Command> {
        let days: Vec<&str> = WEEKDAYS.into_iter().zip(self.days()).filter_map(|(day, chosen)| chosen.then_some(day)).collect();
        let days = needed("weekdays", Some(days).filter(|days| !days.is_empty()))?;
        let capacity = self.capacity.as_deref().map(|text| text.trim().parse::<i64>().map_or_else(|_| json!(text), Value::from));
        let Body(said): Body<SeriesBody> = body(json!({
            "class_type_id": needed("class_type_id", self.class)?, "room_id": needed("room_id", self.room)?,
            "instructor_id": needed("instructor_id", self.instructor)?, "starts_on": needed("starts_on", self.starts_on.as_deref())?,
            "local_time": needed("local_time", self.time.as_deref())?, "rule": format!("FREQ=WEEKLY;BYDAY={}", days.join(",")),
            "until": self.until, "capacity": capacity, "draft": self.draft
        }))?;
        Ok(Command::MakeSeries(said.into_command(studio_id)))
    }
}

#[derive(Template)]
#[template(path = "console/pages/series_form.html")]
struct FormPage {
    shell: Shell,
    w: &'static Words,
    p: &'static Planning,
    choices: Choices,
    form: SeriesForm,
    /// A day's field, its name, and whether it is chosen.
    days: Vec<(String, &'static str, bool)>,
    consequences: Option<Consequences>,
}

/// The form of a new series: for those who schedule.
pub async fn ask_new(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>) -> Answer<Response> {
    require_scheduler(&app, &staff.caller, studio_id).await?;
    let form = SeriesForm { time: Some("18:30".to_owned()), ..SeriesForm::default() };
    form_page(&app, &staff, studio_id, form, None, Said::default()).await
}

/// Shows who would be written to, or, if nobody is or that is meant, begins it.
pub async fn make(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, Form(form): Form<SeriesForm>) -> Answer<Response> {
    require_scheduler(&app, &staff.caller, studio_id).await?;
    match begin(&app, &staff, studio_id, &form).await {
        Ok(Begun::Series(id)) => Ok(done(&format!("/console/{studio_id}/series/{id}"), "series_begun")),
        Ok(Begun::Preview(preview)) => form_page(&app, &staff, studio_id, form, Some(preview), Said::default()).await,
        Err(problem) => form_page(&app, &staff, studio_id, form, None, Said::refused(problem, staff.language)?).await,
    }
}

/// What sending the form came to.
enum Begun {
    Series(Uuid),
    Preview(Preview),
}

async fn begin(app: &App, staff: &Staff, studio_id: Uuid, form: &SeriesForm) -> Answer<Begun> {
    let (actor, what) = (staff.caller.actor(), form.command(studio_id)?);
    if !form.meant {
        let preview = app.transactor.preview(actor.clone(), what.clone()).await?;
        if !preview.told.is_empty() {
            return Ok(Begun::Preview(preview));
        }
    }
    app.transactor.submit_for_id(actor, what).await.map(Begun::Series)
}

async fn form_page(
    app: &App,
    staff: &Staff,
    studio_id: Uuid,
    mut form: SeriesForm,
    preview: Option<Preview>,
    said: Said,
) -> Answer<Response> {
    let shell = Shell::of(app, staff, studio_id, Part::Schedule, said).await?;
    form.starts_on = form.starts_on.or_else(|| Some(shell.today.to_string()));
    let choices = Choices::read(app, &shell).await?.theirs(&staff.caller, &shell);
    let consequences = match preview {
        Some(preview) => Some(Consequences::of(app, preview, &shell).await?),
        None => None,
    };
    let names = figures::weekdays(shell.language);
    let days = WEEKDAYS.iter().zip(names).zip(form.days()).map(|((day, name), chosen)| (day.to_ascii_lowercase(), name, chosen)).collect();
    let page = FormPage { w: shell.w, p: planning::words(shell.language), choices, form, days, consequences, shell };
    page.shell.answer(&page)
}

#[derive(Template)]
#[template(path = "console/pages/series_publication.html")]
struct Publication {
    shell: Shell,
    w: &'static Words,
    p: &'static Planning,
    line: Line,
    consequences: Consequences,
}

/// What publishing a series would do: for the studio's admins.
pub async fn ask_publication(State(app): State<App>, staff: Staff, Path((studio_id, id)): Path<(Uuid, Uuid)>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    publication(&app, &staff, studio_id, id, Said::default()).await
}

async fn publication(app: &App, staff: &Staff, studio_id: Uuid, id: Uuid, said: Said) -> Answer<Response> {
    let plan = find(app, studio_id, id).await?;
    let preview = app.transactor.preview(staff.caller.actor(), Command::Publish(Publish::Series { series_id: id })).await?;
    let shell = Shell::of(app, staff, studio_id, Part::Schedule, said).await?;
    let choices = Choices::read(app, &shell).await?;
    let line = Line::of(&plan, &choices, &shell).ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    let consequences = Consequences::of(app, preview, &shell).await?;
    let page = Publication { w: shell.w, p: planning::words(shell.language), line, consequences, shell };
    page.shell.answer(&page)
}

/// Publishes it.
pub async fn publish(State(app): State<App>, staff: Staff, Path((studio_id, id)): Path<(Uuid, Uuid)>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    find(&app, studio_id, id).await?;
    match app.transactor.submit(staff.caller.actor(), Command::Publish(Publish::Series { series_id: id })).await {
        Ok(_) => Ok(done(&format!("/console/{studio_id}/series/{id}"), "series_published")),
        Err(problem) => publication(&app, &staff, studio_id, id, Said::refused(problem, staff.language)?).await,
    }
}
