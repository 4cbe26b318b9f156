//! Bookings, the heart of Relevé: a person's place in a session, or position in its queue.
//!
//! `rules` decides (who may book, what a cancellation costs, who is next); the commands give out places by these decisions; `api` is what
//! apps call; `view` is what they read. A booking is never deleted: it ends, and says why.

pub mod accept;
pub mod api;
pub mod book;
pub mod book_guest;
pub mod book_visitor;
pub mod cancel;
pub mod cancelled_by_studio;
pub mod close_waitlist;
pub mod conditions;
pub mod cut_off;
pub mod door_release;
pub mod ending;
pub mod expire_offer;
pub mod freed;
pub mod guests;
pub mod history;
pub mod member;
pub mod move_up;
pub mod offer;
pub mod offering;
pub mod pages;
pub mod place;
pub mod readers;
pub mod refill;
pub mod refusal;
pub mod remind;
pub mod replace;
pub mod retention;
pub mod rules;
pub mod set_conditions;
pub mod snapshot;
pub mod standby;
pub mod store;
pub mod tell_terms;
pub mod terms;
pub mod view;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::letters::facts::PassedOver;
use crate::passes::rules::Payment;
use crate::penalties::rules::PenaltyTerms;
use crate::schedule::SessionRow;
use crate::transition::TransitionRefused;
use conditions::Conditions;

/// Where a booking stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = BookingStatus)]
pub enum BookingStatus {
    /// The member has a place.
    Booked,
    /// The member waits in the queue.
    Waitlisted,
    /// A place is kept for the member until the offer ends.
    Offered,
    /// The member stands by at the door for a place that nobody claims.
    Standby,
    /// Ended without cost.
    Cancelled,
    /// Ended after the free way out had closed.
    LateCancelled,
    /// The member came.
    Attended,
    /// The member did not come.
    NoShow,
}

impl BookingStatus {
    /// Whether it takes a place.
    pub const fn takes_place(self) -> bool {
        matches!(self, Self::Booked | Self::Offered | Self::Attended | Self::NoShow)
    }

    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Waitlisted => "waitlisted",
            Self::Offered => "offered",
            Self::Standby => "standby",
            Self::Cancelled => "cancelled",
            Self::LateCancelled => "late_cancelled",
            Self::Attended => "attended",
            Self::NoShow => "no_show",
        }
    }

    /// Whether it has ended by a cancellation of any kind.
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Cancelled | Self::LateCancelled)
    }
}

/// Who or what ended a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum EndedBy {
    /// The member.
    Member,
    /// Staff, for the member.
    Staff,
    /// The studio cancelled the session.
    Studio,
    /// An offer ran out.
    OfferExpired,
    /// No way in was left.
    WaitlistClosed,
    /// Another booking of the member's took its place.
    Replaced,
}

