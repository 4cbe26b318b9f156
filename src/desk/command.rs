//! What may be handed to the desk, and what it answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::store::Studio;
use crate::audit::Record;
use crate::booking::{Booking, Status};
use crate::letters::facts::{CancelReason, Money};
use crate::schedule::Shown as Session;
use crate::schedule::rules::LocalStart;
use crate::sign_in::caller::Role;

/// A change that looks at more than the row it writes.
#[derive(Clone, Debug)]
pub struct Command {
    /// Who, from which request.
    pub by: Record,
    /// What.
    pub what: What,
    /// Only say what would come of it.
    pub dry_run: bool,
}

/// The verbs of the desk.
#[derive(Clone, Debug)]
pub enum What {
    /// Book, or wait.
    Book(Book),
    /// End a booking.
    Cancel(Cancel),
    /// Take a place as one who waits.
    Accept { booking_id: Uuid },
    /// She came.
    CheckIn { booking_id: Uuid, at: Option<DateTime<Utc>> },
    /// She did not, after all.
    UndoCheckIn { booking_id: Uuid },
    /// Schedule a session.
    MakeSession(MakeSession),
    /// Change a session.
    EditSession(EditSession),
    /// Cancel a session, or what follows it in its series.
    CancelSession(CancelSession),
    /// Write down what the team and the members should know of a session.
    SetNotes { session_id: Uuid, team: Option<String>, members: Option<String> },
    /// Begin a series.
    MakeSeries(MakeSeries),
    /// Sweep: make the sessions of a series that are due.
    MakeAhead { series_id: Uuid },
    /// Show drafts to the members.
    Publish(Publish),
    /// Take the sessions of some days over to others, as drafts.
    CopyDays { studio_id: Uuid, from: NaiveDate, days: u64, to: NaiveDate },
    /// Close a studio on some days.
    CloseDays { studio_id: Uuid, from: NaiveDate, to: NaiveDate, note: Option<String> },
    /// Open it again on one.
    OpenDay { studio_id: Uuid, date: NaiveDate },
    /// Ask for somebody who teaches instead.
    AskSubstitute(AskSubstitute),
    /// Teach instead.
    ClaimSubstitute { request_id: Uuid },
    /// Not, after all.
    UnclaimSubstitute { request_id: Uuid },
    /// An admin decides upon a claim.
    ApproveSubstitute { request_id: Uuid, approved: bool },
    /// Nobody is needed any more.
    WithdrawSubstitute { request_id: Uuid },
    /// Sweep: a request goes to the admins, or expires.
    SubstituteDue { request_id: Uuid },
    /// Sweep: tell the instructor that too few have booked so far, or decide.
    DecideTooFew { session_id: Uuid },
    /// Sell a pass.
    SellPass(SellPass),
    /// The roles that somebody shall hold in a studio from now on.
    SetRoles { studio_id: Uuid, person_id: Uuid, roles: BTreeSet<Role> },
    /// Give up all that a person has to come, without penalty, and her name.
    RemovePerson { person_id: Uuid },
    /// Sweep: serve who became able by the clock.
    Refill { session_id: Uuid },
    /// Sweep: the waiting is over.
    CloseWaitlist { session_id: Uuid },
}

impl What {
    /// Its label in `/metrics`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Book(_) => "book",
            Self::Cancel(_) => "cancel",
            Self::Accept { .. } => "accept",
            Self::CheckIn { .. } => "check_in",
            Self::UndoCheckIn { .. } => "undo_check_in",
            Self::MakeSession(_) => "make_session",
            Self::EditSession(_) => "edit_session",
            Self::CancelSession(_) => "cancel_session",
            Self::SetNotes { .. } => "set_notes",
            Self::MakeSeries(_) => "make_series",
            Self::MakeAhead { .. } => "make_ahead",
            Self::Publish(_) => "publish",
            Self::CopyDays { .. } => "copy_days",
            Self::CloseDays { .. } => "close_days",
            Self::OpenDay { .. } => "open_day",
            Self::AskSubstitute(_) => "ask_substitute",
            Self::ClaimSubstitute { .. } => "claim_substitute",
            Self::UnclaimSubstitute { .. } => "unclaim_substitute",
            Self::ApproveSubstitute { .. } => "approve_substitute",
            Self::WithdrawSubstitute { .. } => "withdraw_substitute",
            Self::SubstituteDue { .. } => "substitute_due",
            Self::DecideTooFew { .. } => "decide_too_few",
            Self::SellPass(_) => "sell_pass",
            Self::SetRoles { .. } => "set_roles",
            Self::RemovePerson { .. } => "remove_person",
            Self::Refill { .. } => "refill",
            Self::CloseWaitlist { .. } => "close_waitlist",
        }
    }
}

/// `PUT /v1/bookings/{id}`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct Book {
    pub id: Uuid,
    pub session_id: Uuid,
    pub pass_id: Option<Uuid>,
    pub waitlist: bool,
    /// For whom, if staff book.
    pub person_id: Option<Uuid>,
    /// Staff give the place for nothing, for this reason.
    pub unpaid: Option<String>,
    pub not_after: Option<DateTime<Utc>>,
}

/// `PUT /v1/bookings/{id}/cancellation`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct Cancel {
    pub booking_id: Uuid,
    pub if_status: Option<Status>,
    pub if_free: bool,
    /// Staff give everything back.
    pub return_all: bool,
    pub reason: Option<String>,
}

