//! Everything that is a person's own, to take along.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use sqlx::types::Json as Column;
use utoipa::ToSchema;
use uuid::Uuid;

use super::QuietHours;
use super::me::HeldRole;
use super::store::{
    self, ExportedBooking, ExportedEntry, ExportedInvitation, ExportedLetter, ExportedSession, ExportedSubstituteRequest, Membership,
};
use crate::app::App;
use crate::calendars;
use crate::calendars::store::ExportedCalendar;
use crate::families;
use crate::families::store::ExportedLink;
use crate::language::{Language, Texts};
use crate::letters::switches::Switches;
use crate::penalties;
use crate::penalties::store::ExportedPenalty;
use crate::problem::{Answer, Problem, ProblemType, refuses};
use crate::schedule::substitutes;
use crate::schedule::substitutes::ExportedAvailability;
use crate::security;
use crate::security::api::SecurityEvent;
use crate::sign_in::factors::enrolment::SecondFactor;
use crate::sign_in::limits::Limit;
use crate::sign_in::signing::Device;
use crate::sign_in::{self, Caller};

/// Everything that is the caller's.
#[derive(Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "as they are called elsewhere")]
#[schema(as = AccountExport)]
pub struct Export {
    #[serde(with = "crate::instant")]
    pub exported_at: DateTime<Utc>,
    pub profile: ExportedProfile,
    pub memberships: Vec<Membership>,
    pub roles: Vec<HeldRole>,
    pub bookings: Vec<ExportedBooking>,
    pub passes: Vec<ExportedPass>,
    /// What late cancellations and absences came to.
    pub penalties: Vec<ExportedPenalty>,
    pub letters: Vec<ExportedLetter>,
    pub devices: Vec<Device>,
    pub second_factors: Vec<SecondFactor>,
    /// What happened at the door of their account, of the last 90 days, the newest first.
    pub security_events: Vec<SecurityEvent>,
    pub calendars: Vec<ExportedCalendar>,
    /// For whom the person acts, and who acts for them.
    pub family: Vec<ExportedLink>,
    /// What the person teaches and when they could stand in for others, in each studio.
    pub availability: Vec<ExportedAvailability>,
    /// Invitations to studios' staffs.
    pub invitations: Vec<ExportedInvitation>,
    /// Requests for somebody who teaches in the person's place.
    pub substitute_requests: Vec<ExportedSubstituteRequest>,
    /// What the person teaches and taught.
    pub taught: Vec<ExportedSession>,
}

/// What the person said of themselves.
#[derive(Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "as they are called elsewhere")]
pub struct ExportedProfile {
    pub id: Uuid,
    pub name: String,
    pub email: Option<String>,
    #[serde(with = "crate::instant")]
    pub email_verified_at: Option<DateTime<Utc>>,
    pub phone: Option<String>,
    pub locale: Option<Language>,
    pub longer_offers: bool,
    pub quiet_hours: Option<QuietHours>,
    pub letters: Switches,
    #[serde(with = "crate::instant")]
    pub created_at: DateTime<Utc>,
    pub policy_version: Option<String>,
    #[serde(with = "crate::instant")]
    pub policy_accepted_at: Option<DateTime<Utc>>,
    #[serde(with = "crate::instant")]
    pub deletion_asked_at: Option<DateTime<Utc>>,
    #[serde(with = "crate::instant")]
    pub deletion_due_at: Option<DateTime<Utc>>,
}

/// A pass with its ledger.
#[derive(Debug, Serialize, ToSchema)]
#[allow(missing_docs, reason = "as they are called elsewhere")]
pub struct ExportedPass {
    pub id: Uuid,
    pub studio_id: Uuid,
    pub name: Texts,
    pub kind: String,
    pub credits_left: Option<i64>,
    pub per_week: Option<i64>,
    pub expires_on: NaiveDate,
    #[serde(with = "crate::instant")]
    pub sold_at: DateTime<Utc>,
    pub starts_on: Option<NaiveDate>,
    pub begun_on: Option<NaiveDate>,
    pub frozen_from: Option<NaiveDate>,
    pub frozen_until: Option<NaiveDate>,
    #[serde(with = "crate::instant")]
    pub ended_at: Option<DateTime<Utc>>,
    /// Since when the family may pay with it.
    #[serde(with = "crate::instant")]
    pub shared_at: Option<DateTime<Utc>>,
    pub ledger: Vec<ExportedEntry>,
}

