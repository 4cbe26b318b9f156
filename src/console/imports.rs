//! Bringing a studio over: a file is sent, its columns are named, what would come of each line is looked at, and then it is carried out. By the
//! import of the API, for the studio's admins.

use std::collections::HashMap;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{FromRequest as _, Multipart, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::form::{Form, body};
use super::frame::{Part, Said, SaidParams, Shell, done};
use super::staff::Staff;
use super::words::Words;
use super::words::office;
use crate::app::App;
use crate::extract::{Path, Query};
use crate::import::api::{self, How};
use crate::import::rules::records::Cells;
use crate::import::rules::table::{Columns, Table, names_of, told};
use crate::import::rules::words::column;
use crate::import::run::{Fate, Report};
use crate::import::waiting::{self, Waiting};
use crate::import::{BadLines, Import, Kind, invite, store};
use crate::language::Language;
use crate::people;
use crate::problem::{Answer, Problem, ProblemType};
use crate::studios::guard::require_admin;
use crate::text::Email;
use crate::wrong::Wrong;

/// Imports that are listed.
const LISTED_MAX: i64 = 50;
/// Lines of one page.
const LINES_MAX: usize = 50;
/// Characters of a cell that are shown.
const CELL_MAX: usize = 60;

#[derive(Template)]
#[template(path = "console/pages/imports.html")]
struct Page {
    shell: Shell,
    w: &'static Words,
    o: &'static office::Words,
    /// What the form sends and shows of what a file holds.
    kinds: [(&'static str, &'static str); 3],
    waiting: Option<(String, String)>,
    past: Vec<Past>,
}

/// An import that was done.
struct Past {
    id: Uuid,
    kind: &'static str,
    when: String,
    by: Option<String>,
    made: i64,
    skipped: i64,
}

const fn kind_name(kind: Kind, o: &office::Words) -> &'static str {
    match kind {
        Kind::Members => o.import_members,
        Kind::Passes => o.import_passes,
        Kind::Bookings => o.import_bookings,
    }
}

/// The page: for the studio's admins.
pub async fn show(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(SaidParams { said }): Query<SaidParams>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    page(&app, &staff, studio_id, Said::done(said)).await
}

async fn page(app: &App, staff: &Staff, studio_id: Uuid, said: Said) -> Answer<Response> {
    let shell = Shell::of(app, staff, studio_id, Part::Import, said).await?;
    let o = shell.o;
    let waiting = waiting::find(app, &staff.caller, studio_id).await?;
    let imports = store::of_studio(&app.db, studio_id, LISTED_MAX).await?;
    let names = names(app, studio_id, &imports).await?;
    let past = |import: &Import| Past {
        id: import.id,
        kind: kind_name(import.kind, o),
        when: shell.day_and_time(import.at),
        by: names.get(&import.by_person).cloned(),
        made: import.made,
        skipped: import.skipped,
    };
    let page = Page {
        w: shell.w,
        o,
        kinds: [("members", o.import_members), ("passes", o.import_passes), ("bookings", o.import_bookings)],
        waiting: waiting.map(|file| (file.name, shell.day_and_time(file.until))),
        past: imports.iter().map(past).collect(),
        shell,
    };
    page.shell.answer(&page)
}

async fn names(app: &App, studio_id: Uuid, imports: &[Import]) -> Answer<HashMap<Uuid, String>> {
    let mut people: Vec<Uuid> = imports.iter().map(|import| import.by_person).collect();
    people.sort_unstable();
    people.dedup();
    let mut tx = app.db.read().await?;
    let names = people::store::names_in(&mut tx, studio_id, &people).await;
    tx.rollback().await;
    Ok(names?.into_iter().collect())
}

/// Takes a file, to be looked at.
pub async fn send(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, request: Request) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let kept = match sent(request).await {
        Ok((kind, name, file)) => {
            let how: Answer<crate::extract::Body<How>> = body(json!({"kind": kind}));
            match how {
                Ok(how) => waiting::keep(&app, &staff.caller, studio_id, &name, &how.0, file).await,
                Err(problem) => Err(problem),
            }
        }
        Err(problem) => Err(problem),
    };
    match kept {
        Ok(()) => Ok(Redirect::to(&format!("/console/{studio_id}/imports/file")).into_response()),
        Err(problem) => page(&app, &staff, studio_id, Said::refused(problem, staff.language)?).await,
    }
}

