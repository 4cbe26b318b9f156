//! SQL of bookings. The transactor is the only writer.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::Booking;
use super::offer::Offer;
use crate::db::{Db, Error, Sql, Tx, Wide};
use crate::letters::facts::Money;
use crate::passes::store::paid_with;
use crate::schedule::SESSION_HOURS_MAX;

macro_rules! columns {
    () => {
        "id, session_id, studio_id, person_id, status, starts_at, ends_at, created_at, asked_by, asked_pass_id, asked_waitlist, \
         asked_unpaid, unpaid_reason, pass_id, credits, visit_week, free_cancel_until, queue_key, passed_over, visitor_source, \
         visitor_phone, told_free_at, promoted_at, arrived_at, arrived_by, seen_absent_at, seen_absent_by, ended_at, ended_by, ended_reason, guest_name, guest_email, released_at, unrecorded, \
         asked_standby, credits_returned, provisional, sequence, letters, spot_id, guest_of, moved_up_reason, penalty_terms, asked_replaces, \
         replaced_by, asked_conditions, conditions, remind_at"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM bookings ", $rest)
    };
}

/// Bookings by id.
pub async fn by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Booking>, Error> {
    tx.among(select!("WHERE id IN #"), (), ids).await
}

pub async fn one(db: &Db, id: Uuid) -> Result<Option<Booking>, Error> {
    db.maybe(select!("WHERE id = $1"), (id,)).await
}

/// These people's bookings in sessions that are not over.
pub async fn ahead(tx: &mut Tx, people: &[Uuid], now: DateTime<Utc>) -> Result<Vec<Booking>, Error> {
    let sql = select!(
        "WHERE status IN ('booked', 'waitlisted', 'offered', 'standby', 'attended', 'no_show') AND starts_at > $1 AND ends_at > $2 \
         AND person_id IN #"
    );
    tx.among(sql, (now - Duration::hours(SESSION_HOURS_MAX), now), people).await
}

/// These people's places in sessions that start in this time.
pub async fn places(tx: &mut Tx, people: &[Uuid], from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Vec<Booking>, Error> {
    let sql = select!(
        "WHERE status IN ('booked', 'offered', 'attended', 'no_show') AND released_at IS NULL AND starts_at >= $1 AND starts_at < $2 \
         AND person_id IN #"
    );
    tx.among(sql, (from, to), people).await
}

/// These people's bookings in one session.
pub async fn in_session(tx: &mut Tx, session_id: Uuid, people: &[Uuid]) -> Result<Vec<Booking>, Error> {
    let sql = select!(
        "WHERE session_id = $1 AND status IN ('booked', 'waitlisted', 'offered', 'standby', 'attended', 'no_show') AND guest_of IS NULL \
         AND person_id IN #"
    );
    tx.among(sql, (session_id,), people).await
}

/// The bookings of two people that have not ended and are of one session, or of two at one time; of both, past ones too.
pub async fn beside(tx: &mut Tx, one: Uuid, other: Uuid) -> Result<Vec<Booking>, Error> {
    let sql = select!(
        "WHERE person_id IN ($1, $2) AND guest_of IS NULL AND status NOT IN ('cancelled', 'late_cancelled') AND EXISTS \
         (SELECT 1 FROM bookings o WHERE o.person_id IN ($1, $2) AND o.person_id <> bookings.person_id AND o.guest_of IS NULL \
         AND o.status NOT IN ('cancelled', 'late_cancelled') AND o.starts_at < bookings.ends_at AND bookings.starts_at < o.ends_at) \
         ORDER BY starts_at, id"
    );
    tx.all(sql, (one, other)).await
}

/// The first classes that were attended with this pass, whoever came.
pub async fn attended_with(tx: &mut Tx, pass_id: Uuid, limit: i64) -> Result<Vec<Booking>, Error> {
    let sql = concat!(select!("WHERE "), paid_with!("AND status = 'attended' ORDER BY starts_at, id LIMIT $2"));
    tx.all(sql, (pass_id, limit)).await
}

/// The bookings to come for which this pass pays, whoever comes.
pub async fn paid_by(tx: &mut Tx, pass_id: Uuid, now: DateTime<Utc>) -> Result<Vec<Booking>, Error> {
    tx.all(concat!(select!("WHERE "), paid_with!("AND starts_at > $2")), (pass_id, now)).await
}

/// The first classes that this person attended in this studio.
pub async fn attended_at(tx: &mut Tx, person_id: Uuid, studio_id: Uuid, limit: i64) -> Result<Vec<Booking>, Error> {
    let sql =
        select!("WHERE person_id = $1 AND studio_id = $2 AND status = 'attended' AND guest_of IS NULL ORDER BY starts_at, id LIMIT $3");
    tx.all(sql, (person_id, studio_id, limit)).await
}

/// The next bookings of a queue, behind the key `after`.
pub async fn queue_slice(tx: &mut Tx, session_id: Uuid, after: i64, limit: i64) -> Result<Vec<Booking>, Error> {
    tx.all(select!("WHERE session_id = $1 AND queue_key > $2 ORDER BY queue_key LIMIT $3"), (session_id, after, limit)).await
}

/// Everybody who is in these sessions, or cancelled late.
pub async fn rosters(tx: &mut Tx, sessions: &[Uuid]) -> Result<Vec<Booking>, Error> {
    tx.among(select!("WHERE status <> 'cancelled' AND session_id IN #"), (), sessions).await
}

/// The bookings by which somebody gave back a place that the waitlist of one of these sessions had given or offered them.
pub async fn turned_down(tx: &mut Tx, sessions: &[Uuid]) -> Result<Vec<Booking>, Error> {
    tx.among(select!("WHERE promoted_at IS NOT NULL AND ended_by = 'member' AND session_id IN #"), (), sessions).await
}

macro_rules! offers {
    ($rest:literal) => {
        concat!("SELECT id, booking_id, queue_key, made_at, clock_starts_at, expires_at, outcome, ended_at FROM offers ", $rest)
    };
}

/// The offers that run for these bookings.
pub async fn running_offers(tx: &mut Tx, bookings: &[Uuid]) -> Result<Vec<Offer>, Error> {
    tx.among(offers!("WHERE outcome IS NULL AND booking_id IN #"), (), bookings).await
}

/// One offer, running or not.
pub async fn offer(db: &Db, id: Uuid) -> Result<Option<Offer>, Error> {
    db.maybe(offers!("WHERE id = $1"), (id,)).await
}

/// What an offered place was said to cost.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct OfferedTerms {
    offer: Uuid,
    /// Of a pack.
    pub credits: Option<i64>,
    /// A membership would pay.
    pub membership: bool,
    fee_minor: Option<i64>,
    currency: Option<String>,
    /// Whether cancelling late counts as a strike.
    pub strike: bool,
}

