//! What may be handed to the desk, and what it answers.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::store::Studio;
use crate::audit::Record;
use crate::booking::{Booking, Status};
use crate::letters::facts::{CancelReason, Money};
use crate::schedule::Shown as Session;
use crate::schedule::rules::LocalStart;

/// A change that looks at more than the row it writes.
#[derive(Clone, Debug)]
pub struct Command {
    /// Who, from which request.
    pub by: Record,
    /// What.
    pub what: What,
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
    /// Cancel a session.
    CancelSession { session_id: Uuid, reason: Option<CancelReason>, note: Option<String> },
    /// Sell a pass.
    SellPass(SellPass),
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
            Self::CancelSession { .. } => "cancel_session",
            Self::SellPass(_) => "sell_pass",
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
    /// A pass, by id.
    Pass(Uuid),
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
