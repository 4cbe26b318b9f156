//! One batch: one transaction, many commands. What fails is tried again, then halved until the culprit stands alone.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::command::Publish;
use super::needs::{Key, Stop};
use super::world::World;
use super::{Command, Outcome, What, busy, decide, store};
use crate::db::{Db, Error, Trouble};
use crate::problem::{Answer, Kind, Problem};

/// How often a batch that somebody else stood in the way of is tried again.
const TRIES_MAX: u32 = 3;
/// Rounds of loading in company; whoever needs more decides alone.
const ROUNDS_MAX: usize = 8;
/// Rounds of loading alone: a queue of 10,000 read in slices.
const ROUNDS_ALONE_MAX: usize = 2_000;

/// A command with the instant at which it was handed in.
pub type Stamped = (Command, DateTime<Utc>);

/// How one try of a batch ended.
enum Tried {
    /// Committed: everyone's answer; `None` for those who must decide alone.
    Done(Vec<Option<Answer<Outcome>>>),
    /// The database said no.
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
                answers[from..to].iter_mut().for_each(|answer| *answer = Some(Err(Problem::new(Kind::Unavailable).retry_after(2))));
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
                let command = commands[from].0.what.name();
                tracing::error!(%error, command, "a command failed");
                answers[from] = Some(Err(Problem::new(Kind::Fault)));
            }
            Tried::Panicked => {
                let command = commands[from].0.what.name();
                tracing::error!(command, "a command panicked");
                answers[from] = Some(Err(Problem::new(Kind::Fault)));
            }
        }
    }
    answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(Problem::new(Kind::Fault)))).collect()
}

