//! The desk: where places and credits change hands, one batch at a time in the whole deployment.
//!
//! A handler hands a [`Command`] to [`Desk::ask`] and waits. The desk takes all that wait (at most 256), loads what they name
//! (`store`), decides each in arrival order upon the rows as the ones before left them (`world`, `places`, `sessions`, `sales`), writes
//! everything by set statements, commits, and only then answers (`batch`). Nothing stays in memory between batches.

mod batch;
mod changes;
pub mod command;
mod letters;
pub mod needs;
mod places;
mod planning;
mod sales;
mod series;
mod sessions;
mod staff;
pub mod store;
mod substitutes;
pub mod table;
mod too_few;
pub mod world;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

pub use command::{Command, Loses, Outcome, Preview, ShownBooking, Told, What};
use needs::{Decided, Stop};
use world::{Mark, World};

use crate::audit::{Entry, Record};
use crate::booking::Booking;
use crate::clock::Clock;
use crate::db::Db;
use crate::problem::{Answer, Kind, Problem};

/// Members' commands that may wait.
const MEMBERS_WAITING_MAX: usize = 4_096;
/// Sweeps' commands that may wait.
const SWEEPS_WAITING_MAX: usize = 1_024;
/// Commands of one person that may wait.
const OF_ONE_PERSON_MAX: usize = 16;
/// Commands of one batch.
const BATCH_MAX: usize = 256;
/// Sweeps' commands of one batch.
const SWEEPS_OF_BATCH_MAX: usize = 32;
/// A command that is undecided after this is dropped undecided.
const UNDECIDED_MAX: Duration = Duration::from_secs(10);

/// The desk's counter, at which commands are handed in. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    members: mpsc::Sender<Waiting>,
    sweeps: mpsc::Sender<Waiting>,
    waiting_of: Arc<Mutex<HashMap<Uuid, usize>>>,
    clock: Clock,
}

/// The desk at work; ends when every [`Desk`] is gone or [`Working::stop`] is called, after the last command was answered.
pub struct Working {
    stop: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Working {
    /// Takes no more commands, decides those that wait, and ends.
    pub async fn stop(self) {
        self.stop.notify_one();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the desk ended badly");
        }
    }
}

/// A command in the queue.
struct Waiting {
    command: Command,
    /// By which cut-offs are judged, through all retries.
    now: DateTime<Utc>,
    since: Instant,
    answer: oneshot::Sender<Answer<Outcome>>,
}

impl Desk {
    /// Opens the desk of this process.
    pub fn open(db: Db, clock: Clock, letters_written: Arc<Notify>) -> (Self, Working) {
        let (members, members_in) = mpsc::channel(MEMBERS_WAITING_MAX);
        let (sweeps, sweeps_in) = mpsc::channel(SWEEPS_WAITING_MAX);
        let stop = Arc::new(Notify::new());
        let counter = Counter { db, letters_written, members: members_in, sweeps: sweeps_in, stop: Arc::clone(&stop) };
        let task = tokio::spawn(counter.work());
        (Self { members, sweeps, waiting_of: Arc::default(), clock }, Working { stop, task })
    }

    /// Hands in a command and waits for what comes of it. The answer comes after the commit that made it true.
    pub async fn ask(&self, by: Record, what: What) -> Answer<Outcome> {
        let _turn = by.actor_id.map(|person| self.turn_of(person)).transpose()?;
        self.hand_in(&self.members, Command { by, what, dry_run: false }).await
    }

    /// Asks what would come of a command: it is decided like any other, and leaves nothing behind.
    pub async fn preview(&self, by: Record, what: What) -> Answer<Preview> {
        let _turn = by.actor_id.map(|person| self.turn_of(person)).transpose()?;
        match self.hand_in(&self.members, Command { by, what, dry_run: true }).await? {
            Outcome::Preview(preview) => Ok(*preview),
            _ => Err(Problem::new(Kind::Fault)),
        }
    }

    /// The same for commands that make or change one thing: its id.
    pub async fn ask_for_id(&self, by: Record, what: What) -> Answer<Uuid> {
        match self.ask(by, what).await? {
            Outcome::Session(id) | Outcome::Pass(id) | Outcome::Series(id) => Ok(id),
            Outcome::Booking(shown) => Ok(shown.booking.id),
            Outcome::Requests(_) | Outcome::Sessions(_) | Outcome::Staff { .. } | Outcome::Preview(_) | Outcome::Done => {
                Err(Problem::new(Kind::NotFound))
            }
        }
    }

    /// The same for sweeps, in a lane of their own.
    pub async fn sweep(&self, what: What) -> Answer<Outcome> {
        self.hand_in(&self.sweeps, Command { by: Record::default(), what, dry_run: false }).await
    }

