//! Passkeys (WebAuthn, level 3): what is asked of an authenticator and whether its answer is right, by `webauthn-rs`. What is asked is kept
//! here, in the database, until it is answered.

use serde::Serialize;
use serde_json::Value;
use url::Url;
use uuid::Uuid;
use webauthn_rs::prelude::{
    AuthenticationResult, Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential,
    WebauthnError,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};

use crate::problem::{Answer, Problem};
use crate::settings::Settings;
use crate::sign_in::SetUpError;

/// What authenticators call this deployment.
const NAME: &str = "Relevé";

/// The ceremonies of this deployment.
pub struct Passkeys(Webauthn);

impl Passkeys {
    /// As the settings say; `None` where this is reached by no name: a passkey belongs to a domain, not to a number.
    pub fn of_settings(settings: &Settings) -> Result<Option<Self>, SetUpError> {
        let wrong = |why: String| SetUpError::Passkeys { why };
        let sign_in = &settings.sign_in;
        let mut origins = sign_in.passkey_origins.iter().map(|origin| origin.trim()).filter(|origin| !origin.is_empty()).peekable();
        if origins.peek().is_none() && sign_in.passkey_domain.is_empty() {
            let Some(origin) = Url::parse(&settings.server.public_url).ok().filter(|url| url.domain().is_some()) else { return Ok(None) };
            let domain = origin.domain().unwrap_or_default().to_owned();
            return Self::of(&domain, &[origin]).map(Some).map_err(|error| wrong(error.to_string()));
        }
        let origins: Vec<&str> = if origins.peek().is_some() { origins.collect() } else { vec![&settings.server.public_url] };
        let parsed: Result<Vec<Url>, _> =
            origins.iter().map(|origin| Url::parse(origin).map_err(|error| wrong(format!("{origin}: {error}")))).collect();
        let origins = parsed?;
        let domain = match (sign_in.passkey_domain.trim(), origins.first().and_then(Url::domain)) {
            ("", Some(domain)) => domain.to_owned(),
            (domain, _) => domain.to_owned(),
        };
        Self::of(&domain, &origins).map(Some).map_err(|error| wrong(error.to_string()))
    }

    fn of(domain: &str, origins: &[Url]) -> Result<Self, WebauthnError> {
        let [first, more @ ..] = origins else { return Err(WebauthnError::Configuration) };
        let builder = WebauthnBuilder::new(domain, first)?.rp_name(NAME);
        Ok(Self(more.iter().fold(builder, WebauthnBuilder::append_allowed_origin).build()?))
    }

    /// What an authenticator is asked for a new passkey, as `navigator.credentials.create` takes it, and what its answer is held against.
    pub fn ask_for_new(&self, person_id: Uuid, email: &str, name: &str, known: &[Passkey]) -> Answer<(Value, PasskeyRegistration)> {
        let known = known.iter().map(|passkey| passkey.cred_id().clone()).collect();
        let (asked, state) = self.0.start_passkey_registration(person_id, email, name, Some(known)).map_err(Problem::fault)?;
        Ok((json_of(&asked.public_key)?, state))
    }

    /// The passkey, if this answers what was asked.
    pub fn new_passkey(&self, answer: &Value, asked: &PasskeyRegistration) -> Option<Passkey> {
        let answer: RegisterPublicKeyCredential = serde_json::from_value(answer.clone()).ok()?;
        self.0.finish_passkey_registration(&answer, asked).ok()
    }

    /// What an authenticator is asked to show one of these, as `navigator.credentials.get` takes it, and what its answer is held against.
    pub fn ask_for(&self, passkeys: &[Passkey]) -> Answer<(Value, PasskeyAuthentication)> {
        let (asked, state) = self.0.start_passkey_authentication(passkeys).map_err(Problem::fault)?;
        Ok((json_of(&asked.public_key)?, state))
    }

    /// Which one was shown, if this answers what was asked.
    pub fn shown(&self, answer: &Value, asked: &PasskeyAuthentication) -> Option<AuthenticationResult> {
        let answer: PublicKeyCredential = serde_json::from_value(answer.clone()).ok()?;
        self.0.finish_passkey_authentication(&answer, asked).ok()
    }
}

fn json_of(asked: &impl Serialize) -> Answer<Value> {
    serde_json::to_value(asked).map_err(Problem::fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(public_url: &str, domain: &str, origins: &[&str]) -> Result<bool, String> {
        let mut settings = Settings::defaults().unwrap();
        settings.server.public_url = public_url.into();
        settings.sign_in.passkey_domain = domain.into();
        settings.sign_in.passkey_origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
        Passkeys::of_settings(&settings).map(|passkeys| passkeys.is_some()).map_err(|error| error.to_string())
    }

    #[test]
    fn where_passkeys_belong() {
        assert_eq!(of("http://127.0.0.1:3000", "", &[]), Ok(false), "a number is no domain");
        assert_eq!(of("", "", &[]), Ok(false));
        assert_eq!(of("https://book.example.com", "", &[]), Ok(true));
        assert_eq!(of("http://localhost:3000", "", &[]), Ok(true));
        assert_eq!(of("https://api.example.com", "example.com", &["https://app.example.com", "https://staff.example.com"]), Ok(true));
        assert_eq!(of("https://book.example.com", "example.com", &[]), Ok(true));
        for (domain, origins) in [
            ("elsewhere.com", &["https://app.example.com"][..]),
            ("example.com", &["nonsense"]),
            ("ample.com", &["https://app.example.com"]),
        ] {
            assert!(of("https://book.example.com", domain, origins).unwrap_err().contains("sign_in.passkey"), "{domain} {origins:?}");
        }
    }
}
