//! What a line about a booking makes: a place that was taken or will be, in a session that is scheduled here. Pure.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::records::Cells;
use super::table::{DateOrder, Table, date, date_time, time};
use super::who::{ExternalId, Members, Who};
use super::{Plan, Read, Step, Wrongs};
use crate::booking::BookingStatus;
use crate::language::Texts;
use crate::search::same_name;
use crate::text::Line;
use crate::wrong::Wrong;
use crate::zones;

/// A booking as a line tells it.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the columns of a file")]
pub struct BookingLine {
    pub external_id: Option<String>,
    pub who: Who,
    pub class_type: Option<String>,
    pub local_start: NaiveDateTime,
    pub status: BookingStatus,
}

/// Every line of the file.
pub fn read(table: &Table, order: DateOrder) -> Vec<Read<BookingLine>> {
    table.lines.iter().map(|(number, cells)| (*number, line(table, cells, order))).collect()
}

fn line(table: &Table, cells: &Cells, order: DateOrder) -> Result<BookingLine, Wrongs> {
    let mut reader = table.reader(cells);
    let external_id = reader.maybe("external_id", ExternalId::parse).map(Line::into_string);
    let who = Who::read(&mut reader);
    let class_type = reader.maybe("class_type", Line::<200>::parse).map(Line::into_string);
    let local_start = if table.has("local_start") {
        reader.must("local_start", |text| date_time(text, order))
    } else {
        let on = reader.must("date", |text| date(text, order));
        on.zip(reader.must("time", time)).map(|(on, at)| on.and_time(at))
    };
    let status = reader.must("status", status);
    let says = who.zip(local_start).zip(status);
    reader.done(says.map(|((who, local_start), status)| BookingLine { external_id, who, class_type, local_start, status }))
}

/// Where a booking stands, in our words, those of Mindbody and Momence, and in Chinese.
fn status(text: &str) -> Result<BookingStatus, Wrong> {
    let word: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    Ok(match word.as_str() {
        "booked" | "reserved" | "confirmed" | "notyetcheckedin" | "已预约" | "已預約" => BookingStatus::Booked,
        "attended" | "signedin" | "checkedin" | "arrived" | "completed" | "出席" | "已签到" | "已簽到" => BookingStatus::Attended,
        "noshow" | "absent" | "missed" | "爽约" | "缺席" => BookingStatus::NoShow,
        "latecancelled" | "latecanceled" | "latecancel" | "逾期取消" => BookingStatus::LateCancelled,
        "cancelled" | "canceled" | "earlycancelled" | "earlycancel" | "earlycanceled" | "已取消" => BookingStatus::Cancelled,
        _ => return Err(Wrong::NotOneOf { words: "booked, attended, no_show, late_cancelled, cancelled".into() }),
    })
}

/// A session of the studio that takes place or took place.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "columns of a session")]
pub struct SessionNow {
    pub id: Uuid,
    pub class_type_id: Uuid,
    pub class_type: Texts,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub free_cancel_until: DateTime<Utc>,
    /// Places that nobody has and nobody is kept.
    pub places: i64,
    /// How many wait.
    pub waiting: i64,
}

/// A booking that is there.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "columns of a booking")]
pub struct Taken {
    pub id: Uuid,
    pub session_id: Uuid,
    pub person_id: Uuid,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub status: BookingStatus,
}

/// What is there before the import.
#[derive(Debug)]
pub struct State {
    pub now: DateTime<Utc>,
    pub zone: Tz,
    pub members: Members,
    pub sessions: Vec<SessionNow>,
    /// What the members have, in any studio, that has not ended.
    pub taken: Vec<Taken>,
    /// What came over before, by its key.
    pub brought: HashMap<String, Uuid>,
}

/// A booking to be made.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "columns of a booking")]
pub struct NewBooking {
    pub id: Uuid,
    /// By what the same line is known again.
    pub key: String,
    pub person_id: Uuid,
    pub session_id: Uuid,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub free_cancel_until: DateTime<Utc>,
    pub status: BookingStatus,
}