/// What the form holds: of which kind the file is, what it is called, and itself.
async fn sent(request: Request) -> Answer<(String, String, Bytes)> {
    let missing = || Problem::field("file", Wrong::Missing);
    let broken = |error: axum::extract::multipart::MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(ProblemType::BodyTooLarge),
        _ => Problem::new(ProblemType::MalformedBody),
    };
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| missing())?;
    let (mut kind, mut file) = (None, None);
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name() {
            Some("kind") => kind = Some(field.text().await.map_err(broken)?),
            Some("file") => {
                let name = field.file_name().unwrap_or_default().to_owned();
                file = Some((name, field.bytes().await.map_err(broken)?));
            }
            _ => {}
        }
    }
    let (name, bytes) = file.filter(|(_, bytes)| !bytes.is_empty()).ok_or_else(missing)?;
    Ok((kind.unwrap_or_default(), name, bytes))
}

#[derive(Template)]
#[template(path = "console/pages/import_file.html")]
struct FilePage {
    shell: Shell,
    w: &'static Words,
    o: &'static office::Words,
    name: String,
    kind: &'static str,
    until: String,
    /// Why it was not carried out.
    refused: Option<&'static str>,
    columns: Vec<ColumnLine>,
    encodings: Vec<Choice>,
    delimiters: Vec<Choice>,
    dates: Vec<Choice>,
    looked: Option<Looked>,
}

/// What a form sends, what it shows, and whether that is chosen.
type Choice = (&'static str, &'static str, bool);

/// A column of the file.
struct ColumnLine {
    heading: String,
    /// What stands in it in the first line.
    example: String,
    /// Whether it is left out although addresses stand in it.
    misses_addresses: bool,
    choices: Vec<Choice>,
}

