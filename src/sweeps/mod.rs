//! Sweeps: what falls due by the clock, one file per kind, registered in `KINDS`.
//!
//! They are level-triggered: each kind looks for rows that are due now and hands the transactor one command for each; the command looks
//! again when it is decided. A missed tick or a dead process changes nothing but the time.

mod attendance;
mod clocks;
mod deletions;
mod free_places;
mod holds;
mod kind;
mod offers;
mod pass_notices;
mod reminders;
mod series_ahead;
mod substitutes;
mod too_few;
mod waitlists_over;

use std::time::Duration;

use chrono::TimeDelta;
pub use clocks::follow_clocks;
use futures_util::{StreamExt, stream};
use kind::Kind;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::problem::{Answer, Problem, ProblemType};
use crate::{booking, letters, passes, running};

/// How often to look.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The most due rows that one look handles.
const DUE_MAX: i64 = 500;

/// Commands that wait at the transactor at once: a few share a commit, and no long batch keeps members waiting.
const AT_ONCE: usize = 8;

/// The right to sweep: one process at a time.
const SWEEP_RIGHT: i64 = 0x52_65_6c_53_77_65;

/// The fact that says on which day (UTC) the nightly sweep last ran.
const LAST_NIGHT: &str = "last_night";

/// Rounds of one night; what is left waits for the next.
const ROUNDS_MAX: usize = 1_000;

/// How long the answer to an `Idempotency-Key` is remembered.
const KEYS_KEPT: TimeDelta = TimeDelta::days(90);

/// How long it is known who was turned away: a year of reports, and the same week of the year before.
const TURN_AWAYS_KEPT: TimeDelta = TimeDelta::days(400);

/// The running sweeps of this process.
#[derive(Debug)]
pub struct RunningSweeps {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl RunningSweeps {
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

/// Looks every ten seconds until it is stopped.
pub fn start(app: App) -> RunningSweeps {
    let (stop, mut stopped) = watch::channel(false);
    let task = tokio::spawn(async move {
        let mut clocks_followed = false;
        loop {
            if !clocks_followed {
                clocks_followed = follow_clocks(&app).await.inspect_err(|problem| not_finished("clocks", problem)).is_ok();
            }
            let swept = sweep(&app).await;
            // So many are due that there may be more.
            let more = matches!(swept, Ok(count) if i64::try_from(count).is_ok_and(|count| count >= DUE_MAX));
            for (name, outcome) in [("due", swept.map(drop)), ("nightly", nightly(&app).await)] {
                if let Err(problem) = outcome {
                    not_finished(name, &problem);
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

fn not_finished(name: &str, problem: &Problem) {
    tracing::warn!(name, kind = ?problem.kind, "a sweep was not finished; the next one goes on");
}

/// Everything that falls due, in the order in which it is looked for: those who wait in vain are told so before places are given out.
const KINDS: [Kind; 11] = [
    offers::KIND,
    waitlists_over::KIND,
    holds::KIND,
    deletions::KIND,
    series_ahead::KIND,
    too_few::KIND,
    substitutes::KIND,
    free_places::KIND,
    pass_notices::KIND,
    attendance::KIND,
    reminders::KIND,
];

/// One look at everything that may be due. Returns how many commands were submitted.
pub async fn sweep(app: &App) -> Answer<usize> {
    let now = app.clock.now();
    let mut tx = app.db.read().await?;
    if !tx.alone(SWEEP_RIGHT).await? {
        tx.rollback().await;
        return Ok(0);
    }
    let mut due = Vec::new();
    for kind in &KINDS {
        let found = (kind.due)(&mut tx, now, DUE_MAX).await?;
        metrics::counter!("releve_sweeps_due_total", "kind" => kind.name).increment(u64::try_from(found.len()).unwrap_or(u64::MAX));
        due.extend(found);
    }
    let count = due.len();
    let mut outcome = Ok(count);
    let submitted = due.into_iter().map(|command| async { (command.name(), app.transactor.submit_sweep(command).await) });
    let mut answers = stream::iter(submitted).buffered(AT_ONCE);
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
    follow_clocks(app).await?;
    app.db.write("sweeps.night", move |tx| Box::pin(async move { running::store::note(tx, LAST_NIGHT, today).await })).await?;
    Ok(())
}

/// Erases what has been kept long enough: words of letters, sign-in data, security events, who came as a guest, withdrawn ids, answers to idempotency keys.
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
    let security = crate::security::upkeep::sweep(app).await?;
    let guests = booking::retention::forget_guests(app).await?;
    crate::attendance::upkeep::sweep(app).await?;
    crate::sign_in::retention::renew_seals(app).await?;
    let kept_since = now - KEYS_KEPT;
    app.db
        .write("sweeps.retention", move |tx| {
            Box::pin(async move {
                booking::store::forget_withdrawn(tx, now).await?;
                crate::reports::store::forget_turn_aways(tx, now - TURN_AWAYS_KEPT).await?;
                crate::families::store::forget_asked(tx, now - crate::families::api::ASKED_FOR).await?;
                crate::import::store::forget_skipped(tx, now - crate::import::SKIPPED_KEPT).await?;
                crate::import::store::forget_files(tx, now - crate::import::FILE_KEPT).await?;
                passes::store::forget_keys(tx, kept_since).await
            })
        })
        .await?;
    tracing::info!(letters, sign_in, security, guests, "erased what has been kept long enough");
    Ok(())
}
