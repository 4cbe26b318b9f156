//! Checks Relevé's promises on a live database, with other code than the code that keeps them.
//!
//! Every check counts the rows it looked at and names those that break its promise. All checks read one snapshot. What the clock alone
//! changes is judged as of the last sweep, a little over half a minute ago.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db::{Db, Error, Tx};
use crate::schedule::series::ByHand;
use crate::schedule::series::rules::{dates, off_series};
use crate::schedule::{self, Session};
use crate::search::name_key;
use crate::studios::Zone;
use crate::text::address_key;
use crate::zones;

/// The most broken rows that a finding names; the rest are only counted.
const ROWS_NAMED_MAX: usize = 50;

/// How long ago the last sweep may have been.
const SWEEP_S: i64 = 60;

/// Series read at a time: together they have some thousands of sessions to come.
const SERIES_AT_ONCE: i64 = 50;

/// Sessions read at a time.
const SESSIONS_AT_ONCE: i64 = 2_000;

/// What a check found.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The promise, in words.
    pub promise: &'static str,
    /// How many rows were looked at.
    pub examined: i64,
    /// How many break it.
    pub broken: usize,
    /// The first of these: id and what is wrong.
    pub rows: Vec<String>,
}

/// What the audit found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// One for each promise.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether every promise holds.
    pub fn is_clean(&self) -> bool {
        self.findings.iter().all(|finding| finding.broken == 0)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            let verdict = if finding.broken == 0 { "holds " } else { "BROKEN" };
            writeln!(f, "{verdict}  {:<78} {:>8} examined, {} broken", finding.promise, finding.examined, finding.broken)?;
            for row in &finding.rows {
                writeln!(f, "          {row}")?;
            }
        }
        Ok(())
    }
}

/// A promise that SQL can judge: `examined` counts the rows looked at, `broken` lists (id, what is wrong).
struct Check {
    promise: &'static str,
    examined: &'static str,
    broken: &'static str,
}