impl OfferedTerms {
    /// What cancelling late costs besides.
    pub fn fee(&self) -> Option<Money> {
        self.fee_minor.zip(self.currency.clone()).map(|(amount_minor, currency)| Money { amount_minor, currency })
    }
}

/// What an offer was made on, as its letter tells it.
pub async fn offered_terms(db: &Db, booking: &Booking, offer_id: Uuid) -> Result<Option<OfferedTerms>, Error> {
    let sql = "SELECT details FROM events WHERE subject_kind = 'booking' AND subject_id = $1 AND studio_id = $2 \
               AND action = 'booking.offered' ORDER BY at DESC LIMIT 20";
    let told: Vec<(Json<OfferedTerms>,)> = db.all(sql, (booking.id, booking.studio_id)).await?;
    Ok(told.into_iter().map(|(Json(terms),)| terms).find(|terms| terms.offer == offer_id))
}

/// The bookings whose offers are over by the clock.
pub async fn offers_due(tx: &mut Tx, now: DateTime<Utc>, limit: i64) -> Result<Vec<(Uuid,)>, Error> {
    tx.all("SELECT booking_id FROM offers WHERE outcome IS NULL AND expires_at <= $1 ORDER BY expires_at LIMIT $2", (now, limit)).await
}

/// Writes new offers.
pub async fn insert_offers(tx: &mut Tx, offers: Vec<&Offer>) -> Result<(), Error> {
    let rows = offers
        .into_iter()
        .map(|o| (o.id, o.booking_id, o.queue_key, o.made_at, o.clock_starts_at, o.expires_at, o.outcome, o.ended_at))
        .collect();
    let sql = "INSERT INTO offers (id, booking_id, queue_key, made_at, clock_starts_at, expires_at, outcome, ended_at) VALUES #";
    tx.rows(sql, rows).await.map(drop)
}

/// Writes what came of offers.
pub async fn update_offers(tx: &mut Tx, offers: Vec<&Offer>) -> Result<(), Error> {
    let rows = offers.into_iter().map(|o| (o.id, o.outcome, o.ended_at)).collect();
    let sql = "WITH x (id, outcome, ended_at) AS (VALUES #) UPDATE offers SET outcome = x.outcome, ended_at = x.ended_at \
               FROM x WHERE offers.id = x.id";
    tx.rows(Sql::Both(sql), rows).await.map(drop)
}

