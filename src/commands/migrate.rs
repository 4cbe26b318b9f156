//! `releve migrate`: brings the schema up to date, as a step of its own.

use std::time::Instant;

use super::{Failure, Place};
use crate::db::Db;
use crate::people::search_keys;
use crate::settings::Settings;

/// Brings the schema of the settings' database up to date.
pub async fn run(settings: &Settings) -> Result<(), Failure> {
    let place = Place::of(settings)?;
    let _lock = place.lock()?;
    let db = place.open(settings).await?;
    let ran = bring_up_to_date(&db, &place).await;
    db.close().await;
    if !ran? {
        eprintln!("{place} is up to date already");
    }
    Ok(())
}

/// Runs the migrations that have not run, with a line before and after on standard error. Returns whether there were any.
pub async fn bring_up_to_date(db: &Db, place: &Place) -> Result<bool, Failure> {
    let pending = db.pending().await?;
    if pending.is_empty() {
        renew_keys(db, place).await?;
        return Ok(false);
    }
    eprintln!("migrating {place}: {}", pending.join(", "));
    let began = Instant::now();
    db.migrate().await.map_err(|error| Failure::of_database(format!("cannot migrate {place}"), &error))?;
    renew_keys(db, place).await?;
    eprintln!("migrated in {:.1} s", began.elapsed().as_secs_f64());
    Ok(true)
}

/// Renews the keys that an older version, or an older process beside this one, made in another way.
pub async fn renew_keys(db: &Db, place: &Place) -> Result<(), Failure> {
    let renewed = search_keys::renew(db)
        .await
        .map_err(|error| Failure::new(format!("cannot renew the keys of names and addresses in {place}: {error}")))?;
    if renewed.looked_at > renewed.contested {
        eprintln!("{} names and addresses have keys of this version", renewed.looked_at - renewed.contested);
    }
    if renewed.contested > 0 {
        eprintln!("{} addresses stand with two people in two spellings: `releve audit` names them", renewed.contested);
    }
    Ok(())
}
