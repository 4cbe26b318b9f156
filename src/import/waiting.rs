//! A file that waits to be imported, while an admin looks at what would come of it. It is kept in the database, so that any process answers for
//! it: one for each admin, for a day, and of their own studio alone. It is read and carried out by the very import of the API.

use std::sync::Arc;

use axum::body::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::api::{How, imported};
use super::rules::decode::decode_head;
use super::rules::records::LINE_BYTES_MAX;
use super::rules::table::Table;
use super::run::Report;
use super::store::{self, WaitingRow};
use super::{BYTES_MAX, BadLines, FILE_KEPT, FILES_MAX};
use crate::app::App;
use crate::ids::new_id;
use crate::language::Language;
use crate::problem::{Answer, Problem, ProblemType};
use crate::sign_in::Caller;

/// The longest name of a file, in characters.
const NAME_MAX: usize = 120;
/// Lines at the beginning of a file by which its columns are told.
const HEAD_LINES: usize = 3;
/// Bytes in which these stand: each line in two bytes a letter, and some that are empty.
const HEAD_BYTES: usize = 16 * LINE_BYTES_MAX;
/// Seconds after which a look may be tried again that had to wait too long.
const LOOK_AGAIN_SECONDS: u64 = 5;
/// After how long an import that was begun and is not done has died with its process.
const GIVEN_UP: TimeDelta = TimeDelta::minutes(10);

/// A file that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// By which it is carried out.
    pub import_id: Uuid,
    /// What it was called where it came from.
    pub name: String,
    /// How it is to be read.
    pub how: How,
    /// Until when it waits.
    pub until: DateTime<Utc>,
    /// Whether somebody is at carrying it out.
    pub is_begun: bool,
    /// Why that was refused.
    pub refused: Option<ProblemType>,
    studio_id: Uuid,
    person_id: Uuid,
}

/// Keeps a file for its admin, in place of one that they sent before.
pub async fn keep(app: &App, caller: &Caller, studio_id: Uuid, name: &str, how: &How, file: Bytes) -> Answer<()> {
    if file.len() > BYTES_MAX {
        return Err(Problem::new(ProblemType::BodyTooLarge));
    }
    let now = app.clock.now();
    let how = serde_json::to_value(how).map_err(Problem::fault)?;
    let name = name.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
    let row = WaitingRow { import_id: new_id(now), name, how: sqlx::types::Json(how), at: now, begun_at: None, refused: None };
    let whose = (studio_id, caller.person_id);
    let kept = app.db.write("import.keep", move |tx| {
        Box::pin(async move { store::keep(tx, whose, row, file.to_vec(), (now - FILE_KEPT, FILES_MAX)).await.map_err(Problem::from) })
    });
    if kept.await? { Ok(()) } else { Err(Problem::new(ProblemType::Busy).retry_after(600)) }
}

/// The caller's file that waits in this studio.
pub async fn find(app: &App, caller: &Caller, studio_id: Uuid) -> Answer<Option<Waiting>> {
    let now = app.clock.now();
    let Some(row) = store::waiting_file(&app.db, studio_id, caller.person_id, now - FILE_KEPT).await? else { return Ok(None) };
    // Of a version that knew other ways to read a file: it is sent again.
    let Ok(how) = serde_json::from_value(row.how.0) else { return Ok(None) };
    Ok(Some(Waiting {
        import_id: row.import_id,
        name: row.name,
        how,
        until: row.at + FILE_KEPT,
        is_begun: row.begun_at.is_some_and(|at| now - at < GIVEN_UP),
        refused: row.refused.and_then(|slug| ProblemType::ALL.iter().copied().find(|kind| kind.slug() == slug)),
        studio_id,
        person_id: caller.person_id,
    }))
}

/// A file that waits, read from the database: one at a time in a process, until it is dropped.
pub struct Opened<'w> {
    file: &'w Waiting,
    bytes: Bytes,
    look: Arc<OwnedSemaphorePermit>,
}

