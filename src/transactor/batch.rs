//! One batch: one transaction, many commands. What fails is tried again, then halved until the culprit stands alone.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::command::{Command, Outcome, Request, decide};
use super::turn_away;
use crate::db::{Db, Error, Trouble};
use crate::problem::{Answer, Problem, ProblemType};
use crate::working_set::{Abort, Lookup, WorkingSet};

/// How often a batch is tried again after a conflict.
const TRIES_MAX: u32 = 3;
/// Rounds of loading in a shared batch; a command that needs more is decided alone.
const ROUNDS_MAX: usize = 8;
/// Rounds of loading for a command alone: a queue of 10,000 read in slices.
const ROUNDS_ALONE_MAX: usize = 2_000;

/// A command with the instant at which it was submitted.
pub type Stamped = (Request, DateTime<Utc>);

/// How one try of a batch ended.
enum Tried {
    /// Committed: everyone's answer; `None` for commands that must be decided alone.
    Done(Vec<Option<Answer<Outcome>>>),
    /// The database refused.
    Failed(Error),
    /// A decision panicked, or the task was killed.
    Panicked,
}

/// Decides all commands; one answer each, in their order. Nothing is answered that is not committed.
pub async fn decide_all(db: &Db, commands: Arc<Vec<Stamped>>) -> Vec<Answer<Outcome>> {
    let mut answers: Vec<Option<Answer<Outcome>>> = (0..commands.len()).map(|_| None).collect();
    // Ranges of commands still to be decided, in arrival order from the end.
    let mut open: Vec<(usize, usize)> = vec![(0, commands.len())];
    while let Some((from, to)) = open.pop() {
        match with_retries(db, &commands, from, to).await {
            Tried::Done(done) => {
                for (index, answer) in (from..to).zip(done) {
                    match answer {
                        Some(answer) => answers[index] = Some(answer),
                        None => open.push((index, index + 1)),
                    }
                }
            }
            Tried::Failed(error) if matches!(error.trouble(), Trouble::Again) => {
                tracing::warn!(%error, commands = to - from, "a batch stood in somebody's way too often");
                answers[from..to].iter_mut().for_each(|answer| *answer = Some(Err(busy())));
            }
            Tried::Failed(error) if matches!(error.trouble(), Trouble::Away) => {
                tracing::error!(%error, commands = to - from, "{}", error.plight());
                answers[from..to].iter_mut().for_each(|answer| *answer = Some(Err(Problem::new(ProblemType::Unavailable).retry_after(2))));
            }
            failed if to - from > 1 => {
                if let Tried::Failed(error) = failed {
                    tracing::warn!(%error, commands = to - from, "a batch failed and is halved");
                }
                let middle = from + (to - from) / 2;
                open.push((middle, to));
                open.push((from, middle));
            }
            Tried::Failed(error) => {
                let command = commands[from].0.command.name();
                tracing::error!(%error, command, "a command failed");
                answers[from] = Some(Err(Problem::new(ProblemType::Fault)));
            }
            Tried::Panicked => {
                let command = commands[from].0.command.name();
                tracing::error!(command, "a command panicked");
                answers[from] = Some(Err(Problem::new(ProblemType::Fault)));
            }
        }
    }
    answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(Problem::new(ProblemType::Fault)))).collect()
}

async fn with_retries(db: &Db, commands: &Arc<Vec<Stamped>>, from: usize, to: usize) -> Tried {
    for tries in 1.. {
        let (db, commands) = (db.clone(), Arc::clone(commands));
        // A task of its own: a panic ends it, not the transactor.
        let task = tokio::spawn(async move { one_batch(&db, &commands[from..to]).await });
        match task.await {
            Ok(Err(error)) if matches!(error.trouble(), Trouble::Again) && tries < TRIES_MAX => {
                #[allow(clippy::disallowed_methods, reason = "jitter decides nothing")]
                let pause_ms = rand::random_range(5..50) * u64::from(tries);
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            }
            Ok(Ok(done)) => return Tried::Done(done),
            Ok(Err(error)) => return Tried::Failed(error),
            Err(_) => return Tried::Panicked,
        }
    }
    Tried::Panicked
}

