//! What reports count. Every statement is about one studio's sessions, passes or letters. Local dates stand in the sessions; of other rows
//! the instants at which the days begin and end are bound.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Amount, Counts, Hope, SessionCounts, Source, TurnAway, VisitorsBySource};
use crate::db::{Error, Sql, Tx};
use crate::language::Texts;
use crate::letters::LetterState;

/// The first of these dates, and the first after them.
type Days = (NaiveDate, NaiveDate);
/// From this instant to the one before which it ends.
type Time = (DateTime<Utc>, DateTime<Utc>);

/// A cancelled booking had a place if a pass paid for it, if it could be cancelled for free, or if staff gave it for nothing.
macro_rules! had_place {
    () => {
        "(b.pass_id IS NOT NULL OR b.free_cancel_until IS NOT NULL OR (b.asked_unpaid AND NOT b.asked_standby))"
    };
}

/// The counts of bookings `b`.
macro_rules! counts {
    () => {
        concat!(
            "CAST(COALESCE(SUM(CASE WHEN b.status IN ('booked', 'offered', 'attended', 'no_show') AND b.released_at IS NULL THEN 1 END), 0) AS BIGINT) AS booked, \
             CAST(COALESCE(SUM(CASE WHEN b.status = 'attended' THEN 1 END), 0) AS BIGINT) AS attended, \
             CAST(COALESCE(SUM(CASE WHEN b.unrecorded THEN 1 END), 0) AS BIGINT) AS unrecorded, \
             CAST(COALESCE(SUM(CASE WHEN b.status = 'late_cancelled' THEN 1 END), 0) AS BIGINT) AS late_cancelled, \
             CAST(COALESCE(SUM(CASE WHEN b.status = 'cancelled' AND ",
            had_place!(),
            " THEN 1 END), 0) AS BIGINT) AS cancelled, \
             CAST(COALESCE(SUM(CASE WHEN b.status = 'no_show' THEN 1 END), 0) AS BIGINT) AS no_show, \
             CAST(COALESCE(SUM(CASE WHEN b.status = 'waitlisted' OR (b.status = 'cancelled' AND NOT ",
            had_place!(),
            ") THEN 1 END), 0) AS BIGINT) AS waitlisted"
        )
    };
}

/// The studio's published sessions on some local dates.
macro_rules! of_days {
    () => {
        " s.studio_id = $1 AND s.local_date >= $2 AND s.local_date < $3 AND s.status <> 'draft' AND NOT s.was_draft "
    };
}

/// A statement about the bookings `b` of sessions `s`. Of a studio among many PostgreSQL would read all bookings there are, rather than look
/// those of each session up: the fence says how.
macro_rules! with_bookings {
    ($text:ident) => {
        Sql::Each {
            sqlite: $text!("JOIN bookings b ON b.session_id = s.id"),
            postgres: $text!("JOIN LATERAL (SELECT * FROM bookings WHERE session_id = s.id OFFSET 0) b ON TRUE"),
        }
    };
}

macro_rules! sessions {
    ($bookings:literal) => {
        concat!(
            "SELECT s.id AS session_id, s.local_date, s.local_weekday, s.local_minute, s.starts_at, s.ends_at, s.capacity, \
             (s.status = 'cancelled') AS cancelled_session, s.class_type_id, c.name AS class_name, s.room_id, r.name AS room_name, \
             s.instructor_id, i.name AS instructor_name, \
             CAST(COALESCE(SUM(CASE WHEN b.status = 'booked' THEN 1 END), 0) AS BIGINT) AS unmarked, ",
            counts!(),
            " FROM sessions s JOIN class_types c ON c.id = s.class_type_id JOIN rooms r ON r.id = s.room_id \
             JOIN persons i ON i.id = s.instructor_id LEFT ",
            $bookings,
            " WHERE",
            of_days!(),
            "GROUP BY s.id, c.id, r.id, i.id ORDER BY s.starts_at, s.id LIMIT $4"
        )
    };
}

/// Every session on these dates and what became of its bookings, in order of time.
pub async fn sessions(tx: &mut Tx, studio_id: Uuid, (from, to): Days, count_max: i64) -> Result<Vec<SessionCounts>, Error> {
    tx.all(with_bookings!(sessions), (studio_id, from, to, count_max)).await
}

/// Bookings of one session that were made in one way.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns of the query")]
pub struct BySource {
    pub cancelled_session: bool,
    pub source: Source,
    #[sqlx(flatten)]
    pub counts: Counts,
}