const CHECKS: &[Check] = &[
    Check {
        promise: "never oversold: places taken and held are at most the capacity",
        examined: "SELECT COUNT(*) FROM sessions",
        broken: "SELECT s.id, CAST(COUNT(b.id) AS TEXT) || ' taken, ' || CAST(s.held AS TEXT) || ' held, capacity ' || CAST(s.capacity AS TEXT) \
                 FROM sessions s JOIN bookings b ON b.session_id = s.id AND b.status IN ('booked', 'offered', 'attended', 'no_show') \
                 AND b.released_at IS NULL GROUP BY s.id, s.held, s.capacity HAVING COUNT(b.id) + s.held > s.capacity",
    },
    Check {
        promise: "a session's counts are the counts of its bookings",
        examined: "SELECT COUNT(*) FROM sessions",
        broken: "SELECT x.id, 'taken ' || CAST(x.taken AS TEXT) || ' of ' || CAST(x.t AS TEXT) || ', waiting ' || CAST(x.waiting AS TEXT) || \
                 ' of ' || CAST(x.w AS TEXT) FROM (SELECT s.id, s.taken, s.waiting, \
                 (SELECT COUNT(*) FROM bookings b WHERE b.session_id = s.id AND b.released_at IS NULL \
                 AND b.status IN ('booked', 'offered', 'attended', 'no_show')) AS t, \
                 (SELECT COUNT(*) FROM bookings b WHERE b.session_id = s.id AND b.status = 'waitlisted') AS w FROM sessions s) x \
                 WHERE x.taken <> x.t OR x.waiting <> x.w",
    },
    Check {
        promise: "the places that a session holds back are those of its holds that run",
        examined: "SELECT COUNT(*) FROM sessions",
        broken: "SELECT x.id, 'held ' || CAST(x.held AS TEXT) || ' of ' || CAST(x.h AS TEXT) || ', ' || x.status FROM (SELECT s.id, s.status, \
                 s.held, (SELECT CAST(COALESCE(SUM(h.places), 0) AS BIGINT) FROM holds h WHERE h.session_id = s.id AND h.ended_at IS NULL) AS h \
                 FROM sessions s) x WHERE x.held <> x.h OR (x.status = 'cancelled' AND x.h > 0)",
    },
    Check {
        promise: "a person is in a session at most once",
        examined: "SELECT COUNT(*) FROM bookings WHERE status NOT IN ('cancelled', 'late_cancelled')",
        broken: "SELECT session_id, CAST(COUNT(*) AS TEXT) || ' bookings of one person' FROM bookings \
                 WHERE guest_of IS NULL AND status NOT IN ('cancelled', 'late_cancelled') GROUP BY session_id, person_id HAVING COUNT(*) > 1",
    },
    Check {
        promise: "nobody is booked in two overlapping sessions",
        examined: "SELECT COUNT(*) FROM bookings WHERE status IN ('booked', 'offered', 'attended')",
        // Each beside the latest end before it: pairs would be looked for in the order that a planner without statistics likes.
        broken: "SELECT x.id, 'overlaps another booking of this person' FROM (SELECT id, starts_at, MAX(ends_at) OVER \
                 (PARTITION BY person_id ORDER BY starts_at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS other_ends FROM bookings \
                 WHERE status IN ('booked', 'offered', 'attended') AND guest_of IS NULL) x WHERE x.starts_at < x.other_ends",
    },
    Check {
        promise: "a guest's place stands beside the place of who brings them",
        examined: "SELECT COUNT(*) FROM bookings WHERE guest_of IS NOT NULL",
        broken: "SELECT g.id, 'is a guest''s, and no place of the host''s stands beside it' FROM bookings g \
                 LEFT JOIN bookings h ON h.id = g.guest_of AND h.session_id = g.session_id AND h.person_id = g.person_id \
                 AND h.guest_of IS NULL AND h.status IN ('booked', 'attended', 'no_show') \
                 WHERE g.guest_of IS NOT NULL AND g.status NOT IN ('cancelled', 'late_cancelled') AND h.id IS NULL",
    },
    Check {
        promise: "a visitor has a place of their own, for which no pass pays and nobody is written to",
        examined: "SELECT COUNT(*) FROM bookings WHERE visitor_source IS NOT NULL",
        broken: "SELECT id, 'is a visitor''s, and ' || CASE WHEN person_id <> id THEN 'somebody else''s' WHEN pass_id IS NOT NULL THEN 'a pass paid' \
                 ELSE 'a letter was written' END FROM bookings \
                 WHERE visitor_source IS NOT NULL AND (person_id <> id OR pass_id IS NOT NULL OR letters > 0)",
    },
    Check {
        promise: "nobody is to be reminded of a place that they do not have",
        examined: "SELECT COUNT(*) FROM bookings WHERE remind_at IS NOT NULL",
        broken: "SELECT id, 'is to be reminded of, and is ' || status FROM bookings WHERE remind_at IS NOT NULL \
                 AND status IN ('waitlisted', 'offered', 'cancelled', 'late_cancelled')",
    },
    Check {
        promise: "a place on offer has an offer that runs, and takes nothing yet",
        examined: "SELECT COUNT(*) FROM offers",
        broken: "SELECT b.id, 'is offered a place, and no offer runs' FROM bookings b WHERE b.status = 'offered' \
                 AND NOT EXISTS (SELECT 1 FROM offers o WHERE o.booking_id = b.id AND o.outcome IS NULL) \
                 UNION ALL SELECT b.id, 'an offer runs, and it is ' || b.status FROM offers o JOIN bookings b ON b.id = o.booking_id \
                 WHERE o.outcome IS NULL AND b.status <> 'offered' \
                 UNION ALL SELECT id, 'is offered a place, and something was taken for it' FROM bookings \
                 WHERE status = 'offered' AND (credits > 0 OR visit_week IS NOT NULL)",
    },
    Check {
        promise: "who changes class gives up one booking for another of their own",
        examined: "SELECT COUNT(*) FROM bookings WHERE replaced_by IS NOT NULL",
        broken: "SELECT o.id, 'given up for a booking that is another''s, or did not ask for it' FROM bookings o \
                 LEFT JOIN bookings n ON n.id = o.replaced_by AND n.person_id = o.person_id AND n.asked_replaces = o.id \
                 WHERE o.replaced_by IS NOT NULL AND n.id IS NULL",
    },
    Check {
        promise: "a balance is never below zero, and equals its ledger",
        examined: "SELECT COUNT(*) FROM passes WHERE kind = 'pack'",
        broken: "SELECT p.id, CAST(p.credits_left AS TEXT) || ' left, ledger ' || CAST(COALESCE(SUM(l.credits), 0) AS TEXT) \
                 FROM passes p LEFT JOIN ledger l ON l.pass_id = p.id WHERE p.kind = 'pack' GROUP BY p.id, p.credits_left \
                 HAVING p.credits_left < 0 OR p.credits_left <> COALESCE(SUM(l.credits), 0)",
    },
    Check {
        promise: "what a booking took is what its ledger says",
        examined: "SELECT COUNT(*) FROM bookings WHERE credits > 0 OR credits_returned > 0",
        broken: "SELECT b.id, CAST(b.credits AS TEXT) || ' taken, ledger ' || CAST(COALESCE(SUM(l.credits), 0) AS TEXT) \
                 FROM bookings b LEFT JOIN ledger l ON l.booking_id = b.id WHERE b.pass_id IS NOT NULL GROUP BY b.id, b.credits \
                 HAVING b.credits <> -COALESCE(SUM(l.credits), 0)",
    },
    Check {
        promise: "a membership is used at most as often a week as it allows",
        examined: "SELECT COUNT(*) FROM passes WHERE per_week IS NOT NULL",
        broken: "SELECT p.id, CAST(COUNT(*) AS TEXT) || ' visits in one week, ' || CAST(p.per_week AS TEXT) || ' allowed' FROM passes p \
                 JOIN bookings b ON b.pass_id = p.id AND b.visit_week IS NOT NULL WHERE p.per_week IS NOT NULL \
                 GROUP BY p.id, p.per_week, b.visit_week HAVING COUNT(*) > p.per_week",
    },
    Check {
        promise: "a pass that counts from the first class attended began on that day",
        examined: "SELECT COUNT(*) FROM passes WHERE begin_by IS NOT NULL",
        broken: "SELECT x.id, 'began ' || COALESCE(CAST(x.begun_on AS TEXT), 'never') || ', the first class attended was ' || \
                 COALESCE(CAST(x.attended_on AS TEXT), 'none') FROM (SELECT p.id, p.begun_on, MIN(s.local_date) AS attended_on FROM passes p \
                 LEFT JOIN bookings b ON b.pass_id = p.id AND b.status = 'attended' LEFT JOIN sessions s ON s.id = b.session_id \
                 WHERE p.begin_by IS NOT NULL AND p.ended_at IS NULL GROUP BY p.id, p.begun_on) x \
                 WHERE COALESCE(CAST(x.begun_on AS TEXT), '') <> COALESCE(CAST(x.attended_on AS TEXT), '')",
    },
    Check {
        promise: "a booking carries its session's time and studio",
        examined: "SELECT COUNT(*) FROM bookings",
        broken: "SELECT b.id, 'another time or studio than its session' FROM bookings b JOIN sessions s ON s.id = b.session_id \
                 WHERE b.status NOT IN ('cancelled', 'late_cancelled') \
                 AND (b.starts_at <> s.starts_at OR b.ends_at <> s.ends_at OR b.studio_id <> s.studio_id)",
    },
    Check {
        promise: "nobody is left in a session that the studio cancelled, and nothing taken for it is kept",
        examined: "SELECT COUNT(*) FROM sessions WHERE status = 'cancelled'",
        broken: "SELECT b.id, b.status FROM bookings b JOIN sessions s ON s.id = b.session_id WHERE s.status = 'cancelled' \
                 AND (b.status NOT IN ('cancelled', 'late_cancelled') OR b.credits > 0 OR b.visit_week IS NOT NULL)",
    },
    Check {
        promise: "a late cancellation has its penalty, as it was written down when it happened, and nothing else has one",
        examined: "SELECT COUNT(*) FROM penalties",
        broken: "SELECT e.subject_id, 'was cancelled late, and has no penalty' FROM events e WHERE e.action = 'booking.late_cancelled' \
                 AND e.details->>'strike' IS NOT NULL AND NOT EXISTS (SELECT 1 FROM penalties p WHERE p.booking_id = e.subject_id) \
                 UNION ALL SELECT p.booking_id, 'its strike or fee is not what was written down' FROM events e \
                 JOIN penalties p ON p.booking_id = e.subject_id WHERE e.action = 'booking.late_cancelled' AND e.details->>'strike' IS NOT NULL \
                 AND ((CAST(e.details->>'strike' AS TEXT) IN ('1', 'true')) <> p.strike \
                 OR CAST(COALESCE(e.details->>'fee_minor', '0') AS BIGINT) <> COALESCE(p.fee_minor, 0)) \
                 UNION ALL SELECT b.id, 'has a penalty, and is ' || b.status FROM penalties p JOIN bookings b ON b.id = p.booking_id \
                 WHERE (p.kind = 'late_cancel' AND b.status <> 'late_cancelled') \
                 OR (p.kind = 'no_show' AND b.status <> 'no_show' AND p.waived_at IS NULL) \
                 UNION ALL SELECT p.booking_id, 'it is another studio''s or person''s' FROM penalties p JOIN bookings b ON b.id = p.booking_id \
                 WHERE p.person_id <> b.person_id OR p.studio_id <> b.studio_id \
                 UNION ALL SELECT p.booking_id, 'it was taken back, and what was paid is kept' FROM penalties p \
                 JOIN bookings b ON b.id = p.booking_id WHERE (b.credits > 0 OR b.visit_week IS NOT NULL) \
                 AND ((p.forgiven IS NOT NULL AND (p.kind = 'late_cancel' OR p.waived_at IS NULL)) \
                 OR (p.waived_at IS NOT NULL AND (p.waived_by IS NULL OR p.waived_reason IS NOT NULL)))",
    },
    Check {
        promise: "an absence has its penalty, as it was written down when it became final",
        examined: "SELECT COUNT(*) FROM bookings WHERE status = 'no_show'",
        broken: "SELECT x.id, 'is absent, and has no penalty' FROM (SELECT DISTINCT b.id FROM events e JOIN bookings b ON b.id = e.subject_id \
                 WHERE e.action = 'booking.no_show' AND b.status = 'no_show') x \
                 WHERE NOT EXISTS (SELECT 1 FROM penalties p WHERE p.booking_id = x.id) \
                 UNION ALL SELECT x.id, 'its strikes or fees are not what was written down' FROM (SELECT e.subject_id AS id, \
                 SUM(CASE WHEN CAST(e.details->>'strike' AS TEXT) IN ('1', 'true') THEN 1 ELSE 0 END) AS strikes, \
                 SUM(CAST(COALESCE(e.details->>'fee_minor', '0') AS BIGINT)) AS fees \
                 FROM events e WHERE e.action = 'booking.no_show' GROUP BY e.subject_id) x LEFT JOIN (SELECT p.booking_id AS id, \
                 SUM(CASE WHEN p.strike THEN 1 ELSE 0 END) AS strikes, SUM(COALESCE(p.fee_minor, 0)) AS fees \
                 FROM penalties p WHERE p.kind = 'no_show' GROUP BY p.booking_id) y ON y.id = x.id \
                 WHERE x.strikes <> COALESCE(y.strikes, 0) OR x.fees <> COALESCE(y.fees, 0)",
    },
    Check {
        promise: "where attendance is followed up, it is said of everybody whether they came",
        examined: "SELECT COUNT(*) FROM sessions WHERE absent_from IS NOT NULL AND attendance_due_at IS NULL AND status = 'scheduled'",
        broken: "SELECT b.id, b.status FROM sessions s JOIN bookings b ON b.session_id = s.id WHERE s.absent_from IS NOT NULL \
                 AND s.attendance_due_at IS NULL AND s.status = 'scheduled' \
                 AND (b.status IN ('booked', 'standby') OR (b.status = 'no_show' AND b.provisional))",
    },
    Check {
        promise: "what a pass had in another program came over once",
        examined: "SELECT COUNT(*) FROM ledger WHERE reason = 'brought_over'",
        broken: "SELECT pass_id, CAST(COUNT(*) AS TEXT) || ' entries of what it had' FROM ledger WHERE reason = 'brought_over' \
                 GROUP BY pass_id HAVING COUNT(*) > 1",
    },
    Check {
        promise: "who turned out to be somebody else has nothing of their own left",
        examined: "SELECT COUNT(*) FROM persons WHERE merged_into IS NOT NULL",
        broken: "SELECT p.id, 'still has a booking, a pass, a penalty, a letter or a membership' FROM persons p WHERE p.merged_into IS NOT NULL \
                 AND (EXISTS (SELECT 1 FROM bookings b WHERE b.person_id = p.id) OR EXISTS (SELECT 1 FROM passes b WHERE b.person_id = p.id) \
                 OR EXISTS (SELECT 1 FROM penalties b WHERE b.person_id = p.id) OR EXISTS (SELECT 1 FROM letters b WHERE b.person_id = p.id) \
                 OR EXISTS (SELECT 1 FROM members b WHERE b.person_id = p.id))",
    },
    // Drafts count too. One pass in order of time: a session that begins before all earlier ones have ended is a conflict.
    Check {
        promise: "no one is in two rooms, and no room has two sessions, at once",
        examined: "SELECT COUNT(*) FROM sessions WHERE status <> 'cancelled'",
        broken: "SELECT x.id, CASE WHEN x.starts_at < x.room_until THEN 'its room' ELSE 'its instructor' END || ' is in another session at that time' \
                 FROM (SELECT id, starts_at, \
                 MAX(ends_at) OVER (PARTITION BY room_id ORDER BY starts_at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS room_until, \
                 MAX(ends_at) OVER (PARTITION BY instructor_id ORDER BY starts_at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS instructor_until \
                 FROM sessions WHERE status <> 'cancelled') x WHERE x.starts_at < x.room_until OR x.starts_at < x.instructor_until",
    },
    Check {
        promise: "a series has one session for each of its dates",
        examined: "SELECT COUNT(*) FROM sessions WHERE series_id IS NOT NULL",
        broken: "SELECT series_id, CAST(COUNT(*) AS TEXT) || ' sessions for ' || CAST(series_date AS TEXT) FROM sessions \
                 WHERE series_id IS NOT NULL GROUP BY series_id, series_date HAVING COUNT(*) > 1",
    },
    Check {
        promise: "what a letter was written for, it was written once, in its order",
        examined: "SELECT COUNT(*) FROM letters WHERE booking_id IS NOT NULL",
        broken: "SELECT b.id, CAST(b.letters AS TEXT) || ' letters told, none written' FROM bookings b WHERE b.letters > 0 \
                 AND NOT EXISTS (SELECT 1 FROM letters l WHERE l.booking_id = b.id)",
    },
    Check {
        promise: "who has arrived is there, once, in the studio where the code was shown",
        examined: "SELECT COUNT(*) FROM bookings WHERE arrived_at IS NOT NULL",
        broken: "SELECT id, 'has arrived, and is ' || status FROM bookings \
                 WHERE arrived_at IS NOT NULL AND status NOT IN ('attended', 'cancelled', 'late_cancelled') \
                 UNION ALL SELECT c.id, 'counted in another studio than its booking' FROM check_ins c \
                 JOIN bookings b ON b.id = c.booking_id WHERE b.studio_id <> c.studio_id \
                 UNION ALL SELECT x.id, 'arrived ' || CAST(x.times AS TEXT) || ' times' FROM (SELECT subject_id AS id, \
                 CAST(SUM(CASE WHEN action = 'booking.check_in_undone' THEN -1 ELSE 1 END) AS BIGINT) AS times FROM events \
                 WHERE action IN ('booking.checked_in', 'booking.let_in', 'booking.check_in_undone') GROUP BY subject_id) x WHERE x.times > 1",
    },
    Check {
        promise: "a studio's events are numbered from 1, without a gap",
        examined: "SELECT COUNT(*) FROM events WHERE studio_id IS NOT NULL",
        broken: "SELECT x.studio_id, CAST(x.found AS TEXT) || ' events, the last is ' || CAST(COALESCE(x.highest, 0) AS TEXT) || ', ' || \
                 CAST(COALESCE(n.last, 0) AS TEXT) || ' were given out' \
                 FROM (SELECT studio_id, COUNT(*) AS found, MAX(number) AS highest FROM events WHERE studio_id IS NOT NULL GROUP BY studio_id) x \
                 LEFT JOIN event_numbers n ON n.studio_id = x.studio_id \
                 WHERE COALESCE(x.highest, 0) <> x.found OR COALESCE(n.last, 0) <> x.found",
    },
];

