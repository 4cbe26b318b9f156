//! Imports over HTTP: the body is the file itself.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::progress::Running;
use super::rules::decode::FileEncoding;
use super::rules::table::{Columns, DateOrder, Delimiter};
use super::run::{Ask, LineWrong, Report, lines_wrong, run};
use super::{BadLines, Import, Kind, store};
use crate::app::App;
use crate::extract::{Path, Query};
use crate::handler_signature::{Argument, Signature};
use crate::language::Language;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::sign_in::Caller;
use crate::studios::guard::require_admin;

/// What stands before a file that spreadsheets read as UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Where an import stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// It was a dry run: nothing is written.
    Checked,
    /// This process is at it, and nothing is to be seen of it yet.
    Running,
    /// All of it is there.
    Done,
}

/// An import.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FileImport)]
pub struct ImportView {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub kind: Kind,
    pub state: ImportState,
    /// How many lines the file has, without the first and without empty ones.
    pub lines: i64,
    /// How many of them are dealt with; all, once it is done.
    pub lines_done: i64,
    /// What was made of them, or would be.
    pub made: i64,
    /// What was there already, and stays as it was.
    pub known: i64,
    /// Lines that are not right: left out, or, in a dry run, to be mended.
    pub skipped: i64,
    /// Columns that are not known here.
    pub columns_ignored: Vec<String>,
    /// All that is not right, line by line: of a dry run, and in the answer to the import itself.
    pub wrong: Vec<LineWrong>,
    /// When; null while it runs.
    #[serde(with = "crate::instant")]
    pub at: Option<DateTime<Utc>>,
    /// When its members were invited.
    #[serde(with = "crate::instant")]
    pub invited_at: Option<DateTime<Utc>>,
    /// How many of them an hour.
    pub invited_per_hour: Option<i64>,
}

impl ImportView {
    fn of(Report { import, ignored, wrong, .. }: Report, dry_run: bool, language: Language) -> Self {
        let wrong = wrong.iter().flat_map(|(line, wrongs)| lines_wrong(*line, wrongs, language)).collect();
        Self {
            id: import.id,
            studio_id: import.studio_id,
            kind: import.kind,
            state: if dry_run { ImportState::Checked } else { ImportState::Done },
            lines: import.lines,
            lines_done: import.lines,
            made: import.made,
            known: import.known,
            skipped: import.skipped,
            columns_ignored: ignored,
            wrong,
            at: (!dry_run).then_some(import.at),
            invited_at: import.invited_at,
            invited_per_hour: import.invited_per_hour,
        }
    }

    fn running(id: Uuid, running: &Running) -> Self {
        Self {
            id,
            studio_id: running.studio_id,
            kind: running.kind,
            state: ImportState::Running,
            lines: running.lines(),
            lines_done: running.done(),
            made: 0,
            known: 0,
            skipped: 0,
            columns_ignored: Vec::new(),
            wrong: Vec::new(),
            at: None,
            invited_at: None,
            invited_per_hour: None,
        }
    }
}

/// How a file is to be read, and what is to become of it.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct How {
    /// What its lines are about.
    #[param(inline)]
    pub kind: Kind,
    /// What would come of it, and nothing is written.
    #[serde(default)]
    pub dry_run: bool,
    /// What becomes of it if some lines are not right: `refuse`, the default, writes nothing; `skip` leaves them out.
    #[serde(default)]
    #[param(inline)]
    pub bad_lines: BadLines,
    /// Its encoding, if it is not found out rightly: UTF-8 and UTF-16 are; GB18030 and Big5 mostly.
    #[param(inline)]
    pub encoding: Option<FileEncoding>,
    /// What stands between its cells, if not what stands most often in its first line.
    #[param(inline)]
    pub delimiter: Option<Delimiter>,
    /// The order of day, month and year in dates that do not begin with the year.
    #[serde(default)]
    #[param(inline)]
    pub dates: DateOrder,
    /// What the columns of the file are, in their order, if not what their headings say: the names of `docs/import.md` with commas between,
    /// nothing for a column that is left out.
    #[param(value_type = Option<String>)]
    pub columns: Option<Columns>,
}

/// A file as it was sent. It is read once it is known that its sender may.
pub struct Upload(Request);

impl Upload {
    async fn bytes(self) -> Answer<Bytes> {
        Bytes::from_request(self.0, &()).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(ProblemType::BodyTooLarge),
            _ => Problem::new(ProblemType::MalformedBody),
        })
    }
}

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        Ok(Self(request))
    }
}

impl Argument for Upload {
    fn describe(signature: &mut Signature) {
        signature.refuses(&[ProblemType::MalformedBody, ProblemType::BodyTooLarge, ProblemType::InvalidFields]);
    }
}

