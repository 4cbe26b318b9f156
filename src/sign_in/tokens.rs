//! Access tokens: who, on which device, until when; nothing about what they may do.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::keys::Keys;
use super::secrets::RefreshToken;
use crate::app::App;
use crate::problem::Answer;

/// What an access token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub sub: Uuid,
    pub dev: Uuid,
    /// When it was given, in seconds since 1970.
    pub iat: i64,
    /// From when it is no longer believed, to the second, without leeway.
    pub exp: i64,
}

impl Claims {
    /// The claims of a genuine token that has not expired.
    pub fn of(keys: &Keys, token: &str, now: DateTime<Utc>) -> Option<Self> {
        keys.check::<Self>(token, now).filter(|claims| now.timestamp() < claims.exp)
    }
}

/// What a signed-in app holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tokens {
    /// For `Authorization: Bearer …`.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: &'static str,
    /// Seconds until the access token expires.
    pub expires_in: i64,
    /// For one `POST /v1/tokens/refresh`.
    pub refresh_token: String,
}

impl Tokens {
    /// A pair for this device of this person.
    pub fn of(app: &App, person_id: Uuid, refresh: &RefreshToken) -> Answer<Self> {
        let life = TimeDelta::minutes(app.settings.sign_in.access_token_min);
        let now = app.clock.now().timestamp();
        let claims = Claims { sub: person_id, dev: refresh.device_id, iat: now, exp: now + life.num_seconds() };
        Ok(Self {
            access_token: app.keys.sign(&claims)?,
            token_type: "Bearer",
            expires_in: life.num_seconds(),
            refresh_token: refresh.text(),
        })
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    #[test]
    fn a_token_expires_on_the_second() {
        let keys = Keys::new(&[BASE64_STANDARD.encode([1; 32])]).unwrap();
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let claims = Claims { sub: Uuid::nil(), dev: Uuid::max(), iat: now.timestamp(), exp: now.timestamp() + 900 };
        let token = keys.sign(&claims).unwrap();
        assert_eq!(Claims::of(&keys, &token, now + TimeDelta::milliseconds(899_999)), Some(claims));
        assert_eq!(Claims::of(&keys, &token, now + TimeDelta::seconds(900)), None);
    }
}