/// What would come of the file.
struct Looked {
    facts: Vec<(&'static str, i64)>,
    lines: Vec<FileLine>,
    /// Behind which line the next page begins.
    next: Option<u64>,
    has_wrong: bool,
    /// Whether there is anything to carry out.
    makes_something: bool,
}

/// A line of the file.
struct FileLine {
    number: u64,
    cells: String,
    fate: &'static str,
    is_wrong: bool,
    wrong: String,
}

/// Where the lines begin that are shown.
#[derive(Deserialize)]
pub struct LinesParams {
    after: Option<i64>,
}

/// The file that waits, and what would come of it.
pub async fn look(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Query(LinesParams { after }): Query<LinesParams>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let Some(file) = waiting::find(&app, &staff.caller, studio_id).await? else {
        return Ok(Redirect::to(&format!("/console/{studio_id}/imports")).into_response());
    };
    if file.is_begun {
        return Ok(Redirect::to(&format!("/console/{studio_id}/imports/{}", file.import_id)).into_response());
    }
    let after = after.and_then(|after| u64::try_from(after).ok());
    file_page(&app, &staff, studio_id, file, after, Said::default()).await
}

async fn file_page(app: &App, staff: &Staff, studio_id: Uuid, file: Waiting, after: Option<u64>, said: Said) -> Answer<Response> {
    // Until the page is written nobody else in this process looks at a file.
    let opened = file.open(app).await?;
    let head = opened.head().await;
    let looked_at = match &head {
        Ok(_) => opened.look(app, &staff.caller, staff.language).await,
        Err(problem) => Err(problem.clone()),
    };
    let (said, report) = match looked_at {
        Ok(report) => (said, Some(report)),
        // What was refused before is said, not what follows from it.
        Err(problem) => (if said.refused.is_some() { said } else { Said::refused(problem, staff.language)? }, None),
    };
    let shell = Shell::of(app, staff, studio_id, Part::Import, said).await?;
    let (o, how) = (shell.o, &file.how);
    let spelt = |value: Value| value.as_str().map(str::to_owned);
    let (encoding, delimiter, dates) = (spelt(json!(how.encoding)), spelt(json!(how.delimiter)), spelt(json!(how.dates)));
    let choices = |of: &[(&'static str, &'static str)], chosen: &Option<String>| -> Vec<Choice> {
        of.iter().map(|(value, name)| (*value, *name, *value == chosen.as_deref().unwrap_or_default())).collect()
    };
    let page = FilePage {
        w: shell.w,
        o,
        kind: kind_name(how.kind, o),
        until: shell.day_and_time(file.until),
        refused: file.refused.map(|kind| kind.sentence(shell.language)),
        columns: head.map(|head| columns(&head, how.kind, shell.language)).unwrap_or_default(),
        encodings: choices(
            &[("", o.found_out), ("utf-8", "UTF-8"), ("utf-16", "UTF-16"), ("gb18030", "GB18030"), ("big5", "Big5")],
            &encoding,
        ),
        delimiters: choices(&[("", o.found_out), ("comma", o.comma), ("semicolon", o.semicolon), ("tab", o.tab)], &delimiter),
        dates: choices(&[("ymd", o.dates_ymd), ("mdy", o.dates_mdy), ("dmy", o.dates_dmy)], &dates),
        looked: report.and_then(|report| looked(&report, after, &shell)),
        name: file.name.clone(),
        shell,
    };
    page.shell.answer(&page)
}

fn columns(head: &Table, kind: Kind, language: Language) -> Vec<ColumnLine> {
    let o = office::words(language);
    let line = |(at, (heading, chosen)): (usize, (&str, Option<&'static str>))| {
        let cells = || head.lines.iter().filter_map(|(_, cells)| Some(cells.get(at)?.trim())).filter(|cell| !cell.is_empty());
        let known = names_of(kind).map(|name| (name, column(name, language), chosen == Some(name)));
        ColumnLine {
            heading: if heading.is_empty() { format!("{}", at + 1) } else { short(heading) },
            example: head.lines.first().and_then(|(_, cells)| cells.get(at)).map(short).unwrap_or_default(),
            misses_addresses: chosen.is_none() && cells().next().is_some() && cells().all(|cell| Email::parse(cell).is_ok()),
            choices: std::iter::once(("", o.left_out_column, chosen.is_none())).chain(known).collect(),
        }
    };
    head.columns().into_iter().enumerate().map(line).collect()
}

/// A cell, as far as it is shown.
fn short(cell: &str) -> String {
    let cell = cell.trim();
    if cell.chars().count() <= CELL_MAX { cell.to_owned() } else { cell.chars().take(CELL_MAX).chain(['…']).collect() }
}

fn looked(report: &Report, after: Option<u64>, shell: &Shell) -> Option<Looked> {
    let (o, w, language) = (shell.o, shell.w, shell.language);
    let (table, fates) = report.lines.as_ref()?;
    let wrongs: HashMap<u64, String> = report.wrong.iter().map(|(number, wrongs)| (*number, told(wrongs, language))).collect();
    let written: Vec<_> =
        table.columns().into_iter().enumerate().filter_map(|(at, (_, name))| Some((at, column(name?, language)))).collect();
    let mut lines = table.lines.iter().zip(fates).skip_while(|((number, _), _)| after.is_some_and(|after| *number <= after));
    let line = |((number, cells), fate): (&(u64, Cells), &Fate)| {
        let filled = |(at, name): &(usize, &str)| {
            let cell = short(cells.get(*at)?);
            (!cell.is_empty()).then(|| format!("{name}{}{cell}", w.colon))
        };
        let cells: Vec<String> = written.iter().filter_map(filled).collect();
        FileLine {
            number: *number,
            cells: cells.join(" · "),
            fate: match fate {
                Fate::Made => o.fate_made,
                Fate::Known => o.fate_known,
                Fate::Wrong => o.fate_wrong,
            },
            is_wrong: *fate == Fate::Wrong,
            wrong: wrongs.get(number).cloned().unwrap_or_default(),
        }
    };
    let shown: Vec<FileLine> = lines.by_ref().take(LINES_MAX).map(line).collect();
    let import = &report.import;
    Some(Looked {
        facts: vec![(o.lines, import.lines), (o.fate_made, import.made), (o.fate_known, import.known), (o.fate_wrong, import.skipped)],
        next: shown.last().map(|line| line.number).filter(|_| lines.next().is_some()),
        lines: shown,
        has_wrong: import.skipped > 0,
        makes_something: import.lines > import.skipped,
    })
}

/// The caller's file that waits, where there is one.
async fn waiting_file(app: &App, staff: &Staff, studio_id: Uuid) -> Answer<Waiting> {
    waiting::find(app, &staff.caller, studio_id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))
}

/// How the file is to be read: what each column is, in their order, and what stands between cells and in dates.
pub async fn set_how(
    State(app): State<App>,
    staff: Staff,
    Path(studio_id): Path<Uuid>,
    Form(fields): Form<HashMap<String, String>>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let mut file = waiting_file(&app, &staff, studio_id).await?;
    let count = heading_of(&app, &file).await?;
    let named: Vec<String> = (0..count).map(|at| fields.get(&format!("column-{at}")).cloned().unwrap_or_default()).collect();
    let said = json!({
        "kind": file.how.kind, "encoding": fields.get("encoding"), "delimiter": fields.get("delimiter"),
        "dates": fields.get("dates").map_or("ymd", String::as_str), "columns": Columns::new(named.iter().map(String::as_str))
    });
    let (how, set) = match body::<How>(said) {
        Ok(how) => {
            // Another encoding or another delimiter makes other columns: they are proposed anew.
            let is_same = json!([how.0.encoding, how.0.delimiter]) == json!([file.how.encoding, file.how.delimiter]);
            let how = How { columns: how.0.columns.clone().filter(|_| is_same), ..how.0 };
            let set = file.set_how(&app, &how).await;
            (how, set)
        }
        Err(problem) => (file.how.clone(), Err(problem)),
    };
    match set {
        Ok(()) => Ok(Redirect::to(&format!("/console/{studio_id}/imports/file")).into_response()),
        // What was chosen stays on the page.
        Err(problem) => {
            let said = Said::refused(problem, staff.language)?;
            file.how = how;
            file_page(&app, &staff, studio_id, file, None, said).await
        }
    }
}

/// How many columns it has; none, if they are not to be told as it is read by now.
async fn heading_of(app: &App, file: &Waiting) -> Answer<usize> {
    match file.open(app).await?.head().await {
        Ok(head) => Ok(head.heading.len()),
        Err(problem) if problem.kind == ProblemType::InvalidFields => Ok(0),
        Err(problem) => Err(problem),
    }
}

/// The lines that are not right, with the reasons in a last column: to be mended and sent by themselves.
pub async fn wrong_lines(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let file = waiting_file(&app, &staff, studio_id).await?;
    let opened = file.open(&app).await?;
    let report = opened.look(&app, &staff.caller, staff.language).await?;
    let (table, _) = report.lines.as_ref().ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    let reasons = report.wrong.iter().map(|(number, wrongs)| (*number, told(wrongs, staff.language))).collect();
    let lines = table.skipped(&reasons).map_err(Problem::fault)?;
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, "attachment; filename=\"wrong.csv\"")];
    Ok((headers, format!("\u{feff}{lines}")).into_response())
}