/// What each line makes: each sees what those before it made. Nobody gets a place that is not free, or two at one time.
pub fn plan(lines: Vec<Read<BookingLine>>, state: State, mut new_id: impl FnMut() -> Uuid) -> Plan<NewBooking> {
    let State { now, zone, members, sessions, taken, mut brought } = state;
    let mut at: HashMap<DateTime<Utc>, Vec<usize>> = HashMap::new();
    for (n, session) in sessions.iter().enumerate() {
        at.entry(session.starts_at).or_default().push(n);
    }
    let mut room: Vec<i64> = sessions.iter().map(|session| session.places).collect();
    let mut of: HashMap<Uuid, Vec<Taken>> = HashMap::new();
    for one in taken {
        of.entry(one.person_id).or_default().push(one);
    }
    let mut step = |line: BookingLine| -> Result<Step<NewBooking>, Wrongs> {
        let person_id = members.find(&line.who).map_err(|wrong| vec![wrong])?;
        let no_class = |column| vec![(column, Wrong::NoClassThen)];
        let starts_at = zones::existing(line.local_start, zone).ok_or_else(|| no_class("local_start"))?;
        let there = at.get(&starts_at).map(Vec::as_slice).unwrap_or_default();
        let called: Vec<usize> = there.iter().copied().filter(|n| is_called(&sessions[*n], line.class_type.as_deref())).collect();
        let n = match called[..] {
            [n] => n,
            [] if there.is_empty() => return Err(no_class("local_start")),
            [] => return Err(no_class("class_type")),
            _ => return Err(vec![("class_type", Wrong::SeveralClasses)]),
        };
        let session = &sessions[n];
        let own = of.entry(person_id).or_default();
        let key = line.external_id.unwrap_or_else(|| {
            let has_ended = if line.status.has_ended() { ":ended" } else { "" };
            format!("{person_id}:{}{has_ended}", session.id)
        });
        let is_there = own.iter().find(|one| one.session_id == session.id).filter(|_| !line.status.has_ended()).map(|one| one.id);
        if let Some(row_id) = brought.get(&key).copied().or(is_there) {
            return Ok(Step::Known { row_id, new_key: None });
        }
        match line.status {
            BookingStatus::Booked if session.starts_at <= now => return Err(vec![("status", Wrong::OnlyBeforeClass)]),
            BookingStatus::Attended | BookingStatus::NoShow if session.starts_at > now => {
                return Err(vec![("status", Wrong::OnlyAfterClass)]);
            }
            _ => {}
        }
        if line.status.takes_place() {
            // Who waits here goes first.
            if room[n] <= 0 || (session.waiting > 0 && session.starts_at > now) {
                return Err(vec![("local_start", Wrong::NoPlaceFree)]);
            }
            let overlaps = |one: &&Taken| {
                let is_in = matches!(one.status, BookingStatus::Booked | BookingStatus::Offered | BookingStatus::Attended);
                is_in && one.starts_at < session.ends_at && session.starts_at < one.ends_at
            };
            if line.status != BookingStatus::NoShow && own.iter().any(|one| overlaps(&one)) {
                return Err(vec![("local_start", Wrong::BookedElsewhere)]);
            }
            room[n] -= 1;
        }
        let id = new_id();
        let (starts_at, ends_at, status) = (session.starts_at, session.ends_at, line.status);
        if !status.has_ended() {
            own.push(Taken { id, session_id: session.id, person_id, starts_at, ends_at, status });
        }
        brought.insert(key.clone(), id);
        let free_cancel_until = session.free_cancel_until;
        Ok(Step::Make(NewBooking { id, key, person_id, session_id: session.id, starts_at, ends_at, free_cancel_until, status }))
    };
    lines.into_iter().map(|(number, line)| (number, line.and_then(&mut step))).collect()
}

