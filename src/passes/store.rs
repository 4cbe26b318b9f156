//! Passes, pass types and the ledger in the database. Passes and ledger are written by the transactor alone.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::{LedgerEntry, Pass, PassType};
use crate::booking::BookingStatus;
use crate::db::{Db, Error, Sql, Tx, Wide};

macro_rules! passes {
    ($rest:literal) => {
        concat!(
            "SELECT p.id, p.studio_id, p.person_id, p.pass_type_id, p.name, p.kind, p.credits_left, p.per_week, p.expires_on, ",
            "p.class_type_ids, p.studio_ids, p.sold_at, p.sold_by, p.starts_on, p.valid_days, p.valid_months, p.begin_by, p.begun_on, ",
            "p.freeze_days_max, p.transferable, p.frozen_from, p.frozen_until, p.frozen_days, p.extended_days, p.ended_at, p.moved_to, ",
            "p.notice_at, p.shared_at FROM passes p ",
            $rest
        )
    };
}

macro_rules! types {
    ($rest:literal) => {
        concat!(
            "SELECT id, studio_id, name, kind, credits, per_week, valid_days, price_minor, currency, class_type_ids, studio_ids, version, ",
            "rules_version, valid_months, valid_from, activate_within_days, new_members_only, once_per_person, followed_by, ",
            "freeze_days_max, transferable, on_sale FROM pass_types ",
            $rest
        )
    };
}

/// These passes, in no order.
pub async fn by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Pass>, Error> {
    tx.among(passes!("WHERE p.id IN #"), (), ids).await
}

/// All passes of these people, in no order.
pub async fn of_people(tx: &mut Tx, people: &[Uuid]) -> Result<Vec<Pass>, Error> {
    tx.among(passes!("WHERE p.person_id IN #"), (), people).await
}

/// The passes of these people that their families may pay with.
pub async fn shared_by(tx: &mut Tx, people: &[Uuid]) -> Result<Vec<Pass>, Error> {
    tx.among(passes!("WHERE p.shared_at IS NOT NULL AND p.person_id IN #"), (), people).await
}

/// Writes new passes.
pub async fn insert(tx: &mut Tx, passes: Vec<&Pass>) -> Result<(), Error> {
    let rows = passes
        .into_iter()
        .map(|p| {
            Wide((
                (p.id, p.studio_id, p.person_id, p.pass_type_id, p.name.clone(), p.kind, p.credits_left, p.per_week, p.expires_on),
                (p.class_type_ids.clone(), p.studio_ids.clone(), p.sold_at, p.sold_by, p.starts_on, p.valid_days, p.valid_months),
                (p.begin_by, p.begun_on, p.freeze_days_max, p.transferable, p.frozen_from, p.frozen_until, p.frozen_days),
                (p.extended_days, p.ended_at, p.moved_to, p.notice_at, p.shared_at),
            ))
        })
        .collect();
    let sql = "INSERT INTO passes (id, studio_id, person_id, pass_type_id, name, kind, credits_left, per_week, expires_on, class_type_ids, \
               studio_ids, sold_at, sold_by, starts_on, valid_days, valid_months, begin_by, begun_on, freeze_days_max, transferable, \
               frozen_from, frozen_until, frozen_days, extended_days, ended_at, moved_to, notice_at, shared_at) VALUES #";
    tx.rows(sql, rows).await.map(drop)
}

/// Writes passes of which the balance has changed, and nothing else.
pub async fn update_balances(tx: &mut Tx, passes: Vec<&Pass>) -> Result<(), Error> {
    let rows = passes.into_iter().map(|p| (p.id, p.credits_left)).collect();
    let sql = "WITH x (id, credits_left) AS (VALUES #) UPDATE passes SET credits_left = x.credits_left FROM x WHERE passes.id = x.id";
    tx.rows(sql, rows).await.map(drop)
}

