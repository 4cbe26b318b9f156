//! The law about a zone's clocks rarely changes: when a process starts, and every night, it is checked that sessions to come still begin at
//! their wall times.

use uuid::Uuid;

use crate::app::App;
use crate::problem::{Answer, Problem, ProblemType};
use crate::transactor::Command;
use crate::{running, schedule, zones};

/// The fact that names the version of the zone data from which sessions have their instants.
const ZONES: &str = "zones";

/// Sessions read at a time.
const AT_ONCE: i64 = 2_000;

/// Moves upcoming sessions back to their wall times, by what this process knows of the zones. With older data than a process before it had,
/// it moves none. Returns how many were moved.
pub async fn follow_clocks(app: &App) -> Answer<usize> {
    if !zones::is_as_new_as(running::store::fact(&app.db, ZONES).await?.as_deref()) {
        return Ok(0);
    }
    let now = app.clock.now();
    let (mut moved, mut after) = (Vec::new(), Uuid::nil());
    let mut tx = app.db.read().await?;
    loop {
        let sessions = schedule::store::on_the_wall(&mut tx, now, after, AT_ONCE).await?;
        let Some(last) = sessions.last() else { break };
        after = last.id;
        moved.extend(sessions.iter().filter_map(|one| Some((one.starts_at, one.by_the_wall()?, one.id))));
    }
    tx.rollback().await;
    moved.retain(|(is, shall_be, _)| *is.max(shall_be) > now);
    // One after another, in an order in which none runs into the next on its way.
    moved.sort_unstable();
    let (later, earlier): (Vec<_>, Vec<_>) = moved.into_iter().partition(|(is, shall_be, _)| shall_be > is);
    let due: Vec<Uuid> = earlier.into_iter().chain(later.into_iter().rev()).map(|(_, _, id)| id).collect();
    let count = due.len();
    for session_id in due {
        match app.transactor.submit_sweep(Command::FollowClocks { session_id }).await {
            Ok(_) => {}
            Err(problem) if matches!(problem.kind, ProblemType::Busy | ProblemType::Unavailable) => return Err(problem),
            Err(Problem { kind, .. }) => tracing::error!(?kind, session = %session_id, "a session could not follow the clocks"),
        }
    }
    if count > 0 {
        tracing::info!(sessions = count, zones = zones::version(), "sessions to come are at their wall times again");
    }
    if let Some(version) = zones::version() {
        app.db.write("sweeps.clocks", move |tx| Box::pin(running::store::note(tx, ZONES, version.to_owned()))).await?;
    }
    Ok(count)
}
