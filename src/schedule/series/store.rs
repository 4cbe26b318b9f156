//! Series in the database: each with its parts and its gaps.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::{Gap, Part, Plan, Series};
use crate::db::{Db, Error, Tx};

/// These series, with what belongs to them, in no order.
pub async fn plans(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Plan>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT id, studio_id, rule, starts_on, until_on, count_max, except_dates, draft, next_date, make_at, version, created_by, \
               created_at FROM series WHERE id IN #";
    let rows: Vec<Series> = tx.among(sql, (), ids).await?;
    let sql = "SELECT series_id, from_date, class_type_id, room_id, instructor_id, capacity, local_minute, shift_days FROM series_parts \
               WHERE series_id IN #";
    let parts: Vec<Part> = tx.among(sql, (), ids).await?;
    let sql = "SELECT series_id, series_date, reason, other_session_id FROM series_gaps WHERE series_id IN #";
    let gaps: Vec<Gap> = tx.among(sql, (), ids).await?;
    let mut plans: BTreeMap<Uuid, Plan> =
        rows.into_iter().map(|series| (series.id, Plan { series, parts: BTreeMap::new(), gaps: BTreeMap::new() })).collect();
    for part in parts {
        if let Some(plan) = plans.get_mut(&part.series_id) {
            plan.parts.insert(part.from_date, part);
        }
    }
    for gap in gaps {
        if let Some(plan) = plans.get_mut(&gap.series_id) {
            plan.gaps.insert(gap.series_date, gap);
        }
    }
    Ok(plans.into_values().collect())
}

/// One series with what belongs to it.
pub async fn one(db: &Db, id: Uuid) -> Result<Option<Plan>, Error> {
    let mut tx = db.read().await?;
    let plan = plans(&mut tx, &[id]).await?.into_iter().next();
    tx.rollback().await;
    Ok(plan)
}

/// The series of a studio, the oldest first, with what belongs to them.
pub async fn of_studio(db: &Db, studio_id: Uuid, after: Option<Uuid>, count_max: i64) -> Result<Vec<Plan>, Error> {
    let mut tx = db.read().await?;
    let sql = "SELECT id FROM series WHERE studio_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    let ids: Vec<(Uuid,)> = tx.all(sql, (studio_id, after.unwrap_or_default(), count_max)).await?;
    let ids: Vec<Uuid> = ids.into_iter().map(|(id,)| id).collect();
    let mut found = plans(&mut tx, &ids).await?;
    tx.rollback().await;
    found.sort_by_key(|plan| plan.series.id);
    Ok(found)
}

/// A session of a series that is not as the series would have it.
#[derive(Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "columns")]
pub struct Made {
    pub id: Uuid,
    pub series_date: NaiveDate,
    pub cancelled: bool,
    pub by_hand: sqlx::types::Json<Vec<super::ByHand>>,
}

/// The sessions of a series from an instant on that were changed by hand or cancelled.
pub async fn exceptions(db: &Db, series_id: Uuid, from: DateTime<Utc>, count_max: i64) -> Result<Vec<Made>, Error> {
    let sql = crate::db::Sql::Each {
        sqlite: "SELECT id, series_date, status = 'cancelled' AS cancelled, by_hand FROM sessions WHERE series_id = $1 AND starts_at >= $2 \
                 AND (status = 'cancelled' OR by_hand <> '[]') ORDER BY series_date LIMIT $3",
        postgres: "SELECT id, series_date, status = 'cancelled' AS cancelled, by_hand FROM sessions WHERE series_id = $1 AND starts_at >= $2 \
                   AND (status = 'cancelled' OR by_hand <> '[]'::jsonb) ORDER BY series_date LIMIT $3",
    };
    db.all(sql, (series_id, from, count_max)).await
}

/// Series whose next session is due to be made.
pub async fn due(tx: &mut Tx, now: DateTime<Utc>, count_max: i64) -> Result<Vec<(Uuid,)>, Error> {
    tx.all("SELECT id FROM series WHERE make_at <= $1 ORDER BY make_at LIMIT $2", (now, count_max)).await
}

/// Writes series that are new.
pub async fn insert(tx: &mut Tx, plans: Vec<&Plan>) -> Result<(), Error> {
    let rows = plans.iter().map(|plan| {
        let s = plan.series.clone();
        crate::db::Wide((
            (s.id, s.studio_id, s.rule, s.starts_on, s.until_on, s.count_max, s.except_dates, s.draft),
            (s.next_date, s.make_at, s.version, s.created_by, s.created_at),
        ))
    });
    let sql = "INSERT INTO series (id, studio_id, rule, starts_on, until_on, count_max, except_dates, draft, next_date, make_at, version, \
               created_by, created_at) VALUES #";
    tx.rows(sql, rows.collect()).await?;
    write_parts(tx, &plans).await
}

/// Writes series that changed.
pub async fn update(tx: &mut Tx, plans: Vec<&Plan>) -> Result<(), Error> {
    for plan in &plans {
        let s = &plan.series;
        let sql = "UPDATE series SET until_on = $2, draft = $3, next_date = $4, make_at = $5, version = $6 WHERE id = $1";
        tx.run(sql, (s.id, s.until_on, s.draft, s.next_date, s.make_at, s.version)).await?;
        tx.run("DELETE FROM series_parts WHERE series_id = $1", (s.id,)).await?;
        tx.run("DELETE FROM series_gaps WHERE series_id = $1", (s.id,)).await?;
    }
    write_parts(tx, &plans).await
}

async fn write_parts(tx: &mut Tx, plans: &[&Plan]) -> Result<(), Error> {
    let parts = plans.iter().flat_map(|plan| plan.parts.values());
    let rows = parts
        .map(|p| (p.series_id, p.from_date, p.class_type_id, p.room_id, p.instructor_id, p.capacity, p.local_minute, p.shift_days))
        .collect();
    let sql = "INSERT INTO series_parts (series_id, from_date, class_type_id, room_id, instructor_id, capacity, local_minute, shift_days) \
               VALUES #";
    tx.rows(sql, rows).await?;
    let gaps = plans.iter().flat_map(|plan| plan.gaps.values());
    let rows = gaps.map(|gap| (gap.series_id, gap.series_date, gap.reason, gap.other_session_id)).collect();
    tx.rows("INSERT INTO series_gaps (series_id, series_date, reason, other_session_id) VALUES #", rows).await.map(drop)
}

/// The series of a studio that still have a date to come.
pub async fn running(tx: &mut Tx, studio_id: Uuid) -> Result<Vec<Plan>, Error> {
    let ids: Vec<(Uuid,)> = tx.all("SELECT id FROM series WHERE studio_id = $1 AND next_date IS NOT NULL", (studio_id,)).await?;
    plans(tx, &ids.into_iter().map(|(id,)| id).collect::<Vec<_>>()).await
}
