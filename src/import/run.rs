//! One import, from the bytes of the file to the rows. The file is read and judged by itself first, in a thread of its own; then it is
//! compared with what is there and written, in one transaction. A dry run compares it with a snapshot and writes nothing.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::progress::{Running, Turn};
use super::rules::bookings::BookingLine;
use super::rules::decode::{FileEncoding, decode};
use super::rules::members::MemberLine;
use super::rules::passes::PassLine;
use super::rules::table::{Columns, DateOrder, Delimiter, Table, told};
use super::rules::who::Members;
use super::rules::{Plan, Read, Step, Wrongs, bookings, members, passes};
use super::store::{self, Brought};
use super::{BadLines, Import, Kind, LINES_MAX};
use crate::app::App;
use crate::booking::{self, Booking};
use crate::db::{Trouble, Tx};
use crate::events::{self, Actor, Event, Happened, Subject};
use crate::ids::new_id;
use crate::language::Language;
use crate::passes::{LedgerEntry, LedgerReason, Pass, Sale};
use crate::people::store::bulk;
use crate::problem::{Answer, Problem, ProblemType};
use crate::schedule::SESSION_HOURS_MAX;
use crate::sign_in::secrets::hash;
use crate::text::Name;
use crate::transactor::Command;
use crate::wrong::Wrong;
use crate::zones;

/// How often it is tried again if somebody entered the same address at the same time.
const TRIES: usize = 3;

/// Lines that are written between two looks at how far it is.
const SLICE: usize = 1_000;

/// What is asked for, beside the file.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the parameters of the call")]
pub struct Ask {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub kind: Kind,
    pub bad_lines: BadLines,
    pub dry_run: bool,
    pub encoding: Option<FileEncoding>,
    pub delimiter: Option<Delimiter>,
    pub dates: DateOrder,
    pub columns: Option<Columns>,
    pub actor: Actor,
    pub by: Uuid,
    pub language: Language,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Report {
    pub import: Import,
    /// Columns that are not known.
    pub ignored: Vec<String>,
    /// What is wrong, line by line.
    pub wrong: Vec<(u64, Wrongs)>,
    /// Of a dry run the file, and what each of its lines comes to.
    pub lines: Option<(Arc<Table>, Vec<Fate>)>,
}

/// What a line of a file comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Something new.
    Made,
    /// What is there already.
    Known,
    /// It is left out, or nothing is written.
    Wrong,
}

/// The file, read.
enum Lines {
    Members(Vec<Read<MemberLine>>),
    Passes(Vec<Read<PassLine>>),
    Bookings(Vec<Read<BookingLine>>),
}

/// What a file of one kind comes to, ready to be written.
enum Made {
    Members(Vec<members::NewMember>),
    Passes(Vec<passes::NewPass>),
    Bookings(Vec<bookings::NewBooking>),
}

/// Imports a file, or says what would come of it.
pub async fn run(app: App, ask: Ask, file: Bytes, turn: Turn) -> Answer<Report> {
    let now = app.clock.now();
    let mut how = format!("{:?} {:?} {:?} {:?} {:?}", ask.kind, ask.bad_lines, ask.encoding, ask.delimiter, ask.dates);
    if let Some(columns) = &ask.columns {
        how += &format!(" {columns:?}");
    }
    let digest = hash(&[&hash(&file)[..], how.as_bytes()].concat()).to_vec();
    if let Some(done) = store::one(&app.db, ask.id).await? {
        return repeated(done, &ask, &digest);
    }
    let (table, lines) = read(&ask, file).await?;
    let (table, lines) = (Arc::new(table), Arc::new(lines));
    turn.running.has_lines(count(table.lines.len()));
    let base = Import {
        id: ask.id,
        studio_id: ask.studio_id,
        kind: ask.kind,
        digest,
        by_person: ask.by,
        at: now,
        lines: count(table.lines.len()),
        made: 0,
        known: 0,
        skipped: 0,
        invited_at: None,
        invited_per_hour: None,
    };
    if ask.dry_run {
        let mut tx = app.db.read().await?;
        let planned = planned(&mut tx, &ask, &lines, now).await;
        tx.rollback().await;
        let planned = planned?;
        let (import, ignored) = (planned.counted(base), table.ignored.clone());
        return Ok(Report { import, ignored, wrong: planned.wrong, lines: Some((table, planned.fates)) });
    }
    let mut tries = 1;
    let (report, to_serve) = loop {
        let (ask, table, lines, running, base) = (ask.clone(), Arc::clone(&table), Arc::clone(&lines), turn.running.clone(), base.clone());
        let work = app.db.write("import", move |tx| Box::pin(async move { written(tx, &ask, &table, &lines, &running, base).await }));
        match work.await {
            Err(Stopped::Database(error)) if matches!(error.trouble(), Trouble::Again | Trouble::Unique) && tries < TRIES => tries += 1,
            Err(stopped) => return Err(stopped.into()),
            Ok(done) => break done,
        }
    };
    // Who waited for lack of a pass is served now.
    for person_id in to_serve {
        app.transactor.submit_sweep(Command::RefillFor { person_id }).await?;
    }
    Ok(report)
}