/// Imports a file of members, passes or bookings from another program: all that is right in it, in one step, or nothing. The app chooses
/// the id, and may repeat the call. Nobody is written to. The columns are told in `docs/import.md`; at most 32 MiB, 100,000 lines, 200
/// columns and 64 KiB a line. What is there already stays as it is. The answer comes when it is done; whoever does not wait asks how far it is. Admins.
#[utoipa::path(
    put, path = "/v1/studios/{id}/imports/{import_id}", operation_id = "import_file",
    params(("id" = Uuid, Path), ("import_id" = Uuid, Path), How),
    request_body(content = String, content_type = "text/csv", description = "The file. Its first line names the columns."),
    responses((status = 200, body = ImportView)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed, ImportRefused, ImportIdReused, Busy])))
)]
pub async fn put(
    State(app): State<App>,
    caller: Caller,
    Path((studio_id, id)): Path<(Uuid, Uuid)>,
    Query(how): Query<How>,
    upload: Upload,
) -> Answer<Json<ImportView>> {
    require_admin(&app, &caller, studio_id).await?;
    let file = upload.bytes().await?;
    let (dry_run, language) = (how.dry_run, language_of(&app, &caller, studio_id).await?);
    let report = imported(app, &caller, (studio_id, id), how, file, language).await?;
    Ok(Json(ImportView::of(report, dry_run, language)))
}

/// Imports a file, or says what would come of it.
pub async fn imported(
    app: App,
    caller: &Caller,
    (studio_id, id): (Uuid, Uuid),
    how: How,
    file: Bytes,
    language: Language,
) -> Answer<Report> {
    let How { kind, dry_run, bad_lines, encoding, delimiter, dates, columns } = how;
    if let Some(Err(wrong)) = columns.as_ref().map(|columns| columns.check(kind)) {
        return Err(Problem::field("columns", wrong));
    }
    let busy = || Problem::new(ProblemType::Busy).retry_after(5);
    let turn = app.imports.begin(id, studio_id, kind).ok_or_else(busy)?;
    let (actor, by) = (caller.actor(), caller.person_id);
    let ask = Ask { id, studio_id, kind, bad_lines, dry_run, encoding, delimiter, dates, columns, actor, by, language };
    // In a task of its own: it goes on if the caller does not wait.
    tokio::spawn(run(app, ask, file, turn)).await.map_err(Problem::fault)?
}

async fn language_of(app: &App, caller: &Caller, studio_id: Uuid) -> Answer<Language> {
    match caller.language {
        Some(language) => Ok(language),
        None => Ok(crate::studios::store::setting(&app.db, studio_id).await?.map_or(Language::En, |(_, language)| language)),
    }
}

/// An import that was done, or how far it is. One that is not there is not done: the same call again is right.
#[utoipa::path(
    get, path = "/v1/studios/{id}/imports/{import_id}", operation_id = "show_import",
    params(("id" = Uuid, Path), ("import_id" = Uuid, Path)),
    responses((status = 200, body = ImportView)),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn show(State(app): State<App>, caller: Caller, Path((studio_id, id)): Path<(Uuid, Uuid)>) -> Answer<Json<ImportView>> {
    require_admin(&app, &caller, studio_id).await?;
    if let Some(running) = app.imports.running(id).filter(|running| running.studio_id == studio_id) {
        return Ok(Json(ImportView::running(id, &running)));
    }
    let import = done(&app, studio_id, id).await?;
    Ok(Json(ImportView::of(Report { import, ignored: Vec::new(), wrong: Vec::new(), lines: None }, false, Language::En)))
}

/// The import of this studio.
pub async fn done(app: &App, studio_id: Uuid, id: Uuid) -> Answer<Import> {
    let found = store::one(&app.db, id).await?.filter(|import| import.studio_id == studio_id);
    found.ok_or_else(|| Problem::new(ProblemType::NotFound))
}

/// The lines that an import left out, as CSV with the reasons in a last column: to be mended and imported by themselves. They are kept for
/// a week.
#[utoipa::path(
    get, path = "/v1/studios/{id}/imports/{import_id}/skipped", operation_id = "show_skipped_lines",
    params(("id" = Uuid, Path), ("import_id" = Uuid, Path)),
    responses((status = 200, content((String = "text/csv")))),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn skipped(State(app): State<App>, caller: Caller, Path((studio_id, id)): Path<(Uuid, Uuid)>) -> Answer<impl IntoResponse> {
    require_admin(&app, &caller, studio_id).await?;
    done(&app, studio_id, id).await?;
    let lines = store::skipped_lines(&app.db, id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?;
    let name = format!("attachment; filename=\"skipped-{id}.csv\"");
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, format!("{BYTE_ORDER_MARK}{lines}")))
}