/// Whether lines that are not right are left out.
#[derive(Deserialize)]
pub struct RunForm {
    #[serde(default)]
    skip: bool,
}

/// Carries it out. It goes on by itself; its page says how far it is.
pub async fn run(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>, Form(form): Form<RunForm>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let file = waiting_file(&app, &staff, studio_id).await?;
    let id = file.import_id;
    let bad_lines = if form.skip { BadLines::Skip } else { BadLines::Refuse };
    file.carry_out(&app, &staff.caller, bad_lines, staff.language).await?;
    Ok(Redirect::to(&format!("/console/{studio_id}/imports/{id}")).into_response())
}

/// Throws the file away.
pub async fn remove(State(app): State<App>, staff: Staff, Path(studio_id): Path<Uuid>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    if let Some(file) = waiting::find(&app, &staff.caller, studio_id).await? {
        file.forget(&app).await?;
    }
    Ok(done(&format!("/console/{studio_id}/imports"), "file_thrown_away"))
}

#[derive(Template)]
#[template(path = "console/pages/import.html")]
struct ImportPage {
    shell: Shell,
    w: &'static Words,
    o: &'static office::Words,
    id: Uuid,
    /// How many lines are dealt with, and of how many; of an import that another process is at it is not known.
    running: Option<(i64, i64)>,
    done: Option<Done>,
}

