//! Sweeps: what falls due by the clock. Level-triggered: each looks for rows that are due now, hands the transactor one command a session, and
//! the transactor looks again; a missed tick or a dead process changes nothing but the time.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::{StreamExt, stream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::people;
use crate::problem::{Answer, Problem, ProblemType};
use crate::transactor::Command;
use crate::{booking, letters, passes, running, schedule};

/// How often to look.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Due rows that one look takes in hand.
const DUE_MAX: i64 = 500;

/// Commands that stand at the transactor at once: a few share a commit, and members wait for no long one.
const AT_THE_DESK: usize = 8;

/// The right to sweep: one process at a time.
const SWEEP_RIGHT: i64 = 0x52_65_6c_53_77_65;

/// The fact that says on which day (UTC) the nightly sweep last ran.
const LAST_NIGHT: &str = "last_night";

/// Rounds of one night; what is left waits for the next.
const ROUNDS_MAX: usize = 1_000;

/// How long the answer to an `Idempotency-Key` is remembered.
const KEYS_KEPT: TimeDelta = TimeDelta::days(90);

/// The sweeps of this process at work.
#[derive(Debug)]
pub struct RunningSweeps {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl RunningSweeps {
    /// Looks no more.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

/// Looks every ten seconds until it is stopped.
pub fn start(app: App) -> RunningSweeps {
    let (stop, mut stopped) = watch::channel(false);
    let task = tokio::spawn(async move {
        loop {
            let swept = sweep(&app).await;
            // What is due in such numbers is not all that is due.
            let more = matches!(swept, Ok(count) if i64::try_from(count).is_ok_and(|count| count >= DUE_MAX));
            for (name, outcome) in [("due", swept.map(drop)), ("nightly", nightly(&app).await)] {
                if let Err(problem) = outcome {
                    tracing::warn!(name, kind = ?problem.kind, "a sweep was not finished; the next one goes on");
                }
            }
            tokio::select! {
                _ = stopped.changed() => return,
                () = tokio::time::sleep(if more { Duration::ZERO } else { LOOK_EVERY }) => {}
            }
        }
    });
    RunningSweeps { stop, task }
}

/// One look at everything that may be due. How many commands were handed in.
pub async fn sweep(app: &App) -> Answer<usize> {
    let now = app.clock.now();
    let mut tx = app.db.read().await?;
    if !tx.alone(SWEEP_RIGHT).await? {
        tx.rollback().await;
        return Ok(0);
    }
    let mut due = Vec::new();
    due.extend(
        booking::store::waiting_over(&mut tx, now, DUE_MAX).await?.into_iter().map(|(session_id,)| Command::CloseWaitlist { session_id }),
    );
    due.extend(people::store::deletions_due(&mut tx, now, DUE_MAX).await?.into_iter().map(|person_id| Command::RemovePerson { person_id }));
    due.extend(schedule::series::store::due(&mut tx, now, DUE_MAX).await?.into_iter().map(|(series_id,)| Command::MakeAhead { series_id }));
    due.extend(
        schedule::store::too_few_due(&mut tx, now, DUE_MAX).await?.into_iter().map(|(session_id,)| Command::DecideTooFew { session_id }),
    );
    let requests = schedule::substitutes::store::due(&mut tx, now, DUE_MAX).await?;
    due.extend(requests.into_iter().map(|(request_id,)| Command::SubstituteDue { request_id }));
    due.extend(booking::store::refillable(&mut tx, now, DUE_MAX).await?.into_iter().map(|(session_id,)| Command::Refill { session_id }));
    let count = due.len();
    let mut outcome = Ok(count);
    let mut answers =
        stream::iter(due.into_iter().map(|what| async { (what.name(), app.transactor.submit_sweep(what).await) })).buffered(AT_THE_DESK);
    while let Some((name, answer)) = answers.next().await {
        match answer {
            Ok(_) => {}
            Err(problem) if matches!(problem.kind, ProblemType::Busy | ProblemType::Unavailable) => {
                outcome = Err(problem);
                break;
            }
            Err(Problem { kind, .. }) => tracing::error!(?kind, command = name, "a sweep's command was refused"),
        }
    }
    drop(answers);
    tx.rollback().await;
    outcome
}

/// Once a day, in any process: what has been kept long enough is erased (docs/product.md, privacy).
async fn nightly(app: &App) -> Answer<()> {
    let today = app.clock.now().date_naive().to_string();
    if running::store::fact(&app.db, LAST_NIGHT).await?.is_some_and(|last| last >= today) {
        return Ok(());
    }
    retention(app).await?;
    app.db.write("sweeps.night", move |tx| Box::pin(async move { running::store::note(tx, LAST_NIGHT, today).await })).await?;
    Ok(())
}

/// Erases what has been kept long enough: words of letters, sign-in data, withdrawn ids, answers to idempotency keys.
pub async fn retention(app: &App) -> Answer<()> {
    let now = app.clock.now();
    let letters = letters::retention::erase_old(app).await?;
    let mut sign_in = 0;
    for _ in 0..ROUNDS_MAX {
        let removed = crate::sign_in::retention::sweep(app).await?;
        sign_in += removed;
        if removed == 0 {
            break;
        }
    }
    let kept_since = now - KEYS_KEPT;
    app.db
        .write("sweeps.retention", move |tx| {
            Box::pin(async move {
                booking::store::forget_withdrawn(tx, now).await?;
                passes::store::forget_keys(tx, kept_since).await
            })
        })
        .await?;
    tracing::info!(letters, sign_in, "erased what has been kept long enough");
    Ok(())
}