fn is_called(session: &SessionNow, class_type: Option<&str>) -> bool {
    let Some(said) = class_type else { return true };
    let name = &session.class_type;
    let names = [Some(&name.en), name.zh_hans.as_ref(), name.zh_hant.as_ref()];
    session.class_type_id.to_string() == said || names.into_iter().flatten().any(|name| same_name(name, said))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::import::Kind;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-12-{text}:00Z").parse().unwrap()
    }

    fn session(id: u128, name: &str, starts: &str, places: i64, waiting: i64) -> SessionNow {
        let starts_at = at(starts);
        SessionNow {
            id: Uuid::from_u128(id),
            class_type_id: Uuid::from_u128(99),
            class_type: Texts { en: name.into(), zh_hans: None, zh_hant: None },
            starts_at,
            ends_at: starts_at + TimeDelta::minutes(55),
            free_cancel_until: starts_at - TimeDelta::hours(12),
            places,
            waiting,
        }
    }

    fn came(lines: &str) -> Vec<String> {
        let member = |n: u128| (n.to_string(), Uuid::from_u128(n));
        let members = Members { by_external_id: HashMap::from([member(1), member(2), member(3)]), ..Members::default() };
        let sessions = vec![
            session(10, "Barre", "01T10:00", 5, 0),
            session(11, "Barre", "05T10:00", 1, 0),
            session(12, "Ballet", "05T10:00", 5, 0),
            session(13, "Barre", "05T10:30", 5, 0),
            session(14, "Barre", "06T10:00", 5, 1),
        ];
        let there = Taken {
            id: Uuid::from_u128(77),
            session_id: Uuid::from_u128(12),
            person_id: Uuid::from_u128(3),
            starts_at: at("05T10:00"),
            ends_at: at("05T10:55"),
            status: BookingStatus::Booked,
        };
        let brought = HashMap::from([("old".to_owned(), Uuid::from_u128(50))]);
        let state = State { now: at("03T00:00"), zone: Tz::UTC, members, sessions, taken: vec![there], brought };
        let text = format!("external_id,member_external_id,class_type,local_start,status\n{lines}\n");
        let table = Table::of(&text, Kind::Bookings, None, 100).unwrap();
        let mut next = 100;
        let ids = || {
            next += 1;
            Uuid::from_u128(next)
        };
        let one = |step: Result<Step<NewBooking>, Wrongs>| match step {
            Ok(Step::Make(new)) => format!("{} in {}", new.status.as_str(), new.session_id.as_u128()),
            Ok(Step::Known { row_id, .. }) => format!("known {}", row_id.as_u128()),
            Err(wrongs) => wrongs.iter().map(|(column, _)| *column).collect::<Vec<_>>().join(" "),
        };
        plan(read(&table, DateOrder::Ymd), state, ids).into_iter().map(|(_, step)| one(step)).collect()
    }

    #[test]
    fn what_a_line_makes() {
        for (line, what) in [
            (",1,Barre,2026-12-01 10:00,Signed in", "attended in 10"),
            (",1,,2026-12-01 10:00,No-show", "no_show in 10"),
            (",1,,2026-12-01 10:00,booked", "status"),
            (",1,Barre,2026-12-05 10:00,attended", "status"),
            (",1,Barre,2026-12-05 10:00,booked", "booked in 11"),
            (",1,ballet,2026-12-05 10:00,booked", "booked in 12"),
            (",1,,2026-12-05 10:00,booked", "class_type"),
            (",1,Yoga,2026-12-05 10:00,booked", "class_type"),
            (",1,Barre,2026-12-05 11:00,booked", "local_start"),
            (",1,Barre,2026-12-05 10:00,late cancel", "late_cancelled in 11"),
            (",1,,2026-12-06 10:00,booked", "local_start"),
            (",1,,2026-12-06 10:00,cancelled", "cancelled in 14"),
            (",3,Ballet,2026-12-05 10:00,booked", "known 77"),
            (",3,Barre,2026-12-05 10:30,booked", "local_start"),
            ("old,1,Barre,2026-12-05 10:00,booked", "known 50"),
            (",9,Barre,2026-12-05 10:00,booked", "member_external_id"),
            (",1,Barre,some day,waitlisted", "local_start status"),
        ] {
            assert_eq!(came(line), [what], "{line}");
        }
    }

    #[test]
    fn lines_see_those_before_them() {
        let barre = |who: u32| format!(",{who},Barre,2026-12-05 10:00,booked");
        assert_eq!(came(&format!("{}\n{}\n{}", barre(1), barre(1), barre(2))), ["booked in 11", "known 101", "local_start"]);
        let twice = ",1,Ballet,2026-12-05 10:00,booked\n,1,Barre,2026-12-05 10:30,booked";
        assert_eq!(came(twice), ["booked in 12", "local_start"]);
        let again = ",1,Ballet,2026-12-05 10:00,cancelled\n,1,Ballet,2026-12-05 10:00,booked\n,1,Ballet,2026-12-05 10:00,cancelled";
        assert_eq!(came(again), ["cancelled in 12", "booked in 12", "known 101"]);
    }
}
