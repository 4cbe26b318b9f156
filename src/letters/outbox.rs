//! The outbox: letters are written in the transaction that made them necessary.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::facts::Facts;
use crate::db::{Error, Tx};
use crate::ids::new_id;
use crate::language::Language;
use crate::sign_in::keys::Sealed;

/// A letter to be written.
#[derive(Clone, Debug)]
pub struct Letter {
    pub person_id: Option<Uuid>,
    /// In which language.
    pub locale: Language,
    /// From which studio; `None` for letters about the account.
    pub studio_id: Option<Uuid>,
    /// About which booking: letters about one booking are sent in the order of `nth`, and a later one makes unsent earlier ones obsolete.
    pub booking_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
    /// Which letter about this booking it is, counted from 1; 0 without a booking.
    pub nth: i64,
    pub facts: Facts,
    /// SEQUENCE of the calendar part.
    pub sequence: Option<i64>,
    /// The code, sealed into the row that this letter becomes, for the kinds that carry one.
    pub sealed_code: Option<Sealed>,
    /// Where to, if not to the person's address.
    pub to_email: Option<String>,
    /// Two letters with one key are one letter: the second is not written.
    pub dedupe_key: Option<String>,
    /// After this instant it is of no use to its reader.
    pub useful_until: Option<DateTime<Utc>>,
}

impl Letter {
    /// A letter about a person's account.
    pub fn to_person(person_id: Uuid, locale: Language, facts: Facts) -> Self {
        Self {
            person_id: Some(person_id),
            locale,
            studio_id: None,
            booking_id: None,
            session_id: None,
            nth: 0,
            facts,
            sequence: None,
            sealed_code: None,
            to_email: None,
            dedupe_key: None,
            useful_until: None,
        }
    }
}

impl Facts {
    /// The letter's `kind`, as the API and the outbox spell it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::AddressCode { .. } => "address_code",
            Self::AlreadyRegistered { .. } => "already_registered",
            Self::PasswordCode { .. } => "password_code",
            Self::DeletionCode { .. } => "deletion_code",
            Self::DeletionAsked { .. } => "deletion_asked",
            Self::PasswordChanged { .. } => "password_changed",
            Self::AddressChanged { .. } => "address_changed",
            Self::SecondFactorAdded { .. } => "second_factor_added",
            Self::SecondFactorRemoved { .. } => "second_factor_removed",
            Self::NewDevice { .. } => "new_device",
            Self::SignInTried { .. } => "sign_in_tried",
            Self::Invitation { .. } => "invitation",
            Self::EnteredByFrontDesk { .. } => "entered_by_desk",
            Self::PassSold { .. } => "pass_sold",
            Self::PassEnding { .. } => "pass_ending",
            Self::PassGone { .. } => "pass_gone",
            Self::PassReceived { .. } => "pass_received",
            Self::Booked { .. } => "booked",
            Self::Waitlisted { .. } => "waitlisted",
            Self::Promoted { .. } => "promoted",
            Self::PassedOver { .. } => "passed_over",
            Self::PlaceFree { .. } => "place_free",
            Self::PlaceOffered { .. } => "place_offered",
            Self::OfferExpired { .. } => "offer_expired",
            Self::OfferWithdrawn { .. } => "offer_withdrawn",
            Self::WaitlistLeft { .. } => "waitlist_left",
            Self::WaitlistClosed { .. } => "waitlist_closed",
            Self::Cancelled { .. } => "cancelled",
            Self::LateCancelled { .. } => "late_cancelled",
            Self::RemovedByStaff { .. } => "removed_by_staff",
            Self::Exchanged { .. } => "exchanged",
            Self::SessionChanged { .. } => "session_changed",
            Self::SessionCancelled { .. } => "session_cancelled",
            Self::Suspended { .. } => "suspended",
            Self::SuspensionLifted { .. } => "suspension_lifted",
            Self::PenaltyWaived { .. } => "penalty_waived",
            Self::Released { .. } => "released",
            Self::MovedToWaitlist { .. } => "moved_to_waitlist",
            Self::GuestBooked { .. } => "guest_booked",
            Self::GuestCancelled { .. } => "guest_cancelled",
            Self::TooFewSoon { .. } => "too_few_soon",
            Self::TooFewDecided { .. } => "too_few_decided",
            Self::SubstituteWanted { .. } => "substitute_wanted",
            Self::SubstituteFound { .. } => "substitute_found",
            Self::SubstituteClaimed { .. } => "substitute_claimed",
            Self::SubstituteDecided { .. } => "substitute_decided",
            Self::SubstituteMissing { .. } => "substitute_missing",
            Self::SubstituteExpired { .. } => "substitute_expired",
            Self::SessionsProposed { .. } => "sessions_proposed",
            Self::SessionsPublished { .. } => "sessions_published",
            Self::NoShow { .. } => "no_show",
            Self::AttendanceMissing { .. } => "attendance_missing",
            Self::Reminder24h { .. } => "reminder_24h",
            Self::Reminder2h { .. } => "reminder_2h",
            Self::PlaceToGive { .. } => "place_to_give",
        }
    }
}

