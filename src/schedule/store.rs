//! Sessions and class types in the database.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use super::rules::start_by_the_wall;
use super::{Clash, ClassType, Me, SESSION_HOURS_MAX, Session};
use crate::db::{Db, Error, Sql, Tx, Wide};
use crate::studios::Zone;

/// The columns of a session and of its names.
macro_rules! columns {
    () => {
        "SELECT s.id, s.studio_id, s.class_type_id, s.room_id, s.instructor_id, s.starts_at, s.ends_at, s.local_date, s.local_minute, \
         s.local_weekday, s.capacity, s.taken, s.held, s.waiting, s.next_queue_key, s.credits, s.status, s.booking_opens_at, \
         s.booking_closes_at, s.free_cancel_until, s.promote_until, s.waiting_ends_at, s.offers_until, s.kept_until, s.waitlist_cap, s.changed, s.cancelled_at, \
         s.cancel_reason, s.cancel_note, s.sequence, s.version, s.created_at, s.series_id, s.series_date, s.by_hand, s.skipped_minute, \
         s.was_draft, s.minimum, s.too_few_exempt, s.too_few_at, s.too_few_due_at, s.too_few_warned, s.team_note, s.member_note, \
         s.absent_from, s.attendance_due_at, c.name AS class_name, c.level AS class_level, c.minutes AS class_minutes, \
         r.name AS room_name, i.name AS instructor_name, t.time_zone, t.locale AS studio_locale"
    };
}

/// Sessions with their names.
macro_rules! shown {
    ($rest:literal) => {
        concat!(columns!(), " ", $rest)
    };
}

/// The same for one reader: with their own booking and position in the queue.
macro_rules! shown_to {
    ($rest:literal) => {
        concat!(
            columns!(),
            ", b.id AS me_booking_id, b.status AS me_status, ",
            "CASE WHEN b.queue_key IS NULL THEN NULL ELSE ",
            "(SELECT COUNT(*) FROM bookings q WHERE q.session_id = s.id AND q.queue_key <= b.queue_key) END AS me_position ",
            $rest
        )
    };
}

/// A session as one reader sees it.
#[derive(Debug, sqlx::FromRow)]
pub struct ShownTo {
    #[sqlx(flatten)]
    pub shown: Session,
    me_booking_id: Option<Uuid>,
    me_status: Option<String>,
    me_position: Option<i64>,
}

impl ShownTo {
    /// The reader's own booking of it.
    pub fn me(&self) -> Option<Me<'_>> {
        let status = self.me_status.as_deref()?.into();
        Some(Me { booking_id: self.me_booking_id?, status, waitlist_position: self.me_position })
    }
}

/// A person's booking of a session.
#[derive(Debug, sqlx::FromRow)]
pub struct Mine {
    pub session_id: Uuid,
    id: Uuid,
    status: String,
    position: Option<i64>,
}

impl Mine {
    /// As the schedule shows it to the reader.
    pub fn me(self) -> Me<'static> {
        Me { booking_id: self.id, status: self.status.into(), waitlist_position: self.position }
    }
}

/// A person's bookings in sessions that begin in this span.
pub async fn mine(db: &Db, person_id: Uuid, (first, last): (DateTime<Utc>, DateTime<Utc>)) -> Result<Vec<Mine>, Error> {
    let sql = "SELECT b.session_id, b.id, b.status, CASE WHEN b.queue_key IS NULL THEN NULL ELSE \
               (SELECT COUNT(*) FROM bookings q WHERE q.session_id = b.session_id AND q.queue_key <= b.queue_key) END AS position \
               FROM bookings b WHERE b.person_id = $1 AND b.starts_at >= $2 AND b.starts_at <= $3 AND b.guest_of IS NULL \
               AND b.status NOT IN ('cancelled', 'late_cancelled')";
    // A page may be a second old, and a session may have moved since.
    let day = chrono::TimeDelta::days(1);
    db.all(sql, (person_id, first - day, last + day)).await
}

/// A session to come and its wall time.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns of the tables")]
pub struct OnTheWall {
    pub id: Uuid,
    pub starts_at: DateTime<Utc>,
    pub local_date: NaiveDate,
    pub local_minute: i64,
    pub skipped_minute: Option<i64>,
    pub time_zone: Zone,
}

