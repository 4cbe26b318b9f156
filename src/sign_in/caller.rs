//! Who asks, and what they may do: rights are asked in the first line of a handler.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use uuid::Uuid;

use super::limits::network;
use super::tokens::Claims;
use super::visitor::{asked_language, client_of, request_id};
use crate::app::App;
use crate::events::Actor;
use crate::extract::{Concerns, FactorMissing, ReaderLanguage};
use crate::handler_signature::{Argument, Signature, Token};
use crate::language::Language;
use crate::people::roles::Roles;
use crate::problem::{Answer, Problem, ProblemType};
use crate::security::Mark;

/// The person behind a request, as of at most 5 s ago.
#[derive(Clone, Debug)]
pub struct Caller {
    pub person_id: Uuid,
    /// From which device.
    pub device_id: Uuid,
    /// From which network.
    pub from: IpAddr,
    /// Whether the caller's address is verified: booking needs it.
    pub verified: bool,
    /// What they may do, and where.
    pub roles: Roles,
    /// Whether the caller must have a second factor.
    pub factor_required: bool,
    /// Whether they must and have none: then `roles` are without what only admins and owners hold.
    pub factor_missing: bool,
    /// The language that the caller asks for or once chose; without one, the studio's is read.
    pub language: Option<Language>,
    /// The request, for the log of events.
    pub request_id: String,
    /// From which network.
    pub network: Mark,
}

impl Caller {
    /// The person who is signed in on this device; `None` if nobody is any more, or somebody else.
    pub async fn on_device(parts: &Parts, app: &App, person_id: Uuid, device_id: Uuid) -> Answer<Option<Self>> {
        let Some(identity) = app.identities.of(device_id).await?.filter(|identity| identity.person_id == person_id) else {
            return Ok(None);
        };
        if let (Some(reader), Some(language)) = (parts.extensions.get::<ReaderLanguage>(), identity.locale) {
            reader.set(language);
        }
        if let Some(concerns) = parts.extensions.get::<Concerns>() {
            concerns.person(identity.person_id);
        }
        if let Some(missing) = parts.extensions.get::<FactorMissing>().filter(|_| identity.factor_missing) {
            missing.note();
        }
        Ok(Some(Self {
            person_id: identity.person_id,
            device_id,
            from: network(client_of(parts, app)),
            verified: identity.verified,
            roles: identity.roles.clone(),
            factor_required: identity.factor_required,
            factor_missing: identity.factor_missing,
            language: asked_language(&parts.headers).or(identity.locale),
            request_id: request_id(parts, app),
            network: app.keys.mark_network(client_of(parts, app)),
        }))
    }

    /// Whether they work in any studio. Whose roles wait for a second factor is staff all the same.
    pub fn works(&self) -> bool {
        self.roles.is_owner || self.factor_required || self.roles.studios().next().is_some()
    }

    /// Refuses all but owners.
    pub fn require_owner(&self) -> Answer<()> {
        if self.roles.is_owner { Ok(()) } else { Err(Problem::new(ProblemType::NotAllowed)) }
    }

    /// Refuses whoever has not confirmed their address.
    pub fn require_verified(&self) -> Answer<()> {
        if self.verified { Ok(()) } else { Err(Problem::new(ProblemType::AddressNotVerified)) }
    }

    /// What the log of changes says of the caller.
    pub fn actor(&self) -> Actor {
        Actor {
            person_id: Some(self.person_id),
            request_id: Some(self.request_id.clone()),
            network: Some(self.network),
            factor_missing: self.factor_missing,
        }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        caller(parts, app).await?.ok_or_else(|| Problem::new(ProblemType::SignInRequired))
    }
}

/// For what anybody may read: without a token nobody, but a bad token is told.
impl OptionalFromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, Problem> {
        caller(parts, app).await
    }
}

impl Argument for Caller {
    fn describe(signature: &mut Signature) {
        signature.token = Token::Required;
        signature.refuses(&[ProblemType::SignInRequired, ProblemType::TokenRefused]);
    }
}

impl Argument for Option<Caller> {
    fn describe(signature: &mut Signature) {
        signature.token = Token::Optional;
        signature.refuses(&[ProblemType::TokenRefused]);
    }
}

async fn caller(parts: &Parts, app: &App) -> Answer<Option<Caller>> {
    let Some(authorization) = parts.headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let refused = || Problem::new(ProblemType::TokenRefused);
    let (scheme, token) = authorization.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(refused)?;
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(refused());
    }
    let claims = Claims::of(&app.keys, token.trim(), app.clock.now()).ok_or_else(refused)?;
    let caller = Caller::on_device(parts, app, claims.sub, claims.dev).await?;
    caller.map(Some).ok_or_else(refused)
}
