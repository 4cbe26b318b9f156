//! Which events are told at `…/security-events` too, and about whom.

use super::{Actor, Event, Happened, Subject};
use crate::security::Kind;
use crate::security::store::Done;

/// The line that follows from an event.
pub fn follows(actor: &Actor, event: &Event) -> Option<Done> {
    let kind = kind(&event.what)?;
    let (person_id, device_id) = match (event.subject, &event.what) {
        // By staff: the device is another's.
        (Subject::Device, Happened::StaffDeviceSignedOut { person_id }) => (Some(*person_id), event.subject_id),
        (Subject::Device, _) => (actor.person_id, event.subject_id),
        (Subject::Person, _) => (event.subject_id, None),
        // An invitation is about somebody who may have no account yet.
        (Subject::Invitation, _) => (None, None),
        _ => (actor.person_id, None),
    };
    Some(Done {
        kind,
        person_id,
        by_id: actor.person_id.filter(|by| Some(*by) != person_id),
        studio_id: event.studio_id,
        device_id,
        network: actor.network,
        request_id: actor.request_id.clone(),
    })
}

const fn kind(what: &Happened) -> Option<Kind> {
    Some(match what {
        Happened::DeviceSignedIn => Kind::SignedIn,
        Happened::DeviceSignedOut | Happened::StaffDeviceSignedOut { .. } => Kind::SignedOut,
        Happened::FactorAsked => Kind::SecondFactorAsked,
        Happened::FactorRefused => Kind::SecondFactorRefused,
        Happened::FactorAdded { .. } => Kind::SecondFactorAdded,
        Happened::FactorRemoved { .. } => Kind::SecondFactorRemoved,
        Happened::FactorsReset | Happened::StaffFactorsReset => Kind::SecondFactorsReset,
        Happened::RecoveryCodesRenewed => Kind::RecoveryCodesRenewed,
        Happened::TokenReused => Kind::TokenReused,
        Happened::Registered | Happened::RegisteredAgain | Happened::RegistrationRepeated => Kind::Registered,
        Happened::AddressVerified => Kind::AddressVerified,
        Happened::AddressChangeAsked => Kind::AddressChangeAsked,
        Happened::AddressChanged => Kind::AddressChanged,
        Happened::AccountClaimed { .. } => Kind::AccountClaimed,
        Happened::PasswordChanged => Kind::PasswordChanged,
        Happened::PasswordReset => Kind::PasswordReset,
        Happened::StaffInvited { .. } => Kind::StaffInvited,
        Happened::StaffJoined { .. } => Kind::StaffJoined,
        Happened::RolesSet { .. } => Kind::RolesSet,
        Happened::OwnerMade => Kind::OwnerMade,
        Happened::CalendarMade { .. } => Kind::CalendarMade,
        Happened::CalendarRevoked => Kind::CalendarRevoked,
        Happened::KioskAdded => Kind::KioskAdded,
        Happened::KioskRemoved => Kind::KioskRemoved,
        Happened::DeletionAsked => Kind::DeletionAsked,
        Happened::DeletionUndone => Kind::DeletionUndone,
        Happened::PersonDeleted => Kind::PersonDeleted,
        _ => return None,
    })
}
