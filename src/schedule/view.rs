//! A session as the API shows it.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::rules::LocalStart;
use super::{Changed, SessionNames, SessionRow, SessionStatus};
use crate::language::Language;
use crate::studios::house_rules::WallTime;

/// One class as members and staff see it. `places_left` is what the public may take now: 0 before booking opens and after it closes.
/// `waitlist_open`: who finds it full may wait.
#[derive(Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct SessionView<'a> {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub class_type: ClassTypeBrief<'a>,
    pub room: Named<'a>,
    pub instructor: Named<'a>,
    #[serde(with = "crate::instant")]
    pub starts_at: DateTime<Utc>,
    #[serde(with = "crate::instant")]
    pub ends_at: DateTime<Utc>,
    pub time_zone: &'static str,
    pub local_start: LocalStart,
    pub capacity: i64,
    pub booked: i64,
    pub held: i64,
    pub places_left: i64,
    pub waitlist_length: i64,
    pub waitlist_open: bool,
    pub status: SessionStatus,
    pub changed: &'a [Changed],
    pub version: i64,
    #[serde(with = "crate::instant")]
    pub booking_opens_at: DateTime<Utc>,
    #[serde(with = "crate::instant")]
    pub booking_closes_at: DateTime<Utc>,
    pub credits: i64,
    /// The series that made it.
    pub series_id: Option<Uuid>,
    /// The wall time of its series, where a change of the clocks skips that on this day and it begins with the first minute after.
    #[schema(value_type = Option<String>, example = "02:30")]
    pub skipped_time: Option<WallTime>,
    /// What members should know of it.
    pub note: Option<&'a str>,
    /// What happens if too few book; null: it takes place whoever comes.
    pub too_few: Option<TooFew>,
    pub me: Option<Me<'a>>,
}

/// Too few: with fewer than `minimum` booked at `decided_at` the session is cancelled and refunded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct TooFew {
    pub minimum: i64,
    /// Null: staff exempted it, or it is decided.
    #[serde(with = "crate::instant")]
    pub decided_at: Option<DateTime<Utc>>,
}

/// The class type, in the reader's language.
#[derive(Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct ClassTypeBrief<'a> {
    pub id: Uuid,
    pub name: &'a str,
    pub level: &'a str,
    pub minutes: i64,
}

/// A room or an instructor.
#[derive(Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
#[schema(as = NamedEntry)]
pub struct Named<'a> {
    pub id: Uuid,
    pub name: &'a str,
}

/// The reader's own booking of the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
#[schema(as = MyBooking)]
pub struct Me<'a> {
    pub booking_id: Uuid,
    pub status: Cow<'a, str>,
    /// 1 is the next to move up.
    pub waitlist_position: Option<i64>,
}

impl<'a> SessionView<'a> {
    /// The session as this reader sees it now, in their language or the studio's.
    pub fn of(
        session: &'a SessionRow,
        names: &'a SessionNames,
        language: Option<Language>,
        now: DateTime<Utc>,
        me: Option<Me<'a>>,
    ) -> Self {
        let language = language.unwrap_or(names.studio_locale);
        Self {
            id: session.id,
            studio_id: session.studio_id,
            class_type: ClassTypeBrief {
                id: session.class_type_id,
                name: names.class_name.read(language),
                level: &names.class_level,
                minutes: names.class_minutes,
            },
            room: Named { id: session.room_id, name: &names.room_name },
            instructor: Named { id: session.instructor_id, name: &names.instructor_name },
            starts_at: session.starts_at,
            ends_at: session.ends_at,
            time_zone: names.time_zone.name(),
            local_start: LocalStart::shown(session.local_date, session.local_minute),
            capacity: session.capacity,
            booked: session.taken,
            held: session.held,
            places_left: places_left(session, now),
            waitlist_length: session.waiting,
            waitlist_open: waitlist_open(session, now),
            status: status(session, now),
            changed: &session.changed,
            version: session.version,
            booking_opens_at: session.booking_opens_at,
            booking_closes_at: session.booking_closes_at,
            credits: session.credits,
            series_id: session.series_id,
            skipped_time: session.skipped_minute.map(WallTime::of_minute),
            note: session.member_note.as_deref(),
            too_few: session.minimum.map(|minimum| TooFew { minimum, decided_at: session.too_few_at.filter(|at| *at > now) }),
            me,
        }
    }
}

/// Where the session stands now.
pub fn status(session: &SessionRow, now: DateTime<Utc>) -> SessionStatus {
    if session.status == SessionStatus::Scheduled && now >= session.ends_at { SessionStatus::Ended } else { session.status }
}

/// Whether members may book now.
pub fn is_open(session: &SessionRow, now: DateTime<Utc>) -> bool {
    session.status == SessionStatus::Scheduled
        && session.booking_opens_at <= now
        && now < session.booking_closes_at
        && now < session.starts_at
}

/// Places that the public may take now.
pub fn places_left(session: &SessionRow, now: DateTime<Utc>) -> i64 {
    if is_open(session, now) && !session.keeps_places(now) { (session.capacity - session.taken - session.held).max(0) } else { 0 }
}