/// An import that is done.
struct Done {
    kind: &'static str,
    when: String,
    by: Option<String>,
    facts: Vec<(&'static str, i64)>,
    has_skipped: bool,
    /// Whether its members can still be invited.
    may_invite: bool,
    invited: Option<String>,
}

/// How far an import is, or what came of it.
pub async fn one(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, id)): Path<(Uuid, Uuid)>,
    Query(SaidParams { said }): Query<SaidParams>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    import_page(&app, &staff, studio_id, id, Said::done(said)).await
}

async fn import_page(app: &App, staff: &Staff, studio_id: Uuid, id: Uuid, said: Said) -> Answer<Response> {
    let found = store::one(&app.db, id).await?.filter(|import| import.studio_id == studio_id);
    let running = app.imports.running(id).filter(|running| running.studio_id == studio_id);
    if found.is_none() && running.is_none() {
        let file = waiting_file(app, staff, studio_id).await?;
        if file.import_id != id {
            return Err(Problem::new(ProblemType::NotFound));
        }
        if !file.is_begun {
            return Ok(Redirect::to(&format!("/console/{studio_id}/imports/file")).into_response());
        }
    }
    let names = match &found {
        Some(import) => names(app, studio_id, std::slice::from_ref(import)).await?,
        None => HashMap::new(),
    };
    let has_skipped = found.is_some() && store::skipped_lines(&app.db, id).await?.is_some();
    let shell = Shell::of(app, staff, studio_id, Part::Import, said).await?;
    let o = shell.o;
    let done = found.map(|import| Done {
        kind: kind_name(import.kind, o),
        when: shell.day_and_time(import.at),
        by: names.get(&import.by_person).cloned(),
        facts: vec![(o.lines, import.lines), (o.fate_made, import.made), (o.fate_known, import.known), (o.was_left_out, import.skipped)],
        has_skipped,
        may_invite: import.kind == Kind::Members && import.made > 0 && import.invited_at.is_none(),
        invited: import.invited_at.map(|at| shell.day_and_time(at)),
    });
    let running = running.map(|running| (running.done(), running.lines()));
    let page = ImportPage { w: shell.w, o, id, running, done, shell };
    page.shell.answer(&page)
}

/// The lines that an import left out.
pub async fn skipped(State(app): State<App>, staff: Staff, Path((studio_id, id)): Path<(Uuid, Uuid)>) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    api::skipped(State(app), staff.caller, Path((studio_id, id))).await.map(axum::response::IntoResponse::into_response)
}

/// At which pace.
#[derive(Deserialize)]
pub struct InviteForm {
    per_hour: Option<i64>,
}

/// Invites the members whom an import made.
pub async fn invite(
    State(app): State<App>,
    staff: Staff,
    Path((studio_id, id)): Path<(Uuid, Uuid)>,
    Form(form): Form<InviteForm>,
) -> Answer<Response> {
    require_admin(&app, &staff.caller, studio_id).await?;
    let invited = match body(json!({"per_hour": form.per_hour})) {
        Ok(said) => invite::put(State(app.clone()), staff.caller.clone(), Path((studio_id, id)), said).await.map(drop),
        Err(problem) => Err(problem),
    };
    match invited {
        Ok(()) => Ok(done(&format!("/console/{studio_id}/imports/{id}"), "invited_all")),
        Err(problem) => import_page(&app, &staff, studio_id, id, Said::refused(problem, staff.language)?).await,
    }
}