/// Writes the letters, due at once. One whose `dedupe_key` was written before is left out.
pub async fn write(tx: &mut Tx, now: DateTime<Utc>, letters: Vec<Letter>) -> Result<(), Error> {
    write_for(tx, now, letters.into_iter().map(|letter| (letter, now))).await
}

/// The same, each due at its own instant, from which its attempts are counted too.
pub async fn write_for(
    tx: &mut Tx,
    now: DateTime<Utc>,
    letters: impl Iterator<Item = (Letter, DateTime<Utc>)> + Send,
) -> Result<(), Error> {
    let rows = letters
        .map(|(letter, due_at)| {
            let kind = letter.facts.kind();
            let (id, sealed_code) = match letter.sealed_code {
                Some(sealed) => (sealed.letter_id, Some(sealed.bytes)),
                None => (new_id(now), None),
            };
            (
                id,
                letter.person_id,
                letter.studio_id,
                letter.booking_id,
                letter.session_id,
                letter.nth,
                kind,
                letter.to_email,
                letter.locale,
                Json(letter.facts),
                letter.sequence,
                sealed_code,
                letter.dedupe_key,
                "queued",
                due_at,
                due_at,
                letter.useful_until,
            )
        })
        .collect();
    let sql = "INSERT INTO letters (id, person_id, studio_id, booking_id, session_id, nth, kind, to_email, locale, facts, sequence, \
               sealed_code, dedupe_key, state, created_at, due_at, useful_until) VALUES # ON CONFLICT (dedupe_key) DO NOTHING";
    tx.rows(sql, rows).await.map(drop)
}

/// The key under which the end of a pass is told so many days ahead: once for each last day that it has.
pub fn ending_key(pass_id: Uuid, last_day: NaiveDate, days_ahead: i64) -> String {
    format!("pass-ending:{pass_id}:{last_day}:{days_ahead}")
}

/// The key of the letter that invites somebody whom an import made a member.
pub fn import_key(studio_id: Uuid, person_id: Uuid) -> String {
    format!("import:{studio_id}:{person_id}")
}

/// The key of an invitation's letter.
pub fn invitation_key(invitation_id: Uuid) -> String {
    format!("invitation:{invitation_id}")
}

/// Letters with these keys that have not left are not sent: what they say is so no more.
pub async fn overtake(tx: &mut Tx, keys: Vec<String>) -> Result<(), Error> {
    let sql = "UPDATE letters SET state = 'obsolete', error = 'what it says is so no more', due_at = NULL, sealed_code = NULL \
               WHERE due_at IS NOT NULL AND dedupe_key = $1";
    for key in keys {
        tx.run(sql, (key,)).await?;
    }
    Ok(())
}

/// A person's letters of these kinds that have not left are not sent: they want none any more.
pub async fn unwanted(tx: &mut Tx, person_id: Uuid, kinds: Vec<&'static str>) -> Result<(), Error> {
    let sql = "UPDATE letters SET state = 'obsolete', error = 'its reader has switched such letters off', due_at = NULL \
               WHERE due_at IS NOT NULL AND person_id = $1 AND kind = $2";
    for kind in kinds {
        tx.run(sql, (person_id, kind)).await?;
    }
    Ok(())
}

/// Gives a person's letters to the person they turned out to be.
pub async fn hand_over(tx: &mut Tx, from: Uuid, to: Uuid) -> Result<(), Error> {
    tx.run("UPDATE letters SET person_id = $2 WHERE person_id = $1", (from, to)).await.map(drop)
}

/// Erases everything in a person's letters that says who they are: addresses, codes, facts and words. What was not sent will not be; a
/// letter that is just being sent loses its lease, so that nothing is written back.
pub async fn forget(tx: &mut Tx, person_id: Uuid) -> Result<(), Error> {
    let sql = "UPDATE letters SET facts = NULL, to_email = NULL, subject = NULL, body_text = NULL, body_html = NULL, error = NULL, \
               sealed_code = NULL, lease = NULL, leased_until = NULL, due_at = NULL, \
               state = CASE WHEN state IN ('queued', 'sending', 'retrying') THEN 'obsolete' ELSE state END WHERE person_id = $1";
    tx.run(sql, (person_id,)).await.map(drop)
}

/// Erases what went to the guests of these bookings, as `forget` does a person's; what is still to leave stays.
pub async fn forget_guests(tx: &mut Tx, bookings: &[Uuid]) -> Result<(), Error> {
    let rows = bookings.iter().map(|id| (*id,)).collect();
    let sql = "WITH x (id) AS (VALUES #) UPDATE letters SET facts = NULL, to_email = NULL, subject = NULL, body_text = NULL, body_html = NULL, \
               error = NULL FROM x WHERE letters.booking_id = x.id AND letters.person_id IS NULL AND letters.due_at IS NULL \
               AND letters.lease IS NULL";
    tx.rows(sql, rows).await.map(drop)
}

/// Detaches a person's letters before the person is removed: for an account that was never confirmed.
pub async fn orphan(tx: &mut Tx, person_id: Uuid) -> Result<(), Error> {
    forget(tx, person_id).await?;
    tx.run("UPDATE letters SET person_id = NULL WHERE person_id = $1", (person_id,)).await.map(drop)
}