impl OnTheWall {
    /// When it should begin, if that is not when it does.
    pub fn by_the_wall(&self) -> Option<DateTime<Utc>> {
        start_by_the_wall(self.starts_at, (self.local_date, self.local_minute), self.skipped_minute, self.time_zone.tz())
    }
}

/// Sessions that are neither over nor cancelled, after this one.
pub async fn on_the_wall(tx: &mut Tx, now: DateTime<Utc>, after: Uuid, limit: i64) -> Result<Vec<OnTheWall>, Error> {
    let sql = "SELECT s.id, s.starts_at, s.local_date, s.local_minute, s.skipped_minute, t.time_zone \
               FROM sessions s JOIN studios t ON t.id = s.studio_id \
               WHERE s.id > $1 AND s.starts_at > $2 AND s.ends_at > $3 AND s.status <> 'cancelled' ORDER BY s.id LIMIT $4";
    // One that is over stays where it was, whatever zone its studio has by now.
    tx.all(sql, (after, now - TimeDelta::hours(SESSION_HOURS_MAX), now, limit)).await
}

pub async fn one(db: &Db, id: Uuid) -> Result<Option<Session>, Error> {
    let sql = shown!(
        "FROM sessions s JOIN class_types c ON c.id = s.class_type_id JOIN rooms r ON r.id = s.room_id \
         JOIN persons i ON i.id = s.instructor_id JOIN studios t ON t.id = s.studio_id WHERE s.id = $1"
    );
    db.maybe(sql, (id,)).await
}

/// One session as this person sees it.
pub async fn one_for(db: &Db, id: Uuid, person_id: Uuid) -> Result<Option<ShownTo>, Error> {
    let sql = shown_to!(
        "FROM sessions s JOIN class_types c ON c.id = s.class_type_id JOIN rooms r ON r.id = s.room_id \
         JOIN persons i ON i.id = s.instructor_id JOIN studios t ON t.id = s.studio_id \
         LEFT JOIN bookings b ON b.session_id = s.id AND b.person_id = $2 AND b.guest_of IS NULL \
         AND b.status NOT IN ('cancelled', 'late_cancelled') WHERE s.id = $1"
    );
    db.maybe(sql, (id, person_id)).await
}

