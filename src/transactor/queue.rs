//! The queue before the transactor: two bounded lanes, and the loop that takes what waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::batch::{self, busy};
use super::command::{Command, Outcome, Request};
use super::preview::Preview;
use crate::clock::Clock;
use crate::db::Db;
use crate::events::Actor;
use crate::problem::{Answer, Problem, ProblemType};

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

/// How often an idle loop reports that it is alive.
const BEAT_EVERY: Duration = Duration::from_secs(1);

/// A loop without a sign of life for this long is stuck: no batch may take longer and still be answered.
const SILENCE_MAX: Duration = Duration::from_secs(15);

/// When the loop last came round.
#[derive(Clone)]
struct Heartbeat(Arc<Mutex<Instant>>);

impl Default for Heartbeat {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl Heartbeat {
    fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn is_fresh(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed() < SILENCE_MAX
    }
}

/// The handle for submitting commands. Cheap to clone.
#[derive(Clone)]
pub struct Transactor {
    members: mpsc::Sender<Queued>,
    sweeps: mpsc::Sender<Queued>,
    waiting_of: Arc<Mutex<HashMap<Uuid, usize>>>,
    clock: Clock,
    heartbeat: Heartbeat,
}

/// The running transactor; ends when every [`Transactor`] is gone or [`TransactorTask::stop`] is called, after the last answer.
pub struct TransactorTask {
    stop: Arc<Notify>,
    task: JoinHandle<()>,
}

impl TransactorTask {
    /// Takes no more commands, decides those that wait, and ends.
    pub async fn stop(self) {
        self.stop.notify_one();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the transactor ended badly");
        }
    }
}

/// A command in the queue.
struct Queued {
    request: Request,
    /// The instant by which cut-offs are judged, through all retries.
    now: DateTime<Utc>,
    since: Instant,
    answer: oneshot::Sender<Answer<Outcome>>,
}

impl Transactor {
    /// Opens the transactor of this process.
    pub fn open(db: Db, clock: Clock, letters_written: Arc<Notify>) -> (Self, TransactorTask) {
        let (members, members_in) = mpsc::channel(MEMBERS_WAITING_MAX);
        let (sweeps, sweeps_in) = mpsc::channel(SWEEPS_WAITING_MAX);
        let stop = Arc::new(Notify::new());
        let heartbeat = Heartbeat::default();
        let batch_loop = BatchLoop {
            db,
            letters_written,
            members: members_in,
            sweeps: sweeps_in,
            stop: Arc::clone(&stop),
            heartbeat: heartbeat.clone(),
        };
        let task = tokio::spawn(batch_loop.work());
        (Self { members, sweeps, waiting_of: Arc::default(), clock, heartbeat }, TransactorTask { stop, task })
    }

    /// Submits a command and waits for its outcome. The answer comes after the commit that made it true.
    pub async fn submit(&self, actor: Actor, command: Command) -> Answer<Outcome> {
        let _slot = actor.person_id.map(|person| self.slot_of(person)).transpose()?;
        self.hand_in(&self.members, Request { actor, command, dry_run: false }).await
    }

    /// Asks what would come of a command: it is decided like any other, and leaves nothing behind.
    pub async fn preview(&self, actor: Actor, command: Command) -> Answer<Preview> {
        let _slot = actor.person_id.map(|person| self.slot_of(person)).transpose()?;
        match self.hand_in(&self.members, Request { actor, command, dry_run: true }).await? {
            Outcome::Preview(preview) => Ok(*preview),
            _ => Err(Problem::new(ProblemType::Fault)),
        }
    }

    /// The same for commands that make or change one thing: its id.
    pub async fn submit_for_id(&self, actor: Actor, command: Command) -> Answer<Uuid> {
        match self.submit(actor, command).await? {
            Outcome::Id(id) => Ok(id),
            Outcome::Booking(shown) => Ok(shown.booking.id),
            Outcome::Ids(_) | Outcome::Bulk(_) | Outcome::Unstaffed(_) | Outcome::Preview(_) | Outcome::CheckIns(_) | Outcome::Done => {
                Err(Problem::new(ProblemType::NotFound))
            }
        }
    }