/// Checks every promise as of `now`.
pub async fn check(db: &Db, now: DateTime<Utc>) -> Result<Report, Error> {
    let mut tx = db.read().await?;
    let mut findings = Vec::new();
    for check in CHECKS {
        let (examined,): (i64,) = tx.one(check.examined, ()).await?;
        let broken: Vec<(Uuid, String)> = tx.all(check.broken, ()).await?;
        findings.push(finding(check.promise, examined, broken));
    }
    findings.push(keys(&mut tx).await?);
    findings.push(at_their_wall_times(&mut tx, now).await?);
    findings.push(told_in_time(&mut tx, now).await?);
    findings.push(offers_end(&mut tx, now).await?);
    findings.push(paid_by_what_pays(&mut tx, now).await?);
    findings.extend(series(&mut tx, now).await?);
    findings.push(never_idle(&mut tx, now).await?);
    tx.rollback().await;
    Ok(Report { findings })
}

fn finding(promise: &'static str, examined: i64, broken: Vec<(Uuid, String)>) -> Finding {
    let rows = broken.iter().take(ROWS_NAMED_MAX).map(|(id, what)| format!("{id}: {what}")).collect();
    Finding { promise, examined, broken: broken.len(), rows }
}

/// Every session to come begins when the studio's wall clock shows its time, by the zone's rules as they are known now.
async fn at_their_wall_times(tx: &mut Tx, now: DateTime<Utc>) -> Result<Finding, Error> {
    let (mut examined, mut astray, mut after) = (0, Vec::new(), Uuid::nil());
    loop {
        let sessions = schedule::store::on_the_wall(tx, now, after, SESSIONS_AT_ONCE).await?;
        let Some(last) = sessions.last() else { break };
        after = last.id;
        for session in sessions {
            examined += 1;
            if let Some(meant) = session.by_the_wall()
                && session.starts_at.max(meant) > now
            {
                astray.push((session.id, format!("begins at {}, and by its wall time at {meant}", session.starts_at)));
            }
        }
    }
    Ok(finding("a session to come begins when the clock on its studio's wall shows its time", examined, astray))
}