/// Writes changed passes: the balance, and all else that can change.
pub async fn update(tx: &mut Tx, passes: Vec<&Pass>) -> Result<(), Error> {
    let rows = passes
        .into_iter()
        .map(|p| {
            (
                p.id,
                p.credits_left,
                p.expires_on,
                p.begin_by,
                p.begun_on,
                p.frozen_from,
                p.frozen_until,
                p.frozen_days,
                p.extended_days,
                p.ended_at,
                p.moved_to,
                p.notice_at,
                p.shared_at,
            )
        })
        .collect();
    let sql = "WITH x (id, credits_left, expires_on, begin_by, begun_on, frozen_from, frozen_until, frozen_days, extended_days, ended_at, \
               moved_to, notice_at, shared_at) AS (VALUES #) UPDATE passes SET credits_left = x.credits_left, expires_on = x.expires_on, \
               begin_by = x.begin_by, begun_on = x.begun_on, frozen_from = x.frozen_from, frozen_until = x.frozen_until, \
               frozen_days = x.frozen_days, extended_days = x.extended_days, ended_at = x.ended_at, moved_to = x.moved_to, \
               notice_at = x.notice_at, shared_at = x.shared_at FROM x WHERE passes.id = x.id";
    tx.rows(sql, rows).await.map(drop)
}

/// Adds lines to the ledger.
pub async fn insert_ledger(tx: &mut Tx, entries: Vec<LedgerEntry>) -> Result<(), Error> {
    let rows = entries
        .into_iter()
        .map(|e| {
            Wide((
                (e.id, e.pass_id, e.at, e.credits, e.reason, e.booking_id),
                (e.amount_minor, e.currency, e.method, e.reference, e.by_person, e.note),
            ))
        })
        .collect();
    let sql = "INSERT INTO ledger (id, pass_id, at, credits, reason, booking_id, amount_minor, currency, method, reference, by_person, \
               note) VALUES #";
    tx.rows(sql, rows).await.map(drop)
}

/// These pass types, in no order.
pub async fn types_by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<PassType>, Error> {
    tx.among(types!("WHERE id IN #"), (), ids).await
}

pub async fn pass(db: &Db, id: Uuid) -> Result<Option<Pass>, Error> {
    db.maybe(passes!("WHERE p.id = $1"), (id,)).await
}

/// A person's passes, the newest first.
pub async fn of_person(db: &Db, person_id: Uuid, before: Option<Uuid>, count_max: i64) -> Result<Vec<Pass>, Error> {
    let sql = passes!("WHERE p.person_id = $1 AND p.id < $2 ORDER BY p.id DESC LIMIT $3");
    db.all(sql, (person_id, before.unwrap_or(Uuid::max()), count_max)).await
}

/// The same, with what their family shares with them and still counts. Each comes with the name of whose it is, if that is somebody else.
pub async fn of_family(db: &Db, person_id: Uuid, before: Option<Uuid>, count_max: i64) -> Result<Vec<(Pass, Option<String>)>, Error> {
    let sql = passes!(
        "WHERE (p.person_id = $1 OR (p.shared_at IS NOT NULL AND p.ended_at IS NULL)) AND p.id < $2 AND p.person_id IN (SELECT $1 \
         UNION SELECT f.holder_id FROM family_links f WHERE f.person_id = $1 \
         UNION SELECT f.person_id FROM family_links f WHERE f.holder_id = $1 AND f.person_id IS NOT NULL) ORDER BY p.id DESC LIMIT $3"
    );
    let found: Vec<Pass> = db.all(sql, (person_id, before.unwrap_or(Uuid::max()), count_max)).await?;
    let mut others: Vec<Uuid> = found.iter().map(|pass| pass.person_id).filter(|id| *id != person_id).collect();
    others.sort_unstable();
    others.dedup();
    let names: Vec<(Uuid, String)> = db.among("SELECT id, name FROM persons WHERE id IN #", (), &others).await?;
    let whose = |pass: &Pass| names.iter().find(|(id, _)| *id == pass.person_id).map(|(_, name)| name.clone());
    Ok(found
        .into_iter()
        .map(|pass| {
            let whose = whose(&pass);
            (pass, whose)
        })
        .collect())
}

/// A pass's ledger, the oldest first, behind the cursor.
pub async fn ledger(db: &Db, pass_id: Uuid, after: Option<(DateTime<Utc>, Uuid)>, count_max: i64) -> Result<Vec<LedgerEntry>, Error> {
    let sql = "SELECT id, pass_id, at, credits, reason, booking_id, amount_minor, currency, method, reference, by_person, note FROM ledger \
               WHERE pass_id = $1 AND at >= $2 AND (at > $2 OR id > $3) ORDER BY at, id LIMIT $4";
    let (at, id) = after.unwrap_or((DateTime::UNIX_EPOCH, Uuid::nil()));
    db.all(sql, (pass_id, at, id, count_max)).await
}

