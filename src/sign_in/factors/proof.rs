//! Whether what was shown is a second factor of the person: the one place that decides it.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{FactorKind, rules, store, totp};
use crate::app::App;
use crate::db::Tx;
use crate::problem::{Answer, Problem, ProblemType};
use crate::sign_in::keys::Keys;
use crate::sign_in::{secrets, store as devices};
use crate::text::Line;
use crate::wrong::Wrong;

/// The code that an authenticator app shows.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "492039")]
pub struct TotpCode(Line<40>);

/// What an authenticator answers, as `toJSON()` of its `PublicKeyCredential` says it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub struct PasskeyAnswer(Map<String, Value>);

impl PasskeyAnswer {
    /// As it came.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

/// A recovery code.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "7K3M-9QXT-2B4C-HN8P")]
pub struct RecoveryCode(Line<60>);

impl TotpCode {
    /// As it was typed.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// What somebody shows.
pub enum Shown {
    Totp(TotpCode),
    Recovery(RecoveryCode),
    Passkey(Value),
}

impl Shown {
    /// What a body holds, if anything; two are one too many.
    pub fn of(totp: Option<TotpCode>, recovery: Option<RecoveryCode>, passkey: Option<PasskeyAnswer>) -> Answer<Option<Self>> {
        match (totp, recovery, passkey) {
            (None, None, None) => Ok(None),
            (Some(code), None, None) => Ok(Some(Self::Totp(code))),
            (None, Some(code), None) => Ok(Some(Self::Recovery(code))),
            (None, None, Some(answer)) => Ok(Some(Self::Passkey(answer.into_value()))),
            (_, Some(_), _) => Err(Problem::field("recovery_code", Wrong::OneProof)),
            (Some(_), None, Some(_)) => Err(Problem::field("passkey", Wrong::OneProof)),
        }
    }

    /// The same where something must be shown.
    pub fn needed(totp: Option<TotpCode>, recovery: Option<RecoveryCode>, passkey: Option<PasskeyAnswer>) -> Answer<Self> {
        Self::of(totp, recovery, passkey)?.ok_or_else(|| Problem::field("totp", Wrong::OneProof))
    }
}

/// Whether this is a factor of the person, shown on this device. Their account's lock is held. One that is right is used up; a wrong code
/// is counted, and that must be committed. 429 when the account has heard too many.
pub async fn check(tx: &mut Tx, app: &App, now: DateTime<Utc>, person_id: Uuid, device_id: Uuid, shown: &Shown) -> Answer<bool> {
    match shown {
        Shown::Passkey(answer) => {
            let asked = devices::passkey_asked(tx, device_id, now - rules::CHALLENGE_LIFE).await?;
            let (Some(passkeys), Some(asked)) = (&app.passkeys, asked) else { return Ok(false) };
            let Some(result) = passkeys.shown(answer, &asked) else { return Ok(false) };
            // One that was taken away since it was asked for counts no more.
            for factor in store::factors(tx, person_id).await? {
                let Some(Json(mut passkey)) = factor.passkey.filter(|Json(passkey)| passkey.cred_id() == result.cred_id()) else {
                    continue;
                };
                passkey.update_credential(&result);
                store::use_passkey(tx, now, factor.id, passkey).await?;
                devices::passkey_answered(tx, device_id).await?;
                return Ok(true);
            }
            Ok(false)
        }
        Shown::Recovery(RecoveryCode(code)) => {
            let hash = secrets::hash(secrets::plain_code(code.as_str()).as_bytes());
            Ok(store::use_recovery_code(tx, now, person_id, &hash).await?)
        }
        Shown::Totp(code) => {
            let (refused, since) = store::refused(tx, person_id).await?;
            if let Some(at) = rules::next_try_at(refused, since, now) {
                let seconds = u64::try_from((at - now).num_seconds()).unwrap_or(0) + 1;
                return Err(Problem::new(ProblemType::TooManyRequests).retry_after(seconds));
            }
            for factor in store::factors(tx, person_id).await? {
                if factor.kind != FactorKind::Totp || factor.confirmed_at.is_none() {
                    continue;
                }
                let secret = secret_of(&app.keys, &factor)?;
                if let Some(step) = totp::step_of(&secret, code.as_str(), now, factor.last_step)
                    && store::use_step(tx, now, factor.id, step).await?
                {
                    return Ok(true);
                }
            }
            store::count_refused(tx, now, person_id).await?;
            Ok(false)
        }
    }
}

/// The secret of an authenticator app.
pub fn secret_of(keys: &Keys, factor: &store::Factor) -> Answer<Vec<u8>> {
    let secret = factor.sealed_secret.as_ref().and_then(|sealed| keys.unseal_factor(factor.id, sealed));
    secret.ok_or_else(|| Problem::fault("a second factor was sealed by a key that this deployment does not have"))
}
