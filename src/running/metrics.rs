//! Metrics in Prometheus' text format. The recorder is the process's, not an [`crate::app::App`]'s, and so is its handle.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;

use crate::db::{Db, Pool};

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// The commit this was built from, if the builder named it: `BUILD_COMMIT=$(git rev-parse HEAD) cargo build`. A build needs no git.
const COMMIT: &str = match option_env!("BUILD_COMMIT") {
    Some(commit) => commit,
    None => "unknown",
};

/// Upper bounds in seconds: from an answer out of memory to one that was given up.
const SECONDS: [f64; 14] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0];

/// Upper bounds of histograms that count: a batch has at most 256 commands.
const COUNTS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// How often observations are put into their buckets, so that they need not be kept one by one.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Starts counting, once per process.
pub fn install() -> Result<(), BuildError> {
    if HANDLE.get().is_none() {
        let handle = PrometheusBuilder::new()
            .set_buckets(&SECONDS)?
            .set_buckets_for_metric(Matcher::Suffix("_commands".into()), &COUNTS)?
            .install_recorder()?;
        let _ = HANDLE.set(handle);
    }
    describe();
    metrics::gauge!("releve_build_info", "version" => env!("CARGO_PKG_VERSION"), "commit" => COMMIT).set(1.0);
    Ok(())
}

fn describe() {
    Collector::default().describe();
    metrics::describe_gauge!("releve_build_info", "Always 1: which version runs, built from which commit");
    metrics::describe_gauge!("releve_db_connections", "Connections of a pool to the database: by pool and whether one is idle or in use");
    metrics::describe_gauge!("releve_db_connections_max", "The most connections that a pool may open");
    metrics::describe_gauge!("releve_db_waiting", "Who waits for a connection of a pool, or for the turn to write");
    metrics::describe_histogram!("releve_http_request_seconds", "Requests answered: by method, route and status");
    metrics::describe_gauge!("releve_http_connections", "Connections open now");
    metrics::describe_counter!(
        "releve_http_connections_turned_away_total",
        "Connections beyond the most, answered 503 or 429 but for /healthz: by why (full, address)"
    );
    metrics::describe_counter!(
        "releve_http_connections_cut_total",
        "Connections given up on because their request did not come (head) or their answer was not read (write): by why"
    );
    metrics::describe_histogram!("releve_transactor_batch_commands", "Commands of one batch of the transactor");
    metrics::describe_histogram!("releve_transactor_batch_seconds", "Batches of the transactor, from their begin to their commit");
    metrics::describe_counter!("releve_sweeps_due_total", "What sweeps found due, by kind");
    metrics::describe_counter!(
        "releve_transactor_commands_total",
        "Commands that the transactor answered, by what they ask and what came of them"
    );
    metrics::describe_histogram!("releve_db_write_seconds", "Transactions that write, by what they do");
    metrics::describe_gauge!("releve_letters", "Letters whose fate is open or wants somebody's eye: by state");
    metrics::describe_gauge!("releve_letters_oldest_due_seconds", "For how long the letter that waits longest has been due");
    metrics::describe_counter!(
        "releve_letters_total",
        "What became of attempts to send a letter, and of letters that were not sent: by fate"
    );
    metrics::describe_histogram!("releve_letter_attempt_seconds", "Attempts to send a letter");
}

/// Puts observations into their buckets, for as long as it runs.
pub async fn keep_up() {
    let mut every = tokio::time::interval(UPKEEP_EVERY);
    loop {
        every.tick().await;
        if let Some(handle) = HANDLE.get() {
            handle.run_upkeep();
        }
    }
}

/// Everything that was counted, and the state of the process and its pools now; empty if nobody started counting.
pub fn render(db: &Db) -> String {
    Collector::default().collect();
    for Pool { name, most, open, idle, waiting } in db.pools() {
        metrics::gauge!("releve_db_connections", "pool" => name, "state" => "idle").set(idle);
        metrics::gauge!("releve_db_connections", "pool" => name, "state" => "used").set(open.saturating_sub(idle));
        metrics::gauge!("releve_db_connections_max", "pool" => name).set(most);
        metrics::gauge!("releve_db_waiting", "pool" => name).set(waiting);
    }
    HANDLE.get().map(PrometheusHandle::render).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Options;

    #[tokio::test]
    async fn the_process_and_its_pools_are_told() {
        let directory = tempfile::tempdir().unwrap();
        let db = Db::open_file(&directory.path().join("releve.db"), Options::default()).await.unwrap();
        install().unwrap();
        let text = render(&db);
        let value = |series: &str| -> f64 {
            let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("{series} in:\n{text}")).parse().unwrap()
        };
        let version = env!("CARGO_PKG_VERSION");
        let build = text.lines().find(|line| line.starts_with("releve_build_info{")).unwrap_or_default();
        assert!(build.contains(&format!("version=\"{version}\"")) && build.contains("commit=") && build.ends_with(" 1"), "{build}");
        assert!(value("process_resident_memory_bytes") > 1e6);
        assert!(value("process_open_fds") >= 3.0 && value("process_max_fds") >= value("process_open_fds"));
        assert!(value("process_start_time_seconds") > 1.6e9);
        assert_eq!(value("releve_db_connections{pool=\"writer\",state=\"idle\"}"), 1.0);
        assert_eq!(value("releve_db_connections_max{pool=\"readers\"}"), 4.0);
        assert_eq!(value("releve_db_waiting{pool=\"writer\"}"), 0.0);
        let reading = db.read().await.unwrap();
        let text = render(&db);
        assert!(text.contains("releve_db_connections{pool=\"readers\",state=\"used\"} 1"), "{text}");
        reading.rollback().await;
        db.close().await;
    }
}