/// Whether the person is a member of the studio.
pub async fn is_member(db: &Db, studio_id: Uuid, person_id: Uuid) -> Result<bool, Error> {
    let sql = "SELECT person_id FROM members WHERE studio_id = $1 AND person_id = $2";
    Ok(db.maybe::<(Uuid,)>(sql, (studio_id, person_id)).await?.is_some())
}

/// What the studio sells, oldest first.
pub async fn types(db: &Db, studio_id: Uuid, after: Option<Uuid>, count_max: i64) -> Result<Vec<PassType>, Error> {
    db.all(types!("WHERE studio_id = $1 AND id > $2 ORDER BY id LIMIT $3"), (studio_id, after.unwrap_or_default(), count_max)).await
}

/// Everything that the studio sells, oldest first.
pub async fn all_types(tx: &mut Tx, studio_id: Uuid) -> Result<Vec<PassType>, Error> {
    tx.all(types!("WHERE studio_id = $1 ORDER BY id"), (studio_id,)).await
}

/// One pass type of the studio, locked until the end of the transaction.
pub async fn type_to_edit(tx: &mut Tx, studio_id: Uuid, id: Uuid) -> Result<Option<PassType>, Error> {
    let sql = Sql::Each {
        sqlite: types!("WHERE studio_id = $1 AND id = $2"),
        postgres: types!("WHERE studio_id = $1 AND id = $2 FOR NO KEY UPDATE"),
    };
    tx.maybe(sql, (studio_id, id)).await
}

/// A new pass type.
pub async fn add_type(tx: &mut Tx, sold: &PassType, now: DateTime<Utc>) -> Result<(), Error> {
    let sql = "INSERT INTO pass_types (id, studio_id, name, kind, credits, per_week, valid_days, price_minor, currency, class_type_ids, \
               studio_ids, version, created_at, valid_months, valid_from, activate_within_days, new_members_only, once_per_person, \
               followed_by, freeze_days_max, transferable, on_sale) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)";
    let t = sold.clone();
    let what = (t.id, t.studio_id, t.name, t.kind, t.credits, t.per_week, t.valid_days, t.price_minor, t.currency);
    let whose = (t.class_type_ids, t.studio_ids, t.version, now, t.valid_months, t.valid_from, t.activate_within_days);
    let terms = (t.new_members_only, t.once_per_person, t.followed_by, t.freeze_days_max, t.transferable, t.on_sale);
    tx.run(sql, Wide((what, whose, terms))).await.map(drop)
}

/// The pass type as it is after an edit. Passes that were sold keep what they promised.
pub async fn set_type(tx: &mut Tx, sold: &PassType) -> Result<(), Error> {
    let sql = "UPDATE pass_types SET name = $3, credits = $4, per_week = $5, valid_days = $6, price_minor = $7, currency = $8, \
               class_type_ids = $9, studio_ids = $10, version = $11, valid_months = $12, valid_from = $13, activate_within_days = $14, \
               new_members_only = $15, once_per_person = $16, followed_by = $17, freeze_days_max = $18, transferable = $19, on_sale = $20 \
               WHERE studio_id = $1 AND id = $2";
    let t = sold.clone();
    let what = (t.studio_id, t.id, t.name, t.credits, t.per_week, t.valid_days, t.price_minor, t.currency);
    let whose = (t.class_type_ids, t.studio_ids, t.version, t.valid_months, t.valid_from, t.activate_within_days);
    let terms = (t.new_members_only, t.once_per_person, t.followed_by, t.freeze_days_max, t.transferable, t.on_sale);
    tx.run(sql, Wide((what, whose, terms))).await.map(drop)
}

/// What was paid for a pass, and for how many credits; and how many were given.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
#[allow(missing_docs, reason = "sums of the ledger")]
pub struct Paid {
    pub amount_minor: i64,
    pub currency: Option<String>,
    pub sold: i64,
    pub given: i64,
}