/// What happened to a booking, as the log tells it, with what staff wrote about it.
#[derive(Debug, sqlx::FromRow)]
pub struct Told {
    pub at: DateTime<Utc>,
    pub action: String,
    pub details: Option<Json<Value>>,
    #[sqlx(skip)]
    pub note: Option<String>,
}

/// What happened to a booking, oldest first.
pub async fn told(db: &Db, booking: &Booking) -> Result<Vec<Told>, Error> {
    let mut tx = db.read().await?;
    let sql =
        "SELECT at, action, details FROM events WHERE subject_kind = 'booking' AND subject_id = $1 AND studio_id = $2 ORDER BY number";
    let mut told: Vec<Told> = tx.all(sql, (booking.id, booking.studio_id)).await?;
    let moved = |one: &Told| one.details.as_ref().and_then(|details| details["moved"].as_str()?.parse::<Uuid>().ok());
    let others: Vec<Uuid> = told.iter().filter_map(moved).collect();
    let reasons: Vec<(Uuid, Option<String>)> = tx.among("SELECT id, moved_up_reason FROM bookings WHERE id IN #", (), &others).await?;
    // Of what attendance corrected there is none.
    let sql = "SELECT MAX(waived_reason) FROM penalties WHERE booking_id = $1";
    let waived: Option<(Option<String>,)> = tx.maybe(sql, (booking.id,)).await?;
    tx.rollback().await;
    for one in &mut told {
        one.note = match one.action.as_str() {
            "booking.moved_up" => booking.moved_up_reason.clone(),
            "booking.overtaken" => {
                moved(one).and_then(|id| reasons.iter().find(|(other, _)| *other == id)).and_then(|(_, reason)| reason.clone())
            }
            "booking.penalty_waived" => waived.as_ref().and_then(|(reason,)| reason.clone()),
            "booking.cancelled" | "booking.late_cancelled" | "booking.waitlist_left" => booking.ended_reason.clone(),
            _ => None,
        };
    }
    Ok(told)
}

/// How often a membership was used in a week.
pub async fn visits(tx: &mut Tx, pass_id: Uuid, monday: NaiveDate) -> Result<i64, Error> {
    let (visits,): (i64,) = tx.one("SELECT COUNT(*) FROM bookings WHERE pass_id = $1 AND visit_week = $2", (pass_id, monday)).await?;
    Ok(visits)
}

/// A booking's position in the queue, counted when shown: 1 is next.
pub async fn position(db: &Db, session_id: Uuid, queue_key: i64) -> Result<i64, Error> {
    let sql = "SELECT COUNT(*) FROM bookings WHERE session_id = $1 AND queue_key <= $2";
    let (position,): (i64,) = db.one(sql, (session_id, queue_key)).await?;
    Ok(position)
}

/// The positions of a person's waitlisted bookings, by booking.
pub async fn positions(db: &Db, person_id: Uuid) -> Result<Vec<(Uuid, i64)>, Error> {
    let sql = "SELECT b.id, (SELECT COUNT(*) FROM bookings o WHERE o.session_id = b.session_id AND o.queue_key <= b.queue_key) \
               FROM bookings b WHERE b.person_id = $1 AND b.status = 'waitlisted' AND b.queue_key IS NOT NULL";
    db.all(sql, (person_id,)).await
}

/// A person's bookings to come, soonest first, after the cursor.
pub async fn upcoming(
    db: &Db,
    person_id: Uuid,
    now: DateTime<Utc>,
    after: (DateTime<Utc>, Uuid),
    limit: i64,
) -> Result<Vec<Booking>, Error> {
    let sql = select!(
        "WHERE person_id = $1 AND status IN ('booked', 'offered', 'waitlisted', 'standby') AND ends_at > $2 \
         AND (starts_at > $3 OR (starts_at = $3 AND id > $4)) ORDER BY starts_at, id LIMIT $5"
    );
    db.all(sql, (person_id, now, after.0, after.1, limit)).await
}

/// The rest of a person's bookings, latest first, before the cursor.
pub async fn past(db: &Db, person_id: Uuid, now: DateTime<Utc>, before: (DateTime<Utc>, Uuid), limit: i64) -> Result<Vec<Booking>, Error> {
    let sql = select!(
        "WHERE person_id = $1 AND NOT (status IN ('booked', 'offered', 'waitlisted', 'standby') AND ends_at > $2) \
         AND (starts_at < $3 OR (starts_at = $3 AND id < $4)) ORDER BY starts_at DESC, id DESC LIMIT $5"
    );
    db.all(sql, (person_id, now, before.0, before.1, limit)).await
}