async fn with_retries(db: &Db, commands: &Arc<Vec<Stamped>>, from: usize, to: usize) -> Tried {
    for tries in 1.. {
        let (db, commands) = (db.clone(), Arc::clone(commands));
        // A task of its own: a panic ends it, not the desk.
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
    let mut tx = db.desk().await?;
    let mut world = World::empty(commands.len() == 1);
    let latest = commands.iter().map(|(_, now)| *now).max().unwrap_or_default();
    let earliest = commands.iter().map(|(_, now)| *now).min().unwrap_or_default();
    let keys: BTreeSet<Key> = commands.iter().flat_map(|(command, _)| first_keys(command)).collect();
    store::load(&mut tx, &mut world, &keys, earliest).await?;

    let mut answers: Vec<Option<Answer<Outcome>>> = Vec::with_capacity(commands.len());
    let rounds_max = if world.alone { ROUNDS_ALONE_MAX } else { ROUNDS_MAX };
    let mut rounds = 0;
    while let Some((command, now)) = commands.get(answers.len()) {
        match decide(&mut world, command, *now) {
            Ok(outcome) => answers.push(Some(Ok(outcome))),
            Err(Stop::Refused(problem)) => answers.push(Some(Err(*problem))),
            Err(Stop::Alone) if !world.alone => answers.push(None),
            Err(Stop::Needs(keys)) if rounds < rounds_max => {
                rounds += 1;
                let mut keys: BTreeSet<Key> = keys.into_iter().collect();
                // What those behind will need is asked for in the same round.
                let mut hopeful = HashMap::new();
                for (command, now) in &commands[answers.len() + 1..] {
                    if may_hope(&world, command, &mut hopeful) {
                        keys.extend(wanted(&mut world, command, *now));
                    }
                }
                store::load(&mut tx, &mut world, &keys, earliest).await?;
            }
            Err(Stop::Needs(_)) if !world.alone => {
                answers.push(None);
                rounds = 0;
            }
            Err(stop) => {
                tracing::error!(?stop, command = command.what.name(), "a command came to no decision");
                answers.push(Some(Err(Problem::new(Kind::Fault))));
            }
        }
    }
    let removed = std::mem::take(&mut world.removed);
    store::write(&mut tx, &mut world, latest).await?;
    for person_id in removed {
        crate::people::store::make_nameless(&mut tx, person_id, latest).await?;
        crate::booking::store::forget(&mut tx, person_id).await?;
    }
    tx.commit().await?;
    Ok(answers)
}

/// Of those who want one session, not many more are asked about than there are places: once it is full, far less must be known of the
/// others. So many at least, or a batch of taps that are refused for another reason (too early) would need a round for every few.
const HOPEFUL_MIN: i64 = 64;

/// Whether a command is asked about now, or only once it is known who got the places.
fn may_hope(world: &World, command: &Command, hopeful: &mut HashMap<Uuid, i64>) -> bool {
    let What::Book(ask) = &command.what else { return true };
    let Ok(session) = world.session(ask.session_id) else { return true };
    let places = session.capacity - session.taken - session.held;
    let before = hopeful.entry(ask.session_id).or_insert(0);
    *before += 1;
    places <= 0 || *before <= places.max(HOPEFUL_MIN)
}

/// What a command would ask for now, if it were its turn.
fn wanted(world: &mut World, command: &Command, now: DateTime<Utc>) -> Vec<Key> {
    let mark = world.mark();
    let decided = decide(world, command, now);
    world.back_to(mark);
    match decided {
        Err(Stop::Needs(keys)) => keys,
        _ => Vec::new(),
    }
}

/// What a command is known to need before it is decided.
fn first_keys(command: &Command) -> Vec<Key> {
    let caller = command.by.actor_id;
    // Whether a booking needs more of her, the session says.
    let known_as = if matches!(command.what, What::Book(_)) { Key::Identity } else { Key::Person };
    let mut keys: Vec<Key> = caller.map(known_as).into_iter().collect();
    match &command.what {
        What::Book(ask) => {
            keys.push(Key::Session(ask.session_id));
            keys.extend(caller.map(|caller| Key::Booking(ask.id, caller)));
            keys.extend(ask.person_id.map(Key::Identity));
        }
        What::Cancel(ask) => keys.extend(caller.map(|caller| Key::Booking(ask.booking_id, caller))),
        What::Accept { booking_id } | What::CheckIn { booking_id, .. } | What::UndoCheckIn { booking_id } => {
            keys.extend(caller.map(|caller| Key::Booking(*booking_id, caller)));
        }
        What::MakeSession(ask) => {
            keys.extend([
                Key::Studio(ask.studio_id),
                Key::ClassType(ask.class_type_id),
                Key::Room(ask.room_id),
                Key::Person(ask.instructor_id),
            ]);
        }
        What::EditSession(ask) => {
            keys.push(Key::Session(ask.session_id));
            keys.extend(ask.class_type_id.map(Key::ClassType));
            keys.extend(ask.room_id.map(Key::Room));
            keys.extend(ask.instructor_id.map(Key::Person));
        }
        What::CancelSession(ask) => keys.extend([Key::Session(ask.session_id), Key::Roster(ask.session_id)]),
        What::SetNotes { session_id, .. } => keys.push(Key::Session(*session_id)),
        What::MakeSeries(ask) => {
            keys.extend([
                Key::Studio(ask.studio_id),
                Key::ClassType(ask.class_type_id),
                Key::Room(ask.room_id),
                Key::Person(ask.instructor_id),
                Key::ClosingDays(ask.studio_id),
            ]);
        }
        What::MakeAhead { series_id } => keys.push(Key::Series(*series_id)),
        What::Publish(Publish::Days { studio_id, from, to }) => keys.extend([Key::Studio(*studio_id), Key::Days(*studio_id, *from, *to)]),
        What::Publish(Publish::Series { series_id }) => keys.extend([Key::Series(*series_id), Key::SeriesSessions(*series_id)]),
        What::CopyDays { studio_id, .. } | What::CloseDays { studio_id, .. } | What::OpenDay { studio_id, .. } => {
            keys.extend([Key::Studio(*studio_id), Key::ClosingDays(*studio_id)]);
        }
        What::AskSubstitute(ask) => {
            keys.extend([Key::Studio(ask.studio_id), Key::Candidates(ask.studio_id)]);
            keys.extend(ask.session_id.map(Key::Session));
            keys.extend(ask.dates.map(|(from, to)| Key::Days(ask.studio_id, from, to)));
        }
        What::ClaimSubstitute { request_id }
        | What::UnclaimSubstitute { request_id }
        | What::ApproveSubstitute { request_id, .. }
        | What::WithdrawSubstitute { request_id }
        | What::SubstituteDue { request_id } => keys.push(Key::Request(*request_id)),
        What::DecideTooFew { session_id } => keys.extend([Key::Session(*session_id), Key::Roster(*session_id)]),
        What::SellPass(ask) => {
            keys.extend([Key::Studio(ask.studio_id), Key::PassType(ask.pass_type_id), Key::Person(ask.person_id)]);
            keys.extend(caller.map(|caller| Key::Idempotency(caller, ask.key.clone())));
        }
        What::SetRoles { studio_id, person_id, .. } => {
            keys.extend([Key::Studio(*studio_id), Key::Identity(*person_id), Key::Teaching(*person_id)]);
        }
        What::RemovePerson { person_id } => keys.extend([Key::Person(*person_id), Key::Teaching(*person_id)]),
        What::Refill { session_id } => keys.extend([Key::Session(*session_id), Key::Queue(*session_id)]),
        What::CloseWaitlist { session_id } => keys.extend([Key::Session(*session_id), Key::Roster(*session_id)]),
    }
    keys
}
