//! The table of letters: leases, fates, lists.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::LetterState;
use super::uids::UidDomains;
use crate::db::{Db, Error, Sql, Tx};
use crate::language::Language;
use crate::running::store as facts;

/// The most letters that one transaction leases or settles: on SQLite the writer is shared with the transactor.
pub const AT_ONCE: usize = 64;

/// The right to lease: one worker of the deployment at a time, so that letters about one booking keep their order.
const LEASING: i64 = 0x6c_65_74_74_65_72;

/// The fact that holds the names of calendar UIDs.
const UID_DOMAINS: &str = "calendar_uid_domains";

/// The names of calendar UIDs; what is made from now on has `host`. Before names were stored, everything had `former`: if any calendar was
/// told of an event under it, existing events keep it.
pub async fn uid_domains(db: &Db, host: &str, former: &str, now: DateTime<Utc>) -> Result<UidDomains, Error> {
    let kept = facts::fact(db, UID_DOMAINS).await?.and_then(|kept| serde_json::from_str::<UidDomains>(&kept).ok());
    let mut domains = match kept {
        Some(kept) if kept.latest() == host => return Ok(kept),
        Some(kept) => kept,
        None if has_told_calendars(db).await? => UidDomains::new(former),
        None => UidDomains::new(host),
    };
    domains.rename(host, now);
    let text = serde_json::to_string(&domains).unwrap_or_default();
    db.write("letters.uid_domains", move |tx| Box::pin(async move { facts::note(tx, UID_DOMAINS, text).await })).await?;
    Ok(domains)
}

/// Whether a letter with a calendar part was sent or a feed was read.
async fn has_told_calendars(db: &Db) -> Result<bool, Error> {
    let sql = "SELECT CAST(1 AS BIGINT) WHERE EXISTS (SELECT 1 FROM letters WHERE sequence IS NOT NULL AND sent_at IS NOT NULL) \
               OR EXISTS (SELECT 1 FROM calendar_feeds WHERE last_read_at IS NOT NULL)";
    Ok(db.maybe::<(i64,)>(sql, ()).await?.is_some())
}

/// A letter that is due, with everything needed to send it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct DueRow {
    pub id: Uuid,
    pub person_id: Option<Uuid>,
    pub studio_id: Option<Uuid>,
    pub booking_id: Option<Uuid>,
    /// When the booking was made.
    pub booked_at: Option<DateTime<Utc>>,
    pub nth: i64,
    pub kind: String,
    pub locale: Language,
    /// Not yet parsed: what another version wrote must not stop the others.
    pub facts: Json<Value>,
    pub sequence: Option<i64>,
    pub sealed_code: Option<Vec<u8>>,
    pub created_at: DateTime<Utc>,
    pub retried_at: Option<DateTime<Utc>>,
    pub due_at: Option<DateTime<Utc>>,
    pub useful_until: Option<DateTime<Utc>>,
    /// Attempts before this one.
    pub attempts: i64,
    pub subject: Option<String>,
    pub body_text: Option<String>,
    pub body_html: Option<String>,
    pub address: Option<String>,
    pub name: Option<String>,
    pub person_gone: bool,
    /// Whether another booking has taken over from this one since.
    pub taken_over: bool,
    /// Whether it is known whose the address is.
    pub confirmed: bool,
}

/// A letter about one of the bookings in question.
#[derive(Debug, sqlx::FromRow)]
pub struct SiblingRow {
    pub id: Uuid,
    pub booking_id: Uuid,
    pub person_id: Option<Uuid>,
    pub nth: i64,
    pub kind: String,
    pub state: LetterState,
    pub due_at: Option<DateTime<Utc>>,
}

/// What became of a leased letter in an attempt.
#[derive(Clone, Debug)]
pub struct SettledRow {
    pub id: Uuid,
    pub lease: Uuid,
    pub state: LetterState,
    pub due_at: Option<DateTime<Utc>>,
    pub sent_at: Option<DateTime<Utc>>,
    pub error: Option<String>,
    pub subject: Option<String>,
    pub body_text: Option<String>,
    pub body_html: Option<String>,
}

/// Whether there is work for a worker. Reads without the writer.
pub async fn is_anything_due(db: &Db, now: DateTime<Utc>) -> Result<bool, Error> {
    let sql = "SELECT CAST(1 AS BIGINT) WHERE EXISTS (SELECT 1 FROM letters WHERE due_at <= $1) \
               OR EXISTS (SELECT 1 FROM letters WHERE lease IS NOT NULL AND leased_until <= $1)";
    Ok(db.maybe::<(i64,)>(sql, (now,)).await?.is_some())
}

