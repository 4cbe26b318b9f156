//! Who stands at a studio's door: somebody of its staff, or a kiosk, a device with a token of its own that can check members in there and do
//! nothing else. It is nobody: no [`Caller`] is ever made of it, and every other call refuses its token like one that was invented.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::store::kiosks as store;
use crate::app::App;
use crate::events::Actor;
use crate::extract::{ReaderLanguage, header_text};
use crate::handler_signature::{Argument, Signature, Token};
use crate::language::Language;
use crate::problem::{Answer, Problem, ProblemType};
use crate::sign_in::limits::Limit;
use crate::sign_in::visitor::{asked_language, client_of, request_id};
use crate::sign_in::{Caller, secrets};
use crate::studios::guard::require_staff;

/// What a kiosk's token begins with: no access token does.
const PREFIX: &str = "kiosk_";
/// Bytes of its secret: 192 bits, which in base 64 need no padding and so have one spelling.
const SECRET_BYTES: usize = 24;
/// How exactly it is known when a kiosk was last seen.
const SEEN_EVERY: Duration = Duration::minutes(5);

/// A new token, and what is stored of it.
pub fn new_token() -> Answer<(String, Vec<u8>)> {
    let secret = secrets::random::<SECRET_BYTES>()?;
    Ok((format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(secret)), secrets::hash(&secret)))
}

fn hash_of(token: &str) -> Option<Vec<u8>> {
    let secret = BASE64_URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok().filter(|secret| secret.len() == SECRET_BYTES)?;
    Some(secrets::hash(&secret))
}

/// A kiosk that asks for something.
#[derive(Clone, Debug)]
pub struct Kiosk {
    pub id: Uuid,
    /// The studio at whose door it stands.
    pub studio_id: Uuid,
    language: Language,
    actor: Actor,
}

/// Whoever may check members in.
#[derive(Clone, Debug)]
pub enum AtDoor {
    /// Somebody who is signed in.
    Person(Box<Caller>),
    /// A device.
    Kiosk(Box<Kiosk>),
}

impl AtDoor {
    /// Refuses all but this studio's staff and its kiosks.
    pub async fn require(&self, app: &App, studio_id: Uuid) -> Answer<()> {
        match self {
            Self::Person(caller) => require_staff(app, caller, studio_id).await,
            Self::Kiosk(kiosk) if kiosk.studio_id == studio_id => Ok(()),
            Self::Kiosk(_) => Err(Problem::new(ProblemType::NotFound)),
        }
    }

    /// What the log of changes says of them. A kiosk is no person.
    pub fn actor(&self) -> Actor {
        match self {
            Self::Person(caller) => caller.actor(),
            Self::Kiosk(kiosk) => kiosk.actor.clone(),
        }
    }

    /// The kiosk, if it is one.
    pub fn kiosk_id(&self) -> Option<Uuid> {
        if let Self::Kiosk(kiosk) = self { Some(kiosk.id) } else { None }
    }

    /// The language in which they read: asked for, or the person's, or the studio's.
    pub fn language(&self) -> Option<Language> {
        match self {
            Self::Person(caller) => caller.language,
            Self::Kiosk(kiosk) => Some(kiosk.language),
        }
    }
}

impl FromRequestParts<App> for AtDoor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let bearer = header_text(&parts.headers, header::AUTHORIZATION.as_str()).and_then(|text| text.split_once(' '));
        let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"));
        let token = bearer.map(|(_, token)| token.trim()).filter(|token| token.starts_with(PREFIX));
        let Some(token) = token else {
            let caller = <Caller as FromRequestParts<App>>::from_request_parts(parts, app).await?;
            return Ok(Self::Person(Box::new(caller)));
        };
        let refused = || Problem::new(ProblemType::TokenRefused);
        let known = store::by_token(&app.db, hash_of(token).ok_or_else(refused)?).await?.ok_or_else(refused)?;
        app.limits.take(Limit::Kiosk, known.id)?;
        if let Some(reader) = parts.extensions.get::<ReaderLanguage>() {
            reader.set(known.locale);
        }
        note_seen(app, &known, app.clock.now()).await;
        let actor = Actor {
            request_id: Some(request_id(parts, app)),
            network: Some(app.keys.mark_network(client_of(parts, app))),
            ..Actor::default()
        };
        let language = asked_language(&parts.headers).unwrap_or(known.locale);
        Ok(Self::Kiosk(Box::new(Kiosk { id: known.id, studio_id: known.studio_id, language, actor })))
    }
}

impl Argument for AtDoor {
    fn describe(signature: &mut Signature) {
        signature.token = Token::Required;
        signature.refuses(&[ProblemType::SignInRequired, ProblemType::TokenRefused, ProblemType::TooManyRequests]);
    }
}

/// It is served even if that cannot be noted.
async fn note_seen(app: &App, known: &store::Known, now: DateTime<Utc>) {
    if known.last_seen_at.is_some_and(|at| now < at + SEEN_EVERY) {
        return;
    }
    let id = known.id;
    if let Err(error) = app.db.write("note_kiosk", move |tx| Box::pin(store::note_seen(tx, id, now))).await {
        tracing::warn!(%error, kiosk = %id, "when a kiosk was last seen could not be noted");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_hash() {
        let (token, hash) = new_token().unwrap();
        assert_eq!(hash_of(&token), Some(hash));
        for bad in ["", "kiosk_", "kiosk_AAAA", &token[1..], &format!("{token}A")] {
            assert_eq!(hash_of(bad), None, "{bad}");
        }
    }
}