/// Names and addresses have the keys that this version gives them. If an address cannot have its key because another person has it in
/// another spelling, people must settle it: one of the two takes another address, or leaves.
async fn keys(tx: &mut Tx) -> Result<Finding, Error> {
    let (examined,): (i64,) =
        tx.one("SELECT (SELECT COUNT(*) FROM members) + (SELECT COUNT(*) FROM persons) + (SELECT COUNT(*) FROM accounts)", ()).await?;
    let mut broken = Vec::new();
    let sql = "SELECT person_id, name, name_search FROM members WHERE key_stale ORDER BY studio_id, person_id";
    for (id, name, key) in tx.all::<(Uuid, String, String)>(sql, ()).await? {
        if name_key(&name) != key {
            broken.push((id, "a member whose name has the key of an older version".to_owned()));
        }
    }
    let sql = "SELECT id, email, COALESCE(email_key, contact_key) FROM persons WHERE key_stale AND email IS NOT NULL \
               UNION SELECT person_id, email, email_key FROM accounts WHERE key_stale ORDER BY 1";
    for (id, email, key) in tx.all::<(Uuid, String, Option<String>)>(sql, ()).await? {
        let Some(key) = key else { continue };
        let due = address_key(&email);
        if due != key {
            let sql = "SELECT id FROM persons WHERE email_key = $1 AND id <> $2 UNION \
                       SELECT person_id FROM accounts WHERE email_key = $1 AND person_id <> $2";
            let other: Option<(Uuid,)> = tx.maybe(sql, (due, id)).await?;
            broken.push((
                id,
                other.map_or_else(
                    || "an address with the key of an older version".into(),
                    |(other,)| format!("has the address of {other} in another spelling"),
                ),
            ));
        }
    }
    Ok(finding("an address belongs to one person, and names are found, in every spelling", examined, broken))
}