/// A row of `bookings`.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
#[allow(missing_docs, reason = "the columns are told in the migration")]
pub struct Booking {
    pub id: Uuid,
    pub session_id: Uuid,
    pub studio_id: Uuid,
    pub person_id: Uuid,
    pub status: BookingStatus,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub asked_by: Uuid,
    pub asked_pass_id: Option<Uuid>,
    pub asked_waitlist: bool,
    pub asked_unpaid: bool,
    /// Why staff gave the place for nothing, in their words.
    pub unpaid_reason: Option<String>,
    pub pass_id: Option<Uuid>,
    pub credits: i64,
    pub visit_week: Option<NaiveDate>,
    pub free_cancel_until: Option<DateTime<Utc>>,
    pub queue_key: Option<i64>,
    pub passed_over: Option<PassedOver>,
    pub told_free_at: Option<DateTime<Utc>>,
    pub promoted_at: Option<DateTime<Utc>>,
    pub arrived_at: Option<DateTime<Utc>>,
    pub arrived_by: Option<Uuid>,
    pub ended_at: Option<DateTime<Utc>>,
    pub ended_by: Option<EndedBy>,
    pub ended_reason: Option<String>,
    pub credits_returned: i64,
    pub provisional: bool,
    pub sequence: i64,
    pub letters: i64,
    pub spot_id: Option<Uuid>,
    pub guest_of: Option<Uuid>,
    /// Why staff moved it up, in their words.
    pub moved_up_reason: Option<String>,
    /// What a late cancellation or an absence costs besides. `None`: no place was given, or by a version that knew no penalties.
    pub penalty_terms: Option<Json<PenaltyTerms>>,
    /// The booking whose place it was to take over.
    pub asked_replaces: Option<Uuid>,
    /// The booking that took its place over.
    pub replaced_by: Option<Uuid>,
    pub asked_conditions: Option<Json<Conditions>>,
    /// On what terms the member wants to be moved in.
    pub conditions: Option<Json<Conditions>>,
    /// Who comes with the member, where it is a guest's place; `None` also once that is forgotten.
    pub guest_name: Option<String>,
    /// Where the guest's own letters go.
    pub guest_email: Option<String>,
    /// Staff entered the member at the door of a full session.
    pub asked_standby: bool,
    /// Since then its place is somebody's who stood at the door.
    pub released_at: Option<DateTime<Utc>>,
    /// Nobody was marked in the session, so it counts as attended.
    pub unrecorded: bool,
    /// When it is looked at next whether the member is to be reminded of their place.
    pub remind_at: Option<DateTime<Utc>>,
    /// Staff looked for the member, and they were not there.
    pub seen_absent_at: Option<DateTime<Utc>>,
    pub seen_absent_by: Option<Uuid>,
    /// Who sent the visitor whose place it is; their name is `guest_name`.
    pub visitor_source: Option<String>,
    pub visitor_phone: Option<String>,
}

/// Who comes with a member, in a place of their own: as the member wrote them down.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct Guest {
    pub name: String,
    pub email: Option<String>,
}

/// Who comes by a partner and has no account: as the front desk wrote them down.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct Visitor {
    pub name: String,
    pub phone: Option<String>,
    pub source: String,
}

impl Booking {
    /// Whether the place is a visitor's, who has no account: the person of the booking has neither name nor address.
    pub const fn is_visitors(&self) -> bool {
        self.visitor_source.is_some()
    }

    /// Whether the member walked in: whoever checked them in booked them in the same step, and so at the same instant.
    pub fn walked_in(&self) -> bool {
        self.arrived_at == Some(self.created_at) && self.arrived_by == Some(self.asked_by) && self.asked_by != self.person_id
    }

    /// Whether the place is a guest's: its host's booking stands beside it.
    pub const fn is_guests(&self) -> bool {
        self.guest_of.is_some()
    }

    /// Whether the session overlaps `[starts_at, ends_at)`.
    pub fn overlaps(&self, starts_at: DateTime<Utc>, ends_at: DateTime<Utc>) -> bool {
        self.starts_at < ends_at && starts_at < self.ends_at
    }

    /// Whether it takes a place: one that was given away at the door is another's.
    pub const fn takes_place(&self) -> bool {
        self.status.takes_place() && self.released_at.is_none()
    }

    /// Whether, at this instant, it is an absence that is not final: nobody has marked the member as having come, and their session is still
    /// followed up.
    pub fn is_absent_for_now(&self, session: &SessionRow, now: DateTime<Utc>) -> bool {
        self.provisional || (self.status == BookingStatus::Booked && session.misses_who_has_not_come(now))
    }

    /// Whether it shows that somebody has looked who is there.
    pub fn is_record(&self) -> bool {
        match self.status {
            BookingStatus::Attended => !self.unrecorded,
            BookingStatus::Booked => self.seen_absent_at.is_some(),
            status => status == BookingStatus::NoShow,
        }
    }

    /// What cancelling late or not coming costs besides what was paid.
    pub fn penalty_terms(&self) -> PenaltyTerms {
        self.penalty_terms.as_ref().map(|terms| terms.0.clone()).unwrap_or_default()
    }