macro_rules! sources {
    ($bookings:literal) => {
        concat!(
            "SELECT b.cancelled_session, b.source, ",
            counts!(),
            " FROM (SELECT s.id AS of_session, (s.status = 'cancelled') AS cancelled_session, b.status, b.released_at, b.unrecorded, b.pass_id, \
             b.free_cancel_until, b.asked_unpaid, b.asked_standby, CAST(CASE WHEN b.guest_of IS NOT NULL THEN 'guest' \
             WHEN b.visitor_source IS NOT NULL THEN 'visitor' WHEN b.asked_standby THEN 'door' WHEN b.asked_by = b.person_id THEN 'app' \
             WHEN EXISTS (SELECT 1 FROM family_links f WHERE f.holder_id = b.asked_by AND f.person_id = b.person_id) THEN 'family' \
             ELSE 'desk' END AS TEXT) AS source FROM sessions s ",
            $bookings,
            " WHERE",
            of_days!(),
            ") b GROUP BY b.of_session, b.cancelled_session, b.source"
        )
    };
}

/// The bookings of the sessions on these dates, by session and by how they were made, in no order.
pub async fn sources(tx: &mut Tx, studio_id: Uuid, (from, to): Days) -> Result<Vec<BySource>, Error> {
    tx.all(with_bookings!(sources), (studio_id, from, to)).await
}

macro_rules! hopes {
    ($bookings:literal) => {
        concat!(
            "SELECT s.id AS session_id, b.person_id, b.created_at, b.promoted_at, (NOT b.asked_standby AND (b.status = 'waitlisted' \
             OR b.promoted_at IS NOT NULL OR b.told_free_at IS NOT NULL OR b.moved_up_reason IS NOT NULL OR (b.status = 'cancelled' AND NOT ",
            had_place!(),
            "))) AS waited, (b.status = 'waitlisted' OR (b.status = 'cancelled' AND COALESCE(b.ended_by, '') IN ('waitlist_closed', 'offer_expired'))) \
             AS in_vain, (b.status IN ('booked', 'offered', 'attended', 'no_show', 'late_cancelled') OR (b.status = 'cancelled' AND ",
            had_place!(),
            ")) AS had_place FROM sessions s ",
            $bookings,
            " WHERE",
            of_days!(),
            "AND b.guest_of IS NULL"
        )
    };
}

/// What members hoped for in the sessions on these dates, in no order. One who took a place that was open to all, unasked, is not told from one
/// who never waited.
pub async fn hopes(tx: &mut Tx, studio_id: Uuid, (from, to): Days) -> Result<Vec<Hope>, Error> {
    tx.all(with_bookings!(hopes), (studio_id, from, to)).await
}

/// Who was turned away from which session on these dates.
pub async fn turned_away(tx: &mut Tx, studio_id: Uuid, (from, to): Days) -> Result<Vec<(Uuid, Uuid)>, Error> {
    let sql =
        concat!("SELECT DISTINCT t.session_id, t.person_id FROM sessions s JOIN turn_aways t ON t.session_id = s.id WHERE", of_days!());
    tx.all(sql, (studio_id, from, to)).await
}

/// Notes who was turned away: once for each session and day, however often they tried.
pub async fn turn_away(tx: &mut Tx, now: DateTime<Utc>, people: impl IntoIterator<Item = TurnAway>) -> Result<(), Error> {
    let rows = people.into_iter().map(|TurnAway { session_id, person_id, on_date }| (session_id, person_id, on_date, now)).collect();
    let sql =
        "INSERT INTO turn_aways (session_id, person_id, on_date, at) VALUES # ON CONFLICT (session_id, person_id, on_date) DO NOTHING";
    tx.rows(sql, rows).await.map(drop)
}

/// Forgets who was turned away before.
pub async fn forget_turn_aways(tx: &mut Tx, before: DateTime<Utc>) -> Result<u64, Error> {
    tx.run("DELETE FROM turn_aways WHERE at < $1", (before,)).await
}

/// What was taken: payments for passes less refunds, and fees.
pub async fn takings(tx: &mut Tx, studio_id: Uuid, (from, to): Time) -> Result<Vec<Amount>, Error> {
    let sql = "SELECT x.currency, CAST(SUM(x.amount_minor) AS BIGINT) AS amount_minor FROM (\
               SELECT l.currency, l.amount_minor FROM ledger l JOIN passes p ON p.id = l.pass_id \
               WHERE l.amount_minor IS NOT NULL AND l.reason IN ('sold', 'refunded') AND l.at >= $2 AND l.at < $3 AND p.studio_id = $1 \
               UNION ALL SELECT fee_currency, fee_minor FROM penalties \
               WHERE studio_id = $1 AND paid_at IS NOT NULL AND paid_at >= $2 AND paid_at < $3) x \
               WHERE x.currency IS NOT NULL GROUP BY x.currency ORDER BY x.currency";
    tx.all(sql, (studio_id, from, to)).await
}

