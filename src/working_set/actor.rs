//! Who stands behind a command.

use uuid::Uuid;

use super::lookup::Decision;
use crate::audit::{Entry, Origin};
use crate::booking::Booking;
use crate::problem::{Problem, ProblemType};

/// Who stands behind a command.
#[derive(Clone, Debug)]
pub struct Actor {
    /// For the audit log.
    pub record: Origin,
}

impl Actor {
    /// The house itself: a promotion, a sweep.
    pub fn house() -> Self {
        Self { record: Origin::default() }
    }

    /// The person who asks; the house itself asks for nothing of its own.
    pub fn person_id(&self) -> Decision<Uuid> {
        self.record.actor_id.ok_or_else(|| Problem::new(ProblemType::SignInRequired).into())
    }

    /// A line of the audit log about a booking.
    pub fn line(&self, action: &'static str, booking: &Booking) -> Entry {
        self.record.of(action, "booking", booking.id, Some(booking.studio_id))
    }
}