    /// Whether the member gave back a place that the waitlist had given or offered them: they are not moved in again by themselves.
    pub fn has_turned_down(&self) -> bool {
        self.promoted_at.is_some() && self.ended_by == Some(EndedBy::Member)
    }
}

/// What was asked for with a new booking; an app's repeat is compared with it.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "columns of a booking")]
pub struct NewBooking {
    pub id: Uuid,
    pub session_id: Uuid,
    pub studio_id: Uuid,
    pub person_id: Uuid,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub asked_by: Uuid,
    pub asked_pass_id: Option<Uuid>,
    pub asked_waitlist: bool,
    pub asked_unpaid: bool,
    pub unpaid_reason: Option<String>,
}

/// What a place costs the member, and until when it can be cancelled for free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What pays.
    pub payment: Payment,
    /// `None`: it cannot be cancelled for free.
    pub free_cancel_until: Option<DateTime<Utc>>,
    /// What cancelling late or not coming costs besides.
    pub penalty_terms: PenaltyTerms,
}

/// Who ended a booking, and the reason that staff wrote down.
#[derive(Clone, Debug)]
pub struct Ending {
    /// Who, or what.
    pub by: EndedBy,
    /// In staff's words.
    pub reason: Option<String>,
}

impl From<EndedBy> for Ending {
    fn from(by: EndedBy) -> Self {
        Self { by, reason: None }
    }
}

/// The transitions: the only way to change a booking's status. Each upholds the table's CHECKs and refuses everything else.
impl Booking {
    /// A booking that takes a place at once.
    pub fn with_place(new: NewBooking, place: &Place, now: DateTime<Utc>) -> Self {
        let mut booking = Self::new(new, BookingStatus::Booked, now);
        booking.hold(place);
        booking
    }

    /// A booking that joins the queue at this key.
    pub fn in_queue(new: NewBooking, queue_key: i64, now: DateTime<Utc>) -> Self {
        Self { queue_key: Some(queue_key), ..Self::new(new, BookingStatus::Waitlisted, now) }
    }

    /// A member at the door of a full session, behind those who came before.
    pub fn at_the_door(new: NewBooking, now: DateTime<Utc>) -> Self {
        Self { asked_standby: true, ..Self::new(new, BookingStatus::Standby, now) }
    }

    /// A booking that was made in another program: nothing is taken for it here, so nothing comes back, and nobody is reminded of it.
    pub fn brought_over(new: NewBooking, status: BookingStatus, free_cancel_until: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let (starts_at, by) = (new.starts_at, new.asked_by);
        let has_come = status == BookingStatus::Attended;
        Self {
            free_cancel_until: (status == BookingStatus::Booked).then_some(free_cancel_until),
            arrived_at: has_come.then_some(starts_at),
            arrived_by: has_come.then_some(by),
            ended_at: status.has_ended().then_some(starts_at.min(now)),
            ended_by: status.has_ended().then_some(EndedBy::Staff),
            ..Self::new(new, status, now)
        }
    }

    fn new(new: NewBooking, status: BookingStatus, now: DateTime<Utc>) -> Self {
        Self {
            id: new.id,
            session_id: new.session_id,
            studio_id: new.studio_id,
            person_id: new.person_id,
            status,
            starts_at: new.starts_at,
            ends_at: new.ends_at,
            created_at: now,
            asked_by: new.asked_by,
            asked_pass_id: new.asked_pass_id,
            asked_waitlist: new.asked_waitlist,
            asked_unpaid: new.asked_unpaid,
            unpaid_reason: new.unpaid_reason,
            pass_id: None,
            credits: 0,
            visit_week: None,
            free_cancel_until: None,
            queue_key: None,
            passed_over: None,
            told_free_at: None,
            promoted_at: None,
            arrived_at: None,
            arrived_by: None,
            ended_at: None,
            ended_by: None,
            ended_reason: None,
            credits_returned: 0,
            provisional: false,
            sequence: 0,
            letters: 0,
            spot_id: None,
            guest_of: None,
            moved_up_reason: None,
            penalty_terms: None,
            asked_replaces: None,
            replaced_by: None,
            asked_conditions: None,
            conditions: None,
            guest_name: None,
            guest_email: None,
            asked_standby: false,
            released_at: None,
            unrecorded: false,
            remind_at: None,
            seen_absent_at: None,
            seen_absent_by: None,
            visitor_source: None,
            visitor_phone: None,
        }
    }