/// Visits of members to the studio.
macro_rules! visits {
    () => {
        " FROM bookings WHERE studio_id = $1 AND status = 'attended' AND guest_of IS NULL AND visitor_source IS NULL "
    };
}

/// How many members came to the studio for the first time, and how many of them have come again.
pub async fn first_visits(tx: &mut Tx, studio_id: Uuid, (from, to): Time) -> Result<(i64, i64), Error> {
    let sql = concat!(
        "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN x.visits > 1 THEN 1 END), 0) AS BIGINT) FROM (\
         SELECT person_id, MIN(starts_at) AS first, COUNT(*) AS visits",
        visits!(),
        "GROUP BY person_id) x WHERE x.first >= $2 AND x.first < $3"
    );
    tx.one(sql, (studio_id, from, to)).await
}

/// The visits of all who came for the first time in this time, those after it too, in no order.
pub async fn visits_since_first(tx: &mut Tx, studio_id: Uuid, (from, to): Time) -> Result<Vec<(Uuid, DateTime<Utc>)>, Error> {
    let sql = concat!(
        "SELECT person_id, starts_at",
        visits!(),
        "AND person_id IN (SELECT person_id",
        visits!(),
        "GROUP BY person_id HAVING MIN(starts_at) >= $2 AND MIN(starts_at) < $3)"
    );
    tx.all(sql, (studio_id, from, to)).await
}

/// A member as the studio knows them: what they told it, and what it wrote down.
macro_rules! contact {
    () => {
        " m.person_id, m.name, CASE WHEN m.given_at IS NOT NULL OR m.knows_address THEN p.email END AS email, \
         CASE WHEN m.given_at IS NULL THEN m.phone ELSE COALESCE(m.phone, p.phone) END AS phone, "
    };
}

/// A pass that ends, and whose it is. `of_all` counts those beyond the limit too.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns of the query")]
pub struct PassEnding {
    #[sqlx(flatten)]
    pub member: Contact,
    pub pass_id: Uuid,
    pub pass_name: Json<Texts>,
    pub credits_left: Option<i64>,
    pub expires_on: NaiveDate,
    pub of_all: i64,
}

/// How a member is reached.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns of the query")]
pub struct Contact {
    pub person_id: Uuid,
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
}

/// Passes with something left whose last day is one of these, the first to end first.
pub async fn passes_ending(tx: &mut Tx, studio_id: Uuid, (from, to): Days, count_max: i64) -> Result<Vec<PassEnding>, Error> {
    let sql = concat!(
        "SELECT",
        contact!(),
        "s.id AS pass_id, s.name AS pass_name, s.credits_left, s.expires_on, COUNT(*) OVER () AS of_all \
         FROM passes s JOIN members m ON m.studio_id = s.studio_id AND m.person_id = s.person_id JOIN persons p ON p.id = s.person_id \
         WHERE s.studio_id = $1 AND s.expires_on >= $2 AND s.expires_on < $3 AND s.ended_at IS NULL AND p.deleted_at IS NULL \
         AND (s.credits_left IS NULL OR s.credits_left > 0) ORDER BY s.expires_on, s.id LIMIT $4"
    );
    tx.all(sql, (studio_id, from, to, count_max)).await
}

/// A member who has not come for a while.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns of the query")]
pub struct Unseen {
    #[sqlx(flatten)]
    pub member: Contact,
    pub last_visit: DateTime<Utc>,
    pub of_all: i64,
}

/// Members whose last visit was before an instant and who have nothing booked after `now`, the last to come first.
pub async fn unseen(tx: &mut Tx, studio_id: Uuid, before: DateTime<Utc>, now: DateTime<Utc>, count_max: i64) -> Result<Vec<Unseen>, Error> {
    let sql = concat!(
        "SELECT",
        contact!(),
        "x.last_visit, COUNT(*) OVER () AS of_all FROM (SELECT person_id, MAX(starts_at) AS last_visit",
        visits!(),
        "GROUP BY person_id) x JOIN members m ON m.studio_id = $1 AND m.person_id = x.person_id JOIN persons p ON p.id = x.person_id \
         WHERE x.last_visit < $2 AND p.deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM bookings b WHERE b.person_id = x.person_id \
         AND b.studio_id = $1 AND b.starts_at > $3 AND b.status IN ('booked', 'offered', 'waitlisted')) \
         ORDER BY x.last_visit DESC, x.person_id LIMIT $4"
    );
    tx.all(sql, (studio_id, before, now, count_max)).await
}