/// Whether nobody else is leasing at this moment.
pub async fn may_lease(tx: &mut Tx) -> Result<bool, Error> {
    tx.alone(LEASING).await
}

/// Whether the address that a letter goes to is known to be its reader's: they confirmed it, or somebody did whose address they share.
macro_rules! confirmed {
    () => {
        "(l.kind = 'address_changed' OR (p.verified_at IS NOT NULL AND COALESCE(LOWER(l.to_email) = LOWER(p.email), TRUE)) \
          OR (l.to_email IS NULL AND EXISTS (SELECT 1 FROM persons k WHERE k.email_key = p.contact_key AND k.verified_at IS NOT NULL)))"
    };
}

/// By which name a letter greets its reader. One of a studio to which they never came by themselves knows the name that it wrote down: the
/// other may be what another studio did.
macro_rules! greeted {
    () => {
        "CASE WHEN m.given_at IS NULL AND m.name <> '' THEN m.name ELSE p.name END"
    };
}

macro_rules! due {
    ($which:literal, $lock:literal) => {
        concat!(
            "SELECT l.id, l.person_id, l.studio_id, l.booking_id, b.created_at AS booked_at, l.nth, l.kind, l.locale, l.facts, l.sequence, l.sealed_code, l.created_at, ",
            "l.retried_at, l.due_at, l.useful_until, l.attempts, l.subject, l.body_text, l.body_html, ",
            "COALESCE(l.to_email, p.email, a.email) AS address, ",
            greeted!(),
            " AS name, (p.deleted_at IS NOT NULL) AS person_gone, ",
            "COALESCE(b.replaced_by IS NOT NULL AND l.created_at <= b.ended_at, FALSE) AS taken_over, ",
            confirmed!(),
            " AS confirmed ",
            "FROM letters l LEFT JOIN persons p ON p.id = l.person_id LEFT JOIN accounts a ON a.person_id = l.person_id ",
            "LEFT JOIN members m ON m.studio_id = l.studio_id AND m.person_id = l.person_id ",
            "LEFT JOIN bookings b ON b.id = l.booking_id WHERE ",
            $which,
            $lock
        )
    };
}

/// Letters whose lease ran out: their worker died, or cannot reach the database.
pub async fn abandoned(tx: &mut Tx, now: DateTime<Utc>, most: usize) -> Result<Vec<DueRow>, Error> {
    let sql = Sql::Each {
        sqlite: due!("l.lease IS NOT NULL AND l.leased_until <= $1 ORDER BY l.leased_until, l.id LIMIT $2", ""),
        postgres: due!(
            "l.lease IS NOT NULL AND l.leased_until <= $1 ORDER BY l.leased_until, l.id LIMIT $2",
            " FOR UPDATE OF l SKIP LOCKED"
        ),
    };
    tx.all(sql, (now, most as i64)).await
}

/// Letters that are due, the longest waiting first, except those behind one that is being sent.
pub async fn due(tx: &mut Tx, now: DateTime<Utc>, most: usize) -> Result<Vec<DueRow>, Error> {
    macro_rules! which {
        ($lock:literal) => {
            due!(
                "l.due_at <= $1 AND NOT EXISTS (SELECT 1 FROM letters e WHERE e.booking_id = l.booking_id AND e.nth < l.nth \
                 AND e.state = 'sending') ORDER BY l.due_at, l.id LIMIT $2",
                $lock
            )
        };
    }
    tx.all(Sql::Each { sqlite: which!(""), postgres: which!(" FOR UPDATE OF l SKIP LOCKED") }, (now, most as i64)).await
}

/// Every letter about these bookings, in their order.
pub async fn siblings(tx: &mut Tx, bookings: &[Uuid]) -> Result<Vec<SiblingRow>, Error> {
    tx.among("SELECT id, booking_id, person_id, nth, kind, state, due_at FROM letters WHERE booking_id IN # ORDER BY nth", (), bookings)
        .await
}

/// Leases them: an attempt begins, and counts. Returns how many.
pub async fn lease(tx: &mut Tx, lease: Uuid, until: DateTime<Utc>, ids: Vec<Uuid>) -> Result<u64, Error> {
    let sql = "WITH x(id, lease, until) AS (VALUES #) UPDATE letters SET state = 'sending', lease = x.lease, leased_until = x.until, \
               due_at = NULL, attempts = attempts + 1 FROM x WHERE letters.id = x.id";
    tx.rows(sql, ids.into_iter().map(|id| (id, lease, until)).collect()).await
}