impl Opened<'_> {
    /// Its first lines, with the columns as they are read.
    pub async fn head(&self) -> Answer<Table> {
        let (file, how, look) = (self.bytes.clone(), self.file.how.clone(), Arc::clone(&self.look));
        let reading = tokio::task::spawn_blocking(move || {
            // Also if nobody waits for it any more.
            let _look = look;
            let head = decode_head(&file, how.encoding, HEAD_BYTES);
            Table::with(&head, how.kind, how.delimiter, how.columns.as_ref(), HEAD_LINES)
        });
        reading.await.map_err(Problem::fault)?.map_err(|wrong| Problem::field("body", wrong))
    }

    /// What would come of it. Nothing is written.
    pub async fn look(&self, app: &App, caller: &Caller, language: Language) -> Answer<Report> {
        let how = How { dry_run: true, ..self.file.how.clone() };
        imported(app.clone(), caller, (self.file.studio_id, self.file.import_id), how, self.bytes.clone(), language).await
    }
}

impl Waiting {
    /// Reads it, when nobody else in this process looks at theirs.
    pub async fn open(&self, app: &App) -> Answer<Opened<'_>> {
        let busy = || Problem::new(ProblemType::Busy).retry_after(LOOK_AGAIN_SECONDS);
        let look = app.imports.look().await.ok_or_else(busy)?;
        let found = store::bytes_of(&app.db, self.import_id, self.person_id).await?;
        let bytes = found.map(Bytes::from).ok_or_else(|| Problem::new(ProblemType::NotFound))?;
        Ok(Opened { file: self, bytes, look: Arc::new(look) })
    }

    /// Reads it in another way from now on.
    pub async fn set_how(&self, app: &App, how: &How) -> Answer<()> {
        if let Some(Err(wrong)) = how.columns.as_ref().map(|columns| columns.check(how.kind)) {
            return Err(Problem::field("columns", wrong));
        }
        let how = serde_json::to_value(how).map_err(Problem::fault)?;
        let (id, person_id) = (self.import_id, self.person_id);
        let set = app.db.write("import.set_how", move |tx| {
            Box::pin(async move { store::set_how(tx, id, person_id, how).await.map_err(Problem::from) })
        });
        set.await.map(drop)
    }

    /// Begins to carry it out, unless somebody has; it goes on by itself. What came of it is found by its id.
    pub async fn carry_out(self, app: &App, caller: &Caller, bad_lines: BadLines, language: Language) -> Answer<()> {
        let (id, person_id, now) = (self.import_id, self.person_id, app.clock.now());
        let begun = app.db.write("import.begin", move |tx| {
            Box::pin(async move { store::begin(tx, id, person_id, now, now - GIVEN_UP).await.map_err(Problem::from) })
        });
        if !begun.await? {
            return Ok(());
        }
        let (app, caller) = (app.clone(), caller.clone());
        tokio::spawn(async move {
            let how = How { dry_run: false, bad_lines, ..self.how.clone() };
            let done = match self.open(&app).await.map(|opened| opened.bytes) {
                Ok(file) => imported(app.clone(), &caller, (self.studio_id, id), how, file, language).await,
                Err(problem) => Err(problem),
            };
            if let Err(problem) = self.end(&app, done.map(drop)).await {
                tracing::warn!(import = %id, kind = problem.kind.slug(), "what became of an import could not be noted");
            }
        });
        Ok(())
    }

    /// Notes what came of it: the file of what is done is kept no longer.
    async fn end(&self, app: &App, done: Answer<()>) -> Answer<()> {
        match done {
            Ok(()) => self.forget(app).await,
            Err(problem) => {
                let (id, slug) = (self.import_id, problem.kind.slug());
                let noted = app.db.write("import.refused", move |tx| {
                    Box::pin(async move { store::set_refused(tx, id, slug).await.map_err(Problem::from) })
                });
                noted.await
            }
        }
    }

    /// Throws it away.
    pub async fn forget(&self, app: &App) -> Answer<()> {
        let (id, person_id) = (self.import_id, self.person_id);
        let forgotten = app
            .db
            .write("import.forget", move |tx| Box::pin(async move { store::forget_file(tx, id, person_id).await.map_err(Problem::from) }));
        forgotten.await
    }
}
