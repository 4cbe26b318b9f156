//! A timed invitation to take a place. The place is kept while it runs; the member takes it, declines it, or lets its time pass.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use crate::transition::TransitionRefused;

/// How an offer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum OfferOutcome {
    /// The member took the place.
    Accepted,
    /// The member did not want it, or staff took them out.
    Declined,
    /// Its time was over.
    Expired,
    /// The studio's doing: the session changed under it.
    Withdrawn,
}

/// From when to when an offer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfferClock {
    /// At once, or when quiet hours end; it may be accepted before.
    pub clock_starts_at: DateTime<Utc>,
    /// From then on it is too late.
    pub expires_at: DateTime<Utc>,
}

impl OfferClock {
    /// The same for a member who asked for longer offers: twice as long, but not beyond the offers' end.
    #[must_use]
    pub fn longer(self, offers_end: DateTime<Utc>) -> Self {
        let twice = self.expires_at + (self.expires_at - self.clock_starts_at);
        Self { expires_at: twice.min(offers_end).max(self.expires_at), ..self }
    }
}

/// A row of `offers`.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
#[allow(missing_docs, reason = "the columns are told in the migration")]
pub struct Offer {
    pub id: Uuid,
    pub booking_id: Uuid,
    pub queue_key: i64,
    pub made_at: DateTime<Utc>,
    pub clock_starts_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub outcome: Option<OfferOutcome>,
    pub ended_at: Option<DateTime<Utc>>,
}

impl Offer {
    /// An offer to the booking that waited at this key.
    pub fn new(id: Uuid, booking_id: Uuid, queue_key: i64, clock: OfferClock, now: DateTime<Utc>) -> Self {
        Self {
            id,
            booking_id,
            queue_key,
            made_at: now,
            clock_starts_at: clock.clock_starts_at,
            expires_at: clock.expires_at,
            outcome: None,
            ended_at: None,
        }
    }

    /// Whether nothing has come of it yet.
    pub const fn is_running(&self) -> bool {
        self.outcome.is_none()
    }

    /// It ends.
    pub fn end(&mut self, outcome: OfferOutcome, now: DateTime<Utc>) -> Result<(), TransitionRefused> {
        if !self.is_running() {
            return Err(TransitionRefused::new("an offer", &self.outcome, "end"));
        }
        (self.outcome, self.ended_at) = (Some(outcome), Some(now));
        Ok(())
    }
}
