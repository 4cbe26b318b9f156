//! `releve audit`: checks every promise on the live database, beside the process that works with it.

use super::{Failure, Place};
use crate::audit;
use crate::clock::Clock;
use crate::settings::Settings;

/// Prints what was found. A broken promise is exit code 1, a check that could not be made 2.
pub async fn run(settings: &Settings) -> Result<(), Failure> {
    let place = Place::of(settings)?;
    let cannot = |why: String| Failure { why, code: 2 };
    let db = place.open_read_only().await.map_err(|failure| cannot(failure.why))?;
    let found = check(&db).await;
    db.close().await;
    let report = found.map_err(cannot)?;
    print!("{report}");
    if report.is_clean() {
        return Ok(());
    }
    Err(Failure::new(format!("{place} breaks {} promises", report.findings.iter().filter(|finding| finding.broken > 0).count())))
}

async fn check(db: &crate::db::Db) -> Result<audit::Report, String> {
    if !db.is_current().await.map_err(|error| error.to_string())? {
        return Err("its schema is older than this program: run `releve migrate` first".into());
    }
    audit::check(db, Clock::System.now()).await.map_err(|error| error.to_string())
}