    /// Waitlisted or offered → booked, by the member's own tap or staff's.
    pub fn accept(&mut self, place: &Place) -> Result<(), TransitionRefused> {
        self.only_from(&[BookingStatus::Waitlisted, BookingStatus::Offered], "take a place")?;
        self.hold(place);
        Ok(())
    }

    /// Waitlisted → booked, by automatic promotion.
    pub fn promote(&mut self, place: &Place, now: DateTime<Utc>) -> Result<(), TransitionRefused> {
        self.only_from(&[BookingStatus::Waitlisted], "be promoted")?;
        self.hold(place);
        self.promoted_at = Some(now);
        Ok(())
    }

    /// Waitlisted → booked, by staff, for this reason.
    pub fn move_up(&mut self, place: &Place, reason: String) -> Result<(), TransitionRefused> {
        self.only_from(&[BookingStatus::Waitlisted], "be moved up")?;
        self.hold(place);
        self.moved_up_reason = Some(reason);
        Ok(())
    }

    /// Waitlisted → offered a place; answers the key at which they waited, which the offer keeps.
    pub fn offer(&mut self, now: DateTime<Utc>) -> Result<i64, TransitionRefused> {
        self.only_from(&[BookingStatus::Waitlisted], "be offered a place")?;
        self.status = BookingStatus::Offered;
        self.passed_over = None;
        self.promoted_at = Some(now);
        Ok(self.queue_key.take().unwrap_or_default())
    }

    /// Waitlisted or at the door, and stays so: a place came free that the member could not take.
    pub fn pass_over(&mut self, reason: PassedOver) -> Result<(), TransitionRefused> {
        self.only_from(&[BookingStatus::Waitlisted, BookingStatus::Standby], "be passed over")?;
        self.passed_over = Some(reason);
        Ok(())
    }

    /// Waitlisted, and stays so: notes that the one letter about a place open to everybody has been written.
    pub fn tell_free(&mut self, now: DateTime<Utc>) -> Result<(), TransitionRefused> {
        self.only_from(&[BookingStatus::Waitlisted], "be told of a free place")?;
        self.told_free_at = Some(now);
        Ok(())
    }

    /// Waitlisted, offered or at the door → cancelled: nothing was taken, nothing comes back.
    pub fn leave(&mut self, ending: &Ending, now: DateTime<Utc>) -> Result<(), TransitionRefused> {
        self.only_from(&[BookingStatus::Waitlisted, BookingStatus::Offered, BookingStatus::Standby], "leave the queue")?;
        self.end(BookingStatus::Cancelled, ending, now);
        Ok(())
    }

    /// Booked → cancelled, after what was taken has been given back ([`Booking::give_back`]).
    pub fn cancel(&mut self, ending: &Ending, now: DateTime<Utc>) -> Result<(), TransitionRefused> {
        self.only_from(&[BookingStatus::Booked], "be cancelled")?;
        if self.credits > 0 || self.visit_week.is_some() {
            return Err(self.cannot("be cancelled with what was taken for it"));
        }
        self.end(BookingStatus::Cancelled, ending, now);
        Ok(())
    }

    /// Booked → cancelled late: what was taken stays taken, unless it was given back first because it is forgiven.
    pub fn cancel_late(&mut self, ending: &Ending, now: DateTime<Utc>) -> Result<(), TransitionRefused> {
        self.only_from(&[BookingStatus::Booked], "be cancelled late")?;
        self.end(BookingStatus::LateCancelled, ending, now);
        Ok(())
    }

