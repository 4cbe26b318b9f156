//! Class types and sessions: what is on, where, with whom, and how many places are left.
//!
//! A [`SessionRow`] is a row as the transactor keeps it: its counts (`taken`, `held`, `waiting`) are exact after every batch, its instants
//! were set by [`rules::instants`] when it was scheduled or when the house rules changed. [`SessionNames`] are the names a reader sees with
//! it. Both together make a [`SessionView`], the one shape in which the API shows a session, alone, in the schedule or in a booking.
//! Making, changing and cancelling a session are commands to the transactor; class types are edited in plain transactions.

pub mod api;
pub mod cache;
pub mod cancel_session;
pub mod cancellation;
pub mod changes;
pub mod closing_days;
pub mod copy_days;
pub mod edit;
pub mod edit_session;
pub mod follow_clocks;
pub mod make_session;
pub mod note_session;
pub mod publish;
pub mod rights;
pub mod rules;
pub mod series;
pub mod session_fields;
pub mod session_parts;
pub mod store;
pub mod substitutes;
pub mod too_few;
mod view;

use std::ops::{Deref, DerefMut};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::language::{Language, Texts};
use crate::letters::facts::CancelReason;
use crate::studios::{HouseRules, Zone};

pub use cache::ScheduleCache;
use series::ByHand;
pub use view::{Me, SessionView, is_open, places_left, status, waitlist_open};

/// The longest session: one that overlaps a time began at most this long before it.
pub const SESSION_HOURS_MAX: i64 = 24;

/// Where a session stands. `Ended` is never stored: a scheduled session has ended when its end has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = SessionStatus)]
pub enum SessionStatus {
    /// Only staff see it.
    Draft,
    /// It takes place.
    Scheduled,
    /// The studio cancelled it.
    Cancelled,
    /// It took place.
    Ended,
}

/// What changed about a session since members could book it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ChangedAspect)]
pub enum Changed {
    /// When it is.
    Time,
    /// Where it is.
    Room,
    /// Who teaches it.
    Instructor,
}

/// One scheduled class: the row.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns of the table, which the migration explains")]
pub struct SessionRow {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub class_type_id: Uuid,
    pub room_id: Uuid,
    pub instructor_id: Uuid,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub local_date: NaiveDate,
    pub local_minute: i64,
    pub local_weekday: i64,
    pub capacity: i64,
    pub taken: i64,
    pub held: i64,
    pub waiting: i64,
    pub next_queue_key: i64,
    pub credits: i64,
    pub status: SessionStatus,
    pub booking_opens_at: DateTime<Utc>,
    pub booking_closes_at: DateTime<Utc>,
    pub free_cancel_until: DateTime<Utc>,
    pub promote_until: DateTime<Utc>,
    pub waiting_ends_at: DateTime<Utc>,
    pub offers_until: Option<DateTime<Utc>>,
    pub kept_until: Option<DateTime<Utc>>,
    pub waitlist_cap: Option<i64>,
    pub changed: Json<Vec<Changed>>,
    pub cancelled_at: Option<DateTime<Utc>>,
    pub cancel_reason: Option<CancelReason>,
    pub cancel_note: Option<String>,
    pub sequence: i64,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub series_id: Option<Uuid>,
    pub series_date: Option<NaiveDate>,
    pub by_hand: Json<Vec<ByHand>>,
    pub skipped_minute: Option<i64>,
    pub was_draft: bool,
    pub minimum: Option<i64>,
    pub too_few_exempt: bool,
    pub too_few_at: Option<DateTime<Utc>>,
    pub too_few_due_at: Option<DateTime<Utc>>,
    pub too_few_warned: bool,
    pub team_note: Option<String>,
    pub member_note: Option<String>,
    pub absent_from: Option<DateTime<Utc>>,
    pub attendance_due_at: Option<DateTime<Utc>>,
}

/// What a reader sees with a session besides its own row.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct SessionNames {
    /// What the class is called, in each language.
    pub class_name: Json<Texts>,
    /// For whom it is.
    pub class_level: String,
    /// How long it usually is.
    pub class_minutes: i64,
    pub room_name: String,
    pub instructor_name: String,
    pub time_zone: Zone,
    /// The language for readers who chose none.
    pub studio_locale: Language,
}

/// A session with its names.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Session {
    #[sqlx(flatten)]
    pub session: SessionRow,
    #[sqlx(flatten)]
    pub names: SessionNames,
}

impl Deref for Session {
    type Target = SessionRow;

    fn deref(&self) -> &SessionRow {
        &self.session
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut SessionRow {
        &mut self.session
    }
}

/// What a session is made of; everything else follows from it and the house rules.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "columns of a session")]
pub struct NewSession {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub class_type_id: Uuid,
    pub room_id: Uuid,
    pub instructor_id: Uuid,
    pub starts_at: DateTime<Utc>,
    pub minutes: i64,
    pub capacity: i64,
    pub credits: i64,
    pub minimum: Option<i64>,
    pub draft: bool,
}

impl SessionRow {
    /// A session that nobody is in yet.
    pub fn new(new: NewSession, rules: &HouseRules, zone: Tz, now: DateTime<Utc>) -> Self {
        let mut session = Self {
            id: new.id,
            studio_id: new.studio_id,
            class_type_id: new.class_type_id,
            room_id: new.room_id,
            instructor_id: new.instructor_id,
            starts_at: new.starts_at,
            ends_at: new.starts_at + TimeDelta::minutes(new.minutes),
            local_date: crate::zones::local_date(new.starts_at, zone),
            local_minute: 0,
            local_weekday: 1,
            capacity: new.capacity,
            taken: 0,
            held: 0,
            waiting: 0,
            next_queue_key: 1,
            credits: new.credits,
            status: if new.draft { SessionStatus::Draft } else { SessionStatus::Scheduled },
            booking_opens_at: new.starts_at,
            booking_closes_at: new.starts_at,
            free_cancel_until: new.starts_at,
            promote_until: new.starts_at,
            waiting_ends_at: new.starts_at,
            offers_until: None,
            kept_until: None,
            waitlist_cap: None,
            changed: Json(Vec::new()),
            cancelled_at: None,
            cancel_reason: None,
            cancel_note: None,
            sequence: 0,
            version: 1,
            created_at: now,
            series_id: None,
            series_date: None,
            by_hand: Json(Vec::new()),
            skipped_minute: None,
            was_draft: false,
            minimum: new.minimum,
            too_few_exempt: false,
            too_few_at: None,
            too_few_due_at: None,
            too_few_warned: false,
            team_note: None,
            member_note: None,
            absent_from: None,
            attendance_due_at: None,
        };
        session.follow_start(rules, zone, now);
        session
    }