/// They will not be sent. One that is being sent now is left alone.
pub async fn make_obsolete(tx: &mut Tx, why: Vec<(Uuid, &'static str)>, now: DateTime<Utc>) -> Result<u64, Error> {
    let sql = "WITH x(id, why, now) AS (VALUES #) UPDATE letters SET state = 'obsolete', error = x.why, due_at = NULL, lease = NULL, \
               leased_until = NULL, sealed_code = NULL FROM x WHERE letters.id = x.id \
               AND (letters.due_at IS NOT NULL OR letters.leased_until <= x.now)";
    tx.rows(sql, why.into_iter().map(|(id, why)| (id, why, now)).collect()).await
}

/// They are due later.
pub async fn put_off(tx: &mut Tx, to: Vec<(Uuid, DateTime<Utc>)>) -> Result<u64, Error> {
    let sql = "WITH x(id, due_at) AS (VALUES #) UPDATE letters SET due_at = x.due_at FROM x WHERE letters.id = x.id \
               AND letters.due_at IS NOT NULL";
    tx.rows(sql, to).await
}

/// Writes the fates of leased letters and keeps their words; a code is erased unless another attempt will need it. A lease that another
/// worker has taken over by now is not settled. Returns how many were settled.
pub async fn settle(tx: &mut Tx, letters: Vec<SettledRow>) -> Result<u64, Error> {
    let sql = "WITH x(id, lease, state, due_at, sent_at, error, subject, body_text, body_html) AS (VALUES #) \
               UPDATE letters SET state = x.state, due_at = x.due_at, sent_at = x.sent_at, error = x.error, lease = NULL, \
               leased_until = NULL, subject = COALESCE(letters.subject, x.subject), \
               body_text = COALESCE(letters.body_text, x.body_text), body_html = COALESCE(letters.body_html, x.body_html), \
               sealed_code = CASE WHEN x.state = 'retrying' THEN letters.sealed_code END \
               FROM x WHERE letters.id = x.id AND letters.lease = x.lease";
    let rows =
        letters.into_iter().map(|l| (l.id, l.lease, l.state, l.due_at, l.sent_at, l.error, l.subject, l.body_text, l.body_html)).collect();
    tx.rows(sql, rows).await
}

/// Gives leased letters back as if they had not been taken: the attempt does not count.
pub async fn hand_back(tx: &mut Tx, held: Vec<(Uuid, Uuid)>, now: DateTime<Utc>) -> Result<u64, Error> {
    let sql = "WITH x(id, lease, now) AS (VALUES #) UPDATE letters SET state = CASE WHEN attempts > 1 THEN 'retrying' ELSE 'queued' END, \
               attempts = attempts - 1, due_at = x.now, lease = NULL, leased_until = NULL \
               FROM x WHERE letters.id = x.id AND letters.lease = x.lease";
    tx.rows(sql, held.into_iter().map(|(id, lease)| (id, lease, now)).collect()).await
}

/// How many letters are in each state, except sent and obsolete ones.
pub async fn counts(db: &Db) -> Result<Vec<(LetterState, i64)>, Error> {
    let sql = "SELECT state, COUNT(*) FROM letters WHERE state IN ('queued', 'sending', 'retrying', 'failed', 'bounced') GROUP BY state";
    db.all(sql, ()).await
}

/// Since when the longest-waiting letter has been due.
pub async fn oldest_due(db: &Db) -> Result<Option<DateTime<Utc>>, Error> {
    let oldest = db.maybe::<(DateTime<Utc>,)>("SELECT due_at FROM letters WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1", ()).await?;
    Ok(oldest.map(|(due_at,)| due_at))
}

/// A letter as lists show it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ListedRow {
    pub id: Uuid,
    pub person_id: Option<Uuid>,
    /// As the studio knows the person; of whom it does not know there is no name.
    pub member_name: Option<String>,
    /// As the letter greets its reader.
    pub name: Option<String>,
    pub studio_id: Option<Uuid>,
    pub booking_id: Option<Uuid>,
    pub kind: String,
    pub locale: Language,
    pub facts: Option<Json<Value>>,
    pub state: LetterState,
    pub created_at: DateTime<Utc>,
    pub due_at: Option<DateTime<Utc>>,
    pub attempts: i64,
    pub subject: Option<String>,
    pub body_text: Option<String>,
    pub sent_at: Option<DateTime<Utc>>,
    pub retried_at: Option<DateTime<Utc>>,
    pub error: Option<String>,
    /// Whether it is known whose the address is.
    pub confirmed: bool,
}