/// Members who still wait when no way in is left are told within one sweep.
async fn told_in_time(tx: &mut Tx, now: DateTime<Utc>) -> Result<Finding, Error> {
    let as_of = now - Duration::seconds(SWEEP_S);
    let (examined,): (i64,) = tx.one("SELECT COUNT(*) FROM bookings WHERE status = 'waitlisted'", ()).await?;
    let sql = "SELECT id, 'still waited for' FROM sessions WHERE waiting > 0 AND waiting_ends_at < $1 \
               UNION ALL SELECT id, 'somebody stands at its door' FROM bookings WHERE status = 'standby' AND ends_at < $1";
    Ok(finding("nobody waits where no way in is left", examined, tx.all(sql, (as_of,)).await?))
}

/// An offer that nobody took ends within one sweep of its time.
async fn offers_end(tx: &mut Tx, now: DateTime<Utc>) -> Result<Finding, Error> {
    let (examined,): (i64,) = tx.one("SELECT COUNT(*) FROM offers WHERE outcome IS NULL", ()).await?;
    let sql = "SELECT booking_id, 'its offer is over' FROM offers WHERE outcome IS NULL AND expires_at < $1";
    let broken = tx.all(sql, (now - Duration::seconds(SWEEP_S),)).await?;
    Ok(finding("a place is kept no longer than it was offered", examined, broken))
}

/// What is to come is paid by passes that pay on that day. A session that was moved keeps what paid for it.
async fn paid_by_what_pays(tx: &mut Tx, now: DateTime<Utc>) -> Result<Finding, Error> {
    let (examined,): (i64,) =
        tx.one("SELECT COUNT(*) FROM bookings WHERE pass_id IS NOT NULL AND status = 'booked' AND starts_at > $1", (now,)).await?;
    let sql = "SELECT b.id, CASE WHEN p.ended_at IS NOT NULL THEN 'its pass was given back' ELSE 'its pass is frozen on that day' END \
               FROM bookings b JOIN passes p ON p.id = b.pass_id JOIN sessions s ON s.id = b.session_id \
               WHERE b.status = 'booked' AND b.starts_at > $1 AND (p.ended_at IS NOT NULL \
               OR (s.version = 1 AND p.frozen_from <= s.local_date AND s.local_date <= p.frozen_until))";
    Ok(finding("a pass that is frozen or was given back pays for nothing to come", examined, tx.all(sql, (now,)).await?))
}

/// A series' sessions to come are on its dates, and match the series in everything that nobody changed by hand.
async fn series(tx: &mut Tx, now: DateTime<Utc>) -> Result<[Finding; 2], Error> {
    let (mut examined, mut astray, mut off) = (0, Vec::new(), Vec::new());
    let mut after = Uuid::nil();
    loop {
        let ids: Vec<(Uuid,)> = tx.all("SELECT id FROM series WHERE id > $1 ORDER BY id LIMIT $2", (after, SERIES_AT_ONCE)).await?;
        let ids: Vec<Uuid> = ids.into_iter().map(|(id,)| id).collect();
        let Some(last) = ids.last() else { break };
        after = *last;
        let mut made: HashMap<Uuid, Vec<Session>> = HashMap::new();
        for session in schedule::store::of_many_series(tx, &ids, now).await? {
            examined += 1;
            made.entry(session.series_id.unwrap_or_default()).or_default().push(session);
        }
        for plan in schedule::series::store::plans(tx, &ids).await? {
            let made = made.remove(&plan.series.id).unwrap_or_default();
            let span = made.iter().filter_map(|session| session.series_date);
            let Some((first, last)) = span.clone().min().zip(span.max()) else { continue };
            let given: HashSet<NaiveDate> = dates(&plan.series, first).take_while(|date| *date <= last).collect();
            for session in made {
                let zone = session.names.time_zone.tz();
                let date = session.series_date.unwrap_or_default();
                if !given.contains(&date) {
                    astray.push((session.id, format!("its series has none on {date}")));
                }
                // A capacity that was lowered to fit the room is no difference.
                let fewer = plan.part_on(date).and_then(|part| part.capacity).is_some_and(|capacity| session.capacity < capacity);
                let mut differs = off_series(&session, &plan, zone);
                differs.retain(|what| !session.by_hand.contains(what) && (!fewer || *what != ByHand::Capacity));
                if !differs.is_empty() {
                    off.push((session.id, format!("not as its series says, and by nobody's hand: {differs:?}")));
                }
            }
        }
    }
    let on_its_dates = finding("what is to come of a series is on a date that it has", examined, astray);
    Ok([on_its_dates, finding("a session follows its series in all that was not changed by hand", examined, off)])
}

#[derive(FromRow)]
struct Waiter {
    booking_id: Uuid,
    person_id: Uuid,
    session_id: Uuid,
    studio_id: Uuid,
    class_type_id: Uuid,
    local_date: NaiveDate,
    credits: i64,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    asked_pass_id: Option<Uuid>,
    asked_unpaid: bool,
    /// They gave back a place that this waitlist had given or offered them.
    turned_down: bool,
    /// They would give up another booking for it, which they cannot do for free at this instant.
    keeps_old: bool,
    conditions: Option<Json<Value>>,
    quiet_hours: Option<Json<Value>>,
    free_cancel_until: DateTime<Utc>,
    promote_until: DateTime<Utc>,
    offers_until: Option<DateTime<Utc>>,
    kept_until: Option<DateTime<Utc>>,
    time_zone: Zone,
    house_rules: Json<Value>,
    class_type_rules: Option<Json<Value>>,
}

#[derive(FromRow)]
struct Means {
    id: Uuid,
    person_id: Uuid,
    credits_left: Option<i64>,
    per_week: Option<i64>,
    expires_on: NaiveDate,
    starts_on: Option<NaiveDate>,
    frozen_from: Option<NaiveDate>,
    frozen_until: Option<NaiveDate>,
    ended_at: Option<DateTime<Utc>>,
    class_type_ids: Option<Json<Vec<Uuid>>>,
    studio_ids: Json<Vec<Uuid>>,
    pass_type_id: Uuid,
    pass_type_rules: Option<Json<Value>>,
}