    /// Any status that has not ended → cancelled by the studio, after what was taken has been given back.
    pub fn cancel_with_session(&mut self, now: DateTime<Utc>) -> Result<(), TransitionRefused> {
        if self.status.has_ended() || self.credits > 0 || self.visit_week.is_some() {
            return Err(self.cannot("end with its session"));
        }
        self.end(BookingStatus::Cancelled, &EndedBy::Studio.into(), now);
        (self.provisional, self.released_at, self.unrecorded) = (false, None, false);
        Ok(())
    }

    /// Booked or offered → waitlisted, at this key: there are fewer places than before, or the offer is withdrawn. What was taken has been
    /// given back first.
    pub fn return_to_queue(&mut self, queue_key: i64) -> Result<(), TransitionRefused> {
        self.only_from(&[BookingStatus::Booked, BookingStatus::Offered], "return to the queue")?;
        if self.credits > 0 || self.visit_week.is_some() {
            return Err(self.cannot("return to the queue with what was taken for it"));
        }
        self.status = BookingStatus::Waitlisted;
        self.queue_key = Some(queue_key);
        (self.pass_id, self.free_cancel_until, self.promoted_at, self.penalty_terms) = (None, None, None, None);
        (self.passed_over, self.told_free_at, self.remind_at) = (None, None, None);
        Ok(())
    }

    /// Any status that has not ended → cancelled, after what was taken has been given back: its member has another booking of the session.
    pub fn give_way(&mut self, now: DateTime<Utc>) -> Result<(), TransitionRefused> {
        if self.status.has_ended() || self.credits > 0 || self.visit_week.is_some() {
            return Err(self.cannot("give way"));
        }
        self.end(BookingStatus::Cancelled, &EndedBy::Staff.into(), now);
        (self.provisional, self.released_at, self.unrecorded) = (false, None, false);
        Ok(())
    }

    /// Booked, or marked absent → attended. By a person, or, without one, by a kiosk.
    pub fn check_in(&mut self, at: DateTime<Utc>, by: impl Into<Option<Uuid>>) -> Result<(), TransitionRefused> {
        self.only_from(&[BookingStatus::Booked, BookingStatus::NoShow], "be checked in")?;
        self.status = BookingStatus::Attended;
        (self.provisional, self.released_at) = (false, None);
        (self.arrived_at, self.arrived_by) = (Some(at), by.into());
        (self.seen_absent_at, self.seen_absent_by) = (None, None);
        Ok(())
    }

    /// Attended, and stays so: the member came earlier than was known, or nobody had written down that they came.
    pub fn arrive_earlier(&mut self, at: DateTime<Utc>, by: Option<Uuid>) -> Result<(), TransitionRefused> {
        self.only_from(&[BookingStatus::Attended], "have come earlier")?;
        (self.arrived_at, self.arrived_by, self.unrecorded) = (Some(at), by, false);
        Ok(())
    }

    /// Booked, and stays so: staff looked for the member, and they were not there (`Some`); or that was a mistake.
    pub fn see_absent(&mut self, seen: Option<(DateTime<Utc>, Uuid)>) -> Result<(), TransitionRefused> {
        self.only_from(&[BookingStatus::Booked], "be seen to be absent")?;
        (self.seen_absent_at, self.seen_absent_by) = seen.unzip();
        Ok(())
    }

    /// Booked → attended, although nobody was marked in the session.
    pub fn count_attended(&mut self) -> Result<(), TransitionRefused> {
        self.only_from(&[BookingStatus::Booked], "be counted as attended")?;
        self.status = BookingStatus::Attended;
        self.unrecorded = true;
        Ok(())
    }

    /// At the door → attended, with a place that nobody has claimed.
    pub fn let_in(&mut self, place: &Place, at: DateTime<Utc>, by: Uuid) -> Result<(), TransitionRefused> {
        self.only_from(&[BookingStatus::Standby], "be let in")?;
        self.hold(place);
        self.check_in(at, by)
    }

    /// Booked → absent for now, and without the place: it goes to somebody at the door.
    pub fn release(&mut self, now: DateTime<Utc>) -> Result<(), TransitionRefused> {
        self.only_from(&[BookingStatus::Booked], "be released")?;
        self.mark_absent(true)?;
        self.released_at = Some(now);
        Ok(())
    }