    /// The same for sweeps, in a lane of their own.
    pub async fn submit_sweep(&self, command: Command) -> Answer<Outcome> {
        self.hand_in(&self.sweeps, Request { actor: Actor::system(), command, dry_run: false }).await
    }

    /// Whether a member's command is still waiting for its answer in this process.
    pub fn is_busy(&self) -> bool {
        !self.waiting_of.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Whether the transactor takes commands, and its loop came round lately. Does not ask the database.
    pub fn is_alive(&self) -> bool {
        !self.members.is_closed() && self.heartbeat.is_fresh()
    }

    async fn hand_in(&self, lane: &mpsc::Sender<Queued>, request: Request) -> Answer<Outcome> {
        let (answer, answered) = oneshot::channel();
        let name = request.command.name();
        let queued = Queued { request, now: self.clock.now(), since: Instant::now(), answer };
        lane.try_send(queued).map_err(|_| busy())?;
        let answer = answered.await.unwrap_or_else(|_| Err(Problem::new(ProblemType::Unavailable).retry_after(2)));
        if answer.as_ref().is_err_and(|problem| problem.kind == ProblemType::Fault) {
            // The batch has logged what went wrong; this line says for which request.
            tracing::error!(command = name, "a command was not carried out");
        }
        let outcome = if answer.is_ok() { "done" } else { "refused" };
        metrics::counter!("releve_transactor_commands_total", "command" => name, "outcome" => outcome).increment(1);
        answer
    }

    fn slot_of(&self, person_id: Uuid) -> Answer<PersonSlot> {
        let mut waiting = self.waiting_of.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.entry(person_id).or_default();
        if *count >= OF_ONE_PERSON_MAX {
            return Err(Problem::new(ProblemType::TooManyRequests).retry_after(1));
        }
        *count += 1;
        Ok(PersonSlot { person_id, waiting_of: Arc::clone(&self.waiting_of) })
    }
}

/// One of the few places in the queue that a person has.
struct PersonSlot {
    person_id: Uuid,
    waiting_of: Arc<Mutex<HashMap<Uuid, usize>>>,
}

impl Drop for PersonSlot {
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

/// Takes what waits, batch after batch.
struct BatchLoop {
    db: Db,
    letters_written: Arc<Notify>,
    members: mpsc::Receiver<Queued>,
    sweeps: mpsc::Receiver<Queued>,
    stop: Arc<Notify>,
    heartbeat: Heartbeat,
}

impl BatchLoop {
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
                // Not once it is to end, or nobody is left to submit anything: with a beat always to come, it never would.
                () = tokio::time::sleep(BEAT_EVERY), if !self.members.is_closed() => {
                    self.heartbeat.beat();
                    continue;
                }
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
            self.heartbeat.beat();
        }
    }

    async fn serve(&self, batch: Vec<Queued>) {
        let (batch, late): (Vec<_>, Vec<_>) = batch.into_iter().partition(|waiting| waiting.since.elapsed() < UNDECIDED_MAX);
        for waiting in late {
            drop(waiting.answer.send(Err(busy())));
        }
        if batch.is_empty() {
            return;
        }
        metrics::histogram!("releve_transactor_batch_commands").record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        let began = Instant::now();
        let (requests, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|waiting| ((waiting.request, waiting.now), waiting.answer)).unzip();
        let outcomes = batch::decide_all(&self.db, Arc::new(requests)).await;
        metrics::histogram!("releve_transactor_batch_seconds").record(began.elapsed());
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            drop(answer.send(outcome));
        }
        self.letters_written.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_is_not_heard_of_is_stuck() {
        let heartbeat = Heartbeat::default();
        assert!(heartbeat.is_fresh());
        let long_ago = Instant::now().checked_sub(SILENCE_MAX).expect("the machine is up that long");
        *heartbeat.0.lock().unwrap() = long_ago;
        assert!(!heartbeat.is_fresh());
        heartbeat.beat();
        assert!(heartbeat.is_fresh());
    }
}