/// A member's bookings in one studio, the latest first.
pub async fn of_member(db: &Db, studio_id: Uuid, person_id: Uuid, limit: i64) -> Result<Vec<Booking>, Error> {
    let sql = select!("WHERE studio_id = $1 AND person_id = $2 ORDER BY starts_at DESC, id DESC LIMIT $3");
    db.all(sql, (studio_id, person_id, limit)).await
}

/// Sessions whose waiting is over and in which somebody still waits.
pub async fn waiting_over(tx: &mut Tx, now: DateTime<Utc>, limit: i64) -> Result<Vec<(Uuid,)>, Error> {
    let sql = "SELECT id FROM sessions WHERE waiting > 0 AND waiting_ends_at <= $1 ORDER BY waiting_ends_at LIMIT $2";
    tx.all(sql, (now, limit)).await
}

/// Sessions with a free place for which somebody waits: the clock may have made them able to take it.
pub async fn refillable(tx: &mut Tx, now: DateTime<Utc>, limit: i64) -> Result<Vec<(Uuid,)>, Error> {
    let sql = "SELECT id FROM sessions WHERE waiting > 0 AND waiting_ends_at > $1 AND taken + held < capacity AND status = 'scheduled' \
               AND (promote_until > $1 OR offers_until > $1 OR kept_until <= $1) ORDER BY starts_at LIMIT $2";
    tx.all(sql, (now, limit)).await
}

/// Sessions in which it is to be looked at whether somebody is reminded of their place: those of the bookings that are due first.
pub async fn reminders_due(tx: &mut Tx, now: DateTime<Utc>, limit: i64) -> Result<Vec<(Uuid,)>, Error> {
    let sql = "SELECT DISTINCT due.session_id \
               FROM (SELECT session_id FROM bookings WHERE remind_at <= $1 ORDER BY remind_at LIMIT $2) due";
    tx.all(sql, (now, limit)).await
}

/// Writes new bookings.
pub async fn insert(tx: &mut Tx, bookings: Vec<&Booking>) -> Result<(), Error> {
    let rows = bookings
        .into_iter()
        .map(|b| {
            Wide((
                (b.id, b.session_id, b.studio_id, b.person_id, b.status, b.starts_at, b.ends_at, b.created_at, b.asked_by, b.asked_pass_id),
                (
                    b.asked_waitlist,
                    b.asked_unpaid,
                    b.unpaid_reason.clone(),
                    b.pass_id,
                    b.credits,
                    b.visit_week,
                    b.free_cancel_until,
                    b.queue_key,
                    b.passed_over,
                    b.visitor_source.clone(),
                    b.visitor_phone.clone(),
                ),
                (
                    b.told_free_at,
                    b.promoted_at,
                    b.arrived_at,
                    b.arrived_by,
                    b.seen_absent_at,
                    b.seen_absent_by,
                    b.ended_at,
                    b.ended_by,
                    b.ended_reason.clone(),
                    b.guest_name.clone(),
                    b.guest_email.clone(),
                    b.released_at,
                    b.unrecorded,
                    b.asked_standby,
                ),
                (
                    b.credits_returned,
                    b.provisional,
                    b.sequence,
                    b.letters,
                    b.spot_id,
                    b.guest_of,
                    b.moved_up_reason.clone(),
                    b.penalty_terms.clone(),
                    b.asked_replaces,
                    b.replaced_by,
                    b.asked_conditions.clone(),
                    b.conditions.clone(),
                    b.remind_at,
                ),
            ))
        })
        .collect();
    tx.rows(concat!("INSERT INTO bookings (", columns!(), ") VALUES #"), rows).await.map(drop)
}