/// Everything that is the caller's, in one file.
#[utoipa::path(
    get, path = "/v1/me/export", operation_id = "export_me",
    responses((status = 200, body = Export)),
    extensions(("x-problem-types" = json!(refuses![TooManyRequests])))
)]
pub async fn export(State(app): State<App>, caller: Caller) -> Answer<impl IntoResponse> {
    app.limits.take(Limit::Exports, caller.person_id)?;
    let (now, person_id) = (app.clock.now(), caller.person_id);
    let mut tx = app.db.read().await?;
    let profile = store::profile(&mut tx, person_id).await?.ok_or_else(|| Problem::new(ProblemType::TokenRefused))?;
    let memberships = store::memberships(&mut tx, person_id).await?;
    let roles = store::roles_of(&mut tx, person_id).await?;
    let bookings = store::bookings(&mut tx, person_id).await?;
    let passes = store::passes(&mut tx, person_id).await?;
    let mut ledgers: HashMap<Uuid, Vec<ExportedEntry>> = HashMap::new();
    for entry in store::ledgers(&mut tx, person_id).await? {
        ledgers.entry(entry.pass_id).or_default().push(entry);
    }
    let penalties = penalties::store::exported(&mut tx, person_id).await?;
    let letters = store::letters(&mut tx, person_id).await?;
    let devices = sign_in::store::devices(&mut tx, now, person_id).await?;
    let second_factors = SecondFactor::all_of(&mut tx, person_id).await?;
    let security_events = security::store::exported(&mut tx, person_id).await?;
    let calendars = calendars::store::exported(&mut tx, person_id).await?;
    let family = families::store::exported(&mut tx, person_id).await?;
    let availability = substitutes::store::exported(&mut tx, person_id).await?;
    let invitations = store::invitations(&mut tx, person_id).await?;
    let substitute_requests = store::substitute_requests(&mut tx, person_id).await?;
    let taught = store::taught(&mut tx, person_id).await?;
    tx.rollback().await;
    let passes = passes.into_iter().map(|pass| {
        let Column(name) = pass.name;
        let ledger = ledgers.remove(&pass.id).unwrap_or_default();
        ExportedPass {
            id: pass.id,
            studio_id: pass.studio_id,
            name,
            kind: pass.kind,
            credits_left: pass.credits_left,
            per_week: pass.per_week,
            expires_on: pass.expires_on,
            sold_at: pass.sold_at,
            starts_on: pass.starts_on,
            begun_on: pass.begun_on,
            frozen_from: pass.frozen_from,
            frozen_until: pass.frozen_until,
            ended_at: pass.ended_at,
            shared_at: pass.shared_at,
            ledger,
        }
    });
    let export = Export {
        exported_at: now,
        profile: ExportedProfile {
            id: profile.id,
            name: profile.name,
            email: profile.email,
            email_verified_at: profile.verified_at,
            phone: profile.phone,
            locale: profile.locale,
            longer_offers: profile.longer_offers,
            quiet_hours: profile.quiet_hours.map(|Column(own)| own),
            letters: profile.letters,
            created_at: profile.created_at,
            policy_version: profile.policy_version,
            policy_accepted_at: profile.policy_accepted_at,
            deletion_asked_at: profile.deletion_asked_at,
            deletion_due_at: profile.deletion_due_at,
        },
        memberships,
        roles: roles.into_iter().map(|(studio_id, role)| HeldRole { studio_id, role }).collect(),
        bookings,
        passes: passes.collect(),
        penalties,
        letters,
        devices: devices.into_iter().map(|device| Device::of(device, caller.device_id)).collect(),
        second_factors,
        security_events: security_events.into_iter().map(SecurityEvent::of).collect(),
        calendars,
        family,
        availability,
        invitations,
        substitute_requests,
        taught,
    };
    Ok(([(header::CONTENT_DISPOSITION, "attachment; filename=\"releve-export.json\"")], Json(export)))
}