/// Whether a member who finds it full may wait.
pub fn waitlist_open(session: &SessionRow, now: DateTime<Utc>) -> bool {
    is_open(session, now) && now < session.waiting_ends_at && session.waitlist_cap.is_none_or(|cap| session.waiting < cap)
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, TimeDelta};
    use serde_json::json;
    use sqlx::types::Json;

    use super::*;
    use crate::language::Texts;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn session() -> SessionRow {
        SessionRow {
            id: Uuid::from_u128(1),
            studio_id: Uuid::from_u128(2),
            class_type_id: Uuid::from_u128(3),
            room_id: Uuid::from_u128(4),
            instructor_id: Uuid::from_u128(5),
            starts_at: at("2026-12-01T10:30:00Z"),
            ends_at: at("2026-12-01T11:25:00Z"),
            local_date: NaiveDate::from_ymd_opt(2026, 12, 1).unwrap(),
            local_minute: 18 * 60 + 30,
            local_weekday: 2,
            capacity: 20,
            taken: 18,
            held: 0,
            waiting: 0,
            next_queue_key: 1,
            credits: 1,
            status: SessionStatus::Scheduled,
            booking_opens_at: at("2026-11-17T04:00:00Z"),
            booking_closes_at: at("2026-12-01T10:30:00Z"),
            free_cancel_until: at("2026-11-30T22:30:00Z"),
            promote_until: at("2026-11-30T22:30:00Z"),
            waiting_ends_at: at("2026-12-01T10:30:00Z"),
            offers_until: None,
            kept_until: None,
            waitlist_cap: Some(4),
            changed: Json(vec![]),
            cancelled_at: None,
            cancel_reason: None,
            cancel_note: None,
            sequence: 0,
            version: 1,
            created_at: at("2026-11-01T00:00:00Z"),
            series_id: None,
            series_date: None,
            by_hand: Json(vec![]),
            skipped_minute: None,
            was_draft: false,
            minimum: None,
            too_few_exempt: false,
            too_few_at: None,
            too_few_due_at: None,
            too_few_warned: false,
            team_note: None,
            member_note: None,
            absent_from: None,
            attendance_due_at: None,
        }
    }

    fn names() -> SessionNames {
        SessionNames {
            class_name: Json(Texts { en: "Barre Sculpt".into(), zh_hans: Some("把杆塑形".into()), zh_hant: None }),
            class_level: "open".into(),
            class_minutes: 55,
            room_name: "Studio A".into(),
            instructor_name: "Lin Yue".into(),
            time_zone: "Asia/Shanghai".parse().unwrap(),
            studio_locale: Language::ZhHans,
        }
    }

    /// The shape that apps are written against.
    #[test]
    fn a_session_as_the_api_shows_it() {
        let (session, names) = (session(), names());
        let view = SessionView::of(&session, &names, Some(Language::En), at("2026-12-01T00:00:00.000000Z"), None);
        assert_eq!(
            serde_json::to_value(&view).unwrap(),
            json!({
                "id": session.id, "studio_id": session.studio_id,
                "class_type": {"id": session.class_type_id, "name": "Barre Sculpt", "level": "open", "minutes": 55},
                "room": {"id": session.room_id, "name": "Studio A"}, "instructor": {"id": session.instructor_id, "name": "Lin Yue"},
                "starts_at": "2026-12-01T10:30:00.000000Z", "ends_at": "2026-12-01T11:25:00.000000Z", "time_zone": "Asia/Shanghai",
                "local_start": "2026-12-01T18:30", "capacity": 20, "booked": 18, "held": 0, "places_left": 2, "waitlist_length": 0,
                "waitlist_open": true, "status": "scheduled", "changed": [], "version": 1, "booking_opens_at": "2026-11-17T04:00:00.000000Z",
                "booking_closes_at": "2026-12-01T10:30:00.000000Z", "credits": 1,
                "series_id": null, "skipped_time": null, "note": null, "too_few": null, "me": null
            })
        );
        let me = Me { booking_id: Uuid::from_u128(9), status: "waitlisted".into(), waitlist_position: Some(2) };
        let view =
            serde_json::to_value(SessionView::of(&session, &names, Some(Language::ZhHant), at("2026-12-01T00:00:00.000000Z"), Some(me)))
                .unwrap();
        assert_eq!(view["class_type"]["name"], "把杆塑形");
        assert_eq!(SessionView::of(&session, &names, None, at("2026-12-01T00:00:00.000000Z"), None).class_type.name, "把杆塑形");
        assert_eq!(view["me"], json!({"booking_id": Uuid::from_u128(9), "status": "waitlisted", "waitlist_position": 2}));
    }

    #[test]
    fn what_the_public_may_take() {
        let opens = session().booking_opens_at;
        let second = TimeDelta::seconds(1);
        let left = |change: fn(&mut SessionRow), now| {
            let mut session = session();
            change(&mut session);
            (places_left(&session, now), waitlist_open(&session, now))
        };
        assert_eq!(left(|_| (), opens - second), (0, false));
        assert_eq!(left(|_| (), opens), (2, true));
        assert_eq!(left(|_| (), session().booking_closes_at), (0, false));
        assert_eq!(left(|s| s.held = 1, opens), (1, true));
        assert_eq!(left(|s| s.taken = 20, opens), (0, true));
        let kept = |s: &mut SessionRow| (s.waiting, s.kept_until) = (1, Some(s.booking_opens_at + TimeDelta::minutes(1)));
        assert_eq!(left(kept, opens), (0, true));
        assert_eq!(left(kept, opens + TimeDelta::minutes(1)), (2, true));
        assert_eq!(left(|s| s.waiting = 4, opens), (2, false));
        assert_eq!(left(|s| s.waitlist_cap = None, opens), (2, true));
        assert_eq!(left(|s| s.status = SessionStatus::Cancelled, opens), (0, false));
        assert_eq!(left(|s| s.status = SessionStatus::Draft, opens), (0, false));
    }

    #[test]
    fn a_session_ends() {
        let mut session = session();
        let end = session.ends_at;
        assert_eq!(status(&session, end - TimeDelta::seconds(1)), SessionStatus::Scheduled);
        assert_eq!(status(&session, end), SessionStatus::Ended);
        session.status = SessionStatus::Cancelled;
        assert_eq!(status(&session, end), SessionStatus::Cancelled);
    }
}