/// What was paid for a pass.
pub async fn paid(tx: &mut Tx, pass_id: Uuid) -> Result<Paid, Error> {
    let sql = "SELECT CAST(COALESCE(SUM(CASE WHEN reason IN ('sold', 'transferred') THEN amount_minor END), 0) AS BIGINT) AS amount_minor, \
               MAX(CASE WHEN reason IN ('sold', 'transferred') THEN currency END) AS currency, \
               CAST(COALESCE(SUM(CASE WHEN reason IN ('sold', 'transferred') THEN credits END), 0) AS BIGINT) AS sold, \
               CAST(COALESCE(SUM(CASE WHEN reason = 'gift' THEN credits END), 0) AS BIGINT) AS given FROM ledger WHERE pass_id = $1";
    tx.one(sql, (pass_id,)).await
}

/// A class for which a pass paid, and still does.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "columns of a booking")]
pub struct Use {
    pub booking_id: Uuid,
    pub starts_at: DateTime<Utc>,
    pub status: BookingStatus,
    pub credits: i64,
    pub visit_week: Option<NaiveDate>,
}

/// The condition that a booking was paid by the pass `$1`, whoever came. Looked for by what a pack's ledger names, a membership's visits and
/// what cost nothing: an index on every booking's pass would make each booking a tenth dearer, for what is asked once in a pass's life.
macro_rules! paid_with {
    ($rest:literal) => {
        concat!(
            "pass_id = $1 AND id IN (SELECT booking_id FROM ledger WHERE pass_id = $1 AND booking_id IS NOT NULL \
             UNION SELECT id FROM bookings WHERE pass_id = $1 AND visit_week IS NOT NULL \
             UNION SELECT id FROM bookings WHERE pass_id = $1 AND visit_week IS NULL AND credits = 0 AND status IN ('booked', 'attended')) ",
            $rest
        )
    };
}
pub(crate) use paid_with;

/// What a pass paid for, whoever came, in the order of the classes; what came back is left out.
pub async fn uses(tx: &mut Tx, pass_id: Uuid, count_max: i64) -> Result<Vec<Use>, Error> {
    let sql = concat!(
        "SELECT id AS booking_id, starts_at, status, credits, visit_week FROM bookings WHERE ",
        paid_with!("AND (credits > 0 OR visit_week IS NOT NULL) ORDER BY starts_at, id LIMIT $2")
    );
    tx.all(sql, (pass_id, count_max)).await
}

/// Passes whose end may have to be told now.
pub async fn notices_due(tx: &mut Tx, now: DateTime<Utc>, count_max: i64) -> Result<Vec<(Uuid,)>, Error> {
    tx.all("SELECT id FROM passes WHERE notice_at <= $1 ORDER BY notice_at LIMIT $2", (now, count_max)).await
}

/// Whether a studio sells this.
pub async fn is_type_of(tx: &mut Tx, studio_id: Uuid, id: Uuid) -> Result<bool, Error> {
    let sql = "SELECT id FROM pass_types WHERE studio_id = $1 AND id = $2";
    Ok(tx.maybe::<(Uuid,)>(sql, (studio_id, id)).await?.is_some())
}

/// Which of these are class types, with their studios.
pub async fn class_types_among(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, Error> {
    tx.among("SELECT id, studio_id FROM class_types WHERE id IN #", (), ids).await
}

/// Which of these are studios.
pub async fn studios_among(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<(Uuid,)>, Error> {
    tx.among("SELECT id FROM studios WHERE id IN #", (), ids).await
}

/// Deletes the stored answers to old idempotency keys.
pub async fn forget_keys(tx: &mut Tx, before: DateTime<Utc>) -> Result<u64, Error> {
    tx.run("DELETE FROM idempotency_keys WHERE created_at < $1", (before,)).await
}

/// The stored answer to a person's key: the body's hash and the resulting id.
pub async fn answer(tx: &mut Tx, person_id: Uuid, key: &str) -> Result<Option<(String, Uuid)>, Error> {
    tx.maybe("SELECT body_hash, result_id FROM idempotency_keys WHERE person_id = $1 AND key = $2", (person_id, key.to_owned())).await
}

/// Stores the answers to keys: (person, key, hash of the body, id, at).
pub async fn remember_answers(tx: &mut Tx, rows: Vec<(Uuid, String, String, Uuid, DateTime<Utc>)>) -> Result<(), Error> {
    tx.rows("INSERT INTO idempotency_keys (person_id, key, body_hash, result_id, created_at) VALUES #", rows).await.map(drop)
}