/// Why nothing was written.
enum Stopped {
    Database(crate::db::Error),
    Refused(Box<Problem>),
}

impl From<crate::db::Error> for Stopped {
    fn from(error: crate::db::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Problem> for Stopped {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

impl From<Stopped> for Problem {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Database(error) => error.into(),
            Stopped::Refused(problem) => *problem,
        }
    }
}

/// The same import again: as it was. Another one by the same id is refused.
pub fn repeated(done: Import, ask: &Ask, digest: &[u8]) -> Answer<Report> {
    if done.studio_id != ask.studio_id || done.kind != ask.kind || done.digest != digest {
        return Err(Problem::new(ProblemType::ImportIdReused));
    }
    Ok(Report { import: done, ignored: Vec::new(), wrong: Vec::new(), lines: None })
}

async fn read(ask: &Ask, file: Bytes) -> Answer<(Table, Lines)> {
    let Ask { kind, encoding, delimiter, dates, .. } = *ask;
    let columns = ask.columns.clone();
    // Half a second of work for a long file, in which a thread of the server would answer nobody.
    let reading = tokio::task::spawn_blocking(move || {
        let table = Table::with(&decode(&file, encoding), kind, delimiter, columns.as_ref(), LINES_MAX)?;
        let lines = match kind {
            Kind::Members => Lines::Members(members::read(&table)),
            Kind::Passes => Lines::Passes(passes::read(&table, dates)),
            Kind::Bookings => Lines::Bookings(bookings::read(&table, dates)),
        };
        Ok((table, lines))
    });
    let read: Result<_, Wrong> = reading.await.map_err(Problem::fault)?;
    let (table, lines) = read.map_err(|wrong| Problem::field("body", wrong))?;
    if table.is_too_long {
        return Err(Problem::field("body", Wrong::TooManyLines { max: LINES_MAX }));
    }
    if table.knows_no_column() {
        return Err(Problem::field("body", Wrong::NoColumn { columns: table.known_columns() }));
    }
    Ok((table, lines))
}

/// What the file comes to.
struct Planned {
    made: Made,
    /// What is there already: by a key that was not known yet, or by none.
    known: Vec<(Uuid, Option<String>)>,
    wrong: Vec<(u64, Wrongs)>,
    /// Of each line, in their order.
    fates: Vec<Fate>,
}

impl Planned {
    /// The import with what it came to.
    fn counted(&self, import: Import) -> Import {
        Import { made: count(self.made.len()), known: count(self.known.len()), skipped: count(self.wrong.len()), ..import }
    }
}

async fn planned(tx: &mut Tx, ask: &Ask, lines: &Lines, now: DateTime<Utc>) -> Answer<Planned> {
    let new_id = || new_id(now);
    Ok(match lines {
        Lines::Members(lines) => {
            let state = state_of_members(tx, ask.studio_id, lines).await?;
            sorted(members::plan(lines.clone(), state, new_id), Made::Members)
        }
        Lines::Passes(lines) => {
            let state = passes::State {
                members: members_to_find(tx, ask.studio_id).await?,
                types: crate::passes::store::all_types(tx, ask.studio_id).await?,
                brought: store::brought(tx, ask.studio_id, Kind::Passes).await?,
            };
            sorted(passes::plan(lines.clone(), state, new_id), Made::Passes)
        }
        Lines::Bookings(lines) => {
            let state = state_of_bookings(tx, ask.studio_id, lines, now).await?;
            sorted(bookings::plan(lines.clone(), state, new_id), Made::Bookings)
        }
    })
}

fn sorted<T>(plan: Plan<T>, made_of: impl FnOnce(Vec<T>) -> Made) -> Planned {
    let (mut made, mut known, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    let mut fates = Vec::with_capacity(plan.len());
    for (number, step) in plan {
        fates.push(match step {
            Ok(Step::Make(new)) => {
                made.push(new);
                Fate::Made
            }
            Ok(Step::Known { row_id, new_key }) => {
                known.push((row_id, new_key));
                Fate::Known
            }
            Err(wrongs) => {
                wrong.push((number, wrongs));
                Fate::Wrong
            }
        });
    }
    Planned { made: made_of(made), known, wrong, fates }
}

impl Made {
    fn len(&self) -> usize {
        match self {
            Self::Members(made) => made.len(),
            Self::Passes(made) => made.len(),
            Self::Bookings(made) => made.len(),
        }
    }
}

async fn state_of_members(tx: &mut Tx, studio_id: Uuid, lines: &[Read<MemberLine>]) -> Answer<members::State> {
    let mut state = members::State { by_external_id: store::brought(tx, studio_id, Kind::Members).await?, ..members::State::default() };
    for one in bulk::of_studio(tx, studio_id).await? {
        let known = members::Known { person_id: one.person_id, name: one.name, is_member: one.is_member };
        state.add(known, one.address, one.phone.as_deref());
    }
    let keys: Vec<String> = lines.iter().filter_map(|(_, line)| line.as_ref().ok()?.email.as_ref()).map(crate::text::Email::key).collect();
    let owners = bulk::owners(tx, &keys).await?;
    state.owners = owners.into_iter().map(|(key, id, name)| (key, (id, name))).collect();
    Ok(state)
}

async fn members_to_find(tx: &mut Tx, studio_id: Uuid) -> Answer<Members> {
    let mut members = Members { by_external_id: store::brought(tx, studio_id, Kind::Members).await?, ..Members::default() };
    for one in bulk::of_studio(tx, studio_id).await?.into_iter().filter(|one| one.is_member) {
        if let Some(address) = one.address {
            members.by_address.entry(address).or_default().push((one.person_id, one.name));
        }
    }
    Ok(members)
}

async fn state_of_bookings(tx: &mut Tx, studio_id: Uuid, lines: &[Read<BookingLine>], now: DateTime<Utc>) -> Answer<bookings::State> {
    let zone = crate::studios::store::zone_of(tx, studio_id).await?.ok_or_else(|| Problem::new(ProblemType::NotFound))?.tz();
    let members = members_to_find(tx, studio_id).await?;
    let starts = || lines.iter().filter_map(|(_, line)| Some(zones::instant(line.as_ref().ok()?.local_start, zone)));
    let (from, to) = (starts().min().unwrap_or(now), starts().max().unwrap_or(now));
    let mut people: Vec<Uuid> = lines.iter().filter_map(|(_, line)| members.find(&line.as_ref().ok()?.who).ok()).collect();
    people.sort_unstable();
    people.dedup();
    let sessions = store::sessions(tx, studio_id, from, to).await?;
    let taken = store::taken(tx, &people, from, to + TimeDelta::hours(SESSION_HOURS_MAX)).await?;
    let brought = store::brought(tx, studio_id, Kind::Bookings).await?;
    Ok(bookings::State { now, zone, members, sessions, taken, brought })
}

/// Compares the file with what is there, and writes. Answers who may be able to take a place by it.
async fn written(
    tx: &mut Tx,
    ask: &Ask,
    table: &Table,
    lines: &Lines,
    running: &Running,
    base: Import,
) -> Result<(Report, Vec<Uuid>), Stopped> {
    let now = base.at;
    if ask.kind == Kind::Bookings {
        // The transactor reads and writes a session's counts whole.
        tx.between_batches().await?;
    }
    store::one_at_a_time(tx, ask.studio_id).await?;
    if let Some(done) = store::found(tx, ask.id).await? {
        return Ok((repeated(done, ask, &base.digest)?, Vec::new()));
    }
    let planned = planned(tx, ask, lines, now).await?;
    let import = planned.counted(base);
    let Planned { made, known, wrong, .. } = planned;
    if !wrong.is_empty() && ask.bad_lines == BadLines::Refuse {
        return Err(refused(&wrong, table.lines.len(), ask.language).into());
    }
    let reasons: HashMap<u64, String> = wrong.iter().map(|(number, wrongs)| (*number, told(wrongs, ask.language))).collect();
    let skipped = if reasons.is_empty() { None } else { Some(table.skipped(&reasons).map_err(Problem::fault)?) };
    store::insert(tx, import.clone(), skipped).await?;
    let what = (ask.studio_id, ask.kind, ask.id);
    let met = known.into_iter().filter_map(|(row_id, key)| Some(Brought { key: key?, row_id, made: false })).collect();
    store::insert_brought(tx, what, met).await?;
    running.is_at(import.known + import.skipped);
    let mut to_serve = Vec::new();
    match made {
        Made::Members(made) => write_members(tx, what, made, running, now).await?,
        Made::Passes(made) => {
            let people: Vec<Uuid> = made.iter().map(|pass| pass.person_id).collect();
            write_passes(tx, what, made, ask.by, running, now).await?;
            to_serve = store::waiting(tx, &people).await?;
        }
        Made::Bookings(made) => {
            store::take_places(tx, &made).await?;
            write_bookings(tx, what, made, ask.by, running, now).await?;
        }
    }
    let Import { kind, made, known, skipped, .. } = import;
    let event = Event::in_studio(ask.studio_id, Subject::Import, ask.id, Happened::Imported { kind, made, known, skipped });
    events::log::write(tx, now, vec![ask.actor.did(event)]).await?;
    Ok((Report { import, ignored: table.ignored.clone(), wrong, lines: None }, to_serve))
}

type What = (Uuid, Kind, Uuid);

async fn write_members(
    tx: &mut Tx,
    what: What,
    made: Vec<members::NewMember>,
    running: &Running,
    now: DateTime<Utc>,
) -> Result<(), Stopped> {
    for slice in made.chunks(SLICE) {
        let people = slice.iter().filter(|new| !new.is_linked).map(|new| {
            let key = new.line.email.as_ref().map(crate::text::Email::key);
            let (email_key, contact_key) = if new.shares_address { (None, key) } else { (key, None) };
            let email = new.line.email.as_ref().map(|email| email.as_str().to_owned());
            let name = new.line.name.as_str().to_owned();
            bulk::PersonRow { id: new.person_id, name, email, email_key, contact_key, locale: new.line.locale }
        });
        bulk::insert(tx, now, people.collect()).await?;
        let members = slice.iter().map(|new| bulk::MembershipRow {
            person_id: new.person_id,
            name: Name::as_str(&new.line.name).to_owned(),
            name_search: new.line.name_search.clone(),
            phone: new.line.phone.clone(),
            knows_address: new.line.email.is_some(),
        });
        bulk::join(tx, now, what.0, members.collect()).await?;
        let brought = slice.iter().map(|new| Brought { key: new.key.clone(), row_id: new.person_id, made: true });
        store::insert_brought(tx, what, brought.collect()).await?;
        running.is_at(running.done() + count(slice.len()));
    }
    Ok(())
}

async fn write_passes(
    tx: &mut Tx,
    what: What,
    made: Vec<passes::NewPass>,
    by: Uuid,
    running: &Running,
    now: DateTime<Utc>,
) -> Result<(), Stopped> {
    for slice in made.chunks(SLICE) {
        let rows: Vec<Pass> = slice.iter().map(|new| pass(new, what.0, by, now)).collect();
        crate::passes::store::insert(tx, rows.iter().collect()).await?;
        let entries = rows.iter().map(|pass| LedgerEntry {
            credits: pass.credits_left.unwrap_or(0),
            ..LedgerEntry::new(new_id(now), pass.id, LedgerReason::BroughtOver, Some(by), now)
        });
        crate::passes::store::insert_ledger(tx, entries.collect()).await?;
        let brought = slice.iter().map(|new| Brought { key: new.key.clone(), row_id: new.id, made: true });
        store::insert_brought(tx, what, brought.collect()).await?;
        running.is_at(running.done() + count(slice.len()));
    }
    Ok(())
}

/// A pass as its type is, but with the credits and the days that it had. Its end is not told ahead: it sends no letter by itself.
fn pass(new: &passes::NewPass, studio_id: Uuid, by: Uuid, now: DateTime<Utc>) -> Pass {
    let sale = Sale { id: new.id, studio_id, person_id: new.person_id, pass_type_id: new.pass_type.id, at: now, by: Some(by) };
    let terms = new.pass_type.terms();
    let sold = crate::passes::NewPass {
        name: terms.name,
        kind: terms.kind,
        credits_left: new.credits_left,
        per_week: terms.per_week,
        starts_on: new.starts_on,
        expires_on: new.expires_on,
        from_first: None,
        freeze_days_max: terms.freeze_days_max,
        transferable: terms.transferable,
        class_type_ids: terms.class_type_ids,
        studio_ids: terms.studio_ids.unwrap_or_else(|| vec![studio_id]),
    };
    Pass::sold(sale, sold)
}

async fn write_bookings(
    tx: &mut Tx,
    what: What,
    made: Vec<bookings::NewBooking>,
    by: Uuid,
    running: &Running,
    now: DateTime<Utc>,
) -> Result<(), Stopped> {
    for slice in made.chunks(SLICE) {
        let rows: Vec<Booking> = slice.iter().map(|new| brought_over(new, what.0, by, now)).collect();
        booking::store::insert(tx, rows.iter().collect()).await?;
        let brought = slice.iter().map(|new| Brought { key: new.key.clone(), row_id: new.id, made: true });
        store::insert_brought(tx, what, brought.collect()).await?;
        running.is_at(running.done() + count(slice.len()));
    }
    Ok(())
}

/// A booking that was made elsewhere: nothing is taken for it here, so nothing comes back, and nobody is reminded of it.
fn brought_over(new: &bookings::NewBooking, studio_id: Uuid, by: Uuid, now: DateTime<Utc>) -> Booking {
    let asked = booking::NewBooking {
        id: new.id,
        session_id: new.session_id,
        studio_id,
        person_id: new.person_id,
        starts_at: new.starts_at,
        ends_at: new.ends_at,
        asked_by: by,
        asked_pass_id: None,
        asked_waitlist: false,
        asked_unpaid: true,
        unpaid_reason: None,
    };
    Booking::brought_over(asked, new.status, new.free_cancel_until, now)
}

/// Nothing is written: what is wrong, line by line.
fn refused(wrong: &[(u64, Wrongs)], lines: usize, language: Language) -> Problem {
    let told: Vec<LineWrong> = wrong.iter().flat_map(|(number, wrongs)| lines_wrong(*number, wrongs, language)).collect();
    Problem::new(ProblemType::ImportRefused).with("lines", lines).with("lines_wrong", wrong.len()).with("wrong", told)
}

/// What is wrong with one cell of a file.
#[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = ImportWrong)]
pub struct LineWrong {
    /// In which line of the file; the columns stand in the first.
    pub line: u64,
    /// In which column, by its name here; `line` for what is wrong with the whole line.
    pub column: &'static str,
    /// What is wrong with it.
    pub message: String,
}

/// What is wrong with one line.
pub fn lines_wrong(line: u64, wrongs: &Wrongs, language: Language) -> Vec<LineWrong> {
    wrongs.iter().map(|(column, wrong)| LineWrong { line, column, message: wrong.words(language) }).collect()
}

fn count(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}
