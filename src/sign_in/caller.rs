//! Who asks, and what she may do: rights are asked in the first line of a handler.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::tokens::Claims;
use super::visitor::{asked_language, request_id};
use crate::app::App;
use crate::audit::Record;
use crate::extract::ReaderLanguage;
use crate::language::Language;
use crate::problem::{Answer, Kind, Problem};

/// A role in one studio. `owner` is the deployment's and stands with the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Role {
    /// Teaches sessions of her own.
    Instructor,
    /// Serves members at the door.
    FrontDesk,
    /// Runs the studio.
    Admin,
}

/// The person behind a request, as of at most 5 s ago.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who.
    pub person_id: Uuid,
    /// From which device.
    pub device_id: Uuid,
    /// Whether her address is verified: booking needs it.
    pub verified: bool,
    /// Whether she owns the deployment.
    pub owner: bool,
    /// Her roles, in each studio.
    pub roles: Vec<(Uuid, Role)>,
    /// The language that she asks for or named; without one she reads the studio's.
    pub language: Option<Language>,
    /// The request, for the audit log.
    pub request_id: String,
}

impl Caller {
    /// Whether she holds this role in this studio.
    pub fn is(&self, role: Role, studio_id: Uuid) -> bool {
        self.roles.contains(&(studio_id, role))
    }

    /// Whether she runs this studio.
    pub fn is_admin(&self, studio_id: Uuid) -> bool {
        self.owner || self.is(Role::Admin, studio_id)
    }

    /// Whether she serves members at this studio's desk.
    pub fn is_desk(&self, studio_id: Uuid) -> bool {
        self.is_admin(studio_id) || self.is(Role::FrontDesk, studio_id)
    }

    /// Whether she works in this studio.
    pub fn is_staff(&self, studio_id: Uuid) -> bool {
        self.owner || self.roles.iter().any(|(studio, _)| *studio == studio_id)
    }

    /// Refuses all but owners.
    pub fn must_own(&self) -> Answer<()> {
        allow(self.owner)
    }

    /// Refuses all but those who run this studio.
    pub fn must_admin(&self, studio_id: Uuid) -> Answer<()> {
        allow(self.is_admin(studio_id))
    }

    /// Refuses all but this studio's desk.
    pub fn must_desk(&self, studio_id: Uuid) -> Answer<()> {
        allow(self.is_desk(studio_id))
    }

    /// Refuses all but those who teach in this studio or run it; how far an instructor's own schedule goes, its house rules say at the desk.
    pub fn must_schedule(&self, studio_id: Uuid) -> Answer<()> {
        allow(self.is_admin(studio_id) || self.is(Role::Instructor, studio_id))
    }

    /// Refuses whoever has not shown that her address is hers.
    pub fn must_be_verified(&self) -> Answer<()> {
        if self.verified { Ok(()) } else { Err(Problem::new(Kind::AddressNotVerified)) }
    }

    /// What the audit log says of her.
    pub fn record(&self) -> Record {
        Record { actor_id: Some(self.person_id), request_id: Some(self.request_id.clone()) }
    }
}

fn allow(allowed: bool) -> Answer<()> {
    if allowed { Ok(()) } else { Err(Problem::new(Kind::NotAllowed)) }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        caller(parts, app).await?.ok_or_else(|| Problem::new(Kind::SignInRequired))
    }
}

/// For what anybody may read: without a token nobody, but a bad token is told.
impl OptionalFromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, Problem> {
        caller(parts, app).await
    }
}

async fn caller(parts: &Parts, app: &App) -> Answer<Option<Caller>> {
    let Some(authorization) = parts.headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let refused = || Problem::new(Kind::TokenRefused);
    let (scheme, token) = authorization.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(refused)?;
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(refused());
    }
    let claims = Claims::of(&app.keys, token.trim(), app.clock.now()).ok_or_else(refused)?;
    let identity = app.identities.of(claims.dev).await?.ok_or_else(refused)?;
    if identity.person_id != claims.sub {
        return Err(refused());
    }
    if let (Some(reader), Some(language)) = (parts.extensions.get::<ReaderLanguage>(), identity.locale) {
        reader.set(language);
    }
    Ok(Some(Caller {
        person_id: identity.person_id,
        device_id: claims.dev,
        verified: identity.verified,
        owner: identity.owner,
        roles: identity.roles.clone(),
        language: asked_language(&parts.headers).or(identity.locale),
        request_id: request_id(parts, app),
    }))
}