/// A fee that nobody has paid.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns of the query")]
pub struct FeeDue {
    #[sqlx(flatten)]
    pub member: Contact,
    pub penalty_id: Uuid,
    pub fee_minor: i64,
    pub fee_currency: String,
    pub at: DateTime<Utc>,
    pub of_all: i64,
}

/// Fees that are due, the oldest first.
pub async fn fees_due(tx: &mut Tx, studio_id: Uuid, count_max: i64) -> Result<Vec<FeeDue>, Error> {
    let sql = concat!(
        "SELECT",
        contact!(),
        "f.id AS penalty_id, f.fee_minor, f.fee_currency, f.at, COUNT(*) OVER () AS of_all FROM penalties f \
         JOIN members m ON m.studio_id = f.studio_id AND m.person_id = f.person_id JOIN persons p ON p.id = f.person_id \
         WHERE f.studio_id = $1 AND f.fee_minor IS NOT NULL AND f.paid_at IS NULL AND f.waived_at IS NULL AND p.deleted_at IS NULL \
         ORDER BY f.at, f.id LIMIT $2"
    );
    tx.all(sql, (studio_id, count_max)).await
}

/// What a studio's packs hold: of one pass that can still be used.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns of the query")]
pub struct PackLeft {
    pub pass_type_id: Uuid,
    pub type_name: Json<Texts>,
    pub credits_left: i64,
    pub paid_minor: i64,
    pub currency: Option<String>,
    pub sold: i64,
    pub given: i64,
}

/// Packs of the studio with credits that can be used on this day, in no order.
pub async fn packs_left(tx: &mut Tx, studio_id: Uuid, today: NaiveDate) -> Result<Vec<PackLeft>, Error> {
    let sql = "SELECT p.pass_type_id, t.name AS type_name, p.credits_left, \
               CAST(COALESCE(SUM(CASE WHEN l.reason IN ('sold', 'transferred') THEN l.amount_minor END), 0) AS BIGINT) AS paid_minor, \
               MAX(CASE WHEN l.reason IN ('sold', 'transferred') THEN l.currency END) AS currency, \
               CAST(COALESCE(SUM(CASE WHEN l.reason IN ('sold', 'transferred') THEN l.credits END), 0) AS BIGINT) AS sold, \
               CAST(COALESCE(SUM(CASE WHEN l.reason = 'gift' THEN l.credits END), 0) AS BIGINT) AS given \
               FROM passes p JOIN pass_types t ON t.id = p.pass_type_id LEFT JOIN ledger l ON l.pass_id = p.id \
               WHERE p.studio_id = $1 AND p.expires_on >= $2 AND p.kind = 'pack' AND p.credits_left > 0 AND p.ended_at IS NULL \
               GROUP BY p.id, t.id";
    tx.all(sql, (studio_id, today)).await
}

/// The studio's letters that were written in this time, by kind and state.
pub async fn letters(tx: &mut Tx, studio_id: Uuid, (from, to): Time) -> Result<Vec<(String, LetterState, i64)>, Error> {
    let sql =
        "SELECT kind, state, COUNT(*) FROM letters WHERE studio_id = $1 AND created_at >= $2 AND created_at < $3 GROUP BY kind, state";
    tx.all(sql, (studio_id, from, to)).await
}

/// Who sent the visitors of the studio's sessions on these local dates, those who sent most first.
pub async fn visitors(tx: &mut Tx, studio_id: Uuid, (from, to): Days, limit: i64) -> Result<Vec<VisitorsBySource>, Error> {
    let sql = "SELECT b.visitor_source AS source, \
               CAST(SUM(CASE WHEN b.released_at IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS booked, \
               CAST(SUM(CASE WHEN b.status = 'attended' THEN 1 ELSE 0 END) AS BIGINT) AS attended, \
               CAST(SUM(CASE WHEN b.status = 'no_show' THEN 1 ELSE 0 END) AS BIGINT) AS no_show \
               FROM sessions s JOIN bookings b ON b.session_id = s.id \
               WHERE s.studio_id = $1 AND s.local_date >= $2 AND s.local_date < $3 AND b.visitor_source IS NOT NULL \
               AND b.status IN ('booked', 'attended', 'no_show') GROUP BY b.visitor_source ORDER BY booked DESC, b.visitor_source LIMIT $4";
    tx.all(sql, (studio_id, from, to, limit)).await
}