    /// Sets everything that follows from the start: the local columns, and the instants of the house rules.
    pub fn follow_start(&mut self, rules: &HouseRules, zone: Tz, now: DateTime<Utc>) {
        let on = rules::local(self.starts_at, zone);
        let moves = (self.local_date, self.local_minute) != (on.date, on.minute);
        let decided = self.too_few_at.is_some() && self.too_few_due_at.is_none();
        (self.local_date, self.local_minute, self.local_weekday) = (on.date, on.minute, on.weekday);
        let instants = rules::instants(rules, zone, self.starts_at, self.capacity);
        self.booking_opens_at = instants.booking_opens_at;
        self.booking_closes_at = instants.booking_closes_at;
        self.free_cancel_until = instants.free_cancel_until;
        self.promote_until = instants.promote_until;
        self.waiting_ends_at = instants.waiting_ends_at;
        self.offers_until = instants.offers_until;
        self.waitlist_cap = instants.waitlist_cap;
        self.absent_from = Some(self.starts_at + TimeDelta::minutes(rules.no_show_provisional_min));
        self.attendance_due_at = Some(self.ends_at);
        let has_minimum = self.minimum.is_some() && !self.too_few_exempt && self.status == SessionStatus::Scheduled;
        let known = (self.too_few_at, self.too_few_due_at);
        let too_few = if has_minimum { rules::too_few(self.starts_at, known, rules, zone, now) } else { (None, None) };
        // Whether enough have booked is decided once: it is decided anew for another start, never for other house rules.
        if moves || !decided || too_few.0.is_none() {
            (self.too_few_at, self.too_few_due_at) = too_few;
        }
    }

    /// Whether the studio has cancelled it.
    pub fn is_cancelled(&self) -> bool {
        self.status == SessionStatus::Cancelled
    }

    /// Whether who has not been marked as having come is absent for now.
    pub fn misses_who_has_not_come(&self, now: DateTime<Utc>) -> bool {
        self.attendance_due_at.is_some() && self.absent_from.is_some_and(|from| from <= now)
    }

    /// Whether its free places are kept for those who wait, or for staff to give.
    pub fn keeps_places(&self, now: DateTime<Utc>) -> bool {
        self.waiting > 0 && self.kept_until.is_some_and(|until| now < until)
    }

    /// Whether members have not seen it yet.
    pub fn is_draft(&self) -> bool {
        self.status == SessionStatus::Draft
    }

    /// Whether only staff see it: a draft, or one that was cancelled before anybody else could.
    pub fn is_for_staff(&self) -> bool {
        self.is_draft() || self.was_draft
    }
}

/// A kind of class that the studio gives.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns of the table")]
pub struct ClassType {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub name: Json<Texts>,
    pub description: Option<Json<Texts>>,
    pub level: String,
    pub minutes: i64,
    pub credits: i64,
    pub minimum: Option<i64>,
    pub version: i64,
    pub rules_version: i64,
}

/// A session that may clash with another.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "columns")]
pub struct Clash {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub room_id: Uuid,
    pub instructor_id: Uuid,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    /// Whether only its studio's staff see it.
    pub for_staff: bool,
}

impl Clash {
    /// From a whole session.
    pub fn of(session: &SessionRow) -> Self {
        Self {
            id: session.id,
            studio_id: session.studio_id,
            room_id: session.room_id,
            instructor_id: session.instructor_id,
            starts_at: session.starts_at,
            ends_at: session.ends_at,
            for_staff: session.is_for_staff(),
        }
    }

    /// Whether this studio's staff may know which session it is: their own, or one that everybody sees. Of what another studio only
    /// plans they learn that the instructor is busy, and nothing else.
    pub fn is_seen_in(&self, studio_id: Uuid) -> bool {
        self.studio_id == studio_id || !self.for_staff
    }

    /// Its id, for this studio's staff.
    pub fn id_for(&self, studio_id: Uuid) -> Option<Uuid> {
        self.is_seen_in(studio_id).then_some(self.id)
    }
}

/// What an act on many sessions did.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct BulkResult {
    /// Made, published or cancelled.
    pub session_ids: Vec<Uuid>,
    /// Left out, and why.
    pub skipped: Vec<SkippedSession>,
}

/// A session that an act left out.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SkippedSession {
    /// The one that would have been copied or cancelled.
    pub session_id: Uuid,
    /// Why, as the type of a problem ends.
    pub because: &'static str,
    /// Which one stands in its way.
    pub other_session_id: Option<Uuid>,
}