/// `POST /v1/studios/{id}/sessions`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct MakeSession {
    pub studio_id: Uuid,
    pub class_type_id: Uuid,
    pub room_id: Uuid,
    pub instructor_id: Uuid,
    pub local_start: LocalStart,
    pub capacity: Option<i64>,
    pub draft: bool,
}

/// `PATCH /v1/sessions/{id}`: what is absent stays.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct EditSession {
    pub session_id: Uuid,
    pub version: i64,
    pub class_type_id: Option<Uuid>,
    pub room_id: Option<Uuid>,
    pub instructor_id: Option<Uuid>,
    pub local_start: Option<LocalStart>,
    pub capacity: Option<i64>,
    pub too_few_exempt: Option<bool>,
    pub scope: Scope,
    /// Whom the change would put into two sessions at once, or for whom no place is left, gives it up instead of standing in its way.
    pub release: bool,
}

/// How much of a series an act means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// This session alone.
    #[default]
    This,
    /// This one and those that follow.
    Following,
    /// All that have not begun.
    All,
}

/// `PUT /v1/sessions/{id}/cancellation`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct CancelSession {
    pub session_id: Uuid,
    pub reason: Option<CancelReason>,
    pub note: Option<String>,
    pub scope: Scope,
}

/// `POST /v1/studios/{id}/series`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct MakeSeries {
    pub studio_id: Uuid,
    pub class_type_id: Uuid,
    pub room_id: Uuid,
    pub instructor_id: Uuid,
    pub capacity: Option<i64>,
    pub starts_on: NaiveDate,
    pub local_minute: i64,
    pub rule: String,
    pub until: Option<NaiveDate>,
    pub count: Option<i64>,
    pub except: Vec<NaiveDate>,
    pub draft: bool,
}

/// `POST /v1/studios/{id}/substitute-requests`: for one session, or for all of hers on some dates.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct AskSubstitute {
    pub studio_id: Uuid,
    pub session_id: Option<Uuid>,
    pub dates: Option<(NaiveDate, NaiveDate)>,
    pub note: Option<String>,
}

/// Which drafts are published.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields of the calls")]
pub enum Publish {
    Days { studio_id: Uuid, from: NaiveDate, to: NaiveDate },
    Series { series_id: Uuid },
}

/// `POST …/members/{person_id}/passes`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct SellPass {
    pub studio_id: Uuid,
    pub person_id: Uuid,
    pub pass_type_id: Uuid,
    pub paid: Option<Paid>,
    pub key: String,
    pub body_hash: String,
}

/// What was paid for a pass, as the desk recorded it; Relevé moves no money.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the fields of the call")]
pub struct Paid {
    pub money: Money,
    pub method: String,
    pub reference: Option<String>,
}

/// What came of a command.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A booking as it is now.
    Booking(Box<ShownBooking>),
    /// A session, by id.
    Session(Uuid),
    /// A series, by id.
    Series(Uuid),
    /// Requests for substitutes, by id.
    Requests(Vec<Uuid>),
    /// What became of several sessions at once.
    Sessions(Box<Several>),
    /// What would come of it: nothing was written.
    Preview(Box<Preview>),
    /// A pass, by id.
    Pass(Uuid),
    /// Somebody who works in a studio.
    Staff { name: String },
    /// Nothing to show.
    Done,
}

/// A booking with everything that its answer shows.
#[derive(Clone, Debug)]
pub struct ShownBooking {
    /// The booking.
    pub booking: Booking,
    /// Its session, with the counts as they were when it was decided.
    pub session: Session,
    /// The studio.
    pub studio: Arc<Studio>,
    /// Her position in the queue, where it is known without counting.
    pub position: Option<i64>,
    /// Whether this command made it.
    pub fresh: bool,
}

/// Several sessions of one act.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Several {
    /// Made, published or cancelled.
    pub session_ids: Vec<Uuid>,
    /// Left out, and why.
    pub skipped: Vec<Skipped>,
}

/// A session that an act left out.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Skipped {
    /// The one that would have been copied or cancelled.
    pub session_id: Uuid,
    /// Why, as the type of a problem ends.
    pub because: &'static str,
    /// Which one stands in its way.
    pub other_session_id: Option<Uuid>,
}

/// What an act would do: who would be told what, and what becomes of whose booking.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Preview {
    /// Always true: nothing was written.
    pub dry_run: bool,
    /// One line a letter.
    pub told: Vec<Told>,
    /// Bookings that would not stay as they are.
    pub bookings: Vec<Loses>,
    /// Sessions that an act upon several would leave out, and why.
    pub skipped: Vec<Skipped>,
}

/// A letter that would be written.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct Told {
    pub person_id: Uuid,
    pub name: String,
    /// Its kind.
    pub letter: &'static str,
    pub booking_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
}

/// What would become of a booking.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct Loses {
    pub booking_id: Uuid,
    pub session_id: Uuid,
    pub person_id: Uuid,
    pub name: String,
    /// Null: it does not exist yet.
    pub status_before: Option<Status>,
    pub status: Status,
    pub credits_returned: i64,
    pub free_cancel_until: Option<DateTime<Utc>>,
}