#[derive(FromRow)]
struct Taken {
    person_id: Uuid,
    studio_id: Uuid,
    session_id: Uuid,
    class_type_id: Uuid,
    pass_type_id: Option<Uuid>,
    local_date: NaiveDate,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    status: String,
}

/// What those who wait may pay with of their family's: of who acts for them, and of those for whom they act.
const SHARED_WITH: [&str; 2] = [
    "SELECT p.id, f.person_id, p.credits_left, p.per_week, p.expires_on, p.starts_on, p.frozen_from, p.frozen_until, p.ended_at, \
     p.class_type_ids, p.studio_ids, p.pass_type_id, t.rules AS pass_type_rules FROM family_links f JOIN passes p ON p.person_id = f.holder_id \
     JOIN pass_types t ON t.id = p.pass_type_id WHERE p.shared_at IS NOT NULL AND f.person_id IN #",
    "SELECT p.id, f.holder_id AS person_id, p.credits_left, p.per_week, p.expires_on, p.starts_on, p.frozen_from, p.frozen_until, p.ended_at, \
     p.class_type_ids, p.studio_ids, p.pass_type_id, t.rules AS pass_type_rules FROM family_links f JOIN passes p ON p.person_id = f.person_id \
     JOIN pass_types t ON t.id = p.pass_type_id WHERE p.shared_at IS NOT NULL AND f.holder_id IN #",
];

/// Nobody waits while there is a free place that they could be promoted into, offered, or have kept for them.
async fn never_idle(tx: &mut Tx, now: DateTime<Utc>) -> Result<Finding, Error> {
    let sql = "SELECT b.id AS booking_id, b.person_id, b.session_id, s.studio_id, s.class_type_id, s.local_date, s.credits, s.starts_at, \
               s.ends_at, b.asked_pass_id, b.asked_unpaid, s.free_cancel_until, s.promote_until, s.offers_until, s.kept_until, st.time_zone, st.house_rules, \
               c.rules AS class_type_rules, \
               EXISTS (SELECT 1 FROM bookings t WHERE t.session_id = b.session_id AND t.person_id = b.person_id \
               AND t.promoted_at IS NOT NULL AND t.ended_by = 'member') AS turned_down, \
               EXISTS (SELECT 1 FROM bookings o WHERE o.id = b.asked_replaces AND o.ends_at > $1 \
               AND (o.status IN ('attended', 'no_show') OR (o.status = 'booked' \
               AND (o.starts_at <= $1 OR o.free_cancel_until IS NULL OR o.free_cancel_until < $1 \
               OR EXISTS (SELECT 1 FROM bookings g WHERE g.guest_of = o.id AND g.status NOT IN ('cancelled', 'late_cancelled')))))) AS keeps_old, b.conditions, p.quiet_hours \
               FROM sessions s JOIN bookings b ON b.session_id = s.id AND b.status = 'waitlisted' JOIN studios st ON st.id = s.studio_id \
               JOIN persons p ON p.id = b.person_id \
               JOIN class_types c ON c.id = s.class_type_id \
               WHERE s.status = 'scheduled' AND s.waiting > 0 AND s.taken + s.held < s.capacity AND s.waiting_ends_at > $1 \
               AND (s.promote_until > $1 OR s.offers_until > $1)";
    let waiters: Vec<Waiter> = tx.all(sql, (now,)).await?;
    let examined = i64::try_from(waiters.len()).unwrap_or(i64::MAX);
    let people: Vec<Uuid> = waiters.iter().map(|waiter| waiter.person_id).collect();
    let mut means: HashMap<Uuid, Vec<Means>> = HashMap::new();
    let sql = "SELECT p.id, p.person_id, p.credits_left, p.per_week, p.expires_on, p.starts_on, p.frozen_from, p.frozen_until, \
               p.ended_at, p.class_type_ids, p.studio_ids, p.pass_type_id, \
               t.rules AS pass_type_rules FROM passes p JOIN pass_types t ON t.id = p.pass_type_id WHERE p.person_id IN #";
    let mut payers = tx.among::<Means, _>(sql, (), &people).await?;
    for sql in SHARED_WITH {
        payers.extend(tx.among::<Means, _>(sql, (), &people).await?);
    }
    let paying: BTreeSet<Uuid> = payers.iter().map(|pass| pass.id).collect();
    for pass in payers {
        means.entry(pass.person_id).or_default().push(pass);
    }
    let mut taken: HashMap<Uuid, Vec<Taken>> = HashMap::new();
    // A cap counts what was earlier in a month or week too.
    let sql = "SELECT b.person_id, b.studio_id, b.session_id, s.class_type_id, p.pass_type_id, s.local_date, b.starts_at, b.ends_at, b.status \
               FROM bookings b JOIN sessions s ON s.id = b.session_id LEFT JOIN passes p ON p.id = b.pass_id \
               WHERE b.status IN ('booked', 'offered', 'attended', 'no_show') AND b.released_at IS NULL AND b.guest_of IS NULL \
               AND b.ends_at > $1 AND b.person_id IN #";
    for booking in tx.among::<Taken, _>(sql, (now - Duration::days(40),), &people).await? {
        taken.entry(booking.person_id).or_default().push(booking);
    }
    let visits: HashMap<(Uuid, NaiveDate), i64> = tx
        .among::<(Uuid, NaiveDate, i64), _>(
            "SELECT pass_id, visit_week, COUNT(*) FROM bookings WHERE visit_week IS NOT NULL AND pass_id IN # GROUP BY pass_id, visit_week",
            (),
            &paying.into_iter().collect::<Vec<_>>(),
        )
        .await?
        .into_iter()
        .map(|(pass, week, count)| ((pass, week), count))
        .collect();
    let mut strikes: HashMap<(Uuid, Uuid), Vec<DateTime<Utc>>> = HashMap::new();
    let sql = "SELECT person_id, studio_id, at FROM penalties WHERE strike AND waived_at IS NULL AND person_id IN #";
    for (person, studio, at) in tx.among::<(Uuid, Uuid, DateTime<Utc>), _>(sql, (), &people).await? {
        strikes.entry((person, studio)).or_default().push(at);
    }
    let none = Vec::new();
    let idle = waiters
        .iter()
        .filter(|waiter| {
            let taken = taken.get(&waiter.person_id).unwrap_or(&none);
            let means = means.get(&waiter.person_id).map_or(&[][..], Vec::as_slice);
            // What the clock alone changes, the last sweep may not have seen.
            let strikes = strikes.get(&(waiter.person_id, waiter.studio_id)).map_or(&[][..], Vec::as_slice);
            let served = |at| waiter.must_be_served(means, at) && waiter.wants_it(taken, at) && !waiter.barred(strikes, at);
            [now, now - Duration::seconds(SWEEP_S)].into_iter().all(served)
                && !waiter.keeps_old
                && !waiters.iter().any(|other| waiter.waits_with(other))
                && able(waiter, taken, means, &visits, now)
        })
        .map(|waiter| (waiter.booking_id, format!("waits while a place of session {} stands free", waiter.session_id)))
        .collect();
    Ok(finding("never idle: nobody waits while a place stands free that they could be given", examined, idle))
}