macro_rules! listed {
    ($which:expr) => {
        concat!(
            "SELECT l.id, l.person_id, CASE WHEN m.person_id IS NOT NULL THEN m.name WHEN EXISTS (SELECT 1 FROM staff w ",
            "WHERE w.studio_id = l.studio_id AND w.person_id = l.person_id) THEN p.name END AS member_name, ",
            greeted!(),
            " AS name, l.studio_id, l.booking_id, l.kind, l.locale, ",
            "l.facts, l.state, l.created_at, l.due_at, l.attempts, l.subject, l.body_text, l.sent_at, l.retried_at, l.error, ",
            confirmed!(),
            " AS confirmed ",
            "FROM letters l LEFT JOIN persons p ON p.id = l.person_id ",
            "LEFT JOIN members m ON m.studio_id = l.studio_id AND m.person_id = l.person_id WHERE ",
            $which
        )
    };
}

macro_rules! newest_first {
    ($which:literal) => {
        listed!(concat!($which, " AND l.id < $2 ORDER BY l.id DESC LIMIT $3"))
    };
}

/// A person's letters before this one, newest first: ids are in order of time.
pub async fn of_person(db: &Db, person_id: Uuid, before: Uuid, most: i64) -> Result<Vec<ListedRow>, Error> {
    db.all(newest_first!("l.person_id = $1"), (person_id, before, most)).await
}

/// A studio's letters to one member, newest first.
pub async fn of_member(db: &Db, studio_id: Uuid, person_id: Uuid, most: i64) -> Result<Vec<ListedRow>, Error> {
    db.all(newest_first!("l.person_id = $1 AND l.studio_id = $4"), (person_id, Uuid::max(), most, studio_id)).await
}

/// The letters about the bookings of a session, newest first.
pub async fn of_session(db: &Db, session_id: Uuid, most: i64) -> Result<Vec<ListedRow>, Error> {
    let sql = newest_first!("l.booking_id IN (SELECT o.id FROM bookings o WHERE o.session_id = $1)");
    db.all(sql, (session_id, Uuid::max(), most)).await
}

/// A studio's letters before this one, newest first, of one state or all.
pub async fn of_studio(db: &Db, studio_id: Uuid, state: Option<LetterState>, before: Uuid, most: i64) -> Result<Vec<ListedRow>, Error> {
    match state {
        None => db.all(newest_first!("l.studio_id = $1"), (studio_id, before, most)).await,
        // Nearly all were sent: the studio's own index finds them quickly.
        Some(state @ (LetterState::Sent | LetterState::Obsolete)) => {
            db.all(newest_first!("l.studio_id = $1 AND l.state = $4"), (studio_id, before, most, state)).await
        }
        // The others are few and have an index of their own, which a planner takes when its condition is spelt out.
        Some(state) => {
            let sql =
                newest_first!("l.studio_id = $1 AND l.state = $4 AND l.state IN ('queued', 'sending', 'retrying', 'failed', 'bounced')");
            db.all(sql, (studio_id, before, most, state)).await
        }
    }
}

pub async fn find(db: &Db, id: Uuid) -> Result<Option<ListedRow>, Error> {
    db.maybe(listed!("l.id = $1"), (id,)).await
}

/// Of these letters those of which nothing is to be read any more: their time is over, or their person was deleted.
pub async fn erased(db: &Db, ids: &[Uuid]) -> Result<Vec<Uuid>, Error> {
    let rows: Vec<(Uuid,)> = db.among("SELECT id FROM letters WHERE facts IS NULL AND body_text IS NULL AND id IN #", (), ids).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Puts a letter that was given up back into the queue; the 48 h begin anew. Whether it was given up, and still has its facts.
pub async fn send_again(tx: &mut Tx, id: Uuid, now: DateTime<Utc>) -> Result<bool, Error> {
    let sql = "UPDATE letters SET state = 'queued', due_at = $2, retried_at = $2, attempts = 0, error = NULL \
               WHERE id = $1 AND state IN ('failed', 'bounced') AND facts IS NOT NULL";
    Ok(tx.run(sql, (id, now)).await? == 1)
}

/// Erases the words, facts and addresses of letters written before this instant, at most `most` of them. Returns how many.
pub async fn erase_older(tx: &mut Tx, before: DateTime<Utc>, most: i64) -> Result<u64, Error> {
    let sql = "UPDATE letters SET facts = NULL, to_email = NULL, subject = NULL, body_text = NULL, body_html = NULL, error = NULL \
               WHERE id IN (SELECT id FROM letters WHERE created_at < $1 AND facts IS NOT NULL \
               AND state IN ('sent', 'failed', 'bounced', 'obsolete') ORDER BY created_at LIMIT $2)";
    tx.run(sql, (before, most)).await
}