/// Writes changed bookings: the columns that can change.
pub async fn update(tx: &mut Tx, bookings: Vec<&Booking>) -> Result<(), Error> {
    let rows = bookings
        .into_iter()
        .map(|b| {
            Wide((
                (b.id, b.status, b.starts_at, b.ends_at, b.pass_id, b.credits, b.visit_week, b.free_cancel_until, b.queue_key),
                (
                    b.passed_over,
                    b.told_free_at,
                    b.promoted_at,
                    b.arrived_at,
                    b.arrived_by,
                    b.seen_absent_at,
                    b.seen_absent_by,
                    b.ended_at,
                    b.ended_by,
                    b.released_at,
                    b.unrecorded,
                ),
                (
                    b.ended_reason.clone(),
                    b.credits_returned,
                    b.provisional,
                    b.sequence,
                    b.letters,
                    b.moved_up_reason.clone(),
                    b.penalty_terms.clone(),
                    b.replaced_by,
                    b.conditions.clone(),
                    b.remind_at,
                ),
            ))
        })
        .collect();
    let sql = "WITH x (id, status, starts_at, ends_at, pass_id, credits, visit_week, free_cancel_until, queue_key, passed_over, \
               told_free_at, promoted_at, arrived_at, arrived_by, seen_absent_at, seen_absent_by, ended_at, ended_by, released_at, unrecorded, ended_reason, \
               credits_returned, provisional, sequence, letters, moved_up_reason, penalty_terms, replaced_by, conditions, remind_at) AS (VALUES #) \
               UPDATE bookings SET status = x.status, starts_at = x.starts_at, ends_at = x.ends_at, pass_id = x.pass_id, \
               credits = x.credits, visit_week = x.visit_week, free_cancel_until = x.free_cancel_until, queue_key = x.queue_key, \
               passed_over = x.passed_over, told_free_at = x.told_free_at, promoted_at = x.promoted_at, arrived_at = x.arrived_at, \
               arrived_by = x.arrived_by, seen_absent_at = x.seen_absent_at, seen_absent_by = x.seen_absent_by, ended_at = x.ended_at, \
               ended_by = x.ended_by, released_at = x.released_at, unrecorded = x.unrecorded, ended_reason = x.ended_reason, \
               credits_returned = x.credits_returned, provisional = x.provisional, sequence = x.sequence, letters = x.letters, \
               moved_up_reason = x.moved_up_reason, penalty_terms = x.penalty_terms, replaced_by = x.replaced_by, conditions = x.conditions, \
               remind_at = x.remind_at FROM x WHERE bookings.id = x.id";
    tx.rows(Sql::Both(sql), rows).await.map(drop)
}

/// Forgets who the guests and visitors of sessions were that ended before. Returns which bookings these are.
pub async fn forget_guests(tx: &mut Tx, ended_before: DateTime<Utc>, limit: i64) -> Result<Vec<Uuid>, Error> {
    let sql = "SELECT id FROM bookings WHERE guest_name IS NOT NULL AND ends_at < $1 ORDER BY ends_at LIMIT $2";
    let ids: Vec<Uuid> = tx.all::<(Uuid,)>(sql, (ended_before, limit)).await?.into_iter().map(|(id,)| id).collect();
    let rows = ids.iter().map(|id| (*id,)).collect();
    let sql = "WITH x (id) AS (VALUES #) UPDATE bookings SET guest_name = NULL, guest_email = NULL, visitor_phone = NULL \
               FROM x WHERE bookings.id = x.id";
    tx.rows(sql, rows).await?;
    Ok(ids)
}

/// Deletes withdrawn ids that are no longer barred.
pub async fn forget_withdrawn(tx: &mut Tx, now: DateTime<Utc>) -> Result<u64, Error> {
    tx.run("DELETE FROM withdrawn_bookings WHERE until <= $1", (now,)).await
}

/// The ids that somebody barred before they turned out to be another are barred for that one.
pub async fn hand_over_withdrawn(tx: &mut Tx, from: Uuid, to: Uuid) -> Result<(), Error> {
    let sql = "INSERT INTO withdrawn_bookings (booking_id, person_id, until) \
               SELECT booking_id, $2, until FROM withdrawn_bookings WHERE person_id = $1 ON CONFLICT DO NOTHING";
    tx.run(sql, (from, to)).await?;
    forget_withdrawn_of(tx, from).await
}

/// Lifts what somebody barred who never was.
pub async fn forget_withdrawn_of(tx: &mut Tx, person_id: Uuid) -> Result<(), Error> {
    tx.run("DELETE FROM withdrawn_bookings WHERE person_id = $1", (person_id,)).await.map(drop)
}

/// Ids that somebody cancelled before they booked, and that are still barred for them: (id, person, until).
pub async fn withdrawn(tx: &mut Tx, ids: &[Uuid], now: DateTime<Utc>) -> Result<Vec<(Uuid, Uuid, DateTime<Utc>)>, Error> {
    tx.among("SELECT booking_id, person_id, until FROM withdrawn_bookings WHERE until > $1 AND booking_id IN #", (now,), ids).await
}

/// Bars ids that were never seen: (id, person, until).
pub async fn withdraw(tx: &mut Tx, rows: Vec<(Uuid, Uuid, DateTime<Utc>)>) -> Result<(), Error> {
    let sql = "INSERT INTO withdrawn_bookings (booking_id, person_id, until) VALUES # \
               ON CONFLICT (booking_id, person_id) DO UPDATE SET until = excluded.until";
    tx.rows(sql, rows).await.map(drop)
}