impl Means {
    /// Whether it pays for what begins on this day.
    fn pays_on(&self, date: NaiveDate) -> bool {
        let begun = self.starts_on.is_none_or(|first| first <= date);
        let frozen = self.frozen_from.is_some_and(|from| from <= date) && self.frozen_until.is_some_and(|until| date <= until);
        begun && !frozen && date <= self.expires_on && self.ended_at.is_none()
    }

    /// Whether the type of this pass changes until when cancelling is free.
    fn frees_by_own_rules(&self) -> bool {
        let rules = self.pass_type_rules.as_ref().map_or(&Value::Null, |rules| &rules.0);
        ["free_cancel_min", "free_cancel_morning_until", "grace_promotion_min"].into_iter().any(|name| !rules[name].is_null())
    }
}

/// Written from docs/product.md; shares no code with the rules that decide.
impl Waiter {
    /// A rule as it is for the session's class type.
    fn of_class_type(&self, name: &str) -> &Value {
        let own = self.class_type_rules.as_ref().map_or(&Value::Null, |rules| &rules[name]);
        if own.is_null() { &self.house_rules[name] } else { own }
    }

    fn rule(&self, name: &str, usual: i64) -> i64 {
        self.of_class_type(name).as_i64().unwrap_or(usual)
    }

    fn time(&self, name: &str, usual: &str) -> NaiveTime {
        let time = self.of_class_type(name).as_str().unwrap_or(usual);
        NaiveTime::parse_from_str(time, "%H:%M").unwrap_or_default()
    }

    /// When the quiet hours end in which this instant is.
    fn quiet_until(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (from, until) = (self.time("quiet_hours_from", "22:00"), self.time("quiet_hours_until", "07:00"));
        let here = zones::wall(at, self.time_zone.tz()).naive_local();
        let (time, today) = (here.time(), here.date());
        let ends_on = match (from <= until, time >= from, time < until) {
            (true, true, true) | (false, false, true) => today,
            (false, true, _) => today.checked_add_days(Days::new(1))?,
            _ => return None,
        };
        Some(zones::instant(ends_on.and_time(until), self.time_zone.tz()))
    }

    /// Whether there is time for a whole offer.
    fn offer_fits(&self, at: DateTime<Utc>) -> bool {
        let begins = self.quiet_until(at).unwrap_or(at);
        begins + Duration::minutes(self.rule("offer_min", 30)) <= self.starts_at - Duration::minutes(self.rule("offers_until_min", 45))
    }

    /// Whether the promotion could cost them something before the quiet hours end. Grace is counted outside these, and never past the start.
    fn would_cost(&self, at: DateTime<Utc>) -> bool {
        let no_grace = |quiet_until| self.rule("grace_promotion_min", 15) == 0 || self.starts_at < quiet_until;
        let costs = |quiet_until| self.free_cancel_until < quiet_until && no_grace(quiet_until);
        self.credits > 0 && !self.asked_unpaid && self.quiet_until(at).is_some_and(costs)
    }

    /// Whether their strikes keep them from booking it: for some days from each strike that found enough of them, and then only what starts
    /// too far ahead.
    fn barred(&self, strikes: &[DateTime<Utc>], at: DateTime<Utc>) -> bool {
        let rule = |name: &str, usual: i64| self.house_rules[name].as_i64().unwrap_or(usual);
        let Some(enough) = self.house_rules["strikes_max"].as_i64() else { return false };
        let zone = self.time_zone.tz();
        let wall = |at: DateTime<Utc>| zones::wall(at, zone).naive_local();
        let days_on = |at: DateTime<Utc>, days: i64| zones::instant(wall(at) + Duration::days(days), zone);
        let by_month = self.house_rules["strikes_by_month"].as_bool() == Some(true);
        let counted_with = |first: DateTime<Utc>, later: DateTime<Utc>| match by_month {
            true => (wall(first).year(), wall(first).month()) == (wall(later).year(), wall(later).month()),
            false => later < days_on(first, rule("strike_lapse_days", 30)),
        };
        let barring = strikes.iter().filter(|last| **last <= at && at < days_on(**last, rule("strike_consequence_days", 14)));
        let mut barring = barring.filter(|last| {
            let count = strikes.iter().filter(|one| *one <= *last && counted_with(**one, **last)).count();
            i64::try_from(count).unwrap_or(i64::MAX) >= enough
        });
        barring.next().is_some() && self.starts_at > at + Duration::hours(rule("strike_ahead_hours", 24))
    }