    /// Attended, or marked absent → booked: the mark was a mistake.
    pub fn undo_check_in(&mut self) -> Result<(), TransitionRefused> {
        self.only_from(&[BookingStatus::Attended, BookingStatus::NoShow], "be unmarked")?;
        self.status = BookingStatus::Booked;
        (self.provisional, self.released_at, self.unrecorded) = (false, None, false);
        (self.arrived_at, self.arrived_by) = (None, None);
        Ok(())
    }

    /// Booked, or absent for now → absent; `provisional` as long as it is not final.
    pub fn mark_absent(&mut self, provisional: bool) -> Result<(), TransitionRefused> {
        if !self.provisional {
            self.only_from(&[BookingStatus::Booked], "be marked absent")?;
        }
        self.status = BookingStatus::NoShow;
        self.provisional = provisional;
        Ok(())
    }

    /// The session has a new time; whoever holds a place can cancel for free until its start.
    pub fn move_with_session(&mut self, starts_at: DateTime<Utc>, ends_at: DateTime<Utc>) {
        (self.starts_at, self.ends_at) = (starts_at, ends_at);
        if self.status == BookingStatus::Booked {
            self.free_cancel_until = Some(starts_at);
        }
    }

    /// The session keeps its wall time but is at another instant, because the zone's law has changed. A free-cancel time that was the
    /// session's cut-off moves with the cut-off; one of the booking's own never gets earlier.
    pub fn follow_clocks(
        &mut self,
        (starts_at, ends_at): (DateTime<Utc>, DateTime<Utc>),
        (cut_off_before, cut_off): (DateTime<Utc>, DateTime<Utc>),
        now: DateTime<Utc>,
    ) {
        let moved_by = starts_at - self.starts_at;
        (self.starts_at, self.ends_at) = (starts_at, ends_at);
        self.free_cancel_until = self.free_cancel_until.map(|until| match until {
            _ if until == cut_off_before => cut_off,
            _ if until <= now => until,
            _ => until.max(until + moved_by).min(starts_at),
        });
        // So that a calendar that has the booking takes the new instant.
        self.sequence += i64::from(self.sequence > 0);
    }

    /// Releases what was taken for it: returns the credits that come back, and the week whose visit no longer counts.
    pub fn give_back(&mut self) -> (i64, Option<NaiveDate>) {
        let credits = std::mem::take(&mut self.credits);
        self.credits_returned += credits;
        (credits, self.visit_week.take())
    }

    /// What had been given back is taken for it again: so many of the credits, or the visit of this week.
    pub const fn take_again(&mut self, credits: i64, visit_week: Option<NaiveDate>) {
        self.credits += credits;
        self.credits_returned -= credits;
        self.visit_week = visit_week;
    }

    fn hold(&mut self, place: &Place) {
        self.status = BookingStatus::Booked;
        (self.queue_key, self.passed_over) = (None, None);
        self.free_cancel_until = place.free_cancel_until;
        self.pass_id = place.payment.pass_id;
        self.credits = place.payment.credits;
        self.visit_week = place.payment.visit_week;
        self.penalty_terms = Some(Json(place.penalty_terms.clone()));
        // Credits returned for an earlier place of the same booking do not belong to this one.
        self.credits_returned = 0;
    }

    fn end(&mut self, status: BookingStatus, ending: &Ending, now: DateTime<Utc>) {
        self.status = status;
        (self.queue_key, self.passed_over, self.remind_at) = (None, None, None);
        self.ended_at = Some(now);
        self.ended_by = Some(ending.by);
        self.ended_reason.clone_from(&ending.reason);
    }

    fn only_from(&self, allowed: &[BookingStatus], step: &'static str) -> Result<(), TransitionRefused> {
        if allowed.contains(&self.status) { Ok(()) } else { Err(self.cannot(step)) }
    }

    fn cannot(&self, step: &'static str) -> TransitionRefused {
        TransitionRefused::new("a booking", &self.status, step)
    }
}
