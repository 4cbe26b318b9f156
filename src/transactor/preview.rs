//! What a change would do, without doing it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::booking::BookingStatus;
use crate::schedule::SkippedSession;
use crate::working_set::{Mark, WorkingSet};

/// What an act would do: who would be told what, and what becomes of whose booking.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Preview {
    /// Always true: nothing was written.
    pub dry_run: bool,
    /// One line a letter.
    pub told: Vec<PlannedLetter>,
    /// Bookings that would not stay as they are.
    pub bookings: Vec<BookingChange>,
    /// Sessions that an act upon several would leave out, and why.
    pub skipped: Vec<SkippedSession>,
}

/// A letter that would be written.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the words of the product")]
pub struct PlannedLetter {
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
pub struct BookingChange {
    pub booking_id: Uuid,
    pub session_id: Uuid,
    pub person_id: Uuid,
    pub name: String,
    /// Null: it does not exist yet.
    pub status_before: Option<BookingStatus>,
    pub status: BookingStatus,
    pub credits_returned: i64,
    #[serde(with = "crate::instant")]
    pub free_cancel_until: Option<DateTime<Utc>>,
}

/// What a command did since `mark`, to be read before it is undone.
pub fn preview(set: &WorkingSet, mark: Mark, skipped: Vec<SkippedSession>) -> Preview {
    let name = |id: Uuid| set.name_of(id);
    let told = set.letters_since(mark).iter().filter_map(|letter| {
        let person_id = letter.person_id?;
        let (letter_kind, booking_id, session_id) = (letter.facts.kind(), letter.booking_id, letter.session_id);
        Some(PlannedLetter { person_id, name: name(person_id), letter: letter_kind, booking_id, session_id })
    });
    let changed = set.bookings_since(mark).into_iter();
    let bookings = changed
        .filter(|(before, after)| {
            before.is_none_or(|before| before.status != after.status || before.free_cancel_until != after.free_cancel_until)
        })
        .map(|(before, after)| BookingChange {
            booking_id: after.id,
            session_id: after.session_id,
            person_id: after.person_id,
            name: if after.is_visitors() { after.guest_name.clone().unwrap_or_default() } else { name(after.person_id) },
            status_before: before.map(|before| before.status),
            status: after.status,
            credits_returned: after.credits_returned - before.map_or(0, |before| before.credits_returned),
            free_cancel_until: after.free_cancel_until,
        });
    Preview { dry_run: true, told: told.collect(), bookings: bookings.collect(), skipped }
}