/// These sessions, in no order, as the transactor needs them for its answers.
pub async fn among(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Session>, Error> {
    let sql = shown!(
        "FROM sessions s JOIN class_types c ON c.id = s.class_type_id JOIN rooms r ON r.id = s.room_id \
         JOIN persons i ON i.id = s.instructor_id JOIN studios t ON t.id = s.studio_id WHERE s.id IN #"
    );
    tx.among(sql, (), ids).await
}

/// Which sessions of a studio a page of its schedule shows.
#[derive(Clone, Debug)]
pub struct Range {
    pub studio_id: Uuid,
    /// The first local date …
    pub from: NaiveDate,
    /// … and the first that is not shown.
    pub to: NaiveDate,
    /// Only of this class type.
    pub class_type: Option<Uuid>,
    /// Only with this instructor.
    pub instructor: Option<Uuid>,
    /// Also those that members do not see yet.
    pub drafts: bool,
    /// After this one.
    pub after: Option<(DateTime<Utc>, Uuid)>,
    /// The most rows of one page.
    pub count_max: i64,
}

/// Before every session that may be scheduled.
const BEGINNING: (DateTime<Utc>, Uuid) = (DateTime::UNIX_EPOCH, Uuid::nil());

/// A page of the schedule, in order of time.
pub async fn range(db: &Db, range: &Range) -> Result<Vec<Session>, Error> {
    let sql = shown!(
        "FROM sessions s JOIN class_types c ON c.id = s.class_type_id JOIN rooms r ON r.id = s.room_id \
         JOIN persons i ON i.id = s.instructor_id JOIN studios t ON t.id = s.studio_id \
         WHERE s.studio_id = $1 AND s.local_date >= $2 AND s.local_date < $3 AND (s.starts_at > $4 OR (s.starts_at = $4 AND s.id > $5)) \
         AND ($6 OR (s.status <> 'draft' AND NOT s.was_draft)) AND ($7 IS NULL OR s.class_type_id = $7) AND ($8 IS NULL OR s.instructor_id = $8) \
         ORDER BY s.starts_at, s.id LIMIT $9"
    );
    let (after, after_id) = range.after.unwrap_or(BEGINNING);
    let binds = (range.studio_id, range.from, range.to, after, after_id, range.drafts, range.class_type, range.instructor, range.count_max);
    db.all(sql, binds).await
}

/// The same as this person sees it.
pub async fn range_for(db: &Db, range: &Range, person_id: Uuid) -> Result<Vec<ShownTo>, Error> {
    let sql = shown_to!(
        "FROM sessions s JOIN class_types c ON c.id = s.class_type_id JOIN rooms r ON r.id = s.room_id \
         JOIN persons i ON i.id = s.instructor_id JOIN studios t ON t.id = s.studio_id \
         LEFT JOIN bookings b ON b.session_id = s.id AND b.person_id = $10 AND b.guest_of IS NULL \
         AND b.status NOT IN ('cancelled', 'late_cancelled') \
         WHERE s.studio_id = $1 AND s.local_date >= $2 AND s.local_date < $3 AND (s.starts_at > $4 OR (s.starts_at = $4 AND s.id > $5)) \
         AND ($6 OR (s.status <> 'draft' AND NOT s.was_draft)) AND ($7 IS NULL OR s.class_type_id = $7) AND ($8 IS NULL OR s.instructor_id = $8) \
         ORDER BY s.starts_at, s.id LIMIT $9"
    );
    let (after, after_id) = range.after.unwrap_or(BEGINNING);
    let binds = (
        range.studio_id,
        range.from,
        range.to,
        after,
        after_id,
        range.drafts,
        range.class_type,
        range.instructor,
        range.count_max,
        person_id,
    );
    db.all(sql, binds).await
}

/// What an instructor teaches, in all studios where they still do, by their local dates: rights in a session end with the role.
pub async fn teaching(
    db: &Db,
    instructor_id: Uuid,
    (from, to): (NaiveDate, NaiveDate),
    after: Option<(DateTime<Utc>, Uuid)>,
    count_max: i64,
) -> Result<Vec<Session>, Error> {
    let sql = shown!(
        "FROM sessions s JOIN class_types c ON c.id = s.class_type_id JOIN rooms r ON r.id = s.room_id \
         JOIN persons i ON i.id = s.instructor_id JOIN studios t ON t.id = s.studio_id \
         WHERE s.instructor_id = $1 AND s.local_date >= $2 AND s.local_date < $3 \
         AND EXISTS (SELECT 1 FROM staff w WHERE w.studio_id = s.studio_id AND w.person_id = $1 AND w.role = 'instructor') \
         AND s.starts_at >= $4 AND (s.starts_at > $4 OR s.id > $5) ORDER BY s.starts_at, s.id LIMIT $6"
    );
    // A local date is at most 14 hours ahead of UTC: the index on time is read from a day earlier.
    let earliest = (from.and_time(chrono::NaiveTime::MIN).and_utc() - chrono::TimeDelta::days(1), Uuid::nil());
    let (after, after_id) = after.map_or(earliest, |after| after.max(earliest));
    db.all(sql, (instructor_id, from, to, after, after_id, count_max)).await
}

/// The studio's sessions that are not over and whose instructor teaches there no more, drafts too, in the order of time.
pub async fn unstaffed(
    db: &Db,
    studio_id: Uuid,
    now: DateTime<Utc>,
    after: Option<(DateTime<Utc>, Uuid)>,
    count_max: i64,
) -> Result<Vec<Session>, Error> {
    let sql = shown!(
        "FROM sessions s JOIN class_types c ON c.id = s.class_type_id JOIN rooms r ON r.id = s.room_id \
         JOIN persons i ON i.id = s.instructor_id JOIN studios t ON t.id = s.studio_id \
         WHERE s.studio_id = $1 AND s.local_date >= $2 AND s.ends_at > $3 AND s.status <> 'cancelled' \
         AND (s.starts_at > $4 OR (s.starts_at = $4 AND s.id > $5)) \
         AND NOT EXISTS (SELECT 1 FROM staff w WHERE w.studio_id = s.studio_id AND w.person_id = s.instructor_id AND w.role = 'instructor') \
         ORDER BY s.starts_at, s.id LIMIT $6"
    );
    // One that is not over began a day ago at most, and a local date is at most 12 hours behind UTC: the index is entered by it.
    let from = (now - TimeDelta::days(2)).date_naive();
    let (after, after_id) = after.unwrap_or(BEGINNING);
    db.all(sql, (studio_id, from, now, after, after_id, count_max)).await
}

/// Who is expected in a session, counted.
#[derive(Clone, Copy, Debug, Default, sqlx::FromRow)]
#[allow(missing_docs, reason = "columns")]
pub struct RosterCounts {
    pub session_id: Uuid,
    pub booked: i64,
    pub arrived: i64,
    pub first_visits: i64,
}

/// Counts of these sessions' rosters; a session that nobody is in is left out. A first visit is by somebody who has not attended in this
/// studio before.
pub async fn roster_counts(db: &Db, ids: &[Uuid]) -> Result<Vec<RosterCounts>, Error> {
    let sql = "SELECT b.session_id, COUNT(*) AS booked, CAST(SUM(CASE WHEN b.arrived_at IS NULL THEN 0 ELSE 1 END) AS BIGINT) AS arrived, \
               CAST(SUM(CASE WHEN EXISTS (SELECT 1 FROM bookings v WHERE v.person_id = b.person_id AND v.studio_id = b.studio_id \
               AND v.status = 'attended' AND v.starts_at < b.starts_at) THEN 0 ELSE 1 END) AS BIGINT) AS first_visits \
               FROM bookings b WHERE b.status IN ('booked', 'attended', 'no_show') AND b.released_at IS NULL \
               AND b.session_id IN # GROUP BY b.session_id";
    db.among(sql, (), ids).await
}

/// The studio's sessions on some local dates, without drafts, in order of time: what a report is about.
pub async fn of_dates(tx: &mut Tx, studio_id: Uuid, (from, to): (NaiveDate, NaiveDate), count_max: i64) -> Result<Vec<Session>, Error> {
    let sql = shown!(
        "FROM sessions s JOIN class_types c ON c.id = s.class_type_id JOIN rooms r ON r.id = s.room_id \
         JOIN persons i ON i.id = s.instructor_id JOIN studios t ON t.id = s.studio_id \
         WHERE s.studio_id = $1 AND s.local_date >= $2 AND s.local_date < $3 AND s.status <> 'draft' AND NOT s.was_draft \
         ORDER BY s.starts_at, s.id LIMIT $4"
    );
    tx.all(sql, (studio_id, from, to, count_max)).await
}

/// The sessions of a series that have not begun and are not cancelled.
pub async fn of_series(tx: &mut Tx, series_id: Uuid, now: DateTime<Utc>) -> Result<Vec<Session>, Error> {
    let sql = shown!(
        "FROM sessions s JOIN class_types c ON c.id = s.class_type_id JOIN rooms r ON r.id = s.room_id \
         JOIN persons i ON i.id = s.instructor_id JOIN studios t ON t.id = s.studio_id \
         WHERE s.series_id = $1 AND s.starts_at > $2 AND s.status <> 'cancelled'"
    );
    tx.all(sql, (series_id, now)).await
}

/// The same of several series, in no order.
pub async fn of_many_series(tx: &mut Tx, ids: &[Uuid], now: DateTime<Utc>) -> Result<Vec<Session>, Error> {
    let sql = shown!(
        "FROM sessions s JOIN class_types c ON c.id = s.class_type_id JOIN rooms r ON r.id = s.room_id \
         JOIN persons i ON i.id = s.instructor_id JOIN studios t ON t.id = s.studio_id \
         WHERE s.starts_at > $1 AND s.status <> 'cancelled' AND s.series_id IN #"
    );
    tx.among(sql, (now,), ids).await
}

/// What an instructor teaches, in any studio, that is neither over nor cancelled, in no order.
pub async fn of_instructor(tx: &mut Tx, person_id: Uuid, now: DateTime<Utc>) -> Result<Vec<Session>, Error> {
    let sql = shown!(
        "FROM sessions s JOIN class_types c ON c.id = s.class_type_id JOIN rooms r ON r.id = s.room_id \
         JOIN persons i ON i.id = s.instructor_id JOIN studios t ON t.id = s.studio_id \
         WHERE s.instructor_id = $1 AND s.starts_at > $2 AND s.ends_at > $3 AND s.status <> 'cancelled'"
    );
    tx.all(sql, (person_id, now - TimeDelta::hours(SESSION_HOURS_MAX), now)).await
}

/// The sessions of a studio on some local dates, drafts and cancelled ones too.
pub async fn of_days(tx: &mut Tx, studio_id: Uuid, (from, to): (NaiveDate, NaiveDate)) -> Result<Vec<Session>, Error> {
    let sql = shown!(
        "FROM sessions s JOIN class_types c ON c.id = s.class_type_id JOIN rooms r ON r.id = s.room_id \
         JOIN persons i ON i.id = s.instructor_id JOIN studios t ON t.id = s.studio_id \
         WHERE s.studio_id = $1 AND s.local_date >= $2 AND s.local_date < $3"
    );
    tx.all(sql, (studio_id, from, to)).await
}

/// The days on which the studio is closed, from a date on.
pub async fn closing_days(tx: &mut Tx, studio_id: Uuid, from: NaiveDate) -> Result<Vec<(NaiveDate,)>, Error> {
    tx.all("SELECT closed_on FROM closing_days WHERE studio_id = $1 AND closed_on >= $2", (studio_id, from)).await
}

/// Sessions with a step due towards the decision whether enough have booked.
pub async fn too_few_due(tx: &mut Tx, now: DateTime<Utc>, count_max: i64) -> Result<Vec<(Uuid,)>, Error> {
    tx.all("SELECT id FROM sessions WHERE too_few_due_at <= $1 AND status = 'scheduled' ORDER BY too_few_due_at LIMIT $2", (now, count_max))
        .await
}

/// Sessions whose attendance is to be looked at.
pub async fn attendance_due(tx: &mut Tx, now: DateTime<Utc>, count_max: i64) -> Result<Vec<(Uuid,)>, Error> {
    let sql = "SELECT id FROM sessions WHERE attendance_due_at <= $1 AND status = 'scheduled' ORDER BY attendance_due_at LIMIT $2";
    tx.all(sql, (now, count_max)).await
}

/// The days to come on which the studio is closed, and why.
pub async fn closing_days_to_come<T: crate::db::Record>(db: &Db, studio_id: Uuid, today: NaiveDate) -> Result<Vec<T>, Error> {
    let sql = "SELECT closed_on AS date, note FROM closing_days WHERE studio_id = $1 AND closed_on >= $2 ORDER BY closed_on LIMIT 1000";
    db.all(sql, (studio_id, today)).await
}

/// Closes days, or opens them again.
pub async fn write_closing_days(
    tx: &mut Tx,
    days: BTreeMap<(Uuid, NaiveDate), Option<Option<String>>>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    for ((studio_id, date), closed) in days {
        match closed {
            Some(note) => {
                let sql = "INSERT INTO closing_days (studio_id, closed_on, note, created_at) VALUES ($1, $2, $3, $4) \
                           ON CONFLICT (studio_id, closed_on) DO UPDATE SET note = excluded.note";
                tx.run(sql, (studio_id, date, note, now)).await?;
            }
            None => drop(tx.run("DELETE FROM closing_days WHERE studio_id = $1 AND closed_on = $2", (studio_id, date)).await?),
        }
    }
    Ok(())
}

/// Whether the studio has sessions that are not over.
pub async fn any_to_come(tx: &mut Tx, studio_id: Uuid, now: DateTime<Utc>) -> Result<bool, Error> {
    let sql = "SELECT id FROM sessions WHERE studio_id = $1 AND ends_at > $2 AND status <> 'cancelled' LIMIT 1";
    Ok(tx.maybe::<(Uuid,)>(sql, (studio_id, now)).await?.is_some())
}

/// The sessions of a studio that have not begun and are not cancelled.
pub async fn to_come(tx: &mut Tx, studio_id: Uuid, now: DateTime<Utc>) -> Result<Vec<Session>, Error> {
    let sql = shown!(
        "FROM sessions s JOIN class_types c ON c.id = s.class_type_id JOIN rooms r ON r.id = s.room_id \
         JOIN persons i ON i.id = s.instructor_id JOIN studios t ON t.id = s.studio_id \
         WHERE s.studio_id = $1 AND s.starts_at > $2 AND s.status <> 'cancelled'"
    );
    tx.all(sql, (studio_id, now)).await
}

/// The studio's class types, oldest first.
pub async fn class_types(db: &Db, studio_id: Uuid, after: Option<Uuid>, count_max: i64) -> Result<Vec<ClassType>, Error> {
    let sql = "SELECT id, studio_id, name, description, level, minutes, credits, minimum, version, rules_version FROM class_types \
               WHERE studio_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    db.all(sql, (studio_id, after.unwrap_or_default(), count_max)).await
}

/// One class type of the studio.
pub async fn class_type(db: &Db, studio_id: Uuid, id: Uuid) -> Result<Option<ClassType>, Error> {
    let sql = "SELECT id, studio_id, name, description, level, minutes, credits, minimum, version, rules_version FROM class_types \
               WHERE studio_id = $1 AND id = $2";
    db.maybe(sql, (studio_id, id)).await
}

/// One class type of the studio, locked until the end of the transaction.
pub async fn class_type_to_edit(tx: &mut Tx, studio_id: Uuid, id: Uuid) -> Result<Option<ClassType>, Error> {
    let sql = Sql::Each {
        sqlite: "SELECT id, studio_id, name, description, level, minutes, credits, minimum, version, rules_version FROM class_types WHERE studio_id = $1 AND id = $2",
        postgres: "SELECT id, studio_id, name, description, level, minutes, credits, minimum, version, rules_version FROM class_types WHERE studio_id = $1 AND id = $2 \
                   FOR NO KEY UPDATE",
    };
    tx.maybe(sql, (studio_id, id)).await
}

/// A new class type.
pub async fn add_class_type(tx: &mut Tx, class: &ClassType, now: DateTime<Utc>) -> Result<(), Error> {
    let sql = "INSERT INTO class_types (id, studio_id, name, description, level, minutes, credits, minimum, version, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let ClassType { id, studio_id, name, description, level, minutes, credits, minimum, version, .. } = class.clone();
    tx.run(sql, (id, studio_id, name, description, level, minutes, credits, minimum, version, now)).await.map(drop)
}

/// The class type's new texts and numbers. Sessions that are scheduled already keep their length and their credits.
pub async fn set_class_type(tx: &mut Tx, class: &ClassType) -> Result<(), Error> {
    let sql = "UPDATE class_types SET name = $3, description = $4, level = $5, minutes = $6, credits = $7, minimum = $8, version = $9 \
               WHERE studio_id = $1 AND id = $2";
    let ClassType { id, studio_id, name, description, level, minutes, credits, minimum, version, .. } = class.clone();
    tx.run(sql, (studio_id, id, name, description, level, minutes, credits, minimum, version)).await.map(drop)
}

/// Writes sessions that were scheduled.
pub async fn insert(tx: &mut Tx, sessions: Vec<&Session>) -> Result<(), Error> {
    let rows = sessions
        .into_iter()
        .map(|s| {
            Wide((
                (s.id, s.studio_id, s.class_type_id, s.room_id, s.instructor_id, s.starts_at, s.ends_at, s.local_date, s.local_minute),
                (s.local_weekday, s.capacity, s.taken, s.held, s.waiting, s.next_queue_key, s.credits, s.status, s.booking_opens_at),
                (s.booking_closes_at, s.free_cancel_until, s.promote_until, s.waiting_ends_at, s.waitlist_cap, s.changed.clone()),
                (s.cancelled_at, s.cancel_reason, s.cancel_note.clone(), s.sequence, s.version, s.created_at),
                (s.series_id, s.series_date, s.by_hand.clone(), s.skipped_minute, s.was_draft, s.minimum, s.too_few_exempt),
                (
                    s.too_few_at,
                    s.too_few_due_at,
                    s.too_few_warned,
                    s.team_note.clone(),
                    s.member_note.clone(),
                    s.offers_until,
                    s.kept_until,
                    s.absent_from,
                    s.attendance_due_at,
                ),
            ))
        })
        .collect();
    let sql = "INSERT INTO sessions (id, studio_id, class_type_id, room_id, instructor_id, starts_at, ends_at, local_date, local_minute, \
               local_weekday, capacity, taken, held, waiting, next_queue_key, credits, status, booking_opens_at, booking_closes_at, \
               free_cancel_until, promote_until, waiting_ends_at, waitlist_cap, changed, cancelled_at, cancel_reason, cancel_note, \
               sequence, version, created_at, series_id, series_date, by_hand, skipped_minute, was_draft, minimum, too_few_exempt, \
               too_few_at, too_few_due_at, too_few_warned, team_note, member_note, offers_until, kept_until, absent_from, \
               attendance_due_at) VALUES #";
    tx.rows(sql, rows).await.map(drop)
}

/// Writes sessions as the transactor left them.
pub async fn update(tx: &mut Tx, sessions: Vec<&Session>) -> Result<(), Error> {
    let rows = sessions
        .into_iter()
        .map(|s| {
            Wide((
                (s.id, s.class_type_id, s.room_id, s.instructor_id, s.starts_at, s.ends_at, s.local_date, s.local_minute),
                (s.local_weekday, s.capacity, s.taken, s.held, s.waiting, s.next_queue_key, s.credits, s.status, s.booking_opens_at),
                (s.booking_closes_at, s.free_cancel_until, s.promote_until, s.waiting_ends_at, s.waitlist_cap, s.changed.clone()),
                (s.cancelled_at, s.cancel_reason, s.cancel_note.clone(), s.sequence, s.version),
                (s.by_hand.clone(), s.skipped_minute, s.was_draft, s.minimum, s.too_few_exempt, s.too_few_at, s.too_few_due_at),
                (
                    s.too_few_warned,
                    s.team_note.clone(),
                    s.member_note.clone(),
                    s.offers_until,
                    s.kept_until,
                    s.absent_from,
                    s.attendance_due_at,
                ),
            ))
        })
        .collect();
    let sql = "WITH x (id, class_type_id, room_id, instructor_id, starts_at, ends_at, local_date, local_minute, local_weekday, capacity, \
               taken, held, waiting, next_queue_key, credits, status, booking_opens_at, booking_closes_at, free_cancel_until, \
               promote_until, waiting_ends_at, waitlist_cap, changed, cancelled_at, cancel_reason, cancel_note, sequence, version, \
               by_hand, skipped_minute, was_draft, minimum, too_few_exempt, too_few_at, too_few_due_at, too_few_warned, team_note, member_note, \
               offers_until, kept_until, absent_from, attendance_due_at) AS (VALUES #) UPDATE sessions SET class_type_id = x.class_type_id, room_id = x.room_id, instructor_id = x.instructor_id, \
               starts_at = x.starts_at, ends_at = x.ends_at, local_date = x.local_date, local_minute = x.local_minute, \
               local_weekday = x.local_weekday, capacity = x.capacity, taken = x.taken, held = x.held, waiting = x.waiting, \
               next_queue_key = x.next_queue_key, credits = x.credits, status = x.status, booking_opens_at = x.booking_opens_at, \
               booking_closes_at = x.booking_closes_at, free_cancel_until = x.free_cancel_until, promote_until = x.promote_until, \
               waiting_ends_at = x.waiting_ends_at, waitlist_cap = x.waitlist_cap, changed = x.changed, cancelled_at = x.cancelled_at, \
               cancel_reason = x.cancel_reason, cancel_note = x.cancel_note, sequence = x.sequence, version = x.version, \
               by_hand = x.by_hand, skipped_minute = x.skipped_minute, was_draft = x.was_draft, minimum = x.minimum, \
               too_few_exempt = x.too_few_exempt, too_few_at = x.too_few_at, too_few_due_at = x.too_few_due_at, \
               too_few_warned = x.too_few_warned, team_note = x.team_note, member_note = x.member_note, \
               offers_until = x.offers_until, kept_until = x.kept_until, absent_from = x.absent_from, attendance_due_at = x.attendance_due_at \
               FROM x WHERE sessions.id = x.id";
    tx.rows(sql, rows).await.map(drop)
}

/// These class types, in no order.
pub async fn class_types_among(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<ClassType>, Error> {
    let sql =
        "SELECT id, studio_id, name, description, level, minutes, credits, minimum, version, rules_version FROM class_types WHERE id IN #";
    tx.among(sql, (), ids).await
}

/// Sessions in a room that overlap the time.
pub async fn in_room(tx: &mut Tx, room_id: Uuid, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<Clash>, Error> {
    let sql = "SELECT id, studio_id, room_id, instructor_id, starts_at, ends_at, (status = 'draft' OR was_draft) AS for_staff FROM sessions \
               WHERE room_id = $1 AND starts_at > $2 AND starts_at < $4 AND ends_at > $3 AND status <> 'cancelled'";
    tx.all(sql, (room_id, from - TimeDelta::hours(SESSION_HOURS_MAX), from, until)).await
}

/// Sessions of an instructor, in any studio, that overlap the time.
pub async fn with_instructor(tx: &mut Tx, person_id: Uuid, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<Clash>, Error> {
    let sql = "SELECT id, studio_id, room_id, instructor_id, starts_at, ends_at, (status = 'draft' OR was_draft) AS for_staff FROM sessions \
               WHERE instructor_id = $1 AND starts_at > $2 AND starts_at < $4 AND ends_at > $3 AND status <> 'cancelled'";
    tx.all(sql, (person_id, from - TimeDelta::hours(SESSION_HOURS_MAX), from, until)).await
}
