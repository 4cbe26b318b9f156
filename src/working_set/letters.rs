//! Letters about bookings, as the transactor writes them: the facts of the moment, frozen.

use chrono::{DateTime, Utc};

use super::WorkingSet;
use crate::booking::Booking;
use crate::letters::calendar::method_of;
use crate::letters::facts::{Facts, SessionFacts};
use crate::letters::outbox::Letter;
use crate::people::Person;
use crate::schedule::Session;
use crate::studios::StudioContext;

/// What a letter is about, and to whom.
pub struct About<'a> {
    /// The session as it is now.
    pub session: &'a Session,
    /// Its studio.
    pub studio: &'a StudioContext,
    /// To whom.
    pub person: &'a Person,
    /// After this instant it is of no use.
    pub useful_until: Option<DateTime<Utc>>,
}

/// Writes a letter about a booking. One who has no address gets none.
pub fn tell(set: &mut WorkingSet, booking: &mut Booking, about: &About<'_>, facts: impl FnOnce(SessionFacts) -> Facts) {
    if !about.person.has_address {
        return;
    }
    let facts = facts(session_facts(about.session, about.studio));
    booking.letters += 1;
    let sequence = method_of(&facts).map(|_| {
        booking.sequence += 1;
        booking.sequence - 1
    });
    let mut letter = Letter::to_person(about.person.id, about.person.locale.unwrap_or(about.studio.locale), facts);
    letter.studio_id = Some(about.studio.id);
    letter.booking_id = Some(booking.id);
    letter.session_id = Some(about.session.id);
    letter.nth = booking.letters;
    letter.sequence = sequence;
    letter.useful_until = about.useful_until;
    letter.dedupe_key = match &letter.facts {
        Facts::PassedOver { reason, .. } => Some(format!("passed-over:{}:{reason:?}", booking.id)),
        Facts::PlaceFree { .. } => Some(format!("place-free:{}", booking.id)),
        _ => None,
    };
    set.letters.push(letter);
}

/// Writes a letter about a session to somebody who teaches it or runs the studio. `once`: two with the same words there are one letter.
pub fn tell_staff(set: &mut WorkingSet, about: &About<'_>, once: Option<String>, facts: impl FnOnce(SessionFacts) -> Facts) {
    if !about.person.has_address {
        return;
    }
    let facts = facts(session_facts(about.session, about.studio));
    let mut letter = Letter::to_person(about.person.id, about.person.locale.unwrap_or(about.studio.locale), facts);
    letter.studio_id = Some(about.studio.id);
    letter.session_id = Some(about.session.id);
    letter.useful_until = about.useful_until;
    letter.dedupe_key = once.map(|once| format!("{}:{once}:{}", letter.facts.kind(), about.person.id));
    set.letters.push(letter);
}

/// The session as a letter tells it.
pub fn session_facts(session: &Session, studio: &StudioContext) -> SessionFacts {
    SessionFacts {
        id: session.id,
        studio: studio.facts.clone(),
        class: session.names.class_name.0.clone(),
        room: session.names.room_name.clone(),
        instructor: session.names.instructor_name.clone(),
        starts_at: session.starts_at,
        ends_at: session.ends_at,
    }
}