    /// Whether they would be given a place at this instant: nothing that they said themselves is against it.
    fn wants_it(&self, taken: &[Taken], at: DateTime<Utc>) -> bool {
        let conditions = self.conditions.as_ref().map_or(&Value::Null, |conditions| &conditions.0);
        let notice = conditions["notice_minutes_min"].as_i64().map(|minutes| self.starts_at - Duration::minutes(minutes));
        let not_after = conditions["not_after"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
        let that_day =
            |other: &Taken| other.local_date == self.local_date && other.studio_id == self.studio_id && other.session_id != self.session_id;
        let one_too_many = conditions["one_a_day"] == true && taken.iter().any(that_day);
        let in_time = [notice, not_after].into_iter().flatten().all(|until| at <= until);
        in_time && !one_too_many && !self.own_quiet(at)
    }

    /// Whether they are a pair, each naming the other: how many places there are for two is not judged here.
    fn waits_with(&self, other: &Self) -> bool {
        let names = |one: &Self, other: &Self| {
            let with = one.conditions.as_ref().and_then(|conditions| conditions["with"].as_str()?.parse::<Uuid>().ok());
            with == Some(other.booking_id)
        };
        self.session_id == other.session_id && self.person_id != other.person_id && names(self, other) && names(other, self)
    }

    /// Whether it is quiet for them, where it is not for the studio.
    fn own_quiet(&self, at: DateTime<Utc>) -> bool {
        let Some(own) = &self.quiet_hours else { return false };
        let time = |name: &str| NaiveTime::parse_from_str(own[name].as_str().unwrap_or_default(), "%H:%M").unwrap_or_default();
        let (from, until, here) = (time("from"), time("until"), zones::wall(at, self.time_zone.tz()).time());
        let quiet = if from < until { from <= here && here < until } else { here >= from || here < until };
        quiet && self.quiet_until(at).is_none()
    }

    /// Whether a free place must be given to them, offered or kept at this instant, if they can take it.
    fn must_be_served(&self, means: &[Means], at: DateTime<Utc>) -> bool {
        if at < self.promote_until {
            // Where a pass has a cut-off or a grace of its own, what it would cost is not judged here.
            let free = !self.would_cost(at) && !means.iter().any(Means::frees_by_own_rules);
            return !self.turned_down && (free || self.offer_fits(at));
        }
        let offers = self.offers_until.is_some_and(|until| at < until);
        offers
            && match self.of_class_type("after_cutoff").as_str() {
                Some("offers") => self.offer_fits(at),
                Some("notify_all" | "staff") => self.kept_until.is_none_or(|until| until <= at),
                _ => false,
            }
    }
}

/// The same.
fn able(waiter: &Waiter, taken: &[Taken], means: &[Means], visits: &HashMap<(Uuid, NaiveDate), i64>, now: DateTime<Utc>) -> bool {
    let overlaps = taken
        .iter()
        .any(|other| other.session_id != waiter.session_id && other.starts_at < waiter.ends_at && waiter.starts_at < other.ends_at);
    if overlaps {
        return false;
    }
    if waiter.asked_unpaid || (waiter.credits == 0 && waiter.asked_pass_id.is_none()) {
        return caps_leave_one(waiter, taken, None, now);
    }
    let monday = waiter.local_date - Days::new(u64::from(waiter.local_date.weekday().num_days_from_monday()));
    means.iter().filter(|pass| waiter.asked_pass_id.is_none_or(|named| named == pass.id)).any(|pass| {
        let room = match (pass.credits_left, pass.per_week) {
            (Some(left), _) => left >= waiter.credits,
            (None, Some(most)) => waiter.credits == 0 || visits.get(&(pass.id, monday)).copied().unwrap_or(0) < most,
            (None, None) => true,
        };
        room && pass.pays_on(waiter.local_date)
            && pass.studio_ids.contains(&waiter.studio_id)
            && pass.class_type_ids.as_ref().is_none_or(|only| only.contains(&waiter.class_type_id))
            && caps_leave_one(waiter, taken, Some(pass), now)
    })
}

/// Which of somebody's places are counted.
type Counts<'a> = &'a dyn Fn(&Taken) -> bool;

/// Whether every cap leaves the waiter one more place: the studio's counts all that they have there, a class type's those of that type, a
/// pass type's those that such a pass paid.
fn caps_leave_one(waiter: &Waiter, taken: &[Taken], pass: Option<&Means>, now: DateTime<Utc>) -> bool {
    let nothing = Value::Null;
    let house = &waiter.house_rules.0;
    let class_type = waiter.class_type_rules.as_ref().map_or(&nothing, |rules| &rules.0);
    let pass_type = pass.and_then(|pass| pass.pass_type_rules.as_ref()).map_or(&nothing, |rules| &rules.0);
    let extra = [pass_type, class_type, house].into_iter().find_map(|rules| rules["promoted_extra"].as_i64()).unwrap_or(0);
    let week_starts_on = house["week_starts_on"].as_i64().unwrap_or(1);
    let week = |date: NaiveDate| {
        let into = (7 + i64::from(date.weekday().number_from_monday()) - week_starts_on) % 7;
        date - Duration::days(into)
    };
    let here: Vec<&Taken> = taken.iter().filter(|other| other.studio_id == waiter.studio_id).collect();
    let leaves_one = |rules: &Value, counts: Counts<'_>, ahead_usual: Option<i64>| {
        let on = waiter.local_date;
        let ahead = |other: &Taken| matches!(other.status.as_str(), "booked" | "offered") && other.starts_at > now;
        let day = |other: &Taken| other.local_date == on;
        let same_week = |other: &Taken| week(other.local_date) == week(on);
        let month = |other: &Taken| (other.local_date.year(), other.local_date.month()) == (on.year(), on.month());
        let caps: [(Option<i64>, Counts<'_>); 4] = [
            (rules["bookings_ahead_max"].as_i64().or(ahead_usual), &ahead),
            (rules["bookings_per_day_max"].as_i64(), &day),
            (rules["bookings_per_week_max"].as_i64(), &same_week),
            (rules["bookings_per_month_max"].as_i64(), &month),
        ];
        caps.into_iter().all(|(max, within)| {
            let count = here.iter().filter(|other| counts(other) && within(other)).count();
            max.is_none_or(|max| i64::try_from(count).unwrap_or(i64::MAX) < max + extra)
        })
    };
    leaves_one(house, &|_| true, Some(20))
        && leaves_one(class_type, &|other| other.class_type_id == waiter.class_type_id, None)
        && leaves_one(pass_type, &|other| other.pass_type_id == pass.map(|pass| pass.pass_type_id), None)
}