    /// Whether somebody stands at the desk of this process: her answer is still to come.
    pub fn is_busy(&self) -> bool {
        !self.waiting_of.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Whether the desk takes commands and answers them.
    pub async fn is_answering(&self) -> bool {
        let nothing = What::Refill { session_id: Uuid::nil() };
        let answer = tokio::time::timeout(Duration::from_secs(2), self.sweep(nothing)).await;
        matches!(answer, Ok(Ok(_)) | Ok(Err(Problem { kind: Kind::NotFound, .. })))
    }

    async fn hand_in(&self, lane: &mpsc::Sender<Waiting>, command: Command) -> Answer<Outcome> {
        let (answer, answered) = oneshot::channel();
        let name = command.what.name();
        let waiting = Waiting { command, now: self.clock.now(), since: Instant::now(), answer };
        lane.try_send(waiting).map_err(|_| busy())?;
        let answer = answered.await.unwrap_or_else(|_| Err(Problem::new(Kind::Unavailable).retry_after(2)));
        let outcome = if answer.is_ok() { "done" } else { "refused" };
        metrics::counter!("releve_desk_commands_total", "command" => name, "outcome" => outcome).increment(1);
        answer
    }

    fn turn_of(&self, person_id: Uuid) -> Answer<Turn> {
        let mut waiting = self.waiting_of.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.entry(person_id).or_default();
        if *count >= OF_ONE_PERSON_MAX {
            return Err(Problem::new(Kind::TooManyRequests).retry_after(1));
        }
        *count += 1;
        Ok(Turn { person_id, waiting_of: Arc::clone(&self.waiting_of) })
    }
}

/// One of the few places in the queue that a person has.
struct Turn {
    person_id: Uuid,
    waiting_of: Arc<Mutex<HashMap<Uuid, usize>>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut waiting = self.waiting_of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = waiting.get_mut(&self.person_id) {
            *count -= 1;
            if *count == 0 {
                waiting.remove(&self.person_id);
            }
        }
    }
}

/// Behind the counter: takes what waits, batch after batch.
struct Counter {
    db: Db,
    letters_written: Arc<Notify>,
    members: mpsc::Receiver<Waiting>,
    sweeps: mpsc::Receiver<Waiting>,
    stop: Arc<Notify>,
}

impl Counter {
    async fn work(mut self) {
        let mut open = true;
        loop {
            let mut batch = Vec::new();
            tokio::select! {
                biased;
                () = self.stop.notified(), if open => {
                    open = false;
                    self.members.close();
                    self.sweeps.close();
                    continue;
                }
                Some(first) = self.members.recv() => batch.push(first),
                Some(first) = self.sweeps.recv() => batch.push(first),
                else => return,
            }
            while batch.len() < BATCH_MAX
                && let Ok(next) = self.members.try_recv()
            {
                batch.push(next);
            }
            for _ in 0..SWEEPS_OF_BATCH_MAX {
                let Ok(next) = self.sweeps.try_recv() else { break };
                batch.push(next);
            }
            self.serve(batch).await;
        }
    }

    async fn serve(&self, batch: Vec<Waiting>) {
        let (batch, late): (Vec<_>, Vec<_>) = batch.into_iter().partition(|waiting| waiting.since.elapsed() < UNDECIDED_MAX);
        for waiting in late {
            drop(waiting.answer.send(Err(busy())));
        }
        if batch.is_empty() {
            return;
        }
        metrics::histogram!("releve_desk_batch_commands").record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        let began = Instant::now();
        let (commands, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|waiting| ((waiting.command, waiting.now), waiting.answer)).unzip();
        let outcomes = batch::decide_all(&self.db, Arc::new(commands)).await;
        metrics::histogram!("releve_desk_batch_seconds").record(began.elapsed());
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            drop(answer.send(outcome));
        }
        self.letters_written.notify_one();
    }
}

/// Come again, not all at once.
fn busy() -> Problem {
    #[allow(clippy::disallowed_methods, reason = "jitter for clients decides nothing")]
    let seconds = rand::random_range(1..=3);
    Problem::new(Kind::Busy).retry_after(seconds)
}

/// Who stands behind a command.
#[derive(Clone, Debug)]
pub struct Actor {
    /// For the audit log.
    pub record: Record,
}

impl Actor {
    /// The house itself: a promotion, a sweep.
    pub fn house() -> Self {
        Self { record: Record::default() }
    }

    fn person_id(&self) -> Decided<Uuid> {
        self.record.actor_id.ok_or_else(|| Problem::new(Kind::SignInRequired).into())
    }

    fn line(&self, action: &'static str, booking: &Booking) -> Entry {
        self.record.of(action, "booking", booking.id, Some(booking.studio_id))
    }
}