/// One transaction. Commands that need a batch of their own come back as `None`.
async fn one_batch(db: &Db, commands: &[Stamped]) -> Result<Vec<Option<Answer<Outcome>>>, Error> {
    let mut tx = db.begin_batch().await?;
    let mut set = WorkingSet::empty(commands.len() == 1);
    let latest = commands.iter().map(|(_, now)| *now).max().unwrap_or_default();
    let earliest = commands.iter().map(|(_, now)| *now).min().unwrap_or_default();
    let keys: BTreeSet<Lookup> = commands.iter().flat_map(|(command, _)| command.lookups()).collect();
    set.load(&mut tx, &keys, earliest).await?;

    let mut answers: Vec<Option<Answer<Outcome>>> = Vec::with_capacity(commands.len());
    let rounds_max = if set.alone { ROUNDS_ALONE_MAX } else { ROUNDS_MAX };
    let mut rounds = 0;
    while let Some((command, now)) = commands.get(answers.len()) {
        match decide(&mut set, command, *now) {
            Ok(outcome) => answers.push(Some(Ok(outcome))),
            Err(Abort::Refused(problem)) => {
                turn_away::note(&mut set, command, &problem, *now);
                answers.push(Some(Err(*problem)));
            }
            Err(Abort::Alone) if !set.alone => answers.push(None),
            Err(Abort::Needs(keys)) if rounds < rounds_max => {
                rounds += 1;
                let mut keys: BTreeSet<Lookup> = keys.into_iter().collect();
                // What the commands behind it will need is asked for in the same round.
                let mut hopeful = HashMap::new();
                for (command, now) in &commands[answers.len() + 1..] {
                    if may_hope(&set, command, &mut hopeful) {
                        keys.extend(wanted(&mut set, command, *now));
                    }
                }
                set.load(&mut tx, &keys, earliest).await?;
            }
            Err(Abort::Needs(_)) if !set.alone => {
                answers.push(None);
                rounds = 0;
            }
            Err(stop) => {
                tracing::error!(?stop, command = command.command.name(), "a command came to no decision");
                answers.push(Some(Err(Problem::new(ProblemType::Fault))));
            }
        }
    }
    set.write(&mut tx, latest).await?;
    tx.commit().await?;
    Ok(answers)
}

/// Of the members who want one session, not many more have their rows loaded than there are places: once it is full, far less must be known
/// of the others. At least this many, or a batch of bookings refused for another reason (too early) would need a round for every few.
const HOPEFUL_MIN: i64 = 64;

/// Whether a command's rows are loaded now, or only once it is known who got the places.
fn may_hope(set: &WorkingSet, command: &Request, hopeful: &mut HashMap<Uuid, i64>) -> bool {
    let Command::Book(ask) = &command.command else { return true };
    let Ok(session) = set.session(ask.session_id) else { return true };
    let places = session.capacity - session.taken - session.held;
    let before = hopeful.entry(ask.session_id).or_insert(0);
    *before += 1;
    places <= 0 || *before <= places.max(HOPEFUL_MIN)
}

/// What a command would ask for now, if it were its turn.
fn wanted(set: &mut WorkingSet, command: &Request, now: DateTime<Utc>) -> Vec<Lookup> {
    let mark = set.mark();
    let decided = decide(set, command, now);
    set.back_to(mark);
    match decided {
        Err(Abort::Needs(keys)) => keys,
        _ => Vec::new(),
    }
}

/// Try again, not all at once.
pub fn busy() -> Problem {
    #[allow(clippy::disallowed_methods, reason = "jitter for clients decides nothing")]
    let seconds = rand::random_range(1..=3);
    Problem::new(ProblemType::Busy).retry_after(seconds)
}