fn not_found() -> Stop {
    Problem::new(Kind::NotFound).into()
}

/// Decides one command upon the world. Pure: what is missing is asked for, what is refused leaves nothing behind.
pub fn decide(world: &mut World, command: &Command, now: DateTime<Utc>) -> Decided<Outcome> {
    let actor = Actor { record: command.by.clone() };
    let mark = world.mark();
    let decided = match &command.what {
        What::Book(ask) => places::book(world, &actor, ask, now),
        What::Cancel(ask) => places::cancel(world, &actor, ask, now),
        What::Accept { booking_id } => places::accept(world, &actor, *booking_id, now),
        What::CheckIn { booking_id, at } => places::check_in(world, &actor, *booking_id, true, *at, now),
        What::UndoCheckIn { booking_id } => places::check_in(world, &actor, *booking_id, false, None, now),
        What::MakeSession(ask) => sessions::make(world, &actor, ask, now),
        What::EditSession(ask) => sessions::edit(world, &actor, ask, now),
        What::CancelSession(ask) => sessions::cancel(world, &actor, ask, now),
        What::SetNotes { session_id, team, members } => sessions::set_notes(world, &actor, *session_id, team, members),
        What::MakeSeries(ask) => series::make(world, &actor, ask, now),
        What::MakeAhead { series_id } => series::make_ahead(world, *series_id, now),
        What::Publish(ask) => planning::publish(world, &actor, *ask, now),
        What::CopyDays { studio_id, from, days, to } => planning::copy(world, &actor, *studio_id, *from, *days, *to, now),
        What::CloseDays { studio_id, from, to, note } => planning::close(world, &actor, *studio_id, *from, *to, note.as_deref(), now),
        What::OpenDay { studio_id, date } => planning::open(world, &actor, *studio_id, *date),
        What::AskSubstitute(ask) => substitutes::ask(world, &actor, ask, now),
        What::ClaimSubstitute { request_id } => substitutes::claim(world, &actor, *request_id, now),
        What::UnclaimSubstitute { request_id } => substitutes::unclaim(world, &actor, *request_id),
        What::ApproveSubstitute { request_id, approved } => substitutes::approve(world, &actor, *request_id, *approved, now),
        What::WithdrawSubstitute { request_id } => substitutes::withdraw(world, &actor, *request_id, now),
        What::SubstituteDue { request_id } => substitutes::due(world, *request_id, now),
        What::DecideTooFew { session_id } => too_few::decide(world, *session_id, now),
        What::SellPass(ask) => sales::sell(world, &actor, ask, now),
        What::SetRoles { studio_id, person_id, roles } => staff::set_roles(world, &actor, *studio_id, *person_id, roles, now),
        What::RemovePerson { person_id } => places::remove_person(world, &actor, *person_id, now),
        What::Refill { session_id } => places::refill_by_clock(world, *session_id, now),
        What::CloseWaitlist { session_id } => places::close_waitlist(world, *session_id, now),
    };
    match decided {
        Ok(outcome) if command.dry_run => {
            let preview = preview(world, mark, outcome);
            world.back_to(mark);
            Ok(Outcome::Preview(Box::new(preview)))
        }
        Ok(outcome) => Ok(outcome),
        Err(stop) => {
            world.back_to(mark);
            Err(stop)
        }
    }
}

/// What a command did since `mark`, to be read before it is taken back.
fn preview(world: &World, mark: Mark, outcome: Outcome) -> Preview {
    let skipped = if let Outcome::Sessions(several) = outcome { several.skipped } else { Vec::new() };
    let name = |id: Uuid| world.persons.get(&id).and_then(Option::as_ref).map(|person| person.name.clone()).unwrap_or_default();
    let told = world.letters_since(mark).iter().filter_map(|letter| {
        let person_id = letter.person_id?;
        let (letter_kind, booking_id, session_id) = (letter.facts.kind(), letter.booking_id, letter.session_id);
        Some(Told { person_id, name: name(person_id), letter: letter_kind, booking_id, session_id })
    });
    let changed = world.bookings_since(mark).into_iter();
    let bookings = changed
        .filter(|(before, after)| {
            before.is_none_or(|before| before.status != after.status || before.free_cancel_until != after.free_cancel_until)
        })
        .map(|(before, after)| Loses {
            booking_id: after.id,
            session_id: after.session_id,
            person_id: after.person_id,
            name: name(after.person_id),
            status_before: before.map(|before| before.status),
            status: after.status,
            credits_returned: after.credits_returned - before.map_or(0, |before| before.credits_returned),
            free_cancel_until: after.free_cancel_until,
        });
    Preview { dry_run: true, told: told.collect(), bookings: bookings.collect(), skipped }
}
